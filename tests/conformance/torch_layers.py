"""Random layers of PyTorch, each with the operator that it should be, written by hand, and an input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

from symconv.operators.adaptive import AdaptiveAvgPool, AdaptiveMaxPool
from symconv.operators.base import Operator
from symconv.operators.convolution import Conv
from symconv.operators.patches import Fold, Unfold
from symconv.operators.pooling import AvgPool, LPPool, MaxPool
from symconv.operators.transposed import ConvTranspose
from symconv.operators.unpooling import MaxUnpool

MODES = ("zeros", "reflect", "replicate", "circular")
ORDERS = (1, 2, 3, 4, 1.5, 2.5, float("inf"))


@dataclass(frozen=True)
class Case:
    """One layer with its input.

    Attributes:
        layer: the module of PyTorch, in float64.
        op: the same layer, by hand; None where the options cannot be made to fit.
        x: the input ``(N, C, *spatial)``.
        channels: the channels of the image of `Unfold` and `Fold`.
        positions: the indices of a max unpooling.
        output_size: the size that it is asked for, or None.
    """

    layer: Any
    build: Callable[[], Operator]
    x: np.ndarray
    channels: int | None = None
    positions: np.ndarray | None = None
    output_size: tuple[int, ...] | None = None

    @property
    def sizes(self) -> tuple[int, ...]:
        """The spatial sizes of the input, or how many places a `Fold` has on every axis."""
        if type(self.layer).__name__ == "Fold":
            return tuple(_places(self.layer))
        return self.x.shape[2:]

    @property
    def parameters(self) -> list[np.ndarray]:
        """Weight and bias, as far as there are any."""
        return [parameter.detach().numpy() for parameter in self.layer.parameters()]


def _places(layer: Any) -> list[int]:
    options = zip(layer.output_size, layer.kernel_size, layer.stride, layer.padding, layer.dilation, strict=True)
    return [(n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in options]


def _entry(draw: st.DrawFn, ndim: int, low: int, high: int) -> Any:
    """An option: an integer, or one an axis."""
    if draw(st.booleans()):
        return draw(st.integers(low, high))
    return tuple(draw(st.integers(low, high)) for _ in range(ndim))


def _each(value: Any, ndim: int) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, tuple) else (value,) * ndim


def _sizes(draw: st.DrawFn, ndim: int) -> tuple[int, ...]:
    most = {1: 12, 2: 8, 3: 5}[ndim]
    return tuple(draw(st.integers(1, most)) for _ in range(ndim))


def _random(draw: st.DrawFn) -> np.random.Generator:
    return np.random.default_rng(draw(st.integers(0, 1 << 32)))


def _input(draw: st.DrawFn, channels: int, sizes: tuple[int, ...], *, ties: bool = False) -> np.ndarray:
    x = _random(draw).normal(size=(draw(st.integers(1, 3)), channels, *sizes))
    return x.round() if ties and draw(st.booleans()) else x


def _filled(draw: st.DrawFn, layer: Any) -> Any:
    """A layer in float64 with parameters that do not depend on PyTorch's random numbers."""
    import torch

    rng = _random(draw)
    layer = layer.double()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(torch.from_numpy(rng.normal(size=tuple(parameter.shape))))
    return layer


def _channels(draw: st.DrawFn) -> tuple[int, int, int]:
    """Channels in and out, and groups; depthwise with a multiplier among them."""
    groups = draw(st.sampled_from((1, 1, 2, 3)))
    return groups * draw(st.integers(1, 3)), groups * draw(st.integers(1, 3)), groups


@st.composite
def convolutions(draw: st.DrawFn) -> Case:
    from torch import nn

    ndim = draw(st.integers(1, 3))
    ins, outs, groups = _channels(draw)
    kernel, stride, dilation = (_entry(draw, ndim, 1, high) for high in (4, 3, 3))
    padding: Any = _entry(draw, ndim, 0, 3)
    if draw(st.integers(0, 3)) == 0:
        padding = draw(st.sampled_from(("same", "valid")))
        stride = 1 if padding == "same" else stride
    mode, bias, sizes = draw(st.sampled_from(MODES)), draw(st.booleans()), _sizes(draw, ndim)
    reaches = zip(_each(padding, ndim), _each(kernel, ndim), _each(dilation, ndim), sizes, strict=True)
    if mode == "circular":  # PyTorch wraps around once at most
        assume(all((d * (k - 1) if isinstance(p, str) else p) <= n for p, k, d, n in reaches))
    layer = getattr(nn, f"Conv{ndim}d")(ins, outs, kernel, stride, padding, dilation, groups, bias, mode)
    return Case(
        _filled(draw, layer),
        lambda: Conv(kernel, stride, padding, dilation, groups, ins, outs, bias, mode, ndim=ndim),
        _input(draw, ins, sizes),
    )


