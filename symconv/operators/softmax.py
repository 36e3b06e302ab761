"""Softmax: positive numbers that sum to 1, and in the order of the entries."""

from __future__ import annotations

from dataclasses import dataclass

from symconv.formulas.algebra import Applied, Node, Power, const, product
from symconv.formulas.functions import EXP
from symconv.operators.frame import Geometry
from symconv.operators.vectors import OfVector

__all__ = ["Softmax"]


@dataclass(frozen=True, repr=False)
class Softmax(OfVector):
    """The powers of e of all entries of a vector, divided by their sum: ``c[p] = e^a[p] / sum over j of e^a[j]``.

    >>> print(Softmax().output())
    c[p] = e^(a[p])/(∑(j = 0 … I − 1) e^(a[j]))
    """

    @property
    def noun(self) -> str:
        return "softmax"

    @property
    def phrase(self) -> str:
        return "a softmax"

    def body(self, geometry: Geometry) -> Node:
        own = Applied(EXP, self.entry(geometry, self.place(geometry)))
        return product(own, Power(self.powers(geometry), const(-1)))
