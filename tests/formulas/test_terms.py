"""Trees brought to terms and back: the terms written out by hand, and their values by plain loops."""

from __future__ import annotations

from fractions import Fraction

import pytest
from plain_loops import Poly, polynomial

from symconv.formulas.algebra import (
    ONE,
    Absolute,
    Access,
    Bound,
    Bracket,
    Compare,
    Guard,
    Label,
    Multiply,
    Named,
    Node,
    Plus,
    Power,
    Reduce,
    Scalar,
    Share,
    Sign,
    const,
    divides,
    equal,
    nonnegative,
    product,
    summation,
)
from symconv.formulas.effort import Effort, OutOfEffort
from symconv.formulas.index import Index
from symconv.formulas.terms import Term, expand, rebuild, rename_term

V = Index.of
m, n, i, j = (V(name) for name in "mnij")
UP_TO_2 = Bound("m", V(0), V(2))
BOXES = {"x": ((V(-1), V(4)),), "w": ((V(0), V(2)),)}
POINTS = [
    {"i": 0, "j": 1, "m": 2, "m'": 1},
    {"i": 1, "j": 2, "m": 1, "m'": 0},
    {"i": 2, "j": -1, "m": 0, "m'": -1},
    {"i": -1, "j": 0, "m": 1, "m'": 2},
]


def x(index: Index) -> Node:
    return Access("x", (index,))


def w(index: Index) -> Node:
    return Access("w", (index,))


def values(node: Node) -> list[Poly]:
    return [polynomial(node, point, BOXES) for point in POINTS]


def term(coefficient: int | Fraction, *factors: Node, bounds: tuple[Bound, ...] = (), guards: object = ()) -> Term:
    return Term(Fraction(coefficient), factors, bounds, tuple(guards))  # type: ignore[arg-type]


MAXIMUM = Reduce("max", (UP_TO_2,), (nonnegative(m - i),), x(m))
MINIMUM = Reduce("min", (UP_TO_2,), (), x(m))
ATOMS = [
    x(i), Absolute(x(i)), Sign(x(i)), Compare(x(i), ">", w(i)), MAXIMUM, MINIMUM, Share("first", MINIMUM, (i,)),
    Scalar(i), Power(x(i), const(2)), Power(x(i), Scalar(V("P"))), Power(x(i), const(Fraction(1, 2))),
]  # fmt: skip


@pytest.mark.parametrize("atom", ATOMS, ids=lambda atom: type(atom).__name__)
def test_what_is_no_sum_and_no_product_is_a_factor_as_it_is(atom: Node) -> None:
    assert expand(atom) == [term(1, atom)]
    assert expand(Multiply((const(3), atom, atom))) == [term(3, atom, atom)]


