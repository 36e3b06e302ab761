"""Small edits of a claim: one index, one number, one bound, two indices exchanged, a floor; the likeliest first.

Whether an edit makes a refuted claim true is judged like any claim; only one that is proved (or exact, at a declared
size) is offered.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TypeAlias

from symconv.claims.meaning.obligations import End
from symconv.claims.syntax import Binary, Call, Claim, Entry, Expr, Name, Number, Range, Sum
from symconv.claims.traversal import children, map_expr, walk_expr
from symconv.claims.writing import to_text

__all__ = ["candidates", "said", "shown", "with_ends"]

Shown: TypeAlias = "Expr | tuple[str, Expr, Expr]"
"""A part of a claim, or the range of a sum."""

Edit: TypeAlias = "tuple[Expr, Shown, Shown]"
"""The edited expression, and the part that changes, before and after."""


def candidates(claim: Claim) -> Iterator[tuple[Claim, Shown, Shown]]:
    """Claims that differ by one small edit, the likeliest first, with the part that changes before and after.

    The last part of a chain is edited first: it is what was derived.
    """
    for kind in (_other_index, _one_off, _exchanged, _other_bound, _rounded, _other_number, _turned_around):
        for position in reversed(range(len(claim.parts))):
            if position == 0 and len(claim.parts) > 1:
                continue  # the left-hand side says what is claimed
            part = claim.parts[position]
            for mended, before, after in kind(part, claim):
                parts = (*claim.parts[:position], mended, *claim.parts[position + 1 :])
                yield replace(claim, parts=parts), before, after


def with_ends(claim: Claim, ends: Sequence[End]) -> tuple[Claim, str]:
    """The claim with other ends of its sums, and what changes, in words: "K should be K-1"."""

    def change(expr: Expr) -> Expr | None:
        return next((end.new for end in ends if end.old is expr), None)

    return replace(claim, parts=tuple(map_expr(part, change) for part in claim.parts)), said(ends)


def said(ends: Iterable[End]) -> str:
    """What the ends of some sums should be."""
    return ", ".join(dict.fromkeys(f"{shown(end.old)} should be {shown(end.new)}" for end in ends))


def shown(part: Shown) -> str:
    """A part of a claim without blanks; the range of a sum as it stands there."""
    if isinstance(part, tuple):
        return f"({part[0]},{shown(part[1])},{shown(part[2])})"
    return to_text(part).replace(" ", "")


def _entries(expr: Expr) -> list[Entry]:
    return [part for part in walk_expr(expr) if isinstance(part, Entry)]


def _swap(expr: Expr, old: Expr, new: Expr) -> Expr:
    """The expression with one part, by identity, replaced."""
    return map_expr(expr, lambda part: new if part is old else None)


def _index_names(claim: Claim) -> list[str]:
    """The names that occur in indices, and those that sums bind."""
    names: list[str] = []
    for part in claim.parts:
        for expr in walk_expr(part):
            if isinstance(expr, Entry):
                names += [p.name for i in expr.indices for p in walk_expr(i) if isinstance(p, Name)]
            elif isinstance(expr, Sum):
                names += [o.variable for o in expr.over if isinstance(o, Range)]
    return list(dict.fromkeys(names))


def _other_index(expr: Expr, claim: Claim) -> Iterator[Edit]:
    """One index letter replaced by another one of the claim."""
    names = _index_names(claim)
    for entry in _entries(expr):
        for index in entry.indices:
            for part in walk_expr(index):
                if isinstance(part, Name):
                    for name in names:
                        if name != part.name:
                            after = _swap(index, part, replace(part, name=name))
                            yield _swap(expr, part, replace(part, name=name)), index, after


def _one_off(expr: Expr, claim: Claim) -> Iterator[Edit]:
    """One number of an index larger or smaller by one; an index with one added or taken away."""
    del claim
    for entry in _entries(expr):
        for index in entry.indices:
            found = [part for part in walk_expr(index) if isinstance(part, Number)]
            for part in found:
                for step in (1, -1):
                    changed = Number(part.value + step)
                    other = _without_zero(_swap(index, part, changed))
                    yield _swap(expr, index, other), index, other
            if not found:
                for op in ("+", "-"):
                    changed_index = Binary(op, index, Number(Fraction(1)))
                    yield _swap(expr, index, changed_index), index, changed_index


def _exchanged(expr: Expr, claim: Claim) -> Iterator[Edit]:
    """Two indices of one entry exchanged; the sign of a summand turned around."""
    del claim
    for entry in _entries(expr):
        if len(entry.indices) == 2:
            after = replace(entry, indices=entry.indices[::-1])
            yield _swap(expr, entry, after), entry, after
        for index in entry.indices:
            for part in walk_expr(index):
                if isinstance(part, Binary) and part.op in ("+", "-"):
                    turned = replace(part, op="-" if part.op == "+" else "+")
                    yield _swap(expr, part, turned), index, _swap(index, part, turned)
                if isinstance(part, Binary) and part.op == "-":
                    other = replace(part, left=part.right, right=part.left)
                    yield _swap(expr, part, other), index, _swap(index, part, other)


def _other_bound(expr: Expr, claim: Claim) -> Iterator[Edit]:
    """A bound of a sum larger or smaller by one, or another size."""
    sizes = list(dict.fromkeys(
        over.upper.name
        for part in claim.parts
        for s in walk_expr(part)
        if isinstance(s, Sum)
        for over in s.over
        if isinstance(over, Range) and isinstance(over.upper, Name)
    ))  # fmt: skip
    for part in walk_expr(expr):
        if not isinstance(part, Sum):
            continue
        for over in part.over:
            if not isinstance(over, Range):
                continue
            for end in (over.lower, over.upper):
                ends: list[Expr] = []
                for step in (1, -1):
                    one = Number(Fraction(1))
                    further: Expr = Binary("+", end, one) if step > 0 else Binary("-", end, one)
                    ends.append(Number(end.value + step) if isinstance(end, Number) else further)
                ends += [replace(end, name=name) for name in sizes if isinstance(end, Name) and name != end.name]
                for after in ends:
                    low, high = (after if e is end else e for e in (over.lower, over.upper))
                    before = (over.variable, over.lower, over.upper)
                    yield _swap(expr, end, after), before, (over.variable, low, high)


def _rounded(expr: Expr, claim: Claim) -> Iterator[Edit]:
    """A quotient rounded down."""
    del claim
    for part in walk_expr(expr):
        inside = any(
            isinstance(c, Call) and c.name in ("floor", "ceil") and part in children(c) for c in walk_expr(expr)
        )
        if isinstance(part, Binary) and part.op == "/" and not inside:
            after = Call("floor", (part,))
            yield _swap(expr, part, after), part, after


def _other_number(expr: Expr, claim: Claim) -> Iterator[Edit]:
    """A number that is no index and no bound, such as a divisor or a power, larger or smaller by one."""
    del claim
    indices = [index for entry in _entries(expr) for index in entry.indices]
    bounds = [
        end
        for part in walk_expr(expr)
        if isinstance(part, Sum)
        for over in part.over
        if isinstance(over, Range)
        for end in (over.lower, over.upper)
    ]
    elsewhere = {id(part) for outer in (*indices, *bounds) for part in walk_expr(outer)}
    for whole in walk_expr(expr):
        for part in children(whole):
            if isinstance(part, Number) and id(part) not in elsewhere:
                for step in (1, -1):
                    after = _swap(whole, part, Number(part.value + step))
                    yield _swap(expr, whole, after), whole, after


def _turned_around(expr: Expr, claim: Claim) -> Iterator[Edit]:
    """A correlation for a convolution, or the other way round; image and kernel exchanged."""
    del claim
    for part in walk_expr(expr):
        if isinstance(part, Call) and part.name in ("corr", "conv"):
            after = replace(part, name="conv" if part.name == "corr" else "corr")
            yield _swap(expr, part, after), part, after
        if isinstance(part, Call) and part.name in ("corr", "conv"):
            swapped: Expr = replace(part, args=part.args[::-1])
            yield _swap(expr, part, swapped), part, swapped
        if isinstance(part, Binary) and part.op in ("star", "ast"):
            swapped = replace(part, left=part.right, right=part.left)
            yield _swap(expr, part, swapped), part, swapped


def _without_zero(expr: Expr) -> Expr:
    """``k`` for ``k + 0`` and ``k - 0``."""

    def change(part: Expr) -> Expr | None:
        zero = isinstance(part, Binary) and part.op in ("+", "-") and part.right == Number(Fraction(0))
        return _without_zero(part.left) if zero and isinstance(part, Binary) else None

    return map_expr(expr, change)
