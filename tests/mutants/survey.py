"""Which mutants survive: `python -m mutants.survey [PART OF A PATH ...]`, from `tests/`; and what the tests of it need.

`scope/operators.window.toml` puts `symconv/operators/window.py` in scope: it names the tests that see to that file
(quick ones, where they do), and the changes of it that make no difference, by the function that they are in and by
their text, with the reason; where only some functions of a file are in scope, such as the rewrite of a plan, which
stands beside its costs, `functions` has their names. `killers/operators.window.json` remembers tests that were red for
a change of a function, for the sample of a normal run.
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


# Tests that look at the clock are no judges.
NO_JUDGES = ["tests/operators/test_option_validation.py::test_sizes_that_would_explode_are_counted_first"]


@dataclass(frozen=True)
class Scope:
    """A file in scope.

    Attributes:
        tests: the files of tests (or doctests) that see to it.
        functions: the functions and classes in scope; all where there is none.
        equivalent: the reason why a change, by its function and its text, makes no difference.
    """

    path: str
    tests: list[str]
    equivalent: dict[tuple[str, str], str]
    functions: tuple[str, ...] = ()

    def changes(self) -> list[Change]:
        """The changes of the file that are in scope."""
        found = changes(ast.parse((ROOT / self.path).read_text(encoding="utf-8")))
        return [change for change in found if not self.functions or change.function in self.functions]

    def order(self) -> dict[str, Any]:
        """What the judge is told of all its changes."""
        told: dict[str, Any] = {"files": [self.path], "tests": self.tests, "not": NO_JUDGES}
        return {**told, "only": [change.key for change in self.changes()]} if self.functions else told


def scopes() -> list[Scope]:
    found = []
    for file in sorted(Path(HERE, "scope").glob("*.toml")):
        data = tomllib.loads(file.read_text(encoding="utf-8"))
        alike = {(entry["in"], text): entry["why"] for entry in data.get("equivalent", []) for text in entry["changes"]}
        path = f"symconv/{file.stem.replace('.', '/')}.py"
        found.append(Scope(path, data["tests"], alike, tuple(data.get("functions", ()))))
    return found


def killers_of(path: str) -> Path:
    return Path(HERE, "killers", path.removeprefix("symconv/").removesuffix(".py").replace("/", ".") + ".json")


def hints(path: str) -> dict[str, list[str]]:
    file = killers_of(path)
    found: dict[str, list[str]] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
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
    survivors = 0
    for scope in scopes():
        path = scope.path
        if parts and not any(part in path for part in parts):
            continue
        head, *records = judged(scope.order())
        equivalent = [r for r in records if (r["function"], r["change"]) in scope.equivalent]
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
        known = json.dumps(by_function(records), indent=1, sort_keys=True, ensure_ascii=False)
        killers_of(path).write_text(known + "\n", encoding="utf-8")
    return survivors != 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
