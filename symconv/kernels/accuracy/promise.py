"""What a plan promises of one task, as a formula that is printed and evaluated from the same numbers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from symconv.kernels.accuracy.magnitudes import Magnitudes
from symconv.kernels.accuracy.units import Unit
from symconv.kernels.runtime.padding import Array

__all__ = ["HIGHAM", "Error", "Exact", "Promise", "TaskPromise", "settled"]

HIGHAM = "Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed. 2002"


@dataclass(frozen=True)
class Error:
    """A promise evaluated for the arrays of a call, entry by entry of a result.

    Attributes:
        error: what the result, in the type that is computed in, differs by at most from that of exact arithmetic.
        size: what the exact result is at most, in absolute value.
        largest: what nothing that is computed on the way exceeds: where that overflows, nothing is promised.
    """

    error: Array
    size: Array
    largest: Array


@dataclass(frozen=True)
class Promise(ABC):
    """A bound of the rounding error of one task of one plan, for given numbers of taps and channels.

    Attributes:
        unit: of the type that is computed in.
    """

    unit: Unit

    source: ClassVar[str]
    assumes: ClassVar[str] = "gradual underflow, no overflow"

    @property
    @abstractmethod
    def constant(self) -> float:
        """What the sum of absolute values is multiplied by."""

    @property
    @abstractmethod
    def formula(self) -> str:
        """The bound of ``|error|``."""

    @property
    def line(self) -> str:
        """The bound and where it comes from, in one line."""
        return f"|error| ≤ {self.formula}; the constant is {self.constant:.3g} [{self.source}]"

    @property
    def legend(self) -> str:
        """What the letters of a bound stand for, and what is assumed."""
        return (
            f"γ(n) = n·u/(1 - n·u), u = 2^-{self.unit.digits}, ω = 2^{self.unit.least} ({self.unit.name}); "
            f"{self.assumes}"
        )


@dataclass(frozen=True)
class TaskPromise(Promise):
    """The promise of a plan, evaluated for the arrays of a call as engines take them."""

    @abstractmethod
    def error(self, magnitudes: Magnitudes) -> Error:
        """The bound for the arrays of a call."""


@dataclass(frozen=True)
class Exact(TaskPromise):
    """No error: what runs copies and compares."""

    source: ClassVar[str] = "nothing is rounded"

    @property
    def constant(self) -> float:
        return 0.0

    @property
    def formula(self) -> str:
        return "0"

    def error(self, magnitudes: Magnitudes) -> Error:
        raise AssertionError("there is nothing to evaluate")


def settled(error: Error, unit: Unit, result: Unit) -> Array:
    """The bound of a result that is rounded to the type of a variable, infinite where nothing is promised.

    Args:
        error: the bound in the type that is computed in.
        unit: of the type that is computed in.
        result: of the type of the result.
    """
    bound = error.error
    beyond = ~(error.largest + bound <= unit.largest)
    if result.digits < unit.digits:
        beyond |= ~(error.size + bound <= result.largest)
        bound = bound + float(result.u) * (error.size + bound + result.w)
    bound = bound * (1 + 2.0**-48)  # the few roundings of these lines
    return np.where(beyond | ~np.isfinite(bound), np.inf, bound)
