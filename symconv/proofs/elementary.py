"""Normal forms of functions of one value: identities of e, ln, σ, tanh and max(0, x), each with its condition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from symconv.formulas.algebra import (
    ONE,
    ZERO,
    Applied,
    Compare,
    Constant,
    Multiply,
    Node,
    Plus,
    Power,
    add,
    const,
    product,
)
from symconv.formulas.function import Function
from symconv.formulas.functions import (
    EXP,
    LN,
    NEGATIVE_PART,
    POSITIVE_PART,
    RECIPROCAL,
    SIGMOID,
    SOFTPLUS,
    STEP,
    TANH,
)
from symconv.proofs.context import Context
from symconv.proofs.factors import turned_value
from symconv.proofs.signs import is_nonnegative, is_positive

__all__ = ["applied"]


class _Normal(Protocol):
    """Normal forms, as far as they are asked for here (see `symconv.proofs.normal.Normal`)."""

    context: Context

    def used(self, rule: str, node: Node) -> Node:
        """Note that a rule was used, and hand on what it gave."""
        ...

    def power(self, base: Node, exponent: Node) -> Node:
        """The normal form of a power of two normal forms."""
        ...

    def product(self, args: Sequence[Node]) -> Node:
        """The normal form of a product of normal forms."""
        ...


def applied(normal: _Normal, function: Function, arg: Node) -> Node:
    """The normal form of a function of a normal form; one that nothing is known of stays as it is."""
    rule = _RULES.get(function)
    found = None if rule is None else rule(normal, arg)
    return Applied(function, arg) if found is None else found


def _exp(normal: _Normal, arg: Node) -> Node | None:
    """``e^(x + y) = e^x e^y``, and ``e^(r ln x) = x^r`` for a number r, wherever the logarithm has a value."""
    if isinstance(arg, Plus):
        return normal.used("e^(x+y) = e^x e^y", normal.product([applied(normal, EXP, part) for part in arg.args]))
    number, rest = (arg.args[0], product(*arg.args[1:])) if isinstance(arg, Multiply) else (ONE, arg)
    inner = _inside(rest, LN)
    if inner is None or not isinstance(number, Constant):
        return None
    return normal.used("e^(r ln x) = x^r", normal.power(inner, number))


def _inside(node: Node, function: Function) -> Node | None:
    """What a function is applied to; None for any other node."""
    return node.arg if isinstance(node, Applied) and node.function is function else None


def _ln(normal: _Normal, arg: Node) -> Node | None:
    """``ln(e^x) = x``, ``ln(x y) = ln x + ln y`` and ``ln(x^r) = r ln x``, for positive x and y."""
    inner = _inside(arg, EXP)
    if inner is not None:
        return normal.used("ln(e^x) = x", inner)
    if isinstance(arg, Multiply) and all(is_positive(factor, normal.context) for factor in arg.args):
        parts = [applied(normal, LN, factor) for factor in arg.args]
        return normal.used("ln(x y) = ln x + ln y for x, y > 0", add(*parts))
    if isinstance(arg, Power) and is_positive(arg.base, normal.context):
        whole = normal.product([arg.exponent, applied(normal, LN, arg.base)])
        return normal.used("ln(x^r) = r ln x for x > 0", whole)
    return None


def _positive_part(normal: _Normal, arg: Node) -> Node | None:
    """``max(0, x) = x`` for x >= 0, and ``max(0, k x) = k max(0, x)`` for k > 0."""
    if is_nonnegative(arg, normal.context):
        return normal.used("max(0, x) = x for x >= 0", arg)
    if isinstance(arg, Multiply):
        outside = [factor for factor in arg.args if is_positive(factor, normal.context)]
        rest = [factor for factor in arg.args if factor not in outside]
        if outside and rest:
            whole = normal.product([*outside, applied(normal, POSITIVE_PART, product(*rest))])
            return normal.used("max(0, k x) = k max(0, x) for k > 0", whole)
    return None


def _negative_part(normal: _Normal, arg: Node) -> Node:
    """``min(0, x) = 0`` for x >= 0, and ``min(0, x) = -max(0, -x)``."""
    if is_nonnegative(arg, normal.context):
        return normal.used("min(0, x) = 0 for x >= 0", ZERO)
    minus = const(-1)
    other = applied(normal, POSITIVE_PART, normal.product([minus, arg]))
    return normal.used("min(0, x) = -max(0, -x)", normal.product([minus, other]))


def _sigmoid(normal: _Normal, arg: Node) -> Node | None:
    """``σ(-x) = 1 - σ(x)``."""
    rest, sign = turned_value(arg)
    if sign == 1:
        return None
    return normal.used("σ(-x) = 1 - σ(x)", add(ONE, product(const(-1), Applied(SIGMOID, rest))))


def _tanh(normal: _Normal, arg: Node) -> Node | None:
    """``tanh(-x) = -tanh(x)``."""
    rest, sign = turned_value(arg)
    return None if sign == 1 else normal.used("tanh(-x) = -tanh(x)", product(const(-1), Applied(TANH, rest)))


def _softplus(normal: _Normal, arg: Node) -> Node:
    """``ln(1 + e^x)``, which is what it is."""
    return Applied(LN, add(ONE, applied(normal, EXP, arg)))


def _step(normal: _Normal, arg: Node) -> Node:
    """What is 1 above 0, and 0 below it, is ``[x > 0]`` wherever it has a value."""
    return normal.used("the derivative of max(0, x) is [x > 0] for x other than 0", Compare(arg, ">", ZERO))


def _reciprocal(normal: _Normal, arg: Node) -> Node:
    """The derivative of the logarithm is ``1/x`` wherever it has a value."""
    return normal.used("the derivative of ln x is 1/x for x > 0", normal.power(arg, const(-1)))


_RULES = {
    EXP: _exp,
    LN: _ln,
    POSITIVE_PART: _positive_part,
    RECIPROCAL: _reciprocal,
    NEGATIVE_PART: _negative_part,
    SIGMOID: _sigmoid,
    SOFTPLUS: _softplus,
    STEP: _step,
    TANH: _tanh,
}
