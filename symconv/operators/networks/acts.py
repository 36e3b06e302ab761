"""What the nodes of a network do with positions: what an entry of the output depends on, and what is read for it.

An `Act` knows no framework. It has the size of its output where that follows from the sizes of its inputs, the tracks
of an entry, and, backwards, the places of its inputs that are read for some places of its output; a superset where the
exact set is no product of axes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from symconv.errors import GeometryError
from symconv.operators.networks.image import Image, Masks
from symconv.operators.networks.track import Track, joined

__all__ = [
    "Act",
    "Blind",
    "Collapse",
    "Mix",
    "Product",
    "Same",
    "Scan",
    "broadcast",
    "merged",
]  # fmt: skip

Shape: TypeAlias = tuple[int, ...]
Tracks: TypeAlias = Mapping[tuple[str, int], Track]
_ELSEWHERE = "a product of a matrix and a vector puts it elsewhere"


class Act:
    """What a node does, by positions."""

    def size(self, shapes: Sequence[Shape]) -> Shape | None:
        """The shape of the output, where it follows from those of the inputs."""
        raise NotImplementedError

    def tracks(self, images: Sequence[Image], shape: Shape) -> Tracks:
        """What an entry of the output depends on."""
        raise NotImplementedError

    def back(self, wanted: Masks, shapes: Sequence[Shape], shape: Shape) -> Sequence[Masks]:
        """Which places of every input are read for the wanted places of the output."""
        raise NotImplementedError


def _lost(image: Image, reason: str) -> Tracks:
    return {key: track.without(reason) for key, track in image.tracks.items()}


def broadcast(shapes: Sequence[Shape]) -> Shape:
    """The shape of arrays that are joined place by place; an axis of size 1 counts for every place.

    Raises:
        GeometryError: where the sizes do not agree.
    """
    rank = max(map(len, shapes))
    full = [(1,) * (rank - len(shape)) + tuple(shape) for shape in shapes]
    sizes = tuple(max(entries) if 0 not in entries else 0 for entries in zip(*full, strict=True))
    if any(n not in (1, size) for shape in full for n, size in zip(shape, sizes, strict=True)):
        shown = " and ".join("x".join(map(str, shape)) for shape in shapes)
        raise GeometryError("the inputs", shown, "must have the same sizes, or 1")
    return sizes


def merged(tables: Sequence[Tracks], shape: Shape) -> dict[tuple[str, int], Track]:
    """The tracks of entries of a shape that depend on several others, some of which may say nothing of an axis."""
    keys = dict.fromkeys(key for table in tables for key in table)
    return {key: joined([table[key] for table in tables if key in table], shape) for key in keys}


@dataclass(frozen=True)
class Same(Act):
    """Place by place: one input, or several of which axes of size 1 count for every place.

    Attributes:
        others: the shapes of constants that are joined as well.
    """

    others: tuple[Shape, ...] = ()

    def size(self, shapes: Sequence[Shape]) -> Shape | None:
        return broadcast([*shapes, *self.others])

    def tracks(self, images: Sequence[Image], shape: Shape) -> Tracks:
        tables = []
        for image in images:
            shift = len(shape) - len(image.shape)
            table = {}
            for key, track in image.tracks.items():
                for axis, n in enumerate(image.shape):
                    if n == 1 and shape[axis + shift] != 1:
                        track = track.folded(axis, 1)
                table[key] = track.moved({axis: axis + shift for axis in track.terms})
            tables.append(table)
        return merged(tables, shape)

    def back(self, wanted: Masks, shapes: Sequence[Shape], shape: Shape) -> Sequence[Masks]:
        found = []
        for own in shapes:
            cut = wanted[len(shape) - len(own) :]
            sizes = shape[len(shape) - len(own) :]
            found.append(tuple(None if n == 1 != size else mask for n, size, mask in zip(own, sizes, cut, strict=True)))
        return found


@dataclass(frozen=True)
class Mix(Act):
    """The shape stays, and an entry depends on all places of some axes, as behind a normalisation or a softmax."""

    axes: tuple[int, ...]

    def size(self, shapes: Sequence[Shape]) -> Shape | None:
        return shapes[0]

    def tracks(self, images: Sequence[Image], shape: Shape) -> Tracks:
        found = {}
        for key, track in images[0].tracks.items():
            for axis in self.axes:
                track = track.mixed(axis, images[0].shape[axis])
            found[key] = track
        return found

    def back(self, wanted: Masks, shapes: Sequence[Shape], shape: Shape) -> Sequence[Masks]:
        return [tuple(None if axis in self.axes else mask for axis, mask in enumerate(wanted))]


@dataclass(frozen=True)
class Scan(Act):
    """A recurrence along the first axis of ``(steps, batch, features)``: an entry depends on all steps up to its own.

    Attributes:
        direction: "forward", "reverse" or "bidirectional".
        last: whether the state after the last step is given, ``(directions, batch, features)``, not one a step,
            ``(steps, directions, batch, features)``.
    """

    direction: str
    last: bool
    hidden: int

    def size(self, shapes: Sequence[Shape]) -> Shape | None:
        if len(shapes[0]) != 3:
            raise GeometryError("the input", "x".join(map(str, shapes[0])), "must be (steps, batch, features)")
        steps, batch, _ = shapes[0]
        sizes = (1 + (self.direction == "bidirectional"), batch, self.hidden)
        return sizes if self.last else (steps, *sizes)

    def tracks(self, images: Sequence[Image], shape: Shape) -> Tracks:
        table = {}
        for key, track in images[0].tracks.items():
            track, steps = track.folded(2, images[0].shape[2]), images[0].shape[0]
            if self.last:
                track = track.folded(0, steps)
            elif self.direction == "bidirectional":
                track = track.mixed(0, steps)
            else:
                track = track.scanned(0, steps, reverse=self.direction == "reverse")
            table[key] = track.moved({1: 1} if self.last else {0: 0, 1: 2})
        states = []
        for image in images[1:]:
            folded = {}
            for key, track in image.tracks.items():
                for axis in list(track.terms):
                    track = track.folded(axis, image.shape[axis])
                folded[key] = track
            states.append(folded)
        return merged([table, *states], shape)

    def back(self, wanted: Masks, shapes: Sequence[Shape], shape: Shape) -> Sequence[Masks]:
        return [(None,) * len(own) for own in shapes]


@dataclass(frozen=True)
class Collapse(Act):
    """Some axes become one place, or are gone."""

    axes: tuple[int, ...]
    keep: bool = True

    def size(self, shapes: Sequence[Shape]) -> Shape | None:
        sizes = (1 if axis in self.axes else n for axis, n in enumerate(shapes[0]))
        return tuple(n for axis, n in enumerate(sizes) if self.keep or axis not in self.axes)

    def _left(self, rank: int) -> dict[int, int]:
        left = [axis for axis in range(rank) if self.keep or axis not in self.axes]
        return {axis: place for place, axis in enumerate(left)}

    def tracks(self, images: Sequence[Image], shape: Shape) -> Tracks:
        (image,) = images
        places, found = self._left(len(image.shape)), {}
        for key, track in image.tracks.items():
            for axis in self.axes:
                n = image.shape[axis]
                track = track.mixed(axis, n) if self.keep else track.folded(axis, n)
            found[key] = track.moved(places)
        return found

    def back(self, wanted: Masks, shapes: Sequence[Shape], shape: Shape) -> Sequence[Masks]:
        places = self._left(len(shapes[0]))
        return [tuple(None if axis in self.axes else wanted[places[axis]] for axis in range(len(shapes[0])))]


@dataclass(frozen=True)
class Product(Act):
    """A product of matrices, ``(..., m, k)`` times ``(..., k, n)``.

    Attributes:
        sides: for every input, whether it is the left ("left") or the right ("right") factor, or added ("bias").
        other: the shape of the factor that is a constant; None where there is none.
        flipped: which factors are transposed first.
    """

    sides: tuple[str, ...]
    other: Shape | None = None
    flipped: tuple[str, ...] = ()

    def _factors(self, shapes: Sequence[Shape]) -> dict[str, Shape]:
        found = dict(zip(self.sides, shapes, strict=True))
        for side in ("left", "right"):
            if side not in found:
                assert self.other is not None
                found[side] = self.other
            if len(found[side]) < (2 if side in self.flipped else 1):
                raise GeometryError("the factors", found[side], "must be matrices")
            if side in self.flipped:
                found[side] = (*found[side][:-2], found[side][-1], found[side][-2])
        return found

    def size(self, shapes: Sequence[Shape]) -> Shape | None:
        factors = self._factors(shapes)
        left, right = factors["left"], factors["right"]
        a, b = (1, *left) if len(left) == 1 else left, (*right, 1) if len(right) == 1 else right
        if a[-1] != b[-2]:
            shown = f"{'x'.join(map(str, left))} and {'x'.join(map(str, right))}"
            raise GeometryError("the factors", shown, "must have as many columns as rows")
        sizes = (*broadcast([a[:-2], b[:-2]]), a[-2], b[-1]) if len(a) + len(b) > 4 else (a[-2], b[-1])
        return tuple(sizes[: len(sizes) - 2]) + sizes[-2 + (len(left) == 1) : len(sizes) - (len(right) == 1)]

    def tracks(self, images: Sequence[Image], shape: Shape) -> Tracks:
        tables = []
        for side, image in zip(self.sides, images, strict=True):
            if side == "bias":
                tables.append(Same().tracks([image], shape))
                continue
            rank, table = len(image.shape), {}
            if rank < 2 or len(shape) < rank:  # a vector
                tables.append({key: track.without(_ELSEWHERE) for key, track in image.tracks.items()})
                continue
            summed, kept = (rank - 1, rank - 2) if side == "left" else (max(rank - 2, 0), rank - 1)
            if side in self.flipped:
                summed, kept = kept, summed
            places = {axis: axis + len(shape) - rank for axis in range(rank - 2)}
            places[kept] = len(shape) - (2 if side == "left" else 1)
            for key, track in image.tracks.items():
                track = track.folded(summed, image.shape[summed])
                for axis in places:
                    if image.shape[axis] == 1 and shape[places[axis]] != 1:
                        track = track.folded(axis, 1)
                table[key] = track.moved(places)
            tables.append(table)
        return merged(tables, shape)

    def back(self, wanted: Masks, shapes: Sequence[Shape], shape: Shape) -> Sequence[Masks]:
        return [(None,) * len(own) for own in shapes]


@dataclass(frozen=True)
class Blind(Act):
    """Something of which it is not known what its entries depend on, and why."""

    reason: str

    def size(self, shapes: Sequence[Shape]) -> Shape | None:
        return None

    def tracks(self, images: Sequence[Image], shape: Shape) -> Tracks:
        table = merged([_lost(image, self.reason) for image in images], shape)
        return {key: Track(track.size, lost=self.reason) if track.whole else track for key, track in table.items()}

    def back(self, wanted: Masks, shapes: Sequence[Shape], shape: Shape) -> Sequence[Masks]:
        return [(None,) * len(own) for own in shapes]
