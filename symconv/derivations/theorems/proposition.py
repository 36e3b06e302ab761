"""What one part of a theorem says, as an object: what it quantifies over, what it supposes, and what follows.

The page, the table and the terminal print this object (`writing`), the prover is handed the same one (`deciding`), and
nothing of mathematical content is typed beside it. Everything in it can be walked: it is made of frozen records of
`Index`, `Guard`-like conditions and the trees of `symconv.formulas.algebra`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from symconv.formulas.algebra import (
    Access,
    Bound,
    Constant,
    Guard,
    Node,
    Scalar,
    divides,
    equal,
    nonnegative,
    scalar,
)
from symconv.formulas.index import Index, IndexLike

__all__ = [
    "AnyInteger",
    "AnyTensor",
    "Clause",
    "Condition",
    "Divides",
    "Every",
    "Iff",
    "Let",
    "Partial",
    "Proposition",
    "Real",
    "Relation",
    "Side",
    "Sign",
    "chain",
    "index_of",
    "is_arithmetic",
    "same",
]

Sign: TypeAlias = Literal["=", "<=", ">="]


@dataclass(frozen=True)
class AnyInteger:
    """An integer that is quantified over, from `lower` to `upper` inclusive; no end where there is none."""

    name: str
    lower: Index | None = None
    upper: Index | None = None

    def guards(self) -> tuple[Guard, ...]:
        """The range as conditions."""
        mine = Index.of(self.name)
        low = () if self.lower is None else (nonnegative(mine - self.lower),)
        return low if self.upper is None else (*low, nonnegative(self.upper - mine))


@dataclass(frozen=True)
class Real:
    """A real number that is quantified over, at least `lower`."""

    name: str
    lower: Index


@dataclass(frozen=True)
class AnyTensor:
    """A tensor that is quantified over: real entries in its ranges, zero elsewhere.

    Attributes:
        name: its letter.
        ranges: the names of its indices with their ranges.
        nonnegative: whether only entries >= 0 are meant.
    """

    name: str
    ranges: tuple[Bound, ...]
    nonnegative: bool = False


@dataclass(frozen=True)
class Partial:
    """The derivative of an entry that a `Let` defines by an entry of an array, such as ``∂c[p]/∂a[i]``."""

    of: Access
    by: Access


Side: TypeAlias = "Node | Partial"


@dataclass(frozen=True)
class Let:
    """A name for a value: a size such as O (no indices, an index expression), or the entries of an array.

    Attributes:
        name: its letter.
        indices: the names of its indices.
        value: what it is, in these indices.
        ranges: where it is that; zero elsewhere. Without ranges it is that for all integers.
    """

    name: str
    indices: tuple[str, ...]
    value: Side
    ranges: tuple[Bound, ...] = ()

    @property
    def size(self) -> Index | None:
        """The index expression, where this defines a size."""
        return None if self.indices or isinstance(self.value, Partial) else index_of(self.value)


@dataclass(frozen=True)
class Relation:
    """A chain of relations, such as ``0 <= p <= O - 1``."""

    sides: tuple[Side, ...]
    signs: tuple[Sign, ...]

    def links(self) -> Iterator[tuple[Side, Sign, Side]]:
        """Its relations, two sides each."""
        yield from zip(self.sides, self.signs, self.sides[1:], strict=False)

    def guards(self) -> tuple[Guard, ...]:
        """The chain as conditions on indices; all its sides must be index expressions."""
        found: list[Guard] = []
        for left, sign, right in self.links():
            one, two = index_of(left), index_of(right)
            assert one is not None
            assert two is not None
            found.append(equal(one, two) if sign == "=" else nonnegative(two - one if sign == "<=" else one - two))
        return tuple(found)


@dataclass(frozen=True)
class Divides:
    """``divisor | of``."""

    divisor: Index
    of: Index

    def guards(self) -> tuple[Guard, ...]:
        """The condition on indices."""
        return (divides(self.divisor, self.of),)


@dataclass(frozen=True)
class Iff:
    """All of `left` if and only if all of `right`."""

    left: tuple[Condition, ...]
    right: tuple[Condition, ...]


@dataclass(frozen=True)
class Every:
    """For every integer in its range, and every array: all of `then`."""

    ranges: tuple[AnyInteger, ...]
    arrays: tuple[AnyTensor, ...]
    then: tuple[Condition, ...]


Condition: TypeAlias = "Relation | Divides | Iff | Every"


@dataclass(frozen=True)
class Clause:
    """For all integers in the ranges under which `given` holds: all of `then`."""

    ranges: tuple[AnyInteger, ...]
    then: tuple[Condition, ...]
    given: tuple[Condition, ...] = ()


@dataclass(frozen=True)
class Proposition:
    """A statement for all sizes and all real entries.

    Attributes:
        integers: the sizes, in the order in which the search for a counterexample enumerates them.
        clauses: what follows; all of them.
        given: what is supposed of the sizes and arrays.
        sizes: names for index expressions, in order.
        reals: real numbers.
        arrays: tensors.
        lets: names for the entries of further arrays, in order; each may read those before it.
    """

    integers: tuple[AnyInteger, ...]
    clauses: tuple[Clause, ...]
    given: tuple[Condition, ...] = ()
    sizes: tuple[Let, ...] = ()
    reals: tuple[Real, ...] = ()
    arrays: tuple[AnyTensor, ...] = ()
    lets: tuple[Let, ...] = ()

    @property
    def numbers(self) -> tuple[AnyInteger | Real, ...]:
        """All numbers that are quantified over."""
        return (*self.integers, *self.reals)


def index_of(side: Side) -> Index | None:
    """The index expression that a side is, or None where it reads a tensor."""
    if isinstance(side, Scalar):
        return side.index
    if isinstance(side, Constant) and side.value.denominator == 1:
        return Index.of(side.value.numerator)
    return None


def is_arithmetic(condition: Condition) -> bool:
    """Whether a condition speaks of integers only."""
    if isinstance(condition, Relation):
        return all(index_of(side) is not None for side in condition.sides)
    if isinstance(condition, Iff):
        return all(is_arithmetic(part) for part in (*condition.left, *condition.right))
    return isinstance(condition, Divides)


def chain(*parts: Side | IndexLike) -> Relation:
    """A chain as it is written: ``chain(0, "<=", "p", "<=", upper)``; a name, number or index stands for itself."""
    sides: list[Side] = []
    signs: list[Sign] = []
    for position, part in enumerate(parts):
        if position % 2:
            signs.append(_SIGNS[part])  # type: ignore[index]
        else:
            sides.append(scalar(Index.of(part)) if isinstance(part, Index | int | str) else part)
    return Relation(tuple(sides), tuple(signs))


_SIGNS: Mapping[str, Sign] = {"=": "=", "<=": "<=", ">=": ">="}


def same(left: Side | IndexLike, right: Side | IndexLike) -> Relation:
    """``left = right``."""
    return chain(left, "=", right)
