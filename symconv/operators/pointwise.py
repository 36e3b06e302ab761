"""Layers that work position by position: every output is a function of the one entry at its place."""

from __future__ import annotations

from abc import abstractmethod

from symconv.formulas.algebra import Access, Guard, Node
from symconv.formulas.index import Index
from symconv.operators.base import Operator
from symconv.operators.frame import Axis, Geometry, named_axes
from symconv.operators.window import Window

__all__ = ["Pointwise"]


class Pointwise(Operator):
    """An operator whose output has the size of its input, each entry from the one at its place, plane by plane."""

    ndim: int

    @abstractmethod
    def value(self, entry: Node) -> Node:
        """What becomes of an entry."""

    @property
    def windows(self) -> tuple[Window, ...]:
        return (Window(1),) * self.ndim

    def facts(self, axis: int, size: Index) -> list[Guard]:
        return []  # every input has an output

    def axes(self, role: str, geometry: Geometry, *, primed: bool = False) -> tuple[Axis, ...]:
        return named_axes(geometry.letters.axes("input" if role == "input" else "output", self.ndim), geometry.sizes)

    def body(self, geometry: Geometry) -> Node:
        places = tuple(axis.index for axis in self.axes("output", geometry))
        return self.value(Access(geometry.letters.input, places))
