"""Scratch arrays out of memory that a thread keeps from call to call.

Fresh memory is slow: the system hands it out page by page, and for the few megabytes of a block that takes longer than
computing it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod

import numpy as np
import numpy.typing as npt

from symconv.kernels.padding import Array
from symconv.kernels.stages.blocks import Workspace

__all__ = ["scratch"]

KEPT_BYTES = 32 << 20
"""What a thread keeps; pages of it that were never needed take no memory."""
ALIGNMENT = 64


class _Kept(threading.local):
    memory: Array | None = None


_kept = _Kept()


class _Scratch(Workspace):
    """A workspace whose arrays are cut from given memory as long as there is enough of it."""

    def __init__(self, dtype: npt.DTypeLike, memory: Array) -> None:
        super().__init__(dtype)
        self._memory, self._used = memory, 0

    def array(self, key: object, shape: tuple[int, ...], dtype: npt.DTypeLike | None = None) -> Array:
        found = self._arrays.get((key, shape))
        if found is None:
            kind = np.dtype(self.dtype if dtype is None else dtype)
            stop = self._used + prod(shape) * kind.itemsize
            if stop > self._memory.size:
                return super().array(key, shape, dtype)
            found = self._arrays[key, shape] = self._memory[self._used : stop].view(kind).reshape(shape)
            self._used = -(-stop // ALIGNMENT) * ALIGNMENT
        return found


@contextmanager
def scratch(dtype: npt.DTypeLike) -> Iterator[Workspace]:
    """A workspace for the time of a call; its arrays must not be used after that."""
    memory = np.empty(KEPT_BYTES, np.uint8) if _kept.memory is None else _kept.memory
    _kept.memory = None  # a call inside of this one takes memory of its own
    try:
        yield _Scratch(dtype, memory)
    finally:
        _kept.memory = memory
