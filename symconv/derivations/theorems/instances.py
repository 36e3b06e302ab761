"""Equivalences "these conditions, if and only if for every array ...": there by induction, back by chosen arrays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from symconv.derivations.theorems.deciding import all_of
from symconv.derivations.theorems.folds import ByTaps, Induction
from symconv.derivations.theorems.proposition import AnyTensor, Condition, Every, Iff, Proposition, Relation
from symconv.derivations.theorems.recorded import on_record
from symconv.derivations.theorems.stages import node_of
from symconv.derivations.theorems.taps import NotReadError, part_of
from symconv.formulas.algebra import ONE, ZERO, Access, Bracket, Node, Reduce
from symconv.formulas.substitution import substitute
from symconv.formulas.walks import transform

if TYPE_CHECKING:
    from symconv.proofs.verdict import Verdict

__all__ = ["BothWays", "Instance"]


@dataclass(frozen=True)
class Instance:
    """One array that a statement about every array is used at.

    Attributes:
        array: the letter of the array.
        place: the name of its index in `value`.
        value: its entries.
        bound: what none of its entries exceeds.
    """

    array: str
    place: str
    value: Node
    bound: Node


@dataclass(frozen=True)
class BothWays:
    """What decides ``conditions if and only if, for every array, an inequality with its maximum on the left``.

    Attributes:
        forward: what decides the inequality under the conditions.
        instances: the arrays at which the inequality forces the conditions.
        tap: the name of a tap in them, for conditions on every tap.
    """

    forward: ByTaps
    instances: tuple[Instance, ...]
    tap: str

    def __call__(self, proposition: Proposition) -> Verdict:
        """The verdict on both directions."""
        (clause,) = proposition.clauses
        (both,) = clause.then
        assert isinstance(both, Iff)
        (every,) = both.right
        assert isinstance(every, Every)
        (inequality,) = every.then
        assert isinstance(inequality, Relation)
        given = replace(
            proposition, given=(*proposition.given, *both.left), arrays=(*proposition.arrays, *every.arrays)
        )
        there = self.forward.relation(given, inequality)
        if there.status == "refuted":
            return there
        return on_record(all_of((there, self._back(proposition, both.left, inequality, given.arrays))), proposition)

    def _back(
        self,
        proposition: Proposition,
        wanted: tuple[Condition, ...],
        inequality: Relation,
        arrays: tuple[AnyTensor, ...],
    ) -> Verdict:
        from symconv.proofs.verdict import Verdict, VerdictScope

        scope = VerdictScope(tuple(entry.name for entry in proposition.integers))
        method = "induction over the taps"
        obligations = []
        try:
            for array in arrays:  # what is put in for an array is one over all taps, and so must the array be
                for bound in array.ranges:
                    if part_of(Reduce("sum", (bound,), (), ONE))[0] != "all":
                        raise NotReadError("an array over a part of the taps")
            supposed = tuple(self._at(instance, inequality) for instance in self.instances)
            for goal in self._goals(wanted):
                proof = Induction(ByTaps(lemmas=supposed), proposition, goal, (self.tap,))
                for instance in self.instances:
                    for same in (True, False):
                        proof.bounded(self._entry(instance, same=same), instance.bound, same=same)
                found, problem = proof.run()
                obligations += found
                if problem:
                    return Verdict("undecided", scope, explanation=f"Not shown: {problem}.", method=method)
        except NotReadError as other:
            return Verdict("undecided", scope, explanation=f"Not shown: the statement has {other}.", method=method)
        text = "Back: the inequality at chosen arrays forces each condition."
        return Verdict("proved", scope, explanation=text, obligations=tuple(dict.fromkeys(obligations)), method=method)

    def _goals(self, wanted: tuple[Condition, ...]) -> Iterator[Relation]:
        """The conditions to be forced, those on every tap at one tap."""
        for condition in wanted:
            if isinstance(condition, Relation):
                yield condition
                continue
            assert isinstance(condition, Every)
            (entry,) = condition.ranges
            for part in condition.then:
                assert isinstance(part, Relation)
                sides = tuple(substitute(node_of(side), {entry.name: self.tap}) for side in part.sides)
                yield Relation(sides, part.signs)

    def _at(self, instance: Instance, inequality: Relation) -> Relation:
        """The inequality at an instance, with the bound in place of the maximum of its entries."""
        left, right = (node_of(side) for side in inequality.sides)
        largest = isinstance(left, Reduce) and left.op == "max" and isinstance(left.body, Access)
        if not largest or inequality.signs != (">=",):
            raise NotReadError("no inequality with a maximum on its left")

        def change(node: Node) -> Node | None:
            if isinstance(node, Access) and node.tensor == instance.array:
                return substitute(instance.value, {instance.place: node.index[0]})
            return None

        return Relation((instance.bound, transform(right, change)), inequality.signs)

    def _entry(self, instance: Instance, *, same: bool) -> Node:
        """An entry of an instance at the tap itself, or at another one."""
        value = transform(instance.value, lambda n: (ONE if same else ZERO) if isinstance(n, Bracket) else None)
        return substitute(value, {instance.place: self.tap if same else "other"})
