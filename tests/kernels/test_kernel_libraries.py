"""Kernels on arrays of PyTorch, JAX and the array API standard: the same entries, the same kind, their derivatives."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symconv as sc
from symconv.errors import ArgumentError, NotSupportedError
from symconv.kernels.libraries.passing import affine
from symconv.operators.base import Operator

ROOT = Path(__file__).resolve().parents[2]
RNG = np.random.default_rng(17)
WHY = "a library that is compared with is not installed"

OPERATORS: list[tuple[Operator, tuple[int, ...]]] = [
    (sc.Conv(3, padding=1, stride=2, in_channels=4, out_channels=6, groups=2, bias=True), (2, 4, 7, 6)),
    (sc.Conv((3,), padding=2, padding_mode="reflect", dilation=2, flip=True), (9,)),
    (sc.ConvTranspose(3, stride=2, padding=1, output_padding=1, in_channels=2, out_channels=3), (2, 4, 5)),
    (sc.AvgPool(2, padding=1), (2, 5, 5)),
    (sc.MaxPool(3, stride=2), (1, 2, 7, 7)),
    (sc.LPPool(2, 3), (2, 6, 6)),
    (sc.AdaptiveAvgPool((2, 3)), (2, 5, 7)),
    (sc.AdaptiveMaxPool((2, 3)), (2, 5, 7)),
    (sc.Dilation((3,)), (8,)),
    (sc.Dense(3, in_features=5), (2, 5)),
    (sc.BatchNorm(2), (3, 2, 4, 4)),
    (sc.ReLU("zero", ndim=2), (2, 4, 4)),
    (sc.Unfold((2, 2)), (2, 4, 5)),
]
EACH = pytest.mark.parametrize(
    ("op", "shape"), OPERATORS, ids=lambda v: type(v).__name__ if isinstance(v, Operator) else ""
)


def given(op: Any, shape: tuple[int, ...]) -> list[np.ndarray[Any, Any]]:
    """An input, and a weight and a bias where there are some."""
    sizes = op.parameter_sizes(shape[-1 - op.spatial_axes :] if len(shape) > op.spatial_axes else (1, *shape))
    return [RNG.standard_normal(size) for size in (shape, *sizes.values())]


def strict() -> Any:
    return pytest.importorskip("array_api_strict", reason=WHY)


def maker(library: str) -> Any:
    """What makes an array of a library of a NumPy array, with 64 bits."""
    module = pytest.importorskip(library, reason=WHY)
    if library == "jax":
        module.config.update("jax_enable_x64", True)
        return module.numpy.asarray
    return module.tensor if library == "torch" else module.asarray


@EACH
@pytest.mark.parametrize("library", ["torch", "jax", "array_api_strict"])
def test_the_same_entries_as_the_same_kind(op: Operator, shape: tuple[int, ...], library: str) -> None:
    make, kernel = maker(library), sc.compile(op)
    arrays = given(op, shape)
    theirs = [make(array) for array in arrays]
    want, got = kernel(*arrays), kernel(*theirs)
    assert type(got) is type(theirs[0])
    assert got.dtype == theirs[0].dtype
    np.testing.assert_array_equal(np.from_dlpack(got), want)
    g = RNG.standard_normal(want.shape)
    for one, other in zip(
        vars(kernel.vjp(make(g), *theirs)).values(), vars(kernel.vjp(g, *arrays)).values(), strict=True
    ):
        assert (one is None) == (other is None)
        if one is not None:
            assert type(one) is type(theirs[0])
            np.testing.assert_array_equal(np.from_dlpack(one), other)
    np.testing.assert_array_equal(np.from_dlpack(kernel.jvp(*theirs, dx=theirs[0])), kernel.jvp(*arrays, dx=arrays[0]))


@EACH
def test_pytorch_differentiates_by_the_kernel(op: Operator, shape: tuple[int, ...]) -> None:
    torch = pytest.importorskip("torch", reason=WHY)
    kernel = sc.compile(op)
    tensors = tuple(torch.tensor(array, requires_grad=True) for array in given(op, shape))
    assert torch.autograd.gradcheck(kernel, tensors)
    if affine(op):
        assert torch.autograd.gradgradcheck(kernel, tensors)
    else:
        (first,) = torch.autograd.grad(kernel(*tensors).sum(), tensors[:1], create_graph=True)
        with pytest.raises(NotSupportedError, match="second derivatives"):
            first.square().sum().backward()


def test_of_what_second_derivatives_are_made() -> None:
    names = {type(op).__name__ for op, _ in OPERATORS if affine(op)}
    assert names == {"Conv", "ConvTranspose", "AvgPool", "AdaptiveAvgPool", "Dense", "BatchNorm", "Unfold"}


def test_jax_traces_maps_and_differentiates() -> None:
    jax = pytest.importorskip("jax", reason=WHY)
    make = maker("jax")
    kernel = sc.compile(OPERATORS[0][0])
    x, weight, bias = (make(array) for array in given(*OPERATORS[0]))

    def theirs(x: Any, weight: Any, bias: Any) -> Any:
        ours = jax.lax.conv_general_dilated(x, weight, (2, 2), ((1, 1), (1, 1)), feature_group_count=2)
        return ours + bias[:, None, None]

    def loss(layer: Any) -> Any:
        return lambda *arrays: (layer(*arrays) ** 2).sum()

    def second(layer: Any) -> Any:
        first = jax.grad(loss(layer), (0, 1, 2))
        return jax.grad(lambda *arrays: sum((part**2).sum() for part in first(*arrays)), (0, 1, 2))

    for make_function in (lambda layer: layer, lambda layer: jax.grad(loss(layer), (0, 1, 2)), second):
        for wrap in (lambda f: f, jax.jit):
            got, want = wrap(make_function(kernel))(x, weight, bias), make_function(theirs)(x, weight, bias)
            jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9), got, want)
    mapped = jax.jit(jax.vmap(kernel, (0, None, None)))(x, weight, bias)
    np.testing.assert_allclose(mapped, theirs(x, weight, bias), atol=1e-12)
    pool = sc.compile(sc.MaxPool(2))
    with pytest.raises(NotSupportedError, match="second derivatives"):
        jax.grad(lambda x: jax.grad(lambda x: (pool(x) ** 2).sum())(x).sum())(x)
    y, places = jax.jit(lambda x: pool(x, return_indices=True))(x)
    np.testing.assert_array_equal(places, pool(np.asarray(x), return_indices=True)[1])
    assert np.isfinite(jax.grad(lambda x: pool(x, return_indices=True)[0].sum())(x)).all()
    assert y.shape == places.shape


def test_narrow_types_come_back_as_they_came() -> None:
    torch = pytest.importorskip("torch", reason=WHY)
    kernel = sc.compile(sc.Conv((3,)))
    x, weight = torch.arange(8.0), torch.tensor([1.0, 0.5, -1.0])
    for narrow in (torch.bfloat16, torch.float8_e4m3fn, torch.float8_e5m2):
        y = kernel(x.to(narrow), weight.to(narrow))
        assert y.dtype == narrow
        assert torch.equal(y.float(), kernel(x.to(narrow).float(), weight).to(narrow).float())
    assert kernel(x.bfloat16(), weight).dtype == torch.float32
    found = kernel.vjp(torch.ones(6), x.bfloat16(), weight)
    assert (found.input.dtype, found.weight.dtype) == (torch.bfloat16, torch.float32)
    types = pytest.importorskip("ml_dtypes", reason=WHY)
    assert kernel(np.arange(8).astype(types.bfloat16), weight.numpy().astype(types.bfloat16)).dtype == types.bfloat16


def test_a_network_of_tensors() -> None:
    torch = pytest.importorskip("torch", reason=WHY)
    kernel = sc.compile(sc.Network([sc.Conv(3, out_channels=2, bias=True), sc.ReLU("zero"), sc.Flatten(), sc.Dense(2)]))
    arrays = {
        "conv1": {"weight": RNG.standard_normal((2, 1, 3, 3)), "bias": RNG.standard_normal(2)},
        "dense1": {"weight": RNG.standard_normal((2, 18)), "bias": RNG.standard_normal(2)},
    }
    weights = {n: {r: torch.tensor(a, requires_grad=True) for r, a in own.items()} for n, own in arrays.items()}
    x = torch.tensor(RNG.standard_normal((3, 1, 5, 5)), requires_grad=True)
    kernel(x, weights).square().sum().backward()
    y = kernel(x.detach().numpy(), arrays)
    found = kernel.vjp(2 * y, x.detach().numpy(), arrays)
    np.testing.assert_allclose(x.grad, found["input"])
    for name, own in weights.items():
        for role, tensor in own.items():
            np.testing.assert_allclose(tensor.grad, getattr(found[name], role))
    with pytest.raises(ArgumentError, match=r"weights\['conv1'\]\['bias'\] must be a PyTorch tensor, as x is"):
        kernel(x, {**weights, "conv1": {**weights["conv1"], "bias": arrays["conv1"]["bias"]}})


def test_what_is_refused_by_name() -> None:
    torch = pytest.importorskip("torch", reason=WHY)
    kernel, x, w = sc.compile(sc.Conv((3,))), torch.ones(5, requires_grad=True), torch.ones(3)
    for call, said in [
        (lambda: kernel(x, w.numpy()), r"pass torch\.as_tensor\(weight\)"),
        (lambda: kernel(x, w.to_sparse()), r"pass weight\.to_dense\(\)"),
        (lambda: kernel(x.to("meta"), w), r"got 'a PyTorch tensor on meta'; pass x\.cpu\(\)"),
        (lambda: kernel(x, w.to(torch.complex64)), "complex64"),
        (lambda: kernel(x, np.ma.masked_array(w.numpy(), [0, 1, 0])), "weight"),
        (lambda: sc.compile(sc.SquaredError())(x, torch.ones(5, requires_grad=True)), r"pass target\.detach\(\)"),
    ]:
        with pytest.raises(ArgumentError, match=said):
            call()
    with pytest.raises(NotSupportedError, match=r"jvp .* is not differentiated; pass x\.detach\(\)"):
        kernel.jvp(x, w, dx=torch.ones(5))


def test_a_result_shares_no_memory_with_a_tensor() -> None:
    torch = pytest.importorskip("torch", reason=WHY)
    x = torch.ones(2, 3, 2, 2)
    sc.compile(sc.Flatten())(x).zero_()
    assert x.sum() == 24


def test_on_a_device_of_the_standard() -> None:
    xp = strict()
    device = xp.Device("device1")
    x, weight = (xp.asarray(values, device=device) for values in ([1.0, 2.0, 4.0], [1.0, -1.0]))
    y = sc.compile(sc.Conv((2,)))(x, weight)
    assert y.device == device
    assert [float(entry) for entry in y] == [-1, -2]


def test_no_library_is_imported_for_arrays_of_numpy() -> None:
    code = (
        "import sys, numpy as np, symconv as sc; sc.compile(sc.Conv((2,)))(np.ones(4), np.ones(2));"
        "assert not {'torch', 'jax', 'array_api_strict'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


@pytest.mark.parametrize("library", ["torch", "jax"])
def test_the_examples_of_the_page(library: str) -> None:
    pytest.importorskip(library, reason=WHY)
    page = (ROOT / "docs" / "arrays.md").read_text("utf-8")
    (block,) = (b for b in re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL) if f"import {library}\n" in b)
    exec(compile(block, "docs/arrays.md", "exec"), {})
