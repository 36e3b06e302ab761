"""How answers show numbers: tables of what was counted, arrays by their channels, entries written out."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from symconv.formulas.printing import LATEX
from symconv.problems.answers.desk import Desk, words
from symconv.problems.answers.exact_text import approximation, decimal, exact_text, is_long
from symconv.problems.answers.sums import Spelled
from symconv.report.document import Block, Inline, Math, Paragraph, Reason, RelationLine
from symconv.report.exercise import Sheet
from symconv.report.ledger import Basis

__all__ = ["WIDEST", "array_lines", "entry_line", "number", "sheet"]

WIDEST = 12
"""Entries on an axis of a plane that is printed whole."""


def number(value: Any, decimals: bool = False) -> str:
    """An exact number; with `decimals` one that ends as a decimal; one that is long to read rounded, after a sign."""
    if is_long(value) or isinstance(value, float):
        return rf"\approx {approximation(value)}"
    return decimal(value) if decimals and isinstance(value, Fraction) else exact_text(value)


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


def array_lines(
    desk: Desk,
    name: str,
    array: Any,
    rule: str,
    reason: tuple[Inline, ...],
    basis: Basis,
    *,
    scale: str = "",
    decimals: bool = False,
) -> list[Block]:
    """An array in numbers, a plane a line; a plane that is too large is told by its size alone.

    Args:
        desk: the desk.
        name: what the array is called, as LaTeX.
        array: the numbers.
        rule, reason, basis: why they are these.
        scale: a factor that stands before the name, such as 3 where the numbers are thirds.
        decimals: whether rational numbers are printed as decimals where these end.
    """
    planes = [((), array)] if array.ndim <= 2 else [(at, array[at]) for at in np.ndindex(array.shape[:-2])]
    if len(planes) == 1 and array.ndim > 2:
        planes = [((), array.reshape(array.shape[-2:]))]
    label = desk.number()
    desk.note(label, "exact", basis)
    blocks: list[Block] = []
    for position, (at, plane) in enumerate(planes):
        above = ",".join(str(i + 1) for i in at)
        shown = f"{name}^{{{above}}}" if above and "^" not in name else name
        first = position == 0
        blocks.append(
            RelationLine(
                f"s-{label}" if first else "",
                label if first else "",
                "exact" if first else "none",
                Math(f"{scale}{shown}"),
                "=",
                Math(_plane(plane, decimals)),
                Reason(rule, reason) if first else None,
            )
        )
    return blocks


def _plane(plane: Any, decimals: bool) -> str:
    if plane.ndim == 0:
        return number(plane[()], decimals)
    if max(plane.shape) > WIDEST and plane.ndim == 2:
        return rf"({plane.shape[0]} \times {plane.shape[1]})"
    rows = plane if plane.ndim == 2 else plane.reshape(1, -1)
    body = r" \\ ".join(" & ".join(number(value, decimals) for value in row) for row in rows.tolist())
    return rf"\begin{{pmatrix}} {body} \end{{pmatrix}}"


def entry_line(
    desk: Desk, name: str, found: Spelled, rule: str, reason: tuple[Inline, ...], basis: Basis, *, suffix: str = ""
) -> RelationLine:
    """An entry as the sum that it is: in letters, in numbers, and its value."""
    label = desk.number()
    desk.note(label, "exact", basis)
    rows = [] if found.symbols == found.numbers else [found.numbers]
    value = number(found.value) + suffix
    if rows[-1:] != [value] and found.symbols != value:
        rows.append(value)
    return RelationLine(
        f"s-{label}",
        label,
        "exact",
        Math(name),
        "=",
        Math(found.symbols),
        Reason(rule, reason),
        tuple(Math(f"= {row}") for row in rows),
    )


def listed(names: Sequence[str]) -> tuple[Inline, ...]:
    """Names of arrays in running text."""
    runs: list[str | Math] = []
    for position, name in enumerate(names):
        if position:
            runs.append(" and " if position == len(names) - 1 else ", ")
        runs.append(Math(LATEX.name(name)))
    return words(*runs)
