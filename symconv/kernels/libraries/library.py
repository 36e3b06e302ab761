"""What a library of arrays is to a kernel: NumPy arrays out of its own, its own out of NumPy's; and NumPy's library."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from symconv.errors import ArgumentError

__all__ = ["NUMPY", "USER_TYPES", "Library"]

USER_TYPES = 256
"""From this number on, a NumPy type is one that another package has added, such as bfloat16."""


class Library(ABC):
    """A library of arrays.

    Attributes:
        noun: one array of it, for messages.
        maker: what makes one of a NumPy array, for messages.
    """

    noun: ClassVar[str]
    maker: ClassVar[str]

    @abstractmethod
    def read(self, name: str, value: Any) -> tuple[npt.NDArray[Any], Any]:
        """The entries as a NumPy array, without a copy where its type is one of NumPy's, and the type to go back to.

        bfloat16 and the types of 8 bits are read as float32, and the type is said; for all others it is None.

        Raises:
            ArgumentError: for an array that does not lie, row by row, in the memory of this machine.
        """

    @abstractmethod
    def give(self, array: npt.NDArray[Any], like: Any, narrow: Any) -> Any:
        """A NumPy array that nobody else holds as one of this library, where `like` lies, in a narrow type or its own.

        Raises:
            ArgumentError: where the library has no type for the entries.
        """

    def has(self, kind: type) -> bool:
        """Whether a type of the package of the library is one of its arrays."""
        del kind
        return True

    def follows(self, values: Sequence[Any]) -> bool:
        """Whether the library wants to differentiate, or has no numbers yet."""
        del values
        return False

    def followed(self, passing: Any) -> Any:
        """The result of such a call, a `Passing`, as the library's own automatic differentiation has it."""
        raise NotImplementedError

    def elsewhere(self, name: str, where: str, fix: str) -> ArgumentError:
        """The refusal of an array on another device."""
        return ArgumentError(name, f"{self.noun} on {where}", "must lie in the memory of the CPU", fix)


class _NumPy(Library):
    noun, maker = "a NumPy array", "numpy.asarray"

    def read(self, name: str, value: Any) -> tuple[npt.NDArray[Any], Any]:
        kind = value.dtype
        if kind.num < USER_TYPES or not kind.name.startswith(("bfloat16", "float8_")):
            return value, None
        with np.errstate(all="ignore"):
            return value.astype(np.float32), kind

    @np.errstate(all="ignore")
    def give(self, array: npt.NDArray[Any], like: Any, narrow: Any) -> Any:
        return array if narrow is None else array.astype(narrow)


NUMPY = _NumPy()
