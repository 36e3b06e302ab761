"""Lines in the ways in which people type their solutions, each with the verdict of a reader who knows the subject."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from symconv.claims.check import check_source
from symconv.problems.reading import load_problem

CORPUS = tomllib.loads(Path(__file__).with_name("written_lines.toml").read_text(encoding="utf-8"))
NAMES = {"input": "x", "weight": "w", "bias": "b", "output": "y", "error": "L"}


def written(value: Any) -> str:
    """A value as TOML."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {written(entry)}" for key, entry in value.items()) + " }"
    return json.dumps(value)


def problem(line: dict[str, Any], layers: dict[str, Any] = CORPUS["layers"]) -> str:
    """A problem file with one claim."""
    layer = line["layer"]
    declared = dict(line.get("declare", {}))
    claim = {"id": "1", "operator": layer, "latex": line["latex"], **declared}
    claim["names"] = {**NAMES, **declared.get("names", {})}
    tables = {f"[operators.{layer}]": layers[layer], "[[claims]]": claim}
    lines = ['title = "A sheet"', "index_base = 0"]
    for head, table in tables.items():
        lines += [head, *(f"{key} = {written(value)}" for key, value in table.items())]
    return "\n".join(lines)


@pytest.mark.parametrize("line", CORPUS["lines"], ids=lambda line: line["latex"][:80])
def test_a_line_has_the_verdict_that_is_due(line: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "sheet.toml"
    path.write_text(problem(line), encoding="utf-8")
    (result,) = check_source(load_problem(path).claims[0], repair="repair" in line)
    said = f"{result.verdict.explanation} {result.notes}"
    assert result.status == line["due"], said
    assert result.verdict.conditions == tuple(line.get("conditions", ())), said
    for words in line.get("says", ()):
        assert words in result.verdict.explanation + " ".join(result.readings)
    if "repair" in line:
        assert result.edit == line["repair"]
