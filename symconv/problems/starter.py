"""The commented problem file of ``symconv init``, written from the schema: every key with what it means.

Keys that the example uses are set; the others stand behind a ``#`` with an example value, ready to be switched on. The
questions go through everything that can be asked.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import replace

from symconv.problems.asks import ASKS
from symconv.problems.schema import Key
from symconv.problems.tables import TOP, operator_keys, question_keys

__all__ = ["starter"]

_WIDTH = 110

_TOP = {
    "title": '"A strided convolution and its poolings"',
    "lead": '"A small layer with uneven padding, worked out from its declaration."',
    "index_base": "1",
    "names": '{ input = "x", weight = "w", output = "y" }',
}
_DATA = """\
# Named arrays of numbers. A decimal stays exact (0.5 is one half), and so does a fraction in quotes ("1/3").
[data]
X = [
  [1, 0, 2, 1, 3, 0],
  [2, 1, 0, 4, 1, 2],
  [0, 3, 1, 2, 0, 1],
  [1, 2, 2, 0, 1, 3],
]
W = [
  [0.5, 1, -1],
  [2, 0, 0.5],
]
"""
_OPERATORS = {
    "conv": {
        "kind": '"Conv"',
        "input_size": "[4, 6]",
        "kernel_size": "[2, 3]",
        "stride": "[1, 2]",
        "padding": "[[1, 0], [1, 1]]",
    },
    "max": {"kind": '"MaxPool"', "input_size": "[4, 3]", "kernel_size": "[2, 2]", "stride": "1"},
    "average": {"kind": '"AvgPool"', "input_size": "[4, 3]", "kernel_size": "[2, 2]", "stride": "1"},
    "lp": {
        "kind": '"LPPool"',
        "input_size": "[4, 3]",
        "norm_type": '"p"',
        "kernel_size": "[2, 2]",
        "stride": "1",
    },
}
_TABLES = ("data", "operators", "questions")


def starter() -> str:
    """The text of a problem file that is valid as it stands and explains itself."""
    lines = [
        "# A problem file of symconv. Turn it into a report with:  symconv report FILE.toml",
        "#",
        "# A line such as `#author = ...` is a key that is switched off; take the # away to use it.",
        "",
    ]
    seen: set[str] = set()
    lines += _table({name: key for name, key in TOP.items() if name not in _TABLES}, _TOP, seen)
    lines += ["", *_DATA.splitlines(), "", *_comment("Operators: each one is applied to an input of a declared size.")]
    seen = set()
    for name, values in _OPERATORS.items():
        options = operator_keys(values["kind"].strip('"'))
        lines += [f"[operators.{name}]", *_table(options, values, seen), ""]
    lines += _comment("Questions, in the order of the report. What can be asked:")
    width = max(map(len, ASKS))
    lines += [f"#   {word:{width}}  {ask.words}" for word, ask in ASKS.items()]
    seen = {"ask"}
    number = 0
    for word, ask in ASKS.items():
        own = {name: replace(key, doc=f"{word}: {key.doc}") for name, key in ask.keys.items()}
        for example in ask.examples:
            number += 1
            set_here = {"id": f'"{number}"', "ask": f'"{word}"', **example}
            lines += ["[[questions]]", *_table(question_keys(own), set_here, seen), ""]
    return "\n".join(lines).rstrip() + "\n"


def _table(keys: Mapping[str, Key], values: Mapping[str, str], seen: set[str]) -> Iterator[str]:
    """The keys of a table: each one explained where it first appears, set or switched off."""
    for name, key in keys.items():
        value = values.get(name)
        new = name not in seen
        if value is None and not (new and key.example):
            continue
        if new:
            yield from _comment(key.doc)
            seen.add(name)
        yield f"{name} = {value}" if value is not None else f"#{name} = {key.example}"


def _comment(words: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(words, _WIDTH, break_long_words=False)]
