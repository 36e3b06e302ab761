"""Ties of a max pooling under ``ties="error"``: refused where the gradient depends on which of the winners is taken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symconv.errors import ArgumentError, NotSupportedError
from symconv.formulas.entries import exact_number
from symconv.formulas.index import Index
from symconv.formulas.radicals import UndecidedNumberError
from symconv.operators.adaptive import AdaptiveMaxPool
from symconv.operators.base import Operator

__all__ = ["refuse_ties", "untied"]


@lru_cache(maxsize=64)
def _positions(op: Operator, sizes: tuple[int, ...]) -> tuple[NDArray[np.intp], ...]:
    """The input positions that outputs read, one table (outputs, taps) an axis; -1 where there is none."""
    found = []
    for axis, (size, outputs) in enumerate(zip(sizes, op.output_size(sizes), strict=True)):
        if isinstance(op, AdaptiveMaxPool):
            spans = (op.span(axis, Index.of(o), Index.of(size)) for o in range(outputs))
            rows = [list(range(int(a.evaluate({})), int(b.evaluate({})) + 1)) for a, b in spans]
        else:
            window = op.windows[axis]
            reads = ([int(window.tap(o, m, size).evaluate({})) for m in range(window.kernel)] for o in range(outputs))
            rows = [[place for place in row if 0 <= place < size] for row in reads]
        table = np.full((outputs, max(map(len, rows), default=0)), -1, np.intp)
        for entries, row in zip(table, rows, strict=True):
            entries[: len(row)] = row
        found.append(table)
    return tuple(found)


class _Windows:
    """All windows of an array, a tap at a time: an array in the shape of the output for each."""

    def __init__(self, op: Operator, x: NDArray[Any]) -> None:
        self.x, self.ndim = x, op.spatial_axes
        self.tables = _positions(op, x.shape[x.ndim - self.ndim :])
        lead = x.shape[: x.ndim - self.ndim]
        lowest = np.iinfo(x.dtype).min if x.dtype.kind in "iu" else -np.inf
        self.best = np.full((*lead, *(len(table) for table in self.tables)), lowest, x.dtype)
        for at, real in self._taps():
            np.maximum(self.best, x[at], out=self.best, where=np.broadcast_to(real, self.best.shape))

    def _taps(self) -> Iterator[tuple[tuple[Any, ...], NDArray[np.bool_]]]:
        """The places of a tap of every window, and whether it stands inside the input."""
        for taps in product(*(range(table.shape[1]) for table in self.tables)):
            places = np.ix_(*(table[:, tap] for table, tap in zip(self.tables, taps, strict=True)))
            real = np.ones((), bool)
            for place in places:
                real = real & (place >= 0)
            yield (..., *places), real

    def winners(self) -> Iterator[tuple[tuple[Any, ...], NDArray[np.bool_]]]:
        """The places of a tap of every window, and whether its entry is the largest; among NaN, every NaN is."""
        missing = self.best != self.best
        for at, real in self._taps():
            entries = self.x[at]
            yield at, real & ((entries == self.best) | (missing & (entries != entries)))

    def first(self, output: tuple[int, ...]) -> tuple[list[tuple[int, ...]], Any]:
        """Where the winners of an output stand on the spatial axes, and their value."""
        own = output[len(output) - self.ndim :]
        places = [
            tuple(int(place.ravel()[o]) for place, o in zip(at[1:], own, strict=True))
            for at, wins in self.winners()
            if wins[output]
        ]
        return sorted(places), self.best[output]


def refuse_ties(
    op: Operator,
    x: NDArray[Any],
    g: NDArray[Any],
    passed: Callable[[NDArray[Any]], NDArray[Any]] | None = None,
) -> None:
    """Refuse data with two winners in a window whose gradient is not 0, where the pooling says ``ties="error"``.

    Args:
        op: the pooling.
        x: its input, ``(..., *sizes)``, of numbers or of exact ones.
        g: the gradient by its output, ``(..., *outputs)``.
        passed: what the layer before, where it works place by place, makes of a gradient by its output; a window all of
            whose winners it stops hands nothing on, whichever is taken.

    Raises:
        ArgumentError: for such data; it says where. Leading axes of length 1 are not counted.
        NotSupportedError: where nobody could decide whether two exact numbers are equal.
    """
    if not op.refuses_ties or not x.size:
        return
    try:
        _refuse(op, _comparable(x), g, passed)
    except UndecidedNumberError as error:
        raise NotSupportedError(f"{error}, and so not whether two entries tie; give decimals") from None


def untied(op: Operator) -> Operator:
    """The same operator for data whose ties have been looked at."""
    if not op.refuses_ties:
        return op
    found: Operator = type(op)(**{**op.options(), "ties": "first"})
    return found


def _comparable(x: NDArray[Any]) -> NDArray[Any]:
    """An array whose entries are compared by their values: exact numbers may be written in several ways."""
    if x.dtype != object:
        return x
    found = np.empty(x.shape, object)
    for place, entry in np.ndenumerate(x):
        number = exact_number(entry)
        found[place] = entry if number is None else number
    return found


def _refuse(
    op: Operator, x: NDArray[Any], g: NDArray[Any], passed: Callable[[NDArray[Any]], NDArray[Any]] | None
) -> None:
    """`refuse_ties` for entries that can be compared."""
    windows = _Windows(op, x)
    tied = (sum(wins.astype(np.intp) for _, wins in windows.winners()) > 1) & (g != 0)
    if passed is not None and tied.any():
        mark = np.zeros(x.shape, np.int8)
        for at, wins in windows.winners():
            np.maximum.at(mark, at, (wins & tied).astype(np.int8))
        alive = np.asarray(passed(mark.astype(x.dtype)) != 0, bool)
        reached = np.zeros(tied.shape, bool)
        for at, wins in windows.winners():
            reached |= wins & alive[at]
        tied &= reached
    if not tied.any():
        return
    output = tuple(int(place) for place in np.argwhere(tied)[0])
    places, value = windows.first(output)
    lead = x.shape[: x.ndim - op.spatial_axes]
    shown = output[next((axis for axis, size in enumerate(lead) if size > 1), len(lead)) :]
    entries = " and ".join(map(str, places))
    raise ArgumentError(
        "ties",
        "error",
        f"refuses two winners: at output {shown} the entries at {entries} are all {value}",
        "take ties='first' or 'split'",
    )
