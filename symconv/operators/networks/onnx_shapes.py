"""What is known of an ONNX model before its nodes are read: shapes and constants, as the onnx package has them.

Shapes come from ``onnx.shape_inference`` with data propagation, on a copy without large weights. Small integers that
nodes compute from shapes and constants are folded by the evaluator of the onnx package, and a branch that a constant
chooses is put in place; then shapes are inferred again, until nothing more becomes known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, prod
from typing import Any

import numpy as np

from symconv.errors import ArgumentError, NotSupportedError, SizeLimitError
from symconv.operators.importers.onnx import attributes_of

__all__ = ["OnnxFacts", "knowledge"]

MOST_FOLDED = 4_096  # entries of a constant that is looked at
MOST_LISTED = 1 << 20  # entries of a list whose length onnx is told
MOST_LOADED = 1 << 28  # entries of a weight
MOST_NODES = 100_000
MOST_ROUNDS = 8
_EXTERNAL = 1
_RANDOM = ("RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike", "Multinomial", "Bernoulli")
_STANDARD: Mapping[str, tuple[str, tuple[int, ...]]] = {
    "FusedConv": ("Conv", (0, 1, 2)),
    "FusedGemm": ("Gemm", (0, 1, 2)),
    "QLinearAdd": ("Add", (0, 3)),
    "QLinearMul": ("Mul", (0, 3)),
    "QLinearSigmoid": ("Identity", (0,)),
    "QLinearLeakyRelu": ("Identity", (0,)),
    "QLinearSoftmax": ("Identity", (0,)),
    "QLinearAveragePool": ("AveragePool", (0,)),
    "QLinearGlobalAveragePool": ("GlobalAveragePool", (0,)),
    "QuantizeLinear": ("Identity", (0,)),
    "DequantizeLinear": ("Identity", (0,)),
    "Gelu": ("Identity", (0,)),
    "FastGelu": ("Identity", (0,)),
    "QuickGelu": ("Identity", (0,)),
    "BiasGelu": ("Identity", (0,)),
}
"""Nodes of ONNX Runtime's own domain, and the standard ones whose output has the same shape."""


@dataclass
class OnnxFacts:
    """What is known of a model.

    Attributes:
        nodes: the nodes, without those that were folded.
        inputs: the names and shapes of the inputs that are no weights; the first one is that of the network. An open
            size of another one is that of an axis of the same name, or the batch.
        outputs: the names of the outputs.
        shapes: the shapes of all values that are known.
        small: the values of small constants.
        constant: the shapes of constants; None where they are not known.
        opset: the version of the standard operators.
    """

    nodes: list[Any]
    inputs: dict[str, tuple[int, ...]]
    outputs: list[str]
    opset: int
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    small: dict[str, Any] = field(default_factory=dict)
    constant: dict[str, tuple[int, ...] | None] = field(default_factory=dict)
    tensors: dict[str, Any] = field(default_factory=dict, repr=False)
    made: dict[str, Any] = field(default_factory=dict, repr=False)

    def integers(self, name: str) -> tuple[int, ...] | None:
        """The integers of a small constant; None where they are not known."""
        found = self.small.get(name)
        if found is None or found.dtype.kind not in "iuf" or not np.array_equal(found, np.rint(found)):
            return None
        return tuple(int(entry) for entry in found.ravel())

    def load(self, name: str) -> Any:
        """The values of a constant, large ones too.

        Raises:
            NotSupportedError: where they are in another file, or not to be computed.
        """
        if name in self.small:
            return self.small[name]
        if name in self.tensors:
            return _array(name, self.tensors[name])
        node = self.made.get(name)
        if node is None:
            raise NotSupportedError(f"the constant {name} has no values in the file")
        shape = self.constant.get(name)
        if shape is None or prod(shape) > MOST_LOADED:
            raise SizeLimitError(f"the constant {name} is too large, or has no known size")
        given = {entry: self.load(entry) for entry in node.input if entry}
        try:
            return _evaluated(node, given, self.opset)[name]
        except Exception as error:  # the evaluator raises anything
            raise NotSupportedError(
                f"the constant {name}: the onnx package does not evaluate this {node.op_type} ({type(error).__name__})"
            ) from None


def _array(name: str, tensor: Any) -> Any:
    from onnx.numpy_helper import to_array

    if tensor.data_location == _EXTERNAL:
        raise NotSupportedError(f"the weight {name} lies in another file, which is not opened")
    if prod(tensor.dims) > MOST_LOADED:
        raise SizeLimitError(f"the weight {name} has {prod(tensor.dims):,} entries; at most {MOST_LOADED:,}")
    try:
        return to_array(tensor)
    except (TypeError, ValueError) as error:  # as many entries as the shape says are not there
        raise ArgumentError(f"the weight {name}", tuple(tensor.dims), f"must have its entries ({error})") from None


