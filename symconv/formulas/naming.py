"""Names inside a formula: which ones there are, which are free, and how one gives way to another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set

from symconv.formulas.algebra import (
    Bound,
    Node,
    Reduce,
)
from symconv.formulas.spelling import look
from symconv.formulas.walks import children, own_guards, own_indices, walk

__all__ = ["free_names", "fresh_name", "names_away_from", "names_in", "renamed_bounds"]


def _own_names(node: Node) -> frozenset[str]:
    """The names in the index expressions of a node itself; those that it binds are not among them as such."""
    return frozenset().union(*(e.names for e in own_indices(node)), *(g.names for g in own_guards(node)))


def names_in(node: Node) -> frozenset[str]:
    """All index names and parameters in a tree, bound ones included."""
    found: set[str] = set()
    for n in walk(node):
        found |= _own_names(n)
        if isinstance(n, Reduce):
            found.update(bound.name for bound in n.bounds)
    return frozenset(found)


def free_names(node: Node) -> frozenset[str]:
    """The names of a tree that it does not bind."""
    names = _own_names(node).union(*map(free_names, children(node)))
    return names - {b.name for b in node.bounds} if isinstance(node, Reduce) else names


def fresh_name(name: str, taken: Set[str]) -> str:
    """`name`, with as many primes as it takes to print like none of the taken names."""
    looks = set(map(look, taken))
    while look(name) in looks:
        name += "'"
    return name


def names_away_from(bounds: Iterable[Bound], taken: Set[str], used: Set[str]) -> dict[str, str]:
    """New names for the bound indices that are named as something taken; none of them is taken or used."""
    known = {*taken, *used}
    env: dict[str, str] = {}
    for bound in bounds:
        if bound.name in taken:
            env[bound.name] = fresh_name(bound.name, known)
            known.add(env[bound.name])
    return env


def renamed_bounds(bounds: Iterable[Bound], env: Mapping[str, str]) -> tuple[Bound, ...]:
    """The same ranges under other names, in each other's ends too."""
    return tuple(Bound(env.get(b.name, b.name), b.lower.subs(env), b.upper.subs(env)) for b in bounds)
