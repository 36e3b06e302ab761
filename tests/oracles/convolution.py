"""Convolution and transposed convolution of any number of axes, with their derivatives, by plain loops.

Inputs are (N, C, *spatial).  Convolution weights are (out, in/groups, *kernel), transposed ones (in, out/groups,
*kernel).  `flip=False` is the cross-correlation: tap m meets weight m; `flip=True` lets tap m meet weight k-1-m.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, TypeAlias

from oracles.tensors import Index, Scalar, Tensor, full, indices, tensor
from oracles.windows import Axis, PaddingMode, output_size, transposed_size, transposed_triples, triples

PerAxis: TypeAlias = int | Sequence[int]
Padding: TypeAlias = int | Sequence[int | tuple[int, int]]
Link: TypeAlias = tuple[Index, Index, Index]


@dataclass(frozen=True)
class ConvGradients:
    """The vector-Jacobian products of one upstream gradient."""

    input: Tensor
    weight: Tensor
    bias: Tensor


def per_axis(value: PerAxis, ndim: int) -> Index:
    """One integer an axis."""
    entries = (value,) * ndim if isinstance(value, int) else tuple(value)
    if len(entries) != ndim:
        raise ValueError(f"one entry an axis is needed ({ndim}), got {value}")
    return entries


def pads_per_axis(value: Padding, ndim: int) -> list[tuple[int, int]]:
    """One (before, after) pair an axis.

    Example:
        >>> pads_per_axis(1, 2), pads_per_axis((1, 2), 2), pads_per_axis(((1, -1), (0, 2)), 2)
        ([(1, 1), (1, 1)], [(1, 1), (2, 2)], [(1, -1), (0, 2)])
    """
    entries: list[int | tuple[int, int]] = [value] * ndim if isinstance(value, int) else list(value)
    if len(entries) != ndim:
        raise ValueError(f"one padding an axis is needed ({ndim}), got {value}")
    return [(entry, entry) if isinstance(entry, int) else (entry[0], entry[1]) for entry in entries]


def axes_of(
    kernel: Sequence[int], stride: PerAxis, padding: Padding, dilation: PerAxis, ceil_mode: bool = False
) -> list[Axis]:
    """The windows of all axes from options written as one number or one entry an axis."""
    ndim = len(kernel)
    options = zip(kernel, per_axis(stride, ndim), pads_per_axis(padding, ndim), per_axis(dilation, ndim), strict=True)
    return [Axis(k, s, before, after, d, ceil_mode) for k, s, (before, after), d in options]


def _tap(taps: Sequence[int], kernel: Index, flip: bool) -> Index:
    return tuple(k - 1 - m for m, k in zip(taps, kernel, strict=True)) if flip else tuple(taps)


def _links(spatial: Index, kernel: Index, axes: list[Axis], mode: PaddingMode, flip: bool) -> tuple[Index, list[Link]]:
    """The output sizes and every (output, weight tap, input) whose input exists, over all axes."""
    rows = [triples(n, axis, mode) for n, axis in zip(spatial, axes, strict=True)]
    real = [[(o, m, i) for o, m, i in row if i is not None] for row in rows]
    links = []
    for combination in product(*real):
        outputs, taps, inputs = zip(*combination, strict=True)
        links.append((outputs, _tap(taps, kernel, flip), inputs))
    return tuple(output_size(n, axis) for n, axis in zip(spatial, axes, strict=True)), links


def _check_channels(groups: int, **channels: int) -> None:
    for name, count in channels.items():
        if groups < 1 or count % groups:
            raise ValueError(f"{name} must be divisible by groups, got {count} and {groups}")


def _conv_setup(
    x: Tensor,
    weight: Tensor,
    *,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
    padding_mode: PaddingMode = "zeros",
    flip: bool = False,
) -> tuple[Index, list[Link], list[tuple[int, int, int]]]:
    """The output shape, the spatial links, and the channel links (output channel, weight channel, input channel)."""
    kernel = weight.shape[2:]
    _check_channels(groups, in_channels=x.shape[1], out_channels=weight.shape[0])
    if weight.shape[1] * groups != x.shape[1]:
        raise ValueError(f"weight must have in/groups = {x.shape[1]}/{groups} channels, got {weight.shape[1]}")
    axes = axes_of(kernel, stride, padding, dilation)
    sizes, links = _links(x.shape[2:], kernel, axes, padding_mode, flip)
    channels = []
    for group in range(groups):
        for o in range(weight.shape[0] // groups):
            for c in range(weight.shape[1]):
                channels.append((group * (weight.shape[0] // groups) + o, c, group * weight.shape[1] + c))
    return (x.shape[0], weight.shape[0], *sizes), links, channels


def _start(shape: Index, bias: Any) -> dict[Index, Scalar]:
    """The output before anything is added to it: the bias of its channel, or 0."""
    if bias is None:
        return dict.fromkeys(indices(shape), 0)
    offsets = tensor(bias)
    if offsets.shape != (shape[1],):
        raise ValueError(f"bias must have one entry an output channel ({shape[1]}), got shape {offsets.shape}")
    return {index: offsets[(index[1],)] for index in indices(shape)}


def conv(x: Any, weight: Any, bias: Any = None, **options: Any) -> Tensor:
    """c[n,o,q] = bias[o] + sum over channels and taps of x[n, c, s q + d m - p] w[o, c, m].

    Args:
        x: (N, C, *spatial).
        weight: (out, C/groups, *kernel).
        bias: (out,) or None.
        options: `stride`, `padding`, `dilation` (an int or one entry an axis; a padding entry may be a pair, and
            negative to crop), `groups`, `padding_mode`, `flip`.

    Example:
        >>> conv([[[1, 2, 3, 4]]], [[[1, 0, -1]]], padding=1).nested()
        [[[-2, -2, -2, 3]]]
        >>> conv([[[1, 2, 3, 4]]], [[[1, 0, -1]]], padding=1, flip=True).nested()
        [[[2, 2, 2, -3]]]
    """
    x, weight = tensor(x), tensor(weight)
    shape, links, channels = _conv_setup(x, weight, **options)
    out = _start(shape, bias)
    for n in range(x.shape[0]):
        for o, wc, c in channels:
            for q, m, i in links:
                out[(n, o, *q)] += x.values[(n, c, *i)] * weight.values[(o, wc, *m)]
    return Tensor(shape, out)


def conv_vjp(grad_output: Any, x: Any, weight: Any, **options: Any) -> ConvGradients:
    """The three gradients of <grad_output, conv(x, weight, bias)>, from the same links as the output."""
    x, weight, g = tensor(x), tensor(weight), tensor(grad_output)
    shape, links, channels = _conv_setup(x, weight, **options)
    _expect_shape(g, shape)
    to_input, to_weight = full(x.shape, 0).values, full(weight.shape, 0).values
    for n in range(x.shape[0]):
        for o, wc, c in channels:
            for q, m, i in links:
                to_input[(n, c, *i)] += g.values[(n, o, *q)] * weight.values[(o, wc, *m)]
                to_weight[(o, wc, *m)] += g.values[(n, o, *q)] * x.values[(n, c, *i)]
    return ConvGradients(Tensor(x.shape, to_input), Tensor(weight.shape, to_weight), _bias_gradient(g))


def conv_jvp(x: Any, weight: Any, *, dx: Any = None, dweight: Any = None, dbias: Any = None, **options: Any) -> Tensor:
    """conv(dx, weight) + conv(x, dweight) + dbias, since the output is linear in each; None is a zero tangent."""
    x, weight = tensor(x), tensor(weight)
    dx = full(x.shape, 0) if dx is None else dx
    dweight = full(weight.shape, 0) if dweight is None else dweight
    return conv(dx, weight, dbias, **options).plus(conv(x, dweight, **options))


def _bias_gradient(g: Tensor) -> Tensor:
    out = full((g.shape[1],), 0)
    for index, value in g.values.items():
        out.values[(index[1],)] += value
    return out


def _expect_shape(grad_output: Tensor, shape: Index) -> None:
    if grad_output.shape != shape:
        raise ValueError(f"grad_output must have the shape of the output {shape}, got {grad_output.shape}")


def _transpose_setup(
    x: Tensor,
    weight: Tensor,
    *,
    stride: PerAxis = 1,
    padding: Padding = 0,
    output_padding: PerAxis = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
    flip: bool = False,
) -> tuple[Index, list[Link], list[tuple[int, int, int]]]:
    """The output shape, the links (input, weight tap, output), and the channels (input, weight channel, output)."""
    kernel = weight.shape[2:]
    _check_channels(groups, in_channels=x.shape[1])
    if weight.shape[0] != x.shape[1]:
        raise ValueError(f"weight must have one entry an input channel ({x.shape[1]}), got {weight.shape[0]}")
    geometry = list(
        zip(
            x.shape[2:],
            axes_of(kernel, stride, padding, dilation),
            per_axis(output_padding, len(kernel)),
            strict=True,
        )
    )
    links = []
    for combination in product(*(transposed_triples(n, axis, extra) for n, axis, extra in geometry)):
        inputs, taps, outputs = zip(*combination, strict=True)
        links.append((inputs, _tap(taps, kernel, flip), outputs))
    channels = []
    for c in range(x.shape[1]):
        group = c // (x.shape[1] // groups)
        for wo in range(weight.shape[1]):
            channels.append((c, wo, group * weight.shape[1] + wo))
    sizes = (transposed_size(n, axis, extra) for n, axis, extra in geometry)
    return (x.shape[0], weight.shape[1] * groups, *sizes), links, channels


def conv_transpose(x: Any, weight: Any, bias: Any = None, **options: Any) -> Tensor:
    """Every input is scattered: output[s i + d m - p] += x[i] w[m]; what falls outside the output is dropped.

    Args:
        x: (N, in, *spatial).
        weight: (in, out/groups, *kernel).
        bias: (out,) or None.
        options: `stride`, `padding`, `output_padding`, `dilation`, `groups`, `flip`.

    Example:
        >>> conv_transpose([[[1, 2]]], [[[1, 10, 100]]], stride=2).nested()
        [[[1, 10, 102, 20, 200]]]
    """
    x, weight = tensor(x), tensor(weight)
    shape, links, channels = _transpose_setup(x, weight, **options)
    out = _start(shape, bias)
    for n in range(x.shape[0]):
        for c, wo, o in channels:
            for i, m, q in links:
                out[(n, o, *q)] += x.values[(n, c, *i)] * weight.values[(c, wo, *m)]
    return Tensor(shape, out)


def conv_transpose_vjp(grad_output: Any, x: Any, weight: Any, **options: Any) -> ConvGradients:
    """The three gradients of <grad_output, conv_transpose(x, weight, bias)>."""
    x, weight, g = tensor(x), tensor(weight), tensor(grad_output)
    shape, links, channels = _transpose_setup(x, weight, **options)
    _expect_shape(g, shape)
    to_input, to_weight = full(x.shape, 0).values, full(weight.shape, 0).values
    for n in range(x.shape[0]):
        for c, wo, o in channels:
            for i, m, q in links:
                to_input[(n, c, *i)] += g.values[(n, o, *q)] * weight.values[(c, wo, *m)]
                to_weight[(c, wo, *m)] += g.values[(n, o, *q)] * x.values[(n, c, *i)]
    return ConvGradients(Tensor(x.shape, to_input), Tensor(weight.shape, to_weight), _bias_gradient(g))


def conv_transpose_jvp(
    x: Any, weight: Any, *, dx: Any = None, dweight: Any = None, dbias: Any = None, **options: Any
) -> Tensor:
    """conv_transpose(dx, weight) + conv_transpose(x, dweight) + dbias; None is a zero tangent."""
    x, weight = tensor(x), tensor(weight)
    dx = full(x.shape, 0) if dx is None else dx
    dweight = full(weight.shape, 0) if dweight is None else dweight
    return conv_transpose(dx, weight, dbias, **options).plus(conv_transpose(x, dweight, **options))
