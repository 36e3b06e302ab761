"""The `Network` that a model is, where every node of it is a layer of one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from symconv.errors import SymconvError
from symconv.operators.base import Operator
from symconv.operators.networks.given import given_roles
from symconv.operators.networks.graph import Graph, Vertex, follow
from symconv.operators.networks.network import Network
from symconv.operators.networks.shape import INPUT
from symconv.operators.networks.table import NetworkTable

__all__ = ["ModelTable", "Weights", "assemble"]

Weights = dict[str, dict[str, Any]]
"""Weights and biases by layer and role, as `symconv.compile` takes them."""

LONGEST_NAME = 40


@dataclass
class ModelTable(NetworkTable):
    """The table of a model, and the model as a `Network`.

    Attributes:
        network: the whole model, where every layer of it is known; else None.
        no_network: why there is none; empty where there is one.
    """

    network: Network | None = None
    no_network: str = ""
    loader: Mapping[str, Mapping[str, Callable[[], Any]]] | None = field(default=None, repr=False)

    @property
    def weights(self) -> Weights | None:
        """The model's weights as ``compile(table.network)(x, table.weights)`` takes them.

        None where there is no network, or the model was given without its weights, as printed text. The figures of a
        trained batch normalisation are folded into a weight and a bias.
        """
        if self.network is None or self.loader is None:
            return None
        return {name: {role: load() for role, load in own.items()} for name, own in self.loader.items()}

    def as_json(self) -> dict[str, Any]:
        """The table for a program."""
        network = None if self.network is None else repr(self.network)
        return {**super().as_json(), "network": network, "no_network": self.no_network}


def assemble(graph: Graph) -> ModelTable:
    """The table of a model with its `network`, and how the weights of that are loaded; or why there is none."""
    found = follow(graph)
    table = ModelTable(found.batch, found.layers, found.notes, found.findings)
    try:
        table.network, names = _network(graph)
    except _NoNetworkError as reason:
        table.no_network = str(reason)
    except SymconvError as error:
        table.no_network = f"the layers do not make a Network: {error}"
    else:
        if graph.weighted:
            table.loader = {name: dict(node.weights) for name, node in names.items() if node.weights}
    return table


class _NoNetworkError(Exception):
    """Why a model is no `Network`."""


def _network(graph: Graph) -> tuple[Network, Mapping[str, Vertex]]:
    """The network of a model, and the node that each of its layers was.

    Raises:
        _NoNetworkError, SymconvError: where it is none.
    """
    if len(graph.outputs) != 1:
        raise _NoNetworkError(f"the model has {len(graph.outputs)} outputs, and a Network has one")
    made = {node.output: node for node in graph.nodes}
    needed = _needed(graph, made)
    read = [name for name in graph.inputs if any(name in node.inputs for node in needed)]
    if len(read) > 1:
        raise _NoNetworkError(f"the model has the inputs {', '.join(read)}, and a Network has one")
    layers: dict[str, Operator] = {}
    names: dict[str, Vertex] = {}
    values = dict.fromkeys(graph.inputs, INPUT)
    edges: list[tuple[str, str]] = []
    for node in needed:
        if any(source not in values for source in node.inputs) or not node.inputs:
            raise _NoNetworkError(f"{node.name} ({node.kind}): it reads no layer")
        if node.passes:
            values[node.output] = values[node.inputs[0]]
            continue
        op = node.operator
        if op is None or node.aside:
            why = node.aside or f"{node.kind} is no layer of a Network"
            raise _NoNetworkError(f"{node.place}{node.name}: {why}")
        missing = [role for role in given_roles(op) if role not in node.weights and role != "target"]
        if missing and graph.weighted:
            raise _NoNetworkError(f"{node.name} ({node.kind}): its {' and '.join(missing)} is not in the model")
        name = _named(node, op, layers)
        layers[name], names[name] = op, node
        edges += [(values[source], name) for source in node.inputs]
        values[node.output] = name
    if not layers:
        raise _NoNetworkError("the model has no layers")
    chain = edges == list(pairwise((INPUT, *layers)))
    network = Network(list(layers.items()), None if chain else edges)
    _agrees(graph, network, read[0], values)
    return network, names


def _needed(graph: Graph, made: Mapping[str, Vertex]) -> list[Vertex]:
    """The nodes that the output depends on, in their order."""
    open_values, seen = list(graph.outputs), set()
    while open_values:
        value = open_values.pop()
        if value in seen:
            continue
        seen.add(value)
        if value in made:
            open_values += made[value].inputs
        elif value not in graph.inputs:
            raise _NoNetworkError(f"the value {value} comes from no layer")
    return [node for node in graph.nodes if node.output in seen]


def _agrees(graph: Graph, network: Network, first: str, values: Mapping[str, str]) -> None:
    """Refuse a network whose shapes are not those that the model states, or that ends elsewhere."""
    (output,) = graph.outputs
    if values[output] != network.output:
        raise _NoNetworkError(f"the output of the model is that of {values[output]}, which other layers read as well")
    shapes = network.shapes(graph.inputs[first][1:])
    for value, name in values.items():
        stated = graph.shapes.get(value)
        if stated is not None and name in shapes and tuple(shapes[name]) != tuple(stated[1:]):
            if len(shapes[name]) == 0:  # a loss: frameworks average over a batch, or give one number
                continue
            shown = "x".join(map(str, shapes[name]))
            raise _NoNetworkError(f"{name} gives {shown}, and in the model {'x'.join(map(str, stated[1:]))}")


def _named(node: Vertex, op: Operator, taken: Mapping[str, Any]) -> str:
    """A name for a layer: that of the node, as far as it can be one; else its class and a number."""
    name = re.sub(r"\W+", "_", node.name, flags=re.ASCII).strip("_")[:LONGEST_NAME]
    if re.match(r"[A-Za-z]", name) and name != INPUT and name not in taken:
        return name
    kind, number = type(op).__name__.lower(), 1
    while f"{kind}{number}" in taken:
        number += 1
    return f"{kind}{number}"
