"""The leaky rectifier: `LeakyReLU` keeps what is positive, and a part of what is negative."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field, replace
from fractions import Fraction
from typing import Any

from symconv.formulas.algebra import Applied, Constant, Node, add, product
from symconv.formulas.function import Kink
from symconv.formulas.functions import NEGATIVE_PART, POSITIVE_PART
from symconv.operators.kinds import Rational, Word
from symconv.operators.option import Option
from symconv.operators.pointwise import Pointwise
from symconv.operators.relu import AT_ZERO

__all__ = ["LeakyReLU"]

_SIDES: dict[str, Kink] = {"undefined": "undefined", "slope": "left", "one": "right"}

NEGATIVE_SLOPE = Option(
    Rational(), "the slope of what is negative", noun="slope of negative entries", neutral=Fraction(0), example="0.2",
    known_as={"onnx": "alpha", "keras": "negative_slope"},
)  # fmt: skip
AT_ZERO_OF_TWO = replace(
    AT_ZERO,
    kind=Word(tuple(_SIDES)),
    words="the derivative at 0: left undefined, or the negative slope as PyTorch has it, or 1",
    example='"slope"',
)


@dataclass(frozen=True, repr=False)
class LeakyReLU(Pointwise):
    """The positive part of every entry and a part of the negative one: ``c[p] = max(0, a[p]) + s*min(0, a[p])``.

    At 0 it has no derivative unless the slope is 1: see `ReLU`.

    >>> print(LeakyReLU().output())
    c[p] = max(0, a[p]) + 1/100·min(0, a[p])
    """

    negative_slope: Any = field(default=Fraction(1, 100), metadata=NEGATIVE_SLOPE.metadata)
    at_zero: str = field(default="undefined", metadata=AT_ZERO_OF_TWO.metadata)
    _: KW_ONLY
    ndim: int = 1

    @property
    def phrase(self) -> str:
        return "a leaky ReLU"

    def kink_policy(self) -> Kink:
        return _SIDES[self.at_zero]

    def value(self, entry: Node) -> Node:
        slope = Constant(self.negative_slope)
        return add(Applied(POSITIVE_PART, entry), product(slope, Applied(NEGATIVE_PART, entry)))
