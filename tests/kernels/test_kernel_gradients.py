"""Gradients of kernels: against plain loops, by the adjoint identity, and as the transposes of the tangents."""

from __future__ import annotations

from typing import Any

import numpy as np
import oracles
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernels.layers import plans_for
from layers import Layer, convolutions, poolings, with_blocks_of

from symconv.errors import ArgumentError, NotSupportedError
from symconv.kernels.arrays import columns
from symconv.kernels.compile import compile
from symconv.kernels.form.extraction import tap_form
from symconv.kernels.programs import chain
from symconv.operators.convolution import Conv
from symconv.operators.pooling import AvgPool, LPPool, MaxPool

BUDGETS = st.sampled_from((1, 500, 1 << 20))


def check_gradients(layer: Layer, budget: int) -> None:
    """vjp against the oracle, and ``<g, jvp(t)> = <vjp(g), t>`` for random g and t."""
    rng = np.random.default_rng(layer.x.size)
    patch = pytest.MonkeyPatch()
    with_blocks_of(budget, patch)
    for name in ("COLUMN_BYTES", "MOST_BYTES"):
        patch.setattr(columns, name, budget)
    patch.setattr(columns, "prepared", columns.prepared.__wrapped__)  # what is remembered knows another budget
    try:
        for plan in plans_for(tap_form(layer.op)):
            kernel = compile(layer.op, plan=plan)
            g = rng.normal(size=layer.run(kernel).shape)
            expected = layer.gradients(g)
            outputs = [layer.run(kernel), None]  # given, or not; for a maximum with its places as well
            if isinstance(layer.op, MaxPool):
                outputs.insert(0, kernel(layer.x, return_indices=True))
            for known in outputs:
                found = layer.pull(kernel, g, known)
                for mine, theirs in zip(found, expected, strict=True):
                    np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-9, err_msg=f"{layer.op!r} {plan}")
            tangents = [rng.normal(size=a.shape) for a in (layer.x, *layer.parameters.values())]
            named = {f"d{name}": t for name, t in zip(("x", *layer.parameters), tangents, strict=True)}
            forward = kernel.jvp(layer.x, **layer.parameters, **named)
            assert forward.shape == g.shape
            reached = np.where(np.isnan(forward), 0, forward)  # an average over no tap at all
            left = float((g * reached).sum())
            right = sum(float((mine * t).sum()) for mine, t in zip(found, tangents, strict=True))
            assert left == pytest.approx(right, rel=1e-9, abs=1e-8), f"{layer.op!r} {plan}"
    finally:
        patch.undo()


@settings(max_examples=60, deadline=None)
@given(convolutions(), BUDGETS)
def test_gradients_of_convolutions(layer: Layer, budget: int) -> None:
    check_gradients(layer, budget)


@settings(max_examples=80, deadline=None)
@given(poolings(), BUDGETS)
def test_gradients_of_poolings(layer: Layer, budget: int) -> None:
    check_gradients(layer, budget)


@pytest.mark.parametrize("op", [AvgPool(3, 2, 1, ceil_mode=True), LPPool(3, 2, 1), MaxPool(2, 1)])
def test_gradients_are_those_of_the_function(op: Any) -> None:
    """Against central differences, which share nothing with the formula of the derivative."""
    rng = np.random.default_rng(0)
    x = rng.permutation(25).reshape(1, 1, 5, 5) / 7 + 0.3
    kernel = compile(op)
    g = rng.normal(size=kernel(x).shape)
    found = kernel.vjp(g, x).input
    step = 1e-6
    for place in np.ndindex(x.shape):
        moved = x.copy()
        moved[place] += step
        up = float((g * kernel(moved)).sum())
        moved[place] -= 2 * step
        slope = (up - float((g * kernel(moved)).sum())) / (2 * step)
        assert slope == pytest.approx(found[place], abs=1e-6)


def test_the_adjoint_identity_holds_exactly_for_small_integers() -> None:
    """A convolution is linear in its input: <g, conv x> = <vjp(g), x>, without rounding."""
    rng = np.random.default_rng(1)
    op = Conv(3, 2, 1, in_channels=2, out_channels=4, groups=2, padding_mode="circular")
    x, weight = (rng.integers(-9, 10, size=s).astype(float) for s in ((2, 2, 6, 5), (4, 1, 3, 3)))
    kernel = compile(op, weight=weight)
    g = rng.integers(-9, 10, size=kernel(x).shape).astype(float)
    found = kernel.vjp(g, x)
    assert found.weight is not None
    assert float((g * kernel(x)).sum()) == float((found.input * x).sum()) == float((found.weight * weight).sum())


@pytest.mark.parametrize("plan", ["separable", "taps"])
def test_ties(plan: str) -> None:
    x, g = np.full((1, 1, 3, 3), 2.0), np.array([[[[9.0]]]])
    first = compile(MaxPool(3), plan=plan).vjp(g, x).input
    assert first.ravel().tolist() == [9, 0, 0, 0, 0, 0, 0, 0, 0]
    split = compile(MaxPool(3, ties="split"), plan=plan).vjp(g, x).input
    assert split.ravel().tolist() == [1.0] * 9
    # two ties in the first row, one in the second: equal shares are thirds, not halves of halves
    x = np.array([[[[5.0, 5.0], [5.0, 1.0]]]])
    split = compile(MaxPool(2, ties="split"), plan=plan).vjp(np.array([[[[6.0]]]]), x).input
    assert split.ravel().tolist() == [2, 2, 2, 0]
    # the first in row-major order, though the last row is reached first along the first column
    x = np.array([[[[1.0, 5.0], [5.0, 1.0]]]])
    first = compile(MaxPool(2), plan=plan).vjp(np.array([[[[6.0]]]]), x).input
    assert first.ravel().tolist() == [0, 6, 0, 0]


