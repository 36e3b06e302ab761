"""Terms of a sum in the form that bijections are looked for in: indices, one list of guards, accesses, factors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import gcd, prod

from symconv.formulas.algebra import (
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
    between,
    const,
)
from symconv.formulas.index import Index
from symconv.formulas.naming import names_in
from symconv.formulas.substitution import substitute
from symconv.formulas.terms import Term
from symconv.formulas.walker import case
from symconv.formulas.walks import Rewriter
from symconv.proofs.context import Context, NotShown, Quotients, fresh, has_quotient, rewrite_quotients

__all__ = ["Flat", "box_guards", "flatten", "kind_of", "range_guards", "share_guards", "vanishing_accesses"]


@dataclass(frozen=True)
class Flat:
    """``coefficient * outer * sum over names, where all guards hold, of weight/divisor * accesses * others``.

    Attributes:
        label: the term in words, for messages.
        coefficient: a rational number.
        outer: a factor that does not depend on the bound indices.
        weight: an integer factor that does; `divisor` divides, and may.
        accesses: the tensor entries; where one of them lies outside its box the term is zero.
        others: all other factors: powers, absolute values, maxima, shares.
        names: the bound indices: first those of the sum, then one for every quotient.
        ranges: the range of every bound index of the sum.
        guards: the domain: ranges, conditions, boxes and definitions of quotients, all without quotients.
        quotients: numerator and denominator of the quotient behind a name.
    """

    label: str
    coefficient: Fraction
    outer: Index
    weight: Index
    divisor: Index
    accesses: tuple[Access, ...]
    others: tuple[Node, ...]
    names: tuple[str, ...]
    ranges: tuple[tuple[str, Index, Index], ...]
    guards: tuple[Guard, ...]
    quotients: tuple[tuple[str, Index, Index], ...]

    @property
    def signature(self) -> tuple[str, ...]:
        """What must agree between equal terms: which tensors are read, which kinds of other factors there are."""
        kinds = [kind_of(other) for other in self.others]
        return (*sorted(access.tensor for access in self.accesses), *sorted(kinds))


def kind_of(factor: Node) -> str:
    """What factors must have in common to be equal as they stand: the kind of a node, and what it takes or applies."""
    detail = getattr(factor, "op", "") or getattr(factor, "function", "")
    return f"{type(factor).__name__} {detail}"


def range_guards(bounds: Sequence[Bound]) -> list[Guard]:
    """The guards that say that every bound index lies in its range."""
    return [guard for bound in bounds for guard in bound.guards()]


def box_guards(accesses: Sequence[Access], context: Context) -> list[Guard]:
    """The guards that say that every access lies in its tensor's box."""
    found: list[Guard] = []
    for access in accesses:
        for e, (low, high) in zip(access.index, context.boxes[access.tensor], strict=True):
            found += between(low, e, high)
    return found


def vanishing_accesses(others: Sequence[Node], context: Context) -> list[Access]:
    """The accesses x of factors such as |x|, sign(x) and |x|**p with p > 0, which are zero where x is.

    A bare real exponent is the order of a norm, which is at least 1.
    """
    vanishing = _Vanishing(context)
    return [access for other in others if (access := vanishing.visit(other)) is not None]


class _Vanishing(FormulaWalker[Access | None]):
    """The access that makes a factor zero where it is."""

    def __init__(self, context: Context) -> None:
        self.context = context

    @case(Access)
    def _access(self, node: Access) -> Access | None:
        return node

    @case(Absolute, Sign)
    def _one(self, node: Absolute | Sign) -> Access | None:
        return self.visit(node.arg)

    @case(Applied)
    def _apply(self, node: Applied) -> Access | None:
        return self.visit(node.arg) if node.function.vanishes_at_zero else None

    @case(Power)
    def _power(self, node: Power) -> Access | None:
        return self.visit(node.base) if _is_positive(node.exponent, self.context) else None

    @case(Constant, Scalar, Plus, Multiply, Bracket, Compare, Reduce, Share, Named)
    def _other(self, node: Node) -> Access | None:
        return None


