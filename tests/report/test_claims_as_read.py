"""A claim on a page says what it left unsaid, in the signs that it was written with and the letters of its operator."""

from __future__ import annotations

import re
from fractions import Fraction
from html import unescape

import pytest

import symconv as sc
from symconv.problems.answers.solutions import _picture
from symconv.problems.reading import read_problem
from symconv.proofs.verdict import Counterexample

OPERATOR = """title = "T"
index_base = 1
[operators.conv]
kind = "Conv"
input_size = {size}
kernel_size = {kernel}
names = {{ input = "x", weight = "w", output = "y" }}
"""
CLAIM = """
[[claims]]
id = "one"
operator = "conv"
latex = '{latex}'
{more}
"""


def tex(latex: str, more: str = "", size: str = "[6]", kernel: str = "[3]") -> str:
    text = OPERATOR.format(size=size, kernel=kernel) + CLAIM.format(latex=latex, more=more)
    return re.sub(r"\s+", " ", sc.to_latex(sc.build_document(read_problem(text))))


def test_a_sum_without_bounds_is_shown_as_one_and_its_range_is_said() -> None:
    page = tex(r"y_i = \sum_m x_{i+m-1} w_m", 'sizes = { I = "input", K = "kernel" }\ncheck = "general"')
    assert r"\sum_{m} " in page
    assert "everywhere" not in page
    assert r"Read so: \SCmath{m} runs from \SCmath{1} to \SCmath{K}, where \SCmath{x_{i + m - 1}}" in page


@pytest.mark.parametrize(
    ("latex", "shown"),
    [
        (r"y = y \odot y", r"Y \odot Y"),
        (r"\operatorname{vec}(y)^\top = \operatorname{vec}(y)^\top", r"\right)^{\top}"),
    ],
)
def test_a_sign_is_shown_as_it_was_written(latex: str, shown: str) -> None:
    page = tex(latex, size="[3, 3]", kernel="[2, 2]")
    assert shown in page
    assert "transposed" not in page


def test_a_claim_without_a_question_has_the_letters_of_its_operator() -> None:
    text = OPERATOR.format(size="[6]", kernel="[3]") + CLAIM.format(
        latex=r"y_i = \sum_{m=1}^{3} x_{i+m-1} w_m", more=""
    )
    (found,) = sc.check(read_problem(text))
    assert found.status == "exact"
    (own,) = sc.check(read_problem(text.replace("{i+m-1} w_m", "{i+m-1} b_m") + 'names = { weight = "b" }'))
    assert own.status == "exact"


def test_a_tensor_that_is_not_declared_is_named_where_it_would_give_a_range() -> None:
    text = OPERATOR.format(size="[6]", kernel="[3]") + CLAIM.format(latex=r"y_i = \sum_m u_m", more="")
    (found,) = sc.check(read_problem(text))
    assert found.verdict.explanation.startswith("the tensor 'u' is not declared")


def test_the_words_of_an_author_are_no_claim() -> None:
    note = "see x[1(] and y[) of x[0(], where it runs"
    text = OPERATOR.format(size="[6]", kernel="[3]") + CLAIM.format(latex=r"y_1 = y_1", more=f'note = "{note}"')
    page = sc.to_html(sc.build_document(read_problem(text)))
    assert note in unescape(re.sub(r"<[^>]*>", "", page))


@pytest.mark.parametrize(
    ("entries", "box", "rows"),
    [
        ({(2,): Fraction(-1)}, ((1, 3),), [["0", "−1", "0"]]),
        ({(0, 1): Fraction(2), (1, 0): Fraction(-1, 2)}, ((0, 1), (0, 1)), [["0", "2"], ["−1/2", "0"]]),
        ({(3, 1, 2): Fraction(5)}, ((1, 4), (1, 1), (1, 2)), [["0", "5"]]),
        ({(1, 1, 1): Fraction(1), (2, 1, 1): Fraction(1)}, ((1, 2), (1, 1), (1, 1)), None),
        ({(1,): Fraction(1)}, ((1, 20),), None),
    ],
)
def test_the_picture_of_an_example_shows_its_numbers(
    entries: dict[tuple[int, ...], Fraction], box: tuple[tuple[int, int], ...], rows: list[list[str]] | None
) -> None:
    grid = _picture(Counterexample({}, {}, {"x": entries}, {"x": box}), "x")
    assert (None if grid is None else [[cell.text for cell in row] for row in grid.rows]) == rows
