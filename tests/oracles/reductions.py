"""The reductions of one window: plain functions of a short list of numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Literal, TypeAlias

from oracles.tensors import Scalar

Ties: TypeAlias = Literal["first", "split"]


def magnitude(value: Scalar) -> Scalar:
    """|value|, of the type of value."""
    return -value if value <= 0 else value


def is_nan(value: Scalar) -> bool:
    """Whether value is the one number that differs from itself."""
    return value != value


def divide(value: Scalar, divisor: int) -> Scalar:
    """value / divisor, exact where value is."""
    return value / divisor if isinstance(value, float) else Fraction(value) / divisor


def maximal(values: Sequence[Scalar]) -> list[int]:
    """The places of the maximum, in order; NaN is larger than every number and as large as NaN."""
    nan = [k for k, value in enumerate(values) if is_nan(value)]
    if nan:
        return nan
    best: list[int] = []
    for k, value in enumerate(values):
        if not best or value > values[best[0]]:
            best = [k]
        elif value == values[best[0]]:
            best.append(k)
    return best


def share(value: Scalar, ways: int) -> Scalar:
    """One of `ways` equal shares of value; value itself, untouched, where it is not shared."""
    return value if ways == 1 else divide(value, ways)


def _check_order(p: Scalar) -> None:
    if not p >= 1:
        raise ValueError(f"the order p of an LP pool must be >= 1 or infinity, got {p}")


def lp_norm(values: Sequence[Scalar], p: Scalar) -> Scalar:
    """(sum |x|^p)^(1/p) = M (sum (|x|/M)^p)^(1/p) with M = max |x|, so that nothing overflows; 0 of no values.

    Example:
        >>> lp_norm([3, -4], 1), lp_norm([3, -4], 2), lp_norm([3, -4], math.inf), lp_norm([], 2)
        (7, 5.0, 4, 0)
        >>> lp_norm([3e300, 4e300], 2)
        5e+300
    """
    _check_order(p)
    sizes = [magnitude(value) for value in values]
    if any(is_nan(size) for size in sizes):
        return math.nan
    largest = max(sizes, default=0)
    if largest in (0, math.inf) or p == math.inf:
        return largest
    if p == 1:
        return sum(sizes)
    root: float = _scaled_sum(sizes, largest, p) ** float(1 / p)
    return largest * root


def _scaled_sum(sizes: Sequence[Scalar], largest: Scalar, p: Scalar) -> float:
    return math.fsum(float(size / largest) ** float(p) for size in sizes)


def _sign(value: Scalar) -> Scalar:
    return value if is_nan(value) else (value > 0) - (value < 0)


def lp_weights(values: Sequence[Scalar], p: Scalar, ties: Ties = "first") -> list[Scalar]:
    """The gradient sign(x) |x|^(p-1) / y^(p-1) of the LP norm y.

    It is 0 for all-zero values (a convention for every p) and sign(x) for p = 1.  For p = infinity it is sign(x) at
    the maximum of |x|, with a policy for ties.  An infinite value has no defined direction, NaN, for 1 < p < infinity.

    Example:
        >>> lp_weights([3, -4], 2), lp_weights([0, 0], 2), lp_weights([-2, 2], math.inf)
        ([0.6, -0.8], [0, 0], [-1, 0])
    """
    _check_order(p)
    if p == 1:
        return [_sign(value) for value in values]
    sizes = [magnitude(value) for value in values]
    if p == math.inf:
        best = maximal(sizes)
        best = best[:1] if ties == "first" else best
        return [share(_sign(value), len(best)) if k in best else 0 for k, value in enumerate(values)]
    if any(is_nan(size) for size in sizes):
        return [math.nan for _ in values]
    largest = max(sizes, default=0)
    if largest == 0:
        return [0 for _ in values]
    if largest == math.inf:
        return [math.nan if size == math.inf else 0 for size in sizes]
    power = float(p) - 1
    scale = _scaled_sum(sizes, largest, p) ** (power / float(p))
    return [_sign(value) * float(size / largest) ** power / scale for value, size in zip(values, sizes, strict=True)]
