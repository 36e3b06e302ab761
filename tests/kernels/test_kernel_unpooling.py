"""The kernel of `MaxUnpool`: against plain loops, PyTorch and the formula, and as the transpose of max pooling."""

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
from symconv.operators.pooling import MaxPool
from symconv.operators.unpooling import MaxUnpool

RNG = np.random.default_rng(0)
EXAMPLES = settings(max_examples=80, derandomize=True, deadline=None)


@st.composite
def cases(draw: st.DrawFn) -> tuple[MaxUnpool, np.ndarray, np.ndarray]:
    """An operator, an input, and positions in its output planes, some of them the same."""
    ndim = draw(st.integers(1, 3))

    def axis(values: st.SearchStrategy[Any]) -> tuple[Any, ...]:
        return tuple(draw(values) for _ in range(ndim))

    op = MaxUnpool(
        axis(st.integers(1, 3)), axis(st.integers(1, 3)), axis(st.tuples(st.integers(0, 1), st.integers(-1, 1)))
    )
    sizes = axis(st.integers(1, 5 if ndim < 3 else 3))
    try:
        outputs = op.output_size(sizes)
    except GeometryError:
        assume(False)
    rng = np.random.default_rng(draw(st.integers(0, 1 << 32)))
    shape = (draw(st.integers(1, 2)), 2, *sizes)
    return op, rng.normal(size=shape), rng.integers(0, prod(outputs), shape)


@given(cases())
@EXAMPLES
def test_values_and_gradients_are_those_of_loops(case: Any) -> None:
    op, x, positions = case
    outputs = op.output_size(x.shape[2:])
    kernel = compile(op)
    found = kernel(x, positions)
    expected = oracles.to_numpy(oracles.max_unpool(x, positions, outputs))
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-13)
    g = RNG.normal(size=found.shape)
    pulled = kernel.vjp(g, x, positions).input
    np.testing.assert_array_equal(pulled, oracles.to_numpy(oracles.max_unpool_vjp(g, positions)))
    np.testing.assert_allclose(kernel.jvp(x, positions, dx=x), found)
    assert (found * g).sum() == pytest.approx((x * pulled).sum(), rel=1e-10, abs=1e-10)


@pytest.mark.parametrize("ndim", [1, 2, 3])
@pytest.mark.parametrize(("kernel", "stride", "padding"), [(2, 2, 0), (3, 3, 1), (2, 3, 0), (3, 2, 1)])
def test_values_and_gradients_are_those_of_pytorch(ndim: int, kernel: int, stride: int, padding: int) -> None:
    torch = pytest.importorskip("torch", reason="the comparison of kernels with PyTorch needs PyTorch")
    x = RNG.normal(size=(2, 3, *(8, 7, 6)[:ndim]))
    pooled, indices = compile(MaxPool(kernel, stride, padding, ndim=ndim))(x, return_indices=True)
    flat = indices.reshape(2, 3, -1)
    size = x.shape[2:]
    unpool = compile(MaxUnpool(kernel, stride, padding, ndim=ndim))
    if stride < kernel:  # PyTorch keeps one of several entries; keep those that stand alone
        first = np.array([[np.unique(row, return_index=True)[1] for row in plane] for plane in flat], dtype=object)
        for n, c in np.ndindex(2, 3):
            spare = np.setdiff1d(np.arange(prod(size)), flat[n, c])
            again = np.setdiff1d(np.arange(flat.shape[2]), first[n, c])
            flat[n, c, again] = spare[: len(again)]
        indices = flat.reshape(indices.shape)
    leaf = torch.tensor(pooled, requires_grad=True)
    function = getattr(torch.nn.functional, f"max_unpool{ndim}d")
    theirs = function(leaf, torch.tensor(indices), kernel, stride, padding, output_size=size)
    found = unpool(pooled, indices, output_size=size)
    np.testing.assert_array_equal(found, theirs.detach().numpy())
    np.testing.assert_array_equal(unpool(pooled, indices, output_size=x.shape), found)
    g = RNG.normal(size=found.shape)
    theirs.backward(torch.tensor(g))
    np.testing.assert_array_equal(unpool.vjp(g, pooled, indices, output_size=size).input, leaf.grad.numpy())


@pytest.mark.parametrize("sizes", [(1, 2), (2, 2), (3, 1)])
def test_entries_are_those_of_the_formula(sizes: tuple[int, ...]) -> None:
    op = MaxUnpool((2, 3), (2, 1), ((0, 0), (1, 0)))
    outputs = op.output_size(sizes)
    x, positions = RNG.integers(-5, 6, sizes), RNG.integers(0, prod(outputs), sizes)
    found = compile(op)(x, positions)
    expected = op.output().values({"a": x, "z": positions}, sizes)
    assert {index: int(found[index]) for index in np.ndindex(*outputs)} == expected
    g = RNG.integers(-5, 6, outputs).astype(float)
    pulled = compile(op).vjp(g, x.astype(float), positions).input
    expected = op.gradient("input").values({"g": g, "a": x, "z": positions}, sizes)
    assert {index: pulled[index] for index in np.ndindex(*sizes)} == expected


