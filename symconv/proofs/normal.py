"""A tree written in the one way that products, powers, absolute values and maxima are matched in.

Every rule is an identity of values wherever the tree has a value, and states its side condition; a condition on sizes
or indices goes to the solver, and a rule whose condition is not shown is left alone. So two trees with equal normal
forms are equal; what has a form of its own is left as it is. Where a non-positive power of zero counts as zero (see
`symconv.formulas.algebra.Power`), the rules hold for it too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import combinations
from typing import TypeAlias, TypeVar

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
    product,
    scalar,
    summation,
)
from symconv.formulas.naming import free_names
from symconv.formulas.radicals import UndecidedNumberError
from symconv.formulas.substitution import rename_bounds
from symconv.formulas.terms import expand, rebuild
from symconv.formulas.walker import case
from symconv.proofs.context import Context
from symconv.proofs.elementary import applied
from symconv.proofs.exponents import Exponent, number_power
from symconv.proofs.factors import has_extremum, is_count, pairs_as_sizes, turned, with_number
from symconv.proofs.numbers import number_of, split, written
from symconv.proofs.pairs import multiplied, summed
from symconv.proofs.rewriting import MOST_TERMS, without_single_taps
from symconv.proofs.signs import has_member, is_nonnegative, is_nonzero, is_positive

__all__ = ["Normal"]

Found = TypeVar("Found")
Equal: TypeAlias = "Callable[[Node, Node, Context], bool]"

MOST_FACTORS = 4
"""A power above that is not written as a product."""


class Normal(FormulaWalker[Node]):
    """Normal forms under the conditions of a context.

    Attributes:
        rules: the names of the rules that were used, in the order of their first use.
        equal: shows that two sums are equal in a context.
    """

    def __init__(self, context: Context, equal: Equal, rules: dict[str, None] | None = None) -> None:
        self.context = context
        self.equal = equal
        self.rules: dict[str, None] = {} if rules is None else rules

    def visit(self, node: Node) -> Node:
        number = number_of(node)
        if number is None:
            return super().visit(node)
        exact = written(number)
        return exact if exact == node or isinstance(number, Fraction) else self.used("roots of numbers", exact)

    @case(Constant, Access, Bracket)
    def _as_it_is(self, node: Constant | Access | Bracket) -> Node:
        return node

    @case(Named)
    def _value(self, node: Named) -> Node:
        return self.visit(node.value)

    @case(Scalar)
    def _number_or_size(self, node: Scalar) -> Node:
        return scalar(node.index)

    @case(Plus)
    def _added(self, node: Plus) -> Node:
        return self._summands(add(*(self.visit(arg) for arg in node.args)))

    def _written(self, node: Node) -> Node:
        """The normal form of a value in which a condition may have become true or false."""
        return self.visit(rebuild(expand(node, self.context.effort)))

    def _summands(self, whole: Node) -> Node:
        """A sum of normal forms, with two summands that say more together in one."""
        args = list(whole.args) if isinstance(whole, Plus) else []
        for one, two in combinations(range(len(args)), 2):
            found = summed(args[one], args[two], self._written)
            if found is not None:
                others = [arg for place, arg in enumerate(args) if place not in (one, two)]
                return self.used(found[0], self._summands(add(*others, *found[1])))
        return whole

    @case(Multiply)
    def _multiplied(self, node: Multiply) -> Node:
        return self.product([self.visit(arg) for arg in node.args])

    @case(Power)
    def _raised(self, node: Power) -> Node:
        return self.power(self.visit(node.base), self.exponent(self.visit(node.exponent)))

    @case(Absolute)
    def _size(self, node: Absolute) -> Node:
        return _AbsoluteOf(self).visit(self.visit(node.arg))

    @case(Sign)
    def _side(self, node: Sign) -> Node:
        return self._sign(self.visit(node.arg))

    @case(Applied)
    def _applied(self, node: Applied) -> Node:
        return applied(self, node.function, self.visit(node.arg))

    @case(Compare)
    def _compared(self, node: Compare) -> Node:
        return Compare(self.visit(node.left), node.relation, self.visit(node.right))

    @case(Share)
    def _shared(self, node: Share) -> Node:
        reduce, inner = self._inside(node.reduce)
        body = inner.visit(reduce.body)
        return Share(node.policy, Reduce(reduce.op, reduce.bounds, reduce.guards, body), node.at)

    @case(Reduce)
    def _reduced(self, node: Reduce) -> Node:
        alone = without_single_taps(node) if node.op != "sum" else node
        if alone != node:
            return self.used(f"{node.op} over one tap", self.visit(alone))
        reduce, inner = self._inside(node)
        body = inner.visit(reduce.body)
        if node.op != "sum":
            return self._extremum(replace(reduce, body=body), inner)
        return self._sum(reduce.bounds, reduce.guards, body)

    def _inside(self, reduce: Reduce) -> tuple[Reduce, Normal]:
        """A reduction whose bound names are not in use outside, and the forms of what stands in it."""
        reduce = rename_bounds(reduce, self.context.reserved)
        return reduce, Normal(self.context.inside(reduce.bounds, reduce.guards), self.equal, self.rules)

    def used(self, rule: str, node: Found) -> Found:
        self.rules[rule] = None
        return node

    # ------------------------------------------------------------------ products

    def product(self, args: Sequence[Node]) -> Node:
        """A product: ``|x|*|x| = x*x``, ``sign(x)*|x| = x`` and ``sign(x)*x = |x|``; equal bases of powers together.

        Roots of numbers are worked out.
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
        many = [factor for factor in dict.fromkeys(factors) if factors.count(factor) > MOST_FACTORS]
        powers = [self.power(factor, const(factors.count(factor))) for factor in many]
        return product(*(factor for factor in factors if factor not in many), *powers)

    def _joined(self, one: Node, two: Node) -> list[Node] | None:
        if isinstance(one, Absolute) and one == two:
            self.rules["|x||x| = x x"] = None
            return [one.arg, one.arg]
        for sign, size in ((one, two), (two, one)):
            if isinstance(sign, Sign) and isinstance(size, Absolute) and sign.arg == size.arg:
                self.rules["sign(x)|x| = x"] = None
                return [sign.arg]
            if isinstance(sign, Sign) and sign.arg == size:
                self.rules["sign(x) x = |x|"] = None
                return [_AbsoluteOf(self).visit(size)]
        if not isinstance(one, Power) and not isinstance(two, Power):
            found = multiplied(one, two, self._written)
            return None if found is None else self.used(found[0], found[1])
        (base, first), (base2, second) = (
            (n.base, n.exponent) if isinstance(n, Power) else (n, ONE) for n in (one, two)
        )
        if base != base2 and not self._same_function(base, base2):
            return self._counts(one, two) or self._counts(two, one)
        numbers = [e.value for e in (first, second) if isinstance(e, Constant)]
        if isinstance(base, Constant) and numbers:  # it has been worked out before
            return None
        if len(numbers) == 2 and all(number.denominator == 1 for number in numbers):
            same_side = (numbers[0] > 0) == (numbers[1] > 0)
            if same_side and abs(numbers[0] + numbers[1]) <= MOST_FACTORS:
                return None  # written as a product on purpose
        if not self._joins(base, first, second):
            return None
        self.rules["x^r x^s = x^(r+s)"] = None
        joined = self.power(base, self.exponent(add(first, second)))
        return list(joined.args) if isinstance(joined, Multiply) else [joined]

    def _joins(self, base: Node, first: Node, second: Node) -> bool:
        """Whether ``x**r * x**s = x**(r+s)``: for x > 0, and for whole r and s where x is not 0.

        At x = 0 both sides are 0 where r + s > 0 and one of r and s is.
        """
        if is_positive(base, self.context):
            return True
        whole = self.is_whole(first) and self.is_whole(second)
        if whole and is_nonzero(base, self.context):
            return True
        if not whole and not is_nonnegative(base, self.context):
            return False
        return any(is_positive(e, self.context) for e in (first, second)) and is_positive(
            self.exponent(add(first, second)), self.context
        )

    def _same_function(self, one: Node, two: Node) -> bool:
        """Whether two values of one function are shown equal: a maximum in them may have other letters for its taps."""
        alike = isinstance(one, Applied) and isinstance(two, Applied) and one.function is two.function
        return alike and self.equal(one, two, self.context)

    def _counts(self, one: Node, two: Node) -> list[Node] | None:
        """``1/n * n' = 1`` for counts n = n' of which one is of something."""
        if not isinstance(one, Power) or one.exponent != const(-1) or not (is_count(one.base) and is_count(two)):
            return None
        if not is_positive(one.base, self.context) or not self.equal(one.base, two, self.context):
            return None
        self.rules["n/n = 1 for a count n >= 1"] = None
        return [ONE]

    def _roots(self, factors: list[Node]) -> list[Node]:
        """The numbers among factors as one number in its exact form."""
        if all(isinstance(f, Constant) or number_of(f) is None for f in factors):
            return factors
        try:
            number, others = split(factors)
        except UndecidedNumberError:
            return factors
        whole = written(number)
        worked_out = list(whole.args) if isinstance(whole, Multiply) else [whole]
        if sorted(map(repr, [*worked_out, *others])) != sorted(map(repr, factors)):
            self.rules["roots of numbers"] = None
        return [*worked_out, *others]

    def exponent(self, node: Node) -> Node:
        """The normal form of an exponent."""
        found = Exponent.of(node)
        return node if found is None else found.node

    def is_whole(self, exponent: Node) -> bool:
        """Whether an exponent is known to be an integer."""
        found = Exponent.of(exponent)
        return found is not None and found.over == 1 and not found.index.names & self.context.reals

    def power(self, base: Node, exponent: Node) -> Node:
        """The normal form of a power of two normal forms."""
        if exponent in (ZERO, ONE):
            return base if exponent == ONE else ONE
        number = number_of(Power(base, exponent))
        return _PowerOf(self, exponent).visit(base) if number is None else written(number)

    # ------------------------------------------------------------------ signs

    def _sign(self, arg: Node) -> Node:
        """``sign(x y) = sign(x) sign(y)``, ``sign(-x) = -sign(x)``, and ``sign(x) = 1`` for x > 0."""
        if isinstance(arg, Multiply):
            return self.used("sign(x y) = sign(x) sign(y)", self.product([self._sign(f) for f in arg.args]))
        if isinstance(arg, Constant):
            return const((arg.value > 0) - (arg.value < 0))
        if is_positive(arg, self.context):
            return ONE
        rest, sign = turned(arg)
        return product(const(sign), Sign(rest))

    # ------------------------------------------------------------------ reductions

    def _sum(self, bounds: tuple[Bound, ...], guards: tuple[Guard, ...], body: Node) -> Node:
        """A sum: what does not depend on its indices stands before it."""
        own = {bound.name for bound in bounds}
        factors = body.args if isinstance(body, Multiply) else (body,)
        outside = [f for f in factors if not free_names(f) & own and f != ONE]
        kept = [f for f in factors if free_names(f) & own]
        whole = summation(product(*kept), *bounds, guards=guards)
        return self.product([*outside, whole])

    def _extremum(self, whole: Reduce, inner: Normal) -> Node:
        """A maximum or minimum: a factor and a summand that are the same for all its taps stand outside.

        ``max(k x) = k max(x)`` for k > 0 and ``max(x + t) = max(x) + t``, for an empty window too, where both sides
        are minus infinity; ``max(t) = t`` for what is the same for all taps, where there is one. The same of minima.
        """
        op, body = whole.op, whole.body
        own = {bound.name for bound in whole.bounds}
        if not free_names(body) & own and self._occupied(whole.bounds, whole.guards):
            return self.used(f"{op}(t) = t", body)
        alone = [
            f
            for f in (body.args if isinstance(body, Plus | Multiply) else ())
            if not free_names(f) & own and not has_extremum(f)
        ]
        if isinstance(body, Plus):
            kept = [f for f in body.args if f not in alone]
            if alone and kept:
                rest = self._extremum(replace(whole, body=add(*kept)), inner)
                return self.used(f"{op}(x + t) = {op}(x) + t", add(rest, *alone))
        if isinstance(body, Multiply):
            outside = [f for f in alone if is_positive(f, self.context)]
            kept = [f for f in body.args if f not in outside]
            if outside and kept:
                rest = self._extremum(replace(whole, body=product(*kept)), inner)
                return self.used(f"{op}(k x) = k {op}(x) for k > 0", self.product([*outside, rest]))
        return self._under_conditions(whole, inner) or self._without_minus(whole, inner)

    def _under_conditions(self, whole: Reduce, inner: Normal) -> Node | None:
        """``max([G] x) = max(x, where G holds)`` for x >= 0 where G holds at one tap."""
        factors = whole.body.args if isinstance(whole.body, Multiply) else ()
        brackets = [f for f in factors if isinstance(f, Bracket)]
        if whole.op != "max" or not brackets:
            return None
        others = product(*(f for f in factors if f not in brackets))
        conditions = tuple(dict.fromkeys((*whole.guards, *(guard for b in brackets for guard in b.guards))))
        if not (is_nonnegative(others, inner.context) and self._occupied(whole.bounds, conditions)):
            return None
        rest = self._extremum(replace(whole, guards=conditions, body=others), inner)
        return self.used("max([G] x) = max(x where G) for x >= 0", rest)

    def _without_minus(self, whole: Reduce, inner: Normal) -> Node:
        """``max(-x) = -min(x)``, for an empty window too; no sum in it has a minus before what comes first."""
        body, sign = turned(whole.body)
        if sign == 1 and with_number(body)[0] > 0:
            return whole
        body = product(const(-1), whole.body) if sign == 1 else body
        other = self._extremum(replace(whole, op="min" if whole.op == "max" else "max", body=body), inner)
        return self.used("max(-x) = -min(x)", product(const(-1), other))

    def _occupied(self, bounds: tuple[Bound, ...], guards: tuple[Guard, ...]) -> bool:
        return has_member(bounds, guards, self.context)


