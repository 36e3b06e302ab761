"""The kernel of a transposed convolution, run by the plans of the convolution that it is the transpose of.

With the channels exchanged, the output is the gradient of that convolution by its input, the gradient of the input is
that convolution, and the gradient of the weight is its gradient of the weight with input and upstream gradient
exchanged. `TransposedKernel.derivation` has the proof of all three, for all input sizes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from symconv.errors import ArgumentError
from symconv.kernels.adapters.planes import numbers_only
from symconv.kernels.adapters.transposition import transpose_of, transposition
from symconv.kernels.form.extraction import tap_form
from symconv.kernels.form.tapform import Channels, TapForm
from symconv.kernels.runtime.arguments import (
    Arrangement,
    Types,
    arrange,
    as_array,
    cast,
    engine_bias,
    fit,
    outputs_of,
    types_of,
)
from symconv.kernels.runtime.certified import certified
from symconv.kernels.runtime.compiled import Compiled, remember
from symconv.kernels.runtime.contract import Gradients, Kernel, check_variables
from symconv.kernels.runtime.explanation import nominal, shape_call
from symconv.kernels.runtime.layout import Layout
from symconv.kernels.runtime.padding import Array
from symconv.kernels.runtime.parameters import (
    BoundWeight,
    bias_gradient,
    bias_of,
    refuse_integers,
    refuse_overflow,
    weight_of,
)
from symconv.kernels.runtime.plan import Accuracy, Plan, Task
from symconv.operators.transposed import ConvTranspose

if TYPE_CHECKING:
    from symconv.derivations.step import Derivation

__all__ = ["TransposedKernel", "transposed_kernel"]


@dataclass(frozen=True)
class Frame:
    """What calls with the same shapes share: how input and output are arranged, and the layout of the convolution."""

    arrangement: Arrangement
    layout: Layout
    outputs: tuple[int, ...]

    @property
    def shape_in(self) -> tuple[int, ...]:
        """The input as an engine has it: the upstream gradient of the convolution."""
        return (*self.arrangement.engine_in, *self.arrangement.sizes)

    @property
    def shape_out(self) -> tuple[int, ...]:
        """The output as an engine has it: the input of the convolution."""
        return (*self.arrangement.engine_out, *self.outputs)

    @property
    def result(self) -> tuple[int, ...]:
        """The shape of the output."""
        return (*self.arrangement.lead_out, *self.outputs)


class TransposedKernel(Kernel):
    """``kernel(x, weight, bias)``: a transposed convolution; the weight is ``(in, out/groups, *kernel)``.

    Types: float32 and float64 stay what they are, float16 is computed in float32, and integers are exact, in int64, and
    refused where sums might overflow. Where types differ, NumPy's promotion decides.

    Plans are those of the convolution: the one with the lowest estimate for its gradient by the input.
    """

    op: ConvTranspose

    def __init__(self, op: ConvTranspose, compiled: Compiled, bound: BoundWeight | None = None) -> None:
        super().__init__(op)
        self._compiled, self._bound = compiled, bound
        channels = compiled.form.channels
        assert channels is not None
        turned = Channels(channels.groups, channels.per_group_out, channels.per_group_in, None, None)
        self._form: TapForm = replace(compiled.form, channels=turned)  # to read shapes by
        self._frames: OrderedDict[tuple[int, ...], Frame] = OrderedDict()

    # ------------------------------------------------------------------ plans

    def _plan(self, task: Task, shape: tuple[int, ...] | None = None, dtype: npt.DTypeLike = "float32") -> Plan:
        """The plan of the convolution for one of its tasks, by the shape of the input of this operator."""
        if shape is None:
            given = nominal(self._compiled)
        else:
            frame = self._frame(tuple(shape), "shape")
            channels = frame.shape_out[1] * frame.shape_out[2]
            given = (frame.shape_out[0], channels, *frame.outputs)
        return self._compiled.ranked(task, shape_call(self._compiled, given, dtype))[0][1]

    @property
    def plan(self) -> str:
        """The plan that was asked for, or the one that a nominal input takes."""
        return self._plan("input").name

    def plan_for(self, shape: tuple[int, ...], dtype: npt.DTypeLike = "float32") -> str:
        """The plan that an input of a shape and type takes."""
        return self._plan("input", shape, dtype).name

    @property
    def source(self) -> str:
        plan = self._plan("input")
        return f"# {self.op!r}, plan {plan.name!r}\nimport numpy\n\n\n{self._compiled.made(plan).gradient_source}"

    @property
    def gradient_source(self) -> str:
        plan = self._plan("output")
        return f"# {self.op!r}, plan {plan.name!r}\nimport numpy\n\n\n{self._compiled.made(plan).source}"

    def explain(self, shape: tuple[int, ...] | None = None, dtype: npt.DTypeLike = "float32") -> str:
        """Which plan an input of a shape and type takes, and what it does."""
        plan = self._plan("input", shape, dtype)
        size = "a nominal input" if shape is None else f"an input of {'x'.join(map(str, shape))}"
        why = "asked for" if self._compiled.forced is plan else "the lowest estimate"
        return "\n".join(
            [
                f"{self.op!r}",
                f"plan: {plan.name} for {size} in {np.dtype(dtype).name}, {why} (NumPy, one thread outside of BLAS)",
                f"  the gradient of {self._compiled.op!r} by its input, for this input as upstream gradient",
                *(f"  stage {number} of it: {stage}" for number, stage in enumerate(self._made(plan), 1)),
                f"accuracy: {plan.accuracy}; {plan.error}",
            ]
        )

    def _made(self, plan: Plan) -> tuple[str, ...]:
        return self._compiled.made(plan).stages

    def derivation(self, plan: str | None = None) -> Derivation:
        """The output and the gradients as those of a convolution; every step can be checked.

        Args:
            plan: the name of a plan that applies; how it computes that convolution, its own derivation says.

        Raises:
            ArgumentError: for a plan that does not exist or does not apply.
        """
        if plan is not None:
            self._compiled.required(plan)
        return certified(transposition(self.op), self.plan if plan is None else plan)

    # ------------------------------------------------------------------ calls

    def __call__(self, x: Any, weight: Any = None, bias: Any = None) -> Any:
        """The output.

        Args:
            x: the input, ``(N, in, *spatial)``, ``(in, *spatial)``, or ``(*spatial)`` with one channel in and out.
            weight: ``(in, out/groups, *kernel)``, or ``(*kernel)`` for one input and one output channel.
            bias: ``(out,)``.

        Raises:
            ArgumentError: for a shape or a type that does not fit; GeometryError where nothing is left of the output.
        """
        call = _Call(self, x, weight, bias, bias_needed=True)
        if call.types.exact:
            weight = self._engine_weight(call.given_weight)
            columns = np.moveaxis(weight, 2, 1).reshape(weight.shape[0] * weight.shape[2], -1)
            refuse_overflow(call.array, columns, call.bias)
        y = call.scatter(call.x, call.weight)
        if call.bias is not None:
            y += call.shaped_bias(call.bias)
        return call.restore(y)

    def vjp(
        self,
        grad_output: Any,
        x: Any,
        weight: Any = None,
        bias: Any = None,
        *,
        wrt: Collection[str] = ("input", "weight", "bias"),
    ) -> Gradients:
        """The gradients of ``<grad_output, kernel(x, weight, bias)>``, each in the shape and type of its variable.

        Args:
            grad_output: the upstream gradient, in the shape of the output.
            x, weight: as for the call.
            bias: not needed; its gradient does not depend on it.
            wrt: the variables whose gradients are wanted, of "input", "weight" and "bias".

        Raises:
            ArgumentError: for a shape or a type that does not fit, or an unknown variable.
            NotSupportedError: for integers.
        """
        check_variables(wrt)
        call = _Call(self, x, weight, bias)
        refuse_integers(call.types, call.array, "vjp")
        g = as_array("grad_output", grad_output)
        fit("grad_output", g, call.frame.result, "the shape of the output")
        upstream = call.arranged(g, call.frame.shape_out)
        to_input = to_weight = to_bias = None
        layout, given, compute = call.frame.layout, {"weight": call.weight}, call.compute
        with np.errstate(all="ignore"):
            if "input" in wrt:
                found = call.engine("output").forward(upstream, layout, given, compute)
                to_input = cast(found.reshape(call.array.shape), call.types.of(call.array))
            if "weight" in wrt:
                found = call.engine("weight").weight_gradient(call.x, upstream, layout, given)
                shape = call.given_weight.shape
                to_weight = np.ascontiguousarray(found).reshape(shape)
                to_weight = cast(to_weight, call.types.of(call.given_weight))
            if "bias" in wrt and self.op.bias:
                total = bias_gradient(upstream, len(call.frame.outputs))
                to_bias = total.astype(call.types.result if call.bias is None else call.types.of(call.bias))
        return Gradients(to_input, to_weight, to_bias)

    def jvp(
        self, x: Any, weight: Any = None, bias: Any = None, *, dx: Any = None, dweight: Any = None, dbias: Any = None
    ) -> Array:
        """The tangent of the output at ``(x, weight, bias)`` for tangents of these; None is a zero tangent.

        Raises:
            ArgumentError: for a shape or a type that does not fit.
            NotSupportedError: for integers.
        """
        call = _Call(self, x, weight, bias)
        refuse_integers(call.types, call.array, "jvp")
        if dbias is not None and not self.op.bias:
            raise ArgumentError("dbias", dbias, f"must be left out: {self.op!r} has no bias")
        total = np.zeros(call.frame.shape_out, call.compute)
        if dx is not None:
            tangent = fit("dx", as_array("dx", dx), call.array.shape, "the shape of x")
            total += call.scatter(call.arranged(tangent, call.frame.shape_in), call.weight)
        if dweight is not None:
            moved = self._engine_weight(as_array("dweight", dweight), "dweight").astype(call.compute)
            total += call.scatter(call.x, moved, bound=False)
        if dbias is not None:
            total += call.shaped_bias(as_array("dbias", dbias), "dbias")
        return call.restore(total)

    # ------------------------------------------------------------------ arguments

    def _frame(self, shape: tuple[int, ...], name: str = "x") -> Frame:
        """What an input shape decides."""
        found = self._frames.get(shape)
        if found is None:
            arrangement = arrange(self._form, shape, name)
            outputs = outputs_of(self.op, arrangement.sizes)
            found = Frame(arrangement, self._compiled.layout(outputs), outputs)
            remember(self._frames, shape, found)
        return found

    def _engine_weight(self, array: Array, name: str = "weight") -> Array:
        """A weight as an engine takes it: ``(groups, inputs of a group, outputs of a group, *kernel)``."""
        return arranged_weight(self.op, array, name)


class _Call:
    """The arguments of one call, checked and arranged for the engines of the convolution."""

    def __init__(self, kernel: TransposedKernel, x: Any, weight: Any, bias: Any, *, bias_needed: bool = False) -> None:
        self.kernel, op = kernel, kernel.op
        self.array = as_array("x", x)
        self.frame = kernel._frame(self.array.shape)
        bound = kernel._bound
        given = weight_of(op, True, weight, bound)
        assert given is not None
        self.given_weight = given
        self.bias = bias_of(op, op.bias, bias, bias_needed)
        arrays = [a for a in (self.array, self.given_weight, self.bias) if a is not None]
        self.types: Types = types_of(arrays, keep_integers=False)
        self.compute = self.types.compute
        if bound is not None:
            self.weight = bound.in_type(self.compute)
        else:
            self.weight = kernel._engine_weight(given).astype(self.compute, copy=False)
        self.x = self.arranged(self.array, self.frame.shape_in)

    def arranged(self, array: Array, shape: tuple[int, ...]) -> Array:
        """An array in the shape and type that an engine takes as an upstream gradient: contiguous."""
        return np.ascontiguousarray(array.reshape(shape), self.compute)

    def engine(self, task: Task, *, bound: bool = True) -> Any:
        """The engine of the convolution for one of its tasks."""
        compiled = self.kernel._compiled
        call = compiled.call(self.frame.shape_out[0], self.frame.layout, self.compute, bound)
        forced = compiled.forced
        if task == "input" and bound and forced is not None and compiled.ranked(task, call)[0][1] is not forced:
            raise ArgumentError(
                "plan",
                forced.name,
                f"must be one that computes an input of {self.array.shape} in {self.compute.name}",
                f"such as {compiled.ranked(task, call)[0][1].name!r}",
            )
        return compiled.engine(task, call)

    def scatter(self, x: Array, weight: Array, *, bound: bool = True) -> Array:
        """The output without its bias: the gradient of the convolution by its input, of which only the shape counts."""
        image = np.broadcast_to(np.zeros((), self.compute), self.frame.shape_out)
        with np.errstate(all="ignore"):
            found: Array = self.engine("input", bound=bound).input_gradient(
                x, image, self.frame.layout, {"weight": weight}
            )
        return found

    def shaped_bias(self, bias: Array, name: str = "bias") -> Array:
        """A bias, or its tangent, that can be added to an output."""
        shaped = engine_bias(self.kernel._form, bias, name)
        return shaped.reshape(*shaped.shape, *[1] * len(self.frame.outputs)).astype(self.compute, copy=False)

    def restore(self, y: Array) -> Array:
        """An output laid out like the input of the call, in the type of the result."""
        return cast(y.reshape(self.frame.result), self.types.result)


def arranged_weight(op: ConvTranspose, array: Array, name: str = "weight") -> Array:
    """A weight as an engine takes it: ``(groups, inputs of a group, outputs of a group, *kernel)``.

    Raises:
        ArgumentError: for a wrong shape.
    """
    wanted = (op.in_channels, op.out_channels // op.groups, *op.kernel_size)
    plain = wanted[:2] == (1, 1)
    if plain and array.shape == wanted[2:]:
        array = array.reshape(wanted)
    fit(name, array, wanted, "which is (in, out/groups, *kernel)" + (" or (*kernel)" if plain else ""))
    return array.reshape(op.groups, op.in_channels // op.groups, *wanted[1:])


def transposed_kernel(
    op: ConvTranspose, plan: str | None, accuracy: Accuracy, weight: Array | None
) -> TransposedKernel:
    """The kernel of a transposed convolution.

    Args:
        op: the operator.
        plan: the plan of the convolution to force, or None.
        accuracy: the accuracy class.
        weight: a weight to bind, or None.

    Raises:
        ArgumentError: for symbolic options, a weight of a wrong shape, or a plan that does not apply.
    """
    if weight is None:
        return TransposedKernel(op, _compiled(op, plan, accuracy))
    arranged = arranged_weight(op, weight)
    weight.flags.writeable = arranged.flags.writeable = False
    return TransposedKernel(op, _made(op, plan, accuracy, arranged), BoundWeight(weight, arranged))


@lru_cache(maxsize=256)
def _compiled(op: ConvTranspose, plan: str | None, accuracy: Accuracy) -> Compiled:
    return _made(op, plan, accuracy, None)


def _made(op: ConvTranspose, plan: str | None, accuracy: Accuracy, weight: Array | None) -> Compiled:
    numbers_only(op)
    conv = transpose_of(op)
    compiled = Compiled(conv, tap_form(conv), plan, accuracy, weight)
    if compiled.forced is not None:
        found = compiled.ranked("input", shape_call(compiled, nominal(compiled), "float32"))
        if compiled.forced not in [choice for _, choice in found]:
            names = ", ".join(repr(choice.name) for _, choice in found)
            raise ArgumentError("plan", plan, f"must be one that computes the gradient of a convolution ({names})")
    return compiled
