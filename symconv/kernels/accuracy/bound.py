"""The bound of the rounding errors of one call: the promise of its plan, evaluated for its arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from symconv.kernels.accuracy.promise import Promise
from symconv.kernels.accuracy.units import Unit
from symconv.kernels.runtime.padding import Array
from symconv.operators.gradients import WithArrays

__all__ = ["ErrorBound", "rounds", "sized"]


@dataclass(frozen=True, eq=False)
class ErrorBound(WithArrays):
    """How far one result of a kernel is at most from that of exact arithmetic on the same arrays.

    Attributes:
        plan: the plan that computes it.
        of: what it is: "output", or the gradient of the "input", the "weight" or the "bias".
        promise: the bound in the type that is computed in; None where the result is exact.
        values: the bound of every entry, in float64 and in the shape of the result; infinite where nothing is promised,
            because numbers may overflow or are not finite.
    """

    plan: str
    of: str
    promise: Promise | None
    values: Array

    @property
    def formula(self) -> str:
        """The bound in the type that is computed in, before it is put into the type of the result."""
        return "0" if self.promise is None else self.promise.formula

    @property
    def constant(self) -> float:
        """What the sum of absolute values in it is multiplied by."""
        return 0.0 if self.promise is None else self.promise.constant

    def __str__(self) -> str:
        return (
            "|error| = 0: nothing is rounded" if self.promise is None else f"{self.promise.line}\n{self.promise.legend}"
        )


def rounds(array: Array, compute: np.dtype[Any]) -> bool:
    """Whether an array of a type may be rounded when it is brought into the one that is computed in."""
    digits = np.finfo(compute).nmant + 1
    if array.dtype.kind == "f":
        return array.dtype.itemsize > compute.itemsize
    return 8 * array.dtype.itemsize > digits


def sized(array: Array, compute: np.dtype[Any]) -> Array:
    """The absolute values of an array in float64; with what rounding to the type that is computed in may add to them.

    A number that is too large for that type is infinite.
    """
    with np.errstate(all="ignore"):
        size: Array = np.abs(array.astype(np.float64))
        if not rounds(array, compute):
            return size
        unit = Unit.of(compute)
        return np.where(size > unit.largest, np.inf, size * (1 + 2.0**-52) + unit.w)
