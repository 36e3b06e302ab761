"""One answer of a black box, compared with what the operator gives."""

from __future__ import annotations

from typing import Any

import numpy as np

from symconv.audits.arranging import Arranged
from symconv.audits.certification import Finding
from symconv.audits.reading import Array
from symconv.audits.reference import Due, Reference
from symconv.audits.rounding import Rounding
from symconv.audits.trials import Trial
from symconv.audits.wire import Message

__all__ = ["PARTS", "judged"]

DIED = {"raised": "it raises", "refused": "", "hung": "it hangs:", "crashed": "it crashes:"}
PARTS = {
    "output": "the output",
    **{f"grad_{name}": f"the gradient of the {name}" for name in ("input", "weight", "bias")},
}


def judged(message: Message, trial: Trial, frame: Arranged, reference: Reference, dtype: str) -> Finding | None:
    """What is wrong with an answer; None for nothing."""
    arguments = {name: frame.laid(name, array) for name, array in trial.parts()}
    answers, types = message.arrays or {}, message.types or {}

    def found(kind: str, part: str, words: str, **more: object) -> Finding:
        return Finding(kind, part, words, trial.words, arguments, answers=answers, **more)  # type: ignore[arg-type]

    if message.kind != "answer":
        lead = DIED.get(message.kind, "it crashes: what it sent back is no answer")
        kind = message.kind if message.kind in DIED else "crashed"
        return found(kind, "output", f"{lead} {message.text}".strip())
    for part, due in reference.due(trial).items():
        name = part.removeprefix("grad_")
        wanted = Due(frame.laid(name, due.values), frame.laid(name, due.slack))
        given = answers.get(part)
        if given is None:
            return found("gradient", part, f"{PARTS[part]} is missing")
        if given.shape != wanted.values.shape:
            return found(
                "shape", part, f"{PARTS[part]} has the shape {given.shape} and should have {wanted.values.shape}"
            )
        if not _same_kind(types[part], dtype):
            return found("type", part, f"{PARTS[part]} is of {types[part]} and should be of {dtype}")
        off = wanted.off(given)
        if off.any():
            return _wrong(found, part, given, wanted, off, reference.rounding)
    for name in trial.arrays:
        after = answers.get(f"after_{name}")
        if after is not None and not np.array_equal(after, arguments[name], equal_nan=True):
            return found("argument", "output", f"it writes to its argument, the {name}")
    return None


def _same_kind(given: str, wanted: str) -> bool:
    """Whether a result has the type of its arguments; of integers any will do that is exact."""
    return given == wanted or (wanted.startswith("int") and given.startswith("int"))


def _wrong(found: Any, part: str, given: Array, due: Due, off: Array, rounding: Rounding) -> Finding:
    place = tuple(map(int, np.argwhere(off)[0]))
    got, should = given[place].item(), due.values[place].item()
    count = f"{off.sum()} of {off.size} entries" if off.size > 1 else "the only entry"
    words = f"{PARTS[part]} at {list(place)} is {got:.9g} and should be {should:.9g}"
    finite = np.isfinite(got) and np.isfinite(should)
    if finite and not rounding.exact:
        words += f" (off by {abs(got - should):.3g}, rounding allows {due.slack[place]:.3g})"
    kind = "rounding" if finite and _nearly(given, due, rounding) else "value"
    words += f"; {count} wrong" + (f"; {ROUNDED}" if kind == "rounding" else "")
    result: Finding = found(kind, part, words, index=place, given=got, due=should)
    return result


ROUNDED = "so little is rounding: was it made by a transform (FFT, Winograd), or in a coarser type?"


def _nearly(given: Array, due: Due, rounding: Rounding) -> bool:
    """Whether half of the digits of the type are right, measured by the largest of the entries that are finite."""
    if rounding.unit is None:
        return False
    finite = np.isfinite(given) & np.isfinite(due.values)
    gap, top = np.abs(given[finite].astype(np.float64) - due.values[finite]), np.abs(due.values[finite])
    return bool(gap.max() <= float(rounding.unit.u) ** 0.5 * top.max())
