"""Guards turned into the ends of ranges, dropped where they always hold, and counts in closed form."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from fractions import Fraction

import pytest
from plain_loops import polynomial

from symconv.formulas.algebra import (
    ONE,
    Absolute,
    Access,
    Bound,
    Guard,
    Multiply,
    Node,
    Reduce,
    Scalar,
    Share,
    divides,
    equal,
    nonnegative,
)
from symconv.formulas.bounds import Knowledge
from symconv.formulas.calculus import closed_count, settle, tighten, without_settled_guards
from symconv.formulas.index import Index, ceiling, floor, maximum, minimum
from symconv.formulas.terms import Term

V = Index.of
m, n, i, j, S, P = (V(name) for name in ("m", "n", "i", "j", "S", "P"))
KNOWN = Knowledge({"S": 1, "P": 0}, [Bound("i", V(0), V(4)), Bound("j", V(-2), V(3))])
M, N = Bound("m", V(0), V(9)), Bound("n", V(-3), V(3))
BOXES = {"x": ((V(-9), V(9)),), "w": ((V(-3), V(12)),)}
POINTS = [
    dict(zip(("i", "j", "S", "P"), values, strict=True))
    for values in itertools.product((0, 3), (-2, 3), (1, 2), (0, 1))
]
BODY = Multiply((Access("w", (m,)), Access("x", (n,))))


def over(bounds: Sequence[Bound], guards: Sequence[Guard]) -> Term:
    return Term(Fraction(-2), (Scalar(j), Access("w", (m,)), Access("x", (n,))), tuple(bounds), tuple(guards))


TIGHT: list[tuple[str, tuple[Bound, ...], list[Guard], tuple[Bound, ...], list[Guard]]] = [
    ("nothing", (M,), [], (M,), []),
    ("a lower end", (M,), [nonnegative(m - i - 1)], (Bound("m", i + 1, V(9)),), []),
    ("a lower end that may be below", (M,), [nonnegative(m - j)], (Bound("m", maximum(0, j), V(9)),), []),
    ("an upper end", (M,), [nonnegative(i - m)], (Bound("m", V(0), i),), []),
    ("an upper end that may be above", (M,), [nonnegative(S + i - m)], (Bound("m", V(0), minimum(9, S + i)),), []),
    ("both ends", (M,), [nonnegative(i - m), nonnegative(m - 1)], (Bound("m", V(1), i),), []),
    ("rounded up", (M,), [nonnegative(2 * m - i)], (Bound("m", ceiling(i, 2), V(9)),), []),
    ("rounded down", (M,), [nonnegative(i + 1 - 3 * m)], (Bound("m", V(0), floor(i + 1, 3)),), []),
    ("by a size", (M,), [nonnegative(S * m - 2)], (Bound("m", maximum(0, ceiling(2, S)), V(9)),), []),
    ("by minus a size", (M,), [nonnegative(i - S * m)], (Bound("m", V(0), minimum(9, floor(i, S))),), []),
    ("what may be 0 stays", (M,), [nonnegative(P * m - i)], (M,), [nonnegative(P * m - i)]),
    ("minus what may be 0 stays", (M,), [nonnegative(i - P * m)], (M,), [nonnegative(i - P * m)]),
    ("one more than that goes", (M,), [nonnegative(P * m + m - i)], (Bound("m", ceiling(i, P + 1), V(9)),), []),
    ("what has no sign stays", (M,), [nonnegative((S - P) * m - 1)], (M,), [nonnegative((S - P) * m - 1)]),
    ("an equality stays", (M,), [equal(m, i)], (M,), [equal(m, i)]),
    ("a divisibility stays", (M,), [divides(2, m - i)], (M,), [divides(2, m - i)]),
    ("a square stays", (M,), [nonnegative(m * m - i)], (M,), [nonnegative(m * m - i)]),
    ("a rounded quotient stays", (M,), [nonnegative(floor(m, 2) - i)], (M,), [nonnegative(floor(m, 2) - i)]),
    ("another name stays", (M,), [nonnegative(j)], (M,), [nonnegative(j)]),
    ("what speaks of two stays", (M, N), [nonnegative(m - n)], (M, N), [nonnegative(m - n)]),
    (
        "each has its own",
        (M, N), [nonnegative(n - j - 1), nonnegative(i - m)],
        (Bound("m", V(0), i), Bound("n", j + 1, V(3))), [],
    ),
    (
        "the others are left",
        (M, N),
        [nonnegative(m - n), nonnegative(m - 2), equal(n, j), nonnegative(1 - n)],
        (Bound("m", V(2), V(9)), Bound("n", V(-3), V(1))),
        [nonnegative(m - n), equal(n, j)],
    ),
    ("of three the largest", (M,), [nonnegative(m - i), nonnegative(m - i - 2)], (Bound("m", i + 2, V(9)),), []),
    ("of three the largest, first", (M,), [nonnegative(m - i - 2), nonnegative(m - i)], (Bound("m", i + 2, V(9)),), []),
    (
        "of three upper ends the smallest",
        (M,), [nonnegative(i + 2 - m), nonnegative(i - m)], (Bound("m", V(0), i),), [],
    ),
    (
        "two that may both decide",
        (M,), [nonnegative(m - j), nonnegative(m - i)], (Bound("m", maximum(j, i), V(9)),), [],
    ),
    (
        "two upper ends that may both decide",
        (M,), [nonnegative(j + S - m), nonnegative(i - m)], (Bound("m", V(0), minimum(j + S, i)),), [],
    ),
    (
        "one that beats two",
        (M,), [nonnegative(m - j), nonnegative(m - i - 3)], (Bound("m", i + 3, V(9)),), [],
    ),
    (
        "an end with another bound index",
        (Bound("n", V(0), V(3)), Bound("m", n - 3, V(9))), [nonnegative(m)],
        (Bound("n", V(0), V(3)), Bound("m", V(0), V(9))), [],
    ),
    (
        "the name of a free index, bound to lower values",
        (Bound("m", i, V(9)), Bound("i", V(-3), V(1))), [nonnegative(m)],
        (Bound("m", maximum(i, 0), V(9)), Bound("i", V(-3), V(1))), [],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("bounds", "guards", "tight", "left"), [pytest.param(*rest, id=name) for name, *rest in TIGHT])
def test_ranges_written_out_by_hand(
    bounds: tuple[Bound, ...], guards: list[Guard], tight: tuple[Bound, ...], left: list[Guard]
) -> None:
    given, expected = over(bounds, guards), over(tight, left)
    assert tighten(given, KNOWN) == expected
    for env in POINTS:
        point = {**env, "m": 1, "n": 2}  # those that are not bound here
        assert polynomial(given.node(), point, BOXES) == polynomial(expected.node(), point, BOXES)


# ------------------------------------------------------------------ what always holds

always, never, sometimes = nonnegative(i), nonnegative(-1 - i), nonnegative(i - 1)


def test_conditions_that_hold_where_the_ranges_do_are_dropped() -> None:
    given = over([M, N], [always, nonnegative(m), sometimes, nonnegative(n + 3), nonnegative(n + m + 2), never])
    assert without_settled_guards(given, KNOWN) == over([M, N], [sometimes, nonnegative(n + m + 2), never])


def test_conditions_that_hold_are_dropped_from_every_reduction_of_a_tree() -> None:
    def tree(outer: Sequence[Guard], inner: Sequence[Guard], share: Sequence[Guard]) -> Node:
        inside_it = Reduce("max", (N,), tuple(inner), Access("x", (n + m,)))
        part = Share("first", Reduce("min", (N,), tuple(share), Access("x", (n,))), (m,))
        return Absolute(Reduce("sum", (M,), tuple(outer), Multiply((inside_it, part, Scalar(i)))))

    given = tree(
        [always, nonnegative(m), sometimes],
        [nonnegative(n + m + 3), nonnegative(n), always],
        [always, nonnegative(n - 1)],
    )
    assert settle(given, KNOWN) == tree([sometimes], [nonnegative(n)], [nonnegative(n - 1)])
    assert settle(Access("x", (i,)), KNOWN) == Access("x", (i,))


def test_an_index_that_hides_another_one_of_its_name_has_a_range_of_its_own() -> None:
    """i, and with it what is known of it, is another one in here."""
    lower = Bound("i", V(-3), V(1))
    guards = (nonnegative(m), sometimes, always)
    for bounds in ((Bound("m", i, V(2)), lower), (lower, Bound("m", i, V(2)))):
        node = Reduce("sum", bounds, guards, Access("w", (m,)))
        assert settle(node, KNOWN) == node
    p, outputs, more = V("p"), V("O"), V("Q")
    outer = [Bound("i", V(0), V(4)), Bound("p", i, V(5)), Bound("q", V(0), i)]
    known = Knowledge({"i": 0, "k": 1}, outer, [i - 2, j - 1], {"O": i + 1, "Q": j + 1})
    inner = known.within([Bound("m", i, V(2)), lower])
    for expr in (i, i - 2, m, outputs, outputs + 3, p, p - i, i - V("q"), more - outputs):
        assert not inner.nonnegative(expr), expr
    for expr in (i + 3, 1 - i, j - 1, more - 2, 2 - m, 5 - p, V("q"), V("k") - 1):
        assert inner.nonnegative(expr), expr
    for expr in (i - 2, outputs, p, p - i, i - V("q")):
        assert known.nonnegative(expr), expr


# ------------------------------------------------------------------ counts


def count(*bounds: Bound, where: Sequence[Guard] = (), body: Node = ONE, op: str = "sum") -> Reduce:
    return Reduce(op, bounds, tuple(where), body)  # type: ignore[arg-type]


COUNTS: list[tuple[str, Reduce, Index | None]] = [
    ("a range of numbers", count(Bound("m", V(2), V(6))), V(5)),
    ("an empty range", count(Bound("m", V(2), V(-4))), V(0)),
    ("a range of one", count(Bound("m", i, i)), V(1)),
    ("a range that is never empty", count(Bound("m", i, S + i)), S + 1),
    ("a range that ends just below its start", count(Bound("m", V(1), i)), i),
    ("a range that may be empty", count(Bound("m", V(2), i)), maximum(0, i - 1)),
    ("a range that may be far from one", count(Bound("m", V(0), j)), maximum(0, j + 1)),
    ("a range under conditions", count(M, where=[nonnegative(m - i), nonnegative(i + 2 - m)]), V(3)),
    ("a range under two conditions", count(M, where=[nonnegative(2 * m - 3), nonnegative(i + 1 - m)]), i),
    ("a divisibility", count(M, where=[divides(2, m)]), None),
    ("an equality", count(M, where=[nonnegative(m - 1), equal(m, i)]), None),
    ("a maximum", count(M, op="max"), None),
    ("a minimum", count(M, op="min"), None),
    ("a sum of entries", count(M, body=Access("w", (m,))), None),
    ("a sum of twos", count(M, body=Scalar(V(2))), None),
    ("two indices", count(M, N), None),
    ("no index", count(where=[nonnegative(j)]), None),
]


@pytest.mark.parametrize(("node", "expected"), [pytest.param(*rest, id=name) for name, *rest in COUNTS])
def test_counts_written_out_by_hand(node: Reduce, expected: Index | None) -> None:
    found = closed_count(node, KNOWN)
    assert found == expected
    if found is not None:
        for env in POINTS:
            assert polynomial(node, env, BOXES).get((), 0) == found.evaluate(env)
