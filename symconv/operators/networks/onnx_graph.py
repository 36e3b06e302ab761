"""The network of an ONNX model: sizes and constants from the onnx package, positions and operators from its nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from symconv.errors import ArgumentError, NotSupportedError, SizeLimitError
from symconv.operators.importers.imported import sizes_of
from symconv.operators.networks.assembly import ModelTable, assemble
from symconv.operators.networks.graph import Graph
from symconv.operators.networks.onnx_axes import AXES
from symconv.operators.networks.onnx_places import PLACES
from symconv.operators.networks.onnx_reader import OnnxReader
from symconv.operators.networks.onnx_shapes import knowledge
from symconv.operators.networks.onnx_sums import SUMS
from symconv.operators.networks.onnx_windows import LAYERS, WINDOWED

__all__ = ["load_model", "network_from_onnx"]

LARGEST_FILE = 2**31 - 1  # what protobuf takes


def load_model(path: Path) -> Any:
    """Read an ONNX file without its external weights.

    Raises:
        ArgumentError: for a file that is no ONNX model; SizeLimitError for one of 2 GiB or more, which is not opened;
            NotSupportedError where the onnx package is missing.
    """
    try:
        import onnx
    except ImportError:
        raise NotSupportedError(
            "reading an .onnx file needs the package onnx, which is not installed; install it (pip install onnx), or "
            "give the printed form of a sequential PyTorch model"
        ) from None
    size = path.stat().st_size
    if size > LARGEST_FILE:
        raise SizeLimitError(
            f"{path} has {size:,} bytes, and an ONNX model in one file has at most {LARGEST_FILE:,}; keep its weights "
            "in a file beside it (external data), which is not opened"
        )
    try:
        model = onnx.load(str(path), load_external_data=False)
    except OSError:
        raise
    except Exception as error:  # onnx hands on what protobuf raises, which has no class of its own to name
        raise ArgumentError("the file", str(path), f"must be an ONNX model ({type(error).__name__})") from None
    if not model.graph.node:
        raise ArgumentError("the file", str(path), "must be an ONNX model, with nodes in its graph")
    return model


def network_from_onnx(
    model: Any, input_shape: Sequence[int] | None = None, *, values: Mapping[str, object] | None = None
) -> ModelTable:
    """The table of an ONNX model.

    Layers with windows are listed, with what is not known of them and why. Sizes are those of ``onnx.shape_inference``;
    each is worked out from the formula of its layer as well, and a difference is a finding. Where every node is a layer
    of one, ``table.network`` is the model as a `Network`, and ``table.weights`` are its weights.

    Args:
        model: a ModelProto.
        input_shape: the shape of the first input; the one that the model declares where left out. The batch may be
            left out.
        values: numbers for further inputs by name, such as a sampling rate, where branches depend on them.

    Raises:
        ArgumentError: where the model declares no sizes and none are given, or they do not fit.
        NotSupportedError: for a model without a layer with windows.
        SizeLimitError: for a model of more than 100,000 nodes.
    """
    graph: Any = getattr(model, "graph", None)
    if isinstance(model, type) or not all(hasattr(graph, part) for part in ("node", "input", "initializer")):
        raise ArgumentError("model", model, "must be an ONNX model, such as onnx.load gives")
    known = knowledge(model, lambda declared: _input_shape(declared, input_shape), values)
    reader = OnnxReader(known, {**WINDOWED, **PLACES, **SUMS, **AXES}, LAYERS)
    for position, node in enumerate(known.nodes):
        if node.output:
            reader.read(node, node.name or node.output[0] or f"node {position}")
    read = Graph(known.inputs, reader.nodes, known.outputs, known.shapes, list(reader.notes))
    table = assemble(read)
    if not table.layers:
        raise NotSupportedError("the model has no layer with windows that can be reached from its input")
    return table


def _input_shape(declared: Any, given: Sequence[int] | None) -> tuple[int, ...]:
    """The shape of an input: as given, else as declared."""
    dims = [int(dim.dim_value) if dim.dim_value > 0 else None for dim in declared.type.tensor_type.shape.dim]
    if not dims:
        raise ArgumentError(f"the input {declared.name}", tuple(dims), "must have axes")
    shown = "x".join("?" if n is None else str(n) for n in dims)
    if given is None:
        if any(n is None for n in dims[1:]):
            raise ArgumentError("input_shape", None, f"must be given: the model declares {shown}")
        return tuple(n or 1 for n in dims)
    given = sizes_of("input_shape", given)
    if len(given) == len(dims) - 1:
        given = (dims[0] or 1, *given)
    if len(given) != len(dims):
        raise ArgumentError(
            "input_shape", tuple(given), f"must have {len(dims)} entries, as the model declares {shown}"
        )
    if len(dims) > 2 and dims[1] not in (None, given[1]):
        raise ArgumentError("input_shape", tuple(given), f"must have the {dims[1]} channels that the model declares")
    return tuple(given)
