"""ONNX's nodes as operators: Conv, ConvTranspose, the poolings, MaxUnpool and Col2Im.

A node is read by its ``op_type`` and its attribute list; onnx is not imported. Where ONNX's defaults differ from
PyTorch's they are ONNX's: strides are 1, an average leaves the padding out, pads list all begins, then all ends.
Source: the operator schemas of ONNX, opset 22.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from symconv.errors import ArgumentError, NotSupportedError
from symconv.operators.adaptive import AdaptiveAvgPool, AdaptiveMaxPool
from symconv.operators.base import Operator
from symconv.operators.convolution import Conv
from symconv.operators.importers.functions import ONNX, axes_of_size, function_of
from symconv.operators.importers.imported import Imported, Options, sizes_of
from symconv.operators.kinds import Flag, PerAxis
from symconv.operators.option import option_fields
from symconv.operators.patches import Fold
from symconv.operators.pooling import AvgPool, LPPool, MaxPool
from symconv.operators.transposed import ConvTranspose
from symconv.operators.unpooling import MaxUnpool

__all__ = ["NODES", "attributes_of", "from_onnx", "plain_options", "read_node"]

_AUTO_PAD = {"SAME_UPPER": "same_upper", "SAME_LOWER": "same_lower", "VALID": "valid", "NOTSET": None}
_FLOAT, _INT, _STRING, _FLOATS, _INTS = 1, 2, 3, 6, 7  # the numbers of AttributeProto.AttributeType


@dataclass(frozen=True)
class _Node:
    """What a reader of one kind of node is given."""

    kind: str
    options: Options
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    weight_shape: tuple[int, ...] | None
    input_size: tuple[int, ...] | None
    ndim: int | None
    image_shape: tuple[int, ...] | None
    block_shape: tuple[int, ...] | None
    channels: int


def from_onnx(
    node: object,
    *,
    weight_shape: Sequence[int] | None = None,
    input_size: Sequence[int] | None = None,
    ndim: int | None = None,
    image_shape: Sequence[int] | None = None,
    block_shape: Sequence[int] | None = None,
    channels: int = 1,
) -> Operator:
    """The operator that an ONNX node computes.

    Args:
        node: a NodeProto, or anything with ``op_type``, ``attribute``, ``input`` and ``output``: Conv, ConvTranspose,
            MaxPool, AveragePool, LpPool, GlobalAveragePool, GlobalMaxPool, GlobalLpPool, MaxUnpool or Col2Im; Relu,
            LeakyRelu, Sigmoid, Tanh, Softplus, Softmax, LogSoftmax, Gemm, MatMul by a constant, Flatten, Add, Sum,
            BatchNormalization or SoftmaxCrossEntropyLoss.
        weight_shape: the shape of the weight of Conv ``(out, in/group, *kernel)`` or ConvTranspose
            ``(in, out/group, *kernel)``, which gives the channels; of the second input of Gemm, MatMul and
            BatchNormalization. Without it the ``kernel_shape`` attribute gives the
            kernel, and there is one channel.
        input_size: the spatial sizes of the input; GlobalLpPool and the ``output_shape`` of ConvTranspose need them.
        ndim: the number of spatial axes of a global pooling, where `input_size` is not given; 2 unless given, and 1
            for a function of single entries.
        image_shape, block_shape: the second and third input of Col2Im, which are no attributes.
        channels: the number of channels of the image of Col2Im.

    Raises:
        NotSupportedError: for another op_type, or an attribute that is not known, by its name.
        ArgumentError: for an attribute that is not what it must be, or an argument that is needed.

    Warns:
        ConventionWarning: where implementations of ONNX differ for this node.

    >>> class Node:
    ...     op_type, attribute, input, output = "Conv", (), ("x", "w"), ("y",)
    >>> from_onnx(Node(), weight_shape=(64, 3, 7, 7))
    Conv(kernel_size=(7, 7), in_channels=3, out_channels=64)
    """
    read = read_node(
        node,
        weight_shape=weight_shape,
        input_size=input_size,
        ndim=ndim,
        image_shape=image_shape,
        block_shape=block_shape,
        channels=channels,
    )
    return read.announced()


def read_node(
    node: Any,
    *,
    weight_shape: Sequence[int] | None = None,
    input_size: Sequence[int] | None = None,
    ndim: int | None = None,
    image_shape: Sequence[int] | None = None,
    block_shape: Sequence[int] | None = None,
    channels: int = 1,
) -> Imported:
    """The operator of an ONNX node, with notes; see `from_onnx`."""
    kind = getattr(node, "op_type", None)
    domain = getattr(node, "domain", "")
    if kind in ONNX and domain in ("", "ai.onnx"):
        given = {**attributes_of(node), "weight_shape": weight_shape, "bias": _third_input(node)}
        return function_of(ONNX, kind, given, axes_of_size(input_size, ndim), ("weight_shape", "bias"))
    if kind not in NODES or domain not in ("", "ai.onnx"):
        shown = f"{domain}.{kind}" if domain else kind
        raise NotSupportedError(f"{shown} is not a node with windows that is known here; known are {', '.join(NODES)}")

    def shape(argument: str, value: Sequence[int] | None) -> tuple[int, ...] | None:
        return None if value is None else sizes_of(argument, value)

    options = Options(kind, attributes_of(node))
    return NODES[kind](
        _Node(
            kind,
            options,
            tuple(getattr(node, "input", ())),
            tuple(getattr(node, "output", ())),
            shape("weight_shape", weight_shape),
            shape("input_size", input_size),
            ndim,
            shape("image_shape", image_shape),
            shape("block_shape", block_shape),
            channels,
        )
    )


def attributes_of(node: Any) -> dict[str, object]:
    """The attributes of a node by name, as Python values.

    Raises:
        NotSupportedError: for an attribute that is no number, no string and no list of numbers.
    """
    found: dict[str, object] = {}
    for attribute in getattr(node, "attribute", ()):
        kind = attribute.type
        if kind == _INT:
            found[attribute.name] = int(attribute.i)
        elif kind == _FLOAT:
            found[attribute.name] = float(attribute.f)
        elif kind == _STRING:
            found[attribute.name] = bytes(attribute.s).decode("utf-8", "replace")
        elif kind == _INTS:
            found[attribute.name] = tuple(int(entry) for entry in attribute.ints)
        elif kind == _FLOATS:
            found[attribute.name] = tuple(float(entry) for entry in attribute.floats)
        else:
            raise NotSupportedError(f"attribute {attribute.name!r} of {node.op_type} is no number, string or list")
    return found


def _integers(node: _Node, name: str, default: tuple[int, ...] | None = None) -> tuple[int, ...] | None:
    """An attribute that is a list of integers, or its default."""
    value = node.options.take(name, default)
    if value is not None and not (isinstance(value, tuple) and all(isinstance(entry, int) for entry in value)):
        raise ArgumentError(f"{node.kind}: {name}", value, "must be a list of integers")
    return value


def _each_axis(node: _Node, name: str, ndim: int, default: int = 1) -> tuple[int, ...]:
    """An attribute with one integer an axis."""
    value = _integers(node, name, (default,) * ndim)
    if value is None or len(value) != ndim:
        raise ArgumentError(f"{node.kind}: {name}", value, f"must have {ndim} entries, one a spatial axis")
    return value


def plain_options(node: _Node, kind: type[Operator], ndim: int) -> dict[str, Any]:
    """The options of an operator whose attribute says the same under another name; where it is missing, it is neutral.

    Strides and dilations are ones unless given, and no size is rounded up.
    """
    found: dict[str, Any] = {}
    for name, (option, _) in option_fields(kind).items():
        attribute = option.known_as.get("onnx", "")
        if attribute and isinstance(option.kind, PerAxis):
            found[name] = _each_axis(node, attribute, ndim, option.neutral)
        elif attribute and isinstance(option.kind, Flag):
            found[name] = _flag(node, attribute, int(option.neutral))
        elif attribute:
            found[name] = node.options.take(attribute, option.neutral)
    return found


def _padding(node: _Node, ndim: int) -> Any:
    """The padding as pairs, or the name of a rule: pads lists all begins, then all ends."""
    rule = node.options.take("auto_pad", "NOTSET")
    pads = _integers(node, "pads")
    if rule not in _AUTO_PAD:
        raise ArgumentError(f"{node.kind}: auto_pad", rule, f"must be one of {', '.join(_AUTO_PAD)}")
    if _AUTO_PAD[rule] is not None:
        if pads is not None and any(pads):
            raise ArgumentError(f"{node.kind}: pads", pads, f"must not be given beside auto_pad={rule}")
        return _AUTO_PAD[rule]
    pads = (0,) * (2 * ndim) if pads is None else pads
    if len(pads) != 2 * ndim:
        raise ArgumentError(f"{node.kind}: pads", pads, f"must have {2 * ndim} entries: all begins, then all ends")
    return tuple(zip(pads[:ndim], pads[ndim:], strict=True))


def _kernel(node: _Node, channels: bool) -> tuple[int, ...]:
    """The kernel: the attribute, or the end of the weight's shape; where both are there they must agree."""
    stated = _integers(node, "kernel_shape")
    weights = node.weight_shape
    if weights is not None and len(weights) < 3:
        raise ArgumentError("weight_shape", weights, "must be (channels, channels per group, *kernel)")
    if stated is None and (weights is None or not channels):
        fix = "give weight_shape, the shape of the node's second input" if channels else ""
        raise ArgumentError(f"{node.kind}: kernel_shape", None, "must be given", fix)
    if stated is not None and weights is not None and tuple(stated) != weights[2:]:
        raise ArgumentError(f"{node.kind}: kernel_shape", stated, f"must agree with the weight's shape {weights}")
    if stated is not None:
        return tuple(stated)
    assert weights is not None
    return weights[2:]


