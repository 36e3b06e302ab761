"""Over what a claim is made: the range of every free index, and families over abstract sets."""

from __future__ import annotations

from collections.abc import Iterator

from symconv.claims.meaning.naming import WORDS
from symconv.claims.meaning.scope import NORMS, ORDER, Scope
from symconv.claims.syntax import (
    ENTRY,
    EVERYWHERE,
    Call,
    Cases,
    Claim,
    Derivative,
    Entry,
    Expr,
    Limit,
    Name,
    Over,
    Raised,
    Range,
    SetOf,
    Sum,
)
from symconv.claims.traversal import children, walk_expr, words
from symconv.errors import ClaimError
from symconv.formulas.algebra import Bound
from symconv.formulas.index import Index, maximum, minimum

__all__ = ["declared_range", "free_names_of", "free_ranges", "use_abstract_sets"]


def use_abstract_sets(claim: Claim, scope: Scope) -> None:
    """Where a claim speaks of a set without indices, the input is a family over that set.

    Raises:
        ClaimError: where it speaks of two of them, of which nobody knows what they have in common.
    """
    sets = scope.declared.sets
    abstract: set[str] = set()
    counted: set[str] = set()
    for part in claim.parts:
        for expr in walk_expr(part):
            if isinstance(expr, Sum | SetOf):
                overs = expr.over if isinstance(expr, Sum) else (expr.over,)
                abstract |= {
                    o.set.name for o in overs if isinstance(o, Over) and isinstance(o.set, Name) and o.set != EVERYWHERE
                }
            elif isinstance(expr, Call) and expr.name in ("size", "card", "abs"):
                counted |= {arg.name for arg in expr.args if isinstance(arg, Name) and arg.name in sets}
            elif isinstance(expr, Call) and scope.declared.functions.get(expr.name, "") in NORMS:
                where = expr.args[1] if len(expr.args) > 2 else Name(scope.naming.members)
                abstract |= {where.name} if isinstance(where, Name) else set()
    if len(abstract | counted) > 1:
        raise ClaimError(
            f"{' and '.join(sorted(abstract | counted))} are two sets without indices; a claim speaks of one"
        )
    scope.has_order = ORDER not in scope.sizes and any(
        isinstance(expr, Call)
        and scope.declared.functions.get(expr.name, "") in NORMS
        and _leaves_order_open(expr, claim)
        for part in claim.parts
        for expr in walk_expr(part)
    )
    if scope.elements.value is None:
        scope.elements = Index.of(scope.naming.elements(words(claim)))
    if abstract:  # then the claim speaks of the family alone, not of the sizes of a layer
        scope.is_family = True
        scope.boxes = {scope.letters.input: ((Index.of(1), scope.elements),)}
        scope.hypotheses, scope.definitions = (), ()


def _leaves_order_open(norm: Call, claim: Claim) -> bool:
    """Whether the last argument of a norm is the letter for its order, and no limit gives that letter a meaning."""
    limits = {expr.variable for part in claim.parts for expr in walk_expr(part) if isinstance(expr, Limit)}
    return ORDER not in limits and any(part == Name(ORDER) for part in walk_expr(norm.args[-1]))


def free_ranges(left: Expr, right: Expr, scope: Scope) -> list[Bound]:
    """The range of every free index: as declared, else where it stands alone in an entry, else its letter's family."""
    found: dict[str, Bound] = {}
    names: list[str] = []
    for expr in (left, right):
        names += [name for name in free_names_of(expr, scope) if name not in names]
    if scope.has_order and ORDER in names:
        raise ClaimError(f"{ORDER} is the order of a norm and an index here; take another letter for the index")
    for name in names:
        place = scope.declared.indices.get(name)
        bound = declared_range(name, place, scope) if place else None
        if bound is None:
            bound = _range_by_entry(name, left, scope) or _range_by_family(name, scope)
        if bound is None:
            bound = _range_by_entry(name, right, scope)
        if bound is None:
            raise ClaimError(
                f"the range of the free index {name} is not declared; add it to indices, such as "
                f'indices = {{ {name} = "output 1" }}'
            )
        found[name] = bound
    return list(found.values())


def declared_range(name: str, place: str, scope: Scope) -> Bound:
    role, _, axis = place.partition(" ")
    box = _role_box(role, scope)
    if box is None or not axis.strip().isdigit() or not 1 <= int(axis) <= len(box):
        raise ClaimError(f'indices: {name} = {place!r} must be a role and an axis, such as "output 1"')
    low, high = box[int(axis) - 1]
    return Bound(name, low, high)


