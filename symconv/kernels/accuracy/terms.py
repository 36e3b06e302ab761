"""How many products one sum of a task has at a size: what does not exist, or is padding with zeros, is no term."""

from __future__ import annotations

from math import prod

import numpy as np

from symconv.kernels.form.tapform import TapForm
from symconv.kernels.runtime.geometry import Line, lines_of
from symconv.kernels.runtime.layout import AxisLayout, Layout
from symconv.kernels.runtime.padding import Array
from symconv.kernels.runtime.plan import Task

__all__ = ["most_reads", "most_terms"]


def most_terms(form: TapForm, layout: Layout, batch: int, task: Task) -> int:
    """The largest number of products that one result of a convolution's task is the sum of, its bias not counted."""
    channels = form.channels
    assert channels is not None
    lines = lines_of(layout)
    if task == "output":
        return channels.per_group_in * prod(_of_output(line) for line in lines)
    if task == "input":
        return channels.per_group_out * most_reads(layout)
    return batch * prod(_of_tap(line) for line in lines)


def most_reads(layout: Layout) -> int:
    """How often an entry of the input is read at most, by any tap of any output."""
    axes = zip(layout.axes, lines_of(layout), strict=True)
    return prod(int(_reads(axis, line).max(initial=0)) for axis, line in axes)


def _of_output(line: Line) -> int:
    """The most taps of one output that find an entry."""
    starts = np.zeros(line.outputs + 1, np.int64)
    for tap in range(line.taps):
        first, stop, _ = line.real(tap)
        if first < stop:
            starts[first] += 1
            starts[stop] -= 1
    return int(np.cumsum(starts)[:-1].max(initial=0))


def _of_tap(line: Line) -> int:
    """The most outputs that find an entry at one tap."""
    return max((stop - first for first, stop, _ in map(line.real, range(line.taps))), default=0)


def _reads(axis: AxisLayout, line: Line) -> Array:
    """How often each entry is read; with a padding that shows entries again, what is read there counts too."""
    counts: Array = np.zeros(line.size, np.int64)
    for tap in range(line.taps):
        first, stop, entry = line.real(tap)
        counts[entry : entry + line.stride * (stop - first) : line.stride] += 1
    if len(axis.border):
        np.add.at(counts, axis.origin, counts[axis.border])
        counts = counts[axis.inner]
    return counts
