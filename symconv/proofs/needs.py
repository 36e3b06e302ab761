"""What a side of a statement needs to have a value, wherever the path through its sums and cases leads.

A statement is about the points at which both sides have a value; at any other there is nothing to compare. Trees count
everything as something (an entry outside its box as 0, a power of 0 as 0), so what is undefined is told apart here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from symconv.formulas.algebra import Bound, Guard, Node
from symconv.formulas.effort import Effort
from symconv.formulas.index import Index
from symconv.formulas.naming import free_names
from symconv.formulas.substitution import substitute
from symconv.proofs.sizes import holds

__all__ = ["Inside", "Member", "Need", "Otherwise", "Step", "Valued", "failure", "has_power", "known_on"]

STEP = 20  # steps to go one step down a path

Value: TypeAlias = "Callable[[Node, Mapping[str, int]], Any]"
"""The value of a tree at given numbers for its names."""


@dataclass(frozen=True)
class Otherwise:
    """A step of a path: not all of the guards hold, so that an earlier case was not taken."""

    guards: tuple[Guard, ...]


Step: TypeAlias = "Bound | Guard | Otherwise"


@dataclass(frozen=True)
class Inside:
    """All guards hold: an entry exists, an array has entries, a point is not reached (a guard that never holds)."""

    guards: tuple[Guard, ...]


@dataclass(frozen=True)
class Valued:
    """``base ** exponent`` has a value among the reals: 0 needs a positive exponent, what is negative an integer."""

    base: Node
    exponent: Node


@dataclass(frozen=True)
class Member:
    """There is a point in the ranges at which the guards hold: a maximum is over something."""

    bounds: tuple[Bound, ...]
    guards: tuple[Guard, ...]


@dataclass(frozen=True)
class Need:
    """A demand at the end of a path: ranges of sums, conditions of cases.

    Attributes:
        path: the steps, outermost first; a range may speak of the indices of those before it.
        demand: what must hold at every point that the path leads to.
    """

    path: tuple[Step, ...]
    demand: Inside | Valued | Member

    @property
    def of_values(self) -> bool:
        """Whether it depends on the entries of tensors, and not on sizes and indices alone."""
        return isinstance(self.demand, Valued)

    @property
    def names(self) -> frozenset[str]:
        """All names that it speaks of, those of its path included, without those that the path binds."""
        return _names(self.path, self.demand)

    def subs(self, env: Mapping[str, Index]) -> Need:
        """The need with expressions put in for sizes."""
        return Need(tuple(_step(step, env) for step in self.path), _demand(self.demand, env))


def _step(step: Step, env: Mapping[str, Index]) -> Step:
    if isinstance(step, Otherwise):
        return Otherwise(tuple(guard.subs(env) for guard in step.guards))
    return step.subs(env)


def _demand(demand: Inside | Valued | Member, env: Mapping[str, Index]) -> Inside | Valued | Member:
    if isinstance(demand, Valued):
        return Valued(substitute(demand.base, env), substitute(demand.exponent, env))
    guards = tuple(guard.subs(env) for guard in demand.guards)
    if isinstance(demand, Inside):
        return Inside(guards)
    return Member(tuple(bound.subs(env) for bound in demand.bounds), guards)


def _names(path: Sequence[Step], demand: Inside | Valued | Member) -> frozenset[str]:
    if path:
        step, rest = path[0], _names(path[1:], demand)
        if isinstance(step, Bound):
            return (rest - {step.name}) | step.lower.names | step.upper.names
        guards = step.guards if isinstance(step, Otherwise) else (step,)
        return rest.union(*(guard.names for guard in guards))
    if isinstance(demand, Valued):
        return free_names(demand.base) | free_names(demand.exponent)
    found: frozenset[str] = frozenset().union(*(guard.names for guard in demand.guards))
    if isinstance(demand, Member):
        for bound in reversed(demand.bounds):
            found = (found - {bound.name}) | bound.lower.names | bound.upper.names
    return found


# ---------------------------------------------------------------------- at numbers


def failure(need: Need, env: Mapping[str, int], effort: Effort, value: Value | None = None) -> dict[str, int] | None:
    """The first point of the path at which the demand is not met, None where it is met everywhere.

    Args:
        need: the need.
        env: numbers for its names.
        effort: what that may cost.
        value: how a tree is evaluated, for a power.

    Raises:
        OutOfEffort: where there are too many points.
    """
    for here in _points(need.path, dict(env), effort):
        if not _met(need.demand, here, effort, value):
            return here
    return None


def _points(path: Sequence[Step], env: dict[str, int], effort: Effort) -> Iterator[dict[str, int]]:
    """The points that a path leads to; where a step of it has no value it leads nowhere."""
    effort.spend(STEP)
    for position, step in enumerate(path):
        if isinstance(step, Bound):
            try:
                ends = int(step.lower.evaluate(env)), int(step.upper.evaluate(env))
            except ZeroDivisionError:
                return
            for number in range(ends[0], ends[1] + 1):
                yield from _points(path[position + 1 :], {**env, step.name: number}, effort)
            return
        if not _passes(step, env):
            return
    yield env


def _passes(step: Guard | Otherwise, env: dict[str, int]) -> bool:
    try:
        return not all(holds(g, env) for g in step.guards) if isinstance(step, Otherwise) else holds(step, env)
    except ZeroDivisionError:
        return False


def _met(demand: Inside | Valued | Member, env: dict[str, int], effort: Effort, value: Value | None) -> bool:
    if isinstance(demand, Member):
        return next(_points((*demand.bounds, *demand.guards), env, effort), None) is not None
    try:
        if isinstance(demand, Inside):
            return all(holds(guard, env) for guard in demand.guards)
        assert value is not None, "a power is evaluated"
        return has_power(value(demand.base, env), value(demand.exponent, env))
    except ZeroDivisionError:
        return False


def has_power(base: Any, exponent: Any) -> bool:
    """Whether ``base ** exponent`` is a real number; the -infinity of an empty maximum has no powers."""
    if base in (float("inf"), float("-inf")):
        return False
    if base == 0:
        return bool(exponent > 0)
    return bool(base > 0) or getattr(exponent, "denominator", getattr(exponent, "q", 0)) == 1


# ---------------------------------------------------------------------- in general


def known_on(path: Sequence[Step], known: Sequence[Guard]) -> list[list[Guard]]:
    """What holds at the end of a path: one list of guards a way to come there, of which one holds at every point.

    A negated case is a choice of which of its guards fails; where that makes too many ways, it is left out.
    """
    ways = [list(known)]
    for step in path:
        if isinstance(step, Bound):  # of a letter outside a sum another thing is known than inside
            ways = [[*(g for g in way if step.name not in g.names), *step.guards()] for way in ways]
        elif isinstance(step, Guard):
            ways = [[*way, step] for way in ways]
        else:
            choices = [other for guard in step.guards for other in _negations(guard)]
            if all(g.kind != "div" for g in step.guards) and len(ways) * len(choices) <= 16:
                ways = [[*way, choice] for way in ways for choice in choices]
    return ways


def _negations(guard: Guard) -> list[Guard]:
    below = replace(guard, kind="ge", expr=-guard.expr - 1)
    return [below] if guard.kind == "ge" else [below, replace(guard, kind="ge", expr=guard.expr - 1)]
