"""The walks "add a plan" and "add a backend" of CONTRIBUTING.md, gone with the toys beside this file."""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kernels.toys.scaled import ScaledPlan

from symconv import AdaptiveAvgPool, Conv, ConvTranspose, MaxPool, compile
from symconv.derivations.step import Derivation
from symconv.errors import ArgumentError, NotSupportedError
from symconv.formulas.algebra import const, product
from symconv.kernels import backends
from symconv.kernels.backends.finding import backends_here
from symconv.kernels.backends.numpy import BACKEND
from symconv.kernels.plans.chained import taps_derivation
from symconv.kernels.runtime.kernel import WindowKernel


@pytest.fixture
def numpy_backend(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The backend, whose table is put back afterwards."""
    monkeypatch.setattr(BACKEND, "_table", dict(BACKEND._table))
    yield BACKEND
    BACKEND.kept.cache_clear()  # type: ignore[attr-defined]


def window_kernel(*args: Any, **options: Any) -> WindowKernel:
    kernel = compile(*args, **options)
    assert isinstance(kernel, WindowKernel)
    return kernel


# --- a plan -----------------------------------------------------------------------------------------------------------


def test_a_plan_that_is_registered_is_everywhere(numpy_backend: Any) -> None:
    op = Conv((1, 1), stride=2, padding=1)
    before = window_kernel(op)
    numpy_backend.register(ScaledPlan())
    kernel = window_kernel(op)
    assert "scaled" not in before.explain()
    assert "scaled" in kernel.explain((5, 6))
    assert kernel.plan_for((5, 6)) == "scaled"  # its estimate is the lowest, so nobody has to ask for it
    assert "stage 1: the image times a number" in kernel.explain((5, 6))
    assert "def scale(" in kernel.source_for((5, 6))
    assert [step.verdict.status for step in kernel.derivation("scaled").steps] == ["proved"]
    x = np.arange(30.0).reshape(5, 6)
    # entry -1 of every axis is padding, then every second one
    expected = np.zeros((4, 4))
    for row in range(4):
        for column in range(4):
            i, j = 2 * row - 1, 2 * column - 1
            expected[row, column] = 3 * x[i, j] if 0 <= i < 5 and 0 <= j < 6 else 0
    np.testing.assert_array_equal(kernel(x, np.full((1, 1), 3.0)), expected)
    g = np.arange(16.0).reshape(4, 4)
    found = compile(op, plan="scaled").vjp(g, x, np.full((1, 1), 3.0))
    total, to_input = 0.0, np.zeros((5, 6))
    for row in range(4):
        for column in range(4):
            i, j = 2 * row - 1, 2 * column - 1
            if 0 <= i < 5 and 0 <= j < 6:
                total += g[row, column] * x[i, j]
                to_input[i, j] += 3 * g[row, column]
    np.testing.assert_array_equal(found.input, to_input)
    np.testing.assert_array_equal(found.weight, [[total]])


def test_a_plan_is_not_taken_where_its_pattern_is_not(numpy_backend: Any) -> None:
    numpy_backend.register(ScaledPlan())
    assert "scaled" not in window_kernel(Conv((2, 1))).explain()
    with pytest.raises(ArgumentError, match="'scaled' needs a window of one tap"):
        compile(Conv((2, 1)), plan="scaled")
    with pytest.raises(ArgumentError, match="'scaled' needs one input and one output channel a group"):
        compile(Conv((1,), in_channels=2), plan="scaled")
    with pytest.raises(ArgumentError, match="must be one of the plans that apply here"):
        compile(MaxPool((1,)), plan="scaled")


def test_a_name_is_taken_once(numpy_backend: Any) -> None:
    numpy_backend.register(ScaledPlan())
    with pytest.raises(ArgumentError, match="must be a name that no other plan of a correlation has"):
        numpy_backend.register(ScaledPlan())


def slipped(op: Any) -> Derivation:
    """The rewrite with twice the formula at its end."""
    derivation = taps_derivation(op)
    (stage,) = derivation.stages
    (step,) = stage.steps
    wrong = step.after.with_body(product(const(2), step.after.body))
    return replace(derivation, stages=(replace(stage, steps=(replace(step, after=wrong),)),))


def test_an_unproved_rewrite_is_no_plan(numpy_backend: Any) -> None:
    numpy_backend.register(ScaledPlan(slipped))
    kernel = window_kernel(Conv((1,)))
    assert kernel.plan_for((9,)) == "scaled"
    with pytest.raises(NotSupportedError, match=r"the plan 'scaled' is refused: step 1 of its derivation, .*refuted"):
        kernel.derivation("scaled")
    assert kernel.plan_for((9,)) != "scaled"


# --- a backend --------------------------------------------------------------------------------------------------------


@pytest.fixture
def loops(monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder of the toy backend stands beside that of NumPy."""
    monkeypatch.setattr(backends, "__path__", [*backends.__path__, str(Path(__file__).parent / "toys")])


@pytest.mark.usefixtures("loops")
def test_a_folder_is_a_backend() -> None:
    assert backends_here() == ("auto", "halide", "numpy", "loops")
    op = Conv((2, 3), (2, 1), ((1, 0), (0, 2)), (1, 2), 2, in_channels=2, out_channels=4, bias=True, flip=True)
    kernel = window_kernel(op, backend="loops", threads=3)
    generator = np.random.default_rng(5)
    x, weight, bias, g = (generator.integers(-4, 5, s).astype(float) for s in ((2, 5, 6), (4, 1, 2, 3), 4, (4, 3, 4)))
    numpy = compile(op)
    np.testing.assert_array_equal(kernel(x, weight, bias), numpy(x, weight, bias))
    ours, theirs = kernel.vjp(g, x, weight, bias), numpy.vjp(g, x, weight, bias)
    for name in ("input", "weight", "bias"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))
    np.testing.assert_array_equal(kernel.jvp(x, weight, dx=x), numpy.jvp(x, weight, dx=x))
    assert "plan: loops for" in kernel.explain()
    assert "(plain loops)" in kernel.explain()
    assert kernel.source.endswith("for every output, and every tap of it:\n\n\n    output += entry * weight")
    assert [step.verdict.status for step in kernel.derivation().steps] == ["proved"]
    again = pickle.loads(pickle.dumps(kernel))
    assert again == kernel != numpy
    assert again.plan == "loops"


