"""The inverse of the size calculator, against placing the windows of everything that there is to try."""

from __future__ import annotations

from functools import cache
from itertools import product
from typing import Any

import oracles
import pytest

from symconv.errors import ArgumentError
from symconv.operators.settings import settings_for

INPUTS, OUTPUTS, KERNELS = (1, 2, 3, 5, 8), (1, 2, 3, 5), (1, 2, 3)
LARGEST = 26  # a stride beyond all that make a difference for these

Row = tuple[int, int, tuple[int, int], tuple[int, int], bool, int]


@cache
def size(kind: str, n: int, k: int, s: int, total: int, d: int, extra: int = 0) -> int:
    """The size that windows placed one by one have; an odd total padding has its surplus after."""
    axis = oracles.Axis(k, s, total // 2, total - total // 2, d, kind == "ceil")
    return oracles.transposed_size(n, axis, extra) if kind == "transposed" else oracles.output_size(n, axis)


def ends(values: list[int]) -> tuple[int, int]:
    assert values == list(range(values[0], values[-1] + 1))
    return values[0], values[-1]


def paddings(kind: str, n: int, out: int, k: int, s: int, d: int, totals: list[int]) -> list[tuple[list[int], int]]:
    """The total paddings that belong on one line, with the output padding, for one stride."""
    if kind == "floor":
        found = [total for total in totals if size(kind, n, k, s, total, d) == out]
        return [(found, 0)] if found else []
    if kind == "ceil":
        return [([total], 0) for total in totals if total % 2 == 0 and size(kind, n, k, s, total, d) == out]
    pairs = [(t, extra) for extra in range(s) for t in totals if size(kind, n, k, s, t, d, extra) == out]
    equal = [pair for pair in pairs if pair[0] % 2 == 0]
    return [([t], extra) for t, extra in equal or pairs[:1]]


def every(kind: str, n: int, out: int, k: int, ds: list[int], stride: int | None, padding: int | None) -> list[Row]:
    """All settings, by trying everything; where all strides from one on do it, that one stands for them."""
    rows: list[Row] = []
    for d in ds:
        totals = list(range(2 * d * (k - 1) + 1)) if padding is None else [2 * padding]
        free = (n if kind == "transposed" else out) == 1 and stride is None
        smallest: dict[int, int] = {}  # stride of a line
        for s in range(1, LARGEST + 1) if stride is None else [stride]:
            for found, extra in paddings(kind, n, out, k, s, d, totals):
                if free and smallest.setdefault(found[0] if kind == "ceil" else 0, s) < s:
                    continue
                if free:
                    assert all(size(kind, n, k, t, found[0], d, extra) == out for t in range(s, LARGEST + 1))
                total = next((t for t in found if t % 2 == 0), found[0])
                inputs = [m for m in range(1, out * s + 30) if size(kind, m, k, s, total, d, extra) == out]
                rows.append((s, d, ends(found), ends(inputs), free, extra))
    return sorted(rows, key=lambda row: (row[1], row[0], row[5], row[2]))


def printed(result: Any) -> list[Row]:
    return [(x.stride, x.dilation, x.padding, x.inputs, x.free_stride, x.output_padding) for x in result.found]


KINDS: dict[str, dict[str, Any]] = {"floor": {}, "ceil": {"ceil_mode": True}, "transposed": {"transposed": True}}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("out", OUTPUTS)
@pytest.mark.parametrize("n", INPUTS)
def test_the_inverse_finds_everything_and_nothing_else(n: int, out: int, kind: str) -> None:
    for k in KERNELS:
        result = settings_for(n, out, k, most_dilation=2, limit=10_000, **KINDS[kind])
        assert printed(result) == every(kind, n, out, k, [1, 2] if k > 1 else [1], None, None)
        assert result.more == 0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("stride", [None, 1, 2, 3, 9])
def test_options_that_are_fixed(stride: int | None, kind: str) -> None:
    for n, out, k, padding, d in product((1, 2, 5, 8), (1, 2, 3, 6), (1, 3), (None, 0, 1, 2, 3), (1, 3)):
        options = {"stride": stride, "padding": padding, "dilation": d, **KINDS[kind]}
        result = settings_for(n, out, k, limit=10_000, **options)
        assert printed(result) == every(kind, n, out, k, [d], stride, padding)


@pytest.mark.parametrize("kind", KINDS)
def test_the_padding_of_a_line_is_equal_on_both_sides_where_it_can_be(kind: str) -> None:
    for n, out, k in product((3, 5, 8), OUTPUTS, KERNELS):
        for one in settings_for(n, out, k, most_dilation=2, limit=10_000, **KINDS[kind]).found:
            low, high = one.padding
            sides = [(t // 2, t - t // 2) for t in range(low, high + 1)]
            assert one.sides == next((pair for pair in sides if pair[0] == pair[1]), sides[0])


def test_what_is_printed_first_and_how_many_more_there_are() -> None:
    (one,) = settings_for(224, 112, 7, dilation=1).found
    assert (one.stride, one.sides, one.padding, one.inputs) == (2, (3, 3), (5, 6), (223, 224))
    (one,) = settings_for(224, 1, 7, dilation=1).found
    assert (one.stride, one.free_stride, one.inputs) == (218, True, (7, 224))
    whole = printed(settings_for(9, 2, 3, limit=1000))
    for limit in (1, 5, len(whole) - 1, len(whole), len(whole) + 1):
        some = settings_for(9, 2, 3, limit=limit)
        assert (printed(some), some.more) == (whole[:limit], max(0, len(whole) - limit))
    assert {one[1] for one in whole} == set(range(1, 9))
    for kind in ("floor", "ceil"):
        many = settings_for(10**9, 2, 3, **KINDS[kind])
        assert (len(many.found), many.more) == (20, 1000)


def test_where_was_searched() -> None:
    assert settings_for(5, 5, 3).bounds == "at most D*(K - 1) zeros on either side, dilations up to 8, any stride"
    assert settings_for(7, 7, 1).bounds == "at most D*(K - 1) zeros on either side, dilations up to 1, any stride"
    assert settings_for(7, 7, 3, dilation=2, stride=4).bounds == "at most 4 zeros on either side, dilation 2, stride 4"
    assert settings_for(9, 9, 3, padding=3, most_dilation=4).bounds == (
        "padding 3 on either side, dilations up to 4, any stride"
    )
    assert settings_for(5, 9, 3, transposed=True, padding=0, dilation=1).bounds == (
        "padding 0 on either side, dilation 1, any stride, output padding below the stride, "
        "a padding that differs between the sides only where none else does"
    )


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((0, 1, 1), {}, "input_size must be >= 1"),
        ((1, 0, 1), {}, "output_size must be >= 1"),
        ((1, 1, 0), {}, "kernel must be >= 1"),
        ((1, 1, 1.5), {}, "kernel must be an integer"),
        ((1, 1, 1), {"stride": 0}, "stride must be >= 1"),
        ((1, 1, 1), {"padding": -1}, "padding must be >= 0"),
        ((1, 1, 1), {"dilation": 0}, "dilation must be >= 1"),
        ((1, 1, 1), {"most_dilation": 0}, "most_dilation must be >= 1"),
        ((1, 1, 1), {"limit": 0}, "limit must be >= 1"),
        ((1, 1, 1), {"ceil_mode": 1}, "ceil_mode must be True or False"),
        ((1, 1, 1), {"transposed": "no"}, "transposed must be True or False"),
        ((1, 1, 1), {"ceil_mode": True, "transposed": True}, "ceil_mode must not be given"),
    ],
)
def test_arguments_of_the_inverse(arguments: Any, options: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        settings_for(*arguments, **options)
    assert settings_for(3, 3, 1, dilation=1, stride=1, padding=0, most_dilation=1, limit=1).found
