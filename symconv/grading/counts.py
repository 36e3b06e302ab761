"""Sizes and counts as arrays of integers, and the slips in them: a stride that was forgotten, a floor for a ceiling."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import prod
from typing import Any, Literal

import numpy as np

from symconv.errors import NotSupportedError
from symconv.grading.graph import ArrayGraph, Node, Slip, Value
from symconv.grading.operator_slips import others
from symconv.operators.base import Operator
from symconv.operators.networks.network import Network
from symconv.operators.networks.shape import INPUT, Shape
from symconv.operators.networks.windows import has_windows
from symconv.operators.transposed import ConvTranspose
from symconv.operators.window import Window
from symconv.problems.answers.counts import up_to
from symconv.problems.problem import Declared, Layers

__all__ = ["Count", "count_items"]


@dataclass(frozen=True)
class Count:
    """One count that is asked for: what it is called, in words, how it is written, and its key in the graph."""

    name: str
    words: str
    kind: Literal["number", "size"]
    key: str


Given = Mapping[str, Value]


def count_items(
    graph: ArrayGraph, chain: Layers, words: Sequence[str], operators: Sequence[Declared]
) -> Iterator[Count]:
    """The sizes and counts of a network, or of its one layer."""
    network, shapes = chain.network, chain.network.shapes(chain.input_shape)
    alone = len(network.names) == 1
    for word in words:
        if word == "size":
            for layer in filter(shapes.get, network.names):
                if alone or has_windows(network[layer]) or shapes[layer] != shapes[network.sources(layer)[0]]:
                    of = "the output" if alone else f"what {layer} gives"
                    yield Count(f"size {layer}", f"the size of {of}", "size", _size(graph, chain, layer, operators))
        elif word == "receptive-field":
            yield from _field(graph, chain)
        else:
            for layer in network.names:
                key = _number(graph, chain, layer, word)
                if key:
                    what = "parameters" if word == "parameters" else "multiply-adds"
                    yield Count(f"{word} {layer}", f"the number of {what} of {layer}", "number", key)


def _vector(shape: Sequence[Any]) -> Value:
    return np.array([Fraction(int(n)) for n in shape], dtype=object)


def _shape(value: Value) -> Shape:
    return tuple(int(n) for n in value.ravel())


# ---------------------------------------------------------------------- sizes


def _size(graph: ArrayGraph, chain: Layers, layer: str, operators: Sequence[Declared]) -> str:
    """The key of the size of what a layer gives; of one layer alone without its single channel."""
    if layer == INPUT:
        return graph.add(Node(f"size {chain.name} input", (), lambda _: _vector(chain.input_shape)))
    network, op = chain.network, chain.network[layer]
    needs = tuple(_size(graph, chain, source, operators) for source in network.sources(layer))
    plain = network.spatial_axes
    drops = bool(operators) and plain is not None and network.shapes(chain.input_shape)[layer][:-plain] == (1,)

    def made(other: Operator) -> Callable[[Given], Value]:
        def make(given: Given) -> Value:
            found = other.joined_size([_shape(given[need]) for need in needs])
            return _vector(found[1:] if drops else found)

        return make

    def by_axis(count: Callable[[Window, int], int]) -> Callable[[Given], Value]:
        def make(given: Given) -> Value:
            before = _shape(given[needs[0]])
            right = made(op)(given)
            axes = op.spatial_axes
            found = [count(window, n) for window, n in zip(op.windows, before[-axes:], strict=True)]
            return np.concatenate([right[: len(right) - axes], _vector(found)])

        return make

    slips = [
        Slip(other.name, other.words, made(other.operator))
        for other in others(op, "output")
        if other.name in ("stride-forgotten", "padding-forgotten", "dilation-forgotten", "floor-and-ceil",
                          "stride-of-the-window", "output-padding-forgotten", "order-of-entries")
    ]  # fmt: skip
    if has_windows(op) and op.windows and not isinstance(op, ConvTranspose) and not any(w.fit for w in op.windows):
        slips += [Slip(name, words, by_axis(count)) for name, words, count in _SIZES]
    return graph.add(Node(f"size {chain.name}/{layer}", needs, made(op), tuple(slips)))


def _pads(window: Window, n: int) -> tuple[int, int]:
    before, after = (pad.value or 0 for pad in window.padding(n))
    return int(before), int(after)


def _padded_once(window: Window, n: int) -> int:
    return (n + _pads(window, n)[0] - int(window.span.value or 1)) // int(window.stride) + 1


def _without_one(window: Window, n: int) -> int:
    return int(window.output_size(n)) - 1


def _span_without_one(window: Window, n: int) -> int:
    return (n + sum(_pads(window, n)) - int(window.kernel) * int(window.dilation)) // int(window.stride) + 1


def _other_rounding(window: Window, n: int) -> int:
    room = n + sum(_pads(window, n)) - int(window.span.value or 1)
    return (room // int(window.stride) if window.ceil_mode else -(-room // int(window.stride))) + 1


def _undivided(window: Window, n: int) -> int:
    return n // int(window.stride)


_SIZES: tuple[tuple[str, str, Callable[[Window, int], int]], ...] = (
    ("padding-once", "The padding was counted on one side only.", _padded_once),
    ("one-forgotten", "The first window was not counted: 1 is missing.", _without_one),
    ("floor-and-ceil", "The quotient was rounded the wrong way.", _other_rounding),
    (
        "span-of-the-kernel",
        "A kernel of k taps with dilation d reaches over d (k − 1) + 1 entries, not d k.",
        _span_without_one,
    ),
    ("divided-alone", "The size was divided by the stride, and neither window nor padding was counted.", _undivided),
)


# ---------------------------------------------------------------------- numbers


def _number(graph: ArrayGraph, chain: Layers, layer: str, word: str) -> str:
    """The key of the number of parameters or multiply-adds of a layer; "" where there are none."""
    network = chain.network
    shapes = network.shapes(chain.input_shape)
    op, before, after = network[layer], shapes[network.sources(layer)[0]], shapes[layer]
    sizes = op.parameter_sizes(before)
    if word == "parameters":
        if not sizes:
            return ""
        total = sum(map(prod, sizes.values()))
        wrong = _parameters(sizes)
    else:
        total = int(op.multiply_adds(before))
        if not total:
            return ""
        wrong = _products(sizes, total, after)
    slips = tuple(Slip(name, words, _constant(value)) for name, words, value in wrong if value != total)
    return graph.add(Node(f"{word} {chain.name}/{layer}", (), _constant(total), slips))


def _constant(value: int) -> Callable[[Given], Value]:
    return lambda _: np.array(Fraction(value), dtype=object)


def _parameters(sizes: Mapping[str, Shape]) -> Iterator[tuple[str, str, int]]:
    weight, bias = sizes.get("weight", ()), prod(sizes["bias"]) if "bias" in sizes else 0
    if bias:
        yield "bias-forgotten", "The bias was forgotten.", prod(weight)
        yield "one-bias", "One bias was counted, and there is one for every channel out.", prod(weight) + 1
    elif weight:
        yield "bias-counted", "A bias was counted, and this layer has none.", prod(weight) + weight[0]
    if len(weight) > 2:
        yield "channels-in-forgotten", "The channels in were forgotten.", prod(weight) // weight[1] + bias
        yield "channels-out-forgotten", "The channels out were forgotten.", prod(weight[1:]) + bias


def _products(sizes: Mapping[str, Shape], total: int, after: Shape) -> Iterator[tuple[str, str, int]]:
    weight = sizes.get("weight", ())
    if len(weight) > 2:
        yield "places-forgotten", "This is the number of products of one output place.", prod(weight)
        yield "channels-in-forgotten", "The channels in were forgotten.", total // weight[1]
        yield "channels-out-forgotten", "The channels out were forgotten.", total // weight[0]
        yield "outputs-alone", "This is the number of outputs: each of them takes several products.", prod(after)
    if "bias" in sizes:
        yield (
            "bias-counted",
            "Additions of the bias were counted, and only products are asked for.",
            total + prod(after),
        )
    yield "additions-counted", "Products and additions were counted apart; each pair is one multiply-add.", 2 * total


def _field(graph: ArrayGraph, chain: Layers) -> Iterator[Count]:
    """The receptive field of the last layer that has one."""
    known = _fields(chain.network)
    if not known:
        return
    layer, extents = known[-1]
    slips = []
    for name, words, change in _FIELDS:
        layers = [(n, _windowed(op, change)) for n, op in chain.network.layers]
        if any(one is not two for (_, one), (_, two) in zip(layers, chain.network.layers, strict=True)):
            other = dict(_fields(Network(layers, chain.network.edges))).get(layer)
            if other is not None and other != extents:
                slips.append(Slip(name, words, _vectors(other)))
    windows = [op.windows for _, op in up_to(chain.network, layer).layers if has_windows(op) and op.windows]
    summed = [sum(int(own[axis].kernel) for own in windows) for axis in range(len(extents))]
    if tuple(summed) != extents:
        slips.append(
            Slip(
                "kernels-added",
                "The kernels were added up: each adds its size less 1, times the step before it.",
                _vectors(summed),
            )
        )
    key = graph.add(Node(f"field {chain.name}/{layer}", (), _vectors(extents), tuple(slips)))
    yield Count(f"receptive field {layer}", f"the receptive field of {layer}", "size", key)


def _vectors(shape: Sequence[int]) -> Callable[[Given], Value]:
    return lambda _: _vector(shape)


def _fields(network: Network) -> list[tuple[str, tuple[int, ...]]]:
    try:
        found = network.receptive_fields
    except NotSupportedError:
        return []
    return [(name, tuple(int(extent) for extent, _ in field)) for name, field in found.items() if field is not None]


def _windowed(op: Any, change: str) -> Any:
    """The layer without its strides, or its dilations."""
    if not has_windows(op) or not hasattr(op, change):
        return op
    return op if all(step == 1 for step in getattr(op, change)) else replace(op, **{change: 1})


_FIELDS = (
    ("stride-forgotten", "The strides of the layers before were forgotten.", "stride"),
    ("dilation-forgotten", "The dilation was forgotten.", "dilation"),
)
