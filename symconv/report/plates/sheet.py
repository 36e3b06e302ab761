"""Plates put together into one picture: columns of them, their headings above, arrows between."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from symconv.report.drawing.panels import describe_cropping, panel_shapes, widest
from symconv.report.drawing.shapes import Caption, Lines, Paint, Shape, Stroke, moved
from symconv.report.plates.plate import Plate
from symconv.report.scene import Scene

__all__ = ["Arrow", "Box", "Composed", "drawn"]

_HEADING, _HEADING_ROOM, _LETTER = 0.5, 1.0, 0.6
"""Font size of a heading in cells, the room that it takes, and about how wide a letter of it is, in font sizes."""
_GAP, _BELOW, _ARROW = 1.1, 0.6, 1.5
_CELL_PX, _LARGEST_PX, _ROOM_PX = 24, 34, 940
_MM_PER_PX, _ROOM_MM = 4.55 / 22, (165.0, 230.0)
_ENTRY, _ENTRY_PX, _SMALLEST_PX, _SMALLEST_HEADING_PX = 0.52, 10, 6.5, 9


@dataclass(frozen=True)
class Arrow:
    """An arrow between two columns, with a word above it."""

    word: str = ""


@dataclass(frozen=True)
class Box:
    """Where something stands in a picture, in cells."""

    x: float
    y: float
    width: float
    height: float

    def overlaps(self, other: Box) -> bool:
        """Whether the two have a point inside both."""
        return (
            self.x < other.x + other.width - 1e-9
            and other.x < self.x + self.width - 1e-9
            and self.y < other.y + other.height - 1e-9
            and other.y < self.y + self.height - 1e-9
        )


@dataclass(frozen=True)
class Composed:
    """A picture with its plates and where each of them stands; `headings` are the boxes of what is above them."""

    scene: Scene
    plates: tuple[Plate, ...]
    boxes: tuple[Box, ...]
    headings: tuple[Box, ...]


def drawn(title: str, description: str, columns: Sequence[Sequence[Plate | Arrow]]) -> Composed:
    """The picture of columns of plates, each column centred on the others, no two plates touching.

    Args:
        title, description: what it is and what can be read off it; plain text.
        columns: plates from top to bottom, or an arrow alone.
    """
    plates = [plate for column in columns for plate in column if isinstance(plate, Plate)]
    px, mm, size, heading = _sizes(plates, columns)
    letter = heading * _LETTER
    tall = max(_height(column, heading) for column in columns)
    items: list[Shape] = []
    boxes: list[Box] = []
    heads: list[Box] = []
    x = 0.0
    for number, column in enumerate(columns):
        wide = _width(column, heading)
        x += _GAP if number else 0
        y = (tall - _height(column, heading)) / 2
        for part in column:
            if isinstance(part, Arrow):
                items += _arrow(part, x, tall / 2 + heading * _HEADING_ROOM / _HEADING / 2, wide, heading)
                continue
            room = heading * _HEADING_ROOM / _HEADING
            across, down = part.columns.length, part.rows.length
            left = x + (wide - across) / 2
            words = letter * len(part.heading)
            middle = left + across / 2
            items.append(Caption(middle, y + room / 2 - 0.05, part.heading, heading, Paint("mute")))
            heads.append(Box(middle - words / 2, y, words, room))
            items += [moved(shape, left, y + room) for shape in panel_shapes(part.panel(), size)]
            boxes.append(Box(left, y + room, across, down))
            y += room + down + _BELOW
        x += wide
    cut = {describe_cropping(plate.rows, plate.columns) for plate in plates} - {""}
    text = description + "".join(sorted(cut))
    if not size and any(tile.content != "" for plate in plates for tile in plate.tiles.values()):
        text += " The cells are too small for their entries, which are left out."
    return Composed(Scene(title, text, tuple(items), x, tall, px, mm), tuple(plates), tuple(boxes), tuple(heads))


def _width(column: Sequence[Plate | Arrow], heading: float) -> float:
    widths = [_ARROW if isinstance(part, Arrow) else part.columns.length for part in column]
    words = [heading * _LETTER * len(part.word if isinstance(part, Arrow) else part.heading) for part in column]
    return max(*widths, *words) if widths else 0


def _height(column: Sequence[Plate | Arrow], heading: float) -> float:
    room = heading * _HEADING_ROOM / _HEADING
    rows = [room + part.rows.length for part in column if isinstance(part, Plate)]
    return sum(rows) + _BELOW * max(0, len(rows) - 1)


def _sizes(plates: Sequence[Plate], columns: Sequence[Sequence[Plate | Arrow]]) -> tuple[int, float, float, float]:
    """Pixels and millimetres of a cell; the font sizes of its entry (0: none could be read) and of a heading."""
    contents = {tile.content for plate in plates for tile in plate.tiles.values()}
    size = min(_ENTRY, 0.9 / max([0.1, *map(widest, contents)]))
    wanted = max(_CELL_PX, min(_LARGEST_PX, math.ceil(_ENTRY_PX / size)))
    heading, px = _HEADING, wanted
    for _ in range(3):  # a heading must stay legible where cells are small, and then takes room of its own
        across = sum(_width(column, heading) for column in columns) + _GAP * (len(columns) - 1)
        px = max(3, min(wanted, int(_ROOM_PX / across)))
        heading = max(_HEADING, _SMALLEST_HEADING_PX / px)
    across = sum(_width(column, heading) for column in columns) + _GAP * (len(columns) - 1)
    down = max(_height(column, heading) for column in columns)
    mm = min(round(px * _MM_PER_PX, 2), _ROOM_MM[0] / across, _ROOM_MM[1] / down)
    return px, max(0.1, math.floor(mm * 100) / 100), size if size * px >= _SMALLEST_PX else 0, heading


def _arrow(arrow: Arrow, x: float, y: float, wide: float, heading: float) -> list[Shape]:
    """A shaft with a head, and its word."""
    left, right = x + (wide - _ARROW) / 2, x + (wide + _ARROW) / 2
    ink = Stroke("mute", "thin")
    parts: list[Shape] = [
        Lines(((left, y, right, y), (right - 0.3, y - 0.2, right, y), (right - 0.3, y + 0.2, right, y)), ink)
    ]
    if arrow.word:
        parts.append(Caption((left + right) / 2, y - heading, arrow.word, heading, Paint("mute")))
    return parts
