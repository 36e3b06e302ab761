"""Winograd's minimal filtering on arrays: tiles, their three transforms as products with Kronecker matrices.

A tile of inputs becomes a column of q = prod(m + r - 1) entries, the transform of all tiles one product of matrices.
Then the q entries are independent: each is a product over channels. Channels stand innermost on the way in and the
entries of a tile on the way out, so that tiles are gathered and laid down in runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import prod

import numpy
import numpy.typing as npt

from symconv.derivations.winograd.nested import kronecker
from symconv.derivations.winograd.toom_cook import CookToom, cook_toom
from symconv.kernels.arrays.windows import (
    PREPARED,
    Cover,
    StridedView,
    cover_of,
    packed,
    place,
    sections,
    split,
)
from symconv.kernels.runtime.geometry import Line
from symconv.kernels.runtime.padding import Array
from symconv.kernels.runtime.workspace import Workspace

__all__ = [
    "Transforms",
    "add_channels",
    "filter_tiles",
    "filter_weight",
    "multiply_channels",
    "parts",
    "prepared",
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
    groups, f, channels = kernel.shape[1:]
    planes = out.reshape(len(out), groups * f, *out.shape[3:])
    with Workspace(out.dtype) as work:
        for items, part, tiles in _gathered(x, lines, (groups, f, channels), t, work):
            inside = _inside(tiles, groups, t, work)
            products = work.array("products", (t.products, groups, f, inside.shape[1]))
            multiply_channels(kernel, inside, products)
            outside = work.array("outside", (products[0].size, t.output.shape[1]))
            transform_products(products, t.output, outside)
            if not numpy.isfinite(outside.sum()):
                return False
            target = planes[items, :, part.rows]
            laid = target if target.shape == part.laid else work.array("laid", part.laid)
            flat, entries = part.side_by_side(laid, outside)
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
    (groups, f), channels = g.shape[1:3], x.shape[2]
    total = numpy.zeros((t.products, groups, f, channels), g.dtype)
    planes = g.reshape(len(g), groups * f, *g.shape[3:])
    with Workspace(g.dtype) as work:
        for items, part, tiles in _gathered(x, lines, (groups, f, channels), t, work):
            given = planes[items, :, part.rows]
            laid = work.array("laid", part.laid)
            if laid.shape != given.shape:
                laid.fill(0)
            laid[tuple(map(slice, given.shape))] = given
            upstream = work.array("outside", (laid.size // t.output.shape[1], t.output.shape[1]))
            flat, entries = part.side_by_side(laid, upstream)
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
) -> tuple[int, int]:
    """How many items, or else how many rows of tiles of an item, a part has, for a weight ``(groups, f, channels)``."""
    groups, f, channels = shape
    products = prod(outputs + line.taps - 1 for outputs, line in zip(m, lines, strict=True))
    each = products * groups * (2 * channels + f) * itemsize
    return split(batch, _tiles(lines, m), max(1, BLOCK_BYTES // each, min(LEAST, MOST_BYTES // each)))


@dataclass(frozen=True)
class _Part:
    """Some rows of tiles of some items.

    Attributes:
        rows: the rows of outputs.
        cover: what is copied to a buffer, channels innermost, and `buffer`, its shape.
        tiles: the tiles as a view of the buffer, ``(*a, items, *counts, groups * channels)``.
        laid: the shape of the outputs of all tiles, ``(items, groups * f, *(counts * m))``.
        unit: the type that one line of outputs of a tile is copied as: its bits are copied, in 8 or 16 bytes a number.
        flat, entries: the shapes of the outputs laid down, and in tiles, in that type; `order` makes them equal.
    """

    rows: slice
    cover: Cover
    buffer: tuple[int, ...]
    tiles: StridedView
    laid: tuple[int, ...]
    unit: str
    flat: tuple[int, ...]
    entries: tuple[int, ...]
    order: tuple[int, ...]

    def side_by_side(self, planes: Array, tiles: Array) -> tuple[Array, Array]:
        """Outputs laid down, and in tiles ``(f * items * counts, prod(m))``, as views of equal shape."""
        entries = tiles.view(self.unit).reshape(self.entries).transpose(self.order)
        return planes.view(self.unit).reshape(self.flat), entries


@lru_cache(maxsize=PREPARED)
def prepared(
    batch: int, lines: tuple[Line, ...], shape: tuple[int, int, int], m: tuple[int, ...], itemsize: int
) -> tuple[tuple[range, int, tuple[_Part, ...]], ...]:
    """The work for a weight ``(groups, f, channels)``: the first items of the parts, how many they have, the parts."""
    together, height = parts(batch, lines, shape, m, itemsize)
    counts = _tiles(lines, m)
    return tuple(
        (
            firsts,
            items,
            tuple(
                _part(items, lines, (start, min(start + height, counts[0])), shape, m, itemsize)
                for start in range(0, counts[0], height)
            ),
        )
        for firsts, items in sections(batch, together)
    )


def _part(
    items: int,
    lines: tuple[Line, ...],
    rows: tuple[int, int],
    shape: tuple[int, int, int],
    m: tuple[int, ...],
    itemsize: int,
) -> _Part:
    groups, f, channels = shape
    counts = (rows[1] - rows[0], *_tiles(lines, m)[1:])
    where = slice(rows[0] * m[0], rows[1] * m[0])
    here = (lines[0].part(where.start, where.stop), *lines[1:])
    here = tuple(line._replace(outputs=c * many) for line, c, many in zip(here, counts, m, strict=True))
    buffer = packed((items, *(line.length for line in here), groups * channels), itemsize)
    batch, *spatial, channel = buffer.strides
    steps = (many * unit for many, unit in zip(m, spatial, strict=True))
    a = (many + line.taps - 1 for many, line in zip(m, lines, strict=True))
    size = m[-1] * itemsize
    unit = next(kind for kind in ("c16", "f8", "f4") if size % numpy.dtype(kind).itemsize == 0)
    wide = size // numpy.dtype(unit).itemsize
    ndim, split_up = len(counts), [length for axis in zip(counts[:-1], m[:-1], strict=True) for length in axis]
    inner = [place for axis in range(ndim - 1) for place in (2 + axis, 2 + ndim + axis)]
    return _Part(
        where,
        cover_of(tuple(line.span for line in here), items * groups * channels),
        buffer.shape,
        StridedView.of(
            buffer,
            (0,) * len(buffer.shape),
            (*a, items, *counts, groups * channels),
            (*spatial, batch, *steps, channel),
        ),
        (items, groups * f, *(c * many for c, many in zip(counts, m, strict=True))),
        unit,
        (items, groups * f, *split_up, counts[-1], wide),
        (groups * f, items, *counts, *m[:-1], wide),
        (1, 0, *inner, 1 + ndim, 1 + 2 * ndim),
    )


def _gathered(
    x: Array, lines: tuple[Line, ...], shape: tuple[int, int, int], t: Transforms, work: Workspace
) -> Iterator[tuple[slice, _Part, Array]]:
    """The items and the tiles of every part."""
    images = x.reshape(len(x), shape[0] * shape[2], *x.shape[3:])
    for firsts, count, found in prepared(len(x), lines, shape, t.m, numpy.dtype(work.dtype).itemsize):
        for first in firsts:
            items = slice(first, first + count)
            for part in found:
                buffer = work.array("read", part.buffer)
                place(images[items], part.cover, numpy.moveaxis(buffer, -1, 1))
                yield items, part, part.tiles.show(buffer)
