"""The plans "winograd" and "winograd_f2": minimal filtering F(4, 3) and F(2, 3) along every axis."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from symconv.kernels.arrays import columns
from symconv.kernels.arrays.minimal_filtering import (
    Transforms,
    add_channels,
    filter_tiles,
    filter_weight,
    multiply_channels,
    parts,
    transform_products,
    transform_tiles,
    transform_upstream,
    transforms,
)
from symconv.kernels.form.tapform import TapForm
from symconv.kernels.runtime.cost import Estimate, calls, copies, passes, product
from symconv.kernels.runtime.engine import ConvEngine, source_of
from symconv.kernels.runtime.geometry import Line, adjoint_lines, lines_of
from symconv.kernels.runtime.padding import Array
from symconv.kernels.runtime.plan import Accuracy, CallShape, Plan, Task

if TYPE_CHECKING:
    from symconv.derivations.step import Derivation
    from symconv.operators.base import Operator

__all__ = ["AccurateWinogradPlan", "WinogradPlan"]

TAPS = 3
AXES = 2

BATCHED = 0.85
"""Measured: what many products in one call take of the time that is estimated for them one by one."""

CACHED_BYTES = 4 << 20
"""A transformed weight up to this size stays in the cache from its transform to its use."""


class WinogradEngine(ConvEngine):
    """Minimal filtering for the output, for the gradient of the input with the kernel turned, and for the weight.

    The transforms multiply what an output does not read by 0, which is no zero for an infinity or a NaN: where a result
    is not finite, it is computed again from its columns, so that only the outputs that read such an entry show it.
    """

    def __init__(self, form: TapForm, weight: Array | None, m: int) -> None:
        super().__init__(form, weight)
        self.m = m
        self._kernels: dict[Any, Array] = {}

    def _transforms(self, lines: tuple[Line, ...], dtype: np.dtype[Any]) -> Transforms:
        return transforms((self.m,) * len(lines), tuple(line.taps for line in lines), dtype.str)

    def correlate(self, x: Array, weight: Array, lines: tuple[Line, ...], out: Array, *, turned: bool = False) -> None:
        t = self._transforms(lines, out.dtype)

        def transformed(given: Array) -> Array:
            kernel: Array = np.matmul(t.kernel, given.reshape(-1, t.kernel.shape[1]).T)
            return kernel.reshape(t.products, *given.shape[:3])

        kernel: Array = self.kept(self._kernels, (turned, out.dtype.str), weight, transformed)
        if not filter_tiles(x, kernel, lines, t, out):
            columns.correlate(x, weight, lines, out)

    def contract(self, x: Array, g: Array, lines: tuple[Line, ...]) -> Array:
        t = self._transforms(lines, g.dtype)
        total = filter_weight(x, g, lines, t)
        weight: Array = np.matmul(total.reshape(t.products, -1).T, t.kernel)
        if not np.isfinite(weight.sum()):
            return columns.contract(x, g, lines)
        return weight.reshape(*total.shape[1:], *(line.taps for line in lines))

    @property
    def source(self) -> str:
        return source_of(transform_tiles, multiply_channels, transform_products)

    @property
    def gradient_source(self) -> str:
        return source_of(transform_tiles, multiply_channels, transform_products, transform_upstream, add_channels)

    @property
    def stages(self) -> tuple[str, ...]:
        axes = len(self.form.walks)
        q = (self.m + TAPS - 1) ** axes
        channels = self.form.channels
        assert channels is not None
        return (
            f"tiles of {self.m + TAPS - 1} inputs an axis, transformed by a product ({q} x {q}) @ ({q} x tiles)",
            f"for each of {q} entries and {channels.groups} group(s) a product ({channels.per_group_out} x "
            f"{channels.per_group_in}) @ ({channels.per_group_in} x tiles): {q} products a tile, where direct sums "
            f"take {(self.m * TAPS) ** axes}",
            f"the outputs of a tile, {self.m} along every axis, a product with a ({self.m**axes} x {q}) matrix",
        )


class WinogradPlan(Plan):
    """F(4, 3) along every axis: 36 products a tile where direct sums take 144, and one to two digits lost."""

    name = "winograd"
    accuracy: ClassVar[Accuracy] = "fast"
    integers = False
    error = "about 5e-6 of the largest output in float32, ten times that of direct sums"
    m: ClassVar[int] = 4

    def refusal(self, form: TapForm, weight: Array | None) -> str | None:
        if len(form.walks) > AXES:
            return "needs a convolution along one or two axes"
        if any(walk.taps != TAPS for walk in form.walks):
            return "needs three taps along every axis"
        if any(walk.stride != 1 or abs(walk.step) != 1 for walk in form.walks):
            return "needs stride 1 and dilation 1"
        return None

    def cost(self, form: TapForm, call: CallShape, task: Task) -> Estimate | None:
        channels = form.channels
        assert channels is not None
        lines = lines_of(call.layout)
        shape = (channels.groups, channels.per_group_out, channels.per_group_in)
        if task == "input":
            return _cost(call, adjoint_lines(lines), (shape[0], shape[2], shape[1]), self.m, "output")
        return _cost(call, lines, shape, self.m, task)

    def engine(self, form: TapForm, weight: Array | None) -> WinogradEngine:
        return WinogradEngine(form, weight, self.m)

    def rewrites(self, op: Operator) -> Derivation:
        from symconv.kernels.plans.matrix_rewrites import winograd_derivation

        return winograd_derivation(op, self.m)


class AccurateWinogradPlan(WinogradPlan):
    """F(2, 3) along every axis: 16 products a tile where direct sums take 36, and no digit lost.

    Every entry of a tile that takes part in an output is read by it, and the transforms hold no number but 0, 1, -1 and
    (of the kernel) 1/2 and 1/4.
    """

    name = "winograd_f2"
    accuracy: ClassVar[Accuracy] = "default"
    error = "near that of direct sums, in proportion to the largest output"
    m: ClassVar[int] = 2


def _cost(call: CallShape, lines: tuple[Line, ...], shape: tuple[int, int, int], m: int, task: Task) -> Estimate:
    groups, f, channels = shape
    size = call.dtype.itemsize
    q, taps, outputs = (m + TAPS - 1) ** len(lines), TAPS ** len(lines), m ** len(lines)
    tiles = call.batch * prod(-(-line.outputs // m) for line in lines)
    together, height = parts(call.batch, lines, shape, (m,) * len(lines), size)
    count = -(-call.batch // together) * -(-lines[0].outputs // (m * height))
    each = -(-tiles // count)
    inside, outside = tiles * groups * channels, tiles * groups * f
    read = call.batch * groups * channels * prod(line.size for line in lines)
    kernel = groups * f * channels
    kept = q * kernel * size <= CACHED_BYTES
    seconds = calls(30 + 40 * count) + copies(read, call.dtype, 12) + copies(q * inside, call.dtype, groups * channels)
    seconds += product(q, q, -(-inside // count), count, call.dtype)
    seconds += product(q, taps, kernel, 1, call.dtype) + passes(q * kernel, call.dtype, kept)
    seconds += product(outputs, q, -(-outside // count), count, call.dtype) + copies(outputs * outside, call.dtype, 16)
    if task == "output":
        seconds += BATCHED * product(f, channels, each, count * q * groups, call.dtype)
    else:
        seconds += BATCHED * product(f, each, channels, count * q * groups, call.dtype)
        seconds += passes(count * q * kernel, call.dtype, kept)
    multiplied = q * (tiles * kernel + q * inside + outputs * outside + taps * kernel)
    scratch = (2 * q * inside + (q + outputs) * outside) // count
    moved = 2 * read + 4 * q * inside + (2 * q + 3 * outputs) * outside
    return Estimate(seconds, multiplied, moved * size, (scratch + q * kernel) * size)
