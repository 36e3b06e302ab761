"""One channel at a time where the kernel is a sum of few products of a column and a row: one axis after the other.

Columns: an output row is a vector of taps times consecutive rows. Rows: a block of columns times a banded Toeplitz
matrix, whose column j holds the row of the kernel shifted by j, so that no entry is copied.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy
import numpy as np

from symconv.derivations.step import Derivation, Stage, Step
from symconv.formulas.algebra import Access, Bound, Reduce, product
from symconv.formulas.index import Index
from symconv.formulas.quantity import Tensor
from symconv.formulas.walks import accesses
from symconv.kernels.arrays.windows import PREPARED, Cover, cover_of, place
from symconv.kernels.form.tapform import TapForm
from symconv.kernels.plans.rewriting import EVERYWHERE, ZERO, last_of, put, read_of, window_of
from symconv.kernels.plans.rows import RowsEngine
from symconv.kernels.runtime.cost import Estimate, calls, copies, matrix_products, passes, vector_products
from symconv.kernels.runtime.engine import ConvEngine, source_of
from symconv.kernels.runtime.geometry import Line, adjoint_lines, lines_of
from symconv.kernels.runtime.padding import Array
from symconv.kernels.runtime.plan import CallShape, Plan, Task
from symconv.kernels.runtime.workspace import Workspace

if TYPE_CHECKING:
    from symconv.operators.base import Operator

__all__ = ["SeparablePlan", "factors", "rounded_factors"]

BAND = 32
"""Measured: outputs of a block along a row."""

BLOCK_BYTES = 1 << 18
"""Measured: rows of a block take 256 KiB."""


def along_columns(column: Array, windows: Array, between: Array) -> None:
    """One axis: ``(1, taps) @ (rows, taps, width)``."""
    numpy.matmul(column, windows, out=between)


def along_rows(blocks: Array, band: Array, y: Array) -> None:
    """The other axis: ``(blocks, rows, reach + width) @ (reach + width, width)``, a banded Toeplitz matrix."""
    numpy.matmul(blocks, band, out=y)


@dataclass(frozen=True)
class Factors:
    """Kernels as sums of `rank` products: ``weight[c, m, n] = sum over q of columns[c, q, m] * rows[c, q, n]``."""

    columns: Array
    rows: Array

    @property
    def rank(self) -> int:
        return int(self.columns.shape[1])


def factors(weight: Array) -> Factors:
    """The factors of kernels ``(channels, m, n)`` from their singular values.

    Singular values of at most ``eps`` times the largest one are left out: rounding the entries of a product of a column
    and a row to the type of the kernel gives rise to less.
    """
    left, values, right = np.linalg.svd(weight.astype(np.float64), full_matrices=False)
    eps = np.finfo(weight.dtype if weight.dtype.kind == "f" else np.float64).eps
    least = float(eps) * values[:, :1]
    rank = max(1, int((values > least).sum(axis=1).max(initial=1)))
    columns = (left[:, :, :rank] * values[:, None, :rank]).swapaxes(1, 2)
    return Factors(np.ascontiguousarray(columns), np.ascontiguousarray(right[:, :rank]))


def rounded_factors(weight: Array) -> Factors:
    """The factors of kernels ``(channels, m, n)`` in their own type: what is computed with."""
    found = factors(weight)
    return Factors(found.columns.astype(weight.dtype), found.rows.astype(weight.dtype))


def _band(row: Array, across: Line, width: int) -> Array:
    """The banded Toeplitz matrix: entry ``(stride*j + step*n, j)`` is tap n."""
    matrix = np.zeros((across.stride * (width - 1) + across.step * (across.taps - 1) + 1, width), row.dtype)
    for n, tap in enumerate(row):
        at = np.arange(width)
        matrix[across.stride * at + across.step * n, at] = tap
    return matrix


class SeparableEngine(ConvEngine):
    """Blocks of rows: along the columns into a buffer that stays in the cache, then along the rows.

    A result that is not finite is computed again by sums of taps, so that only what reads an infinity shows it.
    """

    def __init__(self, form: TapForm, weight: Array) -> None:
        super().__init__(form, weight)
        self.factors = factors(weight[:, 0, 0])
        self._direct = RowsEngine(form, weight)
        self._kept: dict[Any, Any] = {}

    def correlate(self, x: Array, weight: Array, lines: tuple[Line, ...], out: Array, *, turned: bool = False) -> None:
        with Workspace(out.dtype) as work:
            self._correlate(x, weight, (lines[0], lines[1]), out, turned, work)
        # The zeros of a band make NaN of an infinity that an output does not read. Measured, in float32 at 512 x 512:
        # `sum` takes 6 % of a call, and this sum, which does not add in pairs, 2 %.
        if not np.isfinite(np.einsum("i->", out.reshape(-1))):
            self._direct.correlate(x, weight, lines, out, turned=turned)

    def _correlate(
        self, x: Array, weight: Array, lines: tuple[Line, Line], out: Array, turned: bool, work: Workspace
    ) -> None:
        line, across = lines
        found = self._factors(weight, lines, turned)
        rows = _rows(line, across, out.dtype.itemsize)
        height, width = line.stride * (rows - 1) + line.step * (line.taps - 1) + 1, across.length
        stack, between = work.array("stack", (height, width)), work.array("between", (rows, 1, width))
        row, item = stack.strides
        windows: Array = np.ndarray(
            (rows, line.taps, width), out.dtype, stack, 0, (line.stride * row, line.step * row, item)
        )
        whole = across.outputs // BAND
        blocks: Array = np.ndarray(
            (whole, rows, across.stride * (BAND - 1) + across.step * (across.taps - 1) + 1),
            out.dtype,
            between,
            0,
            (across.stride * BAND * item, between.strides[0], item),
        )
        rest = between[:, 0, across.stride * whole * BAND :]
        for image, y in zip(x[:, :, 0], out[:, :, 0], strict=True):
            for channel, (columns, bands, last) in enumerate(found):
                for part, count, high, cover in _blocks(line, across, rows):
                    place(image[channel], cover, stack[:high])
                    target = y[channel, part]
                    for q in range(len(columns)):
                        along_columns(columns[q], windows[:count], between[:count])
                        result = target if q == 0 else work.array("term", target.shape)
                        if whole:
                            wide = result[:, : whole * BAND].reshape(count, whole, BAND).transpose(1, 0, 2)
                            along_rows(blocks[:, :count], bands[q], wide)
                        if whole * BAND < across.outputs:
                            along_rows(rest[:count, : last[q].shape[0]], last[q], result[:, whole * BAND :])
                        if q:
                            target += result

    def _factors(
        self, weight: Array, lines: tuple[Line, Line], turned: bool
    ) -> list[tuple[Array, list[Array], list[Array]]]:
        """For each channel the columns ``(rank, 1, taps)``, the bands of whole blocks, and those of the last one."""
        across = lines[1]
        remainder = across.outputs % BAND

        def make(taps: Array) -> list[tuple[Array, list[Array], list[Array]]]:
            found = rounded_factors(taps[:, 0, 0])
            rows = found.rows
            return [
                (
                    found.columns[channel, :, None],
                    [_band(row, across, BAND) for row in rows[channel]],
                    [_band(row, across, remainder) for row in rows[channel]] if remainder else [],
                )
                for channel in range(len(taps))
            ]

        key = (turned, weight.dtype, across.stride, across.step, remainder)
        if len(self._kept) >= 8:
            self._kept.clear()
        kept: list[tuple[Array, list[Array], list[Array]]] = self.kept(self._kept, key, weight, make)
        return kept

    def contract(self, x: Array, g: Array, lines: tuple[Line, ...]) -> Array:
        return self._direct.contract(x, g, lines)

    @property
    def source(self) -> str:
        return source_of(place, along_columns, along_rows)

    @property
    def stages(self) -> tuple[str, ...]:
        return (
            f"the kernel as a sum of {self.factors.rank} product(s) of a column and a row, from its singular values",
            f"along the columns: for every row of a block a vector of {self.factors.columns.shape[-1]} taps times rows",
            f"along the rows: blocks of {BAND} outputs times a banded Toeplitz matrix",
        )


@lru_cache(maxsize=PREPARED)
def _blocks(line: Line, across: Line, rows: int) -> tuple[tuple[slice, int, int, Cover], ...]:
    """Blocks of output rows: which ones, how many, how many rows they read, and what is copied."""
    found = []
    for top in range(0, line.outputs, rows):
        part = line.part(top, min(top + rows, line.outputs))
        cover = cover_of((part.span, across.span))
        found.append((slice(top, top + part.outputs), part.outputs, part.length, cover))
    return tuple(found)


def _rows(line: Line, across: Line, itemsize: int) -> int:
    rows = max(BLOCK_BYTES // (across.length * itemsize), 2 * line.step * line.taps) // line.stride
    return min(line.outputs, max(1, rows))


class SeparablePlan(Plan):
    """A kernel of low rank, one axis after the other; the rank is found from the weight given at compile time."""

    name = "separable"
    integers = False
    error = "as sums over rows of sums over columns, with the factors rounded to the type"

    def refusal(self, form: TapForm, weight: Array | None) -> str | None:
        channels = form.layer
        if len(form.walks) != 2:
            return "needs a convolution along two axes"
        if channels.per_group_in != 1 or channels.per_group_out != 1:
            return "needs one input and one output channel a group"
        if weight is None:
            return "needs the weight at compile time: pass it as weight"
        if weight.size == 0 or not np.isfinite(weight).all():
            return "needs a weight of finite numbers"
        rank, (m, n) = factors(weight[:, 0, 0]).rank, weight.shape[3:]
        if rank * (m + n) >= m * n:
            return f"needs a kernel of low rank; this one has rank {rank}, and {rank} x ({m} + {n}) taps are no saving"
        return None

    def cost(self, form: TapForm, call: CallShape, task: Task) -> Estimate | None:
        if task == "weight" or call.weight is None:
            return None
        lines = lines_of(call.layout)
        if task == "input":
            if any(line.stride > 1 for line in lines):
                return None
            lines = adjoint_lines(lines)
        line, across = lines
        size, planes = call.dtype.itemsize, call.batch * form.layer.groups
        with np.errstate(over="ignore"):
            kernels = call.weight[:, 0, 0].astype(call.dtype)
        if not np.isfinite(kernels).all():
            return None  # too large for the type: such a kernel has no factors
        rank = factors(kernels).rank
        rows = _rows(line, across, size)
        blocks = planes * ceil(line.outputs / rows)
        width = across.stride * (BAND - 1) + across.step * (across.taps - 1) + 1
        filled = blocks * (line.stride * rows + line.step * line.taps) * across.length
        seconds = calls(blocks * (4 + 6 * rank) + 20) + copies(filled, call.dtype, across.length)
        seconds += rank * vector_products(line.taps, across.length, planes * line.outputs, call.dtype)
        count = ceil(across.outputs / BAND)
        seconds += rank * matrix_products(rows, width, BAND, blocks * count, call.dtype)
        entries = planes * line.outputs * across.outputs
        seconds += passes(entries * (rank - 1), call.dtype)
        multiplied = entries * rank * (line.taps + width)
        return Estimate(seconds, multiplied, (filled + 4 * entries * rank) * size, 2 * rows * across.length * size)

    def engine(self, form: TapForm, weight: Array | None) -> SeparableEngine:
        assert weight is not None
        return SeparableEngine(form, weight)

    def rewrites(self, op: Operator) -> Derivation:
        return separable_derivation(op)


# ---------------------------------------------------------------------- the rewrite


def separable_derivation(op: Operator) -> Derivation:
    """A kernel that is a sum of products of a column and a row, and the sums over its taps exchanged."""
    output = op.output()
    window = window_of(output)
    m, n = window.bounds
    weight = next(tensor for tensor in output.tensors if tensor.role == "weight")
    kernel = accesses(window.body, weight.name)[0]
    lead = weight.box[:-2]
    column = Access("u", (*kernel.index[:-2], Index.of("t"), Index.of(m.name)))
    row = Access("v", (*kernel.index[:-2], Index.of("t"), Index.of(n.name)))
    rank = (Index.of(0), Index.of(min(last_of(m), last_of(n))))
    term = Bound("t", *rank)
    tensors = (
        *(tensor for tensor in output.tensors if tensor is not weight),
        Tensor("u", "weight", (*lead, rank, weight.box[-2])),
        Tensor("v", "weight", (*lead, rank, weight.box[-1])),
    )
    read = read_of(window.body, output)
    factored = Reduce("sum", (m, n), (), product(read, Reduce("sum", (term,), (), product(column, row))))
    inner = Reduce("sum", (n,), (), product(row, read))
    nested = Reduce("sum", (term,), (), Reduce("sum", (m,), (), product(column, inner)))
    start = replace(put(output, window, factored), tensors=tensors)
    after = replace(put(output, window, nested), tensors=tensors)
    step = Step(
        "1",
        start,
        after,
        "transpose",
        "Exchange",
        (
            "the sums: with the kernel as the sum over t of products u[t, m] v[t, n], found by its singular values, "
            "a sum over the row comes first, then one over the column.",
        ),
        opens=True,
    )
    return Derivation(
        "A convolution with a kernel of low rank",
        ("A sum over a box of taps becomes one sum over a column and one over a row for each term of the kernel.",),
        ("The kernel is the sum over t of products of a column u[t] and a row v[t]. ", *ZERO),
        (),
        (Stage(("The output",), EVERYWHERE, (step,)),),
    )
