"""What the ledger of a page says of a statement: what was recomputed of it, and by what argument it holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from symconv.formulas.printing import LATEX
from symconv.proofs.verdict import Verdict
from symconv.report.document import Inline, Ledger, LedgerRow, Math, Text

__all__ = ["Basis", "basis_of", "family_of", "ledger_of", "ranges"]

NOTHING = "not recomputed"
ARGUMENTS = {
    "bijection": "terms matched one to one; what that needs of indices and sizes discharged by an SMT solver",
    "arithmetic": "integer arithmetic, discharged by an SMT solver",
    "polynomial identity": "all entries at the declared size are the same polynomials",
    "normal forms": "all entries at the declared size have the same normal form",
    "numbers": "all entries worked out in exact arithmetic",
}
"""The argument by the method of a verdict; another method says itself what it is."""


@dataclass(frozen=True)
class Basis:
    """What a statement rests on.

    Attributes:
        recomputed: what was worked out of it, exactly and without the argument.
        argument: why it holds.
    """

    recomputed: str
    argument: str


def basis_of(verdict: Verdict) -> Basis:
    """What a verdict rests on, from its own record of what was compared."""
    if verdict.status == "refuted":
        return Basis("the counterexample evaluated", "a counterexample")
    recomputed = NOTHING
    if verdict.sizes and verdict.method == "arithmetic":
        times = "choice" if verdict.sizes == 1 else "choices"
        recomputed = f"what follows, at {verdict.sizes} {times} of sizes and places"
    elif verdict.sizes and verdict.method in ("bijection", "search"):
        recomputed = f"both sides compared entry by entry, at {verdict.sizes} of the smallest sizes"
    if not verdict.holds:
        return Basis(recomputed, "none")
    return Basis(recomputed, ARGUMENTS.get(verdict.method, verdict.method))


def ledger_of(
    bases: Mapping[str, Basis], checkers: Mapping[str, str], families: Mapping[str, tuple[str, ...]]
) -> Ledger:
    """The ledger of the statements of a page, by number in reading order: one row for those that rest on the same.

    Args:
        bases: what every statement rests on.
        checkers: the other program that has checked a statement, with what it took as known, for those that have one.
        families: the sizes that were kept as letters, for each statement that is proved for all of them.
    """
    groups: dict[tuple[Basis, tuple[str, ...], str], list[str]] = {}
    for number, basis in bases.items():
        groups.setdefault((basis, families.get(number, ()), checkers.get(number, "")), []).append(number)
    return Ledger(
        tuple(
            LedgerRow((Text(ranges(numbers)),), (Text(basis.recomputed),), tuple(_argument(basis, family, checker)))
            for (basis, family, checker), numbers in groups.items()
        )
    )


def _argument(basis: Basis, family: tuple[str, ...], checker: str) -> Iterator[Inline]:
    yield Text(basis.argument)
    if family:
        yield from (Text("; for all "), family_of(family))
    if checker:
        yield Text(f"; checked by {checker}")


def family_of(names: Sequence[str]) -> Math:
    """The sizes that a statement is proved for all of."""
    return Math(", ".join(map(LATEX.name, names)))


def ranges(numbers: Sequence[str]) -> str:
    """Numbers of statements as ranges.

    >>> ranges(["1", "2", "4", "C1", "C2", "C2'"])
    "1–2, 4, C1–C2, C2'"
    """
    runs: list[list[str]] = []
    for number in numbers:
        if runs and _follows(runs[-1][-1], number):
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(run[0] if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in runs)


def _follows(one: str, other: str) -> bool:
    """Whether a number is the next one after another, with the same letters before it."""
    letters = one.rstrip("0123456789")
    count = one[len(letters) :]
    return bool(count) and other == f"{letters}{int(count) + 1}"
