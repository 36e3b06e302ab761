"""Records of what Coq has accepted: which words they allow, and which they do not. Coq itself is not needed here."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from statements import TRUE

from symconv.certificates.folder import entries
from symconv.certificates.library import library
from symconv.certificates.recorded import RECORD, Recorded, packaged_record, read_record
from symconv.cli.application import commands
from symconv.cli.example import example_file
from symconv.derivations.theorems import theorem, theorems
from symconv.proofs.prove import prove_statement
from symconv.proofs.record import preceded_by

PROBLEM = """
title = "One line"
index_base = 1

[operators.layer]
kind = "Conv"
input_size = [5, 5]
kernel_size = [3, 3]

[[claims]]
id = "output"
operator = "layer"
text = "c[p, q] == sum(a[p+m-1,q+n-1]*b[m,n], (m,1,3), (n,1,3))"

[[claims]]
id = "turned"
operator = "layer"
text = "c[p, q] == sum(b[m,n]*a[p+m-1,q+n-1], (n,1,3), (m,1,3))"
"""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(commands, arguments)


def sha(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def accepted(folder: Path, checker: str = "Coq 8.16.1") -> dict[str, object]:
    """The record of a run that has accepted every file of a folder, made by hand."""
    return {
        "checker": checker,
        "kernel": False,
        "library": {name: sha(folder / "Symconv" / f"{name}.v") for name in library()},
        "statements": {path.stem: sha(path) for path in (folder / "Statements").glob("*.v")},
    }


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A problem file, and the folder of its certificates."""
    place = tmp_path_factory.mktemp("problem")
    problem, folder = place / "problem.toml", place / "proofs"
    problem.write_text(PROBLEM, encoding="utf-8")
    result = run("check", str(problem), "--certificates", str(folder))
    assert result.exit_code == 0, result.output
    assert "checked by" not in result.output
    return problem, folder


def says(checked: tuple[Path, Path], record: object) -> tuple[str, list[str | None]]:
    """What `check` prints, and what its JSON says, beside a record."""
    problem, folder = checked
    (folder / RECORD).write_text(record if isinstance(record, str) else json.dumps(record), encoding="utf-8")
    text = run("check", str(problem), "--certificates", str(folder))
    rows = run("check", str(problem), "--certificates", str(folder), "--json")
    if text.exit_code:
        return text.output, []
    return text.output, [row["checked_by"] for row in json.loads(rows.stdout)]


def test_only_what_was_accepted_is_checked_by_coq(checked: tuple[Path, Path]) -> None:
    record = accepted(checked[1])
    text, rows = says(checked, record)
    assert text.count("checked by Coq 8.16.1") == 2
    assert rows == ["Coq 8.16.1", "Coq 8.16.1"]
    one = {**record, "statements": {"claim_turned_literal": record["statements"]["claim_turned_literal"]}}  # type: ignore[index]
    assert says(checked, one)[1] == [None, "Coq 8.16.1"]


def test_another_file_another_name_or_another_library_is_not_what_was_accepted(checked: tuple[Path, Path]) -> None:
    record = accepted(checked[1])
    statements = record["statements"]
    assert isinstance(statements, dict)
    first, second = statements["claim_output_literal"], statements["claim_turned_literal"]
    for wrong in (
        {**record, "statements": {"claim_output_literal": second, "claim_turned_literal": first}},
        {**record, "statements": {"other": first}},
        {**record, "library": {**record["library"], "Sums": "0" * 64}},  # type: ignore[dict-item]
        {**record, "library": {}},
    ):
        text, rows = says(checked, wrong)
        assert "checked by" not in text
        assert rows == [None, None]


@pytest.mark.parametrize(
    "damaged",
    [
        "",
        "[]",
        "{}",
        "[" * 100_000,
        '{"checker": "Coq 8.16.1", "kernel": false, "library": {}, "statements": {"a": 1}}',
    ],
)
def test_a_damaged_record_is_refused(checked: tuple[Path, Path], damaged: str) -> None:
    text, _ = says(checked, damaged)
    assert "must be a record that symconv coq-check wrote" in text


def test_a_record_names_coq_and_nothing_else(checked: tuple[Path, Path]) -> None:
    assert "must be a record" in says(checked, accepted(checked[1], "me, and "))[0]


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert read_record(tmp_path) is None
    record = Recorded("Coq 8.16.1", {"b": "1" * 64, "a": "0" * 64}, {"Sums": "2" * 64}, True)
    (tmp_path / RECORD).write_text(record.text, encoding="utf-8")
    assert read_record(tmp_path) == record
    assert list(json.loads(record.text)["statements"]) == ["a", "b"]


def test_what_was_worked_out_before_a_statement_is_excepted() -> None:
    verdict = prove_statement(TRUE["moved"])
    after = replace(verdict, record=preceded_by(verdict.record, "derivatives"))
    for own, words in ((verdict, "Coq 8.16.1"), (after, "Coq 8.16.1, but for derivatives")):
        (entry,) = entries([("a", "A.", own)])
        assert entry.made is not None
        library_now = {name: sha256(text.encode()).hexdigest() for name, text in library().items()}
        record = Recorded("Coq 8.16.1", {"a": sha256(entry.made.text.encode()).hexdigest()}, library_now)
        marked = record.marked(entry)
        assert marked.checked_by == words
        assert f"checked by {words}" in str(marked).splitlines()[0]
        assert marked == own  # it takes no part in equality


# ---------------------------------------------------------------------- the records of the package

STALE = "run `symconv {0} --certificates DIR` and `symconv coq-check DIR`, and copy DIR/record.json to {1}"


def test_the_record_of_the_theorems_is_of_their_certificates_as_they_are_written_now() -> None:
    record = packaged_record("theorems")
    found = entries((entry.name, entry.title, entry.verdict) for entry in theorems())
    stale = [entry.name for entry in found if entry.made is not None and not record.checker_of(entry)]
    assert not stale, STALE.format("theorems", "symconv/certificates/records/theorems.json")
    assert set(record.statements) == {entry.name for entry in found if entry.made is not None}


def test_the_record_of_the_packaged_problem_is_of_its_certificates_as_they_are_written_now(tmp_path: Path) -> None:
    report = ("report", str(example_file()), "-o", str(tmp_path / "out"), "--certificates", str(tmp_path / "proofs"))
    result = run(*report)
    assert result.exit_code == 0, result.output
    written = {path.stem: sha(path) for path in (tmp_path / "proofs" / "Statements").glob("*.v")}
    assert packaged_record("dsga1008-hw2").statements == written, STALE.format(
        "report", "symconv/certificates/records/dsga1008-hw2.json"
    )


def test_a_theorem_and_the_packaged_page_say_what_has_been_checked(tmp_path: Path) -> None:
    shown = run("theorems", "output-size", "--json")
    assert json.loads(shown.stdout)["checked_by"] == packaged_record("theorems").checker
    assert run("report", "-o", str(tmp_path)).exit_code == 0
    page = (tmp_path / "dsga1008-hw2.html").read_text(encoding="utf-8")
    assert f"checked by {packaged_record('dsga1008-hw2').checker}" in page
    assert theorem("output-size").verdict.checked_by == ""  # only a command has asked for the record
