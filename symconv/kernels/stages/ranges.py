"""Whether numbers are far enough from the ends of their range, and a scale that brings them there."""

from __future__ import annotations

import numpy as np

from symconv.kernels.padding import Array

__all__ = ["moderate", "shared_exponent", "suspicious"]


def shared_exponent(a: Array) -> int:
    """The exponent of the largest entry; 0 if dividing by it would cost another entry digits, or is impossible."""
    size = np.abs(a)
    largest = float(size.max())
    if not 0 < largest < np.inf:
        return 0
    exponent = int(np.frexp(largest)[1])
    least = float(size.min(where=size > 0, initial=largest))
    return exponent if np.ldexp(least, -exponent) >= np.finfo(a.dtype).tiny else 0


def suspicious(y: Array, flow: Array) -> bool:
    """True where an output may be NaN, or of a window of padding, or where what arrives may be infinite or NaN."""
    return not (y.min(initial=np.inf) > -np.inf and np.isfinite(flow.sum()))


def moderate(flow: Array) -> bool:
    """True where a gradient may be multiplied and divided by powers that are within the digits of a number."""
    limits = np.finfo(flow.dtype)
    bound = float(2.0 ** (limits.maxexp - limits.nmant - 2))
    return bool(flow.max() <= bound and flow.min() >= -bound)
