"""Bounds on data that is made to break them, and on calls that are large enough for blocks and tiles."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest

from symconv.errors import ArgumentError, NotSupportedError
from symconv.kernels.compile import compile
from symconv.operators.base import Operator
from symconv.operators.convolution import Conv
from symconv.operators.pooling import AvgPool, MaxPool

TAPS = 4096
WINDOWS = [((4096,), (4300,)), ((64, 64), (80, 80)), ((16, 16, 16), (20, 20, 20))]


def exact(x: np.ndarray, weight: np.ndarray, at: tuple[int, ...]) -> Fraction:
    """One output of a plain convolution of ``(C, *sizes)`` by a ``(C, *kernel)``, by the definition."""
    total = Fraction(0)
    for entry in product(*map(range, weight.shape)):
        read = (entry[0], *(o + m for o, m in zip(at, entry[1:], strict=True)))
        total += Fraction(float(x[read])) * Fraction(float(weight[entry]))
    return total


def test_many_taps_of_equal_numbers() -> None:
    x, weight = np.full(4300, 1.1, np.float32), np.full(TAPS, 1.1, np.float32)
    whole = TAPS * Fraction(float(weight[0])) ** 2
    for plan in ("im2col", "rows", "fft"):
        kernel = compile(Conv((TAPS,)), plan=plan)
        bound, found = kernel.error_bound(x, weight).values, kernel(x, weight)
        errors = [abs(Fraction(float(value)) - whole) for value in found]
        assert all(error <= Fraction(float(limit)) for error, limit in zip(errors, bound, strict=True))
        assert plan == "fft" or max(errors) > whole / 1_000_000  # 1e-6, three times more than single roundings


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_direct_sums_of_as_many_taps_come_near_to_their_bounds(dtype: str) -> None:
    # a one, and numbers just below half a unit in its last place: each of them is lost where it is added to the one;
    # how a sum is split up depends on the shape and the BLAS, so that the nearest of all shapes is looked at
    digits, nearest = np.finfo(dtype).nmant + 1, 0.0
    for (window, sizes), plan in product(WINDOWS, ("im2col", "rows")):
        if plan == "rows" and len(window) > 2:
            continue
        weight = np.full(window, 2.0**-digits * (1 - 2.0**-9), dtype)
        weight.flat[0] = 1
        whole = sum((Fraction(float(value)) for value in weight.flat), Fraction(0))
        kernel = compile(Conv(window), plan=plan)
        x = np.ones(sizes, dtype)
        bound = kernel.error_bound(x, weight)
        assert f"γ({TAPS})" in bound.formula
        worst = max(abs(Fraction(float(v)) - whole) for v in np.unique(kernel(x, weight)))
        share = float(worst / Fraction(float(bound.values.min())))
        assert share <= 1
        nearest = max(nearest, share)
    assert nearest >= 1 / 20


LARGE: list[tuple[Operator, tuple[int, ...], list[str]]] = [
    (Conv((300,)), (9000,), ["im2col", "rows", "fft"]),
    (Conv((13, 11)), (150, 400), ["im2col", "rows", "fft", "separable"]),
    (Conv((3, 3), in_channels=20, out_channels=3), (60, 90), ["im2col", "winograd", "winograd_f2"]),
    (Conv((5, 5), in_channels=70, out_channels=2), (40, 30), ["im2col"]),
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", LARGE, ids=[repr(op) for op, _, _ in LARGE])
def test_large_calls(case: tuple[Any, tuple[int, ...], list[str]], dtype: str) -> None:
    op, sizes, plans = case
    rng = np.random.default_rng(5)
    x = (rng.normal(size=(op.in_channels, *sizes)) * 2.0 ** rng.integers(-20, 5, sizes)).astype(dtype)
    weight = rng.normal(size=(op.out_channels, op.in_channels, *op.kernel_size)).astype(dtype)
    if "separable" in plans:
        weight = (weight[..., :1] * weight[..., :1, :]).astype(dtype)
    kernels = [compile(op, plan=plan, accuracy="fast", weight=weight) for plan in plans]
    results = [(kernel(x), kernel.error_bound(x).values) for kernel in kernels]
    for _ in range(12):
        at = (int(rng.integers(op.out_channels)), *(int(rng.integers(n)) for n in results[0][0].shape[1:]))
        value = exact(x, weight[at[0]], at[1:])
        for plan, (found, bound) in zip(plans, results, strict=True):
            assert abs(Fraction(float(found[at])) - value) <= Fraction(float(bound[at])), plan


def test_a_bound_says_what_explain_prints() -> None:
    op = Conv((3, 3), in_channels=5, out_channels=2, bias=True)
    x = np.ones((5, 12, 12), np.float32)
    weight, bias = np.ones((2, 5, 3, 3), np.float32), np.ones(2, np.float32)
    for plan in ("im2col", "winograd", "winograd_f2", "taps"):
        kernel = compile(op, plan=plan, accuracy="fast")
        bound = kernel.error_bound(x, weight, bias)
        assert f"|error| ≤ {bound.formula}; the constant is {bound.constant:.3g}" in kernel.explain((5, 12, 12))
        assert "u = 2^-24, ω = 2^-126 (float32)" in kernel.explain((5, 12, 12))
        assert "u = 2^-53" in kernel.explain((5, 12, 12), "float64")


def test_the_number_of_taps_is_that_of_the_size() -> None:
    kernel = compile(Conv((101,), padding=50), plan="im2col")
    assert kernel.error_bound(np.ones(1), np.ones(101)).formula.startswith("γ(1)·")
    assert kernel.error_bound(np.ones(20), np.ones(101)).formula.startswith("γ(20)·")
    assert kernel.error_bound(np.ones(500), np.ones(101)).formula.startswith("γ(101)·")


def test_maxima_and_integers_are_exact() -> None:
    x = np.random.default_rng(0).normal(size=(8, 8)).astype(np.float16)
    assert compile(MaxPool(2)).error_bound(x).values.tolist() == np.zeros((4, 4)).tolist()
    bound = compile(Conv((2,))).error_bound([1, 2, 3], [1, 1])
    assert (bound.values.tolist(), str(bound)) == ([0, 0], "|error| = 0: nothing is rounded")


def test_nothing_is_promised_where_something_may_overflow() -> None:
    x = np.array([1e38, 3e38, 3e38, 1.0, 1.0], np.float32)
    bound = compile(Conv((2,)), plan="im2col").error_bound(x, np.ones(2, np.float32)).values
    assert np.isinf(bound[1])
    assert np.isfinite(bound[3])
    assert np.isinf(compile(AvgPool((2,), stride=1)).error_bound(x).values[1])  # the sum, not the average
    assert np.isinf(compile(Conv((1,))).error_bound(np.float16([60000]), np.float16([2])).values[0])
    assert np.isinf(compile(Conv((1,))).error_bound(np.float32([np.nan]), np.float32([2])).values[0])


def test_wrong_questions() -> None:
    kernel = compile(Conv((2,)))
    with pytest.raises(ArgumentError, match=r"^of must be "):
        kernel.error_bound(np.ones(3), np.ones(2), of="inputs")
    with pytest.raises(ArgumentError, match=r"^grad_output must be given for the gradient of the input"):
        kernel.error_bound(np.ones(3), np.ones(2), of="input")
    with pytest.raises(ArgumentError, match=r"^grad_output must be left out for the output"):
        kernel.error_bound(np.ones(3), np.ones(2), grad_output=np.ones(2))
    with pytest.raises(ArgumentError, match=r"^of must be a variable of "):
        kernel.error_bound(np.ones(3), np.ones(2), of="bias", grad_output=np.ones(2))
    with pytest.raises(NotSupportedError, match=r"ties='set'"):
        compile(MaxPool((2,), ties="set")).error_bound(np.ones(4), of="input", grad_output=np.ones(2))
