"""Random networks with activations: values and all gradients of their kernels are those of PyTorch's autograd."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_networks import Drawn, networks

import symconv as sc

torch = pytest.importorskip("torch", reason="the gradients of networks are held against PyTorch's")
torch.set_num_threads(1)

ACTIVATIONS = {
    "ReLU": (lambda: sc.ReLU("zero"), lambda x: torch.relu(x)),
    "LeakyReLU": (lambda: sc.LeakyReLU(0.125, "slope"), lambda x: torch.nn.functional.leaky_relu(x, 0.125)),
    "Sigmoid": (lambda: sc.Sigmoid(), lambda x: torch.sigmoid(x)),
    "Tanh": (lambda: sc.Tanh(), lambda x: torch.tanh(x)),
    "Softplus": (lambda: sc.Softplus(), lambda x: torch.nn.functional.softplus(x)),
}


def theirs(kind: str, args: tuple[Any, ...], options: dict[str, Any], read: list[Any], own: dict[str, Any]) -> Any:
    """A layer in PyTorch's words, of arrays with a batch."""
    F = torch.nn.functional
    if kind in ACTIVATIONS:
        return ACTIVATIONS[kind][1](read[0])
    if kind == "Add":
        return sum(read[1:], start=read[0])
    if kind == "Flatten":
        x = read[0]
        return (x.movedim(1, -1) if args == ("channel-last",) else x).flatten(1)
    if kind == "Dense":
        return F.linear(read[0], own["weight"], own.get("bias"))
    if kind == "BatchNorm":
        zero, one = torch.zeros(args[0], dtype=torch.float64), torch.ones(args[0], dtype=torch.float64)
        return F.batch_norm(read[0], zero, one, own["weight"], own["bias"], eps=0)
    axes = read[0].ndim - 2
    if kind == "Conv":
        kept = {key: options[key] for key in ("stride", "padding", "dilation", "groups")}
        return getattr(F, f"conv{axes}d")(read[0], own["weight"], own.get("bias"), **kept)
    pool = getattr(F, f"{'max' if kind == 'MaxPool' else 'avg'}_pool{axes}d")
    return pool(read[0], args[0], stride=options["stride"], padding=options["padding"])


@st.composite
def with_activations(draw: st.DrawFn) -> list[tuple[str, str, tuple[Any, ...], dict[str, Any], list[str]]]:
    """A random network with an activation behind some of its layers: name, class, arguments, options, sources."""
    drawn: Drawn = draw(networks())
    renamed, layers = {"input": "input"}, []
    for name, kind, args, options in drawn.layers:
        layers.append((name, kind, args, options, [renamed[a] for a, b in drawn.edges if b == name]))
        renamed[name] = name
        if draw(st.booleans()):
            chosen = draw(st.sampled_from(sorted(ACTIVATIONS)))
            layers.append((f"{name}x", chosen, (), {}, [name]))
            renamed[name] = f"{name}x"
    return [drawn.shape, drawn.weights, layers]  # type: ignore[list-item]


@given(with_activations(), st.integers(0, 1 << 30))
@settings(max_examples=60, derandomize=True, deadline=None)
def test_kernels_of_networks_are_those_of_autograd(case: Any, seed: int) -> None:
    shape, sizes, layers = case
    rng = np.random.default_rng(seed)
    made = [
        (name, ACTIVATIONS[kind][0]() if kind in ACTIVATIONS and not args else getattr(sc, kind)(*args, **options))
        for name, kind, args, options, _ in layers
    ]
    network = sc.Network(made, [(source, name) for name, *_, sources in layers for source in sources])
    weights = {n: {r: rng.normal(size=s) for r, s in own.items()} for n, own in sizes.items()}
    x = rng.normal(size=(2, *shape))
    tensors = {n: {r: torch.tensor(a, requires_grad=True) for r, a in own.items()} for n, own in weights.items()}
    found: dict[str, Any] = {"input": torch.tensor(x, requires_grad=True)}
    for name, kind, args, options, sources in layers:
        found[name] = theirs(kind, args, options, [found[s] for s in sources], tensors.get(name, {}))
    kernel = sc.compile(network)
    y, due = kernel(x, weights), found[network.output]
    np.testing.assert_allclose(y, due.detach().numpy(), rtol=1e-9, atol=1e-9)
    g = rng.normal(size=y.shape)
    (due * torch.tensor(g)).sum().backward()
    back = kernel.vjp(g, x, weights)
    np.testing.assert_allclose(back["input"], found["input"].grad.numpy(), rtol=1e-8, atol=1e-8)
    for name, own in tensors.items():
        for role, tensor in own.items():
            np.testing.assert_allclose(getattr(back[name], role), tensor.grad.numpy(), rtol=1e-8, atol=1e-8)


