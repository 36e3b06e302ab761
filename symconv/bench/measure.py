"""Times: paired and interleaved windows in one process, ratios window by window, medians with quartiles."""

from __future__ import annotations

import gc
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from symconv.bench.records import TimeSpread

__all__ = ["Measurement", "measure", "repeated", "spread"]

WINDOW = 0.004
"""How long a window of calls lasts at least, in seconds."""

WARM = 0.1
"""A call that takes less is made once before its window: else the quick ones alone would start warm."""

FEW_ROUNDS, LEAST_ROUNDS, MOST_ROUNDS = 3, 5, 60
FAR = 4.0
"""A peer that takes this many times as long as the fastest one runs in the first few rounds only."""

FAR_ROUNDS = 3

Call = Callable[[], Any]
Clock = Callable[[], float]


@dataclass(frozen=True)
class Measurement:
    """Our time, and for every peer its time and the ratio of the two, window by window."""

    ours: TimeSpread
    peers: dict[str, tuple[TimeSpread, TimeSpread]]


def spread(values: Sequence[float]) -> TimeSpread:
    """Median and quartiles.

    >>> spread([1.0, 2.0, 3.0, 4.0, 5.0])
    TimeSpread(median=3.0, low=2.0, high=4.0, count=5)
    """
    low = high = values[0]
    if len(values) > 1:
        low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return TimeSpread(statistics.median(values), low, high, len(values))


def measure(
    ours: Call,
    peers: Mapping[str, Call],
    seconds: float,
    first: Mapping[str, float] | None = None,
    clock: Clock = perf_counter,
    wall: Clock | None = None,
) -> Measurement:
    """Time ours and the peers in turns.

    A round is one window of calls for each of them; who starts changes from round to round. A ratio is taken between
    two windows of one round, so that what slows the machine down slows both. Without a peer only ours is timed.

    Args:
        ours, peers: what to call; each has been called before.
        seconds: about how long all of it may take; five rounds run in any case, or three where these take longer than
            three times as long.
        first: how long the first call of a peer took, where that is known. Where one such call takes half of the time
            there is, and the peer is far from the fastest, it is not made again: that call is its time.
        clock: the time in seconds.
        wall: the clock that `seconds` is meant by, where it is another one.
    """
    passing = clock if wall is None else wall
    calls: dict[str, Call] = {"": ours, **peers}  # no peer has an empty name
    enabled = gc.isenabled()
    gc.disable()
    try:
        start = passing()
        once = {name: _once(call, clock, seconds, (first or {}).get(name)) for name, call in calls.items()}
        far = _far(once, seconds)
        windows: dict[str, dict[int, float]] = {name: {} for name in calls}
        names = list(calls)
        for turn in range(MOST_ROUNDS):
            least, most = (LEAST_ROUNDS, seconds) if turn >= LEAST_ROUNDS else (FEW_ROUNDS, 3 * seconds)
            if turn >= least and passing() - start > most:
                break
            begin = turn % len(names)
            for name in names[begin:] + names[:begin]:
                if turn < far.get(name, MOST_ROUNDS):
                    windows[name][turn] = _window(calls[name], once[name], clock)
    finally:
        if enabled:
            gc.enable()
    mine = windows[""]
    ours_at_all = spread(list(mine.values()))
    found = {}
    for name in peers:
        theirs = windows[name]
        ratios = [theirs[turn] / mine[turn] for turn in theirs]
        times = list(theirs.values())
        if not theirs:
            times, ratios = [once[name]], [once[name] / ours_at_all.median]
        found[name] = (spread(times), spread(ratios))
    return Measurement(ours_at_all, found)


def repeated(
    sample: Callable[[int], float], seconds: float, most: int, least: int = 1, clock: Clock = perf_counter
) -> TimeSpread:
    """The times of things that cannot be called twice, such as a first call.

    Args:
        sample: does it for the n-th time, with something new, and gives the seconds it took.
        seconds: about how long all of it may take.
        most, least: how many samples at most, and how many even if that takes longer.
        clock: the time in seconds.
    """
    start = clock()
    taken = [sample(0)]
    while len(taken) < most and (len(taken) < least or clock() - start < seconds):
        taken.append(sample(len(taken)))
    return spread(taken)


def _once(call: Call, clock: Clock, seconds: float, first: float | None) -> float:
    """About how long one call takes: the faster of two, or the only one of something slow."""
    if first is None:
        first = _window(call, 0.0, clock, repeats=1, warm=False)
    if first > seconds / 8:
        return first
    return min(first, _window(call, 0.0, clock, repeats=1, warm=False))


def _far(once: Mapping[str, float], seconds: float) -> dict[str, int]:
    """How many rounds the peers run that are far slower than the fastest: a few, or less where that is long enough."""
    fastest = min((time for name, time in once.items() if name), default=0.0)
    far = {name: time for name, time in once.items() if name and time > FAR * fastest}
    return {
        name: 0 if time > seconds / 2 else 1 if FAR_ROUNDS * time > seconds / 2 else FAR_ROUNDS
        for name, time in far.items()
    }


def _window(call: Call, once: float, clock: Clock, repeats: int | None = None, warm: bool = True) -> float:
    """Seconds a call, over a window of calls, with one call before it, to be where the last peer was not."""
    if repeats is None:
        repeats = max(1, min(2000, int(WINDOW / max(once, 1e-7))))
    if warm and once < WARM:
        call()
    start = clock()
    for _ in range(repeats):
        call()
    return (clock() - start) / repeats
