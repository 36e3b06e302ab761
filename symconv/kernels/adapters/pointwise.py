"""The kernels of layers that work position by position: their formula, and its derivative, over whole arrays."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np

from symconv.errors import NotSupportedError
from symconv.formulas.algebra import (
    ONE,
    Absolute,
    Access,
    Applied,
    Bracket,
    Compare,
    Constant,
    FormulaWalker,
    Multiply,
    Named,
    Node,
    Plus,
    Power,
    Reduce,
    Scalar,
    Share,
    Sign,
)
from symconv.formulas.calculus import differentiate
from symconv.formulas.exact import RELATIONS
from symconv.formulas.functions import NEGATIVE_PART, POSITIVE_PART
from symconv.formulas.printing import UNICODE, PrintContext
from symconv.formulas.walker import case
from symconv.formulas.walks import transform
from symconv.kernels.adapters.functions import FunctionKernel
from symconv.kernels.adapters.planes import cuts, floating
from symconv.kernels.runtime.arguments import compute_type, native
from symconv.kernels.runtime.padding import Array
from symconv.operators.base import Operator
from symconv.operators.pointwise import Pointwise

if TYPE_CHECKING:
    from symconv.formulas.formula import Formula

__all__ = ["PointwiseKernel", "values_of"]

X = Access("x", ())


def values_of(node: Node, x: Array) -> Array:
    """The values of a formula in the one entry `X`, at the entries of an array of floating numbers."""
    found: Array = _Values(x).visit(node)
    return found


class _Values(FormulaWalker[Any]):
    """The values of a tree at all entries of an array; comparisons with what is no number are NaN."""

    def __init__(self, x: Array) -> None:
        self.x = x

    @case(Constant)
    def _constant(self, node: Constant) -> Any:
        return self.x.dtype.type(node.value)

    @case(Access)
    def _access(self, node: Access) -> Any:
        return self.x

    @case(Plus)
    def _add(self, node: Plus) -> Any:
        return reduce(np.add, map(self.visit, node.args))

    @case(Multiply)
    def _multiply(self, node: Multiply) -> Any:
        return reduce(np.multiply, map(self.visit, node.args))

    @case(Power)
    def _power(self, node: Power) -> Any:
        return self.visit(node.base) ** self.visit(node.exponent)

    @case(Applied)
    def _apply(self, node: Applied) -> Any:
        return node.function.array(np.asarray(self.visit(node.arg)))

    @case(Compare)
    def _compare(self, node: Compare) -> Any:
        left, right = self.visit(node.left), self.visit(node.right)
        found = np.asarray(RELATIONS[node.relation](left, right)).astype(self.x.dtype)
        missing = (left != left) | (right != right)
        if np.any(missing):
            found[np.broadcast_to(missing, found.shape)] = np.nan
        return found

    @case(Scalar, Absolute, Sign, Bracket, Reduce, Share, Named)
    def _other(self, node: Node) -> Any:
        raise NotSupportedError(f"no kernel can be made of a {type(node).__name__} of one entry")


def in_blocks(compute: Callable[..., Array], dtype: np.dtype[Any], *arrays: Array) -> Array:
    """What is computed entry by entry of arrays of one shape, a block at a time, so that it stays in the cache."""
    result = np.empty(arrays[0].shape, dtype)
    lines = [array.reshape(-1) for array in arrays]
    into = result.reshape(-1)
    for part in cuts(into.size, 1, dtype):
        into[part] = compute(*(line[part].astype(dtype, copy=False) for line in lines))
    return result


class PointwiseKernel(FunctionKernel):
    """``kernel(x)``: the function of the layer at every entry.

    Where the layer leaves a derivative undefined it is NaN, but for an upstream gradient or a tangent of 0, which gives
    0. Infinities and NaN are what the functions of NumPy make of them. Integers are taken where the values are
    integers, as those of a ReLU.
    """

    op: Pointwise
    name = "pointwise"
    functions = gradient_functions = ()  # they are those of the formula
    stages = ("the formula at every entry",)
    costs = "one evaluation of the formula an entry"

    def __init__(self, op: Operator, weight: Array | None = None) -> None:
        super().__init__(op, weight)
        self._value = self.op.value(X)
        slope = differentiate(self._value, "x", (), kinks=op.kink_policy())
        # by itself the entry has the derivative 1, a bracket that says nothing
        self._slope = transform(slope, lambda node: ONE if isinstance(node, Bracket) else None)

    def _listing(self, functions: tuple[Callable[..., Any], ...]) -> str:
        del functions
        value, slope = (UNICODE.node(node, PrintContext()) for node in (self._value, self._slope))
        head = f"# {self.op!r}, plan {self.plan!r}: over all entries x of the input"
        return f"{head}\ny = {value}\ngrad_x = g*({slope})\n"

    def outputs(self, sizes: tuple[int, ...]) -> tuple[int, ...]:
        return sizes

    def result_type(self, x: Array) -> np.dtype[Any]:
        if x.dtype.kind != "f" and not self._is_whole():
            floating("x", x, f"the kernel of {self.op!r}")
        return native(x.dtype)

    def _is_whole(self) -> bool:
        """Whether integers have integer values."""
        return isinstance(self._value, Applied) and self._value.function in (POSITIVE_PART, NEGATIVE_PART)

    def forward(self, x: Array) -> Array:
        compute = compute_type(x.dtype) if x.dtype.kind == "f" else x.dtype  # max(0, x) keeps a type of integers
        return values_of(self._value, x.astype(compute, copy=False))

    def pull(self, g: Array, x: Array) -> Array:
        return in_blocks(self._gradients, g.dtype, x, g)

    def _gradients(self, x: Array, g: Array) -> Array:
        slope = values_of(self._slope, x)
        found: Array = g * slope
        if np.isfinite(slope).all():
            return found
        return np.where((g == 0) & ~np.isnan(x), 0, found)

    def push(self, x: Array, tangent: Array) -> Array:
        return self.pull(tangent, x)

    def computed(self, output: Formula) -> Node:
        """The formula itself."""
        return output.body
