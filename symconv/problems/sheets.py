"""A LaTeX file with somebody's answers, read against a key: the problem file whose questions they answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeAlias

from symconv.claims.check import check_source
from symconv.claims.claim_verdict import ClaimVerdict
from symconv.claims.declarations import Declarations
from symconv.claims.sheets.displays import DisplayedFormula, Passed, displays
from symconv.claims.source import ClaimSource
from symconv.doors import path as to_path
from symconv.errors import ArgumentError, ProblemFileError, shortened
from symconv.problems.claim_table import source_of
from symconv.problems.grading.grade import grade
from symconv.problems.grading.reading import line_of
from symconv.problems.problem import Problem, Solution, SolutionLine
from symconv.proofs.verdict import Verdict

__all__ = ["CheckedSheet", "check_sheet"]

MAX_BYTES = 500_000

Judge: TypeAlias = "ClaimSource | Solution | str"
"""What formulas on a question are judged as: claims, lines about a network, or why they are not."""


@dataclass(frozen=True)
class CheckedSheet:
    """The formulas of a LaTeX file with their verdicts, and what was not read.

    Attributes:
        results: a verdict for every mode of every formula, each with its line.
        passed: what is no claim, or stands below no question of the key.
    """

    results: tuple[tuple[int, ClaimVerdict], ...]
    passed: tuple[Passed, ...]


def check_sheet(
    path: str | Path, key: Problem, *, repair: bool = True, progress: Callable[[str], None] = lambda _: None
) -> CheckedSheet:
    r"""Check the displayed formulas of a LaTeX file, each under the declarations of the question that it answers.

    A formula answers the question whose number stands in the comment before it, ``% 1d``, or in the environment around
    it, ``\begin{answer}{1d}``. No other file is read, and nothing of TeX is run.

    Args:
        path: the LaTeX file, of at most 500,000 bytes.
        key: the problem file with the questions.
        repair: whether to look for the edit that makes a refuted formula true.
        progress: told of each formula before it is checked.

    Raises:
        ProblemFileError: where the file cannot be read.
    """
    if not isinstance(key, Problem):
        raise ArgumentError("key", key, "must be a problem, such as load_problem('homework.toml')")
    judges = {**{source.id: source for source in key.claims}, **_solutions(key), **_questions(key)}
    sheet = displays(_content(path), judges)
    results: list[tuple[int, ClaimVerdict]] = []
    passed = list(sheet.passed)
    for display in sheet.formulas:
        judge = judges.get(display.question, _unknown(display.question, judges))
        if isinstance(judge, str):
            passed.append(Passed(display.line, display.latex, judge))
            continue
        progress(f"line {display.line}")
        results += [(display.line, result) for result in _checked(display, judge, repair)]
    return CheckedSheet(tuple(results), tuple(sorted(passed, key=lambda one: one.line)))


def _content(path: str | Path) -> str:
    file, shown = to_path("path", path), shortened(str(path))
    try:
        with file.open("rb") as stream:  # no more than that is read, whatever the path leads to
            content = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise ProblemFileError(f"{shown}: does not exist; name a LaTeX file") from None
    except OSError as error:
        raise ProblemFileError(f"{shown}: cannot be read ({error.strerror or type(error).__name__})") from None
    if len(content) > MAX_BYTES:
        raise ProblemFileError(f"{shown}: must have at most {MAX_BYTES:,} bytes; split it")
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise ProblemFileError(f"{shown}: is not UTF-8 text (byte {error.start}); save it as UTF-8") from None


def _unknown(question: str, judges: Mapping[str, Judge]) -> str:
    if not question:
        return "stands below no question: put a comment such as % 1d before it"
    listed = ", ".join(judges)
    return f"answers {question!r}, which the key does not have (it has {shortened(listed) or 'no question'})"


def _checked(display: DisplayedFormula, judge: ClaimSource | Solution, repair: bool) -> tuple[ClaimVerdict, ...]:
    label = f"{display.question}:{display.line}"
    if isinstance(judge, Solution):
        upstream = {letter: array for line in judge.lines for letter, array in line.upstream.items()}
        line = SolutionLine(label, label, latex=display.latex, upstream=upstream)
        results = grade(line, judge, repair=repair and not display.fault).results
    else:
        source = replace(judge, id=label, text="", latex=display.latex, note="")
        if not display.fault:
            return check_source(source, repair=repair)
        results = tuple(ClaimVerdict(source, mode, Verdict("error")) for mode in source.modes)
    if not display.fault:
        return results
    return tuple(replace(r, verdict=Verdict("error", explanation=display.fault)) for r in results)


# ---------------------------------------------------------------------- what each question declares


def _solutions(key: Problem) -> dict[str, Judge]:
    return {solution.question.id: solution for solution in key.solutions}


def _questions(key: Problem) -> dict[str, Judge]:
    return {question.id: _judge(question.id, key) for question in key.questions}


def _judge(name: str, key: Problem) -> Judge:
    """What formulas on a question are judged as: by what it declares, and what the claims of the key on it agree on."""
    question = next(one for one in key.questions if one.id == name)
    settled = key.settled[name]
    claims = [source for source in key.claims if source.question == name]
    operators = [one.name for one in question.operators]
    operator = settled.declared.get("operator", operators[0] if len(operators) == 1 else "")
    if not operator and question.network is not None:
        upstream = settled.declared.get("upstream", {})
        entry = {"latex": "", "upstream": upstream if isinstance(upstream, dict) else {}}
        line = line_of(entry, 1, name, question.network, question, key.where(question).at("declare"))
        return Solution(question, question.network, (line,))
    if not operator:
        return f'is on {" and ".join(operators)}: the key must say which, declare = {{ operator = "{operators[0]}" }}'
    read = {"check": ("literal",), **settled.declared, "id": name, "operator": operator, "question": name}
    source = source_of(read, key.where(question), settled, key.operators, key.data)
    about = [claim.declared for claim in claims if claim.declared.op == source.declared.op]
    return replace(source, declared=_with_claims(source.declared, about)) if about else source


def _with_claims(own: Declarations, claims: list[Declarations]) -> Declarations:
    """Declarations with those of claims, as far as the claims agree; what is declared for the question itself stays."""
    added: dict[str, Any] = {}
    for field in fields(own):
        values = [getattr(one, field.name) for one in claims]
        mine = getattr(own, field.name)
        if field.name in ("sizes", "indices", "functions", "quantities", "matrices"):
            added[field.name] = {**dict(_agreed(values)), **mine}
        elif field.name in ("sets", "upper", "star", "nonnegative", "unique_maxima", "names") and not (
            mine and field.name != "names"
        ):
            added[field.name] = values[0] if all(value == values[0] for value in values) else mine
    return replace(own, **added)


def _agreed(tables: list[Mapping[str, str]]) -> Iterator[tuple[str, str]]:
    """The entries that no two tables have otherwise."""
    for letter in dict.fromkeys(letter for table in tables for letter in table):
        meanings = {table[letter] for table in tables if letter in table}
        if len(meanings) == 1:
            yield letter, meanings.pop()
