"""A class set: a variant, a sheet, a form and a worked key a student, and the record that grading starts from.

class.json                     who has which files, and the seed; for the staff, as the keys are
sheets/KEY/sheet.html, .tex    to be handed out, with
sheets/KEY/KEY.toml, KEY.csv   the form: one of them comes back
keys/KEY/exercise.toml         the variant
keys/KEY/key.html, .tex        the variant, worked out
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from symconv.errors import ProblemFileError, SymconvError, WriteError, shortened
from symconv.grading.forms import to_csv_form, to_toml_form
from symconv.grading.roster import Student
from symconv.grading.sheet import sheet
from symconv.grading.variants import Blueprint, Variant, variant
from symconv.problems.build import build_document
from symconv.report.files import write_together
from symconv.report.render import to_html, to_latex

__all__ = ["RECORD", "ClassSet", "make_folder", "read_class", "set_exercise"]

RECORD = "class.json"
FORMAT = "symconv class 1"
MOST_BYTES = 20_000_000


@dataclass(frozen=True)
class ClassSet:
    """What `class.json` says.

    Attributes:
        title: of the exercise.
        seed: with which it was drawn.
        students: all of them, in the order of the list.
    """

    title: str
    seed: int
    students: tuple[Student, ...]


def set_exercise(
    plan: Blueprint,
    seed: int,
    students: Sequence[Student],
    folder: Path,
    progress: Callable[[str], None] = lambda _: None,
) -> list[tuple[str, tuple[str, ...]]]:
    """Write the class set into a folder; the same seed and students give the same bytes.

    Args:
        plan: the exercise.
        seed: any integer.
        students: for each of them a variant is drawn.
        folder: made if it is not there.
        progress: told how far it is, without a name.

    Returns:
        The keys of the students for whom slips stayed hidden, with these.
    """
    hidden: list[tuple[str, tuple[str, ...]]] = []
    for number, student in enumerate(students, 1):
        progress(f"student {number} of {len(students)}")
        made = variant(plan, seed, student.id)
        if made.hidden:
            hidden.append((student.key, made.hidden))
        _write(folder, student, made)
    record = {
        "format": FORMAT,
        "title": plan.problem.title,
        "seed": seed,
        "students": [{"key": s.key, "id": s.id, "name": s.name} for s in students],
    }
    make_folder(folder)
    write_together({folder / RECORD: json.dumps(record, indent=1, ensure_ascii=False) + "\n"})
    return hidden


def _write(folder: Path, student: Student, made: Variant) -> None:
    sheets, keys = folder / "sheets" / student.key, folder / "keys" / student.key
    make_folder(sheets)
    make_folder(keys)
    asked = sheet(made.problem, made.items, student.name)
    worked = build_document(replace(made.problem, author=student.name))
    files: dict[Path, str | bytes] = {
        sheets / "sheet.html": to_html(asked),
        sheets / f"{student.key}.toml": to_toml_form(made.problem.title, student.key, made.items),
        sheets / f"{student.key}.csv": to_csv_form(made.items),
        keys / "exercise.toml": made.text,
        keys / "key.html": to_html(worked),
    }
    for path, document in ((sheets / "sheet.tex", asked), (keys / "key.tex", worked)):
        files[path] = _typeset(document)
    write_together(files)


def _typeset(document: Any) -> str:
    """The LaTeX of a document; where pdflatex cannot set the name of the student, without it."""
    try:
        return to_latex(document)
    except SymconvError:
        return to_latex(replace(document, author=""))


def make_folder(folder: Path) -> None:
    """A folder, made if it is not there.

    Raises:
        WriteError: where it cannot be.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(
            f"cannot write to {folder}: it is no directory and cannot be made one ({error.strerror or error})"
        ) from None


def read_class(folder: Path) -> ClassSet:
    """The record of a class set.

    Raises:
        ProblemFileError: for a folder that has none, or one that was changed.
    """
    path = folder / RECORD
    wrong = ProblemFileError(
        f"{shortened(str(path))}: is no record of a class; name the folder that symconv exercise wrote"
    )
    try:
        with path.open("rb") as stream:
            record = json.loads(stream.read(MOST_BYTES))
    except OSError as error:
        raise ProblemFileError(
            f"{shortened(str(path))}: cannot be read ({error.strerror}); name the folder that symconv exercise wrote"
        ) from None
    except (ValueError, RecursionError):
        raise wrong from None
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        raise wrong
    try:
        students = tuple(Student(str(s["id"]), str(s["name"]), str(s["key"])) for s in record["students"])
        found = ClassSet(str(record["title"]), int(record["seed"]), students)
    except (KeyError, TypeError, ValueError):
        raise wrong from None
    if not all(set(s.key) <= set("abcdefghijklmnopqrstuvwxyz0123456789-") and s.key for s in students):
        raise wrong  # a key is part of a path
    return found
