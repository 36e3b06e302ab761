"""From a problem to a document: its questions in order, then what rests on what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from symconv.claims.check import check_source
from symconv.claims.claim_verdict import ClaimVerdict
from symconv.doors import instance
from symconv.errors import ProblemFileError, SymconvError
from symconv.formulas.printing import LATEX
from symconv.problems.answers.claims import claims
from symconv.problems.answers.desk import Desk, Progress, words
from symconv.problems.answers.figure import figures
from symconv.problems.answers.prose import prose
from symconv.problems.answers.solutions import graded
from symconv.problems.asks import ASKS
from symconv.problems.memory import AnswerMemory
from symconv.problems.problem import Problem
from symconv.proofs.verdict import Verdict
from symconv.report.document import Block, Document, Inline, Math, Section, StatusLine, Text
from symconv.report.exercise import Asked
from symconv.report.ledger import ledger_of, ranges
from symconv.report.marks import Mark
from symconv.report.worked import merged_map

__all__ = ["Certify", "build_document"]

Certify = Callable[[Sequence[tuple[str, str, Verdict]]], Sequence[Verdict]]
"""Is given a name, what is said and the verdict of every statement that holds; gives each with what has checked it."""

MOST_NODES = 100
"""Statements that the map of what rests on what can show apart."""

_MEANING: dict[Mark, str] = {
    "proved": "proved",
    "exact": "exact at the declared size",
    "refuted": "refuted",
    "undecided": "not decided",
}


def build_document(
    problem: Problem,
    progress: Progress = lambda _: None,
    certify: Certify | None = None,
    memory: AnswerMemory | None = None,
) -> Document:
    """Work out every question of a problem; each displayed step is checked on the way.

    Args:
        problem: the problem.
        progress: told in a few words what is being done.
        certify: says what has been checked by another program; without it, nothing has.
        memory: answers of builds before; those to questions that have not changed are taken from it.
    """
    memory = memory or AnswerMemory()
    desk = Desk(instance("problem", problem, Problem, "must be a problem, such as load_problem gives"), progress)
    around = (problem.data, problem.names, problem.operators, problem.networks, problem.index_base, problem.outside)
    asked = [replace(question, title="", text="") for question in problem.questions]
    heads = [(q.id, q.asks, q.operators) for q in asked]
    blocks: list[Block] = _asked(problem.text)
    blocks += memory.part(desk, (around, asked), partial(figures, desk))
    for question in problem.questions:
        progress(f"question {question.id}")
        blocks.append(Section(f"q-{question.id}", question.id, (Text(question.title),)))
        blocks += _asked(question.text)
        try:
            for answer in dict.fromkeys(ASKS[word].answer for word in question.asks):
                content = (around, heads, replace(question, title="", text=""), answer.__qualname__)
                blocks += memory.part(desk, content, partial(answer, desk, question))
        except ProblemFileError:
            raise
        except SymconvError as error:
            raise problem.where(question).error(str(error)) from error
    if problem.claims:
        blocks.append(Section("claims", "", (Text("Claims"),)))
        results: list[ClaimVerdict] = []
        for source in problem.claims:
            progress(f"claim {source.id}")
            results += memory.part(desk, (around, source), partial(check_source, source))
        blocks += claims(desk, results)
    for solution in problem.solutions:
        own = solution.question
        blocks.append(Section(f"q-{own.id}", own.id, (Text(own.title),)))
        blocks += _asked(own.text)
        blocks.append(memory.part(desk, (around, heads, solution), partial(graded, desk, solution)))
    if desk.checked:
        blocks.append(Section("basis", "", (Text("What rests on what, and what was recomputed"),)))
        arcs = desk.arc_map()
        if len(arcs.nodes) <= MOST_NODES:
            blocks.append(arcs)
        blocks.append(ledger_of(desk.bases))
    lead: tuple[Inline, ...] = words(problem.lead) if problem.lead else ()
    return Document(
        problem.title,
        lead,
        tuple(blocks),
        (*_status(desk), *_checked(desk, certify)),
        problem.author,
        problem.title.split(":")[0][:60],
        map=merged_map(list(desk.working.values())),
    )


def _asked(text: str) -> list[Block]:
    """The exercise in its own words."""
    return [Asked(prose(text))] if text.strip() else []


def _status(desk: Desk) -> tuple[StatusLine, ...]:
    """How many statements have which mark, as ranges of their numbers; what is proved says for all of what.

    What holds under a condition, which stands beside it, is counted apart.
    """
    lines = []
    for mark, meaning in _MEANING.items():
        families: dict[tuple[tuple[str, ...], bool], list[str]] = {}
        for number, own in desk.checked:
            if own == mark:
                names = desk.symbolic.get(number, ()) if mark == "proved" else ()
                families.setdefault((names, number in desk.conditional), []).append(number)
        for (names, conditional), numbers in families.items():
            line = words(f"{ranges(numbers)} {meaning}")
            if names:
                every = Math(", ".join(LATEX.name(name) for name in names))
                line = words(f"{ranges(numbers)} {meaning} for all ", every)
            if conditional:
                line = (*line, *words(f", under the condition beside {'it' if len(numbers) == 1 else 'each'}"))
            lines.append(StatusLine(mark, line))
    if desk.errors:
        lines.append(StatusLine("none", words(f"{ranges(desk.errors)} in error")))
    return tuple(lines)


def _checked(desk: Desk, certify: Certify | None) -> tuple[StatusLine, ...]:
    """What has been checked by another program, as ranges of numbers."""
    if certify is None:
        return ()
    named = [(f"statement {number}", what, verdict) for number, what, verdict in desk.verdicts]
    numbers: dict[str, list[str]] = {}
    for (number, _, _), verdict in zip(desk.verdicts, certify(named), strict=True):
        numbers.setdefault(verdict.checked_by, []).append(number)
    numbers.pop("", None)
    return tuple(StatusLine("none", words(f"{ranges(own)} checked by {by}")) for by, own in numbers.items())
