"""Names inside a formula: which ones are free, and bound ones without the primes that an earlier form left behind."""

from __future__ import annotations

from collections.abc import Set

from symconv.formulas.algebra import (
    Access,
    Bracket,
    Named,
    Node,
    Reduce,
    Scalar,
    Share,
    fresh_name,
    renamed_bounds,
    substitute,
    transform,
)

__all__ = ["free_names", "plain_names"]


def free_names(node: Node) -> frozenset[str]:
    """The names of a tree that it does not bind."""
    if isinstance(node, Reduce):
        inner = free_names(node.body).union(*(g.names for g in node.guards))
        inner = inner.union(*(b.lower.names | b.upper.names for b in node.bounds))
        return inner - {b.name for b in node.bounds}
    if isinstance(node, Share):
        return free_names(node.reduce).union(*(e.names for e in node.at))
    if isinstance(node, Access):
        return frozenset().union(*(e.names for e in node.index))
    if isinstance(node, Scalar):
        return node.index.names
    if isinstance(node, Bracket):
        return frozenset().union(*(g.names for g in node.guards))
    if isinstance(node, Named):
        return free_names(node.value).union(*(e.names for e in node.index))
    return frozenset().union(*(free_names(child) for child in _parts(node)))


def _parts(node: Node) -> tuple[Node, ...]:
    found: list[Node] = []
    for name in ("args", "base", "exponent", "arg", "left", "right"):
        value = getattr(node, name, None)
        if isinstance(value, tuple):
            found += value
        elif value is not None:
            found.append(value)
    return tuple(found)


def plain_names(node: Node, taken: Set[str] = frozenset()) -> Node:
    """The tree with every bound name as plain as its place allows: m for m' where no other m is in sight.

    Differentiation and substitution move bound names out of the way by primes; where what they gave way to is gone, the
    primes say nothing. The outermost sum has the first choice.

    Args:
        node: a tree.
        taken: names that no bound index may have, such as the free indices of the formula.
    """
    return _plain(node, frozenset(taken) | free_names(node))


def _plain(node: Node, taken: frozenset[str]) -> Node:
    def change(n: Node) -> Node | None:
        if isinstance(n, Reduce):
            return _plain_reduction(n, taken)
        if isinstance(n, Share):
            return Share(n.policy, _plain_reduction(n.reduce, taken), n.at)
        return n if isinstance(n, Named) else None  # it prints as its name

    return transform(node, change)


def _plain_reduction(node: Reduce, taken: frozenset[str]) -> Reduce:
    used = set(taken)
    env: dict[str, str] = {}
    for bound in node.bounds:
        env[bound.name] = fresh_name(bound.name.rstrip("'"), used)
        used.add(env[bound.name])
    if all(new == old for old, new in env.items()):
        body = node.body
    else:
        body = substitute(node.body, env)
        node = Reduce(node.op, renamed_bounds(node.bounds, env), tuple(g.subs(env) for g in node.guards), body)
    return Reduce(node.op, node.bounds, node.guards, _plain(body, frozenset(used)))
