"""Functions, dense layers, normalisations and losses of PyTorch, ONNX and Keras as operators: what has no window.

None of the frameworks leaves a derivative undefined: at 0 that of a rectifier is the one from the left. Sources: the
documentation of ``torch.nn`` (PyTorch 2), the operator schemas of ONNX (opset 22), the layers and losses of Keras 3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from symconv.doors import plain_integer
from symconv.errors import ArgumentError, NotSupportedError
from symconv.operators.base import Operator
from symconv.operators.cross_entropy import CrossEntropy
from symconv.operators.dense import Dense
from symconv.operators.flatten import Flatten
from symconv.operators.importers.imported import Imported, Options, sizes_of
from symconv.operators.joining import Add
from symconv.operators.leaky_relu import LeakyReLU
from symconv.operators.log_softmax import LogSoftmax
from symconv.operators.normalisation import BatchNorm
from symconv.operators.relu import ReLU
from symconv.operators.sigmoid import Sigmoid
from symconv.operators.softmax import Softmax
from symconv.operators.softplus import Softplus
from symconv.operators.squared_error import SquaredError
from symconv.operators.tanh import Tanh

__all__ = ["KERAS", "ONNX", "ORDER", "TORCH", "activation_note", "axes_of_size", "function_of", "torch_options"]

Reader = Callable[[Options, int], Imported]


def function_of(
    table: Mapping[str, Reader], name: str, options: Mapping[str, object], axes: int, ignored: Iterable[str] = ()
) -> Imported:
    """The operator of a function or a loss, by its name in a framework.

    Args:
        table: `TORCH`, `ONNX` or `KERAS`.
        name: the name of the layer, the node or the loss.
        options: its options by name; "weight_shape" and "in_channels" among them where the caller knows them.
        axes: how many axes its input has.
        ignored: options without an effect on the values.

    Raises:
        NotSupportedError: for an option that makes another function of it.
    """
    given = Options(name, options)
    found = table[name](given, axes)
    given.ignore(ignored)
    given.done()
    return found


def _plain(make: Callable[..., Operator], *ignored: str) -> Reader:
    """A function of one value without options."""

    def read(options: Options, axes: int) -> Imported:
        options.ignore(ignored)
        return Imported(make(ndim=axes))

    return read


def _must_be(options: Options, name: str, value: object, default: object) -> None:
    """Refuse an option that has another value than the one that the operator is for."""
    found = options.take(name, default)
    if found != value:
        raise NotSupportedError(f"{options.layer} with {name}={found!r} is not known here; {name}={value!r} is")


def _rectifier(options: Options, axes: int) -> Imported:
    options.ignore(("inplace",))
    return Imported(ReLU("zero", ndim=axes))


def _leaky(slope: str, default: float) -> Reader:
    def read(options: Options, axes: int) -> Imported:
        options.ignore(("inplace",))
        return Imported(LeakyReLU(_as_printed(options.take(slope, default)), "slope", ndim=axes))

    return read


def _as_printed(value: Any) -> Any:
    """A number in float32, as ONNX keeps it, as the shortest decimal that gives it; any other as it is."""
    if isinstance(value, float) and float(np.float32(value)) == value:
        return float(str(np.float32(value)))
    return value


def _of_vectors(make: Callable[[], Operator], axis: str) -> Reader:
    """Softmax over the last axis, or the second one of two."""

    def read(options: Options, axes: int) -> Imported:
        found = options.take(axis, -1)
        if found not in (-1, 1, None):
            raise NotSupportedError(
                f"{options.layer} with {axis}={found!r} is not known here: {make()!r} is over the last axis ({axis}=-1)"
            )
        return Imported(make())

    return read


_AVERAGED = "of a batch {} averages the losses, and CrossEntropy gives one a sample"


def _torch_softplus(options: Options, axes: int) -> Imported:
    _must_be(options, "beta", 1, 1)
    threshold = options.take("threshold", 20)
    note = f"PyTorch's Softplus gives x itself where x > {threshold}, and Softplus ln(1 + e^x) everywhere"
    return Imported(Softplus(ndim=axes), (note,))


def _torch_cross_entropy(options: Options, axes: int) -> Imported:
    _must_be(options, "weight", None, None)
    _must_be(options, "label_smoothing", 0.0, 0.0)
    options.ignore(("ignore_index", "size_average", "reduce"))
    return Imported(CrossEntropy(from_logits=True), _reduced(options, "PyTorch"))


def _reduced(options: Options, framework: str) -> tuple[str, ...]:
    reduction = options.take("reduction", "mean")
    return (_AVERAGED.format(framework),) if reduction == "mean" else ()


def _torch_squares(options: Options, axes: int) -> Imported:
    options.ignore(("size_average", "reduce"))
    _must_be(options, "reduction", "sum", "mean")
    return Imported(SquaredError(ndim=axes))


def _onnx_cross_entropy(options: Options, axes: int) -> Imported:
    options.ignore(("ignore_index",))
    return Imported(CrossEntropy(from_logits=True), _reduced(options, "ONNX"))


def _keras_rectifier(options: Options, axes: int) -> Imported:
    _must_be(options, "max_value", None, None)
    _must_be(options, "threshold", 0, 0)
    slope = options.take("negative_slope", 0)
    return Imported(LeakyReLU(slope, "slope", ndim=axes) if slope else ReLU("zero", ndim=axes))


def _keras_activation(options: Options, axes: int) -> Imported:
    known: dict[str, Callable[[], Operator]] = {
        "relu": lambda: ReLU("zero", ndim=axes),
        "leaky_relu": lambda: LeakyReLU(0.2, "slope", ndim=axes),
        "sigmoid": lambda: Sigmoid(ndim=axes),
        "tanh": lambda: Tanh(ndim=axes),
        "softplus": lambda: Softplus(ndim=axes),
        "softmax": Softmax,
        "log_softmax": LogSoftmax,
    }
    name = options.take("activation")
    if name not in known:
        raise ArgumentError("activation", name, f"must be one of {', '.join(known)}")
    return Imported(known[name]())


def _keras_cross_entropy(options: Options, axes: int) -> Imported:
    _must_be(options, "label_smoothing", 0.0, 0.0)
    _must_be(options, "axis", -1, -1)
    options.ignore(("reduction", "ignore_class"))
    return Imported(CrossEntropy(from_logits=bool(options.take("from_logits", False))), (_AVERAGED.format("Keras"),))


def _torch_dense(options: Options, axes: int) -> Imported:
    bias = options.take("bias", True)
    return Imported(
        Dense(options.take("out_features"), options.take("in_features"), bias is not None and bias is not False)
    )


def _torch_flatten(options: Options, axes: int) -> Imported:
    _must_be(options, "start_dim", 1, 1)
    _must_be(options, "end_dim", -1, -1)
    return Imported(Flatten())


def _torch_norm(options: Options, axes: int) -> Imported:
    _must_be(options, "track_running_stats", True, True)
    training = options.take("training", False)
    options.ignore(("eps", "momentum", "affine", "bias", "device", "dtype"))
    note = f"{options.layer} in training normalises by the figures of a batch, and BatchNorm by those that were kept"
    return Imported(BatchNorm(options.take("num_features"), ndim=axes), (note,) if training else ())


def _onnx_shape(options: Options, axes: int, meaning: str) -> tuple[int, ...]:
    shape = options.take("weight_shape", None)
    wanted = f"must be given, with {axes} entries: the shape of {meaning}"
    if shape is None:
        raise ArgumentError(f"{options.layer}: weight_shape", None, wanted)
    return sizes_of("weight_shape", shape, axes)


def _gemm(options: Options, axes: int) -> Imported:
    _must_be(options, "transA", 0, 0)
    options.ignore(("alpha", "beta"))  # they scale what is given as weight and bias
    rows, columns = _onnx_shape(options, 2, "the node's second input")
    outputs, inputs = (rows, columns) if options.take("transB", 0) else (columns, rows)
    return Imported(Dense(outputs, inputs, options.take("bias", False)))


def _matmul(options: Options, axes: int) -> Imported:
    inputs, outputs = _onnx_shape(options, 2, "the node's second input")
    options.ignore(("bias",))
    return Imported(Dense(outputs, inputs, bias=False))


def _onnx_flatten(options: Options, axes: int) -> Imported:
    _must_be(options, "axis", 1, 1)
    return Imported(Flatten())


def _onnx_norm(options: Options, axes: int) -> Imported:
    _must_be(options, "training_mode", 0, 0)
    options.ignore(("epsilon", "momentum", "spatial", "bias"))
    (channels,) = _onnx_shape(options, 1, "the node's second input, the scale")
    return Imported(BatchNorm(channels, ndim=axes))


def _sum(options: Options, axes: int) -> Imported:
    return Imported(Add(ndim=axes))


def _keras_dense(options: Options, axes: int) -> Imported:
    bias, inputs = options.take("use_bias", True), options.take("in_channels", None)
    return Imported(Dense(options.take("units"), inputs, bias), activation_note(options))


def _keras_flatten(options: Options, axes: int) -> Imported:
    last = options.take("data_format", None) != "channels_first"
    return Imported(Flatten("channel-last" if last else "channel-first"))


def _keras_norm(options: Options, axes: int) -> Imported:
    axis = options.take("axis", -1)
    _must_be(options, "renorm", False, False)
    options.ignore(("momentum", "epsilon", "center", "scale", "synchronized", "renorm_clipping", "renorm_momentum"))
    options.ignore(
        f"{name}_{part}" for name in ("beta", "gamma") for part in ("initializer", "regularizer", "constraint")
    )
    options.ignore(("moving_mean_initializer", "moving_variance_initializer"))
    channels = options.take("in_channels", None)
    if channels is None:
        raise ArgumentError(
            f"{options.layer}: in_channels", None, "must be given where the layer was not built", "give in_channels"
        )
    if axis not in (-1, 1, 3, [-1], [1], [3]):
        raise NotSupportedError(f"{options.layer} with axis={axis!r} is not known here; the axis of the channels is")
    return Imported(BatchNorm(channels))


def activation_note(options: Options) -> tuple[str, ...]:
    """That the activation of a layer of Keras is an operator of its own, where there is one."""
    value = options.take("activation", "linear")
    if value in (None, "linear"):
        return ()
    shown = value if isinstance(value, str) else getattr(value, "__name__", value)
    return (f"the activation {shown!r} of {options.layer} comes after the operator and is not part of it",)


TORCH: dict[str, Reader] = {
    "ReLU": _rectifier,
    "LeakyReLU": _leaky("negative_slope", 0.01),
    "Sigmoid": _plain(Sigmoid),
    "Tanh": _plain(Tanh),
    "Softplus": _torch_softplus,
    "Softmax": _of_vectors(Softmax, "dim"),
    "LogSoftmax": _of_vectors(LogSoftmax, "dim"),
    "Linear": _torch_dense,
    "Flatten": _torch_flatten,
    "BatchNorm1d": _torch_norm,
    "BatchNorm2d": _torch_norm,
    "BatchNorm3d": _torch_norm,
    "CrossEntropyLoss": _torch_cross_entropy,
    "MSELoss": _torch_squares,
}
"""PyTorch's modules by class name."""

