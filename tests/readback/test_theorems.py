"""Statements of theorems are read from their print, in both notations, and hold in small worlds by plain loops."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from random import Random

import pytest

from readback.arithmetic import UnreadableError
from readback.pages import phrase
from readback.theorems import Statement, read_statement
from symconv.derivations.step import in_latex, plain
from symconv.derivations.theorems import Check, theorems

ALL = theorems()
PARTS = [pytest.param(part, id=f"{entry.name}: {part.what}") for entry in ALL for part in entry.checks]
SLIPS = [pytest.param(slip, id=f"{entry.name}: {slip.what}") for entry in ALL for slip in entry.slips]
WORLDS, MET = 1_500, 8  # at most so many are looked at, until the hypotheses were met so often

Lines = tuple[list[str], list[str]]


def printed(part: Check, style: str) -> Lines:
    """Hypotheses and conclusion, line by line, as a terminal shows them or as LaTeX sets them."""
    if style == "text":
        return [plain(line) for line in part.hypotheses], [plain(line) for line in part.statement]
    return [phrase(in_latex(line)) for line in part.hypotheses], [phrase(in_latex(line)) for line in part.statement]


def judged(statement: Statement, seed: str, met: int = MET, worlds: int = WORLDS) -> tuple[int, bool]:
    """How often the hypotheses were met, and whether the statement failed in one of these worlds."""
    random, found = Random(seed), 0
    for _ in range(worlds):
        answer = statement.holds_at(random)
        if answer is False:
            return found, True
        found += answer is True
        if found == met:
            break
    return found, False


@pytest.mark.parametrize("style", ["text", "latex"])
@pytest.mark.parametrize("part", PARTS)
def test_what_is_printed_of_a_theorem_holds(part: Check, style: str) -> None:
    met, failed = judged(read_statement(*printed(part, style)), part.what)
    assert not failed
    assert met >= 3, "the hypotheses are hardly ever met"


@pytest.mark.parametrize("style", ["text", "latex"])
@pytest.mark.parametrize("slip", SLIPS)
def test_what_is_printed_of_a_slip_fails(slip: Check, style: str) -> None:
    assert judged(read_statement(*printed(slip, style)), slip.what, 4_000, 4_000)[1]


# --- mutants: one token of a printed statement changed -----------------------------------------------------------

TURNED = {"+": "−", "−": "+", "≤": "≥", "≥": "≤", "<": "≤", ">": "≥", "⌊": "⌈", "⌋": "⌉", "max": "min", "min": "max"}
TOKEN = re.compile(r"max|min|\d+|[A-Za-z][₀-₉]*′*|\S")


def mutants(lines: Lines) -> Iterator[Lines]:
    """The statement with one token changed: a number by one, a sign or a relation turned, a letter for another."""
    letters = sorted(set(re.findall(r"(?<![A-Za-z])[A-Za-z][₀-₉]*(?![a-z])", " ".join(lines[0] + lines[1]))))
    for part, rows in enumerate(lines):
        for number, row in enumerate(rows):
            for match in TOKEN.finditer(row):
                for other in _changed(match[0], letters, row, match.start()):
                    new = [*rows[:number], row[: match.start()] + other + row[match.end() :], *rows[number + 1 :]]
                    yield (new, lines[1]) if part == 0 else (lines[0], new)


def _changed(token: str, letters: Sequence[str], row: str, at: int) -> Iterator[str]:
    if token.isdigit():
        yield str(int(token) + 1)
    elif token in TURNED:
        yield TURNED[token]
    elif token in letters and not re.match(r"[a-z]{2}", row[at:]) and not re.search(r"[a-z]$", row[:at]):
        yield letters[(letters.index(token) + 1) % len(letters)]


def outcome(lines: Lines, seed: str) -> str:
    """ "unreadable", "false", "idle" where the hypotheses are never met, or "true" where it holds all the same."""
    try:
        met, failed = judged(read_statement(*lines), seed, 15, 250)
    except (UnreadableError, ArithmeticError, AssertionError, KeyError, TypeError, ValueError):
        return "unreadable"
    return "false" if failed else "true" if met else "idle"


def survey(parts: Sequence[Check], count: int, style: str) -> dict[str, int]:
    """The outcomes of mutants of the statements, `count` of each."""
    found = {"unreadable": 0, "false": 0, "idle": 0, "true": 0}
    for part in parts:
        random = Random(f"{part.what} {style}")
        lines = printed(part, style)
        every = list(mutants(lines))
        for mutant in random.sample(every, min(count, len(every))):
            found[outcome(mutant, part.what)] += 1
    return found


def test_a_printed_statement_changed_in_one_token_is_found_out_in_a_sample() -> None:
    """What stays true was weakened by its change, or names what nobody reads: a quarter at most."""
    found = survey([part for entry in ALL[::3] for part in entry.checks], 3, "text")
    assert found["true"] + found["idle"] <= sum(found.values()) // 3, found


@pytest.mark.slow
@pytest.mark.parametrize("style", ["text", "latex"])
def test_printed_statements_changed_in_one_token_are_found_out(style: str) -> None:
    found = survey([part for entry in ALL for part in entry.checks], 25, style)
    print(style, found)
    assert sum(found.values()) >= 1_000
    assert found["true"] + found["idle"] <= sum(found.values()) // 3, found
