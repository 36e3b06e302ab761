"""Proofs by induction over the taps of a window, of any number: base and step are statements about real numbers.

What the solver sees is one tap and the totals over all taps before it, as free real numbers; nothing is assumed of how
many there are. A total over all taps enters by linearity: what holds of every summand holds of the sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from symconv.proofs.smt import Solver
from symconv.proofs.verdict import Obligation, Scope, Verdict

__all__ = ["Claim", "by_induction"]

Outcome = Literal["proved", "failed", "unknown"]


@dataclass(frozen=True)
class Claim:
    """One obligation: under `given`, `goal` holds for all real numbers; all three in SMT-LIB.

    Attributes:
        name: what it says.
        reals: the names of real numbers in it.
        given: conditions.
        goal: what follows.
        definitions: names for expressions, in order.
    """

    name: str
    reals: str
    given: tuple[str, ...]
    goal: str
    definitions: tuple[tuple[str, str], ...] = ()

    def script(self, *, negated: bool = True) -> str:
        """The conditions and the negated goal; without the goal where only they are to be examined."""
        lines = ["(set-logic ALL)"]
        lines += [f"(declare-const {name} Real)" for name in self.reals.split()]
        lines += [f"(define-fun {name} () Real {value})" for name, value in self.definitions]
        lines += [f"(assert {condition})" for condition in self.given]
        if negated:
            lines.append(f"(assert (not {self.goal}))")
        return "\n".join([*lines, "(check-sat)", ""])


def by_induction(steps: Sequence[Claim], symbolic: Sequence[str], explanation: str) -> Verdict:
    """ "proved" where every obligation is, and none holds only because its conditions contradict each other."""
    solver = Solver()
    obligations = []
    vacuous = []
    for step in steps:
        text = step.script()
        answer = solver.decide(text)
        outcome: Outcome = "proved" if answer == "unsat" else "failed" if answer == "sat" else "unknown"
        obligations.append(Obligation(step.name, outcome, text))
        if solver.decide(step.script(negated=False)) != "sat":
            vacuous.append(step.name)
    open_ = [entry.name for entry in obligations if entry.outcome != "proved"]
    proved = not open_ and not vacuous
    if not proved:
        explanation = f"Not shown: {', '.join(open_) or 'conditions that can be met in ' + ', '.join(vacuous)}."
    return Verdict(
        "proved" if proved else "undecided",
        Scope(tuple(symbolic)),
        explanation=explanation,
        obligations=tuple(obligations),
        method="induction over the taps",
    )
