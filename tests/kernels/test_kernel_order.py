"""The order of memory: poolings go through images with channels last as they lie, and give back what lies likewise."""

from __future__ import annotations

from typing import Any

import numpy as np
import oracles
import pytest
from layers import laid

from symconv.errors import ArgumentError
from symconv.kernels.compile import compile
from symconv.kernels.runtime.order import Order, order_of
from symconv.operators.convolution import Conv
from symconv.operators.pooling import AvgPool, LPPool, MaxPool

POOLINGS = {
    "max": MaxPool(2, 2),
    "max, overlapping": MaxPool(3, 2, 1),
    "average": AvgPool((2, 3), (2, 3)),
    "average, overlapping": AvgPool(3, 1, 1, count_include_pad=False),
    "norm": LPPool(2, 2, 2),
    "norm, p = 3": LPPool(3, 2, 2),
    "norm, overlapping": LPPool(2, 3, 2, 1),
    "largest size": LPPool(float("inf"), 2, 2),
}


def expected(op: Any, x: np.ndarray, g: np.ndarray | None = None) -> np.ndarray:
    """The output of plain loops, or the gradient of the input for an upstream gradient."""
    geometry = {"stride": op.stride, "padding": op.padding}
    kernel = op.kernel_size
    if isinstance(op, MaxPool):
        y = oracles.max_pool(x, kernel, **geometry)[0] if g is None else oracles.max_pool_vjp(g, x, kernel, **geometry)
    elif isinstance(op, AvgPool):
        geometry["count_include_pad"] = op.count_include_pad
        y = oracles.avg_pool(x, kernel, **geometry) if g is None else oracles.avg_pool_vjp(g, x, kernel, **geometry)
    else:
        p = float(op.norm_type)
        y = oracles.lp_pool(x, p, kernel, **geometry) if g is None else oracles.lp_pool_vjp(g, x, p, kernel, **geometry)
    return oracles.to_numpy(y)


def lies_last(a: np.ndarray) -> bool:
    return bool(np.moveaxis(a, -3, -1).flags.c_contiguous)


@pytest.mark.parametrize("name", POOLINGS)
@pytest.mark.parametrize("order", ["channels last", "with gaps"])
def test_what_has_its_channels_last_keeps_them_last(name: str, order: str) -> None:
    op = POOLINGS[name]
    rng = np.random.default_rng(4)
    x = laid(rng.normal(size=(2, 3, 6, 6)), order)
    before = x.copy()
    kernel = compile(op)
    y = kernel(x)
    assert lies_last(y)
    np.testing.assert_allclose(y, expected(op, x), rtol=1e-12)
    for g in (rng.normal(size=y.shape), laid(rng.normal(size=y.shape), "channels last")):
        for known in (None, y, kernel(x).copy()):
            pulled = kernel.vjp(g, x, output=known).input
            assert lies_last(pulled)
            np.testing.assert_allclose(pulled, expected(op, x, g), rtol=1e-12, atol=1e-13)
        for tangent in (rng.normal(size=x.shape), laid(rng.normal(size=x.shape), "channels last")):
            pushed = kernel.jvp(x, dx=tangent)
            assert lies_last(pushed)
            assert float((g * pushed).sum()) == pytest.approx(float((pulled * tangent).sum()), rel=1e-11, abs=1e-12)
    np.testing.assert_array_equal(x, before)


def test_an_image_file_is_an_image_with_channels_last() -> None:
    """``(height, width, channels)`` seen as ``(channels, height, width)``, of whole numbers."""
    image = np.random.default_rng(5).integers(0, 256, size=(8, 10, 3)).astype(np.uint8)
    x = np.moveaxis(image, -1, 0)
    found, places = compile(MaxPool(2, 2))(x, return_indices=True)
    assert found.shape == places.shape == (3, 4, 5)
    assert lies_last(found)
    assert found.dtype == np.uint8
    for c, i, j in np.ndindex(found.shape):
        window = image[2 * i : 2 * i + 2, 2 * j : 2 * j + 2, c]
        assert found[c, i, j] == window.max()
        row, column = divmod(int(window.argmax()), 2)
        assert places[c, i, j] == (2 * i + row) * 10 + 2 * j + column


