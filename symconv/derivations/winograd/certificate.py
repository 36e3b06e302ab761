"""The certificate of a bilinear algorithm for a correlation: its tensor identity, checked exactly."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

__all__ = ["Defect", "TransformCertificate", "certify"]

Rows = Sequence[Sequence[Fraction]]


@dataclass(frozen=True)
class Defect:
    """An entry (i, k, j) of the tensor that is not what a correlation needs."""

    index: tuple[int, int, int]
    found: Fraction
    needed: Fraction


@dataclass(frozen=True)
class TransformCertificate:
    """What an exact check of ``sum_q AT[i,q] G[q,k] BT[q,j] = [j = i + k]`` has found.

    Attributes:
        shape: the numbers of outputs i, taps k and inputs j; all triples were compared, up to a defect.
        defect: the first triple where the two sides differ; None where there is none.
    """

    shape: tuple[int, int, int]
    defect: Defect | None = None

    @property
    def holds(self) -> bool:
        """Whether all entries agree."""
        return self.defect is None

    @property
    def entries(self) -> int:
        """The number of triples (i, k, j)."""
        return math.prod(self.shape)


def certify(AT: Rows, G: Rows, BT: Rows, reads: Callable[[int, int], int] = int.__add__) -> TransformCertificate:
    """Check ``sum_q AT[i,q] G[q,k] BT[q,j] = [j = i + k]`` for all i, k, j in exact arithmetic.

    It is equivalent to ``AT @ ((G @ g) * (BT @ d))`` being the correlation ``y[i] = sum_k g[k] d[i + k]`` for all g and
    d, because an expression that is linear in g and in d is zero only where all its coefficients are.

    Args:
        AT: the output transform, a row an output.
        G: the kernel transform, a column a tap.
        BT: the input transform, a column an input.
        reads: the input that output i reads at tap k, where that is not i + k: with more axes the indices are flat.
    """
    (outer, outputs), (middle, taps), (inner, inputs) = map(_integers, (AT, G, BT))
    one = outer * middle * inner
    shape = (len(outputs), len(taps[0]), len(inputs[0]))
    for i, row in enumerate(outputs):
        for k in range(shape[1]):
            entries = [0] * shape[2]
            for a, kernel, tile in zip(row, taps, inputs, strict=True):
                weight = a * kernel[k]
                if weight:
                    entries = [entry + weight * b for entry, b in zip(entries, tile, strict=True)]
            needed = [0] * shape[2]
            needed[reads(i, k)] = one
            if entries != needed:
                j = next(j for j, (entry, right) in enumerate(zip(entries, needed, strict=True)) if entry != right)
                return TransformCertificate(
                    shape, Defect((i, k, j), Fraction(entries[j], one), Fraction(needed[j], one))
                )
    return TransformCertificate(shape)


def _integers(rows: Rows) -> tuple[int, list[list[int]]]:
    """A common denominator and the numerators over it."""
    common = math.lcm(*(entry.denominator for row in rows for entry in row))
    return common, [[int(entry * common) for entry in row] for row in rows]
