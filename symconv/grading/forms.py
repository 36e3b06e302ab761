"""The form that a student fills in, as TOML and as CSV: written from a template, read by grammar.

What comes back is from strangers: a file has a size that is read at most, a table two levels, an answer a grammar; and
what is wrong with one answer is said of that answer alone.
"""

from __future__ import annotations

import csv
import io
import re
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2.sandbox import ImmutableSandboxedEnvironment

from symconv.errors import ArgumentError, ProblemFileError, SymconvError, shortened
from symconv.grading.items import Item, Items
from symconv.grading.toml_text import toml_string
from symconv.grading.written import WrittenAnswer, read_written
from symconv.report.templating import text_environment

__all__ = ["Answers", "read_answers", "to_csv_form", "to_toml_form"]

MOST_BYTES = 200_000
MOST_ROWS = 2_000
COLUMNS = ("item", "asked", "answer")

Answers = Mapping[str, "WrittenAnswer | str | None"]
"""By item what was written; a text says why it could not be read."""


def to_toml_form(title: str, student: str, items: Items) -> str:
    """The form as TOML, with what is asked in comments."""
    template = _environment().get_template("grading/form.toml.jinja")
    return template.render(title=title, student=student, items=items.items)


def to_csv_form(items: Items) -> str:
    """The form as CSV, for a spreadsheet: an item a row, the answer in the last column."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows((item.id, item.words, "") for item in items.items)
    return stream.getvalue()


@lru_cache(maxsize=1)
def _environment() -> ImmutableSandboxedEnvironment:
    environment = text_environment()
    environment.filters.update(string=toml_string, comment=lambda value: re.sub(r"\s+", " ", str(value)))
    return environment


def read_answers(path: Path, items: Items) -> Answers:
    """The answers in a file, TOML or CSV by its name.

    Raises:
        ProblemFileError: for a file that cannot be read as a whole; what is wrong with one answer is said in its place.
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
    except UnicodeDecodeError as error:
        raise ProblemFileError(f"{shown}: is not UTF-8 text (byte {error.start}); save it as UTF-8") from None
    written = _csv(text, shown) if path.suffix.lower() == ".csv" else _toml(text, shown)
    known = {_plain(item.id): item for item in items.items}
    found: dict[str, WrittenAnswer | str | None] = {}
    for name, value in written.items():
        item = known.get(_plain(name))
        if item is not None:
            found[item.id] = _read(item, value)
    if written and not found:
        raise ProblemFileError(
            f"{shown}: has no answer to a question of this exercise; fill in the form that was handed out"
        )
    return found


def _plain(name: str) -> str:
    """The name of an item without what spreadsheets and people change in it."""
    return re.sub(r"\s+", " ", name.replace("’", "'")).strip().casefold()


def _toml(text: str, shown: str) -> Mapping[str, Any]:
    try:
        table = tomllib.loads(text, parse_float=Decimal)
    except RecursionError:
        raise ProblemFileError(f"{shown}: is nested too deeply") from None
    except (ValueError, ArithmeticError) as error:
        raise ProblemFileError(f"{shown}: is not valid TOML: {shortened(str(error) or type(error).__name__)}") from None
    answers = table.get("answers")
    if not isinstance(answers, dict):
        raise ProblemFileError(f"{shown}: has no table [answers]; fill in the form that was handed out")
    return answers


def _csv(text: str, shown: str) -> Mapping[str, str]:
    sample = text[:1000].partition("\n")[0]
    delimiter = ";" if sample.count(";") > sample.count(",") else "\t" if "\t" in sample else ","
    found: dict[str, str] = {}
    try:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        for number, row in enumerate(rows):
            if number > MOST_ROWS:
                raise ProblemFileError(f"{shown}: must have at most {MOST_ROWS:,} rows")
            if number == 0 and row and row[0].strip().lower() == "item":
                continue
            if len(row) >= len(COLUMNS):
                found[row[0]] = row[2]
    except csv.Error as error:
        raise ProblemFileError(f"{shown}: is not valid CSV: {error}") from None
    if not found:
        raise ProblemFileError(
            f"{shown}: must have the columns {', '.join(COLUMNS)}; fill in the form that was handed out"
        )
    return found


def _read(item: Item, value: Any) -> WrittenAnswer | str | None:
    try:
        written = read_written(value)
    except (SymconvError, RecursionError) as error:
        said = str(error) if isinstance(error, ArgumentError) else "The answer is nested too deeply."
        return f"{said[0].upper()}{said[1:]}."
    return written