def _evaluated(node: Any, values: Mapping[str, Any], opset: int) -> dict[str, Any]:
    """What a node makes of values, by the evaluator of the onnx package."""
    from onnx.reference import ReferenceEvaluator

    run = ReferenceEvaluator(node, opsets={"": opset})
    found = run.run(None, dict(values))
    return {name: np.asarray(value) for name, value in zip(node.output, found, strict=False) if name}


# ---------------------------------------------------------------------- the model


def knowledge(
    model: Any, shape_of: Callable[[Any], tuple[int, ...]], values: Mapping[str, object] | None = None
) -> OnnxFacts:
    """Shapes and constants of a model.

    Args:
        model: a ModelProto.
        shape_of: the shape that the first input has, from what the model declares of it.
        values: numbers for further inputs, by name, that count as constants.

    Raises:
        ArgumentError: for a model without an input, or that the onnx package refuses; SizeLimitError for one with more
            than 100,000 nodes.
    """
    if len(model.functions):
        import onnx.inliner

        model = onnx.inliner.inline_local_functions(model)
    graph = model.graph
    if len(graph.node) > MOST_NODES:
        raise SizeLimitError(f"the model has {len(graph.node):,} nodes; at most {MOST_NODES:,}")
    opset = max((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), default=1)
    known = OnnxFacts([], {}, [entry.name for entry in graph.output], opset)
    _hoist(known, graph.node, graph.initializer)
    for name, value in (values or {}).items():
        _fixed(known, graph, name, value)
    inputs = [entry for entry in graph.input if entry.name not in known.constant]
    if not inputs:
        raise ArgumentError("the model", graph.name, "must have an input that is no weight")
    work = _Inference(model, known, inputs, shape_of(inputs[0]))
    for _ in range(MOST_ROUNDS):
        work.infer()
        if not _fold(known):
            break
    _opaque(known)
    return known


def _fixed(known: OnnxFacts, graph: Any, name: str, value: object) -> None:
    """Let an input be a constant."""
    from onnx.helper import tensor_dtype_to_np_dtype
    from onnx.numpy_helper import from_array

    declared = next((entry for entry in graph.input if entry.name == name), None)
    if declared is None or name in known.constant:
        names = ", ".join(entry.name for entry in graph.input if entry.name not in known.constant)
        raise ArgumentError("values", name, f"must be by the names of inputs: {names}")
    try:
        array = np.asarray(value, tensor_dtype_to_np_dtype(declared.type.tensor_type.elem_type))
    except (TypeError, ValueError, OverflowError):
        raise ArgumentError(f"values[{name!r}]", value, "must be a number, or a list of numbers") from None
    if array.size > MOST_FOLDED:
        raise SizeLimitError(f"values[{name!r}] has {array.size:,} entries; at most {MOST_FOLDED:,}")
    _constant(known, name, from_array(array, name))


def _hoist(known: OnnxFacts, nodes: Sequence[Any], tensors: Sequence[Any]) -> None:
    """Take what is constant out of the nodes."""
    for tensor in tensors:
        _constant(known, tensor.name, tensor)
    for node in nodes:
        if not any(node.output):
            continue  # it gives nothing
        if node.op_type == "Constant" and node.output and node.domain in ("", "ai.onnx"):
            _constant_node(known, node)
        else:
            known.nodes.append(node)


def _constant(known: OnnxFacts, name: str, tensor: Any) -> None:
    if any(n < 0 for n in tensor.dims):
        raise ArgumentError(f"the weight {name}", tuple(tensor.dims), "must have sizes of at least 0")
    known.tensors[name], known.constant[name] = tensor, tuple(tensor.dims)
    if prod(tensor.dims) <= MOST_FOLDED and tensor.data_location != _EXTERNAL:
        try:
            known.small[name] = _array(name, tensor)
        except ArgumentError:
            return


def _constant_node(known: OnnxFacts, node: Any) -> None:
    name = node.output[0]
    for attribute in node.attribute:
        if attribute.name == "value":
            _constant(known, name, attribute.t)
            return
        if attribute.name in ("value_int", "value_ints", "value_float", "value_floats"):
            kind = np.int64 if "int" in attribute.name else np.float32
            array = np.asarray(attributes_of(node)[attribute.name], kind)
            known.small[name], known.constant[name] = array, array.shape
            return
    known.constant[name] = None


