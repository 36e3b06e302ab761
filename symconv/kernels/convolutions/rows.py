"""One channel at a time, row by row: the shifted copies of an input row stand below each other, and the taps of an
output row are then consecutive rows of one matrix, so that an output row is a vector times a matrix.

With ``s[r, n, q] = x[r, q + n]`` the output row p is ``sum over (m, n) of w[m, n] * s[p + m, n, :]``, and entry (m, n)
stands a fixed distance behind entry (m, n-1). A row is copied once a column of the kernel rather than once a tap, and
zeros of the padding are never added to the input: the copies leave them out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, prod
from typing import TYPE_CHECKING, Any

import numpy
import numpy as np
from numpy.lib.stride_tricks import as_strided

from symconv.kernels.convolutions.scratch import scratch
from symconv.kernels.cost import Cost, calls, copies, passes, vector_products
from symconv.kernels.engine import ConvEngine, source_of
from symconv.kernels.geometry import Line, adjoint_lines, lines_of, phases
from symconv.kernels.padding import Array
from symconv.kernels.plan import Call, Plan, Task
from symconv.kernels.stages.blocks import Workspace
from symconv.kernels.tapform import TapForm

if TYPE_CHECKING:
    from symconv.derivations.step import Derivation
    from symconv.operators.base import Operator

__all__ = ["RowsPlan"]

STACK_BYTES = 1 << 20
"""Measured: the shifted copies of a block take 1 MiB; less repeats more rows, more leaves the cache."""

LEAST = 1 << 14
"""Measured: from this many entries on, all shifted copies of a row are taken at once, through a view; an output with
fewer bytes needs no scratch memory that is kept."""

WIDEST = 1024
"""Measured: columns of a block, for images that are wider."""


def fill_stack(
    stack: Array,
    x: Array,
    top: int,
    row_step: int,
    columns: Sequence[tuple[int, int, int, int]],
    shifted: Array | None = None,
    middle: slice = slice(0, 0),
) -> None:
    """The shifted copies of some rows: ``stack[c, r, n, q] = x[c, top + row_step*r, ...]``, 0 outside of the input.

    For tap n of a row, `columns` says which outputs ``first..stop-1`` find the input, from which entry on, and how far
    apart. The outputs in `middle` find it at all taps: ``shifted[c, i, n, q]`` is what they read in row i.
    """
    rows = stack.shape[1]
    first = min(rows, max(0, -(top // row_step)))
    stop = max(first, min(rows, (x.shape[1] - 1 - top) // row_step + 1))
    if first:
        stack[:, :first] = 0
    if stop < rows:
        stack[:, stop:] = 0
    if stop == first:
        return
    begin = top + row_step * first
    here = slice(begin, begin + row_step * (stop - first - 1) + 1, row_step)
    source = x[:, here]
    if shifted is not None:
        stack[:, first:stop, :, middle] = shifted[:, here]
    for n, (left, right, entry, step) in enumerate(columns):
        parts = ((left, right),) if shifted is None else ((left, middle.start), (middle.stop, right))
        for low, high in parts:
            if low < high:
                place = entry + step * (low - left)
                stack[:, first:stop, n, low:high] = source[:, :, place : place + step * (high - low - 1) + 1 : step]


def multiply_rows(weight: Array, windows: Array, y: Array) -> None:
    """The rows of the output: ``(channels, 1, 1, taps) @ (channels, rows, taps, columns)``."""
    numpy.matmul(weight, windows, out=y)


def contract_rows(windows: Array, g: Array) -> Array:
    """The gradient of the weight: ``(channels, rows, taps, columns) @ (channels, rows, columns, 1)``, rows added up."""
    total: Array = numpy.matmul(windows, g[..., None])[..., 0].sum(axis=1)
    return total


@dataclass(frozen=True)
class _Block:
    """Channels, output rows and output columns; the rows of its stack, the input row of the first of them, the tile."""

    channels: slice
    rows: slice
    columns: slice
    height: int
    count: int
    top: int
    tile: int


@dataclass(frozen=True)
class _Tile:
    """Output columns: how many, which of them find the input at each tap, which at all taps and whether all do, and how
    far apart two rows of the stack are."""

    columns: int
    shifts: tuple[tuple[int, int, int, int], ...]
    middle: slice
    full: bool
    pitch: int

    def shifted(self, x: Array, across: Line) -> Array | None:
        """``[..., i, n, q]``: what the columns in the middle read in row i at tap n, where it is worth a view."""
        width = self.middle.stop - self.middle.start
        if x.shape[-2] * width < LEAST:
            return None
        first, _, entry, stride = self.shifts[0]
        seen = x[..., entry + stride * (self.middle.start - first) :]
        *lead, item = x.strides
        shape = (*x.shape[:-1], across.taps, width)
        return as_strided(seen, shape, (*lead, across.step * item, stride * item), writeable=False)


@dataclass(frozen=True)
class _Schedule:
    """The blocks of a correlation, and the shape of the stack that serves them all."""

    channels: int
    rows: int
    height: int
    tiles: tuple[_Tile, ...]
    blocks: tuple[_Block, ...]


@dataclass(frozen=True)
class _Tiling:
    """How many channels, rows and columns a block has."""

    channels: int
    rows: int
    columns: int


def _tiling(channels: int, line: Line, across: Line, itemsize: int) -> _Tiling:
    parts = max(1, round(across.outputs / WIDEST)) if line.outputs > 1 else ceil(across.outputs / (4 * WIDEST))
    columns = ceil(across.outputs / parts)
    row = across.taps * columns * itemsize
    along = ceil(line.outputs / line.step)
    rows = min(along, max(STACK_BYTES // row - line.taps, 2 * line.taps) // line.stride + 1)
    whole = (line.stride * (rows - 1) + line.taps) * row
    together = max(1, min(channels, STACK_BYTES // whole)) if rows == along else 1
    return _Tiling(together, rows, columns)


@lru_cache(maxsize=64)
def _schedule(channels: int, line: Line, across: Line, itemsize: int) -> _Schedule:
    tiling = _tiling(channels, line, across, itemsize)
    tiles, blocks = [], []
    for left in range(0, across.outputs, tiling.columns):
        right = min(left + tiling.columns, across.outputs)
        shifts = tuple(_shift(across, tap, left, right) for tap in range(across.taps))
        begin = max(shift[0] for shift in shifts)
        middle = slice(begin, max(begin, min(shift[1] for shift in shifts)))
        full = begin == 0 and middle.stop == right - left
        tiles.append(_Tile(right - left, shifts, middle, full, _pitch(right - left, itemsize)))
        for start in range(0, channels, tiling.channels):
            part = slice(start, min(start + tiling.channels, channels))
            for phase in range(min(line.step, line.outputs)):  # rows that a dilated kernel reads together
                outputs = len(range(phase, line.outputs, line.step))
                for first in range(0, outputs, tiling.rows):
                    count = min(tiling.rows, outputs - first)
                    begin = phase + line.step * first
                    rows = slice(begin, begin + line.step * (count - 1) + 1, line.step)
                    height = line.stride * (count - 1) + line.taps
                    top = line.stride * begin - line.before
                    blocks.append(_Block(part, rows, slice(left, right), height, count, top, len(tiles) - 1))
    height = line.stride * (tiling.rows - 1) + line.taps
    return _Schedule(tiling.channels, tiling.rows, height, tuple(tiles), tuple(blocks))


def _filled(x: Array, line: Line, across: Line, dtype: Any, work: Workspace) -> Iterator[tuple[_Block, int, Array]]:
    """The blocks of all items ``(batch, channels, rows, columns)``, each with its item and its windows
    ``(channels, rows, taps, columns)``."""
    schedule = _schedule(x.shape[1], line, across, np.dtype(dtype).itemsize)
    tile, stack, windows, shifted = -1, None, None, None
    for block in schedule.blocks:
        if block.tile != tile:
            tile = block.tile
            here = schedule.tiles[tile]
            shifted = here.shifted(x, across)
            stack = work.array("stack", (schedule.channels, schedule.height, across.taps, here.pitch))
            if not here.full:
                stack.fill(0)
            plane, row, tap, entry = stack.strides
            windows = np.ndarray(
                (schedule.channels, schedule.rows, line.taps * across.taps, here.columns),
                dtype,
                stack,
                0,
                (plane, line.stride * row, tap, entry),
            )
        assert stack is not None
        assert windows is not None
        count = block.channels.stop - block.channels.start
        part, seen = stack[:count, : block.height], windows[:count, : block.count]
        for item in range(len(x)):
            view = None if shifted is None else shifted[item, block.channels]
            fill_stack(part, x[item, block.channels], block.top, line.step, here.shifts, view, here.middle)
            yield block, item, seen


def _pitch(columns: int, itemsize: int) -> int:
    """The distance of two rows of the stack: never a multiple of 512 bytes, which would put all rows of a column into
    the same few places of the cache."""
    return columns if columns * itemsize % 512 else columns + 64 // itemsize


def _shift(across: Line, tap: int, left: int, right: int) -> tuple[int, int, int, int]:
    first, stop, entry = across.real(tap)
    begin, end = min(max(first, left), right), max(min(stop, right), left)
    return begin - left, end - left, entry + across.stride * (begin - first), across.stride


def _memory(y: Array) -> AbstractContextManager[Workspace]:
    """Scratch arrays for blocks of an output; for a small one fresh memory is the fastest."""
    return nullcontext(Workspace(y.dtype)) if y.nbytes < LEAST else scratch(y.dtype)


class RowsEngine(ConvEngine):
    """Blocks of rows of one or several channels, for the output and both gradients."""

    def correlate(self, x: Array, weight: Array, lines: tuple[Line, ...], out: Array, *, turned: bool = False) -> None:
        images, line, across = self._plane(x, lines)
        taps = weight.reshape(images.shape[1], 1, 1, -1)
        y = out.reshape(*images.shape[:2], line.outputs, 1, across.outputs)
        with _memory(out) as work:
            for block, item, windows in _filled(images, line, across, out.dtype, work):
                multiply_rows(taps[block.channels], windows, y[item, block.channels, block.rows, :, block.columns])

    def contract(self, x: Array, g: Array, lines: tuple[Line, ...]) -> Array:
        images, line, across = self._plane(x, lines)
        upstream = g.reshape(*images.shape[:2], line.outputs, across.outputs)
        total = np.zeros((images.shape[1], line.taps * across.taps), g.dtype)
        with _memory(g) as work:
            for block, item, windows in _filled(images, line, across, g.dtype, work):
                above = upstream[item, block.channels, block.rows, block.columns]
                total[block.channels] += contract_rows(windows, above)
        return total.reshape(x.shape[1], 1, 1, *(line.taps for line in lines))

    @staticmethod
    def _plane(x: Array, lines: tuple[Line, ...]) -> tuple[Array, Line, Line]:
        """``(batch, channels, rows, columns)``; one axis is one row."""
        if len(lines) == 1:
            return x.reshape(*x.shape[:2], 1, x.shape[-1]), Line(1, 1, 1, 1, 1, 0), lines[0]
        return x.reshape(*x.shape[:2], *x.shape[3:]), lines[0], lines[1]

    @property
    def source(self) -> str:
        return source_of(fill_stack, multiply_rows)

    @property
    def gradient_source(self) -> str:
        return source_of(fill_stack, multiply_rows, contract_rows)

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
    error = "as a plain sum of the taps in another order: about 3e-7 relative in float32"

    def refusal(self, form: TapForm, weight: Array | None) -> str | None:
        channels = form.channels
        if channels is None or len(form.walks) > 2:
            return "needs a convolution along one or two axes"
        if channels.per_group_in != 1 or channels.per_group_out != 1:
            return "needs one input and one output channel a group"
        if len(form.walks) == 2 and form.walks[0].stride > 1 and abs(form.walks[0].step) > 1:
            return "needs stride 1 or dilation 1 along the first axis"
        return None

    def cost(self, form: TapForm, call: Call, task: Task) -> Cost | None:
        assert form.channels is not None
        lines = lines_of(call.layout)
        channels = form.channels.groups
        if task != "input":
            return _cost(call, channels, [lines])
        if all(line.stride == 1 for line in lines):
            return _cost(call, channels, [adjoint_lines(lines)])
        if any(line.step > 1 for line in lines):
            return None
        parts = [reads for _, _, reads in phases(lines) if all(line.taps for line in reads)]
        found = _cost(call, channels, parts)
        entries = call.batch * channels * prod(call.sizes)
        return Cost(found.seconds + passes(entries, call.dtype, False), *_numbers(found))

    def engine(self, form: TapForm, weight: Array | None) -> RowsEngine:
        return RowsEngine(form, weight)

    def derivation(self, op: Operator) -> Derivation:
        from symconv.kernels.convolutions.certificates import rows_derivation

        return rows_derivation(op)


def _numbers(cost: Cost) -> tuple[int, int, int]:
    return cost.multiply_adds, cost.bytes, cost.scratch


def _cost(call: Call, channels: int, correlations: list[tuple[Line, ...]]) -> Cost:
    seconds, multiplied, moved, scratch = calls(8), 0, 0, 0
    size = call.dtype.itemsize
    for lines in correlations:
        line, across = lines if len(lines) == 2 else (Line(1, 1, 1, 1, 1, 0), lines[0])
        tiling = _tiling(channels, line, across, size)
        taps = line.taps * across.taps
        rows = call.batch * channels * line.outputs
        along = ceil(line.outputs / line.step)
        blocks = ceil(channels / tiling.channels) * ceil(across.outputs / tiling.columns) * call.batch
        blocks *= min(line.step, line.outputs) * ceil(along / tiling.rows)
        height = line.stride * (tiling.rows - 1) + line.taps
        copied = blocks * tiling.channels * height * across.taps * tiling.columns
        parts = ceil(across.outputs / tiling.columns)
        seconds += calls(blocks * (across.taps + 4)) + copies(copied, call.dtype, tiling.columns)
        seconds += vector_products(taps, ceil(across.outputs / parts), rows * parts, call.dtype)
        multiplied += rows * across.outputs * taps
        moved += (call.batch * channels * prod(line.size for line in lines) + 2 * copied) * size
        moved += rows * across.outputs * size
        scratch = max(scratch, tiling.channels * height * across.taps * tiling.columns * size)
    return Cost(seconds, multiplied, moved, scratch)
