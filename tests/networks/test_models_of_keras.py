"""Whole Keras models from their configuration; sizes by hand, and Keras' own where it is installed."""

from __future__ import annotations

import importlib.util
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import symconv as sc
from symconv.cli.application import commands


def layer(kind: str, name: str, *reads: str, **config: Any) -> dict[str, Any]:
    """A layer's record, and what it reads in a functional model."""
    tensors = [{"class_name": "__keras_tensor__", "config": {"keras_history": [source, 0, 0]}} for source in reads]
    nodes = [{"args": [tensors if len(tensors) > 1 else tensors[0]], "kwargs": {}}] if reads else []
    return {"class_name": kind, "name": name, "config": {"name": name, **config}, "inbound_nodes": nodes}


def start(*sizes: Any) -> dict[str, Any]:
    return layer("InputLayer", "start", batch_shape=[None, *sizes])


def sequential(*layers: dict[str, Any]) -> dict[str, Any]:
    return {"class_name": "Sequential", "config": {"name": "s", "layers": list(layers)}}


def functional(output: str, *layers: dict[str, Any]) -> dict[str, Any]:
    config = {"layers": list(layers), "input_layers": ["start", 0, 0], "output_layers": [output, 0, 0]}
    return {"class_name": "Functional", "config": config}


CONV: dict[str, Any] = {"filters": 4, "kernel_size": [3, 3], "padding": "same", "strides": [2, 2]}


def test_a_sequential_model_flattens_with_its_channels_last() -> None:
    model = sequential(
        start(12, 11, 3),
        layer("Conv2D", "a", **CONV, activation="relu"),
        layer("BatchNormalization", "norm", axis=-1, epsilon=1e-3),
        layer("MaxPooling2D", "pool", pool_size=[2, 2]),
        layer("Dropout", "drop", rate=0.5),
        layer("Flatten", "flat"),
        layer("Dense", "out", units=5, activation="softmax"),
    )
    table = sc.network_from_keras(model)
    assert [(row.name, row.output, row.parameters) for row in table.layers] == [
        ("a", (4, 6, 6), 112), ("pool", (4, 3, 3), 0)
    ]  # fmt: skip
    assert table.complete
    assert table.network is not None
    assert table.weights is None
    assert table.network.names == ("a", "a_relu", "norm", "pool", "flat", "out", "out_softmax")
    assert table.network["flat"] == sc.Flatten("channel-last")
    assert sc.network_from_keras(model, (24, 22, 3)).layers[0].output == (4, 12, 11)


def test_branches_padding_and_gates_of_a_functional_model() -> None:
    model = functional(
        "last",
        start(10, 10, 3),
        layer("ZeroPadding2D", "pad", "start", padding=[[1, 2], [0, 3]]),
        layer("UpSampling2D", "up", "pad", size=[2, 2], interpolation="nearest"),
        layer("Cropping2D", "crop", "up", cropping=[[1, 1], [1, 1]]),
        layer("Concatenate", "both", "crop", "crop", axis=-1),
        layer("GlobalAveragePooling2D", "mean", "both", keepdims=True),
        layer("Conv2D", "gate", "mean", filters=6, kernel_size=1, activation="sigmoid"),
        layer("Multiply", "scaled", "both", "gate"),
        layer("Conv2D", "last", "scaled", filters=2, kernel_size=3),
    )
    table = sc.network_from_keras(model)
    assert [(row.name, row.output) for row in table.layers] == [
        ("mean", (6, 1, 1)), ("gate", (6, 1, 1)), ("last", (2, 22, 22))
    ]  # fmt: skip
    assert table.layers[-1].whole_input == (True, True)
    assert table.network is None


def test_a_separable_layer_is_two_and_a_shared_one_counts_once() -> None:
    model = sequential(
        start(9, 8, 3), layer("SeparableConv2D", "s", filters=4, kernel_size=[3, 3], depth_multiplier=2, strides=[1, 1])
    )
    rows = sc.network_from_keras(model).layers
    assert [(row.name, row.output, row.parameters) for row in rows] == [
        ("s_depthwise", (6, 7, 6), 54), ("s_pointwise", (4, 7, 6), 28)
    ]  # fmt: skip
    shared = layer("Conv2D", "c", "start", filters=3, kernel_size=3)
    shared["inbound_nodes"] += layer("Conv2D", "c", "c")["inbound_nodes"]
    model = functional("c", start(9, 9, 3), shared)
    model["config"]["output_layers"] = ["c", 1, 0]
    table = sc.network_from_keras(model)
    assert [row.output for row in table.layers] == [(3, 7, 7), (3, 5, 5)]
    assert table.parameters == 84


