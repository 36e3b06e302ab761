"""The weights of a Keras layer that was built, in the order of axes that operators have here.

A layer hands out arrays by itself; nothing of Keras is imported. Kernels of Keras have their channels last: (sizes, in,
out) for a convolution, (sizes, out, in) for a transposed one, (sizes, in, multiplier) for a depthwise one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from symconv.errors import NotSupportedError
from symconv.operators.normalisation import BatchNorm

__all__ = ["Loads", "keras_loads"]

Loads = Mapping[str, Callable[[], Any]]
"""How weights are loaded, by role."""


def keras_loads(kind: str, layer: Any) -> Loads:
    """How the weight and the bias of a layer are loaded; what a layer does not have is left out.

    Args:
        kind: the class that the layer was read as; "SeparableConv1D/depthwise" and "SeparableConv1D/pointwise" are the
            two layers that a separable one is.
        layer: the layer.
    """
    first, _, part = kind.partition("/")
    if first == "BatchNormalization":
        return {role: _folded(layer, role) for role in ("weight", "bias")}
    name = f"{part}_kernel" if part else "kernel"
    if first.startswith("DepthwiseConv") and getattr(layer, name, None) is None:
        name = "depthwise_kernel"
    order = _matrix if first == "Dense" else _depthwise if "Depthwise" in first or part == "depthwise" else _kernel
    found: dict[str, Callable[[], Any]] = {}
    if getattr(layer, name, None) is not None:
        found["weight"] = lambda: order(_array(getattr(layer, name)))
    if getattr(layer, "bias", None) is not None and part != "depthwise":
        found["bias"] = lambda: _array(layer.bias)
    return found


def _array(value: Any) -> Any:
    """The entries of a variable.

    Raises:
        NotSupportedError: for a variable that has no floating-point numbers, such as a quantised one.
    """
    read = value.numpy() if callable(getattr(value, "numpy", None)) else value
    array = np.array(read)
    if array.dtype.kind != "f":
        raise NotSupportedError(f"a weight of {array.dtype} is not read; give the model before it is quantised")
    return array


def _kernel(array: Any) -> Any:
    """(sizes, in, out) to (out, in, sizes), and (sizes, out, in) of a transposed one to (in, out, sizes)."""
    return np.ascontiguousarray(np.moveaxis(array, (-1, -2), (0, 1)))


def _depthwise(array: Any) -> Any:
    """(sizes, in, multiplier) to (in * multiplier, 1, sizes): the outputs of a channel lie side by side."""
    turned = np.moveaxis(array, (-2, -1), (0, 1))
    return turned.reshape(-1, 1, *turned.shape[2:])


def _matrix(array: Any) -> Any:
    """(in, out) to (out, in)."""
    return np.ascontiguousarray(array.T)


def _folded(layer: Any, role: str) -> Callable[[], Any]:
    def load() -> Any:
        scale, shift = (
            None if getattr(layer, name, None) is None else _array(getattr(layer, name)) for name in ("gamma", "beta")
        )
        mean, variance = _array(layer.moving_mean), _array(layer.moving_variance)
        return BatchNorm.folded(mean, variance, scale, shift, eps=float(layer.epsilon))[role]

    return load
