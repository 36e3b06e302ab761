"""`lattice.points` against a plain loop over a box of integers."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symconv.errors import SizeLimitError
from symconv.formulas.algebra import Bound, Guard, divides, equal, nonnegative
from symconv.formulas.index import Index, ceiling, floor, maximum, minimum
from symconv.formulas.lattice import points
from symconv.operators.convolution import Conv

u, v, w, N, S = (Index.of(name) for name in ("u", "v", "w", "N", "S"))
ENV = {"N": 3, "S": 2}


def holds(guard: Guard, env: dict[str, int]) -> bool:
    value: int = guard.expr.evaluate(env)
    if guard.kind == "ge":
        return value >= 0
    if guard.kind == "eq":
        return value == 0
    assert guard.divisor is not None
    return bool(value % guard.divisor.evaluate(env) == 0)


def by_loops(bounds: list[Bound], guards: list[Guard], reach: int = 9) -> list[tuple[int, ...]]:
    found = []
    for values in product(range(-reach, reach + 1), repeat=len(bounds)):
        env = {**ENV, **{b.name: value for b, value in zip(bounds, values, strict=True)}}
        if all(b.lower.evaluate(env) <= env[b.name] <= b.upper.evaluate(env) for b in bounds) and all(
            holds(guard, env) for guard in guards
        ):
            found.append(values)
    return found


def by_points(bounds: list[Bound], guards: list[Guard]) -> list[tuple[int, ...]]:
    table, rows = points(bounds, guards, ENV)
    columns = [table[b.name].tolist() for b in bounds]
    result = list(zip(*columns, strict=True)) if bounds else [()] * rows
    assert len(result) == rows
    return sorted(result)


forms = st.builds(
    lambda a, b, c, d, e: a * u + b * v + c * w + d * N + e,
    *[st.integers(-3, 3)] * 3,
    st.sampled_from([0, 0, 1, -1]),
    st.integers(-5, 5),
)
conditions = st.one_of(
    forms.map(nonnegative),
    forms.map(lambda f: equal(f, 0)),
    st.builds(lambda f, d: divides(d, f), forms, st.one_of(st.integers(1, 4), st.just(S))),
    st.builds(lambda f, g: nonnegative(maximum(f, g)), forms, forms),
    st.builds(lambda f, g: nonnegative(minimum(f, g) - u), forms, forms),
    st.builds(lambda f, g: nonnegative(f - 2 * maximum(g, v)), forms, forms),
    st.builds(lambda f, g: nonnegative(f + floor(g, 3)), forms, forms),
    st.builds(lambda f, g: nonnegative(f - ceiling(g, S)), forms, forms),
    st.builds(lambda f, g: nonnegative(f - 2 * floor(g, 3) + ceiling(f, 2)), forms, forms),
    st.builds(lambda f, g: equal(f, floor(g, 2)), forms, forms),
    st.builds(lambda f: nonnegative(f * v), forms),
)
ends = st.integers(-3, 1)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(conditions, max_size=3), st.tuples(ends, ends, ends), st.tuples(*[st.integers(-1, 4)] * 3))
def test_points_are_those_of_a_loop(guards: list[Guard], lows: tuple[int, ...], lengths: tuple[int, ...]) -> None:
    bounds = [
        Bound(name, Index.of(low), Index.of(low + length))
        for name, low, length in zip("uvw", lows, lengths, strict=True)
    ]
    assert by_points(bounds, guards) == by_loops(bounds, guards, reach=5)


dependent = st.sampled_from(
    [
        [Bound("u", Index.of(0), 2 * N), Bound("v", maximum(0, 1 - u), minimum(N, 8 - u))],
        [Bound("u", Index.of(0), 2 * N), Bound("v", maximum(0, ceiling(u - 3, S)), floor(u, S))],
        [Bound("v", u - 1, u + 1), Bound("u", Index.of(-2), N)],
        [Bound("u", Index.of(0), N), Bound("v", Index.of(0), u), Bound("w", v, u)],
        [Bound("u", Index.of(0), N), Bound("v", minimum(u, 2), maximum(u, 2))],
        [Bound("u", Index.of(-4), N), Bound("v", floor(u, 2), ceiling(u + 5, 3))],
    ]
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(dependent, st.lists(conditions, max_size=2))
def test_ranges_may_depend_on_other_variables(bounds: list[Bound], guards: list[Guard]) -> None:
    names = {b.name for b in bounds}
    kept = [guard for guard in guards if guard.names - {"N", "S"} <= names]
    assert by_points(bounds, kept) == by_loops(bounds, kept)


def test_a_name_of_the_environment_is_hidden_by_a_variable() -> None:
    table, rows = points([Bound("N", Index.of(5), Index.of(6))], [], {"N": 99})
    assert (table["N"].tolist(), rows) == ([5, 6], 2)


def test_without_variables_there_is_one_point_or_none() -> None:
    assert points([], [nonnegative(N - 3)], ENV)[1] == 1
    assert points([], [nonnegative(N - 4)], ENV)[1] == 0
    assert points([], [divides(S, N)], ENV)[1] == 0
    assert points([], [equal(floor(N, S), 1)], ENV)[1] == 1


@pytest.mark.parametrize("far", [2**39, 2**40, 2**41, 2**52, 2**59])
@given(st.integers(1, 3), st.integers(-3, 3), st.integers(1, 4))
@settings(max_examples=10, deadline=None)
def test_points_far_away_are_those_nearby(far: int, stride: int, place: int, modulus: int) -> None:
    """What is moved by a number, variables and what they are compared with, has its points moved by it."""

    def found(shift: int) -> list[tuple[int, int]]:
        here = Index.of("far")
        around = [Bound("u", here, here + 6), Bound("v", Index.of(0), Index.of(5))]
        guards = [
            nonnegative(stride * (u - here) + v - place),
            nonnegative(floor(u - here + v, modulus) - 1),
            divides(Index.of(modulus), u - here + v),
        ]
        table, _ = points(around, guards, {"far": shift})
        return sorted(zip((table["u"] - shift).tolist(), table["v"].tolist(), strict=True))

    assert found(far) == found(0) == found(-far)


def test_entries_of_a_derivative_are_there_at_any_size_that_integers_hold() -> None:
    for stride in (3, 2**39, 2**41, 2**58):
        entries = Conv((2,), stride).derivative().polynomials(3 * stride)
        assert sorted(entries) == [(p, p * stride + m) for p in range(3) for m in range(2)]


@pytest.mark.parametrize(
    "size", [2**62, 2**63, 2**64, 10**40, 10**100, 10**4000], ids=lambda size: str(size.bit_length())
)
def test_numbers_that_no_array_holds_are_refused(size: int) -> None:
    for bounds, guards in (
        ([Bound("u", Index.of(size), Index.of(size + 1))], []),
        ([Bound("u", Index.of(0), Index.of(3))], [nonnegative(u - floor(Index.of(size) * u, 5))]),
        ([Bound("u", Index.of(-size), Index.of(-size))], [divides(Index.of(size), u)]),
        ([Bound("u", Index.of(0), floor(v, 2)), Bound("v", Index.of(size), Index.of(size))], []),
    ):
        with pytest.raises(SizeLimitError, match=r"beyond 2\*\*62, where arrays of integers end"):
            points(bounds, guards, {})
    with pytest.raises(SizeLimitError, match="more than 20,000,000 index points"):
        points([Bound("u", Index.of(0), Index.of(2**60)), Bound("v", Index.of(0), Index.of(2**60))], [], {})


def test_points_are_counted_before_they_are_built() -> None:
    square = [Bound("u", Index.of(1), Index.of(10**6)), Bound("v", Index.of(1), Index.of(10**6))]
    with pytest.raises(SizeLimitError, match=r"more than 20,000,000 index points .*; use \.at\("):
        points(square, [], {})
    with pytest.raises(SizeLimitError, match="more than 10 index points"):
        points(square[:1], [], {}, limit=10)
    assert points(square, [equal(u, v)], {}, limit=10**6)[1] == 10**6


def test_the_cost_is_that_of_the_points_and_not_of_the_ranges() -> None:
    far = [Bound("u", Index.of(0), Index.of(10**9)), Bound("v", Index.of(0), Index.of(2))]
    table, rows = points(far, [equal(2 * u + v, 10**9 + 1)], {}, limit=100)
    assert sorted(zip(table["u"].tolist(), table["v"].tolist(), strict=True)) == [(500_000_000, 1)]
    assert rows == 1
