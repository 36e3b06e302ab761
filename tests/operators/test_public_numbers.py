"""Numbers from public sources: the exercise's data in both readings, and the example of the convolution guide.

The exercise: A and B as in public solutions of it. The matrix printed there as its answer to (c) is the flipped
convolution, which the formula of (d), a cross-correlation, does not give.
The guide: Dumoulin & Visin, arXiv 1603.07285.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
import sympy

from symconv.operators.convolution import Conv
from symconv.operators.pooling import AvgPool, LPPool, MaxPool

A = [[4, 5, 2, 2, 1], [3, 3, 2, 2, 4], [4, 3, 4, 1, 1], [5, 1, 4, 1, 2], [5, 1, 3, 1, 4]]
B = [[4, 3, 3], [5, 5, 5], [2, 4, 3]]
CORRELATION = [[109, 92, 72], [108, 85, 74], [110, 74, 79]]
FLIPPED = [[113, 87, 75], [114, 80, 75], [112, 73, 81]]


def rows(values: dict[tuple[int, ...], Any], shape: tuple[int, int]) -> list[list[Any]]:
    flat = iter(values.values())
    return [[next(flat) for _ in range(shape[1])] for _ in range(shape[0])]


@pytest.mark.parametrize("base", [0, 1])
def test_both_readings_of_the_exercise(base: int) -> None:
    for flip, expected in ((False, CORRELATION), (True, FLIPPED)):
        formula = Conv((3, 3), flip=flip).output(index_base=base)
        assert rows(formula.values({"a": A, "b": B}, (5, 5)), (3, 3)) == expected
        a, b = sympy.IndexedBase("a"), sympy.IndexedBase("b")
        numbers = {a[i + base, j + base]: A[i][j] for i in range(5) for j in range(5)}
        numbers |= {b[i + base, j + base]: B[i][j] for i in range(3) for j in range(3)}
        assert formula.matrix((5, 5)).subs(numbers) == sympy.Matrix(expected)


def test_flipping_the_operator_is_turning_the_kernel() -> None:
    turned = [row[::-1] for row in B[::-1]]
    formula = Conv((3, 3)).output()
    assert rows(formula.values({"a": A, "b": turned}, (5, 5)), (3, 3)) == FLIPPED
    assert rows(Conv((3, 3), flip=True).output().values({"a": A, "b": turned}, (5, 5)), (3, 3)) == CORRELATION


def test_for_this_input_only_one_filter_gives_the_output() -> None:
    jacobian = Conv((3, 3)).derivative("weight").matrix((5, 5))
    a = sympy.IndexedBase("a")
    numbers = jacobian.subs({a[i, j]: A[i][j] for i in range(5) for j in range(5)})
    assert numbers.shape == (9, 9)
    assert numbers.det() == -2094
    assert list(numbers * sympy.Matrix([v for row in B for v in row])) == [v for row in CORRELATION for v in row]


def test_the_gradient_of_an_all_ones_error() -> None:
    ones = [[1] * 3 for _ in range(3)]
    found = rows(Conv((3, 3)).gradient().values({"g": ones, "b": B, "a": A}, (5, 5)), (5, 5))
    padded = [[B[i - 2][j - 2] if 0 <= i - 2 < 3 and 0 <= j - 2 < 3 else 0 for j in range(7)] for i in range(7)]
    expected = [[sum(padded[i + u][j + v] for u in range(3) for v in range(3)) for j in range(5)] for i in range(5)]
    assert found == expected  # B padded by O - 1, correlated with ones
    assert found[2][2] == sum(map(sum, B))
    weight = rows(Conv((3, 3)).gradient("weight").values({"g": ones, "b": B, "a": A}, (5, 5)), (3, 3))
    assert weight == [[sum(A[m + i][n + j] for i in range(3) for j in range(3)) for n in range(3)] for m in range(3)]


def test_max_pooling_of_both_readings() -> None:
    pool = MaxPool((2, 2), 1).output()
    assert rows(pool.values({"a": FLIPPED}, (3, 3)), (2, 2)) == [[114, 87], [114, 81]]
    assert rows(pool.values({"a": CORRELATION}, (3, 3)), (2, 2)) == [[109, 92], [110, 85]]


def test_pooling_relations_need_entries_that_are_not_negative() -> None:
    window = (2, 2)
    for data in (FLIPPED, CORRELATION):
        average = AvgPool(window, 1).output().values({"a": data}, (3, 3))
        norm = LPPool(1, window, 1).output().values({"a": data}, (3, 3))
        assert average == {point: value / 4 for point, value in norm.items()}
    negative = [[-1]]
    assert AvgPool((1, 1)).output().values({"a": negative}, (1, 1)) == {(0, 0): -1}
    assert LPPool(1, (1, 1)).output().values({"a": negative}, (1, 1)) == {(0, 0): 1}
    assert MaxPool((1, 1)).output().values({"a": negative}, (1, 1)) == {(0, 0): -1}
    assert LPPool(float("inf"), (1, 1)).output().values({"a": negative}, (1, 1)) == {(0, 0): 1}


def test_a_norm_lies_between_the_maximum_and_its_multiple() -> None:
    data = {"a": [Fraction(1, 2), 3, 2]}
    largest = MaxPool((3,)).output().values(data, 3)[0,]
    previous = None
    for p in (1, 2, 3, 5, 9, 40):
        value = float(LPPool(p, (3,)).output().values(data, 3)[0,])
        assert float(largest) <= value <= 3 ** (1 / p) * float(largest) * (1 + 1e-12)
        assert previous is None or value <= previous
        previous = value
    assert previous == pytest.approx(3, rel=1e-6)


GUIDE_X = [[3, 3, 2, 1, 0], [0, 0, 1, 3, 1], [3, 1, 2, 2, 3], [2, 0, 0, 2, 2], [2, 0, 0, 0, 1]]
GUIDE_W = [[0, 1, 2], [2, 2, 0], [0, 1, 2]]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [[12, 12, 17], [10, 17, 19], [9, 6, 14]]),
        ({"stride": 2, "padding": 1}, [[6, 17, 3], [8, 17, 13], [6, 4, 4]]),
    ],
)
def test_the_example_of_the_convolution_guide(options: dict[str, Any], expected: list[list[int]]) -> None:
    formula = Conv((3, 3), **options).output()
    assert rows(formula.values({"a": GUIDE_X, "b": GUIDE_W}, (5, 5)), (3, 3)) == expected


def test_the_guides_pooling_examples() -> None:
    average = AvgPool((3, 3), 1).output().values({"a": GUIDE_X}, (5, 5))
    assert [round(float(v), 1) for v in average.values()] == [1.7, 1.7, 1.7, 1.0, 1.2, 1.8, 1.1, 0.8, 1.3]
    largest = MaxPool((3, 3), 1).output().values({"a": GUIDE_X}, (5, 5))
    assert rows(largest, (3, 3)) == [[3, 3, 3], [3, 3, 3], [3, 2, 3]]