@pytest.mark.usefixtures("loops")
def test_messages_and_exactness_are_those_of_every_backend() -> None:
    kernel = compile(Conv((3,)), "loops")
    assert kernel([1, 2, 3, 4], [1, 0, -1]).dtype == np.int64
    with pytest.raises(ArgumentError, match="must be given"):
        kernel(np.ones(4))
    with pytest.raises(ArgumentError, match="must be small enough for sums in int64"):
        kernel(np.full(4, 1 << 61), np.full(3, 4))


@pytest.mark.usefixtures("loops")
def test_a_transposed_convolution_runs_by_any_backend() -> None:
    x, weight = np.arange(12.0).reshape(3, 4), np.arange(6.0).reshape(2, 3)
    found = compile(ConvTranspose((2, 3), stride=2), "loops")(x, weight)
    plain = np.zeros((6, 9))
    for (i, j), value in np.ndenumerate(x):
        plain[2 * i : 2 * i + 2, 2 * j : 2 * j + 3] += value * weight
    np.testing.assert_array_equal(found, plain)


@pytest.mark.usefixtures("loops")
def test_what_a_backend_lacks_is_refused() -> None:
    with pytest.raises(NotSupportedError, match=r"no plan of this backend \(plain loops\) computes MaxPool"):
        compile(MaxPool(2), "loops")
    with pytest.raises(NotSupportedError, match="no kernel can be made of"):
        compile(AdaptiveAvgPool(2), "loops")
    with pytest.raises(ArgumentError, match=r"must be .*'numpy'.*'loops'"):
        compile(Conv(3), "halide-2")
    with pytest.raises(ArgumentError, match="must be 1 for the backend 'numpy'"):
        compile(Conv(3), threads=2)


# --- the page ---------------------------------------------------------------------------------------------------------

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("title", ["Add a plan", "Add a backend"])
def test_the_page_names_files_and_things_that_exist(title: str) -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    walk = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", page, re.S | re.M)
    assert walk is not None
    named = re.findall(r"`([^`\n]+)`", walk[1])
    paths = [name for name in named if "/" in name and "<" not in name]
    assert len(paths) >= 4
    assert [path for path in paths if not (ROOT / path).exists()] == []
    sources = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "symconv" / "kernels").rglob("*.py"))
    words = [name.split("(")[0] for name in named if re.fullmatch(r"[A-Za-z_.]+(\(.*\))?", name) and "/" not in name]
    missing = [word for word in words if not re.search(rf"\b{re.escape(word.split('.')[-1])}\b", sources)]
    assert missing == []
