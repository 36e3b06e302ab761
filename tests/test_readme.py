"""The README says what is so: its Python, its console output, its list of keys, and its two first commands."""

from __future__ import annotations

import doctest
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from symconv.cli import application
from symconv.problems.asks import ASKS
from symconv.problems.tables import OPERATORS, TOP, operator_keys, question_keys

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_python_of_the_readme() -> None:
    results = doctest.testfile(str(ROOT / "README.md"), module_relative=False, encoding="utf-8")
    assert results.attempted >= 15
    assert results.failed == 0


@pytest.mark.parametrize("block", re.findall(r"```console\n(.*?)```", README, flags=re.DOTALL))
def test_the_console_output_of_the_readme(block: str) -> None:
    command, _, output = block.partition("\n")
    assert command.startswith("$ symconv ")
    result = CliRunner().invoke(application.commands, shlex.split(command)[2:])
    assert result.output == output


def test_the_readme_names_every_key_and_question() -> None:
    keys = {*TOP, *question_keys(), *ASKS, *OPERATORS, *(key for kind in OPERATORS for key in operator_keys(kind))}
    keys |= {key for ask in ASKS.values() for key in ask.keys}
    for key in sorted(keys):
        assert f"`{key}`" in README or f"[{key}" in README, key


def test_ci_takes_its_commands_from_the_readme() -> None:
    blocks = re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)
    assert "pip install ." in blocks[0]
    assert "pytest" in blocks[1]
    script = (ROOT / ".ci" / "environment").read_text(encoding="utf-8")
    assert "install=$(readme_command 1)" in script
    assert "test_command=$(readme_command 2)" in script
