"""What the factors of a product are: counts, and a sum up to its sign."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from symconv.formulas.algebra import (
    ONE,
    Absolute,
    Constant,
    Multiply,
    Node,
    Plus,
    Reduce,
    add,
    const,
    product,
)
from symconv.formulas.walks import walk

__all__ = ["has_extremum", "is_count", "pairs_as_sizes", "turned", "turned_value", "with_number"]


def is_count(node: Node) -> bool:
    return isinstance(node, Reduce) and node.op == "sum" and isinstance(node.body, Constant)


def pairs_as_sizes(factors: Sequence[Node]) -> list[Node]:
    """The factors of a product, with |x||x| for x x."""
    found: list[Node] = []
    for factor in dict.fromkeys(factors):
        times = factors.count(factor)
        found += [Absolute(factor)] * (times - times % 2) + [factor] * (times % 2)
    return found


def turned(node: Node) -> tuple[Node, int]:
    """A sum up to its sign, with no minus before the summand that comes first, and that sign."""
    if not isinstance(node, Plus):
        return node, 1
    parts = [with_number(arg) for arg in node.args]
    first = min(range(len(parts)), key=lambda k: repr(parts[k][1]))
    if parts[first][0] > 0:
        return node, 1
    return add(*(product(const(-1), arg) for arg in node.args)), -1


def turned_value(node: Node) -> tuple[Node, int]:
    """A value up to its sign: of x and -x one alone comes back as it is, and the other as that one and -1."""
    number, rest = with_number(node)
    rest, sign = turned(rest)
    return product(const(abs(number)), rest), sign if number >= 0 else -sign


def with_number(node: Node) -> tuple[Fraction, Node]:
    """The number before a value, and the value without it."""
    if isinstance(node, Constant):
        return node.value, ONE
    if isinstance(node, Multiply) and isinstance(node.args[0], Constant):
        return node.args[0].value, product(*node.args[1:])
    return Fraction(1), node


def has_extremum(node: Node) -> bool:
    """Whether a maximum or a minimum, which may be infinite, takes part in a value."""
    return any(isinstance(n, Reduce) and n.op != "sum" for n in walk(node))
