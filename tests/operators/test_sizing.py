"""The size calculator: formulas with numbers put in."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import oracles
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import symconv as sc
from symconv.errors import ArgumentError, GeometryError, NotSupportedError
from symconv.operators.adaptive import AdaptiveAvgPool
from symconv.operators.base import Operator
from symconv.operators.convolution import Conv
from symconv.operators.patches import Unfold
from symconv.operators.pooling import MaxPool
from symconv.operators.sizing import size_report
from symconv.operators.transposed import ConvTranspose
from symconv.operators.unpooling import MaxUnpool

often = settings(max_examples=80, deadline=None, derandomize=True)


@pytest.mark.parametrize(
    ("op", "n", "formula", "numbers", "output", "unread"),
    [
        (Conv((7,), 2, 3), 224, "⌊(I + 2P − K)/S⌋ + 1", "⌊(224 + 2·3 − 7)/2⌋ + 1", 112, ()),
        (Conv((3,), 3), 11, "⌊(I − K)/S⌋ + 1", "⌊(11 − 3)/3⌋ + 1", 3, ((9, 10),)),
        (
            Conv((3,), 2, ((2, 1),), in_channels=4, out_channels=2, groups=2),
            8,
            "⌊(I + B + E − K)/S⌋ + 1",
            "⌊(8 + 2 + 1 − 3)/2⌋ + 1",
            5,
            (),
        ),
        (Conv((3,), 1, ((0, 2),), 2), 8, "I + B + E − D(K − 1)", "8 + 0 + 2 − 2·(3 − 1)", 6, ()),
        (Conv((3,), 1, -1), 9, "I + 2P − K + 1", "9 + 2·(−1) − 3 + 1", 5, ((0, 0), (8, 8))),
        (Conv((3,), 2, "same_upper"), 9, "⌈I/S⌉", "⌈9/2⌉", 5, ()),
        (Conv((3,), 1, "same"), 9, "I", "9", 9, ()),
        (Conv((3,), 1, "full"), 9, "I + K − 1", "9 + 3 − 1", 11, ()),
        (Unfold((1,), 4), 9, "⌊(I − K)/S⌋ + 1", "⌊(9 − 1)/4⌋ + 1", 3, ((1, 3), (5, 7))),
        (ConvTranspose((3,), 4), 7, "S(I − 1) + K", "4·(7 − 1) + 3", 27, ()),
        (MaxUnpool((2,)), 4, "S(I − 1) + K", "2·(4 − 1) + 2", 8, ()),
        (AdaptiveAvgPool((3,)), 7, "O", "3", 3, ()),
    ],
)
def test_the_formula_with_the_numbers_put_in(
    op: Operator, n: int, formula: str, numbers: str, output: int, unread: Any
) -> None:
    (axis,) = size_report(op, (n,))
    assert (axis.formula, axis.numbers, axis.output, axis.unread) == (formula, numbers, output, unread)
    assert axis.dropped == sum(last - first + 1 for first, last in unread)


def worked_out(text: str) -> int:
    """The value of a printed formula of numbers, by a small calculator of its own."""
    tokens = re.findall(r"\d+|min|[⌊⌋⌈⌉()+−·/,]", text)

    def total() -> Fraction:
        value = term()
        while tokens and tokens[0] in "+−":
            value = value + term() if tokens.pop(0) == "+" else value - term()
        return value

    def term() -> Fraction:
        value = factor()
        while tokens and tokens[0] in "·/":
            value = value * factor() if tokens.pop(0) == "·" else value / factor()
        return value

    def factor() -> Fraction:
        token = tokens.pop(0)
        if token == "−":
            return -factor()
        if token == "min":
            tokens.pop(0)
            values = [total()]
            while tokens.pop(0) == ",":
                values.append(total())
            return min(values)
        if token in "(⌊⌈":
            value = total()
            tokens.pop(0)
            return value if token == "(" else Fraction(value // 1 if token == "⌊" else -(-value // 1))
        return Fraction(token)

    value = total()
    assert not tokens
    assert value.denominator == 1
    return int(value)


@often
@given(
    st.integers(1, 30),
    st.integers(1, 5),
    st.integers(1, 4),
    st.tuples(st.integers(-1, 4), st.integers(-1, 4)),
    st.integers(1, 3),
    st.sampled_from(["conv", "pool", "transposed"]),
)
def test_the_numbers_work_out_to_the_size_that_loops_count(
    n: int, k: int, s: int, sides: tuple[int, int], d: int, kind: str
) -> None:
    axis = oracles.Axis(k, s, *sides, d, ceil_mode=kind == "pool")
    if kind == "transposed":
        op: Operator = ConvTranspose((k,), s, (sides,), 1, d)
        expected = oracles.transposed_size(n, axis, 1)
    else:
        op = MaxPool((k,), s, (sides,), d, True) if kind == "pool" else Conv((k,), s, (sides,), d)
        expected = oracles.output_size(n, axis)
    if expected < 1 or n + sum(sides) < d * (k - 1) + 1 or (kind == "pool" and sides[1] > d * (k - 1)):
        return
    (found,) = size_report(op, (n,))
    assert found.output == expected == worked_out(found.numbers)


def test_one_axis_may_be_one_number() -> None:
    assert size_report(Conv((3,)), 5) == size_report(Conv((3,)), (5,))  # type: ignore[arg-type]


def test_axes_are_reported_one_by_one() -> None:
    first, second = size_report(Conv((3, 2), (2, 1), ((1, 0), (0, 2)), (1, 2)), (7, 8))
    assert (first.output, second.output) == (3, 8)
    assert first.unread == ((6, 6),)
    with pytest.raises(GeometryError, match="padded input"):
        size_report(Conv((3, 3)), (2, 5))
    with pytest.raises(ArgumentError, match="input_size must be >= 1"):
        size_report(Conv((3,), padding=3), (0,))
    with pytest.raises(ArgumentError, match="op must be an operator"):
        size_report((3,), (5,))  # type: ignore[arg-type]


def test_an_axis_that_is_too_long_is_not_gone_through() -> None:
    (axis,) = size_report(Conv((3,), 2), (10**9,))
    assert (axis.output, axis.unread, axis.dropped) == (499_999_999, None, None)


@pytest.mark.parametrize("op", [sc.ReLU(), sc.Dense(3), sc.Flatten(ndim=1), sc.Softmax(), sc.Add(ndim=1)], ids=repr)
def test_layers_without_windows_have_no_report(op: sc.Operator) -> None:
    with pytest.raises(NotSupportedError, match="has no windows whose places are counted; its output_size is"):
        sc.size_report(op, 5)
