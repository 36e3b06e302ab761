"""Walking and rebuilding the syntax tree of claims."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from symconv.claims.syntax import (
    Binary,
    Call,
    Cases,
    Claim,
    Condition,
    Derivative,
    Entry,
    Expr,
    Limit,
    MatrixLiteral,
    Name,
    Negate,
    Over,
    Raised,
    Range,
    SetOf,
    Sum,
)

__all__ = ["children", "map_expr", "walk_expr", "words"]


def walk_expr(expr: Expr) -> Iterator[Expr]:
    """All parts of an expression, itself first, in reading order."""
    yield expr
    for child in children(expr):
        yield from walk_expr(child)


def children(expr: Expr) -> list[Expr]:
    """The parts that an expression is made of, in reading order."""
    if isinstance(expr, Entry):
        return [*expr.indices, *([expr.upper] if expr.upper is not None else [])]
    if isinstance(expr, Binary):
        return [expr.left, expr.right]
    if isinstance(expr, Negate):
        return [expr.arg]
    if isinstance(expr, Raised):
        return [expr.base, expr.exponent]
    if isinstance(expr, Call):
        return list(expr.args)
    if isinstance(expr, Sum):
        bounds: list[Expr] = []
        for over in expr.over:
            bounds += [over.lower, over.upper] if isinstance(over, Range) else [over.set]
        return [*bounds, expr.body]
    if isinstance(expr, SetOf):
        return [expr.body, expr.over.set]
    if isinstance(expr, Derivative):
        return [expr.of, expr.by]
    if isinstance(expr, Cases):
        return [
            part
            for value, conditions in expr.rows
            for part in (value, *(side for c in conditions for side in (c.left, c.right)))
        ]
    if isinstance(expr, MatrixLiteral):
        return [entry for row in expr.rows for entry in row]
    if isinstance(expr, Limit):
        return [expr.body, expr.to]
    return []


def words(claim: Claim) -> frozenset[str]:
    """All names that a claim writes: of entries, functions and sets, of indices, free and bound."""
    found: set[str] = set()
    for expr in (expr for part in claim.parts for expr in walk_expr(part)):
        if isinstance(expr, Name | Entry | Call):
            found.add(expr.name)
        elif isinstance(expr, Limit):
            found.add(expr.variable)
        elif isinstance(expr, Sum | SetOf):
            for over in expr.over if isinstance(expr, Sum) else (expr.over,):
                found |= {over.variable} if isinstance(over, Range) else set(over.variables)
    return frozenset(found)


def map_expr(expr: Expr, change: Callable[[Expr], Expr | None]) -> Expr:
    """Rebuild an expression from the top: where `change` answers, that is taken whole and not entered."""
    changed = change(expr)
    if changed is not None:
        return changed

    def visit(part: Expr) -> Expr:
        return map_expr(part, change)

    if isinstance(expr, Entry):
        upper = None if expr.upper is None else visit(expr.upper)
        return replace(expr, indices=tuple(visit(i) for i in expr.indices), upper=upper)
    if isinstance(expr, Binary):
        return replace(expr, left=visit(expr.left), right=visit(expr.right))
    if isinstance(expr, Negate):
        return replace(expr, arg=visit(expr.arg))
    if isinstance(expr, Raised):
        return replace(expr, base=visit(expr.base), exponent=visit(expr.exponent))
    if isinstance(expr, Call):
        return replace(expr, args=tuple(visit(arg) for arg in expr.args))
    if isinstance(expr, Sum):
        over = tuple(
            Range(o.variable, visit(o.lower), visit(o.upper))
            if isinstance(o, Range)
            else Over(o.variables, visit(o.set))
            for o in expr.over
        )
        return replace(expr, body=visit(expr.body), over=over)
    if isinstance(expr, SetOf):
        return replace(expr, body=visit(expr.body), over=Over(expr.over.variables, visit(expr.over.set)))
    if isinstance(expr, Derivative):
        return replace(expr, of=visit(expr.of), by=visit(expr.by))
    if isinstance(expr, Cases):
        rows = tuple(
            (visit(value), tuple(Condition(visit(c.left), c.relation, visit(c.right)) for c in conditions))
            for value, conditions in expr.rows
        )
        return replace(expr, rows=rows)
    if isinstance(expr, MatrixLiteral):
        return replace(expr, rows=tuple(tuple(visit(entry) for entry in row) for row in expr.rows))
    if isinstance(expr, Limit):
        return replace(expr, body=visit(expr.body), to=visit(expr.to))
    return expr
