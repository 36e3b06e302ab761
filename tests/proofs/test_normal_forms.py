"""Normal forms of entries: equal ones have equal values, and identities at one size rest on them."""

from __future__ import annotations

import random
from fractions import Fraction
from typing import Any

import pytest
from laws import V, statement

from symconv.formulas.algebra import (
    Absolute,
    Access,
    Bound,
    Node,
    Power,
    Reduce,
    Sign,
    add,
    const,
    nonnegative,
    product,
)
from symconv.formulas.exact import Numbers, evaluate
from symconv.proofs.exact import identity_at
from symconv.proofs.forms import Forms, NoNormalForm

X, Y = Access("a", (V(0),)), Access("a", (V(1),))
BOX: Any = {"a": ((V(0), V(3)),)}
MINUS = const(-1)


def largest(*nodes: Node) -> Node:
    """A maximum as the difference of sums that it is made of: taps of a window that guards pick."""
    taps = Bound("n", V(0), V(len(nodes) - 1))
    picked = [
        product(node, Reduce("sum", (), (nonnegative(V(k) - "n"), nonnegative(V("n") - k)), const(1)))
        for k, node in enumerate(nodes)
    ]
    return Reduce("max", (taps,), (), add(*picked))


def form(node: Node) -> Any:
    return evaluate(node, {}, Forms(), BOX)


def test_what_is_equal_for_all_tensors() -> None:
    assert form(add(X, Y)) == form(add(Y, X))
    assert form(largest(X, Y, X)) == form(largest(Y, X))
    assert form(largest(X, X)) == form(X)
    assert form(Absolute(add(X, product(MINUS, Y)))) == form(Absolute(add(Y, product(MINUS, X))))
    assert form(Sign(product(MINUS, X))) == form(product(MINUS, Sign(X)))
    assert form(Power(add(X, Y), const(2))) == form(add(product(X, X), product(const(2), X, Y), product(Y, Y)))
    assert form(Power(const(4), const(Fraction(1, 2)))) == form(const(2))
    assert form(Access("a", (V(9),))) == form(const(0))


def test_what_is_not() -> None:
    assert form(largest(X, Y)) != form(X)
    assert form(Absolute(X)) != form(X)
    assert form(Power(product(X, X), const(Fraction(1, 2)))) != form(X)


def test_minus_infinity_takes_no_part_in_sums() -> None:
    nothing = Reduce("max", (Bound("n", V(1), V(0)),), (), X)
    assert form(nothing) != form(const(0))
    for node in (add(nothing, X), product(const(2), nothing), Absolute(nothing)):
        with pytest.raises(NoNormalForm):
            form(node)


def test_equal_forms_have_equal_values() -> None:
    rng = random.Random(3)

    def tree(depth: int) -> Node:
        if depth == 0:
            return rng.choice([X, Y, const(rng.randint(-2, 2))])
        one, two = tree(depth - 1), tree(depth - 1)
        choices = [add(one, two), product(one, two), Absolute(one), Sign(one), largest(one, two), Power(one, const(2))]
        return rng.choice(choices)

    by_form: dict[Any, list[Node]] = {}
    for _ in range(600):
        node = tree(2)
        by_form.setdefault(form(node), []).append(node)
    pairs = 0
    for nodes in by_form.values():
        for x, y in [(0, 0), (1, -1), (-2, 3), (5, 5), (-1, Fraction(1, 2))]:
            domain = Numbers({"a": lambda index, x=x, y=y: Fraction((x, y, 0, 0)[index[0]])})
            assert len({evaluate(node, {}, domain, BOX) for node in nodes}) == 1
        pairs += len(nodes) - 1
    assert pairs > 100


def test_identities_at_a_size() -> None:
    K, n = V("K"), V("n")
    window = Reduce("max", (Bound("n", V(0), K - 1),), (), Access("a", (n,)))
    turned = Reduce("max", (Bound("n", V(0), K - 1),), (), Access("a", (K - 1 - n,)))
    total = Reduce("sum", (Bound("n", V(0), K - 1),), (), Access("a", (n,)))
    same = statement(window, turned, [], [], a=K)
    assert identity_at(same, {"K": 3}) == "equal"
    assert identity_at(statement(window, total, [], [], a=K), {"K": 1}) == "equal"
    assert identity_at(statement(window, total, [], [], a=K), {"K": 2}) == "unknown"
    assert identity_at(statement(total, product(const(2), total), [], [], a=K), {"K": 2}) == "different"
