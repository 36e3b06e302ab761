"""The arrays of a network as a graph: what every layer gives, the gradients, and one step of learning."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache, partial
from typing import Any

import numpy as np

from symconv.errors import ArgumentError
from symconv.formulas.formula import Formula
from symconv.grading.graph import ArrayGraph, Node, Slip, Value
from symconv.grading.operator_slips import others, pads
from symconv.operators.base import Operator
from symconv.operators.convolution import Conv
from symconv.operators.cross_entropy import CrossEntropy
from symconv.operators.dense import Dense
from symconv.operators.joining import Add
from symconv.operators.networks.exact import applied, gradient_of
from symconv.operators.networks.network import Network
from symconv.operators.networks.shape import INPUT, Shape
from symconv.operators.pooling import AvgPool, LPPool, MaxPool
from symconv.operators.relu import ReLU
from symconv.operators.softmax import Softmax
from symconv.operators.transposed import ConvTranspose
from symconv.operators.winners import refuse_ties, untied

__all__ = ["NetworkArrays"]

MOST_OUTPUTS_ALONE = 36  # outputs of a pooling whose windows are told apart
LARGE = 10**6


@dataclass(frozen=True)
class NetworkArrays:
    """The arrays of a network that runs on given data.

    Attributes:
        graph: where they are added.
        key: what tells this network on these data from others.
        network: the layers.
        shape: of the input, with its channels.
        source: the key of the input in the graph.
        weights: by layer and role the arrays that are given.
        upstream: the gradient by the output.
    """

    graph: ArrayGraph
    key: str
    network: Network
    shape: Shape
    source: str
    weights: Mapping[str, Mapping[str, Value]]
    upstream: Value | None = None

    # ------------------------------------------------------------------ forward

    def output(self, layer: str) -> str:
        """The key of what a layer gives, which is added with all that it is made of."""
        if layer == INPUT:
            return self.source
        key = f"{self.key}/{layer}"
        if key in self.graph.nodes:
            return key
        needs = tuple(self.output(source) for source in self.network.sources(layer))
        op = self.network[layer]
        if isinstance(op, Add):
            return self.graph.add(Node(key, needs, lambda given: sum((given[n] for n in needs[1:]), given[needs[0]])))
        (x,) = needs
        weights = self.weights.get(layer, {})

        def made(other: Operator, own: Mapping[str, Value] = weights) -> Callable[[Mapping[str, Value]], Value]:
            return lambda given: forward(other, _fitting(self.network, given[x]), own)

        slips = [Slip(other.name, other.words, made(other.operator)) for other in others(op, "output")]
        slips += [Slip(name, words, made(op, own)) for name, words, own in _other_weights(op, weights)]
        slips += _of_functions(op, x, made(op), weights)
        return self.graph.add(Node(key, needs, made(op), tuple(slips)))

    # ------------------------------------------------------------------ backward

    def gradient(self, layer: str, role: str = "output") -> str:
        """The key of the gradient by what a layer gives, or by its weight or bias."""
        if role != "output":
            return self._of_variable(layer, role)
        key = f"{self.key}/d {layer}" if layer != INPUT else f"{self.key}/d {self.source} at the input"
        if key in self.graph.nodes:
            return key
        if layer == self.network.output:
            upstream = self.upstream
            assert upstream is not None
            return self.graph.add(Node(key, (), lambda _: upstream))
        readers = [after for before, after in self.network.edges if before == layer]
        parts = tuple(self._through(reader) for reader in readers)
        if len(parts) == 1:
            return parts[0]
        return self.graph.add(Node(key, parts, lambda given: sum((given[n] for n in parts[1:]), given[parts[0]])))

    def _through(self, layer: str) -> str:
        """The key of the gradient that a layer hands back to what it reads."""
        key, g = f"{self.key}/d through {layer}", self.gradient(layer)
        op = self.network[layer]
        if isinstance(op, Add):
            return g
        if key in self.graph.nodes:
            return key
        x = self.output(self.network.sources(layer)[0])
        weights = self.weights.get(layer, {})
        sources = self.network.sources(layer)[0]
        passed = self._passed(sources)

        def made(other: Operator, own: Mapping[str, Value] = weights) -> Callable[[Mapping[str, Value]], Value]:
            return lambda given: backward(other, "input", given[x], own, given[g])

        def right(given: Mapping[str, Value]) -> Value:
            data = _fitting(self.network, given[x])
            refuse_ties(op.fitted(data.shape), data, given[g], passed(given) if passed else None)
            return backward(op, "input", data, weights, given[g])

        slips = [
            self._on_its_size(Slip(other.name, other.words, made(other.operator)), op, other.operator, x, g, weights)
            for other in others(op, "input")
        ]
        slips += [
            Slip(name, words, made(op, own)) for name, words, own in _other_weights(op, weights) if "bias" not in name
        ]
        slips += _gradients_of_functions(op, x, g, weights)
        needs = (x, g, *((self.output(self.network.sources(sources)[0]),) if passed else ()))
        return self.graph.add(Node(key, tuple(dict.fromkeys(needs)), right, tuple(slips)))

    def _passed(self, source: str) -> Callable[[Mapping[str, Value]], Callable[[Value], Value]] | None:
        """What the layer before a pooling hands on of a gradient, where it works place by place."""
        if source == INPUT or not self.network[source].place_by_place or isinstance(self.network[source], Add):
            return None
        op, before, own = (
            self.network[source],
            self.output(self.network.sources(source)[0]),
            self.weights.get(source, {}),
        )
        return lambda given: lambda g: backward(op, "input", given[before], own, g)

    def _on_its_size(
        self, slip: Slip, op: Operator, other: Operator, x: str, g: str, weights: Mapping[str, Value]
    ) -> Slip:
        """A slip in a gradient, where forgetting an option leaves an input of another size."""
        if not isinstance(op, Conv) or not slip.name.endswith("-forgotten") or any(w.fit for w in other.windows):
            return slip

        def make(given: Mapping[str, Value]) -> Value:
            data, upstream = _fitting(self.network, given[x]), given[g]
            sizes = []
            for window, outputs in zip(other.windows, upstream.shape[1:], strict=True):
                before, after = (pad.value or 0 for pad in window.padding(1))
                sizes.append((outputs - 1) * int(window.stride) + int(window.span.value or 1) - before - after)
            return backward(other, "input", np.zeros((data.shape[0], *sizes), object), weights, upstream)

        return replace(slip, make=make)

    def _of_variable(self, layer: str, role: str) -> str:
        key = f"{self.key}/d {layer}.{role}"
        if key in self.graph.nodes:
            return key
        x, g = self.output(self.network.sources(layer)[0]), self.gradient(layer)
        op, weights = self.network[layer], self.weights.get(layer, {})

        def made(other: Operator) -> Callable[[Mapping[str, Value]], Value]:
            return lambda given: backward(other, role, _fitting(self.network, given[x]), weights, given[g])

        slips: list[Slip] = []
        if role == "weight":
            slips = [
                Slip(other.name, other.words, made(other.operator))
                for other in others(op, "weight")
                if other.name == "kernel-flipped"
            ]
        if role == "bias" and isinstance(op, Conv | ConvTranspose):
            words = "The average of the gradient, and not its sum over all places."
            right = made(op)
            slips.append(
                Slip("averaged", words, lambda given: right(given) / Fraction(int(np.prod(given[g].shape[1:]))))
            )
        return self.graph.add(Node(key, (x, g), made(op), tuple(slips)))

    # ------------------------------------------------------------------ one step of learning

    def moved(self, layer: str, role: str, rate: Fraction) -> str:
        """The key of a parameter minus a rate times its gradient."""
        key, g = f"{self.key}/{layer}.{role} after {rate}", self._of_variable(layer, role)
        before = self.weights[layer][role]

        def step(factor: Fraction | int, start: Any = before) -> Callable[[Mapping[str, Value]], Value]:
            return lambda given: start + factor * given[g].reshape(before.shape)

        slips = (
            Slip("uphill", "The step goes uphill: the rate times the gradient is subtracted.", step(rate)),
            Slip("rate-forgotten", "The rate was forgotten: the gradient was subtracted whole.", step(-1)),
            Slip(
                "gradient-alone",
                "This is the gradient times the rate; it is subtracted from the parameter.",
                step(rate, np.zeros(before.shape, object)),
            ),
        )
        return self.graph.add(Node(key, (g,), step(-rate), slips))


def _fitting(network: Network, x: Value) -> Value:
    """An array with the axis of its one channel, as a network of images takes it."""
    axes = network.spatial_axes
    return x[None] if axes is not None and x.ndim == axes else x


def forward(op: Operator, x: Value, weights: Mapping[str, Value]) -> Value:
    """What a layer gives."""
    op = op.fitted(x.shape)
    return applied(partial(_formula, op, "output"), op, x, _full(op, x.shape, weights), None)


def backward(op: Operator, role: str, x: Value, weights: Mapping[str, Value], g: Value) -> Value:
    """The gradient of a layer by its input, its weight or its bias."""
    op = untied(op.fitted(x.shape))
    due = op.array_size(x.shape)
    if g.size != np.prod(due, dtype=int):
        raise ArgumentError("upstream", g.shape, f"must have the shape {due} of the output")
    return applied(partial(_formula, op, role), op, x, _full(op, x.shape, weights), g.reshape(due))


@lru_cache(maxsize=1024)
def _formula(op: Operator, of: str, sizes: Any) -> Formula:
    """The formula of what a layer gives, or of its gradient; variants differ in numbers, and share it."""
    return op.output(input_size=sizes) if of == "output" else gradient_of(op, of)(sizes)


def _full(op: Operator, shape: Shape, weights: Mapping[str, Value]) -> dict[str, Value]:
    """The weights in their full shapes."""
    sizes = op.parameter_sizes(shape)
    return {role: array.reshape(sizes[role]) if role in sizes else array for role, array in weights.items()}


# ---------------------------------------------------------------------- slips in data and in functions


def _other_weights(op: Operator, weights: Mapping[str, Value]) -> Iterator[tuple[str, str, dict[str, Value]]]:
    """Weights that are read otherwise."""
    if "bias" in weights:
        yield "bias-forgotten", "The bias was forgotten.", {**weights, "bias": np.zeros(weights["bias"].shape, object)}
    weight = weights.get("weight")
    if weight is None or weight.ndim < 2 or not (isinstance(op, Dense) or op.spatial_axes > 1):
        return
    if weight.shape[-1] == weight.shape[-2]:
        what = (
            "The matrix was transposed." if isinstance(op, Dense) else "Rows and columns of the kernel were exchanged."
        )
        yield "weight-transposed", what, {**weights, "weight": weight.swapaxes(-1, -2)}
    if not isinstance(op, Dense):
        for axis, words in ((-1, "from left to right"), (-2, "upside down")):
            yield (
                "kernel-mirrored",
                f"The kernel was mirrored {words} only.",
                {**weights, "weight": np.flip(weight, axis)},
            )
        if weight.ndim > 3 and weight.shape[0] == weight.shape[1] > 1:
            words = "The channels in and out of the kernel were exchanged."
            yield "channels-exchanged", words, {**weights, "weight": weight.swapaxes(0, 1)}


def _of_functions(
    op: Operator, x: str, right: Callable[[Mapping[str, Value]], Value], weights: Mapping[str, Value]
) -> list[Slip]:
    """Slips that no operator makes, in what a layer gives."""
    if isinstance(op, ReLU):
        return [
            Slip("relu-forgotten", "ReLU was not applied.", lambda given: given[x]),
            Slip(
                "absolute-value",
                "Negative entries were made positive, and ReLU makes them 0.",
                lambda given: abs(given[x]),
            ),
        ]
    if isinstance(op, MaxPool):
        found = [Slip("minimum", "This is the minimum of every window.", lambda given: -right({x: -given[x]}))]
        if pads(op):
            words = "Zeros of the padding took part in the maximum, and padding never wins."
            found.append(
                Slip("zeros-in-the-maximum", words, lambda given: np.maximum(_touching(op, given[x]), right(given)))
            )
        return found
    if isinstance(op, LPPool) and isinstance(op.norm_type, int) and op.norm_type > 1:
        order = op.norm_type
        return [Slip("root-forgotten", "The root was not taken.", lambda given: right(given) ** order)]
    if isinstance(op, Softmax):
        words = "The scores were divided by their sum, without the exponential function."
        return [Slip("exponential-forgotten", words, lambda given: given[x] / given[x].sum())]
    if isinstance(op, CrossEntropy):
        return [Slip("sign", "The sign is wrong: the loss is minus the logarithm.", lambda given: -right(given))]
    return []


def _touching(op: MaxPool, x: Value) -> Value:
    """0 for windows that reach into the padding; for others less than all entries."""
    summed = AvgPool(op.kernel_size, op.stride, op.padding, op.ceil_mode, divisor_override=1, ndim=op.ndim)
    inside = forward(summed, np.full(x.shape, Fraction(1), object), {})
    lowest = min(x.ravel().tolist())
    whole = int(np.prod(op.kernel_size))
    return np.asarray([Fraction(0) if n < whole else lowest for n in inside.ravel()], object).reshape(inside.shape)


def _gradients_of_functions(op: Operator, x: str, g: str, weights: Mapping[str, Value]) -> list[Slip]:
    """Slips that no operator makes, in the gradient that a layer hands back."""
    if isinstance(op, ReLU):
        words = "The gradient itself was cut at 0; it is stopped where the entry that went in is not positive."
        return [
            Slip(
                "relu-passes-all",
                "The gradient was handed back everywhere, and ReLU stops it where its input is negative.",
                lambda given: given[g],
            ),
            Slip("relu-of-the-gradient", words, lambda given: _positive_part(given[g])),
        ]
    if isinstance(op, MaxPool | AvgPool) and any(int(window.stride) < int(window.kernel) for window in op.windows):
        words = "Where windows overlap, the last one was taken, and their gradients add up."
        return [Slip("overlap-not-added", words, lambda given: _last_written(op, given[x], weights, given[g]))]
    return []


def _positive_part(array: Value) -> Value:
    """The entries, those below 0 made 0."""
    found = [entry if float(entry) > 0 else Fraction(0) for entry in array.ravel().tolist()]
    return np.array(found, dtype=object).reshape(array.shape)


def _last_written(op: Operator, x: Value, weights: Mapping[str, Value], g: Value) -> Value:
    """The gradient by the input, where every window writes over those before it.

    Every window hands on 0 or one over a whole number of its gradient. With powers of a large number for gradients, the
    last window that reaches an entry is read off the size of what arrives there, and its share with it.
    """
    if g.size > MOST_OUTPUTS_ALONE:
        raise ArgumentError("upstream", g.shape, f"must have at most {MOST_OUTPUTS_ALONE} entries")
    powers = np.array([Fraction(LARGE) ** n for n in range(g.size)], dtype=object).reshape(g.shape)
    arrived, flat = backward(op, "input", x, weights, powers), g.ravel().tolist()
    found = []
    for value in arrived.ravel().tolist():
        last = next((n for n in reversed(range(g.size)) if value * 1000 >= LARGE**n), None)
        found.append(Fraction(0) if last is None else flat[last] / Fraction(round(LARGE**last / value)))
    return np.array(found, dtype=object).reshape(arrived.shape)
