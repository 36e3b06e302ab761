"""The kernel of dilation and erosion: one tap after the other over whole planes, which keeps the best so far.

An erosion is the dilation of the negated input by the same weight, negated; so the functions here speak of the largest.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from symconv.doors import one_of
from symconv.errors import ArgumentError
from symconv.formulas.algebra import Access, Bound, Guard, Node, Reduce, add, between, const, product
from symconv.formulas.index import Index
from symconv.formulas.naming import fresh_name
from symconv.kernels.accuracy.units import Unit
from symconv.kernels.adapters.planes import DirectKernel, Planes, floating, lines_of_windows
from symconv.kernels.programs.reading import row_major
from symconv.kernels.runtime.arguments import as_array, compute_type, fit, outputs_of, types_of
from symconv.kernels.runtime.contract import VARIABLES, Gradients, check_variables
from symconv.kernels.runtime.padding import Array
from symconv.kernels.runtime.parameters import largest_of, no_integers, refuse_sum
from symconv.operators.base import Operator
from symconv.operators.morphology import Erosion, Morphology

if TYPE_CHECKING:
    from symconv.formulas.formula import Formula
    from symconv.kernels.accuracy.bound import ErrorBound

__all__ = ["MorphologyKernel"]


def largest(x: Array, weight: Array, y: Array, taps: Any) -> Array:
    """The largest sum of an entry and the weight of its tap, put into `y`; the number of the tap that attains it.

    The first of equal ones counts, and the first that is no number before all others; -1 where there is no tap.
    """
    numbers = np.full(y.shape, -1, np.int32)
    for number, tap, outputs, inputs in taps:
        found, best, here = x[inputs] + weight[tap], y[outputs], numbers[outputs]
        better = (found > best) | (here < 0)
        if y.dtype.kind == "f":
            better |= np.isnan(found) & ~np.isnan(best)
        np.copyto(best, found, where=better)
        np.copyto(here, number, where=better)
    return numbers


def handed_out(g: Array, numbers: Array, to_input: Array, to_weight: Array, taps: Any) -> None:
    """Add what arrives at every output to the entry, and to the weight, of the tap that attained it."""
    for number, tap, outputs, inputs in taps:
        mine = np.where(numbers[outputs] == number, g[outputs], 0)
        to_input[inputs] += mine
        to_weight[tap] += mine.sum(dtype=to_weight.dtype)


def carried(numbers: Array, dx: Array, dweight: Array, y: Array, taps: Any) -> None:
    """Put the tangent of the tap that attained an output into `y`."""
    for number, tap, outputs, inputs in taps:
        np.copyto(y[outputs], dx[inputs] + dweight[tap], where=numbers[outputs] == number)


@dataclass(frozen=True)
class _Call:
    """The arrays of a call as the functions above take them, negated for an erosion."""

    planes: Planes
    weight: Array
    x: Array
    given: tuple[int, ...]
    outputs: tuple[int, ...]
    result: np.dtype[Any]

    @property
    def shape(self) -> tuple[int, ...]:
        return (*self.planes.lead, *self.outputs)


class MorphologyKernel(DirectKernel):
    """``kernel(x, weight)``: the largest sum, or the smallest difference, of an entry and the weight of its tap.

    Every plane has the same weight, ``(*kernel)``. A value that is no number wins; of several best taps the first does.
    Integers are exact, in int64; they are refused where sums might overflow, or where a window has no tap at all, whose
    maximum is minus infinity.
    """

    op: Morphology
    name = "taps"
    weighted = True
    functions = (largest,)
    gradient_functions = (largest, handed_out)
    stages = ("one tap after the other: what it makes of the entries that it reads is compared with the best so far",)
    costs = "one addition and one comparison a tap and output entry"
    error = "one addition, rounded once; comparisons are exact"

    def __init__(self, op: Operator, weight: Array | None = None) -> None:
        super().__init__(op, weight)
        self._bound = None if weight is None else fit("weight", weight, self.op.kernel_size, "that of the window")

    def __call__(self, x: Any, weight: Any = None, bias: Any = None) -> Any:
        """The output.

        Args:
            x: the input, ``(N, C, *spatial)``, ``(C, *spatial)`` or ``(*spatial)``.
            weight: ``(*kernel)``; left out where it was bound.
            bias: must be left out; this operator has none.

        Raises:
            ArgumentError: for a shape or a type that does not fit.
        """
        call = self._read(x, weight, bias)
        y, _ = self._best(call)
        with np.errstate(all="ignore"):
            return self._signed(y).reshape(call.shape).astype(call.result, copy=False)

    def vjp(
        self, grad_output: Any, x: Any, weight: Any = None, bias: Any = None, *, wrt: Collection[str] = VARIABLES
    ) -> Gradients:
        """The gradients of ``<grad_output, kernel(x, weight)>``: each output's goes to the first tap that attains it.

        Args:
            grad_output: the upstream gradient, in the shape of the output.
            x, weight, bias: as for the call.
            wrt: the variables whose gradients are wanted, of "input" and "weight".

        Raises:
            ArgumentError: for a shape or a type that does not fit.
            NotSupportedError: for integers.
        """
        check_variables(wrt)
        call = self._read(floating("x", as_array("x", x), "vjp"), weight, bias)
        g = fit("grad_output", as_array("grad_output", grad_output), call.shape, "the shape of the output")
        _, numbers = self._best(call)
        to_input, to_weight = np.zeros_like(call.x), np.zeros(call.weight.shape, np.float64)
        with np.errstate(all="ignore"):
            upstream = g.reshape(numbers.shape).astype(call.x.dtype, copy=False)
            handed_out(upstream, numbers, to_input, to_weight, self._taps(call.planes.sizes))
            of_weight = as_array("weight", self._weight(weight))
            kind = of_weight.dtype if of_weight.dtype.kind == "f" else call.result
            return Gradients(
                to_input.reshape(call.given).astype(call.planes.array.dtype) if "input" in wrt else None,
                self._signed(to_weight).astype(kind) if "weight" in wrt else None,
            )

    def jvp(
        self, x: Any, weight: Any = None, bias: Any = None, *, dx: Any = None, dweight: Any = None, dbias: Any = None
    ) -> Array:
        """The tangent of the output for tangents of the input and the weight; None is a zero tangent.

        Raises:
            ArgumentError: for a shape or a type that does not fit.
            NotSupportedError: for integers.
        """
        if dbias is not None:
            raise ArgumentError("dbias", type(dbias).__name__, f"must be left out: {self.op!r} has no bias")
        call = self._read(floating("x", as_array("x", x), "jvp"), weight, bias)
        along = np.zeros_like(call.x)
        if dx is not None:
            along[...] = fit("dx", as_array("dx", dx), call.given, "the shape of x").reshape(along.shape)
        moved = np.zeros_like(call.weight)
        if dweight is not None:
            moved[...] = fit("dweight", as_array("dweight", dweight), call.weight.shape, "the shape of the weight")
        _, numbers = self._best(call)
        y = np.zeros(numbers.shape, call.x.dtype)
        carried(numbers, along, self._signed(moved), y, self._taps(call.planes.sizes))
        with np.errstate(all="ignore"):
            return y.reshape(call.shape).astype(call.result, copy=False)

    def error_bound(
        self, x: Any, weight: Any = None, bias: Any = None, *, of: str = "output", grad_output: Any = None
    ) -> ErrorBound:
        """How far a result of a call is at most from that of exact arithmetic on the same arrays.

        Args:
            x, weight, bias: as for the call.
            of: "output", or "input" or "weight" for what `vjp` returns.
            grad_output: the upstream gradient, for a gradient.

        Raises:
            ArgumentError: for a shape or a type that does not fit.
        """
        from symconv.kernels.accuracy.bound import ErrorBound, rounds, sized
        from symconv.kernels.accuracy.morphology import BestSum, HandedOut, candidates
        from symconv.kernels.accuracy.promise import settled

        one_of("of", of, ("output", "input", "weight"))
        array, given = as_array("x", x), as_array("weight", self._weight(weight))
        call = self._read(array, given, bias) if self._bound is None else self._read(array, None, bias)
        compute, sizes = call.x.dtype, call.planes.sizes
        if compute.kind in "iu":
            return ErrorBound(self.plan, of, None, np.zeros(call.shape))
        unit, rounded = Unit.of(compute), rounds(array, compute) or rounds(given, compute)
        turned = self._signed(call.planes.array.astype(np.float64))
        added, outputs = given.astype(np.float64), (len(turned), *call.outputs)
        with np.errstate(all="ignore"):
            if of == "output":
                size = np.full(outputs, -np.inf)
                first, second = (sized(turned, compute), sized(added, compute)) if rounded else (turned, added)
                largest(first, second, size, self._taps(sizes))
                best = BestSum(unit, 1 + rounded)
                found = settled(best.of(np.abs(size)), unit, Unit.of(call.result))
                return ErrorBound(self.plan, of, best, found.reshape(call.shape))
            if grad_output is None:
                raise ArgumentError("grad_output", None, f"must be given for the gradient of the {of}")
            upstream = fit("grad_output", as_array("grad_output", grad_output), call.shape, "the shape of the output")
            g = sized(upstream, compute).reshape(outputs)
            sure = np.zeros(turned.shape if of == "input" else added.shape)
            doubtful = np.zeros_like(sure)
            for tap, where, inputs, taken, doubt in candidates(
                turned, added, outputs, lambda: self._taps(sizes), float(unit.u), rounded
            ):
                for into, mask in ((sure, taken), (doubtful, doubt)):
                    here = np.where(mask, g[where], 0.0)
                    if of == "input":
                        into[inputs] += here
                    else:
                        into[tap] += here.sum()
            terms = prod(self.op.kernel_size) if of == "input" else len(turned) * prod(call.outputs)
            wide = rounds(upstream, compute)
            handed = HandedOut(unit, max(0, terms - 1) + wide)
            variable = array if of == "input" else given
            result = variable.dtype if variable.dtype.kind == "f" else call.result
            found = settled(handed.of(sure, doubtful, terms), unit, Unit.of(result))
        return ErrorBound(self.plan, of, handed, found.reshape(variable.shape))

    def promised(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> list[str]:
        from symconv.kernels.accuracy.morphology import BestSum, HandedOut

        unit, taps = Unit.of(compute_type(dtype)), prod(self.op.kernel_size)
        planes = Planes.of("shape", np.broadcast_to(np.zeros((), np.float32), shape), self.op.spatial_axes)
        positions = len(planes.array) * prod(outputs_of(self.op, planes.sizes))
        best = BestSum(unit, 1)
        return [
            f"  {best.line}",
            f"gradient of the input: {HandedOut(unit, taps - 1).line}",
            f"gradient of the weight: {HandedOut(unit, max(0, positions - 1)).line}",
            best.legend,
        ]

    def computed(self, output: Formula) -> Node:
        """The taps of `_taps` in their order, each with the entry that its line reads, as far as there is one."""
        entry_letter, weight = (next(t.name for t in output.tensors if t.role == role) for role in ("input", "weight"))
        name = fresh_name("k", frozenset((*output.parameters, *output.indices)))
        tap, reads = row_major(name, self.op.kernel_size), []
        guards: list[Guard] = []
        for window, size, place, m in zip(self.op.windows, output.sizes, output.indices, tap, strict=True):
            before = window.padding(1)[0].value
            at = window.kernel - 1 - m if self.op.flip else m
            reads.append(window.stride * Index.of(place) + window.dilation * at - before)
            guards += between(0, reads[-1], Index.of(size) - 1)
        entry, added = Access(entry_letter, tuple(reads)), Access(weight, tap)
        taps = Bound(name, Index.of(0), Index.of(prod(self.op.kernel_size) - 1))
        found = Reduce("max", (taps,), tuple(guards), add(self._turned(entry), added))
        return self._turned(found)

    def _turned(self, node: Node) -> Node:
        return product(const(-1), node) if isinstance(self.op, Erosion) else node

    # ------------------------------------------------------------------ arguments

    def _signed(self, array: Array) -> Array:
        return -array if isinstance(self.op, Erosion) else array

    def _weight(self, weight: Any) -> Any:
        if self._bound is not None:
            if weight is not None:
                raise ArgumentError("weight", type(weight).__name__, "must be left out: it was bound by compile(...)")
            return self._bound
        if weight is None:
            raise ArgumentError("weight", None, f"must be given: {self.op!r} has a weight")
        return weight

    def _read(self, x: Any, weight: Any, bias: Any) -> _Call:
        if bias is not None:
            raise ArgumentError("bias", type(bias).__name__, f"must be left out: {self.op!r} has no bias")
        array = as_array("x", x)
        given = fit("weight", as_array("weight", self._weight(weight)), self.op.kernel_size, "that of the window")
        planes = Planes.of("x", array, self.op.spatial_axes)
        types = types_of([array, given], keep_integers=False)
        outputs = outputs_of(self.op, planes.sizes)
        if types.exact:
            refuse_sum(array, largest_of(array) + largest_of(given))
        turned = self._signed(planes.array.astype(types.compute))
        return _Call(planes, given.astype(types.compute), turned, array.shape, outputs, types.result)

    def _best(self, call: _Call) -> tuple[Array, Array]:
        """The largest sums ``(planes, *outputs)``, and the numbers of the taps that attain them."""
        exact = call.x.dtype.kind in "iu"
        y = np.full((len(call.x), *call.outputs), 0 if exact else -np.inf, call.x.dtype)
        with np.errstate(all="ignore"):
            numbers = self._tops(call.x, call.weight, y, call.planes.sizes)
        if exact and (numbers < 0).any():
            raise no_integers(call.planes.array, "a window without a real tap gives an infinity")
        return y, numbers

    def _tops(self, x: Array, weight: Array, y: Array, sizes: tuple[int, ...]) -> Array:
        """Put the largest sums into `y`; the numbers of the taps that attain them."""
        return largest(x, weight, y, self._taps(sizes))

    def _taps(self, sizes: tuple[int, ...]) -> Iterator[tuple[int, tuple[int, ...], Any, Any]]:
        """Of every tap in row-major order: its number, its place, and the outputs and entries that it connects."""
        lines = lines_of_windows(self.op.windows, sizes)
        for number, tap in enumerate(np.ndindex(*self.op.kernel_size)):
            at = (line.taps - 1 - m if self.op.flip else m for line, m in zip(lines, tap, strict=True))
            found = [(line.stride, *line.real(m)) for line, m in zip(lines, at, strict=True)]
            if all(stop > first for _, first, stop, _ in found):
                outputs = (slice(first, stop) for _, first, stop, _ in found)
                inputs = (slice(entry, entry + step * (stop - first), step) for step, first, stop, entry in found)
                yield number, tap, (slice(None), *outputs), (slice(None), *inputs)
