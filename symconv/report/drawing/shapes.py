"""The shapes a figure is made of, and the one table of their colours.

A shape says where it stands in *cells* (x to the right, y down, one cell is one unit) and which role colours it; only
the writers know pixels, millimetres, CSS and TeX.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal, TypeAlias

__all__ = [
    "DEFINED_COLOURS",
    "PALETTE",
    "Caption",
    "Colour",
    "Dot",
    "Glyph",
    "Lines",
    "Paint",
    "Rectangle",
    "Shape",
    "Stroke",
    "Symbol",
    "Tone",
    "baseline",
    "decimal",
    "glyph_squares",
    "look",
    "moved",
]

Tone: TypeAlias = Literal[
    "ink",
    "mute",
    "hair",
    "zero",
    "paper",
    "kernel",
    "kernel-soft",
    "kernel-mid",
    "upstream",
    "upstream-soft",
    "upstream-mid",
    "bad",
]
"""A colour by what it stands for; `upstream` is the upstream gradient and, before it is known, the input side."""


@dataclass(frozen=True)
class Colour:
    """A role in each language: the page's custom property, its light value, the xcolor expression, its dark value."""

    variable: str
    light: str
    tex: str
    dark: str


PALETTE: Mapping[Tone, Colour] = MappingProxyType(
    {
        "ink": Colour("--ink", "#1a1d21", "ink", "#e4e7eb"),
        "mute": Colour("--mute", "#5f6773", "mute", "#9aa4b1"),
        "hair": Colour("--hair", "#c9ced6", "hair", "#363d47"),
        "zero": Colour("--zero", "#b4bac3", "hair!75!mute", "#6b7480"),
        "paper": Colour("--paper", "#ffffff", "white", "#15181c"),
        "kernel": Colour("--b", "#b0500a", "kern", "#eea366"),
        "kernel-soft": Colour("--bs", "#f7ebe1", "kern!10", "#2a221b"),
        "kernel-mid": Colour("--bm", "#e8c9ae", "kern!34", "#5a3d24"),
        "upstream": Colour("--g", "#1b5faa", "grad", "#82b4ee"),
        "upstream-soft": Colour("--gs", "#e6eef7", "grad!10", "#1b2530"),
        "upstream-mid": Colour("--gm", "#b4cce8", "grad!34", "#29476a"),
        "bad": Colour("--bad", "#a3142b", "bad", "#ff8291"),
    }
)
"""Every colour of every figure."""

DEFINED_COLOURS: Mapping[str, str] = MappingProxyType(
    {
        "ink": "1A1D21",
        "mute": "5F6773",
        "hair": "C9CED6",
        "kern": "B0500A",
        "grad": "1B5FAA",
        "bad": "A3142B",
    }
)
"""The xcolor names that `PALETTE` builds on, for a preamble or a figure that stands alone."""


@dataclass(frozen=True)
class Paint:
    """A role at a strength: 100 is the colour itself, 0 is the paper behind it."""

    tone: Tone
    strength: int = 100


@dataclass(frozen=True)
class Stroke:
    """A line's role, weight and pattern."""

    tone: Tone = "hair"
    weight: Literal["faint", "hair", "thin", "bold"] = "hair"
    pattern: Literal["solid", "dashed", "dotted"] = "solid"


@dataclass(frozen=True)
class Symbol:
    """A letter with its subscripts, as data: a with (1, 2) is printed a₁₂, with (1, 12) a₁,₁₂.

    >>> Symbol("a", (1, 2)).subscript(), Symbol("a", (1, 12)).subscript(), Symbol("a", (0, -1)).subscript("−")
    ('12', '1,12', '0,−1')
    """

    letter: str
    indices: tuple[int, ...] = ()

    def subscript(self, minus: str = "-") -> str:
        """The indices run together; with commas where one has two digits or a sign, so that no two readings exist."""
        separator = "," if any(not 0 <= index <= 9 for index in self.indices) else ""
        return separator.join(str(index).replace("-", minus) for index in self.indices)


@dataclass(frozen=True)
class Rectangle:
    """A filled or outlined box with its upper left corner at (x, y)."""

    x: float
    y: float
    width: float
    height: float
    fill: Paint | None = None
    stroke: Stroke | None = None


@dataclass(frozen=True)
class Lines:
    """Straight segments (x1, y1, x2, y2) of one stroke."""

    segments: tuple[tuple[float, float, float, float], ...]
    stroke: Stroke = Stroke()


@dataclass(frozen=True)
class Caption:
    """A word, a number or a symbol centred on (x, y); `size` is its font size in cells."""

    x: float
    y: float
    content: str | Symbol
    size: float
    paint: Paint = Paint("ink")
    face: Literal["entry", "number"] = "entry"


@dataclass(frozen=True)
class Glyph:
    """A kernel drawn small: rows x columns squares inside the box (x, y, width, height), those in `on` filled."""

    x: float
    y: float
    width: float
    height: float
    rows: int
    columns: int
    on: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Dot:
    """A small filled disc."""

    x: float
    y: float
    radius: float
    paint: Paint = Paint("mute")


Shape: TypeAlias = Rectangle | Lines | Caption | Glyph | Dot


def decimal(value: float, places: int = 2) -> str:
    """A number with at most `places` decimals and no trailing zeros, the same on every machine.

    >>> decimal(2.0), decimal(-0.001), decimal(4.55), decimal(0.125)
    ('2', '0', '4.55', '0.12')
    """
    text = f"{value:.{places}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def baseline(label: Caption) -> float:
    """Where the baseline of a label lies, in cells: lower for bare digits, higher where a subscript hangs below."""
    hangs = isinstance(label.content, Symbol) and bool(label.content.letter) and bool(label.content.indices)
    return label.y + (0.25 if hangs else 0.33) * label.size


def glyph_squares(glyph: Glyph) -> tuple[tuple[float, float, float, float, bool], ...]:
    """The squares (x, y, width, height, on) of a glyph, row by row; a tenth of the pitch stays free between them."""
    across, down = glyph.width / glyph.columns, glyph.height / glyph.rows
    on = frozenset(glyph.on)
    return tuple(
        (glyph.x + column * across, glyph.y + row * down, 0.9 * across, 0.9 * down, (row, column) in on)
        for row in range(glyph.rows)
        for column in range(glyph.columns)
    )


def look(item: Shape) -> object:
    """Shapes of equal look may share an element; a shape that must stand alone is its own look."""
    match item:
        case Rectangle():
            return ("rectangle", item.fill, item.stroke)
        case Lines():
            return ("lines", item.stroke)
        case Caption():
            return ("label", item.size, item.paint, item.face)
        case Glyph():
            return "glyph"
        case _:
            return item


def moved(item: Shape, across: float, down: float) -> Shape:
    """The same shape at another place.

    >>> moved(Dot(1, 1, 0.5), 2, 0.5)
    Dot(x=3, y=1.5, radius=0.5, paint=Paint(tone='mute', strength=100))
    """
    if isinstance(item, Lines):
        return replace(
            item, segments=tuple((a + across, b + down, c + across, d + down) for a, b, c, d in item.segments)
        )
    return replace(item, x=item.x + across, y=item.y + down)