def _is_positive(exponent: Node, context: Context) -> bool:
    if isinstance(exponent, Constant):
        return exponent.value > 0
    return isinstance(exponent, Scalar) and any(exponent.index == Index.of(name) for name in context.reals)


def share_guards(others: Sequence[Node]) -> list[Guard]:
    """The guards that say that every share belongs to a tap of its window; elsewhere it is zero."""
    found: list[Guard] = []
    for other in others:
        if isinstance(other, Share):
            env = dict(zip((bound.name for bound in other.reduce.bounds), other.at, strict=True))
            guards = [g.subs(env) for g in (*range_guards(other.reduce.bounds), *other.reduce.guards)]
            found += [g for g in guards if g.kind != "div" and not has_quotient(g.expr)]
    return found


def flatten(term: Term, context: Context, label: str, *, window: bool = False) -> Flat:
    """A term with names of its own and without quotients.

    Args:
        term: the term; its bound indices are renamed where their names are in use.
        context: what is known around it.
        label: the term in words.
        window: True for the window of a maximum, whose taps outside a tensor's box are zeros, not absent.

    Raises:
        NotShown: where a denominator is not known to be positive, or a quotient declared exact not known to be.
    """
    names = {bound.name: fresh(bound.name, context.taken) for bound in term.bounds}
    env = {name: Index.of(new) for name, new in names.items()}
    bounds = [Bound(names[b.name], b.lower.subs(env), b.upper.subs(env)) for b in term.bounds]
    factors = [substitute(factor, env) for factor in term.factors]
    conditions = [guard.subs(env) for guard in term.guards]
    local = Quotients(context.taken)
    own = {bound.name for bound in bounds}
    exact: list[Guard] = []

    def define(numerator: Index, denominator: Index, rounding: str) -> str:
        name = local.find(numerator, denominator, rounding)
        if name is None and (numerator.names | denominator.names) & own:
            name = local.define(numerator, denominator, rounding)
            own.add(name)
        elif name is None:
            name = context.quotients.define(numerator, denominator, rounding)
        if rounding == "exact":
            exact.append(Guard("eq", Index.of(name) * denominator - numerator))
        return name

    def flat(expr: Index) -> Index:
        return rewrite_quotients(expr, define)

    outer = Index.of(1)
    for bound in [] if window else _idle(bounds, conditions, factors):
        extent = flat(bound.upper - bound.lower + 1)
        mark = context.trace.mark()
        try:
            context.require(f"the range of {bound.name} has {extent!r} values", (Guard("ge", extent),))
        except NotShown:
            context.trace.rewind(mark)
        else:
            outer = outer * extent
            bounds.remove(bound)
    for guard in conditions:  # a quotient that is known to be exact is a bound index in its own right
        if guard.kind == "div":
            assert guard.divisor is not None
            own.add(local.define_exact(flat(guard.expr), flat(guard.divisor)))
    stated = [Guard(g.kind, flat(g.expr)) for g in (*range_guards(bounds), *conditions) if g.kind != "div"]
    ranges = tuple((bound.name, flat(bound.lower), flat(bound.upper)) for bound in bounds)
    parts = _Factors([], [], [], [])
    for factor in factors:
        parts.take(_Flattened(define).visit(factor), split=not window)
    context.check_quotients(local.denominators)
    stated += [g for defined in local.guards.values() for g in defined]
    domain = [guard for guard in dict.fromkeys(stated) if guard.truth is not True]
    for goal in dict.fromkeys(exact):
        context.require("an exact quotient is exact", (goal,), domain)
    for denominator in parts.common():
        mark = context.trace.mark()
        try:
            context.require(f"{denominator!r} >= 1, so that it cancels", (Guard("ge", denominator - 1),), domain)
        except NotShown:
            context.trace.rewind(mark)
        else:
            parts.cancel(denominator)
    vanishing = [] if window else vanishing_accesses(parts.others, context)
    zero_outside = [
        *box_guards([*parts.accesses, *vanishing], context),
        *([] if window else share_guards(parts.others)),
    ]
    domain += [guard for guard in zero_outside if guard.truth is not True]
    content, weight = _content(prod(parts.scalars, start=Index.of(1)))
    if not weight.names & own:
        outer, weight = outer * weight, Index.of(1)
    return Flat(
        label,
        term.coefficient * content,
        outer,
        weight,
        prod(parts.divisors, start=Index.of(1)),
        tuple(parts.accesses),
        tuple(parts.others),
        (*(bound.name for bound in bounds), *local.guards),
        ranges,
        tuple(dict.fromkeys(domain)),
        tuple((name, n, d) for (n, d, _), name in local.names.items()),
    )


