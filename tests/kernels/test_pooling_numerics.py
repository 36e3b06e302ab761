"""LP norms over the whole range of a type, and averages of large windows, against exact or much wider arithmetic."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest

from symconv.kernels.compile import compile
from symconv.kernels.programs import chain
from symconv.operators.pooling import AvgPool, LPPool

EXPONENTS = [1, Fraction(3, 2), 2, 3, 10, 100]


def norm(entries: list[float], p: Any) -> float:
    """The LP norm in float64, whose range is so much wider than that of float32, over the largest entry."""
    largest = max(map(abs, entries))
    if largest == 0 or math.isinf(largest) or any(math.isnan(entry) for entry in entries):
        return math.nan if any(math.isnan(entry) for entry in entries) else largest
    return largest * math.fsum((abs(entry) / largest) ** float(p) for entry in entries) ** (1 / float(p))


def plain(x: np.ndarray, g: np.ndarray, k: int, s: int, p: Any) -> tuple[np.ndarray, np.ndarray]:
    """Norms of the windows of a plane, and the gradient ``g * sign(x) * (|x|/y)**(p-1)``, 0 where y is 0."""
    x = x.astype(float)
    y, dx = np.zeros(g.shape), np.zeros(x.shape)
    for i, j in product(range(g.shape[0]), range(g.shape[1])):
        places = [(i * s + m, j * s + n) for m in range(k) for n in range(k)]
        y[i, j] = norm([x[at] for at in places], p)
        for at in places:
            if y[i, j] and x[at]:
                ratio = min(1.0, abs(x[at]) / y[i, j])
                dx[at] += float(g[i, j]) * math.copysign(ratio ** (float(p) - 1), x[at])
    return y, dx


def scales(kind: str, rng: np.random.Generator) -> np.ndarray:
    """Float32 entries: of one size, of many sizes side by side, with windows of zeros, down to subnormal ones."""
    x = rng.normal(size=(12, 14))
    if kind in ("1e30", "1e-30", "1"):
        return (x * float(kind)).astype(np.float32)
    if kind == "many":
        return (x * 10.0 ** rng.integers(-30, 31, size=x.shape)).astype(np.float32)
    if kind == "zeros":
        x[:6] = 0
        return (x * rng.choice([1e-30, 1e30], size=x.shape)).astype(np.float32)
    if kind == "positive":  # zeros side by side, and small entries alone among them
        return np.maximum(x * 10.0 ** rng.integers(-12, 3, size=x.shape), 0).astype(np.float32)
    if kind == "rows":
        return (x * np.where(np.arange(12) < 6, 1e30, 1e-30)[:, None]).astype(np.float32)
    return (x * 1e-42).astype(np.float32)


@pytest.mark.parametrize("kind", ["1", "1e30", "1e-30", "many", "zeros", "positive", "rows", "subnormal"])
@pytest.mark.parametrize("p", EXPONENTS)
@pytest.mark.parametrize(("k", "s"), [(2, 2), (3, 1), (3, 2)])
def test_norms_over_the_range_of_float32(kind: str, p: Any, k: int, s: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither an output nor a gradient that float32 can represent overflows or underflows on the way."""
    x = scales(kind, np.random.default_rng(0))
    out = ((12 - k) // s + 1, (14 - k) // s + 1)
    g = np.random.default_rng(1).normal(size=out).astype(np.float32)
    y, dx = plain(x, g, k, s, p)
    eps = float(np.finfo(np.float32).eps)
    for plan, budget in (("separable", 1 << 20), ("separable", 1), ("taps", 1 << 20)):
        monkeypatch.setattr(chain, "BLOCK_BYTES", budget)
        kernel = compile(LPPool(p, k, s), plan=plan)
        found = kernel(x)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, y, rtol=8 * eps, atol=2e-45, err_msg=plan)
        # a ratio has an error of an ulp or two, its power p - 1 times as much; sums of several may cancel
        scale = np.abs(dx).max() if s < k else np.abs(dx)
        for known in (None, found):
            pulled = kernel.vjp(g, x, output=known).input
            assert (np.abs(pulled - dx) <= (8 + 4 * float(p)) * eps * scale + 2e-38).all(), plan
        moved = kernel.jvp(x, dx=np.ones_like(x))
        ones = np.array(
            [[plain(x, _one(out, i, j), k, s, p)[1].sum() for j in range(out[1])] for i in range(0, out[0], 4)]
        )
        np.testing.assert_allclose(moved[::4], ones, rtol=0, atol=(8 + 4 * float(p)) * eps * k * k, err_msg=plan)


