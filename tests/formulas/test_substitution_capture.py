"""No substitution and no derivative captures a bound index, where SymPy's do: each case has a number for an answer."""

from __future__ import annotations

from fractions import Fraction

import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_loops import polynomial
from random_sums import BOXES, affine, sums

from symconv.formulas.algebra import (
    Access,
    Bound,
    Label,
    Named,
    Node,
    Reduce,
    Scalar,
    Share,
    between,
    product,
    summation,
)
from symconv.formulas.calculus import differentiate
from symconv.formulas.index import Index
from symconv.formulas.naming import fresh_name, names_in
from symconv.formulas.substitution import rename_bounds, substitute
from symconv.operators.convolution import Conv

i, m, n, p, q = (Index.of(name) for name in ("i", "m", "n", "p", "q"))


@settings(max_examples=45, deadline=None, derandomize=True)
@given(sums(), affine(("m", "n", "p", "i")), st.tuples(*[st.integers(-3, 3)] * 4))
def test_substitution_then_value_is_value_at_the_substituted(node: Node, e: Index, point: tuple[int, ...]) -> None:
    env = dict(zip(("m", "n", "p", "i"), point, strict=True))
    assert polynomial(substitute(node, {"i": e}), env, BOXES) == polynomial(node, {**env, "i": e.evaluate(env)}, BOXES)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(sums(), affine(("m", "p")), affine(("n", "i")))
def test_two_names_are_substituted_at_once(node: Node, one: Index, two: Index) -> None:
    env = {"m": 1, "n": -2, "p": 2, "i": 3}
    inner = {**env, "i": one.evaluate(env), "m": two.evaluate(env)}
    assert polynomial(substitute(node, {"i": one, "m": two}), env, BOXES) == polynomial(node, inner, BOXES)


WINDOW = summation(product(Access("x", (p + m,)), Access("w", (m,))), Bound("m", Index.of(0), Index.of(2)))


def test_sympy_captures_where_substitute_does_not() -> None:
    P, M = sympy.symbols("p m", integer=True)
    x, w = sympy.IndexedBase("x"), sympy.IndexedBase("w")
    theirs = sympy.Sum(x[P + M] * w[M], (M, 0, 2)).subs(P, M).doit()
    assert theirs == x[0] * w[0] + x[2] * w[1] + x[4] * w[2]  # the trap: m is bound now
    ours = substitute(WINDOW, {"p": m})
    assert isinstance(ours, Reduce)
    assert ours.bounds[0].name == "m'"
    assert "m" in names_in(ours)
    assert polynomial(ours, {"m": 1}, BOXES) == {
        tuple(sorted((("x", (1 + k,)), ("w", (k,))))): Fraction(1) for k in range(3)
    }


def test_the_derivative_by_an_entry_at_the_bound_index_itself() -> None:
    # SymPy: diff(Sum(a*b, m, n), b[m, n]) captures m and n, silently
    for k in range(3):
        result = differentiate(WINDOW, "w", (m,))
        assert polynomial(result, {"m": k, "p": 1}, BOXES) == {(("x", (1 + k,)),): Fraction(1)}
        result = differentiate(WINDOW, "x", (m,))
        expected = {(("w", (k - 1,)),): Fraction(1)} if 0 <= k - 1 <= 2 else {}
        assert polynomial(result, {"m": k, "p": 1}, BOXES) == expected


def test_ranges_and_guards_are_substituted_too() -> None:
    node = summation(Access("x", (m,)), Bound("m", p, p + 2), guards=between(0, m - p, q))
    ours = substitute(node, {"p": m + 1, "q": m})
    for value in range(-1, 3):
        env = {"m": value}
        assert polynomial(ours, env, BOXES) == polynomial(node, {"p": value + 1, "q": value}, BOXES)


def test_a_bound_name_is_not_substituted() -> None:
    assert substitute(WINDOW, {"m": Index.of(7)}) == WINDOW


def test_fresh_names_avoid_inner_names_as_well() -> None:
    inner = summation(product(Access("x", (p + m + "m'",)), Scalar(Index.of("m'"))), Bound("m'", Index.of(0), m))
    node = summation(inner, Bound("m", Index.of(0), Index.of(2)))
    ours = substitute(node, {"p": m})
    for value in range(3):
        assert polynomial(ours, {"m": value}, BOXES) == polynomial(node, {"p": value}, BOXES)
    assert fresh_name("m", {"m", "m'"}) == "m''"


def test_only_those_bound_names_move_that_are_taken() -> None:
    bounds = (Bound("m", Index.of(0), n), Bound("n", m, Index.of(2)))
    node = Reduce("max", bounds, between(0, m - n, p), Access("x", (m + n + p,)))
    assert rename_bounds(node, {"p", "i"}) is node
    o = Index.of("m'")
    moved = Reduce(
        "max",
        (Bound("m'", Index.of(0), n), Bound("n", o, Index.of(2))),
        between(0, o - n, p),
        Access("x", (o + n + p,)),
    )
    assert rename_bounds(node, {"m", "p"}) == moved
    assert rename_bounds(node, {"m", "n"}) == rename_bounds(moved, {"n"})


def test_a_fresh_name_is_not_replaced_in_turn() -> None:
    ours = substitute(WINDOW, {"p": m, "m'": Index.of(5)})
    for value in range(3):
        assert polynomial(ours, {"m": value}, BOXES) == polynomial(WINDOW, {"p": value}, BOXES)


def test_shares_and_named_values_are_substituted_whole() -> None:
    window = Reduce("max", (Bound("m", Index.of(0), Index.of(2)),), (), Access("x", (p + m,)))
    share = substitute(Share("first", window, (i - p,)), {"p": m, "i": q})
    assert isinstance(share, Share)
    assert share.at == (q - m,)
    assert share.reduce.bounds[0].name == "m'"
    assert share.reduce.body == Access("x", (m + "m'",))
    named = Named(Label("c", "c"), (p,), Access("x", (p,)), Access("x", (i,)))
    moved = Named(Label("c", "c"), (m,), Access("x", (m,)), Access("x", (p,)))
    assert substitute(named, {"p": m, "i": p}) == moved


def test_an_operators_formula_read_at_its_own_tap_index() -> None:
    formula = Conv((3,)).output()
    moved = substitute(formula.body, {"p": Index.of("m")})
    boxes = {name: tuple((low.subs({"I": 7}), high.subs({"I": 7})) for low, high in box)
             for name, box in formula.boxes.items()}  # fmt: skip
    assert polynomial(moved, {"m": 2}, boxes) == {
        tuple(sorted((("a", (2 + k,)), ("b", (k,))))): Fraction(1) for k in range(3)
    }
