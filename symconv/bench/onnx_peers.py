"""ONNX as a peer: its reference evaluator, and ONNX Runtime, on a model of one node."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from symconv.bench.case import Contender, Missing
from symconv.bench.libraries import load
from symconv.bench.task import Data, Task

__all__ = ["reference", "runtime"]

OPSET, IR_VERSION = 17, 8
MOST_ENTRIES = 10_000_000
"""Of the evaluator's matrix of taps; its index arrays take some thirty bytes an entry."""

MOST_WINDOWS = {"max": 300_000, "average": 100_000, "lp": 100_000}
"""How many windows the evaluator's loops are asked for: about a second of work."""


MOST_TAPS = 1e9
"""How many taps of one plane a loop of ONNX Runtime is asked for, likewise."""


def reference(task: Task, data: Data) -> list[Contender | Missing]:
    """The reference evaluator of the package `onnx`, forward."""
    name = library = "ONNX reference"
    if task.direction != "forward":
        return []
    if task.operator == "conv" and task.taps // task.out_channels * task.groups > MOST_ENTRIES:
        return [Missing(name, library, "left out: its matrix of taps takes more than 300 MB")]
    if task.operator != "conv" and int(np.prod(task.output_shape)) > MOST_WINDOWS[task.operator]:
        return [Missing(name, library, "left out: its loops take many seconds a call")]
    onnx: Any = load(library)
    evaluator = import_module("onnx.reference").ReferenceEvaluator(_model(onnx, task, data))
    feeds = _feeds(task, data)
    return [Contender(name, library, lambda: evaluator.run(None, feeds)[0])]


def runtime(task: Task, data: Data) -> list[Contender | Missing]:
    """ONNX Runtime with one thread, forward."""
    name = library = "ONNX Runtime"
    if task.direction != "forward":
        return []
    if task.plane and task.operator != "conv" and task.taps > MOST_TAPS:
        return [Missing(name, library, "left out: a call takes seconds")]
    onnx: Any = load("ONNX reference")
    if onnx is None:
        return [Missing(name, library, "the package onnx, which builds its model, is not installed")]
    ort: Any = load(library)
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    model = _model(onnx, task, data).SerializeToString()
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    feeds = _feeds(task, data)
    return [Contender(name, library, lambda: session.run(None, feeds)[0])]


def _feeds(task: Task, data: Data) -> dict[str, Any]:
    x = np.ascontiguousarray(data.x)  # it knows no other order, and would copy at every call
    if data.weight is None or task.bound:
        return {"x": x}
    return {"x": x, "w": data.weight}


def _model(onnx: Any, task: Task, data: Data) -> Any:
    """A model of one node; a weight that is bound is a constant of the model."""
    helper = onnx.helper
    kind = onnx.TensorProto.FLOAT if task.dtype == "float32" else onnx.TensorProto.DOUBLE
    square = {
        "kernel_shape": [task.kernel] * 2,
        "strides": [task.stride] * 2,
        "pads": [task.padding] * 4,
    }
    own: dict[str, tuple[str, dict[str, int]]] = {
        "conv": ("Conv", {"group": task.groups}),
        "max": ("MaxPool", {}),
        "average": ("AveragePool", {"count_include_pad": 1}),
        "lp": ("LpPool", {"p": 2}),
    }
    operator, attributes = own[task.operator]
    weight = data.weight
    names = ["x"] if weight is None else ["x", "w"]
    inputs = [helper.make_tensor_value_info("x", kind, task.input_shape)]
    constants = []
    if weight is not None:
        if task.bound:
            constants.append(onnx.numpy_helper.from_array(weight, "w"))
        else:
            inputs.append(helper.make_tensor_value_info("w", kind, weight.shape))
    node = helper.make_node(operator, names, ["y"], **square, **attributes)
    output = helper.make_tensor_value_info("y", kind, task.output_shape)
    graph = helper.make_graph([node], operator, inputs, [output], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
