"""What a layer of an ONNX model depends on, and its sizes: against probing the real model with NaN by ONNX Runtime."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import symconv as sc

onnx = pytest.importorskip("onnx", reason="a model is made with the onnx package")
runtime = pytest.importorskip("onnxruntime", reason="and probed by running it")
node = onnx.helper.make_node


class Graph:
    """A model of one input x of (1, 2, h, w), in the making; all weights are above 0, so that nothing cancels."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.value = "x"

    def constant(self, array: Any) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(onnx.numpy_helper.from_array(np.asarray(array), name))
        return name

    def weight(self, *shape: int) -> str:
        return self.constant(np.random.default_rng(len(self.constants)).uniform(0.5, 1, shape).astype(np.float32))

    def add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        self.value = f"v{len(self.nodes)}"
        self.nodes.append(node(kind, inputs, [self.value], name=self.value, **attributes))
        return self.value

    def made(self, shape: Any) -> Any:
        value = onnx.helper.make_tensor_value_info
        graph = onnx.helper.make_graph(
            self.nodes, "g", [value("x", 1, shape)], [value(self.value, 1, None)], self.constants
        )
        return onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=8)


def step(graph: Graph, kind: str) -> None:
    """One more thing that is done to an image of two channels."""
    g, x = graph, graph.value
    ints = lambda *values: g.constant(np.array(values))  # noqa: E731
    if kind == "conv":
        g.add("Conv", x, g.weight(2, 2, 2, 2))
    elif kind == "strided":
        g.add("Conv", x, g.weight(2, 2, 1, 2), strides=[2, 1])
    elif kind == "dilated":
        g.add("Conv", x, g.weight(2, 1, 2, 1), dilations=[2, 1], group=2)
    elif kind == "average":
        g.add("AveragePool", x, kernel_shape=[2, 1], strides=[1, 1])
    elif kind == "up":
        g.add("ConvTranspose", x, g.weight(2, 2, 2, 1), strides=[2, 1])
    elif kind == "nearest":
        g.add("Resize", x, "", g.constant(np.array([1, 1, 2, 2], np.float32)), mode="nearest")
    elif kind == "linear":
        g.add("Resize", x, "", g.constant(np.array([1, 1, 2, 2], np.float32)), mode="linear")
    elif kind == "turned":
        g.add("Transpose", x, perm=[0, 1, 3, 2])
    elif kind == "cut":
        g.add("Slice", x, ints(1), ints(-1), ints(2))
    elif kind == "every second":
        g.add("Slice", x, ints(0), ints(1000), ints(3), ints(2))
    elif kind == "squeezed":
        g.add("Squeeze", g.add("Unsqueeze", x, ints(2)), ints(2))
    elif kind == "shuffled":  # the channels change places through a shape with five axes
        first = g.add("Gather", x, ints(1, 0), axis=1)
        g.add("Concat", g.add("Gather", first, ints(0, 0), axis=1), axis=1)
    elif kind == "norm":
        g.add("InstanceNormalization", x, g.weight(2), g.weight(2))
    elif kind == "softmax":
        g.add("Softmax", x, axis=3)
    elif kind == "gate":
        pooled = g.add("GlobalAveragePool", x)
        g.add("Mul", x, g.add("Sigmoid", g.add("Conv", pooled, g.weight(2, 2, 1, 1))))
    elif kind == "residual":
        g.add("Add", x, g.add("Conv", x, g.weight(2, 2, 1, 1)))
    elif kind == "centred":  # a normalisation in pieces, along one axis
        g.add("Sub", x, g.add("ReduceMean", x, ints(2)))


KINDS = (
    "conv", "strided", "dilated", "average", "up", "nearest", "linear", "turned", "cut", "every second", "squeezed",
    "shuffled", "norm", "softmax", "gate", "residual", "centred",
)  # fmt: skip


