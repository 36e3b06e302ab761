"""ONNX nodes with random attributes, each in a model of its own, for ONNX Runtime."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

KINDS = ("Conv", "ConvTranspose", "MaxPool", "AveragePool", "LpPool")
AUTO_PAD = ("NOTSET", "NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER")
OPSET = 22


@dataclass(frozen=True)
class NodeCase:
    """One node with its inputs.

    Attributes:
        kind: the op_type.
        attributes: its attributes.
        inputs: its inputs, the image first.
        outputs: how many outputs are asked for.
        given: what `from_onnx` is told besides the node.
    """

    kind: str
    attributes: dict[str, Any]
    inputs: tuple[np.ndarray, ...]
    outputs: int = 1
    given: dict[str, Any] = field(default_factory=dict)

    @property
    def sizes(self) -> tuple[int, ...]:
        return self.inputs[0].shape[2:]

    @property
    def node(self) -> Any:
        from onnx import helper

        names = [f"x{i}" for i in range(len(self.inputs))]
        return helper.make_node(self.kind, names, [f"y{i}" for i in range(self.outputs)], **self.attributes)


def run(case: NodeCase) -> list[np.ndarray] | None:
    """The outputs of ONNX Runtime, or None where it refuses the node."""
    import onnxruntime
    from onnx import helper

    node = case.node
    value, types = helper.make_tensor_value_info, helper.np_dtype_to_tensor_dtype
    feeds = dict(zip(node.input, case.inputs, strict=True))
    rank = case.inputs[0].ndim
    places = [value(name, types(array.dtype), array.shape) for name, array in feeds.items()]
    kinds = [types(case.inputs[0].dtype), types(np.dtype(np.int64))]
    results = [value(name, kinds[i], [None] * rank) for i, name in enumerate(node.output)]
    graph = helper.make_graph([node], "one_node", places, results)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return list(session.run(None, feeds))
    except Exception:  # ONNX Runtime has no class of its own for what it refuses
        return None


def _column(draw: st.DrawFn, ndim: int, low: int, high: int) -> list[int]:
    return [draw(st.integers(low, high)) for _ in range(ndim)]


def _window(draw: st.DrawFn, ndim: int, pad: int) -> dict[str, Any]:
    """Kernel, strides and dilations, and pads or a rule for them; attributes are left out now and then."""
    auto_pad = draw(st.sampled_from(AUTO_PAD))
    result: dict[str, Any] = {"kernel_shape": _column(draw, ndim, 1, 4)}
    if draw(st.integers(0, 4)):
        result["strides"] = _column(draw, ndim, 1, 3)
    if draw(st.booleans()):
        result["dilations"] = _column(draw, ndim, 1, 3)
    if auto_pad == "NOTSET" and draw(st.integers(0, 4)):
        result["pads"] = _column(draw, 2 * ndim, 0, pad)
    elif auto_pad != "NOTSET" or draw(st.booleans()):
        result["auto_pad"] = auto_pad
    return result


def _array(draw: st.DrawFn, shape: Sequence[int]) -> np.ndarray:
    rng = np.random.default_rng(draw(st.integers(0, 1 << 32)))
    return rng.normal(size=tuple(shape)).astype(np.float32)


def _sizes(draw: st.DrawFn, ndim: int) -> list[int]:
    return _column(draw, ndim, 1, {1: 12, 2: 8, 3: 5}[ndim])


@st.composite
def convolutions(draw: st.DrawFn) -> NodeCase:
    ndim, group = draw(st.integers(1, 3)), draw(st.sampled_from((1, 1, 2)))
    ins, outs = draw(st.integers(1, 2)), group * draw(st.integers(1, 2))
    attributes = _window(draw, ndim, 4)
    kernel, sizes = attributes["kernel_shape"], _sizes(draw, ndim)
    if draw(st.booleans()):
        del attributes["kernel_shape"]
    if group != 1 or draw(st.booleans()):
        attributes["group"] = group
    x = _array(draw, (draw(st.integers(1, 2)), ins * group, *sizes))
    weight = _array(draw, (outs, ins, *kernel))
    bias = [_array(draw, (outs,))] if draw(st.booleans()) else []
    return NodeCase("Conv", attributes, (x, weight, *bias), given={"weight_shape": weight.shape})


@st.composite
def transposed_convolutions(draw: st.DrawFn) -> NodeCase:
    ndim, group = draw(st.integers(1, 3)), draw(st.sampled_from((1, 1, 2)))
    ins, outs = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    attributes = _window(draw, ndim, 2)
    kernel, sizes = attributes["kernel_shape"], _sizes(draw, ndim)
    strides = attributes.get("strides", [1] * ndim)
    if draw(st.booleans()):
        del attributes["kernel_shape"]
    if group != 1 or draw(st.booleans()):
        attributes["group"] = group
    if draw(st.booleans()):
        attributes["output_padding"] = [draw(st.integers(0, s - 1)) for s in strides]
    if draw(st.integers(0, 3)) == 0:
        attributes.pop("pads", None)
        extra, dilations = attributes.get("output_padding", [0] * ndim), attributes.get("dilations", [1] * ndim)
        axes = zip(sizes, kernel, strides, dilations, extra, strict=True)
        free = [s * (n - 1) + d * (k - 1) + 1 + a for n, k, s, d, a in axes]
        attributes["output_shape"] = [draw(st.integers(max(1, n - 4), n)) for n in free]
    x = _array(draw, (draw(st.integers(1, 2)), ins * group, *sizes))
    weight = _array(draw, (ins * group, outs, *kernel))
    bias = [_array(draw, (outs * group,))] if draw(st.booleans()) else []
    given = {"weight_shape": weight.shape, "input_size": tuple(sizes)}
    return NodeCase("ConvTranspose", attributes, (x, weight, *bias), given=given)


@st.composite
def poolings(draw: st.DrawFn, kind: str) -> NodeCase:
    ndim = draw(st.integers(1, 3))
    attributes = _window(draw, ndim, 3)
    spans = zip(attributes["kernel_shape"], attributes.get("dilations", [1] * ndim), strict=True)
    pads = attributes.get("pads", [0] * 2 * ndim)
    # ONNX Runtime takes no padding as large as the kernel
    assume(all(max(pads[i], pads[i + ndim]) < k for i, (k, _) in enumerate(spans)))
    if draw(st.booleans()):
        attributes["ceil_mode"] = draw(st.integers(0, 1))
    outputs = 1
    if kind == "AveragePool" and draw(st.booleans()):
        attributes["count_include_pad"] = draw(st.integers(0, 1))
    if kind == "LpPool" and draw(st.booleans()):
        attributes["p"] = draw(st.integers(1, 4))
    if kind == "MaxPool" and draw(st.booleans()):
        outputs = 2
    x = _array(draw, (draw(st.integers(1, 2)), draw(st.integers(1, 2)), *_sizes(draw, ndim)))
    if kind == "MaxPool" and draw(st.booleans()):
        x = x.round()  # ties
    return NodeCase(kind, attributes, (x,), outputs)


FAMILIES: dict[str, st.SearchStrategy[NodeCase]] = {
    "Conv": convolutions(),
    "ConvTranspose": transposed_convolutions(),
    "MaxPool": poolings("MaxPool"),
    "AveragePool": poolings("AveragePool"),
    "LpPool": poolings("LpPool"),
}
