"""A quick look whether two sides differ: their values at a few entries of the smallest sizes, with fixed tensors.

What is told apart here is certainly different. What is not may be anything, and goes on to a proof.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice, product
from zlib import crc32

from symconv.errors import SizeLimitError
from symconv.formulas.effort import Effort, OutOfEffort
from symconv.formulas.elementary import Elementary
from symconv.formulas.radicals import Radical, UndecidedNumberError
from symconv.proofs.exact import At, places
from symconv.proofs.numbers import NoValueError
from symconv.proofs.refutation import no_value, value_at
from symconv.proofs.sizes import assignments
from symconv.proofs.statement import Statement

__all__ = ["Sight", "told_apart"]

SIZES = 6
FIRST = 16  # entries looked at from the first one on, besides the corners, at every size


@dataclass(frozen=True)
class Sight:
    """Where two sides differ: numbers for parameters and definitions, and an entry; None where already ranges do."""

    env: Mapping[str, int]
    place: tuple[int, ...] | None


def told_apart(statement: Statement, effort: Effort, *, nonnegative: Sequence[str] = ()) -> Sight | None:
    """An entry at which the two sides have different values, among those that are looked at.

    Args:
        statement: the statement; a difference refutes it.
        effort: what the look may cost; where it runs out, nothing was seen.
        nonnegative: tensors with nonnegative entries; a value of another one would refute nothing.

    >>> from symconv.formulas.algebra import Access, Bound
    >>> from symconv.formulas.index import Index
    >>> first, second = (Access("a", (Index.of("p") + shift,)) for shift in (0, 1))
    >>> places = Bound("p", Index.of(1), Index.of(3))
    >>> told_apart(Statement.of(first, second, [places], {"a": ((Index.of(1), Index.of(4)),)}), Effort()).place
    (1,)
    """
    sizes = assignments(
        statement.parameters,
        [guard for guard in statement.hypotheses if not guard.names & set(statement.indices)],
        definitions=statement.definitions,
        positive=statement.denominators(),
        effort=effort,
    )
    try:
        for env in islice(sizes, SIZES):
            found = _seen(At(statement, env, effort), nonnegative)
            if found is not None:
                return found
    except (OutOfEffort, SizeLimitError):
        return None
    return None


def _seen(at: At, nonnegative: Sequence[str]) -> Sight | None:
    def read(name: str, index: tuple[int, ...]) -> Fraction:
        return abs(_entry(name, index)) if name in nonnegative else _entry(name, index)

    if at.ranges("left") != at.ranges("right"):
        return Sight(at.env, None)
    powers = [need for need in at.statement.needs if need.of_values]
    for place in at.allowed(_looked_at(at)):
        try:
            if no_value(at, powers, place, read) is not None:
                continue
            left, right = (value_at(at, side, place, read) for side in (at.statement.left, at.statement.right))
            numbers = all(isinstance(value, Fraction | Radical | Elementary) for value in (left, right))
            if numbers and left != right:
                return Sight(at.env, place)
        except (ZeroDivisionError, NoValueError, UndecidedNumberError):
            continue  # there is nothing to compare here
    return None


def _looked_at(at: At) -> Iterator[tuple[int, ...]]:
    """The first entries, then the corners and what lies in the middle between them: borders decide much."""
    ranges = at.ranges()
    if any(low > high for low, high in ranges):
        return
    first = list(islice(places(ranges), FIRST))
    yield from first
    stops = [dict.fromkeys((low, (low + high) // 2, high)) for low, high in ranges]
    yield from (place for place in islice(product(*stops), 3**4) if place not in first)


def _entry(name: str, index: tuple[int, ...]) -> Fraction:
    """An entry of a fixed tensor: a whole number from -9 to 9 but 0, which looks random."""
    number = crc32(f"{name}{index}".encode()) % 18
    return Fraction(number - 9 if number < 9 else number - 8)
