"""Random networks, and what they give and hand back by plain loops; the loops import nothing of symconv."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from math import prod
from typing import Any

import numpy as np
import oracles
from hypothesis import strategies as st

Array = np.ndarray


@dataclass
class Plain:
    """A layer by loops: what it gives of its inputs, and what it hands back."""

    forward: Callable[[list[Array], dict[str, Array]], Array]
    backward: Callable[[Array, list[Array], dict[str, Array]], tuple[list[Array], dict[str, Array]]]


@dataclass
class Drawn:
    """A random network.

    Attributes:
        layers: name, the name of the class, and the options that make the operator.
        edges: pairs of names.
        plain: every layer by loops.
        shapes: of every layer and the input, without a batch.
        weights: the shapes of the weights and biases.
    """

    shape: tuple[int, ...]
    layers: list[tuple[str, str, tuple[Any, ...], dict[str, Any]]] = field(default_factory=list)
    edges: list[tuple[str, str]] = field(default_factory=list)
    plain: dict[str, Plain] = field(default_factory=dict)
    weights: dict[str, dict[str, tuple[int, ...]]] = field(default_factory=dict)

    def run(self, x: Array, weights: dict[str, dict[str, Array]]) -> dict[str, Array]:
        """What every layer gives of one input."""
        found = {"input": x}
        for name, *_ in self.layers:
            read = [found[a] for a, b in self.edges if b == name]
            found[name] = self.plain[name].forward(read, weights.get(name, {}))
        return found

    def back(self, x: Array, weights: dict[str, dict[str, Array]], g: Array) -> dict[str, Any]:
        """The gradients by the input and by all weights, and by the input of every layer."""
        flows, found = self.flows(x, weights, g)
        return {"input": flows["input"], **found}

    def flows(
        self, x: Array, weights: dict[str, dict[str, Array]], g: Array
    ) -> tuple[dict[str, Array], dict[str, dict[str, Array]]]:
        """The gradients by what every layer gives, and by what every layer depends on."""
        values = self.run(x, weights)
        flows: dict[str, Array] = {self.layers[-1][0]: g}
        found: dict[str, dict[str, Array]] = {}
        for name, *_ in reversed(self.layers):
            sources = [a for a, b in self.edges if b == name]
            read = [values[a] for a in sources]
            parts, own = self.plain[name].backward(flows[name], read, weights.get(name, {}))
            found[name] = {"input": parts[0], **own}
            for source, part in zip(sources, parts, strict=True):
                flows[source] = flows[source] + part if source in flows else part
        return flows, found


def _objects(tensor: Any, shape: tuple[int, ...]) -> Array:
    """An oracle's tensor with its batch of one as an array of exact numbers."""
    result = np.empty(shape, object)
    for index in np.ndindex(shape):
        result[index] = tensor[(0, *index)]
    return result


def _conv(options: dict[str, Any], shape: tuple[int, ...]) -> Plain:
    def forward(read: list[Array], own: dict[str, Array]) -> Array:
        y = oracles.conv(read[0][None].tolist(), own["weight"].tolist(), _bias(own), **options)
        return _objects(y, shape)

    def backward(g: Array, read: list[Array], own: dict[str, Array]) -> tuple[list[Array], dict[str, Array]]:
        found = oracles.conv_vjp(g[None].tolist(), read[0][None].tolist(), own["weight"].tolist(), **options)
        weight = np.empty(own["weight"].shape, object)
        for index in np.ndindex(weight.shape):
            weight[index] = found.weight[index]
        sums = np.array([sum(channel.ravel()) for channel in g], object)
        return [_objects(found.input, read[0].shape)], {"weight": weight, **({"bias": sums} if "bias" in own else {})}

    return Plain(forward, backward)


def _bias(own: dict[str, Array]) -> Any:
    return own["bias"].tolist() if "bias" in own else None


