"""Arrays of numbers against each other: every entry in exact arithmetic, and what the other reading would give."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from symconv.claims.meaning import arrays
from symconv.claims.meaning.functions import names_operator
from symconv.claims.meaning.scope import Scope
from symconv.claims.nested import shape_of, shape_text
from symconv.claims.syntax import Call, Entry, Expr, MatrixLiteral, Name
from symconv.claims.traversal import map_expr, walk_expr
from symconv.errors import ClaimError, SymconvError
from symconv.proofs.verdict import Verdict

__all__ = ["are_numbers", "compare_numbers"]


def are_numbers(expr: Expr, scope: Scope) -> bool:
    """Whether an array is one of numbers: data, a matrix of numbers, or an operator of such."""
    if isinstance(expr, MatrixLiteral):
        return all(not isinstance(part, Entry | Name) for row in expr.rows for cell in row for part in walk_expr(cell))
    if isinstance(expr, Call) and names_operator(expr, scope):
        return True
    return isinstance(expr, Name) and expr.name in scope.declared.data and expr.name not in scope.arrays


def compare_numbers(left: Expr, right: Expr, scope: Scope) -> Verdict:
    """Two arrays of numbers, entry by entry; where a layer's other reading gives the claimed one, that is said."""
    if not scope.literal:
        raise ClaimError("numbers are claimed at the declared size only")
    mine, theirs = arrays.numbers(left, scope), arrays.numbers(right, scope)
    mine, theirs = _row(mine, left, theirs), _row(theirs, right, mine)
    if shape_of(mine) != shape_of(theirs):
        text = (
            f"The shapes differ: {shape_text(shape_of(mine))} on the left, {shape_text(shape_of(theirs))} on the right."
        )
        return Verdict("refuted", explanation=text, method="numbers")
    wrong = list(_differences(mine, theirs, (), scope.base))
    if not wrong:
        return Verdict("exact", explanation="All entries agree, in exact arithmetic.", method="numbers")
    listed = ", ".join(f"{index}: {a} and {b}" for index, a, b in wrong[:9])
    text = f"{len(wrong)} of {_count(mine)} entries differ ({listed}{', ...' if len(wrong) > 9 else ''})."
    other = _other_reading(left, right, scope)
    return Verdict("refuted", explanation=text + other, method="numbers")


def _row(array: Any, written: Expr, other: Any) -> Any:
    """A matrix of one row is a vector where it is compared with one."""
    one = isinstance(written, MatrixLiteral) and len(written.rows) == 1 and len(shape_of(other)) == 1
    return array[0] if one else array


def _other_reading(left: Expr, right: Expr, scope: Scope) -> str:
    """Whether the other reading of a convolution gives the claimed numbers."""

    def swapped(expr: Expr) -> Expr:
        def change(part: Expr) -> Expr | None:
            if isinstance(part, Call) and part.name in ("corr", "conv"):
                return replace(part, name="conv" if part.name == "corr" else "corr")
            return None

        return map_expr(expr, change)

    from symconv.operators.convolution import Conv

    op = scope.declared.op
    flip = not op.flip if isinstance(op, Conv) else None
    try:
        mine, theirs = (arrays.numbers(swapped(side), scope, flip=flip) for side in (left, right))
        same = _row(mine, left, theirs) == _row(theirs, right, mine)
    except SymconvError:
        return ""
    if not same:
        return ""
    uses = {part.name for expr in (left, right) for part in walk_expr(expr) if isinstance(part, Call)}
    flipped = "corr" in uses or (not uses & {"corr", "conv"} and isinstance(op, Conv) and not op.flip)
    return f" The {'flipped convolution' if flipped else 'cross-correlation'} gives it."


def _differences(left: Any, right: Any, place: tuple[int, ...], base: int) -> Any:
    if isinstance(left, list):
        for position, (a, b) in enumerate(zip(left, right, strict=True), base):
            yield from _differences(a, b, (*place, position), base)
    elif left != right:
        yield place, left, right


def _count(array: Any) -> int:
    return sum(_count(entry) for entry in array) if isinstance(array, list) else 1
