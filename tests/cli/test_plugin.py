"""``symconv derive --plugin FILE.py``: files with the names of modules, with slips, and with several classes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from symconv.cli.application import commands

MATCHING = (Path(__file__).parents[1] / "operators" / "matching.py").read_text(encoding="utf-8")


def run(file: Path, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(commands, ["derive", "--plugin", str(file), *arguments])
    return result.exit_code, result.output


@pytest.mark.parametrize("name", ["json.py", "numpy.py", "sympy.py", "two words.py", "dataclasses.py"])
def test_a_file_may_be_called_as_a_module(tmp_path: Path, name: str) -> None:
    import json

    folder = tmp_path / "my operators"
    folder.mkdir()
    file = folder / name
    file.write_text(MATCHING, encoding="utf-8")
    code, text = run(file, "TemplateMatching", "--kernel", "2")
    assert code == 0, text
    assert "[proved: for all I]" in text
    assert sys.modules["json"] is json


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import sys\nsys.exit(0)\n", "ended in SystemExit: 0"),
        ("raise SystemExit('bye')\n", "ended in SystemExit: bye"),
        ("def f(:\n", "ended in SyntaxError"),
        ("import nowhere_at_all\n", "ended in ModuleNotFoundError"),
        ("", "defines no operator"),
        (MATCHING.replace("frozen=True, ", ""), "defines no operator: a subclass of symconv.Operator that is a frozen"),
        (MATCHING.replace("@dataclass(frozen=True, repr=False)", ""), "defines no operator"),
    ],
)
def test_a_file_that_gives_no_operator_is_refused(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "own.py"
    file.write_text(text, encoding="utf-8")
    code, said = run(file, "TemplateMatching", "--kernel", "2")
    assert code == 2
    assert message in " ".join(said.split())


def test_its_name_is_said_in_the_help(tmp_path: Path) -> None:
    file = tmp_path / "own.py"
    file.write_text(MATCHING, encoding="utf-8")
    code, text = run(file, "--help")
    assert code == 0
    assert "TemplateMatching" in text
    assert "--plugin matching.py" in text
