"""Whether a need is met for all sizes and entries: index arithmetic by the solver, powers by the signs of trees."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from symconv.formulas.algebra import (
    Absolute,
    Add,
    Bound,
    Bracket,
    Compare,
    Constant,
    Guard,
    Multiply,
    Named,
    Node,
    Power,
    Reduce,
    Scalar,
    Share,
    nonnegative,
)
from symconv.formulas.index import Index, maximum, minimum
from symconv.proofs.goals import follows
from symconv.proofs.needs import Inside, Member, Need, known_on
from symconv.proofs.smt import Solver

__all__ = ["is_met"]


def is_met(need: Need, known: Sequence[Guard], reals: frozenset[str], solver: Solver) -> bool:
    """Whether it is shown that the demand of a need is met wherever its path leads.

    Args:
        need: the need.
        known: what holds of sizes and free indices.
        reals: names that are real numbers.
        solver: who decides.
    """
    for way in known_on(need.path, known):
        place = _Place(tuple(way), reals, solver)
        demand = need.demand
        if need.path and not isinstance(demand, Inside) and place.follow([nonnegative(-1)]):
            continue  # a place that is never reached
        if isinstance(demand, Inside):
            met = place.follow(demand.guards)
        elif isinstance(demand, Member):
            met = place.has_member(demand.bounds, demand.guards)
        else:
            met = place.has_power(demand.base, demand.exponent)
        if not met:
            return False
    return True


@dataclass(frozen=True)
class _Place:
    """A place in a tree, by what holds there."""

    known: tuple[Guard, ...]
    reals: frozenset[str]
    solver: Solver

    def follow(self, guards: Sequence[Guard]) -> bool:
        return follows(self.known, guards, reals=self.reals, solver=self.solver)

    def within(self, bounds: Sequence[Bound], guards: Sequence[Guard]) -> _Place:
        (way,) = known_on((*bounds, *guards), self.known)
        return replace(self, known=tuple(way))

    def has_member(self, bounds: Sequence[Bound], guards: Sequence[Guard]) -> bool:
        """Whether a point is known: the first of every range or the last, as a guard allows or as all of them do."""
        if not bounds:
            return self.follow(guards)
        bound, rest = bounds[0], bounds[1:]
        lows, highs = [bound.lower], [bound.upper]
        for guard in guards:
            split = guard.expr.linear_in(bound.name) if guard.kind in ("ge", "eq") else None
            if split is not None and split[0].value in (1, -1):
                (lows if split[0].value == 1 else highs).append(-split[1] * split[0].value)
        for end in dict.fromkeys((*lows, *highs, maximum(*lows), minimum(*highs))):
            env = {bound.name: end}
            settled = [guard.subs(env) for guard in (*bound.guards(), *guards)]
            own = {b.name for b in rest}
            here = [guard for guard in settled if not guard.names & own]
            later = [guard for guard in settled if guard.names & own]
            if self.follow(here) and self.has_member([b.subs(env) for b in rest], later):
                return True
        return False

    # ------------------------------------------------------------------ powers

    def has_power(self, base: Node, exponent: Node) -> bool:
        if isinstance(exponent, Constant):
            value = exponent.value
            if value.denominator == 1:
                return value >= 1 or self.nonzero(base)
            return self.nonnegative(base) if value > 0 else self.positive(base)
        if self.positive(base) or (self.nonnegative(base) and self.positive(exponent)):
            return True
        whole = isinstance(exponent, Scalar) and not exponent.index.names & self.reals
        return whole and (self.positive(exponent) or self.nonzero(base))

    # ------------------------------------------------------------------ signs

    def nonzero(self, node: Node) -> bool:
        if isinstance(node, Constant):
            return node.value != 0
        if isinstance(node, Scalar):
            one = Index.of(1)
            return self.follow([nonnegative(node.index - one)]) or self.follow([nonnegative(-node.index - one)])
        if isinstance(node, Multiply):
            return all(map(self.nonzero, node.args))
        if isinstance(node, Absolute):
            return self.nonzero(node.arg)
        if isinstance(node, Named):
            return self.nonzero(node.value)
        if isinstance(node, Power):
            return self.nonzero(node.base) and self.has_power(node.base, node.exponent)
        return self.positive(node)

    def positive(self, node: Node) -> bool:
        if isinstance(node, Constant):
            return node.value > 0
        if isinstance(node, Scalar):
            return self.follow([nonnegative(node.index - 1)])
        if isinstance(node, Add):
            return all(map(self.nonnegative, node.args)) and any(map(self.positive, node.args))
        if isinstance(node, Multiply):
            return self.nonnegative(node) and self.nonzero(node)
        if isinstance(node, Power):
            return self.positive(node.base) or (self.nonnegative(node) and self.nonzero(node))
        if isinstance(node, Absolute):
            return self.nonzero(node.arg)
        if isinstance(node, Bracket):
            return self.follow(node.guards)
        if isinstance(node, Reduce):
            inner = self.within(node.bounds, node.guards)
            return inner.positive(node.body) and self.has_member(node.bounds, node.guards)
        return isinstance(node, Named) and self.positive(node.value)

    def nonnegative(self, node: Node) -> bool:
        if isinstance(node, Constant):
            return node.value >= 0
        if isinstance(node, Scalar):
            return self.follow([nonnegative(node.index)])
        if isinstance(node, Absolute | Bracket | Compare | Share):
            return True
        if isinstance(node, Add):
            return all(map(self.nonnegative, node.args))
        if isinstance(node, Multiply):  # what stands there twice is a square
            return all(count % 2 == 0 or self.nonnegative(factor) for factor, count in Counter(node.args).items())
        if isinstance(node, Power):
            even = isinstance(node.exponent, Constant) and node.exponent.value % 2 == 0
            return even or self.nonnegative(node.base)
        if isinstance(node, Reduce):
            inner = self.within(node.bounds, node.guards).nonnegative(node.body)
            return inner and (node.op == "sum" or self.has_member(node.bounds, node.guards))
        if isinstance(node, Named):
            return self.nonnegative(node.value)
        return False
