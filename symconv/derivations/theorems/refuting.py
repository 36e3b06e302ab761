"""Counterexamples to relations under conditions on arrays: where the conditions hold and the relation does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from symconv.derivations.theorems.deciding import expanded
from symconv.derivations.theorems.proposition import AnyInteger, Condition, Every, Proposition, Relation, is_arithmetic
from symconv.formulas.algebra import (
    ONE,
    ZERO,
    Bound,
    Compare,
    Constant,
    Node,
    Scalar,
    add,
    nonnegative,
    product,
    summation,
)
from symconv.formulas.index import Index
from symconv.formulas.walks import transform

if TYPE_CHECKING:
    from symconv.proofs.verdict import Verdict

__all__ = ["refuted"]

EXPONENT = 2  # at which a statement about every exponent p is tried
SIZES = 3


def refuted(proposition: Proposition, relation: Relation, free: Sequence[AnyInteger] = ()) -> Verdict | None:
    """An example at which everything given holds and the relation does not, or None where none is found.

    Real numbers are tried at integers, an exponent p at 2: each is an instance of what is said.
    """
    from symconv.proofs.prove import prove_statement
    from symconv.proofs.statement import Statement

    fixed = {entry.name: Index.of(EXPONENT) for entry in proposition.reals if entry.name == "p"}
    least = [entry for entry in proposition.reals if entry.lower.subs(fixed).names or entry.name not in fixed]
    guards = [guard for entry in proposition.integers for guard in entry.guards()]
    for entry in least:
        guards.append(nonnegative(Index.of(fixed.get(entry.name, Index.of(entry.name))) - entry.lower))
    conditions = [_indicator(proposition, given) for given in proposition.given if not is_arithmetic(given)]
    guards += [g for given in proposition.given if is_arithmetic(given) for g in given.guards()]  # type: ignore[union-attr]
    fails = add(ONE, product(Constant(Fraction(-1)), _indicator(proposition, relation)))
    left = transform(product(*conditions, fails), lambda n: _fixed(n, fixed))
    boxes = {array.name: tuple((b.lower, b.upper) for b in array.ranges) for array in proposition.arrays}
    order = [entry.name for entry in proposition.integers]
    bounds = [Bound(r.name, r.lower, r.upper) for r in free if r.lower is not None and r.upper is not None]
    statement = Statement.of(left, ZERO, bounds, boxes, [g.subs(fixed) for g in guards], order=order)
    found = prove_statement(statement, first=SIZES, more=SIZES)
    if found.status != "refuted":
        return None
    assert found.counterexample is not None
    shown = replace(found.counterexample, what="whether it fails:")
    return replace(found, counterexample=shown, explanation=f"It fails at {shown}.")


def _fixed(node: Node, fixed: dict[str, Index]) -> Node | None:
    if isinstance(node, Scalar) and node.index.names & fixed.keys():
        index = node.index.subs(fixed)
        return Scalar(index) if index.value is None else Constant(Fraction(index.value))
    return None


def _indicator(proposition: Proposition, condition: Condition) -> Node:
    """1 where a condition holds, else 0."""
    if isinstance(condition, Relation):
        parts = []
        for left, sign, right in condition.links():
            one, two = expanded(proposition, left), expanded(proposition, right)
            parts.append(Compare(two, ">=", one) if sign == "<=" else Compare(one, ">=" if sign == ">=" else "=", two))
        return product(*parts)
    assert isinstance(condition, Every)
    inner = product(*(_indicator(proposition, part) for part in condition.then))
    bounds = [Bound(r.name, r.lower, r.upper) for r in condition.ranges if r.lower is not None and r.upper is not None]
    failing = summation(add(ONE, product(Constant(Fraction(-1)), inner)), *bounds)
    return Compare(failing, "=", ZERO)
