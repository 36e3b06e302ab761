"""Operators with one window on every axis: its options read and checked, and the windows made of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symconv.errors import GeometryError
from symconv.formulas.algebra import Guard, Node, nonnegative
from symconv.formulas.bounds import Knowledge
from symconv.formulas.calculus import settle
from symconv.formulas.index import Index
from symconv.formulas.symbols import SymbolTable, index_to_sympy
from symconv.operators.base import Operator
from symconv.operators.frame import Axis, Geometry
from symconv.operators.options import Integer, to_index

__all__ = ["Spreading", "Windowed"]


class Windowed(Operator):
    """An operator whose window is the same for all outputs."""

    kernel_size: Any
    stride: Any
    padding: Any
    dilation: Any
    ceil_mode: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.padding == "same" and any(s != 1 for s in self.stride):
            raise GeometryError("padding", "same", f"needs stride 1 (stride is {self.stride})", "use 'same_upper'")

    def settled(self, node: Node, outputs: Sequence[Axis], geometry: Geometry) -> Node:
        """A formula of one output without the guards that hold at every tap of every output."""
        free = [axis.bound for axis in outputs]
        return settle(node, Knowledge(geometry.lower, free, geometry.facts, dict(geometry.definitions)))


class Spreading(Windowed):
    """An operator that hands every input to the outputs under its window: the transpose of one that reads windows."""

    def added(self, axis: int) -> Index:
        """How many outputs there are on an axis after the last window."""
        return Index.of(0)

    def count(self, axis: int, size: Index) -> Index:
        """``s*(n - 1) + D*(k - 1) + 1 + added - before - after``."""
        window = self.windows[axis]
        before, after = window.padding(size)
        return window.s * (size - 1) + window.span + self.added(axis) - before - after

    def facts(self, axis: int, size: Index) -> list[Guard]:
        """There is an output."""
        return [nonnegative(self.count(axis, size) - 1)]

    def axis_output_size(self, axis: int, n: Integer) -> Integer:
        symbols = self.size_symbols(axis)
        count = self.count(axis, to_index(n, symbols, "input_size"))
        if count.value is None:
            return index_to_sympy(count, SymbolTable(symbols))
        if count.value < 1:
            raise GeometryError(
                "padding",
                self.padding,
                f"must leave an output: on axis {axis} an input of {n} gives {count.value} entries",
                "take a larger input or less padding",
            )
        return count.value
