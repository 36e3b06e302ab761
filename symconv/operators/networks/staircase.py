"""Integer functions that repeat with a shift, ``f(o + period) = f(o) + rise``, and receptive fields made of them.

The first and the last input that an output depends on are such functions of its position: affine for a convolution or
pooling, rounded for a transposed convolution or an adaptive pooling; compositions, minima and maxima stay in the class.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm
from typing import TYPE_CHECKING

from symconv.errors import SizeLimitError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Field", "Staircase"]

LONGEST = 100_000
FARTHEST = 1 << 31  # times as many outputs, it fits into 64 bits


@dataclass(frozen=True)
class Staircase:
    """``f(o) = values[o mod period] + (o div period) * rise`` for all integers o, with ``period = len(values)``.

    >>> half = Staircase.of(lambda o: o // 2, 2, 1)
    >>> [half.after(Staircase((1,), 3))(o) for o in range(4)]  # floor((3 o + 1) / 2)
    [0, 2, 3, 5]
    """

    values: tuple[int, ...]
    rise: int
    table: bool = False
    """Whether it says nothing beyond its period: the places of parts that were put together."""

    @staticmethod
    def of(function: Callable[[int], int], period: int, rise: int, table: bool = False) -> Staircase:
        """The staircase of a function that is known to be one."""
        if period > LONGEST:
            raise SizeLimitError(f"a receptive field that repeats only after {period:,} outputs; at most {LONGEST:,}")
        found = Staircase(tuple(function(o) for o in range(period)), rise, table)
        if max(map(abs, (rise, *found.values))) > FARTHEST:
            raise SizeLimitError(f"a receptive field that reaches {FARTHEST:,} positions or more")
        return found

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

    @property
    def rises(self) -> bool:
        """Whether it never falls, beyond its ends as well."""
        if self.table:
            return False
        steps = zip(self.values, (*self.values[1:], self.values[0] + self.rise), strict=True)
        return all(here <= there for here, there in steps)

    def over(self, count: int) -> NDArray[np.int64]:
        """The values at ``0 .. count - 1``."""
        import numpy as np

        turns, places = np.divmod(np.arange(count), self.period)
        found: NDArray[np.int64] = np.asarray(self.values, np.int64)[places] + turns * self.rise
        return found

    def plus(self, constant: int) -> Staircase:
        """The function with a constant added."""
        return Staircase(tuple(value + constant for value in self.values), self.rise, self.table)

    def summed(self, other: Staircase) -> Staircase:
        """``o -> self(o) + other(o)``."""
        period = lcm(self.period, other.period)
        rise = self.rise * (period // self.period) + other.rise * (period // other.period)
        return Staircase.of(lambda o: self(o) + other(o), period, rise, self.table or other.table).reduced()

    def after(self, inner: Staircase) -> Staircase:
        """``o -> self(inner(o))``."""
        turns = self.period // gcd(self.period, inner.rise)
        rise = self.rise * (inner.rise * turns // self.period)
        both = self.table or inner.table
        return Staircase.of(lambda o: self(inner(o)), inner.period * turns, rise, both).reduced()

    def reduced(self) -> Staircase:
        """The same function with the shortest period."""
        for period in range(1, self.period):
            turns, rest = divmod(self.period, period)
            if rest or self.rise % turns:
                continue
            shorter = Staircase(self.values[:period], self.rise // turns, self.table)
            if all(shorter(o) == value for o, value in enumerate(self.values)):
                return shorter
        return self

    def merged(self, other: Staircase, choose: Callable[[int, int], int]) -> Staircase:
        """The minimum or the maximum of two functions of the same slope."""
        period = lcm(self.period, other.period)
        rise = self.rise * (period // self.period)
        return Staircase.of(lambda o: choose(self(o), other(o)), period, rise, self.table or other.table).reduced()


@dataclass(frozen=True)
class Field:
    """The input that an output depends on along one axis, as if the input went on beyond its ends.

    Attributes:
        first, last: the first and the last input position, as functions of the position of the output.
    """

    first: Staircase = Staircase((0,), 1)
    last: Staircase = Staircase((0,), 1)

    def extent(self, outputs: int) -> int:
        """The receptive field: the largest number of positions from first to last, over that many outputs."""
        same = self.first.slope == self.last.slope
        table = self.first.table or self.last.table
        count = min(outputs, lcm(self.first.period, self.last.period)) if same and not table else outputs
        return int((self.last.over(count) - self.first.over(count)).max()) + 1

    @property
    def jump(self) -> Fraction:
        """The input positions between neighbouring outputs, on average where they differ."""
        return self.first.slope or self.last.slope

    def through(self, first: Staircase, last: Staircase) -> Field:
        """The field of a layer above: the inputs of the first and of the last position that it reads."""
        return Field(self.first.after(first), self.last.after(last))

    def plus(self, other: Field) -> Field:
        """The sum of both ends."""
        return Field(self.first.summed(other.first), self.last.summed(other.last))

    def joined(self, other: Field) -> Field | None:
        """The field of a sum of two images; None where their outputs lie differently far apart."""
        if self.first.slope != other.first.slope or self.last.slope != other.last.slope:
            return None
        return Field(self.first.merged(other.first, min), self.last.merged(other.last, max))
