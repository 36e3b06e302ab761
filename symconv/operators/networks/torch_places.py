"""The calls of a PyTorch model of which an entry of the result depends on those at its place alone.

Source: the schemas of ``torch.ops.aten``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from symconv.operators.base import Operator
from symconv.operators.joining import Add
from symconv.operators.leaky_relu import LeakyReLU
from symconv.operators.networks.acts import Same
from symconv.operators.networks.torch_trace import CallReading, TorchCall, TorchTrace
from symconv.operators.relu import ReLU
from symconv.operators.sigmoid import Sigmoid
from symconv.operators.softplus import Softplus
from symconv.operators.tanh import Tanh

__all__ = ["PLACES"]

_PASSES = frozenset(
    ("contiguous", "clone", "alias", "detach", "lift_fresh_copy", "identity", "_assert_tensor_metadata")
)
_PLACES = frozenset((
    "abs", "acos", "asin", "atan", "bitwise_not", "celu", "ceil", "clamp", "clamp_max", "clamp_min", "clip", "cos",
    "elu", "eq", "erf", "exp", "expm1", "floor", "ge", "gelu", "gt", "hardshrink", "hardsigmoid", "hardswish",
    "hardtanh", "le", "log", "log1p", "log2", "log_sigmoid", "logical_and", "logical_not", "logical_or", "logsigmoid",
    "lt", "masked_fill", "maximum", "minimum", "mish", "ne", "neg", "pow", "prelu", "reciprocal", "relu6", "remainder",
    "round", "rsqrt", "selu", "sgn", "sign", "silu", "sin", "softshrink", "softsign", "sqrt", "square", "tan",
    "tanhshrink", "threshold", "to", "_to_copy", "type_as", "where", "rsub", "div_", "floor_divide", "zeros_like",
    "ones_like", "full_like", "rrelu", "nan_to_num", "fake_quantize_per_tensor_affine", "float", "half",
))  # fmt: skip
"""Calls of which an entry of the result depends on those at its place alone."""


def _sum(trace: TorchTrace, call: TorchCall) -> None:
    """Sums and products, place by place."""
    images, kind = trace.images(call), call.given[""]
    constants = tuple(trace.shape(name) for name in trace.sources(call) if name not in trace.live)
    shapes = [trace.shape(name) for name in images]
    more: dict[str, Any] = {}
    if kind == "add" and len(images) == 2 and shapes[0] == shapes[1] and call.given.get("alpha", 1) == 1:
        more["operator"] = Add(ndim=len(shapes[0]) - 1)
    trace.add(call, Same(constants), images, **more)


def _rectifier(given: Mapping[str, Any], axes: int) -> Operator:
    return ReLU("zero", ndim=axes)


def _leaky(given: Mapping[str, Any], axes: int) -> Operator:
    return LeakyReLU(float(given.get("negative_slope", 0.01)), "slope", ndim=axes)


def _softplus(given: Mapping[str, Any], axes: int) -> Operator | None:
    return Softplus(ndim=axes) if given.get("beta", 1) == 1 and given.get("threshold", 20) >= 20 else None


_FUNCTIONS: dict[str, Callable[[Mapping[str, Any], int], Operator | None]] = {
    "relu": _rectifier,
    "leaky_relu": _leaky,
    "sigmoid": lambda given, axes: Sigmoid(ndim=axes),
    "tanh": lambda given, axes: Tanh(ndim=axes),
    "softplus": _softplus,
}
"""Functions of one value that are operators."""


def _function(kind: str) -> CallReading:
    def read(trace: TorchTrace, call: TorchCall) -> None:
        source = trace.first(call)
        op = _FUNCTIONS[kind](call.given, max(len(trace.shape(source)) - 2, 1))
        why = "" if op is not None else f"{kind} with these options is no layer of a Network"
        trace.add(call, Same(), (source,), operator=op, aside=why)

    return read


def _passed(trace: TorchTrace, call: TorchCall) -> None:
    trace.add(call, Same(), (trace.first(call),), passes=True)


def _placed(trace: TorchTrace, call: TorchCall) -> None:
    images = trace.images(call)
    trace.add(call, Same(tuple(trace.shape(name) for name in trace.sources(call) if name not in images)), images)


def _dropped(trace: TorchTrace, call: TorchCall) -> None:
    """Dropout hands its input on in inference."""
    active = bool(call.given.get("train", call.given.get("training", False))) and call.given.get("p", 0) > 0
    why = "in training it drops entries: model.eval()" if active else ""
    trace.add(call, Same(), (trace.first(call),), passes=not active, aside=why)


PLACES: dict[str, CallReading] = {
    **dict.fromkeys(_PLACES, _placed),
    **dict.fromkeys(_PASSES, _passed),
    **{kind: _function(kind) for kind in _FUNCTIONS},
    **dict.fromkeys(("add", "sub", "mul", "div"), _sum),
    **dict.fromkeys(("dropout", "feature_dropout", "alpha_dropout", "feature_alpha_dropout"), _dropped),
}
"""Functions by name, and how a call is read."""
