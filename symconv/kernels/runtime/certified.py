"""Derivations of plans whose steps have all been checked; one with a step that is not proved refuses its plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symconv.errors import NotSupportedError

if TYPE_CHECKING:
    from symconv.derivations.step import Derivation

__all__ = ["certified"]


def certified(derivation: Derivation, plan: str) -> Derivation:
    """A derivation of which every step is proved, or exact.

    Raises:
        NotSupportedError: where one is not, with what was found of it.
    """
    for step in derivation.steps:
        verdict = step.verdict
        if verdict.status not in ("proved", "exact"):
            found = verdict.counterexample or verdict.explanation
            raise NotSupportedError(
                f"the plan {plan!r} is refused: step {step.id} of its derivation, {step.statement}, is {verdict.status}"
                f" ({found})"
            )
    return derivation
