"""Norms of claims: the p-norm of entries over a set, that of order infinity, and the limit that leads there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from symconv.claims.meaning.scope import Scope
from symconv.errors import ClaimError
from symconv.formulas.algebra import (
    ONE,
    Absolute,
    Bound,
    Bracket,
    Constant,
    Guard,
    Node,
    Power,
    Reduce,
    Scalar,
    const,
    nonnegative,
    product,
    summation,
)
from symconv.formulas.index import Index, maximum
from symconv.formulas.naming import free_names
from symconv.proofs.goals import follows

__all__ = ["largest", "limit_of_norm", "norm"]


def norm(bounds: Sequence[Bound], guards: Sequence[Guard], term: Node, order: Node) -> Node:
    """``(sum term**order)**(1/order)``.

    Raises:
        ClaimError: for an order below 1.
    """
    if isinstance(order, Constant) and order.value < 1:
        raise ClaimError(f"the order of a norm must be at least 1, got {order.value}")
    if order == ONE:
        return summation(term, *bounds, guards=guards)
    root = Constant(1 / order.value) if isinstance(order, Constant) else Power(order, const(-1))
    return Power(summation(Power(term, order), *bounds, guards=guards), root)


def largest(bounds: Sequence[Bound], guards: Sequence[Guard], entry: Node, scope: Scope) -> Node:
    """The norm of order infinity: the largest absolute value, and 0 where there is none, as any norm of nothing is."""
    known = (*scope.hypotheses, scope.nonempty)
    if not guards and follows(known, [nonnegative(b.upper - b.lower) for b in bounds]):
        return Reduce("max", tuple(bounds), (), Absolute(entry))
    conditions = (*(guard for b in bounds for guard in b.guards()), *guards)
    ranges = tuple(Bound(b.name, b.lower, maximum(b.lower, b.upper)) for b in bounds)
    return Reduce("max", ranges, (), product(Bracket(conditions), Absolute(entry)))


def limit_of_norm(body: Node, variable: str, scope: Scope) -> Node:
    """The limit of a p-norm as p grows: the largest absolute value, which the squeeze proves for any finite set.

    Raises:
        ClaimError: for anything else.
    """
    order = Scalar(Index.of(variable))
    inner = body.base if isinstance(body, Power) else None
    if isinstance(inner, Reduce) and isinstance(inner.body, Power) and isinstance(inner.body.base, Absolute):
        entry = inner.body.base.arg
        read = norm(inner.bounds, inner.guards, Absolute(entry), order)
        if body == read and variable not in free_names(replace(inner, body=entry)):
            return largest(inner.bounds, inner.guards, entry, scope)
    raise ClaimError(f"the limit in {variable} is not that of a norm (sum |x|^{variable})^(1/{variable})")
