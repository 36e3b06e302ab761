"""Kernels of dense layers, normalisation and flattening: against NumPy's own sums, exact integers, types, refusals."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import symconv as sc
from symconv.errors import ArgumentError, NotSupportedError, SymconvError

RNG = np.random.default_rng(5)


def near(found: np.ndarray, due: np.ndarray) -> None:
    np.testing.assert_allclose(found, due, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("batch", [(), (1,), (5,)])
@pytest.mark.parametrize(("inputs", "outputs"), [(1, 1), (7, 3), (2, 40)])
def test_a_dense_layer_is_a_matrix_times_a_vector(batch: tuple[int, ...], inputs: int, outputs: int) -> None:
    x, w, d = RNG.normal(size=(*batch, inputs)), RNG.normal(size=(outputs, inputs)), RNG.normal(size=outputs)
    g = RNG.normal(size=(*batch, outputs))
    for op in (sc.Dense(outputs), sc.Dense(outputs, inputs)):
        kernel = sc.compile(op)
        near(kernel(x, w, d), np.einsum("pn,...n->...p", w, x) + d)
        found = kernel.vjp(g, x, w)
        rows, upstream = x.reshape(-1, inputs), g.reshape(-1, outputs)
        near(found.input, np.einsum("...p,pn->...n", g, w))
        near(found.weight, sum(np.outer(b, a) for a, b in zip(rows, upstream, strict=True)))
        near(found.bias, upstream.sum(0))
        moved = kernel.jvp(x, w, d, dx=2 * x, dweight=w, dbias=d)
        near(moved, 3 * np.einsum("pn,...n->...p", w, x) + d)
    bound = sc.compile(sc.Dense(outputs, bias=False), weight=w)
    near(bound(x), np.einsum("pn,...n->...p", w, x))
    assert bound.vjp(g, x).weight.shape == w.shape
    assert bound.vjp(g, x).bias is None


@pytest.mark.parametrize("sizes", [(), (4,), (3, 5)])
def test_a_normalisation_scales_and_shifts_channels(sizes: tuple[int, ...]) -> None:
    x, w, d = RNG.normal(size=(2, 3, *sizes)), RNG.normal(size=3), RNG.normal(size=3)
    g = RNG.normal(size=x.shape)
    kernel = sc.compile(sc.BatchNorm(3, ndim=len(sizes)))
    along = (slice(None), *[None] * len(sizes))
    others = (0, *range(2, 2 + len(sizes)))
    near(kernel(x, w, d), w[along] * x + d[along])
    near(kernel(x[0], w, d), (w[along] * x + d[along])[0])
    found = kernel.vjp(g, x, w)
    near(found.input, w[along] * g)
    near(found.weight, (g * x).sum(others))
    near(found.bias, g.sum(others))
    near(kernel.jvp(x, w, d, dx=x, dbias=d), w[along] * x + d[along])


def test_folded_figures_are_those_of_a_trained_layer() -> None:
    mean, variance, scale, shift = RNG.normal(size=4), RNG.random(4), RNG.normal(size=4), RNG.normal(size=4)
    x = RNG.normal(size=(2, 4, 3, 3))
    c = (slice(None), None, None)
    due = (x - mean[c]) / np.sqrt(variance[c] + 1e-3) * scale[c] + shift[c]
    folded = sc.BatchNorm.folded(mean, variance, scale, shift, eps=1e-3)
    near(sc.compile(sc.BatchNorm(4))(x, **folded), due)
    for given, message in (
        ((mean, variance[:3]), "variance must have one number a channel"),
        ((mean, -variance - 1), "variance must be above -eps"),
        ((["a"], variance), "must be arrays of numbers"),
        ((mean[None], variance), "mean must have one number a channel"),
    ):
        with pytest.raises(ArgumentError, match=message):
            sc.BatchNorm.folded(*given)


@pytest.mark.parametrize("order", ["channel-first", "channel-last"])
@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 3, 4), (2, 2, 3, 2)])
def test_flattening_puts_entries_in_order(order: str, shape: tuple[int, ...]) -> None:
    op = sc.Flatten(order, ndim=len(shape))
    kernel, x = sc.compile(op), RNG.integers(-9, 9, (3, *shape))
    places = list(np.ndindex(shape))
    if order == "channel-last":
        places = [(c, *at) for at in np.ndindex(shape[1:]) for c in range(shape[0])]
    due = np.array([[item[at] for at in places] for item in x])
    assert np.array_equal(kernel(x), due)
    assert kernel(x).dtype == x.dtype
    assert np.array_equal(kernel(x[0]), due[0])
    exact = op.output().values({"a": x[0].tolist()}, shape)
    assert [exact[place] for place in np.ndindex(len(places))] == due[0].tolist()
    floats, g = x.astype(float), RNG.normal(size=due.shape)
    back = kernel.vjp(g, floats).input
    assert all(back[n][at] == g[n][p] for n in range(3) for p, at in enumerate(places))
    assert np.array_equal(kernel.jvp(floats, dx=floats), due)
    assert kernel.derivation().steps[0].verdict.status == "proved"
    with pytest.raises(NotSupportedError, match="float"):
        kernel.vjp(due, x)


def test_integers_are_exact_or_refused() -> None:
    kernel = sc.compile(sc.Dense(2))
    assert kernel([2**40, 3], [[1, 2], [2**20, 0]], [1, 0]).tolist() == [2**40 + 7, 2**60]
    with pytest.raises(SymconvError, match="small enough for sums in int64"):
        kernel([2**40, 3], [[2**40, 2], [1, 0]], [1, 0])
    assert sc.compile(sc.BatchNorm(2))([[[3]], [[4]]], [2, -1], [0, 1]).tolist() == [[[6]], [[-3]]]


def test_rounding_stays_below_its_bound() -> None:
    x, w, d = (RNG.normal(size=shape).astype(np.float32) for shape in ((6, 300), (4, 300), (4,)))
    kernel = sc.compile(sc.Dense(4))
    due = x.astype(float) @ w.T.astype(float) + d
    bound = kernel.error_bound(x, w, d)
    assert bound.values.shape == due.shape
    assert (np.abs(kernel(x, w, d) - due) <= bound.values).all()
    g = RNG.normal(size=(6, 4)).astype(np.float32)
    for of, exact in (
        ("input", g.astype(float) @ w),
        ("weight", g.T.astype(float) @ x),
        ("bias", g.sum(0, dtype=float)),
    ):
        found = kernel.error_bound(x, w, of=of, grad_output=g)
        assert found.values.shape == exact.shape
        assert (np.abs(getattr(kernel.vjp(g, x, w), of) - exact) <= found.values).all()


DENSE, NORM, FLAT = sc.compile(sc.Dense(3)), sc.compile(sc.BatchNorm(3)), sc.compile(sc.Flatten())
X, W, D = np.ones((5, 7)), np.ones((3, 7)), np.ones(3)
REFUSED: list[tuple[str, Any, str]] = [
    ("three axes", lambda: DENSE(X[None], W, D), r"x must have the shape \(N, in_features\)"),
    ("no inputs", lambda: DENSE(np.ones((2, 0)), np.ones((3, 0)), D), "x must have an input"),
    ("weight", lambda: DENSE(X, W.T, D), r"weight must have the shape \(3, 7\), which is \(out_features"),
    ("no bias", lambda: DENSE(X, W), r"bias must be given: Dense\(out_features=3\) has a bias"),
    ("no weight", lambda: DENSE(X, None, D), "weight must be given"),
    ("inputs", lambda: sc.compile(sc.Dense(3, 8))(X, W, D), "x must have 8 entries on its last axis"),
    ("bound", lambda: sc.compile(sc.Dense(3), weight=W)(X[:, :2], bias=D), "x must have 7 entries"),
    ("bound weight", lambda: sc.compile(sc.Dense(3), weight=W.T), r"weight must have the shape \(3, in_features\)"),
    ("plan", lambda: sc.compile(sc.Dense(3), plan="fft2"), "plan must be one of"),
    ("grad", lambda: DENSE.vjp(np.ones((3, 5)), X, W), r"grad_output must have the shape \(5, 3\)"),
    ("dx", lambda: DENSE.jvp(X, W, dx=X.T), r"dx must have the shape \(5, 7\)"),
    ("dweight", lambda: DENSE.jvp(X, W, dweight=W.T), r"dweight must have the shape \(3, 7\)"),
    ("channels", lambda: NORM(np.ones((2, 4, 5)), D, D), "x must have 3 channels on axis 0"),
    ("axes", lambda: NORM(np.ones(3), D, D), r"x must have the shape \(N, C, \*spatial\)"),
    ("scale", lambda: NORM(np.ones((3, 2, 2)), np.ones(2), D), r"weight must have the shape \(3,\)"),
    ("flat", lambda: FLAT(np.ones((2, 2))), r"x must have the shape"),
    ("symbols", lambda: sc.compile(sc.Dense(__import__("sympy").Symbol("M"))), "number"),
]


@pytest.mark.parametrize(("call", "message"), [entry[1:] for entry in REFUSED], ids=[entry[0] for entry in REFUSED])
def test_what_does_not_fit_is_refused(call: Any, message: str) -> None:
    with pytest.raises(SymconvError, match=message):
        call()


@pytest.mark.parametrize("kernel", [DENSE, NORM, FLAT, sc.compile(sc.Dense(3), weight=W)], ids=repr)
def test_kernels_are_values_and_say_what_they_do(kernel: Any) -> None:
    assert pickle.loads(pickle.dumps(kernel)) == kernel == copy.deepcopy(kernel)
    assert kernel.plan in kernel.explain()
    assert "def " in kernel.source
    assert "def " in kernel.gradient_source
    assert {step.verdict.status for step in kernel.derivation().steps} <= {"proved", "exact"}
