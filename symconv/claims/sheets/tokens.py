r"""The tokens of a LaTeX file, in which words without arguments stand for what the file defines them as.

``\newcommand{\R}{\mathbb{R}}``, ``\def\dd{\partial}`` and ``\DeclareMathOperator{\rot}{rot}`` are followed, in the
group that they stand in; whatever takes arguments, or is defined in another way or place, is remembered by its name,
and so is why it is not followed.
Nothing else of TeX is carried out, and no other file is read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from symconv.claims.reading.latex_words import is_known

__all__ = ["DEFINING", "Macros", "Meaning", "Token", "Tokens", "plain"]

EXPANSIONS = 20_000
"""So many words are put in for a file."""
BODY = 2_000
"""So many tokens has what a word stands for."""

DEFINING = frozenset(
    (
        *("def", "gdef", "edef", "xdef", "let", "futurelet", "newcommand", "renewcommand", "providecommand"),
        *("DeclareMathOperator", "DeclareRobustCommand", "NewDocumentCommand", "RenewDocumentCommand"),
    )
)
"""The words that define others."""

_OTHER_DEFINING = re.compile(r"global|[A-Za-z]*(?:def|let|cmd)|(?i:[a-z]*command[a-z]*|declare[a-z]*|[a-z]+copy)")
_PREFIXES = frozenset(("global", "long", "outer", "protected", "expandafter"))
_NEAR = 8
"""So many tokens stand at most between a word that defines and the word that it defines."""

_STRUCTURE = DEFINING | frozenset(("begin", "end", "input", "include", "fi", "par", "verb", "csname", "endcsname"))
_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|%[^\n]*(?:\n[ \t]*)?|\s+|.", re.S)
_RAW = re.compile(
    r"\\\\|\\%|%|\\verb\*?(?![A-Za-z])"
    r"|\\begin[ \t]*\{(verbatim\*?|Verbatim|lstlisting|minted|comment|filecontents\*?)\}"
)


class Token(NamedTuple):
    """A word (``\\frac``), a sign, a character, blanks, or a comment; and its line."""

    text: str
    line: int

    @property
    def word(self) -> str:
        r"""The name of a word, ``frac`` of ``\frac``; "" of anything else."""
        return self.text[1:] if self.text[0] == "\\" and self.text[1:].isalpha() else ""

    @property
    def blank(self) -> bool:
        return self.text.isspace()

    @property
    def comment(self) -> bool:
        return self.text[0] == "%"


Meaning: TypeAlias = "tuple[Token, ...] | str"
"""What a word stands for, or why it is not followed."""


def plain(source: str) -> str:
    r"""A file without what stands in it word by word, ``\verb|...|`` and its kin; lines stay where they are."""
    parts: list[str] = []
    begin = position = 0
    while found := _RAW.search(source, position):
        position = found.end()
        if found[0] == "%":
            end = source.find("\n", position)
            position = len(source) if end < 0 else end
        elif found[0].startswith(r"\verb"):
            end = source.find(source[position], position + 1) if position < len(source) else -1
            line = source.find("\n", position)
            position = end + 1 if end >= 0 and (line < 0 or end < line) else position
            parts.append(source[begin : found.start()])
            begin = position
        elif found[1]:
            end = source.find(rf"\end{{{found[1]}}}", position)
            position = len(source) if end < 0 else end + len(rf"\end{{{found[1]}}}")
            parts.append(source[begin : found.start()] + "\n" * source.count("\n", found.start(), position))
            begin = position
    return "".join((*parts, source[begin:]))


@dataclass
class Macros:
    """What words stand for, in the groups that are open.

    Attributes:
        groups: the words that each open group defines, the outermost first.
        refused: words that are not followed, and why.
        spent: how many words were put in.
    """

    groups: list[dict[str, tuple[Token, ...]]] = field(default_factory=lambda: [{}])
    refused: dict[str, str] = field(default_factory=dict)
    spent: int = 0

    def meaning(self, word: str) -> Meaning | None:
        if word in self.refused:
            return self.refused[word]
        return next((group[word] for group in reversed(self.groups) if word in group), None)

    def refuse(self, word: str, why: str) -> None:
        self.refused.setdefault(word, why)

    def define(self, word: str, body: tuple[Token, ...]) -> None:
        if word in _STRUCTURE:
            self.refuse(word, "is a word that a file is built with")
        elif len(body) > BODY:
            self.refuse(word, f"stands for more than {BODY:,} signs")
        elif any(token.text == "#" for token in body):
            self.refuse(word, "takes arguments")
        else:
            self.groups[-1][word] = body


@dataclass
class Tokens:
    """The tokens of a file, one after the other; `ahead` is what a word stands for, or what was put back."""

    source: str
    macros: Macros = field(default_factory=Macros)
    position: int = 0
    line: int = 1
    ahead: list[Token] = field(default_factory=list)  # the next one last

    def next(self) -> Token | None:
        """The next token as it stands; None at the end of the file."""
        if self.ahead:
            return self.ahead.pop()
        found = _TOKEN.match(self.source, self.position)
        if found is None:
            return None
        token = Token(found[0], self.line)
        self.position, self.line = found.end(), self.line + found[0].count("\n")
        return token

    def back(self, token: Token) -> None:
        self.ahead.append(token)

    def solid(self) -> Token | None:
        """The next token that is neither blank nor a comment."""
        while (token := self.next()) is not None and (token.blank or token.comment):
            pass
        return token

    def group(self, opening: str = "{", closing: str = "}") -> list[Token] | None:
        """What stands in the brackets that come next; None, and nothing is read, where there are none."""
        first = self.solid()
        if first is None or first.text != opening:
            if first is not None:
                self.back(first)
            return None
        depth = 0
        found: list[Token] = []
        while (token := self.next()) is not None:
            if token.text == closing and depth == 0:
                return found
            depth += (token.text == "{") - (token.text == "}")
            if not token.comment:
                found.append(token)
        return found

    def text(self, opening: str = "{", closing: str = "}") -> str | None:
        """The same as a text."""
        tokens = self.group(opening, closing)
        return None if tokens is None else "".join(token.text for token in tokens).strip()

    def put_in(self, token: Token, meaning: tuple[Token, ...]) -> bool:
        """Read on in what a word stands for; False where that was done too often."""
        self.macros.spent += 1 + len(meaning) // 10
        if self.macros.spent > EXPANSIONS:
            self.macros.refuse(token.word, f"is one of more than {EXPANSIONS:,} words that stand for something")
            return False
        after = self.next()
        if after is not None and (not after.blank or after.text.count("\n") > 1):
            self.back(after)
        self.ahead += [Token(one.text, token.line) for one in reversed(meaning)]
        return True

    # ------------------------------------------------------------------ definitions

    def defined(self, by: Token) -> str:
        """Reads a definition behind the word that begins it, and remembers it; returns the word that it defines."""
        if by.word in ("def", "gdef", "edef", "xdef", "let", "futurelet"):
            return self._plain_definition(by.word)
        self._star()
        named = self.group()
        first = self.solid() if named is None else next((token for token in named if not token.blank), None)
        word = self._named(first)
        if first is None or not word:
            return ""
        count = None if by.word == "DeclareMathOperator" else self.text("[", "]")
        default = None if count is None else self.group("[", "]")
        if by.word.endswith("DocumentCommand"):
            count = self.text()
        body = tuple(self.group() or ())
        if first.word == "csname":
            self.macros.refuse(word, "is defined by \\csname")
        elif count not in (None, "", "0") or default is not None:
            self.macros.refuse(word, "takes arguments")
        elif by.word == "providecommand" and (is_known(word) or self.macros.meaning(word) is not None):
            return word
        elif by.word == "DeclareMathOperator":
            opening = (Token(r"\operatorname", first.line), Token("{", first.line))
            self.macros.define(word, (*opening, *body, Token("}", first.line)))
        elif by.word == "newcommand" and (is_known(word) or self.macros.meaning(word) is not None):
            self.macros.refuse(word, "is defined twice, or is a word of LaTeX; \\renewcommand says that it is another")
        else:
            self.macros.define(word, body)
        return word

    def defines(self, token: Token) -> bool:
        """Whether a word defines another one, or looks as if it did."""
        return token.word in DEFINING or _OTHER_DEFINING.fullmatch(token.word) is not None

    def redefined(self, by: Token) -> None:
        """Follow the word no more that is defined behind this: nobody tells what it stands for, or where."""
        if by.word.startswith("cs"):
            self.macros.refuse(self.text() or "", f"is defined by {by.text}")
            return
        read: list[Token] = []
        while len(read) < _NEAR and (token := self.next()) is not None:
            read.append(token)
            if token.word == "csname":
                self.macros.refuse(self._named(read.pop()), f"is defined by {by.text}")
                break
            if token.word and token.word not in DEFINING | _PREFIXES:
                if token.word not in _STRUCTURE:
                    self.macros.refuse(token.word, f"is defined by {by.text}")
                break
            if not (token.word or token.blank or token.comment or token.text in ("{", "*")):
                break
        self.ahead += reversed(read)

    def _named(self, first: Token | None) -> str:
        r"""The name of a word that is written out, or put together by ``\csname``."""
        if first is None or first.word != "csname":
            return "" if first is None else first.word
        letters = []
        while (token := self.next()) is not None and token.word != "endcsname":
            letters.append(token.text)
        return "".join(letters).strip()

    def _star(self) -> None:
        token = self.solid()
        if token is not None and token.text != "*":
            self.back(token)

    def _plain_definition(self, by: str) -> str:
        first = self.solid()
        word = self._named(first)
        if first is None or not word:
            return ""
        if by in ("let", "futurelet"):
            self.macros.refuse(word, f"is defined by \\{by}")
            return word
        between = 0
        while (token := self.next()) is not None and token.text != "{":
            between += not (token.blank or token.comment)
        if token is not None:
            self.back(token)
        body = tuple(self.group() or ())
        if by != "def" or between or first.word == "csname":
            how = by if by != "def" else "csname"
            self.macros.refuse(word, "takes arguments" if between else f"is defined by \\{how}")
        else:
            self.macros.define(word, body)
        return word
