"""What a black box is tried on: small integers, numbers with all digits, products of basis vectors, order patterns.

All arrays are canonical: input (N, C, places), weight (O, I, taps) or (I, O, taps) for a transposed convolution, bias
(O,), upstream gradient (N, O, places). Their entries are exact in the type that is tried.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import prod
from typing import Any

import numpy as np

from symconv.audits.reading import Array

__all__ = ["Shapes", "Trial", "basis", "corners", "extremes", "generic", "picks", "picks_count"]

Draw = np.random.Generator
MOST_SPECIAL = 12
MOST_TERMS = 60  # of a sum that is tried on numbers with all digits: in bfloat16 no more can be told from rounding


@dataclass(frozen=True)
class Trial:
    """One call.

    Attributes:
        words: what is special about it.
        arrays: the arguments by variable.
        upstream: the gradient of the output, where gradients are asked for.
    """

    words: str
    arrays: Mapping[str, Array]
    upstream: Array | None = None

    def with_array(self, name: str, array: Array) -> Trial:
        """The same with another argument, or another upstream gradient."""
        if name == "upstream":
            return replace(self, upstream=array)
        return replace(self, arrays={**self.arrays, name: array})

    def parts(self) -> Iterator[tuple[str, Array]]:
        """Its arrays by name."""
        yield from self.arrays.items()
        if self.upstream is not None:
            yield "upstream", self.upstream


@dataclass(frozen=True)
class Shapes:
    """The canonical shapes of what an operator takes and gives.

    Attributes:
        arguments: by variable, those that are tried; what is fixed is not among them.
        output: of the output, and of its gradient.
        digits: the digits of the type; 0 for integers.
        gradients: whether gradients are asked for.
        top: how large integers may be, so that no sum of what they are multiplied to overflows.
    """

    arguments: Mapping[str, tuple[int, ...]]
    output: tuple[int, ...]
    digits: int
    gradients: bool
    top: int = 1 << 20

    def filled(self, words: str, make: Any) -> Trial:
        """A trial whose arrays are made of their shapes."""
        upstream = make("upstream", self.output) if self.gradients else None
        return Trial(words, {name: make(name, shape) for name, shape in self.arguments.items()}, upstream)


def generic(shapes: Shapes, cases: int, seed: int, terms: int) -> Iterator[Trial]:
    """Random cases: small integers, larger ones, and numbers with all the digits of the type.

    Args:
        shapes: the shapes.
        cases: how many.
        seed: of the random numbers.
        terms: the number of products of a sum at most.
    """
    draw = np.random.default_rng(seed)
    few = min(1.0, MOST_TERMS / max(terms, 1))
    for case in range(cases):
        if case == 0:
            yield shapes.filled("small integers", lambda _, shape: _integers(draw, min(5, shapes.top), shape))
        elif case % 3 == 0:
            yield shapes.filled("zeros and small integers", partial(_thinned, draw, min(3, shapes.top)))
        elif case % 3 == 1 and shapes.digits:
            yield shapes.filled(
                "numbers with all digits",
                lambda name, shape: _digits(draw, shapes.digits, shape, few if name == "input" else 1.0),
            )
        else:
            yield shapes.filled("integers", lambda _, shape: _integers(draw, min(9, shapes.top), shape))


def _integers(draw: Draw, most: int, shape: tuple[int, ...]) -> Array:
    return np.asarray(draw.integers(-most, most + 1, shape), dtype=np.float64)


def _thinned(draw: Draw, most: int, _: str, shape: tuple[int, ...]) -> Array:
    return _integers(draw, most, shape) * (draw.random(shape) < 0.3)


def _digits(draw: Draw, digits: int, shape: tuple[int, ...], share: float) -> Array:
    """Numbers with all digits between 1/2 and 1, of both signs, and zeros; nothing that is made of them underflows."""
    half = 1 << min(digits, 53) - 1
    sizes = draw.integers(half, 2 * half, shape) / (2 * half)
    return np.asarray(sizes * draw.choice([-1.0, 1.0], shape) * (draw.random(shape) < share))


def basis(shapes: Shapes, pairs: Sequence[tuple[str, str]], most: int) -> tuple[Iterator[Trial], int, bool]:
    """Products of basis vectors: one entry of each array of a pair is 1, and all others are 0.

    Args:
        shapes: the shapes.
        pairs: which arrays are multiplied; a pair of an array with itself stands for that array alone.
        most: how many there may be.

    Returns:
        The trials, how many all of them are, and whether these are all of them.
    """
    sizes = {name: prod(shape) for name, shape in (*shapes.arguments.items(), ("upstream", shapes.output))}
    counts = [sizes[a] * (sizes[b] if b != a else 1) for a, b in pairs]
    total = sum(counts)
    if total > most:
        return iter(()), total, False
    return (trial for pair in pairs for trial in _products(shapes, sizes, *pair)), total, True


def _products(shapes: Shapes, sizes: Mapping[str, int], first: str, second: str) -> Iterator[Trial]:
    for i in range(sizes[first]):
        for j in range(sizes[second]) if first != second else (0,):
            held = {first: i, second: j} if first != second else {first: i}

            def make(name: str, shape: tuple[int, ...], held: dict[str, int] = held) -> Array:
                array = np.zeros(shape)
                if name in held:
                    array.flat[held[name]] = 1
                return array

            words = "a product of basis vectors" if first != second else "a basis vector"
            trial = shapes.filled(words, make)
            yield trial if "upstream" in held else replace(trial, upstream=None)


def corners(shapes: Shapes, cases: int, seed: int, *, special: bool, ties: bool) -> Iterator[Trial]:
    """What poolings go wrong on: orders, negative entries, zeros, ties; NaN and infinities.

    Args:
        shapes: the shapes.
        cases: how many of each random kind.
        seed: of the random numbers.
        special: whether NaN and infinities may be tried; they are the last.
        ties: whether gradients have a value where entries are equal.
    """
    draw = np.random.default_rng(seed)
    shape, size = shapes.arguments["input"], prod(shapes.arguments["input"])

    def of(words: str, x: Array, *, gradient: bool = True) -> Trial:
        upstream = _integers(draw, 5, shapes.output) if shapes.gradients and gradient else None
        return Trial(words, {"input": x}, upstream)

    for constant in (0, 1, -1):
        yield of(f"all entries {constant}", np.full(shape, float(constant)), gradient=ties)
    top = min(shapes.top, _order(size, shapes.digits))
    for _ in range(cases):
        order = draw.permutation(size).reshape(shape) % top
        yield of("distinct negative entries", order - float(top), gradient=ties or top == size)
        yield of("distinct entries of both signs", order - float(top // 2), gradient=ties or top == size)
        yield of("ties", _integers(draw, min(2, shapes.top), shape), gradient=ties)
        yield of("zeros and ones", draw.integers(0, 2, shape).astype(float), gradient=ties)
    if special:
        yield of("all entries -inf", np.full(shape, -np.inf), gradient=False)
        for value in (np.nan, np.inf, -np.inf):
            for flat in range(0, size, max(1, size // MOST_SPECIAL)):
                x = _integers(draw, min(5, shapes.top), shape)
                x.flat[flat] = value
                yield of(f"one entry {value}", x, gradient=False)


def extremes(shapes: Shapes, sizes: Mapping[str, float]) -> Iterator[Trial]:
    """Entries near the ends of what a type holds, where a power or a sum of them leaves it.

    Args:
        shapes: the shapes.
        sizes: powers of two, by what they are.
    """
    for words, value in sizes.items():
        yield Trial(words, {"input": np.resize([1.0, 1.0, 0.5, -1.0], shapes.arguments["input"]) * value})


def picks(shapes: Shapes, windows: Sequence[Array], seed: int, *, ties: bool) -> Iterator[Trial]:
    """What decides a maximum: every entry largest in turn, every window smallest; and whose gradient it is.

    Args:
        shapes: the shapes.
        windows: for every output of a plane the entries of its window, as flat places in the input plane, in order.
        seed: of the random numbers.
        ties: whether pairs of largest entries are tried.
    """
    draw = np.random.default_rng(seed)
    shape, lead = shapes.arguments["input"], shapes.arguments["input"][:2]
    plane = prod(shape[2:])
    for flat in range(prod(shape)):
        x = np.full(shape, -1.0)
        x.flat[flat] = 0
        yield Trial("one entry larger than all others", {"input": x})
    for window in windows:
        x = np.zeros((*lead, plane))
        x[..., window] = -1
        yield Trial("one window smaller than all others", {"input": x.reshape(shape)})
    if not shapes.gradients:
        return
    top = _order(prod(shape), shapes.digits)
    for place, window in enumerate(windows):
        g = np.zeros((*lead, len(windows)))
        g[..., place] = 1
        groups: list[tuple[int, ...]] = [(int(tap),) for tap in window]
        groups += [(int(a), int(b)) for k, a in enumerate(window) for b in window[k + 1 :]] if ties else []
        for group in groups:
            x = (draw.permutation(prod(shape)) % top - float(top)).reshape(*lead, plane)
            x[..., list(group)] = 0
            words = "one entry largest in a window" if len(group) == 1 else "two entries equal and largest in a window"
            yield Trial(words, {"input": x.reshape(shape)}, g.reshape(shapes.output))


def picks_count(shapes: Shapes, windows: Sequence[Array], *, ties: bool) -> int:
    """How many trials `picks` gives."""
    taps = [len(window) for window in windows]
    pulled = sum(t + (t * (t - 1) // 2 if ties else 0) for t in taps) if shapes.gradients else 0
    return prod(shapes.arguments["input"]) + len(windows) + pulled


def _order(size: int, digits: int) -> int:
    """How many integers in a row are exact in a type, at most as many as there are entries."""
    return min(size, 1 << digits) if digits else size
