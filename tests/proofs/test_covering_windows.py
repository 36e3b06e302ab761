"""Maxima of windows that cover one window, of one tap, and of negated values: proved where it holds, and only there."""

from __future__ import annotations

from itertools import product as every

import pytest

from symconv.formulas.algebra import Access, Bound, Guard, Node, Reduce, add, between, const, product
from symconv.formulas.formula import Formula
from symconv.formulas.index import Index, IndexLike
from symconv.formulas.quantity import Quantity, Tensor
from symconv.proofs.prove import prove
from symconv.proofs.verdict import Verdict

I = Index.of  # noqa: E741


def a(index: IndexLike) -> Access:
    return Access("a", (I(index),))


def fold(op: str, *bounds: tuple[str, int, int], body: Node, guards: tuple[Guard, ...] = ()) -> Node:
    ranges = tuple(Bound(name, I(low), I(high)) for name, low, high in bounds)
    return Reduce(op, ranges, guards, body)  # type: ignore[arg-type]


def proved(left: Node, right: Node) -> Verdict:
    """The verdict on ``c[p] = left`` and ``c[p] = right``, for an array of 40 more entries than there are places."""
    tensor = Tensor("a", "input", ((I(0), I("N") + 40),))
    formula = Formula(
        Quantity("entry", ("c", ("p",))), (Bound("p", I(0), I("N") - 1),), left, (tensor,), lower=(("N", 1),)
    )
    return prove(formula, formula.with_body(right))


CASES = [(A, B, s) for A, B, s in every((1, 2, 4), (0, 1, 3), (-5, -4, -2, -1, 1, 2, 3, 4, 5))]


@pytest.mark.parametrize("op", ["max", "min"])
@pytest.mark.parametrize(("outer", "inner", "step"), CASES)
def test_windows_at_equal_distances(outer: int, inner: int, step: int, op: str) -> None:
    """``i`` in 0..outer and ``j`` in 0..inner read ``j + step*i``: a window where no entry between is left out."""
    read = {20 + j + step * i for i, j in every(range(outer + 1), range(inner + 1))}
    low, high = min(read), max(read)
    body = a(I("p") + 20 + I("j") + step * I("i"))
    whole = fold(op, ("m", low, high), body=a(I("p") + I("m")))
    for nested in (
        fold(op, ("i", 0, outer), body=fold(op, ("j", 0, inner), body=body)),
        fold(op, ("j", 0, inner), ("i", 0, outer), body=body),
    ):
        verdict = proved(whole, nested)
        covered = read == set(range(low, high + 1))
        assert (verdict.status == "proved") is covered
        assert inner == 0 or verdict.record is None  # a certificate knows of bijections


@pytest.mark.parametrize("slip", [-1, 1])
def test_one_tap_more_or_less(slip: int) -> None:
    nested = fold("max", ("i", 0, 1), body=fold("max", ("j", 0, 3), body=a(I("p") + I("j") + 3 * I("i"))))
    assert proved(fold("max", ("m", 0, 6), body=a(I("p") + I("m"))), nested).status == "proved"
    assert proved(fold("max", ("m", 0, 6 + slip), body=a(I("p") + I("m"))), nested).status == "refuted"
    assert proved(fold("max", ("m", 1, 7), body=a(I("p") + I("m"))), nested).status == "refuted"


def test_a_sum_counts_what_is_read_twice() -> None:
    nested = fold("sum", ("i", 0, 1), body=fold("sum", ("j", 0, 3), body=a(I("p") + I("j") + 3 * I("i"))))
    assert proved(fold("sum", ("m", 0, 6), body=a(I("p") + I("m"))), nested).status == "refuted"


def test_conditions_are_of_the_entry_that_is_read() -> None:
    at = I("p") + I("j") + 2 * I("i")
    inside = between(2, at, I("N"))
    nested = fold("max", ("i", 0, 2), body=fold("max", ("j", 0, 1), body=a(at), guards=inside))
    place = I("p") + I("m")
    assert proved(fold("max", ("m", 0, 5), body=a(place), guards=between(2, place, I("N"))), nested).holds
    assert not proved(fold("max", ("m", 0, 5), body=a(place), guards=between(1, place, I("N"))), nested).holds
    other = fold("max", ("i", 0, 2), ("j", 0, 1), body=a(at), guards=(Guard("ge", I("i") + I("p") - 1),))
    assert not proved(fold("max", ("m", 0, 5), body=a(place)), other).holds


def test_what_depends_on_both_taps_is_no_window() -> None:
    """The weight is another at every pair of taps."""
    body = add(a(I("p") + I("i") + I("j")), a(I("i")))
    nested = fold("max", ("i", 0, 1), ("j", 0, 1), body=body)
    assert not proved(fold("max", ("m", 0, 2), body=add(a(I("p") + I("m")), a(0))), nested).holds


def test_one_tap() -> None:
    for op in ("max", "min"):
        assert proved(a(I("p") + 3), fold(op, ("m", 3, 3), body=a(I("p") + I("m")))).status == "proved"
        assert proved(a(I("p") + 3), fold(op, ("m", 3, 3), ("n", 0, 0), body=a(I("p") + I("m") + I("n")))).holds
        assert proved(a(I("p") + 3), fold(op, ("m", 4, 4), body=a(I("p") + I("m")))).status == "refuted"
        assert not proved(a(I("p") + 3), fold(op, ("m", 3, 4), body=a(I("p") + I("m")))).holds


def test_a_minimum_is_a_negated_maximum() -> None:
    difference = add(a(I("p") + I("m")), product(const(-1), a(I("m"))))
    turned = add(product(const(-1), a(I("p") + I("m"))), a(I("m")))
    taps = ("m", 0, 2)
    for one, other in (("max", "min"), ("min", "max")):
        assert proved(fold(one, taps, body=difference), product(const(-1), fold(other, taps, body=turned))).holds
        assert not proved(fold(one, taps, body=difference), product(const(-1), fold(one, taps, body=turned))).holds
        assert not proved(fold(one, taps, body=difference), fold(other, taps, body=turned)).holds
        assert not proved(
            fold(one, taps, body=difference), product(const(-1), fold(other, taps, body=difference))
        ).holds
