"""The correctness gate: an output is compared with a peer's before anything is timed."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["TOLERANCES", "array_error", "tolerance"]

TOLERANCES = {
    "exact_order": {"float32": 1e-5, "float64": 1e-13},
    "default": {"float32": 2e-5, "float64": 1e-12},
    "fast": {"float32": 1e-4, "float64": 1e-11},
}
"""The largest error by accuracy class and type. Peers round too, so that the tightest class is not zero."""


def tolerance(accuracy: str, dtype: str, *, selects: bool = False) -> float:
    """The largest error that passes: zero for an operator that selects its output instead of computing it.

    An accuracy class without an entry of its own is held to the tightest one.

    >>> tolerance("default", "float32"), tolerance("default", "float32", selects=True)
    (2e-05, 0.0)
    """
    return 0.0 if selects else TOLERANCES.get(accuracy, TOLERANCES["exact_order"])[dtype]


def array_error(ours: Any, theirs: Any) -> float:
    """How far two arrays are apart: the largest difference by the largest magnitude; infinite where they cannot agree.

    They cannot where shape or type differ, or where one is finite, or NaN, and the other is not.

    >>> array_error(np.float32([1, 2]), np.float32([1, 2]))
    0.0
    >>> array_error(np.float32([1, 2]), np.float64([1, 2]))
    inf
    """
    a, b = np.asarray(ours), np.asarray(theirs)
    if a.shape != b.shape or a.dtype != b.dtype:
        return float("inf")
    finite = np.isfinite(b)
    if not np.array_equal(a[~finite], b[~finite], equal_nan=True) or not np.isfinite(a[finite]).all():
        return float("inf")
    if not finite.any():
        return 0.0
    a, b = a[finite].astype(np.float64), b[finite].astype(np.float64)
    difference, scale = float(np.abs(a - b).max()), float(np.abs(b).max())
    if difference == 0:
        return 0.0
    return difference / scale if scale else float("inf")
