"""The index map of a formula: which entries of its tensors every entry of its quantity is made from.

It is read off the tree, whatever the operator: all that stands in the body of one reduction, and in none below it, is
read together at every point of the reduction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray

from symconv.formulas.algebra import Access, Bound, Bracket, Guard, Multiply, Node, Reduce, between
from symconv.formulas.equation import Equation
from symconv.formulas.index import Index
from symconv.formulas.lattice import points
from symconv.formulas.substitution import rename_bounds
from symconv.formulas.walks import children

__all__ = ["MOST_READS", "Read", "ReadTable", "read_tables", "reads"]

MOST_READS = 500_000

Place: TypeAlias = tuple[int, ...]
Ranges: TypeAlias = Sequence[tuple[int, int]]
IntArray: TypeAlias = "npt.NDArray[np.int64]"


@dataclass(frozen=True)
class Read:
    """One entry of a tensor that is read for one entry of the quantity.

    Attributes:
        entry: the values of the free indices.
        at: the index that is read; outside the tensor's box it stands for 0.
        inside: whether it lies in the box.
        weight: the index of the weight that is read with it; None where there is none.
        tap: the values of the bound indices, in the order in which the reductions name them.
    """

    entry: Place
    at: Place
    inside: bool
    weight: Place | None
    tap: Place


@dataclass(frozen=True)
class ReadTable:
    """What one access reads: a row for every point, as arrays (rows, indices)."""

    entry: IntArray
    at: IntArray
    inside: NDArray[np.bool_]
    weight: IntArray | None
    tap: IntArray

    def listed(self) -> Iterator[Read]:
        """The rows one by one, sorted by entry and then by tap."""
        entries, places, taps = (list(map(tuple, rows.tolist())) for rows in (self.entry, self.at, self.tap))
        weights = [None] * len(entries) if self.weight is None else list(map(tuple, self.weight.tolist()))
        inside = self.inside.tolist()
        for row in sorted(range(len(entries)), key=lambda row: (entries[row], taps[row])):
            yield Read(entries[row], places[row], inside[row], weights[row], taps[row])


@dataclass(frozen=True)
class _Scope:
    """The body of a reduction: the bound indices and guards above it, and what is read in it."""

    bounds: tuple[Bound, ...]
    guards: tuple[Guard, ...]
    accesses: tuple[Access, ...]


def reads(
    formula: Equation,
    env: Mapping[str, int],
    *,
    entries: Ranges | None = None,
    within: Ranges | None = None,
    limit: int = MOST_READS,
) -> tuple[Read, ...]:
    """Every entry of the input that the entries of the quantity read; the arguments are those of `read_tables`."""
    tables = read_tables(formula, env, entries=entries, within=within, limit=limit)
    return tuple(read for table in tables for read in table.listed())


def read_tables(
    formula: Equation,
    env: Mapping[str, int],
    *,
    entries: Ranges | None = None,
    within: Ranges | None = None,
    limit: int = MOST_READS,
) -> tuple[ReadTable, ...]:
    """What the entries of the quantity read of the input: a table for every access to it.

    Args:
        formula: with numbers for all its sizes in `env`.
        env: values of all parameters and definitions.
        entries: (first, last) of every free index, where not all are asked for.
        within: (first, last) of every index of the input, where only some of its entries are asked for.
        limit: the largest number of points to build for one access.

    Raises:
        SizeLimitError: where there are more.
    """
    names = {tensor.role: tensor.name for tensor in formula.tensors}
    source, weight = names.get("input"), names.get("weight")
    ranges = entries or [(r.start, r.stop - 1) for r in formula.ranges(env)]
    free = [Bound(b.name, Index.of(low), Index.of(high)) for b, (low, high) in zip(formula.free, ranges, strict=True)]
    found: list[ReadTable] = []
    for scope in _scopes(formula.body, (), (), frozenset({*env, *formula.indices})):
        weights = [a for a in scope.accesses if a.tensor == weight]
        for access in (a for a in scope.accesses if a.tensor == source):
            guards = list(scope.guards)
            for place, (low, high) in zip(access.index, within or (), strict=False):
                guards += between(low, place, high)
            table, rows = points([*free, *scope.bounds], guards, env, limit)
            if not rows:
                continue
            columns = {**env, **table}
            at = _values(access.index, columns, rows)
            box = [(low.evaluate(env), high.evaluate(env)) for low, high in formula.boxes[access.tensor]]
            inside = np.ones(rows, bool)
            for axis, (low, high) in enumerate(box):
                inside &= (low <= at[:, axis]) & (at[:, axis] <= high)
            found.append(
                ReadTable(
                    _values([Index.of(b.name) for b in free], columns, rows),
                    at,
                    inside,
                    _values(weights[0].index, columns, rows) if len(weights) == 1 else None,
                    _values([Index.of(b.name) for b in scope.bounds], columns, rows),
                )
            )
    return tuple(found)


def _values(index: Sequence[Index], columns: Mapping[str, Any], rows: int) -> IntArray:
    """The values of index expressions at every point: an array (rows, expressions)."""
    values = [np.broadcast_to(e.evaluate(columns), (rows,)) for e in index]
    return np.stack(values, axis=1) if values else np.zeros((rows, 0), np.int64)


def _scopes(
    node: Node, bounds: tuple[Bound, ...], guards: tuple[Guard, ...], taken: frozenset[str]
) -> Iterator[_Scope]:
    """The scope of a tree, and those of the reductions in it; names that are bound twice are told apart."""
    own: list[Access] = []
    inner: list[Reduce] = []
    holds: list[Guard] = list(guards)

    def gather(part: Node, *, factor: bool) -> None:
        match part:
            case Access():
                own.append(part)
            case Reduce():
                inner.append(part)
            case Bracket() if factor:
                holds.extend(part.guards)
            case _:
                for child in children(part):
                    gather(child, factor=factor and isinstance(part, Multiply))

    gather(node, factor=True)
    if own:
        yield _Scope(bounds, tuple(holds), tuple(own))
    for reduce in (rename_bounds(each, taken) for each in inner):
        names = taken | {bound.name for bound in reduce.bounds}
        yield from _scopes(reduce.body, (*bounds, *reduce.bounds), (*holds, *reduce.guards), names)
