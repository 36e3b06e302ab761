"""How an argument is read at a door: of the right kind, or refused with its name, its value and what it must be.

Every public function reads what it is given through these, before anything else looks at it; so that a wrong thing
ends in one message and never in an error of Python's from somewhere inside. NumPy's integers and arrays of one axis are
taken where an integer or a tuple is; what merely looks like a number (a bool, a float, a text, a class) is not.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from symconv.errors import ArgumentError

__all__ = [
    "flag",
    "instance",
    "items",
    "iterable_of",
    "list_of",
    "mapping",
    "one_of",
    "path",
    "plain_integer",
    "procedure",
    "text",
]

T = TypeVar("T")


def instance(argument: str, value: object, kind: type[T] | tuple[type[T], ...], requirement: str, fix: str = "") -> T:
    """The value, where it is of a kind.

    Raises:
        ArgumentError: where it is not.
    """
    if not isinstance(value, kind):
        raise ArgumentError(argument, value, requirement, fix)
    return value


def plain_integer(argument: str, value: object, least: int | None = None, requirement: str = "") -> int:
    """An integer: Python's or NumPy's, no bool, no array of several.

    Args:
        argument, value: what is read.
        least: the smallest that is allowed.
        requirement: what the message asks for where it is more than that.

    Raises:
        ArgumentError: for anything else, and below `least`.
    """
    wanted = requirement or ("must be an integer" if least is None else f"must be an integer >= {least}")
    if isinstance(value, bool | type) or getattr(value, "shape", ()) != () or not hasattr(value, "__index__"):
        raise ArgumentError(argument, value, wanted)
    try:
        result = int(value.__index__())
    except (TypeError, ValueError, OverflowError):
        raise ArgumentError(argument, value, wanted) from None
    if least is not None and result < least:
        raise ArgumentError(argument, result, requirement or f"must be >= {least}")
    return result


def flag(argument: str, value: object) -> bool:
    """A truth value, and nothing that merely looks like one."""
    return instance(argument, value, bool, "must be True or False")


def procedure(argument: str, value: object) -> None:
    """Refuse what cannot be called; what it does when it is called is for whoever gave it."""
    if not callable(value):
        raise ArgumentError(argument, value, "must be a function")


def text(argument: str, value: object, requirement: str = "must be a text") -> str:
    """A text that can be written down: half of a surrogate pair is none.

    Raises:
        ArgumentError: for anything else.
    """
    result = instance(argument, value, str, requirement)
    if any("\ud800" <= character <= "\udfff" for character in result):
        raise ArgumentError(argument, value, "must be a text of whole characters, without halves of surrogate pairs")
    return result


def one_of(argument: str, value: object, allowed: Collection[str]) -> str:
    """One name out of a closed set; the nearest one is suggested.

    Raises:
        ArgumentError: for anything else.
    """
    if isinstance(value, str) and value in allowed:
        return value
    from difflib import get_close_matches

    near = get_close_matches(value, allowed, n=1) if isinstance(value, str) else []
    names = ", ".join(map(repr, allowed))
    raise ArgumentError(argument, value, f"must be one of {names}", f"did you mean {near[0]!r}?" if near else "")


def path(argument: str, value: object) -> Path:
    """The path of a file, which the system can have.

    Raises:
        ArgumentError: for what is no path, or holds a NUL or what has no bytes.
    """
    try:
        result = Path(value)  # type: ignore[arg-type]
        os.fsencode(result)
    except (TypeError, UnicodeError):
        raise ArgumentError(argument, value, "must be the path of a file, a text or a Path") from None
    if "\0" in str(result):
        raise ArgumentError(argument, value, "must be a path without a NUL character")
    return result


def items(value: object) -> tuple[Any, ...] | None:
    """The entries of a tuple, a list or an array of one axis; None for anything else."""
    if isinstance(value, tuple | list):
        return tuple(value)
    if getattr(value, "ndim", None) == 1 and hasattr(value, "dtype") and not hasattr(value, "mask"):
        return tuple(value)  # type: ignore[arg-type]
    return None


def list_of(argument: str, value: object, kind: type[T], requirement: str) -> tuple[T, ...]:
    """The entries of a tuple or a list, each of a kind.

    Raises:
        ArgumentError: where it is no list, or one entry is something else.
    """
    entries = items(value)
    if entries is None or not all(isinstance(entry, kind) for entry in entries):
        raise ArgumentError(argument, value, requirement)
    return entries


def iterable_of(argument: str, value: object, kind: type[T], requirement: str) -> tuple[T, ...]:
    """What an iterable of a kind gives; a text is none, though it can be iterated over.

    Raises:
        ArgumentError: where it is none, or gives something else.
    """
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable) or getattr(value, "ndim", 1) == 0:
        raise ArgumentError(argument, value, requirement)
    entries = tuple(value)
    if not all(isinstance(entry, kind) for entry in entries):
        raise ArgumentError(argument, value, requirement)
    return entries


def mapping(argument: str, value: object, requirement: str) -> Mapping[str, Any]:
    """A mapping whose keys are texts.

    Raises:
        ArgumentError: for anything else.
    """
    found: Mapping[Any, Any] = instance(argument, value, Mapping, requirement)
    if not all(isinstance(key, str) for key in found):
        raise ArgumentError(argument, value, requirement)
    return found
