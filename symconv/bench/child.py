"""The measuring process: it is told on its standard input what to measure, and answers with a line of JSON a step.

Run as ``python -m symconv.bench.child`` by `symconv.bench.session`, with the thread variables set before any library is
loaded. What a library prints itself does not reach the answers.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any, TextIO

from symconv.bench.case import BenchSettings
from symconv.bench.catalogue import workloads
from symconv.bench.libraries import hold_to_one_thread, machine
from symconv.bench.run import run_workload

__all__ = ["serve"]


def serve(request: dict[str, Any], answers: TextIO) -> None:
    """Measure what a request asks for.

    Args:
        request: "names" of the workloads, and the fields of `BenchSettings`; the problem is a path or None.
        answers: takes the lines: first the machine, then for every workload its name and its result.
    """

    def say(**answer: Any) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    hold_to_one_thread()
    say(machine=machine())
    known = {workload.name: workload for workload in workloads()}
    problem = request["problem"]
    settings = BenchSettings(
        request["accuracy"],
        request["seconds"],
        None if problem is None else Path(problem),
        request["cpu_time"],
        request["backend"],
    )
    for name in request["names"]:
        say(begin=name)
        say(result=run_workload(known[name], settings).as_json())


if __name__ == "__main__":
    private = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    serve(json.load(sys.stdin), private)
