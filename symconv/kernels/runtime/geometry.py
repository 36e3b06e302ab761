"""How a correlation reads one axis, and how its adjoint does: three numbers and two sizes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import product
from math import gcd
from typing import NamedTuple

from symconv.kernels.runtime.layout import AxisLayout, Layout

__all__ = ["Line", "adjoint_lines", "lines_of", "phases"]


class Line(NamedTuple):  # a tuple, because what is computed from lines is remembered by them
    """One axis: tap m in ``0..taps-1`` of output o in ``0..outputs-1`` reads entry ``stride*o + step*m - before``.

    Entries outside of ``0..size-1`` are zero; `step` is positive, and `before` negative where entries are cropped.
    """

    size: int
    outputs: int
    taps: int
    stride: int
    step: int
    before: int

    @property
    def length(self) -> int:
        """How many consecutive entries all windows together span, the first of them entry ``-before``."""
        return self.stride * (self.outputs - 1) + self.step * (self.taps - 1) + 1

    @property
    def inside(self) -> bool:
        """Whether all windows lie in the input."""
        return self.before <= 0 and self.length - self.before <= self.size

    @property
    def span(self) -> Line:
        """The axis of all entries that the windows read, gaps included, as outputs with one tap."""
        return Line(self.size, self.length, 1, 1, 1, self.before)

    def part(self, first: int, stop: int) -> Line:
        """How the outputs ``first..stop-1`` read."""
        return self._replace(outputs=stop - first, before=self.before - self.stride * first)

    def real(self, tap: int) -> tuple[int, int, int]:
        """``(first, stop, entry)``: outputs ``first..stop-1`` find the input at a tap, the first of them `entry`."""
        at = self.step * tap - self.before
        first = max(0, -(at // self.stride))
        stop = max(first, min(self.outputs, (self.size - 1 - at) // self.stride + 1))
        return first, stop, self.stride * first + at


def lines_of(layout: Layout) -> tuple[Line, ...]:
    """The lines of a layout: of the input where the padding is zeros, else of the padded input."""
    modes = any(len(axis.border) for axis in layout.axes)
    return tuple(_line(axis, size, modes) for axis, size in zip(layout.axes, layout.sizes, strict=True))


def _line(axis: AxisLayout, size: int, padded: bool) -> Line:
    walk = axis.walk
    if padded:
        return Line(axis.length, axis.outputs, walk.taps, walk.stride, abs(walk.step), -axis.shift)
    first = 0 if walk.step > 0 else walk.taps - 1
    return Line(size, axis.outputs, walk.taps, walk.stride, abs(walk.step), -int(axis.starts[first]))


@lru_cache(maxsize=256)
def adjoint_lines(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """How the gradient of the input reads the upstream gradient, with the kernel turned around; stride 1."""
    return tuple(
        Line(line.outputs, line.size, line.taps, 1, line.step, line.step * (line.taps - 1) - line.before)
        for line in lines
    )


def phases(lines: tuple[Line, ...]) -> Iterator[tuple[tuple[slice, ...], tuple[slice, ...], tuple[Line, ...]]]:
    """The gradient of the input of a strided correlation as one correlation of stride 1 a phase.

    Entry ``i = first + stride*j`` is read by the taps m with ``step*m`` as ``i + before`` modulo the stride: with
    ``g = gcd(step, stride)`` these are every ``stride/g``-th tap, or none. From one of them to the next the output that
    reads moves by ``step/g``.

    Yields:
        the entries of a phase, its taps in the turned kernel, and how it reads the upstream gradient.
    """
    for choice in product(*(tuple(_phases(line)) for line in lines)):
        yield tuple(c[0] for c in choice), tuple(c[1] for c in choice), tuple(c[2] for c in choice)


def _phases(line: Line) -> Iterator[tuple[slice, slice, Line]]:
    common = gcd(line.step, line.stride)
    apart, step = line.stride // common, line.step // common
    for first in range(min(line.stride, line.size)):
        entries = slice(first, None, line.stride)
        outputs = len(range(first, line.size, line.stride))
        start = next((m for m in range(apart) if (first + line.before - line.step * m) % line.stride == 0), line.taps)
        taps = len(range(start, line.taps, apart))
        if not taps:
            yield entries, slice(0, 0), Line(line.outputs, outputs, 0, 1, 1, 0)
            continue
        whole = (first + line.before - line.step * start) // line.stride
        last = start + apart * (taps - 1)  # turned, the taps stand backwards, tap m at taps-1-m
        turned = slice(line.taps - 1 - last, line.taps - start, apart)
        yield entries, turned, Line(line.outputs, outputs, taps, 1, step, step * (taps - 1) - whole)
