"""From a case that fails to a small one: entries are set to 0, the others to 1 or -1, while the same is wrong."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np

from symconv.audits.certification import Finding
from symconv.audits.reading import Array
from symconv.audits.trials import Trial

__all__ = ["shrunk"]

MOST_TRIED = 400


def shrunk(trial: Trial, finding: Finding, tried: Callable[[Trial], Finding | None], until: float) -> Finding:
    """The finding of the smallest case that was found; none of its entries can be set to 0 by itself.

    Args:
        trial: a case that fails.
        finding: how.
        tried: what is wrong with a case.
        until: the time to stop at.
    """
    if finding.kind == "hung":  # every further one costs its whole time
        return finding
    left = MOST_TRIED

    def fails(candidate: Trial) -> Finding | None:
        nonlocal left
        if left <= 0 or time.monotonic() > until:
            return None
        left -= 1
        found = tried(candidate)
        return found if found is not None and (found.kind, found.part) == (finding.kind, finding.part) else None

    if finding.part == "output" and trial.upstream is not None:
        plain = Trial(trial.words, trial.arrays)
        found = fails(plain)
        if found is not None:
            trial, finding = plain, found
    changed = True
    while changed and left > 0:
        changed = False
        for name in [name for name, _ in trial.parts()]:
            for smaller in _smaller(dict(trial.parts())[name]):
                current = dict(trial.parts())[name]
                array = np.where(smaller, 0.0, current)
                if np.array_equal(array, current, equal_nan=True):
                    continue
                candidate = trial.with_array(name, array)
                found = fails(candidate)
                if found is not None:
                    trial, finding, changed = candidate, found, True
    for simpler in (_signs, _ones):
        for name in [name for name, _ in trial.parts()]:
            candidate = trial.with_array(name, simpler(dict(trial.parts())[name]))
            found = fails(candidate)
            if found is not None:
                trial, finding = candidate, found
    return finding


def _signs(array: Array) -> Array:
    return np.asarray(np.sign(array))


def _ones(array: Array) -> Array:
    return np.asarray(array != 0, dtype=np.float64)


def _smaller(array: Array) -> Iterator[Array]:
    """Which entries to set to 0: all, halves, quarters, ... of those that are not, and then each by itself."""
    flat = np.flatnonzero(array)
    count = 1
    while count <= len(flat):
        for part in np.array_split(flat, count):
            mask = np.zeros(array.size, bool)
            mask[part] = True
            yield mask.reshape(array.shape)
        if count == len(flat):
            return
        count = min(2 * count, len(flat))
