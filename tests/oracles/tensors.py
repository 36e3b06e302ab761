"""A tensor is a shape and a dictionary from index tuples to numbers, in row-major order."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np

Scalar: TypeAlias = int | float | Fraction
Index: TypeAlias = tuple[int, ...]


def indices(shape: Iterable[int]) -> Iterable[Index]:
    """Every index of a box, the last axis fastest (row-major)."""
    return product(*(range(size) for size in shape))


@dataclass(frozen=True)
class Tensor:
    """`values[index]` for every index of `shape`; two tensors are equal when shape and all values are.

    Example:
        >>> tensor([[1, 2], [3, 4]])[1, 0]
        3
        >>> tensor([[1, 2], [3, 4]]).map(lambda x: 10 * x).nested()
        [[10, 20], [30, 40]]
    """

    shape: Index
    values: dict[Index, Scalar]

    def __getitem__(self, index: Index) -> Scalar:
        return self.values[index]

    def flat(self) -> list[Scalar]:
        """The values in row-major order."""
        return [self.values[index] for index in indices(self.shape)]

    def nested(self) -> Any:
        """The values as nested lists (a size of 0 hides the axes after it)."""
        return self._nested(())

    def _nested(self, prefix: Index) -> Any:
        if len(prefix) == len(self.shape):
            return self.values[prefix]
        return [self._nested((*prefix, i)) for i in range(self.shape[len(prefix)])]

    def map(self, function: Callable[[Scalar], Scalar]) -> Tensor:
        """`function` of every entry."""
        return Tensor(self.shape, {index: function(value) for index, value in self.values.items()})

    def plus(self, other: Tensor) -> Tensor:
        """Entrywise sum of two tensors of one shape."""
        if self.shape != other.shape:
            raise ValueError(f"shapes must be equal to add, got {self.shape} and {other.shape}")
        return Tensor(self.shape, {index: value + other.values[index] for index, value in self.values.items()})

    def with_value(self, index: Index, value: Scalar) -> Tensor:
        """A copy with one entry replaced."""
        return Tensor(self.shape, {**self.values, index: value})


def full(shape: Iterable[int], value: Scalar) -> Tensor:
    """The constant tensor."""
    shape = tuple(shape)
    return Tensor(shape, dict.fromkeys(indices(shape), value))


def tensor(data: Any) -> Tensor:
    """A tensor from a tensor, from nested lists or tuples, or from anything with `shape` and `tolist` (NumPy, PyTorch).

    Example:
        >>> tensor(((1, 2, 3),)).shape
        (1, 3)
    """
    if isinstance(data, Tensor):
        return data
    shape: list[int] = []
    if hasattr(data, "tolist") and hasattr(data, "shape"):
        shape, data = [int(size) for size in data.shape], data.tolist()
    else:
        level = data
        while isinstance(level, list | tuple):
            shape.append(len(level))
            level = level[0] if level else None
    values: dict[Index, Scalar] = {}
    _collect(data, tuple(shape), (), values)
    return Tensor(tuple(shape), values)


def _collect(data: Any, shape: Index, prefix: Index, values: dict[Index, Scalar]) -> None:
    if len(prefix) == len(shape):
        if isinstance(data, list | tuple):
            raise ValueError(f"nested lists must be a box of shape {shape}, but go deeper at index {prefix}")
        values[prefix] = data
        return
    size = shape[len(prefix)]
    if not isinstance(data, list | tuple) or len(data) != size:
        raise ValueError(f"nested lists must be a box of shape {shape}, but differ at index {prefix}")
    for i in range(size):
        _collect(data[i], shape, (*prefix, i), values)


def to_numpy(values: Tensor, dtype: str = "float64") -> np.ndarray[Any, Any]:
    """The NumPy array of a tensor; the one place of the oracles where NumPy is imported.

    Use `dtype="object"` to keep fractions.
    """
    import numpy as np

    return np.array(values.flat(), dtype=dtype).reshape(values.shape)
