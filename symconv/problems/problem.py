"""A problem file as a frozen record: its operators, its data, its questions in order, its claims."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from symconv.claims.source import ClaimSource
from symconv.operators.base import Operator
from symconv.problems.schema import Where

__all__ = ["Declared", "Problem", "Question"]


@dataclass(frozen=True)
class Declared:
    """An operator of a problem file with the input size that it is applied to."""

    name: str
    op: Operator
    input_size: tuple[int, ...]


@dataclass(frozen=True)
class Question:
    """One question of a problem file.

    Attributes:
        id, title, ask, names, index_base: as in the file; letters and base are those of the file where it says nothing.
        operators: what it is about.
        own: the keys that its kind of question has for itself, each with its default where the file says nothing.
    """

    id: str
    title: str
    ask: str
    operators: tuple[Declared, ...] = ()
    own: Mapping[str, Any] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    index_base: int = 1


@dataclass(frozen=True)
class Problem:
    """A problem file, read and checked."""

    title: str
    questions: tuple[Question, ...]
    operators: Mapping[str, Declared]
    data: Mapping[str, Any]
    author: str = ""
    lead: str = ""
    index_base: int = 1
    names: Mapping[str, str] = field(default_factory=dict)
    file: str = ""
    claims: tuple[ClaimSource, ...] = ()
    outside: str = ""

    def where(self, question: Question) -> Where:
        """The place of a question, for messages."""
        return Where(self.file, (f"question {question.id!r}",))
