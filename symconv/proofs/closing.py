"""Sums that have a closed form: of powers of an index, and of the shares of a maximum."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import comb, lcm

from symconv.formulas.algebra import Access, Bound, Guard, Node, Power, Scalar, Share, scalar
from symconv.formulas.functions import has_domain
from symconv.formulas.index import Index, maximum
from symconv.formulas.naming import free_names
from symconv.formulas.substitution import rename_bounds, substitute
from symconv.formulas.terms import Term, expand, rebuild, rename_term
from symconv.formulas.walks import walk
from symconv.proofs.context import Context, has_quotient
from symconv.proofs.numbers import numbers_joined
from symconv.proofs.signs import has_member
from symconv.proofs.terms import range_guards

__all__ = ["closed"]

HIGHEST_POWER = 6


def closed(node: Node, context: Context, rules: dict[str, None], *, empty: bool = False) -> Node:
    """The tree with the sums that have one in their closed form; the names of the rules used are added to `rules`.

    The numbers of a term are joined before, which have met where products were multiplied out.

    Args:
        node: the tree.
        context: what is known around it.
        rules: where the names go.
        empty: whether sums that may be empty are closed, too; a maximum stands in their form.
    """
    terms = expand(node, context.effort)
    changed = []
    for term in terms:
        joined = numbers_joined(term)
        if joined != [term]:
            rules["roots of numbers"] = None
        for one in joined:
            apart = rename_term(one, context.reserved)
            changed.append(_power_sums(_shares(apart, context, rules), context, rules, empty))
    return node if changed == terms else rebuild(changed)


# ---------------------------------------------------------------------- sums of powers


def _power_sums(term: Term, context: Context, rules: dict[str, None], empty: bool) -> Term:
    """``sum of m**k, m = l..u`` as a polynomial in l and u, which it is wherever u >= l - 1; or in max(u, l - 1)."""
    for bound in reversed(term.bounds):
        found = _power_sum(term, bound, context, empty)
        if found is not None:
            rules["sums of powers"] = None
            return _power_sums(found, context, rules, empty)
    return term


def _power_sum(term: Term, bound: Bound, context: Context, empty: bool) -> Term | None:
    name = bound.name
    others = tuple(b for b in term.bounds if b is not bound)
    if any(name in b.lower.names | b.upper.names for b in others) or any(name in g.names for g in term.guards):
        return None
    mine = [f for f in term.factors if name in free_names(f)]
    weight = Index.of(1)
    for factor in mine:
        if not isinstance(factor, Scalar):
            return None
        weight = weight * factor.index
    coefficients = _by_powers(weight, name)
    if coefficients is None or not (mine or empty):  # a sum of ones that has a length needs no closed form
        return None
    inner = context.inside(others, term.guards)
    last = bound.upper
    if not inner.holds(f"the range of {name} is no shorter than empty", [Guard("ge", last - bound.lower + 1)]):
        if not empty:
            return None
        last = maximum(last, bound.lower - 1)
    scale = lcm(*(value.denominator for power in coefficients for value in _faulhaber(power)))
    total = Index.of(0)
    for power, coefficient in coefficients.items():
        for end, sign in ((last, 1), (bound.lower - 1, -1)):
            total = total + sign * coefficient * _polynomial(power, end, scale)
    factors = tuple(f for f in term.factors if f not in mine)
    if total == 0 and (factors or others or term.guards):
        return None  # a factor of 0 would hide what may have no value
    return Term(term.coefficient / scale, (scalar(total), *factors), others, term.guards)


def _by_powers(weight: Index, name: str) -> dict[int, Index] | None:
    """The coefficients of a polynomial in a name; None where the name stands in a quotient, a minimum or a maximum."""
    found: dict[int, Index] = {}
    for key, value in weight.terms.items():
        if any(not isinstance(atom, str) and name in atom.names for atom in key):
            return None
        power = key.count(name)
        rest = Index({tuple(atom for atom in key if atom != name): value})
        found[power] = found.get(power, Index.of(0)) + rest
    return found if max(found, default=0) <= HIGHEST_POWER else None


@lru_cache(maxsize=16)
def _faulhaber(power: int) -> tuple[Fraction, ...]:
    """The coefficients of the polynomial F with ``F(n) - F(n-1) = n**k`` and ``F(0) = 0``, lowest power first.

    From ``n**(k+1) - (n-1)**(k+1) = sum over j <= k of (-1)**(k-j) * C(k+1, j) * n**j``, summed over n.
    """
    total = [Fraction(0)] * (power + 1) + [Fraction(1)]
    for lower in range(power):
        for j, value in enumerate(_faulhaber(lower)):
            total[j] -= (-1) ** (power - lower) * comb(power + 1, lower) * value
    return tuple(value / (power + 1) for value in total)


def _polynomial(power: int, at: Index, scale: int) -> Index:
    total, whole = Index.of(0), Index.of(1)
    for value in _faulhaber(power):
        total = total + int(value * scale) * whole
        whole = whole * at
    return total


# ---------------------------------------------------------------------- shares of a maximum


def _shares(term: Term, context: Context, rules: dict[str, None]) -> Term:
    """The sum over a whole window of the shares of its maximum, which is 1 where the window has a tap."""
    for position, factor in enumerate(term.factors):
        if isinstance(factor, Share):
            found = _share_sum(term, position, context)
            if found is not None:
                rules["the shares of a maximum add up to 1"] = None
                return _shares(found, context, rules)
    return term


def _share_sum(term: Term, position: int, context: Context) -> Term | None:
    share = term.factors[position]
    assert isinstance(share, Share)
    term = _without_equations(term, frozenset().union(*(e.names for e in share.at)))
    share = term.factors[position]
    assert isinstance(share, Share)
    names = [next(iter(e.names)) for e in share.at if len(e.names) == 1 and e == Index.of(next(iter(e.names)))]
    own = set(names)
    summed = [b for b in term.bounds if b.name in own]
    if len(names) != len(share.at) or len(own) != len(names) or len(summed) != len(names):
        return None
    rest = tuple(b for b in term.bounds if b.name not in own)
    others = term.factors[:position] + term.factors[position + 1 :]
    used = frozenset().union(*(free_names(f) for f in others), *(b.lower.names | b.upper.names for b in rest))
    window = rename_bounds(share.reduce, context.reserved | {b.name for b in term.bounds})
    if own & (used | free_names(window)) or not _always_has_value(window.body):
        return None
    outer = context.inside(rest, [g for g in term.guards if not g.names & own])
    inner = outer.inside(window.bounds, window.guards)
    taps = {name: Index.of(bound.name) for name, bound in zip(names, window.bounds, strict=True)}
    inside = [*range_guards(summed), *(g for g in term.guards if g.names & own)]
    if not inner.holds("every tap of the window is summed over", [g.subs(taps) for g in inside]):
        return None
    if not has_member(window.bounds, window.guards, outer):
        return None
    return Term(term.coefficient, others, rest, tuple(g for g in term.guards if not g.names & own))


def _always_has_value(node: Node) -> bool:
    """Whether nothing in a tree divides, or takes a root or a logarithm, so that leaving it out loses no value."""
    return not any(
        isinstance(n, Power) or has_domain(n) or (isinstance(n, Access) and any(has_quotient(e) for e in n.index))
        for n in walk(node)
    )


def _without_equations(term: Term, keep: frozenset[str]) -> Term:
    """The term without the bound indices that an equation with coefficient 1 or -1 fixes, but for those to keep."""
    for guard in term.guards:
        for bound in term.bounds if guard.kind == "eq" else ():
            split = guard.expr.linear_in(bound.name)
            if bound.name in keep or split is None or split[0].value not in (1, -1):
                continue
            env = {bound.name: -split[1] if split[0].value == 1 else split[1]}
            guards = [g.subs(env) for g in (*term.guards, *bound.guards()) if g is not guard]
            return _without_equations(
                Term(
                    term.coefficient,
                    tuple(substitute(f, env) for f in term.factors),
                    tuple(b.subs(env) for b in term.bounds if b is not bound),
                    tuple(g for g in dict.fromkeys(guards) if g.truth is not True),
                ),
                keep,
            )
    return term
