"""Plain text into TeX and HTML: what a user typed comes out as typed, whatever it is.

Text is hostile until it passed through here. Each writer knows one type of its own for strings that are already in its
language (`Tex` here, `markupsafe.Markup` for HTML); everything else is escaped on its way into a template.
"""

from __future__ import annotations

import re
import unicodedata

from symconv.errors import RenderError

__all__ = ["Tex", "anchor", "check_latex_text", "check_text", "latex_text", "pdf_string"]


class Tex(str):
    """A string that is LaTeX already and must not be escaped again."""

    __slots__ = ()


_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "`": r"\textasciigrave{}",
}
_SYMBOLS = {
    "\N{NO-BREAK SPACE}": "~",
    "¡": r"\textexclamdown{}",
    "¿": r"\textquestiondown{}",
    "¢": r"\textcent{}",
    "£": r"\textsterling{}",
    "¥": r"\textyen{}",
    "€": r"\texteuro{}",
    "§": r"\textsection{}",
    "¶": r"\textparagraph{}",
    "©": r"\textcopyright{}",
    "®": r"\textregistered{}",
    "™": r"\texttrademark{}",
    "°": r"\textdegree{}",
    "µ": r"\textmu{}",
    "ª": r"\textordfeminine{}",
    "º": r"\textordmasculine{}",
    "«": r"\guillemotleft{}",
    "»": r"\guillemotright{}",
    "¼": r"\textonequarter{}",
    "½": r"\textonehalf{}",
    "¾": r"\textthreequarters{}",
    "¹": r"\textonesuperior{}",
    "²": r"\texttwosuperior{}",
    "³": r"\textthreesuperior{}",
    "·": r"\textperiodcentered{}",
    "\N{SOFT HYPHEN}": r"\-",
    "‐": "-",
    "‑": r"\mbox{-}",
    "–": r"\textendash{}",
    "—": r"\textemdash{}",
    "‘": r"\textquoteleft{}",
    "’": r"\textquoteright{}",
    "‚": r"\quotesinglbase{}",
    "“": r"\textquotedblleft{}",
    "”": r"\textquotedblright{}",
    "„": r"\quotedblbase{}",
    "‹": r"\guilsinglleft{}",
    "›": r"\guilsinglright{}",
    "†": r"\textdagger{}",
    "‡": r"\textdaggerdbl{}",
    "•": r"\textbullet{}",
    "…": r"\textellipsis{}",
    "‰": r"\textperthousand{}",
    "′": r"\ensuremath{'}",
    "″": r"\ensuremath{''}",
}
_MATHS = {
    "±": (r"\pm", "+-"),
    "×": (r"\times", "x"),
    "÷": (r"\div", "/"),
    "¬": (r"\neg", "not"),
    "−": ("-", "-"),
    "≤": (r"\leq", "<="),
    "≥": (r"\geq", ">="),
    "≠": (r"\neq", "!="),
    "≈": (r"\approx", "~"),
    "≡": (r"\equiv", "=="),
    "∈": (r"\in", "in"),
    "∉": (r"\notin", "not in"),
    "∪": (r"\cup", "u"),
    "∩": (r"\cap", "n"),
    "∂": (r"\partial", "d"),
    "∑": (r"\textstyle\sum", "sum"),
    "∏": (r"\textstyle\prod", "prod"),
    "√": (r"\surd", "sqrt"),
    "∞": (r"\infty", "infinity"),
    "∘": (r"\circ", "o"),
    "⋆": (r"\star", "*"),
    "★": (r"\bigstar", "*"),
    "←": (r"\leftarrow", "<-"),
    "→": (r"\rightarrow", "->"),
    "↔": (r"\leftrightarrow", "<->"),
    "↦": (r"\mapsto", "->"),
    "⇒": (r"\Rightarrow", "=>"),
    "⇔": (r"\Leftrightarrow", "<=>"),
    "⌊": (r"\lfloor", "floor("),
    "⌋": (r"\rfloor", ")"),
    "⌈": (r"\lceil", "ceil("),
    "⌉": (r"\rceil", ")"),
    "⁻": ("{}^{-}", "^-"),
    **{raised: (f"{{}}^{{{digit}}}", f"^{digit}") for raised, digit in zip("⁰⁴⁵⁶⁷⁸⁹", "0456789", strict=True)},
}
# The letters of Latin-1 and Latin Extended-A that the T1 encoding sets (LaTeX's own t1enc.dfu); they stay as typed.
_T1_MISSING = frozenset("×÷ĦħĸĿŀŉŦŧſ")
_T1_LETTERS = frozenset(chr(c) for c in range(0xC0, 0x180)) - _T1_MISSING | frozenset("ȘșȚțẞǍǎǐǑǒǓǔǦǧ")

