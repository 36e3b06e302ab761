"""The calculus of windowed sums: differentiation, elimination, change of variable, ranges from guards.

Differentiation is one rule, "drop an access, leave its index = mine as a guard", and the chain rule through powers,
absolute values, maxima and minima. SymPy cannot be used for this: it captures bound indices, and forgets divisibility.

The nearest published algorithm is that of S. Urban and P. van der Smagt, "Automatic differentiation for tensor
algebras" (arXiv 1711.01348): it differentiates tensors that are defined entry by entry, where the indices of an
argument are integer linear combinations of those of the function, and inserts the sums, their ranges and the Kronecker
deltas that are needed. Ours departs from it where sizes are symbols: a stride S is no entry of a matrix of numbers
that could be factored, so equations are used up one index at a time (`sift`), those with coefficient 1 first, and what
cannot be divided out stays as a guard ``S | expr`` that a proof can speak of. Maxima and minima are differentiated too,
by shares under a tie rule, and a tensor is zero outside its box, so that padding needs no case of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

from symconv.errors import NotSupportedError
from symconv.formulas.algebra import (
    ONE,
    ZERO,
    Absolute,
    Access,
    Applied,
    Bound,
    Bracket,
    Compare,
    Constant,
    FormulaWalker,
    Guard,
    Label,
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
    const,
    divides,
    equal,
    factors_of,
    inside,
    nonnegative,
    product,
)
from symconv.formulas.bounds import Knowledge
from symconv.formulas.function import Kink
from symconv.formulas.index import Index, ceiling, floor, maximum, minimum, quotient
from symconv.formulas.naming import names_in
from symconv.formulas.substitution import rename_bounds, substitute
from symconv.formulas.terms import Term, expand, rebuild
from symconv.formulas.walker import case
from symconv.formulas.walks import accesses, transform

__all__ = [
    "absorb",
    "change_variables",
    "closed_count",
    "differentiate",
    "normalize",
    "settle",
    "sift",
    "tighten",
    "without_settled_guards",
    "without_single_values",
]


def differentiate(
    node: Node,
    tensor: str,
    at: tuple[Index, ...],
    ties: Literal["first", "split"] = "first",
    *,
    alone: bool = False,
    kinks: Kink = "undefined",
    formal: bool = False,
) -> Node:
    """The derivative of a tree with respect to the entry `at` of a tensor.

    Each access ``x[e]`` leaves the bracket ``[e == at]``. A maximum or minimum hands its derivative to its taps by
    shares under the tie policy `ties`, which are `alone` where ties are refused; an absolute value has derivative 0 at
    0, a function with a kink the one that `kinks` says. With `formal` the derivatives of single entries keep their
    name, as one writes them before they are evaluated.

    Raises:
        NotSupportedError: for a power whose exponent depends on the tensor.
    """
    return _Derivative(tensor, at, ties, alone, kinks, formal).visit(node)


class _Derivative(FormulaWalker[Node]):
    """The derivative of a tree by one entry of a tensor."""

    def __init__(
        self,
        tensor: str,
        at: tuple[Index, ...],
        ties: Literal["first", "split"],
        alone: bool,
        kinks: Kink,
        formal: bool,
    ) -> None:
        self.tensor, self.at, self.ties, self.alone, self.kinks, self.formal = tensor, at, ties, alone, kinks, formal

    @case(Access)
    def _access(self, node: Access) -> Node:
        if node.tensor != self.tensor:
            return ZERO
        bracket = Bracket(tuple(equal(mine, theirs) for mine, theirs in zip(node.index, self.at, strict=True)))
        if not self.formal:
            return bracket
        return Named(Label(self.tensor, self.tensor), node.index, bracket, Access(self.tensor, self.at))

    @case(Named)
    def _named(self, node: Named) -> Node:
        return self.visit(node.value)

    @case(Constant, Scalar, Bracket, Sign, Compare, Share)
    def _constant(self, node: Node) -> Node:
        return ZERO  # constant almost everywhere

    @case(Plus)
    def _add(self, node: Plus) -> Node:
        return add(*(self.visit(arg) for arg in node.args))

    @case(Multiply)
    def _multiply(self, node: Multiply) -> Node:
        parts = []
        for position, arg in enumerate(node.args):
            parts.append(product(*node.args[:position], self.visit(arg), *node.args[position + 1 :]))
        return add(*parts)

    @case(Absolute)
    def _absolute(self, node: Absolute) -> Node:
        return product(Sign(node.arg), self.visit(node.arg))

    @case(Applied)
    def _apply(self, node: Applied) -> Node:
        inner = self.visit(node.arg)
        return ZERO if inner == ZERO else product(node.function.derivative(node.arg, self.kinks), inner)

    @case(Power)
    def _power(self, node: Power) -> Node:
        if accesses(node.exponent, self.tensor):
            raise NotSupportedError(
                f"cannot differentiate a power whose exponent depends on {self.tensor}: the exponent must be free of "
                "what is differentiated by"
            )
        outer = _OuterDerivative(node).visit(node.exponent)
        return _without_degree(product(*outer, self.visit(node.base)), node.exponent)

    @case(Reduce)
    def _reduce(self, node: Reduce) -> Node:
        taken = frozenset().union(*(e.names for e in self.at))
        moved = rename_bounds(node, taken)
        inner = self.visit(moved.body)
        own = frozenset(bound.name for bound in moved.bounds)
        if moved.op != "sum":
            here = tuple(Index.of(bound.name) for bound in moved.bounds)
            inner = product(Share(self.ties, rename_bounds(moved, own | taken), here, self.alone), inner)
        outside = [f for f in factors_of(inner) if isinstance(f, Constant | Scalar) and not names_in(f) & own]
        inside_it = [f for f in factors_of(inner) if f not in outside]
        return product(*outside, Reduce("sum", moved.bounds, moved.guards, product(*inside_it)))


def _without_degree(derivative: Node, exponent: Node) -> Node:
    """The derivative of a root of order p without p * (1/p): the root has a meaning only where p is not 0."""
    factors = list(factors_of(derivative))
    if isinstance(exponent, Power) and exponent.exponent == const(-1) and exponent.base in factors:
        factors.remove(exponent)
        factors.remove(exponent.base)
    return product(*factors)


class _OuterDerivative(FormulaWalker[tuple[Node, ...]]):
    """The factors of d(base**e)/d(base), by the exponent e.

    A root y = base**(1/p) gives y**(1-p)/p, which keeps the result short.
    """

    def __init__(self, power: Power) -> None:
        self.power = power

    @case(Power)
    def _inverse(self, exponent: Power) -> tuple[Node, ...]:
        degree = exponent.base
        if exponent.exponent == const(-1) and isinstance(degree, Scalar):
            return exponent, Power(self.power, Scalar(1 - degree.index))
        return self._any(exponent)

    @case(Constant)
    def _constant(self, exponent: Constant) -> tuple[Node, ...]:
        if exponent.value.numerator == 1:
            return exponent, _raised(self.power, Fraction(1 - exponent.value.denominator))
        return exponent, _raised(self.power.base, exponent.value - 1)

    @case(Scalar)
    def _scalar(self, exponent: Scalar) -> tuple[Node, ...]:
        return exponent, Power(self.power.base, Scalar(exponent.index - 1))

    @case(Access, Plus, Multiply, Absolute, Sign, Applied, Bracket, Compare, Reduce, Share, Named)
    def _any(self, exponent: Node) -> tuple[Node, ...]:
        return exponent, Power(self.power.base, add(exponent, const(-1)))


def _raised(base: Node, exponent: Fraction) -> Node:
    """A power by a number, without one where it is 0 or 1."""
    return ONE if exponent == 0 else base if exponent == 1 else Power(base, const(exponent))


@dataclass(frozen=True)
class _Pivot:
    """An equality guard that fixes a bound index: ``coefficient * index == total``, coefficient at least 1."""

    guard: Guard
    bound: Bound
    coefficient: Index
    total: Index

    @property
    def is_unit(self) -> bool:
        return self.coefficient == 1


def sift(term: Term, knowledge: Knowledge, keep: Iterable[str] = ()) -> Term:
    """Use up equality guards: each one fixes a bound index, whose range turns into guards.

    Indices with coefficient 1 or -1 go first; for any other coefficient d the index becomes an exact quotient and
    ``d | numerator`` stays as a guard. Where nobody knows that d is not 0 (a padding P, a difference S - D), or where
    the range of another index would come to speak of that index itself, the equality stays.

    Args:
        term: any term.
        knowledge: the least values of the names.
        keep: names that are eliminated only where nothing else can be.
    """
    kept = set(keep)
    while (pivot := _pivot(term, knowledge, kept)) is not None:
        total, coefficient = pivot.total, pivot.coefficient
        ends = (
            nonnegative(total - coefficient * pivot.bound.lower),
            nonnegative(coefficient * pivot.bound.upper - total),
        )
        new = ends if pivot.is_unit else (divides(coefficient, total), *ends)
        rest = tuple(guard for guard in term.guards if guard is not pivot.guard)
        whole = _with_value(replace(term, guards=rest + new), pivot.bound, quotient(total, coefficient, "exact"))
        open_ones = [guard for guard in dict.fromkeys(whole.guards) if guard.truth is not True]
        if any(guard.truth is False for guard in open_ones):
            return Term(Fraction(0), ())
        term = replace(whole, guards=tuple(open_ones))
    return term


def _pivot(term: Term, knowledge: Knowledge, keep: set[str]) -> _Pivot | None:
    """The first of the best pivots."""
    equations = [guard for guard in term.guards if guard.kind == "eq"]
    found = (_solved(term, guard, bound, knowledge) for guard in equations for bound in term.bounds)
    pivots = [pivot for pivot in found if pivot is not None]
    return min(pivots, key=lambda pivot: (pivot.bound.name in keep, not pivot.is_unit), default=None)


def _solved(term: Term, guard: Guard, bound: Bound, knowledge: Knowledge) -> _Pivot | None:
    """An equality guard solved for a bound index, None where that cannot be done."""
    split = guard.expr.linear_in(bound.name)
    if split is None:
        return None
    coefficient, remainder = split
    others = {b.name for b in term.bounds}
    if coefficient.names & others:
        return None  # what depends on another bound index may be 0, of whichever sign
    if knowledge.nonnegative(-coefficient):
        coefficient, remainder = -coefficient, -remainder
    if not knowledge.nonnegative(coefficient - 1):
        return None
    speaks = {b.name for b in term.bounds if bound.name in b.lower.names | b.upper.names}
    return None if speaks & remainder.names else _Pivot(guard, bound, coefficient, -remainder)


def _with_value(term: Term, bound: Bound, value: Index) -> Term:
    """The term at one value of a bound index; what is said of its range is left to the caller."""
    env = {bound.name: value}
    return Term(
        term.coefficient,
        tuple(substitute(factor, env) for factor in term.factors),
        tuple(other.subs(env) for other in term.bounds if other is not bound),
        tuple(guard.subs(env) for guard in term.guards),
    )


def without_single_values(node: Node) -> Node:
    """Put in the value of every bound index that has only one, such as the one output of global pooling."""
    return rebuild(_without_single_values(term) for term in expand(node))


def _without_single_values(term: Term) -> Term:
    while (bound := next((b for b in term.bounds if b.lower == b.upper), None)) is not None:
        term = _with_value(term, bound, bound.lower)
    return term


def without_settled_guards(term: Term, knowledge: Knowledge) -> Term:
    """Drop the guards that always hold where the term's own ranges do."""
    inside = knowledge.within(term.bounds)
    return replace(term, guards=tuple(g for g in term.guards if not inside.holds(g)))


