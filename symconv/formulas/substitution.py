"""Index expressions put in for names, and bound names that give way: neither may capture the other."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import replace

from symconv.formulas.algebra import Named, Node, Reduce, Share
from symconv.formulas.index import Index, IndexLike
from symconv.formulas.naming import free_names, fresh_name, names_away_from, names_in, renamed_bounds
from symconv.formulas.walker import case
from symconv.formulas.walks import Rewriter

__all__ = ["plain_names", "rename_bounds", "substitute"]


class _Substitution(Rewriter):
    """Index expressions for free names; bound names are moved out of their way."""

    def __init__(self, env: Mapping[str, IndexLike]) -> None:
        self.env = env

    def index(self, expr: Index) -> Index:
        return expr.subs(self.env)

    @case(Reduce)
    def reduce(self, node: Reduce) -> Node:
        bound_names = {bound.name for bound in node.bounds}
        inner = {name: value for name, value in self.env.items() if name not in bound_names}
        if not inner:
            return node
        incoming = frozenset().union(*(Index.of(value).names for value in inner.values()))
        node = rename_bounds(node, incoming | inner.keys())  # a new bound name must not be replaced in turn
        guards = tuple(g.subs(inner) for g in node.guards)
        bounds = tuple(b.subs(inner) for b in node.bounds)
        return Reduce(node.op, bounds, guards, _Substitution(inner).visit(node.body))


def substitute(node: Node, env: Mapping[str, IndexLike]) -> Node:
    """Capture-avoiding substitution of index expressions for free names."""
    return _Substitution(env).visit(node) if env else node


def rename_bounds(reduce: Reduce, taken: Set[str]) -> Reduce:
    """The same reduction with its bound names moved away from `taken`."""
    if not any(bound.name in taken for bound in reduce.bounds):
        return reduce
    env = names_away_from(reduce.bounds, taken, names_in(reduce))
    guards = tuple(guard.subs(env) for guard in reduce.guards)
    return Reduce(reduce.op, renamed_bounds(reduce.bounds, env), guards, substitute(reduce.body, env))


def plain_names(node: Node, taken: Set[str] = frozenset()) -> Node:
    """The tree with every bound name as plain as its place allows: m for m' where no other m is in sight.

    Differentiation and substitution move bound names out of the way by primes; where what they gave way to is gone, the
    primes say nothing. The outermost sum has the first choice.

    Args:
        node: a tree.
        taken: names that no bound index may have, such as the free indices of the formula.
    """
    return _Plain(frozenset(taken) | free_names(node)).visit(node)


class _Plain(Rewriter):
    """Bound names as plain as those that are taken allow."""

    def __init__(self, taken: frozenset[str]) -> None:
        self.taken = taken

    @case(Reduce)
    def reduce(self, node: Reduce) -> Node:
        return _plain_reduction(node, self.taken)

    @case(Share)
    def share(self, node: Share) -> Node:
        return replace(node, reduce=_plain_reduction(node.reduce, self.taken))

    @case(Named)
    def named(self, node: Named) -> Node:
        return node  # it prints as its name


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
    return Reduce(node.op, node.bounds, node.guards, _Plain(frozenset(used)).visit(body))
