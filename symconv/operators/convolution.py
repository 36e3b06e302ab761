"""Convolution: the declaration `Conv` and its exact formula."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Any

from symconv.errors import GeometryError
from symconv.formulas.algebra import Access, Node, product, summation
from symconv.formulas.index import Index, floor, maximum, minimum
from symconv.operators.channels import Channelled
from symconv.operators.frame import Axis, Geometry
from symconv.operators.kinds import Word
from symconv.operators.letters import Letters
from symconv.operators.option import (
    BIAS,
    DILATION,
    FLIP,
    GROUPS,
    IN_CHANNELS,
    KERNEL_SIZE,
    OUT_CHANNELS,
    PADDING,
    STRIDE,
    Option,
)
from symconv.operators.options import Integer, to_index
from symconv.operators.window import Window

__all__ = ["Conv", "padded_position"]


def _zeros(position: Index, size: Index) -> Index:
    """The position itself: a tensor is zero outside its box."""
    del size
    return position


def _reflect(position: Index, size: Index) -> Index:
    """``(n-1) - | (n-1) - |x| |``, which needs paddings below n."""
    once = maximum(position, -position)
    return size - 1 - maximum(size - 1 - once, once - (size - 1))


def _replicate(position: Index, size: Index) -> Index:
    """The nearest entry of the input."""
    return minimum(maximum(position, 0), size - 1)


def _circular(position: Index, size: Index) -> Index:
    """The remainder: the input again and again."""
    return position - size * floor(position, size)


PADDING_MODES: dict[str, Callable[[Index, Index], Index]] = {
    "zeros": _zeros,
    "reflect": _reflect,
    "replicate": _replicate,
    "circular": _circular,
}
"""The padding modes, each with the input position that is read for one that may lie outside an input of a size."""

PADDING_MODE = Option(
    Word(PADDING_MODES),
    "what is read outside the input",
    noun="padding mode",
    neutral="zeros",
    example='"circular"',
)


@dataclass(frozen=True, repr=False)
class Conv(Channelled):
    """A convolution layer in the deep-learning sense: the cross-correlation of an input with a kernel.

    ``c[f, p, q] = d[f] + sum over h, m, n of a[h, s*p + D*m - P, s*q + D*n - P] * b[f, h, m, n]`` (0-based).

    Raises:
        ArgumentError: for an option that is not what it must be; GeometryError where options do not fit together.

    >>> Conv((3, 3), stride=2, padding=1).output_size((5, 5))
    (3, 3)
    """

    kernel_size: Any = field(metadata=KERNEL_SIZE.metadata)
    stride: Any = field(default=1, metadata=STRIDE.metadata)
    padding: Any = field(default=0, metadata=PADDING.metadata)
    dilation: Any = field(default=1, metadata=DILATION.metadata)
    groups: Integer = field(default=1, metadata=GROUPS.metadata)
    in_channels: Integer = field(default=1, metadata=IN_CHANNELS.metadata)
    out_channels: Integer = field(default=1, metadata=OUT_CHANNELS.metadata)
    bias: bool = field(default=False, metadata=BIAS.metadata)
    padding_mode: str = field(default="zeros", metadata=PADDING_MODE.metadata)
    flip: bool = field(default=False, metadata=FLIP.metadata)
    _: KW_ONLY
    ndim: int = 2

    @property
    def noun(self) -> str:
        return "convolution" if self.flip else "correlation"

    @property
    def phrase(self) -> str:
        return f"a {self.noun}"

    # ------------------------------------------------------------------ sizes

    def axis_output_size(self, axis: int, n: Integer) -> Integer:
        size = super().axis_output_size(axis, n)
        for expr in self._reflection(self.windows[axis], to_index(n, {}, "input_size")):
            if expr.value is not None and expr.value < 0:
                raise GeometryError(
                    "padding", self.padding, f"must be below the input size {n} where it reflects the input"
                )
        return size

    def _reflection(self, window: Window, size: Index) -> list[Index]:
        """What reflection takes for granted to be nonnegative: a mirror image is shorter than the input."""
        return [size - 1 - side for side in window.padding(size)] if self.padding_mode == "reflect" else []

    def geometry(self, letters: Letters, input_size: Sequence[int] | None = None) -> Geometry:
        frame = super().geometry(letters, input_size)
        more = [e for window, n in zip(self.windows, frame.sizes, strict=True) for e in self._reflection(window, n)]
        return replace(frame, facts=(*frame.facts, *(e for e in more if e.value is None)))

    # ------------------------------------------------------------------ the formula

    def weight_axes(self, geometry: Geometry) -> tuple[Axis, ...]:
        letters = geometry.letters
        inner = self.channel_axis(self.per_group("in_channels", geometry), letters.input_channel, geometry)
        turned = self.channel_axis(self.out_channels, letters.output_channel + "'", geometry)
        return (*turned, *inner, *self.tap_axes(geometry))

    def body(self, geometry: Geometry) -> Node:
        letters = geometry.letters
        outputs = self.axes("output", geometry)
        lead = tuple(axis.index for axis in outputs[: -self.spatial_axes])  # the output channel, if there is one
        weight_axes = self.axes("weight", geometry)
        taps = weight_axes[-self.spatial_axes :]
        inner = weight_axes[len(lead) : -self.spatial_axes]  # the channel within the group, if there is one
        read = []
        for window, o, tap, size in zip(self.windows, outputs[len(lead) :], taps, geometry.sizes, strict=True):
            m = window.k - 1 - tap.index if self.flip else tap.index
            inside = all(side.value is not None and side.value <= 0 for side in window.padding(size))
            mode = "zeros" if inside else self.padding_mode  # which is read nowhere
            read.append(padded_position(mode, window.tap(o.index, m, size), size))
        source: tuple[Index, ...] = ()
        if self.in_channels != 1:
            within = inner[0].index if inner else Index.of(0)
            first = self.group_of(lead[0], geometry) * self.per_group("in_channels", geometry) if lead else Index.of(0)
            source = (first + within,)
        weights = Access(letters.weight, (*lead, *(axis.index for axis in (*inner, *taps))))
        entry = product(Access(letters.input, (*source, *read)), weights)
        return self.biased(summation(entry, *(axis.bound for axis in (*inner, *taps))), geometry, lead)


def padded_position(mode: str, position: Index, size: Index) -> Index:
    """The input position that is read for a position that may lie outside the input, under a padding mode."""
    return PADDING_MODES[mode](position, size)
