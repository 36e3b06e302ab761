"""Keras layers as operators, from the layer or from what ``get_config()`` or ``serialize_keras_object`` give.

Keras is not imported. Its conventions are kept: "same" puts the odd surplus after the input and an average leaves the
padding out; a transposed convolution has ``n*stride`` outputs under "same". Arrays here have their channels first and
weights are ``(out, in/groups, *kernel)``, where Keras has ``(*kernel, in/groups, out)``: ``data_format`` is about the
layout alone. Source: the layers of Keras 3, with TensorFlow as the backend where backends differ.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from symconv.doors import mapping, plain_integer, text
from symconv.errors import ArgumentError, NotSupportedError
from symconv.operators.adaptive import AdaptiveAvgPool, AdaptiveMaxPool
from symconv.operators.base import Operator
from symconv.operators.convolution import Conv
from symconv.operators.importers.functions import KERAS, activation_note, function_of
from symconv.operators.importers.imported import Imported, Options
from symconv.operators.kinds import PerAxis
from symconv.operators.option import option_fields
from symconv.operators.pooling import AvgPool, MaxPool
from symconv.operators.transposed import ConvTranspose

__all__ = ["from_keras", "read_keras"]

_LAYER = re.compile(
    r"(Conv|DepthwiseConv|SeparableConv|MaxPooling|AveragePooling|GlobalAveragePooling|GlobalMaxPooling"
    r"|AdaptiveAveragePooling|AdaptiveMaxPooling)([123])D"
    r"|Conv([123])D(Transpose)"
)
_OLD_NAMES = {
    "Convolution": "Conv",
    "MaxPool": "MaxPooling",
    "AvgPool": "AveragePooling",
    "GlobalAvgPool": "GlobalAveragePooling",
    "GlobalMaxPool": "GlobalMaxPooling",
}
_WITHOUT_EFFECT = (
    "name", "trainable", "dtype", "data_format", "autocast", "batch_input_shape", "batch_shape", "input_shape",
    "kernel_initializer", "bias_initializer", "kernel_regularizer", "bias_regularizer", "activity_regularizer",
    "kernel_constraint", "bias_constraint", "depthwise_initializer", "depthwise_regularizer", "depthwise_constraint",
    "pointwise_initializer", "pointwise_regularizer", "pointwise_constraint", "quantization_config",
)  # fmt: skip
"""Options that leave the values alone: they are about training, storage and layout."""


_WANTED = "must be a Keras layer or its configuration, a dictionary"


def from_keras(layer: object, *, kind: str | None = None, in_channels: int | None = None) -> Operator:
    """The operator that a Keras layer computes, without its activation.

    Args:
        layer: a layer, its ``get_config()``, or the record of ``keras.saving.serialize_keras_object(layer)``: Conv,
            DepthwiseConv, Conv...Transpose, MaxPooling, AveragePooling, and the global and adaptive ones, of 1 to 3
            axes; ReLU, LeakyReLU, Softmax, Activation, Dense, Flatten, BatchNormalization, Add,
            CategoricalCrossentropy or SparseCategoricalCrossentropy.
        kind: the class, such as "Conv2D", where a plain configuration does not say it; without it the name is read,
            which Keras makes from the class ("conv2d_3").
        in_channels: the number of input channels of a convolution, a normalisation or a dense layer; only a layer that
            was built knows it itself.

    Raises:
        NotSupportedError: for another class, for SeparableConv, which is two operators and is spelled out, and for an
            option that is not known, by its name.
        ArgumentError: for an option that is not what it must be, or where the number of channels is not known.

    Warns:
        ConventionWarning: for an activation, which is not part of the operator.

    >>> from_keras({"name": "conv2d", "filters": 8, "kernel_size": (3, 3), "padding": "same"}, in_channels=3)
    Conv(kernel_size=(3, 3), padding='same_upper', in_channels=3, out_channels=8, bias=True)
    """
    kind = None if kind is None else text("kind", kind)
    in_channels = None if in_channels is None else plain_integer("in_channels", in_channels, 1)
    return read_keras(layer, kind=kind, in_channels=in_channels).announced()


def read_keras(layer: Any, *, kind: str | None = None, in_channels: int | None = None) -> Imported:
    """The operator of a Keras layer, with notes; see `from_keras`."""
    config: Mapping[str, Any]
    if isinstance(layer, Mapping):
        config = mapping("layer", layer, _WANTED)
        if "class_name" in layer:
            config, built = (layer.get(key) or {} for key in ("config", "build_config"))
            if not isinstance(config, Mapping) or not isinstance(built, Mapping):
                raise ArgumentError("layer", layer, "must have dictionaries for its config and build_config")
            shape = built.get("input_shape")
            in_channels = _agreeing(in_channels, _last_channel(shape, config))
            kind = _agreeing_kind(kind, layer["class_name"])
        kind = _kind_of(config) if kind is None else kind
    elif callable(getattr(layer, "get_config", None)) and not isinstance(layer, type):
        config = mapping("layer.get_config()", layer.get_config(), "must be a table of options by name")
        kind = _agreeing_kind(kind, type(layer).__name__)
        in_channels = _agreeing(in_channels, _built_channels(layer, kind, config))
    else:
        raise ArgumentError("layer", layer, _WANTED)
    if kind in KERAS:
        given = {**config, "in_channels": in_channels}
        return function_of(KERAS, kind, given, 1, ("name", "fn", "in_channels", *_WITHOUT_EFFECT))
    family, ndim = _family(kind)
    options = Options(kind, config)
    _check_layout(options)
    options.ignore(_WITHOUT_EFFECT)
    return _READERS[family](options, ndim, in_channels)


def _kind_of(config: Mapping[str, Any]) -> str:
    """The class behind a name that Keras made, such as conv2d_transpose_4."""
    name = config.get("name")
    made = re.sub(r"_\d+$", "", name) if isinstance(name, str) else ""
    for family in ("Conv", "DepthwiseConv", "SeparableConv", "MaxPooling", "AveragePooling", *_OTHERS):
        for n in "123":
            for end in ("", "Transpose") if family == "Conv" else ("",):
                kind = f"{family}{n}D{end}"
                if re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=D)(?=T)", "_", kind).lower() == made:
                    return kind
    raise ArgumentError(
        "kind", None, "must be given where the configuration does not say the class", 'such as kind="Conv2D"'
    )


_OTHERS = ("GlobalAveragePooling", "GlobalMaxPooling", "AdaptiveAveragePooling", "AdaptiveMaxPooling")


def _family(kind: str) -> tuple[str, int]:
    for old, new in _OLD_NAMES.items():
        kind = re.sub(rf"^{old}(?=[123]D)", new, kind)
    found = _LAYER.fullmatch(kind)
    if found is None:
        raise NotSupportedError(
            f"{kind} is not a layer with windows that is known here; known are Conv, DepthwiseConv, MaxPooling, "
            "AveragePooling and the global and adaptive ones with 1D to 3D, and Conv1DTranspose to "
            "Conv3DTranspose"
        )
    return ("ConvTranspose", int(found[3])) if found[4] else (found[1], int(found[2]))


def _agreeing_kind(given: str | None, found: str) -> str:
    if given is not None and given != found:
        raise ArgumentError("kind", given, f"must be the class of the layer, {found}")
    return found


def _agreeing(given: int | None, found: int | None) -> int | None:
    if given is not None and found is not None and given != found:
        raise ArgumentError("in_channels", given, f"must be the {found} channels that the layer was built for")
    return found if given is None else given


def _last_channel(shape: Any, config: Mapping[str, Any]) -> int | None:
    """The number of channels of a shape under the layout of a configuration."""
    if not isinstance(shape, list | tuple) or len(shape) < 2:
        return None
    entry = shape[1] if config.get("data_format") == "channels_first" else shape[-1]
    return entry if isinstance(entry, int) else None


def _built_channels(layer: Any, kind: str, config: Mapping[str, Any]) -> int | None:
    """The input channels of a layer that has its weights, from the shape of the kernel."""
    shape = getattr(getattr(layer, "kernel", None), "shape", None) if getattr(layer, "built", False) else None
    if kind == "BatchNormalization" and getattr(layer, "built", False):
        shape = getattr(getattr(layer, "moving_mean", None), "shape", None)
        return None if shape is None else int(shape[0])
    if shape is not None and kind == "Dense":
        return int(shape[0])
    if shape is None or len(shape) < 3:
        return None
    if kind.endswith("Transpose"):
        return int(shape[-1])
    if kind.startswith("Depthwise"):
        return int(shape[-2])
    return int(shape[-2]) * int(config.get("groups", 1)) if kind.startswith("Conv") else None


def _check_layout(options: Options) -> None:
    layout = options.take("data_format", None)
    if layout not in (None, "channels_last", "channels_first"):
        raise ArgumentError(f"{options.layer}: data_format", layout, "must be 'channels_last' or 'channels_first'")


def _axes(options: Options, name: str, ndim: int, *default: object) -> tuple[Any, ...]:
    """One value an axis."""
    value = options.take(name, *default)
    entries = tuple(value) if isinstance(value, tuple | list) else (value,) * ndim
    if len(entries) != ndim:
        raise ArgumentError(
            f"{options.layer}: {name}", value, f"must be one integer or {ndim} of them, one a spatial axis"
        )
    return entries


def plain_options(options: Options, kind: type[Operator], ndim: int) -> dict[str, Any]:
    """The options of an operator that Keras has under another name; where one is missing, it is neutral."""
    return {
        name: _axes(options, option.known_as["keras"], ndim, option.neutral)
        if isinstance(option.kind, PerAxis)
        else options.take(option.known_as["keras"], option.neutral)
        for name, (option, _) in option_fields(kind).items()
        if "keras" in option.known_as
    }


def _rule(options: Options, *allowed: str) -> str:
    value = options.take("padding", "valid")
    rule = value.lower() if isinstance(value, str) else value
    if rule not in allowed:
        raise ArgumentError(f"{options.layer}: padding", value, f"must be one of {', '.join(map(repr, allowed))}")
    return str(rule)


def _channels(options: Options, in_channels: int | None) -> int:
    if in_channels is None:
        raise ArgumentError(
            f"{options.layer}: in_channels", None, "must be given where the layer was not built", "give in_channels"
        )
    return in_channels


def _bias(options: Options) -> bool:
    value = options.take("use_bias", True)
    if not isinstance(value, bool):
        raise ArgumentError(f"{options.layer}: use_bias", value, "must be True or False")
    return value


def _conv(options: Options, ndim: int, in_channels: int | None) -> Imported:
    kernel = _axes(options, "kernel_size", ndim)
    plain = plain_options(options, Conv, ndim)
    rule = _rule(options, "valid", "same", "causal") if ndim == 1 else _rule(options, "valid", "same")
    padding: Any = "same_upper" if rule == "same" else rule
    if rule == "causal":  # all of it before the input: an output reads nothing that comes later
        padding = ((_reach(options, kernel[0], plain["dilation"][0]), 0),)
    op = Conv(
        kernel,
        padding=padding,
        groups=options.take("groups", 1),
        in_channels=_channels(options, in_channels),
        out_channels=options.take("filters"),
        bias=_bias(options),
        **plain,
    )
    notes = activation_note(options)
    options.done()
    return Imported(op, notes)


def _reach(options: Options, kernel: Any, dilation: Any) -> int:
    """From the first tap to the last."""
    if not isinstance(kernel, int) or not isinstance(dilation, int):
        raise ArgumentError(f"{options.layer}: kernel_size", kernel, "must be an integer")
    return dilation * (kernel - 1)


def _depthwise(options: Options, ndim: int, in_channels: int | None) -> Imported:
    channels, multiplier = _channels(options, in_channels), _multiplier(options)
    rule = _rule(options, "valid", "same")
    op = Conv(
        _axes(options, "kernel_size", ndim),
        padding="same_upper" if rule == "same" else rule,
        groups=channels,
        in_channels=channels,
        out_channels=channels * multiplier,
        bias=_bias(options),
        **plain_options(options, Conv, ndim),
    )
    notes = activation_note(options)
    options.done()
    return Imported(op, notes)


def _multiplier(options: Options) -> int:
    """How many outputs each channel of a depthwise convolution has."""
    value = options.take("depth_multiplier", 1)
    if not isinstance(value, int) or value < 1:
        raise ArgumentError(f"{options.layer}: depth_multiplier", value, "must be an integer >= 1")
    return value


def _separable(options: Options, ndim: int, in_channels: int | None) -> Imported:
    channels, multiplier, filters = in_channels, _multiplier(options), options.take("filters")
    shown = "n" if channels is None else str(channels)
    between = f"{shown}*{multiplier}" if channels is None else str(channels * multiplier)
    raise NotSupportedError(
        f"{options.layer} is two operators, and this gives one: a depthwise Conv(kernel_size="
        f"{_axes(options, 'kernel_size', ndim)}, groups={shown}, in_channels={shown}, out_channels={between}) with the "
        f"layer's strides, padding and dilation_rate, then Conv(kernel_size={(1,) * ndim}, in_channels={between}, "
        f"out_channels={filters}) with its bias"
    )


def _transposed(options: Options, ndim: int, in_channels: int | None) -> Imported:
    kernel = _axes(options, "kernel_size", ndim)
    plain = plain_options(options, ConvTranspose, ndim)
    strides, dilation = plain["stride"], plain["dilation"]
    rule = _rule(options, "valid", "same")
    extra = _axes(options, "output_padding", ndim, None)
    pairs, ends = [], []
    for k, s, d, more in zip(kernel, strides, dilation, extra, strict=True):
        span = _reach(options, k, d) + 1
        if not isinstance(s, int):
            raise ArgumentError(f"{options.layer}: strides", strides, "must be integers")
        if more is None:  # as large as the input of the convolution can be: n*s outputs at least
            surplus = span - s
            cut, end = (max(surplus, 0) if rule == "same" else 0), max(-surplus, 0)
        elif not isinstance(more, int) or not 0 <= more < s:
            raise ArgumentError(f"{options.layer}: output_padding", more, f"must be an integer from 0 to {s - 1}")
        else:
            surplus = 2 * (span // 2) - more
            cut, end = (max(surplus, 0), max(-surplus, 0)) if rule == "same" else (0, more)
        pairs.append((cut // 2, cut - cut // 2))
        ends.append(end)
    op = ConvTranspose(
        kernel,
        padding=tuple(pairs),
        output_padding=tuple(ends),
        groups=options.take("groups", 1),
        in_channels=_channels(options, in_channels),
        out_channels=options.take("filters"),
        bias=_bias(options),
        **plain,
    )
    notes = activation_note(options)
    options.done()
    return Imported(op, notes)


def _pool_options(options: Options, ndim: int) -> dict[str, Any]:
    window = _axes(options, "pool_size", ndim, 2)
    strides = options.take("strides", None)
    steps = window if strides is None else tuple(strides) if isinstance(strides, list | tuple) else strides
    rule = _rule(options, "valid", "same")
    options.done()
    return {"kernel_size": window, "stride": steps, "padding": "same_upper" if rule == "same" else rule}


def _max_pool(options: Options, ndim: int, in_channels: int | None) -> Imported:
    return Imported(MaxPool(**_pool_options(options, ndim)))


def _average_pool(options: Options, ndim: int, in_channels: int | None) -> Imported:
    given = _pool_options(options, ndim)
    op = AvgPool(**given, count_include_pad=False)
    note = (
        "on its torch backend Keras repeats the last entry where the padding of 'same' is longer after the input, and "
        "averages it as well; here, as with TensorFlow, padding is left out"
    )
    return Imported(op, (note,) if given["padding"] == "same_upper" else ())


def _global_average(options: Options, ndim: int, in_channels: int | None) -> Imported:
    options.take("keepdims", False)  # without it the axes of size 1 are left out of the shape
    options.done()
    return Imported(AdaptiveAvgPool(1, ndim=ndim))


def _global_maximum(options: Options, ndim: int, in_channels: int | None) -> Imported:
    options.take("keepdims", False)
    options.done()
    return Imported(AdaptiveMaxPool(1, ndim=ndim))


def _adaptive(make: type[AdaptiveAvgPool | AdaptiveMaxPool]) -> Callable[[Options, int, int | None], Imported]:
    def read(options: Options, ndim: int, in_channels: int | None) -> Imported:
        sizes = _axes(options, "output_size", ndim)
        options.done()
        return Imported(make(sizes))

    return read


_READERS: dict[str, Callable[[Options, int, int | None], Imported]] = {
    "Conv": _conv,
    "DepthwiseConv": _depthwise,
    "SeparableConv": _separable,
    "ConvTranspose": _transposed,
    "MaxPooling": _max_pool,
    "AveragePooling": _average_pool,
    "GlobalAveragePooling": _global_average,
    "GlobalMaxPooling": _global_maximum,
    "AdaptiveAveragePooling": _adaptive(AdaptiveAvgPool),
    "AdaptiveMaxPooling": _adaptive(AdaptiveMaxPool),
}
