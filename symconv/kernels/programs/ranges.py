"""Whether numbers are far enough from the ends of their range, and a scale that brings them there."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from symconv.kernels.runtime.padding import Array
from symconv.kernels.runtime.workspace import Workspace

__all__ = ["largest_size", "least_size", "moderate", "shared_exponent", "suspicious"]


def shared_exponent(a: Array) -> int:
    """The exponent of the largest entry; 0 if dividing by it would cost another entry digits, or is impossible."""
    size = np.abs(a)
    largest = float(size.max())
    if not 0 < largest < np.inf:
        return 0
    exponent = int(np.frexp(largest)[1])
    least = float(size.min(where=size > 0, initial=largest))
    return exponent if np.ldexp(least, -exponent) >= np.finfo(a.dtype).tiny else 0


def least_size(a: Array, work: Workspace) -> float:
    """The smallest |x| of the entries that are not 0; infinite where all are, or are NaN.

    In the bits of numbers without their signs, less 1, the largest of all stands for 0.
    """
    bits = a.view(f"u{a.itemsize}")
    rest = np.left_shift(bits, 1, out=work.array(("bits", a.itemsize), a.shape, bits.dtype))
    np.subtract(rest, 1, out=rest)
    whole = (int(rest.min()) + 1) >> 1  # half the range, of the sign alone, if all are 0
    least = np.array(whole, bits.dtype).view(a.dtype)[()]
    return np.inf if least == 0 or np.isnan(least) else float(least)


def suspicious(y: Array, flow: Array) -> bool:
    """True where an output may be NaN, or of a window of padding, or where what arrives may be infinite or NaN."""
    return not (y.min(initial=np.inf) > -np.inf and np.isfinite(flow.sum()))


def largest_size(a: Array) -> float:
    """The largest |x| of the entries; NaN where one is."""
    return float(max(a.max(), -a.min()))


def moderate(size: float, dtype: npt.DTypeLike) -> bool:
    """True for what may be multiplied and divided by powers that are within the digits of a number."""
    limits = np.finfo(np.dtype(dtype))
    return size <= float(2.0 ** (limits.maxexp - limits.nmant - 2))
