"""Windows of formulas that must hold something: an average over no tap, and a maximum over none, has no value.

Trees count both as something (0 and minus infinity); what a statement says of them is said under a condition.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from symconv.formulas.algebra import (
    Absolute,
    Access,
    Add,
    Bracket,
    Compare,
    Constant,
    FormulaWalker,
    Guard,
    Multiply,
    Named,
    Node,
    Power,
    Reduce,
    Scalar,
    Share,
    Sign,
)
from symconv.formulas.effort import Effort
from symconv.formulas.walker import case
from symconv.formulas.walks import children
from symconv.proofs.context import Window
from symconv.proofs.needs import Member, Need, Step
from symconv.proofs.signs import is_met
from symconv.proofs.smt import Solver
from symconv.proofs.statement import Statement

__all__ = ["FILLED", "averaged", "given_windows", "open_windows"]

FILLED = "every window holds an entry of the input"
"""The condition under which an average or a maximum over windows has a value everywhere."""


def open_windows(statement: Statement, effort: Effort) -> tuple[Need, ...]:
    """The windows of both sides that are not known to hold anything wherever their value is used."""
    solver = Solver(effort)
    found = dict.fromkeys(need for side in (statement.left, statement.right) for need in _Windows().visit(side))
    return tuple(need for need in found if not is_met(need, statement.all_hypotheses, statement.reals, solver))


def given_windows(statement: Statement) -> tuple[Window, ...]:
    """The windows that hold something at every point of a statement: what it needs, wherever its hypotheses hold."""
    known = set(statement.all_hypotheses)
    return tuple(
        (need.demand.bounds, need.demand.guards)
        for need in statement.needs
        if isinstance(need.demand, Member)
        and all(isinstance(step, Guard) and (step in known or step.truth is True) for step in need.path)
    )


def averaged(node: Node, path: tuple[Step, ...]) -> Iterator[Need]:
    """The counts that a sum of products divides by: none of them may be over nothing."""
    if isinstance(node, Multiply | Add):
        for part in node.args:
            yield from averaged(part, path)
        return
    count = _divisor(node)
    if isinstance(count, Reduce):
        yield Need(path, Member(count.bounds, count.guards))


def _divisor(node: Node) -> Node | None:
    """What a power divides by; None for any other node."""
    negative = isinstance(node, Power) and isinstance(node.exponent, Constant) and node.exponent.value < 0
    return node.base if isinstance(node, Power) and negative else None


@dataclass(frozen=True)
class _Windows(FormulaWalker[Iterator[Need]]):
    """The windows in a tree, each with the sums and conditions that lead to it."""

    path: tuple[Step, ...] = ()

    @case(Constant, Scalar, Access, Bracket, Share)
    def _none(self, node: Node) -> Iterator[Need]:
        return iter(())

    @case(Add, Absolute, Sign, Compare, Named)
    def _parts(self, node: Node) -> Iterator[Need]:
        for part in children(node):
            yield from self.visit(part)

    @case(Multiply)
    def _multiply(self, node: Multiply) -> Iterator[Need]:
        """Where a bracket is 0, the other factors play no part."""
        guards = (guard for part in node.args if isinstance(part, Bracket) for guard in part.guards)
        yield from _Windows((*self.path, *guards))._parts(node)

    @case(Power)
    def _power(self, node: Power) -> Iterator[Need]:
        yield from averaged(node, self.path)
        yield from self._parts(node)

    @case(Reduce)
    def _reduce(self, node: Reduce) -> Iterator[Need]:
        if node.op != "sum":
            yield Need(self.path, Member(node.bounds, node.guards))
        yield from _Windows((*self.path, *node.bounds, *node.guards)).visit(node.body)
