"""One test vector, and all of an operator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from symconv.audits.reading import Array
from symconv.audits.trials import Trial
from symconv.operators.base import Operator

__all__ = ["Vector", "VectorSet"]


@dataclass(frozen=True)
class Vector:
    """What an operator is called with, and what it has to give.

    Attributes:
        name: a short name, such as "01_small_integers".
        sizes: the spatial input size.
        trial: the arguments, (N, C, places) and so on, and the upstream gradient; whole numbers, NaN and infinities.
        due: "output", and "grad_input" and so on where there is an upstream gradient: exact values rounded once to
            float64; norms, which have roots, and what is made of NaN and infinities come from a kernel in float64.
        tolerance: for every type that holds the arguments exactly, how far the entries of each of `due` may be off;
            0 where sums in any order are exact in it.
    """

    name: str
    sizes: tuple[int, ...]
    trial: Trial
    due: Mapping[str, Array]
    tolerance: Mapping[str, Mapping[str, float]]

    @property
    def finite(self) -> bool:
        """Whether it is about numbers alone, without NaN and infinities."""
        return not self.trial.words.startswith(("NaN", "infinity", "minus infinity"))


@dataclass(frozen=True)
class VectorSet:
    """The test vectors of an operator.

    Attributes:
        operator: the operator.
        vectors: the vectors, those of the size that tells most first.
        told: operators with one option changed, and the name of the first vector that tells each from the operator.
        untold: those that none tells apart.
    """

    operator: Operator
    vectors: tuple[Vector, ...]
    told: tuple[tuple[Operator, str], ...]
    untold: tuple[Operator, ...]
