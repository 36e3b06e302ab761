"""Pages of random convolutions, smallest sizes included: every line, its definitions and its sizes, by plain loops."""

from __future__ import annotations

from random import Random

import oracles
import pytest
from test_derive import test_what_a_line_says_is_what_plain_loops_give as read_back

from symconv.operators.convolution import Conv


def layers(seed: int, count: int) -> list[tuple[Conv, tuple[int, ...], bool, int]]:
    """Random layers that have an output, with an input size, whether it is fixed, and the first index."""
    random, found = Random(seed), []
    while len(found) < count:
        ndim = random.choice((1, 1, 2))
        kernel = tuple(random.randint(1, 3) for _ in range(ndim))
        stride = tuple(random.randint(1, 3) for _ in range(ndim))
        dilation = tuple(random.randint(1, 2) for _ in range(ndim))
        pads = tuple((random.randint(-1, 2), random.randint(-1, 2)) for _ in range(ndim))
        size = tuple(random.randint(1, 5) for _ in range(ndim))
        axes = zip(size, kernel, stride, pads, dilation, strict=True)
        if all(oracles.output_size(n, oracles.Axis(k, s, b, e, d)) for n, k, s, (b, e), d in axes):
            op = Conv(kernel, stride, pads, dilation, flip=random.random() < 0.3)
            found.append((op, size, random.random() < 0.5, random.randint(0, 1)))
    return found


@pytest.mark.parametrize(("op", "size", "fixed", "base"), layers(3, 12), ids=repr)
def test_a_random_page_says_what_plain_loops_give(op: Conv, size: tuple[int, ...], fixed: bool, base: int) -> None:
    read_back(op, size, fixed, base)


@pytest.mark.slow
@pytest.mark.parametrize(("op", "size", "fixed", "base"), layers(4, 400), ids=repr)
def test_many_random_pages(op: Conv, size: tuple[int, ...], fixed: bool, base: int) -> None:
    read_back(op, size, fixed, base)
