"""What a claim says does not depend on its letters: renamed at random, its verdict stays, and plain loops agree."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from claim_words import random_case
from renaming import Renamed, renamed
from test_claim_soundness import complaint, declarations, fits

import symconv as sc
from symconv.claims.check import check_source
from symconv.claims.declarations import Declarations
from symconv.claims.source import ClaimSource, Mode

CASES = 220
SLOW_CASES = int(os.environ.get("SYMCONV_FUZZ_CASES", "5000"))


def back(verdict: Any, other: Renamed) -> Any:
    """A verdict in the old letters; a name that is none of the new ones stays, and is found out."""
    counter = verdict.counterexample
    if counter is None:
        return verdict
    old = {new: letter for letter, new in other.letters.items()}
    entry = None if counter.entry is None else (old[counter.entry[0]], counter.entry[1])
    counter = replace(
        counter,
        sizes={old.get(name, f"?{name}"): value for name, value in counter.sizes.items()},
        indices={old.get(name, name): value for name, value in counter.indices.items()},
        tensors={old.get(name, f"?{name}"): entries for name, entries in counter.tensors.items()},
        boxes={old.get(name, name): box for name, box in counter.boxes.items()},
        entry=entry,
    )
    return replace(verdict, counterexample=counter)


def asked(other: Renamed, declared: Declarations, general: bool) -> sc.Verdict:
    """The verdict on the renamed claim, in the language that it was written in."""
    mode: Mode = "general" if general else "literal"
    text = "" if other.latex else other.text
    return check_source(ClaimSource("", declared, text, other.latex, (mode,)), repair=False)[0].verdict


def survey(count: int, seed: int) -> tuple[Counter[str], list[str]]:
    random, complaints, statuses = Random(seed), [], Counter[str]()
    for _ in range(count):
        case = random_case(random)
        while not fits(case.layer):
            case = random_case(random)
        other = renamed(case, random, latex=random.random() < 0.5)
        declared = declarations(case)
        there = replace(declared, names=other.names, sizes=other.sizes, indices=other.indices)
        for general in (False, True):
            if general and any(c.isdigit() for c in case.text) and "K" not in case.text and "O" not in case.text:
                continue  # written in numbers, it says nothing about other sizes
            plain = sc.check_claim(case.text, declared, general=general)
            verdict = asked(other, there, general)
            statuses[verdict.status] += 1
            wrong = complaint(case, back(verdict, other), general)[1] if verdict.status != "error" else ""
            if verdict.status != plain.status:
                wrong += f" {plain.status} became {verdict.status}: {verdict.explanation}"
            if wrong:
                complaints.append(
                    f"{case.text}   as {other.latex or other.text}   {other.names} {other.sizes} is {wrong}"
                )
    return statuses, complaints


def test_no_renamed_claim_has_another_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    statuses, complaints = survey(CASES, 20_262)
    with capsys.disabled():
        print(f"\nrenamed: {dict(sorted(statuses.items()))}", end="")
    assert not complaints, "\n".join(complaints[:10])
    assert statuses["refuted"] >= CASES // 4
    assert statuses["proved"] >= CASES // 8
    assert statuses["exact"] >= CASES // 8


@pytest.mark.slow
def test_no_renamed_claim_of_many_has_another_verdict() -> None:
    _, complaints = survey(SLOW_CASES, 11)
    assert not complaints, "\n".join(complaints[:10])
