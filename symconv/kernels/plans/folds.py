"""The plans "separable" and "taps" of a pooling: its window tap by tap, or one axis after the other."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy.typing as npt

from symconv.derivations.step import Derivation
from symconv.kernels.form.tapform import Kind, TapForm
from symconv.kernels.plans.chained import chain_derivation
from symconv.kernels.programs.chain import BLOCK_BYTES, ChainEngine
from symconv.kernels.programs.lambdified import Emitted
from symconv.kernels.programs.stage import chain_of
from symconv.kernels.runtime.cost import Estimate, calls, passes
from symconv.kernels.runtime.engine import NOTHING, Engine, Given, Known
from symconv.kernels.runtime.layout import Layout
from symconv.kernels.runtime.padding import Array
from symconv.kernels.runtime.plan import Accuracy, CallShape, Plan, Task

if TYPE_CHECKING:
    from symconv.operators.base import Operator

__all__ = ["FoldEngine", "FoldPlan"]


class FoldEngine(Engine):
    """A chain of stages over planes, for a pooling.

    Attributes:
        chain: what runs the stages.
    """

    def __init__(self, form: TapForm, plan: str) -> None:
        self.chain = ChainEngine(chain_of(form, plan))

    def forward(self, x: Array, layout: Layout, given: Given, dtype: npt.DTypeLike) -> Array:
        return self.chain.forward(x, layout, given, dtype)

    def input_gradient(self, g: Array, x: Array, layout: Layout, given: Given, known: Known = NOTHING) -> Array:
        return self.chain.pull(g, x, layout, given, known)[0]

    def weight_gradient(self, g: Array, x: Array, layout: Layout, given: Given) -> Array:
        raise AssertionError("a pooling has no weight")

    def push(self, x: Array, tangent: Array, layout: Layout, given: Given, dtype: npt.DTypeLike) -> Array:
        return self.chain.push(x, tangent, layout, given, dtype)

    def indices(self, x: Array, layout: Layout, dtype: npt.DTypeLike) -> Array:
        return self.chain.indices(x, layout, dtype)

    @property
    def source(self) -> str:
        return _listing(self.chain.forward_programs())

    @property
    def gradient_source(self) -> str:
        return _listing(self.chain.pullback_programs())

    @property
    def stages(self) -> tuple[str, ...]:
        programs = [emitted.program for emitted in self.chain.forward_programs()]
        return tuple(f"{program.name}, {program.operations} passes over a block" for program in programs)


def _listing(programs: list[Emitted]) -> str:
    return "\n\n".join(emitted.source for emitted in programs)


class FoldPlan(Plan):
    """The stages of a pooling: the whole window tap by tap, or one axis after the other."""

    kind: ClassVar[Kind] = "pooling"
    accuracy: ClassVar[Accuracy] = "exact_order"
    error = "as the sums that its programs make; a maximum is exact"

    def __init__(self, name: Literal["taps", "separable"]) -> None:
        self.name = name  # type: ignore[misc]
        if name == "separable":
            self.accuracy = "default"  # type: ignore[misc]
            self.error = "as a sum over rows of sums over columns; a maximum is exact"  # type: ignore[misc]

    def refusal(self, form: TapForm, weight: Array | None) -> str | None:
        return None

    def yields(self, form: TapForm) -> bool:
        # where one axis slides the two are the same, and the one with the simpler name goes first
        return self.name == "separable" and sum(walk.taps > 1 for walk in form.walks) < 2

    def cost(self, form: TapForm, call: CallShape, task: Task) -> Estimate | None:
        if task == "weight":
            return None
        taps = [walk.taps for walk in form.walks]
        count = prod(taps) - 1 if self.name == "taps" else sum(tap - 1 for tap in taps)
        entries = call.batch * call.positions
        moved = (entries * (count + 1) + call.batch * prod(call.sizes)) * call.dtype.itemsize
        seconds = calls(20) + passes(entries * count, call.dtype)
        return Estimate(seconds, entries * count, moved, BLOCK_BYTES)

    def engine(self, form: TapForm, weight: Array | None) -> Engine:
        return FoldEngine(form, self.name)

    def rewrites(self, op: Operator) -> Derivation:
        return chain_derivation(op, self.name)
