"""The backend "halide" against plain loops and the backend "numpy": every option, every task, and what is refused."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from kernels.layers import Layer, convolutions, poolings
from operators.matching import TemplateMatching

from symconv import (
    AdaptiveAvgPool,
    AvgPool,
    BatchNorm,
    Conv,
    ConvTranspose,
    Dense,
    Dilation,
    Erosion,
    LPPool,
    MaxPool,
    compile,
)
from symconv.errors import ArgumentError, NotSupportedError
from symconv.kernels.backends import auto
from symconv.kernels.backends.halide import correlation, pooling, script, terms, wheel

HERE = importlib.util.find_spec("halide") is not None
compiled = pytest.mark.skipif(not HERE, reason="the wheel halide is not installed")
RNG = np.random.default_rng(16)


def whole(*shape: int, dtype: str = "float32") -> np.ndarray:
    """Small integers, whose sums are exact in any order, with many ties."""
    return RNG.integers(-4, 5, shape).astype(dtype)


def same(ours: Any, theirs: Any) -> None:
    assert ours.dtype == theirs.dtype
    np.testing.assert_array_equal(ours, theirs)


def test_without_the_wheel_it_is_refused_with_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wheel, "find_spec", lambda name: None)
    with pytest.raises(ArgumentError, match=r"'halide' is not installed.*pip install halide"):
        compile(Conv(3), "halide")
    kernel = compile(Conv((2,)), "auto")
    assert kernel([1, 2, 3], [1, 1]).tolist() == [3, 5]
    assert "Halide" not in kernel.explain((9,))


def test_a_folder_or_a_module_of_that_name_is_not_taken_for_the_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.delitem(sys.modules, "halide", raising=False)
    (tmp_path / "halide").mkdir()
    with pytest.raises(ArgumentError, match="'halide' is not installed"):
        wheel.required()
    (tmp_path / "halide.py").write_text("mine = 1\n")
    importlib.invalidate_caches()
    wheel.required()
    with pytest.raises(NotSupportedError, match=r"not the package of the extra.*run it with backend='numpy'"):
        wheel.halide()
    del sys.modules["halide"]  # the real one, if it was there, comes back by itself


def test_texts_have_no_word_in_them_that_a_user_wrote(monkeypatch: pytest.MonkeyPatch) -> None:
    class Hostile(Conv):
        """A convolution that says what it is called."""

        def __repr__(self) -> str:
            return "'); import os; os.abort(); ('"

    monkeypatch.setattr(correlation, "lanes", lambda dtype: 8)
    monkeypatch.setattr(pooling, "lanes", lambda dtype: 8)
    monkeypatch.setattr(terms, "lanes", lambda dtype: 8)
    monkeypatch.setattr(wheel, "find_spec", lambda name: importlib.util.find_spec("symconv"))
    kernel = compile(Hostile((3, 3), padding=1), "halide")
    pool = compile(AvgPool(3, 2, 1, count_include_pad=False), "halide")
    norm, shared = compile(LPPool(2.5, 3), "halide"), compile(MaxPool(3, 2, ties="split"), "halide")
    known = set(OWN.split())
    stated, best = compile(TemplateMatching((2, 2)), "halide"), compile(Dilation(3), "halide")
    assert "better = real" in best.source
    for made in (kernel, pool, norm, shared, stated):
        for text in (made.source, made.gradient_source):
            names = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
            assert {re.sub(r"\d+$", "", name) for name in names} <= known


OWN = """c count d_at e entry ends equal exponent f float flow flow_at function g_at functools g gathered h halved hl i
    index items better best j k lane larger len length list lowest m middle n nonzero number o operator
    output p part phase place power q r range real result shares shares_at sign size stage sum t tied top
    total unit upstream v value w winner winner_at x x_at y y_at S T"""


# --- against plain loops ----------------------------------------------------------------------------------------------


def agrees(layer: Layer) -> None:
    """The output and the gradients are those of plain loops, in float64."""
    kernel = compile(layer.op, "halide")
    expected = layer.output()
    close = {"rtol": 1e-10, "atol": 1e-12}
    np.testing.assert_allclose(layer.run(kernel), expected, **close)
    g = np.random.default_rng(0).normal(size=expected.shape)
    for ours, theirs in zip(layer.pull(kernel, g), layer.gradients(g), strict=True):
        np.testing.assert_allclose(ours, theirs, **close)


@compiled
@settings(max_examples=6, derandomize=True, deadline=None)
@given(convolutions())
def test_convolutions_are_plain_loops(layer: Layer) -> None:
    agrees(layer)


@compiled
@settings(max_examples=6, derandomize=True, deadline=None)
@given(poolings())
def test_poolings_are_plain_loops(layer: Layer) -> None:
    agrees(layer)


@compiled
@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(convolutions())
def test_many_convolutions_are_plain_loops(layer: Layer) -> None:
    agrees(layer)


@compiled
@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(poolings())
def test_many_poolings_are_plain_loops(layer: Layer) -> None:
    agrees(layer)


# --- against the backend "numpy", bit by bit --------------------------------------------------------------------------

LAYERS = (
    (Conv((3, 5), (2, 1), ((1, 2), (0, 3)), (1, 2), 2, 4, 6, bias=True, flip=True), (2, 4, 21, 40), (6, 2, 3, 5)),
    (Conv((2, 2, 2, 2), (2, 1, 1, 1), 1, in_channels=2), (1, 2, 5, 4, 6, 5), (1, 2, 2, 2, 2, 2)),
    (Conv((5,), padding=2, padding_mode="circular", out_channels=3), (2, 1, 77), (3, 1, 5)),
    (Conv((3, 3), padding=((-1, 2), (0, -1)), groups=3, in_channels=3, out_channels=3), (1, 3, 40, 9), (3, 1, 3, 3)),
    (ConvTranspose((3, 2), stride=2, padding=1, in_channels=2, out_channels=3), (2, 2, 9, 20), (2, 3, 3, 2)),
    (Conv((1, 1), in_channels=5, out_channels=7), (1, 5, 1, 1), (7, 5, 1, 1)),
)


@compiled
@pytest.mark.parametrize(("op", "shape", "weight_shape"), LAYERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_layers_with_exact_sums_are_the_same_bits(op: Any, shape: Any, weight_shape: Any, dtype: str) -> None:
    x, weight = whole(*shape, dtype=dtype), whole(*weight_shape, dtype=dtype)
    bias = whole(op.out_channels, dtype=dtype) if op.bias else None
    ours, theirs = compile(op, "halide"), compile(op)
    y = theirs(x, weight, bias)
    same(ours(x, weight, bias), y)
    g = whole(*y.shape, dtype=dtype)
    mine, other = ours.vjp(g, x, weight), theirs.vjp(g, x, weight)
    for name in ("input", "weight"):
        same(getattr(mine, name), getattr(other, name))
    same(ours.jvp(x, weight, dx=x, dweight=weight), theirs.jvp(x, weight, dx=x, dweight=weight))


@compiled
@pytest.mark.parametrize("dtype", ["int64", "uint8", "float16", ">f4"])
def test_types_are_those_of_every_backend(dtype: str) -> None:
    op = Conv((3, 3), padding=1, in_channels=2, out_channels=3)
    x, weight = whole(1, 2, 9, 20, dtype="int64") % 7, whole(3, 2, 3, 3, dtype="int64") % 3
    arrays = x.astype(dtype), weight.astype(dtype)
    same(compile(op, "halide")(*arrays), compile(op)(*arrays))
    pool = MaxPool(2)
    same(compile(pool, "halide")(arrays[0]), compile(pool)(arrays[0]))
    if np.dtype(dtype).kind != "f":
        with pytest.raises(ArgumentError, match="must have a floating dtype"):
            compile(AvgPool(2), "halide")(arrays[0])
        with pytest.raises(NotSupportedError, match="vjp needs a floating dtype"):
            compile(op, "halide").vjp(arrays[0][:, :1], *arrays)


@compiled
@pytest.mark.parametrize("dtype", ["b", "B", "h", "H", "i", "I", "l", "L", "q", "Q"])
def test_the_largest_of_integers_keeps_every_type(dtype: str) -> None:
    x = np.array([3, 7, 7, 1, 0], dtype)
    x[1] = np.iinfo(dtype).max
    x.flags.writeable = False
    largest, places = compile(MaxPool((2,), 1), "halide")(x, return_indices=True)
    assert largest.dtype == x.dtype
    assert largest.tolist() == [np.iinfo(dtype).max, np.iinfo(dtype).max, 7, 1]
    assert places.tolist() == [1, 1, 2, 3]


@compiled
def test_integers_that_might_overflow_are_refused_and_others_exact() -> None:
    kernel = compile(Conv((3,)), "halide")
    with pytest.raises(ArgumentError, match="must be small enough for sums in int64"):
        kernel(np.full(4, 1 << 61), np.full(3, 4))
    assert kernel([1 << 60, 3, 5, -(1 << 60)], [1, 1, 1]).tolist() == [(1 << 60) + 8, 8 - (1 << 60)]


POOLS = (
    MaxPool((3, 2), (2, 1), ((1, 0), (0, 1)), ceil_mode=True),
    MaxPool((2, 3), 1, 1, ties="split"),
    MaxPool((3, 3), (3, 1), dilation=2, padding=2),
    AvgPool((3, 3), 2, 1, ceil_mode=True, count_include_pad=False),
    AvgPool((2, 2), divisor_override=3),
    MaxPool((7, 7), 5),
    MaxPool((1, 1), 2),
)


@compiled
@pytest.mark.parametrize("op", POOLS, ids=repr)
@pytest.mark.parametrize("last", [False, True])
def test_poolings_with_what_is_no_number_are_the_same_bits(op: Any, last: bool) -> None:
    shape = (2, 5, 23, 19)
    x = whole(*shape)
    for value in (np.nan, np.inf, -np.inf, -0.0):
        x[RNG.random(shape) < 0.04] = value
    x[:, :, :6, :6] = -np.inf
    if last:
        x = np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 1, -1)), -1, 1)
    ours, theirs = compile(op, "halide"), compile(op)
    y = theirs(x)
    same(ours(x), y)
    g = whole(*y.shape)
    g[RNG.random(g.shape) < 0.02] = np.inf
    exact = isinstance(op, MaxPool) and op.ties == "first"  # else sums of thirds, in another order
    close = {"rtol": 0, "atol": 0} if exact else {"rtol": 1e-6, "atol": 1e-6}
    found, expected = ours.vjp(g, x).input, theirs.vjp(g, x).input
    np.testing.assert_allclose(found, expected, **close)
    tangent = whole(*shape)
    np.testing.assert_allclose(ours.jvp(x, dx=tangent), theirs.jvp(x, dx=tangent), **close)
    if isinstance(op, MaxPool):
        for mine, other in zip(ours(x, return_indices=True), theirs(x, return_indices=True), strict=True):
            same(mine, other)
        same(ours.vjp(g, x, output=theirs(x, return_indices=True)).input, found)


@compiled
def test_the_first_of_equals_wins_and_an_empty_window_has_no_winner() -> None:
    kernel = compile(MaxPool((2,), 2, padding=((1, 0),)), "halide")
    y, places = kernel([-np.inf, 5, 5, np.nan, np.nan], return_indices=True)
    assert places.tolist() == [0, 1, 3]
    assert y.tolist()[:2] == [-np.inf, 5]
    y, places = compile(MaxPool((1,), 1, padding=((2, 0),)), "halide")([7.0], return_indices=True)
    assert (y.tolist(), places.tolist()) == ([-np.inf, -np.inf, 7], [-1, -1, 0])
    with pytest.raises(ArgumentError, match="a window without a real tap"):
        compile(MaxPool((1,), 1, padding=((2, 0),)), "halide")([7])


@compiled
@pytest.mark.parametrize("p", [1, 2, 3, 4.5, 9, float("inf")])
@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_norms_keep_their_range(p: float, scale: float) -> None:
    op = LPPool(p, (3, 2), 2)
    x = (RNG.standard_normal((2, 3, 11, 14)) * scale).astype("float32")
    x[0, 0, :4] = 0
    ours, theirs = compile(op, "halide"), compile(op)
    np.testing.assert_allclose(ours(x), theirs(x), rtol=3e-6)
    g = RNG.standard_normal(ours(x).shape).astype("float32")
    np.testing.assert_allclose(ours.vjp(g, x).input, theirs.vjp(g, x).input, rtol=2e-5, atol=1e-6)
    wide, steep = x.astype(float) * scale**8, LPPool(9, (2, 2))
    np.testing.assert_allclose(compile(steep, "halide")(wide), compile(steep)(wide), rtol=1e-13)


BOUNDED = (
    Conv((3,), padding=1),
    *(AvgPool((taps,), stride) for taps, stride in ((3, 1), (7, 1), (8, 3), (20, 1), (40, 1))),
    *(LPPool(p, (3,), 1) for p in (2, 4.5)),
)


@compiled
@pytest.mark.parametrize("op", BOUNDED, ids=repr)
def test_results_are_within_the_bound_that_is_stated(op: Any) -> None:
    kernel = compile(op, "halide")
    x = RNG.standard_normal(200).astype("float32")
    arrays = (x, RNG.standard_normal(3).astype("float32")) if isinstance(op, Conv) else (x,)
    exact = compile(op)(*(a.astype(float) for a in arrays))
    bound = kernel.error_bound(*arrays)
    assert (np.abs(kernel(*arrays) - exact) <= bound.values).all()
    assert bound.values.max() < 1e-4


TERMS = (
    (TemplateMatching((2, 3), stride=(2, 1), padding=((1, 0), (0, 2))), (2, 3, 9, 20)),
    (TemplateMatching((3,), 3, ((-1, 1),)), (2, 31)),
    (Dilation((2, 3), (1, 2), 1, (2, 1), flip=True), (2, 3, 8, 19)),
    (Erosion((3, 2, 2), padding=1), (2, 5, 6, 7)),
)


@compiled
@pytest.mark.parametrize(("op", "shape"), TERMS, ids=repr)
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_sums_and_bests_of_terms_are_the_same_bits(op: Any, shape: Any, dtype: str) -> None:
    x, weight = whole(*shape, dtype=dtype), whole(*op.kernel_size, dtype=dtype)
    for value in (np.nan, np.inf, -np.inf):
        x[RNG.random(shape) < 0.02] = value
    ours, theirs = compile(op, "halide"), compile(op)
    y = theirs(x, weight)
    same(ours(x, weight), y)
    g, tangent = whole(*y.shape, dtype=dtype), whole(*shape, dtype=dtype)
    for name in ("input", "weight"):
        same(getattr(ours.vjp(g, x, weight), name), getattr(theirs.vjp(g, x, weight), name))
    moved = {"dx": tangent, "dweight": weight}
    same(ours.jvp(x, weight, **moved), theirs.jvp(x, weight, **moved))
    assert "Halide, one thread" in ours.explain()
    assert "total.update().vectorize" in ours.source


@compiled
def test_the_best_of_integers_is_exact_and_nothing_has_no_best() -> None:
    kernel = compile(Dilation((2,)), "halide")
    assert kernel([1 << 60, -(1 << 61), 3], [1, -1]).tolist() == [(1 << 60) + 1, 2]
    with pytest.raises(ArgumentError, match="must have a floating dtype"):
        compile(Dilation((1,), padding=1), "halide")([1], [1])


# --- arrays as they come ----------------------------------------------------------------------------------------------


@compiled
def test_arrays_of_any_strides_that_are_never_written_to() -> None:
    op, weight = Conv((3, 3), out_channels=4, in_channels=3), whole(4, 3, 3, 3)
    x = whole(2, 3, 20, 40)
    kernel, expected = compile(op, "halide"), compile(op)(x, weight)
    frozen = x.copy()
    frozen.flags.writeable = weight.flags.writeable = False
    odd = np.frombuffer(b"x" + x.tobytes(), "float32", offset=1).reshape(x.shape)
    wide = np.repeat(x, 2, axis=3)[..., ::2]
    upside = np.ascontiguousarray(x[:, :, ::-1])[:, :, ::-1]
    for array in (frozen, odd, wide, upside, np.asfortranarray(x)):
        before = array.copy()
        same(kernel(array, weight), expected)
        np.testing.assert_array_equal(array, before)
    one = np.broadcast_to(x[:1], x.shape)
    same(kernel(one, weight), compile(op)(one, weight))
    bound = compile(op, "halide", weight=weight)
    same(bound(x), expected)
    same(bound(x[:0]), expected[:0])


def refused(*_: Any) -> Any:
    raise NotSupportedError("Halide refuses")


@compiled
def test_auto_goes_over_when_compiling_has_paid(monkeypatch: pytest.MonkeyPatch) -> None:
    op, x, weight = Conv((5, 5), padding=2), whole(200, 300), whole(5, 5)
    kernel, expected = compile(op, "auto"), compile(op)(x, weight)
    assert re.search(r"Halide takes over after \d+ calls:", kernel.explain((200, 300)))
    assert kernel.error_bound(x, weight).values.shape == (200, 300)
    monkeypatch.setattr(auto, "COMPILING", 1e-9)
    done: list[str] = []
    real = wheel.run
    monkeypatch.setattr(correlation, "run", lambda *of: done.append("halide") or real(*of))
    for after in (0, 1, 2):
        same(kernel(x, weight), expected)
        assert len(done) == after
    same(kernel.vjp(expected, x, weight).weight, compile(op).vjp(expected, x, weight).weight)
    same(kernel.jvp(x, weight, dx=x), expected)
    small = compile(Conv((2,)), "auto")
    for _ in range(9):
        assert small([1, 2, 3], [1, 1]).tolist() == [3, 5]
    assert len(done) == 3
    monkeypatch.setattr(correlation, "run", refused)
    same(kernel(x, weight), expected)  # by NumPy
    with pytest.raises(ArgumentError, match="must be left out for the backend 'auto'"):
        compile(op, "auto", plan="taps")


@compiled
def test_threads_share_a_kernel() -> None:
    op, weight = Conv((3, 3), padding=1, in_channels=2, out_channels=2), whole(2, 2, 3, 3)
    kernel, images = compile(op, "halide"), [whole(1, 2, n, 30 + n) for n in range(5, 13)]
    expected = [compile(op)(x, weight) for x in images]
    with ThreadPoolExecutor(8) as pool:
        for ours, theirs in zip(pool.map(lambda x: kernel(x, weight), images * 4), expected * 4, strict=True):
            same(ours, theirs)


def tangled(*shape: int) -> np.ndarray:
    """Numbers whose sums are not exact, so that another order of summation would be seen."""
    return RNG.standard_normal(shape).astype("float32")


SOME = [(Conv((3, 3), padding=1, in_channels=6), (1, 6, 8, 20), (1, 6, 3, 3))]
WEIGHTLESS = [
    *((op, (2, 3, 23, 18)) for op in POOLS),
    (MaxPool((3,), 2, 1), (2, 50)),
    (LPPool(3, (2, 2, 2)), (1, 1, 9, 8, 7)),
]


@compiled
@pytest.mark.parametrize(
    ("threads", "layers", "terms_", "weightless"),
    [
        (2, SOME, TERMS[:1], WEIGHTLESS[:1]),
        pytest.param(3, [*SOME, *LAYERS], TERMS, WEIGHTLESS, marks=pytest.mark.slow),
    ],
    ids=["two", "three"],
)
def test_threads_take_pieces_of_a_call_and_change_no_bit(
    monkeypatch: pytest.MonkeyPatch, threads: int, layers: Any, terms_: Any, weightless: Any
) -> None:
    cut: list[bool] = []
    real = wheel.run

    def run(text: str, *of: Any) -> Any:
        cut.append(".parallel(t)" in text)
        return real(text, *of)

    monkeypatch.setattr(script, "LEAST", 1e-12)
    for module in (correlation, pooling, terms):
        monkeypatch.setattr(module, "run", run)
    cases = [(op, tangled(*shape), tangled(*weight)) for op, shape, weight in layers]
    cases += [(op, tangled(*shape), tangled(*op.kernel_size)) for op, shape in terms_]
    cases += [(op, tangled(*shape), None) for op, shape in weightless]
    for op, x, weight in cases:
        arrays = (x,) if weight is None else (x, weight)
        if getattr(op, "bias", False):
            arrays = (*arrays, tangled(op.out_channels))
        one, several = compile(op, "halide"), compile(op, "halide", threads=threads)
        y = one(*arrays)
        same(several(*arrays), y)
        ours, theirs = several.vjp(y, *arrays), one.vjp(y, *arrays)
        same(ours.input, theirs.input)
        if weight is not None:
            same(ours.weight, theirs.weight)
        same(several.jvp(*arrays, dx=x), one.jvp(*arrays, dx=x))
        assert any(cut), op
        cut.clear()
        assert f"Halide, up to {threads} threads" in several.explain()
    image = np.moveaxis(tangled(2, 20, 30, 5), -1, 1)
    same(compile(MaxPool(3, 2), "halide", threads=threads)(image), compile(MaxPool(3, 2), "halide")(image))


@compiled
def test_small_calls_wake_no_thread_and_auto_has_some() -> None:
    kernel = compile(Conv((3, 3)), "halide", threads=4)
    x, weight = whole(9, 9), whole(3, 3)
    same(kernel(x, weight), compile(Conv((3, 3)))(x, weight))
    assert ".parallel(t)" in kernel.source
    assert ".parallel(t)" in kernel.gradient_source
    one = compile(Conv((3, 3)), "halide").estimate("output", (4000, 4000), "float32")
    assert one / 4 < kernel.estimate("output", (4000, 4000), "float32") < one / 3
    assert "up to 2 threads" in compile(Conv((3, 3)), "auto", threads=2).explain((4000, 4000))


def test_a_number_of_threads_is_refused_by_itself() -> None:
    for backend in ("halide", "auto"):
        with pytest.raises(ArgumentError, match=r"^threads must be from 1 to 256, .*got 0"):
            compile(Conv(3), backend, threads=0)


# --- what is shown and what is refused --------------------------------------------------------------------------------


@compiled
def test_the_source_is_what_runs() -> None:
    import halide as hl

    kernel = compile(Conv((3, 3)), "halide")
    names: dict[str, Any] = {}
    exec(kernel.source, names)
    x, weight, out = whole(1, 1, 1, 40, 70), whole(1, 1, 1, 3, 3), np.zeros((1, 1, 1, 38, 68), "float32")
    names["function"](hl.Buffer(x), hl.Buffer(weight), hl.Buffer(out))
    same(out[0], compile(Conv((3, 3)))(x[0], weight[0]))
    assert "total.update().reorder" in kernel.source
    assert "the gradient of the weight" in kernel.gradient_source
    text = kernel.explain((1, 1, 64, 64))
    assert "plan: tiles" in text
    assert "recipe: register tile" in text
    pool = compile(MaxPool(3, 2), "halide")
    assert "where the maxima are" in pool.gradient_source
    assert "hl.mux" in pool.gradient_source
    assert "fold of 3 taps" in pool.explain()
    assert [step.verdict.status for step in pool.derivation().steps] == ["proved"] * len(pool.derivation().steps)


@compiled
def test_what_it_lacks_is_refused_by_name() -> None:
    with pytest.raises(NotSupportedError, match=r"Halide runs no kernel of AdaptiveAvgPool.*backend='numpy'"):
        compile(AdaptiveAvgPool(3), "halide")
    with pytest.raises(ArgumentError, match="must be one of the plans that apply here"):
        compile(Conv(3), "halide", plan="fft")
    kernel = compile(MaxPool(3, 2, ties="set"), "halide")
    same(kernel(np.arange(25.0).reshape(5, 5)), np.array([[12.0, 14], [22, 24]]))
    with pytest.raises(NotSupportedError, match="ties='set'"):
        kernel.vjp(np.ones((2, 2)), np.zeros((5, 5)))
    pool = compile(MaxPool(2), "halide")
    with pytest.raises(ArgumentError, match="must hold integers from -1 to 15"):
        pool.vjp(np.ones((2, 2)), np.zeros((4, 4)), output=(np.zeros((2, 2)), np.full((2, 2), 16)))
    with pytest.raises(ArgumentError, match=r"must be an array|must have the shape"):
        pool.vjp(np.ones((3, 2)), np.zeros((4, 4)))


@compiled
def test_layers_that_are_convolutions_in_other_words() -> None:
    x, weight, bias = whole(4, 6), whole(5, 6), whole(5)
    same(compile(Dense(5, 6), "halide")(x, weight, bias), compile(Dense(5, 6))(x, weight, bias))
    image = whole(2, 3, 4, 5)
    scale, shift = whole(3), whole(3)
    norm = BatchNorm(3)
    same(compile(norm, "halide")(image, scale, shift), compile(norm)(image, scale, shift))
