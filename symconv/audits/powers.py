"""Norms without absolute values, as some libraries compute them: formulas that an answer may follow."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import Any

import numpy as np

from symconv.audits.reading import Array
from symconv.formulas.algebra import Node, Power, const, product, summation
from symconv.kernels.compile import compile
from symconv.kernels.runtime.contract import Kernel
from symconv.operators.frame import Geometry
from symconv.operators.gradients import Gradients
from symconv.operators.pooling import AvgPool, LPPool

__all__ = ["MeanPowerPool", "PowerPool", "RootOfPowers"]


@dataclass(frozen=True, repr=False)
class PowerPool(LPPool):
    """The root of the sum of powers of every window, without absolute values: ``(sum of x**p)**(1/p)``."""

    def pooled(self, geometry: Geometry) -> Node:
        entry, _ = self.read(geometry)
        total = summation(Power(entry, const(self.norm_type)), *(tap.bound for tap in self.tap_axes(geometry)))
        return self._rooted(product(self.factor(geometry), total))

    def factor(self, geometry: Geometry) -> Node:
        """What the sum is multiplied by."""
        del geometry
        return const(1)

    def _rooted(self, total: Node) -> Node:
        return total if self.norm_type == 1 else Power(total, const(1 / Fraction(self.norm_type)))

    def averages(self) -> AvgPool:
        """The average that the sum is made of, times the number of taps."""
        return AvgPool(**self._shared, divisor_override=prod(self.kernel_size))

    @property
    def _shared(self) -> dict[str, Any]:
        return {name: value for name, value in self.options().items() if name != "norm_type"}

    def kernel(self) -> RootOfPowers:
        """What computes it."""
        return RootOfPowers(compile(self.averages()), float(self.norm_type), prod(self.kernel_size))


@dataclass(frozen=True, repr=False)
class MeanPowerPool(PowerPool):
    """The number of taps times the average of powers, and the root of it: ``(K * mean of x**p)**(1/p)``.

    A window that hangs over the end has fewer taps in its average.
    """

    def averages(self) -> AvgPool:
        return AvgPool(**self._shared)

    def factor(self, geometry: Geometry) -> Node:
        return product(const(prod(self.kernel_size)), self.averages().reciprocal(geometry))


@dataclass(frozen=True)
class RootOfPowers:
    """``(K * average(x**p))**(1/p)``, NaN where the root has no value, and its gradient, 0 where the sum is 0."""

    average: Kernel
    power: float
    taps: int

    def __call__(self, x: Array) -> Array:
        with np.errstate(all="ignore"):
            return np.asarray((self.taps * self.average(x**self.power)) ** (1 / self.power))

    def vjp(self, g: Array, x: Array) -> Gradients:
        """The gradient of the input."""
        with np.errstate(all="ignore"):
            total = self.taps * self.average(x**self.power)
            factor = np.where(total == 0, 0.0, total ** (1 / self.power - 1))
            pulled = self.average.vjp(g * factor, x).input
            return Gradients(self.taps * x ** (self.power - 1) * pulled)
