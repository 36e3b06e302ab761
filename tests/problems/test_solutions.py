"""Solutions, graded: what a line says, in words or in LaTeX with channels, and the verdict that it must have."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import symconv as sc
from symconv.cli.application import commands
from symconv.errors import ProblemFileError
from symconv.problems.build import build_document
from symconv.problems.reading import load_problem, read_problem
from symconv.report.document import Graded
from symconv.report.render import to_html, to_latex

NETWORK = Path(__file__).resolve().parents[2] / "reports" / "network.toml"

FILE = """
title = "Graded"
[operators.conv]
kind = "Conv"
input_size = [5, 4]
kernel_size = [2, 3]
padding = [[0, 0], [1, 1]]
in_channels = 2
out_channels = 3
bias = true
names = { weight = "W", bias = "b", output = "Z" }
[operators.relu]
kind = "ReLU"
[operators.pool]
kind = "MaxPool"
kernel_size = [2, 2]
[operators.flatten]
kind = "Flatten"
names = { output = "f" }
[operators.dense]
kind = "Dense"
out_features = 2
names = { weight = "V", bias = "d", output = "s" }
[operators.softmax]
kind = "Softmax"
names = { output = "pi" }
[operators.loss]
kind = "CrossEntropy"
target = 1
names = { target = "y" }
[networks.net]
layers = ["conv", "relu", "pool", "flatten", "dense", "softmax", "loss"]
[[solutions]]
id = "1"
title = "Marked"
lines = [ LINE ]
"""


@cache
def results(line: str) -> tuple[Any, ...]:
    return tuple(sc.check(read_problem(FILE.replace("LINE", line))))


def statuses(line: str) -> list[tuple[str, str]]:
    return [(result.mode, result.status) for result in results(line)]


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ('says = "parameters", of = "conv", equals = 39', "exact"),  # 3 * 2 * 2 * 3 + 3
        ('says = "parameters", of = "conv", equals = 36', "refuted"),
        ('says = "parameters", of = "pool", equals = 0', "exact"),
        ('says = "parameters", equals = 65', "exact"),  # and 2 * 12 + 2
        ('says = "parameters", equals = 64', "refuted"),
        ('says = "size", of = "conv", equals = [4, 4]', "exact"),
        ('says = "size", of = "conv", equals = 4', "exact"),
        ('says = "size", of = "conv", equals = "input"', "refuted"),
        ('says = "size", of = "pool", equals = [2, 2]', "exact"),
        ('says = "receptive-field", of = "conv", equals = [2, 3]', "exact"),
        ('says = "receptive-field", of = "pool", equals = [3, 4]', "exact"),
        ('says = "receptive-field", of = "pool", equals = [4, 6]', "refuted"),
        ('says = "receptive-field", of = "dense", equals = [5, 4]', "undecided"),
        ('says = "max-pool-gradient", routes_to = "winner"', "proved"),
        ('says = "max-pool-gradient", routes_to = "all"', "refuted"),
        ('says = "max-pool-gradient", routes_to = "shares"', "refuted"),
    ],
)
def test_a_line_in_words(line: str, status: str) -> None:
    assert statuses(f"{{ {line} }}") == [(results(f"{{ {line} }}")[0].mode, status)]


def test_the_gradient_of_a_maximum_has_its_condition() -> None:
    (result,) = results('{ says = "max-pool-gradient", routes_to = "winner" }')
    assert "no window has two largest entries" in result.verdict.conditions


def test_a_size_is_right_here_and_wrong_in_general() -> None:
    text = load_problem(NETWORK)
    found = [result for result in sc.check(text) if result.source.id == "8 L2"]
    assert [(result.mode, result.status) for result in found] == [("literal", "exact"), ("general", "refuted")]
    assert dict(found[1].verdict.counterexample.sizes) == {"I": 1, "K": 1, "r": 1, "O": 3}


@pytest.mark.parametrize(
    ("latex", "upstream", "status"),
    [
        (r"\frac{\partial E}{\partial b_o} = \sum_{p,q} g^o_{pq}", "G", "exact"),
        (r"\frac{\partial E}{\partial b_o} = g^o_{pq}", "G", "refuted"),
        (r"\frac{\partial E}{\partial b_o} = \sum_{o} \sum_{p,q} g^o_{pq}", "G", "refuted"),
        (r"\frac{\partial E}{\partial w^{oc}_{mn}} = \sum_{p,q} g^o_{pq} x^c_{pq}", "G", "undecided"),
        (r"\frac{\partial E}{\partial W^{oc}} = X^c \star G^o", "G", "refuted"),
        (r"\frac{\partial E}{\partial X^c} = \sum_o G^o \star W^{oc}", "G", "refuted"),
        (r"\frac{\partial E}{\partial X^o} = \sum_o G^o \star W^{oc}", "G", "refuted"),
        (r"\frac{\partial E}{\partial V} = \delta f^T", "delta", "exact"),
        (r"\frac{\partial E}{\partial V} = f \delta^T", "delta", "refuted"),
        (r"\frac{\partial E}{\partial v_{lk}} = \delta_l f_k", "delta", "exact"),
        (r"\frac{\partial E}{\partial f} = V^T \delta", "delta", "exact"),
        (r"\frac{\partial E}{\partial f} = V \delta", "delta", "refuted"),
        (r"\frac{\partial E}{\partial d} = \delta", "delta", "exact"),
        (r"\delta = \pi - y", "delta", "exact"),
        (r"\delta = y - \pi", "delta", "refuted"),
        (r"\delta = \pi", "delta", "refuted"),
        (r"\delta_l = \pi_l - y_l", "delta", "exact"),
        (r"\frac{\partial E}{\partial s} = \pi - y", "G", "exact"),
        (r"\frac{\partial E}{\partial s} = y - \pi", "G", "refuted"),
        (r"s = V f + d", "delta", "undecided"),  # what it is; letters of their own do not know it
        (r"s = V f - d", "delta", "undecided"),
        (r"\frac{\partial E}{\partial d} = \pi - y", "delta", "undecided"),
        (r"\frac{\partial E}{\partial f} = V^T (\pi - y)", "delta", "undecided"),
        (r"\delta = V f + d - y", "delta", "undecided"),
        (r"\frac{\partial E}{\partial H} = 1", "G", "undecided"),
        (r"\nabla E = 1", "G", "error"),
        (r"\input{/etc/passwd} = 1", "G", "error"),
    ],
)
def test_a_line_with_channels(latex: str, upstream: str, status: str) -> None:
    array = {"G": "Z", "delta": "s"}[upstream]
    line = f"{{ latex = '{latex}', upstream = {{ {upstream} = \"{array}\" }} }}"
    assert [found for _, found in statuses(line)] == [status], results(line)[0].verdict.explanation


def test_the_packaged_solution() -> None:
    found = {result.source.id: result for result in sc.check(NETWORK) if result.mode == "literal"}
    assert [found[f"8 L{n}"].status for n in (1, 2, 3, 4, 5, 6, 8)] == ["exact", "exact", *["refuted"] * 4, "exact"]
    assert found["8 L4"].repair.endswith(r"= \sum_{p,q} g_{pq}^{o}")
    assert found["8 L5"].repair.endswith(r"= \operatorname{pad}_{1}(X^{c}) \star G^{o}")
    assert found["8 L6"].repair.endswith(r"\operatorname{pad}_{1}(G^{o}) \star \operatorname{rot}_{180}(W^{o c})")
    assert [found[f"8 L{n}"].repaired.status for n in (4, 5, 6)] == ["exact"] * 3
    assert found["8 L3"].repair == r"4 \times 4"


def test_check_prints_the_lines_of_a_solution(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_text(FILE.replace("LINE", '{ says = "parameters", of = "conv", equals = 38, as_written = "So 38." }'))
    said = CliRunner().invoke(commands, ["check", str(file), "--json"])
    (row,) = json.loads(said.output)
    assert (said.exit_code, row["id"], row["status"], row["explanation"]) == (1, "1 L1", "refuted", "It is 39, not 38.")
    assert "So 38." in CliRunner().invoke(commands, ["check", str(file)]).output


def test_a_graded_page() -> None:
    lines = ", ".join(
        [
            r"{ latex = '\frac{\partial E}{\partial b_o} = g^o_{pq}', upstream = { G = 'Z' } }",
            "{ says = 'parameters', equals = 65, as_written = 'There are <b>$65$</b> of them, 100%.' }",
            r"{ latex = '\frac{\partial E}{\partial H} = 1' }",
        ]
    )
    document = build_document(read_problem(FILE.replace("LINE", lines)))
    (block,) = (block for block in document.blocks if isinstance(block, Graded))
    assert [line.mark for line in block.lines] == ["refuted", "exact", "undecided"]
    page = to_html(document)
    assert "1 of 3 lines stand" in page
    assert "&lt;b&gt;" in page
    assert "<b>$65" not in page
    assert r"100\%" in to_latex(document)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{ says = "parameters", of = "cnov", equals = 3 }', "line 1: of: names the layer 'cnov'.*did you mean 'conv'"),
        ('{ says = "parameters", of = "conv" }', "line 1: says = 'parameters' needs the key 'equals'"),
        ('{ says = "size", equals = 3 }', "line 1: says = 'size' needs the key 'of'"),
        ('{ says = "parameters", equals = "input" }', "equals: must be an integer"),
        ('{ says = "parameters", equals = 3, routes_to = "all" }', "routes_to: is not used by 'parameters'"),
        ('{ says = "paramters", equals = 3 }', "says: must be one of .* did you mean 'parameters'"),
        ('{ says = "max-pool-gradient", of = "conv", routes_to = "all" }', "of: must name a MaxPool, .*|of: must name"),
        ("{ latex = 'a = b', upstream = { G = \"Q\" } }", "upstream: G: names the array 'Q', which is not declared"),
        ("{ as_written = 'a' }", "must have either says or latex"),
        ("3", "a line must be a table"),
    ],
)
def test_a_line_that_is_refused_names_its_place(line: str, message: str) -> None:
    with pytest.raises(ProblemFileError, match=message) as caught:
        read_problem(FILE.replace("LINE", line), "f.toml")
    assert str(caught.value).startswith("f.toml: solution '1': line 1")
