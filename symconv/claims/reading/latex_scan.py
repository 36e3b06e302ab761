r"""From LaTeX to a flat list of pieces: what a sign means where it stands, and what is passed over.

The scanner settles what a grammar without look-back cannot: whether a bar opens or closes, whether a bracket holds the
arguments of a call, that ``\frac12`` has two arguments of one digit, where a remark in words ends, that ``(1)`` alone
on a line, or after wide space, is an equation number, and that ``&`` and ``\\`` outside a matrix only arrange a chain
over lines. Nothing of TeX is carried out: a command is a known sign, or an error.
"""

from __future__ import annotations

import keyword
import re
from dataclasses import replace

from symconv.claims.reading.latex_pieces import CLOSING, GOES_ON, OPENING, Piece, Pieces
from symconv.claims.reading.latex_words import (
    ACCENTS,
    ARITHMETIC,
    AT,
    CASES,
    FONTS,
    FUNCTIONS,
    GREEK,
    IGNORED,
    JUSTIFIES,
    LOGIC,
    MATRICES,
    OTHERWISE,
    PLAIN_FUNCTIONS,
    PLAIN_WORDS,
    SIGNS,
    TEXTS,
    WHEN,
    WRAPPERS,
    advice,
    is_known,
)
from symconv.claims.reading.lexicon import Lexicon

__all__ = ["scan"]

NO_NAMES = Lexicon()

_SAME = {
    r"\lbrace": r"\{",
    r"\rbrace": r"\}",
    r"\lbrack": "[",
    r"\rbrack": "]",
    r"\lparen": "(",
    r"\rparen": ")",
    r"\vert": "|",
}
_PLAIN = {
    "+": ("PLUS", "+"),
    "-": ("MINUS", "-"),
    "*": ("AST", "*"),
    "/": ("SLASH", "/"),
    ",": ("COMMA", ","),
    ".": ("PERIOD", "."),
}
_RELATION = re.compile(r":=|<=|>=|==|=|<|>")
_GREEK = r"\\(?:" + "|".join(sorted(GREEK)) + r")(?![A-Za-z])"
_BLANK = r"(?:\s|~|\\[,;:! ])*"
_JOINED = re.compile(rf"\{{{_BLANK}(?:(?:[A-Za-z]'{{0,2}}|[0-9]|{_GREEK}){_BLANK}){{2,}}\}}")
_FONT = re.compile(rf"\s*(?:\{{\s*([A-Za-z][A-Za-z0-9]*|[0-9]+|{_GREEK})\s*\}}|([A-Za-z1]))")
_PRIMED = re.compile(rf"\{{\s*(?:([A-Za-z]|{_GREEK})|\\mathrm\s*\{{([A-Za-z0-9]{{2,32}})\}})('{{1,2}})\s*\}}")
_AFTER = re.compile(r"(?:\s|~|\\[,;:! ]|\\(?:left|[bB]igg?l?)(?![A-Za-z]))*(.?)")
"""What stands behind words, the size of a bracket aside."""

