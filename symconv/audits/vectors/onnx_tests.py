"""Test vectors in the layout of ONNX's node tests: a model of one node, and its inputs and output as tensors."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from symconv.audits.frameworks.onnx_nodes import IR_VERSION, OPSET
from symconv.audits.reading import Array
from symconv.audits.vectors.case import Vector, VectorSet
from symconv.operators.adaptive import AdaptiveAvgPool, AdaptiveMaxPool
from symconv.operators.convolution import Conv
from symconv.operators.pooling import AvgPool, LPPool, MaxPool
from symconv.operators.transposed import ConvTranspose

__all__ = ["node_tests", "why_no_node_tests"]

LETTERS = {"input": "x", "weight": "w", "bias": "b"}


def why_no_node_tests(op: Any) -> str:
    """Why there are no node tests of an operator, in words; empty where there are."""
    if find_spec("onnx") is None:
        return "they need the package onnx: pip install onnx"
    if not _node_name(op):
        return f"ONNX has no node for {op!r}"
    return ""


def node_tests(found: VectorSet) -> dict[str, bytes]:
    """The files of the node tests in float32, by their paths.

    Each is a folder ``test_NAME`` with ``model.onnx`` and ``test_data_set_0``, as the runner of ONNX's backend tests
    reads them. Only vectors that float32 holds are there, and none with NaN, infinities or empty windows, for which
    ONNX does not say what is due.
    """
    if why_no_node_tests(found.operator):
        return {}
    files: dict[str, bytes] = {}
    for vector in found.vectors:
        arrays = [*vector.trial.arrays.values(), vector.due["output"]]
        if "float32" in vector.tolerance and all(np.isfinite(array).all() for array in arrays):
            files |= _folder(found.operator, vector)
    return files


def _folder(op: Any, vector: Vector) -> dict[str, bytes]:
    onnx = import_module("onnx")
    helper = onnx.helper
    arrays = {LETTERS[name]: array for name, array in vector.trial.arrays.items()}
    kind = onnx.TensorProto.FLOAT
    output = vector.due["output"]
    inputs = [helper.make_tensor_value_info(name, kind, array.shape) for name, array in arrays.items()]
    outputs = [helper.make_tensor_value_info("y", kind, output.shape)]
    node = helper.make_node(_node_name(op), list(arrays), ["y"], **_attributes(op, vector.sizes))
    name = f"test_{_node_name(op).lower()}_{vector.name}"
    graph = helper.make_graph([node], name, inputs, outputs)
    opset = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=IR_VERSION, producer_name="symconv")
    files = {f"{name}/model.onnx": model.SerializeToString(deterministic=True)}
    data = f"{name}/test_data_set_0"
    for number, (letter, array) in enumerate(arrays.items()):
        files[f"{data}/input_{number}.pb"] = _tensor(onnx, array, letter)
    return files | {f"{data}/output_0.pb": _tensor(onnx, output, "y")}


def _tensor(onnx: Any, array: Array, name: str) -> bytes:
    made: bytes = onnx.numpy_helper.from_array(array.astype(np.float32), name).SerializeToString(deterministic=True)
    return made


def _node_name(op: Any) -> str:
    """The node that means an operator; empty where there is none."""
    if isinstance(op, Conv):
        return "Conv" if op.padding_mode == "zeros" and not op.flip else ""
    if isinstance(op, ConvTranspose):
        return "" if op.flip or isinstance(op.padding, str) else "ConvTranspose"
    if isinstance(op, AdaptiveAvgPool | AdaptiveMaxPool):
        one = all(op.axis_output_size(axis, 7) == 1 for axis in range(op.spatial_axes))
        return ("GlobalAveragePool" if isinstance(op, AdaptiveAvgPool) else "GlobalMaxPool") if one else ""
    if isinstance(op, MaxPool):
        return "MaxPool"
    if isinstance(op, AvgPool):
        return "" if op.divisor_override is not None else "AveragePool"
    assert isinstance(op, LPPool)
    return "LpPool" if isinstance(op.norm_type, int) else ""


def _attributes(op: Any, sizes: tuple[int, ...]) -> dict[str, Any]:
    if isinstance(op, AdaptiveAvgPool | AdaptiveMaxPool):
        return {}
    found: dict[str, Any] = {
        "kernel_shape": list(map(int, op.kernel_size)),
        "strides": list(map(int, op.stride)),
        "dilations": list(map(int, op.dilation)),
        "pads": _pads(op, sizes),
    }
    if isinstance(op, Conv | ConvTranspose):
        found["group"] = int(op.groups)
    else:
        found["ceil_mode"] = int(op.ceil_mode)
    if isinstance(op, ConvTranspose):
        found["output_padding"] = list(map(int, op.output_padding))
    if isinstance(op, AvgPool):
        found["count_include_pad"] = int(op.count_include_pad)
    if isinstance(op, LPPool):
        found["p"] = int(op.norm_type)
    return found


def _pads(op: Any, sizes: tuple[int, ...]) -> list[int]:
    """The padding before every axis, then that after every axis; of "same" as it is at this size."""
    if isinstance(op, ConvTranspose):
        pairs = [(int(before), int(after)) for before, after in op.padding]
    else:
        sides = [window.padding(n) for window, n in zip(op.windows, sizes, strict=True)]
        pairs = [(int(before.value or 0), int(after.value or 0)) for before, after in sides]
    return [before for before, _ in pairs] + [after for _, after in pairs]
