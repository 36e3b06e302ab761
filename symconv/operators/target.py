"""The target of a loss: a class, an array of exact numbers, or nothing, where it stays a letter."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar, TypeAlias

from symconv.doors import plain_integer
from symconv.errors import ArgumentError
from symconv.operators.kinds import Door, Kind, UnreadError, exact_number, rational
from symconv.operators.options import MOST_AXES

__all__ = ["Target", "entries_of", "shape_of"]

Nested: TypeAlias = "Fraction | tuple[Any, ...]"


@dataclass(frozen=True)
class Target(Kind):
    """A class, counted from 0, where there are classes; an array as nested tuples of exact numbers; or None.

    Attributes:
        classes: whether an integer is a class.
    """

    metavar = "TARGET"
    forms: ClassVar[Mapping[Door, str]] = {
        "python": "an array of exact numbers; a float is read as it prints",
        "file": "an array of numbers",
        "command": "numbers such as 0,1,0 or 1/3,2/3",
    }

    classes: bool = False

    def form(self, door: Door) -> str:
        return ("a class, counted from 0, or " if self.classes else "") + super().form(door)

    def checked(self, argument: str, value: Any, ndim: int) -> int | tuple[Any, ...] | None:
        if value is None:
            return None
        if not _is_array(value):
            if not self.classes:
                raise ArgumentError(argument, value, "must be an array of exact numbers")
            return plain_integer(argument, value, 0, "must be a class, counted from 0, or an array of exact numbers")
        found = _read(argument, value)
        assert isinstance(found, tuple)
        shape_of(argument, found)
        return found

    def filed(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._entry(entry) for entry in value]
        if isinstance(value, bool) or not isinstance(value, int) or not self.classes:
            wanted = "must be a class, or a list of numbers" if self.classes else "must be a list of numbers"
            raise UnreadError(wanted, value)
        return value

    def _entry(self, value: Any) -> Any:
        return [self._entry(entry) for entry in value] if isinstance(value, list) else exact_number(value)

    def typed(self, text: str) -> Any:
        if self.classes and re.fullmatch("[0-9]{1,9}", text):
            return int(text)
        return [exact_number(part) for part in text.split(",")]


def _is_array(value: Any) -> bool:
    axes = getattr(value, "ndim", 0)
    return isinstance(value, list | tuple) or (isinstance(axes, int) and axes >= 1 and hasattr(value, "__iter__"))


def _read(argument: str, value: Any, depth: int = 0) -> Nested:
    if _is_array(value):
        if depth == MOST_AXES:  # a list may hold itself
            raise ArgumentError(argument, value, f"must be an array of at most {MOST_AXES} axes")
        return tuple(_read(argument, entry, depth + 1) for entry in value)
    found = rational(value)
    if found is None:
        raise ArgumentError(argument, value, "must have rational numbers as entries")
    return found


def shape_of(argument: str, target: tuple[Any, ...]) -> tuple[int, ...]:
    """The shape of nested tuples.

    Raises:
        ArgumentError: for none at all, and rows of several lengths.
    """
    shape: list[int] = []
    level: list[Any] = [target]
    while level and isinstance(level[0], tuple):
        lengths = {len(part) if isinstance(part, tuple) else -1 for part in level}
        if len(lengths) > 1 or 0 in lengths:
            raise ArgumentError(argument, target, "must be an array with rows of one length, and with entries")
        shape.append(lengths.pop())
        level = [entry for part in level for entry in part]
    if any(isinstance(entry, tuple) for entry in level):
        raise ArgumentError(argument, target, "must be an array with rows of one length, and with entries")
    return tuple(shape)


def entries_of(target: Nested, at: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], Fraction]]:
    """The entries of nested tuples with their places, row by row."""
    if isinstance(target, Fraction):
        yield at, target
        return
    for place, part in enumerate(target):
        yield from entries_of(part, (*at, place))
