"""``symconv theorems``: what is proved for all sizes, as a table, and each proof by itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from symconv.cli.activity import Activity
from symconv.cli.certificates import certificates_option, certified, recorded

if TYPE_CHECKING:
    from symconv.derivations.theorems import Theorem

__all__ = ["theorems"]

REFUTED = 1
WIDTH = 160  # of a table that goes to a file
NARROW = 120  # with fewer columns a table of five is cut into words, so that the theorems stand one below the other


@click.command(short_help="The theorems behind it all, with their proofs.")
@click.argument("name", required=False, metavar="[NAME]")
@click.option("-v", "--verbose", is_flag=True, help="With a NAME: the hypotheses of every part, and slips refuted.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON; with a NAME every obligation as SMT-LIB too.")
@certificates_option
@click.pass_context
def theorems(ctx: click.Context, name: str | None, verbose: bool, as_json: bool, certificates: Path | None) -> None:
    """List the theorems, or print the proof of the one with NAME.

    Each is proved when it is asked for, for all sizes that its hypotheses allow. The exit status is 1 where one is
    refuted, else 0.

    \b
    Examples:
      symconv theorems                         a table of all of them
      symconv theorems adjoint                 one proof, obligation by obligation
      symconv theorems max-composition -v      and what happens without its condition
      symconv theorems adjoint --json
      symconv theorems --certificates proofs   what is proved, as theorems for Coq
    """
    from symconv.derivations.theorems import theorem
    from symconv.derivations.theorems import theorems as every_theorem
    from symconv.derivations.theorems.showing import theorem_record, theorem_text

    if verbose and (name is None or as_json):
        raise click.UsageError("--verbose belongs to the text of one theorem; name one, and leave --json out")
    chosen = every_theorem() if name is None else (theorem(name),)
    with Activity("proving") as activity:
        for entry in chosen:
            activity.say(f"proving {entry.name}")
            entry.check()
        activity.say("writing certificates")
        triples = [(entry.name, entry.title, entry.verdict) for entry in chosen]
        marked = recorded("theorems", triples) if certificates is None else certified(certificates, triples)
        chosen = tuple(
            replace(entry, checked_by=verdict.checked_by) for entry, verdict in zip(chosen, marked, strict=True)
        )
    if as_json:
        import json

        records = [theorem_record(entry, scripts=name is not None) for entry in chosen]
        click.echo(json.dumps(records if name is None else records[0], ensure_ascii=False, indent=2))
    elif name is None:
        _print_all(chosen)
    else:
        click.echo(theorem_text(chosen[0], verbose=verbose))
    if any(entry.verdict.status == "refuted" for entry in chosen):
        ctx.exit(REFUTED)


def _print_all(chosen: tuple[Theorem, ...]) -> None:
    """All theorems, as a table where there is room for one, and how many of them are proved."""
    import sys
    from shutil import get_terminal_size

    width = get_terminal_size().columns if sys.stdout.isatty() else WIDTH
    click.echo(_table(chosen, width) if width >= NARROW else _list(chosen, width))
    found = [entry.verdict.status for entry in chosen]
    total = ", ".join(f"{found.count(status)} {status}" for status in dict.fromkeys(found))
    checked = sum(bool(entry.checked_by) for entry in chosen)
    total += f", {checked} of them checked by Coq" if checked else ""
    slowest = max(chosen, key=lambda entry: entry.seconds)
    seconds = sum(entry.seconds for entry in chosen)
    click.echo(
        f"\n{len(chosen)} theorems: {total}; {seconds:.1f} s, the longest {slowest.name} ({slowest.seconds:.2f} s)"
    )


def _table(chosen: tuple[Theorem, ...], width: int) -> str:
    """Name, verdict, what it says, under which conditions, and where it is from."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from symconv.derivations.step import plain

    table = Table(box=None, pad_edge=False, padding=(0, 2, 1, 0), header_style="bold")
    table.add_column("name", no_wrap=True)
    table.add_column("verdict", max_width=20)
    table.add_column("statement", ratio=5)
    table.add_column("provided", ratio=4)
    table.add_column("source", ratio=3)
    for entry in chosen:
        stated = f"{entry.title}\n{plain(entry.statement)}"
        verdict = entry.verdict.status + (f"\nchecked by\n{entry.checked_by}" if entry.checked_by else "")
        row = (entry.name, verdict, stated, plain(entry.hypotheses), entry.source)
        table.add_row(*(Text(cell) for cell in row))
    console = Console(width=width)
    with console.capture() as captured:
        console.print(table)
    return "\n".join(line.rstrip() for line in captured.get().rstrip().splitlines())


def _list(chosen: tuple[Theorem, ...], width: int) -> str:
    """The same for a narrow terminal: a paragraph a theorem."""
    import textwrap

    from symconv.derivations.step import plain

    blocks = []
    for entry in chosen:
        checked = f", checked by {entry.checked_by}" if entry.checked_by else ""
        parts = (entry.title, plain(entry.statement), f"provided: {plain(entry.hypotheses)}", f"source: {entry.source}")
        lines = [f"{entry.name}: {entry.verdict.status}{checked}"]
        for part in parts:
            lines += textwrap.wrap(part, max(width, 40), initial_indent="  ", subsequent_indent="    ")
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)
