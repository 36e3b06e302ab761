"""The network of an ONNX model: its graph is followed node by node, and shapes are worked out here, not in onnx.

Source: the operator schemas of ONNX, opset 22.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any

from symconv.errors import ArgumentError, NotSupportedError, SymconvError
from symconv.operators.adaptive import AdaptiveAvgPool, AdaptiveMaxPool
from symconv.operators.base import Operator
from symconv.operators.convolution import Conv
from symconv.operators.importers.imported import sizes_of
from symconv.operators.importers.onnx import NODES, attributes_of, read_node
from symconv.operators.networks.table import Image, NetworkTable

__all__ = ["load_model", "network_from_onnx"]

_SAME_SHAPE = (
    "Abs", "BatchNormalization", "Cast", "CastLike", "Ceil", "Celu", "Clip", "DequantizeLinear", "Dropout", "Elu",
    "Erf", "Exp", "Floor", "Gelu", "GroupNormalization", "HardSigmoid", "HardSwish", "Identity",
    "InstanceNormalization", "LRN", "LayerNormalization", "LeakyRelu", "Log", "LpNormalization",
    "MeanVarianceNormalization", "Mish", "Neg", "Not", "PRelu", "QuantizeLinear", "Reciprocal", "Relu", "Round",
    "Selu", "Shrink", "Sigmoid", "Sign", "Softmax", "Softplus", "Softsign", "Sqrt", "Swish", "Tanh",
    "ThresholdedRelu",
)  # fmt: skip
_JOINED = ("Add", "Sub", "Mul", "Div", "Pow", "Min", "Max", "Sum", "Mean", "Mod", "Where")
_GLOBAL: Mapping[str, Callable[..., Operator]] = {"ReduceMean": AdaptiveAvgPool, "ReduceMax": AdaptiveMaxPool}
_MODES = {"constant": "zeros", "reflect": "reflect", "edge": "replicate", "wrap": "circular"}


def load_model(path: Path) -> Any:
    """Read an ONNX file without its external weights.

    Raises:
        ArgumentError: for a file that is no ONNX model; NotSupportedError where the onnx package is missing.
    """
    try:
        import onnx
    except ImportError:
        raise NotSupportedError(
            "reading an .onnx file needs the package onnx, which is not installed; install it (pip install onnx), or "
            "give the printed form of a sequential PyTorch model"
        ) from None
    try:
        model = onnx.load(str(path), load_external_data=False)
    except OSError:
        raise
    except Exception as error:  # onnx hands on what protobuf raises, which has no class of its own to name
        raise ArgumentError("the file", str(path), f"must be an ONNX model ({type(error).__name__})") from None
    if not model.graph.node:
        raise ArgumentError("the file", str(path), "must be an ONNX model, with nodes in its graph")
    return model


def network_from_onnx(model: Any, input_shape: Sequence[int] | None = None) -> NetworkTable:
    """The table of an ONNX model.

    Layers with windows are listed; activations and normalisations pass through; sums, products and concatenations
    join. What is behind another kind of node (a reshape, a matrix product) has no windows any more, and layers that
    come after one all the same are counted in a note.

    Args:
        model: a ModelProto, or anything with its ``graph``.
        input_shape: batch, channels and spatial sizes; the shape that the model declares where left out.

    Raises:
        ArgumentError: where the model declares no sizes and none are given, or they do not fit.
        NotSupportedError: for a node that is not known in a place where a layer needs it.
    """
    graph: Any = getattr(model, "graph", None)
    if isinstance(model, type) or not all(hasattr(graph, part) for part in ("node", "input", "initializer")):
        raise ArgumentError("model", model, "must be an ONNX model, such as onnx.load gives")
    constants = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    images = [entry for entry in graph.input if entry.name not in constants]
    if not images:
        raise ArgumentError("the model", graph.name, "must have an input that is no weight")
    shape = _input_shape(images[0], input_shape)
    walk = _Walk(NetworkTable(shape[0]), constants, {tensor.name: tensor for tensor in graph.initializer})
    walk.images[images[0].name] = walk.network.start(shape[1], shape[2:])
    for other in images[1:]:
        walk.ended[other.name] = f"the input {other.name}"
    for position, node in enumerate(graph.node):
        walk.visit(node, node.name or (node.output[0] if node.output else "") or f"node {position}")
    for reason, count in walk.lost.items():
        layers = "1 layer with windows is" if count == 1 else f"{count} layers with windows are"
        walk.network.note(f"{layers} not listed: the input comes through {reason}, which is not followed")
    if walk.end:
        walk.network.note(f"what comes after {walk.end} has no windows and is not counted")
    if not walk.network.layers:
        raise NotSupportedError("the model has no layer with windows that can be reached from its input")
    return walk.network


def _input_shape(declared: Any, given: Sequence[int] | None) -> tuple[int, ...]:
    """Batch, channels and sizes: as given, else as declared."""
    dims = [int(dim.dim_value) if dim.HasField("dim_value") else None for dim in declared.type.tensor_type.shape.dim]
    if len(dims) < 3:
        raise ArgumentError(f"the input {declared.name}", tuple(dims), "must have batch, channels and spatial sizes")
    if given is None:
        if any(n is None or n < 1 for n in dims[1:]):
            shown = "x".join("?" if n is None else str(n) for n in dims)
            raise ArgumentError("input_shape", None, f"must be given: the model declares {shown}")
        return tuple(n or 1 for n in dims)
    given = sizes_of("input_shape", given)
    if len(given) == len(dims) - 1:
        given = (1, *given)
    if len(given) != len(dims):
        raise ArgumentError("input_shape", tuple(given), f"must have {len(dims)} entries, as the model declares")
    if dims[1] not in (None, given[1]):
        raise ArgumentError("input_shape", tuple(given), f"must have the {dims[1]} channels that the model declares")
    return tuple(given)


class _Walk:
    """One pass over the nodes of a graph."""

    def __init__(self, network: NetworkTable, constants: dict[str, tuple[int, ...]], tensors: dict[str, Any]) -> None:
        self.network = network
        self.images: dict[str, Image] = {}
        self.ended: dict[str, str] = {}
        self.lost: dict[str, int] = {}
        self.end = ""
        self._constants = constants
        self._tensors = tensors

    def visit(self, node: Any, name: str) -> None:
        """Follow one node."""
        kind = node.op_type
        if not node.output:
            return
        if kind == "Constant":
            self._constant(node)
        elif node.input and node.input[0] in self._constants and kind in (*_SAME_SHAPE, "Transpose"):
            self._weight(node)
        elif any(entry in self.images for entry in node.input):
            result = self._result(node, name)
            if isinstance(result, Image):
                self.images[node.output[0]] = result
                return
            self.end = self.end or result
            for entry in node.output:
                self.ended[entry] = result
        else:
            reason = next((self.ended[entry] for entry in node.input if entry in self.ended), f"{kind} {name}")
            if kind in NODES:
                self.lost[reason] = self.lost.get(reason, 0) + 1
            for entry in node.output:
                self.ended[entry] = reason

    def _result(self, node: Any, name: str) -> Image | str:
        """What a node makes of images; a string, the reason, where what comes out has no windows."""
        kind = node.op_type
        image = self.images.get(node.input[0])
        if kind in _JOINED or kind == "Concat":
            return self._joined(node, name)
        if image is None:
            return self.ended.get(node.input[0], f"{kind} {name}")
        if kind in NODES:
            return self._layer(node, name, image)
        if kind in _SAME_SHAPE:
            return image
        if kind == "Pad":
            return self._padded(node, name, image)
        if kind in _GLOBAL:
            return self._reduced(node, name, image)
        return f"{kind} {name}"

    def _layer(self, node: Any, name: str, image: Image) -> Image | str:
        kind = node.op_type
        weights = None
        if kind in ("Conv", "ConvTranspose"):
            weights = self._constants.get(node.input[1]) if len(node.input) > 1 else None
            if weights is None:
                raise NotSupportedError(f"{name} ({kind}): its weight is no constant of the model")
        if kind == "Col2Im":
            return f"{kind} {name}"
        try:
            read = read_node(node, weight_shape=weights, input_size=image.sizes)
        except SymconvError as error:
            if isinstance(error, ArgumentError):
                argument = f"{name}: {error.argument}"
                raise type(error)(argument, error.value, error.requirement, error.fix) from None
            raise NotSupportedError(f"{name}: {error}") from None
        for note in read.notes:
            self.network.note(note)
        return self.network.apply(name, kind, read.operator, image)

    def _joined(self, node: Any, name: str) -> Image | str:
        kind = node.op_type
        images = [self.images[entry] for entry in node.input if entry in self.images]
        hidden = [self.ended[entry] for entry in node.input if entry in self.ended]
        if kind == "Concat":
            if hidden or len(images) != len(node.input):
                return hidden[0] if hidden else f"{kind} {name}"
            if attributes_of(node).get("axis") not in (1, -1 - len(images[0].sizes)):
                return f"{kind} {name}"
            return self.network.merge(name, kind, images, stack=True)
        result = self.network.merge(name, kind, images)
        if hidden:
            self.network.note(
                f"{name} ({kind}) also takes a value that comes through {hidden[0]}, which is not followed; behind it "
                "the receptive field is not known"
            )
            blind: tuple[None, ...] = (None,) * len(result.sizes)
            result = Image(result.channels, result.sizes, blind, ((result, None),), result.depth + 1)
        return result

    def _padded(self, node: Any, name: str, image: Image) -> Image | str:
        """Padding as a convolution with one tap, which leaves the entries alone."""
        options = attributes_of(node)
        mode = _MODES.get(str(options.get("mode", "constant")))
        pads: Any = options.get("pads")
        if pads is None and len(node.input) > 1:
            pads = self._integers(node.input[1])
        rank = len(image.sizes) + 2
        if (
            mode is None
            or not isinstance(pads, tuple)
            or len(pads) != 2 * rank
            or any(pads[:2])
            or any(pads[rank : rank + 2])
        ):
            return f"Pad {name}"
        pairs = tuple(zip(pads[2:rank], pads[rank + 2 :], strict=True))
        channels = image.channels
        op = Conv((1,) * len(pairs), 1, pairs, 1, channels, channels, channels, padding_mode=mode)
        return self.network.apply(name, "Pad", op, image, listed=False)

    def _reduced(self, node: Any, name: str, image: Image) -> Image | str:
        """A mean or a maximum over all spatial axes is a global pooling."""
        options = attributes_of(node)
        axes: Any = options.get("axes")
        if axes is None and len(node.input) > 1 and node.input[1]:
            axes = self._integers(node.input[1])
        rank = len(image.sizes) + 2
        if not isinstance(axes, tuple) or {axis % rank for axis in axes} != set(range(2, rank)):
            return f"{node.op_type} {name}"
        result = self.network.apply(name, node.op_type, _GLOBAL[node.op_type](1, ndim=len(image.sizes)), image)
        return result if options.get("keepdims", 1) else f"{node.op_type} {name}"

    # ------------------------------------------------------------------ constants

    def _constant(self, node: Any) -> None:
        for attribute in node.attribute:
            if attribute.name == "value":
                self._constants[node.output[0]] = tuple(attribute.t.dims)
                self._tensors[node.output[0]] = attribute.t
                return
        self._constants[node.output[0]] = ()

    def _weight(self, node: Any) -> None:
        """A weight that goes through a node that keeps its shape, or permutes it."""
        shape = self._constants[node.input[0]]
        if node.op_type == "Transpose":
            order: Any = attributes_of(node).get("perm", tuple(range(len(shape)))[::-1])
            if not isinstance(order, tuple) or sorted(order) != list(range(len(shape))):
                raise ArgumentError("Transpose: perm", order, f"must order the {len(shape)} axes of {node.input[0]}")
            shape = tuple(shape[axis] for axis in order)
        elif node.input[0] in self._tensors:
            self._tensors[node.output[0]] = self._tensors[node.input[0]]
        self._constants[node.output[0]] = shape

    def _integers(self, name: str) -> tuple[int, ...] | None:
        """The values of a small constant of integers; None where they are not in the file."""
        tensor = self._tensors.get(name)
        if tensor is None or tensor.data_location == 1 or prod(tensor.dims) > 64:  # 1 is EXTERNAL
            return None
        from onnx.numpy_helper import to_array

        try:
            return tuple(int(entry) for entry in to_array(tensor).ravel())
        except (TypeError, ValueError):  # as many entries as the shape says are not there
            return None
