"""Channels in groups: what a convolution and a transposed convolution share besides their windows."""

from __future__ import annotations

from abc import abstractmethod
from math import prod

from symconv.errors import GeometryError
from symconv.formulas.algebra import Access, Node, add
from symconv.formulas.index import Index, floor
from symconv.operators.arrays import shape_text
from symconv.operators.base import Variable
from symconv.operators.frame import Axis, Geometry, named_axes
from symconv.operators.options import Integer, to_index
from symconv.operators.windowed import Windowed

__all__ = ["Channelled"]


class Channelled(Windowed):
    """An operator with a weight: channels in and out, in groups, and perhaps a bias for every output channel."""

    groups: int
    in_channels: Integer
    out_channels: Integer
    bias: bool

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.groups, int):
            raise GeometryError("groups", self.groups, "must be a number", "give the channels as symbols, in one group")
        for name in ("in_channels", "out_channels"):
            value = getattr(self, name)
            if self.groups != 1 and _share(to_index(value, {}, name), self.groups) is None:
                given = "" if isinstance(value, int) else ", whatever its symbols stand for"
                raise GeometryError(name, value, f"must be divisible by groups={self.groups}{given}")

    @classmethod
    def every_variable(cls) -> tuple[Variable, ...]:
        return ("input", "weight", "bias")

    @property
    def variables(self) -> tuple[Variable, ...]:  # type: ignore[override]
        """The tensors that the output depends on."""
        return ("input", "weight", "bias") if self.bias else ("input", "weight")

    def axes(self, role: str, geometry: Geometry, *, primed: bool = False) -> tuple[Axis, ...]:
        letters, ndim = geometry.letters, self.spatial_axes
        if role == "weight":
            return self.weight_axes(geometry)
        if role == "input":
            channel = self.channel_axis(self.in_channels, letters.input_channel, geometry)
            return (*channel, *named_axes(letters.axes("input", ndim), geometry.sizes))
        out = self.channel_axis(self.out_channels, letters.output_channel + ("'" if primed else ""), geometry)
        return (*out, *named_axes(letters.axes("output", ndim), geometry.outputs)) if role == "output" else out

    @abstractmethod
    def weight_axes(self, geometry: Geometry) -> tuple[Axis, ...]:
        """The indices of the weight: channels, then taps."""

    def channel_axis(self, count: Integer | Index, name: str, geometry: Geometry) -> tuple[Axis, ...]:
        """The index of `count` channels; there is none for a single channel."""
        return () if count == 1 else (Axis(name, to_index(count, geometry.symbols, "channels")),)

    def per_group(self, option: str, geometry: Geometry) -> Index:
        """The number of channels ("in_channels", "out_channels") of one group."""
        share = _share(to_index(getattr(self, option), geometry.symbols, option), self.groups)
        assert share is not None  # as it was made
        return share

    def group_of(self, output_channel: Index, geometry: Geometry) -> Index:
        """The group that an output channel belongs to."""
        if self.groups == 1:
            return Index.of(0)
        return floor(output_channel, self.per_group("out_channels", geometry))

    def biased(self, body: Node, geometry: Geometry, output_channel: tuple[Index, ...]) -> Node:
        """A formula with the bias of its output channel added, where there is one."""
        return add(body, Access(geometry.letters.bias, output_channel)) if self.bias else body

    # ------------------------------------------------------------------ whole arrays

    def planes(self, shape: tuple[int, ...]) -> int:
        """One: the formula is about all channels."""
        return 1

    def array_size(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        if shape[0] != self.in_channels:
            wanted = f"must have the {self.in_channels} channels that {self!r} takes"
            raise GeometryError("the input", shape_text(shape), wanted, "channels come first")
        return (self.out_channels, *self.output_size(shape[1:]))

    def parameter_sizes(self, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        del shape
        bias = {"bias": (self.out_channels,)} if self.bias else {}
        return {"weight": self.weight_size, **bias}

    @property
    def weight_size(self) -> tuple[int, ...]:
        """The shape of the weight: ``(out, in/groups, *kernel)``."""
        return (self.out_channels, self.in_channels // self.groups, *self.kernel_size)

    def multiply_adds(self, shape: tuple[int, ...]) -> int:
        return prod(self.weight_size) * prod(self.array_size(shape)[1:])


def _share(count: Index, groups: int) -> Index | None:
    """The channels of one group, where their number can be divided whatever its symbols stand for."""
    if any(value % groups for value in count.terms.values()):
        return None
    return Index({key: value // groups for key, value in count.terms.items()})
