"""The promise of sums of products in any order of summation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from symconv.kernels.accuracy.magnitudes import Magnitudes
from symconv.kernels.accuracy.promise import HIGHAM, Error, TaskPromise
from symconv.kernels.accuracy.units import Unit, enlarged
from symconv.kernels.runtime.plan import Task

__all__ = ["BiasSum", "SumOfProducts", "sum_text"]


def sum_text(task: Task, bias: bool = False) -> str:
    """The sum of absolute values of a task: a is the input, b the weight, d the bias, g the upstream gradient."""
    products = {"output": "∑|a||b|", "input": "∑|g||b|", "weight": "∑|g||a|"}[task]
    return f"{products} + |d|" if bias else products


@dataclass(frozen=True)
class SumOfProducts(TaskPromise):
    """``gamma(n) * (sum of |a||b| + terms*w)``: every product takes part in at most n roundings, its own included.

    In whatever order n products are added, with or without fused operations, none takes part in more than n; an exact
    order may have less. Underflow of a product adds at most ``u*w``.

    Attributes:
        task: what is computed.
        terms: the number of products of one result.
        roundings: n.
        bias: whether a bias is added, and takes part in one of them.
    """

    task: Task
    terms: int
    roundings: int
    bias: bool = False

    source: ClassVar[str] = f"a sum in any order: {HIGHAM}, (3.5) and lemma 3.1"

    @property
    def constant(self) -> float:
        return self.unit.gamma(self.roundings)

    @property
    def formula(self) -> str:
        return f"γ({self.roundings})·({sum_text(self.task, self.bias)} + {self.terms}ω)"

    def error(self, magnitudes: Magnitudes) -> Error:
        size = enlarged(magnitudes.direct(self.task), self.terms + 1)
        total = size + self.terms * self.unit.w
        return Error(self.constant * total, size, total)


@dataclass(frozen=True)
class BiasSum(TaskPromise):
    """The gradient of the bias: a sum of upstream gradients in float64, over the batch and all positions.

    Attributes:
        terms: how many there are.
        given: of the type that the upstream gradient is rounded to before it is added, where it was in a wider one.
    """

    terms: int
    given: Unit | None = None

    source: ClassVar[str] = f"a sum in any order: {HIGHAM}, (4.4)"

    @property
    def constant(self) -> float:
        own = self.unit.gamma(max(0, self.terms - 1))
        return own if self.given is None else own + float(self.given.u) * (1 + own)

    @property
    def formula(self) -> str:
        if self.given is None:
            return f"γ({max(0, self.terms - 1)})·∑|g|"
        return f"(γ({max(0, self.terms - 1)}) + 2^-{self.given.digits})·∑|g|"

    def error(self, magnitudes: Magnitudes) -> Error:
        upstream = magnitudes.upstream
        assert upstream is not None
        axes = (0, *range(-len(magnitudes.layout.axes), 0))
        size = enlarged(upstream.sum(axis=axes).reshape(-1), self.terms)
        return Error(self.constant * size, size, size)
