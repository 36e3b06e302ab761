"""Results for the eye: a table for the terminal, and what there is to say below it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from symconv.bench.records import Mark, Result
from symconv.bench.session import Report

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["headings", "mark_text", "missed", "remarks", "results_table", "time_text", "verdict"]

UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
BUSY = 0.5
"""The load average by the number of cores above which a machine is called busy."""

STYLES = {"met": "green", "below": "yellow", "over": "yellow", "WRONG": "bold red", "failed": "bold red"}


def time_text(seconds: float) -> str:
    """Three digits and a unit.

    >>> time_text(0.0123456), time_text(31e-6), time_text(125.0)
    ('12.3 ms', '31.0 µs', '125 s')
    """
    size, unit = next((entry for entry in UNITS if seconds >= entry[0]), UNITS[-1])
    value = seconds / size
    return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f} {unit}"


def mark_text(mark: Mark | None) -> str:
    """What is to be reached.

    >>> mark_text(Mark("ratio", 0.4)), mark_text(Mark("seconds", 3e-5))
    ('≥ 0.40', '≤ 30 µs')
    """
    if mark is None:
        return ""
    if mark.kind == "ratio":
        return f"≥ {mark.value:.2f}"
    size, unit = next((entry for entry in UNITS if mark.value >= entry[0]), UNITS[-1])
    return f"≤ {mark.value / size:.4g} {unit}"


def missed(mark: Mark | None) -> str:
    """The word for a mark that is not met."""
    return "over" if mark is not None and mark.kind == "seconds" else "below"


def verdict(result: Result) -> str:
    """Whether the mark is met, in a word or two.

    A mark is set against some of the peers; where the fastest of these is not the fastest of all, it is named.
    """
    if result.status == "wrong":
        return "WRONG"
    if result.status == "failed":
        return "failed"
    if result.mark is None:
        return "" if result.status == "measured" else "not checked"
    if result.met is None:
        return "not measured"
    word = "met" if result.met else missed(result.mark)
    best, other = result.best, result.best_of_mark
    if result.mark.kind == "seconds" or best == other or other is None or other.ratio is None:
        return word
    return f"{word} ({other.ratio.median:.2f}, {other.name})"


def headings(report: Report) -> list[str]:
    """The machine and the versions, a few lines."""
    machine = report.machine
    peers = [f"{name} {version}" for name, version in machine["peers"].items() if version is not None]
    absent = [name for name, version in machine["peers"].items() if version is None]
    accuracy = report.settings.accuracy
    lines = [
        f"{machine['processor']}, {machine['cores']} cores, {machine['system']}; {machine['threads']} thread each",
        f"symconv {machine['symconv']} on Python {machine['python']}, NumPy {machine['numpy']} ({machine['blas']}), "
        f"SymPy {machine['sympy']}" + (f"; accuracy class {accuracy!r} throughout" if accuracy else ""),
        f"peers: {', '.join(peers) or 'none'}",
    ]
    if report.settings.backend != "numpy":
        lines.append(
            f"kernels of the backend {report.settings.backend!r}; what is compiled at a first call is not timed"
        )
    if report.settings.cpu_time:
        lines.append("calls are timed by the processor time of the process")
    if machine["load"] is not None and machine["load"] > BUSY * machine["cores"]:
        lines.append(f"the machine was busy when this began (load average {machine['load']}): the figures are rough")
    if absent:
        lines.append(f"not installed, and so not measured: {', '.join(absent)}")
    return lines


def results_table(report: Report) -> Table:
    """A row a workload; ratio = time of the best peer / ours, median and quartiles of paired windows."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("workload", overflow="fold")
    table.add_column("ours", justify="right", no_wrap=True)
    table.add_column("best peer", overflow="fold")
    table.add_column("its time", justify="right", no_wrap=True)
    table.add_column("ratio", justify="right", no_wrap=True)
    table.add_column("quartiles", no_wrap=True)
    table.add_column("mark", no_wrap=True)
    table.add_column("", overflow="fold")
    group = ""
    for result in report.results:
        if result.group != group:
            if group:
                table.add_row()
            group = result.group
            table.add_row(Text(group, style="bold underline"))
        cells = [result.name, "" if result.seconds is None else time_text(result.seconds.median), "", "", "", ""]
        best = result.best
        if best is not None and best.seconds is not None and best.ratio is not None:
            cells[2:] = [best.name, time_text(best.seconds.median), *_ratio(best.ratio.median)]
            cells.append(f"{best.ratio.low:.2f}–{best.ratio.high:.2f}")
        word = verdict(result)
        style = STYLES.get(word.split(" ")[0], "dim")
        table.add_row(*(Text(cell) for cell in cells), Text(mark_text(result.mark)), Text(word, style=style))
    return table


def _ratio(value: float) -> list[str]:
    return [f"{value:.2f}" if value < 100 else f"{value:.0f}"]


def remarks(report: Report) -> Iterator[str]:
    """What is wrong, what was left out and why, what is slower or larger than it may be, and a count."""
    results = report.results
    for result in results:
        if result.note:
            yield f"{result.name}: {verdict(result)}: {result.note}"
    yield from _left_out(results)
    slower = [f"{r.name} ({p.name}, {p.ratio.median:.2f})" for r in results for p in r.slower_than if p.ratio]
    if slower:
        yield f"SciPy or ONNX's reference evaluator is faster on {', '.join(slower)}."
    elif any(p.ratio for r in results for p in r.peers if p.library in ("SciPy", "ONNX reference")):
        yield "SciPy and ONNX's reference evaluator are faster nowhere."
    watched = [r for r in results if r.peak_bytes is not None and r.peak_limit is not None]
    large = [
        f"{r.name} ({(r.peak_bytes or 0) / 2**20:.0f} MiB of {(r.peak_limit or 0) / 2**20:.0f})"
        for r in watched
        if (r.peak_bytes or 0) > (r.peak_limit or 0)
    ]
    limit = "1.5 x (inputs + outputs) + 64 MiB"
    if large:
        yield f"Peak memory is above {limit} on {', '.join(large)}."
    elif watched:
        yield f"Peak memory is within {limit} on all {len(watched)} workloads where it is watched."
    yield _count(results)


def _left_out(results: tuple[Result, ...]) -> Iterator[str]:
    """Peers that were not measured on single workloads, by reason."""
    found: dict[tuple[str, str], list[str]] = {}
    for result in results:
        for peer in result.peers:
            if peer.reason and peer.reason != "not installed":
                found.setdefault((peer.name, peer.reason), []).append(result.name)
    for (name, reason), names in found.items():
        shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        yield f"not measured: {name} on {shown}: {reason}"


def _count(results: tuple[Result, ...]) -> str:
    marks = [result for result in results if result.mark is not None and result.status in ("measured", "unchecked")]
    parts = [
        f"{sum(result.met is True for result in marks)} marks met",
        f"{sum(result.met is False for result in marks)} not met",
        f"{sum(result.met is None for result in marks)} not measured",
    ]
    for status in ("wrong", "failed", "unchecked"):
        number = sum(result.status == status for result in results)
        if number or status == "wrong":
            parts.append(f"{number} {status}")
    return f"{len(results)} workloads: {', '.join(parts)}"