def probed(model: Any, shape: tuple[int, ...], axis: int) -> tuple[int, set[int], tuple[int, ...]]:
    """The largest extent that an output depends on along an axis, what is read at all, and the size of the output."""
    session = runtime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(1)
    reads: dict[int, list[int]] = {}
    seen: set[int] = set()
    size: tuple[int, ...] = ()
    for position in range(shape[axis]):
        x = rng.uniform(0.5, 1, shape).astype(np.float32)
        x[tuple(position if at == axis else slice(None) for at in range(4))] = np.nan
        (out,) = session.run(None, {"x": x})
        size = out.shape
        for place in np.flatnonzero(np.isnan(out)):
            reads.setdefault(int(place), []).append(position)
            seen.add(position)
    return max(max(entry) - min(entry) + 1 for entry in reads.values()), seen, size


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(KINDS), min_size=1, max_size=5), st.integers(6, 9), st.integers(6, 9))
def test_fields_and_unread_positions_are_those_that_probing_finds(kinds: list[str], h: int, w: int) -> None:
    graph = Graph()
    for kind in kinds:
        step(graph, kind)
    graph.add("Conv", graph.value, graph.weight(1, 2, 1, 1))
    shape = (1, 2, h, w)
    model = graph.made(shape)
    try:
        runtime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        found = [probed(model, shape, axis) for axis in (2, 3)]
    except Exception:  # what does not fit is no model
        return
    table = sc.network_from_onnx(model)
    assert table.findings == []
    layer = table.layers[-1]
    assert layer.output == found[0][2][1:]
    if layer.reason:  # a step between two sizes that is not followed: never in these
        pytest.fail(layer.reason)
    turned = kinds.count("turned") % 2
    for axis in (0, 1):
        extent, seen, _ = found[axis]
        place = 1 - axis if turned else axis
        assert layer.receptive_field[place] == extent
        unread = {i for first, last in layer.unread_of_network[place] for i in range(first, last + 1)}
        assert unread == set(range(shape[axis + 2])) - seen


def rows(nodes: list[Any], shape: Any, constants: dict[str, Any], opset: int = 18, kind: int = 1) -> Any:
    """The table of a model of some nodes."""
    value = onnx.helper.make_tensor_value_info
    tensors = [onnx.numpy_helper.from_array(np.asarray(array), name) for name, array in constants.items()]
    graph = onnx.helper.make_graph(
        nodes, "g", [value("x", kind, shape)], [value(nodes[-1].output[0], 1, None)], tensors
    )  # fmt: skip
    versions = [onnx.helper.make_opsetid("", opset), onnx.helper.make_opsetid("com.microsoft", 1)]
    return sc.network_from_onnx(onnx.helper.make_model(graph, opset_imports=versions))


def zeros(*shape: int, kind: Any = np.float32) -> Any:
    return np.zeros(shape, kind)


def test_a_gate_that_is_spread_by_a_constant_has_its_size() -> None:
    nodes = [node("GlobalAveragePool", ["x"], ["p"]), node("Mul", ["p", "c"], ["q"])]
    nodes.append(node("Conv", ["q", "w"], ["y"], pads=[1] * 4))
    layer = rows(nodes, (1, 4, 7, 7), {"c": zeros(1, 4, 7, 7), "w": zeros(5, 4, 3, 3)}).layers[-1]
    assert (layer.output, layer.multiply_adds, layer.whole_input) == ((5, 7, 7), 180 * 49, (True, True))


def test_channels_that_a_constant_brings() -> None:
    nodes = [node("Div", ["x", "c"], ["q"]), node("Conv", ["q", "w"], ["y"])]
    (layer,) = rows(nodes, (1, 1, 7, 7), {"c": zeros(1, 3, 1, 1) + 1, "w": zeros(5, 3, 3, 3)}).layers
    assert (layer.input, layer.output) == ((3, 7, 7), (5, 5, 5))


def test_a_shared_weight_counts_once() -> None:
    nodes = [node("Conv", [a, "w"], [b], name=b) for a, b in (("x", "a"), ("a", "b"), ("b", "y"))]
    table = rows(nodes, (1, 4, 7, 7), {"w": zeros(4, 4, 1, 1)})
    assert (table.parameters, table.multiply_adds) == (16, 3 * 16 * 49)
    assert table.notes == ["a, b, y share w; in the total it counts once"]


def test_an_input_with_its_channels_last() -> None:
    nodes = [node("Transpose", ["x"], ["t"], perm=[0, 3, 1, 2]), node("Conv", ["t", "w"], ["y"], strides=[2, 1])]
    (layer,) = rows(nodes, (1, 32, 240, 3), {"w": zeros(5, 3, 3, 3)}).layers
    assert (layer.output, layer.receptive_field, layer.jump) == ((5, 15, 238), (3, 3), (2, 1))
    assert layer.unread_of_network == (((31, 31),), ())


QUANTISED = {"s": np.float32(1), "z": np.uint8(0), "i": np.int8(0), "w": zeros(5, 4, 3, 3, kind=np.int8)}


