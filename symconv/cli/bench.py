"""``symconv bench``: the speed of the kernels and of the symbols, against the libraries that are installed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from symconv.bench.case import BenchSettings, Workload
    from symconv.bench.session import Report

__all__ = ["bench"]

UNSOUND = 1
WIDTH = 140  # of a table that goes to a file
SECONDS, QUICK_SECONDS = 1.0, 0.3
SHORTEST, LONGEST = 0.01, 3600.0


def _duration(ctx: click.Context, option: click.Parameter, value: float | None) -> float | None:
    """Seconds from a hundredth to an hour; a NaN passes every comparison of a range, and not this one."""
    if value is not None and not SHORTEST <= value <= LONGEST:
        raise click.BadParameter(f"must be from {SHORTEST:g} to {LONGEST:g} seconds, got {value:g}", ctx, option)
    return value


@click.command(short_help="Measure the kernels against PyTorch, OpenCV, SciPy and ONNX.")
@click.option(
    "--only",
    "patterns",
    multiple=True,
    metavar="PATTERN",
    help="Only workloads with this in their name, or that match it as a shell pattern; may be repeated.",
)
@click.option(
    "--quick", is_flag=True, help="A few workloads of each kind, and short windows; with --only just the latter."
)
@click.option("--list", "as_list", is_flag=True, help="List the workloads and their marks, and measure nothing.")
@click.option(
    "--seconds",
    type=float,
    callback=_duration,
    metavar="S",
    help=f"How long a workload is measured; {SECONDS} s unless said, {QUICK_SECONDS} s with --quick.",
)
@click.option(
    "--accuracy", metavar="CLASS", help="One accuracy class for all kernels; each workload has its own otherwise."
)
@click.option(
    "--backend",
    default="numpy",
    show_default=True,
    metavar="NAME",
    help="What compiles the kernels: numpy, or halide where it is installed.",
)
@click.option(
    "--cpu-time",
    is_flag=True,
    help="Time calls by the processor time of the process: steadier on a busy machine, blind to waiting.",
)
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write the JSON here."
)
@click.option(
    "-o",
    "--output",
    "folder",
    default="bench-results",
    show_default=True,
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where bench.json (unless --json says where) and bench.svg go; made if it is not there.",
)
@click.pass_context
def bench(
    ctx: click.Context,
    patterns: tuple[str, ...],
    quick: bool,
    as_list: bool,
    seconds: float | None,
    accuracy: str | None,
    backend: str,
    cpu_time: bool,
    json_file: Path | None,
    folder: Path,
) -> None:
    """Measure the kernels against the libraries that are installed, and how long the symbols take.

    Each workload first passes a gate: an output that differs from a peer's is WRONG and has no speed. Then ours and the
    peers run in turns, in one process, with one thread each. The ratio is the time of the best peer by ours, above 1
    where ours is faster; the quartiles say how steady it is. A library that is not installed is not measured, and is
    never a win. Marks are set against PyTorch, OpenCV and SciPy; they are shown, and do not touch the exit status.

    \b
    Exit status: 0 measured, 1 an output is wrong or a workload failed, 2 the call is wrong.

    \b
    Examples:
      symconv bench --quick
      symconv bench                                  everything, some minutes on a quiet machine
      symconv bench --only layer --only 'pool-*-k2'  some of it
      symconv bench --only image-k3 --seconds 5 --json k3.json
      symconv bench --accuracy exact_order -o in-order
      symconv bench --only layer --backend halide    the same by compiled kernels
      symconv bench --list
    """
    from symconv.bench.case import BenchSettings
    from symconv.bench.catalogue import select

    chosen = select(patterns, quick=quick)
    if as_list:
        _list(chosen)
        return
    from symconv.cli.example import example_file
    from symconv.errors import ArgumentError
    from symconv.kernels.compile import compile
    from symconv.operators.convolution import Conv

    if backend == "auto":
        why = "must be a backend that computes by itself: 'auto' goes over from one to another while it is measured"
        raise ArgumentError("backend", backend, why)
    compile(Conv(3), backend, accuracy=accuracy or "default")  # refuses what is unknown before anything is measured
    files = (json_file or folder / "bench.json", folder / "bench.svg")
    _prepare(folder, files)
    settings = BenchSettings(
        accuracy, seconds or (QUICK_SECONDS if quick else SECONDS), example_file(), cpu_time, backend
    )
    report = _measure(chosen, settings)
    _print(report)
    _write(report, *files)
    if not report.sound:
        ctx.exit(UNSOUND)


def _prepare(folder: Path, files: tuple[Path, ...]) -> None:
    """Make the folder, and refuse files that cannot be written now instead of after minutes of measuring."""
    from symconv.errors import WriteError

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"cannot write to {folder}: {error.strerror or error}; name another one with -o") from error
    for path in files:
        if str(path) == "-":
            raise WriteError("cannot write to '-': the table is on the standard output; name a file with --json")
        if path.is_dir():
            raise WriteError(f"cannot write {path}: it is a directory; name a file")
        if not path.parent.is_dir():
            raise WriteError(f"cannot write {path}: the directory {path.parent} does not exist; create it first")


def _list(chosen: tuple[Workload, ...]) -> None:
    """A line a workload: its name, its mark, what it is."""
    from symconv.bench.table import mark_text

    width = max(len(workload.name) for workload in chosen)
    group = ""
    for workload in chosen:
        if workload.group != group:
            click.echo(("\n" if group else "") + click.style(workload.group, bold=True))
            group = workload.group
        quick = "quick" if workload.quick else ""
        click.echo(f"{workload.name:{width}}  {mark_text(workload.mark):9}  {quick:5}  {workload.what}")


def _measure(chosen: tuple[Workload, ...], settings: BenchSettings) -> Report:
    """Run, with a progress bar on a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from symconv.bench.session import run_session

    console = Console(stderr=True)
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("loading the libraries", total=len(chosen))
        return run_session(chosen, settings, lambda name, done: progress.update(task, description=name, completed=done))


def _print(report: Report) -> None:
    import sys

    from rich.console import Console

    from symconv.bench.table import headings, remarks, results_table

    terminal = sys.stdout.isatty()
    console = Console(width=None if terminal else WIDTH, force_terminal=terminal)
    with console.capture() as captured:
        console.print(results_table(report))
    click.echo("\n".join(headings(report)) + "\n")
    click.echo("\n".join(line.rstrip() for line in captured.get().rstrip().splitlines()) + "\n")
    click.echo("\n".join(remarks(report)))


def _write(report: Report, json_file: Path, picture: Path) -> None:
    from symconv.bench.plot import ratio_plot
    from symconv.report.files import write_together

    text = json.dumps(report.as_json(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    write_together({json_file: text, picture: ratio_plot(report)})
    for path in (json_file, picture):
        click.echo(f"wrote {click.format_filename(path)}")
