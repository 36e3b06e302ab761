"""Theorems: statements for all sizes, each printed from the object that decides it, and the slips that they refute."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import TYPE_CHECKING

from symconv.derivations.step import Maths, Phrase
from symconv.derivations.theorems.deciding import all_of, decide
from symconv.derivations.theorems.proposition import Proposition
from symconv.derivations.theorems.writing import conclusion_lines, hypothesis_lines, one_line

if TYPE_CHECKING:
    from symconv.proofs.verdict import Verdict

__all__ = ["Check", "Theorem", "latex_of"]


@dataclass(frozen=True)
class Check:
    """One part of a theorem, or one wrong variant of it: a name for it, what it says, and how that is decided.

    Attributes:
        what: a name in words; nothing of what it says.
        proposition: what it says.
        again: whether it says the same as the part before it, for another number of axes.
        proof: what decides a proposition of this form; it is handed this one and nothing else.
    """

    what: str
    proposition: Proposition
    again: bool = False
    proof: Callable[[Proposition], Verdict] = field(default=decide, repr=False)

    @property
    def verdict(self) -> Verdict:
        """The outcome, computed once; its time is that of the whole check."""
        cached: Verdict | None = self.__dict__.get("_verdict")
        if cached is None:
            start = perf_counter()
            cached = self.proof(self.proposition)
            cached = replace(cached, seconds=perf_counter() - start)
            object.__setattr__(self, "_verdict", cached)
        return cached

    @property
    def hypotheses(self) -> tuple[Phrase, ...]:
        """What it is quantified over and what it supposes, line by line."""
        return hypothesis_lines(self.proposition)

    @property
    def statement(self) -> tuple[Phrase, ...]:
        """What it defines and what follows, line by line."""
        return conclusion_lines(self.proposition)


@dataclass(frozen=True)
class Theorem:
    """A statement that holds for all sizes under its hypotheses.

    Attributes:
        name: a short name for the command line.
        title: the same in words.
        source: where it is from.
        checks: its parts; the theorem holds where each of them does.
        slips: wrong variants, one change each; every one of them is refuted.
        checked_by: the program that has checked its certificate, from a recorded run; see `Verdict`.
    """

    name: str
    title: str
    source: str
    checks: tuple[Check, ...]
    slips: tuple[Check, ...] = ()
    checked_by: str = ""

    def check(self) -> tuple[Verdict, ...]:
        """The verdicts on all parts."""
        return tuple(part.verdict for part in self.checks)

    @property
    def verdict(self) -> Verdict:
        """The weakest verdict of the parts, with what all of them rest on."""
        return replace(all_of(self.check()), checked_by=self.checked_by)

    @property
    def seconds(self) -> float:
        """The time that the proof took."""
        return sum(verdict.seconds for verdict in self.check())

    @property
    def statement(self) -> Phrase:
        """What all parts say; of those that say the same for another number of axes, the first."""
        parts = [part for part in self.checks if not part.again]
        also = [part.what for part in self.checks if part.again]
        lines = dict.fromkeys(line for part in parts for line in part.statement)
        return (*one_line(lines), f" (and on {', '.join(also)})") if also else one_line(lines)

    @property
    def hypotheses(self) -> Phrase:
        """What the parts suppose that `statement` prints."""
        return one_line(dict.fromkeys(line for part in self.checks if not part.again for line in part.hypotheses))

    def latex(self) -> str:
        """The statement as LaTeX, words as text."""
        return latex_of(self.statement)


def latex_of(phrase: Phrase) -> str:
    """A sentence as LaTeX, its words as text."""
    return "".join(part.latex if isinstance(part, Maths) else rf"\text{{{part}}}" for part in phrase)