def test_it_is_the_transpose_of_max_pooling() -> None:
    """The gradient of max pooling is the upstream gradient, unpooled; where windows overlap, entries add up."""
    x = RNG.normal(size=(2, 3, 7, 9))
    pool, unpool = compile(MaxPool(3, 2)), compile(MaxUnpool(3, 2))
    pooled, indices = pool(x, return_indices=True)
    g = RNG.normal(size=pooled.shape)
    np.testing.assert_allclose(unpool(g, indices), pool.vjp(g, x).input, rtol=1e-14, atol=1e-14)
    assert compile(MaxUnpool((2,), 1))([1.0, 2.0, 4.0], [1, 1, 3]).tolist() == [0, 3, 0, 4]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_floating_types_stay_what_they_are(dtype: str) -> None:
    kernel = compile(MaxUnpool(2))
    x, positions = RNG.normal(size=(3, 4)).astype(dtype), np.zeros((3, 4), np.uint8)
    found = kernel(x, positions)
    assert found.dtype == dtype
    assert found[0, 0] == pytest.approx(x.astype(float).sum(), rel=1e-3)
    assert kernel.vjp(found, x, positions).input.dtype == dtype
    assert kernel.jvp(x, positions, dx=x).dtype == dtype


def test_layouts_of_arrays_do_not_matter_and_nothing_is_written_to() -> None:
    kernel = compile(MaxUnpool(2))
    x, positions = RNG.normal(size=(2, 3, 4, 5)), RNG.integers(0, 80, (2, 3, 4, 5))
    expected = kernel(x, positions)
    strided = [np.asfortranarray(x), np.asfortranarray(positions)]
    for array in strided:
        array.flags.writeable = False
    np.testing.assert_array_equal(kernel(*strided), expected)
    np.testing.assert_array_equal(kernel(x[1], positions[1]), expected[1])
    np.testing.assert_array_equal(kernel(x[1, 2], positions[1, 2]), expected[1, 2])
    assert kernel(x[:0], positions[:0]).shape == (0, 3, 8, 10)


def test_integers_are_exact_or_refused() -> None:
    kernel = compile(MaxUnpool((2,)))
    big = 1 << 62
    assert kernel([big, big], [0, 1]).tolist() == [big, big, 0, 0]
    assert kernel(np.array([100, 100], np.int8), [1, 1]).tolist() == [0, 200, 0, 0]
    with pytest.raises(ArgumentError, match="int64"):
        kernel([big, big], [1, 1])
    with pytest.raises(NotSupportedError, match="floating"):
        kernel.vjp(np.ones(4), [1, 2], [0, 1])


def test_what_does_not_fit_is_refused_by_name() -> None:
    kernel, x = compile(MaxUnpool(2)), np.ones((3, 4))
    positions = np.zeros((3, 4), int)
    with pytest.raises(ArgumentError, match=r"indices must be in 0\.\.47, .* 6 x 8, got 48"):
        kernel(x, positions + 48)
    with pytest.raises(ArgumentError, match="got -1; a max pooling returns -1"):
        kernel.vjp(np.ones((6, 8)), x, positions - 1)
    with pytest.raises(ArgumentError, match="indices must have an integer dtype"):
        kernel(x, x)
    with pytest.raises(ArgumentError, match=r"indices must have the shape \(3, 4\)"):
        kernel(x, positions[:2])
    with pytest.raises(GeometryError, match=r"output_size must differ from \(6, 8\) by less than the stride"):
        kernel(x, positions, output_size=(8, 8))
    with pytest.raises(ArgumentError, match="output_size must have 2 integers"):
        kernel(x, positions, output_size=(6.0, 8))
    with pytest.raises(ArgumentError, match=r"x must have the shape \(N, C"):
        kernel(np.ones(3), np.zeros(3, int))
    with pytest.raises(ArgumentError, match="numbers for all its options"):
        compile(MaxUnpool(2).generic())


def test_a_kernel_says_what_it_does() -> None:
    kernel = compile(MaxUnpool(2))
    assert kernel.plan == "scatter"
    assert "def scatter" in kernel.source
    assert "def gather" in kernel.gradient_source
    assert "1x4x16x16: 4096" in kernel.explain((1, 4, 8, 8))
    assert [step.verdict.status for step in kernel.derivation().steps] == ["proved"]
