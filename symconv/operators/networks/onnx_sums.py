"""The nodes of an ONNX model whose output depends on all of an axis: reductions, norms, products, recurrences.

Source: the operator schemas of ONNX, opset 22, and of ONNX Runtime's own domain.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

import numpy as np

from symconv.errors import NotSupportedError
from symconv.operators.adaptive import AdaptiveAvgPool, AdaptiveMaxPool
from symconv.operators.base import Operator
from symconv.operators.dense import Dense
from symconv.operators.flatten import Flatten
from symconv.operators.importers.functions import ONNX
from symconv.operators.importers.onnx import attributes_of, read_node
from symconv.operators.networks.acts import Blind, Collapse, Mix, Product, Same, Scan
from symconv.operators.networks.graph import Vertex
from symconv.operators.networks.moves import Reshape
from symconv.operators.networks.onnx_reader import NodeReading, OnnxReader, RenamedNode
from symconv.operators.networks.windows import Windowing

__all__ = ["SUMS"]

_REDUCED = frozenset((
    "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd",
    "ReduceSum", "ReduceSumSquare",
))  # fmt: skip
_GLOBAL: Mapping[str, Callable[..., Operator]] = {"ReduceMean": AdaptiveAvgPool, "ReduceMax": AdaptiveMaxPool}


def _reduced(reader: OnnxReader, node: Any, name: str) -> None:
    image, options = node.input[0], attributes_of(node)
    shape = reader.shape(image)
    rank, axes = len(shape), reader.axes(node)
    if not axes:
        axes = () if options.get("noop_with_empty_axes") else tuple(range(rank))
    axes = tuple(sorted({axis % rank for axis in axes}))
    keep = bool(options.get("keepdims", 1))
    if node.op_type in _GLOBAL and rank > 2 and axes == tuple(range(2, rank)):
        pool = _GLOBAL[node.op_type](1, ndim=rank - 2)
        between = node.output[0] if keep else f"{node.output[0]}/pooled"
        reader.nodes.append(Vertex(name, node.op_type, Windowing(pool), (image,), between, True, operator=pool))
        if not keep:
            reader.add(node, name, Reshape(shape[:2]), (between,), operator=Flatten())
        return
    reader.add(node, name, Collapse(axes, keep), (image,))


def _arg(reader: OnnxReader, node: Any, name: str) -> None:
    options, shape = attributes_of(node), reader.shape(node.input[0])
    axis = int(options.get("axis", 0)) % len(shape)  # type: ignore[call-overload]
    reader.add(node, name, Collapse((axis,), bool(options.get("keepdims", 1))), node.input[:1])


def _quantized(reader: OnnxReader, node: Any, name: str) -> None:
    """The scale and the zero point are those of the smallest and the largest entry."""
    axes = tuple(range(len(reader.shape(node.input[0]))))
    reader.add(node, name, Mix(axes), node.input[:1])
    for figure in node.output[1:]:
        if figure:
            reader.nodes.append(Vertex(name, node.op_type, Collapse(axes, keep=False), (node.input[0],), figure))


def _softmax(reader: OnnxReader, node: Any, name: str) -> None:
    shape = reader.shape(node.input[0])
    old = reader.known.opset < 13
    axis = int(attributes_of(node).get("axis", 1 if old else -1)) % len(shape)  # type: ignore[call-overload]
    axes = tuple(range(axis, len(shape))) if old else (axis,)
    more: dict[str, Any] = {}
    if len(shape) == 2 and axes == (1,) and node.op_type in ONNX:
        more["operator"] = read_node(RenamedNode(node.op_type, (), tuple(node.input), tuple(node.output))).operator
    reader.add(node, name, Mix(axes), node.input[:1], **more)


def _mixing(reader: OnnxReader, node: Any, name: str) -> None:
    """Normalisations that mix what lies on some axes."""
    kind, shape, options = node.op_type, reader.shape(reader.images(node)[0]), attributes_of(node)
    rank = len(shape)
    if kind in ("LayerNormalization", "RMSNormalization", "SimplifiedLayerNormalization"):
        axes = tuple(range(int(options.get("axis", -1)) % rank, rank))  # type: ignore[call-overload]
    elif kind in ("LpNormalization", "Hardmax"):
        axes = (int(options.get("axis", -1)) % rank,)  # type: ignore[call-overload]
    elif kind == "MeanVarianceNormalization":
        given: Any = options.get("axes", (0, 2, 3))
        axes = tuple(axis % rank for axis in given)
    elif kind == "SkipLayerNormalization":
        axes = (rank - 1,)
    else:
        axes = {"InstanceNormalization": tuple(range(2, rank)), "LRN": (1,)}.get(kind, tuple(range(1, rank)))
    images = reader.images(node)
    joined = images[0] if len(images) == 1 else f"{node.output[0]}/joined"
    if len(images) > 1:
        reader.nodes.append(Vertex(name, kind, Same(), images, joined))
    reader.add(node, name, Mix(axes), (joined,))
    for extra in list(node.output)[1:]:
        if extra:
            reader.nodes.append(Vertex(name, kind, Blind(f"a further output of {kind}"), (joined,), extra))


def _scanned(reader: OnnxReader, node: Any, name: str) -> None:
    """LSTM, GRU and RNN; the sequence may be one step long."""
    options = attributes_of(node)
    if options.get("layout"):
        raise NotSupportedError(f"{node.op_type} with layout=1 is not known here")
    hidden = reader.shape(node.input[2])[-1]
    states = reader.images(node, node.input[5:7])
    direction = str(options.get("direction", "forward"))
    for place, output in enumerate(node.output):
        if output:
            act = Scan(direction, place > 0, hidden)
            reader.nodes.append(Vertex(name, node.op_type, act, (node.input[0], *states), output))


def _product(reader: OnnxReader, node: Any, name: str) -> None:
    kind, options = node.op_type, attributes_of(node)
    left, right = (node.input[0], node.input[3]) if kind == "QLinearMatMul" else node.input[:2]
    bias = node.input[2] if kind in ("Gemm", "FusedGemm") and len(node.input) > 2 else ""
    flipped = tuple(
        side for side, flag in (("left", "transA"), ("right", "transB")) if options.get(flag, 0)
    )  # fmt: skip
    factors = [(side, entry) for side, entry in (("left", left), ("right", right)) if entry in reader.live]
    if not factors:
        raise NotSupportedError(f"{kind} of constants")
    other = next((reader.shape(entry) for entry in (left, right) if entry not in reader.live), None)
    if bias in reader.live:
        factors.append(("bias", bias))
    sides, images = zip(*factors, strict=True)
    reader.notes["products of matrices (MatMul, Gemm) have no windows, and are not counted"] = None
    act = Product(tuple(sides), other, flipped)
    more: dict[str, Any] = {}
    shape = reader.shape(left)
    matrix = right not in reader.live and len(reader.shape(right)) == 2 and len(shape) == 2 and sides == ("left",)
    if kind in ("MatMul", "Gemm") and matrix and "left" not in flipped:
        more = _dense(reader, right, bias, "right" in flipped, options)
    reader.add(node, name, act, images, **more)


def _dense(reader: OnnxReader, weight: str, bias: str, flipped: bool, options: Mapping[str, Any]) -> dict[str, Any]:
    rows, columns = reader.shape(weight)
    outputs, inputs = (rows, columns) if flipped else (columns, rows)
    alpha, beta = float(options.get("alpha", 1.0)), float(options.get("beta", 1.0))
    loads = {"weight": reader.loader(weight, lambda array: alpha * (array if flipped else array.T))}
    if bias:
        if prod(reader.shape(bias)) not in (1, outputs) or reader.shape(bias)[:-1] not in ((), (1,)):
            return {"aside": "its third input is no bias"}
        loads["bias"] = reader.loader(
            bias, lambda array: beta * np.broadcast_to(array.ravel(), (outputs,))
        )  # fmt: skip
    return {"operator": Dense(outputs, inputs, bias=bool(bias)), "weights": loads}


SUMS: Mapping[str, NodeReading] = {
    **dict.fromkeys(_REDUCED, _reduced),
    **dict.fromkeys(("ArgMax", "ArgMin"), _arg),
    **dict.fromkeys(("Softmax", "LogSoftmax", "QLinearSoftmax"), _softmax),
    **dict.fromkeys(
        (
            "InstanceNormalization", "LayerNormalization", "GroupNormalization", "LRN", "LpNormalization", "Hardmax",
            "MeanVarianceNormalization", "RMSNormalization", "SkipLayerNormalization", "SimplifiedLayerNormalization",
        ),
        _mixing,
    ),
    "DynamicQuantizeLinear": _quantized,
    **dict.fromkeys(("LSTM", "GRU", "RNN"), _scanned),
    **dict.fromkeys(("MatMul", "Gemm", "FusedGemm", "MatMulInteger", "QLinearMatMul"), _product),
}  # fmt: skip
"""Nodes by kind, and how each is read."""
