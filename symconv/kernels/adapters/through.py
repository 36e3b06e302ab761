"""Kernels of layers that are convolutions in other words: their arrays are seen as those of a convolution.

A dense layer, ``c[p] = sum over n of b[p, n] a[n]``, is a convolution with one tap on an input with one position, whose
channels are its entries; a normalisation, ``c[f, i] = b[f] a[f, i] + d[f]``, is one with one tap and as many groups as
channels. Types, exact integers, plans and promises are those of convolutions.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from symconv.doors import items, plain_integer
from symconv.errors import ArgumentError
from symconv.kernels.form.extraction import numbers_only
from symconv.kernels.runtime.arguments import as_array, fit
from symconv.kernels.runtime.backend import Backend, Request
from symconv.kernels.runtime.certified import certified
from symconv.kernels.runtime.contract import VARIABLES, Gradients, Kernel
from symconv.kernels.runtime.padding import Array
from symconv.operators.convolution import Conv
from symconv.operators.dense import Dense
from symconv.operators.normalisation import BatchNorm

if TYPE_CHECKING:
    from symconv.derivations.step import Derivation
    from symconv.kernels.accuracy.bound import ErrorBound
    from symconv.kernels.runtime.kernel import WindowKernel

__all__ = ["BatchNormKernel", "DenseKernel", "ThroughConvolution"]


class ThroughConvolution(Kernel):
    """``kernel(x, weight, bias)``: a layer whose formula is that of a convolution of arrays with other axes.

    Attributes:
        seen: how it is read as a convolution, in words.
    """

    seen: ClassVar[str]

    def __init__(self, request: Request, backend: Backend) -> None:
        numbers_only(request.op)
        super().__init__(request.op)
        self._request, self._backend = request, backend
        self._kernels: dict[tuple[int, ...], WindowKernel] = {}
        self._bound = None if request.weight is None else self.weight_in(request.weight, "weight", None)
        self._convolution(self.nominal)  # refuses a plan or an accuracy that does not apply

    @classmethod
    def made(cls, request: Request, backend: Backend) -> ThroughConvolution:
        """The kernel of a layer.

        Raises:
            ArgumentError: for symbolic options, a weight of a wrong shape, or a plan that does not apply.
        """
        return cls(request, backend)

    # ------------------------------------------------------------------ how it is a convolution

    @property
    @abstractmethod
    def features(self) -> int:
        """The axis of the input, counted from the last, whose length and that alone decides which convolution it is."""

    @property
    @abstractmethod
    def nominal(self) -> tuple[int, ...]:
        """The shape of an input, with a batch, that is meant where none is given."""

    @abstractmethod
    def convolution(self, shape: tuple[int, ...]) -> Conv:
        """The convolution for an input of a shape.

        Raises:
            ArgumentError: for a shape that does not fit.
        """

    @abstractmethod
    def array_in(self, x: Array) -> Array:
        """An input, or what is like it, as that of the convolution."""

    @abstractmethod
    def weight_in(self, weight: Array, name: str, shape: tuple[int, ...] | None) -> Array:
        """A weight as that of the convolution, for an input of a shape where there is one.

        Raises:
            ArgumentError: for a shape that does not fit.
        """

    @abstractmethod
    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of the output for an input of a shape."""

    # ------------------------------------------------------------------ what it is

    def _convolution(self, shape: tuple[int, ...]) -> WindowKernel:
        features = len(shape), *shape[self.features :][:1]
        if features not in self._kernels:
            request = replace(self._request, op=self.convolution(shape), weight=self._bound)
            self._kernels[features] = self._backend.kernel(request)  # type: ignore[assignment]
        return self._kernels[features]

    def _inner(self, shape: tuple[int, ...] | None) -> tuple[WindowKernel, tuple[int, ...]]:
        """The kernel of the convolution, and the shape of its input."""
        if shape is None:
            found = self.nominal
        else:
            entries = items(shape)
            if entries is None:
                raise ArgumentError("shape", shape, "must be a tuple of integers")
            found = tuple(plain_integer("shape", n, 0) for n in entries)
        return self._convolution(found), self.array_in(np.broadcast_to(np.zeros((), np.float32), found)).shape

    @property
    def plan(self) -> str:
        return self.plan_for(self.nominal)

    def plan_for(self, shape: tuple[int, ...], dtype: npt.DTypeLike = "float32") -> str:
        kernel, inner = self._inner(shape)
        return kernel.plan_for(inner, dtype)

    @property
    def source(self) -> str:
        kernel, inner = self._inner(None)
        return kernel.source_for(inner)

    @property
    def gradient_source(self) -> str:
        return self._inner(None)[0].gradient_source

    def explain(self, shape: tuple[int, ...] | None = None, dtype: npt.DTypeLike = "float32") -> str:
        """Which plan an input of a shape and type takes, and what it does."""
        kernel, inner = self._inner(shape)
        return f"{self.op!r}\n{self.seen}:\n{kernel.explain(inner, dtype)}"

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
            self._inner(None)[0].derivation(plan)  # refuses a plan that does not apply
        output = self.op.output()
        step = Step("1", output, output, "put_together", "Read", (f"it as {self.seen}.",), opens=True)
        stage = Stage(("The output",), ("for all its entries",), (step,))
        lead = (f"The plan {name!r} of a convolution with one tap runs the formula.",)
        return certified(Derivation(f"The output of {self.op.phrase}", lead, (), (), (stage,)), name)

    # ------------------------------------------------------------------ calls

    def _called(self, x: Any, weight: Any) -> tuple[WindowKernel, Array, Array | None]:
        """The convolution of a call, its input and its weight."""
        array = as_array("x", x)
        kernel = self._convolution(array.shape)
        given = None if weight is None else self.weight_in(as_array("weight", weight), "weight", array.shape)
        return kernel, array, given

    def _biased(self, bias: Any) -> None:
        if bias is None and "bias" in self.op.variables:
            raise ArgumentError("bias", None, f"must be given: {self.op!r} has a bias")

    def __call__(self, x: Any, weight: Any = None, bias: Any = None) -> Any:
        """The output.

        Args:
            x: the input.
            weight, bias: in the shapes of the layer.

        Raises:
            ArgumentError: for a shape or a type that does not fit.
        """
        kernel, array, given = self._called(x, weight)
        self._biased(bias)
        return kernel(self.array_in(array), given, bias).reshape(self.output_shape(array.shape))

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
        fit("grad_output", g, self.output_shape(array.shape), "the shape of the output")
        found = kernel.vjp(self.array_in(g), self.array_in(array), given, bias, wrt=wrt)
        to_input = None if found.input is None else found.input.reshape(array.shape)
        to_weight = found.weight
        if to_weight is not None and weight is not None:
            to_weight = to_weight.reshape(np.shape(weight))
        elif to_weight is not None and self._request.weight is not None:
            to_weight = to_weight.reshape(self._request.weight.shape)
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
            dx = self.array_in(fit("dx", as_array("dx", dx), array.shape, "the shape of x"))
        if dweight is not None:
            dweight = self.weight_in(as_array("dweight", dweight), "dweight", array.shape)
        result: Array = kernel.jvp(self.array_in(array), given, bias, dx=dx, dweight=dweight, dbias=dbias)
        return result.reshape(self.output_shape(array.shape))

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
        g = grad_output
        if g is not None:
            g = self.array_in(
                fit(
                    "grad_output", as_array("grad_output", g), self.output_shape(array.shape), "the shape of the output"
                )
            )
        found = kernel.error_bound(self.array_in(array), given, bias, of=of, grad_output=g)
        own = self._request.weight if weight is None else np.asarray(weight)
        shapes = {"output": self.output_shape(array.shape), "input": array.shape}
        if own is not None:
            shapes["weight"] = own.shape
        return replace(found, values=found.values.reshape(shapes.get(of, found.values.shape)))


