"""Grids of cells: what of a large grid is shown, how large a cell is, and the scene that results."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from symconv.report.drawing.shapes import Caption, Dot, Lines, Paint, Rectangle, Shape, Stroke, Symbol, Tone
from symconv.report.scene import Scene

__all__ = [
    "Cell",
    "Outline",
    "Panel",
    "Span",
    "cell_sizes",
    "describe_cropping",
    "draw",
    "ellipses",
    "panel_shapes",
    "visible",
    "widest",
]

_CELL_PX, _LARGEST_CELL_PX, _MM_PER_PX = 22, 32, 4.55 / 22
_SCENE_PX, _SCENE_MM = 420, 95.0
_COLUMN, _PAGE = (560, 84.0), (860, 146.0)
"""Pixels and millimetres for the cells of a figure beside its caption, and above it; the signs take the rest."""
_ENTRY_PX, _SMALLEST_ENTRY_PX, _SMALLEST_ENTRY_PT = 9, 6.8, 3.5
_ENTRY = 0.52
"""Font size of an entry in cells, where it fits."""

_MOST_CELLS, _LONGEST_SIDE, _LONGEST_ROW = 1000, 40, 24
_CROPPED_SIDE = 9
_GAP = 0.7
"""Cells left free, with an ellipsis, where a grid goes on beyond the picture."""


@dataclass(frozen=True)
class Span:
    """The entries first..stop-1 of low..high-1 are shown; a gap stands where entries are cut off."""

    low: int
    high: int
    first: int
    stop: int

    @property
    def cut_before(self) -> bool:
        """Whether entries before the first shown one exist."""
        return self.first > self.low

    @property
    def cut_after(self) -> bool:
        """Whether entries after the last shown one exist."""
        return self.stop < self.high

    @property
    def cut(self) -> bool:
        """Whether anything is left out."""
        return self.cut_before or self.cut_after

    @property
    def start(self) -> float:
        """Where the first shown entry begins, in cells."""
        return _GAP if self.cut_before else 0

    @property
    def length(self) -> float:
        """Extent in cells, gaps included."""
        return self.start + (self.stop - self.first) + (_GAP if self.cut_after else 0)

    def position(self, entry: int) -> float:
        """Where an entry begins, in cells."""
        return self.start + entry - self.first

    def shown(self) -> range:
        """The entries in the picture."""
        return range(self.first, self.stop)


@dataclass(frozen=True)
class Cell:
    """One cell: what stands in it, in which colour, on which tint, and how an entry that is no number is told apart.

    `struck`: an entry that nothing reads; `hatched`: padding without a value; `absent`: beyond even the padding.
    """

    content: Symbol | str = ""
    ink: Tone = "ink"
    fill: Paint | None = None
    look: str = "plain"


@dataclass(frozen=True)
class Outline:
    """A frame around height x width entries from (top, left) on."""

    top: int
    left: int
    height: int
    width: int
    stroke: Stroke


@dataclass(frozen=True)
class Panel:
    """A grid to be drawn: which entries, what each of them is, and the frames over it."""

    rows: Span
    columns: Span
    cell: Callable[[int, int], Cell]
    outlines: tuple[Outline, ...]
    title: str
    description: str


def visible(
    rows: tuple[int, int],
    columns: tuple[int, int],
    focus_rows: tuple[int, int],
    focus_columns: tuple[int, int],
    most: int = _MOST_CELLS,
) -> tuple[Span, Span]:
    """All of a grid if that is readable, else the part around a focus; intervals are (first, one past the last).

    >>> visible((0, 5), (0, 5), (0, 1), (0, 1))[0].cut, visible((0, 99), (0, 99), (50, 53), (0, 3))[0].shown()
    (False, range(47, 56))
    """
    height, width = rows[1] - rows[0], columns[1] - columns[0]
    whole = height * width <= min(most, _MOST_CELLS) and max(height, width) <= (
        _LONGEST_ROW if height == 1 else _LONGEST_SIDE
    )
    spans = []
    for (low, high), (start, end) in ((rows, focus_rows), (columns, focus_columns)):
        if whole or high - low <= _CROPPED_SIDE:
            spans.append(Span(low, high, low, high))
            continue
        middle = (start + end) // 2 if end - start < _CROPPED_SIDE else start + _CROPPED_SIDE // 2
        first = max(low, min(middle - _CROPPED_SIDE // 2, high - _CROPPED_SIDE))
        spans.append(Span(low, high, first, first + _CROPPED_SIDE))
    return spans[0], spans[1]


def cell_sizes(
    extents: Sequence[tuple[float, float]], px: int = _CELL_PX, room: tuple[int, float] = _COLUMN
) -> tuple[int, float]:
    """Pixels and millimetres of a cell, the same for all scenes (width, height) of a figure, so that they compare.

    Args:
        extents: the scenes, in cells.
        px: the size on screen unless there is less room.
        room: pixels and millimetres that several scenes share.
    """
    longest, total = max(max(extent) for extent in extents), sum(extent[0] for extent in extents)
    room_px, room_mm = _SCENE_PX / longest, _SCENE_MM / longest
    if len(extents) > 1:
        room_px, room_mm = min(room_px, room[0] / total), min(room_mm, room[1] / total)
    return max(2, min(px, int(room_px))), min(round(px * _MM_PER_PX, 2), int(room_mm * 100) / 100)


def widest(content: Symbol | str) -> float:
    """Estimated width in units of the font size; small type is set wider than its size says."""
    if isinstance(content, str):
        return 0.55 * len(content)
    subscript = content.subscript()
    narrow = sum(character in ",-" for character in subscript)
    size = 0.8 if content.letter else 0.9
    return 0.6 * len(content.letter) + size * (0.6 * (len(subscript) - narrow) + 0.36 * narrow)


def _sizes(panels: Sequence[Panel]) -> tuple[int, float, float]:
    """Pixels and millimetres of a cell and the font size of its entry in cells, 0 where entries could not be read."""
    widths = (
        widest(panel.cell(row, column).content)
        for panel in panels
        for row in panel.rows.shown()
        for column in panel.columns.shown()
    )
    size = min(_ENTRY, 0.9 / max(0.1, *widths))
    extents = [(panel.columns.length, panel.rows.length) for panel in panels]
    wanted = max(_CELL_PX, min(_LARGEST_CELL_PX, math.ceil(_ENTRY_PX / size)))
    for room in (_COLUMN, _PAGE):
        px, mm = cell_sizes(extents, wanted, room)
        if size * px >= _SMALLEST_ENTRY_PX and size * mm * 72.27 / 25.4 >= _SMALLEST_ENTRY_PT:
            return px, mm, size
    return *cell_sizes(extents), 0


def _grid_lines(panel: Panel, cells: dict[tuple[int, int], Cell]) -> Iterator[Lines]:
    """The edges of the cells, dashed where only absent cells meet, drawn into the gap where the grid goes on."""
    solid: list[tuple[float, float, float, float]] = []
    dashed: list[tuple[float, float, float, float]] = []

    def present(row: int, column: int) -> bool:
        cell = cells.get((row, column))
        return cell is not None and cell.look != "absent"

    def runs(along: Span, edges: list[bool]) -> Iterator[tuple[float, float, bool]]:
        """Neighbouring edges of one pattern as one segment (begin, end, solid)."""
        changes = [0, *(k for k in range(1, len(edges)) if edges[k] != edges[k - 1]), len(edges)]
        for begin, end in pairwise(changes):
            a, b = along.start + begin, along.start + end
            if begin == 0 and along.cut_before:
                a -= _GAP / 2
            if end == len(edges) and along.cut_after:
                b += _GAP / 2
            yield a, b, edges[begin]

    rows, columns = panel.rows, panel.columns
    for row in range(rows.first, rows.stop + 1):
        y = rows.position(row)
        for a, b, whole in runs(columns, [present(row - 1, c) or present(row, c) for c in columns.shown()]):
            (solid if whole else dashed).append((a, y, b, y))
    for column in range(columns.first, columns.stop + 1):
        x = columns.position(column)
        for a, b, whole in runs(rows, [present(r, column - 1) or present(r, column) for r in rows.shown()]):
            (solid if whole else dashed).append((x, a, x, b))
    if dashed:
        yield Lines(tuple(dashed), Stroke("hair", "hair", "dashed"))
    if solid:
        yield Lines(tuple(solid), Stroke("hair"))


def ellipses(rows: Span, columns: Span) -> Iterator[Dot]:
    """Three dots in the middle of every side at which the grid goes on."""
    y = (rows.position(rows.first) + rows.position(rows.stop)) / 2
    x = (columns.position(columns.first) + columns.position(columns.stop)) / 2
    for k in (-1, 0, 1):
        step = 0.17 * k
        if columns.cut_before:
            yield Dot(_GAP / 2 - 0.08 + step, y, 0.05)
        if columns.cut_after:
            yield Dot(columns.length - _GAP / 2 + 0.08 + step, y, 0.05)
        if rows.cut_before:
            yield Dot(x, _GAP / 2 - 0.08 + step, 0.05)
        if rows.cut_after:
            yield Dot(x, rows.length - _GAP / 2 + 0.08 + step, 0.05)


def _outline(panel: Panel, outline: Outline) -> Iterator[Shape]:
    """A frame; one that the picture cuts loses the sides outside and runs open into the gap."""
    ends = []
    for span, start, size in ((panel.rows, outline.top, outline.height), (panel.columns, outline.left, outline.width)):
        inside = span.first <= start, start + size <= span.stop
        a = span.position(start) if inside[0] else span.start - _GAP / 2
        b = span.position(start + size) if inside[1] else span.position(span.stop) + _GAP / 2
        ends.append((a, b, *inside))
    (top, bottom, has_top, has_bottom), (left, right, has_left, has_right) = ends
    if has_top and has_bottom and has_left and has_right:
        yield Rectangle(left, top, right - left, bottom - top, None, outline.stroke)
        return
    sides = (
        (has_top, (left, top, right, top)),
        (has_bottom, (left, bottom, right, bottom)),
        (has_left, (left, top, left, bottom)),
        (has_right, (right, top, right, bottom)),
    )
    segments = tuple(segment for drawn, segment in sides if drawn)
    if segments:
        yield Lines(segments, outline.stroke)


def _hatching(x: float, y: float) -> tuple[tuple[float, float, float, float], ...]:
    """Diagonals of one cell that continue in its neighbours."""
    return ((x, y + 0.5, x + 0.5, y), (x, y + 1, x + 1, y), (x + 0.5, y + 1, x + 1, y + 0.5))


def _scene(panel: Panel, entry_size: float, px: int, mm: float) -> Scene:
    items = panel_shapes(panel, entry_size)
    description = panel.description + describe_cropping(panel.rows, panel.columns)
    if not entry_size and any(
        panel.cell(r, c).content != "" for r in panel.rows.shown() for c in panel.columns.shown()
    ):
        description += " The cells are too small for their entries, which are left out."
    return Scene(panel.title, description, items, panel.columns.length, panel.rows.length, px, mm)


def panel_shapes(panel: Panel, entry_size: float) -> tuple[Shape, ...]:
    """The shapes of a grid in drawing order, its origin at the upper left; `entry_size` is in cells, 0 for no text."""
    cells = {(r, c): panel.cell(r, c) for r in panel.rows.shown() for c in panel.columns.shown()}
    fills: dict[Paint, list[Shape]] = {}
    inks: dict[Tone, list[Shape]] = {}
    hatched: list[tuple[float, float, float, float]] = []
    struck: list[tuple[float, float, float, float]] = []
    for (row, column), cell in cells.items():
        x, y = panel.columns.position(column), panel.rows.position(row)
        if cell.fill is not None:
            fills.setdefault(cell.fill, []).append(Rectangle(x, y, 1, 1, cell.fill))
        if cell.look == "hatched":
            hatched.extend(_hatching(x, y))
        if cell.look == "struck":
            struck.append((x + 0.12, y + 0.88, x + 0.88, y + 0.12))
        if cell.content != "" and entry_size:
            label = Caption(x + 0.5, y + 0.5, cell.content, entry_size, Paint(cell.ink))
            inks.setdefault(cell.ink, []).append(label)
    items: list[Shape] = [shape for group in fills.values() for shape in group]
    if hatched:
        items.append(Lines(tuple(hatched), Stroke("hair", "faint")))
    items.extend(_grid_lines(panel, cells))
    if struck:
        items.append(Lines(tuple(struck), Stroke("zero", "hair")))
    items.extend(label for group in inks.values() for label in group)
    items.extend(ellipses(panel.rows, panel.columns))
    for outline in panel.outlines:
        items.extend(_outline(panel, outline))
    return tuple(items)


def describe_cropping(rows: Span, columns: Span) -> str:
    """A sentence on what is left out, with a space before it; empty where nothing is."""
    parts = [
        f"{span.stop - span.first} of {span.high - span.low} {name}"
        for span, name in ((rows, "rows"), (columns, "columns"))
        if span.cut
    ]
    return f" The picture is cropped to {' and '.join(parts)}." if parts else ""


def draw(panels: Sequence[Panel]) -> tuple[Scene, ...]:
    """The scenes of one figure: cells and entries of one size, so that what is equal looks equal."""
    px, mm, size = _sizes(panels)
    return tuple(_scene(panel, size, px, mm) for panel in panels)