@pytest.mark.parametrize("op", [MaxPool((3, 2), (1, 2)), LPPool(2, (3, 2), (1, 2)), AvgPool((3, 2), (1, 2))])
def test_rows_that_two_blocks_read_collect_from_both(op: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.random.default_rng(3).normal(size=(1, 1, 30, 4))
    kernel = compile(op)
    g = np.ones(kernel(x).shape)
    whole = kernel.vjp(g, x).input
    monkeypatch.setattr(chain, "BLOCK_BYTES", 1)
    np.testing.assert_allclose(kernel.vjp(g, x).input, whole, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("plan", ["separable", "taps"])
@pytest.mark.parametrize("ties", ["first", "split"])
@pytest.mark.parametrize("value", [np.inf, np.nan])
def test_what_a_maximum_does_not_pass_on_stays_zero(plan: str, ties: str, value: float) -> None:
    """0 times infinity is no gradient: taps that lost receive 0, whatever the upstream gradient is."""
    x, g = np.arange(16.0).reshape(1, 1, 4, 4), np.array([[[[value, 1.0], [2.0, 3.0]]]])
    kernel = compile(MaxPool(2, ties=ties), plan=plan)
    found = kernel.vjp(g, x).input
    np.testing.assert_array_equal(found[0, 0, 1::2, 1::2], g[0, 0])
    assert np.count_nonzero(found) == 4
    tangent = np.where(x == 0, value, 1.0)
    np.testing.assert_array_equal(kernel.jvp(x, dx=tangent), np.ones((1, 1, 2, 2)))


def test_ties_left_as_a_set_have_an_output_and_no_gradient() -> None:
    kernel = compile(MaxPool(2, ties="set"))
    x = np.arange(4.0).reshape(1, 1, 2, 2)
    assert kernel(x).item() == 3
    for refused in (lambda: kernel.vjp(np.ones((1, 1, 1, 1)), x), lambda: kernel.jvp(x, dx=x)):
        with pytest.raises(NotSupportedError, match="ties='set' is a set"):
            refused()


def test_a_gradient_of_zero_where_an_lp_norm_is_zero() -> None:
    x, g = np.zeros((1, 1, 2, 2)), np.ones((1, 1, 1, 1))
    for p in (1, 1.5, 2, 3, float("inf")):
        for plan in ("separable", "taps"):
            assert not compile(LPPool(p, 2), plan=plan).vjp(g, x).input.any()


def test_tangents_of_single_variables_add_up() -> None:
    rng = np.random.default_rng(2)
    kernel = compile(Conv((3,), padding=1, in_channels=2, out_channels=3, bias=True))
    x, weight, bias = rng.normal(size=(2, 5)), rng.normal(size=(3, 2, 3)), rng.normal(size=3)
    dx, dweight, dbias = rng.normal(size=(2, 5)), rng.normal(size=(3, 2, 3)), rng.normal(size=3)
    whole = kernel.jvp(x, weight, bias, dx=dx, dweight=dweight, dbias=dbias)
    parts = [kernel.jvp(x, weight, bias, **part) for part in ({"dx": dx}, {"dweight": dweight}, {"dbias": dbias})]
    np.testing.assert_allclose(whole, sum(parts), rtol=1e-12, atol=1e-12)
    assert not kernel.jvp(x, weight, bias).any()
    np.testing.assert_allclose(parts[2], np.broadcast_to(dbias[:, None], (3, 5)))
    expected = oracles.conv_jvp(x[None], weight, dx=dx[None], dweight=dweight, dbias=dbias, padding=1)
    np.testing.assert_allclose(whole[None], oracles.to_numpy(expected), rtol=1e-12, atol=1e-12)


def test_a_known_output_has_the_shape_of_the_output_and_may_be_rounded() -> None:
    x = np.arange(1, 17, dtype=np.float16).reshape(4, 4)
    kernel = compile(LPPool(2, 2))
    y = kernel(x)
    g = np.ones((2, 2), np.float16)
    # a norm of float16 is computed in float32: an output that was rounded is not divided by
    np.testing.assert_array_equal(kernel.vjp(g, x, output=y).input, kernel.vjp(g, x).input)
    with pytest.raises(ArgumentError, match=r"output must have the shape \(2, 2\)"):
        kernel.vjp(g, x, output=x)


def test_known_places_are_places_of_the_input() -> None:
    x = np.arange(32.0).reshape(2, 4, 4)
    kernel = compile(MaxPool(2))
    y, places = kernel(x, return_indices=True)
    g = np.ones_like(y)
    expected = np.zeros_like(x)
    for plane, found in enumerate(places):
        expected[plane].flat[found.ravel()] = 1
    np.testing.assert_array_equal(kernel.vjp(g, x, output=(y, places)).input, expected)
    for wrong, message in ((places + 16, "-1 to 15.*31"), (places - 32, "-1 to 15"), (places / 2, "integers.*float64")):
        with pytest.raises(ArgumentError, match=message):
            kernel.vjp(g, x, output=(y, wrong))
    with pytest.raises(ArgumentError, match="a pair is for MaxPool alone"):
        compile(AvgPool(2)).vjp(g, x, output=(y, places))
