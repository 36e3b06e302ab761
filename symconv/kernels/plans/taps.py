"""The plan "taps" of a convolution: one shifted view after the other is multiplied and added."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from symconv.derivations.step import Derivation
from symconv.kernels.form.tapform import TapForm
from symconv.kernels.plans.chained import taps_derivation
from symconv.kernels.plans.folds import FoldEngine
from symconv.kernels.runtime.cost import Estimate, calls, passes
from symconv.kernels.runtime.engine import NOTHING, Engine, Given, Known
from symconv.kernels.runtime.layout import Layout
from symconv.kernels.runtime.padding import Array
from symconv.kernels.runtime.plan import Accuracy, CallShape, Plan, Task

if TYPE_CHECKING:
    from symconv.operators.base import Operator

__all__ = ["TapsPlan"]


class TapsEngine(FoldEngine):
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


class TapsPlan(Plan):
    """A convolution tap by tap: one shifted view after the other is multiplied and added."""

    name = "taps"
    accuracy: ClassVar[Accuracy] = "exact_order"
    error = "as the plain sum, taps in order, one input channel after the other"

    def refusal(self, form: TapForm, weight: Array | None) -> str | None:
        return None

    def cost(self, form: TapForm, call: CallShape, task: Task) -> Estimate | None:
        taps = prod(walk.taps for walk in form.walks)
        planes = call.batch * form.layer.total_out * form.layer.per_group_in
        entries = planes * call.positions
        # measured; the first tap is added to nothing, and the chain pulls back to the input and the weight together
        often = 7 * taps - 4 if task == "output" else 20 * taps
        seconds = form.layer.per_group_in * calls(40 + often) + passes(entries * often, call.dtype)
        size = call.dtype.itemsize
        moved = (planes * prod(call.sizes) + entries * 3 * taps) * size
        copied = planes * prod(call.sizes) if form.layer.per_group_out > 1 else 0
        return Estimate(seconds, entries * taps, moved, copied * size + (1 << 19))

    def engine(self, form: TapForm, weight: Array | None) -> Engine:
        return TapsEngine(form)

    def rewrites(self, op: Operator) -> Derivation:
        return taps_derivation(op)
