"""Functions of one value: exact values, derivatives, arrays, SymPy and print, against mpmath and by hand."""

from __future__ import annotations

import copy
import pickle
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy

from symconv.formulas.algebra import (
    ONE,
    ZERO,
    Access,
    Applied,
    Bracket,
    Compare,
    Node,
    Plus,
    Power,
    add,
    const,
    product,
)
from symconv.formulas.calculus import differentiate
from symconv.formulas.elementary import Elementary, elementary, symbolic
from symconv.formulas.exact import Numbers, evaluate, is_polynomial
from symconv.formulas.function import Function, TooLargeError, UndefinedError
from symconv.formulas.functions import (
    EXP,
    FUNCTIONS,
    LN,
    NEGATIVE_PART,
    POSITIVE_PART,
    RECIPROCAL,
    SIGMOID,
    SOFTPLUS,
    STEP,
    TANH,
    has_domain,
)
from symconv.formulas.index import Index
from symconv.formulas.printing import LATEX, UNICODE, PrintContext
from symconv.formulas.radicals import UndecidedNumberError, power

A = Access("a", (Index.of("i"),))
BOX = {"a": ((Index.of(0), Index.of(9)),)}
HALF = Fraction(1, 2)

REAL: dict[Function, Any] = {
    EXP: mpmath.exp,
    RECIPROCAL: lambda x: 1 / x,
    LN: mpmath.log,
    POSITIVE_PART: lambda x: max(mpmath.mpf(0), x),
    NEGATIVE_PART: lambda x: min(mpmath.mpf(0), x),
    STEP: lambda x: mpmath.mpf(1 if x > 0 else 0),
    SIGMOID: lambda x: 1 / (1 + mpmath.exp(-x)),
    TANH: mpmath.tanh,
    SOFTPLUS: lambda x: mpmath.log(1 + mpmath.exp(x)),
}
POINTS = [Fraction(p, 3) for p in (-40, -9, -2, -1, 1, 2, 5, 60)]


def points_of(function: Function) -> list[Fraction]:
    return [x for x in POINTS if x > 0] if function.domain == "positive" else POINTS


def value(node: Node, x: Any) -> Any:
    """The value of a tree in the entry a[i] for one value of it."""
    return evaluate(node, {"i": 0}, Numbers({"a": lambda index: x}), BOX)


def decimal(number: Any) -> mpmath.mpf:
    """An exact number, to so many digits as mpmath has."""
    found = sympy.sympify(symbolic(number)).evalf(40)
    return mpmath.mpf(str(found))


# ---------------------------------------------------------------------- values


def test_every_function_of_the_table_is_judged_here() -> None:
    assert set(REAL) == set(FUNCTIONS.values())
    assert [FUNCTIONS[f.name] for f in REAL] == list(REAL)


@pytest.mark.parametrize("function", REAL, ids=repr)
def test_exact_values_symbolic_ones_and_arrays_are_those_of_mpmath(function: Function) -> None:
    with mpmath.workdps(40):
        for x in points_of(function):
            expected = REAL[function](mpmath.mpf(x.numerator) / x.denominator)
            exact = value(Applied(function, A), x)
            assert isinstance(exact, Fraction | Elementary)
            assert mpmath.almosteq(decimal(exact), expected, 1e-30)
            assert mpmath.almosteq(decimal(elementary(function.symbolic(symbolic(x)))), expected, 1e-30)
            rounded = float(REAL[function](mpmath.mpf(float(x))))
            assert float(function.array(np.asarray(float(x)))) == pytest.approx(rounded, rel=4e-16, abs=0)
            assert value(Applied(function, A), float(x)) == pytest.approx(rounded, rel=4e-16, abs=0)


