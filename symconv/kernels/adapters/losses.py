"""The kernels of losses: one number for every array of a batch, and the gradient by that array."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from symconv.errors import ArgumentError, NotSupportedError
from symconv.formulas.algebra import Applied, Node, Reduce, add, const, product
from symconv.formulas.functions import EXP, LN
from symconv.formulas.walks import transform
from symconv.kernels.adapters.planes import DirectKernel, Planes, floating
from symconv.kernels.adapters.vectors import log_softmax, softmax
from symconv.kernels.runtime.arguments import as_array, cast, compute_type, fit, native
from symconv.kernels.runtime.contract import VARIABLES, Gradients, check_variables
from symconv.kernels.runtime.padding import Array
from symconv.operators.base import Operator
from symconv.operators.cross_entropy import CrossEntropy
from symconv.operators.losses import Loss
from symconv.operators.squared_error import SquaredError

if TYPE_CHECKING:
    from symconv.formulas.formula import Formula
    from symconv.kernels.accuracy.bound import ErrorBound

__all__ = ["CrossEntropyKernel", "LossKernel", "SquaredErrorKernel"]


def squares(x: Array, y: Array) -> Array:
    """The sums of the squares of the differences of arrays ``(count, entries)``."""
    found: Array = np.sum(np.square(x - y), axis=-1)
    return found


def weighted(y: Array, logarithms: Array) -> Array:
    """Minus the sums of targets times logarithms; a target of 0 leaves out what it is of, minus infinity too."""
    found: Array = np.sum(np.where(y == 0, 0, -y * logarithms), axis=-1) + 0.0  # no minus before a loss of 0
    return found


def ratios(y: Array, x: Array) -> Array:
    """Minus targets over probabilities; 0 where the target is 0."""
    found: Array = np.where(y == 0, 0, -y / x)
    return found


def _shifted(node: Node) -> Node | None:
    """``m + ln(sum of e^(x - m))`` for ``ln(sum of e^x)``, with the largest x for m."""
    total = node.arg if isinstance(node, Applied) and node.function is LN else None
    if not isinstance(total, Reduce) or not isinstance(total.body, Applied) or total.body.function is not EXP:
        return None
    largest = Reduce("max", total.bounds, total.guards, total.body.arg)
    rest = add(total.body.arg, product(const(-1), largest))
    return add(largest, Applied(LN, Reduce("sum", total.bounds, total.guards, Applied(EXP, rest))))


SUM_OF_TARGETS = 1e-3
"""How far from 1 the sum of a target may lie: what rounding in float16 makes of it."""


class LossKernel(DirectKernel):
    """``kernel(x)``, or ``kernel(x, target)`` where the loss has no target of its own: one number an array.

    Arrays are ``(N, C, *spatial)``, ``(C, *spatial)`` or ``(*spatial)`` with the axes of the loss as the spatial ones;
    the result has the shape of what stands before these. A target is an array in the shape of `x`, which for a
    cross-entropy sums to 1, or, for that, of integers in the shape of the result: classes, counted from 0.
    """

    op: Loss
    stages = ("the formula over whole arrays",)
    costs = "a few operations an entry"
    error = "every operation is rounded; functions are those of NumPy"

    def __init__(self, op: Operator, weight: Array | None = None) -> None:
        super().__init__(op, weight)
        self._own: Array | None = None
        entries = list(self.op.known_entries())
        if isinstance(self.op.target, tuple):
            self._own = np.array([float(value) for _, value in entries])

    @abstractmethod
    def values(self, x: Array, y: Array) -> Array:
        """The losses ``(count,)`` of arrays and targets ``(count, entries)``."""

    @abstractmethod
    def slopes(self, x: Array, y: Array) -> Array:
        """Their derivatives by the entries of the arrays."""

    @np.errstate(all="ignore")
    def __call__(self, x: Any, target: Any = None) -> Any:
        """The losses.

        Args:
            x: the arrays.
            target: their targets, where the loss has none of its own.

        Raises:
            ArgumentError: for a shape or a type that does not fit, and for a class that there is not.
            NotSupportedError: for integers.
        """
        array, planes, y = self._read("the kernel of a loss", x, target)
        found = self.values(self._flat(planes), y)
        return cast(found.reshape(planes.lead), native(array.dtype))

    @np.errstate(all="ignore")
    def vjp(self, grad_output: Any, x: Any, target: Any = None, *, wrt: Collection[str] = VARIABLES) -> Gradients:
        """The gradient of ``<grad_output, kernel(x, target)>`` by `x`.

        Args:
            grad_output: the upstream gradient, in the shape of the output.
            x, target: as for the call.
            wrt: the variables whose gradients are wanted; there is that of the input alone.

        Raises:
            ArgumentError, NotSupportedError: as for the call.
        """
        check_variables(wrt)
        array, planes, y = self._read("vjp", x, target)
        g = fit("grad_output", as_array("grad_output", grad_output), planes.lead, "the shape of the output")
        if "input" not in wrt:
            return Gradients(None)
        found = g.reshape(-1, 1).astype(y.dtype, copy=False) * self.slopes(self._flat(planes), y)
        return Gradients(cast(found.reshape(array.shape), array.dtype))

    @np.errstate(all="ignore")
    def jvp(self, x: Any, target: Any = None, *, dx: Any = None) -> Array:
        """The tangent of the output for a tangent `dx` of the input; None is a zero tangent.

        Raises:
            ArgumentError, NotSupportedError: as for the call.
        """
        array, planes, y = self._read("jvp", x, target)
        if dx is None:
            return np.zeros(planes.lead, native(array.dtype))
        along = fit("dx", as_array("dx", dx), array.shape, "the shape of x").reshape(y.shape)
        found = np.sum(self.slopes(self._flat(planes), y) * along.astype(y.dtype, copy=False), axis=-1)
        return cast(found.reshape(planes.lead), native(array.dtype))

    def _flat(self, planes: Planes) -> Array:
        """The arrays ``(count, entries)`` in the type that is computed in."""
        flat = planes.array.reshape(len(planes.array), prod(planes.sizes))
        return flat.astype(compute_type(flat.dtype), copy=False)

    def _read(self, what: str, x: Any, target: Any) -> tuple[Array, Planes, Array]:
        """The input, its arrays, and the targets ``(count, entries)``."""
        array = floating("x", as_array("x", x), what)
        planes = Planes.of("x", array, self.op.spatial_axes)
        self.op.output_size(planes.sizes)
        shape = (len(planes.array), prod(planes.sizes))
        compute = compute_type(array.dtype)
        if self.op.target is not None:
            if target is not None:
                raise ArgumentError("target", type(target).__name__, f"must be left out: {self.op!r} has its own")
            own = self._own
            if own is None:
                own = np.zeros(shape[1])
                own[self.op.target] = 1
            return array, planes, np.broadcast_to(own.astype(compute), shape)
        if target is None:
            raise ArgumentError("target", None, f"must be given: {self.op!r} has none of its own")
        return array, planes, self._target(as_array("target", target), planes).astype(compute, copy=False)

    def _target(self, given: Array, planes: Planes) -> Array:
        return fit("target", given, (*planes.lead, *planes.sizes), "the shape of x").reshape(len(planes.array), -1)

    def shapes(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        planes = Planes.of("shape", np.broadcast_to(np.zeros((), np.float32), shape), self.op.spatial_axes)
        self.op.output_size(planes.sizes)
        return planes.lead

    def error_bound(self, x: Any, *args: Any, **options: Any) -> ErrorBound:
        """Nothing is promised of the rounding errors of a loss.

        Raises:
            NotSupportedError: always.
        """
        raise NotSupportedError(
            f"no bound of rounding errors is promised for {self.op!r}; compare with op.output().values(...), which is "
            "exact"
        )

    def promised(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> list[str]:
        return ["no bound of the rounding error is promised"]

    def computed(self, output: Formula) -> Node:
        """The formula, with the logarithm of a sum of powers of e as `log_softmax` takes it."""
        return transform(output.body, _shifted)


class SquaredErrorKernel(LossKernel):
    """The kernel of `SquaredError`."""

    op: SquaredError
    name = "squared-error"
    functions = gradient_functions = (squares,)

    def values(self, x: Array, y: Array) -> Array:
        return squares(x, y)

    def slopes(self, x: Array, y: Array) -> Array:
        found: Array = 2 * (x - y)
        return found


class CrossEntropyKernel(LossKernel):
    """The kernel of `CrossEntropy`: of probabilities by their logarithms, of scores by `log_softmax`.

    A probability of 0 has the loss infinity where its target is not 0, as in PyTorch, and no part where it is.
    """

    op: CrossEntropy
    name = "cross-entropy"
    functions = gradient_functions = (weighted, ratios, softmax, log_softmax)

    def values(self, x: Array, y: Array) -> Array:
        return weighted(y, log_softmax(x) if self.op.from_logits else np.log(x))

    def slopes(self, x: Array, y: Array) -> Array:
        if not self.op.from_logits:
            return ratios(y, x)
        found: Array = softmax(x) * np.sum(y, axis=-1, keepdims=True) - y
        return found

    def _target(self, given: Array, planes: Planes) -> Array:
        if given.dtype.kind not in "iu" or given.shape != planes.lead:
            found = super()._target(given, planes)
            totals = found.sum(axis=-1, dtype=np.float64)
            if (abs(totals - 1) > SUM_OF_TARGETS).any():
                worst = totals[np.argmax(abs(totals - 1) > SUM_OF_TARGETS)]
                raise ArgumentError("target", f"a sum of {worst:g}", "must have entries that sum to 1")
            return found
        (classes,) = planes.sizes
        if given.size and not 0 <= int(given.min()) <= int(given.max()) < classes:
            wrong = int(given.min()) if given.min() < 0 else int(given.max())
            raise ArgumentError("target", wrong, f"must be classes from 0 to {classes - 1}")
        return np.eye(classes)[given.reshape(-1)]
