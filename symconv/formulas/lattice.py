"""All integer points of a guarded range, as arrays: the enumeration behind every exact value.

Variables are fixed one after the other for all partial points at once; at each step the variable with the fewest
values left is chosen, its range read off the guards that are affine in it. A sum over the outputs that touch one input
therefore costs what its taps cost, at any image size. Points are counted before they are built.

This is search with constraint propagation, breadth first: the variable with the fewest values left goes first, since a
point that fails then fails while there are few of them (R. Haralick and G. Elliott, "Increasing tree search efficiency
for constraint satisfaction problems", 1980), and ranges come from interval propagation (E. Davis, "Constraint
propagation with interval labels", 1987). All partial points are columns of one table, so that a step is a handful of
array operations however many there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from symconv.errors import SizeLimitError
from symconv.formulas.algebra import Bound, Guard, nonnegative
from symconv.formulas.effort import Effort
from symconv.formulas.index import Extremum, Index, Quotient

__all__ = ["MAX_POINTS", "listed_points", "points", "truth"]

MAX_POINTS = 20_000_000
FEW = 32  # points that loops list faster than arrays do
STAGE = 200  # steps to fix one variable for all points
POINTS = 10  # points with one coordinate more that are built in a step
IntArray: TypeAlias = "npt.NDArray[np.int64]"
_ANY = 1 << 4000  # stands for "no limit known yet"; ends of ranges are Python's integers until they are counted
_MOST_BITS = 200  # of a number that is put in: what ranges are made of in a few rounds stays below `_ANY`
_HELD = 1 << 62  # what columns of integers are kept below, so that none of their sums wraps around


@dataclass(frozen=True)
class _Affine:
    """``constant + sum of coefficient*variable``, required to be >= 0 or == 0."""

    constant: int
    coefficients: tuple[tuple[str, int], ...]
    equality: bool


def points(
    variables: Sequence[Bound],
    guards: Iterable[Guard],
    env: Mapping[str, int],
    limit: int = MAX_POINTS,
    effort: Effort | None = None,
) -> tuple[dict[str, IntArray], int]:
    """The integer points of ``variables`` under ``guards``: one array a variable, and how many points there are.

    Without variables there is one point where the guards hold, and none where one of them fails.

    Args:
        variables: the variables with their ranges; a range may depend on other variables.
        guards: conditions on them.
        env: values of all other names.
        limit: the largest number of points to build.
        effort: what that may cost; unbounded unless given.

    Raises:
        SizeLimitError: where there are more points than `limit`, or numbers in them than arrays of integers hold.
        OutOfEffort: where they cost more than `effort`.
    """
    names = [variable.name for variable in variables]
    known = {name: value for name, value in env.items() if name not in names}
    affine: list[_Affine] = []
    others: list[Guard] = []
    given = [*guards, *(g for variable in variables for g in variable.guards())]
    for guard in [part for whole in given for part in _opened(whole, names)]:
        form = None if guard.kind == "div" else _affine(guard.expr, known, names)
        if form is None:
            others.append(guard)
        else:
            affine.append(_Affine(form[0], form[1], guard.kind == "eq"))
    numbers = [*known.values(), *(n for form in affine for n in (form.constant, *dict(form.coefficients).values()))]
    if any(int(number).bit_length() > _MOST_BITS for number in numbers):
        raise _beyond()
    intervals = _intervals(names, affine)
    own_ranges = {variable.name: variable for variable in variables}
    rows = 1
    if any(not form.coefficients and _fails(form.constant, form.equality) for form in affine):
        rows = 0
    if any(low > high for low, high in intervals.values()):
        rows = 0
    table: dict[str, IntArray] = {}
    left = list(names)
    if rows:
        intervals = _held(variables, affine, others, known, intervals)
        table, others, rows = _keep(table, others, known, left, rows)
    while left and rows:
        best = None
        for name in left:
            low, high = _range(name, affine, table, intervals, rows)
            own = own_ranges[name]
            if not any(other in left for other in own.lower.names | own.upper.names):
                # Its own range may hold what `_affine` cannot read, such as a rounded quotient of another variable.
                columns = {**known, **table}  # whatever its form, a range that is all numbers is a limit
                low = np.maximum(low, own.lower.evaluate(columns))
                high = np.minimum(high, own.upper.evaluate(columns))
            count = np.maximum(high - low + 1, 0)
            total = int(np.minimum(count, limit + 1).sum())
            if best is None or total < best[0]:
                best = (total, name, low, count)
        assert best is not None
        total, name, low, count = best
        if total > limit:
            raise SizeLimitError(
                f"this sum has more than {limit:,} index points (at least {total:,}); use .at(...) for single entries, "
                "or symconv.compile for the numbers"
            )
        if effort is not None:
            effort.spend(STAGE + total * (len(table) + 1) // POINTS)
        # Row r has count[r] values from low[r] on: one long counter, less the place where each row's part begins.
        start = np.repeat(np.cumsum(count) - count, count)
        values = np.repeat(low, count) + (np.arange(total, dtype=np.int64) - start)
        table = {key: np.repeat(column, count) for key, column in table.items()}
        table[name] = values
        left.remove(name)
        table, others, rows = _keep(table, others, known, left, total)
    if not rows:
        table = {name: np.zeros(0, np.int64) for name in names}
    return table, rows


def listed_points(variables: Sequence[Bound], guards: Sequence[Guard], env: Mapping[str, int]) -> list[dict[str, int]]:
    """The same points one by one, with all that is in `env`, in row-major order of the variables.

    Raises:
        SizeLimitError: where there are more points than `MAX_POINTS`.
    """
    names = [variable.name for variable in variables]
    few = _loops(variables, env)
    if few is not None:
        return [point for point in few if all(truth(guard, point) for guard in guards)]
    table, _ = points(variables, guards, env)
    ordered = sorted(zip(*(table[name].tolist() for name in names), strict=True))
    return [{**env, **dict(zip(names, values, strict=True))} for values in ordered]


def _loops(variables: Sequence[Bound], env: Mapping[str, int]) -> list[dict[str, int]] | None:
    """All points in the ranges by nested loops, where these are few: arrays would take far longer to set up."""
    found = [dict(env)]
    open_ = {variable.name for variable in variables}
    for variable in variables:
        if (variable.lower.names | variable.upper.names) & open_:
            return None  # a range that hangs on a later variable
        open_.discard(variable.name)
        more: list[dict[str, int]] = []
        for point in found:
            low, high = variable.lower.evaluate(point), variable.upper.evaluate(point)
            if len(more) + high - low >= FEW:
                return None
            more += [{**point, variable.name: value} for value in range(low, high + 1)]
        found = more
    return found


def _opened(guard: Guard, names: Sequence[str]) -> list[Guard]:
    """Equivalent guards without the minima, maxima and rounded quotients that a tightened range brings.

    ``e - max(x, y) >= 0`` says ``e - x >= 0`` and ``e - y >= 0``; ``e + floor(n/d) >= 0`` says ``d*e + n >= 0``. Only
    what mentions a variable is opened: the rest is a number.
    """
    if guard.kind != "ge":
        return [guard]
    for key, value in guard.expr.terms.items():
        if len(key) != 1 or isinstance(key[0], str) or not any(name in names for name in key[0].names):
            continue
        rest = Index({k: v for k, v in guard.expr.terms.items() if k != key})
        atom = key[0]
        if isinstance(atom, Extremum) and (value > 0) == (atom.kind == "min"):
            return [g for arg in atom.args for g in _opened(nonnegative(rest + value * arg), names)]
        if isinstance(atom, Quotient) and (value, atom.rounding) in ((1, "floor"), (-1, "ceil")):
            return _opened(nonnegative(atom.denominator * rest + value * atom.numerator), names)
    return [guard]


def truth(guard: Guard, env: Mapping[str, Any]) -> Any:
    """Whether a guard holds: for numbers a bool, for columns of numbers a column."""
    value = guard.expr.evaluate(env)
    if guard.kind == "ge":
        return value >= 0
    if guard.kind == "eq":
        return value == 0
    assert guard.divisor is not None
    return value % guard.divisor.evaluate(env) == 0


def _fails(value: int, equality: bool) -> bool:
    return value != 0 if equality else value < 0


def _affine(
    expr: Index, known: Mapping[str, int], names: Sequence[str]
) -> tuple[int, tuple[tuple[str, int], ...]] | None:
    constant = 0
    coefficients: dict[str, int] = {}
    for key, value in expr.terms.items():
        variable = None
        for atom in key:
            if isinstance(atom, str) and atom in names:
                if variable is not None:
                    return None
                variable = atom
            elif isinstance(atom, str):
                value *= known[atom]
            elif any(name in names for name in atom.names):
                return None
            else:
                value *= atom.evaluate(known)
        if variable is None:
            constant += value
        else:
            coefficients[variable] = coefficients.get(variable, 0) + value
    return constant, tuple((name, value) for name, value in coefficients.items() if value)


def _intervals(names: Sequence[str], affine: Sequence[_Affine]) -> dict[str, tuple[int, int]]:
    """A range for every variable on its own, by propagating the affine conditions until nothing changes."""
    box = dict.fromkeys(names, (-_ANY, _ANY))
    # A condition may move an end for every other variable in turn: news goes through all of them in as many rounds as
    # there are variables. Beyond that ends may creep on by 1 a round for ever (x >= y + 1 beside y >= x). It is cut
    # off: a range that is too wide costs points, which the guards drop again, and no result.
    for _ in range(2 * len(names) + 2):
        before = dict(box)
        for form in affine:
            for name, coefficient in form.coefficients:
                low_rest = high_rest = form.constant
                for other, value in form.coefficients:
                    if other != name:
                        ends = (value * box[other][0], value * box[other][1])
                        low_rest, high_rest = low_rest + min(ends), high_rest + max(ends)
                low, high = box[name]
                # coefficient*name >= -high_rest, and for an equality also <= -low_rest
                if coefficient > 0:
                    low = max(low, -(high_rest // coefficient))
                    if form.equality:
                        high = min(high, -low_rest // coefficient)
                else:
                    high = min(high, high_rest // -coefficient)
                    if form.equality:
                        low = max(low, -(-low_rest // -coefficient))
                box[name] = (low, high)
        if box == before:
            break
    return box


def _held(
    variables: Sequence[Bound],
    affine: Sequence[_Affine],
    others: Sequence[Guard],
    known: Mapping[str, int],
    intervals: Mapping[str, tuple[int, int]],
) -> dict[str, tuple[int, int]]:
    """The ranges, with a limit for every variable, where all that is reckoned with them fits in columns of integers.

    Raises:
        SizeLimitError: where it does not.
    """
    held = dict(intervals)
    largest = {name: max(1, abs(value)) for name, value in known.items()}
    largest |= {name: max(1, abs(low), abs(high)) for name, (low, high) in held.items()}
    for _ in variables:  # a range may hang on other variables, which get their limit before it does
        for variable in variables:
            if largest[variable.name] >= _HELD:  # its range is one that `_affine` cannot read
                most = max(_largest(variable.lower, largest), _largest(variable.upper, largest))
                low, high = held[variable.name]
                held[variable.name] = low, high = max(low, -most), min(high, most)
                largest[variable.name] = max(1, abs(low), abs(high))
    reckoned = [end for variable in variables for end in (variable.lower, variable.upper)]
    for guard in others:
        reckoned += [guard.expr] if guard.divisor is None else [guard.expr, guard.divisor]
    sums = [abs(form.constant) + sum(abs(v) * largest[name] for name, v in form.coefficients) for form in affine]
    numbers = [*sums, *(_largest(expr, largest) for expr in reckoned), *(largest[v.name] for v in variables)]
    if max(numbers, default=0) >= _HELD:
        raise _beyond()
    return held


def _largest(expr: Index, largest: Mapping[str, int]) -> int:
    """What no number exceeds that comes up where an expression is reckoned, for names up to their largest values."""
    total = 0
    for key, value in expr.terms.items():
        product = abs(value)
        for atom in key:
            if isinstance(atom, str):
                product *= largest[atom]
            else:
                parts = atom.args if isinstance(atom, Extremum) else (atom.numerator, atom.denominator)
                product *= max(1, *(_largest(part, largest) for part in parts))
        total += product
    return total


def _beyond() -> SizeLimitError:
    return SizeLimitError(
        "the sizes or indices of this sum are beyond 2**62, where arrays of integers end; take smaller ones, or leave "
        "them symbolic"
    )


def _range(
    name: str,
    affine: Sequence[_Affine],
    table: Mapping[str, IntArray],
    intervals: Mapping[str, tuple[int, int]],
    rows: int,
) -> tuple[IntArray, IntArray]:
    low = np.full(rows, intervals[name][0], np.int64)
    high = np.full(rows, intervals[name][1], np.int64)
    for form in affine:
        coefficient = 0
        fixed = False
        for other, value in form.coefficients:
            if other == name:
                coefficient = value
            elif other in table:
                fixed = True
        if not coefficient or not fixed:
            continue
        low_rest: Any = form.constant
        high_rest: Any = form.constant
        for other, value in form.coefficients:
            if other == name:
                continue
            if other in table:
                part = value * table[other]
                low_rest, high_rest = low_rest + part, high_rest + part
            else:
                ends = (value * intervals[other][0], value * intervals[other][1])
                low_rest, high_rest = low_rest + min(ends), high_rest + max(ends)
        if coefficient > 0:
            low = np.maximum(low, -(high_rest // coefficient))
            if form.equality:
                high = np.minimum(high, -low_rest // coefficient)
        else:
            high = np.minimum(high, high_rest // -coefficient)
            if form.equality:
                low = np.maximum(low, -(-low_rest // -coefficient))
    return low, high


def _keep(
    table: dict[str, IntArray], guards: list[Guard], known: Mapping[str, int], left: Sequence[str], rows: int
) -> tuple[dict[str, IntArray], list[Guard], int]:
    """Apply the conditions that have just become decidable."""
    waiting = []
    for guard in guards:
        if any(name in left for name in guard.names):
            waiting.append(guard)
            continue
        good = np.broadcast_to(np.asarray(truth(guard, {**known, **table})), (rows,))
        if not good.all():
            table = {key: column[good] for key, column in table.items()}
            rows = int(good.sum())
    return table, waiting, rows
