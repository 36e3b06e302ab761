"""The hyperbolic tangent: `Tanh` makes a number between -1 and 1 of every entry."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass

from symconv.formulas.algebra import Applied, Node
from symconv.formulas.functions import TANH
from symconv.operators.pointwise import Pointwise

__all__ = ["Tanh"]


@dataclass(frozen=True, repr=False)
class Tanh(Pointwise):
    """The hyperbolic tangent of every entry: ``c[p] = tanh(a[p])``.

    >>> print(Tanh().output())
    c[p] = tanh(a[p])
    """

    _: KW_ONLY
    ndim: int = 1

    @property
    def noun(self) -> str:
        return "tanh"

    @property
    def phrase(self) -> str:
        return "a tanh"

    def value(self, entry: Node) -> Node:
        return Applied(TANH, entry)
