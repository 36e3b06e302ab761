r"""The words of an exercise: text with $mathematics$ in it.

Text is plain and escaped by every writer. Mathematics is read by the scanner of claims, sign by sign, and only what it
knows is set; where it does not know a sign, or the formula cannot be set, it is shown as it was typed, and said so.
"""

from __future__ import annotations

import re

from symconv.claims.reading.latex_pieces import Piece
from symconv.claims.reading.latex_scan import scan
from symconv.claims.reading.limits import check_text
from symconv.errors import SymconvError
from symconv.report.document import Code, Inline, Math, Text
from symconv.report.mathml import to_mathml

__all__ = ["formula", "prose"]

_MATHS = re.compile(r"(?<!\\)\$((?:[^$\\]|\\.)*)\$", re.DOTALL)
_SPELLED = {"AST": r"\ast", "DOTS": r"\ldots", "STAR": r"\star"}
_SAFE = re.compile(r"[A-Za-z0-9+\-*/=<>,.()\[\]|:'^_{}\s]|\\[A-Za-z]+|\\[{}]")
_ESCAPED = re.compile(r"\\([$%&#_{}])")


def prose(text: str) -> tuple[tuple[Inline, ...], ...]:
    r"""The paragraphs of a text; a blank line stands between two.

    >>> [type(run).__name__ for run in prose("An image $X$ of $6\\times6$.")[0]]
    ['Text', 'Math', 'Text', 'Math', 'Text']
    """
    return tuple(_paragraph(part) for part in re.split(r"\n[ \t]*\n", text.strip()) if part.strip())


def _paragraph(text: str) -> tuple[Inline, ...]:
    runs: list[Inline] = []
    unread = False
    position = 0
    for match in _MATHS.finditer(text):
        runs += _plain(text[position : match.start()])
        read = formula(match[1])
        unread = unread or read is None
        runs.append(Code(match[0].replace("\n", " ")) if read is None else Math(read))
        position = match.end()
    runs += _plain(text[position:])
    if unread:
        runs.append(Text(" (What stands between dollar signs here could not be read, and is shown as it was typed.)"))
    return tuple(runs)


def _plain(text: str) -> list[Inline]:
    words = _ESCAPED.sub(r"\1", re.sub(r"\s+", " ", text))
    return [Text(words)] if words else []


def formula(source: str) -> str | None:
    """A formula of an exercise as LaTeX that can be set, its signs as they were typed; None where it cannot be read."""
    try:
        check_text(source, latex=True)
        pieces, notes = scan(source)
    except SymconvError:
        return None
    if not pieces or "%" in source or any("passed over" in note for note in notes):
        return None
    parts = [_shown(source, piece) for piece in pieces]
    if None in parts:
        return None
    latex = " ".join(part for part in parts if part)
    try:
        to_mathml(latex)
    except SymconvError:
        return None
    return latex


def _shown(source: str, piece: Piece) -> str | None:
    """A piece as it was typed, where every sign of it may be set."""
    text = _SPELLED.get(piece.kind, "") or source[piece.start : piece.end]
    return text if not _SAFE.sub("", text) else None
