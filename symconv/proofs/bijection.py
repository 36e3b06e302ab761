"""Equality for all sizes: the terms of both sides matched one to one by bijections of their bound indices.

Two sums ``sum over x in D1 of f(x)`` and ``sum over y in D2 of g(y)`` are equal where a map phi takes D1 into D2, a map
psi takes D2 into D1, each undoes the other, and ``f(x) == g(phi(x))`` on D1. Each of these is an obligation of integer
arithmetic. The domain of a term is where its guards, its ranges and the boxes of its accesses hold: elsewhere it is
zero. Powers, absolute values, maxima and shares are equal where their parts are, which is asked under the outer domain.

The rule is the law of permutation for sums (R. Graham, D. Knuth, O. Patashnik, "Concrete Mathematics", section 2.3),
with the map given in both directions: that a map of integers is one to one and onto would be a statement with a
quantifier, and that one map undoes another is none. So the solver is only ever asked for facts about integers without
quantifiers, and a wrong candidate is refused, whoever guessed it. Candidates are read off the accesses: factors are
paired by tensor, and an affine map must take each index expression to its partner (`symconv.proofs.unify`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import lcm

from symconv.formulas.algebra import (
    Absolute,
    Access,
    Applied,
    Bracket,
    Compare,
    Constant,
    FormulaWalker,
    Guard,
    Multiply,
    Named,
    Node,
    Plus,
    Power,
    Reduce,
    Scalar,
    Share,
    Sign,
)
from symconv.formulas.index import Index
from symconv.formulas.substitution import substitute
from symconv.formulas.terms import Term, expand
from symconv.formulas.walker import case
from symconv.proofs.closing import closed
from symconv.proofs.context import GUARD, Context, NotShown
from symconv.proofs.normal import Normal
from symconv.proofs.numbers import without_equals
from symconv.proofs.overlap import overlapping
from symconv.proofs.record import Alike, Match, Overlap, Pairing, Parts, Sums, WeightedTerm, Windows
from symconv.proofs.rewriting import joined_taps, one_window, written_pairs
from symconv.proofs.terms import Flat, flatten
from symconv.proofs.unify import Assignment, assignments, bijections

__all__ = ["equal_sums", "obligations", "same"]


@dataclass
class _Class:
    """Terms that are equal but for their coefficients, and the sum of these."""

    first: Flat
    parts: list[tuple[Fraction, Index]]

    def total(self) -> Index:
        """The sum of the coefficients, times a positive integer that makes all of them whole."""
        scale = lcm(*(number.denominator for number, _ in self.parts))
        result = Index.of(0)
        for number, factor in self.parts:
            result = result + int(number * scale) * factor
        return result


def equal_sums(left: Node, right: Node, context: Context) -> Sums:
    """Show that two trees have the same value for all that the context allows.

    Where the terms do not match as they are, it is tried again with both sides in normal form, and with sums over a
    fixed range written out.

    Raises:
        NotShown: where no such proof was found, which says nothing about the statement.
        OutOfEffort: where the effort of the context was not enough to look for one.
    """
    mark = context.trace.mark()
    try:
        return _matched(left, right, context)
    except NotShown as failure:
        for one, two, called, rules in _rewritten(left, right, context, mark):
            try:
                return replace(_matched(one, two, context, called), rules=rules)
            except NotShown:
                context.trace.rewind(mark)
        raise failure


def _rewritten(
    left: Node, right: Node, context: Context, mark: int
) -> Iterator[tuple[Node, Node, str, tuple[str, ...]]]:
    """Other ways to write both sides, what their terms are called, and the rules that led there."""
    context.trace.rewind(mark)
    for pair in written_pairs(left, right, context.divides_by, context.effort):
        yield *pair, "written-out term", ("sums written out",)
    normal = Normal(context, _are_equal)
    one, two = (closed(normal.visit(side), context, normal.rules) for side in (left, right))
    forms = without_equals(one, two, lambda first, second: _are_equal(first, second, context), context.effort)
    if forms != (one, two):
        normal.rules["equal numbers"] = None
    if forms != (left, right):
        rules = tuple(normal.rules)
        yield *forms, "term", rules
        for pair in written_pairs(*forms, context.divides_by, context.effort):
            yield *pair, "written-out term", (*rules, "sums written out")
    one, two = (closed(side, context, normal.rules, empty=True) for side in forms)
    if (one, two) != forms:
        yield one, two, "term", tuple(normal.rules)


def _are_equal(left: Node, right: Node, context: Context) -> bool:
    """Whether two sums are shown equal as they stand."""
    mark = context.trace.mark()
    try:
        _matched(left, right, context)
    except NotShown:
        context.trace.rewind(mark)
        return False
    return True


def _matched(left: Node, right: Node, context: Context, called: str = "term") -> Sums:
    """Show that two trees have the same value by matching their terms.

    All terms of ``left - right`` are sorted into classes of equal terms; in each class the coefficients must cancel,
    or the domain be empty. Classes that are left are put into one sum over the domain of one of them.

    Raises:
        NotShown: where no such proof was found, which says nothing about the statement.
    """
    classes: list[_Class] = []
    matches: list[Match] = []
    flats: dict[str, list[Flat]] = {"left": [], "right": []}
    empty: list[Flat] = []
    left_over: list[_Class] = []
    reason: NotShown | None = None
    overlaps: tuple[Overlap, ...] = ()
    for side, sign, node in (("left", 1, left), ("right", -1, right)):
        terms = expand(node, context.effort)
        for position, term in enumerate(terms, 1):
            label = f"the {side} side" if len(terms) == 1 else f"{called} {position} of the {side} side"
            flats[side].append(flatten(term, context, label))
            _sort_in(flats[side][-1], sign, classes, matches, context)
    for group in classes:
        total = group.total()
        if total.value == 0:
            continue
        if total.value is None:  # it holds sizes, and may be 0 all the same
            mark = context.trace.mark()
            try:
                context.require(f"the coefficients of {group.first.label} cancel", (Guard("eq", total),))
                continue
            except NotShown:
                context.trace.rewind(mark)
        try:
            require_empty(group.first, context)
            empty.append(group.first)
        except NotShown as failure:
            left_over.append(group)
            reason = reason or failure
    if reason is not None:
        overlaps = _cancelled(left_over, context, reason)
    terms_ = (tuple(flats["left"]), tuple(flats["right"]))
    return Sums(left, right, terms_, tuple(matches), tuple(empty), overlaps=overlaps)


def _cancelled(left_over: list[_Class], context: Context, reason: NotShown) -> tuple[Overlap, ...]:
    """Show that classes without an equal cancel together, those with the same factors in one sum over one domain.

    Raises:
        NotShown: where one of them stays; `reason` where it is by itself.
    """
    found: list[Overlap] = []
    waiting = list(left_over)
    while waiting:
        signature = waiting[0].first.signature
        alike = [group for group in waiting if group.first.signature == signature]
        if len(alike) == 1:
            raise reason
        scale = lcm(*(number.denominator for group in alike for number, _ in group.parts))
        pieces = [
            WeightedTerm(group.first, sum((int(n * scale) * factor for n, factor in group.parts), Index.of(0)))
            for group in alike
        ]
        found.append(overlapping(pieces, context, same))
        waiting = [group for group in waiting if group.first not in [piece.term for piece in found[-1].pieces]]
    return tuple(found)


def _sort_in(flat: Flat, sign: int, classes: list[_Class], matches: list[Match], context: Context) -> None:
    for group in classes:
        if group.first.signature != flat.signature:
            continue
        mark = context.trace.mark()
        try:
            matches.append(match_terms(group.first, flat, context))
        except NotShown:
            context.trace.rewind(mark)
            continue
        group.parts.append((sign * flat.coefficient, flat.outer))
        return
    classes.append(_Class(flat, [(sign * flat.coefficient, flat.outer)]))


def require_empty(flat: Flat, context: Context) -> None:
    """Show that a term has no point in its domain.

    Raises:
        NotShown: where it may have one.
    """
    try:
        context.impossible(f"{flat.label} has no nonzero entry", flat.guards)
    except NotShown:
        raise NotShown(f"{flat.label} has no equal on the other side") from None


def match_terms(left: Flat, right: Flat, context: Context) -> Match:
    """A bijection that shows two terms equal up to their coefficients.

    Raises:
        NotShown: where none of the candidates passes all its obligations.
    """
    reason = f"{left.label} and {right.label}: no affine bijection of the indices was found"
    known = [guard.expr for guard in context.hypotheses if guard.kind == "eq"]
    for pairs in assignments(left, right):
        for forward, backward in bijections(left, right, pairs, context.scope, context.effort, known):
            context.effort.spend(GUARD * (4 + len(left.guards) + len(right.guards)))
            mark = context.trace.mark()
            try:
                alike = _discharge(left, right, pairs, forward, backward, context)
            except NotShown as failure:
                context.trace.rewind(mark)
                reason = str(failure)
                continue
            pairing = Pairing(left, right, pairs, alike)
            return Match((left.label, right.label), tuple(forward.items()), tuple(backward.items()), pairing)
    raise NotShown(reason)


def obligations(
    left: Flat, right: Flat, pairs: Assignment, forward: Mapping[str, Index], backward: Mapping[str, Index]
) -> list[tuple[str, tuple[Guard, ...], tuple[Guard, ...]]]:
    """``(name, given, goals)`` for a candidate bijection: agreement, both domains, both inverses."""

    def unchanged(flat: Flat, there: Mapping[str, Index], back: Mapping[str, Index]) -> tuple[Guard, ...]:
        return tuple(Guard("eq", back[name].subs(there) - name) for name in flat.names)

    agree = [a - b.subs(forward) for mine, theirs in pairs[0] for a, b in zip(mine.index, theirs.index, strict=True)]
    divisor = right.divisor.subs(forward)
    # w/d = w'/d' is asked as w*d' = w'*d, which says the same of positive divisors alone: these are goals too.
    agree.append(left.weight * divisor - right.weight.subs(forward) * left.divisor)
    nonzero = () if left.divisor == divisor else (Guard("ge", left.divisor - 1), Guard("ge", divisor - 1))
    if left.divisor == divisor:
        agree[-1] = left.weight - right.weight.subs(forward)
    one, two = left.label, right.label
    return [
        (f"{one} and {two} read the same entries", left.guards, (*(Guard("eq", e) for e in agree), *nonzero)),
        (f"the indices of {one} map into those of {two}", left.guards, tuple(g.subs(forward) for g in right.guards)),
        (f"the indices of {two} map into those of {one}", right.guards, tuple(g.subs(backward) for g in left.guards)),
        (f"there and back on {one} changes nothing", left.guards, unchanged(left, forward, backward)),
        (f"there and back on {two} changes nothing", right.guards, unchanged(right, backward, forward)),
    ]


def _discharge(
    left: Flat,
    right: Flat,
    pairs: Assignment,
    forward: Mapping[str, Index],
    backward: Mapping[str, Index],
    context: Context,
) -> tuple[Alike, ...]:
    todo = obligations(left, right, pairs, forward, backward)
    for name, _, goals in todo:
        if any(goal.truth is False for goal in goals):
            raise NotShown(f"{name}: it does not")  # seen without the solver, so a wrong guess costs nothing
    for name, given, goals in todo:
        context.require(name, goals, given)
    # What is left of the factors, powers and windows, is compared where the term counts: under its own domain.
    inner = context.within(left.names, left.guards)
    return tuple(same(mine, substitute(theirs, forward), inner) for mine, theirs in pairs[1])


def same(left: Node, right: Node, context: Context) -> Alike:
    """Show that two factors have the same value, part by part; how it was shown.

    Raises:
        NotShown: where that was not possible.
    """
    if left == right:
        return Parts()
    return _Same(right, context).visit(left)


class _Same(FormulaWalker[Alike]):
    """How a factor is shown to have the value of another one, by its kind."""

    def __init__(self, other: Node, context: Context) -> None:
        self.other, self.context = other, context

    @case(Power)
    def _power(self, node: Power) -> Alike:
        other = self.other
        if not isinstance(other, Power):
            return self._sums(node)
        return Parts((same(node.base, other.base, self.context), same(node.exponent, other.exponent, self.context)))

    @case(Absolute, Sign)
    def _one(self, node: Absolute | Sign) -> Alike:
        other = self.other
        if not isinstance(other, Absolute | Sign) or type(node) is not type(other):
            return self._sums(node)
        return Parts((same(node.arg, other.arg, self.context),))

    @case(Applied)
    def _apply(self, node: Applied) -> Alike:
        other = self.other
        if not isinstance(other, Applied) or node.function is not other.function:
            return self._sums(node)
        return Parts((same(node.arg, other.arg, self.context),))

    @case(Compare)
    def _compare(self, node: Compare) -> Alike:
        other = self.other
        if not isinstance(other, Compare) or node.relation != other.relation:
            return self._sums(node)
        return Parts((same(node.left, other.left, self.context), same(node.right, other.right, self.context)))

    @case(Share)
    def _share(self, node: Share) -> Alike:
        other = self.other
        if not isinstance(other, Share) or (node.policy, node.reduce.op) != (other.policy, other.reduce.op):
            return self._sums(node)
        return _same_share(node, other, self.context)

    @case(Reduce)
    def _reduce(self, node: Reduce) -> Alike:
        other = self.other
        if isinstance(other, Reduce) and node.op == other.op != "sum":
            return Windows(_same_extremum(one_window(node), one_window(other), self.context))
        return self._sums(node)

    @case(Constant, Scalar, Access, Plus, Multiply, Bracket, Named)
    def _sums(self, node: Node) -> Alike:
        """As sums of terms, of which at least one side has to be one."""
        if _ATOMIC.visit(node) and _ATOMIC.visit(self.other):
            kinds = [f"a {type(side).__name__.lower()}" for side in (node, self.other)]
            raise NotShown(f"{' and '.join(kinds)} were not shown equal")
        return equal_sums(node, self.other, self.context)


class _IsAtomic(FormulaWalker[bool]):
    """Whether a factor is no sum of terms of which some may be left out or moved."""

    @case(Power, Absolute, Sign, Applied, Compare, Share)
    def _atomic(self, node: Node) -> bool:
        return True

    @case(Reduce)
    def _reduce(self, node: Reduce) -> bool:
        return node.op != "sum"

    @case(Constant, Scalar, Access, Plus, Multiply, Bracket, Named)
    def _sum(self, node: Node) -> bool:
        return False


_ATOMIC = _IsAtomic()


def _same_extremum(left: Reduce, right: Reduce, context: Context) -> Match:
    """Equal maxima or minima: by their taps as they stand, or with taps that cover one window as one."""
    mark = context.trace.mark()
    try:
        return _same_window(left, right, context)[2]
    except NotShown:
        joined = joined_taps(left), joined_taps(right)
        if joined == (left, right):
            raise
        context.trace.rewind(mark)
    match = _same_window(*joined, context)[2]
    context.trace.presumed = True
    return match


def _same_window(left: Reduce, right: Reduce, context: Context) -> tuple[Flat, Flat, Match]:
    """Equal maxima or minima: a bijection of the taps; a tap outside a tensor's box is a zero, not absent."""
    one, two = (
        flatten(Term(Fraction(1), (r.body,), r.bounds, r.guards), context, f"the {side} window", window=True)
        for r, side in ((left, "left"), (right, "right"))
    )
    return one, two, match_terms(one, two, context)


