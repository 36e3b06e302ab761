"""Functions of one value, one record each: how it is written, its derivative, its exact values, SymPy, arrays.

A new function is one more record here; everything else reads it (see `symconv.formulas.algebra.Applied`).
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from symconv.formulas.algebra import ONE, ZERO, Applied, Compare, Label, Node, Power, add, const, product
from symconv.formulas.function import Array, Function, Kink
from symconv.formulas.signs import Signs

__all__ = [
    "EXP",
    "FUNCTIONS",
    "LN",
    "NEGATIVE_PART",
    "POSITIVE_PART",
    "RECIPROCAL",
    "SIGMOID",
    "SOFTPLUS",
    "STEP",
    "TANH",
    "has_domain",
]


def has_domain(node: Node) -> bool:
    """Whether a node is a function that has no value at some numbers."""
    return isinstance(node, Applied) and node.function.domain != "all"


def _found(name: str) -> Function:
    return FUNCTIONS[name]


# ---------------------------------------------------------------------- how they are written

_LN, _TANH, _SIGMA = Label(r"\ln", "ln"), Label(r"\tanh", "tanh"), Label(r"\sigma", "σ")


def _called(label: Label) -> Callable[[Signs, str], str]:
    return lambda signs, inside: f"{signs.written(label)}({inside})"


def _power_of_e(signs: Signs, inside: str) -> str:
    return signs.power("e", inside, True)


def _jump(signs: Signs, inside: str) -> str:
    return signs.bracket(f"{inside}{signs.relation('>')}0")


# ---------------------------------------------------------------------- arrays


def sigmoid(x: Array) -> Array:
    """``1/(1 + e^-x)`` by powers of e that do not overflow."""
    small = np.exp(-np.abs(x))
    found: Array = np.where(x >= 0, 1, small) / (1 + small)
    return found


def softplus(x: Array) -> Array:
    """``ln(1 + e^x) = max(0, x) + ln(1 + e^-|x|)``."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def positive_part(x: Array) -> Array:
    """``max(0, x)``."""
    return np.maximum(x, 0)


def negative_part(x: Array) -> Array:
    """``min(0, x)``."""
    return np.minimum(x, 0)


def step(x: Array) -> Array:
    """1 above 0, 0 below 0, NaN at 0."""
    return np.where(x > 0, 1, np.where(x < 0, 0, np.nan)).astype(x.dtype)


# ---------------------------------------------------------------------- exact values and derivatives


def _only_at(place: int, value: Fraction) -> Callable[[Any], Any]:
    """The one value that is rational, at a whole number."""
    return lambda number: value if isinstance(number, Fraction) and number == place else None


def _negated(node: Node) -> Node:
    return product(const(-1), node)


def _above(x: Node, kink: Kink) -> Node:
    """Where x is above 0, in the sense of a rule of kinks."""
    return Applied(STEP, x) if kink == "undefined" else Compare(x, ">" if kink == "left" else ">=", ZERO)


def _below(x: Node, kink: Kink) -> Node:
    """Where x is below 0, in the sense of a rule of kinks."""
    return Applied(STEP, _negated(x)) if kink == "undefined" else Compare(ZERO, ">=" if kink == "left" else ">", x)


def _by_sigmoid(x: Node, kink: Kink) -> Node:
    return Applied(SIGMOID, x)


def _of_sigmoid(x: Node, kink: Kink) -> Node:
    own = Applied(SIGMOID, x)
    return product(own, add(ONE, _negated(own)))


def _of_reciprocal(x: Node, kink: Kink) -> Node:
    own = Applied(RECIPROCAL, x)
    return product(const(-1), own, own)


def _of_tanh(x: Node, kink: Kink) -> Node:
    return add(ONE, _negated(Power(Applied(TANH, x), const(2))))


# ---------------------------------------------------------------------- SymPy


def _sympy(name: str) -> Callable[[Any], Any]:
    def value(x: Any) -> Any:
        import sympy

        return getattr(sympy, name)(x)

    return value


def _sympy_step(x: Any) -> Any:
    import sympy

    return sympy.Piecewise((1, x > 0), (0, x < 0))  # none of them at 0


def _sympy_extremum(name: str) -> Callable[[Any], Any]:
    def value(x: Any) -> Any:
        import sympy

        return getattr(sympy, name)(0, x)

    return value


def _sympy_sigmoid(x: Any) -> Any:
    import sympy

    return 1 / (1 + sympy.exp(-x))


def _sympy_softplus(x: Any) -> Any:
    import sympy

    return sympy.log(1 + sympy.exp(x))


# ---------------------------------------------------------------------- the table

EXP: Function = Function(
    _found, "exp", _power_of_e, lambda x, _: Applied(EXP, x), _only_at(0, Fraction(1)), _sympy("exp"), np.exp,
    image="positive", encloses=False, grows=True,
)  # fmt: skip
RECIPROCAL: Function = Function(
    _found, "reciprocal", lambda signs, inside: signs.fraction("1", inside), _of_reciprocal,
    lambda value: 1 / value if isinstance(value, Fraction) else None, lambda x: 1 / x, np.reciprocal,
    domain="positive", needs="a logarithm is of a positive number", image="positive", encloses=False,
)  # fmt: skip
"""The derivative of the logarithm: ``1/x`` for x > 0; for any other number there is none, as there is no logarithm."""
LN = Function(
    _found, "ln", _called(_LN), lambda x, _: Applied(RECIPROCAL, x), _only_at(1, Fraction(0)), _sympy("log"), np.log,
    domain="positive", needs="a logarithm is of a positive number",
)  # fmt: skip
POSITIVE_PART = Function(
    _found,
    "positive part",
    lambda signs, inside: signs.extremum("max", ["0", inside]),
    _above,
    lambda value: value if value > 0 else Fraction(0),
    _sympy_extremum("Max"),
    positive_part,
    kink="max(0, x)",
    image="nonnegative",
)
NEGATIVE_PART = Function(
    _found,
    "negative part",
    lambda signs, inside: signs.extremum("min", ["0", inside]),
    _below,
    lambda value: value if value < 0 else Fraction(0),
    _sympy_extremum("Min"),
    negative_part,
    kink="min(0, x)",
    image="nonpositive",
)
STEP = Function(
    _found, "step", _jump, lambda x, _: ZERO, lambda value: Fraction(int(value > 0)), _sympy_step, step,
    domain="nonzero", needs="max(0, x) and min(0, x) have no derivative at 0", image="nonnegative",
)  # fmt: skip
SIGMOID = Function(
    _found, "sigmoid", _called(_SIGMA), _of_sigmoid, _only_at(0, Fraction(1, 2)), _sympy_sigmoid, sigmoid,
    image="positive", grows=True,
)  # fmt: skip
TANH = Function(
    _found, "tanh", _called(_TANH), _of_tanh, _only_at(0, Fraction(0)), _sympy("tanh"), np.tanh, grows=True,
)  # fmt: skip
SOFTPLUS = Function(
    _found,
    "softplus",
    lambda signs, inside: _called(_LN)(signs, "1" + signs.plus("+") + _power_of_e(signs, inside)),
    _by_sigmoid,
    lambda value: None,
    _sympy_softplus,
    softplus,
    image="positive",
    grows=True,
)

FUNCTIONS: dict[str, Function] = {
    function.name: function
    for function in (EXP, RECIPROCAL, LN, POSITIVE_PART, NEGATIVE_PART, STEP, SIGMOID, TANH, SOFTPLUS)
}
"""All functions of one value by name."""
