"""Whether a counterexample is one, speaks in the letters of its claim, and is the smallest: by loops over all others.

The order is the one that symconv documents: the sizes by the sum of their distances from the least ones, then one after
the other; at a size the fewest entries that are not 0, then the first place, then the smallest numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import combinations, product
from typing import Any

from claim_words import Judge, Layer, Place, Point, World, outcome

LEAST = {"I": 1, "K": 1, "S": 1, "P": 0, "D": 1}
OPTIONS = {"I": "size", "K": "kernel", "S": "stride", "P": "padding", "D": "dilation"}
VALUES = (1, -1, 2, -2, 3)
MOST_ENTRIES = 10  # of which pairs are tried
Filling = dict[tuple[str, Point], int]


def sizes_of(layer: Layer, names: Sequence[str]) -> tuple[int, ...]:
    return tuple(getattr(layer, OPTIONS[name]) - LEAST[name] for name in names)


def smaller(layer: Layer, names: Sequence[str]) -> Iterator[Layer]:
    """The layers that come before one, and have an output; `names` says which options are open, in order."""
    own = sizes_of(layer, names)
    for distances in product(range(sum(own) + 1), repeat=len(names)):
        if (sum(distances), distances) < (sum(own), own):
            given = {OPTIONS[name]: LEAST[name] + d for name, d in zip(names, distances, strict=True)}
            other = replace(layer, **given)
            if other.outputs >= 1:
                yield other


def filled(layer: Layer, filling: Mapping[tuple[str, Point], Any]) -> World:
    tensors: dict[str, dict[Point, Fraction]] = {letter: {} for letter in "abg"}
    for (letter, at), value in filling.items():
        tensors[letter][at] = Fraction(value)
    return World(layer, tensors)


def entries(layer: Layer, text: str) -> list[tuple[str, Point]]:
    """The entries that a claim may speak of."""
    letters = {letter for letter in "abg" if re.search(rf"\b[{letter}{letter.upper()}]\b", text)}
    letters |= {"a", "b"} if re.search(r"\b[cC]\b", text) else set()
    letters |= {"a", "b", "g"} if re.search(r"\bE\b", text) else set()
    extents = layer.extents()
    return [(x, at) for x in sorted(letters) for at in product(range(1, extents[x] + 1), repeat=layer.axes)]


def fillings(read: Sequence[tuple[str, Point]], count: int, values: Sequence[int] = VALUES) -> Iterator[Filling]:
    for chosen in combinations(read, count):
        for numbers in product(values, repeat=count):
            yield dict(zip(chosen, numbers, strict=True))


def differing(text: str, layer: Layer, indices: Mapping[str, str], filling: Filling, loose: bool) -> list[Place]:
    """The places at which both sides differ; those that read what does not exist only where that is `loose`."""
    found = Judge(filled(layer, filling), indices).places(text)
    return [place for place in found if place.differs and (loose or not place.missing)]


def complaint_at_a_smaller_size(
    text: str, verdict: Any, layer: Layer, indices: Mapping[str, str], names: Sequence[str]
) -> str:
    """A size before that of the counterexample which has one of the same kind.

    Args:
        text: the claim.
        verdict: a verdict with a counterexample.
        layer: the layer of the counterexample.
        indices: the declared ranges.
        names: the sizes that are open, in their order.
    """
    counter = verdict.counterexample
    kinds = {"missing"} if counter.entry is not None else {"differs", "false"} if verdict.conditions else {"differs"}
    for other in smaller(layer, names):
        found = outcome(text, other, indices)
        if found in kinds:
            return f"{found} at the smaller {other}"
    return ""


def complaint_at_its_size(text: str, verdict: Any, layer: Layer, indices: Mapping[str, str]) -> str:
    """An example at the same size with fewer entries, at an earlier place, or with smaller numbers."""
    counter = verdict.counterexample
    if counter.entry is not None or isinstance(counter.left, str):
        return ""
    own: Filling = {(x, at): value for x, by in counter.tensors.items() for at, value in by.items()}
    read = entries(layer, text)
    if any(not value for value in own.values()) or not own.keys() <= set(read):
        return f"other entries than those of the claim: {counter}"
    loose = bool(verdict.conditions)
    for count in range(min(len(own), 3 if len(read) <= MOST_ENTRIES else 2)):
        for filling in fillings(read, count, VALUES[:3]):
            if differing(text, layer, indices, filling, loose):
                return f"fewer entries are enough: {filling}"
    if any(word in text for word in ("max", "/", "**")) or set(text) & set("ABCG"):
        return ""  # no polynomial, or whole arrays: few examples are tried, the sparsest first
    names, place = list(counter.indices), tuple(counter.indices.values())
    for found in differing(text, layer, indices, own, loose):
        if found.env.keys() == counter.indices.keys() and tuple(found.env[name] for name in names) < place:
            return f"an earlier place is enough: {found.env}"
    for numbers in product(VALUES, repeat=len(own)):
        if sum(map(abs, numbers)) >= sum(map(abs, own.values())):
            continue
        other = dict(zip(own, numbers, strict=True))
        if any(found.env == counter.indices for found in differing(text, layer, indices, other, loose)):
            return f"smaller numbers are enough: {numbers}"
    return ""


def complaint_about_letters(text: str, verdict: Any, sizes: Mapping[str, str], axes: int, general: bool) -> str:
    """A letter that the claim does not have."""
    counter = verdict.counterexample
    words = set(re.findall(r"[A-Za-z]\w*", text))
    known = {"I", "K", "O", *sizes} | ({f"{x}_{n}" for x in "IKO" for n in (1, 2)} if axes > 1 else set())
    if general and not counter.sizes.keys() <= known:
        return f"sizes that nobody has named: {counter.sizes}"
    arrays = words & set("ABCG")
    if not arrays and not counter.indices.keys() <= words:
        return f"indices that nobody has named: {counter.indices}"
    if not counter.tensors.keys() <= set("abg"):
        return f"tensors that nobody has named: {counter.tensors}"
    return ""
