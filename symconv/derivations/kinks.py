"""Where a stated formula has no value or no derivative, in words: conditions that its derivations then rest on."""

from __future__ import annotations

from collections.abc import Iterator

from symconv.formulas.algebra import (
    Absolute,
    Access,
    Add,
    Bracket,
    Compare,
    Constant,
    FormulaWalker,
    Multiply,
    Named,
    Node,
    Power,
    Reduce,
    Scalar,
    Share,
    Sign,
)
from symconv.formulas.walker import case
from symconv.formulas.walks import accesses, children

__all__ = ["NO_ZERO", "kinks"]

NO_ZERO = "no division by 0"


def kinks(node: Node, tensor: str) -> tuple[str, ...]:
    """What a tree needs to have a derivative by the entries of a tensor; ties of maxima are ruled by shares.

    What a division or a root needs, the value itself needs, by whatever it is differentiated.
    """
    return tuple(dict.fromkeys(_Kinks(tensor).visit(node)))


class _Kinks(FormulaWalker[Iterator[str]]):
    """The conditions of a tree, in reading order."""

    def __init__(self, tensor: str) -> None:
        self.tensor = tensor

    @case(Constant, Scalar, Access, Add, Multiply, Bracket, Reduce, Share, Named)
    def _smooth(self, node: Node) -> Iterator[str]:
        for part in children(node):
            yield from self.visit(part)

    @case(Absolute)
    def _absolute(self, node: Absolute) -> Iterator[str]:
        if accesses(node, self.tensor):
            yield "no absolute value of 0 (there its derivative counts as 0)"
        yield from self.visit(node.arg)

    @case(Sign, Compare)
    def _jump(self, node: Node) -> Iterator[str]:
        if accesses(node, self.tensor):
            yield "no jump of a sign or comparison (there its derivative counts as 0)"
        yield from self._smooth(node)

    @case(Power)
    def _power(self, node: Power) -> Iterator[str]:
        exponent = node.exponent.value if isinstance(node.exponent, Constant) else None
        base = node.base
        if accesses(node) and (exponent is None or exponent.denominator != 1):
            yield "roots and fractional powers of positive numbers alone (at 0 the derivative counts as 0)"
        elif exponent is not None:
            if accesses(node) and exponent < 0:
                yield NO_ZERO
            if exponent > 1 and isinstance(base, Absolute):
                base = base.arg  # |x|^n has the derivative 0 at 0
        yield from self.visit(base)
        yield from self.visit(node.exponent)