def _pool(kind: str, kernel: tuple[int, ...], options: dict[str, Any], shape: tuple[int, ...]) -> Plain:
    def forward(read: list[Array], own: dict[str, Array]) -> Array:
        x = read[0][None].tolist()
        y = oracles.max_pool(x, kernel, **options)[0] if kind == "MaxPool" else oracles.avg_pool(x, kernel, **options)
        return _objects(y, shape)

    def backward(g: Array, read: list[Array], own: dict[str, Array]) -> tuple[list[Array], dict[str, Array]]:
        pull = oracles.max_pool_vjp if kind == "MaxPool" else oracles.avg_pool_vjp
        return [_objects(pull(g[None].tolist(), read[0][None].tolist(), kernel, **options), read[0].shape)], {}

    return Plain(forward, backward)


def _flatten(order: str) -> Plain:
    def places(shape: tuple[int, ...]) -> list[tuple[int, ...]]:
        if order == "channel-first":
            return list(np.ndindex(shape))
        return [(c, *at) for at in np.ndindex(shape[1:]) for c in range(shape[0])]

    def backward(g: Array, read: list[Array], own: dict[str, Array]) -> tuple[list[Array], dict[str, Array]]:
        result = np.empty(read[0].shape, object)
        for value, at in zip(g, places(read[0].shape), strict=True):
            result[at] = value
        return [result], {}

    return Plain(lambda read, own: np.array([read[0][at] for at in places(read[0].shape)], object), backward)


def _dense() -> Plain:
    def forward(read: list[Array], own: dict[str, Array]) -> Array:
        rows = [sum(w * x for w, x in zip(row, read[0], strict=True)) for row in own["weight"]]
        bias = own.get("bias", [0] * len(rows))
        return np.array([row + d for row, d in zip(rows, bias, strict=True)], object)

    def backward(g: Array, read: list[Array], own: dict[str, Array]) -> tuple[list[Array], dict[str, Array]]:
        weight = own["weight"]
        to_x = [sum(g[p] * weight[p][i] for p in range(len(g))) for i in range(len(read[0]))]
        to_weight = np.array([[gp * x for x in read[0]] for gp in g], object)
        return [np.array(to_x, object)], {"weight": to_weight, **({"bias": g} if "bias" in own else {})}

    return Plain(forward, backward)


def _norm() -> Plain:
    def forward(read: list[Array], own: dict[str, Array]) -> Array:
        return np.array([w * x + d for w, x, d in zip(own["weight"], read[0], own["bias"], strict=True)], object)

    def backward(g: Array, read: list[Array], own: dict[str, Array]) -> tuple[list[Array], dict[str, Array]]:
        channels = list(zip(own["weight"], np.atleast_1d(g), np.atleast_1d(read[0]), strict=True))
        to_x = np.array([w * part for w, part, _ in channels], object)
        to_weight = [np.sum(part * x) for _, part, x in channels]
        return [to_x], {"weight": np.array(to_weight, object), "bias": np.array([np.sum(p) for _, p, _ in channels])}

    return Plain(forward, backward)


def _relu() -> Plain:
    def backward(g: Array, read: list[Array], own: dict[str, Array]) -> tuple[list[Array], dict[str, Array]]:
        return [np.where(read[0] > 0, g, Fraction(0))], {}

    return Plain(lambda read, own: np.where(read[0] > 0, read[0], Fraction(0)), backward)


def _add() -> Plain:
    return Plain(lambda read, own: sum(read[1:], start=read[0]), lambda g, read, own: ([g] * len(read), {}))


