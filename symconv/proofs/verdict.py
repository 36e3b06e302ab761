"""What a proof attempt answers: a frozen record that never says more than what was checked.

"proved": for all sizes that the hypotheses allow. "exact": at the one size that was asked about. "refuted": a concrete
size, entry and tensors where the two sides differ. "undecided": none of these. "error": a claim that cannot be read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from html import escape
from typing import Any, Literal, TypeAlias

from symconv.formulas.algebra import Guard
from symconv.proofs.obligation import Obligation, condition
from symconv.proofs.record import Match, Record

__all__ = ["Counterexample", "Status", "Verdict", "VerdictScope"]

Status: TypeAlias = Literal["proved", "exact", "refuted", "undecided", "error"]


@dataclass(frozen=True)
class VerdictScope:
    """Which parameters a verdict speaks of for all their values, and which were fixed.

    Attributes:
        symbolic: names that stand for all their values.
        fixed: names with the one number that they stand for.
        kept: what else was kept as it is declared, in words, such as "stride 2" or "the same on all axes".
    """

    symbolic: tuple[str, ...] = ()
    fixed: tuple[tuple[str, int], ...] = ()
    kept: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.written(str)

    def written(self, name: Callable[[str], str]) -> str:
        """The same in words, with the names written by a function."""
        parts = []
        if self.symbolic:
            parts.append("for all " + ", ".join(map(name, self.symbolic)))
        if self.fixed:
            parts.append("at " + ", ".join(f"{name(own)} = {value}" for own, value in self.fixed))
        if self.kept:
            parts.append("with " + ", ".join(self.kept))
        return "; ".join(parts) or "at the given size"


@dataclass(frozen=True)
class Counterexample:
    """Sizes, an entry and tensors at which the two sides differ, or sizes and indices at which an entry is missing.

    Attributes:
        sizes: a number for every parameter, definitions such as the output size included.
        indices: the free indices of the entry; empty where already the sizes differ.
        tensors: the entries that are not zero, by tensor and index.
        boxes: the first and last index of every tensor at these sizes, one pair an axis.
        left: the value of the left-hand side.
        right: the value of the right-hand side.
        what: what is compared, such as "value" or "range of p"; "no such entry" where an entry is read that does not
            exist.
        entry: that entry; then nothing is compared, and `indices` has the bound indices that lead to it too.
    """

    sizes: Mapping[str, int]
    indices: Mapping[str, int]
    tensors: Mapping[str, Mapping[tuple[int, ...], Fraction]]
    boxes: Mapping[str, tuple[tuple[int, int], ...]]
    left: Any = None
    right: Any = None
    what: str = "value"
    entry: tuple[str, tuple[int, ...]] | None = None

    def matrix(self, tensor: str) -> Any:
        """A tensor as nested lists of rational numbers, zeros included."""
        entries = self.tensors.get(tensor, {})

        def rows(box: tuple[tuple[int, int], ...], index: tuple[int, ...]) -> Any:
            if not box:
                return entries.get(index, Fraction(0))
            low, high = box[0]
            return [rows(box[1:], (*index, position)) for position in range(low, high + 1)]

        return rows(self.boxes[tensor], ())

    def __str__(self) -> str:
        where = ", ".join(f"{name} = {value}" for name, value in self.sizes.items()) or "the given size"
        if self.indices:
            where += "; at " + ", ".join(f"{name} = {value}" for name, value in self.indices.items())
        if self.entry is not None:
            return f"{where}: {self.what} {self.missing()}"
        put = [
            f"{name}[{', '.join(map(str, index))}] = {value}"
            for name, entries in self.tensors.items()
            for index, value in entries.items()
        ]
        with_ = f"; with {', '.join(put)} and all other entries 0" if put else ""
        if not put and self.boxes:
            with_ = "; with all entries 0"
        return f"{where}{with_}: {self.what} {self.left} on the left, {self.right} on the right"

    def missing(self) -> str:
        """The entry that does not exist, and the ones that do.

        >>> Counterexample({}, {}, {}, {"b": ((1, 3),)}, entry=("b", (4,))).missing()
        'b[4] (the entries of b are 1..3)'
        """
        assert self.entry is not None
        name, index = self.entry
        ranges = " by ".join(f"{low}..{high}" for low, high in self.boxes[name])
        return f"{name}[{', '.join(map(str, index))}] (the entries of {name} are {ranges})"


@dataclass(frozen=True)
class Verdict:
    """The answer to one question, with what it rests on.

    Attributes:
        status: see the module.
        scope: which parameters were symbolic, which fixed.
        hypotheses: the conditions on sizes and indices under which the statement is made.
        counterexample: for "refuted", where it fails.
        explanation: one or two sentences for a reader.
        bijection: the matched terms of a proof.
        obligations: the integer statements that were discharged (for "undecided": how far the best attempt came).
        method: "bijection", "polynomial identity", "normal forms", "search" or "arithmetic".
        sizes: at how many sizes the two sides were compared exactly.
        instance: sizes at which all hypotheses hold, so that nothing is proved vacuously.
        seconds: the time it took; takes no part in equality.
        conditions: what the verdict rests on beyond its hypotheses and what the statement does not say, such as
            "entries of w outside count as 0"; printed beside the mark. For "refuted", what decides its counterexample.
        record: how it was proved, for a certificate (see `symconv.proofs.record`); takes no part in equality.
        checked_by: another program that has checked its certificate, from a recorded run, such as "Coq 8.16.1"; takes
            no part in equality.
    """

    status: Status
    scope: VerdictScope = VerdictScope()
    hypotheses: tuple[Guard, ...] = ()
    counterexample: Counterexample | None = None
    explanation: str = ""
    bijection: tuple[Match, ...] = ()
    obligations: tuple[Obligation, ...] = ()
    method: str = ""
    sizes: int = 0
    instance: Mapping[str, int] = field(default_factory=dict)
    seconds: float = field(default=0.0, compare=False)
    conditions: tuple[str, ...] = ()
    record: Record | None = field(default=None, repr=False, compare=False)
    checked_by: str = field(default="", compare=False)

    @property
    def holds(self) -> bool:
        """True for "proved" and "exact"."""
        return self.status in ("proved", "exact")

    def __str__(self) -> str:
        lines = [f"{self.status.upper()} {self.scope}" if self.status != "error" else "ERROR"]
        if self.checked_by:
            lines[0] += f"; checked by {self.checked_by}"
        if self.explanation:
            lines.append(f"  {self.explanation}")
        if self.hypotheses:
            lines.append("  provided " + ", ".join(condition(guard) for guard in self.hypotheses))
        if self.conditions:
            lines.append("  on the condition that " + ", and that ".join(self.conditions))
        lines += [f"  {match}" for match in self.bijection]
        lines += [f"  [{obligation.outcome}] {obligation.name}" for obligation in self.obligations]
        if self.counterexample is not None:
            lines.append(f"  counterexample: {self.counterexample}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        head, _, rest = str(self).partition("\n")
        return f"<div><strong>{escape(head)}</strong>" + (f"<pre>{escape(rest)}</pre></div>" if rest else "</div>")
