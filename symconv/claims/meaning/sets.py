"""The window sets of claims: the input positions that a window holds, how many there are, and abstract sets."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from symconv.claims.meaning.indices import indices_of, to_index
from symconv.claims.meaning.scope import ORDER, Scope
from symconv.claims.syntax import Entry, Expr, Name, Over
from symconv.errors import ClaimError
from symconv.formulas.algebra import (
    ONE,
    Bound,
    Bracket,
    Guard,
    Node,
    Reduce,
    between,
    divides,
    product,
    scalar,
)
from symconv.formulas.index import Index
from symconv.operators.convolution import Conv
from symconv.operators.patches import Unfold
from symconv.operators.pooling import Pooling

__all__ = ["check_bound", "coordinates", "members", "set_size"]


def check_bound(name: str, scope: Scope, bound: frozenset[str]) -> None:
    """Refuse a letter that cannot be bound: one that is bound already, a size, or a tensor."""
    if name in bound:  # which of the two is meant in the body is anybody's guess
        raise ClaimError(f"{name} is summed over twice, one sum inside the other; take another letter for one of them")
    if scope.has_order and name == ORDER:
        raise ClaimError(f"{name} is the order of a norm here and cannot be summed over; take another letter")
    if name in scope.sizes:
        raise ClaimError(f"{name} is declared as a size and cannot be summed over")
    declared = scope.declared
    if name in (*declared.sets, *declared.functions, declared.upper, *scope.output.table.real, "size", "oo"):
        raise ClaimError(f"{name} has a meaning of its own and cannot be summed over; take another letter")
    if name in scope.boxes or name in (scope.letters.output, scope.letters.error, *scope.arrays):
        raise ClaimError(f"{name} is declared as a tensor and cannot be summed over")


def members(over: Over, scope: Scope, bound: frozenset[str]) -> tuple[list[Bound], list[Guard]]:
    """The index ranges and conditions of ``(s, t) in S_ij``: the input positions of a window, or an abstract set."""
    where = over.set
    name = where.name if isinstance(where, Name | Entry) else ""
    if name not in scope.declared.sets:
        raise scope.unknown("the set", name or "?", list(scope.declared.sets))
    for number, variable in enumerate(over.variables):
        check_bound(variable, scope, bound | frozenset(over.variables[:number]))
    if isinstance(where, Name):
        if len(over.variables) != 1:
            raise ClaimError(f"{name} without indices is a set of single elements; use one variable")
        return [Bound(over.variables[0], Index.of(1), scope.elements)], []
    assert isinstance(where, Entry)
    if not isinstance(scope.op, Conv | Pooling | Unfold):
        raise ClaimError(f"{name} is a window of the input, and {scope.op.noun} has none for an output")
    windows, sizes = scope.windows, scope.input_sizes
    if len(over.variables) != len(windows):
        raise ClaimError(f"a member of {name} has {len(windows)} coordinates, and {len(over.variables)} are named")
    outputs = [to_index(i, scope, bound) for i in indices_of(where, len(windows))]
    bounds: list[Bound] = []
    guards: list[Guard] = []
    for variable, window, size, o in zip(over.variables, windows, sizes, outputs, strict=True):
        bounds.append(Bound(variable, Index.of(scope.base), size - 1 + scope.base))
        first = window.tap(o - scope.base, 0, size) + scope.base
        place = Index.of(variable)
        guards += between(first, place, first + window.d * (window.k - 1))
        guards.append(divides(window.d, place - first))
    return bounds, [guard for guard in (*guards, *is_output(outputs, scope)) if guard.truth is not True]


def is_output(at: Sequence[Index], scope: Scope) -> list[Guard]:
    """The conditions that there is an output at a place, and so a window: elsewhere a window set is empty."""
    free = scope.output.free[-len(at) :]
    return [guard for place, axis in zip(at, free, strict=True) for guard in between(axis.lower, place, axis.upper)]


def set_size(where: Expr, scope: Scope, bound: frozenset[str]) -> Node:
    """The number of elements of a set; that of a window set is counted, axis by axis."""
    if isinstance(where, Name) and where.name in scope.declared.sets:
        return scalar(scope.elements)
    if isinstance(where, Entry):
        bounds, guards = members(Over(coordinates(len(scope.windows), bound), where), scope, bound)
        whole, counts = Index.of(1), []
        for b in bounds:
            own = tuple(g for g in guards if b.name in g.names)
            window = next(w for w, other in zip(scope.windows, bounds, strict=True) if other is b)
            padded = any(pad != 0 for pad in window.padding(scope.input_sizes[bounds.index(b)]))
            if not padded and not window.ceil_mode:
                whole = whole * window.k  # the window lies inside the input
            else:
                counts.append(Reduce("sum", (b,), own, ONE))
        outputs = [to_index(i, scope, bound) for i in where.indices]
        return product(Bracket(tuple(is_output(outputs, scope))), scalar(whole), *counts)
    name = getattr(where, "name", "?")
    raise scope.unknown("the set", name, list(scope.declared.sets))


def coordinates(count: int, bound: frozenset[str]) -> tuple[str, ...]:
    """Letters for the coordinates of a member of a set, which no claim can write; none is summed over already."""
    free = (name for number in itertools.count() if (name := f"s{number}'") not in bound)
    return tuple(itertools.islice(free, count))