def _outputs(size: int, kernel: int, stride: int, padding: int, dilation: int) -> int:
    return (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


@st.composite
def networks(draw: st.DrawFn, largest: int = 7) -> Drawn:
    """Convolutions, poolings, normalisations and branches that meet again, perhaps with a head of dense layers."""
    ndim, depth = draw(st.integers(1, 2)), draw(st.integers(1, 6))
    shape = (draw(st.integers(1, 4)), *(draw(st.integers(4, largest)) for _ in range(ndim)))
    net, before = Drawn(shape), "input"

    def put(kind: str, plain: Plain, *sources: str, args: tuple[Any, ...] = (), **options: Any) -> str:
        name = f"{kind.lower()}{len(net.layers)}"
        net.layers.append((name, kind, args, options))
        net.edges.extend((source, name) for source in sources)
        net.plain[name] = plain
        return name

    def normalised() -> str:
        name = put("BatchNorm", _norm(), before, args=(shape[0],))
        net.weights[name] = {"weight": (shape[0],), "bias": (shape[0],)}
        return name

    def branched(source: str) -> str:
        """One to three ways from a value to a sum: as it is, perhaps twice, or through convolutions that keep sizes."""
        ends = []
        for _ in range(draw(st.integers(2, 3))):
            if draw(st.booleans()):
                ends.append(source)
                continue
            kernel, groups = draw(st.sampled_from((1, 3))), draw(st.sampled_from((1, shape[0])))
            dilation = draw(st.integers(1, 2))
            options = {"stride": 1, "padding": dilation * (kernel // 2), "dilation": dilation, "groups": groups}
            ends.append(
                put(
                    "Conv", _conv(options, shape), source, args=((kernel,) * ndim,),
                    in_channels=shape[0], out_channels=shape[0], **options,
                )
            )  # fmt: skip
            net.weights[ends[-1]] = {"weight": (shape[0], shape[0] // groups, *(kernel,) * ndim)}
        return put("Add", _add(), *ends)

    for _ in range(depth):
        kind = draw(st.sampled_from(("Conv", "Conv", "MaxPool", "AvgPool", "residual", "branches")))
        if draw(st.integers(0, 4)) == 0:
            before = normalised()
        if draw(st.integers(0, 2)) == 0:
            before = put("ReLU", _relu(), before, args=("zero",))
        if kind == "branches":
            before = branched(before)
            continue
        kernel = draw(st.integers(1, 3))
        stride, dilation, padding = draw(st.integers(1, 2)), draw(st.integers(1, 2)), draw(st.integers(0, 1))
        if kind in ("MaxPool", "AvgPool"):
            dilation, padding = 1, min(padding, kernel // 2)
        if kind == "residual":
            kernel, stride, padding, dilation = 3, 1, 1, 1
        sizes = tuple(_outputs(n, kernel, stride, padding, dilation) for n in shape[1:])
        if min(sizes) < 1:
            continue
        if kind in ("MaxPool", "AvgPool"):
            shape = (shape[0], *sizes)
            window = (kernel,) * ndim
            options = {"stride": stride, "padding": padding}
            before = put(kind, _pool(kind, window, options, shape), before, args=(window,), **options)
            continue
        outs = shape[0] if kind == "residual" else draw(st.integers(1, 4))
        groups = draw(st.sampled_from([n for n in (1, 2, 3, 4) if shape[0] % n == 0 and outs % n == 0]))
        bias = draw(st.booleans())
        options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
        sources = before
        before = put(
            "Conv", _conv(options, (outs, *sizes)), before, args=((kernel,) * ndim,),
            in_channels=shape[0], out_channels=outs, bias=bias, **options,
        )  # fmt: skip
        net.weights[before] = {"weight": (outs, shape[0] // groups, *(kernel,) * ndim)}
        if bias:
            net.weights[before]["bias"] = (outs,)
        shape = (outs, *sizes)
        if kind == "residual":
            before = put("Add", _add(), sources, before)
    if draw(st.booleans()) or not net.layers or all(kind in ("BatchNorm", "ReLU", "Add") for _, kind, *_ in net.layers):
        order = draw(st.sampled_from(("channel-first", "channel-last")))
        before = put("Flatten", _flatten(order), before, args=(order,))
        features = prod(shape)
        for _ in range(draw(st.integers(0, 2))):
            outs, bias = draw(st.integers(1, 4)), draw(st.booleans())
            before = put("Dense", _dense(), before, args=(outs,), bias=bias)
            net.weights[before] = {"weight": (outs, features), **({"bias": (outs,)} if bias else {})}
            shape, features = (outs,), outs
            if draw(st.integers(0, 4)) == 0:
                before = normalised()
            if draw(st.integers(0, 3)) == 0:
                rectified = put("ReLU", _relu(), before, args=("zero",))
                before = put("Add", _add(), before, rectified)
    return net


def whole_numbers(rng: np.random.Generator, shape: tuple[int, ...], denominators: tuple[int, ...] = (1, 2, 3)) -> Array:
    """An array of small whole numbers and fractions, exact."""
    result = np.empty(shape, object)
    for index in np.ndindex(shape):
        result[index] = Fraction(int(rng.integers(-4, 5)), denominators[rng.integers(len(denominators))])
    return result
