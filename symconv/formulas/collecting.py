"""Common factors of terms in front of the sum of what is left: ``g*s - g*s*s`` as ``g*s*(1 - s)``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import gcd

from symconv.formulas.algebra import Constant, Node, add, const, product, summation
from symconv.formulas.terms import Term, expand

__all__ = ["collected"]


def collected(node: Node) -> Node:
    """A tree with the factors that all terms under the same conditions have outside; itself where there are none."""
    terms = expand(node)
    if any(term.bounds for term in terms):
        return node
    groups: dict[frozenset[object], list[Term]] = {}
    for term in terms:
        groups.setdefault(frozenset(term.guards), []).append(term)
    if all(_together(group) is None for group in groups.values()):
        return node
    return add(*(_together(group) or add(*(term.node() for term in group)) for group in groups.values()))


def _together(terms: Sequence[Term]) -> Node | None:
    """Terms under one condition as one product; None where they have neither a condition nor a factor in common."""
    if len(terms) < 2:
        return None
    common = Counter(terms[0].factors)
    for term in terms[1:]:
        common &= Counter(term.factors)
    outside = list(common.elements())
    whole = all(term.coefficient.denominator == 1 for term in terms)
    number = gcd(*(term.coefficient.numerator for term in terms)) if whole else 1
    if not outside and number == 1 and not terms[0].guards:
        return None
    rests = []
    for term in terms:
        left = list(term.factors)
        for factor in outside:
            left.remove(factor)
        rests.append(product(Constant(term.coefficient / number), *left))
    return summation(product(const(number), *outside, add(*rests)), guards=terms[0].guards)