@pytest.mark.parametrize("order", ["rows", "channels last"])
def test_places_of_another_order_belong_to_the_same_entries(order: str) -> None:
    """Output and places may be laid out differently from the input, and hold -1 where a window has no entry."""
    op = MaxPool(2, 2, 1)
    x = laid(np.random.default_rng(6).normal(size=(2, 3, 4, 4)), "channels last")
    kernel = compile(op)
    found, places = kernel(x, return_indices=True)
    places = places.copy()
    places[0, 0, 0, 0] = -1
    g = np.arange(1.0, found.size + 1).reshape(found.shape)
    gradient = kernel.vjp(g, x, output=(laid(found.copy(), order), laid(places, order))).input
    wanted = np.zeros(x.shape)
    for n, c, i, j in np.ndindex(found.shape):
        if places[n, c, i, j] >= 0:
            wanted[n, c].flat[places[n, c, i, j]] += g[n, c, i, j]
    np.testing.assert_array_equal(gradient, wanted)


@pytest.mark.parametrize("order", ["rows", "channels last"])
@pytest.mark.parametrize("place", [-2, 16])
def test_places_outside_of_the_plane_are_refused(order: str, place: int) -> None:
    x = laid(np.ones((2, 3, 4, 4)), order)
    kernel = compile(MaxPool(2, 2))
    found, places = kernel(x, return_indices=True)
    places[1, 2, 1, 1] = place
    with pytest.raises(ArgumentError, match=r"^output\[1\] must hold integers from -1 to 15"):
        kernel.vjp(found, x, output=(found, places))


@pytest.mark.parametrize("p", [2, 3, 1.5])
@pytest.mark.parametrize("size", [1e-30, 1e30, 1e-44, 0.0])
def test_norms_of_windows_side_by_side_stay_within_their_range(p: float, size: float) -> None:
    """What is within the range of float32 stays there, and so do the gradients, though powers of it do not."""
    rng = np.random.default_rng(7)
    x = (rng.uniform(0.5, 2, size=(1, 3, 4, 4)) * rng.choice([-1, 1], size=(1, 3, 4, 4)) * size).astype(np.float32)
    op, g = LPPool(p, 2, 2), rng.normal(size=(1, 3, 2, 2)).astype(np.float32)
    kernel, exact = compile(op), x.astype(np.float64)
    for order in ("rows", "channels last"):
        y = kernel(laid(x, order))
        np.testing.assert_allclose(y, expected(op, exact), rtol=1e-6, atol=1e-45)
        for known in (None, y):
            pulled = kernel.vjp(g, laid(x, order), output=known).input
            # an output of 1e-44 has three bits left, and so has what is divided by it
            np.testing.assert_allclose(pulled, expected(op, exact, g), rtol=0.3 if size == 1e-44 else 1e-5)


@pytest.mark.parametrize("upstream", [1e-35, 1e20, 1e35])
@pytest.mark.parametrize("size", [1e-20, 1e-5, 1.0, 1e5])
@pytest.mark.parametrize("p", [1.5, 2, 3])
def test_gradients_of_norms_and_upstream_gradients_of_any_size(p: float, size: float, upstream: float) -> None:
    """Entries of about one size: all that the gradient is made of can then be represented."""
    rng = np.random.default_rng(9)
    x = (rng.uniform(0.5, 2, size=(1, 3, 4, 4)) * rng.choice([-1, 0, 1], size=(1, 3, 4, 4)) * size).astype(np.float32)
    g = (rng.uniform(0.5, 2, size=(1, 3, 2, 2)) * upstream).astype(np.float32)
    op = LPPool(p, 2, 2)
    kernel, wanted = compile(op), expected(op, x.astype(np.float64), g.astype(np.float64))
    for order in ("rows", "channels last"):
        for known in (None, kernel(x)):
            pulled = kernel.vjp(g, laid(x, order), output=known).input
            np.testing.assert_allclose(pulled, wanted, rtol=1e-5)


