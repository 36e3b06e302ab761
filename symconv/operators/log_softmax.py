"""The logarithm of softmax, which a loss takes of it, without the powers of e that would overflow."""

from __future__ import annotations

from dataclasses import dataclass

from symconv.formulas.algebra import Applied, Node, add, const, product
from symconv.formulas.functions import LN
from symconv.operators.frame import Geometry
from symconv.operators.vectors import OfVector

__all__ = ["LogSoftmax"]


@dataclass(frozen=True, repr=False)
class LogSoftmax(OfVector):
    """The logarithms of a softmax: ``c[p] = a[p] - ln(sum over j of e^a[j])``.

    >>> print(LogSoftmax().output())
    c[p] = a[p] − ln(∑(j = 0 … I − 1) e^(a[j]))
    """

    @property
    def noun(self) -> str:
        return "logarithm of a softmax"

    @property
    def phrase(self) -> str:
        return f"the {self.noun}"

    def body(self, geometry: Geometry) -> Node:
        total = Applied(LN, self.powers(geometry))
        return add(self.entry(geometry, self.place(geometry)), product(const(-1), total))
