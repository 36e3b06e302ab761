"""Every layer of PyTorch with random options: sizes, outputs and gradients, of kernels and of formulas, in float64."""

from __future__ import annotations

import os
import warnings
from typing import Any

import numpy as np
import pytest
import torch_layers
from hypothesis import HealthCheck, given, settings

from symconv.errors import GeometryError
from symconv.kernels.compile import compile
from symconv.operators.base import Operator
from symconv.operators.importers.imported import ConventionWarning
from symconv.operators.importers.torch import from_torch
from symconv.operators.patches import Unfold
from symconv.operators.pooling import MaxPool

torch = pytest.importorskip("torch", reason="the operators are held against PyTorch's layers")
torch.set_num_threads(1)

NORMAL = 40
SLOW = int(os.environ.get("SYMCONV_FUZZ_CASES", "8000")) // len(torch_layers.FAMILIES)
EXACT = {"rtol": 1e-9, "atol": 1e-9}


def examples(count: int) -> Any:
    return settings(
        max_examples=count, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.filter_too_much]
    )


def theirs(case: torch_layers.Case, *, training: bool = True) -> tuple[Any, Any]:
    """PyTorch's input, which collects a gradient, and its output; None where PyTorch refuses."""
    x = torch.from_numpy(case.x).requires_grad_(training)
    more = [] if case.positions is None else [torch.from_numpy(case.positions)]
    options = {} if case.output_size is None else {"output_size": list(case.output_size)}
    try:
        return x, case.layer(x, *more, **options)
    except (RuntimeError, ValueError):
        return x, None


def read(case: torch_layers.Case) -> Operator:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConventionWarning)
        return from_torch(case.layer, channels=case.channels)


def agree(case: torch_layers.Case) -> None:
    """The layer read, the layer by hand, its size, its output and its gradients."""
    x, y = theirs(case)
    if y is None:
        with pytest.raises(GeometryError):
            case.build().output_size(case.sizes)
        return
    op = case.build()
    assert read(case) == op
    if case.output_size is None:
        spatial = op.output_size(case.sizes)
        assert spatial == tuple(y.shape[2:]) or (isinstance(op, Unfold) and np.prod(spatial) == y.shape[2])
    kernel: Any = compile(op)
    more = case.parameters if case.positions is None else [case.positions]
    options = {} if case.output_size is None else {"output_size": case.output_size}
    np.testing.assert_allclose(kernel(case.x, *more, **options), y.detach().numpy(), **EXACT)
    rng = np.random.default_rng(0)
    g = rng.normal(size=tuple(y.shape))
    case.layer.zero_grad()
    y.backward(torch.from_numpy(g))
    wanted = [leaf.grad.numpy() for leaf in (x, *case.layer.parameters())]
    found = kernel.vjp(g, case.x, *more, **options)
    for ours, gradient in zip((found.input, found.weight, found.bias), wanted, strict=False):
        np.testing.assert_allclose(ours, gradient, **EXACT)
    tangents = {
        name: rng.normal(size=gradient.shape)
        for name, gradient in zip(("dx", "dweight", "dbias"), wanted, strict=False)
    }
    pushed = kernel.jvp(case.x, *more, **tangents, **options)
    total = sum(np.vdot(gradient, t) for gradient, t in zip(wanted, tangents.values(), strict=True))
    np.testing.assert_allclose(np.vdot(g, pushed), total, rtol=1e-8, atol=1e-8)
    if isinstance(op, MaxPool):
        _, indices = kernel(case.x, return_indices=True)
        case.layer.return_indices = True
        positions = case.layer(torch.from_numpy(case.x))[1].numpy()
        real = indices >= 0  # PyTorch has some index for a window without a real tap as well
        np.testing.assert_array_equal(indices[real], positions[real])


@pytest.mark.filterwarnings("ignore:Using padding='same':UserWarning")
@pytest.mark.parametrize("family", torch_layers.FAMILIES)
def test_kernels(family: str) -> None:
    examples(NORMAL)(given(torch_layers.FAMILIES[family])(agree))()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Using padding='same':UserWarning")
@pytest.mark.parametrize("family", torch_layers.FAMILIES)
def test_many_kernels(family: str) -> None:
    examples(SLOW)(given(torch_layers.FAMILIES[family])(agree))()