def settle(node: Node, knowledge: Knowledge) -> Node:
    """Drop the guards that always hold from every reduction of a tree."""

    def change(n: Node) -> Node | None:
        if isinstance(n, Reduce):
            inside_it = knowledge.within(n.bounds)
            guards = tuple(g for g in n.guards if not inside_it.holds(g))
            return Reduce(n.op, n.bounds, guards, settle(n.body, inside_it))
        return None

    return transform(node, change)


def tighten(term: Term, knowledge: Knowledge) -> Term:
    """Turn guards that are affine in one bound index into its range, by minima, maxima and rounded quotients."""
    bounds, guards = _tight(term.bounds, term.guards, knowledge)
    return replace(term, bounds=bounds, guards=guards)


def _tight(
    bounds: tuple[Bound, ...], guards: tuple[Guard, ...], knowledge: Knowledge
) -> tuple[tuple[Bound, ...], tuple[Guard, ...]]:
    """The ranges, with the guards that went into them, and those that are left."""
    left = list(guards)
    tight: list[Bound] = []
    for bound in bounds:
        others = [other for other in bounds if other is not bound]
        lowers, uppers = [bound.lower], [bound.upper]
        for guard in list(left):
            split = guard.expr.linear_in(bound.name)
            if guard.kind != "ge" or split is None or any(other.name in guard.names for other in others):
                continue
            coefficient, remainder = split
            if knowledge.nonnegative(coefficient - 1):
                lowers.append(ceiling(-remainder, coefficient))
            elif knowledge.nonnegative(-coefficient - 1):
                uppers.append(floor(remainder, -coefficient))
            else:
                continue
            left.remove(guard)
        inside_it = knowledge.within(others)
        lower = maximum(*_largest(lowers, inside_it))
        upper = minimum(*(-end for end in _largest([-end for end in uppers], inside_it)))
        tight.append(Bound(bound.name, lower, upper))
    return tuple(tight), tuple(left)


