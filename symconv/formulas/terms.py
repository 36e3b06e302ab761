"""The linear core of formulas, the guarded sum: ``coefficient * sum over bound indices, under guards, of a product``.

`expand` brings every tree to a list of such terms, and `rebuild` makes a tree of them again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction

from symconv.formulas.algebra import (
    ONE,
    Absolute,
    Access,
    Applied,
    Bound,
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
    add,
    product,
    summation,
)
from symconv.formulas.effort import Effort
from symconv.formulas.naming import names_away_from, names_in, renamed_bounds
from symconv.formulas.substitution import substitute
from symconv.formulas.walker import case

__all__ = ["Term", "expand", "rebuild", "rename_term"]

TERM = 60  # steps for one term that is made


@dataclass(frozen=True)
class Term:
    """``coefficient * sum over bounds, under guards, of the product of factors``; factors are not sums or products."""

    coefficient: Fraction
    factors: tuple[Node, ...]
    bounds: tuple[Bound, ...] = ()
    guards: tuple[Guard, ...] = ()

    def node(self) -> Node:
        number = Constant(self.coefficient)
        if self.bounds:  # the number goes before the sum
            return product(number, summation(product(*self.factors), *self.bounds, guards=self.guards))
        return summation(product(number, *self.factors), guards=self.guards)


def expand(node: Node, effort: Effort | None = None) -> list[Term]:
    """The sum of terms that a tree stands for: sums multiplied out, nested sums merged, brackets turned into guards.

    Args:
        node: any tree.
        effort: what that may cost; unbounded unless given.

    Raises:
        OutOfEffort: where there are too many terms.
    """
    return _Expansion(effort).visit(node)


class _Expansion(FormulaWalker[list[Term]]):
    """The terms of a tree."""

    def __init__(self, effort: Effort | None) -> None:
        self.effort = effort

    def _spend(self, steps: int) -> None:
        if self.effort is not None:
            self.effort.spend(steps)

    @case(Constant)
    def _constant(self, node: Constant) -> list[Term]:
        return [Term(node.value, ())] if node.value else []

    @case(Scalar)
    def _scalar(self, node: Scalar) -> list[Term]:
        value = node.index.value
        if value is None:
            return self._atom(node)
        return [Term(Fraction(value), ())] if value else []

    @case(Plus)
    def _add(self, node: Plus) -> list[Term]:
        return [term for arg in node.args for term in self.visit(arg)]

    @case(Multiply)
    def _multiply(self, node: Multiply) -> list[Term]:
        total = [Term(Fraction(1), ())]
        for arg in node.args:
            parts = self.visit(arg)
            self._spend(TERM * len(total) * len(parts))
            total = [_times(left, right) for left in total for right in parts]
        return total

    @case(Named)
    def _named(self, node: Named) -> list[Term]:
        return self.visit(node.value)

    @case(Bracket)
    def _bracket(self, node: Bracket) -> list[Term]:
        return _guarded(Term(Fraction(1), ()), node.guards)

    @case(Power)
    def _power(self, node: Power) -> list[Term]:
        return self.visit(node.base) if node.exponent == ONE else self._atom(node)

    @case(Reduce)
    def _reduce(self, node: Reduce) -> list[Term]:
        if node.op != "sum":
            return self._atom(node)
        result = []
        taken: frozenset[str] = frozenset().union(*(guard.names for guard in node.guards))
        for b in node.bounds:  # an inner sum may bind what a range or a guard out here means differently
            taken |= {b.name} | b.lower.names | b.upper.names
        for term in self.visit(node.body):
            self._spend(TERM)
            inner = rename_term(term, taken)
            whole = replace(inner, bounds=node.bounds + inner.bounds)
            result += _guarded(whole, node.guards)
        return result

    @case(Access, Absolute, Sign, Applied, Compare, Share)
    def _atom(self, node: Node) -> list[Term]:
        return [Term(Fraction(1), (node,))]


def _guarded(term: Term, guards: Iterable[Guard]) -> list[Term]:
    open_ones = [guard for guard in guards if guard.truth is not True]
    if any(guard.truth is False for guard in open_ones):
        return []
    return [replace(term, guards=tuple(dict.fromkeys((*term.guards, *open_ones))))]


def _term_names(term: Term) -> frozenset[str]:
    found: set[str] = set()
    for factor in term.factors:
        found |= names_in(factor)
    for guard in term.guards:
        found |= guard.names
    for bound in term.bounds:
        found |= {bound.name} | bound.lower.names | bound.upper.names
    return frozenset(found)


def rename_term(term: Term, taken: frozenset[str]) -> Term:
    """The same term with its bound names moved away from `taken`."""
    if not any(bound.name in taken for bound in term.bounds):
        return term
    env = names_away_from(term.bounds, taken, _term_names(term))
    factors = tuple(substitute(factor, env) for factor in term.factors)
    guards = tuple(guard.subs(env) for guard in term.guards)
    return Term(term.coefficient, factors, renamed_bounds(term.bounds, env), guards)


def _times(left: Term, right: Term) -> Term:
    if right.bounds:
        right = rename_term(right, _term_names(left))
    if left.bounds:
        left = rename_term(left, _term_names(right))
    return Term(
        left.coefficient * right.coefficient,
        left.factors + right.factors,
        left.bounds + right.bounds,
        tuple(dict.fromkeys(left.guards + right.guards)),
    )


def rebuild(terms: Iterable[Term]) -> Node:
    """The tree of a list of terms."""
    return add(*(term.node() for term in terms))
