"""The factors of a product in the order in which arrays are multiplied: so that nothing overflows on the way."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from symconv.formulas.algebra import Absolute, Constant, Multiply, Node, Power, Sign

__all__ = ["fraction", "ratios", "signed", "sized"]


def fraction(factors: Sequence[Node]) -> tuple[list[Node], list[Node]]:
    """Numerators and denominators; a constant gives one of each, without ones."""
    over: list[Node] = []
    under: list[Node] = []
    for factor in factors:
        if isinstance(factor, Constant):
            over += [Constant(Fraction(factor.value.numerator))] if factor.value.numerator != 1 else []
            under += [Constant(Fraction(factor.value.denominator))] if factor.value.denominator != 1 else []
        elif isinstance(factor, Power) and isinstance(factor.exponent, Constant) and factor.exponent.value < 0:
            up = -factor.exponent.value
            under.append(factor.base if up == 1 else Power(factor.base, Constant(up)))
        else:
            over.append(factor)
    return over, under


def sized(base: Node) -> Node | None:
    """The x of a base |x| or |x|/y."""
    first = base.args[0] if isinstance(base, Multiply) else base
    return first.arg if isinstance(first, Absolute) else None


def signed(over: list[Node], under: list[Node]) -> tuple[list[Node], list[Node], Node | None]:
    """Merge a sign with the absolute value of the same thing, or say that it is to go with a power of that."""
    for sign in [node for node in over if isinstance(node, Sign)]:
        size = Absolute(sign.arg)
        if size in over:
            rest = [node for node in over if node not in (sign, size)]
            return [sign.arg, *rest], under, None
        if any(isinstance(node, Power) and node.base == size for node in over):
            return [node for node in over if node != sign], under, sign.arg
    return over, under, None


def ratios(over: list[Node], under: list[Node]) -> tuple[list[Node], list[Node]]:
    """Write ``|x|**e / y**e`` as ``(|x|/y)**e`` for e >= 1; a smaller power brings no number out of its range."""
    for top in over:
        for bottom in under:
            if (
                isinstance(top, Power)
                and isinstance(bottom, Power)
                and top.exponent == bottom.exponent
                and isinstance(top.exponent, Constant)
                and top.exponent.value >= 1
                and isinstance(top.base, Absolute)
            ):
                ratio = Power(Multiply((top.base, Power(bottom.base, Constant(Fraction(-1))))), top.exponent)
                return [ratio if n is top else n for n in over], [n for n in under if n is not bottom]
    return over, under
