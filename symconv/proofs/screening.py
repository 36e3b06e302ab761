"""A quick look whether two sides differ: their values at a few entries of the smallest sizes, with fixed tensors.

What is told apart here is certainly different. What is not may be anything, and goes on to a proof.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import islice
from zlib import crc32

from symconv.errors import SizeLimitError
from symconv.formulas.effort import Effort, OutOfEffort
from symconv.proofs.exact import At
from symconv.proofs.refutation import NoValueError, value_at
from symconv.proofs.sizes import assignments
from symconv.proofs.statement import Statement

__all__ = ["told_apart"]

SIZES = 6
POINTS = 24  # entries looked at, at every size


def told_apart(statement: Statement, effort: Effort, *, nonnegative: Sequence[str] = ()) -> bool:
    """Whether the two sides have different values at some entry that is looked at.

    Args:
        statement: the statement; a difference refutes it.
        effort: what the look may cost; where it runs out, nothing was seen.
        nonnegative: tensors with nonnegative entries; a value of another one would refute nothing.

    >>> from symconv.formulas.algebra import Access, Bound
    >>> from symconv.formulas.index import Index
    >>> first, second = (Access("a", (Index.of("p") + shift,)) for shift in (0, 1))
    >>> places = Bound("p", Index.of(1), Index.of(3))
    >>> told_apart(Statement.of(first, second, [places], {"a": ((Index.of(1), Index.of(4)),)}), Effort())
    True
    """
    sizes = assignments(
        statement.parameters,
        [guard for guard in statement.hypotheses if not guard.names & set(statement.indices)],
        definitions=statement.definitions,
        positive=statement.denominators(),
        effort=effort,
    )
    try:
        return any(_differ_at(At(statement, env, effort), nonnegative) for env in islice(sizes, SIZES))
    except (OutOfEffort, SizeLimitError):
        return False


def _differ_at(at: At, nonnegative: Sequence[str]) -> bool:
    def read(name: str, index: tuple[int, ...]) -> Fraction:
        return abs(_entry(name, index)) if name in nonnegative else _entry(name, index)

    if at.ranges("left") != at.ranges("right"):
        return True
    for point in islice(at.points(), POINTS):
        try:
            left, right = (value_at(at, side, point, read) for side in (at.statement.left, at.statement.right))
        except (ZeroDivisionError, NoValueError):
            continue  # there is nothing to compare here
        if isinstance(left, Fraction) and isinstance(right, Fraction) and left != right:
            return True
    return False


def _entry(name: str, index: tuple[int, ...]) -> Fraction:
    """An entry of a fixed tensor: a whole number from -9 to 9 but 0, which looks random."""
    number = crc32(f"{name}{index}".encode()) % 18
    return Fraction(number - 9 if number < 9 else number - 8)
