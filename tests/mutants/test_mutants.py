"""Every rule, size formula and lowering step changed in one token turns a test red; see `mutants.survey` to try one."""

from __future__ import annotations

import hashlib
from collections import Counter

import pytest
from mutants.survey import ROOT, Scope, changes_of, hints, judged, scope

SAMPLE = 40  # of all changes, in a normal run
SCOPE = scope()
ROOMS = sorted({path.rpartition("/")[0] for path in SCOPE.tests})


def listed_changes(whole: Scope) -> Counter[tuple[str, str]]:
    return Counter(change.key for path in whole.tests for change in changes_of(path))


def test_the_files_in_scope_and_the_changes_that_make_no_difference_are_there() -> None:
    """A reason that no longer speaks of any change must go, or follow what it speaks of."""
    gone = [path for path in (*SCOPE.tests, *(t for tests in SCOPE.tests.values() for t in tests))
            if not (ROOT / path.partition("::")[0]).exists()]  # fmt: skip
    assert not gone
    counts = listed_changes(SCOPE)
    assert not [key for key in SCOPE.equivalent if not counts[key]]
    assert all(SCOPE.equivalent.values())


def test_a_sample_of_changes_turns_a_test_red() -> None:
    known = hints()
    ranked = sorted(
        (hashlib.sha256(f"{change.function} {change.text}".encode()).hexdigest(), path, change.key)
        for path in SCOPE.tests
        for change in changes_of(path)
        if change.function in known and change.key not in SCOPE.equivalent and not change.runs_at_import
    )[:SAMPLE]
    tests = sorted({test for _, _, (function, _) in ranked for test in known[function]})
    files = sorted({test.partition("::")[0] for test in tests})
    order = {"files": sorted({path for _, path, _ in ranked}), "tests": files, "hints": known,
             "only": [key for _, _, key in ranked]}  # fmt: skip
    head, *records = judged(order)
    assert head["ready"] >= len(tests) * 0.9  # killers.json says which tests; a few may have gone
    assert len(records) >= SAMPLE * 0.9
    alive = [f"{r['file']} {r['function']}: {r['change']}" for r in records if not r["killer"]]
    assert not alive, "\n".join(alive)


@pytest.mark.slow
@pytest.mark.parametrize("room", ROOMS)
def test_every_change_turns_a_test_red(room: str) -> None:
    complaints, counts = [], Counter[str]()
    for path, tests in SCOPE.tests.items():
        if path.rpartition("/")[0] != room:
            continue
        head, *records = judged({"files": [path], "tests": tests, "not": SCOPE.no_judges})
        complaints += head["problems"]
        for r in records:
            equivalent = (r["function"], r["change"]) in SCOPE.equivalent
            counts["red" if r["killer"] else "equivalent" if equivalent else "alive"] += 1
            if equivalent == bool(r["killer"]):
                said = f"listed without a difference, but {r['killer']} is red" if equivalent else "no test is red"
                complaints.append(f"{path}:{r['line']} {r['function']}: {r['change']}: {said}")
    print(f"\n{room}: {dict(counts)}")
    assert not complaints, "\n".join(complaints)
