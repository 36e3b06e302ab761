"""Rules on formulas made by hand: what they rewrite, and what they leave alone."""

from __future__ import annotations

import pytest

from symconv.derivations import rules
from symconv.formulas.algebra import (
    Access,
    Bracket,
    Guard,
    Label,
    Named,
    Node,
    Reduce,
    add,
    divides,
    equal,
    nonnegative,
    summation,
)
from symconv.formulas.formula import Formula
from symconv.formulas.index import Index, quotient
from symconv.formulas.walks import walk
from symconv.operators.convolution import Conv

AT, P = Index.of("i"), Index.of("p")
ENTRY, DELTA = Access("a", (P,)), Bracket((equal(P, AT),))


def made(body: Node) -> Formula:
    return Conv((3,)).output(index_base=1).with_body(body)


def named(value: Node, wrt: Access | None) -> Named:
    return Named(Label("x", "x"), (P,), value, wrt)


def test_independence_is_used_for_derivatives_of_entries_alone() -> None:
    by = Access("a", (AT,))
    kept = (named(DELTA, None), named(ENTRY, None), named(ENTRY, by))
    body = add(named(DELTA, by), *kept)
    assert rules.use_independence(made(body)).body == add(DELTA, *kept)


def test_a_derivative_is_put_in_for_its_name() -> None:
    assert rules.insert(made(named(ENTRY, Access("a", (AT,))))).body == ENTRY


@pytest.mark.parametrize("scale", [2, 3, Index.of("S")])
def test_what_an_upsampled_array_says_itself_is_no_condition_of_its_line(scale: Index | int) -> None:
    """``x[(p - 1)/s + 1]`` under ``s | p - 1``, indices from 1, is the entry at p of x with s - 1 zeros between."""
    at = quotient(P - 1, Index.of(scale), "exact") + 1
    own = (divides(scale, P - 1), divides(scale, P - 1 + 2 * Index.of(scale)))
    for guards in (own[:1], own[1:]):
        assert read(at, guards, scale) == ((P + 5,), ())
    others: tuple[Guard, ...] = (divides(scale, P), divides(5, P - 1), nonnegative(P - 1), divides(scale, 1 - 2 * P))
    for other in others:
        assert read(at, (*own, other), scale) == ((P + 5,), (other,))


def read(at: Index, guards: tuple[Guard, ...], scale: Index | int) -> tuple[tuple[Index, ...], tuple[Guard, ...]]:
    """Where an entry of an upsampled and padded array is read, and which conditions are left."""
    body = summation(Access("a", (at,)), guards=guards)
    formula = rules.name_access(made(body), "a", Label("x", "x"), [Index.of(scale)], [Index.of(5)])
    (node,) = [part for part in walk(formula.body) if isinstance(part, Named)]
    left = {guard for part in walk(formula.body) if isinstance(part, Reduce | Bracket) for guard in part.guards}
    inner = {guard for part in walk(node) if isinstance(part, Reduce | Bracket) for guard in part.guards}
    return node.index, tuple(guard for guard in guards if guard in left - inner)


def test_a_rule_says_its_law_in_one_line() -> None:
    assert rules.RULES["insert"] == "Put the closed form of the derivative in for its name."
    assert rules.RULES["count"].startswith("Count the places: ")
    assert all(law.endswith(".") and "\n" not in law for law in rules.RULES.values())
