"""Ties of maxima under ``ties="error"``: windows with several winners are looked for before a gradient is taken."""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np

from symconv.errors import ArgumentError
from symconv.kernels.runtime.padding import Array
from symconv.operators.base import Operator
from symconv.operators.networks.winners import positions_of

__all__ = ["refuse_ties", "tied_winners"]


@lru_cache(maxsize=64)
def _slots(op: Operator, sizes: tuple[int, ...]) -> list[Array]:
    """The input positions that outputs read, one array (outputs, taps) an axis; -1 where there is none."""
    found = []
    for axis in positions_of(op, sizes):
        slots = np.full((len(axis), max(map(len, axis), default=0)), -1)
        for row, places in zip(slots, axis, strict=True):
            row[: len(places)] = places
        found.append(slots)
    return found


def tied_winners(op: Operator, x: Array, g: Array) -> tuple[Array, tuple[int, ...]] | None:
    """The winners of all windows that have several and a gradient other than 0.

    Args:
        op: the pooling.
        x: its input, ``(..., *sizes)``.
        g: the gradient by its output, ``(..., *outputs)``.

    Returns:
        A mask in the shape of `x`, and the place of the first such window in that of `g`; None where there is none.
    """
    ndim = op.spatial_axes
    slots = _slots(op, x.shape[x.ndim - ndim :])

    def taps() -> Any:
        for combination in product(*(range(axis.shape[1]) for axis in slots)):
            at = np.ix_(*(axis[:, tap] for axis, tap in zip(slots, combination, strict=True)))
            real = np.ones((), bool)
            for place in at:
                real = real & (place >= 0)
            yield (..., *at), real

    best: Array | None = None
    for at, real in taps():
        view = x[at]
        best = view.copy() if best is None and real.all() else best
        if best is None:
            best = np.where(real, view, -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min)
        np.maximum(best, view, out=best, where=np.broadcast_to(real, best.shape))
    if best is None:
        return None
    missing = best != best

    def winning(view: Array, real: Array) -> Array:
        wins: Array = real & ((view == best) | (missing & (view != view)))
        return wins

    count = sum(winning(x[at], real).astype(np.int64) for at, real in taps())
    doubtful = (count > 1) & (g != 0)
    if not doubtful.any():
        return None
    mask = np.zeros(x.shape, bool)
    for at, real in taps():
        np.logical_or.at(mask, at, winning(x[at], real) & doubtful)
    return mask, tuple(int(place) for place in np.argwhere(doubtful)[0])


def refuse_ties(op: Operator, x: Array, g: Array) -> None:
    """Refuse data with two winners in a window whose gradient is not 0, where the pooling says ``ties="error"``.

    Raises:
        ArgumentError: for such data; it says where.
    """
    if op.refuses_ties and x.size:
        found = tied_winners(op, x, g)
        if found is not None:
            raise tie_error("ties", found[1])


def tie_error(argument: str, place: tuple[int, ...]) -> ArgumentError:
    """What is said of a window with two winners."""
    requirement = f"refuses two winners, as in the window of output {place}"
    return ArgumentError(argument, "error", requirement, "take ties='first' or 'split'")
