"""A tree written in the one way that products, powers, absolute values and maxima are matched in.

Every rule is an identity of values wherever the tree has a value, and states its side condition; a condition on sizes
or indices goes to the solver, and a rule whose condition is not shown is left alone. So two trees with equal normal
forms are equal; what has a form of its own is left as it is. Where a non-positive power of zero counts as zero (see
`symconv.formulas.algebra.Power`), the rules hold for it too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, TypeAlias

from symconv.formulas.algebra import (
    ONE,
    ZERO,
    Absolute,
    Add,
    Bound,
    Bracket,
    Compare,
    Constant,
    Guard,
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
    product,
    scalar,
    summation,
)
from symconv.formulas.index import Index
from symconv.formulas.naming import free_names
from symconv.formulas.radicals import Radical, UndecidedNumberError, power
from symconv.formulas.substitution import rename_bounds
from symconv.formulas.terms import expand
from symconv.formulas.walks import walk
from symconv.proofs.context import Context
from symconv.proofs.rewriting import MOST_TERMS
from symconv.proofs.signs import has_member, is_nonnegative, is_positive

__all__ = ["Normal"]

Equal: TypeAlias = "Callable[[Node, Node, Context], bool]"

MOST_FACTORS = 4
"""A power above that is not written as a product."""


class Normal:
    """Normal forms under the conditions of a context.

    Attributes:
        rules: the names of the rules that were used, in the order of their first use.
        equal: shows that two sums are equal in a context.
    """

    def __init__(self, context: Context, equal: Equal, rules: dict[str, None] | None = None) -> None:
        self.context = context
        self.equal = equal
        self.rules: dict[str, None] = {} if rules is None else rules

    def form(self, node: Node) -> Node:
        """The normal form of a tree."""
        if isinstance(node, Named):
            return self.form(node.value)
        if isinstance(node, Scalar):
            return scalar(node.index)
        if isinstance(node, Add):
            return add(*(self.form(arg) for arg in node.args))
        if isinstance(node, Multiply):
            return self._product([self.form(arg) for arg in node.args])
        if isinstance(node, Power):
            return self._power(self.form(node.base), self.form(node.exponent))
        if isinstance(node, Absolute):
            return self._absolute(self.form(node.arg))
        if isinstance(node, Sign):
            return self._sign(self.form(node.arg))
        if isinstance(node, Compare):
            return Compare(self.form(node.left), node.relation, self.form(node.right))
        if isinstance(node, Share):
            reduce, inner = self._inside(node.reduce)
            body = inner.form(reduce.body)
            return Share(node.policy, Reduce(reduce.op, reduce.bounds, reduce.guards, body), node.at)
        if isinstance(node, Reduce):
            reduce, inner = self._inside(node)
            body = inner.form(reduce.body)
            if node.op == "min":
                return self._minimum(reduce.bounds, reduce.guards, body, inner)
            if node.op == "max":
                return self._maximum(reduce.bounds, reduce.guards, body, inner)
            return self._sum(reduce.bounds, reduce.guards, body)
        return node

    def _inside(self, reduce: Reduce) -> tuple[Reduce, Normal]:
        """A reduction whose bound names are not in use outside, and the forms of what stands in it."""
        reduce = rename_bounds(reduce, self.context.reserved)
        return reduce, Normal(self.context.inside(reduce.bounds, reduce.guards), self.equal, self.rules)

    def _used(self, rule: str, node: Node) -> Node:
        self.rules[rule] = None
        return node

    # ------------------------------------------------------------------ products

    def _product(self, args: Sequence[Node]) -> Node:
        """A product: ``|x|*|x| = x*x`` and ``sign(x)*|x| = x`` for real x; equal bases of powers together.

        ``x**r * x**s = x**(r+s)`` for x >= 0 and exponents r, s > 0, or for x > 0; roots of numbers are worked out.
        """
        whole = product(*args)
        factors = self._roots(list(whole.args) if isinstance(whole, Multiply) else [whole])
        position = 0
        while position < len(factors):
            for other in range(position + 1, len(factors)):
                joined = self._joined(factors[position], factors[other])
                if joined is not None:
                    del factors[other]
                    factors[position : position + 1] = joined
                    position = -1
                    break
            position += 1
        return product(*factors)

    def _joined(self, one: Node, two: Node) -> list[Node] | None:
        if isinstance(one, Absolute) and one == two:
            self.rules["|x||x| = x x"] = None
            return [one.arg, one.arg]
        for sign, size in ((one, two), (two, one)):
            if isinstance(sign, Sign) and isinstance(size, Absolute) and sign.arg == size.arg:
                self.rules["sign(x)|x| = x"] = None
                return [sign.arg]
        if not isinstance(one, Power) and not isinstance(two, Power):
            return None
        (base, first), (base2, second) = (
            (n.base, n.exponent) if isinstance(n, Power) else (n, ONE) for n in (one, two)
        )
        if isinstance(base, Constant):  # numbers have been worked out before
            return None
        if base != base2:
            return self._counts(one, two) or self._counts(two, one)
        positive = all(isinstance(e, Constant) and e.value > 0 for e in (first, second))
        whole = all(isinstance(e, Constant) and e.value.denominator == 1 for e in (first, second))
        if whole and isinstance(first, Constant) and isinstance(second, Constant):
            same_side = (first.value > 0) == (second.value > 0)
            if same_side and abs(first.value + second.value) <= MOST_FACTORS:
                return None  # written as a product on purpose
        if not is_positive(base, self.context) and not (positive and (whole or is_nonnegative(base, self.context))):
            return None
        self.rules["x^r x^s = x^(r+s)"] = None
        joined = self._power(base, self._sum_of(first, second))
        return list(joined.args) if isinstance(joined, Multiply) else [joined]

    def _counts(self, one: Node, two: Node) -> list[Node] | None:
        """``1/n * n' = 1`` for counts n = n' of which one is of something."""
        if not isinstance(one, Power) or one.exponent != const(-1) or not (_is_count(one.base) and _is_count(two)):
            return None
        if not is_positive(one.base, self.context) or not self.equal(one.base, two, self.context):
            return None
        self.rules["n/n = 1 for a count n >= 1"] = None
        return [ONE]

    def _sum_of(self, one: Node, two: Node) -> Node:
        if isinstance(one, Constant) and isinstance(two, Constant):
            return Constant(one.value + two.value)
        indices = [_index_of(node) for node in (one, two)]
        if indices[0] is not None and indices[1] is not None:
            return scalar(indices[0] + indices[1])
        return add(one, two)

    def _roots(self, factors: list[Node]) -> list[Node]:
        """The numbers and roots of positive numbers among factors as one number in its exact form."""
        roots = [f for f in factors if isinstance(f, Constant) or _is_root(f)]
        if not any(_is_root(f) for f in roots):
            return factors
        total: Any = Fraction(1)
        try:
            for root in roots:
                if isinstance(root, Constant):
                    total = total * root.value
                else:
                    assert isinstance(root, Power)
                    assert isinstance(root.base, Constant)
                    assert isinstance(root.exponent, Constant)
                    total = total * power(root.base.value, root.exponent.value)
        except UndecidedNumberError:
            return factors
        if isinstance(total, Radical) and len(total.terms) > 1:
            return factors
        worked_out = _number_nodes(total)
        if sorted(map(repr, worked_out)) != sorted(map(repr, roots)):
            self.rules["roots of numbers"] = None
        return [*worked_out, *(f for f in factors if f not in roots)]

    # ------------------------------------------------------------------ powers

    def _power(self, base: Node, exponent: Node) -> Node:
        """A power of numbers worked out; of a product taken apart; of a power joined; a whole one written as a product.

        ``(x y)**n = x**n y**n`` for a whole n, or for a factor that is >= 0; ``(x**r)**n = x**(r n)`` for whole r and n
        other than 0, or for x >= 0 and r other than 0.
        """
        if exponent in (ZERO, ONE):
            return base if exponent == ONE else ONE
        if isinstance(base, Constant) and isinstance(exponent, Constant):
            return self._number(base.value, exponent.value)
        whole = isinstance(exponent, Constant) and exponent.value.denominator == 1
        if isinstance(base, Multiply):
            factors = list(base.args) if whole else _pairs_as_sizes(base.args)
            outside = [f for f in factors if whole or is_positive(f, self.context)]
            rest = [f for f in factors if f not in outside]
            if all(is_nonnegative(f, self.context) for f in rest):
                outside, rest = factors, []
            if outside:
                powers = [self._power(f, exponent) for f in outside]
                return self._used(
                    "(x y)^n = x^n y^n",
                    self._product([*powers, *([self._power(product(*rest), exponent)] if rest else [])]),
                )
        if isinstance(base, Power):
            inner = base.exponent
            both_whole = whole and isinstance(inner, Constant) and inner.value.denominator == 1 and inner != ZERO
            if both_whole or (self._not_zero(inner) and is_nonnegative(base.base, self.context)):
                return self._used("(x^r)^n = x^(r n)", self._power(base.base, self._product([inner, exponent])))
        if isinstance(exponent, Constant) and whole and exponent.value != -1:
            return self._as_product(base, int(exponent.value))
        return Power(base, exponent)

    def _not_zero(self, exponent: Node) -> bool:
        if isinstance(exponent, Constant):
            return exponent.value != 0
        return is_positive(exponent, self.context)

    def _as_product(self, base: Node, times: int) -> Node:
        """``x**n`` as a product of n factors x, and ``x**-n`` as one of n factors 1/x, for a small whole n."""
        count = len(expand(base, self.context.effort))
        if abs(times) > MOST_FACTORS or (times > 0 and count ** abs(times) > MOST_TERMS):
            if times % 2 == 0 and isinstance(base, Absolute):
                return self._used("|x|^n = x^n for an even n", Power(base.arg, const(times)))
            return Power(base, const(times))
        one = base if times > 0 else Power(base, const(-1))
        return self._used("x^n as a product", self._product([one] * abs(times)))

    def _number(self, base: Fraction, exponent: Fraction) -> Node:
        if exponent.denominator == 1 and abs(exponent) <= 64:
            if base == 0:
                return ONE if exponent == 0 else ZERO
            return Constant(base**exponent.numerator)
        if base <= 0:
            return Power(Constant(base), Constant(exponent))
        return self._product([Power(Constant(base), Constant(exponent))])

    # ------------------------------------------------------------------ absolute values

    def _absolute(self, arg: Node) -> Node:
        """``|x y| = |x||y|``, ``|x| = x`` for x >= 0, and ``|-x| = |x|``."""
        if isinstance(arg, Multiply):
            return self._used("|x y| = |x||y|", self._product([self._absolute(factor) for factor in arg.args]))
        if isinstance(arg, Constant):
            return Constant(abs(arg.value))
        if is_nonnegative(arg, self.context):
            return self._used("|x| = x for x >= 0", arg)
        if isinstance(arg, Sign):
            return Absolute(arg)
        if isinstance(arg, Power) and isinstance(arg.exponent, Constant) and arg.exponent.value.denominator == 1:
            return self._power(self._absolute(arg.base), arg.exponent)
        return Absolute(_turned(arg)[0])

    def _sign(self, arg: Node) -> Node:
        """``sign(x y) = sign(x) sign(y)``, ``sign(-x) = -sign(x)``, and ``sign(x) = 1`` for x > 0."""
        if isinstance(arg, Multiply):
            return self._used("sign(x y) = sign(x) sign(y)", self._product([self._sign(f) for f in arg.args]))
        if isinstance(arg, Constant):
            return const((arg.value > 0) - (arg.value < 0))
        if is_positive(arg, self.context):
            return ONE
        turned, sign = _turned(arg)
        return product(const(sign), Sign(turned))

    # ------------------------------------------------------------------ reductions

    def _sum(self, bounds: tuple[Bound, ...], guards: tuple[Guard, ...], body: Node) -> Node:
        """A sum: what does not depend on its indices stands before it."""
        own = {bound.name for bound in bounds}
        factors = body.args if isinstance(body, Multiply) else (body,)
        outside = [f for f in factors if not free_names(f) & own and f != ONE]
        kept = [f for f in factors if free_names(f) & own]
        whole = summation(product(*kept), *bounds, guards=guards)
        return self._product([*outside, whole])

    def _maximum(self, bounds: tuple[Bound, ...], guards: tuple[Guard, ...], body: Node, inner: Normal) -> Node:
        """A maximum: a factor and a summand that are the same for all its taps stand outside.

        ``max(k x) = k max(x)`` for k > 0 and ``max(x + t) = max(x) + t``, for an empty window too, where both sides
        are minus infinity. ``max([G] x) = max(x, where G holds)`` for x >= 0 where G holds at one tap, and
        ``max(t) = t`` for what is the same for all taps, where there is one.
        """
        own = {bound.name for bound in bounds}
        if not free_names(body) & own and self._occupied(bounds, guards):
            return self._used("max(t) = t", body)
        if isinstance(body, Add):
            outside = [f for f in body.args if not free_names(f) & own and not _has_extremum(f)]
            kept = [f for f in body.args if f not in outside]
            if outside and kept:
                rest = self._maximum(bounds, guards, add(*kept), inner)
                return self._used("max(x + t) = max(x) + t", add(rest, *outside))
        if isinstance(body, Multiply):
            outside = [f for f in body.args if not free_names(f) & own and is_positive(f, self.context)]
            kept = [f for f in body.args if f not in outside]
            if outside and kept:
                rest = self._maximum(bounds, guards, product(*kept), inner)
                return self._used("max(k x) = k max(x) for k > 0", self._product([*outside, rest]))
            brackets = [f for f in body.args if isinstance(f, Bracket)]
            others = [f for f in body.args if not isinstance(f, Bracket)]
            conditions = tuple(dict.fromkeys((*guards, *(guard for b in brackets for guard in b.guards))))
            if brackets and is_nonnegative(product(*others), inner.context) and self._occupied(bounds, conditions):
                whole = self._maximum(bounds, conditions, product(*others), inner)
                return self._used("max([G] x) = max(x where G) for x >= 0", whole)
        return Reduce("max", bounds, guards, body)

    def _minimum(self, bounds: tuple[Bound, ...], guards: tuple[Guard, ...], body: Node, inner: Normal) -> Node:
        """A minimum: ``min(k x) = k min(x)`` for k > 0 and ``min(x + t) = min(x) + t``, for an empty window too."""
        own = {bound.name for bound in bounds}
        kind = type(body)
        if isinstance(body, Add | Multiply):
            alone = [f for f in body.args if not free_names(f) & own]
            outside = [f for f in alone if not _has_extremum(f) and (kind is Add or is_positive(f, self.context))]
            kept = [f for f in body.args if f not in outside]
            if outside and kept:
                joined = add if kind is Add else product
                rest = self._minimum(bounds, guards, joined(*kept), inner)
                return self._used("min(k x + t) = k min(x) + t for k > 0", joined(rest, *outside))
        return Reduce("min", bounds, guards, body)

    def _occupied(self, bounds: tuple[Bound, ...], guards: tuple[Guard, ...]) -> bool:
        return has_member(bounds, guards, self.context)


def _index_of(node: Node) -> Index | None:
    """The index expression that a value is, if it is one."""
    if isinstance(node, Scalar):
        return node.index
    whole = isinstance(node, Constant) and node.value.denominator == 1
    return Index.of(node.value.numerator) if isinstance(node, Constant) and whole else None


def _is_count(node: Node) -> bool:
    return isinstance(node, Reduce) and node.op == "sum" and isinstance(node.body, Constant)


def _is_root(node: Node) -> bool:
    return (
        isinstance(node, Power)
        and isinstance(node.base, Constant)
        and node.base.value > 0
        and isinstance(node.exponent, Constant)
        and node.exponent.value.denominator != 1
    )


def _number_nodes(value: Fraction | Radical) -> list[Node]:
    """The factors of an exact number of one term."""
    if isinstance(value, Fraction):
        return [Constant(value)]
    ((key, coefficient),) = value.terms
    roots: list[Node] = []
    for base, exponent in key:
        assert isinstance(base, int)
        roots.append(Power(const(base), Constant(exponent)))
    return [Constant(coefficient), *roots]


def _pairs_as_sizes(factors: Sequence[Node]) -> list[Node]:
    """The factors of a product, with |x||x| for x x."""
    found: list[Node] = []
    for factor in dict.fromkeys(factors):
        times = factors.count(factor)
        found += [Absolute(factor)] * (times - times % 2) + [factor] * (times % 2)
    return found


def _turned(node: Node) -> tuple[Node, int]:
    """A sum up to its sign, with no minus before the summand that comes first, and that sign."""
    if not isinstance(node, Add):
        return node, 1
    parts = [_with_number(arg) for arg in node.args]
    first = min(range(len(parts)), key=lambda k: repr(parts[k][1]))
    if parts[first][0] > 0:
        return node, 1
    return add(*(product(const(-1), arg) for arg in node.args)), -1


def _with_number(node: Node) -> tuple[Fraction, Node]:
    if isinstance(node, Constant):
        return node.value, ONE
    if isinstance(node, Multiply) and isinstance(node.args[0], Constant):
        return node.args[0].value, product(*node.args[1:])
    return Fraction(1), node


def _has_extremum(node: Node) -> bool:
    """Whether a maximum or a minimum, which may be infinite, takes part in a value."""
    return any(isinstance(n, Reduce) and n.op != "sum" for n in walk(node))
