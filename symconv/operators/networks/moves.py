"""What nodes do that put entries elsewhere: other orders, shapes and parts of axes, and interpolation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from symconv.errors import GeometryError
from symconv.operators.networks.acts import Act, Shape, Tracks
from symconv.operators.networks.image import Image, Masks
from symconv.operators.networks.staircase import LONGEST, Field, Staircase
from symconv.operators.networks.track import Track, groups, joined

__all__ = ["Concat", "Reshape", "Resize", "Slice", "Transpose"]

MOST_PRODUCT = 4_000_000


@dataclass(frozen=True)
class Transpose(Act):
    """The axes in another order; `order[j]` is the axis of the input that becomes axis j."""

    order: tuple[int, ...]

    def size(self, shapes: Sequence[Shape]) -> Shape | None:
        return tuple(shapes[0][axis] for axis in self.order)

    def tracks(self, images: Sequence[Image], shape: Shape) -> Tracks:
        places = {axis: place for place, axis in enumerate(self.order)}
        return {key: track.moved(places) for key, track in images[0].tracks.items()}

    def back(self, wanted: Masks, shapes: Sequence[Shape], shape: Shape) -> Sequence[Masks]:
        places = {axis: place for place, axis in enumerate(self.order)}
        return [tuple(wanted[places[axis]] for axis in range(len(self.order)))]


@dataclass(frozen=True)
class Reshape(Act):
    """The same entries, row by row, in another shape: flattening, squeezing, splitting of axes."""

    target: Shape | None = None

    def size(self, shapes: Sequence[Shape]) -> Shape | None:
        return self.target

    def tracks(self, images: Sequence[Image], shape: Shape) -> Tracks:
        return {key: track.reshaped(images[0].shape, shape) for key, track in images[0].tracks.items()}

    def back(self, wanted: Masks, shapes: Sequence[Shape], shape: Shape) -> Sequence[Masks]:
        import numpy as np

        found: list[Any] = [None] * len(shapes[0])
        for inner, outer in groups(shapes[0], shape):
            if all(wanted[axis] is None for axis in outer):
                continue
            counts = [shape[axis] for axis in outer]
            if prod(counts) > MOST_PRODUCT:
                continue
            block = np.ones(counts, np.bool_)
            for place, axis in enumerate(outer):
                mask = wanted[axis]
                if mask is not None:
                    block &= mask.reshape([-1 if at == place else 1 for at in range(len(outer))])
            block = block.reshape([shapes[0][axis] for axis in inner])
            for place, axis in enumerate(inner):
                found[axis] = block.any(axis=tuple(at for at in range(len(inner)) if at != place))
        return [tuple(found)]


@dataclass(frozen=True)
class Slice(Act):
    """Some places of every axis: ``start + step * o`` for ``o = 0 .. count - 1``; None for all of them."""

    cuts: tuple[tuple[int, int, int] | None, ...]

    def size(self, shapes: Sequence[Shape]) -> Shape | None:
        return tuple(n if cut is None else cut[2] for n, cut in zip(shapes[0], self.cuts, strict=True))

    def tracks(self, images: Sequence[Image], shape: Shape) -> Tracks:
        found = {}
        for key, track in images[0].tracks.items():
            for axis, cut in enumerate(self.cuts):
                if cut is not None:
                    place = Staircase((cut[0],), cut[1])
                    track = track.through(axis, place, place)
            found[key] = track
        return found

    def back(self, wanted: Masks, shapes: Sequence[Shape], shape: Shape) -> Sequence[Masks]:
        import numpy as np

        found: list[Any] = []
        for n, cut, mask in zip(shapes[0], self.cuts, wanted, strict=True):
            if cut is None:
                found.append(mask)
                continue
            read = np.zeros(n, np.bool_)
            places = np.arange(cut[2]) if mask is None else np.flatnonzero(mask)
            read[cut[0] + cut[1] * places] = True
            found.append(read)
        return [tuple(found)]


_APART = "parts that lie apart in the input are put together"


def _places(track: Track, axis: int, start: int, count: int) -> tuple[list[int], list[int]]:
    """The first and the last positions for some places of an axis, with what is added whatever the place is."""
    if track.whole:
        return [0] * count, [track.size - 1] * count
    term = track.terms.get(axis, Field(Staircase((0,), 0), Staircase((0,), 0)))
    shift = Staircase((start,), 1)
    low, high = (end.after(shift).over(count) for end in (term.first, term.last))
    return [int(n) + track.ends[0] for n in low], [int(n) + track.ends[1] for n in high]


@dataclass(frozen=True)
class Concat(Act):
    """One after the other along an axis, each from its start on; constants may lie between them.

    Parts of one image at the places where they were are that image again; where an axis lies along positions of the
    input and its parts are put together otherwise, the positions are not known any more.
    """

    axis: int
    starts: tuple[int, ...]
    total: int

    @staticmethod
    def of(axis: int, counts: Sequence[int], constant: Sequence[bool] | None = None) -> Concat:
        """Parts with so many places each, of which some are constants."""
        starts = [sum(counts[:place]) for place in range(len(counts))]
        left = [start for place, start in enumerate(starts) if constant is None or not constant[place]]
        return Concat(axis, tuple(left), sum(counts))

    def size(self, shapes: Sequence[Shape]) -> Shape | None:
        first = shapes[0]
        for shape in shapes:
            if len(shape) != len(first) or any(
                n != m for at, (n, m) in enumerate(zip(shape, first, strict=True)) if at != self.axis
            ):
                shown = " and ".join("x".join(map(str, entry)) for entry in shapes)
                raise GeometryError("the inputs", shown, f"must have the same sizes but on axis {self.axis}")
        return tuple(self.total if axis == self.axis else n for axis, n in enumerate(first))

    def tracks(self, images: Sequence[Image], shape: Shape) -> Tracks:
        tables: list[dict[tuple[str, int], Track]] = []
        for image, start in zip(images, self.starts, strict=True):
            place = Staircase((-start,), 1)
            tables.append({key: track.through(self.axis, place, place) for key, track in image.tracks.items()})
        found = {}
        for key in dict.fromkeys(key for table in tables for key in table):
            own = [table.get(key) for table in tables]
            present = [track for track in own if track is not None]
            if all(track == present[0] for track in present):
                found[key] = present[0]
            else:
                found[key] = self._parts(own, [image.shape[self.axis] for image in images], shape)
        return found

    def _parts(self, tracks: Sequence[Track | None], counts: Sequence[int], shape: Shape) -> Track:
        """Parts that differ: where they do so along this axis alone, a table of its places."""
        first = next(track for track in tracks if track is not None)
        known = [track for track in tracks if track is not None]
        if any(self.axis in track.terms for track in known) and not any(track.lost for track in known):
            ends = [
                _places(track, self.axis, start, count)
                for track, start, count in zip(tracks, self.starts, counts, strict=True)
                if track is not None
            ]
            others = [{axis: term for axis, term in track.terms.items() if axis != self.axis} for track in known]
            apart = all(entry == others[0] for entry in others) and sum(counts) == self.total <= LONGEST
            if apart and None not in tracks:
                low, high = (tuple(value for part in ends for value in part[side]) for side in (0, 1))
                term = Field(Staircase(low, 0, table=True), Staircase(high, 0, table=True))
                whole = all(track.whole for track in known)
                return Track(first.size, {**others[0], self.axis: term}, whole=whole)
        if any(self.axis in track.terms for track in known):
            return first.without(_APART) if all(track.whole for track in known) else Track(first.size, lost=_APART)
        return joined(known, shape)

    def back(self, wanted: Masks, shapes: Sequence[Shape], shape: Shape) -> Sequence[Masks]:
        mask = wanted[self.axis]
        found = []
        for own, start in zip(shapes, self.starts, strict=True):
            cut = None if mask is None else mask[start : start + own[self.axis]]
            found.append(tuple(cut if axis == self.axis else entry for axis, entry in enumerate(wanted)))
        return found


@dataclass(frozen=True)
class Resize(Act):
    """Interpolation: an output reads the places from `first` to `last` of an axis; None where an axis stays."""

    reads: tuple[tuple[Staircase, Staircase] | None, ...]
    target: Shape | None = None

    def size(self, shapes: Sequence[Shape]) -> Shape | None:
        return self.target

    def tracks(self, images: Sequence[Image], shape: Shape) -> Tracks:
        found = {}
        for key, track in images[0].tracks.items():
            for axis, ends in enumerate(self.reads):
                if ends is not None:
                    track = track.through(axis, *ends)
            found[key] = track
        return found

    def back(self, wanted: Masks, shapes: Sequence[Shape], shape: Shape) -> Sequence[Masks]:
        import numpy as np

        found: list[Any] = []
        for n, size, ends, mask in zip(shapes[0], shape, self.reads, wanted, strict=True):
            if ends is None:
                found.append(mask)
                continue
            first, last = (np.clip(end.over(size), 0, n - 1) for end in ends)
            if mask is not None:
                first, last = first[mask], last[mask]
            steps = np.bincount(first, minlength=n + 1) - np.bincount(last + 1, minlength=n + 1)
            found.append(np.cumsum(steps)[:n] > 0)
        return [tuple(found)]