@pytest.mark.parametrize(
    ("nodes", "constants", "parameters"),
    [
        (
            [node("QLinearConv", ["x", "s", "z", "w", "s", "i", "s", "z", "b"], ["y"])],
            {**QUANTISED, "b": zeros(5, kind=np.int32)},
            185,
        ),
        ([node("ConvInteger", ["x", "w"], ["y"])], {"w": QUANTISED["w"]}, 180),
        (
            [node("FusedConv", ["x", "w", "b"], ["y"], domain="com.microsoft", activation="Relu")],
            {"w": zeros(5, 4, 3, 3), "b": zeros(5)},
            185,
        ),
    ],
    ids=["QLinearConv", "ConvInteger", "FusedConv"],
)
def test_convolutions_by_other_names(nodes: list[Any], constants: dict[str, Any], parameters: int) -> None:
    kind = 1 if nodes[0].domain else 2
    table = rows([*nodes, node("MaxPool", ["y"], ["out"], kernel_shape=[2, 2])], (1, 4, 7, 7), constants, kind=kind)
    conv, pool = table.layers
    assert (conv.output, conv.parameters, conv.multiply_adds) == ((5, 5, 5), parameters, 180 * 25)
    assert (pool.output, pool.receptive_field, table.complete) == ((5, 4, 4), (4, 4), True)


def test_a_deformable_convolution_has_sizes_and_no_field() -> None:
    nodes = [node("DeformConv", ["x", "w", "o"], ["y"], name="bend", kernel_shape=[3, 3])]
    table = rows(nodes, (1, 4, 7, 7), {"w": zeros(5, 4, 3, 3), "o": zeros(1, 18, 5, 5)}, 19)
    (layer,) = table.layers
    assert (layer.output, layer.parameters, layer.receptive_field) == ((5, 5, 5), 180, (None, None))
    assert "it reads where its offsets say" in layer.reason
    assert not table.complete
    assert table.counted


def test_figures_of_a_whole_input_reach_everywhere() -> None:
    """The scale by which numbers become small integers depends on the smallest and the largest of them."""
    g = Graph()
    small = g.constant(np.zeros((2, 2, 2, 2), np.uint8))
    g.nodes.append(node("DynamicQuantizeLinear", ["x"], ["q", "scale", "zero"], name="q"))
    g.nodes.append(node("ConvInteger", ["q", small, "zero"], ["sum"], name="c"))
    g.nodes.append(node("Cast", ["sum"], ["real"], to=1))
    g.add("Mul", "real", "scale")
    table = sc.network_from_onnx(g.made((1, 2, 7, 6)))
    assert (table.complete, table.findings, table.parameters) == (True, [], 16)
    assert table.layers[0].receptive_field == (7, 6)


def test_a_node_of_another_domain_is_listed_whatever_its_name_is() -> None:
    g = Graph()
    g.add("Conv", "x", g.weight(2, 2, 3, 3), domain="com.microsoft.nchwc")
    model = g.made((1, 2, 7, 6))
    model.opset_import.append(onnx.helper.make_opsetid("com.microsoft.nchwc", 1))
    for kind in ("Conv", "Whatever"):
        model.graph.node[0].op_type = kind
        table = sc.network_from_onnx(model)
        assert (table.complete, table.counted, table.network) == (False, False, None)
        assert table.layers[0].reason.endswith(
            f"com.microsoft.nchwc.{kind} is no node of ONNX, and what it computes is not known here"
        )


def test_entries_that_are_put_where_indices_say() -> None:
    """The indices of the pooling keep every entry in its window; others may put it anywhere."""
    g = Graph()
    g.nodes.append(node("MaxPool", ["x"], ["p", "i"], kernel_shape=[2, 2], strides=[2, 2], name="pool"))
    g.add("MaxUnpool", "p", "i", kernel_shape=[2, 2], strides=[2, 2])
    rows = sc.network_from_onnx(g.made((1, 2, 8, 6))).layers
    assert [row.receptive_field for row in rows] == [(2, 2), (2, 2)]
    g.nodes[-1].input[1] = "j"
    g.nodes.insert(1, node("Identity", ["i"], ["j"]))
    table = sc.network_from_onnx(g.made((1, 2, 8, 6)))
    assert not table.complete
    assert "it puts entries where its indices say" in table.layers[1].reason


