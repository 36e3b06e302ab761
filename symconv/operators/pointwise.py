"""Layers that work position by position: every output is a function of the one entry at its place."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import Any, ClassVar

from symconv.errors import GeometryError
from symconv.formulas.algebra import Access, Guard, Node
from symconv.formulas.collecting import collected
from symconv.formulas.formula import Formula
from symconv.formulas.index import Index
from symconv.operators.arrays import shape_text
from symconv.operators.base import Operator
from symconv.operators.frame import Axis, Geometry, named_axes
from symconv.operators.options import Integer
from symconv.operators.window import Window

__all__ = ["Pointwise"]


class Pointwise(Operator):
    """An operator whose output has the size of its input, each entry from the one at its place."""

    ndim: int

    place_by_place: ClassVar[bool] = True

    @abstractmethod
    def value(self, entry: Node) -> Node:
        """What becomes of an entry."""

    @property
    def windows(self) -> tuple[Window, ...]:
        """None: an output reads the entry at its own place."""
        return ()

    # ------------------------------------------------------------------ sizes

    def axis_output_size(self, axis: int, n: Integer) -> Integer:
        return n

    def count(self, axis: int, size: Index) -> Index:
        """The size of the input."""
        return size

    def facts(self, axis: int, size: Index) -> list[Guard]:
        """Nothing: any size will do."""
        return []

    # ------------------------------------------------------------------ whole arrays

    def fitted(self, shape: tuple[int, ...]) -> Any:
        """The same for arrays with so many axes."""
        if not shape:
            raise GeometryError("the input", shape_text(shape), "must be an array")
        return replace(self, ndim=len(shape))  # type: ignore[type-var]

    def planes(self, shape: tuple[int, ...]) -> int:
        """One: the formula is about the whole array."""
        return 1

    def array_size(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return shape

    # ------------------------------------------------------------------ the formula

    def axes(self, role: str, geometry: Geometry, *, primed: bool = False) -> tuple[Axis, ...]:
        return named_axes(geometry.letters.axes("input" if role == "input" else "output", self.ndim), geometry.sizes)

    def closed(self, formula: Formula) -> Node:
        return collected(super().closed(formula))

    def body(self, geometry: Geometry) -> Node:
        places = tuple(axis.index for axis in self.axes("output", geometry))
        return self.value(Access(geometry.letters.input, places))
