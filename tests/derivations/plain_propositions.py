"""Propositions evaluated by plain loops: nothing of symconv is imported, records are told apart by their class names.

Every number and every tensor entry is put in; sums, maxima, floors and conditions are worked out as they are read. A
derivative is the difference that one more in an entry makes, which is exact for what is affine in it; where powers of e
and logarithms stand, it is that of five points close together.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import product
from typing import Any

__all__ = ["NoMeaningError", "holds_at", "worlds"]

EDGE = 7  # how far an index without an end is followed, above and below
TOLERANCE = 1e-9
STEP = 1e-3
NOTHING = -math.inf

Env = Mapping[str, Any]
Entries = dict[str, Callable[[tuple[int, ...]], Any]]


class NoMeaningError(Exception):
    """A quotient by 0, or a root of a negative number."""


def index(expr: Any, env: Env) -> Any:
    """An index expression: a sum of products of names, rounded quotients, minima and maxima."""
    total: Any = 0
    for atoms, coefficient in expr.terms.items():
        value: Any = coefficient
        for atom in atoms:
            value = value * (env[atom] if isinstance(atom, str) else rounded(atom, env))
        total += value
    return total


def rounded(atom: Any, env: Env) -> Any:
    if type(atom).__name__ == "Extremum":
        values = [index(arg, env) for arg in atom.args]
        return min(values) if atom.kind == "min" else max(values)
    top, bottom = index(atom.numerator, env), index(atom.denominator, env)
    if bottom == 0:
        raise NoMeaningError
    if atom.rounding == "exact":
        return Fraction(top, bottom)
    return math.floor(Fraction(top, bottom)) if atom.rounding == "floor" else math.ceil(Fraction(top, bottom))


def guard(condition: Any, env: Env) -> bool:
    value = index(condition.expr, env)
    if condition.kind == "div":
        divisor = index(condition.divisor, env)
        if divisor == 0:
            raise NoMeaningError
        return bool(value % divisor == 0)
    return bool(value >= 0 if condition.kind == "ge" else value == 0)


def points(bounds: Sequence[Any], guards: Sequence[Any], env: Env) -> Iterator[dict[str, Any]]:
    if not bounds:
        if all(guard(g, env) for g in guards):
            yield dict(env)
        return
    first, *rest = bounds
    for value in range(index(first.lower, env), index(first.upper, env) + 1):
        yield from points(rest, guards, {**env, first.name: value})


def value(node: Any, env: Env, entries: Entries) -> Any:
    kind = type(node).__name__
    if kind == "Constant":
        return node.value
    if kind == "Scalar":
        return index(node.index, env)
    if kind == "Access":
        return entries[node.tensor](tuple(index(e, env) for e in node.index))
    if kind == "Plus":
        return sum(value(arg, env, entries) for arg in node.args)
    if kind == "Multiply":
        total: Any = 1
        for arg in node.args:
            total = total * value(arg, env, entries)
            if total == 0:
                return 0
        return total
    if kind == "Power":
        return power(value(node.base, env, entries), value(node.exponent, env, entries))
    if kind == "Applied":
        number = value(node.arg, env, entries)
        if node.function.name == "ln" and number <= 0:
            raise NoMeaningError
        return {"exp": math.exp, "ln": math.log}[node.function.name](number)
    if kind == "Absolute":
        return abs(value(node.arg, env, entries))
    if kind == "Bracket":
        return int(all(guard(g, env) for g in node.guards))
    if kind == "Compare":
        return int(related(value(node.left, env, entries), node.relation, value(node.right, env, entries)))
    if kind == "Named":
        return value(node.value, env, entries)
    if kind == "Reduce":
        found = [value(node.body, here, entries) for here in points(node.bounds, node.guards, env)]
        return sum(found) if node.op == "sum" else max(found, default=NOTHING)
    raise AssertionError(f"no loops for {kind}")


def power(base: Any, exponent: Any) -> Any:
    if exponent == int(exponent):
        if base == 0 and exponent <= 0:
            raise NoMeaningError
        return Fraction(base) ** int(exponent) if not isinstance(base, float) else base ** int(exponent)
    if base < 0:
        raise NoMeaningError
    return float(base) ** float(exponent)


def related(left: Any, sign: str, right: Any) -> bool:
    exact = not (isinstance(left, float) and math.isfinite(left)) and not isinstance(right, float)
    slack = 0 if exact else TOLERANCE * max(1, abs(left), abs(right)) if math.inf not in (abs(left), abs(right)) else 0
    if sign == "=":
        return bool(left == right if exact or left == right else abs(left - right) <= slack)
    if sign == ">":
        return bool(left > right)
    return bool(left <= right + slack if sign == "<=" else left >= right - slack)


# --- propositions ------------------------------------------------------------------------------------------------


def defined(lets: Sequence[Any], env: Env, entries: Entries) -> Entries:
    """The arrays with those that are defined by others."""
    whole = dict(entries)

    def made(let: Any, before: Entries) -> Callable[[tuple[int, ...]], Any]:
        def read(at: tuple[int, ...]) -> Any:
            here = {**env, **dict(zip(let.indices, at, strict=True))}
            for bound in let.ranges:
                if not index(bound.lower, here) <= here[bound.name] <= index(bound.upper, here):
                    return 0
            return side(let.value, here, before, lets)

        return read

    for let in lets:
        whole[let.name] = made(let, dict(whole))
    return whole


def side(part: Any, env: Env, entries: Entries, lets: Sequence[Any]) -> Any:
    if type(part).__name__ != "Partial":
        return value(part, env, entries)
    at = tuple(index(e, env) for e in part.by.index)
    name = part.by.tensor

    base = {n: f for n, f in entries.items() if n not in {let.name for let in lets}}

    def moved(step: Any) -> Any:
        bumped = {name: lambda place: entries[name](place) + step * (place == at)}
        return value(part.of, env, defined(lets, env, {**base, **bumped}))

    difference = moved(1) - moved(0)
    if not isinstance(difference, float):
        return difference
    h = STEP
    return (8 * (moved(h) - moved(-h)) - (moved(2 * h) - moved(-2 * h))) / (12 * h)


def holds(condition: Any, env: Env, entries: Entries, proposition: Any, trials: Sequence[Any] = ()) -> bool:
    kind = type(condition).__name__
    if kind == "Relation":
        values = [side(part, env, entries, proposition.lets) for part in condition.sides]
        return all(related(a, s, b) for a, s, b in zip(values, condition.signs, values[1:], strict=False))
    if kind == "Divides":
        divisor = index(condition.divisor, env)
        return divisor != 0 and index(condition.of, env) % divisor == 0
    if kind == "Iff":
        sides = [
            all(holds(c, env, entries, proposition, trials) for c in part) for part in (condition.left, condition.right)
        ]
        return sides[0] == sides[1]
    assert kind == "Every"
    for here in ranged(condition.ranges, env):
        if not condition.arrays:
            if not all(holds(c, here, entries, proposition, trials) for c in condition.then):
                return False
            continue
        for chosen in every_array(condition.arrays, here, entries):
            if not all(holds(c, here, {**entries, **chosen}, proposition, trials) for c in condition.then):
                return False
    return True


def every_array(arrays: Sequence[Any], env: Env, entries: Entries) -> Iterator[Entries]:
    """Arrays of one axis that a statement about all arrays is tried with: small ones, and steps from one at hand."""
    (array,) = arrays
    (bound,) = array.ranges
    places = range(index(bound.lower, env), index(bound.upper, env) + 1)
    starts: list[dict[int, Any]] = [{k: Fraction(v) for k, v in zip(places, values, strict=True)}
                                    for values in product((-1, 0, 2), repeat=len(places))]  # fmt: skip
    if "x" in entries:
        near = {k: entries["x"]((k,)) for k in places}
        for step in (-10, -1, 1, 10):
            starts += [{**near, k: near[k] + step} for k in places]
            starts.append({k: v + step for k, v in near.items()})
    for start in starts:
        yield {array.name: lambda at, start=start: start.get(at[0], 0)}


def ranged(ranges: Sequence[Any], env: Env) -> Iterator[dict[str, Any]]:
    if not ranges:
        yield dict(env)
        return
    first, *rest = ranges
    low = -EDGE if first.lower is None else index(first.lower, env)
    high = max(low, 0) + EDGE if first.upper is None else index(first.upper, env)
    for number in range(low, high + 1):
        yield from ranged(rest, {**env, first.name: number})


def holds_at(proposition: Any, env: Env, entries: Entries) -> bool | None:
    """Whether all clauses hold at some numbers and tensors; None where what is supposed does not, or says nothing."""
    try:
        whole = dict(env)
        for let in proposition.sizes:
            whole[let.name] = value(let.value, whole, {})
        here = defined(proposition.lets, whole, entries)
        if not all(holds(given, whole, here, proposition) for given in proposition.given):
            return None
        for clause in proposition.clauses:
            for at in ranged(clause.ranges, whole):
                inner = defined(
                    proposition.lets, at, entries
                )  # what is named may depend on what the clause ranges over
                if not all(holds(given, at, inner, proposition) for given in clause.given):
                    continue
                if not all(holds(then, at, inner, proposition) for then in clause.then):
                    return False
    except NoMeaningError:
        return None
    return True


def worlds(proposition: Any, count: int, seed: int) -> Iterator[tuple[dict[str, Any], Entries]]:
    """Small numbers in their ranges, ascending first and then at random, and tensors of small integers."""
    rng = random.Random(seed)
    names = [*proposition.integers, *proposition.reals]
    spans = [range(4)] * len(names)
    steady = list(product(*spans)) if 4 ** len(names) <= count // 2 else []
    for number in range(count):
        offsets = steady[number] if number < len(steady) else [rng.choice((0, 0, 1, 1, 2, 3)) for _ in names]
        env: dict[str, Any] = {}
        try:
            for entry, offset in zip(names, offsets, strict=True):
                env[entry.name] = (0 if entry.lower is None else index(entry.lower, env)) + offset
        except KeyError:
            continue
        yield env, tensors(proposition, env, rng)


def tensors(proposition: Any, env: dict[str, Any], rng: random.Random) -> Entries:
    whole = dict(env)
    try:
        for let in proposition.sizes:
            whole[let.name] = value(let.value, whole, {})
    except NoMeaningError:
        return {}
    found: Entries = {}
    for array in proposition.arrays:
        ranges = [range(index(b.lower, whole), index(b.upper, whole) + 1) for b in array.ranges]
        low = 0 if array.nonnegative else -2
        held = {at: Fraction(rng.randint(low, 2)) for at in product(*ranges)}
        found[array.name] = lambda at, held=held: held.get(at, 0)
    return found
