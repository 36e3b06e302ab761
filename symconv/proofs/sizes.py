"""Sizes in ascending order: by their sum, then by the parameters in the order given; only those that are allowed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from symconv.formulas.algebra import Guard
from symconv.formulas.effort import Effort
from symconv.formulas.index import Extremum, Index, Quotient

__all__ = ["assignments", "denominators", "holds"]

MAX_CANDIDATES = 40_000
CANDIDATE = 10  # steps to look at one combination, and for every condition on it


def holds(guard: Guard, env: Mapping[str, int]) -> bool:
    """Whether a guard holds at given numbers.

    >>> holds(Guard("ge", Index.of("I") - "K"), {"I": 3, "K": 2})
    True
    """
    value = guard.expr.evaluate(env)
    if guard.kind == "ge":
        return bool(value >= 0)
    if guard.kind == "eq":
        return bool(value == 0)
    assert guard.divisor is not None
    return bool(value % guard.divisor.evaluate(env) == 0)


def denominators(exprs: Iterable[Index], guards: Iterable[Guard] = ()) -> tuple[Index, ...]:
    """All denominators and divisors that are no plain numbers, in order; one inside of another comes before it."""
    found: dict[Index, None] = {}

    def note(expr: Index) -> None:
        for key in expr.terms:
            for atom in key:
                if isinstance(atom, Quotient):
                    note(atom.numerator)
                    note(atom.denominator)
                    found[atom.denominator] = None
                elif isinstance(atom, Extremum):
                    for arg in atom.args:
                        note(arg)

    for expr in exprs:
        note(expr)
    for guard in guards:
        note(guard.expr)
        if guard.divisor is not None:
            note(guard.divisor)
            found[guard.divisor] = None
    return tuple(d for d in found if d.value is None)


def assignments(
    parameters: Sequence[str],
    guards: Iterable[Guard],
    *,
    definitions: Sequence[tuple[str, Index]] = (),
    positive: Sequence[Index] = (),
    candidates: int = MAX_CANDIDATES,
    effort: Effort | None = None,
) -> Iterator[dict[str, int]]:
    """Numbers for all parameters and definitions under which the guards hold, the smallest first.

    Args:
        parameters: the names to enumerate, in order; one without a known lower bound runs through 0, 1, -1, 2, ...
        guards: conditions on parameters and definitions.
        definitions: names that follow from others, in order.
        positive: expressions that must be at least 1 for the others to have a meaning, such as denominators.
        candidates: how many combinations are looked at.
        effort: what that may cost; bounded by their number alone unless given.

    Raises:
        OutOfEffort: where it costs more.
    """
    conditions = list(guards)
    lows, highs = _ends(parameters, conditions)
    checks = [g for g in conditions if not (_is_end(g) and g.names <= set(parameters))]
    looked = 0
    for total in range(candidates):
        some = False
        for values in _with_sum(total, [lows.get(n) for n in parameters], [highs.get(n) for n in parameters]):
            some = True
            looked += 1
            if effort is not None:
                effort.spend(CANDIDATE * (1 + len(checks) + len(definitions)))
            if looked > candidates:
                return
            env = dict(zip(parameters, values, strict=True))
            if _allowed(env, definitions, positive, checks):
                yield env
        if not some and total > 0:
            return  # every parameter has reached its upper end


def _allowed(
    env: dict[str, int],
    definitions: Sequence[tuple[str, Index]],
    positive: Sequence[Index],
    checks: Sequence[Guard],
) -> bool:
    """Complete `env` by the definitions and say whether it is allowed."""
    waiting = list(positive)
    for name, value in (*definitions, ("", Index.of(0))):
        for expr in [e for e in waiting if e.names <= env.keys()]:
            if expr.evaluate(env) < 1:
                return False
            waiting.remove(expr)
        if name:
            env[name] = int(value.evaluate(env))
    return all(holds(guard, env) for guard in checks)


def _ends(parameters: Sequence[str], guards: Sequence[Guard]) -> tuple[dict[str, int], dict[str, int]]:
    lows: dict[str, int] = {}
    highs: dict[str, int] = {}
    for guard in guards:
        if not _is_end(guard):
            continue
        (name,) = guard.names
        if name not in parameters:
            continue
        constant = guard.expr.terms.get((), 0)
        if guard.expr.terms[(name,)] == 1:
            lows[name] = max(-constant, lows.get(name, -constant))
        else:
            highs[name] = min(constant, highs.get(name, constant))
    return lows, highs


def _is_end(guard: Guard) -> bool:
    """``name - c >= 0`` or ``c - name >= 0``."""
    keys = [key for key in guard.expr.terms if key]
    return (
        guard.kind == "ge"
        and len(keys) == 1
        and len(keys[0]) == 1
        and isinstance(keys[0][0], str)
        and guard.expr.terms[keys[0]] in (1, -1)
    )


def _with_sum(total: int, lows: Sequence[int | None], highs: Sequence[int | None]) -> Iterator[tuple[int, ...]]:
    """All choices whose distances from the smallest values add up to `total`, in lexicographic order."""
    if not lows:
        if total == 0:
            yield ()
        return
    low, high = lows[0], highs[0]
    last = len(lows) == 1
    for distance in range(total if last else 0, total + 1):
        for value in dict.fromkeys((distance, -distance)) if low is None else (low + distance,):
            if high is not None and value > high:
                continue
            for rest in _with_sum(total - distance, lows[1:], highs[1:]):
                yield (value, *rest)
