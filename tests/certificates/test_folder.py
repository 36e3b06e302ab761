"""Folders of certificates: what is written, what is spared, and what is refused before Coq is asked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from statements import FALSE, TRUE

import symconv as sc
from symconv.certificates.folder import INDEX, entries, folder_files, read_index
from symconv.certificates.library import library
from symconv.cli.application import commands
from symconv.proofs.prove import prove_statement

MOVED, TURNED = prove_statement(TRUE["moved"]), prove_statement(TRUE["turned"])
REFUTED = prove_statement(FALSE["one step off"])


def run(*arguments: str) -> Result:
    return CliRunner().invoke(commands, arguments)


def rows(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / INDEX).read_text(encoding="utf-8").splitlines()]


def written(folder: Path, *verdicts: tuple[str, str, sc.Verdict]) -> dict[str, str]:
    """Write a folder without the command line."""
    files = folder_files(entries(verdicts))
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return files


def test_a_folder_holds_the_library_a_file_a_statement_and_a_line_for_each() -> None:
    found = entries([("a b", "A.", MOVED), ("A-b", "B.", TURNED), ("9*)", 'C "*)', MOVED), ("d", "D.", REFUTED)])
    assert [entry.name for entry in found] == ["a_b", "A_b_2", "statement_9", "d"]
    files = folder_files(found)
    assert {name.partition("/")[0] for name in files} == {
        "Symconv", "Statements", "_CoqProject", "Makefile", "README", INDEX,
    }  # fmt: skip
    assert [name for name in files if name.startswith("Statements/")] == [
        "Statements/a_b.v", "Statements/A_b_2.v", "Statements/statement_9.v",
    ]  # fmt: skip
    assert [json.loads(line) for line in files[INDEX].splitlines()] == [
        {"name": "a_b", "title": "A."},
        {"name": "A_b_2", "title": "B."},
        {"name": "statement_9", "title": 'C "*)'},
        {"name": "d", "title": "D.", "missing": "the statement is refuted, not proved"},
    ]
    listed = files["_CoqProject"].splitlines()
    assert listed[:2] == ["-R Symconv Symconv", "-R Statements Statements"]
    assert listed[2:] == [name for name in files if name.endswith(".v")]


def test_a_theorem_is_written_with_its_parts_and_what_was_worked_out_before_is_in_the_index(tmp_path: Path) -> None:
    folder = tmp_path / "proofs"
    result = run("theorems", "weight-gradient", "--certificates", str(folder))
    assert result.exit_code == 0, result.output
    assert "1 of 1 statements have a certificate" in result.stderr
    assert rows(folder) == [
        {
            "name": "weight_gradient",
            "title": rows(folder)[0]["title"],
            "before": ["derivatives"],
        }
    ]
    text = (folder / "Statements/weight_gradient.v").read_text(encoding="utf-8")
    assert "Definition weight_gradient := conj weight_gradient_part1" in text


def test_the_steps_of_a_derivation_and_the_claims_of_a_file_are_written(tmp_path: Path) -> None:
    result = run("derive", "conv", "--kernel", "3", "--input", "5", "--certificates", str(tmp_path / "steps"))
    assert result.exit_code == 0, result.output
    assert rows(tmp_path / "steps")[0]["name"] == "step_1"
    assert run("init", str(tmp_path / "p.toml")).exit_code == 0
    result = run("check", str(tmp_path / "p.toml"), "--certificates", str(tmp_path / "claims"))
    assert all(str(row["name"]).startswith("claim_") for row in rows(tmp_path / "claims"))
    assert "have a certificate in" in result.stderr


def test_a_folder_is_written_anew_and_other_files_are_spared(tmp_path: Path) -> None:
    folder = tmp_path / "proofs"
    assert run("theorems", "weight-gradient", "--certificates", str(folder)).exit_code == 0
    assert run("theorems", "output-size", "--certificates", str(folder)).exit_code == 0
    assert [path.name for path in (folder / "Statements").iterdir()] == ["output_size.v"]
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.tex").write_text("mine", encoding="utf-8")
    for place in (other, other / "thesis.tex", other / "thesis.tex" / "x"):
        result = run("theorems", "output-size", "--certificates", str(place))
        assert result.exit_code == 2, result.output
        assert "Traceback" not in result.output
    assert [path.name for path in other.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("what", ["nothing", "file", "empty", "no json", "path", "old library", "statement gone"])
def test_what_is_no_folder_of_certificates_is_refused_before_coq_is_asked(what: str, tmp_path: Path) -> None:
    folder = tmp_path / "proofs"
    if what == "file":
        folder.write_text("x", encoding="utf-8")
    elif what == "empty":
        folder.mkdir()
    elif what != "nothing":
        written(folder, ("moved", "Moved.", MOVED))
        assert read_index(folder) == (["moved"], [])
    if what == "no json":
        (folder / INDEX).write_text("{", encoding="utf-8")
    elif what == "path":
        (folder / INDEX).write_text('{"name": "../../etc/passwd"}\n', encoding="utf-8")
    elif what == "old library":
        (folder / "Symconv/Definitions.v").write_text(library()["Definitions"] + " ", encoding="utf-8")
    elif what == "statement gone":
        (folder / "Statements/moved.v").unlink()
    with pytest.raises(sc.ArgumentError, match=r"^DIR must be a folder that symconv wrote"):
        read_index(folder)
    result = run("coq-check", str(folder))
    assert result.exit_code == 2
    assert "must be a folder that symconv wrote with --certificates" in result.output


def test_where_coq_is_missing_it_is_said_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, ("moved", "Moved.", MOVED))
    monkeypatch.setenv("PATH", str(tmp_path))
    result = run("coq-check", str(tmp_path))
    assert result.exit_code == 2
    assert "apt-get install coq" in result.output