def test_images_side_by_side_in_memory_have_no_channels_there() -> None:
    """Grey images, the numbers of the images last: the axes are in order, and so is the result."""
    x = np.moveaxis(np.random.default_rng(10).normal(size=(6, 6, 4)), -1, 0)[:, None]
    for op in (MaxPool(2, 2), AvgPool(2, 2), LPPool(float("inf"), 2, 2)):
        kernel = compile(op)
        y = kernel(x)
        assert y.flags.c_contiguous
        np.testing.assert_allclose(y, expected(op, x))
        g = np.ones(y.shape)
        np.testing.assert_allclose(kernel.vjp(g, x).input, expected(op, x, g))
        assert float(kernel.jvp(x, dx=x).sum()) == pytest.approx(float((kernel.vjp(g, x).input * x).sum()))


def test_an_unsigned_index_beyond_all_planes_is_refused() -> None:
    kernel = compile(MaxPool(2, 2))
    found, places = kernel(np.ones((1, 2, 4, 4)), return_indices=True)
    unsigned = places.astype(np.uint64)
    np.testing.assert_array_equal(
        kernel.vjp(found, np.ones((1, 2, 4, 4)), output=(found, unsigned)).input.sum(axis=(2, 3)), [[4, 4]]
    )
    unsigned[0, 0, 0, 0] = 2**64 - 1
    with pytest.raises(ArgumentError, match=r"^output\[1\] must be a place"):
        kernel.vjp(found, np.ones((1, 2, 4, 4)), output=(found, unsigned))


def test_which_arrays_have_their_channels_last() -> None:
    last = np.moveaxis(np.zeros((2, 4, 5, 3)), -1, 1)
    assert order_of(last, 2) == Order(last=True)
    for shown in (last[:, :, 1:, ::2], last[:1], last[0], np.moveaxis(np.zeros((2, 5, 3)), -1, 1)):
        assert order_of(shown, shown.ndim - 2 + (shown.ndim == 3 and shown.shape[0] == 3)).last
    rows = np.zeros((2, 3, 4, 5))
    one = np.moveaxis(np.zeros((2, 4, 5, 1)), -1, 1)
    for other in (rows, rows[..., ::2], rows.transpose(0, 1, 3, 2), one, last[:, ::2], last[:, ::-1], last[:, :, ::-1]):
        assert not order_of(other, 2).last
    assert not order_of(np.zeros((4, 5)).T, 2).last
    assert not order_of(np.moveaxis(np.zeros((0, 4, 5, 3)), -1, 1), 2).last


@pytest.mark.parametrize("kernel_size", [1, 3])
@pytest.mark.parametrize("groups", [1, 3])
@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("order", ["channels last", "with gaps"])
def test_a_convolution_takes_any_order_and_gives_rows(kernel_size: int, groups: int, batch: int, order: str) -> None:
    rng = np.random.default_rng(8)
    x = laid(rng.normal(size=(batch, 6, 5, 4)), order)
    weight = rng.normal(size=(9, 6 // groups, kernel_size, kernel_size))
    op = Conv(kernel_size, groups=groups, in_channels=6, out_channels=9)
    kernel = compile(op)
    y = kernel(x, weight)
    assert y.flags.c_contiguous
    assert compile(op, accuracy="exact_order")(x, weight).flags.c_contiguous
    np.testing.assert_allclose(y, oracles.to_numpy(oracles.conv(x, weight, groups=groups)), rtol=1e-12, atol=1e-13)
    g = laid(rng.normal(size=y.shape), "channels last")
    found, wanted = kernel.vjp(g, x, weight), oracles.conv_vjp(g, x, weight, groups=groups)
    np.testing.assert_allclose(found.input, oracles.to_numpy(wanted.input), rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(found.weight, oracles.to_numpy(wanted.weight), rtol=1e-12, atol=1e-13)
