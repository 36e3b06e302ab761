"""Networks: figures known from the literature, plain counting, and what nobody reads found by following every tap."""

from __future__ import annotations

import json
from typing import Any

import oracles
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symconv.errors import ArgumentError, GeometryError, NotSupportedError, SizeLimitError
from symconv.operators.adaptive import AdaptiveAvgPool
from symconv.operators.convolution import Conv
from symconv.operators.networks.network import Network
from symconv.operators.networks.onnx_graph import network_from_onnx
from symconv.operators.networks.printed import network_from_text
from symconv.operators.networks.reading import positions_read, reach, unread_positions
from symconv.operators.networks.staircase import Field, Staircase
from symconv.operators.networks.table import Layer, NetworkTable
from symconv.operators.networks.torch_graph import network_from_torch
from symconv.operators.pooling import MaxPool
from symconv.operators.transposed import ConvTranspose

often = settings(max_examples=80, deadline=None, derandomize=True)


def vgg16(end: str = "") -> str:
    """The printed form of VGG16's features (Simonyan & Zisserman, arXiv 1409.1556, configuration D)."""
    lines, channels = [], 3
    for entry in (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0):
        if entry == 0:
            lines.append("MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)")
        else:
            lines.append(f"Conv2d({channels}, {entry}, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))")
            lines.append("ReLU(inplace=True)")
            channels = entry
    body = "\n".join(f"    ({place}): {line}" for place, line in enumerate(lines))
    return f"VGG(\n  (features): Sequential(\n{body}\n  )\n{end})"


CLASSIFIER = """\
  (avgpool): AdaptiveAvgPool2d(output_size=(7, 7))
  (classifier): Sequential(
    (0): Linear(in_features=25088, out_features=4096, bias=True)
    (1): ReLU(inplace=True)
  )
"""


def test_vgg16() -> None:
    network = network_from_text(vgg16(CLASSIFIER), (1, 3, 224, 224))
    last = network.layers[-2]
    assert network.complete
    assert (network.parameters, network.multiply_adds) == (14_714_688, 15_346_630_656)
    assert (last.kind, last.output, last.receptive_field, last.jump) == ("MaxPool2d", (512, 7, 7), (212, 212), (32, 32))
    assert all(layer.unread == ((), ()) == layer.unread_of_network for layer in network.layers)
    assert [layer.receptive_field[0] for layer in network.layers if layer.kind == "MaxPool2d"] == [6, 16, 44, 100, 212]
    assert network.notes == [
        "the parts of VGG are taken in the order in which they are printed",
        "what comes into the first Linear is flattened, since that takes 25,088 values",
    ]
    assert network.network is not None
    assert network.network.output_size((3, 224, 224)) == (4096,)
    batch = network_from_text(vgg16(), (4, 3, 224, 224))
    assert batch.multiply_adds == 4 * network.multiply_adds
    assert network_from_text(vgg16(), (3, 224, 224)).multiply_adds == network.multiply_adds


def test_alexnet_and_the_stem_of_resnet() -> None:
    alexnet = network_from_text(
        "nn.Sequential(nn.Conv2d(3, 64, 11, 4, 2), nn.ReLU(), nn.MaxPool2d(3, 2), nn.Conv2d(64, 192, 5, padding=2))",
        (3, 224, 224),
    )
    assert [layer.output for layer in alexnet.layers] == [(64, 55, 55), (64, 27, 27), (192, 27, 27)]
    assert [layer.parameters for layer in alexnet.layers] == [23_296, 0, 307_392]
    assert [layer.receptive_field[0] for layer in alexnet.layers] == [11, 19, 51]
    stem = network_from_text(
        "Sequential(Conv2d(3, 64, 7, 2, 3, bias=False), BatchNorm2d(64), ReLU(), MaxPool2d(3, 2, 1))", (3, 224, 224)
    )
    conv, pool = stem.layers
    assert (conv.output, conv.parameters, conv.multiply_adds) == ((64, 112, 112), 9_408, 118_013_952)
    assert (pool.output, pool.receptive_field, pool.jump) == ((64, 56, 56), (11, 11), (4, 4))


