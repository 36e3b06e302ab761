"""What is known of the sign of a value, from how it is built and from what holds of its sizes and indices.

Everything that decides a sign asks here: the rules of `symconv.proofs.normal`, and `is_met`, whether something has a
value at all. Where the conditions are asked about is a `Place`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice
from typing import Protocol

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
    const,
    nonnegative,
    product,
)
from symconv.formulas.functions import POSITIVE_PART, SIGMOID, STEP, TANH
from symconv.formulas.index import Index, ceiling, floor, maximum, minimum
from symconv.formulas.radicals import UndecidedNumberError
from symconv.formulas.substitution import rename_bounds
from symconv.formulas.walker import case
from symconv.proofs.exponents import Exponent
from symconv.proofs.factors import with_number
from symconv.proofs.goals import follows
from symconv.proofs.needs import Inside, Member, Need, known_on
from symconv.proofs.numbers import NumberLike, number_of
from symconv.proofs.smt import Solver

__all__ = ["Place", "has_member", "has_power", "is_met", "is_nonnegative", "is_nonzero", "is_positive"]

MOST_POINTS = 24  # of a window that are tried

_KEEPING = (POSITIVE_PART, STEP, TANH)
"""Functions whose values are positive where their arguments are, and not negative where these are not."""


class Place(Protocol):
    """A place in a tree, by what holds there: a `symconv.proofs.context.Context`, or a list of conditions."""

    @property
    def reals(self) -> frozenset[str]:
        """Names that are real numbers."""
        ...

    @property
    def reserved(self) -> frozenset[str]:
        """Names that mean something here: no reduction may bind one of them."""
        ...

    def holds(self, name: str, goals: Sequence[Guard]) -> bool:
        """Whether conditions on indices are shown to follow; `name` says what they say."""
        ...

    def is_filled(self, bounds: Sequence[Bound], guards: Sequence[Guard]) -> bool:
        """Whether it is given that a window holds something."""
        ...

    def inside(self, bounds: Sequence[Bound], guards: Sequence[Guard]) -> Place:
        """The place inside a reduction whose bound names are not in use outside."""
        ...


# ---------------------------------------------------------------------- signs


@dataclass(frozen=True)
class _Predicate(FormulaWalker[bool]):
    """What is known of a value at a place; False says nothing."""

    place: Place

    def visit(self, node: Node) -> bool:
        number = None if isinstance(node, Constant) else number_of(node)
        if number is None:
            return super().visit(node)
        try:
            return self.number(number)
        except UndecidedNumberError:
            return False

    def number(self, value: NumberLike) -> bool:
        """What is known of a number."""
        raise NotImplementedError

    def _within(self, node: Reduce) -> bool:
        """Whether it is known of every value that a reduction is made of."""
        return replace(self, place=self.place.inside(node.bounds, node.guards)).visit(node.body)

    def _holds(self, index: Index) -> bool:
        if index.value is not None:
            return index.value >= 0
        return self.place.holds(f"{index!r} >= 0", [nonnegative(index)])


def _from_below(node: Plus) -> Sequence[Node]:
    """The summands of a sum, with ``k σ(-x) - k`` for ``-k σ(x)``, which has a lower bound then."""
    number, others = Fraction(0), []
    for arg in node.args:
        own, rest = with_number(arg)
        if own < 0 and isinstance(rest, Applied) and rest.function is SIGMOID:
            number += own
            others.append(product(const(-own), Applied(SIGMOID, product(const(-1), rest.arg))))
        elif rest == ONE:
            number += own
        else:
            others.append(arg)
    return (const(number), *others)


class _Nonnegative(_Predicate):
    """Whether a value is known to be >= 0, wherever it has one; a maximum of nothing is minus infinity."""

    def number(self, value: NumberLike) -> bool:
        return value >= 0

    @case(Constant)
    def _constant(self, node: Constant) -> bool:
        return self.number(node.value)

    @case(Scalar)
    def _scalar(self, node: Scalar) -> bool:
        return self._holds(node.index)

    @case(Named)
    def _named(self, node: Named) -> bool:
        return self.visit(node.value)

    @case(Access)
    def _entry(self, node: Access) -> bool:
        return False

    @case(Absolute, Bracket, Compare, Share)
    def _always(self, node: Node) -> bool:
        return True

    @case(Applied)
    def _apply(self, node: Applied) -> bool:
        function = node.function
        return function.image in ("nonnegative", "positive") or (function in _KEEPING and self.visit(node.arg))

    @case(Sign)
    def _sign(self, node: Sign) -> bool:
        return self.visit(node.arg)

    @case(Plus)
    def _add(self, node: Plus) -> bool:
        return all(map(self.visit, _from_below(node)))

    @case(Multiply)
    def _multiply(self, node: Multiply) -> bool:
        """What stands there twice is a square."""
        return all(times % 2 == 0 or self.visit(factor) for factor, times in Counter(node.args).items())

    @case(Power)
    def _power(self, node: Power) -> bool:
        even = isinstance(node.exponent, Constant) and node.exponent.value % 2 == 0
        return even or self.visit(node.base)

    @case(Reduce)
    def _reduce(self, node: Reduce) -> bool:
        node = rename_bounds(node, self.place.reserved)
        return self._within(node) and (node.op == "sum" or has_member(node.bounds, node.guards, self.place))


class _Positive(_Predicate):
    """Whether a value is known to be > 0, wherever it has one."""

    def number(self, value: NumberLike) -> bool:
        return value > 0

    @case(Constant)
    def _constant(self, node: Constant) -> bool:
        return self.number(node.value)

    @case(Scalar)
    def _scalar(self, node: Scalar) -> bool:
        return self._holds(node.index - 1)

    @case(Sign)
    def _sign(self, node: Sign) -> bool:
        return self.visit(node.arg)

    @case(Absolute)
    def _absolute(self, node: Absolute) -> bool:
        return is_nonzero(node.arg, self.place)

    @case(Applied)
    def _apply(self, node: Applied) -> bool:
        function = node.function
        return function.image == "positive" or (function in _KEEPING and self.visit(node.arg))

    @case(Bracket)
    def _bracket(self, node: Bracket) -> bool:
        return self.place.holds("a bracket is 1", node.guards)

    @case(Named)
    def _named(self, node: Named) -> bool:
        return self.visit(node.value)

    @case(Access, Compare, Share)
    def _never(self, node: Node) -> bool:
        return False

    @case(Plus)
    def _add(self, node: Plus) -> bool:
        return is_nonnegative(node, self.place) and any(map(self.visit, _from_below(node)))

    @case(Multiply)
    def _multiply(self, node: Multiply) -> bool:
        if all(map(self.visit, node.args)):
            return True
        return is_nonnegative(node, self.place) and is_nonzero(node, self.place)

    @case(Power)
    def _power(self, node: Power) -> bool:
        if self.visit(node.base):
            return True
        return is_nonnegative(node, self.place) and is_nonzero(node, self.place)

    @case(Reduce)
    def _reduce(self, node: Reduce) -> bool:
        node = rename_bounds(node, self.place.reserved)
        return self._within(node) and has_member(node.bounds, node.guards, self.place)


class _Nonzero(_Predicate):
    """Whether a value is known to be other than 0, wherever it has one."""

    def number(self, value: NumberLike) -> bool:
        return value != 0

    @case(Constant)
    def _constant(self, node: Constant) -> bool:
        return self.number(node.value)

    @case(Scalar)
    def _scalar(self, node: Scalar) -> bool:
        return self._holds(node.index - 1) or self._holds(-node.index - 1)

    @case(Multiply)
    def _multiply(self, node: Multiply) -> bool:
        return all(map(self.visit, node.args))

    @case(Absolute, Sign)
    def _one(self, node: Absolute | Sign) -> bool:
        return self.visit(node.arg)

    @case(Power)
    def _power(self, node: Power) -> bool:
        return self.visit(node.base) and has_power(node.base, node.exponent, self.place)

    @case(Named)
    def _named(self, node: Named) -> bool:
        return self.visit(node.value)

    @case(Access, Plus, Applied, Bracket, Compare, Share, Reduce)
    def _if_positive(self, node: Node) -> bool:
        return is_positive(node, self.place)


def is_nonnegative(node: Node, place: Place) -> bool:
    """Whether a value is known to be >= 0, wherever it has one."""
    return _Nonnegative(place).visit(node)


def is_positive(node: Node, place: Place) -> bool:
    """Whether a value is known to be > 0, wherever it has one."""
    return _Positive(place).visit(node)


def is_nonzero(node: Node, place: Place) -> bool:
    """Whether a value is known to be other than 0, wherever it has one."""
    return _Nonzero(place).visit(node)


# ---------------------------------------------------------------------- powers and windows


def has_power(base: Node, exponent: Node, place: Place) -> bool:
    """Whether a power is known to be a real number: 0 needs a positive exponent, what is negative an integer."""
    if isinstance(exponent, Constant):
        value = exponent.value
        if value.denominator == 1:
            return value >= 1 or is_nonzero(base, place)
        return is_nonnegative(base, place) if value > 0 else is_positive(base, place)
    if is_positive(base, place) or (is_nonnegative(base, place) and is_positive(exponent, place)):
        return True
    found = Exponent.of(exponent)
    whole = found is not None and found.over == 1 and not found.index.names & place.reals
    return whole and (is_positive(exponent, place) or is_nonzero(base, place))


def has_member(bounds: Sequence[Bound], guards: Sequence[Guard], place: Place) -> bool:
    """Whether a window is known to have a point: that is given, or one is guessed and its conditions are shown."""
    return place.is_filled(bounds, guards) or any(islice(_members(tuple(bounds), tuple(guards), place), MOST_POINTS))


def _members(bounds: tuple[Bound, ...], guards: tuple[Guard, ...], place: Place) -> Iterator[bool]:
    """For every guess whether it is a point; an index is at an end of its range or as far as a condition lets it go."""
    if not bounds:
        yield place.holds("the window has a point", guards)
        return
    bound, rest = bounds[0], bounds[1:]
    own = {b.name for b in rest}
    for end in _ends(bound, guards):
        env = {bound.name: end}
        settled = [guard.subs(env) for guard in (*bound.guards(), *guards)]
        here = [guard for guard in settled if not guard.names & own]
        if not place.holds("an index of the window has a value", here):
            yield False
            continue
        later = tuple(guard for guard in settled if guard.names & own)
        yield from _members(tuple(b.subs(env) for b in rest), later, place)


def _ends(bound: Bound, guards: Sequence[Guard]) -> Iterator[Index]:
    lows, highs = [bound.lower], [bound.upper]
    for guard in guards:
        split = guard.expr.linear_in(bound.name) if guard.kind in ("ge", "eq") else None
        steps = None if split is None else split[0].value
        if split is not None and steps:
            (lows if steps > 0 else highs).append(ceiling(-split[1], steps) if steps > 0 else floor(split[1], -steps))
    yield from dict.fromkeys((*lows, *highs, maximum(*lows), minimum(*highs)))


# ---------------------------------------------------------------------- needs


@dataclass(frozen=True)
class _Known:
    """A place by a list of what holds there."""

    known: tuple[Guard, ...]
    reals: frozenset[str]
    solver: Solver

    @property
    def reserved(self) -> frozenset[str]:
        return frozenset().union(*(guard.names for guard in self.known))

    def holds(self, name: str, goals: Sequence[Guard]) -> bool:
        return follows(self.known, goals, reals=self.reals, solver=self.solver)

    def is_filled(self, bounds: Sequence[Bound], guards: Sequence[Guard]) -> bool:
        return False

    def inside(self, bounds: Sequence[Bound], guards: Sequence[Guard]) -> _Known:
        (way,) = known_on((*bounds, *guards), self.known)
        return replace(self, known=tuple(way))


def is_met(need: Need, known: Sequence[Guard], reals: frozenset[str], solver: Solver) -> bool:
    """Whether it is shown that the demand of a need is met wherever its path leads.

    Args:
        need: the need.
        known: what holds of sizes and free indices.
        reals: names that are real numbers.
        solver: who decides.
    """
    for way in known_on(need.path, known):
        place = _Known(tuple(way), reals, solver)
        demand = need.demand
        if need.path and not isinstance(demand, Inside) and place.holds("never reached", [nonnegative(-1)]):
            continue
        if isinstance(demand, Inside):
            met = place.holds("the demand", demand.guards)
        elif isinstance(demand, Member):
            met = has_member(demand.bounds, demand.guards, place)
        else:
            met = has_power(demand.base, demand.exponent, place)
        if not met:
            return False
    return True
