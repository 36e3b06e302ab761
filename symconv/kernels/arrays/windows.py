"""The part of an array that windows read, and views of it: worked out once for a shape, and used in every call."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from math import prod
from operator import mul
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from symconv.kernels.runtime.geometry import Line
from symconv.kernels.runtime.padding import Array

__all__ = [
    "PREPARED",
    "Cover",
    "Memory",
    "StridedView",
    "cover_of",
    "memory_of",
    "narrowed",
    "packed",
    "place",
    "sections",
    "split",
    "taken",
]

PREPARED = 64
"""For how many shapes the parts of the work are kept."""

SMALL = 4096
"""Measured: a buffer of no more entries is filled with zeros as a whole, a larger one along its edges."""


class Memory(NamedTuple):
    """How an array lies in memory: its shape, its strides, and whether it is contiguous."""

    shape: tuple[int, ...]
    strides: tuple[int, ...]
    contiguous: bool

    def of_items(self, count: int) -> Memory:
        """So many items of a batch."""
        return self._replace(shape=(count, *self.shape[1:]))


def memory_of(a: Array) -> Memory:
    """How an array lies in memory."""
    return Memory(a.shape, a.strides, a.flags.c_contiguous)


def packed(shape: tuple[int, ...], itemsize: int) -> Memory:
    """How a new array lies in memory."""
    steps = accumulate(reversed(shape[1:]), mul, initial=itemsize)
    return Memory(shape, tuple(reversed(list(steps))), True)


@dataclass(frozen=True)
class StridedView:
    """What shows an array in another shape, with strides of its own, from an entry on.

    Attributes:
        shape, strides: of the view.
        start: the index of the first entry, `offset` how many bytes it is from the first of the array.
        contiguous: whether the array is.
    """

    shape: tuple[int, ...]
    strides: tuple[int, ...]
    start: tuple[int, ...]
    offset: int
    contiguous: bool

    @staticmethod
    def of(memory: Memory, start: tuple[int, ...], shape: tuple[int, ...], strides: tuple[int, ...]) -> StridedView:
        """The view of arrays that lie in memory in one way."""
        offset = sum(place * stride for place, stride in zip(start, memory.strides, strict=True))
        return StridedView(shape, strides, start, offset, memory.contiguous)

    def show(self, a: Array) -> Array:
        """The view of an array, for reading."""
        if self.contiguous:  # several times as fast as the general way
            return np.ndarray(self.shape, a.dtype, a, self.offset, self.strides)
        first = a[tuple(slice(place, None) for place in self.start)]
        view: Array = as_strided(first, self.shape, self.strides, writeable=False)
        return view


@dataclass(frozen=True)
class Cover:
    """What of an array ``(..., *sizes)`` is read, and where it stands in a buffer ``(..., *outputs)``.

    Attributes:
        here: the part of the array, as an index.
        there: the same of the buffer.
        edges: the parts of the buffer that no entry of the array is for.
    """

    here: tuple[Any, ...]
    there: tuple[Any, ...]
    edges: tuple[Any, ...]


def cover_of(lines: tuple[Line, ...], lead: int = 1) -> Cover:
    """The cover of what the first taps read, for buffers ``(..., *outputs)`` of `lead` times as many entries."""
    here, there, edges = [], [], []
    for axis, line in enumerate(lines):
        first, stop, entry = line.real(0)
        here.append(
            slice(entry, entry + line.stride * (stop - first - 1) + 1, line.stride) if stop > first else slice(0)
        )
        there.append(slice(first, stop))
        rest = (slice(None),) * (len(lines) - axis - 1)
        edges += [(..., part, *rest) for part in (slice(0, first), slice(stop, line.outputs)) if part.stop > part.start]
    if edges and lead * prod(line.outputs for line in lines) <= SMALL:
        edges = [(...,)]
    return Cover((..., *here), (..., *there), tuple(edges))


def place(a: Array, cover: Cover, buffer: Array) -> None:
    """Fill a buffer with the part of an array that is read, and with 0 where there is none."""
    for edge in cover.edges:
        buffer[edge] = 0
    buffer[cover.there] = a[cover.here]


def split(batch: int, outputs: tuple[int, ...], wanted: int) -> tuple[int, int]:
    """How many items, or else how many rows of one item, have about `wanted` outputs."""
    row = prod(outputs[1:])
    count = -(-outputs[0] // max(1, min(outputs[0], wanted // row)))
    height = -(-outputs[0] // count)
    return (max(1, min(batch, wanted // (row * height))) if count == 1 else 1), height


def narrowed(index: tuple[Any, ...], shape: tuple[int, ...]) -> tuple[Any, ...] | None:
    """An index of slices along the first axes, or None where it takes all of an array of a shape."""
    return None if all(part.indices(size) == (0, size, 1) for part, size in zip(index, shape)) else index


def taken(a: Array, index: tuple[Any, ...] | None) -> Array:
    """A part of an array; a small call, which has one part, takes whole arrays, and is spared the slicing."""
    if index is None:
        return a
    part: Array = a[index]
    return part


def sections(batch: int, together: int) -> Iterator[tuple[range, int]]:
    """The items of a batch, so many at once: where the parts with equally many items begin, and how many these are."""
    whole = batch - batch % together
    if whole:
        yield range(0, whole, together), together
    if whole < batch:
        yield range(whole, batch, batch - whole), batch - whole
