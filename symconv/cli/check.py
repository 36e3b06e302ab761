"""``symconv check``: the claims of a problem file, one verdict a row."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from symconv.cli.activity import Activity
from symconv.cli.certificates import certificates_option, certified
from symconv.cli.printable import printable_line

if TYPE_CHECKING:
    from symconv.claims.claim_verdict import ClaimVerdict

__all__ = ["check"]

_WIDTH = 100
"""So many signs of a long line are shown around those that are underlined."""
_STYLE = {"proved": "green", "exact": "green", "refuted": "red", "undecided": "yellow", "error": "red"}


@click.command(short_help="Prove or refute the claims of a problem file, or the formulas of a LaTeX file.")
@click.argument("problem", metavar="PROBLEM.toml", type=click.Path(path_type=Path))
@click.option(
    "--key",
    metavar="KEY.toml",
    type=click.Path(path_type=Path),
    help="The problem file whose questions a LaTeX file answers, which is then given instead of a problem.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one list of objects instead of a table.")
@click.option("--no-repair", is_flag=True, help="Do not look for the edit that makes a refuted claim true.")
@certificates_option
def check(problem: Path, key: Path | None, as_json: bool, no_repair: bool, certificates: Path | None) -> None:
    """Check every claim of PROBLEM.toml, literally and, where it says how, for all sizes.

    "proved" holds for all sizes, "exact" at the declared size; "refuted" comes with the smallest example and, where a
    small edit makes the claim true, with that edit. Nothing is rounded up: what could not be decided is "undecided",
    and what a line takes for granted without saying so is printed as a condition below it and counted apart.

    With --key the file is LaTeX: its displayed formulas are checked, each under what the key declares for the question
    in the comment before it (% 1d) or around it (\\begin{answer}{1d}). What is no claim is listed as not read. Words
    that \\newcommand or \\def define without arguments are followed; nothing of TeX is run, no other file is read.

    \b
    Exit status: 0 all proved or exact, 1 a claim refuted or in error, 3 only undecided ones left, or none read of a
    LaTeX file, 2 the file is wrong.

    \b
    Examples:
      symconv check homework.toml
      symconv check homework.toml --json > verdicts.json
      symconv check solution.tex --key homework.toml
    """
    if key is not None:
        _check_sheet(problem, key, as_json, not no_repair, certificates)
        return
    if problem.suffix == ".tex":
        raise click.UsageError(f"{printable_line(problem.name)} needs the option --key, such as --key homework.toml")
    from symconv.claims.check import check_source
    from symconv.problems.grading.grade import grade
    from symconv.problems.reading import load_problem

    results: list[ClaimVerdict] = []
    with Activity(f"reading {problem.name}") as activity:
        read = load_problem(problem)
        for source in read.claims:
            activity.say(f"claim {source.id}")
            results += check_source(source, repair=not no_repair)
        for solution in read.solutions:
            for line in solution.lines:
                activity.say(f"line {line.id}")
                results += grade(line, solution, repair=not no_repair).results
    if certificates is not None:
        results = _certified(certificates, results)
    if as_json:
        click.echo(json.dumps([result.as_json() for result in results], indent=2, ensure_ascii=False))
    elif results:
        _table(results)
    else:
        click.echo(f"{printable_line(problem.name)} makes no claims; add a table [[claims]] or [[solutions]]")
    click.get_current_context().exit(_status(results))


def _check_sheet(file: Path, key: Path, as_json: bool, repair: bool, certificates: Path | None) -> None:
    """The formulas of a LaTeX file, and what of it was not read."""
    from symconv.problems.reading import load_problem
    from symconv.problems.sheets import check_sheet

    with Activity(f"reading {key.name}") as activity:
        sheet = check_sheet(file, load_problem(key), repair=repair, progress=activity.say)
    results = [result for _, result in sheet.results]
    if certificates is not None:
        results = _certified(certificates, results)
    if as_json:
        lines = [line for line, _ in sheet.results]
        claims = [{**result.as_json(), "line": line} for line, result in zip(lines, results, strict=True)]
        passed = [{"line": one.line, "text": one.text, "why": one.why} for one in sheet.passed]
        click.echo(json.dumps({"claims": claims, "not_read": passed}, indent=2, ensure_ascii=False))
    else:
        if results:
            _table(results)
        for one in sheet.passed:
            text = click.style("not read", fg="yellow")
            click.echo(f"{text}  line {one.line}: {printable_line(one.text)}  ({printable_line(one.why)})")
        if not results and not sheet.passed:
            click.echo(f"{printable_line(file.name)} displays no formula")
    click.get_current_context().exit(_status(results) if results else 3)


def _certified(folder: Path, results: list[ClaimVerdict]) -> list[ClaimVerdict]:
    """The results, those that Coq has checked marked so; the certificates of what holds are written."""
    holds = [r for r in results if r.verdict.holds]
    triples = [(f"claim {r.source.id} {r.mode}", f"{r.source.id}, {r.mode}", r.verdict) for r in holds]
    marked = iter(certified(folder, triples))
    return [replace(r, verdict=next(marked)) if r.verdict.holds else r for r in results]


def _status(results: list[ClaimVerdict]) -> int:
    found = {result.status for result in results}
    if found & {"refuted", "error"}:
        return 1
    return 3 if "undecided" in found else 0


def _table(results: list[ClaimVerdict]) -> None:
    """A row a verdict, what was found below it."""
    width = max(len(printable_line(result.source.id)) for result in results)
    for result in results:
        status = click.style(f"{result.status:9}", fg=_STYLE[result.status], bold=True)
        claim = result.source.text or " ".join(result.source.latex.split())
        shown = printable_line(claim if len(claim) <= 90 else claim[:87] + "...")
        click.echo(f"{printable_line(result.source.id):{width}}  {result.mode:7}  {status}  {shown}")
        for line in _details(result):
            click.echo(f"{'':{width}}           {printable_line(line)}")
    counts: dict[str, int] = {}
    for result in results:
        kind = f"{result.status} under a condition" if result.verdict.conditions else result.status
        counts[kind] = counts.get(kind, 0) + 1
    click.echo()
    click.echo(", ".join(f"{number} {status}" for status, number in sorted(counts.items())))


def _details(result: ClaimVerdict) -> list[str]:
    """What a verdict speaks of, what is given, and what it rests on or where it fails."""
    from symconv.claims.meaning.family import given

    verdict: Any = result.verdict
    typed = result.source.typed
    declared = given(result.source.declared, result.claim)
    lines = [f"given that {', and '.join(declared)}"] if declared else []
    lines += [f"read so: {typed(reading)}" for reading in result.readings]
    conditions = [f"on the condition that {typed(condition)}" for condition in verdict.conditions]
    if result.status in ("proved", "exact"):
        family = [str(verdict.scope)] if verdict.scope.kept else []
        checked = [f"checked by {verdict.checked_by}"] if verdict.checked_by else []
        return [*checked, *family, *lines, *conditions]
    lines += [str(verdict.explanation), *conditions]
    if result.repaired is None:
        return lines
    lines += _underlined(result)
    said = typed(": ".join(part for part in (result.slip, result.edit) if part))
    strength = f"{result.repaired.status}: {result.repair}" if result.repair else result.repaired.status
    taken = [f"that, on the condition that {typed(condition)}" for condition in result.repaired.conditions]
    return [*lines, f"{said}  ({strength})", *taken]


def _underlined(result: ClaimVerdict) -> list[str]:
    """The claim with the signs underlined that the repair changes; the part of it around them where it is long."""
    if not result.places:
        return []
    source = result.source.latex or result.source.text
    marked = {k for begin, end in result.places for k in range(begin, end)}
    shown = [k for k, sign in enumerate(source) if not sign.isspace() or not source[k - 1 : k].isspace()]
    first = next(n for n, k in enumerate(shown) if k in marked)
    begin = 0 if len(shown) <= _WIDTH else max(0, min(first - _WIDTH // 3, len(shown) - _WIDTH))
    part = shown[begin : begin + _WIDTH]
    line = "".join(" " if source[k].isspace() else source[k] for k in part)
    if not line.isprintable():
        return []
    return [line, "".join("^" if k in marked and not source[k].isspace() else " " for k in part).rstrip()]
