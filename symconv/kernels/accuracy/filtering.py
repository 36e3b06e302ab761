"""The promise of the Winograd plans: the sums of absolute values go through the absolute transforms."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import ceil
from typing import ClassVar

import numpy as np

from symconv.derivations.winograd.nested import kronecker
from symconv.derivations.winograd.toom_cook import cook_toom
from symconv.kernels.accuracy.magnitudes import Magnitudes
from symconv.kernels.accuracy.programs import held
from symconv.kernels.accuracy.promise import Error, TaskPromise
from symconv.kernels.accuracy.sums import SumOfProducts
from symconv.kernels.accuracy.units import enlarged
from symconv.kernels.arrays.minimal_filtering import Transforms, filter_tiles, filter_weight, transforms
from symconv.kernels.plans.winograd import WinogradEngine
from symconv.kernels.runtime.geometry import Line
from symconv.kernels.runtime.padding import Array
from symconv.kernels.runtime.plan import Task

__all__ = ["Filtering", "Transform", "transform_of"]


@dataclass(frozen=True)
class Transform:
    """One of the three matrices of minimal filtering, entries exact.

    Attributes:
        row, column: the most entries of a row, or of a column, that are not 0.
        least: the smallest of them in absolute value.
        rounded: 1 where some entry is not a number of the type, else 0.
        widest_row, widest_column: the largest sum of the absolute values of a row, or of a column.
    """

    row: int
    column: int
    least: Fraction
    rounded: int
    widest_row: Fraction
    widest_column: Fraction


@lru_cache(maxsize=32)
def transform_of(m: int, taps: tuple[int, ...], name: str, digits: int) -> Transform:
    """The matrix "G", "BT" or "AT" of F(m, r) on every axis, in a type with so many binary digits."""
    axes = [cook_toom(m, r) for r in taps]
    rows = kronecker([getattr(axis, name) for axis in axes])
    columns = list(zip(*rows, strict=True))
    entries = [entry for row in rows for entry in row if entry]
    return Transform(
        max(sum(entry != 0 for entry in row) for row in rows),
        max(sum(entry != 0 for entry in column) for column in columns),
        min(map(abs, entries)),
        int(not all(held(entry, digits) for entry in entries)),
        max(sum(map(abs, row), Fraction(0)) for row in rows),
        max(sum(map(abs, column), Fraction(0)) for column in columns),
    )


@dataclass(frozen=True)
class Filtering(TaskPromise):
    """``gamma(n) * |A|(|G||b| . |B||a|)``: the transforms of the absolute values, by the absolute matrices.

    Each product of an entry of a matrix, one of the kernel and one of the input takes part in a rounding for every
    entry of a row of the matrix on its way through each transform, in one for every channel that is summed, and in one
    for each matrix that is rounded itself.

    Attributes:
        direct: the promise of direct sums: results that are not finite are computed again by them.
        m: outputs of a tile along an axis.
        taps: the taps of every axis.
        terms: the channels that are summed; for the gradient of the weight, the tiles.
        further: roundings of the bias, and of arguments.
    """

    direct: SumOfProducts
    m: int
    taps: tuple[int, ...]
    terms: int
    further: int

    source: ClassVar[str] = (
        "Barabasz, Anderson, Soodhalter, Gregg, ACM TOMS 46(4), 2020, section 3, entry by entry and with the sums of "
        "these matrices in any order"
    )

    @property
    def task(self) -> Task:
        """What is computed."""
        return self.direct.task

    def _transform(self, name: str) -> Transform:
        return transform_of(self.m, self.taps, name, self.unit.digits)

    @property
    def roundings(self) -> int:
        """n."""
        kernel, inside, outside = (self._transform(name) for name in ("G", "BT", "AT"))
        of_kernel, of_outside = kernel.row, outside.row
        if self.task == "weight":
            of_kernel, of_outside = kernel.column, outside.column
        matrices = kernel.rounded + inside.rounded + outside.rounded
        return of_kernel + inside.row + of_outside + matrices + self.terms + self.further

    @property
    def constant(self) -> float:
        return self.unit.gamma(self.roundings)

    @property
    def formula(self) -> str:
        n, bias = self.roundings, " + |d|" if self.direct.bias else ""
        products = {
            "output": "|A|∑(|G||b|)(|B||a|)",
            "input": "|A|∑(|G||b|)(|B||g|)",
            "weight": "|G|∑(|A||g|)(|B||a|)",
        }[self.task]
        own = f"γ({n})·({products}{bias} + {self._small}ω)"
        return f"{own}, and at least {self.direct.formula}, with the matrices of F({self.m}, {self.taps[0]})"

    @property
    def _small(self) -> int:
        """What underflow of the products and of the last transform adds up to, in ω; for the others see `error`."""
        if self.task == "weight":
            last = self._transform("G")
            return ceil(self.terms * last.widest_column) + last.column
        last = self._transform("AT")
        return ceil(self.terms * last.widest_row) + last.row

    def error(self, magnitudes: Magnitudes) -> Error:
        # a product with an entry of a matrix that underflows loses at most u*w, which such a summand pays for
        kernel, inside, outside = (self.unit.w / float(self._transform(name).least) for name in ("G", "BT", "AT"))
        weight, x, layout = magnitudes.sizes["weight"] + kernel, magnitudes.x + inside, magnitudes.layout
        engine = _AbsoluteEngine(magnitudes.form, None, self.m)
        if self.task == "output":
            size = engine.forward(x, layout, {**magnitudes.sizes, "weight": weight}, np.float64)
        else:
            g = magnitudes.upstream
            assert g is not None
            if self.task == "input":
                size = engine.input_gradient(g + inside, x, layout, {"weight": weight})
            else:
                size = engine.weight_gradient(g + outside, x, layout, {})
        size = enlarged(size, self.roundings)
        direct = self.direct.error(magnitudes)
        error = self.constant * (size + self._small * self.unit.w)
        return Error(np.maximum(error, direct.error), direct.size, direct.largest)


class _AbsoluteEngine(WinogradEngine):
    """The transforms of absolute values by absolute matrices, in float64; infinite where that may overflow."""

    def _absolute(self, lines: tuple[Line, ...]) -> Transforms:
        found = copy(transforms((self.m,) * len(lines), tuple(line.taps for line in lines), "<f8"))
        found.kernel, found.input, found.output = map(np.abs, (found.kernel, found.input, found.output))
        return found

    def correlate(self, x: Array, weight: Array, lines: tuple[Line, ...], out: Array, *, turned: bool = False) -> None:
        t = self._absolute(lines)
        kernel: Array = np.matmul(t.kernel, weight.reshape(-1, t.kernel.shape[1]).T)
        if not filter_tiles(x, kernel.reshape(t.products, *weight.shape[:3]), lines, t, out):
            out.fill(np.inf)

    def contract(self, x: Array, g: Array, lines: tuple[Line, ...]) -> Array:
        t = self._absolute(lines)
        total = filter_weight(x, g, lines, t)
        weight: Array = np.matmul(total.reshape(t.products, -1).T, t.kernel)
        return weight.reshape(*total.shape[1:], *(line.taps for line in lines))
