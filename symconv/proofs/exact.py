"""Exact comparison of the two sides of a statement at given sizes, all entries at once.

Polynomials are compared as maps from monomials to coefficients, which decides them. Other formulas are compared by
normal forms: equal ones are equal for all tensors, unequal ones may or may not be.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

import numpy as np

from symconv.errors import ArgumentError
from symconv.formulas.algebra import Bound, Node
from symconv.formulas.effort import Effort
from symconv.formulas.exact import Polynomial, evaluate, is_polynomial, polynomials
from symconv.formulas.index import Index
from symconv.formulas.radicals import UndecidedNumberError
from symconv.proofs.forms import Forms, NoNormalForm
from symconv.proofs.needs import failure
from symconv.proofs.sizes import holds
from symconv.proofs.statement import Statement

__all__ = ["At", "identity_at", "places"]

MAX_ROWS = 400_000  # index points at one size; beyond, the size counts as too large to compare
MAX_ENTRIES = 4_000  # entries that are worked out one by one where a formula is no polynomial
POINT = 8  # steps to look at one place, and for every condition on it


def places(ranges: Sequence[tuple[int, int]]) -> Iterator[tuple[int, ...]]:
    """All places in row-major order, one after the other: ``product`` would first write out every range."""
    if not ranges:
        yield ()
        return
    low, high = ranges[0]
    for first in range(low, high + 1):
        for rest in places(ranges[1:]):
            yield (first, *rest)


@dataclass(frozen=True)
class At:
    """A statement at one size.

    Args:
        statement: the statement.
        env: numbers for its parameters, definitions and fixed names.
        effort: what looking at it may cost.
        place: the only entry that is looked at, where it is not all of them.
    """

    statement: Statement
    env: Mapping[str, int]
    effort: Effort = field(default_factory=Effort)
    place: tuple[int, ...] | None = None

    def ranges(self, side: Literal["left", "right"] = "left") -> tuple[tuple[int, int], ...]:
        """The first and last value of every free index that is looked at, as one side declares them."""
        if self.place is not None:
            return tuple((value, value) for value in self.place)
        free = self.statement.free if side == "left" else self.statement.other_free
        return tuple((int(b.lower.evaluate(self.env)), int(b.upper.evaluate(self.env))) for b in free)

    def boxes(self) -> dict[str, tuple[tuple[int, int], ...]]:
        """The box of every tensor, in numbers."""
        return {
            name: tuple((int(low.evaluate(self.env)), int(high.evaluate(self.env))) for low, high in box)
            for name, box in self.statement.boxes.items()
        }

    def check_boxes(self) -> None:
        """Refuse a statement whose sides disagree about a tensor.

        Raises:
            ArgumentError: where the two sides declare different boxes for one tensor at this size.
        """
        for tensor, guard in self.statement.agreements:
            if not holds(guard, self.env):
                shown = ", ".join(f"{name} = {value}" for name, value in self.env.items())
                raise ArgumentError(
                    "right", tensor, f"must have the same box on both sides, which fails at {shown or 'this size'}"
                )

    def points(self) -> Iterator[tuple[int, ...]]:
        """The values of the free indices that the hypotheses allow, in row-major order; both sides are defined there.

        What depends on the entries of tensors is not looked at: it is for whoever chooses these.
        """
        yield from self.allowed(places(self.ranges()))

    def allowed(self, points: Iterable[tuple[int, ...]]) -> Iterator[tuple[int, ...]]:
        """Those values of the free indices that `allows` lets pass; all are taken to lie in their ranges."""
        yield from (point for point in points if self.allows(point))

    def allows(self, point: tuple[int, ...]) -> bool:
        """Whether the hypotheses and the needs of the statement hold at values of the free indices."""
        conditions = self.statement.on_indices
        self.effort.spend(POINT * (1 + len(conditions)))
        here = {**self.env, **dict(zip(self.statement.indices, point, strict=True))}
        if not all(holds(guard, here) for guard in conditions):
            return False
        return all(need.of_values or failure(need, here, self.effort) is None for need in self.statement.needs)

    @property
    def polynomial(self) -> bool:
        """Whether both sides are polynomials in tensor entries."""
        return is_polynomial(self.statement.left) and is_polynomial(self.statement.right)

    def polynomials(self, side: Literal["left", "right"]) -> dict[tuple[int, ...], Polynomial]:
        """All entries of one side that are not zero.

        Raises:
            SizeLimitError, OutOfEffort: where that takes too many index points.
        """
        free = [
            Bound(name, Index.of(low), Index.of(high))
            for name, (low, high) in zip(self.statement.indices, self.ranges(), strict=True)
        ]
        node: Node = getattr(self.statement, side)
        with np.errstate(divide="ignore"):  # where an index divides and is 0, whatever comes out is not allowed
            return polynomials(node, free, self.env, self.statement.boxes, MAX_ROWS, self.effort)

    def differences(self) -> dict[tuple[int, ...], Polynomial]:
        """``left - right`` at all allowed entries where it is not zero."""
        left, right = self.polynomials("left"), self.polynomials("right")
        found: dict[tuple[int, ...], Polynomial] = {}
        for point in sorted(left.keys() | right.keys()):
            mine, theirs = left.get(point, {}), right.get(point, {})
            if mine == theirs or not self.allows(point):
                continue
            zero = Fraction(0)
            rest = {key: mine.get(key, zero) - theirs.get(key, zero) for key in mine.keys() | theirs.keys()}
            rest = {key: value for key, value in rest.items() if value}
            if rest:
                found[point] = rest
        return found


def identity_at(
    statement: Statement, env: Mapping[str, int], effort: Effort | None = None
) -> Literal["equal", "different", "unknown"]:
    """Whether both sides agree at one size, in all entries and for all tensors.

    Args:
        statement: the statement.
        env: numbers for its parameters and definitions.
        effort: what that may cost.

    Raises:
        ArgumentError: where the two sides declare different boxes for a tensor.
        SizeLimitError, OutOfEffort: where that takes too many index points, or entries.
        ZeroDivisionError: for a quotient by 0, also at an entry that is not allowed.
    """
    at = At(statement, env, Effort() if effort is None else effort)
    at.check_boxes()
    if at.ranges("left") != at.ranges("right"):
        return "different"
    if at.polynomial:
        return "different" if at.differences() else "equal"
    domain = Forms(at.effort)
    for count, point in enumerate(at.points()):
        if count >= MAX_ENTRIES:
            return "unknown"
        here = {**env, **dict(zip(statement.indices, point, strict=True))}
        try:
            left = evaluate(statement.left, here, domain, statement.boxes)
            if left != evaluate(statement.right, here, domain, statement.boxes):
                return "unknown"
        except (NoNormalForm, UndecidedNumberError):
            return "unknown"
    return "equal"
