"""Windows of formulas that must hold something: an average over no tap, and a maximum over none, has no value.

Trees count both as something (0 and minus infinity); what a statement says of them is said under a condition.
"""

from __future__ import annotations

from collections.abc import Iterator

from symconv.formulas.algebra import (
    Absolute,
    Add,
    Bracket,
    Compare,
    Constant,
    Guard,
    Multiply,
    Named,
    Node,
    Power,
    Reduce,
    Sign,
)
from symconv.formulas.effort import Effort
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
    found = dict.fromkeys(need for side in (statement.left, statement.right) for need in _windows(side, ()))
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
    if isinstance(node, Power) and isinstance(node.base, Reduce) and _divides(node):
        yield Need(path, Member(node.base.bounds, node.base.guards))
    for part in node.args if isinstance(node, Multiply | Add) else ():
        yield from averaged(part, path)


def _divides(node: Power) -> bool:
    return isinstance(node.exponent, Constant) and node.exponent.value < 0


def _windows(node: Node, path: tuple[Step, ...]) -> Iterator[Need]:
    """The windows in a tree, each with the sums and conditions that lead to it."""
    if isinstance(node, Multiply):  # where a bracket is 0, the other factors play no part
        path = (*path, *(guard for part in node.args if isinstance(part, Bracket) for guard in part.guards))
    if isinstance(node, Power) and _divides(node):
        yield from averaged(node, path)
    if isinstance(node, Reduce):
        if node.op != "sum":
            yield Need(path, Member(node.bounds, node.guards))
        yield from _windows(node.body, (*path, *node.bounds, *node.guards))
        return
    for part in _parts(node):
        yield from _windows(part, path)


def _parts(node: Node) -> tuple[Node, ...]:
    """The values that a value is made of."""
    if isinstance(node, Multiply | Add):
        return node.args
    if isinstance(node, Power):
        return node.base, node.exponent
    if isinstance(node, Absolute | Sign):
        return (node.arg,)
    if isinstance(node, Compare):
        return node.left, node.right
    return (node.value,) if isinstance(node, Named) else ()
