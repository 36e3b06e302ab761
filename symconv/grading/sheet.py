"""The sheet of a student: what is given and what is asked, without a word of the answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from symconv.grading.items import Items
from symconv.operators.base import Operator
from symconv.operators.option import option_fields
from symconv.problems.answers.desk import matrix, words
from symconv.problems.answers.prose import prose
from symconv.problems.ask import Ask
from symconv.problems.asks import ASKS
from symconv.problems.problem import Declared, Layers, Problem, Question
from symconv.report.document import Block, Display, Document, Inline, Math, Paragraph, Section, Text
from symconv.report.exercise import Asked, Grid, GridCell, Grids, Sheet
from symconv.report.numbers import cell_text
from symconv.report.worked import layer_words

__all__ = ["array_blocks", "described", "sheet"]

MOST_IN_DISPLAY = 36


def sheet(problem: Problem, items: Items, name: str) -> Document:
    """The exercise of a student as a document.

    Args:
        problem: the student's variant.
        items: what it asks for.
        name: whose it is, as it stands under the title.
    """
    blocks: list[Block] = []
    if problem.text:
        blocks.append(Asked(prose(problem.text)))
    used = _data(problem)
    if used:
        blocks.append(Section("given", "", (Text("Given"),)))
        for data in used:
            blocks += array_blocks(data, problem.data[data])
    layers = list(_declared(problem))
    if layers:
        blocks.append(Section("layers", "", (Text("Layers"),)))
        rows = tuple(
            (words(declared.name), words(described(declared.op)), words(_size(declared))) for declared in layers
        )
        blocks.append(Sheet((words("name"), words("layer"), words("input")), rows, texts=True))
    for question in problem.questions:
        blocks += _question(problem, items, question)
    lead: tuple[Inline, ...] = words(problem.lead) if problem.lead else ()
    return Document(problem.title, lead, tuple(blocks), (), name, problem.title.split(":")[0][:60])


def _question(problem: Problem, items: Items, question: Question) -> Iterator[Block]:
    own = [item for item in items.items if item.question == question.id]
    points = sum(item.points for item in own) if own else question.points
    note = words(f"{points} {'point' if points == 1 else 'points'}") if points else ()
    yield Section(f"q-{question.id}", question.id, (Text(question.title),), note)
    if question.text:
        yield Asked(prose(question.text))
    yield Paragraph(words(*_about(problem, question)), wide=True)
    for item in own:
        mark = f"In the form, {item.id}: {item.words}." if len(items.items) > 1 else f"{item.words}."
        yield Paragraph(words(mark), wide=True)


def _about(problem: Problem, question: Question) -> Iterator[str]:
    """What is asked, and of what."""
    asks: list[Ask] = [ASKS[word] for word in question.asks]
    said = "; ".join(ask.words for ask in asks)
    yield f"{said[0].upper()}{said[1:]}"
    if question.network is not None:
        yield f". The network is {question.network.name}"
    elif question.operators:
        names = [declared.name for declared in question.operators]
        yield f". The layer{'s are' if len(names) > 1 else ' is'} {', '.join(names)}"
    own = question.own
    for key, what in (
        ("input", "its input"),
        ("weight", "its weight"),
        ("bias", "its bias"),
        ("upstream", "the gradient by its output"),
    ):
        name = own.get(key)
        if not name:
            continue
        if name == "ones":
            yield f", {what} is all ones"
        elif name in problem.data:
            yield f", {what} is {name}"
        else:
            yield f", {what} is the output of question {name}"
    if own.get("rate") is not None:
        yield f", the rate is {own['rate']}"
    yield "."


def _data(problem: Problem) -> list[str]:
    """The data that questions name, in the order of the file."""
    used: set[str] = set()
    for question in problem.questions:
        used |= {str(question.own.get(key)) for key in ("input", "weight", "bias", "upstream")}
        if question.network is not None:
            used |= _of_network(question.network)
    return [name for name in problem.data if name in used]


def _of_network(chain: Layers) -> set[str]:
    return {chain.input, *(name for own in chain.weights.values() for name in own.values())}


def _declared(problem: Problem) -> Iterator[Declared]:
    """The layers that questions are about, in the order of the file."""
    asked: set[str] = set()
    for question in problem.questions:
        asked |= {declared.name for declared in question.operators}
        if question.network is not None:
            asked |= set(question.network.network.names)
    return (declared for name, declared in problem.operators.items() if name in asked)


def described(op: Operator) -> str:
    """A layer with its options in words: "Convolution, kernel 3×3, stride 2"."""
    parts = [layer_words(op)]
    for name, (option, entry) in option_fields(type(op)).items():
        value = getattr(op, entry.name)
        silent = option.is_neutral(value) and name != "stride"  # that of a pooling is the window where it is not said
        if not option.noun or silent or value is None:
            continue
        if isinstance(value, bool):
            parts.append(option.noun)
        else:
            parts.append(f"{option.noun or name} {_shown(value, name)}")
    return ", ".join(parts)


def _shown(value: Any, name: str) -> str:
    if not isinstance(value, tuple):
        return str(value).replace("_", " ")
    whole = name in ("kernel_size", "output_size")
    shown = [_shown(entry, "") for entry in value]
    if whole:
        return "×".join(shown)
    return shown[0] if len(set(shown)) == 1 else f"({', '.join(shown)})"


def _size(declared: Declared) -> str:
    return "×".join(map(str, declared.input_size)) or "what the layer before gives"


def array_blocks(name: str, data: Any) -> Iterator[Block]:
    """An array by its name: small ones as a matrix, others as tables of their planes."""
    array = np.array(data, dtype=object)
    letter = name if len(name) == 1 else rf"\mathrm{{{name}}}" if name.isalnum() else rf"\text{{{name}}}"
    if array.ndim <= 2 and array.size <= MOST_IN_DISPLAY:
        yield Display(Math(f"{letter} = {matrix(data).latex}"))
        return
    planes = array.reshape(-1, *array.shape[-2:]) if array.ndim > 1 else array.reshape(1, 1, -1)
    grids = []
    for number, plane in enumerate(planes, 1):
        cells = tuple(tuple(GridCell(cell_text(value)) for value in row) for row in plane.tolist())
        label = f"{name}, plane {number}" if len(planes) > 1 else name
        grids.append(
            Grid(cells, label, size="wide", caption=Math(f"{letter}^{{({number})}}" if len(planes) > 1 else letter))
        )
    yield Grids(tuple(grids))
