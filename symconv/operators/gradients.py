"""The gradients of a layer by what it depends on, and how records that hold arrays compare."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

__all__ = ["Gradients", "WithArrays", "same"]


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same: of arrays, the type, the shape and every entry; a NaN is like another."""
    if isinstance(one, np.ndarray) != isinstance(other, np.ndarray):
        return False
    if not isinstance(one, np.ndarray):
        return bool(one == other)
    return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=one.dtype.kind in "fc")


class WithArrays:
    """A dataclass some of whose fields hold arrays: it is compared by their entries, and has no hash."""

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        names = [entry.name for entry in fields(self)]  # type: ignore[arg-type]
        return all(same(getattr(self, name), getattr(other, name)) for name in names)

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, eq=False)
class Gradients(WithArrays):
    """The vector-Jacobian products of one upstream gradient; None for what the operator does not have or was not asked
    for."""

    input: Any
    weight: Any = None
    bias: Any = None
