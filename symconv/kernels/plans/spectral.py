"""One channel at a time by the convolution theorem: a correlation is a product of spectra, tile by tile (overlap-save).

A tile of t entries gives ``t - reach`` outputs that no entry wraps around into; tiles overlap by the reach of the
kernel. The spectrum of a bound weight is kept. (A. Oppenheim and R. Schafer, "Discrete-Time Signal Processing", section
8.7.3.)

Why tiles: a transform of the whole image costs a logarithm of its size for every entry and leaves the cache, one of the
kernel's size is mostly overlap; `tiles_of` takes the cheapest by the measured times. Why one channel at a time: over
many channels sums of taps are matrix products, which are faster anyway. Why a tile that is not finite is computed
again: one infinity is in every entry of a spectrum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from math import ceil, log2, prod
from typing import TYPE_CHECKING, Any

import numpy
import numpy as np

from symconv.derivations.step import Derivation, Maths, Stage, Step
from symconv.formulas.index import Index, quotient
from symconv.kernels.arrays.windows import PREPARED
from symconv.kernels.form.reading import Walk
from symconv.kernels.form.tapform import TapForm
from symconv.kernels.plans.rewriting import EVERYWHERE, ZERO, LayerFormula, put, read_of
from symconv.kernels.plans.rows import ONE_ROW, RowsEngine, no_single_channel, plane
from symconv.kernels.runtime.cost import Estimate, calls, passes
from symconv.kernels.runtime.engine import ConvEngine, source_of
from symconv.kernels.runtime.geometry import Line, adjoint_lines, lines_of
from symconv.kernels.runtime.padding import Array
from symconv.kernels.runtime.plan import CallShape, Plan, Task
from symconv.kernels.runtime.workspace import Workspace

if TYPE_CHECKING:
    from symconv.operators.base import Operator
    from symconv.proofs.verdict import Verdict

__all__ = ["SpectralPlan", "tiles_of"]

BUTTERFLY = {4: 0.46e-9, 8: 0.75e-9}
"""Measured, by the size of a number: seconds an entry of a tile and a binary digit of their count, there and back; a
`FAR` part more where the tile is larger than `NEAR` bytes."""
NEAR, FAR = 3 << 20, 0.15

ONE_LINE = 0.15e-6
"""Seconds a transform of a row or a column of no length, and `TILE_CALLS` calls of NumPy a tile."""
TILE_CALLS = 20

KEPT = 8
"""How many spectra of a bound weight are kept."""


def transform(entries: Array, rows: slice, spectrum: Array) -> None:
    """The spectrum of the rows of a tile that hold entries; the others are zero.

    With ``norm="ortho"`` NumPy transforms float32 in float32; by default it takes the factor 1 for an integer, and goes
    by way of float64.
    """
    spectrum[: rows.start] = 0
    spectrum[rows.stop :] = 0
    numpy.fft.rfft(entries, norm="ortho", out=spectrum[rows])
    if len(spectrum) > 1:
        numpy.fft.fft(spectrum, axis=0, norm="ortho", out=spectrum)


def transform_back(spectrum: Array, rows: int, tile: Array) -> Array:
    """The first rows of what has a spectrum, which is overwritten."""
    if len(spectrum) > 1:
        numpy.fft.ifft(spectrum, axis=0, norm="ortho", out=spectrum)
    found: Array = numpy.fft.irfft(spectrum[:rows], tile.shape[1], norm="ortho", out=tile[:rows])
    return found


def conjugate(spectrum: Array, entries: int) -> None:
    """The spectrum of a kernel becomes what spectra of tiles with so many entries are multiplied by to correlate."""
    spectrum *= float(entries) ** 0.5
    numpy.conjugate(spectrum, out=spectrum)


@dataclass(frozen=True)
class _Tile:
    """Where a tile stands: its outputs, the part of it that holds input, and which part of the input that is."""

    outputs: tuple[slice, slice]
    inside: tuple[slice, slice]
    source: tuple[slice, slice]

    @property
    def height(self) -> int:
        """How many rows of outputs it has."""
        return int(self.outputs[0].stop - self.outputs[0].start)

    @property
    def cropped(self) -> tuple[slice, slice]:
        """Where its outputs stand in it."""
        return slice(self.height), slice(self.outputs[1].stop - self.outputs[1].start)


@lru_cache(maxsize=256)
def _smooth(least: int) -> int:
    """The smallest number from `least` on with no prime factor above 5: transforms of such lengths are fast."""
    best = 1 << (least - 1).bit_length()  # a power of 2 may be nearly twice too long
    fives = 1
    while fives < best:
        threes = fives
        while threes < best:
            best = min(best, threes << max(0, ceil(log2(least / threes))))
            threes *= 3
        fives *= 5
    return best


def _seconds(rows: int, columns: int, itemsize: int) -> float:
    """The estimated time of a tile: transform, product, transform back."""
    entries = rows * columns
    butterflies = BUTTERFLY[itemsize] * entries * log2(max(entries, 2))
    far = FAR if entries * itemsize > NEAR else 0
    return butterflies * (1 + far) + ONE_LINE * (2 * rows + columns) + calls(TILE_CALLS)


def _cuts(line: Line) -> dict[int, int]:
    """How many outputs of an axis a tile may have, and how long it then is."""
    reach, found = line.step * (line.taps - 1), {}
    parts = 1
    while True:
        width = ceil(line.outputs / parts)
        found[width] = _smooth(width + reach)
        if width <= max(reach, 64):
            return found
        parts = max(parts + 1, parts * 5 // 4)


@lru_cache(maxsize=PREPARED)
def tiles_of(lines: tuple[Line, Line], itemsize: int) -> tuple[tuple[int, int], tuple[_Tile, ...]]:
    """The shape of a tile, and all tiles: those of the lowest estimate.

    Small tiles overlap more, large ones leave the cache, and lengths without large prime factors are not everywhere.
    """

    def estimate(widths: tuple[int, int]) -> float:
        tiles = prod(ceil(line.outputs / width) for line, width in zip(lines, widths, strict=True))
        return tiles * _seconds(tall[widths[0]], wide[widths[1]], itemsize)

    tall, wide = (_cuts(line) for line in lines)
    best = min(product(tall, wide), key=estimate)
    axes = []
    for line, width in zip(lines, best, strict=True):
        reach, firsts = line.step * (line.taps - 1), range(0, line.outputs, width)
        axes.append([_along(line, first, min(first + width, line.outputs), reach) for first in firsts])
    tiles = (_Tile(*zip(row, column, strict=True)) for row in axes[0] for column in axes[1])
    return (tall[best[0]], wide[best[1]]), tuple(tiles)


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
        images, *axes = plane(x, lines)
        shape, tiles = tiles_of((axes[0], axes[1]), out.itemsize)
        if len(self._spectra) >= KEPT:
            self._spectra.clear()

        def transformed(given: Array) -> list[Array]:
            kernels = _spread(given.reshape(len(given), axes[0].taps, axes[1].taps), axes)
            spectra = [np.empty((shape[0], shape[1] // 2 + 1), _complex(out.dtype)) for _ in kernels]
            for kernel, spectrum in zip(kernels, spectra, strict=True):
                rows, columns = map(slice, kernel.shape)
                every = slice(None), slice(None)
                transform(_filled(kernel, (rows, columns), every, np.empty(shape, out.dtype)), rows, spectrum)
                conjugate(spectrum, prod(shape))
            return spectra

        spectra = self.kept(self._spectra, (turned, shape, weight.dtype), weight, transformed)
        y, total = out.reshape(*images.shape[:2], axes[0].outputs, axes[1].outputs), 0.0
        with Workspace(out.dtype) as work:
            room = work.array("tile", shape)
            product = work.array("product", (shape[0], shape[1] // 2 + 1), _complex(out.dtype))
            for item, result in zip(images, y, strict=True):
                for image, outputs, spectrum in zip(item, result, spectra, strict=True):
                    for tile in tiles:
                        transform(_filled(image, tile.inside, tile.source, room), tile.inside[0], product)
                        numpy.multiply(product, spectrum, out=product)
                        found = transform_back(product, tile.height, room)
                        outputs[tile.outputs] = cropped = found[tile.cropped]
                        total += float(cropped.sum())
        if not np.isfinite(total):  # one NaN or infinity is in every entry of the spectrum of its tile
            self._direct.correlate(x, weight, lines, out, turned=turned)

    def contract(self, x: Array, g: Array, lines: tuple[Line, ...]) -> Array:
        images, *axes = plane(x, lines)
        shape, tiles = tiles_of((axes[0], axes[1]), g.itemsize)
        upstream = g.reshape(*images.shape[:2], axes[0].outputs, axes[1].outputs)
        spans = [line.step * (line.taps - 1) + 1 for line in axes]
        picked = tuple(slice(0, span, line.step) for span, line in zip(spans, axes, strict=True))
        total = np.empty((x.shape[1], 1, 1, *(line.taps for line in lines)), g.dtype)
        with Workspace(g.dtype) as work:
            room = work.array("tile", shape)
            names = ("product", "kernel", "sum")
            product, kernel, spectrum = (
                work.array(name, (shape[0], shape[1] // 2 + 1), _complex(g.dtype)) for name in names
            )
            for channel in range(x.shape[1]):
                spectrum.fill(0)
                for image, above in zip(images[:, channel], upstream[:, channel], strict=True):
                    for tile in tiles:
                        transform(_filled(image, tile.inside, tile.source, room), tile.inside[0], product)
                        transform(_filled(above, tile.cropped, tile.outputs, room), tile.cropped[0], kernel)
                        conjugate(kernel, prod(shape))
                        numpy.multiply(product, kernel, out=product)
                        numpy.add(spectrum, product, out=spectrum)
                found = transform_back(spectrum, spans[0], room)
                total[channel, 0, 0] = found[picked].reshape(total.shape[3:])
        return total if np.isfinite(total.sum()) else self._direct.contract(x, g, lines)

    @property
    def source(self) -> str:
        return source_of(transform, conjugate, transform_back)

    @property
    def stages(self) -> tuple[str, ...]:
        return (
            f"the spectrum of the kernel, {'kept' if self.bound else 'computed in every call'}",
            "tiles that overlap by the reach of the kernel: transform, multiply, transform back, crop",
        )


def _complex(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return np.result_type(dtype, np.complex64)


def _spread(kernels: Array, lines: Sequence[Line]) -> Array:
    """Kernels with the zeros of a dilation between their taps."""
    if all(line.step == 1 for line in lines):
        return kernels
    spread = np.zeros((len(kernels), *(line.step * (line.taps - 1) + 1 for line in lines)), kernels.dtype)
    spread[(slice(None), *(slice(None, None, line.step) for line in lines))] = kernels
    return spread


def _filled(image: Array, inside: tuple[slice, slice], source: tuple[slice, slice], room: Array) -> Array:
    """The rows of a tile that hold input, in their whole length: a view where there is nothing to fill up or convert.

    NumPy fills up rows that are too short, in twice the time.
    """
    entries, columns = image[source], inside[1]
    if entries.shape[1] == room.shape[1] and entries.dtype == room.dtype:
        return entries
    rows = room[: len(entries)]
    rows[:, : columns.start] = 0
    rows[:, columns] = entries
    rows[:, columns.stop :] = 0
    return rows


class SpectralPlan(Plan):
    """Overlap-save: tiles are transformed, multiplied by the spectrum of the kernel, and transformed back."""

    name = "fft"
    integers = False
    error = "in proportion to the largest output of a tile, growing with the logarithm of its size"

    def refusal(self, form: TapForm, weight: Array | None) -> str | None:
        why = no_single_channel(form)
        if why is None and any(walk.stride > 1 for walk in form.walks):
            return "needs stride 1"
        return why

    def cost(self, form: TapForm, call: CallShape, task: Task) -> Estimate | None:
        lines = lines_of(call.layout)
        if task == "input":
            lines = adjoint_lines(lines)
        size = call.dtype.itemsize
        shape, tiles = tiles_of((lines[0], lines[1]) if len(lines) == 2 else (ONE_ROW, lines[0]), size)
        entries, channels = prod(shape), form.layer.groups
        transforms = 1.0 if task != "weight" else 1.5
        count = call.batch * channels * len(tiles)
        butterflies = int(entries * log2(max(entries, 2)))
        spectra = 0 if call.weight is not None and task != "weight" else channels
        seconds = (count * transforms + spectra / 2) * _seconds(*shape, size) + calls(20)
        seconds += count * passes(3 * entries, call.dtype)
        moved = count * entries * size * 8
        return Estimate(seconds, int(count * transforms) * butterflies, moved, entries * size * (3 + spectra))

    def engine(self, form: TapForm, weight: Array | None) -> SpectralEngine:
        return SpectralEngine(form, weight)

    def rewrites(self, op: Operator) -> Derivation:
        return spectral_derivation(op)


# ---------------------------------------------------------------------- the rewrite


def spectral_derivation(op: Operator) -> Derivation:
    """Overlap-save: within a tile the sum may wrap around, and a sum that wraps around is a product of spectra."""
    layer = LayerFormula(op)
    ndim = len(layer.places)
    whole, tiles, held = layer.tiled(tuple(Index.of("W" if ndim == 1 else f"W_{n}") for n in range(1, ndim + 1)))
    cut = Step(
        "1", whole, tiles, "recognise", "Cut", ("the outputs into tiles that overlap in what they read.",), opens=True
    )
    wraps = [_wrapped(walk, number) for number, walk in enumerate(layer.form.walks, 2)]
    return Derivation(
        "A convolution of one channel by the convolution theorem",
        ("Outputs are computed a tile at a time; a tile is transformed, multiplied, and transformed back.",),
        ZERO,
        (held,),
        (
            Stage(("Tiles",), EVERYWHERE, (cut,)),
            Stage(
                ("A tile",),
                ("for every tile length T from the reach of the kernel on, and every output of the tile",),
                (*wraps, _transform(wraps[-1])),
            ),
        ),
    )


def _wrapped(walk: Walk, number: int) -> Step:
    """Along one axis: a sum that wraps around the tile reads the same, as no output reads beyond its end."""
    from symconv.operators.convolution import Conv

    line = Conv((walk.taps,), dilation=abs(walk.step), flip=walk.step != abs(walk.step)).output()
    access = read_of(line.body, line)
    (place,) = access.index
    (size,) = (Index.of(name) for name in line.sizes)
    cyclic = put(line, access, replace(access, index=(place - size * quotient(place, size),)))
    return Step(
        str(number),
        line,
        cyclic,
        "number",
        "Wrap around",
        ("the tile, whose length is that of the input here: its outputs read no entry beyond its end.",),
        uses=("1",),
        opens=True,
    )


def _transform(wrapped: Step) -> Step:
    return Step(
        str(int(wrapped.id) + 1),
        wrapped.after,
        wrapped.after,
        "interpolate",
        "Transform",
        (
            "both factors: at the roots of unity w^k a sum that wraps around is a product of values, and the values "
            "give the sum back because the sum over k of w^(kj) is T for j = 0 and 0 for every other j below T.",
        ),
        uses=(wrapped.id,),
        opens=True,
        shown=(
            Maths(r"\sum_k w^{k j}", "Σ_k w^(kj)"),
            "=",
            Maths(r"T \text{ if } j = 0 \text{ else } 0", "T if j = 0 else 0"),
        ),
        check=_orthogonality,
    )


ORDER = 12
"""The length of the tile at which the roots of unity are summed exactly."""


def _orthogonality() -> Verdict:
    """Sum the powers of a primitive root of unity of order 12 exactly, as polynomials modulo the one that it solves."""
    from sympy import Poly, cyclotomic_poly
    from sympy.abc import x

    from symconv.proofs.verdict import Verdict, VerdictScope

    modulus = Poly(cyclotomic_poly(ORDER, x), x)
    for shift in range(ORDER):
        total = Poly(sum(x ** (k * shift % ORDER) for k in range(ORDER)), x).rem(modulus)
        if total != Poly(ORDER if shift == 0 else 0, x):
            return Verdict("undecided", explanation=f"the powers of w^{shift} do not add up")
    return Verdict(
        "exact",
        scope=VerdictScope((), (("T", ORDER),)),
        explanation=f"summed exactly for T = {ORDER}; for every T, (w^j - 1) times the sum is w^(jT) - 1 = 0",
        method="polynomial identity",
        sizes=1,
    )
