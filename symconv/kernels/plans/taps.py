"""The plans that go through the window tap by tap: chains of stages, for a pooling or one channel of a convolution."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from symconv.kernels.form.tapform import Kind, TapForm
from symconv.kernels.programs.chain import BLOCK_BYTES, ChainEngine
from symconv.kernels.programs.lambdified import Emitted
from symconv.kernels.programs.stage import chain_of
from symconv.kernels.runtime.cost import Estimate, calls, passes
from symconv.kernels.runtime.engine import NOTHING, Engine, Given, Known
from symconv.kernels.runtime.layout import Layout
from symconv.kernels.runtime.padding import Array
from symconv.kernels.runtime.plan import Accuracy, CallShape, Plan, Task

if TYPE_CHECKING:
    from symconv.derivations.step import Derivation
    from symconv.operators.base import Operator

__all__ = ["StagePlan", "TapsPlan"]


class StageEngine(Engine):
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


class TapsEngine(StageEngine):
    """One input channel after the other, its taps in order, for all channels of the output at once."""

    def __init__(self, form: TapForm) -> None:
        super().__init__(form, "taps")
        self.weight, self.bias = form.letter("weight") or "", form.letter("bias")
        self.ndim = len(form.walks)

    def _planes(self, x: Array, channel: int, outputs: int) -> Array:
        """One input channel, once for each output channel of its group: ``(batch, groups * outputs, *sizes)``."""
        shape = (*x.shape[:2], outputs, *x.shape[3:])
        whole = np.broadcast_to(x[:, :, channel : channel + 1], shape)
        return whole.reshape(len(x), shape[1] * outputs, *x.shape[3:])

    def _given(self, given: Given, channel: int) -> dict[str, Array]:
        """The weight ``(*kernel, 1, channels, 1, ...)`` of an input channel, and the bias, along with the first one."""
        weight = given["weight"][:, :, channel]
        flat = weight.reshape(-1, *weight.shape[2:])
        ones = (1,) * self.ndim
        found = {self.weight: np.moveaxis(flat, 0, -1).reshape(*flat.shape[1:], 1, len(flat), *ones)}
        if self.bias is not None:
            bias = given.get("bias")
            value = np.zeros(len(flat), weight.dtype) if bias is None or channel else bias
            found[self.bias] = value.reshape(1, -1, *ones)
        return found

    def forward(self, x: Array, layout: Layout, given: Given, dtype: npt.DTypeLike) -> Array:
        groups, outputs, inputs = given["weight"].shape[:3]
        total = None
        for channel in range(inputs):
            y = self.chain.forward(self._planes(x, channel, outputs), layout, self._given(given, channel), dtype)
            total = y if total is None else np.add(total, y, out=total)
        assert total is not None
        return total.reshape(len(x), groups, outputs, *layout.outputs)

    def _pull(self, g: Array, x: Array, layout: Layout, given: Given, channel: int) -> tuple[Array, Array]:
        outputs = g.shape[2]
        to_input, to_weight = self.chain.pull(
            g.reshape(len(g), g.shape[1] * g.shape[2], *g.shape[3:]),
            self._planes(x, channel, outputs),
            layout,
            self._given(given, channel),
        )
        assert to_weight is not None
        return to_input, to_weight

    def input_gradient(self, g: Array, x: Array, layout: Layout, given: Given, known: Known = NOTHING) -> Array:
        result = np.empty(x.shape, g.dtype)
        for channel in range(x.shape[2]):
            pulled, _ = self._pull(g, x, layout, given, channel)
            shape = (*x.shape[:2], g.shape[2], *x.shape[3:])
            pulled.reshape(shape).sum(axis=2, out=result[:, :, channel])
        return result

    def weight_gradient(self, g: Array, x: Array, layout: Layout, given: Given) -> Array:
        weight = given["weight"]
        result = np.empty(weight.shape, g.dtype)
        for channel in range(x.shape[2]):
            _, pulled = self._pull(g, x, layout, given, channel)
            flat = pulled.reshape(*weight.shape[3:], *weight.shape[:2])
            result[:, :, channel] = np.moveaxis(flat, (-2, -1), (0, 1))
        return result

    def push(self, x: Array, tangent: Array, layout: Layout, given: Given, dtype: npt.DTypeLike) -> Array:
        return Engine.push(self, x, tangent, layout, given, dtype)


class StagePlan(Plan):
    """The stages of a pooling: the whole window tap by tap, or one axis after the other."""

    kind: ClassVar[Kind] = "pooling"
    accuracy: ClassVar[Accuracy] = "exact_order"
    error = "as the plain sum, taps in order"

    def __init__(self, name: Literal["taps", "separable"]) -> None:
        self.name = name  # type: ignore[misc]
        if name == "separable":
            self.accuracy = "default"  # type: ignore[misc]
            self.error = "as a sum over rows of sums over columns; a maximum is exact"  # type: ignore[misc]

    def refusal(self, form: TapForm, weight: Array | None) -> str | None:
        return None

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
        return StageEngine(form, self.name)

    def rewrites(self, op: Operator) -> Derivation:
        from symconv.kernels.plans.certificates import stages_derivation

        return stages_derivation(op, self.name)


class TapsPlan(Plan):
    """A convolution tap by tap: one shifted view after the other is multiplied and added."""

    name = "taps"
    accuracy: ClassVar[Accuracy] = "exact_order"
    error = "as the plain sum, taps in order, one input channel after the other"

    def refusal(self, form: TapForm, weight: Array | None) -> str | None:
        return None

    def cost(self, form: TapForm, call: CallShape, task: Task) -> Estimate | None:
        assert form.channels is not None
        taps = prod(walk.taps for walk in form.walks)
        planes = call.batch * form.channels.total_out * form.channels.per_group_in
        entries = planes * call.positions
        twice = 7 if task == "output" else 20  # measured; the chain pulls back to the input and the weight together
        seconds = form.channels.per_group_in * calls(40 + twice * taps) + passes(entries * taps * twice, call.dtype)
        size = call.dtype.itemsize
        moved = (planes * prod(call.sizes) + entries * 3 * taps) * size
        copied = planes * prod(call.sizes) if form.channels.per_group_out > 1 else 0
        return Estimate(seconds, entries * taps, moved, copied * size + (1 << 19))

    def engine(self, form: TapForm, weight: Array | None) -> Engine:
        return TapsEngine(form)

    def rewrites(self, op: Operator) -> Derivation:
        from symconv.kernels.plans.certificates import taps_derivation

        return taps_derivation(op)
