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
    Bound,
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

__all__ = ["FILLED", "given_windows", "open_windows", "windows_of"]

FILLED = "every window holds an entry of the input"
"""The condition under which an average or a maximum over windows has a value everywhere."""


def open_windows(statement: Statement, effort: Effort) -> tuple[Need, ...]:
    """The windows of both sides that are not known to hold anything wherever their value is used."""
    solver = Solver(effort)
    found = dict.fromkeys(need for side in (statement.left, statement.right) for need in windows_of(side))
    return tuple(need for need in found if not is_met(need, statement.all_hypotheses, statement.reals, solver))


def given_windows(statement: Statement) -> tuple[Window, ...]:
    """The windows that hold something at every point of a statement: what it needs, wherever its hypotheses hold."""
    known = frozenset(statement.all_hypotheses)
    return tuple(
        (need.demand.bounds, need.demand.guards)
        for need in statement.needs
        if isinstance(need.demand, Member) and _is_reached(need, known)
    )


def _is_reached(need: Need, known: frozenset[Guard]) -> bool:
    """Whether the path of a need is open at every point: its conditions hold, and its sums only repeat it."""
    for position, step in enumerate(need.path):
        if isinstance(step, Bound):
            if step.name in Need(need.path[position + 1 :], need.demand).names:
                return False
            step = Guard("ge", step.upper - step.lower)
        if not isinstance(step, Guard) or not (step in known or step.truth is True):
            return False
    return True


def windows_of(node: Node, path: tuple[Step, ...] = ()) -> Iterator[Need]:
    """The windows in a tree, each with what leads to it: maxima, and counts that divide, none of them over nothing."""
    return _Windows(path).visit(node)


def _divisor(node: Power) -> Node | None:
    """What a power divides by; None where it divides by nothing."""
    return node.base if isinstance(node.exponent, Constant) and node.exponent.value < 0 else None


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
        count = _divisor(node)
        if isinstance(count, Reduce):
            yield Need(self.path, Member(count.bounds, count.guards))
        yield from self._parts(node)

    @case(Reduce)
    def _reduce(self, node: Reduce) -> Iterator[Need]:
        if node.op != "sum":
            yield Need(self.path, Member(node.bounds, node.guards))
        yield from _Windows((*self.path, *node.bounds, *node.guards)).visit(node.body)
