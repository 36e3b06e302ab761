"""Interpolation by positions: which places of an axis an output of a resized one is made of.

Source: the schema of ONNX's Resize (opset 19); PyTorch's ``interpolate`` is the same under other names.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import ceil, floor

from symconv.errors import NotSupportedError
from symconv.operators.networks.staircase import Staircase

__all__ = ["interpolated"]

_NEAREST: dict[str, Callable[[Fraction], int]] = {
    "round_prefer_floor": lambda place: ceil(place - Fraction(1, 2)),
    "round_prefer_ceil": lambda place: floor(place + Fraction(1, 2)),
    "floor": floor,
    "ceil": ceil,
}
_BEYOND = {"linear": (0, 0), "cubic": (1, 1)}


def interpolated(
    before: int, after: int, scale: Fraction, mode: str, coordinates: str, nearest: str = "round_prefer_floor"
) -> tuple[Staircase, Staircase]:
    """The first and the last place that an output is made of, without regard to the ends of the axis.

    Args:
        before, after: the sizes.
        scale: how many outputs there are for a place, as the model has it.
        mode: "nearest", "linear" or "cubic".
        coordinates: "half_pixel", "pytorch_half_pixel", "asymmetric" or "align_corners".
        nearest: how a place between two is rounded.

    Raises:
        NotSupportedError: for another word; SizeLimitError where the places repeat only after very many outputs.
    """
    if coordinates == "align_corners":
        slope = Fraction(before - 1, after - 1) if after > 1 else Fraction(0)
        shift = Fraction(0)
    elif coordinates == "asymmetric":
        slope, shift = 1 / scale, Fraction(0)
    elif coordinates in ("half_pixel", "pytorch_half_pixel"):
        slope = 1 / scale
        shift = slope / 2 - Fraction(1, 2)
        if coordinates == "pytorch_half_pixel" and after == 1:
            slope, shift = Fraction(0), Fraction(0)
    else:
        raise NotSupportedError(f"coordinates are transformed by {coordinates}, which is not known here")
    if mode == "nearest" and nearest in _NEAREST:
        ends = (_NEAREST[nearest], _NEAREST[nearest])
    elif mode in _BEYOND:
        low, high = _BEYOND[mode]
        ends = (lambda place: floor(place) - low, lambda place: ceil(place) + high)
    else:
        raise NotSupportedError(f"interpolation by {mode} {nearest if mode == 'nearest' else ''} is not known here")
    period, rise = slope.denominator, slope.numerator
    first, last = (Staircase.of(lambda o, end=end: end(slope * o + shift), period, rise) for end in ends)  # type: ignore[misc]
    return first, last
