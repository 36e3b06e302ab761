"""Maxima of maxima: two are equal where each reads every entry that the other one reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from symconv.derivations.theorems.deciding import all_of, decide, expanded, guards_of
from symconv.derivations.theorems.proposition import Proposition, Relation, is_arithmetic
from symconv.derivations.theorems.recorded import Taps, on_record
from symconv.formulas.algebra import Access, Bound, Guard, Node, Reduce, equal
from symconv.formulas.index import Index

if TYPE_CHECKING:
    from symconv.proofs.verdict import Verdict

__all__ = ["equal_reads"]


def equal_reads(proposition: Proposition, forward: Mapping[str, Index], backward: Mapping[str, Index]) -> Verdict:
    """Decide that two maxima run over the same entries, given the tap of each side that reads what the other reads.

    Args:
        proposition: its last clause says that two maxima are equal; clauses of arithmetic may stand before it.
        forward: the taps of the right side, in those of the left.
        backward: the taps of the left side, in those of the right.

    Where these taps do not do, others might: then entries are compared, which refutes the statement or leaves it open.
    """
    from symconv.proofs.goals import prove_goal

    *before, last = proposition.clauses
    (relation,) = last.then
    assert isinstance(relation, Relation)
    assert not is_arithmetic(relation)
    left, right = (_Reads(expanded(proposition, side)) for side in relation.sides)
    sizes = {let.name: let.size for let in proposition.sizes if let.size is not None}
    given = [guard for entry in (*proposition.integers, *last.ranges) for guard in entry.guards()]
    given += [guard for part in (*proposition.given, *last.given) for guard in guards_of(part)]
    given = [guard.subs(sizes) for guard in given]
    verdicts = [decide(replace(proposition, clauses=tuple(before)))] if before else []
    if left.entry is None or right.entry is None or left.names & right.names or relation.signs != ("=",):
        return decide(proposition)
    verdicts += [
        prove_goal((*given, *left.guards), right.covers(left, forward)),
        prove_goal((*given, *right.guards), left.covers(right, backward)),
    ]
    verdict = all_of(verdicts)
    if verdict.status != "proved":
        return decide(proposition)  # a model speaks against these taps only, not against the statement
    text = "Both maxima run over the same entries: each tap of one side reads what a tap of the other side reads."
    verdict = replace(verdict, explanation=text, method="equal sets of reads")
    return on_record(verdict, proposition, Taps(tuple(forward.items()), tuple(backward.items())))


class _Reads:
    """The taps of a maximum, or of a maximum of maxima: their names, their conditions, and the entry they read."""

    def __init__(self, node: Node) -> None:
        bounds: list[Bound] = []
        guards: list[Guard] = []
        while isinstance(node, Reduce) and node.op == "max":
            bounds += node.bounds
            guards += node.guards
            node = node.body
        self.entry = node if isinstance(node, Access) else None
        self.names = frozenset(bound.name for bound in bounds)
        self.guards = (*(guard for bound in bounds for guard in bound.guards()), *guards)

    def covers(self, other: _Reads, taps: Mapping[str, Index]) -> tuple[Guard, ...]:
        """That the taps given are taps here, and read what the other one reads."""
        assert self.entry is not None
        assert other.entry is not None
        same = (equal(a.subs(taps), b) for a, b in zip(self.entry.index, other.entry.index, strict=True))
        return (*(guard.subs(taps) for guard in self.guards), *same)
