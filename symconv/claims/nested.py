"""Arrays of exact numbers as nested lists, as TOML has them: their shape, in words too, and entries put into lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["nested", "shape_of", "shape_text"]


def shape_of(array: Any) -> tuple[int, ...]:
    """The shape of a nested list that is not ragged; () for a single number."""
    return (len(array), *shape_of(array[0])) if isinstance(array, list) else ()


def shape_text(shape: Sequence[int]) -> str:
    """A shape in words: ``2x3``."""
    return "x".join(map(str, shape)) or "a single number"


def nested(entries: Mapping[tuple[int, ...], Any], shape: Sequence[int], place: tuple[int, ...] = ()) -> Any:
    """The entries at ``(*place, ...)`` of an array of a shape, by their 0-based places, as a nested list."""
    if len(place) == len(shape):
        return entries[place]
    return [nested(entries, shape, (*place, k)) for k in range(shape[len(place)])]
