"""Kernels of dilation and erosion against plain loops, SciPy and the adjoint identity."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from operators.test_morphology_against_loops import CASES, loops, pairs, whole

import symconv as sc

INFINITY = float("inf")


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
@pytest.mark.parametrize("op", CASES, ids=repr)
def test_outputs_and_gradients_are_those_of_loops(op: Any, dtype: str) -> None:
    op = pairs(op)
    sizes = (7, 6, 3)[: op.ndim] if op.ndim < 3 else (3, 4, 3)
    generator = np.random.default_rng(7)
    a, b, g = (whole(generator, shape) for shape in (sizes, op.kernel_size, op.output_size(sizes)))
    c, to_a, to_b = loops(op, a, b, g)
    kernel = sc.compile(op)
    x, w, u = (array.astype(dtype) for array in (a, b, g))
    y = kernel(x, w)
    assert y.dtype == dtype
    np.testing.assert_array_equal(y, c.astype(dtype))
    gradients = kernel.vjp(u, x, w)
    np.testing.assert_array_equal(gradients.input, to_a.astype(dtype))
    np.testing.assert_array_equal(gradients.weight, to_b.astype(dtype))
    assert (gradients.input.dtype, gradients.weight.dtype) == (dtype, dtype)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_the_adjoint_identity(data: st.DataObject) -> None:
    """<g, J (dx, dw)> == <J^T g, (dx, dw)>, in whole numbers."""
    kind = data.draw(st.sampled_from([sc.Dilation, sc.Erosion]))
    small = st.integers(1, 3)
    op = kind((data.draw(small), data.draw(small)), (data.draw(small), data.draw(small)), data.draw(st.integers(0, 2)),
              (data.draw(small), data.draw(small)), data.draw(st.booleans()))  # fmt: skip
    sizes = (data.draw(st.integers(7, 9)), data.draw(st.integers(7, 9)))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    x, dx = (rng.integers(-3, 4, (2, *sizes)).astype(float) for _ in range(2))
    w, dw = (rng.integers(-3, 4, op.kernel_size).astype(float) for _ in range(2))
    kernel = sc.compile(op, weight=w)
    g = rng.integers(-3, 4, kernel(x).shape).astype(float)
    there = kernel.jvp(x, dx=dx, dweight=dw)
    back = kernel.vjp(g, x)
    finite = np.isfinite(kernel(x))
    assert np.sum((g * there)[finite]) == np.sum(back.input * dx) + np.sum(back.weight * dw)


@pytest.mark.parametrize("shape", [(9, 8), (3, 9, 8), (2, 3, 9, 8)])
def test_scipy_computes_the_same_on_every_plane(shape: tuple[int, ...]) -> None:
    ndimage = pytest.importorskip("scipy.ndimage")
    rng = np.random.default_rng(1)
    x, w = rng.standard_normal(shape), rng.standard_normal((3, 5))
    op = sc.Dilation((3, 5), padding=(1, 2), flip=True)
    y = sc.compile(op)(x, w)
    for place in np.ndindex(*shape[:-2]):
        expected = ndimage.grey_dilation(x[place], structure=w, mode="constant", cval=-INFINITY)
        np.testing.assert_array_equal(y[place], expected)


def test_integers_are_exact_or_refused() -> None:
    kernel = sc.compile(sc.Erosion((2,)))
    assert kernel([5, 1, 7], [2, 3]).tolist() == [-2, -1]
    assert kernel([5, 1, 7], [2, 3]).dtype == np.int64
    with pytest.raises(sc.ArgumentError, match=r"^x must have a floating dtype: a window without a real tap"):
        sc.compile(sc.Dilation((1,), padding=1))([1, 2], [0])
    with pytest.raises(sc.ArgumentError, match=r"^x must be small enough for sums in int64"):
        kernel(np.array([1 << 62, 0]), np.array([1 << 62, 0]))
    with pytest.raises(sc.NotSupportedError, match="vjp needs a floating dtype"):
        kernel.vjp([1, 1], [5, 1, 7], [2, 3])


def test_what_is_no_number_wins_and_an_empty_window_is_infinite() -> None:
    nan = float("nan")
    y = sc.compile(sc.Dilation((2,)))([1.0, nan, 2.0, 3.0], [0.0, 0.0])
    assert np.isnan(y).tolist() == [True, True, False]
    assert sc.compile(sc.Dilation((1,), padding=1))([1.0], [0.0]).tolist() == [-INFINITY, 1.0, -INFINITY]
    assert sc.compile(sc.Erosion((1,), padding=1))([1.0], [0.0]).tolist() == [INFINITY, 1.0, INFINITY]


def test_a_dilation_by_zeros_is_max_pooling() -> None:
    rng = np.random.default_rng(2)
    x = rng.integers(-4, 5, (2, 3, 9, 7)).astype("float32")
    pool, op = sc.MaxPool((3, 2), 2, 1), sc.Dilation((3, 2), 2, 1)
    g = rng.integers(-4, 5, (2, 3, *pool.output_size((9, 7)))).astype("float32")
    zeros = np.zeros((3, 2), "float32")
    np.testing.assert_array_equal(sc.compile(op)(x, zeros), sc.compile(pool)(x))
    np.testing.assert_array_equal(sc.compile(op).vjp(g, x, zeros).input, sc.compile(pool).vjp(g, x).input)


def test_refusals_and_what_is_told() -> None:
    kernel = sc.compile(sc.Dilation((3,)))
    for wrong, says in (
        (lambda: kernel(np.ones(5)), r"^weight must be given"),
        (lambda: kernel(np.ones(5), np.ones(2)), r"^weight must have the shape \(3,\)"),
        (lambda: kernel(np.ones(5), np.ones(3), 1), r"^bias must be left out"),
        (lambda: kernel(np.ones((1, 1, 1, 5)), np.ones(3)), r"^x must have the shape"),
        (
            lambda: sc.compile(sc.Dilation((3,)), plan="fft"),
            r"^plan must be one of the plans that apply",
        ),
        (lambda: sc.compile(sc.Dilation((3,)).generic()), r"^op must have numbers for all its options"),
    ):
        with pytest.raises(sc.ArgumentError, match=says):
            wrong()
    assert "plan: taps" in kernel.explain((5,))
    assert kernel.derivation().steps[0].verdict.status == "proved"
    assert "def largest" in kernel.source
    assert pickle.loads(pickle.dumps(kernel))([1.0, 2.0, 3.0], [0.0, 1.0, 0.0]).tolist() == [3.0]
