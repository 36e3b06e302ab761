"""Paddings that no layer of PyTorch has: uneven, negative and named ones, put together out of its functions."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
import oracles
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from symconv.errors import GeometryError
from symconv.kernels.compile import compile
from symconv.operators.convolution import Conv
from symconv.operators.pooling import AvgPool, LPPool, MaxPool
from symconv.operators.transposed import ConvTranspose

torch = pytest.importorskip("torch", reason="the paddings are held against PyTorch's functions")
F = torch.nn.functional
torch.set_num_threads(1)

NORMAL = 40
SLOW = int(os.environ.get("SYMCONV_FUZZ_CASES", "8000")) // 8
RULES = ("valid", "half", "full", "same", "same_upper", "same_lower")


def examples(count: int) -> Any:
    return settings(
        max_examples=count, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.filter_too_much]
    )


@dataclass(frozen=True)
class Window:
    """The options that convolutions and poolings share, and what their padding is in numbers."""

    ndim: int
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    padding: Any
    sizes: tuple[int, ...]
    seed: int

    @property
    def pairs(self) -> list[tuple[int, int]]:
        if not isinstance(self.padding, str):
            return list(self.padding)
        found = []
        for n, k, s, d in zip(self.sizes, self.kernel, self.stride, self.dilation, strict=True):
            if self.padding.startswith("same_"):
                found.append(oracles.same_padding(n, k, s, d, upper=self.padding == "same_upper"))
            elif self.padding == "same":
                found.append(oracles.pytorch_same_padding(k, d))
            else:
                side = {"valid": 0, "half": d * (k - 1) // 2, "full": d * (k - 1)}[self.padding]
                found.append((side, side))
        return found

    def array(self, *lead: int) -> np.ndarray:
        return np.random.default_rng(self.seed).normal(size=(*lead, *self.sizes))

    def weight(self, *lead: int) -> np.ndarray:
        return np.random.default_rng(self.seed + 1).normal(size=(*lead, *self.kernel))


@st.composite
def windows(draw: st.DrawFn) -> Window:
    ndim = draw(st.integers(1, 3))

    def axis(low: int, high: int) -> tuple[int, ...]:
        return tuple(draw(st.integers(low, high)) for _ in range(ndim))

    padding: Any = tuple((draw(st.integers(-2, 5)), draw(st.integers(-2, 5))) for _ in range(ndim))
    if draw(st.integers(0, 2)) == 0:
        padding = draw(st.sampled_from(RULES))
    stride = (1,) * ndim if padding == "same" else axis(1, 3)
    sizes = axis(1, {1: 12, 2: 8, 3: 5}[ndim])
    return Window(ndim, axis(1, 4), stride, axis(1, 3), padding, sizes, draw(st.integers(0, 1 << 32)))


def padded(x: Any, pairs: list[tuple[int, int]], mode: str = "zeros", value: float = 0.0) -> Any:
    """An image with its padding: modes look at the whole image, then what is negative is cut off."""
    ndim, options = len(pairs), {"mode": mode} if mode != "zeros" else {"value": value}
    grown = [side for before, after in reversed(pairs) for side in (max(before, 0), max(after, 0))]
    x = F.pad(x, grown, **options)
    for axis, (before, after) in enumerate(pairs):
        length = x.shape[axis - ndim]
        start, stop = min(max(-before, 0), length), length - max(-after, 0)
        x = x.narrow(axis - ndim, start, max(stop - start, 0))
    return x


def fits(op: Any, window: Window, image: Any) -> bool:
    """Whether there is an output; the operator must say the same."""
    axes = zip(image.shape[-window.ndim :], window.kernel, window.dilation, strict=True)
    if all(n >= d * (k - 1) + 1 for n, k, d in axes):
        return True
    with pytest.raises(GeometryError):
        op.output_size(window.sizes)
    return False


def pulls(kernel: Any, y: Any, leaves: list[Any]) -> None:
    """Output and gradients of a kernel against an output of PyTorch and its leaves."""
    arrays = [leaf.detach().numpy() for leaf in leaves]
    ours = kernel(*arrays)
    assert ours.shape == tuple(y.shape)
    np.testing.assert_allclose(ours, y.detach().numpy(), rtol=1e-9, atol=1e-9)
    g = np.random.default_rng(0).normal(size=ours.shape)
    y.backward(torch.from_numpy(g))
    found = kernel.vjp(g, *arrays)
    for mine, leaf in zip((found.input, found.weight, found.bias), leaves, strict=False):
        np.testing.assert_allclose(mine, leaf.grad.numpy(), rtol=1e-9, atol=1e-9)


def leaf(array: np.ndarray) -> Any:
    return torch.from_numpy(array).requires_grad_()


def convolves(window: Window, mode: str, flip: bool) -> None:
    pairs = window.pairs
    if mode == "reflect":
        assume(all(max(pair) < n for pair, n in zip(pairs, window.sizes, strict=True)))
    if mode == "circular":
        assume(all(max(pair) <= n for pair, n in zip(pairs, window.sizes, strict=True)))
    options: dict[str, Any] = {"padding_mode": mode, "flip": flip, "in_channels": 2, "out_channels": 3}
    op = Conv(window.kernel, window.stride, window.padding, window.dilation, **options)
    x, weight = leaf(window.array(2, 2)), leaf(window.weight(3, 2))
    image = padded(x, pairs, mode)
    if not fits(op, window, image):
        return
    turned = weight.flip(*range(2, weight.ndim)) if flip else weight
    y = getattr(F, f"conv{window.ndim}d")(image, turned, None, window.stride, 0, window.dilation)
    pulls(compile(op), y, [x, weight])


def transposes(window: Window, flip: bool) -> None:
    """The padding of a transposed convolution is cut off its output; a negative one adds zeros."""
    assume(window.padding not in ("same", "same_upper", "same_lower"))
    op = ConvTranspose(window.kernel, window.stride, window.padding, 0, window.dilation, 1, 2, 3, flip=flip)
    x, weight = leaf(window.array(2, 2)), leaf(window.weight(2, 3))
    turned = weight.flip(*range(2, weight.ndim)) if flip else weight
    function = getattr(F, f"conv_transpose{window.ndim}d")
    whole = function(x, turned, None, window.stride, 0, 0, 1, window.dilation)
    y = padded(whole, [(-before, -after) for before, after in window.pairs])
    if 0 in y.shape:
        with pytest.raises(GeometryError):
            op.output_size(window.sizes)
        return
    pulls(compile(op), y, [x, weight])


def pools(window: Window, kind: str, include: bool) -> None:
    pairs = window.pairs
    shared = (window.kernel, window.stride, window.padding, window.dilation)
    x = leaf(window.array(2, 2))
    image = padded(x, pairs, value=-np.inf if kind == "max" else 0.0)
    ops = {"max": MaxPool(*shared), "average": AvgPool(*shared, count_include_pad=include), "lp": LPPool(3, *shared)}
    op: Any = ops[kind]
    if not fits(op, window, image):
        return
    convolve = getattr(F, f"conv{window.ndim}d")

    def sums(values: Any) -> Any:
        """The sum of every window."""
        ones = torch.ones((2, 1, *window.kernel), dtype=torch.float64)
        return convolve(values, ones, None, window.stride, 0, window.dilation, 2)

    counts = sums(padded(torch.ones_like(x), pairs)).detach()
    assume(bool((counts > 0).all()))  # windows without a real tap have a policy of their own
    if kind == "max":
        y = getattr(F, f"max_pool{window.ndim}d")(image, window.kernel, window.stride, 0, window.dilation)
    elif kind == "average":
        y = sums(image) / (float(np.prod(window.kernel)) if include else counts)
    else:
        y = sums(abs(image) ** 3) ** (1 / 3)
    pulls(compile(op), y, [x])


def both(count: int) -> tuple[Any, Any, Any]:
    modes = st.sampled_from(("zeros", "reflect", "replicate", "circular"))
    kinds = st.sampled_from(("max", "average", "lp"))
    return (
        examples(count)(given(windows(), modes, st.booleans())(convolves)),
        examples(count)(given(windows(), st.booleans())(transposes)),
        examples(count)(given(windows(), kinds, st.booleans())(pools)),
    )


test_convolutions, test_transposed_convolutions, test_poolings = both(NORMAL)
test_many_convolutions, test_many_transposed_convolutions, test_many_poolings = map(pytest.mark.slow, both(SLOW))
