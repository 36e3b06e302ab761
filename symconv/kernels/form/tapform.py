"""The tap form of a formula: one output entry as an expression in the taps of its window.

The access ``a[h, s*p + D*m - P, ...]`` becomes the local entry ``a[h, m, ...]``, the taps of one window; which input
each of them reads moves into a `Walk` an axis. What is left says how an entry is computed, at any position: kernels,
their gradients and their plans are all made from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from symconv.formulas.algebra import Access, Bound, Node, Reduce
from symconv.formulas.formula import Formula
from symconv.formulas.index import Index
from symconv.kernels.form.reading import Walk

__all__ = ["KINDS", "Channels", "Kind", "TapForm"]

Kind: TypeAlias = Literal["correlation", "pooling"]
"""What the trees of a kind compute, see `KINDS`."""

KINDS: dict[Kind, str] = {
    "correlation": "a convolution: the sum over channels and taps of input times weight, and perhaps a bias",
    "pooling": "a pooling: a sum or a maximum over the taps of one plane, and what is made of that",
}


@dataclass(frozen=True)
class Channels:
    """Groups, and the channels of one group; `inputs` and `outputs` name the indices, where there is more than one.

    A channel index of the local form counts within its group.
    """

    groups: int
    per_group_in: int
    per_group_out: int
    input: str | None
    output: str | None

    @property
    def total_in(self) -> int:
        return self.groups * self.per_group_in

    @property
    def total_out(self) -> int:
        return self.groups * self.per_group_out


@dataclass(frozen=True)
class TapForm:
    """One output entry in its taps.

    Attributes:
        formula: the formula that this is the tap form of.
        body: the local tree: the input is accessed at ``(channel within the group, taps)``, a count that depends on
            the position along axis j is the entry ``r<j>``.
        walks: how each spatial axis is read.
        channels: how the channels are grouped; None for an operator that takes one plane at a time.
        counts: the counts of the formula by the axis that they depend on.
        ties: the tie policy of its maxima, or "set".
        kind: what kind of formula it is, by its tree; None for one that no plan computes.
    """

    formula: Formula
    body: Node
    walks: tuple[Walk, ...]
    channels: Channels | None
    counts: tuple[tuple[int, Reduce], ...]
    ties: Literal["first", "split", "set"]
    kind: Kind | None = None

    @property
    def picks(self) -> bool:
        """Whether an output is one of the entries of its window, which a call can say the place of."""
        body = self.body
        return isinstance(body, Reduce) and body.op == "max" and isinstance(body.body, Access)

    def letter(self, role: str) -> str | None:
        """The letter of the tensor with a role, or None."""
        return next((tensor.name for tensor in self.formula.tensors if tensor.role == role), None)

    @property
    def input(self) -> str:
        """The letter of the input."""
        name = self.letter("input")
        assert name is not None
        return name

    @property
    def layer(self) -> Channels:
        """The channels, of a form that has some: that of a convolution."""
        assert self.channels is not None
        return self.channels

    @property
    def taps(self) -> tuple[Bound, ...]:
        """The tap indices with their ranges, one a spatial axis."""
        return tuple(Bound(w.tap, Index.of(0), Index.of(w.taps - 1)) for w in self.walks)
