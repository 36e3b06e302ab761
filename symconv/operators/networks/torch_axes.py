"""The calls of a PyTorch model that put entries elsewhere: other shapes, parts, orders and sizes of axes.

Source: the schemas of ``torch.ops.aten``.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from symconv.operators.flatten import Flatten
from symconv.operators.networks.acts import Same, Shape
from symconv.operators.networks.moves import Concat, Reshape, Resize, Slice, Transpose
from symconv.operators.networks.resizing import interpolated
from symconv.operators.networks.torch_trace import CallReading, TorchCall, TorchTrace, place_of
from symconv.operators.networks.windows import Pad

__all__ = ["AXES"]


def _reshaped(trace: TorchTrace, call: TorchCall) -> None:
    source = trace.first(call)
    before, after = trace.shape(source), trace.shape(call.output)
    flat = len(after) == 2 and len(before) >= 2 and after[0] == before[0] and after != before
    more: dict[str, Any] = {"operator": Flatten()} if flat else {"passes": before == after}
    trace.add(call, Reshape(after), (source,), **more)


def _permuted(trace: TorchTrace, call: TorchCall) -> None:
    source = trace.first(call)
    rank = len(trace.shape(source))
    if "dims" in call.given:
        order = tuple(place_of(axis, rank) for axis in call.given["dims"])
    else:
        one, other = (place_of(call.given.get(name, place), rank) for place, name in enumerate(("dim0", "dim1")))
        order = tuple(other if axis == one else one if axis == other else axis for axis in range(rank))
    trace.add(call, Transpose(order), (source,))


def _cut(trace: TorchTrace, call: TorchCall, axis: int, places: range, output: str) -> None:
    source = trace.first(call)
    rank = len(trace.shape(source))
    cut = (places.start, places.step, len(places))
    trace.add(call, Slice(tuple(cut if at == axis else None for at in range(rank))), (source,), output=output)


def _sliced(trace: TorchTrace, call: TorchCall) -> None:
    shape = trace.shape(trace.first(call))
    axis = place_of(call.given.get("dim", 0), len(shape))
    places = range(shape[axis])[slice(call.given.get("start"), call.given.get("end"), call.given.get("step", 1))]
    _cut(trace, call, axis, places, call.output)


def _selected(trace: TorchTrace, call: TorchCall) -> None:
    shape = trace.shape(trace.first(call))
    axis = place_of(call.given["dim"], len(shape))
    place = place_of(call.given["index"], shape[axis])
    between = f"{call.output}/cut"
    _cut(trace, call, axis, range(place, place + 1), between)
    trace.add(call, Reshape((*shape[:axis], *shape[axis + 1 :])), (between,))


def _split(trace: TorchTrace, call: TorchCall) -> None:
    """Parts of an axis, one result each; without the axis where it is unbound."""
    shape = trace.shape(trace.first(call))
    axis, start = place_of(call.given.get("dim", 0), len(shape)), 0
    place = 0
    while (part := trace.graph.shapes.get(f"{call.output}[{place}]")) is not None:
        output = f"{call.output}[{place}]"
        unbound = len(part) < len(shape)
        count = 1 if unbound else part[axis]
        between = f"{output}/cut" if unbound else output
        _cut(trace, call, axis, range(start, start + count), between)
        if unbound:
            trace.add(call, Reshape(part), (between,), output=output)
        start, place = start + count, place + 1


def _joined(trace: TorchTrace, call: TorchCall) -> None:
    names = [value.name for value in call.given["tensors"]]
    shapes = [trace.shape(name) for name in names]
    axis = place_of(call.given.get("dim", 0), len(shapes[0]))
    constant = [name not in trace.live for name in names]
    trace.add(call, Concat.of(axis, [shape[axis] for shape in shapes], constant), trace.images(call))


_MODES = {"constant": "zeros", "reflect": "reflect", "replicate": "replicate", "circular": "circular"}


def _padded(trace: TorchTrace, call: TorchCall) -> None:
    source = trace.first(call)
    rank, pads = len(trace.shape(source)), list(call.given["pad"])
    pairs = [(0, 0)] * rank
    for place in range(len(pads) // 2):
        pairs[rank - 1 - place] = (pads[2 * place], pads[2 * place + 1])
    trace.add(call, Pad(tuple(pairs), _MODES[call.given.get("mode", "constant")]), (source,))


def _expanded(trace: TorchTrace, call: TorchCall) -> None:
    trace.add(call, Same((trace.shape(call.output),)), (trace.first(call),))


def _upsampled(mode: str) -> CallReading:
    def read(trace: TorchTrace, call: TorchCall) -> None:
        source = trace.first(call)
        before, after = trace.shape(source), trace.shape(call.output)
        scales = call.given.get("scale_factors") or (None,) * (len(before) - 2)
        where = "asymmetric" if mode == "nearest" else "half_pixel"
        where = "align_corners" if call.given.get("align_corners") else where
        reads = [
            interpolated(n, m, Fraction(m, n) if s is None else Fraction(str(s)), mode, where, "floor")
            for n, m, s in zip(before[2:], after[2:], scales, strict=True)
        ]
        trace.add(call, Resize((None, None, *reads), after), (source,))

    return read


def _shuffled(trace: TorchTrace, call: TorchCall) -> None:
    source, kind = trace.first(call), call.given[""]
    n, c, h, w = trace.shape(source)
    split: Shape
    order: Shape
    if kind == "pixel_shuffle":
        r = call.given["upscale_factor"]
        split, order = (n, c // (r * r), r, r, h, w), (0, 1, 4, 2, 5, 3)
    elif kind == "pixel_unshuffle":
        r = call.given["downscale_factor"]
        split, order = (n, c, h // r, r, w // r, r), (0, 1, 3, 5, 2, 4)
    else:
        split, order = (n, call.given["groups"], c // call.given["groups"], h, w), (0, 2, 1, 3, 4)
    first, second = f"{call.output}/split", f"{call.output}/turned"
    trace.add(call, Reshape(split), (source,), output=first)
    trace.add(call, Transpose(order), (first,), output=second)
    trace.add(call, Reshape(trace.shape(call.output)), (second,))


def _gated(trace: TorchTrace, call: TorchCall) -> None:
    shape = trace.shape(trace.first(call))
    axis = place_of(call.given.get("dim", -1), len(shape))
    half = shape[axis] // 2
    parts = (f"{call.output}/0", f"{call.output}/1")
    for place, output in enumerate(parts):
        _cut(trace, call, axis, range(place * half, (place + 1) * half), output)
    trace.add(call, Same(), parts)


AXES: dict[str, CallReading] = {
    **dict.fromkeys(
        ("view", "reshape", "flatten", "squeeze", "unsqueeze", "unflatten", "_unsafe_view", "view_as"), _reshaped
    ),
    **dict.fromkeys(("permute", "transpose", "t"), _permuted),
    "slice": _sliced,
    "select": _selected,
    **dict.fromkeys(("split", "split_with_sizes", "chunk", "unbind"), _split),
    **dict.fromkeys(("cat", "concat", "concatenate"), _joined),
    "pad": _padded,
    **dict.fromkeys(("expand", "expand_as"), _expanded),
    **dict.fromkeys(("upsample_nearest1d", "upsample_nearest2d", "upsample_nearest3d"), _upsampled("nearest")),
    **dict.fromkeys(("upsample_linear1d", "upsample_bilinear2d", "upsample_trilinear3d"), _upsampled("linear")),
    "upsample_bicubic2d": _upsampled("cubic"),
    **dict.fromkeys(("pixel_shuffle", "pixel_unshuffle", "channel_shuffle"), _shuffled),
    "glu": _gated,
}
"""Functions by name, and how a call is read."""
