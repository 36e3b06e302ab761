"""The network of a Keras model, read from its configuration: sequential and functional ones, nested too.

Arrays have their channels first here, whatever the model's layout is; Keras flattens them position by position, and so
does the `Flatten` that stands for it. Source: the serialization format of Keras 3, and that of Keras 2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import prod
from os import PathLike
from typing import Any

from symconv.doors import mapping
from symconv.errors import ArgumentError, NotSupportedError, SizeLimitError, SymconvError
from symconv.operators.convolution import Conv
from symconv.operators.flatten import Flatten
from symconv.operators.importers.functions import KERAS
from symconv.operators.importers.imported import sizes_of
from symconv.operators.importers.keras import read_keras
from symconv.operators.joining import Add
from symconv.operators.networks.acts import Mix, Same, Shape
from symconv.operators.networks.assembly import ModelTable, assemble
from symconv.operators.networks.builder import GraphBuilder
from symconv.operators.networks.graph import Graph
from symconv.operators.networks.keras_axes import KERAS_AXES, KERAS_NUMBERED, KerasLayout, turned
from symconv.operators.networks.keras_weights import Loads, keras_loads
from symconv.operators.networks.moves import Reshape
from symconv.operators.networks.shape import INPUT

__all__ = ["network_from_keras"]

MOST_LAYERS = 20_000
MOST_DEEP = 20
_MODELS = ("Sequential", "Functional", "Model")
_PLACES = (
    "ELU", "PReLU", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "GaussianNoise", "GaussianDropout",
    "ThresholdedReLU", "Rescaling", "Normalization", "Masking", "Multiply", "Average", "Maximum", "Minimum", "Subtract",
)  # fmt: skip
_PASSES = ("Dropout", "ActivityRegularization", "AlphaDropout", "Identity")


def network_from_keras(model: Any, input_shape: Sequence[int] | None = None) -> ModelTable:
    """The table of a Keras model, from its configuration; Keras is not imported.

    ``table.weights`` are those of a model that was built, channels first as everything here; a record has none. A
    ``.keras`` or ``.h5`` file is not opened for its weights: ``keras.models.load_model`` does that, and gives a model.

    Args:
        model: a Sequential or functional model, or the record of it, a dictionary with "class_name" and "config" such
            as ``json.loads(model.to_json())``.
        input_shape: the shape of the input in the model's own layout; what it declares where left out. The batch may
            be left out.

    Raises:
        ArgumentError: for something else, or sizes that are neither declared nor given.
        NotSupportedError: for a layer that is not known.
        GeometryError: where two layers do not fit together.

    >>> conv = {"name": "c", "filters": 4, "kernel_size": 3, "activation": "relu"}
    >>> layers = [{"class_name": "InputLayer", "config": {"batch_shape": [None, 8, 8, 3]}},
    ...           {"class_name": "Conv2D", "config": conv}]
    >>> table = network_from_keras({"class_name": "Sequential", "config": {"layers": layers}})
    >>> table.layers[0].output, table.network.names
    ((4, 6, 6), ('c', 'c_relu'))
    """
    wanted = "must be a Keras model or its record, a dictionary with class_name and config"
    if isinstance(model, str | PathLike):
        raise ArgumentError("model", str(model), wanted, "take what keras.models.load_model gives for the file")
    live = None
    if not isinstance(model, Mapping) and not isinstance(model, type) and callable(getattr(model, "get_config", None)):
        live = model
        model = {"class_name": type(model).__name__, "config": model.get_config()}
    record = mapping("model", model, wanted)
    if record.get("class_name") not in _MODELS or not isinstance(record.get("config"), Mapping):
        raise ArgumentError("model", record.get("class_name"), "must be a Sequential or a Functional model")
    shape = _given_shape(_first_shape(record), input_shape)
    first = _channels_first(record)
    weighted = live is not None and bool(getattr(live, "built", False))
    graph = Graph({INPUT: turned(shape, first)}, weighted=weighted, strict=True)
    graph.outputs = _Reading(graph, first).model(record, [INPUT], "", live)
    table = assemble(graph)
    if not table.layers:
        raise NotSupportedError("the model has no layer with windows")
    return table


def _layers(record: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The records of the layers of a model."""
    found = record["config"].get("layers")
    if not isinstance(found, list) or not found or not all(_is_layer(entry) for entry in found):
        raise ArgumentError("model", record.get("class_name"), "must have layers, each with class_name and config")
    if len(found) > MOST_LAYERS:
        raise SizeLimitError(f"the model has {len(found):,} layers; at most {MOST_LAYERS:,}")
    return found