def test_models_in_models_and_adaptive_poolings() -> None:
    inner = {**sequential(layer("Conv2D", "x", filters=4, kernel_size=3)), "name": "inner"}
    inner["config"]["name"] = "inner"
    pool = layer("AdaptiveAveragePooling2D", "pool", output_size=[4, 3])
    rows = sc.network_from_keras(sequential(start(9, 9, 3), inner, pool)).layers
    assert [(row.name, row.output) for row in rows] == [("inner/x", (4, 7, 7)), ("pool", (4, 4, 3))]
    assert sc.from_keras({"output_size": 2}, kind="AdaptiveMaxPooling1D") == sc.AdaptiveMaxPool((2,))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (3, r"^model must be a Keras model or its record"),
        ("model.keras", r"^model must be a Keras model.*take what keras.models.load_model gives for the file"),
        ({"class_name": "Conv2D", "config": {}}, r"^model must be a Sequential or a Functional model"),
        ({"class_name": "Sequential", "config": {"layers": [3]}}, r"^model must have layers"),
        (sequential(layer("Conv2D", "c", **CONV)), r"^input_shape must be given"),
        (sequential(start(None, 9, 3), layer("Conv2D", "c", **CONV)), r"^input_shape must be given"),
        (sequential(start(9, 9, 3), layer("Lambda", "f")), r"^f: Lambda is not a layer with windows that is known"),
        (
            sequential(start(2, 9, 3), layer("Conv2D", "c", filters=1, kernel_size=3)),
            r"^c \(Conv2D\): kernel_size needs an effective size",
        ),
        (functional("b", start(9, 9, 3), layer("Conv2D", "b", "b", **CONV)), r"must have layers that do not wait"),
        (functional("c", start(9, 9, 3), layer("Conv2D", "b", "start", **CONV)), r"must have outputs that layers give"),
        (
            sequential(start(9, 9, 3), layer("Conv2D", "a", **CONV, data_format="channels_first"),
                       layer("Conv2D", "b", **CONV, data_format="channels_last")),
            r"channels first and last",
        ),
    ],
)  # fmt: skip
def test_what_is_no_model_is_refused(model: Any, message: str) -> None:
    with pytest.raises(sc.SymconvError, match=message):
        sc.network_from_keras(model)


def test_files_of_keras_at_the_command_line(tmp_path: Path) -> None:
    text = json.dumps(sequential(start(9, 8, 3), layer("Conv2D", "c", **CONV)))
    plain, packed, other = (tmp_path / name for name in ("model.json", "model.keras", "empty.keras"))
    plain.write_text(text, encoding="utf-8")
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("config.json", text)
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("weights.h5", "")
    shown = [CliRunner().invoke(commands, ["network", str(path)]) for path in (plain, packed)]
    assert shown[0].output == shown[1].output
    assert (shown[0].exit_code, "4x5x4" in shown[0].output) == (0, True)
    for path, content, message in (
        (other, None, "it has no config.json that can be read"),
        (packed, "no archive", "it has no config.json that can be read"),
        (plain, "[" * 100_000, "holds no JSON"),
        (plain, "[" * 5_000_000, "has more than 4,000,000 bytes"),
        (plain, "3", "must be a Keras model or its record"),
        (tmp_path / "none.json", None, "cannot read"),
    ):
        if content is not None:
            path.write_text(content, encoding="utf-8")
        result = CliRunner().invoke(commands, ["network", str(path)])
        assert (result.exit_code, message in " ".join(result.output.split())) == (2, True), result.output


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_damaged_archive_ends_in_a_message(tmp_path: Path, method: int) -> None:
    path, text = tmp_path / "model.keras", json.dumps(sequential(start(9, 8, 3), layer("Conv2D", "c", **CONV)))
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("config.json", text)
    assert CliRunner().invoke(commands, ["network", str(path)]).exit_code == 0
    content = bytearray(path.read_bytes())
    for place in range(60, 90):  # behind the local header
        content[place] ^= 0x5A
    path.write_bytes(content)
    result = CliRunner().invoke(commands, ["network", str(path)])
    assert (result.exit_code, "None" in result.output) == (2, False), result.output
    assert "model.keras" in result.output


