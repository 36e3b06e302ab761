"""Max unpooling: `MaxUnpool` puts every entry back at the position that a max pooling took its maximum from."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any

from symconv.errors import GeometryError
from symconv.formulas.algebra import Access, Compare, Guard, Node, Scalar, nonnegative, product, summation
from symconv.formulas.index import Index
from symconv.formulas.symbols import SymbolTable, index_to_sympy
from symconv.operators.base import Axis, Geometry, Operator, named_axes
from symconv.operators.options import Integer, axes_of, padding_pairs, per_axis, to_index
from symconv.operators.window import Window

__all__ = ["MaxUnpool"]


@dataclass(frozen=True, repr=False)
class MaxUnpool(Operator):
    """Max unpooling: ``c[i, j] = sum over p, q of a[p, q] * [z[p, q] = i*W + j]`` (0-based).

    The tensor z holds flat positions in the output plane of width W, counted from 0 row by row, as max pooling returns
    them. Where several entries have one position, as overlapping windows give, they add up, which makes this the
    transpose of max pooling; PyTorch keeps one of them, and does not say which.

    Args:
        kernel_size: the window of the max pooling, one entry a spatial axis; an int means `ndim` equal axes.
        stride: its stride; the window size where left out.
        padding: its padding, an int, one an axis or ``(before, after)`` pairs. Window, stride and padding only say how
            large the output is: ``s*(n - 1) + k - before - after``.
        ndim: the number of spatial axes where `kernel_size` is an int.

    >>> MaxUnpool(2).output_size((3, 3))
    (6, 6)
    """

    kernel_size: Any
    stride: Any = None
    padding: Any = 0
    _: KW_ONLY
    ndim: int = 2

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "kernel_size", axes_of("kernel_size", self.kernel_size, self.ndim))
        put(self, "ndim", len(self.kernel_size))
        put(self, "stride", per_axis("stride", self.kernel_size if self.stride is None else self.stride, self.ndim, 1))
        put(self, "padding", padding_pairs(self.padding, self.ndim, named=False))

    @property
    def noun(self) -> str:
        return "max unpooling"

    # ------------------------------------------------------------------ sizes

    @property
    def windows(self) -> tuple[Window, ...]:
        """The windows of the max pooling."""
        options = zip(self.kernel_size, self.stride, self.padding, strict=True)
        return tuple(Window(k, s, before, after) for k, s, (before, after) in options)

    def count(self, axis: int, size: Index) -> Index:
        """``s*(n - 1) + k - before - after``."""
        window = self.windows[axis]
        before, after = window.padding(size)
        return window.s * (size - 1) + window.k - before - after

    def facts(self, axis: int, size: Index) -> list[Guard]:
        """There is an output."""
        return [nonnegative(self.count(axis, size) - 1)]

    def axis_output_size(self, axis: int, n: Integer) -> Integer:
        symbols: dict[str, Any] = {}
        for value in (self.kernel_size[axis], self.stride[axis], *self.padding[axis]):
            to_index(value, symbols, "kernel_size")
        count = self.count(axis, to_index(n, symbols, "input_size"))
        if count.value is None:
            return index_to_sympy(count, SymbolTable(symbols))
        if count.value < 1:
            raise GeometryError(
                "padding", self.padding, f"must leave an output: on axis {axis} an input of {n} gives {count.value}"
            )
        return count.value

    # ------------------------------------------------------------------ the formula

    def _reads(self) -> tuple[str, ...]:
        return ("input", "position")

    def axes(self, role: str, geometry: Geometry, *, primed: bool = False) -> tuple[Axis, ...]:
        if role in ("input", "position"):
            return named_axes(geometry.letters.axes("input", self.ndim), geometry.sizes)
        return named_axes(geometry.letters.axes("output", self.ndim), geometry.outputs)

    def body(self, geometry: Geometry) -> Node:
        inputs, outputs = self.axes("input", geometry), self.axes("output", geometry)
        flat = Index.of(0)
        for axis in outputs:
            flat = flat * axis.extent + axis.index
        at = tuple(axis.index for axis in inputs)
        here = Compare(Access(geometry.letters.position, at), "=", Scalar(flat))
        entry = product(Access(geometry.letters.input, at), here)
        return summation(entry, *(axis.bound for axis in inputs))
