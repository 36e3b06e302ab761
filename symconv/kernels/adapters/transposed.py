"""The kernel of a transposed convolution, run by the plans of the convolution that it is the transpose of.

With the channels exchanged, the output is the gradient of that convolution by its input, the gradient of the input is
that convolution, and the gradient of the weight is its gradient of the weight with input and upstream gradient
exchanged. `TransposedKernel.derivation` has the proof of all three, for all input sizes.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from symconv.errors import ArgumentError
from symconv.kernels.accuracy.transposing import OTHER
from symconv.kernels.adapters.transposition import transpose_of, transposition
from symconv.kernels.form.extraction import numbers_only
from symconv.kernels.form.tapform import Channels
from symconv.kernels.runtime.arguments import arrange, fit, outputs_of
from symconv.kernels.runtime.backend import Backend, Request
from symconv.kernels.runtime.call import Arguments
from symconv.kernels.runtime.certified import certified
from symconv.kernels.runtime.compiled import Compiled
from symconv.kernels.runtime.cost import Estimate
from symconv.kernels.runtime.engine import NOTHING, Engine, Given, Known
from symconv.kernels.runtime.explanation import nominal, shape_call
from symconv.kernels.runtime.kernel import WindowKernel
from symconv.kernels.runtime.layout import Layout
from symconv.kernels.runtime.padding import Array
from symconv.kernels.runtime.plan import Accuracy, CallShape, Plan, Task
from symconv.operators.transposed import ConvTranspose

if TYPE_CHECKING:
    from symconv.derivations.step import Derivation
    from symconv.kernels.accuracy.bound import ErrorBound

__all__ = ["TransposedKernel", "transposed_kernel"]


class TransposedEngine(Engine):
    """An engine of the convolution, with its tasks exchanged."""

    def __init__(self, inner: Engine) -> None:
        self.inner, self.heading = inner, inner.heading

    def forward(self, x: Array, layout: Layout, given: Given, dtype: npt.DTypeLike) -> Array:
        weight, bias = given["weight"], given.get("bias")
        # of the input of the convolution only the shape counts
        image = np.broadcast_to(np.zeros((), dtype), (len(x), weight.shape[0], weight.shape[2], *layout.sizes))
        upstream = np.ascontiguousarray(x, dtype)
        y = self.inner.input_gradient(upstream, image, layout, {"weight": weight})
        if bias is not None:
            y += bias.reshape(*bias.shape, *[1] * len(layout.axes))
        return y

    def input_gradient(self, g: Array, x: Array, layout: Layout, given: Given, known: Known = NOTHING) -> Array:
        return self.inner.forward(np.ascontiguousarray(g), layout, {"weight": given["weight"]}, g.dtype)

    def weight_gradient(self, g: Array, x: Array, layout: Layout, given: Given) -> Array:
        upstream = np.ascontiguousarray(x, g.dtype)
        return self.inner.weight_gradient(upstream, np.ascontiguousarray(g), layout, given)

    @property
    def source(self) -> str:
        return self.inner.gradient_source

    @property
    def gradient_source(self) -> str:
        return self.inner.source

    @property
    def stages(self) -> tuple[str, ...]:
        return self.inner.stages


class Transposed(Compiled):
    """What the kernel of a transposed convolution runs: the plans of the convolution, for the task that is the other.

    Attributes:
        inner: what the kernel of the convolution runs.
    """

    op: ConvTranspose

    def __init__(self, op: ConvTranspose, inner: Compiled) -> None:
        channels = inner.form.layer
        turned = Channels(channels.groups, channels.per_group_out, channels.per_group_in, None, None)
        form = replace(inner.form, formula=op.output(), channels=turned)  # to read shapes by
        self.op, self.form, self.inner = op, form, inner
        self.table, self.plans, self.words = inner.table, inner.plans, inner.words
        self.accuracy, self.forced, self.threads = inner.accuracy, inner.forced, inner.threads
        self.bound, self.weight = inner.bound, inner.weight
        self._choices: OrderedDict[Any, Engine] = OrderedDict()

    def required(self, name: str) -> Plan:
        return self.inner.required(name)

    def arranged_weight(self, array: Array, name: str = "weight") -> Array:
        """A weight as engines take it: ``(groups, inputs of a group, outputs of a group, *kernel)``.

        Raises:
            ArgumentError: for a wrong shape.
        """
        fit_weight(self.op, array, name)
        return self.inner.arranged_weight(array, name)

    def summed(self, weight: Array) -> Array:
        return np.moveaxis(weight, 2, 1).reshape(weight.shape[0] * weight.shape[2], -1)

    def outputs(self, layout: Layout) -> tuple[int, ...]:
        return layout.sizes

    def layout(self, sizes: tuple[int, ...]) -> Layout:
        """The layout of the convolution whose output has these sizes.

        Raises:
            GeometryError: where nothing is left of the output.
        """
        return self.inner.layout(outputs_of(self.op, sizes))

    def ranked(self, task: Task, call: CallShape) -> list[tuple[Any, Plan]]:
        found = self.inner.ranked(OTHER[task], call)
        if task == "output" and call.weight is self.weight and self.forced not in (None, found[0][1]):
            raise ArgumentError(
                "plan",
                self.forced.name if self.forced else None,
                f"must be one that computes an input of {call.outputs} in {call.dtype.name}",
                f"such as {found[0][1].name!r}",
            )
        return found

    def made(self, plan: Plan, bound: bool = True) -> Engine:
        return TransposedEngine(self.inner.made(plan, bound))


class TransposedKernel(WindowKernel):
    """``kernel(x, weight, bias)``: a transposed convolution; the weight is ``(in, out/groups, *kernel)``.

    Types: float32 and float64 stay what they are, float16 is computed in float32, and integers are exact, in int64, and
    refused where sums might overflow. Where types differ, NumPy's promotion decides.

    Plans are those of the convolution: the one with the lowest estimate for its gradient by the input.
    """

    op: ConvTranspose
    _compiled: Transposed

    def _best(self, task: Task, shape: tuple[int, ...] | None, dtype: npt.DTypeLike) -> tuple[Estimate, Plan]:
        """The plan of the convolution for the other of its tasks, by the shape of the input of this operator."""
        inner = self._compiled.inner
        return inner.ranked(OTHER[task], shape_call(inner, self._inner_shape(shape), dtype))[0]

    def _inner_shape(self, shape: tuple[int, ...] | None) -> tuple[int, ...]:
        """The shape of the input of the convolution, by that of the input of this operator."""
        if shape is None:
            return nominal(self._compiled.inner)
        arrangement = arrange(self._compiled.form, tuple(shape), "shape")
        batch, *channels = arrangement.engine_out
        return (batch, prod(channels), *outputs_of(self.op, arrangement.sizes))

    def explain(self, shape: tuple[int, ...] | None = None, dtype: npt.DTypeLike = "float32") -> str:
        """Which plan an input of a shape and type takes, and what it does."""
        compiled, plan = self._compiled, self._plan("output", shape, dtype)
        size = "a nominal input" if shape is None else f"an input of {'x'.join(map(str, shape))}"
        why = "asked for" if compiled.forced is plan else "the lowest estimate"
        lines = self._promised(plan, shape, dtype)
        return "\n".join(
            [
                f"{self.op!r}",
                f"plan: {plan.name} for {size} in {np.dtype(dtype).name}, {why} ({compiled.words})",
                f"  the gradient of {compiled.inner.op!r} by its input, for this input as upstream gradient",
                *(f"  stage {number} of it: {stage}" for number, stage in enumerate(compiled.made(plan).stages, 1)),
                f"accuracy: {plan.accuracy}; {plan.error}",
                *lines,
            ]
        )

    def _promised(self, plan: Plan, shape: tuple[int, ...] | None, dtype: npt.DTypeLike) -> list[str]:
        """The bounds that the plans promise of the output and the gradients, a line each."""
        from symconv.kernels.accuracy.windows import transposed_promise

        inner, lines = self._compiled.inner, []
        call = shape_call(inner, self._inner_shape(shape), dtype)
        if call.dtype.kind in "iu":
            return []
        for task in OTHER:
            chosen = plan if task == "output" else inner.ranked(OTHER[task], call)[0][1]
            promise = transposed_promise(chosen, inner, call, task, self.op.bias and task == "output")
            if promise is not None:
                what = "  " if task == "output" else f"gradient of the {task}: {chosen.name}, "
                lines.append(f"{what}{promise.line}")
        return [*lines, promise.legend] if promise is not None else lines

    def error_bound(
        self, x: Any, weight: Any = None, bias: Any = None, *, of: str = "output", grad_output: Any = None
    ) -> ErrorBound:
        from symconv.kernels.accuracy.windows import bound_of_call

        call = Arguments(self._compiled, self._frames, x, weight, bias, bias_needed=of == "output")
        return bound_of_call(call, of, grad_output, self._compiled.inner)

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


def fit_weight(op: ConvTranspose, array: Array, name: str = "weight") -> None:
    """Refuse a weight that is not ``(in, out/groups, *kernel)``, or ``(*kernel)`` for one channel in and out.

    Raises:
        ArgumentError: for such a weight.
    """
    wanted = (op.in_channels, op.out_channels // op.groups, *op.kernel_size)
    plain = wanted[:2] == (1, 1)
    if not (plain and array.shape == wanted[2:]):
        fit(name, array, wanted, "which is (in, out/groups, *kernel)" + (" or (*kernel)" if plain else ""))


def transposed_kernel(request: Request, backend: Backend) -> TransposedKernel:
    """The kernel of a transposed convolution.

    Raises:
        ArgumentError: for symbolic options, a weight of a wrong shape, or a plan that does not apply.
    """
    op = request.op
    assert isinstance(op, ConvTranspose)
    if request.weight is None:
        return TransposedKernel(backend.kept(_compiled, backend, op, request.plan, request.accuracy, request.threads))
    return TransposedKernel(_compiled(backend, op, request.plan, request.accuracy, request.threads, request.weight))


def _compiled(
    backend: Backend,
    op: ConvTranspose,
    plan: str | None,
    accuracy: Accuracy,
    threads: int,
    weight: Array | None = None,
) -> Transposed:
    numbers_only(op)
    if weight is not None:
        fit_weight(op, weight)
    inner = backend.compiled(transpose_of(op), plan, accuracy, threads, weight)
    if inner.forced is not None:
        found = inner.ranked("input", shape_call(inner, nominal(inner), "float32"))
        if inner.forced not in [choice for _, choice in found]:
            names = ", ".join(repr(choice.name) for _, choice in found)
            raise ArgumentError("plan", plan, f"must be one that computes the gradient of a convolution ({names})")
    return Transposed(op, inner)
