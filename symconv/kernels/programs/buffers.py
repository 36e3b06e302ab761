"""The buffer of NumPy's elementwise functions, made small enough to be left out of long rows.

Where the rows of an array do not follow each other, NumPy (2.4) copies operands into a buffer, and back, as long as a
row has less than a quarter of the entries of the buffer: 2,048 unless it is told otherwise. That is right for rows of a
few dozen entries and takes three times as long as the arithmetic itself for rows of a thousand.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import numpy as np

__all__ = ["short_buffers"]

ENTRIES = 1024
"""Measured: rows of up to 256 entries are buffered."""

FEW_CHANNELS = 256
"""Up to so many channels that stand together are buffered in any case, and then faster in large buffers."""

LEAST = 1 << 14
"""An array with fewer entries is not worth the two calls."""

F = TypeVar("F", bound=Callable[..., Any])


def short_buffers(method: F) -> F:
    """Let a method whose first argument is an input run with short buffers; they are this thread's alone."""

    @wraps(method)
    def run(self: Any, array: Any, *args: Any) -> Any:
        if array.size < LEAST or (array.strides[-1] != array.itemsize and array.shape[1] <= FEW_CHANNELS):
            return method(self, array, *args)
        before = np.setbufsize(ENTRIES)
        try:
            return method(self, array, *args)
        finally:
            np.setbufsize(before)

    return run  # type: ignore[return-value]
