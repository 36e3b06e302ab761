"""Steps, stages and derivations: statements that a checker has looked at, and the words beside them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from symconv.formulas.algebra import Guard
from symconv.formulas.effort import STEPS
from symconv.formulas.formula import Formula
from symconv.formulas.printing import LATEX, UNICODE, Style, context_of
from symconv.proofs.verdict import Verdict

__all__ = ["Definition", "Derivation", "Maths", "Phrase", "Stage", "Step", "in_latex", "maths", "plain"]

PATIENCE = 4  # a step is printed because it is proved, so that it is worth more than a question that anybody asks
COMPARING = STEPS // 100  # and it is expected to hold: few sizes are looked at before its proof, however large they are


@dataclass(frozen=True)
class Maths:
    """A piece of mathematics inside a sentence, in both styles."""

    latex: str
    text: str


Phrase: TypeAlias = "tuple[str | Maths, ...]"
"""A sentence: plain words and mathematics."""


def maths(write: Callable[[Style], str]) -> Maths:
    """The same mathematics in both styles."""
    return Maths(write(LATEX), write(UNICODE))


def plain(phrase: Phrase) -> str:
    """A sentence for a terminal."""
    return "".join(part if isinstance(part, str) else part.text for part in phrase)


_SIGNS = {
    **{sign: f"${command}$" for sign, command in (("≥", r"\geq"), ("≤", r"\leq"), ("·", r"\cdot"), ("×", r"\times"))},
    **{sign: rf"\{sign}" for sign in "&%$#_{}"},
}


def in_latex(phrase: Phrase) -> str:
    """A sentence in LaTeX: words escaped, mathematics inline."""
    return "".join(
        "".join(_SIGNS.get(sign, sign) for sign in part) if isinstance(part, str) else f"${part.latex}$"
        for part in phrase
    )


@dataclass(frozen=True)
class Definition:
    """A name and what it stands for.

    Attributes:
        id: "D1", "D2", ...
        object: the object, such as ``C = A`` correlated with ``B``.
        entry: its entry.
        name: what it is called.
        size: its size.
    """

    id: str
    object: Phrase
    entry: Phrase
    name: str
    size: Phrase


@dataclass(frozen=True)
class Step:
    """One relation of a chain: ``before = after`` by a named rule, for all values of the free indices.

    Attributes:
        id: "1", "2", ...
        before: the formula that the step starts from.
        after: the same quantity with another right-hand side.
        rule: the name of the rule, one of `symconv.derivations.rules.RULES`.
        title: the rule in one or two words.
        reason: why the relation holds.
        substeps: finer reasons.
        needs: conditions, and where they come from.
        uses: ids of the definitions and steps that it rests on.
        opens: whether the step starts a chain, so that its left-hand side is printed.
        shown: left-hand side, relation and right-hand side to print, where the step is no equation of two formulas.
        check: what decides the step, where that is not `prove` of ``before = after``.
        fits: what must hold of sizes besides, such as that both sides of a line about whole arrays have one size.
    """

    id: str
    before: Formula
    after: Formula
    rule: str
    title: str
    reason: Phrase = ()
    substeps: tuple[Phrase, ...] = ()
    needs: Phrase = ()
    uses: tuple[str, ...] = ()
    opens: bool = False
    shown: tuple[Maths, str, Maths] | None = None
    check: Callable[[], Verdict] | None = field(default=None, compare=False, repr=False)
    fits: tuple[Guard, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """What a checker has found of ``before = after``, and of the sizes that have to fit; computed once."""
        cached: Verdict | None = self.__dict__.get("_verdict")
        if cached is None:
            if self.check is not None:
                cached = self.check()
            else:
                from symconv.proofs.prove import prove

                cached = prove(self.before, self.after, steps=PATIENCE * STEPS, comparing=COMPARING)
            cached = self._fitting(cached)
            if self.needs and cached.holds:  # in the words of the layer, what is left out for windows over nothing too
                cached = replace(cached, conditions=(plain(self.needs),))
            object.__setattr__(self, "_verdict", cached)
        return cached

    @property
    def rests_on(self) -> Phrase:
        """What the mark rests on, as it is printed beside it: what the step needs, else what its check found."""
        return self.needs or (", and ".join(self.verdict.conditions),) * bool(self.verdict.conditions)

    def _fitting(self, verdict: Verdict) -> Verdict:
        """The verdict, where the sizes fit; else what was found of the sizes."""
        if not verdict.holds or not self.fits:
            return verdict
        from symconv.proofs.goals import prove_goal

        sizes = prove_goal(self.after.assumptions(), self.fits)
        if sizes.status == "proved":
            return replace(verdict, obligations=(*verdict.obligations, *sizes.obligations))
        return replace(sizes, explanation=f"The sizes of the two sides do not fit: {sizes.explanation}")

    @property
    def relation(self) -> str:
        """The relation: "=", "<=", ..."""
        return "=" if self.shown is None else self.shown[1]

    @property
    def statement(self) -> str:
        """The relation in one line of Unicode mathematics."""
        return f"{self.left(UNICODE)} {UNICODE.relation(self.relation).strip()} {self.right(UNICODE)}"

    def latex(self) -> str:
        """The relation as LaTeX."""
        return f"{self.left(LATEX)} {LATEX.relation(self.relation).strip()} {self.right(LATEX)}"

    def left(self, style: Style) -> str:
        """The left-hand side of the chain."""
        if self.shown is not None:
            return style.written(self.shown[0])
        return style.quantity(self.after.quantity)

    def right(self, style: Style) -> str:
        """What this step arrives at."""
        if self.shown is not None:
            return style.written(self.shown[2])
        return style.pointwise(self.after.body, context_of(self.after))


@dataclass(frozen=True)
class Stage:
    """A stretch of a derivation with one quantifier for all its steps."""

    title: Phrase
    domain: Phrase
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Derivation:
    """A worked derivation: definitions, stages, and the result.

    Attributes:
        title: one line.
        lead: what it says, in one sentence.
        hypotheses: under which conditions it holds.
        definitions: the notation.
        stages: the chains.
    """

    title: str
    lead: Phrase
    hypotheses: Phrase
    definitions: tuple[Definition, ...]
    stages: tuple[Stage, ...]

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps in reading order."""
        return tuple(step for stage in self.stages for step in stage.steps)

    @property
    def result(self) -> Formula:
        """The last formula."""
        return self.steps[-1].after

    def latex(self) -> str:
        """The hypotheses, the definitions, and the steps of every stage as one ``aligned`` block, with their marks."""
        lines = [in_latex(self.hypotheses), ""]
        for definition in self.definitions:
            lines += [f"({definition.id}) {in_latex(_described(definition))}.", ""]
        for stage in self.stages:
            rows = []
            for step in stage.steps:
                # a block stands alone, so that its first line has a left-hand side also where a chain goes on
                left = step.left(LATEX) if step.opens or step is stage.steps[0] else ""
                sign = LATEX.relation(step.relation).strip()
                note = step.title.lower().rstrip(".,:")
                rows.append(rf"{left} &{sign} {step.right(LATEX)} && \text{{({step.id}: {note})}}")
            block = "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"
            lines += [f"{in_latex(stage.title)}, {in_latex(stage.domain)}:", f"\\[\n{block}\n\\]"]
            marks: dict[str, list[str]] = {}
            for step in stage.steps:
                marks.setdefault(f"{step.verdict.status} {_scope(step)}{_needed(step)}", []).append(f"({step.id})")
            lines += ["; ".join(f"{', '.join(ids)} {mark}" for mark, ids in marks.items()) + ".", ""]
        return "\n".join(lines).rstrip()

    def text(self) -> str:
        """The derivation for a terminal: one line a step, its rule, reason and verdict below it."""
        lines = [self.title, "=" * len(self.title), plain(self.lead), "", plain(self.hypotheses), ""]
        for definition in self.definitions:
            lines.append(f"  {definition.id:3} {plain(_described(definition))}")
        left = ""
        for stage in self.stages:
            lines += ["", f"{plain(stage.title)}   [{plain(stage.domain)}]"]
            for step in stage.steps:
                number = f"({step.id})"  # the signs of a chain stand below each other, also where numbers grow longer
                left = f"{number} {step.left(UNICODE)}" if step.opens else number.ljust(len(left))
                sign = UNICODE.relation(step.relation).strip()
                lines.append(f"  {left} {sign} {step.right(UNICODE)}".rstrip())
                indent = " " * (6 + len(step.id))
                lines.append(f"{indent}{step.title} {plain(step.reason)}".rstrip())
                lines += [f"{indent}  {step.id}.{k} {plain(sub)}" for k, sub in enumerate(step.substeps, 1)]
                needs = f"; needs {plain(step.rests_on)}" if step.rests_on else ""
                lines.append(f"{indent}[{step.verdict.status}: {step.verdict.scope.written(UNICODE.name)}{needs}]")
        return "\n".join(lines)

    def _repr_latex_(self) -> str:
        return self.latex()


def _described(definition: Definition) -> Phrase:
    """A definition in one line: the object, its entry, and in brackets its name and its size."""
    size: Phrase = ("; ", *definition.size) if definition.size else ()
    head: Phrase = (*definition.object, ": ") if definition.object else ()
    return (*head, *definition.entry, f"   ({definition.name}", *size, ")")


def _scope(step: Step) -> str:
    """For all of what a step was checked, in LaTeX."""
    scope = step.verdict.scope
    parts = [f"for all ${', '.join(map(LATEX.name, scope.symbolic))}$"] if scope.symbolic else []
    if scope.fixed:
        parts.append("at $" + ", ".join(f"{LATEX.name(name)} = {value}" for name, value in scope.fixed) + "$")
    return " ".join(parts) or "at the given size"


def _needed(step: Step) -> str:
    return f" (needs {in_latex(step.rests_on)})" if step.rests_on else ""
