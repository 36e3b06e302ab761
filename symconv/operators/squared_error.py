"""The loss of a regression: `SquaredError`."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from symconv.formulas.algebra import Node, Power, add, const, product
from symconv.operators.frame import Geometry
from symconv.operators.losses import Loss
from symconv.operators.option import Option
from symconv.operators.target import Target

__all__ = ["SquaredError"]

TARGET = Option(Target(), "the target, of the shape of the input; a letter y where it is left out", example="[1, 0]")


@dataclass(frozen=True, repr=False)
class SquaredError(Loss):
    """The sum of the squares of all differences: ``c = sum over i of (a[i] - y[i])^2``.

    It is PyTorch's ``MSELoss(reduction="sum")``: neither halved nor divided by the number of entries.

    >>> print(SquaredError().output())
    c = ∑(i = 0 … I − 1) (a[i] − y[i])^2
    """

    target: Any = field(default=None, metadata=TARGET.metadata)
    _: KW_ONLY
    ndim: int = 1

    def _take_axes(self, axes: int) -> None:
        object.__setattr__(self, "ndim", axes)

    @property
    def noun(self) -> str:
        return "squared error"

    @property
    def phrase(self) -> str:
        return "a squared error"

    def body(self, geometry: Geometry) -> Node:
        return self.over_entries(
            geometry, lambda entry, target: Power(add(entry, product(const(-1), target)), const(2))
        )
