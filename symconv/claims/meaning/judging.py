"""The verdict on a claim, with what stands in its declarations: every equation of a chain, the weakest of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from symconv.claims.declarations import Declarations
from symconv.claims.meaning.arrays import symbolic
from symconv.claims.meaning.comparing import all_of, compare
from symconv.claims.meaning.family import kept, names_axes
from symconv.claims.meaning.indices import to_index
from symconv.claims.meaning.ranges import free_ranges, use_abstract_sets
from symconv.claims.meaning.resolving import resolved
from symconv.claims.meaning.scope import Scope, general_scope, literal_scope, mentioned
from symconv.claims.source import Mode
from symconv.claims.syntax import Claim, Derivative, Expr, Limit, Name
from symconv.claims.traversal import walk_expr
from symconv.errors import ClaimError
from symconv.proofs.record import preceded_by
from symconv.proofs.verdict import Verdict

__all__ = ["judge", "judged", "scope_of", "tell"]

_WORKED_OUT = {Derivative: "derivatives", Limit: "limits"}  # before the two sides are compared


def judge(claim: Claim, declared: Declarations, mode: Mode) -> Verdict:
    """The verdict on a claim in one mode; a chain of relations is as good as its weakest link.

    Args:
        claim: the claim.
        declared: what it may speak of.
        mode: at the declared size, or for all sizes.

    Raises:
        ClaimError: where it names something undeclared, or has no meaning.
    """
    scope = scope_of(claim, declared, mode)
    return judged(resolved(claim, scope), scope, quick=False)


def scope_of(claim: Claim, declared: Declarations, mode: Mode) -> Scope:
    literal = mode == "literal"
    scope = literal_scope(declared) if literal else general_scope(declared, apart=names_axes(claim, declared))
    scope.array_of = symbolic
    return scope


def judged(claim: Claim, scope: Scope, *, quick: bool) -> Verdict:
    """The verdict on a claim.

    Args:
        claim: the claim.
        scope: what it may speak of, and what the verdict may cost.
        quick: for a claim that is tried as a repair: a few values come first, and a proof only where they agree; after
            one that failed no example is searched for.

    Raises:
        ClaimError: where it names something undeclared, or has no meaning.
    """
    declared = scope.declared
    tell(scope, claim)
    if claim.continues is not None:
        raise ClaimError("begins with a relation; write the left-hand side that it continues")
    parts = list(claim.parts)
    relations: list[str] = list(claim.relations)
    if not relations:
        if not declared.of:
            raise ClaimError(
                'a single value says nothing by itself; declare what it is for with of = "size" or of = "C"'
            )
        parts.insert(0, Name(declared.of))
        relations = ["=="]
    if any(relation != "==" for relation in relations):
        raise ClaimError("only equalities can be checked")
    _check_given(claim, parts, scope)
    links = []
    for left, right in pairwise(parts):
        links.append(compare(left, right, scope, quick))
        if quick and not links[-1].holds:
            break
    verdict = all_of(links)
    kinds = {type(expr) for part in parts for expr in walk_expr(part)}
    before = [word for kind, word in _WORKED_OUT.items() if kind in kinds]
    family = replace(verdict.scope, kept=kept(scope))
    return replace(verdict, scope=family, record=preceded_by(verdict.record, *before))


def _check_given(claim: Claim, parts: Sequence[Expr], scope: Scope) -> None:
    """A remark behind a formula gives an index the whole range that it has: a claim is judged for all of it.

    Raises:
        ClaimError: where it gives another range, or one to what is no free index.
    """
    if not claim.given:
        return
    bounds = {bound.name: bound for left, right in pairwise(parts) for bound in free_ranges(left, right, scope)}
    known = dict(scope.definitions)
    for one in claim.given:
        bound = bounds.get(one.variable)
        if bound is None:
            listed = ", ".join(bounds) or "none"
            raise ClaimError(f"{one.variable} is given a range behind the formula, and its free indices are: {listed}")
        ends = (to_index(one.lower, scope), to_index(one.upper, scope))
        if [end.subs(known) for end in ends] != [end.subs(known) for end in (bound.lower, bound.upper)]:
            raise ClaimError(
                f"{one.variable} is said to run from {ends[0]!r} to {ends[1]!r}, and a claim is judged for all of its "
                f"range, from {bound.lower!r} to {bound.upper!r}; leave the remark out, or write cases"
            )


def tell(scope: Scope, claim: Claim) -> None:
    """Tell a scope where the numbers of a claim stand, and of which sets it speaks."""
    spans: dict[str, list[tuple[int, int]]] = {}
    for part in claim.parts:
        for value, places in mentioned(part).items():
            spans.setdefault(value, []).extend(places)
    scope.note_numbers(spans)
    use_abstract_sets(claim, scope)
