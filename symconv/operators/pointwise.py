"""Layers that work position by position: every output is a function of the one entry at its place."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import Any, ClassVar

from symconv.errors import GeometryError
from symconv.formulas.algebra import Access, Node
from symconv.formulas.collecting import collected
from symconv.formulas.formula import Formula
from symconv.operators.arrays import shape_text
from symconv.operators.frame import Axis, Geometry, named_axes
from symconv.operators.unwindowed import Unwindowed

__all__ = ["Pointwise"]


class Pointwise(Unwindowed):
    """An operator whose output has the size of its input, each entry from the one at its place."""

    ndim: int

    place_by_place: ClassVar[bool] = True

    @abstractmethod
    def value(self, entry: Node) -> Node:
        """What becomes of an entry."""

    # ------------------------------------------------------------------ whole arrays

    def fitted(self, shape: tuple[int, ...]) -> Any:
        """The same for arrays with so many axes."""
        if not shape:
            raise GeometryError("the input", shape_text(shape), "must be an array")
        return replace(self, ndim=len(shape))  # type: ignore[type-var]

    # ------------------------------------------------------------------ the formula

    def axes(self, role: str, geometry: Geometry, *, primed: bool = False) -> tuple[Axis, ...]:
        return named_axes(geometry.letters.axes("input" if role == "input" else "output", self.ndim), geometry.sizes)

    def closed(self, formula: Formula) -> Node:
        return collected(super().closed(formula))

    def body(self, geometry: Geometry) -> Node:
        places = tuple(axis.index for axis in self.axes("output", geometry))
        return self.value(Access(geometry.letters.input, places))
