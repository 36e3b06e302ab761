"""One exercise a student: the numbers and the letters drawn anew, until every known slip gives an answer of its own.

What is drawn keeps what makes the exercise as hard as it was: arrays keep their shapes, entries stay in the range and
among the fractions of the file's own, no denominator is larger than there, and maxima tie where the file has them tie
and nowhere else. The seed and the name of the student decide all of it.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import lcm
from typing import Any

import numpy as np

from symconv.errors import ProblemFileError, SymconvError
from symconv.grading.graph import Value, bare, same
from symconv.grading.items import Items, items_of
from symconv.grading.lettering import drawn_letters, with_letters
from symconv.grading.toml_text import toml_text
from symconv.problems.problem import Problem
from symconv.problems.reading import read_problem, read_table

__all__ = ["Blueprint", "Variant", "blueprint", "variant"]

MOST_DRAWS = 40
PROBES = 4  # draws in which slips that no numbers tell apart must all coincide
MOST_LARGER = 2  # times the largest number of the file's own exercise
LEFT_OUT = ("claims", "declare", "solutions", "author")  # what is about claims, in letters of the file's own
LEFT_OUT_OF_QUESTIONS = ("declare", "outside", "printed")


@dataclass(frozen=True)
class Variant:
    """The exercise of one student.

    Attributes:
        text: its problem file.
        problem: that file, read.
        items: what it asks for.
        hidden: by item the slips that other numbers would have told apart, and none were found that do.
    """

    text: str
    problem: Problem
    items: Items
    hidden: tuple[str, ...]


@dataclass(frozen=True)
class Blueprint:
    """The exercise that variants are drawn from, with what they are measured by.

    Attributes:
        table: the file as TOML has it, without claims, solutions and printed answers.
        name: its name in messages.
        problem: the file, read.
        largest: the largest number that it asks for.
        denominator: the common denominator of all numbers that it asks for.
        odd: how many of these numbers are not rational.
        by_hand: the questions that nobody grades here.
        structural: slips that no numbers tell apart, such as a padding forgotten and one counted once where it is 1.
        ties: the items where it matters which of several equal maxima is taken.
    """

    table: Mapping[str, Any]
    name: str
    problem: Problem
    largest: Fraction
    denominator: int
    odd: int
    by_hand: tuple[str, ...]
    structural: frozenset[tuple[str, str, str]]
    ties: frozenset[str]


def blueprint(text: str, name: str) -> Blueprint:
    """What variants are drawn from.

    Raises:
        ProblemFileError: for a file that is wrong, or that asks for nothing that can be graded.
    """
    read_problem(text, name)  # from here on every table is what it should be
    table = {key: value for key, value in read_table(text, name).items() if key not in LEFT_OUT}
    table["questions"] = [
        {key: value for key, value in question.items() if key not in LEFT_OUT_OF_QUESTIONS}
        for question in table.get("questions", [])
    ]
    if not table["questions"]:
        raise ProblemFileError(f"{name}: has no questions; add tables [[questions]]")
    problem = read_problem(toml_text(table), name)
    items = items_of(problem)
    largest, denominator, odd = _measures(items)
    slipped = list(_slipped(items))
    plan = Blueprint(
        table, name, problem, largest, denominator, odd, tuple(items.by_hand), frozenset(), frozenset(_ties(slipped))
    )
    drawn = [frozenset(_coincidences(slipped))]
    for attempt in range(2 * PROBES):
        draw = random.Random(attempt)  # noqa: S311 - no secret
        try:
            probed = _slipped(items_of(read_problem(toml_text(_drawn(plan, draw)), name)))
            drawn.append(frozenset(_coincidences(probed)))
        except SymconvError:
            continue  # letters that clash, a maximum that ties
        if len(drawn) > PROBES:
            break
    return replace(plan, structural=frozenset.intersection(*drawn))


def variant(plan: Blueprint, seed: int, student: str) -> Variant:
    """The exercise of a student, the same whenever seed and student are.

    The first of `MOST_DRAWS` draws in which nothing is hidden that a draw can show; else the best of them.
    """
    best: tuple[tuple[int, ...], Variant] | None = None
    for attempt in range(MOST_DRAWS):
        draw = random.Random(hashlib.sha256(f"{seed}\n{attempt}\n{student}".encode()).digest())  # noqa: S311 - no secret
        try:
            text = toml_text(_drawn(plan, draw))
            problem = read_problem(text, plan.name)
            items = items_of(problem)
            largest, denominator, odd = _measures(items)
            if odd > plan.odd and best is not None:
                continue  # numbers with e in them, where the file has none
            slipped = list(_slipped(items))
            ties, found = frozenset(_ties(slipped)), frozenset(_coincidences(slipped))
        except SymconvError:
            continue  # letters that clash, a tie where maxima must not, a division by 0
        hidden = found - plan.structural
        larger = largest > MOST_LARGER * plan.largest
        faults = (max(0, odd - plan.odd), len(ties ^ plan.ties), denominator > plan.denominator, len(hidden), larger)
        made = Variant(
            text, problem, items, tuple(sorted(": ".join((item, f"{one} and {other}")) for item, one, other in hidden))
        )
        if best is None or faults < best[0]:
            best = faults, made
        if not any(faults):
            break
    if best is None:
        raise ProblemFileError(f"{plan.name}: no numbers were found for which every question has an answer")
    return best[1]


def _drawn(plan: Blueprint, draw: random.Random) -> dict[str, Any]:
    """The file with numbers and letters drawn."""
    table = dict(plan.table)
    targets = {op.get("target") for op in table["operators"].values() if isinstance(op.get("target"), str)}
    for net in table.get("networks", {}).values():
        targets |= {own["target"] for own in net.get("weights", {}).values() if "target" in own}
    data = {}
    for name, value in plan.problem.data.items():
        keep = name in plan.problem.variants.keep
        data[name] = table["data"][name] if keep else _redrawn(value, draw, shuffled=name in targets)
    table["data"] = data
    if not plan.problem.variants.letters:
        return table
    return with_letters(table, drawn_letters(table, draw))


def _redrawn(value: Any, draw: random.Random, *, shuffled: bool) -> Any:
    """An array of the same shape: as many zeros, and entries of the same kind in the same range."""
    array = np.array(value, dtype=object)
    own = [Fraction(entry) for entry in array.ravel().tolist()]
    if shuffled or len(set(own)) == 1:
        new = list(own)
    else:
        whole = range(-(-min(own).numerator // min(own).denominator), max(own).numerator // max(own).denominator + 1)
        palette = sorted({*own, *map(Fraction, whole)} - {Fraction(0)})
        zeros = own.count(Fraction(0))
        new = [Fraction(0)] * zeros + [draw.choice(palette) for _ in range(len(own) - zeros)]
    draw.shuffle(new)
    made = np.empty(array.size, object)
    made[:] = new
    return made.reshape(array.shape).tolist()


def _measures(items: Items) -> tuple[Fraction, int, int]:
    """The largest rational number that is asked for, the common denominator of these, and how many others there are."""
    entries = [entry for item in items.items for entry in items.right(item).ravel().tolist()]
    numbers = [Fraction(entry) for entry in entries if isinstance(entry, Fraction | int)]
    largest = max(map(abs, numbers), default=Fraction(0))
    return largest, lcm(*(number.denominator for number in numbers)), len(entries) - len(numbers)


def _slipped(items: Items) -> Iterator[tuple[str, str, Value]]:
    """Every slip with what it gives, by item; what is due goes under the name "right"."""
    asked = {item.key for item in items.items}
    for item in items.items:
        yield item.id, "right", items.right(item)
        for at, slip in items.graph.slips(item.key, asked):
            value = items.graph.instead(item.key, {}, (at, slip))
            if value is not None:
                yield item.id, slip.name, value


def _coincidences(slipped: Iterable[tuple[str, str, Value]]) -> Iterator[tuple[str, str, str]]:
    """Slips of an item that give what is due, or what another slip gives; whether maxima tie is another matter."""
    seen: dict[tuple[str, Any], str] = {}
    for item, name, value in slipped:
        shown = bare(value)
        key = item, (shown.shape, tuple(shown.ravel().tolist()))
        first = seen.setdefault(key, name)
        if first != name and not (name == "ties" and first == "right"):
            yield item, first, name


def _ties(slipped: Sequence[tuple[str, str, Value]]) -> Iterator[str]:
    """The items where it matters which of several equal maxima is taken."""
    right = {item: value for item, name, value in slipped if name == "right"}
    for item, name, value in slipped:
        if name == "ties" and not same(value, right[item]):
            yield item
