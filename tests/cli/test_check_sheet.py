"""``symconv check solution.tex --key homework.toml``: a formula is judged by what the key declares for its question."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from symconv.cli.application import commands

KEY = """
title = "H"
index_base = 0
names = { input = "x", weight = "w", output = "y", error = "L" }
[operators.conv]
kind = "Conv"
input_size = [3, 3]
kernel_size = [2, 2]
[operators.max]
kind = "MaxPool"
input_size = [4, 4]
kernel_size = [2, 2]
[operators.average]
kind = "AvgPool"
input_size = [4, 4]
kernel_size = [2, 2]
[[questions]]
id = "1a"
title = "forward"
ask = "size"
operator = "conv"
declare = { sizes = { m = "kernel" } }
[[questions]]
id = "1b"
title = "backward"
ask = "derivation"
operator = "conv"
wrt = "weight"
[[questions]]
id = "1c"
title = "poolings"
ask = "modules"
operators = ["max", "average"]
[[claims]]
id = "key"
operator = "conv"
question = "1b"
latex = '\\frac{\\partial L}{\\partial w_{mn}} = \\sum_{i,j} \\delta_{ij} x_{i+m,j+n}'
upstream = { delta = "y" }
names = { upstream = "delta" }
[[claims]]
id = "pool"
operator = "max"
latex = 'y_{ij} = \\max_{0 \\le u,v \\le 1} x_{2i+u,2j+v}'
"""
SHEET = r"""\documentclass{article}
\newcommand{\dd}{\partial}
\begin{document}
\[ y_{ij} = x_{ij} \]
% 1a
\[ y_{ij} = \sum_{u=0}^{m-1} \sum_{v=0}^{m-1} x_{i+u,j+v} w_{uv} \]
\begin{answer}{1b}
\begin{align}
\frac{\dd L}{\dd w_{mn}} &= \sum_{i,j} \frac{\dd L}{\dd y_{ij}} \frac{\dd y_{ij}}{\dd w_{mn}} \\
 &= \sum_{i,j} \delta_{ij} x_{i+m,j+n}.
