"""A problem file as a frozen record: its operators, its networks, its data, its questions in order, its claims."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from symconv.claims.source import ClaimSource
from symconv.operators.base import Operator
from symconv.operators.networks.network import Network
from symconv.problems.naming import entry_letter
from symconv.problems.schema import Where

__all__ = ["Declared", "Layers", "Problem", "Question", "Settled", "Solution", "SolutionLine", "Variants"]


@dataclass(frozen=True)
class Declared:
    """An operator of a problem file with the input size that it is applied to.

    Attributes:
        name: its name in the file.
        op: the operator.
        input_size: the spatial sizes of its input, declared or run on through the networks that it is a layer of; ()
            where neither says it.
        names: what its arrays are called, by role, as the file spells them: a whole array by the name itself, an entry
            by the small letter.
    """

    name: str
    op: Operator
    input_size: tuple[int, ...]
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def letters(self) -> dict[str, str]:
        """The letters of entries, by role."""
        return {role: entry_letter(name) for role, name in self.names.items()}


@dataclass(frozen=True)
class Layers:
    """A network of a problem file: its layers, the size of its input, and the names of the data that it runs on.

    Attributes:
        name: its name in the file.
        network: the layers, by their names in the file.
        layers: what the file declares of each.
        input_shape: the shape of the input, with its channels where there is an axis for them.
        input: the name of the input in the data; "" where there is none.
        weights: by layer and role the names of arrays in the data; {} where there are none.
        unit: what gradients are printed as multiples of; None where the file leaves it open.
    """

    name: str
    network: Network
    layers: Mapping[str, Declared]
    input_shape: tuple[int, ...]
    input: str = ""
    weights: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    unit: Fraction | None = None


@dataclass(frozen=True)
class Question:
    """One question of a problem file.

    Attributes:
        id, title, names, index_base: as in the file; letters and base are those of the file where it says nothing.
        asks: what is asked, in order.
        operators: what it is about, or
        network: the network that it is about.
        own: the keys that its kinds of question have for themselves, each with its default where the file says nothing.
        text: the words of the exercise.
        points: what it is worth where it is graded; None where the file leaves it out.
    """

    id: str
    title: str
    asks: tuple[str, ...]
    operators: tuple[Declared, ...] = ()
    network: Layers | None = None
    own: Mapping[str, Any] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    index_base: int = 1
    text: str = ""
    points: Fraction | None = None


@dataclass(frozen=True)
class SolutionLine:
    """One line of a solution.

    Attributes:
        id: the id of the solution and the number of the line, such as "8 L3".
        number: the number of the line, such as "L3".
        says: what is said in words: "parameters", "size", "receptive-field" or "max-pool-gradient"; or
        latex: the line in LaTeX.
        as_written: the words of the solution, with mathematics.
        of: the layer that it is about.
        equals: what it says that something is.
        general: for numbers of the line, what they stand for in general.
        sizes: letters for sizes.
        routes_to: where a gradient of a maximum is said to go.
        upstream: by letter the array that it is the gradient by.
    """

    id: str
    number: str
    says: str = ""
    latex: str = ""
    as_written: str = ""
    of: str = ""
    equals: Any = None
    general: Mapping[str, Any] = field(default_factory=dict)
    sizes: Mapping[str, str] = field(default_factory=dict)
    routes_to: str = ""
    upstream: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Solution:
    """A solution: the question that its lines answer, the network they are about, and the lines in order."""

    question: Question
    chain: Layers
    lines: tuple[SolutionLine, ...]


@dataclass(frozen=True)
class Settled:
    """What is settled for the claims of a file, or of one of its questions.

    Attributes:
        names: letters.
        base: where indices start.
        outside: what entries outside their tensors count as; "" where that is open.
        declared: what else they may speak of, by the keys of a claim.
    """

    names: Mapping[str, str]
    base: int
    outside: str
    declared: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Variants:
    """How the variants of a class differ, and what a named slip is worth.

    Attributes:
        keep: the names of data that are the same for everybody.
        letters: whether arrays get letters of their own.
        slip_share: which share of the points an answer with one named slip earns.
    """

    keep: tuple[str, ...] = ()
    letters: bool = True
    slip_share: Fraction = Fraction(0)


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
    text: str = ""
    networks: Mapping[str, Layers] = field(default_factory=dict)
    solutions: tuple[Solution, ...] = ()
    settled: Mapping[str, Settled] = field(default_factory=dict)  # for the claims of each question
    variants: Variants = Variants()

    def where(self, question: Question) -> Where:
        """The place of a question, for messages."""
        return Where(self.file, (f"question {question.id!r}",))
