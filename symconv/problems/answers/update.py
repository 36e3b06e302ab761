"""Questions for a step of learning: every parameter after it, and the loss before and after."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any, Literal

import numpy as np

from symconv.errors import ProblemFileError
from symconv.formulas.printing import LATEX
from symconv.operators.networks.traced import TensorKey
from symconv.problems.answers.desk import Desk, words
from symconv.problems.answers.exact_text import approximation, as_sympy, decimal
from symconv.problems.answers.showing import WORKED_OUT, plain_array
from symconv.problems.answers.working import too_large, values_of, working
from symconv.problems.problem import Question
from symconv.report.document import Block, Paragraph
from symconv.report.inline import Inline
from symconv.report.numbers import equated, latex_number
from symconv.report.worked import Worked

__all__ = ["moved", "update"]


def moved(worked: Worked, rate: Fraction) -> dict[str, dict[str, Any]]:
    """Every parameter minus the rate times its gradient; a target stays as it is."""
    found: dict[str, dict[str, Any]] = {}
    for key, tensor in worked.trace.tensors.items():
        if key.gradient or key.role == "output":
            continue
        values = tensor.values
        if key.role != "target":
            values = values - rate * values_of(worked, key.layer, key.role, gradient=True)
        found.setdefault(key.layer, {})[key.role] = values
    return found


def update(desk: Desk, question: Question) -> list[Block]:
    """The parameters minus the rate times their gradients, the first one worked out; then forward once more."""
    chain = question.network
    assert chain is not None
    why = too_large(chain)
    if why:
        return [Paragraph(words(why), wide=True)]
    rate: Fraction = question.own["rate"]
    worked = working(desk, question, backward=True)
    after = moved(worked, rate)
    base = question.index_base
    blocks: list[Block] = []
    for layer, own in after.items():
        for role, array in own.items():
            if role == "target":
                continue
            key = TensorKey(layer, role)  # type: ignore[arg-type]
            if not blocks:
                blocks.append(_first(desk, worked, key, array, rate))
            name = f"{LATEX.name(worked.tensors[key].letter)}'"
            blocks += plain_array(
                desk, name, array, f"The {role} of {layer}", words("after the step."), WORKED_OUT, base
            )
    again = chain.network.values(worked.inputs, after)
    output = chain.network.output
    before, later = values_of(worked, output)[()], again[output][()]
    for layer in chain.network.names[-3:]:
        name = f"{LATEX.name(worked.tensors[TensorKey(layer)].letter)}'"
        blocks += plain_array(
            desk, name, np.asarray(again[layer]), "Forward again,", _places(again[layer]), WORKED_OUT, base
        )
    letter = LATEX.name(worked.tensors[TensorKey(output)].letter)
    falls = _less(later, before)
    verb = "stays as it is" if falls is None else "falls" if falls else "rises"
    relation: Literal["<", ">", "="] = "=" if falls is None else "<" if falls else ">"
    said = words(f"The loss {verb}: from {approximation(before)} to {approximation(later)}, rounded to four places.")
    line = desk.plain_statement(f"{letter}'", letter, "exact", WORKED_OUT, "Compare.", said)
    return [*blocks, replace(line, relation=relation)]


def _places(array: Any) -> tuple[Inline, ...]:
    values = np.asarray(array).ravel().tolist()
    long = any(not isinstance(value, Fraction | int) for value in values)
    return words("with the new parameters; rounded, exact behind it." if long else "with the new parameters.")


def _first(desk: Desk, worked: Worked, key: TensorKey, after: Any, rate: Fraction) -> Block:
    """The first entry that moves, worked out."""
    before = worked.trace.tensors[key].values
    gradient = values_of(worked, key.layer, key.role, gradient=True)
    places = list(np.ndindex(before.shape))
    at = next((at for at in places if gradient[at] != 0), places[0])
    entry = worked.entry((key, at))
    slope = latex_number(gradient[at])
    slope = rf"({slope})" if slope.startswith(("-", r"\approx -")) or "/" in slope else slope
    value = decimal(after[at]) if isinstance(after[at], Fraction) else latex_number(after[at])
    sign, difference = equated(rf"{latex_number(before[at])} - {decimal(rate)} \cdot {slope}")
    then, moved_to = equated(value)
    said = words("The parameter minus the rate times its gradient.")
    right = f"{difference} {then} {moved_to}"
    return replace(desk.plain_statement(f"{{{entry}}}'", right, "exact", WORKED_OUT, "Step.", said), relation=sign)


def _less(one: Any, other: Any) -> bool | None:
    """Whether a number is smaller than another; None where they are equal.

    Raises:
        ProblemFileError: where forty digits do not tell.
    """
    difference = one - other
    if isinstance(difference, Fraction | int):
        return None if difference == 0 else difference < 0
    import sympy

    value = sympy.N(as_sympy(difference), 60)
    if abs(value) < sympy.Float("1e-40"):
        raise ProblemFileError("the loss before and after the step agree to forty digits, and their order is not known")
    return bool(value < 0)
