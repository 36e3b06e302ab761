"""What all kinds of questions work with: numbers for statements, definitions, references, colours, marks."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from symconv.derivations.frame import Frame
from symconv.derivations.step import Definition, Derivation, Maths, Phrase, Step
from symconv.formulas.printing import LATEX
from symconv.operators.base import Operator
from symconv.operators.letters import Letters
from symconv.problems.problem import Problem, Question
from symconv.proofs.verdict import Verdict
from symconv.report.colour import colour
from symconv.report.document import (
    Block,
    Inline,
    Math,
    Notation,
    NotationRow,
    Reason,
    Ref,
    RelationLine,
    StageHeading,
    Substep,
    Text,
)
from symconv.report.formula_width import estimate_em
from symconv.report.ledger import Basis, basis_of
from symconv.report.marks import Mark
from symconv.report.mathml import to_mathml
from symconv.report.worked import Worked

__all__ = ["Desk", "Progress", "Root", "mark_of", "matrix", "roman", "words"]

Progress = Callable[[str], None]

_REFERENCE = re.compile(r"\(([^()]+)\)")


def mark_of(verdict: Verdict) -> Mark:
    """The mark of a verdict; a verdict in error has none, since nothing was checked."""
    status = verdict.status
    return "none" if status == "error" else status


def words(*parts: str | Math | Ref) -> tuple[Inline, ...]:
    """Running text with mathematics in it."""
    return tuple(Text(part) if isinstance(part, str) else part for part in parts)


def number_text(value: Any) -> str:
    """An exact number as LaTeX."""
    if isinstance(value, Root):
        degree = "" if value.degree == 2 else f"[{value.degree}]"
        inner = value.radicand
        text = str(inner.numerator) if inner.denominator == 1 else f"{inner.numerator}/{inner.denominator}"
        return rf"\sqrt{degree}{{{text}}}"
    return LATEX.number(value) if isinstance(value, Fraction) else str(value)


@dataclass(frozen=True)
class Root:
    """An exact root of a rational number, as LP pooling gives them."""

    radicand: Fraction
    degree: int


def _cell(value: Any) -> str:
    """A number in a matrix, where a built-up fraction would touch its neighbours."""
    if isinstance(value, Fraction) and value.denominator != 1:
        return f"{value.numerator}/{value.denominator}"
    return number_text(value)


def matrix(rows: Any) -> Math:
    """A matrix (or a row vector, or one number) of exact numbers; zeros of wide ones are greyed."""
    if not isinstance(rows, list):
        return Math(number_text(rows))
    if not rows or not isinstance(rows[0], list):
        rows = [rows]
    if isinstance(rows[0][0], list):  # three axes and more: slices side by side
        return Math(r",\quad ".join(matrix(part).latex for part in rows))
    wide = len(rows[0]) > 8
    body = r" \\ ".join(
        " & ".join(r"\SCzero" if wide and value == 0 else _cell(value) for value in row) for row in rows
    )
    return Math(rf"\begin{{pmatrix}} {body} \end{{pmatrix}}")


@dataclass
class Desk:
    """The state of a report in the making."""

    problem: Problem
    progress: Progress = lambda _: None
    _count: int = 0
    _definitions: dict[tuple[str, str, str], str] = field(default_factory=dict)
    bases: dict[str, Basis] = field(default_factory=dict)
    checked: list[tuple[str, Mark]] = field(default_factory=list)
    families: dict[str, tuple[str, ...]] = field(default_factory=dict)
    conditional: set[str] = field(default_factory=set)
    errors: list[str] = field(default_factory=list)
    verdicts: list[tuple[str, str, Verdict]] = field(default_factory=list)
    results: dict[str, list[tuple[str, Any]]] = field(default_factory=dict)
    working: dict[Any, Worked] = field(default_factory=dict)
    _figures: int = 0

    # ------------------------------------------------------------------ numbers

    def number(self) -> str:
        """The next statement number."""
        self._count += 1
        return str(self._count)

    @property
    def defined(self) -> int:
        """How many definitions there are."""
        return len(self._definitions)

    def figure(self) -> str:
        """The next figure number."""
        self._figures += 1
        return str(self._figures)

    def note(self, number: str, mark: Mark, basis: Basis | Verdict) -> None:
        """Remember a statement for the status strip and the ledger.

        A verdict says for all of which sizes it was proved, under which conditions, and what it rests on.
        """
        if isinstance(basis, Verdict):
            verdict, basis = basis, basis_of(basis)
            if mark == "proved":
                self.families[number] = verdict.scope.symbolic
            if verdict.conditions:
                self.conditional.add(number)
        if mark != "none":
            self.checked.append((number, mark))
            self.bases[number] = basis

    def proved(self, number: str, what: str, verdict: Verdict) -> None:
        """Remember the verdict of a statement, in case it can be certified; `what` says which statement it is."""
        if verdict.holds:
            self.verdicts.append((number, what, verdict))

    # ------------------------------------------------------------------ words

    def roles(self, letters: Letters, op: Operator) -> dict[str, str]:
        """The coloured letters of an operator: the kernel's and the upstream gradient's, small and capital."""
        result = {}
        pairs = [(letters.upstream, "SCupstream")]
        if "weight" in op.variables:
            pairs.append((letters.weight, "SCkernel"))
        for letter, command in pairs:
            if len(letter) == 1:
                result[letter] = result[letter.upper()] = command
        return result

    def inline(
        self, phrase: Phrase, roles: Mapping[str, str], numbers: Mapping[str, str] | None = None
    ) -> tuple[Inline, ...]:
        """A phrase of a derivation as inline runs: its references linked, its letters coloured."""
        runs: list[Inline] = []
        for part in phrase:
            if isinstance(part, Maths):
                runs.append(Math(colour(part.latex, roles)))
                continue
            position = 0
            for match in _REFERENCE.finditer(part):
                label = (numbers or {}).get(match[1])
                if label is None:
                    continue
                if part[position : match.start()]:
                    runs.append(Text(part[position : match.start()]))
                runs.append(Ref(anchor(label), f"({label})"))
                position = match.end()
            if part[position:]:
                runs.append(Text(part[position:]))
        return tuple(runs)

    # ------------------------------------------------------------------ derivations

    def define(
        self, definitions: Sequence[Definition], roles: Mapping[str, str], numbers: dict[str, str], convention: str
    ) -> list[Block]:
        """A notation table of the definitions that are new, wide ones below it; known ones only get their number."""
        rows: list[NotationRow] = []
        apart: list[Block] = []
        entries = [(definition, self.inline(definition.entry, roles)) for definition in definitions]
        for definition, entry in sorted(entries, key=lambda pair: _too_wide(pair[1])):
            key = (repr(definition.object), repr(definition.entry), repr(definition.size))
            known = self._definitions.get(key)
            if known is not None:
                numbers[definition.id] = known
                continue
            label = f"D{len(self._definitions) + 1}"
            self._definitions[key] = numbers[definition.id] = label
            size = self.inline(definition.size, roles)
            if _too_wide(entry):
                apart.append(self._apart(label, definition.name, entry, size))
                continue
            rows.append(
                NotationRow(anchor(label), label, self.inline(definition.object, roles), entry, definition.name, size)
            )
        table: list[Block] = [Notation(tuple(rows), convention)] if rows else []
        return [*table, *apart]

    def _apart(self, label: str, name: str, entry: tuple[Inline, ...], size: tuple[Inline, ...]) -> RelationLine:
        """A definition that is too wide for the table, displayed like a step."""
        (whole,) = entry
        assert isinstance(whole, Math)
        left, _, right = whole.latex.partition(" = ")
        reason = Reason(f"{name[0].upper()}{name[1:]},", (*words("of size "), *size) if size else ())
        return RelationLine(anchor(label), label, "definition", Math(left), "=", Math(right), reason)

    def stages(
        self, derivation: Derivation, roles: Mapping[str, str], numbers: dict[str, str], first: int = 1
    ) -> list[Block]:
        """The stages of a derivation as blocks; every step is checked here."""
        blocks: list[Block] = []
        for position, stage in enumerate(derivation.stages, first):
            blocks.append(
                StageHeading(
                    f"stage-{self._count + 1}",
                    roman(position),
                    self.inline(stage.title, roles),
                    self.inline(stage.domain, roles),
                )
            )
            for index, step in enumerate(stage.steps):
                last = index == len(stage.steps) - 1 and step.rule in ("recognise", "count", "squeeze")
                blocks.append(self.statement(step, roles, numbers, qed=last))
        return blocks

    def statement(
        self, step: Step, roles: Mapping[str, str], numbers: dict[str, str], qed: bool = False
    ) -> RelationLine:
        """One step as a statement with its mark, after having it checked."""
        label = self.number()
        numbers[step.id] = label
        self.progress(f"checking ({label}) {step.rule}")
        mark = mark_of(step.verdict)
        self.note(label, mark, step.verdict)
        self.proved(label, step.title, step.verdict)
        reason = Reason(
            step.title,
            self.inline(step.reason, roles, numbers),
            tuple(Substep(f"{label}.{k}", self.inline(sub, roles, numbers)) for k, sub in enumerate(step.substeps, 1)),
            self.inline(step.rests_on, roles, numbers),
        )
        left = colour(step.left(LATEX), roles) if step.opens else ""
        right = colour(step.right(LATEX), roles)
        sign = LATEX.relation(step.relation).strip()
        return RelationLine(anchor(label), label, mark, Math(left), sign, Math(right), reason, qed=qed)

    def plain_statement(
        self,
        left: str,
        right: str,
        mark: Mark,
        basis: Basis,
        rule: str,
        reason: tuple[Inline, ...] = (),
    ) -> RelationLine:
        """A statement that does not come from a derivation."""
        label = self.number()
        self.note(label, mark, basis)
        return RelationLine(anchor(label), label, mark, Math(left), "=", Math(right), Reason(rule, reason))


def _too_wide(entry: tuple[Inline, ...]) -> bool:
    """Whether a definition's formula would have to shrink in the table's column."""
    return len(entry) == 1 and isinstance(entry[0], Math) and estimate_em(to_mathml(entry[0].latex)) > 21


def anchor(number: str) -> str:
    """The id of a statement in the document."""
    return f"s-{number}"


def frame_of(question: Question, op: Any, wrt: str = "input", *, fixed: bool = False) -> Frame:
    """The frame of derivations for a question: its letters, its base, symbolic or declared sizes."""
    size = question.operators[0].input_size if fixed else None
    return Frame(op, wrt, question.names, question.index_base, size)  # type: ignore[arg-type]


def roman(number: int) -> str:
    """A number from 1 to 39 as the headings of stages count."""
    result = ""
    for value, sign in ((10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I")):
        while number >= value:
            result += sign
            number -= value
    return result
