"""Dilation and erosion in problem files: sizes, values, derivations and claims, as for any layer."""

from __future__ import annotations

import re
from fractions import Fraction
from itertools import product
from pathlib import Path

import pytest

from symconv.errors import ProblemFileError
from symconv.problems.build import build_document
from symconv.problems.check import check
from symconv.problems.reading import load_problem
from symconv.report.render import to_html, to_latex

X = [[1, 0, 2, 1], [2, 1, 0, 4], [0, 3, 1, 2]]
W = [[Fraction(0), Fraction(1)], [Fraction(-1), Fraction(1, 2)]]
HEAD = """
title = "Morphology"
[data]
X = [[1, 0, 2, 1], [2, 1, 0, 4], [0, 3, 1, 2]]
W = [[0, 1], [-1, 0.5]]
[operators.dilation]
kind = "Dilation"
input_size = [3, 4]
kernel_size = [2, 2]
[operators.erosion]
kind = "Erosion"
input_size = [3, 4]
kernel_size = [2, 2]
padding = 1
flip = true
[operators.line]
kind = "Dilation"
input_size = [7]
kernel_size = [3]
[operators.eroded]
kind = "Erosion"
input_size = [7]
kernel_size = [3]
[operators.padded]
kind = "Dilation"
input_size = [7]
kernel_size = [3]
stride = 2
padding = 1
[operators.conv]
kind = "Conv"
input_size = [7]
kernel_size = [3]
[operators.max]
kind = "MaxPool"
input_size = [7]
kernel_size = [3]
"""


def question(ask: str, operator: str, more: str = "") -> str:
    return f'[[questions]]\nid = "1"\ntitle = "T"\nask = "{ask}"\noperator = "{operator}"\n{more}\n'


def page(tmp_path: Path, text: str) -> str:
    file = tmp_path / "morphology.toml"
    file.write_text(HEAD + text, encoding="utf-8")
    document = build_document(load_problem(file))
    assert to_latex(document)
    return to_html(document)


def matrices(html: str) -> list[list[list[Fraction]]]:
    """The matrices of numbers on a page, read off the LaTeX beside the MathML."""
    found = []
    for text in re.findall(r"\\begin{pmatrix}(.*?)\\end{pmatrix}", html, flags=re.DOTALL):
        rows = [re.split(r"&amp;|&", row) for row in text.split(r"\\")]
        entries = [[re.sub(r"\\t?frac\{(-?\d+)\}\{(\d+)\}", r"\1/\2", entry).strip() for entry in row] for row in rows]
        found.append([[Fraction(entry) for entry in row] for row in entries])
    return found


def expected(erosion: bool, before: int, flip: bool) -> list[list[Fraction]]:
    """Every output by plain loops over the taps that find an entry."""
    rows = []
    for p in range(len(X) + 2 * before - 1):
        row = []
        for q in range(len(X[0]) + 2 * before - 1):
            values = []
            for m, n in product(range(2), range(2)):
                i, j = (p + 1 - m, q + 1 - n) if flip else (p + m, q + n)
                if 0 <= i - before < len(X) and 0 <= j - before < len(X[0]):
                    a = X[i - before][j - before]
                    values.append(a - W[m][n] if erosion else a + W[m][n])
            row.append(min(values) if erosion else max(values))
        rows.append(row)
    return rows


@pytest.mark.parametrize(("operator", "options"), [("dilation", (False, 0, False)), ("erosion", (True, 1, True))])
def test_values(operator: str, options: tuple[bool, int, bool], tmp_path: Path) -> None:
    html = page(tmp_path, question("values", operator, 'input = "X"\nweight = "W"'))
    text = to_latex(build_document(load_problem(tmp_path / "morphology.toml")))
    assert expected(*options) in matrices(text)
    assert rf"\operatorname{{{operator.capitalize()}}}_{{2 \times 2}}" in text
    assert "exact" in html


