"""What array operations cost: a few constants, measured, and the estimates that plans are compared by.

Only ratios matter: the constants were measured on one core of an x86-64 processor with AVX2 and an OpenBLAS that
multiplies 74 (float32) and 38 (float64) Gflop/s. A faster machine changes them all by about the same factor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Estimate", "calls", "copies", "matrix_products", "passes", "vector_products"]

CALL = 1.0e-6
"""Seconds of a NumPy call on a few entries, with the slicing of its arguments."""

COPY = 40e-12
"""Seconds a byte of a copy in the cache, and `RUN` for every contiguous run of it."""
RUN = 6e-9

PASS = 55e-12
"""Seconds a byte of the result of an elementwise operation in the cache; outside of it `MEMORY` more."""
MEMORY = 110e-12

PRODUCT_CALL = 0.6e-6
"""Seconds of a matrix product of no size in a batch; that of a vector takes `VECTOR_CALL`, and `VECTOR_ENTRY` for every
entry of the vector."""
VECTOR_CALL = 0.07e-6
VECTOR_ENTRY = 1e-9

RATE = {"f4": 60e9, "f8": 30e9}
"""Multiplications and additions a second of a large matrix product."""

VECTOR_RATE = {"f4": 30e9, "f8": 14e9}
"""The same of a matrix times a vector in the cache."""

INTEGER_RATE = 0.8e9
"""The same without a BLAS: integers."""

OUTER = 1.5e-9
"""Seconds an entry of a product whose sums have one term: NumPy hands it to no BLAS."""

PACK = 1.2e-10
"""Seconds a byte of what a matrix product packs (both factors) or goes over a second time (the result)."""


@dataclass(frozen=True)
class Estimate:
    """An estimate.

    Attributes:
        seconds: the time.
        multiply_adds: multiplications, each with an addition.
        bytes: what is read and written, working arrays included.
        scratch: bytes of working arrays beyond the result.
    """

    seconds: float
    multiply_adds: int
    bytes: int
    scratch: int


def _kind(dtype: np.dtype[Any]) -> str:
    return f"{dtype.kind}{dtype.itemsize}"


def matrix_products(m: int, k: int, n: int, count: int, dtype: np.dtype[Any]) -> float:
    """Seconds of `count` matrix products ``(m x k) @ (k x n)`` in one call."""
    if k == 1:
        return count * (VECTOR_CALL + m * n * OUTER)
    if m == 1:
        return vector_products(k, n, count, dtype)
    operations = 2 * m * k * n
    rate = RATE.get(_kind(dtype))
    if rate is None:
        return count * operations / INTEGER_RATE
    packed = (m * k + k * n + m * n) * dtype.itemsize
    return count * (PRODUCT_CALL + operations / rate + packed * PACK)


def vector_products(k: int, n: int, count: int, dtype: np.dtype[Any]) -> float:
    """Seconds of `count` products of a vector of `k` entries with a ``k x n`` matrix in the cache, in one call."""
    rate = VECTOR_RATE.get(_kind(dtype), INTEGER_RATE)
    return count * (VECTOR_CALL + k * VECTOR_ENTRY + 2 * k * n / rate)


def copies(entries: float, dtype: np.dtype[Any], run: int) -> float:
    """Seconds of copying entries in contiguous runs of `run`."""
    return entries * (dtype.itemsize * COPY + RUN / max(run, 1))


def passes(entries: float, dtype: np.dtype[Any], cached: bool = True) -> float:
    """Seconds of one elementwise operation with `entries` results."""
    return entries * dtype.itemsize * (PASS if cached else PASS + MEMORY)


def calls(count: float) -> float:
    """Seconds of the bare calls of NumPy functions."""
    return count * CALL
