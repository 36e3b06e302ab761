"""A line that is refuted only where a convention gives it a value names the convention, wherever it is shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import symconv as sc
from symconv.claims.declarations import Declarations
from symconv.cli.application import commands
from symconv.problems.reading import load_problem

CONV = sc.Conv((2,))
ABSOLUTE = "the derivative of |x| at x = 0 counts as 0"
ROOT = "the derivative of a norm or root at 0 counts as 0"
FIRST = "of equal maxima the first one takes the gradient"
OUTSIDE = "entries of b outside count as 0"


@pytest.mark.parametrize("general", [False, True])
@pytest.mark.parametrize(
    ("text", "conditions"),
    [
        ("abs(diff(abs(a[1]), a[1])) == 1", {ABSOLUTE}),
        ("diff(abs(a[i]), a[i])**2 == 1", {ABSOLUTE}),
        ("abs(diff(abs(c[p]), b[1])) == abs(a[p])", {ABSOLUTE}),
        ("diff((a[1]**2)**(1/2), a[1])**2 == 1", {ROOT}),
        ("diff(c[p], a[i]) == b[i-p+1] + cases((1, i < p), (0,))", {OUTSIDE}),
        ("b[i-p]**2 == b[i-p]**2 + cases((1, i == p), (0,))", {OUTSIDE}),
        # a place where everything is defined is found first, and nothing else counts then
        ("diff(abs(a[1]), a[1]) == 1", set()),
        ("diff(abs(a[1]), a[1])**2 == 1 + a[2]", set()),
        ("diff(c[p], a[i]) == 2*b[i-p+1]", set()),
        ("diff(abs(a[1]), a[1])**2 + b[i-p+1] == 1", set()),
    ],
)
def test_the_convention_is_a_condition_of_the_verdict(text: str, conditions: set[str], general: bool) -> None:
    verdict = sc.check_claim(text, Declarations(CONV, (4,), indices={"p": "output 1", "i": "input 1"}), general=general)
    assert (verdict.status, set(verdict.conditions)) == ("refuted", conditions), str(verdict)


def test_the_ties_of_a_maximum() -> None:
    """Read from the left or from the right, the first of two is the same but where they are equal."""
    one, two = "diff(max(a[i], (i,1,2)), a[1])", "diff(max(a[3-i], (i,1,2)), a[2])"
    for text, conditions in ((f"{one} == 1 - {two}", (FIRST,)), (f"{one} == 2*{two}", ()), (f"{one} == 0", ())):
        verdict = sc.check_claim(text, Declarations(CONV, (4,)))
        assert (verdict.status, verdict.conditions) == ("refuted", conditions), str(verdict)


def test_what_is_declared_is_no_condition() -> None:
    text = "diff(c[p], a[i]) == b[i-p+1] + cases((1, i < p), (0,))"
    for outside in ("zero", "undefined"):
        verdict = sc.check_claim(text, Declarations(CONV, (4,), outside=outside))
        assert (verdict.status, verdict.conditions) == ("refuted", ())


def test_an_example_has_no_more_entries_than_it_needs() -> None:
    """The norm of a[2], a[3] must not be 0, and a[1] is what the line gets wrong: two entries, and not all four."""
    verdict = sc.check_claim("c[p]*diff(c[p], a[i]) == a[i]", Declarations(sc.LPPool(2, (2,), 1), (4,)))
    assert (verdict.status, verdict.conditions) == ("refuted", ())
    assert verdict.counterexample is not None
    assert verdict.counterexample.indices == {"p": 2, "i": 1}
    assert verdict.counterexample.tensors == {"a": {(1,): 1, (2,): 1}}


def test_of_two_conventions_the_one_that_decides_is_named() -> None:
    text = "abs(diff(abs(a[1]), a[1])) + 0*b[i-p+1] == 1"
    verdict = sc.check_claim(text, Declarations(CONV, (4,)))
    assert verdict.conditions == (ABSOLUTE,)


PROBLEM = """
title = "Conventions"

[operators.layer]
kind = "Conv"
input_size = [4]
kernel_size = [2]

[[claims]]
id = "kink"
operator = "layer"
text = "abs(diff(abs(a[1]), a[1])) == 1"

[[claims]]
id = "plain"
operator = "layer"
text = "c[1] == 0"
"""


def test_terminal_json_and_page_say_so(tmp_path: Path) -> None:
    file = tmp_path / "problem.toml"
    file.write_text(PROBLEM)
    result = CliRunner().invoke(commands, ["check", str(file)])
    assert result.exit_code == 1
    lines = [line.strip() for line in result.output.splitlines()]
    assert lines.count(f"on the condition that {ABSOLUTE}") == 1
    assert lines[-1] == "1 refuted, 1 refuted under a condition"
    rows = json.loads(CliRunner().invoke(commands, ["check", str(file), "--json"]).output)
    assert [row["conditions"] for row in rows] == [[ABSOLUTE], []]
    page = sc.to_html(sc.build_document(load_problem(file)))
    assert (
        f"none of the small edits that were tried makes the claim true, on the condition that {ABSOLUTE}."
        in page.replace("\n", " ")
    )
    assert "(1 under a condition, which stands beside it)" in page
