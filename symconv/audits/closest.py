"""Where nothing fits: the candidates that come nearest, by the number of entries that they give."""

from __future__ import annotations

from heapq import nsmallest
from itertools import islice, product
from math import prod

import numpy as np

from symconv.audits.allowance import Allowance
from symconv.audits.candidate import Candidate
from symconv.audits.convolutions import hypotheses, operator_of, view_of
from symconv.audits.pooling_kinds import KINDS, PoolingKind
from symconv.audits.poolings import MOST_WINDOWS, pool_orientations, together
from symconv.audits.reading import Array
from symconv.audits.rounding import Rounding
from symconv.audits.sliding import Fit, Slide, samples

__all__ = ["near_convolutions", "near_poolings"]

MOST_WAYS = 400  # ways to slide that one table is read along
PLAIN = 1.5  # an axis that is more unusual is not tried: what is wrong is rather an entry
KEPT = 6
MOST_BIASED = 0.25  # of the entries: a bias always makes one of them right


def near_convolutions(x: Array, weight: Array, y: Array, allowance: Allowance) -> list[Candidate]:
    """The convolutions that come nearest on one channel of the output, the nearest first."""
    rounding, found = Rounding.of(x, weight, y), []
    for cost, orientation, dilation, stride, mode in hypotheses(x, weight, y):
        view = view_of(orientation, x, weight, y)
        ways = view.ways(dilation, stride)
        if not all(ways):
            continue
        if not allowance.spend(view.x[0].size * view.terms):
            break
        table = view.table(dilation, stride, mode)
        slack = rounding.slack(view.magnitudes().table(dilation, stride, mode), view.terms + 1)
        plain = [[way for way in axis if way.cost <= PLAIN] for axis in ways]
        for chosen in islice(product(*plain), MOST_WAYS):
            if mode != "zeros" and all(way.before <= 0 and way.after <= 0 for way in chosen):
                continue  # nothing outside is read
            scores = [_score(table, slack, view.y, chosen, bias) for bias in (False, True)]
            shifted = scores[1][0] < min(scores[0][0], -MOST_BIASED)
            for bias, score in enumerate(scores if shifted else scores[:1]):
                operator = operator_of(orientation, Fit(chosen, bool(bias)), dilation, mode, view)
                if operator is not None:
                    total = cost + sum(way.cost for way in chosen) + bias
                    found.append((score, Candidate(operator, orientation, total)))
        found = nsmallest(KEPT, found, key=lambda pair: (*pair[0], pair[1].cost))
    return [candidate for _, candidate in found]


def _score(table: Array, slack: Array, y: Array, chosen: tuple[Slide, ...], bias: bool) -> tuple[float, float]:
    """(minus the share of entries that are right, the median of how far the others are off)."""
    window = tuple(slice(w.start, w.start + w.step * (n - 1) + 1, w.step) for w, n in zip(chosen, y.shape, strict=True))
    gap = y - table[window]
    if bias:
        gap = gap - np.median(gap)
    gap = np.abs(gap)
    return -float((gap <= (1 + bias) * slack[window]).mean()), float(np.nan_to_num(np.median(gap), nan=np.inf))


def near_poolings(x: Array, y: Array, allowance: Allowance) -> list[Candidate]:
    """The poolings that come nearest on one plane of the output, the nearest first."""
    rounding, found = Rounding.of(x, y), []
    for orientation in pool_orientations(x, y):
        given, made = orientation.input(x)[0, 0].astype(float), orientation.output(y)[0, 0].astype(float)
        places = samples(made.shape, MOST_WINDOWS)
        for passages in islice(together(given.shape, made.shape), MOST_WAYS):
            taps = prod(passage.kernel for passage in passages)
            if not allowance.spend(taps * len(places)):
                break
            windows = [given[np.ix_(*(s.reads[o] for s, o in zip(passages, place, strict=True)))] for place in places]
            for kind in KINDS:
                gaps = [_gap(kind, window, taps, made[place], rounding) for window, place in zip(windows, places)]
                score = (-float(np.mean(np.array(gaps) == 0)), float(np.median(gaps)))
                for operator, extra in islice(kind.operators(passages, windows[0], float(made[places[0]])), 3):
                    cost = orientation.cost + sum(passage.cost for passage in passages) + extra
                    found.append((score, Candidate(operator, orientation, cost)))
            found = nsmallest(KEPT, found, key=lambda pair: (*pair[0], pair[1].cost))
    return [candidate for _, candidate in found]


def _gap(kind: PoolingKind, window: Array, taps: int, value: float, rounding: Rounding) -> float:
    """How far a value is from what a kind may make of a window; 0 within the rounding errors."""
    slack = float(rounding.slack(np.abs(window).sum(), taps + 8))
    gap = min((abs(value - found) for found in kind.values(window, taps)), default=np.inf)
    return 0.0 if gap <= slack else float(gap)
