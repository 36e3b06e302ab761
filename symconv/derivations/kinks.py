"""Where a stated formula has no value or no derivative, in words: conditions that its derivations then rest on."""

from __future__ import annotations

from collections.abc import Iterator

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
from symconv.formulas.function import Kink
from symconv.formulas.images import is_always_positive
from symconv.formulas.walker import case
from symconv.formulas.walks import accesses, children
from symconv.proofs.windows import NO_ENTRY, NO_KINK, NO_ZERO, POSITIVE

__all__ = ["kinks"]


def kinks(
    node: Node, tensor: str, known: Knowledge, rule: Kink, reals: frozenset[str] = frozenset()
) -> tuple[str, ...]:
    """What a tree needs to have a derivative by the entries of a tensor; ties of maxima are ruled by shares.

    What a division or a root needs, the value itself needs, by whatever it is differentiated.

    Args:
        node: the tree.
        tensor: the tensor by whose entries it is differentiated.
        known: what is known of sizes and indices.
        rule: what the derivative of max(0, x) is at 0.
        reals: the names that are no integers.
    """
    return tuple(dict.fromkeys(_Kinks(tensor, known, rule, reals).visit(node)))


class _Kinks(FormulaWalker[Iterator[str]]):
    """The conditions of a tree, in reading order."""

    def __init__(self, tensor: str, known: Knowledge, rule: Kink, reals: frozenset[str]) -> None:
        self.tensor, self.known, self.rule, self.reals = tensor, known, rule, reals

    @case(Reduce)
    def _reduce(self, node: Reduce) -> Iterator[str]:
        inner = self.known.within(node.bounds)
        yield from _Kinks(self.tensor, inner, self.rule, self.reals).visit(node.body)

    @case(Constant, Scalar, Access, Plus, Multiply, Bracket, Share, Named)
    def _smooth(self, node: Node) -> Iterator[str]:
        for part in children(node):
            yield from self.visit(part)

    @case(Absolute)
    def _absolute(self, node: Absolute) -> Iterator[str]:
        if accesses(node, self.tensor):
            yield "no absolute value of 0 (there its derivative counts as 0)"
        yield from self.visit(node.arg)

    @case(Applied)
    def _apply(self, node: Applied) -> Iterator[str]:
        if node.function.kink and accesses(node, self.tensor):
            words = NO_ENTRY if isinstance(node.arg, Access) else NO_KINK
            side = "" if self.rule == "undefined" else f" (there the derivative counts as that from the {self.rule})"
            yield words + side
        if node.function.domain == "positive" and not is_always_positive(node.arg, self.known):
            yield POSITIVE
        yield from self.visit(node.arg)

    @case(Sign, Compare)
    def _jump(self, node: Node) -> Iterator[str]:
        if accesses(node, self.tensor):
            yield "no jump of a sign or comparison (there its derivative counts as 0)"
        yield from self._smooth(node)

    @case(Power)
    def _power(self, node: Power) -> Iterator[str]:
        base, least = node.base, self._least(node.exponent)
        if accesses(node) and least is None:
            yield "roots and fractional powers of positive numbers alone (at 0 the derivative counts as 0)"
        elif least is not None:
            if accesses(node) and least < 0 and not is_always_positive(base, self.known):
                yield NO_ZERO
            if least > 1 and isinstance(base, Absolute):
                base = base.arg  # |x|^n has the derivative 0 at 0
        yield from self.visit(base)
        yield from self.visit(node.exponent)

    def _least(self, exponent: Node) -> int | None:
        """A least value of an integer exponent: itself, 2 or 0; -1 where it may be negative, None for no integer."""
        if isinstance(exponent, Constant):
            return int(exponent.value) if exponent.value.denominator == 1 else None
        if not isinstance(exponent, Scalar) or exponent.index.names & self.reals:
            return None
        return next((low for low in (2, 0) if self.known.nonnegative(exponent.index - low)), -1)
