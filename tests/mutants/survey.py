"""Which mutants survive: `python -m mutants.survey [PART OF A PATH ...]`, from `tests/`; and what the tests of it need.

`scope.toml` says which files are in scope, with the tests that see to each, and which changes make no difference,
with the reason; `killers.json` remembers tests that were red for a change of a function, for the
sample of a normal run.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mutants.changes import Change, changes

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


@dataclass(frozen=True)
class Scope:
    """What `scope.toml` says: the tests of each file in scope, and the reasons why changes make no difference.

    Attributes:
        no_judges: tests that are left out, for they look at the clock.
    """

    tests: dict[str, list[str]]
    no_judges: list[str]
    equivalent: dict[tuple[str, str], str]


def scope() -> Scope:
    data = tomllib.loads((HERE / "scope.toml").read_text(encoding="utf-8"))
    return Scope(
        {entry["path"]: entry["tests"] for entry in data["file"]},
        data["no_judges"],
        {(entry["in"], change): entry["why"] for entry in data["equivalent"] for change in entry["changes"]},
    )


def changes_of(path: str) -> list[Change]:
    return changes(ast.parse((ROOT / path).read_text(encoding="utf-8")))


def hints() -> dict[str, list[str]]:
    found: dict[str, list[str]] = json.loads((HERE / "killers.json").read_text(encoding="utf-8"))
    return found


def judged(order: dict[str, Any]) -> list[dict[str, Any]]:
    """The records of a run of the judge; the first says what was collected."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "order.json")
        path.write_text(json.dumps(order), encoding="utf-8")
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(ROOT / "tests")}
        done = subprocess.run(
            [sys.executable, "-m", "mutants.forked", str(path)], cwd=ROOT / "tests", env=environment,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        records = [json.loads(line) for line in done.stdout.splitlines()]
        assert records, done.stderr[-2000:]
        assert done.returncode == 0, done.stderr[-2000:]
        return records


def by_function(records: Iterable[dict[str, Any]]) -> dict[str, list[str]]:
    """The tests that were red most often for each function."""
    counts: dict[str, Counter[str]] = {}
    for record in records:
        if record["killer"] and record["way"] == "exchange":
            counts.setdefault(record["function"], Counter())[record["killer"]] += 1
    return {name: [test for test, _ in count.most_common()] for name, count in sorted(counts.items())}


def main(parts: Sequence[str]) -> int:
    everything = scope()
    known = hints()
    survivors = 0
    for path, tests in everything.tests.items():
        if parts and not any(part in path for part in parts):
            continue
        head, *records = judged({"files": [path], "tests": tests, "not": everything.no_judges})
        known |= by_function(records)
        equivalent = [r for r in records if (r["function"], r["change"]) in everything.equivalent]
        alive = [r for r in records if not r["killer"]]
        open_ones = [r for r in alive if r not in equivalent]
        survivors += len(open_ones)
        alike = len(alive) - len(open_ones)
        print(
            f"{path}: {len(records)} changes, {len(records) - len(alive)} red, {alike} make no difference, "
            f"{len(open_ones)} open; {sum(r['cpu'] for r in records):.0f} s of CPU, {head['ready']} tests of "
            f"{sum(head['seconds'].values()):.0f} s",
            flush=True,
        )
        for problem in head["problems"]:
            print(f"  PROBLEM {problem}")
        for r in open_ones:
            print(f"  {r['function']}:{r['line']} ({r['tests']} tests) | {r['change']}")
        for r in equivalent:
            if r["killer"]:
                print(f"  NOT EQUIVALENT {r['function']} | {r['change']} | {r['killer']}")
        (HERE / "killers.json").write_text(json.dumps(known, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
    return survivors != 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
