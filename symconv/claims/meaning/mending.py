"""A refuted claim with what would make it true: sums that end with their tensors, a convention, or a usual slip."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice, pairwise

from symconv.claims.claim_verdict import ClaimVerdict
from symconv.claims.declarations import Declarations
from symconv.claims.meaning.decision import wrong_ends
from symconv.claims.meaning.definedness import obligations
from symconv.claims.meaning.judging import judged, scope_of, tell
from symconv.claims.meaning.obligations import End
from symconv.claims.meaning.ranges import free_ranges
from symconv.claims.meaning.repair import Edit, candidates, said, with_ends
from symconv.claims.meaning.resolving import resolved
from symconv.claims.meaning.scope import Scope
from symconv.claims.syntax import Claim, Entry, Expr
from symconv.claims.traversal import map_expr
from symconv.claims.writing import to_text
from symconv.errors import SymconvError
from symconv.formulas.algebra import equal
from symconv.formulas.effort import Effort, OutOfEffort
from symconv.operators.pooling import MaxPool
from symconv.proofs.verdict import Verdict

__all__ = ["mended"]

MAX_CANDIDATES = 400
REPAIR = 4_000_000  # steps; a repair is a courtesy: a claim is answered without one rather than late
CANDIDATE = 3_000  # steps to read one repaired claim


def mended(result: ClaimVerdict, claim: Claim) -> ClaimVerdict:
    """The verdict with a repair added, where another convention or a small edit makes the claim true."""
    counter = result.verdict.counterexample
    effort = Effort(REPAIR)
    scope = scope_of(claim, result.source.declared, result.mode)
    try:
        for declared, slip in _conventions(result.source.declared):
            found = _under(result, declared, effort)
            if found is not None:
                return replace(result, slip=slip, repaired=found)
        if counter is not None and counter.entry is not None:
            within = _within_its_tensors(result, claim, scope, effort)
            if within is not None:
                return within
        for other, edits in islice(candidates(claim, scope), MAX_CANDIDATES):
            effort.spend(CANDIDATE)
            try:
                verdict = judged(other, scope.again(effort.part(1, 2)), quick=True)
            except SymconvError:
                continue
            if verdict.holds:
                return _put_right(result, other, edits, verdict)
    except OutOfEffort:
        return result
    return result


def _conventions(declared: Declarations) -> Iterator[tuple[Declarations, str]]:
    """What a claim may take for granted instead of what is declared, and how that is said."""
    other = 1 - declared.base
    yield replace(declared, base=other), f"counted from {other}: it is true where indices count from {other}"
    if declared.outside == "undefined":
        said_so = '"else 0" is missing: it is true where entries outside count as 0'
        yield replace(declared, outside="zero"), said_so
    if isinstance(declared.op, MaxPool) and not declared.unique_maxima:
        ties = 'ties: it is true where no window has two largest entries, assume = ["unique maxima"]'
        yield replace(declared, unique_maxima=True), ties


def _under(result: ClaimVerdict, declared: Declarations, effort: Effort) -> Verdict | None:
    """The verdict on a claim under other declarations, where it holds there and rests on nothing more."""
    try:
        scope = scope_of(result.source.read(), declared, result.mode).again(effort.part(1, 4))
        verdict = judged(resolved(result.source.read(), scope), scope, quick=True)
    except SymconvError:
        return None
    return verdict if verdict.holds else None


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
        other, edits = with_ends(claim, ends)
        verdict = judged(other, whole.again(effort.part(1, 2)), quick=True)
    except SymconvError:
        return None
    return _put_right(result, other, edits, verdict) if verdict.holds else None


def _put_right(result: ClaimVerdict, other: Claim, edits: tuple[Edit, ...], verdict: Verdict) -> ClaimVerdict:
    """The verdict with a claim that holds, and what was changed."""
    return replace(
        result,
        repair=to_text(_with_commas(other)),
        edit=said(edits),
        repaired=verdict,
        mended=other,
        slip=" and ".join(dict.fromkeys(edit.slip for edit in edits if edit.slip)),
        changes=tuple(dict.fromkeys(edit.change for edit in edits if not edit.missing)),
        places=tuple(dict.fromkeys(edit.place for edit in edits if edit.place[1] > 0)),
    )


def _with_commas(claim: Claim) -> Claim:
    """The claim with c_{ij} written as c[i, j]."""

    def change(expr: Expr) -> Expr | None:
        return replace(expr, joined=False) if isinstance(expr, Entry) and expr.joined else None

    return replace(claim, parts=tuple(map_expr(part, change) for part in claim.parts))
