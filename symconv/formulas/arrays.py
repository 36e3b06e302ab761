"""Whole arrays by their entries: padding, upsampling, turning, correlation, each with its exact formula.

A statement such as "dE/dA is pad(G) correlated with the turned kernel" is made of these, so that the statement about
whole arrays is checked, entry by entry, and not merely printed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from symconv.formulas.algebra import Access, Bound, Bracket, Guard, Node, between, divides, equal, product, summation
from symconv.formulas.exact import Box
from symconv.formulas.index import Index, floor, quotient
from symconv.formulas.naming import fresh_name

__all__ = [
    "Array",
    "correlated",
    "flattened",
    "multiplied",
    "ones",
    "padded",
    "places_of",
    "tensor",
    "transposed",
    "turned",
    "upsampled",
]


@dataclass(frozen=True)
class Array:
    """An array: a function from indices to a tree, and the size of every axis.

    Attributes:
        entry: the entry at given indices, zero outside the array.
        sizes: the size of every axis.
        base: the first index of every axis.
        fits: what must hold of sizes for this: where a size was given in a simpler form, that it is the one that
            follows from the construction.
    """

    entry: Callable[[Sequence[Index]], Node]
    sizes: tuple[Index, ...]
    base: int = 1
    fits: tuple[Guard, ...] = ()

    def has_size(self, sizes: Sequence[Index]) -> tuple[Guard, ...]:
        """The conditions under which the array has these sizes, those of its construction included."""
        return (*self.fits, *(equal(mine, theirs) for mine, theirs in zip(self.sizes, sizes, strict=True)))


def tensor(letter: str, box: Box, base: int = 1) -> Array:
    """A declared tensor, with indices that count from `base`."""
    sizes = tuple(high - low + 1 for low, high in box)
    shifts = [low - base for low, _ in box]
    return Array(lambda at: Access(letter, tuple(e + s for e, s in zip(at, shifts, strict=True))), sizes, base)


def ones(sizes: Sequence[Index], base: int = 1) -> Array:
    """An array of ones, zero outside."""

    def entry(at: Sequence[Index]) -> Node:
        guards = [g for e, n in zip(at, sizes, strict=True) for g in between(base, e, n - 1 + base)]
        return Bracket(tuple(guards))

    return Array(entry, tuple(sizes), base)


def padded(array: Array, before: Sequence[Index], after: Sequence[Index]) -> Array:
    """The array with zeros around it; a negative padding crops."""
    sizes = tuple(n + b + a for n, b, a in zip(array.sizes, before, after, strict=True))
    return Array(
        lambda at: array.entry([e - b for e, b in zip(at, before, strict=True)]), sizes, array.base, array.fits
    )


def upsampled(array: Array, scales: Sequence[Index]) -> Array:
    """The array with ``scale - 1`` zeros between neighbouring entries."""
    base = array.base

    def entry(at: Sequence[Index]) -> Node:
        guards = [divides(s, e - base) for e, s in zip(at, scales, strict=True) if s != 1]
        inner = array.entry([quotient(e - base, s, "exact") + base for e, s in zip(at, scales, strict=True)])
        return product(Bracket(tuple(guards)), inner) if guards else inner

    sizes = tuple(s * (n - 1) + 1 for n, s in zip(array.sizes, scales, strict=True))
    return Array(entry, sizes, base, array.fits)


def turned(array: Array) -> Array:
    """The array with every axis reversed: a half turn in two dimensions."""
    ends = [n - 1 + 2 * array.base for n in array.sizes]
    return Array(
        lambda at: array.entry([end - e for e, end in zip(at, ends, strict=True)]), array.sizes, array.base, array.fits
    )


def transposed(array: Array) -> Array:
    """A matrix with its rows for columns; a vector as a matrix of one row."""
    if len(array.sizes) == 1:
        return Array(lambda at: array.entry([at[1]]), (Index.of(1), *array.sizes), array.base, array.fits)
    return Array(lambda at: array.entry([at[1], at[0]]), (array.sizes[1], array.sizes[0]), array.base, array.fits)


def flattened(array: Array) -> Array:
    """The entries of an array in one row, the last axis going first."""
    base = array.base
    whole = Index.of(1)
    for size in array.sizes:
        whole = whole * size

    def entry(at: Sequence[Index]) -> Node:
        return array.entry([place + base for place in places_of(at[0] - base, array.sizes)])

    return Array(entry, (whole,), base, array.fits)


def places_of(number: Index, sizes: Sequence[Index]) -> list[Index]:
    """The indices of an entry, from 0, by its number in row-major order."""
    places: list[Index] = []
    for size in reversed(sizes[1:]):
        rest = floor(number, size)
        places.insert(0, number - size * rest)
        number = rest
    return [number, *places]


def multiplied(left: Array, right: Array) -> Array:
    """The product of a matrix with a matrix or a vector; a vector before a matrix of one row is a column."""
    if len(left.sizes) == 1:
        column = left
        left = Array(lambda at: column.entry([at[0]]), (*column.sizes, Index.of(1)), column.base, column.fits)
    base, count = left.base, left.sizes[1]

    def entry(at: Sequence[Index]) -> Node:
        name = fresh_name("t", frozenset().union(*(e.names for e in at)))
        tap = Index.of(name)
        term = product(left.entry([at[0], tap]), right.entry([tap, *at[1:]]))
        return summation(term, Bound(name, Index.of(base), count - 1 + base))

    return Array(entry, (left.sizes[0], *right.sizes[1:]), base, (*left.fits, *right.fits))


def correlated(
    image: Array,
    kernel: Array,
    stride: Sequence[Index] | None = None,
    dilation: Sequence[Index] | None = None,
    *,
    flip: bool = False,
    sizes: Sequence[Index] | None = None,
) -> Array:
    """``sum over u of image[s*(i - 1) + d*(u - 1) + 1] * kernel[u]``, over whole windows only.

    Args:
        image: the image.
        kernel: the kernel, with as many axes.
        stride: the stride of every axis, 1 where left out.
        dilation: the dilation of every axis, 1 where left out.
        flip: turn the kernel around first, as the mathematician's convolution does.
        sizes: the size of the result, where it is known in a simpler form than its formula; that the two are equal
            is one of the conditions in `Array.fits`.
    """
    base, count = image.base, len(kernel.sizes)
    strides = list(stride or [Index.of(1)] * count)
    dilations = list(dilation or [Index.of(1)] * count)

    def entry(at: Sequence[Index]) -> Node:
        taken = frozenset().union(*(e.names for e in at))  # a correlation of a correlation has two sums
        names = []
        for axis in range(1, count + 1):
            names.append(fresh_name(f"y{axis}", taken))
            taken |= {names[-1]}
        taps = [Index.of(name) for name in names]
        places = [k - 1 + 2 * base - u if flip else u for k, u in zip(kernel.sizes, taps, strict=True)]
        read = [
            s * (e - base) + d * (p - base) + base for e, p, s, d in zip(at, places, strides, dilations, strict=True)
        ]
        bounds = [Bound(n, Index.of(base), k - 1 + base) for n, k in zip(names, kernel.sizes, strict=True)]
        return summation(product(image.entry(read), kernel.entry(taps)), *bounds)

    spans = [d * (k - 1) + 1 for k, d in zip(kernel.sizes, dilations, strict=True)]
    whole = tuple(quotient(n - span, s, "floor") + 1 for n, span, s in zip(image.sizes, spans, strides, strict=True))
    result = Array(entry, whole, base, (*image.fits, *kernel.fits))
    return result if sizes is None else Array(entry, tuple(sizes), base, result.has_size(sizes))
