"""``symconv theorems``: the table, one proof, JSON, and the exit status."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from importlib import import_module

import pytest
from click.testing import CliRunner, Result

import symconv.derivations.theorems as package
from symconv.cli.application import commands
from symconv.derivations.theorems import Check, Theorem, theorem
from symconv.derivations.theorems.proposition import AnyInteger, Clause, Proposition, same
from symconv.derivations.theorems.showing import theorem_record, theorem_text
from symconv.formulas.index import Index
from symconv.proofs.obligation import Obligation
from symconv.proofs.verdict import Counterexample, Verdict, VerdictScope

theorems = import_module("symconv.cli.theorems")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(commands, ["theorems", *arguments])


SAME = Proposition((AnyInteger("x", Index.of(1)),), (Clause((), (same("x", "x"),)),))


def made(name: str, verdict: Verdict) -> Theorem:
    """A theorem with a given verdict, and a slip."""
    slip = Verdict("refuted", counterexample=Counterexample({"I": 2}, {}, {}, {}, 1, 2))
    return Theorem(
        name,
        f"Of {name}",
        "here",
        (Check("all", SAME, proof=lambda _: verdict),),
        (Check("y", SAME, proof=lambda _: slip),),
    )


GOOD = made(
    "good", Verdict("proved", VerdictScope(("I",)), obligations=(Obligation("x >= 0", "proved", "(check-sat)"),))
)
BAD = made("bad", Verdict("refuted", counterexample=Counterexample({"I": 1}, {}, {}, {}, 3, 4), explanation="No."))
OPEN = made("open", Verdict("undecided", explanation="Nobody knows."))


@pytest.fixture
def three(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three theorems instead of all: proved, undecided, refuted."""
    monkeypatch.setattr(package, "theorems", lambda: (GOOD, OPEN, BAD))


@pytest.mark.usefixtures("three")
def test_the_table_has_a_row_for_every_theorem_and_a_count() -> None:
    result = run()
    lines = result.output.splitlines()
    assert re.match(r"name +verdict +statement +provided +source$", lines[0])
    assert [line.split()[:2] for line in lines if re.match(r"good|open|bad", line)] == [
        ["good", "proved"],
        ["open", "undecided"],
        ["bad", "refuted"],
    ]
    assert "3 theorems: 1 proved, 1 undecided, 1 refuted" in lines[-1]
    assert all(line == line.rstrip() for line in lines)


def test_a_narrow_terminal_has_a_paragraph_for_every_theorem() -> None:
    chosen = tuple(replace(entry, checked_by="Coq 8.16.1, but for derivatives") for entry in (GOOD, OPEN, BAD))
    text = theorems._list(chosen, 60)
    assert [line for line in text.splitlines() if line and not line.startswith(" ")] == [
        "good: proved, checked by Coq 8.16.1, but for derivatives",
        "open: undecided, checked by Coq 8.16.1, but for derivatives",
        "bad: refuted, checked by Coq 8.16.1, but for derivatives",
    ]
    assert "  Of good" in text.splitlines()
    assert "  source: here" in text.splitlines()
    assert max(map(len, theorems._list((theorem("output-size"),), 80).splitlines())) <= 80
    assert max(map(len, theorems._table((theorem("output-size"),), 160).splitlines())) <= 160


def test_the_exit_status_is_1_only_where_a_theorem_is_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    for entries, status in (((GOOD,), 0), ((GOOD, OPEN), 0), ((BAD, GOOD), 1)):
        monkeypatch.setattr(package, "theorems", lambda entries=entries: entries)
        assert run().exit_code == status
        assert run("--json").exit_code == status
    assert run("bad").exit_code == 1
    assert "counterexample: I = 1: value 3 on the left, 4 on the right" in run("bad").output


@pytest.mark.usefixtures("three")
def test_json_is_a_list_of_all_or_one_record_with_scripts() -> None:
    records = json.loads(run("--json").output)
    assert [(record["name"], record["status"]) for record in records] == [
        ("good", "proved"),
        ("open", "undecided"),
        ("bad", "refuted"),
    ]
    assert records[0]["parts"][0]["obligations"] == [{"name": "x >= 0", "outcome": "proved"}]
    (obligation,) = json.loads(run("good", "--json").output)["parts"][0]["obligations"]
    assert obligation["smtlib"] == "(check-sat)"


def test_one_proof_is_printed_with_its_bijection_and_obligations() -> None:
    result = run("input-gradient-full")
    assert result.exit_code == 0
    assert "  > for 0 ≤ i ≤ I − 1: ∂E/∂a[i] = ∑(m = 0 … K − 1) g[i−Dm+P]·b[m]\n" in result.output
    assert "    with I + 2P ≥ D(K − 1) + 1\n    with S = 1\n" in result.output
    assert re.search(r"^source    Dumoulin & Visin", result.output, re.M)
    assert re.search(
        r"^verdict   proved(, checked by Coq [\d.]+(, but for derivatives)?)? \(\d+\.\d\d s, 2 parts\)$",
        result.output,
        re.M,
    )
    assert re.search(r"^one axis: proved, for all I, K, P, D; at S = 1 \(\d+\.\d\d s\)$", result.output, re.M)
    assert "the left side is the right side with m' = " in result.output
    assert "  [proved] the indices of the left side map into those of the right side" in result.output
    assert "Slips" not in result.output


def test_verbose_adds_hypotheses_and_slips() -> None:
    text = run("max-composition", "--verbose").output
    assert re.search(r"^  given .*K >= S", text, re.M)
    assert re.search(r"^any stride: the first pooling leaves entries out: refuted", text, re.M)
    assert "I = 3, K = 1, S = 2, L = 2, T = 1, O = 2; at p = 0; with a[1] = 1" in text


def test_an_unknown_name_is_an_error_without_a_traceback() -> None:
    result = run("adjiont")
    assert result.exit_code == 2
    assert result.output == "Error: name must be the name of a theorem, got 'adjiont'; did you mean 'adjoint'?\n"
    assert run("--verbose").exit_code == 2


def test_a_part_that_is_not_proved_is_never_shown_as_proved() -> None:
    mixed = Theorem("m", "M", "s", (*GOOD.checks, *OPEN.checks))
    assert re.search(r"^verdict   undecided", theorem_text(mixed), re.M)
    assert theorem_record(mixed)["status"] == "undecided"
    assert "Nobody knows." in theorem_text(mixed)


def test_text_is_the_same_again_but_for_the_times() -> None:
    def once() -> str:
        return re.sub(r"\d+\.\d\d s", "", theorem_text(theorem("adjoint"), verbose=True))

    assert once() == once()
