"""What a call may bring that no benchmark does: nothing at all, too much, or more than the type of the result holds."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import symconv as sc

LARGE = 60_000.0  # three of them are more than float16 holds
CALLS: dict[str, tuple[Any, tuple[int, ...], tuple[Any, ...]]] = {
    "conv": (sc.Conv((3,)), (8,), (np.ones(3),)),
    "transposed": (sc.ConvTranspose((3,)), (8,), (np.ones(3),)),
    "maximum": (sc.MaxPool((3,)), (8,), ()),
    "average": (sc.AvgPool((3,)), (8,), ()),
    "norm": (sc.LPPool(2, (3,)), (8,), ()),
    "adaptive": (sc.AdaptiveAvgPool((3,)), (8,), ()),
    "unfold": (sc.Unfold((3,)), (8,), ()),
    "fold": (sc.Fold((4,), (2,)), (2, 3), ()),
    "dilation": (sc.Dilation((3,)), (8,), (np.full(3, LARGE),)),
}


@pytest.mark.parametrize("name", CALLS)
def test_what_float16_does_not_hold_is_infinite_without_a_warning(name: str) -> None:
    op, shape, more = CALLS[name]
    kernel, x = sc.compile(op), np.full(shape, LARGE, np.float16)
    given = tuple(array.astype(np.float16) for array in more)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        y = kernel(x, *given)
        gradients = kernel.vjp(np.full_like(y, LARGE), x, *given)
        tangent = kernel.jvp(x, *given, dx=x)
    assert y.dtype == tangent.dtype == gradients.input.dtype == np.float16
    if name in ("conv", "norm", "dilation"):
        assert np.isinf(y).all()


@pytest.mark.parametrize("value", [np.finfo(np.float64).max, np.inf])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CALLS)
def test_an_overflow_and_infinities_of_both_signs_give_no_warning(name: str, dtype: str, value: float) -> None:
    op, shape, more = CALLS[name]
    largest = min(value, np.finfo(dtype).max) if np.isfinite(value) else value
    kernel, x = sc.compile(op), np.full(shape, largest, dtype)
    x[..., 1::2] *= 1 if np.isfinite(value) else -1
    given = tuple(np.ones_like(array, dtype) for array in more)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        y = kernel(x, *given)
        g = np.full_like(y, largest)
        g[..., 1::2] *= 1 if np.isfinite(value) else -1
        gradients = kernel.vjp(g, x, *given)
        tangent = kernel.jvp(x, *given, dx=x)
    assert y.dtype == tangent.dtype == gradients.input.dtype == dtype
    if name in ("conv", "fold"):
        assert not np.isfinite(y).all()


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_unpooling_to_one_position_overflows_without_a_warning(dtype: str) -> None:
    kernel = sc.compile(sc.MaxUnpool(2))
    x = np.full((2, 2), np.finfo(dtype).max, dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = [kernel(x, np.zeros((2, 2), np.int64)), kernel.jvp(x, np.zeros((2, 2), np.int64), dx=x)]
    for y in found:
        assert y.dtype == dtype
        assert np.isposinf(y[0, 0])


@pytest.mark.parametrize("accuracy", ["default", "exact_order", "fast"])
@pytest.mark.parametrize("name", [name for name in CALLS if name not in ("fold", "adaptive")])
def test_an_empty_batch_gives_an_empty_output(name: str, accuracy: str) -> None:
    op, shape, more = CALLS[name]
    kernel, x = sc.compile(op, accuracy=accuracy), np.ones((0, 1, *shape))
    y = kernel(x, *more)
    assert y.shape[0] == 0
    assert y.shape[1:] == kernel(np.ones((2, 1, *shape)), *more).shape[1:]
    assert kernel.vjp(y, x, *more).input.shape == x.shape


@pytest.mark.parametrize(
    ("op", "more"),
    [
        (sc.AdaptiveAvgPool((2**64,)), ()),
        (sc.AdaptiveMaxPool((2**64,)), ()),
        (sc.Conv((3,), padding=2**62), (np.ones(3),)),
        (sc.MaxPool((3,), 1, 2**62), ()),
        (sc.ConvTranspose((3,), stride=2**62), (np.ones(3),)),
        (sc.Dilation((3,), padding=2**62), (np.ones(3),)),
    ],
    ids=repr,
)
def test_an_output_without_a_place_is_counted_and_refused(op: Any, more: tuple[Any, ...]) -> None:
    with pytest.raises(sc.SizeLimitError, match="has no place in the"):
        sc.compile(op)(np.ones(4), *more)
