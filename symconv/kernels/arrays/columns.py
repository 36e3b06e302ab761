"""A convolution and the gradient of its weight as products of matrices: taps laid out as columns (im2col).

Every function works on a part of the outputs, small enough for its columns to stay in the cache; small images are taken
several at once, so that a product is never a narrow one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import Any

import numpy
import numpy as np

from symconv.kernels.arrays.windows import (
    PREPARED,
    Cover,
    Memory,
    StridedView,
    cover_of,
    memory_of,
    packed,
    place,
    sections,
    split,
)
from symconv.kernels.runtime.geometry import Line
from symconv.kernels.runtime.padding import Array
from symconv.kernels.runtime.workspace import Workspace

__all__ = [
    "COLUMN_BYTES",
    "add_products",
    "contract",
    "correlate",
    "direct",
    "fill_columns",
    "multiply",
    "prepared",
    "wanted",
]

COLUMN_BYTES = 2 << 20
"""Measured: 2 MiB of columns; less makes the products narrow, more leaves the cache."""
LEAST = 512
"""The fewest positions of a product, for which the columns may be larger, up to `MOST_BYTES`."""
MOST_BYTES = 16 << 20
DIRECT = 256
"""From this many positions on, an image that needs no columns is multiplied on its own."""


def fill_columns(columns: Array, taps: Array) -> None:
    """The columns: what each tap reads at all positions, ``(groups, channels, *taps, batch, *outputs)``."""
    columns[...] = taps


def multiply(weight: Array, columns: Array, out: Array) -> None:
    """The outputs: ``(groups, f, K) @ (groups, K, positions)``."""
    numpy.matmul(weight, columns, out=out)


def add_products(g: Array, columns: Array, partial: Array, total: Array) -> None:
    """Add to the gradient of the weight: ``(groups, f, positions) @ (groups, positions, K)``."""
    numpy.matmul(g, columns.transpose(0, 2, 1), out=partial)
    numpy.add(total, partial, out=total)


def direct(lines: tuple[Line, ...]) -> bool:
    """Whether the input is its own matrix of columns: one tap that goes step by step."""
    return all(line.taps == line.stride == 1 for line in lines)


def wanted(lines: tuple[Line, ...], depth: int, itemsize: int) -> int:
    """How many positions a part should have, for a matrix of `depth` rows of columns."""
    positions = prod(line.outputs for line in lines)
    if direct(lines) and positions >= DIRECT:
        return positions
    return max(1, min(LEAST, MOST_BYTES // (depth * itemsize)), COLUMN_BYTES // (depth * itemsize))


@dataclass(frozen=True)
class _Part:
    """Some rows of outputs of some items, and their columns.

    Attributes:
        positions: the outputs, counted row-major.
        cover: what is copied to a buffer first; None where the windows find the input at all taps.
        buffer: the shape of that buffer.
        taps: what each tap reads, a view ``(groups, channels, *taps, items, *outputs)`` of the items or of the buffer.
        matrix: the shape of the columns.
        direct: the columns as a view of the items or of the buffer, where no copy is needed.
    """

    positions: slice
    cover: Cover | None
    buffer: tuple[int, ...]
    taps: StridedView
    matrix: tuple[int, int, int]
    direct: StridedView | None


@lru_cache(maxsize=PREPARED)
def prepared(
    memory: Memory, lines: tuple[Line, ...], itemsize: int, same: bool
) -> tuple[tuple[range, int, tuple[_Part, ...]], ...]:
    """The work on inputs ``(batch, groups, channels, *sizes)`` that lie in memory in one way: the first items of the
    parts, how many items they have, and the parts. `same` says that the inputs have the type of the result."""
    batch, groups, channels = memory.shape[:3]
    outputs = tuple(line.outputs for line in lines)
    depth = groups * channels * prod(line.taps for line in lines)
    together, height = split(batch, outputs, wanted(lines, depth, itemsize))
    return tuple(
        (
            firsts,
            items,
            tuple(
                _part(memory.of_items(items), lines, start, min(start + height, outputs[0]), itemsize, same)
                for start in range(0, outputs[0], height)
            ),
        )
        for firsts, items in sections(batch, together)
    )


def _part(memory: Memory, lines: tuple[Line, ...], start: int, stop: int, itemsize: int, same: bool) -> _Part:
    here = (lines[0].part(start, stop), *lines[1:])
    row = prod(line.outputs for line in lines[1:])
    items, groups, channels = memory.shape[:3]
    lengths = tuple(line.length for line in here)
    source, entries, cover = memory, tuple(-line.before for line in here), None
    if not all(line.inside for line in here):
        source = packed((items, groups, channels, *lengths), itemsize)
        entries, same = (0,) * len(lines), True
        cover = cover_of(tuple(line.span for line in here), items * groups * channels)
    batch, group, channel, *units = source.strides
    shape = (groups, channels, *(line.taps for line in here), items, *(line.outputs for line in here))
    inner = [line.step * unit for line, unit in zip(here, units, strict=True)]
    outer = [line.stride * unit for line, unit in zip(here, units, strict=True)]
    begin = (0, 0, 0, *entries)
    matrix = (groups, channels * prod(line.taps for line in here), items * (stop - start) * row)
    pitch = _pitch(lengths, tuple(units), itemsize) if items == 1 and same and direct(here) else None
    # a matrix product takes a matrix whose rows or whose columns are contiguous, as with channels last, as it is
    alone = pitch == itemsize or (pitch is not None and channel == itemsize and pitch >= channels * itemsize)
    return _Part(
        slice(start * row, stop * row),
        cover,
        source.shape,
        StridedView.of(source, begin, shape, (group, channel, *inner, batch, *outer)),
        matrix,
        StridedView.of(source, begin, matrix, (group, channel, pitch)) if pitch is not None and alone else None,
    )


def _pitch(sizes: tuple[int, ...], strides: tuple[int, ...], itemsize: int) -> int | None:
    """How many bytes entries are apart that follow each other in row-major order; None where that differs."""
    long = [(size, stride) for size, stride in zip(sizes, strides, strict=True) if size > 1]
    if not long:
        return itemsize
    pitch = long[-1][1]
    expected = packed(tuple(size for size, _ in long), pitch).strides
    return pitch if all(stride == step for (_, stride), step in zip(long, expected, strict=True)) else None


def _columns(
    x: Array, lines: tuple[Line, ...], dtype: np.dtype[Any], work: Workspace
) -> Iterator[tuple[slice, slice, Array]]:
    """Items, positions, and the columns ``(groups, channels * taps, items * positions)`` of every part."""
    for firsts, count, parts in prepared(memory_of(x), lines, dtype.itemsize, x.dtype == dtype):
        for first in firsts:
            items = slice(first, first + count)
            for part in parts:
                source = x[items]
                if part.cover is not None:
                    buffer = work.array("read", part.buffer)
                    place(source, part.cover, buffer)
                    source = buffer
                if part.direct is not None:
                    yield items, part.positions, part.direct.show(source)
                    continue
                columns = work.array("columns", part.taps.shape)
                fill_columns(columns, part.taps.show(source))
                yield items, part.positions, columns.reshape(part.matrix)


def correlate(x: Array, weight: Array, lines: tuple[Line, ...], out: Array) -> None:
    """Write ``out[o] = sum over channels and taps of x[stride*o + step*m - before] * weight[m]``.

    Args:
        x: ``(batch, groups, channels, *sizes)``; 0 outside of its sizes.
        weight: ``(groups, f, channels, *kernel)``.
        lines: how each spatial axis is read.
        out: ``(batch, groups, f, *outputs)``, contiguous.
    """
    groups, f = weight.shape[:2]
    matrix = weight.reshape(groups, f, -1)
    flat = out.reshape(*out.shape[:3], prod(out.shape[3:]))
    with Workspace(out.dtype) as work:
        for items, positions, columns in _columns(x, lines, out.dtype, work):
            target = flat[items, :, :, positions]
            if len(target) == 1:
                multiply(matrix, columns, target[0])
                continue
            together = work.array("product", (groups, f, columns.shape[-1]))
            multiply(matrix, columns, together)
            target[...] = together.reshape(groups, f, len(target), -1).transpose(2, 0, 1, 3)


def contract(x: Array, g: Array, lines: tuple[Line, ...]) -> Array:
    """The gradient of the weight, ``(groups, f, channels, *kernel)``.

    Args:
        x: ``(batch, groups, channels, *sizes)``; 0 outside of its sizes.
        g: the upstream gradient ``(batch, groups, f, *outputs)``.
        lines: how each spatial axis is read.
    """
    (groups, f), channels = g.shape[1:3], x.shape[2]
    taps = tuple(line.taps for line in lines)
    flat = g.reshape(*g.shape[:3], prod(g.shape[3:]))
    total = np.zeros((groups, f, channels * prod(taps)), g.dtype)
    with Workspace(g.dtype) as work:
        partial = work.array("partial", total.shape)
        for items, positions, columns in _columns(x, lines, g.dtype, work):
            upstream = flat[items, :, :, positions]
            if len(upstream) == 1:
                add_products(upstream[0], columns, partial, total)
                continue
            together = work.array("upstream", (groups, f, len(upstream), upstream.shape[-1]))
            together[...] = upstream.transpose(1, 2, 0, 3)
            add_products(together.reshape(groups, f, -1), columns, partial, total)
    return total.reshape(groups, f, channels, *taps)
