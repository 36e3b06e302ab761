"""The promises of dilation and erosion: a sum rounded once; and their gradients, where rounding may decide a tie."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from symconv.kernels.accuracy.promise import HIGHAM, Error, Promise
from symconv.kernels.accuracy.units import enlarged
from symconv.kernels.runtime.padding import Array

__all__ = ["BestSum", "HandedOut", "candidates"]

Taps = Callable[[], Iterator[tuple[int, tuple[int, ...], Any, Any]]]


@dataclass(frozen=True)
class BestSum(Promise):
    """``gamma(n) * |c|``: rounding keeps the order of numbers, so that the best rounded sum is the best one, rounded.

    Attributes:
        roundings: 1, and 1 more where an argument is rounded first; then |c| is the largest |a| + |b|.
    """

    roundings: int

    source: ClassVar[str] = f"one addition, rounded to nearest: {HIGHAM}, (2.4)"

    @property
    def constant(self) -> float:
        return self.unit.gamma(self.roundings)

    @property
    def formula(self) -> str:
        return f"γ({self.roundings})·{'|c|' if self.roundings == 1 else 'max(|a| + |b|)'}"

    def of(self, size: Array) -> Error:
        """The bound for the sizes of the sums, in float64."""
        sure = enlarged(size, 2)
        return Error(self.constant * sure, sure, sure)


@dataclass(frozen=True)
class HandedOut(Promise):
    """``gamma(n) * sum of |g|`` over the outputs that an entry or a weight attains, or may attain after rounding.

    Where two sums are closer than rounding can tell, and not equal, another tap may be taken than exact arithmetic
    does: |g| of such an output is added once more, for all taps in question.

    Attributes:
        roundings: n.
    """

    roundings: int

    source: ClassVar[str] = f"a sum in any order: {HIGHAM}, (4.4); near ties are looked for in the arguments"

    @property
    def constant(self) -> float:
        return self.unit.gamma(self.roundings)

    @property
    def formula(self) -> str:
        return f"γ({self.roundings})·∑|g|, and ∑|g| over outputs whose best sums rounding may exchange"

    def of(self, sure: Array, doubtful: Array, terms: int) -> Error:
        """The bound for the sums of |g| over what is attained, and over what is in doubt."""
        total = enlarged(sure + doubtful, terms)
        return Error(self.constant * total + enlarged(doubtful, terms), total, total)


def candidates(
    x: Array, weight: Array, outputs: tuple[int, ...], taps: Taps, u: float, rounded: bool
) -> Iterator[tuple[tuple[int, ...], Any, Any, Array, Array]]:
    """Of every tap: its place, the outputs and entries it connects, where it may be taken, and where that is in doubt.

    Sums are compared exactly, as a rounded sum and what was lost of it (Knuth's TwoSum); a tap may be taken where its
    sum is as near to the best one as roundings by u may bring it.

    Args:
        x, weight: what is added, in float64, for the largest sum.
        outputs: the shape of the result, planes first.
        taps: the taps in order.
        u: the unit roundoff of the sums.
        rounded: whether the arguments are rounded, too, before they are added.
    """
    best, lost, size = np.full(outputs, -np.inf), np.zeros(outputs), np.zeros(outputs)
    for _, tap, where, inputs in taps():
        total, rest = _two_sum(x[inputs], weight[tap])
        better = (total > best[where]) | ((total == best[where]) & (rest > lost[where]))
        best[where], lost[where] = np.where(better, total, best[where]), np.where(better, rest, lost[where])
        size[where] = np.maximum(size[where], np.abs(x[inputs]) + np.abs(weight[tap]))
    near, doubt = [], np.zeros(outputs, bool)
    for _, tap, where, inputs in taps():
        total, rest = _two_sum(x[inputs], weight[tap])
        slack = 4 * u * (np.abs(total) + np.abs(best[where]) + (size[where] if rounded else 0))
        close = ~(total < best[where] - slack)
        same = (total == best[where]) & (rest == lost[where])
        doubt[where] |= close & ~(same & (not rounded))
        near.append((tap, where, inputs, close))
    taken = np.zeros(outputs, bool)
    for tap, where, inputs, close in near:
        first = close & (doubt[where] | ~taken[where])
        taken[where] |= close
        yield tap, where, inputs, first, first & doubt[where]


def _two_sum(a: Array, b: Any) -> tuple[Array, Array]:
    """A sum, and what rounding took from it: exact where nothing overflows."""
    total = a + b
    back = total - a
    return total, (a - (total - back)) + (b - back)
