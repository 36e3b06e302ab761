"""Measured accuracy of a nested algorithm in float16, float32 and float64, against exact rational sums."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from symconv.derivations.winograd.nested import Nested
from symconv.derivations.winograd.toom_cook import Matrix
from symconv.errors import ArgumentError

if TYPE_CHECKING:
    import numpy as np

__all__ = ["DTYPES", "Errors", "MeasuredError", "measure"]

DTYPES = {"float16": 11, "float32": 24, "float64": 53}
"""The formats and the bits of their significands."""


@dataclass(frozen=True)
class Errors:
    """Errors of outputs, in parts of the root mean square of the exact outputs; infinite after an overflow."""

    rms: float
    largest: float


@dataclass(frozen=True)
class MeasuredError:
    """The errors of an algorithm and of the direct sum on the same tiles."""

    dtype: str
    tiles: int
    direct: Errors
    winograd: Errors

    @property
    def ratio(self) -> float:
        """The root mean square error of the algorithm over that of the direct sum; NaN where that one is exact."""
        return self.winograd.rms / self.direct.rms if self.direct.rms else math.nan


def measure(algorithm: Nested, dtype: str, *, tiles: int = 200, seed: int = 0) -> MeasuredError:
    """Run an algorithm and the direct sum on random tiles, every single operation rounded to a format.

    The entries of tiles and kernels are drawn evenly from the numbers of the format in (-1, 1) that are multiples of
    its unit roundoff, so that none is rounded; the transforms are rounded once. Sums go from left to right, a zero
    entry of a transform being left out.

    Args:
        algorithm: the algorithm, on one or two axes.
        dtype: "float16", "float32" or "float64".
        tiles: how many tiles, each with a kernel of its own, at least 1.
        seed: of NumPy's default generator; the same seed gives the same numbers.

    Raises:
        ArgumentError: for another dtype or fewer tiles.
    """
    import numpy as np

    if dtype not in DTYPES:
        raise ArgumentError("dtype", dtype, f"must be one of {', '.join(DTYPES)}")
    if tiles < 1:
        raise ArgumentError("tiles", tiles, "must be an integer >= 1")
    bits = DTYPES[dtype]
    generator = np.random.default_rng(seed)

    def draw(shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
        return generator.integers(1 - 2**bits, 2**bits, (tiles, *shape))

    kernels, inputs = draw(algorithm.taps), draw(algorithm.inputs)
    exact = _direct(algorithm, kernels.astype(object), inputs.astype(object))
    unit = np.dtype(dtype).type(2.0**-bits)
    g, d = kernels.astype(dtype) * unit, inputs.astype(dtype) * unit
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        plain = _direct(algorithm, g, d)
        products = _along(algorithm, "G", g) * _along(algorithm, "BT", d)
        fast = _along(algorithm, "AT", products)
    scale = math.sqrt(sum(float(Fraction(value, 4**bits)) ** 2 for value in exact.flat) / exact.size) or 1.0
    return MeasuredError(dtype, tiles, _errors(plain, exact, bits, scale), _errors(fast, exact, bits, scale))


def _direct(algorithm: Nested, kernels: np.ndarray[Any, Any], inputs: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The correlation tap by tap; the first axis counts tiles."""
    import numpy as np

    total: Any = None
    for tap in np.ndindex(*algorithm.taps):
        window = tuple(slice(k, k + m) for k, m in zip(tap, algorithm.outputs, strict=True))
        weight = kernels[(slice(None), *tap)].reshape(-1, *(1 for _ in tap))
        term = weight * inputs[(slice(None), *window)]
        total = term if total is None else total + term
    return np.asarray(total)


def _along(algorithm: Nested, name: str, array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """One transform of every axis, applied along that axis."""
    for position, axis in enumerate(algorithm.axes, 1):
        array = _applied(getattr(axis, name), array, position)
    return array


def _applied(matrix: Matrix, array: np.ndarray[Any, Any], axis: int) -> np.ndarray[Any, Any]:
    """A matrix times the vectors along an axis; products and sums are rounded one by one."""
    import numpy as np

    lines = np.moveaxis(array, axis, 0)
    rows = []
    for row in matrix:
        total: Any = np.zeros_like(lines[0])
        terms = [line * array.dtype.type(_nearest(entry)) for entry, line in zip(row, lines, strict=True) if entry]
        for position, term in enumerate(terms):
            total = total + term if position else term
        rows.append(total)
    return np.moveaxis(np.stack(rows), 0, axis)


def _nearest(value: Fraction) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _errors(found: np.ndarray[Any, Any], exact: np.ndarray[Any, Any], bits: int, scale: float) -> Errors:
    """The differences, each taken exactly and then rounded."""
    differences = []
    for value, numerator in zip(found.flat, exact.flat, strict=True):
        number = float(value)
        if not math.isfinite(number):
            return Errors(math.inf, math.inf)
        differences.append(abs(float(Fraction(number) - Fraction(numerator, 4**bits))) / scale)
    return Errors(math.sqrt(math.fsum(d * d for d in differences) / len(differences)), max(differences))
