"""The first maximum of every window: the number of its tap, its place in the input, and what is handed on to it alone.

Under the policy "first" the derivative of a maximum is 1 at one tap and 0 at all others, so that a gradient is one
addition an output, whatever the size of the window: `numpy.add.at` where the winners are. They are found one axis after
the other, the last one first.

Why that is right: the maximum over a window is the maximum over its rows of the maxima in each row, and the first of
the largest entries in row-major order lies in the first row that has the largest maximum, at the first place there. So
the number of a winner is ``row * width + place``, which the pass along the next axis carries on for the winner of every
row (K1 + K2 comparisons in place of K1*K2). NaN counts as largest, as in PyTorch's max_pool2d. The fast passes know
nothing of padding, and a window that may be all padding, or holds a NaN, is looked at again tap by tap
(`_carefully_found`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.formulas.algebra import Access, Reduce
from symconv.formulas.index import Index
from symconv.formulas.walks import transform
from symconv.kernels.programs.blocks import Block, BlockValues, Cuts, Prepared, Sweep
from symconv.kernels.programs.derivative import UPSTREAM, forward, winners
from symconv.kernels.programs.lambdified import Emitted, Programs
from symconv.kernels.programs.numbering import NUMBER, PLACE, SOURCE_NUMBER, fetched, handed, numbered, places
from symconv.kernels.programs.stage import Chain, ChainStage
from symconv.kernels.runtime.arguments import places_in
from symconv.kernels.runtime.layout import Layout
from symconv.kernels.runtime.order import ROW_MAJOR, Order
from symconv.kernels.runtime.padding import Array, Padded, unpadded

__all__ = ["FirstMaximum"]


@dataclass(frozen=True)
class Ground:
    """An array without gaps with the input in it, and where the window of output 0 starts on every axis."""

    array: Array
    starts: tuple[int, ...]
    layout: Layout
    order: Order

    @staticmethod
    def of(x: Array, pad: Padded, order: Order, dtype: npt.DTypeLike) -> Ground:
        """The input itself where it needs no padding, else the padded one."""
        layout = pad.layout
        if layout.plain:
            starts = tuple(axis.source.start + axis.shift for axis in layout.axes)
            return Ground(order.put(x, dtype), starts, layout, order)
        return Ground(pad(x, dtype), tuple(axis.shift for axis in layout.axes), layout, order)

    @property
    def extents(self) -> tuple[int, ...]:
        return self.array.shape[-len(self.starts) :]

    def _rows(self, block: Block) -> tuple[int, int]:
        walk = self.layout.axes[0].walk
        start = self.starts[0] + walk.stride * block.rows.start
        return start, start + walk.stride * (block.outputs[0] - 1) + walk.reach + 1

    def slab(self, block: Block) -> tuple[Array, list[int]]:
        """The rows that a block reads, whole and without gaps, and where its windows start there."""
        if block.outputs[0] == self.layout.outputs[0]:
            return self.array, list(self.starts)
        start, stop = self._rows(block)
        rest: Any = (slice(None),) * (len(self.starts) - 1)
        rows = self.array[(..., slice(start, stop), *rest)]
        return self.order.put(rows, rows.dtype), [0, *self.starts[1:]]

    def windows(self, block: Block) -> Array:
        """The part of the array that a block reads, as its programs expect it."""
        start, stop = self._rows(block)
        cuts: list[Any] = [slice(start, stop)]
        for place, first in zip(self.layout.axes[1:], self.starts[1:], strict=True):
            cuts.append(slice(first, first + place.walk.stride * (place.outputs - 1) + place.walk.reach + 1))
        result: Array = self.array[(..., *cuts)]
        return result


class FirstMaximum:
    """The winners of a chain whose reduction is a maximum.

    Args:
        chain: the chain.
        fill: what a position shows that no input is behind.
    """

    def __init__(self, chain: Chain, fill: float) -> None:
        self.chain, self.fill = chain, fill
        self.walks = chain.whole.walks
        self.taps = [walk.taps for walk in self.walks]
        count = prod(self.taps)
        self.numbers = np.uint8 if count <= 1 << 8 else np.uint16 if count <= 1 << 16 else np.int64
        self.apart = all(walk.apart for walk in self.walks)
        self._program = Programs()
        self.entry = self._entry()
        last = len(self.walks) - 1
        sliding = [axis for axis in range(last, -1, -1) if self.taps[axis] > 1] or [last]
        self.stages = [self._stage(axis, flat=axis == last) for axis in sliding]  # of row-major arrays, and of others:
        self.spread = [self._stage(axis, flat=False) for axis in sliding]

    def _entry(self) -> ChainStage | None:
        """What happens to an entry before the maximum is taken, if anything does."""
        whole = self.chain.whole
        reduce = whole.reduction
        assert reduce is not None
        if isinstance(reduce.body, Access):
            return None
        here = Access(whole.source, ())
        return replace(whole, axes=(), body=transform(reduce.body, lambda n: here if isinstance(n, Access) else None))

    def _stage(self, axis: int, flat: bool) -> tuple[int, bool, ChainStage]:
        """The maximum along one axis; along the last one of the array as a line: without strides, in one long loop."""
        whole = self.chain.whole
        tap = next(bound for bound, at in zip(whole.taps, whole.axes, strict=True) if at == axis)
        body = Reduce("max", (tap,), (), Access(whole.source, (Index.of(tap.name),)))
        if flat:
            walks = (replace(self.walks[axis], stride=1),)
            return axis, True, replace(whole, body=body, axes=(0,), walks=walks)
        return axis, False, replace(whole, body=body, axes=(axis,))

    def _finders(self, stages: Sequence[tuple[int, bool, ChainStage]]) -> list[Emitted]:
        found = []
        for number, (axis, _, stage) in enumerate(stages):
            found.append(self._program(numbered, stage, prod(self.taps[axis + 1 :]), number > 0))
        return found

    def pullback_programs(self) -> list[Emitted]:
        """The programs of the gradient, in the order in which they run."""
        entry = [] if self.entry is None else [self._program(forward, self.entry)]
        hand_out = self._program(handed, self.chain.whole, self.apart)  # refuses ties="set"
        return [*entry, *self._finders(self.stages), self._program(places), hand_out]

    # ------------------------------------------------------------------ one block

    def _found(self, sweep: Sweep, ground: Ground, block: Block) -> tuple[Array, Array | None]:
        """The numbers of the winners of a block, and where there are some, or None for everywhere."""
        source = self.chain.whole.source
        value, starts = ground.slab(block)
        strides = [walk.stride for walk in self.walks]
        if self.entry is not None:
            out = sweep.array("entry", value.shape)
            sweep.run(
                self._program(forward, self.entry), BlockValues({"shape_out": value.shape}), {source: value, "c": out}
            )
            value = out
        number: Array | None = None
        # neighbours along the last axis are next to each other in a row-major array alone
        stages = self.spread if sweep.order.last else self.stages
        for (axis, flat, stage), emitted in zip(stages, self._finders(stages), strict=True):
            if flat:
                length = value.size - stage.walks[0].reach
                extents = {"e0": length, "n0": value.size, "shape_in": (value.size,), "shape_out": (length,)}
                frame = BlockValues(extents)
                made = [sweep.array(("won", axis, t), value.shape, t) for t in (sweep.dtype, self.numbers)]
                for array in made:
                    array.reshape(-1)[length:] = 0  # no window starts there
                lines = [array.reshape(-1)[:length] for array in made]
                arrays = {source: value.reshape(-1), "c": lines[0], NUMBER: lines[1]}
            else:
                cut: Any = (..., slice(starts[axis], None), *[slice(None)] * (len(self.walks) - 1 - axis))
                value = value[cut]
                frame = sweep.frame(stage, block, value.shape)
                made = [sweep.array(("won", axis, t), frame.shape_out, t) for t in (sweep.dtype, self.numbers)]
                arrays = {source: value, "c": made[0], NUMBER: made[1]}
                if number is not None:
                    arrays[SOURCE_NUMBER] = number[cut]
                starts[axis], strides[axis] = 0, 1
            sweep.run(emitted, frame, arrays, self.numbers)
            value, number = made
        assert number is not None
        window: Any = (
            ...,
            *(
                slice(start, start + stride * (outputs - 1) + 1, stride)
                for start, stride, outputs in zip(starts, strides, block.outputs, strict=True)
            ),
        )
        least = np.iinfo(sweep.dtype).min if np.issubdtype(sweep.dtype, np.integer) else -np.inf
        # no NaN, and no window in which padding and -infinity look alike; what lies between the windows is asked too as
        # long as nothing there is suspicious, because one long loop is fast
        if value.min() > least or value[window].min() > least:
            return number[window], None
        return self._carefully_found(sweep, ground.windows(block), block)

    def _carefully_found(self, sweep: Sweep, a: Array, block: Block) -> tuple[Array, Array]:
        """The same where windows may hold NaN, or padding beside -infinity: tap by tap, with the guards asked."""
        stages = self.chain.winners
        values = sweep.values_of(stages, [self._program(forward, stage) for stage in stages], a, block, key="careful")
        carried: list[Array] = []
        sliding: list[ChainStage] = []
        for at, stage in enumerate(stages):
            if not stage.axes:
                continue
            frame = sweep.frame(stage, block, values[at].shape)
            fresh = [sweep.array(("winner", at, k), frame.shape_out, np.int64) for k in range(len(carried) + 1)]
            arrays = {stage.source: values[at], "c": values[at + 1], "k": fresh[0]}
            arrays |= {f"k_in{k}": array for k, array in enumerate(carried)}
            arrays |= {f"k_out{k}": array for k, array in enumerate(fresh[1:])}
            sweep.run(self._program(winners, stage, len(carried)), frame, arrays)
            carried, sliding = fresh, [stage, *sliding]
        number = np.zeros(carried[0].shape, np.int64)
        there = np.ones(carried[0].shape, np.bool_)
        for stage, found in zip(sliding, carried, strict=True):
            there &= found >= 0
            number += np.maximum(found, 0) * prod(self.taps[max(stage.axes) + 1 :])
        return number, there

    def _places(
        self, sweep: Sweep, number: Array, block: Block, starts: tuple[int, ...], lead: list[int], steps: list[int]
    ) -> Array:
        """Places, counted from the place of the block's first output less the start of the first window.

        Args:
            starts: where the window of output 0 starts on every axis.
            lead, steps: how far neighbours along the lead and the spatial axes are apart.
        """
        shape = (*number.shape[: -len(steps)], *block.outputs)
        made = ("starts", *lead)
        known = (made, shape) in sweep
        base = sweep.array(made, shape, np.intp)
        table = sweep.array(("offsets", *lead), (prod(self.taps),), np.intp)
        if not known:
            base[...] = self._starts(starts, block.outputs, steps)
            for axis, step in enumerate(lead):
                base += (np.arange(shape[axis]) * step).reshape(-1, *[1] * (len(shape) - 1 - axis))
            table[...] = self._offsets(steps)
        found = sweep.array("places", shape, np.intp)
        sweep.run(
            self._program(places),
            BlockValues({"shape_out": shape}),
            {"offsets": table, NUMBER: number, "starts": base, PLACE: found},
        )
        return found

    def _starts(self, firsts: tuple[int, ...], outputs: tuple[int, ...], steps: list[int]) -> Array:
        """The places where the windows of all outputs start, that of output 0 at `firsts`."""
        found = np.zeros((1,) * len(steps), np.intp)
        for axis, (walk, step) in enumerate(zip(self.walks, steps, strict=True)):
            along = (firsts[axis] + walk.stride * np.arange(outputs[axis])) * step
            found = found + along.reshape(-1, *[1] * (len(steps) - 1 - axis))
        return found

    def _offsets(self, steps: list[int]) -> Array:
        """How far every tap is from the start of its window, in the order of the taps."""
        found = np.zeros(prod(self.taps), np.intp)
        for axis, (walk, step) in enumerate(zip(self.walks, steps, strict=True)):
            offsets = np.array([walk.offset(tap) * step for tap in range(walk.taps)])
            found += offsets[np.arange(found.size) // prod(self.taps[axis + 1 :]) % walk.taps]
        return found

    def _in_ground(self, sweep: Sweep, ground: Ground, block: Block) -> tuple[Array, Array | None, int]:
        """Places in the flat array of a ground from an offset on, where there are winners, and the offset."""
        number, there = self._found(sweep, ground, block)
        lead, steps = ground.order.steps(number.shape[: -len(self.walks)], ground.extents)
        found = self._places(sweep, number, block, ground.starts, lead, steps)
        return found, there, block.rows.start * self.walks[0].stride * steps[0]

    # ------------------------------------------------------------------ calls

    def pull(self, g: Array, x: Array, sweep: Sweep, cuts: Cuts) -> Array:
        """The gradient of the input for the upstream gradient `g`."""
        dtype, layout, order = g.dtype, sweep.layout, sweep.order
        source = self.chain.whole.source
        program = self._program(handed, self.chain.whole, self.apart)
        to_input = order.empty(x.shape, dtype)
        pad = Padded(layout, self.fill, sweep.new)
        for part, parts in cuts:
            ground = Ground.of(x[part], pad, order, dtype)
            gradient = to_input[part]
            gradient.fill(0)
            if not layout.plain:
                gradient = sweep.array("gradient", ground.array.shape)
                gradient.fill(0)
            for block in parts:
                found, there, offset = self._in_ground(sweep, ground, block)
                flow, at = order.line(block.outcome(g)), order.line(found)
                if there is not None:
                    real = order.line(there)
                    flow, at = flow[real], at[real]
                arrays = {source: order.line(ground.array)[offset:], UPSTREAM: flow, PLACE: at}
                arrays[f"grad_{source}"] = order.line(gradient)[offset:]
                sweep.run(program, BlockValues({"shape_out": at.shape}), arrays)
            if not layout.plain:
                unpadded(gradient, layout, to_input[part])
        return to_input

    def hand_out(self, g: Array, x: Array, indices: Array, sweep: Sweep, cuts: Cuts) -> Array:
        """The gradient of the input, where the winners are known: their indices in the planes of the input.

        Raises:
            ArgumentError: for an index that is none of the plane.
        """
        order = sweep.order
        to_input = order.empty(x.shape, g.dtype)
        source, sizes = self.chain.whole.source, sweep.layout.sizes
        for part, _ in cuts:
            gradient, flow, at = to_input[part], g[part], indices[part]
            inside = places_in(at, sizes)
            gradient.fill(0)  # while it comes into the cache, not all of it at the start
            found = sweep.array("places", at.shape, np.intp)
            starts, step = sweep.kept(("planes", at.shape), self._planes, order, at.shape[: -len(sizes)], sizes)
            if step == 1:
                np.add(at, starts, out=found)
            else:
                np.multiply(at, step, out=found)
                found += starts
            flow, found = order.line(flow), order.line(found)
            if not inside:
                real = order.line(at) >= 0
                flow, found = flow[real], found[real]
            ready = sweep.kept(("handed", found.size), self._handed, found.size)
            arrays = {UPSTREAM: flow, PLACE: found, f"grad_{source}": order.line(gradient)}
            if source in ready.emitted.program.parameters:  # an input with gaps would be copied
                arrays[source] = order.line(x[part])
            sweep.call(ready, arrays)
        return to_input

    def _planes(self, order: Order, lead: tuple[int, ...], sizes: tuple[int, ...]) -> tuple[Array, int]:
        """Where the planes of an input start in a line of its entries, and how far the entries of a plane are apart."""
        apart, steps = order.steps(lead, sizes)
        starts = np.zeros((1,) * (len(lead) + len(sizes)), np.intp)
        for axis, step in enumerate(apart):
            starts = starts + (np.arange(lead[axis]) * step).reshape(-1, *[1] * (starts.ndim - 1 - axis))
        return starts, steps[-1]

    def _handed(self, count: int) -> Prepared:
        """The program that hands out a number of gradients."""
        return BlockValues({"shape_out": (count,)}).prepared(self._program(handed, self.chain.whole, self.apart), None)

    def push(self, x: Array, tangent: Array, sweep: Sweep, cuts: Cuts) -> Array:
        """The tangent of the output for a tangent of the input."""
        layout, order = sweep.layout, sweep.order
        out = order.empty((*x.shape[: -len(layout.axes)], *layout.outputs), sweep.dtype)
        source = self.chain.whole.source
        program = self._program(fetched, self.chain.whole)
        pad, pad_tangent = Padded(layout, self.fill, sweep.new), Padded(layout, 0.0, sweep.new)
        for part, parts in cuts:
            ground = Ground.of(x[part], pad, order, sweep.dtype)
            moved = Ground.of(tangent[part], pad_tangent, order, sweep.dtype)
            for block in parts:
                found, there, offset = self._in_ground(sweep, ground, block)
                arrays = {source: order.line(ground.array)[offset:], "d_in": order.line(moved.array)[offset:]}
                into = sweep.array("tangent", found.shape)
                sweep.run(program, BlockValues({"shape_out": found.shape}), {**arrays, PLACE: found, "d_c": into})
                if there is not None:
                    into[~there] = 0
                block.outcome(out)[...] = into
        return out

    def indices(self, x: Array, sweep: Sweep, cuts: Cuts, fill: Any) -> Array:
        """The flat index in the input plane of the first maximum of every window, -1 where no tap is real."""
        layout, order = sweep.layout, sweep.order
        lead = x.shape[: -len(layout.axes)]
        result = order.empty((*lead, *layout.outputs), np.int64)
        pad = Padded(layout, fill, sweep.new)
        _, steps = ROW_MAJOR.steps((1,), layout.sizes)
        starts = tuple(int(place.starts.min()) for place in layout.axes)
        for part, parts in cuts:
            ground = Ground.of(x[part], pad, order, sweep.dtype)
            for block in parts:
                number, there = self._found(sweep, ground, block)
                found = self._places(sweep, number, block, starts, [0] * len(lead), steps)
                found += block.rows.start * self.walks[0].stride * steps[0]
                if there is not None:
                    found[~there] = -1
                block.outcome(result)[...] = found
        return result
