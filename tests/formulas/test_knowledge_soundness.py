"""`Knowledge` never says True of an expression that an allowed assignment makes negative, and knows what windows need.

Expressions are random sums of pieces that are nonnegative on their own (so that True is common), with a random rest.
Every allowed assignment of a small grid is tried.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from integer_models import NotDivisibleError, exact_value

from symconv.formulas.algebra import Bound, divides, equal, nonnegative
from symconv.formulas.bounds import Knowledge
from symconv.formulas.index import Index, ceiling, floor, maximum, minimum, quotient

S, n, k, y, p, m, outputs = (Index.of(name) for name in ("S", "n", "k", "y", "p", "m", "O"))

DEFINED = floor(n - k, S) + 1
KNOWLEDGE = [
    # lower bounds, ranges (outermost first), facts, definitions
    ({"S": 1, "n": 0, "k": 1}, (Bound("p", Index.of(0), n), Bound("m", -p, k - 1)), (n - k,), {}),
    ({"S": 1, "n": 1, "k": 1, "O": 1}, (Bound("p", Index.of(0), outputs - 1), Bound("m", Index.of(0), k - 1)), (), {}),
    (
        {"S": 1, "n": 1, "k": 1, "O": 1},
        (Bound("p", Index.of(0), outputs - 1), Bound("m", Index.of(0), k - 1)),
        (n - k,),
        {"O": DEFINED},
    ),
    ({"S": 1, "n": -2, "k": -1, "y": -3}, (Bound("p", k, maximum(n, k)), Bound("m", minimum(0, p), p * 2)), (), {}),
    ({"S": 2}, (Bound("p", Index.of(-2), Index.of(3)), Bound("m", floor(p, 2), ceiling(p + 5, S))), (n,), {}),
]


def assignments(knowledge: Knowledge) -> Iterator[dict[str, int]]:
    """Every allowed assignment of a small grid: names with a lower bound from there on, all others around zero."""
    defined = set(knowledge.definitions)
    free = [name for name in ("S", "n", "k", "y", "O") if name not in defined]
    ranges = []
    for name in free:
        low = knowledge.lower.get(name, -2 if name != "S" else 1)
        ranges.append(range(low, low + 4))
    for values in product(*ranges):
        env = dict(zip(free, values, strict=True))
        env.update({name: value.evaluate(env) for name, value in knowledge.definitions.items()})
        if any(env[name] < low for name, low in knowledge.lower.items()):
            continue
        if any(fact.evaluate(env) < 0 for fact in knowledge.facts):
            continue
        outer, inner = knowledge.bounds
        for value in range(outer.lower.evaluate(env), outer.upper.evaluate(env) + 1):
            at = {**env, outer.name: value}
            for value2 in range(inner.lower.evaluate(at), inner.upper.evaluate(at) + 1):
                yield {**at, inner.name: value2}


atoms = st.sampled_from([S, n, k, y, p, m, outputs, Index.of(1), Index.of(2)])
mixed = st.builds(lambda a, b, c: a * b + c, atoms, st.sampled_from([1, -1, 2, -2]), st.integers(-2, 2))
pieces = st.one_of(
    atoms,
    st.sampled_from(
        [
            n - k,
            n - p,
            p - k,
            m + p,
            k - 1 - m,
            outputs - 1 - p,
            k - m,
            S - 1,
            n - S * floor(n, S),
            n - k - S * outputs + S,
        ]
    ),
    st.sampled_from([S * floor(n, S) - n + S - 1, S * ceiling(n, S) - n, y * S * floor(n, S) - y * n, S * DEFINED - 1]),
    st.sampled_from([maximum(n, k) - k, n - minimum(n, p), S * quotient(n, S, "exact") - n, 2 * floor(n, 2) - n + 1]),
    st.builds(lambda a, b: floor(a, 2) * b, mixed, st.sampled_from([1, 2, -2, 3])),
    st.builds(lambda a, b: ceiling(a, S) * b, mixed, st.sampled_from([S, -S, S * 2, S * y, -y * S])),
    st.builds(maximum, mixed, mixed),
    st.builds(minimum, mixed, mixed),
    st.builds(lambda a, b: a * b, atoms, mixed),
)
expressions = st.builds(
    lambda several, sign, more: sum(several, Index.of(0)) + sign * more,
    st.lists(pieces, min_size=1, max_size=3),
    st.sampled_from([0, 0, 1, -1]),
    mixed,
)


SPACES: dict[int, list[dict[str, int]]] = {}


def space(number: int, knowledge: Knowledge) -> list[dict[str, int]]:
    if number not in SPACES:
        SPACES[number] = list(assignments(knowledge))
    return SPACES[number]


def test_true_is_never_said_wrongly() -> None:
    seen: Counter[bool] = Counter()

    @settings(max_examples=400, deadline=None, derandomize=True)
    @given(expressions, st.integers(0, len(KNOWLEDGE) - 1))
    def check(expr: Index, number: int) -> None:
        lower, bounds, facts, definitions = KNOWLEDGE[number]
        knowledge = Knowledge(lower, bounds, facts, definitions)
        answer = knowledge.nonnegative(expr)
        seen[answer] += 1
        if not answer:
            return
        for env in space(number, knowledge):
            try:
                value = exact_value(expr, env)
            except NotDivisibleError:
                continue
            assert value >= 0, (expr, env, value)

    check()
    assert seen[True] >= 40  # the random expressions did not miss the question
    assert seen[False] >= 40


def test_a_factor_of_unknown_sign_does_not_say_which_end_of_a_rest_is_worst() -> None:
    # at y = -1 this is n - S*floor(n/S) - (S - 1) <= 0
    expr = y * S * floor(n, S) - y * n + y * (S - 1)
    assert not Knowledge({"S": 1, "n": 0}).nonnegative(expr)
    assert not Knowledge({"S": 1, "n": 0, "y": -3}).nonnegative(expr)
    assert Knowledge({"S": 1, "n": 0, "y": 0}).nonnegative(expr)


@pytest.mark.parametrize("rounded", [floor, ceiling])
@pytest.mark.parametrize("d", [2, 3])
def test_every_small_line_with_a_quotient(rounded: Callable[[Index, int], Index], d: int) -> None:
    known = Knowledge({"n": 0})
    missed = 0
    for c, a, slope, r in product((1, -1, 2, 3, -3), range(-3, 4), (-1, 0, 1), range(-3, 4)):
        expr = c * rounded(n + a, d) + slope * n + r
        truth = min(expr.evaluate({"n": value}) for value in range(13)) >= 0 and c + slope * d >= 0
        answer = known.nonnegative(expr)
        assert truth or not answer, expr
        missed += truth and not answer
        if slope == 0 and c == 1:
            assert answer == truth, expr  # between integers nothing is lost
    assert missed <= 40


@pytest.mark.parametrize("stride", [1, 2, 3, "S"])
def test_the_reads_of_an_unpadded_window_are_known_to_stay_inside(stride: int | str) -> None:
    step = Index.of(stride)
    size = floor(n - k, step) + 1
    known = Knowledge(
        {"n": 1, "k": 1, "S": 1, "O": 1},
        [Bound("p", Index.of(0), outputs - 1), Bound("m", Index.of(0), k - 1)],
        [n - k],
        {"O": size},
    )
    read = step * p + m
    assert known.nonnegative(read)
    assert known.nonnegative(n - 1 - read)
    assert not known.nonnegative(n - 2 - read)
    assert not known.nonnegative(read - 1)


def test_guards_hold_only_where_they_always_do() -> None:
    known = Knowledge({"n": 1}, [Bound("p", Index.of(0), n - 1)])
    assert known.holds(nonnegative(p))
    assert known.holds(nonnegative(n - 1 - p))
    assert not known.holds(nonnegative(p - 1))
    assert known.holds(divides(2, 4 * p + 6))
    assert not known.holds(divides(2, 4 * p + 3))
    assert not known.holds(divides("n", 4 * p))
    assert not known.holds(equal(p, 0))
    assert Knowledge({}, [Bound("p", Index.of(3), Index.of(3))]).holds(equal(p, 3))


def test_an_inner_range_hides_an_outer_one_of_the_same_name() -> None:
    known = Knowledge({}, [Bound("p", Index.of(0), Index.of(5))]).within([Bound("p", Index.of(-3), Index.of(-1))])
    assert known.nonnegative(-p - 1)
    assert not known.nonnegative(p)
