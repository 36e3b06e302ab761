"""The layers of Keras that are about axes: padding, cutting, upsampling, joining, norms, other shapes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from math import prod
from typing import Any

from symconv.errors import ArgumentError, NotSupportedError
from symconv.operators.importers.imported import sizes_of
from symconv.operators.networks.acts import Mix, Shape
from symconv.operators.networks.builder import GraphBuilder
from symconv.operators.networks.moves import Concat, Reshape, Resize
from symconv.operators.networks.resizing import interpolated
from symconv.operators.networks.windows import Pad

__all__ = ["KERAS_AXES", "KERAS_NUMBERED", "KerasLayout", "turned"]


class KerasLayout:
    """Where a model of Keras has its channels, and the nodes that are made of it so far.

    Attributes:
        builder: the nodes.
        first: whether the channels come first in the model.
    """

    def __init__(self, builder: GraphBuilder, first: bool) -> None:
        self.builder, self.first = builder, first

    def turned(self, shape: Shape) -> Shape:
        """A shape of Keras with its channels first."""
        return turned(shape, self.first)

    def axis(self, axis: Any, rank: int) -> int:
        """An axis of Keras, where the channels are first."""
        if not isinstance(axis, int) or not -rank <= axis < rank:
            raise ArgumentError("axis", axis, f"must be an axis of an array with {rank} of them")
        place = axis % rank
        return place if self.first or rank < 3 or place == 0 else 1 if place == rank - 1 else place + 1


def turned(shape: Shape, first: bool) -> Shape:
    """A shape of Keras with its channels first; `first` where they are."""
    return shape if first or len(shape) < 3 else (shape[0], shape[-1], *shape[1:-1])


def _pairs(config: Mapping[str, Any], option: str, axes: int) -> list[tuple[int, int]]:
    """What is before and after, an axis."""
    given = config.get(option, 1)
    entries = list(given) if isinstance(given, list | tuple) else [given] * axes
    if axes == 1 and len(entries) == 2:
        entries = [entries]
    pairs = [tuple(entry) if isinstance(entry, list | tuple) else (entry, entry) for entry in entries]
    if len(pairs) != axes or not all(
        len(pair) == 2 and all(isinstance(n, int) and n >= 0 for n in pair) for pair in pairs
    ):
        raise ArgumentError(option, given, f"must be an integer, or {axes} integers or pairs of them")
    return [(int(a), int(b)) for a, b in pairs]


def _padded(sign: int, option: str) -> Callable[[KerasLayout, Mapping[str, Any], list[str], str], str]:
    def read(reading: KerasLayout, config: Mapping[str, Any], sources: list[str], name: str) -> str:
        axes = len(reading.builder.shapes[sources[0]]) - 2
        pairs = [(sign * a, sign * b) for a, b in _pairs(config, option, axes)]
        return reading.builder.add(name, option, Pad(((0, 0), (0, 0), *pairs)), sources[0])

    return read


def _upsampled(reading: KerasLayout, config: Mapping[str, Any], sources: list[str], name: str) -> str:
    shape = reading.builder.shapes[sources[0]]
    axes = len(shape) - 2
    given = config.get("size", 2)
    factors = sizes_of("size", given if isinstance(given, list | tuple) else (given,) * axes, axes)
    mode = {"nearest": "nearest", "bilinear": "linear", "bicubic": "cubic"}.get(config.get("interpolation", "nearest"))
    if mode is None:
        raise NotSupportedError(f"interpolation={config.get('interpolation')!r} is not known here")
    where = "asymmetric" if mode == "nearest" else "half_pixel"
    target = (*shape[:2], *(n * f for n, f in zip(shape[2:], factors, strict=True)))
    reads = [
        interpolated(n, n * f, Fraction(f), mode, where, "floor") for n, f in zip(shape[2:], factors, strict=True)
    ]  # fmt: skip
    return reading.builder.add(name, "UpSampling", Resize((None, None, *reads), target), sources[0])


def _joined(reading: KerasLayout, config: Mapping[str, Any], sources: list[str], name: str) -> str:
    shapes = [reading.builder.shapes[source] for source in sources]
    axis = reading.axis(config.get("axis", -1), len(shapes[0]))
    act = Concat.of(axis, [shape[axis] for shape in shapes])
    return reading.builder.add(name, "Concatenate", act, *sources)


def _normalised(reading: KerasLayout, config: Mapping[str, Any], sources: list[str], name: str) -> str:
    rank = len(reading.builder.shapes[sources[0]])
    given = config.get("axis", -1)
    axes = tuple(reading.axis(axis, rank) for axis in (given if isinstance(given, list | tuple) else [given]))
    return reading.builder.add(name, "LayerNormalization", Mix(axes), sources[0])


def _grouped(reading: KerasLayout, config: Mapping[str, Any], sources: list[str], name: str) -> str:
    rank = len(reading.builder.shapes[sources[0]])
    return reading.builder.add(name, "GroupNormalization", Mix(tuple(range(1, rank))), sources[0])


def _reshaped(reading: KerasLayout, config: Mapping[str, Any], sources: list[str], name: str) -> str:
    shape = reading.builder.shapes[sources[0]]
    if not reading.first and any(n != 1 for n in shape[2:]):
        raise NotSupportedError("Reshape of positions with their channels last is not known here")
    given = config.get("target_shape")
    target = list(given) if isinstance(given, list | tuple) else []
    known = prod(n for n in target if n != -1)
    full = tuple(prod(shape[1:]) // max(known, 1) if n == -1 else n for n in target)
    if prod(full) != prod(shape[1:]):
        raise ArgumentError("target_shape", given, f"must be sizes with the product {prod(shape[1:])}")
    return reading.builder.add(name, "Reshape", Reshape(reading.turned((shape[0], *full))), sources[0])


KERAS_AXES: Mapping[str, Callable[[KerasLayout, Mapping[str, Any], list[str], str], str]] = {
    "Concatenate": _joined,
    "LayerNormalization": _normalised,
    "UnitNormalization": _normalised,
    "GroupNormalization": _grouped,
    "Reshape": _reshaped,
}
KERAS_NUMBERED: Mapping[str, Callable[[KerasLayout, Mapping[str, Any], list[str], str], str]] = {
    "ZeroPadding": _padded(1, "padding"),
    "Cropping": _padded(-1, "cropping"),
    "UpSampling": _upsampled,
}
