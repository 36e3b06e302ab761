"""A formula and its derivative by definition: exact dual numbers ``value + slope*epsilon``, pushed through plain loops.

Nothing of the calculus takes part. A power with an exponent n/d asks for a base that is a d-th power of a rational
number. What has no slope of its own (a sign, a comparison, a share) has slope 0, and a kink the slope that the policy
says: 0 for |x| at 0, the first or an equal part of each of the largest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import Any

from integer_models import exact_value
from plain_loops import guard_holds, walk_bounds

from symconv.formulas.algebra import (
    Absolute,
    Access,
    Bracket,
    Compare,
    Constant,
    Multiply,
    Named,
    Node,
    Plus,
    Power,
    Reduce,
    Scalar,
    Share,
    Sign,
)

Entry = tuple[str, tuple[int, ...]]
Data = Mapping[Entry, Fraction]


@dataclass(frozen=True)
class Dual:
    value: Fraction
    slope: Fraction = Fraction(0)


def dual(node: Node, env: Mapping[str, int], data: Data, by: Entry | None = None, ties: str = "first") -> Dual:
    """The value of a tree and its slope by one entry; entries that `data` does not have are 0."""

    def at(inner: Node, inside: Mapping[str, int] = env) -> Dual:
        return dual(inner, inside, data, by, ties)

    if isinstance(node, Constant):
        return Dual(node.value)
    if isinstance(node, Scalar):
        return Dual(Fraction(exact_value(node.index, env)))
    if isinstance(node, Access):
        place = (node.tensor, tuple(exact_value(e, env) for e in node.index))
        return Dual(data.get(place, Fraction(0)), Fraction(place == by and place in data))
    if isinstance(node, Named):
        return at(node.value)
    if isinstance(node, Bracket):
        return Dual(Fraction(all(guard_holds(g, env) for g in node.guards)))
    if isinstance(node, Plus):
        parts = [at(arg) for arg in node.args]
        return Dual(sum((p.value for p in parts), Fraction(0)), sum((p.slope for p in parts), Fraction(0)))
    if isinstance(node, Multiply):
        parts = [at(arg) for arg in node.args]
        slopes = [p.slope * prod(q.value for q in parts if q is not p) for p in parts]
        return Dual(prod((p.value for p in parts), start=Fraction(1)), sum(slopes, Fraction(0)))
    if isinstance(node, Absolute):
        arg = at(node.arg)
        return Dual(abs(arg.value), _sign(arg.value) * arg.slope)
    if isinstance(node, Sign):
        return Dual(Fraction(_sign(at(node.arg).value)))
    if isinstance(node, Compare):
        left, right = at(node.left).value, at(node.right).value
        return Dual(Fraction({">": left > right, ">=": left >= right, "=": left == right}[node.relation]))
    if isinstance(node, Power):
        base, exponent = at(node.base), at(node.exponent)
        assert exponent.slope == 0
        e = exponent.value
        slope = Fraction(0) if base.slope == 0 or e == 0 else e * raised(base.value, e - 1) * base.slope
        return Dual(raised(base.value, e), slope)
    if isinstance(node, Share):
        return Dual(_share(node, env, data))
    assert isinstance(node, Reduce), node
    taps = _taps(node, env, at)
    if node.op == "sum":
        return Dual(sum((t.value for _, t in taps), Fraction(0)), sum((t.slope for _, t in taps), Fraction(0)))
    best = (max if node.op == "max" else min)(t.value for _, t in taps)
    slopes = [t.slope for _, t in taps if t.value == best]
    return Dual(best, slopes[0] if ties == "first" else sum(slopes, Fraction(0)) / len(slopes))


def _taps(node: Reduce, env: Mapping[str, int], at: Any) -> list[tuple[tuple[int, ...], Dual]]:
    """The places of a reduction in row-major order, with what stands there."""
    found = []
    for inner in walk_bounds(node.bounds, env):
        if all(guard_holds(g, inner) for g in node.guards):
            found.append((tuple(inner[b.name] for b in node.bounds), at(node.body, inner)))
    return sorted(found, key=lambda pair: pair[0])


def _share(node: Share, env: Mapping[str, int], data: Data) -> Fraction:
    taps = [(place, t.value) for place, t in _taps(node.reduce, env, lambda n, inner: dual(n, inner, data))]
    best = (max if node.reduce.op == "max" else min)(value for _, value in taps)
    places = [place for place, value in taps if value == best]
    mine = tuple(exact_value(e, env) for e in node.at)
    if node.policy == "first":
        return Fraction(mine == places[0])
    return Fraction(mine in places, len(places))


def _sign(value: Fraction) -> int:
    return (value > 0) - (value < 0)


def raised(base: Fraction, exponent: Fraction) -> Fraction:
    """A power that is a rational number, exactly."""
    root = Fraction(_root(base.numerator, exponent.denominator), _root(base.denominator, exponent.denominator))
    return root**exponent.numerator


def _root(number: int, degree: int) -> int:
    if degree == 1:
        return number
    root = round(number ** (1 / degree))
    assert root**degree == number, (number, degree)
    return root
