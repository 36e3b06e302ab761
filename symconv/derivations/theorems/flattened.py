"""The gradient of a flattening: every entry looks up the upstream gradient at its place."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from symconv.derivations.theorems.building import V, at, every, gradient
from symconv.derivations.theorems.gradients import with_error
from symconv.derivations.theorems.proposition import AnyTensor, Proposition, same
from symconv.derivations.theorems.theorem import Check, Theorem
from symconv.formulas.index import Index
from symconv.operators.flatten import Flatten

__all__ = ["THEOREMS"]

Order = Literal["channel-first", "channel-last"]


def _axes(array: AnyTensor, order: Order) -> list[tuple[str, Index]]:
    """The axes with their sizes, the one that changes slowest first."""
    first, *others = [(bound.name, bound.upper + 1) for bound in array.ranges]
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
    right = at("g", _place(_axes(array, place or order)) + more)
    return replace(frame, clauses=(every(array.ranges, same(gradient(array), right)),))


def _parts() -> tuple[Check, ...]:
    orders: tuple[tuple[Order, str], ...] = (("channel-first", "channels first"), ("channel-last", "channels last"))
    return tuple(
        Check(f"{words}, {axes}", _look_up(ndim, order), again=ndim > 2)
        for order, words in orders
        for ndim, axes in ((2, "two axes"), (3, "three axes"))
    )


THEOREMS = (
    Theorem(
        "flatten-gradient",
        "The gradient of a flattening looks up the upstream gradient at the place of the entry",
        "PyTorch, Flatten (channels first); TensorFlow, Flatten of arrays with channels last",
        _parts(),
        (
            Check("one place further", _look_up(2, "channel-first", 1)),
            Check("the place in the other order", _look_up(2, "channel-first", place="channel-last")),
        ),
    ),
)
