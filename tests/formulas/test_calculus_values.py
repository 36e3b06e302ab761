"""The calculus changes the form of a sum and never its value: exact polynomials before and after, on random sums."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_loops import Poly, derivative, everywhere, polynomial
from random_sums import BOXES, FREE, sums

from symconv.formulas.algebra import (
    ONE,
    Access,
    Bound,
    Multiply,
    Node,
    Power,
    Reduce,
    between,
    const,
    divides,
    equal,
    inside,
    product,
    summation,
)
from symconv.formulas.bounds import Knowledge
from symconv.formulas.calculus import (
    absorb,
    change_variables,
    closed_count,
    differentiate,
    normalize,
    settle,
    sift,
    tighten,
    without_settled_guards,
)
from symconv.formulas.exact import polynomials
from symconv.formulas.index import Index, maximum, minimum
from symconv.formulas.terms import Term, expand, rebuild
from symconv.formulas.walks import walk

KNOWN = Knowledge({}, FREE)
often = settings(max_examples=45, deadline=None, derandomize=True)
EVENTS: Counter[str] = Counter()


def reaches(*events: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Runs a test on random sums and then asks that they were of the kind that it is about."""

    def wrap(test: Callable[[], None]) -> Callable[[], None]:
        @functools.wraps(test)
        def run() -> None:
            EVENTS.clear()
            test()
            assert all(EVENTS[event] >= 4 for event in events), EVENTS

        del run.__wrapped__  # pytest would ask for the arguments of the inner test
        return run

    return wrap


def values(node: Node) -> dict[tuple[int, ...], Poly]:
    return polynomials(node, FREE, {}, BOXES)


def by_loops(node: Node) -> dict[tuple[int, ...], Poly]:
    return everywhere(node, FREE, {}, BOXES)


@often
@given(sums())
def test_polynomials_are_those_of_plain_loops(node: Node) -> None:
    assert values(node) == by_loops(node)


@reaches("several terms")
@often
@given(sums())
def test_expanding_and_rebuilding_keeps_the_value(node: Node) -> None:
    again = rebuild(expand(node))
    assert by_loops(again) == by_loops(node)
    EVENTS["several terms"] += len(expand(node)) > 1


@reaches("sifted", "divides")
@often
@given(sums(), st.sets(st.sampled_from(["m", "n", "p"])))
def test_sifting_keeps_the_value(node: Node, keep: set[str]) -> None:
    expected = by_loops(node)
    terms = expand(node)
    sifted = [sift(term, KNOWN, keep) for term in terms]
    EVENTS["sifted"] += sum(len(a.bounds) < len(b.bounds) for a, b in zip(sifted, terms, strict=True) if a.coefficient)
    EVENTS["divides"] += any(g.kind == "div" for term in sifted for g in term.guards)
    assert values(rebuild(t for t in sifted if t.coefficient)) == expected


@reaches("tightened")
@often
@given(sums())
def test_tightening_keeps_the_value(node: Node) -> None:
    expected = by_loops(node)
    terms = expand(node)
    tightened = [tighten(term, KNOWN) for term in terms]
    EVENTS["tightened"] += sum(len(a.guards) < len(b.guards) for a, b in zip(tightened, terms, strict=True))
    assert by_loops(rebuild(tightened)) == expected
    assert values(rebuild(tightened)) == expected


@often
@given(sums())
def test_normalizing_settling_and_absorbing_keep_the_value(node: Node) -> None:
    expected = by_loops(node)
    closed = normalize(node, KNOWN)
    assert values(closed) == expected
    assert values(settle(node, KNOWN)) == expected
    assert values(absorb(closed, BOXES)) == expected
    assert values(absorb(node, BOXES)) == expected


def _box_guards(node: Node, boxes: dict[str, tuple[tuple[Index, Index], ...]]) -> Node:
    """The same sum with every access's box written out as guards."""
    terms = []
    for term in expand(node):
        extra = tuple(g for f in term.factors if isinstance(f, Access) for g in inside(f, boxes[f.tensor]))
        terms.append(Term(term.coefficient, term.factors, term.bounds, term.guards + extra))
    return rebuild(terms)


@reaches("absorbed")
@often
@given(sums())
def test_absorbing_drops_the_guards_of_the_boxes_and_nothing_else(node: Node) -> None:
    full = _box_guards(node, BOXES)
    short = absorb(full, BOXES)
    assert values(full) == values(short) == by_loops(node)
    EVENTS["absorbed"] += sum(map(len, map(_guards, expand(short)))) < sum(map(len, map(_guards, expand(full))))


