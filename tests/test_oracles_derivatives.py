"""Derivatives of the oracles: the adjoint identity, exact and floating central differences, checks that can fail."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from random import Random
from typing import Any

import oracles
import pytest
from oracles import Tensor, tensor


def random_tensor(random: Random, shape: tuple[int, ...]) -> Tensor:
    """Seeded integers: every product and sum of them is exact."""
    return oracles.full(shape, 0).map(lambda _: random.randint(-9, 9))


def random_floats(random: Random, shape: tuple[int, ...]) -> Tensor:
    """Seeded floats that are pairwise different and away from 0 by more than a difference step."""
    ranks = list(range(1, math.prod(shape) + 1))
    random.shuffle(ranks)
    return oracles.full(shape, 0).map(lambda _: random.choice((-1, 1)) * (ranks.pop() + random.random() / 2) / 4)


def negative(values: Tensor) -> Tensor:
    """The tensor with every sign changed."""
    return values.map(lambda value: -value)


CONV_CASES = [
    ((2, 2, 5), (4, 1, 3), {"stride": 2, "padding": ((2, 0),), "groups": 2}),
    ((1, 2, 4), (2, 2, 3), {"padding": 2, "padding_mode": "reflect", "flip": True}),
    ((1, 2, 4, 5), (3, 2, 2, 3), {"stride": (2, 1), "dilation": (1, 2), "padding": (1, 2), "flip": True}),
    ((2, 1, 4, 4), (1, 1, 3, 2), {"padding": ((-1, 2), (1, -1)), "dilation": (1, 2)}),
    ((1, 1, 3, 4), (2, 1, 2, 2), {"padding": 1, "padding_mode": "circular", "stride": 2}),
    ((1, 2, 3, 2, 3), (2, 1, 2, 2, 2), {"padding": (1, 0, 1), "groups": 2, "padding_mode": "replicate"}),
    ((1, 1, 2, 3, 2, 2), (1, 1, 2, 2, 1, 2), {"padding": (0, 1, 0, 0)}),
]
TRANSPOSE_CASES = [
    ((2, 2, 3), (2, 2, 3), {"stride": 2, "padding": ((1, 0),), "output_padding": 1}),
    ((1, 4, 2, 3), (4, 1, 2, 2), {"groups": 2, "dilation": 2, "stride": (1, 2), "flip": True}),
    ((1, 1, 2, 2, 2), (1, 2, 2, 1, 3), {"stride": (2, 1, 1), "padding": (1, 0, 2)}),
]
LAYERS: dict[str, tuple[Callable[..., Tensor], Callable[..., oracles.ConvGradients], Callable[..., Tensor]]] = {
    "conv": (oracles.conv, oracles.conv_vjp, oracles.conv_jvp),
    "conv_transpose": (oracles.conv_transpose, oracles.conv_transpose_vjp, oracles.conv_transpose_jvp),
}
ALL_CASES = [("conv", *case) for case in CONV_CASES] + [("conv_transpose", *case) for case in TRANSPOSE_CASES]


@pytest.mark.parametrize(("layer", "x_shape", "w_shape", "options"), ALL_CASES)
def test_linear_layers_satisfy_the_adjoint_identity_exactly(
    layer: str, x_shape: tuple[int, ...], w_shape: tuple[int, ...], options: dict[str, Any]
) -> None:
    forward, vjp, jvp = LAYERS[layer]
    random = Random(7)
    x, w = random_tensor(random, x_shape), random_tensor(random, w_shape)
    zero = oracles.full(forward(x, w, **options).shape, 0)
    bias = random_tensor(random, (zero.shape[1],))
    g = random_tensor(random, zero.shape)
    parts = vjp(g, x, w, **options)
    for kind, claimed, at in (("dx", parts.input, x), ("dweight", parts.weight, w), ("dbias", parts.bias, bias)):
        tangent = random_tensor(random, at.shape)
        push = jvp(x, w, **{kind: tangent}, **options)
        assert oracles.dot(push, g) == oracles.dot(tangent, claimed), kind
    assert oracles.dot(forward(x, w, **options), g) == oracles.dot(x, parts.input)
    assert forward(x, w, bias, **options) == forward(x, w, **options).plus(jvp(x, w, dbias=bias, **options))


@pytest.mark.parametrize(("layer", "x_shape", "w_shape", "options"), ALL_CASES)
def test_linear_layers_agree_with_exact_central_differences(
    layer: str, x_shape: tuple[int, ...], w_shape: tuple[int, ...], options: dict[str, Any]
) -> None:
    forward, vjp, jvp = LAYERS[layer]
    random = Random(8)
    x, w = random_tensor(random, x_shape), random_tensor(random, w_shape)
    g = random_tensor(random, forward(x, w, **options).shape)
    parts = vjp(g, x, w, **options)
    # Half a step on each side divides by 1; every fifth entry is enough, the adjoint identity sees them all.
    half = Fraction(1, 2)

    def slope(x_step: Tensor, w_step: Tensor) -> oracles.Scalar:
        above = forward(x.plus(x_step), w.plus(w_step), **options)
        below = forward(x.plus(negative(x_step)), w.plus(negative(w_step)), **options)
        return oracles.dot(above.plus(negative(below)), g)

    still_x, still_w = oracles.full(x_shape, 0), oracles.full(w_shape, 0)
    for index in list(x.values)[::5]:
        assert slope(still_x.with_value(index, half), still_w) == parts.input[index]
    for index in list(w.values)[::5]:
        assert slope(still_x, still_w.with_value(index, half)) == parts.weight[index]
    dx, dw = random_tensor(random, x_shape), random_tensor(random, w_shape)
    above = forward(x.plus(dx), w.plus(dw), **options)
    below = forward(x.plus(negative(dx)), w.plus(negative(dw)), **options)
    central = above.plus(negative(below)).map(lambda v: Fraction(v) / 2)
    assert central == jvp(x, w, dx=dx, dweight=dw, **options)


def test_transposed_convolution_is_the_input_gradient_of_convolution() -> None:
    random = Random(9)
    options = {"stride": 2, "padding": 1, "dilation": 1}
    w, g = random_tensor(random, (2, 3, 3, 3)), random_tensor(random, (1, 2, 3, 3))
    for size, extra in ((5, 0), (6, 1)):
        x = random_tensor(random, (1, 3, size, size))
        back = oracles.conv_vjp(g, x, w, **options).input
        assert oracles.conv_transpose(g, w, output_padding=extra, **options) == back


POOL_CASES = [
    ((2, 2, 6), 3, {"stride": 2, "padding": 1, "ceil_mode": True}),
    ((1, 2, 5, 4), (3, 2), {"stride": (2, 1), "padding": ((1, 0), (0, 1)), "dilation": (1, 2)}),
    ((1, 1, 3, 4, 3), 2, {"padding": 1}),
]


POOLS: dict[str, tuple[Callable[..., Tensor], Callable[..., Tensor], dict[str, Any]]] = {
    "max": (lambda x, *given, **options: oracles.max_pool(x, *given, **options)[0], oracles.max_pool_vjp, {}),
    "average": (oracles.avg_pool, oracles.avg_pool_vjp, {}),
    "average without padding": (oracles.avg_pool, oracles.avg_pool_vjp, {"count_include_pad": False}),
    "average over five": (oracles.avg_pool, oracles.avg_pool_vjp, {"divisor_override": 5}),
} | {
    f"LP {p}": (
        lambda x, *given, p=p, **options: oracles.lp_pool(x, p, *given, **options),
        lambda g, x, *given, p=p, **options: oracles.lp_pool_vjp(g, x, p, *given, **options),
        {},
    )
    for p in (1, 1.5, 2, 3, math.inf)
}


@pytest.mark.parametrize("name", POOLS)
@pytest.mark.parametrize(("shape", "kernel", "geometry"), POOL_CASES)
def test_pool_gradients_agree_with_central_differences(
    name: str, shape: tuple[int, ...], kernel: Any, geometry: dict[str, Any]
) -> None:
    forward, vjp, extra = POOLS[name]
    options = {**geometry, **extra}
    random = Random(10)
    x = random_floats(random, shape)
    g = random_tensor(random, forward(x, kernel, **options).shape)
    slopes = oracles.differences(lambda t: oracles.dot(forward(t, kernel, **options), g), x, 1e-5)
    assert oracles.worst_gap(vjp(g, x, kernel, **options), slopes) < 1e-7


def test_adaptive_gradients_agree_with_central_differences() -> None:
    random = Random(11)
    x = random_floats(random, (1, 2, 5, 3))
    g = random_tensor(random, (1, 2, 3, 2))
    mean = oracles.differences(lambda t: oracles.dot(oracles.adaptive_avg_pool(t, (3, 2)), g), x)
    top = oracles.differences(lambda t: oracles.dot(oracles.adaptive_max_pool(t, (3, 2))[0], g), x)
    assert oracles.worst_gap(oracles.adaptive_avg_pool_vjp(g, x, (3, 2)), mean) < 1e-7
    assert oracles.worst_gap(oracles.adaptive_max_pool_vjp(g, x, (3, 2)), top) < 1e-7


def test_jvp_from_vjp_is_the_tangent_of_convolution() -> None:
    random = Random(12)
    x, w, dx = (
        random_tensor(random, (1, 1, 4, 4)),
        random_tensor(random, (2, 1, 2, 2)),
        random_tensor(random, (1, 1, 4, 4)),
    )
    rows = oracles.jvp_from_vjp(lambda g: oracles.conv_vjp(g, x, w).input, dx, (1, 2, 3, 3))
    assert rows == oracles.conv_jvp(x, w, dx=dx)


def test_checks_report_a_wrong_gradient_and_a_wrong_adjoint() -> None:
    x, w = tensor([[[1, 2, 3, 4]]]), tensor([[[1, 2]]])
    g = tensor([[[1, 0, 2]]])
    right = oracles.conv_vjp(g, x, w).input
    wrong = oracles.conv_vjp(g, x, [[[2, 1]]]).input
    slopes = oracles.differences(lambda t: oracles.dot(oracles.conv(t, w), g), x, Fraction(1))
    assert oracles.worst_gap(right, slopes) == 0
    assert oracles.worst_gap(wrong, slopes) >= 1

    def forward(t: Tensor) -> Tensor:
        return oracles.conv(t, w)

    assert oracles.adjoint_gap(forward, lambda y: oracles.conv_vjp(y, x, w).input, x, g) == 0
    assert oracles.adjoint_gap(forward, lambda y: oracles.conv_vjp(y, x, [[[2, 1]]]).input, x, g) != 0
    assert oracles.worst_gap(tensor([math.nan]), tensor([0.0])) == math.inf
    assert oracles.worst_gap(tensor([math.nan]), tensor([math.nan])) == 0
