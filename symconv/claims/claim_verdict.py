"""The verdict on a claim in one mode, with what was read and what would mend it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from symconv.claims.meaning.family import given
from symconv.claims.source import ClaimSource, Mode
from symconv.claims.syntax import Claim
from symconv.proofs.verdict import Counterexample, Verdict

__all__ = ["ClaimVerdict"]


@dataclass(frozen=True)
class ClaimVerdict:
    """A verdict on a claim in one mode, with the smallest edit that makes it true where one was found.

    Attributes:
        source: the claim.
        mode: "literal" or "general".
        verdict: the verdict; "error" where the claim cannot be read or names something undeclared.
        repair: the claim as it should read, in the Python-like language.
        edit: the edit in words, such as "j+m-1 should be j+n-1".
        repaired: the verdict on the repaired claim.
        notes: what was read in one of several ways, and what was passed over.
        claim: the syntax tree, None where it could not be read.
        mended: the syntax tree of the repaired claim.
        slip: what went wrong, in words, where the repair tells; a convention under which the claim is true has no edit.
        changes: what changes, each as it stands there and as it should be, in the Python-like language.
        places: where the signs stand in the source that the edit changes, from the first to one past the last.
    """

    source: ClaimSource
    mode: Mode
    verdict: Verdict
    repair: str = ""
    edit: str = ""
    repaired: Verdict | None = None
    notes: tuple[str, ...] = ()
    claim: Claim | None = None
    mended: Claim | None = None
    slip: str = ""
    changes: tuple[tuple[str, str], ...] = ()
    places: tuple[tuple[int, int], ...] = ()

    @property
    def readings(self) -> tuple[str, ...]:
        """What the claim leaves unsaid, and was read as."""
        return self.claim.readings if self.claim is not None else ()

    @property
    def status(self) -> str:
        """The status of the verdict."""
        return self.verdict.status

    def as_json(self) -> dict[str, Any]:
        """A dictionary of plain values."""
        counter, typed = self.verdict.counterexample, self.source.typed
        return {
            "id": self.source.id,
            "mode": self.mode,
            "status": self.status,
            "scope": str(self.verdict.scope) if self.status != "error" else "",
            "counterexample": None if counter is None else _counter_json(counter),
            "repair": self.repair or None,
            "edit": typed(self.edit) or None,
            "slip": typed(self.slip) or None,
            "places": [list(place) for place in self.places],
            "explanation": self.verdict.explanation,
            "given": list(given(self.source.declared, self.claim)),
            "conditions": list(map(typed, self.verdict.conditions)),
            "checked_by": self.verdict.checked_by or None,
            "notes": list(self.notes),
            "readings": list(map(typed, self.readings)),
        }


def _counter_json(counter: Counterexample) -> dict[str, Any]:
    place = {"sizes": dict(counter.sizes), "indices": dict(counter.indices)}
    if counter.entry is not None:
        tensor, index = counter.entry
        box = [list(ends) for ends in counter.boxes[tensor]]
        return {"kind": counter.what, **place, "entry": {"tensor": tensor, "index": list(index), "exist": box}}
    tensors = {
        name: [{"index": list(index), "value": str(value)} for index, value in entries.items()]
        for name, entries in counter.tensors.items()
    }
    return {**place, "tensors": tensors, "left": str(counter.left), "right": str(counter.right)}