def test_numbers_for_a_program() -> None:
    text = "Sequential(Conv2d(1, 2, 3, 3), ConvTranspose2d(2, 4, 2, 2, groups=2, bias=False))"
    record = json.loads(json.dumps(network_from_text(text, (1, 11, 9)).as_json()))
    first, second = record["layers"]
    assert first["unread"] == [[[9, 10]], []]
    assert first["operator"] == "Conv(kernel_size=(3, 3), stride=(3, 3), out_channels=2, bias=True)"
    assert (second["parameters"], second["multiply_adds"]) == (2 * 2 * 4, 2 * 2 * 4 * 9)
    assert (second["jump"], second["receptive_field"]) == (["3/2", "3/2"], [3, 3])
    assert (second["unread"], second["unread_of_network"]) == ([[], []], [[[9, 10]], []])


# ------------------------------------------------------------------ one axis against loops

axes = st.builds(
    oracles.Axis,
    kernel=st.integers(1, 4),
    stride=st.integers(1, 4),
    before=st.integers(-2, 3),
    after=st.integers(-2, 3),
    dilation=st.integers(1, 3),
)


def runs(positions: set[int]) -> tuple[tuple[int, int], ...]:
    found: list[tuple[int, int]] = []
    for position in sorted(positions):
        if found and found[-1][1] == position - 1:
            found[-1] = (found[-1][0], position)
        else:
            found.append((position, position))
    return tuple(found)


@often
@given(st.integers(1, 14), axes, st.sampled_from(["zeros", "reflect", "replicate", "circular"]))
def test_unread_positions_are_those_that_no_tap_falls_on(n: int, axis: oracles.Axis, mode: Any) -> None:
    op = Conv((axis.kernel,), axis.stride, ((axis.before, axis.after),), axis.dilation, padding_mode=mode)
    try:
        op.output_size((n,))
    except GeometryError:
        return
    read = {i for _, _, i in oracles.triples(n, axis, mode) if i is not None}
    assert unread_positions(op, 0, n) == runs(set(range(n)) - read)


@often
@given(st.integers(1, 9), axes, st.integers(0, 3))
def test_inputs_of_a_transposed_convolution_that_are_cropped_away(n: int, axis: oracles.Axis, extra: int) -> None:
    op = ConvTranspose((axis.kernel,), axis.stride, ((axis.before, axis.after),), extra, axis.dilation)
    if oracles.transposed_size(n, axis, extra) < 1:
        return
    read = {i for i, _, _ in oracles.transposed_triples(n, axis, extra)}
    assert unread_positions(op, 0, n) == runs(set(range(n)) - read)
    first, last = reach(op, 0, n)
    for i, _, q in oracles.transposed_triples(n, axis, extra):
        assert first(q) <= i <= last(q)


@often
@given(st.integers(1, 12), st.integers(1, 6))
def test_adaptive_windows_and_their_reach(n: int, out: int) -> None:
    op = AdaptiveAvgPool((out,))
    first, last = reach(op, 0, n)
    assert [list(range(first(o), last(o) + 1)) for o in range(out)] == oracles.adaptive_windows(n, out)
    assert unread_positions(op, 0, n) == ()


chains = st.lists(
    st.one_of(
        st.builds(
            lambda k, s, p, d: ("conv", k, s, p, d), *[st.integers(1, 3)] * 2, st.integers(0, 2), st.integers(1, 2)
        ),
        st.builds(lambda k, s: ("up", k, s, 0, 1), st.integers(1, 3), st.integers(1, 3)),
    ),
    min_size=1,
    max_size=4,
)


