"""One statement of integer arithmetic that a proof rests on, and how conditions are written for a reader."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from symconv.formulas.algebra import Guard
from symconv.formulas.index import Index

__all__ = ["Obligation", "Outcome", "condition"]

Outcome: TypeAlias = Literal["proved", "failed", "unknown"]


@dataclass(frozen=True)
class Obligation:
    """One statement of integer arithmetic that a proof rests on.

    Attributes:
        name: what it says.
        outcome: "proved", "failed" (the solver has a model of the negation: this step fails, the claim may still hold)
            or "unknown".
        smtlib: the negation in SMT-LIB 2; "unsat" means proved. Any solver for integer arithmetic can check it again.
        variables: the variables of that text, and the names that they stand for.
    """

    name: str
    outcome: Outcome
    smtlib: str = field(repr=False)
    variables: tuple[tuple[str, str], ...] = field(default=(), repr=False)


def condition(guard: Guard) -> str:
    """A guard as one writes it, with nothing negative on either side.

    >>> condition(Guard("ge", Index.of("I") - "K"))
    'I >= K'
    """
    if guard.kind == "div":
        return f"{guard.divisor!r} divides {guard.expr!r}"
    left = Index({key: value for key, value in guard.expr.terms.items() if value > 0})
    right = Index({key: -value for key, value in guard.expr.terms.items() if value < 0})
    sign = ">=" if guard.kind == "ge" else "=="
    if not left.terms:
        return f"{right!r} {'<=' if guard.kind == 'ge' else '=='} {left!r}"
    return f"{left!r} {sign} {right!r}"
