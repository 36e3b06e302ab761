"""Answers that are remembered from one build to the next."""

from __future__ import annotations

import dataclasses

import pytest

from symconv.problems import build
from symconv.problems.build import build_document
from symconv.problems.memory import AnswerMemory
from symconv.problems.problem import Problem
from symconv.problems.reading import read_problem

FILE = """
title = "Two sizes"
[operators.conv]
kind = "Conv"
input_size = [7]
kernel_size = [3]
[operators.pool]
kind = "MaxPool"
input_size = [6]
kernel_size = [2]
[[questions]]
id = "1"
title = "One"
ask = "size"
operator = "conv"
[[questions]]
id = "2"
title = "Two"
ask = "derivation"
operator = "conv"
[[questions]]
id = "3"
title = "Three"
ask = "size"
operator = "pool"
"""


def problem(content: str = FILE) -> Problem:
    return read_problem(content, "two.toml")


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the questions that are answered anew."""
    found: list[str] = []

    def noting(name: str) -> object:
        ask = build.ASKS[name]

        def answer(desk, question):  # type: ignore[no-untyped-def]
            found.append(question.id)
            return ask.answer(desk, question)

        answer.__qualname__ = ask.answer.__qualname__
        return dataclasses.replace(ask, answer=answer)

    monkeypatch.setattr(build, "ASKS", {name: noting(name) for name in build.ASKS})
    return found


def test_what_has_not_changed_is_not_answered_again_and_the_page_is_the_same(answered: list[str]) -> None:
    memory = AnswerMemory()
    first = build_document(problem(), memory=memory)
    assert answered == ["1", "2", "3"]
    assert build_document(problem(), memory=memory) == first == build_document(problem())
    assert answered == ["1", "2", "3", "1", "2", "3"]  # the last build had no memory


def test_only_the_question_that_changed_is_answered_again(answered: list[str]) -> None:
    memory = AnswerMemory()
    build_document(problem(), memory=memory)
    answered.clear()
    changed = problem(FILE.replace('ask = "derivation"', 'ask = "derivation"\nwrt = ["weight"]'))
    found = build_document(changed, memory=memory)
    assert "2" in answered
    assert "1" not in answered
    assert found == build_document(changed)
    answered.clear()
    other_title = problem(FILE.replace('"Three"', '"The third"').replace('"One"', '"The first"'))
    found = build_document(other_title, memory=memory)
    assert answered == []
    assert found == build_document(other_title)


def test_what_all_questions_share_makes_all_of_them_new(answered: list[str]) -> None:
    memory = AnswerMemory()
    build_document(problem(), memory=memory)
    answered.clear()
    other = problem(FILE.replace("input_size = [7]", "input_size = [9]"))
    assert build_document(other, memory=memory) == build_document(other)
    assert answered[:3] == ["1", "2", "3"]
