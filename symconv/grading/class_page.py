"""The page of a class: how each question was answered, which slips there are, how the points lie."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any

from jinja2.sandbox import ImmutableSandboxedEnvironment

from symconv.grading.feedback import said_points
from symconv.grading.table import Row
from symconv.report.escape import check_text
from symconv.report.templating import html_environment, markup, read_template_file

__all__ = ["class_page"]

STATUSES = {
    "right": "right",
    "consistent": "follows from an earlier slip",
    "slip": "a slip with a name",
    "wrong": "wrong otherwise",
    "missing": "no answer",
    "unreadable": "not read",
}
MOST_COLUMNS = 12


def class_page(title: str, rows: Sequence[Row], files: Mapping[str, str]) -> str:
    """The page as HTML.

    Args:
        title: of the exercise.
        rows: all answers of all students.
        files: by student what is wrong with a file.
    """
    totals: dict[str, Fraction] = {}
    for row in rows:
        totals[row.student.key] = totals.get(row.student.key, Fraction(0)) + row.earned
    own = next(iter(totals), "")
    most = sum((row.grade.item.points for row in rows if row.student.key == own), Fraction(0))
    handed = {row.student.key for row in rows if row.grade.status != "missing"}
    summary = f"{len(totals)} students, {len(handed)} of them with answers"
    if handed:
        mean = sum((totals[key] for key in handed), Fraction(0)) / len(handed)
        summary += f"; these have {said_points(mean)} of {said_points(most)} points on average"
    columns = _histogram([totals[key] for key in handed], most)
    return _environment().get_template("grading/class.html.jinja").render(
        title=title,
        summary=f"{summary}.",
        statuses=list(STATUSES.items()),
        histogram=columns,
        histogram_words="; ".join(f"{c['label']} points: {c['count']}" for c in columns),
        items=_items(rows),
        slips=_slips(rows),
        files=list(files.items()),
        style=markup(read_template_file("style.css") + read_template_file("grading/class.css")),
    )  # fmt: skip


@lru_cache(maxsize=1)
def _environment() -> ImmutableSandboxedEnvironment:
    environment = html_environment()
    environment.filters.update(text=lambda value: check_text(str(value), "a text of the page"))
    return environment


def _histogram(points: Sequence[Fraction], most: Fraction) -> list[dict[str, Any]]:
    """Columns of equal width from 0 to the most that can be had."""
    count = min(MOST_COLUMNS, max(1, int(most) + 1))
    width = Fraction(most, count - 1) if count > 1 else Fraction(1)
    found = Counter(min(count - 1, max(0, int(value // width))) if width else 0 for value in points)
    highest = max(found.values(), default=1)
    whole = count == int(most) + 1 and most.denominator == 1
    return [
        {
            "count": found[place],
            "height": round(70 * found[place] / highest, 1),
            "label": str(place) if whole else f"≥ {said_points(place * width)}",
        }
        for place in range(count)
    ]


def _placed(rows: Sequence[Row]) -> Iterator[tuple[str, Row]]:
    """The rows by the number of their question, and their place in it: letters differ from student to student."""
    places: Counter[tuple[str, str]] = Counter()
    several = {row.grade.item.question for row in rows if row.grade.item.id != row.grade.item.question}
    for row in rows:
        question = row.grade.item.question
        places[row.student.key, question] += 1
        number = places[row.student.key, question]
        yield (f"{question}.{number}" if question in several else question), row


def _items(rows: Sequence[Row]) -> list[dict[str, Any]]:
    by_item: dict[str, list[Row]] = {}
    for place, row in _placed(rows):
        by_item.setdefault(place, []).append(row)
    found = []
    for name, own in by_item.items():
        counts: Counter[str] = Counter(row.grade.status for row in own)
        parts = [
            {
                "status": status,
                "width": round(100 * counts[status] / len(own), 2),
                "words": f"{words}: {counts[status]}",
            }
            for status, words in STATUSES.items()
            if counts[status]
        ]
        found.append(
            {
                "id": name,
                "words": own[0].grade.item.words if len({row.grade.item.words for row in own}) == 1 else _common(own),
                "parts": parts,
                "label": "; ".join(part["words"] for part in parts),  # type: ignore[misc]
                "right": counts["right"] + counts["consistent"],
                "of": len(own),
            }
        )
    return found


def _common(rows: Sequence[Row]) -> str:
    """What is asked, where letters differ from student to student."""
    texts = [row.grade.item.words.split() for row in rows]
    if len({len(text) for text in texts}) > 1:
        return ""
    return " ".join(words[0] if len(set(words)) == 1 else "…" for words in zip(*texts, strict=True))


def _slips(rows: Sequence[Row]) -> list[dict[str, Any]]:
    counts: Counter[str] = Counter()
    where: dict[str, Counter[str]] = {}
    for place, row in _placed(rows):
        if row.grade.slip:
            counts[row.grade.slip] += 1
            where.setdefault(row.grade.slip, Counter())[place] += 1
    most = max(counts.values(), default=1)
    return [
        {
            "name": name.replace("-", " "),
            "where": ", ".join(
                f"{item} ({n})" for item, n in sorted(where[name].items(), key=lambda pair: (-pair[1], pair[0]))
            ),
            "width": round(100 * count / most, 2),
            "count": count,
        }
        for name, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    ]
