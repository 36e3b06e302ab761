"""Random calls whose rounding errors are measured exactly: data of many kinds, and results as whole numbers.

Floating numbers are whole numbers times a power of two; the loops of the oracles run on these, and round nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import Any

import mpmath
import numpy as np
import oracles

from symconv.errors import GeometryError
from symconv.kernels.runtime.kernel import Kernel
from symconv.operators.convolution import Conv
from symconv.operators.pooling import AvgPool, LPPool, MaxPool
from symconv.operators.transposed import ConvTranspose

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


def scaled(numbers: list[Any], exponent: int) -> list[Fraction]:
    """Whole numbers times ``2**-exponent``."""
    return [Fraction(number, 1 << exponent) for number in numbers]


@dataclass(frozen=True)
class Case:
    """A call: the operator, its arrays, an upstream gradient, and its exact results by name."""

    op: Any
    x: np.ndarray
    parameters: dict[str, np.ndarray]
    g: np.ndarray
    exact: Callable[[str], list[Fraction]]
    only: tuple[str, ...] = ()

    @property
    def results(self) -> tuple[str, ...]:
        """The names of the results."""
        return self.only or ("output", "input", *self.parameters)

    def result(self, kernel: Kernel, of: str) -> np.ndarray:
        """What a kernel returns."""
        if of == "output":
            return np.asarray(kernel(self.x, **self.parameters))
        return np.asarray(getattr(kernel.vjp(self.g, self.x, **self.parameters, wrt=(of,)), of))

    def bound(self, kernel: Kernel, of: str) -> np.ndarray:
        """What it promises of that."""
        g = None if of == "output" else self.g
        return kernel.error_bound(self.x, **self.parameters, of=of, grad_output=g).values


def share_of_bound(result: np.ndarray, bound: np.ndarray, exact: list[Fraction]) -> float:
    """The largest error as a share of its bound: above 1 where the bound is exceeded."""
    assert result.shape == bound.shape
    worst = 0.0
    for found, limit, number in zip(result.ravel().tolist(), bound.ravel().tolist(), exact, strict=True):
        assert limit >= 0
        if limit == np.inf:
            continue
        if not np.isfinite(found):
            return np.inf
        error = abs(Fraction(found) - number)
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

    def exact(of: str) -> list[Fraction]:
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
            return scaled(oracles.conv(a.numbers, b.numbers, d, **options).flat(), exponent)
        found = oracles.conv_vjp(upstream.numbers, a.numbers, b.numbers, **options)
        exponents = {"input": b.exponent, "weight": a.exponent, "bias": 0}
        return scaled(getattr(found, of).flat(), upstream.exponent + exponents[of])

    return Case(op, x, parameters, g, exact)


def transposed(rng: np.random.Generator) -> Case | None:
    """A transposed convolution with all its options; None where nothing is left of the output."""
    ndim = int(rng.choice([1, 2, 2]))
    sizes = tuple(int(n) for n in rng.integers(1, 7, ndim))
    plain = rng.random() < 0.4
    groups, inside, outside = (int(n) for n in rng.integers(1, 3, 3))
    kernel = (3,) * ndim if plain else tuple(int(k) for k in rng.choice([1, 2, 3, 4], ndim))
    options: dict[str, Any] = {
        "stride": (1,) * ndim if plain else tuple(int(s) for s in rng.choice([1, 2, 3], ndim)),
        "padding": tuple((int(a), int(b)) for a, b in rng.integers(0, 2, (ndim, 2))),
        "dilation": (1,) * ndim if plain else tuple(int(d) for d in rng.choice([1, 2], ndim)),
        "groups": groups,
        "flip": bool(rng.random() < 0.3),
    }
    bias = bool(rng.random() < 0.5)
    op = ConvTranspose(kernel, in_channels=groups * inside, out_channels=groups * outside, bias=bias, **options)
    try:
        outputs = op.output_size(sizes)
    except GeometryError:
        return None
    batch = int(rng.integers(1, 3))
    shapes = [(batch, groups * inside, *sizes), (groups * inside, outside, *kernel), (groups * outside,)]
    x, weight, offset, g = data(rng, *shapes, (batch, groups * outside, *outputs))
    parameters = {"weight": weight, "bias": offset} if bias else {"weight": weight}

    def exact(of: str) -> list[Fraction]:
        a, b, upstream = Whole.of(x), Whole.of(weight), Whole.of(g)
        if of == "output":
            d = Whole.of(offset)
            whole = scaled(oracles.conv_transpose(a.numbers, b.numbers, **options).flat(), a.exponent + b.exponent)
            each = prod(outputs)
            channels = scaled(d.numbers.tolist(), d.exponent) if bias else [Fraction(0)] * (groups * outside)
            return [number + channels[at // each % len(channels)] for at, number in enumerate(whole)]
        found = oracles.conv_transpose_vjp(upstream.numbers, a.numbers, b.numbers, **options)
        exponents = {"input": b.exponent, "weight": a.exponent, "bias": 0}
        return scaled(getattr(found, of).flat(), upstream.exponent + exponents[of])

    return Case(op, x, parameters, g, exact)


def pooling(rng: np.random.Generator) -> Case | None:
    """A maximum, an average or a norm with all its options; None where no window fits, or one has nothing in it."""
    ndim = int(rng.choice([1, 2, 2, 3]))
    sizes = tuple(int(n) for n in rng.integers(1, 12 if ndim < 3 else 5, ndim))
    kernel = tuple(int(k) for k in rng.choice([1, 2, 3, 5, 9], ndim))
    options: dict[str, Any] = {
        "stride": tuple(int(s) for s in rng.choice([1, 2, 3], ndim)),
        "padding": tuple((int(a), int(b)) for a, b in rng.integers(0, 3, (ndim, 2))),
        "dilation": tuple(int(d) for d in rng.choice([1, 1, 2], ndim)),
        "ceil_mode": bool(rng.random() < 0.3),
    }
    kind, own = str(rng.choice(["max", "average", "norm"])), {}
    op: Any
    p = [1, 2, 3, 4, 1.5, 7, 1.1, 40, float("inf")][int(rng.integers(9))]
    if kind == "max":
        op = MaxPool(kernel, ties=str(rng.choice(["first", "split"])), **options)
    elif kind == "average":
        divisor = [None, None, 7, -2, (1 << 26) + 1][int(rng.integers(5))]
        own = {"count_include_pad": bool(rng.random() < 0.5), "divisor_override": divisor}
        op = AvgPool(kernel, **own, **options)
    else:
        op = LPPool(p, kernel, **options)
    try:
        outputs = op.output_size(sizes)
    except GeometryError:
        return None
    if not all(window.real for window in oracles.pooling.windows_of(sizes, kernel, **options)[1]):
        return None
    lead = (int(rng.integers(1, 3)), int(rng.integers(1, 3)))
    x, g = data(rng, (*lead, *sizes), (*lead, *outputs))
    if x.dtype.kind != "f":
        return None

    def exact(of: str) -> list[Fraction]:
        a, upstream = Whole.of(x), Whole.of(g)
        if kind == "max":
            if of == "output":
                return scaled(oracles.max_pool(a.numbers, kernel, **options)[0].flat(), a.exponent)
            ties = op.ties
            shares = np.vectorize(Fraction, otypes=[object])(upstream.numbers)
            found = oracles.max_pool_vjp(shares, a.numbers, kernel, ties=ties, **options).flat()
            return [Fraction(number) / (1 << upstream.exponent) for number in found]
        if kind == "average":
            made = (
                oracles.avg_pool(a.numbers, kernel, **own, **options)
                if of == "output"
                else oracles.avg_pool_vjp(upstream.numbers, a.numbers, kernel, **own, **options)
            )
            return [Fraction(v) / (1 << (a if of == "output" else upstream).exponent) for v in made.flat()]
        return norms(x, g, p, kernel, options, of)

    return Case(op, x, {}, g, exact)


def norms(
    x: np.ndarray, g: np.ndarray, p: float, kernel: tuple[int, ...], options: dict[str, Any], of: str
) -> list[Fraction]:
    """Norms of windows, or what arrives at their entries, to 80 digits; exact where p is 1 or infinite."""
    found = dict.fromkeys(oracles.tensors.indices(x.shape), Fraction(0)) if of == "input" else {}
    order = None if p == float("inf") else Fraction(str(p))
    for lead in oracles.tensors.indices(x.shape[:2]):
        for window in oracles.pooling.windows_of(x.shape[2:], kernel, **options)[1]:
            entries = [Fraction(float(x[(*lead, *i)])) for i in window.real]
            sizes = [abs(entry) for entry in entries]
            y = _norm(sizes, order)
            if of == "output":
                found[(*lead, *window.output)] = y
                continue
            upstream = Fraction(float(g[(*lead, *window.output)]))
            first = sizes.index(max(sizes))
            for number, (i, entry) in enumerate(zip(window.real, entries, strict=True)):
                sign = (entry > 0) - (entry < 0)
                if order is None:
                    factor = Fraction(sign if number == first else 0)
                elif order == 1:
                    factor = Fraction(sign)
                else:
                    factor = sign * _power(abs(entry) / y, order - 1) if y and entry else Fraction(0)
                found[(*lead, *i)] += upstream * factor
    return list(found.values())


def _norm(sizes: list[Fraction], p: Fraction | None) -> Fraction:
    largest = max(sizes)
    if p is None or not largest:
        return largest
    if p == 1:
        return sum(sizes, Fraction(0))
    return largest * _power(sum((_power(size / largest, p) for size in sizes if size), Fraction(0)), 1 / p)


def _power(base: Fraction, exponent: Fraction) -> Fraction:
    """A power of a positive number, off by 1e-70 of it."""
    with mpmath.workdps(90):
        made = mpmath.power(
            mpmath.mpf(base.numerator) / base.denominator, mpmath.mpf(exponent.numerator) / exponent.denominator
        )
        sign, number, shift, _ = made._mpf_
    assert not sign
    return Fraction(int(number)) * Fraction(2) ** int(shift)
