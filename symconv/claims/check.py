"""From a claim to verdicts: literally at the declared size, and for all sizes where a generalisation is declared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from symconv.claims.claim_verdict import ClaimVerdict
from symconv.claims.declarations import Declarations
from symconv.claims.meaning.judging import judged, scope_of
from symconv.claims.meaning.mending import mended
from symconv.claims.meaning.resolving import resolved
from symconv.claims.source import ClaimSource, Mode
from symconv.claims.syntax import Claim
from symconv.claims.writing import as_typed
from symconv.doors import flag, instance
from symconv.doors import text as to_claim
from symconv.errors import SymconvError
from symconv.proofs.verdict import Verdict

__all__ = ["check_claim", "check_source"]

_T = TypeVar("_T")


def check_claim(text: str, declarations: Declarations, *, general: bool = False) -> Verdict:
    """Check one claim, given in the Python-like language or (where it has a backslash) in LaTeX.

    Args:
        text: the claim.
        declarations: what it may speak of.
        general: for all sizes instead of at the declared one.
    """
    instance("declarations", declarations, Declarations, "must be declarations, such as Declarations(Conv((3,)), (5,))")
    mode: Mode = "general" if flag("general", general) else "literal"
    latex = "\\" in to_claim("text", text)
    source = ClaimSource("", declarations, "" if latex else text, text if latex else "", (mode,))
    return check_source(source, repair=False)[0].verdict


def check_source(source: ClaimSource, *, repair: bool = True) -> tuple[ClaimVerdict, ...]:
    """A verdict for every mode of a claim; errors are verdicts too."""
    try:
        claim = source.read()
    except SymconvError as error:
        return tuple(ClaimVerdict(source, mode, Verdict("error", explanation=str(error))) for mode in source.modes)
    results = []
    for mode in source.modes:
        read, verdict = _guarded(claim, source.declared, mode)
        result = ClaimVerdict(source, mode, verdict, notes=read.notes, claim=read)
        result = mended(result, read) if repair and verdict.status == "refuted" else result
        results.append(replace(result, verdict=_typed(result.verdict)) if source.latex else result)
    return tuple(results)


def _typed(verdict: Verdict) -> Verdict:
    """A verdict on a claim in LaTeX, whose example has names with primes as they stand in the claim."""
    counter = verdict.counterexample
    if counter is None:  # and its words may hold a declaration, in which names are spelt
        return verdict
    counter = replace(
        counter,
        sizes=_named(counter.sizes),
        indices=_named(counter.indices),
        tensors=_named(counter.tensors),
        boxes=_named(counter.boxes),
        entry=counter.entry and (as_typed(counter.entry[0]), counter.entry[1]),
    )
    return replace(verdict, explanation=as_typed(verdict.explanation), counterexample=counter)


def _named(table: Mapping[str, _T]) -> dict[str, _T]:
    return {as_typed(name): value for name, value in table.items()}


def _guarded(claim: Claim, declared: Declarations, mode: Mode) -> tuple[Claim, Verdict]:
    """The claim in the letters of its scope, as far as it has one there, and the verdict on it."""
    try:
        scope = scope_of(claim, declared, mode)
        claim = resolved(claim, scope)
        return claim, judged(claim, scope, quick=False)
    except SymconvError as error:
        return claim, Verdict("error", explanation=str(error))
