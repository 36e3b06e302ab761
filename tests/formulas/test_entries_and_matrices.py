"""`.at`, `.matrix`, `.sparse`, `.polynomials` and `.values` are views of one thing, in both index bases."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from random import Random
from typing import Any

import oracles
import pytest
import sympy

from symconv.errors import ArgumentError
from symconv.formulas.formula import Formula
from symconv.formulas.index import Index
from symconv.operators.convolution import Conv
from symconv.operators.pooling import AvgPool, LPPool, MaxPool

OPERATORS: list[tuple[Any, tuple[int, ...]]] = [
    (Conv((3,), 2, ((1, 2),), 2), (6,)),
    (Conv((2, 3), (2, 1), ((1, 0), (0, 2)), (1, 2)), (4, 5)),
    (Conv((2,), in_channels=4, out_channels=2, groups=2, bias=True), (3,)),
    (Conv((2, 2), padding=1, padding_mode="circular", flip=True), (2, 3)),
    (Conv((3,), 2, "same_upper"), (5,)),
    (AvgPool((2, 2), 1, padding=1, count_include_pad=False), (2, 3)),
    (MaxPool((2,), 1, padding=1), (4,)),
    (MaxPool((2,), 2, ties="split"), (4,)),
    (LPPool(2, (2,), 1), (3,)),
    (LPPool(float("inf"), (2,), 1), (3,)),
]


def formulas(op: Any, base: int) -> list[Formula]:
    wrt = op.variables
    return [
        op.output(index_base=base),
        *(op.derivative(v, index_base=base) for v in wrt),
        *(op.gradient(v, index_base=base) for v in wrt),
    ]


CASES = [
    pytest.param(formula, sizes, base, id=f"{op!r}-{formula.quantity.kind}-{k}-base{base}")
    for op, sizes in OPERATORS
    for base in (0, 1)
    for k, formula in enumerate(formulas(op, base))
]


def flat_entries(formula: Formula, sizes: tuple[int, ...]) -> dict[tuple[int, ...], Any]:
    starts = [formula.base] * len(formula.free)
    shape = formula.shape(sizes)
    points = product(*(range(start, start + extent) for start, extent in zip(starts, shape, strict=True)))
    return {point: formula.at(*point, input_size=sizes) for point in points}


@pytest.mark.parametrize(("formula", "sizes", "base"), CASES)
def test_one_entry_is_the_entry_of_the_matrix_and_of_the_sparse_matrix(
    formula: Formula, sizes: tuple[int, ...], base: int
) -> None:
    entries = flat_entries(formula, sizes)
    matrix = formula.matrix(sizes)
    assert list(entries.values()) == list(sympy.flatten(matrix))
    if formula.quantity.kind == "derivative" or len(formula.free) == 2:
        sparse = formula.sparse(sizes)
        assert sparse.shape == matrix.shape
        assert sympy.Matrix(sparse) == sympy.Matrix(matrix)
        assert len(sparse.todok()) == sum(value != 0 for value in entries.values())
    if formula.quantity.kind == "derivative":
        shape = formula.shape(sizes)
        rows = len(formula.quantity.of[1])
        height = 1
        for extent in shape[:rows]:
            height *= extent
        assert matrix.shape == (height, len(entries) // height)


@pytest.mark.parametrize(("op", "sizes"), OPERATORS, ids=[repr(op) for op, _ in OPERATORS])
def test_counting_from_one_moves_every_index_by_one_and_nothing_else(op: Any, sizes: tuple[int, ...]) -> None:
    for zero, one in zip(formulas(op, 0), formulas(op, 1), strict=True):
        assert (zero.base, one.base) == (0, 1)
        assert zero.shape(sizes) == one.shape(sizes)
        assert zero.parameters == one.parameters
        for point, entry in flat_entries(zero, sizes).items():
            moved = one.at(*(i + 1 for i in point), input_size=sizes)
            assert shifted(entry) == moved
        assert one.rebased(0).at(*[0] * len(one.free), input_size=sizes) == zero.at(
            *[0] * len(zero.free), input_size=sizes
        )


def shifted(expression: Any) -> Any:
    """The expression with every entry's indices one higher."""
    entries = {e: e.base[tuple(i + 1 for i in e.indices)] for e in expression.atoms(sympy.Indexed)}
    return expression.xreplace(entries)


@pytest.mark.parametrize(("op", "sizes"), OPERATORS[:6], ids=[repr(op) for op, _ in OPERATORS[:6]])
def test_polynomials_are_the_entries(op: Any, sizes: tuple[int, ...]) -> None:
    for formula in formulas(op, 1):
        found = formula.polynomials(sizes)
        for point, entry in flat_entries(formula, sizes).items():
            terms = []
            for monomial, value in found.get(point, {}).items():
                assert value != 0
                factors = [sympy.IndexedBase(name)[index] if index else sympy.Symbol(name) for name, index in monomial]
                terms.append(sympy.Mul(sympy.Rational(value.numerator, value.denominator), *factors))
            assert sympy.Add(*terms) == entry


