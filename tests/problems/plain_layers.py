"""Layers by plain loops over index tuples, forward and backward; nothing of symconv is imported.

An array is a pair of a shape and a dictionary from 0-based places to numbers; an image has its channels first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import product
from typing import Any

Place = tuple[int, ...]


@dataclass
class Plain:
    """An array."""

    shape: Place
    entries: dict[Place, Any]

    def __getitem__(self, place: Place) -> Any:
        return self.entries[place]

    def nested(self, before: Place = ()) -> Any:
        """The array as nested lists."""
        if len(before) == len(self.shape):
            return self.entries[before]
        return [self.nested((*before, i)) for i in range(self.shape[len(before)])]


def places(shape: Place) -> Iterator[Place]:
    return product(*map(range, shape))


def plain(value: Any) -> Plain:
    """Nested lists as an array."""
    shape: list[int] = []
    level = value
    while isinstance(level, list):
        shape.append(len(level))
        level = level[0]

    def at(place: Place) -> Any:
        entry = value
        for i in place:
            entry = entry[i]
        return Fraction(entry) if isinstance(entry, int | str | Fraction) else entry

    return Plain(tuple(shape), {place: at(place) for place in places(tuple(shape))})


def zeros(shape: Place) -> Plain:
    return Plain(shape, dict.fromkeys(places(shape), Fraction(0)))


@dataclass
class Layer:
    """What a layer gives of an input, and what it hands back of a gradient: by the input, then by its parameters."""

    forward: Callable[[Plain], Plain]
    backward: Callable[[Plain, Plain], tuple[Plain, dict[str, Plain]]]


def conv(weight: Any, bias: Any = None, stride: int = 1, padding: int = 0, dilation: int = 1, groups: int = 1) -> Layer:
    """A cross-correlation of images with channels first; the weight is (out, in/groups, *kernel)."""
    w = plain(weight)
    b = None if bias is None else plain(bias)
    out, each, *kernel = w.shape

    def taps(x: Plain) -> Iterator[tuple[Place, Place, Place]]:
        """Output, weight and input places that belong together."""
        sizes = [
            (n + 2 * padding - dilation * (k - 1) - 1) // stride + 1 for n, k in zip(x.shape[1:], kernel, strict=True)
        ]
        for o in places((out, *sizes)):
            for t in places((each, *kernel)):
                at = tuple(p * stride + m * dilation - padding for p, m in zip(o[1:], t[1:], strict=True))
                channel = o[0] // (out // groups) * each + t[0]
                if all(0 <= i < n for i, n in zip(at, x.shape[1:], strict=True)):
                    yield o, (o[0], *t), (channel, *at)

    def size(x: Plain) -> Place:
        spatial = (
            (n + 2 * padding - dilation * (k - 1) - 1) // stride + 1 for n, k in zip(x.shape[1:], kernel, strict=True)
        )
        return (out, *spatial)

    def forward(x: Plain) -> Plain:
        y = zeros(size(x))
        for place in y.entries:
            y.entries[place] += b[place[:1]] if b is not None else 0
        for o, t, i in taps(x):
            y.entries[o] += w[t] * x[i]
        return y

    def backward(x: Plain, g: Plain) -> tuple[Plain, dict[str, Plain]]:
        dx, dw = zeros(x.shape), zeros(w.shape)
        for o, t, i in taps(x):
            dx.entries[i] += w[t] * g[o]
            dw.entries[t] += x[i] * g[o]
        found = {"weight": dw}
        if b is not None:
            found["bias"] = zeros(b.shape)
            for o, value in g.entries.items():
                found["bias"].entries[o[:1]] += value
        return dx, found

    return Layer(forward, backward)


def windows(x: Plain, kernel: Place, stride: int) -> Iterator[tuple[Place, list[Place]]]:
    """The windows of every channel without padding, and the places in each, row by row."""
    sizes = [(n - k) // stride + 1 for n, k in zip(x.shape[1:], kernel, strict=True)]
    for o in places((x.shape[0], *sizes)):
        yield o, [(o[0], *(p * stride + m for p, m in zip(o[1:], t, strict=True))) for t in places(kernel)]


def pool(kernel: Place, stride: int, kind: str) -> Layer:
    """A "max" (the first one wins), an "average" or a Euclidean "norm" of every window."""

    def value(entries: list[Any]) -> Any:
        if kind == "max":
            return max(entries)
        if kind == "average":
            return sum(entries) / Fraction(len(entries))
        square = sum(entry**2 for entry in entries)
        root = Fraction(math.isqrt(square.numerator), math.isqrt(square.denominator))
        assert root**2 == square, "take data whose norms are rational"
        return root

    def forward(x: Plain) -> Plain:
        found = {o: value([x[i] for i in window]) for o, window in windows(x, kernel, stride)}
        return Plain(tuple(max(axis) + 1 for axis in zip(*found, strict=True)), found)

    def backward(x: Plain, g: Plain) -> tuple[Plain, dict[str, Plain]]:
        dx = zeros(x.shape)
        for o, window in windows(x, kernel, stride):
            if kind == "max":
                dx.entries[max(window, key=lambda i: x[i])] += g[o]
                continue
            norm = value([x[i] for i in window])
            for i in window:
                dx.entries[i] += g[o] / len(window) if kind == "average" else g[o] * x[i] / norm if norm else 0
        return dx, {}

    return Layer(forward, backward)


def pointwise(value: Callable[[Any], Any], slope: Callable[[Any], Any]) -> Layer:
    return Layer(
        lambda x: Plain(x.shape, {i: value(v) for i, v in x.entries.items()}),
        lambda x, g: (Plain(x.shape, {i: slope(v) * g[i] for i, v in x.entries.items()}), {}),
    )


def relu() -> Layer:
    return pointwise(lambda v: max(v, Fraction(0)), lambda v: Fraction(int(v > 0)))


def flatten() -> Layer:
    return Layer(
        lambda x: Plain((len(x.entries),), {(k,): x[i] for k, i in enumerate(places(x.shape))}),
        lambda x, g: (Plain(x.shape, {i: g[(k,)] for k, i in enumerate(places(x.shape))}), {}),
    )


def dense(weight: Any, bias: Any = None) -> Layer:
    w = plain(weight)
    b = None if bias is None else plain(bias)
    rows, columns = w.shape

    def forward(x: Plain) -> Plain:
        def entry(r: int) -> Any:
            return sum((w[r, c] * x[(c,)] for c in range(columns)), b[(r,)] if b is not None else Fraction(0))

        return Plain((rows,), {(r,): entry(r) for r in range(rows)})

    def backward(x: Plain, g: Plain) -> tuple[Plain, dict[str, Plain]]:
        dx = {(c,): sum(w[r, c] * g[(r,)] for r in range(rows)) for c in range(columns)}
        dw = {(r, c): g[(r,)] * x[(c,)] for r in range(rows) for c in range(columns)}
        found = {"weight": Plain(w.shape, dw)}
        if b is not None:
            found["bias"] = Plain((rows,), dict(g.entries))
        return Plain(x.shape, dx), found

    return Layer(forward, backward)


def softmax() -> Layer:
    """Exact where all scores are equal, in floating numbers elsewhere."""

    def forward(x: Plain) -> Plain:
        top = max(x.entries.values())
        if len(set(x.entries.values())) == 1:
            return Plain(x.shape, dict.fromkeys(x.entries, Fraction(1, len(x.entries))))
        powers = {i: math.exp(v - top) for i, v in x.entries.items()}
        return Plain(x.shape, {i: v / sum(powers.values()) for i, v in powers.items()})

    def backward(x: Plain, g: Plain) -> tuple[Plain, dict[str, Plain]]:
        p = forward(x)
        mean = sum(g[i] * p[i] for i in p.entries)
        return Plain(x.shape, {i: p[i] * (g[i] - mean) for i in p.entries}), {}

    return Layer(forward, backward)


def cross_entropy(target: int) -> Layer:
    return Layer(
        lambda x: Plain((), {(): -math.log(x[(target,)])}),
        lambda x, g: (Plain(x.shape, {i: -g[()] / v if i == (target,) else 0 for i, v in x.entries.items()}), {}),
    )


def squared_error(target: Any) -> Layer:
    y = plain(target)
    return Layer(
        lambda x: Plain((), {(): sum((v - y[i]) ** 2 for i, v in x.entries.items())}),
        lambda x, g: (Plain(x.shape, {i: 2 * (v - y[i]) * g[()] for i, v in x.entries.items()}), {}),
    )


@dataclass
class Worked:
    """A network worked out: by layer what it gives, the gradient by that, and the gradients by its parameters."""

    values: dict[str, Plain] = field(default_factory=dict)
    flows: dict[str, Plain] = field(default_factory=dict)
    parameters: dict[str, dict[str, Plain]] = field(default_factory=dict)


def work(
    x: Plain, layers: dict[str, Layer | None], reads: dict[str, tuple[str, ...]] | None = None, upstream: Any = None
) -> Worked:
    """Forward, and back from a gradient of 1 or the one that is given; a layer that is None adds what it reads."""
    names = list(layers)
    sources = reads or {name: (before,) for before, name in zip(["input", *names], names, strict=False)}
    found = Worked({"input": x})
    for name, layer in layers.items():
        given = [found.values[source] for source in sources[name]]
        found.values[name] = _sum(given) if layer is None else layer.forward(given[0])
    last = found.values[names[-1]]
    found.flows[names[-1]] = (
        plain(upstream) if upstream is not None else Plain(last.shape, dict.fromkeys(last.entries, Fraction(1)))
    )
    for name in reversed(names):
        layer, g = layers[name], found.flows[name]
        part = g
        if layer is not None:
            part, found.parameters[name] = layer.backward(found.values[sources[name][0]], g)
        for source in sources[name]:
            known = found.flows.get(source)
            found.flows[source] = part if known is None else _sum([known, part])
    return found


def _sum(arrays: list[Plain]) -> Plain:
    return Plain(arrays[0].shape, {i: sum(array[i] for array in arrays) for i in arrays[0].entries})
