"""Running a chain of stages over an input, block by block, so that what a block touches stays in the cache."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.formulas.algebra import Absolute, Access, Constant, walk
from symconv.kernels.layout import Layout
from symconv.kernels.padding import Array, Padded, unpadded
from symconv.kernels.stages.blocks import KEPT, Block, Parameters, Sweep, Workspace, blocks
from symconv.kernels.stages.derivative import (
    balanced,
    forward,
    mirrored,
    partial,
    pullback,
    pushforward,
    root_of,
    scaled,
    weight_pullback,
)
from symconv.kernels.stages.lambdified import Emitted, emit
from symconv.kernels.stages.program import Program
from symconv.kernels.stages.stage import Chain, Stage
from symconv.kernels.stages.winners import FirstMaximum

__all__ = ["Block", "ChainEngine", "Parameters", "Workspace", "blocks"]

BLOCK_BYTES = 1 << 20
"""Measured: with less the calls take longer than the arithmetic, with more a block and its scratch leave the cache."""


class ChainEngine:
    """The programs of a chain of stages, emitted when they are first needed, and the loop over blocks around them."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.root = root_of(chain.whole)
        reduce = chain.whole.reduction
        self.maximum = reduce is not None and reduce.op == "max" and self.root is None
        absent = self.maximum and reduce is not None and isinstance(reduce.body, Access)
        self.fill = -np.inf if absent else 0.0  # what never wins: nothing is below -infinity, and no |x| below 0
        self.nonlinear = self.maximum or any(isinstance(n, Absolute) for n in walk(chain.whole.body))
        self.first = FirstMaximum(chain, self.fill) if self.maximum else None
        found = {id(stage): mirrored(stage) for stage in chain.backward}
        self._mirrors = {key: mirror for key, mirror in found.items() if mirror is not None}
        self._emitted: dict[tuple[Any, ...], Emitted] = {}
        self._known_cuts: dict[tuple[Any, ...], list[tuple[slice, list[Block]]]] = {}
        self._known_frames: dict[tuple[Any, ...], dict[tuple[Any, ...], Mapping[str, Any]]] = {}

    # ------------------------------------------------------------------ programs

    def emitted(self, kind: Callable[..., Program], stage: Stage, *options: Any) -> Emitted:
        """The function of a program of a stage."""
        key = (kind.__name__, id(stage), options)
        if key not in self._emitted:
            self._emitted[key] = emit(kind(stage, *options))
        return self._emitted[key]

    def forward_programs(self) -> list[Emitted]:
        """The programs of the output, in the order in which they run."""
        return [self.emitted(forward, stage) for stage in self.chain.forward]

    def pullback_programs(self) -> list[Emitted]:
        """The programs of the gradients, in the order in which they run where nothing is out of the ordinary."""
        if self._one_winner:
            assert self.first is not None
            return self.first.pullback_programs()
        stages = self.chain.backward
        programs = []
        for number in reversed(range(len(stages))):
            stage = stages[number]
            if id(stage) in self._mirrors:
                programs.append(self._derived(scaled, stages, number, True))
                programs.append(self.emitted(forward, self._mirrors[id(stage)]))
            else:
                fresh = all(stage.walks[axis].apart for axis in stage.axes)
                programs.append(self._derived(pullback, stages, number, False, fresh, True))
        if self.chain.whole.weight is not None:
            programs.append(self.emitted(weight_pullback, self.chain.whole))
        return programs

    def _derived(self, kind: Callable[..., Program], stages: Sequence[Stage], number: int, *options: Any) -> Emitted:
        """A program of the gradient of a stage; what the stages multiply by, the last one does for all of them."""
        key = (kind.__name__, tuple(id(stage) for stage in stages), number, options)
        if key not in self._emitted:
            coefficients = [partial(stage, stage.source).coefficient for stage in stages]
            scale = prod(coefficients, start=Fraction(1)) if number == len(stages) - 1 else Fraction(1)
            self._emitted[key] = emit(kind(stages[number], *options, scale))
        return self._emitted[key]

    @property
    def _one_winner(self) -> bool:
        return self.maximum and self.chain.whole.ties != "split"

    # ------------------------------------------------------------------ one block

    def _values(
        self,
        sweep: Sweep,
        stages: Sequence[Stage],
        a: Array,
        block: Block,
        out: Array | None = None,
        key: str = "value",
    ) -> list[Array]:
        programs = [self.emitted(forward, stage) for stage in stages]
        return sweep.values_of(stages, programs, a, block, out, key)

    def _kept(
        self, sweep: Sweep, stages: Sequence[Stage], a: Array, block: Block, bits: float, out: Array | None = None
    ) -> tuple[Sequence[Stage], list[Array], int]:
        """The outputs of stages that nothing has overflowed or underflowed in, the stages, and an exponent.

        The last output is the wanted one divided by 2 to the exponent. Powers are taken of the entries as they are; if
        they may leave their range, of the entries over a power of two that all of the block can share; if that does
        not do, of each window's entries over the largest of them.

        Args:
            bits: by how many binary digits sums of powers may be away from 1; 0 for no sums of powers of entries.
        """
        values = self._values(sweep, stages, a, block, out)
        if self.root is None or (bits > 0 and self._trusted(sweep, values[-1], a, block, bits)):
            return stages, values, 0
        exponent = _shared_exponent(a)
        if exponent:
            a = np.ldexp(a, -exponent, out=sweep.array("scaled", a.shape))
            values = self._values(sweep, stages, a, block, out)
            if bits > 0 and self._trusted(sweep, values[-1], a, block, bits):
                return stages, values, exponent
        whole, y = self.chain.whole, values[-1]
        frame = sweep.frame(whole, block, a.shape)
        sweep.run(self.emitted(balanced, whole), frame, {whole.source: a, "c": y})
        return (whole,), [a, y], exponent

    def _trusted(self, sweep: Sweep, y: Array, a: Array, block: Block, bits: float) -> bool:
        """True where all sums of powers are within the range, or 0 because all their terms are."""
        assert self.root is not None
        assert isinstance(self.root.exponent, Constant)
        least = 2.0 ** (-bits * float(self.root.exponent.value))
        if not y.max() <= 1 / least:
            return False
        if y.min() >= least:
            return True
        if len(self.chain.forward) == 1:
            return False
        counted = [stage for stage in self.chain.forward if stage.axes]
        counts = self._values(sweep, counted, (a != 0).astype(y.dtype), block, key="count")[-1]
        return not counts[y < least].any()

    # ------------------------------------------------------------------ calls

    def _cuts(self, x: Array, layout: Layout, itemsize: int) -> list[tuple[slice, list[Block]]]:
        lead = x.shape[: -len(layout.axes)]
        key = (layout.sizes, lead, itemsize, BLOCK_BYTES)
        found = self._known_cuts.get(key)
        if found is None:
            inner = prod(lead[1:]) * prod(axis.length for axis in layout.axes[1:])
            first = layout.axes[0].walk
            halo = first.reach // first.stride  # rows that neighbouring blocks both go over along the other axes
            row = inner * itemsize * first.stride
            if len(self._known_cuts) >= KEPT:
                self._known_cuts.clear()
            found = self._known_cuts[key] = list(blocks(lead[0], layout, row, BLOCK_BYTES, max(1, 2 * halo)))
        return found

    def _sweep(self, layout: Layout, given: Parameters, dtype: npt.DTypeLike) -> Sweep:
        if given:
            return Sweep(layout, given, dtype)
        if len(self._known_frames) >= KEPT:
            self._known_frames.clear()
        return Sweep(layout, given, dtype, self._known_frames.setdefault((layout.sizes, np.dtype(dtype)), {}))

    def _filling(self, dtype: npt.DTypeLike) -> Any:
        if np.dtype(dtype).kind in "iu":
            return np.iinfo(dtype).min if self.fill else 0
        return self.fill

    def forward(self, x: Array, layout: Layout, given: Parameters, dtype: npt.DTypeLike) -> Array:
        """The output ``(batch, ..., *outputs)`` of an input ``(batch, ..., *sizes)``."""
        y = np.empty((*x.shape[: -len(layout.axes)], *layout.outputs), dtype)
        sweep, pad = self._sweep(layout, given, dtype), Padded(layout, self._filling(dtype))
        # terms that are lost are below half a unit in the last place of a sum that is not: half the range will do
        bits = 0.0 if self.root is None else np.finfo(dtype).maxexp / 2
        for part, cuts in self._cuts(x, layout, y.itemsize):
            padded = pad(x[part], dtype)
            for block in cuts:
                out = y[part][block.writes]
                _, _, exponent = self._kept(sweep, self.chain.forward, padded[block.reads], block, bits, out)
                if exponent:
                    np.ldexp(out, exponent, out=out)
        return y

    def pull(self, g: Array, x: Array, layout: Layout, given: Parameters) -> tuple[Array, Array | None]:
        """The gradients of the input and of the weights, for the upstream gradient `g` of the output."""
        dtype, whole = g.dtype, self.chain.whole
        sweep = self._sweep(layout, given, dtype)
        if self._one_winner:
            assert self.first is not None
            return self.first.pull(g, x, sweep, self._cuts(x, layout, dtype.itemsize)), None
        pad = Padded(layout, self.fill)
        weight = given.get(whole.weight or "")
        to_weight = None if weight is None else np.zeros(weight.shape, dtype)
        to_input: Array | None = None
        for part, cuts in self._cuts(x, layout, dtype.itemsize):
            padded = pad(x[part], dtype)
            own = len(cuts) == 1 or layout.axes[0].walk.apart  # no entry is read by two blocks
            gapless = len(cuts) == 1 or layout.axes[0].tiled  # and none between them by no block
            written = own and gapless and self._writes(self.chain.backward[0], layout)
            if to_input is None:
                to_input = (np.empty if written and layout.whole else np.zeros)(x.shape, dtype)
            if layout.plain:
                gradient = to_input[part][layout.source]
            else:
                gradient = sweep.array("padded", padded.shape)
                if not written:
                    gradient.fill(0)
            for block in cuts:
                a, upstream, into = padded[block.reads], g[part][block.writes], gradient[block.reads]
                self._pull_block(sweep, a, upstream, into, block, own, written)
                if to_weight is not None:
                    frame = sweep.frame(whole, block, a.shape)
                    arrays = {whole.source: a, "g": upstream, f"grad_{whole.weight}": to_weight}
                    sweep.run(self.emitted(weight_pullback, whole), frame, arrays)
            if not layout.plain:
                unpadded(gradient, layout, to_input[part])
        return np.zeros(x.shape, dtype) if to_input is None else to_input, to_weight

    def _writes(self, stage: Stage, layout: Layout) -> bool:
        """True where the gradient of a stage is written, each entry once, and nothing is added to what was there."""
        return id(stage) in self._mirrors or all(layout.axes[axis].tiled for axis in stage.axes)

    def _mirror(
        self,
        sweep: Sweep,
        stages: Sequence[Stage],
        number: int,
        frame: Mapping[str, Any],
        g: Array,
        output: Sequence[Array],
        nonzero: bool,
        out: Array,
    ) -> None:
        """Write the gradient of a stage that is a sum with stride 1: the same sum of what arrives, between zeros."""
        stage, mirror = stages[number], self._mirrors[id(stages[number])]
        (axis,) = stage.axes
        reach = stage.walks[axis].reach
        side: Any = (slice(None),) * (len(stage.walks) - 1 - axis)
        length = g.shape[axis - len(stage.walks)]
        shape = (*g.shape[: axis - len(stage.walks)], length + 2 * reach, *g.shape[g.ndim - len(side) :])
        framed = sweep.array(("framed", number), shape)
        framed[(..., slice(0, reach), *side)] = 0
        framed[(..., slice(reach + length, None), *side)] = 0
        middle = framed[(..., slice(reach, reach + length), *side)]
        arrays = {"g": g, "t": middle} | ({"c": output[0]} if output else {})
        sweep.run(self._derived(scaled, stages, number, nonzero), {**frame, "shape_out": g.shape}, arrays)
        whole = {f"e{axis}": length + reach, f"n{axis}": length + 2 * reach, "shape_in": shape, "shape_out": out.shape}
        sweep.run(self.emitted(forward, mirror), whole, {mirror.source: framed, "c": out})

    def _pull_block(
        self, sweep: Sweep, a: Array, upstream: Array, into: Array, block: Block, own: bool, written: bool
    ) -> None:
        """Add the gradient of a block's input to `into`; or write it, where that is what `written` says."""
        stages: Sequence[Stage] = self.chain.backward
        values: list[Array] = [a]
        careful = nonzero = False
        if self.nonlinear:
            # |x|**(p-1) and y**(1-p) apart from each other lose up to as many digits as a number has
            bits = np.finfo(sweep.dtype).nmant + 1.0 if _moderate(upstream) else 0.0
            stages, values, _ = self._kept(sweep, stages, a, block, bits)
            careful = self.maximum and not (values[-1].min() > -np.inf and np.isfinite(upstream.sum()))
            nonzero = self.root is not None and bool(values[-1].min() > 0)
        shapes = [a.shape]
        for stage in stages:
            shapes.append(sweep.frame(stage, block, shapes[-1])["shape_out"])
        for number in reversed(range(len(stages))):
            stage, frame = stages[number], sweep.frame(stages[number], block, shapes[number])
            target = into if number == 0 else sweep.array(("gradient", number), shapes[number])
            if id(stage) in self._mirrors:
                out = target if number > 0 or written else sweep.array("mirror", shapes[number])
                self._mirror(sweep, stages, number, frame, upstream, values[number + 1 :], nonzero, out)
                if out is not target:
                    target += out
                upstream = target
                continue
            fresh = (number > 0 or own) and not careful and all(stage.walks[axis].apart for axis in stage.axes)
            if not (fresh and self._writes(stage, sweep.layout)) and (number > 0 or written):
                target.fill(0)
            arrays = {"g": upstream, f"grad_{stage.source}": target}
            if len(values) > number + 1:
                arrays |= {stage.source: values[number], "c": values[number + 1]}
            sweep.run(self._derived(pullback, stages, number, careful, fresh, nonzero), frame, arrays)
            upstream = target

    def push(self, x: Array, tangent: Array, layout: Layout, given: Parameters, dtype: npt.DTypeLike) -> Array:
        """The tangent of the output for a tangent of the input."""
        sweep = self._sweep(layout, given, dtype)
        if self._one_winner:
            assert self.first is not None
            return self.first.push(x, tangent, sweep, self._cuts(x, layout, np.dtype(dtype).itemsize))
        out = np.empty((*x.shape[: -len(layout.axes)], *layout.outputs), dtype)
        pad, pad_tangent = Padded(layout, self.fill), Padded(layout, 0.0)
        for part, cuts in self._cuts(x, layout, out.itemsize):
            padded, moved = pad(x[part], dtype), pad_tangent(tangent[part], dtype)
            for block in cuts:
                a, along = padded[block.reads], moved[block.reads]
                bits = np.finfo(dtype).nmant + 1.0 if _moderate(along) else 0.0
                stages, values, _ = self._kept(sweep, self.chain.backward, a, block, bits)
                careful = self.maximum and not (values[-1].min() > -np.inf and np.isfinite(along.sum()))
                for number, stage in enumerate(stages):
                    frame = sweep.frame(stage, block, along.shape)
                    last = number == len(stages) - 1
                    into = out[part][block.writes] if last else sweep.array(("tangent", number), frame["shape_out"])
                    arrays = {stage.source: values[number], "c": values[number + 1], "d_in": along, "d_c": into}
                    sweep.run(self.emitted(pushforward, stage, careful), frame, arrays)
                    along = into
        return out

    def indices(self, x: Array, layout: Layout, dtype: npt.DTypeLike) -> Array:
        """The flat index in the input plane of the first maximum of every window, -1 where no tap is real."""
        assert self.first is not None
        cuts = self._cuts(x, layout, np.dtype(np.int64).itemsize)
        return self.first.indices(x, self._sweep(layout, {}, dtype), cuts, self._filling(dtype))


def _shared_exponent(a: Array) -> int:
    """The exponent of the largest entry; 0 if dividing by it would cost another entry digits, or is impossible."""
    size = np.abs(a)
    largest = float(size.max())
    if not 0 < largest < np.inf:
        return 0
    exponent = int(np.frexp(largest)[1])
    least = float(size.min(where=size > 0, initial=largest))
    return exponent if np.ldexp(least, -exponent) >= np.finfo(a.dtype).tiny else 0


def _moderate(flow: Array) -> bool:
    """True where a gradient may be multiplied and divided by powers that are within the digits of a number."""
    limits = np.finfo(flow.dtype)
    bound = float(2.0 ** (limits.maxexp - limits.nmant - 2))
    return bool(flow.max() <= bound and flow.min() >= -bound)
