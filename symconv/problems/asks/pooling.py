"""Questions about poolings: what modules there are, their expressions over the window set, and how they are related."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from symconv.claims.nested import shape_text
from symconv.formulas.spelling import look
from symconv.operators.convolution import Conv
from symconv.operators.letters import Letters
from symconv.operators.pooling import Pooling
from symconv.problems.ask import Ask, ReadSoFar
from symconv.problems.problem import Question
from symconv.problems.schema import Where

if TYPE_CHECKING:
    from symconv.problems.answers.desk import Desk
    from symconv.report.document import Block

__all__ = ["EXPRESSIONS", "MODULES", "RELATIONS"]

_POOLINGS = '["max", "average", "lp"]'


def _modules(desk: Desk, question: Question) -> list[Block]:
    from symconv.problems.answers.pooling import modules

    return modules(desk, question)


def _expressions(desk: Desk, question: Question) -> list[Block]:
    from symconv.problems.answers.pooling import expressions

    return expressions(desk, question)


def _relations(desk: Desk, question: Question) -> list[Block]:
    from symconv.problems.answers.pooling import relations

    return relations(desk, question)


def _poolings(question: Question, where: Where, so_far: ReadSoFar) -> None:
    del so_far
    for declared in question.operators:
        if not isinstance(declared.op, Pooling):
            kind = "a convolution" if isinstance(declared.op, Conv) else declared.op.phrase
            raise where.error(f"ask = {question.asks[0]!r} takes poolings, and {declared.name!r} is {kind}")


def _expressed(question: Question, where: Where, so_far: ReadSoFar) -> None:
    """Poolings whose exponents are no sizes beside them: an operator's own sizes make way, those of another do not."""
    _poolings(question, where, so_far)
    for declared, other in product(question.operators, repeat=2):
        sizes = set(map(look, other.op.geometry(Letters()).lower)) - set(map(look, other.op.reals()))
        for order in declared.op.reals():
            if look(order) in sizes:
                raise where.error(
                    f"the exponent {order!r} of {declared.name!r} must not be called like a size of {other.name!r}",
                    "give it another letter, such as p",
                )


def _related(question: Question, where: Where, so_far: ReadSoFar) -> None:
    _expressed(question, where, so_far)
    first = question.operators[0]
    kinds = [type(declared.op).__name__ for declared in question.operators]
    if "LPPool" not in kinds or len(kinds) < 2 or len(set(kinds)) < len(kinds):
        raise where.error(
            f"ask = 'relations' needs an LPPool and a MaxPool or an AvgPool, one of each, got {', '.join(kinds)}"
        )
    for other in question.operators[1:]:
        if (other.op.windows, other.input_size) != (first.op.windows, first.input_size):
            raise where.error(
                f"ask = 'relations' needs the same windows everywhere: {first.name!r} is {first.op!r} on "
                f"{shape_text(first.input_size)}, {other.name!r} is {other.op!r} on {shape_text(other.input_size)}",
                "give them the same kernel_size, stride, padding, dilation, ceil_mode and input_size",
            )


MODULES = Ask(
    "what poolings there are, and what each computes",
    _modules,
    several=True,
    needs=_poolings,
    examples=({"title": '"Pooling modules"', "operators": _POOLINGS},),
)
EXPRESSIONS = Ask(
    "the formulas of poolings over the window set",
    _expressions,
    several=True,
    needs=_expressed,
    examples=({"title": '"Pooling expressions"', "operators": _POOLINGS},),
)
RELATIONS = Ask(
    "how maximum, average and LP pooling are related",
    _relations,
    several=True,
    needs=_related,
    examples=({"title": '"How the poolings are related"', "operators": _POOLINGS},),
)
