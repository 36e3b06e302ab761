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
from symconv.operators.frame import Axis, Geometry, collect_symbols
from symconv.operators.options import Integer, axes_of, padding_pairs, per_axis, to_index
from symconv.operators.window import Window

__all__ = ["Spreading", "Windowed", "named_window"]


class Windowed(Operator):
    """An operator whose window is the same for all outputs."""

    kernel_size: Any
    stride: Any
    padding: Any
    dilation: Any = 1
    ceil_mode: bool = False

    def _read_window(self, stride: object, *, named: bool = True) -> None:
        """Put the checked options in place: one entry an axis, and padding in pairs or by name.

        Args:
            stride: the stride as given, or what stands for it where it was left out.
            named: whether the padding may be the name of a rule.
        """
        put = object.__setattr__
        put(self, "kernel_size", axes_of("kernel_size", self.kernel_size, self.ndim))
        put(self, "ndim", len(self.kernel_size))
        put(self, "stride", per_axis("stride", stride, self.ndim, 1))
        put(self, "dilation", per_axis("dilation", self.dilation, self.ndim, 1))
        put(self, "padding", padding_pairs(self.padding, self.ndim, named=named))
        if self.padding == "same" and any(s != 1 for s in self.stride):
            raise GeometryError("padding", "same", f"needs stride 1 (stride is {self.stride})", "use 'same_upper'")

    @property
    def windows(self) -> tuple[Window, ...]:
        """The window of every spatial axis, with a padding rule turned into numbers where that is possible."""
        options = zip(self.kernel_size, self.stride, self.dilation, strict=True)
        return tuple(
            named_window(self.padding, axis, k, s, d, self.ceil_mode) for axis, (k, s, d) in enumerate(options)
        )

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
        symbols: dict[str, Any] = {}
        for option, value in self.options().items():
            if isinstance(value, tuple):
                collect_symbols(value[axis], symbols, option)
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


def named_window(padding: Any, axis: int, k: Integer, s: Integer, d: Integer, ceil_mode: bool = False) -> Window:
    """The window of one axis under a padding that is given in pairs or by the name of a rule."""
    if not isinstance(padding, str):
        before, after = padding[axis]
        return Window(k, s, before, after, d, ceil_mode)
    total = d * (k - 1)
    if padding == "valid":
        return Window(k, s, 0, 0, d, ceil_mode)
    if padding == "full":
        return Window(k, s, total, total, d, ceil_mode)
    if padding == "half":
        half = total // 2
        return Window(k, s, half, half, d, ceil_mode)
    if padding == "same":
        return Window(k, s, total // 2, total - total // 2, d, ceil_mode)
    if padding == "same_upper":
        return Window(k, s, 0, 0, d, ceil_mode, "same_upper")
    return Window(k, s, 0, 0, d, ceil_mode, "same_lower")
