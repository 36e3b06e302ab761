"""A run of the benchmark: the measuring process is started, listened to, and started again where it dies."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from symconv.bench.case import BenchSettings, Workload
from symconv.bench.libraries import THREAD_VARIABLES
from symconv.bench.records import Result
from symconv.errors import SymconvError

__all__ = ["SCHEMA", "Report", "run_session"]

SCHEMA = 1
"""The version of the JSON that `Report.as_json` makes."""

COMMAND = (sys.executable, "-m", "symconv.bench.child")


@dataclass(frozen=True)
class Report:
    """All results of a run, and where they were measured."""

    machine: dict[str, Any]
    settings: BenchSettings
    results: tuple[Result, ...]

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong and nothing failed."""
        return not any(result.status in ("wrong", "failed") for result in self.results)

    def as_json(self) -> dict[str, Any]:
        """A dictionary of plain values."""
        return {
            "schema": SCHEMA,
            "machine": self.machine,
            "settings": {
                "accuracy": self.settings.accuracy,
                "seconds": self.settings.seconds,
                "cpu_time": self.settings.cpu_time,
                "backend": self.settings.backend,
            },
            "results": [result.as_json() for result in self.results],
        }


def run_session(
    chosen: Sequence[Workload],
    settings: BenchSettings,
    progress: Callable[[str, int], None],
    command: Sequence[str] = COMMAND,
) -> Report:
    """Measure workloads in a process of their own, with one thread for every library.

    A workload in which the process dies has failed; the others go on in a new one.

    Args:
        chosen: what to measure.
        settings: how.
        progress: is told the name of a workload that begins, and how many are done.
        command: what starts the measuring process.

    Raises:
        SymconvError: where the measuring process cannot even say where it runs.
    """
    results: dict[str, Result] = {}
    machine: dict[str, Any] | None = None
    while len(results) < len(chosen):
        left = [workload for workload in chosen if workload.name not in results]
        current: Workload | None = None
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as complaints:
            child = subprocess.Popen(  # noqa: S603 (this very interpreter)
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=complaints,
                text=True,
                encoding="utf-8",
                env={**os.environ, **dict.fromkeys(THREAD_VARIABLES, "1")},
            )
            try:
                for answer in _answers(child, left, settings):
                    if "machine" in answer:
                        machine = machine or answer["machine"]
                    elif "begin" in answer:
                        current = next(w for w in left if w.name == answer["begin"])
                        progress(current.name, len(results))
                    else:
                        result = Result.from_json(answer["result"])
                        results[result.name] = result
                        current = None
                status = child.wait()
            finally:
                if child.poll() is None:
                    child.kill()
                    child.wait()
            complaints.seek(0)
            last = (complaints.read().strip().splitlines() or ["it said nothing"])[-1]
        if len(results) == len(chosen):
            break
        if current is None or machine is None:
            raise SymconvError(f"the measuring process ended with status {status}: {last}")
        note = f"the measuring process ended with status {status}: {last}"
        results[current.name] = Result(
            current.name, current.group, current.what, "failed", mark=current.mark, note=note
        )
    assert machine is not None
    return Report(machine, settings, tuple(results[workload.name] for workload in chosen))


def _answers(child: subprocess.Popen[str], left: Sequence[Workload], settings: BenchSettings) -> Any:
    """Ask, and give the answers one by one until there are no more."""
    assert child.stdin is not None
    assert child.stdout is not None
    request = {
        "names": [workload.name for workload in left],
        "accuracy": settings.accuracy,
        "seconds": settings.seconds,
        "problem": None if settings.problem is None else os.fspath(settings.problem),
        "cpu_time": settings.cpu_time,
        "backend": settings.backend,
    }
    try:
        json.dump(request, child.stdin)
        child.stdin.close()
    except BrokenPipeError:  # it died before it listened; its status and its last words say why
        return
    with child.stdout:
        for line in child.stdout:
            yield json.loads(line)
