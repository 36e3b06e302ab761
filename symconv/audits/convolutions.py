"""The search for a convolution, a transposed one included, that makes an output."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from symconv.audits.allowance import Allowance
from symconv.audits.candidate import Candidate, Orientation
from symconv.audits.reading import Array, DataReading, data_readings, weight_readings
from symconv.audits.rounding import Rounding
from symconv.audits.sliding import Fit, Slide, matches, plain, slides, spreads
from symconv.audits.tables import MODES, correlated, spread
from symconv.audits.turns import turns
from symconv.errors import GeometryError
from symconv.operators.convolution import Conv
from symconv.operators.transposed import ConvTranspose

__all__ = ["found", "hypotheses", "operator_of", "orientations", "view_of"]

Steps = tuple[int, ...]
MOST_DILATION, MOST_UNEQUAL = 16, 4


def orientations(x: Array, weight: Array, y: Array) -> list[Orientation]:
    """The ways to read three arrays as input, filter and output of a convolution, the plainest first."""
    found = []
    for axes in (1, 2, 3):
        for xs, ys, ws in product(data_readings(x, axes), data_readings(y, axes), weight_readings(weight, axes)):
            shared = len(ws.order) == axes and "C" in xs.order
            for transposed in (False, True):
                groups = _groups(xs, ys, ws.canonical(weight, transposed), x, y, transposed, shared)
                if groups is None:
                    continue
                mixed = (False, True) if groups > 1 and "G" not in ws.order else (False,)
                seen: dict[bytes, None] = {}
                for turn in turns(axes):
                    turned = turn(ws.canonical(weight, transposed))
                    key = bytes(repr(turned.shape), "ascii") + turned.tobytes()
                    if key in seen:  # a filter with a symmetry: the plainer turn stands for both
                        continue
                    seen[key] = None
                    for exchanged, a, b in product((False, True) if axes == 2 else (False,), mixed, mixed):
                        found.append(Orientation(xs, ys, ws, turn, transposed, exchanged, groups, a, b, shared))
    return sorted(found, key=lambda orientation: orientation.cost)


def _groups(
    xs: DataReading, ys: DataReading, weight: Array, x: Array, y: Array, transposed: bool, shared: bool
) -> int | None:
    """The number of groups with which the channels fit; None where they do not."""
    given, made = xs.canonical(x).shape, ys.canonical(y).shape
    if shared:
        return 1 if given[:2] == made[:2] and set(xs.order) == set(ys.order) else None
    if given[0] != made[0]:
        return None
    first, second = weight.shape[:2]
    inputs, outputs = given[1], made[1]
    if transposed:  # (I, O / groups, taps)
        groups = outputs // second
        return groups if first == inputs and groups * second == outputs and inputs % max(groups, 1) == 0 else None
    groups = inputs // second
    fits = first == outputs and groups * second == inputs and groups > 0 and outputs % groups == 0
    return groups if fits else None


def found(x: Array, weight: Array, y: Array, allowance: Allowance) -> Iterator[Candidate]:
    """The convolutions that give one channel of the output, the plainest first; what is found is still to be checked.

    Args:
        x, weight, y: the arrays.
        allowance: what may be spent, and who is told of it.
    """
    rounding, views = Rounding.of(x, weight, y), {}
    for cost, orientation, dilation, stride, mode in hypotheses(x, weight, y):
        if orientation not in views:
            views[orientation] = view_of(orientation, x, weight, y)
        view = views[orientation]
        ways = view.ways(dilation, stride)
        if not all(ways):
            continue
        if not allowance.spend(view.x[0].size * view.terms):
            return
        table = view.table(dilation, stride, mode)
        slack = None
        if not (rounding.exact and view.small):
            slack = rounding.slack(view.magnitudes().table(dilation, stride, mode), view.terms + 1)
        for match in matches(table, slack, view.y, ways):
            if mode != "zeros" and all(way.before <= 0 and way.after <= 0 for way in match.slides):
                continue  # nothing outside is read
            operator = operator_of(orientation, match, dilation, mode, view)
            if operator is not None:
                yield Candidate(operator, orientation, cost + sum(w.cost for w in match.slides) + match.bias)


def hypotheses(x: Array, weight: Array, y: Array) -> list[tuple[float, Orientation, Steps, Steps | None, str]]:
    """(cost, orientation, dilation, stride of a transposed one, padding mode), the plainest first."""
    result: list[tuple[float, Orientation, Steps, Steps | None, str]] = []
    for orientation in orientations(x, weight, y):
        sizes, outputs = orientation.input(x).shape[2:], orientation.output(y).shape[2:]
        taps = orientation.filter(weight).shape[2:]
        ends = outputs if orientation.transposed else sizes
        for dilation in _dilations(ends, taps):
            cost = orientation.cost + _steps_cost(dilation, 1.0)
            if not orientation.transposed:
                for mode in MODES:
                    result.append((cost + 2.0 * (mode != "zeros"), orientation, dilation, None, mode))
                continue
            strides = product(*(_strides(*a) for a in zip(sizes, outputs, taps, dilation, strict=True)))
            for stride in strides:
                if any(s > 1 for s in stride):  # with stride 1 it is a convolution with a padded input
                    result.append((cost + 1.5 + _steps_cost(stride, 0.2), orientation, dilation, stride, "zeros"))
    return sorted(result, key=lambda hypothesis: hypothesis[0])


def _dilations(sizes: Steps, taps: Steps) -> Iterator[Steps]:
    """The dilations whose taps can all lie within the sizes, up to a largest one; unequal ones to a smaller one."""
    most = [min(MOST_DILATION, (n - 1) // (k - 1)) if k > 1 else 1 for n, k in zip(sizes, taps, strict=True)]
    for dilation in product(*(range(1, max(m, 1) + 1) for m in most)):
        open_axes = {d for d, k in zip(dilation, taps, strict=True) if k > 1}
        if len(open_axes) < 2 or max(dilation) <= MOST_UNEQUAL:
            yield dilation


def _strides(size: int, outputs: int, taps: int, dilation: int) -> range:
    """The strides with which a transposed convolution can make a number of outputs out of an input size."""
    span = dilation * (taps - 1) + 1
    least = max(1, -(-(outputs - span) // size))
    most = outputs if size == 1 else (outputs + span - 2) // (size - 1)
    return range(least, min(most, outputs) + 1)


def _steps_cost(steps: Steps, once: float) -> float:
    """How unusual steps are: ones are plain, equal ones plainer than others."""
    if set(steps) == {1}:
        return 0.0
    return once + 0.05 * max(steps) + 0.5 * (len(set(steps)) > 1)


@dataclass(frozen=True)
class View:
    """One output channel of one item of the batch, with what it is made of, in float64.

    Attributes:
        x: the input channels of its group, (I, places).
        weight: its filter, (I, taps), as it slides: reversed where the operator flips it.
        y: the output channel, (places).
        channels: (input channels, output channels) of the operator.
    """

    x: Array
    weight: Array
    y: Array
    channels: tuple[int, int]

    @property
    def terms(self) -> int:
        """The number of products of a sum."""
        return self.weight.size

    @property
    def small(self) -> bool:
        """Whether sums of integers are exact in float64."""
        return float(np.abs(self.x).max()) * float(np.abs(self.weight).sum()) < 2.0**53

    def magnitudes(self) -> View:
        """The view of the absolute values."""
        return View(np.abs(self.x), np.abs(self.weight), self.y, self.channels)

    def ways(self, dilation: Steps, stride: Steps | None) -> Sequence[Sequence[Slide]]:
        """The ways to slide along every axis that give an output of its size."""
        axes = zip(self.x.shape[1:], self.weight.shape[1:], dilation, self.y.shape, strict=True)
        spans = [(n, d * (k - 1) + 1, o) for n, k, d, o in axes]
        if stride is None:
            return [slides(*span) for span in spans]
        return [spreads(*span, s, d) for span, s, d in zip(spans, stride, dilation, strict=True)]

    def table(self, dilation: Steps, stride: Steps | None, mode: str) -> Array:
        """What the filter gives at every position."""
        if stride is None:
            return correlated(self.x, self.weight, dilation, mode)
        return spread(self.x, self.weight, stride, dilation, max(*stride, *dilation))


def view_of(orientation: Orientation, x: Array, weight: Array, y: Array) -> View:
    """The output channel whose entries differ most, so that it tells most."""
    given, made, filters = orientation.input(x), orientation.output(y), orientation.filter(weight)
    axes = tuple(range(2, made.ndim))
    chosen = int(np.argmax(np.ptp(made[:1], axis=axes)[0]))
    inputs, outputs = given.shape[1], made.shape[1]
    group = chosen // (outputs // orientation.groups)
    own = slice(group * (inputs // orientation.groups), (group + 1) * (inputs // orientation.groups))
    weights = filters[own, chosen % (outputs // orientation.groups)] if orientation.transposed else filters[chosen]
    assert orientation.turn is not None
    if orientation.turn.flip:
        weights = np.flip(weights, tuple(range(1, weights.ndim)))
    return View(given[0, own].astype(float), weights.astype(float), made[0, chosen].astype(float), (inputs, outputs))


def operator_of(
    orientation: Orientation, match: Fit, dilation: Steps, mode: str, view: View
) -> Conv | ConvTranspose | None:
    """The operator of a match; None where its options do not go together."""
    assert orientation.turn is not None
    inputs, outputs = view.channels
    ways = match.slides
    options: dict[str, Any] = {"kernel_size": view.weight.shape[1:]}
    options |= {"stride": plain(tuple(w.stride for w in ways)), "dilation": plain(dilation)}
    pairs = tuple((w.before, w.after) for w in ways)
    options["padding"] = plain(tuple(a for a, _ in pairs)) if all(a == b for a, b in pairs) else pairs
    options |= {"groups": orientation.groups, "in_channels": inputs, "out_channels": outputs}
    options |= {"bias": match.bias, "flip": orientation.turn.flip}
    try:
        if orientation.transposed:
            return ConvTranspose(**options, output_padding=plain(tuple(w.extra for w in ways)))
        return Conv(**options, padding_mode=mode)
    except GeometryError:
        return None
