"""A framework against the formula: the options are swept, and what departs is made small, told apart and named."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from math import frexp, ldexp

import numpy as np

from symconv.audits.arranging import Arranged, arranged
from symconv.audits.certification import Finding
from symconv.audits.departure import KINDS, AuditReport, Departure, FunctionCount
from symconv.audits.frameworks.call import AuditedFramework, FrameworkCall, OptionSpace, Point
from symconv.audits.isolation import Isolated
from symconv.audits.judging import PARTS, judged
from symconv.audits.neighbours import neighbours
from symconv.audits.reference import Reference
from symconv.audits.shrinking import shrunk
from symconv.audits.subject import Subject
from symconv.audits.trials import Shapes, Trial, corners, extremes, generic
from symconv.audits.wire import Message
from symconv.errors import SymconvError
from symconv.operators.adaptive import AdaptiveMaxPool
from symconv.operators.base import Operator
from symconv.operators.convolution import Conv
from symconv.operators.pooling import AvgPool, LPPool, MaxPool
from symconv.operators.transposed import ConvTranspose

__all__ = ["FrameworkSweep"]

PLAIN = (
    "small integers",
    "zeros and small integers",
    "integers",
    "numbers with all digits",
    "distinct negative entries",
    "distinct entries of both signs",
)
"""What is said of trials of plain numbers."""
ROUNDED = ("numbers with all digits", "large entries", "small entries")
"""Trials that are left out where formulas are told apart: small integers decide that."""
SIZES = ("size", "kernel_size", "stride")
"""The options that are made small and not plain."""
DOUBLE = 53
"""The digits of the type that formulas are evaluated in: what overflows there has no reference."""
Nature = tuple[str, str, str]


@dataclass
class _Known:
    """A departure that was found, and how it is known again.

    Attributes:
        departure: it.
        title: of the functions that have it.
        signature: what is wrong and in which array, and what is special about the smallest arguments.
        natures: the findings that have turned out to be it.
        values: the options that it needs.
        calls: how many show it.
    """

    departure: Departure
    title: str
    signature: Nature
    natures: set[Nature]
    values: Mapping[str, object]
    calls: int = 0


@dataclass
class _Prepared:
    """A call, ready to be judged."""

    call: FrameworkCall
    frame: Arranged
    reference: Reference
    shapes: Shapes
    single: bool
    answers: list[tuple[Trial, Message]] = field(default_factory=list)

    def judged(self, trial: Trial, message: Message) -> Finding | None:
        return judged(message, trial, self.frame, self.reference, self.call.dtype)


class FrameworkSweep:
    """The audit of one framework.

    Args:
        framework: the framework.
        process: where it runs.
        seed: of random cases.
        until: the time to stop at.
        most: how many calls to make.
        progress: is told how many calls were made, of how many, and how many departures were found.
    """

    def __init__(
        self,
        framework: AuditedFramework,
        process: Isolated,
        seed: int,
        until: float,
        most: int,
        progress: Callable[[int, int, int], None] | None,
    ) -> None:
        self._framework, self._process, self._seed = framework, process, seed
        self._until, self._most, self._progress = until, most, progress
        self._known: list[_Known] = []

    def report(self, versions: Mapping[str, str]) -> AuditReport:
        """Go through the options, the functions in turn, until all were seen, or the time is over."""
        families = self._framework.families()
        made, equal = dict.fromkeys((f.function for f in families), 0), dict.fromkeys((f.function for f in families), 0)
        done, finished = 0, True
        for family, point in _in_turn(families, self._seed):
            if done >= self._most:
                break
            if time.monotonic() > self._until:
                finished = False
                break
            call = family.call(point)
            if call is None:
                continue
            done += 1
            made[family.function] += 1
            if self._crashes(family, point):
                continue
            findings = list(self._departures(self._prepared(family, call)))
            equal[family.function] += not findings
            for finding in findings:
                self._keep(family, point, finding)
            if self._progress is not None:
                self._progress(done, self._most, len(self._known))
        rank = list(KINDS)
        departures = [replace(each.departure, calls=each.calls) for each in self._known]
        return AuditReport(
            self._framework.title,
            versions,
            tuple(FunctionCount(name, made[name], equal[name]) for name in made if made[name]),
            tuple(sorted(departures, key=lambda each: rank.index(each.kind))),
            self._seed,
            finished,
        )

    # ------------------------------------------------------------------ one call

    def _prepared(self, family: OptionSpace, call: FrameworkCall, *, single: bool = False) -> _Prepared:
        subject = Subject(self._framework.start, call.dtype, family.gradients, self._framework.title, True)
        variables = list(call.operator.variables)
        count = 1 if single else 2
        frame = arranged(
            call.operator,
            call.sizes,
            call.layout,
            call.weight_layout,
            count if call.layout is None or "N" in call.layout else None,
            subject,
            variables,
            count,
        )
        reference = Reference(call.operator, frame.sizes, call.dtype, {})
        return _Prepared(call, frame, reference, replace(frame.shapes, top=reference.largest_integer()), single)

    def _tried(self, ready: _Prepared, trial: Trial) -> Finding | None:
        arrays = {name: ready.frame.laid(name, array) for name, array in trial.parts()}
        message = self._process.call(arrays, ready.call.text)
        ready.answers.append((trial, message))
        return ready.judged(trial, message)

    def _departures(self, ready: _Prepared) -> Iterator[Finding]:
        """What the trials of a call find, each nature once."""
        seen = set()
        for trial in self._trials(ready):
            finding = self._tried(ready, trial)
            if finding is None or _nature(finding) in seen:
                continue
            seen.add(_nature(finding))
            yield finding
            if finding.kind in ("raised", "crashed", "hung"):
                return

    def _again(
        self, family: OptionSpace, call: FrameworkCall, nature: Nature, *, single: bool = False
    ) -> Finding | None:
        """What has this nature among the findings of a call."""
        ready = self._prepared(family, call, single=single)
        return next((found for found in self._departures(ready) if _nature(found) == nature), None)

    def _trials(self, ready: _Prepared) -> Iterator[Trial]:
        """Special entries last, so that what is wrong is shown on plain numbers where it can be."""
        op, shapes = ready.call.operator, ready.shapes
        if isinstance(op, Conv | ConvTranspose):
            weight = shapes.arguments["weight"]
            return generic(shapes, 3, self._seed, int(np.prod(weight[1:])))
        ties = not isinstance(op, MaxPool | AdaptiveMaxPool) or op.ties in ("first", "split")
        special = ready.call.dtype[0] != "i"
        further = corners(shapes, 1, self._seed + 1, special=special, ties=ties)
        usual = chain(generic(shapes, 2, self._seed, 1), _plain_first(further))
        unit = ready.reference.rounding.unit
        if unit is None or unit.digits >= DOUBLE or not isinstance(op, AvgPool | LPPool):
            return usual
        sizes = {"large entries": ldexp(1.0, frexp(unit.largest)[1] - 2)}
        if isinstance(op, LPPool):
            sizes = {
                "large entries": sizes["large entries"] / 64,
                "small entries": ldexp(1.0, (unit.least - unit.digits) // 2 - 1),
            }
        return chain(usual, extremes(shapes, sizes))

    # ------------------------------------------------------------------ what departs

    def _crashes(self, family: OptionSpace, point: Point) -> bool:
        """Whether a call has the options of one that crashed or hung, which is then not made again, and is counted."""
        for known in self._known:
            same = known.departure.kind == "crash" and known.departure.call.function == family.function
            if same and known.values and all(point.get(name) == value for name, value in known.values.items()):
                known.calls += 1
                return True
        return False

    def _keep(self, family: OptionSpace, point: Point, finding: Finding) -> None:
        """Count a departure that is known, or make a new one as small as it gets."""
        nature, title = _nature(finding), family.title or family.function
        axes = len(point["size"])
        for known in self._known:
            if known.title != title or nature not in known.natures or len(known.departure.call.sizes) > axes:
                continue
            if all(point.get(name) == value for name, value in known.values.items()):
                known.calls += 1
                return
        point, needed = self._smaller(family, point, nature)
        departure = self._departure(family, point, nature, needed)
        signature = (*_nature(departure.finding)[:2], _special(departure))
        for known in self._known:
            if (known.title, known.signature) == (title, signature) and set(known.values) <= set(needed):
                known.natures.add(nature)
                known.calls += 1
                if len(known.departure.call.sizes) > axes:
                    known.departure = departure
                return
        self._known.append(_Known(departure, title, signature, {nature}, needed, 1))

    def _smaller(self, family: OptionSpace, point: Point, nature: Nature) -> tuple[Point, dict[str, object]]:
        """The plainest place in the space of options where the same is wrong, and the options that it needs."""

        def fails(candidate: Point) -> bool:
            call = family.call(candidate)
            return call is not None and self._again(family, call, nature) is not None

        changed = True
        while changed:
            changed = False
            for name, values in family.options.items():
                choices = sorted(values, key=np.prod) if name in SIZES else values
                for value in choices[: choices.index(point[name])]:
                    candidate = {**point, name: value}
                    if fails(candidate):
                        point, changed = candidate, True
                        break
        needed = {n: v for n, v in point.items() if n not in SIZES and v != family.options[n][0]}
        return point, needed

    def _departure(self, family: OptionSpace, point: Point, nature: Nature, needed: Mapping[str, object]) -> Departure:
        call = family.call(point)
        assert call is not None
        single = self._again(family, call, nature, single=True)
        finding = single or self._again(family, call, nature)
        ready = self._prepared(family, call, single=single is not None)
        if finding is None:  # it does not come again: what was seen once is said so
            finding = Finding("state", nature[1], "the same call gives another answer when it is made again", "", {})
            return Departure("wrong", call, finding, tuple(needed))
        trial = _trial(finding, ready.frame)
        small = shrunk(trial, finding, lambda t: self._tried(ready, t), time.monotonic() + 20.0)
        script = self._framework.script(call, small.arguments)
        if small.index:
            place = "".join(f"[{i}]" for i in small.index)
            script += f'\nprint("the formula gives {small.due:.9g} for {PARTS[small.part]} at {place}")'
        found = Departure("wrong", call, small, tuple(needed), script=script)
        special = _special(found)
        if small.kind in ("crashed", "hung"):
            return replace(found, kind="crash")
        if small.kind == "rounding" or special == EXTREME:
            return replace(found, kind="numeric")
        if special in family.promises:
            return replace(found, promise=family.promises[special])
        if small.kind not in ("value", "shape"):
            return replace(found, kind="undocumented" if small.kind in ("raised", "refused", "gradient") else "wrong")
        theirs = self._follows(family, point, trial) if special in ("", "zeros", "ties") else None
        if theirs is not None:
            return replace(found, kind="convention", theirs=theirs)
        return replace(found, kind="undocumented" if special else "wrong")

    def _follows(self, family: OptionSpace, point: Point, trial: Trial) -> Operator | None:
        """The operator next to the one of a call that gives what the framework gives, there and at larger sizes.

        Args:
            family, point: the call.
            trial: what shows that it is not the operator itself.
        """
        larger = sorted(family.options["size"], key=np.prod)[-2:]
        calls = [family.call({**point, "size": size}) for size in dict.fromkeys([point["size"], *larger])]
        seen = []
        for call in filter(None, calls):
            ready = self._prepared(family, call)
            for each in self._trials(ready):
                if each.words not in ROUNDED and np.isfinite(each.arrays["input"]).all():
                    self._tried(ready, each)
            seen.append(ready)
        alone = self._prepared(family, seen[0].call, single=trial.arrays["input"].shape[0] == 1)
        self._tried(alone, trial)
        for op in neighbours(seen[0].call.operator):
            if all(self._explains(family, op, ready) for ready in (alone, *seen)):
                return op
        return None

    def _explains(self, family: OptionSpace, op: Operator, ready: _Prepared) -> bool:
        """Whether an operator gives all that the framework answered to a call."""
        try:
            other = self._prepared(family, replace(ready.call, operator=op), single=ready.single)
        except SymconvError:
            return False
        if other.shapes.output != _output_shape(ready) or other.shapes.arguments != ready.shapes.arguments:
            return False
        return all(other.judged(trial, message) is None for trial, message in ready.answers)


def _output_shape(ready: _Prepared) -> tuple[int, ...] | None:
    """The shape that the framework gave, in canonical order."""
    for _, message in ready.answers:
        given = (message.arrays or {}).get("output")
        if given is not None and given.ndim == len(ready.frame.data.order):
            return tuple(ready.frame.data.canonical(given).shape)
    return None


def _in_turn(families: tuple[OptionSpace, ...], seed: int) -> Iterator[tuple[OptionSpace, Point]]:
    """The places of all families, one of each in turn."""
    running = [(family, family.points(seed)) for family in families]
    while running:
        left = []
        for family, points in running:
            point = next(points, None)
            if point is not None:
                yield family, point
                left.append((family, points))
        running = left


def _plain_first(trials: Iterator[Trial]) -> Iterator[Trial]:
    return iter(sorted(trials, key=lambda trial: trial.words not in PLAIN))


def _trial(finding: Finding, frame: Arranged) -> Trial:
    """The trial of a finding, its arrays in canonical order again."""
    arrays = {}
    for name, array in finding.arguments.items():
        if name == "weight":
            assert frame.weight is not None
            arrays[name] = frame.weight.canonical(array, frame.transposed)
        else:
            arrays[name] = array if name == "bias" else frame.data.canonical(array)
    upstream = arrays.pop("upstream", None)
    return Trial(finding.trial, arrays, upstream)


def _nature(finding: Finding) -> Nature:
    """What is wrong, as far as it does not depend on sizes and numbers."""
    what = finding.kind
    if what == "value":
        what = f"{_class(finding.given)} for {_class(finding.due)}"
    elif what == "raised":
        what = re.sub(r"\d+", "#", finding.words)
    special = "" if finding.trial in PLAIN else finding.trial
    return what, finding.part, special


def _class(value: float) -> str:
    return "NaN" if np.isnan(value) else f"{value}" if np.isinf(value) else "a number"


EXTREME = "entries near the ends of the type"


def _special(departure: Departure) -> str:
    """What is special about the smallest arguments of a departure; "" for plain numbers."""
    finding, op = departure.finding, departure.call.operator
    x = finding.arguments.get("input", np.zeros(0))
    sizes = np.abs(x[np.isfinite(x) & (x != 0)])
    if np.isnan(x).any():
        return "NaN"
    if np.isinf(x).any():
        return "infinities"
    if len(sizes) and (sizes.max() > 1 << 12 or sizes.min() < 1 / (1 << 12)):
        return EXTREME
    if isinstance(op, LPPool) and finding.part == "grad_input" and finding.index and not x[finding.index]:
        return "all zeros" if not x.any() else "zeros"
    if isinstance(op, MaxPool | AdaptiveMaxPool) and finding.part == "grad_input" and len(np.unique(x)) < x.size:
        return "ties"
    return ""
