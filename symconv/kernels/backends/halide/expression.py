"""From a node of a tap form to the text of a Halide expression: one walk over the tree.

What an access reads and what a reduction becomes is said by who prints: the places of taps and channels are texts too.
Every text is made of numbers and of words of this package, never of names that a formula brings along.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from types import MappingProxyType
from typing import Any

from symconv.errors import NotSupportedError
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
)
from symconv.formulas.walker import case
from symconv.kernels.programs.factors import fraction, ratios, signed, sized

__all__ = ["PRELUDE", "Expression"]

PRELUDE = """\
def number(value):
    return hl.cast(T, hl.f64(value))


def power(x, exponent):
    result = None
    while exponent:
        if exponent & 1:
            result = x if result is None else result * x
        x, exponent = x * x, exponent >> 1
    return result


def sign(x):
    return hl.select(x > 0, number(1.0), hl.select(x < 0, number(-1.0), x))


def larger(x, y):
    return hl.select(x != x, x, hl.select((y > x) | (y != y), y, x))


def equal(x, top):
    return (x == top) | (x != x)


def nonzero(y):
    return hl.select(y == 0, number(float("inf")), y)


def halved(function, items):
    if len(items) == 1:
        return items[0]
    middle = (len(items) + 1) // 2
    return function(halved(function, items[:middle]), halved(function, items[middle:]))


def unit(top):
    return hl.select((top == 0) | (top == number(float("inf"))), number(1.0), top)
"""
"""The functions that expressions are written with. A NaN is larger than anything, and of two equals the first stays."""

LONGEST_CHAIN = 64
"""Up to here an integer power is a chain of multiplications."""


class Expression(FormulaWalker[str]):
    """The text of an expression.

    Args:
        read: the text of an access.
        reduce: the text of a reduction.
        known: nodes that are there already, and their texts.
    """

    known: Mapping[Node, str] = MappingProxyType({})

    def __init__(
        self, read: Callable[[Access], str], reduce: Callable[[Reduce], str], known: Mapping[Node, str] | None = None
    ) -> None:
        self.read, self.reduce = read, reduce
        if known is not None:
            self.known = known

    def visit(self, node: Any) -> str:
        found = self.known.get(node)
        return super().visit(node) if found is None else found

    @case(Constant)
    def _constant(self, node: Constant) -> str:
        return f"number({float(node.value)!r})"

    @case(Access)
    def _access(self, node: Access) -> str:
        return self.read(node)

    @case(Reduce)
    def _reduce(self, node: Reduce) -> str:
        return self.reduce(node)

    @case(Named)
    def _named(self, node: Named) -> str:
        return self.visit(node.value)

    @case(Plus)
    def _plus(self, node: Plus) -> str:
        return f"({' + '.join(map(self.visit, node.args))})"

    @case(Multiply)
    def _multiply(self, node: Multiply) -> str:
        return self.product(node.args)

    def product(self, factors: Sequence[Node]) -> str:
        """A product in the order in which nothing overflows on the way: as the programs for NumPy have it."""
        over, under, sign = signed(*fraction(factors))
        over, under = ratios(over, under)
        texts = []
        for node in over:
            text = self.visit(node)
            if sign is not None and isinstance(node, Power) and sized(node.base) == sign:
                text, sign = f"sign({self.visit(sign)}) * {text}", None
            texts.append(text)
        return f"({' / '.join([' * '.join(texts) or 'number(1.0)', *map(self.visit, under)])})"

    @case(Power)
    def _power(self, node: Power) -> str:
        if not isinstance(node.exponent, Constant):
            return self._other(node)
        exponent, base = node.exponent.value, node.base
        if exponent < 0:
            return self.product((node,))
        if isinstance(base, Absolute) and exponent.denominator == 1 and exponent % 2 == 0:
            base = base.arg
        text = self.visit(base)
        if exponent == Fraction(1, 2):
            return f"hl.sqrt({text})"
        if exponent.denominator == 1 and 0 < exponent <= LONGEST_CHAIN:
            return f"power({text}, {exponent})"
        return f"hl.pow({text}, number({float(exponent)!r}))"

    @case(Absolute)
    def _absolute(self, node: Absolute) -> str:
        return f"hl.abs({self.visit(node.arg)})"

    @case(Sign)
    def _sign(self, node: Sign) -> str:
        return f"sign({self.visit(node.arg)})"

    @case(Scalar, Applied, Bracket, Compare, Share)
    def _other(self, node: Node) -> str:
        raise NotSupportedError(f"no Halide expression for a {type(node).__name__}; run it with backend='numpy'")