@often
@given(st.integers(6, 20), chains)
def test_a_chain_against_following_every_tap(n: int, chain: list[Any]) -> None:
    """What each entry depends on, followed tap by tap with padding as positions beyond the ends."""
    layers: list[Any] = []
    seen: list[set[int]] = [{i} for i in range(n)]  # of the network's input, padding left out
    for place, (kind, k, s, p, d) in enumerate(chain):
        size = len(seen)
        if kind == "conv":
            axis = oracles.Axis(k, s, p, p, d)
            if oracles.output_size(size, axis) < 1:
                return
            taps = [(o, i) for o, _, i in oracles.triples(size, axis) if i is not None]
            count, op = oracles.output_size(size, axis), Conv((k,), s, p, d)
        else:
            axis = oracles.Axis(k, s)
            taps = [(q, i) for i, _, q in oracles.transposed_triples(size, axis)]
            count, op = oracles.transposed_size(size, axis), ConvTranspose((k,), s)
        below, seen = seen, [set() for _ in range(count)]
        for o, i in taps:
            seen[o] |= below[i]
        layers.append((f"layer{place}", op))
        layer = Network(layers).table((n,)).layers[-1]
        assert layer.unread_of_network == (runs(set(range(n)) - set().union(*seen)),)
        (extent,) = layer.receptive_field
        assert extent is not None
        assert all(max(entries) - min(entries) + 1 <= extent for entries in seen if entries)
        if all(step[0] == "conv" for step in chain):  # then nothing is rounded, and the middle one meets it exactly
            inner = [e for e in seen if e and min(e) > 0 and max(e) < n - 1]
            padded = any(step[3] for step in chain)
            assert padded or all(max(e) - min(e) + 1 == extent for e in inner)


