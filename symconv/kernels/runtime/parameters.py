"""The weight and the bias of a call: which of them must be given, in which type, and what integers may add up to."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.errors import ArgumentError, NotSupportedError
from symconv.kernels.runtime.arguments import Types, as_array
from symconv.kernels.runtime.padding import Array
from symconv.operators.base import Operator

__all__ = [
    "BoundWeight",
    "bias_gradient",
    "bias_of",
    "largest_of",
    "no_integers",
    "refuse_integers",
    "refuse_overflow",
    "refuse_sum",
    "weight_of",
]


class BoundWeight:
    """A weight given at compile time, never to be written to: as the user gave it, and as engines take it in each type.

    Attributes:
        weight, arranged: as the user gave it, and as engines take it.
    """

    def __init__(self, weight: Array, arranged: Array) -> None:
        weight.flags.writeable = arranged.flags.writeable = False
        self.weight, self.arranged = weight, arranged
        self._in_type: dict[Any, Array] = {}

    def in_type(self, dtype: npt.DTypeLike) -> Array:
        """The weight in a type; the same array every time, which must not be written to."""
        key = np.dtype(dtype)
        if key not in self._in_type:
            converted = self.arranged.astype(key, copy=False)
            converted.flags.writeable = False
            self._in_type[key] = converted
        return self._in_type[key]


def weight_of(op: Operator, has: bool, value: Any, bound: BoundWeight | None) -> Array | None:
    """The weight of a call as the user gave it, there if and only if the operator has one: bound or given.

    Raises:
        ArgumentError: where it is missing, or there twice or for nothing.
    """
    if bound is not None:
        if value is not None:
            raise ArgumentError("weight", type(value).__name__, "must be left out: it was bound by compile(weight=...)")
        return bound.weight
    if not has:
        if value is not None:
            raise ArgumentError("weight", type(value).__name__, f"must be left out: {op!r} has no weight")
        return None
    if value is None:
        raise ArgumentError("weight", None, f"must be given: {op!r} has a weight")
    return as_array("weight", value)


def bias_of(op: Operator, has: bool, value: Any, needed: bool) -> Array | None:
    """The bias of a call, there only if the operator has one; None where it is not needed and not given.

    Raises:
        ArgumentError: where it is missing, or there for nothing.
    """
    if value is not None:
        if not has:
            raise ArgumentError("bias", type(value).__name__, f"must be left out: {op!r} has no bias")
        return as_array("bias", value)
    if needed and has:
        raise ArgumentError("bias", None, f"must be given: {op!r} has a bias")
    return None


def bias_gradient(g: Array, ndim: int) -> Array:
    """The gradient of the bias, ``(out,)``: every output is its channel's bias plus terms without it.

    `g` is the upstream gradient as an engine has it, ``(batch, groups, out, *outputs)`` with `ndim` spatial axes.
    """
    summed: Array = g.sum(axis=(0, *range(-ndim, 0)), dtype=np.float64).reshape(-1)
    return summed


def refuse_integers(types: Types, x: Array, what: str) -> None:
    """Refuse integers where a derivative is asked for.

    Raises:
        NotSupportedError: for a call on integers.
    """
    if types.exact:
        raise NotSupportedError(f"{what} needs a floating dtype, got x of {x.dtype.name}; pass x.astype('float64')")


def refuse_overflow(x: Array, rows: Array, bias: Array | None) -> None:
    """Refuse integers where a sum might leave int64.

    Args:
        x: the input.
        rows: the weights, a row for everything that one output adds up.
        bias: the bias, or None.

    Raises:
        ArgumentError: where the largest entry times the largest row might.
    """
    if not x.size:
        return
    most = largest_of(x) * max(sum(abs(int(value)) for value in row) for row in rows.tolist())
    refuse_sum(x, most if bias is None else most + largest_of(bias))


def largest_of(x: Array) -> int:
    """The largest |x| of an array of integers; 0 where there is none."""
    return max(abs(int(x.min())), abs(int(x.max()))) if x.size else 0


def refuse_sum(x: Array, most: int) -> None:
    """Refuse integers of which an output might reach a number that int64 has no place for.

    Raises:
        ArgumentError: for such a number.
    """
    if most >= 1 << 63:
        raise ArgumentError(
            "x",
            x.dtype.name,
            f"must be small enough for sums in int64: an output might reach {most:.3g}",
            "pass x.astype('float64')",
        )


def no_integers(x: Array, why: str) -> ArgumentError:
    """The refusal of an array of integers whose result would be no integer."""
    return ArgumentError("x", x.dtype.name, f"must have a floating dtype: {why}", "pass x.astype('float64')")
