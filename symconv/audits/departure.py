"""What an audit says: where a framework equals the formula, and where it departs from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from symconv.audits.certification import Finding
from symconv.audits.frameworks.call import FrameworkCall
from symconv.operators.base import Operator

__all__ = ["KINDS", "AuditReport", "Departure", "FunctionCount"]

KINDS = {
    "crash": "the process of the framework ended, or gave no answer in time",
    "wrong": "plain numbers, and no other option or convention of the operator gives what the framework gives",
    "undocumented": "only on special entries (NaN, infinities, ties, zeros, windows without an entry), or a refusal",
    "numeric": "the formula's value can be held, and digits or all of it are lost on the way there",
    "convention": "another formula, which is shown, gives what the framework gives on all trials with small integers",
}
"""The kinds of departures and what they say, the gravest first."""


@dataclass(frozen=True)
class Departure:
    """A way in which a framework departs from the formula, with its smallest example.

    Attributes:
        kind: one of `KINDS`.
        call: the plainest call that shows it.
        finding: what is wrong, with the smallest arguments.
        options: the options without which it does not show.
        theirs: the operator that gives what the framework gives, for "convention".
        promise: what the documentation says of such entries, where it does.
        script: a program that shows it without symconv.
        calls: how many of the calls show it.
    """

    kind: str
    call: FrameworkCall
    finding: Finding = field(compare=False)
    options: tuple[str, ...] = ()
    theirs: Operator | None = None
    promise: str = ""
    script: str = ""
    calls: int = 1

    @property
    def title(self) -> str:
        """What it is, in a line."""
        words = self.finding.words.partition(";")[0]
        return f"{self.call.function}: {words}"


@dataclass(frozen=True)
class FunctionCount:
    """How often a function was called, and what came of it."""

    function: str
    calls: int
    equal: int


@dataclass(frozen=True)
class AuditReport:
    """What an audit found.

    Attributes:
        framework: its title.
        versions: those of its packages.
        functions: the counts by function.
        departures: the gravest first, and among these what was found first.
        seed: of the random cases.
        finished: whether all of the option space that was asked for was seen before the time was over.
    """

    framework: str
    versions: Mapping[str, str]
    functions: tuple[FunctionCount, ...]
    departures: tuple[Departure, ...]
    seed: int
    finished: bool

    @property
    def calls(self) -> int:
        """How many different calls were made."""
        return sum(count.calls for count in self.functions)

    def rows(self) -> dict[str, Any]:
        """All of it as what JSON holds; NaN and infinities are texts."""
        return {
            "framework": self.framework,
            "versions": dict(self.versions),
            "seed": self.seed,
            "finished": self.finished,
            "functions": [
                {"function": each.function, "calls": each.calls, "equal": each.equal} for each in self.functions
            ],
            "departures": [_row(each) for each in self.departures],
        }

    def __str__(self) -> str:
        said = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        equal = sum(count.equal for count in self.functions)
        lines = [f"{self.framework} ({said}): {equal} of {self.calls} calls equal the formula"]
        lines += [f"  {each.function}: {each.equal} of {each.calls}" for each in self.functions]
        for number, each in enumerate(self.departures, 1):
            lines += [f"{number}. {each.kind}: {each.title}", f"   {each.call}, {each.call.dtype}"]
            lines += [f"   {line}" for line in str(each.finding).splitlines()[1:]]
            if each.theirs is not None:
                lines.append(f"   it is what {each.theirs!r} gives, and not {each.call.operator!r}")
            if each.promise:
                lines.append(f'   the documentation says: "{each.promise}"')
        return "\n".join(lines)


def _row(departure: Departure) -> dict[str, Any]:
    call, finding = departure.call, departure.finding
    return {
        "kind": departure.kind,
        "function": call.function,
        "options": dict(call.keywords),
        "dtype": call.dtype,
        "needed": list(departure.options),
        "calls": departure.calls,
        "words": finding.words,
        "trial": finding.trial,
        "arguments": {name: _plain(array.tolist()) for name, array in finding.arguments.items()},
        "formula": repr(call.operator),
        "follows": None if departure.theirs is None else repr(departure.theirs),
        "documentation": departure.promise or None,
        "script": departure.script,
    }


def _plain(value: Any) -> Any:
    """Nested lists whose numbers JSON has."""
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    return value if not isinstance(value, float) or abs(value) < float("inf") else str(value)
