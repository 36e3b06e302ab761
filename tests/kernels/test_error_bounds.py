"""No result is further from the exact one than its kernel promises: random calls, and data made to break that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from kernels.layers import CONVOLUTION_PLANS
from kernels.rounding_cases import Case, convolution, pooling, share_of_bound, transposed
from kernels.rounding_of_entries import adaptive, morphology, patches, unpooling

from symconv.errors import ArgumentError, NotSupportedError
from symconv.kernels.accuracy.windows import PROMISES
from symconv.kernels.compile import compile
from symconv.kernels.plans.taps import TapsPlan
from symconv.kernels.runtime.contract import Kernel
from symconv.kernels.runtime.kernel import WindowKernel

RESULTS = 10_000
"""How many results of each kind of layer are compared by the slow test."""
LAYERS = 70
"""How many random layers of each kind are taken by the other one."""
MAKERS = [convolution, pooling, transposed, adaptive, patches, unpooling, morphology]
Maker = Callable[[np.random.Generator], Case | None]


def check(case: Case) -> int:
    """Every result of a call by every plan, with and without a bound weight; how many were compared."""
    compared = 0
    exact = {of: case.exact(of) for of in case.results}
    for bound in (False, True) if "weight" in case.parameters else (False,):
        given = {"weight": case.parameters["weight"]} if bound else {}
        here = replace(case, parameters={n: v for n, v in case.parameters.items() if n not in given})
        for plan in plans_of(compile(case.op, accuracy="fast", **given)):
            if bound and plan not in ("separable", "fft", "winograd", "taps"):
                continue
            try:
                kernel = compile(case.op, accuracy="fast", plan=plan, **given)
            except ArgumentError:
                continue  # a transposed convolution needs a plan with the gradient of the input
            for of in case.results:
                try:
                    result = here.result(kernel, of)
                except (ArgumentError, NotSupportedError):
                    continue  # integers that may overflow, or that have no gradient
                share = share_of_bound(result, here.bound(kernel, of), exact[of])
                assert share <= 1, (case.op, plan, of, share)
                compared += 1
    return compared


def plans_of(kernel: Kernel) -> list[str]:
    """The names of the plans that a kernel may take."""
    return [plan.name for plan in kernel._compiled.plans] if isinstance(kernel, WindowKernel) else [kernel.plan]


def run(make: Maker, seeds: range) -> int:
    """Random cases; how many results were compared."""
    compared = 0
    for seed in seeds:
        case = make(np.random.default_rng(seed))
        compared += 0 if case is None else check(case)
    return compared


@pytest.mark.parametrize("make", MAKERS)
def test_random_calls_stay_within_their_bounds(make: Maker) -> None:
    assert run(make, range(LAYERS)) > 60


@pytest.mark.slow
@pytest.mark.parametrize("make", MAKERS)
def test_ten_thousand_random_results_stay_within_their_bounds(make: Maker) -> None:
    compared, seed = 0, 1000
    while compared < RESULTS:
        compared += run(make, range(seed, seed + 100))
        seed += 100


def test_the_page_about_marks_says_how_many_are_compared() -> None:
    page = " ".join((Path(__file__).parents[2] / "docs" / "marks.md").read_text("utf-8").split())
    assert f"`.ci/full` compares at least {RESULTS:,} results of each kind" in page
    assert f"`.ci/run` takes {LAYERS} random layers of each kind" in page


def test_every_plan_of_a_convolution_promises_something() -> None:
    assert {type(plan) for plan in CONVOLUTION_PLANS if not plan.direct} == {*PROMISES, TapsPlan}
