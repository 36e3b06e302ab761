"""Random calls whose rounding errors are measured exactly: data of many kinds, and results as whole numbers.

Floating numbers are whole numbers times a power of two; the loops of the oracles run on these, and round nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import oracles

from symconv.errors import GeometryError
from symconv.kernels.runtime.kernel import Kernel
from symconv.operators.convolution import Conv

FLOATS = ("float16", "float32", "float64")


@dataclass(frozen=True)
class Whole:
    """Numbers as whole numbers times ``2**-exponent``."""

    numbers: np.ndarray
    exponent: int

    @classmethod
    def of(cls, array: np.ndarray) -> Whole:
        """The numbers of a finite array of floats or integers, each of them exactly."""
        pairs = [value.as_integer_ratio() for value in array.ravel().tolist()]
        exponent = max((below.bit_length() - 1 for _, below in pairs), default=0)
        entries = np.empty(len(pairs), object)
        entries[:] = [above << (exponent - below.bit_length() + 1) for above, below in pairs]
        return cls(entries.reshape(array.shape), exponent)

    def shifted(self, exponent: int) -> np.ndarray:
        """The whole numbers for another exponent, not smaller than its own."""
        return self.numbers * (1 << (exponent - self.exponent))


@dataclass(frozen=True)
class Case:
    """A call: the operator, its arrays, an upstream gradient, and its exact results by name."""

    op: Any
    x: np.ndarray
    parameters: dict[str, np.ndarray]
    g: np.ndarray
    exact: Callable[[str], tuple[list[int], int]]

    @property
    def results(self) -> tuple[str, ...]:
        """The names of the results."""
        return ("output", "input", *self.parameters)

    def result(self, kernel: Kernel, of: str) -> np.ndarray:
        """What a kernel returns."""
        if of == "output":
            return np.asarray(kernel(self.x, **self.parameters))
        return np.asarray(getattr(kernel.vjp(self.g, self.x, **self.parameters, wrt=(of,)), of))

    def bound(self, kernel: Kernel, of: str) -> np.ndarray:
        """What it promises of that."""
        g = None if of == "output" else self.g
        return kernel.error_bound(self.x, **self.parameters, of=of, grad_output=g).values


def share_of_bound(result: np.ndarray, bound: np.ndarray, exact: list[int], exponent: int) -> float:
    """The largest error as a share of its bound: above 1 where the bound is exceeded."""
    assert result.shape == bound.shape
    worst = 0.0
    for found, limit, number in zip(result.ravel().tolist(), bound.ravel().tolist(), exact, strict=True):
        assert limit >= 0
        if limit == np.inf:
            continue
        if not np.isfinite(found):
            return np.inf
        error = abs(Fraction(found) - Fraction(number, 1 << exponent))
        if error:
            worst = max(worst, float(error / Fraction(limit)) if limit else np.inf)
    return worst


def numbers(rng: np.random.Generator, shape: tuple[int, ...], dtype: str, kind: str) -> np.ndarray:
    """Data of a kind in a type."""
    limits = np.finfo(dtype)
    size = int(np.prod(shape))
    if kind == "normal":
        made = rng.normal(size=size)
    elif kind == "equal":
        made = np.full(size, rng.choice([1.1, 0.1, 1 / 3, -0.7]))
    elif kind == "cancelling":
        made = rng.normal(size=size)
        made[1::2] = -made[: 2 * (size // 2) : 2] * (1 + float(limits.eps) * rng.integers(-3, 4, size // 2))
    elif kind == "mixed":
        made = rng.normal(size=size) * 2.0 ** rng.integers(limits.minexp // 2, limits.maxexp // 2, size)
    elif kind == "tiny":
        made = rng.normal(size=size) * 2.0 ** rng.integers(limits.minexp - limits.nmant - 1, limits.minexp + 9, size)
    elif kind == "huge":
        made = rng.normal(size=size) * 2.0 ** (limits.maxexp - 2 - rng.integers(0, 9, size))
    elif kind == "sparse":
        made = rng.normal(size=size) * (rng.random(size) < 0.3)
    else:
        made = rng.integers(-3, 4, size).astype(float)
    with np.errstate(all="ignore"):
        array = made.astype(dtype).reshape(shape)
    return np.where(np.isfinite(array), array, limits.max).astype(dtype)


KINDS = ("normal", "normal", "equal", "cancelling", "mixed", "tiny", "huge", "sparse", "whole")


def data(rng: np.random.Generator, *shapes: tuple[int, ...]) -> list[np.ndarray]:
    """Arrays of random kinds, most of one type."""
    common = str(rng.choice(FLOATS))
    types = [common if rng.random() < 0.8 else str(rng.choice(FLOATS)) for _ in shapes]
    found = [numbers(rng, shape, dtype, str(rng.choice(KINDS))) for shape, dtype in zip(shapes, types, strict=True)]
    if rng.random() < 0.05:
        at = int(rng.integers(len(found)))
        found[at] = rng.integers(-(1 << 60), 1 << 60, found[at].shape)
    return found


def convolution(rng: np.random.Generator) -> Case | None:
    """A convolution of one to three axes with all its options; None where no window fits."""
    ndim = int(rng.choice([1, 2, 2, 2, 3]))
    sizes = tuple(int(n) for n in rng.integers(1, 9 if ndim < 3 else 5, ndim))
    plain = rng.random() < 0.4  # what the transforms take
    groups = int(rng.integers(1, 3))
    inside, outside = (1, 1) if rng.random() < 0.5 else (int(rng.integers(1, 4)), int(rng.integers(1, 4)))
    kernel = (3,) * ndim if plain else tuple(int(k) for k in rng.choice([1, 2, 3, 4, 5], ndim))
    options = {
        "stride": (1,) * ndim if plain else tuple(int(s) for s in rng.choice([1, 1, 2, 3], ndim)),
        "padding": tuple((int(a), int(b)) for a, b in rng.integers(-1, 3, (ndim, 2))),
        "dilation": (1,) * ndim if plain else tuple(int(d) for d in rng.choice([1, 1, 2], ndim)),
        "groups": groups,
        "padding_mode": str(rng.choice(["zeros", "zeros", "reflect", "replicate", "circular"])),
        "flip": bool(rng.random() < 0.3),
    }
    bias = bool(rng.random() < 0.5)
    op = Conv(kernel, in_channels=groups * inside, out_channels=groups * outside, bias=bias, **options)
    try:
        outputs = op.output_size(sizes)
    except GeometryError:
        return None
    if options["padding_mode"] == "reflect" and any(
        max(pair) >= n for pair, n in zip(options["padding"], sizes, strict=True)
    ):
        return None
    batch = int(rng.integers(1, 3))
    shapes = [(batch, groups * inside, *sizes), (groups * outside, inside, *kernel), (groups * outside,)]
    x, weight, offset, g = data(rng, *shapes, (batch, groups * outside, *outputs))
    if rng.random() < 0.3 and ndim == 2:  # of low rank
        column, row = weight[..., :1].astype(float), weight[..., :1, :].astype(float)
        with np.errstate(all="ignore"):
            product = np.clip(column * row, -60000, 60000).astype(weight.dtype)
        weight = product if np.isfinite(product.astype(float)).all() else weight
    parameters = {"weight": weight, "bias": offset} if bias else {"weight": weight}

    def exact(of: str) -> tuple[list[int], int]:
        a, b, upstream = Whole.of(x), Whole.of(weight), Whole.of(g)
        if of == "output":
            exponent = a.exponent + b.exponent
            d = None
            if bias:
                added = Whole.of(offset)
                further = max(0, added.exponent - exponent)
                exponent += further
                d = added.shifted(exponent)
                a = Whole(a.numbers * (1 << further), a.exponent + further)
            return oracles.conv(a.numbers, b.numbers, d, **options).flat(), exponent
        found = oracles.conv_vjp(upstream.numbers, a.numbers, b.numbers, **options)
        exponents = {"input": b.exponent, "weight": a.exponent, "bias": 0}
        return getattr(found, of).flat(), upstream.exponent + exponents[of]

    return Case(op, x, parameters, g, exact)
