"""The verdict on every answer of a student: right, right as it follows, a slip by its name, or wrong.

In this order: an answer that is what is due is right, whatever else it may be. One that is what earlier answers of the
student lead to is right as well, unless they have made it trivial. Then every slip is tried that this exercise has; the
first that gives the answer is named, with the others that cannot be told from it here. Then what any array may suffer:
a sign, rows for columns, a factor, one entry.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias

import numpy as np

from symconv.grading.graph import Slip, Value, bare, same
from symconv.grading.items import Item, Items
from symconv.grading.written import WrittenAnswer, agrees, right_entries

__all__ = ["Grade", "Status", "judge"]

Status: TypeAlias = Literal["right", "consistent", "slip", "wrong", "missing", "unreadable"]

MOST_TIMES_LARGER = 4
MANY_WRONG = 3


@dataclass(frozen=True)
class Grade:
    """What is said of one answer.

    Attributes:
        item: what was asked.
        status: right; consistent with a wrong answer before; a slip; wrong; missing; unreadable.
        points: what it earns.
        slip: the name of the slip; "" for none.
        words: what is said to the student.
        entries: which entries are right, row by row; () where there is nothing to compare with.
        given: the answer; None where there is none.
        due: what is right here, or what the student's earlier answers lead to.
    """

    item: Item
    status: Status
    points: Fraction
    slip: str = ""
    words: str = ""
    entries: tuple[bool, ...] = ()
    given: WrittenAnswer | None = None
    due: Value | None = None


def judge(
    items: Items, answers: Mapping[str, WrittenAnswer | str | None], slip_share: Fraction = Fraction(0)
) -> list[Grade]:
    """The grades of all items.

    Args:
        items: what was asked.
        answers: by the ids of items what was written; a text says why it could not be read, None or nothing that it is
            missing.
        slip_share: the share of its points that an answer with one named slip earns.
    """
    wrong: dict[str, Value] = {}
    right: set[str] = set()
    asked = {item.key for item in items.items}
    for item in items.items:
        answer = answers.get(item.id)
        if isinstance(answer, WrittenAnswer):
            if agrees(answer, items.right(item)):
                right.add(item.key)
            elif _usable(answer, items.right(item)):
                wrong[item.key] = answer.values.reshape(_shape_as(answer.values, items.right(item)))
    return [_grade(items, item, answers.get(item.id), wrong, asked, slip_share) for item in items.items]


def _usable(answer: WrittenAnswer, due: Value) -> bool:
    """Whether work can go on with a wrong answer: it is about as large as what is due."""
    values = bare(answer.values)
    shape = bare(due).shape
    return values.ndim == len(shape) and all(n <= MOST_TIMES_LARGER * max(m, 2) for n, m in zip(values.shape, shape))


def _shape_as(values: Value, due: Value) -> tuple[int, ...]:
    """The shape of an answer with as many axes as what is due."""
    shape = bare(values).shape
    return (*((1,) * (due.ndim - len(shape))), *shape)


def _grade(
    items: Items,
    item: Item,
    answer: WrittenAnswer | str | None,
    wrong: Mapping[str, Value],
    asked: set[str],
    slip_share: Fraction,
) -> Grade:
    zero, due = Fraction(0), items.right(item)
    if answer is None:
        return Grade(item, "missing", zero, words="No answer.", due=due)
    if isinstance(answer, str):
        return Grade(item, "unreadable", zero, words=answer, due=due)
    if agrees(answer, due):
        return Grade(item, "right", item.points, given=answer, due=due)
    entries = tuple(right_entries(answer, due) or ())
    graph = items.graph
    before = {key: value for key, value in wrong.items() if key in graph.before(item.key)}
    follows = graph.instead(item.key, before) if before else None
    if follows is not None and agrees(answer, follows):
        names = ", ".join(one.id for one in items.items if one.key in before)
        if any(_trivial(value) and not _trivial(graph.right(key)) for key, value in before.items()):
            words = (
                f"It follows from your answer to {names}, where all entries are one number: nothing is left to do here."
            )
            return Grade(item, "wrong", zero, "follows-trivially", words, entries, answer, due)
        words = f"Not the value of this exercise, and what follows from your answer to {names}: full points."
        return Grade(item, "consistent", item.points, "", words, (), answer, follows)
    for given in ({}, before) if before else ({},):
        found = list(_named(items, item, answer, given, asked))
        if found:
            points = item.points * slip_share
            return Grade(item, "slip", points, found[0].name, _sentence(found), entries, answer, due)
    name, words = _of_any_array(items, item, answer, due)
    if name:
        return Grade(item, "slip", item.points * slip_share, name, words, entries, answer, due)
    return Grade(item, "wrong", zero, "", _how_wrong(answer, due, entries), entries, answer, due)


def _trivial(value: Value) -> bool:
    """Whether all entries of an array are one number."""
    flat = value.ravel().tolist()
    return len(flat) > 1 and all(entry == flat[0] for entry in flat)


def _named(
    items: Items, item: Item, answer: WrittenAnswer, given: Mapping[str, Value], asked: set[str]
) -> Iterator[Slip]:
    """The slips that give an answer."""
    for at, slip in items.graph.slips(item.key, asked):
        value = items.graph.instead(item.key, given, (at, slip))
        if value is not None and not same(value, items.right(item)) and agrees(answer, value):
            yield slip


def _sentence(found: list[Slip]) -> str:
    others = list(dict.fromkeys(slip.words for slip in found[1:] if slip.words != found[0].words))
    return found[0].words + ("".join(f" Or: {words[0].lower()}{words[1:]}" for words in others[:2]))


def _of_any_array(items: Items, item: Item, answer: WrittenAnswer, due: Value) -> tuple[str, str]:
    """A slip that any array may suffer: its name and its words."""
    values, wanted = bare(answer.values), bare(due)
    for other in items.items:
        if other.key != item.key and agrees(answer, items.right(other)) and answer.values.size > 1:
            return "wrong-field", f"This is what {other.id} asks for."
    if not wanted.ndim and values.ndim == 0 and wanted != 0 and values == -wanted:
        return "sign", "The sign is wrong."
    if not wanted.ndim:
        return "", ""
    if agrees(answer, -wanted):
        return "sign", "Every sign is wrong."
    if wanted.ndim > 1 and agrees(answer, wanted.swapaxes(-1, -2)):
        return "transposed", "Rows and columns of the result are exchanged."
    if wanted.ndim > 1 and agrees(answer, wanted[..., ::-1, ::-1]):
        return "turned", "The result is turned by a half."
    if wanted.ndim == 1 and wanted.size > 1 and agrees(answer, wanted[::-1]):
        return "turned", "The order of the entries is turned around."
    if values.shape == wanted.shape and wanted.size > 1 and item.kind == "array":
        return _by_entries(values, wanted, tuple(right_entries(answer, due) or ()))
    return "", ""


def _by_entries(values: Value, wanted: Value, entries: tuple[bool, ...]) -> tuple[str, str]:
    """A factor, a constant or single entries that tell two arrays of one shape apart."""
    pairs = list(zip(values.ravel().tolist(), wanted.ravel().tolist(), strict=True))
    off = entries.count(False)
    if off == 1 and len(entries) > 2:
        place = np.unravel_index(entries.index(False), values.shape)
        at = ", ".join(str(int(n) + 1) for n in place)
        return "one-entry", f"One entry is wrong, and all others are right: that at ({at})."
    if not all(isinstance(due, Fraction | int) for _, due in pairs):
        return "", ""
    factors = {value / Fraction(due) for value, due in pairs if due != 0}
    if len(factors) == 1 and all(value == 0 for value, due in pairs if due == 0):
        factor = factors.pop()
        if factor:
            return "factor", f"Every entry is {factor} times what it should be."
    constants = {value - due for value, due in pairs}
    if len(constants) == 1:
        return "constant", f"Every entry is off by {constants.pop()}."
    return "", ""


def _how_wrong(answer: WrittenAnswer, due: Value, entries: tuple[bool, ...]) -> str:
    """What can be said of an answer that no slip explains."""
    shape, wanted = bare(answer.values).shape, bare(due).shape
    if shape != wanted:
        return f"It must be {_shaped(wanted)}, and this is {_shaped(shape)}."
    if len(entries) < 2:
        return "Not the right value."
    off = entries.count(False)
    return f"{off} of {len(entries)} entries are wrong." if off > 1 else "One of its entries is wrong."


def _shaped(shape: tuple[int, ...]) -> str:
    if not shape:
        return "one number"
    if len(shape) == 1:
        return f"a list of {shape[0]}"
    return "×".join(map(str, shape))
