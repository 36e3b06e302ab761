"""Derivations of plans whose steps have all been checked; one with a step that is not proved refuses its plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symconv.errors import NotSupportedError
from symconv.formulas.algebra import Constant, Node, Power, Reduce
from symconv.formulas.functions import has_domain
from symconv.formulas.walks import walk

if TYPE_CHECKING:
    from symconv.derivations.step import Derivation

__all__ = ["certified"]


def certified(derivation: Derivation, plan: str) -> Derivation:
    """A derivation of which every step is proved, or exact.

    That windows hold something may be a condition where the formula of the layer has no value over nothing; what a plan
    alone asks for is none.

    Raises:
        NotSupportedError: where one is not, with what was found of it.
    """
    for step in derivation.steps:
        verdict = step.verdict
        asked = bool(verdict.conditions) and not _may_have_no_value(step.before.body)
        if asked or not verdict.holds:
            found = ", ".join(verdict.conditions) or verdict.counterexample or verdict.explanation
            raise NotSupportedError(
                f"the plan {plan!r} is refused: step {step.id} of its derivation, {step.statement}, is {verdict.status}"
                f" ({found})"
            )
    return derivation


def _may_have_no_value(body: Node) -> bool:
    """Whether a formula has a maximum, a minimum or a quotient, which have no value over nothing."""
    return any(
        has_domain(node)
        or (isinstance(node, Reduce) and node.op != "sum")
        or (isinstance(node, Power) and isinstance(node.exponent, Constant) and node.exponent.value < 0)
        for node in walk(body)
    )
