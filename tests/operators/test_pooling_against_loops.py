"""Every formula of the three poolings against plain loops: exactly where rational, else to a float's accuracy."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product
from random import Random
from typing import Any

import oracles
import pytest
import sympy
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from loop_cases import PoolCase, computed, fits, pads_of, random_tensor, squeezed, unit
from oracles import Tensor
from oracles.pooling import windows_of

from symconv.operators.pooling import AvgPool, LPPool, MaxPool

INF = float("inf")


@st.composite
def windows(draw: st.DrawFn) -> tuple[dict[str, Any], tuple[int, ...]]:
    """The options that all poolings share, and an input size where a window fits."""
    ndim = draw(st.sampled_from([1, 1, 2, 3]))
    most = {1: 7, 2: 4, 3: 3}[ndim]
    sizes = tuple(draw(st.integers(1, most)) for _ in range(ndim))
    options: dict[str, Any] = {
        "kernel_size": tuple(draw(st.integers(1, 3 if ndim == 1 else 2)) for _ in range(ndim)),
        "stride": draw(st.one_of(st.none(), st.tuples(*[st.integers(1, 3)] * ndim))),
        "dilation": tuple(draw(st.integers(1, 2)) for _ in range(ndim)),
        "ceil_mode": draw(st.booleans()),
    }
    rules = ["same_upper", "same_lower", "half", "valid"] if not options["ceil_mode"] else ["half"]
    if draw(st.integers(0, 3)) == 0:
        options["padding"] = draw(st.sampled_from(rules))
    else:
        options["padding"] = tuple((draw(st.integers(-1, 2)), draw(st.integers(-1, 2))) for _ in range(ndim))
    pool = MaxPool(**options)
    assume(fits(sizes, pool))
    return options, sizes


def upstream(case: PoolCase, shape: tuple[int, ...]) -> Tensor:
    return random_tensor(Random(7), shape)


def real_taps(case: PoolCase) -> list[int]:
    return [len(window.real) for window in windows_of(case.sizes, case.op.kernel_size, **case.geometry)[1]]


@settings(max_examples=50, deadline=None, derandomize=True)
@given(windows(), st.sampled_from(["first", "split"]), st.sampled_from([0, 1]))
def test_max_pool(drawn: tuple[dict[str, Any], tuple[int, ...]], ties: Any, base: int) -> None:
    options, sizes = drawn
    op = MaxPool(**options, ties=ties)
    case = PoolCase.of(op, sizes)
    expected, _ = oracles.max_pool(case.x, op.kernel_size, **case.geometry)
    assert op.output_size(sizes) == expected.shape[2:]
    assert computed(op.output(index_base=base), case.tensors(), sizes) == squeezed(expected, (0, 1)).values
    g = upstream(case, expected.shape)
    if 0 not in real_taps(case):  # a window without a real tap has no gradient to hand out
        gradient = oracles.max_pool_vjp(g, case.x, op.kernel_size, ties=ties, **case.geometry)
        found = computed(op.gradient(index_base=base), case.tensors(g), sizes)
        assert found == squeezed(gradient, (0, 1)).values


@settings(max_examples=50, deadline=None, derandomize=True)
@given(windows(), st.booleans(), st.sampled_from([None, None, 3, -2]), st.sampled_from([0, 1]))
def test_avg_pool(drawn: tuple[dict[str, Any], tuple[int, ...]], include: bool, divisor: int | None, base: int) -> None:
    options, sizes = drawn
    op = AvgPool(**options, count_include_pad=include, divisor_override=divisor)
    case = PoolCase.of(op, sizes)
    assume(include or divisor is not None or 0 not in real_taps(case))
    more = {"count_include_pad": include, "divisor_override": divisor, **case.geometry}
    expected = oracles.avg_pool(case.x, op.kernel_size, **more)
    assert op.output_size(sizes) == expected.shape[2:]
    assert computed(op.output(index_base=base), case.tensors(), sizes) == squeezed(expected, (0, 1)).values
    g = upstream(case, expected.shape)
    gradient = oracles.avg_pool_vjp(g, case.x, op.kernel_size, **more)
    assert computed(op.gradient(index_base=base), case.tensors(g), sizes) == squeezed(gradient, (0, 1)).values


@pytest.mark.parametrize("include", [True, False])
@pytest.mark.parametrize("pads", [(0, 0), (1, 1), (0, 1), (1, 0), (2, 1)])
def test_the_overhang_of_ceil_mode_never_counts(include: bool, pads: tuple[int, int]) -> None:
    overhangs = 0
    for n, k, s, d in product(range(2, 7), range(1, 5), range(1, 4), (1, 2)):
        op = AvgPool((k,), s, (pads,), d, ceil_mode=True, count_include_pad=include)
        axis = oracles.Axis(k, s, *pads, d, True)
        case = PoolCase.of(op, (n,), seed=n)
        if not fits((n,), op) or not oracles.output_size(n, axis) or (not include and 0 in real_taps(case)):
            continue
        expected = oracles.avg_pool(case.x, k, count_include_pad=include, **case.geometry)
        assert computed(op.output(), case.tensors(), (n,)) == squeezed(expected, (0, 1)).values, (op, n)
        overhangs += oracles.place(n, axis)[-1][-1] >= n + pads[1]
    assert overhangs >= 10


def close(found: dict[tuple[int, ...], Any], expected: Tensor, exact: bool) -> None:
    wanted = squeezed(expected, (0, 1)).values
    assert found.keys() == wanted.keys()
    for point, value in found.items():
        if exact:
            assert isinstance(value, Fraction)
            assert value == wanted[point]
        else:
            assert math.isclose(float(value), float(wanted[point]), rel_tol=1e-12, abs_tol=1e-13), point


@settings(max_examples=60, deadline=None, derandomize=True)
@given(windows(), st.sampled_from([1, 2, 3, Fraction(3, 2), INF]), st.sampled_from([0, 1]))
def test_lp_pool(drawn: tuple[dict[str, Any], tuple[int, ...]], p: Any, base: int) -> None:
    options, sizes = drawn
    op = LPPool(p, **options)
    case = PoolCase.of(op, sizes)
    assume(p != INF or 0 not in real_taps(case))
    exact = p in (1, INF)
    expected = oracles.lp_pool(case.x, p, op.kernel_size, **case.geometry)
    assert op.output_size(sizes) == expected.shape[2:]
    found = computed(op.output(index_base=base), case.tensors(), sizes)
    close(found, expected, exact)
    if p in (2, 3):  # the powers of the norms are rational, and the roots exact where they are
        powers = [
            sum((abs(Fraction(case.x[(0, 0, *i)])) ** p for i in window.real), Fraction(0))
            for window in windows_of(case.sizes, op.kernel_size, **case.geometry)[1]
        ]
        for value, power in zip(found.values(), powers, strict=True):
            assert value**p == power if isinstance(value, Fraction) else math.isclose(value**p, power, rel_tol=1e-12)
    g = upstream(case, expected.shape)
    gradient = oracles.lp_pool_vjp(g, case.x, p, op.kernel_size, **case.geometry)
    close(computed(op.gradient(index_base=base), case.tensors(g), sizes), gradient, exact)


@pytest.mark.parametrize(
    "op",
    [
        MaxPool((2, 2), 1, padding=((1, 0), (0, 1))),
        MaxPool((2, 2), 1, ties="split"),
        AvgPool((2, 3), 2, padding=1, count_include_pad=False, ceil_mode=True),
        LPPool(1, (2, 2), 1),
        LPPool(INF, (2, 2), (1, 2), padding=((0, 1), (1, 0))),
        LPPool(3, (2, 2), 1, dilation=(1, 2)),
    ],
    ids=repr,
)
def test_the_derivative_is_the_jacobian_row_by_row(op: Any) -> None:
    sizes = (3, 4)
    case = PoolCase.of(op, sizes, seed=3)
    found = computed(op.derivative(), case.tensors(), sizes)
    outputs = op.output_size(sizes)
    for row in oracles.full(outputs, 0).values:
        g = unit((1, 1, *outputs), (0, 0, *row))
        if isinstance(op, MaxPool):
            expected = oracles.max_pool_vjp(g, case.x, op.kernel_size, ties=op.tie_policy(), **case.geometry)
        elif isinstance(op, AvgPool):
            expected = oracles.avg_pool_vjp(g, case.x, op.kernel_size, count_include_pad=False, **case.geometry)
        else:
            expected = oracles.lp_pool_vjp(g, case.x, op.norm_type, op.kernel_size, **case.geometry)
        for index, value in squeezed(expected, (0, 1)).values.items():
            assert math.isclose(float(found[(*row, *index)]), float(value), rel_tol=1e-12, abs_tol=1e-13)
    assert len(found) == math.prod(outputs) * math.prod(sizes)


def test_a_symbolic_order_of_the_norm_agrees_with_the_numbers() -> None:
    p = sympy.Symbol("p", positive=True)
    symbolic = LPPool(p, (2,), padding=1)
    case = PoolCase.of(symbolic, (5,), seed=5)
    g = upstream(case, (1, 1, *symbolic.output_size(5)))
    for order in (1, 2, 3, Fraction(3, 2)):
        fixed = LPPool(order, (2,), padding=1)
        for ours, theirs in ((symbolic.output(), fixed.output()), (symbolic.gradient(), fixed.gradient())):
            found = ours.values(case.tensors(g), 5, p=order)
            for point, value in theirs.values(case.tensors(g), 5).items():
                assert math.isclose(float(found[point]), float(value), rel_tol=1e-12, abs_tol=1e-13)


def test_tie_policies_differ_exactly_at_ties() -> None:
    values = {"a": [2, 2, 1], "g": [Fraction(6), Fraction(10)]}
    first = MaxPool((2,), 1).gradient().values(values, 3)
    split = MaxPool((2,), 1, ties="split").gradient().values(values, 3)
    assert list(first.values()) == [6, 10, 0]
    assert list(split.values()) == [3, 13, 0]
    three = MaxPool((3,), 1, ties="split").gradient().values({"a": [5, 5, 5], "g": [Fraction(6)]}, 3)
    assert list(three.values()) == [2, 2, 2]  # SymPy's Max hands out 3/2 in all


def test_windows_without_a_real_tap_have_their_named_values() -> None:
    window: dict[str, Any] = {"kernel_size": (2,), "stride": 1, "padding": 1, "dilation": 2}
    values = {"a": [Fraction(5)], "g": [Fraction(1)]}
    assert MaxPool(**window).output().values(values, 1) == {(0,): -INF}
    assert MaxPool(**window).output().at(0, input_size=1) == -sympy.oo
    sums: list[Any] = [LPPool(2, **window), LPPool(1, **window), AvgPool(**window)]
    for op in sums:
        assert op.output().values(values, 1) == {(0,): 0}
    assert LPPool(float("inf"), **window).output().values(values, 1) == {(0,): 0}
    outside = AvgPool((1,), 1, padding=1, count_include_pad=False)  # 0/0 at both ends
    found = outside.output().values(values, 1)
    assert [math.isnan(found[o,]) for o in range(3)] == [True, False, True]
    for entries in ([outside.output().at(o, input_size=1) for o in range(3)], outside.output().matrix((1,)).tolist()):
        assert [str(entry) for entry in entries] == ["nan", "a[0]", "nan"]
    every: list[Any] = [MaxPool(**window), LPPool(2, **window), AvgPool(**window)]
    for op in every:
        assert op.gradient().values(values, 1) == {(0,): 0}


def test_no_size_of_a_number_overflows_a_norm() -> None:
    big, tiny = 10**150, Fraction(1, 10**150)
    for value in (big, tiny):
        data = {"a": [value, value], "g": [Fraction(1)]}
        found = LPPool(3, (2,)).output().values(data, 2)[0,]
        assert math.isclose(found, float(value) * 2 ** (1 / 3), rel_tol=1e-13)
        slopes = LPPool(3, (2,)).gradient().values(data, 2)
        assert all(math.isclose(slope, 2 ** (-2 / 3), rel_tol=1e-12) for slope in slopes.values())


@pytest.mark.parametrize("p", [2, 3, 5])
def test_roots_are_exact_where_they_are_rational(p: int) -> None:
    for root in (0, 1, 7, 10**20 + 39, Fraction(10**17 + 3, 10**16 + 61)):
        data = {"a": [Fraction(root), 0, 0]}
        found = LPPool(p, (3,)).output().values(data, 3)[0,]
        assert (found, type(found)) == (root, Fraction)
    assert LPPool(2, (2,)).output().values({"a": [3 * 10**30, 4 * 10**30]}, 2) == {(0,): 5 * 10**30}
    irrational = LPPool(p, (2,)).output().values({"a": [1, 1]}, 2)[0,]
    assert isinstance(irrational, float)
    assert math.isclose(irrational, 2 ** (1 / p), rel_tol=1e-15)


def test_the_paddings_of_the_oracles_are_the_windows_own() -> None:
    for op in (MaxPool((3,), 2, "same_upper"), MaxPool((3,), 2, "same_lower"), LPPool(2, (2,), 1, "same")):
        for n in range(1, 8):
            before, after = op.windows[0].padding(n)
            assert [(before.value, after.value)] == pads_of(op, (n,))
