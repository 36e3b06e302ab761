"""An operator of one's own that is stated with a slip, or that has no derivative everywhere: what is said of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field
from fractions import Fraction
from typing import Any

import pytest

import symconv as sc
from symconv.errors import NotSupportedError
from symconv.formulas.algebra import (
    Absolute,
    Access,
    Bracket,
    Multiply,
    Node,
    Plus,
    Power,
    Reduce,
    Sign,
    add,
    const,
    equal,
    product,
    summation,
)
from symconv.formulas.index import Index
from symconv.formulas.printing import UNICODE, PrintContext
from symconv.operators.frame import Geometry
from symconv.operators.option import KERNEL_SIZE

Body = Callable[[Any, Any, Any], Any]


@dataclass(frozen=True, repr=False)
class Own(sc.Operator):
    """A formula in one line: of an entry, a weight and the taps."""

    kernel_size: Any = field(metadata=KERNEL_SIZE.metadata)
    formula: Any = None
    _: KW_ONLY
    ndim: int = 1

    variables = ("input", "weight")

    def body(self, geometry: Geometry) -> Node:
        taps = tuple(tap.bound for tap in self.tap_axes(geometry))
        made: Node = self.formula(self.tap_entry(geometry), self.tap_weight(geometry), taps)
        return made


HALF = const(Fraction(1, 2))
MINUS = const(-1)


def conditions(formula: Body, wrt: Any = "input", what: Any = "gradient") -> set[str]:
    """What the steps of a derivation rest on, where all of them are proved."""
    steps = sc.derive(Own((2,), formula), what, wrt).steps
    assert {step.verdict.status for step in steps} == {"proved"}
    return {text for step in steps for text in step.verdict.conditions}


ABSOLUTE = "no absolute value of 0 (there its derivative counts as 0)"
ROOT = "roots and fractional powers of positive numbers alone (at 0 the derivative counts as 0)"
JUMP = "no jump of a sign or comparison (there its derivative counts as 0)"


@pytest.mark.parametrize(
    ("formula", "wrt", "expected"),
    [
        (lambda a, b, t: summation(Absolute(add(a, product(MINUS, b))), *t), "input", {ABSOLUTE}),
        (lambda a, b, t: summation(Absolute(add(a, product(MINUS, b))), *t), "weight", {ABSOLUTE}),
        (lambda a, b, t: summation(product(b, Absolute(a)), *t), "input", {ABSOLUTE}),
        (lambda a, b, t: summation(product(b, Absolute(a)), *t), "weight", set()),
        (lambda a, b, t: summation(product(b, Power(Absolute(a), const(3))), *t), "input", set()),
        (lambda a, b, t: summation(product(b, Power(a, HALF)), *t), "input", {ROOT}),
        (lambda a, b, t: summation(product(b, Power(a, HALF)), *t), "weight", {ROOT}),
        (lambda a, b, t: summation(product(b, Power(a, MINUS)), *t), "input", {"no division by 0"}),
        (lambda a, b, t: summation(product(b, Power(a, MINUS)), *t), "weight", {"no division by 0"}),
        (lambda a, b, t: summation(product(b, a, Sign(a)), *t), "input", {JUMP}),
        (lambda a, b, t: summation(product(b, a, a), *t), "input", set()),
        (lambda a, b, t: Reduce("max", t, (), add(Absolute(a), b)), "input", {ABSOLUTE}),
    ],
)
def test_a_derivative_that_does_not_exist_everywhere_says_where(formula: Body, wrt: Any, expected: set[str]) -> None:
    assert conditions(formula, wrt, "derivative") == expected
    chained = conditions(formula, wrt)
    assert all(text in " ".join(chained) for text in expected)


@pytest.mark.parametrize("exponent", [lambda a, b: a, lambda a, b: add(a, const(1)), lambda a, b: product(b, a)])
def test_a_power_with_an_entry_in_its_exponent_is_not_differentiated(exponent: Callable[[Any, Any], Node]) -> None:
    op = Own((2,), lambda a, b, t: summation(Power(add(Absolute(b), const(2)), exponent(a, b)), *t))
    with pytest.raises(NotSupportedError, match="cannot differentiate a power whose exponent depends on a"):
        op.derivative("input")
    with pytest.raises(NotSupportedError, match="exponent depends on a"):
        sc.derive(op, "gradient")
    assert "^" in str(op.output())


def test_an_exponent_that_does_not_depend_on_the_variable_is_a_number_for_it() -> None:
    op = Own((1,), lambda a, b, t: summation(Power(b, a), *t))
    assert str(op.derivative("weight")) == "∂c[p]/∂b[m] = a[p]·b[0]^(a[p] − 1)"


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        (lambda a, b, t: 3, r"Own\.body must return a formula .* got 3"),
        (lambda a, b, t: a, r"Own\.body leaves m without a range"),
        (lambda a, b, t: product(Access("q", a.index), summation(a, *t)), r"reads a tensor 'q', .* is a, b"),
        (lambda a, b, t: summation(Access("a", (*a.index, *a.index)), *t), r"reads 'a' with 2 indices, and it has 1"),
        (lambda a, b, t: summation(product(a, Bracket((equal(t[0].lower, Index.of("x")),))), *t), r"leaves x without"),
    ],
)
def test_a_slip_in_a_body_is_said(formula: Body, message: str) -> None:
    op = Own((2,), formula)
    for ask in (op.output, op.derivative, op.gradient, lambda: sc.derive(op, "gradient"), lambda: sc.compile(op)):
        with pytest.raises(NotSupportedError, match=message):
            ask()


def test_a_weight_that_is_not_declared_is_no_tensor_of_the_operator() -> None:
    @dataclass(frozen=True, repr=False)
    class NoWeight(Own):
        variables = ("input",)

    op = NoWeight((2,), lambda a, b, t: summation(product(a, b), *t))
    with pytest.raises(NotSupportedError, match=r"reads a tensor 'b', .* a weight is declared by variables"):
        op.output()


def test_the_number_of_a_conditioned_term_stands_before_its_bracket() -> None:
    def second(a: Any, b: Any, t: Any) -> Node:
        p = Index.of("p")
        return add(Access("a", (p,)), product(const(-2), Access("a", (p + 1,))), Access("a", (p + 2,)))

    steps = sc.derive(Own((3,), second), "derivative").steps
    assert steps[-1].after.text().strip() == "∂c[p]/∂a[i] = [p = i] − 2·[p + 1 = i] + [p + 2 = i]"
    minus = Reduce("sum", (), (equal(Index.of("p"), Index.of("i")),), product(const(-3), Access("a", (Index.of("i"),))))
    assert UNICODE.node(minus, PrintContext()) == "−3·[p = i] a[i]"
    assert UNICODE.node(Multiply((Access("g", (Index.of("p"),)), minus)), PrintContext()) == "−3·g[p]·[p = i] a[i]"
    assert UNICODE.node(Plus((Access("g", (Index.of("p"),)), minus)), PrintContext()) == "g[p] − 3·[p = i] a[i]"


def test_two_maxima_never_share_a_letter() -> None:
    spread = Own((2,), lambda a, b, t: add(Reduce("max", t, (), a), product(MINUS, Reduce("min", t, (), a))))
    worked = sc.derive(spread, "gradient")
    assert "ω" not in worked.text()
    last = worked.steps[2].after.text()
    assert "first argmax(1 ≤ m ≤ 2) a[p+m−1]" in last
    assert "first argmin(1 ≤ m ≤ 2) a[p+m−1]" in last
    assert "The maximum or minimum passes" in worked.text()


def test_a_maximum_for_every_term_of_a_sum_has_no_letter_of_the_output() -> None:
    def nested(a: Any, b: Any, t: Any) -> Node:
        (tap,) = t
        inner = Access("a", (a.index[0] + Index.of("n"),))
        return summation(Reduce("max", (type(tap)("n", tap.lower, tap.upper),), (), inner), *t)

    assert "ω" not in sc.derive(Own((2,), nested), "derivative").text()
    assert "ω" in sc.derive(Own((2,), lambda a, b, t: Reduce("max", t, (), add(a, b))), "derivative").text()
