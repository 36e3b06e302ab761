"""Kernels of transposed convolutions: against plain loops, PyTorch, the formula, and the convolution they transpose."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import oracles
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from symconv.errors import ArgumentError, GeometryError, NotSupportedError
from symconv.kernels.adapters.transposition import transpose_of
from symconv.kernels.compile import compile
from symconv.operators.convolution import Conv
from symconv.operators.transposed import ConvTranspose
from symconv.proofs.prove import prove

RNG = np.random.default_rng(0)
EXAMPLES = settings(max_examples=60, derandomize=True, deadline=None)


@st.composite
def layers(draw: st.DrawFn, pytorch: bool = False) -> tuple[ConvTranspose, dict[str, Any], list[np.ndarray]]:
    """An operator, its options, and arrays for it; with `pytorch` only what PyTorch accepts."""
    ndim = draw(st.integers(1, 3))

    def axis(values: st.SearchStrategy[Any]) -> tuple[Any, ...]:
        return tuple(draw(values) for _ in range(ndim))

    kernel, sizes = axis(st.integers(1, 4 if ndim < 3 else 2)), axis(st.integers(1, 5 if ndim < 3 else 3))
    groups = draw(st.integers(1, 3))
    inputs, outputs = groups * draw(st.integers(1, 2)), groups * draw(st.integers(1, 2))
    stride, dilation = axis(st.integers(1, 3)), axis(st.integers(1, 2))
    options: dict[str, Any] = {"stride": stride, "dilation": dilation, "groups": groups}
    if pytorch:
        options["padding"] = axis(st.integers(0, 2))
        bounds = zip(stride, dilation, strict=True)
        options["output_padding"] = tuple(draw(st.integers(0, max(pair) - 1)) for pair in bounds)
    else:
        options["padding"] = axis(st.tuples(st.integers(-2, 3), st.integers(-2, 3)))
        options["output_padding"] = axis(st.integers(0, 4))
        options["flip"] = draw(st.booleans())
    bias = draw(st.booleans())
    op = ConvTranspose(kernel, in_channels=inputs, out_channels=outputs, bias=bias, **options)
    try:
        op.output_size(sizes)
    except GeometryError:
        assume(False)
    rng = np.random.default_rng(draw(st.integers(0, 1 << 32)))
    x = rng.normal(size=(draw(st.integers(1, 2)), inputs, *sizes))
    weight = rng.normal(size=(inputs, outputs // groups, *kernel))
    return op, options, [x, weight, *([rng.normal(size=outputs)] if bias else [])]


def close(left: Any, right: Any) -> None:
    np.testing.assert_allclose(left, right, rtol=1e-11, atol=1e-11)


@given(layers())
@EXAMPLES
def test_values_and_gradients_are_those_of_loops(layer: Any) -> None:
    op, options, arrays = layer
    kernel = compile(op)
    expected = oracles.to_numpy(oracles.conv_transpose(*arrays, **options))
    found = kernel(*arrays)
    close(found, expected)
    g = RNG.normal(size=found.shape)
    theirs = oracles.conv_transpose_vjp(g, *arrays[:2], **options)
    ours = kernel.vjp(g, *arrays)
    close(ours.input, oracles.to_numpy(theirs.input))
    close(ours.weight, oracles.to_numpy(theirs.weight))
    if op.bias:
        close(ours.bias, oracles.to_numpy(theirs.bias))
    else:
        assert ours.bias is None
    tangents = [RNG.normal(size=array.shape) for array in arrays]
    moved = kernel.jvp(*arrays, **dict(zip(("dx", "dweight", "dbias"), tangents, strict=False)))
    names = ("dx", "dweight", "dbias")[: len(tangents)]
    theirs = oracles.conv_transpose_jvp(*arrays[:2], **dict(zip(names, tangents, strict=True)), **options)
    close(moved, oracles.to_numpy(theirs))


@given(layers(pytorch=True))
@EXAMPLES
def test_values_and_gradients_are_those_of_pytorch(layer: Any) -> None:
    torch = pytest.importorskip("torch", reason="the comparison of kernels with PyTorch needs PyTorch")
    op, options, arrays = layer
    leaves = [torch.tensor(array, requires_grad=True) for array in arrays]
    theirs = getattr(torch.nn.functional, f"conv_transpose{op.ndim}d")(*leaves, **options)
    kernel = compile(op)
    found = kernel(*arrays)
    close(found, theirs.detach().numpy())
    g = RNG.normal(size=found.shape)
    theirs.backward(torch.tensor(g))
    ours = kernel.vjp(g, *arrays)
    for mine, leaf in zip((ours.input, ours.weight, ours.bias), leaves, strict=False):
        close(mine, leaf.grad.numpy())


@pytest.mark.parametrize("padding", ["valid", "half", "full", "same_upper", "same_lower"])
@pytest.mark.parametrize("size", [3, 6])
def test_named_paddings_are_those_of_the_formula(padding: str, size: int) -> None:
    op = ConvTranspose((3,), 2, padding, 1, in_channels=2, out_channels=3, bias=True)
    x, weight, bias = RNG.integers(-5, 5, (2, size)), RNG.integers(-5, 5, (2, 3, 3)), RNG.integers(-5, 5, 3)
    expected = op.output().values({"a": x, "b": weight, "d": bias}, (size,))
    found = compile(op)(x, weight, bias)
    assert found.dtype == np.int64
    assert {index: Fraction(int(found[index])) for index in np.ndindex(*found.shape)} == expected


FORMULAS = [
    ConvTranspose((3,), 2, 1, 1, in_channels=4, out_channels=4, groups=2),
    ConvTranspose((2, 3), (1, 2), ((1, 0), (-1, 2)), dilation=(2, 1), in_channels=2, out_channels=2, bias=True),
    ConvTranspose((2, 2), 2, flip=True, output_padding=3),
]


@pytest.mark.parametrize("op", FORMULAS)
@pytest.mark.parametrize("size", [2, 3, 4])
def test_entries_are_those_of_the_formula(op: ConvTranspose, size: int) -> None:
    sizes = (size,) * op.ndim
    outputs = op.output_size(sizes)
    lead_in, lead_out = [(n,) if n > 1 else () for n in (op.in_channels, op.out_channels)]
    x = RNG.integers(-5, 5, (*lead_in, *sizes))
    weight = RNG.integers(-5, 5, (op.in_channels, op.out_channels // op.groups, *op.kernel_size))
    bias = [RNG.integers(-5, 5, op.out_channels)] if op.bias else []
    g = RNG.integers(-5, 5, (*lead_out, *outputs)).astype(float)
    tensors = {"a": x, "b": weight.reshape(*(n for n in weight.shape[:2] if n > 1), *op.kernel_size), "g": g}
    tensors |= {"d": bias[0]} if bias else {}
    kernel = compile(op)
    found = kernel(x, weight, *bias)
    expected = op.output().values({k: v for k, v in tensors.items() if k != "g"}, sizes)
    assert {index: int(found[index]) for index in np.ndindex(*found.shape)} == expected
    gradients = kernel.vjp(g, x.astype(float), weight, *bias)
    for name, gradient in (("input", gradients.input), ("weight", gradients.weight), ("bias", gradients.bias)):
        if gradient is None:
            continue
        formula = op.gradient(name)
        read = {t.name: tensors[t.name] for t in formula.tensors}
        gradient = gradient.reshape(formula.shape(sizes))
        assert {i: gradient[i] for i in np.ndindex(*gradient.shape)} == pytest.approx(formula.values(read, sizes))


@given(layers())
@EXAMPLES
def test_it_is_the_adjoint_of_a_convolution(layer: Any) -> None:
    """<y, T x> = <C y, x> for the convolution C with the channels exchanged, exactly in integers."""
    op, _, (x, weight, *_) = layer
    x, weight = x.round().astype(int), weight.round().astype(int)
    found = compile(replace(op, bias=False))(x, weight)
    y = RNG.integers(-4, 5, found.shape)
    back = compile(transpose_of(op))(y, weight)
    assert back.shape == x.shape
    assert int((found * y).sum()) == int((back * x).sum())


CERTIFIED = [
    ConvTranspose((3,), ndim=1),
    ConvTranspose((4,), 2, 1),
    ConvTranspose((3, 3), 2, 1, 1, 2, in_channels=4, out_channels=6, groups=2, bias=True),
    ConvTranspose((2, 3), (3, 1), ((1, 2), (-1, 3)), 2, in_channels=2, out_channels=2, flip=True),
]


@pytest.mark.parametrize("op", CERTIFIED)
def test_the_certificate_is_proved_for_all_sizes(op: ConvTranspose) -> None:
    derivation = compile(op).derivation()
    assert [step.verdict.status for step in derivation.steps] == ["proved"] * 3
    turned = replace(op, flip=not op.flip, bias=False)  # with the kernel the other way round it does not hold
    befores = turned.output(), turned.gradient("input"), turned.gradient("weight")
    for step, before in zip(derivation.steps, befores, strict=True):
        assert prove(before, step.after).status == "refuted"


# ---------------------------------------------------------------------- types, shapes, plans, refusals

OP = ConvTranspose(3, 2, 1, 1, in_channels=4, out_channels=2, bias=True)
X, W, B = RNG.normal(size=(2, 4, 5, 6)), RNG.normal(size=(4, 2, 3, 3)), RNG.normal(size=2)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_floating_types_stay_what_they_are(dtype: str) -> None:
    kernel, arrays = compile(OP), [array.astype(dtype) for array in (X, W, B)]
    found = kernel(*arrays)
    exact = kernel(*(array.astype(float) for array in arrays))
    eps = float(np.finfo(dtype).eps)
    assert found.dtype == dtype
    np.testing.assert_allclose(found.astype(float), exact, rtol=20 * eps, atol=40 * eps)
    gradients = kernel.vjp(found, *arrays)
    assert {a.dtype for a in (gradients.input, gradients.weight, gradients.bias)} == {np.dtype(dtype)}
    assert kernel.jvp(*arrays, dx=arrays[0], dbias=arrays[2]).dtype == dtype


def test_layouts_of_arrays_do_not_matter_and_nothing_is_written_to() -> None:
    kernel = compile(OP)
    expected = kernel(X, W, B)
    g = RNG.normal(size=expected.shape)
    pulled = kernel.vjp(g, X, W, B)
    strided = [np.asfortranarray(array) for array in (g, X, W, B)]
    for array in strided:
        array.flags.writeable = False
    np.testing.assert_allclose(kernel(*strided[1:]), expected, rtol=1e-13, atol=1e-13)
    again = kernel.vjp(*strided)
    np.testing.assert_allclose(again.input, pulled.input, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(again.weight, pulled.weight, rtol=1e-12, atol=1e-12)
    for item, found in zip(X, expected, strict=True):
        np.testing.assert_allclose(kernel(item, W, B), found, rtol=1e-12, atol=1e-12)
    assert kernel(X[:0], W, B).shape == (0, *expected.shape[1:])


def test_a_plane_alone() -> None:
    kernel = compile(ConvTranspose(3, 2))
    plane, weight = X[0, 0], W[0, 0]
    expected = kernel(plane[None, None], weight[None, None])
    np.testing.assert_array_equal(kernel(plane, weight), expected[0, 0])
    gradients = kernel.vjp(np.ones_like(expected[0, 0]), plane, weight)
    assert (gradients.input.shape, gradients.weight.shape) == (plane.shape, weight.shape)


def test_a_bound_weight_gives_the_same() -> None:
    weight = W.copy()
    kernel = compile(OP, weight=weight)
    expected = compile(OP)(X, W, B)
    weight[:] = 0  # a kernel keeps what it was given
    np.testing.assert_allclose(kernel(X, bias=B), expected, rtol=1e-12)
    g = RNG.normal(size=expected.shape)
    np.testing.assert_allclose(kernel.vjp(g, X).weight, compile(OP).vjp(g, X, W).weight, rtol=1e-12)
    moved = RNG.normal(size=W.shape)
    np.testing.assert_allclose(kernel.jvp(X, dweight=moved), compile(OP).jvp(X, W, dweight=moved), rtol=1e-12)
    with pytest.raises(ArgumentError, match="bound"):
        kernel(X, W, B)


@pytest.mark.parametrize("plan", ["im2col", "taps"])
def test_every_plan_of_the_convolution_gives_the_same(plan: str) -> None:
    kernel = compile(OP, plan=plan)
    assert (kernel.plan, kernel.plan_for(X.shape)) == (plan, plan)
    assert f"plan: {plan}" in kernel.explain(X.shape)
    assert plan in kernel.source
    np.testing.assert_allclose(kernel(X, W, B), compile(OP)(X, W, B), rtol=1e-11, atol=1e-11)
    g = RNG.normal(size=(2, 2, 10, 12))
    np.testing.assert_allclose(
        kernel.vjp(g, X, W).input, compile(Conv(3, 2, ((1, 0), (1, 0)), in_channels=2, out_channels=4))(g, W)
    )


def test_only_the_gradients_that_are_wanted() -> None:
    g = np.ones((2, 2, 10, 12))
    found = compile(OP).vjp(g, X, W, wrt=("weight",))
    assert found.input is None
    assert found.bias is None
    assert found.weight is not None
    with pytest.raises(ArgumentError, match="wrt"):
        compile(OP).vjp(g, X, W, wrt="input")


def test_integers_are_exact_or_refused() -> None:
    op = ConvTranspose((2,), in_channels=1, out_channels=1)
    big = 1 << 61
    assert compile(op)([big, 1], [1, 2]).tolist() == [big, 2 * big + 1, 2]
    with pytest.raises(ArgumentError, match="int64"):
        compile(op)([big, 1], [2, 2])
    with pytest.raises(NotSupportedError, match="floating"):
        compile(op).vjp(np.ones(3), [1, 2], [1, 2])


def test_what_does_not_fit_is_refused_by_name() -> None:
    kernel = compile(OP)
    with pytest.raises(ArgumentError, match=r"weight must have the shape \(4, 2, 3, 3\), which is \(in, out/groups"):
        kernel(X, W.swapaxes(0, 1), B)
    with pytest.raises(ArgumentError, match="x must have 4 channels"):
        kernel(X[:, :3], W, B)
    with pytest.raises(ArgumentError, match="bias must be given"):
        kernel(X, W)
    with pytest.raises(ArgumentError, match="grad_output must have the shape"):
        kernel.vjp(X, X, W)
    with pytest.raises(ArgumentError, match="plan"):
        compile(OP, plan="separable")
    with pytest.raises(ArgumentError, match="numbers for all its options"):
        compile(OP.generic())
    with pytest.raises(GeometryError, match="must leave an output"):
        compile(ConvTranspose(1, padding=2))(np.ones((3, 3)), np.ones((1, 1)))
