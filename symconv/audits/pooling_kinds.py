"""The kinds of pooling that are looked for: what one window tells, and the operators that are then tried."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any, Protocol

import numpy as np

from symconv.audits.passages import Passage
from symconv.audits.reading import Array
from symconv.audits.rounding import Rounding
from symconv.audits.sliding import plain
from symconv.operators.base import Operator
from symconv.operators.pooling import AvgPool, LPPool, MaxPool

__all__ = ["KINDS", "PoolingKind"]

MOST_ENDS = 6
"""Ways to end an axis that are tried of an average, whose divisor depends on them."""


class PoolingKind(Protocol):
    """One kind of pooling."""

    def may(self, window: Array, value: float, rounding: Rounding) -> bool:
        """Whether the real entries of a window may give a value."""

    def values(self, window: Array, taps: int) -> tuple[float, ...]:
        """What it may make of the real entries of a window with a number of taps, without an override."""

    def operators(self, passages: Sequence[Passage], window: Array, value: float) -> Iterator[tuple[Operator, float]]:
        """The operators with these windows, each with how unusual it is; `window` and `value` are of one output."""


def _options(passages: Sequence[Passage], ends: Sequence[tuple[int, bool]]) -> dict[str, Any]:
    pairs = tuple((passage.before, after) for passage, (after, _) in zip(passages, ends, strict=True))
    even = all(before == after for before, after in pairs)
    return {
        "kernel_size": tuple(passage.kernel for passage in passages),
        "stride": plain(tuple(passage.stride for passage in passages)),
        "padding": plain(tuple(before for before, _ in pairs)) if even else pairs,
        "dilation": plain(tuple(passage.dilation for passage in passages)),
        "ceil_mode": ends[0][1],
    }


def _ways(passages: Sequence[Passage]) -> list[tuple[float, dict[str, Any]]]:
    """The options with every way to end the axes, all with one rule of rounding the size, the plainest first.

    Each stands with how much more unusual it is than the plainest way to end every axis by itself.
    """
    found = []
    for ceiling in (False, True):
        axes = [[end for end in passage.ends if end[1] == ceiling][:MOST_ENDS] for passage in passages]
        for ends in product(*axes):
            pairs = zip(passages, ends, strict=True)
            cost = sum(
                passage.end_cost(*end) - min(passage.end_cost(*e) for e in passage.ends) for passage, end in pairs
            )
            found.append((cost, _options(passages, ends)))
    return sorted(found, key=lambda pair: pair[0])


@dataclass(frozen=True)
class Largest:
    """The largest entry: what lies behind the input never wins, so that the ways to end an axis give the same."""

    def may(self, window: Array, value: float, rounding: Rounding) -> bool:
        del rounding  # nothing is rounded
        return value in self.values(window, window.size)

    def values(self, window: Array, taps: int) -> tuple[float, ...]:
        del taps
        return (float(window.max()),) if window.size else ()

    def operators(self, passages: Sequence[Passage], window: Array, value: float) -> Iterator[tuple[Operator, float]]:
        del window, value
        for cost, options in _ways(passages)[:1]:
            yield MaxPool(**options), cost


@dataclass(frozen=True)
class Average:
    """The sum over a divisor: the taps, the real taps, or any number."""

    def may(self, window: Array, value: float, rounding: Rounding) -> bool:
        total, sizes = float(window.sum()), float(np.abs(window).sum())
        slack = float(rounding.slack(np.array(sizes), window.size + 1))
        if value == 0.0 or not window.size:
            return abs(total) <= slack
        divisor = round(total / value)
        return divisor >= 1 and abs(total - divisor * value) <= 2 * slack

    def values(self, window: Array, taps: int) -> tuple[float, ...]:
        return (float(window.sum()) / taps, float(window.sum()) / max(window.size, 1))

    def operators(self, passages: Sequence[Passage], window: Array, value: float) -> Iterator[tuple[Operator, float]]:
        counts = any(passage.before or passage.ends != [(0, False)] for passage in passages)
        ways = _ways(passages)
        for cost, options in ways:
            yield AvgPool(**options), 0.1 + cost
            if counts:
                yield AvgPool(**options, count_include_pad=False), 0.3 + cost
        divisor = round(float(window.sum()) / value) if value else 0
        if divisor >= 1 and divisor != prod(passage.kernel for passage in passages):
            for cost, options in ways[:1]:
                yield AvgPool(**options, divisor_override=divisor), 2.0 + cost


@dataclass(frozen=True)
class LPNorm:
    """The LP norm.

    Attributes:
        p: its exponent.
    """

    p: float

    def may(self, window: Array, value: float, rounding: Rounding) -> bool:
        terms = window.size + 8 * NORMS.index(self.p) + 8  # a power and a root are a few roundings each
        norms = self.values(window, window.size)
        return any(abs(norm - value) <= float(rounding.slack(np.array(norm), terms)) for norm in norms)

    def values(self, window: Array, taps: int) -> tuple[float, ...]:
        del taps
        sizes = np.abs(window)
        top = float(sizes.max()) if window.size else 0.0
        if not top or self.p == float("inf"):
            return (top,)
        return (top * float(((sizes / top) ** self.p).sum()) ** (1.0 / self.p),)

    def operators(self, passages: Sequence[Passage], window: Array, value: float) -> Iterator[tuple[Operator, float]]:
        del window, value
        for cost, options in _ways(passages)[:1]:
            yield LPPool(self.p, **options), 0.3 + 0.05 * NORMS.index(self.p) + cost


NORMS = (2, 1, 3, 4, float("inf"))
"""The exponents of LP poolings that are looked for, the commonest first."""

KINDS: tuple[PoolingKind, ...] = (Largest(), Average(), *(LPNorm(p) for p in NORMS))
