"""Checks of a derivative against the function it belongs to: central differences and the adjoint identity."""

from __future__ import annotations

from collections.abc import Callable

from oracles.tensors import Scalar, Tensor, full, indices


def dot(left: Tensor, right: Tensor) -> Scalar:
    """The sum of the products of the entries of two tensors of one shape."""
    if left.shape != right.shape:
        raise ValueError(f"shapes must be equal for a dot product, got {left.shape} and {right.shape}")
    return sum(value * right.values[index] for index, value in left.values.items())


def differences(function: Callable[[Tensor], Scalar], x: Tensor, step: Scalar = 1e-6) -> Tensor:
    """The central-difference gradient (f(x + h e) - f(x - h e)) / 2h, entry by entry.

    With a Fraction as step and rational values it is exact for a quadratic function.

    Example:
        >>> from fractions import Fraction
        >>> from oracles.tensors import tensor
        >>> differences(lambda t: t[0,] * t[1,], tensor([3, 5]), Fraction(1, 2)) == tensor([5, 3])
        True
    """
    slopes: dict[tuple[int, ...], Scalar] = {}
    for index, value in x.values.items():
        above = function(x.with_value(index, value + step))
        below = function(x.with_value(index, value - step))
        slopes[index] = (above - below) / (2 * step)
    return Tensor(x.shape, slopes)


def worst_gap(left: Tensor, right: Tensor) -> float:
    """max |left - right| / max(1, |right|) over all entries; infinite where only one of the two is NaN.

    Example:
        >>> from oracles.tensors import tensor
        >>> worst_gap(tensor([1, 30.0]), tensor([1, 20.0]))
        0.5
    """
    if left.shape != right.shape:
        raise ValueError(f"shapes must be equal to compare, got {left.shape} and {right.shape}")
    worst = 0.0
    for index, value in left.values.items():
        other = right.values[index]
        both_nan = value != value and other != other
        if both_nan or value == other:
            continue
        gap = abs(float(value - other)) / max(1.0, abs(float(other)))
        worst = max(worst, float("inf") if gap != gap else gap)
    return worst


def adjoint_gap(
    forward: Callable[[Tensor], Tensor], adjoint: Callable[[Tensor], Tensor], x: Tensor, y: Tensor
) -> Scalar:
    """<F x, y> - <x, F^T y>: 0, exactly over integers and fractions, when `adjoint` is the transpose of `forward`."""
    return dot(forward(x), y) - dot(x, adjoint(y))


def jvp_from_vjp(vjp: Callable[[Tensor], Tensor], tangent: Tensor, output_shape: tuple[int, ...]) -> Tensor:
    """J t, one row of the Jacobian at a time: (J t)[o] = <vjp(e_o), t> with e_o the unit upstream gradient of output o.

    Slow and general: it serves every operator that has a vjp.
    """
    zero = full(output_shape, 0)
    return Tensor(output_shape, {o: dot(vjp(zero.with_value(o, 1)), tangent) for o in indices(output_shape)})
