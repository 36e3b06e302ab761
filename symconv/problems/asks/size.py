"""Questions that count: sizes in numbers and for all sizes, parameters, multiply-adds, receptive fields."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symconv.problems.ask import Ask
from symconv.problems.problem import Question

if TYPE_CHECKING:
    from symconv.problems.answers.desk import Desk
    from symconv.report.document import Block

__all__ = ["MULTIPLY_ADDS", "PARAMETERS", "RECEPTIVE_FIELD", "SIZE", "SIZE_FORMULA"]


def _counted(desk: Desk, question: Question) -> list[Block]:
    from symconv.problems.answers.counts import counts

    return counts(desk, question)


def _size_formula(desk: Desk, question: Question) -> list[Block]:
    from symconv.problems.answers.size import size_formula

    return size_formula(desk, question)


SIZE = Ask(
    "the output size at the declared input size, of a layer or of every layer of a network",
    _counted,
    of_networks=True,
    examples=({"title": '"The size of the output"', "operator": '"conv"'},),
)
SIZE_FORMULA = Ask(
    "the output size for all sizes, by counting windows",
    _size_formula,
    examples=({"title": '"The size of the output in general"', "operator": '"conv"'},),
)
PARAMETERS = Ask(
    "how many weights and biases there are",
    _counted,
    of_networks=True,
    examples=(
        {
            "title": '"Sizes and counts"',
            "text": '"How large is every layer, and how many parameters has it?"',
            "ask": '["size", "parameters", "multiply-adds", "receptive-field"]',
            "network": '"net"',
        },
    ),
)
MULTIPLY_ADDS = Ask("how many products of an entry and a weight one input takes", _counted, of_networks=True)
RECEPTIVE_FIELD = Ask("how much of the input one output depends on", _counted, of_networks=True)
