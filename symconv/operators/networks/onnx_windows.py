"""The nodes of an ONNX model that are layers with windows.

Source: the operator schemas of ONNX, opset 22, and of ONNX Runtime's own domain.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from symconv.errors import NotSupportedError
from symconv.operators.base import Operator
from symconv.operators.importers.onnx import NODES, attributes_of, read_node
from symconv.operators.networks.acts import Same
from symconv.operators.networks.graph import Vertex
from symconv.operators.networks.onnx_reader import NodeReading, OnnxReader, RenamedNode
from symconv.operators.networks.windows import Windowing
from symconv.operators.pooling import MaxPool

__all__ = ["LAYERS", "WINDOWED"]

_WINDOWED: Mapping[str, tuple[str, tuple[int, ...]]] = {
    **{kind: (kind, ()) for kind in NODES},
    "FusedConv": ("Conv", (0, 1, 2)),
    "QLinearConv": ("Conv", (0, 3, 8)),
    "ConvInteger": ("Conv", (0, 1)),
    "DeformConv": ("Conv", (0, 1, 3)),
    "QLinearAveragePool": ("AveragePool", (0,)),
    "QLinearGlobalAveragePool": ("GlobalAveragePool", (0,)),
}
"""Layers with windows: the standard one that each is, and which inputs are those of that one (empty for all)."""

_OWN_ATTRIBUTES = (
    "activation", "activation_params", "channels_last", "offset_group",
)  # fmt: skip
_OFFSETS = "it reads where its offsets say"
_INDICES = "it puts entries where its indices say"


def _windows(reader: OnnxReader, node: Any, name: str) -> None:
    kind, places = _WINDOWED[node.op_type]
    inputs = [node.input[place] if place < len(node.input) else "" for place in places] or list(node.input)
    while inputs and not inputs[-1]:
        inputs.pop()
    options = attributes_of(node)
    if options.get("channels_last"):
        raise NotSupportedError(f"{node.op_type} with channels_last=1 is not known here")
    kept = tuple(entry for entry in node.attribute if entry.name not in _OWN_ATTRIBUTES)
    shape = reader.shape(inputs[0])
    weight = reader.shape(inputs[1]) if kind in ("Conv", "ConvTranspose") and len(inputs) > 1 else None
    if kind == "Col2Im":
        reader.blind(node, name, "it puts patches together")
        return
    read = read_node(
        RenamedNode(kind, kept, tuple(inputs), tuple(node.output)), weight_shape=weight, input_size=shape[2:]
    )
    for note in read.notes:
        reader.notes[note] = None
    images = [inputs[0], *(entry for entry in inputs[1:3] if entry in reader.live)]
    arrays = reader.arrays(inputs[1:3]) if weight is not None else None
    if weight is not None and len(images) > 1:
        reader.notes["a weight that the graph computes from its input is no parameter"] = None
    hidden = _OFFSETS if node.op_type == "DeformConv" else ""
    if kind == "MaxUnpool":  # an entry is put where its index says, and depends on what that depends on
        hidden = "" if _pooled(reader, inputs[1], read.operator) else _INDICES
        images = [f"{node.output[0]}/placed"]
        reader.nodes.append(Vertex(name, kind, Same(), reader.images(node, inputs[:2]), images[0]))
    plain = node.op_type == kind and len(images) == 1 and kind != "MaxUnpool"
    aside = (read.notes[0] if not read.exact else "") if plain else f"{node.op_type} is no layer of a Network"
    roles = zip(("weight", "bias"), inputs[1:3], strict=False) if weight is not None else ()
    loads = {role: reader.loader(entry) for role, entry in roles if entry}
    output = node.output[0]
    more = {"listed": True, "arrays": arrays, "weights": loads, "aside": aside}
    operator = read.operator if not aside else None
    reader.add(node, name, Windowing(read.operator, hidden), images, operator=operator, **more)
    if node.op_type == "FusedConv" and len(node.input) > 3 and node.input[3]:
        reader.nodes[-1] = replace(reader.nodes[-1], output=f"{output}/conv")
        added = (f"{output}/conv", *reader.images(node, node.input[3:4]))
        reader.add(node, f"{name} sum", Same(reader.constants(node, node.input[3:4])), added)
    for indices in list(node.output)[1:]:
        if indices:
            reader.nodes.append(Vertex(name, kind, Windowing(read.operator), (inputs[0],), indices))


def _pooled(reader: OnnxReader, indices: str, op: Operator) -> bool:
    """Whether indices are those of a max pooling with the same windows, so that each lies in its own."""
    made = next((vertex.act for vertex in reader.nodes if vertex.output == indices), None)
    return isinstance(made, Windowing) and isinstance(made.op, MaxPool) and made.op.windows == op.windows


WINDOWED: Mapping[str, NodeReading] = dict.fromkeys(_WINDOWED, _windows)
"""Nodes by kind, and how each is read."""

LAYERS: Mapping[str, int | None] = {
    kind: (places or (0, 1))[1] if standard in ("Conv", "ConvTranspose") else None
    for kind, (standard, places) in _WINDOWED.items()
}
"""The layers with windows, and which of their inputs is the weight."""
