"""The plan "im2col": taps laid out as columns of a matrix, or columns added up along lines, whichever are fewer."""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from symconv.derivations.step import Derivation, Maths, Stage, Step
from symconv.formulas.algebra import Access, Bound, Guard, Named, equal, product, summation
from symconv.formulas.index import Index
from symconv.formulas.substitution import substitute
from symconv.formulas.walks import walk
from symconv.kernels.arrays.columns import (
    add_products,
    contract,
    correlate,
    direct,
    fill_columns,
    multiply,
    wanted,
)
from symconv.kernels.arrays.scatter import add_tap, hand_out, phases_of, scatter
from symconv.kernels.arrays.windows import split
from symconv.kernels.form.reading import WALK
from symconv.kernels.form.tapform import TapForm
from symconv.kernels.plans.rewriting import COLUMN, EVERYWHERE, LayerFormula, proved, put
from symconv.kernels.runtime.cost import Estimate, calls, copies, matrix_products, passes
from symconv.kernels.runtime.engine import NOTHING, ConvEngine, Given, Known, source_of
from symconv.kernels.runtime.geometry import Line, adjoint_lines, lines_of
from symconv.kernels.runtime.layout import Layout
from symconv.kernels.runtime.padding import Array
from symconv.kernels.runtime.plan import CallShape, Plan, Task

if TYPE_CHECKING:
    from symconv.operators.base import Operator

__all__ = ["Im2colPlan"]

WIDE = 0.85
"""Measured: what a product of at least some hundred positions takes of the time that is estimated for any product."""

SUMS = 1.6
"""Measured: what adding up columns takes of the time that is estimated for one operation on arrays in the cache."""


class Im2colEngine(ConvEngine):
    """Columns of the inputs (`symconv.kernels.arrays.columns`), or sums of columns (``scatter``)."""

    def correlate(self, x: Array, weight: Array, lines: tuple[Line, ...], out: Array, *, turned: bool = False) -> None:
        if _swaps(lines, (max(1, len(x)), *weight.shape[:3]), out.dtype):
            scatter(x, _turned(weight), adjoint_lines(lines), out)
        else:
            correlate(x, weight, lines, out)

    def contract(self, x: Array, g: Array, lines: tuple[Line, ...]) -> Array:
        if _turns(lines, g.shape[2], x.shape[2]) and x.flags.c_contiguous and x.dtype == g.dtype:
            return _turned(contract(g, x, adjoint_lines(lines)))
        return contract(x, g, lines)

    def input_gradient(self, g: Array, x: Array, layout: Layout, given: Given, known: Known = NOTHING) -> Array:
        lines, built = self.lines(layout)
        if all(line.stride == 1 for line in lines) and not direct(lines):
            return super().input_gradient(g, x, layout, given)
        gradient = np.empty((*x.shape[:3], *(line.size for line in lines)), g.dtype)
        if direct(lines):  # a product with the transposed weight, of which no copy is made
            correlate(g, given["weight"].swapaxes(1, 2), adjoint_lines(lines), gradient)
        else:
            scatter(g, self.ascending(given["weight"]), lines, gradient)
        return self.unpadded(gradient, x.shape, layout) if built else gradient

    @property
    def source(self) -> str:
        return source_of(fill_columns, multiply)

    @property
    def gradient_source(self) -> str:
        return source_of(fill_columns, multiply, add_products, hand_out, add_tap)

    @property
    def stages(self) -> tuple[str, ...]:
        channels, taps = self.form.layer, prod(walk.taps for walk in self.form.walks)
        depth = taps * channels.per_group_in
        return (
            f"the {taps} taps of some rows, or of some items at once, become the columns of a matrix of about 2 MiB",
            f"for each of {channels.groups} group(s) a product ({channels.per_group_out} x {depth}) @ "
            f"({depth} x positions)",
        )


def _turned(weight: Array) -> Array:
    """A weight with its taps backwards and its channels exchanged: that of the adjoint; and back."""
    return np.flip(weight.swapaxes(1, 2), tuple(range(3, weight.ndim)))


def _turns(lines: tuple[Line, ...], f: int, channels: int) -> bool:
    """Whether to take the gradient of the weight from columns of the upstream gradient, which are fewer."""
    return channels >= 2 * f and all(line.stride == 1 for line in lines) and not direct(lines)