def _flag(node: _Node, name: str, default: int = 0) -> bool:
    value = node.options.take(name, default)
    if value not in (0, 1):
        raise ArgumentError(f"{node.kind}: {name}", value, "must be 0 or 1")
    return bool(value)


def _channels(node: _Node, transposed: bool) -> dict[str, Any]:
    """The channels on both sides: the weight is (out, in/group, ...), transposed (in, out/group, ...)."""
    group = node.options.take("group", 1)
    if not isinstance(group, int) or group < 1:
        raise ArgumentError(f"{node.kind}: group", group, "must be an integer >= 1")
    if node.weight_shape is None:
        if group != 1:
            raise ArgumentError(
                f"{node.kind}: group", group, "needs the channels", "give weight_shape, the shape of the second input"
            )
        return {"in_channels": 1, "out_channels": 1, "groups": 1}
    first, second = node.weight_shape[0], node.weight_shape[1] * group
    here, there = (first, second) if transposed else (second, first)
    return {"in_channels": here, "out_channels": there, "groups": group}


def _bias(node: _Node) -> bool:
    return _third_input(node, node.inputs)


def _third_input(node: Any, inputs: Sequence[str] | None = None) -> bool:
    """Whether a node has its third input, which may be left out."""
    given = tuple(getattr(node, "input", ())) if inputs is None else inputs
    return len(given) > 2 and bool(given[2])


