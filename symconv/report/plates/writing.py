"""Figures as files: SVG that follows the reader's colours and may move, PDF, PNG, GIF."""

from __future__ import annotations

import html
import io
import math
import tempfile
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symconv.doors import path as as_path
from symconv.errors import ArgumentError, RenderError
from symconv.report.drawing.shapes import PALETTE
from symconv.report.drawing.svg import FACE
from symconv.report.drawing.tikz import colour_definitions
from symconv.report.files import write_atomically
from symconv.report.pdf import to_pdf

if TYPE_CHECKING:
    from symconv.report.plates.figure import Figure

__all__ = ["figure_svg", "save"]

SECONDS = 0.9
"""How long a frame of an animation stays."""

_ENDINGS = (".svg", ".tex", ".pdf", ".png", ".gif", ".json")
_SCALE = 2
_MARGIN_PX, _MARGIN_MM = 10, 2.5


def figure_svg(figure: Figure, theme: str) -> str:
    """A whole SVG file with its description as metadata."""
    inner = [sheet.scene.svg(f"f{number}") for number, sheet in enumerate(figure.sheets)]
    wide, high = _extent(figure)
    moving = len(inner) > 1
    title, words = html.escape(figure.title), html.escape(figure.words)
    if moving:
        words += f" The animation goes on to {len(inner)} pictures."
    seconds = SECONDS * len(inner)
    rules = [_colours(theme)]
    if moving:
        share = 100 / len(inner)
        rules += [
            f"@keyframes turn{{0%{{visibility:visible}}{share:.4f}%{{visibility:hidden}}100%{{visibility:hidden}}}}",
            f".frame{{visibility:hidden;animation:turn {seconds:g}s step-end infinite}}",
            "@media (prefers-reduced-motion:reduce){.frame{animation:none}.frame:first-of-type{visibility:visible}}",
        ]
    frames = []
    for number, text in enumerate(inner):
        placed = text.replace("<svg ", f'<svg x="{_MARGIN_PX}" y="{_MARGIN_PX}" ', 1)
        delay = f' style="animation-delay:{SECONDS * number:g}s"' if moving else ""
        frames.append(f'<g class="frame"{delay}>{placed}</g>' if moving else placed)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="title words" viewBox="0 0 {wide} {high}"'
        f' width="{wide}" height="{high}">\n<title id="title">{title}</title>\n<desc id="words">{words}</desc>\n'
        f"<metadata>{html.escape(figure.json(), quote=False)}</metadata>\n<style>{''.join(rules)}</style>\n"
        f'<rect width="100%" height="100%" style="fill:var(--paper)"/>\n' + "\n".join(frames) + "\n</svg>\n"
    )


def _extent(figure: Figure) -> tuple[int, int]:
    """The size of the file in pixels: that of the largest frame, with a margin."""
    scenes = [sheet.scene for sheet in figure.sheets]
    wide = max(math.ceil(s.width * s.cell_px + 3) for s in scenes)
    high = max(math.ceil(s.height * s.cell_px + 3) for s in scenes)
    return wide + 2 * _MARGIN_PX, high + 2 * _MARGIN_PX


def _colours(theme: str) -> str:
    """The custom properties of the page, as a page has them."""
    light = "".join(f"{c.variable}:{c.light};" for c in PALETTE.values())
    dark = "".join(f"{c.variable}:{c.dark};" for c in PALETTE.values())
    if theme != "auto":
        return f":root{{{light if theme == 'light' else dark}}}"
    return f":root{{{light}}}@media (prefers-color-scheme:dark){{:root{{{dark}}}}}"


def save(figure: Figure, path: Any) -> None:
    """Write a figure in the format that the ending of a path names."""
    place = as_path("path", path)
    ending = place.suffix.lower()
    data: str | bytes
    if ending == ".svg":
        data = figure.svg()
    elif ending == ".tex":
        data = figure.tikz() + "\n"
    elif ending == ".json":
        data = figure.json() + "\n"
    elif ending == ".pdf":
        data = to_pdf(_document(figure))
    elif ending == ".png":
        if len(figure.sheets) > 1:
            raise ArgumentError(
                "path", str(path), "must end in .gif, .svg or .pdf for an animation", "or choose one output"
            )
        data = _png(figure, 0)
    elif ending == ".gif":
        data = _gif(figure)
    else:
        raise ArgumentError("path", str(path), f"must end in {', '.join(_ENDINGS)}")
    write_atomically(Path(place), data)


