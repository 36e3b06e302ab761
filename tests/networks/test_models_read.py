"""Models read as networks: their values against ONNX Runtime and PyTorch, on random small models."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import symconv as sc

few = settings(max_examples=25, deadline=None, derandomize=True)
fewer = settings(max_examples=5, deadline=None, derandomize=True)  # a trace takes a second


def agrees(table: Any, x: Any, expected: Any) -> None:
    """The network of a table gives what the model gives."""
    assert table.network is not None, table.no_network
    found = sc.compile(table.network)(x, table.weights)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


# ------------------------------------------------------------------ ONNX

LAYERS = ("conv", "relu", "pool", "norm", "leaky", "average", "tanh", "residual", "scale", "identity")


class Model:
    """A random ONNX model in the making, of images with two axes."""

    def __init__(self, onnx: Any, rng: Any, shape: tuple[int, ...]) -> None:
        self.onnx, self.rng, self.shape = onnx, rng, shape
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self.value = "x"

    def weight(self, *shape: int, low: float = -1.0, name: str = "") -> str:
        name = name or f"w{len(self.weights)}"
        array = self.rng.uniform(low, 1.0, shape).astype(np.float32)
        self.weights.append(self.onnx.numpy_helper.from_array(array, name))
        return name

    def node(self, kind: str, *inputs: str, **attributes: Any) -> None:
        value = f"v{len(self.nodes)}"
        self.nodes.append(self.onnx.helper.make_node(kind, inputs, [value], name=f"/{kind}.{value}", **attributes))
        self.value = value

    def add(self, layer: str) -> None:
        n, c, h, w = self.shape
        if layer == "conv":
            out = int(self.rng.integers(1, 4)) * 2
            groups = 2 if c % 2 == 0 and self.rng.integers(2) else 1
            weight, bias = self.weight(out, c // groups, 3, 3), self.weight(out)
            inputs = (self.value, weight, bias) if self.rng.integers(2) else (self.value, weight)
            stride = int(self.rng.integers(1, 3))
            self.node("Conv", *inputs, group=groups, strides=[stride, 1], pads=[1, 0, 1, 2])
            self.shape = (n, out, (h - 1) // stride + 1, w)
        elif layer in ("pool", "average"):
            kind = "MaxPool" if layer == "pool" else "AveragePool"
            self.node(kind, self.value, kernel_shape=[2, 2], strides=[1, 1], pads=[0, 0, 1, 1])
        elif layer == "norm":
            figures = [self.weight(c), self.weight(c), self.weight(c), self.weight(c, low=0.1)]
            self.node("BatchNormalization", self.value, *figures, epsilon=1e-3)
        elif layer == "scale":
            self.node("Mul", self.value, self.weight(1, c, 1, 1))
            self.node("Add", self.weight(c, 1, 1), self.value)
            self.node("Sub", self.weight(1), self.value)
            self.node("Div", self.value, self.weight(c, 1, 1, low=0.5))
        elif layer == "residual":
            before = self.value
            self.node("Conv", before, self.weight(c, c, 1, 1))
            self.node("Add", self.value, before)
        else:
            kind = {"relu": "Relu", "leaky": "LeakyRelu", "tanh": "Tanh", "identity": "Identity"}[layer]
            self.node(kind, self.value)

    def head(self, kind: str) -> None:
        n, c, h, w = self.shape
        if kind == "mean":
            self.node("ReduceMean", self.value, axes=[2, 3], keepdims=0)
            features = c
        else:
            if kind == "reshape":
                self.weights.append(self.onnx.numpy_helper.from_array(np.array([n, -1]), "target"))
                self.node("Reshape", self.value, "target")
            else:
                self.node("Flatten", self.value)
            features = c * h * w
        self.node("Gemm", self.value, self.weight(3, features), self.weight(1, 3), transB=1, alpha=0.5, beta=2.0)
        self.node("MatMul", self.value, self.weight(3, 4))
        self.node("Add", self.value, self.weight(4))
        self.node("Softmax", self.value)

    def made(self, shape: tuple[int, ...]) -> Any:
        helper = self.onnx.helper
        value = helper.make_tensor_value_info
        graph = helper.make_graph(
            self.nodes, "g", [value("x", 1, shape)], [value(self.value, 1, None)], self.weights
        )  # fmt: skip
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@few
@given(
    st.lists(st.sampled_from(LAYERS), min_size=1, max_size=5),
    st.sampled_from(("flatten", "reshape", "mean", "none")),
    st.integers(0, 2**32 - 1),
)
def test_onnx_models_against_onnx_runtime(layers: list[str], head: str, seed: int) -> None:
    onnx = pytest.importorskip("onnx", reason="a model is made with the onnx package")
    runtime = pytest.importorskip("onnxruntime", reason="and run by ONNX Runtime")
    rng = np.random.default_rng(seed)
    shape = (2, int(rng.integers(1, 4)), int(rng.integers(4, 8)), int(rng.integers(4, 8)))
    model = Model(onnx, rng, shape)
    model.add("conv")
    for layer in layers:
        model.add(layer)
    if head != "none":
        model.head(head)
    made = model.made(shape)
    x = rng.normal(size=shape).astype(np.float32)
    (expected,) = runtime.InferenceSession(made.SerializeToString()).run(None, {"x": x})
    table = sc.network_from_onnx(made)
    assert table.complete
    agrees(table, x, expected)


def test_why_a_model_is_no_network() -> None:
    onnx = pytest.importorskip("onnx", reason="a model is made with the onnx package")
    model = Model(onnx, np.random.default_rng(0), (1, 3, 6, 6))
    model.add("conv")
    model.node("Selu", model.value)
    table = sc.network_from_onnx(model.made((1, 3, 6, 6)))
    assert table.network is None
    assert table.weights is None
    assert table.no_network == "/Selu.v1: Selu is no layer of a Network"
    assert table.as_json()["no_network"] == table.no_network
    assert table.complete  # the table is another matter


def test_a_layer_that_departs_from_its_operator_is_none_of_a_network() -> None:
    odd = sc.network_from_text("Sequential(LPPool2d(1, 2), Flatten())", (1, 4, 4))
    assert odd.network is None
    assert "PyTorch's LPPool takes no absolute value" in odd.no_network
    assert odd.layers[0].output == (1, 2, 2)
    assert sc.network_from_text("Sequential(LPPool2d(2, 2), Flatten())", (1, 4, 4)).network is not None


# ------------------------------------------------------------------ PyTorch


def module(torch: Any, name: str, channels: int) -> tuple[Any, int]:
    """A random layer and the channels that it gives."""
    nn = torch.nn
    if name == "conv":
        return nn.Conv2d(channels, 4, 3, padding=1, stride=(2, 1), groups=2 if channels % 2 == 0 else 1), 4
    if name == "norm":
        norm = nn.BatchNorm2d(channels)
        norm.running_mean.uniform_(-1, 1)
        norm.running_var.uniform_(0.5, 2)
        return norm, channels
    made = {
        "relu": nn.ReLU,
        "leaky": lambda: nn.LeakyReLU(0.2),
        "sigmoid": nn.Sigmoid,
        "tanh": nn.Tanh,
        "softplus": nn.Softplus,
        "pool": lambda: nn.MaxPool2d(2, 1, 1),
        "average": lambda: nn.AvgPool2d(3, 1, 1),
        "adaptive": lambda: nn.AdaptiveAvgPool2d((4, None)),
        "dropout": nn.Dropout,
        "transposed": lambda: nn.ConvTranspose2d(channels, channels, 2),
    }
    return made[name](), channels


@fewer
@given(
    st.lists(
        st.sampled_from(
            ("conv", "norm", "relu", "leaky", "sigmoid", "tanh", "softplus", "pool", "average", "adaptive", "dropout",
             "transposed")
        ),
        min_size=1, max_size=5,
    ),
    st.booleans(),
    st.integers(0, 2**31),
)  # fmt: skip
def test_pytorch_models_against_pytorch(layers: list[str], head: bool, seed: int) -> None:
    torch = pytest.importorskip("torch", reason="a model is held against PyTorch")
    torch.manual_seed(seed)
    modules, channels = [torch.nn.Conv2d(3, 2, 3, bias=False)], 2
    for layer in layers:
        made, channels = module(torch, layer, channels)
        modules.append(made)
    if head:
        with torch.no_grad():
            features = torch.nn.Sequential(*modules).eval()(torch.zeros(1, 3, 8, 8)).numel()
        modules += [torch.nn.Flatten(), torch.nn.Linear(features, 3), torch.nn.LogSoftmax(dim=1)]
    model = torch.nn.Sequential(*modules).double().eval()
    x = torch.randn(2, 3, 8, 8, dtype=torch.float64)
    with torch.no_grad():
        expected = model(x).numpy()
    table = sc.network_from_torch(model, x)
    agrees(table, x.numpy(), expected)
    printed = sc.network_from_text(str(model), (2, 3, 8, 8))
    assert printed.network is not None, printed.no_network
    assert printed.weights is None
    assert [op for _, op in printed.network.layers] == [op for _, op in table.network.layers]


def test_a_forward_with_functions_and_a_sum() -> None:
    torch = pytest.importorskip("torch", reason="a model is held against PyTorch")
    functional = torch.nn.functional

    class Block(torch.nn.Module):  # type: ignore[name-defined,misc]
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = torch.nn.Conv2d(2, 2, 3, padding=1), torch.nn.Conv2d(2, 2, 1)
            self.norm = torch.nn.BatchNorm2d(2)
            self.out = torch.nn.Linear(2 * 5 * 6, 3)

        def forward(self, x: Any) -> Any:
            y = functional.relu(self.norm(self.one(x)))
            z = functional.max_pool2d(y + self.two(x), 3, 1, 1)
            return self.out(torch.flatten(z, 1))

    torch.manual_seed(3)
    model = Block().eval()
    x = torch.randn(4, 2, 5, 6)
    table = sc.network_from_torch(model, x)
    agrees(table, x.numpy(), model(x).detach().numpy())
    assert table.network is not None
    assert table.network.names == ("one", "norm", "relu", "two", "add", "max_pool2d", "flatten", "out")
    training = sc.network_from_torch(model.train(), x)
    assert training.network is None
    assert "model.eval()" in training.no_network
    assert training.layers[-1].whole_input == (True, True)  # the figures of a batch are made of all positions


def test_what_is_written_in_place_is_no_value_of_before() -> None:
    torch = pytest.importorskip("torch", reason="a model is held against PyTorch")

    class InPlace(torch.nn.Module):  # type: ignore[name-defined,misc]
        def __init__(self, part: str) -> None:
            super().__init__()
            self.part = part
            self.one, self.two = torch.nn.Conv2d(2, 2, 3, padding=1), torch.nn.Conv2d(2, 2, 1)

        def forward(self, x: Any) -> Any:
            y = self.one(x)
            if self.part == "whole":
                return y + torch.relu_(y)
            if self.part == "slice":
                y[:, 0] = 0
            else:
                y.flatten(1).relu_()
            return self.two(y)

    x = torch.randn(1, 2, 5, 5)
    whole = InPlace("whole").eval()
    agrees(sc.network_from_torch(whole, x), x.numpy(), whole(x).detach().numpy())
    for part in ("slice", "view"):
        table = sc.network_from_torch(InPlace(part).eval(), x)
        assert table.network is None
    assert table.layers[-1].receptive_field == (3, 3)  # the map is flattened, and put together again


def test_parts_of_a_forward_that_are_set_apart_are_not_lost() -> None:
    """What runs without gradients is read; what runs in another precision is a graph of its own, and is listed."""
    torch = pytest.importorskip("torch", reason="a model is held against PyTorch")

    class Apart(torch.nn.Module):  # type: ignore[name-defined,misc]
        def __init__(self, context: Any) -> None:
            super().__init__()
            self.context = context
            self.one, self.two = torch.nn.Conv2d(2, 2, 3, padding=1), torch.nn.Conv2d(2, 3, 1)

        def forward(self, x: Any) -> Any:
            with self.context():
                y = self.one(x)
            return self.two(y.to(x.dtype) if y.dtype != x.dtype else y)

    x = torch.randn(1, 2, 5, 5)
    model = Apart(torch.no_grad).eval()
    table = sc.network_from_torch(model, x)
    agrees(table, x.numpy(), model(x).detach().numpy())
    table = sc.network_from_torch(Apart(lambda: torch.autocast("cpu", dtype=torch.bfloat16)).eval(), x)
    assert len(table.layers) == 2
    assert (table.complete, table.counted, table.network) == (False, False, None)


def test_layers_that_are_no_operators_are_listed() -> None:
    torch = pytest.importorskip("torch", reason="a model is held against PyTorch")
    nn = torch.nn
    models = [(nn.Unfold(2), nn.Fold((5, 5), 2)), (nn.Conv2d(2, 2, 2), nn.FractionalMaxPool2d(2, output_size=2)),
              (nn.Conv2d(2, 2, 2), nn.Unfold(2))]  # fmt: skip
    for layers in models:
        table = sc.network_from_torch(nn.Sequential(*layers).eval(), torch.zeros(1, 2, 5, 5))
        assert len(table.layers) == 2
        assert not table.complete


def test_an_image_without_a_batch() -> None:
    torch = pytest.importorskip("torch", reason="a model is held against PyTorch")
    model = torch.nn.Sequential(torch.nn.Conv2d(2, 3, 3), torch.nn.MaxPool2d(2))
    table = sc.network_from_torch(model, torch.zeros(2, 7, 9))
    assert [layer.output for layer in table.layers] == [(3, 5, 7), (3, 2, 3)]
    assert (table.complete, table.multiply_adds, table.layers[-1].receptive_field) == (True, 2 * 3 * 9 * 35, (4, 4))
    assert table.no_network == "0: an image without a batch is none of a Network"