def _role_box(role: str, scope: Scope) -> tuple[tuple[Index, Index], ...] | None:
    if role == "output":
        return tuple((b.lower, b.upper) for b in scope.output.free)
    letter = getattr(scope.letters, role, None) if role in ("input", "weight", "bias", "upstream") else None
    return scope.boxes.get(letter) if letter is not None else None


def _range_by_entry(name: str, expr: Expr, scope: Scope) -> Bound | None:
    """The range of the axis where the index stands alone, outside of sums that bind it.

    Where it stands alone twice in one entry, or in both entries of a derivative, it is in both ranges.
    """
    for part in walk_expr(expr):
        entries = [part] if isinstance(part, Entry) else []
        if isinstance(part, Derivative):
            entries = [e for e in (part.by, part.of) if isinstance(e, Entry)]
        found = list(dict.fromkeys(ends for item in entries for ends in _ends_by_entry(name, item, scope)))
        if isinstance(part, Call) and part.name == ENTRY:
            found = list(dict.fromkeys(_ends_in_array(name, part, scope)))
        if found:
            lows, highs = zip(*found, strict=True)
            return Bound(name, maximum(*lows), minimum(*highs))
    return None


def _ends_by_entry(name: str, item: Entry, scope: Scope) -> Iterator[tuple[Index, Index]]:
    """The ends of the axes of an entry where the index stands alone."""
    is_output = item.name == scope.letters.output or item.name in scope.declared.sets
    box = _role_box("output", scope) if is_output else scope.boxes.get(item.name)
    if box is not None and len(box) == len(item.indices):
        yield from (
            ends
            for index, ends in zip(item.indices, box, strict=True)
            if isinstance(index, Name) and index.name == name
        )


def _ends_in_array(name: str, item: Call, scope: Scope) -> Iterator[tuple[Index, Index]]:
    """The ends of the axes of an array expression where the index stands alone."""
    whole, *indices = item.args
    alone = [isinstance(index, Name) and index.name == name for index in indices]
    if any(alone):
        first, sizes = Index.of(scope.base), scope.array_of(whole, scope).sizes
        yield from ((first, size - 1 + first) for size, mine in zip(sizes, alone, strict=False) if mine)


def _range_by_family(name: str, scope: Scope) -> Bound | None:
    ndim = scope.op.spatial_axes
    for role, family in (("input", "input"), ("weight", "weight"), ("output", "output")):
        box = _role_box(role, scope)
        letters = scope.letters.axes(family, ndim)
        if box is not None and name in letters and len(box) >= ndim:
            low, high = box[len(box) - ndim + letters.index(name)]
            return Bound(name, low, high)
    return None


def free_names_of(expr: Expr, scope: Scope, bound: frozenset[str] = frozenset()) -> list[str]:
    """The index names of an expression that it does not bind, in reading order."""
    known = {*scope.sizes, *scope.arrays, *scope.declared.functions, *scope.declared.sets, *WORDS}
    known |= {*scope.declared.quantities, *scope.declared.matrices, *(n for n, box in scope.boxes.items() if not box)}
    known |= {scope.letters.error, *scope.output.table.real, scope.declared.upper}

    def visit(part: Expr, inner: frozenset[str]) -> list[str]:
        if isinstance(part, Name):
            return [] if part.name in inner or part.name in known else [part.name]
        if isinstance(part, Sum):
            own, names = inner, []
            for over in part.over:
                if isinstance(over, Range):
                    names += visit(over.lower, own) + visit(over.upper, own)
                    own |= {over.variable}
                else:
                    names += visit(over.set, own)
                    own |= frozenset(over.variables)
            return names + visit(part.body, own)
        if isinstance(part, SetOf):
            return visit(part.over.set, inner) + visit(part.body, inner | frozenset(part.over.variables))
        if isinstance(part, Limit):
            return visit(part.body, inner | {part.variable})
        if isinstance(part, Cases):
            names = []
            for value, conditions in part.rows:
                names += visit(value, inner)
                for condition in conditions:
                    names += visit(condition.left, inner) + visit(condition.right, inner)
            return names
        if isinstance(part, Call) and scope.declared.functions.get(part.name, "") in NORMS:
            *where, order = part.args[1:]
            return [n for arg in where for n in visit(arg, inner)] + visit(order, inner | {ORDER})
        if isinstance(part, Entry):
            return [n for index in part.indices for n in visit(index, inner)]
        if isinstance(part, Raised):
            return visit(part.base, inner) + visit(part.exponent, inner | ({ORDER} if scope.has_order else frozenset()))
        names = []
        for child in children(part):
            names += visit(child, inner)
        return names

    return list(dict.fromkeys(visit(expr, bound)))