@st.composite
def transposed_convolutions(draw: st.DrawFn) -> Case:
    from torch import nn

    ndim = draw(st.integers(1, 3))
    ins, outs, groups = _channels(draw)
    kernel, stride, dilation = (_entry(draw, ndim, 1, 3) for _ in range(3))
    padding, bias, sizes = _entry(draw, ndim, 0, 2), draw(st.booleans()), _sizes(draw, ndim)
    steps = zip(_each(stride, ndim), _each(dilation, ndim), strict=True)
    extra = tuple(draw(st.integers(0, max(pair) - 1)) for pair in steps)  # PyTorch takes no more
    layer = getattr(nn, f"ConvTranspose{ndim}d")(ins, outs, kernel, stride, padding, extra, groups, bias, dilation)
    return Case(
        _filled(draw, layer),
        lambda: ConvTranspose(kernel, stride, padding, extra, dilation, groups, ins, outs, bias, ndim=ndim),
        _input(draw, ins, sizes),
    )


def _pool_window(draw: st.DrawFn, ndim: int) -> tuple[Any, Any, Any, bool]:
    """Kernel, stride and padding of a pooling; PyTorch pads by half a kernel at most."""
    kernel = _entry(draw, ndim, 1, 4)
    stride = None if draw(st.booleans()) else _entry(draw, ndim, 1, 4)
    padding = tuple(draw(st.integers(0, k // 2)) for k in _each(kernel, ndim))
    return kernel, stride, padding[0] if len(set(padding)) == 1 else padding, draw(st.booleans())


def _misses(n: int, k: int, s: int, p: int, d: int) -> bool:
    """Whether some window that starts in the padding before the input or in the input has no tap in it."""
    starts = range(-p, n, s)
    return any(not any(0 <= start + d * m < n for m in range(k)) for start in starts)


@st.composite
def max_pools(draw: st.DrawFn) -> Case:
    from torch import nn

    ndim = draw(st.integers(1, 3))
    kernel, stride, padding, ceil = _pool_window(draw, ndim)
    dilation, sizes = _entry(draw, ndim, 1, 3), _sizes(draw, ndim)
    options = (_each(value, ndim) for value in (kernel, kernel if stride is None else stride, padding, dilation))
    # PyTorch's gradient of a window without a real tap writes outside of its memory
    assume(not any(_misses(n, *axis) for n, *axis in zip(sizes, *options, strict=True)))
    layer = getattr(nn, f"MaxPool{ndim}d")(kernel, stride, padding, dilation, ceil_mode=ceil)
    return Case(
        layer,
        lambda: MaxPool(kernel, stride, padding, dilation, ceil, ndim=ndim),
        _input(draw, draw(st.integers(1, 3)), sizes, ties=True),
    )


@st.composite
def average_pools(draw: st.DrawFn) -> Case:
    from torch import nn

    ndim = draw(st.integers(1, 3))
    kernel, stride, padding, ceil = _pool_window(draw, ndim)
    include, sizes = draw(st.booleans()), _sizes(draw, ndim)
    divisor = draw(st.sampled_from((None, None, 5, -3))) if ndim > 1 else None  # AvgPool1d has none
    more = {"divisor_override": divisor} if ndim > 1 else {}
    if ndim == 3:  # PyTorch refuses an input smaller than the kernel here, whatever the padding
        assume(all(n >= k for n, k in zip(sizes, _each(kernel, 3), strict=True)))
    layer = getattr(nn, f"AvgPool{ndim}d")(kernel, stride, padding, ceil, include, **more)
    return Case(
        layer,
        lambda: AvgPool(
            kernel, stride, padding, ceil_mode=ceil, count_include_pad=include, divisor_override=divisor, ndim=ndim
        ),
        _input(draw, draw(st.integers(1, 3)), sizes),
    )


@st.composite
def lp_pools(draw: st.DrawFn) -> Case:
    """With positive entries where PyTorch takes no absolute value, and without ceil_mode where it scales."""
    from torch import nn

    ndim, p = draw(st.integers(1, 3)), draw(st.sampled_from(ORDERS))
    kernel, stride, _, ceil = _pool_window(draw, ndim)
    ceil, sizes = ceil and p == float("inf"), _sizes(draw, ndim)
    x = _input(draw, draw(st.integers(1, 3)), sizes)
    x = x if p in (2, 4, float("inf")) else abs(x) + 0.01
    if ndim == 1:  # LPPool1d takes integers alone
        kernel, stride = (value[0] if isinstance(value, tuple) else value for value in (kernel, stride))
    layer = getattr(nn, f"LPPool{ndim}d")(p, kernel, stride, ceil)
    return Case(layer, lambda: LPPool(p, kernel, stride, ceil_mode=ceil, ndim=ndim), x)


@st.composite
def adaptive_pools(draw: st.DrawFn) -> Case:
    from torch import nn

    ndim, kind = draw(st.integers(1, 3)), draw(st.sampled_from(("Avg", "Max")))
    size, sizes = _entry(draw, ndim, 1, 5), _sizes(draw, ndim)
    layer = getattr(nn, f"Adaptive{kind}Pool{ndim}d")(size)
    op: Any = AdaptiveAvgPool if kind == "Avg" else AdaptiveMaxPool
    return Case(layer, lambda: op(size, ndim=ndim), _input(draw, draw(st.integers(1, 3)), sizes, ties=kind == "Max"))


@st.composite
def foldings(draw: st.DrawFn) -> Case:
    from torch import nn

    kernel, stride, dilation = (_entry(draw, 2, 1, 3) for _ in range(3))
    padding, sizes, channels = _entry(draw, 2, 0, 2), _sizes(draw, 2), draw(st.integers(1, 3))
    if draw(st.booleans()):
        return Case(
            nn.Unfold(kernel, dilation, padding, stride),
            lambda: Unfold(kernel, stride, padding, dilation, channels),
            _input(draw, channels, sizes),
            channels,
        )
    layer = nn.Fold(sizes, *(_each(value, 2) for value in (kernel, dilation, padding, stride)))
    count = _places(layer)
    assume(min(count) >= 1)
    taps = int(np.prod(_each(kernel, 2)))
    return Case(
        layer,
        lambda: Fold(sizes, kernel, stride, padding, dilation, channels),
        _random(draw).normal(size=(draw(st.integers(1, 3)), channels * taps, count[0] * count[1])),
        channels,
    )


@st.composite
def max_unpools(draw: st.DrawFn) -> Case:
    """With distinct positions: where two are equal PyTorch does not say what it does."""
    from torch import nn

    ndim = draw(st.integers(1, 3))
    kernel, stride, padding, _ = _pool_window(draw, ndim)
    sizes = _sizes(draw, ndim)
    x = _input(draw, draw(st.integers(1, 3)), sizes)
    step = kernel if stride is None else stride
    axes = list(zip(sizes, _each(kernel, ndim), _each(step, ndim), _each(padding, ndim), strict=True))
    outputs = tuple((n - 1) * s + k - 2 * p for n, k, s, p in axes)
    asked = None
    if draw(st.booleans()):  # PyTorch wants an output size that differs from the default by less than the stride
        asked = outputs = tuple(
            max(1, n + draw(st.integers(1 - s, s - 1))) for n, (_, _, s, _) in zip(outputs, axes, strict=True)
        )
        assume(all(default - s < n < default + s for n, default, s in _near(outputs, axes)))
    entries, rng = int(np.prod(outputs)), _random(draw)
    assume(min(outputs) >= 1 and entries >= np.prod(sizes))
    planes = [rng.permutation(entries)[: int(np.prod(sizes))] for _ in range(x.shape[0] * x.shape[1])]
    return Case(
        getattr(nn, f"MaxUnpool{ndim}d")(kernel, stride, padding),
        lambda: MaxUnpool(kernel, stride, padding, ndim=ndim),
        x,
        positions=np.array(planes).reshape(x.shape),
        output_size=asked,
    )


def _near(outputs: tuple[int, ...], axes: list[tuple[int, int, int, int]]) -> list[tuple[int, int, int]]:
    return [(out, (n - 1) * s + k - 2 * p, s) for out, (n, k, s, p) in zip(outputs, axes, strict=True)]


FAMILIES: dict[str, st.SearchStrategy[Case]] = {
    "convolutions": convolutions(),
    "transposed": transposed_convolutions(),
    "max": max_pools(),
    "average": average_pools(),
    "lp": lp_pools(),
    "adaptive": adaptive_pools(),
    "folding": foldings(),
    "unpooling": max_unpools(),
}
