"""PyTorch's modules by class name and options, as nodes of a graph: what a printed model is made of."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from math import prod
from typing import Any

from symconv.doors import plain_integer
from symconv.errors import ArgumentError, NotSupportedError
from symconv.operators.convolution import PADDING_MODES
from symconv.operators.importers.functions import TORCH
from symconv.operators.importers.text import Written, read_written
from symconv.operators.importers.torch import axes_of_name, is_layer
from symconv.operators.networks.acts import Collapse, Mix, Product, Same
from symconv.operators.networks.builder import GraphBuilder
from symconv.operators.networks.moves import Reshape, Resize
from symconv.operators.networks.resizing import interpolated
from symconv.operators.networks.windows import Pad

__all__ = ["is_known", "laid"]

_PADDING = re.compile(r"(Zero|Constant|Reflection|Replication|Circular)Pad([123])d")
_PLACES = re.compile(
    r"ReLU6|RReLU|PReLU|ELU|SELU|CELU|GELU|SiLU|Mish|Softshrink|Softsign|Tanhshrink|LogSigmoid|Threshold"
    r"|Hard(tanh|shrink|swish|sigmoid)|QuantStub|DeQuantStub|FrozenBatchNorm2d|SyncBatchNorm"
)
_PASSES = re.compile(r"Identity|(Feature)?(Alpha)?Dropout([123]d)?")
_MODES = {"Reflection": "reflect", "Replication": "replicate", "Circular": "circular"}
assert set(_MODES.values()) < set(PADDING_MODES)


def laid(builder: GraphBuilder, label: str, layer: Written, source: str, place: str) -> str:
    """Add the nodes of a layer; gives the name of what comes out.

    Raises:
        NotSupportedError: for a layer that is not known; SymconvError where its options or sizes do not fit.
    """
    name, shape = layer.name, builder.shapes[source]
    here = label or name
    if is_layer(name):
        channels = shape[1] if name == "Unfold" else None
        sizes = shape[2:] if len(shape) - 2 == axes_of_name(name) else None  # of another number it is refused below
        read = read_written(layer, input_size=sizes, channels=channels)
        for note in read.notes:
            if note not in builder.graph.notes:
                builder.graph.notes.append(note)
        why = "" if read.exact else read.notes[0]
        return builder.operator(here, name, read.operator, source, place=place, aside=why)
    if name in TORCH:
        return _function(builder, here, layer, source, place)
    padding = _PADDING.fullmatch(name)
    if padding:
        return builder.add(here, name, _padded(layer, padding, len(shape)), source, place=place)
    if _PLACES.fullmatch(name):
        return builder.add(here, name, Same(), source, place=place)
    if _PASSES.fullmatch(name):
        return builder.add(here, name, Same(), source, passes=True, place=place)
    for known, read_one in _OTHERS.items():
        if re.fullmatch(known, name):
            return read_one(builder, here, layer, source)
    raise NotSupportedError(f"{name} is not a layer that is known here")


def is_known(name: str) -> bool:
    """Whether a class is one of the layers here."""
    patterns = (_PADDING, _PLACES, _PASSES, *map(re.compile, _OTHERS))
    return is_layer(name) or name in TORCH or any(pattern.fullmatch(name) for pattern in patterns)


def _option(layer: Written, name: str, place: int, default: Any) -> Any:
    """An option of a layer, by name or by its place."""
    if name in layer.keywords:
        return layer.keywords[name]
    return layer.positional[place] if len(layer.positional) > place else default


def _axis(layer: Written, value: object, rank: int) -> int:
    axis = plain_integer(f"{layer.name}: dim", value)
    if not -rank <= axis < rank:
        raise ArgumentError(f"{layer.name}: dim", axis, f"must be an axis of an array with {rank} of them")
    return axis % rank


def _function(builder: GraphBuilder, here: str, layer: Written, source: str, place: str) -> str:
    """What has an operator of its own where its input is what that takes, and acts on positions in any case."""
    name, shape = layer.name, builder.shapes[source]
    rank = len(shape)
    if name == "Flatten":
        start, end = (_axis(layer, _option(layer, *given), rank) for given in (("start_dim", 0, 1), ("end_dim", 1, -1)))
        target = (*shape[:start], prod(shape[start : end + 1]), *shape[end + 1 :])
        act: Any = Reshape(target)
        fits = start == 1 and end == rank - 1
    elif name == "Linear":
        outputs = plain_integer("Linear: out_features", _option(layer, "out_features", 1, None), 1)
        inputs = plain_integer("Linear: in_features", _option(layer, "in_features", 0, None), 1)
        act, fits = Product(("left",), (inputs, outputs)), rank == 2
    elif name in ("Softmax", "LogSoftmax"):
        axis = _option(layer, "dim", 0, None)
        act = Mix((_axis(layer, (0 if rank in (1, 3) else 1) if axis is None else axis, rank),))
        fits = rank == 2 and act.axes == (1,)
    elif name.endswith("Loss"):
        act, fits = Collapse(tuple(range(1, rank)), keep=False), True
    else:
        act, fits = Same(), True
    if not fits:
        return builder.add(here, name, act, source, place=place)
    try:
        read = read_written(layer, input_size=shape[2:] or (1,))
    except NotSupportedError as error:
        return builder.add(here, name, act, source, aside=str(error), place=place)
    for note in read.notes:
        if note not in builder.graph.notes:
            builder.graph.notes.append(note)
    return builder.add(here, name, act, source, operator=read.operator, place=place)


def _padded(layer: Written, found: re.Match[str], rank: int) -> Pad:
    """A padding layer; PyTorch begins with the last axis."""
    ndim = int(found[2])
    given = _option(layer, "padding", 0, None)
    sides = (given,) * (2 * ndim) if isinstance(given, int) else given
    if not isinstance(sides, tuple) or len(sides) != 2 * ndim or rank != ndim + 2:
        raise ArgumentError(
            f"{layer.name}: padding", given, f"must be one integer or {2 * ndim} of them, of an image of {ndim} axes"
        )
    pairs = tuple(zip(sides[::2], sides[1::2], strict=True))[::-1]
    return Pad(((0, 0), (0, 0), *pairs), _MODES.get(found[1], "zeros"))


def _plain(act: Callable[[Written, tuple[int, ...]], Any]) -> Callable[[GraphBuilder, str, Written, str], str]:
    def read(builder: GraphBuilder, here: str, layer: Written, source: str) -> str:
        return builder.add(here, layer.name, act(layer, builder.shapes[source]), source)

    return read


def _layer_norm(layer: Written, shape: tuple[int, ...]) -> Mix:
    sizes = _option(layer, "normalized_shape", 0, None)
    count = 1 if isinstance(sizes, int) else len(sizes) if isinstance(sizes, tuple) else 0
    if not 1 <= count < len(shape):
        raise ArgumentError(f"{layer.name}: normalized_shape", sizes, f"must be the last sizes of {shape}")
    return Mix(tuple(range(len(shape) - count, len(shape))))


def _glu(builder: GraphBuilder, here: str, layer: Written, source: str) -> str:
    rank = len(builder.shapes[source])
    return builder.gated(here, layer.name, _axis(layer, _option(layer, "dim", 0, -1), rank), source)


def _unflatten(layer: Written, shape: tuple[int, ...]) -> Reshape:
    axis = _axis(layer, _option(layer, "dim", 0, None), len(shape))
    sizes = _option(layer, "unflattened_size", 1, None)
    wanted = f"must be sizes with the product {shape[axis]}"
    if not isinstance(sizes, tuple) or not all(isinstance(n, int) and (n > 0 or n == -1) for n in sizes):
        raise ArgumentError("Unflatten: unflattened_size", sizes, wanted)
    known = prod(n for n in sizes if n != -1)
    full = tuple(shape[axis] // known if n == -1 else n for n in sizes)
    if prod(full) != shape[axis]:
        raise ArgumentError("Unflatten: unflattened_size", sizes, wanted)
    return Reshape((*shape[:axis], *full, *shape[axis + 1 :]))


def _image(layer: Written, shape: tuple[int, ...], name: str) -> tuple[int, ...]:
    """Batch, channels, the two sizes, and the factor of a shuffle."""
    factor = plain_integer(f"{layer.name}: {name}", _option(layer, name, 0, None), 1)
    if len(shape) != 4:
        raise NotSupportedError(f"{layer.name} takes images, and its input is {shape}")
    return (*shape, factor)


def _pixel_shuffle(builder: GraphBuilder, here: str, layer: Written, source: str) -> str:
    n, c, h, w, r = _image(layer, builder.shapes[source], "upscale_factor")
    if c % (r * r):
        raise ArgumentError("PixelShuffle: upscale_factor", r, f"must have a square that divides the {c} channels")
    split, whole = (n, c // (r * r), r, r, h, w), (n, c // (r * r), h * r, w * r)
    return builder.regrouped(here, layer.name, (split, whole), (0, 1, 4, 2, 5, 3), source)


def _pixel_unshuffle(builder: GraphBuilder, here: str, layer: Written, source: str) -> str:
    n, c, h, w, r = _image(layer, builder.shapes[source], "downscale_factor")
    if h % r or w % r:
        raise ArgumentError("PixelUnshuffle: downscale_factor", r, f"must divide the sizes {h} and {w}")
    split, whole = (n, c, h // r, r, w // r, r), (n, c * r * r, h // r, w // r)
    return builder.regrouped(here, layer.name, (split, whole), (0, 1, 3, 5, 2, 4), source)


def _channel_shuffle(builder: GraphBuilder, here: str, layer: Written, source: str) -> str:
    n, c, h, w, groups = _image(layer, builder.shapes[source], "groups")
    if c % groups:
        raise ArgumentError("ChannelShuffle: groups", groups, f"must divide the {c} channels")
    split, whole = (n, groups, c // groups, h, w), (n, c, h, w)
    return builder.regrouped(here, layer.name, (split, whole), (0, 2, 1, 3, 4), source)


_UPSAMPLED = {"nearest": "nearest", "linear": "linear", "bilinear": "linear", "trilinear": "linear", "bicubic": "cubic"}


def _upsample(layer: Written, shape: tuple[int, ...]) -> Resize:
    axes = len(shape) - 2
    mode = _option(layer, "mode", 2, "nearest") if layer.name == "Upsample" else "bilinear"
    mode = "nearest" if "Nearest" in layer.name else mode
    corners = _option(layer, "align_corners", 3, None) if layer.name == "Upsample" else "Bilinear" in layer.name
    sizes, scale = _option(layer, "size", 0, None), _option(layer, "scale_factor", 1, None)
    factors = scale if isinstance(scale, tuple) else (scale,) * axes
    if mode not in _UPSAMPLED or (sizes is None) == (scale is None):
        raise NotSupportedError(f"{layer.name} with mode={mode!r}, size={sizes!r}, scale_factor={scale!r} is not known")
    if sizes is None:
        if len(factors) != axes or not all(isinstance(f, int | float) and 0 < f < 1000 for f in factors):
            raise ArgumentError(f"{layer.name}: scale_factor", scale, "must be numbers above 0, one a spatial axis")
        ratios = [Fraction(str(f)) for f in factors]
        sizes = tuple(int(n * f) for n, f in zip(shape[2:], ratios, strict=True))
    else:
        sizes = sizes if isinstance(sizes, tuple) else (sizes,) * axes
        if len(sizes) != axes or not all(isinstance(n, int) and n > 0 for n in sizes):
            raise ArgumentError(f"{layer.name}: size", sizes, "must be integers >= 1, one a spatial axis")
        ratios = [Fraction(m, n) for m, n in zip(sizes, shape[2:], strict=True)]
    where = "align_corners" if corners else "asymmetric" if mode == "nearest" else "half_pixel"
    reads = (
        interpolated(n, m, ratio, _UPSAMPLED[mode], where, "floor")
        for n, m, ratio in zip(shape[2:], sizes, ratios, strict=True)
    )
    return Resize((None, None, *reads), (*shape[:2], *sizes))


_OTHERS: Mapping[str, Callable[[GraphBuilder, str, Written, str], str]] = {
    "InstanceNorm[123]d": _plain(lambda layer, shape: Mix(tuple(range(2, len(shape))))),
    "GroupNorm": _plain(lambda layer, shape: Mix(tuple(range(1, len(shape))))),
    "LayerNorm|RMSNorm": _plain(_layer_norm),
    "LocalResponseNorm|CrossMapLRN2d|Softmax2d": _plain(lambda layer, shape: Mix((1,))),
    "Softmin": _plain(lambda layer, shape: Mix((_axis(layer, _option(layer, "dim", 0, 1), len(shape)),))),
    "GLU": _glu,
    "Unflatten": _plain(_unflatten),
    "PixelShuffle": _pixel_shuffle,
    "PixelUnshuffle": _pixel_unshuffle,
    "ChannelShuffle": _channel_shuffle,
    "Upsample|UpsamplingNearest2d|UpsamplingBilinear2d": _plain(_upsample),
}
