"""What a standalone module is written with: each of these functions is printed into it as it stands here."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["arrays", "fit", "grid", "pattern", "read"]


def arrays(*given: Any) -> list[Any]:
    """Arrays of one floating type; integers become float64."""
    found = [np.asarray(a) for a in given]
    floating = all(a.dtype.kind == "f" for a in found)
    kind = np.result_type(np.float32, *found) if floating else np.dtype(np.float64)
    return [a.astype(kind, copy=False) for a in found]


def fit(name: str, a: Any, shape: tuple[int, ...], batched: bool) -> None:
    """Refuse an array of another shape; one of a batch may have any axes before it."""
    rest = a.ndim - len(shape)
    if rest < 0 or (rest and not batched) or a.shape[rest:] != shape:
        raise ValueError(f"{name} must have the shape {shape}{' after any axes of a batch' * batched}, got {a.shape}")


def grid(*extents: int) -> list[Any]:
    """The values of the free indices, each along an axis of its own."""
    ndim = len(extents)
    return [np.arange(n).reshape([-1 if k == axis else 1 for k in range(ndim)]) for axis, n in enumerate(extents)]


def read(ndim: int, a: Any, *index: Any) -> Any:
    """The entries of an array at places on a grid of so many axes; 0 outside of it."""
    if not index:
        return a
    inside, places = True, []
    for size, at in zip(a.shape[a.ndim - len(index) :], index):
        at = at + np.zeros((1,) * ndim, np.intp)
        inside = inside & (at >= 0) & (at < size)
        places.append(np.clip(at, 0, max(size - 1, 0)))
    found = a[(..., *places)]
    return found if np.all(inside) else np.where(inside, found, a.dtype.type(0))


def pattern(number: int, shape: tuple[int, ...]) -> Any:
    """An array of small integers, another one for every number."""
    at = np.arange(int(np.prod(shape)))
    return ((at * (2 * number + 5) + at // 3 + number) % 7 - 3.0).reshape(shape)