NOMINAL_INPUTS = 256
"""The number of inputs of a dense layer that is spoken of where the layer does not say its own."""


class DenseKernel(ThroughConvolution):
    """``kernel(x, weight, bias)``: a dense layer; the weight is ``(out_features, in_features)``.

    Arrays are ``(N, in_features)`` or ``(in_features,)``. Types: float32 and float64 stay what they are, float16 is
    computed in float32, integers are exact, in int64, and refused where sums might overflow.
    """

    op: Dense
    seen = "a convolution of one position with as many channels as inputs"
    features = -1

    @property
    def nominal(self) -> tuple[int, ...]:
        bound = self._request.weight
        return (1, self.op.in_features or (NOMINAL_INPUTS if bound is None else bound.shape[1]))

    def convolution(self, shape: tuple[int, ...]) -> Conv:
        if len(shape) not in (1, 2):
            raise ArgumentError("x", shape, "must have the shape (N, in_features) or (in_features,)")
        bound = self._request.weight
        wanted = self.op.in_features or (None if bound is None else bound.shape[1])
        if wanted not in (None, shape[-1]):
            raise ArgumentError("x", shape, f"must have {wanted} entries on its last axis, the inputs")
        if not shape[-1]:
            raise ArgumentError("x", shape, "must have an input")
        return Conv((1,), in_channels=shape[-1], out_channels=self.op.out_features, bias=self.op.bias)

    def array_in(self, x: Array) -> Array:
        return x[..., None]

    def weight_in(self, weight: Array, name: str, shape: tuple[int, ...] | None) -> Array:
        inputs = self.op.in_features if shape is None else shape[-1]
        if weight.ndim != 2 or len(weight) != self.op.out_features or inputs not in (None, weight.shape[1]):
            shown = f"({self.op.out_features}, {inputs or 'in_features'})"
            requirement = f"must have the shape {shown}, which is (out_features, in_features)"
            raise ArgumentError(name, weight.shape, requirement)
        return weight[..., None]

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (*shape[:-1], self.op.out_features)


