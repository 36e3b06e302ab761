"""What a filter gives at every position of an input: the table from which strides and paddings only choose entries."""

from __future__ import annotations

from itertools import product
from typing import Literal

import numpy as np

from symconv.audits.reading import Array

__all__ = ["MODES", "correlated", "spread"]

MODES: dict[str, Literal["constant", "reflect", "edge", "wrap"]] = {
    "zeros": "constant",
    "reflect": "reflect",
    "replicate": "edge",
    "circular": "wrap",
}
"""Our padding modes, as NumPy calls them."""


def correlated(x: Array, weight: Array, dilation: tuple[int, ...], mode: str) -> Array:
    """A filter of one output channel at every position at which a tap may be on the input, with stride 1.

    Args:
        x: (I, places), in float64.
        weight: (I, taps).
        dilation: the step between taps, an axis each.
        mode: what is read outside the input.

    Returns:
        The entries by position; position 0 of an axis has the last tap alone on the input. Where a mode does not reach
        so far, the entries are NaN, which equals nothing.
    """
    taps = weight.shape[1:]
    wide = [step * (k - 1) for step, k in zip(dilation, taps, strict=True)]
    sizes = x.shape[1:]
    reach = [
        min(w, n - 1) if mode == "reflect" else min(w, n) if mode == "circular" else w
        for w, n in zip(wide, sizes, strict=True)
    ]
    padded = np.pad(x, ((0, 0), *((r, r) for r in reach)), MODES[mode])
    missing = [w - r for w, r in zip(wide, reach, strict=True)]
    if any(missing):
        padded = np.pad(padded, ((0, 0), *((m, m) for m in missing)), constant_values=np.nan)
    positions = tuple(n + w for n, w in zip(sizes, wide, strict=True))
    total: Array = np.zeros(positions)
    for tap in product(*map(range, taps)):
        window = tuple(slice(d * m, d * m + n) for d, m, n in zip(dilation, tap, positions, strict=True))
        total += np.tensordot(weight[_all(*tap)], padded[_all(*window)], 1)
    return total


def spread(x: Array, weight: Array, stride: tuple[int, ...], dilation: tuple[int, ...], room: int) -> Array:
    """What a transposed convolution gives one output channel, before anything is cut off.

    Args:
        x: (I, places), in float64.
        weight: (I, taps).
        stride, dilation: an axis each.
        room: how many zeros follow on every axis.

    Returns:
        The entries by position.
    """
    taps, sizes = weight.shape[1:], x.shape[1:]
    whole = [(n - 1) * s + d * (k - 1) + 1 + room for n, s, d, k in zip(sizes, stride, dilation, taps, strict=True)]
    total: Array = np.zeros(whole)
    for tap in product(*map(range, taps)):
        window = tuple(
            slice(d * m, d * m + (n - 1) * s + 1, s) for d, m, n, s in zip(dilation, tap, sizes, stride, strict=True)
        )
        total[window] += np.tensordot(weight[_all(*tap)], x, 1)
    return total


def _all(*index: int | slice) -> tuple[int | slice, ...]:
    """An index behind that of the channels, of which all are taken."""
    return (slice(None), *index)
