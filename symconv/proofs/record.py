"""How a statement was proved, kept beside its verdict: what a certificate for another checker is written from.

Nothing here is trusted. A record says which terms were matched by which bijections; a certificate states the statement
as it was made and lets the other checker follow the record, so a wrong record is a certificate that is refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from symconv.formulas.algebra import Guard, Node
from symconv.formulas.index import Index
from symconv.proofs.statement import Statement
from symconv.proofs.terms import Flat
from symconv.proofs.unify import Assignment

__all__ = [
    "Alike",
    "Argument",
    "Conjunction",
    "Equality",
    "Equivalence",
    "Goal",
    "Match",
    "Overlap",
    "Pairing",
    "Parts",
    "Record",
    "Sums",
    "WeightedTerm",
    "Windows",
    "conjunction",
    "preceded_by",
]


@dataclass(frozen=True)
class Pairing:
    """Two equal terms: which factor is which, and how their other factors were shown equal.

    Attributes:
        left, right: the terms.
        factors: the pairs of accesses, and the pairs of other factors.
        alike: for every pair of other factors, why they have the same value.
    """

    left: Flat
    right: Flat
    factors: Assignment
    alike: tuple[Alike, ...]


@dataclass(frozen=True)
class Match:
    """Two equal terms, and the bijection of their bound indices.

    `forward` gives each bound index of the second term in those of the first, `backward` the other way round;
    `pairing` is how the match was shown.
    """

    terms: tuple[str, str]
    forward: tuple[tuple[str, Index], ...] = ()
    backward: tuple[tuple[str, Index], ...] = ()
    pairing: Pairing | None = field(default=None, repr=False, compare=False)

    def __str__(self) -> str:
        if not self.forward:
            return f"{self.terms[0]} is {self.terms[1]} entry by entry"
        return f"{self.terms[0]} is {self.terms[1]} with " + ", ".join(f"{n} = {e!r}" for n, e in self.forward)


@dataclass(frozen=True)
class WeightedTerm:
    """A term with the integer that it is multiplied by, and how its indices are those of the first term of a sum.

    Attributes:
        term: the term, without its coefficients.
        weight: what it is multiplied by; it depends on none of the term's own indices.
        forward: the term's indices in those of the first one.
        backward: the first one's indices in those of the term.
    """

    term: Flat
    weight: Index
    forward: tuple[tuple[str, Index], ...] = ()
    backward: tuple[tuple[str, Index], ...] = ()


@dataclass(frozen=True)
class Overlap:
    """Terms that cancel together: at every point of the first one's indices, what is summed there adds up to 0."""

    pieces: tuple[WeightedTerm, ...]


@dataclass(frozen=True)
class Sums:
    """Two trees that are the same sum of terms.

    Attributes:
        left, right: the trees that were expanded; where rules were used, after that.
        terms: the terms of the left tree and those of the right one, in order.
        matches: the matched terms, each with its `Pairing`.
        empty: the terms that have no point in their domain, each for all that are equal to it.
        overlaps: the terms that cancel together without an equal of their own.
        rules: by which rules the two sides were rewritten before, such as "sums written out".
    """

    left: Node
    right: Node
    terms: tuple[tuple[Flat, ...], tuple[Flat, ...]]
    matches: tuple[Match, ...]
    empty: tuple[Flat, ...]
    overlaps: tuple[Overlap, ...] = ()
    rules: tuple[str, ...] = ()


@dataclass(frozen=True)
class Windows:
    """Two maxima over the same entries; for shares, of the same tap of them."""

    match: Match


@dataclass(frozen=True)
class Parts:
    """Two nodes of the same kind whose parts are equal, one by one; no parts where the two are the same tree."""

    parts: tuple[Alike, ...] = ()


Alike: TypeAlias = "Parts | Sums | Windows"


@dataclass(frozen=True)
class Equality:
    """Two sides of a statement that are the same sum.

    Attributes:
        statement: the statement.
        sums: how its sides were matched.
        quotients: names of quotients, each with its numerator, denominator and rounding.
        before: what had been worked out before the statement was made, such as "derivatives"; it is no part of it.
    """

    statement: Statement
    sums: Sums
    quotients: tuple[tuple[str, Index, Index, str], ...]
    before: tuple[str, ...] = ()


@dataclass(frozen=True)
class Goal:
    """Conditions on integers that imply others."""

    given: tuple[Guard, ...]
    wanted: tuple[Guard, ...]
    reals: frozenset[str]


@dataclass(frozen=True)
class Equivalence:
    """Conditions on integers under which two others mean the same."""

    given: tuple[Guard, ...]
    left: tuple[Guard, ...]
    right: tuple[Guard, ...]
    reals: frozenset[str]


@dataclass(frozen=True)
class Conjunction:
    """Several statements, all of which hold."""

    parts: tuple[Record, ...]


class Argument:
    """A proof by another rule than those of this stage; the stage that knows the rule says of what, in a subclass."""


Record: TypeAlias = "Equality | Goal | Equivalence | Argument | Conjunction"


def conjunction(records: Iterable[Record | None]) -> Record | None:
    """The record of all of several statements; None where one of them has none."""
    parts: list[Record] = []
    for record in records:
        if record is None:
            return None
        parts.append(record)
    return parts[0] if len(parts) == 1 else Conjunction(tuple(parts))


def preceded_by(record: Record | None, *what: str) -> Record | None:
    """The record of a statement before which something had been worked out, such as derivatives."""
    if isinstance(record, Conjunction):
        return conjunction(preceded_by(part, *what) for part in record.parts)
    if isinstance(record, Equality):
        return replace(record, before=tuple(dict.fromkeys((*record.before, *what))))
    return record
