"""The plan "im2col": taps laid out as columns of a matrix, or columns added up along lines, whichever are fewer."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

import numpy as np

from symconv.kernels.convolutions.columns import (
    add_products,
    contract,
    correlate,
    direct,
    fill_columns,
    multiply,
    wanted,
)
from symconv.kernels.convolutions.scatter import Phases, add_tap, hand_out, scatter
from symconv.kernels.convolutions.windows import cuts
from symconv.kernels.cost import Cost, calls, copies, passes, product
from symconv.kernels.engine import ConvEngine, Given, source_of
from symconv.kernels.geometry import Line, adjoint_lines, lines_of
from symconv.kernels.layout import Layout
from symconv.kernels.padding import Array, add_unpadded
from symconv.kernels.plan import Call, Plan, Task
from symconv.kernels.tapform import TapForm

if TYPE_CHECKING:
    from symconv.derivations.step import Derivation
    from symconv.operators.base import Operator

__all__ = ["Im2colPlan"]

WIDE = 0.85
"""Measured: what a product of at least some hundred positions takes of the time that is estimated for any product."""


class Im2colEngine(ConvEngine):
    """Columns of the inputs (`symconv.kernels.convolutions.columns`), or sums of columns (``scatter``)."""

    def correlate(self, x: Array, weight: Array, lines: tuple[Line, ...], out: Array, *, turned: bool = False) -> None:
        if _swaps(lines, *weight.shape[1:3]):
            scatter(x, _turned(weight), adjoint_lines(lines), out)
        else:
            correlate(x, weight, lines, out)

    def contract(self, x: Array, g: Array, lines: tuple[Line, ...]) -> Array:
        if _swaps(lines, g.shape[2], x.shape[2]) and x.flags.c_contiguous and x.dtype == g.dtype:
            return _turned(contract(g, x, adjoint_lines(lines)))
        return contract(x, g, lines)

    def input_gradient(self, g: Array, x: Array, layout: Layout, given: Given) -> Array:
        lines = lines_of(layout)
        if all(line.stride == 1 for line in lines):
            return super().input_gradient(g, x, layout, given)
        gradient = np.empty((*x.shape[:3], *(line.size for line in lines)), g.dtype)
        scatter(g, self.ascending(given["weight"]), lines, gradient)
        if not any(len(axis.border) for axis in layout.axes):
            return gradient
        result = np.zeros(x.shape, g.dtype)
        add_unpadded(gradient, layout, result)
        return result

    @property
    def source(self) -> str:
        return source_of(fill_columns, multiply)

    @property
    def gradient_source(self) -> str:
        return source_of(fill_columns, multiply, add_products, hand_out, add_tap)

    @property
    def stages(self) -> tuple[str, ...]:
        channels, taps = self.form.channels, prod(walk.taps for walk in self.form.walks)
        assert channels is not None
        depth = taps * channels.per_group_in
        return (
            f"the {taps} taps of some rows, or of some items at once, become the columns of a matrix of about 2 MiB",
            f"for each of {channels.groups} group(s) a product ({channels.per_group_out} x {depth}) @ "
            f"({depth} x positions)",
        )


def _turned(weight: Array) -> Array:
    """A weight with its taps backwards and its channels exchanged: that of the adjoint; and back."""
    return np.flip(weight.swapaxes(1, 2), tuple(range(3, weight.ndim)))


def _swaps(lines: tuple[Line, ...], f: int, channels: int) -> bool:
    """Whether to take a correlation as the adjoint of the turned one, with columns of its few outputs.

    Measured: adding up columns costs twice as much as laying them out, so it pays for half as many channels.
    """
    return all(line.stride == 1 for line in lines) and not direct(lines) and channels >= 2 * f


class Im2colPlan(Plan):
    """Taps laid out as columns: several small images at once, large ones by rows."""

    name = "im2col"
    error = "as a sum in another order: about 3e-7 relative in float32"

    def refusal(self, form: TapForm, weight: Array | None) -> str | None:
        return None if form.channels is not None else "needs a convolution"

    def cost(self, form: TapForm, call: Call, task: Task) -> Cost | None:
        channels = form.channels
        assert channels is not None
        lines = lines_of(call.layout)
        groups, f, inside = channels.groups, channels.per_group_out, channels.per_group_in
        if task == "input" and any(line.stride > 1 for line in lines):
            return _scattered(call, lines, (groups, f, inside))
        if task == "input":
            lines, f, inside = adjoint_lines(lines), inside, f
        if not _swaps(lines, f, inside):
            return _columns(call, lines, (groups, f, inside), task)
        if task == "weight":
            return _columns(call, adjoint_lines(lines), (groups, inside, f), task)
        return _scattered(call, adjoint_lines(lines), (groups, inside, f))

    def engine(self, form: TapForm, weight: Array | None) -> Im2colEngine:
        return Im2colEngine(form, weight)

    def derivation(self, op: Operator) -> Derivation:
        from symconv.kernels.convolutions.matrix_rewrites import im2col_derivation

        return im2col_derivation(op)


def _columns(call: Call, lines: tuple[Line, ...], shape: tuple[int, int, int], task: Task) -> Cost:
    """The cost of an output, or of the gradient of a weight, with columns of the input."""
    groups, f, channels = shape
    size = call.dtype.itemsize
    depth = channels * prod(line.taps for line in lines)
    outputs = tuple(line.outputs for line in lines)
    parts = list(cuts(call.batch, outputs, wanted(lines, groups * depth, size)))
    count = len(parts)
    positions = call.batch * prod(outputs)
    width = -(-positions // count)
    together = parts[0].items.stop > 1
    read = call.batch * groups * channels * prod(line.size for line in lines)
    columns = 0 if direct(lines) and not together else positions * groups * depth
    seconds = calls(40 + 14 * count) + copies(columns, call.dtype, outputs[-1]) + copies(read, call.dtype, outputs[-1])
    if together:
        seconds += copies(positions * groups * f, call.dtype, prod(outputs))
    if task != "weight":
        seconds += WIDE * product(f, depth, width, count * groups, call.dtype)
    else:
        seconds += WIDE * product(f, width, depth, count * groups, call.dtype)
        seconds += passes(count * groups * f * depth, call.dtype)
    moved = (2 * read + 2 * columns + positions * groups * f) * size
    scratch = (columns // count + (positions * groups * f // count if together else 0)) * size
    return Cost(seconds, positions * groups * f * depth, moved, scratch)


def _scattered(call: Call, lines: tuple[Line, ...], shape: tuple[int, int, int]) -> Cost:
    """The cost of the gradient of the input by adding up columns."""
    groups, f, channels = shape
    size = call.dtype.itemsize
    taps = prod(line.taps for line in lines)
    depth = channels * taps
    phases = Phases(lines)
    outputs = tuple(line.outputs for line in lines)
    count = len(list(cuts(call.batch, outputs, wanted(lines, groups * depth, size))))
    positions = call.batch * outputs[0] * phases.steps[0]
    sums = call.batch * len(phases.numbers) * groups * channels * prod(phases.extents)
    seconds = calls(60 + count * (20 + 2 * taps))
    seconds += WIDE * product(depth, f, -(-positions // count), count * groups, call.dtype)
    seconds += passes(positions * groups * depth, call.dtype) + copies(positions * groups * f, call.dtype, outputs[-1])
    seconds += 3 * copies(sums, call.dtype, outputs[-1])
    moved = (3 * positions * groups * depth + 2 * positions * groups * f + 4 * sums) * size
    return Cost(seconds, positions * groups * f * depth, moved, (positions * groups * depth // count + sums) * size)