class _Inference:
    """Runs shape inference on a copy of the model without its large weights."""

    def __init__(self, model: Any, known: OnnxFacts, inputs: list[Any], shape: tuple[int, ...]) -> None:
        self.model, self.known, self.inputs = model, known, inputs
        known.inputs[inputs[0].name] = shape
        named = {
            dim.dim_param: n
            for dim, n in zip(inputs[0].type.tensor_type.shape.dim, shape, strict=True)
            if dim.dim_param
        }
        for entry in inputs[1:]:
            dims = list(entry.type.tensor_type.shape.dim)
            sizes = [dim.dim_value if dim.dim_value > 0 else named.get(dim.dim_param) for dim in dims]
            known.inputs[entry.name] = tuple(int(n or shape[0]) for n in sizes)  # what is open there is the batch

    def infer(self) -> None:
        """Ask for all shapes anew."""
        import onnx

        known = self.known
        graph = onnx.GraphProto(name="g")
        for node in known.nodes:
            graph.node.append(_standard(node))
        for entry in self.inputs:
            shape = known.inputs.get(entry.name)
            kind = entry.type.tensor_type.elem_type
            graph.input.append(entry if shape is None else onnx.helper.make_tensor_value_info(entry.name, kind, shape))
        for name, shape in known.constant.items():
            if name in known.small:
                graph.initializer.append(onnx.numpy_helper.from_array(known.small[name], name))
            elif name in known.tensors and shape is not None:
                kind = known.tensors[name].data_type
                listed = len(shape) == 1 and shape[0] > MOST_LISTED  # onnx goes through lists, such as steps of a Slice
                stated = (None,) if listed else shape
                graph.input.append(onnx.helper.make_tensor_value_info(name, kind, stated))
        for name in known.outputs:
            graph.output.append(onnx.ValueInfoProto(name=name))
        light = onnx.ModelProto(ir_version=max(self.model.ir_version, 4), graph=graph)
        light.opset_import.extend(self.model.opset_import)
        imported = {entry.domain for entry in light.opset_import}
        for domain in {node.domain for node in graph.node} - imported:
            light.opset_import.append(onnx.helper.make_opsetid(domain, known.opset if domain == "" else 1))
        try:
            found = onnx.shape_inference.infer_shapes(light, check_type=False, strict_mode=False, data_prop=True)
        except Exception as error:  # what the onnx package raises has no class of its own to name
            raise ArgumentError(
                "the model", self.model.graph.name, f"must be one that onnx can infer ({error})"
            ) from None
        known.shapes = dict(known.inputs)
        for entry in (*found.graph.value_info, *found.graph.output):
            dims = entry.type.tensor_type.shape.dim
            if entry.type.tensor_type.HasField("shape") and all(dim.dim_value > 0 for dim in dims):
                known.shapes[entry.name] = tuple(dim.dim_value for dim in dims)


def _standard(node: Any) -> Any:
    """A node of ONNX Runtime's own as the standard one that shape inference knows."""
    if node.domain != "com.microsoft" or node.op_type not in _STANDARD:
        return node
    import onnx

    kind, places = _STANDARD[node.op_type]
    inputs = [node.input[place] for place in places if place < len(node.input)]
    result = onnx.helper.make_node(kind, inputs, list(node.output)[:1])
    known = {"Conv": 6, "Gemm": 4, "AveragePool": 6}
    if kind in known:
        names = ("auto_pad", "dilations", "group", "kernel_shape", "pads", "strides", "transA", "transB", "ceil_mode")
        result.attribute.extend(entry for entry in node.attribute if entry.name in names)
    return result


# ---------------------------------------------------------------------- folding


def _fold(known: OnnxFacts) -> bool:
    """Evaluate what small constants and known shapes settle; whether anything has become known."""
    left: list[Any] = []
    progress = False
    for node in known.nodes:
        if node.op_type == "If" and node.input and known.small.get(node.input[0], np.zeros(0)).size == 1:
            _branch(known, node, left)
            progress = True
            continue
        found = _folded(known, node)
        if found is None:
            left.append(node)
            continue
        progress = True
        for name, value in found.items():
            known.small[name], known.constant[name] = value, value.shape
    known.nodes[:] = left
    return progress


def _folded(known: OnnxFacts, node: Any) -> dict[str, Any] | None:
    """The values that a node gives, where they are small and follow from constants."""
    if node.domain not in ("", "ai.onnx"):
        return None
    kind = node.op_type
    if kind in ("Shape", "Size") and node.input:
        shape = known.shapes.get(node.input[0], known.constant.get(node.input[0]))
        if shape is None:
            return None
        options = attributes_of(node)
        cut: Any = slice(options.get("start", 0), options.get("end"))
        value = np.asarray(shape[cut] if kind == "Shape" else prod(shape), np.int64)
        return {node.output[0]: value}
    if kind not in _BOUNDS or not all(name in known.small for name in node.input if name):
        return None
    values = {name: known.small[name] for name in node.input if name}
    try:
        if not 0 <= _BOUNDS[kind](node, [values[name] for name in node.input if name]) <= MOST_FOLDED:
            return None
        found = _evaluated(node, values, known.opset)
    except Exception:  # a node that the evaluator does not take stays what it is
        return None
    return found if all(value.size <= MOST_FOLDED and value.dtype.kind in "biuf" for value in found.values()) else None


