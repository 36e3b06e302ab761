"""Layers that read a vector as a whole: every output depends on all entries."""

from __future__ import annotations

from typing import Any

from symconv.errors import GeometryError
from symconv.formulas.algebra import Access, Applied, Node, summation
from symconv.formulas.functions import EXP
from symconv.formulas.index import Index
from symconv.formulas.naming import fresh_name
from symconv.operators.arrays import shape_text
from symconv.operators.frame import Axis, Geometry, named_axes
from symconv.operators.unwindowed import Unwindowed

__all__ = ["OfVector"]


class OfVector(Unwindowed):
    """An operator on one axis, whose output is a vector of the same length."""

    ndim = 1

    # ------------------------------------------------------------------ whole arrays

    def fitted(self, shape: tuple[int, ...]) -> Any:
        """The same: it is for vectors alone."""
        if len(shape) != 1:
            raise GeometryError(
                "the input", shape_text(shape), f"must be a vector before {self!r}", "put a Flatten() before it"
            )
        return self

    # ------------------------------------------------------------------ the formula

    def axes(self, role: str, geometry: Geometry, *, primed: bool = False) -> tuple[Axis, ...]:
        return named_axes(geometry.letters.axes("input" if role == "input" else "output", 1), geometry.sizes)

    def place(self, geometry: Geometry) -> Index:
        """The place of an output."""
        return self.axes("output", geometry)[0].index

    def entry(self, geometry: Geometry, at: Index) -> Node:
        """The entry of the input at a place."""
        return Access(geometry.letters.input, (at,))

    def every(self, geometry: Geometry) -> Axis:
        """An index over all entries, besides that of an output and that of a derivative."""
        letters = geometry.letters
        second = letters.input_index[1:2]
        name = second or fresh_name("j", letters.names)
        return Axis(name, geometry.sizes[0])

    def powers(self, geometry: Geometry) -> Node:
        """The sum of ``e^a[j]`` over all entries."""
        index = self.every(geometry)
        return summation(Applied(EXP, self.entry(geometry, index.index)), index.bound)
