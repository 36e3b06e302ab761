"""The rectifier: `ReLU` keeps what is positive."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field

from symconv.formulas.algebra import Applied, Node
from symconv.formulas.function import Kink
from symconv.formulas.functions import POSITIVE_PART
from symconv.operators.kinds import Word
from symconv.operators.option import Option
from symconv.operators.pointwise import Pointwise

__all__ = ["ReLU"]

_SIDES: dict[str, Kink] = {"undefined": "undefined", "zero": "left", "one": "right"}

AT_ZERO = Option(
    Word(tuple(_SIDES)),
    "the derivative at 0: left undefined, or 0 as PyTorch, TensorFlow and JAX have it, or 1",
    noun="derivative at 0",
    neutral="undefined",
    example='"zero"',
)


@dataclass(frozen=True, repr=False)
class ReLU(Pointwise):
    """The positive part of every entry: ``c[p] = max(0, a[p])``.

    At 0 it has no derivative. Where `at_zero` leaves it undefined, derivations hold under the condition that no entry
    is 0, exact values refuse an entry of 0, and kernels give NaN there; with "zero" or "one" that number is taken. An
    upstream gradient of 0 passes on 0 whatever the entry is.

    >>> print(ReLU().output())
    c[p] = max(0, a[p])
    """

    at_zero: str = field(default="undefined", metadata=AT_ZERO.metadata)
    _: KW_ONLY
    ndim: int = 1

    @property
    def phrase(self) -> str:
        return "a ReLU"

    def kink_policy(self) -> Kink:
        return _SIDES[self.at_zero]

    def value(self, entry: Node) -> Node:
        return Applied(POSITIVE_PART, entry)
