r"""The pieces of a formula while it is scanned: brackets that are open, values that may go on, lines that end.

The rules for what a sign means by where it stands are here; which sign a command is, in `latex_scan`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from symconv.claims.reading.limits import DEPTH
from symconv.errors import ClaimError

__all__ = ["CLOSING", "GOES_ON", "OPENING", "Open", "Piece", "Pieces"]

_ENDS = frozenset(
    (
        *("NUMBER", "NAME", "WORD", "ONES", "JOINED", "RPAR", "RSQUARE", "RBRACE", "SET_CLOSE", "BAR_CLOSE"),
        *("FLOOR_CLOSE", "CEIL_CLOSE", "MATRIX_CLOSE", "CASES_CLOSE"),
    )
)
"""What can end a value."""

GOES_ON = frozenset(("REL", "PLUS", "MINUS", "TIMES", "AST", "STAR", "SLASH", "MOD", "GIVEN"))
"""What a value must follow, and what a line that goes on from the one before may begin with."""

_LISTED = re.compile(
    r"(?:LPAR )?NAME(?: COMMA NAME)* REL(?: (?:NUMBER|NAME|PLUS|MINUS))+ COMMA"
    r"(?: (?:COMMA|DOTS|NUMBER|NAME|PLUS|MINUS))+(?: RPAR)?"
)
"""The kinds of a line that lists the values of indices, ``i, j = 0, 1``."""

OPENING = {
    "(": ("LPAR", ")"),
    "[": ("LSQUARE", "]"),
    r"\{": ("SET_OPEN", r"\}"),
    r"\lfloor": ("FLOOR_OPEN", r"\rfloor"),
    r"\lceil": ("CEIL_OPEN", r"\rceil"),
    r"\lvert": ("BAR_OPEN", r"\rvert"),
}
CLOSING = {
    ")": "RPAR",
    "]": "RSQUARE",
    r"\}": "SET_CLOSE",
    r"\rfloor": "FLOOR_CLOSE",
    r"\rceil": "CEIL_CLOSE",
    r"\rvert": "BAR_CLOSE",
}


@dataclass(frozen=True)
class Piece:
    """One piece of a formula.

    Attributes:
        kind: the terminal of the grammar.
        text: what it says: a name, a number, a relation.
        start, end: where it stands in the source.
        ends: whether it can end a value.
        apart: whether a blank stands before it.
    """

    kind: str
    text: str
    start: int
    end: int
    ends: bool
    apart: bool


@dataclass
class Open:
    """A bracket or an environment that is not closed yet, and what held outside it."""

    kind: str
    closing: str
    start: int
    pending: int = 0
    script: bool = False
    callable: str = ""
    column_sign: bool = False


@dataclass
class Pieces:
    """The state of a scan: `pos` walks through the source, and every piece is settled as it is added."""

    source: str
    callables: frozenset[str] = frozenset()
    pos: int = 0
    end: int = 0
    pieces: list[Piece] = field(default_factory=list)
    lines: list[list[Piece]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    stack: list[Open] = field(default_factory=list)
    pending: int = 0  # arguments still to come, which are one sign where they have no braces
    script: bool = False  # whether what comes belongs to the sign of a sum, a maximum or a limit
    ends: bool = False
    apart: bool = True
    callable: str = ""  # "WORD" or "NAME" after one, or after its lower index: a bracket may hold arguments

    # ------------------------------------------------------------------ errors and pieces

    def error(self, found: str, expected: str = "", at: int | None = None) -> ClaimError:
        return ClaimError(found, expected, source=self.source, position=self.pos if at is None else at)

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def emit(self, kind: str, text: str, end: int) -> None:
        """Adds the piece from `pos` to `end`."""
        if self.pending and kind not in ("LBRACE", "JOINED"):
            self.pending -= 1
            self.ends = not self.script
        elif kind not in ("UNDER", "SUP"):
            self.script = kind in ("SUM", "MAX", "LIM")
            self.ends = kind in _ENDS
            self.callable = kind if kind in ("NAME", "WORD", "MAX") else self.callable if kind == "JOINED" else ""
        self.pieces.append(Piece(kind, text, self.pos, end, self.ends, self.apart))
        self.apart, self.pos = False, end
        if kind in ("UNDER", "SUP", "SQRT", "FRAC"):
            self.pending, self.ends = (2 if kind == "FRAC" else 1), False
            self.callable = self.callable if kind == "UNDER" else ""

    def skip(self, count: int) -> None:
        self.pos += count
        self.apart = True

    def level(self) -> int:
        return sum(o.kind != "WRAPPER" for o in self.stack)

    # ------------------------------------------------------------------ brackets

    def push(self, kind: str, closing: str) -> None:
        self.stack.append(Open(kind, closing, self.pos, self.pending, self.script, self.callable))
        if len(self.stack) > DEPTH:
            raise self.error("the claim is nested too deeply", f"at most {DEPTH} brackets inside each other")
        self.pending = 0

    def pop(self, closing: str) -> Open:
        if not self.stack or self.stack[-1].closing != closing:
            opened = f"{self.stack[-1].closing!r} first" if self.stack else "a bracket opened before it"
            raise self.error(f"found {closing!r}", opened)
        return self.stack.pop()

    def open(self, bracket: str, length: int) -> None:
        kind, closing = OPENING[bracket]
        before = self.pieces[-1] if self.pieces else None
        if kind == "LPAR" and self.callable:
            named = before is not None and before.kind == "NAME" and before.text in self.callables
            calls = self.callable != "NAME" or named or self.has_comma(self.pos + length)
            kind = "CALL_OPEN" if calls else kind
        elif kind == "LSQUARE" and self.callable == "NAME" and before and before.kind == "NAME" and not self.apart:
            kind = "INDEX_OPEN"
            self.note(f"{before.text}[...] is read as an entry of {before.text}")
        optional = kind == "LSQUARE" and before is not None and before.kind == "SQRT"
        if self.pending and not optional:
            raise self.error(f"found {bracket!r}", "a letter, a digit or braces")
        self.push(kind, closing)
        self.emit(kind, bracket, self.pos + length)

    def close(self, bracket: str, length: int) -> None:
        opened = self.pop(bracket)
        self.emit(CLOSING[bracket], bracket, self.pos + length)
        self.pending = opened.pending  # only the order of a root, in square brackets, leaves its argument to come

    def has_comma(self, position: int) -> bool:
        """Whether the bracket opened before a position holds a comma outside inner brackets."""
        depth = 0
        while position < self.end and depth >= 0:
            character = self.source[position]
            if character == "\\" and self.source[position + 1 : position + 2] not in ("{", "}"):
                position += 1
            elif character in "([{":
                depth += 1
            elif character in ")]}":
                depth -= 1
            elif character == "," and depth == 0:
                return True
            position += 1
        return False

    def bar(self, length: int, side: str = "") -> None:
        """A bar opens where a value may begin, closes the bar before it, and divides a set."""
        top = self.stack[-1].kind if self.stack else ""
        if side == "right" or (not side and self.ends and top == "BAR_OPEN"):
            self.close(r"\rvert", length)
        elif not side and self.ends and top == "SET_OPEN":
            self.emit("MID", "|", self.pos + length)
        else:
            self.open(r"\lvert", length)

    # ------------------------------------------------------------------ lines

    def place(self) -> Open | None:
        """The matrix or cases that `&` and `\\\\` belong to; None where they only arrange lines."""
        inner = next((o for o in reversed(self.stack) if o.kind in ("MATRIX", "CASES", "WRAPPER", "SUBSTACK")), None)
        if inner is None or inner.kind == "WRAPPER":
            return None
        if inner is not self.stack[-1]:
            raise self.error(f"found {self.source[self.pos]!r}", f"{self.stack[-1].closing!r} first")
        return inner

    def column(self) -> None:
        inner = self.place()
        if inner and (inner.kind == "MATRIX" or not inner.column_sign):
            inner.column_sign = True
            self.emit("AMP", "&", self.pos + 1)
        else:
            self.skip(1)

    def row(self, length: int) -> None:
        inner = self.place()
        if inner and inner.kind == "SUBSTACK":
            self.trim(self.pieces)
            self.emit("ROW", "row", self.pos + length)
        elif inner:
            inner.column_sign = False
            self.trim(self.pieces)
            self.emit("ROW", "row", self.pos + length)
        elif self.level():
            self.skip(length)
        else:
            self.line(length)

    def trim(self, pieces: list[Piece]) -> None:
        """Drops the punctuation at an end."""
        while pieces and pieces[-1].kind in ("COMMA", "PERIOD"):
            pieces.pop()

    def line(self, length: int) -> None:
        r"""Ends a line of the formula: at ``\\``, at wide space, and where mathematics begins or ends."""
        if self.level():
            raise self.error(
                f"found {self.source[self.pos : self.pos + length]!r}", f"{self.stack[-1].closing!r} first"
            )
        line, self.pieces = self.pieces, []
        self.trim(line)
        number = self.equation_number(line)
        if number:
            self.note(f"the equation number ({number}) is passed over")
            while line.pop().kind != "LPAR":
                pass
            self.trim(line)
        self.lines.append(line)
        self.skip(length)
        self.ends, self.callable, self.script, self.pending = False, "", False, 0

    def equation_number(self, line: list[Piece]) -> str:
        r"""The number in brackets that is alone on a line; behind a value it could as well be a factor.

        A wide space such as ``\quad`` ends a line.

        Raises:
            ClaimError: where a bracket with a number ends a line, with only a blank between it and the value before it.
        """
        kinds = [piece.kind for piece in line[-4:]]
        for shape in (["LPAR", "NUMBER", "RPAR"], ["LPAR", "NUMBER", "NAME", "RPAR"], ["LPAR", "AST", "RPAR"]):
            size = len(shape)
            if kinds[-size:] != shape:
                continue
            number = "".join(piece.text for piece in line[1 - size : -1])
            if len(line) == size:
                return number
            if line[-size].apart and line[-size - 1].ends:
                if number == "*":
                    return number
                raise self.error(
                    f"found ({number}) behind a value, a factor or the number of the equation",
                    rf"\quad ({number}) or \tag{{{number}}} for a number, \cdot ({number}) for a factor",
                    at=line[-size].start,
                )
        return ""

    def finish(self) -> list[Piece]:
        if self.stack:
            opened = self.stack[-1]
            raise self.error("found a bracket without its end", f"{opened.closing!r}", at=opened.start)
        self.line(0)
        joined: list[Piece] = []
        for line in self.lines:
            kinds = {piece.kind for piece in line}
            orders = {piece.text for piece in line if piece.kind == "REL"}
            listed = _LISTED.fullmatch(" ".join(piece.kind for piece in line))
            if joined and joined[-1].ends and ("IN" in kinds or listed or (orders and orders <= {"<", "<="})):
                line = _as_ranges(line)
            if joined and line and joined[-1].ends and line[0].kind not in GOES_ON:
                raise self.error(
                    "found a second formula", "one formula: give each as a claim of its own", at=line[0].start
                )
            joined += line
        if not joined:
            raise ClaimError("the claim holds no formula", "more than words and equation numbers")
        return joined


def _as_ranges(line: list[Piece]) -> list[Piece]:
    """A line that gives the ranges of indices, with or without brackets around it, behind a sign that says so."""
    if line[0].kind in GOES_ON:
        return line
    if (line[0].kind, line[-1].kind) == ("LPAR", "RPAR") and not {"LPAR", "RPAR"} & {one.kind for one in line[1:-1]}:
        line = line[1:-1]
    first = line[0]
    return [Piece("GIVEN", "for", first.start, first.start, False, True), *line]
