"""Sums of arrays, place by place: where a residual branch comes back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, replace
from typing import ClassVar

from symconv.errors import GeometryError
from symconv.formulas.algebra import Access, Node, add
from symconv.operators.arrays import shape_text
from symconv.operators.base import Variable
from symconv.operators.frame import Axis, Geometry, named_axes
from symconv.operators.unwindowed import Unwindowed

__all__ = ["Add"]


@dataclass(frozen=True, repr=False)
class Add(Unwindowed):
    """The sum of two arrays of one shape: ``c[i] = a[i] + b[i]``; in a `Network`, of all that its edges bring.

    By itself, its second summand takes the place of a weight.

    >>> Add(ndim=1).output_size(4)
    (4,)
    """

    _: KW_ONLY
    ndim: int = 2

    variables: ClassVar[tuple[Variable, ...]] = ("input", "weight")
    place_by_place: ClassVar[bool] = True

    @property
    def noun(self) -> str:
        return "sum"

    @property
    def phrase(self) -> str:
        return "a sum"

    # ------------------------------------------------------------------ whole arrays

    def fitted(self, shape: tuple[int, ...]) -> Add:
        """The same for arrays with so many axes."""
        if not shape:
            raise GeometryError("the input", shape_text(shape), "must be an array")
        return replace(self, ndim=len(shape))

    def joined_size(self, shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
        if len(set(shapes)) > 1:
            shown = " and ".join(map(shape_text, shapes))
            raise GeometryError("the inputs", shown, "must have one shape", "put a 1x1 convolution on the shorter way")
        return shapes[0]

    def parameter_sizes(self, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        """None: both summands come from layers."""
        return {}

    # ------------------------------------------------------------------ the formula

    def axes(self, role: str, geometry: Geometry, *, primed: bool = False) -> tuple[Axis, ...]:
        family = role if role in ("input", "weight") else "output"
        return named_axes(geometry.letters.axes(family, self.ndim), geometry.sizes)

    def body(self, geometry: Geometry) -> Node:
        at = tuple(axis.index for axis in self.axes("output", geometry))
        return add(Access(geometry.letters.input, at), Access(geometry.letters.weight, at))
