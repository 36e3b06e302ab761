"""Max unpooling: `MaxUnpool` puts every entry back at the position that a max pooling took its maximum from."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Any

from symconv.errors import NotSupportedError
from symconv.formulas.algebra import Access, Compare, Node, Scalar, product, summation
from symconv.formulas.index import Index
from symconv.operators.frame import Axis, Geometry, named_axes
from symconv.operators.kinds import Padding
from symconv.operators.option import KERNEL_SIZE, PADDING, POOL_STRIDE
from symconv.operators.windowed import Spreading

__all__ = ["MaxUnpool"]

UNNAMED = replace(PADDING, kind=Padding(rules=()), words="the padding of the max pooling")


@dataclass(frozen=True, repr=False)
class MaxUnpool(Spreading):
    """Max unpooling: ``c[i, j] = sum over p, q of a[p, q] * [z[p, q] = i*W + j]`` (0-based).

    The tensor z holds flat positions in the output plane of width W, counted from 0 row by row, as max pooling returns
    them. Where several entries have one position, as overlapping windows give, they add up, which makes this the
    transpose of max pooling; PyTorch keeps one of them, and does not say which. Window, stride and padding only say
    how large the output is: ``s*(n - 1) + k - before - after``.

    >>> MaxUnpool(2).output_size((3, 3))
    (6, 6)
    """

    kernel_size: Any = field(metadata=KERNEL_SIZE.metadata)
    stride: Any = field(default=None, metadata=POOL_STRIDE.metadata)
    padding: Any = field(default=0, metadata=UNNAMED.metadata)
    _: KW_ONLY
    ndim: int = 2

    @property
    def noun(self) -> str:
        return "max unpooling"

    def fitted(self, shape: tuple[int, ...]) -> Any:
        """No layer of a network: it needs the positions of a max pooling as well."""
        raise NotSupportedError(f"{self!r} cannot stand in a network: it needs the positions of a max pooling as well")

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
