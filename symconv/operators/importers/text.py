"""The text that people have at hand: ``Conv2d(16, 32, kernel_size=(3, 3))``, and the printed form of a model.

A small grammar of calls, literals and numbered children, read token by token; nothing is evaluated. In PyTorch's
printed form a word such as ``padding=same`` has no quotes, and the children of a container stand below it::

    Sequential(
      (0): Conv2d(3, 64, kernel_size=(3, 3), stride=(1, 1))
      (1): ReLU(inplace=True)
    )
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from symconv.doors import text as as_text
from symconv.errors import ArgumentError, shortened
from symconv.operators.base import Operator
from symconv.operators.importers.functions import TORCH, axes_of_size, function_of
from symconv.operators.importers.imported import Imported
from symconv.operators.importers.torch import FAMILIES, axes_of_name, bound, read_layer

__all__ = ["Written", "from_text", "read_text", "read_written", "written"]

MOST_CHARACTERS = 1_000_000
DEEPEST = 40  # models nest about ten deep
_TOKEN = re.compile(
    r"""\s*(?:(?P<child>\((?P<label>[\w.\-]+)\):\s)
    |(?P<number>-?(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?(?![\w.]))
    |(?P<word>-?[A-Za-z_][\w.]*)
    |(?P<string>'[^'\\\n]*'|"[^"\\\n]*")
    |(?P<sign>[()\[\],=]))""",
    re.VERBOSE | re.ASCII,
)
_WORDS = {"True": True, "False": False, "None": None, "inf": float("inf"), "-inf": float("-inf"), "nan": float("nan")}


@dataclass(frozen=True)
class Written:
    """A layer or a container as it was written.

    Attributes:
        name: the class name, without a prefix such as ``nn.``.
        positional, keywords: its arguments; containers may have layers among them.
        children: what stands below it, by label.
        line: where it begins, counted from 1; 0 for what was not read from text.
    """

    name: str
    positional: tuple[object, ...] = ()
    keywords: dict[str, object] = field(default_factory=dict)
    children: tuple[tuple[str, Written], ...] = ()
    line: int = 0


def from_text(text: str, *, input_size: Sequence[int] | None = None, channels: int | None = None) -> Operator:
    """The operator of one layer in PyTorch's spelling, as it is printed or as it is typed.

    Args:
        text: such as ``"Conv2d(16, 32, kernel_size=(3, 3), stride=(2, 2))"`` or ``"nn.MaxPool2d(2)"``.
        input_size, channels: as for `from_torch`.

    Raises:
        ArgumentError: for text that cannot be read, with the place; NotSupportedError for a layer that is not known.

    >>> from_text("Conv2d(16, 32, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1), groups=4)")
    Conv(kernel_size=(3, 3), stride=(2, 2), padding=1, groups=4, in_channels=16, out_channels=32, bias=True)
    """
    return read_text(text, input_size=input_size, channels=channels).announced()


def read_text(text: str, *, input_size: Sequence[int] | None = None, channels: int | None = None) -> Imported:
    """The operator of one layer that is written out, with notes; see `from_text`."""
    return read_written(written(text), input_size=input_size, channels=channels)


def read_written(layer: Written, *, input_size: Sequence[int] | None = None, channels: int | None = None) -> Imported:
    """The operator of one layer, and what its text leaves open."""
    given = bound(layer.name, layer.positional, layer.keywords)
    if layer.name in TORCH:
        return function_of(TORCH, layer.name, given, axes_of_size(input_size, axes_of_name(layer.name)))
    read = read_layer(layer.name, given, input_size=input_size, channels=channels)
    if layer.name.startswith("AvgPool") and list(layer.keywords) == ["kernel_size", "stride", "padding"]:
        hidden = [option for option in FAMILIES["AvgPool"].order if option not in layer.keywords]
        if layer.name == "AvgPool1d":
            hidden.remove("divisor_override")
        return Imported(
            read.operator,
            (
                *read.notes,
                f"PyTorch does not print {', '.join(hidden)} of {layer.name}: their defaults were taken; write them "
                "into the text where they differ",
            ),
            exact=read.exact,
        )
    return read


def written(text: str) -> Written:
    """Read one layer or one container, with all that it holds.

    Raises:
        ArgumentError: naming the line, the column and what stands there.
    """
    if len(as_text("the text", text)) > MOST_CHARACTERS:
        raise ArgumentError("the text", f"{len(text):,} characters", f"must have at most {MOST_CHARACTERS:,}")
    reader = _Reader(text)
    result = reader.layer(1)
    reader.end()
    return result


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    position: int


class _Reader:
    """A recursive descent over the tokens of a text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(self._split())
        self._at = 0

    def _split(self) -> Iterator[_Token]:
        position, end = 0, len(self._text.rstrip())
        while position < end:
            found = _TOKEN.match(self._text, position)
            if found is None:
                blank = len(self._text[position:]) - len(self._text[position:].lstrip())
                raise self._error(position + blank, "a name, a number or a bracket")
            kind = str(found.lastgroup if found["child"] is None else "child")
            yield _Token(
                kind, found["label"] or found[0].strip(), found.start() + len(found[0]) - len(found[0].lstrip())
            )
            position = found.end()

    def _error(self, position: int, expected: str) -> ArgumentError:
        line = self._text.count("\n", 0, position) + 1
        column = position - (self._text.rfind("\n", 0, position) + 1) + 1
        found = self._text[position:].partition("\n")[0].strip()
        shown = (found if len(found) <= 40 else found[:37] + "...") or "the end of the text"
        return ArgumentError(f"line {line}, column {column}", shown, f"must be {expected}")

    def _peek(self) -> _Token:
        return self._tokens[self._at] if self._at < len(self._tokens) else _Token("end", "", len(self._text.rstrip()))

    def _next(self) -> _Token:
        token = self._peek()
        self._at += 1
        return token

    def _expect(self, sign: str, expected: str) -> None:
        token = self._next()
        if token.text != sign or token.kind != "sign":
            raise self._error(token.position, expected)

    def end(self) -> None:
        """Nothing may follow."""
        token = self._peek()
        if token.kind != "end":
            raise self._error(token.position, "the end of the text after one layer")

    def layer(self, depth: int) -> Written:
        """``Name(...)``."""
        token = self._next()
        if token.kind != "word" or token.text.startswith("-"):
            raise self._error(token.position, "a layer such as Conv2d(3, 64, kernel_size=(7, 7))")
        return self._call(token, depth)

    def _call(self, token: _Token, depth: int) -> Written:
        if depth > DEEPEST:
            raise self._error(token.position, f"nested at most {DEEPEST} deep")
        self._expect("(", f"an opening bracket after {shortened(token.text)}")
        positional: list[object] = []
        keywords: dict[str, object] = {}
        children: list[tuple[str, Written]] = []
        while not self._closes(")"):
            before = self._peek()
            if before.kind == "child":
                children.append(self._child(depth))
                continue
            if children:
                raise self._error(before.position, "another child or a closing bracket")
            self._argument(positional, keywords, depth)
            if self._peek().kind != "child" and not self._closes(")"):
                self._expect(",", "a comma or a closing bracket")
        self._next()
        line = self._text.count("\n", 0, token.position) + 1
        name = token.text.rpartition(".")[2]
        return Written(name, tuple(positional), keywords, tuple(children), line)

    def _child(self, depth: int) -> tuple[str, Written]:
        """``(0): Name(...)``; PyTorch writes ``(0-3): 4 x Name(...)`` for equal ones in a list."""
        label = self._next().text
        token = self._peek()
        if token.kind == "number":
            raise self._error(token.position, "one layer a line (a list of layers does not say how they are connected)")
        return label, self.layer(depth + 1)

    def _argument(self, positional: list[object], keywords: dict[str, object], depth: int) -> None:
        token = self._peek()
        following = self._tokens[self._at + 1] if self._at + 1 < len(self._tokens) else None
        if token.kind == "word" and following is not None and (following.kind, following.text) == ("sign", "="):
            self._at += 2
            if token.text in keywords:
                raise self._error(token.position, f"another option: {token.text} was given before")
            keywords[token.text] = self._value(depth)
        elif keywords:
            raise self._error(token.position, "an option with its name, as those before it")
        else:
            positional.append(self._value(depth))

    def _value(self, depth: int) -> object:
        token = self._next()
        if depth > DEEPEST:
            raise self._error(token.position, f"nested at most {DEEPEST} deep")
        if token.kind == "number":
            return self._number(token)
        if token.kind == "string":
            return token.text[1:-1]
        if token.kind == "word":
            if (self._peek().kind, self._peek().text) == ("sign", "("):
                return self._call(token, depth + 1)
            return _WORDS.get(token.text, token.text)
        if token.kind == "sign" and token.text in "([":
            return self._sequence(")" if token.text == "(" else "]", depth)
        raise self._error(token.position, "a number, a word, or a bracket with several of them")

    def _number(self, token: _Token) -> int | float:
        if len(token.text) > 20:
            raise self._error(token.position, "a number of at most 20 characters")
        return int(token.text) if re.fullmatch(r"-?\d+", token.text) else float(token.text)

    def _sequence(self, close: str, depth: int) -> object:
        """A tuple or a list; brackets around one value without a comma are just brackets."""
        values: list[object] = []
        comma = False
        while not self._closes(close):
            values.append(self._value(depth + 1))
            if not self._closes(close):
                self._expect(",", f"a comma or {close!r}")
                comma = True
        self._next()
        if close == ")" and len(values) == 1 and not comma:
            return values[0]
        return tuple(values)

    def _closes(self, sign: str) -> bool:
        token = self._peek()
        if token.kind == "end":
            raise self._error(token.position, f"closed by {sign!r}")
        return token.kind == "sign" and token.text == sign
