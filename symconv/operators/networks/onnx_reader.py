"""The reader of an ONNX model: node after node, each by what is said of its kind.

What is said of kinds stands in tables: `onnx_windows`, `onnx_places`, `onnx_sums`, `onnx_axes`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any, TypeAlias

import numpy as np

from symconv.errors import NotSupportedError, SymconvError
from symconv.operators.importers.onnx import attributes_of
from symconv.operators.networks.acts import Act, Blind, Shape
from symconv.operators.networks.graph import Vertex
from symconv.operators.networks.onnx_shapes import OnnxFacts

__all__ = ["NodeReading", "OnnxReader", "RenamedNode"]

MOST_DEEP = 20
RUNTIME = "com.microsoft"
OWN = ("", "ai.onnx", RUNTIME)
"""The domains of ONNX's own nodes, and of ONNX Runtime's in the usual layout."""

_WHY = {
    **dict.fromkeys(("RoiAlign", "MaxRoiPool", "GridSample"), "it reads where its coordinates say"),
    **dict.fromkeys(
        ("TopK", "NonMaxSuppression", "NonZero", "GatherElements", "GatherND", "ScatterND", "ScatterElements"),
        "it depends on values which entries it takes",
    ),
}


@dataclass(frozen=True)
class RenamedNode:
    """A node that is read as another one."""

    op_type: str
    attribute: tuple[Any, ...]
    input: tuple[str, ...]
    output: tuple[str, ...]
    domain: str = ""


@dataclass
class OnnxReader:
    """Reads the nodes of a model, one after the other.

    Attributes:
        known: the shapes and constants of the model.
        readings: how a node is read, by its kind.
        layers: the kinds that are layers with windows, and which of their inputs is the weight; None where none is.
        nodes: what was read so far.
        live: the values that depend on an input.
        notes: what there is to say.
    """

    known: OnnxFacts
    readings: Mapping[str, NodeReading]
    layers: Mapping[str, int | None]
    nodes: list[Vertex] = field(default_factory=list)
    live: set[str] = field(default_factory=set)
    notes: dict[str, None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.live.update(self.known.inputs)

    def read(self, node: Any, name: str) -> None:
        """Read one node of the model."""
        if not any(entry in self.live for entry in node.input) and not self._inner(node):
            return  # it depends on shapes alone
        before = len(self.nodes)
        try:
            self._one(node, name)
        except SymconvError as error:
            del self.nodes[before:]
            self.blind(node, name, str(error))
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            del self.nodes[before:]  # inputs or attributes that no schema allows
            why = f"it is no {node.op_type} that ONNX's schema allows ({type(error).__name__})"
            self.blind(node, name, why)
        self.live.update(entry for entry in node.output if entry)

    def _one(self, node: Any, name: str) -> None:
        kind = node.op_type
        if self._inner(node):
            self._hidden_layers(node, name)
            self.blind(node, name, f"{kind} runs one of its graphs, or one many times")
        elif node.domain not in OWN:
            self.blind(node, name, f"{node.domain}.{kind} is no node of ONNX, and what it computes is not known here")
        elif kind in self.readings:
            self.readings[kind](self, node, name)
        else:
            why = _WHY.get(kind, f"{kind} is not followed")
            self.blind(node, name, why)

    @staticmethod
    def _inner(node: Any) -> bool:
        return any(entry.HasField("g") or entry.graphs for entry in getattr(node, "attribute", ()))

    def shape(self, name: str) -> Shape:
        """The shape of a value.

        Raises:
            NotSupportedError: where it is not known.
        """
        found = self.known.shapes.get(name, self.known.constant.get(name))
        if found is None:
            raise NotSupportedError(f"the size of {name} is not known")
        return found

    def constants(self, node: Any, names: Sequence[str] | None = None) -> tuple[Shape, ...]:
        """The shapes of the inputs of a node that depend on nothing."""
        given = node.input if names is None else names
        return tuple(self.shape(name) for name in given if name and name not in self.live)

    def images(self, node: Any, names: Sequence[str] | None = None) -> tuple[str, ...]:
        """The inputs of a node that depend on an input of the network."""
        return tuple(name for name in (node.input if names is None else names) if name in self.live)

    def add(self, node: Any, name: str, act: Act, inputs: Sequence[str], **more: Any) -> None:
        """Add a node for the first output."""
        self.nodes.append(Vertex(name, node.op_type, act, tuple(inputs), node.output[0], **more))

    def blind(self, node: Any, name: str, reason: str) -> None:
        """Add a node of which it is not known what its outputs depend on; a layer with windows is listed."""
        images = self.images(node) or tuple(list(self.known.inputs)[:1])
        outputs = [entry for entry in node.output if entry]
        kind, foreign = node.op_type, node.domain not in OWN  # what is not ONNX's own may have windows
        listed = kind in self.layers or foreign or (node.domain == RUNTIME and ("Conv" in kind or "Pool" in kind))
        weight = None if foreign else self.layers.get(kind)
        arrays = None if weight is None else self.arrays(node.input[weight : weight + 1])
        for place, output in enumerate(outputs):
            first = listed and place == 0
            self.nodes.append(
                Vertex(name, node.op_type, Blind(reason), images, output, first, arrays=arrays if first else None)
            )

    def arrays(self, names: Sequence[str]) -> tuple[tuple[str, int], ...]:
        """Weights that are constants, with their numbers of entries."""
        shapes = {name: self.known.constant.get(name) for name in names if name}
        return tuple((name, prod(shape)) for name, shape in shapes.items() if shape is not None)

    def _hidden_layers(self, node: Any, name: str, depth: int = 0) -> None:
        """Layers in graphs that may run or not: listed as unknown."""
        reason = f"it stands in a graph of {name} ({node.op_type}), and it is not known how often that runs"
        if depth > MOST_DEEP:
            return
        for attribute in node.attribute:
            graphs = [attribute.g] if attribute.HasField("g") else list(attribute.graphs)
            for graph in graphs:
                for entry in graph.node:
                    if entry.op_type in self.layers or entry.domain not in OWN:
                        label = f"{name}/{attribute.name}/{entry.name or entry.output[0]}"
                        inputs = self.images(node) or tuple(list(self.known.inputs)[:1])
                        self.nodes.append(Vertex(label, entry.op_type, Blind(reason), inputs, f"{label}?", True))
                    self._hidden_layers(entry, name, depth + 1)

    def loader(self, name: str, change: Callable[[Any], Any] | None = None) -> Callable[[], Any]:
        """How a constant is loaded, and changed then."""

        def load() -> Any:
            array = np.asarray(self.known.load(name))
            return array if change is None else change(array)

        return load

    def axes(self, node: Any, place: int = 1, attribute: str = "axes") -> tuple[int, ...] | None:
        """The axes that a node is about, as an attribute or an input; None where it has none.

        Raises:
            NotSupportedError: where the graph computes them.
        """
        found: Any = attributes_of(node).get(attribute)
        if found is None and len(node.input) > place and node.input[place]:
            found = self.known.integers(node.input[place])
            if found is None:
                raise NotSupportedError(f"the {attribute} of {node.op_type} are computed by the graph")
        return (found,) if isinstance(found, int) else found


NodeReading: TypeAlias = Callable[[OnnxReader, Any, str], None]
"""Reads a node of one kind, under a name."""
