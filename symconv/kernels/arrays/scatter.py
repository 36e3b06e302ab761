"""The gradient of the input of a convolution from columns: every tap adds its row of them to the gradient (col2im).

The gradient is split by the remainder of positions modulo the stride into phases, and the spatial axes of a phase are
flattened: then a tap is one shift of a line for all outputs at once. The rows of the upstream gradient are filled up
with zeros to the length of a row of the phase, so that what a shift carries over the end of a row is 0.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from math import prod
from typing import Any

import numpy

from symconv.kernels.arrays.columns import wanted
from symconv.kernels.arrays.windows import PREPARED, sections, split
from symconv.kernels.runtime.geometry import Line
from symconv.kernels.runtime.padding import Array
from symconv.kernels.runtime.workspace import Workspace

__all__ = ["add_tap", "hand_out", "phases_of", "scatter"]


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

    Attributes:
        extents: the entries of a phase along every axis, and `steps`, how far apart they are on its line.
        taps: every tap, the number of its phase, and its shift on the line.
        places: of every phase the entries that are not cropped away, and where they belong, as indices.
    """

    def __init__(self, lines: tuple[Line, ...]) -> None:
        self.extents = tuple(line.outputs + line.step * (line.taps - 1) // line.stride for line in lines)
        self.steps = tuple(prod(self.extents[axis + 1 :]) for axis in range(len(lines)))
        numbers: dict[tuple[int, ...], int] = {}
        self.taps: list[tuple[tuple[int, ...], int, int]] = []
        for tap in product(*(range(line.taps) for line in lines)):
            parts = [divmod(line.step * m, line.stride) for m, line in zip(tap, lines, strict=True)]
            number = numbers.setdefault(tuple(rest for _, rest in parts), len(numbers))
            shift = sum(whole * step for (whole, _), step in zip(parts, self.steps, strict=True))
            self.taps.append((tap, number, shift))
        self.places = [self._place(lines, phase) for phase in numbers]

    def _place(self, lines: tuple[Line, ...], phase: tuple[int, ...]) -> tuple[Any, Any]:
        here: list[Any] = [...]
        there: list[Any] = [...]
        for line, rest, extent in zip(lines, phase, self.extents, strict=True):
            first = max(0, -((rest - line.before) // line.stride))  # the first entry that is not cropped away
            stop = max(first, min(extent, (line.size - 1 - rest + line.before) // line.stride + 1))
            start = line.stride * first + rest - line.before
            here.append(slice(first, stop))
            there.append(slice(start, start + line.stride * (stop - first), line.stride))
        return tuple(here), tuple(there)


@lru_cache(maxsize=PREPARED)
def phases_of(lines: tuple[Line, ...]) -> Phases:
    """The phases of the positions that windows read; remembered."""
    return Phases(lines)


def scatter(g: Array, weight: Array, lines: tuple[Line, ...], out: Array) -> None:
    """Write the gradient of the input.

    Args:
        g: the upstream gradient ``(batch, groups, f, *outputs)``.
        weight: ``(groups, f, channels, *kernel)``.
        lines: how the output reads each spatial axis of the input.
        out: where to write, ``(batch, groups, channels, *sizes)``.
    """
    phases = phases_of(lines)
    groups, f, channels = weight.shape[:3]
    matrix = weight.reshape(groups, f, -1)
    outputs = tuple(line.outputs for line in lines)
    size = prod(phases.extents)
    inside: Any = (..., *(slice(0, o) for o in outputs[1:]))
    together, rows = split(len(g), outputs, wanted(lines, groups * matrix.shape[2], out.itemsize))
    out.fill(0)
    with Workspace(out.dtype) as work:
        for firsts, batch in sections(len(g), together):
            sums = work.array("sums", (len(phases.places), groups, channels, batch, size))
            for item in firsts:
                items = slice(item, item + batch)
                sums.fill(0)
                for start in range(0, outputs[0], rows):
                    height = min(rows, outputs[0] - start)
                    upstream = work.array("upstream", (groups, f, batch, height, *phases.extents[1:]))
                    upstream.fill(0)
                    upstream[inside] = numpy.moveaxis(g[items, :, :, start : start + height], 0, 2)
                    length = height * phases.steps[0]
                    columns = work.array("columns", (groups, matrix.shape[2], batch * length))
                    hand_out(matrix, upstream.reshape(groups, f, -1), columns)
                    each = columns.reshape(groups, channels, *weight.shape[3:], batch, length)
                    for tap, number, shift in phases.taps:
                        first = start * phases.steps[0] + shift
                        fits = min(length, size - first)  # behind the last output there are only zeros
                        row: Any = (slice(None), slice(None), *tap, slice(None), slice(0, fits))
                        add_tap(sums[number, ..., first : first + fits], each[row])
                entries = sums.reshape(*sums.shape[:4], *phases.extents)
                for number, (here, there) in enumerate(phases.places):
                    out[items][there] = numpy.moveaxis(entries[number], 2, 0)[here]
