"""Scratch arrays out of memory that a thread keeps from call to call.

Fresh memory is slow: the system hands it out page by page, and for the few megabytes of a block that takes longer than
computing it.
"""

from __future__ import annotations

import threading
from math import prod
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from symconv.kernels.runtime.order import Array

__all__ = ["Workspace"]

KEPT_BYTES = 32 << 20
"""What a thread keeps; pages of it that were never needed take no memory."""
ALIGNMENT = 64

FRESH_BYTES = 1 << 15
"""Measured: up to this size an array of its own is faster than a piece of what is kept."""


class _Kept(threading.local):
    memory: Array | None = None


_kept = _Kept()


class Workspace:
    """Scratch arrays of one call, by name and shape, for the time of a ``with``; they must not be used after that.

    Large arrays are cut from what the thread keeps, as long as there is enough of it.
    """

    def __init__(self, dtype: npt.DTypeLike) -> None:
        self.dtype = np.dtype(dtype)
        self._arrays: dict[tuple[Any, ...], Array] = {}
        self._memory: Array | None = None
        self._used = 0

    def __contains__(self, made: tuple[object, tuple[int, ...]]) -> bool:
        """Whether an array of this key and shape has been handed out."""
        return made in self._arrays

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._memory is not None:
            _kept.memory = self._memory

    def array(self, key: object, shape: tuple[int, ...], dtype: npt.DTypeLike | None = None) -> Array:
        """An array with arbitrary contents; the same one for the same key and shape."""
        found = self._arrays.get((key, shape))
        if found is None:
            found = self._arrays[key, shape] = self.new(shape, self.dtype if dtype is None else np.dtype(dtype))
        return found

    def new(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        """An array of its own, with arbitrary contents."""
        size = prod(shape) * dtype.itemsize
        if size <= FRESH_BYTES:
            return np.empty(shape, dtype)
        if self._memory is None:
            self._memory = np.empty(KEPT_BYTES, np.uint8) if _kept.memory is None else _kept.memory
            _kept.memory = None  # a call inside of this one takes memory of its own
        first = self._used
        if first + size > KEPT_BYTES:
            return np.empty(shape, dtype)
        self._used = -(-(first + size) // ALIGNMENT) * ALIGNMENT
        return np.ndarray(shape, dtype, self._memory, first)
