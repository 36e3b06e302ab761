"""The logistic function: `Sigmoid` makes a number between 0 and 1 of every entry."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass

from symconv.formulas.algebra import Applied, Node
from symconv.formulas.functions import SIGMOID
from symconv.operators.pointwise import Pointwise

__all__ = ["Sigmoid"]


@dataclass(frozen=True, repr=False)
class Sigmoid(Pointwise):
    """The logistic function of every entry: ``c[p] = σ(a[p])`` with ``σ(x) = 1/(1 + e^-x)``.

    >>> print(Sigmoid().output())
    c[p] = σ(a[p])
    """

    _: KW_ONLY
    ndim: int = 1

    @property
    def noun(self) -> str:
        return "sigmoid"

    @property
    def phrase(self) -> str:
        return "a sigmoid"

    def value(self, entry: Node) -> Node:
        return Applied(SIGMOID, entry)
