"""Statements of integer arithmetic as theorems: hypotheses, and what follows from them."""

from __future__ import annotations

from collections.abc import Sequence

from symconv.certificates.indices import operand, proposition, quotients
from symconv.certificates.naming import Names
from symconv.certificates.trees import NotCertified
from symconv.formulas.algebra import Guard
from symconv.formulas.index import Index
from symconv.proofs.record import Equivalence, Goal

__all__ = ["arithmetic"]


def arithmetic(record: Goal | Equivalence, name: str) -> str:
    """The Coq text of one theorem.

    Raises:
        NotCertified: where real numbers occur.
    """
    names = Names()
    given = _open(record.given)
    if isinstance(record, Goal):
        sides = [_open(record.wanted)]
    else:
        sides = [_open(record.left), _open(record.right)]
    everything = [*given, *(guard for side in sides for guard in side)]
    found = frozenset().union(*(guard.names for guard in everything))
    if found & record.reals:
        raise NotCertified(f"{min(found & record.reals)} is a real number, and only integers are certified here")
    order = list(dict.fromkeys(n for guard in everything for n in sorted(guard.names)))
    lines = [f"Theorem {name} :"]
    variables = " ".join(names.of(known) for known in order)
    if variables:
        lines.append(f"  forall {variables} : Z,")
    lines += [f"  {proposition(guard, names)} ->" for guard in given]
    wanted = [_all([proposition(guard, names) for guard in side]) for side in sides]
    lines.append(f"  {wanted[0]}." if isinstance(record, Goal) else f"  ({wanted[0]}) <-> ({wanted[1]}).")
    script = [f"intros{' ' + variables if variables else ''}; intros."]
    if isinstance(record, Goal):
        script += _step([*given], sides[0], names)
    else:
        script.append("split.")
        for one, two in (sides, sides[::-1]):
            first, *rest = [f"intros {_nested(len(one))}.", *_step([*given, *one], two, names)]
            script += [f"- {first}", *(f"  {line}" for line in rest)]
    table = names.table()
    opening = [f"(* {'; '.join(table)} *)"] if table else []
    return "\n".join([*opening, *lines, "Proof.", *(f"  {line}" for line in script if line), "Qed.", ""])


def _open(guards: Sequence[Guard]) -> list[Guard]:
    return [guard for guard in guards if guard.truth is not True]


def _all(texts: Sequence[str]) -> str:
    return " /\\ ".join(texts) if texts else "True"


def _nested(count: int) -> str:
    """A conjunction, taken apart."""
    if count < 2:
        return "?"
    return f"[? {_nested(count - 1)}]"


def _step(given: Sequence[Guard], wanted: Sequence[Guard], names: Names) -> list[str]:
    """The script of one implication, every part of what follows by itself."""
    exprs: list[Index] = []
    for guard in (*given, *wanted):
        exprs += [guard.expr] if guard.divisor is None else [guard.expr, guard.divisor]
    script = [
        f"pose proof (floor_spec {operand(n, names)} {operand(d, names)} ltac:(zs))." for n, d in quotients(exprs)
    ]
    for guard in given:
        if guard.kind == "div":
            assert guard.divisor is not None
            script.append(f"divides {operand(guard.divisor, names)} {operand(guard.expr, names)}.")
    goals = []
    for guard in wanted:
        if guard.kind == "div":
            assert guard.divisor is not None
            goals.append(f"divisible {operand(guard.divisor, names)} {operand(guard.expr, names)}")
        else:
            goals.append("zs")
    if not goals:
        return [*script, "exact Logic.I."]
    return [*script, *(f"also ltac:({goal})." for goal in goals[:-1]), f"{goals[-1]}."]
