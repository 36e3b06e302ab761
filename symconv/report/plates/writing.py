"""Figures as files: SVG that follows the reader's colours and may move, PDF, PNG, GIF."""

from __future__ import annotations

import html
import io
import math
import tempfile
from collections.abc import Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from symconv.doors import path as as_path
from symconv.errors import ArgumentError, RenderError
from symconv.report.drawing.shapes import PALETTE
from symconv.report.drawing.svg import FACE
from symconv.report.drawing.tikz import colour_definitions
from symconv.report.files import write_atomically
from symconv.report.pdf import to_pdf
from symconv.report.scene import Scene

__all__ = ["figure_svg", "figure_tikz", "save"]

SECONDS = 0.9
"""How long a frame of an animation stays."""

_ENDINGS = (".svg", ".tex", ".pdf", ".png", ".gif", ".json")
_SCALE = 2
_MARGIN_PX, _MARGIN_MM = 10, 2.5


def figure_svg(scenes: Sequence[Scene], description: str, theme: str) -> str:
    """A whole SVG file of one picture or of an animation, with what is drawn as metadata, in JSON."""
    inner = [scene.svg(f"f{number}") for number, scene in enumerate(scenes)]
    wide, high = _extent(scenes)
    moving = len(inner) > 1
    title, words = html.escape(scenes[0].title), html.escape(scenes[0].description)
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
        f"<metadata>{html.escape(description, quote=False)}</metadata>\n<style>{''.join(rules)}</style>\n"
        f'<rect width="100%" height="100%" style="fill:var(--paper)"/>\n' + "\n".join(frames) + "\n</svg>\n"
    )


def _extent(scenes: Sequence[Scene]) -> tuple[int, int]:
    """The size of the file in pixels: that of the largest frame, with a margin."""
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


def save(scenes: Sequence[Scene], description: str, path: Any) -> None:
    """Write pictures in the format that the ending of a path names."""
    place = as_path("path", path)
    ending = place.suffix.lower()
    data: str | bytes
    if ending == ".svg":
        data = figure_svg(scenes, description, "auto")
    elif ending == ".tex":
        data = figure_tikz(scenes) + "\n"
    elif ending == ".json":
        data = description + "\n"
    elif ending == ".pdf":
        data = to_pdf(_document(scenes))
    elif ending == ".png":
        if len(scenes) > 1:
            raise ArgumentError(
                "path", str(path), "must end in .gif, .svg or .pdf for an animation", "or choose one output"
            )
        data = _png(scenes[0])
    elif ending == ".gif":
        data = _gif(scenes)
    else:
        raise ArgumentError("path", str(path), f"must end in {', '.join(_ENDINGS)}")
    write_atomically(Path(place), data)


def figure_tikz(scenes: Sequence[Scene], *, define_colours: bool = True) -> str:
    """A `tikzpicture` a picture, the colours in front of the first one."""
    return "\n\n".join(scene.tikz(define_colours=define_colours and not n) for n, scene in enumerate(scenes))


def _document(scenes: Sequence[Scene]) -> str:
    """A LaTeX document with a page for every frame, as large as it."""
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


def _png(scene: Scene) -> bytes:
    """One picture as PNG, in the light colours."""
    text = figure_svg([scene], "{}", "light")
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
        return bytes(resvg_py.svg_to_bytes(svg_string=text, zoom=_SCALE, skip_system_fonts=True, font_files=faces))


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


def _gif(scenes: Sequence[Scene]) -> bytes:
    """All frames as a GIF that goes round and round."""
    try:
        from PIL import Image
    except ImportError:
        raise RenderError(_NEEDS.format(".png and .gif")) from None
    images = [Image.open(io.BytesIO(_png(scene))).convert("RGB") for scene in scenes]
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
