"""The fonts of the HTML page, embedded: STIX Two Text and STIX Two Math, subsets under the Open Font License.

Without a font for mathematics many browsers show small sums and fraction bars that touch; a page that fetches one is
not self-contained. Where the subsets come from stands in `fonts/SOURCE.txt`.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from symconv.errors import RenderError

__all__ = ["font_faces"]

_LATIN = "U+0000-00FF,U+0131,U+0152-0153,U+02C6,U+02DA,U+02DC,U+2000-206F,U+20AC,U+2122,U+2191,U+2193,U+2212"
_EXTENDED = "U+0100-0130,U+0132-0151,U+0154-017F"
_SCRIPT_AND_DOUBLE_STRUCK = (
    "U+2102,U+210A-210B,U+210D,U+2110,U+2112,U+2115,U+2119-211B,U+211D,U+2124,U+212C,U+212F-2131,U+2133-2134,"
    "U+1D49C-1D503,U+1D538-1D56B,U+1D7D8-1D7E1"
)


@dataclass(frozen=True)
class _Face:
    file: str
    family: str
    style: str = "normal"
    weight: int = 400
    characters: str = ""
    where_used: bool = False  # embedded only where the page has one of the characters


_FACES = (
    _Face("stix-two-math", "STIX Two Math"),
    _Face("stix-two-math-alphabets", "STIX Two Math", characters=_SCRIPT_AND_DOUBLE_STRUCK, where_used=True),
    *(
        _Face(f"stix-two-text-{part}-{name}", "STIX Two Text", style, weight, characters, part == "latin-ext")
        for part, characters in (("latin", _LATIN), ("latin-ext", _EXTENDED))
        for name, style, weight in (("regular", "normal", 400), ("italic", "italic", 400), ("semibold", "normal", 600))
    ),
)


def font_faces(page: str) -> str:
    """The `@font-face` rules with the fonts inside them; rarer letters come along where the page has any.

    Raises:
        RenderError: a font file is missing from the installation.
    """
    return "\n".join(_rule(face) for face in _FACES if not face.where_used or _letters(face.characters).search(page))


@lru_cache(maxsize=len(_FACES))
def _letters(characters: str) -> re.Pattern[str]:
    """Finds one of the characters of a `unicode-range`."""
    ranges = (part.removeprefix("U+").split("-") for part in characters.split(","))
    return re.compile("[" + "".join("-".join(rf"\U{end:0>8}" for end in ends) for ends in ranges) + "]")


@lru_cache(maxsize=len(_FACES))
def _rule(face: _Face) -> str:
    path = Path(__file__).resolve().parent / "fonts" / f"{face.file}.woff2"
    try:
        data = base64.b64encode(path.read_bytes()).decode("ascii")
    except OSError as error:
        raise RenderError(f"the font {path} cannot be read ({error.strerror}); install symconv again") from error
    characters = f"unicode-range:{face.characters};" if face.characters else ""
    return (
        f'@font-face{{font-family:"{face.family}";font-style:{face.style};font-weight:{face.weight};'
        f'font-display:block;{characters}src:url(data:font/woff2;base64,{data})format("woff2")}}'
    )
