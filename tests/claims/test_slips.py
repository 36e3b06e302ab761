"""A refuted line says which of the usual slips it is, what it should be, and which of its signs are wrong."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from symconv.claims.check import check_source
from symconv.cli.application import commands
from symconv.problems.reading import load_problem
from tests.claims.test_lines_as_written import problem

SLIPS = tomllib.loads(Path(__file__).with_name("slips.toml").read_text(encoding="utf-8"))
ROWS = r"""y_{ij} = \sum_{u=0}^{2}
   \sum_{v=0}^{2} x_{i+u,j+v} w_{uv}"""


@pytest.mark.parametrize("line", SLIPS["lines"], ids=lambda line: f"{line['slip'][:40]} {line['layer']}")
def test_a_slip_is_named_and_put_right(line: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "sheet.toml"
    path.write_text(problem(line, SLIPS["layers"]), encoding="utf-8")
    (result,) = check_source(load_problem(path).claims[0])
    assert result.status == "refuted"
    assert result.slip == line["slip"]
    assert result.edit == line.get("repair", "")
    assert [line["latex"][begin:end] for begin, end in result.places] == line.get("wrong", [])
    assert result.repaired is not None
    assert result.repaired.holds


def test_the_signs_are_underlined_in_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "sheet.toml"
    path.write_text(problem({"layer": "conv", "latex": ROWS}, SLIPS["layers"]), encoding="utf-8")
    lines = CliRunner().invoke(commands, ["check", str(path)]).output.splitlines()
    number = next(n for n, line in enumerate(lines) if line.strip(" ^") == "" and "^" in line)
    marked = [lines[number - 1][k] for k, sign in enumerate(lines[number]) if sign == "^"]
    assert lines[number - 1].strip() == " ".join(ROWS.split())
    assert marked == ["2", "2"]
    assert "a sum goes past the end of an array: 2 should be 1  (exact: " in lines[number + 1]
