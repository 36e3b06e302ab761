"""The gradient of a chain, stage by stage: which programs run on a block, made ready once a shape, and running them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import prod
from typing import Any

from symconv.kernels.programs.blocks import Block, BlockValues, Prepared, Sweep
from symconv.kernels.programs.derivative import forward, partial, pullback, tiled_pullback
from symconv.kernels.programs.lambdified import Emitted, Programs
from symconv.kernels.programs.mirror import Mirror, mirrored, scaled
from symconv.kernels.programs.program import Program
from symconv.kernels.programs.stage import Chain, ChainStage, summed_at_once
from symconv.kernels.runtime.layout import Layout
from symconv.kernels.runtime.padding import Array

__all__ = ["Backward", "Manner", "Move"]

Index = tuple[Any, ...]


@dataclass(frozen=True)
class Manner:
    """How the gradient of a block is computed.

    Attributes:
        at_once: how many of the first stages hand what arrives to all entries in one pass.
        own: no entry of the gradient is read by another block.
        written: the gradient is written; else it is added to what is there.
        careful, nonzero: as for `pullback`.
    """

    at_once: int
    own: bool
    written: bool
    careful: bool = False
    nonzero: bool = False


@dataclass(frozen=True)
class Move(ABC):
    """What hands the gradient of a stage's output on to its input.

    Attributes:
        number: which stage it is, `source` the letter of its input.
        shape: of the scratch array that it goes to; None for the gradient of the block's input.
        ready: the program.
    """

    number: int
    source: str
    shape: tuple[int, ...] | None
    ready: Prepared

    def target(self, sweep: Sweep, into: Array) -> Array:
        """The array that it goes to."""
        return into if self.shape is None else sweep.array(("gradient", self.number), self.shape)

    @abstractmethod
    def run(self, sweep: Sweep, values: Sequence[Array | None], upstream: Array, into: Array) -> Array:
        """The gradient of the stage's input; `values` are the input of the first stage and the outputs of all."""


@dataclass(frozen=True)
class _Handed(Move):
    """Tap by tap, or to all taps at once.

    Attributes:
        stop: the number of the stage after the last one that it takes.
        zero: whether there are entries that nothing is written to, or what is written is added to what is there.
    """

    stop: int
    zero: bool

    def run(self, sweep: Sweep, values: Sequence[Array | None], upstream: Array, into: Array) -> Array:
        target = self.target(sweep, into)
        if self.zero:
            target.fill(0)
        arrays = {self.source: values[self.number], "c": values[self.stop], "g": upstream}
        sweep.call(self.ready, {**arrays, f"grad_{self.source}": target})
        return target


@dataclass(frozen=True)
class _Reflected(Move):
    """As sums of what arrives, between zeros: see `symconv.kernels.programs.mirror`.

    Attributes:
        framed: the shape of what arrives with the zeros around it; `edges` and `middle` are parts of that.
        parts: of every mirror the entries that it writes, what it reads, and its program; None where nothing is read.
        extra: the shape of an array whose entries are then added to the target; None where that is written itself.
    """

    framed: tuple[int, ...]
    edges: tuple[Index, Index]
    middle: Index
    parts: tuple[tuple[Index, tuple[Index, Prepared] | None], ...]
    extra: tuple[int, ...] | None

    def run(self, sweep: Sweep, values: Sequence[Array | None], upstream: Array, into: Array) -> Array:
        target = self.target(sweep, into)
        out = target if self.extra is None else sweep.array("mirror", self.extra)
        framed = sweep.array(("framed", self.number), self.framed)
        for edge in self.edges:
            framed[edge] = 0
        sweep.call(self.ready, {"g": upstream, "t": framed[self.middle], "c": values[self.number + 1]})
        for entries, reads in self.parts:
            if reads is None:
                out[entries] = 0
            else:
                sweep.call(reads[1], {self.source: framed[reads[0]], "c": out[entries]})
        if out is not target:
            target += out
        return target


