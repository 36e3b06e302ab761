"""The SVG writer: classes for roles, custom properties of the page with the light colour as fallback."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterable, Iterator
from itertools import groupby

from symconv.errors import ArgumentError
from symconv.report.drawing.shapes import (
    PALETTE,
    Caption,
    Dot,
    Glyph,
    Lines,
    Paint,
    Rectangle,
    Shape,
    Stroke,
    Symbol,
    baseline,
    decimal,
    glyph_squares,
    look,
)
from symconv.report.escape import check_text

__all__ = ["FACE", "write_svg"]

_MARGIN = 1.5
"""Pixels around the drawing: room for half an outline, and grid lines of one pixel fall on whole pixels."""

_WIDTHS = {"faint": "0.6", "hair": "1", "thin": "1.6", "bold": "2.2"}
_DASHES = {"solid": "", "dashed": ";stroke-dasharray:3 2.4", "dotted": ";stroke-dasharray:1.2 1.6"}

# A page is free to style `svg text`; these rules are one class more specific, so that entries keep fitting their cells.
FACE = 'font:400 11px "STIX Two Text","STIX Two",Cambria,Georgia,serif'
_TEXT_RULES = {
    ".sc-text": FACE,
    ".sc-text text": "font:inherit;fill:inherit;text-anchor:middle",
    ".sc-number": "font-weight:600",
    ".sc-it": "font-style:italic",
    ".sc-ix": "font-size:70%",
}


def _escape(text: str) -> str:
    return html.escape(check_text(text, "the text of a figure"), quote=True)


class _Writer:
    """Turns shapes into elements and remembers which style rules they need."""

    def __init__(self, unit: float) -> None:
        self.unit = unit
        self.rules: dict[str, str] = {}

    def at(self, value: float) -> str:
        return decimal(value * self.unit + _MARGIN)

    def length(self, value: float) -> str:
        return decimal(value * self.unit)

    def fill(self, paint: Paint | None) -> str:
        if paint is None:
            self.rules[".sc-open"] = "fill:none"
            return "sc-open"
        colour = PALETTE[paint.tone]
        name = f"sc-f-{paint.tone}" + (f"-{paint.strength}" if paint.strength != 100 else "")
        opacity = f";fill-opacity:{decimal(paint.strength / 100)}" if paint.strength != 100 else ""
        self.rules["." + name] = f"fill:var({colour.variable},{colour.light}){opacity}"
        return name

    def stroke(self, stroke: Stroke | None) -> str:
        if stroke is None:
            return ""
        colour = PALETTE[stroke.tone]
        name = f"sc-s-{stroke.tone}-{stroke.weight}" + (f"-{stroke.pattern}" if stroke.pattern != "solid" else "")
        self.rules["." + name] = (
            f"stroke:var({colour.variable},{colour.light});stroke-width:{_WIDTHS[stroke.weight]}"
            + _DASHES[stroke.pattern]
        )
        return name

    def classes(self, fill: Paint | None, stroke: Stroke | None) -> str:
        return f"{self.fill(fill)} {self.stroke(stroke)}".rstrip()

    def box(self, x: float, y: float, width: float, height: float) -> str:
        across = self.length(width)
        return f"M{self.at(x)} {self.at(y)}h{across}v{self.length(height)}h-{across}z"

    def content(self, label: Caption) -> str:
        if isinstance(label.content, str):
            return _escape(label.content)
        symbol: Symbol = label.content
        subscript = symbol.subscript("\N{MINUS SIGN}")
        if not symbol.letter:
            return subscript
        letter = f'<tspan class="sc-it">{_escape(symbol.letter)}</tspan>'
        drop = self.length(0.24 * label.size)
        return letter + (f'<tspan class="sc-ix" dy="{drop}">{subscript}</tspan>' if subscript else "")

    def labels(self, run: list[Caption]) -> str:
        self.rules.update(_TEXT_RULES)
        head = run[0]
        face = " sc-number" if head.face == "number" else ""
        texts = "".join(
            f'<text x="{self.at(label.x)}" y="{self.at(baseline(label))}">{self.content(label)}</text>' for label in run
        )
        size = self.length(head.size)
        return f'<g class="sc-text{face} {self.fill(head.paint)}" style="font-size:{size}px">{texts}</g>'

    def glyphs(self, run: list[Glyph]) -> str:
        squares = [square for glyph in run for square in glyph_squares(glyph)]
        parts = []
        for wanted, paint in ((False, Paint("hair", 60)), (True, Paint("kernel", 85))):
            path = "".join(self.box(*square[:4]) for square in squares if square[4] is wanted)
            if path:
                parts.append(f'<path class="{self.fill(paint)}" d="{path}"/>')
        return "".join(parts)

    def shapes(self, items: Iterable[Shape]) -> Iterator[str]:
        """Elements in drawing order; neighbours of one look share an element, which keeps a page of figures small."""
        for _, group in groupby(items, key=look):
            run = list(group)
            match run[0]:
                case Rectangle(fill=fill, stroke=stroke):
                    path = "".join(self.box(r.x, r.y, r.width, r.height) for r in run if isinstance(r, Rectangle))
                    yield f'<path class="{self.classes(fill, stroke)}" d="{path}"/>'
                case Lines(stroke=stroke):
                    segments = [segment for lines in run if isinstance(lines, Lines) for segment in lines.segments]
                    path = "".join(f"M{self.at(a)} {self.at(b)}L{self.at(c)} {self.at(d)}" for a, b, c, d in segments)
                    yield f'<path class="{self.classes(None, stroke)}" d="{path}"/>'
                case Caption():
                    yield self.labels([label for label in run if isinstance(label, Caption)])
                case Glyph():
                    yield self.glyphs([glyph for glyph in run if isinstance(glyph, Glyph)])
                case Dot(x, y, radius, paint):
                    place = f'cx="{self.at(x)}" cy="{self.at(y)}" r="{self.length(radius)}"'
                    yield f'<circle class="{self.fill(paint)}" {place}/>'


def write_svg(
    items: tuple[Shape, ...],
    width: float,
    height: float,
    unit: float,
    uid: str,
    title: str,
    description: str,
    kind: str,
) -> str:
    """One `<svg>` element with a title and a description for screen readers and `uid`-t, `uid`-d as their ids.

    Raises:
        ArgumentError: `uid` is not a name (it is part of an id and of a list of ids).
        RenderError: a text holds a control character.
    """
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_.-]*", uid):
        raise ArgumentError("uid", uid, "must start with a letter and hold only letters, digits, '_', '.' and '-'")
    writer = _Writer(unit)
    body = "\n".join(writer.shapes(items))
    style = "".join(f"{selector}{{{rule}}}" for selector, rule in sorted(writer.rules.items()))
    across, down = math.ceil(width * unit + 2 * _MARGIN), math.ceil(height * unit + 2 * _MARGIN)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{_escape(kind)}" role="img"'
        f' aria-labelledby="{uid}-t {uid}-d" viewBox="0 0 {across} {down}" width="{across}" height="{down}">\n'
        f'<title id="{uid}-t">{_escape(title)}</title>\n<desc id="{uid}-d">{_escape(description)}</desc>\n'
        f"<style>{style}</style>\n{body}\n</svg>"
    )