@lru_cache(maxsize=256)
def _swaps(lines: tuple[Line, ...], shape: tuple[int, int, int, int], dtype: np.dtype[Any]) -> bool:
    """Whether to take a correlation as the adjoint of the turned one, for a ``(batch, groups, f, channels)``.

    Columns of the few outputs are then added up, instead of laying out those of the many inputs.
    """
    batch, groups, f, channels = shape
    if not _turns(lines, f, channels):
        return False
    added = _scattered(adjoint_lines(lines), (batch, groups, channels, f), dtype)
    return added.seconds < _columns(lines, shape, dtype, "output").seconds


class Im2colPlan(Plan):
    """Taps laid out as columns: several small images at once, large ones by rows."""

    name = "im2col"
    error = "as a sum in another order, whose rounding grows with the number of terms"
    direct = True

    def refusal(self, form: TapForm, weight: Array | None) -> str | None:
        return None

    def cost(self, form: TapForm, call: CallShape, task: Task) -> Estimate | None:
        channels = form.layer
        lines, dtype = lines_of(call.layout), call.dtype
        groups, f, inside = channels.groups, channels.per_group_out, channels.per_group_in
        shape = (call.batch, groups, f, inside)
        if task == "input" and any(line.stride > 1 for line in lines):
            return _scattered(lines, shape, dtype)
        if task == "input":
            lines, shape = adjoint_lines(lines), (call.batch, groups, inside, f)
        turned = (call.batch, groups, shape[3], shape[2])
        if task == "weight":
            if _turns(lines, f, inside):
                return _columns(adjoint_lines(lines), turned, dtype, task)
            return _columns(lines, shape, dtype, task)
        if _swaps(lines, shape, dtype):
            return _scattered(adjoint_lines(lines), turned, dtype)
        return _columns(lines, shape, dtype, task)

    def engine(self, form: TapForm, weight: Array | None) -> Im2colEngine:
        return Im2colEngine(form, weight)

    def rewrites(self, op: Operator) -> Derivation:
        return im2col_derivation(op)


