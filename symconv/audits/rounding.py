"""How far a floating-point output may be from the exact one: the a-priori bound of its type, never a guess."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from symconv.audits.reading import Array
from symconv.kernels.accuracy.units import Unit

__all__ = ["Rounding"]

DOUBLE = Unit.of(np.dtype(np.float64))
BFLOAT16 = Unit("bfloat16", 8, -126, (2.0 - 2.0**-7) * 2.0**127)


@dataclass(frozen=True)
class Rounding:
    """The arithmetic that made an output: exact, or rounded to nearest in a type.

    Attributes:
        unit: the coarsest of the types of the arrays; None where all are integers.
    """

    unit: Unit | None

    @classmethod
    def of(cls, *arrays: Array) -> Rounding:
        """That of the types of some arrays."""
        floats = [array.dtype for array in arrays if array.dtype.kind == "f"]
        return cls(Unit.of(min(floats, key=lambda dtype: dtype.itemsize)) if floats else None)

    @classmethod
    def named(cls, dtype: str) -> Rounding:
        """That of the name of a type, bfloat16 among them."""
        if dtype == BFLOAT16.name:
            return cls(BFLOAT16)
        return cls(Unit.of(np.dtype(dtype)) if np.dtype(dtype).kind == "f" else None)

    @property
    def exact(self) -> bool:
        """Whether nothing is rounded."""
        return self.unit is None

    def slack(self, magnitudes: Array, terms: int) -> Array:
        """How far sums of products, in any order, may be from what float64 gives here.

        Args:
            magnitudes: the sums of the absolute values of the products.
            terms: the number of products of a sum, a bias among them.

        Source: Higham, Accuracy and Stability of Numerical Algorithms (2002), sections 3.1 and 4.2: any order of
        summation has an error of at most ``gamma(n)`` times the sum of absolute values; the bound holds for what is
        compared and for what it is compared with.
        """
        ours = DOUBLE.gamma(terms + 2)
        theirs, least = (0.0, 0.0) if self.unit is None else (self.unit.gamma(terms + 2), terms * self.unit.w)
        bound: Array = (ours + theirs) * magnitudes + least
        return bound

    def slack_of(self, magnitudes: Array, roundings: Array) -> Array:
        """The same, where every entry has a number of roundings of its own, none of which is of a 0.

        A sum of 0 has no error; where a type has too few digits for so many roundings nothing is promised, and the
        bound is infinite.
        """
        unit = DOUBLE if self.unit is None else self.unit
        ours, theirs = (_gamma(float(u.u), roundings) for u in (DOUBLE, unit))
        with np.errstate(invalid="ignore"):
            bound = (ours + theirs) * magnitudes * (1 + 1e-12) + roundings * unit.w
        return np.where(magnitudes == 0, 0.0, bound)


def _gamma(u: float, n: Array) -> Array:
    """``n*u/(1 - n*u)``, infinite where ``n*u >= 1``."""
    with np.errstate(divide="ignore"):
        return np.where(n * u < 1, n * u / np.maximum(1 - n * u, 0.0), np.inf)
