"""Two ways to write a tree so that terms can be matched which did not stand there before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from itertools import product as every
from math import prod
from typing import TypeAlias

from symconv.formulas.algebra import (
    ZERO,
    Absolute,
    Bound,
    Constant,
    Guard,
    Node,
    Power,
    Reduce,
    Scalar,
)
from symconv.formulas.effort import Effort
from symconv.formulas.functions import has_domain
from symconv.formulas.index import Extremum, Index, IndexLike, Quotient
from symconv.formulas.naming import names_in
from symconv.formulas.substitution import rename_bounds, substitute
from symconv.formulas.terms import Term, expand, rebuild
from symconv.formulas.walks import own_guards, own_indices, walk

__all__ = ["MOST_TERMS", "joined_taps", "one_window", "without_single_taps", "written_pairs"]

MOST_TERMS = 128
"""A sum with more terms than that is not written out."""


def one_window(reduce: Reduce) -> Reduce:
    """A maximum of maxima as one maximum over the pairs of their taps, and a minimum of minima likewise.

    An empty maximum is minus infinity, which changes no maximum that it takes part in: so nothing is asked of the
    inner windows, which may be empty at some outer taps.
    """
    while isinstance(reduce.body, Reduce) and reduce.op == reduce.body.op != "sum":
        used = names_in(Reduce(reduce.op, reduce.bounds, reduce.guards, ZERO))
        inner = rename_bounds(reduce.body, used)
        reduce = Reduce(reduce.op, (*reduce.bounds, *inner.bounds), (*reduce.guards, *inner.guards), inner.body)
    return reduce


def without_single_taps(whole: Reduce) -> Node:
    """A maximum or minimum with the only value of an index put in for it; of one tap it is that tap."""
    names = {bound.name for bound in whole.bounds}
    env = {b.name: b.lower for b in whole.bounds if b.lower == b.upper and not b.lower.names & names}
    bounds = tuple(bound.subs(env) for bound in whole.bounds if bound.name not in env)
    guards = tuple(guard.subs(env) for guard in whole.guards)
    body = substitute(whole.body, env)
    return Reduce(whole.op, bounds, guards, body) if bounds or guards else body


def joined_taps(reduce: Reduce) -> Reduce:
    """A maximum or minimum over pairs of taps as one over a single tap, where they read what that reads.

    ``max(0 <= i <= A) max(0 <= j <= B) f(j + s*i) = max(0 <= j <= B + s*A) f(j)`` for ``1 <= s <= B + 1``: windows of
    B + 1 taps that touch or overlap cover one window, and what is read twice changes no maximum. Likewise for s < 0.
    """
    for outer in reduce.bounds:
        for inner in reduce.bounds:
            joined = None if inner is outer else _joined(reduce, outer, inner)
            if joined is not None:
                return joined_taps(joined)
    return reduce


def _joined(reduce: Reduce, outer: Bound, inner: Bound) -> Reduce | None:
    """The reduction with one tap in the place of two, or None where they do not cover one window."""
    others = tuple(bound for bound in reduce.bounds if bound not in (outer, inner))
    mine = {outer.name, inner.name}
    if any(mine & (bound.lower.names | bound.upper.names) for bound in reduce.bounds):
        return None
    lengths = [(bound.upper - bound.lower + 1).value for bound in (outer, inner)]
    if any(length is None or length < 1 for length in lengths):
        return None
    for step in _steps(reduce, outer.name, inner.name):
        assert lengths[1] is not None
        moved = {inner.name: Index.of(inner.name) - step * Index.of(outer.name)}
        body, guards = substitute(reduce.body, moved), tuple(guard.subs(moved) for guard in reduce.guards)
        left = names_in(body).union(*(guard.names for guard in guards))
        if abs(step) <= lengths[1] and outer.name not in left:
            ends = (outer.lower, outer.upper) if step > 0 else (outer.upper, outer.lower)
            whole = Bound(inner.name, inner.lower + step * ends[0], inner.upper + step * ends[1])
            return Reduce(reduce.op, (*others, whole), guards, body)
    return None


def _steps(reduce: Reduce, outer: str, inner: str) -> Iterator[int]:
    """By how many of the inner taps one outer tap may move what is read."""
    for expr in (expr for node in walk(reduce.body) for expr in own_indices(node)):
        one, other = expr.terms.get((inner,), 0), expr.terms.get((outer,), 0)
        if one and other and other % one == 0:
            yield other // one


Divides: TypeAlias = Callable[[Index], bool]
"""Says of a denominator that it is known to be at least 1."""


def written_pairs(left: Node, right: Node, divides: Divides, effort: Effort) -> list[tuple[Node, Node]]:
    """The two with sums written out on both sides, the ways in which that says something new."""
    pairs = [
        (written_out(left, divides, effort, longest=longest), written_out(right, divides, effort, longest=longest))
        for longest in (False, True)
    ]
    return [pair for pair in dict.fromkeys(pairs) if pair != (left, right)]


def written_out(node: Node, divides: Divides, effort: Effort, *, longest: bool) -> Node:
    """A tree with the sums over fixed ranges written out term by term, the shortest first or the longest.

    A range stays as it is where there would be more than `MOST_TERMS` terms, so that two ways to write a sum, of which
    one has these ranges written out already, come to the same.
    """
    terms = expand(node, effort)
    return rebuild(chain.from_iterable(_terms(term, MOST_TERMS // len(terms), longest, divides) for term in terms))


def _terms(term: Term, most: int, longest: bool, divides: Divides) -> Iterator[Term]:
    """The terms that a sum has if it is written out, at most so many."""
    names = {bound.name for bound in term.bounds}
    # the value of a length that is a number; a range that starts at another bound index is left alone
    fixed = [(bound, (bound.upper - bound.lower + 1).value) for bound in term.bounds if not bound.lower.names & names]
    chosen: list[tuple[Bound, int]] = []
    for bound, length in sorted(((b, n) for b, n in fixed if n is not None), key=lambda p: p[1], reverse=longest):
        if prod(n for _, n in chosen) * length <= most:
            chosen.append((bound, max(0, length)))
    if not _keeps_meaning(term, {bound.name for bound, _ in chosen}, divides):
        yield term
        return
    others = tuple(bound for bound in term.bounds if all(bound is not mine for mine, _ in chosen))
    for shifts in every(*(range(length) for _, length in chosen)):
        env: dict[str, IndexLike] = {b.name: b.lower + shift for (b, _), shift in zip(chosen, shifts, strict=True)}
        guards = tuple(guard.subs(env) for guard in term.guards)
        if all(guard.truth is not False for guard in guards):
            factors = tuple(substitute(factor, env) for factor in term.factors)
            left = tuple(guard for guard in guards if guard.truth is not True)
            yield Term(term.coefficient, factors, tuple(bound.subs(env) for bound in others), left)


def _keeps_meaning(term: Term, names: set[str], divides: Divides) -> bool:
    """Whether numbers may be put in for these names without hiding what the term may not have a value for.

    A number makes a quotient exact or not, a divisor 0 or not, and a factor of 0 makes all of that disappear, while the
    sum itself has no value then.
    """
    nodes = [node for factor in term.factors for node in walk(factor)]
    quotients = [q for expr in _expressions(term, nodes) for q in _quotients(expr)]
    if any(q.rounding == "exact" for q in quotients):
        return False
    # what has a value only where something is not 0, and the names that decide what becomes of it
    open_ = [names_in(node) for node in nodes if _needs_a_domain(node)]
    bound = {b.name for b in term.bounds}.union(*((b.name for b in n.bounds) for n in nodes if isinstance(n, Reduce)))
    open_ += [q.names for q in quotients if q.denominator.names & bound or not divides(q.denominator)]
    open_ += [g.names for g in _guards(term, nodes) if g.divisor is not None and g.divisor.value is None]
    weights = [names_in(node) for node in nodes if isinstance(node, Scalar)]
    return not open_ or not any(used & names for used in open_ + weights)


def _needs_a_domain(node: Node) -> bool:
    """Whether a node has a value for some values of its parts alone."""
    return has_domain(node) or (isinstance(node, Power) and not _has_value(node))


def _has_value(power: Power) -> bool:
    """Whether a power has a value whatever its base is: it divides by nothing and takes no root of what may be < 0."""
    if not isinstance(power.exponent, Constant) or power.exponent.value <= 0:
        return False
    return power.exponent.value.denominator == 1 or isinstance(power.base, Absolute)


def _guards(term: Term, nodes: list[Node]) -> list[Guard]:
    return [*term.guards, *(guard for node in nodes for guard in own_guards(node))]


def _expressions(term: Term, nodes: list[Node]) -> Iterator[Index]:
    """All index expressions in a term, whose factors' nodes are given."""
    for bound in term.bounds:
        yield from (bound.lower, bound.upper)
    for guard in _guards(term, nodes):
        yield guard.expr
        if guard.divisor is not None:
            yield guard.divisor
    for node in nodes:
        yield from own_indices(node)


def _quotients(expr: Index) -> Iterator[Quotient]:
    for key in expr.terms:
        for atom in key:
            if isinstance(atom, Quotient):
                yield atom
                yield from chain(_quotients(atom.numerator), _quotients(atom.denominator))
            elif isinstance(atom, Extremum):
                yield from chain.from_iterable(_quotients(arg) for arg in atom.args)
