"""The trace of a PyTorch model: its calls, one after the other, and what is read of each.

How calls are read stands in tables: `torch_windows`, `torch_axes`, `torch_places`.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from operator import getitem
from types import BuiltinFunctionType, FunctionType
from typing import Any, TypeAlias

from symconv.errors import ArgumentError, NotSupportedError, SymconvError
from symconv.operators.importers.torch import is_layer
from symconv.operators.networks.acts import Act, Blind, Same, Shape
from symconv.operators.networks.graph import Graph, Vertex

__all__ = ["CallReading", "TorchCall", "TorchTrace", "place_of"]

_OF_MODULES = frozenset(("linear", "batch_norm", "layer_norm", "group_norm", "relu", "dropout", "hardswish", "silu"))
"""Calls that a module of PyTorch makes once; their names are those of the modules."""


@dataclass
class TorchCall:
    """A call in the trace: the arguments by name, those that are values by the names of these."""

    name: str
    kind: str
    given: Mapping[str, Any]
    output: str


@dataclass
class TorchTrace:
    """Reads a trace, call after call.

    Attributes:
        traced: the exported program.
        readings: how a call is read, by the name of the function.
        layers: the functions that are layers with windows.
        graph: what was read so far.
        live: the values that depend on an input.
        arrays: the path and the tensor of every parameter, buffer and constant, by its name in the trace.
        names: how often every name was given.
    """

    traced: Any
    readings: Mapping[str, CallReading]
    layers: Container[str]
    graph: Graph = field(default_factory=lambda: Graph({}))
    live: set[str] = field(default_factory=set)
    arrays: dict[str, Any] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)

    def read(self) -> None:
        """Read the whole trace."""
        signature = self.traced.graph_signature
        stored = {**self.traced.state_dict, **self.traced.constants}
        for spec in signature.input_specs:
            if spec.target is not None:
                self.arrays[spec.arg.name] = (spec.target, stored.get(spec.target))
        results = [spec.arg.name for spec in signature.output_specs if spec.kind.name == "USER_OUTPUT"]
        for node in self.traced.graph.nodes:
            shape = self._shape(node)
            if node.op == "placeholder":
                if node.name not in self.arrays and shape is not None:
                    self.graph.inputs[node.name] = self.graph.shapes[node.name] = shape
                    self.live.add(node.name)
                elif shape is not None:
                    self.graph.shapes[node.name] = shape
            elif node.op == "call_function":
                self._call(node, shape)
        self.graph.outputs = results
        if not self.graph.inputs:
            raise ArgumentError("example", None, "must be a tensor that the model reads")

    @staticmethod
    def _shape(node: Any) -> Shape | None:
        value = node.meta.get("val")
        return tuple(int(n) for n in value.shape) if hasattr(value, "shape") else None

    def _call(self, node: Any, shape: Shape | None) -> None:
        values = node.meta.get("val")
        if isinstance(values, tuple | list):
            for place, value in enumerate(values):
                if hasattr(value, "shape"):
                    self.graph.shapes[f"{node.name}[{place}]"] = tuple(int(n) for n in value.shape)
        if shape is not None:
            self.graph.shapes[node.name] = shape
        if node.target is getitem:
            self._item(node)
            return
        call = self._bound(node) if hasattr(node.target, "_schema") else self._other(node)
        if not any(source in self.live for source in self.sources(call)):
            return
        before = len(self.graph.nodes)
        try:
            reading = self.readings.get(call.given[""])
            if reading is None:
                raise NotSupportedError(f"{call.given['']} is not followed")
            reading(self, call)
        except SymconvError as error:
            del self.graph.nodes[before:]
            self._blind(call, str(error))
        self.live.add(node.name)
        self.live.update(vertex.output for vertex in self.graph.nodes[before:])

    def _item(self, node: Any) -> None:
        """One of several results."""
        if len(node.args) == 2 and getattr(node.args[0], "name", None) in self.live and isinstance(node.args[1], int):
            source = f"{node.args[0].name}[{node.args[1]}]"
            if source in self.live:
                self.graph.nodes.append(Vertex(node.name, "getitem", Same(), (source,), node.name, passes=True))
                self.live.add(node.name)

    def _bound(self, node: Any) -> TorchCall:
        schema = node.target._schema
        given: dict[str, Any] = {}
        for place, argument in enumerate(schema.arguments):
            if place < len(node.args):
                given[argument.name] = node.args[place]
            elif argument.name in node.kwargs:
                given[argument.name] = node.kwargs[argument.name]
            elif argument.has_default_value():
                given[argument.name] = argument.default_value
        home, _, kind = schema.name.partition("::")
        kind = kind.rstrip("_") if home == "aten" else schema.name
        stack = list((node.meta.get("nn_module_stack") or {}).values())
        path, module = stack[-1][:2] if stack else ("", "")
        module = module if isinstance(module, str) else getattr(module, "__name__", "")
        here = module.rpartition(".")[2]
        label = path if path and (is_layer(here) or kind in _OF_MODULES) else f"{path}.{kind}" if path else node.name
        count = self.names[label] = self.names.get(label, 0) + 1
        name = label if count == 1 else f"{label}#{count}"
        same = is_layer(here) and here.lower() == kind.replace("_", "").removesuffix("withindices")
        return TorchCall(name, here if same else kind, {"": kind, **given}, node.name)

    @staticmethod
    def _other(node: Any) -> TorchCall:
        """Arithmetic of numbers, or an operator that runs graphs of its own, such as a branch."""
        plain = isinstance(node.target, BuiltinFunctionType | FunctionType)
        kind = getattr(node.target, "__name__", str(node.target))
        return TorchCall(
            node.name, kind, {"": kind if plain else f"higher_order::{kind}", "args": node.args}, node.name
        )

    def sources(self, call: TorchCall) -> tuple[str, ...]:
        """The names of all values that a call reads."""
        return tuple(_names(call.given.values()))

    def images(self, call: TorchCall) -> tuple[str, ...]:
        """Those that depend on an input."""
        return tuple(name for name in self.sources(call) if name in self.live)

    def shape(self, value: Any) -> Shape:
        """The shape of a value."""
        found = self.graph.shapes.get(getattr(value, "name", value))
        if found is None:
            raise NotSupportedError("the size of what it reads is not known")
        return found

    def add(self, call: TorchCall, act: Act, inputs: Sequence[str], **more: Any) -> None:
        """Add a vertex for the result of a call."""
        output = more.pop("output", call.output)
        self.graph.nodes.append(Vertex(call.name, call.kind, act, tuple(inputs), output, **more))

    def first(self, call: TorchCall) -> str:
        """The image that a call is about.

        Raises:
            NotSupportedError: where it is a constant.
        """
        value = next(iter(call.given[name] for name in ("input", "self", "query") if name in call.given), None)
        name = getattr(value, "name", "")
        if name not in self.live:
            raise NotSupportedError(f"{call.kind} of a constant is not followed")
        return str(name)

    def loader(self, value: Any) -> Callable[[], Any] | None:
        """How a weight is loaded; None where it is computed, or depends on an input."""
        found = self.arrays.get(getattr(value, "name", ""))
        if found is None or found[1] is None:
            return None
        return lambda: found[1].detach().cpu().numpy().copy()

    def counted(self, *values: Any) -> tuple[tuple[str, int], ...]:
        """Weights that do not depend on an input, by name, with their numbers of entries."""
        found = []
        for value in values:
            name = getattr(value, "name", None)
            if name is not None and name not in self.live:
                found.append((str(self.arrays.get(name, (name,))[0]), prod(self.shape(name))))
        return tuple(found)

    def _blind(self, call: TorchCall, reason: str) -> None:
        images = self.images(call)
        outputs = [name for name in self.graph.shapes if name.startswith(f"{call.output}[")] or [call.output]
        for output in outputs:
            kind = call.given[""]  # what is not PyTorch's own may have windows
            listed = (kind in self.layers or "::" in kind) and output == outputs[0]
            self.add(call, Blind(reason), images, output=output, listed=listed)


def place_of(axis: Any, rank: int) -> int:
    """An axis counted from the first one."""
    return int(axis) % rank


def _names(values: Any) -> Iterator[str]:
    for value in values:
        if isinstance(value, list | tuple):
            yield from _names(value)
        elif hasattr(value, "op") and hasattr(value, "name"):
            yield value.name


CallReading: TypeAlias = Callable[[TorchTrace, TorchCall], None]
"""Reads a call."""