def _is_layer(entry: Any) -> bool:
    return isinstance(entry, Mapping) and isinstance(entry.get("class_name"), str) and isinstance(
        entry.get("config"), Mapping
    )  # fmt: skip


def _first_shape(record: Mapping[str, Any], depth: int = 0) -> Any:
    """The shape that the first layer declares, with its batch; None where it declares none."""
    layer = _layers(record)[0]
    config = layer["config"]
    for key in ("batch_shape", "batch_input_shape"):
        if isinstance(config.get(key), list | tuple):
            return config[key]
    if layer["class_name"] in _MODELS and depth < MOST_DEEP:
        return _first_shape(layer, depth + 1)
    built = record.get("build_config")
    return built.get("input_shape") if isinstance(built, Mapping) else None


def _given_shape(declared: Any, given: Sequence[int] | None) -> Shape:
    """Batch, sizes and channels, in the model's own order."""
    if given is not None:
        shape = sizes_of("input_shape", given)
        if declared is not None and len(shape) == len(declared) - 1:
            shape = (1, *shape)
        if declared is not None and len(shape) != len(declared):
            raise ArgumentError("input_shape", shape, f"must have {len(declared)} entries, as the model declares")
        return shape
    if not isinstance(declared, list | tuple) or any(not isinstance(n, int) for n in declared[1:]):
        raise ArgumentError("input_shape", None, f"must be given: the model declares {declared}")
    return sizes_of("input_shape", (declared[0] if isinstance(declared[0], int) else 1, *declared[1:]))


def _channels_first(record: Mapping[str, Any], depth: int = 0) -> bool:
    """Whether the layers have their channels first; they must agree."""
    found = set()
    for layer in _layers(record):
        if layer["class_name"] in _MODELS and depth < MOST_DEEP:
            found.add(_channels_first(layer, depth + 1))
        elif layer["config"].get("data_format") is not None:
            found.add(layer["config"]["data_format"] == "channels_first")
    if len(found) > 1:
        raise NotSupportedError("layers of the model have their channels first and last; give one layout to all")
    return found.pop() if found else False


