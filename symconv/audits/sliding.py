"""How a window may slide along one axis, read off two sizes; and which of these ways give the entries of an output.

A way to slide is a place where it starts and a step. Convolutions, transposed ones and their gradients differ in the
array that they read at these places; the search is one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np

from symconv.audits.reading import Array

__all__ = ["Fit", "Slide", "matches", "plain", "samples", "slides", "spreads"]

SAMPLES = 12
MOST_PAIRS = 4_000_000  # of the ways to slide along all axes, that are looked at together


@dataclass(frozen=True)
class Slide:
    """One way to slide along an axis.

    Attributes:
        stride, before, after: the options; `after` is the plainest of those that give the size.
        span: from the first tap of the window to the last.
        start, step: output q reads the table of all positions at ``start + step*q``.
        extra: the output padding, of a transposed convolution.
    """

    stride: int
    before: int
    after: int
    span: int
    start: int
    step: int
    extra: int = 0

    @property
    def cost(self) -> float:
        """How unusual it is."""
        uneven = 0.0 if self.before == self.after else 2.0
        cropped = 3.0 * (self.before < 0 or self.after < 0)
        padded = 0.3 * (self.before != 0) + 0.5 * (2 * max(self.before, self.after) > self.span)
        stepped = 0.5 * (self.stride > 1) + 0.01 * self.stride + 1.5 * (self.stride > self.span)
        return padded + stepped + uneven + cropped + self.extra


def _plainest(before: int, low: int, high: int) -> int:
    """Of the paddings after the input that give the size: that before it, else none, else the smallest."""
    if low <= before <= high:
        return before
    return 0 if low <= 0 <= high else low


@lru_cache(maxsize=1024)
def slides(size: int, span: int, outputs: int) -> tuple[Slide, ...]:
    """The ways to slide a window of a span over an input of a size that give a number of outputs.

    The table of positions begins with the window whose last tap alone is on the input. A padding of a whole span or
    more, whose first window reads nothing, is not looked for.

    >>> [(s.stride, s.before, s.after) for s in slides(5, 3, 5) if s.cost < 1]
    [(1, 1, 1)]
    """
    widest = span - 1
    found = []
    least = -(size - 1)
    most = (size + 2 * widest - span) // max(outputs - 1, 1)
    for before in range(least, widest + 1):
        for stride in range(1, most + 1 if outputs > 1 else 2):
            low = (outputs - 1) * stride + span - size - before  # of the paddings after it that reach the last output
            # one output alone has any stride that passes over the rest
            high = widest if outputs == 1 else min(widest, low + stride - 1)
            if low <= high and high >= least:
                after = _plainest(before, max(low, least), high)
                over = max(stride, size + before + after - span + 1) if outputs == 1 else stride
                found.append(Slide(over, before, after, span, widest - before, over))
    return tuple(found)


def spreads(size: int, span: int, outputs: int, stride: int, dilation: int) -> list[Slide]:
    """The ways to cut a number of outputs from what a transposed convolution spreads out.

    The table of positions is what the input reaches, followed by zeros as far as an output padding may go.
    """
    whole = (size - 1) * stride + span
    found = []
    for before in range(span):
        after = whole - before - outputs
        extra = before - after
        if 0 < extra < max(stride, dilation):
            found.append(Slide(stride, before, before, span, before, 1, extra))
        elif 0 <= after < span:
            found.append(Slide(stride, before, after, span, before, 1))
    return found


@dataclass(frozen=True)
class Fit:
    """Ways to slide, one an axis, that give an output; up to a constant where `bias` says so."""

    slides: tuple[Slide, ...]
    bias: bool


def matches(table: Array, slack: Array | None, y: Array, ways: Sequence[Sequence[Slide]]) -> Iterator[Fit]:
    """The ways to slide that read the entries of an output from a table.

    Args:
        table: what a window gives at every position, in float64; an axis each for the places.
        slack: how far an entry may be off, in the same shape; None where nothing is rounded.
        y: the output, with as many axes.
        ways: the ways to slide, an axis each.
    """
    if not all(ways):
        return
    ways = _affordable(ways)
    places = samples(y.shape, SAMPLES)
    starts = [np.array([way.start for way in axis]) for axis in ways]
    steps = [np.array([way.step for way in axis]) for axis in ways]
    plain = shifted = np.ones([len(axis) for axis in ways], dtype=bool)
    first: Array | None = None
    first_allowed: Array | float = 0.0
    for place in places:
        at = np.ix_(*(start + step * q for start, step, q in zip(starts, steps, place, strict=True)))
        off = table[at] - y[place]
        allowed: Array | float = 0.0 if slack is None else slack[at]
        plain = plain & (np.abs(off) <= allowed)
        if first is None:
            first, first_allowed = off, allowed
        else:
            shifted = shifted & (np.abs(off - first) <= allowed + first_allowed)
        if not plain.any() and not shifted.any():
            return
    varied = bool((y != y.flat[0]).any())
    for index in zip(*np.nonzero(plain | (shifted if varied else plain)), strict=True):
        chosen = tuple(axis[i] for axis, i in zip(ways, index, strict=True))
        window = tuple(
            slice(way.start, way.start + way.step * (n - 1) + 1, way.step)
            for way, n in zip(chosen, y.shape, strict=True)
        )
        off = table[window] - y
        allowed = 0.0 if slack is None else slack[window]
        if (np.abs(off) <= allowed).all():
            yield Fit(chosen, False)
        elif varied and (np.abs(off - off.flat[0]) <= allowed + np.max(allowed)).all():
            yield Fit(chosen, True)


def _affordable(ways: Sequence[Sequence[Slide]]) -> list[list[Slide]]:
    """The plainest ways of every axis, so many that all pairs of them can be looked at together."""
    most = int(MOST_PAIRS ** (1 / len(ways)))
    return [sorted(axis, key=lambda way: way.cost)[:most] for axis in ways]


@lru_cache(maxsize=64)
def samples(shape: tuple[int, ...], most: int) -> list[tuple[int, ...]]:
    """Places of an output, at most so many, spread over it: its middle, its corners, and some between."""
    corners = list(product(*((0, n - 1) if n > 1 else (0,) for n in shape)))
    middle = tuple(n // 2 for n in shape)
    rng = np.random.default_rng(0)
    more = [tuple(int(rng.integers(n)) for n in shape) for _ in range(2 * most)]
    return list(dict.fromkeys([middle, *corners, *more]))[:most]


def plain(values: tuple[int, ...]) -> int | tuple[int, ...]:
    """An option as it is written: one number where all axes have it."""
    return values[0] if len(set(values)) == 1 else values
