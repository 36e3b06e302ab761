"""What an entry of a tensor depends on along one axis of a network's input: from a first position to a last one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import prod

from symconv.errors import SizeLimitError
from symconv.operators.networks.staircase import Field, Staircase

__all__ = ["Track", "joined"]

MOST_PLACES = 200_000


@dataclass(frozen=True)
class Track:
    """The first and the last position of an axis of the input: sums of functions of the places on axes of the tensor.

    Attributes:
        size: how many positions the axis of the input has.
        terms: what every axis of the tensor adds to the first and to the last position; an axis that is not there adds
            nothing.
        ends: what is added whatever the place is.
        whole: True where every entry depends on all of the axis, as behind a gate that averages over the image.
        lost: why the positions are not known; empty where they are.
    """

    size: int
    terms: Mapping[int, Field] = field(default_factory=dict)
    ends: tuple[int, int] = (0, 0)
    whole: bool = False
    lost: str = ""

    @property
    def moving(self) -> bool:
        """Whether entries at different places depend on different positions, as far as it is known."""
        return bool(self.terms)

    def without(self, reason: str) -> Track:
        """The positions are not known any more, unless every entry depends on all of them."""
        return replace(self, terms={}, ends=(0, 0)) if self.whole else Track(self.size, lost=self.lost or reason)

    def extent(self, sizes: Sequence[int]) -> int | None:
        """The largest number of positions from the first to the last, over a tensor of these sizes."""
        if self.whole:
            return self.size
        if self.lost:
            return None
        widths = (term.extent(sizes[axis]) - 1 for axis, term in self.terms.items())
        return self.ends[1] - self.ends[0] + 1 + sum(widths)

    def jump(self, axis: int) -> Fraction | None:
        """The positions between neighbours on an axis of the tensor, on average; None where there is no such step."""
        term = self.terms.get(axis)
        return None if term is None or term.first.table or term.last.table else term.jump

    # ------------------------------------------------------------------ what becomes of it

    def through(self, axis: int, first: Staircase, last: Staircase) -> Track:
        """Behind a layer whose output reads the places from `first` to `last` of an axis."""
        term = self.terms.get(axis)
        if term is None:
            return self
        if first != last and not (term.first.rises and term.last.rises):
            return self.without("its windows go over an axis on which positions of the input do not lie in order")
        try:
            found = term.through(first, last)
        except SizeLimitError as error:
            return self.without(str(error))
        return replace(self, terms={**self.terms, axis: found})

    def folded(self, axis: int, count: int) -> Track:
        """With what an axis adds on any of its places: an entry that depends on all of them."""
        term = self.terms.get(axis)
        if term is None:
            return self
        first, last = (end.over(count) for end in (term.first, term.last))
        others = {other: entry for other, entry in self.terms.items() if other != axis}
        ends = (self.ends[0] + int(first.min()), self.ends[1] + int(last.max()))
        covers = not others and ends[0] <= 0 and ends[1] >= self.size - 1
        return replace(self, terms=others, ends=ends, whole=self.whole or covers)

    def scanned(self, axis: int, count: int, *, reverse: bool = False) -> Track:
        """Behind a layer that keeps an axis, and whose entries depend on all places up to theirs, or from theirs on."""
        term = self.terms.get(axis)
        if term is None:
            return self
        first, last = term.first, term.last
        if not (first.rises and last.rises):
            return self.mixed(axis, count)
        if reverse:
            found = Field(first, Staircase((int(last.over(count).max()),), 0))
        else:
            found = Field(Staircase((int(first.over(count).min()),), 0), last)
        return replace(self, terms={**self.terms, axis: found})

    def mixed(self, axis: int, count: int) -> Track:
        """Behind a layer that keeps an axis, and whose entries depend on all places of it."""
        found = self.folded(axis, count)
        if found.whole:  # how far apart entries lie stays as it was
            return replace(self, whole=True)
        if axis not in self.terms:
            return self
        first, last = (Staircase((end,), 0) for end in found.ends)
        base = (0, 0)
        return replace(found, terms={**found.terms, axis: Field(first, last)}, ends=base)

    def moved(self, places: Mapping[int, int]) -> Track:
        """The axes of the tensor in other places; what lay on one that is not there any more is folded before."""
        return replace(self, terms={places[axis]: term for axis, term in self.terms.items()})

    def reshaped(self, before: Sequence[int], after: Sequence[int]) -> Track:
        """The axes of the tensor merged and split, row by row."""
        result = self
        for axis, count in enumerate(before):
            if count == 1:
                result = result.folded(axis, 1)
        terms: dict[int, Field] = {}
        for inner, outer in groups(before, after):
            own = [axis for axis in inner if axis in result.terms]
            if not own:
                continue
            if len(inner) == len(outer) == 1:
                terms[outer[0]] = result.terms[inner[0]]
                continue
            try:
                for axis in own:
                    merged = _merged(result.terms[axis], inner, axis, before)
                    split = _split(merged, outer, after)
                    if split is None:
                        return self.without("an axis is split across positions of the input")
                    for place, term in split.items():
                        terms[place] = terms[place].plus(term) if place in terms else term
            except SizeLimitError as error:
                return self.without(str(error))
        return replace(result, terms=terms)


def groups(before: Sequence[int], after: Sequence[int]) -> list[tuple[list[int], list[int]]]:
    """Which axes of a shape become which ones of another of as many entries; axes of size 1 are left out."""
    left, right = ([axis for axis, n in enumerate(shape) if n != 1] for shape in (before, after))
    found: list[tuple[list[int], list[int]]] = []
    i = j = 0
    while i < len(left) and j < len(right):
        inner, outer = [left[i]], [right[j]]
        i, j = i + 1, j + 1
        while (a := prod(before[axis] for axis in inner)) != (b := prod(after[axis] for axis in outer)):
            if a < b and i < len(left):
                inner.append(left[i])
                i += 1
            elif b < a and j < len(right):
                outer.append(right[j])
                j += 1
            else:
                break
        found.append((inner, outer))
    return found


def _merged(term: Field, inner: Sequence[int], axis: int, sizes: Sequence[int]) -> Field:
    """A term of one of several axes as one of the axis that they become."""
    if len(inner) == 1:
        return term
    later = prod(sizes[other] for other in inner if other > axis)
    turn = sizes[axis] * later
    if axis == inner[0]:
        place = Staircase.of(lambda o: o // later, later, 1)
    else:
        place = Staircase.of(lambda o: o % turn // later, turn, 0)
    return term.through(place, place)


def _split(term: Field, outer: Sequence[int], sizes: Sequence[int]) -> dict[int, Field] | None:
    """The term of an axis as a sum of terms of the axes that it becomes; None where it is no such sum."""
    import numpy as np

    if len(outer) == 1:
        return {outer[0]: term}
    shape = tuple(sizes[axis] for axis in outer)
    if prod(shape) > MOST_PLACES:
        raise SizeLimitError(f"an axis of {prod(shape):,} places that is split; at most {MOST_PLACES:,}")
    steps = [prod(shape[place + 1 :]) for place in range(len(shape))]
    parts = []
    for end in (term.first, term.last):
        found = [end.after(Staircase((0,), step)).plus(-end(0) if place else 0) for place, step in enumerate(steps)]
        total = np.zeros(shape, np.int64)
        for place, part in enumerate(found):
            total += part.over(shape[place]).reshape([-1 if at == place else 1 for at in range(len(shape))])
        if not np.array_equal(total.ravel(), end.over(prod(shape))):
            return None
        parts.append([_straight(part, count) for part, count in zip(found, shape, strict=True)])
    pairs = zip(outer, *parts, strict=True)
    kept = {axis: Field(first, last) for axis, first, last in pairs}
    nothing = Field(Staircase((0,), 0), Staircase((0,), 0))
    return {axis: part for axis, part in kept.items() if part != nothing}


def _straight(end: Staircase, count: int) -> Staircase:
    """The same function on the places of an axis, as one with even steps where it is one there."""
    values = end.over(count)
    steps = values[1:] - values[:-1]
    if count > 1 and (steps == steps[0]).all():
        return Staircase((int(values[0]),), int(steps[0]))
    return end


def joined(tracks: Sequence[Track], sizes: Sequence[int]) -> Track:
    """What an entry of a tensor of these sizes depends on that is made of entries with these tracks."""
    first = tracks[0]
    for other in tracks[1:]:
        first = _pair(first, other, sizes)
    return first


def _pair(one: Track, other: Track, sizes: Sequence[int]) -> Track:
    if one.whole or other.whole:
        moving = one if one.terms or not other.terms else other
        return replace(moving, whole=True, lost="")
    if one.lost or other.lost:
        return one if one.lost else other
    if not one.terms and not other.terms:
        ends = (min(one.ends[0], other.ends[0]), max(one.ends[1], other.ends[1]))
        return Track(one.size, ends=ends, whole=ends[0] <= 0 and ends[1] >= one.size - 1)
    if one.terms.keys() != other.terms.keys():
        for small, large in ((one, other), (other, one)):
            if _within(small, large, sizes):
                return large
        return one.without("it joins entries of which some depend on a fixed part of the input")
    one, other = _settled(one), _settled(other)
    differing = [axis for axis, term in one.terms.items() if term != other.terms[axis]]
    if not differing:
        return one
    terms = dict(one.terms)
    if len(differing) > 1:
        return one.without("it joins entries that lie differently on several axes")
    (axis,) = differing
    merged = terms[axis].joined(other.terms[axis])
    if merged is None:
        apart = f"{terms[axis].jump} and {other.terms[axis].jump}"
        return one.without(f"it joins images whose entries lie {apart} input positions apart")
    return replace(one, terms={**terms, axis: merged})


def _within(small: Track, large: Track, sizes: Sequence[int]) -> bool:
    """Whether one depends on no more than the other, whose entries are the same along some axes."""
    for axis in small.terms.keys() - large.terms.keys():
        small = small.folded(axis, sizes[axis])
    if small.terms.keys() != large.terms.keys():
        return False
    for axis in small.terms:  # what moves may differ by a constant
        here, there = small.terms[axis], large.terms[axis]
        if here != there:
            return False
    return large.ends[0] <= small.ends[0] and small.ends[1] <= large.ends[1]


def _settled(track: Track) -> Track:
    """With the ends counted among the terms of the first axis."""
    axis = min(track.terms)
    term = track.terms[axis]
    moved = Field(term.first.plus(track.ends[0]), term.last.plus(track.ends[1]))
    return replace(track, terms={**track.terms, axis: moved}, ends=(0, 0))
