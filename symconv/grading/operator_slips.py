"""Slips as operators: the layer that somebody worked out who forgot the stride, or turned the kernel."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any, Literal

from symconv.errors import SymconvError
from symconv.operators.adaptive import AdaptiveAvgPool, AdaptiveMaxPool
from symconv.operators.base import Operator
from symconv.operators.flatten import Flatten
from symconv.operators.leaky_relu import LeakyReLU
from symconv.operators.morphology import Dilation, Erosion
from symconv.operators.option import PADDING
from symconv.operators.pooling import AvgPool, LPPool, MaxPool
from symconv.operators.relu import ReLU

__all__ = ["Of", "Other", "others", "pads"]

Of = Literal["output", "input", "weight"]
"""Of what the slip is: the output of a layer, or the gradient by its input or its weight."""


@dataclass(frozen=True)
class Other:
    """A slip, and the operator that makes it."""

    name: str
    words: str
    operator: Operator


def others(op: Operator, of: Of) -> Iterator[Other]:
    """The operators that are taken for an operator by slips, the likeliest first."""
    for name, words, change in _changes(op, of):
        try:
            other = change()
        except SymconvError:
            continue  # these options do not go together
        if other != op:
            yield Other(name, words, other)


def _changes(op: Operator, of: Of) -> Iterator[tuple[str, str, Callable[[], Operator]]]:
    known = {entry.name for entry in fields(op)}  # type: ignore[arg-type]
    options: Any = op
    if "flip" in known:
        yield "kernel-flipped", _turned(options.flip, of), lambda: replace(options, flip=not options.flip)
    yield from _pooled(op, of)
    if "stride" in known and any(step != 1 for step in options.stride):
        yield "stride-forgotten", "The stride was forgotten: the window moves by 1.", lambda: replace(options, stride=1)
    if isinstance(op, MaxPool | AvgPool | LPPool) and op.stride != op.kernel_size:
        words = "The windows do not overlap: the stride was taken to be the size of the window."
        yield "stride-of-the-window", words, lambda: replace(options, stride=options.kernel_size)
    if "padding" in known and pads(op):
        yield "padding-forgotten", "The padding was forgotten.", lambda: replace(options, padding=0)
    if "dilation" in known and any(step != 1 for step in options.dilation):
        words = "The dilation was forgotten: the taps of the window stand side by side."
        yield "dilation-forgotten", words, lambda: replace(options, dilation=1)
    if "ceil_mode" in known:
        way = "down, and this layer rounds up" if options.ceil_mode else "up, and this layer rounds down"
        words = f"The number of windows was rounded {way}."
        yield "floor-and-ceil", words, lambda: replace(options, ceil_mode=not options.ceil_mode)
    if getattr(op, "padding_mode", "zeros") != "zeros":
        words = f"Zeros were read outside the input, and this layer has the padding mode {options.padding_mode}."
        yield "padding-mode", words, lambda: replace(options, padding_mode="zeros")
    if "output_padding" in known and any(options.output_padding):
        words = "The output padding was forgotten."
        yield "output-padding-forgotten", words, lambda: replace(options, output_padding=0)
    if isinstance(op, Flatten):
        order = "channel-last" if op.order == "channel-first" else "channel-first"
        words = f"The entries were put in the order {order}."
        yield "order-of-entries", words, lambda: replace(op, order=order)
    if isinstance(op, LeakyReLU):
        yield "slope-forgotten", "What is negative was set to 0, without the slope.", lambda: ReLU("zero")
    if isinstance(op, Dilation | Erosion):
        shared = {entry.name: getattr(op, entry.name) for entry in fields(op)}
        kind = Erosion if isinstance(op, Dilation) else Dilation
        yield "maximum-and-minimum", f"This is {_phrase(kind)}.", lambda: kind(**shared)


def _phrase(kind: type[Operator]) -> str:
    return "an erosion" if kind is Erosion else "a dilation"


def pads(op: Any) -> bool:
    """Whether an operator has padding."""
    return op.padding != "valid" if isinstance(op.padding, str) else not PADDING.is_neutral(op.padding)


def _turned(flip: bool, of: Of) -> str:
    """What was done to the kernel; a layer that turns it has its gradients the other way round."""
    if of == "output":
        if flip:
            return "The kernel slides as it is, and this layer turns it by a half first (a flipped convolution)."
        return "The kernel was turned by a half: this is the flipped convolution, and the layer is a cross-correlation."
    if of == "weight":
        return "The gradient of the kernel is turned by a half."
    if flip:
        return "The kernel was turned by a half, and the gradient of this layer takes it as it is."
    return "The gradient without the rotation: the kernel must be turned by a half on the way back."


def _pooled(op: Operator, of: Of) -> Iterator[tuple[str, str, Callable[[], Operator]]]:
    """The poolings that are taken for each other."""
    window = {
        name: getattr(op, name)
        for name in ("kernel_size", "stride", "padding", "ceil_mode", "ndim")
        if hasattr(op, name)
    }
    if isinstance(op, AvgPool):
        words = "This is the sum over the window: it was not divided."
        if of == "input":
            words = "Every entry of the window got the whole gradient: it was not divided."
        yield "not-divided", words, lambda: replace(op, divisor_override=1)
        for side in sorted(set(op.kernel_size)):
            if isinstance(side, int) and side > 1 and len(op.kernel_size) > 1:
                words = f"It was divided by {side}, one side of the window, and not by the number of its entries."
                yield "wrong-divisor", words, partial(replace, op, divisor_override=side)
        if pads(op) or op.ceil_mode:
            words = (
                "The padding was counted in the divisor."
                if not op.count_include_pad
                else ("The padding was left out of the divisor, and this layer counts it.")
            )
            yield "padding-in-the-divisor", words, lambda: replace(op, count_include_pad=not op.count_include_pad)
        if of == "output":
            yield (
                "maximum-for-average",
                "This is the maximum of every window, not the average.",
                lambda: MaxPool(**window),
            )
    if isinstance(op, MaxPool) and all(step == 1 for step in op.dilation):
        if of == "output":
            words = "This is the average of every window, not the maximum."
            yield "average-for-maximum", words, lambda: AvgPool(**window)
        else:
            words = "Every entry of the window got the whole gradient, and only the largest one gets it."
            yield "gradient-to-all", words, lambda: AvgPool(**window, divisor_override=1)
            words = "The gradient was shared by all entries of the window, and only the largest one gets it."
            yield "gradient-in-shares", words, lambda: AvgPool(**window)
    if isinstance(op, MaxPool | AdaptiveMaxPool) and of == "input":
        ties = "split" if op.ties != "split" else "first"
        words = "Equal maxima were treated otherwise: " + (
            "they share the gradient here." if ties == "split" else "the first one gets it here."
        )
        yield "ties", words, lambda: replace(op, ties=ties)
    if isinstance(op, AdaptiveAvgPool) and of == "output":
        words = "This is the maximum of every window, not the average."
        yield "maximum-for-average", words, lambda: AdaptiveMaxPool(op.outputs, ndim=op.ndim)
    if isinstance(op, LPPool) and of == "output" and not op.reals():
        for norm in (1, 2, float("inf")):
            if norm != op.norm_type:
                words = f"This is the pooling with the exponent {'∞' if norm == float('inf') else norm}."
                yield "wrong-norm", words, partial(replace, op, norm_type=norm)