def test_a_circular_axis_of_one_position() -> None:
    nodes = [node("Pad", ["x", "p"], ["q"], mode="wrap"), node("Conv", ["q", "w"], ["y"])]
    table = rows(nodes, (1, 4, 1, 7), {"p": np.array([0, 0, 1, 1] * 2), "w": zeros(5, 4, 3, 3)}, 19)
    assert table.layers[0].output == (5, 1, 7)
    printed = sc.network_from_text("Sequential(CircularPad2d(1), Conv2d(1, 1, 3))", (1, 1, 9))
    assert printed.layers[0].unread_of_network == ((), ())


def test_a_size_by_the_formula_that_the_model_contradicts_is_a_finding() -> None:
    conv = node("Conv", ["x", "w"], ["y"], name="conv")
    value = onnx.helper.make_tensor_value_info
    weight = onnx.numpy_helper.from_array(zeros(5, 4, 3, 3), "w")
    graph = onnx.helper.make_graph(
        [conv, node("Conv", ["y", "v"], ["z"], name="next")],
        "g",
        [value("x", 1, (1, 4, 7, 7))],
        [value("z", 1, None)],
        [weight, onnx.numpy_helper.from_array(zeros(2, 5, 1, 1), "v")],
    )
    known = sc.network_from_onnx(onnx.helper.make_model(graph), (1, 4, 2, 7))
    assert not known.complete
    assert known.layers[0].output is None
    assert len(known.findings) == 1
    assert known.findings[0].startswith("conv (Conv): kernel_size needs an effective size of at most the padded input")


def test_a_branch_that_a_further_input_chooses() -> None:
    def branch(name: str, weight: str) -> Any:
        inner = [node("Conv", ["x", weight], [f"{name} out"], name=f"{name} conv")]
        return onnx.helper.make_graph(
            inner, name, [], [onnx.helper.make_tensor_value_info(f"{name} out", 1, None)]
        )  # fmt: skip

    chosen = node(
        "If", ["c"], ["y"], name="choice", then_branch=branch("yes", "v"), else_branch=branch("no", "w")
    )  # fmt: skip
    value = onnx.helper.make_tensor_value_info
    tensors = [onnx.numpy_helper.from_array(zeros(2, 3, k, k), name) for name, k in (("v", 1), ("w", 3))]
    compare = node("Equal", ["rate", "sixteen"], ["c"])
    tensors.append(onnx.numpy_helper.from_array(np.array(16000), "sixteen"))
    inputs = [value("x", 1, (1, 3, 6, 6)), value("rate", 7, ())]
    graph = onnx.helper.make_graph([compare, chosen], "g", inputs, [value("y", 1, None)], tensors)
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)])
    open_one = sc.network_from_onnx(model)
    assert [layer.name for layer in open_one.layers] == ["choice/else_branch/no conv", "choice/then_branch/yes conv"]
    assert not open_one.complete
    assert "it is not known how often that runs" in open_one.layers[0].reason
    assert sc.network_from_onnx(model, values={"rate": 16000}).layers[0].output == (2, 6, 6)
    assert sc.network_from_onnx(model, values={"rate": 8000}).layers[0].output == (2, 4, 4)


def test_a_weight_that_would_fill_the_memory_is_never_made() -> None:
    nodes = [node("ConstantOfShape", ["s"], ["w"]), node("Conv", ["x", "w"], ["y"])]
    (layer,) = rows(nodes, (1, 4, 7, 7), {"s": np.array([10**9, 4, 7, 7])}).layers
    assert layer.parameters == 10**9 * 4 * 49


def test_a_gated_unit_along_positions_in_print() -> None:
    layers = sc.network_from_text("Sequential(Conv1d(4, 8, 3), GLU(dim=-1), Conv1d(8, 8, 3))", (4, 20)).layers
    assert [layer.output for layer in layers] == [(8, 18), (8, 7)]
    assert layers[-1].receptive_field == (14,)  # from o to o + 9 + 2, with what the first one reads