def keras_itself() -> Any:
    """Keras with the backend that is installed."""
    for backend in ("tensorflow", "torch", "jax"):
        if importlib.util.find_spec(backend) is not None:
            os.environ.setdefault("KERAS_BACKEND", backend)
            return pytest.importorskip("keras", reason="a model is run by Keras")
    return pytest.skip("Keras has no backend here")


def agrees(keras: Any, model: Any, *shape: int) -> Any:
    """What the network gives of the model's own weights, which are drawn anew, is what Keras gives."""
    rng = np.random.default_rng(0)
    for weight in model.weights:
        drawn = rng.normal(0, 0.5, weight.shape)
        weight.assign(abs(drawn) + 0.3 if "variance" in weight.path else drawn)
    table = sc.network_from_keras(model)
    x = rng.normal(size=(2, *shape)).astype(np.float32)
    due = keras.ops.convert_to_numpy(model(x, training=False))
    assert table.network is not None, table.no_network
    np.testing.assert_allclose(sc.compile(table.network)(np.moveaxis(x, -1, 1), table.weights), due, 1e-4, 1e-4)
    return table


def test_the_weights_of_keras_itself() -> None:
    keras = keras_itself()
    layers = keras.layers
    images = [
        layers.Conv2D(4, (3, 2), 2, "same", activation="relu"), layers.BatchNormalization(),
        layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same"),
        layers.SeparableConv2D(4, 3, depth_multiplier=2, padding="same"), layers.Conv2DTranspose(5, (3, 2), 2, "same"),
        layers.MaxPooling2D(2), layers.Flatten(), layers.Dense(7, activation="softmax"),
    ]  # fmt: skip
    agrees(keras, keras.Sequential([keras.Input((9, 8, 3)), *images]), 9, 8, 3)
    lines = [
        layers.Conv1D(6, 3, dilation_rate=2, padding="causal", groups=2, activation="tanh"),
        layers.BatchNormalization(scale=False, center=False), layers.DepthwiseConv1D(3),
        layers.SeparableConv1D(4, 3, use_bias=False), layers.Conv1DTranspose(3, 4, 3, use_bias=False), layers.Flatten(),
    ]  # fmt: skip
    agrees(keras, keras.Sequential([keras.Input((20, 4)), *lines]), 20, 4)


def test_the_weights_of_models_in_models_and_of_shared_layers() -> None:
    keras = keras_itself()
    layers = keras.layers
    start = keras.Input((8, 8, 3))
    inner = keras.Sequential([keras.Input((8, 8, 4)), layers.Conv2D(4, 3, padding="same"), layers.LeakyReLU(0.1)])
    first = layers.Conv2D(4, 1)(start)
    both, shared = layers.Add()([first, inner(first)]), layers.Conv2D(4, 3, padding="same")
    out = layers.Dense(2)(layers.GlobalMaxPooling2D()(shared(shared(both))))
    table = agrees(keras, keras.Model(start, out), 8, 8, 3)
    assert len(table.layers) == 5
    assert table.parameters == 16 + 148 + 148


def test_what_keras_has_no_weights_for() -> None:
    keras = keras_itself()
    layers = keras.layers
    table = sc.network_from_keras(keras.Sequential([layers.Conv2D(2, 3)]), (1, 8, 8, 3))
    assert table.network is not None
    assert table.weights is None

    class Conv2D(layers.Conv2D):  # type: ignore[name-defined,misc]
        def call(self, x: Any) -> Any:
            return 2 * super().call(x)

    with pytest.raises(sc.NotSupportedError, match="this Conv2D is no class of Keras"):
        sc.network_from_keras(keras.Sequential([keras.Input((8, 8, 3)), Conv2D(2, 3)]))
    model = keras.Sequential([keras.Input((3, 3, 3)), layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(3)])
    model.layers[-1].quantize("int8")
    with pytest.raises(sc.NotSupportedError, match="a weight of int8 is not read"):
        assert sc.network_from_keras(model).weights
