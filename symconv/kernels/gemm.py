"""Running the matrix form of a convolution: blocks of output positions, their taps as the columns of a matrix."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import as_strided

from symconv.kernels.chain import Block, Parameters, Workspace, blocks
from symconv.kernels.contraction import MatrixPrograms, matrix_programs
from symconv.kernels.lambdified import Emitted, emit
from symconv.kernels.layout import Layout
from symconv.kernels.padding import Array, Padded, add_unpadded
from symconv.kernels.tapform import TapForm

__all__ = ["MatrixEngine"]

COLUMN_BYTES = 1 << 20
"""Measured: 1 MiB of columns stay in a second-level cache next to the weights, and are enough for a full product."""


class MatrixEngine:
    """The programs of the plan "gemm" and the loop over blocks around them.

    Inputs are ``(batch, groups, channels of a group, *sizes)``, the weight "b" is ``(groups, outputs of a group, K)``,
    the bias ``(groups, outputs of a group, 1)``.
    """

    def __init__(self, form: TapForm) -> None:
        self.form = form
        self.programs: MatrixPrograms = matrix_programs(form)
        self.kernel = tuple(walk.taps for walk in form.walks)
        self.inner = prod(self.kernel) * (form.channels.per_group_in if form.channels else 1)
        self.outer = form.channels.per_group_out if form.channels else 1
        self.weight = form.letter("weight") or ""
        self._emitted: dict[str, Emitted] = {}

    def emitted(self, name: str) -> Emitted:
        """The function of one of the programs."""
        if name not in self._emitted:
            self._emitted[name] = emit(getattr(self.programs, name))
        return self._emitted[name]

    def forward_programs(self) -> list[Emitted]:
        """The programs of the output, in the order in which they run."""
        return [self.emitted("forward")]

    def pullback_programs(self) -> list[Emitted]:
        """The programs of the gradients, in the order in which they run."""
        return [self.emitted("weight_pullback"), self.emitted("pullback")]

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

    def forward(self, x: Array, layout: Layout, given: Parameters, dtype: npt.DTypeLike) -> Array:
        """The output ``(batch, groups, outputs of a group, *outputs)``."""
        y = np.empty((*x.shape[:2], self.outer, *layout.outputs), dtype)
        flat, work, pad = self._flat(y, layout), Workspace(dtype), Padded(layout, 0.0)
        for part, cuts in self._cuts(x, layout, y.itemsize):
            padded = pad(x[part], dtype)
            for block in cuts:
                a = padded[block.reads]
                matrix = self._direct(a)
                frame: dict[str, Any] = {**given, "c": self._at(flat, part, block), "matrix": matrix}
                if matrix is None:
                    frame["columns"], frame["matrix"] = self._columns(a, block, work)
                    frame["taps"] = self._taps(a, block)
                self._run("forward" if matrix is None else "forward_direct", frame)
        return y

    def _run(self, name: str, frame: dict[str, Any]) -> None:
        emitted = self.emitted(name)
        emitted.function(*[frame[parameter] for parameter in emitted.program.parameters])

    def pull(self, g: Array, x: Array, layout: Layout, given: Parameters) -> tuple[Array, Array | None]:
        """The gradients of the input and of the weights, for the upstream gradient `g` of the output."""
        dtype = g.dtype
        flat, work, pad = self._flat(g, layout), Workspace(dtype), Padded(layout, 0.0)
        b = given[self.weight]
        to_input, to_weight = np.zeros(x.shape, dtype), np.zeros((1, *b.shape), dtype)
        for part, cuts in self._cuts(x, layout, dtype.itemsize):
            padded = pad(x[part], dtype)
            grad = np.zeros(padded.shape, dtype)
            for block in cuts:
                a = padded[block.reads]
                columns, matrix = self._columns(a, block, work)
                frame: dict[str, Any] = {
                    "g": self._at(flat, part, block),
                    f"{self.weight}_t": np.swapaxes(b, -1, -2),
                    "columns": columns,
                    "matrix": matrix,
                    "matrix_t": np.swapaxes(matrix, -1, -2),
                    "taps": self._taps(a, block),
                    "partial": work.array("partial", (*a.shape[:2], self.outer, self.inner)),
                    f"grad_{self.weight}": to_weight,
                    f"grad_{self.form.input}": grad[block.reads],
                }
                extents = {
                    f"e{axis}": walk.stride * (outputs - 1) + 1
                    for axis, (walk, outputs) in enumerate(zip(self.form.walks, block.outputs, strict=True))
                }
                self._run("weight_pullback", frame)
                self._run("pullback", {**frame, **extents})
            add_unpadded(grad, layout, to_input[part])
        return to_input, to_weight[0]

    def push(self, x: Array, tangent: Array, layout: Layout, given: Parameters, dtype: npt.DTypeLike) -> Array:
        """The tangent of the output for a tangent of the input: the output is linear in the input, but for the bias."""
        bias = self.form.letter("bias")
        unbiased = {name: np.zeros_like(value) if name == bias else value for name, value in given.items()}
        return self.forward(tangent, layout, unbiased, dtype)
