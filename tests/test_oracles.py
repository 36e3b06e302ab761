"""The oracles against worked examples and hand counts; wrong calls are refused."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import oracles
import pytest
from oracles import Axis, tensor

# Public solutions of the DS-GA 1008 convolution exercise use these two matrices.
EXERCISE_A = [[4, 5, 2, 2, 1], [3, 3, 2, 2, 4], [4, 3, 4, 1, 1], [5, 1, 4, 1, 2], [5, 1, 3, 1, 4]]
EXERCISE_B = [[4, 3, 3], [5, 5, 5], [2, 4, 3]]
# Dumoulin & Visin, "A guide to convolution arithmetic for deep learning" (arXiv 1603.07285), figures 1.1 and 1.2.
GUIDE_X = [[3, 3, 2, 1, 0], [0, 0, 1, 3, 1], [3, 1, 2, 2, 3], [2, 0, 0, 2, 2], [2, 0, 0, 0, 1]]
GUIDE_W = [[0, 1, 2], [2, 2, 0], [0, 1, 2]]


def plane(rows: Any) -> list[Any]:
    """One plane as batch and channel of one."""
    return [[rows]]


@pytest.mark.parametrize(
    ("flip", "expected"),
    [
        (False, [[109, 92, 72], [108, 85, 74], [110, 74, 79]]),
        (True, [[113, 87, 75], [114, 80, 75], [112, 73, 81]]),
    ],
)
def test_conv_of_the_exercise(flip: bool, expected: list[list[int]]) -> None:
    assert oracles.conv(plane(EXERCISE_A), plane(EXERCISE_B), flip=flip).nested() == plane(expected)


def test_input_gradient_of_the_exercise_for_all_ones_upstream() -> None:
    gradient = oracles.conv_vjp(oracles.full((1, 1, 3, 3), 1), plane(EXERCISE_A), plane(EXERCISE_B)).input
    assert gradient == oracles.conv(plane(EXERCISE_B), oracles.full((1, 1, 3, 3), 1), padding=2)
    assert gradient[0, 0, 0, 0] == 4
    assert gradient[0, 0, 2, 2] == sum(map(sum, EXERCISE_B))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [[12, 12, 17], [10, 17, 19], [9, 6, 14]]),
        ({"stride": 2, "padding": 1}, [[6, 17, 3], [8, 17, 13], [6, 4, 4]]),
    ],
)
def test_conv_of_the_guide(options: dict[str, int], expected: list[list[int]]) -> None:
    assert oracles.conv(plane(GUIDE_X), plane(GUIDE_W), **options).nested() == plane(expected)


@pytest.mark.parametrize(
    ("rows", "expected", "place"), [([[114, 87], [114, 81]], 114, 0), ([[109, 92], [110, 85]], 110, 2)]
)
def test_max_pool_of_the_exercise(rows: list[list[int]], expected: int, place: int) -> None:
    values, places = oracles.max_pool(plane(rows), 2, stride=1)
    assert (values.flat(), places.flat()) == ([expected], [place])


def test_conv_by_hand_with_groups_channels_bias_and_pads() -> None:
    x = [[[1, 2, 3], [10, 20, 30]]]
    weight = [[[1, 2]], [[3, 0]], [[1, 1]], [[0, 1]]]
    out = oracles.conv(x, weight, [0, 1, 2, 3], groups=2, padding=((1, 0),))
    assert out.nested() == [[[2, 5, 8], [1, 4, 7], [12, 32, 52], [13, 23, 33]]]
    assert oracles.conv(x, weight, groups=2, padding=((-1, 0),)).nested() == [[[8], [6], [50], [30]]]
    assert oracles.conv([[[1, 2, 3, 4, 5]]], [[[1, 10]]], dilation=2, stride=2).nested() == [[[31, 53]]]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("zeros", [0, 0, 1, 2, 3, 0]),
        ("reflect", [3, 2, 1, 2, 3, 2]),
        ("replicate", [1, 1, 1, 2, 3, 3]),
        ("circular", [2, 3, 1, 2, 3, 1]),
    ],
)
def test_padding_modes_by_hand(mode: str, expected: list[int]) -> None:
    assert oracles.conv([[[1, 2, 3]]], [[[1]]], padding=((2, 1),), padding_mode=mode).flat() == expected


def test_conv_transpose_by_hand() -> None:
    x = [[[1, 2]]]
    assert oracles.conv_transpose(x, [[[1, 10, 100]]], [5], stride=2).flat() == [6, 15, 107, 25, 205]
    assert oracles.conv_transpose(x, [[[1, 10, 100]]], stride=2, flip=True).flat() == [100, 10, 201, 20, 2]
    cropped = oracles.conv_transpose(x, [[[1, 10, 100]]], stride=2, padding=1, output_padding=1)
    assert cropped.flat() == [10, 102, 20, 200]
    assert oracles.conv_transpose(x, [[[1, 10]]], dilation=3, stride=2, output_padding=1).flat() == [
        1,
        0,
        2,
        10,
        0,
        20,
        0,
    ]


def test_conv_transpose_by_hand_with_groups() -> None:
    # Channels 0 and 1 feed outputs 0 and 1, channels 2 and 3 feed outputs 2 and 3.
    x = [[[1], [10], [100], [1000]]]
    weight = [[[1], [2]], [[3], [4]], [[5], [6]], [[7], [8]]]
    assert oracles.conv_transpose(x, weight, groups=2).flat() == [31, 42, 7500, 8600]


def test_max_pool_by_hand() -> None:
    values, places = oracles.max_pool([[[5, 7, 7, -1, 2]]], 3, stride=2, padding=1, ceil_mode=True)
    assert (values.flat(), places.flat()) == ([7, 7, 2], [1, 1, 4])
    gradient = oracles.max_pool_vjp([[[1, 10, 100]]], [[[5, 7, 7, -1, 2]]], 3, stride=2, padding=1, ceil_mode=True)
    assert gradient.flat() == [0, 11, 0, 0, 100]
    shared = oracles.max_pool_vjp(plane([[6]]), plane([[5, 5], [5, 1]]), 2, ties="split")
    assert shared.nested() == plane([[2, 2], [2, 0]])


def test_max_pool_nan_and_padding() -> None:
    values, places = oracles.max_pool([[[math.inf, math.nan, math.nan]]], 3)
    assert math.isnan(values.flat()[0])
    assert places.flat() == [1]
    values, places = oracles.max_pool([[[-4, -3]]], 3, stride=1, padding=1)
    assert (values.flat(), places.flat()) == ([-3, -3], [1, 1])


def test_average_by_hand() -> None:
    row = [[[1, 2, 3, 4, 5]]]
    assert oracles.avg_pool(row, 2).flat() == [Fraction(3, 2), Fraction(7, 2)]
    assert oracles.avg_pool(row, 2, ceil_mode=True).flat() == [Fraction(3, 2), Fraction(7, 2), 5]
    assert oracles.avg_pool(row, 3, stride=2, padding=1).flat() == [1, 3, 3]
    assert oracles.avg_pool(row, 3, stride=2, padding=1, count_include_pad=False).flat() == [
        Fraction(3, 2),
        3,
        Fraction(9, 2),
    ]
    assert oracles.avg_pool(row, 2, divisor_override=3).flat() == [1, Fraction(7, 3)]
    # Six entries leave the fourth window with one input, one padding (position 6) and one overhang tap (position 7).
    six = [[[1, 2, 3, 4, 5, 6]]]
    assert oracles.avg_pool(six, 3, stride=2, padding=1, ceil_mode=True).flat()[3] == 3
    assert oracles.avg_pool(six, 3, stride=2, padding=1, ceil_mode=True, count_include_pad=False).flat()[3] == 6
    assert oracles.avg_pool_vjp([[[6, 60]]], [[[0, 0, 0]]], 2, ceil_mode=True).flat() == [3, 3, 60]


def test_lp_by_hand() -> None:
    row = [[[-3, 4, 0, 0]]]
    assert oracles.lp_pool(row, 1, 2).flat() == [7, 0]
    assert oracles.lp_pool(row, 2, 2).flat() == [5, 0]
    assert oracles.lp_pool(row, math.inf, 2).flat() == [4, 0]
    assert oracles.lp_pool(row, Fraction(1), 2).flat() == [7, 0]
    assert oracles.lp_pool_vjp([[[10, 10]]], row, 2, 2).flat() == pytest.approx([-6, 8, 0, 0])
    assert oracles.lp_pool_vjp([[[10, 10]]], row, 1, 2).flat() == [-10, 10, 0, 0]
    assert oracles.lp_pool_vjp([[[10, 10]]], row, math.inf, 2).flat() == [0, 10, 0, 0]
    tied = oracles.lp_pool_vjp([[[10]]], [[[-3, 3]]], math.inf, 2, ties="split")
    assert tied.flat() == [-5, 5]


@pytest.mark.parametrize("scale", [1e-320, 1e-200, 1e200])
def test_lp_neither_overflows_nor_underflows(scale: float) -> None:
    row = [[[3 * scale, -4 * scale]]]
    assert oracles.lp_pool(row, 2, 2).flat() == pytest.approx([5 * scale], rel=1e-3, abs=0)
    assert oracles.lp_pool_vjp([[[1]]], row, 2, 2).flat() == pytest.approx([0.6, -0.8], rel=1e-3)


def test_lp_of_infinite_and_nan_values() -> None:
    assert oracles.lp_pool([[[1, -math.inf]]], 3, 2).flat() == [math.inf]
    assert oracles.lp_pool_vjp([[[1]]], [[[1, -math.inf]]], 1, 2).flat() == [1, -1]
    assert oracles.lp_pool_vjp([[[1]]], [[[1, -math.inf]]], math.inf, 2).flat() == [0, -1]
    slopes = oracles.lp_pool_vjp([[[1]]], [[[1, -math.inf]]], 3, 2).flat()
    assert slopes[0] == 0
    assert math.isnan(slopes[1])
    assert math.isnan(oracles.lp_pool([[[math.inf, math.nan]]], 3, 2).flat()[0])
    assert math.isnan(oracles.lp_pool([[[math.inf, math.nan]]], math.inf, 2).flat()[0])


def test_windows_without_a_real_tap() -> None:
    hole: dict[str, Any] = {"dilation": 2, "padding": 1}
    x = [[[7]]]
    values, places = oracles.max_pool(x, 2, **hole)
    assert (values.flat(), places.flat()) == ([-math.inf], [-1])
    assert oracles.max_pool_vjp([[[1]]], x, 2, **hole).flat() == [0]
    assert oracles.lp_pool(x, 2, 2, **hole).flat() == [0]
    assert oracles.lp_pool_vjp([[[1]]], x, 2, 2, **hole).flat() == [0]
    assert oracles.avg_pool(x, 2, **hole).flat() == [0]
    assert oracles.avg_pool(x, 2, **hole, count_include_pad=False, divisor_override=4).flat() == [0]
    assert oracles.avg_pool_vjp([[[1]]], x, 2, **hole, count_include_pad=False).flat() == [0]
    with pytest.raises(ZeroDivisionError, match=r"^the window of output \(0,\) has no tap to average$"):
        oracles.avg_pool(x, 2, **hole, count_include_pad=False)
    assert math.isnan(oracles.avg_pool(x, 2, **hole, count_include_pad=False, empty="nan").flat()[0])


def test_adaptive_by_hand() -> None:
    row = [[[1, 5, 5, 2, 4]]]
    assert oracles.adaptive_avg_pool(row, 3).flat() == [3, 4, 3]
    values, places = oracles.adaptive_max_pool(row, 3)
    assert (values.flat(), places.flat()) == ([5, 5, 4], [1, 1, 4])
    assert oracles.adaptive_max_pool_vjp([[[1, 10, 100]]], row, 3).flat() == [0, 11, 0, 0, 100]
    assert oracles.adaptive_max_pool_vjp([[[2, 10, 100]]], row, 3, ties="split").flat() == [0, 7, 5, 0, 100]
    assert oracles.adaptive_avg_pool_vjp([[[2, 3, 4]]], row, 3).flat() == [1, 2, 1, 3, 2]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tensor([[1, 2], [3]]), r"^nested lists must be a box of shape \(2, 2\), but differ at index \(1,\)$"),
        (lambda: Axis(0), r"^kernel must be >= 1, got 0$"),
        (lambda: oracles.conv([[[1]]], [[[1]]], [1, 2]), r"^bias must have one entry an output channel \(1\)"),
        (lambda: oracles.conv([[[1]]], [[[1], [1]]]), r"^weight must have in/groups = 1/1 channels, got 2$"),
        (
            lambda: oracles.conv([[[1]]], [[[1]]], padding=(1, 1)),
            r"^one padding an axis is needed \(1\), got \(1, 1\)$",
        ),
        (lambda: oracles.lp_pool([[[1]]], 0.5, 1), r"^the order p of an LP pool must be >= 1 or infinity, got 0.5$"),
        (lambda: oracles.max_pool_vjp([[[1, 1]]], [[[1]]], 1), r"^grad_output must have the shape of the output"),
    ],
)
def test_wrong_calls_are_refused(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_numpy_converters_keep_shape_and_fractions() -> None:
    np = pytest.importorskip("numpy", reason="the converters of the oracles need NumPy")
    assert tensor(np.zeros((2, 0, 3))).shape == (2, 0, 3)
    assert tensor(np.array([[1, 2]])).nested() == [[1, 2]]
    assert oracles.to_numpy(tensor([[1, 2]])).dtype == np.float64
    assert oracles.to_numpy(oracles.avg_pool([[[1, 2]]], 2), "object")[0, 0, 0] == Fraction(3, 2)
