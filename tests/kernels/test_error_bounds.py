"""No result is further from the exact one than its kernel promises: random calls, and data made to break that."""

from __future__ import annotations

import numpy as np
import pytest
from kernels.layers import CONVOLUTION_PLANS
from kernels.rounding_cases import Case, convolution, share_of_bound

from symconv.errors import ArgumentError, NotSupportedError
from symconv.kernels.accuracy.windows import PROMISES
from symconv.kernels.compile import compile


def check(case: Case) -> int:
    """Every result of a call by every plan; how many were compared."""
    compared = 0
    exact = {of: case.exact(of) for of in case.results}
    weight = case.parameters["weight"]
    for bound in (False, True):
        kernels = compile(case.op, accuracy="fast", **({"weight": weight} if bound else {}))
        for plan in kernels._compiled.plans:
            if bound and plan.name not in ("separable", "fft", "winograd"):
                continue
            kernel = compile(case.op, accuracy="fast", plan=plan.name, **({"weight": weight} if bound else {}))
            here = case if not bound else Case(case.op, case.x, _without(case.parameters), case.g, case.exact)
            for of in case.results:
                try:
                    limit, result = here.bound(kernel, of), here.result(kernel, of)
                except (ArgumentError, NotSupportedError):
                    continue  # integers that may overflow, or that have no gradient
                share = share_of_bound(result, limit, *exact[of])
                assert share <= 1, (case.op, plan.name, of, share)
                compared += 1
    return compared


def _without(parameters: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: value for name, value in parameters.items() if name != "weight"}


def run(seeds: range) -> int:
    compared = 0
    for seed in seeds:
        case = convolution(np.random.default_rng(seed))
        compared += 0 if case is None else check(case)
    return compared


def test_random_convolutions_stay_within_their_bounds() -> None:
    assert run(range(60)) > 200


@pytest.mark.slow
def test_ten_thousand_random_convolutions_stay_within_their_bounds() -> None:
    compared = 0
    for first in range(1000, 1_000_000, 100):
        compared += run(range(first, first + 100))
        if compared >= 10_000:
            break
    assert compared >= 10_000


def test_every_plan_of_a_convolution_promises_something() -> None:
    assert {plan.name for plan in CONVOLUTION_PLANS} == set(PROMISES)
