"""Integer functions that repeat with a shift, ``f(o + period) = f(o) + rise``, and receptive fields made of them.

The first and the last input that an output depends on are such functions of its position: affine for a convolution or
pooling, rounded for a transposed convolution or an adaptive pooling; compositions, minima and maxima stay in the class.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm

from symconv.errors import SizeLimitError

__all__ = ["Field", "Staircase"]

LONGEST = 100_000


@dataclass(frozen=True)
class Staircase:
    """``f(o) = values[o mod period] + (o div period) * rise`` for all integers o, with ``period = len(values)``.

    >>> half = Staircase.of(lambda o: o // 2, 2, 1)
    >>> [half.after(Staircase((1,), 3))(o) for o in range(4)]  # floor((3 o + 1) / 2)
    [0, 2, 3, 5]
    """

    values: tuple[int, ...]
    rise: int

    @staticmethod
    def of(function: Callable[[int], int], period: int, rise: int) -> Staircase:
        """The staircase of a function that is known to be one."""
        if period > LONGEST:
            raise SizeLimitError(f"a receptive field that repeats only after {period:,} outputs; at most {LONGEST:,}")
        return Staircase(tuple(function(o) for o in range(period)), rise)

    @property
    def period(self) -> int:
        return len(self.values)

    @property
    def slope(self) -> Fraction:
        """The rise a step, on average."""
        return Fraction(self.rise, self.period)

    def __call__(self, o: int) -> int:
        turns, place = divmod(o, self.period)
        return self.values[place] + turns * self.rise

    def after(self, inner: Staircase) -> Staircase:
        """``o -> self(inner(o))``."""
        turns = self.period // gcd(self.period, inner.rise)
        rise = self.rise * (inner.rise * turns // self.period)
        return Staircase.of(lambda o: self(inner(o)), inner.period * turns, rise).reduced()

    def reduced(self) -> Staircase:
        """The same function with the shortest period."""
        for period in range(1, self.period):
            turns, rest = divmod(self.period, period)
            if rest or self.rise % turns:
                continue
            shorter = Staircase(self.values[:period], self.rise // turns)
            if all(shorter(o) == value for o, value in enumerate(self.values)):
                return shorter
        return self

    def merged(self, other: Staircase, choose: Callable[[int, int], int]) -> Staircase:
        """The minimum or the maximum of two functions of the same slope."""
        period = lcm(self.period, other.period)
        return Staircase.of(lambda o: choose(self(o), other(o)), period, self.rise * (period // self.period)).reduced()


@dataclass(frozen=True)
class Field:
    """The input that an output depends on along one axis, as if the input went on beyond its ends.

    Attributes:
        first, last: the first and the last input position, as functions of the position of the output.
        whole: True where every output depends on the whole axis, as behind a gate that averages over the image.
    """

    first: Staircase = Staircase((0,), 1)
    last: Staircase = Staircase((0,), 1)
    whole: bool = False

    def extent(self, outputs: int) -> int:
        """The receptive field: the largest number of positions from first to last, over that many outputs."""
        return max(self.last(o) - self.first(o) + 1 for o in range(min(outputs, self._period)))

    @property
    def _period(self) -> int:
        return lcm(self.first.period, self.last.period)

    @property
    def jump(self) -> Fraction:
        """The input positions between neighbouring outputs, on average where they differ."""
        return self.first.slope

    def through(self, first: Staircase, last: Staircase) -> Field:
        """The field of a layer above: the inputs of the first and of the last position that it reads."""
        return Field(self.first.after(first), self.last.after(last), self.whole)

    def joined(self, other: Field) -> Field | None:
        """The field of a sum of two images; None where their outputs lie differently far apart."""
        if self.whole or other.whole:
            return Field(self.first, self.last, whole=True)
        if self.jump != other.jump or self.last.slope != other.last.slope:
            return None
        return Field(self.first.merged(other.first, min), self.last.merged(other.last, max))
