"""Functions and losses of PyTorch, ONNX and Keras as operators: what has no window.

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
from symconv.operators.importers.imported import Imported, Options, sizes_of
from symconv.operators.leaky_relu import LeakyReLU
from symconv.operators.log_softmax import LogSoftmax
from symconv.operators.relu import ReLU
from symconv.operators.sigmoid import Sigmoid
from symconv.operators.softmax import Softmax
from symconv.operators.softplus import Softplus
from symconv.operators.squared_error import SquaredError
from symconv.operators.tanh import Tanh

__all__ = ["KERAS", "ONNX", "TORCH", "axes_of_size", "function_of", "torch_options"]

Reader = Callable[[Options, int], Imported]


def function_of(
    table: Mapping[str, Reader], name: str, options: Mapping[str, object], axes: int, ignored: Iterable[str] = ()
) -> Imported:
    """The operator of a function or a loss, by its name in a framework.

    Args:
        table: `TORCH`, `ONNX` or `KERAS`.
        name: the name of the layer, the node or the loss.
        options: its options by name.
        axes: how many axes its input has.
        ignored: options without an effect on the values.

    Raises:
        NotSupportedError: for an option that makes another function of it.
    """
    given = Options(name, options)
    given.ignore(ignored)
    found = table[name](given, axes)
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


TORCH: dict[str, Reader] = {
    "ReLU": _rectifier,
    "LeakyReLU": _leaky("negative_slope", 0.01),
    "Sigmoid": _plain(Sigmoid),
    "Tanh": _plain(Tanh),
    "Softplus": _torch_softplus,
    "Softmax": _of_vectors(Softmax, "dim"),
    "LogSoftmax": _of_vectors(LogSoftmax, "dim"),
    "CrossEntropyLoss": _torch_cross_entropy,
    "MSELoss": _torch_squares,
}
"""PyTorch's modules by class name."""

ONNX: dict[str, Reader] = {
    "Relu": _rectifier,
    "LeakyRelu": _leaky("alpha", 0.01),
    "Sigmoid": _plain(Sigmoid),
    "Tanh": _plain(Tanh),
    "Softplus": _plain(Softplus),
    "Softmax": _of_vectors(Softmax, "axis"),
    "LogSoftmax": _of_vectors(LogSoftmax, "axis"),
    "SoftmaxCrossEntropyLoss": _onnx_cross_entropy,
}
"""ONNX's nodes by type."""

KERAS: dict[str, Reader] = {
    "ReLU": _keras_rectifier,
    "LeakyReLU": _leaky("negative_slope", 0.3),
    "Softmax": _of_vectors(Softmax, "axis"),
    "Activation": _keras_activation,
    "CategoricalCrossentropy": _keras_cross_entropy,
    "SparseCategoricalCrossentropy": _keras_cross_entropy,
}
"""Keras' layers and losses by class name."""


def torch_options(module: object) -> dict[str, object]:
    """The options of a function or a loss of PyTorch, from the attributes of the module."""
    names = ("negative_slope", "beta", "threshold", "dim", "weight", "label_smoothing", "reduction")
    return {name: getattr(module, name) for name in names if hasattr(module, name)}


def axes_of_size(input_size: Sequence[int] | None, ndim: int | None = None) -> int:
    """How many axes an input has: as many as its size says, else one."""
    if input_size is not None:
        return len(sizes_of("input_size", input_size))
    return 1 if ndim is None else plain_integer("ndim", ndim, 1)
