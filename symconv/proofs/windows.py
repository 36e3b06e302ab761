"""Where a formula has no value: windows over nothing, divisions by 0, and functions outside of their domains.

An average over no tap has no value, nor has a maximum over none, nor ``1/(3 - p)`` at the output p = 3, nor the
logarithm of what is not positive. Trees count windows and divisions as something (0, minus infinity, 0); what a
statement says of them is said under a condition.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from symconv.formulas.algebra import (
    ONE,
    Absolute,
    Access,
    Applied,
    Bound,
    Bracket,
    Compare,
    Constant,
    FormulaWalker,
    Guard,
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
    nonnegative,
    product,
    summation,
)
from symconv.formulas.effort import Effort
from symconv.formulas.index import maximum
from symconv.formulas.naming import names_in
from symconv.formulas.substitution import rename_bounds
from symconv.formulas.walker import case
from symconv.formulas.walks import accesses, children, walk
from symconv.proofs.context import Window
from symconv.proofs.needs import Inside, Member, Need, Step, Valued
from symconv.proofs.signs import is_met
from symconv.proofs.smt import Solver
from symconv.proofs.statement import Statement

__all__ = [
    "FILLED",
    "NO_ENTRY",
    "NO_KINK",
    "NO_ZERO",
    "ONE_WINNER",
    "POSITIVE",
    "divisor",
    "given_windows",
    "may_tie",
    "needs_of",
    "one_winner",
    "open_needs",
    "said_of",
]

FILLED = "every window holds an entry of the input"
"""The condition under which an average or a maximum over windows has a value everywhere."""

NO_ZERO = "no division by 0"
"""The condition under which a quotient has a value everywhere."""

POSITIVE = "every logarithm is of a positive number"
"""The condition under which a formula with a logarithm has a value."""

NO_KINK = "nothing that max(0, x) or min(0, x) is taken of is 0"
"""The condition under which they have a derivative, where nothing else is said of 0."""

NO_ENTRY = "no entry is 0"
"""The same where they are taken of entries."""

ONE_WINNER = {"max": "no window has two largest entries", "min": "no window has two smallest entries"}
"""The condition under which a maximum or a minimum has a derivative, where a layer takes no rule for ties."""

_ONE = const(Fraction(1, 2))

_DOMAINS = {"positive": const(Fraction(-1, 2)), "nonzero": const(-1)}
"""What a function asks of its argument, as a power that has a value there alone."""


def open_needs(statement: Statement, effort: Effort) -> tuple[Need, ...]:
    """What either side needs, and is not known to have wherever its value is used."""
    solver = Solver(effort)
    found = dict.fromkeys(need for side in (statement.left, statement.right) for need in needs_of(side))
    return tuple(need for need in found if not is_met(need, statement.all_hypotheses, statement.reals, solver))


def said_of(need: Need) -> str:
    """What `needs_of` found, in words."""
    demand = need.demand
    if isinstance(demand, Valued):
        if demand.exponent == _DOMAINS["positive"]:
            return POSITIVE
        if demand.exponent == _ONE:
            kinds = (part.op for part in walk(demand.base) if isinstance(part, Reduce))  # after that of the count
            return next(ONE_WINNER[kind] for kind in kinds if kind != "sum")
        return NO_ENTRY if isinstance(demand.base, Access) else NO_KINK
    return FILLED if isinstance(demand, Member) else NO_ZERO


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


def needs_of(node: Node, path: tuple[Step, ...] = ()) -> Iterator[Need]:
    """What a tree needs, each with what leads to it: maxima and counts that divide are over something.

    A size or an index that divides is not 0, and the argument of a function lies in its domain.
    """
    return _Windows(path).visit(node)


def may_tie(extremum: Reduce) -> bool:
    """Whether two taps can be the largest: there is more than one."""
    return any(bound.lower != bound.upper for bound in extremum.bounds)


def one_winner(extremum: Reduce) -> Valued:
    """One tap alone is the largest: ``(1 - count)**(1/2)`` has a value for a count of at most one of them."""
    taps = rename_bounds(extremum, names_in(extremum))
    count = summation(Compare(taps.body, "=", extremum), *taps.bounds, guards=taps.guards)
    return Valued(add(ONE, product(const(-1), count)), _ONE)


def divisor(node: Node) -> Node | None:
    """What a power divides by; None where it divides by nothing, and for any other node."""
    if not isinstance(node, Power) or not isinstance(node.exponent, Constant):
        return None
    return node.base if node.exponent.value < 0 else None


@dataclass(frozen=True)
class _Windows(FormulaWalker[Iterator[Need]]):
    """The needs of a tree, each with the sums and conditions that lead to it."""

    path: tuple[Step, ...] = ()

    @case(Share)
    def _share(self, node: Share) -> Iterator[Need]:
        if node.alone and may_tie(node.reduce):
            yield Need(self.path, one_winner(node.reduce))

    @case(Constant, Scalar, Access, Bracket)
    def _none(self, node: Node) -> Iterator[Need]:
        return iter(())

    @case(Plus, Absolute, Sign, Compare, Named)
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
        path, divides = self.path, divisor(node)
        if isinstance(node.exponent, Scalar) and not accesses(node):  # which is negative at some sizes, or at none
            path, divides = (*path, nonnegative(-node.exponent.index - 1)), node.base
        if isinstance(divides, Reduce):
            yield Need(path, Member(divides.bounds, divides.guards))
        elif isinstance(divides, Scalar):
            yield Need(path, Inside((nonnegative(maximum(divides.index, -divides.index) - 1),)))
        yield from self._parts(node)

    @case(Applied)
    def _apply(self, node: Applied) -> Iterator[Need]:
        exponent = _DOMAINS.get(node.function.domain)
        if exponent is not None:
            yield Need(self.path, Valued(node.arg, exponent))
        yield from self.visit(node.arg)

    @case(Reduce)
    def _reduce(self, node: Reduce) -> Iterator[Need]:
        if node.op != "sum":
            yield Need(self.path, Member(node.bounds, node.guards))
        yield from _Windows((*self.path, *node.bounds, *node.guards)).visit(node.body)
