"""The promises of poolings: maxima are exact, averages and norms count the roundings of their programs."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, prod
from typing import ClassVar, TypeGuard

import numpy as np

from symconv.formulas.algebra import Absolute, Constant, Multiply, Node, Power, Reduce, const
from symconv.kernels.accuracy.magnitudes import Magnitudes
from symconv.kernels.accuracy.programs import LIBRARY, power_cost, roundings_of_chain
from symconv.kernels.accuracy.promise import HIGHAM, Error, Exact, TaskPromise
from symconv.kernels.accuracy.terms import most_reads
from symconv.kernels.accuracy.units import Unit, enlarged
from symconv.kernels.form.tapform import TapForm
from symconv.kernels.plans.folds import FoldEngine
from symconv.kernels.programs.derivative import balanced
from symconv.kernels.runtime.layout import Layout
from symconv.kernels.runtime.plan import Task

__all__ = ["PooledOutput", "PulledBack", "pooling_promise"]


@dataclass(frozen=True)
class PooledOutput(TaskPromise):
    """``gamma(n) * (c(|a|) + few*w)``: an average, or a norm, of absolute values.

    Attributes:
        roundings: n, the most that a term goes through in the programs of the plan.
        divisions: after so many of them an output may underflow.
        largest: how many times larger than the output a sum may be that is divided afterwards; of a norm, whose powers
            are taken of scaled numbers where they would leave the range, that of these.
    """

    roundings: int
    divisions: int
    largest: int

    source: ClassVar[str] = f"the roundings of the program, one after the other: {HIGHAM}, lemma 3.3"
    assumes: ClassVar[str] = f"gradual underflow, no overflow, powers and cube roots within {LIBRARY // 2} ulp"

    @property
    def constant(self) -> float:
        return self.unit.gamma(self.roundings)

    @property
    def formula(self) -> str:
        return f"γ({self.roundings})·(c(|a|) + {self.divisions}ω), c(|a|) the output for |a|"

    def error(self, magnitudes: Magnitudes) -> Error:
        made = magnitudes.engine.forward(magnitudes.x, magnitudes.layout, {}, np.dtype(np.float64))
        size = enlarged(np.abs(made), self.roundings)
        total = size + self.divisions * self.unit.w
        return Error(self.constant * total, size, total * self.largest)


@dataclass(frozen=True)
class PulledBack(TaskPromise):
    """``gamma(n) * sum of |g||dc/da|``: what arrives at the windows that an entry belongs to, each with its factor.

    Attributes:
        roundings: n, those of a factor and of the sum.
        terms: how many windows read an entry at most.
        norm: whether the factor has powers of the entry and the output: where an output that is not 0 is so small that
            it has lost digits, nothing is promised.
    """

    roundings: int
    terms: int
    norm: bool

    source: ClassVar[str] = f"a sum in any order of products: {HIGHAM}, lemma 3.3 and (4.4)"
    assumes: ClassVar[str] = f"gradual underflow, no overflow, powers within {LIBRARY // 2} ulp"

    @property
    def constant(self) -> float:
        return self.unit.gamma(self.roundings)

    @property
    def formula(self) -> str:
        small = f"{self._lost}ω" if not self.norm else f"{self._lost}(ω + 4u·max|g|)"
        return f"γ({self.roundings})·(∑|g||∂c/∂a| + {small})"

    @property
    def _lost(self) -> int:
        return 8 * self.terms

    def error(self, magnitudes: Magnitudes) -> Error:
        g = magnitudes.upstream
        assert g is not None
        engine, layout, small = magnitudes.engine, magnitudes.layout, self.unit.w
        if self.norm:
            small += 4 * float(self.unit.u) * float(g.max(initial=0.0))
            y = engine.forward(magnitudes.entries, layout, {}, np.dtype(np.float64))
            g = np.where((y > 0) & ~(y >= 2 * self.unit.w), np.inf, g)
        made = engine.input_gradient(g, magnitudes.entries, layout, {})
        size = enlarged(np.abs(made), 4 * self.roundings + 8)
        total = size + self._lost * small
        return Error(self.constant * total, size, total)


def pooling_promise(
    form: TapForm, engine: FoldEngine, unit: Unit, layout: Layout, task: Task, conversions: int
) -> TaskPromise | None:
    """The promise of the stages of a pooling; None for a formula that is no maximum, average or norm.

    Args:
        form: the tap form.
        engine: the stages.
        unit: of the type that is computed in.
        layout: the layout at the input size.
        task: "output" or "input".
        conversions: 1 where the upstream gradient is rounded before anything is computed from it.
    """
    terms = most_reads(layout)
    if engine.chain.maximum:
        shares = 2 if form.ties == "split" else 0
        return Exact(unit) if task == "output" else PulledBack(unit, _sum(terms) + shares + conversions, terms, False)
    parts = _parts(form.body)
    if parts is None:
        return None
    scales, p = parts
    norm = p != 1
    roundings = roundings_of_chain((e.program for e in engine.chain.forward_programs()), unit, form.input)
    if norm:
        # one more for powers that are lost by underflow, of which the programs take care
        roundings = max(roundings, roundings_of_chain([balanced(engine.chain.chain.whole)], unit, form.input)) + 1
    if task == "output":
        taps = prod(walk.taps for walk in form.walks)
        largest = 2 if norm else taps * prod(max(1, *abs(n.value).as_integer_ratio()) for n in scales if _number(n))
        return PooledOutput(unit, roundings, 2 * len(scales) + 2, largest)
    factor = 2 * len(scales) + 1
    if norm:
        power = max(ceil(p), power_cost(p - 1, unit))
        factor += ceil((p - 1) * (roundings + 1)) + 2 * power + 2
    return PulledBack(unit, _sum(terms) + factor + conversions, terms, norm)


def _sum(terms: int) -> int:
    """The roundings of a sum."""
    return max(0, terms - 1)


def _number(node: Node) -> TypeGuard[Constant]:
    return isinstance(node, Constant)


def _parts(body: Node) -> tuple[list[Node], Fraction] | None:
    """What a sum, or the p-th root of a sum of p-th powers of absolute values, is multiplied by, and p."""
    args = list(body.args) if isinstance(body, Multiply) else [body]
    scales: list[Node] = [arg for arg in args if _number(arg) or (isinstance(arg, Power) and arg.exponent == const(-1))]
    rest = [arg for arg in args if arg not in scales]
    if len(rest) != 1:
        return None
    (total,) = rest
    if isinstance(total, Reduce) and total.op == "sum" and not isinstance(total.body, Power):
        return scales, Fraction(1)
    if not (isinstance(total, Power) and isinstance(total.base, Reduce) and total.base.op == "sum"):
        return None
    entry = total.base.body
    if not (isinstance(entry, Power) and isinstance(entry.base, Absolute)):
        return None
    if not (isinstance(entry.exponent, Constant) and isinstance(total.exponent, Constant)):
        return None
    p = entry.exponent.value
    return (scales, p) if p > 1 and total.exponent.value * p == 1 else None