# T1 fonts join these pairs into one glyph (dashes, quotes, guillemets); an empty group keeps them apart.
_LIGATURES = re.compile(r"(?<=-)(?=-)|(?<=')(?=')|(?<=,)(?=,)")
_PLACEHOLDER = "\0"
# A run this long without a space would stick out of a column: it may break between any two characters.
_LONG_RUN = re.compile(r"\S{25,}")
_BREAK = "\1"
_BIDIRECTIONAL = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def _describe(character: str) -> str:
    """`U+1F600 GRINNING FACE`, never the raw character alone, which a terminal may not show."""
    return f"U+{ord(character):04X} {unicodedata.name(character, 'without a name')}"


def check_text(text: str, field: str) -> str:
    """No control characters in a document: they are invisible, and some reorder what the reader sees.

    Args:
        text: what the user wrote; tabs and line ends count as spaces.
        field: where it stands (title, author, ...), for the message.

    Returns:
        The text in Unicode's composed form, with every run of white space as one space.

    Raises:
        RenderError: a control, surrogate, unassigned-by-meaning or text-direction character.

    >>> check_text("a\\tb", "title")
    'a b'
    """
    composed = unicodedata.normalize("NFC", re.sub(r"[ \t\r\n]+", " ", text))
    for position, character in enumerate(composed):
        if unicodedata.category(character) in ("Cc", "Cs", "Co") or character in _BIDIRECTIONAL:
            raise RenderError(
                f"{field} must not contain control characters, got {_describe(character)} at position {position} of "
                f"{_shorten(composed)!a}; remove it"
            )
    return composed


def check_latex_text(text: str, field: str) -> str:
    """Every character of the text must be one that pdflatex can set with the T1 fonts.

    Args:
        text: what the user wrote.
        field: where it stands (title, author, ...), for the message.

    Returns:
        The text, cleaned as by `check_text`.

    Raises:
        RenderError: naming the first character that T1 does not have, its position and the field.

    >>> check_latex_text("Größe ≤ 3", "title")
    'Größe ≤ 3'
    """
    composed = check_text(text, field)
    for position, character in enumerate(composed):
        if " " <= character <= "~" or character in _SYMBOLS or character in _MATHS or character in _T1_LETTERS:
            continue
        raise RenderError(
            f"{field} must use characters that pdflatex can set, got {_describe(character)} at position {position} of "
            f"{_shorten(composed)!a}; write it in Latin letters, or write the HTML report, which takes every "
            "character"
        )
    return composed


def _shorten(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."


def _breakable(match: re.Match[str]) -> str:
    return _BREAK.join(match.group())


def latex_text(text: str, field: str = "text") -> Tex:
    r"""TeX that prints exactly the characters of the text; no command, comment or ligature can arise from it.

    Args:
        text: what the user wrote.
        field: where it stands, for the message of an error.

    Returns:
        TeX for text mode.

    Raises:
        RenderError: see `check_latex_text`.

    >>> print(latex_text(r"\input{x} 100% a--b"))
    \textbackslash{}input\{x\} 100\% a-{}-b
    """
    apart = _LIGATURES.sub(_PLACEHOLDER, check_latex_text(text, field))
    apart = _LONG_RUN.sub(_breakable, apart)
    pieces: list[str] = []
    for character in apart:
        if character == _PLACEHOLDER:
            pieces.append("{}")
        elif character == _BREAK:
            pieces.append(r"\SCbreak{}")
        elif character in _MATHS:
            pieces.append(rf"\ensuremath{{{_MATHS[character][0]}}}")
        else:
            pieces.append(_SPECIAL.get(character) or _SYMBOLS.get(character, character))
    return Tex("".join(pieces))


def pdf_string(text: str, field: str = "text") -> Tex:
    """TeX for the document information of a PDF, where no mathematics can stand: signs become words.

    >>> print(pdf_string("5 × 5 → 3 × 3"))
    5 x 5 -\\textgreater{} 3 x 3
    """
    words = "".join(_MATHS[c][1] if c in _MATHS else c for c in check_latex_text(text, field))
    plain = words.replace("′", "'").replace("″", '"').replace("\N{SOFT HYPHEN}", "").replace("‑", "-")
    return Tex("".join(_SPECIAL.get(c) or _SYMBOLS.get(c, c) for c in plain))


def anchor(identifier: str) -> str:
    """An id that is safe in HTML, in a URL fragment and as a PDF destination; different ids stay different.

    >>> anchor("q1.R'")
    'q1.R-27-'
    """
    return "".join(c if c.isascii() and (c.isalnum() or c in "._") else f"-{ord(c):x}-" for c in identifier)
