"""What the names of a page stand for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from readback.arithmetic import Point
from readback.arrays import Array

__all__ = ["World"]


@dataclass
class World:
    """What the names of a page stand for.

    Attributes:
        arrays: arrays by letter; their capitals are the whole arrays.
        numbers: sizes by name, such as "I1".
        entries: further entries by letter, such as those of a definition.
        derivative: ``(of, at, by, place) -> value`` for ``∂c[at]/∂a[place]``.
        sets: sets of points by letter, such as window sets.
        whole: arrays of a construction by name, such as ``fold``.
        base: the first index.
    """

    arrays: dict[str, Array]
    numbers: dict[str, Any] = field(default_factory=dict)
    entries: dict[str, Callable[[tuple[Any, ...]], Any]] = field(default_factory=dict)
    derivative: Callable[[str, Point, str, Point], Any] | None = None
    sets: dict[str, Callable[[Point], set[Point]]] = field(default_factory=dict)
    whole: dict[str, Callable[[Array], Array]] = field(default_factory=dict)
    base: int = 1
    used: set[str] = field(default_factory=set)

    def arity(self, name: str) -> int | None:
        """The number of indices of an entry; None for what has any number."""
        return len(self.arrays[name].shape) if name in self.arrays else None

    def is_indexed(self, name: str) -> bool:
        return name in self.arrays or name in self.entries or name in self.sets