SINGLE = [
    ("a number", const(Fraction(-2, 3)), [term(Fraction(-2, 3))]),
    ("zero", const(0), []),
    ("an index with a value", Scalar(V(3)), [term(3)]),
    ("an index with the value zero", Scalar(i - i), []),
    ("a power that is none", Power(Plus((x(i), const(2))), ONE), [term(1, x(i)), term(2)]),
    ("a name", Named(Label("c", "c"), (i,), Multiply((const(2), x(i)))), [term(2, x(i))]),
    ("a bracket", Bracket((nonnegative(i), equal(i, j))), [term(1, guards=[nonnegative(i), equal(i, j)])]),
    ("a bracket that holds", Bracket((nonnegative(V(0)), divides(2, V(4)))), [term(1)]),
    ("a bracket that holds in part", Bracket((nonnegative(V(0)), nonnegative(i))), [term(1, guards=[nonnegative(i)])]),
    ("a bracket that does not hold", Bracket((nonnegative(i), nonnegative(V(-1)))), []),
    ("one condition twice", Bracket((nonnegative(i), nonnegative(i))), [term(1, guards=[nonnegative(i)])]),
    (
        "the same brackets",
        Multiply((Bracket((nonnegative(i), equal(i, j))), Bracket((divides(2, i), nonnegative(i))))),
        [term(1, guards=[nonnegative(i), equal(i, j), divides(2, i)])],
    ),
    ("a product", Multiply((const(2), x(i), const(Fraction(1, 4)), w(j))), [term(Fraction(1, 2), x(i), w(j))]),
    (
        "a product of sums, in its order",
        Multiply((Plus((x(i), const(3))), Plus((w(j), const(5))))),
        [term(1, x(i), w(j)), term(5, x(i)), term(3, w(j)), term(15)],
    ),
    (
        "a sum",
        summation(Multiply((const(2), x(m))), UP_TO_2, guards=[nonnegative(i - m)]),
        [term(2, x(m), bounds=(UP_TO_2,), guards=[nonnegative(i - m)])],
    ),
    (
        "a condition on the sum and in it",
        Reduce(
            "sum", (UP_TO_2,), (nonnegative(m - 1), equal(i, j)),
            Multiply((x(m), Bracket((nonnegative(i), nonnegative(m - 1))))),
        ),
        [term(1, x(m), bounds=(UP_TO_2,), guards=[nonnegative(i), nonnegative(m - 1), equal(i, j)])],
    ),
    ("a sum under a condition that fails", Reduce("sum", (UP_TO_2,), (nonnegative(V(-1)),), x(m)), []),
    (
        "a product of sums over indices that are named apart",
        Multiply((summation(x(m), UP_TO_2), summation(w(n + j), Bound("n", i, V(1))))),
        [term(1, x(m), w(n + j), bounds=(UP_TO_2, Bound("n", i, V(1))))],
    ),
    (
        "a sum in a sum",
        summation(summation(x(m + n), Bound("n", m, V(3))), UP_TO_2),
        [term(1, x(m + n), bounds=(UP_TO_2, Bound("n", m, V(3))))],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("node", "expected"), [pytest.param(*rest, id=name) for name, *rest in SINGLE])
def test_terms_written_out_by_hand(node: Node, expected: list[Term]) -> None:
    assert expand(node) == expected


REBUILT = [
    ("a number", term(3), const(3)),
    ("a number before a product", term(3, x(i), w(j)), Multiply((const(3), x(i), w(j)))),
    ("a sum without a number", term(1, x(m), bounds=(UP_TO_2,)), Reduce("sum", (UP_TO_2,), (), x(m))),
    (
        "a number before a sum",
        term(3, x(m), w(m), bounds=(UP_TO_2,), guards=[nonnegative(m - i)]),
        Multiply((const(3), Reduce("sum", (UP_TO_2,), (nonnegative(m - i),), Multiply((x(m), w(m)))))),
    ),
    (
        "a number under a condition alone",
        term(3, x(i), guards=[nonnegative(i)]),
        Reduce("sum", (), (nonnegative(i),), Multiply((const(3), x(i)))),
    ),
]


@pytest.mark.parametrize(("one", "expected"), [pytest.param(*rest, id=name) for name, *rest in REBUILT])
def test_trees_of_terms_written_out_by_hand(one: Term, expected: Node) -> None:
    assert one.node() == expected
    assert rebuild([one]) == expected
    assert rebuild([one, term(1, x(j))]) == Plus((expected, x(j)))
    assert rebuild([]) == const(0)


# ------------------------------------------------------------------ indices that are named alike

RANGES = (UP_TO_2, Bound("m", i, V(2)), Bound("m", V(0), i + 1), Bound("m", V(-1), V(1)))
GUARDS = ((), (nonnegative(i - m + 1),), (divides(2, m + i),))
INNER = (
    *(summation(product(x(m + i), w(m)), bound, guards=guards) for bound in RANGES for guards in GUARDS),
    product(const(2), x(m), w(i)),  # m is free here
    product(Scalar(m + 1), Bracket((nonnegative(m - i),))),
    summation(x(i), Bound("i", V(0), m)),  # it binds what the others have free
    summation(product(x(j), Scalar(i)), Bound("j", m, i + 2), Bound("m", V(0), V(1))),
    summation(w(i), Bound("i", m, V(2)), guards=[nonnegative(m)]),
    summation(w(j), Bound("j", V(0), V(2)), guards=[equal(m, j)]),
    summation(Scalar(j), Bound("j", V(1), V(1)), Bound("i", j, V(1)), guards=[nonnegative(m)]),
)


@pytest.mark.parametrize("left", range(len(INNER)))
def test_a_product_keeps_indices_apart_that_are_named_alike(left: int) -> None:
    """m is bound in one factor and free, or bound to another range, in the next; so are i and j."""
    for right in INNER:
        node = Multiply((INNER[left], right))
        (one,) = expand(node)
        names = [bound.name for bound in one.bounds]
        assert len(set(names)) == len(names)
        assert values(one.node()) == values(node)


OUTER = [
    ((Bound("j", V(0), V(1)),), ()),
    ((Bound("m", V(0), V(1)),), ()),
    ((Bound("i", V(0), V(1)), Bound("j", V(0), V(1))), ()),
    ((Bound("k", i, V(1)),), ()),  # the inner sums bind m, i and j: each is taken by one end or condition out here
    ((Bound("k", V(0), i),), ()),
    ((Bound("k", m, V(1)),), ()),
    ((Bound("k", V(-1), m),), ()),
    ((Bound("k", V(0), j + m), Bound("l", j, V(1))), ()),
    ((Bound("k", V(0), V(1)), Bound("l", V(0), m)), ()),
    ((Bound("k", V(0), V(1)),), (nonnegative(m - 1), divides(2, i))),
    ((), (nonnegative(m - j),)),
]


@pytest.mark.parametrize(("bounds", "guards"), OUTER)
def test_a_sum_of_sums_keeps_indices_apart_that_are_named_alike(
    bounds: tuple[Bound, ...], guards: tuple[Guard, ...]
) -> None:
    for inner in INNER:
        node = Reduce("sum", bounds, guards, inner)
        (one,) = expand(node)
        names = [bound.name for bound in one.bounds]
        assert len(set(names)) == len(names)
        assert values(one.node()) == values(node)


def test_bound_names_move_away_from_what_is_taken_and_from_each_other() -> None:
    bounds = (UP_TO_2, Bound("n", m, V(3)))
    one = term(2, x(m + n), w(n), bounds=bounds, guards=[nonnegative(m - n + i)])
    assert rename_term(one, frozenset()) == one
    assert rename_term(one, frozenset({"i", "j"})) == one
    moved = V("m'")
    assert rename_term(one, frozenset({"m", "i"})) == term(
        2, x(moved + n), w(n), bounds=(Bound("m'", V(0), V(2)), Bound("n", moved, V(3))),
        guards=[nonnegative(moved - n + i)],
    )  # fmt: skip
    both = rename_term(one, frozenset({"m", "n", "m'"}))
    assert [bound.name for bound in both.bounds] == ["m''", "n'"]
    assert values(both.node()) == values(one.node())


@pytest.mark.parametrize(
    "one",
    [
        term(1, x(V("m'") + m), bounds=(UP_TO_2,)),
        term(1, x(m), bounds=(UP_TO_2,), guards=[nonnegative(m - V("m'"))]),
        term(1, x(m), bounds=(UP_TO_2,), guards=[divides(V("m'") + 2, m)]),
        term(1, x(m), bounds=(Bound("m", V("m'"), V(2)),)),
        term(1, x(m), bounds=(Bound("m", V(0), V("m'")),)),
        term(1, x(m), bounds=(UP_TO_2, Bound("m'", V(0), V(1)))),
        term(1, x(m), bounds=(UP_TO_2, Bound("n", V("m'"), V(0)), Bound("j", V(1), V(1)))),
    ],
)
def test_a_new_name_is_none_that_the_term_has_already(one: Term) -> None:
    moved = rename_term(one, frozenset({"m"}))
    assert moved.bounds[0].name == "m''"
    assert [bound.name for bound in moved.bounds[1:]] == [bound.name for bound in one.bounds[1:]]
    assert values(moved.node()) == values(one.node())


# ------------------------------------------------------------------ what it costs


@pytest.mark.parametrize(
    ("node", "terms"),
    [
        (x(i), 0),
        (Multiply((x(i), w(i))), 1 + 1),
        (Multiply((Plus((x(i), w(i))), Plus((x(j), w(j), const(2))))), 2 + 2 * 3),
        (Multiply((Plus((x(i), w(i), const(1))), x(j))), 3 + 3),
        (summation(Plus((x(m), w(m), const(2))), UP_TO_2), 3),
        (Plus((x(i), w(i))), 0),
    ],
)
def test_each_term_that_is_made_costs_sixty_steps(node: Node, terms: int) -> None:
    effort = Effort(60 * terms)
    assert expand(node, effort) == expand(node)
    assert effort.left == 0
    if terms:
        with pytest.raises(OutOfEffort):
            expand(node, Effort(60 * terms - 1))
