"""One axis of the oracles: the step-by-step placement against hand counts and against the closed formulas."""

from __future__ import annotations

from itertools import product
from typing import Any

import oracles
import pytest
from oracles import Axis


@pytest.mark.parametrize(
    ("n", "axis", "size"),
    [
        (5, Axis(2, 2), 2),
        (5, Axis(2, 2, ceil_mode=True), 3),
        (6, Axis(3, 2, 1, 1, ceil_mode=True), 4),
        (4, Axis(2, 3, 1, 1, ceil_mode=True), 2),
        (2, Axis(5, 2), 0),
        (2, Axis(5, 2, ceil_mode=True), 0),
        (2, Axis(5, 4, ceil_mode=True), 1),
        (7, Axis(3, 2, dilation=2), 2),
        (7, Axis(3, 2, -1, -1), 2),
    ],
)
def test_sizes_by_hand(n: int, axis: Axis, size: int) -> None:
    assert oracles.output_size(n, axis) == size


def test_placement_agrees_with_the_closed_size() -> None:
    for n, k, s, d, pb, pe in product(range(7), range(1, 5), range(1, 5), (1, 2), range(-1, 4), range(-1, 4)):
        room = n + pb + pe - d * (k - 1) - 1
        assert oracles.output_size(n, Axis(k, s, pb, pe, d)) == max(0, room // s + 1), (n, k, s, d, pb, pe)
        ceiled = -(-room // s) + 1
        while ceiled > 0 and (ceiled - 1) * s >= n + pb:
            ceiled -= 1
        assert oracles.output_size(n, Axis(k, s, pb, pe, d, True)) == max(0, ceiled), (n, k, s, d, pb, pe)


def test_a_tap_reads_the_closed_position() -> None:
    for n, k, s, d, pb, pe in product(range(6), range(1, 4), range(1, 4), (1, 2), range(-1, 3), range(-1, 3)):
        for o, m, i in oracles.triples(n, Axis(k, s, pb, pe, d)):
            position = s * o + d * m - pb
            assert i == (position if 0 <= position < n else None)


def test_touching_agrees_with_its_closed_interval() -> None:
    for n, k, s, p in product(range(1, 7), range(1, 5), range(1, 4), range(3)):
        axis = Axis(k, s, p, p)
        for j in range(n):
            first, last = -(-(j + p - k + 1) // s), (j + p) // s
            inside = range(max(0, first), min(oracles.output_size(n, axis) - 1, last) + 1)
            assert oracles.touching(n, axis, j) == list(inside)


def test_same_padding_agrees_with_its_closed_form() -> None:
    for n, k, s, d in product(range(1, 9), range(1, 5), range(1, 5), (1, 2)):
        size = -(-n // s)
        total = max(0, (size - 1) * s + d * (k - 1) + 1 - n)
        assert oracles.same_output_size(n, s) == size
        assert oracles.same_padding(n, k, s, d, upper=True) == (total // 2, total - total // 2)
        assert oracles.same_padding(n, k, s, d, upper=False) == (total - total // 2, total // 2)
        for upper in (True, False):
            before, after = oracles.same_padding(n, k, s, d, upper=upper)
            assert oracles.output_size(n, Axis(k, s, before, after, d)) == size or total == 0
        before, after = oracles.pytorch_same_padding(k, d)
        assert (before, before + after) == (d * (k - 1) // 2, d * (k - 1))
        assert oracles.output_size(n, Axis(k, 1, before, after, d)) == n


def test_transposed_size_agrees_with_its_closed_form_and_inverts_the_size() -> None:
    for n, k, s, d, pb, pe, op in product(
        range(1, 6), range(1, 4), range(1, 4), (1, 2), range(-1, 3), range(-1, 3), (0, 1)
    ):
        axis = Axis(k, s, pb, pe, d)
        size = s * (n - 1) + d * (k - 1) + 1 + op - pb - pe
        assert oracles.transposed_size(n, axis, op) == max(0, size)
        if op < s and size >= 0:
            assert oracles.output_size(size, axis) == n


def test_adaptive_windows_agree_with_their_closed_form() -> None:
    for n, out in product(range(1, 12), range(1, 14)):
        closed = [list(range(o * n // out, -(-(o + 1) * n // out))) for o in range(out)]
        assert oracles.adaptive_windows(n, out) == closed


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
def test_padding_modes_agree_with_their_index_maps(mode: Any) -> None:
    for n, before, after in product(range(1, 6), range(-1, 9), range(-1, 9)):
        shown = oracles.sources(n, before, after, mode)
        assert sorted(shown) == list(range(-before, n + after))
        for position, source in shown.items():
            period = max(1, 2 * (n - 1))
            expected = {
                "reflect": min(position % period, period - position % period) if n > 1 else 0,
                "replicate": min(max(position, 0), n - 1),
                "circular": position % n,
            }[mode]
            assert source == expected, (n, position)
