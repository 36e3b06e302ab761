"""A kind of question is one record: a toy one is read, refused, explained and answered without another word."""

from __future__ import annotations

from pathlib import Path

import pytest

from symconv.errors import ProblemFileError
from symconv.problems.answers.desk import Desk, words
from symconv.problems.ask import Ask, ReadSoFar
from symconv.problems.asks import ASKS
from symconv.problems.build import build_document
from symconv.problems.problem import Question
from symconv.problems.reading import read_problem
from symconv.problems.schema import Key, Where, one_of
from symconv.problems.starter import starter
from symconv.report.document import Block, Paragraph
from symconv.report.render import to_html

FILE = """
title = "Toys"
[operators.wide]
kind = "Conv"
input_size = [9]
kernel_size = [5]
[operators.square]
kind = "MaxPool"
input_size = [4, 4]
kernel_size = [2, 2]
[[questions]]
id = "1"
title = "How many taps?"
ask = "taps"
operator = "wide"
"""


def _answer(desk: Desk, question: Question) -> list[Block]:
    del desk
    extent = question.operators[0].op.kernel_size[0]
    return [Paragraph(words(f"{question.own['count']} {extent} taps"))]


def _needs(question: Question, where: Where, so_far: ReadSoFar) -> None:
    if len(question.operators[0].input_size) != 1:
        raise where.error("ask = 'taps' takes one axis", "name a layer of one axis")
    if so_far.earlier:
        raise where.error("ask = 'taps' comes first", "move it")


TAPS = Ask(
    "the taps of a window",
    _answer,
    keys={"count": Key(one_of("exactly", "about"), "how exactly", example='"about"', default="exactly")},
    needs=_needs,
    examples=({"title": '"The taps"', "operator": '"conv"'},),
)


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ASKS, "taps", TAPS)


def test_it_is_read_and_answered() -> None:
    page = to_html(build_document(read_problem(FILE)))
    assert "exactly 5 taps" in page
    page = to_html(build_document(read_problem(FILE + 'count = "about"\n')))
    assert "about 5 taps" in page


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            'operator = "wide"',
            'operator = "wide"\ncount = "abuot"',
            "'about', got 'abuot'; did",
        ),
        ('operator = "wide"', 'operator = "wide"\nall_ones = true', "all_ones: is not used by ask = 'taps'; remove it"),
        ('ask = "taps"', 'ask = "size"\ncount = "about"', "count: is not used by ask = 'size'; remove it"),
        ('ask = "taps"', 'ask = "tabs"', "ask: must be one of 'size', .*'taps', got 'tabs'; did you mean 'taps'"),
        ('operator = "wide"', 'operator = "square"', "ask = 'taps' takes one axis; name a layer"),
        ('operator = "wide"', 'operators = ["wide", "square"]', "ask = 'taps' takes one operator, got 2"),
        ('operator = "wide"', "", "ask = 'taps' needs an operator"),
        (
            'ask = "taps"',
            "",
            "a question needs the key 'ask'; what is asked, .*: size, size-formula, .*, taps$",
        ),
        ('ask = "taps"', "ask = 3", "ask: must be one of 'size', .*'taps', got 3"),
        (
            "[[questions]]",
            '[[questions]]\nid = "0"\ntitle = "Size"\nask = "size"\noperator = "wide"\n[[questions]]',
            "ask = 'taps' comes first; move it",
        ),
    ],
)
def test_what_it_does_not_take_is_refused(old: str, new: str, message: str) -> None:
    with pytest.raises(ProblemFileError, match=message):
        read_problem(FILE.replace(old, new))


def test_the_file_of_init_explains_it() -> None:
    lines = starter().splitlines()
    assert "#   taps             the taps of a window" in lines
    place = lines.index('ask = "taps"')
    assert '#count = "about"' in lines[place:]
    assert lines[lines.index('#count = "about"') - 1] == "# taps: how exactly"


def test_contributing_names_what_is_there() -> None:
    root = Path(__file__).resolve().parents[2]
    text = (root / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = {word for word in text.split("`") if word.startswith(("symconv/", "tests/", ".ci/")) and " " not in word}
    assert len(named) >= 25
    for path in sorted(named):
        assert (root / path).exists(), path
