"""What kernels of operators without weights share: how their arrays are laid out, which types they compute in."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from symconv.errors import ArgumentError, NotSupportedError
from symconv.kernels.form.extraction import numbers_only
from symconv.kernels.runtime.arguments import as_array, cast, compute_type, fit, native, outputs_of
from symconv.kernels.runtime.backend import Backend, Request
from symconv.kernels.runtime.certified import certified
from symconv.kernels.runtime.contract import VARIABLES, Gradients, Kernel, check_variables
from symconv.kernels.runtime.engine import source_of
from symconv.kernels.runtime.geometry import Line
from symconv.kernels.runtime.padding import Array
from symconv.kernels.runtime.plan import ACCURACIES, Accuracy
from symconv.operators.base import Operator
from symconv.operators.window import Window
from symconv.operators.winners import refuse_ties

if TYPE_CHECKING:
    from symconv.derivations.step import Derivation
    from symconv.formulas.algebra import Node
    from symconv.formulas.formula import Formula
    from symconv.kernels.accuracy.bound import ErrorBound
    from symconv.kernels.accuracy.entries import SumOfEntries

__all__ = ["DirectKernel", "PlaneKernel", "Planes", "cuts", "floating", "lines_of_windows"]

BLOCK_BYTES = 1 << 19
"""Measured: planes of 512 KiB together stay in a second-level cache while several passes go over them."""


def floating(name: str, array: Array, what: str) -> Array:
    """An array of floating numbers; integers are refused where a derivative is asked for.

    Raises:
        NotSupportedError: for an integer array.
    """
    if array.dtype.kind != "f":
        raise NotSupportedError(
            f"{what} needs a floating dtype, got {name} of {array.dtype.name}; pass {name}.astype('float64')"
        )
    return array


def cuts(count: int, entries: int, dtype: npt.DTypeLike) -> Iterator[slice]:
    """Blocks of `count` planes of `entries` each that stay in the cache."""
    step = max(1, BLOCK_BYTES // max(1, entries * np.dtype(dtype).itemsize))
    for first in range(0, count, step):
        yield slice(first, min(count, first + step))


def lines_of_windows(windows: Sequence[Window], sizes: tuple[int, ...]) -> tuple[Line, ...]:
    """How windows read an image that is zero outside of its sizes."""
    found = []
    for window, size in zip(windows, sizes, strict=True):
        count, before = window.output_size(size), window.padding(size)[0].value
        assert before is not None
        found.append(Line(size, int(count), window.kernel, window.stride, window.dilation, before))
    return tuple(found)


@dataclass(frozen=True)
class Planes:
    """An array as planes ``(count, *sizes)``, and the axes that it had before them."""

    array: Array
    lead: tuple[int, ...]
    sizes: tuple[int, ...]

    @classmethod
    def of(cls, name: str, array: Array, ndim: int) -> Planes:
        """Read ``(N, C, *spatial)``, ``(C, *spatial)`` or ``(*spatial)``.

        Raises:
            ArgumentError: for another number of axes.
        """
        if not ndim <= array.ndim <= ndim + 2:
            raise ArgumentError(
                name,
                array.shape,
                f"must have the shape (N, C, *spatial), (C, *spatial) or (*spatial) with {ndim} spatial axes",
            )
        lead, sizes = array.shape[: array.ndim - ndim], array.shape[array.ndim - ndim :]
        return cls(array.reshape(prod(lead), *sizes), lead, sizes)


class DirectKernel(Kernel):
    """A kernel with one way to compute its operator: the formula itself, over whole arrays.

    Attributes:
        name: the name of its plan.
        weighted: whether the operator has a weight.
        words: what runs it.
        accuracy, error: the accuracy class, and the accuracy to expect in one line.
        functions, gradient_functions: what runs for the output and for the gradients.
        stages, costs: what happens, a line a stage, and how many operations that takes.
    """

    name: ClassVar[str]
    weighted: ClassVar[bool] = False
    words: str = "NumPy, one thread"
    accuracy: ClassVar[Accuracy] = "exact_order"
    error: ClassVar[str]
    functions: tuple[Callable[..., Any], ...]
    gradient_functions: tuple[Callable[..., Any], ...]
    stages: tuple[str, ...]
    costs: str

    @classmethod
    def made(cls, request: Request, backend: Backend) -> DirectKernel:
        """The kernel of an operator whose formula this class computes.

        Raises:
            ArgumentError: for symbolic options, a weight that the operator does not have, or a plan or an accuracy
                class that does not apply.
        """
        kernel = cls(request.op, request.weight)
        if request.plan not in (None, kernel.plan):
            raise ArgumentError("plan", request.plan, f"must be one of the plans that apply here ({kernel.plan!r})")
        if ACCURACIES.index(kernel.accuracy) > ACCURACIES.index(request.accuracy):
            wanted = f"must be {kernel.accuracy!r} for {request.op!r}: {kernel.error}"
            raise ArgumentError("accuracy", request.accuracy, wanted)
        return kernel

    def __init__(self, op: Operator, weight: Array | None = None) -> None:
        if weight is not None and not self.weighted:
            raise ArgumentError("weight", type(weight).__name__, f"must be left out: {op!r} has no weight")
        numbers_only(op)
        super().__init__(op)

    @property
    def plan(self) -> str:
        """The plan; there is one."""
        return self.name

    def plan_for(self, shape: tuple[int, ...], dtype: npt.DTypeLike = "float32") -> str:
        """The plan; there is one for every shape that fits."""
        self.shapes(tuple(shape))
        return self.plan

    @property
    def source(self) -> str:
        return self._listing(self.functions)

    @property
    def gradient_source(self) -> str:
        self.op.tie_policy()
        return self._listing(self.gradient_functions)

    def _listing(self, functions: tuple[Callable[..., Any], ...]) -> str:
        return f"# {self.op!r}, plan {self.plan!r}\nimport numpy as np\n\n\n{source_of(*functions)}"

    def shapes(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of the output for an input of a shape; here every plane becomes one of the output size.

        Raises:
            ArgumentError: for a shape that does not fit.
        """
        planes = Planes.of("shape", np.broadcast_to(np.zeros((), np.float32), shape), self.op.spatial_axes)
        return (*planes.lead, *outputs_of(self.op, planes.sizes))

    def explain(self, shape: tuple[int, ...] | None = None, dtype: npt.DTypeLike = "float32") -> str:
        """What it does, and what an input of a shape and type takes to read and write."""
        lines = [f"{self.op!r}", f"plan: {self.plan}, the only one ({self.words})"]
        lines += [f"  {stage}" for stage in self.stages]
        lines += [f"operations: {self.costs}", f"accuracy: {self.accuracy}; {self.error}"]
        if shape is not None:
            size, found = np.dtype(dtype).itemsize, self.shapes(tuple(shape))
            lines.append(f"bytes: input {prod(shape) * size}, output {'x'.join(map(str, found))}: {prod(found) * size}")
            if np.dtype(dtype).kind == "f":
                lines += self.promised(tuple(shape), np.dtype(dtype))
        return "\n".join(lines)

    @abstractmethod
    def promised(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> list[str]:
        """The bounds of rounding errors for an input of a shape and a floating type, in lines."""

    def derivation(self, plan: str | None = None) -> Derivation:
        """What is run, as a formula that is proved to be that of the operator.

        Raises:
            ArgumentError: for another plan than `plan`.
            NotSupportedError: where it is not proved.
        """
        from symconv.derivations.step import Derivation, Stage, Step

        if plan not in (None, self.plan):
            raise ArgumentError("plan", plan, f"must be one of the plans that apply here ({self.plan!r})")
        output = self.op.output()
        run = output.with_body(self.computed(output))
        reason = (f"{'; '.join(self.stages)}.",)
        step = Step("1", output, run, "put_together", "Put together", reason, opens=True)
        stage = Stage(("The output",), ("for all its entries",), (step,))
        lead = (f"The plan {self.plan!r} runs one formula over whole arrays.",)
        zero = ("An array is zero outside its range.",)
        return certified(Derivation(f"The output of {self.op.phrase}", lead, zero, (), (stage,)), self.plan)

    @abstractmethod
    def computed(self, output: Formula) -> Node:
        """What runs, as a formula of an output entry in the indices of `output`."""


class PlaneKernel(DirectKernel):
    """A kernel of an operator without weights: every plane of the input becomes an array of its own."""

    @abstractmethod
    def forward(self, x: Array) -> Array:
        """The outputs ``(planes, *outputs)`` of planes ``(planes, *sizes)``."""

    @abstractmethod
    def pull(self, g: Array, x: Array) -> Array:
        """The gradient of the planes `x` for the upstream gradient `g`, in the type of `g`."""

    @abstractmethod
    def push(self, x: Array, tangent: Array) -> Array:
        """The tangent of the output for a tangent of the planes `x`, in the type of the tangent."""

    def result_type(self, x: Array) -> np.dtype[Any]:
        """The type of the output for an input, here that of the input; refuses a type that gives no exact result."""
        return native(x.dtype)

    def arrange(self, x: Array) -> Planes:
        """The planes of an input; refuses a shape that does not fit."""
        return Planes.of("x", x, self.op.spatial_axes)

    def outputs(self, sizes: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of what a plane becomes."""
        return outputs_of(self.op, sizes)

    def joined(self, lead: tuple[int, ...], outputs: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of the output."""
        return (*lead, *outputs)

    def shapes(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        planes = self.arrange(np.broadcast_to(np.zeros((), np.float32), shape))
        return self.joined(planes.lead, self.outputs(planes.sizes))

    # ------------------------------------------------------------------ calls

    @np.errstate(all="ignore")
    def __call__(self, x: Any, weight: Any = None, bias: Any = None) -> Any:
        """The output.

        Args:
            x: the input, ``(N, C, *spatial)``, ``(C, *spatial)`` or ``(*spatial)``.
            weight, bias: must be left out; this operator has none.

        Raises:
            ArgumentError: for a shape or a type that does not fit.
        """
        planes, outputs = self.read(x, weight, bias)
        result = self.result_type(planes.array)
        return cast(self.forward(planes.array).reshape(self.joined(planes.lead, outputs)), result)

    @np.errstate(all="ignore")
    def vjp(
        self, grad_output: Any, x: Any, weight: Any = None, bias: Any = None, *, wrt: Collection[str] = VARIABLES
    ) -> Gradients:
        """The gradient of ``<grad_output, kernel(x)>``, in the shape and type of `x`.

        Args:
            grad_output: the upstream gradient, in the shape of the output.
            x: as for the call.
            weight, bias: must be left out; this operator has none.
            wrt: the variables whose gradients are wanted; there is that of the input alone.

        Raises:
            ArgumentError: for a shape or a type that does not fit.
            NotSupportedError: for integers, and for ``ties="set"``, whose gradient is a set.
        """
        check_variables(wrt)
        self.op.tie_policy()
        array = floating("x", as_array("x", x), "vjp")
        planes, outputs = self.read(array, weight, bias)
        g = as_array("grad_output", grad_output)
        fit("grad_output", g, self.joined(planes.lead, outputs), "the shape of the output")
        if "input" not in wrt:
            return Gradients(None)
        refuse_ties(self.op, planes.array, g.reshape(len(planes.array), *outputs))
        upstream = cast(g.reshape(len(planes.array), *outputs), compute_type(array.dtype))
        return Gradients(cast(self.pull(upstream, planes.array).reshape(array.shape), array.dtype))

    @np.errstate(all="ignore")
    def jvp(
        self, x: Any, weight: Any = None, bias: Any = None, *, dx: Any = None, dweight: Any = None, dbias: Any = None
    ) -> Array:
        """The tangent of the output at `x` for a tangent `dx`; None is a zero tangent.

        Raises:
            ArgumentError: for a shape or a type that does not fit.
            NotSupportedError: for integers, and for ``ties="set"``.
        """
        self.op.tie_policy()
        array = floating("x", as_array("x", x), "jvp")
        planes, outputs = self.read(array, weight, bias)
        result, shape = self.result_type(planes.array), self.joined(planes.lead, outputs)
        if dweight is not None or dbias is not None:
            raise ArgumentError("dweight, dbias", (dweight, dbias), f"must be left out: {self.op!r} has no weights")
        if dx is None:
            return np.zeros(shape, result)
        refuse_ties(self.op, planes.array, np.ones((len(planes.array), *outputs), bool))
        tangent = fit("dx", as_array("dx", dx), array.shape, "the shape of x").reshape(planes.array.shape)
        pushed = self.push(planes.array, tangent.astype(compute_type(array.dtype), copy=False))
        return cast(pushed.reshape(shape), result)

    def error_bound(
        self, x: Any, weight: Any = None, bias: Any = None, *, of: str = "output", grad_output: Any = None
    ) -> ErrorBound:
        """How far a result of a call is at most from that of exact arithmetic on the same arrays.

        Args:
            x, weight, bias: as for the call.
            of: "output", or "input" for what `vjp` returns.
            grad_output: the upstream gradient, for the gradient.

        Raises:
            ArgumentError: for a shape or a type that does not fit.
        """
        from symconv.kernels.accuracy.entries import bound_of_entries

        array = as_array("x", x)
        planes, outputs = self.read(array, weight, bias)
        self.result_type(planes.array)
        compute = compute_type(array.dtype)

        def evaluate(g: Array | None) -> tuple[SumOfEntries, Array]:
            values = planes.array.astype(np.float64)
            if g is None:
                return self.promise("output", planes.sizes, compute), self.forward(np.abs(values))
            self.op.tie_policy()
            return self.promise("input", planes.sizes, compute), self.pull(g.reshape(len(values), *outputs), values)

        return bound_of_entries(self.plan, of, array, grad_output, self.joined(planes.lead, outputs), compute, evaluate)

    @abstractmethod
    def promise(self, of: str, sizes: tuple[int, ...], compute: np.dtype[Any]) -> SumOfEntries:
        """What is promised of the "output", or of the gradient of the "input", for planes of a size."""

    def promised(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> list[str]:
        planes = self.arrange(np.broadcast_to(np.zeros((), np.float32), shape))
        found = [self.promise(of, planes.sizes, compute_type(dtype)) for of in ("output", "input")]
        return [f"  {found[0].line}", f"gradient of the input: {found[1].line}", found[0].legend]

    def read(self, x: Any, weight: Any, bias: Any) -> tuple[Planes, tuple[int, ...]]:
        """The planes of a call and the shape of what each of them becomes."""
        for name, value in (("weight", weight), ("bias", bias)):
            if value is not None:
                raise ArgumentError(name, type(value).__name__, f"must be left out: {self.op!r} has no {name}")
        planes = self.arrange(as_array("x", x))
        return planes, self.outputs(planes.sizes)