def _conv(node: _Node) -> Imported:
    kernel = _kernel(node, channels=True)
    options = plain_options(node, Conv, len(kernel))
    padding, channels = _padding(node, len(kernel)), _channels(node, transposed=False)
    node.options.done()
    return Imported(Conv(kernel, padding=padding, bias=_bias(node), **options, **channels))


def _transposed(node: _Node) -> Imported:
    kernel = _kernel(node, channels=True)
    ndim = len(kernel)
    options = plain_options(node, ConvTranspose, ndim)
    steps = (options["stride"], options["dilation"])
    extra = _each_axis(node, "output_padding", ndim, 0)
    wanted = _integers(node, "output_shape")
    channels = _channels(node, transposed=True)
    notes: list[str] = []
    if wanted is not None:
        upper = node.options.take("auto_pad", "NOTSET") == "SAME_UPPER"
        node.options.ignore(("pads",))  # the shape decides
        padding, extra = _for_shape(node, wanted, kernel, steps, extra, upper, notes)
    else:
        padding = _padding(node, ndim)
        if isinstance(padding, str) and padding != "valid":
            gaps = [s > d * (k - 1) + 1 + a for k, s, d, a in zip(kernel, *steps, extra, strict=True)]
            if any(gaps):
                notes.append(_EXTENDED)
    node.options.done()
    extended: dict[str, Any] = {"output_padding": tuple(extra), "bias": _bias(node)}
    op = ConvTranspose(kernel, padding=padding, **extended, **options, **channels)
    return Imported(op, tuple(notes), exact=not notes)


_EXTENDED = (
    "the asked size of this ConvTranspose is larger than what its kernels cover; implementations differ there, and "
    "here the output is extended after its end"
)


def _for_shape(
    node: _Node,
    wanted: tuple[int, ...],
    kernel: tuple[int, ...],
    steps: tuple[tuple[int, ...], tuple[int, ...]],
    extra: tuple[int, ...],
    upper: bool,
    notes: list[str],
) -> tuple[Any, tuple[int, ...]]:
    """The padding, and the output padding, that give the output shape of a transposed convolution."""
    ndim = len(kernel)
    if node.input_size is None:
        raise ArgumentError(
            "ConvTranspose: output_shape", wanted, "needs the input size", "give input_size, its spatial sizes"
        )
    sizes = sizes_of("input_size", node.input_size, ndim)
    pairs, extended = [], list(extra)
    for axis, size in enumerate(sizes_of("ConvTranspose: output_shape", wanted[-ndim:], ndim)):
        free = ConvTranspose(
            kernel[axis : axis + 1],
            steps[0][axis],
            output_padding=extra[axis],
            dilation=steps[1][axis],
        )
        surplus = int(free.output_size(sizes[axis])[0]) - size
        if surplus < 0:
            extended[axis] -= surplus
            notes.append(_EXTENDED)
        total = max(surplus, 0)
        first = total // 2 if upper else total - total // 2
        pairs.append((first, total - first))
    return tuple(pairs), tuple(extended)


