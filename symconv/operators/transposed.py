"""Transposed convolution: the declaration `ConvTranspose` and its exact formula.

Source: Dumoulin & Visin, "A guide to convolution arithmetic for deep learning" (arXiv 1603.07285), chapter 4; the rule
for SAME as in ONNX's ConvTranspose.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field, replace
from math import prod
from typing import Any

from symconv.errors import ArgumentError, GeometryError
from symconv.formulas.algebra import Access, Guard, Node, equal, product, summation
from symconv.formulas.index import Index
from symconv.formulas.symbols import is_symbolic
from symconv.operators.channels import Channelled
from symconv.operators.frame import Axis, Geometry
from symconv.operators.kinds import Padding, PerAxis
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
from symconv.operators.options import PADDING_RULES, Integer, to_index
from symconv.operators.window import Window
from symconv.operators.windowed import Spreading

__all__ = ["ConvTranspose"]

STEP = replace(STRIDE, words="the step between the places of neighbouring inputs")
CUT = replace(
    PADDING,
    kind=Padding(tuple(rule for rule in PADDING_RULES if rule != "same")),
    words="what is cut off the output; same_upper and same_lower (ONNX's) leave n*stride outputs",
)
OUTPUT_PADDING = Option(
    PerAxis(0),
    "entries added after the output, which is the bias where no input reaches; PyTorch and ONNX take it only below the "
    "larger of stride and dilation, where it tells sizes apart",
    noun="output padding",
    letter="R",  # the array of the input is A
    neutral=0,
    example="1",
)


@dataclass(frozen=True, repr=False)
class ConvTranspose(Spreading, Channelled):
    """A transposed convolution: the linear map whose matrix is the transpose of that of a convolution.

    Every input entry hands its value, times the kernel, to the outputs under the kernel:
    ``c[f, q] = d[f] + sum over h, i, m with s*i + D*m - P = q of a[h, i] * b[h, f, m]`` (0-based). Up to its bias it is
    the adjoint of ``Conv(kernel_size, stride, padding, dilation)`` with the channels exchanged.

    Raises:
        ArgumentError: for an option that is not what it must be; GeometryError where options do not fit together.

    >>> ConvTranspose(3, stride=2, padding=1, output_padding=1).output_size((4, 4))
    (8, 8)
    """

    kernel_size: Any = field(metadata=KERNEL_SIZE.metadata)
    stride: Any = field(default=1, metadata=STEP.metadata)
    padding: Any = field(default=0, metadata=CUT.metadata)
    output_padding: Any = field(default=0, metadata=OUTPUT_PADDING.metadata)
    dilation: Any = field(default=1, metadata=DILATION.metadata)
    groups: Integer = field(default=1, metadata=GROUPS.metadata)
    in_channels: Integer = field(default=1, metadata=IN_CHANNELS.metadata)
    out_channels: Integer = field(default=1, metadata=OUT_CHANNELS.metadata)
    bias: bool = field(default=False, metadata=BIAS.metadata)
    flip: bool = field(default=False, metadata=FLIP.metadata)
    _: KW_ONLY
    ndim: int = 2

    def __post_init__(self) -> None:
        if isinstance(self.padding, str) and self.padding == "same":
            raise ArgumentError(
                "padding",
                "same",
                "is no padding of a transposed convolution (PyTorch has it for stride 1 and Conv alone)",
                "use 'same_upper' or 'same_lower'",
            )
        super().__post_init__()
        if self.padding in ("same_upper", "same_lower") and any(
            is_symbolic(e) for e in (*self.kernel_size, *self.stride, *self.dilation, *self.output_padding)
        ):
            raise GeometryError(
                "padding",
                self.padding,
                "needs numbers for kernel_size, stride, dilation and output_padding",
                "give the padding itself as a symbol",
            )

    @property
    def noun(self) -> str:
        return "transposed convolution"

    @property
    def phrase(self) -> str:
        return f"a {self.noun}"

    # ------------------------------------------------------------------ sizes

    @property
    def windows(self) -> tuple[Window, ...]:
        """The windows of the convolution that this is the transpose of."""
        if self.padding not in ("same_upper", "same_lower"):
            return super().windows
        result = []
        for axis, (k, s, d) in enumerate(zip(self.kernel_size, self.stride, self.dilation, strict=True)):
            total = max(0, self._surplus(axis))
            first = total // 2 if self.padding == "same_upper" else total - total // 2
            result.append(Window(k, s, first, total - first, d))
        return tuple(result)

    def _surplus(self, axis: int) -> int:
        """How much SAME cuts off; negative where windows leave gaps, which extends the output instead.

        ONNX's reference and its runtimes differ there; extending is what its size formula says.
        """
        span = self.dilation[axis] * (self.kernel_size[axis] - 1) + 1
        return int(span + self.output_padding[axis] - self.stride[axis])

    def added(self, axis: int) -> Index:
        """What is added after the output on an axis: the output padding, and what SAME needs beyond it."""
        declared = to_index(self.output_padding[axis], {}, "output_padding")
        return declared + max(0, -self._surplus(axis)) if self.padding in ("same_upper", "same_lower") else declared

    # ------------------------------------------------------------------ whole arrays

    @property
    def weight_size(self) -> tuple[int, ...]:
        """The shape of the weight: ``(in, out/groups, *kernel)``."""
        return (self.in_channels, self.out_channels // self.groups, *self.kernel_size)

    def multiply_adds(self, shape: tuple[int, ...]) -> int:
        return prod(self.weight_size) * prod(shape[1:])

    # ------------------------------------------------------------------ the formula

    def weight_axes(self, geometry: Geometry) -> tuple[Axis, ...]:
        letters = geometry.letters
        rows = self.channel_axis(self.in_channels, letters.input_channel + "'", geometry)
        columns = self.channel_axis(self.per_group("out_channels", geometry), letters.output_channel + "'", geometry)
        return (*rows, *columns, *self.tap_axes(geometry))

    def body(self, geometry: Geometry) -> Node:
        letters, ndim = geometry.letters, self.spatial_axes
        outputs, inputs = self.axes("output", geometry), self.axes("input", geometry)
        taps = self.axes("weight", geometry)[-ndim:]
        lead = tuple(axis.index for axis in outputs[:-ndim])
        reaches: list[Guard] = []
        for window, q, i, m, n in zip(self.windows, outputs[-ndim:], inputs[-ndim:], taps, geometry.sizes, strict=True):
            tap = window.k - 1 - m.index if self.flip else m.index
            reaches.append(equal(window.tap(i.index, tap, n), q.index))
        summed, row, column = self._channels(lead, geometry)
        weight = Access(letters.weight, (*row, *column, *(m.index for m in taps)))
        source = Access(letters.input, (*row, *(i.index for i in inputs[-ndim:])))
        bounds = [axis.bound for axis in (*summed, *inputs[-ndim:], *taps)]
        return self.biased(summation(product(source, weight), *bounds, guards=reaches), geometry, lead)

    def _channels(
        self, lead: tuple[Index, ...], geometry: Geometry
    ) -> tuple[tuple[Axis, ...], tuple[Index, ...], tuple[Index, ...]]:
        """The summed channel index, the input channel and the output channel within its group, each if there is one."""
        inner = self.per_group("in_channels", geometry)
        group = self.group_of(lead[0], geometry) if lead else Index.of(0)
        summed = self.channel_axis(inner, geometry.letters.input_channel, geometry)
        within = summed[0].index if summed else Index.of(0)
        row = (group * inner + within,) if self.in_channels != 1 else ()
        per_out = self.per_group("out_channels", geometry)
        column = (lead[0] - group * per_out,) if per_out != 1 else ()
        return summed, row, column
