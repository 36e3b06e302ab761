"""What a claim needs to have a meaning, as records: what must hold where, and what is said where it does not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from symconv.claims.syntax import Expr, Range
from symconv.formulas.algebra import Access, Bound, nonnegative
from symconv.formulas.exact import Box
from symconv.formulas.index import Index
from symconv.proofs.needs import Need, Step

__all__ = ["NEVER", "ClaimNeed", "End", "Path", "Unmet"]

Unmet: TypeAlias = Literal["missing", "undefined", "convention", "silent"]
"""What a need that is not met makes of a line there: one that reads an entry that there is not, or has no value; one
that has a value by a convention; or one that says nothing, because the layer itself has no value or no window there."""

NEVER = (nonnegative(-1),)


@dataclass(frozen=True)
class End:
    """Where a sum must end so that an entry with its index exists.

    Attributes:
        variable: the index.
        old: the end as it is written.
        new: what it should be, in the letters of the claim.
        room: how far the index is from where it must end; negative beyond.
    """

    variable: str
    old: Expr
    new: Expr
    room: Index


@dataclass(frozen=True)
class ClaimNeed:
    """One thing that a claim needs, and what is said of it.

    Attributes:
        need: what must hold, and the path that leads there.
        unmet: what it means where it does not hold.
        fault: what is wrong where it does not hold, such as "divides by K - 1, which is 0".
        doubt: what was not decided where neither is found.
        condition: the convention that a line rests on where it does not hold, or what it says nothing without.
        entry: the entry that must exist, and the box that it must lie in.
        ends: where sums that lead there must end for it to exist.
    """

    need: Need
    unmet: Unmet
    fault: str
    doubt: str
    condition: str = ""
    entry: tuple[Access, Box] | None = None
    ends: tuple[End, ...] = ()


@dataclass(frozen=True)
class Path:
    """How a place is reached: the steps, the names that are bound there, and the ranges as they are written."""

    steps: tuple[Step, ...] = ()
    bound: frozenset[str] = frozenset()
    ranges: tuple[Range, ...] = ()

    def then(self, *steps: Step) -> Path:
        names = {step.name for step in steps if isinstance(step, Bound)}
        return replace(self, steps=(*self.steps, *steps), bound=self.bound | names)
