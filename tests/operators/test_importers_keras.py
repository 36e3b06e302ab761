"""Keras layers read by `from_keras` from their configurations, as Keras 3 writes them."""

from __future__ import annotations

import warnings
from types import SimpleNamespace
from typing import Any

import oracles
import pytest

from symconv.errors import ArgumentError, NotSupportedError
from symconv.operators.adaptive import AdaptiveAvgPool, AdaptiveMaxPool
from symconv.operators.convolution import Conv
from symconv.operators.importers.imported import ConventionWarning
from symconv.operators.importers.keras import from_keras
from symconv.operators.pooling import AvgPool, MaxPool
from symconv.operators.transposed import ConvTranspose

TRAINING = {
    "trainable": True,
    "dtype": {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}, "registered_name": None},
    "kernel_initializer": {"class_name": "GlorotUniform", "config": {"seed": None}},
    "bias_initializer": {"class_name": "Zeros", "config": {}},
    "kernel_regularizer": None,
    "bias_regularizer": None,
    "activity_regularizer": None,
    "kernel_constraint": None,
    "bias_constraint": None,
}


def conv(name: str = "conv2d", **options: Any) -> dict[str, Any]:
    """What ``get_config()`` gives for a convolution."""
    given = {
        "name": name,
        **TRAINING,
        "filters": 8,
        "kernel_size": (3, 3),
        "strides": (1, 1),
        "padding": "valid",
        "data_format": "channels_last",
        "dilation_rate": (1, 1),
        "groups": 1,
        "activation": "linear",
        "use_bias": True,
    }
    return given | options


def pool(name: str, **options: Any) -> dict[str, Any]:
    given = {"name": name, "trainable": True, "pool_size": (2, 2), "padding": "valid", "strides": (2, 2)}
    return given | {"data_format": "channels_last"} | options


def test_each_family_becomes_its_operator() -> None:
    assert from_keras(conv(), in_channels=3) == Conv(3, padding="valid", in_channels=3, out_channels=8, bias=True)
    same = conv("conv2d_7", padding="same", strides=(2, 1), groups=2, use_bias=False)
    assert from_keras(same, in_channels=4) == Conv(3, (2, 1), "same_upper", 1, 2, 4, 8)
    causal = conv("conv1d", kernel_size=[3], strides=[1], dilation_rate=[2], padding="causal")
    assert from_keras(causal, in_channels=2) == Conv((3,), 1, ((4, 0),), 2, 1, 2, 8, bias=True)
    depthwise = conv("depthwise_conv2d", depth_multiplier=2)
    del depthwise["filters"], depthwise["groups"]
    assert from_keras(depthwise, in_channels=3) == Conv(3, 1, "valid", 1, 3, 3, 6, bias=True)
    assert from_keras(pool("max_pooling2d", padding="same")) == MaxPool(2, 2, "same_upper")
    assert from_keras(pool("average_pooling1d_2", pool_size=3, strides=None)) == AvgPool(
        (3,), 3, "valid", count_include_pad=False
    )
    assert from_keras({"name": "global_average_pooling3d", "keepdims": False}) == AdaptiveAvgPool(1, ndim=3)
    assert from_keras({"name": "my_own"}, kind="GlobalMaxPooling1D") == AdaptiveMaxPool((1,))
    assert from_keras(pool("x"), kind="MaxPool2D") == MaxPool(2, 2, "valid")


