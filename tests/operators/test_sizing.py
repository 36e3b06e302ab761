"""The size calculator: formulas with numbers put in, and the inverse against trying everything."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import oracles
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symconv.errors import ArgumentError, GeometryError
from symconv.operators.adaptive import AdaptiveAvgPool
from symconv.operators.base import Operator
from symconv.operators.convolution import Conv
from symconv.operators.patches import Unfold
from symconv.operators.pooling import MaxPool
from symconv.operators.sizing import settings_for, size_report
from symconv.operators.transposed import ConvTranspose
from symconv.operators.unpooling import MaxUnpool

often = settings(max_examples=80, deadline=None, derandomize=True)


@pytest.mark.parametrize(
    ("op", "n", "formula", "numbers", "output", "unread"),
    [
        (Conv((7,), 2, 3), 224, "⌊(I + 2P − K)/S⌋ + 1", "⌊(224 + 2·3 − 7)/2⌋ + 1", 112, ()),
        (Conv((3,), 3), 11, "⌊(I − K)/S⌋ + 1", "⌊(11 − 3)/3⌋ + 1", 3, ((9, 10),)),
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


def test_axes_are_reported_one_by_one() -> None:
    first, second = size_report(Conv((3, 2), (2, 1), ((1, 0), (0, 2)), (1, 2)), (7, 8))
    assert (first.output, second.output) == (3, 8)
    assert first.unread == ((6, 6),)
    with pytest.raises(GeometryError, match="padded input"):
        size_report(Conv((3, 3)), (2, 5))


# ------------------------------------------------------------------ the inverse


def every(n: int, out: int, k: int, most: int, ceil: bool = False) -> set[tuple[int, int, int]]:
    """All (stride, total padding, dilation) that give the size, by placing windows; the surplus goes after."""
    found = set()
    for d in range(1, most + 1):
        for total in range(2 * d * (k - 1) + 1):
            if ceil and total % 2:
                continue
            for s in range(1, n + 2 * d * k + 2):
                axis = oracles.Axis(k, s, total // 2, total - total // 2, d, ceil)
                if n + total >= d * (k - 1) + 1 and oracles.output_size(n, axis) == out:
                    found.add((s, total, d))
    return found


@often
@given(st.integers(1, 9), st.integers(2, 9), st.integers(1, 4))
def test_the_inverse_finds_everything_and_nothing_else(n: int, out: int, k: int) -> None:
    most = 1 if k == 1 else 2
    result = settings_for(n, out, k, most_dilation=most, limit=10_000)
    found = {
        (one.stride, total, one.dilation) for one in result.found for total in range(one.padding[0], one.padding[1] + 1)
    }
    assert found == every(n, out, k, most)
    assert result.more == 0
    keys = [(one.dilation, one.stride) for one in result.found]
    assert keys == sorted(keys)


@often
@given(st.integers(1, 9), st.integers(1, 6), st.integers(1, 3))
def test_the_inverse_with_ceil_mode(n: int, out: int, k: int) -> None:
    most = 1 if k == 1 else 2
    result = settings_for(n, out, k, ceil_mode=True, most_dilation=most, limit=10_000)
    expected = every(n, out, k, most, ceil=True)
    for one in result.found:
        assert (one.stride, one.padding[0], one.dilation) in expected
    if out > 1:
        assert {(one.stride, one.padding[0], one.dilation) for one in result.found} == expected
    else:  # one line for a stride and all larger ones
        assert {(one.padding[0], one.dilation) for one in result.found} == {(p, d) for _, p, d in expected}


@often
@given(st.integers(1, 6), st.integers(1, 14), st.integers(1, 4))
def test_the_inverse_of_a_transposed_convolution(n: int, out: int, k: int) -> None:
    most = 1 if k == 1 else 2
    result = settings_for(n, out, k, transposed=True, most_dilation=most, limit=10_000)
    found = {(one.stride, one.dilation) for one in result.found}
    expected = set()
    for d in range(1, most + 1):
        for s in range(1, out + 2 * d * k + 1):
            for extra in range(s):
                for total in range(2 * d * (k - 1) + 1):
                    axis = oracles.Axis(k, s, total // 2, total - total // 2, d)
                    if oracles.transposed_size(n, axis, extra) == out:
                        expected.add((s, d))
    if n > 1:
        assert found == expected
    else:  # a single input meets no stride: the smallest one stands for all
        assert {d for _, d in found} == {d for _, d in expected}
    for one in result.found:
        axis = oracles.Axis(k, one.stride, *one.sides, one.dilation)
        assert oracles.transposed_size(n, axis, one.output_padding) == out


def test_a_single_output_leaves_the_stride_free() -> None:
    (one,) = settings_for(224, 1, 7, dilation=1).found
    assert (one.stride, one.free_stride, one.inputs) == (218, True, (7, 224))
    for s in (218, 219, 500):
        assert oracles.output_size(224, oracles.Axis(7, s)) == 1
    assert oracles.output_size(224, oracles.Axis(7, 217)) == 2


def test_what_stays_free_is_free() -> None:
    (one,) = settings_for(224, 112, 7, dilation=1).found
    assert (one.stride, one.sides, one.padding, one.inputs) == (2, (3, 3), (5, 6), (223, 224))
    for n in range(220, 230):
        assert (oracles.output_size(n, oracles.Axis(7, 2, 3, 3)) == 112) == (223 <= n <= 224)


def test_options_that_are_fixed_and_bounds_that_are_said() -> None:
    fixed = settings_for(224, 112, 7, stride=2, padding=3)
    assert [(one.stride, one.sides, one.dilation) for one in fixed.found] == [(2, (3, 3), 1)]
    assert fixed.bounds == "padding 3 on either side, dilations up to 8, stride 2"
    assert settings_for(5, 100, 3).found == ()
    many = settings_for(10**9, 2, 3)
    assert (len(many.found), many.more) == (20, 1000)
    assert settings_for(7, 7, 1).bounds == "at most D*(K - 1) zeros on either side, dilations up to 1, any stride"


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((0, 1, 1), {}, "input_size must be >= 1"),
        ((1, 1, 1), {"stride": 0}, "stride must be >= 1"),
        ((1, 1, 1), {"padding": -1}, "padding must be >= 0"),
        ((1, 1, 1.5), {}, "kernel must be an integer"),
        ((1, 1, 1), {"ceil_mode": True, "transposed": True}, "ceil_mode must not be given"),
    ],
)
def test_arguments_of_the_inverse(arguments: Any, options: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        settings_for(*arguments, **options)
