"""Pooling of any number of axes over (N, C, *spatial), with gradients, by plain loops over the taps of each window.

A tap is *real* when it lies inside the input.  Only real taps are ever reduced; padding and overhang matter for the
divisor of the average alone.  Integers and fractions stay exact in max, average, and LP with p = 1 or infinity.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal, TypeAlias

from oracles.convolution import Padding, PerAxis, axes_of, per_axis
from oracles.reductions import Ties, divide, lp_norm, lp_weights, maximal, share
from oracles.tensors import Index, Scalar, Tensor, full, indices, tensor
from oracles.windows import adaptive_windows, place

Empty: TypeAlias = Literal["error", "nan"]


@dataclass(frozen=True)
class PoolWindow:
    """The window of one output: its real taps in row-major order, and how many taps lie in input or padding."""

    output: Index
    real: tuple[Index, ...]
    counted: int


def windows_of(
    spatial: Index,
    kernel: PerAxis,
    *,
    stride: PerAxis | None = None,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    ceil_mode: bool = False,
) -> tuple[Index, list[PoolWindow]]:
    """The output sizes and all windows of a plane; no stride means the kernel size.

    The overhang of `ceil_mode` (positions from n + after on) is neither real nor counted.

    Example:
        >>> windows_of((3,), 2, ceil_mode=True)[1][1]
        PoolWindow(output=(1,), real=((2,),), counted=1)
    """
    ndim = len(spatial)
    kernel = per_axis(kernel, ndim)
    axes = axes_of(kernel, kernel if stride is None else stride, padding, dilation, ceil_mode)
    rows = [place(n, axis) for n, axis in zip(spatial, axes, strict=True)]
    sizes = tuple(len(row) for row in rows)
    ends = [n + axis.after for n, axis in zip(spatial, axes, strict=True)]
    found = []
    for output in indices(sizes):
        taps = list(product(*(row[o] for row, o in zip(rows, output, strict=True))))
        real = [tap for tap in taps if all(0 <= i < n for i, n in zip(tap, spatial, strict=True))]
        counted = sum(all(i < end for i, end in zip(tap, ends, strict=True)) for tap in taps)
        found.append(PoolWindow(output, tuple(real), counted))
    return sizes, found


def adaptive_windows_of(spatial: Index, output: PerAxis) -> tuple[Index, list[PoolWindow]]:
    """The windows of adaptive pooling: all taps are real."""
    sizes = per_axis(output, len(spatial))
    rows = [adaptive_windows(n, out) for n, out in zip(spatial, sizes, strict=True)]
    found = []
    for o in indices(sizes):
        real = tuple(product(*(row[i] for row, i in zip(rows, o, strict=True))))
        found.append(PoolWindow(o, real, len(real)))
    return sizes, found


def _planes(x: Tensor) -> list[tuple[int, int]]:
    return [(n, c) for n in range(x.shape[0]) for c in range(x.shape[1])]


def _flat(index: Index, sizes: Index) -> int:
    position = 0
    for i, size in zip(index, sizes, strict=True):
        position = position * size + i
    return position


def _maximum(x: Tensor, sizes: Index, windows: list[PoolWindow]) -> tuple[Tensor, Tensor]:
    values: dict[Index, Scalar] = {}
    places: dict[Index, Scalar] = {}
    for plane in _planes(x):
        for window in windows:
            at = (*plane, *window.output)
            if not window.real:
                values[at], places[at] = -math.inf, -1
                continue
            taps = [x[(*plane, *i)] for i in window.real]
            first = maximal(taps)[0]
            values[at], places[at] = taps[first], _flat(window.real[first], x.shape[2:])
    shape = (*x.shape[:2], *sizes)
    return Tensor(shape, values), Tensor(shape, places)


def _maximum_vjp(g: Tensor, x: Tensor, sizes: Index, windows: list[PoolWindow], ties: Ties) -> Tensor:
    out = _upstream(g, x, sizes)
    for plane in _planes(x):
        for window in windows:
            best = maximal([x[(*plane, *i)] for i in window.real])
            best = best[:1] if ties == "first" else best
            for k in best:
                out[(*plane, *window.real[k])] += share(g[(*plane, *window.output)], len(best))
    return Tensor(x.shape, out)


def _upstream(g: Tensor, x: Tensor, sizes: Index) -> dict[Index, Scalar]:
    """Check the upstream gradient against the output and start the gradient of the input at 0."""
    if g.shape != (*x.shape[:2], *sizes):
        raise ValueError(f"grad_output must have the shape of the output {(*x.shape[:2], *sizes)}, got {g.shape}")
    return full(x.shape, 0).values


def max_pool(x: Any, kernel: PerAxis, **geometry: Any) -> tuple[Tensor, Tensor]:
    """The largest real tap and the flat index, in its input plane, of the first tap (row-major) that holds it.

    NaN wins over every number, the first NaN over the others (PyTorch 2.13 names the last one).  A window without a
    real tap gives -inf and index -1.

    Args:
        x: (N, C, *spatial).
        kernel: an int or one entry an axis.
        geometry: `stride` (default: the kernel), `padding`, `dilation`, `ceil_mode`.

    Example:
        >>> values, places = max_pool([[[1, 3, 3, 2]]], 2, stride=1)
        >>> values.nested(), places.nested()
        ([[[3, 3, 3]]], [[[1, 1, 2]]])
    """
    x = tensor(x)
    return _maximum(x, *windows_of(x.shape[2:], kernel, **geometry))


def max_pool_vjp(grad_output: Any, x: Any, kernel: PerAxis, *, ties: Ties = "first", **geometry: Any) -> Tensor:
    """The upstream gradient goes to the first maximum, or in equal shares to all of them (`ties="split"`).

    Example:
        >>> max_pool_vjp([[[6]]], [[[5, 5, 5]]], 3).nested()
        [[[6, 0, 0]]]
        >>> max_pool_vjp([[[6]]], [[[5, 5, 4]]], 3, ties="split") == tensor([[[3, 3, 0]]])
        True
    """
    x = tensor(x)
    return _maximum_vjp(tensor(grad_output), x, *windows_of(x.shape[2:], kernel, **geometry), ties)


def _divisor(window: PoolWindow, count_include_pad: bool, override: int | None) -> int:
    if override is not None:
        return override
    return window.counted if count_include_pad else len(window.real)


def avg_pool(
    x: Any,
    kernel: PerAxis,
    *,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
    empty: Empty = "error",
    **geometry: Any,
) -> Tensor:
    """The sum of the real taps over a count.

    The count is that of the taps in input and padding (`count_include_pad`) or in the input alone, never of the
    overhang; `divisor_override` replaces it.  A count of 0 is an error or NaN, as `empty` says.

    Example:
        >>> [str(v) for v in avg_pool([[[1, 2, 3]]], 2, padding=(1,)).flat()]
        ['1/2', '5/2']
        >>> [str(v) for v in avg_pool([[[1, 2, 3]]], 2, padding=(1,), count_include_pad=False).flat()]
        ['1', '5/2']
    """
    x = tensor(x)
    sizes, windows = windows_of(x.shape[2:], kernel, **geometry)
    out: dict[Index, Scalar] = {}
    for plane in _planes(x):
        for window in windows:
            divisor = _divisor(window, count_include_pad, divisor_override)
            if divisor == 0 and empty == "error":
                raise ZeroDivisionError(f"the window of output {window.output} has no tap to average")
            total = sum(x[(*plane, *i)] for i in window.real)
            out[(*plane, *window.output)] = divide(total, divisor) if divisor else math.nan
    return Tensor((*x.shape[:2], *sizes), out)


def avg_pool_vjp(
    grad_output: Any,
    x: Any,
    kernel: PerAxis,
    *,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
    **geometry: Any,
) -> Tensor:
    """Every real tap of a window receives its upstream gradient over the same count as in `avg_pool`."""
    x, g = tensor(x), tensor(grad_output)
    sizes, windows = windows_of(x.shape[2:], kernel, **geometry)
    out = _upstream(g, x, sizes)
    for plane in _planes(x):
        for window in windows:
            divisor = _divisor(window, count_include_pad, divisor_override)
            for i in window.real:
                out[(*plane, *i)] += divide(g[(*plane, *window.output)], divisor)
    return Tensor(x.shape, out)


def lp_pool(x: Any, p: Scalar, kernel: PerAxis, **geometry: Any) -> Tensor:
    """The LP norm of the real taps of every window; 0 for a window without one.

    Example:
        >>> lp_pool([[[3, -4, 0]]], 2, 2, stride=1).nested()
        [[[5.0, 4.0]]]
    """
    x = tensor(x)
    sizes, windows = windows_of(x.shape[2:], kernel, **geometry)
    out: dict[Index, Scalar] = {}
    for plane in _planes(x):
        for window in windows:
            out[(*plane, *window.output)] = lp_norm([x[(*plane, *i)] for i in window.real], p)
    return Tensor((*x.shape[:2], *sizes), out)


def lp_pool_vjp(
    grad_output: Any, x: Any, p: Scalar, kernel: PerAxis, *, ties: Ties = "first", **geometry: Any
) -> Tensor:
    """Every real tap receives the upstream gradient times its weight in `lp_weights`."""
    x, g = tensor(x), tensor(grad_output)
    sizes, windows = windows_of(x.shape[2:], kernel, **geometry)
    out = _upstream(g, x, sizes)
    for plane in _planes(x):
        for window in windows:
            weights = lp_weights([x[(*plane, *i)] for i in window.real], p, ties)
            for i, weight in zip(window.real, weights, strict=True):
                out[(*plane, *i)] += g[(*plane, *window.output)] * weight
    return Tensor(x.shape, out)


def adaptive_max_pool(x: Any, output: PerAxis) -> tuple[Tensor, Tensor]:
    """The maximum of every adaptive window and the flat index of its first holder."""
    x = tensor(x)
    return _maximum(x, *adaptive_windows_of(x.shape[2:], output))


def adaptive_max_pool_vjp(grad_output: Any, x: Any, output: PerAxis, *, ties: Ties = "first") -> Tensor:
    """As `max_pool_vjp`, over the adaptive windows."""
    x = tensor(x)
    return _maximum_vjp(tensor(grad_output), x, *adaptive_windows_of(x.shape[2:], output), ties)


def adaptive_avg_pool(x: Any, output: PerAxis) -> Tensor:
    """The mean of every adaptive window.

    Example:
        >>> [str(v) for v in adaptive_avg_pool([[[1, 2, 4]]], 2).flat()]
        ['3/2', '3']
    """
    x = tensor(x)
    sizes, windows = adaptive_windows_of(x.shape[2:], output)
    out: dict[Index, Scalar] = {}
    for plane in _planes(x):
        for window in windows:
            out[(*plane, *window.output)] = divide(sum(x[(*plane, *i)] for i in window.real), len(window.real))
    return Tensor((*x.shape[:2], *sizes), out)


def adaptive_avg_pool_vjp(grad_output: Any, x: Any, output: PerAxis) -> Tensor:
    """Every tap of a window receives its upstream gradient over the number of taps."""
    x, g = tensor(x), tensor(grad_output)
    sizes, windows = adaptive_windows_of(x.shape[2:], output)
    out = _upstream(g, x, sizes)
    for plane in _planes(x):
        for window in windows:
            for i in window.real:
                out[(*plane, *i)] += divide(g[(*plane, *window.output)], len(window.real))
    return Tensor(x.shape, out)
