"""Kernels of adaptive pooling: against plain loops, PyTorch and the formula; ties, NaN, accuracy, types, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import oracles
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symconv.errors import ArgumentError, NotSupportedError
from symconv.kernels.compile import compile
from symconv.operators.adaptive import AdaptiveAvgPool, AdaptiveMaxPool

RNG = np.random.default_rng(0)
EXAMPLES = settings(max_examples=80, derandomize=True, deadline=None)


@st.composite
def cases(draw: st.DrawFn, largest: int = 9) -> tuple[tuple[int, ...], np.ndarray]:
    """Output sizes, and an input that is often full of ties."""
    ndim = draw(st.integers(1, 3))
    if ndim == 3:
        largest = 4
    outputs = tuple(draw(st.integers(1, largest)) for _ in range(ndim))
    sizes = tuple(draw(st.integers(1, largest)) for _ in range(ndim))
    rng = np.random.default_rng(draw(st.integers(0, 1 << 32)))
    x = rng.normal(size=(draw(st.integers(1, 2)), 2, *sizes))
    x = x.round() if draw(st.booleans()) else x
    if draw(st.integers(0, 4)) == 0:
        x[rng.random(x.shape) < 0.2] = np.nan
    return outputs, x


def close(left: Any, right: Any) -> None:
    np.testing.assert_allclose(left, right, rtol=1e-12, atol=1e-12)


@given(cases())
@EXAMPLES
def test_averages_are_those_of_loops(case: Any) -> None:
    outputs, x = case
    kernel = compile(AdaptiveAvgPool(outputs))
    found = kernel(x)
    close(found, oracles.to_numpy(oracles.adaptive_avg_pool(x, outputs)))
    g = RNG.normal(size=found.shape)
    close(kernel.vjp(g, x).input, oracles.to_numpy(oracles.adaptive_avg_pool_vjp(g, x, outputs)))
    close(kernel.jvp(x, dx=x), found)  # a linear map is its own derivative


@given(cases(), st.sampled_from(("first", "split")))
@EXAMPLES
def test_maxima_are_those_of_loops(case: Any, ties: str) -> None:
    outputs, x = case
    kernel = compile(AdaptiveMaxPool(outputs, ties))
    values, places = oracles.adaptive_max_pool(x, outputs)
    found, indices = kernel(x, return_indices=True)
    np.testing.assert_array_equal(found, oracles.to_numpy(values))
    np.testing.assert_array_equal(indices, oracles.to_numpy(places, "int64"))
    np.testing.assert_array_equal(kernel(x), found)
    g = RNG.normal(size=found.shape)
    pulled = kernel.vjp(g, x).input
    close(pulled, oracles.to_numpy(oracles.adaptive_max_pool_vjp(g, x, outputs, ties=ties)))
    dx = RNG.normal(size=x.shape)
    assert (kernel.jvp(x, dx=dx) * g).sum() == pytest.approx((pulled * dx).sum(), rel=1e-10, abs=1e-10)


@given(cases(largest=20))
@EXAMPLES
def test_both_are_those_of_pytorch(case: Any) -> None:
    torch = pytest.importorskip("torch", reason="the comparison of kernels with PyTorch needs PyTorch")
    outputs, x = case
    x = np.nan_to_num(x)  # PyTorch takes the last NaN of a window, this the first
    ndim = len(outputs)
    for op, name in ((AdaptiveAvgPool(outputs), "avg"), (AdaptiveMaxPool(outputs), "max")):
        leaf = torch.tensor(x, requires_grad=True)
        theirs = getattr(torch.nn.functional, f"adaptive_{name}_pool{ndim}d")(leaf, outputs)
        kernel = compile(op)
        close(kernel(x), theirs.detach().numpy())
        g = RNG.normal(size=tuple(theirs.shape))
        theirs.backward(torch.tensor(g))
        close(kernel.vjp(g, x).input, leaf.grad.numpy())
    function = getattr(torch.nn.functional, f"adaptive_max_pool{ndim}d")
    indices = function(torch.tensor(x), outputs, return_indices=True)[1]
    np.testing.assert_array_equal(compile(AdaptiveMaxPool(outputs))(x, return_indices=True)[1], indices.numpy())


@pytest.mark.parametrize("sizes", [(1, 1), (4, 6), (5, 7), (3, 2)])
@pytest.mark.parametrize("outputs", [(1, 1), (2, 3), (3, 2), (4, 1)])
def test_entries_are_those_of_the_formula(sizes: tuple[int, ...], outputs: tuple[int, ...]) -> None:
    x = RNG.integers(-4, 5, sizes).astype(float)
    g = RNG.integers(-4, 5, outputs).astype(float)
    for op in (AdaptiveAvgPool(outputs), AdaptiveMaxPool(outputs), AdaptiveMaxPool(outputs, "split")):
        kernel = compile(op)
        found = kernel(x)
        expected = op.output().values({"a": x}, sizes)
        assert {index: found[index] for index in np.ndindex(*outputs)} == pytest.approx(expected, rel=1e-12)
        pulled = kernel.vjp(g, x).input
        formula = op.gradient("input")
        given_ = {"a": x, "g": g}
        expected = formula.values({t.name: given_[t.name] for t in formula.tensors}, sizes)
        assert {i: pulled[i] for i in np.ndindex(*sizes)} == pytest.approx(expected, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(
    ("sizes", "outputs"),
    [((400, 500), (1, 1)), ((100_000, 2), (1, 2)), ((4099, 3), (5, 1)), ((3, 100_000), (2, 2)), ((200_000,), (1,))],
)
def test_averages_of_large_windows_are_accurate_in_float32(sizes: tuple[int, ...], outputs: tuple[int, ...]) -> None:
    entries = RNG.integers(1 << 23, 1 << 24, sizes)  # float32 has them all, and their sums are exact in int64
    found = compile(AdaptiveAvgPool(outputs))(entries.astype(np.float32))
    rows = [oracles.adaptive_windows(n, out) for n, out in zip(sizes, outputs, strict=True)]
    for index in np.ndindex(*outputs):
        window = entries[np.ix_(*(row[o] for row, o in zip(rows, index, strict=True)))]
        exact = int(window.sum()) / window.size
        assert float(found[index]) == pytest.approx(exact, rel=2 * float(np.finfo(np.float32).eps))


def test_the_first_nan_wins() -> None:
    x = np.array([1.0, np.nan, np.inf, np.nan, 3.0, 5.0])
    found, indices = compile(AdaptiveMaxPool((2,)))(x, return_indices=True)
    np.testing.assert_array_equal(found, [np.nan, np.nan])
    assert indices.tolist() == [1, 3]
    long = np.concatenate([np.arange(20.0), [np.nan], np.arange(20.0), [np.nan]])
    assert compile(AdaptiveMaxPool((1,)))(long, return_indices=True)[1].tolist() == [20]


@pytest.mark.parametrize("op", [AdaptiveAvgPool((2, 3)), AdaptiveMaxPool((2, 3)), AdaptiveMaxPool((2, 3), "split")])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", ">f4"])
def test_floating_types_stay_what_they_are(op: Any, dtype: str) -> None:
    kernel, x = compile(op), RNG.normal(size=(2, 3, 7, 8)).astype(dtype)
    found = kernel(x)
    assert found.dtype == np.dtype(dtype).newbyteorder("=")
    eps = float(np.finfo(dtype).eps)
    np.testing.assert_allclose(found.astype(float), kernel(x.astype(float)), rtol=8 * eps, atol=8 * eps)
    g = np.ones(found.shape, dtype)
    pulled = kernel.vjp(g, x).input
    assert pulled.dtype == dtype
    np.testing.assert_allclose(pulled, kernel.vjp(g.astype(float), x.astype(float)).input, rtol=8 * eps, atol=8 * eps)
    assert kernel.jvp(x, dx=x).dtype == found.dtype


@pytest.mark.parametrize("op", [AdaptiveAvgPool((2, 3)), AdaptiveMaxPool((2, 3)), AdaptiveMaxPool((2, 3), "split")])
def test_layouts_of_arrays_do_not_matter_and_nothing_is_written_to(op: Any) -> None:
    kernel, x = compile(op), RNG.normal(size=(2, 3, 7, 8)).round()
    expected = kernel(x)
    g = RNG.normal(size=expected.shape)
    pulled = kernel.vjp(g, x).input
    strided, upstream = np.asfortranarray(x), np.asfortranarray(g)
    strided.flags.writeable = upstream.flags.writeable = False
    close(kernel(strided), expected)
    close(kernel.vjp(upstream, strided).input, pulled)
    close(kernel(x[0]), expected[0])
    close(kernel(x[1, 2]), expected[1, 2])
    close(kernel.vjp(g[1, 2], x[1, 2]).input, pulled[1, 2])
    assert kernel(x[:0]).shape == (0, 3, 2, 3)
    assert kernel.vjp(g[:0], x[:0]).input.shape == (0, 3, 7, 8)
    many = np.tile(x, (10, 10, 4, 4))  # more planes than one block holds
    close(kernel(many)[-1, -1], kernel(many[-1, -1]))
    close(kernel.vjp(kernel(many), many).input[-1, -1], kernel.vjp(kernel(many[-1, -1]), many[-1, -1]).input)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int64"])
def test_maxima_of_integers_keep_their_type_and_averages_are_refused(dtype: str) -> None:
    x = RNG.integers(0, 100, (5, 6)).astype(dtype)
    found, indices = compile(AdaptiveMaxPool(2))(x, return_indices=True)
    assert found.dtype == dtype
    np.testing.assert_array_equal(x.ravel()[indices], found)
    with pytest.raises(ArgumentError, match="AdaptiveAvgPool works in floating point"):
        compile(AdaptiveAvgPool(2))(x)
    with pytest.raises(NotSupportedError, match="floating"):
        compile(AdaptiveMaxPool(2)).vjp(found, x)


def test_what_does_not_fit_is_refused_by_name() -> None:
    x = np.ones((2, 3, 4))
    kernel = compile(AdaptiveMaxPool(2, "set"))
    np.testing.assert_array_equal(kernel(x), np.ones((2, 2, 2)))
    for derivative in (
        lambda: kernel.vjp(np.ones((2, 2, 2)), x),
        lambda: kernel.jvp(x, dx=x),
        lambda: kernel.gradient_source,
    ):
        with pytest.raises(NotSupportedError, match="'set' is a set"):
            derivative()
    average = compile(AdaptiveAvgPool(2))
    with pytest.raises(ArgumentError, match=r"x must have the shape \(N, C"):
        average(np.ones(3))
    with pytest.raises(ArgumentError, match="weight must be left out"):
        average(x, x)
    with pytest.raises(ArgumentError, match="dweight"):
        average.jvp(x, dweight=x)
    with pytest.raises(ArgumentError, match="grad_output must have the shape"):
        average.vjp(x, x)
    with pytest.raises(ArgumentError, match="input_size must be >= 1"):
        average(np.ones((3, 0)))
    with pytest.raises(ArgumentError, match="plan must be one of"):
        compile(AdaptiveAvgPool(2), plan="taps")
    with pytest.raises(ArgumentError, match="weight must be left out"):
        compile(AdaptiveAvgPool(2), weight=x)
    with pytest.raises(ArgumentError, match="accuracy must be 'default'"):
        compile(AdaptiveAvgPool(2), accuracy="exact_order")
    with pytest.raises(ArgumentError, match="numbers for all its options"):
        compile(AdaptiveAvgPool(2).generic())


def test_a_kernel_says_what_it_does() -> None:
    kernel = compile(AdaptiveAvgPool(7))
    assert (kernel.plan, kernel.plan_for((2, 64, 56, 56))) == ("windows", "windows")
    assert "reduce_windows" in kernel.source
    assert "spread_windows" in kernel.gradient_source
    assert "2x64x7x7: 25088" in kernel.explain((2, 64, 56, 56))
    for op in (AdaptiveAvgPool(7), AdaptiveAvgPool((3,)), AdaptiveMaxPool((2, 3))):
        assert [step.verdict.status for step in compile(op, plan="windows").derivation().steps] == ["proved"]