def _pool_options(node: _Node, kind: type[Operator]) -> tuple[tuple[int, ...], dict[str, Any]]:
    kernel = _kernel(node, channels=False)
    return kernel, {**plain_options(node, kind, len(kernel)), "padding": _padding(node, len(kernel))}


_CEILED = (
    "for auto_pad=VALID with ceil_mode=1 the text of ONNX's schema gives ceil((n - k + 1) / s) outputs, and ONNX "
    "Runtime and onnx itself ceil((n - k) / s) + 1, as here"
)


def _rounded(options: dict[str, Any]) -> tuple[str, ...]:
    """Where implementations and the text of the schema differ in the size of a pooling."""
    return (_CEILED,) if options["padding"] == "valid" and options.get("ceil_mode") else ()


def _max_pool(node: _Node) -> Imported:
    kernel, options = _pool_options(node, MaxPool)
    indices = len(node.outputs) > 1 and bool(node.outputs[1])
    if _flag(node, "storage_order") and indices:
        raise NotSupportedError(
            "MaxPool with storage_order=1 counts its indices down the columns, and indices here are row-major; use "
            "storage_order=0 (the values are the same)"
        )
    node.options.done()
    return Imported(MaxPool(kernel, **options), (*((_POSITIONS,) if indices else ()), *_rounded(options)))


def _average_pool(node: _Node) -> Imported:
    kernel, options = _pool_options(node, AvgPool)
    include = _flag(node, "count_include_pad")
    node.options.done()
    return Imported(AvgPool(kernel, count_include_pad=include, **options), _rounded(options))


def _lp_pool(node: _Node) -> Imported:
    kernel, options = _pool_options(node, LPPool)
    p = node.options.take("p", 2)
    node.options.done()
    return Imported(LPPool(p, kernel, **options))


def _axes(node: _Node) -> int:
    """The number of spatial axes of a global pooling."""
    if node.input_size is None:
        return 2 if node.ndim is None else node.ndim
    if node.ndim not in (None, len(node.input_size)):
        raise ArgumentError("ndim", node.ndim, f"must be the number of entries of input_size={node.input_size}")
    return len(node.input_size)


def _global_average(node: _Node) -> Imported:
    node.options.done()
    return Imported(AdaptiveAvgPool(1, ndim=_axes(node)))


def _global_maximum(node: _Node) -> Imported:
    node.options.done()
    return Imported(AdaptiveMaxPool(1, ndim=_axes(node)))


def _global_lp(node: _Node) -> Imported:
    p = node.options.take("p", 2)
    node.options.done()
    if node.input_size is None:
        raise ArgumentError(
            "GlobalLpPool: input_size", None, "must be given", "its one window is as large as the input"
        )
    return Imported(LPPool(p, node.input_size))


_POSITIONS = (
    "ONNX counts the indices of a max pooling through batch and channels; here they count within one plane, as in "
    "PyTorch"
)


def _max_unpool(node: _Node) -> Imported:
    kernel = _kernel(node, channels=False)
    strides = plain_options(node, MaxUnpool, len(kernel))["stride"]
    padding = _padding(node, len(kernel))
    node.options.done()
    if len(node.inputs) > 2 and node.inputs[2]:
        raise NotSupportedError(
            "MaxUnpool with a third input, output_shape, sets its output into a larger image, a step of its own; leave "
            "the input out and pad the output"
        )
    op = MaxUnpool(kernel, strides, padding)
    overlap = any(s < k for s, k in zip(strides, kernel, strict=True))
    note = "where windows overlap two entries can have one position: runtimes keep one of them, and MaxUnpool adds them"
    return Imported(op, (_POSITIONS, note) if overlap else (_POSITIONS,), exact=not overlap)


def _col2im(node: _Node) -> Imported:
    for name, value in (("image_shape", node.image_shape), ("block_shape", node.block_shape)):
        if value is None:
            raise ArgumentError(
                f"Col2Im: {name}", None, "must be given", "it is an input of the node, not an attribute"
            )
    assert node.image_shape is not None
    assert node.block_shape is not None
    ndim = len(node.block_shape)
    options = plain_options(node, Fold, ndim)
    padding = _padding(node, ndim)
    node.options.done()
    fold = Fold(node.image_shape, node.block_shape, padding=padding, in_channels=node.channels, **options)
    return Imported(fold)


NODES: dict[str, Callable[[_Node], Imported]] = {
    "Conv": _conv,
    "ConvTranspose": _transposed,
    "MaxPool": _max_pool,
    "AveragePool": _average_pool,
    "LpPool": _lp_pool,
    "GlobalAveragePool": _global_average,
    "GlobalMaxPool": _global_maximum,
    "GlobalLpPool": _global_lp,
    "MaxUnpool": _max_unpool,
    "Col2Im": _col2im,
}
"""The kinds of nodes that are operators here."""