@pytest.mark.parametrize(
    ("function", "x", "expected"),
    [
        (EXP, Fraction(0), Fraction(1)),
        (LN, Fraction(1), Fraction(0)),
        (SIGMOID, Fraction(0), HALF),
        (TANH, Fraction(0), Fraction(0)),
        (POSITIVE_PART, Fraction(-7, 3), Fraction(0)),
        (POSITIVE_PART, Fraction(7, 3), Fraction(7, 3)),
        (POSITIVE_PART, Fraction(0), Fraction(0)),
        (NEGATIVE_PART, Fraction(-7, 3), Fraction(-7, 3)),
        (NEGATIVE_PART, Fraction(7, 3), Fraction(0)),
        (STEP, Fraction(1, 9), Fraction(1)),
        (STEP, Fraction(-1, 9), Fraction(0)),
    ],
)
def test_what_is_rational_stays_a_rational_number(function: Function, x: Fraction, expected: Fraction) -> None:
    found = value(Applied(function, A), x)
    assert type(found) is Fraction
    assert found == expected


def test_what_is_not_rational_is_an_exact_sympy_number() -> None:
    assert value(Applied(SOFTPLUS, A), Fraction(0)).expr == sympy.log(2)
    assert value(Applied(EXP, A), Fraction(2, 3)).expr == sympy.exp(sympy.Rational(2, 3))
    assert value(Applied(LN, Applied(EXP, A)), Fraction(5)) == Fraction(5)
    assert value(product(Applied(EXP, A), Applied(EXP, product(const(-1), A))), Fraction(5)) == Fraction(1)
    assert value(Applied(POSITIVE_PART, Applied(LN, A)), HALF) == Fraction(0)
    assert value(Applied(POSITIVE_PART, Applied(LN, A)), Fraction(2)).expr == sympy.log(2)


@pytest.mark.parametrize(
    ("function", "x"),
    [
        (LN, Fraction(0)),
        (LN, Fraction(-1)),
        (RECIPROCAL, Fraction(-2)),
        (RECIPROCAL, Fraction(0)),
        (STEP, Fraction(0)),
        (LN, 0.0),
        (STEP, 0.0),
    ],
)
def test_where_there_is_no_value_there_is_none(function: Function, x: Any) -> None:
    assert has_domain(Applied(function, A))
    with pytest.raises(UndefinedError):
        value(Applied(function, A), x)


def test_the_first_place_without_a_value_is_told() -> None:
    with pytest.raises(UndefinedError) as found:
        value(add(A, Applied(EXP, Applied(LN, A))), Fraction(-3))
    assert found.value.place == (A, {"i": 0})
    assert found.value.value == -3


@pytest.mark.parametrize("function", [EXP, SIGMOID, TANH, SOFTPLUS], ids=repr)
@pytest.mark.parametrize("sign", [1, -1])
def test_a_power_of_e_of_a_large_number_is_refused_before_it_is_made(function: Function, sign: int) -> None:
    with pytest.raises(TooLargeError, match=r"^an exact power of e is of a number up to 10,000, got -?10{30}$"):
        function.at(sign * Fraction(10**30))
    function.at(sign * Fraction(10_000))


def test_large_numbers_are_no_matter_where_no_power_of_e_is_taken() -> None:
    assert POSITIVE_PART.at(Fraction(10**30)) == 10**30
    assert LN.at(Fraction(10**30)).expr == sympy.log(10**30)


# ---------------------------------------------------------------------- exact numbers with e


E, LN2 = EXP.at(Fraction(1)), LN.at(Fraction(2))


def test_arithmetic_with_e_is_exact() -> None:
    root = power(Fraction(2), HALF)
    assert E + E - 2 * E == 0
    assert type(E - E) is Fraction
    assert (1 + E).expr == 1 + sympy.E
    assert (HALF * E).expr == sympy.E / 2
    assert (1 - E).expr == 1 - sympy.E
    assert (root + E).expr == (E + root).expr == sympy.sqrt(2) + sympy.E
    assert (root * E).expr == (E * root).expr == sympy.sqrt(2) * sympy.E
    assert E.raised(Fraction(-2)).expr == sympy.exp(-2)
    assert abs(-E) == E
    assert pytest.approx(3.2182818284590452) == 0.5 + E
    assert pytest.approx(1.3591409142295226) == E * 0.5


