"""The edges of every operator: integer types, NaN, empty batches, single entries, windows larger than the input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from symconv.errors import ArgumentError, GeometryError, NotSupportedError, SymconvError
from symconv.kernels.compile import compile
from symconv.operators.adaptive import AdaptiveAvgPool, AdaptiveMaxPool
from symconv.operators.convolution import Conv
from symconv.operators.patches import Fold, Unfold
from symconv.operators.pooling import AvgPool, LPPool, MaxPool
from symconv.operators.transposed import ConvTranspose
from symconv.operators.unpooling import MaxUnpool

INF, NAN = float("inf"), float("nan")
INTEGERS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")
WEIGHTS = np.array([[1, 2], [3, 4]])
POSITIONS = np.arange(16).reshape(1, 1, 4, 4) * 4


@pytest.fixture(scope="module")
def torch() -> Any:
    module = pytest.importorskip("torch", reason="the edges are held against PyTorch")
    module.set_num_threads(1)
    return module


# --- types -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize(
    ("op", "operands", "function"),
    [
        (Conv(2, padding=1), (WEIGHTS,), lambda f, x, w: f.conv2d(x, w[None, None], padding=1)),
        (ConvTranspose(2, 2), (WEIGHTS,), lambda f, x, w: f.conv_transpose2d(x, w[None, None], stride=2)),
        (MaxPool(2, padding=1), (), lambda f, x: f.max_pool2d(x, 2, padding=1)),
        (AdaptiveMaxPool(3), (), lambda f, x: f.adaptive_max_pool2d(x, 3)),
        (Unfold(2, padding=1), (), lambda f, x: f.unfold(x, 2, padding=1)),
        (Fold((3, 5), 2), (), lambda f, x: f.fold(x, (3, 5), 2)),
        (MaxUnpool(2), (POSITIONS,), lambda f, x, at: f.max_unpool2d(x, at.long(), 2)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_integers_are_exact(torch: Any, dtype: str, op: Any, operands: tuple[Any, ...], function: Any) -> None:
    """What only moves entries keeps their type, and what adds them gives int64."""
    x = np.random.default_rng(0).integers(0, 100, (1, 4, 8) if isinstance(op, Fold) else (1, 1, 4, 4))
    y: Any = compile(op)(x.astype(dtype), *operands)
    assert y.dtype == (dtype if isinstance(op, MaxPool | AdaptiveMaxPool | Unfold) else "int64")
    theirs = function(torch.nn.functional, *(torch.tensor(a).double() for a in (x, *operands)))
    assert np.array_equal(y, theirs.numpy())


@pytest.mark.parametrize("op", [AvgPool(2), LPPool(2, 2), AdaptiveAvgPool(2)], ids=lambda op: type(op).__name__)
def test_averages_and_norms_of_integers_are_refused(op: Any) -> None:
    with pytest.raises(ArgumentError, match=r"must have a floating dtype.* works in floating point"):
        compile(op)(np.ones((1, 1, 4, 4), "int32"))


@pytest.mark.parametrize(
    ("op", "operands", "shape"),
    [
        (Conv((1,)), (np.ones(1, "uint64"),), (1, 1, 3)),
        (ConvTranspose((1,)), (np.ones(1, "uint64"),), (1, 1, 3)),
        (Fold((3,), (1,)), (), (1, 1, 3)),
        (MaxUnpool((1,)), (np.arange(3).reshape(1, 1, 3),), (1, 1, 3)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_sums_beyond_int64_are_refused(op: Any, operands: Any, shape: Any) -> None:
    with pytest.raises(ArgumentError, match="must be small enough for sums in int64"):
        compile(op)(np.full(shape, 2**63 + 5, "uint64"), *operands)


@pytest.mark.parametrize("dtype", ["int8", "int64"])
def test_padding_never_wins_against_the_least_integer(dtype: str) -> None:
    least = np.iinfo(dtype).min
    y = compile(MaxPool((2,), padding=1))(np.full((1, 1, 3), least, dtype))
    assert y.dtype == dtype
    assert y.ravel().tolist() == [least, least]


@pytest.mark.parametrize("dtype", ["bool", "complex128", "object", "longdouble"])
@pytest.mark.parametrize("op", [Conv(2), MaxPool(2), AdaptiveMaxPool(2), Unfold(2)], ids=lambda op: type(op).__name__)
def test_other_types_are_refused(dtype: str, op: Any) -> None:
    operands = (WEIGHTS,) if isinstance(op, Conv) else ()
    with pytest.raises(ArgumentError, match="x must have the dtype float16, float32, float64 or an integer one"):
        compile(op)(np.ones((1, 1, 4, 4), dtype), *operands)


# --- NaN and infinity ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("padding", [0, 1])
def test_one_nan_wins_as_in_pytorch(torch: Any, padding: int) -> None:
    x = np.random.default_rng(1).normal(size=(2, 3, 6, 6))
    x[:, :, 2, 3], x[:, :, 0, 0], x[:, :, 5, 5], x[0, 0, 4, :2] = NAN, INF, -INF, NAN
    x[0, 0, 4, 1] = 0.0
    leaf = torch.tensor(x, requires_grad=True)
    theirs, at = torch.nn.functional.max_pool2d(leaf, 2, 2, padding, return_indices=True)
    kernel: Any = compile(MaxPool(2, 2, padding))
    ours, indices = kernel(x, return_indices=True)
    assert np.array_equal(ours, theirs.detach().numpy(), equal_nan=True)
    assert np.array_equal(indices, at.numpy())
    theirs.backward(torch.ones_like(theirs))
    assert np.array_equal(kernel.vjp(np.ones(ours.shape), x).input, leaf.grad.numpy())


def test_of_several_nans_the_first_is_named_and_pytorch_names_the_last(torch: Any) -> None:
    x = np.array([[[NAN, 1.0, NAN, 2.0]]])
    value, index = compile(MaxPool((4,)))(x, return_indices=True)
    theirs, last = torch.nn.functional.max_pool1d(torch.tensor(x), 4, return_indices=True)
    assert np.isnan(value).all()
    assert bool(theirs.isnan().all())
    assert (index.item(), last.item()) == (0, 2)


@pytest.mark.parametrize("op", [LPPool(1, 2), LPPool(2, 2), LPPool(3, 2), LPPool(INF, 2), AvgPool(2)], ids=repr)
def test_nan_and_infinity_pass_through_norms_and_averages(op: Any) -> None:
    x = np.array([[[[1.0, NAN, 0.0, INF], [INF, 0.0, 2.0, 3.0]]]])
    first, second = compile(op)(x).ravel()
    assert np.isnan(first)
    assert second == INF


def test_minus_infinity_alone_is_a_maximum(torch: Any) -> None:
    x = np.full((1, 1, 4), -INF)
    kernel: Any = compile(MaxPool((2,)))
    ours, indices = kernel(x, return_indices=True)
    leaf = torch.tensor(x, requires_grad=True)
    theirs, at = torch.nn.functional.max_pool1d(leaf, 2, return_indices=True)
    theirs.sum().backward()
    assert np.array_equal(ours, theirs.detach().numpy())
    assert np.array_equal(indices, at.numpy())
    assert np.array_equal(kernel.vjp(np.ones(ours.shape), x).input, leaf.grad.numpy())


# --- nothing, and almost nothing -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("op", "operands", "shape", "result"),
    [
        (Conv(2, in_channels=2, out_channels=3, bias=True), (np.ones((3, 2, 2, 2)), np.ones(3)), (2, 4, 4), (3, 3, 3)),
        (
            ConvTranspose(2, in_channels=2, out_channels=3, bias=True),
            (np.ones((2, 3, 2, 2)), np.ones(3)),
            (2, 4, 4),
            (3, 5, 5),
        ),
        (MaxPool(2), (), (2, 4, 4), (2, 2, 2)),
        (AvgPool(2), (), (2, 4, 4), (2, 2, 2)),
        (LPPool(3, 2), (), (2, 4, 4), (2, 2, 2)),
        (AdaptiveMaxPool(2), (), (2, 4, 4), (2, 2, 2)),
        (AdaptiveAvgPool(2), (), (2, 4, 4), (2, 2, 2)),
        (Unfold(2, in_channels=2), (), (2, 4, 4), (8, 9)),
        (Fold((4, 4), 2, in_channels=2), (), (8, 9), (2, 4, 4)),
        (MaxUnpool(2), (np.zeros((0, 2, 4, 4), int),), (2, 4, 4), (2, 8, 8)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_empty_batch_gives_an_empty_batch(op: Any, operands: Any, shape: Any, result: Any) -> None:
    kernel: Any = compile(op)
    x = np.zeros((0, *shape))
    y = kernel(x, *operands)
    assert y.shape == (0, *result)
    found = kernel.vjp(y, x, *operands)
    assert found.input.shape == x.shape
    assert kernel.jvp(x, *operands, dx=x).shape == y.shape
    if isinstance(op, Conv | ConvTranspose):
        assert found.weight.shape == operands[0].shape
        assert not found.weight.any()
        assert found.bias.tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("op", "y"),
    [
        (MaxPool((1,)), [-2.0]),
        (AvgPool((1,)), [-2.0]),
        (LPPool(3, (1,)), [2.0]),
        (AdaptiveAvgPool((3,)), [-2.0, -2.0, -2.0]),
        (AdaptiveMaxPool((3,)), [-2.0, -2.0, -2.0]),
        (Unfold((1,), padding=1), [0.0, -2.0, 0.0]),
        (Fold((1,), (1,)), [-2.0]),
        (AvgPool((3,), padding=1), [-2.0 / 3]),
        (AvgPool((3,), padding=1, count_include_pad=False), [-2.0]),
    ],
    ids=repr,
)
def test_one_entry(op: Any, y: list[float]) -> None:
    assert compile(op)(np.array([[[-2.0]]])).ravel().tolist() == pytest.approx(y)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_window_larger_than_the_input_under_ceil_mode(torch: Any, size: int) -> None:
    """It reaches over the end by less than a stride, or there is no output."""
    f = torch.nn.functional
    x = np.arange(1.0, size + 1)[None, None]
    image = torch.tensor(x)
    for k in range(2, 6):
        for s in range(1, 5):
            pairs: list[tuple[Any, Any]] = [
                (MaxPool((k,), s, ceil_mode=True), lambda k=k, s=s: f.max_pool1d(image, k, s, ceil_mode=True)),
                (AvgPool((k,), s, ceil_mode=True), lambda k=k, s=s: f.avg_pool1d(image, k, s, 0, True)),
                (LPPool(INF, (k,), s, ceil_mode=True), lambda k=k, s=s: f.lp_pool1d(image, INF, k, s, True)),
            ]
            for op, function in pairs:
                try:
                    theirs = function().numpy()
                except RuntimeError:
                    with pytest.raises(GeometryError):
                        compile(op)(x)
                    continue
                np.testing.assert_allclose(compile(op)(x), theirs)


# --- differences of convention ---------------------------------------------------------------------------------------


def test_a_window_without_a_real_tap(torch: Any) -> None:
    """Taps at -1 and 1 of one entry: a maximum has nothing to choose, and an average nothing to divide by."""
    x, window = np.array([[[[5.0]]]]), ((1, 2), 1, (0, 1), (1, 2))
    value, index = compile(MaxPool(*window))(x, return_indices=True)
    theirs = torch.nn.functional.max_pool2d(torch.tensor(x), (1, 2), 1, (0, 1), (1, 2))
    assert value.item() == theirs.item() == -INF
    assert index.item() == -1
    with pytest.raises(SymconvError):
        compile(MaxPool(*window))(x.astype(int))
    assert compile(LPPool(2, *window))(x).item() == 0
    assert compile(AvgPool(*window))(x).item() == 0
    assert np.isnan(compile(AvgPool(*window, count_include_pad=False))(x).item())


def test_two_entries_with_one_position_add_up(torch: Any) -> None:
    x, at = np.array([[[1.0, 2.0]]]), np.array([[[1, 1]]])
    theirs = torch.nn.functional.max_unpool1d(torch.tensor(x), torch.tensor(at), 2)
    assert compile(MaxUnpool((2,)))(x, at).ravel().tolist() == [0, 3, 0, 0]
    assert theirs.ravel().tolist() in ([0, 1, 0, 0], [0, 2, 0, 0])


def test_pytorch_averages_no_volume_smaller_than_its_window(torch: Any) -> None:
    """With three axes PyTorch asks for it, whatever the padding; with one and two axes it does not."""
    f, small = torch.nn.functional, torch.ones((1, 1, 1, 1, 1), dtype=torch.float64)
    with pytest.raises(RuntimeError, match="smaller than kernel size"):
        f.avg_pool3d(small, 2, 1, 1)
    assert f.avg_pool2d(small[0], 2, 1, 1).tolist() == [[[[0.25, 0.25], [0.25, 0.25]]]]
    assert compile(AvgPool(2, 1, 1, ndim=3))(small.numpy()).ravel().tolist() == [0.125] * 8


def test_integers_have_no_gradient() -> None:
    with pytest.raises(NotSupportedError, match="needs a floating dtype"):
        compile(MaxPool((2,))).vjp(np.ones((1, 1, 2)), np.ones((1, 1, 4), int))
