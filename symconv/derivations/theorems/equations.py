"""Equalities of entries that rest on equations between values, such as a target that sums to 1."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from symconv.derivations.theorems.deciding import decide, expanded
from symconv.derivations.theorems.proposition import Proposition, Relation, is_arithmetic, same
from symconv.derivations.theorems.recorded import on_record
from symconv.derivations.theorems.refuting import refuted
from symconv.formulas.algebra import Node, add, const, product

if TYPE_CHECKING:
    from symconv.proofs.verdict import Verdict

__all__ = ["ByMultiples"]


@dataclass(frozen=True)
class ByMultiples:
    """What decides ``left = right`` under equations ``A = B``: that ``left = right + m (A - B)`` without them.

    Attributes:
        multiples: m for every equation between values that is supposed, in the indices of the clause. They are hints:
            where they do not do, nothing is proved.
    """

    multiples: tuple[Node, ...]

    def __call__(self, proposition: Proposition) -> Verdict:
        """The verdict on the one equality of the one clause."""
        from symconv.proofs.verdict import Verdict

        (clause,) = proposition.clauses
        (relation,) = clause.then
        supposed = [given for given in proposition.given if not is_arithmetic(given)]
        assert isinstance(relation, Relation)
        differences = []
        for equation in supposed:
            assert isinstance(equation, Relation)
            assert equation.signs == ("=",)
            one, two = (expanded(proposition, side) for side in equation.sides)
            differences.append(add(one, product(const(-1), two)))
        left, right = (expanded(proposition, side) for side in relation.sides)
        whole = add(right, *(product(m, d) for m, d in zip(self.multiples, differences, strict=True)))
        plain = replace(
            proposition,
            given=tuple(given for given in proposition.given if given not in supposed),
            clauses=(replace(clause, then=(Relation((left, whole), ("=",)),)),),
        )
        verdict = decide(plain)
        if not supposed:
            return on_record(verdict, proposition)
        if verdict.status == "proved" and refuted(proposition, same(0, 1), clause.ranges) is not None:
            # 0 = 1 fails where all that is given holds: so there is such a place
            text = f"The sides differ by a multiple of the difference that is 0. {verdict.explanation}"
            return on_record(replace(verdict, explanation=text), proposition)
        found = refuted(proposition, relation, clause.ranges)
        return found or Verdict("undecided", verdict.scope, explanation=f"Not shown: {verdict.explanation}")
