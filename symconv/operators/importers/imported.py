"""What an import gives: an operator, and in words where the framework's own layer departs from it."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from symconv.doors import items, plain_integer
from symconv.errors import ArgumentError, NotSupportedError
from symconv.operators.base import Operator

__all__ = ["ConventionWarning", "Imported", "Options", "sizes_of"]


class ConventionWarning(UserWarning):
    """The layer of a framework is not in all cases the operator that it was read as; the message says when."""


@dataclass(frozen=True)
class Imported:
    """An operator that was read from a layer.

    Attributes:
        operator: the operator.
        notes: where the framework departs from it, or what the description left open; a sentence each.
        exact: whether the values are those of the framework's layer, whatever the input is.
    """

    operator: Operator
    notes: tuple[str, ...] = ()
    exact: bool = True

    def announced(self) -> Operator:
        """The operator, with every note as a `ConventionWarning` at the caller of the import."""
        for note in self.notes:
            warnings.warn(note, ConventionWarning, stacklevel=3)
        return self.operator


class Options:
    """The options of a layer as they were found; each is taken once, and what is left in the end is refused.

    Args:
        layer: what the layer is called, for messages.
        given: the options by name.
    """

    def __init__(self, layer: str, given: Mapping[str, object]) -> None:
        self.layer = layer
        self._left = dict(given)
        self._taken: list[str] = []

    def take(self, name: str, *default: object) -> Any:
        """The value of an option, or the default.

        Raises:
            ArgumentError: where it is neither given nor has a default.
        """
        self._taken.append(name)
        if name in self._left:
            return self._left.pop(name)
        if not default:
            raise ArgumentError(f"{self.layer}: {name}", None, "must be given")
        return default[0]

    def ignore(self, names: Iterable[str]) -> None:
        """Drop options that have no effect on the values."""
        for name in names:
            self._left.pop(name, None)

    def done(self) -> None:
        """Refuse what nobody has taken.

        Raises:
            NotSupportedError: naming the options that are left, and the nearest known one.
        """
        if self._left:
            first = sorted(self._left)[0]
            near = get_close_matches(first, self._taken, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; it has {', '.join(self._taken)}"
            raise NotSupportedError(
                f"{self.layer} has {', '.join(f'{name}={self._left[name]!r}' for name in sorted(self._left))}, which "
                f"is not an option that is known here{hint}"
            )


def sizes_of(argument: str, value: object, axes: int | None = None) -> tuple[int, ...]:
    """A tuple of sizes, each at least 1.

    Raises:
        ArgumentError: for anything else, or another number of entries than `axes`.
    """
    found = items(value)
    entries = (value,) if found is None else found
    count = "" if axes is None else f", {axes} of them, one a spatial axis"
    wanted = f"must be integers >= 1{count}"
    if not entries or (axes is not None and len(entries) != axes):
        raise ArgumentError(argument, value, wanted)
    try:
        return tuple(plain_integer(argument, entry, 1) for entry in entries)
    except ArgumentError:
        raise ArgumentError(argument, value, wanted) from None
