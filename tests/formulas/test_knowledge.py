"""What follows from known ranges, line by line: what must be shown, and what must not since it fails somewhere."""

from __future__ import annotations

import itertools

import pytest

from symconv.formulas.algebra import Bound, divides, equal, nonnegative
from symconv.formulas.bounds import Knowledge
from symconv.formulas.index import Index, IndexLike, ceiling, floor, maximum, minimum, quotient

V = Index.of
S, n, k, y, p, outputs = (V(name) for name in ("S", "n", "k", "y", "p", "O"))
KNOWN = Knowledge({"S": 1, "n": 0, "k": 0}, [Bound("p", V(0), V(5))])


def exact(top: Index, bottom: IndexLike) -> Index:
    return quotient(top, bottom, "exact")


SHOWN = [
    maximum(n, y) - n, maximum(y, n) - n, n - minimum(n, y), n - minimum(y, n), minimum(n, k), maximum(n, k),
    minimum(n + 1, k + 2) - 1, maximum(y, 3) - 3, 2 * maximum(y, k) - 2 * k, exact(n, 2), exact(n, 2) + 1,
    n - p + 5, 5 - p, p * S, 2 * floor(p, 2) - p + 1, 6 - 2 * ceiling(p, 2), 5 - 2 * floor(p, 2), 3 * ceiling(p, 3) - p,
    S * floor(n, S) - n + S - 1, floor(n, 3), 2 * floor(n, 2) - n + 1,
]  # fmt: skip
FALSE = [
    y, n - 1, -S, n - k, maximum(n, y) - k, n - maximum(n, y), minimum(n, y), n - minimum(k, y),
    S * maximum(y, k) - 1, 3 - S * minimum(V(2), y), S * minimum(y, 1), n - S * maximum(n, 1),
    exact(n, 2) - 1, 1 - exact(n, 2), exact(n, S) - 1, 1 - exact(n, S), exact(n, S) - S, 4 - p, p - 1,
    2 * floor(p, 2) - p, 5 - 2 * ceiling(p, 2), 3 - 2 * floor(p, 2), p - 3 * ceiling(p, 3), floor(n, S) - 1,
    n - floor(n, S) - 1, y * S, n * y,
]  # fmt: skip


@pytest.mark.parametrize("expr", SHOWN, ids=str)
def test_what_must_be_shown(expr: Index) -> None:
    assert KNOWN.nonnegative(expr)
    assert KNOWN.holds(nonnegative(expr))


@pytest.mark.parametrize("expr", FALSE, ids=str)
def test_what_fails_somewhere_is_not_shown(expr: Index) -> None:
    assert not KNOWN.nonnegative(expr)
    assert not KNOWN.holds(nonnegative(expr))
    ranges = itertools.product((1, 2), range(5), range(3), range(-2, 3), range(6))
    points = (dict(zip(("S", "n", "k", "y", "p"), values, strict=True)) for values in ranges)
    assert any(expr.evaluate(point) < 0 for point in points)


@pytest.mark.parametrize("d", [2, 3, 4])
def test_every_small_line_with_a_quotient_of_a_bounded_index(d: int) -> None:
    """Between integers nothing is lost where the quotient has the coefficient 1 or -1, or its own divisor."""
    for c, a, r in itertools.product((1, -1, d, -d, 2, -3), range(-3, 4), range(-9, 10)):
        for rounded in (floor, ceiling):
            for last in (d + 1, d + 2):
                expr = c * rounded(p + a, d) + r
                truth = all(expr.evaluate({"p": value}) >= 0 for value in range(last + 1))
                answer = Knowledge({}, [Bound("p", V(0), V(last))]).nonnegative(expr)
                assert truth or not answer, expr
                if c in (1, -1):
                    assert answer == truth, expr


def test_definitions_are_spelled_out_in_ranges_too() -> None:
    known = Knowledge({"n": 1}, [Bound("p", V(0), outputs)], definitions={"O": n + 1})
    assert known.nonnegative(outputs - 2)
    assert known.nonnegative(n + 1 - p)
    assert not known.nonnegative(p - 1)
    known = Knowledge({"n": 1}, [Bound("p", outputs, n + 4)], definitions={"O": n + 1})
    assert known.nonnegative(p - 2)
    assert not known.nonnegative(n + 3 - p)


def test_the_quotient_of_the_index_goes_first() -> None:
    """A range that starts at a quotient: ``⌊p/2⌋ ≥ ⌊n/3⌋`` for p from ``2⌊n/3⌋`` on."""
    third = floor(n, 3)
    known = Knowledge({"n": 0}, [Bound("p", 2 * third, 2 * third + 5)])
    for order in (-third + floor(p, 2), floor(p, 2) - third):
        assert known.nonnegative(order)
        assert not known.nonnegative(order - 1)


def test_a_divisibility_holds_where_every_coefficient_is_a_multiple() -> None:
    assert KNOWN.holds(divides(2, 4 * n - 2 * S))
    assert KNOWN.holds(divides(1, n + 3))
    for guard in (
        divides(2, 4 * n + 1),
        divides(3, 6 * n + 2 * k),
        divides(S, S * n),
        divides(0, n),
        divides(-2, 2 * n + 1),
    ):
        assert not KNOWN.holds(guard)
    assert KNOWN.holds(equal(n + 1, 1 + n))
    assert Knowledge({}, [Bound("p", n, n)]).holds(equal(p, n))
    for guard in (equal(n, 0), equal(p, 5), equal(0, n), equal(5, p)):
        assert not KNOWN.holds(guard)


def test_one_fact_of_several_is_enough() -> None:
    for known in (
        Knowledge({}, facts=[n - k, y]),
        Knowledge({}, facts=[y, n - k]),
        Knowledge({}, facts=[y, outputs], definitions={"O": n - k}),
    ):
        assert known.nonnegative(n - k + 1)
        assert known.nonnegative(y)
        assert not known.nonnegative(n - k - 1)
        assert not known.nonnegative(n)
        assert not known.nonnegative(y - k)
