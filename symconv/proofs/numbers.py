"""Exact numbers in trees: values without a float, and trees in which no name stands, as the number that they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import inf
from typing import Any, TypeAlias

from symconv.formulas.algebra import Absolute, Applied, Constant, Multiply, Node, Plus, Power, Sign, add, const, product
from symconv.formulas.effort import Effort, OutOfEffort
from symconv.formulas.elementary import Elementary
from symconv.formulas.exact import Numbers, evaluate
from symconv.formulas.function import Function, TooLargeError, UndefinedError
from symconv.formulas.index import Index
from symconv.formulas.radicals import Base, Radical, UndecidedNumberError, power
from symconv.formulas.terms import Term, expand, rebuild
from symconv.formulas.walks import children

__all__ = [
    "ExactNumbers",
    "NoValueError",
    "NumberLike",
    "number_of",
    "numbers_joined",
    "split",
    "without_equals",
    "written",
]

VALUE = 16  # steps for one value in exact arithmetic
WINDOW = 1_000  # steps to list what a sum or a maximum runs over
ROOT = 600  # steps for a power that is no rational number
MOST = 50_000  # steps for a tree that is a number

NumberLike: TypeAlias = "Fraction | Radical"
Equal: TypeAlias = "Callable[[Node, Node], bool]"

_INFINITIES = (-inf, inf)
"""The maximum and the minimum of nothing."""


class NoValueError(Exception):
    """What has no value among the reals: a root of a negative number, a logarithm of 0, arithmetic with an infinity."""


@dataclass(frozen=True)
class ExactNumbers(Numbers):
    """Rational numbers, and roots of them in their exact form; every value is counted.

    The only floats are the infinities, the maximum and the minimum of nothing.
    """

    effort: Effort = field(default_factory=Effort)

    def number(self, value: Fraction) -> Any:
        self.effort.spend(VALUE)
        return super().number(value)

    def entry(self, tensor: str, index: tuple[int, ...]) -> Any:
        self.effort.spend(VALUE)
        return super().entry(tensor, index)

    def scalar(self, index: Index, env: Mapping[str, int]) -> Any:
        self.effort.spend(VALUE)
        return super().scalar(index, env)

    def add(self, values: list[Any]) -> Any:
        self.effort.spend(WINDOW + VALUE * len(values))
        found = {value for value in values if value in _INFINITIES}
        if len(found) > 1:
            raise NoValueError
        return found.pop() if found else super().add(values)

    def extremum(self, kind: str, values: list[Any]) -> Any:
        self.effort.spend(WINDOW + VALUE * len(values))
        empty = -inf if kind == "max" else inf
        return super().extremum(kind, [value for value in values if value != empty])

    def multiply(self, values: list[Any]) -> Any:
        if any(value in _INFINITIES for value in values):
            raise NoValueError
        return super().multiply(values)

    def function(self, function: Function, value: Any) -> Any:
        self.effort.spend(ROOT)
        if value in _INFINITIES:
            raise NoValueError
        try:
            return super().function(function, value)
        except TooLargeError as error:
            raise UndecidedNumberError(str(error)) from None
        except UndefinedError:
            raise NoValueError from None

    def power(self, base: Any, exponent: Any) -> Any:
        if base in _INFINITIES or exponent in _INFINITIES:
            raise NoValueError
        if base == 0:
            return super().power(base, exponent)
        self.effort.spend(ROOT)
        if not isinstance(exponent, Fraction):  # it has a value for a base > 0, which is no number with roots
            raise UndecidedNumberError(f"({base})**({exponent}) is not worked out")
        if isinstance(base, Elementary):
            if base < 0 and exponent.denominator != 1:
                raise NoValueError
            return super().power(base, exponent)
        if base < 0:
            if exponent.denominator != 1:
                raise NoValueError
            turned = power(-base, exponent)
            return turned if exponent.numerator % 2 == 0 else -turned
        return power(base, exponent)


def number_of(node: Node) -> NumberLike | None:
    """The number that a tree is; None where names stand in it, where it has no value or none that was worked out.

    >>> number_of(Power(Power(const(8), Constant(Fraction(1, 2))), const(-1)))
    1/4*2**(1/2)
    """
    if isinstance(node, Constant):
        return node.value
    if not _is_number(node):
        return None
    try:
        value = evaluate(node, {}, _WithValue({}, effort=Effort(MOST)), {})
    except (NoValueError, OutOfEffort, UndecidedNumberError):
        return None
    if isinstance(value, Elementary):
        return None  # it has a form, but none that equal numbers share
    return value if isinstance(value, Radical) else Fraction(value)


_ARITHMETIC = (Plus, Multiply, Power, Absolute, Sign, Applied)


def _is_number(node: Node) -> bool:
    if isinstance(node, _ARITHMETIC):
        return all(map(_is_number, children(node)))
    return isinstance(node, Constant)


class _WithValue(ExactNumbers):
    """The same where a power of 0 has a value only if it is a positive one."""

    def power(self, base: Any, exponent: Any) -> Any:
        if base == 0 and exponent <= 0:
            raise NoValueError
        return super().power(base, exponent)


def written(number: NumberLike) -> Node:
    """The tree of a number in its exact form."""
    if isinstance(number, Fraction):
        return Constant(number)
    return add(*(product(Constant(value), *map(_root, key)) for key, value in number.terms))


def _root(item: tuple[Base, Fraction]) -> Node:
    base, exponent = item
    return Power(const(base) if isinstance(base, int) else written(base), Constant(exponent))


# ---------------------------------------------------------------------- terms with a number before them


def split(factors: Sequence[Node]) -> tuple[NumberLike, list[Node]]:
    """The numbers among factors as one number, and the other factors.

    Raises:
        UndecidedNumberError: where the number is too large.
    """
    total: Any = Fraction(1)
    others = []
    for factor in factors:
        number = number_of(factor)
        if number is None:
            others.append(factor)
        else:
            total = total * number
    return total, others


def numbers_joined(term: Term) -> list[Term]:
    """A term with the numbers in it as one, a sum of roots as several terms; itself where that was not worked out."""
    if all(isinstance(factor, Constant) or number_of(factor) is None for factor in term.factors):
        return [term]
    try:
        number, others = split(term.factors)
        parts = expand(written(number * term.coefficient))
    except UndecidedNumberError:
        return [term]
    return [Term(part.coefficient, (*part.factors, *others), term.bounds, term.guards) for part in parts]


def without_equals(left: Node, right: Node, equal: Equal, effort: Effort) -> tuple[Node, Node]:
    """The two sides without terms that differ in a number alone, where these numbers cancel between the sides.

    Roots of sums of roots may be equal in different forms, ``(3 + 2*2**(1/2))**(1/2) == 1 + 2**(1/2)``.

    Args:
        left, right: the sides.
        equal: shows that two trees are equal.
        effort: what it may cost to write the terms out.
    """
    terms = [(sign, term) for sign, side in ((1, left), (-1, right)) for term in expand(side, effort)]
    try:
        numbers = [_apart(term) for _, term in terms]
        if not any(_has_nested(number) for number, _ in numbers):
            return left, right
        groups: list[tuple[Node, list[int]]] = []
        for place, (_, rest) in enumerate(numbers):
            own = next((members for first, members in groups if first == rest or equal(first, rest)), None)
            if own is None:
                groups.append((rest, [place]))
            else:
                own.append(place)
        gone: set[int] = set()
        for _, members in groups:
            if sum((numbers[place][0] * terms[place][0] for place in members), Fraction(0)) == 0:
                gone.update(members)
    except UndecidedNumberError:
        return left, right
    if not gone:
        return left, right
    kept = [(sign, term) for place, (sign, term) in enumerate(terms) if place not in gone]
    return rebuild(term for sign, term in kept if sign > 0), rebuild(term for sign, term in kept if sign < 0)


def _apart(term: Term) -> tuple[Any, Node]:
    """The number before a term, and the term without it."""
    number, others = split(term.factors)
    return number * term.coefficient, Term(Fraction(1), tuple(others), term.bounds, term.guards).node()


def _has_nested(number: NumberLike) -> bool:
    keys = number.terms if isinstance(number, Radical) else ()
    return any(isinstance(base, Radical) for key, _ in keys for base, _ in key)
