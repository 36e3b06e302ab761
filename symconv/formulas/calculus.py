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
from dataclasses import replace
from fractions import Fraction
from typing import Literal

from symconv.errors import NotSupportedError
from symconv.formulas.algebra import (
    ONE,
    ZERO,
    Absolute,
    Access,
    Add,
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
    formal: bool = False,
) -> Node:
    """The derivative of a tree with respect to the entry `at` of a tensor.

    Each access ``x[e]`` leaves the bracket ``[e == at]``. A maximum or minimum hands its derivative to its taps by
    shares under the tie policy `ties`; an absolute value has derivative 0 at 0. With `formal` the derivatives of
    single entries keep their name, as one writes them before they are evaluated.

    Raises:
        NotSupportedError: for a power whose exponent depends on the tensor.
    """
    return _Derivative(tensor, at, ties, formal).visit(node)


class _Derivative(FormulaWalker[Node]):
    """The derivative of a tree by one entry of a tensor."""

    def __init__(self, tensor: str, at: tuple[Index, ...], ties: Literal["first", "split"], formal: bool) -> None:
        self.tensor, self.at, self.ties, self.formal = tensor, at, ties, formal

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

    @case(Add)
    def _add(self, node: Add) -> Node:
        return add(*(self.visit(arg) for arg in node.args))

    @case(Multiply)
    def _multiply(self, node: Multiply) -> Node:
        parts = []
        for position, arg in enumerate(node.args):
            inner = self.visit(arg)
            if inner != ZERO:
                parts.append(product(*node.args[:position], inner, *node.args[position + 1 :]))
        return add(*parts)

    @case(Absolute)
    def _absolute(self, node: Absolute) -> Node:
        inner = self.visit(node.arg)
        return ZERO if inner == ZERO else product(Sign(node.arg), inner)

    @case(Power)
    def _power(self, node: Power) -> Node:
        if accesses(node.exponent, self.tensor):
            raise NotSupportedError(
                f"cannot differentiate a power whose exponent depends on {self.tensor}: the exponent must be free of "
                "what is differentiated by"
            )
        inner = self.visit(node.base)
        if inner == ZERO:
            return ZERO
        return _without_degree(product(*_OuterDerivative(node).visit(node.exponent), inner), node.exponent)

    @case(Reduce)
    def _reduce(self, node: Reduce) -> Node:
        taken = frozenset().union(*(e.names for e in self.at))
        moved = rename_bounds(node, taken)
        inner = self.visit(moved.body)
        if inner == ZERO:
            return ZERO
        own = frozenset(bound.name for bound in moved.bounds)
        if moved.op != "sum":
            here = tuple(Index.of(bound.name) for bound in moved.bounds)
            inner = product(Share(self.ties, rename_bounds(moved, own | taken), here), inner)
        outside = [f for f in factors_of(inner) if isinstance(f, Constant | Scalar) and not names_in(f) & own]
        inside_it = [f for f in factors_of(inner) if f not in outside]
        return product(*outside, Reduce("sum", moved.bounds, moved.guards, product(*inside_it)))


def _without_degree(derivative: Node, exponent: Node) -> Node:
    """The derivative of a root of order p without p * (1/p): the root has a meaning only where p is not 0."""
    factors = list(factors_of(derivative))
    if isinstance(exponent, Power) and exponent.exponent == const(-1) and {exponent, exponent.base} <= set(factors):
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
        if exponent.value.numerator == 1 and exponent.value > 0:
            one_less = 1 - exponent.value.denominator
            return (exponent,) if one_less == 0 else (exponent, Power(self.power, const(one_less)))
        less, base = exponent.value - 1, self.power.base
        return exponent, (base if less == 1 else Power(base, const(less)))

    @case(Scalar)
    def _scalar(self, exponent: Scalar) -> tuple[Node, ...]:
        return exponent, Power(self.power.base, Scalar(exponent.index - 1))

    @case(Access, Add, Multiply, Absolute, Sign, Bracket, Compare, Reduce, Share, Named)
    def _any(self, exponent: Node) -> tuple[Node, ...]:
        return exponent, Power(self.power.base, add(exponent, const(-1)))


def sift(term: Term, keep: Iterable[str] = ()) -> Term:
    """Use up equality guards: each one fixes a bound index, whose range turns into guards.

    Indices with coefficient 1 or -1 go first; for any other coefficient d the index becomes an exact quotient and
    ``d | numerator`` stays as a guard. Names in `keep` are eliminated only where nothing else can be.
    """
    kept = set(keep)
    while True:
        choice = _pivot(term, kept)
        if choice is None:
            return term
        guard, bound, coefficient, solution = choice
        rest = tuple(g for g in term.guards if g is not guard)
        unit = coefficient.value in (1, -1)
        positive = solution if coefficient.value != -1 else -solution
        scale = Index.of(1) if unit else coefficient
        value = positive if unit else quotient(solution, coefficient, "exact")
        new: list[Guard] = [] if unit else [divides(coefficient, solution)]
        new += [nonnegative(positive - scale * bound.lower), nonnegative(scale * bound.upper - positive)]
        env = {bound.name: value}
        others = tuple(b.subs(env) for b in term.bounds if b is not bound)
        guards = []
        for g in (*rest, *new):
            substituted = g.subs(env)
            if substituted not in guards and substituted.truth is not True:
                guards.append(substituted)
        if any(g.truth is False for g in guards):
            return Term(term.coefficient * 0, ())
        term = Term(term.coefficient, tuple(substitute(f, env) for f in term.factors), others, tuple(guards))


