"""Whole Keras models from their configuration; sizes by hand, and Keras' own where it is installed."""

from __future__ import annotations

import json
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


def test_the_values_of_keras_itself() -> None:
    keras = pytest.importorskip("keras", reason="a model is run by Keras")
    layers = keras.layers
    conv = layers.Conv2D(4, 3, 2, "same", activation="relu", name="a")
    out = layers.Dense(5, activation="softmax", name="out")
    model = keras.Sequential([keras.Input((12, 11, 3)), conv, layers.MaxPooling2D(2), layers.Flatten(), out])
    table = sc.network_from_keras(model)
    x = np.random.default_rng(0).normal(size=(2, 12, 11, 3)).astype(np.float32)
    (kernel, bias), (matrix, shift) = (
        [keras.ops.convert_to_numpy(weight) for weight in entry.weights] for entry in (conv, out)
    )
    given = {"a": {"weight": kernel.transpose(3, 2, 0, 1), "bias": bias}, "out": {"weight": matrix.T, "bias": shift}}
    found = sc.compile(table.network)(np.moveaxis(x, -1, 1), given)
    np.testing.assert_allclose(found, keras.ops.convert_to_numpy(model(x)), rtol=1e-4, atol=1e-6)
