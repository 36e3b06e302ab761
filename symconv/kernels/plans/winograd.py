"""The plans "winograd" and "winograd_f2": minimal filtering F(4, 3) and F(2, 3) along every axis."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from symconv.derivations.step import Derivation, Stage, Step
from symconv.derivations.winograd.nested import Nested
from symconv.derivations.winograd.toom_cook import cook_toom
from symconv.formulas.algebra import Access, Bound, Node, product, summation
from symconv.formulas.formula import Formula
from symconv.formulas.index import Index
from symconv.formulas.quantity import Quantity, Tensor
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
from symconv.kernels.plans.rewriting import EVERYWHERE, LayerFormula
from symconv.kernels.runtime.cost import Estimate, calls, copies, matrix_products, passes
from symconv.kernels.runtime.engine import ConvEngine, source_of
from symconv.kernels.runtime.geometry import Line, adjoint_lines, lines_of
from symconv.kernels.runtime.padding import Array
from symconv.kernels.runtime.plan import Accuracy, CallShape, Plan, Task

if TYPE_CHECKING:
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
        channels = self.form.layer
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
    error = "in proportion to the largest output, with one to two digits lost to the transforms"
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
        channels = form.layer
        lines = lines_of(call.layout)
        shape = (channels.groups, channels.per_group_out, channels.per_group_in)
        if task == "input":
            return _cost(call, adjoint_lines(lines), (shape[0], shape[2], shape[1]), self.m, "output")
        return _cost(call, lines, shape, self.m, task)

    def engine(self, form: TapForm, weight: Array | None) -> WinogradEngine:
        return WinogradEngine(form, weight, self.m)

    def rewrites(self, op: Operator) -> Derivation:
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
    seconds += matrix_products(q, q, -(-inside // count), count, call.dtype)
    seconds += matrix_products(q, taps, kernel, 1, call.dtype) + passes(q * kernel, call.dtype, kept)
    seconds += matrix_products(outputs, q, -(-outside // count), count, call.dtype) + copies(
        outputs * outside, call.dtype, 16
    )
    if task == "output":
        seconds += BATCHED * matrix_products(f, channels, each, count * q * groups, call.dtype)
    else:
        seconds += BATCHED * matrix_products(f, each, channels, count * q * groups, call.dtype)
        seconds += passes(count * q * kernel, call.dtype, kept)
    multiplied = q * (tiles * kernel + q * inside + outputs * outside + taps * kernel)
    scratch = (2 * q * inside + (q + outputs) * outside) // count
    moved = 2 * read + 4 * q * inside + (2 * q + 3 * outputs) * outside
    return Estimate(seconds, multiplied, moved * size, (scratch + q * kernel) * size)


# ---------------------------------------------------------------------- the rewrite


def winograd_derivation(op: Operator, m: int) -> Derivation:
    """The output in tiles of m along every axis, the sum over taps by minimal filtering, and its transpose."""
    from symconv.derivations.winograd.checks import nests
    from symconv.derivations.winograd.derivation import derivation as minimal_filtering

    layer = LayerFormula(op)
    algorithm = Nested(tuple(cook_toom(m, walk.taps) for walk in layer.form.walks))
    tiled, laid, held = layer.tiled((Index.of(m),) * len(layer.places))
    direct, filtered = _one_tile(algorithm)
    by_channel, by_product = _by_channels()
    form, transposed = _trilinear()
    inner = minimal_filtering(algorithm)
    cut = Step(
        "T1",
        tiled,
        laid,
        "recognise",
        "Cut",
        (f"the outputs into tiles of {m} along every axis, and read the inputs of a tile as entries of X.",),
        opens=True,
    )
    filter_ = Step(
        "T2",
        direct,
        filtered,
        "nest",
        "Filter",
        (f"one tile and one channel by {algorithm.name}; A, G and B are its three matrices.",),
        uses=("T1", inner.steps[-1].id),
        opens=True,
        check=lambda: nests(algorithm),
    )
    exchange = Step(
        "T3",
        by_channel,
        by_product,
        "transpose",
        "Exchange",
        (
            "the sums, u and v being the transforms of kernel and tile: for every q what stands inside is a product "
            "of matrices.",
        ),
        uses=("T2",),
        opens=True,
    )
    backwards = Step(
        "T4",
        form,
        transposed,
        "transpose",
        "Exchange",
        ("the sums over products and tiles: what stands beside u is the gradient of the transformed kernel.",),
        uses=("T3",),
        opens=True,
    )
    stages = (
        Stage(("Tiles",), EVERYWHERE, (cut,)),
        *inner.stages,
        Stage(("Channels",), ("for every tile x of every channel h, and every output channel f",), (filter_, exchange)),
        Stage(("The gradient of the kernel",), ("for every number of tiles t",), (backwards,)),
    )
    return Derivation(
        f"A convolution by {algorithm.name}",
        ("Outputs are computed a tile at a time, with fewer products than taps; the rest are additions.",),
        inner.hypotheses,
        (held, *inner.definitions),
        stages,
    )


def _box(*extents: Index | int | str) -> tuple[tuple[Index, Index], ...]:
    return tuple((Index.of(0), Index.of(extent) - 1) for extent in extents)


def _range(name: str, extent: Index | int | str) -> Bound:
    return Bound(name, Index.of(0), Index.of(extent) - 1)


def _one_tile(algorithm: Nested) -> tuple[Formula, Formula]:
    """The outputs of a tile: as they are defined, and filtered channel by channel."""
    from symconv.derivations.winograd.derivation import axis_numbers

    numbers = [str(axis) for axis in range(1, len(algorithm.axes) + 1)]
    i, k, j, q = ([Index.of(letter + n) for n in numbers] for letter in "ikjq")
    f, h = Index.of("f"), Index.of("h")
    kernel = Access("b", (f, h, *k))
    channels = _range("h", Index.of("H"))
    taps = [_range(f"k{n}", r) for n, r in zip(numbers, algorithm.taps, strict=True)]
    entries = [_range(f"j{n}", a) for n, a in zip(numbers, algorithm.inputs, strict=True)]
    products = [_range(f"q{n}", a) for n, a in zip(numbers, algorithm.inputs, strict=True)]
    marks = axis_numbers(algorithm)

    def factors(letter: str, rows: list[Index], columns: list[Index]) -> Node:
        names = [letter + mark for mark in marks]
        return product(*(Access(name, (r, c)) for name, r, c in zip(names, rows, columns, strict=True)))

    outer = factors("A", i, q)
    by_kernel = summation(product(factors("G", q, k), kernel), *taps)
    by_tile = summation(product(factors("B", q, j), Access("x", (h, *j))), *entries)
    read = Access("x", (h, *(a + b for a, b in zip(i, k, strict=True))))
    tensors = [
        Tensor("b", "weight", _box("F", "H", *algorithm.taps)),
        Tensor("x", "input", _box("H", *algorithm.inputs)),
    ]
    for mark, axis in dict(zip(marks, algorithm.axes, strict=True)).items():
        tensors += [
            Tensor("A" + mark, "weight", _box(axis.m, axis.size)),
            Tensor("G" + mark, "weight", _box(axis.size, axis.r)),
            Tensor("B" + mark, "weight", _box(axis.size, axis.size)),
        ]
    free = (_range("f", "F"), *(_range(f"i{n}", m) for n, m in zip(numbers, algorithm.outputs, strict=True)))
    quantity = Quantity("entry", ("y", tuple(bound.name for bound in free)))
    body = summation(product(kernel, read), channels, *taps)
    direct = Formula(quantity, free, body, tuple(tensors), lower=(("F", 1), ("H", 1)))
    filtered = direct.with_body(summation(summation(product(outer, by_kernel, by_tile), *products), channels))
    return direct, filtered


def _by_channels() -> tuple[Formula, Formula]:
    """The same with transformed kernels u and tiles v, q numbered row-major: summed over channels last, and first."""
    i, q, f, h, t = map(Index.of, "iqfht")
    products, channels = _range("q", "Q"), _range("h", "H")
    matrix, u, v = Access("A", (i, q)), Access("u", (q, f, h)), Access("v", (q, h, t))
    free = (_range("f", "F"), _range("t", "T"), _range("i", "M"))
    tensors = (
        Tensor("A", "weight", _box("M", "Q")),
        Tensor("u", "weight", _box("Q", "F", "H")),
        Tensor("v", "input", _box("Q", "H", "T")),
    )
    outside = summation(summation(product(matrix, u, v), products), channels)
    quantity = Quantity("entry", ("y", tuple(bound.name for bound in free)))
    before = Formula(quantity, free, outside, tensors, lower=tuple((name, 1) for name in "FHMQT"))
    return before, before.with_body(summation(product(matrix, summation(product(u, v), channels)), products))


def _trilinear() -> tuple[Formula, Formula]:
    """The error as a form in the transformed kernel u, the transformed tiles v and the upstream gradient g."""
    i, q, t = map(Index.of, "iqt")
    places, products, tiles = _range("i", "M"), _range("q", "Q"), _range("t", "T")
    matrix, upstream = Access("A", (i, q)), Access("g", (t, i))
    u, v = Access("u", (q,)), Access("v", (q, t))
    forwards = summation(product(upstream, summation(product(matrix, u, v), products)), tiles, places)
    back = summation(product(matrix, upstream), places)
    tensors = (
        Tensor("A", "weight", _box("M", "Q")),
        Tensor("g", "upstream", _box("T", "M")),
        Tensor("u", "weight", _box("Q")),
        Tensor("v", "input", _box("Q", "T")),
    )
    form = Formula(Quantity("entry", ("s", ())), (), forwards, tensors, lower=tuple((name, 1) for name in "MQT"))
    return form, form.with_body(summation(product(u, summation(product(back, v), tiles)), products))
