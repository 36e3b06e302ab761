"""The plan "halide" of a convolution: a sum over channels and taps in registers, tile by tile."""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from symconv.derivations.step import Derivation
from symconv.formulas.algebra import Access, Plus, Reduce
from symconv.kernels.backends.halide.expression import Expression
from symconv.kernels.backends.halide.script import PipelineText, affine, floor_power, pieces_of, threads_of
from symconv.kernels.backends.halide.wheel import lanes, run
from symconv.kernels.form.tapform import TapForm
from symconv.kernels.plans.chained import taps_derivation
from symconv.kernels.runtime.cost import Estimate
from symconv.kernels.runtime.engine import ConvEngine
from symconv.kernels.runtime.geometry import Line
from symconv.kernels.runtime.padding import Array
from symconv.kernels.runtime.plan import Accuracy, CallShape, Plan, Task

if TYPE_CHECKING:
    from symconv.operators.base import Operator

__all__ = ["CorrelationEngine", "CorrelationPlan"]


RATE, MOVING = 6e10, 5e-11
"""Multiplications, with an addition each, a second; seconds a byte of input and output."""


class Reading(NamedTuple):
    """How a correlation reads an axis, without the sizes: see `Line`; `inside` says that no window leaves the input."""

    taps: int
    stride: int
    step: int
    before: int
    inside: bool

    @classmethod
    def of(cls, line: Line) -> Reading:
        return cls(line.taps, line.stride, line.step, line.before, line.inside)

    def place(self, output: str, tap: str) -> str:
        """The entry that a tap of an output reads."""
        return affine((self.stride, output), (self.step, tap), (-self.before, ""))


class Tile(NamedTuple):
    """The outputs of a tile: vectors along the last axis, of so many lanes; rows; and channels."""

    lanes: int
    vectors: int
    rows: int
    channels: int