def _pivot(term: Term, keep: set[str]) -> tuple[Guard, Bound, Index, Index] | None:
    best: tuple[int, Guard, Bound, Index, Index] | None = None
    for guard in term.guards:
        if guard.kind != "eq":
            continue
        for bound in term.bounds:
            split = guard.expr.linear_in(bound.name)
            if split is None or not split[0].terms:
                continue
            coefficient, remainder = split
            if coefficient.names & {b.name for b in term.bounds}:
                continue  # a sign that depends on another bound index cannot be divided by
            unit = coefficient.value in (1, -1)
            if len({v > 0 for v in coefficient.terms.values()}) > 1:
                continue  # such as S - D: nobody knows its sign, or whether it is 0
            cost = (0 if unit else 2) + (4 if bound.name in keep else 0)
            if not unit and all(v < 0 for v in coefficient.terms.values()):
                coefficient, remainder = -coefficient, -remainder
            if best is None or cost < best[0]:
                best = (cost, guard, bound, coefficient, -remainder)
    return None if best is None else best[1:]


def without_single_values(node: Node) -> Node:
    """Put in the value of every bound index that has only one, such as the one output of global pooling."""
    return rebuild(_without_single_values(term) for term in expand(node))


def _without_single_values(term: Term) -> Term:
    env = {bound.name: bound.lower for bound in term.bounds if bound.lower == bound.upper}
    if not env:
        return term
    return Term(
        term.coefficient,
        tuple(substitute(factor, env) for factor in term.factors),
        tuple(bound.subs(env) for bound in term.bounds if bound.name not in env),
        tuple(guard.subs(env) for guard in term.guards),
    )


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
    guards = list(term.guards)
    bounds = list(term.bounds)
    bound_names = {bound.name for bound in bounds}
    for position, bound in enumerate(bounds):
        lowers, uppers = [bound.lower], [bound.upper]
        for guard in list(guards):
            if guard.kind != "ge" or guard.names & (bound_names - {bound.name}):
                continue
            split = guard.expr.linear_in(bound.name)
            if split is None or not split[0].terms:
                continue
            coefficient, remainder = split
            if knowledge.nonnegative(coefficient - 1):
                lowers.append(ceiling(-remainder, coefficient))
            elif knowledge.nonnegative(-coefficient - 1):
                uppers.append(floor(remainder, -coefficient))
            else:
                continue
            guards.remove(guard)
        bounds[position] = Bound(bound.name, _tightest(lowers, knowledge, 1), _tightest(uppers, knowledge, -1))
    return replace(term, bounds=tuple(bounds), guards=tuple(guards))


def _tightest(candidates: list[Index], knowledge: Knowledge, sign: int) -> Index:
    """The largest (sign 1) or smallest (sign -1) of the candidates, without those that never decide."""
    kept: list[Index] = []
    for candidate in dict.fromkeys(candidates):
        if any(knowledge.nonnegative(sign * (other - candidate)) for other in kept):
            continue
        kept = [other for other in kept if not knowledge.nonnegative(sign * (candidate - other))]
        kept.append(candidate)
    return maximum(*kept) if sign > 0 else minimum(*kept)


def change_variables(term: Term, replacement: Mapping[str, Index], bounds: tuple[Bound, ...]) -> Term:
    """Write bound indices as expressions in new ones, whose ranges are given.

    The old ranges stay as guards on the new expressions. Whether the map is a bijection is not decided here: the
    statement that results is checked like any other.
    """
    gone = [b for b in term.bounds if b.name in replacement]
    env = dict(replacement)
    guards = [g.subs(env) for g in term.guards]
    for bound in gone:
        guards += [g.subs(env) for g in bound.guards()]
    others = tuple(b.subs(env) for b in term.bounds if b.name not in replacement)
    return Term(
        term.coefficient,
        tuple(substitute(f, env) for f in term.factors),
        others + bounds,
        tuple(g for g in dict.fromkeys(guards) if g.truth is not True),
    )


def normalize(node: Node, knowledge: Knowledge, keep: Iterable[str] = ()) -> Node:
    """The closed form: sums expanded, brackets sifted, settled guards dropped, numbers collected."""
    terms = []
    for term in expand(node):
        closed = without_settled_guards(sift(term, keep), knowledge)
        if closed.coefficient:
            terms.append(closed)
    return rebuild(terms)


def closed_count(node: Reduce, knowledge: Knowledge) -> Index | None:
    """The number of values of a one-index count ``sum of 1 under guards``, in closed form; None for any other sum."""
    if node.op != "sum" or node.body != ONE or len(node.bounds) != 1:
        return None
    term = tighten(Term(Fraction(1), (), node.bounds, node.guards), knowledge)
    if term.guards:
        return None
    (bound,) = term.bounds
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
