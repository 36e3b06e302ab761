"""What `certify` says of a black box: a verdict, with the smallest case that refutes it and its likely cause."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from symconv.audits.explanation import Explanation
from symconv.audits.reading import Array
from symconv.proofs.verdict import Verdict

__all__ = ["Certification", "Finding"]

MOST_SHOWN = 6


@dataclass(frozen=True)
class Finding:
    """What is wrong with one call.

    Attributes:
        kind: "value", "rounding" (so little that it is no convention), "shape", "type", "gradient" (one that is
            missing), "argument" (one that was written to), "state" (another answer to the same arguments), "raised",
            "refused" (no array of numbers), "hung" or "crashed".
        part: "output", or "grad_input", "grad_weight" or "grad_bias".
        words: what is wrong, in a sentence.
        trial: what is special about the arguments.
        arguments: the arguments as the black box got them, by variable, and the gradient of the output as "upstream".
        index: for "value", the first place that differs, in the order of axes of the black box.
        given, due: what the black box says at this place, and what the operator gives.
        answers: the arrays that the black box gave.
    """

    kind: str
    part: str
    words: str
    trial: str
    arguments: Mapping[str, Array] = field(compare=False)
    index: tuple[int, ...] = ()
    given: float = 0.0
    due: float = 0.0
    answers: Mapping[str, Array] = field(default_factory=dict, compare=False)

    def __str__(self) -> str:
        lines = [self.words]
        lines += [f"{NAMES.get(name, name)}: {array_words(array)}" for name, array in self.arguments.items()]
        return "\n".join(lines)


NAMES = {"upstream": "gradient of the output"}


def array_words(array: Array) -> str:
    """An array in words, short where most entries are 0.

    >>> array_words(np.diag([0.0, 1.0, 0.0]))
    'shape (3, 3), 0 but for 1 at [1, 1]'
    """
    if array.size <= MOST_SHOWN:
        return str(array.tolist())
    places = np.argwhere(array != 0)
    lead = f"shape {array.shape}"
    if not len(places):
        return f"{lead}, all entries 0"
    shown = [f"{array[tuple(p)]:g} at {p.tolist()}" for p in places[:MOST_SHOWN]]
    if len(places) > MOST_SHOWN:
        return f"{lead}, {len(places)} entries that are not 0: {', '.join(shown)}, ..."
    return f"{lead}, 0 but for {', '.join(shown)}"


@dataclass(frozen=True)
class Certification(Verdict):
    """A verdict on a black box: "refuted"; "exact" on the conditions that are printed; "undecided"; never "proved".

    Attributes:
        finding: for "refuted", what is wrong, in the smallest case that was found.
        cause: for "refuted", the operator that explains the answers, where `diagnose` finds one.
        calls: how often the black box was called.
    """

    finding: Finding | None = None
    cause: Explanation | None = field(default=None, compare=False)
    calls: int = 0

    def __str__(self) -> str:
        lines = [f"{self.status.upper()} {self.scope}", f"  {self.explanation}"]
        if self.conditions:
            lines.append("  on the condition that " + ", and that ".join(self.conditions))
        if self.finding is not None:
            lines += [f"  {line}" for line in str(self.finding).splitlines()]
        if self.cause is not None:
            lines.append(f"  likely cause: {cause_words(self.cause)}")
        return "\n".join(lines)


def cause_words(cause: Explanation) -> str:
    """A likely cause in words."""
    wrong = [f"the gradient of the {part} is {words}" for part, words in cause.gradients.items() if words]
    if cause.fits and wrong:
        return "; ".join(wrong)
    said = f"it is what {cause.operator!r} gives ({cause.layout})"
    return said if cause.fits else f"nothing fits all of it; but for {cause.off} entries {said}"
