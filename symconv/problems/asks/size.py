"""Questions for the size of an output: in numbers, and for all sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symconv.problems.ask import Ask
from symconv.problems.problem import Question

if TYPE_CHECKING:
    from symconv.problems.answers.desk import Desk
    from symconv.report.document import Block

__all__ = ["SIZE", "SIZE_FORMULA"]


def _size(desk: Desk, question: Question) -> list[Block]:
    from symconv.problems.answers.size import size

    return size(desk, question)


def _size_formula(desk: Desk, question: Question) -> list[Block]:
    from symconv.problems.answers.size import size_formula

    return size_formula(desk, question)


SIZE = Ask(
    "the output size at the declared input size",
    _size,
    examples=({"title": '"The size of the output"', "operator": '"conv"'},),
)
SIZE_FORMULA = Ask(
    "the output size for all sizes, by counting windows",
    _size_formula,
    examples=({"title": '"The size of the output in general"', "operator": '"conv"'},),
)