def _one(shape: tuple[int, int], i: int, j: int) -> np.ndarray:
    g = np.zeros(shape)
    g[i, j] = 1
    return g


@pytest.mark.parametrize("p", [Fraction(3, 2), 2, 3, 10])
def test_norms_over_the_range_of_float64(p: Any) -> None:
    """The same in float64: scaling all entries by a power of two scales the norm, and leaves the gradient alone."""
    x = np.random.default_rng(0).normal(size=(2, 12, 12))
    kernel = compile(LPPool(p, 3, 2, 1))
    y = kernel(x)
    g = np.random.default_rng(1).normal(size=y.shape)
    pulled = kernel.vjp(g, x).input
    for exponent in (-1020, -600, 600, 1015):
        np.testing.assert_allclose(kernel(np.ldexp(x, exponent)), np.ldexp(y, exponent), rtol=1e-14)
        np.testing.assert_allclose(kernel.vjp(g, np.ldexp(x, exponent)).input, pulled, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("size", [1e-37, 1e-20, 1.0, 1e20, 1e37])
def test_large_and_small_upstream_gradients(size: float) -> None:
    x = np.array([[3e-20, 4e-20], [0, 0]], np.float32)
    for scale in (1, 1e16, 1e20, 1e40):
        a = (x.astype(float) * scale).astype(np.float32)
        kernel = compile(LPPool(2, 2))
        for known in (None, kernel(a)):
            found = kernel.vjp(np.array([[size]], np.float32), a, output=known).input
            np.testing.assert_allclose(found, np.array([[0.6, 0.8], [0, 0]]) * size, rtol=1e-5)


@pytest.mark.parametrize("p", EXPONENTS)
def test_norms_of_nothing_of_infinity_and_of_nan(p: Any) -> None:
    inf, nan = np.inf, np.nan
    x = np.array([[0, 0, inf, 1, nan, 1, 5, 0], [0, -0.0, -2, 3, inf, 2, 0, 0]], np.float32)
    kernel = compile(LPPool(p, 2))
    np.testing.assert_array_equal(kernel(x), [[0, inf, nan, 5]])
    found = kernel.vjp(np.ones((1, 4), np.float32), x).input
    assert (found[:, :2] == 0).all()  # at an all-zero window the gradient is 0
    assert found[:, 6:].tolist() == [[1, 0], [0, 0]]
    assert (found[:, 2:4][np.isfinite(x[:, 2:4])] == (0 if p != 1 else [1, -1, 1])).all()
    assert kernel.jvp(x, dx=np.ones_like(x))[0, [0, 3]].tolist() == [0, 1]


def test_a_norm_over_no_tap_is_0() -> None:
    for p in (*EXPONENTS, float("inf")):
        kernel = compile(LPPool(p, (2,), 1, 1, 2))
        assert kernel(np.array([5.0])).tolist() == [0.0]
        assert kernel.vjp(np.array([3.0]), np.array([5.0])).input.tolist() == [0.0]


@pytest.mark.parametrize(("k", "s"), [(31, 1), (101, 1), (101, 101), (31, 16), (200, 200)])
@pytest.mark.parametrize("mixed", [False, True])
def test_averages_of_large_windows_in_float32(k: int, s: int, mixed: bool) -> None:
    """Within 3 units in the last place of the exact average of positive entries; else of that of their sizes."""
    rng = np.random.default_rng(0)
    x = rng.random(size=(203, 205)).astype(np.float32) + (np.float32(-0.5) if mixed else np.float32(1000))
    y = compile(AvgPool(k, s))(x)
    assert y.dtype == np.float32
    for i, j in {(0, 0), (y.shape[0] - 1, y.shape[1] - 1), (y.shape[0] // 2, y.shape[1] // 3)}:
        window = x[i * s : i * s + k, j * s : j * s + k].astype(float).ravel()
        exact = math.fsum(window) / k**2
        unit = float(np.spacing(np.float32(math.fsum(abs(window)) / k**2)))
        assert abs(float(y[i, j]) - exact) <= 3 * unit


def test_one_axis_and_uneven_windows_are_averaged_as_well() -> None:
    x = (np.random.default_rng(0).random(size=(3, 5000)) + 10).astype(np.float32)
    for op in (AvgPool((1000,), 1), AvgPool((999,), 999), AvgPool((13,), 13), AvgPool((1, 777), (1, 400))):
        y = compile(op)(x if op.ndim == 1 else x[None])
        k, s = op.kernel_size[-1], op.stride[-1]
        for row, o in product(range(3), (0, y.shape[-1] // 2, y.shape[-1] - 1)):
            exact = math.fsum(x[row, o * s : o * s + k].tolist()) / k
            got = float(y.reshape(3, -1)[row, o])
            assert abs(got - exact) <= 3 * float(np.spacing(np.float32(exact)))


@pytest.mark.parametrize("k", [9, 31])
def test_gradients_of_large_averages(k: int) -> None:
    """The gradient of an entry is the sum of what the windows around it receive, over k*k."""
    x = np.zeros((2, 45, 47), np.float32)
    for s, p in ((1, 0), (1, k // 2), (2, 0), (k, 0)):
        kernel = compile(AvgPool(k, s, p))
        g = np.random.default_rng(0).random(size=kernel(x).shape).astype(np.float32)
        expected = np.zeros((2, 45 + 2 * p, 47 + 2 * p))
        for i, j in product(range(g.shape[1]), range(g.shape[2])):
            expected[:, i * s : i * s + k, j * s : j * s + k] += g[:, i, j, None, None].astype(float) / k**2
        expected = expected[:, p : p + 45, p : p + 47]
        np.testing.assert_allclose(kernel.vjp(g, x).input, expected, rtol=1e-6, atol=1e-7)


def test_a_window_that_counts_no_tap_has_no_average() -> None:
    """0/0 is NaN; the entries around it receive what their own windows hand out, and nothing else."""
    op = AvgPool((2,), 1, 1, 2, count_include_pad=False)
    assert np.isnan(compile(op)(np.array([5.0]))).all()
    assert compile(op).vjp(np.array([3.0]), np.array([5.0])).input.tolist() == [0.0]
    two = compile(AvgPool((2, 2), (1, 1), ((1, 0), (2, 0)), count_include_pad=False))
    y = two(np.array([[1.0, 2.0], [3.0, 4.0]]))
    np.testing.assert_array_equal(y, [[np.nan, 1, 1.5], [np.nan, 2, 2.5]])
    found = two.vjp(np.ones((2, 3)), np.ones((2, 2))).input
    np.testing.assert_array_equal(found, [[1 + 0.5 + 0.5 + 0.25, 0.5 + 0.25], [0.5 + 0.25, 0.25]])


def test_averages_and_norms_of_float16_are_computed_in_float32() -> None:
    x = np.full((64, 64), 300, np.float16)  # the sum, and the sum of squares, are beyond float16
    assert compile(AvgPool(64))(x).tolist() == [[300.0]]
    assert compile(LPPool(2, 2))(x)[0, 0] == 600
    assert compile(LPPool(2, 2)).vjp(np.ones((32, 32), np.float16), x).input[0, 0] == 0.5