def _largest(node: Any, values: list[Any]) -> int:
    return prod(np.broadcast_shapes(*(value.shape for value in values)))


def _total(node: Any, values: list[Any]) -> int:
    return sum(value.size for value in values)


def _gathered(node: Any, values: list[Any]) -> int:
    return int(values[0].size * max(values[1].size, 1))


def _filled(node: Any, values: list[Any]) -> int:
    return prod(int(n) for n in values[0].ravel())


def _expanded(node: Any, values: list[Any]) -> int:
    return prod(np.broadcast_shapes(values[0].shape, tuple(int(n) for n in values[1].ravel())))


def _tiled(node: Any, values: list[Any]) -> int:
    return int(values[0].size) * prod(int(n) for n in values[1].ravel())


def _ranged(node: Any, values: list[Any]) -> int:
    start, limit, delta = (float(value) for value in values)
    return max(ceil((limit - start) / delta), 0)


_BOUNDS: Mapping[str, Callable[[Any, list[Any]], int]] = {
    **dict.fromkeys(
        ("Add", "Sub", "Mul", "Div", "Mod", "Min", "Max", "Equal", "Greater", "Less", "GreaterOrEqual", "LessOrEqual",
         "Not", "And", "Or", "Where", "Neg", "Abs", "Floor", "Ceil", "Round", "Cast", "Identity", "Sqrt"),
        _largest,
    ),
    **dict.fromkeys(
        ("Concat", "Slice", "Unsqueeze", "Squeeze", "Reshape", "Transpose", "Split", "Flatten", "ReduceProd",
         "ReduceSum", "ReduceMax", "ReduceMin"),
        _total,
    ),
    "Gather": _gathered,
    "ConstantOfShape": _filled,
    "Expand": _expanded,
    "Tile": _tiled,
    "Range": _ranged,
}  # fmt: skip
"""The nodes that are folded, and how many entries they give at most."""


def _branch(known: OnnxFacts, node: Any, nodes: list[Any]) -> None:
    """Put the branch that a constant chooses in the place of an If."""
    import onnx

    chosen = "then_branch" if bool(known.small[node.input[0]].ravel()[0]) else "else_branch"
    graph = next((entry.g for entry in node.attribute if entry.name == chosen), None)
    if graph is None:
        raise ArgumentError(f"the node {node.name or node.output[0]}", "If", f"must have a {chosen}")
    prefix = f"{node.name or node.output[0]}/"
    own = {tensor.name for tensor in graph.initializer} | {name for entry in graph.node for name in entry.output}
    names = {name: prefix + name for name in own if name}
    inner = OnnxFacts([], {}, [], known.opset)
    _hoist(inner, graph.node, graph.initializer)
    for name, shape in inner.constant.items():
        known.constant[names[name]] = shape
        if name in inner.small:
            known.small[names[name]] = inner.small[name]
        if name in inner.tensors:
            known.tensors[names[name]] = inner.tensors[name]
    for entry in inner.nodes:
        copy = onnx.NodeProto()
        copy.CopyFrom(entry)
        copy.name = prefix + entry.name if entry.name else ""
        copy.input[:] = [names.get(name, name) for name in entry.input]
        copy.output[:] = [names.get(name, name) for name in entry.output]
        _renamed(copy, names)
        nodes.append(copy)
    for inside, outside in zip(graph.output, node.output, strict=False):
        nodes.append(onnx.helper.make_node("Identity", [names.get(inside.name, inside.name)], [outside]))


def _renamed(node: Any, names: Mapping[str, str], depth: int = 0) -> None:
    """Names of a branch that graphs inside of it read."""
    if depth > 20:
        raise SizeLimitError("branches are nested more than 20 deep")
    for attribute in node.attribute:
        for graph in (attribute.g, *attribute.graphs):
            own = {name for entry in graph.node for name in entry.output}
            outer = {name: new for name, new in names.items() if name not in own}
            for entry in graph.node:
                entry.input[:] = [outer.get(name, name) for name in entry.input]
                _renamed(entry, outer, depth + 1)
            for entry in graph.output:
                entry.name = outer.get(entry.name, entry.name)


def _opaque(known: OnnxFacts) -> None:
    """What large constants become is constant, too: a weight that the graph transposes, say."""
    left = []
    for node in known.nodes:
        inner = any(entry.HasField("g") or entry.graphs for entry in node.attribute)
        settled = all(name in known.constant for name in node.input if name)
        if inner or not settled or node.op_type in _RANDOM or not node.output:
            left.append(node)
            continue
        for name in node.output:
            if name:
                known.constant[name] = known.shapes.get(name)
                known.made[name] = node
    known.nodes[:] = left
