"""A candidate is checked on all of its entries, by the kernel of its operator."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np

from symconv.audits.candidate import Candidate, Orientation
from symconv.audits.explanation import Difference, Explanation
from symconv.audits.reading import Array
from symconv.audits.rounding import Rounding
from symconv.errors import SymconvError
from symconv.kernels.compile import compile
from symconv.kernels.runtime.contract import Kernel
from symconv.operators.adaptive import AdaptiveMaxPool
from symconv.operators.base import Operator
from symconv.operators.convolution import Conv
from symconv.operators.pooling import MaxPool
from symconv.operators.transposed import ConvTranspose

__all__ = ["applied", "checked", "kernel_of", "outcome"]


@lru_cache(maxsize=256)
def kernel_of(operator: Operator) -> Kernel:
    """The compiled operator."""
    return compile(operator)


def checked(candidate: Candidate, x: Array, weight: Array | None, y: Array, rounding: Rounding) -> Explanation | None:
    """The explanation that a candidate is; None where the operator does not take the arrays.

    Args:
        candidate: the operator and how it is applied; a bias that it has is found here.
        x, weight, y: the arrays as they were given.
        rounding: the arithmetic of the output.
    """
    orientation, operator = candidate.orientation, candidate.operator
    made = orientation.output(y)
    try:
        due, slack = outcome(operator, orientation, x, weight, rounding)
    except SymconvError:
        return None
    if due.shape != made.shape:
        return None
    if not rounding.exact:
        made = made.astype(np.float64)
    bias = None
    if getattr(operator, "bias", False):
        bias = _bias(made - due, exact=rounding.exact)
        due = due + bias.reshape(-1, *[1] * (made.ndim - 2))
        slack = 2 * slack.max(axis=(0, *range(2, made.ndim)), keepdims=True)  # of the entry, and of the bias found
    gap = np.abs(made - due)
    off = gap > slack
    return Explanation(
        operator,
        orientation.words,
        orientation.line(operator, x, weight, y, bias),
        fits=not off.any(),
        exact=not gap.any(),
        error=float(gap.max()),
        bias=bias,
        differences=_differences(orientation, y, off, due),
        off=int(off.sum()),
        bound=float(slack.max()),
        cost=candidate.cost,
    )


def outcome(
    operator: Operator, orientation: Orientation, x: Array, weight: Array | None, rounding: Rounding
) -> tuple[Array, Array]:
    """What an operator without its bias makes, (N, O, places), and how far an entry may be off.

    Raises:
        SymconvError: where it does not take the arrays.
    """
    given = orientation.input(x)
    if weight is not None:
        assert isinstance(operator, Conv | ConvTranspose)
        kernel, filters = kernel_of(replace(operator, bias=False)), orientation.filter(weight)
        if rounding.exact:
            due = kernel(given, filters)
            return due, np.zeros(due.shape)
        wide, wide_filters = given.astype(np.float64), filters.astype(np.float64)
        due, sizes = kernel(wide, wide_filters), kernel(np.abs(wide), np.abs(wide_filters))
        own = kernel.error_bound(wide, wide_filters).values
        return due, rounding.slack(sizes, filters[0].size + 1) + own
    kernel = kernel_of(operator)
    if isinstance(operator, MaxPool | AdaptiveMaxPool):
        due = kernel(given)
        return due, np.zeros(due.shape)
    wide = given.astype(np.float64)
    own = kernel.error_bound(wide).values
    if rounding.unit is not None:
        own = own + kernel.error_bound(wide.astype(rounding.unit.name)).values
    return kernel(wide), own


def applied(candidate: Candidate, shape: tuple[int, ...], x: Array, weight: Array | None) -> Array:
    """What a candidate without its bias makes of further arrays, in the shape and order of the output.

    Args:
        candidate: the operator and how it is applied.
        shape: the shape of the output.
        x, weight: the arrays, in the order of those that were given.
    """
    exact = Rounding.of(x) if weight is None else Rounding.of(x, weight)
    due, _ = outcome(candidate.operator, candidate.orientation, x, weight, exact)
    made = np.empty(shape, dtype=due.dtype)
    made.flat[candidate.orientation.output(np.arange(made.size).reshape(shape))] = due
    return made


def _bias(gaps: Array, exact: bool) -> Array:
    """The constant of every output channel that comes nearest to what is missing."""
    axes = (0, *range(2, gaps.ndim))
    if exact:
        values: Array = np.median(gaps, axis=axes)
        return values.astype(gaps.dtype)
    return np.asarray((gaps.max(axis=axes) + gaps.min(axis=axes)) / 2)


def _differences(orientation: Orientation, y: Array, off: Array, due: Array) -> tuple[Difference, ...]:
    """The entries that are off, at their places in the array as it was given, in its order."""
    flat = orientation.output(np.arange(y.size).reshape(y.shape))[off]
    order = np.argsort(flat)[: Explanation.MOST]
    wrong = due[off]
    return tuple(
        Difference(tuple(map(int, np.unravel_index(flat[i], y.shape))), y.flat[flat[i]].item(), wrong[i].item())
        for i in order
    )
