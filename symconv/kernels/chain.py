"""Running a chain of stages over an input, block by block, so that what a block touches stays in the cache."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.formulas.algebra import Absolute, Access, Constant, walk
from symconv.kernels.derivative import balanced, forward, pullback, pushforward, root_of, weight_pullback, winners
from symconv.kernels.lambdified import Emitted, emit
from symconv.kernels.layout import Layout
from symconv.kernels.padding import Array, Padded, add_unpadded
from symconv.kernels.plans import Chain, Stage
from symconv.kernels.program import Program

__all__ = ["ChainEngine", "Parameters"]

BLOCK_BYTES = 1 << 18
"""Measured: a block of 256 KiB of input and its few scratch arrays stay in a second-level cache."""

Parameters = Mapping[str, Array]


@dataclass(frozen=True)
class Block:
    """A part of the batch and of the rows of the output, and the extents that go with it."""

    batch: slice
    rows: slice
    layout: Layout

    @property
    def outputs(self) -> tuple[int, ...]:
        return (self.rows.stop - self.rows.start, *self.layout.outputs[1:])

    @property
    def reads(self) -> tuple[Any, ...]:
        """The part of the padded input that the block reads."""
        first, *others = self.layout.axes
        return (..., first.span(self.rows.start, self.rows.stop), *(axis.span(0, axis.outputs) for axis in others))

    @property
    def writes(self) -> tuple[Any, ...]:
        """The part of an output (after its batch has been taken) that the block writes."""
        return (..., self.rows, *[slice(None)] * (len(self.layout.axes) - 1))


def blocks(batch: int, layout: Layout, row_bytes: int, limit: int, least: int) -> Iterator[tuple[slice, list[Block]]]:
    """Cut the work into parts of the batch, each with blocks of at least `least` rows.

    `row_bytes` is what one row of one item takes, `limit` what a block should take.
    """
    rows = min(max(least, limit // max(row_bytes, 1)), layout.outputs[0])
    items = max(1, limit // max(row_bytes * rows, 1)) if rows == layout.outputs[0] else 1
    for start in range(0, batch, items):
        part = slice(start, min(start + items, batch))
        cuts = range(0, layout.outputs[0], rows)
        yield part, [Block(part, slice(cut, min(cut + rows, layout.outputs[0])), layout) for cut in cuts]


class Workspace:
    """Scratch arrays of one call, by name and shape."""

    def __init__(self, dtype: npt.DTypeLike) -> None:
        self.dtype = dtype
        self._arrays: dict[tuple[Any, ...], Array] = {}

    def array(self, key: object, shape: tuple[int, ...], dtype: npt.DTypeLike | None = None) -> Array:
        """An array with arbitrary contents; the same one for the same key and shape."""
        found = self._arrays.get((key, shape))
        if found is None:
            found = self._arrays[key, shape] = np.empty(shape, self.dtype if dtype is None else dtype)
        return found


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
        self._emitted: dict[tuple[Any, ...], Emitted] = {}

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
        """The programs of the gradients, in the order in which they run."""
        programs = [self.emitted(pullback, stage, False, False) for stage in reversed(self.chain.backward)]
        if self.chain.whole.weight is not None:
            programs.append(self.emitted(weight_pullback, self.chain.whole))
        return programs

    def _run(self, emitted: Emitted, arrays: Mapping[str, Any], work: Workspace) -> Any:
        values = dict(arrays)
        for scratch in emitted.program.scratch:
            shape = values["shape_in" if scratch.like == "input" else "shape_out"]
            dtype = np.bool_ if scratch.holds == "mask" else None
            values[scratch.name] = work.array((scratch.name, scratch.holds), shape, dtype)
        return emitted.function(*[values[name] for name in emitted.program.parameters])

    # ------------------------------------------------------------------ one block

    def _frame(
        self, stage: Stage, block: Block, source: tuple[int, ...], given: Parameters, work: Workspace
    ) -> dict[str, Any]:
        """Everything that a program of a stage may ask for but the arrays that flow: extents, counts, masks."""
        ndim = len(stage.walks)
        lead = source[: len(source) - ndim]
        shape = list(source[len(source) - ndim :])
        frame: dict[str, Any] = dict(given)
        for axis in stage.axes:
            outputs = block.outputs[axis]
            frame[f"e{axis}"] = stage.walks[axis].stride * (outputs - 1) + 1
            frame[f"n{axis}"] = shape[axis]
            shape[axis] = outputs
        for axis, place in enumerate(block.layout.axes):
            here = block.rows if axis == 0 else slice(None)
            after = (1,) * (ndim - 1 - axis)
            if place.count is not None:
                counts = place.count[here].astype(work.dtype)
                frame[f"r{axis}"] = counts.reshape(counts.shape + after)
            if place.walk.guards:
                real = np.ones(place.positions.shape, np.bool_) if place.real is None else place.real
                frame[f"v{axis}"] = real[:, here].reshape((real.shape[0], -1, *after))
        frame["shape_in"], frame["shape_out"] = source, (*lead, *shape)
        return frame

    def _values(
        self,
        stages: Sequence[Stage],
        a: Array,
        block: Block,
        given: Parameters,
        work: Workspace,
        out: Array | None = None,
        key: str = "value",
    ) -> list[Array]:
        """The input of the first stage, then the output of every stage; the last one is written to `out` if given.

        `key` keeps what two runs write into the workspace apart.
        """
        values = [a]
        for number, stage in enumerate(stages):
            frame = self._frame(stage, block, values[-1].shape, given, work)
            last = number == len(stages) - 1
            c = out if last and out is not None else work.array((key, number), frame["shape_out"])
            self._run(self.emitted(forward, stage), {**frame, stage.source: values[-1], "c": c}, work)
            values.append(c)
        return values

    def _trusted(self, y: Array, a: Array, block: Block, given: Parameters, work: Workspace) -> bool:
        """True where no power of an entry can have left the range in which sums of powers are accurate.

        An output of 0 is right where its window holds nothing but zeros: then nothing has underflowed.
        """
        assert self.root is not None
        assert isinstance(self.root.exponent, Constant)
        least = 2.0 ** (-float(np.finfo(y.dtype).maxexp) / 2 * float(self.root.exponent.value))
        if not y.max() <= 1 / least:
            return False
        if y.min() >= least:
            return True
        low = y < least
        nonzero = (a != 0).astype(y.dtype)
        counted = [stage for stage in self.chain.forward if stage.axes]
        if len(self.chain.forward) == 1:
            return False
        counts = self._values(counted, nonzero, block, given, work, key="count")[-1]
        return not counts[low].any()

    def _careful(self, y: Array, flow: Array) -> bool:
        """True where masks must tell NaN from numbers and padding from -infinity, or may not be a factor."""
        return self.maximum and not (y.min() > -np.inf and np.isfinite(flow.sum()))

    # ------------------------------------------------------------------ calls

    def forward(self, x: Array, layout: Layout, given: Parameters, dtype: npt.DTypeLike) -> Array:
        """The output ``(batch, ..., *outputs)`` of an input ``(batch, ..., *sizes)``."""
        y = np.empty((*x.shape[: -len(layout.axes)], *layout.outputs), dtype)
        work, pad = Workspace(dtype), Padded(layout, self._filling(dtype))
        for part, cuts in self._cuts(x, layout, y.itemsize):
            padded = pad(x[part], dtype)
            for block in cuts:
                out = y[part][block.writes]
                self._output(padded[block.reads], block, given, work, out)
        return y

    def _output(self, a: Array, block: Block, given: Parameters, work: Workspace, out: Array) -> None:
        self._values(self.chain.forward, a, block, given, work, out)
        if self.root is not None and not self._trusted(out, a, block, given, work):
            self._balanced(a, block, given, work, out)

    def _balanced(self, a: Array, block: Block, given: Parameters, work: Workspace, out: Array) -> dict[str, Any]:
        frame = self._frame(self.chain.whole, block, a.shape, given, work)
        frame |= {self.chain.whole.source: a, "c": out}
        self._run(self.emitted(balanced, self.chain.whole), frame, work)
        return frame

    def _cuts(self, x: Array, layout: Layout, itemsize: int) -> Iterator[tuple[slice, list[Block]]]:
        inner = prod(x.shape[1 : -len(layout.axes)]) * prod(axis.length for axis in layout.axes[1:])
        first = layout.axes[0].walk
        halo = first.reach // first.stride  # rows that neighbouring blocks both go over along the other axes
        return blocks(x.shape[0], layout, inner * itemsize * first.stride, BLOCK_BYTES, max(1, 2 * halo))

    def _filling(self, dtype: npt.DTypeLike) -> Any:
        if np.issubdtype(dtype, np.integer):
            return np.iinfo(dtype).min if self.fill else 0
        return self.fill

    def pull(self, g: Array, x: Array, layout: Layout, given: Parameters) -> tuple[Array, Array | None]:
        """The gradients of the input and of the weights, for the upstream gradient `g` of the output."""
        dtype = g.dtype
        chain, work, pad = self.chain, Workspace(dtype), Padded(layout, self.fill)
        to_input = np.zeros(x.shape, dtype)
        weight = given.get(chain.whole.weight or "")
        to_weight = None if weight is None else np.zeros(weight.shape, dtype)
        for part, cuts in self._cuts(x, layout, dtype.itemsize):
            padded = pad(x[part], dtype)
            grad = np.zeros(padded.shape, dtype)
            for block in cuts:
                a, upstream, into = padded[block.reads], g[part][block.writes], grad[block.reads]
                self._pull_block(a, upstream, into, block, given, work)
                if to_weight is not None:
                    frame = self._frame(chain.whole, block, a.shape, given, work)
                    frame |= {chain.whole.source: a, "g": upstream, f"grad_{chain.whole.weight}": to_weight}
                    self._run(self.emitted(weight_pullback, chain.whole), frame, work)
            add_unpadded(grad, layout, to_input[part])
        return to_input, to_weight

    def _pull_block(
        self, a: Array, upstream: Array, into: Array, block: Block, given: Parameters, work: Workspace
    ) -> None:
        stages = self.chain.backward
        values: list[Array] = [a]
        careful = False
        if self.nonlinear:
            values = self._values(stages, a, block, given, work)
            careful = self._careful(values[-1], upstream)
            if self.root is not None and not self._trusted(values[-1], a, block, given, work):
                stages, values = (self.chain.whole,), [a, values[-1]]
                self._balanced(a, block, given, work, values[-1])
        shapes = [a.shape]
        frames = []
        for stage in stages:
            frames.append(self._frame(stage, block, shapes[-1], given, work))
            shapes.append(frames[-1]["shape_out"])
        for number in reversed(range(len(stages))):
            stage, frame = stages[number], frames[number]
            target = into if number == 0 else work.array(("gradient", number), shapes[number])
            if number:
                target.fill(0)
            frame |= {"g": upstream, f"grad_{stage.source}": target}
            if len(values) > number + 1:
                frame |= {stage.source: values[number], "c": values[number + 1]}
            own = number > 0 or block.layout.axes[0].walk.apart  # rows that two blocks read belong to both
            fresh = own and all(stage.walks[axis].apart for axis in stage.axes)
            self._run(self.emitted(pullback, stage, careful, fresh), frame, work)
            upstream = target

    def push(self, x: Array, tangent: Array, layout: Layout, given: Parameters, dtype: npt.DTypeLike) -> Array:
        """The tangent of the output for a tangent of the input."""
        out = np.empty((*x.shape[: -len(layout.axes)], *layout.outputs), dtype)
        work, pad, pad_tangent = Workspace(dtype), Padded(layout, self.fill), Padded(layout, 0.0)
        for part, cuts in self._cuts(x, layout, out.itemsize):
            padded, moved = pad(x[part], dtype), pad_tangent(tangent[part], dtype)
            for block in cuts:
                a, along = padded[block.reads], moved[block.reads]
                stages = self.chain.backward
                values = self._values(stages, a, block, given, work)
                careful = self._careful(values[-1], along)
                if self.root is not None and not self._trusted(values[-1], a, block, given, work):
                    stages, values = (self.chain.whole,), [a, values[-1]]
                    self._balanced(a, block, given, work, values[-1])
                for number, stage in enumerate(stages):
                    frame = self._frame(stage, block, along.shape, given, work)
                    last = number == len(stages) - 1
                    into = out[part][block.writes] if last else work.array(("tangent", number), frame["shape_out"])
                    frame |= {stage.source: values[number], "c": values[number + 1], "d_in": along, "d_c": into}
                    self._run(self.emitted(pushforward, stage, careful), frame, work)
                    along = into
        return out

    def indices(self, x: Array, layout: Layout, dtype: npt.DTypeLike) -> Array:
        """The flat index in the input plane of the first maximum of every window, -1 where no tap is real."""
        result = np.empty((*x.shape[: -len(layout.axes)], *layout.outputs), np.int64)
        work, pad = Workspace(dtype), Padded(layout, self._filling(dtype))
        for part, cuts in self._cuts(x, layout, np.dtype(np.int64).itemsize):
            padded = pad(x[part], dtype)
            for block in cuts:
                result[part][block.writes] = self._winners(padded[block.reads], block, work)
        return result

    def _winners(self, a: Array, block: Block, work: Workspace) -> Array:
        """Follow the number of the winning tap through the stages, then look up where that tap reads."""
        stages = self.chain.winners
        values = self._values(stages, a, block, {}, work)
        carried: list[Array] = []
        for number, stage in enumerate(stages):
            frame = self._frame(stage, block, values[number].shape, {}, work)
            frame |= {stage.source: values[number], "c": values[number + 1]}
            fresh = [work.array(("winner", number, k), frame["shape_out"], np.int64) for k in range(len(carried) + 1)]
            frame |= {"k": fresh[0]} | {f"k_in{k}": array for k, array in enumerate(carried)}
            frame |= {f"k_out{k}": array for k, array in enumerate(fresh[1:])}
            self._run(self.emitted(winners, stage, len(carried)), frame, work)
            carried = fresh
        flat = np.zeros(carried[0].shape, np.int64)
        missing = np.zeros(carried[0].shape, np.bool_)
        for stage, numbers in zip(reversed(stages), carried, strict=True):
            missing |= numbers < 0
            taps = np.unravel_index(np.maximum(numbers, 0), [stage.walks[axis].taps for axis in stage.axes])
            for axis, tap in zip(stage.axes, taps, strict=True):
                place = block.layout.axes[axis]
                here = np.arange(place.outputs)[block.rows if axis == 0 else slice(None)]
                after = (1,) * (len(block.layout.axes) - 1 - axis)
                stride = prod(block.layout.sizes[axis + 1 :])
                flat += place.positions[tap, here.reshape(here.shape + after)] * stride
        flat[missing] = -1
        return flat