def _largest(ends: list[Index], knowledge: Knowledge) -> list[Index]:
    """Those that may be the largest: one is left out where another is known to be no smaller."""
    kept: list[Index] = []
    for end in dict.fromkeys(ends):
        if not any(knowledge.nonnegative(other - end) for other in kept):
            kept = [*(other for other in kept if not knowledge.nonnegative(end - other)), end]
    return kept


def change_variables(term: Term, replacement: Mapping[str, Index], bounds: tuple[Bound, ...]) -> Term:
    """Write bound indices as expressions in new ones, whose ranges are given.

    The old ranges stay as guards on the new expressions. Whether the map is a bijection is not decided here: the
    statement that results is checked like any other.
    """
    old = [guard for bound in term.bounds if bound.name in replacement for guard in bound.guards()]
    others = tuple(bound.subs(replacement) for bound in term.bounds if bound.name not in replacement)
    guards = dict.fromkeys(guard.subs(replacement) for guard in (*term.guards, *old))
    return Term(
        term.coefficient,
        tuple(substitute(factor, replacement) for factor in term.factors),
        others + bounds,
        tuple(guard for guard in guards if guard.truth is not True),
    )


def normalize(node: Node, knowledge: Knowledge) -> Node:
    """The closed form: sums expanded, brackets sifted, settled guards dropped, numbers collected."""
    return rebuild(without_settled_guards(sift(term, knowledge), knowledge) for term in expand(node))


def closed_count(node: Reduce, knowledge: Knowledge) -> Index | None:
    """The number of values of a one-index count ``sum of 1 under guards``, in closed form; None for any other sum."""
    if node.op != "sum" or node.body != ONE or len(node.bounds) != 1:
        return None
    (bound,), open_ones = _tight(node.bounds, node.guards, knowledge)
    if open_ones:
        return None
    length = bound.upper - bound.lower + 1
    return length if knowledge.nonnegative(length) else maximum(0, length)


def absorb(node: Node, boxes: Mapping[str, tuple[tuple[Index, Index], ...]]) -> Node:
    """Drop the guards that say no more than that an access of the same term lies in its tensor's box.

    A tensor is zero outside its box, so such a guard changes nothing; the shorter form is the one that is printed.
    """
    terms = []
    for term in expand(node):
        implied: set[Guard] = set()
        for factor in term.factors:
            if isinstance(factor, Access):
                implied |= set(inside(factor, boxes[factor.tensor]))
        terms.append(replace(term, guards=tuple(g for g in term.guards if g not in implied)))
    return rebuild(terms)
