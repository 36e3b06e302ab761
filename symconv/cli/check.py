"""``symconv check``: the claims of a problem file, one verdict a row."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from symconv.cli.activity import Activity
from symconv.cli.certificates import certificates_option, certified

if TYPE_CHECKING:
    from symconv.claims.claim_verdict import ClaimVerdict

__all__ = ["check"]

_STYLE = {"proved": "green", "exact": "green", "refuted": "red", "undecided": "yellow", "error": "red"}


@click.command(short_help="Prove or refute the claims of a problem file.")
@click.argument("problem", metavar="PROBLEM.toml", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one list of objects instead of a table.")
@click.option("--no-repair", is_flag=True, help="Do not look for the edit that makes a refuted claim true.")
@certificates_option
def check(problem: Path, as_json: bool, no_repair: bool, certificates: Path | None) -> None:
    """Check every claim of PROBLEM.toml, literally and, where it says how, for all sizes.

    "proved" holds for all sizes, "exact" at the declared size; "refuted" comes with the smallest example and, where a
    small edit makes the claim true, with that edit. Nothing is rounded up: what could not be decided is "undecided",
    and what a line takes for granted without saying so is printed as a condition below it and counted apart.

    \b
    Exit status: 0 all proved or exact, 1 a claim refuted or in error, 3 only undecided ones left, 2 the file is wrong.

    \b
    Examples:
      symconv check homework.toml
      symconv check homework.toml --json > verdicts.json
    """
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
        click.echo(f"{problem.name} makes no claims; add a table [[claims]] or [[solutions]]")
    click.get_current_context().exit(_status(results))


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
    width = max(len(result.source.id) for result in results)
    for result in results:
        status = click.style(f"{result.status:9}", fg=_STYLE[result.status], bold=True)
        claim = result.source.text or " ".join(result.source.latex.split())
        shown = claim if len(claim) <= 90 else claim[:87] + "..."
        click.echo(f"{result.source.id:{width}}  {result.mode:7}  {status}  {shown}")
        for line in _details(result):
            click.echo(f"{'':{width}}           {line}")
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
    declared = given(result.source.declared, result.claim)
    lines = [f"given that {', and '.join(declared)}"] if declared else []
    lines += [f"read so: {reading}" for reading in result.readings]
    conditions = [f"on the condition that {condition}" for condition in verdict.conditions]
    if result.status in ("proved", "exact"):
        family = [str(verdict.scope)] if verdict.scope.kept else []
        checked = [f"checked by {verdict.checked_by}"] if verdict.checked_by else []
        return [*checked, *family, *lines, *conditions]
    lines += [str(verdict.explanation), *conditions]
    if result.edit:
        strength = result.repaired.status if result.repaired is not None else ""
        lines.append(f"{result.edit}  ({strength}: {result.repair})")
    return lines
