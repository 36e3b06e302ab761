"""The pages of `docs/` say what is so: their Python runs, their console output comes out, links lead somewhere."""

from __future__ import annotations

import doctest
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from symconv.cli import application

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted((ROOT / "docs").glob("*.md"))
CONSOLE = [
    pytest.param(block, id=f"{page.name}-{number}")
    for page in PAGES
    for number, block in enumerate(re.findall(r"```console\n(.*?)```", page.read_text("utf-8"), flags=re.DOTALL), 1)
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_python_of_a_page(page: Path) -> None:
    results = doctest.testfile(str(page), module_relative=False, encoding="utf-8")
    assert results.failed == 0


@pytest.mark.parametrize("block", CONSOLE)
def test_the_console_output_of_a_page(block: str) -> None:
    command, _, output = block.partition("\n")
    assert command.startswith("$ symconv ")
    assert CliRunner().invoke(application.commands, shlex.split(command)[2:]).output == output


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=lambda page: page.name)
def test_a_link_to_a_file_leads_to_one(page: Path) -> None:
    words = re.sub(r"```.*?```|`[^`]*`", "", page.read_text("utf-8"), flags=re.DOTALL)
    links = [link for link in re.findall(r"\]\(([^)#\s]+)", words) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []
