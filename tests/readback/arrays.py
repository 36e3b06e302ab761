"""Whole arrays of printed constructions: padded, spread, turned, and slid over each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any

from readback.arithmetic import Point

__all__ = ["Array", "around", "filled", "padded", "slide", "spread"]


@dataclass
class Array:
    """Entries by index, zero outside its shape; `base` is the first index of every axis."""

    entries: dict[Point, Any]
    shape: Point
    base: int = 1

    def at(self, place: Sequence[Any]) -> Any:
        if any(Fraction(e).denominator != 1 for e in place):
            return 0  # there is no such entry
        return self.entries.get(tuple(int(e) for e in place), 0)

    def places(self) -> Iterator[Point]:
        return product(*(range(self.base, self.base + n) for n in self.shape))


def filled(sizes: Sequence[int], base: int) -> Array:
    return Array(dict.fromkeys(product(*(range(base, base + n) for n in sizes)), 1), tuple(sizes), base)


def _each(amounts: Sequence[Any], ndim: int) -> list[Any]:
    return list(amounts) * ndim if len(amounts) == 1 else list(amounts)


def padded(inner: Array, pads: Sequence[tuple[int, int]]) -> Array:
    each, b = _each(pads, len(inner.shape)), inner.base
    shape = tuple(n + low + high for n, (low, high) in zip(inner.shape, each, strict=True))
    moved = {tuple(p + low for p, (low, _) in zip(at, each, strict=True)): v for at, v in inner.entries.items()}
    kept = {at: v for at, v in moved.items() if all(b <= p < b + n for p, n in zip(at, shape, strict=True))}
    return Array(kept, shape, b)


def spread(inner: Array, scales: Sequence[int]) -> Array:
    each, b = _each(scales, len(inner.shape)), inner.base
    entries = {tuple(b + s * (p - b) for p, s in zip(at, each, strict=True)): v for at, v in inner.entries.items()}
    return Array(entries, tuple(s * (n - 1) + 1 for n, s in zip(inner.shape, each, strict=True)), b)


def around(inner: Array) -> Array:
    b = inner.base
    turned = {
        tuple(2 * b + n - 1 - p for p, n in zip(at, inner.shape, strict=True)): v for at, v in inner.entries.items()
    }
    return Array(turned, inner.shape, b)


def slide(image: Array, kernel: Array, strides: Sequence[int], dilations: Sequence[int]) -> Array:
    """An entry for every whole window of the image: the sum over u of image[s*i + d*u] * kernel[u]."""
    ndim, b = len(image.shape), image.base
    s, d = _each(strides, ndim), _each(dilations, ndim)
    spans = [e * (k - 1) + 1 for k, e in zip(kernel.shape, d, strict=True)]
    shape = tuple(max(0, (n - span) // e + 1) for n, span, e in zip(image.shape, spans, s, strict=True))
    result = Array({}, shape, b)
    for at in result.places():
        value: Any = 0
        for tap, weight in kernel.entries.items():
            place = [b + e * (o - b) + f * (t - b) for o, t, e, f in zip(at, tap, s, d, strict=True)]
            assert all(b <= p < b + n for p, n in zip(place, image.shape, strict=True))
            value = value + image.at(place) * weight
        result.entries[at] = value
    return result
