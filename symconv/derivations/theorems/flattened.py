"""Flattening: its places are those of the entries, one for one, and its gradient looks up the upstream one there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

from symconv.derivations.theorems.building import V, at, every, gradient, integers
from symconv.derivations.theorems.gradients import with_error
from symconv.derivations.theorems.proposition import Proposition, Relation, chain, same
from symconv.derivations.theorems.theorem import Check, Theorem
from symconv.formulas.algebra import Bound
from symconv.formulas.index import Index, floor
from symconv.operators.flatten import Flatten

__all__ = ["THEOREMS"]

Order = Literal["channel-first", "channel-last"]


def _ordered(bounds: Sequence[Bound], order: Order) -> list[tuple[str, Index]]:
    """The axes with their sizes, the one that changes slowest first."""
    first, *others = [(bound.name, bound.upper + 1) for bound in bounds]
    return [first, *others] if order == "channel-first" else [*others, first]


def _place(axes: list[tuple[str, Index]]) -> Index:
    found = V(0)
    for name, size in axes:
        found = found * size + V(name)
    return found


def _look_up(ndim: int, order: Order, more: int = 0, *, place: Order | None = None) -> Proposition:
    """The gradient by an entry is the upstream gradient at its place; in a slip further on, or in another order."""
    frame, arrays = with_error(Flatten(order, ndim=ndim).output())
    array = arrays["a"]
    right = at("g", _place(_ordered(array.ranges, place or order)) + more)
    return replace(frame, clauses=(every(array.ranges, same(gradient(array), right)),))


def _ranges(ndim: int) -> list[Bound]:
    """The indices of an array of that many axes."""
    _, arrays = with_error(Flatten("channel-first", ndim=ndim).output())
    return list(arrays["a"].ranges)


def _one_to_one(ndim: int, order: Order, *, further: int = 0, back: Order | None = None) -> Proposition:
    """Every entry has a place of its own, and every place is that of one entry, which rounded quotients give.

    In a slip places are one further on, or are read back in another order.
    """
    bounds = _ranges(ndim)
    axes = _ordered(bounds, order)
    place, count = _place(axes) + further, _count(axes)
    first = [chain(0, "<=", _place(axes[:n]), "<=", _count(axes[:n]) - 1) for n in range(2, ndim)]
    there = every(bounds, *first, chain(0, "<=", place, "<=", count - 1))
    own = every(bounds, *_taken_apart(place, _ordered(bounds, back or order)))
    again, places = _entry(V("x"), _ordered(bounds, back or order)), Bound("x", V(0), count - 1)
    rest, outer = V("x"), []
    for n in range(ndim - 1, 1, -1):
        rest = floor(rest, axes[n][1])
        outer.append(chain(0, "<=", rest, "<=", _count(axes[:n]) - 1))
    inside = every([places], *outer, *(chain(0, "<=", again[bound.name], "<=", bound.upper) for bound in bounds))
    found = [same(name, value) for name, value in again.items()]
    onto = every([places, *bounds], same(place, "x"), given=found)
    sizes = {name: 1 for bound in bounds for name in bound.upper.names}
    return Proposition(integers(sizes, "CI"), (there, own, inside, onto))


def _count(axes: list[tuple[str, Index]]) -> Index:
    found = V(1)
    for _, size in axes:
        found = found * size
    return found


def _taken_apart(place: Index, axes: list[tuple[str, Index]]) -> list[Relation]:
    """An index is what is left of the place, and the quotient the place by the other axes; axis by axis."""
    found = []
    for count in range(len(axes) - 1, 0, -1):
        name, size = axes[count]
        rest = _place(axes[:count])
        found += [same(floor(place, size), rest), same(place - size * floor(place, size), name)]
        place = rest
    return found


def _entry(place: Index, axes: list[tuple[str, Index]]) -> dict[str, Index]:
    """The indices of the entry at a place, the one that changes fastest first."""
    found, rest = {}, place
    (slowest, _), *others = axes
    for name, size in others[::-1]:
        found[name] = rest - size * floor(rest, size)
        rest = floor(rest, size)
    return {**found, slowest: rest}


def _parts(said: Callable[[int, Order], Proposition]) -> tuple[Check, ...]:
    orders: tuple[tuple[Order, str], ...] = (("channel-first", "channels first"), ("channel-last", "channels last"))
    return tuple(
        Check(f"{words}, {axes}", said(ndim, order), again=ndim > 2)
        for order, words in orders
        for ndim, axes in ((2, "two axes"), (3, "three axes"))
    )


THEOREMS = (
    Theorem(
        "flatten-gradient",
        "The gradient of a flattening looks up the upstream gradient at the place of the entry",
        "PyTorch, Flatten (channels first); TensorFlow, Flatten of arrays with channels last",
        _parts(_look_up),
        (
            Check("one place further", _look_up(2, "channel-first", 1)),
            Check("the place in the other order", _look_up(2, "channel-first", place="channel-last")),
        ),
    ),
    Theorem(
        "flatten-bijection",
        "A flattening puts every entry at a place of its own, and leaves no place free",
        "Knuth, The Art of Computer Programming, volume 1, section 2.2.6",
        _parts(_one_to_one),
        (
            Check("one place further", _one_to_one(2, "channel-first", further=1)),
            Check("read back in the other order", _one_to_one(2, "channel-first", back="channel-last")),
        ),
    ),
)