@pytest.mark.parametrize(("op", "sizes"), OPERATORS, ids=[repr(op) for op, _ in OPERATORS])
def test_symbolic_entries_take_the_values_that_numbers_give(op: Any, sizes: tuple[int, ...]) -> None:
    random = Random(1)
    for formula in formulas(op, 0):
        tensors: dict[str, Any] = {}
        numbers: dict[Any, Any] = {}
        env = formula.environment(sizes, {})
        for tensor in formula.tensors:
            shape = tuple(int(high.evaluate(env)) + 1 for _, high in tensor.box)
            data = oracles.full(shape, 0).map(lambda _: Fraction(random.randint(-3, 3), random.choice((1, 2))))
            tensors[tensor.name] = data.nested()
            entries = sympy.IndexedBase(tensor.name)
            numbers |= {entries[index]: sympy.Rational(str(value)) for index, value in data.values.items()}
        values = formula.values(tensors, sizes)
        for point, entry in flat_entries(formula, sizes).items():
            found = entry.subs(numbers) if entry != 0 else entry
            if found in (sympy.nan, sympy.zoo) or found.has(sympy.zoo, sympy.nan):
                assert values[point] == 0  # a norm at the origin, whose gradient is 0 by convention
            else:
                assert float(found) == pytest.approx(float(values[point]), rel=1e-12, abs=1e-13)


def test_a_polynomial_is_asked_of_a_polynomial_only() -> None:
    with pytest.raises(ArgumentError, match="must be a polynomial in tensor entries"):
        MaxPool(2).output().polynomials((4, 4))
    with pytest.raises(ArgumentError, match="must be a polynomial in tensor entries"):
        LPPool(2, 2).gradient().polynomials((4, 4))


def test_numbers_may_be_put_in_one_by_one() -> None:
    generic = Conv((2,)).generic()
    for formula in (generic.output(), generic.derivative(index_base=1), generic.gradient("weight")):
        numbers = {"K": 3, "S": 2, "P": 1, "D": 1}
        expected = formula.matrix(6, **numbers)
        assert formula.parameters == ("D", "I", "K", "P", "S")
        partly = formula.subs({"K": 3, "D": 1})
        assert partly.parameters == ("I", "P", "S")
        assert partly.matrix(6, S=2, P=1) == expected
        whole = partly.subs({"I": 6, "S": 2, "P": 1})
        assert whole.parameters == ()
        assert whole.matrix() == expected
        related = formula.subs({"P": Index.of("K") - 2})  # a padding of K - 2
        assert related.matrix(6, K=3, S=2, D=1) == expected


def test_integers_of_other_kinds_are_integers() -> None:
    import numpy as np

    formula = Conv((3,)).output()
    expected = formula.at(1, input_size=5)
    pairs: list[tuple[Any, Any]] = [(np.int64(5), np.int8(1)), (sympy.Integer(5), sympy.Integer(1))]
    for five, one in pairs:
        assert formula.at(one, input_size=five) == expected
        assert formula.at(one, input_size=(five,)) == expected
        assert Conv((3,)).output_size(five) == (3,)
        assert Conv((3,)).output(input_size=(five,)).at(one) == expected


# ------------------------------------------------------------------ 64 by 64


def naive_gradient(i: int, j: int, size: int, kernel: int) -> Any:
    """One entry by its definition: the outputs whose window holds it."""
    g, b = sympy.IndexedBase("g"), sympy.IndexedBase("b")
    out = size - kernel + 1
    return sympy.Add(
        *(
            g[i - m, j - n] * b[m, n]
            for m in range(kernel)
            for n in range(kernel)
            if 0 <= i - m < out and 0 <= j - n < out
        )
    )


@pytest.fixture(scope="module")
def large() -> Any:
    return Conv((3, 3)).gradient().matrix((64, 64))


def test_the_whole_gradient_at_64_is_right(large: Any) -> None:
    assert large.shape == (64, 64)
    for i, j in [(0, 0), (0, 63), (63, 0), (63, 63), (0, 30), (30, 1), (31, 31), (62, 62), (1, 62)]:
        assert large[i, j] == naive_gradient(i, j, 64, 3)
    assert len(large.atoms(sympy.Indexed)) == 62 * 62 + 9
    # every output has nine taps: nine products each, and none twice
    assert sum(len(sympy.Add.make_args(entry)) for entry in large) == 9 * 62 * 62


def test_one_entry_at_64_is_the_matrix_entry(large: Any) -> None:
    formula = Conv((3, 3)).gradient()
    for i, j in [(0, 0), (63, 63), (17, 40), (1, 62)]:
        assert formula.at(i, j, input_size=(64, 64)) == large[i, j]


def test_the_sparse_jacobian_at_64_has_one_entry_a_tap() -> None:
    sparse = Conv((3, 3), padding=1).derivative().sparse((64, 64))
    b = sympy.IndexedBase("b")
    assert sparse.shape == (4096, 4096)
    assert len(sparse.todok()) == (3 * 64 - 2) ** 2
    assert sparse[0, 0] == b[1, 1]
    assert sparse[64 * 5 + 7, 64 * 6 + 6] == b[2, 0]
    assert sparse[0, 2] == 0


def test_the_closed_form_is_the_same_at_every_size() -> None:
    formula = Conv((3, 3)).gradient()
    far = formula.at(500, 700, input_size=(1000, 1000))
    near = formula.at(5, 7, input_size=(10, 10))
    moved = {e: e.base[e.indices[0] - 495, e.indices[1] - 693] for e in far.atoms(sympy.Indexed) if str(e.base) == "g"}
    assert far.xreplace(moved) == near
