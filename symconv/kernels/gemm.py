"""Running the matrix form of a convolution: blocks of output positions, their taps as the columns of a matrix."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import as_strided

from symconv.kernels.blocks import Block, Workspace, blocks
from symconv.kernels.contraction import MatrixPrograms, matrix_programs
from symconv.kernels.cost import Cost, calls, copies, passes, product
from symconv.kernels.engine import Engine, Given
from symconv.kernels.lambdified import Emitted, emit
from symconv.kernels.layout import Layout
from symconv.kernels.padding import Array, Padded, add_unpadded
from symconv.kernels.plan import Call, Plan, Task
from symconv.kernels.tapform import TapForm

if TYPE_CHECKING:
    from symconv.derivations.step import Derivation
    from symconv.operators.base import Operator

__all__ = ["MatrixPlan"]

COLUMN_BYTES = 1 << 20
"""Measured: 1 MiB of columns stay in a second-level cache next to the weights, and are enough for a full product."""


class MatrixEngine(Engine):
    """The programs of the plan "gemm" and the loop over blocks around them.

    In the programs the weight is ``(groups, outputs of a group, K)``, the bias ``(groups, outputs of a group, 1)``.
    """

    def __init__(self, form: TapForm) -> None:
        self.form = form
        self.programs: MatrixPrograms = matrix_programs(form)
        self.kernel = tuple(walk.taps for walk in form.walks)
        self.inner = prod(self.kernel) * (form.channels.per_group_in if form.channels else 1)
        self.outer = form.channels.per_group_out if form.channels else 1
        self.weight, self.bias = form.letter("weight") or "", form.letter("bias")
        self._emitted: dict[str, Emitted] = {}

    def emitted(self, name: str) -> Emitted:
        """The function of one of the programs."""
        if name not in self._emitted:
            self._emitted[name] = emit(getattr(self.programs, name))
        return self._emitted[name]

    @property
    def source(self) -> str:
        return self.emitted("forward").source

    @property
    def gradient_source(self) -> str:
        return "\n\n".join(self.emitted(name).source for name in ("weight_pullback", "pullback"))

    @property
    def stages(self) -> tuple[str, ...]:
        taps, channels = prod(self.kernel), self.form.channels
        return (
            f"the {taps} taps of a block of outputs become the columns of a matrix, at most about 1 MB",
            f"for each of {channels.groups if channels else 1} group(s) a product "
            f"({self.outer} x {self.inner}) @ ({self.inner} x positions)",
        )

    def _parameters(self, given: Given) -> dict[str, Array]:
        """The weight and the bias by their letters."""
        weight = given["weight"]
        found = {self.weight: weight.reshape(*weight.shape[:2], -1)}
        if self.bias is not None:
            bias = given.get("bias")
            found[self.bias] = (np.zeros(weight.shape[:2], weight.dtype) if bias is None else bias)[..., None]
        return found

    # ------------------------------------------------------------------ blocks

    def _cuts(self, x: Array, layout: Layout, itemsize: int) -> Iterator[tuple[slice, list[Block]]]:
        row = x.shape[1] * self.inner * prod(layout.outputs[1:]) * itemsize
        return blocks(x.shape[0], layout, row, COLUMN_BYTES, 1)

    def _columns(self, a: Array, block: Block, work: Workspace) -> tuple[Array, Array]:
        """The buffer of columns of a block, by taps and as a matrix."""
        lead = (*a.shape[:2], a.shape[2])
        columns = work.array("columns", (*lead, *self.kernel, *block.outputs))
        return columns, columns.reshape(*a.shape[:2], self.inner, -1)

    def _taps(self, a: Array, block: Block) -> Array:
        """The tap tensor: for every tap the part of the padded input that it reads, as one view."""
        ndim = len(self.kernel)
        steps = [walk.step for walk in self.form.walks]
        start: tuple[Any, ...] = (..., *(slice(walk.offset(0), None) for walk in self.form.walks))
        first = a[start]  # where a kernel is flipped, tap 0 stands last and the taps go backwards
        strides = a.strides[-ndim:]
        return as_strided(
            first,
            (*a.shape[:-ndim], *self.kernel, *block.outputs),
            (
                *a.strides[:-ndim],
                *(step * stride for step, stride in zip(steps, strides, strict=True)),
                *(walk.stride * stride for walk, stride in zip(self.form.walks, strides, strict=True)),
            ),
            writeable=False,
        )

    def _at(self, y: Array, part: slice, block: Block) -> Array:
        """The part of a matrix of outputs ``(batch, groups, f, P)`` that a block of rows is."""
        width = prod(block.layout.outputs[1:])
        return y[part, :, :, block.rows.start * width : block.rows.stop * width]

    def _flat(self, y: Array, layout: Layout) -> Array:
        return y.reshape(*y.shape[: -len(self.kernel)], prod(layout.outputs))

    def _direct(self, a: Array) -> Array | None:
        """The columns without a copy, for a kernel of one tap that goes over the input step by step."""
        if any(size > 1 for size in self.kernel) or any(walk.stride > 1 for walk in self.form.walks):
            return None
        if not a.flags.c_contiguous and not a[0, 0, 0].flags.c_contiguous:
            return None
        return a.reshape(*a.shape[:3], -1)

    # ------------------------------------------------------------------ calls

    def forward(self, x: Array, layout: Layout, given: Given, dtype: npt.DTypeLike) -> Array:
        y = np.empty((*x.shape[:2], self.outer, *layout.outputs), dtype)
        flat, work, pad = self._flat(y, layout), Workspace(dtype), Padded(layout, 0.0)
        parameters = self._parameters(given)
        for part, cuts in self._cuts(x, layout, y.itemsize):
            padded = pad(x[part], dtype)
            for block in cuts:
                a = padded[block.reads]
                matrix = self._direct(a)
                frame: dict[str, Any] = {**parameters, "c": self._at(flat, part, block), "matrix": matrix}
                if matrix is None:
                    frame["columns"], frame["matrix"] = self._columns(a, block, work)
                    frame["taps"] = self._taps(a, block)
                self._run("forward" if matrix is None else "forward_direct", frame)
        return y

    def _run(self, name: str, frame: dict[str, Any]) -> None:
        emitted = self.emitted(name)
        emitted.function(*[frame[parameter] for parameter in emitted.program.parameters])

    def input_gradient(self, g: Array, x: Array, layout: Layout, given: Given) -> Array:
        flat, work = self._flat(g, layout), Workspace(g.dtype)
        turned = np.swapaxes(self._parameters(given)[self.weight], -1, -2)
        result = np.zeros(x.shape, g.dtype)
        for part, cuts in self._cuts(x, layout, g.dtype.itemsize):
            grad = np.zeros((*x[part].shape[:3], *(axis.length for axis in layout.axes)), g.dtype)
            for block in cuts:
                into = grad[block.reads]
                columns, matrix = self._columns(into, block, work)
                frame: dict[str, Any] = {
                    "g": self._at(flat, part, block),
                    f"{self.weight}_t": turned,
                    "columns": columns,
                    "matrix": matrix,
                    f"grad_{self.form.input}": into,
                }
                extents = {
                    f"e{axis}": walk.stride * (outputs - 1) + 1
                    for axis, (walk, outputs) in enumerate(zip(self.form.walks, block.outputs, strict=True))
                }
                self._run("pullback", {**frame, **extents})
            add_unpadded(grad, layout, result[part])
        return result

    def weight_gradient(self, g: Array, x: Array, layout: Layout, given: Given) -> Array:
        flat, work, pad = self._flat(g, layout), Workspace(g.dtype), Padded(layout, 0.0)
        weight = given["weight"]
        total = np.zeros((1, *self._parameters(given)[self.weight].shape), g.dtype)
        for part, cuts in self._cuts(x, layout, g.dtype.itemsize):
            padded = pad(x[part], g.dtype)
            for block in cuts:
                a = padded[block.reads]
                columns, matrix = self._columns(a, block, work)
                frame: dict[str, Any] = {
                    "g": self._at(flat, part, block),
                    "columns": columns,
                    "matrix_t": np.swapaxes(matrix, -1, -2),
                    "taps": self._taps(a, block),
                    "partial": work.array("partial", (*a.shape[:2], self.outer, self.inner)),
                    f"grad_{self.weight}": total,
                }
                self._run("weight_pullback", frame)
        return total.reshape(weight.shape)


class MatrixPlan(Plan):
    """The taps of a block of outputs laid out as a matrix; sums over channels and taps are a matrix product."""

    name = "gemm"
    error = "as a sum in another order: about 3e-7 relative in float32"

    def refusal(self, form: TapForm, weight: Array | None) -> str | None:
        return None if form.channels is not None else "needs a convolution"

    def cost(self, form: TapForm, call: Call, task: Task) -> Cost | None:
        channels = form.channels
        assert channels is not None
        inner = channels.per_group_in * prod(walk.taps for walk in form.walks)
        entries = call.batch * call.positions
        size = call.dtype.itemsize
        row = channels.groups * inner * prod(call.outputs[1:]) * size
        rows = min(max(1, COLUMN_BYTES // row), call.outputs[0])
        items = max(1, COLUMN_BYTES // (row * rows)) if rows == call.outputs[0] else 1
        blocks = max(1, -(-call.batch // items) * -(-call.outputs[0] // rows))
        width = -(-entries // blocks)
        columns = entries * channels.groups * inner
        shape = (channels.per_group_out, inner, width)
        if task == "input":
            shape = (inner, channels.per_group_out, width)
        elif task == "weight":
            shape = (channels.per_group_out, width, inner)
        seconds = calls(30 + 12 * blocks) + product(*shape, blocks * channels.groups, call.dtype)
        direct = task == "output" and inner == channels.per_group_in and all(w.stride == 1 for w in form.walks)
        if not direct:
            moved = copies(columns, call.dtype, call.outputs[-1])
            seconds += (
                5 * passes(columns, call.dtype) + moved if task == "input" else moved
            )  # added tap by tap: measured
        touched = columns * (0 if direct else 2) + entries * channels.total_out
        touched += 2 * call.batch * channels.total_in * prod(call.sizes)
        return Cost(seconds, columns * channels.per_group_out, touched * size, rows * items * row)

    def engine(self, form: TapForm, weight: Array | None) -> Engine:
        return MatrixEngine(form)

    def derivation(self, op: Operator) -> Derivation:
        from symconv.kernels.plans_conv.matrix_rewrites import im2col_derivation

        return im2col_derivation(op)
