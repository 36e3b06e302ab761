"""A theorem as text for a terminal, and as a record for other programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symconv.derivations.step import plain
from symconv.derivations.theorems.theorem import Check, Theorem, latex_of

__all__ = ["theorem_record", "theorem_text"]


def theorem_text(theorem: Theorem, *, verbose: bool = False) -> str:
    """What every part says and supposes, and how it is proved.

    Args:
        theorem: the theorem; it is proved here unless it has been before.
        verbose: add to every part the conditions that the prover was given, and the slips with what refutes each.
    """
    verdict = theorem.verdict
    checked = f", checked by {verdict.checked_by}" if verdict.checked_by else ""
    head = f"{theorem.name}: {theorem.title}"
    lines = [
        head,
        "=" * len(head),
        f"source    {theorem.source}",
        f"verdict   {verdict.status}{checked} ({_seconds(theorem.seconds)}, {_parts(theorem.checks)})",
    ]
    for part in theorem.checks:
        lines += ["", *_part(part, verbose)]
    if verbose and theorem.slips:
        lines += ["", "Slips"]
        for slip in theorem.slips:
            found = slip.verdict
            lines += ["", f"{slip.what}: {found.status} ({_seconds(found.seconds)})", *_said(slip)]
            lines.append(f"  {found.counterexample if found.counterexample is not None else found.explanation}")
    return "\n".join(lines)


def _said(part: Check) -> list[str]:
    """What a part supposes and says, as it was handed to the prover."""
    given = [f"    {plain(line)}" for line in part.hypotheses]
    return [*given, *(f"  > {plain(line)}" for line in part.statement)]


def _parts(checks: Sequence[Check]) -> str:
    return "1 part" if len(checks) == 1 else f"{len(checks)} parts"


def _part(part: Check, verbose: bool) -> list[str]:
    verdict = part.verdict
    lines = [f"{part.what}: {verdict.status}, {verdict.scope} ({_seconds(verdict.seconds)})", *_said(part)]
    if verdict.method:
        lines.append(f"  by {verdict.method}. {verdict.explanation}".rstrip())
    elif verdict.explanation:
        lines.append(f"  {verdict.explanation}")
    if verbose:
        from symconv.proofs.obligation import condition

        if verdict.hypotheses:
            lines.append("  given " + ", ".join(condition(guard) for guard in verdict.hypotheses))
    lines += [f"  {match}" for match in verdict.bijection]
    lines += [f"  [{obligation.outcome}] {obligation.name}" for obligation in verdict.obligations]
    if verdict.counterexample is not None:
        lines.append(f"  counterexample: {verdict.counterexample}")
    return lines


def _seconds(seconds: float) -> str:
    return f"{seconds:.2f} s"


def theorem_record(theorem: Theorem, *, scripts: bool = False) -> dict[str, Any]:
    """A theorem and its proof in plain values, for JSON.

    Args:
        theorem: the theorem; it is proved here unless it has been before.
        scripts: whether every obligation comes with its SMT-LIB text, for another solver to check.
    """
    return {
        "name": theorem.name,
        "title": theorem.title,
        "statement": plain(theorem.statement),
        "latex": theorem.latex(),
        "hypotheses": plain(theorem.hypotheses),
        "source": theorem.source,
        "status": theorem.verdict.status,
        "checked_by": theorem.checked_by or None,
        "scope": str(theorem.verdict.scope),
        "seconds": round(theorem.seconds, 4),
        "parts": [_part_record(part, scripts) for part in theorem.checks],
    }


def _part_record(part: Check, scripts: bool) -> dict[str, Any]:
    from symconv.proofs.obligation import condition

    verdict = part.verdict
    return {
        "what": part.what,
        "supposes": [plain(line) for line in part.hypotheses],
        "says": [plain(line) for line in part.statement],
        "latex": [latex_of(line) for line in (*part.hypotheses, *part.statement)],
        "status": verdict.status,
        "scope": str(verdict.scope),
        "method": verdict.method,
        "explanation": verdict.explanation,
        "hypotheses": [condition(guard) for guard in verdict.hypotheses],
        "bijection": [str(match) for match in verdict.bijection],
        "obligations": [
            {
                "name": entry.name,
                "outcome": entry.outcome,
                **({"smtlib": entry.smtlib, "variables": dict(entry.variables)} if scripts else {}),
            }
            for entry in verdict.obligations
        ],
        "counterexample": None if verdict.counterexample is None else str(verdict.counterexample),
        "seconds": round(verdict.seconds, 4),
    }