class _PowerOf(FormulaWalker[Node]):
    """The power with an exponent, other than 0 and 1, of a normal form: by what the base is."""

    def __init__(self, normal: Normal, exponent: Node) -> None:
        self.normal, self.exponent = normal, exponent
        self.context = normal.context
        self.number = exponent.value if isinstance(exponent, Constant) and exponent.value.denominator == 1 else None
        self.whole = normal.is_whole(exponent)

    @case(Constant)
    def _of_number(self, base: Constant) -> Node:
        """``0**r = 0`` for r > 0; a size in the exponent stands above -1 and primes alone."""
        exponent = Exponent.of(self.exponent)
        if base == ONE or (base == ZERO and is_positive(self.exponent, self.context)):
            return self.normal.used("1^r = 1 and 0^r = 0 for r > 0", base)
        if base == ZERO or exponent is None or exponent.index.value is not None or not (self.whole or base.value > 0):
            return self._other(base)
        worked_out = self.normal.product(number_power(base.value, exponent))
        same = worked_out == Power(base, self.exponent)
        return worked_out if same else self.normal.used("powers of numbers", worked_out)

    @case(Scalar, Access, Plus, Absolute, Sign, Applied, Bracket, Compare, Reduce, Share, Named)
    def _other(self, base: Node) -> Node:
        """A whole power as a product; a reciprocal, and a root, as it is."""
        if self.number is not None and self.number != -1:
            return self._as_product(base, int(self.number))
        return Power(base, self.exponent)

    @case(Multiply)
    def _of_product(self, base: Multiply) -> Node:
        """``(x y)**n = x**n y**n`` for a whole n, or for a factor that is >= 0."""
        factors = list(base.args) if self.whole else pairs_as_sizes(base.args)
        outside = [f for f in factors if self.whole or is_positive(f, self.context)]
        rest = [f for f in factors if f not in outside]
        if all(is_nonnegative(f, self.context) for f in rest):
            outside, rest = factors, []
        if not outside:
            return self._other(base)
        powers = [self.normal.power(f, self.exponent) for f in outside]
        left = [self.normal.power(product(*rest), self.exponent)] if rest else []
        return self.normal.used("(x y)^n = x^n y^n", self.normal.product([*powers, *left]))

    @case(Power)
    def _of_power(self, base: Power) -> Node:
        """``(x**r)**n = x**(r n)`` for whole r and n other than 0, or for x >= 0 and r other than 0."""
        inner = base.exponent
        whole = self.whole and self.normal.is_whole(inner)
        if self._not_zero(inner) and (whole or is_nonnegative(base.base, self.context)):
            joined = self.normal.power(base.base, self.normal.exponent(self.normal.product([inner, self.exponent])))
            return self.normal.used("(x^r)^n = x^(r n)", joined)
        return self._other(base)

    def _not_zero(self, exponent: Node) -> bool:
        if isinstance(exponent, Constant):
            return exponent.value != 0
        return is_positive(exponent, self.context)

    def _as_product(self, base: Node, times: int) -> Node:
        """``x**n`` as a product of n factors x, and ``x**-n`` as one of n factors 1/x, for a small whole n."""
        count = len(expand(base, self.context.effort))
        if abs(times) > MOST_FACTORS or (times > 0 and count ** abs(times) > MOST_TERMS):
            if times % 2 == 0 and isinstance(base, Absolute):
                return self.normal.used("|x|^n = x^n for an even n", Power(base.arg, const(times)))
            return Power(base, const(times))
        one = base if times > 0 else Power(base, const(-1))
        return self.normal.used("x^n as a product", self.normal.product([one] * abs(times)))


