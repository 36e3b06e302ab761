"""The page of a student: every answer as it was written, the verdict on it, and what was due."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from symconv.grading.graph import Value, bare
from symconv.grading.judge import Grade
from symconv.grading.sheet import MOST_IN_DISPLAY
from symconv.problems.answers.desk import words
from symconv.problems.problem import Problem
from symconv.report.document import (
    Block,
    Display,
    Document,
    Graded,
    GradedLine,
    Inline,
    Math,
    Paragraph,
    Section,
    StatusLine,
    Strong,
    Text,
)
from symconv.report.exercise import Grid, GridCell, Grids
from symconv.report.marks import Mark
from symconv.report.numbers import cell_text, latex_number

__all__ = ["feedback", "said_points"]

_WORDS = {
    "right": "Right.",
    "consistent": "Follows.",
    "slip": "A slip.",
    "wrong": "Wrong.",
    "missing": "Missing.",
    "unreadable": "Not read.",
}
_MARKS: dict[str, Mark] = {"right": "exact", "consistent": "exact", "slip": "refuted", "wrong": "refuted"}
MOST_ENTRIES = 400


def said_points(points: Fraction) -> str:
    """Points as they are printed: whole ones, or a decimal of two places at most.

    >>> said_points(Fraction(3)), said_points(Fraction(5, 2)), said_points(Fraction(1, 3))
    ('3', '2.5', '0.33')
    """
    return f"{float(points):.2f}".rstrip("0").rstrip(".")


def feedback(
    problem: Problem,
    name: str,
    grades: Sequence[Grade],
    set_points: dict[str, tuple[Fraction | None, str]],
    note: str = "",
) -> Document:
    """The page of a student.

    Args:
        problem: the student's variant.
        name: whose it is.
        grades: of all items, in order.
        set_points: by item the points and the remark that the staff set by hand, where they did.
        note: what was wrong with the file as a whole.
    """
    blocks: list[Block] = [Paragraph(words(note), wide=True)] if note else []
    by_question: dict[str, list[tuple[int, Grade]]] = {}
    for number, grade in enumerate(grades, 1):
        by_question.setdefault(grade.item.question, []).append((number, grade))
    titles = {question.id: question.title for question in problem.questions}
    for question, own in by_question.items():
        of = sum((grade.item.points for _, grade in own), Fraction(0))
        earned = sum((_earned(grade, set_points) for _, grade in own), Fraction(0))
        note_right = words(f"{said_points(earned)} of {said_points(of)}")
        blocks.append(Section(f"q-{question}", question, (Text(titles[question]),), note_right))
        right = sum(grade.status in ("right", "consistent") for _, grade in own)
        score = words(f"{right} of {len(own)} {'answer' if len(own) == 1 else 'answers'} right")
        blocks.append(Graded(score, tuple(_line(number, grade, set_points) for number, grade in own)))
    total = sum((_earned(grade, set_points) for grade in grades), Fraction(0))
    of = sum((grade.item.points for grade in grades), Fraction(0))
    status = StatusLine("none", (Strong(said_points(total)), Text(f" of {said_points(of)} points")))
    return Document(f"Feedback: {problem.title}", (), tuple(blocks), (status,), name, problem.title.split(":")[0][:60])


def _earned(grade: Grade, set_points: dict[str, tuple[Fraction | None, str]]) -> Fraction:
    points, _ = set_points.get(grade.item.id, (None, ""))
    return grade.points if points is None else points


def _line(number: int, grade: Grade, set_points: dict[str, tuple[Fraction | None, str]]) -> GradedLine:
    item = grade.item
    by_hand, remark = set_points.get(item.id, (None, ""))
    said = [
        f"{grade.words} " if grade.words else "",
        f"{said_points(_earned(grade, set_points))} of {said_points(item.points)}",
    ]
    said.append(" (set by hand)." if by_hand is not None else ".")
    if remark:
        said.append(f" Remark: {remark}")
    label = f"A{number}"
    asked = f"{item.words[0].upper()}{item.words[1:]}"
    written: tuple[Inline, ...] = (Text(f"{asked}: "),)
    more: list[Block] = []
    if grade.given is not None:
        values = bare(grade.given.values)
        if values.ndim <= 2 and values.size <= MOST_IN_DISPLAY:
            written += (Math(_latex(values, grade.entries)),)
        else:
            written += (Text("as it stands below."),)
            more += [Paragraph(words("Your answer:")), *_grids(values, grade.entries, "your answer")]
    elif grade.status == "missing":
        written += (Text("no answer."),)
    else:
        written += (Text("could not be read."),)
    if grade.due is not None and grade.status not in ("right", "consistent"):
        more += [Paragraph(words("Due:")), *_shown(bare(grade.due), asked)]
    mark, word = _MARKS.get(grade.status, "none"), _WORDS[grade.status]
    return GradedLine(f"answer-{number}", label, mark, written, word, words("".join(said)), repair=tuple(more))


def _latex(values: Value, entries: Sequence[bool]) -> str:
    """A small array, its wrong entries marked."""
    marked = list(entries) or [True] * values.size
    cells = [
        latex_number(value) if right else rf"\SCbad{{{latex_number(value)}}}"
        for value, right in zip(values.ravel().tolist(), marked, strict=True)
    ]
    if values.ndim == 0:
        return cells[0]
    across = values.shape[-1]
    rows = [" & ".join(cells[start : start + across]) for start in range(0, len(cells), across)]
    body = r" \\ ".join(rows)
    return rf"\begin{{pmatrix}} {body} \end{{pmatrix}}"


def _shown(values: Value, label: str) -> Iterator[Block]:
    if values.ndim <= 2 and values.size <= MOST_IN_DISPLAY:
        yield Display(Math(_latex(values, ())))
    else:
        yield from _grids(values, (), label)


def _grids(values: Value, entries: Sequence[bool], label: str) -> Iterator[Block]:
    """An array as tables of its planes, its wrong entries shaded."""
    if values.size > MOST_ENTRIES:
        yield Paragraph(words(f"{values.size:,} entries, of which none are shown here."))
        return
    marked = np.array(list(entries) or [True] * values.size).reshape(values.shape)
    planes = values.reshape(-1, *values.shape[-2:]) if values.ndim > 1 else values.reshape(1, 1, -1)
    marks = marked.reshape(planes.shape)
    tables = []
    for number, (plane, right) in enumerate(zip(planes, marks, strict=True), 1):
        cells = tuple(
            tuple(_cell(value, bool(fits)) for value, fits in zip(row, fit, strict=True))
            for row, fit in zip(plane.tolist(), right.tolist(), strict=True)
        )
        tables.append(Grid(cells, f"{label}, plane {number}" if len(planes) > 1 else label, size="wide"))
    yield Grids(tuple(tables))


def _cell(value: Any, right: bool) -> GridCell:
    return GridCell(cell_text(value), () if right else ("q1",))