@pytest.mark.parametrize(
    "odd",
    [
        node("DepthToSpace", ["x"], ["y"]),
        node("LSTM", ["x", "w", "w"], ["y"], hidden_size=3),
        node("Gemm", ["v", "x"], ["y"], transB=1),
        node("Slice", ["x"], ["y"]),
        node("Gather", ["x"], ["y"], axis=9),
        node("Concat", ["x", "y"], ["y"], axis=1),
        node("Resize", ["x", "", "v"], ["y"], mode="nonsense"),
        node("MaxPool", ["x"], ["y"], kernel_shape=[0, 0]),
    ],
    ids=lambda value: getattr(value, "op_type", ""),
)
def test_nodes_that_no_schema_allows_end_in_a_reason(odd: Any) -> None:
    nodes = [node("Conv", ["x", "w"], ["before"]), odd, node("Conv", ["y", "w"], ["z"], name="behind")]
    constants = {"w": zeros(4, 4, 3, 3), "v": zeros(4)}
    try:
        table = rows(nodes, (1, 4, 9, 9), constants)
    except sc.ArgumentError:  # onnx itself refuses it
        return
    assert table.layers[0].output == (4, 7, 7)
    behind = table.layers[-1]
    assert behind.reason
    assert not table.complete


def test_axes_longer_than_any_memory_are_refused() -> None:
    with pytest.raises(sc.SizeLimitError, match=r"the input x of 1x4x1000000000000x3 has an axis of more than"):
        rows([node("Conv", ["x", "w"], ["y"])], (1, 4, 10**12, 3), {"w": zeros(4, 4, 3, 3)})
    nodes = [node("Expand", ["x", "s"], ["e"]), node("Conv", ["e", "w"], ["y"])]
    constants = {"s": np.array([1, 4, 10**12, 3]), "w": zeros(4, 4, 3, 3)}
    table = rows(nodes, (1, 4, 1, 3), constants)
    assert "has an axis of more than 20,000,000" in table.layers[0].reason


def test_positions_beyond_64_bits_are_not_known() -> None:
    conv = node("Conv", ["x", "w"], ["y"], dilations=[2**62, 1], pads=[2**62, 0, 2**62, 0])
    (row,) = rows([conv], (1, 4, 9, 9), {"w": zeros(4, 4, 3, 3)}).layers
    assert row.output == (4, 9, 7)
    assert row.receptive_field[0] is None
    assert "2,147,483,648 positions" in row.reason


def test_a_weight_that_the_onnx_package_does_not_compute_is_named() -> None:
    g = Graph()
    small, scales, zeros = g.constant(np.zeros((2, 2, 3, 3), np.uint8)), g.weight(3), g.constant(np.zeros(5, np.uint8))
    g.nodes.append(node("DequantizeLinear", [small, scales, zeros], ["w"], name="w"))  # as many figures as channels?
    g.add("Conv", "x", "w")
    table = sc.network_from_onnx(g.made((1, 2, 7, 6)))
    with pytest.raises(
        sc.NotSupportedError, match="the constant w: the onnx package does not evaluate this Dequantize"
    ):
        assert table.weights


@pytest.mark.parametrize("broken", ["branch", "output"])
def test_a_choice_that_is_broken_ends_in_a_message(broken: str) -> None:
    g = Graph()
    inner = onnx.helper.make_graph([node("Identity", ["x"], ["y"])], "b", [], [onnx.ValueInfoProto(name="y")])
    g.add("If", g.constant(np.array(True)), then_branch=inner, else_branch=inner)
    g.add("Conv", "x" if broken == "output" else g.value, g.weight(2, 2, 3, 3))
    if broken == "branch":
        del g.nodes[0].attribute[:]
        with pytest.raises(sc.ArgumentError, match="must have a then_branch"):
            sc.network_from_onnx(g.made((1, 2, 7, 6)))
    else:
        del g.nodes[0].output[:]
        assert sc.network_from_onnx(g.made((1, 2, 7, 6))).complete


def test_a_list_that_claims_a_billion_entries_ends_soon() -> None:
    g = Graph()
    ones = [g.constant(np.array([value])) for value in (0, 5, 2)]
    steps = g.constant(np.array([1]))
    g.constants[-1].dims[0] = 10**9
    g.add("Conv", g.add("Slice", "x", *ones, steps), g.weight(2, 2, 3, 3))
    start = time.perf_counter()
    table = sc.network_from_onnx(g.made((1, 2, 7, 6)))
    assert time.perf_counter() - start < 5
    assert not table.complete


def test_a_weight_of_negative_size_is_refused() -> None:
    tensor = onnx.TensorProto(name="w", data_type=1, dims=[4, 4, -3, 3])
    value = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [node("Conv", ["x", "w"], ["y"])], "g", [value("x", 1, (1, 4, 9, 9))], [value("y", 1, None)], [tensor]
    )
    with pytest.raises(sc.ArgumentError, match=r"the weight w must have sizes of at least 0"):
        sc.network_from_onnx(onnx.helper.make_model(graph))
