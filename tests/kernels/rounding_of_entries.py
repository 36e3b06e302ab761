"""Random calls of the operators that no plan is chosen for, with their exact results by loops over whole numbers."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import prod
from typing import Any

import numpy as np
import oracles
from kernels.rounding_cases import Case, Whole, data, scaled

from symconv.errors import GeometryError
from symconv.operators.adaptive import AdaptiveAvgPool, AdaptiveMaxPool
from symconv.operators.morphology import Dilation, Erosion
from symconv.operators.patches import Fold, Unfold
from symconv.operators.unpooling import MaxUnpool


def adaptive(rng: np.random.Generator) -> Case | None:
    """Adaptive averages and maxima, some of them over everything."""
    ndim = int(rng.choice([1, 2, 2]))
    sizes = tuple(int(n) for n in rng.integers(1, 60 if ndim == 1 else 14, ndim))
    outputs = tuple(int(rng.choice([1, int(rng.integers(1, n + 1))])) for n in sizes)
    lead = (int(rng.integers(1, 3)), int(rng.integers(1, 3)))
    x, g = data(rng, (*lead, *sizes), (*lead, *outputs))
    if x.dtype.kind != "f":
        return None
    average = rng.random() < 0.6
    ties = str(rng.choice(["first", "split"]))
    op: Any = AdaptiveAvgPool(outputs) if average else AdaptiveMaxPool(outputs, ties=ties)

    def exact(of: str) -> list[Fraction]:
        a, upstream = Whole.of(x), Whole.of(g)
        if of == "output":
            made = oracles.adaptive_avg_pool(a.numbers, outputs) if average else None
            found = oracles.adaptive_max_pool(a.numbers, outputs)[0] if made is None else made
            return [Fraction(v) / (1 << a.exponent) for v in found.flat()]
        shares = np.vectorize(Fraction, otypes=[object])(upstream.numbers)
        if average:
            pulled = oracles.adaptive_avg_pool_vjp(shares, a.numbers, outputs)
        else:
            pulled = oracles.adaptive_max_pool_vjp(shares, a.numbers, outputs, ties=ties)
        return [Fraction(v) / (1 << upstream.exponent) for v in pulled.flat()]

    return Case(op, x, {}, g, exact)


def patches(rng: np.random.Generator) -> Case | None:
    """Unfold and fold."""
    sizes = tuple(int(n) for n in rng.integers(1, 8, 2))
    kernel = tuple(int(k) for k in rng.integers(1, 4, 2))
    options: dict[str, Any] = {
        "stride": tuple(int(s) for s in rng.integers(1, 3, 2)),
        "padding": tuple(int(p) for p in rng.integers(0, 2, 2)),
        "dilation": tuple(int(d) for d in rng.integers(1, 3, 2)),
    }
    unfold = Unfold(kernel, **options)
    try:
        places = prod(unfold.output_size(sizes))
    except GeometryError:
        return None
    lead = (int(rng.integers(1, 3)), int(rng.integers(1, 3)))
    folds = rng.random() < 0.5
    image, patch = (*lead, *sizes), (lead[0], lead[1] * prod(kernel), places)
    x, g = data(rng, patch, image) if folds else data(rng, image, patch)
    if x.dtype.kind != "f":
        return None

    def exact(of: str) -> list[Fraction]:
        whole = Whole.of(x if of == "output" else g)
        if folds == (of == "output"):
            made = oracles.fold(whole.numbers, sizes, kernel, **options)
        else:
            made = oracles.unfold(whole.numbers, kernel, **options)
        return scaled(made.flat(), whole.exponent)

    return Case(Fold(sizes, kernel, **options) if folds else unfold, x, {}, g, exact)


def unpooling(rng: np.random.Generator) -> Case | None:
    """Unpooling, with entries that share a position."""
    sizes, lead = tuple(int(n) for n in rng.integers(1, 5, 2)), (1, 2)
    op = MaxUnpool(2)
    outputs = op.output_size(sizes)
    x, g = data(rng, (*lead, *sizes), (*lead, *outputs))
    indices = rng.integers(0, max(1, prod(outputs) // int(rng.integers(1, 6))), x.shape)
    if x.dtype.kind != "f":
        return None

    def exact(of: str) -> list[Fraction]:
        whole = Whole.of(x if of == "output" else g)
        if of == "output":
            made = oracles.max_unpool(whole.numbers, indices, outputs)
        else:
            made = oracles.max_unpool_vjp(whole.numbers, indices)
        return scaled(made.flat(), whole.exponent)

    return Case(op, x, {"indices": indices}, g, exact, ("output", "input"))


def morphology(rng: np.random.Generator) -> Case | None:
    """Dilation and erosion; equal and nearly equal sums are frequent."""
    sizes = tuple(int(n) for n in rng.integers(1, 8, 2))
    kernel = tuple(int(k) for k in rng.integers(1, 4, 2))
    kind = Dilation if rng.random() < 0.5 else Erosion
    op: Any = kind(
        kernel,
        tuple(int(s) for s in rng.integers(1, 3, 2)),
        tuple(int(p) for p in rng.integers(0, 2, 2)),
        tuple(int(d) for d in rng.integers(1, 3, 2)),
        flip=bool(rng.random() < 0.3),
    )
    try:
        outputs = op.output_size(sizes)
    except GeometryError:
        return None
    x, weight, g = data(rng, (1, 2, *sizes), kernel, (1, 2, *outputs))
    if "f" not in (x.dtype.kind, weight.dtype.kind) or x.dtype.kind != "f":
        return None
    if rng.random() < 0.3:
        weight = np.zeros_like(weight)
    sign = 1 if kind is Dilation else -1

    def exact(of: str) -> list[Fraction]:
        a, b, arriving = ([Fraction(v) for v in array.ravel().tolist()] for array in (x, weight, g))
        read, held, given = (
            dict(zip(np.ndindex(*array.shape), values, strict=True))
            for array, values in ((x, a), (weight, b), (g, arriving))
        )
        best: dict[Any, Any] = {}
        to = dict.fromkeys(np.ndindex(*(x.shape if of == "input" else kernel)), Fraction(0))
        for place in np.ndindex(*g.shape):
            for tap in product(*map(range, kernel)):
                at = []
                for axis, m in enumerate(tap):
                    turned = kernel[axis] - 1 - m if op.flip else m
                    at.append(op.stride[axis] * place[2 + axis] + op.dilation[axis] * turned - op.padding[axis][0])
                if all(0 <= i < n for i, n in zip(at, sizes, strict=True)):
                    value = sign * read[(*place[:2], *at)] + held[tap]
                    if place not in best or value > best[place][0]:
                        best[place] = value, (*place[:2], *at), tap
            if place in best and of != "output":
                _, entry, tap = best[place]
                if of == "input":
                    to[entry] += given[place]
                else:
                    to[tap] += sign * given[place]
        if of != "output":
            return list(to.values())
        return [sign * best[place][0] if place in best else Fraction(0) for place in np.ndindex(*g.shape)]

    return Case(op, x, {"weight": weight}, g, exact)
