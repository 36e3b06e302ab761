"""``symconv coq-check``: Coq's word on a folder, a line a statement."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from coq_runs import needs_coq
from statements import TRUE

from symconv.certificates.folder import entries, folder_files
from symconv.certificates.recorded import RECORD
from symconv.cli.application import commands
from symconv.proofs.prove import prove_statement

pytestmark = needs_coq


def run(*arguments: str) -> Result:
    return CliRunner().invoke(commands, ["coq-check", *arguments])


def folder_of(place: Path, *names: str) -> None:
    """A folder with the same true statement under several names."""
    verdict = prove_statement(TRUE["moved"])
    for name, text in folder_files(entries((name, name, verdict) for name in names)).items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text, encoding="utf-8")


def change(place: Path, name: str, old: str, new: str) -> None:
    """Tamper with the file of a statement."""
    path = place / "Statements" / f"{name}.v"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_what_is_proved_is_accepted_and_what_was_tampered_with_is_refused(tmp_path: Path) -> None:
    folder_of(tmp_path, "good", "false", "open", "axiom", "other")
    change(tmp_path, "false", "x (k - 1)", "x k")
    change(tmp_path, "open", "Qed.", "Admitted.")
    change(tmp_path, "axiom", "Proof.\n", "Proof. exact (oracle _). Qed.\nEnd Certificate.\n(*")
    change(tmp_path, "axiom", "Print Assumptions axiom.", "*)")
    lie = 'Goal True. idtac "Closed under the global context". exact I. Qed.'
    change(tmp_path, "axiom", "Section", f"Axiom oracle : forall P : Prop, P.\n{lie}\nSection")
    change(tmp_path, "other", "Theorem other", "Theorem another")
    change(tmp_path, "other", "Print Assumptions other.", "")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    result = run(str(tmp_path))
    assert result.exit_code == 1, result.output
    lines = result.output.splitlines()
    assert lines[0] == "accepted  good"
    assert [line.split(":")[0] for line in lines[1:5]] == [
        f"REFUSED   {name}" for name in ("false", "open", "axiom", "other")
    ]
    assert "rests on Axioms" in lines[3]
    assert "1 accepted, 4 refused, 0 without a certificate" in lines[-1]
    record = tmp_path / RECORD
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and path != record} == before
    good = sha256((tmp_path / "Statements" / "good.v").read_bytes()).hexdigest()
    assert json.loads(record.read_text(encoding="utf-8"))["statements"] == {"good": good}


@pytest.mark.slow
def test_a_file_that_takes_too_long_is_refused_and_the_kernel_alone_agrees_with_the_others(tmp_path: Path) -> None:
    folder_of(tmp_path, "good", "slow")
    assert run(str(tmp_path), "--coqchk").exit_code == 0
    change(tmp_path, "slow", "Proof.\n", "Proof. do 1000000000 (assert True by exact I).\n")
    result = run(str(tmp_path), "--coqchk", "--seconds", "20")
    assert result.exit_code == 1
    assert result.output.splitlines()[:3] == [
        "accepted  good",
        "REFUSED   slow: it took more than 20 s",
        "accepted  coqchk",
    ]
