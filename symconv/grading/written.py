"""Numbers as students write them: whole numbers, decimals and fractions, in rows; read by a grammar, and nothing else.

Rows stand on lines of their own or behind semicolons, entries behind spaces or commas, planes behind a bar. Where the
exact number is no decimal of a few places, a decimal rounded (or cut) to three places and more counts as that number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from symconv.errors import ArgumentError, shortened
from symconv.grading.graph import Value, bare

__all__ = ["WrittenAnswer", "agrees", "read_written"]

MOST_ENTRIES = 10_000
MOST_SIGNS = 200_000
MOST_DIGITS = 15
MOST_AXES = 6
LEAST_PLACES = 3

_NUMBER = re.compile(r"([+-]?)(\d+(?:\.\d*)?|\.\d+)(?:/(\d+))?")
_SIGNS = str.maketrans({"−": "-", "–": "-", "⁄": "/", "\u00a0": " ", "\t": " ", "×": "x"})


@dataclass(frozen=True)
class WrittenAnswer:
    """An answer.

    Attributes:
        values: its numbers, exactly as they were written.
        places: how many decimal places each was written with.
    """

    values: Value
    places: Value


def read_written(value: Any) -> WrittenAnswer | None:
    """An answer as it stands in a form: a text, a number, or a nested list; None for one that was left empty.

    Raises:
        ArgumentError: for what is no number, rows of several lengths, and more than can be asked for.
    """
    if isinstance(value, str):
        if len(value) > MOST_SIGNS:
            raise ArgumentError("the answer", f"{len(value):,} signs", f"must have at most {MOST_SIGNS:,}")
        if not value.strip():
            return None
        value = _rows(value.translate(_SIGNS))
    if value == []:
        return None
    numbers, places = _entries(value, 0, [0])
    shape = _shape(numbers)
    return WrittenAnswer(_array(numbers, shape), _array(places, shape))


def _rows(text: str) -> Any:
    """The nested list that a text is: planes, rows and entries; brackets may stand where they help the eye."""
    text = text.strip()
    if text.startswith("[") and text.endswith("]") and text.count("[") == 1:
        text = text[1:-1].strip()
        if ";" not in text:
            return _split(text) if text else []
    if text.startswith("["):
        return _brackets(text)
    if re.fullmatch(r"\(?\s*\d+(?:\s*x\s*\d+)+\s*\)?", text):  # a size: 3 x 4
        return re.findall(r"\d+", text)
    if text.startswith("(") and text.endswith(")"):
        text = text[1:-1]
    planes = [[_split(row) for row in re.split(r"[;\n]", plane) if row.strip()] for plane in text.split("|")]
    if len(planes) > 1:
        return planes
    rows = planes[0]
    if len(rows) != 1:
        return rows
    return rows[0] if len(rows[0]) > 1 else rows[0][0]


def _split(row: str) -> list[str]:
    return re.split(r"\s*,\s*|\s+", row.strip().rstrip(","))


def _brackets(text: str) -> Any:
    """A nested list in square brackets, read sign by sign."""
    stack: list[list[Any]] = []
    position, whole = 0, None
    for token in re.finditer(r"\s*([\[\],]|[^\s\[\],]+)", text):
        if whole is not None or token.start() != position:
            break
        position, sign = token.end(), token[1]
        if sign == "[":
            if len(stack) == MOST_AXES:
                raise ArgumentError("the answer", shortened(text), f"must be nested at most {MOST_AXES} deep")
            inner: list[Any] = []
            if stack:
                stack[-1].append(inner)
            stack.append(inner)
        elif sign == "]":
            last = stack.pop()
            whole = None if stack else last
        elif sign != ",":
            stack[-1].append(sign)
    if whole is None or text[position:].strip():
        raise ArgumentError("the answer", shortened(text), "must close every bracket", "write it as [[1, 2], [3, 4]]")
    return whole


def _entries(value: Any, depth: int, counted: list[int]) -> tuple[Any, Any]:
    """The numbers of a nested list, and the places of each."""
    if isinstance(value, list):
        if depth == MOST_AXES:
            raise ArgumentError("the answer", "a list", f"must be nested at most {MOST_AXES} deep")
        pairs = [_entries(entry, depth + 1, counted) for entry in value]
        return [number for number, _ in pairs], [places for _, places in pairs]
    counted[0] += 1
    if counted[0] > MOST_ENTRIES:
        raise ArgumentError("the answer", "a list", f"must have at most {MOST_ENTRIES:,} entries")
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise ArgumentError("the answer", shortened(str(value)), "must be made of numbers", "such as 3, -0.5 or 2/3")
    if isinstance(value, int) and value.bit_length() > 4 * MOST_DIGITS:
        raise ArgumentError("the answer", "an integer", f"must have numbers of at most {MOST_DIGITS} digits")
    return _number(str(value))


def _number(text: str) -> tuple[Fraction, int]:
    found = _NUMBER.fullmatch(text.strip().translate(_SIGNS)) if len(text) <= 3 * MOST_DIGITS else None
    if found is None or sum(map(str.isdigit, text)) > 2 * MOST_DIGITS or (found[3] and not found[3].strip("0")):
        raise ArgumentError("the answer", shortened(text), "must be made of numbers", "such as 3, -0.5 or 2/3")
    sign, top, below = found[1], found[2], found[3]
    value = Fraction(top if top[-1] != "." else top[:-1]) / int(below or 1)
    places = len(top.partition(".")[2]) if not below else 0
    return (-value if sign == "-" else value), places


def _shape(value: Any) -> tuple[int, ...]:
    """The shape of a nested list.

    Raises:
        ArgumentError: for rows of several lengths, and for empty ones.
    """
    if not isinstance(value, list):
        return ()
    if not value:
        raise ArgumentError("the answer", "an empty row", "must have an entry in every row")
    shapes = {_shape(entry) for entry in value}
    if len(shapes) > 1:
        raise ArgumentError("the answer", "rows of several lengths", "must have rows of one length")
    return (len(value), *shapes.pop())


def _array(value: Any, shape: tuple[int, ...]) -> Value:
    array = np.empty(shape, object)
    for place in np.ndindex(*shape):
        entry = value
        for index in place:
            entry = entry[index]
        array[place] = entry
    return array


def agrees(written: WrittenAnswer, due: Value) -> bool:
    """Whether an answer is what is due, but for axes of length 1 in front, and for rounding."""
    return all(right_entries(written, due) or [False])


def right_entries(written: WrittenAnswer, due: Value) -> list[bool] | None:
    """Which entries of an answer are what is due, row by row; None for another shape."""
    values, wanted, places = bare(written.values), bare(due), bare(written.places)
    if not _alike(values, wanted):
        return None
    return [_near(*entry) for entry in zip(values.flat, places.flat, wanted.flat, strict=True)]


def _alike(values: Value, wanted: Value) -> bool:
    """Whether an array is of a shape, as people write it: a list as a column, channels in and out as planes."""
    if values.shape == wanted.shape or values.size == wanted.size == 1:
        return True
    if wanted.ndim == 1:
        return values.shape == (wanted.size, 1)
    return wanted.ndim > 3 and values.ndim == 3 and values.shape == (wanted.size // values[0].size, *wanted.shape[-2:])


def _near(value: Fraction, places: int, due: Any) -> bool:
    """Whether a number is another, or that one rounded or cut to the places that were written."""
    if isinstance(due, Fraction | int):
        if value == due:
            return True
        ends = (due * 10**places).denominator == 1 if places else True
        return not ends and places >= LEAST_PLACES and abs(value - due) < Fraction(1, 10**places)
    exact = Fraction(str(due.evalf(30))) if hasattr(due, "evalf") else Fraction(float(due))
    return places >= LEAST_PLACES and abs(value - exact) < Fraction(1, 10**places)
