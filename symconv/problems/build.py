"""From a problem to a document: its questions in order, then what was recomputed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from symconv.claims.check import check_source
from symconv.claims.claim_verdict import ClaimVerdict
from symconv.doors import instance, procedure
from symconv.errors import ProblemFileError, SymconvError
from symconv.problems.answers.claims import claims
from symconv.problems.answers.desk import Desk, Progress, words
from symconv.problems.answers.figure import figures
from symconv.problems.answers.prose import prose
from symconv.problems.answers.solutions import graded
from symconv.problems.asks import ASKS
from symconv.problems.memory import AnswerMemory
from symconv.problems.problem import Problem
from symconv.proofs.verdict import Verdict
from symconv.report.document import Block, Document, Inline, Section, StatusLine, Strong, Text
from symconv.report.exercise import Asked
from symconv.report.ledger import family_of, ledger_of
from symconv.report.marks import Mark
from symconv.report.worked import merged_map

__all__ = ["Certify", "build_document"]

Certify = Callable[[Sequence[tuple[str, str, Verdict]]], Sequence[Verdict]]
"""Is given a name, what is said and the verdict of every statement that holds; gives each with what has checked it."""

_MEANING: dict[Mark, str] = {
    "proved": "proved",
    "exact": "exact at the sizes of this exercise",
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
    procedure("progress", progress)
    if certify is not None:
        procedure("certify", certify)
    memory = AnswerMemory() if memory is None else instance("memory", memory, AnswerMemory, "must be an AnswerMemory")
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
    checkers = _checkers(desk, certify)
    if desk.checked:
        blocks.append(Section("basis", "", (Text("What was recomputed, and by what argument"),)))
        blocks.append(ledger_of(desk.bases, checkers, desk.families))
    lead: tuple[Inline, ...] = words(problem.lead) if problem.lead else ()
    return Document(
        problem.title,
        lead,
        tuple(blocks),
        _status(desk, checkers),
        problem.author,
        problem.title.split(":")[0][:60],
        map=merged_map(list(desk.working.values())),
    )


def _asked(text: str) -> list[Block]:
    """The exercise in its own words."""
    return [Asked(prose(text))] if text.strip() else []


def _status(desk: Desk, checkers: Mapping[str, str]) -> tuple[StatusLine, ...]:
    """How many statements have which mark, with what it means; what they are stands at each of them."""
    defined = desk.defined
    lines = [_counted("definition", defined, "definition" if defined == 1 else "definitions")] if defined else []
    for mark, meaning in _MEANING.items():
        numbers = [number for number, own in desk.checked if own == mark]
        if not numbers:
            continue
        conditional = sum(number in desk.conditional for number in numbers)
        families = [desk.families.get(number, ()) for number in numbers] if mark == "proved" else []
        end = f" ({conditional} under a condition, which stands beside {_each(conditional)})" if conditional else ""
        lines.append(_counted(mark, len(numbers), meaning, *_for_all(families), *([Text(end)] if end else [])))
    if desk.errors:
        lines.append(_counted("none", len(desk.errors), "in error"))
    found = list(checkers.values())
    return (*lines, *(_counted("none", found.count(by), f"checked by {by}") for by in dict.fromkeys(found)))


def _each(count: int) -> str:
    return "it" if count == 1 else "each"


def _for_all(families: Sequence[tuple[str, ...]]) -> Iterator[Inline]:
    """How many statements are proved for all of which sizes: a layer with a number for its kernel is one for all I."""
    counts = {family: families.count(family) for family in dict.fromkeys(families)}
    for place, (family, count) in enumerate(counts.items()):
        many = f" {count}" if len(counts) > 1 else ""
        sign = (":" if not place else ";") if many else ""
        if family:
            yield from (Text(f"{sign}{many} for all "), family_of(family))
        elif many:
            yield Text(f"{sign}{many} at the sizes of this exercise")


def _counted(mark: Mark, count: int, meaning: str, *more: Inline) -> StatusLine:
    return StatusLine(mark, (Strong(str(count)), Text(f" {meaning}"), *more))


def _checkers(desk: Desk, certify: Certify | None) -> dict[str, str]:
    """What other program has checked a statement, by its number, and what it had to take as known."""
    if certify is None:
        return {}
    named = [(f"statement {number}", what, verdict) for number, what, verdict in desk.verdicts]
    answers = zip(desk.verdicts, certify(named), strict=True)
    return {number: verdict.checked_by for (number, _, _), verdict in answers if verdict.checked_by}
