"""The gradient of the input of a convolution from columns: every tap adds its row of them to the gradient (col2im).

The gradient is split by the remainder of positions modulo the stride into phases, and the spatial axes of a phase are
flattened: then a tap is one shift of a line for all outputs at once. The rows of the upstream gradient are filled up
with zeros to the length of a row of the phase, so that what a shift carries over the end of a row is 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import prod
from typing import Any

import numpy

from symconv.kernels.convolutions.columns import wanted
from symconv.kernels.convolutions.scratch import scratch
from symconv.kernels.convolutions.windows import cuts
from symconv.kernels.geometry import Line
from symconv.kernels.padding import Array

__all__ = ["Phases", "add_tap", "hand_out", "scatter"]


def hand_out(weight: Array, g: Array, columns: Array) -> None:
    """What the outputs hand to each of their taps: ``(groups, K, f) @ (groups, f, positions)``."""
    numpy.matmul(weight.transpose(0, 2, 1), g, out=columns)


def add_tap(line: Array, row: Array) -> None:
    """What one tap receives is added to its line of the gradient."""
    numpy.add(line, row, out=line)


class Phases:
    """The positions that windows read, by their remainder modulo the stride, each phase flattened to a line.

    Counted from the first position that is read, position ``stride*i + r`` is entry i of phase r, and the tap at
    distance e from the start of its window belongs to the phase ``e mod stride``, at the shift ``e // stride``.
    """

    def __init__(self, lines: tuple[Line, ...]) -> None:
        self.lines = lines
        self.extents = tuple(line.outputs + line.step * (line.taps - 1) // line.stride for line in lines)
        self.steps = tuple(prod(self.extents[axis + 1 :]) for axis in range(len(lines)))
        self.numbers: dict[tuple[int, ...], int] = {}
        for _, phase, _ in self.taps():
            self.numbers.setdefault(phase, len(self.numbers))

    def taps(self) -> Iterator[tuple[tuple[int, ...], tuple[int, ...], int]]:
        """Every tap, its phase, and its shift on the line."""
        for tap in product(*(range(line.taps) for line in self.lines)):
            parts = [divmod(line.step * m, line.stride) for m, line in zip(tap, self.lines, strict=True)]
            shift = sum(whole * step for (whole, _), step in zip(parts, self.steps, strict=True))
            yield tap, tuple(rest for _, rest in parts), shift

    def interleave(self, entries: Array, phase: tuple[int, ...], out: Array) -> None:
        """Put a phase ``(groups, channels, batch, *extents)`` to its places: ``(batch, groups, channels, *sizes)``."""
        here: Any = [...]
        there: Any = [...]
        for line, rest, extent in zip(self.lines, phase, self.extents, strict=True):
            first = max(0, -((rest - line.before) // line.stride))  # the first entry that is not cropped away
            stop = max(first, min(extent, (line.size - 1 - rest + line.before) // line.stride + 1))
            start = line.stride * first + rest - line.before
            here.append(slice(first, stop))
            there.append(slice(start, start + line.stride * (stop - first), line.stride))
        out[tuple(there)] = numpy.moveaxis(entries, 2, 0)[tuple(here)]


def scatter(g: Array, weight: Array, lines: tuple[Line, ...], out: Array) -> None:
    """Write the gradient of the input.

    Args:
        g: the upstream gradient ``(batch, groups, f, *outputs)``.
        weight: ``(groups, f, channels, *kernel)``.
        lines: how the output reads each spatial axis of the input.
        out: where to write, ``(batch, groups, channels, *sizes)``.
    """
    phases = Phases(lines)
    with scratch(out.dtype) as work:
        groups, f, channels = weight.shape[:3]
        matrix = weight.reshape(groups, f, -1)
        outputs = tuple(line.outputs for line in lines)
        size = prod(phases.extents)
        out.fill(0)
        inside: Any = (..., *(slice(0, o) for o in outputs[1:]))
        for cut in cuts(len(g), outputs, wanted(lines, groups * matrix.shape[2], out.itemsize)):
            batch, height = cut.items.stop - cut.items.start, cut.stop - cut.start
            sums = work.array("sums", (len(phases.numbers), groups, channels, batch, size))
            if cut.start == 0:
                sums.fill(0)
            upstream = work.array("upstream", (groups, f, batch, height, *phases.extents[1:]))
            upstream.fill(0)
            upstream[inside] = numpy.moveaxis(g[cut.items, :, :, cut.start : cut.stop], 0, 2)
            length = height * phases.steps[0]
            columns = work.array("columns", (groups, matrix.shape[2], batch * length))
            hand_out(matrix, upstream.reshape(groups, f, -1), columns)
            each = columns.reshape(groups, channels, *weight.shape[3:], batch, length)
            for tap, phase, shift in phases.taps():
                first = cut.start * phases.steps[0] + shift
                fits = min(length, size - first)  # behind the last output there are only zeros
                row: Any = (slice(None), slice(None), *tap, slice(None), slice(0, fits))
                add_tap(sums[phases.numbers[phase]][..., first : first + fits], each[row])
            if cut.stop == outputs[0]:
                for phase, number in phases.numbers.items():
                    entries = sums[number].reshape(groups, channels, batch, *phases.extents)
                    phases.interleave(entries, phase, out[cut.items])
