"""The arguments of test vectors: whole numbers that tell conventions, and slips of implementations, apart.

They are drawn with `random.Random.random`, whose numbers are the same in every version of Python.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import isqrt, prod
from random import Random

import numpy as np

from symconv.audits.reading import Array
from symconv.audits.trials import Trial
from symconv.operators.adaptive import AdaptiveMaxPool
from symconv.operators.base import Operator
from symconv.operators.convolution import Conv
from symconv.operators.pooling import LPPool, MaxPool
from symconv.operators.transposed import ConvTranspose

__all__ = ["trials_of"]

Shape = tuple[int, ...]
BELOW_HALF = 70_000
"""Its negative is below every number of float16: a maximum that starts at such a one is wrong."""
WHOLE = 1 << 24
"""Whole numbers up to this one are exact in float32."""


def trials_of(op: Operator, shapes: Mapping[str, Shape], output: Shape, terms: int, *, full: bool) -> Iterator[Trial]:
    """What an operator is tried on at one size.

    Args:
        op: the operator.
        shapes: the shapes of its arguments by variable.
        output: that of its output.
        terms: how many products a sum has at most.
        full: whether all kinds are given; otherwise the few that tell sizes and places apart.
    """
    draw = Random(repr((op, tuple(shapes.items()))))  # noqa: S311  (no secret)
    made = _products(op, shapes, output, terms, draw) if isinstance(op, Conv | ConvTranspose) else None
    made = _pooled(op, shapes["input"], output, draw) if made is None else made
    for trial, always in made:
        if full or always:
            yield trial


def _drawn(draw: Random, shape: Shape, least: int, most: int) -> Array:
    """Whole numbers from `least` to `most`, without 0 where that lies between."""
    found: list[int] = []
    while len(found) < prod(shape):
        number = least + int(draw.random() * (most - least + 1))
        if number or not least < 0 < most:
            found.append(number)
    return np.array(found, dtype=np.float64).reshape(shape)


def _ordered(draw: Random, shape: Shape) -> Array:
    """All entries different: 0, 1, ... in a random order."""
    places = list(range(prod(shape)))
    for k in range(len(places) - 1, 0, -1):  # Fisher and Yates; Random.shuffle promises no order
        j = int(draw.random() * (k + 1))
        places[k], places[j] = places[j], places[k]
    return np.array(places, dtype=np.float64).reshape(shape)


def _products(
    op: Operator, shapes: Mapping[str, Shape], output: Shape, terms: int, draw: Random
) -> Iterator[tuple[Trial, bool]]:
    """Of convolutions: nothing is 0, so that every product that is lost, doubled or exchanged shows."""

    def filled(words: str, make: Callable[[Shape], Array]) -> Trial:
        return Trial(words, {name: make(shape) for name, shape in shapes.items()}, make(output))

    yield filled("small integers", lambda shape: _drawn(draw, shape, -4, 4)), True
    yield filled("positive integers", lambda shape: _drawn(draw, shape, 3, 9)), False
    negative = filled("a negative output", lambda shape: _drawn(draw, shape, 3, 9))
    yield negative.with_array("input", -negative.arrays["input"]), False
    top = isqrt(max(1, WHOLE // max(1, terms))) - 1
    yield filled("sums that need float32", lambda shape: _drawn(draw, shape, -max(1, top), max(1, top))), False
    one = filled("one entry", lambda shape: _drawn(draw, shape, -4, 4))
    x = np.zeros(shapes["input"])
    x.flat[-1] = 1
    yield one.with_array("input", x), False


def _pooled(op: Operator, shape: Shape, output: Shape, draw: Random) -> Iterator[tuple[Trial, bool]]:
    """Of poolings: orders, negative entries, ties, and what is no number."""
    largest = isinstance(op, MaxPool | AdaptiveMaxPool)
    defined = not largest or op.ties in ("first", "split")  # type: ignore[attr-defined]  # where entries are equal

    def of(words: str, x: Array, *, gradient: bool = True) -> Trial:
        return Trial(words, {"input": x}, _drawn(draw, output, -4, 4) if gradient else None)

    order = _ordered(draw, shape)
    signed = 2 * order - (order.size | 1) if isinstance(op, LPPool) else order - order.size // 2  # no 0 for a norm
    yield of("entries that are all different", signed), True
    yield of("negative entries", -1 - _ordered(draw, shape)), True
    yield of("equal entries at borders and inside", _drawn(draw, shape, -2, 2), gradient=defined), True
    yield of("small integers", _drawn(draw, shape, -4, 4), gradient=defined), False
    yield of("all entries -1", np.full(shape, -1.0), gradient=defined), False
    zero = np.zeros(shape)
    yield of("all entries 0", zero, gradient=defined and not isinstance(op, LPPool)), False  # a norm has a kink at 0
    if largest:
        yield of("entries below the least of float16", -BELOW_HALF - _ordered(draw, shape)), False
    if isinstance(op, LPPool):
        return
    for words, value in (("NaN", np.nan), ("infinity", np.inf), ("minus infinity", -np.inf)):
        x = _drawn(draw, shape, -4, 4)
        x.flat[x.size // 2] = value
        yield of(f"{words} in one place", x, gradient=False), False
    yield of("minus infinity everywhere", np.full(shape, -np.inf), gradient=False), False
