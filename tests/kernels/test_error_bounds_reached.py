"""Bounds of direct sums are no larger than they must be: among shapes with as many taps some data comes near to each.

One order of summation after the other: the program of "taps", the products of NumPy's BLAS ("im2col" and "rows"), and
the sums of average poolings, tap by tap, one axis after the other, and by doubling.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import fsum, prod

import numpy as np
import pytest

from symconv.kernels.compile import compile
from symconv.operators.adaptive import AdaptiveAvgPool
from symconv.operators.convolution import Conv
from symconv.operators.pooling import AvgPool

COUNTS = [9, 64, 256, 1024, pytest.param(4096, marks=pytest.mark.slow)]


def windows(taps: int) -> Iterator[tuple[int, ...]]:
    """Shapes of windows with so many taps."""
    yield (taps,)
    yield from ((rows, taps // rows) for rows in (2, 3, 4, 8, 16, 32, 64) if taps % rows == 0 and rows < taps)


def made(window: tuple[int, ...], seed: int) -> Iterator[np.ndarray]:
    """Numbers to be added up: those that are lost one by one beside a large one, and random ones."""
    small = np.full(window, 2.0**-24 * (1 - 2.0**-9), np.float32)
    for place in (0, small.size // 2, small.size - 1):
        lost = small.copy()
        lost.flat[place] = 1
        yield lost
    # the sum so far is just above a power of two, so that every addition is rounded by up to half a unit
    rng = np.random.default_rng(seed)
    for _ in range(8):
        yield (1 + rng.random(window)).astype(np.float32)
    grown = np.float32(2.0 ** (np.arange(small.size) // max(1, small.size // 12)) * (1 + 2.0**-23))
    yield grown.reshape(window)


def share(kernel: object, x: np.ndarray, weight: np.ndarray | None, whole: float) -> float:
    """How near the worst of some equal outputs comes to its bound."""
    given = (x,) if weight is None else (x, weight)
    found = np.asarray(kernel(*given), np.float64)  # type: ignore[operator]
    bound = kernel.error_bound(*given).values  # type: ignore[attr-defined]
    shares = np.abs(found - whole) / bound
    assert shares.max() <= 1
    return float(shares.max())


def nearest_of_convolutions(plan: str, taps: int) -> float:
    found = 0.0
    for window in windows(taps):
        if plan == "taps" and prod(window) > 1024 and len(window) > 1:
            continue
        kernel = compile(Conv(window), plan=plan)
        for data in made(window, taps):
            for width in (1, 70):  # how a BLAS adds depends on how many sums there are
                x = np.ones((*window[:-1], window[-1] + width - 1), np.float32)
                found = max(found, share(kernel, x, data, fsum(data.astype(np.float64).flat)))
            if found > 0.5:
                return found
    return found


def nearest_of_averages(plan: str, taps: int) -> float:
    found = 0.0
    for window in windows(taps):
        if plan == "windows":  # along the last axis NumPy adds, in its own order; columns are added by halves here
            kernel = compile(AdaptiveAvgPool((1, 2)))
            columns = [np.stack([data.ravel()] * 2, axis=1) for data in made(window, taps)]
        else:
            kernel, columns = compile(AvgPool(window, 1), plan=plan), list(made(window, taps))
        for data in columns:
            found = max(found, share(kernel, data, None, fsum(data.astype(np.float64).flat) / data.size))
        if found > 0.5:
            return found
    return found


@pytest.mark.parametrize("taps", COUNTS)
@pytest.mark.parametrize("plan", ["taps", "im2col", "rows"])
def test_sums_of_products(plan: str, taps: int) -> None:
    near = nearest_of_convolutions(plan, taps)
    print(f"\n{plan}, {taps} taps: {near:.3f} of the bound")
    assert near >= 1 / 20


@pytest.mark.parametrize("taps", COUNTS)
@pytest.mark.parametrize("plan", ["taps", "separable", "windows"])
def test_sums_of_entries(plan: str, taps: int) -> None:
    near = nearest_of_averages(plan, taps)
    print(f"\naverages by {plan!r}, {taps} taps: {near:.3f} of the bound")
    assert near >= 1 / 20


def test_the_bound_of_a_known_order_follows_the_shape() -> None:
    """Windows of 1,024 taps: as many roundings as an entry goes through, not as many as there are taps."""
    counts = {}
    for window in ((1024,), (32, 32), (2, 512)):
        for plan in ("taps", "separable"):
            kernel = compile(AvgPool(window, 1), plan=plan)
            bound = kernel.error_bound(np.ones(window, np.float32))
            counts[window, plan] = round(float(bound.values.max()) * 2.0**24)
    assert counts[(1024,), "taps"] <= 12  # ten levels of a tree, and the division
    assert counts[(32, 32), "separable"] <= 14
    assert counts[(2, 512), "separable"] <= 14
    assert counts[(32, 32), "taps"] >= 1000
    rows = compile(Conv((32, 32)), plan="separable", weight=np.ones((32, 32), np.float32))
    x = np.ones((32, 32), np.float32)
    direct = compile(Conv((32, 32)), plan="im2col").error_bound(x, np.ones((32, 32), np.float32))
    assert rows.error_bound(x).values.max() < direct.values.max() / 5
