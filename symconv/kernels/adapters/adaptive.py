"""Kernels of adaptive pooling: averages and maxima over windows that differ from output to output.

Windows along one axis are taken together where they are one strided view (see `symconv.kernels.adapters.spans`), and
the axes one after the other: a sum or a maximum over a box is one over an axis, then over the next.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from symconv.formulas.algebra import Access, Bound, Node, Power, Reduce, const, scalar
from symconv.formulas.algebra import product as times
from symconv.formulas.index import Index
from symconv.formulas.naming import fresh_name
from symconv.kernels.accuracy.units import Unit
from symconv.kernels.adapters.planes import PlaneKernel, cuts
from symconv.kernels.adapters.spans import AxisWindows, Run, spans_of, windows
from symconv.kernels.runtime.arguments import compute_type, native
from symconv.kernels.runtime.compiled import remember
from symconv.kernels.runtime.padding import Array
from symconv.kernels.runtime.parameters import no_integers
from symconv.operators.adaptive import AdaptiveMaxPool, AdaptivePooling
from symconv.operators.base import Operator

if TYPE_CHECKING:
    from symconv.formulas.formula import Formula
    from symconv.kernels.accuracy.entries import SumOfEntries

__all__ = ["AdaptiveAvgKernel", "AdaptiveKernel", "AdaptiveMaxKernel"]

FEW, MANY = 12, 1 << 12
"""Measured: up to so many taps in at least so many windows, one array operation a tap is faster than a reduction."""

PLAIN = 32
"""How many numbers are added one after the other; longer sums are taken by halves."""


def reduce_taps(combine: np.ufunc, view: Array, axis: int) -> Array:
    """Combine the taps on an axis; sums by halves, so that the rounding errors of long ones stay small."""
    taps = np.moveaxis(view, axis, 0)
    if len(taps) == 1:
        return np.asarray(taps[0])
    if len(taps) <= FEW and taps[0].size >= MANY:
        y: Array = combine(taps[0], taps[1])
        for tap in taps[2:]:
            combine(y, tap, out=y)
        return y
    if combine is np.add and axis != -1 and len(taps) > PLAIN:
        # along the last axis numpy.add.reduce adds by halves itself
        half = len(taps) // 2
        return reduce_taps(combine, taps[:half], 0) + reduce_taps(combine, taps[half:], 0)
    found: Array = combine.reduce(view, axis)
    return found


def outputs_at(run: Run, axis: int) -> Any:
    """Where the outputs of a run stand, as an index."""
    return (..., run.outputs, *[slice(None)] * (-axis - 1))


def reduce_windows(combine: np.ufunc, x: Array, spans: tuple[AxisWindows, ...]) -> Array:
    """Combine the entries of every window, one axis after the other."""
    for axis, span in enumerate(spans, -len(spans)):
        y = np.empty((*x.shape[:axis], span.outputs, *x.shape[x.ndim + axis + 1 :]), x.dtype)
        for run in span.runs:
            y[outputs_at(run, axis)] = reduce_taps(combine, windows(x, [run], axis), axis)
        x = y
    return x


def spread_windows(g: Array, spans: tuple[AxisWindows, ...]) -> Array:
    """The adjoint of sums over windows: every entry of a window receives what its output has."""
    for axis in range(-1, -len(spans) - 1, -1):
        span = spans[axis]
        shape = (*g.shape[:axis], span.size, *g.shape[g.ndim + axis + 1 :])
        x = np.empty(shape, g.dtype) if span.apart else np.zeros(shape, g.dtype)
        for run in span.runs:
            taps = np.moveaxis(windows(x, [run], axis, writeable=True), axis, 0)
            part = g[outputs_at(run, axis)]
            for tap in taps if len(taps) <= FEW or axis < -1 else [taps]:
                if span.apart:
                    tap[...] = part
                else:
                    tap += part
        g = x
    return g


def first_maxima(x: Array, spans: tuple[AxisWindows, ...]) -> tuple[Array, Array]:
    """The maximum of every window and the position in the plane of the first one; NaN is larger than every number.

    The first of the largest entries of a box is the smallest position among the first ones of its lines.
    """
    sizes = tuple(span.size for span in spans)
    place: Array = np.arange(prod(sizes)).reshape(sizes)
    for axis, span in enumerate(spans, -len(spans)):
        shape = (*x.shape[:axis], span.outputs, *x.shape[x.ndim + axis + 1 :])
        best, at = np.empty(shape, x.dtype), np.empty(shape, np.int64)
        for run in span.runs:
            view, places = windows(x, [run], axis), windows(place, [run], axis)
            here = outputs_at(run, axis)
            if len(spans) == 1:
                best[here] = reduce_taps(np.maximum, view, axis)
                at[here] = np.argmax(view, axis) + places[:, 0]
                continue
            top = reduce_taps(np.maximum, view, axis)
            best[here], at[here] = top, first_place(view, top, places, prod(sizes), axis)
        x, place = best, at
    return x, place


def first_place(view: Array, top: Array, places: Array, last: int, axis: int) -> Array:
    """The smallest place among the largest taps; all places are below `last`."""
    if view.shape[axis] > FEW:
        places = np.where(tied(view, np.expand_dims(top, axis)), places, last)
        return reduce_taps(np.minimum, places, axis)
    found = np.full(top.shape, last)
    for tap, place in zip(np.moveaxis(view, axis, 0), np.moveaxis(places, axis, 0), strict=True):
        np.minimum(found, np.where(tied(tap, top), place, last), out=found)
    return found


def tied(view: Array, best: Array) -> Array:
    """Which taps are their windows' largest ones."""
    equal: Array = view == best
    missing = best != best
    return equal | (missing & (view != view)) if missing.any() else equal


