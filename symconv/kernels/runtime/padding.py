"""The padded input as one array, and the adjoint: what arrives in the border goes back to where it was read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.kernels.runtime.layout import Layout
from symconv.kernels.runtime.order import Array

__all__ = ["Array", "Padded", "add_unpadded", "unpadded"]


class Padded:
    """Turns inputs ``(..., *sizes)`` into padded ones, one after the other in the same buffer.

    Args:
        layout: the layout of the padded input.
        fill: what a position shows that no input is behind.
        new: makes the buffer, of a shape and a type.
    """

    def __init__(
        self, layout: Layout, fill: float, new: Callable[[tuple[int, ...], np.dtype[Any]], Array] = np.empty
    ) -> None:
        self.layout, self.fill, self._new = layout, fill, new
        self._buffer: Array | None = None

    def __call__(self, x: Array, dtype: npt.DTypeLike) -> Array:
        """The padded input: a view of `x` where there is nothing to pad or to convert, else the buffer."""
        part: Array = x[self.layout.source]
        if self.layout.plain:
            return part.astype(dtype, copy=False)
        shape = x.shape[: -len(self.layout.axes)] + tuple(axis.length for axis in self.layout.axes)
        if self._buffer is None or self._buffer.shape != shape:
            self._buffer = self._new(shape, np.dtype(dtype))
            self._fill_border(self._buffer)
        buffer = self._buffer
        buffer[self.layout.inner] = part
        for axis, place in enumerate(self.layout.axes):
            if len(place.border):
                rest: Any = (slice(None),) * (len(self.layout.axes) - axis - 1)
                buffer[(..., place.border, *rest)] = buffer[(..., place.origin, *rest)]
        return buffer

    def _fill_border(self, buffer: Array) -> None:
        if any(len(axis.border) for axis in self.layout.axes):
            buffer.fill(0)  # every border is copied from somewhere, axis by axis; what is copied over must be no NaN
            return
        for axis, place in enumerate(self.layout.axes):
            rest = (slice(None),) * (len(self.layout.axes) - axis - 1)
            for part in (slice(0, place.inner.start), slice(place.inner.stop, place.length)):
                if part.stop > part.start:
                    buffer[(..., part, *rest)] = self.fill


def add_unpadded(gradient: Array, layout: Layout, out: Array) -> None:
    """Add to `out` the gradient of the input, given that of the padded input, which is overwritten."""
    _fold_border(gradient, layout)
    out[layout.source] += gradient[layout.inner]


def unpadded(gradient: Array, layout: Layout, out: Array) -> None:
    """Write to `out` what `add_unpadded` would add; what the padding crops is left alone."""
    _fold_border(gradient, layout)
    out[layout.source] = gradient[layout.inner]


def _fold_border(gradient: Array, layout: Layout) -> None:
    """The adjoint of a gather adds up: `numpy.add.at`, where one entry may be shown several times."""
    for axis, place in reversed(list(enumerate(layout.axes))):
        if len(place.border):
            moved = np.moveaxis(gradient, axis - len(layout.axes), 0)
            np.add.at(moved, place.origin, moved[place.border])
