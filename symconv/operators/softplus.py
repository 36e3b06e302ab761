"""The soft rectifier: `Softplus` is a smooth form of max(0, x)."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass

from symconv.formulas.algebra import Applied, Node
from symconv.formulas.functions import SOFTPLUS
from symconv.operators.pointwise import Pointwise

__all__ = ["Softplus"]


@dataclass(frozen=True, repr=False)
class Softplus(Pointwise):
    """The soft rectifier of every entry: ``c[p] = ln(1 + e^a[p])``; its derivative is the logistic function σ.

    >>> print(Softplus().output())
    c[p] = ln(1 + e^(a[p]))
    """

    _: KW_ONLY
    ndim: int = 1

    @property
    def noun(self) -> str:
        return "softplus"

    @property
    def phrase(self) -> str:
        return "a softplus"

    def value(self, entry: Node) -> Node:
        return Applied(SOFTPLUS, entry)
