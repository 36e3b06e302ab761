"""The kernel of a dense layer, run by the plans of a convolution: one position with as many channels as inputs.

``c[p] = sum over n of b[p, n] a[n]`` is the formula of ``Conv((1,), in_channels=..., out_channels=...)`` on an input
with one position, so that types, exact integers, plans and promises are those of convolutions.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from symconv.errors import ArgumentError
from symconv.kernels.form.extraction import numbers_only
from symconv.kernels.runtime.arguments import as_array, fit
from symconv.kernels.runtime.backend import Backend, Request
from symconv.kernels.runtime.certified import certified
from symconv.kernels.runtime.contract import VARIABLES, Gradients, Kernel
from symconv.kernels.runtime.padding import Array
from symconv.operators.convolution import Conv
from symconv.operators.dense import Dense

if TYPE_CHECKING:
    from symconv.derivations.step import Derivation
    from symconv.kernels.accuracy.bound import ErrorBound
    from symconv.kernels.runtime.kernel import WindowKernel

__all__ = ["DenseKernel"]

NOMINAL = 256
"""The number of inputs that is spoken of where the layer does not say its own."""


class DenseKernel(Kernel):
    """``kernel(x, weight, bias)``: a dense layer; the weight is ``(out_features, in_features)``.

    Arrays are ``(N, in_features)`` or ``(in_features,)``. Types: float32 and float64 stay what they are, float16 is
    computed in float32, integers are exact, in int64, and refused where sums might overflow.
    """

    op: Dense

    def __init__(self, request: Request, backend: Backend) -> None:
        assert isinstance(request.op, Dense)
        numbers_only(request.op)
        super().__init__(request.op)
        self._request, self._backend = request, backend
        self._kernels: dict[int, WindowKernel] = {}
        self._inputs = request.op.in_features
        if request.weight is not None:
            self._inputs = self._weight_fits(request.weight)[1]
        self._convolution(self._inputs or NOMINAL)  # refuses a plan or an accuracy that does not apply

    @classmethod
    def made(cls, request: Request, backend: Backend) -> DenseKernel:
        """The kernel of a dense layer.

        Raises:
            ArgumentError: for symbolic options, a weight of a wrong shape, or a plan that does not apply.
        """
        return cls(request, backend)

    def _weight_fits(self, weight: Array, name: str = "weight", inputs: int | None = None) -> tuple[int, int]:
        """The shape of a weight.

        Raises:
            ArgumentError: where it is none of this layer.
        """
        wanted = inputs or self.op.in_features
        if weight.ndim != 2 or len(weight) != self.op.out_features or wanted not in (None, weight.shape[1]):
            shown = f"({self.op.out_features}, {wanted or 'in_features'})"
            raise ArgumentError(
                name, weight.shape, f"must have the shape {shown}, which is (out_features, in_features)"
            )
        return weight.shape[0], weight.shape[1]

    def _convolution(self, inputs: int) -> WindowKernel:
        """The kernel of the convolution for so many inputs."""
        if inputs not in self._kernels:
            conv = Conv((1,), in_channels=inputs, out_channels=self.op.out_features, bias=self.op.bias)
            weight = self._request.weight
            request = replace(self._request, op=conv, weight=None if weight is None else weight[..., None])
            self._kernels[inputs] = self._backend.kernel(request)  # type: ignore[assignment]
        return self._kernels[inputs]

    def _called(self, x: Any, weight: Any) -> tuple[WindowKernel, Array, Array | None]:
        """The convolution of a call, its input with an axis for its one position, and its weight likewise."""
        array = as_array("x", x)
        if array.ndim not in (1, 2):
            raise ArgumentError("x", array.shape, "must have the shape (N, in_features) or (in_features,)")
        inputs = array.shape[-1]
        if self._inputs not in (None, inputs):
            raise ArgumentError("x", array.shape, f"must have {self._inputs} entries on its last axis, the inputs")
        given = None
        if weight is not None:
            given = as_array("weight", weight)
            self._weight_fits(given, inputs=inputs)
            given = given[..., None]
        return self._convolution(inputs), array[..., None], given

    # ------------------------------------------------------------------ what it is

    @property
    def _nominal(self) -> WindowKernel:
        return self._convolution(self._inputs or NOMINAL)

    @property
    def plan(self) -> str:
        return self._nominal.plan_for((1, self._inputs or NOMINAL, 1))

    def plan_for(self, shape: tuple[int, ...], dtype: npt.DTypeLike = "float32") -> str:
        return self._convolution(int(shape[-1])).plan_for((*shape, 1), dtype)

    @property
    def source(self) -> str:
        return self._nominal.source_for((1, self._inputs or NOMINAL, 1))

    @property
    def gradient_source(self) -> str:
        return self._nominal.gradient_source

    def explain(self, shape: tuple[int, ...] | None = None, dtype: npt.DTypeLike = "float32") -> str:
        """Which plan an input of a shape and type takes, and what it does."""
        given = (1, self._inputs or NOMINAL) if shape is None else tuple(shape)
        said = self._convolution(int(given[-1])).explain((*given, 1), dtype)
        return f"{self.op!r}\none position with as many channels as inputs, as a convolution:\n{said}"

    def derivation(self, plan: str | None = None) -> Derivation:
        """What is run, as a formula that is proved to be that of the layer.

        Args:
            plan: the name of a plan that applies; how it computes the convolution, the kernel of that says.

        Raises:
            ArgumentError: for a plan that does not apply.
        """
        from symconv.derivations.step import Derivation, Stage, Step

        name = self.plan if plan is None else plan
        if plan is not None:
            self._nominal.derivation(plan)  # refuses a plan that does not apply
        output = self.op.output()
        reason = ("an input of one position whose channels are the inputs.",)
        step = Step("1", output, output, "put_together", "Read as a convolution", reason, opens=True)
        stage = Stage(("The output",), ("for all its entries",), (step,))
        lead = (f"The plan {name!r} of a convolution with one tap runs the formula.",)
        return certified(Derivation(f"The output of {self.op.phrase}", lead, (), (), (stage,)), name)

    # ------------------------------------------------------------------ calls

    def __call__(self, x: Any, weight: Any = None, bias: Any = None) -> Any:
        """The output.

        Args:
            x: the input, ``(N, in_features)`` or ``(in_features,)``.
            weight: ``(out_features, in_features)``.
            bias: ``(out_features,)``.

        Raises:
            ArgumentError: for a shape or a type that does not fit.
        """
        kernel, array, given = self._called(x, weight)
        return kernel(array, given, bias)[..., 0]

    def vjp(
        self, grad_output: Any, x: Any, weight: Any = None, bias: Any = None, *, wrt: Collection[str] = VARIABLES
    ) -> Gradients:
        """The gradients of ``<grad_output, kernel(x, weight, bias)>``, each in the shape and type of its variable.

        Args:
            grad_output: the upstream gradient, in the shape of the output.
            x, weight: as for the call.
            bias: not needed; its gradient does not depend on it.
            wrt: the variables whose gradients are wanted, of "input", "weight" and "bias".

        Raises:
            ArgumentError: for a shape or a type that does not fit, or an unknown variable.
        """
        kernel, array, given = self._called(x, weight)
        g = as_array("grad_output", grad_output)
        fit("grad_output", g, (*array.shape[:-2], self.op.out_features), "the shape of the output")
        found = kernel.vjp(g[..., None], array, given, bias, wrt=wrt)
        to_input, to_weight = (None if part is None else part[..., 0] for part in (found.input, found.weight))
        return Gradients(to_input, to_weight, found.bias)

    def jvp(
        self, x: Any, weight: Any = None, bias: Any = None, *, dx: Any = None, dweight: Any = None, dbias: Any = None
    ) -> Array:
        """The tangent of the output at ``(x, weight, bias)`` for tangents of these; None is a zero tangent.

        Raises:
            ArgumentError: for a shape or a type that does not fit.
        """
        kernel, array, given = self._called(x, weight)
        if dx is not None:
            dx = fit("dx", as_array("dx", dx), array.shape[:-1], "the shape of x")[..., None]
        if dweight is not None:
            moved = as_array("dweight", dweight)
            self._weight_fits(moved, "dweight", array.shape[-2])
            dweight = moved[..., None]
        result: Array = kernel.jvp(array, given, bias, dx=dx, dweight=dweight, dbias=dbias)[..., 0]
        return result

    def error_bound(
        self, x: Any, weight: Any = None, bias: Any = None, *, of: str = "output", grad_output: Any = None
    ) -> ErrorBound:
        """How far a result of a call is at most from that of exact arithmetic on the same arrays.

        Args:
            x, weight, bias: as for the call; the bias is not needed for a gradient.
            of: "output", or "input", "weight" or "bias" for what `vjp` returns.
            grad_output: the upstream gradient, for a gradient.

        Raises:
            ArgumentError: for a shape or a type that does not fit.
        """
        kernel, array, given = self._called(x, weight)
        g = None if grad_output is None else np.asarray(grad_output)[..., None]
        found = kernel.error_bound(array, given, bias, of=of, grad_output=g)
        return found if of == "bias" else replace(found, values=found.values[..., 0])
