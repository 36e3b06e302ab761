"""The walk of docs/classes.md, from the page alone: its files written, its commands run, its claims looked up."""

from __future__ import annotations

import csv
import re
import shlex
import tomllib
from pathlib import Path

import plain_answers as plain
import pytest
from click.testing import CliRunner

from symconv.cli import application

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "classes.md").read_text("utf-8")


def block(language: str, number: int = 0) -> str:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)[number]


def run(number: int) -> str:
    done = CliRunner().invoke(application.commands, shlex.split(block("sh", number))[1:])
    assert done.exit_code == 0, done.output
    assert "Student" not in done.output
    return done.output


def test_the_walk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("homework.toml").write_text(block("toml"), "utf-8")
    Path("list.csv").write_text(block("csv"), "utf-8")
    assert "wrote 3 variants to out" in run(0)
    assert {path.name for path in Path("out/sheets/s01").iterdir()} == {
        "sheet.html",
        "sheet.tex",
        "s01.toml",
        "s01.csv",
    }
    assert {path.name for path in Path("out/keys/s01").iterdir()} == {"exercise.toml", "key.html", "key.tex"}
    variant = tomllib.loads(Path("out/keys/s01/exercise.toml").read_text("utf-8"))
    first = variant["questions"][0]
    x, w = variant["data"][first["input"]], variant["data"][first["weight"]]
    right = plain.convolved(x, w, 2, 1)
    sheet = Path("out/sheets/s01/sheet.html").read_text("utf-8")
    assert "A. Student" in sheet
    wrong = plain.convolved(x, plain.turned(w), 2, 1)
    form = Path("out/sheets/s01/s01.toml").read_text("utf-8")
    form = form.replace('"1" = ""', f'"1" = "{plain.text(wrong)}"')
    form = form.replace('"2" = ""', f'"2" = {plain.pooled(wrong, 2, 1, "max")}')
    Path("s01.toml").write_text(form, "utf-8")
    Path("answers").mkdir()  # as the second block of the page does
    Path("answers/s01.toml").write_bytes(Path("s01.toml").read_bytes())
    Path("answers/s03.toml").write_text("[answers\n", "utf-8")
    assert "1 files to look at" in run(2)
    with Path("feedback/table.csv").open(encoding="utf-8") as stream:
        rows = {(row["student"], row["item"]): row for row in csv.DictReader(stream)}
    assert (rows["s01", "1"]["slip"], rows["s01", "1"]["points"]) == ("kernel-flipped", "0")
    assert (rows["s01", "2"]["verdict"], rows["s01", "2"]["points"]) == ("consistent", "2")
    assert rows["s02", "1"]["verdict"] == "missing"
    assert rows["s03", "1"]["verdict"] == "unreadable"
    key = Path("out/keys/s01/key.html").read_text("utf-8")
    assert all(f"<mn>{abs(entry)}</mn>" in key for row in right for entry in row)
    assert re.search(r"kernel flipped</td>", Path("feedback/class.html").read_text("utf-8"))
