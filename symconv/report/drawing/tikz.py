"""The TikZ writer: plain TikZ without libraries, colours by the names that the page's preamble defines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from symconv.report.drawing.shapes import (
    DEFINED_COLOURS,
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
from symconv.report.escape import latex_text

__all__ = ["colour_definitions", "write_tikz"]

_POINTS_PER_MM = 72.27 / 25.4
_WIDTHS = {"faint": "0.25pt", "hair": "0.4pt", "thin": "0.9pt", "bold": "1.3pt"}
_DASHES = {"solid": "", "dashed": ",dash pattern=on 1.6pt off 1.2pt", "dotted": ",dash pattern=on 0.7pt off 0.9pt"}

_GREEK = {
    "α": "alpha",
    "β": "beta",
    "γ": "gamma",
    "δ": "delta",
    "ε": "epsilon",
    "ζ": "zeta",
    "η": "eta",
    "θ": "theta",
    "ι": "iota",
    "κ": "kappa",
    "λ": "lambda",
    "μ": "mu",
    "ν": "nu",
    "ξ": "xi",
    "π": "pi",
    "ρ": "rho",
    "σ": "sigma",
    "τ": "tau",
    "υ": "upsilon",
    "φ": "phi",
    "χ": "chi",
    "ψ": "psi",
    "ω": "omega",
}


def _text(text: str) -> str:
    # A label is one line: the places where running text may break mean nothing in it.
    return latex_text(text, "the label of a figure").replace(r"\SCbreak{}", "")


def _tex_content(content: str | Symbol) -> str:
    if isinstance(content, str):
        return _text(content)
    subscript = content.subscript()
    letter = content.letter
    if not letter:
        return f"${subscript}$"
    if letter in _GREEK:
        letter = "\\" + _GREEK[letter]
    elif not (letter.isascii() and letter.isalpha()):
        return rf"\textit{{{_text(letter)}}}" + (f"$_{{{subscript}}}$" if subscript else "")
    elif len(letter) > 1:
        letter = rf"\mathit{{{letter}}}"
    return f"${letter}_{{{subscript}}}$" if subscript else f"${letter}$"


def _paint(paint: Paint) -> str:
    name = PALETTE[paint.tone].tex
    return name if paint.strength == 100 else f"{name}!{paint.strength}"


def _stroke(stroke: Stroke) -> str:
    return f"draw={_paint(Paint(stroke.tone))},line width={_WIDTHS[stroke.weight]}{_DASHES[stroke.pattern]}"


def _length(value: float) -> str:
    # A cell is millimetres wide: a third decimal keeps the small squares of a glyph even.
    return decimal(value, 3)


def _point(x: float, y: float) -> str:
    return f"({_length(x)},{_length(y)})"


def _box(x: float, y: float, width: float, height: float) -> str:
    return f"{_point(x, y)} rectangle {_point(x + width, y + height)}"


def _labels(run: list[Caption], unit: float) -> Iterator[str]:
    head = run[0]
    points = head.size * unit * _POINTS_PER_MM
    face = r"\sffamily\bfseries" if head.face == "number" else ""
    font = rf"\fontsize{{{decimal(points)}}}{{{decimal(1.15 * points)}}}\selectfont{face}"
    # A plain figure must stay legible over a tint: the text of a role is a little darker than its lines.
    colour = _paint(head.paint) + ("!82!black" if head.paint.tone in ("kernel", "upstream") else "")
    yield rf"\begin{{scope}}[every node/.append style={{anchor=base,text={colour},font={font}}}]"
    for label in run:
        yield rf"\node at {_point(label.x, baseline(label))} {{{_tex_content(label.content)}}};"
    yield r"\end{scope}"


def _shapes(items: Iterable[Shape], unit: float) -> Iterator[str]:
    for _, group in groupby(items, key=look):
        run = list(group)
        match run[0]:
            case Rectangle(fill=fill, stroke=stroke):
                options = [f"fill={_paint(fill)}"] if fill else []
                options += [_stroke(stroke)] if stroke else []
                boxes = " ".join(_box(r.x, r.y, r.width, r.height) for r in run if isinstance(r, Rectangle))
                yield rf"\path[{','.join(options)}] {boxes};"
            case Lines(stroke=stroke):
                segments = [segment for lines in run if isinstance(lines, Lines) for segment in lines.segments]
                path = " ".join(f"{_point(a, b)} -- {_point(c, d)}" for a, b, c, d in segments)
                yield rf"\path[{_stroke(stroke)}] {path};"
            case Caption():
                yield from _labels([label for label in run if isinstance(label, Caption)], unit)
            case Glyph():
                squares = [square for g in run if isinstance(g, Glyph) for square in glyph_squares(g)]
                for wanted, paint in ((False, Paint("hair", 55)), (True, Paint("kernel", 78))):
                    boxes = " ".join(_box(*square[:4]) for square in squares if square[4] is wanted)
                    if boxes:
                        yield rf"\path[fill={_paint(paint)}] {boxes};"
            case Dot(x, y, radius, paint):
                yield rf"\path[fill={_paint(paint)}] {_point(x, y)} circle [radius={_length(radius)}];"


def colour_definitions() -> str:
    """The `\\definecolor` lines that a picture needs in front of it where no preamble has them."""
    return "\n".join(rf"\definecolor{{{name}}}{{HTML}}{{{value}}}" for name, value in DEFINED_COLOURS.items())


def write_tikz(items: tuple[Shape, ...], unit: float) -> str:
    """One tikzpicture whose middle sits on the axis of the line, so that operator signs stand between pictures.

    Raises:
        RenderError: a label holds a character that pdflatex cannot print.
    """
    size = decimal(unit)
    options = (
        "baseline={([yshift=-.58ex]current bounding box.center)},"
        f"x={size}mm,y=-{size}mm,every node/.style={{inner sep=0pt,outer sep=0pt}}"
    )
    return "\n".join([rf"\begin{{tikzpicture}}[{options}]", *_shapes(items, unit), r"\end{tikzpicture}"])
