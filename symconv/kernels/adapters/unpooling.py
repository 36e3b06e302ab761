"""The kernel of `MaxUnpool`: entries are added to zeros at given positions; its gradient reads them there."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from symconv.errors import ArgumentError, GeometryError
from symconv.formulas.algebra import Access, Bound, Compare, Node, Scalar, summation
from symconv.formulas.algebra import product as times
from symconv.formulas.index import Index
from symconv.formulas.naming import fresh_name
from symconv.kernels.accuracy.units import Unit
from symconv.kernels.adapters.planes import DirectKernel, Planes, floating
from symconv.kernels.programs.reading import row_major
from symconv.kernels.runtime.arguments import as_array, cast, compute_type, fit, native, outputs_of
from symconv.kernels.runtime.contract import VARIABLES, Gradients, check_variables
from symconv.kernels.runtime.padding import Array
from symconv.kernels.runtime.parameters import largest_of, refuse_sum
from symconv.operators.unpooling import MaxUnpool

if TYPE_CHECKING:
    from symconv.formulas.formula import Formula
    from symconv.kernels.accuracy.bound import ErrorBound

__all__ = ["MaxUnpoolKernel"]


def scatter(x: Array, positions: Array, entries: int, dtype: np.dtype[Any]) -> Array:
    """Planes of `entries` zeros with the entries of `x` added at their positions, both ``(planes, entries of x)``."""
    y = np.zeros((len(x), entries), dtype)
    flat = positions + entries * np.arange(len(x))[:, None]
    values = x.ravel().astype(dtype, copy=False).view(dtype)  # numpy.add.at is fast where types are the same object
    np.add.at(y.reshape(-1), flat.ravel(), values)
    return y


def gather(y: Array, positions: Array) -> Array:
    """The entries of planes ``(planes, entries)`` at positions; the transpose of `scatter`."""
    return np.take_along_axis(y, positions, 1)


class MaxUnpoolKernel(DirectKernel):
    """``kernel(x, indices)``: every entry at the position in its output plane that `indices` says, zeros elsewhere.

    Where several entries of a plane have one position they add up; PyTorch keeps one of them, and does not say which.
    Integers are exact, in int64, and refused where sums might overflow.
    """

    op: MaxUnpool
    name = "scatter"
    functions = (scatter,)
    gradient_functions = (gather,)
    stages = ("every entry is added to an output of zeros at its position; gradients are read there",)
    costs = "one addition an input entry"
    error = "entries are copied as they are; those at one position added in row-major order"

    @np.errstate(all="ignore")
    def __call__(self, x: Any, indices: Any, *, output_size: Sequence[int] | None = None) -> Any:
        """The output.

        Args:
            x: the input, ``(N, C, *spatial)``, ``(C, *spatial)`` or ``(*spatial)``.
            indices: integers in the shape of `x`: flat positions in the output plane, counted from 0 row by row, as
                max pooling returns them.
            output_size: the size of the output plane, one integer a spatial axis (or the whole shape of the output).
                Several input sizes of a max pooling give one output size, so this one may differ from the default by
                less than the stride.

        Raises:
            ArgumentError: for a shape or a type that does not fit, and for a position outside of the output plane.
        """
        planes, positions, outputs = self._read(x, indices, output_size)
        self._refuse_overflow(planes.array, positions)
        y = self._scattered(planes, positions, outputs)
        result = np.dtype(np.int64) if planes.array.dtype.kind != "f" else native(planes.array.dtype)
        return cast(y.reshape(*planes.lead, *outputs), result)

    def vjp(
        self,
        grad_output: Any,
        x: Any,
        indices: Any,
        *,
        output_size: Sequence[int] | None = None,
        wrt: Collection[str] = VARIABLES,
    ) -> Gradients:
        """The gradient of ``<grad_output, kernel(x, indices)>`` with respect to `x`: what arrives at its positions.

        Args:
            grad_output: the upstream gradient, in the shape of the output.
            x, indices, output_size: as for the call.
            wrt: the variables whose gradients are wanted; there is that of the input alone.

        Raises:
            ArgumentError: for a shape or a type that does not fit, and for a position outside of the output plane.
            NotSupportedError: for integers.
        """
        check_variables(wrt)
        array = floating("x", as_array("x", x), "vjp")
        planes, positions, outputs = self._read(array, indices, output_size)
        g = as_array("grad_output", grad_output)
        fit("grad_output", g, (*planes.lead, *outputs), "the shape of the output")
        if "input" not in wrt:
            return Gradients(None)
        found = gather(g.reshape(len(planes.array), prod(outputs)), positions)
        return Gradients(cast(found.reshape(array.shape), array.dtype))

    @np.errstate(all="ignore")
    def jvp(self, x: Any, indices: Any, *, dx: Any = None, output_size: Sequence[int] | None = None) -> Array:
        """The tangent of the output for a tangent `dx`: `dx`, unpooled; None is a zero tangent.

        Raises:
            ArgumentError: for a shape or a type that does not fit, and for a position outside of the output plane.
            NotSupportedError: for integers.
        """
        array = floating("x", as_array("x", x), "jvp")
        planes, positions, outputs = self._read(array, indices, output_size)
        tangent = np.zeros_like(array) if dx is None else fit("dx", as_array("dx", dx), array.shape, "the shape of x")
        along = Planes.of("dx", tangent.astype(array.dtype, copy=False), self.op.spatial_axes)
        y = self._scattered(along, positions, outputs)
        return cast(y.reshape(*planes.lead, *outputs), native(array.dtype))

    def error_bound(
        self,
        x: Any,
        indices: Any,
        *,
        output_size: Sequence[int] | None = None,
        of: str = "output",
        grad_output: Any = None,
    ) -> ErrorBound:
        """How far a result of a call is at most from that of exact arithmetic on the same arrays.

        Args:
            x, indices, output_size: as for the call.
            of: "output", or "input" for what `vjp` returns.
            grad_output: the upstream gradient, for the gradient.

        Raises:
            ArgumentError: for a shape or a type that does not fit.
        """
        from symconv.kernels.accuracy.entries import SumOfEntries, bound_of_entries

        array = as_array("x", x)
        planes, positions, outputs = self._read(array, indices, output_size)
        compute = compute_type(array.dtype) if of == "output" else native(array.dtype)

        def evaluate(g: Array | None) -> tuple[SumOfEntries, Array]:
            unit = Unit.of(compute)
            if g is not None:
                copied = gather(g.reshape(len(planes.array), prod(outputs)), positions)
                return SumOfEntries(unit, "|g|", 0, 1), copied
            flat = np.abs(planes.array.reshape(positions.shape).astype(np.float64))
            most = int(scatter(np.ones_like(flat), positions, prod(outputs), flat.dtype).max(initial=0))
            size = scatter(flat, positions, prod(outputs), flat.dtype)
            return SumOfEntries(unit, "∑|a|", max(0, most - 1), most), size

        shape = (*planes.lead, *outputs)
        return bound_of_entries(self.plan, of, array, grad_output, shape, compute, evaluate)

    def computed(self, output: Formula) -> Node:
        """Every entry, by its number in its plane, at the position that it has there."""
        taken = frozenset((*output.parameters, *output.indices))
        name, here = fresh_name("k", taken), Index.of(0)
        for bound in output.free:
            here = here * (bound.upper + 1) + Index.of(bound.name)
        entries = row_major(name, tuple(map(Index.of, output.sizes)))
        input_, position = (next(t.name for t in output.tensors if t.role == role) for role in ("input", "position"))
        arrives = Compare(Access(position, entries), "=", Scalar(here))
        last = prod(map(Index.of, output.sizes), start=Index.of(1)) - 1
        return summation(times(Access(input_, entries), arrives), Bound(name, Index.of(0), last))

    def promised(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> list[str]:
        return ["  |error| ≤ γ(n - 1)·∑|a| for n entries at one position, 0 for one; gradients are exact"]

    # ------------------------------------------------------------------ arguments

    def _scattered(self, planes: Planes, positions: Array, outputs: tuple[int, ...]) -> Array:
        flat = planes.array.reshape(positions.shape)
        return scatter(flat, positions, prod(outputs), compute_type(flat.dtype))

    def _read(self, x: Any, indices: Any, output_size: Any) -> tuple[Planes, Array, tuple[int, ...]]:
        """The planes, the positions ``(planes, entries)`` and the size of the output planes."""
        array = as_array("x", x)
        planes = Planes.of("x", array, self.op.spatial_axes)
        outputs = self._outputs(planes, output_size)
        found = np.asarray(indices)
        if found.dtype.kind not in "iu":
            raise ArgumentError("indices", found.dtype.name, "must have an integer dtype")
        fit("indices", found, array.shape, "the shape of x")
        positions = found.reshape(len(planes.array), prod(planes.sizes))
        if positions.size:
            low, high = int(positions.min()), int(positions.max())
            if low < 0 or high >= prod(outputs):
                raise ArgumentError(
                    "indices",
                    low if low < 0 else high,
                    f"must be in 0..{prod(outputs) - 1}, the positions of an output plane of "
                    f"{' x '.join(map(str, outputs))}",
                    "a max pooling returns -1 for a window without a real tap" if low == -1 else "",
                )
        return planes, positions.astype(np.int64, copy=False), outputs

    def _outputs(self, planes: Planes, output_size: Any) -> tuple[int, ...]:
        if output_size is None or 0 in planes.sizes:
            return outputs_of(self.op, planes.sizes)
        # a default of 0 entries leaves no output, but one that is asked for may still have some
        default = tuple(int(self.op.count(axis, Index.of(n)).value or 0) for axis, n in enumerate(planes.sizes))
        given = tuple(output_size) if isinstance(output_size, Sequence) else (output_size,)
        if len(given) == len(planes.lead) + len(default) and given[: len(planes.lead)] == planes.lead:
            given = given[len(planes.lead) :]
        if len(given) != len(default) or any(isinstance(n, bool) or not hasattr(n, "__index__") for n in given):
            raise ArgumentError("output_size", output_size, f"must have {len(default)} integers, one a spatial axis")
        sizes = tuple(int(n) for n in given)
        for size, usual, stride in zip(sizes, default, self.op.stride, strict=True):
            if size < 1 or not usual - stride < size < usual + stride:
                raise GeometryError(
                    "output_size",
                    output_size,
                    f"must differ from {default} by less than the stride {self.op.stride} on every axis",
                )
        return sizes

    def _refuse_overflow(self, x: Array, positions: Array) -> None:
        if x.dtype.kind == "f" or not x.size:
            return
        largest = largest_of(x)
        if largest * positions.shape[1] >= 1 << 63:  # every entry of a plane at one position: count what there is
            refuse_sum(x, largest * max(int(np.bincount(row, minlength=1).max()) for row in positions))
