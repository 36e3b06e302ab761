"""The kernel of flattening: an array seen as a vector, where its entries lie in that order, else copied into it."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from symconv.kernels.accuracy.units import Unit
from symconv.kernels.adapters.planes import PlaneKernel
from symconv.kernels.runtime.padding import Array
from symconv.operators.flatten import Flatten

if TYPE_CHECKING:
    from symconv.formulas.algebra import Node
    from symconv.formulas.formula import Formula
    from symconv.kernels.accuracy.entries import SumOfEntries

__all__ = ["FlattenKernel"]


def flattened(x: Array, last: bool) -> Array:
    """Arrays ``(N, C, *spatial)`` as vectors; with `last` the channels of a position stand next to each other."""
    ordered = np.moveaxis(x, 1, -1) if last else x
    return ordered.reshape(len(x), prod(x.shape[1:]))


def restored(g: Array, shape: tuple[int, ...], last: bool) -> Array:
    """The transpose of `flattened`: vectors as arrays of a shape."""
    if not last:
        return g.reshape(shape)
    return np.ascontiguousarray(np.moveaxis(g.reshape(shape[0], *shape[2:], shape[1]), -1, 1))


class FlattenKernel(PlaneKernel):
    """``kernel(x)``: the entries as a vector. Arrays are ``(N, C, *spatial)`` or ``(C, *spatial)``; types are kept."""

    op: Flatten
    name = "reshape"
    functions = (flattened,)
    gradient_functions = (restored,)
    stages = ("the entries of every array as one vector, without a copy where they lie in that order",)
    costs = "none"
    error = "nothing is rounded"

    def outputs(self, sizes: tuple[int, ...]) -> tuple[int, ...]:
        return (prod(sizes),)

    def forward(self, x: Array) -> Array:
        return flattened(x, self._last)

    def pull(self, g: Array, x: Array) -> Array:
        return restored(g, x.shape, self._last)

    def push(self, x: Array, tangent: Array) -> Array:
        return flattened(tangent, self._last)

    @property
    def _last(self) -> bool:
        return self.op.order == "channel-last"

    def promise(self, of: str, sizes: tuple[int, ...], compute: np.dtype[Any]) -> SumOfEntries:
        from symconv.kernels.accuracy.entries import SumOfEntries

        return SumOfEntries(Unit.of(compute), "|c|" if of == "output" else "|g|", 0, 1)

    def computed(self, output: Formula) -> Node:
        return output.body