def tile_of(dtype: np.dtype[Any], outputs: tuple[int, ...], channels: int) -> Tile:
    """A tile that fits into the outputs, whose sums fit into the registers."""
    wide = lanes(dtype)
    registers = 28 if wide * dtype.itemsize == 64 else 12
    width = floor_power(min(outputs[-1], wide))
    vectors = 2 if outputs[-1] >= 2 * width else 1
    several = max(n for n in range(1, registers // vectors + 1) if channels % n == 0)
    rows = min(8, outputs[-2], registers // (vectors * several)) if len(outputs) > 1 else 1
    return Tile(width, vectors, max(rows, 1), several)


class CorrelationEngine(ConvEngine):
    """Both tasks that the others are reduced to, as Halide pipelines.

    Attributes:
        strict: whether sums are taken in the order of the taps, every product rounded by itself.
    """

    heading = "# run by symconv.kernels.backends.halide.wheel.run"

    def __init__(self, form: TapForm, weight: Array | None, strict: bool) -> None:
        super().__init__(form, weight)
        self.strict = strict

    def correlate(self, x: Array, weight: Array, lines: tuple[Line, ...], out: Array, *, turned: bool = False) -> None:
        if not out.size:
            return
        if all(line == Line(line.outputs, line.outputs, 1, 1, line.step, 0) for line in lines):
            count = prod(out.shape[3:])  # one tap: all positions are one axis
            lines = (Line(count, count, 1, 1, 1, 0),)
            x, weight, out = (a.reshape(*a.shape[:3], -1) for a in (x, weight, out))
        axes = tuple(map(Reading.of, lines))
        tile = tile_of(out.dtype, out.shape[3:], out.shape[2])
        seconds = out.size * prod(weight.shape[2:]) / RATE + (x.nbytes + out.nbytes) * MOVING
        along = tile.rows if len(lines) == 2 else tile.lanes * tile.vectors if len(lines) == 1 else 1
        pieces = pieces_of(self.threads, seconds, {"n": len(x), "g": len(weight), "o0": -(-out.shape[3] // along)})
        text = correlation(self.form, self.strict, out.dtype, axes, *weight.shape[1:3], tile, pieces.loop)
        run(text, (x.astype(out.dtype, copy=False), weight, *pieces.numbers), out)

    def contract(self, x: Array, g: Array, lines: tuple[Line, ...]) -> Array:
        shape = (*g.shape[1:3], x.shape[2], *(line.taps for line in lines))
        if not g.size:
            return np.zeros(shape, g.dtype)
        axes = tuple(map(Reading.of, lines))
        width = lanes(g.dtype)
        seconds = g.size * prod(shape[2:]) / RATE + (x.nbytes + g.nbytes) * MOVING
        few, several = map(_up_to_four, (x.shape[2], g.shape[2]))
        loops = {"g": g.shape[1], "f": g.shape[2] // several, "h": x.shape[2] // few}
        if len(lines) > 1:
            loops["m0"] = lines[0].taps
        pieces = pieces_of(self.threads, seconds, loops)
        text = contraction(self.strict, g.dtype, axes, g.shape[2], x.shape[2], width, pieces.loop)
        return run(text, (x.astype(g.dtype, copy=False), g, *pieces.numbers), np.empty(shape, g.dtype))

    def _nominal(self) -> tuple[tuple[Reading, ...], Tile]:
        channels, dtype = self.form.layer, np.dtype(np.float32)
        axes = tuple(Reading(w.taps, w.stride, abs(w.step), 0, True) for w in self.form.walks)
        return axes, tile_of(dtype, (224,) * len(axes), channels.per_group_out)

    @property
    def source(self) -> str:
        axes, tile = self._nominal()
        channels = self.form.layer
        sizes = channels.per_group_out, channels.per_group_in
        return correlation(self.form, self.strict, np.dtype(np.float32), axes, *sizes, tile, self._nominal_loop("o0"))

    def _nominal_loop(self, loop: str) -> str:
        return loop if self.threads > 1 else ""

    @property
    def gradient_source(self) -> str:
        axes, tile = self._nominal()
        channels = self.form.layer
        turned = tuple(axis._replace(stride=1, before=axis.step * (axis.taps - 1), inside=False) for axis in axes)
        sizes = channels.per_group_in, channels.per_group_out
        dtype = np.dtype(np.float32)
        tile = tile_of(dtype, (224,) * len(axes), sizes[0])
        to_input = correlation(self.form, self.strict, dtype, turned, *sizes, tile, self._nominal_loop("o0"))
        to_weight = contraction(self.strict, dtype, axes, *sizes[::-1], lanes(dtype), self._nominal_loop("f"))
        return f"{to_input}\n\n{to_weight}"

    @property
    def stages(self) -> tuple[str, ...]:
        _, tile = self._nominal()
        held = f"{tile.channels} channels x {tile.rows} rows x {tile.vectors * tile.lanes} entries"
        return (f"recipe: register tile, the sums of {held} at once, float32 on this machine",)


def _spatial(count: int, letter: str) -> list[str]:
    return [f"{letter}{axis}" for axis in range(count)]


@lru_cache(maxsize=256)
def correlation(
    form: TapForm,
    strict: bool,
    dtype: np.dtype[Any],
    axes: tuple[Reading, ...],
    outputs: int,
    inputs: int,
    tile: Tile,
    cut: str = "",
) -> str:
    """The text of a correlation.

    It is ``output[n, g, f, o] = sum over channels and taps of x[n, g, h, s*o + d*m - before] * w[g, f, h, m]``.

    Args:
        form: the tap form, whose sum is printed.
        strict: whether its order is kept.
        dtype: the type that is computed in.
        axes: how the axes are read.
        outputs, inputs: the channels of a group.
        tile: the tile.
        cut: the loop whose pieces threads take.
    """
    ndim = len(axes)
    places, lead = _spatial(ndim, "o")[::-1], ["f", "g", "n"]
    taps = [f"r[{ndim - 1 - axis}]" for axis in range(ndim)]
    script = PipelineText(f"a correlation of {ndim} axes", dtype, strict)
    script.variables(*places, *lead)
    script.image("x", ndim + 3)
    script.image("w", ndim + 3)
    padded = not all(axis.inside for axis in axes)
    staged = padded or outputs > tile.channels  # rows that several tiles read lie together, channel by channel
    if padded:
        script.exterior("entry", "x", "hl.cast(T, 0)", [*[True] * ndim, *[False] * 3])
    elif staged:
        whole = ", ".join([*places, "h", "g", "n"])
        script('h, entry = hl.Var("h"), hl.Func("entry")', f"entry[{whole}] = x[{whole}]")
    entries = [axis.place(f"o{k}", taps[k]) for k, axis in enumerate(axes)][::-1]
    channel = f"r[{ndim}]"

    def read(node: Access) -> str:
        if node.tensor == form.input:
            return f"{'entry' if staged else 'x'}[{', '.join([*entries, channel, 'g', 'n'])}]"
        return f"w[{', '.join([*taps[::-1], channel, 'f', 'g'])}]"

    total = next(n for n in (form.body.args if isinstance(form.body, Plus) else (form.body,)) if isinstance(n, Reduce))
    body = Expression(read, lambda node: "").visit(total.body)
    ranges = ", ".join(f"(0, {extent})" for extent in (*(axis.taps for axis in axes[::-1]), inputs))
    here = ", ".join([*places, *lead])
    script(
        f'r = hl.RDom([{ranges}], "r")',
        'total, output = hl.Func("total"), hl.Func("output")',
        f"total[{here}] = hl.cast(T, 0)",
        f"total[{here}] += {body}",
        f"output[{here}] = total[{here}]",
    )
    _tiled(script, tile, places, outputs)
    script.cut(cut)
    taps_first = [f"r[{k}]" for k in range(ndim + 1)]
    if not strict and ndim > 1:  # down a column of taps first: a row that is loaded serves all rows of the tile
        taps_first[0], taps_first[1] = taps_first[1], taps_first[0]
    unrolled = f".unroll({taps_first[0]})" if tile.rows > 1 and axes[-2].taps <= 11 and not strict else ""
    inner = [places[0], *places[1:2], "f"]
    script(
        f"total.compute_at(output, {places[0] if ndim > 1 else 'f'})"
        + f".vectorize({places[0]}, {tile.lanes})"
        + "".join(f".unroll({v})" for v in inner),
        f"total.update().reorder({', '.join([*inner, *taps_first])})"
        + f".vectorize({places[0]}, {tile.lanes})"
        + "".join(f".unroll({v})" for v in inner)
        + unrolled,
    )
    if staged:
        kept = "t" if cut == "o0" else "g"
        at = (
            f"store_at(output, {kept}).compute_at(output, {places[1]})"
            if ndim > 1
            else f"compute_at(output, {places[0]})"
        )
        tail = "RoundUp" if padded else "ShiftInwards"  # beyond the padding nothing is read, and a copy must not
        script(f"entry.{at}.vectorize(entry.args()[0], {tile.lanes}, hl.TailStrategy.{tail})")
    return script.text()


def _tiled(script: PipelineText, tile: Tile, places: list[str], outputs: int) -> None:
    """The output tile by tile; a tile that would leave it starts earlier."""
    script(
        'i, j, k = hl.Var("i"), hl.Var("j"), hl.Var("k")',
        f"output.bound(f, 0, {outputs}).split(f, f, k, {tile.channels})",
        f"output.split({places[0]}, {places[0]}, i, {tile.lanes * tile.vectors}, hl.TailStrategy.ShiftInwards)",
    )
    inner = ["i", "k"]
    if tile.rows > 1:
        script(f"output.split({places[1]}, {places[1]}, j, {tile.rows}, hl.TailStrategy.ShiftInwards)")
        inner.insert(1, "j")
    # the channels of a row, or of a piece of a line, one after the other: what they read is then at hand
    rest = [places[0], "f", *places[1:]] if len(places) > 1 else ["f", places[0]]
    script(
        f"output.reorder({', '.join([*inner, *rest, 'g', 'n'])}).vectorize(i, {tile.lanes})"
        + "".join(f".unroll({v})" for v in inner)
    )


@lru_cache(maxsize=256)
def contraction(
    strict: bool, dtype: np.dtype[Any], axes: tuple[Reading, ...], outputs: int, inputs: int, width: int, cut: str = ""
) -> str:
    """The text of the gradient of a weight.

    It is ``output[g, f, h, m] = sum over items and o of g[n, g, f, o] * x[n, g, h, s*o + d*m - before]``.

    The sum runs in `width` lanes along the last axis, which are added up at the end.
    """
    ndim = len(axes)
    taps = _spatial(ndim, "m")[::-1]
    script = PipelineText(f"the gradient of the weight, {ndim} axes", dtype, strict)
    script.variables(*taps, "h", "f", "g", "v")
    script.image("x", ndim + 3)
    script.image("upstream", ndim + 3)
    for name, source in (("entry", "x"), ("flow", "upstream")):
        script.exterior(name, source, "hl.cast(T, 0)", [*[True] * ndim, *[False] * 3])
    at = [f"({width} * r[0] + v)", *(f"r[{dim}]" for dim in range(1, ndim))]
    entries = [axis.place(at[ndim - 1 - k], f"m{k}") for k, axis in enumerate(axes)][::-1]
    item, here = f"r[{ndim}]", ", ".join([*taps, "h", "f", "g"])
    product = f"flow[{', '.join([*at, 'f', 'g', item])}] * entry[{', '.join([*entries, 'h', 'g', item])}]"
    rest = "".join(f", (0, upstream.dim({dim}).extent())" for dim in (*range(1, ndim), ndim + 2))
    script(
        "length = upstream.dim(0).extent()",
        f'r = hl.RDom([(0, (length + {width - 1}) / {width}){rest}], "r")',
        f'lane = hl.RDom([(0, {width})], "lane")',
        'part, total, output = hl.Func("part"), hl.Func("total"), hl.Func("output")',
        f"part[v, {here}] = hl.cast(T, 0)",
        # beyond the end of a row, where the upstream gradient is 0, an entry may be infinite
        f"part[v, {here}] += hl.select(hl.likely({at[0]} < length), {product}, hl.cast(T, 0))",
        f"total[{here}] = hl.cast(T, 0)",
        f"total[{here}] += part[lane, {here}]",
        f"output[{here}] = total[{here}]",
    )
    few, several = _up_to_four(inputs), _up_to_four(outputs)
    order = ", ".join(f"r[{dim}]" for dim in range(ndim + 1))
    held, inner, loops = ["h", "f"], ["j", "k"], [*taps, "h", "f", "g"]
    if few * several <= 4 and axes[-1].taps <= 7:  # so few sums would wait for each other
        held, inner, loops = [taps[0], *held], [taps[0], *inner], loops[1:]
    unrolled = "".join(f".unroll({name})" for name in held)
    script(
        'j, k = hl.Var("j"), hl.Var("k")',
        f"output.bound(f, 0, {outputs}).bound(h, 0, {inputs}).split(f, f, k, {several}).split(h, h, j, {few})",
        f"output.bound({taps[0]}, 0, {axes[-1].taps}).reorder({', '.join([*inner, *loops])})",
    )
    script.cut(cut)
    script(
        f"total.compute_at(output, {loops[0]})",
        f"part.compute_at(output, {loops[0]}).bound(v, 0, {width}).vectorize(v){unrolled}",
        f"part.update().reorder(v, {', '.join(held)}, {order}).vectorize(v){unrolled}",
        *(
            f"{name}.{'compute_at(output, t)' if cut in own else 'compute_root()'}.vectorize({name}.args()[0], {width})"
            for name, own in (("entry", ("g", "h")), ("flow", ("g", "f")))  # by the threads whose own they are
        ),
    )
    return script.text()


def _up_to_four(count: int) -> int:
    """The channels that are held in registers: the largest divisor up to four."""
    return max(n for n in range(1, 5) if count % n == 0)


class CorrelationPlan(Plan):
    """A convolution as a Halide pipeline.

    Args:
        name: "tiles", or "taps" for sums in the order of the taps.
    """

    def __init__(self, name: str) -> None:
        self.name = name  # type: ignore[misc]
        if name == "taps":
            self.accuracy = "exact_order"  # type: ignore[misc]
            self.error = "as the plain sum, taps in order, one input channel after the other"  # type: ignore[misc]

    accuracy: ClassVar[Accuracy] = "default"
    error = "as a sum in any order, products added without being rounded"
    direct = True

    def refusal(self, form: TapForm, weight: Array | None) -> str | None:
        return None

    def cost(self, form: TapForm, call: CallShape, task: Task) -> Estimate | None:
        channels = form.layer
        taps = prod(walk.taps for walk in form.walks) * channels.per_group_in
        operations = call.batch * channels.total_out * call.positions * taps
        size = call.dtype.itemsize
        moved = call.batch * (channels.total_in * prod(call.sizes) + channels.total_out * call.positions) * size
        rate = RATE if self.name == "tiles" else RATE / 2
        width = lanes(call.dtype)
        filled = min(width, floor_power(call.outputs[-1])) / (16 if call.dtype.kind == "f" else 32)
        seconds = operations / (rate * filled) + moved * MOVING
        return Estimate(4e-6 + seconds / threads_of(call.threads, seconds), operations, moved, moved)

    def engine(self, form: TapForm, weight: Array | None) -> CorrelationEngine:
        return CorrelationEngine(form, weight, self.name == "taps")

    def rewrites(self, op: Operator) -> Derivation:
        return taps_derivation(op)
