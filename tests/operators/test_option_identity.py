"""Every option is part of an operator's identity: ==, hash, repr and what it states all tell two operators apart."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from itertools import combinations
from typing import Any

import pytest
import sympy

from symconv.operators.convolution import Conv
from symconv.operators.pooling import AvgPool, LPPool, MaxPool
from symconv.operators.window import Window

n = sympy.Symbol("n", integer=True, positive=True)

CONVOLUTIONS = [
    Conv((3, 3)),
    Conv((3, 2)),
    Conv((3, 3), 2),
    Conv((3, 3), (1, 2)),
    Conv((3, 3), padding=1),
    Conv((3, 3), padding=((1, 0), (1, 1))),
    Conv((3, 3), padding=((0, 1), (1, 1))),
    Conv((3, 3), padding=-1),
    Conv((3, 3), 2, "same_upper"),
    Conv((3, 3), 2, "same_lower"),
    Conv((3, 3), dilation=2),
    Conv((3, 3), dilation=(2, 1)),
    Conv((3, 3), in_channels=2),
    Conv((3, 3), out_channels=2),
    Conv((3, 3), in_channels=2, out_channels=2),
    Conv((3, 3), in_channels=2, out_channels=2, groups=2),
    Conv((3, 3), bias=True),
    Conv((3, 3), padding=1, padding_mode="reflect"),
    Conv((3, 3), padding=1, padding_mode="replicate"),
    Conv((3, 3), padding=1, padding_mode="circular"),
    Conv((3, 3), flip=True),
    Conv((n, n)),
    Conv((3, 3), n),
    Conv((3, 3), padding=n),
    Conv((3, 3), dilation=n),
    Conv((3,)),
    Conv((3, 3, 3)),
    Conv((1,)),
    Conv((1, 1)),
    Conv((1, 1, 1)),
]
MAXIMA = [
    MaxPool(2),
    MaxPool(2, 1),
    MaxPool(2, (2, 1)),
    MaxPool((2, 3), 2),
    MaxPool(2, padding=1),
    MaxPool(2, padding=((1, 0), 1)),
    MaxPool(2, dilation=2),
    MaxPool(2, ceil_mode=True),
    MaxPool(2, ties="split"),
    MaxPool((2,)),
    MaxPool(1),
    MaxPool((1,)),
    MaxPool(n),
]
AVERAGES = [
    AvgPool(2),
    AvgPool(2, 1),
    AvgPool(3),
    AvgPool(2, padding=1),
    AvgPool(2, padding=1, count_include_pad=False),
    AvgPool(2, dilation=2),
    AvgPool(2, padding=1, ceil_mode=True),
    AvgPool(2, divisor_override=3),
    AvgPool(2, divisor_override=-3),
    AvgPool(2, divisor_override=n),
    AvgPool((2,)),
]
NORMS = [
    LPPool(2, 2),
    LPPool(3, 2),
    LPPool(1, 2),
    LPPool(Fraction(3, 2), 2),
    LPPool(float("inf"), 2),
    LPPool(n, 2),
    LPPool(2, 3),
    LPPool(2, 2, 1),
    LPPool(2, 2, padding=1),
    LPPool(2, 2, dilation=2),
    LPPool(2, 2, ceil_mode=True),
    LPPool(2, (2,)),
]


def statements(op: Any) -> tuple[str, ...]:
    """All that an operator states: output, derivatives and gradients."""
    formulas = [op.output(), *(f for wrt in op.variables for f in (op.derivative(wrt), op.gradient(wrt)))]
    return tuple(formula.text() for formula in formulas)


def typeset(op: Any) -> tuple[str, ...]:
    formulas = [op.output(), *(f for wrt in op.variables for f in (op.derivative(wrt), op.gradient(wrt)))]
    return tuple(formula.latex() for formula in formulas)


@pytest.mark.parametrize(
    "family", [CONVOLUTIONS, MAXIMA, AVERAGES, NORMS], ids=["Conv", "MaxPool", "AvgPool", "LPPool"]
)
def test_no_two_of_a_family_are_taken_for_each_other(family: list[Any]) -> None:
    assert len(set(family)) == len(family)
    texts, prints = [statements(op) for op in family], [typeset(op) for op in family]
    for (k, one), (j, two) in combinations(enumerate(family), 2):
        assert one != two
        assert hash(one) != hash(two), (one, two)
        assert repr(one) != repr(two)
        same_windows = sizes(one) == sizes(two)
        assert texts[k] != texts[j] or not same_windows, (one, two)
        assert prints[k] != prints[j] or not same_windows, (one, two)


def sizes(op: Any) -> Any:
    """What the letter O stands for: the one thing that formulas do not spell out."""
    return op.output().definitions


def test_stride_one_and_two_differ_in_everything() -> None:
    one, two = Conv((3, 3), 1), Conv((3, 3), 2)
    assert one != two
    assert hash(one) != hash(two)
    assert (repr(one), repr(two)) == ("Conv(kernel_size=(3, 3))", "Conv(kernel_size=(3, 3), stride=(2, 2))")
    pairs = [
        (one.output(), two.output()),
        (one.derivative(), two.derivative()),
        (one.gradient("weight"), two.gradient("weight")),
    ]
    for left, right in pairs:
        assert left != right
        assert left.text() != right.text()
        assert left.latex() != right.latex()
        assert left.sympy() != right.sympy()


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (Conv(3), Conv((3, 3), (1, 1), ((0, 0), (0, 0)), (1, 1))),
        (Conv(3, padding=1), Conv((3, 3), padding=((1, 1), (1, 1)))),
        (Conv([3, 3], padding=[1, (1, 1)]), Conv((3, 3), padding=(1, 1))),
        (Conv(3, ndim=1), Conv((3,))),
        (Conv(sympy.Integer(3)), Conv(3)),
        (MaxPool(2), MaxPool((2, 2), 2)),
        (LPPool(2.0, 2), LPPool(Fraction(2), 2)),
        (LPPool(1.5, 2), LPPool(sympy.Rational(3, 2), 2)),
        (LPPool(1.1, 2), LPPool(Fraction(11, 10), 2)),  # a float is read as it prints
        (LPPool(sympy.oo, 2), LPPool(float("inf"), 2)),
    ],
)
def test_the_same_options_written_in_two_ways_are_equal(one: Any, two: Any) -> None:
    assert one == two
    assert hash(one) == hash(two)
    assert repr(one) == repr(two)
    assert statements(one) == statements(two)


def test_different_operators_over_the_same_window_are_different() -> None:
    family = [MaxPool(2), AvgPool(2), LPPool(1, 2), Conv(2, 2)]
    assert len(set(family)) == 4
    assert len({statements(op)[0] for op in family}) == 4


@pytest.mark.parametrize("op", [Conv(3), MaxPool(2), AvgPool(2), LPPool(2, 2)], ids=lambda op: type(op).__name__)
def test_operators_are_frozen(op: Any) -> None:
    for field in dataclasses.fields(op):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(op, field.name, 5)
    with pytest.raises((dataclasses.FrozenInstanceError, TypeError)):
        op.something_else = 1


def written_in_numbers(op: Any) -> bool:
    values = [getattr(op, field.name) for field in dataclasses.fields(op)]
    return not any(n in value if isinstance(value, tuple) else value in (n, float("inf")) for value in values) and (
        getattr(op, "padding", 0) != ((n, n), (n, n))
    )


@pytest.mark.parametrize(
    "op", [op for op in (*CONVOLUTIONS, *MAXIMA, *AVERAGES, *NORMS) if written_in_numbers(op)], ids=repr
)
def test_a_repr_of_plain_numbers_builds_the_same_operator_again(op: Any) -> None:
    import ast

    call = ast.parse(repr(op).replace("Fraction(3, 2)", "1.5"), mode="eval").body
    assert isinstance(call, ast.Call)
    assert isinstance(call.func, ast.Name)
    options = {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in call.keywords}
    kinds = {kind.__name__: kind for kind in (Conv, MaxPool, AvgPool, LPPool)}
    assert kinds[call.func.id](**options) == op


def test_windows_compare_by_every_field() -> None:
    base: dict[str, Any] = {"kernel": 3}
    others: list[dict[str, Any]] = [
        {"kernel": 2},
        {"stride": 2},
        {"before": 1},
        {"after": 1},
        {"dilation": 2},
        {"ceil_mode": True},
        {"fit": "same_upper"},
        {"fit": "same_lower"},
    ]
    family = [Window(**base), *(Window(**{**base, **other}) for other in others)]
    assert len(set(family)) == len(family)
    assert Window(3) == Window(sympy.Integer(3), 1, 0, 0, 1, False, None)
