"""Kernels against PyTorch, values and gradients, on a fixed sample of layers in float64 and float32."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from symconv.kernels.compile import compile
from symconv.operators.convolution import Conv
from symconv.operators.pooling import AvgPool, LPPool, MaxPool

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def torch() -> Any:
    module = pytest.importorskip("torch", reason="the comparison of kernels with PyTorch needs PyTorch")
    module.set_num_threads(1)
    return module


def compare(torch: Any, kernel: Any, function: Any, arrays: list[np.ndarray], dtype: str) -> None:
    """Outputs and all gradients of a kernel and of a PyTorch function of the same arrays."""
    arrays = [array.astype(dtype) for array in arrays]
    leaves = [torch.tensor(array).requires_grad_() for array in arrays]
    theirs = function(*leaves)
    ours = kernel(*arrays)
    eps = float(np.finfo(dtype).eps)
    tolerance: dict[str, Any] = {"rtol": 200 * eps, "atol": 2000 * eps}
    np.testing.assert_allclose(ours, theirs.detach().numpy(), **tolerance)
    g = RNG.normal(size=ours.shape).astype(dtype)
    theirs.backward(torch.tensor(g))
    found = kernel.vjp(g, *arrays)
    for mine, leaf in zip((found.input, found.weight, found.bias), leaves, strict=False):
        np.testing.assert_allclose(mine, leaf.grad.numpy(), **tolerance)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate", "circular"])
@pytest.mark.parametrize(("groups", "stride", "dilation"), [(1, 1, 1), (2, 2, 1), (4, 1, 2)])
def test_conv2d(torch: Any, dtype: str, mode: str, groups: int, stride: int, dilation: int) -> None:
    x, weight, bias = RNG.normal(size=(2, 4, 13, 11)), RNG.normal(size=(8, 4 // groups, 3, 3)), RNG.normal(size=8)
    op = Conv(3, stride, 2, dilation, groups, 4, 8, bias=True, padding_mode=mode)
    layer = torch.nn.functional

    def function(a: Any, b: Any, d: Any) -> Any:
        padded = layer.pad(a, (2, 2, 2, 2)) if mode == "zeros" else layer.pad(a, (2, 2, 2, 2), mode=mode)
        return layer.conv2d(padded, b, d, stride, 0, dilation, groups)

    compare(torch, compile(op), function, [x, weight, bias], dtype)


@pytest.mark.parametrize("ndim", [1, 3])
def test_conv_of_other_dimensions(torch: Any, ndim: int) -> None:
    x, weight = RNG.normal(size=(2, 3) + (7,) * ndim), RNG.normal(size=(4, 3) + (3,) * ndim)
    function = getattr(torch.nn.functional, f"conv{ndim}d")
    kernel = compile(Conv(3, 2, 1, in_channels=3, out_channels=4, ndim=ndim))
    compare(torch, kernel, lambda a, b: function(a, b, stride=2, padding=1), [x, weight], "float64")


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    ("k", "s", "p", "ceil"), [(2, 2, 0, False), (3, 2, 1, False), (3, 1, 1, True), (3, 2, 0, True)]
)
def test_pools(torch: Any, dtype: str, k: int, s: int, p: int, ceil: bool) -> None:
    f = torch.nn.functional
    x = RNG.normal(size=(2, 3, 12, 9)).round(1)
    compare(torch, compile(MaxPool(k, s, p, ceil_mode=ceil)), lambda a: f.max_pool2d(a, k, s, p, 1, ceil), [x], dtype)
    for include in (True, False):
        op = AvgPool(k, s, p, ceil_mode=ceil, count_include_pad=include)
        compare(torch, compile(op), lambda a, i=include: f.avg_pool2d(a, k, s, p, ceil, i), [x], dtype)
    _, indices = compile(MaxPool(k, s, p, ceil_mode=ceil))(x, return_indices=True)
    _, theirs = f.max_pool2d(torch.tensor(x), k, s, p, 1, ceil, return_indices=True)
    np.testing.assert_array_equal(indices, theirs.numpy())


@pytest.mark.parametrize("p", [1, 2, 3])
def test_lp_pool_of_positive_entries(torch: Any, p: int) -> None:
    """PyTorch takes no absolute value, so that the two agree on positive entries only."""
    x = RNG.random(size=(2, 3, 9, 8)) + 0.1
    kernel = compile(LPPool(p, 3, 2))
    compare(torch, kernel, lambda a: torch.nn.functional.lp_pool2d(a, p, 3, 2), [x], "float64")