def test_an_order_between_numbers_with_e_is_certain() -> None:
    third = mpmath.mp
    with mpmath.workdps(60):
        below = Fraction(int(third.floor(third.e * 10**50)), 10**50)
    assert below < E < below + Fraction(1, 10**50)
    assert below < E
    assert not below >= E
    assert below <= E
    assert below != E
    assert max(E, Fraction(2), LN2) is E
    assert LN.at(Fraction(1, 3)) < 0 < LN.at(Fraction(3))
    assert TANH.at(Fraction(1)) < 1
    assert bool(TANH.at(Fraction(9_999)) - Fraction(1, 2))


def test_what_is_not_told_apart_is_not_decided() -> None:
    zero = LN.at(Fraction(6)) - LN.at(Fraction(2)) - LN.at(Fraction(3))
    for question in (lambda: bool(zero), lambda: zero == 0, lambda: zero > 0, lambda: zero <= 0, lambda: abs(zero)):
        with pytest.raises(UndecidedNumberError):
            question()


def test_equal_forms_are_equal_and_hash_alike() -> None:
    assert EXP.at(Fraction(1)) == E
    assert hash(E) == hash(EXP.at(Fraction(1)))
    assert E != LN2
    assert E != "e"


# ---------------------------------------------------------------------- derivatives


SLOPES: dict[Function, Any] = {
    EXP: mpmath.exp,
    RECIPROCAL: lambda x: -1 / x**2,
    LN: lambda x: 1 / x,
    POSITIVE_PART: lambda x: 1 if x > 0 else 0,
    NEGATIVE_PART: lambda x: 1 if x < 0 else 0,
    STEP: lambda x: 0,
    SIGMOID: lambda x: mpmath.exp(-x) / (1 + mpmath.exp(-x)) ** 2,
    TANH: lambda x: 1 / mpmath.cosh(x) ** 2,
    SOFTPLUS: lambda x: 1 / (1 + mpmath.exp(-x)),
}


@pytest.mark.parametrize("kinks", ["undefined", "left", "right"])
@pytest.mark.parametrize("function", SLOPES, ids=repr)
def test_derivatives_are_those_of_the_functions(function: Function, kinks: Any) -> None:
    slope = differentiate(Applied(function, A), "a", (Index.of("i"),), kinks=kinks)
    with mpmath.workdps(40):
        for x in points_of(function):
            expected = SLOPES[function](mpmath.mpf(x.numerator) / x.denominator)
            assert mpmath.almosteq(decimal(value(slope, x)), mpmath.mpf(expected), 1e-25)


@pytest.mark.parametrize(
    ("function", "left", "right"), [(POSITIVE_PART, 0, 1), (NEGATIVE_PART, 1, 0)], ids=["max", "min"]
)
def test_the_rule_of_kinks_says_what_the_derivative_is_at_0(function: Function, left: int, right: int) -> None:
    at = (Index.of("i"),)
    node = Applied(function, A)
    assert value(differentiate(node, "a", at, kinks="left"), Fraction(0)) == left
    assert value(differentiate(node, "a", at, kinks="right"), Fraction(0)) == right
    with pytest.raises(UndefinedError, match=r"^max\(0, x\) and min\(0, x\) have no derivative at 0, got 0$"):
        value(differentiate(node, "a", at), Fraction(0))


def test_the_chain_rule_goes_through_functions() -> None:
    inner = product(const(3), A)
    slope = differentiate(Applied(EXP, Applied(SIGMOID, inner)), "a", (Index.of("i"),))
    with mpmath.workdps(40):
        s = 1 / (1 + mpmath.exp(-mpmath.mpf(6)))
        assert mpmath.almosteq(decimal(value(slope, Fraction(2))), mpmath.exp(s) * s * (1 - s) * 3, 1e-30)
    assert differentiate(Applied(EXP, A), "b", (Index.of("i"),)) == ZERO
    assert differentiate(Applied(STEP, A), "a", (Index.of("i"),)) == ZERO


