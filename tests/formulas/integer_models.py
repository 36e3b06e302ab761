"""Random index expressions, each with the plain Python function that it must agree with.

`Model.value` computes on integers only, with Python's own ``//``, `min` and `max`; nothing of symconv takes part in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hypothesis import strategies as st

from symconv.formulas.index import Extremum, Index, Quotient, ceiling, floor, maximum, minimum

NAMES = ("x", "y", "z")
"""Names that may be any integer."""
SIZES = ("S", "T")
"""Names that are sizes, at least 1: the only ones to divide by."""

Env = Mapping[str, int]


@dataclass(frozen=True)
class Model:
    """An index expression and what it must evaluate to."""

    index: Index
    value: Callable[[Env], int]
    shown: str

    def __repr__(self) -> str:
        return self.shown


def number(n: int) -> Model:
    return Model(Index.of(n), lambda env: n, str(n))


def named(name: str) -> Model:
    return Model(Index.of(name), lambda env: env[name], name)


def combine(operation: str, left: Model, right: Model) -> Model:
    """The sum, difference, product, minimum, maximum, floor or ceiling of two models."""
    a, b = left.index, right.index
    index = {
        "+": lambda: a + b,
        "-": lambda: a - b,
        "*": lambda: a * b,
        "min": lambda: minimum(a, b),
        "max": lambda: maximum(a, b),
        "floor": lambda: floor(a, b),
        "ceil": lambda: ceiling(a, b),
    }[operation]()
    value: dict[str, Callable[[int, int], int]] = {
        "+": lambda x, y: x + y,
        "-": lambda x, y: x - y,
        "*": lambda x, y: x * y,
        "min": min,
        "max": max,
        "floor": lambda x, y: x // y,
        "ceil": lambda x, y: -(-x // y),
    }
    compute = value[operation]
    return Model(index, lambda env: compute(left.value(env), right.value(env)), f"({left} {operation} {right})")


class NotDivisibleError(Exception):
    """A quotient that is said to be exact has a rest."""


def exact_value(expr: Index, env: Env) -> int:
    """The value of an index expression in which every exact quotient must be one."""

    def check(e: Index) -> None:
        for key in e.terms:
            for atom in key:
                if isinstance(atom, Quotient):
                    check(atom.numerator)
                    check(atom.denominator)
                    if atom.rounding == "exact" and atom.numerator.evaluate(env) % atom.denominator.evaluate(env):
                        raise NotDivisibleError(repr(expr))
                elif isinstance(atom, Extremum):
                    for arg in atom.args:
                        check(arg)

    check(expr)
    value: int = expr.evaluate(env)
    return value


divisors = st.one_of(
    st.integers(1, 5).map(number),
    st.sampled_from(SIZES).map(named),
    st.builds(lambda n, s: combine("*", number(n), named(s)), st.integers(1, 3), st.sampled_from(SIZES)),
    st.just(combine("+", named("S"), named("T"))),
)


def _grown(inner: st.SearchStrategy[Model]) -> st.SearchStrategy[Model]:
    ring = st.builds(combine, st.sampled_from(["+", "-", "*", "min", "max", "+", "-"]), inner, inner)
    ratio = st.builds(combine, st.sampled_from(["floor", "ceil"]), inner, divisors)
    return st.one_of(ring, ratio)


models = st.recursive(
    st.one_of(st.integers(-6, 6).map(number), st.sampled_from(NAMES + SIZES).map(named)), _grown, max_leaves=7
)

environments = st.fixed_dictionaries(
    {**{name: st.integers(-9, 9) for name in NAMES}, **{name: st.integers(1, 5) for name in SIZES}}
)
