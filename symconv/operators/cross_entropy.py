"""The loss of a classifier: `CrossEntropy`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from symconv.errors import ArgumentError
from symconv.formulas.algebra import Access, Applied, Node, add, const, product, summation
from symconv.formulas.functions import EXP, LN
from symconv.formulas.index import Index
from symconv.formulas.naming import fresh_name
from symconv.operators.frame import Geometry
from symconv.operators.kinds import Flag
from symconv.operators.losses import Loss
from symconv.operators.option import Option
from symconv.operators.target import Target, entries_of

__all__ = ["CrossEntropy"]

TARGET = Option(Target(classes=True), "the target, which sums to 1; a letter y where it is left out", example="2")
FROM_LOGITS = Option(
    Flag(),
    "whether the input is scores, of which softmax is taken first, as in PyTorch; else it is the probabilities that "
    "softmax gives",
    noun="softmax of scores", neutral=False, example="true", known_as={"keras": "from_logits"},
)  # fmt: skip


@dataclass(frozen=True, repr=False)
class CrossEntropy(Loss):
    """The cross-entropy of a vector of probabilities and a target: ``c = -(sum over i of y[i] ln a[i])``.

    With a class k for the target it is ``-ln a[k]``. The probabilities are those that a `Softmax` before it gives; with
    `from_logits` it takes the scores themselves, ``c = -(sum over i of y[i] (a[i] - ln(sum over j of e^a[j])))``, which
    is what PyTorch calls cross-entropy. Its gradient is then the prediction minus the target, for a target that sums
    to 1.

    >>> print(CrossEntropy(2).output())
    c = −ln(a[2])
    """

    target: Any = field(default=None, metadata=TARGET.metadata)
    from_logits: bool = field(default=False, metadata=FROM_LOGITS.metadata)

    ndim = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.target, tuple):
            total = sum(value for _, value in entries_of(self.target))
            if total != 1:
                raise ArgumentError("target", str(total), "must have entries that sum to 1")

    def _take_axes(self, axes: int) -> None:
        if axes != 1:
            raise ArgumentError("target", self.target, "must be a class or a vector")

    @property
    def noun(self) -> str:
        return "cross-entropy"

    @property
    def phrase(self) -> str:
        return "a cross-entropy"

    def body(self, geometry: Geometry) -> Node:
        def term(entry: Node, target: Node) -> Node:
            return product(target, self.logarithm(geometry, entry))

        if not self.from_logits or self.target is None:
            return product(const(-1), self.over_entries(geometry, term))
        plain = self.over_entries(geometry, lambda entry, target: product(target, entry))
        return add(self.total(geometry), product(const(-1), plain))  # the target sums to 1

    def logarithm(self, geometry: Geometry, entry: Node) -> Node:
        """The logarithm of the probability behind an entry."""
        return add(entry, product(const(-1), self.total(geometry))) if self.from_logits else Applied(LN, entry)

    def total(self, geometry: Geometry) -> Node:
        """The logarithm of the sum of the powers of e of all scores."""
        (bound,) = self.every(geometry)
        name = geometry.letters.input_index[1:2] or fresh_name("j", geometry.letters.names)
        every = replace(bound, name=name)
        return Applied(LN, summation(Applied(EXP, Access(geometry.letters.input, (Index.of(name),))), every))
