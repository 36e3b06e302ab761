"""The numbers of a floating-point type that rounding errors are bounded by."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

__all__ = ["SAFE", "Unit", "enlarged", "upward"]

SAFE = Fraction(1, 1 << 52)
"""Twice the unit roundoff of float64, which bounds are evaluated in."""


@dataclass(frozen=True)
class Unit:
    """A type whose operations round to nearest, with gradual underflow.

    Attributes:
        name: the type.
        digits: the binary digits of a number: the unit roundoff u is ``2**-digits``.
        least: the exponent of the smallest normal number w: what underflow adds to a number is at most ``u*w``.
        largest: the largest number.
    """

    name: str
    digits: int
    least: int
    largest: float

    @classmethod
    def of(cls, dtype: np.dtype[Any]) -> Unit:
        """The unit of float16, float32 or float64."""
        limits = np.finfo(dtype)
        return cls(dtype.name, limits.nmant + 1, limits.minexp, float(limits.max))

    @property
    def u(self) -> Fraction:
        """The unit roundoff: a result of one operation is off by at most u times its size."""
        return Fraction(1, 1 << self.digits)

    @property
    def w(self) -> float:
        """The smallest normal number."""
        return math.ldexp(1.0, self.least)

    def gamma(self, n: int) -> float:
        """``n*u/(1 - n*u)``, rounded upward: what n factors ``(1 + d)**±1``, |d| <= u, differ from 1 by at most.

        Infinite where ``n*u >= 1``.

        Source: Higham, Accuracy and Stability of Numerical Algorithms (2002), lemma 3.1.

        >>> Unit.of(np.dtype("float32")).gamma(4096)
        0.000244200...
        """
        return math.inf if n * self.u >= 1 else upward(n * self.u / (1 - n * self.u))


def upward(value: Fraction) -> float:
    """The smallest float64 that is not below a number."""
    near = float(value)
    return near if Fraction(near) >= value else math.nextafter(near, math.inf)


def enlarged(sums: Any, n: int) -> Any:
    """A sum of n terms that are not negative, computed in float64 in any order, or what is certainly not below it.

    Underflow is not looked at: what is added for that of the plan is far larger.
    """
    return sums * upward(1 + (n + 2) * SAFE)