\end{align}
\[ \frac{\dd L}{\dd w_{mn}} = \sum_{i,j} \delta_{ij} x_{i+n,j+m} \]
\end{answer}
% pool
\[ y_{ij} = \max_{0 \le u,v \le 1} x_{2i+u,2j+v} \]
% 1c
\[ y_{ij} = x_{ij} \]
\end{document}
"""


def run(folder: Path, *options: str, sheet: str = SHEET, key: str = KEY) -> Result:
    (folder / "s.tex").write_text(sheet, encoding="utf-8")
    (folder / "k.toml").write_text(key, encoding="utf-8")
    return CliRunner().invoke(commands, ["check", str(folder / "s.tex"), "--key", str(folder / "k.toml"), *options])


def test_each_formula_is_judged_under_its_question(tmp_path: Path) -> None:
    ended = run(tmp_path, "--json")
    assert ended.exit_code == 1
    found = json.loads(ended.output)
    assert {(one["id"], one["line"]): one["status"] for one in found["claims"]} == {
        ("1a:6", 6): "exact",
        ("1b:9", 9): "exact",
        ("1b:12", 12): "refuted",
        ("pool:15", 15): "exact",
    }
    assert [(one["line"], one["text"]) for one in found["not_read"]] == [
        (4, "y_{ij} = x_{ij}"),
        (17, "y_{ij} = x_{ij}"),
    ]
    assert 'declare = { operator = "max" }' in found["not_read"][1]["why"]


def test_the_table_says_what_was_not_read(tmp_path: Path) -> None:
    output = run(tmp_path).output
    assert "not read  line 4: y_{ij} = x_{ij}  (stands below no question: put a comment such" in output
    assert "3 exact, 1 refuted" in output


def test_names_with_primes_are_printed_as_they_are_typed(tmp_path: Path) -> None:
    sheet = "% 1a\n\\[ y_{i'j'} = \\sum_{u''=0}^{1}\\sum_{v} x_{i'+u'',j'+v} w_{vu''} \\]"
    (found,) = json.loads(run(tmp_path, "--json", sheet=sheet).output)["claims"]
    assert found["counterexample"]["indices"] == {"i'": 0, "j'": 0}
    assert found["edit"] == "w[v,u''] should be w[u'',v]"
    assert found["readings"] == ["v runs from 0 to 1, where x[i' + u'', j' + v] and w[v, u''] exist"]
    assert "w[u_prime_prime, v]" in found["repair"]  # which can be read again
    words = run(tmp_path, sheet=sheet).output
    assert "at i' = 0, j' = 0; with w[0, 1] = 1, x[0, 1] = 1" in words
    assert "_prime" not in words.replace(found["repair"], "")
    past = "% 1a\n\\[ y_{i'j'} = \\sum_{u'=0}^{2}\\sum_{v} x_{i'+u',j'+v} w_{u'v} \\]"
    assert "j' = 0, u' = 2, v = 0: no such entry w[2, 0]" in run(tmp_path, sheet=past).output


@pytest.mark.parametrize(
    ("sheet", "status"),
    [
        ("% 1b\n\\[ y_{ij} = \\sum_{u,v} x_{i+u,j+v} w_{uv} \\]", 0),
        ("nothing", 3),
        ("\\[ y = x \\]", 3),
        ("% 1b\n\\[ y_{ij} = \\foo \\]", 1),
    ],
)
def test_the_exit_status_says_how_it_went(sheet: str, status: int, tmp_path: Path) -> None:
    assert run(tmp_path, sheet=sheet).exit_code == status


def test_no_control_character_of_a_file_reaches_the_terminal(tmp_path: Path) -> None:
    output = run(tmp_path, sheet="% 1a\n$$ y = \x1b[31m x $$ $$ \x1b]0;t\x07 $$ \\input{\x1b[2J}").output
    assert "\x1b" not in output
    assert "\x07" not in output


def test_wrong_files_are_one_message(tmp_path: Path) -> None:
    assert "needs the option --key" in CliRunner().invoke(commands, ["check", "s.tex"]).output
    for options in (["none.tex", "--key", "none.toml"], [str(tmp_path), "--key", str(tmp_path)]):
        ended = CliRunner().invoke(commands, ["check", *options])
        assert (ended.exit_code, ended.output.count("Error:")) == (2, 1)
    (tmp_path / "s.tex").write_bytes(b"\xff\xfe")
    (tmp_path / "k.toml").write_text(KEY, encoding="utf-8")
    ended = CliRunner().invoke(commands, ["check", str(tmp_path / "s.tex"), "--key", str(tmp_path / "k.toml")])
    assert (ended.exit_code, "UTF-8" in ended.output) == (2, True)


@pytest.mark.parametrize(
    ("declare", "said"),
    [
        ('{ sizes = { m = "kernels" } }', "sizes: m"),
        ('{ size = "x" }', "unknown key 'size'"),
        ('{ latex = "x" }', "unknown key 'latex'"),
        ("3", "must be a table"),
        ('{ upstream = { a = "y", b = "y" } }', "must name one letter"),
    ],
)
def test_what_a_question_declares_is_read_like_the_keys_of_a_claim(declare: str, said: str, tmp_path: Path) -> None:
    ended = run(tmp_path, key=KEY.replace('{ sizes = { m = "kernel" } }', declare))
    assert ended.exit_code == 2
    assert said in ended.output


def test_declarations_of_a_file_hold_for_its_questions_and_claims(tmp_path: Path) -> None:
    key = KEY.replace('title = "H"', 'title = "H"\ndeclare = { star = "correlation", sizes = { K = "kernel" } }', 1)
    sheet = "% 1a\n$$ Y = X * W $$\n$$ y_{ij} = \\sum_{u=0}^{K-1} \\sum_{v=0}^{m-1} x_{i+u,j+v} w_{uv} $$"
    assert run(tmp_path, sheet=sheet).exit_code == 1
    assert run(tmp_path, sheet=sheet, key=key).exit_code == 0
    claim = "[[claims]]\nid = 'one'\noperator = 'conv'\nlatex = 'Y = X * W'\n"
    (tmp_path / "p.toml").write_text(f"{key}{claim}", encoding="utf-8")
    assert CliRunner().invoke(commands, ["check", str(tmp_path / "p.toml")]).exit_code == 0