def test_staircases() -> None:
    third = Staircase.of(lambda o: (2 * o + 1) // 3, 3, 2)
    for inner in (Staircase((4,), 3), Staircase.of(lambda o: o // 2, 2, 1), third):
        composed = third.after(inner)
        assert [composed(o) for o in range(-9, 20)] == [third(inner(o)) for o in range(-9, 20)]
    assert third.slope * 3 == 2
    assert Staircase((0, 1, 2, 3), 4).reduced() == Staircase((0,), 1)
    with pytest.raises(SizeLimitError, match="repeats only after"):
        Staircase.of(lambda o: o, 10**6, 10**6)
    assert Field().joined(Field(Staircase((0,), 2), Staircase((0,), 2))) is None


def test_what_is_read_has_a_limit() -> None:
    with pytest.raises(SizeLimitError, match="an axis of 100,000,000 positions"):
        positions_read(MaxPool((2,)), 0, 10**8)


# ------------------------------------------------------------------ text


@pytest.mark.parametrize(
    ("text", "shape", "error", "message"),
    [
        ("Sequential(Conv2d(3, 4, 3))", (4, 9, 9), GeometryError, "in_channels must be the 4 that come in"),
        ("Sequential(Conv2d(3, 4, 3))", (3, 9), ArgumentError, "must be batch, channels and 2 spatial sizes"),
        ("Sequential(Conv2d(3, 4, 3))", (3, 2, 9), GeometryError, "effective size of at most the padded input"),
        ("Sequential(Conv2d(3, 4, 3))", (3, 0, 9), ArgumentError, "input_shape must be integers >= 1"),
        ("Sequential(ReLU())", (3, 9, 9), ArgumentError, "must have a layer with windows"),
        (
            "Sequential(\n  (0): Conv2d(1, 1, 1)\n  (1): Foo(bar=1)\n)",
            (1, 9, 9),
            NotSupportedError,
            "line 3: Foo is not",
        ),
        ("Sequential(Conv2d(1, 1, 1), Conv1d(1, 1, 1))", (1, 9, 9), NotSupportedError, "has 1 spatial axes"),
        (
            "Net(\n  (a): ModuleList(\n    (0): Conv2d(1, 1, 1)\n  )\n)",
            (1, 9, 9),
            NotSupportedError,
            "line 2: ModuleList",
        ),
        ("Net(\n  (0-3): 4 x Conv2d(1, 1, 1)\n)", (1, 9, 9), ArgumentError, "one layer a line"),
        ("Sequential(Conv2d(1, 1, 1), Fold((4, 4), 2))", (1, 9, 9), NotSupportedError, "takes no image"),
        ("Sequential(Conv2d(1, 1, 3, stried=1))", (1, 9, 9), NotSupportedError, "line 1: Conv2d has stried=1"),
    ],
)
def test_models_that_cannot_be_followed(text: str, shape: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        network_from_text(text, shape)


def test_padding_layers_norms_and_what_is_ignored() -> None:
    text = (
        "Sequential(ReflectionPad2d((1, 2, 0, 3)), Conv2d(1, 2, 3), Swoosh(), GELU(approximate='none'), Dropout(p=0.1))"
    )
    (layer,) = network_from_text(text, (1, 8, 9), ignore=["Swoosh"]).layers
    with pytest.raises(ArgumentError, match="ignore must be the class name of a layer of the model, got 'Swosh'"):
        network_from_text(text, (1, 8, 9), ignore=["Swoosh", "Swosh"])
    assert layer.output == (2, 8 + 3 - 2, 9 + 3 - 2)
    assert layer.unread_of_network == ((), ())
    unfolded = network_from_text("Sequential(Unfold(2, stride=2), Conv1d(12, 1, 1))", (3, 4, 6))
    assert [entry.output for entry in unfolded.layers] == [(12, 6), (1, 6)]
    assert not unfolded.complete
    assert unfolded.layers[1].receptive_field == (None,)
    assert "behind 0 (Unfold) the positions are not known: Unfold puts positions" in unfolded.layers[1].reason


def test_the_same_numbers_as_pytorch() -> None:
    torch = pytest.importorskip("torch", reason="a model is held against PyTorch")
    nn = torch.nn
    model = nn.Sequential(
        nn.Conv2d(3, 8, 5, 2, 1, groups=1),
        nn.Sequential(nn.BatchNorm2d(8, affine=False), nn.ReLU(inplace=True), nn.ZeroPad2d((1, 0, 2, 1))),
        nn.MaxPool2d(3, 2, ceil_mode=True),
        nn.ConvTranspose2d(8, 4, (3, 2), 2, (1, 0), (1, 0), groups=2),
        nn.AdaptiveAvgPool2d((None, 3)),
        nn.AvgPool2d((2, 1), ceil_mode=False),
    ).eval()
    network = network_from_torch(model, (3, 37, 41))
    printed = network_from_text(str(model), (1, 3, 37, 41))
    for mine, other in zip(network.layers, printed.layers, strict=True):
        theirs = {**other.as_json(), "weights": mine.as_json()["weights"]}
        assert mine.as_json() == theirs
    assert network.parameters == sum(parameter.numel() for parameter in model.parameters())
    assert network.layers[-1].output == tuple(model(torch.zeros(1, 3, 37, 41)).shape[1:])


def test_a_module_says_what_its_print_does_not() -> None:
    nn = pytest.importorskip("torch", reason="a model is held against PyTorch").nn
    model = nn.Sequential(nn.AvgPool2d(2, ceil_mode=True), nn.ConstantPad2d(1, 0.0), nn.Flatten())
    network = network_from_torch(model, (1, 3, 5, 5))
    assert [layer.output for layer in network.layers] == [(3, 3, 3)]
    assert network.notes == []
    assert network_from_text(str(model), (1, 3, 5, 5)).layers[0].output == (3, 2, 2)
    with pytest.raises(NotSupportedError, match=r"^the forward of Sequential cannot be followed on this example"):
        network_from_torch(nn.Sequential(nn.MaxPool2d(2), type("Hollow", (nn.Module,), {})()), (1, 3, 5, 5))


# ------------------------------------------------------------------ ONNX


class Graph:
    """An ONNX graph in the making."""

    def __init__(self, onnx: Any) -> None:
        self.onnx, self.helper = onnx, onnx.helper
        self.nodes: list[Any] = []
        self.weights: list[Any] = []

    def add(self, kind: str, *inputs: str, name: str, **attributes: Any) -> str:
        self.nodes.append(self.helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def weight(self, name: str, *shape: int, values: Any = None, kind: int = 1) -> str:
        count = 1
        for n in shape:
            count *= n
        self.weights.append(self.helper.make_tensor(name, kind, shape, [0.0] * count if values is None else values))
        return name

    def conv(self, x: str, name: str, ins: int, outs: int, k: int, stride: int = 1, pad: int = 0) -> str:
        weight = self.weight(f"{name}.w", outs, ins, k, k)
        return self.add("Conv", x, weight, name=name, strides=[stride] * 2, pads=[pad] * 4)

    def model(self, shape: Any = (1, 3, 32, 32)) -> Any:
        value = self.helper.make_tensor_value_info
        output = value(self.nodes[-1].output[0], 1, None)
        return self.helper.make_model(
            self.helper.make_graph(self.nodes, "g", [value("x", 1, shape)], [output], self.weights)
        )


@pytest.fixture
def graph() -> Graph:
    return Graph(pytest.importorskip("onnx", reason="a graph is made with the onnx package"))


def rows(network: NetworkTable) -> dict[str, Layer]:
    return {layer.name: layer for layer in network.layers}


def test_a_residual_block_is_followed_on_both_ways(graph: Graph) -> None:
    x = graph.add("Relu", graph.conv("x", "stem", 3, 8, 3, 2, 1), name="act")
    y = graph.conv(graph.conv(x, "a", 8, 16, 3, 2, 1), "b", 16, 16, 3, 1, 1)
    joined = graph.add("Add", y, graph.conv(x, "short", 8, 16, 1, 2), name="sum")
    stacked = graph.add("Concat", joined, y, name="cat", axis=1)
    graph.conv(stacked, "last", 32, 4, 1)
    found = rows(network_from_onnx(graph.model()))
    assert [layer.output for layer in found.values()] == [
        (8, 16, 16), (16, 8, 8), (16, 8, 8), (16, 8, 8), (4, 8, 8)
    ]  # fmt: skip
    assert found["short"].unread == (tuple((i, i) for i in range(1, 16, 2)),) * 2
    # the other way reads what the short one leaves out
    assert found["last"].unread_of_network == ((), ())
    assert [layer.receptive_field[0] for layer in found.values()] == [3, 7, 15, 3, 15]
    assert found["last"].multiply_adds == 32 * 4 * 64


def test_a_gate_sees_the_whole_input(graph: Graph) -> None:
    x = graph.conv("x", "stem", 3, 8, 3, 1, 1)
    gate = graph.conv(graph.add("GlobalAveragePool", x, name="squeeze"), "excite", 8, 8, 1)
    scaled = graph.add("Mul", x, graph.add("Sigmoid", gate, name="sigmoid"), name="scale")
    graph.conv(scaled, "after", 8, 4, 3)
    after = rows(network_from_onnx(graph.model()))["after"]
    assert (after.whole_input, after.output) == ((True, True), (4, 30, 30))


def test_pads_means_and_quantised_weights(graph: Graph) -> None:
    pads = graph.weight("pads", 8, values=[0, 0, 1, 2, 0, 0, 3, 4], kind=7)
    axes_of_mean = graph.weight("axes", 2, values=[-1, 2], kind=7)
    scale = graph.weight("scale", 1)
    weight = graph.add("DequantizeLinear", graph.weight("q", 4, 3, 2, 2), scale, name="w")
    x = graph.add("Conv", graph.add("Pad", "x", pads, name="pad", mode="edge"), weight, name="conv")
    graph.add("ReduceMean", x, axes_of_mean, name="mean", keepdims=0)
    network = network_from_onnx(graph.model())
    assert [layer.output for layer in network.layers] == [(4, 32 + 4 - 1, 32 + 6 - 1), (4, 1, 1)]
    assert network.complete


def test_what_is_not_known_is_listed_with_its_reason(graph: Graph) -> None:
    x = graph.conv("x", "first", 3, 4, 3)
    y = graph.add("Mystery", x, name="mystery", domain="somewhere")
    graph.conv(graph.conv(y, "second", 4, 4, 1), "third", 4, 4, 1)
    network = network_from_onnx(graph.model())
    assert list(rows(network)) == ["first", "mystery", "second", "third"]
    assert not network.complete
    assert not network.counted
    assert network.multiply_adds == 108 * 30 * 30
    third = rows(network)["third"]
    assert (third.output, third.multiply_adds, third.parameters) == (None, None, 16)
    assert (
        third.reason
        == "mystery (Mystery): somewhere.Mystery is no node of ONNX, and what it computes is not known here"
    )
    assert network.as_json()["at_least"] is True


def test_images_that_lie_differently_have_no_common_field(graph: Graph) -> None:
    up = graph.weight("up", 3, 3, 2, 2)
    x = graph.add("ConvTranspose", "x", up, name="up2", strides=[2, 2])
    y = graph.add("MaxPool", x, name="down", kernel_shape=[2, 2], strides=[2, 2])
    crop = graph.add("Pad", x, graph.weight("p", 8, values=[0, 0, 0, 0, 0, 0, -32, -32], kind=7), name="crop")
    graph.conv(graph.add("Add", y, crop, name="sum"), "last", 3, 1, 1)
    network = network_from_onnx(graph.model())
    assert rows(network)["last"].receptive_field == (None, None)
    wanted = "behind sum (Add) the positions are not known: it joins images whose entries lie 1 and 1/2"
    assert rows(network)["last"].reason.startswith(wanted)
    assert not network.complete


@pytest.mark.parametrize(
    ("shape", "given", "message"),
    [
        (("n", 3, "h", "w"), None, r"input_shape must be given: the model declares \?x3x\?x\?"),
        ((1, 3, 32, 32), (1, 4, 32, 32), "must have the 3 channels that the model declares"),
        ((1, 3, 32, 32), (3, 32), "must have 4 entries"),
        ((1, 3, 32, 32), (1, 3, 0, 32), "input_shape must be integers >= 1"),
        ((), None, "must have axes"),
        ((1, 3, "n", 4), None, r"input_shape must be given: the model declares 1x3x\?x4"),
    ],
)
def test_input_shapes(graph: Graph, shape: Any, given: Any, message: str) -> None:
    graph.conv("x", "conv", 3, 4, 3)
    with pytest.raises(ArgumentError, match=message):
        network_from_onnx(graph.model(shape), given)


def test_the_input_may_be_given_without_a_batch(graph: Graph) -> None:
    graph.conv("x", "conv", 3, 4, 3)
    assert network_from_onnx(graph.model(("n", 3, "h", "w")), (3, 9, 8)).layers[0].output == (4, 7, 6)


def test_a_weight_that_is_computed_is_no_parameter(graph: Graph) -> None:
    graph.add("Conv", "x", "x", name="odd")
    graph.conv("odd", "after", 1, 2, 1)
    odd, after = network_from_onnx(graph.model((1, 3, 5, 5))).layers
    assert (odd.output, odd.parameters, odd.multiply_adds) == ((1, 1, 1), 0, 3 * 25)
    assert after.parameters == 2


def test_the_same_shapes_as_onnx_infers(graph: Graph) -> None:
    x = graph.add(
        "AveragePool", "x", name="average", kernel_shape=[3, 2], strides=[2, 3], ceil_mode=1, pads=[1, 0, 1, 1]
    )
    x = graph.add("ConvTranspose", x, graph.weight("t", 3, 2, 3, 3), name="t2", strides=[2, 1], auto_pad="SAME_UPPER")
    graph.add("MaxPool", x, name="pool", kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_LOWER")
    model = graph.model()
    inferred = graph.onnx.shape_inference.infer_shapes(model).graph
    shapes = {
        entry.name: tuple(dim.dim_value for dim in entry.type.tensor_type.shape.dim)
        for entry in (*inferred.value_info, *inferred.output)
    }
    layers = network_from_onnx(model).layers
    assert len(layers) == 3
    for layer in layers:
        assert shapes[layer.name] == (1, *layer.output)
