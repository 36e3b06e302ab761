"""One channel at a time by the convolution theorem: a correlation is a product of spectra, tile by tile (overlap-save).

A tile of t entries gives ``t - reach`` outputs that no entry wraps around into; tiles overlap by the reach of the
kernel. The spectrum of a bound weight is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import ceil, log2, prod
from typing import TYPE_CHECKING, Any

import numpy
import numpy as np

from symconv.kernels.convolutions.rows import RowsEngine
from symconv.kernels.cost import Cost, calls, passes
from symconv.kernels.engine import ConvEngine, source_of
from symconv.kernels.geometry import Line, adjoint_lines, lines_of
from symconv.kernels.padding import Array
from symconv.kernels.plan import Call, Plan, Task
from symconv.kernels.tapform import TapForm

if TYPE_CHECKING:
    from symconv.derivations.step import Derivation
    from symconv.operators.base import Operator

__all__ = ["SpectralPlan"]

LONGEST = 1024
"""Measured: tiles of up to 1024 entries an axis; smaller ones overlap more, larger ones leave every cache."""

BUTTERFLY = 0.09e-9
"""Seconds a byte of the tile and a binary digit of its size, for a transform and its inverse."""

KEPT = 8
"""How many spectra of a bound weight are kept."""


def spectrum_of(kernel: Array, shape: tuple[int, ...]) -> Array:
    """The conjugate spectrum of a kernel: multiplying by it correlates."""
    spectrum = numpy.fft.rfftn(kernel, shape, axes=range(len(shape)), norm="ortho")
    spectrum *= float(numpy.prod(shape)) ** 0.5
    conjugate: Array = numpy.conjugate(spectrum, out=spectrum)
    return conjugate


def correlate_tile(tile: Array, spectrum: Array) -> Array:
    """The circular correlation of a tile with the kernel of a spectrum.

    With ``norm="ortho"`` NumPy transforms float32 in float32; by default it takes the factor 1 for an integer, and goes
    by way of float64.
    """
    axes = range(tile.ndim)
    product = numpy.fft.rfftn(tile, axes=axes, norm="ortho")
    product *= spectrum
    return numpy.fft.irfftn(product, tile.shape, axes=axes, norm="ortho")


@dataclass(frozen=True)
class _Tile:
    """Where a tile stands: its outputs, the part of it that holds input, and which part of the input that is."""

    outputs: tuple[slice, ...]
    inside: tuple[slice, ...]
    source: tuple[slice, ...]


@lru_cache(maxsize=256)
def _smooth(least: int) -> int:
    """The smallest number from `least` on with no prime factor above 5: transforms of such lengths are fast."""
    best = 1 << (least - 1).bit_length()
    fives = 1
    while fives < best:
        threes = fives
        while threes < best:
            best = min(best, threes << max(0, ceil(log2(least / threes))))
            threes *= 3
        fives *= 5
    return best


def _tiles(lines: tuple[Line, ...]) -> tuple[tuple[int, ...], list[_Tile]]:
    """The shape of a tile, and all tiles."""
    shape, axes = [], []
    for line in lines:
        reach = line.step * (line.taps - 1)
        longest = max(LONGEST, 2 * reach)
        parts = ceil(line.outputs / (longest - reach))
        width = ceil(line.outputs / parts)
        length = _smooth(width + reach)
        shape.append(length)
        axes.append(
            [_along(line, first, min(first + width, line.outputs), reach) for first in range(0, line.outputs, width)]
        )
    return tuple(shape), [_Tile(*(tuple(parts) for parts in zip(*choice, strict=True))) for choice in product(*axes)]


def _along(line: Line, first: int, stop: int, reach: int) -> tuple[slice, slice, slice]:
    begin, end = first - line.before, stop + reach - line.before
    low, high = min(max(begin, 0), line.size), max(0, min(end, line.size))
    high = max(low, high)
    return slice(first, stop), slice(low - begin, high - begin), slice(low, high)


class SpectralEngine(ConvEngine):
    """Tiles of one channel after the other; a tile that is not finite is left to sums of taps."""

    def __init__(self, form: TapForm, weight: Array | None) -> None:
        super().__init__(form, weight)
        self._spectra: dict[Any, list[Array]] = {}
        self._direct = RowsEngine(form, weight)

    def correlate(self, x: Array, weight: Array, lines: tuple[Line, ...], out: Array, *, turned: bool = False) -> None:
        shape, tiles = _tiles(lines)
        if len(self._spectra) >= KEPT:
            self._spectra.clear()

        def transform(taps: Array) -> list[Array]:
            return [spectrum_of(kernel, shape) for kernel in _spread(taps[:, 0, 0], lines)]

        spectra = self.kept(self._spectra, (turned, shape, weight.dtype), weight, transform)
        buffer = np.zeros(shape, out.dtype)
        for item, result in zip(x[:, :, 0], out[:, :, 0], strict=True):
            for image, y, spectrum in zip(item, result, spectra, strict=True):
                for tile in tiles:
                    found = correlate_tile(_place(buffer, image, tile), spectrum)
                    y[tile.outputs] = found[tuple(slice(part.stop - part.start) for part in tile.outputs)]
        if not np.isfinite(out.sum()):  # one NaN or infinity is in every entry of the spectrum of its tile
            self._direct.correlate(x, weight, lines, out, turned=turned)

    def contract(self, x: Array, g: Array, lines: tuple[Line, ...]) -> Array:
        shape, tiles = _tiles(lines)
        axes = range(len(shape))
        taps = tuple(line.taps for line in lines)
        picked = tuple(slice(0, line.step * (line.taps - 1) + 1, line.step) for line in lines)
        total = np.empty((x.shape[1], 1, 1, *taps), g.dtype)
        buffer, upstream = np.zeros(shape, g.dtype), np.zeros(shape, g.dtype)
        for channel in range(x.shape[1]):
            spectrum: Any = 0
            for image, above in zip(x[:, channel, 0], g[:, channel, 0], strict=True):
                for tile in tiles:
                    part = above[tile.outputs]
                    upstream.fill(0)
                    upstream[tuple(map(slice, part.shape))] = part
                    entries = np.fft.rfftn(_place(buffer, image, tile), axes=axes, norm="ortho")
                    spectrum = spectrum + entries * spectrum_of(upstream, shape)
            found = np.fft.irfftn(spectrum, shape, axes=axes, norm="ortho") if len(x) else np.zeros(shape, g.dtype)
            total[channel, 0, 0] = found[picked]
        return total if np.isfinite(total.sum()) else self._direct.contract(x, g, lines)

    @property
    def source(self) -> str:
        return source_of(spectrum_of, correlate_tile)

    @property
    def gradient_source(self) -> str:
        return self.source

    @property
    def stages(self) -> tuple[str, ...]:
        return (
            f"the spectrum of the kernel, {'kept' if self.bound else 'computed in every call'}",
            f"tiles of at most {LONGEST} entries an axis: transform, multiply, transform back, crop",
        )


def _spread(kernels: Array, lines: tuple[Line, ...]) -> Array:
    """Kernels with the zeros of a dilation between their taps."""
    if all(line.step == 1 for line in lines):
        return kernels
    spread = np.zeros((len(kernels), *(line.step * (line.taps - 1) + 1 for line in lines)), kernels.dtype)
    spread[(slice(None), *(slice(None, None, line.step) for line in lines))] = kernels
    return spread


def _place(buffer: Array, image: Array, tile: _Tile) -> Array:
    """The entries of a tile, 0 outside of the input."""
    if any(part.start > 0 or part.stop < size for part, size in zip(tile.inside, buffer.shape, strict=True)):
        buffer.fill(0)
    buffer[tile.inside] = image[tile.source]
    return buffer


class SpectralPlan(Plan):
    """Overlap-save: tiles are transformed, multiplied by the spectrum of the kernel, and transformed back."""

    name = "fft"
    integers = False
    error = "about 3e-7 (float32) and 4e-16 (float64) of the largest output of a tile, whatever the size of the kernel"

    def refusal(self, form: TapForm, weight: Array | None) -> str | None:
        channels = form.channels
        if channels is None or len(form.walks) > 2:
            return "needs a convolution along one or two axes"
        if channels.per_group_in != 1 or channels.per_group_out != 1:
            return "needs one input and one output channel a group"
        if any(walk.stride > 1 for walk in form.walks):
            return "needs stride 1"
        return None

    def cost(self, form: TapForm, call: Call, task: Task) -> Cost | None:
        assert form.channels is not None
        lines = lines_of(call.layout)
        if task == "input":
            lines = adjoint_lines(lines)
        shape, tiles = _tiles(lines)
        entries, channels = prod(shape), form.channels.groups
        transforms = 1.0 if task != "weight" else 1.5
        count = call.batch * channels * len(tiles)
        butterflies = entries * log2(max(entries, 2))
        spectra = 0 if call.weight is not None and task != "weight" else channels
        size = call.dtype.itemsize
        seconds = (count * transforms + spectra / 2) * (BUTTERFLY * butterflies * size + calls(30))
        seconds += count * passes(3 * entries, call.dtype)
        moved = count * entries * size * 8
        return Cost(seconds, int(count * transforms * butterflies), moved, entries * size * (3 + spectra))

    def engine(self, form: TapForm, weight: Array | None) -> SpectralEngine:
        return SpectralEngine(form, weight)

    def derivation(self, op: Operator) -> Derivation:
        from symconv.kernels.convolutions.certificates import spectral_derivation

        return spectral_derivation(op)
