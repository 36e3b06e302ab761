"""Patches of an image (im2col), patches added up to an image (col2im), and max unpooling, by plain loops.

Images are (N, C, *spatial), patches (N, C * taps, places), both flattened row-major, as PyTorch has them.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

from oracles.convolution import Padding, PerAxis, axes_of, per_axis
from oracles.tensors import Index, Tensor, full, indices, tensor
from oracles.windows import output_size, place


def _entries(
    spatial: Index, kernel: PerAxis, *, stride: PerAxis = 1, padding: Padding = 0, dilation: PerAxis = 1
) -> tuple[int, int, list[tuple[int, int, Index]]]:
    """The numbers of taps and places, and every (tap, place, input position) whose position lies in the image."""
    ndim = len(spatial)
    kernel = per_axis(kernel, ndim)
    axes = axes_of(kernel, stride, padding, dilation)
    rows = [place(n, axis) for n, axis in zip(spatial, axes, strict=True)]
    found = []
    for tap, at in enumerate(indices(kernel)):
        for number, places in enumerate(indices(tuple(len(row) for row in rows))):
            position = tuple(row[o][m] for row, o, m in zip(rows, places, at, strict=True))
            if all(0 <= i < n for i, n in zip(position, spatial, strict=True)):
                found.append((tap, number, position))
    taps, count = 1, 1
    for k, n, axis in zip(kernel, spatial, axes, strict=True):
        taps, count = taps * k, count * output_size(n, axis)
    return taps, count, found


def _planes(batch: int, channels: int) -> Iterator[tuple[int, int]]:
    return product(range(batch), range(channels))


def unfold(x: Any, kernel: PerAxis, **options: Any) -> Tensor:
    """The entries under every window, 0 in the padding.

    Args:
        x: (N, C, *spatial).
        kernel: the window.
        options: `stride`, `padding`, `dilation`.

    Example:
        >>> unfold([[[1, 2, 3]]], 2).nested()
        [[[1, 2], [2, 3]]]
    """
    x = tensor(x)
    taps, places, entries = _entries(x.shape[2:], kernel, **options)
    out = full((x.shape[0], x.shape[1] * taps, places), 0).values
    for n, c in _planes(*x.shape[:2]):
        for tap, number, position in entries:
            out[(n, c * taps + tap, number)] = x[(n, c, *position)]
    return Tensor((x.shape[0], x.shape[1] * taps, places), out)


def fold(patches: Any, size: PerAxis, kernel: PerAxis, **options: Any) -> Tensor:
    """Every entry of the patches, added to the image of a size where its window saw it.

    Example:
        >>> fold([[[1, 2], [20, 30]]], (3,), 2).nested()
        [[[1, 22, 30]]]
    """
    patches = tensor(patches)
    taps, _, entries = _entries(tuple(size), kernel, **options)  # type: ignore[arg-type]
    shape = (patches.shape[0], patches.shape[1] // taps, *size)  # type: ignore[misc]
    out = full(shape, 0).values
    for n, c in _planes(*shape[:2]):
        for tap, number, position in entries:
            out[(n, c, *position)] += patches[(n, c * taps + tap, number)]
    return Tensor(shape, out)


def max_unpool(x: Any, positions: Any, size: Index) -> Tensor:
    """Every entry of x, added to zeros at its flat position in a plane of a size.

    Example:
        >>> max_unpool([[[5, 7]]], [[[3, 0]]], (4,)).nested()
        [[[7, 0, 0, 5]]]
    """
    x, positions = tensor(x), tensor(positions)
    shape = (*x.shape[:2], *size)
    out = full(shape, 0).values
    places = list(indices(size))
    for index, value in x.values.items():
        out[(*index[:2], *places[int(positions[index])])] += value
    return Tensor(shape, out)


def max_unpool_vjp(grad_output: Any, positions: Any) -> Tensor:
    """What arrives at the position of every entry."""
    g, positions = tensor(grad_output), tensor(positions)
    places = list(indices(g.shape[2:]))
    return Tensor(positions.shape, {index: g[(*index[:2], *places[int(at)])] for index, at in positions.values.items()})
