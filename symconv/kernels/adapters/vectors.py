"""The kernels of softmax and its logarithm: the largest entry is subtracted first, so that nothing overflows."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np

from symconv.formulas.algebra import Access, Applied, Bound, Node, Power, Reduce, add, const, summation
from symconv.formulas.algebra import product as times
from symconv.formulas.functions import EXP, LN
from symconv.formulas.index import Index
from symconv.formulas.naming import fresh_name
from symconv.kernels.adapters.functions import FunctionKernel
from symconv.kernels.adapters.planes import floating
from symconv.kernels.runtime.arguments import compute_type, native
from symconv.kernels.runtime.padding import Array

if TYPE_CHECKING:
    from symconv.formulas.formula import Formula

__all__ = ["LogSoftmaxKernel", "SoftmaxKernel", "VectorKernel"]


def shifted(x: Array) -> Array:
    """Vectors without their largest entries, so that no power of e of them overflows."""
    found: Array = x - np.max(x, axis=-1, keepdims=True, initial=-np.inf)
    return found


def softmax(x: Array) -> Array:
    """Powers of e of vectors, divided by their sums."""
    powers = np.exp(shifted(x))
    found: Array = powers / np.sum(powers, axis=-1, keepdims=True)
    return found


def log_softmax(x: Array) -> Array:
    """The logarithms of `softmax`."""
    rest = shifted(x)
    found: Array = rest - np.log(np.sum(np.exp(rest), axis=-1, keepdims=True))
    return found


def total(x: Array) -> Array:
    """The sums of vectors."""
    found: Array = np.sum(x, axis=-1, keepdims=True)
    return found


class VectorKernel(FunctionKernel):
    """What kernels of functions of whole vectors share: types."""

    def result_type(self, x: Array) -> np.dtype[Any]:
        floating("x", x, f"the kernel of {self.op!r}")
        return native(x.dtype)

    def wide(self, x: Array) -> Array:
        """Vectors in the type that is computed in."""
        return x.astype(compute_type(x.dtype), copy=False)


class _Shifted(VectorKernel):
    """A function of vectors that does not change where one number is subtracted from all entries."""

    stages = ("the largest entry is subtracted from all, so that no power of e overflows",)
    costs = "one power of e an entry, and two passes over them"

    def computed(self, output: Formula) -> Node:
        letter = output.tensors[0].name
        (free,) = output.free
        taken = frozenset((*output.parameters, *output.indices, letter))
        here, name = Index.of(free.name), fresh_name("j", taken)
        every = Bound(name, free.lower, free.upper)
        largest = Reduce("max", (every,), (), Access(letter, (Index.of(name),)))

        def rest(at: Index) -> Node:
            return add(Access(letter, (at,)), times(const(-1), largest))

        return self.finished(rest(here), summation(Applied(EXP, rest(Index.of(name))), every))

    @abstractmethod
    def finished(self, rest: Node, powers: Node) -> Node:
        """The output, of an entry without the largest one and the sum of the powers of e of all of these."""


class SoftmaxKernel(_Shifted):
    """``kernel(x)``: softmax over the last axis.

    As in PyTorch, an entry of infinity or NaN makes its whole vector NaN, and so do entries of minus infinity alone.
    """

    name = "softmax"
    functions = gradient_functions = (shifted, softmax, total)

    def finished(self, rest: Node, powers: Node) -> Node:
        return times(Applied(EXP, rest), Power(powers, const(-1)))

    def forward(self, x: Array) -> Array:
        return softmax(self.wide(x))

    def pull(self, g: Array, x: Array) -> Array:
        y = softmax(self.wide(x))
        found: Array = y * (g - total(g * y))
        return found

    def push(self, x: Array, tangent: Array) -> Array:
        return self.pull(tangent, x)  # the matrix of derivatives is symmetric


class LogSoftmaxKernel(_Shifted):
    """``kernel(x)``: the logarithm of softmax over the last axis; infinities and NaN as for softmax."""

    name = "log-softmax"
    functions = gradient_functions = (shifted, log_softmax, total)

    def finished(self, rest: Node, powers: Node) -> Node:
        return add(rest, times(const(-1), Applied(LN, powers)))

    def forward(self, x: Array) -> Array:
        return log_softmax(self.wide(x))

    def pull(self, g: Array, x: Array) -> Array:
        found: Array = g - softmax(self.wide(x)) * total(g)
        return found

    def push(self, x: Array, tangent: Array) -> Array:
        found: Array = tangent - total(softmax(self.wide(x)) * tangent)
        return found