def _document(figure: Figure) -> str:
    """A LaTeX document with a page for every frame, as large as it."""
    scenes = [sheet.scene for sheet in figure.sheets]
    wide = max(s.width * s.cell_mm for s in scenes) + 2 * _MARGIN_MM
    high = max(s.height * s.cell_mm for s in scenes) + 2 * _MARGIN_MM
    pages = "\n\\newpage\n".join(f"\\noindent\\makebox[\\textwidth][l]{{%\n{scene.tikz()}}}" for scene in scenes)
    return rf"""\documentclass{{article}}
\usepackage[T1]{{fontenc}}
\usepackage{{lmodern}}
\usepackage{{amsmath}}
\usepackage{{tikz}}
\usepackage[paperwidth={wide:.2f}mm,paperheight={high + 2:.2f}mm,margin={_MARGIN_MM}mm]{{geometry}}
\pagestyle{{empty}}
\parskip0pt\topskip0pt
\pdfobjcompresslevel0
\pdfinfoomitdate=1
\pdftrailerid{{}}
\pdfsuppressptexinfo=-1
{colour_definitions()}
\begin{{document}}
{pages}
\end{{document}}
"""


def _png(figure: Figure, number: int, scale: int = _SCALE) -> bytes:
    """One frame as PNG, in the light colours."""
    from symconv.report.plates.figure import Figure

    one = Figure(figure.kind, (figure.sheets[number],), {})
    text = one.svg("light")
    for colour in PALETTE.values():  # renderers of pictures know no custom properties
        text = text.replace(f"var({colour.variable},{colour.light})", colour.light)
        text = text.replace(f"var({colour.variable})", colour.light)
    text = text.replace(FACE, 'font-family:"STIX Two Text"')  # nor do they read the short form of a font
    try:
        import resvg_py
    except ImportError:
        raise RenderError(_NEEDS.format(".png and .gif")) from None
    with tempfile.TemporaryDirectory(prefix="symconv-") as scratch:
        faces = _fonts(Path(scratch))
        return bytes(resvg_py.svg_to_bytes(svg_string=text, zoom=scale, skip_system_fonts=True, font_files=faces))


def _fonts(folder: Path) -> list[str]:
    """The typeface of reports as files that a renderer can read, so that a picture is the same on every machine."""
    files = []
    for name, data in _faces().items():
        (folder / f"{name}.otf").write_bytes(data)
        files.append(str(folder / f"{name}.otf"))
    return files


@cache
def _faces() -> dict[str, bytes]:
    try:
        from fontTools.ttLib import TTFont
    except ImportError:
        raise RenderError(_NEEDS.format(".png and .gif")) from None
    found = {}
    for name in ("latin-regular", "latin-italic", "latin-semibold"):
        source = resources.files("symconv.report") / "fonts" / f"stix-two-text-{name}.woff2"
        try:
            font = TTFont(io.BytesIO(source.read_bytes()))
        except ImportError:  # brotli, which unpacks it
            raise RenderError(_NEEDS.format(".png and .gif")) from None
        font.flavor = None
        plain = io.BytesIO()
        font.save(plain)
        found[name] = plain.getvalue()
    return found


_NEEDS = "{} need the extra `figures` (pip install 'symconv[figures]'); .svg needs nothing, and .pdf needs pdflatex"


def _gif(figure: Figure) -> bytes:
    """All frames as a GIF that goes round and round."""
    try:
        from PIL import Image
    except ImportError:
        raise RenderError(_NEEDS.format(".png and .gif")) from None
    images = [Image.open(io.BytesIO(_png(figure, number))).convert("RGB") for number in range(len(figure.sheets))]
    size = max(i.width for i in images), max(i.height for i in images)
    frames = []
    for image in images:
        ground = Image.new("RGB", size, PALETTE["paper"].light)
        ground.paste(image, (0, 0))
        frames.append(ground.quantize(64))
    out = io.BytesIO()
    more = {"save_all": True, "append_images": frames[1:], "duration": int(1000 * SECONDS), "loop": 0}
    frames[0].save(out, "GIF", **(more if len(frames) > 1 else {}))
    return out.getvalue()
