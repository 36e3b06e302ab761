"""Maxima in kernels: NaN, infinities, ties, integers, indices and gradients, in small and in doubled windows."""

from __future__ import annotations

from typing import Any

import numpy as np
import oracles
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layers import ORDERS, laid, with_blocks_of

from symconv.errors import GeometryError
from symconv.kernels.compile import compile
from symconv.operators.pooling import LPPool, MaxPool

SPECIAL = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, 1.0, 2.0, -3.0]


@st.composite
def maxima(draw: st.DrawFn) -> tuple[np.ndarray, tuple[int, ...], dict[str, Any]]:
    """An input with ties, NaN and infinities, a window and its options."""
    ndim = draw(st.integers(1, 2))
    kernel = tuple(draw(st.sampled_from((1, 2, 3, 4, 5, 7))) for _ in range(ndim))
    sizes = tuple(draw(st.integers(1, 9)) for _ in range(ndim))
    options: dict[str, Any] = {
        "stride": tuple(draw(st.integers(1, 4)) for _ in range(ndim)),
        "padding": tuple((draw(st.integers(-1, 3)), draw(st.integers(-1, 3))) for _ in range(ndim)),
        "dilation": tuple(draw(st.integers(1, 2)) for _ in range(ndim)),
        "ceil_mode": draw(st.booleans()),
    }
    rng = np.random.default_rng(draw(st.integers(0, 1 << 32)))
    values = np.array(draw(st.sampled_from([SPECIAL, SPECIAL[1:], SPECIAL[3:], [-np.inf, 1.0], [0.0, 1.0, 2.0]])))
    return laid(rng.choice(values, size=(2, 2, *sizes)), draw(ORDERS)), kernel, options


@settings(max_examples=80, derandomize=True, deadline=None)
@given(maxima(), st.sampled_from([1, 1 << 20]), st.sampled_from(["first", "split"]), st.booleans())
def test_values_indices_and_gradients(case: Any, budget: int, ties: str, single: bool) -> None:
    """Every entry is what plain loops say, whatever the block size, in both plans."""
    x, kernel_size, options = case
    try:
        op = MaxPool(kernel_size, ties=ties, **options)
        op.output_size(x.shape[2:])
    except GeometryError:
        return
    values, places = (oracles.to_numpy(t) for t in oracles.max_pool(x, kernel_size, **options))
    places = places.astype(int)
    g = np.random.default_rng(0).integers(-4, 5, size=values.shape).astype(float)
    pulled = oracles.to_numpy(oracles.max_pool_vjp(g, x, kernel_size, ties=ties, **options))
    dtype = np.float32 if single else np.float64
    patch = pytest.MonkeyPatch()
    with_blocks_of(budget, patch)
    try:
        for plan in ("separable", "taps"):
            kernel = compile(op, plan=plan)
            found, indices = kernel(x.astype(dtype), return_indices=True)
            np.testing.assert_array_equal(found, values)
            np.testing.assert_array_equal(indices, places)
            for known in (None, (found, indices)):
                gradient = kernel.vjp(g.astype(dtype), x.astype(dtype), output=known).input
                np.testing.assert_allclose(gradient, pulled, rtol=1e-6, atol=1e-5)
            if ties == "first":
                t = np.arange(x.size, dtype=dtype).reshape(x.shape)
                picked = np.take_along_axis(t.reshape(2, 2, -1), np.maximum(places, 0).reshape(2, 2, -1), 2)
                expected = np.where(places < 0, 0, picked.reshape(places.shape))
                np.testing.assert_array_equal(kernel.jvp(x.astype(dtype), dx=t), expected)
    finally:
        patch.undo()


