"""Operators without windows, whose formula is about a whole array."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symconv.operators.base import Operator

if TYPE_CHECKING:
    from symconv.formulas.algebra import Guard
    from symconv.formulas.index import Index
    from symconv.operators.options import Integer
    from symconv.operators.window import Window

__all__ = ["Unwindowed"]


class Unwindowed(Operator):
    """An operator that reads entries one by one, or all of them: of any size, and as large as what it gives."""

    @property
    def windows(self) -> tuple[Window, ...]:
        """None."""
        return ()

    def axis_output_size(self, axis: int, n: Integer) -> Integer:
        return n

    def count(self, axis: int, size: Index) -> Index:
        """The size of the input."""
        return size

    def facts(self, axis: int, size: Index) -> list[Guard]:
        """Nothing: any size will do."""
        return []

    def planes(self, shape: tuple[int, ...]) -> int:
        """One: the formula is about the whole array."""
        return 1

    def array_size(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return shape
