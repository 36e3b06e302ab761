"""From an operator's formulas to the plain-loop oracles and back: the same tensors, read by both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from random import Random
from typing import Any

import oracles
from oracles import Tensor

from symconv.formulas.formula import Formula
from symconv.operators.convolution import Conv
from symconv.operators.pooling import Pooling

Pads = list[tuple[int, int]]


def pads_of(op: Conv | Pooling, sizes: Sequence[int]) -> Pads:
    """The padding of every axis in numbers, rules worked out by the oracles."""
    if not isinstance(op.padding, str):
        return [(before, after) for before, after in op.padding]
    axes = zip(sizes, op.kernel_size, op.stride, op.dilation, strict=True)
    return [_rule(op.padding, n, k, s, d) for n, k, s, d in axes]


def _rule(name: str, n: int, k: int, s: int, d: int) -> tuple[int, int]:
    reach = sum(d for _ in range(k - 1))
    if name in ("same_upper", "same_lower"):
        return oracles.same_padding(n, k, s, d, upper=name == "same_upper")
    if name == "same":
        return oracles.pytorch_same_padding(k, d)
    side = {"valid": 0, "half": reach // 2, "full": reach}[name]
    return side, side


def fits(sizes: Sequence[int], op: Conv | Pooling) -> bool:
    """Whether there is an output on every axis."""
    axes = zip(sizes, op.kernel_size, op.stride, pads_of(op, sizes), op.dilation, strict=True)
    ceil_mode = getattr(op, "ceil_mode", False)
    return all(oracles.output_size(n, oracles.Axis(k, s, b, e, d, ceil_mode)) for n, k, s, (b, e), d in axes)


def random_tensor(random: Random, shape: Sequence[int]) -> Tensor:
    """Small fractions, with ties and zeros among them."""
    return oracles.full(shape, 0).map(lambda _: Fraction(random.randint(-4, 4), random.choice((1, 1, 2, 3))))


def squeezed(tensor: Tensor, axes: Sequence[int]) -> Tensor:
    """A tensor without the axes given, which must have extent 1."""
    keep = [axis for axis in range(len(tensor.shape)) if axis not in axes]
    assert all(tensor.shape[axis] == 1 for axis in axes)
    return Tensor(
        tuple(tensor.shape[axis] for axis in keep),
        {tuple(index[axis] for axis in keep): value for index, value in tensor.values.items()},
    )


@dataclass(frozen=True)
class ConvCase:
    """One convolution with its tensors in the oracles' layout and in the formula's."""

    op: Conv
    sizes: tuple[int, ...]
    x: Tensor
    weight: Tensor
    bias: Tensor | None
    options: dict[str, Any]

    @staticmethod
    def of(op: Conv, sizes: Sequence[int], seed: int = 0) -> ConvCase:
        random = Random(seed)
        x = random_tensor(random, (1, op.in_channels, *sizes))
        weight = random_tensor(random, (op.out_channels, op.in_channels // op.groups, *op.kernel_size))
        bias = random_tensor(random, (op.out_channels,)) if op.bias else None
        options = {
            "stride": op.stride,
            "padding": pads_of(op, sizes),
            "dilation": op.dilation,
            "groups": op.groups,
            "padding_mode": op.padding_mode,
            "flip": op.flip,
        }
        return ConvCase(op, tuple(sizes), x, weight, bias, options)

    # which axes the formulas leave out: the batch, and channels where there is one

    def cut(self, role: str, tensor: Tensor) -> Tensor:
        op = self.op
        dropped = {
            "input": [0] + [1] * (op.in_channels == 1),
            "output": [0] + [1] * (op.out_channels == 1),
            "weight": [0] * (op.out_channels == 1) + [1] * (op.in_channels == op.groups),
            "bias": [0] * (op.out_channels == 1),
        }[role]
        return squeezed(tensor, dropped)

    def tensors(self, g: Tensor | None = None) -> dict[str, Any]:
        result = {"a": self.cut("input", self.x).nested(), "b": self.cut("weight", self.weight).nested()}
        if self.bias is not None:
            result["d"] = self.cut("bias", self.bias).nested()
        if g is not None:
            result["g"] = self.cut("output", g).nested()
        return result

    def output(self) -> Tensor:
        return oracles.conv(self.x, self.weight, self.bias, **self.options)

    def gradients(self, g: Tensor) -> dict[str, Tensor]:
        """The oracles' gradients in the formula's layout."""
        found = oracles.conv_vjp(g, self.x, self.weight, **self.options)
        pairs = {"input": found.input, "weight": found.weight}
        if self.op.bias:
            pairs["bias"] = found.bias
        return {role: self.cut(role, value) for role, value in pairs.items()}


@dataclass(frozen=True)
class PoolCase:
    """One pooling with its input; formulas know no batch and no channels."""

    op: Pooling
    sizes: tuple[int, ...]
    x: Tensor

    @staticmethod
    def of(op: Pooling, sizes: Sequence[int], seed: int = 0) -> PoolCase:
        return PoolCase(op, tuple(sizes), random_tensor(Random(seed), (1, 1, *sizes)))

    @property
    def geometry(self) -> dict[str, Any]:
        return {
            "stride": self.op.stride,
            "padding": pads_of(self.op, self.sizes),
            "dilation": self.op.dilation,
            "ceil_mode": self.op.ceil_mode,
        }

    def tensors(self, g: Tensor | None = None) -> dict[str, Any]:
        result = {"a": squeezed(self.x, (0, 1)).nested()}
        if g is not None:
            result["g"] = squeezed(g, (0, 1)).nested()
        return result


def computed(formula: Formula, tensors: dict[str, Any], sizes: Sequence[int]) -> dict[tuple[int, ...], Any]:
    """All entries, with indices counted from 0 whatever the base."""
    values = formula.values(tensors, tuple(sizes))
    return {tuple(i - formula.base for i in point): value for point, value in values.items()}


def at_numbers(poly: dict[Any, Fraction], tensors: dict[str, Any], base: int = 0) -> Fraction:
    """A polynomial at the numbers of nested lists."""
    total = Fraction(0)
    for monomial, value in poly.items():
        for name, index in monomial:
            entry = tensors[name]
            for position in index:
                assert position >= base
                entry = entry[position - base]
            value = value * entry
        total += value
    return total


def unit(shape: Sequence[int], index: tuple[int, ...]) -> Tensor:
    return oracles.full(shape, 0).with_value(index, 1)
