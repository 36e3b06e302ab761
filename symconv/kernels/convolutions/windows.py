"""The part of an array that a block of windows reads, and the windows themselves as one view of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import prod
from typing import Any

from numpy.lib.stride_tricks import as_strided

from symconv.kernels.geometry import Line
from symconv.kernels.padding import Array
from symconv.kernels.stages.blocks import Workspace

__all__ = ["Cut", "cuts", "place", "read", "rows", "taps_of"]


@dataclass(frozen=True)
class Cut:
    """A part of the batch, and outputs ``start..stop-1`` along the first axis."""

    items: slice
    start: int
    stop: int


def cuts(batch: int, outputs: tuple[int, ...], wanted: int) -> Iterator[Cut]:
    """Cut a batch into parts of about `wanted` outputs: some rows of one item, or some items at once."""
    row = prod(outputs[1:])
    count = -(-outputs[0] // max(1, min(outputs[0], wanted // row)))
    height = -(-outputs[0] // count)
    together = max(1, wanted // (row * height)) if count == 1 else 1
    for first in range(0, batch, together):
        for start in range(0, outputs[0], height):
            yield Cut(slice(first, min(first + together, batch)), start, min(start + height, outputs[0]))


def rows(lines: tuple[Line, ...], start: int, stop: int) -> tuple[Line, ...]:
    """How the outputs ``start..stop-1`` along the first axis read."""
    first, *others = lines
    return (replace(first, outputs=stop - start, before=first.before - first.stride * start), *others)


def _cover(lines: tuple[Line, ...]) -> list[tuple[slice, slice]]:
    """For every axis the entries that windows read and that exist: counted from the first one read, and as they are."""
    cover = []
    for line in lines:
        low = min(max(0, line.before), line.length)
        high = max(low, min(line.length, line.before + line.size))
        cover.append((slice(low, high), slice(low - line.before, high - line.before)))
    return cover


def _indices(cover: list[tuple[slice, slice]]) -> tuple[Any, Any]:
    """A cover as an index of what is read, and as one of the array."""
    return (..., *(there for there, _ in cover)), (..., *(here for _, here in cover))


def place(a: Array, lines: tuple[Line, ...], buffer: Array) -> None:
    """Fill a buffer ``(..., *lengths)`` with what windows read of an array ``(..., *sizes)``, and 0 outside of it."""
    cover = _cover(lines)
    for axis, (there, _) in enumerate(cover):
        rest: Any = (slice(None),) * (len(lines) - axis - 1)
        for part in (slice(0, there.start), slice(there.stop, lines[axis].length)):
            if part.stop > part.start:
                buffer[(..., part, *rest)] = 0
    there, here = _indices(cover)
    buffer[there] = a[here]


def read(a: Array, lines: tuple[Line, ...], work: Workspace) -> Array:
    """What windows read of an array, ``(..., *lengths)``: a view of it where all of that exists."""
    cover = _cover(lines)
    if all(there == slice(0, line.length) for (there, _), line in zip(cover, lines, strict=True)):
        view: Array = a[_indices(cover)[1]]
        return view
    buffer = work.array("read", (*a.shape[: -len(lines)], *(line.length for line in lines)))
    place(a, lines, buffer)
    return buffer


def taps_of(a: Array, lines: tuple[Line, ...]) -> Array:
    """What each tap reads at all outputs: a view ``(groups, channels, *taps, batch, *outputs)``.

    `a` is ``(batch, groups, channels, *lengths)``.
    """
    batch, *lead = a.strides[:3]
    pairs = list(zip(lines, a.strides[3:], strict=True))
    view: Array = as_strided(
        a,
        (*a.shape[1:3], *(line.taps for line in lines), a.shape[0], *(line.outputs for line in lines)),
        (*lead, *(line.step * unit for line, unit in pairs), batch, *(line.stride * unit for line, unit in pairs)),
        writeable=False,
    )
    return view
