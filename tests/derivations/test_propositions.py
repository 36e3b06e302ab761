"""What theorems print is what is proved: each statement against plain loops, and text and verdict change together."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest
from derivations.plain_propositions import holds_at, worlds

from symconv.derivations.step import plain
from symconv.derivations.theorems import Check, Theorem, theorems
from symconv.formulas.index import Index

ALL = theorems()
PARTS = [pytest.param(part, id=f"{entry.name}: {part.what}") for entry in ALL for part in entry.checks]
SLIPS = [pytest.param(slip, id=f"{entry.name}: {slip.what}") for entry in ALL for slip in entry.slips]
WORLDS, MET = 1_500, 40  # at most so many are looked at, until the hypotheses were met so often


def printed(part: Check) -> str:
    lines = (*part.hypotheses, *part.statement)
    return "\n".join(plain(line) for line in lines)


@pytest.mark.parametrize("part", PARTS)
def test_a_printed_statement_holds_in_every_small_world_that_its_hypotheses_allow(part: Check) -> None:
    met = 0
    for env, entries in worlds(part.proposition, WORLDS, 1):
        answer = holds_at(part.proposition, env, entries)
        assert answer is not False, env
        met += answer is True
        if met == MET:
            break
    assert met >= 3, "the hypotheses are hardly ever met"


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_fails_in_some_small_world(slip: Check) -> None:
    """The loops can tell: what symconv refutes is wrong."""
    found = (holds_at(slip.proposition, env, entries) for env, entries in worlds(slip.proposition, 4_000, 2))
    assert any(answer is False for answer in found)


def test_the_printed_statements(golden: Callable[[str, str], None]) -> None:
    pieces = []
    for entry in ALL:
        pieces.append(f"{entry.name}: {entry.title}")
        for part in entry.checks:
            pieces += [f"  {part.what}", *(f"    {line}" for line in printed(part).splitlines())]
        pieces += [f"  slip, {slip.what}\n" + "\n".join(f"    {x}" for x in printed(slip).splitlines())
                   for slip in entry.slips]  # fmt: skip
    golden("theorems.txt", "\n".join(pieces) + "\n")


# --- mutants -----------------------------------------------------------------------------------------------------


def mutated(record: Any) -> Iterator[Any]:
    """The record with one number of one index expression in it changed by one, or one sign turned."""
    if isinstance(record, Index):
        terms = record.terms
        for key, number in terms.items():
            yield Index({**terms, key: -number})
            yield Index({**terms, key: number + 1})
        if () not in terms:
            yield Index({**terms, (): 1})
    elif isinstance(record, tuple):
        for place, item in enumerate(record):
            for other in mutated(item):
                yield (*record[:place], other, *record[place + 1 :])
    elif is_dataclass(record) and not isinstance(record, type):
        for entry in fields(record):
            for other in mutated(getattr(record, entry.name)):
                yield replace(record, **{entry.name: other})


def mutants(entry: Theorem, count: int, seed: int) -> Iterator[tuple[Check, Check]]:
    rng = random.Random(f"{entry.name} {seed}")
    for part in entry.checks:
        found = list(mutated(part.proposition))
        for proposition in rng.sample(found, min(count, len(found))):
            yield part, replace(part, proposition=proposition)


def complaint(part: Check, mutant: Check) -> str:
    """What is wrong where text and verdict do not change together; "" where nothing is."""
    if printed(mutant) == printed(part):
        return "the text is the same"
    try:
        status = mutant.verdict.status
    except AssertionError:
        return ""  # no statement of the form that its proof reads
    if status != "proved":
        return ""
    small = worlds(mutant.proposition, 400, 3)
    if any(holds_at(mutant.proposition, env, entries) is False for env, entries in small):
        return "FALSE, and proved"
    return ""


def survey(count: int, seed: int) -> tuple[int, int, list[str]]:
    tried, proved, complaints = 0, 0, []
    for entry in ALL:
        for part, mutant in mutants(entry, count, seed):
            tried += 1
            said = complaint(part, mutant)
            if said:
                complaints.append(f"{entry.name}, {part.what}: {said}\n{printed(mutant)}")
            proved += not said and getattr(mutant.__dict__.get("_verdict"), "status", "") == "proved"
    return tried, proved, complaints


def test_text_and_verdict_change_together_in_a_sample() -> None:
    tried, proved, complaints = survey(1, 11)
    assert not complaints, "\n\n".join(complaints[:5])
    assert tried >= 80
    assert proved < tried // 2  # most changes make a statement wrong


def test_the_arrays_that_a_subgradient_is_tried_with_are_over_all_taps() -> None:
    """Over no tap at all every share is a subgradient, and the equivalence fails."""
    (part,) = next(entry for entry in ALL if entry.name == "subdifferential").checks
    (clause,) = part.proposition.clauses
    (both,) = clause.then
    (every,) = both.right
    for upper in (Index.of("n") - 2, -Index.of("n") - 1, Index.of("n")):
        bound = replace(every.arrays[0].ranges[0], upper=upper)
        other = replace(every, arrays=(replace(every.arrays[0], ranges=(bound,)),))
        changed = replace(clause, then=(replace(both, right=(other,)),))
        assert replace(part, proposition=replace(part.proposition, clauses=(changed,))).verdict.status != "proved"
    assert part.verdict.status == "proved"


@pytest.mark.slow
def test_text_and_verdict_change_together() -> None:
    tried, proved, complaints = survey(12, 12)
    assert not complaints, "\n\n".join(complaints[:5])
    assert tried >= 800
    assert proved < tried // 2
