"""A class graded: answers in, a page a student and the tables of the staff out. One broken file stops nobody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from symconv.errors import ProblemFileError, SymconvError
from symconv.grading.class_page import class_page
from symconv.grading.exercise import make_folder, read_class
from symconv.grading.feedback import feedback, said_points
from symconv.grading.forms import Answers, read_answers
from symconv.grading.items import Items, items_of
from symconv.grading.judge import judge
from symconv.grading.roster import Student
from symconv.grading.table import Row, read_by_hand, to_csv, to_json
from symconv.problems.reading import load_problem
from symconv.report.files import write_together
from symconv.report.render import to_html

__all__ = ["Outcome", "grade_class", "summary"]

TABLE, RECORD = "table.csv", "table.json"


@dataclass(frozen=True)
class Outcome:
    """What grading a class came to.

    Attributes:
        rows: all answers.
        files: by student what was wrong with a file.
        strangers: how many files of the folder belong to nobody of the class.
        slips: how often each slip was found, the most frequent first.
    """

    rows: tuple[Row, ...]
    files: dict[str, str]
    strangers: int
    slips: tuple[tuple[str, int], ...]


def grade_class(folder: Path, answers: Path, out: Path, progress: Callable[[str], None] = lambda _: None) -> Outcome:
    """Grade the answers of a class; the same answers and table give the same bytes.

    Args:
        folder: what `symconv exercise` wrote.
        answers: a folder with a file KEY.toml or KEY.csv a student; other files are not read.
        out: where the pages go, pages/KEY.html, and the tables: table.csv, table.json, class.html. Points and remarks
            that the staff wrote into table.csv stay.
        progress: told how far it is, without a name.

    Raises:
        ProblemFileError: for a folder that is no class, no folder of answers, or a table that cannot be read.
    """
    record = read_class(folder)
    if not answers.is_dir():
        raise ProblemFileError(f"{answers}: is no folder; name the one with the answers, KEY.toml or KEY.csv a student")
    by_hand = read_by_hand(out / TABLE, out / RECORD)
    make_folder(out / "pages")
    rows: list[Row] = []
    files: dict[str, str] = {}
    read: set[str] = set()
    for number, student in enumerate(record.students, 1):
        progress(f"student {number} of {len(record.students)}")
        problem = load_problem(folder / "keys" / student.key / "exercise.toml")
        items = items_of(problem)
        found, note, used = _answers(answers, student, items)
        read |= used
        if note:
            files[student.id] = note
        grades = judge(items, found, problem.variants.slip_share)
        own = {grade.item.id: by_hand.get((student.id, grade.item.id), (None, "")) for grade in grades}
        rows += [Row(student, grade, *own[grade.item.id]) for grade in grades]
        page = to_html(feedback(problem, student.name, grades, own, note))
        write_together({out / "pages" / f"{student.key}.html": page})
    tables: dict[Path, str | bytes] = {
        out / TABLE: to_csv(rows),
        out / RECORD: to_json(record.title, rows, files),
        out / "class.html": class_page(record.title, rows, files),
    }
    write_together(tables)
    slips = Counter(row.grade.slip for row in rows if row.grade.slip)
    others = sum(1 for path in answers.iterdir() if path.name not in read and not path.name.startswith("."))
    return Outcome(tuple(rows), files, others, tuple(sorted(slips.items(), key=lambda pair: (-pair[1], pair[0]))))


def _answers(folder: Path, student: Student, items: Items) -> tuple[Answers, str, set[str]]:
    """The answers of a student, what is wrong with the file, and the names of the files that are theirs."""
    paths = [path for path in (folder / f"{student.key}.toml", folder / f"{student.key}.csv") if path.is_file()]
    used = {path.name for path in paths}
    if not paths:
        return {}, "", used
    try:
        found = read_answers(paths[0], items)
    except SymconvError as error:
        return dict.fromkeys((item.id for item in items.items), "The file could not be read."), str(error), used
    several = f"{paths[0].name} was graded, and {paths[1].name} was not" if len(paths) > 1 else ""
    return found, several, used


def summary(outcome: Outcome) -> str:
    """What grading came to in a few lines, without a name."""
    students = {row.student.key for row in outcome.rows}
    handed = {row.student.key for row in outcome.rows if row.grade.status != "missing"}
    counts = Counter(row.grade.status for row in outcome.rows)
    lines = [f"{len(handed)} of {len(students)} students answered"]
    lines.append(", ".join(f"{counts[status]} {status}" for status in counts))
    if handed:
        total = sum((row.earned for row in outcome.rows), Fraction(0))
        lines.append(f"{said_points(total / len(handed))} points on average")
    if outcome.slips:
        lines.append("slips: " + ", ".join(f"{name} {count}" for name, count in outcome.slips[:5]))
    if outcome.files:
        lines.append(f"{len(outcome.files)} files to look at: they are listed in class.html")
    if outcome.strangers:
        lines.append(f"{outcome.strangers} other files in the folder belong to nobody of the class, and were not read")
    return "\n".join(lines)
