"""Questions for values: what every layer of a network gives, in exact numbers, and entries written out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from symconv.errors import ProblemFileError
from symconv.formulas.printing import LATEX
from symconv.operators.networks.shape import INPUT
from symconv.problems.answers.desk import Desk, words
from symconv.problems.answers.exact_text import approximation, is_long
from symconv.problems.answers.running import Running, running, too_large
from symconv.problems.answers.showing import array_lines, entry_line
from symconv.problems.chains import chain_of
from symconv.problems.problem import Question
from symconv.report.document import Block, Inline, Paragraph
from symconv.report.ledger import NOTHING, Basis

__all__ = ["SUMMED", "WORKED_OUT", "forward", "places_of"]

WORKED_OUT = Basis(NOTHING, "every entry from the formula of its layer, in exact arithmetic")
SUMMED = Basis("the sum added up again, term by term", "the formula of the layer at that place, in exact arithmetic")


def forward(desk: Desk, question: Question) -> list[Block]:
    """The input and what every layer gives; entries that are asked for as full sums."""
    where = desk.problem.where(question)
    chain = chain_of(question, where, desk.problem.data)
    why = too_large(chain)
    if why:
        return [Paragraph(words(why), wide=True)]
    run = running(desk, question)
    names = run.names
    blocks: list[Block] = []
    given = [(LATEX.name(names[INPUT]["output"]), run.input)]
    given += [
        (LATEX.name(names[layer][role]), array) for layer, own in run.parameters.items() for role, array in own.items()
    ]
    for name, array in given:
        blocks += array_lines(desk, name, array, "Given", (), Basis(NOTHING, "the data of the file"))
    for layer in chain.network.names:
        for place in places_of(run, layer, "output", question.own.get("written_out")):
            blocks.append(_written(desk, run, layer, place))
        rule = f"{type(chain.network[layer]).__name__}."
        value = run.values[layer]
        blocks += array_lines(desk, LATEX.name(names[layer]["output"]), value, rule, _rounded(value), WORKED_OUT)
    return blocks


def _rounded(array: Any) -> tuple[Inline, ...]:
    """That numbers are rounded, where some are; a decimal beside an exact number with e or a logarithm in it."""
    entries = array.ravel().tolist()
    if any(is_long(value) for value in entries):
        return words("after the sign of approximation rounded to four places, exact behind it.")
    if len(entries) == 1 and hasattr(entries[0], "free_symbols"):
        return words(f"about {approximation(entries[0])}.")
    return ()


def places_of(run: Running, layer: str, role: str, wanted: Any) -> Iterator[tuple[int, ...]]:
    """The places of an array that are to be written out, counted from the base."""
    name = run.names[layer][role]
    places = (wanted or {}).get(name, (wanted or {}).get("", ()))
    shape = run.shapes[layer] if role == "output" else run.parameters[layer][role].shape
    if places == "all":
        places = [tuple(i + run.base for i in at) for at in np.ndindex(*shape)]
    for place in places:  # an axis of one channel may be left out
        yield (*((run.base,) * (len(shape) - len(place))), *place)


def _written(desk: Desk, run: Running, layer: str, place: tuple[int, ...]) -> Block:
    found = run.output_sum(layer, place)
    due = run.values[layer][tuple(i - run.base for i in place)]
    if _differ(found.value, due):
        raise ProblemFileError(f"the sum of {layer} at {place} is {found.value}, and the network says {due}")
    name = run.entry_name(layer, "output", place)
    return entry_line(
        desk, name, found, "Written out.", words(f"{layer}; products with a factor 0 are left out."), SUMMED
    )


def _differ(one: Any, other: Any) -> bool:
    if hasattr(one, "free_symbols") or hasattr(other, "free_symbols"):
        return False  # numbers with e or a logarithm have many forms
    return bool(one != other)
