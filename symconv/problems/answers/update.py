"""Questions for a step of learning: every parameter after it, and the loss before and after."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from symconv.errors import ProblemFileError
from symconv.formulas.printing import LATEX
from symconv.problems.answers.desk import Desk, words
from symconv.problems.answers.exact_text import approximation, as_sympy, decimal, exact_text
from symconv.problems.answers.forward import WORKED_OUT
from symconv.problems.answers.running import running, too_large
from symconv.problems.answers.showing import array_lines, number
from symconv.problems.naming import entry_letter
from symconv.problems.problem import Question
from symconv.report.document import Block, Paragraph

__all__ = ["update"]


def update(desk: Desk, question: Question) -> list[Block]:
    """The parameters minus the rate times their gradients, the first one worked out; then forward once more."""
    chain = question.network
    assert chain is not None
    why = too_large(chain)
    if why:
        return [Paragraph(words(why), wide=True)]
    rate: Fraction = question.own["rate"]
    run = running(desk, question)
    moved: dict[str, dict[str, Any]] = {}
    blocks: list[Block] = []
    for layer, own in run.parameters.items():
        moved[layer] = {role: array for role, array in run.weights[layer].items() if role not in own}
        for role, array in own.items():
            gradient = run.gradient(layer, role)
            after = array - rate * gradient
            moved[layer][role] = after
            if not blocks:
                blocks.append(_first(desk, run.names[layer][role], array, gradient, after, rate, question.index_base))
            name = LATEX.name(run.names[layer][role])
            blocks += array_lines(desk, f"{name}'", after, f"{layer}: the {role}.", (), WORKED_OUT, decimals=True)
    again = running(desk, question, moved)
    output = chain.network.output
    before, after_loss = run.values[output][()], again.values[output][()]
    for layer in chain.network.names[-3:]:
        name = LATEX.name(run.names[layer]["output"])
        blocks += array_lines(
            desk,
            f"{name}'",
            again.values[layer],
            "Forward again.",
            _places(again.values[layer]),
            WORKED_OUT,
            decimals=True,
        )
    letter = LATEX.name(run.names[output]["output"])
    falls = _less(after_loss, before)
    verb = "stays as it is" if falls is None else "falls" if falls else "rises"
    label = desk.plain_statement(
        rf"{letter}' - {letter}",
        rf"\approx {approximation(after_loss - before)}",
        "exact",
        WORKED_OUT,
        "Compare.",
        words(f"The loss {verb}: from {_near(before)} to {_near(after_loss)}, rounded to four places."),
    )
    return [*blocks, label]


def _near(value: Any) -> str:
    return decimal(value) if isinstance(value, Fraction) and len(decimal(value)) < 9 else approximation(value)


def _places(array: Any) -> Any:
    long = any(not isinstance(value, Fraction | int) for value in array.ravel().tolist())
    return words("rounded to four places where a sign of approximation stands.") if long else ()


def _first(desk: Desk, name: str, array: Any, gradient: Any, after: Any, rate: Fraction, base: int) -> Block:
    """The first entry that moves, worked out."""
    at = next((at for at in _all(array.shape) if gradient[at] != 0), next(iter(_all(array.shape))))
    entry = LATEX.subscripted(LATEX.name(entry_letter(name)), [str(i + base) for i in at])
    slope = number(gradient[at])
    slope = rf"({slope})" if slope.startswith("-") else slope
    right = rf"{exact_text(array[at])} - {decimal(rate)} \cdot {slope} = {number(after[at], True)}"
    return desk.plain_statement(
        f"{entry}'", right, "exact", WORKED_OUT, "Step.", words("The parameter minus the rate times its gradient.")
    )


def _all(shape: tuple[int, ...]) -> Any:
    return np.ndindex(*shape)


def _less(one: Any, other: Any) -> bool | None:
    """Whether a number is smaller than another; None where they are equal.

    Raises:
        ProblemFileError: where sixty digits do not tell.
    """
    difference = one - other
    if isinstance(difference, Fraction | int):
        return None if difference == 0 else difference < 0
    import sympy

    value = sympy.N(as_sympy(difference), 60)
    if abs(value) < sympy.Float("1e-40"):
        raise ProblemFileError("the loss before and after the step agree to forty digits, and their order is not known")
    return bool(value < 0)
