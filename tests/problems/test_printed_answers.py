"""What a sheet says of an answer that is printed in it, and of arrays that differ by their size alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from symconv.problems.build import build_document
from symconv.problems.reading import read_problem
from symconv.report.document import Band, Block, Notation, Paragraph, RelationLine

FILE = """
title = "T"
index_base = 1
[data]
A = [1, 5, 2, 4]
B = [1, 2]
[operators.conv]
kind = "Conv"
input_size = [4]
kernel_size = [2]
[operators.long]
kind = "Conv"
input_size = [6]
kernel_size = [2]
[operators.max]
kind = "MaxPool"
input_size = [4]
kernel_size = [2]
stride = 1
[operators.pair]
kind = "MaxPool"
input_size = [3]
kernel_size = [2]
stride = 1
"""
QUESTION = """
[[questions]]
id = "{id}"
title = "t"
ask = "values"
operator = "{operator}"
input = "{input}"
"""
GRADIENT = """
[[questions]]
id = "{operator}"
title = "t"
ask = "derivation"
operator = "{operator}"
wrt = ["weight"]
sizes = "declared"
"""


def flat(blocks: tuple[Block, ...]) -> Iterator[Block]:
    """All blocks, those on tinted ground included."""
    for block in blocks:
        yield block
        if isinstance(block, Band):
            yield from flat(block.blocks)


def said(questions: str, words: str) -> list[str]:
    """What is said of a printed answer, reasons of lines included."""
    found = []
    for block in flat(build_document(read_problem(FILE + questions)).blocks):
        runs = block.body if isinstance(block, Paragraph) else ()
        if isinstance(block, RelationLine) and block.reason is not None:
            runs = block.reason.body
        text = "".join(getattr(run, "text", "") for run in runs)
        if words in text:
            found.append(text)
    return found


@pytest.mark.parametrize(
    ("printed", "text"),
    [
        ("[5, 5, 4]", "The printed answer agrees."),
        ("[5, 5, 5]", "One of its entries differs."),
        ("[4, 5, 5]", "2 of its entries differ."),
        ("[1, 2, 3]", "3 of its entries differ."),
    ],
)
def test_there_is_no_talk_of_readings_where_there_is_one_answer(printed: str, text: str) -> None:
    question = QUESTION.format(id="1", operator="max", input="A") + f"printed = {printed}\n"
    assert said(question, "printed answer") + said(question, "differ") == [text]
    assert said(question, "reading") == []


@pytest.mark.parametrize(
    ("printed", "text"),
    [
        # a correlation gives 11, 9, 10, a convolution 7, 12, 8
        ("[11, 10]", "The printed answer is the one for the cross-correlation."),
        ("[12, 12]", "The printed answer is the one for the flipped convolution."),
        ("[11, 9]", "No reading gives it; one of its entries differs from the first one."),
        ("[1, 2]", "No reading gives it; 2 of its entries differ from the first one."),
    ],
)
def test_of_several_readings_the_one_that_is_printed_is_named(printed: str, text: str) -> None:
    first = QUESTION.format(id="1", operator="conv", input="A") + 'weight = "B"\n'
    question = first + QUESTION.format(id="2", operator="pair", input="1") + f"printed = {printed}\n"
    assert said(question, "is the one for") + said(question, "No reading") == [text]


def test_arrays_that_differ_by_their_size_alone_have_two_definitions() -> None:
    def sizes(*operators: str) -> list[str]:
        questions = "".join(GRADIENT.format(operator=name) for name in operators)
        blocks = build_document(read_problem(FILE + questions)).blocks
        rows = [row for block in blocks if isinstance(block, Notation) for row in block.rows]
        assert [row.number for row in rows] == [f"D{k}" for k in range(1, len(rows) + 1)]
        return [str(getattr(row.size[0], "latex", "")) for row in rows]

    assert sizes("conv") == ["3", "3"]
    assert sizes("conv", "long") == ["3", "3", "5", "5"]