def test_the_class_is_read_off_a_record_or_an_object() -> None:
    record = {
        "module": "keras.layers",
        "class_name": "Conv2D",
        "config": conv("first", data_format="channels_first"),
        "registered_name": None,
        "build_config": {"input_shape": [None, 5, 32, 32]},
    }
    assert from_keras(record) == Conv(3, padding="valid", in_channels=5, out_channels=8, bias=True)
    with pytest.raises(ArgumentError, match="in_channels must be the 5 channels"):
        from_keras(record, in_channels=4)
    with pytest.raises(ArgumentError, match="kind must be the class of the layer, Conv2D"):
        from_keras(record, kind="Conv3D")
    layer = type("Conv2D", (), {"get_config": lambda self: conv("mine", groups=2)})()
    with pytest.raises(ArgumentError, match="in_channels must be given where the layer was not built"):
        from_keras(layer)
    layer.built, layer.kernel = True, SimpleNamespace(shape=(3, 3, 4, 8))
    assert from_keras(layer) == Conv(3, padding="valid", groups=2, in_channels=8, out_channels=8, bias=True)


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("s", [1, 2, 3])
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_a_transposed_convolution_is_the_adjoint_of_keras_convolution(k: int, s: int, padding: str) -> None:
    n = 5
    config = conv("conv1d_transpose", kernel_size=(k,), strides=(s,), dilation_rate=(1,), padding=padding)
    config["output_padding"] = None
    op: Any = from_keras(config, in_channels=2)
    assert isinstance(op, ConvTranspose)
    (size,) = op.output_size((n,))
    assert size == (n * s if padding == "same" else n * s + max(k - s, 0))  # Keras' deconv_output_length
    # the convolution that it is the adjoint of takes `size` back to n
    if padding == "same":
        before, after = oracles.same_padding(size, k, s, upper=True)
        assert op.windows[0].before == before
    else:
        before, after = 0, 0
        assert op.windows[0].before == 0
    assert oracles.output_size(size, oracles.Axis(k, s, before, after)) == n


def test_an_output_padding_of_a_transposed_convolution() -> None:
    config = conv("conv2d_transpose", strides=(2, 2), padding="same", output_padding=(1, 0))
    op = from_keras(config, in_channels=2)
    assert op.output_size((4, 4)) == (8, 7)  # (n-1)*s + k - 2*(k//2) + output_padding
    valid = from_keras(config | {"padding": "valid"}, in_channels=2)
    assert valid.output_size((4, 4)) == (10, 9)
    with pytest.raises(ArgumentError, match="output_padding must be an integer from 0 to 1"):
        from_keras(config | {"output_padding": 2}, in_channels=2)


def test_an_activation_is_said() -> None:
    with pytest.warns(ConventionWarning, match="the activation 'relu' of Conv2D comes after the operator"):
        from_keras(conv(activation="relu"), in_channels=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        from_keras(conv(activation=None), in_channels=1)


@pytest.mark.parametrize(
    ("config", "given", "error", "message"),
    [
        (conv(), {}, ArgumentError, "Conv2D: in_channels must be given"),
        (conv("mine"), {}, ArgumentError, "kind must be given where the configuration does not say the class"),
        (conv(), {"kind": "Embedding"}, NotSupportedError, "Embedding is not a layer with windows"),
        (conv(padding="full"), {"in_channels": 1}, ArgumentError, "padding must be one of 'valid', 'same'"),
        (conv(padding="causal"), {"in_channels": 1}, ArgumentError, "padding must be one of 'valid', 'same'"),
        (conv(kernel_size=(3,)), {"in_channels": 1}, ArgumentError, "kernel_size must be one integer or 2 of them"),
        (conv(stride=2), {"in_channels": 1}, NotSupportedError, "Conv2D has stride=2.*did you mean 'strides'"),
        (conv(data_format="nhwc"), {"in_channels": 1}, ArgumentError, "data_format must be 'channels_last'"),
        (conv(use_bias=1), {"in_channels": 1}, ArgumentError, "use_bias must be True or False"),
        (conv("separable_conv2d"), {"in_channels": 3}, NotSupportedError, r"is two operators.*groups=3.*\(1, 1\)"),
        ("Conv2D", {}, ArgumentError, "layer must be a Keras layer or its configuration"),
    ],
)
def test_what_cannot_be_read_is_refused(config: Any, given: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        from_keras(config, **given)


def test_an_average_that_backends_pad_differently_is_said() -> None:
    config = {"pool_size": 3, "strides": 2, "padding": "same"}
    with pytest.warns(ConventionWarning, match="on its torch backend Keras repeats the last entry"):
        assert from_keras(config, kind="AveragePooling1D").output_size(6) == (3,)
