"""Nested algorithms: the one-dimensional F(m, r) on every axis, their Kronecker products, and what they cost."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from symconv.derivations.winograd.certificate import TransformCertificate, certify
from symconv.derivations.winograd.toom_cook import CookToom, Matrix, Point, cook_toom
from symconv.errors import ArgumentError, SizeLimitError

__all__ = ["MAX_STEPS", "Cost", "Nested", "kronecker", "nested"]

MAX_STEPS = 10_000_000
"""The most multiplications of integers that the check of a Kronecker product entry by entry may take, a second."""


@dataclass(frozen=True)
class Cost:
    """Operations on numbers: a multiplication by 0, 1 or -1 is none, and nothing is shared between rows."""

    additions: int
    multiplications: int

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.additions + other.additions, self.multiplications + other.multiplications)


@dataclass(frozen=True)
class Nested:
    """F(m_1 x m_2, r_1 x r_2): an F(m, r) on every axis, on one axis the F(m, r) itself.

    On two axes ``Y = AT_1 @ ((G_1 @ g @ G_2.T) * (BT_1 @ d @ BT_2.T)) @ AT_2.T``.

    Attributes:
        axes: the algorithm of every axis.

    Example:
        >>> f = nested((2, 2), (3, 3))
        >>> f.multiplications, f.direct.multiplications, f.certificate.holds
        (16, 36, True)
    """

    axes: tuple[CookToom, ...]

    @property
    def outputs(self) -> tuple[int, ...]:
        """The outputs of a tile on every axis."""
        return tuple(axis.m for axis in self.axes)

    @property
    def taps(self) -> tuple[int, ...]:
        """The taps of the kernel on every axis."""
        return tuple(axis.r for axis in self.axes)

    @property
    def inputs(self) -> tuple[int, ...]:
        """The inputs of a tile on every axis."""
        return tuple(axis.size for axis in self.axes)

    @property
    def multiplications(self) -> int:
        """The multiplications of a transformed kernel with a transformed tile."""
        return math.prod(self.inputs)

    @property
    def name(self) -> str:
        """``F(4, 3)`` or ``F(4x4, 3x3)``."""
        return f"F({'x'.join(map(str, self.outputs))}, {'x'.join(map(str, self.taps))})"

    @property
    def is_small(self) -> bool:
        """Whether the Kronecker products can be checked entry by entry within `MAX_STEPS`."""
        return math.prod(axis.m * axis.r * axis.size**2 for axis in self.axes) <= MAX_STEPS

    @cached_property
    def certificate(self) -> TransformCertificate:
        """The tensor identity of the Kronecker products of the axes, checked entry by entry.

        Raises:
            SizeLimitError: above `MAX_STEPS`; the certificates of the axes together imply it at any size.
        """
        if len(self.axes) == 1:
            return self.axes[0].certificate
        if not self.is_small:
            raise SizeLimitError(
                f"the exact check of {self.name} takes more than {MAX_STEPS} products; take the certificates of its "
                "axes, which together imply it"
            )

        def reads(i: int, k: int) -> int:
            j, scale = 0, 1
            for axis in reversed(self.axes):
                (i, i_axis), (k, k_axis) = divmod(i, axis.m), divmod(k, axis.r)
                j, scale = j + (i_axis + k_axis) * scale, scale * axis.size
            return j

        outer, middle, inner = (kronecker([getattr(axis, name) for axis in self.axes]) for name in ("AT", "G", "BT"))
        return certify(outer, middle, inner, reads)

    @property
    def direct(self) -> Cost:
        """The sums written out: a multiplication for every output and tap."""
        outputs, taps = math.prod(self.outputs), math.prod(self.taps)
        return Cost(outputs * (taps - 1), outputs * taps)

    @property
    def kernel_transform(self) -> Cost:
        """The transform of a kernel, once for all its tiles."""
        return _along([axis.G for axis in self.axes])

    @property
    def input_transform(self) -> Cost:
        """The transform of a tile, once for all its kernels."""
        return _along([axis.BT for axis in self.axes])

    @property
    def output_transform(self) -> Cost:
        """The transform of the products to a tile of outputs."""
        return _along([axis.AT for axis in self.axes])


def nested(
    m: int | Sequence[int], r: int | Sequence[int], points: Sequence[Iterable[Point] | None] | None = None
) -> Nested:
    """The nested algorithm F(m_1 x m_2, r_1 x r_2), on one axis F(m, r).

    Args:
        m: the outputs on every axis; one number is one axis.
        r: the taps on every axis.
        points: for every axis its finite points, or None for the default ones.

    Raises:
        ArgumentError: for other than one or two axes, a different number of them, and whatever `cook_toom` refuses.
        SizeLimitError: above `symconv.derivations.winograd.toom_cook.MAX_SIZE` multiplications on an axis.

    Source: Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, arXiv 1509.09308, section 4.
    """
    outputs, taps = (tuple(v) if isinstance(v, Sequence) else (v,) for v in (m, r))
    if len(outputs) not in (1, 2):
        raise ArgumentError("m", m, "must have one or two axes", "give one number, or two such as 4x4")
    if len(taps) != len(outputs):
        raise ArgumentError("r", r, f"must have as many axes as m, {len(outputs)}")
    chosen = [None] * len(outputs) if points is None else list(points)
    if len(chosen) != len(outputs):
        raise ArgumentError("points", points, f"must hold one list an axis, {len(outputs)}")
    return Nested(tuple(cook_toom(*axis) for axis in zip(outputs, taps, chosen, strict=True)))


def kronecker(matrices: Sequence[Matrix]) -> Matrix:
    """The Kronecker product: row and column indices are flattened with the last matrix innermost."""
    result: Matrix = ((Fraction(1),),)
    for matrix in matrices:
        result = tuple(tuple(a * b for a in upper for b in lower) for upper in result for lower in matrix)
    return result


def _along(matrices: Sequence[Matrix]) -> Cost:
    """The cost of one matrix an axis, applied to all lines along the first axis, then along the second."""
    shape = [len(matrix[0]) for matrix in matrices]
    total = Cost(0, 0)
    for axis, matrix in enumerate(matrices):
        lines = math.prod(shape) // shape[axis]
        entries = [entry for row in matrix for entry in row if entry]
        # a row without entries gives 0 and takes no addition
        additions = len(entries) - sum(any(row) for row in matrix)
        total += Cost(additions * lines, sum(abs(entry) != 1 for entry in entries) * lines)
        shape[axis] = len(matrix)
    return total
