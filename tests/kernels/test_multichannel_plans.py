"""The plans for many channels, "im2col" and Winograd's: against plain loops, float64 and their own adjoints."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np
import oracles
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layers import Layer, convolutions

from symconv.derivations.rules import RULES
from symconv.errors import ArgumentError
from symconv.kernels.arrays import columns, minimal_filtering
from symconv.kernels.backends.numpy import BACKEND
from symconv.kernels.compile import compile
from symconv.kernels.form.extraction import tap_form
from symconv.kernels.plans.im2col import im2col_derivation
from symconv.kernels.plans.winograd import winograd_derivation
from symconv.kernels.runtime.layout import layout_of
from symconv.kernels.runtime.plan import CallShape
from symconv.kernels.runtime.selection import applicable, ranked
from symconv.kernels.runtime.workspace import Workspace
from symconv.operators.convolution import Conv

WINOGRAD = ("winograd", "winograd_f2")
PLANS = ("im2col", *WINOGRAD)
BUDGETS = st.sampled_from((1, 300, 5000, 1 << 20))


@contextmanager
def parts_of(size: int) -> Iterator[None]:
    """Parts of so many bytes, so that small inputs are cut, and gathered, as large ones are."""
    patch = pytest.MonkeyPatch()
    for module, name in ((columns, "COLUMN_BYTES"), (minimal_filtering, "BLOCK_BYTES")):
        patch.setattr(module, name, size)
    for module in (columns, minimal_filtering):
        patch.setattr(module, "LEAST", 1)
    patch.setattr(columns, "DIRECT", 1 if size == 1 else 1 << 30)
    for module in (columns, minimal_filtering):  # what is remembered knows another budget
        patch.setattr(module, "prepared", module.prepared.__wrapped__)
    try:
        yield
    finally:
        patch.undo()


def check(layer: Layer, plan: str, size: int, seed: int) -> None:
    """The output and all gradients against plain loops."""
    kernel = compile(layer.op, plan=plan, accuracy="fast")
    expected = layer.output()
    g = np.random.default_rng(seed).normal(size=expected.shape)
    with parts_of(size):
        found, gradients = layer.run(kernel), layer.pull(kernel, g)
    assert kernel.plan == plan
    name = f"{layer.op!r} {plan}"
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9, err_msg=name)
    for mine, theirs in zip(gradients, layer.gradients(g), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-9, err_msg=name)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(convolutions(), BUDGETS, st.integers(0, 1 << 32))
def test_columns_are_what_plain_loops_say(layer: Layer, size: int, seed: int) -> None:
    check(layer, "im2col", size, seed)


@st.composite
def filters(draw: st.DrawFn) -> Layer:
    """Convolutions with three taps along one or two axes, stride and dilation 1, and every other option."""
    ndim, groups = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    sizes = tuple(draw(st.integers(3, 9)) for _ in range(ndim))
    inputs, outputs = groups * draw(st.integers(1, 3)), groups * draw(st.integers(1, 3))
    options: dict[str, Any] = {
        "padding": tuple(draw(st.tuples(st.integers(0, 2), st.integers(-1, 2))) for _ in range(ndim)),
        "padding_mode": draw(st.sampled_from(("zeros", "zeros", "reflect", "replicate", "circular"))),
        "flip": draw(st.booleans()),
        "groups": groups,
    }
    if any(n + before + after < 3 for n, (before, after) in zip(sizes, options["padding"], strict=True)):
        options["padding"] = 1
    op = Conv((3,) * ndim, in_channels=inputs, out_channels=outputs, bias=True, **options)
    rng = np.random.default_rng(draw(st.integers(0, 1 << 32)))
    x = rng.normal(size=(draw(st.integers(1, 3)), inputs, *sizes))
    parameters = {
        "weight": rng.normal(size=(outputs, inputs // groups, *(3,) * ndim)),
        "bias": rng.normal(size=outputs),
    }

    def gradients(g: np.ndarray) -> list[np.ndarray]:
        found = oracles.conv_vjp(g, x, parameters["weight"], **options)
        return [oracles.to_numpy(t) for t in (found.input, found.weight, found.bias)]

    def output() -> np.ndarray:
        return oracles.to_numpy(oracles.conv(x, parameters["weight"], parameters["bias"], **options))

    return Layer(op, x, parameters, output, gradients, options)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(filters(), st.sampled_from(WINOGRAD), BUDGETS, st.integers(0, 1 << 32))
def test_minimal_filtering_is_what_plain_loops_say(layer: Layer, plan: str, size: int, seed: int) -> None:
    check(layer, plan, size, seed)


@pytest.mark.parametrize(("inputs", "outputs"), [(4, 2), (2, 4), (6, 1)])
@pytest.mark.parametrize("dtype", [np.float64, np.int16])
def test_few_channels_on_one_side_are_taken_from_there(inputs: int, outputs: int, dtype: Any) -> None:
    rng = np.random.default_rng(inputs)
    options: dict[str, Any] = {"padding": ((2, 0), (1, 3)), "dilation": (1, 2)}
    x = rng.integers(-9, 9, (3, inputs, 6, 7)).astype(dtype)
    weight = rng.normal(size=(outputs, inputs, 3, 2))
    op = Conv((3, 2), in_channels=inputs, out_channels=outputs, **options)
    kernel = compile(op, plan="im2col")
    expected = oracles.to_numpy(oracles.conv(x, weight, **options))
    np.testing.assert_allclose(kernel(x, weight), expected, rtol=1e-12, atol=1e-12)
    g = rng.normal(size=expected.shape)
    found, loops = kernel.vjp(g, x, weight), oracles.conv_vjp(g, x, weight, **options)
    np.testing.assert_allclose(found.input, oracles.to_numpy(loops.input), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found.weight, oracles.to_numpy(loops.weight), rtol=1e-12, atol=1e-12)


LAYERS = (
    ("im2col", Conv((5, 3), (2, 1), ((2, 1), (0, 3)), (1, 2), in_channels=6, out_channels=9, groups=3), (4, 6, 19, 23)),
    ("im2col", Conv((7, 7), 2, 3, in_channels=3, out_channels=16), (1, 3, 40, 50)),
    ("im2col", Conv((3, 3), 3, 4, 2, in_channels=8, out_channels=4, padding_mode="circular"), (9, 8, 11, 7)),
    ("im2col", Conv((1, 1), in_channels=40, out_channels=24), (5, 40, 6, 6)),
    ("winograd", Conv((3, 3), 1, 1, in_channels=12, out_channels=20), (3, 12, 25, 22)),
    ("winograd_f2", Conv((3, 3), 1, 2, in_channels=24, out_channels=10, groups=2), (2, 24, 14, 14)),
    ("winograd", Conv((3,), 1, 0, in_channels=5, out_channels=7), (4, 5, 31)),
)


@pytest.mark.parametrize(("plan", "op", "shape"), LAYERS)
def test_the_gradients_are_adjoint_to_the_layer(plan: str, op: Conv, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(3)
    kernel = compile(op, plan=plan, accuracy="fast")
    weight = rng.normal(size=(op.out_channels, op.in_channels // op.groups, *op.kernel_size))
    x, dx, dweight = rng.normal(size=shape), rng.normal(size=shape), rng.normal(size=weight.shape)
    g = rng.normal(size=kernel(x, weight).shape)
    gradients = kernel.vjp(g, x, weight)
    assert gradients.weight is not None
    for pushed, pulled in (
        (kernel(dx, weight), (gradients.input * dx).sum()),
        (kernel(x, dweight), (gradients.weight * dweight).sum()),
    ):
        assert pulled == pytest.approx((g * pushed).sum(), rel=1e-10, abs=1e-8)


@pytest.mark.parametrize(("plan", "bound"), [("im2col", 1.5e-6), ("winograd_f2", 1e-6), ("winograd", 2e-5)])
@pytest.mark.parametrize("channels", [4, 64])
def test_errors_in_float32_stay_within_their_class(plan: str, bound: float, channels: int) -> None:
    """Largest error over largest output, against sums in float64, which err a billion times less."""
    rng = np.random.default_rng(channels)
    x = rng.normal(size=(2, channels, 30, 33)).astype(np.float32)
    weight = rng.normal(size=(channels, channels, 3, 3)).astype(np.float32)
    op = Conv((3, 3), 1, 1, in_channels=channels, out_channels=channels)
    kernel, exact = compile(op, plan=plan, accuracy="fast"), compile(op, plan="im2col")
    y = kernel(x, weight)
    g = rng.normal(size=y.shape).astype(np.float32)
    found = kernel.vjp(g, x, weight)
    wide = [a.astype(np.float64) for a in (g, x, weight)]
    expected = exact.vjp(*wide)
    pairs = ((y, exact(*wide[1:])), (found.input, expected.input), (found.weight, expected.weight))
    for mine, theirs in pairs:
        assert mine.dtype == np.float32
        assert np.abs(mine - theirs).max() < bound * np.abs(theirs).max()


@pytest.mark.parametrize("plan", WINOGRAD)
def test_what_is_not_finite_shows_only_where_it_is_read(plan: str) -> None:
    rng = np.random.default_rng(0)
    x, weight = rng.normal(size=(2, 3, 12, 12)), rng.normal(size=(4, 3, 3, 3))
    x[0, 1, 5, 6], x[1, 0, 0, 0] = np.inf, np.nan
    op = Conv((3, 3), 1, 1, in_channels=3, out_channels=4)
    kernel = compile(op, plan=plan, accuracy="fast")
    y = kernel(x, weight)
    read = np.zeros((2, 4, 12, 12), bool)
    read[0, :, 4:7, 5:8] = read[1, :, :2, :2] = True
    assert (np.isfinite(y) != read).all()
    assert np.isinf(y[0][:, 4:7, 5:8]).all()
    g = rng.normal(size=y.shape)
    g[0, 0, 3, 3] = -np.inf
    to_input = kernel.vjp(g, x, weight).input
    assert np.isinf(to_input[0, :, 2:5, 2:5]).all()
    assert np.isinf(to_input).sum() == 27
    assert not np.isnan(to_input).any()
    x[0, 1, 5, 6] = x[1, 0, 0, 0] = g[0, 0, 3, 3] = 0
    x[0, 2, 11, 11] = np.inf  # the taps in the last row or column never meet it but at a corner
    to_weight = kernel.vjp(g, x, weight).weight
    assert to_weight is not None
    assert np.isfinite(to_weight[:, :2]).all()
    assert (np.isinf(to_weight[:, 2]) == np.array([[0, 0, 0], [0, 1, 1], [0, 1, 1]], bool)).all()


@pytest.mark.parametrize("plan", PLANS)
def test_arguments_may_be_strided_and_are_not_written_to(plan: str) -> None:
    rng = np.random.default_rng(1)
    op = Conv((3, 3), 1, 1, in_channels=6, out_channels=5)
    kernel = compile(op, plan=plan, accuracy="fast")
    x = rng.normal(size=(9, 20, 2, 6)).astype(np.float32).transpose(2, 3, 0, 1)[..., ::-2]
    weight = np.asfortranarray(rng.normal(size=(5, 6, 3, 3)).astype(np.float32))
    g = np.moveaxis(rng.normal(size=(5, 2, 9, 10)).astype(np.float32), 0, 1)
    for array in (x, weight, g):
        array.flags.writeable = False
    before = [array.copy() for array in (x, weight, g)]
    y, gradients = kernel(x, weight), kernel.vjp(g, x, weight)
    packed = [np.ascontiguousarray(array) for array in (x, weight, g)]
    np.testing.assert_allclose(y, kernel(*packed[:2]), rtol=1e-5, atol=1e-5)
    again = kernel.vjp(packed[2], *packed[:2])
    np.testing.assert_allclose(gradients.input, again.input, rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(gradients.weight, again.weight, rtol=1e-5, atol=1e-4)
    assert all(np.array_equal(a, b) for a, b in zip((x, weight, g), before, strict=True))


@pytest.mark.parametrize("plan", PLANS)
def test_a_bound_weight_gives_the_same_at_every_call(plan: str) -> None:
    rng = np.random.default_rng(2)
    op = Conv((3, 3), 1, 1, in_channels=4, out_channels=6)
    weight, x = rng.normal(size=(6, 4, 3, 3)).astype(np.float32), rng.normal(size=(2, 4, 9, 9))
    bound, free = compile(op, plan=plan, accuracy="fast", weight=weight), compile(op, plan=plan, accuracy="fast")
    g = rng.normal(size=(2, 6, 9, 9))
    for dtype in (np.float64, np.float32, np.float64):
        a, b = x.astype(dtype), g.astype(dtype)
        np.testing.assert_array_equal(bound(a), free(a, weight))
        mine, theirs = bound.vjp(b, a), free.vjp(b, a, weight)
        np.testing.assert_array_equal(mine.input, theirs.input)
        np.testing.assert_array_equal(mine.weight, theirs.weight)


def test_integers_are_exact_in_columns_and_refused_by_transforms() -> None:
    rng = np.random.default_rng(4)
    x, weight = rng.integers(-99, 99, (3, 2, 7, 5)), rng.integers(-99, 99, (4, 2, 3, 3))
    op = Conv((3, 3), 1, 1, in_channels=2, out_channels=4)
    expected = oracles.to_numpy(oracles.conv(x, weight, padding=1), "int64")
    found = compile(op, plan="im2col")(x, weight)
    assert found.dtype == np.int64
    assert np.array_equal(found, expected)
    with pytest.raises(ArgumentError, match=r"'winograd_f2' is not exact on integers"):
        compile(op, plan="winograd_f2")(x, weight)


@pytest.mark.parametrize(
    ("op", "why"),
    [
        (Conv((3, 3), 2, 1), "needs stride 1 and dilation 1"),
        (Conv((3, 3), 1, 1, 2), "needs stride 1 and dilation 1"),
        (Conv((3, 5)), "needs three taps along every axis"),
        (Conv((3, 3, 3)), "needs a convolution along one or two axes"),
    ],
)
def test_transforms_are_refused_where_they_do_not_apply(op: Conv, why: str) -> None:
    with pytest.raises(ArgumentError, match=f"'winograd' {why}"):
        compile(op, plan="winograd", accuracy="fast")


def test_digits_are_lost_only_where_that_is_allowed() -> None:
    op = Conv((3, 3), 1, 1, in_channels=64, out_channels=64)
    form = tap_form(op)
    call = CallShape(1, layout_of(form, (56, 56)), np.dtype(np.float32), None)
    for task in ("output", "input", "weight"):
        assert ranked(form, call, task, applicable(BACKEND.plans(form), form, None, "fast"))[0][1].name == "winograd"
        assert ranked(form, call, task, applicable(BACKEND.plans(form), form, None, "default"))[0][1].name in (
            "im2col",
            "winograd_f2",
        )
    with pytest.raises(ArgumentError, match=r"accuracy class 'fast': pass accuracy='fast'"):
        compile(op, plan="winograd")


@pytest.mark.parametrize("plan", PLANS)
def test_a_large_image_takes_little_memory(plan: str) -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(size=(1, 8, 640, 640)).astype(np.float32)
    weight = rng.normal(size=(8, 8, 3, 3)).astype(np.float32)
    kernel = compile(Conv((3, 3), 1, 1, in_channels=8, out_channels=8), plan=plan, accuracy="fast")
    kernel(x[..., :8, :8], weight)
    tracemalloc.start()
    try:
        y = kernel(x, weight)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < y.nbytes + 8 * 2**20, f"{peak / 2**20:.0f} MiB beside an output of {y.nbytes >> 20} MiB"


@pytest.mark.parametrize(
    "op",
    [
        Conv((3, 2), (2, 1), ((1, 0), (2, 1)), (1, 2), in_channels=4, out_channels=6, groups=2, bias=True),
        Conv((3, 3), 1, 1, in_channels=2, out_channels=3, flip=True),
        Conv((3,), 1, 1, in_channels=2, padding_mode="reflect"),
        Conv((3, 3), 1, 1, padding_mode="circular"),
    ],
)
def test_every_rewrite_is_proved(op: Conv) -> None:
    derivations = [im2col_derivation(op)]
    if set(op.kernel_size) == {3}:
        derivations += [winograd_derivation(op, 2), winograd_derivation(op, 4)]
    for derivation in derivations:
        for step in derivation.steps:
            assert step.verdict.holds, f"{derivation.title}, step {step.id}: {step.verdict}"
            assert step.rule in RULES
        assert derivation.steps[0].verdict.status == "proved"  # for all input sizes
        assert derivation.text()
        assert derivation.latex()


def calls_in_turn(channels: int) -> list[np.ndarray]:
    """Inputs that differ in one thing each: size, batch, type, and how they lie in memory."""
    rng = np.random.default_rng(6)
    small = rng.normal(size=(2, channels, 8, 8))
    return [
        small,
        small.astype(np.float32),
        small.astype(np.float16),
        small[:1],
        small[..., ::-1],
        small.swapaxes(2, 3),
        small[:, :, ::2],
        np.asfortranarray(small),
        rng.normal(size=(2, channels, 16, 16))[:, :, 4:12, 4:12],
        rng.normal(size=(5, channels, 8, 8)),
        rng.normal(size=(0, channels, 8, 8)),
        rng.normal(size=(2, channels, 5, 31)),
        rng.normal(size=(1, channels, 21, 12)).astype(np.float32),
    ]


IN_TURN = [
    ("rows", Conv(3, 1, 1, groups=3, in_channels=3, out_channels=3), {"padding": 1, "groups": 3}),
    ("rows", Conv((3, 2), (1, 2), groups=3, in_channels=3, out_channels=3), {"stride": (1, 2), "groups": 3}),
    ("fft", Conv(3, 1, 1, groups=3, in_channels=3, out_channels=3), {"padding": 1, "groups": 3}),
    ("im2col", Conv(3, 1, 1, in_channels=3, out_channels=4), {"padding": 1}),
    ("im2col", Conv((3, 2), 2, in_channels=3, out_channels=4), {"stride": 2}),
    ("im2col", Conv(1, in_channels=3, out_channels=2), {}),
    ("im2col", Conv(3, in_channels=3), {}),
    ("winograd_f2", Conv(3, 1, 1, in_channels=3, out_channels=4), {"padding": 1}),
]
"""Plans, layers with three input channels, and their options for the plain loops."""


@pytest.mark.parametrize(("plan", "op", "options"), IN_TURN)
def test_what_is_remembered_of_a_call_does_not_mix_with_other_calls(plan: str, op: Conv, options: Any) -> None:
    kernel = compile(op, plan=plan)
    inputs = calls_in_turn(3)
    weight = np.random.default_rng(7).normal(size=(op.out_channels, 3 // op.groups, *op.kernel_size))
    for x in (*inputs, *inputs[::-1]):  # each is met a second time, with others in between
        w = weight.astype(x.dtype)
        bound = 1e-9 if x.dtype == np.float64 else 1e-5 if x.dtype == np.float32 else 1e-2
        found = kernel(x, w)
        assert found.dtype == x.dtype
        if not len(x):
            assert not len(found)
            continue
        wide = x.astype(float), w.astype(float)
        expected = oracles.to_numpy(oracles.conv(*wide, None, **options))
        np.testing.assert_allclose(found, expected, rtol=bound, atol=10 * bound)
        g = np.ones(found.shape, x.dtype)
        pulled, right = kernel.vjp(g, x, w), oracles.conv_vjp(g.astype(float), *wide, **options)
        np.testing.assert_allclose(pulled.input, oracles.to_numpy(right.input), rtol=bound, atol=10 * bound)
        many = bound * 40 * x[:, 0].size ** 0.5
        np.testing.assert_allclose(pulled.weight, oracles.to_numpy(right.weight), rtol=bound, atol=many)


@pytest.mark.parametrize(("plan", "op", "options"), IN_TURN[:1] + IN_TURN[2:4] + IN_TURN[-1:])
def test_threads_do_not_disturb_each_other(plan: str, op: Conv, options: Any) -> None:
    weight = np.random.default_rng(8).normal(size=(op.out_channels, 3 // op.groups, *op.kernel_size))
    kernel = compile(op, plan=plan, weight=weight)
    inputs = [x for x in calls_in_turn(3) if len(x) and x.dtype != np.float16]
    inputs += [np.random.default_rng(9).normal(size=(2, 3, 150, 150))]  # large enough for scratch memory that is kept
    expected = [kernel(x) for x in inputs]

    def work(start: int) -> bool:
        turns = [(start + 3 * turn) % len(inputs) for turn in range(30)]
        return all(np.array_equal(kernel(inputs[turn]), expected[turn]) for turn in turns)

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(8)))


def test_scratch_of_a_call_inside_of_another_is_its_own() -> None:
    with Workspace(np.float32) as outer, Workspace(np.float64) as inner:
        mine, theirs = outer.array("a", (100_000,)), inner.array("a", (100_000,))
        assert not np.shares_memory(mine, theirs)
        assert outer.array("a", (100_000,)) is mine
        assert not np.shares_memory(mine, outer.array("b", (100_000,)))
        assert outer.array("large", (1 << 24,)).size == 1 << 24
    with Workspace(np.float32) as again:
        assert np.shares_memory(again.array("c", (100_000,)), mine)
        assert not np.shares_memory(again.array("small", (100,)), mine)
