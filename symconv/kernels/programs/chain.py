"""Running a chain of stages over an input, block by block, so that what a block touches stays in the cache."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from math import prod
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from symconv.formulas.algebra import Absolute, Access, Constant
from symconv.formulas.walks import walk
from symconv.kernels.programs.backward import Backward, Manner
from symconv.kernels.programs.blocks import KEPT, Block, Cuts, Parameters, Sweep, blocks
from symconv.kernels.programs.buffers import short_buffers
from symconv.kernels.programs.derivative import (
    balanced,
    forward,
    pushforward,
    root_of,
    weight_pullback,
)
from symconv.kernels.programs.lambdified import Emitted, Programs
from symconv.kernels.programs.ranges import largest_size, least_size, moderate, shared_exponent, suspicious
from symconv.kernels.programs.stage import Chain, ChainStage
from symconv.kernels.programs.winners import FirstMaximum
from symconv.kernels.runtime.engine import NOTHING, Known
from symconv.kernels.runtime.layout import Layout
from symconv.kernels.runtime.order import Order
from symconv.kernels.runtime.padding import Array, Padded, unpadded

__all__ = ["Block", "ChainEngine", "Parameters", "blocks"]

BLOCK_BYTES = 3 << 19
"""Measured: with less the calls take longer than the arithmetic, with more a block and its scratch leave the cache."""

BLOCK_BYTES_LAST = 1 << 22
"""The same with channels last, where a call goes over many short rows: in these many bytes rather one item than two
blocks, whose windows may overlap."""


Sound: TypeAlias = Callable[[Array, Array], bool]
"""Says of an output and the input that it is of whether sums of powers of the entries were good enough."""


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
        self.programs = Programs()
        self.backward = Backward(chain, self.programs)
        self._known_cuts: dict[tuple[Any, ...], tuple[Cuts, dict[tuple[Any, ...], Any]]] = {}

    # ------------------------------------------------------------------ programs

    @cached_property
    def _forward(self) -> list[Emitted]:
        return [self.programs(forward, stage) for stage in self.chain.forward]

    def forward_programs(self) -> list[Emitted]:
        """The programs of the output, in the order in which they run."""
        return self._forward

    def pullback_programs(self) -> list[Emitted]:
        """The programs of the gradients, in the order in which they run where nothing is out of the ordinary."""
        if self._one_winner:
            assert self.first is not None
            return self.first.pullback_programs()
        programs = self.backward.listing()
        if self.chain.whole.weight is not None:
            programs.append(self.programs(weight_pullback, self.chain.whole))
        return programs

    @property
    def _one_winner(self) -> bool:
        return self.maximum and self.chain.whole.ties != "split"

    # ------------------------------------------------------------------ one block

    def _values(
        self,
        sweep: Sweep,
        stages: Sequence[ChainStage],
        a: Array,
        block: Block,
        out: Array | None = None,
        key: str = "value",
    ) -> list[Array]:
        programs = self._forward if stages is self.chain.forward else [self.programs(forward, s) for s in stages]
        return sweep.values_of(stages, programs, a, block, out, key)

    def _kept(
        self, sweep: Sweep, stages: Sequence[ChainStage], a: Array, block: Block, sound: Sound, out: Array | None = None
    ) -> tuple[Sequence[ChainStage], list[Array], int]:
        """The outputs of stages that nothing has overflowed or underflowed in, the stages, and an exponent.

        The last output is the wanted one divided by 2 to the exponent. Powers are taken of the entries as they are; if
        they may leave their range, of the entries over a power of two that all of the block can share; if that does
        not do, of each window's entries over the largest of them.

        Args:
            sound: what is asked of them.
        """
        values = self._values(sweep, stages, a, block, out)
        if self.root is None or sound(values[-1], a):
            return stages, values, 0
        exponent = shared_exponent(a)
        if exponent:
            a = np.ldexp(a, -exponent, out=sweep.array("scaled", a.shape))
            values = self._values(sweep, stages, a, block, out)
            if sound(values[-1], a):
                return stages, values, exponent
        whole, y = self.chain.whole, values[-1]
        frame = sweep.frame(whole, block, a.shape)
        sweep.run(self.programs(balanced, whole), frame, {whole.source: a, "c": y})
        return (whole,), [a, y], exponent

    def _summed(self, sweep: Sweep, block: Block) -> Sound:
        """Whether sums of powers are good enough for an output.

        Terms that are lost are below half a unit in the last place of a sum that is not: half the range will do.
        """
        bits = 0.0 if self.root is None else np.finfo(sweep.dtype).maxexp / 2
        return lambda y, a: self._trusted(sweep, y, a, block, bits)

    def _near(self, sweep: Sweep, block: Block, tangent: Array) -> Sound:
        """Whether they are good enough for a tangent, which is multiplied by powers of the entries first."""
        digits, fits = np.finfo(sweep.dtype).nmant + 1.0, moderate(largest_size(tangent), tangent.dtype)
        return lambda y, a: fits and self._trusted(sweep, y, a, block, digits)

    def _trusted(self, sweep: Sweep, y: Array, a: Array, block: Block, bits: float) -> bool:
        """True where all sums of powers are within the range, or 0 because all their terms are."""
        least = self._least(bits)
        if not y.max() <= 1 / least:
            return False
        if y.min() >= least or least_size(a, sweep) >= least:
            return True
        if len(self.chain.forward) == 1:
            return False
        counted = [stage for stage in self.chain.forward if stage.axes]
        counts = self._values(sweep, counted, (a != 0).astype(y.dtype), block, key="count")[-1]
        return not counts[y < least].any()

    def _least(self, bits: float) -> float:
        """The smallest root of a sum of powers that is by at most so many binary digits away from 1."""
        return float(2.0 ** (-bits / self._norm))

    @cached_property
    def _norm(self) -> float:
        """The p of a p-th root."""
        assert self.root is not None
        assert isinstance(self.root.exponent, Constant)
        return 1 / float(self.root.exponent.value)

    def _apart(self, sweep: Sweep, y: Array, flow: Array) -> bool:
        """True where what arrives may be divided by powers of the outputs, and then multiplied by those of the entries.

        As quotients their powers are at most 1; apart from each other they lose up to as many digits as a number has.
        """
        limits, p, largest = np.finfo(sweep.dtype), self._norm, largest_size(flow)
        digits = limits.nmant + 1
        if not (moderate(largest, flow.dtype) and y.max() <= 2.0 ** (digits / p)):
            return False
        # what arrives stays in its range at all taps of a window together, entries that count do, and outputs have
        # all of their digits; powers near to 1 are good enough in any case
        crowd = largest * prod(walk.taps for walk in self.chain.whole.walks) * 2.0 ** (2 - limits.maxexp)
        ends = crowd ** (1 / (p - 1)), 2.0 ** (limits.minexp / (p - 1) + limits.nmant), 2.0**limits.minexp
        least = min(2.0 ** (-digits / p), max(ends))
        return bool(y.min() >= least) or least_size(y, sweep) >= least

    # ------------------------------------------------------------------ calls

    def _cut(self, x: Array, layout: Layout, given: Parameters, dtype: np.dtype[Any]) -> tuple[Cuts, Sweep]:
        """How an input is cut into blocks, and what runs programs on them; both are kept from call to call."""
        # a pooling has an axis for its channels where they are last in memory, and there alone
        order = Order(last=self.chain.whole.weight is None and x.ndim == 2 + len(layout.axes))
        limit = BLOCK_BYTES_LAST if order.last else BLOCK_BYTES
        key = (x.shape, dtype, order.last, limit)
        found = self._known_cuts.get(key)
        if found is None:
            lead = x.shape[: -len(layout.axes)]
            inner = prod(lead[1:]) * prod(axis.length for axis in layout.axes[1:])
            first = layout.axes[0].walk
            halo = first.reach // first.stride  # rows that neighbouring blocks both go over along the other axes
            row = inner * dtype.itemsize * first.stride
            if len(self._known_cuts) >= KEPT:
                self._known_cuts.clear()
            found = self._known_cuts[key] = list(blocks(lead[0], layout, row, limit, max(1, 2 * halo))), {}
        # frames hold the weights, which are others at the next call
        return found[0], Sweep(layout, given, dtype, {} if given else found[1], order)

    def _filling(self, dtype: npt.DTypeLike) -> Any:
        if np.dtype(dtype).kind in "iu":
            return np.iinfo(dtype).min if self.fill else 0
        return self.fill

    @short_buffers
    def forward(self, x: Array, layout: Layout, given: Parameters, dtype: npt.DTypeLike) -> Array:
        """The output ``(batch, ..., *outputs)`` of an input ``(batch, ..., *sizes)``."""
        cut, sweep = self._cut(x, layout, given, np.dtype(dtype))
        y = sweep.order.empty((*x.shape[: -len(layout.axes)], *layout.outputs), dtype)
        pad = None if layout.plain and x.dtype == y.dtype else Padded(layout, self._filling(dtype), sweep.new)
        with sweep:
            for part, cuts in cut:
                padded = x[part][layout.source] if pad is None else pad(x[part], dtype)
                for block in cuts:
                    out = block.outcome(y)
                    a = block.windows(padded)
                    _, _, exponent = self._kept(sweep, self.chain.forward, a, block, self._summed(sweep, block), out)
                    if exponent:
                        np.ldexp(out, exponent, out=out)
        return y

    @short_buffers
    def pull(
        self, g: Array, x: Array, layout: Layout, given: Parameters, known: Known = NOTHING
    ) -> tuple[Array, Array | None]:
        """The gradients of the input and of the weights, for the upstream gradient `g` of the output."""
        cut, sweep = self._cut(x, layout, given, g.dtype)
        with sweep:
            if not self._one_winner:
                return self._pull(g, x, sweep, cut, known.output)
            assert self.first is not None
            if known.indices is not None:
                return self.first.hand_out(g, x, known.indices, sweep, cut), None
            return self.first.pull(g, x, sweep, cut), None

    def _pull(self, g: Array, x: Array, sweep: Sweep, cut: Cuts, output: Array | None) -> tuple[Array, Array | None]:
        dtype, layout, given, whole = g.dtype, sweep.layout, sweep.given, self.chain.whole
        pad = Padded(layout, self.fill, sweep.new)
        weight = given.get(whole.weight or "")
        to_weight = None if weight is None else np.zeros(weight.shape, dtype)
        to_input: Array | None = None
        for part, cuts in cut:
            padded = pad(x[part], dtype)
            own = len(cuts) == 1 or layout.axes[0].walk.apart  # no entry is read by two blocks
            gapless = len(cuts) == 1 or layout.axes[0].tiled  # and none between them by no block
            written = own and gapless and self.backward.writes(self.chain.backward[0], layout)
            if to_input is None:
                to_input = (sweep.order.empty if written and layout.whole else sweep.order.zeros)(x.shape, dtype)
            if layout.plain:
                gradient = to_input[part][layout.source]
            else:
                gradient = sweep.array("padded", padded.shape)
                if not written:
                    gradient.fill(0)
            for block in cuts:
                a, upstream, into = block.windows(padded), block.outcome(g), block.windows(gradient)
                y = None if output is None else block.outcome(output)
                self._pull_block(sweep, a, upstream, into, block, own, written, y)
                if to_weight is not None:
                    frame = sweep.frame(whole, block, a.shape)
                    arrays = {whole.source: a, "g": upstream, f"grad_{whole.weight}": to_weight}
                    sweep.run(self.programs(weight_pullback, whole), frame, arrays)
            if not layout.plain:
                unpadded(gradient, layout, to_input[part])
        return sweep.order.zeros(x.shape, dtype) if to_input is None else to_input, to_weight

    def _pull_block(
        self,
        sweep: Sweep,
        a: Array,
        upstream: Array,
        into: Array,
        block: Block,
        own: bool,
        written: bool,
        y: Array | None,
    ) -> None:
        """Add the gradient of a block's input to `into`; or write it, where that is what `written` says."""
        stages: Sequence[ChainStage] = self.chain.backward
        values: list[Any] = [a, *[None] * len(stages)]
        careful = nonzero = False
        at_once = sweep.kept(("at once",), self.backward.at_once, sweep.layout, sweep.order.last)
        if self.nonlinear:
            within = y is not None and (self.root is None or self._apart(sweep, y, upstream))
            if within and (at_once == len(stages) or self.backward.ends_only):
                values[-1] = y
            else:
                summed = self._summed(sweep, block)
                stages, values, _ = self._kept(
                    sweep, stages, a, block, lambda y, a: summed(y, a) and self._apart(sweep, y, upstream)
                )
            y = values[-1]
            assert y is not None
            if stages is not self.chain.backward:
                at_once = 0
            careful = self.maximum and suspicious(y, upstream)
            nonzero = self.root is not None and bool(y.min() > 0)
        manner = Manner(at_once, own, written, careful, nonzero)
        self.backward.run(sweep, stages, values, upstream, into, block, manner)

    @short_buffers
    def push(self, x: Array, tangent: Array, layout: Layout, given: Parameters, dtype: npt.DTypeLike) -> Array:
        """The tangent of the output for a tangent of the input."""
        cut, sweep = self._cut(x, layout, given, np.dtype(dtype))
        with sweep:
            if self._one_winner:
                assert self.first is not None
                return self.first.push(x, tangent, sweep, cut)
            return self._push(x, tangent, sweep, cut)

    def _push(self, x: Array, tangent: Array, sweep: Sweep, cut: Cuts) -> Array:
        order, layout, dtype = sweep.order, sweep.layout, sweep.dtype
        out = order.empty((*x.shape[: -len(layout.axes)], *layout.outputs), dtype)
        pad, pad_tangent = Padded(layout, self.fill, sweep.new), Padded(layout, 0.0, sweep.new)
        for part, cuts in cut:
            padded, moved = pad(x[part], dtype), pad_tangent(tangent[part], dtype)
            for block in cuts:
                a, along = block.windows(padded), block.windows(moved)
                stages, values, _ = self._kept(sweep, self.chain.backward, a, block, self._near(sweep, block, along))
                careful = self.maximum and not (values[-1].min() > -np.inf and np.isfinite(along.sum()))
                for number, stage in enumerate(stages):
                    frame = sweep.frame(stage, block, along.shape)
                    last = number == len(stages) - 1
                    into = block.outcome(out) if last else sweep.array(("tangent", number), frame.shape_out)
                    arrays = {stage.source: values[number], "c": values[number + 1], "d_in": along, "d_c": into}
                    sweep.run(self.programs(pushforward, stage, careful), frame, arrays)
                    along = into
        return out

    @short_buffers
    def indices(self, x: Array, layout: Layout, dtype: npt.DTypeLike) -> Array:
        """The flat index in the input plane of the first maximum of every window, -1 where no tap is real."""
        assert self.first is not None
        cut, sweep = self._cut(x, layout, {}, np.dtype(dtype))
        with sweep:
            return self.first.indices(x, sweep, cut, self._filling(dtype))