class _Reading(KerasLayout):
    """Reads the layers of a model, and of the models in it."""

    def __init__(self, graph: Graph, first: bool) -> None:
        super().__init__(GraphBuilder(graph), first)
        self.graph = graph
        self.live: Any = None  # the layer that is read, where the model is at hand

    def loads(self, kind: str) -> Loads:
        """How the weights of the layer that is read are loaded."""
        return {} if self.live is None else keras_loads(kind, self.live)

    def model(
        self, record: Mapping[str, Any], inputs: list[str], prefix: str, live: Any = None, depth: int = 0
    ) -> list[str]:
        """The outputs of a model, by the names of their values; `live` is the model itself, where it is at hand."""
        if depth > MOST_DEEP:
            raise SizeLimitError(f"models are nested more than {MOST_DEEP} deep")
        layers = _layers(record)
        if record["class_name"] == "Sequential":
            value = inputs[0]
            for place, layer in enumerate(layers):
                (value,) = self.layer(layer, [value], self._name(layer, place, prefix), live, depth)
            return [value]
        values: dict[tuple[str, int], str] = {}
        config = record["config"]
        for (name, place), value in zip(_ends(config.get("input_layers")), inputs, strict=False):
            values[name, place] = value
        if len(_ends(config.get("input_layers"))) != len(inputs):
            raise NotSupportedError("a model with several inputs is not known here")
        waiting = [(layer, place, call) for place, layer in enumerate(layers) for call in _calls(layer)]
        while waiting:
            left = []
            for layer, place, (number, sources) in waiting:
                if any(source not in values for source in sources):
                    left.append((layer, place, (number, sources)))
                    continue
                name = self._name(layer, place, prefix)
                given = [values[source] for source in sources]
                (values[str(layer["config"].get("name", layer.get("name"))), number],) = self.layer(
                    layer, given, name, live, depth
                )
            if len(left) == len(waiting):
                raise ArgumentError("model", len(left), "must have layers that do not wait for each other")
            waiting = left
        found = [values.get(end) for end in _ends(config.get("output_layers"))]
        if not found or None in found:
            raise ArgumentError("model", config.get("output_layers"), "must have outputs that layers give")
        return [value for value in found if value is not None]

    @staticmethod
    def _name(layer: Mapping[str, Any], place: int, prefix: str) -> str:
        name = layer["config"].get("name") or layer.get("name")
        return prefix + (name if isinstance(name, str) else f"{layer['class_name'].lower()}_{place}")

    def layer(self, layer: Mapping[str, Any], sources: list[str], name: str, model: Any, depth: int) -> list[str]:
        """The outputs of one call of a layer of a model."""
        kind, config = layer["class_name"], layer["config"]
        if kind == "InputLayer":
            return sources
        if isinstance(layer.get("registered_name"), str):  # Keras' own classes have none
            raise NotSupportedError(f"{name}: this {kind} is no class of Keras, and what it computes is not known here")
        self.live = None if model is None else model.get_layer(name=config.get("name"))
        if kind in _MODELS:
            return self.model(layer, sources, f"{name}/", self.live, depth + 1)
        try:
            value = self._one(kind, config, sources, name)
            activation = config.get("activation") if kind != "Activation" else None
            if activation not in (None, "linear"):
                value = self._activated(activation, value, name)
        except SymconvError as error:
            if str(error).startswith(name):
                raise
            if isinstance(error, ArgumentError):
                raise type(error)(f"{name}: {error.argument}", error.value, error.requirement, error.fix) from None
            raise type(error)(f"{name}: {error}") from None
        return [value]

    def _activated(self, activation: Any, value: str, name: str, *, alone: bool = False) -> str:
        """What a layer applies to what it gives; or a layer that is an activation `alone`."""
        shown = activation if isinstance(activation, str) else "activation"
        name = name if alone else f"{name}_{shown}"
        if not isinstance(activation, str) or activation not in _ACTIVATIONS:
            return self.builder.add(name, shown, Same(), value, aside=f"{shown} is no layer of a Network")
        if activation in ("softmax", "log_softmax") and len(self.builder.shapes[value]) != 2:
            return self.builder.add(name, shown, Mix((1,)), value)
        op = read_keras({"activation": activation}, kind="Activation").operator
        return self.builder.operator(name, shown, op, value)

    def _one(self, kind: str, config: Mapping[str, Any], sources: list[str], name: str) -> str:
        builder, source = self.builder, sources[0]
        shape = builder.shapes[source]
        if kind.startswith("SeparableConv"):
            return self._separable(config, kind, source, name)
        if kind in _PASSES:
            return builder.add(name, kind, Same(), source, passes=True)
        if kind == "Flatten":
            order = "channel-first" if self.first else "channel-last"
            return builder.add(name, kind, Reshape((shape[0], prod(shape[1:]))), source, operator=Flatten(order))
        if kind == "Dense" and len(shape) != 2:  # over the last axis of Keras, that of the channels
            raise NotSupportedError("a Dense layer on positions is not known here; a convolution with a kernel of 1 is")
        if kind == "Add":
            equal = len({builder.shapes[entry] for entry in sources}) == 1 < len(sources)
            op = Add(ndim=len(shape) - 1) if equal else None
            return builder.add(name, kind, Same(), *sources, operator=op)
        if kind in _PLACES:
            return builder.add(name, kind, Same(), *sources)
        if kind in KERAS_AXES:
            return KERAS_AXES[kind](self, config, sources, name)
        for start, read in KERAS_NUMBERED.items():
            if kind[:-2] == start and kind[-2:] in ("1D", "2D", "3D"):
                return read(self, config, sources, name)
        if kind == "Activation" or (kind == "Softmax" and len(shape) != 2):
            return self._activated(config.get("activation", "softmax"), source, name, alone=True)
        if kind in ("ReLU", "LeakyReLU"):
            try:
                function = read_keras(config, kind=kind).operator
            except NotSupportedError as error:  # one with a bound is place by place as well
                return builder.add(name, kind, Same(), source, aside=str(error))
            return builder.operator(name, kind, function, source)
        channels = shape[1] if len(shape) > 1 else None
        given = {key: value for key, value in config.items() if key != "activation" or kind in KERAS}
        if kind == "Dense":
            given.pop("activation", None)
        read_one = read_keras(given, kind=kind, in_channels=channels)
        for note in read_one.notes:
            if note not in self.graph.notes:
                self.graph.notes.append(note)
        aside = "" if read_one.exact else read_one.notes[0]
        value = builder.operator(name, kind, read_one.operator, source, aside=aside, weights=self.loads(kind))
        if kind.startswith("Global") and not config.get("keepdims"):
            return builder.add(f"{name}_flat", kind, Reshape(shape[:2]), value, operator=Flatten())
        return value

    def _separable(self, config: Mapping[str, Any], kind: str, source: str, name: str) -> str:
        """A depthwise convolution, and one with a kernel of 1."""
        axes = int(kind[-2])
        keys = ("kernel_size", "strides", "padding", "dilation_rate", "depth_multiplier", "data_format")
        first = {key: config[key] for key in keys if key in config}
        channels = self.builder.shapes[source][1]
        depth = read_keras({**first, "use_bias": False}, kind=f"DepthwiseConv{axes}D", in_channels=channels).operator
        loads = {part: self.loads(f"{kind}/{part}") for part in ("depthwise", "pointwise")}
        between = self.builder.operator(f"{name}_depthwise", kind, depth, source, weights=loads["depthwise"])
        inner = self.builder.shapes[between][1]
        bias = bool(config.get("use_bias", True))
        point = Conv((1,) * axes, in_channels=inner, out_channels=config.get("filters"), bias=bias)
        return self.builder.operator(f"{name}_pointwise", kind, point, between, weights=loads["pointwise"])


