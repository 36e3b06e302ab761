"""Effort is counted, runs out, and is shared between a whole and its parts."""

import pytest

from symconv.formulas.algebra import Access, Bound, Constant, add, product, summation
from symconv.formulas.effort import Effort, OutOfEffort
from symconv.formulas.exact import polynomials
from symconv.formulas.index import Index
from symconv.formulas.terms import expand

V = Index.of


def test_a_part_is_spent_along_with_its_whole() -> None:
    whole = Effort(100)
    half = whole.part(1, 2)
    half.spend(30)
    assert (half.left, whole.left) == (20, 70)
    rest = whole.part()
    assert rest.limit == 70


def test_what_was_taken_twice_is_gone_for_the_part_too() -> None:
    whole = Effort(100)
    part = whole.part(1, 2)
    whole.spend(90)
    assert part.left == 10
    with pytest.raises(OutOfEffort):
        part.spend(11)


def test_it_runs_out_and_stays_so() -> None:
    effort = Effort(10)
    effort.spend(10)
    assert effort.left == 0
    for _ in range(2):
        with pytest.raises(OutOfEffort):
            effort.spend(1)
    assert effort.part().limit == 0


def test_products_of_sums_stop_before_they_are_multiplied_out() -> None:
    """Sixty factors of two terms each would be 2**60 terms."""
    pair = add(Access("a", (V("i"),)), Access("b", (V("i"),)))
    node = product(*(product(Constant(2), pair) for _ in range(60)))
    with pytest.raises(OutOfEffort):
        expand(node, Effort(100_000))


def test_sums_stop_before_they_are_worked_out() -> None:
    bounds = [Bound(name, V(1), V(100)) for name in "ijk"]
    total = summation(product(*(Access("a", (V(name),)) for name in "ijk")), *bounds)
    boxes = {"a": ((V(1), V(100)),)}
    with pytest.raises(OutOfEffort):
        polynomials(total, (), {}, boxes, effort=Effort(1_000_000))
    short = summation(Access("a", (V("i"),)), bounds[0])
    assert len(polynomials(short, (), {}, boxes, effort=Effort(1_000_000))[()]) == 100
