"""A toy plan, as CONTRIBUTING.md has one added: a window of one tap and one channel is a number times the image."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from symconv.derivations.step import Derivation
from symconv.kernels.form.tapform import TapForm
from symconv.kernels.plans.chained import taps_derivation
from symconv.kernels.runtime.cost import Estimate, calls, passes
from symconv.kernels.runtime.engine import ConvEngine, source_of
from symconv.kernels.runtime.geometry import Line
from symconv.kernels.runtime.padding import Array
from symconv.kernels.runtime.plan import CallShape, Plan, Task
from symconv.operators.base import Operator


def scale(x: Array, weight: Array, out: Array) -> None:
    """Every output is its entry times the weight."""
    np.multiply(x, weight, out=out)


class ScaledEngine(ConvEngine):
    """What runs: padding, strides and the gradient of the input are those of every `ConvEngine`."""

    def correlate(self, x: Array, weight: Array, lines: tuple[Line, ...], out: Array, *, turned: bool = False) -> None:
        out[...] = 0
        outputs, entries = self._places(lines)
        scale(x[entries], weight[:, 0], out[outputs])

    def contract(self, x: Array, g: Array, lines: tuple[Line, ...]) -> Array:
        outputs, entries = self._places(lines)
        axes = (0, *range(3, g.ndim))
        total: Array = (g[outputs] * x[entries]).sum(axis=axes)
        return total.reshape(*total.shape, 1, *(1 for _ in lines))

    @staticmethod
    def _places(lines: tuple[Line, ...]) -> tuple[tuple[object, ...], tuple[object, ...]]:
        """The outputs that find the input at the tap, and what they read."""
        found = [line.real(0) for line in lines]
        outputs = (..., *(slice(first, stop) for first, stop, _ in found))
        entries = (
            slice(entry, entry + line.stride * (stop - first), line.stride)
            for line, (first, stop, entry) in zip(lines, found, strict=True)
        )
        return outputs, (..., *entries)

    @property
    def source(self) -> str:
        return source_of(scale)

    @property
    def gradient_source(self) -> str:
        return source_of(scale)

    @property
    def stages(self) -> tuple[str, ...]:
        return ("the image times a number",)


class ScaledPlan(Plan):
    """The pattern, the cost, the engine and the rewrite."""

    name = "scaled"
    error = "as the product, rounded once"

    def __init__(self, rewrite: Callable[[Operator], Derivation] = taps_derivation) -> None:
        self._rewrite = rewrite

    def refusal(self, form: TapForm, weight: Array | None) -> str | None:
        assert form.channels is not None
        if any(walk.taps > 1 for walk in form.walks):
            return "needs a window of one tap"
        if form.channels.per_group_in != 1 or form.channels.per_group_out != 1:
            return "needs one input and one output channel a group"
        return None

    def cost(self, form: TapForm, call: CallShape, task: Task) -> Estimate | None:
        assert form.channels is not None
        entries = call.batch * call.positions * form.channels.groups
        moved = 2 * entries * call.dtype.itemsize
        return Estimate(calls(2) + passes(entries, call.dtype), entries, moved, 0)

    def engine(self, form: TapForm, weight: Array | None) -> ScaledEngine:
        return ScaledEngine(form, weight)

    def rewrites(self, op: Operator) -> Derivation:
        return self._rewrite(op)
