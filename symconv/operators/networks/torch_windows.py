"""The calls of a PyTorch model that are layers with windows.

Source: the schemas of ``torch.ops.aten``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symconv.errors import NotSupportedError
from symconv.operators.importers.imported import Imported
from symconv.operators.importers.torch import read_layer
from symconv.operators.networks.acts import Same
from symconv.operators.networks.moves import Reshape
from symconv.operators.networks.torch_trace import CallReading, TorchCall, TorchTrace
from symconv.operators.networks.windows import Windowing

__all__ = ["WINDOWED"]


def _each(value: Any, axes: int) -> tuple[int, ...]:
    """One integer an axis."""
    entries = tuple(value) if isinstance(value, list | tuple) else (value,)
    return entries * axes if len(entries) == 1 else entries


def _layer(trace: TorchTrace, call: TorchCall, read: Imported, weights: Mapping[str, Any]) -> None:
    """Add a layer with windows."""
    source = trace.first(call)
    for note in read.notes:
        if note not in trace.graph.notes:
            trace.graph.notes.append(note)
    extra = tuple(value.name for value in weights.values() if getattr(value, "name", None) in trace.live)
    loads = {role: trace.loader(value) for role, value in weights.items() if value is not None}
    aside = read.notes[0] if not read.exact else ""
    aside = aside or ("its weight is computed" if None in loads.values() else "")
    several = f"{call.output}[0]" in trace.graph.shapes
    output = f"{call.output}[0]" if several else call.output
    shape, after = trace.shape(source), trace.shape(output)
    alone = len(shape) == (read.operator.spatial_axes or 0) + 1  # an image without a batch
    if alone:
        aside = aside or "an image without a batch is none of a Network"
        trace.add(call, Reshape((1, *shape)), (source,), output=f"{output}/batch", aside=aside)
        source = f"{output}/batch"
    trace.add(
        call,
        Windowing(read.operator),
        (source, *extra),
        output=f"{output}/one" if alone else output,
        listed=True,
        operator=None if aside else read.operator,
        weights={role: load for role, load in loads.items() if load is not None},
        arrays=trace.counted(*weights.values()) if weights else None,
        aside=aside,
    )
    if alone:
        trace.add(call, Reshape(after), (f"{output}/one",), output=output)
    if several:  # the places of maxima
        trace.add(call, Same(), (output,), output=f"{call.output}[1]")


def _convolution(transposed: bool) -> CallReading:
    def read(trace: TorchTrace, call: TorchCall) -> None:
        given = call.given
        weight = trace.shape(given["weight"])
        axes, groups = len(weight) - 2, given.get("groups", 1)
        flipped = transposed or bool(given.get("transposed"))
        first, second = weight[0], weight[1] * groups
        options = {
            "in_channels": first if flipped else second,
            "out_channels": second if flipped else first,
            "kernel_size": weight[2:],
            "stride": _each(given.get("stride", 1), axes),
            "padding": given["padding"]
            if isinstance(given.get("padding"), str)
            else _each(given.get("padding", 0), axes),
            "dilation": _each(given.get("dilation", 1), axes),
            "groups": groups,
            "bias": given.get("bias") is not None,
        }
        if flipped:
            options["output_padding"] = _each(given.get("output_padding", 0), axes)
        found = read_layer(f"Conv{'Transpose' if flipped else ''}{axes}d", options)
        weights = {"weight": given["weight"]}
        if given.get("bias") is not None:
            weights["bias"] = given["bias"]
        _layer(trace, call, found, weights)

    return read


def _pooling(family: str, axes: int) -> CallReading:
    def read(trace: TorchTrace, call: TorchCall) -> None:
        options: dict[str, Any] = {}
        for name in ("kernel_size", "stride", "padding", "dilation"):
            if name in call.given and call.given[name] not in ([], None):
                options[name] = _each(call.given[name], axes)
        for name in ("ceil_mode", "count_include_pad", "divisor_override"):
            if name in call.given:
                options[name] = call.given[name]
        if family.startswith("Adaptive"):
            options = {"output_size": _each(call.given["output_size"], axes)}
        sizes = trace.shape(trace.first(call))[-axes:]
        _layer(trace, call, read_layer(f"{family}{axes}d", options, input_size=sizes), {})

    return read


def _patches(trace: TorchTrace, call: TorchCall) -> None:
    shape = trace.shape(trace.first(call))
    options = {name: _each(call.given[name], 2) for name in ("kernel_size", "dilation", "padding", "stride")}
    _layer(trace, call, read_layer("Unfold", options, channels=shape[-3]), {})


def _unknown(reason: str) -> CallReading:
    def read(trace: TorchTrace, call: TorchCall) -> None:
        raise NotSupportedError(reason)

    return read


WINDOWED: dict[str, CallReading] = {
    "convolution": _convolution(False),
    "im2col": _patches,
    "col2im": _unknown("it puts patches together"),
    "conv_tbc": _unknown("its axes are in another order"),
    **dict.fromkeys(("fractional_max_pool2d", "fractional_max_pool3d"), _unknown("its windows are drawn at random")),
}
for _axes in (1, 2, 3):
    WINDOWED |= {
        f"conv{_axes}d": _convolution(False),
        f"conv_transpose{_axes}d": _convolution(True),
        f"max_pool{_axes}d": _pooling("MaxPool", _axes),
        f"max_pool{_axes}d_with_indices": _pooling("MaxPool", _axes),
        f"avg_pool{_axes}d": _pooling("AvgPool", _axes),
        f"adaptive_avg_pool{_axes}d": _pooling("AdaptiveAvgPool", _axes),
        f"adaptive_max_pool{_axes}d": _pooling("AdaptiveMaxPool", _axes),
        f"max_unpool{_axes}d": _unknown("it puts entries where its indices say"),
    }
"""Layers with windows, and how each is read."""
