"""Windows of adaptive pooling as views: windows of one length at equal distances become one strided array.

Window o covers ``floor(o*n/out) .. ceil((o+1)*n/out) - 1``. With ``g = gcd(n, out)`` every ``out/g``-th window has the
same length and starts ``n/g`` later than the one before it, and these windows do not overlap: they are a `Run`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import as_strided

from symconv.formulas.index import Index
from symconv.kernels.runtime.padding import Array
from symconv.operators.adaptive import AdaptivePooling

__all__ = ["AxisWindows", "Run", "spans_of", "windows"]


@dataclass(frozen=True)
class Run:
    """Windows of `taps` entries, the first at `start`, every next one `step` later; they are the outputs `outputs`."""

    outputs: slice
    start: int
    step: int
    count: int
    taps: int


@dataclass(frozen=True)
class AxisWindows:
    """All windows of an axis of `size` entries."""

    size: int
    outputs: int
    runs: tuple[Run, ...]

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """The number of taps of every window."""
        found = np.empty(self.outputs, np.int64)
        for run in self.runs:
            found[run.outputs] = run.taps
        return found

    @property
    def whole(self) -> bool:
        """True for one window over the whole axis."""
        return self.outputs == 1

    @property
    def apart(self) -> bool:
        """True where no entry is in two windows."""
        return sum(run.count * run.taps for run in self.runs) == self.size


def spans_of(op: AdaptivePooling, sizes: Sequence[int]) -> tuple[AxisWindows, ...]:
    """The windows at an input size, from the formula of the operator.

    Axes at the end with one window over everything are taken together: their entries are one axis of a plane.
    """
    spans = [_span(op, axis, size, int(op.outputs[axis])) for axis, size in enumerate(sizes)]
    while len(spans) > 1 and spans[-1].whole and spans[-2].whole:
        size = spans[-2].size * spans[-1].size
        spans[-2:] = [AxisWindows(size, 1, (Run(slice(0, None, 1), 0, size, 1, size),))]
    return tuple(spans)


def _span(op: AdaptivePooling, axis: int, size: int, outputs: int) -> AxisWindows:
    first, last = op.span(axis, Index.of("o"), Index.of(size))
    here = {"o": np.arange(outputs)}
    starts = np.broadcast_to(np.asarray(first.evaluate(here)), outputs)
    lengths = np.broadcast_to(np.asarray(last.evaluate(here)), outputs) - starts + 1
    common = gcd(size, outputs)
    period, step = outputs // common, size // common
    runs = [Run(slice(r, None, period), int(starts[r]), step, common, int(lengths[r])) for r in range(period)]
    return AxisWindows(size, outputs, tuple(runs))


def windows(x: Array, runs: Sequence[Run], axis: int, *, writeable: bool = False) -> Array:
    """The windows of runs along neighbouring axes, the first of them `axis` (negative), as a view.

    Every one of these axes becomes two: the number of the window, and the tap.
    """
    lead, past = x.ndim + axis, x.ndim + axis + len(runs)
    inner: list[tuple[int, int]] = []
    where: list[Any] = [slice(None)] * x.ndim
    for number, run in enumerate(runs):
        stride = x.strides[lead + number]
        inner += [(run.count, run.step * stride), (run.taps, stride)]
        where[lead + number] = slice(run.start, None)
    shape = (*x.shape[:lead], *(extent for extent, _ in inner), *x.shape[past:])
    strides = (*x.strides[:lead], *(stride for _, stride in inner), *x.strides[past:])
    return as_strided(x[tuple(where)], shape, strides, writeable=writeable)