_ACTIVATIONS = ("relu", "leaky_relu", "sigmoid", "tanh", "softplus", "softmax", "log_softmax")


def _ends(given: Any) -> list[tuple[str, int]]:
    """Inputs or outputs of a model: [name, call, output], or a list of these."""
    if not isinstance(given, list | tuple):
        return []
    entries = [given] if given and isinstance(given[0], str) else given
    found = []
    for entry in entries:
        if not isinstance(entry, list | tuple) or len(entry) < 2 or not isinstance(entry[1], int):
            raise ArgumentError("model", entry, "must name its inputs and outputs by a layer and a number")
        found.append((str(entry[0]), entry[1]))
    return found


def _calls(layer: Mapping[str, Any]) -> Iterator[tuple[int, list[tuple[str, int]]]]:
    """The calls of a layer: their numbers, and what each reads."""
    calls = layer.get("inbound_nodes")
    for number, call in enumerate(calls if isinstance(calls, list | tuple) else []):
        sources = list(_histories(call))
        if not sources and layer["class_name"] != "InputLayer":
            raise ArgumentError("model", layer["class_name"], "must have layers whose calls read other layers")
        if sources:
            yield number, sources


def _histories(value: Any, depth: int = 0) -> Iterator[tuple[str, int]]:
    """The names of values in a call, in Keras 3's form and in Keras 2's."""
    if depth > MOST_DEEP:
        raise SizeLimitError("a call is nested too deep")
    if isinstance(value, Mapping):
        config = value.get("config")
        history = config.get("keras_history") if isinstance(config, Mapping) else None
        if isinstance(history, list | tuple) and len(history) >= 2:
            yield str(history[0]), int(history[1])
            return
        for entry in value.values():
            yield from _histories(entry, depth + 1)
    elif isinstance(value, list | tuple):
        if len(value) >= 3 and isinstance(value[0], str) and all(isinstance(n, int) for n in value[1:3]):
            yield value[0], value[1]
            return
        for entry in value:
            yield from _histories(entry, depth + 1)
