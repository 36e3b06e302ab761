"""What a kernel takes and gives: layouts, types, refusals; it writes to nothing that it is handed."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy

from symconv.errors import ArgumentError, GeometryError, NotSupportedError, SizeLimitError
from symconv.kernels.compile import compile
from symconv.operators.convolution import Conv
from symconv.operators.pooling import AvgPool, LPPool, MaxPool

RNG = np.random.default_rng(0)
X = RNG.normal(size=(2, 4, 6, 7))
W = RNG.normal(size=(6, 2, 3, 3))
GROUPED = Conv(3, 2, 1, groups=2, in_channels=4, out_channels=6)
OPERATORS: list[tuple[Any, tuple[np.ndarray, ...]]] = [
    (GROUPED, (W,)),
    (Conv(3, padding=1, padding_mode="reflect", in_channels=4, out_channels=2), (RNG.normal(size=(2, 4, 3, 3)),)),
    (Conv(1, in_channels=4, out_channels=3), (RNG.normal(size=(3, 4, 1, 1)),)),
    (MaxPool(3, 2, 1), ()),
    (AvgPool(2, 1, 1, count_include_pad=False), ()),
    (LPPool(3, 2), ()),
]


@pytest.mark.parametrize(("op", "weights"), OPERATORS)
def test_a_batch_is_its_items(op: Any, weights: tuple[np.ndarray, ...]) -> None:
    kernel = compile(op)
    whole = kernel(X, *weights)
    for item, expected in zip(X, whole, strict=True):
        np.testing.assert_allclose(kernel(item, *weights), expected, rtol=1e-13, atol=1e-13)
    assert kernel(X[:0], *weights).shape == (0, *whole.shape[1:])
    gradients = kernel.vjp(np.ones((0, *whole.shape[1:])), X[:0], *weights)
    assert gradients.input.shape == (0, *X.shape[1:])


def test_a_plane_alone() -> None:
    plane, weight = X[0, 0], W[0, 0]
    expected = compile(Conv(3))(plane[None, None], weight[None, None])[0, 0]
    np.testing.assert_array_equal(compile(Conv(3))(plane, weight), expected)
    gradients = compile(Conv(3)).vjp(np.ones_like(expected), plane, weight)
    assert gradients.input.shape == plane.shape
    assert gradients.weight is not None
    assert gradients.weight.shape == weight.shape
    np.testing.assert_array_equal(compile(MaxPool(2))(plane), compile(MaxPool(2))(plane[None, None])[0, 0])


@pytest.mark.parametrize(("op", "weights"), OPERATORS)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_floating_types_stay_what_they_are(op: Any, weights: tuple[np.ndarray, ...], dtype: str) -> None:
    kernel = compile(op)
    x, parameters = X.astype(dtype), [w.astype(dtype) for w in weights]
    found = kernel(x, *parameters)
    assert found.dtype == dtype
    exact = kernel(x.astype(float), *(w.astype(float) for w in parameters))
    eps = float(np.finfo(dtype).eps)
    np.testing.assert_allclose(found.astype(float), exact, rtol=20 * eps, atol=40 * eps)
    gradients = kernel.vjp(np.ones_like(found), x, *parameters)
    assert gradients.input.dtype == dtype
    assert gradients.weight is None or gradients.weight.dtype == dtype
    assert kernel.jvp(x, *parameters, dx=x).dtype == dtype


@pytest.mark.parametrize("plan", ["im2col", "taps"])
def test_types_that_differ_are_promoted(plan: str) -> None:
    kernel = compile(Conv(3), plan=plan)
    assert kernel(X[0, 0].astype("float32"), W[0, 0]).dtype == np.float64
    assert kernel(X[0, 0].astype("float32"), W[0, 0].astype("float16")).dtype == np.float32
    gradients = kernel.vjp(np.ones((4, 5)), X[0, 0].astype("float32"), W[0, 0])
    assert gradients.weight is not None
    assert (gradients.input.dtype, gradients.weight.dtype) == (np.float32, np.float64)


@pytest.mark.parametrize("plan", ["im2col", "taps"])
def test_convolutions_of_integers_are_exact(plan: str) -> None:
    kernel = compile(Conv((2,)), plan=plan)
    big = 1 << 53
    found = kernel(np.array([big + 1, 1, 3]), np.array([1, 1], np.int8))
    assert found.dtype == np.int64
    assert found.tolist() == [big + 2, 4]
    assert kernel(np.array([250, 250], np.uint8), np.array([100, -1])).tolist() == [24750]
    with pytest.raises(ArgumentError, match=r"^x must be small enough for sums in int64"):
        kernel(np.array([1 << 61, 0, 0]), np.array([3, -2]))
    with pytest.raises(ArgumentError, match=r"^x must be small enough for sums in int64"):
        kernel(np.array([(1 << 64) - 1, 0], np.uint64), np.array([1, 0]))


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int64", "uint64"])
def test_maxima_of_integers_keep_their_type(dtype: str) -> None:
    x = np.array([[1, 5, 3], [0, 2, 4]], dtype)
    found, indices = compile(MaxPool(2, 1, 1))(x, return_indices=True)
    assert found.dtype == dtype
    assert found.tolist() == [[1, 5, 5, 3], [1, 5, 5, 4], [0, 2, 4, 4]]
    assert indices.tolist() == [[0, 1, 1, 2], [0, 1, 1, 5], [3, 4, 5, 5]]


def test_padding_never_wins_over_negative_integers() -> None:
    found, indices = compile(MaxPool((2,), 2, 1))(np.array([-3, -7, -5, -128], np.int8), return_indices=True)
    assert (found.tolist(), indices.tolist()) == ([-3, -5, -128], [0, 2, 3])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: compile(AvgPool(2))(np.ones((2, 2), int)), r"^x must have a floating dtype: AvgPool works in"),
        (lambda: compile(LPPool(1, 2))(np.ones((2, 2), int)), r"^x must have a floating dtype: LPPool works in"),
        (
            lambda: compile(MaxPool((2,), 1, 1, 2))(np.ones(1, int)),
            r"^x must have a floating dtype: a window without a real tap",
        ),
        (lambda: compile(MaxPool(2)).vjp(np.ones((1, 1)), np.ones((2, 2), int)), r"^vjp needs a floating dtype"),
        (lambda: compile(MaxPool(2))(np.ones((2, 2), complex)), r"^x must have the dtype float16, float32"),
        (lambda: compile(MaxPool(2))(np.ones((2, 2), bool)), r"^x must have the dtype float16, float32"),
        (lambda: compile(MaxPool(2))(np.ones(3)), r"^x must have the shape \(N, C, \*spatial\).*got \(3,\)"),
        (lambda: compile(MaxPool(2))(np.ones((1, 1, 1, 3, 3))), r"^x must have the shape"),
        (lambda: compile(GROUPED)(X[:, :3], W), r"^x must have 4 channels on axis 1, got \(2, 3, 6, 7\)"),
        (lambda: compile(GROUPED)(X[0, 0], W), r"^x must have an axis for its 4 channels"),
        (lambda: compile(GROUPED)(X), r"^weight must be given"),
        (lambda: compile(GROUPED)(X, W[:, :1]), r"^weight must have the shape \(6, 2, 3, 3\).*got \(6, 1, 3, 3\)"),
        (lambda: compile(GROUPED)(X, W, np.ones(6)), r"^bias must be left out"),
        (lambda: compile(Conv(1, bias=True))(np.ones((2, 2)), np.ones((1, 1))), r"^bias must be given"),
        (
            lambda: compile(Conv(1, bias=True))(np.ones((2, 2)), np.ones((1, 1)), np.ones(2)),
            r"^bias must have the shape \(1,\)",
        ),
        (lambda: compile(MaxPool(2))(np.ones((2, 2)), np.ones((2, 2))), r"^weight must be left out"),
        (lambda: compile(GROUPED, weight=W)(X, W), r"^weight must be left out: it was bound"),
        (lambda: compile(GROUPED, weight=W[:2]), r"^weight must have the shape"),
        (lambda: compile(MaxPool(2), weight=W), r"^weight must be left out"),
        (lambda: compile(AvgPool(2))(np.ones((2, 2)), return_indices=True), r"^return_indices must be False"),
        (lambda: compile(MaxPool(2)).vjp(np.ones((2, 1)), np.ones((2, 2))), r"^grad_output must have the shape"),
        (lambda: compile(MaxPool(2)).jvp(np.ones((2, 2)), dx=np.ones(2)), r"^dx must have the shape \(2, 2\)"),
        (lambda: compile(MaxPool(2)).jvp(np.ones((2, 2)), dweight=np.ones(2)), r"^dweight, dbias must be left out"),
        (lambda: compile(Conv(3))(np.ones((2, 2)), np.ones((3, 3))), r"^kernel_size needs an effective size"),
        (
            lambda: compile(Conv(3, padding=3, padding_mode="reflect"))(np.ones((3, 9)), np.ones((3, 3))),
            r"^padding must be below the input size 3",
        ),
        (lambda: compile(Conv(3), backend="c"), r"^backend must be one of 'auto', 'halide', 'numpy', got 'c'"),
        (lambda: compile(Conv(3), threads=2), r"^threads must be 1"),
        (
            lambda: compile(Conv(3), accuracy="exact"),
            r"^accuracy must be one of 'exact_order', 'default', 'fast', got 'exact'",
        ),
        (
            lambda: compile(Conv(3), plan="fourier"),
            r"^plan must be one of the plans that apply here \('im2col', .*'taps'\), got 'fourier'$",
        ),
        (
            lambda: compile(Conv(3, in_channels=2), plan="rows"),
            r"^plan must be .*, got 'rows'; 'rows' needs one input and one output channel a group$",
        ),
        (lambda: compile(Conv(sympy.Symbol("K", integer=True))), r"^op must have numbers for all its options \(K"),
        (lambda: compile("conv"), r"^op must be an operator"),  # type: ignore[arg-type]
    ],
)
def test_refusals_name_the_argument(call: Callable[[], Any], message: str) -> None:
    with pytest.raises((ArgumentError, GeometryError, NotSupportedError), match=message):
        call()


@pytest.mark.parametrize(("op", "weights"), OPERATORS)
def test_arguments_are_only_read(op: Any, weights: tuple[np.ndarray, ...]) -> None:
    kernel = compile(op)
    x, parameters = X.copy(), [w.copy() for w in weights]
    g = RNG.normal(size=kernel(x, *parameters).shape)
    for array in (x, g, *parameters):
        array.flags.writeable = False
    for _ in range(2):
        kernel(x, *parameters)
        kernel.vjp(g, x, *parameters)
        kernel.jvp(x, *parameters, dx=x)
    np.testing.assert_array_equal(x, X)
    result = kernel(x, *parameters)
    assert result.flags.writeable
    assert not np.shares_memory(result, x)


@pytest.mark.parametrize(("op", "weights"), OPERATORS)
def test_any_memory_layout_will_do(op: Any, weights: tuple[np.ndarray, ...]) -> None:
    kernel = compile(op)
    expected = kernel(X, *weights)
    g = RNG.normal(size=expected.shape)
    pulled = kernel.vjp(g, X, *weights)
    wide = np.zeros((2, 4, 12, 14))
    wide[:, :, ::2, 1::2] = X
    others = [
        np.asfortranarray(X),
        wide[:, :, ::2, 1::2],
        X[:, :, ::-1].copy()[:, :, ::-1],
        np.moveaxis(np.ascontiguousarray(np.moveaxis(X, 1, -1)), -1, 1),
        X.astype(">f8"),
    ]
    for other in others:
        parameters = [np.asfortranarray(w) for w in weights]
        np.testing.assert_allclose(kernel(other, *parameters), expected, rtol=1e-13, atol=1e-13)
        again = kernel.vjp(np.asfortranarray(g), other, *parameters)
        np.testing.assert_allclose(again.input, pulled.input, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("op", "shape"),
    [
        (Conv(5, padding=2, in_channels=8, out_channels=8), (2, 8, 160, 160)),
        (MaxPool(7, 1, 3), (2, 8, 160, 160)),
        (LPPool(3, 7, 1, 3), (2, 8, 160, 160)),
    ],
)
def test_memory_stays_a_few_times_the_arrays(op: Any, shape: tuple[int, ...]) -> None:
    x = np.ones(shape, np.float32)
    weights = [np.ones((8, 8, 5, 5), np.float32)] if isinstance(op, Conv) else []
    kernel = compile(op)
    g = kernel(x, *weights)
    own = x.nbytes + g.nbytes
    for call, limit in ((lambda: kernel(x, *weights), 2), (lambda: kernel.vjp(g, x, *weights), 4)):
        tracemalloc.start()
        call()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        blocks = 32 << 20  # the scratch of a few blocks, whatever the size of the arrays
        assert peak < limit * own + blocks, f"{(peak - blocks) / own:.1f} times input and output"


def test_a_window_too_large_to_be_written_out_is_refused() -> None:
    with pytest.raises(SizeLimitError, match=r"16,385 taps .* take AdaptiveAvgPool\(1\)"):
        compile(AvgPool(16_385, ndim=1))(np.ones(16_385))
