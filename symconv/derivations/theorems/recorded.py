"""What a certificate of a theorem is written from, where a rule for the theorem's own form has proved it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from symconv.derivations.theorems.proposition import Proposition
from symconv.formulas.index import Index
from symconv.proofs.record import Argument

if TYPE_CHECKING:
    from symconv.proofs.verdict import Verdict

__all__ = ["Stated", "Taps", "on_record"]


@dataclass(frozen=True)
class Taps:
    """For two sides that read the same entries, the taps of each: those of one side in those of the other."""

    forward: tuple[tuple[str, Index], ...]
    backward: tuple[tuple[str, Index], ...]


@dataclass(frozen=True)
class Stated(Argument):
    """A proposition as it was proved: the object that the page prints, and nothing that was made of it.

    Attributes:
        proposition: the proposition.
        taps: where it was proved by taps that read the same, these; else it was proved by induction over the taps.
    """

    proposition: Proposition
    taps: Taps | None = None


def on_record(verdict: Verdict, proposition: Proposition, taps: Taps | None = None) -> Verdict:
    """The verdict on a proposition, with the proposition on record where it is proved."""
    return replace(verdict, record=Stated(proposition, taps)) if verdict.status == "proved" else verdict