_NORM = ("num_features", "eps", "momentum", "affine", "track_running_stats", "bias")
ORDER: dict[str, tuple[str, ...]] = {
    "ReLU": ("inplace",),
    "LeakyReLU": ("negative_slope", "inplace"),
    "Sigmoid": (),
    "Tanh": (),
    "Softplus": ("beta", "threshold"),
    "Softmax": ("dim",),
    "LogSoftmax": ("dim",),
    "Linear": ("in_features", "out_features", "bias"),
    "Flatten": ("start_dim", "end_dim"),
    "BatchNorm1d": _NORM,
    "BatchNorm2d": _NORM,
    "BatchNorm3d": _NORM,
    "CrossEntropyLoss": ("weight", "size_average", "ignore_index", "reduce", "reduction", "label_smoothing"),
    "MSELoss": ("size_average", "reduce", "reduction"),
}
"""The options of PyTorch's modules in their order."""

ONNX: dict[str, Reader] = {
    "Relu": _rectifier,
    "LeakyRelu": _leaky("alpha", 0.01),
    "Sigmoid": _plain(Sigmoid),
    "Tanh": _plain(Tanh),
    "Softplus": _plain(Softplus),
    "Softmax": _of_vectors(Softmax, "axis"),
    "LogSoftmax": _of_vectors(LogSoftmax, "axis"),
    "Gemm": _gemm,
    "MatMul": _matmul,
    "Flatten": _onnx_flatten,
    "BatchNormalization": _onnx_norm,
    "Add": _sum,
    "Sum": _sum,
    "SoftmaxCrossEntropyLoss": _onnx_cross_entropy,
}
"""ONNX's nodes by type."""