class BatchNormKernel(ThroughConvolution):
    """``kernel(x, weight, bias)``: a scale and a shift of every channel, both ``(channels,)``.

    Arrays are ``(N, C, *spatial)`` or ``(C, *spatial)``. Types: float32 and float64 stay what they are, float16 is
    computed in float32, integers are exact, in int64, and refused where sums might overflow.
    """

    op: BatchNorm
    seen = "a convolution with one tap and as many groups as channels"

    @property
    def features(self) -> int:
        return -1 - self.op.ndim

    @property
    def nominal(self) -> tuple[int, ...]:
        return (1, self.op.channels, *(64,) * self.op.ndim)

    def convolution(self, shape: tuple[int, ...]) -> Conv:
        ndim, channels = self.op.ndim, self.op.channels
        if len(shape) not in (ndim + 1, ndim + 2):
            wanted = f"must have the shape (N, C, *spatial) or (C, *spatial) with {ndim} spatial axes"
            raise ArgumentError("x", shape, wanted)
        if shape[-1 - ndim] != channels:
            raise ArgumentError("x", shape, f"must have {channels} channels on axis {len(shape) - 1 - ndim}")
        taps = (1,) * max(1, ndim)
        return Conv(taps, groups=channels, in_channels=channels, out_channels=channels, bias=True)

    def array_in(self, x: Array) -> Array:
        return x if self.op.ndim else x[..., None]

    def weight_in(self, weight: Array, name: str, shape: tuple[int, ...] | None) -> Array:
        fit(name, weight, (self.op.channels,), "one entry a channel")
        return weight.reshape(self.op.channels, 1, *(1,) * max(1, self.op.ndim))

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return shape
