"""The formulas of every layer, evaluated term by term on small inputs, against PyTorch: outputs and gradients."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch_layers
from hypothesis import HealthCheck, assume, given, settings

from symconv.formulas.formula import Formula

torch = pytest.importorskip("torch", reason="the formulas are held against PyTorch's layers")
torch.set_num_threads(1)

NORMAL = 15
SLOW = int(os.environ.get("SYMCONV_FUZZ_CASES", "8000")) // 10 // len(torch_layers.FAMILIES)
TERMS = 500  # a formula is evaluated term by term, so that only small layers go through it


def examples(count: int) -> Any:
    checks = [HealthCheck.filter_too_much, HealthCheck.too_slow]
    return settings(max_examples=count, deadline=None, derandomize=True, suppress_health_check=checks)


def evaluated(formula: Formula, arrays: dict[str, np.ndarray], sizes: tuple[int, ...]) -> np.ndarray:
    """All entries of a formula; arrays lose the axes of extent 1 that it has no index for."""
    size = sizes if formula.sizes else None  # those of a `Fold` are fixed
    env = formula.environment(size, {})
    given = {}
    for tensor in formula.tensors:
        shape = tuple(int((high - low + 1).evaluate(env)) for low, high in tensor.box)
        given[tensor.name] = arrays[tensor.name].reshape(shape).astype(int).tolist()
    return np.array([float(value) for value in formula.values(given, size).values()])


def agree(case: torch_layers.Case) -> None:
    """The formulas on integers, which they take exactly."""
    assume(case.output_size is None)  # a kernel is told another size when it is called; a formula has the default
    one = slice(0, 1), slice(0, None if case.parameters or "old" in type(case.layer).__name__ else 1)
    x = np.round(2 * case.x[one])  # formulas have no batch, and those of poolings no channels
    x = np.where(x == 0, 1, abs(x) if case.x.min() > 0 else x)  # no norm is differentiated at the origin
    case = replace(case, x=x, positions=None if case.positions is None else case.positions[one])
    with torch.no_grad():
        for parameter in case.layer.parameters():
            parameter.round_()
    leaf = torch.from_numpy(case.x).requires_grad_()
    try:
        y = case.layer(leaf, *([] if case.positions is None else [torch.from_numpy(case.positions)]))
    except (RuntimeError, ValueError):
        assume(False)
    op = case.build()
    taps = np.prod(getattr(op, "kernel_size", case.sizes)) * getattr(op, "in_channels", 1)
    assume(max(y.numel(), case.x.size) * taps <= TERMS)
    g = np.random.default_rng(0).integers(-3, 4, size=tuple(y.shape)).astype(float)
    y.backward(torch.from_numpy(g))
    arrays = dict(zip(("a", "b", "d"), (case.x, *case.parameters), strict=False))
    arrays |= {"g": g} | ({} if case.positions is None else {"z": case.positions})
    found = evaluated(op.output(), arrays, case.sizes)
    np.testing.assert_allclose(found.reshape(y.shape), y.detach().numpy(), rtol=1e-9, atol=1e-9)
    leaves = dict(zip(("input", "weight", "bias"), (leaf, *case.layer.parameters()), strict=False))
    for role, wanted in leaves.items():
        found = evaluated(op.gradient(role), arrays, case.sizes)  # type: ignore[arg-type]
        np.testing.assert_allclose(found.reshape(wanted.shape), wanted.grad.numpy(), rtol=1e-9, atol=1e-9)


@pytest.mark.filterwarnings("ignore:Using padding='same':UserWarning")
@pytest.mark.parametrize("family", torch_layers.FAMILIES)
def test_formulas(family: str) -> None:
    examples(NORMAL)(given(torch_layers.FAMILIES[family])(agree))()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Using padding='same':UserWarning")
@pytest.mark.parametrize("family", torch_layers.FAMILIES)
def test_many_formulas(family: str) -> None:
    examples(SLOW)(given(torch_layers.FAMILIES[family])(agree))()
