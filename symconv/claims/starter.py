"""The commented problem file of ``symconv init``, written from the schema: every key with what it means.

Keys that the example uses are set; the others stand behind a ``#`` with an example value, ready to be switched on. The
questions go through everything that can be asked.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping

from symconv.claims.schema import Key
from symconv.claims.tables import ASKS, BELONGS, QUESTION, TOP, operator_keys

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
_POOLINGS = '["max", "average", "lp"]'
_QUESTIONS = (
    {"id": '"1"', "title": '"The size of the output"', "ask": '"size"', "operator": '"conv"'},
    {"id": '"2"', "title": '"The size of the output in general"', "ask": '"size-formula"', "operator": '"conv"'},
    {
        "id": '"3"',
        "title": '"The output in numbers"',
        "ask": '"values"',
        "operator": '"conv"',
        "input": '"X"',
        "weight": '"W"',
        "printed": "[[0, 0.5, 2], [1.5, 5, 12.5], [2.5, 3.5, 5.5], [-2, 4.5, 1.5]]",
    },
    {
        "id": '"4"',
        "title": '"The gradients"',
        "ask": '"derivation"',
        "operator": '"conv"',
        "wrt": '["input", "weight"]',
    },
    {
        "id": '"5"',
        "title": '"Max pooling of that output"',
        "ask": '"values"',
        "operator": '"max"',
        "input": '"3"',
        "unstated": '["stride"]',
    },
    {"id": '"6"', "title": '"The gradient of an average"', "ask": '"derivation"', "operator": '"average"'},
    {"id": '"7"', "title": '"Pooling modules"', "ask": '"modules"', "operators": _POOLINGS},
    {"id": '"8"', "title": '"Pooling expressions"', "ask": '"expressions"', "operators": _POOLINGS},
    {"id": '"9"', "title": '"How the poolings are related"', "ask": '"relations"', "operators": _POOLINGS},
)
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
    lines += [f"#   {ask:{width}}  {meaning}" for ask, meaning in ASKS.items()]
    seen = {"ask"}
    for values in _QUESTIONS:
        ask = values["ask"].strip('"')
        keys = {name: key for name, key in QUESTION.items() if ask in BELONGS.get(name, ASKS)}
        lines += ["[[questions]]", *_table(keys, values, seen), ""]
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
