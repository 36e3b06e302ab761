"""The students of a class: read from a CSV, each with a file name that no name can harm."""

from __future__ import annotations

import csv
import hashlib
import io
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from symconv.errors import ProblemFileError, shortened

__all__ = ["Student", "read_students"]

MOST_BYTES = 1_000_000
MOST_STUDENTS = 5_000
MOST_SIGNS = 200
LONGEST = 40
HEADINGS = {"id", "student", "name", "login", "user", "username", "email", "e-mail", "number", "matriculation"}
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)\Z")


@dataclass(frozen=True)
class Student:
    """One student.

    Attributes:
        id: as the list has it; with the seed it decides the numbers.
        name: as it stands on the sheet.
        key: what files are called: small letters, digits and hyphens.
    """

    id: str
    name: str
    key: str


def read_students(path: Path) -> list[Student]:
    """The students of a list: the first column tells them apart, a column "name", or else the second, names them.

    Raises:
        ProblemFileError: for a file that is no list, and for two students with the same id.
    """
    shown = shortened(path.name)
    try:
        with path.open("rb") as stream:
            content = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise ProblemFileError(f"{shown}: cannot be read ({error.strerror or type(error).__name__})") from None
    if len(content) > MOST_BYTES:
        raise ProblemFileError(f"{shown}: must have at most {MOST_BYTES:,} bytes")
    try:
        text = content.decode("utf-8-sig")
        first = text.partition("\n")[0]
        delimiter = ";" if first.count(";") > first.count(",") else "\t" if "\t" in first else ","
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise ProblemFileError(f"{shown}: is no CSV in UTF-8 ({shortened(str(error))})") from None
    lines = [(number, [cell.strip() for cell in row]) for number, row in enumerate(rows, 1) if any(map(str.strip, row))]
    named = 1
    if lines and lines[0][1][0].lower() in HEADINGS:
        heads = [cell.lower() for cell in lines.pop(0)[1]]
        named = heads.index("name") if "name" in heads else 1
    if not lines:
        raise ProblemFileError(f"{shown}: has no students; write one a line: an id, and a name after a comma")
    if len(lines) > MOST_STUDENTS:
        raise ProblemFileError(f"{shown}: must have at most {MOST_STUDENTS:,} students, got {len(lines):,}")
    found: list[Student] = []
    ids: dict[str, int] = {}
    keys: set[str] = set()
    for number, row in lines:
        own = row[0]
        name = row[named] if len(row) > named and row[named] else own
        if not own or max(len(own), len(name)) > MOST_SIGNS or not (own + name).isprintable():
            raise ProblemFileError(
                f"{shown}: line {number}: needs an id and a name of 1 to {MOST_SIGNS} printable signs"
            )
        if own in ids:
            raise ProblemFileError(
                f"{shown}: line {number}: has the same id as line {ids[own]}; give each student its own"
            )
        ids[own] = number
        key = _key(own)
        if key in keys:
            key = _told_apart(key, own)
        keys.add(key)
        found.append(Student(own, name, key))
    return found


def _key(own: str) -> str:
    plain = unicodedata.normalize("NFKD", own).encode("ascii", "ignore").decode().lower()
    key = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    lost = len(re.sub(r"\W", "", own)) > len(key.replace("-", "")) + 2
    if not key or len(key) > LONGEST or lost or _RESERVED.match(key):
        return _told_apart(key, own)
    return key


def _told_apart(key: str, own: str) -> str:
    """A key with eight signs that only this id has."""
    mark = hashlib.sha256(own.encode()).hexdigest()[:8]
    return f"{key[:LONGEST]}-{mark}".strip("-")
