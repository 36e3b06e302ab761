"""Ties of a max pooling under ``ties="error"``: refused where the gradient depends on which of the winners is taken."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symconv.errors import ArgumentError
from symconv.formulas.index import Index
from symconv.operators.adaptive import AdaptiveMaxPool
from symconv.operators.base import Operator

__all__ = ["Ties", "positions_of", "refused_ties", "ties_of"]

Ties = list[tuple[tuple[int, ...], list[tuple[int, ...]]]]
"""Windows with several winners: the place of the output, and the places of its winners in the input, with channels."""


def positions_of(op: Operator, sizes: tuple[int, ...]) -> list[list[tuple[int, ...]]]:
    """The input positions that every output reads, one list an axis; padding is none."""
    found = []
    for axis, (size, outputs) in enumerate(zip(sizes, op.output_size(sizes), strict=True)):
        if isinstance(op, AdaptiveMaxPool):
            spans = (op.span(axis, Index.of(o), Index.of(size)) for o in range(outputs))
            found.append([tuple(range(int(a.evaluate({})), int(b.evaluate({})) + 1)) for a, b in spans])
            continue
        window = op.windows[axis]
        reads = ([int(window.tap(o, m, size).evaluate({})) for m in range(window.kernel)] for o in range(outputs))
        found.append([tuple(place for place in row if 0 <= place < size) for row in reads])
    return found


def ties_of(op: Operator, x: NDArray[Any], g: NDArray[Any]) -> Ties:
    """The windows with several largest entries whose output has a gradient other than 0, of an array with channels."""
    reads = positions_of(op, x.shape[1:])
    found: Ties = []
    for channel in range(len(x)):
        for output in product(*(range(len(axis)) for axis in reads)):
            if g[(channel, *output)] == 0:
                continue
            places = list(product(*(axis[o] for axis, o in zip(reads, output, strict=True))))
            entries = [x[(channel, *place)] for place in places]
            best = max(entries, default=None)
            winners = [(channel, *place) for place, entry in zip(places, entries, strict=True) if entry == best]
            if len(winners) > 1:
                found.append(((channel, *output), winners))
    return found


def refused_ties(
    name: str, op: Operator, x: NDArray[Any], g: NDArray[Any], passed: Callable[[NDArray[Any]], NDArray[Any]] | None
) -> None:
    """Refuse a tie where the layer says ``ties="error"``.

    Args:
        name: the layer.
        op, x, g: the pooling, its input with channels, and the gradient by its output.
        passed: what the layer before, where it works place by place, makes of a gradient by its output; a window all of
            whose winners it stops hands nothing on, whichever is taken.

    Raises:
        ArgumentError: for such a tie; it says where.
    """
    if not op.refuses_ties:
        return
    for output, winners in ties_of(op, x, g):
        if passed is not None:
            mark = np.zeros(x.shape, object)
            for winner in winners:
                mark[winner] = 1
            if not passed(mark).any():
                continue
        channel, place = output[0], output[1:]
        where = f"channel {channel}, output {place}" if len(x) > 1 else f"output {place}"
        others = " and ".join(str(winner[1:]) for winner in winners)
        raise ArgumentError(
            f"{name}: ties",
            "error",
            f"refuses two winners: at {where} the entries at {others} are all {x[winners[0]]}",
            "take ties='first' or 'split'",
        )