def _guards(term: Term) -> tuple[object, ...]:
    return term.guards


@reaches("sheared")
@often
@given(sums(), st.integers(-2, 2), st.sampled_from([1, -1]), st.integers(-2, 2))
def test_a_bijective_change_of_variables_keeps_the_value(node: Node, shift: int, sign: int, shear: int) -> None:
    expected = by_loops(node)
    turned = []
    for term in expand(node):
        if not term.bounds:
            turned.append(term)
            continue
        replaced = {term.bounds[0].name: sign * Index.of("u") + shift}
        new = [Bound("u", Index.of(-12), Index.of(12))]
        if len(term.bounds) > 1 and term.bounds[0].name not in (
            term.bounds[1].lower.names | term.bounds[1].upper.names
        ):
            replaced[term.bounds[0].name] = replaced[term.bounds[0].name] + shear * Index.of("v")
            replaced[term.bounds[1].name] = Index.of("v")
            new = [Bound("u", Index.of(-30), Index.of(30)), Bound("v", Index.of(-12), Index.of(12))]
            EVENTS["sheared"] += 1
        turned.append(change_variables(term, replaced, tuple(new)))
        assert not {b.name for b in turned[-1].bounds} & set(replaced)
    assert values(rebuild(turned)) == expected


@reaches("nonzero derivative")
@settings(max_examples=35, deadline=None, derandomize=True)
@given(sums(), st.sampled_from(["x", "w", "z"]))
def test_differentiation_is_the_formal_derivative_of_the_polynomial(node: Node, tensor: str) -> None:
    # "m" and "p" are free here, and bound in most of the sums: nothing may capture them
    at = (Index.of("m"), Index.of("p"))[: len(BOXES[tensor])]
    result = differentiate(node, tensor, at)
    closed = absorb(normalize(result, KNOWN), BOXES)
    for i in range(-1, 5):
        whole = polynomial(node, {"i": i}, BOXES)
        for entry in _entries(tensor):
            env = {"i": i, **dict(zip(("m", "p"), entry, strict=False))}
            expected = derivative(whole, (tensor, entry))
            assert polynomials(result, (), env, BOXES).get((), {}) == expected
            assert polynomials(closed, (), env, BOXES).get((), {}) == expected
            EVENTS["nonzero derivative"] += bool(expected)


def _entries(tensor: str) -> list[tuple[int, ...]]:
    points: list[tuple[int, ...]] = [()]
    for low, high in BOXES[tensor]:
        points = [(*p, v) for p in points for v in range(low.evaluate({}), high.evaluate({}) + 1)]
    return points


def test_a_square_is_differentiated_by_the_chain_rule() -> None:
    inner = summation(product(Access("x", (Index.of("i") + "m",)), Access("w", (Index.of("m"),))), WINDOW)
    square = Power(inner, const(2))
    result = differentiate(square, "x", (Index.of("j"),))
    for i in range(4):
        whole = polynomial(square, {"i": i}, BOXES)
        for j in range(-1, 5):
            assert polynomial(result, {"i": i, "j": j}, BOXES) == derivative(whole, ("x", (j,)))


WINDOW = Bound("m", Index.of(0), Index.of(2))


# ------------------------------------------------------------------ single cases with a known answer


def test_sifting_a_strided_and_dilated_window_leaves_the_divisibility() -> None:
    p, m, i, s, d = (Index.of(name) for name in ("p", "m", "i", "s", "d"))
    window = Bound("m", Index.of(0), Index.of(2))
    term = Term(Fraction(1), (Access("w", (m,)),), (window,), (equal(s * p + d * m, i),))
    assert sift(term, KNOWN) == sift(term, Knowledge({"s": 1, "d": 0})) == term  # at d = 0 nothing may be divided by it
    closed = sift(term, Knowledge({"s": 0, "d": 1}))
    assert closed.bounds == ()
    assert divides(d, i - s * p) in closed.guards
    (factor,) = closed.factors
    assert isinstance(factor, Access)
    assert str(factor.index[0]) == "(-p*s + i)/(d)"


