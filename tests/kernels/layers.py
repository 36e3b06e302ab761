"""Random layers for the kernel tests: an operator, an input that fits it, and the same layer as plain loops."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import oracles
from hypothesis import assume
from hypothesis import strategies as st

from symconv.errors import GeometryError
from symconv.kernels.backends.numpy import BACKEND
from symconv.kernels.form.extraction import tap_form
from symconv.kernels.form.tapform import TapForm
from symconv.kernels.programs import chain
from symconv.kernels.runtime.kernel import Gradients, Kernel
from symconv.kernels.runtime.plan import Plan
from symconv.kernels.runtime.selection import applicable
from symconv.operators.convolution import Conv
from symconv.operators.pooling import AvgPool, LPPool, MaxPool

CONVOLUTION_PLANS: tuple[Plan, ...] = BACKEND.plans(tap_form(Conv((3, 3))))
POOLING_PLANS: tuple[Plan, ...] = BACKEND.plans(tap_form(MaxPool((3, 3))))


def plans_for(form: TapForm, weight: np.ndarray | None = None) -> tuple[str, ...]:
    """The names of the plans that apply to a tap form and, where one is given, a bound weight."""
    return tuple(plan.name for plan in applicable(BACKEND.plans(form), form, weight))


@dataclass(frozen=True)
class Layer:
    """An operator with arrays for it, and what the oracles say of them.

    Attributes:
        op: the operator.
        x: the input ``(N, C, *spatial)``.
        parameters: weight and bias, as far as there are any.
        output: the oracle's output.
        gradients: the oracle's gradients for an upstream gradient, in the order input, weight, bias.
    """

    op: Any
    x: np.ndarray
    parameters: dict[str, np.ndarray]
    output: Callable[[], np.ndarray]
    gradients: Callable[[np.ndarray], list[np.ndarray]]
    options: dict[str, Any] = field(default_factory=dict)

    def run(self, kernel: Kernel) -> np.ndarray:
        return kernel(self.x, **self.parameters)

    def pull(self, kernel: Kernel, g: np.ndarray, output: Any = None) -> list[np.ndarray]:
        found: Gradients = kernel.vjp(g, self.x, **self.parameters, output=output)
        return [a for a in (found.input, found.weight, found.bias) if a is not None]


def with_blocks_of(budget: int, patch: Any) -> None:
    """Let the stages go through arrays in blocks of so many bytes, in both orders of memory."""
    for name in ("BLOCK_BYTES", "BLOCK_BYTES_LAST"):
        patch.setattr(chain, name, budget)


def laid(x: np.ndarray, order: str) -> np.ndarray:
    """The same array ``(N, C, *spatial)`` in another order of memory: "rows", "channels last", or that "with gaps"."""
    if order == "rows":
        return x
    moved = np.moveaxis(x, 1, -1)
    if order == "with gaps":
        wide = np.full((*moved.shape[:-2], moved.shape[-2] + 1, moved.shape[-1] + 2), np.nan).astype(x.dtype)
        wide[..., 1:, : moved.shape[-1]] = moved
        return np.moveaxis(wide[..., 1:, : moved.shape[-1]], -1, 1)
    return np.moveaxis(np.ascontiguousarray(moved), -1, 1)


ORDERS = st.sampled_from(("rows", "rows", "channels last", "with gaps"))


def _windows(draw: st.DrawFn, ndim: int) -> tuple[tuple[int, ...], dict[str, Any], tuple[int, ...]]:
    """A kernel size, the options of a window, and an input size."""

    def axis(values: st.SearchStrategy[Any]) -> tuple[Any, ...]:
        return tuple(draw(values) for _ in range(ndim))

    kernel = axis(st.sampled_from((1, 2, 3, 5) if ndim < 3 else (1, 2, 3)))
    options = {
        "stride": axis(st.integers(1, 3)),
        "padding": axis(st.tuples(st.integers(-1, 3), st.integers(-1, 3))),
        "dilation": axis(st.integers(1, 2)),
    }
    return kernel, options, axis(st.integers(1, 7 if ndim < 3 else 4))


@st.composite
def convolutions(draw: st.DrawFn) -> Layer:
    """Convolutions of one to three axes with all their options."""
    ndim = draw(st.integers(1, 3))
    kernel, options, sizes = _windows(draw, ndim)
    groups = draw(st.integers(1, 3))
    inputs, outputs = groups * draw(st.integers(1, 2)), groups * draw(st.integers(1, 2))
    options |= {
        "padding_mode": draw(st.sampled_from(("zeros", "reflect", "replicate", "circular"))),
        "flip": draw(st.booleans()),
        "groups": groups,
    }
    if options["padding_mode"] == "reflect":
        assume(all(max(pair) < n for pair, n in zip(options["padding"], sizes, strict=True)))
    bias = draw(st.booleans())
    op = Conv(kernel, in_channels=inputs, out_channels=outputs, bias=bias, **options)
    _assume_fits(op, sizes)
    rng = np.random.default_rng(draw(st.integers(0, 1 << 32)))
    x = rng.normal(size=(draw(st.integers(1, 2)), inputs, *sizes))
    parameters = {"weight": rng.normal(size=(outputs, inputs // groups, *kernel))}
    if bias:
        parameters["bias"] = rng.normal(size=outputs)

    def gradients(g: np.ndarray) -> list[np.ndarray]:
        found = oracles.conv_vjp(g, x, parameters["weight"], **options)
        return [oracles.to_numpy(t) for t in (found.input, found.weight, *([found.bias] if bias else []))]

    def output() -> np.ndarray:
        return oracles.to_numpy(oracles.conv(x, parameters["weight"], parameters.get("bias"), **options))

    return Layer(op, x, parameters, output, gradients, options)


@st.composite
def poolings(draw: st.DrawFn) -> Layer:
    """Poolings of one to three axes with all their options, on inputs that lie in memory in different orders; entries
    are often small integers, which makes ties."""
    ndim = draw(st.integers(1, 3))
    kernel, options, sizes = _windows(draw, ndim)
    options["ceil_mode"] = draw(st.booleans())
    rng = np.random.default_rng(draw(st.integers(0, 1 << 32)))
    x = rng.normal(size=(draw(st.integers(1, 2)), draw(st.integers(1, 3)), *sizes))
    x = laid(x.round() if draw(st.booleans()) else x, draw(ORDERS))
    kind = draw(st.sampled_from(("max", "average", "lp")))
    if kind == "max":
        ties = draw(st.sampled_from(("first", "split")))
        op: Any = MaxPool(kernel, ties=ties, **options)
        _assume_fits(op, sizes)
        return Layer(
            op,
            x,
            {},
            lambda: oracles.to_numpy(oracles.max_pool(x, kernel, **options)[0]),
            lambda g: [oracles.to_numpy(oracles.max_pool_vjp(g, x, kernel, ties=ties, **options))],
            options,
        )
    if kind == "average":
        own: dict[str, Any] = {
            "count_include_pad": draw(st.booleans()),
            "divisor_override": draw(st.sampled_from((None, None, 7, -2))),
        }
        # where a crop and the overhang of ceil_mode meet, a window can hold entries and count none
        assume(not options["ceil_mode"] or all(after >= 0 for _, after in options["padding"]))
        op = AvgPool(kernel, **own, **options)
        _assume_fits(op, sizes)
        return Layer(
            op,
            x,
            {},
            lambda: oracles.to_numpy(oracles.avg_pool(x, kernel, empty="nan", **own, **options)),
            lambda g: [oracles.to_numpy(oracles.avg_pool_vjp(g, x, kernel, **own, **options))],
            options,
        )
    p = draw(st.sampled_from((1, 2, 3, 4, 1.5, 7, float("inf"))))
    op = LPPool(p, kernel, **options)
    _assume_fits(op, sizes)
    return Layer(
        op,
        x,
        {},
        lambda: oracles.to_numpy(oracles.lp_pool(x, p, kernel, **options)),
        lambda g: [oracles.to_numpy(oracles.lp_pool_vjp(g, x, p, kernel, **options))],
        options,
    )


def _assume_fits(op: Any, sizes: tuple[int, ...]) -> None:
    try:
        op.output_size(sizes)
    except GeometryError:
        assume(False)
