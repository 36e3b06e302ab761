"""What can be asked, as one record a kind of question."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from symconv.problems.problem import Question
from symconv.problems.schema import Key, Where

if TYPE_CHECKING:
    from symconv.problems.answers.desk import Desk
    from symconv.report.document import Block

__all__ = ["Ask", "ReadSoFar", "unknown_name"]


@dataclass(frozen=True)
class ReadSoFar:
    """What a question may name: data, and the questions before it."""

    data: Mapping[str, Any]
    earlier: tuple[Question, ...]


Needs: TypeAlias = Callable[[Question, Where, ReadSoFar], None]


def _nothing(question: Question, where: Where, so_far: ReadSoFar) -> None:
    """No need beyond the keys."""


@dataclass(frozen=True)
class Ask:
    """A kind of question.

    Attributes:
        words: what is asked, in a line.
        answer: the blocks that a report says to it. It imports what it works with when it is called, so that reading a
            file needs none of it. Kinds that have one answer are answered together where a question asks for several.
        keys: the keys of a question that only this kind has.
        several: whether it may be about more than one operator.
        of_operators, of_networks: whether it may be about an operator, and about a network.
        needs: refuses a question that lacks what the answer needs beyond its keys, with a `ProblemFileError`.
        examples: questions of the file that ``symconv init`` writes, as the values of keys; the ids are counted there.
    """

    words: str
    answer: Callable[[Desk, Question], list[Block]]
    keys: Mapping[str, Key] = field(default_factory=dict)
    several: bool = False
    of_operators: bool = True
    of_networks: bool = False
    needs: Needs = _nothing
    examples: tuple[Mapping[str, str], ...] = ()


def unknown_name(what: str, name: str, known: Mapping[str, Any]) -> str:
    """The message about a name that is not declared, with the nearest that is."""
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"declared: {', '.join(known) or 'none'}"
    return f"names the {what} {name!r}, which is not declared; {hint}"
