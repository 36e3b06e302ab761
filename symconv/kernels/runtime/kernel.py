"""A kernel: an operator's formula as a function of NumPy arrays, with the derivatives that follow from it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from symconv.doors import flag
from symconv.errors import ArgumentError, NotSupportedError
from symconv.kernels.runtime.arguments import as_array, cast, engine_bias, fit
from symconv.kernels.runtime.call import Arguments, CallFrame
from symconv.kernels.runtime.certified import certified
from symconv.kernels.runtime.compiled import Compiled
from symconv.kernels.runtime.contract import VARIABLES, Gradients, Kernel, check_variables
from symconv.kernels.runtime.cost import Estimate
from symconv.kernels.runtime.engine import NOTHING, Engine
from symconv.kernels.runtime.explanation import explanation, nominal, shape_call
from symconv.kernels.runtime.padding import Array
from symconv.kernels.runtime.parameters import bias_gradient, refuse_integers
from symconv.kernels.runtime.plan import Plan, Task
from symconv.operators.winners import refuse_ties

if TYPE_CHECKING:
    from symconv.derivations.step import Derivation
    from symconv.kernels.accuracy.bound import ErrorBound

__all__ = ["Gradients", "Kernel", "WindowKernel"]


class WindowKernel(Kernel):
    """``kernel(x, weight, bias)``: a convolution or a pooling, compiled from its tap form.

    Attributes:
        op: the operator.

    Arrays are ``(N, C, *spatial)``, ``(C, *spatial)`` or ``(*spatial)``, the last for a pooling, and for a convolution
    with one input and one output channel; the result has its axes in the same order. Arguments are never written to.

    Memory: any strides will do. A pooling goes through an input whose channels are next to each other in memory, as in
    an image file (``numpy.moveaxis(image, -1, 0)``), as it lies there, which is up to twice as fast as plane by plane,
    and what it returns lies likewise; all other results are row-major.

    Types: float32 and float64 stay what they are, float16 is computed in float32. A convolution of integers is exact,
    in int64, and refused where it might overflow; a maximum keeps its integer type. Averages and LP norms
    work in floating point, and refuse integers. Where types differ, NumPy's promotion decides.

    Plans: the plan of a call is the one with the lowest estimate for its shape and type, unless the user forced one.
    What is said of "the plan" without a shape is said of a nominal input: one item of 224 entries an axis (4096 along
    one axis, 32 along three) in float32, or what the window needs.
    """

    def __init__(self, compiled: Compiled) -> None:
        self._compiled = compiled
        self._frames: OrderedDict[Any, CallFrame] = OrderedDict()
        super().__init__(compiled.op)

    # ------------------------------------------------------------------ plans

    @property
    def plan(self) -> str:
        """The plan that was asked for, or the one that a nominal input takes."""
        return self._plan("output").name

    def plan_for(self, shape: tuple[int, ...], dtype: npt.DTypeLike = "float32") -> str:
        """The plan that an input of a shape and type takes."""
        return self._plan("output", shape, dtype).name

    def _plan(self, task: Task, shape: tuple[int, ...] | None = None, dtype: npt.DTypeLike = "float32") -> Plan:
        return self._best(task, shape, dtype)[1]

    def _best(self, task: Task, shape: tuple[int, ...] | None, dtype: npt.DTypeLike) -> tuple[Estimate, Plan]:
        call = shape_call(self._compiled, nominal(self._compiled) if shape is None else shape, dtype)
        return self._compiled.ranked(task, call)[0]

    def estimate(self, task: Task, shape: tuple[int, ...], dtype: npt.DTypeLike) -> float:
        """The seconds that a task is estimated to take for an input of a shape and type."""
        return self._best(task, shape, dtype)[0].seconds

    @property
    def picks(self) -> bool:
        """Whether an output is one of the entries of its window, so that a call can say the places of them."""
        return self._compiled.form.picks

    @property
    def source(self) -> str:
        """The source of the plan: what runs on each block of the arrays, one function a stage."""
        return self.source_for()

    def source_for(self, shape: tuple[int, ...] | None = None, dtype: npt.DTypeLike = "float32") -> str:
        """The source of the plan that an input of a shape and type, or a nominal one, takes."""
        plan = self._plan("output", shape, dtype)
        engine = self._compiled.made(plan)
        return self._listing(plan, engine, engine.source)

    @property
    def gradient_source(self) -> str:
        """The source of the gradients, likewise.

        Raises:
            NotSupportedError: for ``ties="set"``.
        """
        plan = self._plan("input")
        engine = self._compiled.made(plan)
        return self._listing(plan, engine, engine.gradient_source)

    def _listing(self, plan: Plan, engine: Engine, source: str) -> str:
        return f"# {self.op!r}, plan {plan.name!r}\n{engine.heading}\n\n\n{source}"

    def explain(self, shape: tuple[int, ...] | None = None, dtype: npt.DTypeLike = "float32") -> str:
        """Which plan an input of a shape and type takes, why, what it does, and what accuracy to expect."""
        return explanation(self._compiled, nominal(self._compiled) if shape is None else shape, dtype)

    def error_bound(
        self, x: Any, weight: Any = None, bias: Any = None, *, of: str = "output", grad_output: Any = None
    ) -> ErrorBound:
        """How far a result of a call is at most from that of exact arithmetic on the same arrays.

        The bound is that of the plan that the call takes, for its numbers of taps and channels.

        Args:
            x, weight, bias: as for the call; the bias is not needed for a gradient.
            of: "output", or "input", "weight" or "bias" for what `vjp` returns, without its `output`.
            grad_output: the upstream gradient, for a gradient.

        Raises:
            ArgumentError: for a shape or a type that does not fit; GeometryError where no window fits.
            NotSupportedError: where the plan promises nothing.

        >>> from symconv.kernels.compile import compile
        >>> from symconv.operators.convolution import Conv
        >>> kernel = compile(Conv((3,)), plan="taps")
        >>> bound = kernel.error_bound(np.float32([1, 2, 3, 4]), np.float32([1, 0.1, -1]))
        >>> print(bound.formula)
        γ(3)·(∑|a||b| + 3ω)
        >>> bound.values
        array([7.5101...e-07, 1.1265...e-06])
        """
        from symconv.kernels.accuracy.windows import bound_of_call

        call = Arguments(self._compiled, self._frames, x, weight, bias, bias_needed=of == "output")
        return bound_of_call(call, of, grad_output)

    def derivation(self, plan: str | None = None) -> Derivation:
        """The rewrites that lead from the formula of the operator to the plan; every step can be checked.

        Args:
            plan: the name of a plan that applies; by default `Kernel.plan`.

        Raises:
            ArgumentError: for a plan that does not exist or does not apply.
            NotSupportedError: where a step is not proved; the plan is then no longer taken.
        """
        compiled = self._compiled
        chosen = self._plan("output") if plan is None else compiled.required(plan)
        try:
            return certified(chosen.derivation(self.op), chosen.name)
        except NotSupportedError:
            compiled.refuse(chosen)
            self._frames.clear()
            raise

    # ------------------------------------------------------------------ calls

    def __call__(self, x: Any, weight: Any = None, bias: Any = None, *, return_indices: bool = False) -> Any:
        """The output.

        Args:
            x: the input, ``(N, C, *spatial)``, ``(C, *spatial)`` or ``(*spatial)``.
            weight: ``(out, in/groups, *kernel)``, or ``(*kernel)`` for one input and one output channel.
            bias: ``(out,)``.
            return_indices: for `MaxPool`: also return the flat index, in its input plane, of each maximum (int64; the
                first one in row-major order, the first NaN if there is one, -1 for a window without a real tap).

        Returns:
            The output array, or with `return_indices` a pair ``(output, indices)``.

        Raises:
            ArgumentError: for a shape or a type that does not fit; GeometryError where no window fits.
        """
        call = Arguments(self._compiled, self._frames, x, weight, bias)
        if flag("return_indices", return_indices) and not self._compiled.form.picks:
            raise ArgumentError("return_indices", True, "must be False for an operator other than MaxPool")
        call.refuse_inexact()
        engine = call.engine("output")
        y = call.restore(_run(engine, call))
        if not return_indices:
            return y
        return y, engine.indices(call.x, call.layout, call.types.compute).reshape(call.frame.result)

    def vjp(
        self,
        grad_output: Any,
        x: Any,
        weight: Any = None,
        bias: Any = None,
        *,
        wrt: Collection[str] = VARIABLES,
        output: Any = None,
    ) -> Gradients:
        """The gradients of ``<grad_output, kernel(x, weight, bias)>``, each in the shape and type of its variable.

        Args:
            grad_output: the upstream gradient, in the shape of the output.
            x, weight: as for the call.
            bias: not needed; its gradient does not depend on it.
            wrt: the variables whose gradients are wanted, of "input", "weight" and "bias".
            output: what the call returned for `x`, where it is at hand: a norm is then not computed a second time,
                nor, given the pair that ``return_indices`` returns, a maximum; the gradients of what is linear need
                nothing of it. That it belongs to `x` is not checked.

        Raises:
            ArgumentError: for a shape or a type that does not fit, an unknown variable, or a tie under
                ``ties="error"`` in a window whose gradient is not 0.
            NotSupportedError: for ``ties="set"``, whose gradient is a set.
        """
        check_variables(wrt)
        call = Arguments(self._compiled, self._frames, x, weight, bias, bias_needed=False)
        refuse_integers(call.types, call.x, "vjp")
        g = as_array("grad_output", grad_output)
        fit("grad_output", g, call.frame.result, "the shape of the output")
        if "input" in wrt:
            refuse_ties(self.op, call.array, g)
        arranged = cast(call.ordered(g.reshape(call.frame.shape_out)), call.types.compute)
        known = NOTHING if output is None else call.known(output)
        to_input = to_weight = to_bias = None
        with np.errstate(all="ignore"):
            if "input" in wrt:
                pulled = call.engine("input").input_gradient(arranged, call.x, call.layout, call.given, known)
                to_input = cast(pulled.reshape(call.array.shape), call.types.of(call.array))
            if "weight" in wrt and call.weight is not None:
                pulled = call.engine("weight").weight_gradient(arranged, call.x, call.layout, call.given)
                to_weight = np.ascontiguousarray(pulled).reshape(call.weight.shape)
                to_weight = cast(to_weight, call.types.of(call.weight))
            if "bias" in wrt and self._compiled.form.letter("bias") is not None:
                summed = bias_gradient(arranged, len(call.layout.axes))
                to_bias = summed.astype(call.types.result if call.bias is None else call.types.of(call.bias))
        return Gradients(to_input, to_weight, to_bias)

    def jvp(
        self, x: Any, weight: Any = None, bias: Any = None, *, dx: Any = None, dweight: Any = None, dbias: Any = None
    ) -> Array:
        """The tangent of the output at ``(x, weight, bias)`` for tangents of these; None is a zero tangent.

        Raises:
            ArgumentError: for a shape or a type that does not fit.
            NotSupportedError: for ``ties="set"``.
        """
        call = Arguments(self._compiled, self._frames, x, weight, bias, bias_needed=False)
        refuse_integers(call.types, call.x, "jvp")
        form, compute = self._compiled.form, call.types.compute
        if form.channels is None and (dweight is not None or dbias is not None):
            raise ArgumentError("dweight, dbias", (dweight, dbias), f"must be left out: {self.op!r} has no weights")
        if dbias is not None and form.letter("bias") is None:
            raise ArgumentError("dbias", dbias, f"must be left out: {self.op!r} has no bias")
        total = call.frame.order.zeros(call.frame.shape_out, compute)
        with np.errstate(all="ignore"):
            if dx is not None:
                refuse_ties(self.op, call.array, np.ones(call.frame.result, bool))
                tangent = fit("dx", as_array("dx", dx), call.array.shape, "the shape of x")
                tangent = call.ordered(tangent.reshape(call.x.shape))
                total += call.engine("output").push(call.x, tangent, call.layout, call.given, compute)
            if dweight is not None:
                moved = self._compiled.arranged_weight(as_array("dweight", dweight), "dweight").astype(compute)
                total += call.engine_for_weights().forward(call.x, call.layout, {"weight": moved}, compute)
            if dbias is not None:
                moved = engine_bias(form, as_array("dbias", dbias), "dbias")
                total += moved.reshape(*moved.shape, *[1] * len(call.layout.axes))
        return call.restore(total)


@np.errstate(all="ignore")  # made once: half the time of a `with` in every call
def _run(engine: Engine, call: Arguments) -> Array:
    return engine.forward(call.x, call.layout, call.given, call.types.compute)
