"""How answers show numbers: tables of what was counted, arrays as tables or in a line, entries written out."""

from __future__ import annotations

from typing import Any

import numpy as np

from symconv.operators.networks.traced import TensorKey
from symconv.problems.answers.desk import Desk, words
from symconv.problems.answers.exact_text import approximation, decimal
from symconv.report.document import Block, Folded, Inline, Math, Paragraph, Reason, RelationLine, Text
from symconv.report.exercise import Grid, GridCell, Grids, Sheet
from symconv.report.ledger import NOTHING, Basis
from symconv.report.numbers import cell_text, equated, latex_number
from symconv.report.stations import MOST_ACROSS, entries, grids
from symconv.report.worked import Worked

__all__ = ["SUMMED", "WORKED_OUT", "all_entries", "entry_line", "plain_array", "sheet", "tensor"]

WORKED_OUT = Basis("each number from the numbers that it is made of", "the formula of its layer, in exact arithmetic")
SUMMED = Basis("the sum added up again, term by term", "the formula of the layer at that place, in exact arithmetic")
GIVEN = Basis(NOTHING, "the data of the file")
LONGEST = 20  # entries of a vector that is printed in a line


def _row(numbers: list[str]) -> str:
    """A vector in a line."""
    return "(" + r",\, ".join(numbers) + ")"


def sheet(
    desk: Desk,
    headings: tuple[tuple[Inline, ...], ...],
    rows: tuple[tuple[tuple[Inline, ...], ...], ...],
    total: tuple[tuple[Inline, ...], ...],
    basis: Basis,
) -> list[Block]:
    """A table of what was counted; it is one statement."""
    label = desk.number()
    desk.note(label, "exact", basis)
    said = Paragraph(words("Layer by layer, counted."), mark="exact", number=label, id=f"s-{label}")
    return [said, Sheet(headings, rows, total)]


def tensor(
    desk: Desk, worked: Worked, key: TensorKey, said: str, basis: Basis, reason: tuple[Inline, ...] = ()
) -> list[Block]:
    """A tensor of a network at work: vectors and single numbers in a line, planes as tables of the page's map.

    `said` is how it was worked out, a few words; `reason` follows them.
    """
    named = worked.tensors[key]
    values, unit = named.tensor.values, worked.unit_of(key)
    label = desk.number()
    desk.note(label, "exact", basis)
    name = worked.array(key)
    scale = "" if unit == 1 else rf"{1 / unit}\,"
    if named.plane or values.ndim > 1 or values.size > LONGEST:
        body = (*words(Math(f"{scale}{name}"), f": {said}"), *((Text(" "), *reason) if reason else ()))
        line = Paragraph(body, mark="exact", number=label, id=f"s-{label}")
        return [line, grids(worked, key)]
    numbers = [latex_number(value, unit) for value in values.ravel().tolist()]
    sign, right = equated(numbers[0] if values.ndim == 0 else _row(numbers))
    if values.ndim == 0 and hasattr(values[()], "free_symbols") and sign == "=":
        right += rf" \approx {approximation(values[()])}"
    why = Reason(f"{said[0].upper()}{said[1:]}", reason)
    return [RelationLine(f"s-{label}", label, "exact", Math(f"{scale}{name}"), sign, Math(right), why,
                         about=(named.name,))]  # fmt: skip


def entry_line(desk: Desk, worked: Worked, key: TensorKey, at: tuple[int, ...]) -> RelationLine:
    """An entry as the sum that it is: in letters, in numbers, and its value; `at` counts from 0."""
    label = desk.number()
    desk.note(label, "exact", SUMMED)
    name, sides = worked.formula((key, at))
    (sign, first), *rest = map(equated, sides)
    rows = tuple(Math(f"{relation} {side}") for relation, side in rest)
    about = (worked.tensors[key].name,)
    reason = (
        Reason("Written out", words("without products that have a factor 0."))
        if worked.shortened((key, at))
        else Reason("Written out.", ())
    )
    return RelationLine(f"s-{label}", label, "exact", Math(name), sign, Math(first), reason, rows, about=about)


def all_entries(desk: Desk, worked: Worked, key: TensorKey) -> list[Block]:
    """All entries of a tensor, written out behind a line that opens them."""
    named = worked.tensors[key]
    label = desk.number()
    desk.note(label, "exact", SUMMED)
    count = named.tensor.values.size
    short = any(worked.shortened((key, at)) for at in np.ndindex(named.tensor.values.shape))
    left_out = "; products with a factor 0 are left out." if short else "."
    said = words(f"All {count} entries of ", Math(worked.array(key)), f", written out{left_out}")
    line = Paragraph(said, mark="exact", number=label, id=f"s-{label}")
    return [line, Folded(words(f"All {count} entries"), (entries(worked, key),))]


def plain_array(
    desk: Desk, name: str, array: Any, rule: str, reason: tuple[Inline, ...], basis: Basis, base: int
) -> list[Block]:
    """An array that is in no map: in a line, or a table a plane; rational numbers as decimals where these end."""
    label = desk.number()
    desk.note(label, "exact", basis)

    def text(value: Any) -> str:
        return decimal(value) if hasattr(value, "denominator") else latex_number(value)

    if array.ndim < 2 and array.size <= LONGEST:
        numbers = [text(value) for value in array.ravel().tolist()]
        sign, right = equated(numbers[0] if array.ndim == 0 else _row(numbers))
        return [RelationLine(f"s-{label}", label, "exact", Math(name), sign, Math(right), Reason(rule, reason))]
    rows = array.reshape(1, -1) if array.ndim == 1 else array
    tables = []
    for at in np.ndindex(rows.shape[:-2]):
        above = "".join(str(i + base) for i in at)
        plane = rows[at][:MOST_ACROSS, :MOST_ACROSS]
        cells = tuple(
            tuple(GridCell(text(v).replace("-", "\u2212") if "approx" not in text(v) else cell_text(v)) for v in row)
            for row in plane.tolist()
        )
        cut = max(rows.shape[-2:]) > MOST_ACROSS
        shown = f"{name}^{{{above}}}" if above and len(rows.shape) > 2 and max(rows.shape[:-2]) > 1 else name
        part = r"\ \text{(in part)}" if cut else ""
        tables.append(
            Grid(cells, f"{name} {above}".strip(), size="wide", kind="kernel", caption=Math(f"{shown}{part}"))
        )
    body = (*words(Math(name), ": "), *(reason or words("all its entries.")))
    return [Paragraph(body, mark="exact", number=label, id=f"s-{label}"), Grids(tuple(tables))]
