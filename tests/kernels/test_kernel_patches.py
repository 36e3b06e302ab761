"""Kernels of `Unfold` and `Fold`: against plain loops, PyTorch, the formulas, and each other."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
import oracles
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from symconv.errors import ArgumentError, GeometryError, NotSupportedError
from symconv.kernels.compile import compile
from symconv.operators.patches import Fold, Unfold

RNG = np.random.default_rng(0)
EXAMPLES = settings(max_examples=80, derandomize=True, deadline=None)


@st.composite
def cases(draw: st.DrawFn, pytorch: bool = False) -> tuple[tuple[int, ...], tuple[int, ...], dict[str, Any], int]:
    """A kernel size, an image size, options and a number of channels; with `pytorch` only what PyTorch accepts."""
    ndim = 2 if pytorch else draw(st.integers(1, 3))

    def axis(values: st.SearchStrategy[Any]) -> tuple[Any, ...]:
        return tuple(draw(values) for _ in range(ndim))

    kernel, sizes = axis(st.integers(1, 4 if ndim < 3 else 2)), axis(st.integers(1, 7 if ndim < 3 else 4))
    options = {
        "stride": axis(st.integers(1, 3)),
        "padding": axis(st.integers(0, 2) if pytorch else st.tuples(st.integers(-1, 3), st.integers(-1, 3))),
        "dilation": axis(st.integers(1, 2)),
    }
    try:
        Unfold(kernel, **options).output_size(sizes)
    except GeometryError:
        assume(False)
    return kernel, sizes, options, draw(st.integers(1, 3))


@given(cases())
@EXAMPLES
def test_both_are_those_of_loops_and_each_others_transpose(case: Any) -> None:
    kernel_size, sizes, options, channels = case
    unfold = compile(Unfold(kernel_size, in_channels=channels, **options))
    fold = compile(Fold(sizes, kernel_size, in_channels=channels, **options))
    x = RNG.normal(size=(2, channels, *sizes))
    patches = unfold(x)
    np.testing.assert_array_equal(patches, oracles.to_numpy(oracles.unfold(x, kernel_size, **options)))
    z = RNG.normal(size=patches.shape)
    image = fold(z)
    expected = oracles.to_numpy(oracles.fold(z, sizes, kernel_size, **options))
    np.testing.assert_allclose(image, expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(unfold.vjp(z, x).input, image)
    np.testing.assert_array_equal(fold.vjp(x, z).input, patches)
    np.testing.assert_array_equal(unfold.jvp(x, dx=x), patches)
    np.testing.assert_array_equal(fold.jvp(z, dx=z), image)
    assert (patches * z).sum() == pytest.approx((image * x).sum(), rel=1e-10, abs=1e-10)


@given(cases(pytorch=True))
@EXAMPLES
def test_both_are_those_of_pytorch(case: Any) -> None:
    torch = pytest.importorskip("torch", reason="the comparison of kernels with PyTorch needs PyTorch")
    kernel_size, sizes, options, channels = case
    x = RNG.normal(size=(2, channels, *sizes))
    theirs = torch.nn.functional.unfold(torch.tensor(x), kernel_size, **options)
    found = compile(Unfold(kernel_size, **options))(x)
    np.testing.assert_array_equal(found, theirs.numpy())
    z = torch.tensor(RNG.normal(size=found.shape), requires_grad=True)
    image = torch.nn.functional.fold(z, sizes, kernel_size, **options)
    kernel = compile(Fold(sizes, kernel_size, **options))
    np.testing.assert_allclose(kernel(z.detach().numpy()), image.detach().numpy(), rtol=1e-12, atol=1e-12)
    image.backward(torch.tensor(x))
    np.testing.assert_array_equal(kernel.vjp(x, z.detach().numpy()).input, z.grad.numpy())


@pytest.mark.parametrize("sizes", [(3, 4), (5, 5), (6, 3)])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("padding", [1, "same_upper", ((0, 2), (1, -1))])
def test_entries_are_those_of_the_formulas(sizes: tuple[int, ...], channels: int, padding: Any) -> None:
    op = Unfold((2, 3), 2, padding, in_channels=channels)
    lead = (channels,) if channels > 1 else ()
    x = RNG.integers(-5, 6, (*lead, *sizes))
    found = compile(op)(x)
    shaped = found.reshape(*lead, 2, 3, *op.output_size(sizes))
    expected = op.output().values({"a": x}, sizes)
    assert {index: int(shaped[index]) for index in np.ndindex(*shaped.shape)} == expected
    fold = Fold(sizes, (2, 3), 2, padding, in_channels=channels)
    image = compile(fold)(found)
    assert image.dtype == np.int64
    expected = fold.output().values({"a": shaped})
    image = image.reshape(*lead, *sizes)
    assert {index: int(image[index]) for index in np.ndindex(*image.shape)} == expected
    pulled = compile(op).vjp(found, x.astype(float)).input
    expected = op.gradient("input").values({"g": shaped, "a": x}, sizes)
    assert {index: pulled[index] for index in np.ndindex(*pulled.shape)} == expected


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", ">f8"])
def test_floating_types_stay_what_they_are(dtype: str) -> None:
    x = RNG.normal(size=(2, 3, 6, 7)).astype(dtype)
    unfold, fold = compile(Unfold(3)), compile(Fold((6, 7), 3))
    patches = unfold(x)
    native = np.dtype(dtype).newbyteorder("=")
    assert (patches.dtype, fold(patches).dtype) == (native, native)
    assert unfold.vjp(patches, x).input.dtype == dtype
    assert unfold.jvp(x, dx=x).dtype == native
    eps = float(np.finfo(dtype).eps)
    np.testing.assert_allclose(fold(patches).astype(float), fold(patches.astype(float)), rtol=10 * eps)


def test_batches_planes_and_layouts_of_arrays() -> None:
    unfold, fold = compile(Unfold(3, 2, 1)), compile(Fold((6, 7), 3, 2, 1))
    x = RNG.normal(size=(2, 3, 6, 7))
    patches = unfold(x)
    assert patches.shape == (2, 27, 12)
    np.testing.assert_array_equal(unfold(x[1]), patches[1])
    np.testing.assert_array_equal(unfold(x[1, 2]), patches[1, 18:])
    np.testing.assert_array_equal(unfold.vjp(patches[1, 18:], x[1, 2]).input, unfold.vjp(patches, x).input[1, 2])
    image = fold(patches)
    np.testing.assert_array_equal(fold(patches[1]), image[1])
    assert fold(patches[1, 18:]).shape == (1, 6, 7)
    strided, columns = np.asfortranarray(x), np.asfortranarray(patches)
    strided.flags.writeable = columns.flags.writeable = False
    np.testing.assert_array_equal(unfold(strided), patches)
    np.testing.assert_array_equal(fold(columns), image)
    assert unfold(x[:0]).shape == (0, 27, 12)
    assert fold(patches[:0]).shape == (0, 3, 6, 7)
    many = np.tile(x, (30, 30, 1, 1))  # more planes than one block holds
    np.testing.assert_array_equal(unfold(many)[-1, -27:], patches[-1])
    np.testing.assert_array_equal(fold(unfold(many))[-1, -3:], image[-1])


@pytest.mark.parametrize("dtype", ["int8", "uint16", "int64"])
def test_integers_are_exact_or_refused(dtype: str) -> None:
    x = RNG.integers(0, 100, (5, 6)).astype(dtype)
    patches = compile(Unfold(3, padding=1))(x)
    assert patches.dtype == dtype
    image = compile(Fold((5, 6), 3, padding=1))(patches)
    assert image.dtype == np.int64
    np.testing.assert_array_equal(image[0, 1:-1, 1:-1], 9 * x.astype(np.int64)[1:-1, 1:-1])
    with pytest.raises(ArgumentError, match="int64"):
        compile(Fold((5, 6), 3, padding=1))(np.full((9, 30), 1 << 60))
    with pytest.raises(NotSupportedError, match="floating"):
        compile(Unfold(3, padding=1)).vjp(patches, x)


def test_what_does_not_fit_is_refused_by_name() -> None:
    x = np.ones((2, 3, 6, 7))
    with pytest.raises(ArgumentError, match="must have 2 channels"):
        compile(Unfold(3, in_channels=2))(x)
    with pytest.raises(ArgumentError, match="must have 2 channels"):
        compile(Unfold(3, in_channels=2))(x[0, 0])
    with pytest.raises(GeometryError, match="kernel_size"):
        compile(Unfold(8))(x)
    fold = compile(Fold((6, 7), 3, in_channels=2))
    with pytest.raises(ArgumentError, match=r"multiple of 9 \(the taps\) rows on axis 1"):
        fold(np.ones((2, 10, 20)))
    with pytest.raises(ArgumentError, match=r"2\*9 rows"):
        fold(np.ones((2, 27, 20)))
    with pytest.raises(ArgumentError, match="20 columns, as 4 x 5 windows fit"):
        fold(np.ones((2, 18, 21)))
    with pytest.raises(ArgumentError, match=r"\(N, C\*prod\(kernel\), places\)"):
        fold(np.ones((2, 2, 9, 20)))
    with pytest.raises(ArgumentError, match="grad_output must have the shape"):
        fold.vjp(x, np.ones((2, 18, 20)))
    with pytest.raises(ArgumentError, match="numbers for all its options"):
        compile(Unfold(2).generic())


def test_a_kernel_says_what_it_does() -> None:
    kernel = compile(Unfold(3))
    assert kernel.plan == "taps"
    assert "def unfold" in kernel.source
    assert "def fold" in kernel.gradient_source
    assert f"1x36x36: {prod((36, 36, 4))}" in kernel.explain((1, 4, 8, 8))
    assert [step.verdict.status for step in kernel.derivation().steps] == ["proved"]
