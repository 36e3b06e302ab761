"""The value of a formula tree by the definition of its nodes: nested Python loops over dictionaries, no shortcuts.

A polynomial is ``{sorted tuple of (tensor, index): Fraction}``. An exact quotient must divide wherever the guards
before it hold: anything else is an error of the transformation under test.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import product
from typing import Any

from integer_models import exact_value

from symconv.formulas.algebra import (
    Access,
    Bound,
    Bracket,
    Constant,
    Guard,
    Multiply,
    Named,
    Node,
    Plus,
    Power,
    Reduce,
    Scalar,
)
from symconv.formulas.index import Index

Poly = dict[tuple[tuple[str, tuple[int, ...]], ...], Fraction]
Env = Mapping[str, int]
Boxes = Mapping[str, tuple[tuple[Index, Index], ...]]


def guard_holds(guard: Guard, env: Env) -> bool:
    value = guard.expr.evaluate(env)
    if guard.kind == "div":
        assert guard.divisor is not None
        return bool(value % guard.divisor.evaluate(env) == 0)
    return bool(value >= 0) if guard.kind == "ge" else bool(value == 0)


def walk_bounds(bounds: Sequence[Bound], env: Env) -> Iterator[dict[str, int]]:
    """All values of bounds whose ranges may depend on each other in any order: a loop over a large enough cube."""
    if not bounds:
        yield dict(env)
        return
    names = [bound.name for bound in bounds]
    first = [b for b in bounds if not (b.lower.names | b.upper.names) & set(names)]
    head = first[0] if first else None
    if head is None:
        for values in product(range(-12, 13), repeat=len(bounds)):
            inner = {**env, **dict(zip(names, values, strict=True))}
            if all(b.lower.evaluate(inner) <= inner[b.name] <= b.upper.evaluate(inner) for b in bounds):
                yield inner
        return
    rest = [b for b in bounds if b is not head]
    for value in range(head.lower.evaluate(env), head.upper.evaluate(env) + 1):
        yield from walk_bounds(rest, {**env, head.name: value})


def plus(left: Poly, right: Poly, scale: Fraction = Fraction(1)) -> Poly:
    total = dict(left)
    for monomial, value in right.items():
        total[monomial] = total.get(monomial, Fraction(0)) + scale * value
    return {monomial: value for monomial, value in total.items() if value}


def times(left: Poly, right: Poly) -> Poly:
    total: Poly = {}
    for one, value in left.items():
        for two, value2 in right.items():
            total = plus(total, {tuple(sorted(one + two)): value * value2})
    return total


def polynomial(node: Node, env: Env, boxes: Boxes) -> Poly:
    """The polynomial in tensor entries that a tree stands for, with all names given."""
    if isinstance(node, Constant):
        return plus({}, {(): node.value})
    if isinstance(node, Scalar):
        return plus({}, {(): Fraction(node.index.evaluate(env))})
    if isinstance(node, Access):
        index = tuple(exact_value(e, env) for e in node.index)
        box = boxes[node.tensor]
        inside = all(lo.evaluate(env) <= i <= hi.evaluate(env) for i, (lo, hi) in zip(index, box, strict=True))
        return {((node.tensor, index),): Fraction(1)} if inside else {}
    if isinstance(node, Named):
        return polynomial(node.value, env, boxes)
    if isinstance(node, Bracket):
        return {(): Fraction(1)} if all(guard_holds(g, env) for g in node.guards) else {}
    if isinstance(node, Plus):
        total: Poly = {}
        for arg in node.args:
            total = plus(total, polynomial(arg, env, boxes))
        return total
    if isinstance(node, Multiply):
        result: Poly = {(): Fraction(1)}
        for arg in node.args:
            result = times(result, polynomial(arg, env, boxes))
        return result
    if isinstance(node, Power):
        assert node.exponent == Constant(Fraction(2)), "only squares are needed here"
        base = polynomial(node.base, env, boxes)
        return times(base, base)
    assert isinstance(node, Reduce)
    assert node.op == "sum"
    total = {}
    for inner in walk_bounds(node.bounds, env):
        if all(guard_holds(g, inner) for g in node.guards):
            total = plus(total, polynomial(node.body, inner, boxes))
    return total


def derivative(poly: Poly, entry: tuple[str, tuple[int, ...]]) -> Poly:
    """The formal derivative of a polynomial by one entry."""
    total: Poly = {}
    for monomial, value in poly.items():
        count = monomial.count(entry)
        if count:
            rest = list(monomial)
            rest.remove(entry)
            total = plus(total, {tuple(rest): value * count})
    return total


def everywhere(node: Node, free: Sequence[Bound], env: Env, boxes: Boxes) -> dict[tuple[int, ...], Poly]:
    """The polynomial at every value of the free indices, zeros left out."""
    result: dict[tuple[int, ...], Any] = {}
    for point in walk_bounds(free, env):
        poly = polynomial(node, point, boxes)
        if poly:
            result[tuple(point[b.name] for b in free)] = poly
    return result
