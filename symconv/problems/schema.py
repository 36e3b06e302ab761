"""The schema of problem files: tables, keys, and what each key takes.

One description serves three ends: it checks a file, names the nearest key for a misspelt one, and writes the commented
file of ``symconv init`` (see `symconv.problems.starter`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypeAlias

from symconv.claims.nested import shape_of, shape_text
from symconv.errors import ProblemFileError
from symconv.operators.kinds import UnreadError, exact_number

__all__ = ["Key", "Reader", "Where", "check_table"]

MAX_TEXT = 2_000
MAX_ENTRIES = 10_000
MAX_AXES = 6


@dataclass(frozen=True)
class Where:
    """A place in a problem file, for messages: ``file: questions[2] ("1c"): printed``."""

    file: str
    path: tuple[str, ...] = ()

    def at(self, step: str) -> Where:
        return Where(self.file, (*self.path, step))

    def error(self, message: str, fix: str = "") -> ProblemFileError:
        place = ": ".join((self.file, *self.path))
        return ProblemFileError(f"{place}: {message}" + (f"; {fix}" if fix else ""))


Reader: TypeAlias = Callable[[Any, Where], Any]


@dataclass(frozen=True)
class Key:
    """One key of a table.

    Attributes:
        read: checks its value and returns it as the rest of the package takes it.
        doc: what it means, in a few words.
        required: whether it must be there.
        example: a value as one would write it in a file.
        default: what it is where a file leaves it out, for the keys that a kind of question has for itself.
    """

    read: Reader
    doc: str
    required: bool = False
    example: str = ""
    default: Any = None


def check_table(table: Any, keys: Mapping[str, Key], where: Where, what: str) -> dict[str, Any]:
    """Read a table by its schema.

    Raises:
        ProblemFileError: for something that is no table, a missing key, or an unknown one (the nearest known is named).
    """
    if not isinstance(table, dict):
        raise where.error(f"{what} must be a table, got {shown(table)}")
    for key in table:
        if key not in keys:
            near = get_close_matches(key, keys, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(keys)}"
            raise where.error(f"unknown key {key!r} in {what}", hint)
    result = {}
    for name, key in keys.items():
        if name in table:
            result[name] = key.read(table[name], where.at(name))
        elif key.required:
            raise where.error(f"{what} needs the key {name!r}", key.doc)
    return result


def shown(value: Any) -> str:
    """A value in a message, as a file writes it, shortened."""
    text = _written(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(_written, value[:60]))}]"
    return repr(value) if isinstance(value, str | dict) else str(value)


def text(value: Any, where: Where) -> str:
    """A string without control characters."""
    if not isinstance(value, str):
        raise where.error(f"must be a string, got {shown(value)}", "put it in quotes")
    if len(value) > MAX_TEXT:
        raise where.error(f"must have at most {MAX_TEXT} characters, got {len(value)}")
    for position, sign in enumerate(value):
        if ord(sign) < 32 and sign not in "\n\t":
            raise where.error(f"has the control character U+{ord(sign):04X} at position {position}", "remove it")
    return value


def one_of(*allowed: str) -> Reader:
    """One word of a closed set."""

    def read(value: Any, where: Where) -> str:
        if isinstance(value, str) and value in allowed:
            return value
        near = get_close_matches(str(value), allowed, n=1)
        raise where.error(
            f"must be one of {', '.join(map(repr, allowed))}, got {shown(value)}",
            f"did you mean {near[0]!r}?" if near else "",
        )

    return read


def words(*allowed: str) -> Reader:
    """One or more words of a closed set, each once."""
    read = one_of(*allowed)

    def several(value: Any, where: Where) -> tuple[str, ...]:
        found = tuple(read(entry, where) for entry in (value if isinstance(value, list) else [value]))
        if not found or len(set(found)) < len(found):
            raise where.error(f"must name one or more of {', '.join(map(repr, allowed))}, each once")
        return found

    return several


def boolean(value: Any, where: Where) -> bool:
    """true or false."""
    if not isinstance(value, bool):
        raise where.error(f"must be true or false, got {shown(value)}")
    return value


def base(value: Any, where: Where) -> int:
    """0 or 1."""
    if isinstance(value, bool) or value not in (0, 1):
        raise where.error(f"must be 0 or 1, got {shown(value)}")
    return int(value)


def sizes(value: Any, where: Where) -> tuple[int, ...]:
    """A list of sizes, one a spatial axis."""
    entries = value if isinstance(value, list) else [value]
    for entry in entries:
        if isinstance(entry, bool) or not isinstance(entry, int) or entry < 1:
            raise where.error(f"must be a list of integers >= 1, one a spatial axis, got {shown(value)}")
    if not entries:
        raise where.error("must have at least one entry, one a spatial axis")
    if len(entries) > MAX_AXES:
        raise where.error(f"must have at most {MAX_AXES} entries, one a spatial axis, got {len(entries)}")
    return tuple(entries)


def texts(value: Any, where: Where) -> tuple[str, ...]:
    """A list of strings (one string alone counts as a list of one)."""
    entries = value if isinstance(value, list) else [value]
    if not entries:
        raise where.error("must not be empty", "leave the key out")
    result = tuple(text(entry, where) for entry in entries)
    for position, entry in enumerate(result):
        if entry in result[:position]:
            raise where.error(f"names {entry!r} twice", "name it once")
    return result


def mapping(value: Any, where: Where) -> dict[str, str]:
    """A table of strings."""
    if not isinstance(value, dict):
        raise where.error(f"must be a table of strings, got {shown(value)}")
    return {key: text(entry, where.at(key)) for key, entry in value.items()}


def tables(value: Any, where: Where) -> dict[str, dict[str, str]]:
    """A table of tables of strings."""
    if not isinstance(value, dict):
        raise where.error(f"must be a table of tables, got {shown(value)}")
    return {key: mapping(entry, where.at(key)) for key, entry in value.items()}


def pairs(value: Any, where: Where) -> tuple[tuple[str, str], ...]:
    """A list of pairs of strings."""
    if not isinstance(value, list) or not value:
        raise where.error(f"must be a list of pairs [from, to], got {shown(value)}")
    for entry in value:
        if not isinstance(entry, list) or len(entry) != 2:
            raise where.error(f"must have pairs [from, to] as entries, got {shown(entry)}")
    return tuple((text(before, where), text(after, where)) for before, after in value)


def reader(read: Callable[[Any], Any]) -> Reader:
    """A reader for what a kind of values takes of a file; the error says where it stands."""

    def placed(value: Any, where: Where) -> Any:
        try:
            return read(value)
        except UnreadError as error:
            raise where.error(f"{error.requirement}, got {shown(error.value)}", error.fix) from None

    return placed


number = reader(exact_number)


def unit(value: Any, where: Where) -> Any:
    """An exact number above 0."""
    found = number(value, where)
    if found <= 0:
        raise where.error(f"must be above 0, got {shown(value)}")
    return found


def share(value: Any, where: Where) -> Any:
    """An exact number from 0 to 1."""
    found = number(value, where)
    if not 0 <= found <= 1:
        raise where.error(f"must be a share from 0 to 1, got {shown(value)}")
    return found


def array(value: Any, where: Where) -> Any:
    """A nested list of exact numbers in which all rows have one length."""
    if _entries(value, where, 0) > MAX_ENTRIES:
        raise where.error(f"has more than {MAX_ENTRIES} entries", "take a smaller example")
    return _array(value, where)


def _entries(value: Any, where: Where, depth: int) -> int:
    if not isinstance(value, list):
        return 1
    if depth == MAX_AXES:
        raise where.error(f"must be nested at most {MAX_AXES} deep, one level an axis")
    return sum(_entries(entry, where, depth + 1) for entry in value)


def _array(value: Any, where: Where) -> Any:
    if not isinstance(value, list):
        return number(value, where)
    if not value:
        raise where.error("must not be empty")
    rows = [
        _array(entry, where.at(f"row {k}") if isinstance(entry, list) else where) for k, entry in enumerate(value, 1)
    ]
    shapes = [shape_of(row) for row in rows]
    for position, shape in enumerate(shapes, 1):
        if shape != shapes[0]:
            raise where.error(
                f"is ragged: entry {position} has shape {shape_text(shape)} and the first one {shape_text(shapes[0])}",
                "give all rows the same length",
            )
    return rows
