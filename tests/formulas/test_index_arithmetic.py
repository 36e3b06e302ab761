"""Index expressions against Python's integers: the ring, rounded quotients, extrema, substitution, SymPy and back."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from integer_models import NAMES, SIZES, Model, environments, models

from symconv.errors import ArgumentError
from symconv.formulas.index import Extremum, Index, Quotient, Rounding, ceiling, floor, maximum, minimum, quotient
from symconv.formulas.symbols import SymbolTable, from_sympy, index_to_sympy

often = settings(max_examples=80, deadline=None, derandomize=True)


@often
@given(models, environments)
def test_every_expression_has_the_value_of_its_python_twin(model: Model, env: dict[str, int]) -> None:
    assert model.index.evaluate(env) == model.value(env)


@often
@given(models, models, models)
def test_the_laws_of_a_commutative_ring_hold_as_equality_and_hash(a: Model, b: Model, c: Model) -> None:
    x, y, z = a.index, b.index, c.index
    laws = [
        (x + y, y + x),
        (x * y, y * x),
        ((x + y) + z, x + (y + z)),
        ((x * y) * z, x * (y * z)),
        (x * (y + z), x * y + x * z),
        (x - x, Index.of(0)),
        (x + 0, x),
        (x * 1, x),
        (-1 * (-x), x),
        (x - y, -(y - x)),
    ]
    for left, right in laws:
        assert left == right
        assert hash(left) == hash(right)
        assert repr(left) == repr(right)


@often
@given(models, st.dictionaries(st.sampled_from(NAMES), models, max_size=3), environments)
def test_substitution_then_evaluation_is_evaluation_with_the_values(
    model: Model, replaced: dict[str, Model], env: dict[str, int]
) -> None:
    substituted = model.index.subs({name: other.index for name, other in replaced.items()})
    values = {**env, **{name: other.value(env) for name, other in replaced.items()}}
    assert substituted.evaluate(env) == model.value(values)


@often
@given(models, environments)
def test_substituting_numbers_for_all_names_leaves_the_number(model: Model, env: dict[str, int]) -> None:
    left = model.index.subs(env)
    assert left.value == model.value(env)
    assert left == model.value(env)
    assert hash(left) == hash(model.value(env))
    assert left.names == frozenset()


def test_substitution_is_simultaneous() -> None:
    x, y = Index.of("x"), Index.of("y")
    assert (2 * x + y).subs({"x": y, "y": x}) == 2 * y + x
    assert floor(x, "S").subs({"x": y, "S": Index.of("x")}) == floor(y, "x")


@often
@given(models, environments, environments)
def test_arrays_evaluate_like_their_entries(model: Model, one: dict[str, int], two: dict[str, int]) -> None:
    columns = {name: np.array([one[name], two[name]]) for name in one}
    values = np.broadcast_to(np.asarray(model.index.evaluate(columns)), (2,))
    assert values.tolist() == [model.value(one), model.value(two)]


@often
@given(models, st.sampled_from(NAMES + SIZES))
def test_linear_in_takes_an_expression_apart_and_back_together(model: Model, name: str) -> None:
    split = model.index.linear_in(name)
    if split is None:
        assert name in model.index.names
        return
    coefficient, rest = split
    assert coefficient * Index.of(name) + rest == model.index
    assert name not in coefficient.names | rest.names


def test_linear_in_refuses_what_is_not_affine() -> None:
    x = Index.of("x")
    assert (x * x).linear_in("x") is None
    assert floor(x, 2).linear_in("x") is None
    assert maximum(x, 3).linear_in("x") is None
    assert (x * "y" + 3).linear_in("x") == (Index.of("y"), Index.of(3))
    assert floor("y", 2).linear_in("x") == (Index.of(0), floor("y", 2))


@often
@given(st.integers(-40, 40), st.integers(1, 9))
def test_quotients_of_numbers_round_as_defined(n: int, d: int) -> None:
    below, above = floor(n, d).value, ceiling(n, d).value
    assert below is not None
    assert above is not None
    assert d * below <= n < d * (below + 1)
    assert d * (above - 1) < n <= d * above


@often
@given(models, st.sampled_from(["floor", "ceil", "exact"]), st.integers(1, 5))
def test_a_quotient_undoes_a_product_with_its_denominator(model: Model, rounding: Rounding, d: int) -> None:
    assert quotient(model.index * d, d, rounding) == model.index
    assert quotient(model.index * "S", "S", rounding) == model.index
    assert quotient(model.index * "S" * d, Index.of("S") * d, rounding) == model.index


def test_a_product_with_the_denominator_undoes_an_exact_quotient_only() -> None:
    n, d = Index.of("n"), Index.of("d")
    half = quotient(n + 1, 2, "exact")
    assert 2 * half == half * 2 == n + 1
    assert 6 * half - 3 == 3 * n
    assert "k" * (d * quotient(n, d, "exact")) == n * "k"
    assert (d * 2) * quotient(n, d * 2, "exact") == n
    assert 3 * half != n + 1
    assert 2 * floor(n + 1, 2) != n + 1
    assert d * ceiling(n, d) != n
    assert (Index.of("m") * 2).subs({"m": half}) == n + 1


def test_quotients_that_do_not_simplify_stay_atoms_of_their_rounding() -> None:
    roundings: tuple[Rounding, ...] = ("floor", "ceil", "exact")
    for rounding in roundings:
        result = quotient(Index.of("n") + 1, 2, rounding)
        assert result.terms == {(Quotient(Index.of("n") + 1, Index.of(2), rounding),): 1}
    assert floor("n", 2) != ceiling("n", 2)


@often
@given(st.lists(models, min_size=1, max_size=4), environments)
def test_extrema_of_many(several: list[Model], env: dict[str, int]) -> None:
    values = [model.value(env) for model in several]
    indices = [model.index for model in several]
    assert minimum(*indices).evaluate(env) == min(values)
    assert maximum(*indices).evaluate(env) == max(values)
    assert -minimum(*(-index for index in indices)).evaluate(env) == max(values)


def test_an_argument_a_constant_away_from_another_never_decides() -> None:
    n, m = Index.of("n"), Index.of("m")
    assert maximum(n, n + 1, n - 5) == n + 1
    assert minimum(n, n + 1, n - 5) == n - 5
    assert minimum(n, m, n - 1).terms == {(Extremum("min", (n - 1, m)),): 1}
    assert maximum(3, 5, 4) == 5


@often
@given(models, environments)
def test_the_sympy_form_has_the_same_value_and_reads_back(model: Model, env: dict[str, int]) -> None:
    table = SymbolTable(positive=frozenset(SIZES))
    expression = index_to_sympy(model.index, table)
    assert expression.subs({table[name]: value for name, value in env.items()}) == model.value(env)
    read, symbols = from_sympy(expression, "size")
    assert read.evaluate(env) == model.value(env)
    assert set(symbols) <= {*NAMES, *SIZES}


@pytest.mark.parametrize("numerator", range(-7, 8))
def test_sympy_floors_stay_exact_below_zero(numerator: int) -> None:
    n = sympy.Symbol("n", integer=True)
    table = SymbolTable({"n": n})
    assert index_to_sympy(floor("n", 3), table).subs(n, numerator) == numerator // 3
    assert index_to_sympy(ceiling("n", 3), table).subs(n, numerator) == -(-numerator // 3)


def test_from_sympy_refuses_what_is_no_integer_expression() -> None:
    k = sympy.Symbol("k", integer=True)
    for bad in (k / 2, sympy.sqrt(k), sympy.sin(k), 1 / k, k**k, sympy.pi, sympy.Symbol("r", integer=False)):
        with pytest.raises(ArgumentError, match="kernel_size must be"):
            from_sympy(bad, "kernel_size")


def test_only_integers_names_and_index_expressions_become_one() -> None:
    for bad in (1.0, None, [1]):
        with pytest.raises(TypeError, match="an index is an int, a name or an Index"):
            Index.of(bad)  # type: ignore[arg-type]


def test_evaluation_without_a_value_for_a_name_fails() -> None:
    with pytest.raises(KeyError):
        (Index.of("x") + 1).evaluate({"y": 1})