class Backward:
    """The gradient of a chain with respect to its input, but for a maximum that one tap alone wins.

    Args:
        chain: the chain.
        programs: emits what is needed.
    """

    def __init__(self, chain: Chain, programs: Programs) -> None:
        self.stages = chain.backward
        self.whole = chain.whole
        self.programs = programs
        reduce = chain.whole.reduction
        self.sums = reduce is not None and reduce.op == "sum"
        found = {stage: mirrored(stage) for stage in self.stages}
        self._mirrors = {key: mirrors for key, mirrors in found.items() if mirrors}
        self._together: dict[int, ChainStage] = {}

    # ------------------------------------------------------------------ programs

    def listing(self) -> list[Emitted]:
        """The programs in the order in which they run on row-major arrays where nothing is out of the ordinary."""
        found = []
        at_once = self._at_once([walk.tiling for walk in self.whole.walks], last=False)
        for number in reversed(range(at_once, len(self.stages))):
            stage = self.stages[number]
            if stage in self._mirrors:
                found.append(self._scaling(scaled, self.stages, number, True))
                parts = [mirror.stage for mirror in self._mirrors[stage]]
                found += [self.programs(forward, part) for part in parts if part is not None]
            else:
                fresh = all(stage.walks[axis].apart for axis in stage.axes)
                found.append(self._scaling(pullback, self.stages, number, False, fresh, True))
        return [*found, self._tiled(at_once, True)] if at_once else found

    def _scaling(
        self, kind: Callable[..., Program], stages: Sequence[ChainStage], number: int, *options: Any
    ) -> Emitted:
        """The program of a stage; what the stages multiply by, the last one does for all of them."""
        coefficients = [partial(stage, stage.source).coefficient for stage in stages]
        scale = prod(coefficients, start=Fraction(1)) if number == len(stages) - 1 else Fraction(1)
        return self.programs(kind, stages[number], *options, scale)

    def _tiled(self, count: int, nonzero: bool) -> Emitted:
        """The program of so many of the first stages at once."""
        if count == len(self.stages):
            return self.programs(tiled_pullback, self.whole, nonzero)
        return self.programs(tiled_pullback, self._summed(count), nonzero, Fraction(1))  # the last stage scales

    def _summed(self, count: int) -> ChainStage:
        if count == len(self.stages):
            return self.whole
        if count not in self._together:
            self._together[count] = summed_at_once(self.stages[:count])
        return self._together[count]

    # ------------------------------------------------------------------ what is known of them

    @cached_property
    def ends_only(self) -> bool:
        """True where no program asks for what is between two stages."""
        for number, stage in enumerate(self.stages):
            kind, options = (scaled, (True,)) if stage in self._mirrors else (pullback, (False, False, True))
            needed = self._scaling(kind, self.stages, number, *options).program.parameters
            if (number > 0 and stage.source in needed) or (number < len(self.stages) - 1 and "c" in needed):
                return False
        return True

    def at_once(self, layout: Layout, last: bool) -> int:
        """How many of the first stages hand what arrives to all entries in one pass, at a size."""
        return self._at_once([axis.tiled for axis in layout.axes], last)

    def _at_once(self, tiled: Sequence[bool], last: bool) -> int:
        """The same where windows tile some axes.

        That is possible along axes that windows tile. It is faster than one pass a tap where neighbours along an axis
        are far apart in memory: along all axes with channels last, else along all but the last one. There a single
        sum alone gains nothing, and what goes entry by entry alone never does.
        """
        if not self.sums or self.whole.weight is not None:
            return 0
        count = 0
        for stage in self.stages:
            if not all(tiled[axis] and (last or axis < len(tiled) - 1) for axis in stage.axes):
                break
            count += 1
        return count if count > 1 or (last and count and self.stages[0].axes) else 0

    def writes(self, stage: ChainStage, layout: Layout) -> bool:
        """True where the gradient of a stage is written, each entry once, and nothing is added to what was there."""
        return stage in self._mirrors or all(layout.axes[axis].tiled for axis in stage.axes)

    # ------------------------------------------------------------------ one block

    def run(
        self,
        sweep: Sweep,
        stages: Sequence[ChainStage],
        values: Sequence[Array | None],
        upstream: Array,
        into: Array,
        block: Block,
        manner: Manner,
    ) -> None:
        """Add the gradient of a block's input to `into`; or write it, where that is its manner.

        Args:
            sweep: the call.
            stages: those of the chain, or all of it as one.
            values: the input and the output of every stage, None for what is not needed.
            upstream: the gradient of the output.
            into: the gradient of the input.
            block, manner: where, and how.
        """
        shape = into.shape
        key = ("backward", stages[0], len(stages), shape, block.key, manner)
        for move in sweep.kept(key, self._moves, sweep, stages, shape, block, manner):
            upstream = move.run(sweep, values, upstream, into)

    def _moves(
        self, sweep: Sweep, stages: Sequence[ChainStage], shape: tuple[int, ...], block: Block, manner: Manner
    ) -> list[Move]:
        frames, shapes = [], [shape]
        for stage in stages:
            frames.append(sweep.frame(stage, block, shapes[-1]))
            shapes.append(frames[-1].shape_out)
        moves: list[Move] = []
        for number in reversed(range(manner.at_once, len(stages))):
            stage, frame = stages[number], frames[number]
            if stage in self._mirrors:
                moves.append(self._reflected(stages, number, frame, shapes[number + 1], manner))
                continue
            apart = all(stage.walks[axis].apart for axis in stage.axes)
            fresh = (number > 0 or manner.own) and not manner.careful and apart
            zero = not (fresh and self.writes(stage, sweep.layout)) and (number > 0 or manner.written)
            emitted = self._scaling(pullback, stages, number, manner.careful, fresh, manner.nonzero)
            target = shapes[number] if number else None
            moves.append(_Handed(number, stage.source, target, frame.prepared(emitted, None), number + 1, zero))
        if manner.at_once:
            stage = self._summed(manner.at_once)
            ready = sweep.frame(stage, block, shape).prepared(self._tiled(manner.at_once, manner.nonzero), None)
            moves.append(_Handed(0, stage.source, None, ready, manner.at_once, False))
        return moves

    def _reflected(
        self, stages: Sequence[ChainStage], number: int, frame: BlockValues, outputs: tuple[int, ...], manner: Manner
    ) -> Move:
        stage, shape = stages[number], frame.values["shape_in"]
        (axis,) = stage.axes
        walk, place = stage.walks[axis], len(shape) + axis - len(stage.walks)
        margin, length = walk.reach // walk.stride, outputs[place]

        def at(along: slice) -> Index:
            return (..., along, *[slice(None)] * (len(shape) - 1 - place))

        def part(mirror: Mirror) -> tuple[Index, tuple[Index, Prepared] | None]:
            entries = slice(mirror.first, None, walk.stride)
            if mirror.stage is None:
                return at(entries), None
            count, begin = len(range(*entries.indices(shape[place]))), margin - mirror.back
            extent = count + mirror.stage.walks[axis].reach
            reads, writes = ((*shape[:place], n, *shape[place + 1 :]) for n in (extent, count))
            extents = {f"e{axis}": count, f"n{axis}": extent, "shape_in": reads, "shape_out": writes}
            ready = BlockValues(extents).prepared(self.programs(forward, mirror.stage), None)
            return at(entries), (at(slice(begin, begin + extent)), ready)

        emitted = self._scaling(scaled, stages, number, manner.nonzero)
        return _Reflected(
            number,
            stage.source,
            shape if number else None,
            BlockValues({**frame.values, "shape_out": outputs}).prepared(emitted, None),
            (*outputs[:place], length + 2 * margin, *outputs[place + 1 :]),
            (at(slice(0, margin)), at(slice(margin + length, None))),
            at(slice(margin, margin + length)),
            tuple(part(mirror) for mirror in self._mirrors[stage]),
            None if number or manner.written else shape,
        )