def test_the_trees_of_derivatives() -> None:
    at = (Index.of("j"),)
    bracket = differentiate(A, "a", at)
    assert isinstance(bracket, Bracket)
    assert differentiate(Applied(POSITIVE_PART, A), "a", at, kinks="left") == product(Compare(A, ">", ZERO), bracket)
    assert differentiate(Applied(POSITIVE_PART, A), "a", at, kinks="right") == product(Compare(A, ">=", ZERO), bracket)
    assert differentiate(Applied(POSITIVE_PART, A), "a", at) == product(Applied(STEP, A), bracket)
    assert differentiate(Applied(SOFTPLUS, A), "a", at) == product(Applied(SIGMOID, A), bracket)
    minus = product(const(-1), Power(Applied(TANH, A), const(2)))
    assert differentiate(Applied(TANH, A), "a", at) == product(Plus((ONE, minus)), bracket)


# ---------------------------------------------------------------------- print, copies, arrays


@pytest.mark.parametrize(
    ("node", "latex", "text"),
    [
        (Applied(EXP, A), "e^{a_{i}}", "e^(a[i])"),
        (Applied(EXP, product(const(-1), A)), "e^{-a_{i}}", "e^(−a[i])"),
        (Applied(LN, A), r"\ln(a_{i})", "ln(a[i])"),
        (Applied(RECIPROCAL, A), r"\frac{1}{a_{i}}", "1/a[i]"),
        (
            product(const(-2), A, Applied(RECIPROCAL, add(A, ONE))),
            r"-\frac{2\, a_{i}}{\left( a_{i}+1 \right)}",
            "−(2·a[i])/(a[i] + 1)",
        ),
        (Applied(POSITIVE_PART, A), r"\max(0,\,a_{i})", "max(0, a[i])"),
        (Applied(NEGATIVE_PART, A), r"\min(0,\,a_{i})", "min(0, a[i])"),
        (Applied(STEP, A), r"[\,a_{i} > 0\,]\,", "[a[i] > 0] "),
        (Applied(SIGMOID, A), r"\sigma(a_{i})", "σ(a[i])"),
        (Applied(TANH, A), r"\tanh(a_{i})", "tanh(a[i])"),
        (Applied(SOFTPLUS, A), r"\ln(1+e^{a_{i}})", "ln(1 + e^(a[i]))"),
        (Power(Applied(TANH, A), const(2)), r"\tanh(a_{i})^{2}", "tanh(a[i])^2"),
        (Power(Applied(EXP, A), const(2)), r"\left( e^{a_{i}} \right)^{2}", "(e^(a[i]))^2"),
        (product(const(2), A, Applied(EXP, A)), r"2\, a_{i}\, e^{a_{i}}", "2·a[i]·e^(a[i])"),
        (Power(Applied(EXP, A), const(-1)), r"\frac{1}{e^{a_{i}}}", "1/e^(a[i])"),
        (Applied(LN, add(A, ONE)), r"\ln(a_{i}+1)", "ln(a[i] + 1)"),
    ],
)
def test_functions_are_printed_as_courses_print_them(node: Node, latex: str, text: str) -> None:
    assert LATEX.node(node, PrintContext()) == latex
    assert UNICODE.node(node, PrintContext()) == text


def test_a_copy_of_a_function_is_the_function() -> None:
    for function in FUNCTIONS.values():
        assert pickle.loads(pickle.dumps(function)) is function
        assert copy.deepcopy(function) is function


def test_a_function_of_entries_is_no_polynomial() -> None:
    assert not is_polynomial(Applied(POSITIVE_PART, A))
    assert is_polynomial(A)


@pytest.mark.filterwarnings("error")
def test_arrays_of_large_numbers_do_not_overflow() -> None:
    x = np.array([-np.inf, -1e300, -800.0, 800.0, 1e300, np.inf])
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        assert SIGMOID.array(x).tolist() == [0, 0, 0, 1, 1, 1]
        assert SOFTPLUS.array(x).tolist() == [0, 0, 0, 800, 1e300, np.inf]
        assert TANH.array(x).tolist() == [-1, -1, -1, 1, 1, 1]
    assert SIGMOID.array(np.array([-745.0]))[0] > 0
    for function in FUNCTIONS.values():
        assert np.isnan(function.array(np.array([np.nan], np.float32))[0])
        assert function.array(np.array([0.5], np.float32)).dtype == np.float32
