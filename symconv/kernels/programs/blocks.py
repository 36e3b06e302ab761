"""The loop around the programs: blocks that stay in the cache, scratch arrays, and what every program is handed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from symconv.kernels.programs.lambdified import Emitted
from symconv.kernels.programs.stage import ChainStage
from symconv.kernels.runtime.layout import Layout
from symconv.kernels.runtime.order import Order
from symconv.kernels.runtime.padding import Array
from symconv.kernels.runtime.workspace import Workspace

__all__ = ["KEPT", "Block", "BlockValues", "Cuts", "Parameters", "Prepared", "Sweep", "blocks"]

Parameters = Mapping[str, Array]

T = TypeVar("T")

KEPT = 1024
"""How many frames and the like, and how many ways to cut a call into blocks, are kept for the next call."""


@dataclass(frozen=True)
class Block:
    """A part of the batch and of the rows of the output, and the extents that go with it."""

    batch: slice
    rows: slice
    layout: Layout

    @cached_property
    def outputs(self) -> tuple[int, ...]:
        return (self.rows.stop - self.rows.start, *self.layout.outputs[1:])

    @cached_property
    def _reads(self) -> Any:
        """The part of the padded input that the block reads, None for all of it."""
        first, *others = self.layout.axes
        spans = [first.span(self.rows.start, self.rows.stop), *(axis.span(0, axis.outputs) for axis in others)]
        whole = all(span == slice(0, axis.length) for span, axis in zip(spans, self.layout.axes, strict=True))
        return None if whole else (..., *spans)

    @cached_property
    def _writes(self) -> Any:
        """The part of an output (after its batch has been taken) that the block writes, None for all of it."""
        whole = self.rows == slice(0, self.layout.outputs[0])
        return None if whole else (..., self.rows, *[slice(None)] * (len(self.layout.axes) - 1))

    def windows(self, padded: Array) -> Array:
        """What the block reads of the padded input of its part of the batch."""
        return padded if self._reads is None else padded[self._reads]

    def outcome(self, y: Array) -> Array:
        """What the block writes of an output, or is handed of its gradient."""
        part: Array = y[self.batch]
        return part if self._writes is None else part[self._writes]

    @cached_property
    def key(self) -> tuple[int, int]:
        """The rows as numbers."""
        return self.rows.start, self.rows.stop


Cuts: TypeAlias = Sequence[tuple[slice, Sequence[Block]]]
"""Parts of the batch, each with its blocks."""


def blocks(
    batch: int, layout: Layout, row_bytes: int, limit: int, least: int
) -> Iterator[tuple[slice, Sequence[Block]]]:
    """Cut the work into parts of the batch, each with blocks of at least `least` rows.

    `row_bytes` is what one row of one item takes, `limit` what a block should take.
    """
    rows = min(max(least, limit // max(row_bytes, 1)), layout.outputs[0])
    items = max(1, limit // max(row_bytes * rows, 1)) if rows == layout.outputs[0] else 1
    for start in range(0, batch, items):
        part = slice(start, min(start + items, batch))
        cuts = range(0, layout.outputs[0], rows)
        yield part, [Block(part, slice(cut, min(cut + rows, layout.outputs[0])), layout) for cut in cuts]


SHAPES = {"output": "shape_out", "input": "shape_in", "windows": "shape_windows"}
"""Where a frame says the shapes of scratch arrays."""


class BlockValues:
    """What programs are handed on one block beside the arrays that flow: extents, counts, masks, weights.

    Args:
        values: by the names that programs use; those of `SHAPES` are the shapes of their scratch arrays.
    """

    __slots__ = ("_prepared", "shape_out", "values")

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values
        self.shape_out: tuple[int, ...] = values["shape_out"]
        self._prepared: dict[Emitted, Prepared] = {}

    def prepared(self, emitted: Emitted, numbers: npt.DTypeLike | None) -> Prepared:
        """A program with all that it is handed here but the arrays; `numbers` is the type of the numbers of taps."""
        found = self._prepared.get(emitted)
        if found is None:
            found = self._prepared[emitted] = Prepared(emitted, self.values, numbers)
        return found


class Prepared:
    """A program, its arguments with gaps, and what goes into the gaps: arrays by their names, scratch arrays."""

    __slots__ = ("arguments", "arrays", "emitted", "scratch")

    def __init__(self, emitted: Emitted, values: Mapping[str, Any], numbers: npt.DTypeLike | None) -> None:
        self.emitted = emitted
        program = emitted.program
        self.arguments = [values.get(name) for name in program.parameters]
        held = {needed.name: needed for needed in program.scratch}
        self.arrays = [(k, name) for k, name in enumerate(program.parameters) if name not in {*values, *held}]
        self.scratch = []
        for place, name in enumerate(program.parameters):
            if name in held:
                needed = held[name]
                dtype = np.bool_ if needed.holds == "mask" else numbers if needed.holds == "number" else None
                shape = values[SHAPES[needed.like]]
                self.scratch.append((place, (name, needed.holds), shape, dtype))


def tiled(outputs: Sequence[int], taps: Sequence[int]) -> Iterator[int]:
    """The shape of a `TiledView`: the outputs along every axis, and the taps where it has several."""
    for count, tap in zip(outputs, taps, strict=True):
        yield count
        if tap > 1:
            yield tap


class Sweep(Workspace):
    """One call: its layout and its parameters, its scratch arrays, and how a program is run on a block.

    Args:
        layout: the layout of the padded input.
        given: the weights, by their letters.
        dtype: what is computed in.
        known: what earlier calls with the same layout, parameters and type have worked out; more is put there.
        order: how the input lies in memory, and all arrays ``(N, C, *sizes)`` that are made for it.
    """

    def __init__(
        self,
        layout: Layout,
        given: Parameters,
        dtype: npt.DTypeLike,
        known: dict[tuple[Any, ...], Any],
        order: Order,
    ) -> None:
        super().__init__(dtype)
        self.layout, self.given, self.order = layout, given, order
        self._known = known
        self._axes = 2 + len(layout.axes)

    def new(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        if not self.order.last or len(shape) < self._axes:
            return super().new(shape, dtype)
        return self.order.shown(super().new(self.order.stored(shape), dtype))

    def frame(self, stage: ChainStage, block: Block, source: tuple[int, ...]) -> BlockValues:
        """What a stage is handed on a block, for a source of a shape."""
        return self.kept((stage, source, block.key), self._frame, stage, block, source)

    def kept(self, key: tuple[Any, ...], make: Callable[..., T], *of: Any) -> T:
        """What was made before, for a call with the same layout, parameters and type."""
        found: T | None = self._known.get(key)
        if found is None:
            if len(self._known) >= KEPT:
                self._known.clear()
            found = self._known[key] = make(*of)
        return found

    def _frame(self, stage: ChainStage, block: Block, source: tuple[int, ...]) -> BlockValues:
        ndim = len(stage.walks)
        shape = list(source[len(source) - ndim :])
        frame: dict[str, Any] = dict(self.given)
        for axis in stage.axes:
            outputs = block.outputs[axis]
            frame[f"e{axis}"] = stage.walks[axis].stride * (outputs - 1) + 1
            frame[f"n{axis}"] = shape[axis]
            shape[axis] = outputs
        for axis, place in enumerate(self.layout.axes):
            here = block.rows if axis == 0 else slice(None)
            after = (1,) * (ndim - 1 - axis)
            if place.count is not None:
                counts = place.count[here].astype(self.dtype)
                frame[f"r{axis}"] = counts.reshape(counts.shape + after)
            if place.walk.guards:
                real = np.ones((place.walk.taps, place.outputs), np.bool_) if place.real is None else place.real
                frame[f"v{axis}"] = real[:, here].reshape((real.shape[0], -1, *after))
        lead = source[: len(source) - ndim]
        frame["shape_in"], frame["shape_out"] = source, (*lead, *shape)
        frame["shape_windows"] = (*lead, *tiled(shape, stage.tile))
        return BlockValues(frame)

    def run(
        self, emitted: Emitted, frame: BlockValues, arrays: Mapping[str, Any], numbers: npt.DTypeLike | None = None
    ) -> None:
        """Run a program, with scratch arrays of the shapes that the frame says; `numbers` is the type of numbers."""
        self.call(frame.prepared(emitted, numbers), arrays)

    def call(self, prepared: Prepared, arrays: Mapping[str, Any]) -> None:
        """Run a program that is ready."""
        arguments = prepared.arguments.copy()
        for place, name in prepared.arrays:
            arguments[place] = arrays[name]
        for place, key, shape, dtype in prepared.scratch:
            arguments[place] = self.array(key, shape, dtype)
        prepared.emitted.function(*arguments)

    def values_of(
        self,
        stages: Sequence[ChainStage],
        programs: Sequence[Emitted],
        a: Array,
        block: Block,
        out: Array | None = None,
        key: str = "value",
    ) -> list[Array]:
        """The input of the first stage, then the output of every stage; the last one is written to `out` if given.

        `key` keeps what two runs write into the workspace apart.
        """
        values = [a]
        key_of = (stages[0], len(stages), a.shape, block.key)  # no two chains begin with one stage and are as long
        steps = self.kept(key_of, self._steps, stages, programs, block, a.shape)
        last = len(steps) - 1
        for number, (prepared, source, shape) in enumerate(steps):
            c = out if number == last and out is not None else self.array((key, number), shape)
            self.call(prepared, {source: values[-1], "c": c})
            values.append(c)
        return values

    def _steps(
        self, stages: Sequence[ChainStage], programs: Sequence[Emitted], block: Block, shape: tuple[int, ...]
    ) -> list[tuple[Prepared, str, tuple[int, ...]]]:
        """Every stage's program, made ready, with the letter of its source and the shape of its output."""
        found = []
        for stage, emitted in zip(stages, programs, strict=True):
            frame = self.frame(stage, block, shape)
            shape = frame.shape_out
            found.append((frame.prepared(emitted, None), stage.source, shape))
        return found
