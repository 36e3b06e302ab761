"""The promise of sums of entries that no plan is chosen for: adaptive averages, patches that overlap, unpooling."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from symconv.doors import one_of
from symconv.errors import ArgumentError
from symconv.kernels.accuracy.bound import ErrorBound, rounds, sized
from symconv.kernels.accuracy.promise import HIGHAM, Error, Promise, settled
from symconv.kernels.accuracy.units import Unit, enlarged
from symconv.kernels.runtime.arguments import as_array, fit
from symconv.kernels.runtime.padding import Array

__all__ = ["SumOfEntries", "bound_of_entries"]


@dataclass(frozen=True)
class SumOfEntries(Promise):
    """``gamma(n) * (sum of absolute values + few*w)``: every entry takes part in at most n roundings.

    Attributes:
        size: what the sum of absolute values is, in letters.
        roundings: n.
        terms: how many entries are added at most, and divided afterwards by at most this number.
        divided: whether they are divided, which may underflow.
    """

    size: str
    roundings: int
    terms: int
    divided: bool = False

    source: ClassVar[str] = f"a sum in any order, or along the program: {HIGHAM}, lemma 3.3 and (4.4)"

    @property
    def constant(self) -> float:
        return self.unit.gamma(self.roundings)

    @property
    def formula(self) -> str:
        small = f" + {self.terms}ω" if self.divided else ""
        return f"γ({self.roundings})·({self.size}{small})" if self.roundings else "0"

    def of(self, size: Array) -> Error:
        """The bound, for a sum of absolute values that was computed in float64."""
        sure = enlarged(np.abs(size), self.roundings + self.terms)
        total = sure + (self.terms * self.unit.w if self.divided else 0.0)
        return Error(self.constant * total, sure, total * (self.terms if self.divided else 1))


def bound_of_entries(
    plan: str,
    of: str,
    x: Array,
    grad_output: Any,
    output: tuple[int, ...],
    compute: np.dtype[Any],
    evaluate: Callable[[Array | None], tuple[SumOfEntries, Array]],
) -> ErrorBound:
    """The bound of the output, or of the gradient of the input, of a kernel without weights.

    Args:
        plan: the plan.
        of: "output" or "input".
        x: the input.
        grad_output: the upstream gradient, for the gradient.
        output: the shape of the output.
        compute: the type that is computed in.
        evaluate: of the absolute values of the upstream gradient, or None for the output, the promise and the sum of
            absolute values in float64. A rounding of the upstream gradient is counted here.
    """
    one_of("of", of, ("output", "input"))
    shape = output if of == "output" else x.shape
    g = None
    if of == "input":
        if grad_output is None:
            raise ArgumentError("grad_output", None, "must be given for the gradient of the input")
        given = fit("grad_output", as_array("grad_output", grad_output), output, "the shape of the output")
        g = sized(given, compute)
        wide = rounds(given, compute)
    elif grad_output is not None:
        raise ArgumentError("grad_output", type(grad_output).__name__, "must be left out for the output")
    if x.dtype.kind != "f":
        return ErrorBound(plan, of, None, np.zeros(shape))
    with np.errstate(all="ignore"):
        promise, size = evaluate(g)
        if g is not None and wide:
            promise = replace(promise, roundings=promise.roundings + 1)
        if not promise.roundings and (g is None or not rounds(given, x.dtype)):
            return ErrorBound(plan, of, promise, np.zeros(shape))
        found = settled(promise.of(size), promise.unit, Unit.of(x.dtype))
    return ErrorBound(plan, of, promise, found.reshape(shape))
