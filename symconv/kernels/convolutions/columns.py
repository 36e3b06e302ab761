"""A convolution and the gradient of its weight as products of matrices: taps laid out as columns (im2col).

Every function works on a part of the outputs, small enough for its columns to stay in the cache; small images are taken
several at once, so that a product is never a narrow one.
"""

from __future__ import annotations

from math import prod

import numpy

from symconv.kernels.convolutions.scratch import scratch
from symconv.kernels.convolutions.windows import cuts, read, rows, taps_of
from symconv.kernels.geometry import Line
from symconv.kernels.padding import Array
from symconv.kernels.stages.blocks import Workspace

__all__ = ["COLUMN_BYTES", "add_products", "contract", "correlate", "direct", "fill_columns", "multiply", "wanted"]

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


def matrix_of(a: Array, lines: tuple[Line, ...], work: Workspace) -> Array:
    """The columns ``(groups, channels * taps, batch * outputs)`` of ``(batch, groups, channels, *lengths)``."""
    batch, groups, channels = a.shape[:3]
    if batch == 1 and direct(lines) and a.dtype == work.dtype and a[0, 0, 0].flags.c_contiguous:
        matrix: Array = a[0].reshape(groups, channels, -1)
        return matrix
    taps = taps_of(a, lines)
    columns = work.array("columns", taps.shape)
    fill_columns(columns, taps)
    return columns.reshape(groups, channels * prod(line.taps for line in lines), -1)


def correlate(x: Array, weight: Array, lines: tuple[Line, ...], out: Array) -> None:
    """Write ``out[o] = sum over channels and taps of x[stride*o + step*m - before] * weight[m]``.

    Args:
        x: ``(batch, groups, channels, *sizes)``; 0 outside of its sizes.
        weight: ``(groups, f, channels, *kernel)``.
        lines: how each spatial axis is read.
        out: ``(batch, groups, f, *outputs)``, contiguous.
    """
    with scratch(out.dtype) as work:
        groups, f = weight.shape[:2]
        matrix = weight.reshape(groups, f, -1)
        outputs = tuple(line.outputs for line in lines)
        row = prod(outputs[1:])
        flat = out.reshape(*out.shape[:3], prod(outputs))
        for cut in cuts(len(out), outputs, wanted(lines, groups * matrix.shape[2], out.itemsize)):
            here = rows(lines, cut.start, cut.stop)
            columns = matrix_of(read(x[cut.items], here, work), here, work)
            target = flat[cut.items, :, :, cut.start * row : cut.stop * row]
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
    with scratch(g.dtype) as work:
        (groups, f), channels = g.shape[1:3], x.shape[2]
        taps = tuple(line.taps for line in lines)
        outputs = tuple(line.outputs for line in lines)
        row = prod(outputs[1:])
        flat = g.reshape(*g.shape[:3], prod(outputs))
        total = numpy.zeros((groups, f, channels * prod(taps)), g.dtype)
        partial = numpy.empty_like(total)
        for cut in cuts(len(g), outputs, wanted(lines, groups * total.shape[2], g.itemsize)):
            here = rows(lines, cut.start, cut.stop)
            columns = matrix_of(read(x[cut.items], here, work), here, work)
            upstream = flat[cut.items, :, :, cut.start * row : cut.stop * row]
            if len(upstream) == 1:
                add_products(upstream[0], columns, partial, total)
                continue
            together = work.array("upstream", (groups, f, len(upstream), upstream.shape[-1]))
            together[...] = upstream.transpose(1, 2, 0, 3)
            add_products(together.reshape(groups, f, -1), columns, partial, total)
        return total.reshape(groups, f, channels, *taps)
