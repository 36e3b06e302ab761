"""Functions and losses of PyTorch, ONNX and Keras, read from what has their names and attributes."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import pytest

import symconv as sc


def module(name: str, **attributes: Any) -> Any:
    """A PyTorch module, by its class name and its attributes."""
    return type(name, (), attributes)()


LOSS: dict[str, Any] = {"weight": None, "label_smoothing": 0.0}
TORCH = [
    (module("ReLU", inplace=True), sc.ReLU("zero")),
    (module("LeakyReLU", negative_slope=0.2, inplace=False), sc.LeakyReLU(Fraction(1, 5), "slope")),
    (module("LeakyReLU", negative_slope=0.01), sc.LeakyReLU(at_zero="slope")),
    (module("Sigmoid"), sc.Sigmoid()),
    (module("Tanh"), sc.Tanh()),
    (module("Softmax", dim=-1), sc.Softmax()),
    (module("Softmax", dim=1), sc.Softmax()),
    (module("Softmax", dim=None), sc.Softmax()),
    (module("LogSoftmax", dim=-1), sc.LogSoftmax()),
    (module("Linear", in_features=6, out_features=4, weight=1, bias=1), sc.Dense(4, 6)),
    (module("Linear", in_features=6, out_features=4, weight=1, bias=None), sc.Dense(4, 6, bias=False)),
    (module("Flatten", start_dim=1, end_dim=-1), sc.Flatten()),
    (module("BatchNorm2d", num_features=5, track_running_stats=True, training=False), sc.BatchNorm(5)),
    (module("BatchNorm1d", num_features=5, track_running_stats=True, weight=1, bias=1), sc.BatchNorm(5, ndim=1)),
    (module("CrossEntropyLoss", **LOSS, ignore_index=-100, reduction="none"), sc.CrossEntropy(from_logits=True)),
    (module("CrossEntropyLoss", **LOSS, reduction="sum"), sc.CrossEntropy(from_logits=True)),
    (module("MSELoss", reduction="sum"), sc.SquaredError()),
]  # fmt: skip


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("given", "expected"), TORCH, ids=lambda value: repr(value) if "(" in repr(value) else "")
def test_modules_of_pytorch(given: Any, expected: Any) -> None:
    assert sc.from_torch(given) == expected


def test_the_axes_are_those_of_the_input_size() -> None:
    assert sc.from_torch(module("ReLU"), input_size=(6, 6)) == sc.ReLU("zero", ndim=2)
    assert sc.from_torch(module("MSELoss", reduction="sum"), input_size=(2, 3, 4)) == sc.SquaredError(ndim=3)
    with pytest.raises(sc.ArgumentError, match=r"^input_size must be integers >= 1"):
        sc.from_torch(module("ReLU"), input_size=(0,))


@pytest.mark.parametrize(
    ("given", "expected", "note"),
    [
        (module("Softplus", beta=1, threshold=20), sc.Softplus(), "gives x itself where x > 20"),
        (module("CrossEntropyLoss", **LOSS, reduction="mean"), sc.CrossEntropy(None, True), "PyTorch averages"),
        (module("BatchNorm3d", num_features=2, training=True), sc.BatchNorm(2, ndim=3), "in training normalises"),
    ],
)  # fmt: skip
def test_where_pytorch_departs_from_the_operator(given: Any, expected: Any, note: str) -> None:
    with pytest.warns(sc.ConventionWarning, match=note):
        assert sc.from_torch(given) == expected


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (module("Softplus", beta=2, threshold=20), r"^Softplus with beta=2 is not known here; beta=1 is"),
        (module("Softmax", dim=0), r"^Softmax with dim=0 is not known here"),
        (module("Softmax", dim=2), r"^Softmax with dim=2 is not known here"),
        (module("MSELoss", reduction="mean"), r"^MSELoss with reduction='mean' is not known here; reduction='sum' is"),
        (module("CrossEntropyLoss", weight=None, label_smoothing=0.1), r"label_smoothing=0.1 is not known here"),
        (module("GELU"), r"^GELU is not a layer"),
        (module("Flatten", start_dim=0, end_dim=-1), r"^Flatten with start_dim=0 is not known here"),
        (module("BatchNorm2d", num_features=2, track_running_stats=False), r"track_running_stats=False is not known"),
    ],
)
def test_what_is_another_function_is_refused(given: Any, message: str) -> None:
    with pytest.raises(sc.NotSupportedError, match=message):
        sc.from_torch(given)


# ---------------------------------------------------------------------- ONNX


@dataclass
class Node:
    """A node of an ONNX graph."""

    op_type: str
    attribute: tuple[Any, ...] = ()
    input: tuple[str, ...] = ("x",)
    output: tuple[str, ...] = ("y",)


def number(name: str, value: float) -> Any:
    return SimpleNamespace(name=name, type=1, f=value)


def integer(name: str, value: int) -> Any:
    return SimpleNamespace(name=name, type=2, i=value)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (Node("Relu"), sc.ReLU("zero")),
        (Node("LeakyRelu"), sc.LeakyReLU(Fraction(1, 100), "slope")),
        (Node("LeakyRelu", (number("alpha", 0.20000000298023224),)), sc.LeakyReLU(Fraction(1, 5), "slope")),
        (Node("Sigmoid"), sc.Sigmoid()),
        (Node("Tanh"), sc.Tanh()),
        (Node("Softplus"), sc.Softplus()),
        (Node("Softmax", (integer("axis", -1),)), sc.Softmax()),
        (Node("LogSoftmax"), sc.LogSoftmax()),
    ],
    ids=lambda value: getattr(value, "op_type", ""),
)
def test_nodes_of_onnx(node: Node, expected: Any) -> None:
    assert sc.from_onnx(node) == expected


def test_other_nodes_of_onnx() -> None:
    assert sc.from_onnx(Node("Relu"), ndim=2) == sc.ReLU("zero", ndim=2)
    assert sc.from_onnx(Node("Tanh"), input_size=(3, 4, 5)) == sc.Tanh(ndim=3)
    with pytest.warns(sc.ConventionWarning, match="ONNX averages"):
        assert sc.from_onnx(Node("SoftmaxCrossEntropyLoss")) == sc.CrossEntropy(from_logits=True)
    with pytest.raises(sc.NotSupportedError, match=r"^Softmax with axis=0 is not known here"):
        sc.from_onnx(Node("Softmax", (integer("axis", 0),)))
    with pytest.raises(sc.NotSupportedError, match=r"^Relu has alpha=0.5, which is not an option that is known here"):
        sc.from_onnx(Node("Relu", (number("alpha", 0.5),)))


def test_matrices_and_normalisations_of_onnx_take_their_sizes_from_the_weight() -> None:
    gemm = Node("Gemm", (integer("transB", 1), number("alpha", 0.5)), ("x", "w", "b"))
    assert sc.from_onnx(gemm, weight_shape=(4, 6)) == sc.Dense(4, 6)
    assert sc.from_onnx(Node("Gemm", (), ("x", "w")), weight_shape=(4, 6)) == sc.Dense(6, 4, bias=False)
    assert sc.from_onnx(Node("MatMul", (), ("x", "w")), weight_shape=(4, 6)) == sc.Dense(6, 4, bias=False)
    assert sc.from_onnx(Node("Flatten", (integer("axis", 1),))) == sc.Flatten()
    assert sc.from_onnx(Node("Add"), ndim=3) == sc.Add(ndim=3)
    norm = Node("BatchNormalization", (number("epsilon", 1e-5),), ("x", "s", "b", "m", "v"))
    assert sc.from_onnx(norm, weight_shape=(7,), ndim=2) == sc.BatchNorm(7)
    with pytest.raises(sc.ArgumentError, match=r"^MatMul: weight_shape must be given, with 2 entries"):
        sc.from_onnx(Node("MatMul"))
    with pytest.raises(sc.NotSupportedError, match=r"^Gemm with transA=1 is not known here"):
        sc.from_onnx(Node("Gemm", (integer("transA", 1),)), weight_shape=(4, 6))


# ---------------------------------------------------------------------- Keras


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("kind", "config", "expected"),
    [
        ("ReLU", {"name": "re_lu", "dtype": "float32", "max_value": None, "threshold": 0.0}, sc.ReLU("zero")),
        ("ReLU", {"trainable": True, "negative_slope": 0.0}, sc.ReLU("zero")),
        ("ReLU", {"negative_slope": 0.25}, sc.LeakyReLU(Fraction(1, 4), "slope")),
        ("LeakyReLU", {"negative_slope": 0.3}, sc.LeakyReLU(Fraction(3, 10), "slope")),
        ("Softmax", {"axis": -1}, sc.Softmax()),
        ("Activation", {"activation": "relu"}, sc.ReLU("zero")),
        ("Activation", {"activation": "tanh"}, sc.Tanh()),
        ("Activation", {"activation": "sigmoid"}, sc.Sigmoid()),
        ("Activation", {"activation": "softplus"}, sc.Softplus()),
        ("Activation", {"activation": "softmax"}, sc.Softmax()),
        ("Activation", {"activation": "log_softmax"}, sc.LogSoftmax()),
        ("Activation", {"activation": "leaky_relu"}, sc.LeakyReLU(Fraction(1, 5), "slope")),
    ],
)  # fmt: skip
def test_layers_of_keras(kind: str, config: dict[str, Any], expected: Any) -> None:
    assert sc.from_keras(config, kind=kind) == expected
    assert sc.from_keras({"class_name": kind, "config": config}) == expected


def test_what_has_a_weight_in_keras() -> None:
    assert sc.from_keras({"units": 4, "use_bias": False}, kind="Dense", in_channels=6) == sc.Dense(4, 6, bias=False)
    record = {"class_name": "Dense", "config": {"units": 4}, "build_config": {"input_shape": [None, 6]}}
    assert sc.from_keras(record) == sc.Dense(4, 6)
    assert sc.from_keras({"units": 4}, kind="Dense") == sc.Dense(4)
    assert sc.from_keras({"data_format": "channels_last"}, kind="Flatten") == sc.Flatten("channel-last")
    assert sc.from_keras({"data_format": "channels_first"}, kind="Flatten") == sc.Flatten()
    assert sc.from_keras({"axis": -1, "epsilon": 1e-3}, kind="BatchNormalization", in_channels=3) == sc.BatchNorm(3)
    assert sc.from_keras({"name": "add"}, kind="Add") == sc.Add(ndim=1)
    with pytest.warns(sc.ConventionWarning, match="the activation 'relu' of Dense comes after the operator"):
        assert sc.from_keras({"units": 4, "activation": "relu"}, kind="Dense") == sc.Dense(4)
    with pytest.raises(sc.ArgumentError, match=r"^BatchNormalization: in_channels must be given"):
        sc.from_keras({"axis": -1}, kind="BatchNormalization")


def test_losses_of_keras_take_probabilities_unless_they_say_otherwise() -> None:
    for scores in (False, True):
        config = {"name": "loss", "reduction": "sum_over_batch_size", "from_logits": scores, "label_smoothing": 0.0}
        with pytest.warns(sc.ConventionWarning, match="Keras averages"):
            assert sc.from_keras(config, kind="CategoricalCrossentropy") == sc.CrossEntropy(from_logits=scores)
    with pytest.raises(sc.NotSupportedError, match=r"^ReLU with max_value=6.0 is not known here; max_value=None is"):
        sc.from_keras({"max_value": 6.0}, kind="ReLU")
    with pytest.raises(sc.ArgumentError, match=r"^activation must be one of relu, "):
        sc.from_keras({"activation": "gelu"}, kind="Activation")


def test_real_modules_where_pytorch_is_installed() -> None:
    torch = pytest.importorskip("torch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sc.ConventionWarning)
        assert sc.from_torch(torch.nn.ReLU()) == sc.ReLU("zero")
        assert sc.from_torch(torch.nn.LeakyReLU(0.1)) == sc.LeakyReLU(Fraction(1, 10), "slope")
        assert sc.from_torch(torch.nn.Softplus()) == sc.Softplus()
        assert sc.from_torch(torch.nn.Softmax(dim=1)) == sc.Softmax()
        assert sc.from_torch(torch.nn.CrossEntropyLoss()) == sc.CrossEntropy(from_logits=True)
        assert sc.from_torch(torch.nn.MSELoss(reduction="sum")) == sc.SquaredError()
