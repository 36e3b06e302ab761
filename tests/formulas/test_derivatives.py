"""Derivatives of formulas: their values against exact dual numbers, and their forms written out by hand."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from dual_numbers import Data, dual

from symconv.errors import NotSupportedError
from symconv.formulas.algebra import (
    ONE,
    ZERO,
    Absolute,
    Access,
    Bound,
    Bracket,
    Compare,
    Label,
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
    equal,
    nonnegative,
    summation,
)
from symconv.formulas.calculus import differentiate
from symconv.formulas.index import Index

V = Index.of
i, j, m, n, P = (V(name) for name in ("i", "j", "m", "n", "P"))
WINDOW = Bound("m", V(0), V(2))
NARROW = Bound("n", V(-1), V(1))
HALF = Fraction(1, 2)


def x(index: Index) -> Node:
    return Access("x", (index,))


def w(index: Index) -> Node:
    return Access("w", (index,))


def z(one: Index, two: Index) -> Node:
    return Access("z", (one, two))


def over(op: Any, body: Node, *bounds: Bound, guards: Any = ()) -> Reduce:
    return Reduce(op, bounds or (WINDOW,), tuple(guards), body)


def times(*args: Node) -> Node:
    return Multiply(args)


def plus(*args: Node) -> Node:
    return Plus(args)


GENERIC: Data = {
    **{("x", (k,)): Fraction(v) for k, v in enumerate(["3/2", "-2", "5", "1/3", "-7", "4"], -1)},
    **{("w", (k,)): Fraction(v) for k, v in enumerate(["2", "-3/4", "5/7"])},
    **{("z", (k, o)): Fraction(3 * k * k - 7 * o + 1, k + 2) for k in range(3) for o in range(2)},
}  # fmt: skip
TIED: Data = {("x", (k,)): Fraction(v) for k, v in enumerate([1, 3, 3, -2, 3, -2], -1)}
KINKED: Data = {("x", (k,)): Fraction(v) for k, v in enumerate([0, 2, 0, -3, 0, 0], -1)}
PYTHAGOREAN: Data = {("x", (k,)): Fraction(v) for k, v in enumerate([12, 3, 4, 0, 4, 3], -1)}

norm = Power(over("sum", Power(Absolute(x(i + m)), Scalar(P))), Power(Scalar(P), const(-1)))
CASES: list[tuple[str, Node, Data]] = [
    ("a product", times(const(3), x(i), w(V(1)), x(i + 1)), GENERIC),
    ("a product of one entry with itself", times(x(i), x(i), x(i), x(j)), GENERIC),
    ("a sum", plus(times(x(i), w(V(0))), x(i + 1), w(V(1)), const(5)), GENERIC),
    ("a correlation", over("sum", times(x(i + m), w(m))), GENERIC),
    ("a dilated window, twice in a product", times(over("sum", x(i + 2 * m)), over("sum", times(w(m), x(m)))), GENERIC),
    ("a sum under a condition", over("sum", times(x(i + m), w(m)), guards=[nonnegative(m + i - 2)]), GENERIC),
    ("weights from the index", over("sum", times(Scalar(m + 1), const(2), Scalar(i + 3), x(i - m))), GENERIC),
    ("all of an array of two axes", over("sum", times(z(m, n), x(m + n), z(n, m)), WINDOW, NARROW), GENERIC),
    ("a sum over the name of the entry", over("sum", times(x(i + j), w(j)), Bound("j", V(0), V(2))), GENERIC),
    ("a sum of sums over one name", over("sum", times(x(m), over("sum", times(x(m), w(m + i))))), GENERIC),
    ("a squared difference", over("sum", Power(plus(x(i + m), times(const(-1), w(m))), const(2))), GENERIC),
    *((f"to the power of {e}", over("sum", times(w(m), Power(x(m), const(e)))), GENERIC) for e in range(-3, 5)),
    ("to the power of a parameter", over("sum", Power(times(x(m), w(m)), Scalar(P))), GENERIC),
    ("to the power of a parameter and one", over("sum", Power(x(m), plus(Scalar(P), ONE))), GENERIC),
    ("to the power of a square", Power(times(Scalar(P), x(i)), Power(Scalar(P), const(2))), GENERIC),
    ("to the power of a product", Power(x(i), times(Scalar(P), const(3))), GENERIC),
    ("to a power named otherwise", Power(x(i), Named(Label("e", "e"), (), Scalar(P))), GENERIC),
    ("an absolute value", over("sum", times(w(m), Absolute(times(x(m), x(m + 1), w(m))))), GENERIC),
    ("an absolute value at its kink", over("sum", Absolute(x(i + m))), KINKED),
    ("a maximum", over("max", times(x(i + m), w(m))), GENERIC),
    ("a minimum", over("min", plus(x(i + m), w(m))), GENERIC),
    ("a maximum with ties", over("max", x(i + m)), TIED),
    ("a minimum with ties", over("min", x(i + m)), TIED),
    ("a squared maximum with ties", Power(over("max", Power(x(i + m), const(2))), const(2)), TIED),
    ("a maximum over two axes with ties", over("max", x(m + n), WINDOW, NARROW), TIED),
    ("a maximum over two axes in the other order", over("max", times(x(m + n), x(m)), NARROW, WINDOW), TIED),
    ("a maximum under a condition", over("max", x(i + m), guards=[nonnegative(1 - m)]), TIED),
    ("a maximum of sums", over("max", over("sum", times(x(m + n), w(n + 1)), NARROW)), GENERIC),
    ("a sum of maxima", over("sum", times(x(m), over("max", times(x(m + n), w(V(0))), NARROW))), GENERIC),
    ("a maximum of minima", over("max", over("min", x(n + i), Bound("n", m, m + 1))), TIED),
    ("a named value", times(x(i), Named(Label("c", "c"), (i,), times(x(i), w(V(1))))), GENERIC),
    ("what has a slope nowhere", times(Sign(x(i)), x(i), Bracket((nonnegative(i - 1),))), GENERIC),
    ("a comparison of values", times(Compare(x(i), ">", w(V(0))), Power(x(i), const(2))), GENERIC),
    ("a share", times(Share("split", over("max", x(m)), (i,)), x(i)), TIED),
    ("a number under a bracket", Bracket((equal(i, 2),)), GENERIC),
]  # fmt: skip


def check(node: Node, data: Data, places: range, ties: Any = "first") -> None:
    """The derivative by each entry of each array, whose name the sums bind too, at several places."""
    for tensor in {tensor for tensor, _ in data}:
        entries = [place for name, place in data if name == tensor]
        for names in (("j", "n"), ("m", "j"), ("n", "m'")):
            result = differentiate(node, tensor, tuple(V(name) for name in names[: len(entries[0])]), ties)
            for place in places:
                for entry in entries:
                    env = {"P": 2, "i": place, "j": 1, **dict(zip(names, entry, strict=False))}
                    due = dual(node, env, data, (tensor, entry), ties).slope
                    assert dual(result, env, data).value == due, (tensor, env)


@pytest.mark.parametrize(("node", "data"), [pytest.param(*rest, id=name) for name, *rest in CASES])
def test_derivatives_are_the_slopes_of_dual_numbers(node: Node, data: Data) -> None:
    check(node, data, range(2))


EQUAL_PARTS = [pytest.param(node, id=name) for name, node, data in CASES if data is TIED]


@pytest.mark.parametrize("node", EQUAL_PARTS)
def test_equal_maxima_share_their_derivative(node: Node) -> None:
    check(node, TIED, range(2), "split")


square = Power(x(i + 1), const(2))
ROOTS = [
    ("a square root", Power(over("sum", Power(x(i + m), const(2))), const(HALF)), 0),  # 3, 4, 0 and so 5
    ("a square root of one entry", Power(x(i), const(HALF)), 1),
    ("one over a square root", Power(over("sum", Power(x(i + m), const(2))), const(-HALF)), 0),
    ("a power of three halves", Power(plus(square, Power(x(i), const(2))), const(Fraction(3, 2))), 0),
    ("a cube root", Power(times(const(2), x(i)), const(Fraction(1, 3))), 1),  # of 8
    ("a cube root squared", Power(times(const(2), x(i)), const(Fraction(2, 3))), 1),
    ("a norm", norm, 0),
    ("a norm in a product", times(x(i), norm, norm), 0),
    ("a root without a power in it", Power(over("sum", times(w(m), x(i + m))), Power(Scalar(P), const(-1))), 0),
    ("a root of another degree", Power(times(Scalar(P), x(i)), Power(Scalar(P + 1), const(-1))), 1),
    ("a root whose degree is a sum", Power(x(i), Power(plus(Scalar(P), ONE, const(-1)), const(-1))), 1),
    ("a root of P times an entry", Power(times(Scalar(P), x(i), x(i), Scalar(P)), Power(Scalar(P), const(-1))), 1),
]  # fmt: skip
ROOTED: Data = {**PYTHAGOREAN, **{("w", (k,)): Fraction(v) for k, v in enumerate([4, 1, 9])}}


@pytest.mark.parametrize(("node", "place"), [pytest.param(*rest, id=name) for name, *rest in ROOTS])
def test_derivatives_of_roots_are_the_slopes_of_dual_numbers(node: Node, place: int) -> None:
    check(node, ROOTED, range(place, place + 1))


# ------------------------------------------------------------------ forms

bracket = Bracket((equal(i + m, j),))
x_here = x(i + m)
late = [nonnegative(m - i)]
root = Power(Scalar(P), const(-1))
FORMS: list[tuple[str, Node, Node]] = [
    ("an entry", x(i), Bracket((equal(i, j),))),
    ("an entry of another array", w(i), ZERO),
    ("a sum of another array", over("sum", w(m)), ZERO),
    ("a maximum of another array", over("max", w(m)), ZERO),
    (
        "numbers and sizes alone go before a sum",
        over("sum", times(const(3), Scalar(V("S")), w(i), x_here)),
        times(const(3), Scalar(V("S")), over("sum", times(w(i), bracket))),
    ),
    ("a power of another array", Power(over("sum", w(m)), const(HALF)), ZERO),
    ("an absolute value of another array", Absolute(w(i)), ZERO),
    ("a product with a constant", times(w(i), x(i), const(2)), times(const(2), w(i), Bracket((equal(i, j),)))),
    ("a product, factor by factor", times(x(i), w(i), x(i + 1)), plus(
        times(Bracket((equal(i, j),)), w(i), x(i + 1)), times(x(i), w(i), Bracket((equal(i + 1, j),))),
    )),
    ("a number goes before a sum", over("sum", Power(x_here, const(2))), times(
        const(2), over("sum", times(x_here, bracket)),
    )),
    (
        "numbers without the index go before a sum, others stay",
        over("sum", times(Scalar(P), w(m), const(3), Scalar(m), x_here, Scalar(i))),
        times(const(3), Scalar(P), Scalar(i), over("sum", times(w(m), Scalar(m), bracket))),
    ),
    (
        "a factor twice",
        over("sum", times(Scalar(P), Scalar(P), Scalar(m), Scalar(m), x_here)),
        times(Scalar(P), Scalar(P), over("sum", times(Scalar(m), Scalar(m), bracket))),
    ),
    ("conditions stay", over("sum", x_here, guards=late), over("sum", bracket, guards=late)),
    ("a sum over the name of the entry", over("sum", x(i + j), Bound("j", V(0), i)), over(
        "sum", Bracket((equal(i + V("j'"), j),)), Bound("j'", V(0), i),
    )),
    ("to the power of one", Power(x(i), ONE), Bracket((equal(i, j),))),
    ("to the power of zero", Power(x(i), ZERO), ZERO),
    ("a cube", Power(x(i), const(3)), times(const(3), Power(x(i), const(2)), Bracket((equal(i, j),)))),
    ("one over it", Power(x(i), const(-1)), times(const(-1), Power(x(i), const(-2)), Bracket((equal(i, j),)))),
    ("a square root", Power(x(i), const(HALF)), times(
        const(HALF), Power(Power(x(i), const(HALF)), const(-1)), Bracket((equal(i, j),)),
    )),
    ("a root of a lower degree than its power", Power(x(i), const(-HALF)), times(
        const(-HALF), Power(x(i), const(Fraction(-3, 2))), Bracket((equal(i, j),)),
    )),
    ("a parameter as exponent", Power(x(i), Scalar(P)), times(
        Scalar(P), Power(x(i), Scalar(P - 1)), Bracket((equal(i, j),)),
    )),
    ("a root of degree P, where no factor P is", Power(x(i), root), times(
        root, Power(Power(x(i), root), Scalar(1 - P)), Bracket((equal(i, j),)),
    )),
    ("a norm: P and 1/P are gone", norm, times(
        Power(norm, Scalar(1 - P)), over("sum", times(Power(Absolute(x_here), Scalar(P - 1)), Sign(x_here), bracket)),
    )),
    ("an entry of another array as exponent", Power(x(i), w(i)), times(
        w(i), Power(x(i), plus(w(i), const(-1))), Bracket((equal(i, j),)),
    )),
    ("any other exponent", Power(x(i), plus(Scalar(P), ONE)), times(
        plus(Scalar(P), ONE), Power(x(i), plus(Scalar(P), ONE, const(-1))), Bracket((equal(i, j),)),
    )),
    ("a share of a maximum has indices of its own", over("max", x_here), over("sum", times(
        Share("first", over("max", x(i + V("m'")), Bound("m'", V(0), V(2))), (m,)), bracket,
    ))),
    ("a share of a minimum has indices of its own", over("min", x_here), over("sum", times(
        Share("first", over("min", x(i + V("m'")), Bound("m'", V(0), V(2))), (m,)), bracket,
    ))),
]  # fmt: skip


@pytest.mark.parametrize(("node", "expected"), [pytest.param(*rest, id=name) for name, *rest in FORMS])
def test_forms_written_out_by_hand(node: Node, expected: Node) -> None:
    assert differentiate(node, "x", (j,)) == expected


def test_a_share_is_named_away_from_the_entry_too() -> None:
    result = differentiate(over("max", x_here), "x", (V("m'"),))
    share = Share("first", over("max", x(i + V("m''")), Bound("m''", V(0), V(2))), (m,))
    assert result == over("sum", times(share, Bracket((equal(i + m, "m'"),))))


def test_formal_derivatives_keep_their_names() -> None:
    named = Named(Label("x", "x"), (i + m,), bracket, Access("x", (j,)))
    assert differentiate(over("sum", times(w(m), x_here)), "x", (j,), formal=True) == over("sum", times(w(m), named))


def test_a_power_with_an_exponent_that_depends_on_the_entry_is_refused() -> None:
    node = summation(Power(w(m), times(const(2), x(m))), WINDOW)
    with pytest.raises(NotSupportedError, match=r"^cannot differentiate a power whose exponent depends on x: "):
        differentiate(node, "x", (j,))
    assert differentiate(node, "y", (j,)) == ZERO