class _AbsoluteOf(FormulaWalker[Node]):
    """The absolute value of a normal form: by what it is of."""

    def __init__(self, normal: Normal) -> None:
        self.normal = normal

    def _known(self, arg: Node) -> Node | None:
        """``|x| = x`` for x >= 0."""
        return self.normal.used("|x| = x for x >= 0", arg) if is_nonnegative(arg, self.normal.context) else None

    @case(Scalar, Access, Plus, Absolute, Sign, Applied, Bracket, Compare, Reduce, Share, Named)
    def _other(self, arg: Node) -> Node:
        """``|-x| = |x|``."""
        return self._known(arg) or Absolute(turned(arg)[0])

    @case(Constant)
    def _of_number(self, arg: Constant) -> Node:
        return Constant(abs(arg.value))

    @case(Multiply)
    def _of_product(self, arg: Multiply) -> Node:
        """``|x y| = |x||y|``."""
        return self.normal.used("|x y| = |x||y|", self.normal.product([self.visit(factor) for factor in arg.args]))

    @case(Power)
    def _of_power(self, arg: Power) -> Node:
        """``|x**n| = |x|**n`` for a whole n."""
        known = self._known(arg)
        if known is None and isinstance(arg.exponent, Constant) and arg.exponent.value.denominator == 1:
            return self.normal.power(self.visit(arg.base), arg.exponent)
        return known or Absolute(arg)