# ---------------------------------------------------------------------- layers with windows that keep the sizes


def extremum(x: Any, weight: Any, sign: int) -> Any:
    """Dilation (sign 1) and erosion (-1) with windows of 3, by unfolding what is padded with what never wins."""
    axes = x.ndim - 2
    wide = torch.nn.functional.pad(x, [1] * 2 * axes, value=-sign * float("inf"))
    for axis in range(axes):
        wide = wide.unfold(2 + axis, 3, 1)
    moved = (wide + sign * weight).flatten(2 + axes)
    return moved.amax(-1) if sign > 0 else moved.amin(-1)


def norms(x: Any, p: int) -> Any:
    """LP pooling with windows of 3 and padding: a mean times the window."""
    axes = x.ndim - 2
    mean = getattr(torch.nn.functional, f"avg_pool{axes}d")(x.abs() ** p, 3, 1, 1)
    return (mean * 3**axes) ** (1 / p)


def inserted(kind: str, channels: int, axes: int) -> tuple[Any, dict[str, tuple[int, ...]], Any]:
    """An operator, the shapes of its weights, and what it is in PyTorch."""
    window = (3,) * axes
    if kind == "ConvTranspose":
        op = sc.ConvTranspose(
            window, padding=1, groups=channels, in_channels=channels, out_channels=channels, bias=True
        )
        transposed = getattr(torch.nn.functional, f"conv_transpose{axes}d")
        sizes = {"weight": (channels, 1, *window), "bias": (channels,)}
        return op, sizes, lambda x, own: transposed(x, own["weight"], own["bias"], padding=1, groups=channels)
    if kind in ("Dilation", "Erosion"):
        sign = 1 if kind == "Dilation" else -1
        return getattr(sc, kind)(window, padding=1), {"weight": window}, lambda x, own: extremum(x, own["weight"], sign)
    p = int(kind[-1])
    return sc.LPPool(p, window, 1, 1), {}, lambda x, own: norms(x, p)


@given(
    with_activations(),
    st.integers(0, 1 << 30),
    st.lists(st.sampled_from(("ConvTranspose", "Dilation", "Erosion", "LPPool2", "LPPool3")), min_size=1, max_size=3),
)
@settings(max_examples=25, derandomize=True, deadline=None)
def test_other_layers_in_networks_are_those_of_autograd(case: Any, seed: int, kinds: list[str]) -> None:
    shape, sizes, layers = case
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(2, *shape))
    found: dict[str, Any] = {"input": torch.tensor(x, requires_grad=True)}
    ends, made, edges, weights, tensors = {"input": "input"}, [], [], {}, {}

    def put(name: str, op: Any, shapes: dict[str, tuple[int, ...]], sources: list[str], apply: Any) -> None:
        weights[name] = {role: rng.normal(size=size) for role, size in shapes.items()}
        tensors[name] = {role: torch.tensor(array, requires_grad=True) for role, array in weights[name].items()}
        found[name] = apply([found[source] for source in sources], tensors[name])
        made.append((name, op))
        edges.extend((source, name) for source in sources)

    for name, kind, args, options, sources in layers:
        op = ACTIVATIONS[kind][0]() if kind in ACTIVATIONS and not args else getattr(sc, kind)(*args, **options)
        call = functools.partial(theirs, kind, args, options)
        put(name, op, sizes.get(name, {}), [ends[source] for source in sources], call)
        ends[name] = name
        if kinds and found[name].ndim > 2:
            op, shapes, apply = inserted(kinds.pop(), found[name].shape[1], found[name].ndim - 2)
            put(f"{name}y", op, shapes, [name], lambda read, own, apply=apply: apply(read[0], own))
            ends[name] = f"{name}y"
    network = sc.Network(made, edges)
    weights = {name: own for name, own in weights.items() if own}
    kernel = sc.compile(network)
    y, due = kernel(x, weights), found[network.output]
    np.testing.assert_allclose(y, due.detach().numpy(), rtol=1e-8, atol=1e-8)
    g = rng.normal(size=y.shape)
    (due * torch.tensor(g)).sum().backward()
    back = kernel.vjp(g, x, weights)
    np.testing.assert_allclose(back["input"], found["input"].grad.numpy(), rtol=1e-6, atol=1e-6)
    for name, own in tensors.items():
        for role, tensor in own.items():
            np.testing.assert_allclose(getattr(back[name], role), tensor.grad.numpy(), rtol=1e-6, atol=1e-6)
