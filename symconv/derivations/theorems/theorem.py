"""Theorems: statements for all sizes, each with what decides it, and the slips that it does not survive."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import TYPE_CHECKING

from symconv.derivations.step import Maths, Phrase

if TYPE_CHECKING:
    from symconv.proofs.verdict import Scope, Verdict

__all__ = ["Check", "Theorem", "all_of"]

WEAKEST_FIRST = ("refuted", "error", "undecided", "exact", "proved")


@dataclass(frozen=True)
class Check:
    """One part of a theorem, or one wrong variant of it: what it says in a few words, and what decides it."""

    what: str
    run: Callable[[], Verdict] = field(compare=False, repr=False)

    @property
    def verdict(self) -> Verdict:
        """The outcome, computed once; its time is that of the whole check."""
        cached: Verdict | None = self.__dict__.get("_verdict")
        if cached is None:
            start = perf_counter()
            cached = self.run()
            cached = replace(cached, seconds=perf_counter() - start)
            object.__setattr__(self, "_verdict", cached)
        return cached


@dataclass(frozen=True)
class Theorem:
    """A statement that holds for all sizes under its hypotheses.

    Attributes:
        name: a short name for the command line.
        title: the same in words.
        statement: the mathematics.
        hypotheses: the conditions, every one that the proof uses.
        source: where it is from.
        checks: its parts; the theorem holds where each of them does.
        slips: wrong variants, one change each; every one of them is refuted.
    """

    name: str
    title: str
    statement: Phrase
    hypotheses: Phrase
    source: str
    checks: tuple[Check, ...]
    slips: tuple[Check, ...] = ()

    def check(self) -> tuple[Verdict, ...]:
        """The verdicts on all parts."""
        return tuple(part.verdict for part in self.checks)

    @property
    def verdict(self) -> Verdict:
        """The weakest verdict of the parts, with what all of them rest on."""
        return all_of(self.check())

    @property
    def seconds(self) -> float:
        """The time that the proof took."""
        return sum(verdict.seconds for verdict in self.check())

    def latex(self) -> str:
        """The statement as LaTeX, words as text."""
        escaped = str.maketrans({"_": r"\_"})
        return "".join(
            part.latex if isinstance(part, Maths) else rf"\text{{{part.translate(escaped)}}}" for part in self.statement
        )


def all_of(verdicts: Iterable[Verdict]) -> Verdict:
    """One verdict on a conjunction: the weakest status, and the hypotheses, bijections and obligations of all."""
    from symconv.proofs.record import conjunction

    given = tuple(verdicts)
    weakest = min(given, key=lambda verdict: WEAKEST_FIRST.index(verdict.status))
    if len(given) == 1:
        return weakest
    methods = dict.fromkeys(verdict.method for verdict in given if verdict.method)
    texts = dict.fromkeys(verdict.explanation for verdict in given if verdict.explanation)
    alike = weakest.status == "proved"
    return replace(
        weakest,
        scope=_joined([verdict.scope for verdict in given]),
        hypotheses=tuple(dict.fromkeys(guard for verdict in given for guard in verdict.hypotheses)),
        explanation=" ".join(texts) if alike else weakest.explanation,
        bijection=tuple(match for verdict in given for match in verdict.bijection),
        obligations=tuple(dict.fromkeys(entry for verdict in given for entry in verdict.obligations)),
        method=", ".join(methods) if alike else weakest.method,
        sizes=sum(verdict.sizes for verdict in given),
        seconds=sum(verdict.seconds for verdict in given),
        record=conjunction(verdict.record for verdict in given) if alike else None,
    )


def _joined(scopes: Iterable[Scope]) -> Scope:
    """The parameters of all scopes; one that a part leaves symbolic and another fixes is fixed."""
    from symconv.proofs.verdict import Scope

    given = tuple(scopes)
    fixed = dict.fromkeys(pair for scope in given for pair in scope.fixed)
    held = {name for name, _ in fixed}
    return Scope(tuple(dict.fromkeys(n for scope in given for n in scope.symbolic if n not in held)), tuple(fixed))
