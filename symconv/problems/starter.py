"""The commented problem file of ``symconv init``, written from the schema: every key with what it means.

Keys that the example uses are set; the others stand behind a ``#`` with an example value, ready to be switched on. The
questions go through everything that can be asked, and the claims through the ways of writing one.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import replace

from symconv.problems.asks import ASKS
from symconv.problems.claim_table import CLAIM
from symconv.problems.grading.reading import LINE, SOLUTION
from symconv.problems.schema import Key
from symconv.problems.tables import NETWORK, TOP, VARIANTS, operator_keys, question_keys

__all__ = ["starter"]

_WIDTH = 110

_TOP = {
    "title": '"A strided convolution and its poolings"',
    "lead": '"A small layer with uneven padding, worked out from its declaration."',
    "text": "'A layer $Y = W \\star X$ moves down by 1 and to the right by 2, over $4 \\times 6$ entries.'",
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
P = [[2, 0, 1], [3, 5, 4], [1, 2, 6], [7, 0, 2]]
a = [2, -1, 0, 3, 1, 2]
k = [1, -2, 3]
g = [1, 0, -1, 2]
# More axes: a kernel from 1 channel to 2, as (out, in, row, column), with a bias for every channel out.
U = [[[[1, -1], [0, 2]]], [[[0, 1], [1, -1]]]]
b = [1, -2]
V = [[1, 0, -1, 1], [0, 1, 1, -2]]
d = [0, 1]
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
    "line": {
        "kind": '"Conv"',
        "input_size": "[6]",
        "kernel_size": "[3]",
        "names": '{ input = "a", weight = "k", output = "z", upstream = "g" }',
    },
    "up": {"kind": '"ConvTranspose"', "input_size": "[3]", "kernel_size": "[3]", "stride": "2", "padding": "1"},
    "filters": {
        "kind": '"Conv"',
        "input_size": "[4, 3]",
        "kernel_size": "[2, 2]",
        "out_channels": "2",
        "bias": "true",
        "names": '{ weight = "U", bias = "b", output = "Z" }',
    },
    "slope": {"kind": '"LeakyReLU"', "input_size": "[4, 3]", "negative_slope": '"1/10"'},
    "norm": {"kind": '"BatchNorm"', "input_size": "[4, 3]", "channels": "2"},
    "mean": {"kind": '"AdaptiveAvgPool"', "input_size": "[4, 3]", "output_size": "[1, 1]"},
    "first": {"kind": '"Conv"', "input_size": "[6]", "kernel_size": "[3]", "padding": "1"},
    "second": {"kind": '"Conv"', "kernel_size": "[3]", "padding": "1"},
    "sum": {"kind": '"Add"'},
    "relu": {"kind": '"ReLU"', "names": '{ output = "A" }'},
    "pool": {"kind": '"MaxPool"', "kernel_size": "[2, 2]", "stride": "1", "names": '{ output = "H" }'},
    "flatten": {"kind": '"Flatten"', "names": '{ output = "f" }'},
    "dense": {
        "kind": '"Dense"',
        "out_features": "2",
        "in_features": "4",
        "names": '{ weight = "V", bias = "d", output = "s" }',
    },
    "softmax": {"kind": '"Softmax"', "names": '{ output = "pi" }'},
    "loss": {"kind": '"CrossEntropy"', "target": "2"},
}
_NETWORKS = {
    "residual": {
        "layers": '["first", "second", "sum"]',
        "edges": '[["input", "first"], ["first", "second"], ["second", "sum"], ["first", "sum"]]',
        "input": '"a"',
        "weights": '{ first = { weight = "k" }, second = { weight = "k" } }',
    },
    "net": {
        "layers": '["filters", "relu", "pool", "flatten", "dense", "softmax", "loss"]',
        "input": '"P"',
        "weights": '{ filters = { weight = "U", bias = "b" }, dense = { weight = "V", bias = "d" } }',
    },
}
_SOLUTION = {
    "title": '"A solution, graded"',
    "network": '"net"',
    "lines": """[
  { says = "parameters", of = "filters", equals = 10, as_written = 'It has $2\\cdot4+2=10$ parameters.' },
  { says = "size", of = "filters", equals = [3, 2] },
  { says = "receptive-field", of = "pool", equals = 3 },
  { says = "max-pool-gradient", routes_to = "winner" },
  { latex = '\\frac{\\partial E}{\\partial b_o} = \\sum_{i,j} g^o_{ij}', upstream = { G = "Z" } },
]""",
}
_CLAIMS = (
    {
        "operator": '"average"',
        "text": '"y[i,j] == sum(x[i+m-1,j+n-1], (m,1,2), (n,1,2))/4"',
        "note": '"The average of a window, with its divisor."',
    },
    {
        "operator": '"line"',
        "latex": "'z_i = \\sum_{m=1}^{3} a_{i+m-1} k_m'",
        "question": '"16"',
        "check": '["literal", "general"]',
        "sizes": '{ M = "kernel" }',
        "general": '{ 3 = "M" }',
    },
    {
        "operator": '"line"',
        "latex": "'\\frac{\\partial E}{\\partial k_m} = \\sum_{i} g_i a_{i+m-1}'",
        "check": '"general"',
    },
    {
        "operator": '"first"',
        "latex": "'O = \\left\\lfloor \\frac{I + 2P - K}{S} \\right\\rfloor + 1'",
        "check": '"general"',
        "sizes": '{ O = "output", I = "input", P = "padding", K = "kernel", S = "stride" }',
    },
    {"operator": '"filters"', "latex": "'N = 2 \\cdot 4 + 2'", "quantities": '{ N = "parameters" }'},
)
_TABLES = ("data", "operators", "networks", "questions", "claims", "solutions")


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
    lines += _comment("Networks: layers in company. Sizes run on, so only the first layer needs an input_size.")
    seen = set()
    for name, values in _NETWORKS.items():
        lines += [f"[networks.{name}]", *_table(NETWORK, values, seen), ""]
    lines += _comment("A class: how the variants of symconv exercise differ, and what symconv grade gives for a slip.")
    lines += ["[variants]", *_table(VARIANTS, {}, set()), ""]
    lines += _comment("Questions, in the order of the report. What can be asked:")
    width = max(map(len, ASKS))
    lines += [f"#   {word:{width}}  {ask.words}" for word, ask in ASKS.items()]
    seen = {"ask"}
    number = 0
    for word, ask in ASKS.items():
        for example in ask.examples:
            number += 1
            set_here = {"id": f'"{number}"', "ask": f'"{word}"', **example}
            together = [other for other in ASKS if f'"{other}"' in set_here["ask"]]
            own = {
                name: replace(key, doc=f"{other}: {key.doc}")
                for other in reversed(together)
                for name, key in ASKS[other].keys.items()
            }
            lines += ["[[questions]]", *_table(question_keys(own), set_here, seen), ""]
    lines += _comment(
        "Claims: lines of a solution, as text or in LaTeX, to be proved or refuted; also by themselves: symconv check "
        "FILE.toml. A wrong line comes back with an example at which it fails, and with the edit that mends it."
    )
    seen = set()
    for place, claim in enumerate(_CLAIMS, 1):
        lines += ["[[claims]]", *_table(CLAIM, {"id": f'"c{place}"', **claim}, seen), ""]
    lines += _comment("Solutions that somebody handed in, to be graded line by line. What a line may hold:")
    width = max(map(len, LINE))
    lines += [f"#   {word:{width}}  {key.doc}" for word, key in LINE.items()]
    lines += ["[[solutions]]", *_table(SOLUTION, {**_SOLUTION, "id": f'"{number + 1}"'}, {"title", "text"})]
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
