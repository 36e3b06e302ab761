"""Sums over fixed ranges against their terms, maxima of maxima against one maximum: what holds, and what does not."""

from __future__ import annotations

from fractions import Fraction
from itertools import product as every

from laws import V, engine_proves, statement

from symconv.formulas.algebra import (
    Access,
    Bound,
    Guard,
    Node,
    Power,
    Reduce,
    Scalar,
    add,
    const,
    nonnegative,
    product,
    summation,
)
from symconv.formulas.index import Index, floor
from symconv.proofs.prove import prove_statement
from symconv.proofs.rewriting import one_window

SIZE, m, n, p = (V(name) for name in "Imnp")
OUTPUTS = Bound("p", V(0), SIZE - 4)


def tap(*index: Index) -> Access:
    return Access("a", index)


def window(*bounds: Bound, body: Node, guards: tuple[Guard, ...] = ()) -> Reduce:
    return Reduce("max", bounds, guards, body)


def fixed(name: str, last: int) -> Bound:
    return Bound(name, V(0), V(last))


def test_a_window_is_its_taps_for_all_sizes() -> None:
    whole = summation(product(tap(p + n), Access("b", (n,))), fixed("n", 3))
    taps = [product(tap(p + k), Access("b", (V(k),))) for k in range(4)]
    hypotheses = [nonnegative(SIZE - 4)]
    verdict = prove_statement(statement(whole, add(*taps), [OUTPUTS], hypotheses, a=SIZE, b=V(4)))
    assert verdict.status == "proved"
    for wrong in (add(*taps[:3]), add(*taps, taps[0]), add(*taps[:3], taps[2])):
        assert prove_statement(statement(whole, wrong, [OUTPUTS], hypotheses, a=SIZE, b=V(4))).status == "refuted"
    root = Power(summation(Power(tap(p + n), const(2)), fixed("n", 3)), const(2))
    squares = Power(add(*(Power(tap(p + k), const(2)) for k in range(4))), const(2))
    assert prove_statement(statement(root, squares, [OUTPUTS], hypotheses, a=SIZE)).status == "proved"


def test_some_ranges_may_stay_as_they_are() -> None:
    """Channels are more than would be written out; the taps are written out on one side."""
    whole = summation(tap(64 * (p + n) + m), fixed("n", 2), fixed("m", 63))
    taps = add(*(summation(tap(64 * (p + k) + m), fixed("m", 63)) for k in range(3)))
    claim = statement(whole, taps, [OUTPUTS], [nonnegative(SIZE - 4)], a=64 * SIZE)
    assert engine_proves(claim)


def test_a_number_put_in_hides_no_missing_value() -> None:
    """At n = 0 the left side divides by 0, whatever it is multiplied by."""
    over = fixed("n", 2)
    whole = summation(product(Scalar(n), Power(Scalar(n), const(-1)), tap(n)), over)
    claim = statement(whole, add(tap(V(1)), tap(V(2))), [], [], a=V(3))
    assert not engine_proves(claim)
    rounded = summation(product(Scalar(n), tap(floor(V(2), n))), over)
    written = add(tap(V(2)), product(const(2), tap(V(1))))
    assert not engine_proves(statement(rounded, written, [], [], a=V(3)))  # not without 1 <= n
    stride = V("S")
    nothing = summation(tap(floor(n, stride)), fixed("n", 0))  # floor(0/S) is 0, but only where S is not
    assert not engine_proves(statement(nothing, tap(V(0)), [], [], a=V(3)))
    weighted = summation(product(Scalar(n), tap(floor(SIZE, stride))), fixed("n", 0))
    assert not engine_proves(statement(weighted, const(0), [], [], a=SIZE + 1))
    root = summation(product(Scalar(n), Power(tap(V(1)), const(Fraction(1, 2)))), fixed("n", 0))
    assert not engine_proves(statement(root, const(0), [], [], a=V(3)))  # a[1] may be negative


def test_maxima_of_maxima_are_one_window() -> None:
    rows, columns = fixed("m", 1), fixed("n", 2)
    whole = window(rows, columns, body=tap(p + 3 * m + n))
    nested = window(rows, body=window(columns, body=tap(p + 3 * m + n)))
    turned = window(columns, body=window(rows, body=tap(p + 3 * m + n)))
    outputs, hypotheses = Bound("p", V(0), SIZE - 6), [nonnegative(SIZE - 6)]
    for one, two in every((whole, nested, turned), repeat=2):
        assert prove_statement(statement(one, two, [outputs], hypotheses, a=SIZE)).status == "proved"
    for wrong in (
        window(rows, body=window(fixed("n", 1), body=tap(p + 3 * m + n))),
        window(rows, body=window(columns, body=tap(p + 2 * m + n))),
        window(rows, body=product(const(2), window(columns, body=tap(p + 3 * m + n)))),
    ):
        assert prove_statement(statement(whole, wrong, [outputs], hypotheses, a=SIZE)).status == "refuted"


def test_an_inner_window_may_be_empty_and_may_depend_on_the_outer_tap() -> None:
    """Empty ones are minus infinity: they change no maximum but that of nothing else."""
    triangle = window(fixed("m", 2), body=window(Bound("n", V(1), m), body=tap(n)))
    line = window(Bound("n", V(1), V(2)), body=tap(n))
    assert not engine_proves(statement(triangle, window(fixed("n", 2), body=tap(n)), [], [], a=V(3)))
    assert prove_statement(statement(triangle, line, [], [], a=V(3))).status == "exact"
    empty = window(fixed("m", 2), body=window(Bound("n", V(1), V(0)), body=tap(n)))
    assert prove_statement(statement(empty, line, [], [], a=V(3))).status == "refuted"
    with_zero = window(fixed("m", 2), body=add(const(0), window(fixed("n", 2), body=tap(n)), tap(m)))
    assert one_window(with_zero) == with_zero  # a sum of a maximum and something else is no maximum of maxima


def test_names_of_the_inner_window_are_kept_apart() -> None:
    """The n of the outer guard is not the n of the inner window."""
    inner = window(fixed("n", 3), body=tap(n + m))
    outer = window(fixed("m", 1), body=inner, guards=(nonnegative(n - m),))
    merged = one_window(outer)
    assert len({bound.name for bound in merged.bounds}) == 2
    assert merged.guards == (nonnegative(n - m),)
    assert "n" not in {bound.name for bound in merged.bounds}
