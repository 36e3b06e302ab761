"""The syntax tree of claims: what both front ends (Python-like text and LaTeX) read, and nothing about its meaning."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal, TypeAlias

__all__ = [
    "ENTRY",
    "EVERYWHERE",
    "TRANSPOSED",
    "Binary",
    "Call",
    "Cases",
    "Claim",
    "Condition",
    "Derivative",
    "Entry",
    "Expr",
    "Fold",
    "Limit",
    "MatrixLiteral",
    "Name",
    "Negate",
    "Number",
    "Over",
    "Raised",
    "Range",
    "Relation",
    "SetOf",
    "Sum",
    "sum_over",
]

Relation: TypeAlias = Literal["==", "<=", ">=", "<", ">"]

Fold: TypeAlias = Literal["sum", "max", "min"]

Span: TypeAlias = "tuple[int, int]"
"""First character and one past the last, in the source; (0, 0) for what was not written."""


@dataclass(frozen=True)
class Number:
    """An exact number. `span` tells occurrences of one number apart."""

    value: Fraction
    span: Span = field(default=(0, 0), compare=False)


@dataclass(frozen=True)
class Name:
    """A letter or word: an index, a size, an array, a set, infinity ("oo")."""

    name: str
    span: Span = field(default=(0, 0), compare=False)


EVERYWHERE = Name("everywhere")
"""The set of a sum that says no range: all values of its index at which the entries that it reads exist."""

ENTRY = "entry"
"""The function of an array expression and indices: ``(X \\star W)_{ij}``."""

TRANSPOSED = Name("transposed")
"""The exponent of a matrix with its rows for columns."""


@dataclass(frozen=True)
class Entry:
    """A name with indices below, such as ``a[i, j]``, and possibly an upper index that may be no power.

    `joined` marks a subscript without commas (``c_{ij}``, ``b_{11}``, ``x_{(i+u)(j+v)}``): `indices` then holds its
    letters, digits and brackets one by one, to be put together again where the declared rank is smaller. `close` marks
    one whose letters turned out to be its indices: LaTeX writes it without commas again. `upper` is an upper index or a
    power, which only a declaration can tell.
    """

    name: str
    indices: tuple[Expr, ...]
    upper: Expr | None = None
    joined: bool = False
    span: Span = field(default=(0, 0), compare=False)
    close: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class Binary:
    """``left op right``; "star" is a correlation sign, "ast" a bare asterisk between arrays, "odot" their product
    entry by entry."""

    op: Literal["+", "-", "*", "/", "star", "ast", "odot"]
    left: Expr
    right: Expr
    span: Span = field(default=(0, 0), compare=False)


@dataclass(frozen=True)
class Negate:
    """``-arg``."""

    arg: Expr
    span: Span = field(default=(0, 0), compare=False)


@dataclass(frozen=True)
class Raised:
    """``base ** exponent``."""

    base: Expr
    exponent: Expr
    span: Span = field(default=(0, 0), compare=False)


@dataclass(frozen=True)
class Call:
    """A function of arguments: floor, ceil, abs, max, min, size (number of elements), or a declared one such as L."""

    name: str
    args: tuple[Expr, ...]
    span: Span = field(default=(0, 0), compare=False)


@dataclass(frozen=True)
class Range:
    """``variable = lower .. upper``, inclusive."""

    variable: str
    lower: Expr
    upper: Expr


@dataclass(frozen=True)
class Over:
    """``variables in set``."""

    variables: tuple[str, ...]
    set: Expr


@dataclass(frozen=True)
class Sum:
    """A sum, maximum or minimum of a body over ranges (outermost first) or over the members of a set."""

    op: Fold
    body: Expr
    over: tuple[Range | Over, ...]
    span: Span = field(default=(0, 0), compare=False)


@dataclass(frozen=True)
class SetOf:
    """A set ``{body | members in set}``, which only a maximum is taken of."""

    body: Expr
    over: Over
    span: Span = field(default=(0, 0), compare=False)


@dataclass(frozen=True)
class Derivative:
    """The derivative of one expression by an entry, or of an error by an entry or a whole array."""

    of: Expr
    by: Expr
    span: Span = field(default=(0, 0), compare=False)


@dataclass(frozen=True)
class Condition:
    """``left relation right`` between index expressions."""

    left: Expr
    relation: Relation
    right: Expr


@dataclass(frozen=True)
class Cases:
    """Values with conditions; the last one may have none ("otherwise")."""

    rows: tuple[tuple[Expr, tuple[Condition, ...]], ...]
    span: Span = field(default=(0, 0), compare=False)


@dataclass(frozen=True)
class MatrixLiteral:
    """A matrix written out, row by row."""

    rows: tuple[tuple[Expr, ...], ...]
    span: Span = field(default=(0, 0), compare=False)


@dataclass(frozen=True)
class Limit:
    """The limit of a body as a variable goes to a value."""

    body: Expr
    variable: str
    to: Expr
    span: Span = field(default=(0, 0), compare=False)


Expr: TypeAlias = (
    "Number | Name | Entry | Binary | Negate | Raised | Call | Sum | SetOf | Derivative | Cases | MatrixLiteral | Limit"
)


@dataclass(frozen=True)
class Claim:
    """A chain of expressions with relations between neighbours; a single expression is a value for what is asked.

    Attributes:
        parts: the expressions.
        relations: one fewer than the parts.
        source: the text as it was written; it takes no part in equality.
        notes: what was read in one of several possible ways, to be reported, and words that were passed over.
        readings: what the line leaves unsaid, and was read as, such as the range of a sum; printed with the verdict.
        continues: the relation a claim begins with, where it goes on from the last part of the claim before it, as the
            second line of a chain does (``= ...``); see `follow`.
        given: the ranges of free indices that a remark behind the formula says.
    """

    parts: tuple[Expr, ...]
    relations: tuple[Relation, ...]
    source: str = field(default="", compare=False)
    notes: tuple[str, ...] = field(default=(), compare=False)
    continues: Relation | None = None
    readings: tuple[str, ...] = field(default=(), compare=False)
    given: tuple[Range, ...] = ()

    def follow(self, before: Claim) -> Claim:
        """The claim that a line beginning with a relation makes: last part of the claim before, relation, this one.

        A claim that stands on its own is returned as it is.
        """
        if self.continues is None:
            return self
        parts = (before.parts[-1], *self.parts)
        return Claim(parts, (self.continues, *self.relations), self.source, self.notes, given=self.given)


def sum_over(op: Fold, body: Expr, over: tuple[Range | Over, ...], span: Span = (0, 0)) -> Sum:
    """A sum, where a sum of a sum is one sum over all their ranges; a maximum or a minimum likewise."""
    if isinstance(body, Sum) and body.op == op:
        return Sum(op, body.body, (*over, *body.over), span)
    return Sum(op, body, over, span)
