"""Answers that are remembered from one build of a page to the next, so that only what changed is derived again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeVar

from symconv.problems.answers.desk import Desk

__all__ = ["AnswerMemory"]

Part = TypeVar("Part")

_OWN = frozenset({"problem", "progress"})  # what belongs to one build
MOST = 1_000
"""So many parts are remembered; then all are forgotten, which costs one build."""


class AnswerMemory:
    """Parts of a document by what they depend on: their own content, and how far the desk was.

    A part that is remembered leaves on the desk what it left there when it was made: the numbers of its statements,
    their marks, its definitions.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[Any, dict[str, Any]]] = {}

    def part(self, desk: Desk, content: object, make: Callable[[], Part]) -> Part:
        """What `make` gives, or what it gave for the same content at the same place.

        Args:
            desk: the desk that `make` works on.
            content: all that the part depends on besides the desk; told apart by its `repr`.
            make: works it out.
        """
        key = hashlib.sha256(repr((content, _place(desk))).encode()).hexdigest()
        if key in self._known:
            part, left = self._known[key]
            _put(desk, left)
            return part  # type: ignore[no-any-return]
        before = {name: _copied(getattr(desk, name)) for name in _names()}
        part = make()
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[key] = part, {name: _added(before[name], getattr(desk, name)) for name in _names()}
        return part


def _names() -> list[str]:
    return [entry.name for entry in fields(Desk) if entry.name not in _OWN]


def _place(desk: Desk) -> tuple[object, ...]:
    """What an answer may read of the desk: its counters, the definitions, results, networks and numbers there are."""
    numbers = [number for number, _ in desk.checked]
    return desk._count, desk._figures, desk._definitions, desk.results, tuple(desk.working), numbers


def _copied(value: Any) -> Any:
    return value if isinstance(value, int) else type(value)(value)


def _added(before: Any, after: Any) -> Any:
    """What has come to a counter, a list, a set or a table."""
    if isinstance(after, int):
        return after - before
    if isinstance(after, list):
        return after[len(before) :]
    if isinstance(after, set):
        return after - before
    return {name: value for name, value in after.items() if name not in before or before[name] is not value}


def _put(desk: Desk, left: dict[str, Any]) -> None:
    for name, added in left.items():
        value = getattr(desk, name)
        if isinstance(value, int):
            setattr(desk, name, value + added)
        elif isinstance(value, list):
            value.extend(added)
        else:
            value.update(added)
