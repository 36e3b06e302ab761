"""``symconv audit``: where a framework departs from the formula."""

from __future__ import annotations

import json
from pathlib import Path

import click

from symconv.cli.activity import Activity

__all__ = ["audit"]

DEPARTS = 1


@click.command(short_help="Where a framework departs from the formula.")
@click.argument("framework", metavar="FRAMEWORK")
@click.option(
    "--minutes",
    type=click.FloatRange(0, 24 * 60, min_open=True),
    default=10.0,
    show_default=True,
    help="How long it may take.",
)
@click.option(
    "--cases",
    type=click.IntRange(1, 10**6),
    help="How many calls to make at most; what is found then depends on no clock, if the minutes suffice.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of what is tried at random.")
@click.option(
    "-o",
    "--output",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write FRAMEWORK.json and FRAMEWORK.html there; the directory is made if it is not there.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def audit(
    framework: str, minutes: float, cases: int | None, seed: int, folder: Path | None, as_json: bool
) -> None:  # fmt: skip
    """Sweep the options of FRAMEWORK's convolutions and poolings, and show where it departs from the formula.

    FRAMEWORK is torch, onnxruntime, onnx-reference (the evaluator of the package onnx) or scipy. It runs in a process
    of its own, which is started again where it crashes or hangs. Corner cases come first: calls that differ from the
    plainest in one or two options, on small inputs, with negative entries, zeros, ties, NaN, infinities and entries
    near the ends of the type; then options at random.

    Every departure comes with the plainest call and the smallest arguments that show it, the formula, what the
    framework follows where that is known, a program that needs no symconv, and its kind: crash, wrong, undocumented,
    numeric or convention.

    The exit status is 1 where it departs, and 0 where it does not.

    \b
    Examples:
      symconv audit scipy --minutes 1
      symconv audit torch -o audits
      symconv audit onnxruntime --cases 500 --json
    """
    from symconv.audits.audit import audit as sweep

    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    with Activity(f"calling {framework}") as activity:

        def progress(done: int, most: int, departures: int) -> None:
            of = f" of {most}" if cases is not None else ""
            activity.say(f"{framework}: {done} calls{of}, {departures} departures")

        found = sweep(framework, minutes=minutes, cases=cases, seed=seed, progress=progress)
    rows = json.dumps(found.rows(), ensure_ascii=False, indent=2)
    if folder is not None:
        from symconv.report.audit_page import audit_page
        from symconv.report.files import write_together

        files = {folder / f"{framework}.json": rows + "\n", folder / f"{framework}.html": audit_page(found)}
        write_together(files)
    click.echo(rows if as_json else str(found))
    if folder is not None and not as_json:
        click.echo(f"wrote {folder / framework}.json and {folder / framework}.html")
    if not found.finished:
        click.echo("note: the time was over before all calls were made", err=True)
    click.get_current_context().exit(DEPARTS if found.departures else 0)