def additions(taps: int, axis: int) -> int:
    """How many additions an entry goes through at most in `reduce_taps`, of which NumPy may do those along the last
    axis one after the other."""
    if axis == -1 or taps <= PLAIN:
        return taps - 1
    return 1 + additions(taps - taps // 2, axis)


def most_reads(spans: tuple[AxisWindows, ...]) -> int:
    """In how many windows an entry is at most."""
    ones = np.ones((1, *(span.outputs for span in spans)))
    return int(spread_windows(ones, spans).max(initial=0))


def counts_of(spans: tuple[AxisWindows, ...], dtype: np.dtype[Any]) -> Array:
    """The number of entries of every window."""
    counts: Array = np.ones((), dtype)
    for span in spans:
        counts = np.multiply.outer(counts, span.lengths.astype(dtype))
    return counts


class AdaptiveKernel(PlaneKernel):
    """What the kernels of adaptive pooling share: planes in blocks, and the windows at an input size."""

    op: AdaptivePooling
    reduction: ClassVar[Literal["sum", "max"]]
    name = "windows"
    functions = (reduce_taps, reduce_windows)
    stages = (
        "windows of one length at equal distances are one strided view of the input",
        "one axis is reduced after the other, blocks of planes of about 512 kB at a time",
    )
    costs = "one an input entry and axis, as often as windows overlap there"

    def __init__(self, op: Operator, weight: Array | None = None) -> None:
        super().__init__(op, weight)
        self._known: OrderedDict[tuple[int, ...], tuple[AxisWindows, ...]] = OrderedDict()

    def _spans(self, sizes: tuple[int, ...]) -> tuple[AxisWindows, ...]:
        """The windows at an input size."""
        found = self._known.get(sizes)
        return found if found is not None else remember(self._known, sizes, spans_of(self.op, sizes))

    def _blocks(
        self, sizes: tuple[int, ...], result: Array, compute: Callable[[slice, tuple[AxisWindows, ...]], Array]
    ) -> Array:
        """Fill `result` block by block with what `compute` makes of a block of planes."""
        spans = self._spans(sizes)
        for part in cuts(len(result), prod(sizes), result.dtype):
            result[part] = compute(part, spans).reshape(-1, *result.shape[1:])
        return result

    def _outputs(self, x: Array) -> tuple[int, ...]:
        return (len(x), *self.outputs(x.shape[1:]))

    def computed(self, output: Formula) -> Node:
        """One axis after the other, the taps of a window counted from its first entry."""
        taken = frozenset((*output.parameters, *output.indices))
        names = [fresh_name(f"k{axis}" if self.op.ndim > 1 else "k", taken) for axis in range(1, self.op.ndim + 1)]
        firsts = [self._ends(output, axis)[0] for axis in range(self.op.ndim)]
        places = tuple(first + Index.of(name) for first, name in zip(firsts, names, strict=True))
        letter = next(tensor.name for tensor in output.tensors if tensor.role == "input")
        reduced: Node = Access(letter, places)
        for name, taps in zip(reversed(names), reversed(self._lengths(output)), strict=True):
            reduced = Reduce(self.reduction, (Bound(name, Index.of(0), taps - 1),), (), reduced)
        return reduced

    def _ends(self, output: Formula, axis: int) -> tuple[Index, Index]:
        """The first and the last entry of a window, as `spans_of` asks for them."""
        return self.op.span(axis, Index.of(output.indices[axis]), Index.of(output.sizes[axis]))

    def _lengths(self, output: Formula) -> list[Index]:
        ends = (self._ends(output, axis) for axis in range(self.op.ndim))
        return [last - first + 1 for first, last in ends]


def block_of(x: Array, part: slice, spans: tuple[AxisWindows, ...], dtype: np.dtype[Any]) -> Array:
    """A block of planes, contiguous, with the axes of the windows."""
    return np.ascontiguousarray(x[part], dtype).reshape(-1, *(span.size for span in spans))


class AdaptiveAvgKernel(AdaptiveKernel):
    """``kernel(x)``: the average of every window.

    Sums are added by halves, so that averages stay accurate on large windows. Averages of integers are refused.
    """

    reduction = "sum"
    gradient_functions = (spread_windows,)
    accuracy = "default"
    error = "sums by halves, whose rounding grows with the logarithm of the window"

    def result_type(self, x: Array) -> np.dtype[Any]:
        if x.dtype.kind != "f":
            raise no_integers(x, f"{type(self.op).__name__} works in floating point")
        return native(x.dtype)

    def forward(self, x: Array) -> Array:
        dtype = compute_type(x.dtype)

        def averages(part: slice, spans: tuple[AxisWindows, ...]) -> Array:
            return reduce_windows(np.add, block_of(x, part, spans, dtype), spans) / counts_of(spans, dtype)

        return self._blocks(x.shape[1:], np.empty(self._outputs(x), dtype), averages)

    def pull(self, g: Array, x: Array) -> Array:
        def gradients(part: slice, spans: tuple[AxisWindows, ...]) -> Array:
            upstream = g[part].reshape(-1, *(span.outputs for span in spans))
            return spread_windows(upstream / counts_of(spans, g.dtype), spans)

        return self._blocks(x.shape[1:], np.empty(x.shape, g.dtype), gradients)

    def push(self, x: Array, tangent: Array) -> Array:
        return self.forward(tangent)

    def promise(self, of: str, sizes: tuple[int, ...], compute: np.dtype[Any]) -> SumOfEntries:
        from symconv.kernels.accuracy.entries import SumOfEntries

        spans, unit = self._spans(sizes), Unit.of(compute)
        taps = prod(int(span.lengths.max()) for span in spans)
        division = 1 if taps < 1 << unit.digits else 2  # a count may be rounded
        if of == "input":
            reads = most_reads(spans)
            return SumOfEntries(unit, "∑|g||∂c/∂a|", reads - 1 + division, max(reads, taps), divided=True)
        added = sum(additions(int(span.lengths.max()), axis) for axis, span in enumerate(spans, -len(spans)))
        return SumOfEntries(unit, "c(|a|)", added + division, taps, divided=True)

    def computed(self, output: Formula) -> Node:
        return times(super().computed(output), *(Power(scalar(taps), const(-1)) for taps in self._lengths(output)))


class AdaptiveMaxKernel(AdaptiveKernel):
    """``kernel(x)``: the maximum of every window; ``kernel(x, return_indices=True)`` also says where it is.

    NaN wins over every number. The gradient goes to the first maximum in row-major order, or in equal shares to all of
    them, as `ties` says. Integers keep their type.
    """

    op: AdaptiveMaxPool
    reduction = "max"
    error = "a maximum is exact"

    def __init__(self, op: Operator, weight: Array | None = None) -> None:
        super().__init__(op, weight)
        self.gradient_functions = (tied,) if self.op.ties == "split" else (tied, first_place, first_maxima)

    @np.errstate(all="ignore")
    def __call__(self, x: Any, weight: Any = None, bias: Any = None, *, return_indices: bool = False) -> Any:
        """The output.

        Args:
            x: the input, ``(N, C, *spatial)``, ``(C, *spatial)`` or ``(*spatial)``.
            weight, bias: must be left out; a pooling has none.
            return_indices: also return the flat index, in its input plane, of each maximum (int64; the first one in
                row-major order, the first NaN if there is one).

        Returns:
            The output array, or with `return_indices` a pair ``(output, indices)``.

        Raises:
            ArgumentError: for a shape or a type that does not fit.
        """
        if not return_indices:
            return super().__call__(x, weight, bias)
        planes, _ = self.read(x, weight, bias)
        best, at = self._winners(planes.array)
        shape = (*planes.lead, *best.shape[1:])
        return best.reshape(shape), at.reshape(shape)

    def promise(self, of: str, sizes: tuple[int, ...], compute: np.dtype[Any]) -> SumOfEntries:
        from symconv.kernels.accuracy.entries import SumOfEntries

        unit, reads = Unit.of(compute), most_reads(self._spans(sizes))
        if of == "output":
            return SumOfEntries(unit, "|c|", 0, 1)
        shares = 1 if self.op.ties == "split" else 0
        return SumOfEntries(unit, "∑|g||∂c/∂a|", reads - 1 + shares, reads, divided=bool(shares))

    def forward(self, x: Array) -> Array:
        dtype = native(x.dtype)

        def maxima(part: slice, spans: tuple[AxisWindows, ...]) -> Array:
            return reduce_windows(np.maximum, block_of(x, part, spans, dtype), spans)

        return self._blocks(x.shape[1:], np.empty(self._outputs(x), dtype), maxima)

    def _winners(self, x: Array) -> tuple[Array, Array]:
        """The maxima, and the flat positions of the first ones."""
        dtype = native(x.dtype)
        at = np.empty(self._outputs(x), np.int64)

        def maxima(part: slice, spans: tuple[AxisWindows, ...]) -> Array:
            best, found = first_maxima(block_of(x, part, spans, dtype), spans)
            at[part] = found.reshape(-1, *at.shape[1:])
            return best

        return self._blocks(x.shape[1:], np.empty(at.shape, dtype), maxima), at

    def pull(self, g: Array, x: Array) -> Array:
        if self.op.tie_policy() == "split":
            return self._pull_shares(g, x)
        _, at = self._winners(x)
        result = np.zeros((len(x), prod(x.shape[1:])), g.dtype)
        flat = (at.reshape(len(x), prod(at.shape[1:])) + result.shape[1] * np.arange(len(x))[:, None]).ravel()
        if all(span.apart for span in self._spans(x.shape[1:])):
            result.reshape(-1)[flat] = g.ravel()
        else:
            np.add.at(result.reshape(-1), flat, g.ravel())
        return result.reshape(x.shape)

    def push(self, x: Array, tangent: Array) -> Array:
        if self.op.tie_policy() == "split":
            return self._push_shares(x, tangent)
        _, at = self._winners(x)
        flat = at.reshape(len(x), prod(at.shape[1:]))
        chosen = np.take_along_axis(tangent.reshape(len(x), prod(x.shape[1:])), flat, 1)
        return chosen.reshape(at.shape)

    def _pull_shares(self, g: Array, x: Array) -> Array:
        dtype = native(x.dtype)

        def shares(part: slice, spans: tuple[AxisWindows, ...]) -> Array:
            block = block_of(x, part, spans, dtype)
            best = reduce_windows(np.maximum, block, spans)
            upstream = g[part].reshape(best.shape)
            gradient = np.zeros(block.shape, g.dtype)
            for runs in product(*(span.runs for span in spans)):
                where, taps = places_of(runs)
                equal = tied(windows(block, runs, -len(runs)), np.expand_dims(best[where], taps))
                share = np.expand_dims(upstream[where], taps) / equal.sum(taps, g.dtype, keepdims=True)
                into = windows(gradient, runs, -len(runs), writeable=True)
                np.add(into, share, out=into, where=equal)
            return gradient

        return self._blocks(x.shape[1:], np.empty(x.shape, g.dtype), shares)

    def _push_shares(self, x: Array, tangent: Array) -> Array:
        dtype = native(x.dtype)

        def means(part: slice, spans: tuple[AxisWindows, ...]) -> Array:
            block, along = block_of(x, part, spans, dtype), block_of(tangent, part, spans, tangent.dtype)
            best = reduce_windows(np.maximum, block, spans)
            mean = np.empty(best.shape, tangent.dtype)
            for runs in product(*(span.runs for span in spans)):
                where, taps = places_of(runs)
                equal = tied(windows(block, runs, -len(runs)), np.expand_dims(best[where], taps))
                total = np.sum(windows(along, runs, -len(runs)), taps, where=equal)
                mean[where] = total / equal.sum(taps, tangent.dtype)
            return mean

        return self._blocks(x.shape[1:], np.empty(self._outputs(x), tangent.dtype), means)


def places_of(runs: tuple[Run, ...]) -> tuple[Any, tuple[int, ...]]:
    """Where the outputs of runs stand, and the axes of the taps in the view of their windows."""
    return (..., *(run.outputs for run in runs)), tuple(range(-1, -2 * len(runs), -2))
