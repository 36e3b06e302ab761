"""The promise of the plan "fft": transforms are bounded by norms, so that small results of a tile share its error."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log2, prod, sqrt
from typing import ClassVar

import numpy as np

from symconv.kernels.accuracy.magnitudes import Magnitudes
from symconv.kernels.accuracy.promise import HIGHAM, Error, TaskPromise
from symconv.kernels.accuracy.sums import SumOfProducts
from symconv.kernels.accuracy.units import enlarged
from symconv.kernels.form.tapform import TapForm
from symconv.kernels.plans.rows import plane
from symconv.kernels.plans.spectral import SpectralEngine, tiles_of
from symconv.kernels.runtime.geometry import Line
from symconv.kernels.runtime.padding import Array

__all__ = ["STAGE", "ProductOfSpectra", "roundings_of"]

STAGE = {2: 10, 3: 21, 5: 28}
"""What a factor of the length of a transform costs at most, in unit roundoffs of the 2-norm.

A stage is a small transform of each group of entries and a product with twiddle factors. That product is off by
sqrt(5) (Brent, Percival and Zimmermann, Math. Comp. 76, 2007), and by 6.3 for the factors themselves: each is computed
in float64, as a product of two entries of tables that the C library is within an ulp of. The small transform of 2, and
of 4 and 8 by way of it, adds: one unit each; of 8 a product with sqrt(1/2), within 14.6 in all. That of 3 sends no
entry through more than 5 roundings, that of 5 through 6: the absolute matrix, by its Frobenius norm, then costs
5*sqrt(6) and 6*sqrt(10).
"""

SCALE = 4
"""The factor ``1/sqrt(n)`` of a transform: a root, a reciprocal and a product."""


def roundings_of(length: int) -> int:
    """What a transform of a length with no prime factor above 5 costs, in unit roundoffs of the 2-norm.

    >>> roundings_of(1), roundings_of(8), roundings_of(30)
    (0, 34, 63)
    """
    if length == 1:
        return 0
    cost, rest = SCALE, length
    for prime, each in STAGE.items():
        while rest % prime == 0:
            rest //= prime
            cost += each
    assert rest == 1, length
    return cost


@dataclass(frozen=True)
class ProductOfSpectra(TaskPromise):
    """``gamma(n) * |a| |b|`` with the 2-norms of the entries of a tile and of the kernel.

    Two transforms change their results by at most so many units of their 2-norm, which a unitary transform keeps; the
    product of two spectra, in the norm that adds up absolute values, is at most the product of their 2-norms; and an
    entry of the transform back is at most that sum. So n adds up three transforms, a product, and the conjugation.

    Attributes:
        direct: the promise of direct sums: what is not finite is computed again by them.
        shape: the rows and columns of a tile.
        tiles: how many tiles are added up before the transform back, for the gradient of the weight; else 1.
        further: roundings of the bias, and of arguments.
    """

    direct: SumOfProducts
    shape: tuple[int, int]
    tiles: int
    further: int

    source: ClassVar[str] = (
        f"the FFT stage by stage, as in {HIGHAM}, theorem 24.2, with constants for the radices 2, 3, 4, 5 and 8; a "
        "product of spectra as in Brent, Percival and Zimmermann, Math. Comp. 76, 2007, theorem 5.1"
    )

    @property
    def roundings(self) -> int:
        """n."""
        return 3 * sum(map(roundings_of, self.shape)) + 3 + 3 + self.tiles - 1 + self.further

    @property
    def constant(self) -> float:
        return self.unit.gamma(self.roundings)

    @property
    def _small(self) -> int:
        """What underflow in a transform adds to its 2-norm, in ``u*ω``: 12 products an entry and stage are too many."""
        entries = prod(self.shape)
        return ceil(12 * (log2(entries) + 1) * sqrt(entries)) + 1

    @property
    def formula(self) -> str:
        entry, other = {"output": ("a", "b"), "input": ("g", "b"), "weight": ("a", "g")}[self.direct.task]
        tile = f"{self.shape[0]}x{self.shape[1]}"
        norms = f"‖{entry}‖‖{other}‖ + {self._small}ω(‖{entry}‖ + ‖{other}‖ + 2)"
        if self.direct.task == "weight":
            norms = f"∑({norms})"
        bias = " + |d|" if self.direct.bias else ""
        return f"γ({self.roundings})·({norms}{bias}), 2-norms over a tile of {tile}, and at least {self.direct.formula}"

    def error(self, magnitudes: Magnitudes) -> Error:
        engine = _NormEngine(magnitudes.form, np.dtype(self.unit.name).itemsize, self._small * self.unit.w)
        layout, task = magnitudes.layout, self.direct.task
        if task == "output":
            size = engine.forward(magnitudes.x, layout, magnitudes.sizes, np.float64)
        else:
            assert magnitudes.upstream is not None
            if task == "input":
                size = engine.input_gradient(magnitudes.upstream, magnitudes.x, layout, magnitudes.sizes)
            else:
                size = engine.weight_gradient(magnitudes.upstream, magnitudes.x, layout, magnitudes.sizes)
        direct = self.direct.error(magnitudes)
        error = self.constant * enlarged(size, prod(self.shape) + self.tiles)
        return Error(np.maximum(error, direct.error), direct.size, direct.largest)


class _NormEngine(SpectralEngine):
    """The products of norms, tile by tile as an engine for numbers of another size takes them."""

    def __init__(self, form: TapForm, itemsize: int, small: float) -> None:
        super().__init__(form, None)
        self.itemsize, self.small = itemsize, small

    def _product(self, one: Array, other: Array) -> Array:
        lengths = [np.sqrt(np.square(array).sum(axis=(-2, -1))) for array in (one, other)]
        return np.asarray(lengths[0] * lengths[1] + self.small * (lengths[0] + lengths[1] + 2))

    def correlate(self, x: Array, weight: Array, lines: tuple[Line, ...], out: Array, *, turned: bool = False) -> None:
        images, *axes = plane(x, lines)
        _, tiles = tiles_of((axes[0], axes[1]), self.itemsize)
        kernels = weight.reshape(len(weight), axes[0].taps, axes[1].taps)
        y = out.reshape(*images.shape[:2], axes[0].outputs, axes[1].outputs)
        for tile in tiles:
            y[..., *tile.outputs] = self._product(images[..., *tile.source], kernels)[..., None, None]

    def contract(self, x: Array, g: Array, lines: tuple[Line, ...]) -> Array:
        images, *axes = plane(x, lines)
        _, tiles = tiles_of((axes[0], axes[1]), self.itemsize)
        upstream = g.reshape(*images.shape[:2], axes[0].outputs, axes[1].outputs)
        total = np.zeros(images.shape[1])
        for tile in tiles:
            total += self._product(images[..., *tile.source], upstream[..., *tile.outputs]).sum(axis=0)
        shape = (x.shape[1], 1, 1, *(line.taps for line in lines))
        return np.broadcast_to(total.reshape(-1, *[1] * (len(shape) - 1)), shape)
