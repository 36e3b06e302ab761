"""The nodes of an ONNX model that put entries elsewhere: other shapes, parts, orders and sizes of axes.

Source: the operator schemas of ONNX, opset 22, and of ONNX Runtime's own domain.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from symconv.errors import ArgumentError, NotSupportedError
from symconv.operators.flatten import Flatten
from symconv.operators.importers.onnx import attributes_of
from symconv.operators.networks.acts import Same
from symconv.operators.networks.graph import Vertex
from symconv.operators.networks.moves import Concat, Reshape, Resize, Slice, Transpose
from symconv.operators.networks.onnx_reader import NodeReading, OnnxReader
from symconv.operators.networks.resizing import interpolated
from symconv.operators.networks.staircase import Staircase
from symconv.operators.networks.windows import Pad

__all__ = ["AXES"]

_MODES = {"constant": "zeros", "reflect": "reflect", "edge": "replicate", "wrap": "circular"}


def _reshaped(reader: OnnxReader, node: Any, name: str) -> None:
    before, after = reader.shape(node.input[0]), reader.shape(node.output[0])
    flat = len(after) == 2 and len(before) >= 2 and after[0] == before[0] and after != before
    more: dict[str, Any] = {"operator": Flatten()} if flat else {"passes": after == before}
    reader.add(node, name, Reshape(after), node.input[:1], **more)


def _transposed(reader: OnnxReader, node: Any, name: str) -> None:
    rank = len(reader.shape(node.input[0]))
    order: Any = attributes_of(node).get("perm", tuple(range(rank))[::-1])
    if not isinstance(order, tuple) or sorted(order) != list(range(rank)):
        raise ArgumentError("Transpose: perm", order, f"must order the {rank} axes of {node.input[0]}")
    reader.add(node, name, Transpose(order), node.input[:1], passes=order == tuple(range(rank)))


def _expanded(reader: OnnxReader, node: Any, name: str) -> None:
    before, after = reader.shape(node.input[0]), reader.shape(node.output[0])
    if any(n not in (1, m) for n, m in zip(before[::-1], after[::-1], strict=False)):
        raise NotSupportedError(f"{node.op_type} repeats positions of its input")
    reader.add(node, name, Same((after,)), node.input[:1], passes=before == after)


def _sliced(reader: OnnxReader, node: Any, name: str) -> None:
    shape = reader.shape(node.input[0])
    rank = len(shape)
    if reader.known.opset < 10:
        options: Any = attributes_of(node)
        starts, ends, axes, steps = options["starts"], options["ends"], options.get("axes"), None
    else:
        starts, ends = reader.axes(node, 1, "starts"), reader.axes(node, 2, "ends")
        axes, steps = reader.axes(node, 3), reader.axes(node, 4, "steps")
    if starts is None or ends is None:
        raise NotSupportedError("Slice has no starts and ends")
    axes = tuple(range(len(starts))) if axes is None else axes
    steps = (1,) * len(starts) if steps is None else steps
    cuts: list[tuple[int, int, int] | None] = [None] * rank
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        n = shape[axis % rank]
        places = range(n)[slice(start, end, step)]
        cuts[axis % rank] = None if places == range(n) else (places.start, places.step, len(places))
    reader.add(node, name, Slice(tuple(cuts)), node.input[:1], passes=not any(cuts))


def _split(reader: OnnxReader, node: Any, name: str) -> None:
    shape, options = reader.shape(node.input[0]), attributes_of(node)
    axis = int(options.get("axis", 0)) % len(shape)  # type: ignore[call-overload]
    start = 0
    for output in node.output:
        count = reader.shape(output)[axis]
        cuts = tuple((start, 1, count) if at == axis else None for at in range(len(shape)))
        reader.nodes.append(Vertex(name, node.op_type, Slice(cuts), (node.input[0],), output))
        start += count


def _joined(reader: OnnxReader, node: Any, name: str) -> None:
    names = list(node.input)
    if node.op_type == "QLinearConcat":
        names = names[2::3]
    shapes = [reader.shape(entry) for entry in names]
    axis = int(attributes_of(node).get("axis", 1)) % len(shapes[0])  # type: ignore[call-overload]
    constant = [entry not in reader.live for entry in names]
    act = Concat.of(axis, [shape[axis] for shape in shapes], constant)
    reader.add(node, name, act, reader.images(node, names), passes=len(names) == 1)


def _gathered(reader: OnnxReader, node: Any, name: str) -> None:
    data, indices = node.input[:2]
    shape = reader.shape(data)
    axis = int(attributes_of(node).get("axis", 0)) % len(shape)  # type: ignore[call-overload]
    if data not in reader.live:  # rows of a table, by what the input says
        after = reader.shape(node.output[0])
        sizes = reader.shape(indices)
        full = (*shape[:axis], *sizes, *shape[axis + 1 :])
        ones = ((1,) * axis, sizes, (1,) * (len(shape) - axis - 1))
        between = f"{node.output[0]}/indices"
        if full != after:
            raise NotSupportedError("Gather gives another shape than its inputs say")
        reader.nodes.append(Vertex(name, "Gather", Reshape((*ones[0], *ones[1], *ones[2])), (indices,), between))
        reader.add(node, name, Same((full,)), (between,))
        return
    places = reader.known.small.get(indices)
    if places is None or places.dtype.kind not in "iu":
        raise NotSupportedError("Gather reads where its indices say")
    n = shape[axis]
    found = tuple(int(place) % n for place in places.ravel())
    between = f"{node.output[0]}/gathered"
    stairs = Staircase(found, 0, table=True)
    reads = tuple((stairs, stairs) if at == axis else None for at in range(len(shape)))
    target = (*shape[:axis], len(found), *shape[axis + 1 :])
    reader.nodes.append(Vertex(name, "Gather", Resize(reads, target), (data,), between))
    reader.add(node, name, Reshape((*shape[:axis], *places.shape, *shape[axis + 1 :])), (between,))


def _padded(reader: OnnxReader, node: Any, name: str) -> None:
    rank, options = len(reader.shape(node.input[0])), attributes_of(node)
    mode = _MODES.get(str(options.get("mode", "constant")))
    pads: Any = reader.axes(node, 1, "pads") if "paddings" not in options else options["paddings"]
    axes = reader.axes(node, 3) if len(node.input) > 3 and node.input[3] else tuple(range(rank))
    if mode is None or not pads or axes is None or len(pads) != 2 * len(axes):
        raise NotSupportedError(f"Pad with mode={options.get('mode')!r} and pads={pads!r} is not known here")
    pairs = [(0, 0)] * rank
    for place, axis in enumerate(axes):
        pairs[axis % rank] = (pads[place], pads[len(axes) + place])
    reader.add(node, name, Pad(tuple(pairs), mode), node.input[:1], passes=not any(map(any, pairs)))


def _shuffled(reader: OnnxReader, node: Any, name: str) -> None:
    shape, options = reader.shape(node.input[0]), attributes_of(node)
    b: Any = options.get("blocksize")
    n, c, h, w = shape
    if node.op_type == "DepthToSpace":
        crd = options.get("mode", "DCR") == "CRD"
        split = (n, c // (b * b), b, b, h, w) if crd else (n, b, b, c // (b * b), h, w)
        order = (0, 1, 4, 2, 5, 3) if crd else (0, 3, 4, 1, 5, 2)
    else:
        split, order = (n, c, h // b, b, w // b, b), (0, 3, 5, 1, 2, 4)
    first, second = f"{node.output[0]}/split", f"{node.output[0]}/turned"
    reader.nodes.append(Vertex(name, node.op_type, Reshape(split), (node.input[0],), first))
    reader.nodes.append(Vertex(name, node.op_type, Transpose(order), (first,), second))
    reader.add(node, name, Reshape(reader.shape(node.output[0])), (second,))


def _resized(reader: OnnxReader, node: Any, name: str) -> None:
    before, after, options = reader.shape(node.input[0]), reader.shape(node.output[0]), attributes_of(node)
    rank = len(before)
    place = 1 if node.op_type == "Upsample" or reader.known.opset < 11 else 2
    scales: Any = options.get("scales")
    if scales is None and len(node.input) > place and node.input[place] in reader.known.small:
        scales = tuple(float(entry) for entry in reader.known.small[node.input[place]].ravel())
    axes: Any = options.get("axes", tuple(range(rank)))
    factors: dict[int, Fraction] = {}
    for axis, scale in zip(axes, scales or (), strict=False):
        if scale > 0:
            factors[axis % rank] = Fraction(str(np.float32(scale)))
    if options.get("antialias"):
        raise NotSupportedError("Resize with antialias=1 is not known here")
    where = str(options.get("coordinate_transformation_mode", "half_pixel"))
    if node.op_type == "Upsample" or reader.known.opset < 11:
        where = "asymmetric"
    mode, nearest = str(options.get("mode", "nearest")), str(options.get("nearest_mode", "round_prefer_floor"))
    nearest = "floor" if node.op_type == "Upsample" or reader.known.opset < 11 else nearest
    reads = [
        None
        if n == m and factors.get(axis, 1) == 1
        else interpolated(n, m, factors.get(axis, Fraction(m, n)), mode, where, nearest)
        for axis, (n, m) in enumerate(zip(before, after, strict=True))
    ]
    reader.add(node, name, Resize(tuple(reads), after), node.input[:1], passes=not any(reads))


AXES: Mapping[str, NodeReading] = {
    **dict.fromkeys(("Reshape", "Flatten", "Squeeze", "Unsqueeze"), _reshaped),
    **dict.fromkeys(("Expand", "Tile"), _expanded),
    **dict.fromkeys(("Concat", "QLinearConcat"), _joined),
    **dict.fromkeys(("DepthToSpace", "SpaceToDepth"), _shuffled),
    **dict.fromkeys(("Resize", "Upsample"), _resized),
    "Transpose": _transposed,
    "Slice": _sliced,
    "Split": _split,
    "Gather": _gathered,
    "Pad": _padded,
}
"""Nodes by kind, and how each is read."""
