"""Every rule, size formula and lowering step changed in one token turns a test red; see `mutants.survey` to try one."""

from __future__ import annotations

import hashlib
from collections import Counter

import pytest
from mutants.survey import ROOT, Scope, hints, judged, scopes

SAMPLE = 60  # of all changes, in a normal run
SCOPES = scopes()


def test_the_files_in_scope_and_the_changes_that_make_no_difference_are_there() -> None:
    """A reason that no longer speaks of any change must go, or follow what it speaks of."""
    named = [path for scope in SCOPES for path in (scope.path, *scope.tests)]
    assert not [path for path in named if not (ROOT / path.partition("::")[0]).exists()]
    for scope in SCOPES:
        keys = {change.key for change in scope.changes()}
        assert not [key for key in scope.equivalent if key not in keys], scope.path
        assert all(scope.equivalent.values()), scope.path


def test_a_sample_of_changes_turns_a_test_red() -> None:
    known: dict[str, list[str]] = {}
    for scope in SCOPES:
        for function, tests in hints(scope.path).items():
            known[function] = [*known.get(function, []), *tests]
    ranked = sorted(
        (hashlib.sha256(f"{change.function} {change.text}".encode()).hexdigest(), scope.path, change.key)
        for scope in SCOPES
        for change in scope.changes()
        if change.function in hints(scope.path) and change.key not in scope.equivalent and not change.runs_at_import
    )[:SAMPLE]
    tests = sorted({test for _, _, (function, _) in ranked for test in known[function]})
    files = sorted({test.partition("::")[0] for test in tests})
    order = {"files": sorted({path for _, path, _ in ranked}), "tests": files, "hints": known,
             "only": [key for _, _, key in ranked]}  # fmt: skip
    head, *records = judged(order)
    assert head["ready"] >= len(tests) * 0.9  # the files of killers say which tests; a few may have gone
    assert len(records) >= SAMPLE * 0.9
    alive = [f"{r['file']} {r['function']}: {r['change']}" for r in records if not r["killer"]]
    assert not alive, "\n".join(alive)


@pytest.mark.slow
@pytest.mark.parametrize("scope", SCOPES, ids=[scope.path for scope in SCOPES])
def test_every_change_turns_a_test_red(scope: Scope) -> None:
    complaints, counts = [], Counter[str]()
    head, *records = judged(scope.order())
    complaints += head["problems"]
    for r in records:
        equivalent = (r["function"], r["change"]) in scope.equivalent
        counts["red" if r["killer"] else "equivalent" if equivalent else "alive"] += 1
        if equivalent == bool(r["killer"]):
            said = f"listed without a difference, but {r['killer']} is red" if equivalent else "no test is red"
            complaints.append(f"{scope.path}:{r['line']} {r['function']}: {r['change']}: {said}")
    print(f"\n{scope.path}: {dict(counts)}")
    assert not complaints, "\n".join(complaints)