@pytest.mark.parametrize("k", [8, 16, 17, 31])
@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf])
def test_doubled_windows_see_every_entry(k: int, special: float) -> None:
    """One special entry, and one more in the same row: it reaches exactly the windows that hold it, the first wins."""
    rng = np.random.default_rng(k)
    x = rng.normal(size=(40, 45)).astype(np.float32)
    x[20, 22] = x[20, 30] = x[35, 3] = special
    windows = np.lib.stride_tricks.sliding_window_view(x, (k, k))
    flat = windows.reshape(*windows.shape[:2], -1)
    number = flat.argmax(axis=-1)  # NumPy's argmax: the first NaN if there is one
    rows, columns = np.indices(number.shape)
    places = (rows + number // k) * 45 + columns + number % k
    found, indices = compile(MaxPool(k, 1))(x, return_indices=True)
    np.testing.assert_array_equal(found, np.take_along_axis(flat, number[..., None], -1)[..., 0])
    np.testing.assert_array_equal(indices, places)
    g = rng.integers(1, 9, size=number.shape).astype(np.float32)
    expected = np.bincount(places.ravel(), g.ravel(), x.size).reshape(x.shape)
    np.testing.assert_array_equal(compile(MaxPool(k, 1)).vjp(g, x).input, expected)


def test_more_taps_than_a_small_integer_counts() -> None:
    """300 and 66,049 taps: the number of a tap needs two bytes, then more."""
    x = np.random.default_rng(1).normal(size=(2, 40, 41))
    for k in ((20, 15), (1, 41), (40, 1)):
        windows = np.lib.stride_tricks.sliding_window_view(x, k, axis=(1, 2))
        g = np.ones(windows.shape[:3])
        found = compile(MaxPool(k, 1)).vjp(g, x).input
        number = windows.reshape(*windows.shape[:3], -1).argmax(-1)
        planes, rows, columns = np.indices(number.shape)
        expected = np.zeros(x.shape)
        np.add.at(expected, (planes, rows + number // k[1], columns + number % k[1]), g)
        np.testing.assert_array_equal(found, expected)
    large = np.zeros((257, 257))
    large[255, 256] = 1
    value, index = compile(MaxPool(257))(large, return_indices=True)
    assert (value.tolist(), index.tolist()) == ([[1.0]], [[255 * 257 + 256]])


@pytest.mark.parametrize("value", [np.inf, np.nan, -np.inf])
def test_an_infinite_upstream_gradient_reaches_the_winner_alone(value: float) -> None:
    x = np.arange(32.0).reshape(2, 4, 4)
    g = np.full((2, 3, 3), 1.0)
    g[0, 1, 1] = value
    found = compile(MaxPool(2, 1)).vjp(g, x).input
    expected = np.zeros((2, 4, 4))
    expected[:, 1:, 1:] = g
    np.testing.assert_array_equal(found, expected)


def test_zeros_of_either_sign_tie() -> None:
    x = np.array([[-0.0, 0.0], [0.0, -0.0]])
    for ties, expected in (("first", [[4.0, 0], [0, 0]]), ("split", [[1.0, 1], [1, 1]])):
        kernel = compile(MaxPool(2, ties=ties))
        value, index = kernel(x, return_indices=True)
        assert (value.tolist(), index.tolist()) == ([[0.0]], [[0]])
        assert kernel.vjp(np.array([[4.0]]), x).input.tolist() == expected


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"])
@pytest.mark.parametrize("order", ["=", "S"])
def test_integers_are_exact(dtype: str, order: str) -> None:
    """Neighbours at both ends of the range, which no float could tell apart, and padding that never wins."""
    limits = np.iinfo(dtype)
    rng = np.random.default_rng(0)
    ends = np.array([limits.min, limits.min + 1, limits.max - 1, limits.max], dtype)
    x = rng.choice(ends, size=(2, 3, 9, 11)).astype(np.dtype(dtype).newbyteorder(order))
    values, places = oracles.max_pool(x.tolist(), (4, 3), stride=(1, 2), padding=(2, 1))
    found, indices = compile(MaxPool((4, 3), (1, 2), ((2, 2), (1, 1))))(x, return_indices=True)
    assert found.dtype == np.dtype(dtype)
    assert found.tolist() == values.nested()
    assert indices.tolist() == places.nested()


def test_float16_and_other_byte_orders() -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, 9, 8))
    for dtype in (">f8", ">f4", "<f2", ">f2"):
        a = x.astype(dtype)
        a.flags.writeable = False
        values, places = oracles.max_pool(a.astype(float), 3, stride=2, padding=1)
        found, indices = compile(MaxPool(3, 2, 1))(a, return_indices=True)
        assert found.dtype == np.dtype(dtype).newbyteorder("=")
        np.testing.assert_array_equal(found, oracles.to_numpy(values))
        np.testing.assert_array_equal(indices, oracles.to_numpy(places))
        g = np.ones(found.shape, dtype)
        expected = oracles.to_numpy(oracles.max_pool_vjp(np.ones(found.shape), a.astype(float), 3, stride=2, padding=1))
        np.testing.assert_array_equal(compile(MaxPool(3, 2, 1)).vjp(g, a).input.astype(float), expected)


def test_batches_of_any_arrangement() -> None:
    x = np.random.default_rng(0).normal(size=(3, 2, 11, 13))
    kernel = compile(MaxPool(3, 2))
    y, indices = kernel(x, return_indices=True)
    g = np.random.default_rng(1).normal(size=y.shape)
    pulled = kernel.vjp(g, x).input
    strange = [np.asfortranarray(x), np.moveaxis(np.moveaxis(x, 1, -1).copy(), -1, 1), x[:, :, ::-1].copy()[:, :, ::-1]]
    for other in strange:
        again, places = kernel(other, return_indices=True)
        np.testing.assert_array_equal(again, y)
        np.testing.assert_array_equal(places, indices)
        np.testing.assert_array_equal(kernel.vjp(np.asfortranarray(g), other).input, pulled)
    none, nowhere = kernel(x[:0], return_indices=True)
    assert none.shape == nowhere.shape == (0, 2, 5, 6)
    assert kernel.vjp(g[:0], x[:0]).input.shape == (0, 2, 11, 13)


@pytest.mark.parametrize("plan", ["separable", "taps"])
def test_the_largest_size_has_the_sign_of_its_entry(plan: str) -> None:
    """p = infinity: the first of the largest |x| receives the gradient, times the sign of x."""
    x = np.array([[1.0, -3.0, 3.0, 0.0], [2.0, -1.0, -4.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
    kernel = compile(LPPool(float("inf"), 2, 1), plan=plan)
    assert kernel(x).tolist() == [[3.0, 4.0, 4.0], [2.0, 4.0, 4.0]]
    g = np.array([[1.0, 10.0, 100.0], [1000.0, 1e4, 1e5]])
    expected = [[0.0, -1.0, 0.0, 0.0], [1000.0, 0.0, -110110.0, 0.0], [0.0, 0.0, 0.0, 0.0]]
    assert kernel.vjp(g, x).input.tolist() == expected
    t = np.arange(12.0).reshape(3, 4)
    assert kernel.jvp(x, dx=t).tolist() == [[-1.0, -6.0, -6.0], [4.0, -6.0, -6.0]]
    outside = compile(LPPool(float("inf"), (2,), 1, 1, 2), plan="taps")
    assert outside(np.array([5.0])).tolist() == [0.0]
    assert outside.vjp(np.array([7.0]), np.array([5.0])).input.tolist() == [0.0]


@settings(max_examples=40, derandomize=True, deadline=None)
@given(
    st.integers(1, 5),
    st.integers(1, 4),
    st.integers(0, 2),
    st.integers(1, 3),
    st.booleans(),
    st.integers(1, 14),
    st.integers(0, 1 << 32),
)
def test_indices_and_gradients_are_those_of_pytorch(
    k: int, s: int, p: int, d: int, ceil: bool, n: int, seed: int
) -> None:
    torch = pytest.importorskip("torch", reason="the comparison of kernels with PyTorch needs PyTorch")
    if p > k // 2 or d * (k - 1) + 1 > n + 2 * p:
        return
    x = np.random.default_rng(seed).normal(size=(2, 2, n, n + 1)).round(1)
    leaf = torch.tensor(x, requires_grad=True)
    theirs, places = torch.nn.functional.max_pool2d(leaf, k, s, p, d, ceil, return_indices=True)
    kernel = compile(MaxPool(k, s, p, d, ceil_mode=ceil))
    ours, indices = kernel(x, return_indices=True)
    np.testing.assert_array_equal(ours, theirs.detach().numpy())
    np.testing.assert_array_equal(indices, places.numpy())
    g = np.random.default_rng(seed + 1).normal(size=ours.shape)
    theirs.backward(torch.tensor(g))
    np.testing.assert_allclose(kernel.vjp(g, x).input, leaf.grad.numpy(), rtol=1e-13, atol=1e-13)
