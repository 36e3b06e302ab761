"""A toy backend, as CONTRIBUTING.md has one added: convolutions by plain loops, in as many threads as one likes."""

from __future__ import annotations

from itertools import product

import numpy as np

from symconv.derivations.step import Derivation
from symconv.kernels.adapters.transposed import transposed_kernel
from symconv.kernels.form.tapform import TapForm
from symconv.kernels.plans.chained import taps_derivation
from symconv.kernels.runtime.backend import Backend
from symconv.kernels.runtime.cost import Estimate
from symconv.kernels.runtime.engine import ConvEngine
from symconv.kernels.runtime.geometry import Line
from symconv.kernels.runtime.padding import Array
from symconv.kernels.runtime.plan import CallShape, Plan, Task
from symconv.operators.base import Operator
from symconv.operators.transposed import ConvTranspose


class LoopsEngine(ConvEngine):
    """One multiplication after the other."""

    heading = "for every output, and every tap of it:"

    def correlate(self, x: Array, weight: Array, lines: tuple[Line, ...], out: Array, *, turned: bool = False) -> None:
        out[...] = 0
        for item, group, f, h, place, tap, entry in self._walk(x, weight.shape, lines):
            out[(item, group, f, *place)] += x[(item, group, h, *entry)] * weight[(group, f, h, *tap)]

    def contract(self, x: Array, g: Array, lines: tuple[Line, ...]) -> Array:
        weight = np.zeros((g.shape[1], g.shape[2], x.shape[2], *(line.taps for line in lines)), g.dtype)
        for item, group, f, h, place, tap, entry in self._walk(x, weight.shape, lines):
            weight[(group, f, h, *tap)] += x[(item, group, h, *entry)] * g[(item, group, f, *place)]
        return weight

    @staticmethod
    def _walk(x: Array, weight: tuple[int, ...], lines: tuple[Line, ...]):  # type: ignore[no-untyped-def]
        for item, group, f, h in np.ndindex(len(x), *weight[:3]):
            for place in np.ndindex(*(line.outputs for line in lines)):
                for tap in product(*(range(line.taps) for line in lines)):
                    entry = tuple(
                        line.stride * o + line.step * m - line.before
                        for line, o, m in zip(lines, place, tap, strict=True)
                    )
                    if all(0 <= at < line.size for at, line in zip(entry, lines, strict=True)):
                        yield item, group, f, h, place, tap, entry

    @property
    def source(self) -> str:
        return "    output += entry * weight"

    @property
    def gradient_source(self) -> str:
        return "    gradient += entry * upstream"


class LoopsPlan(Plan):
    """Every convolution, slowly."""

    name = "loops"
    accuracy = "exact_order"
    error = "as the plain sum, taps in order"

    def refusal(self, form: TapForm, weight: Array | None) -> str | None:
        return None

    def cost(self, form: TapForm, call: CallShape, task: Task) -> Estimate | None:
        return Estimate(1e-6 * call.batch * call.positions, call.batch * call.positions, 0, 0)

    def engine(self, form: TapForm, weight: Array | None) -> LoopsEngine:
        return LoopsEngine(form, weight)

    def rewrites(self, op: Operator) -> Derivation:
        return taps_derivation(op)


class LoopsBackend(Backend):
    """Convolutions and, by way of them, transposed ones."""

    name = "loops"
    words = "plain loops"
    adapters = {ConvTranspose: transposed_kernel}  # noqa: RUF012

    def check_threads(self, threads: int) -> None:
        """Any number will do: one is used."""


BACKEND = LoopsBackend([LoopsPlan()])
