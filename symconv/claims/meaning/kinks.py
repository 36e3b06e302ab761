"""Where a derivative does not exist it counts as something, by a convention that is said.

Of |x| at 0 and of a root at 0 it counts as 0; of a maximum that several entries share, as that of the first of them,
where the layer has no option that decides it; where a layer refuses ties, a line says nothing of them. What such a
derivative is made of, signs and shares, jumps there: its own derivative counts as 0, and so does that of a comparison.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypeAlias

from symconv.claims.meaning.obligations import ClaimNeed, Path, Unmet
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
    add,
    const,
    product,
)
from symconv.formulas.walker import case
from symconv.formulas.walks import accesses, children
from symconv.proofs.needs import Need, Valued
from symconv.proofs.windows import ONE_WINNER, may_tie, one_winner, said_of

__all__ = ["Ties", "kinks"]

Ties: TypeAlias = Literal["declared", "refused", "undeclared"]
"""What a layer says of several equal maxima: which takes the gradient, that there is none, or nothing."""

_CONVENTIONS = {
    "declared": "of equal minima the gradient goes as of equal maxima",  # of minima a layer says nothing
    "refused": "{one_winner}",
    "undeclared": "of equal {op}ima the first one takes the gradient",
}


def kinks(node: Node, tensor: str, path: Path, *, ties: Ties, declared: bool) -> Iterator[ClaimNeed]:
    """The conventions of a derivative of a tree by a tensor, in reading order.

    Args:
        node: the tree.
        tensor: the letter of the tensor.
        path: what leads there.
        ties: whether it is declared which of several equal maxima takes the gradient, or that none does.
        declared: whether it is declared what the derivative of max(0, x) is at 0; where it is not, there is none.
    """
    return _Kinks(tensor, path, ties, declared).visit(node)


class _Kinks(FormulaWalker[Iterator[ClaimNeed]]):
    """The conventions of a tree; what does not read the tensor has the derivative 0, and needs none."""

    def __init__(self, tensor: str, path: Path, ties: Ties, declared: bool) -> None:
        self.tensor, self.path, self.ties, self.declared = tensor, path, ties, declared

    def visit(self, node: Node) -> Iterator[ClaimNeed]:
        found = super().visit(node)
        return found if accesses(node, self.tensor) else iter(())

    @case(Constant, Scalar, Access, Bracket, Plus, Multiply, Named)
    def _smooth(self, node: Node) -> Iterator[ClaimNeed]:
        for part in children(node):
            yield from self.visit(part)

    @case(Absolute)
    def _absolute(self, node: Absolute) -> Iterator[ClaimNeed]:
        yield self._kink(node.arg, "the derivative of |x| at x = 0 counts as 0")
        yield from self.visit(node.arg)

    @case(Applied)
    def _applied(self, node: Applied) -> Iterator[ClaimNeed]:
        """Where nothing is said of the derivative at a kink, a line says nothing there."""
        if node.function.kink and not self.declared:
            need = Need(self.path.steps, Valued(node.arg, const(-1)))
            yield ClaimNeed(need, "silent", "", "", condition=said_of(need))
        yield from self.visit(node.arg)

    @case(Power)
    def _power(self, node: Power) -> Iterator[ClaimNeed]:
        """No exponent reads the tensor: there is no derivative of such a power here."""
        exponent, base = node.exponent, node.base
        if not (isinstance(exponent, Constant) and exponent.value.denominator == 1):
            yield self._kink(base, "the derivative of a norm or root at 0 counts as 0")
        if isinstance(exponent, Constant) and exponent.value > 1 and isinstance(base, Absolute):
            base = base.arg  # |x|^n has the derivative 0 at 0
        yield from self.visit(base)

    @case(Sign)
    def _sign(self, node: Sign) -> Iterator[ClaimNeed]:
        yield self._kink(node.arg, "the derivative of sign(x) at x = 0 counts as 0")

    @case(Compare)
    def _compare(self, node: Compare) -> Iterator[ClaimNeed]:
        apart = add(node.left, product(const(-1), node.right))
        yield self._kink(apart, "the derivative of a comparison of equal numbers counts as 0")

    @case(Reduce)
    def _reduce(self, node: Reduce) -> Iterator[ClaimNeed]:
        if node.op != "sum" and (self.ties != "declared" or node.op == "min"):
            yield from self._tie(node, _CONVENTIONS[self.ties].format(op=node.op, one_winner=ONE_WINNER[node.op]))
        inner = self.path.then(*node.bounds, *node.guards)
        yield from _Kinks(self.tensor, inner, self.ties, self.declared).visit(node.body)

    @case(Share)
    def _share(self, node: Share) -> Iterator[ClaimNeed]:
        gradient = "the derivative of a gradient where entries tie counts as 0"
        yield from self._tie(node.reduce, ONE_WINNER[node.reduce.op] if self.ties == "refused" else gradient)

    def _tie(self, node: Reduce, convention: str) -> Iterator[ClaimNeed]:
        unmet: Unmet = "silent" if self.ties == "refused" else "convention"
        if may_tie(node):
            yield ClaimNeed(Need(self.path.steps, one_winner(node)), unmet, "", "", condition=convention)

    def _kink(self, node: Node, convention: str) -> ClaimNeed:
        need = Need(self.path.steps, Valued(node, const(-1)))
        return ClaimNeed(need, "convention", "", "", condition=convention)
