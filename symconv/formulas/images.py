"""What the values of a tree are known to be by how it is built, whatever stands in the tensors."""

from __future__ import annotations

from symconv.formulas.algebra import (
    Absolute,
    Access,
    Applied,
    Bracket,
    Compare,
    Constant,
    FormulaWalker,
    Multiply,
    Named,
    Node,
    Plus,
    Power,
    Reduce,
    Scalar,
    Share,
    Sign,
)
from symconv.formulas.bounds import Knowledge
from symconv.formulas.walker import case
from symconv.formulas.walks import children

__all__ = ["is_always_positive"]


def is_always_positive(node: Node, known: Knowledge) -> bool:
    """Whether a tree is positive whatever its tensors hold, as a sum of powers of e is; False says nothing."""
    return _AlwaysPositive(known).visit(node)


class _AlwaysPositive(FormulaWalker[bool]):
    """Whether a tree is positive where certain sizes and indices are known."""

    def __init__(self, known: Knowledge) -> None:
        self.known = known

    @case(Constant)
    def _constant(self, node: Constant) -> bool:
        return node.value > 0

    @case(Scalar)
    def _scalar(self, node: Scalar) -> bool:
        return self.known.nonnegative(node.index - 1)

    @case(Applied)
    def _apply(self, node: Applied) -> bool:
        return node.function.image == "positive"

    @case(Plus, Multiply, Named)
    def _parts(self, node: Node) -> bool:
        return all(map(self.visit, children(node)))

    @case(Power)
    def _power(self, node: Power) -> bool:
        return self.visit(node.base)

    @case(Reduce)
    def _reduce(self, node: Reduce) -> bool:
        filled = not node.guards and all(self.known.nonnegative(b.upper - b.lower) for b in node.bounds)
        return filled and _AlwaysPositive(self.known.within(node.bounds)).visit(node.body)

    @case(Access, Absolute, Sign, Bracket, Compare, Share)
    def _other(self, node: Node) -> bool:
        return False
