"""Poolings: the average as a convolution and as a norm, norms and maxima, and maxima after one another."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from symconv.derivations.theorems.building import (
    V,
    at,
    axes_of,
    each_axis,
    every,
    image,
    let_of,
    options,
    reciprocal,
    same_extents,
    setting,
)
from symconv.derivations.theorems.proposition import Let, Proposition, chain, same
from symconv.derivations.theorems.reads import equal_reads
from symconv.derivations.theorems.theorem import Check, Theorem
from symconv.formulas.algebra import Absolute, product
from symconv.formulas.index import Index, floor, minimum
from symconv.operators.convolution import Conv
from symconv.operators.pooling import AvgPool, LPPool, MaxPool

__all__ = ["THEOREMS", "composition", "largest_norm"]


def _taps(ndim: int) -> Index:
    """The number of taps of a window."""
    total = V(1)
    for (k,) in each_axis("K", ndim):
        total = total * k
    return total


# ---------------------------------------------------------------------- averages


def _uniform(ndim: int, *, include: bool = True, more: int = 0) -> Proposition:
    """Average pooling is a convolution with all entries of the kernel one over the number of taps."""
    average = AvgPool((2,) * ndim, count_include_pad=include).generic().output()
    layer = Conv((2,) * ndim).generic().output()
    frame = setting(average)
    kernel = next(array for array in setting(layer).arrays if array.name == "b").ranges
    uniform = Let("b", tuple(b.name for b in kernel), reciprocal(_taps(ndim) + more), kernel)
    return replace(
        frame,
        lets=(let_of(average), uniform),
        clauses=(
            *same_extents(average, layer),
            every(average.free, same(at("c", *average.indices), layer.body)),
        ),
    )


def _one_norm(ndim: int, *, absolute: bool = True, signed: bool = False, more: int = 0) -> Proposition:
    """The average of |x|, or of x for x >= 0, is the 1-norm over the number of taps."""
    average = AvgPool((2,) * ndim).generic().output(names={"input": "z"} if absolute else None)
    norm = LPPool(1, (2,) * ndim).generic().output(names={"output": "L"})
    frame = setting(norm, average, defined=("z",))
    if not absolute and not signed:
        frame = replace(frame, arrays=tuple(replace(array, nonnegative=True) for array in frame.arrays))
    mean = product(reciprocal(_taps(ndim) + more), at("L", *norm.indices))
    return replace(
        frame,
        lets=(*([_absolute(frame)] if absolute else []), let_of(average), let_of(norm)),
        clauses=(every(average.free, same(at("c", *average.indices), mean)),),
    )


def _absolute(frame: Proposition) -> Let:
    """The absolute values of the input."""
    (inputs,) = frame.arrays
    names = tuple(b.name for b in inputs.ranges)
    return Let("z", names, Absolute(at("a", *names)))


# ---------------------------------------------------------------------- norms and the maximum


def largest_norm(ndim: int, *, absolute: bool = True, signed: bool = False) -> Proposition:
    """The maximum of |x|, or of x for x >= 0, is the norm of order infinity."""
    # padding is 0 to a norm and absent to a maximum, which differ where a window has no real tap
    maximum = MaxPool((2,) * ndim).generic(keep=("padding",)).output(names={"input": "z"} if absolute else None)
    norm = LPPool(float("inf"), (2,) * ndim).generic(keep=("padding",)).output(names={"output": "L"})
    frame = setting(norm, maximum, defined=("z",))
    if not absolute and not signed:
        frame = replace(frame, arrays=tuple(replace(array, nonnegative=True) for array in frame.arrays))
    return replace(
        frame,
        lets=(*([_absolute(frame)] if absolute else []), let_of(maximum), let_of(norm)),
        clauses=(every(norm.free, same(at("c", *norm.indices), at("L", *norm.indices))),),
    )


# ---------------------------------------------------------------------- maxima after one another


def composition(ndim: int, condition: str = "S <= K", more: int = 0) -> Proposition:
    """Two max poolings after one another, and one over their receptive field.

    Args:
        ndim: the number of axes.
        condition: what is supposed: "S <= K", "L = 1" or nothing.
        more: how many taps the window of the one pooling has too many.
    """
    K, S, L, T = options("KSLT", ndim)
    first = MaxPool(K, S).output()
    sizes = dict(zip(first.sizes, (b.upper + 1 for b in first.free), strict=True))
    taps: dict[str, Any] = {"input": "c", "output": "y", "weight_index": "uvt"}
    second = image(MaxPool(L, T).output(names=taps), sizes)
    wide = tuple(s * (n - 1) + k + more for k, s, n in zip(K, S, L, strict=True))
    whole = MaxPool(wide, tuple(s * t for s, t in zip(S, T, strict=True))).output(names={"weight_index": "xzw"})
    whole = image(whole, {})
    conditions = {
        "S <= K": [chain(s, "<=", k) for k, s in each_axis("KS", ndim)],
        "L = 1": [same(n, 1) for (n,) in each_axis("L", ndim)],
        "": [],
    }
    frame = setting(first, second, order="IKSLT", defined=("c",))
    return replace(
        frame,
        given=(*frame.given, *conditions[condition]),
        lets=(let_of(first), let_of(second)),
        clauses=(
            *same_extents(second, whole),
            every(second.free, same(at("y", *second.indices), whole.body)),
        ),
    )


def _reads(ndim: int) -> Any:
    """The proof by the taps that read the same: x is S u + m, and u the largest that this allows."""
    forward: dict[str, Index] = {}
    backward: dict[str, Index] = {}
    for (S, L), x, u, m in zip(each_axis("SL", ndim), "xzw", "uvt", "mno", strict=False):
        forward[x] = S * V(u) + V(m)
        backward[u] = minimum(L - 1, floor(V(x), S))
        backward[m] = V(x) - S * backward[u]
    return partial(equal_reads, forward=forward, backward=backward)


THEOREMS = (
    Theorem(
        "average-uniform",
        "Average pooling without overhang is a convolution with a uniform kernel, channel by channel",
        "LeCun et al., Gradient-based learning applied to document recognition (1998), for the average with a weight",
        axes_of(_uniform),
        (
            Check("the padding not counted", _uniform(1, include=False)),
            Check("one tap more", _uniform(1, more=1)),
        ),
    ),
    Theorem(
        "average-one-norm",
        "The average without overhang is the sum of absolute values over the number of taps",
        "Sermanet, Chintala & LeCun (arXiv 1204.3968), for LP pooling",
        (
            *axes_of(_one_norm),
            Check("entries that are not negative, one axis", _one_norm(1, absolute=False)),
            Check("entries that are not negative, two axes", _one_norm(2, absolute=False), again=True),
        ),
        (
            Check("entries of any sign", _one_norm(1, absolute=False, signed=True)),
            Check("one tap more", _one_norm(1, more=1)),
        ),
    ),
    Theorem(
        "max-composition",
        "Two max poolings are one over their receptive field",
        "Elementary: the maximum over a union is the largest of the maxima",
        (
            Check("a stride within the window, one axis", composition(1), proof=_reads(1)),
            Check("a stride within the window, two axes", composition(2), again=True, proof=_reads(2)),
            Check("a second window of one tap, one axis", composition(1, "L = 1"), proof=_reads(1)),
            Check("a second window of one tap, two axes", composition(2, "L = 1"), again=True, proof=_reads(2)),
        ),
        (
            Check("any stride: the first pooling leaves entries out", composition(1, "")),
            Check("a window of one more", composition(1, more=1)),
            Check("a window of one less", composition(1, more=-1)),
        ),
    ),
)
