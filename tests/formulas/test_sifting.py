"""Equalities used up, single values put in, variables changed: terms written out by hand, values by plain loops."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import pytest
from plain_loops import Poly, polynomial

from symconv.formulas.algebra import (
    Access,
    Bound,
    Bracket,
    Guard,
    Node,
    Plus,
    Power,
    Reduce,
    Scalar,
    between,
    const,
    divides,
    equal,
    nonnegative,
    product,
    summation,
)
from symconv.formulas.bounds import Knowledge
from symconv.formulas.calculus import absorb, change_variables, normalize, sift, without_single_values
from symconv.formulas.index import Index, floor, quotient
from symconv.formulas.terms import Term

V = Index.of
m, n, p, i, j, S, D, P = (V(name) for name in ("m", "n", "p", "i", "j", "S", "D", "P"))
KNOWN = Knowledge({"S": 1, "D": 1, "P": 0})
BOXES = {"x": ((V(-1), V(4)),), "w": ((V(0), V(2)),)}
M, N = Bound("m", V(0), V(2)), Bound("n", V(-1), V(3))
POINTS = [
    dict(zip(("i", "j", "S", "D", "P"), values, strict=True))
    for values in itertools.product((0, 1, 3), (-1, 2, 3), (1, 2), (1, 3), (0, 2))
]


def x(index: Index) -> Node:
    return Access("x", (index,))


def w(index: Index) -> Node:
    return Access("w", (index,))


def term(*factors: Node, over: Sequence[Bound] = (), where: Sequence[Guard] = (), times: Any = 1) -> Term:
    return Term(Fraction(times), factors, tuple(over), tuple(where))


def values(node: Node) -> list[Poly]:
    return [polynomial(node, point, BOXES) for point in POINTS]


def exact(top: Index, bottom: Index | int) -> Index:
    return quotient(top, bottom, "exact")


twice = 2 * m + i  # of the guards with coefficients that are no units
SIFTED: list[tuple[str, Term, list[str], Term]] = [
    (
        "a unit",
        term(w(m), over=[M], where=[equal(i + m, j)], times=3),
        [],
        term(w(j - i), where=[nonnegative(j - i), nonnegative(2 - j + i)], times=3),
    ),
    (
        "minus a unit",
        term(w(m), x(m + i), over=[Bound("m", V(1), S)], where=[equal(j, m - i)]),
        [],
        term(w(i + j), x(2 * i + j), where=[nonnegative(i + j - 1), nonnegative(S - i - j)]),
    ),
    (
        "a unit that is also a number",
        term(w(m), over=[M], where=[equal(m + i, j), equal(i, j)]),
        [],
        term(w(j - i), where=[equal(i, j), nonnegative(j - i), nonnegative(2 - j + i)]),
    ),
    (
        "twice",
        term(w(m), over=[Bound("m", V(1), V(2))], where=[equal(twice, j)]),
        [],
        term(w(exact(j - i, 2)), where=[divides(2, j - i), nonnegative(j - i - 2), nonnegative(4 - j + i)]),
    ),
    (
        "minus twice",
        term(w(m), over=[M], where=[equal(j, twice)]),
        [],
        term(w(exact(j - i, 2)), where=[divides(2, j - i), nonnegative(j - i), nonnegative(4 - j + i)]),
    ),
    (
        "a size",
        term(x(m), over=[Bound("m", i, V(4))], where=[equal(S * m, j)]),
        [],
        term(x(exact(j, S)), where=[divides(S, j), nonnegative(j - S * i), nonnegative(4 * S - j)]),
    ),
    (
        "minus a size",
        term(x(m), over=[M], where=[equal(j + 1, S * m)]),
        [],
        term(x(exact(j + 1, S)), where=[divides(S, j + 1), nonnegative(j + 1), nonnegative(2 * S - j - 1)]),
    ),
    (
        "a sum of sizes",
        term(x(m), over=[M], where=[equal((S + 2 * D) * m, j)]),
        [],
        term(
            x(exact(j, S + 2 * D)),
            where=[divides(S + 2 * D, j), nonnegative(j), nonnegative(2 * S + 4 * D - j)],
        ),
    ),
    (
        "units first",
        term(x(n), w(m), over=[N, M], where=[equal(S * n + m, j)]),
        [],
        term(x(n), w(j - S * n), over=[N], where=[nonnegative(j - S * n), nonnegative(2 - j + S * n)]),
    ),
    (
        "units first, in another equality too",
        term(x(n), w(m), over=[N, M], where=[equal(S * n, i), equal(m + D * n, j)]),
        ["n"],
        term(
            x(exact(i, S)), w(j - D * exact(i, S)),
            where=[
                nonnegative(j - D * exact(i, S)), nonnegative(2 - j + D * exact(i, S)),
                divides(S, i), nonnegative(S + i), nonnegative(3 * S - i),
            ],
        ),
    ),
    (
        "what is kept goes last",
        term(x(n), w(m), over=[N, M], where=[equal(S * n + m, j)]),
        ["m"],
        term(
            x(exact(j - m, S)), w(m), over=[M],
            where=[divides(S, j - m), nonnegative(j - m + S), nonnegative(3 * S - j + m)],
        ),
    ),
    (
        "of two that are kept a unit goes",
        term(x(n), w(m), over=[N, M], where=[equal(S * n + m, j)]),
        ["n", "m"],
        term(x(n), w(j - S * n), over=[N], where=[nonnegative(j - S * n), nonnegative(2 - j + S * n)]),
    ),
    (
        "the first of two",
        term(x(n), w(m), over=[N, M], where=[equal(n + m, j)]),
        [],
        term(x(j - m), w(m), over=[M], where=[nonnegative(j - m + 1), nonnegative(3 - j + m)]),
    ),
    (
        "two equalities",
        term(x(n), w(m), over=[M, N], where=[equal(n + m, j), nonnegative(n - m), equal(m, i)]),
        [],
        term(
            x(j - i), w(i),
            where=[
                nonnegative(j - 2 * i), nonnegative(i), nonnegative(2 - i),
                nonnegative(j - i + 1), nonnegative(3 - j + i),
            ],
        ),
    ),
    (
        "other conditions follow",
        term(x(m), over=[M], where=[divides(2, m + i), equal(m, j), nonnegative(m - i), nonnegative(i)]),
        [],
        term(x(j), where=[divides(2, i + j), nonnegative(j - i), nonnegative(i), nonnegative(j), nonnegative(2 - j)]),
    ),
    (
        "other ranges follow",
        term(x(m), w(n), over=[M, Bound("n", m, m + i)], where=[equal(m, j)]),
        [],
        term(x(j), w(n), over=[Bound("n", j, j + i)], where=[nonnegative(j), nonnegative(2 - j)]),
    ),
    (
        "a range would speak of its own index",
        term(x(m), w(n), over=[M, Bound("n", m, V(3))], where=[equal(m + n, j)]),
        ["n"],
        term(x(m), w(j - m), over=[M], where=[nonnegative(j - 2 * m), nonnegative(3 - j + m)]),
    ),
    (
        "a range would speak of its own index at its upper end",
        term(x(m), w(n), over=[M, Bound("n", V(0), m)], where=[equal(m + n, j)]),
        [],
        term(x(m), w(j - m), over=[M], where=[nonnegative(j - m), nonnegative(2 * m - j)]),
    ),
    (
        "what is said twice is said once",
        term(x(m), over=[M], where=[nonnegative(j), equal(m, j), nonnegative(2 - m)]),
        [],
        term(x(j), where=[nonnegative(j), nonnegative(2 - j)]),
    ),
    ("what holds goes", term(x(m), over=[M], where=[equal(m, 1), nonnegative(m + 1)]), [], term(x(V(1)))),
    ("what does not hold leaves nothing", term(x(m), over=[M], where=[equal(m, 3)]), [], term(times=0)),
    ("nor what is below", term(x(m), over=[M], where=[nonnegative(i), equal(m, -1)]), [], term(times=0)),
    ("nor two values at once", term(x(m), over=[M, N], where=[equal(m, 1), equal(m, 2)]), [], term(times=0)),
]  # fmt: skip


LEFT_ALONE = [
    ("what may be 0", equal(P * m + i, j)),
    ("minus what may be 0", equal(j - P * m, i)),
    ("what has no sign", equal((S - D) * m, i)),
    ("a free index", equal(i * m, j)),
    ("another bound index", equal(n * m, j)),
    ("a square", equal(m * m, i)),
    ("a rounded quotient", equal(floor(m, 2), j)),
    ("no equality", nonnegative(m - i)),
    ("no equality, but a divisibility", divides(2, m - i)),
    ("no bound index", equal(i, j)),
]


@pytest.mark.parametrize("guard", [pytest.param(guard, id=name) for name, guard in LEFT_ALONE])
def test_what_cannot_be_divided_by_is_left_alone(guard: Guard) -> None:
    given = term(w(m), x(n), over=[N, M], where=[guard])
    assert sift(given, KNOWN) == given
    also = term(w(m), x(n), over=[N, M], where=[guard, equal(j, n)])
    left = term(w(m), x(j), over=[M], where=[guard.subs({"n": j}), nonnegative(j + 1), nonnegative(3 - j)])
    if guard != equal(n * m, j):  # that is solved when n is known
        assert sift(also, KNOWN) == left
    assert values(sift(also, KNOWN).node()) == values(also.node())


@pytest.mark.parametrize(("given", "keep", "expected"), [pytest.param(*rest, id=name) for name, *rest in SIFTED])
def test_sifted_terms_written_out_by_hand(given: Term, keep: list[str], expected: Term) -> None:
    found = sift(given, KNOWN, keep)
    assert (found.coefficient, found.factors, found.bounds) == (expected.coefficient, expected.factors, expected.bounds)
    assert sorted(map(str, found.guards)) == sorted(map(str, expected.guards))
    assert values(expected.node()) == values(given.node())


def test_what_is_known_decides_what_may_be_divided_by() -> None:
    given = term(w(m), over=[M], where=[equal((S - 1) * m, i)])
    assert sift(given, KNOWN) == given
    assert sift(given, Knowledge({"S": 2})).bounds == ()
    given = term(w(m), over=[M], where=[equal((S - D) * m, i)])
    assert sift(given, Knowledge({"S": 1, "D": 1}, facts=[S - D - 1])).bounds == ()
    assert sift(given, Knowledge({"S": 1, "D": 1}, facts=[D - S - 1])).factors == (w(exact(-i, D - S)),)


# ------------------------------------------------------------------ single values

single = Bound("p", V(1), V(1))
SINGLE: list[tuple[str, Node, Node]] = [
    ("none", summation(x(m), M), summation(x(m), M)),
    ("a number", summation(product(x(p + m), Scalar(p)), single, M), summation(product(x(m + 1), Scalar(V(1))), M)),
    ("an index", summation(product(x(p), w(p - i)), Bound("p", i, i)), product(x(i), w(V(0)))),
    ("the lower end alone says nothing", summation(x(p), Bound("p", i, i + 1)), summation(x(p), Bound("p", i, i + 1))),
    (
        "in ranges and conditions",
        summation(w(m), Bound("p", i, i), Bound("m", p, p + 1), guards=[nonnegative(p - 1), divides(2, m + p)]),
        summation(w(m), Bound("m", i, i + 1), guards=[nonnegative(i - 1), divides(2, m + i)]),
    ),
    ("one after the other", summation(product(x(m), w(p)), Bound("p", i, i), Bound("m", p, p)), product(x(i), w(i))),
    (
        "one that is single because another is",
        summation(product(x(m), w(p)), Bound("p", V(1), V(1)), Bound("m", V(1), p)),
        product(x(V(1)), w(V(1))),
    ),
    ("a sum of both", Plus((summation(x(p), single), summation(x(m), M))), Plus((x(V(1)), summation(x(m), M)))),
]  # fmt: skip


@pytest.mark.parametrize(("node", "expected"), [pytest.param(*rest, id=name) for name, *rest in SINGLE])
def test_the_only_value_of_an_index_is_put_in(node: Node, expected: Node) -> None:
    assert without_single_values(node) == expected
    assert values(node) == values(expected)


# ------------------------------------------------------------------ a change of variables


def test_a_change_of_variables_written_out_by_hand() -> None:
    u = Bound("u", V(-9), V(9))
    given = term(
        x(m + n), w(m), over=[M, Bound("n", m, V(3))], where=[nonnegative(n - m - i), divides(2, m + 1)], times=2
    )
    turned = change_variables(given, {"m": V("u") + i}, (u,))
    o = V("u") + i
    assert turned == term(
        x(o + n), w(o), over=[Bound("n", o, V(3)), u],
        where=[nonnegative(n - o - i), divides(2, o + 1), nonnegative(o), nonnegative(2 - o)], times=2,
    )  # fmt: skip
    assert values(turned.node()) == values(given.node())


def test_conditions_that_a_change_of_variables_settles_or_doubles_go() -> None:
    new = (Bound("u", V(0), V(2)),)
    given = term(x(m), over=[M, N], where=[nonnegative(m), nonnegative(m - m + 1)])
    assert change_variables(given, {"m": V("u")}, new) == term(
        x(V("u")), over=[N, *new], where=[nonnegative(V("u")), nonnegative(2 - V("u"))]
    )
    both = change_variables(term(x(m + n), over=[M, N]), {"m": V(1), "n": V("u")}, new)
    assert both == term(x(V("u") + 1), over=new, where=[nonnegative(V("u") + 1), nonnegative(3 - V("u"))])


# ------------------------------------------------------------------ closed forms


def test_a_closed_form_written_out_by_hand() -> None:
    known = Knowledge({}, [Bound("i", V(0), V(3)), Bound("j", V(0), V(1))])
    node = Plus(
        (
            summation(product(const(3), w(m), Bracket((equal(m, j), nonnegative(i - j)))), M),
            summation(product(x(m), Bracket((equal(m, 7),))), M),
            summation(product(x(n), Bracket((nonnegative(i + 1), nonnegative(n + 1), nonnegative(n)))), N),
        )
    )
    expected = Plus(
        (
            Reduce("sum", (), (nonnegative(i - j),), product(const(3), w(j))),
            Reduce("sum", (N,), (nonnegative(n),), x(n)),
        )
    )
    assert normalize(node, known) == expected
    for place in itertools.product(range(4), range(2)):
        env = dict(zip("ij", place, strict=True))
        assert polynomial(node, env, BOXES) == polynomial(expected, env, BOXES)
    assert normalize(summation(product(x(m), Bracket((equal(m, 7),))), M), known) == const(0)


def test_conditions_that_an_entry_of_its_own_term_implies_go() -> None:
    inside_x, inside_w = between(-1, i + m, 4), between(0, m, 2)
    power = Power(x(i + m), const(2))  # not a factor that is an entry
    sums = [
        (product(x(i + m), w(m)), (*inside_x, *inside_w, nonnegative(i)), (nonnegative(i),)),
        (x(i + m), (*inside_x, *inside_w), inside_w),
        (w(m), (*inside_x, inside_w[1]), inside_x),
        (product(w(m), power), (*inside_x, inside_w[0]), inside_x),
        (power, inside_x, inside_x),
    ]
    around = Bound("m", V(-3), V(6))
    for body, guards, left in sums:
        node = summation(body, around, guards=guards)
        assert absorb(node, BOXES) == summation(body, around, guards=left)
        assert values(node) == values(summation(body, around, guards=left))
    whole = Plus(tuple(summation(body, around, guards=guards) for body, guards, _ in sums))
    assert absorb(whole, BOXES) == Plus(tuple(summation(body, around, guards=left) for body, _, left in sums))
