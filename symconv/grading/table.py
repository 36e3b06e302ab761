"""The table of a class: an answer a row, as CSV and JSON; what the staff wrote into it stays.

A row has the points of the verdict. Whoever wants others writes them into `set_points`, or over `points`, and a word to
the student into `remark`; grading again takes all of these over.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from symconv.errors import ArgumentError, ProblemFileError, shortened
from symconv.grading.feedback import said_points
from symconv.grading.judge import Grade
from symconv.grading.roster import Student
from symconv.grading.written import read_written

__all__ = ["COLUMNS", "ByHand", "Row", "read_by_hand", "to_csv", "to_json"]

COLUMNS = ("student", "name", "item", "verdict", "slip", "points", "of", "set_points", "remark")
MOST_BYTES = 50_000_000
MOST_POINTS = 1_000_000
ByHand = Mapping[tuple[str, str], tuple["Fraction | None", str]]
"""By student and item the points and the remark that the staff set."""


@dataclass(frozen=True)
class Row:
    """One answer of one student, with what was set by hand."""

    student: Student
    grade: Grade
    set_points: Fraction | None
    remark: str

    @property
    def earned(self) -> Fraction:
        """The points that count."""
        return self.grade.points if self.set_points is None else self.set_points


def to_csv(rows: Sequence[Row]) -> str:
    """The table for a spreadsheet; a text that it would take for a formula has an apostrophe in front."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        grade = row.grade
        set_points = "" if row.set_points is None else said_points(row.set_points)
        cells = (row.student.id, row.student.name, grade.item.id, grade.status, grade.slip, said_points(grade.points),
                 said_points(grade.item.points), set_points, row.remark)  # fmt: skip
        writer.writerow(map(_harmless, cells))
    return stream.getvalue()


def _harmless(text: str) -> str:
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") and not _is_number(text) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def to_json(title: str, rows: Sequence[Row], files: Mapping[str, str]) -> str:
    """The table for a program, with the totals of students and what is wrong with files."""
    students: dict[str, dict[str, object]] = {}
    totals: dict[str, Fraction] = {}
    for row in rows:
        grade, key = row.grade, row.student.key
        own = students.setdefault(
            key, {"student": row.student.id, "name": row.student.name, "points": 0.0, "answers": []}
        )
        totals[key] = totals.get(key, Fraction(0)) + row.earned
        answer = {
            "item": grade.item.id,
            "verdict": grade.status,
            "slip": grade.slip,
            "points": float(grade.points),
            "of": float(grade.item.points),
            "set_points": None if row.set_points is None else float(row.set_points),
            "remark": row.remark,
            "words": grade.words,
        }
        own["answers"].append(answer)  # type: ignore[attr-defined]
        own["points"] = round(float(totals[key]), 6)
    table = {"title": title, "students": list(students.values()), "files": dict(files)}
    return json.dumps(table, indent=1, ensure_ascii=False) + "\n"


def read_by_hand(path: Path, record: Path) -> ByHand:
    """What the staff set in the table of an earlier run; nothing where there is none.

    Args:
        path: the table as CSV.
        record: the same as JSON, by which points that were written over are told.

    Raises:
        ProblemFileError: for a table that cannot be read: nothing is written over it then.
    """
    shown = shortened(str(path))
    try:
        with path.open("rb") as stream:
            content = stream.read(MOST_BYTES + 1)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ProblemFileError(f"{shown}: cannot be read ({error.strerror})") from None
    fix = "mend it, or move it away, and grade again"
    if len(content) > MOST_BYTES:
        raise ProblemFileError(f"{shown}: is larger than any table of this; {fix}")
    try:
        text = content.decode("utf-8-sig")
        head = text.partition("\n")[0]
        delimiter = ";" if head.count(";") > head.count(",") else "\t" if "\t" in head else ","
        rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise ProblemFileError(f"{shown}: is no CSV in UTF-8 ({shortened(str(error))}); {fix}") from None
    if rows and not {"student", "item", "set_points", "remark"} <= set(rows[0]):
        raise ProblemFileError(f"{shown}: must have the columns {', '.join(COLUMNS)}; {fix}")
    before = _graded(record)
    found = {}
    for number, row in enumerate(rows, 2):
        points, remark = (row["set_points"] or "").strip(), (row["remark"] or "").strip()
        key = (_own(row["student"] or ""), _own(row["item"] or ""))
        overwritten = (row.get("points") or "").strip()
        if not points and key in before and overwritten != before[key]:
            points = overwritten
        if points or remark:
            found[key] = (_points(points, f"{shown}: line {number}: set_points", fix), _own(remark))
    return found


def _graded(record: Path) -> dict[tuple[str, str], str]:
    """The points that an earlier run gave, as its table has them."""
    try:
        table = json.loads(record.read_bytes())
        return {
            (own["student"], answer["item"]): said_points(Fraction(answer["points"]))
            for own in table["students"]
            for answer in own["answers"]
        }
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}  # it is gone, or somebody changed it: then only set_points and remark are taken over


def _own(text: str) -> str:
    """A text without the apostrophe that keeps a spreadsheet from reading a formula."""
    return text[1:] if text[:1] == "'" and text[1:2] in ("=", "+", "-", "@") else text


def _points(text: str, where: str, fix: str) -> Fraction | None:
    if not text:
        return None
    try:
        read = read_written(text.replace(",", "."))
    except ArgumentError:
        read = None
    if read is None or read.values.ndim or abs(read.values[()]) > MOST_POINTS:
        raise ProblemFileError(f"{where}: must be a number of points, got {shortened(text)!r}; {fix}")
    return Fraction(str(read.values[()]))
