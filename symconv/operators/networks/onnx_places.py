"""The nodes of an ONNX model of which an entry of the output depends on those at its place alone.

Source: the operator schemas of ONNX, opset 22, and of ONNX Runtime's own domain.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from symconv.errors import NotSupportedError
from symconv.operators.importers.functions import ONNX
from symconv.operators.importers.onnx import attributes_of, read_node
from symconv.operators.joining import Add
from symconv.operators.networks.acts import Mix, Same
from symconv.operators.networks.graph import Vertex
from symconv.operators.networks.onnx_reader import NodeReading, OnnxReader
from symconv.operators.normalisation import BatchNorm

__all__ = ["PLACES"]

_PLACES = frozenset((
    "Abs", "Acos", "Acosh", "And", "Asin", "Asinh", "Atan", "Atanh", "BitShift", "BitwiseAnd", "BitwiseNot",
    "BitwiseOr", "BitwiseXor", "Cast", "CastLike", "Ceil", "Celu", "Clip", "Cos", "Cosh", "DequantizeLinear", "Div",
    "Dropout", "Elu", "Equal", "Erf", "Exp", "Floor", "Gelu", "Greater", "GreaterOrEqual",
    "HardSigmoid", "HardSwish", "Identity", "IsInf", "IsNaN", "LeakyRelu", "Less", "LessOrEqual", "Log", "Max", "Mean",
    "Min", "Mish", "Mod", "Mul", "Neg", "Not", "Or", "PRelu", "Pow", "QuantizeLinear", "Reciprocal", "Relu", "Round",
    "Selu", "Shrink", "Sigmoid", "Sign", "Sin", "Sinh", "Softplus", "Softsign", "Sqrt", "Sub", "Sum", "Swish", "Tan",
    "Tanh", "ThresholdedRelu", "Trilu", "Where", "Xor", "Add", "EyeLike",
    "QLinearAdd", "QLinearMul", "QLinearSigmoid", "QLinearLeakyRelu", "FastGelu", "QuickGelu", "BiasGelu",
))  # fmt: skip
"""Nodes of which an output depends on the entry at its place alone, in every input; sizes come from onnx."""
_SCALARS = frozenset(("Clip", "Cast", "CastLike", "QuantizeLinear", "DequantizeLinear", "Dropout", "QLinearSigmoid",
                      "QLinearLeakyRelu", "QLinearAdd", "QLinearMul", "Trilu"))  # fmt: skip
"""Nodes whose further inputs do not change the shape."""

_AFFINE = ("Add", "Sub", "Mul", "Div")


def _places(reader: OnnxReader, node: Any, name: str) -> None:
    kind, images = node.op_type, reader.images(node)
    others = reader.constants(node) if len(images) < len([entry for entry in node.input if entry]) else ()
    if kind in _SCALARS:
        others = ()
    act = Same(others)
    passes = kind in ("Identity", "Dropout") and len(images) == 1
    more: dict[str, Any] = {"passes": passes}
    if kind in ONNX and kind not in ("Add", "Sum"):
        shape = reader.shape(images[0])
        try:
            read = read_node(node, input_size=shape[2:] or (1,))
            more["operator"] = read.operator
        except NotSupportedError as error:
            more["aside"] = str(error)
    elif kind in ("Add", "Sum") and not others and len({reader.shape(image) for image in images}) == 1 < len(images):
        more["operator"] = Add(ndim=len(reader.shape(images[0])) - 1)
    elif kind in _AFFINE and len(images) == 1 and len(node.input) == 2:
        more.update(_affine(reader, node, images[0]))
    reader.add(node, name, act, images, **more)
    for extra in list(node.output)[1:]:
        if extra:
            reader.nodes.append(Vertex(name, kind, act, images, extra))


def _affine(reader: OnnxReader, node: Any, image: str) -> dict[str, Any]:
    """A sum or product with one number a channel is a batch normalisation."""
    shape = reader.shape(image)
    place = 1 - list(node.input).index(image)
    other = node.input[place]
    sizes = reader.shape(other)
    full = (1,) * (len(shape) - len(sizes)) + tuple(sizes)
    if len(shape) < 2 or any(n != 1 for axis, n in enumerate(full) if axis != 1) or full[1] not in (1, shape[1]):
        return {"aside": f"{node.op_type} with an array of {sizes} is no layer of a Network"}
    if node.op_type == "Div" and place == 0:
        return {"aside": "a division by entries is no layer of a Network"}
    channels = shape[1]

    def spread(change: Callable[[Any], Any]) -> Callable[[], Any]:
        return reader.loader(other, lambda array: np.broadcast_to(change(array).ravel(), (channels,)).copy())

    def filled(value: float) -> Callable[[], Any]:
        return lambda: np.full(channels, value)

    weights = {
        "Add": lambda: (filled(1), spread(lambda c: c)),
        "Sub": lambda: (filled(1), spread(lambda c: -c)) if place else (filled(-1), spread(lambda c: c)),
        "Mul": lambda: (spread(lambda c: c), filled(0)),
        "Div": lambda: (spread(lambda c: 1 / c), filled(0)),
    }[node.op_type]()
    norm = BatchNorm(channels, ndim=len(shape) - 2)
    return {"operator": norm, "weights": dict(zip(("weight", "bias"), weights, strict=True))}


def _norm(reader: OnnxReader, node: Any, name: str) -> None:
    image = reader.images(node)[0]
    shape, options = reader.shape(image), attributes_of(node)
    if options.get("training_mode"):
        others = tuple(axis for axis in range(len(shape)) if axis != 1)
        reader.add(node, name, Mix(others), (image,), aside="in training it normalises by the figures of a batch")
        return
    epsilon = float(options.get("epsilon", 1e-5))  # type: ignore[arg-type]
    scale, shift, mean, variance = node.input[1:5]

    def folded(role: str) -> Callable[[], Any]:
        def load() -> Any:
            figures = [reader.known.load(entry) for entry in (mean, variance, scale, shift)]
            return BatchNorm.folded(figures[0], figures[1], figures[2], figures[3], eps=epsilon)[role]

        return load

    constant = len(reader.images(node)) == 1
    reader.add(
        node,
        name,
        Same(),
        reader.images(node)[:1],
        operator=BatchNorm(shape[1], ndim=len(shape) - 2) if constant else None,
        weights={role: folded(role) for role in ("weight", "bias")},
    )


PLACES: Mapping[str, NodeReading] = {**dict.fromkeys(_PLACES, _places), "BatchNormalization": _norm}
"""Nodes by kind, and how each is read."""
