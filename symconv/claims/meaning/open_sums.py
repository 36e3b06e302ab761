r"""Sums that say no range, ``\sum_{u}``: over all values of their index at which the entries that they read exist."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from symconv.claims.meaning.indices import indices_of, to_index
from symconv.claims.meaning.ranges import declared_range
from symconv.claims.meaning.scope import Scope
from symconv.claims.meaning.sets import check_bound
from symconv.claims.syntax import EVERYWHERE, Cases, Entry, Expr, Limit, Over, Range, SetOf, Sum
from symconv.claims.traversal import children, walk_expr
from symconv.claims.writing import to_text
from symconv.errors import ClaimError
from symconv.formulas.algebra import Bound, Guard, between
from symconv.formulas.exact import Box
from symconv.formulas.index import Index

__all__ = ["OpenRange", "bound_names", "is_open", "open_range", "readings"]


@dataclass(frozen=True)
class OpenRange:
    """The range of an index that the line leaves open.

    Attributes:
        bound: its first and last value.
        guards: what else must hold for the entries to exist.
        entries: these entries, as text.
    """

    bound: Bound
    guards: tuple[Guard, ...]
    entries: tuple[str, ...]


def is_open(over: Range | Over) -> bool:
    """Whether a sum says no range."""
    return isinstance(over, Over) and over.set == EVERYWHERE


def open_range(name: str, body: Expr, scope: Scope, bound: frozenset[str]) -> OpenRange:
    """The range of an index of a sum over a body.

    Args:
        name: the index.
        body: what is summed.
        scope: the declarations.
        bound: names that are bound around it, and by the same sum.

    Raises:
        ClaimError: where the index stands alone in no entry, so that nothing says where it begins and ends.
    """
    check_bound(name, scope, bound - {name})
    place = scope.declared.indices.get(name)
    if place:
        return OpenRange(declared_range(name, place, scope), (), ())
    known = frozenset().union(*(size.names for size in scope.sizes.values()))
    found: Bound | None = None
    guards: list[Guard] = []
    entries: list[str] = []
    unknown: list[str] = []
    for entry, inner in _entries(body, frozenset()):
        box = _box(entry, scope)
        if box is None:
            unknown.append(entry.name)
            continue
        for written, (low, high) in zip(indices_of(entry, len(box)), box, strict=True):
            index = to_index(written, scope, bound | inner)
            if name not in index.names:
                continue
            if index.names & inner:
                raise _unsaid(name, f"{to_text(entry)} stands in a sum of its own")
            entries.append(to_text(replace(entry, upper=None)))  # a power reads the same entry
            alone = _alone(name, index, low, high, known)
            if alone is not None and found is None:
                found = alone
            else:
                guards += between(low, index, high)
    if found is None:
        if unknown and not entries:
            raise scope.unknown("the tensor", unknown[0], [*scope.boxes, scope.letters.output])
        raise _unsaid(name, "it stands alone in no entry" if entries else "it stands in no entry")
    return OpenRange(
        found, tuple(g for g in dict.fromkeys(guards) if g.truth is not True), tuple(dict.fromkeys(entries))
    )


def _unsaid(name: str, why: str) -> ClaimError:
    return ClaimError(
        f"the sum over {name} says no range, and {why}, which would tell it; write the bounds, such as "
        rf'\sum_{{{name}=0}}^{{K-1}}, or declare them: indices = {{ {name} = "weight 1" }}'
    )


def _alone(name: str, index: Index, low: Index, high: Index, known: frozenset[str]) -> Bound | None:
    """The range of an index that stands in an axis with numbers and sizes alone."""
    for sign in (1, -1):
        shift = index - sign * Index.of(name)
        if name not in shift.names and shift.names <= known:
            ends = (low - shift, high - shift) if sign > 0 else (shift - high, shift - low)
            return Bound(name, *ends)
    return None


def _box(entry: Entry, scope: Scope) -> Box | None:
    if entry.name == scope.letters.output:
        return tuple((axis.lower, axis.upper) for axis in scope.output.free)
    return scope.boxes.get(entry.name)


def _entries(expr: Expr, inner: frozenset[str]) -> Iterator[tuple[Entry, frozenset[str]]]:
    """The entries of a body, each with the names that are bound inside of it; those in cases are read there alone."""
    if isinstance(expr, Cases):
        return
    if isinstance(expr, Entry):
        yield expr, inner
    if isinstance(expr, Sum | SetOf):
        inner |= bound_names(expr)
    elif isinstance(expr, Limit):
        inner |= {expr.variable}
    for child in children(expr):
        yield from _entries(child, inner)


def bound_names(expr: Sum | SetOf) -> frozenset[str]:
    """The indices that a sum binds."""
    overs: Sequence[Range | Over] = expr.over if isinstance(expr, Sum) else (expr.over,)
    return frozenset(v for o in overs for v in ([o.variable] if isinstance(o, Range) else o.variables))


def open_names(expr: Sum) -> frozenset[str]:
    """The indices of a sum that say no range."""
    return frozenset(v for over in expr.over if isinstance(over, Over) and is_open(over) for v in over.variables)


def readings(expr: Expr, scope: Scope) -> Iterator[str]:
    """What the open ranges of an expression were read as."""
    for part in walk_expr(expr):
        if isinstance(part, Sum) and (names := open_names(part)):
            for name in sorted(names):
                found = open_range(name, part.body, scope, bound_names(part))
                where = f", where {' and '.join(found.entries)} exist{'s' if len(found.entries) == 1 else ''}"
                yield f"{name} runs from {found.bound.lower!r} to {found.bound.upper!r}{where if found.entries else ''}"