KERAS: dict[str, Reader] = {
    "ReLU": _keras_rectifier,
    "LeakyReLU": _leaky("negative_slope", 0.3),
    "Softmax": _of_vectors(Softmax, "axis"),
    "Activation": _keras_activation,
    "Dense": _keras_dense,
    "Flatten": _keras_flatten,
    "BatchNormalization": _keras_norm,
    "Add": _sum,
    "CategoricalCrossentropy": _keras_cross_entropy,
    "SparseCategoricalCrossentropy": _keras_cross_entropy,
}
"""Keras' layers and losses by class name."""


def torch_options(module: object, kind: str) -> dict[str, object]:
    """The options of a function or a loss of PyTorch, from the attributes of a module that is read as `kind`."""
    names = ["negative_slope", "beta", "threshold", "dim", "label_smoothing", "reduction"]
    names += ["in_features", "out_features", "start_dim", "end_dim", "num_features", "track_running_stats"]
    names += ["weight"] if kind.endswith("Loss") else ["bias"] if kind == "Linear" else []
    names += ["training"] if kind.startswith("BatchNorm") else []
    found = {name: getattr(module, name) for name in names if hasattr(module, name)}
    bias = found.get("bias")
    if callable(bias) and not hasattr(bias, "shape"):  # of a quantised layer it is a method
        found["bias"] = bias()
    return found


def axes_of_size(input_size: Sequence[int] | None, ndim: int | None = None) -> int:
    """How many axes an input has: as many as its size says, else one."""
    if input_size is not None:
        return len(sizes_of("input_size", input_size))
    return 1 if ndim is None else plain_integer("ndim", ndim, 1)
