"""The search for a pooling that makes an output."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import prod

import numpy as np

from symconv.audits.allowance import Allowance
from symconv.audits.candidate import Candidate, Orientation
from symconv.audits.passages import Passage, passages_of
from symconv.audits.pooling_kinds import KINDS
from symconv.audits.reading import Array, data_readings
from symconv.audits.rounding import Rounding
from symconv.audits.sliding import samples
from symconv.operators.adaptive import AdaptiveAvgPool, AdaptiveMaxPool

__all__ = ["MOST_WINDOWS", "found", "pool_orientations", "together"]

MOST_WINDOWS = 48
"""The windows of a plane that are looked at before an operator is tried on all of them."""

MOST_WAYS = 400
"""The ways to slide along an axis that are combined with different ones along another, the plainest first."""


def pool_orientations(x: Array, y: Array) -> list[Orientation]:
    """The ways to read two arrays as input and output of a pooling, the plainest first."""
    result = []
    for axes in (1, 2, 3):
        for xs, ys in product(data_readings(x, axes), data_readings(y, axes)):
            if set(xs.order) != set(ys.order) or xs.canonical(x).shape[:2] != ys.canonical(y).shape[:2]:
                continue
            for exchanged in (False, True) if axes == 2 else (False,):
                result.append(Orientation(xs, ys, exchanged=exchanged))
    return sorted(result, key=lambda a: a.cost + 0.5 * (2 - a.x.axes if a.x.axes < 2 else a.x.axes - 2))


def found(x: Array, y: Array, allowance: Allowance) -> Iterator[Candidate]:
    """The poolings that give one plane of the output, the plainest first; what is found is still to be checked."""
    rounding = Rounding.of(x, y)
    for orientation in pool_orientations(x, y):
        given, made = orientation.input(x), orientation.output(y)
        yield from _adaptive(orientation, made.shape[2:], given.shape[2:])
        planes = made.reshape(-1, *made.shape[2:])
        chosen = int(np.argmax(np.ptp(planes.reshape(len(planes), -1), axis=1)))
        plane = given.reshape(-1, *given.shape[2:])[chosen].astype(float)
        yield from _slid(orientation, plane, planes[chosen].astype(float), rounding, allowance)


def _adaptive(orientation: Orientation, outputs: tuple[int, ...], sizes: tuple[int, ...]) -> Iterator[Candidate]:
    if all(o <= n for o, n in zip(outputs, sizes, strict=True)):
        for kind in (AdaptiveAvgPool, AdaptiveMaxPool):
            yield Candidate(kind(outputs), orientation, orientation.cost + 1.0)


def _slid(
    orientation: Orientation, x: Array, y: Array, rounding: Rounding, allowance: Allowance
) -> Iterator[Candidate]:
    places = samples(y.shape, MOST_WINDOWS)
    for passages in together(x.shape, y.shape):
        if not allowance.spend(prod(passage.kernel for passage in passages)):
            return
        kinds = list(KINDS)
        windows = []
        for place in places:
            window = x[np.ix_(*(passage.reads[o] for passage, o in zip(passages, place, strict=True)))]
            windows.append(window)
            kinds = [kind for kind in kinds if kind.may(window, float(y[place]), rounding)]
            if not kinds:
                break
        for kind in kinds:
            for operator, extra in kind.operators(passages, windows[0], float(y[places[0]])):
                cost = orientation.cost + sum(passage.cost for passage in passages) + extra
                yield Candidate(operator, orientation, cost)


def together(sizes: tuple[int, ...], outputs: tuple[int, ...]) -> Iterator[tuple[Passage, ...]]:
    """The ways to slide along all axes: first those with the same options on every axis, then the others."""
    axes = [passages_of(n, o) for n, o in zip(sizes, outputs, strict=True)]
    if len(axes) == 1:
        yield from ((passage,) for passage in axes[0])
        return
    options = [{_options(passage): passage for passage in axis} for axis in axes]
    for key in options[0]:
        if all(key in other for other in options):
            yield tuple(other[key] for other in options)
    for passages in sorted(
        product(*(axis[:MOST_WAYS] for axis in axes)), key=lambda passages: sum(passage.cost for passage in passages)
    ):
        if len({_options(passage) for passage in passages}) > 1:
            yield passages


def _options(passage: Passage) -> tuple[int, ...]:
    return (passage.kernel, passage.stride, passage.dilation, passage.before)