def test_sizes_and_derivations(tmp_path: Path) -> None:
    assert "4 of them" in page(tmp_path, question("size", "padded"))
    for operator in ("dilation", "erosion", "padded"):
        for text in (
            question("size-formula", operator),
            question("derivation", operator, 'wrt = ["input", "weight"]'),
        ):
            page(tmp_path, text)
            document = build_document(load_problem(tmp_path / "morphology.toml"))
            marks = re.findall(r"mark='(\w+)'", repr(document))
            assert "proved" in marks
            assert not {"refuted", "undecided"} & set(marks)


CLAIMS = [
    ("line", "text", "c[p] == max(a[p+m-1] + b[m], (m,1,K))", "proved"),
    ("line", "latex", r"c_p = \max_{m=1}^{K} (a_{p+m-1} + b_m)", "proved"),
    ("line", "latex", r"c_p = \max_{1 \le m \le K} (a_{p+m-1} + b_m)", "proved"),
    ("line", "text", "c[p] == max(a[p+m] + b[m], (m,1,K))", "refuted"),
    ("line", "text", "c[p] == max(a[p+m-1] - b[m], (m,1,K))", "refuted"),
    ("line", "text", "c[p] == max(a[p+m-1] + b[K-m+1], (m,1,K))", "refuted"),
    ("line", "text", "c[p] == sum(a[p+m-1] + b[m], (m,1,K))", "refuted"),
    ("line", "text", "c[p] == -min(-a[p+m-1] - b[m], (m,1,K))", "proved"),
    ("eroded", "text", "c[p] == min(a[p+m-1] - b[m], (m,1,K))", "proved"),
    ("eroded", "latex", r"c_p = \min_{m=1}^{K} (a_{p+m-1} - b_m)", "proved"),
    ("eroded", "text", "c[p] == -max(b[m] - a[p+m-1], (m,1,K))", "proved"),
    ("eroded", "latex", r"c_p = -\max_{m=1}^{K} (b_m - a_{p+m-1})", "proved"),
    ("eroded", "text", "c[p] == max(a[p+m-1] - b[m], (m,1,K))", "refuted"),
    ("eroded", "text", "c[p] == min(a[p+m-1] + b[m], (m,1,K))", "refuted"),
    ("eroded", "text", "O == min(I - K + 1, I)", "proved"),
    ("eroded", "latex", r"O = \min(I - K + 1, I)", "proved"),
    ("dilation", "text", "c[p,q] == max(a[p+m-1,q+n-1] + b[m,n], (m,1,K), (n,1,K))", "proved"),
    ("max", "text", "c[p] == min(a[2*p+m-2], (m,1,K))", "refuted"),
]


def claim(operator: str, language: str, text: str) -> str:
    return f'[[claims]]\nid = "1"\noperator = "{operator}"\n{language} = \'{text}\'\ncheck = "general"\n'


@pytest.mark.parametrize(("operator", "language", "text", "status"), CLAIMS)
def test_claims(operator: str, language: str, text: str, status: str, tmp_path: Path) -> None:
    file = tmp_path / "claims.toml"
    file.write_text(HEAD + claim(operator, language, text), encoding="utf-8")
    (verdict,) = check(file)
    assert verdict.status == status


def test_what_makes_no_sense_is_refused(tmp_path: Path) -> None:
    for text, message in [
        (question("values", "dilation", 'input = "X"'), r"ask = 'values' of a dilation needs the kernel data"),
        (question("values", "line", 'input = "X"\nweight = "W"'), "X has shape 3x4, and operator 'line' takes 7"),
        (question("modules", "erosion"), r"ask = 'modules' takes poolings, and 'erosion' is an erosion"),
        (question("expressions", "conv"), r"ask = 'expressions' takes poolings, and 'conv' is a convolution"),
        (question("derivation", "max", 'wrt = "weight"'), r"must be among input for this operator, got 'weight'"),
        ("[operators.own]\nkind = \"Erosion\"\ninput_size = [3]\nkernel_size = [2]\nceil_mode = true\n",
         r"unknown key 'ceil_mode' in an Erosion"),
    ]:  # fmt: skip
        with pytest.raises(ProblemFileError, match=message):
            page(tmp_path, text)
