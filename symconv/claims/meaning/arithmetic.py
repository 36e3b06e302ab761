"""Divisors and powers that must have a value: by arithmetic of indices where that tells, else by evaluation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TypeGuard

from symconv.claims.meaning.existence import filled
from symconv.claims.meaning.indices import to_index, to_ratio
from symconv.claims.meaning.lowering import lower
from symconv.claims.meaning.obligations import NEVER, ClaimNeed, Path
from symconv.claims.meaning.scope import Scope
from symconv.claims.syntax import Binary, Call, Entry, Expr, Name, Raised
from symconv.claims.traversal import walk_expr
from symconv.claims.writing import to_text
from symconv.errors import ClaimError
from symconv.formulas import algebra
from symconv.formulas.algebra import Constant, Node, Reduce, Scalar, const, equal, nonnegative, scalar
from symconv.formulas.index import Index
from symconv.proofs.needs import Inside, Need, Valued, has_power

__all__ = ["of_divisor", "of_nonzero", "of_norm", "of_power", "of_upper"]


def of_divisor(expr: Expr, scope: Scope, path: Path) -> Iterator[ClaimNeed]:
    """A divisor is not 0; a product is where a factor is."""
    if isinstance(expr, Binary) and expr.op == "*":
        yield from of_divisor(expr.left, scope, path)
        yield from of_divisor(expr.right, scope, path)
        return
    text = to_text(expr)
    if _is_set_size(expr, scope):
        yield from filled(expr.args[0], divides(text), scope, path)
        return
    try:
        value, _ = to_ratio(expr, scope, path.bound)  # the denominator of a denominator is looked at by itself
    except ClaimError:  # no index expression: entries of tensors, or the real order of a norm
        yield from of_power_of(lower(expr, scope, path.bound), const(-1), divides(text), scope, path)
    else:
        yield from of_nonzero(value, text, path)


def _is_set_size(expr: Expr, scope: Scope) -> TypeGuard[Call]:
    """The only functions whose first argument is a set: size, card and abs."""
    return isinstance(expr, Call) and getattr(expr.args[0], "name", "") in scope.declared.sets


def of_nonzero(value: Index, text: str, path: Path) -> Iterator[ClaimNeed]:
    """A divisor that is an index expression is not 0."""
    if value.value is None or value.value == 0:
        need = Need((*path.steps, equal(value, 0)), Inside(NEVER))
        yield ClaimNeed(need, "undefined", *divides(text))


def of_power(expr: Raised, scope: Scope, path: Path) -> Iterator[ClaimNeed]:
    """A power, whose exponent may speak of the order of a norm; a negative whole one divides."""
    inner = replace(path, bound=path.bound | scope.orders)
    base, exponent = _plain(expr.base, scope, path), _plain(expr.exponent, scope, inner)
    negative = isinstance(exponent, Constant) and exponent.value < 0 and exponent.value.denominator == 1
    numbers = not any(isinstance(part, Name) for part in walk_expr(expr.exponent))
    words = divides(to_text(expr.base)) if negative and numbers else takes(to_text(expr))
    yield from of_power_of(base, exponent, words, scope, path)


def of_upper(expr: Entry, scope: Scope, path: Path) -> Iterator[ClaimNeed]:
    """An upper index that is a power."""
    assert expr.upper is not None
    inner = replace(path, bound=path.bound | scope.orders)
    base = lower(replace(expr, upper=None), scope, path.bound)
    yield from of_power_of(base, _plain(expr.upper, scope, inner), takes(to_text(expr)), scope, path)


def of_norm(node: Node, text: str, scope: Scope, path: Path) -> Iterator[ClaimNeed]:
    """What the powers of a norm need, inside its sum too."""
    if isinstance(node, algebra.Power):
        yield from of_norm(node.base, text, scope, path)
        yield from of_power_of(node.base, node.exponent, takes(text), scope, path)
    elif isinstance(node, Reduce):
        yield from of_norm(node.body, text, scope, path.then(*node.bounds, *node.guards))


def of_power_of(base: Node, exponent: Node, words: tuple[str, str], scope: Scope, path: Path) -> Iterator[ClaimNeed]:
    """``base ** exponent`` has a value: by arithmetic of indices where it can be told there, else by evaluation."""
    need = _index_power(base, exponent, scope, path) or Need(path.steps, Valued(base, exponent))
    if need.demand != Inside(()):
        yield ClaimNeed(need, "undefined", *words)


def _plain(expr: Expr, scope: Scope, path: Path) -> Node:
    """The value of an expression, as one index expression where it is one: K - 3 is a number then, and no sum."""
    try:
        return scalar(to_index(expr, scope, path.bound))
    except ClaimError:
        return lower(expr, scope, path.bound)


def _index_power(base: Node, exponent: Node, scope: Scope, path: Path) -> Need | None:
    """The need of a power of a number or an index expression by one; None where it is none of these."""
    if isinstance(exponent, Constant) and exponent.value.denominator == 1 and exponent.value >= 1:
        return Need(path.steps, Inside(()))
    if isinstance(base, Constant) and isinstance(exponent, Constant):
        return Need(path.steps, Inside(() if has_power(base.value, exponent.value) else NEVER))
    if isinstance(base, Constant) and base.value > 0:
        return Need(path.steps, Inside(()))
    reals = scope.orders
    if any(isinstance(node, Scalar) and node.index.names & reals for node in (base, exponent)):
        return None
    if isinstance(exponent, Scalar) and isinstance(base, Constant):
        whole = Inside(() if base.value < 0 else (nonnegative(exponent.index - 1),))
        return Need(path.steps, whole)
    if isinstance(exponent, Scalar) and isinstance(base, Scalar):
        return Need((*path.steps, equal(base.index, 0)), Inside((nonnegative(exponent.index - 1),)))
    if isinstance(exponent, Constant) and isinstance(base, Scalar):
        if exponent.value.denominator == 1:
            return Need((*path.steps, equal(base.index, 0)), Inside(NEVER))
        return Need(path.steps, Inside((nonnegative(base.index - (exponent.value < 0)),)))
    return None


def divides(text: str) -> tuple[str, str]:
    """The fault and the doubt of a divisor."""
    fault = "divides by zero" if text == "0" else f"divides by {text}, which is 0"
    return fault, f"whether {text}, by which it divides, is ever 0"


def takes(text: str) -> tuple[str, str]:
    """The fault and the doubt of a power."""
    return f"takes {text}, which has no value", f"whether {text} always has a value"
