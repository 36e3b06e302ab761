"""Trees over the taps 0 .. n - 1 of a window: sums taken apart, and which taps a reduction runs over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal

from symconv.formulas.algebra import ONE, Bound, Bracket, Multiply, Node, Plus, Reduce, Scalar, add, product
from symconv.formulas.index import Index
from symconv.formulas.naming import free_names
from symconv.formulas.substitution import substitute
from symconv.formulas.walks import transform, walk

__all__ = ["TAP", "NotReadError", "Part", "body_of", "linear", "part_of", "total_of", "totals_in"]

TAP = "@"  # the index of a tap inside the tree of a total
Part = Literal["all", "before", "after"]
N = Index.of("n")


class NotReadError(Exception):
    """A tree of another kind than these proofs follow."""


def part_of(reduce: Reduce) -> tuple[Part, str]:
    """Which taps a reduction runs over: all of them, those before a tap, or those behind it; and which tap."""
    if len(reduce.bounds) == 1 and not reduce.guards:
        (bound,) = reduce.bounds
        if bound.lower == 0 and bound.upper == N - 1:
            return "all", ""
        for name in bound.upper.names | bound.lower.names:
            if bound.lower == 0 and bound.upper == Index.of(name) - 1:
                return "before", name
            if bound.lower == Index.of(name) + 1 and bound.upper == N - 1:
                return "after", name
    raise NotReadError("a reduction over something else than taps")


def body_of(reduce: Reduce) -> Node:
    """What a reduction runs over, in its tap; equal bodies are equal trees."""
    return _canonical(substitute(reduce.body, {reduce.bounds[0].name: TAP}), 1)


def _canonical(node: Node, depth: int) -> Node:
    """The tree with its bound indices named by how deep they are bound."""

    def change(n: Node) -> Node | None:
        if not isinstance(n, Reduce):
            return None
        (bound,) = n.bounds
        name = f"{TAP}{depth}"
        body = _canonical(substitute(n.body, {bound.name: name}), depth + 1)
        return replace(n, bounds=(replace(bound, name=name),), body=body)

    return transform(node, change)


def total_of(op: Literal["sum", "max"], body: Node) -> Reduce:
    """The reduction of a body over all taps, the same for equal bodies."""
    return Reduce(op, (Bound(TAP, Index.of(0), N - 1),), (), body)


def totals_in(node: Node) -> Iterator[Reduce]:
    """The reductions over all taps in a tree, those inside first, and for each over a part of them the whole one."""
    for child in reversed(list(walk(node))):
        if isinstance(child, Reduce):
            if child.op == "min":
                raise NotReadError("a minimum")
            part, _ = part_of(child)
            if part != "all" and child.op != "max":
                raise NotReadError("a sum over a part of the taps")
            yield total_of(child.op, body_of(child))


def linear(node: Node) -> Node:
    """Sums over all taps taken apart: summand by summand, with factors outside that are the same for all taps."""

    def change(n: Node) -> Node | None:
        if not isinstance(n, Reduce) or n.op != "sum" or len(n.bounds) != 1:
            return None
        return add(*(_summed(n, factors) for factors in _terms(linear(n.body))))

    return transform(node, change)


def _terms(node: Node) -> list[list[Node]]:
    """A tree as a sum of products."""
    if isinstance(node, Plus):
        return [term for arg in node.args for term in _terms(arg)]
    if isinstance(node, Multiply):
        found: list[list[Node]] = [[]]
        for arg in node.args:
            found = [left + right for left in found for right in _terms(arg)]
        return found
    return [[node]]


def _summed(reduce: Reduce, factors: Sequence[Node]) -> Node:
    (bound,) = reduce.bounds
    outside = [f for f in factors if bound.name not in free_names(f)]
    own = [f for f in factors if bound.name in free_names(f)]
    chosen = next((f for f in own if isinstance(f, Bracket)), None)
    if chosen is not None:
        own.remove(chosen)
        place = _named(chosen, bound.name)
        return product(*outside, *(substitute(f, {bound.name: place}) for f in own))
    if not own and part_of(reduce)[0] == "all":
        return product(*outside, Scalar(N))
    return product(*outside, replace(reduce, body=product(*own) if own else ONE))


def _named(bracket: Bracket, name: str) -> Index:
    """The one tap that an equation names."""
    (guard,) = bracket.guards
    split = guard.expr.linear_in(name)
    if guard.kind != "eq" or split is None or split[0].value not in (1, -1):
        raise NotReadError("a bracket that names no tap")
    return -split[1] if split[0].value == 1 else split[1]
