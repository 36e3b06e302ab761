"""The order in which the entries of an array lie in memory: row-major, or with the channels of a position together.

An image file, and a network that runs "channels last", has the channels of a position next to each other; the axes of
the array are still ``(N, C, *spatial)``, and what differs is the strides. NumPy goes through arrays in the order of
their strides, so that a program runs on both orders as it is, provided that all of its arrays agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["ROW_MAJOR", "Array", "Order", "order_of"]

Array: TypeAlias = "npt.NDArray[Any]"


@dataclass(frozen=True)
class Order:
    """How the arrays of a call lie in memory.

    Attributes:
        last: whether the channels of arrays ``(N, C, *spatial)`` are next to each other, after all spatial axes.
    """

    last: bool = False

    def stored(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of the row-major array that lies in memory as one of a shape does."""
        return (shape[0], *shape[2:], shape[1]) if self.last else shape

    def shown(self, a: Array) -> Array:
        """A row-major array as the one that is meant: its channels on axis 1."""
        return np.moveaxis(a, -1, 1) if self.last else a

    def _as_stored(self, a: Array) -> Array:
        return np.moveaxis(a, 1, -1) if self.last else a

    def empty(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
        """A new array with arbitrary entries."""
        if not self.last:
            return np.empty(shape, dtype)
        return self.shown(np.empty(self.stored(shape), dtype))

    def zeros(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
        """A new array of zeros."""
        return self.shown(np.zeros(self.stored(shape), dtype))

    def put(self, a: Array, dtype: npt.DTypeLike) -> Array:
        """An array in this order without gaps, and in a type: itself where it is that already."""
        return self.shown(np.ascontiguousarray(self._as_stored(a), dtype))

    def line(self, a: Array) -> Array:
        """The entries one after the other in this order; a view of an array that lies so."""
        return self._as_stored(a).reshape(-1)

    def steps(self, lead: tuple[int, ...], extents: tuple[int, ...]) -> tuple[list[int], list[int]]:
        """How far neighbours along the lead and the spatial axes of such a line are apart.

        >>> Order().steps((6,), (4, 5)), Order(last=True).steps((2, 3), (4, 5))
        (([20], [5, 1]), ([60, 1], [15, 3]))
        """
        places = [lead[0], *extents, lead[1]] if self.last else [*lead, *extents]
        apart = [1]
        for count in reversed(places[1:]):
            apart.insert(0, apart[0] * count)
        if self.last:
            return [apart[0], 1], apart[1:-1]
        return apart[: len(lead)], apart[len(lead) :]


ROW_MAJOR = Order()
"""The order of a new array of NumPy."""

CHANNELS_LAST = Order(last=True)


def order_of(a: Array, ndim: int) -> Order:
    """The order of an array ``(N, C, *spatial)`` or ``(C, *spatial)`` with `ndim` spatial axes; any other is row-major.

    Gaps between the positions do not matter: the array may be a part of a larger one.

    >>> image = np.zeros((5, 4, 3))
    >>> order_of(np.moveaxis(image, -1, 0), 2)
    Order(last=True)
    >>> order_of(image, 2)
    Order(last=False)
    """
    if a.flags.c_contiguous or a.ndim <= ndim or not a.size:
        return ROW_MAJOR
    channel, *spatial = zip(a.shape[-ndim - 1 :], a.strides[-ndim - 1 :], strict=True)
    together = channel[0] > 1 and channel[1] == a.itemsize
    beyond = all(step >= channel[0] * a.itemsize for size, step in spatial if size > 1)
    return CHANNELS_LAST if together and beyond else ROW_MAJOR