def test_what_stays_in_a_sum_is_the_kept_index_where_both_could_go() -> None:
    p, m, i = (Index.of(name) for name in ("p", "m", "i"))
    bounds = (Bound("p", Index.of(0), Index.of(5)), Bound("m", Index.of(0), Index.of(2)))
    term = Term(Fraction(1), (Access("x", (p,)), Access("w", (m,))), bounds, (equal(p + m, i),))
    assert [b.name for b in sift(term, KNOWN, keep=["m"]).bounds] == ["m"]
    assert [b.name for b in sift(term, KNOWN, keep=["p"]).bounds] == ["p"]


def test_a_coefficient_of_unknown_sign_is_no_pivot() -> None:
    m, s, d = (Index.of(name) for name in ("m", "s", "d"))
    term = Term(Fraction(1), (Access("w", (m,)),), (Bound("m", Index.of(0), Index.of(2)),), (equal((s - d) * m, "i"),))
    assert sift(term, KNOWN) == term
    env = {"s": 1, "d": 1, "i": 0}
    due = {(): {(("w", (k,)),): Fraction(1) for k in range(3)}}
    assert polynomials(sift(term, KNOWN).node(), (), env, BOXES) == due


def test_tightening_turns_guards_into_the_ends_of_a_range() -> None:
    m, i = Index.of("m"), Index.of("i")
    bound = Bound("m", Index.of(0), Index.of(9))
    known = Knowledge({}, [Bound("i", Index.of(0), Index.of(5))])
    result = tighten(Term(Fraction(1), (), (bound,), between(0, i - 2 * m + 3, 7)), known)
    assert result.guards == ()
    lower, upper = result.bounds[0].lower, result.bounds[0].upper
    for value in range(6):
        env = {"i": value}
        allowed = [k for k in range(10) if 0 <= value - 2 * k + 3 <= 7]
        assert list(range(lower.evaluate(env), upper.evaluate(env) + 1)) == allowed
    assert without_settled_guards(result, known) == result


def test_a_count_has_a_closed_form() -> None:
    m, p, n = (Index.of(name) for name in ("m", "p", "n"))
    count = summation(ONE, Bound("m", Index.of(0), Index.of(2)), guards=between(0, p + m - 1, n - 1))
    assert isinstance(count, Reduce)
    known = Knowledge({"n": 3}, [Bound("p", Index.of(0), n - 1)])
    closed = closed_count(count, known)
    assert closed is not None
    for size in range(3, 6):
        for place in range(size):
            expected = sum(0 <= place + k - 1 < size for k in range(3))
            assert closed.evaluate({"n": size, "p": place}) == expected
    assert closed == minimum(2, n - p) - maximum(0, 1 - p) + 1
    assert closed_count(summation(Access("w", (m,)), WINDOW), known) is None  # type: ignore[arg-type]


@pytest.mark.parametrize("low", [-4, -3, 0])
def test_a_closed_count_of_an_empty_range_is_zero(low: int) -> None:
    node = summation(ONE, Bound("m", Index.of(1), Index.of("t")))
    assert isinstance(node, Reduce)
    closed = closed_count(node, Knowledge({"t": -4}))
    assert closed is not None
    assert closed.evaluate({"t": low}) == 0  # Karr's convention would give a negative number
    assert closed.evaluate({"t": 3}) == 3


def test_an_inner_sum_may_bind_a_name_that_an_outer_range_uses() -> None:
    # x_0 summed over m in 0..i, times the sum over another i of x_i
    inner = summation(Access("x", (Index.of("i"),)), Bound("i", Index.of(0), Index.of(0)))
    for guards in ((), between(0, Index.of("i") - "m", 1)):
        node = summation(
            product(Access("x", (Index.of(0),)), inner), Bound("m", Index.of(0), Index.of("i")), guards=guards
        )
        square = tuple([("x", (0,))] * 2)
        counts = {i: i + 1 if not guards else min(i + 1, 2) for i in range(5)}
        expected = {(i,): {square: Fraction(count)} for i, count in counts.items()}
        assert by_loops(node) == expected
        assert values(node) == expected
        assert by_loops(rebuild(expand(node))) == expected


def test_sums_do_not_merge_their_indices_when_they_are_multiplied() -> None:
    one = summation(Access("x", (Index.of("m"),)), WINDOW)
    squared = rebuild(expand(Multiply((one, one))))
    assert polynomial(squared, {}, BOXES) == polynomial(Multiply((one, one)), {}, BOXES)
    assert all(len({b.name for b in n.bounds}) == len(n.bounds) for n in walk(squared) if isinstance(n, Reduce))
