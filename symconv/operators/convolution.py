"""Convolution: the declaration `Conv` and its exact formula."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, replace
from typing import Any

from symconv.errors import GeometryError
from symconv.formulas.algebra import Access, Node, add, product, summation
from symconv.formulas.index import Index, floor, maximum, minimum
from symconv.operators.base import Axis, Geometry, Operator, Variable
from symconv.operators.letters import Letters
from symconv.operators.options import Integer, axes_of, flag, integer, one_of, padding_pairs, per_axis, to_index
from symconv.operators.window import Window

__all__ = ["Conv"]

PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


@dataclass(frozen=True, repr=False)
class Conv(Operator):
    """A convolution layer in the deep-learning sense: the cross-correlation of an input with a kernel.

    ``c[f, p, q] = d[f] + sum over h, m, n of a[h, s*p + D*m - P, s*q + D*n - P] * b[f, h, m, n]`` (0-based).

    Args:
        kernel_size: the kernel size, one entry a spatial axis; an int means `ndim` equal axes.
        stride: the step between outputs, an int or one an axis.
        padding: an int, one an axis, ``(before, after)`` pairs, or "valid", "same" (PyTorch's: the surplus after,
            stride 1), "same_upper", "same_lower" (ONNX's, any stride), "half", "full". Negative padding crops.
        dilation: the step between taps, an int or one an axis.
        groups: the number of groups of channels; input channels of one group reach outputs of that group only.
        in_channels: the number of input channels; an index h appears where it is not 1.
        out_channels: the number of output channels; an index f appears where it is not 1.
        bias: whether a bias is added to every output channel.
        padding_mode: "zeros", "reflect", "replicate" or "circular": what is read outside the input.
        flip: True for the mathematician's convolution, with the kernel turned around.
        ndim: the number of spatial axes where `kernel_size` is an int.

    Raises:
        ArgumentError: for an option that is not what it must be; GeometryError where options do not fit together.

    >>> Conv((3, 3), stride=2, padding=1).output_size((5, 5))
    (3, 3)
    """

    kernel_size: Any
    stride: Any = 1
    padding: Any = 0
    dilation: Any = 1
    groups: Integer = 1
    in_channels: Integer = 1
    out_channels: Integer = 1
    bias: bool = False
    padding_mode: str = "zeros"
    flip: bool = False
    _: KW_ONLY
    ndim: int = 2

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "kernel_size", axes_of("kernel_size", self.kernel_size, self.ndim))
        put(self, "ndim", len(self.kernel_size))
        put(self, "stride", per_axis("stride", self.stride, self.ndim, 1))
        put(self, "dilation", per_axis("dilation", self.dilation, self.ndim, 1))
        put(self, "padding", padding_pairs(self.padding, self.ndim))
        for name in ("groups", "in_channels", "out_channels"):
            put(self, name, integer(name, getattr(self, name), 1))
        flag("bias", self.bias)
        flag("flip", self.flip)
        one_of("padding_mode", self.padding_mode, PADDING_MODES)
        for name in ("in_channels", "out_channels"):
            value = getattr(self, name)
            if isinstance(value, int) and isinstance(self.groups, int) and value % self.groups:
                raise GeometryError(name, value, f"must be divisible by groups={self.groups}")
            if not isinstance(value, int) and self.groups != 1:
                raise GeometryError(name, value, "must be an integer where groups is not 1")
        if self.padding == "same" and any(s != 1 for s in self.stride):
            raise GeometryError("padding", "same", f"needs stride 1 (stride is {self.stride})", "use 'same_upper'")

    @property
    def variables(self) -> tuple[Variable, ...]:  # type: ignore[override]
        """The tensors that a convolution depends on."""
        return ("input", "weight", "bias") if self.bias else ("input", "weight")

    @property
    def windows(self) -> tuple[Window, ...]:
        """The window of every spatial axis, with a padding rule turned into numbers where that is possible."""
        result = []
        for axis, (k, s, d) in enumerate(zip(self.kernel_size, self.stride, self.dilation, strict=True)):
            result.append(named_window(self.padding, axis, k, s, d))
        return tuple(result)

    @property
    def noun(self) -> str:
        return "convolution" if self.flip else "correlation"

    @property
    def phrase(self) -> str:
        return f"a {self.noun}"

    # ------------------------------------------------------------------ sizes

    def output_size(self, n: Integer | Sequence[Integer]) -> tuple[Integer, ...]:
        sizes = super().output_size(n)
        given = tuple(n) if isinstance(n, tuple | list) else (n,)
        for window, size in zip(self.windows, given, strict=True):
            for expr in self._reflection(window, to_index(size, {}, "input_size")):
                if expr.value is not None and expr.value < 0:
                    raise GeometryError(
                        "padding", self.padding, f"must be below the input size {size} where it reflects the input"
                    )
        return sizes

    def _reflection(self, window: Window, size: Index) -> list[Index]:
        """What reflection takes for granted to be nonnegative: a mirror image is shorter than the input."""
        return [size - 1 - side for side in window.padding(size)] if self.padding_mode == "reflect" else []

    def geometry(self, letters: Letters, input_size: Sequence[int] | None = None) -> Geometry:
        frame = super().geometry(letters, input_size)
        more = [e for window, n in zip(self.windows, frame.sizes, strict=True) for e in self._reflection(window, n)]
        return replace(frame, facts=(*frame.facts, *(e for e in more if e.value is None)))

    # ------------------------------------------------------------------ the formula

    def axes(self, role: str, geometry: Geometry, *, primed: bool = False) -> tuple[Axis, ...]:
        letters = geometry.letters
        ndim = self.spatial_axes
        out = self._channels(self.out_channels, letters.output_channel + ("'" if primed else ""), geometry)
        if role == "input":
            spatial = zip(letters.axes("input", ndim), geometry.sizes, strict=True)
            return (*self._channels(self.in_channels, letters.input_channel, geometry), *_named(spatial))
        if role == "output":
            return (*out, *_named(zip(letters.axes("output", ndim), geometry.outputs, strict=True)))
        if role == "weight":
            kernel = [window.k for window in self.windows]
            per_group = self._per_group(geometry)
            inner = () if per_group == 1 else (Axis(letters.input_channel, per_group),)
            turned = self._channels(self.out_channels, letters.output_channel + "'", geometry)
            return (*turned, *inner, *_named(zip(letters.axes("weight", ndim), kernel, strict=True)))
        return out

    def _channels(self, count: Integer, name: str, geometry: Geometry) -> tuple[Axis, ...]:
        return () if count == 1 else (Axis(name, to_index(count, geometry.symbols, "channels")),)

    def _per_group(self, geometry: Geometry) -> Index:
        total = to_index(self.in_channels, geometry.symbols, "in_channels")
        return Index.of(int(self.in_channels) // int(self.groups)) if isinstance(self.in_channels, int) else total

    def body(self, geometry: Geometry) -> Node:
        letters = geometry.letters
        outputs = self.axes("output", geometry)
        has_out = self.out_channels != 1
        spatial_out = [axis.index for axis in (outputs[1:] if has_out else outputs)]
        weight_axes = self.axes("weight", geometry)
        taps = weight_axes[-self.spatial_axes :]
        inner = weight_axes[(1 if has_out else 0) : -self.spatial_axes]  # the channel within the group, if any
        read = []
        for window, o, tap, size in zip(self.windows, spatial_out, taps, geometry.sizes, strict=True):
            m = window.k - 1 - tap.index if self.flip else tap.index
            read.append(_mapped(self.padding_mode, window.tap(o, m, size), size))
        source: tuple[Index, ...] = ()
        if self.in_channels != 1:
            within = inner[0].index if inner else Index.of(0)
            group = Index.of(0)
            if self.groups != 1:
                per_out = int(self.out_channels) // int(self.groups)
                group = floor(outputs[0].index, per_out) * self._per_group(geometry)
            source = (group + within,)
        lead = (outputs[0].index,) if has_out else ()
        weights = Access(letters.weight, (*lead, *(axis.index for axis in (*inner, *taps))))
        body = summation(
            product(Access(letters.input, (*source, *read)), weights), *(axis.bound for axis in (*inner, *taps))
        )
        return add(body, Access(letters.bias, lead)) if self.bias else body


def _named(pairs: Any) -> tuple[Axis, ...]:
    return tuple(Axis(name, extent) for name, extent in pairs)


def named_window(padding: Any, axis: int, k: Integer, s: Integer, d: Integer) -> Window:
    """The window of one axis under a padding that is given in pairs or by the name of a rule."""
    if not isinstance(padding, str):
        before, after = padding[axis]
        return Window(k, s, before, after, d)
    total = d * (k - 1)
    if padding == "valid":
        return Window(k, s, 0, 0, d)
    if padding == "full":
        return Window(k, s, total, total, d)
    if padding == "half":
        half = total // 2
        return Window(k, s, half, half, d)
    if padding == "same":
        return Window(k, s, total // 2, total - total // 2, d)
    if padding == "same_upper":
        return Window(k, s, 0, 0, d, fit="same_upper")
    return Window(k, s, 0, 0, d, fit="same_lower")


def _mapped(mode: str, position: Index, size: Index) -> Index:
    """The input position that is read for a position that may lie outside the input, under a padding mode."""
    if mode == "replicate":
        return minimum(maximum(position, 0), size - 1)
    if mode == "circular":
        return position - size * floor(position, size)
    if mode == "reflect":  # (n-1) - | (n-1) - |x| |, which needs paddings below n
        once = maximum(position, -position)
        return size - 1 - maximum(size - 1 - once, once - (size - 1))
    return position
