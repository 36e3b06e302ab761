r"""An entry of an array expression, ``(X \\star W)_{ij}``: its value, its range, and what it needs to exist."""

from __future__ import annotations

from symconv.claims.meaning.indices import to_index
from symconv.claims.meaning.ranges import free_names_of
from symconv.claims.meaning.scope import Scope
from symconv.claims.syntax import Call
from symconv.claims.writing import to_text
from symconv.errors import ClaimError
from symconv.formulas.algebra import Guard, Node, between
from symconv.formulas.arrays import Array
from symconv.formulas.index import Index

__all__ = ["entry_in", "exists_in"]


def entry_in(expr: Call, scope: Scope, bound: frozenset[str]) -> Node:
    """The entry of an array expression; what it is where there is none is for `exists_in` to tell.

    Raises:
        ClaimError: for what is no array, depends on an index, or has another number of axes.
    """
    array, at = _placed(expr, scope, bound)
    return array.entry(at)


def exists_in(expr: Call, scope: Scope, bound: frozenset[str]) -> tuple[Guard, ...]:
    """The conditions under which the array has this entry."""
    array, at = _placed(expr, scope, bound)
    ends = zip(at, array.sizes, strict=True)
    return (
        *array.fits,
        *(guard for index, size in ends for guard in between(array.base, index, size - 1 + array.base)),
    )


def _placed(expr: Call, scope: Scope, bound: frozenset[str]) -> tuple[Array, list[Index]]:
    """The array, and the place in it, as the array counts."""
    if len(expr.args) < 2:
        raise ClaimError("entry takes an array and its indices, as in entry(star(X, W), i, j)")
    whole, *indices = expr.args
    inside = free_names_of(whole, scope)
    if inside:
        # its sums have names of their own, which must not catch an index of the line
        raise ClaimError(f"{to_text(whole)} is no array, since {inside[0]} is no size; write the entries out")
    array = scope.array_of(whole, scope)
    if len(array.sizes) != len(indices):
        axes = f"{len(array.sizes)} {'axis' if len(array.sizes) == 1 else 'axes'}"
        given = "1 index is" if len(indices) == 1 else f"{len(indices)} indices are"
        raise ClaimError(f"{to_text(whole)} has {axes}, and {given} given; write 2 \\cdot i for one, i, j for two")
    if any(size.value is not None and size.value < 1 for size in array.sizes):
        raise ClaimError(f"{to_text(whole)} has no entries; in a correlation the kernel is the second array")
    return array, [to_index(index, scope, bound) + (array.base - scope.base) for index in indices]