def _same_share(left: Share, right: Share, context: Context) -> Windows:
    """Equal shares: the same window, the same tap of it, and for the policy "first" the same order of taps.

    The order is row-major in the bound indices, so the bijection must be a translation: any other might exchange which
    of two equal maxima comes first.
    """
    one, two, match = _same_window(left.reduce, right.reduce, context)
    if one.quotients or two.quotients or len(one.names) != len(two.names):
        raise NotShown("the taps of two shares are not those of one window, moved")
    forward, backward = dict(match.forward), dict(match.backward)
    taps = frozenset(one.names)
    if any(backward[name].subs(forward) != Index.of(name) for name in one.names) or any(
        forward[name].subs(backward) != Index.of(name) for name in two.names
    ):
        raise NotShown("the bijection of the taps of two shares holds inside the window only")
    if left.policy == "first":
        _require_order(one.names, two.names, forward, taps)
    env = dict(zip(one.names, left.at, strict=True))
    goals = [Guard("eq", forward[name].subs(env) - at) for name, at in zip(two.names, right.at, strict=True)]
    context.require("both shares belong to the same tap", goals)
    return Windows(match)


def _require_order(
    left: Sequence[str], right: Sequence[str], forward: Mapping[str, Index], taps: frozenset[str]
) -> None:
    for mine, theirs in zip(left, right, strict=True):
        if (forward[theirs] - mine).names & taps:
            raise NotShown("the bijection changes the order of the taps, which decides ties")
