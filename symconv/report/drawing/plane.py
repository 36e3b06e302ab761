"""The two axes of a flat drawing, and how its places are named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from symconv.errors import ArgumentError, GeometryError, NotSupportedError
from symconv.report.drawing.axis import DrawnAxis
from symconv.report.drawing.shapes import Symbol

__all__ = ["FigureLetters", "in_words", "plane_of", "size_words", "touched"]

_LETTERS = {"input": "a", "weight": "b", "output": "c", "upstream": "g"}
_SINGLE = DrawnAxis(1, 1)
"""The row axis of a drawing with one axis."""


def plane_of(axes: Sequence[DrawnAxis]) -> tuple[DrawnAxis, DrawnAxis]:
    """The row axis and the column axis of a drawing.

    Raises:
        ArgumentError: no axis.
        NotSupportedError: more than two.
    """
    if not axes:
        raise ArgumentError("axes", tuple(axes), "must hold one axis or two")
    if len(axes) > 2:
        raise NotSupportedError(
            f"a figure is flat: it shows 1 or 2 spatial axes, got {len(axes)}; draw two of them, or one slice"
        )
    return (_SINGLE, axes[0]) if len(axes) == 1 else (axes[0], axes[1])


class FigureLetters:
    """Letters and index origin of a figure, checked once."""

    def __init__(self, axes: Sequence[DrawnAxis], names: Mapping[str, str] | None, index_base: int) -> None:
        unknown = sorted(set(names or {}) - set(_LETTERS))
        if unknown:
            raise ArgumentError("names", unknown, f"must be among {', '.join(_LETTERS)}")
        if index_base not in (0, 1):
            raise ArgumentError("index_base", index_base, "must be 0 or 1")
        self.letters = {**_LETTERS, **(names or {})}
        self.base = index_base
        self.flat = len(axes) == 1

    def indices(self, row: int, column: int) -> tuple[int, ...]:
        """What is printed for a place that counts from 0."""
        return (column + self.base,) if self.flat else (row + self.base, column + self.base)

    def symbol(self, array: str, row: int, column: int) -> Symbol:
        return Symbol(self.letters[array], self.indices(row, column))

    def place(self, at: Sequence[int], extents: tuple[int, int], what: str) -> tuple[int, int]:
        """A printed index as (row, column) from 0.

        Raises:
            GeometryError: not an index of the array.
        """
        wanted = extents[1:] if self.flat else extents
        last = tuple(extent - 1 + self.base for extent in wanted)
        if len(at) != len(wanted) or any(not self.base <= i <= end for i, end in zip(at, last, strict=True)):
            span = f"from {in_words((self.base,) * len(wanted))} to {in_words(last)}"
            raise GeometryError("at", tuple(at), f"must be the index of an {what}, {span}")
        row, column = (self.base, *at) if self.flat else at
        return row - self.base, column - self.base


def in_words(indices: Sequence[int]) -> str:
    return str(indices[0]) if len(indices) == 1 else f"({', '.join(map(str, indices))})"


def size_words(extents: tuple[int, int], flat: bool) -> str:
    return str(extents[1]) if flat else f"{extents[0]} by {extents[1]}"


def touched(axes: tuple[DrawnAxis, DrawnAxis], row: int, column: int) -> int:
    """How many outputs read an entry; the axes are independent."""
    return len(axes[0].touches(row)) * len(axes[1].touches(column))