def _idle(bounds: Sequence[Bound], conditions: Sequence[Guard], factors: Sequence[Node]) -> list[Bound]:
    """The bound indices that occur nowhere: such a sum is its extent times the rest."""
    used = frozenset().union(
        *(names_in(factor) for factor in factors),
        *(guard.names for guard in conditions),
        *(bound.lower.names | bound.upper.names for bound in bounds),
    )
    own = {bound.name for bound in bounds}
    return [b for b in bounds if b.name not in used and not (b.lower.names | b.upper.names) & own]


@dataclass
class _Factors:
    """The factors of a term by kind."""

    scalars: list[Index]
    divisors: list[Index]
    accesses: list[Access]
    others: list[Node]

    def common(self) -> list[Index]:
        """What stands above and below the line."""
        return [divisor for divisor in dict.fromkeys(self.divisors) if divisor in self.scalars]

    def cancel(self, factor: Index) -> None:
        """Leave out a factor that is not 0 above and below the line, as often as it stands in both."""
        while factor in self.scalars and factor in self.divisors:
            self.scalars.remove(factor)
            self.divisors.remove(factor)

    def take(self, factor: Node, *, split: bool) -> None:
        if split and isinstance(factor, Access):
            self.accesses.append(factor)
        elif split and isinstance(factor, Scalar):
            self.scalars.append(factor.index)
        elif split and (divisor := _divisor(factor)) is not None:
            self.divisors.append(divisor)
        else:
            self.others.append(factor)


def _divisor(factor: Node) -> Index | None:
    """What a reciprocal divides by."""
    if isinstance(factor, Power) and isinstance(factor.base, Scalar) and factor.exponent == const(-1):
        return factor.base.index
    return None


def _content(expr: Index) -> tuple[Fraction, Index]:
    """The largest integer that divides an index expression, and what is left; the sign goes with the integer."""
    whole = gcd(*expr.terms.values()) if expr.terms else 0
    if whole == 0:
        return Fraction(0), Index.of(1)
    first = min(expr.terms, key=lambda key: (-len(key), [str(atom) for atom in key]))
    if expr.terms[first] < 0:
        whole = -whole
    return Fraction(whole), Index({key: value // whole for key, value in expr.terms.items()})


class _Flattened(Rewriter):
    """A factor with variables for all quotients that do not depend on its own bound indices."""

    def __init__(self, define: Callable[[Index, Index, str], str], blocked: frozenset[str] = frozenset()) -> None:
        self.define, self.blocked = define, blocked

    def index(self, expr: Index) -> Index:
        return rewrite_quotients(expr, self.define, self.blocked)

    @case(Reduce)
    def reduce(self, node: Reduce) -> Node:
        deeper = _Flattened(self.define, self.blocked | {bound.name for bound in node.bounds})
        bounds = tuple(deeper.bound(b) for b in node.bounds)
        guards = tuple(deeper.guard(g) for g in node.guards)
        return Reduce(node.op, bounds, guards, deeper.visit(node.body))

    @case(Named)
    def named(self, node: Named) -> Node:
        return replace(node, value=self.visit(node.value))  # a name is only printed with its indices
