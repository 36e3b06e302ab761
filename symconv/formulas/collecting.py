"""Common factors of terms in front of the sum of what is left: ``g*s - g*s*s`` as ``g*s*(1 - s)``."""

from __future__ import annotations

from collections import Counter

from symconv.formulas.algebra import Constant, Node, add, product, summation
from symconv.formulas.terms import expand

__all__ = ["collected"]


def collected(node: Node) -> Node:
    """A tree with the factors that all its terms have outside; itself where they have none, or sums are left in it."""
    terms = expand(node)
    if len(terms) < 2 or any(term.bounds for term in terms) or len({frozenset(term.guards) for term in terms}) > 1:
        return node
    common = Counter(terms[0].factors)
    for term in terms[1:]:
        common &= Counter(term.factors)
    outside = list(common.elements())
    if not outside and not terms[0].guards:
        return node
    rests = []
    for term in terms:
        left = list(term.factors)
        for factor in outside:
            left.remove(factor)
        rests.append(product(Constant(term.coefficient), *left))
    return summation(product(*outside, add(*rests)), guards=terms[0].guards)
