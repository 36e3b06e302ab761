"""ONNX: models of one node, run by ONNX Runtime or by the reference evaluator of the package `onnx`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import partial
from importlib import import_module
from typing import Any

from symconv.audits.frameworks.call import AuditedFramework, FrameworkCall, OptionSpace, Point, literal
from symconv.audits.isolation import Work
from symconv.audits.reading import Array
from symconv.audits.subject import numpy_type
from symconv.operators.adaptive import AdaptiveAvgPool, AdaptiveMaxPool
from symconv.operators.convolution import Conv
from symconv.operators.pooling import AvgPool, LPPool, MaxPool
from symconv.operators.transposed import ConvTranspose

__all__ = ["REFERENCE", "RUNTIME"]

OPSET, IR_VERSION = 22, 10
SIZES = {1: ((4,), (1,), (2,), (3,), (5,), (7,)), 2: ((3, 4), (1, 1), (2, 3), (5, 4))}
WINDOWS = {1: ((2,), (1,), (3,)), 2: ((2, 2), (1, 1), (3, 2), (2, 3))}
STEPS = {1: ((1,), (2,), (3,)), 2: ((1, 1), (2, 2), (2, 1), (3, 2))}
PADS = {1: ((0, 0), (1, 1), (0, 1), (1, 0)), 2: ((0,) * 4, (1,) * 4, (1, 0, 0, 1), (0, 1, 1, 0))}
AUTO = ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER")
WORDS = {"VALID": "valid", "SAME_UPPER": "same_upper", "SAME_LOWER": "same_lower"}


def _padding(point: Point) -> Any:
    """The padding of an operator; None where pads and auto_pad are both given."""
    pads, auto = point["pads"], point["auto_pad"]
    if auto != "NOTSET":
        return None if any(pads) else WORDS[auto]
    axes = len(pads) // 2
    return tuple(zip(pads[:axes], pads[axes:], strict=True))


def _attributes(point: Point, *names: str) -> dict[str, Any]:
    found = {name: point[name] for name in ("kernel_shape", "strides", "dilations", *names) if name in point}
    found |= {"pads": point["pads"]} if point["auto_pad"] == "NOTSET" else {"auto_pad": point["auto_pad"]}
    return {name: value for name, value in found.items() if value is not None}


def _shared(axes: int) -> dict[str, tuple[Any, ...]]:
    return {
        "auto_pad": AUTO,
        "size": SIZES[axes],
        "dtype": ("float32",),
        "kernel_shape": WINDOWS[axes],
        "strides": STEPS[axes],
        "pads": PADS[axes],
        "dilations": STEPS[axes][:3],
    }


def _conv(axes: int) -> OptionSpace:
    options = _shared(axes) | {"channels": ((1, 1, 1), (2, 3, 1), (4, 2, 2)), "bias": (False, True)}

    def build(point: Point) -> tuple[Any, dict[str, Any]] | None:
        (inputs, outputs, groups), padding = point["channels"], _padding(point)
        if padding is None:
            return None
        op = Conv(
            point["kernel_shape"], point["strides"], padding, point["dilations"],
            groups, inputs, outputs, bias=point["bias"],
        )  # fmt: skip
        return op, _attributes(point) | {"group": groups}

    return OptionSpace("Conv", options, build, title="Conv")


def _transposed(axes: int) -> OptionSpace:
    options = _shared(axes)
    options |= {"auto_pad": AUTO[:1], "output_padding": ((0,) * axes, (1,) * axes)}
    options |= {"channels": ((1, 1, 1), (2, 3, 1), (4, 2, 2)), "bias": (False, True)}

    def build(point: Point) -> tuple[Any, dict[str, Any]] | None:
        (inputs, outputs, groups), padding = point["channels"], _padding(point)
        room = zip(point["output_padding"], point["strides"], point["dilations"], strict=True)
        if any(extra >= max(s, d) for extra, s, d in room):
            return None
        op = ConvTranspose(
            point["kernel_shape"], point["strides"], padding, point["output_padding"], point["dilations"],
            groups=groups, in_channels=inputs, out_channels=outputs, bias=point["bias"],
        )  # fmt: skip
        return op, _attributes(point, "output_padding") | {"group": groups}

    return OptionSpace("ConvTranspose", options, build, title="ConvTranspose")


def _pool(axes: int, node: str) -> OptionSpace:
    own: dict[str, dict[str, tuple[Any, ...]]] = {
        "AveragePool": {"count_include_pad": (0, 1)},
        "LpPool": {"p": (2, 1, 3)},
    }
    options = own.get(node, {}) | {"ceil_mode": (0, 1)} | _shared(axes)
    if node == "MaxPool":
        options["dtype"] = ("float32", "float64", "float16")
    kind: Any = {"MaxPool": MaxPool, "AveragePool": AvgPool, "LpPool": LPPool}[node]

    def build(point: Point) -> tuple[Any, dict[str, Any]] | None:
        padding = _padding(point)
        if padding is None or (point["auto_pad"].startswith("SAME") and point["ceil_mode"]):
            return None  # SAME fixes the output size
        keywords = {"ceil_mode": bool(point["ceil_mode"])}
        if node == "AveragePool":
            keywords["count_include_pad"] = bool(point["count_include_pad"])
        lead = (point["p"],) if node == "LpPool" else ()
        op = kind(*lead, point["kernel_shape"], point["strides"], padding, point["dilations"], **keywords)
        return op, _attributes(point, "ceil_mode", *(["count_include_pad"] if node == "AveragePool" else []), "p")

    return OptionSpace(node, options, build, title=node)


def _global(axes: int, node: str) -> OptionSpace:
    kind: Any = AdaptiveMaxPool if node == "GlobalMaxPool" else AdaptiveAvgPool
    options = {"size": SIZES[axes], "dtype": ("float32",)}
    return OptionSpace(node, options, lambda point: (kind((1,) * axes), {}), title=node)


def _families() -> Iterator[OptionSpace]:
    for axes in (1, 2):
        for node in ("MaxPool", "AveragePool", "LpPool"):
            yield _pool(axes, node)
        yield _conv(axes)
        yield _transposed(axes)
        for node in ("GlobalMaxPool", "GlobalAveragePool"):
            yield _global(axes, node)


# ---------------------------------------------------------------------- calling it


def _start(runner: str) -> Work:
    onnx = import_module("onnx")
    runtime = import_module("onnxruntime") if runner == "onnxruntime" else import_module("onnx.reference")

    def work(given: dict[str, Array], text: str) -> dict[str, object]:
        function, keywords, dtype = json.loads(text)
        own, helper = numpy_type(dtype), onnx.helper
        arrays = {name: value.astype(own) for name, value in given.items()}
        kind = helper.np_dtype_to_tensor_dtype(own)
        node = helper.make_node(function, list(arrays), ["output"], **keywords)
        inputs = [helper.make_tensor_value_info(name, kind, array.shape) for name, array in arrays.items()]
        graph = helper.make_graph([node], "one", inputs, [helper.make_tensor_value_info("output", kind, None)])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
        if runner == "onnxruntime":
            options = runtime.SessionOptions()
            options.intra_op_num_threads = options.inter_op_num_threads = 1
            options.log_severity_level = 4
            session = runtime.InferenceSession(
                model.SerializeToString(), options, providers=["CPUExecutionProvider"]
            )  # fmt: skip
        else:
            session = runtime.ReferenceEvaluator(model)
        return {"output": session.run(None, arrays)[0]}

    return work


def _script(runner: str, call: FrameworkCall, arrays: Mapping[str, Array]) -> str:
    names = {name: {"input": "x", "weight": "w", "bias": "b"}[name] for name in arrays}
    lines = ["import numpy as np", "from onnx import helper"]
    lines += ["import onnxruntime" if runner == "onnxruntime" else "from onnx.reference import ReferenceEvaluator", ""]
    lines += [f"{names[name]} = np.array({literal(array)}, np.{call.dtype})" for name, array in arrays.items()]
    said = "".join(f", {name}={list(v) if isinstance(v, tuple) else v!r}" for name, v in call.keywords.items())
    feeds = ", ".join(f'"{letter}": {letter}' for letter in names.values())
    lines += [
        f'node = helper.make_node("{call.function}", {list(names.values())!r}, ["y"]{said})',
        f"feeds = {{{feeds}}}",
        "kind = helper.np_dtype_to_tensor_dtype(x.dtype)",
        "inputs = [helper.make_tensor_value_info(name, kind, array.shape) for name, array in feeds.items()]",
        'graph = helper.make_graph([node], "one", inputs, [helper.make_tensor_value_info("y", kind, None)])',
        f'opset = [helper.make_opsetid("", {OPSET})]',
        f"model = helper.make_model(graph, opset_imports=opset, ir_version={IR_VERSION})",
    ]
    if runner == "onnxruntime":
        lines += ["model = model.SerializeToString()"]
        lines += ['session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])']
    else:
        lines += ["session = ReferenceEvaluator(model)"]
    lines.append('print("output", session.run(None, feeds)[0].tolist())')
    return "\n".join(lines)


RUNTIME = AuditedFramework(
    "onnxruntime", "ONNX Runtime", ("onnxruntime", "onnx"), lambda: tuple(_families()),
    partial(_start, "onnxruntime"), partial(_script, "onnxruntime"),
)  # fmt: skip
REFERENCE = AuditedFramework(
    "onnx-reference", "The reference evaluator of ONNX", ("onnx",), lambda: tuple(_families()),
    partial(_start, "onnx-reference"), partial(_script, "onnx-reference"),
)  # fmt: skip