def _columns(lines: tuple[Line, ...], shape: tuple[int, int, int, int], dtype: np.dtype[Any], task: Task) -> Estimate:
    """The cost of an output, or of the gradient of a weight, with columns of the input."""
    batch, groups, f, channels = shape
    size = dtype.itemsize
    depth = channels * prod(line.taps for line in lines)
    outputs = tuple(line.outputs for line in lines)
    items, height = split(batch, outputs, wanted(lines, groups * depth, size))
    count = -(-batch // items) * -(-outputs[0] // height)
    positions = batch * prod(outputs)
    width = -(-positions // count)
    read = batch * groups * channels * prod(line.size for line in lines)
    columns = 0 if direct(lines) and items == 1 else positions * groups * depth
    padded = not all(line.inside for line in lines)
    seconds = calls(12 + (10 if padded else 6) * count) + copies(columns, dtype, outputs[-1])
    if padded:
        seconds += copies(read, dtype, outputs[-1])
    if items > 1:
        seconds += calls(3 * count) + copies(positions * groups * f, dtype, prod(outputs))
    if task != "weight":
        seconds += WIDE * matrix_products(f, depth, width, count * groups, dtype)
    else:
        seconds += WIDE * matrix_products(f, width, depth, count * groups, dtype)
        seconds += passes(count * groups * f * depth, dtype)
    moved = (2 * read + 2 * columns + positions * groups * f) * size
    scratch = (columns // count + (positions * groups * f // count if items > 1 else 0)) * size
    return Estimate(seconds, positions * groups * f * depth, moved, scratch)


def _scattered(lines: tuple[Line, ...], shape: tuple[int, int, int, int], dtype: np.dtype[Any]) -> Estimate:
    """The cost of the gradient of the input by adding up columns."""
    batch, groups, f, channels = shape
    size = dtype.itemsize
    taps = prod(line.taps for line in lines)
    depth = channels * taps
    phases = phases_of(lines)
    outputs = tuple(line.outputs for line in lines)
    items, height = split(batch, outputs, wanted(lines, groups * depth, size))
    count = -(-batch // items) * -(-outputs[0] // height)
    positions = batch * outputs[0] * phases.steps[0]
    sums = batch * len(phases.places) * groups * channels * prod(phases.extents)
    seconds = calls(35 + 3 * len(phases.places) + count * (12 + 3 * taps))
    seconds += WIDE * matrix_products(depth, f, -(-positions // count), count * groups, dtype)
    seconds += SUMS * passes(positions * groups * depth, dtype)
    seconds += copies(positions * groups * f, dtype, outputs[-1])
    seconds += 3 * copies(sums, dtype, outputs[-1])
    moved = (3 * positions * groups * depth + 2 * positions * groups * f + 4 * sums) * size
    return Estimate(seconds, positions * groups * f * depth, moved, (positions * groups * depth // count + sums) * size)


# ---------------------------------------------------------------------- the rewrite


def im2col_derivation(op: Operator) -> Derivation:
    """The output and both gradients with the taps laid out as the columns of a matrix."""
    layer = LayerFormula(op)
    index = tuple(map(Index.of, (*layer.taps, *layer.places)))
    column = layer.column(layer.access, index)
    read = put(layer.output, layer.access, column)
    laid = Step("1", layer.output, read, "recognise", "Lay out", ("what each tap reads, at every place.",), opens=True)
    numbered = Step(
        "2",
        read,
        read,
        "number",
        "Number",
        ("the rows (channel, tap) and the columns (place) of X row-major: the sum is a product of two matrices.",),
        uses=("1",),
        opens=True,
        shown=(Maths("C", "C"), "=", Maths(r"B\,X", "B·X")),
        check=proved("flattening"),
    )
    stages = [Stage(("The output",), EVERYWHERE, (laid, numbered)), _weight_stage(layer), _input_stage(layer)]
    return Derivation(
        "A convolution as products of matrices (im2col, col2im)",
        ("The taps at all places are the columns of a matrix X, and every sum over channels and taps is a product.",),
        ("An array is zero outside its range.",),
        (layer.definition(layer.access, index, "columns"),),
        tuple(stages),
    )


def _weight_stage(layer: LayerFormula) -> Stage:
    """The gradient of the weight: a product of the upstream gradient with the transposed columns."""
    gradient = layer.op.gradient("weight")
    access = next(n for n in walk(gradient.body) if isinstance(n, Access) and n.tensor == layer.input)
    index = tuple(map(Index.of, (*layer.taps, *layer.places)))
    column = Named(COLUMN, (*access.index[: -len(layer.taps)], *index), access)
    step = Step(
        "3",
        gradient,
        put(gradient, access, column),
        "recognise",
        "Lay out",
        ("the same columns, and sum over places: the upstream gradient times the transposed matrix.",),
        uses=("1",),
        opens=True,
    )
    return Stage(("The gradient of the weight",), EVERYWHERE, (step,))


def _input_stage(layer: LayerFormula) -> Stage:
    """The gradient of the input: every tap hands its row of a product to the entries that it has read."""
    gradient = layer.op.gradient("input")
    free = [Index.of(bound.name) for bound in gradient.free]
    clash = {bound.name for bound in gradient.free} & {bound.name for bound in (*layer.output.free, *layer.sum.bounds)}
    fresh = {name: Index.of(f"{name}*") for name in clash}
    access, kernel = substitute(layer.access, fresh), substitute(layer.kernel, fresh)
    assert isinstance(access, Access)
    guards: list[Guard] = [equal(read, here) for read, here in zip(access.index, free, strict=True)]
    bounds = [
        Bound(f"{b.name}*" if b.name in clash else b.name, b.lower, b.upper)
        for b in (*layer.output.free, *layer.sum.bounds)
    ]
    upstream = Access("g", tuple(Index.of(bound.name) for bound in bounds[: len(layer.output.free)]))
    added = gradient.with_body(summation(product(upstream, kernel), *bounds, guards=guards))
    step = Step(
        "4",
        gradient,
        added,
        "insert",
        "Add up",
        ("the products of weight and upstream gradient at the entries that the taps have read.",),
        opens=True,
    )
    steps: tuple[Step, ...] = (step,)
    if all(walk.stride == 1 and walk.position == Index.of(WALK) + walk.shifts[0] for walk in layer.form.walks):
        ndim = len(layer.places)
        read = Access("g", (*upstream.index[:-ndim], *_turned_places(layer, free[-ndim:])))
        left = [bound for bound in bounds if Index.of(bound.name) not in upstream.index[-ndim:]]
        turned = gradient.with_body(summation(product(read, kernel), *left, guards=guards[:-ndim]))
        reason = ("the kernel around: a convolution of the upstream gradient, with zeros around it.",)
        steps += (Step("5", gradient, turned, "turn", "Turn", reason, uses=("4",), opens=True),)
    return Stage(("The gradient of the input",), EVERYWHERE, steps)


def _turned_places(layer: LayerFormula, here: list[Index]) -> tuple[Index, ...]:
    """With stride 1 and zeros around the input: the output that has read an entry at each tap."""
    return tuple(
        i - walk.shifts[0] - walk.step * Index.of(walk.tap) for i, walk in zip(here, layer.form.walks, strict=True)
    )
