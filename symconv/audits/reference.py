"""What an operator gives on a trial, by the kernel of its formula, and how far rounding may take an entry from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil, prod
from typing import Any

import numpy as np

from symconv.audits.powers import PowerPool
from symconv.audits.reading import Array
from symconv.audits.rounding import Rounding
from symconv.audits.trials import Trial
from symconv.errors import ArgumentError
from symconv.kernels.accuracy.programs import LIBRARY
from symconv.kernels.compile import compile
from symconv.operators.adaptive import AdaptiveAvgPool, AdaptiveMaxPool, AdaptivePooling
from symconv.operators.base import Operator
from symconv.operators.convolution import Conv
from symconv.operators.pooling import AvgPool, LPPool, MaxPool
from symconv.operators.transposed import ConvTranspose

__all__ = ["Due", "Reference", "linear_in"]


@dataclass(frozen=True)
class Due:
    """What an array should be.

    Attributes:
        values: its entries in exact arithmetic, up to the rounding of float64.
        slack: how far an entry may be off.
    """

    values: Array
    slack: Array

    def off(self, given: Array) -> Array:
        """Which entries are off by more than rounding allows; NaN is right where NaN is due, infinities likewise."""
        with np.errstate(invalid="ignore"):
            near = np.abs(given.astype(np.float64) - self.values) <= self.slack
        same = (given == self.values) | (np.isnan(given.astype(np.float64)) & np.isnan(self.values))
        wrong: Array = ~(near & np.isfinite(self.values) | same)
        return wrong


def linear_in(op: Operator) -> bool:
    """Whether an operator is linear in its input."""
    return isinstance(op, Conv | ConvTranspose | AvgPool | AdaptiveAvgPool)


class Reference:
    """An operator as the judge of a black box.

    Args:
        op: the operator.
        sizes: the input size.
        dtype: the type that the black box works in.
        fixed: the weight and the bias that it has and is not given.
    """

    def __init__(self, op: Operator, sizes: tuple[int, ...], dtype: str, fixed: Mapping[str, Array]) -> None:
        self.op, self.sizes, self.rounding, self._fixed = op, sizes, Rounding.named(dtype), fixed
        self._kernel = _plain_kernel(op)
        biased = getattr(op, "bias", False)
        self._unbiased = _plain_kernel(replace(op, bias=False)) if biased else self._kernel  # type: ignore[type-var]

    def due(self, trial: Trial) -> dict[str, Due]:
        """The output and, with an upstream gradient, the gradients as "grad_input" and so on."""
        if isinstance(self.op, Conv | ConvTranspose):
            return self._of_products(trial)
        return self._of_pooling(trial)

    # ------------------------------------------------------------------ sums of products

    def _of_products(self, trial: Trial) -> dict[str, Due]:
        given = {**self._fixed, **trial.arrays}
        x, w, bias = given["input"], given["weight"], given.get("bias")
        values = self._kernel(x, w) if bias is None else self._kernel(x, w, bias)
        zeros_and_ones = all(((a == 0) | (a == 1)).all() for a in (*given.values(), *dict(trial.parts()).values()))
        there = [(a != 0).astype(np.float64) for a in (x, w)]
        size = count = values
        if not zeros_and_ones:
            size, count = self._unbiased(np.abs(x), np.abs(w)), self._unbiased(*there)
            if bias is not None:
                column = bias.reshape(-1, *[1] * len(self.sizes))
                size, count = size + np.abs(column), count + (column != 0)
        found = {"output": Due(values, self.rounding.slack_of(size, count + 1))}
        if trial.upstream is not None:
            g, wanted = trial.upstream, tuple(trial.arrays)
            exact = sizes = counts = self._kernel.vjp(g, x, w, wrt=wanted)
            if not zeros_and_ones:
                sizes = self._kernel.vjp(np.abs(g), np.abs(x), np.abs(w), wrt=wanted)
                counts = self._kernel.vjp((g != 0).astype(np.float64), *there, wrt=wanted)
            for part in wanted:
                slack = self.rounding.slack_of(getattr(sizes, part), getattr(counts, part) + 1)
                found[f"grad_{part}"] = Due(getattr(exact, part), slack)
        return found

    # ------------------------------------------------------------------ poolings

    def _of_pooling(self, trial: Trial) -> dict[str, Due]:
        x = trial.arrays["input"]
        values = self._kernel(x)
        there = ((x != 0) & np.isfinite(x)).astype(np.float64)
        size = self._kernel(np.where(np.isfinite(x), np.abs(x), 0.0))
        taps = self._along(there, forward=True)
        if isinstance(self.op, MaxPool | AdaptiveMaxPool):
            slack = np.zeros(values.shape)
        else:
            slack = self.rounding.slack_of(np.nan_to_num(size), taps + self._further(size))
        found = {"output": Due(values, slack)}
        if trial.upstream is not None:
            found["grad_input"] = self._pulled_back(trial.upstream, x, size)
        return found

    def _pulled_back(self, g: Array, x: Array, size: Array) -> Due:
        exact = self._kernel.vjp(g, x).input
        sizes = np.abs(self._kernel.vjp(np.abs(g), x if not isinstance(self.op, LPPool) else np.abs(x)).input)
        counts = self._along((g != 0).astype(np.float64), forward=False)
        further = 4.0
        if isinstance(self.op, LPPool):
            # a factor (|x|/y)^(p-1): p - 1 times the roundings of y, and two powers
            p = float(self.op.norm_type)
            further += p * (float(np.max(self._taps_at_most)) + float(np.max(self._further(size)))) + 2 * LIBRARY
        return Due(exact, self.rounding.slack_of(sizes, counts + further))

    def _further(self, size: Array) -> Array:
        """The roundings of an output besides those of a sum: of a division, and for norms of powers and a root."""
        if not isinstance(self.op, LPPool):
            return np.full(size.shape, 3.0)
        p = float(self.op.norm_type)
        with np.errstate(divide="ignore"):
            # 1/p is rounded, which changes the root by that times the logarithm of the sum
            logs = np.abs(np.log(np.maximum(np.nan_to_num(size), np.finfo(float).tiny)))
        return np.ceil(np.where(size > 0, logs, 0.0)) + 2 * LIBRARY + ceil(p) + 3

    @cached_property
    def _reads(self) -> list[Array]:
        """For every axis: whether an output reads an entry, (outputs, entries)."""
        found = []
        for axis, n in enumerate(self.sizes):
            rows = np.zeros((int(self.op.axis_output_size(axis, n)), n))
            for o, row in enumerate(rows):
                if isinstance(self.op, AdaptivePooling):
                    row[o * n // len(rows) : -(-(o + 1) * n // len(rows))] = 1
                    continue
                window = self.op.windows[axis]
                places = [window.tap(o, m, n).value for m in range(int(window.kernel))]
                row[[place for place in places if place is not None and 0 <= place < n]] = 1
            found.append(rows)
        return found

    def largest_integer(self) -> int:
        """How large the integers of a trial may be: no sum that the operator makes of them overflows."""
        if isinstance(self.op, MaxPool | AdaptiveMaxPool) or self.rounding.unit is None:
            return 1 << 20
        if isinstance(self.op, Conv | ConvTranspose):
            outputs = prod(int(n) for n in self.op.output_size(self.sizes))
            channels = max(int(self.op.in_channels), int(self.op.out_channels))
            terms, power = float(channels * prod(map(int, self.op.kernel_size)) + 2 * outputs), 2.0
        else:
            terms, power = self._taps_at_most, float(getattr(self.op, "norm_type", 1))
        return max(1, int(min(1 << 20, (self.rounding.unit.largest / terms) ** (1 / power))))

    def windows(self) -> list[Array]:
        """For every output of a plane the entries that it reads, as flat places in the input plane, in order."""
        joint = self._reads[0]
        for rows in self._reads[1:]:
            joint = np.kron(joint, rows)
        return [np.flatnonzero(row) for row in joint]

    @cached_property
    def _taps_at_most(self) -> float:
        return float(prod(rows.sum(axis=1).max() for rows in self._reads))

    def _along(self, array: Array, *, forward: bool) -> Array:
        """The number of entries that are 1 in the windows of outputs, or of outputs whose windows have an entry."""
        for axis, rows in enumerate(self._reads):
            matrix = rows if forward else rows.T
            place = array.ndim - len(self.sizes) + axis
            array = np.moveaxis(np.tensordot(matrix, array, axes=(1, place)), 0, place)
        return array


def _plain_kernel(op: Operator) -> Any:
    """A kernel that adds products as they are: sums of integers are exact."""
    if isinstance(op, PowerPool):
        return op.kernel()
    try:
        return compile(op, accuracy="exact_order")
    except ArgumentError:  # adaptive poolings add by halves
        return compile(op)
