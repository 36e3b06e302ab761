"""The Cook-Toom construction: exact transform matrices for F(m, r) and any distinct rational points."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TypeAlias

from symconv.derivations.winograd.certificate import TransformCertificate, certify
from symconv.errors import ArgumentError, SizeLimitError

__all__ = ["MAX_SIZE", "CookToom", "Matrix", "Point", "cook_toom", "default_points", "polynomial_from_roots"]

Matrix: TypeAlias = tuple[tuple[Fraction, ...], ...]
Point: TypeAlias = int | Fraction | str

MAX_SIZE = 32
"""The most multiplications m + r - 1. The exact check takes their square times m r steps, and long before this size the
transforms lose every digit of float64."""

_GROUPS = tuple(Fraction(*c) for c in ((2, 1), (3, 4), (4, 1), (3, 2), (3, 1), (5, 3), (5, 2)))
_TYPED = re.compile(r"[+-]?[0-9]{1,9}(/[0-9]{1,9}|\.[0-9]{1,9})?", re.ASCII)


@dataclass(frozen=True)
class CookToom:
    """F(m, r): `m` outputs of a correlation with `r` taps by ``m + r - 1`` multiplications.

    ``y = AT @ ((G @ g) * (BT @ d))`` is ``y[i] = sum_k g[k] d[i + k]`` for every kernel g of r taps and every tile d of
    m + r - 1 inputs; all indices start at 0. The last multiplication belongs to the point at infinity.

    Attributes:
        m: the number of outputs.
        r: the number of taps.
        points: the m + r - 2 finite points.
        AT: the output transform, m rows of m + r - 1.
        G: the kernel transform, m + r - 1 rows of r.
        BT: the input transform, m + r - 1 rows of m + r - 1.

    Example:
        >>> f = cook_toom(2, 3)
        >>> [[str(entry) for entry in row] for row in f.G]
        [['1', '0', '0'], ['1/2', '1/2', '1/2'], ['1/2', '-1/2', '1/2'], ['0', '0', '1']]
        >>> f.certificate.holds
        True
    """

    m: int
    r: int
    points: tuple[Fraction, ...]
    AT: Matrix
    G: Matrix
    BT: Matrix

    @property
    def size(self) -> int:
        """The number of multiplications, of inputs in a tile, and of points with the one at infinity."""
        return self.m + self.r - 1

    @cached_property
    def certificate(self) -> TransformCertificate:
        """The tensor identity ``sum_q AT[i,q] G[q,k] BT[q,j] = [j = i + k]``, checked entry by entry."""
        return certify(self.AT, self.G, self.BT)


def cook_toom(m: int, r: int, points: Iterable[Point] | None = None) -> CookToom:
    """The transforms of F(m, r) from the values of polynomials at m + r - 2 points and at infinity.

    Row q of `BT` holds the coefficients of ``M_q(x) = prod_{p != q} (x - a_p)``, its last row those of the product over
    all points; ``AT[i, q] = a_q^i`` and ``G[q, k] = a_q^k / M_q(a_q)``, the point at infinity keeping the highest power
    alone. The sign of row 0 of G and BT is turned where M_0(a_0) < 0, as in the published matrices.

    Args:
        m: the number of outputs, at least 1.
        r: the number of taps, at least 1.
        points: m + r - 2 distinct rational numbers (integers, fractions, or text such as "1/2"); `default_points`
            where left out.

    Raises:
        ArgumentError: for sizes below 1, a point that is no rational number, points that are not distinct, too few or
            too many of them.
        SizeLimitError: above `MAX_SIZE` multiplications.

    Source: Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, arXiv 1509.09308; the scaling is that of
    the program wincnn by Lavin.
    """
    for name, value in (("m", m), ("r", r)):
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ArgumentError(name, value, "must be an integer >= 1")
    size = m + r - 1
    if size > MAX_SIZE:
        raise SizeLimitError(
            f"F({m}, {r}) takes m + r - 1 = {size} multiplications, and the limit is {MAX_SIZE}; compute fewer outputs "
            "at once, or split the kernel"
        )
    chosen = default_points(size - 1) if points is None else _checked(points, m, r)
    # M_q(a_q), by which the Lagrange polynomial of a point is divided
    scales = [math.prod((a - b for b in chosen if b != a), start=Fraction(1)) for a in chosen]
    rows = [polynomial_from_roots([b for b in chosen if b != a]) for a in chosen]
    if scales and scales[0] < 0:
        scales[0] = -scales[0]
        rows[0] = tuple(-entry for entry in rows[0])
    return CookToom(
        m,
        r,
        chosen,
        AT=tuple((*(a**i for a in chosen), Fraction(i == m - 1)) for i in range(m)),
        G=(
            *(tuple(a**k / scale for k in range(r)) for a, scale in zip(chosen, scales, strict=True)),
            tuple(Fraction(k == r - 1) for k in range(r)),
        ),
        BT=(*((*row, Fraction(0)) for row in rows), polynomial_from_roots(chosen)),
    )


def default_points(count: int) -> tuple[Fraction, ...]:
    """The first of 0, 1, -1, 2, -2, 1/2, -1/2, 3/4, -3/4, 4/3, -4/3, 4, ...

    Zero and one cost nothing; after them c, -c, 1/c and -1/c stand together, whose polynomials share coefficients. The
    order of the groups is that of the least measured error (`symconv.derivations.winograd.accuracy`).

    Raises:
        SizeLimitError: for more than ``MAX_SIZE - 1`` points.

    Source: Barabasz, Anderson, Soodhalter and Gregg, Error Analysis and Improving the Accuracy of Winograd Convolution
    for Deep Neural Networks, arXiv 1803.10986 (small fractions and their reciprocals); Alam, Anderson, Barabasz and
    Gregg, arXiv 2201.10369 (groups of four).

    >>> [str(point) for point in default_points(7)]
    ['0', '1', '-1', '2', '-2', '1/2', '-1/2']
    """
    points = [Fraction(0), Fraction(1), Fraction(-1)]
    for c in _GROUPS:
        points += (c, -c, 1 / c, -1 / c)
    if count > len(points):
        raise SizeLimitError(f"there are {len(points)} default points, and {count} are asked for; give points")
    return tuple(points[:count])


def polynomial_from_roots(roots: Sequence[Fraction]) -> tuple[Fraction, ...]:
    """The coefficients of the product of all (x - root), from the constant term up.

    >>> [str(c) for c in polynomial_from_roots([Fraction(1), Fraction(-1)])]
    ['-1', '0', '1']
    """
    result = [Fraction(1)]
    for root in roots:
        result = [high - root * low for high, low in zip([Fraction(0), *result], [*result, Fraction(0)], strict=True)]
    return tuple(result)


def _checked(points: Iterable[Point], m: int, r: int) -> tuple[Fraction, ...]:
    """The points as fractions: rational, distinct, and as many as F(m, r) needs."""
    given = tuple(points)
    chosen = tuple(map(_rational, given))
    needed = m + r - 2
    if len(chosen) != needed:
        usual = ", ".join(map(str, default_points(needed)))
        raise ArgumentError(
            "points",
            given,
            f"must be m + r - 2 = {needed} finite points for F({m}, {r}), infinity being one more, not {len(chosen)}",
            f"for instance {usual}" if needed else "leave them out",
        )
    for position, value in enumerate(chosen):
        if value in chosen[:position]:
            raise ArgumentError("points", given, f"must be distinct, and {value} stands twice", "change one of them")
    return chosen


def _rational(point: Point) -> Fraction:
    """A point as a fraction; of text only short plain numbers are read, so that none is costly."""
    if isinstance(point, int | Fraction) and not isinstance(point, bool):
        return Fraction(point)
    if isinstance(point, str) and _TYPED.fullmatch(point.strip()):
        top, _, bottom = point.strip().partition("/")
        if not bottom or int(bottom):
            return Fraction(top) / int(bottom or 1)
    raise ArgumentError(
        "points",
        point,
        "must be finite rational numbers such as -2 or 1/2",
        "infinity is always one more; leave it out",
    )
