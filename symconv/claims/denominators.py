"""No claim divides by zero: every denominator that is an index expression is looked at under what holds around it."""

from __future__ import annotations

from collections.abc import Sequence

from symconv.claims.indices import to_index, to_ratio
from symconv.claims.lowering import conditions_of
from symconv.claims.scope import Scope
from symconv.claims.sets import members
from symconv.claims.syntax import Binary, Call, Cases, Expr, Limit, Negate, Number, Over, Power, Range, SetOf, Sum
from symconv.claims.traversal import children
from symconv.claims.writing import to_text
from symconv.errors import ClaimError
from symconv.formulas.algebra import Bound, Guard, equal, nonnegative
from symconv.formulas.effort import Effort
from symconv.formulas.index import Index
from symconv.proofs.goals import prove_goal

__all__ = ["open_denominators"]


def open_denominators(parts: Sequence[Expr], free: Sequence[Bound], scope: Scope) -> list[str]:
    """Refuse a claim that divides by something that is 0 at a size or index that it speaks of.

    A denominator with entries of tensors in it is left alone: an example with such entries decides.

    Args:
        parts: the sides of the claim.
        free: its free indices with their ranges.
        scope: what it may speak of.

    Returns:
        the denominators of which neither was found: a proof that they are never 0, or an example where they are.

    Raises:
        ClaimError: with the denominator and an example where it is 0.
    """
    known = [*scope.hypotheses, *(equal(name, value) for name, value in scope.definitions)]
    known += [guard for bound in free for guard in bound.guards()]
    return list(dict.fromkeys(text for part in parts for text in _open(part, known, frozenset(), scope)))


def _open(expr: Expr, known: Sequence[Guard], bound: frozenset[str], scope: Scope) -> list[str]:
    found: list[str] = []
    if isinstance(expr, Binary) and expr.op == "/":
        found += _check(expr.right, known, bound, scope)
    elif isinstance(expr, Power) and _is_negative(expr.exponent):
        found += _check(expr.base, known, bound, scope)
    elif isinstance(expr, Call) and expr.name == "mod" and len(expr.args) == 2:
        found += _check(expr.args[1], known, bound, scope)
    if isinstance(expr, Sum | SetOf):
        for over in expr.over if isinstance(expr, Sum) else (expr.over,):
            for end in (over.lower, over.upper) if isinstance(over, Range) else (over.set,):
                found += _open(end, known, bound, scope)
            known, bound = _inside(over, known, bound, scope)
        return found + _open(expr.body, known, bound, scope)
    if isinstance(expr, Limit):
        bound |= {expr.variable}
        known = [guard for guard in known if expr.variable not in guard.names]
        known.append(nonnegative(Index.of(expr.variable) - 1))  # it grows beyond all bounds
    elif isinstance(expr, Cases):
        for value, conditions in expr.rows:
            for side in (side for condition in conditions for side in (condition.left, condition.right)):
                found += _open(side, known, bound, scope)
            here = [guard for condition in conditions for guard in conditions_of(condition, scope, bound)]
            found += _open(value, [*known, *here], bound, scope)
        return found
    for child in children(expr):
        found += _open(child, known, bound, scope)
    return found


def _is_negative(exponent: Expr) -> bool:
    return isinstance(exponent, Negate) and isinstance(exponent.arg, Number)


def _inside(
    over: Range | Over, known: Sequence[Guard], bound: frozenset[str], scope: Scope
) -> tuple[list[Guard], frozenset[str]]:
    """What is known inside a sum, and the names that are bound there; of a letter outside it another thing is known."""
    if isinstance(over, Range):
        names: tuple[str, ...] = (over.variable,)
        ranges = [Bound(over.variable, to_index(over.lower, scope, bound), to_index(over.upper, scope, bound))]
        guards: list[Guard] = []
    else:
        names = over.variables
        ranges, guards = members(over, scope, bound)
    outer = [guard for guard in known if not guard.names & set(names)]
    return [*outer, *(guard for own in ranges for guard in own.guards()), *guards], bound | set(names)


def _check(expr: Expr, known: Sequence[Guard], bound: frozenset[str], scope: Scope) -> list[str]:
    try:
        value, _ = to_ratio(expr, scope, bound)  # the denominator of a denominator is looked at by itself
    except ClaimError:
        return []  # no index expression: entries of tensors, or the real order of a norm
    if any(_follows(known, sign * value - 1, scope) for sign in (1, -1)):
        return []
    example = prove_goal([equal(value, 0), *known], [nonnegative(-1)], effort=_share(scope)).counterexample
    if example is not None:
        own = [f"{name} = {number}" for name, number in example.sizes.items() if name in value.names]
        where = ", ".join(own) or "the given size"
        raise ClaimError(f"divides by {to_text(expr)}, which is 0 at {where}")
    return [to_text(expr)]


def _follows(known: Sequence[Guard], value: Index, scope: Scope) -> bool:
    goal = nonnegative(value)
    return goal.truth is True or prove_goal(known, [goal], effort=_share(scope)).status == "proved"


def _share(scope: Scope) -> Effort:
    """What one question about a denominator may cost."""
    return scope.effort.part(1, 10)
