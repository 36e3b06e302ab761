"""A refuted claim with the smallest edit that makes it true: sums that end with their tensors, or a usual slip."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice, pairwise

from symconv.claims.claim_verdict import ClaimVerdict
from symconv.claims.meaning.decision import wrong_ends
from symconv.claims.meaning.definedness import obligations
from symconv.claims.meaning.judging import judged, scope_of, tell
from symconv.claims.meaning.obligations import End
from symconv.claims.meaning.ranges import free_ranges
from symconv.claims.meaning.repair import candidates, shown, with_ends
from symconv.claims.meaning.scope import Scope
from symconv.claims.syntax import Claim, Entry, Expr
from symconv.claims.traversal import map_expr
from symconv.claims.writing import to_text
from symconv.errors import SymconvError
from symconv.formulas.algebra import equal
from symconv.formulas.effort import Effort, OutOfEffort

__all__ = ["mended"]

MAX_CANDIDATES = 160
REPAIR = 2_500_000  # steps; a repair is a courtesy: a claim is answered without one rather than late
CANDIDATE = 3_000  # steps to read one repaired claim


def mended(result: ClaimVerdict, claim: Claim) -> ClaimVerdict:
    """The verdict with a repair added, where a small edit makes the claim true."""
    counter = result.verdict.counterexample
    effort = Effort(REPAIR)
    scope = scope_of(claim, result.source.declared, result.mode)
    try:
        if counter is not None and counter.entry is not None:
            within = _within_its_tensors(result, claim, scope, effort)
            if within is not None:
                return within
        for other, before, after in islice(candidates(claim), MAX_CANDIDATES):
            effort.spend(CANDIDATE)
            try:
                verdict = judged(other, scope.again(effort.part(1, 2)), quick=True)
            except SymconvError:
                continue
            if verdict.holds:
                edit = f"{shown(before)} should be {shown(after)}"
                return replace(result, repair=to_text(_with_commas(other)), edit=edit, repaired=verdict, mended=other)
    except OutOfEffort:
        return result
    return result


def _within_its_tensors(result: ClaimVerdict, claim: Claim, scope: Scope, effort: Effort) -> ClaimVerdict | None:
    """The verdict with a repair, where sums that end with their tensors make the claim true."""
    whole, scope = scope, scope.again(effort.part(1, 4))
    tell(scope, claim)
    ends: list[End] = []
    try:
        for left, right in pairwise(claim.parts):
            free = free_ranges(left, right, scope)
            known = [*scope.hypotheses, *(equal(name, value) for name, value in scope.definitions)]
            known += [guard for bound in free for guard in bound.guards()]
            ends += wrong_ends(obligations((left, right), free, scope), known, scope.orders, scope.effort)
        other, edit = with_ends(claim, ends)
        verdict = judged(other, whole.again(effort.part(1, 2)), quick=True)
    except SymconvError:
        return None
    if not verdict.holds:
        return None
    return replace(result, repair=to_text(_with_commas(other)), edit=edit, repaired=verdict, mended=other)


def _with_commas(claim: Claim) -> Claim:
    """The claim with c_{ij} written as c[i, j]."""

    def change(expr: Expr) -> Expr | None:
        return replace(expr, joined=False) if isinstance(expr, Entry) and expr.joined else None

    return replace(claim, parts=tuple(map_expr(part, change) for part in claim.parts))
