"""Kernels against plain loops, and against the formula that they are made from."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import oracles
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernels.layers import plans_for
from layers import Layer, convolutions, poolings, with_blocks_of

from symconv.kernels.arrays import columns
from symconv.kernels.compile import compile
from symconv.kernels.form.extraction import tap_form
from symconv.operators.convolution import Conv
from symconv.operators.pooling import AvgPool, LPPool, MaxPool

BUDGETS = st.sampled_from((1, 500, 1 << 20))


def within_budget(budget: int) -> pytest.MonkeyPatch:
    """Blocks of so many bytes, so that small inputs are cut as large ones are."""
    patch = pytest.MonkeyPatch()
    with_blocks_of(budget, patch)
    for name in ("COLUMN_BYTES", "MOST_BYTES"):
        patch.setattr(columns, name, budget)
    patch.setattr(columns, "prepared", columns.prepared.__wrapped__)  # what is remembered knows another budget
    return patch


def check_output(layer: Layer, budget: int) -> None:
    expected = layer.output()
    patch = within_budget(budget)
    try:
        for plan in plans_for(tap_form(layer.op)):
            found = layer.run(compile(layer.op, plan=plan))
            np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-10, err_msg=f"{layer.op!r} {plan}")
    finally:
        patch.undo()


@settings(max_examples=60, deadline=None)
@given(convolutions(), BUDGETS)
def test_convolutions_are_what_plain_loops_say(layer: Layer, budget: int) -> None:
    check_output(layer, budget)


@settings(max_examples=80, deadline=None)
@given(poolings(), BUDGETS)
def test_poolings_are_what_plain_loops_say(layer: Layer, budget: int) -> None:
    check_output(layer, budget)


@settings(max_examples=40, deadline=None)
@given(poolings().filter(lambda layer: isinstance(layer.op, MaxPool)), BUDGETS)
def test_the_index_of_a_maximum_is_that_of_its_first_tap(layer: Layer, budget: int) -> None:
    expected = oracles.to_numpy(oracles.max_pool(layer.x, layer.op.kernel_size, **layer.options)[1], "int64")
    patch = within_budget(budget)
    try:
        for plan in ("separable", "taps"):
            _, indices = compile(layer.op, plan=plan)(layer.x, return_indices=True)
            assert indices.dtype == np.int64
            np.testing.assert_array_equal(indices, expected, err_msg=f"{layer.op!r} {plan}")
    finally:
        patch.undo()


@pytest.mark.parametrize(
    ("padding", "kernel", "stride", "pairs"),
    [
        ("valid", 3, 1, (0, 0)),
        ("same", 4, 1, oracles.pytorch_same_padding(4)),
        ("same_upper", 4, 2, oracles.same_padding(7, 4, 2, upper=True)),
        ("same_lower", 4, 2, oracles.same_padding(7, 4, 2, upper=False)),
        ("half", 5, 1, (2, 2)),
        ("full", 3, 2, (2, 2)),
    ],
)
def test_the_rules_of_padding(padding: str, kernel: int, stride: int, pairs: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    x, weight = rng.normal(size=(1, 1, 7, 7)), rng.normal(size=(1, 1, kernel, kernel))
    expected = oracles.conv(x, weight, stride=stride, padding=(pairs, pairs))
    found = compile(Conv(kernel, stride, padding))(x, weight)
    np.testing.assert_allclose(found, oracles.to_numpy(expected), rtol=1e-12, atol=1e-12)
    pooled = oracles.max_pool(x, kernel, stride=stride, padding=(pairs, pairs))[0]
    np.testing.assert_array_equal(compile(MaxPool(kernel, stride, padding))(x), oracles.to_numpy(pooled))


@pytest.mark.parametrize(
    ("op", "shapes"),
    [
        (Conv((3, 2), (2, 1), 1), {"a": (4, 5), "b": (3, 2)}),
        (Conv((2, 2), padding=1, padding_mode="circular", flip=True), {"a": (3, 4), "b": (2, 2)}),
        (Conv((3,), 2, groups=2, in_channels=4, out_channels=4, bias=True), {"a": (4, 7), "b": (4, 2, 3), "d": (4,)}),
        (Conv((1,), 3, ((1, 0),), padding_mode="replicate"), {"a": (2,), "b": (1,)}),  # reads nothing but the border
        (Conv((2,), padding=((-3, 3),), padding_mode="reflect"), {"a": (5,), "b": (2,)}),  # shows what it crops
        (MaxPool((2, 3), 1, 1, (2, 1), ceil_mode=True), {"a": (4, 5)}),
        (AvgPool(3, 2, 1, ceil_mode=True, count_include_pad=False), {"a": (6, 6)}),
        (LPPool(2, 2, 1, 1), {"a": (3, 4)}),
        (LPPool(float("inf"), 2, 1), {"a": (3, 4)}),
    ],
)
def test_a_kernel_is_its_formula(op: Any, shapes: dict[str, tuple[int, ...]]) -> None:
    rng = np.random.default_rng(1)
    arrays = {name: rng.integers(-4, 5, size=shape) for name, shape in shapes.items()}
    values = op.output().values(arrays, shapes["a"][-op.spatial_axes :])
    found = compile(op)(*(array.astype(float) for array in arrays.values()))
    assert found.size == len(values)
    for point, value in values.items():
        assert found[point] == pytest.approx(float(Fraction(value)), rel=1e-12)


def test_doubling_serves_every_length_stride_and_dilation() -> None:
    x = np.random.default_rng(2).normal(size=(1, 2, 60))
    for kernel in range(2, 33):
        for stride, dilation in ((1, 1), (1, 2), (2, 1)):
            if dilation * (kernel - 1) + 1 > 60:
                continue
            options: dict[str, Any] = {"stride": stride, "padding": 0, "dilation": dilation}
            found = compile(MaxPool((kernel,), **options))(x)
            np.testing.assert_array_equal(found, oracles.to_numpy(oracles.max_pool(x, kernel, **options)[0]))
            found = compile(AvgPool((kernel,), **options))(x)
            expected = oracles.to_numpy(oracles.avg_pool(x, kernel, **options))
            np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-13)


def test_an_average_over_a_large_window_stays_accurate_in_float32() -> None:
    x = (1000 + np.random.default_rng(3).random((1, 1, 63, 63))).astype(np.float32)
    found = compile(AvgPool(63))(x)
    assert found.dtype == np.float32
    assert abs(float(found[0, 0, 0, 0]) / x.astype(np.float64).mean() - 1) < 2e-7


@pytest.mark.parametrize("plan", ["separable", "taps"])
@pytest.mark.parametrize("p", [2, 3, 1.5, 11, Fraction(7, 3)])
@pytest.mark.parametrize("scale", [1.0, 1e300, 1e-300])
def test_an_lp_norm_neither_overflows_nor_underflows(plan: str, p: Any, scale: float) -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(size=(1, 1, 6, 6)) * scale
    x[0, 0, :3, :3] = 0  # windows of nothing but zeros beside windows of very small entries
    kernel = compile(LPPool(p, 2, 1, 1), plan=plan)
    expected = oracles.to_numpy(oracles.lp_pool(x, p, 2, stride=1, padding=1))
    np.testing.assert_allclose(kernel(x), expected, rtol=1e-12)
    g = rng.normal(size=expected.shape)
    wanted = oracles.to_numpy(oracles.lp_pool_vjp(g, x, p, 2, stride=1, padding=1))
    np.testing.assert_allclose(kernel.vjp(g, x).input, wanted, rtol=1e-10, atol=1e-12)


def test_an_lp_norm_of_float32_beyond_the_range_of_its_square() -> None:
    x = np.array([[3e30, 4e30], [3e-30, 4e-30]], np.float32)
    found = compile(LPPool(2, (1, 2)))(x)
    np.testing.assert_allclose(found[:, 0].astype(float), [5e30, 5e-30], rtol=1e-6)


@pytest.mark.parametrize("plan", ["separable", "taps"])
@pytest.mark.parametrize("ties", ["first", "split"])
def test_maxima_of_nan_and_infinities(plan: str, ties: str) -> None:
    rng = np.random.default_rng(5)
    kernel = compile(MaxPool(3, 2, 1, ties=ties), plan=plan)
    for trial in range(25):
        x = rng.choice([0.0, 1.0, np.inf, -np.inf, -np.inf, np.nan], size=(1, 1, 5, 6))
        g = rng.normal(size=(1, 1, 3, 3))
        g[0, 0, 0, 0] = [1.0, np.inf, np.nan][trial % 3]
        values, places = oracles.max_pool(x, 3, stride=2, padding=1)
        found, indices = kernel(x, return_indices=True)
        np.testing.assert_array_equal(found, oracles.to_numpy(values))
        np.testing.assert_array_equal(indices, oracles.to_numpy(places))
        wanted = oracles.max_pool_vjp(g, x, 3, stride=2, padding=1, ties=ties)
        np.testing.assert_allclose(kernel.vjp(g, x).input, oracles.to_numpy(wanted), rtol=1e-12)


@pytest.mark.parametrize("p", [1, 2, 3, float("inf")])
def test_lp_norms_of_nan_and_infinities(p: float) -> None:
    rng = np.random.default_rng(6)
    kernel = compile(LPPool(p, 2, 1, 1))
    for _ in range(15):
        x = rng.choice([0.0, 1.0, -2.0, np.inf, -np.inf, np.nan], size=(1, 1, 4, 4), p=[0.3, 0.3, 0.2, 0.1, 0.05, 0.05])
        expected = oracles.lp_pool(x, p, 2, stride=1, padding=1)
        np.testing.assert_allclose(kernel(x), oracles.to_numpy(expected), rtol=1e-12)
        g = rng.normal(size=(1, 1, 5, 5))
        wanted = oracles.lp_pool_vjp(g, x, p, 2, stride=1, padding=1)
        np.testing.assert_allclose(kernel.vjp(g, x).input, oracles.to_numpy(wanted), rtol=1e-11, atol=1e-12)


def test_windows_without_a_real_tap() -> None:
    x = np.array([[[5.0]]])
    window: dict[str, Any] = {"stride": 1, "padding": 1, "dilation": 2}
    values, indices = compile(MaxPool((2,), **window))(x, return_indices=True)
    assert values.tolist() == [[[-np.inf]]]
    assert indices.tolist() == [[[-1]]]
    assert compile(LPPool(2, (2,), **window))(x).tolist() == [[[0.0]]]
    assert compile(LPPool(float("inf"), (2,), **window))(x).tolist() == [[[0.0]]]
    assert compile(AvgPool((2,), **window))(x).tolist() == [[[0.0]]]
    assert np.isnan(compile(AvgPool((2,), count_include_pad=False, **window))(x)).all()
    for op in (MaxPool((2,), **window), LPPool(2, (2,), **window), LPPool(float("inf"), (2,), **window)):
        assert compile(op).vjp(np.ones((1, 1, 1)), x).input.tolist() == [[[0.0]]]
