"""Rules on formulas made by hand: what they rewrite, and what they leave alone."""

from __future__ import annotations

from symconv.derivations import rules
from symconv.formulas.algebra import Access, Bracket, Label, Named, Node, add, equal
from symconv.formulas.formula import Formula
from symconv.formulas.index import Index
from symconv.operators.convolution import Conv

AT, P = Index.of("i"), Index.of("p")
ENTRY, DELTA = Access("a", (P,)), Bracket((equal(P, AT),))


def made(body: Node) -> Formula:
    return Conv((3,)).output().with_body(body)


def named(value: Node, wrt: Access | None) -> Named:
    return Named(Label("x", "x"), (P,), value, wrt)


def test_independence_is_used_for_derivatives_of_entries_alone() -> None:
    by = Access("a", (AT,))
    kept = (named(DELTA, None), named(ENTRY, None), named(ENTRY, by))
    body = add(named(DELTA, by), *kept)
    assert rules.use_independence(made(body)).body == add(DELTA, *kept)


def test_a_derivative_is_put_in_for_its_name() -> None:
    assert rules.insert(made(named(ENTRY, Access("a", (AT,))))).body == ENTRY
