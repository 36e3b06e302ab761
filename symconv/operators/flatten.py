"""Flattening: the entries of an array, one after the other, as a vector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from math import prod

from symconv.errors import GeometryError
from symconv.formulas.algebra import Access, Node, equal, summation
from symconv.formulas.index import Index
from symconv.operators.arrays import shape_text
from symconv.operators.frame import Axis, Geometry, named_axes
from symconv.operators.kinds import Word
from symconv.operators.option import Option
from symconv.operators.options import Integer
from symconv.operators.unwindowed import Unwindowed

__all__ = ["Flatten"]

ORDERS = ("channel-first", "channel-last")
ORDER = Option(
    Word(ORDERS),
    "the order of the entries: row by row as arrays lie, one channel after the other (PyTorch), or position by "
    "position, with the channels of a position next to each other (TensorFlow)",
    noun="order",
    neutral="channel-first",
    example='"channel-last"',
)


@dataclass(frozen=True, repr=False)
class Flatten(Unwindowed):
    """The entries of an array as a vector; the first axis of the array is that of the channels.

    ``c[p] = a[i, j, k]`` for ``p = (i*J + j)*K + k``, or ``p = (j*K + k)*I + i`` where the channels come last, for an
    array of size I, J, K (0-based). In the formula the entry is the only one of a sum whose condition holds.

    >>> Flatten().output_size((2, 3, 3))
    (18,)
    """

    order: str = field(default="channel-first", metadata=ORDER.metadata)
    _: KW_ONLY
    ndim: int = 3

    @property
    def noun(self) -> str:
        return "flattening"

    # ------------------------------------------------------------------ sizes

    def output_size(self, n: Integer | Sequence[Integer]) -> tuple[Integer, ...]:
        return (prod(super().output_size(n)),)

    # ------------------------------------------------------------------ whole arrays

    def fitted(self, shape: tuple[int, ...]) -> Flatten:
        """The same for arrays with so many axes."""
        if not shape:
            raise GeometryError("the input", shape_text(shape), "must be an array")
        return replace(self, ndim=len(shape))

    def array_size(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (prod(shape),)

    # ------------------------------------------------------------------ the formula

    def axes(self, role: str, geometry: Geometry, *, primed: bool = False) -> tuple[Axis, ...]:
        letters = geometry.letters
        if role == "input":
            return named_axes(letters.axes("input", self.ndim), geometry.sizes)
        return named_axes(letters.axes("output", 1), (prod(geometry.sizes, start=Index.of(1)),))

    def body(self, geometry: Geometry) -> Node:
        inputs = self.axes("input", geometry)
        first, *others = inputs
        place = Index.of(0)
        for axis in inputs if self.order == "channel-first" else (*others, first):
            place = place * axis.extent + axis.index
        (output,) = self.axes("output", geometry)
        entry = Access(geometry.letters.input, tuple(axis.index for axis in inputs))
        return summation(entry, *(axis.bound for axis in inputs), guards=[equal(place, output.index)])
