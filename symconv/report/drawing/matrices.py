"""Any array as a grid of cells."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Literal, TypeAlias

from symconv.errors import ArgumentError
from symconv.report.drawing.panels import Cell, Outline, Panel, draw, visible
from symconv.report.drawing.shapes import Paint, Stroke, Symbol, Tone
from symconv.report.scene import Scene

__all__ = ["Entry", "Role", "matrix_scene"]

_OUTLINES: Mapping[str, Tone] = {"kernel": "kernel", "upstream": "upstream", "neutral": "ink"}
_ZERO = Cell("0", "zero")

Entry: TypeAlias = int | str | tuple[int, ...] | None
"""A number, a word, the indices of the array's letter, or nothing."""

Role: TypeAlias = Literal["kernel", "upstream", "neutral"]


def matrix_scene(
    rows: Sequence[Sequence[Entry]],
    *,
    title: str,
    description: str = "",
    role: Role = "neutral",
    letter: str = "",
    highlight: Collection[tuple[int, int]] = (),
    pad: Sequence[tuple[int, int]] = ((0, 0), (0, 0)),
    window: tuple[int, int, int, int] | None = None,
    window_role: Role = "kernel",
    framed: bool = False,
) -> Scene:
    """Any array as a grid: a number, a word or `letter` with indices in every cell, zeros in grey around it.

    Args:
        rows: the entries, equally many in every row; a tuple stands for `letter` with these indices, None stays empty.
        title, description: in words; the description names the size unless given.
        role: the colour of the entries.
        letter: what the tuples of `rows` index.
        highlight: places (row, column) with a stronger tint; places count from 0 in `rows`.
        pad: zeros (before, after) the rows and the columns.
        window: (row, column, height, width) of an outline; a negative place lies in the padding.
        window_role: the colour of the outline.
        framed: outline the whole array in its own colour.

    Raises:
        ArgumentError: rows of unequal length, no entries, negative padding, or indices without a letter.
    """
    widths = {len(row) for row in rows}
    if len(widths) != 1 or widths == {0}:
        raise ArgumentError("rows", [len(row) for row in rows], "must hold rows of one length >= 1")
    if len(pad) != 2 or min(min(pair) for pair in pad) < 0:
        raise ArgumentError("pad", tuple(pad), "must be two pairs (before, after) of numbers >= 0")
    if not letter and any(isinstance(entry, tuple) for row in rows for entry in row):
        raise ArgumentError("letter", letter, "must name the array that the indices in rows belong to")
    height, width = len(rows), widths.pop()
    by_role: dict[str, tuple[Tone, Paint | None, Paint]] = {
        "kernel": ("kernel", Paint("kernel-soft"), Paint("kernel-mid")),
        "upstream": ("upstream", Paint("upstream-soft"), Paint("upstream-mid")),
        "neutral": ("ink", None, Paint("hair", 60)),
    }
    ink, soft, strong = by_role[role]
    marked = frozenset(highlight)

    def cell(row: int, column: int) -> Cell:
        if not (0 <= row < height and 0 <= column < width):
            return _ZERO
        entry = rows[row][column]
        fill = strong if (row, column) in marked else soft
        if entry is None:
            return Cell(fill=strong if (row, column) in marked else None)
        if isinstance(entry, tuple):
            return Cell(Symbol(letter, entry), ink, fill)
        if entry == 0:
            return Cell("0", "zero", strong if (row, column) in marked else None)
        return Cell(str(entry).replace("-", "\N{MINUS SIGN}") if isinstance(entry, int) else entry, ink, fill)

    (top, bottom), (left, right) = pad
    focus = (window[0], window[0] + window[2], window[1], window[1] + window[3]) if window else (0, 1, 0, 1)
    spans = visible((-top, height + bottom), (-left, width + right), focus[:2], focus[2:])
    outlines = [Outline(0, 0, height, width, Stroke(_OUTLINES[role], "bold"))] if framed else []
    if window:
        outlines.append(Outline(*window, Stroke(_OUTLINES[window_role], "bold")))
    text = description or f"An array of {height} by {width} entries."
    return draw((Panel(*spans, cell, tuple(outlines), title, text),))[0]
