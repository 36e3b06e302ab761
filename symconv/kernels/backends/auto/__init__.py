"""The backend "auto": NumPy for what is small or done once, Halide where the estimates say that compiling pays back."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from symconv.errors import ArgumentError, NotSupportedError, SymconvError
from symconv.kernels.backends.finding import backend_of
from symconv.kernels.runtime.arguments import as_array
from symconv.kernels.runtime.backend import Backend, Request
from symconv.kernels.runtime.compiled import remember
from symconv.kernels.runtime.contract import VARIABLES, Gradients, Kernel, check_variables
from symconv.kernels.runtime.kernel import WindowKernel
from symconv.kernels.runtime.padding import Array
from symconv.kernels.runtime.plan import Task

if TYPE_CHECKING:
    from symconv.derivations.step import Derivation
    from symconv.kernels.accuracy.bound import ErrorBound

__all__ = ["BACKEND", "AutoBackend", "AutoKernel"]

COMPILING = 0.6
"""Seconds that Halide is compiled in, once a task, shape class and type."""

SMALL = 50e-6
"""Seconds below which a call stays with NumPy: what is gained is less than what a machine's other work moves it by."""

OUTPUT: tuple[Task, ...] = ("output",)

Result = TypeVar("Result")


class AutoKernel(Kernel):
    """A kernel that goes over from NumPy to Halide, for each task, shape and type by itself.

    It does so when the estimated gain of the calls so far has reached the time of compiling: who has called often will
    call again, and no more than twice the best possible time is ever spent. Sums of floating numbers may then differ in
    their last digits from one call to the next, each within the bound of its own plan.
    """

    def __init__(self, numpy: WindowKernel, halide: WindowKernel) -> None:
        super().__init__(numpy.op)
        self.numpy, self.halide = numpy, halide
        self._gained: OrderedDict[Any, list[float]] = OrderedDict()

    def _kernel(self, tasks: Collection[Task], x: Array) -> WindowKernel:
        """The kernel of a call."""
        key = (tuple(tasks), x.shape, x.dtype)
        found = self._gained.get(key)
        if found is None:
            found = remember(self._gained, key, [0.0, self._gain(tasks, x)])
        if found[0] >= COMPILING:
            return self.halide
        found[0] += found[1]
        return self.numpy

    def _gain(self, tasks: Collection[Task], x: Array) -> float:
        """The seconds that one call gains by Halide; 0 where that is none, or the call is small or will be refused."""
        try:
            gain = sum(self.numpy.estimate(task, x.shape, x.dtype) for task in tasks)
            if gain > SMALL:  # and not before is Halide asked, which takes a tenth of a second to be there
                gain -= sum(self.halide.estimate(task, x.shape, x.dtype) for task in tasks)
        except SymconvError:
            return 0.0
        return gain if gain > SMALL else 0.0

    def _done(self, tasks: Collection[Task], x: Any, run: Callable[[WindowKernel, Array], Result]) -> Result:
        array = as_array("x", x)
        kernel = self._kernel(tasks, array)
        if kernel is self.halide:
            try:
                return run(kernel, array)
            except NotSupportedError:  # such as an array that is too large for it; NumPy says what it cannot do either
                pass
        return run(self.numpy, array)

    def __call__(self, x: Any, weight: Any = None, bias: Any = None, **options: Any) -> Any:
        return self._done(OUTPUT, x, lambda kernel, x: kernel(x, weight, bias, **options))

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
        check_variables(wrt)
        both: tuple[Task, ...] = ("input", "weight")
        tasks = [task for task in both if task in wrt and task in self.op.variables]
        return self._done(tasks, x, lambda kernel, x: kernel.vjp(grad_output, x, weight, bias, wrt=wrt, output=output))

    def jvp(
        self, x: Any, weight: Any = None, bias: Any = None, *, dx: Any = None, dweight: Any = None, dbias: Any = None
    ) -> Array:
        tangents = {"dx": dx, "dweight": dweight, "dbias": dbias}
        return self._done(OUTPUT, x, lambda kernel, x: kernel.jvp(x, weight, bias, **tangents))

    @property
    def plan(self) -> str:
        return self.numpy.plan

    def plan_for(self, shape: tuple[int, ...], dtype: npt.DTypeLike = "float32") -> str:
        return self.numpy.plan_for(shape, dtype)

    @property
    def source(self) -> str:
        return self.numpy.source

    @property
    def gradient_source(self) -> str:
        return self.numpy.gradient_source

    def explain(self, shape: tuple[int, ...] | None = None, dtype: npt.DTypeLike = "float32") -> str:
        """What both backends do with an input, and after how many calls the second takes over."""
        found = [self.numpy.explain(shape, dtype)]
        if shape is not None:
            gain = self._gain(OUTPUT, np.broadcast_to(np.zeros((), dtype), shape))
            after = f"after {int(-(-COMPILING // gain))} calls" if gain else "never, which would gain nothing"
            found.append(f"Halide takes over {after}:\n{self.halide.explain(shape, dtype)}")
        return "\n".join(found)

    def derivation(self, plan: str | None = None) -> Derivation:
        return self.numpy.derivation(plan)

    def error_bound(self, x: Any, *args: Any, **options: Any) -> ErrorBound:
        """The larger of the bounds of both backends, entry by entry, under the formula of the first.

        Raises:
            ArgumentError: for a shape or a type that does not fit.
        """
        first, second = (kernel.error_bound(x, *args, **options) for kernel in (self.numpy, self.halide))
        return replace(first, values=np.maximum(first.values, second.values))


class AutoBackend(Backend):
    """One of the other backends, chosen call by call."""

    name = "auto"
    words = "NumPy, or Halide where that pays back"

    def kernel(self, request: Request) -> Kernel:
        if request.plan is not None:
            why = "must be left out for the backend 'auto': a plan is one of a backend"
            raise ArgumentError("plan", request.plan, why, "pass backend='numpy' or backend='halide'")
        numpy = backend_of("numpy").kernel(replace(request, threads=1))
        try:
            halide = backend_of("halide").kernel(request)
        except SymconvError:  # it is not here, or has no kernel for this operator yet
            return numpy
        both = isinstance(numpy, WindowKernel) and isinstance(halide, WindowKernel)
        return AutoKernel(numpy, halide) if both else numpy  # type: ignore[arg-type]

    def check_threads(self, threads: int) -> None:
        backend_of("halide").check_threads(threads)


BACKEND = AutoBackend(())
"""What ``backend="auto"`` is."""
