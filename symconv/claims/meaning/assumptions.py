"""What a claim takes for granted, put into its trees: the ranges of its indices, and entries that are not negative."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from symconv.claims.meaning.obligations import ClaimNeed
from symconv.formulas.algebra import (
    ONE,
    Absolute,
    Access,
    Bound,
    Bracket,
    Compare,
    Node,
    Reduce,
    Share,
    product,
)
from symconv.formulas.formula import Formula
from symconv.formulas.substitution import substitute
from symconv.formulas.walks import transform, walk
from symconv.proofs.needs import Need, Valued
from symconv.proofs.record import preceded_by
from symconv.proofs.statement import Statement
from symconv.proofs.verdict import Verdict
from symconv.proofs.windows import ONE_WINNER, may_tie, one_winner

__all__ = [
    "nonnegative_obligation",
    "read_as_nonnegative",
    "shares_as_comparisons",
    "under_signs",
    "unique_maxima",
    "without_known_ranges",
]


def without_known_ranges(node: Node, free: Sequence[Bound]) -> Node:
    """The tree without the conditions that only repeat the range of a free index, or of the sum around them.

    So ``c[p, q]`` is its formula where p and q run over the output, and is zero outside it anywhere else.
    """
    known = frozenset(guard for bound in free for guard in bound.guards())

    def change(n: Node) -> Node | None:
        if isinstance(n, Bracket):
            open_ones = tuple(guard for guard in n.guards if guard not in known)
            return Bracket(open_ones) if open_ones else ONE
        if isinstance(n, Reduce):
            own = {bound.name for bound in n.bounds}
            outer = [b for b in free if not ({b.name} | b.lower.names | b.upper.names) & own]
            return replace(n, body=without_known_ranges(n.body, [*outer, *n.bounds]))
        return None

    return transform(node, change)


def shares_as_comparisons(node: Node) -> Node:
    """The tree where the one winner of a maximum is told by its value: with no ties, the entry that equals it.

    Where there is a tie both say nothing, which is a need of its own.
    """

    def change(n: Node) -> Node | None:
        if not isinstance(n, Share):
            return None
        taps = n.reduce
        at = {bound.name: place for bound, place in zip(taps.bounds, n.at, strict=True)}
        there = [guard.subs(at) for guard in (*(g for b in taps.bounds for g in b.guards()), *taps.guards)]
        return product(Bracket(tuple(there)), Compare(substitute(taps.body, at), "=", taps))

    return transform(node, change)


def unique_maxima(output: Formula) -> list[ClaimNeed]:
    """That no window of a layer has two largest entries: at any other input a line says nothing."""
    return [
        ClaimNeed(Need(output.free, one_winner(part)), "silent", "", "", condition=ONE_WINNER["max"])
        for part in walk(output.body)
        if isinstance(part, Reduce) and part.op == "max" and may_tie(part)
    ]


def read_as_nonnegative(node: Node, letters: tuple[str, ...]) -> Node:
    """The tree with |x| read as x for tensors whose entries are assumed to be >= 0."""

    def change(n: Node) -> Node | None:
        if isinstance(n, Absolute) and isinstance(n.arg, Access) and n.arg.tensor in letters:
            return n.arg
        return None

    return transform(node, change)


def read_all_absolute(node: Node, letters: Sequence[str]) -> Node:
    """The tree with x read as |x| for the same tensors: its values at x are those of the tree at |x|."""

    def change(n: Node) -> Node | None:
        if isinstance(n, Absolute) and isinstance(n.arg, Access):
            return n
        return Absolute(n) if isinstance(n, Access) and n.tensor in letters else None

    return transform(node, change)


def nonnegative_obligation(one: ClaimNeed, letters: Sequence[str]) -> ClaimNeed:
    """An obligation on tensors some of which have no negative entry: their entries are read as absolute values."""
    demand = one.need.demand
    if not letters or not isinstance(demand, Valued):
        return one
    base, exponent = (read_all_absolute(tree, letters) for tree in (demand.base, demand.exponent))
    return replace(one, need=replace(one.need, demand=Valued(base, exponent)))


def under_signs(
    verdict: Verdict, statement: Statement, letters: Sequence[str], judged: Callable[[Statement], Verdict]
) -> Verdict:
    """A verdict on tensors with nonnegative entries: an example with a negative entry refutes nothing.

    Then |x| is read for every such entry x, which speaks of nonnegative ones alone: what differs at x differs at |x|.
    """
    if _has_negative(verdict, letters):
        left, right = (read_all_absolute(side, letters) for side in (statement.left, statement.right))
        other = replace(statement, left=left, right=right)
        verdict = judged(other)
        counter = verdict.counterexample
        if counter is not None:
            tensors = {
                name: {at: abs(value) if name in letters else value for at, value in entries.items()}
                for name, entries in counter.tensors.items()
            }
            found = replace(counter, tensors=tensors)
            verdict = replace(verdict, counterexample=found, explanation=f"The two sides differ: at {found}.")
    names = ", ".join(letters)
    explanation = f"{verdict.explanation} Every entry of {names} is assumed to be >= 0."
    return replace(verdict, explanation=explanation, record=preceded_by(verdict.record, "absolute values"))


def _has_negative(verdict: Verdict, letters: Sequence[str]) -> bool:
    counter = verdict.counterexample
    return counter is not None and any(
        value < 0 for name in letters for value in counter.tensors.get(name, {}).values()
    )
