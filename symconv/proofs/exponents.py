"""Exponents in which sizes stand, ``K + 1/2`` or ``-2*K``, and powers of numbers by them, in one form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from math import gcd, lcm
from operator import mul
from typing import TypeAlias

from symconv.formulas.algebra import (
    Absolute,
    Access,
    Applied,
    Bracket,
    Compare,
    Constant,
    FormulaWalker,
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
    product,
    scalar,
)
from symconv.formulas.index import Index
from symconv.formulas.radicals import factored
from symconv.formulas.walker import case

__all__ = ["Exponent", "number_power"]

Raise: TypeAlias = "Callable[[int, Fraction], Node]"


@dataclass(frozen=True)
class Exponent:
    """An index expression over a whole number; two that are equal as polynomials are equal.

    >>> k = Exponent.of(Scalar(Index.of("K")))
    >>> k + Exponent.of(const(Fraction(1, 2)))
    Exponent(index=2*K + 1, over=2)
    """

    index: Index
    over: int = 1

    def __post_init__(self) -> None:
        common = gcd(self.over, *self.index.terms.values())
        object.__setattr__(self, "index", Index({key: value // common for key, value in self.index.terms.items()}))
        object.__setattr__(self, "over", self.over // common)

    @staticmethod
    def of(node: Node) -> Exponent | None:
        """The exponent that a value is; None where it is none of these."""
        return _Read().visit(node)

    @property
    def node(self) -> Node:
        """The exponent as a value, a number times what has none: a factor p of ``2*p`` is told by ``1/p``."""
        content = gcd(*self.index.terms.values()) or 1
        rest = Index({key: value // content for key, value in self.index.terms.items()})
        return product(const(Fraction(content, self.over)), scalar(rest))

    @property
    def constant(self) -> Fraction:
        """What no size stands in."""
        return Fraction(self.index.terms.get((), 0), self.over)

    def __add__(self, other: Exponent) -> Exponent:
        over = lcm(self.over, other.over)
        return Exponent(self.index * (over // self.over) + other.index * (over // other.over), over)

    def __mul__(self, other: Exponent) -> Exponent:
        return Exponent(self.index * other.index, self.over * other.over)

    def times(self, number: int) -> Exponent:
        return Exponent(self.index * number, self.over)


class _Read(FormulaWalker["Exponent | None"]):
    """The exponent that a tree is."""

    @case(Constant)
    def _constant(self, node: Constant) -> Exponent:
        return Exponent(Index.of(node.value.numerator), node.value.denominator)

    @case(Scalar)
    def _scalar(self, node: Scalar) -> Exponent:
        return Exponent(node.index)

    @case(Plus)
    def _add(self, node: Plus) -> Exponent | None:
        parts = [part for part in map(self.visit, node.args) if part is not None]
        return sum(parts[1:], parts[0]) if len(parts) == len(node.args) else None

    @case(Multiply)
    def _multiply(self, node: Multiply) -> Exponent | None:
        parts = [part for part in map(self.visit, node.args) if part is not None]
        return reduce(mul, parts) if len(parts) == len(node.args) else None

    @case(Access, Power, Absolute, Sign, Applied, Bracket, Compare, Reduce, Share, Named)
    def _none(self, node: Node) -> None:
        return None


def number_power(base: Fraction, exponent: Exponent) -> list[Power]:
    """``base**exponent`` for a base other than 0 as powers of -1 and of primes, and a number for the constant part.

    Args:
        base: any number other than 0.
        exponent: with a size in it; an integer where the base is negative.

    >>> for factor in number_power(Fraction(-12), Exponent(Index.of("K") + 1)):
    ...     print(factor.base.value, Exponent.of(factor.exponent))
    -12 Exponent(index=1, over=1)
    -1 Exponent(index=K, over=1)
    2 Exponent(index=2*K, over=1)
    3 Exponent(index=K, over=1)
    """
    constant = exponent.constant
    rest = exponent + Exponent(Index.of(-constant.numerator), constant.denominator)
    powers = [*factored(abs(base.numerator)), *((p, -n) for p, n in factored(base.denominator))]
    found = [Power(Constant(base), Constant(constant))] if constant else []
    odd = Index({key: value % 2 for key, value in rest.index.terms.items()})
    if base != abs(base) and odd != 0:
        found.append(Power(const(-1), scalar(odd)))
    return [*found, *(Power(const(p), rest.times(n).node) for p, n in sorted(powers))]
