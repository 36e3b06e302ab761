"""One channel at a time, row by row: the shifted copies of an input row stand below each other, and the taps of an
output row are then consecutive rows of one matrix, so that an output row is a vector times a matrix.

With ``s[r, n, q] = x[r, q + n]`` the output row p is ``sum over (m, n) of w[m, n] * s[p + m, n, :]``, and entry (m, n)
stands a fixed distance behind entry (m, n-1). A row is copied once a column of the kernel rather than once a tap; only
blocks that read padding are first copied to a buffer that has it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, prod
from typing import TYPE_CHECKING

import numpy
import numpy as np

from symconv.derivations.step import Derivation, Stage, Step
from symconv.formulas.algebra import Bound, Label, Named, Reduce
from symconv.formulas.index import Index, quotient
from symconv.formulas.substitution import substitute
from symconv.kernels.arrays.windows import (
    PREPARED,
    Cover,
    Memory,
    StridedView,
    cover_of,
    memory_of,
    narrowed,
    packed,
    place,
    sections,
    taken,
)
from symconv.kernels.form.tapform import TapForm
from symconv.kernels.plans.rewriting import EVERYWHERE, ZERO, last_of, put, read_of, window_of
from symconv.kernels.runtime.cost import Estimate, calls, copies, passes, vector_products
from symconv.kernels.runtime.engine import ConvEngine, source_of
from symconv.kernels.runtime.geometry import Line, adjoint_lines, lines_of, phases
from symconv.kernels.runtime.padding import Array
from symconv.kernels.runtime.plan import CallShape, Plan, Task
from symconv.kernels.runtime.workspace import Workspace

if TYPE_CHECKING:
    from symconv.operators.base import Operator

__all__ = ["ONE_ROW", "RowsEngine", "RowsPlan", "no_single_channel", "plane"]

STACK_BYTES = 1 << 20
"""Measured: the shifted copies of a block take 1 MiB; less repeats more rows, more leaves the cache."""

WIDEST = 2048
"""Measured: columns of a block, for images that are wider."""

ONE_ROW = Line(1, 1, 1, 1, 1, 0)
"""How rows are read where there is one axis."""


def fill_stack(stack: Array, shifted: Array) -> None:
    """The shifted copies of some rows: ``stack[i, c, r, n, q]`` is what output q of row r reads at tap n."""
    stack[...] = shifted


def multiply_rows(weight: Array, windows: Array, y: Array) -> None:
    """The rows of the output: ``(channels, 1, 1, taps) @ (items, channels, rows, taps, columns)``."""
    numpy.matmul(weight, windows, out=y)


def contract_rows(windows: Array, g: Array) -> Array:
    """The gradient of the weight: ``(items, channels, rows, taps, columns) @ (items, channels, rows, columns, 1)``,
    added up over items and rows."""
    total: Array = numpy.matmul(windows, g[..., None])[..., 0].sum(axis=(0, 2))
    return total


@dataclass(frozen=True)
class _Block:
    """Some output rows of some channels; an index is None where it takes the whole array.

    Attributes:
        channels: which ones, of the weight.
        cover: what is copied to the padded buffer; None where the windows find the input at all taps.
        shifted: the part of the shifted view, of the input or of the padded buffer, that goes to the stack.
        stack: the part of the stack that it goes to, which is a few columns wider.
        windows: the part of the windows.
        outputs: the part of the output.
    """

    channels: tuple[slice, ...] | None
    cover: Cover | None
    shifted: tuple[slice, ...] | None
    stack: tuple[slice, ...] | None
    windows: tuple[slice, ...] | None
    outputs: tuple[slice, ...] | None


@dataclass(frozen=True)
class _Tile:
    """Some output columns of all items, so many items at once.

    Attributes:
        firsts, items: the first items of the blocks, and how many they have.
        stack: the shape of the stack that serves all blocks.
        windows: the windows as a view of the stack.
        shifted: what the columns read at each tap, as a view of the items; None where some of it does not exist.
        padded: the shape of the padded buffer, and `spread`, the shifted view of it.
        blocks: the blocks.
    """

    firsts: range
    items: int
    stack: tuple[int, ...]
    windows: StridedView
    shifted: StridedView | None
    padded: tuple[int, ...]
    spread: StridedView
    blocks: tuple[_Block, ...]


@dataclass(frozen=True)
class _Tiling:
    """How many items, channels, rows and columns a block has; the rows of its stack."""

    items: int
    channels: int
    rows: int
    columns: int
    height: int


def _tiling(batch: int, channels: int, line: Line, across: Line, itemsize: int) -> _Tiling:
    parts = max(1, round(across.outputs / WIDEST)) if line.outputs > 1 else ceil(across.outputs / (2 * WIDEST))
    columns = ceil(across.outputs / parts)
    row = across.taps * columns * itemsize
    along = ceil(line.outputs / line.step)
    rows = min(along, max(STACK_BYTES // row - line.taps, 2 * line.taps) // line.stride + 1)
    height = line.stride * (rows - 1) + line.taps
    together = max(1, min(channels, STACK_BYTES // (height * row))) if rows == along else 1
    items = max(1, min(batch, STACK_BYTES // (channels * height * row))) if together == channels else 1
    return _Tiling(items, together, rows, columns, height)


@lru_cache(maxsize=PREPARED)
def _tiles(memory: Memory, line: Line, across: Line, itemsize: int) -> tuple[_Tile, ...]:
    """The work on inputs ``(batch, channels, rows, columns)`` that lie in memory in one way."""
    batch, channels = memory.shape[:2]
    tiling = _tiling(batch, channels, line, across, itemsize)
    found = []
    for firsts, items in sections(batch, tiling.items):
        for left in range(0, across.outputs, tiling.columns):
            part = across.part(left, min(left + tiling.columns, across.outputs))
            columns, taps = part.outputs, line.taps * part.taps
            stack = packed((items, tiling.channels, tiling.height, part.taps, _pitch(columns, itemsize)), itemsize)
            padded = packed((items, tiling.channels, tiling.height, part.length), itemsize)
            plane, channel, row, tap, item = stack.strides
            windows = (items, tiling.channels, tiling.rows, taps, columns)
            found.append(
                _Tile(
                    firsts,
                    items,
                    stack.shape,
                    StridedView.of(stack, (0,) * 5, windows, (plane, channel, line.stride * row, tap, item)),
                    _shifted(memory.of_items(items), part, -part.before) if part.inside else None,
                    padded.shape,
                    _shifted(padded, part, 0),
                    tuple(_blocks(memory.of_items(items), stack, tiling, line, across, (left, columns))),
                )
            )
    return tuple(found)


def _shifted(memory: Memory, across: Line, entry: int) -> StridedView:
    """``[i, c, r, n, q]``: what output q reads at tap n in row r of ``(items, channels, rows, columns)``."""
    *lead, item = memory.strides
    shape = (*memory.shape[:3], across.taps, across.outputs)
    return StridedView.of(memory, (0, 0, 0, entry), shape, (*lead, across.step * item, across.stride * item))


def _blocks(
    memory: Memory, stack: Memory, tiling: _Tiling, line: Line, across: Line, tile: tuple[int, int]
) -> Iterator[_Block]:
    every = slice(None)
    items, channels = memory.shape[:2]
    columns = slice(tile[0], tile[0] + tile[1])
    here = across.part(columns.start, columns.stop)
    result = (items, channels, line.outputs, 1, across.outputs)
    for start in range(0, channels, tiling.channels):
        part = slice(start, min(start + tiling.channels, channels))
        count = slice(part.stop - start)
        for phase in range(min(line.step, line.outputs)):  # rows that a dilated kernel reads together
            outputs = len(range(phase, line.outputs, line.step))
            for first in range(0, outputs, tiling.rows):
                rows = min(tiling.rows, outputs - first)
                begin, height = phase + line.step * first, line.stride * (rows - 1) + line.taps
                top = line.stride * begin - line.before
                end = top + line.step * (height - 1) + 1
                shifted = narrowed((every, part, slice(top, end, line.step)), memory.shape)
                cover = None
                if not here.inside or top < 0 or end > line.size:
                    lead = items * count.stop
                    cover = cover_of((Line(line.size, height, 1, line.step, 1, -top), here.span), lead)
                    shifted = narrowed((every, count, slice(height)), stack.shape)
                below = slice(begin, begin + line.step * (rows - 1) + 1, line.step)
                yield _Block(
                    narrowed((part,), (channels,)),
                    cover,
                    shifted,
                    narrowed((every, count, slice(height), every, slice(tile[1])), stack.shape),
                    narrowed((every, count, slice(rows)), (items, tiling.channels, tiling.rows)),
                    narrowed((every, part, below, every, columns), result),
                )


def _filled(x: Array, tiles: tuple[_Tile, ...], work: Workspace) -> Iterator[tuple[slice, _Block, Array]]:
    """The blocks of ``(batch, channels, rows, columns)``, each with its items and its windows
    ``(items, channels, rows, taps, columns)``."""
    for tile in tiles:
        stack = work.array("stack", tile.stack)
        windows = tile.windows.show(stack)
        for first in tile.firsts:
            items = slice(first, first + tile.items)
            source = x[items]
            shifted = None if tile.shifted is None else tile.shifted.show(source)
            for block in tile.blocks:
                view = shifted
                if block.cover is not None:
                    padded = work.array("padded", tile.padded)
                    channels = None if block.channels is None else (slice(None), *block.channels)
                    place(taken(source, channels), block.cover, taken(padded, block.shifted))
                    view = tile.spread.show(padded)
                assert view is not None
                fill_stack(taken(stack, block.stack), taken(view, block.shifted))
                yield items, block, taken(windows, block.windows)


def _pitch(columns: int, itemsize: int) -> int:
    """The distance of two rows of the stack: never a multiple of 512 bytes, which would put all rows of a column into
    the same few places of the cache."""
    return columns if columns * itemsize % 512 else columns + 64 // itemsize


def plane(x: Array, lines: tuple[Line, ...]) -> tuple[Array, Line, Line]:
    """Images ``(batch, channels, rows, columns)`` and how they are read; one axis is one row."""
    if len(lines) == 1:
        return x, ONE_ROW, lines[0]
    return x[:, :, 0], lines[0], lines[1]


def no_single_channel(form: TapForm) -> str | None:
    """What a form lacks of a convolution of one channel at a time along one or two axes; None where it is one."""
    channels = form.layer
    if len(form.walks) > 2:
        return "needs a convolution along one or two axes"
    if channels.per_group_in != 1 or channels.per_group_out != 1:
        return "needs one input and one output channel a group"
    return None


class RowsEngine(ConvEngine):
    """Blocks of rows of one or several channels, for the output and both gradients."""

    def correlate(self, x: Array, weight: Array, lines: tuple[Line, ...], out: Array, *, turned: bool = False) -> None:
        images, line, across = plane(x, lines)
        taps = weight.reshape(images.shape[1], 1, 1, -1)
        y = out.reshape(*images.shape[:2], line.outputs, 1, across.outputs)
        tiles = _tiles(memory_of(images), line, across, out.itemsize)
        with Workspace(out.dtype) as work:
            for items, block, windows in _filled(images, tiles, work):
                multiply_rows(taken(taps, block.channels), windows, taken(y[items], block.outputs))

    def contract(self, x: Array, g: Array, lines: tuple[Line, ...]) -> Array:
        images, line, across = plane(x, lines)
        upstream = g.reshape(*images.shape[:2], line.outputs, 1, across.outputs)
        total = np.zeros((images.shape[1], line.taps * across.taps), g.dtype)
        tiles = _tiles(memory_of(images), line, across, g.itemsize)
        with Workspace(g.dtype) as work:
            for items, block, windows in _filled(images, tiles, work):
                above = taken(upstream[items], block.outputs)[:, :, :, 0]
                taken(total, block.channels)[...] += contract_rows(windows, above)
        return total.reshape(x.shape[1], 1, 1, *(line.taps for line in lines))

    @property
    def source(self) -> str:
        return source_of(place, fill_stack, multiply_rows)

    @property
    def gradient_source(self) -> str:
        return source_of(place, fill_stack, multiply_rows, contract_rows)

    @property
    def stages(self) -> tuple[str, ...]:
        across = self.form.walks[-1].taps
        taps = prod(walk.taps for walk in self.form.walks)
        return (
            f"{across} shifted copies of every row of the input, in blocks of {STACK_BYTES >> 20} MiB",
            f"for every row of the output a vector of {taps} taps times the {taps} rows that they read",
        )


class RowsPlan(Plan):
    """Every output row is a vector of all taps times the shifted input rows, for one channel or a depthwise layer."""

    name = "rows"
    error = "as a plain sum of the taps in another order, whose rounding grows with their number"
    direct = True

    def refusal(self, form: TapForm, weight: Array | None) -> str | None:
        why = no_single_channel(form)
        if why is not None:
            return why
        if len(form.walks) == 2 and form.walks[0].stride > 1 and abs(form.walks[0].step) > 1:
            return "needs stride 1 or dilation 1 along the first axis"
        return None

    def cost(self, form: TapForm, call: CallShape, task: Task) -> Estimate | None:
        lines = lines_of(call.layout)
        channels = form.layer.groups
        if task != "input":
            return _cost(call, channels, [lines])
        if all(line.stride == 1 for line in lines):
            return _cost(call, channels, [adjoint_lines(lines)])
        if any(line.step > 1 for line in lines):
            return None
        parts = [reads for _, _, reads in phases(lines) if all(line.taps for line in reads)]
        found = _cost(call, channels, parts)
        entries = call.batch * channels * prod(call.sizes)
        return Estimate(found.seconds + passes(entries, call.dtype, False), *_numbers(found))

    def engine(self, form: TapForm, weight: Array | None) -> RowsEngine:
        return RowsEngine(form, weight)

    def rewrites(self, op: Operator) -> Derivation:
        return rows_derivation(op)


def _numbers(cost: Estimate) -> tuple[int, int, int]:
    return cost.multiply_adds, cost.bytes, cost.scratch


def _cost(call: CallShape, channels: int, correlations: list[tuple[Line, ...]]) -> Estimate:
    seconds, multiplied, moved, scratch = calls(9), 0, 0, 0
    size = call.dtype.itemsize
    for lines in correlations:
        line, across = lines if len(lines) == 2 else (ONE_ROW, lines[0])
        tiling = _tiling(call.batch, channels, line, across, size)
        taps = line.taps * across.taps
        rows = call.batch * channels * line.outputs
        along = ceil(line.outputs / line.step)
        blocks = ceil(call.batch / tiling.items) * ceil(channels / tiling.channels)
        blocks *= ceil(across.outputs / tiling.columns) * min(line.step, line.outputs) * ceil(along / tiling.rows)
        read = min(tiling.items, call.batch) * tiling.channels * tiling.height * tiling.columns
        copied = blocks * read * across.taps
        parts = ceil(across.outputs / tiling.columns)
        seconds += calls(4 * blocks) + copies(copied, call.dtype, tiling.columns)
        if not (line.inside and across.inside):
            seconds += calls(4 * blocks) + copies(blocks * read, call.dtype, tiling.columns)
        seconds += vector_products(taps, ceil(across.outputs / parts), rows * parts, call.dtype)
        multiplied += rows * across.outputs * taps
        moved += (call.batch * channels * prod(line.size for line in lines) + 2 * copied) * size
        moved += rows * across.outputs * size
        scratch = max(scratch, (across.taps + 1) * read * size)
    return Estimate(seconds, multiplied, moved, scratch)


# ---------------------------------------------------------------------- the rewrite


def rows_derivation(op: Operator) -> Derivation:
    """The shifted copies of the rows, and the taps of the window numbered row-major."""
    output = op.output()
    window, access = window_of(output), read_of(output.body, output)
    column = output.indices[-1]
    taps = window.bounds
    named = Named(Label("s", "s"), (*access.index[:-1], Index.of(taps[-1].name), Index.of(column)), access)
    read = put(output, access, named)
    copied = Step(
        "1",
        output,
        read,
        "recognise",
        "Copy",
        ("every row of the input once for each tap along it, shifted by that tap.",),
        opens=True,
    )
    steps = [copied]
    if len(taps) == 2:
        across = last_of(taps[1]) + 1
        number = Index.of("k")
        row = quotient(number, across)
        numbered = {taps[0].name: row, taps[1].name: number - across * row}
        count = Index.of((last_of(taps[0]) + 1) * across - 1)
        total = Reduce("sum", (Bound("k", Index.of(0), count),), (), substitute(window.body, numbered))
        steps.append(
            Step(
                "2",
                output,
                put(output, window, total),
                "number",
                "Number",
                ("the taps row-major: entry k of a vector times row k of what a row of outputs reads.",),
                uses=("1",),
            )
        )
    return Derivation(
        "A convolution of one channel, row by row",
        ("A row of outputs is a vector of taps times a matrix whose rows are shifted rows of the input.",),
        ZERO,
        (),
        (Stage(("The output",), EVERYWHERE, tuple(steps)),),
    )
