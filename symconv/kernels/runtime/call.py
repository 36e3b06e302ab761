"""The arguments of one call, checked and arranged for an engine; what depends on shapes and types only is kept."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from symconv.errors import ArgumentError
from symconv.kernels.runtime.arguments import (
    Arrangement,
    Types,
    arrange,
    as_array,
    cast,
    engine_bias,
    fit,
    types_of,
)
from symconv.kernels.runtime.compiled import Compiled, remember
from symconv.kernels.runtime.engine import Engine, Known
from symconv.kernels.runtime.layout import Layout
from symconv.kernels.runtime.order import ROW_MAJOR, Order, order_of
from symconv.kernels.runtime.padding import Array
from symconv.kernels.runtime.parameters import bias_of, no_integers, refuse_overflow, weight_of
from symconv.kernels.runtime.plan import CallShape, Task

__all__ = ["Arguments", "CallFrame"]


@dataclass
class CallFrame:
    """What all calls with the same shapes and types share.

    Attributes:
        arrangement: how the input is arranged.
        order: how it lies in memory, and all that is computed from it: row-major for a convolution.
        layout: the layout at its size.
        types: the type of the result and the type that is computed in.
        shape_in, shape_out: input and output as an engine has them.
        result: the shape of the output.
        weight, bias: the shapes of the parameters as an engine has them, or None.
        engines: the engines of the tasks seen so far.
    """

    arrangement: Arrangement
    order: Order
    layout: Layout
    types: Types
    shape_in: tuple[int, ...]
    shape_out: tuple[int, ...]
    result: tuple[int, ...]
    weight: tuple[int, ...] | None
    bias: tuple[int, ...] | None
    engines: dict[Task, Engine] = field(default_factory=dict)


class Arguments:
    """The arguments of one call.

    Args:
        compiled: what the kernel runs.
        frames: the frames of calls seen so far.
        x, weight, bias: as the user gave them.
        bias_needed: whether a bias that the operator has must be given.

    Attributes:
        x: the input as an engine takes it.
        given: the parameters as an engine takes them, in the type that is computed in.
        weight, bias: the parameters as the user gave them, or None.
        frame: what the shapes and types decide.

    Raises:
        ArgumentError: for a shape or a type that does not fit; GeometryError where no window fits.
    """

    __slots__ = ("array", "bias", "compiled", "frame", "given", "weight", "x")

    def __init__(
        self,
        compiled: Compiled,
        frames: OrderedDict[Any, CallFrame],
        x: Any,
        weight: Any,
        bias: Any,
        *,
        bias_needed: bool = True,
    ) -> None:
        self.compiled, bound = compiled, compiled.bound
        self.array = array = as_array("x", x)
        op, form = compiled.op, compiled.form
        self.weight = weight_of(op, form.channels is not None, weight, bound)
        self.bias = bias_of(op, form.letter("bias") is not None, bias, bias_needed)
        order = order_of(array, len(form.walks)) if form.channels is None else ROW_MAJOR
        key = (
            order.last,
            array.shape,
            array.dtype,
            None if self.weight is None else (self.weight.shape, self.weight.dtype),
            None if self.bias is None else (self.bias.shape, self.bias.dtype),
        )
        frame = frames.get(key)
        if frame is None:
            frame = remember(frames, key, self._frame(order))
        self.frame = frame
        self.x = array.reshape(frame.shape_in)
        self.given: dict[str, Array] = {}
        if frame.weight is not None:
            assert self.weight is not None
            compute = frame.types.compute
            if bound is not None:
                self.given["weight"] = bound.in_type(compute)
            else:
                self.given["weight"] = self.weight.reshape(frame.weight).astype(compute, copy=False)
            if self.bias is not None:
                assert frame.bias is not None
                self.given["bias"] = self.bias.reshape(frame.bias).astype(compute, copy=False)

    def _frame(self, order: Order) -> CallFrame:
        form = self.compiled.form
        arrangement = arrange(form, self.array.shape)
        if order.last:
            arrangement = arrangement.with_channels
        layout = self.compiled.layout(arrangement.sizes)
        outputs = self.compiled.outputs(layout)
        arrays = [a for a in (self.array, self.weight, self.bias) if a is not None]
        return CallFrame(
            arrangement,
            order,
            layout,
            types_of(arrays, keep_integers=form.channels is None),
            (*arrangement.engine_in, *arrangement.sizes),
            (*arrangement.engine_out, *outputs),
            (*arrangement.lead_out, *outputs),
            None if self.weight is None else self.compiled.arranged_weight(self.weight).shape,
            None if self.bias is None else engine_bias(form, self.bias).shape,
        )

    @property
    def layout(self) -> Layout:
        """The layout at the size of the input."""
        return self.frame.layout

    @property
    def types(self) -> Types:
        """The types of the call."""
        return self.frame.types

    def engine(self, task: Task) -> Engine:
        """The engine that does a task."""
        found = self.frame.engines.get(task)
        if found is None:
            found = self.frame.engines[task] = self.compiled.engine(task, self.described())
        return found

    def engine_for_weights(self) -> Engine:
        """The engine of the output for a weight other than the one bound."""
        return self.compiled.engine("output", self.described(bound=False))

    def described(self, bound: bool = True) -> CallShape:
        """What plans are chosen by: batch, size and type; and the bound weight, where it is to be used."""
        lead = self.x.shape[:1] if self.compiled.form.channels is not None else self.frame.arrangement.lead
        return self.compiled.call(prod(lead), self.layout, np.dtype(self.types.compute), bound)

    def ordered(self, a: Array) -> Array:
        """An array as large as the input or the output, in the order of the input where that is not row-major."""
        order = self.frame.order
        return order.put(a, a.dtype) if order.last else a

    def restore(self, y: Array) -> Array:
        """An output laid out like the input of the call, in the type of the result."""
        return cast(y.reshape(self.frame.result), self.types.result)

    def known(self, output: Any) -> Known:
        """What is known of the forward pass: its output, or a pair of that and the indices of maxima.

        Raises:
            ArgumentError: for anything else, and for another shape. What uses indices asks whether the plane has them.
        """
        indices = None
        if isinstance(output, tuple):
            if len(output) != 2 or not self.compiled.form.picks:
                raise ArgumentError(
                    "output", f"a tuple of {len(output)}", "must be what the call returned: a pair is for MaxPool alone"
                )
            output, indices = output[0], self._indices(output[1])
        y = fit("output", as_array("output", output), self.frame.result, "the shape of the output")
        # rounded to a smaller type it would say less than what it is computed from
        exact = y.dtype == self.types.compute
        return Known(self.ordered(y.reshape(self.frame.shape_out)) if exact else None, indices)

    def _indices(self, value: Any) -> Array:
        given = fit("output[1]", as_array("output[1]", value), self.frame.result, "the shape of the output")
        if given.dtype.kind not in "iu":
            raise ArgumentError("output[1]", given.dtype.name, "must hold integers, places in a plane of the input")
        if given.dtype == np.uint64 and given.size and given.max() > np.iinfo(np.intp).max:
            raise ArgumentError("output[1]", given.max(), "must be a place in a plane of the input")
        return given.reshape(self.frame.shape_out).astype(np.intp, copy=False)

    # ------------------------------------------------------------------ integers

    def refuse_inexact(self) -> None:
        """Refuse integers where the result would not be exact."""
        if not self.types.exact:
            return
        if self.compiled.form.channels is not None:
            assert self.weight is not None
            weight = self.compiled.arranged_weight(self.weight)
            refuse_overflow(self.x, self.compiled.summed(weight), self.bias)
            return
        if not self.compiled.form.picks:
            raise no_integers(self.x, f"{type(self.compiled.op).__name__} works in floating point")
        if self.layout.empty_windows:
            why = "a window without a real tap has the maximum -infinity, which is no integer"
            raise no_integers(self.x, why)
