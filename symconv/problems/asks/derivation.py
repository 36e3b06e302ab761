"""Questions for a derivation."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from symconv.claims.nested import shape_text
from symconv.errors import ArgumentError
from symconv.operators.base import Operator
from symconv.operators.morphology import Morphology
from symconv.operators.pooling import LPPool, MaxPool
from symconv.problems import schema
from symconv.problems.ask import Ask, ReadSoFar
from symconv.problems.problem import Question
from symconv.problems.schema import Key, Where

if TYPE_CHECKING:
    from symconv.problems.answers.desk import Desk
    from symconv.report.document import Block

__all__ = ["DERIVATION", "check_declared_size"]

MAX_DECLARED = 4_096  # entries of an input whose size is in numbers: every step is expanded entry by entry,
MAX_DECLARED_CASES = 64  # and where a step is no polynomial, case by case on top of it


def _answer(desk: Desk, question: Question) -> list[Block]:
    from symconv.problems.answers.derivation import derivation

    return derivation(desk, question)


def check_declared_size(op: Operator, size: tuple[int, ...], where: Where) -> None:
    """Refuse numbers for the input size of a derivation where its steps could not be expanded in reasonable time.

    Raises:
        ProblemFileError: naming the count, the limit and the way around it.
    """
    most = MAX_DECLARED_CASES if isinstance(op, MaxPool | LPPool | Morphology) else MAX_DECLARED
    if prod(size) > most:
        raise where.error(
            f"a derivation of {type(op).__name__} with numbers for the input size takes at most {most:,} entries, "
            f"got {prod(size):,} ({shape_text(size)})",
            "leave the sizes symbolic, and it holds for all of them",
        )


def _needs(question: Question, where: Where, so_far: ReadSoFar) -> None:
    del so_far
    declared = question.operators[0]
    if question.own["sizes"] == "declared":
        check_declared_size(declared.op, declared.input_size, where.at("sizes"))
    else:
        _check_size_letters(question, declared.op, where.at("names"))
    for variable in question.own["wrt"]:
        if variable not in declared.op.variables:
            raise where.at("wrt").error(
                f"must be among {', '.join(declared.op.variables)} for this operator, got {variable!r}"
            )
    if question.own["all_ones"] and "input" not in question.own["wrt"]:
        raise where.at("all_ones").error("belongs to the gradient by the input", 'add "input" to wrt')


def _check_size_letters(question: Question, op: Any, where: Where) -> None:
    """Refuse a chosen letter that a derivation would print for a whole array and for a size."""
    from symconv.derivations.derive import names_beside_sizes  # a file without derivations needs none of it

    padding_by_name = isinstance(getattr(op, "padding", 0), str)
    kept = [name for name in op.size_letters() if name in ("stride", "padding", "dilation")]
    sizes = op if padding_by_name else op.generic(keep=kept, shared=True)
    try:
        names_beside_sizes(sizes, question.names, None)
    except ArgumentError as error:
        raise where.error(str(error)) from None


DERIVATION = Ask(
    "definition, derivative and gradient, step by step",
    _answer,
    keys={
        "wrt": Key(schema.texts, 'by what is differentiated, "input" or "weight" or both', default=("input",)),
        "all_ones": Key(
            schema.boolean,
            "go on to the case of an all-ones upstream gradient",
            example="true",
            default=False,
        ),
        "sizes": Key(
            schema.one_of("symbolic", "declared"),
            "symbolic sizes, or those declared",
            example='"declared"',
            default="symbolic",
        ),
    },
    needs=_needs,
    examples=(
        {"title": '"The gradients"', "operator": '"conv"', "wrt": '["input", "weight"]'},
        {"title": '"The gradient of an average"', "operator": '"average"'},
    ),
)
