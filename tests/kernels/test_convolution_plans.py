"""The plans of convolutions against plain loops and each other: outputs, gradients, refusals, choices, memory."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import oracles
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from kernels.layers import CONVOLUTION_PLANS, plans_for

from symconv.errors import ArgumentError, GeometryError
from symconv.kernels.compile import compile
from symconv.kernels.form.extraction import tap_form
from symconv.kernels.plans.separable import factors
from symconv.kernels.plans.spectral import _smooth
from symconv.kernels.runtime.geometry import lines_of, phases
from symconv.kernels.runtime.kernel import Kernel
from symconv.kernels.runtime.layout import layout_of
from symconv.operators.convolution import Conv
from symconv.operators.pooling import AvgPool, LPPool, MaxPool

RNG = np.random.default_rng(5)
ONE_CHANNEL = ("rows", "separable", "fft", "taps")


@st.composite
def depthwise(draw: st.DrawFn) -> tuple[Conv, dict[str, Any], np.ndarray, np.ndarray, np.ndarray]:
    """A layer with one channel a group, its options, an input, a weight (often of rank 1), and a bias."""
    ndim = draw(st.integers(1, 2))
    channels = draw(st.sampled_from((1, 1, 3)))
    kernel = tuple(draw(st.integers(1, 4)) for _ in range(ndim))
    options: dict[str, Any] = {
        "stride": tuple(draw(st.sampled_from((1, 1, 2, 3))) for _ in kernel),
        "dilation": tuple(draw(st.sampled_from((1, 1, 2))) for _ in kernel),
        "padding": tuple((draw(st.integers(-1, 3)), draw(st.integers(-1, 3))) for _ in kernel),
        "padding_mode": draw(st.sampled_from(("zeros", "zeros", "reflect", "replicate", "circular"))),
        "flip": draw(st.booleans()),
        "groups": channels,
    }
    sizes = tuple(draw(st.integers(5, 13)) for _ in kernel)
    op = Conv(kernel, in_channels=channels, out_channels=channels, bias=True, **options)
    try:
        op.output_size(sizes)
        layout_of(tap_form(op), sizes)
    except GeometryError:
        assume(False)
    rng = np.random.default_rng(draw(st.integers(0, 1 << 32)))
    weight = rng.normal(size=(channels, 1, *kernel))
    if ndim == 2 and draw(st.booleans()):
        weight = weight[..., :1] * weight[..., :1, :]
    return op, options, rng.normal(size=(2, channels, *sizes)), weight, rng.normal(size=channels)


@settings(max_examples=50, derandomize=True, deadline=None)
@given(depthwise())
def test_plans_of_one_channel_are_plain_loops(layer: tuple[Conv, dict[str, Any], Any, Any, Any]) -> None:
    op, options, x, weight, bias = layer
    expected = oracles.to_numpy(oracles.conv(x, weight, bias, **options))
    g = np.random.default_rng(0).normal(size=expected.shape)
    gradients = oracles.conv_vjp(g, x, weight, **options)
    bound = weight.reshape(len(weight), 1, *weight.shape[1:])
    for plan in plans_for(tap_form(op), bound):
        if plan not in ONE_CHANNEL or (plan == "taps" and x.shape[1] > 1):
            continue
        kernel = compile(op, plan=plan, weight=weight)
        assert kernel.plan == plan
        message = f"{op!r} {plan}"
        np.testing.assert_allclose(kernel(x, bias=bias), expected, rtol=1e-10, atol=1e-10, err_msg=message)
        found = kernel.vjp(g, x)
        for mine, theirs in ((found.input, gradients.input), (found.weight, gradients.weight)):
            assert mine is not None
            np.testing.assert_allclose(mine, oracles.to_numpy(theirs), rtol=1e-9, atol=1e-9, err_msg=message)


@settings(max_examples=60, derandomize=True, deadline=None)
@given(depthwise())
def test_lines_read_what_the_formula_reads(layer: tuple[Conv, dict[str, Any], Any, Any, Any]) -> None:
    op, options, x, _, _ = layer
    assume(options["padding_mode"] == "zeros")
    layout = layout_of(tap_form(op), x.shape[2:])
    for line, axis in zip(lines_of(layout), layout.axes, strict=True):
        for tap in range(line.taps):
            reads = [line.stride * o + line.step * tap - line.before for o in range(line.outputs)]
            assert reads == axis.positions[tap if axis.walk.step > 0 else line.taps - 1 - tap].tolist()
            first, stop, entry = line.real(tap)
            inside = [o for o, read in enumerate(reads) if 0 <= read < line.size]
            assert inside == list(range(first, stop))
            assert not inside or reads[first] == entry


def test_phases_take_every_entry_and_every_tap_once() -> None:
    layout = layout_of(tap_form(Conv((5,), 3, ((2, 1),))), (11,))
    (line,) = lines_of(layout)
    hits = np.zeros((11, 5), int)
    for (entries,), (turned,), (reads,) in phases((line,)):
        taps = (np.arange(5)[::-1])[turned]
        for j, entry in enumerate(range(11)[entries]):
            for t, tap in enumerate(taps):
                o = j + t - reads.before
                if 0 <= o < reads.size:
                    assert 3 * o + tap - 2 == entry
                    hits[entry, tap] += 1
    expected = [
        [int((i + 2 - m) % 3 == 0 and 0 <= (i + 2 - m) // 3 < line.outputs) for m in range(5)] for i in range(11)
    ]
    assert hits.tolist() == expected


@pytest.mark.parametrize("plan", ["rows", "im2col", "taps"])
def test_integers_are_exact(plan: str) -> None:
    x = RNG.integers(-(1 << 40), 1 << 40, size=(1, 2, 9, 7))
    weight = RNG.integers(-100, 100, size=(2, 1, 3, 2))
    op = Conv((3, 2), (2, 1), 1, groups=2, in_channels=2, out_channels=2)
    options = {"stride": (2, 1), "padding": 1, "groups": 2}
    expected = oracles.to_numpy(oracles.conv(x, weight, None, **options)).astype(np.int64)  # below 2**53: exact
    np.testing.assert_array_equal(compile(op, plan=plan)(x, weight), expected)


def test_plans_that_round_refuse_integers() -> None:
    with pytest.raises(ArgumentError, match=r"^x must have a floating dtype: the plan 'fft' is not exact on integers"):
        compile(Conv(3), plan="fft")(np.ones((5, 5), int), np.ones((3, 3), int))
    assert compile(Conv(31)).plan_for((1, 1, 400, 400), "int64") != "fft"


@pytest.mark.parametrize(
    ("op", "plan", "weight", "message"),
    [
        (Conv(3, in_channels=2), "rows", None, r"'rows' needs one input and one output channel a group"),
        (Conv(3, ndim=3), "rows", None, r"'rows' needs a convolution along one or two axes"),
        (Conv(3, 2, dilation=2), "rows", None, r"'rows' needs stride 1 or dilation 1 along the first axis"),
        (Conv(3, 2), "fft", None, r"'fft' needs stride 1"),
        (Conv(3), "separable", None, r"'separable' needs the weight at compile time"),
        (Conv(3), "separable", np.eye(3), r"'separable' needs a kernel of low rank; this one has rank 3"),
        (Conv(3), "separable", np.full((3, 3), np.nan), r"'separable' needs a weight of finite numbers"),
        (MaxPool(3), "rows", None, r"one of the plans that apply here \('separable', 'taps'\), got 'rows'$"),
    ],
)
def test_a_plan_that_does_not_apply_says_why(op: Any, plan: str, weight: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=f"^plan must be .*{message}"):
        compile(op, plan=plan, weight=weight)


def test_accuracy_classes() -> None:
    assert compile(Conv(3, in_channels=4, out_channels=4), accuracy="exact_order").plan == "taps"
    with pytest.raises(ArgumentError, match=r"'fft' is of the accuracy class 'default': pass accuracy='default'$"):
        compile(Conv(3), plan="fft", accuracy="exact_order")
    x = RNG.normal(size=(2, 3, 6, 7)).astype("float32")
    weight = RNG.normal(size=(4, 3, 3, 3)).astype("float32")
    found = compile(Conv(3, in_channels=3, out_channels=4), accuracy="exact_order")(x, weight)
    expected = np.zeros((2, 4, 4, 5), np.float32)
    for h in range(3):
        one = np.zeros_like(expected)
        for m in range(3):
            for n in range(3):
                one += x[:, h : h + 1, m : m + 4, n : n + 5] * weight[None, :, h, m, n, None, None]
        expected += one
    np.testing.assert_array_equal(found, expected)


def test_the_cost_model_takes_what_was_measured_to_win() -> None:
    assert compile(Conv(3)).plan_for((1, 1, 512, 512)) == "rows"
    assert compile(Conv(7)).plan_for((512, 512), "float64") == "rows"
    assert compile(Conv(3, padding=1, groups=64, in_channels=64, out_channels=64)).plan_for((1, 64, 112, 112)) == "rows"
    column = np.hanning(33)[1:-1]
    assert compile(Conv(31)).plan_for((512, 512)) in ("fft", "rows")
    assert compile(Conv(31), weight=np.outer(column, column).astype("float32")).plan_for((512, 512)) == "separable"
    full = RNG.normal(size=(31, 31)).astype("float32")
    assert compile(Conv(31), weight=full).plan_for((1024, 1024)) == "fft"
    assert compile(Conv(1, in_channels=64, out_channels=64)).plan_for((1, 64, 56, 56)) not in ("taps", "rows", "fft")


def test_a_forced_plan_is_taken_for_every_task_that_it_does() -> None:
    kernel = compile(Conv(3), plan="fft")
    assert [kernel._plan(task).name for task in ("output", "input", "weight")] == ["fft", "fft", "fft"]
    weight = np.ones((3, 3))
    separable = compile(Conv(3), plan="separable", weight=weight)
    assert separable._plan("output").name == "separable"
    assert separable._plan("weight").name != "separable"


def test_only_the_gradients_that_are_asked_for() -> None:
    x, weight = RNG.normal(size=(6, 6)), RNG.normal(size=(3, 3))
    kernel = compile(Conv(3))
    g = np.ones((4, 4))
    whole = kernel.vjp(g, x, weight)
    some = kernel.vjp(g, x, weight, wrt=("weight",))
    assert some.input is None
    np.testing.assert_array_equal(some.weight, whole.weight)
    with pytest.raises(ArgumentError, match=r"^wrt must be a tuple of 'input', 'weight', 'bias', got \('x',\)$"):
        kernel.vjp(g, x, weight, wrt=("x",))


@pytest.mark.parametrize("plan", ["rows", "fft", "separable"])
def test_a_bound_weight_is_kept_and_only_read(plan: str) -> None:
    weight = np.outer([1.0, 2, 1, 3], [1, 0, -1, 2])
    x = RNG.normal(size=(9, 12))
    kernel = compile(Conv(4), plan=plan, weight=weight)
    first = kernel(x)
    weight[:] = 0  # the caller's array is not the bound one
    for _ in range(2):
        np.testing.assert_array_equal(kernel(x), first)
    tangent = kernel.jvp(x, dweight=np.ones((4, 4)))
    np.testing.assert_allclose(tangent, compile(Conv(4))(x, np.ones((4, 4))), rtol=1e-12)
    np.testing.assert_array_equal(kernel(x), first)


def test_weights_of_a_call_are_not_kept() -> None:
    kernel, x = compile(Conv(5), plan="fft"), RNG.normal(size=(12, 12))
    for _ in range(2):
        weight = RNG.normal(size=(5, 5))
        np.testing.assert_allclose(kernel(x, weight), compile(Conv(5), plan="taps")(x, weight), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_one_value_that_is_not_finite_stays_in_its_windows(value: float) -> None:
    x = RNG.normal(size=(20, 20))
    x[3, 4] = value
    weight = np.abs(RNG.normal(size=(5, 5)))
    found, expected = compile(Conv(5), plan="fft")(x, weight), compile(Conv(5), plan="taps")(x, weight)
    np.testing.assert_allclose(found, expected, rtol=1e-10)
    assert np.isfinite(found).sum() > 200
    g = RNG.normal(size=found.shape)
    pulled = compile(Conv(5), plan="fft").vjp(g, x, weight)
    assert pulled.weight is not None
    np.testing.assert_allclose(pulled.weight, compile(Conv(5), plan="rows").vjp(g, x, weight).weight, rtol=1e-10)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_one_such_value_stays_in_its_windows_with_a_kernel_of_low_rank(value: float) -> None:
    x, weight = RNG.normal(size=(40, 80)), np.outer(RNG.normal(size=5), RNG.normal(size=5))
    x[5, 7] = value
    kernel = compile(Conv(5), plan="separable", weight=weight)
    np.testing.assert_allclose(kernel(x), compile(Conv(5), plan="taps")(x, weight), rtol=1e-9, atol=1e-12)
    g = RNG.normal(size=(36, 76))
    g[9, 50] = value
    found, expected = kernel.vjp(g, x).input, compile(Conv(5), plan="taps").vjp(g, x, weight).input
    assert found is not None
    assert expected is not None
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def test_the_rank_of_a_kernel() -> None:
    column, row = RNG.normal(size=(2, 2, 7))
    one = np.outer(column[0], row[0])[None]
    two = one + np.outer(column[1], row[1])
    assert [factors(k.astype(t)).rank for k in (one, two) for t in ("float32", "float64")] == [1, 1, 2, 2]
    found = factors(two)
    np.testing.assert_allclose(np.einsum("cqm,cqn->cmn", found.columns, found.rows), two, rtol=1e-12, atol=1e-12)
    assert factors(np.zeros((1, 3, 3))).rank == 1
    # a kernel of float32 is of full rank in float64, where its rounding is no rounding error
    x = RNG.normal(size=(40, 40))
    kernel = compile(Conv(7), weight=one[0].astype("float32"))
    np.testing.assert_allclose(kernel(x), compile(Conv(7), plan="taps")(x, one[0].astype("float32")), rtol=1e-9)


def test_lengths_of_tiles_have_small_factors() -> None:
    for least in range(1, 300):
        found = _smooth(least)
        rest = found
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        assert rest == 1
        smaller = [2**a * 3**b * 5**c for a in range(10) for b in range(7) for c in range(5)]
        assert found == min(s for s in smaller if s >= least)


@pytest.mark.parametrize("plan", ["rows", "fft", "separable"])
@pytest.mark.parametrize("shape", [(1, 1, 300, 1500), (1, 1, 60, 4200), (4, 3, 200, 170)])
def test_large_images_go_through_many_blocks(plan: str, shape: tuple[int, ...]) -> None:
    channels = shape[1]
    weight = np.ones((channels, 1, 7, 1)) * RNG.normal(size=(channels, 1, 1, 5))
    x = RNG.normal(size=shape)
    op = Conv((7, 5), padding=(3, 1), groups=channels, in_channels=channels, out_channels=channels)
    found, expected = compile(op, plan=plan, weight=weight)(x), compile(op, plan="taps", weight=weight)(x)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("plan", ["rows", "fft", "separable"])
def test_memory_and_arguments(plan: str) -> None:
    x = RNG.normal(size=(2, 2, 700, 800)).astype("float32")
    weight = np.ones((2, 1, 9, 9), np.float32)
    op = Conv(9, padding=4, groups=2, in_channels=2, out_channels=2)
    kernel = compile(op, plan=plan, weight=weight)
    before = x.copy()
    x.flags.writeable = False
    g = kernel(x)
    assert g.dtype == np.float32
    g.flags.writeable = False
    for call in (
        lambda: kernel(x),
        lambda: kernel.vjp(g, x, wrt=("input",)),
        lambda: kernel.vjp(g, x, wrt=("weight",)),
    ):
        tracemalloc.start()
        call()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 0.5 * (x.nbytes + g.nbytes) + g.nbytes + (16 << 20)
    np.testing.assert_array_equal(x, before)
    np.testing.assert_allclose(kernel(x[..., ::-1]), kernel(x[..., ::-1].copy()), rtol=1e-6)


@pytest.mark.parametrize("plan", ["rows", "fft", "separable"])
def test_the_error_in_float32(plan: str) -> None:
    column = np.hanning(13)[1:-1]
    weight = np.outer(column, column).astype("float32")
    x = RNG.normal(size=(200, 200)).astype("float32")
    found = compile(Conv(11), plan=plan, weight=weight)(x)
    exact = compile(Conv(11), plan="taps")(x.astype(float), weight.astype(float))
    assert found.dtype == np.float32
    assert np.abs(found - exact).max() < 2e-6 * np.abs(exact).max()


def test_source_and_explanation() -> None:
    kernel = compile(Conv(3))
    assert "numpy.matmul(weight, windows, out=y)" in kernel.source
    assert "numpy.fft.rfft(" in compile(Conv(3), plan="fft").source
    text = kernel.explain((1, 1, 512, 512))
    assert "plan: rows for an input of 1x1x512x512 in float32, the lowest estimate" in text
    for line in (
        "operations: 9 multiply-adds",
        "bytes: ",
        "accuracy: default; ",
        "estimates: rows ",
        "gradient of the",
    ):
        assert line in text
    with pytest.raises(ArgumentError, match=r"^shape must have the shape"):
        kernel.explain((3,))
    with pytest.raises(ArgumentError, match=r"^dtype must be a dtype, such as 'float32', got 'float13'$"):
        kernel.plan_for((8, 8), "float13")
    assert compile(Conv(3), plan="taps").explain().count("asked for") == 1


def _derivations() -> list[tuple[Kernel, str]]:
    low_rank = np.ones((2, 1, 5, 4))
    layers: list[tuple[Kernel, tuple[str, ...]]] = [
        (compile(Conv(3, 2, 1)), ("rows", "im2col", "taps")),
        (compile(Conv((5, 4), groups=2, in_channels=2, out_channels=2), weight=low_rank), ("separable", "fft")),
        (compile(Conv((5,), padding=2, padding_mode="reflect")), ("rows", "fft")),
        (compile(MaxPool((2, 3), 1, 1)), ("separable", "taps")),
        (compile(AvgPool(3, padding=1, count_include_pad=False)), ("separable",)),
        (compile(LPPool(3, 2)), ("separable",)),
    ]
    return [(kernel, plan) for kernel, plans in layers for plan in plans]


@pytest.mark.parametrize(("kernel", "plan"), _derivations())
def test_every_step_of_a_plan_is_checked(kernel: Kernel, plan: str) -> None:
    derivation = kernel.derivation(plan)
    assert derivation.steps
    for step in derivation.steps:
        assert step.verdict.status in ("proved", "exact"), f"{kernel.op!r} {plan}: {step.statement}"
    assert derivation.title in derivation.text()
    assert r"\begin{aligned}" in derivation.latex()


def test_every_plan_has_a_name_and_says_what_to_expect() -> None:
    assert len({plan.name for plan in CONVOLUTION_PLANS}) == len(CONVOLUTION_PLANS)
    for plan in CONVOLUTION_PLANS:
        assert plan.error
        assert plan.__doc__


def test_a_long_window_on_a_long_line_makes_no_table_of_both() -> None:
    """1,001 taps on 100,000 entries: a table of what each tap of each output reads would take 800 MB."""
    kernel = compile(Conv((1001,), padding=3))
    x, weight = np.zeros(100_000, np.float32), np.ones(1001, np.float32)
    tracemalloc.start()
    try:
        kernel(x, weight)
        kernel.vjp(np.ones(99_006, np.float32), x, weight)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100e6


def test_a_weight_that_is_too_large_for_a_type_has_no_factors_in_it() -> None:
    weight = np.full((5, 5), 1e147)
    kernel = compile(Conv(5), weight=weight)
    assert "separable" not in kernel.explain((9, 9)).partition("estimates")[2].partition("gradient")[0]
    assert "separable" in kernel.explain((9, 9), "float64")
    assert kernel(np.ones((5, 5)))[0, 0] == pytest.approx(25e147)
