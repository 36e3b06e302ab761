"""The loop around the programs: blocks that stay in the cache, scratch arrays, and what every program is handed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.kernels.layout import Layout
from symconv.kernels.padding import Array
from symconv.kernels.stages.lambdified import Emitted
from symconv.kernels.stages.stage import Stage

__all__ = ["KEPT", "Block", "Parameters", "Sweep", "Workspace", "blocks"]

Parameters = Mapping[str, Array]

KEPT = 256
"""How many frames, and how many ways to cut a call into blocks, are kept for the next call."""


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
    def reads(self) -> tuple[Any, ...]:
        """The part of the padded input that the block reads."""
        first, *others = self.layout.axes
        return (..., first.span(self.rows.start, self.rows.stop), *(axis.span(0, axis.outputs) for axis in others))

    @cached_property
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

    def __contains__(self, made: tuple[object, tuple[int, ...]]) -> bool:
        """Whether an array of this key and shape has been handed out."""
        return made in self._arrays

    def array(self, key: object, shape: tuple[int, ...], dtype: npt.DTypeLike | None = None) -> Array:
        """An array with arbitrary contents; the same one for the same key and shape."""
        found = self._arrays.get((key, shape))
        if found is None:
            found = self._arrays[key, shape] = np.empty(shape, self.dtype if dtype is None else dtype)
        return found


class Sweep(Workspace):
    """One call: its layout and its parameters, its scratch arrays, and how a program is run on a block.

    Args:
        layout: the layout of the padded input.
        given: the weights, by their letters.
        dtype: what is computed in.
        frames: the frames of earlier calls with the same layout, parameters and type; new ones are put there.
    """

    def __init__(
        self,
        layout: Layout,
        given: Parameters,
        dtype: npt.DTypeLike,
        frames: dict[tuple[Any, ...], Mapping[str, Any]] | None = None,
    ) -> None:
        super().__init__(dtype)
        self.layout, self.given = layout, given
        self._frames = {} if frames is None else frames

    def frame(self, stage: Stage, block: Block, source: tuple[int, ...]) -> Mapping[str, Any]:
        """Everything that a program of a stage may ask for but the arrays that flow: extents, counts, masks."""
        key = (id(stage), source, block.rows.start, block.rows.stop)
        found = self._frames.get(key)
        if found is None:
            if len(self._frames) >= KEPT:
                self._frames.clear()
            found = self._frames[key] = self._framed(stage, block, source)
        return found

    def _framed(self, stage: Stage, block: Block, source: tuple[int, ...]) -> Mapping[str, Any]:
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
                real = np.ones(place.positions.shape, np.bool_) if place.real is None else place.real
                frame[f"v{axis}"] = real[:, here].reshape((real.shape[0], -1, *after))
        frame["shape_in"], frame["shape_out"] = source, (*source[: len(source) - ndim], *shape)
        return frame

    def run(
        self,
        emitted: Emitted,
        frame: Mapping[str, Any],
        arrays: Mapping[str, Any],
        numbers: npt.DTypeLike | None = None,
    ) -> None:
        """Run a program, with scratch arrays of the shapes that the frame says; `numbers` is the type of numbers."""
        scratch = {}
        for needed in emitted.program.scratch:
            shape = frame["shape_in" if needed.like == "input" else "shape_out"]
            dtype = np.bool_ if needed.holds == "mask" else numbers if needed.holds == "number" else None
            scratch[needed.name] = self.array((needed.name, needed.holds), shape, dtype)
        values = {**frame, **arrays, **scratch}
        emitted.function(*[values[name] for name in emitted.program.parameters])

    def values_of(
        self,
        stages: Sequence[Stage],
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
        for number, (stage, emitted) in enumerate(zip(stages, programs, strict=True)):
            frame = self.frame(stage, block, values[-1].shape)
            last = number == len(stages) - 1
            c = out if last and out is not None else self.array((key, number), frame["shape_out"])
            self.run(emitted, frame, {stage.source: values[-1], "c": c})
            values.append(c)
        return values
