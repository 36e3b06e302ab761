r"""The displayed formulas of a LaTeX file, each with its line and the question that it answers.

A formula answers the question of the environment that it stands in, ``\begin{answer}{1d}``, or of the last comment
before it that is the number of a question, ``% 1d``. Rows of an ``align`` are formulas of their own where they hold a
relation, and go on from the row before where they begin with one. Nothing is dropped in silence: what is no claim is
listed with its line.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from symconv.claims.reading.latex_pieces import GOES_ON
from symconv.claims.reading.latex_words import ACCENTS, FONTS, SIGNS, TEXTS, UNCLAIMED
from symconv.claims.reading.limits import LENGTH
from symconv.claims.sheets.tokens import DEFINING, Token, Tokens, plain

__all__ = ["DisplayedFormula", "Passed", "TexSheet", "displays"]

FORMULAS = 500
"""So many formulas are read of a file."""
SHOWN = 60

_ROWS = frozenset(("align", "alignat", "flalign", "gather", "eqnarray"))
_DISPLAYS = _ROWS | frozenset(("equation", "multline", "displaymath", "math"))
_UNREAD = frozenset(("dmath", "dgroup", "empheq", "IEEEeqnarray", "xalignat", "xxalignat", "tequation"))
"""Displays of packages, which hold more than formulas."""
_INNER = frozenset(("split", "aligned", "gathered"))
_RELATIONS = frozenset(name for name, (kind, _) in SIGNS.items() if kind == "REL") | UNCLAIMED
_OPERATORS = frozenset(name for name, (kind, _) in SIGNS.items() if kind in GOES_ON) - _RELATIONS
_FRACTIONS = frozenset(name for name, (kind, _) in SIGNS.items() if kind == "FRAC")
_ARGUMENT = _FRACTIONS | FONTS | TEXTS | frozenset(ACCENTS) | {"sqrt"}
_SPACES = frozenset(("quad", "qquad", "displaystyle", "nonumber", "notag", "hspace", "hfill"))
_FILES = frozenset(("input", "include", "includeonly", "subfile", "import", "subimport", "InputIfFileExists"))
_NAMED = re.compile(r"(?i)(?:question|problem|exercise|task|part|answer) +")
_NUMBER = re.compile(r"(?=[^0-9]*[0-9])[\w.()-]{1,16}")
"""A comment of one word with a digit in it, which may be the number of a question."""


@dataclass(frozen=True)
class DisplayedFormula:
    """A displayed formula.

    Attributes:
        latex: the formula, with what its words stand for put in.
        line: its line in the file, from 1.
        question: the number of the question that it answers; "" where nothing says it.
        fault: why it cannot be read; "" where it may be.
    """

    latex: str
    line: int
    question: str
    fault: str = ""


@dataclass(frozen=True)
class Passed:
    """What was not read: its line, how it begins, and why."""

    line: int
    text: str
    why: str


@dataclass(frozen=True)
class TexSheet:
    """What a LaTeX file holds: the formulas that may be claims, and what was not read, by lines."""

    formulas: tuple[DisplayedFormula, ...]
    passed: tuple[Passed, ...]


def displays(source: str, questions: Collection[str]) -> TexSheet:
    r"""The displayed formulas of a LaTeX file.

    Args:
        source: the text of the file.
        questions: the numbers that a comment may be; another word with a digit in it ends the question before it.

    >>> sheet = displays("% 1a\n\\[ y_i = x_i \\]\n% 1b\n$$ 3 $$", ["1a", "1b"])
    >>> [(one.question, one.line, one.latex) for one in sheet.formulas]
    [('1a', 2, 'y_i = x_i')]
    >>> sheet.passed
    (Passed(line=4, text='3', why='has no relation such as =, and claims nothing'),)
    """
    walk = _Walk(Tokens(plain(source)), frozenset(questions), r"\begin{document}" not in source)
    walk.run()
    return TexSheet(tuple(walk.formulas), tuple(sorted(walk.passed, key=lambda one: one.line)))


@dataclass
class _Walk:
    """The walk through a file.

    Attributes:
        body: whether the document has begun.
        asked: the question that comments say.
        answers: the questions of the environments that are open.
    """

    tokens: Tokens
    questions: frozenset[str]
    body: bool
    asked: str = ""
    answers: list[str] = field(default_factory=list)
    formulas: list[DisplayedFormula] = field(default_factory=list)
    passed: list[Passed] = field(default_factory=list)
    ended: bool = False

    @property
    def question(self) -> str:
        return self.answers[-1] if self.answers else self.asked

    def run(self) -> None:
        while not self.ended and (token := self.tokens.next()) is not None:
            self.outside(token)

    # ------------------------------------------------------------------ outside of formulas

    def outside(self, token: Token) -> None:
        groups = self.tokens.macros.groups
        if token.comment:
            self.mark(token)
        elif token.text == "{":
            groups.append({})
        elif token.text == "}":
            self.close_group()
        elif token.text in ("$", r"\(", r"\["):
            self.mathematics(token)
        elif token.word == "begin":
            self.begin(token)
        elif token.word == "end":
            name = self.tokens.text()
            self.close_group()
            if name == "answer" and self.answers:
                self.answers.pop()
            self.ended = name == "document"
        elif token.word in DEFINING:
            word = self.tokens.defined(token)
            why = self.tokens.macros.refused.get(word)
            if why and not any(one.text == f"\\{word}" for one in self.passed):
                self.pass_over(token.line, f"\\{word}", f"{why}, and is not followed")
        elif self.tokens.defines(token):
            self.tokens.redefined(token)
        elif token.word == "newif":
            self.tokens.solid()  # the condition that it makes
        elif token.word in _FILES:
            self.pass_over(token.line, f"{token.text}{{{self.tokens.text() or ''}}}", "no other file is read")
        elif token.word.startswith("if") and token.word != "iff":
            self.conditional(token)
        elif token.word and isinstance(meaning := self.tokens.macros.meaning(token.word), tuple):
            self.tokens.put_in(token, meaning)

    def close_group(self) -> None:
        if len(self.tokens.macros.groups) > 1:
            self.tokens.macros.groups.pop()

    def mark(self, comment: Token) -> None:
        word = " ".join(comment.text.strip("%").split())
        named = _NAMED.sub("", word).rstrip(".:)")
        if word in self.questions:
            self.asked = word
        elif named in self.questions or _NUMBER.fullmatch(named):
            self.asked = named

    def begin(self, token: Token) -> None:
        name = self.tokens.text() or ""
        self.tokens.macros.groups.append({})
        if name == "document":
            self.body = True
        elif name == "answer":
            self.answers.append(self.tokens.text() or self.tokens.text("[", "]") or "")
        elif name.rstrip("*") in _DISPLAYS:
            if name.rstrip("*") == "alignat":
                self.tokens.text()
            self.display(token, name)
            self.close_group()
        elif name.rstrip("*") in _UNREAD:
            self.pass_over(token.line, rf"\begin{{{name}}}", "is a display that is not read; use equation or align")

    def conditional(self, token: Token) -> None:
        """What stands under a condition of TeX may or may not be printed, and is not read."""
        depth = 1
        while depth and (one := self.tokens.next()) is not None:
            depth += (one.word.startswith("if") and one.word != "iff") - (one.word == "fi")
            if self.tokens.defines(one):
                self.tokens.redefined(one)
        if depth:
            self.body = True  # whatever the file displays is lost
            self.pass_over(token.line, token.text, "has no \\fi, and nothing behind it is read")
            return
        self.pass_over(
            token.line, token.text, "what stands up to its \\fi is not read: no condition of TeX is worked out"
        )

    def pass_over(self, line: int, text: str, why: str) -> None:
        if self.body and len(self.passed) < FORMULAS:
            shown = " ".join(text.split())
            self.passed.append(Passed(line, shown if len(shown) <= SHOWN else shown[: SHOWN - 3] + "...", why))

    # ------------------------------------------------------------------ formulas

    def mathematics(self, token: Token) -> None:
        """A display of dollars or brackets; what stands in the text is passed over, for it is no line of a solution."""
        if token.text == r"\[":
            self.display(token, r"\]")
            return
        after = self.tokens.next() if token.text == "$" else None
        if after is not None and after.text == "$":
            self.display(token, "$$")
            return
        if after is not None:
            self.tokens.back(after)
        closing = "$" if token.text == "$" else r"\)"
        while (one := self.tokens.next()) is None or one.text != closing:
            if one is None or (one.blank and one.text.count("\n") > 1):
                self.pass_over(token.line, token.text, "has no end in its paragraph")
                return
            if self.tokens.defines(one):
                self.tokens.redefined(one)

    def display(self, begin: Token, closing: str) -> None:
        """Reads a displayed formula to its end."""
        found: list[Token] = []
        fault = ""
        length = 0
        groups = self.tokens.macros.groups
        depth = len(groups)
        while True:
            token = self.tokens.next()
            if token is None or (token.word == "begin" and self._opens(token)):
                if token is not None:
                    self.tokens.back(token)
                del groups[depth:]
                self.pass_over(begin.line, "".join(one.text for one in found), f"has no end: {self._end(closing)}")
                return
            if token.comment:
                if all(one.blank for one in found):
                    self.mark(token)
                continue
            if self._closes(token, closing):
                break
            if self.tokens.defines(token):
                self.tokens.redefined(token)
            meaning = self.tokens.macros.meaning(token.word) if token.word else None
            if isinstance(meaning, str):
                fault = fault or f"\\{token.word} {meaning}, and is not followed: write what it stands for"
            elif meaning is not None:
                if len(meaning) > 1 and _is_argument(found):
                    fault = fault or f"write braces around {token.text}, which stands for several signs"
                self.tokens.put_in(token, meaning)
                continue
            length += len(token.text)
            if length <= 4 * LENGTH:
                found.append(token)
        del groups[depth:]
        if length > 4 * LENGTH:
            fault = fault or f"has more than {4 * LENGTH:,} characters"
        if self.body:
            self.rows(found, closing, fault)

    def _opens(self, token: Token) -> bool:
        """Whether an environment that no formula holds begins here: the formula before it was never closed."""
        name = self.tokens.text() or ""
        for one in ("}", *reversed(name), "{"):
            self.tokens.back(Token(one, token.line))
        return name == "answer" or name.rstrip("*") in _DISPLAYS

    @staticmethod
    def _end(closing: str) -> str:
        return closing if closing[0] in "\\$" else rf"\end{{{closing}}}"

    def _closes(self, token: Token, closing: str) -> bool:
        if closing == "$$" and token.text == "$":
            after = self.tokens.next()
            if after is not None and after.text == "$":
                return True
            if after is not None:
                self.tokens.back(after)
            return False
        if closing[0] in "\\$" or token.word != "end":
            return token.text == closing
        name = self.tokens.text() or ""
        if name == closing:
            return True
        for one in ("}", *reversed(name), "{"):
            self.tokens.back(Token(one, token.line))
        return False

    def rows(self, found: list[Token], closing: str, fault: str) -> None:
        """The formulas of a display: all of it, or its rows."""
        found, inner = _unwrapped(_trimmed(found))
        several = closing.rstrip("*") in _ROWS or inner in ("aligned", "gathered")
        joined: list[list[Token]] = []
        for row in _rows(found) if several else [found]:
            row = _trimmed(row)
            if row and joined and (_goes_on(row) or _open_ended(joined[-1]) or not _relates(row)):
                joined[-1] += [Token(r"\\", row[0].line), *row]
            elif row:
                joined.append(row)
        for formula in joined:
            self.formula(formula, fault)

    def formula(self, tokens: Sequence[Token], fault: str) -> None:
        latex, line = _text(tokens), tokens[0].line
        if not _relates(tokens) and not fault:
            self.pass_over(line, latex, "has no relation such as =, and claims nothing")
        elif len(self.formulas) >= FORMULAS:
            self.pass_over(line, latex, f"is one of more than {FORMULAS} formulas")
        else:
            self.formulas.append(DisplayedFormula(latex, line, self.question, fault))


# ---------------------------------------------------------------------- what tokens make


def _text(tokens: Sequence[Token]) -> str:
    """A formula without the signs that arrange its rows."""
    level, parts = 0, []
    shown: list[Token] = []
    for token in tokens:
        level += _level(token)
        if level or token.text != "&":
            shown.append(token)
    tokens = shown
    for number, token in enumerate(tokens):
        after = tokens[number + 1].text if number + 1 < len(tokens) else ""
        parts.append(token.text + " " if token.word and after[:1].isalpha() else token.text)
    return " ".join("".join(parts).split())


def _trimmed(tokens: Sequence[Token]) -> list[Token]:
    begin, end = 0, len(tokens)
    while begin < end and tokens[begin].blank:
        begin += 1
    while end > begin and tokens[end - 1].blank:
        end -= 1
    return list(tokens[begin:end])


def _level(token: Token) -> int:
    return (token.text == "{" or token.word == "begin") - (token.text == "}" or token.word == "end")


def _unwrapped(tokens: list[Token]) -> tuple[list[Token], str]:
    r"""What stands in the ``aligned`` or ``split`` that is the whole of a display, and which of both it is."""
    name = _named(tokens, 0) if tokens and tokens[0].word == "begin" else ""
    if name not in _INNER:
        return tokens, ""
    depth = 0
    for number, token in enumerate(tokens):
        depth += (token.word == "begin") - (token.word == "end")
        if depth == 0:
            length = len(name) + 3  # the word, and the name in braces
            rest = [one for one in tokens[number + length :] if not one.blank and one.text not in ",."]
            return (_trimmed(tokens[length:number]), name) if not rest else (tokens, "")
    return tokens, ""


def _named(tokens: Sequence[Token], at: int) -> str:
    """The name in braces behind a token, where nothing stands between."""
    name = "".join(token.text for token in tokens[at + 1 : at + 20])
    found = re.match(r"\{([A-Za-z]+\*?)\}", name)
    return found[1] if found else ""


def _rows(tokens: Sequence[Token]) -> list[list[Token]]:
    rows: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += _level(token)
        if token.text == r"\\" and depth == 0:
            rows.append([])
        else:
            rows[-1].append(token)
    return [_without_space(row) if number else row for number, row in enumerate(rows)]


def _without_space(row: list[Token]) -> list[Token]:
    r"""A row without what ``\\[2pt]`` and ``\\*`` say of the space before it."""
    start = "".join(token.text for token in row[:16])
    found = re.match(r"\*?\s*\[\s*-?[0-9.]+\s*(?:pt|em|ex|mm|cm)\s*\]|\*", start)
    length = count = 0
    while found and length < found.end():
        length += len(row[count].text)
        count += 1
    return row[count:]


def _solid(tokens: Sequence[Token]) -> list[Token]:
    return [token for token in tokens if not token.blank and token.word not in _SPACES and token.text not in
            ("&", "{", "}", r"\,", r"\;", r"\:", r"\!")]  # fmt: skip


def _goes_on(row: Sequence[Token]) -> bool:
    first = next(iter(_solid(row)), None)
    return first is not None and (first.text in tuple("=<>+-*/") or first.word in _RELATIONS | _OPERATORS)


def _open_ended(row: Sequence[Token]) -> bool:
    last = next(iter(_solid(row)[-1:]), None)
    return last is not None and (last.text in tuple("=<>+-*/") or last.word in _RELATIONS | _OPERATORS)


def _relates(tokens: Sequence[Token]) -> bool:
    """Whether a relation stands outside of braces and environments."""
    depth = 0
    for token in tokens:
        depth += _level(token)
        if depth == 0 and (token.text in tuple("=<>") or token.word in _RELATIONS):
            return True
    return False


def _is_argument(before: Sequence[Token]) -> bool:
    r"""Whether the next sign alone is the argument of a word: behind ``\hat``, or behind ``\frac`` and one argument."""
    at = _last(before, len(before))
    if at < 0:
        return False
    if before[at].word in _ARGUMENT:
        return True
    if before[at].text == "}":
        depth = 0
        while at >= 0:
            depth += (before[at].text == "}") - (before[at].text == "{")
            if depth == 0:
                break
            at -= 1
    at = _last(before, at)
    return at >= 0 and before[at].word in _FRACTIONS


def _last(tokens: Sequence[Token], before: int) -> int:
    """The place of the last sign before a place."""
    before -= 1
    while before >= 0 and tokens[before].blank:
        before -= 1
    return before