_PASSED_OVER = re.compile(r"\^\s*(?:\\circ(?![A-Za-z])|\{\s*\\circ\s*\}|\\prime(?![A-Za-z])|\{\s*(?:\\prime\s*)+\})")
_ACCENTED = re.compile(
    rf"\s*(?:\{{\s*(?:([A-Za-z]|{_GREEK})|\\(?:mathbf|boldsymbol|bm|mathit|mathrm)\s*\{{\s*([A-Za-z])\s*\}})\s*\}}"
    rf"|([A-Za-z])|({_GREEK}))"
)
_NESTED = re.compile(
    r"\s*\{\s*\\(" + "|".join(sorted(ACCENTS, key=len, reverse=True)) + r")\s*\{\s*([A-Za-z])\s*\}\s*\}"
)
_ORDER = re.compile(r"[<>]|\\(?:leqslant|geqslant|leq|geq|neq|le|ge|lt|gt|ne|in|notin)(?![A-Za-z])")
_IN = r"\\(?:in(?![A-Za-z])|(?:mathrm|text)\s*\{\s*in\s*\})"
_RANGES = re.compile(rf"<|\\(?:leqslant|leq|le|lt)(?![A-Za-z])|{_IN}")
"""What a remark that gives the ranges of indices holds."""
_NAMES = rf"{_BLANK}[A-Za-z]'*(?:{_BLANK},{_BLANK}[A-Za-z]'*)*{_BLANK}"
_LISTED = re.compile(rf"{_NAMES}={_BLANK}[A-Za-z0-9+\-]+{_BLANK},")
"""What indices with their values side by side begin with: ``i, j = 0, 1``."""
_MEMBERS = re.compile(rf",(?:{_NAMES}{_IN}{_BLANK}\\\{{|{_LISTED.pattern})")
"""What indices with their sets, or their values, begin with behind a formula."""
_FOR = frozenset(("for", "where", "with", "for all", "for every", "for each"))
_REMARK_END = re.compile(r"\\qquad|\\quad|\\\\|\$|\\\]|\\\)|\\end\b|\\tag\b")


