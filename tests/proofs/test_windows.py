"""An average or a maximum over nothing has no value: what is proved of formulas says so, and may rest on it."""

from __future__ import annotations

import pytest
from sympy import Symbol

import symconv as sc
from symconv.operators.base import Operator

K, S, P = (Symbol(name) for name in "KSP")
FILLED = ("every window holds an entry of the input",)


def counted(kernel: object, stride: object, padding: object, **more: object) -> Operator:
    return sc.AvgPool((kernel,), stride, padding, count_include_pad=False, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("left", "right", "conditions"),
    [
        (counted(K, S, P), counted(K, S, P), FILLED),
        (counted(1, 1, 1), counted(1, 1, 1), FILLED),
        (sc.MaxPool((K,), S, P), sc.MaxPool((K,), S, P), FILLED),
        (sc.MaxPool((1,), 1, 1), sc.MaxPool((1,), 1, 1), FILLED),
        (counted(3, 2, 1), counted(3, 2, 1), ()),
        (counted(3, 2, 0), sc.AvgPool((3,), 2), ()),
        (counted(K, S, 0), sc.AvgPool((K,), S), ()),
        (sc.AvgPool((K,), S, P), sc.AvgPool((K,), S, P), ()),
        (sc.MaxPool((3,), 2, 1), sc.MaxPool((3,), 2, 1), ()),
        (sc.MaxPool((3,), 2, 1, ceil_mode=True), sc.MaxPool((3,), 2, 1, ceil_mode=True), ()),
        (sc.MaxPool((K,), S), sc.MaxPool((K,), S), ()),
        (sc.LPPool(2, (K,), S, P), sc.LPPool(2, (K,), S, P), ()),  # the norm of nothing is 0
    ],
)
def test_what_is_proved_of_windows_says_that_they_must_hold_something(
    left: Operator, right: Operator, conditions: tuple[str, ...]
) -> None:
    verdict = sc.prove(left.output(), right.output())
    assert (verdict.status, verdict.conditions) == ("proved", conditions), str(verdict)
    assert all(condition in str(verdict) for condition in conditions)


def test_formulas_and_claims_say_the_same_of_a_window_over_nothing() -> None:
    pool = sc.AvgPool((1,), 1, 1, count_include_pad=False)
    claim = sc.check_claim("c[p] == sum(a[s], s in W[p])/size(W[p])", sc.Declarations(pool, (3,), sets=("W",)))
    formula = sc.prove(pool.output(), pool.output())
    assert (claim.status, formula.status) == ("exact", "proved")
    assert claim.conditions == formula.conditions == FILLED


def test_where_both_have_a_value_and_differ_comes_first() -> None:
    verdict = sc.prove(counted(1, 1, 1).output(), sc.AvgPool((1,), 1, 1, divisor_override=2).output())
    assert verdict.status == "refuted"
    assert verdict.conditions == ()
    counter = verdict.counterexample
    assert counter is not None
    assert counter.indices == {"p": 1}  # not 0, where the average is over nothing


WINDOWS = {"sets": ("W",)}
SIZES = {**WINDOWS, "sizes": {"S": "stride", "P": "padding"}}
ONE = "c[p]*size(W[p]) == {factor}sum(a[s], s in W[p])"
TWO = "c[p,q]*size(W[p,q]) == {factor}sum(a[s,t], (s,t) in W[p,q])"


@pytest.mark.parametrize(
    ("layer", "size", "claim"),
    [
        (counted(3, 2, 1), (7,), ONE),
        (counted(2, 2, 0, ceil_mode=True), (5,), ONE),
        (sc.AvgPool(3, 2, 1, count_include_pad=False), (7, 7), TWO),
        (sc.AvgPool((2, 3), (1, 2), (1, 0), ceil_mode=True, count_include_pad=False), (5, 6), TWO),
    ],
)
@pytest.mark.parametrize("options", [WINDOWS, SIZES])
def test_an_average_times_its_count_is_a_sum(
    layer: Operator, size: tuple[int, ...], claim: str, options: dict[str, object]
) -> None:
    if layer.spatial_axes == 2 and options is SIZES and len(set(size)) > 1:
        options = WINDOWS  # one letter for two paddings means nothing
    declared = sc.Declarations(layer, size, **options)  # type: ignore[arg-type]
    assert sc.check_claim(claim.format(factor=""), declared).status == "exact"
    verdict = sc.check_claim(claim.format(factor=""), declared, general=True)
    assert verdict.status == "proved", str(verdict)
    assert verdict.conditions in ((), FILLED)
    for wrong in ("2*", "0*"):
        for general in (False, True):
            assert sc.check_claim(claim.format(factor=wrong), declared, general=general).status == "refuted"


def test_a_count_is_cancelled_by_an_equal_one_alone() -> None:
    declared = sc.Declarations(counted(3, 2, 1), (7,), sets=("W",), indices={"q": "output 1"})
    other = "c[p]*size(W[q]) == sum(a[s], s in W[p])"
    assert {sc.check_claim(other, declared, general=every).status for every in (False, True)} == {"refuted"}
    padded = sc.Declarations(sc.AvgPool((3,), 2, 1), (7,), sets=("W",))
    for every in (False, True):
        assert sc.check_claim(ONE.format(factor=""), padded, general=every).status == "refuted"


def test_what_rests_on_a_given_window_has_no_certificate() -> None:
    declared = sc.Declarations(counted(3, 2, 1), (7,), sets=("W",))
    verdict = sc.check_claim(ONE.format(factor=""), declared, general=True)
    assert verdict.status == "proved"
    assert verdict.record is None
    assert sc.certificate(verdict) is None
