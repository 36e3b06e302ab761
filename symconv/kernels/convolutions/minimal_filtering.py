"""Winograd's minimal filtering on arrays: tiles, their three transforms as products with Kronecker matrices.

A tile of inputs becomes a column of q = prod(m + r - 1) entries, the transform of all tiles one product of matrices.
Then the q entries are independent: each is a product over channels. Channels stand innermost on the way in and the
entries of a tile on the way out, so that tiles are gathered and laid down in runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from math import prod

import numpy
import numpy.typing as npt
from numpy.lib.stride_tricks import as_strided

from symconv.derivations.winograd.nested import kronecker
from symconv.derivations.winograd.toom_cook import CookToom, cook_toom
from symconv.kernels.convolutions.scratch import scratch
from symconv.kernels.convolutions.windows import Cut, cuts, place
from symconv.kernels.geometry import Line
from symconv.kernels.padding import Array
from symconv.kernels.stages.blocks import Workspace

__all__ = [
    "Transforms",
    "add_channels",
    "filter_tiles",
    "filter_weight",
    "multiply_channels",
    "parts",
    "transform_products",
    "transform_tiles",
    "transform_upstream",
    "transforms",
]

BLOCK_BYTES = 3 << 20
"""Measured: the transformed tiles of a block, before and after the product, take 3 MiB."""
LEAST = 128
"""The fewest tiles of a block, for which it may be larger, up to `MOST_BYTES`."""
MOST_BYTES = 24 << 20


class Transforms:
    """The matrices of F(m, r) on every axis, multiplied out with Kronecker and rounded to a type.

    Attributes:
        m, r, a: outputs, taps and inputs of a tile, along every axis.
        kernel: ``(q, taps)``.
        input: ``(q, q)``.
        output: ``(q, outputs of a tile)``, transposed.
    """

    def __init__(self, axes: tuple[CookToom, ...], dtype: npt.DTypeLike) -> None:
        self.m = tuple(axis.m for axis in axes)
        self.r = tuple(axis.r for axis in axes)
        self.a = tuple(axis.size for axis in axes)

        def matrix(name: str) -> Array:
            rows = kronecker([getattr(axis, name) for axis in axes])
            return numpy.array([[float(entry) for entry in row] for row in rows], dtype)

        self.kernel, self.input = matrix("G"), matrix("BT")
        self.output = numpy.ascontiguousarray(matrix("AT").T)

    @property
    def products(self) -> int:
        """How many products a tile takes: q."""
        return prod(self.a)


@lru_cache(maxsize=32)
def transforms(m: tuple[int, ...], r: tuple[int, ...], dtype: str) -> Transforms:
    """The transforms of F(m, r) in a type."""
    return Transforms(tuple(cook_toom(*axis) for axis in zip(m, r, strict=True)), dtype)


def transform_tiles(tiles: Array, matrix: Array, gathered: Array, inside: Array) -> None:
    """The transform of tiles ``(*a, batch, *counts, groups * channels)``: ``(q, q) @ (q, entries of all tiles)``."""
    gathered[...] = tiles
    numpy.matmul(matrix, gathered.reshape(len(matrix), -1), out=inside)


def multiply_channels(kernel: Array, inside: Array, products: Array) -> None:
    """For every q: ``(groups, f, channels) @ (tiles, groups, channels)``, channels summed: ``(groups, f, tiles)``."""
    numpy.matmul(kernel, inside.transpose(0, 2, 3, 1), out=products)


def transform_products(products: Array, matrix: Array, outside: Array) -> None:
    """The outputs of the tiles: ``(groups * f * tiles, q) @ (q, outputs of a tile)``."""
    numpy.matmul(products.reshape(len(matrix), -1).T, matrix, out=outside)


def transform_upstream(upstream: Array, matrix: Array, products: Array) -> None:
    """The adjoint of `transform_products`: ``(q, outputs of a tile) @ (outputs of a tile, groups * f * tiles)``."""
    numpy.matmul(matrix, upstream.T, out=products.reshape(len(matrix), -1))


def add_channels(products: Array, inside: Array, partial: Array, total: Array) -> None:
    """Add to the gradient of the transformed kernel, for all q: ``(groups, f, tiles) @ (tiles, groups, channels)``."""
    numpy.matmul(products, inside.transpose(0, 2, 1, 3), out=partial)
    numpy.add(total, partial, out=total)


def _inside(tiles: Array, groups: int, t: Transforms, work: Workspace) -> Array:
    """The transformed tiles ``(q, tiles, groups, channels)``."""
    gathered = work.array("tiles", tiles.shape)
    inside = work.array("inside", (t.products, gathered.size // t.products))
    transform_tiles(tiles, t.input, gathered, inside)
    return inside.reshape(t.products, -1, groups, tiles.shape[-1] // groups)


def filter_tiles(x: Array, kernel: Array, lines: tuple[Line, ...], t: Transforms, out: Array) -> bool:
    """Write the correlation with a weight; False, and the work is left undone, where something is not finite.

    Args:
        x: ``(batch, groups, channels, *sizes)``; 0 outside of its sizes.
        kernel: the transformed weight ``(q, groups, f, channels)``.
        lines: how each spatial axis is read, with stride and step 1.
        t: the transforms.
        out: ``(batch, groups, f, *outputs)``, contiguous.
    """
    with scratch(out.dtype) as work:
        groups, f, channels = kernel.shape[1:]
        planes = out.reshape(len(out), groups * f, *out.shape[3:])
        for tiles, items, where, counts in _parts(x, lines, (groups, f, channels), t, work):
            inside = _inside(tiles, groups, t, work)
            products = work.array("products", (t.products, groups, f, inside.shape[1]))
            multiply_channels(kernel, inside, products)
            outside = work.array("outside", (products[0].size, t.output.shape[1]))
            transform_products(products, t.output, outside)
            if not numpy.isfinite(outside.sum()):
                return False
            target = planes[items][:, :, where]
            whole = (*target.shape[:2], *(c * m for c, m in zip(counts, t.m, strict=True)))
            laid = target if target.shape == whole else work.array("laid", whole)
            flat, entries = _side_by_side(laid, outside, counts, t)
            flat[...] = entries
            if laid is not target:
                target[...] = laid[tuple(map(slice, target.shape))]
        return True


def filter_weight(x: Array, g: Array, lines: tuple[Line, ...], t: Transforms) -> Array:
    """The gradient of the transformed weight, ``(q, groups, f, channels)``.

    Args:
        x: ``(batch, groups, channels, *sizes)``; 0 outside of its sizes.
        g: the upstream gradient ``(batch, groups, f, *outputs)``.
        lines: how each spatial axis is read, with stride and step 1.
        t: the transforms.
    """
    with scratch(g.dtype) as work:
        (groups, f), channels = g.shape[1:3], x.shape[2]
        total = numpy.zeros((t.products, groups, f, channels), g.dtype)
        planes = g.reshape(len(g), groups * f, *g.shape[3:])
        for tiles, items, where, counts in _parts(x, lines, (groups, f, channels), t, work):
            part = planes[items][:, :, where]
            laid = work.array("laid", (*part.shape[:2], *(c * m for c, m in zip(counts, t.m, strict=True))))
            if laid.shape != part.shape:
                laid.fill(0)
            laid[tuple(map(slice, part.shape))] = part
            upstream = work.array("outside", (laid.size // t.output.shape[1], t.output.shape[1]))
            flat, entries = _side_by_side(laid, upstream, counts, t)
            entries[...] = flat
            inside = _inside(tiles, groups, t, work)
            products = work.array("products", (t.products, groups, f, inside.shape[1]))
            transform_upstream(upstream, t.output, products)
            add_channels(products, inside, work.array("partial", total.shape), total)
        return total


def _tiles(lines: tuple[Line, ...], m: tuple[int, ...]) -> tuple[int, ...]:
    """How many tiles of m outputs cover the outputs."""
    return tuple(-(-line.outputs // outputs) for line, outputs in zip(lines, m, strict=True))


def parts(
    batch: int, lines: tuple[Line, ...], shape: tuple[int, int, int], m: tuple[int, ...], itemsize: int
) -> list[Cut]:
    """The parts of the tiles for a weight of a shape ``(groups, f, channels)``."""
    groups, f, channels = shape
    products = prod(outputs + line.taps - 1 for outputs, line in zip(m, lines, strict=True))
    each = products * groups * (2 * channels + f) * itemsize
    return list(cuts(batch, _tiles(lines, m), max(1, BLOCK_BYTES // each, min(LEAST, MOST_BYTES // each))))


def _parts(
    x: Array, lines: tuple[Line, ...], shape: tuple[int, int, int], t: Transforms, work: Workspace
) -> Iterator[tuple[Array, slice, slice, tuple[int, ...]]]:
    """The parts of the work: tiles ``(*a, batch, *counts, groups * channels)``, items, rows of outputs, counts."""
    groups, _, channels = shape
    covered = _tiles(lines, t.m)
    images = x.reshape(len(x), groups * channels, *x.shape[3:])
    for cut in parts(len(x), lines, shape, t.m, numpy.dtype(work.dtype).itemsize):
        counts = (cut.stop - cut.start, *covered[1:])
        here = tuple(replace(line, outputs=c * m) for line, c, m in zip(lines, counts, t.m, strict=True))
        here = (replace(here[0], before=lines[0].before - cut.start * t.m[0]), *here[1:])
        part = images[cut.items]
        buffer = work.array("read", (len(part), *(line.length for line in here), groups * channels))
        for image, room in zip(part, buffer, strict=True):
            place(image, here, numpy.moveaxis(room, -1, 0))
        batch, *spatial, channel = buffer.strides
        view = as_strided(
            buffer,
            (*t.a, len(part), *counts, groups * channels),
            (*spatial, batch, *(m * unit for m, unit in zip(t.m, spatial, strict=True)), channel),
            writeable=False,
        )
        yield view, cut.items, slice(cut.start * t.m[0], cut.stop * t.m[0]), counts


def _side_by_side(planes: Array, tiles: Array, counts: tuple[int, ...], t: Transforms) -> tuple[Array, Array]:
    """Planes ``(batch, f, *(counts * m))`` and tiles ``(f * batch * counts, prod(m))`` as views of equal shape.

    The last axis of a tile is moved as one number of 8 or 16 bytes, or several of them: its bits are copied alone.
    """
    batch, f = planes.shape[:2]
    size = t.m[-1] * planes.itemsize
    unit = next(kind for kind in ("c16", "f8", "f4") if size % numpy.dtype(kind).itemsize == 0)
    wide = size // numpy.dtype(unit).itemsize
    split = [length for axis in zip(counts[:-1], t.m[:-1], strict=True) for length in axis]
    flat = planes.view(unit).reshape(batch, f, *split, counts[-1], wide)
    ndim = len(counts)
    entries = tiles.view(unit).reshape(f, batch, *counts, *t.m[:-1], wide)
    inner = [place for axis in range(ndim - 1) for place in (2 + axis, 2 + ndim + axis)]
    return flat, entries.transpose(1, 0, *inner, 1 + ndim, 1 + 2 * ndim)