class _Scanner(Pieces):
    """The walk over the source."""

    def __init__(self, source: str, lexicon: Lexicon) -> None:
        super().__init__(source, callables=lexicon.arrays | lexicon.functions)
        self.indices = lexicon.of_indices(source)
        self.known = lexicon.words | self.indices

    # ------------------------------------------------------------------ the walk

    def run(self, end: int) -> None:
        """Reads from `pos` to `end`."""
        outer, self.end = self.end, end
        while self.pos < end:
            character = self.source[self.pos]
            if character.isspace() or character == "~":
                self.skip(1)
            elif character == "%":
                line = self.source.find("\n", self.pos)
                self.pos = end if line < 0 else min(line, end)
            elif character == "\\":
                self.backslash()
            elif character.isdigit() or (character == "." and self.source[self.pos + 1 : self.pos + 2].isdigit()):
                self.number()
            elif character.isalpha():
                self.letters()
            else:
                self.sign(character)
        self.end = outer

    def number(self) -> None:
        pattern = r"[0-9]" if self.pending else r"[0-9]+(?:\.[0-9]+)?|\.[0-9]+"
        match = re.compile(pattern).match(self.source, self.pos, self.end)
        if match is None:
            raise self.error(f"found {self.source[self.pos]!r}", "a digit")
        kinds = [piece.kind for piece in self.pieces[-2:]]
        if kinds[-1:] == ["NUMBER"] and kinds[:-1] not in (["SUP"], ["UNDER"], ["SQRT"], ["FRAC"], ["NUMBER"]):
            raise self.error(f"found {match[0]!r} behind a number", r"\cdot between factors; 1000 has no space in it")
        self.emit("NUMBER", match[0], match.end())

    def letters(self) -> None:
        """Letters side by side are names side by side, unless they spell a word, which is more likely meant."""
        match = re.compile(r"[A-Za-z]" if self.pending else r"[A-Za-z]+").match(self.source, self.pos, self.end)
        assert match is not None
        word = match[0]
        if word in self.known and not self.pending:
            self.name(word, match.end())
            return
        if word in PLAIN_FUNCTIONS and not self.pending:
            self.emit("WORD", word, match.end())
            return
        if word in PLAIN_WORDS:
            raise self.error(f"found the word {word!r}", PLAIN_WORDS[word])
        if len(word) > 3:
            shown = word if len(word) <= 32 else word[:32] + "..."
            raise self.error(
                f"found the word {shown!r}",
                rf"\mathrm{{{shown}}} for a name, blanks in a product, or a declaration such as "
                f'names = {{ output = "{shown}" }}',
            )
        if len(word) == 3:
            self.note(f"{word} is read as the product of {', '.join(word)}")
        for letter in word:
            self.name(letter, self.pos + 1)

    def name(self, name: str, end: int, kind: str = "NAME") -> None:
        """A name with the primes behind it: x' is x_prime."""
        primes = re.compile(r"'*").match(self.source, end, self.end)
        count = len(primes[0]) if primes and not self.pending else 0
        if count > 2:
            raise self.error(f"found {count} primes", "at most 2", at=end)
        self.emit(kind, name + "_prime" * count, end + count)

    def sign(self, character: str) -> None:
        if character == "^" and (passed := _PASSED_OVER.match(self.source, self.pos, self.end)) and self.pieces:
            self.raised(passed)
        elif character in "_^":
            if self.pending:
                raise self.error(f"found {character!r}", "a letter, a digit or braces")
            self.subscript() if character == "_" else self.emit("SUP", "^", self.pos + 1)
        elif character == "{" and not self.pending and (primed := _PRIMED.match(self.source, self.pos, self.end)):
            # {x'} is x' with room for an upper index.
            name = (primed[1] or primed[2]).lstrip("\\")
            name = ("lamda" if name == "lambda" else name) + "_prime" * len(primed[3])
            self.emit("NAME" if primed[1] else "WORD", name, primed.end())
        elif character == "{":
            self.push("BRACE" if self.pending else "GROUP", "}")
            self.emit("LBRACE", "{", self.pos + 1)
        elif character == "}" and self.stack and self.stack[-1].kind == "SUBSTACK":
            self.pop("}")
            self.trim(self.pieces)
            self.skip(1)
        elif character == "}":
            opened = self.pop("}")
            self.emit("RBRACE", "}", self.pos + 1)
            if opened.kind == "BRACE":
                self.pending, self.script = opened.pending - 1, opened.script
                self.callable = "" if self.script else opened.callable
                self.ends = not self.script
        elif character in "([":
            self.open(character, 1)
        elif character in ")]":
            self.close(character, 1)
        elif character == "|":
            self.bar(1)
        elif character == "&":
            self.column()
        elif character == "$":
            self.line(2 if self.source.startswith("$$", self.pos) else 1)
        elif match := _RELATION.match(self.source, self.pos, self.end):
            self.emit("REL", {"=": "==", ":=": "=="}.get(match[0], match[0]), match.end())
        elif character == ":" and self.stack and self.stack[-1].kind == "SET_OPEN":
            self.emit("MID", ":", self.pos + 1)
        elif character == "," and self.behind_a_formula() and _MEMBERS.match(self.source, self.pos, self.end):
            self.emit("GIVEN", "for", self.pos + 1)
        elif character in _PLAIN:
            self.emit(*_PLAIN[character], self.pos + 1)
        else:
            raise self.error(f"found {character!r}", "a sign of a formula")

    def subscript(self) -> None:
        joined = None if self.script else _JOINED.match(self.source, self.pos + 1, self.end)
        if joined and joined[0][1:-1].strip() not in self.indices:
            self.emit("JOINED", joined[0], joined.end())
        else:
            self.emit("UNDER", "_", self.pos + 1)

    def raised(self, above: re.Match[str]) -> None:
        r"""Primes above a name, which are a part of it, and the degrees of ``180^\circ``."""
        last = self.pieces[-1]
        primes = above[0].count("\\prime")
        if primes and last.kind in ("NAME", "WORD") and primes <= 2:
            self.pieces[-1] = replace(last, text=last.text + "_prime" * primes, end=above.end())
        elif primes or last.kind != "NUMBER":
            raise self.error(f"found {above[0]!r}", "at most 2 primes behind a name, and degrees behind a number")
        self.skip(above.end() - self.pos)
        self.apart = False

    # ------------------------------------------------------------------ commands

    def backslash(self) -> None:
        match = re.compile(r"\\([A-Za-z]+)\*?").match(self.source, self.pos, self.end)
        if match:
            self.command(match[1], match.end(1))
            return
        pair = self.source[self.pos : min(self.pos + 2, self.end)]
        if pair == "\\\\":
            space = re.compile(r"\\\\\*?(?:\s*\[\s*-?[0-9.]+\s*(?:pt|em|ex|mm|cm)\s*\])?").match(self.source, self.pos)
            assert space is not None
            self.row(space.end() - self.pos)
        elif pair in (r"\[", r"\]", r"\(", r"\)"):
            self.line(2)
        elif pair in (r"\{", r"\}"):
            (self.open if pair == r"\{" else self.close)(pair, 2)
        elif pair[1:] and pair[1] in ",;:!> \n\t":
            self.skip(2)
        elif pair == r"\#" and re.compile(r"\s*(?:[A-Za-z]{2}|\\)").match(self.source, self.pos + 2, self.end):
            self.skip(2)  # a number of things, which is declared by its name
        else:
            raise self.error(f"found {pair!r}", r"\lvert x \rvert" if pair == r"\|" else "a known command")

    def command(self, name: str, end: int) -> None:
        length = end - self.pos
        sign = _SAME.get("\\" + name, "\\" + name)
        if sign in OPENING:
            self.open(sign, length)
        elif sign in CLOSING:
            self.close(sign, length)
        elif sign == "|":
            self.bar(length)
        elif name in ("left", "right", "middle"):
            self.delimiter(name, end)
        elif name in SIGNS:
            self.emit(*SIGNS[name], end)
        elif name in GREEK:
            self.name("lamda" if name == "lambda" else name, end)
        elif name in TEXTS:
            self.text(end)
        elif name in ACCENTS:
            self.accent(name, end)
        elif name == "substack":
            self.substack(end)
        elif name in FONTS:
            self.font(name, end)
        elif name in ("begin", "end"):
            self.environment(name, end)
        elif name in ("tag", "label", "hspace", "vspace"):
            self.argument_passed_over(name, end)
        elif name in ("quad", "qquad", "hfill"):
            self.line(length) if self.level() == 0 else self.skip(length)
        elif name == "forall":
            if not self.ranges_follow(self.pos, end):
                self.remark(self.pos)
        elif name in ("stackrel", "overset"):
            self.below_a_remark(name, end)
        elif name in IGNORED:
            self.skip(length)
        else:
            raise self.error(*advice(name))

    def delimiter(self, name: str, end: int) -> None:
        r"""``\left`` and ``\right`` are the bracket after them; ``\left\{`` before an array opens cases."""
        array = re.compile(r"\s*\\(?:\{|lbrace)\s*\\begin\s*\{array\}\s*\{[lcr|\s]*\}").match(self.source, end)
        if name == "left" and array:
            self.push("CASES", r"\end{array}")
            self.emit("CASES_OPEN", "cases", array.end())
            return
        bar = re.compile(r"\s*(?:\||\\vert(?![A-Za-z]))").match(self.source, end, self.end)
        if bar and name == "middle":
            self.emit("MID", "|", bar.end())
        elif bar:
            self.bar(bar.end() - self.pos, name)
        else:
            dot = re.compile(r"\s*\.").match(self.source, end, self.end)
            self.skip((dot.end() if dot else end) - self.pos)

    def font(self, name: str, end: int) -> None:
        match = _FONT.match(self.source, end, self.end)
        if match is None:
            raise self.error(f"found \\{name}", f"one word or letter after it: \\{name}{{x}}")
        word = match[1] or match[2]
        if word.lower() in WHEN | OTHERWISE | {"and"} and self.in_cases():
            self.words(word, self.pos)
            self.pos = match.end()
        elif name in ("mathrm", "operatorname") and self.labels():
            self.emit("WORD", word, match.end())
        elif name == "mathrm" and self.says_in(word, match.end()):
            self.emit("IN", "in", match.end())
        elif word.isdigit():
            if word != "1" or name in ("mathrm", "operatorname"):
                raise self.error(f"found \\{name}{{{word}}}", f"{word}, or a matrix of ones as \\mathbf{{1}}")
            self.emit("ONES", "1", match.end())
        elif word == "d" and name == "mathrm":
            self.emit("PARTIAL", "d", match.end())
        elif word == "I" and name in ("mathbb", "mathbbm", "mathds"):
            self.emit("ONES", "1", match.end())
        elif word in FUNCTIONS:  # \operatorname{max} is \max
            self.emit(*SIGNS[word], match.end())
        else:
            if name in ("mathcal", "mathbb", "mathbbm", "mathds"):
                self.note(f"\\{name}{{{word}}} is read as {word}")
            self.word(word, match.end(), always=name == "operatorname")

    def accent(self, name: str, end: int) -> None:
        r"""``\hat{y}``, ``\hat y`` and ``\hat{\mathbf{y}}`` are one name."""
        inner = _NESTED.match(self.source, end, self.end)
        if inner:
            self.name(f"{inner[2]}_{ACCENTS[inner[1]]}_{ACCENTS[name]}", inner.end())
            return
        match = _ACCENTED.match(self.source, end, self.end)
        if match is None:
            raise self.error(f"found \\{name}", f"one letter below it: \\{name}{{x}}")
        letter = next(group for group in match.groups() if group).lstrip("\\")
        self.name(f"{'lamda' if letter == 'lambda' else letter}_{ACCENTS[name]}", match.end())

    def substack(self, end: int) -> None:
        """The lines of a substack are conditions side by side."""
        brace = re.compile(r"\s*\{").match(self.source, end, self.end)
        if brace is None or not (self.stack and self.stack[-1].script):
            raise self.error("found \\substack", "it below a sum, a maximum or a minimum, with braces")
        self.push("SUBSTACK", "}")
        self.pos = brace.end()

    def labels(self) -> bool:
        r"""Whether an upright word here is the label of a name, as in ``I_{\mathrm{in}}``."""
        kinds = [piece.kind for piece in self.pieces[-2:]]
        return not self.script and (kinds[-1:] == ["UNDER"] or kinds == ["UNDER", "LBRACE"])

    def word(self, word: str, end: int, always: bool = False) -> None:
        word = {"lambda": "lamda"}.get(word.lstrip("\\"), word.lstrip("\\"))
        if keyword.iskeyword(word) or len(word) > 32:
            raise self.error(f"found the name {word[:40]!r}", "another name, of at most 32 letters")
        self.name(word, end, "WORD" if always or (len(word) > 1 and word not in GREEK and word != "lamda") else "NAME")

    def environment(self, name: str, end: int) -> None:
        match = re.compile(r"\s*\{([A-Za-z]+\*?)\}").match(self.source, end, self.end)
        if match is None:
            raise self.error(f"found \\{name}", f"\\{name}{{...}} with the name of an environment")
        kind, end = match[1], match.end()
        if name == "end":
            opened = self.pop(f"\\end{{{kind}}}")
            if opened.kind == "WRAPPER":
                self.line(end - self.pos)
            else:
                self.trim(self.pieces)
                self.emit(f"{opened.kind}_CLOSE", kind, end)
            return
        if kind in MATRICES or kind in CASES:
            self.push("MATRIX" if kind in MATRICES else "CASES", f"\\end{{{kind}}}")
            if kind == "array":
                columns = re.compile(r"\s*\{[lcr|\s]*\}").match(self.source, end, self.end)
                end = columns.end() if columns else end
            self.emit(f"{self.stack[-1].kind}_OPEN", kind, end)
        elif kind in WRAPPERS:
            if self.level():
                raise self.error(f"found \\begin{{{kind}}} inside a formula", "it around the whole formula")
            self.push("WRAPPER", f"\\end{{{kind}}}")
            place = re.compile(r"\s*\[[tbc]\]").match(self.source, end, self.end)
            self.line((place.end() if place else end) - self.pos)
        else:
            raise self.error(f"found the environment {kind!r}", "one for formulas, such as pmatrix, cases or aligned")

    def argument_passed_over(self, name: str, end: int) -> None:
        match = re.compile(r"\*?\s*\{([A-Za-z0-9 :._*'-]*)\}").match(self.source, end, self.end)
        if match is None:
            raise self.error(f"found \\{name}", f"\\{name}{{...}} with a plain text")
        if name == "tag":
            self.note(f"the equation number ({match[1]}) is passed over")
        self.skip(match.end() - self.pos)

    # ------------------------------------------------------------------ words

    def text(self, end: int) -> None:
        r"""``\text{...}``: a name, a word of cases, or a remark."""
        begin = re.compile(r"\s*\{").match(self.source, end, self.end)
        depth, close = 1, begin.end() if begin else end
        while begin and close < self.end and depth:
            depth += {"{": 1, "}": -1}.get(self.source[close], 0)
            close += 1
        if begin is None or depth:
            raise self.error(f"found {self.source[self.pos : end]}", "words in braces after it")
        content, start = self.source[begin.end() : close - 1], self.pos
        after = _AFTER.match(self.source, close, self.end)
        named = re.fullmatch(r"[A-Za-z][A-Za-z0-9]*", content)
        wanted = bool(self.pieces) and self.pieces[-1].kind in GOES_ON
        if self.in_cases():
            self.case_words(content, begin.end())
            self.pos = close
        elif self.says_in(content.strip(), close):
            self.emit("IN", "in", close)
        elif self.pending or (named and (wanted or self.level() or (after and after[1] in tuple("_^(=<>+-*/")))):
            if not named:
                raise self.error(f"found the words {content[:40]!r}", "one word, as a name")
            if self.labels():
                self.emit("WORD", content, close)
                return
            self.emit(*SIGNS[content], close) if content in FUNCTIONS else self.word(content, close)
        elif self.level():
            raise self.error(f"found the words {content[:40]!r} inside a formula", "them after the formula")
        elif after and after[1] and after[1] in "=<>":
            raise self.error(f"found the words {content[:40]!r} as one side", "a declared name")
        elif " ".join(content.split()).lower() in _FOR and self.ranges_follow(start, close):
            pass
        elif self.pieces:
            self.remark(start)
        else:
            self.pass_over(start, close)

    def says_in(self, word: str, end: int) -> bool:
        r"""Whether a word is the sign of membership, ``u \mathrm{in} \{0, 1\}``, and no name or label."""
        return word == "in" and not self.pending and bool(re.compile(r"\s*\\\{").match(self.source, end, self.end))

    def behind_a_formula(self) -> bool:
        """Whether a formula stands before this on its line, and no range yet."""
        kinds = {piece.kind for piece in self.pieces}
        return self.level() == 0 and self.ends and "REL" in kinds and "GIVEN" not in kinds

    def ranges_follow(self, start: int, after: int) -> bool:
        r"""Reads ``for 0 \le i \le 3`` behind a formula as ranges of its indices; False where it says none."""
        signs = self.source.count("=", after, self.end)
        listed = signs == 1 and _LISTED.match(self.source, after, self.end)
        if self.level() or not (listed or (not signs and _RANGES.search(self.source, after, self.end))):
            return False
        if not any((*self.pieces, *(piece for line in self.lines for piece in line))):
            return False
        self.trim(self.pieces)
        self.pos = start
        self.emit("GIVEN", "for", after)
        return True

    def below_a_remark(self, name: str, end: int) -> None:
        r"""``\\stackrel{\\text{def}}{=}`` is the relation below."""
        match = re.compile(r"\s*\{(?:[^{}\\]|\\(?:text|mathrm)\s*\{[A-Za-z. ]*\}|\\[,;! ])*\}\s*\{\s*=\s*\}").match(
            self.source, end, self.end
        )
        if match is None:
            raise self.error(f"found \\{name}", f"a remark above an equals sign: \\{name}{{\\text{{def}}}}{{=}}")
        self.note(f"{' '.join(self.source[self.pos : match.end()].split())} is read as =")
        self.emit("REL", "==", match.end())

    def in_cases(self) -> bool:
        return bool(self.stack) and self.stack[-1].kind == "CASES"

    def case_words(self, content: str, offset: int) -> None:
        """The words of a row of cases; between dollar signs they hold a formula of their own."""
        for number, part in enumerate(content.split("$")):
            self.pos = offset
            if number % 2:
                self.run(offset + len(part))
            else:
                self.words(part, offset)
            offset += len(part) + 1

    def words(self, text: str, start: int) -> None:
        spoken = " ".join(re.sub(r"[,.;:~]", " ", text).split()).lower()
        kind = "IF" if spoken in WHEN else "OTHERWISE" if spoken in OTHERWISE else "AND" if spoken == "and" else ""
        if kind:
            self.pos = start
            self.emit(kind, spoken, start + len(text))
        elif spoken:
            raise self.error(f"found the words {spoken[:40]!r} in cases", "if, and, or otherwise", at=start)

    def remark(self, start: int) -> None:
        """Words after a formula, and what follows them on the line, are passed over and reported."""
        end = _REMARK_END.search(self.source, start, self.end)
        # The words themselves may hold dollar signs, as in \text{for $p > 1$}.
        while end and self.source.count("{", start, end.start()) > self.source.count("}", start, end.start()):
            end = _REMARK_END.search(self.source, end.end(), self.end)
        self.pass_over(start, end.start() if end else self.end)

    def pass_over(self, start: int, end: int) -> None:
        raw = self.source[start:end]
        for match in re.finditer(r"\\([A-Za-z]+)", raw):
            if not is_known(match[1]):
                self.pos = start + match.start()
                raise self.error(*advice(match[1]))
        spoken = re.sub(r"\\(?:" + "|".join(TEXTS) + r")\s*|[{}$]", "", raw)
        for word in re.findall(r"(?<![\\A-Za-z])[A-Za-z]{2,}", spoken):
            lower = word.lower()
            if lower in LOGIC or (lower in AT and "=" in raw):
                does = "which joins or restricts what is claimed"
                fix = "one claim; conditions are written in cases, or declared"
            elif lower in ARITHMETIC:
                does, fix = "which computes or compares", "signs for what is computed; remarks have no such words"
            else:
                continue
            raise self.error(f"found {word!r}, {does}", fix, at=start + max(raw.find(word), 0))
        restricts = _ORDER.search(raw) or (
            None if JUSTIFIES & set(re.findall("[a-z]+", spoken.lower())) else re.search("=", raw)
        )
        if restricts:
            raise self.error(
                f"found {restricts[0]!r} in a remark, which restricts what is claimed",
                "the formula alone; conditions are written in cases, or declared as the ranges of indices",
                at=start + restricts.start(),
            )
        remark = " ".join(re.sub(r"\\[,;:! ]|~", " ", spoken).split())
        if remark:
            self.note(f"passed over: {remark}")
        self.skip(end - self.pos)


def scan(source: str, lexicon: Lexicon = NO_NAMES) -> tuple[list[Piece], list[str]]:
    """The pieces of a formula in LaTeX, and notes on what was passed over or read in one of several ways.

    Raises:
        ClaimError: for a sign, a command or a bracket that does not belong there.

    >>> [piece.kind for piece in scan(r"|x_{ij}|^2 = 3 \\quad (1)")[0]]
    ['BAR_OPEN', 'NAME', 'JOINED', 'BAR_CLOSE', 'SUP', 'NUMBER', 'REL', 'NUMBER']
    """
    scanner = _Scanner(source, lexicon)
    if "^^" in source:
        raise scanner.error("found '^^', by which TeX names characters", "one '^' for a power", at=source.find("^^"))
    scanner.run(len(source))
    return scanner.finish(), scanner.notes
