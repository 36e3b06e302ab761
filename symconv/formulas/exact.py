"""Exact values of formulas at given sizes: polynomials in tensor entries, and values in SymPy.

The linear core is evaluated by enumerating index points once for all entries asked for; anything with a maximum, an
absolute value or a power is evaluated entry by entry in a `Domain` (rational numbers, or SymPy expressions).
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symconv.errors import ArgumentError
from symconv.formulas.algebra import (
    ONE,
    Absolute,
    Access,
    Applied,
    Bound,
    Bracket,
    Compare,
    Constant,
    FormulaWalker,
    Multiply,
    Named,
    Node,
    Plus,
    Power,
    Reduce,
    Scalar,
    Share,
    Sign,
    factors_of,
    inside,
)
from symconv.formulas.effort import Effort
from symconv.formulas.elementary import Elementary
from symconv.formulas.function import Function, UndefinedError
from symconv.formulas.index import Index
from symconv.formulas.lattice import MAX_POINTS, listed_points, points, truth
from symconv.formulas.naming import names_in
from symconv.formulas.terms import expand, rename_term
from symconv.formulas.walker import case
from symconv.formulas.walks import accesses, children

__all__ = [
    "RELATIONS",
    "Box",
    "Domain",
    "Entry",
    "Monomial",
    "Numbers",
    "Polynomial",
    "divides_by_nothing",
    "evaluate",
    "is_polynomial",
    "polynomial_values",
    "polynomials",
    "share_of",
]

Box: TypeAlias = "tuple[tuple[Index, Index], ...]"
Entry: TypeAlias = "tuple[str, tuple[int, ...]]"
Monomial: TypeAlias = "tuple[Entry, ...]"
Polynomial: TypeAlias = "dict[Monomial, Fraction]"

ENTRY = 4  # steps for one factor at one index point


def is_polynomial(node: Node) -> bool:
    """True where the tree is a polynomial in tensor entries: sums of products of accesses with rational factors.

    A root is no rational factor, and what is worked out with it must not decide anything as if it were one.
    """
    return _POLYNOMIAL.visit(node)


def _is_whole(exponent: Node) -> bool:
    return isinstance(exponent, Scalar) or (isinstance(exponent, Constant) and exponent.value.denominator == 1)


class _IsPolynomial(FormulaWalker[bool]):
    """Whether a tree is a polynomial in tensor entries."""

    @case(Constant, Scalar, Access, Bracket)
    def _leaf(self, node: Node) -> bool:
        return True

    @case(Plus, Multiply, Named)
    def _parts(self, node: Node) -> bool:
        return all(map(self.visit, children(node)))

    @case(Power)
    def _power(self, node: Power) -> bool:
        return _is_whole(node.exponent) and not accesses(node) and self._parts(node)

    @case(Reduce)
    def _reduce(self, node: Reduce) -> bool:
        return node.op == "sum" and self.visit(node.body)

    @case(Absolute, Sign, Applied, Compare, Share)
    def _other(self, node: Node) -> bool:
        return False


_POLYNOMIAL = _IsPolynomial()


def polynomials(
    node: Node,
    free: Sequence[Bound],
    env: Mapping[str, int],
    boxes: Mapping[str, Box],
    limit: int = MAX_POINTS,
    effort: Effort | None = None,
) -> dict[tuple[int, ...], Polynomial]:
    """The polynomial of every entry: a map from the values of the free indices to ``{monomial: coefficient}``.

    Args:
        node: a polynomial tree (see `is_polynomial`).
        free: the free indices with the ranges asked for, in order.
        env: values of all parameters.
        boxes: the declared boxes of the tensors; an access outside its box is zero.
        limit: the largest number of index points to build.
        effort: what all of it may cost; unbounded unless given.

    Entries that are zero are left out.

    Raises:
        SizeLimitError: where a sum has more index points.
        OutOfEffort: where all sums together cost more.
    """
    result: dict[tuple[int, ...], Polynomial] = {}
    for names, places, weights, keys in _terms_at_points(node, free, env, boxes, limit, effort):
        monomials = [
            list(zip(*(axis.tolist() for axis in at), strict=True)) if at else [()] * len(keys) for at in places
        ]
        for row, key in enumerate(keys):
            if not weights[row]:
                continue
            if len(names) == 1:
                monomial: Monomial = ((names[0], monomials[0][row]),)
            else:
                monomial = tuple(sorted((name, m[row]) for name, m in zip(names, monomials, strict=True)))
            entry = result.setdefault(key, {})
            value = entry.get(monomial)
            entry[monomial] = weights[row] if value is None else value + weights[row]
    for key in [key for key, poly in result.items() if not all(poly.values())]:
        kept = {monomial: value for monomial, value in result[key].items() if value}
        if kept:
            result[key] = kept
        else:
            del result[key]
    return result


def polynomial_values(
    node: Node,
    free: Sequence[Bound],
    env: Mapping[str, int],
    boxes: Mapping[str, Box],
    tensors: Mapping[str, NDArray[Any]],
    limit: int = MAX_POINTS,
) -> dict[tuple[int, ...], Any]:
    """The value of every entry of a polynomial tree that is not 0, all index points at once.

    Args:
        node, free, env, boxes, limit: as for `polynomials`.
        tensors: arrays of exact numbers (of objects) by name; their first entries stand at the lower ends of the boxes.

    Raises:
        SizeLimitError: where a sum has more index points.
    """
    result: dict[tuple[int, ...], Any] = {}
    lows = {name: [int(low.evaluate(env)) for low, _ in boxes[name]] for name in tensors}
    for names, places, weights, keys in _terms_at_points(node, free, env, boxes, limit, None):
        products = np.array([w.numerator if w.denominator == 1 else w for w in weights], dtype=object)
        for name, at in zip(names, places, strict=True):
            products *= tensors[name][tuple(axis - low for axis, low in zip(at, lows[name], strict=True))]
        for key, value in zip(keys, products, strict=True):
            result[key] = result[key] + value if key in result else value
    return {key: value for key, value in result.items() if value}


def _terms_at_points(
    node: Node,
    free: Sequence[Bound],
    env: Mapping[str, int],
    boxes: Mapping[str, Box],
    limit: int,
    effort: Effort | None,
) -> Iterator[tuple[list[str], list[list[NDArray[Any]]], list[Fraction], list[tuple[int, ...]]]]:
    """Every term of a polynomial tree at all of its points: what it reads and where, its weights, and the entries."""
    taken = frozenset(env).union(bound.name for bound in free)
    for term in (rename_term(term, taken) for term in expand(node, effort)):
        factors = [f for f in term.factors if isinstance(f, Access)]
        scalars = [f for f in term.factors if not isinstance(f, Access)]
        guards = list(term.guards)
        for factor in factors:
            guards += inside(factor, boxes[factor.tensor])
        table, rows = points([*free, *term.bounds], guards, env, limit, effort)
        if effort is not None:
            effort.spend(ENTRY * rows * (1 + len(term.factors)))
        if not rows:
            continue
        columns = {**env, **table}
        keys = [table[f.name].tolist() for f in free]
        yield (
            [factor.tensor for factor in factors],
            [[np.broadcast_to(e.evaluate(columns), (rows,)) for e in factor.index] for factor in factors],
            _weights(scalars, columns, rows, term.coefficient, boxes),
            list(zip(*keys, strict=True)) if keys else [()] * rows,
        )


def _weights(
    scalars: Sequence[Node], columns: Mapping[str, Any], rows: int, coefficient: Fraction, boxes: Mapping[str, Box]
) -> list[Fraction]:
    """The rational factor of every row: the coefficient times the factors that hold no tensor entry."""
    if not scalars:
        return [coefficient] * rows
    used = frozenset().union(*(names_in(scalar) for scalar in scalars)) & {
        name for name, column in columns.items() if isinstance(column, np.ndarray)
    }
    constants = {name: value for name, value in columns.items() if not isinstance(value, np.ndarray)}
    domain = Numbers({})
    seen: dict[tuple[int, ...], Fraction] = {}
    order = sorted(used)
    values = []
    for key in zip(*(columns[name].tolist() for name in order), strict=True) if order else [()] * rows:
        if key not in seen:
            env = {**constants, **dict(zip(order, key, strict=True))}
            total = coefficient
            for scalar in scalars:
                total = total * evaluate(scalar, env, domain, boxes)
            seen[key] = total
        values.append(seen[key])
    return values


RELATIONS: dict[str, Callable[[Any, Any], Any]] = {">": operator.gt, ">=": operator.ge, "=": operator.eq}
"""The relations of a `Compare`."""


class Domain(Protocol):
    """The values that formulas are evaluated in."""

    def number(self, value: Fraction) -> Any: ...
    def entry(self, tensor: str, index: tuple[int, ...]) -> Any: ...
    def scalar(self, index: Index, env: Mapping[str, int]) -> Any: ...
    def power(self, base: Any, exponent: Any) -> Any: ...
    def absolute(self, value: Any) -> Any: ...
    def sign(self, value: Any) -> Any: ...
    def function(self, function: Function, value: Any) -> Any: ...
    def extremum(self, kind: str, values: list[Any]) -> Any: ...
    def compare(self, left: Any, relation: str, right: Any) -> Any: ...
    def add(self, values: list[Any]) -> Any: ...
    def multiply(self, values: list[Any]) -> Any: ...


@dataclass(frozen=True)
class Numbers:
    """Rational numbers, exact ones with e or a logarithm in them, floats where a root leaves them.

    It is for tensors with known entries.

    Args:
        tensors: a map from tensor names to functions of an index.
        one_winner: whether the share of a maximum that several entries attain is refused.
    """

    tensors: Mapping[str, Callable[[tuple[int, ...]], Any]]
    reals: Mapping[str, Any] | None = None
    one_winner: bool = False

    def number(self, value: Fraction) -> Any:
        return value

    def entry(self, tensor: str, index: tuple[int, ...]) -> Any:
        return self.tensors[tensor](index)

    def scalar(self, index: Index, env: Mapping[str, int]) -> Any:
        value = index.evaluate({**env, **(self.reals or {})})
        return Fraction(int(value)) if isinstance(value, int | np.integer) else value

    def power(self, base: Any, exponent: Any) -> Any:
        if base == 0:
            return Fraction(1) if exponent == 0 else Fraction(0)  # see Power: a gradient at the origin is 0
        if isinstance(base, Elementary):
            return base.raised(exponent)
        if isinstance(exponent, Fraction):
            if exponent.denominator == 1:
                return base**exponent.numerator
            root = _exact_root(base, exponent)
            if root is not None:
                return root
            if isinstance(base, Fraction):
                return _float_root(base, exponent)
        return float(base) ** float(exponent)

    def absolute(self, value: Any) -> Any:
        return abs(value)

    def sign(self, value: Any) -> Any:
        return Fraction((value > 0) - (value < 0))

    def function(self, function: Function, value: Any) -> Any:
        return function.at(value)

    def extremum(self, kind: str, values: list[Any]) -> Any:
        if not values:
            return float("-inf" if kind == "max" else "inf")
        return max(values) if kind == "max" else min(values)

    def compare(self, left: Any, relation: str, right: Any) -> Any:
        return Fraction(int(RELATIONS[relation](left, right)))

    def add(self, values: list[Any]) -> Any:
        return sum(values, Fraction(0))

    def multiply(self, values: list[Any]) -> Any:
        total: Any = Fraction(1)
        for value in values:
            total = total * value
        return total


def _exact_root(base: Any, exponent: Fraction) -> Fraction | None:
    """``base**exponent`` where it is rational, else None."""
    if not isinstance(base, Fraction) or base < 0:
        return None
    root = exponent.denominator
    ends = []
    for part in (base.numerator, base.denominator):
        whole = _integer_root(part, root)
        if whole**root != part:
            return None
        ends.append(whole)
    return Fraction(ends[0], ends[1]) ** exponent.numerator


def _integer_root(value: int, degree: int) -> int:
    """The largest integer whose power is at most a positive `value`, by Newton's method from above."""
    root = 1 << -(-value.bit_length() // degree)
    while True:
        better = ((degree - 1) * root + value // root ** (degree - 1)) // degree
        if better >= root:
            return root
        root = better


def _float_root(base: Fraction, exponent: Fraction) -> float:
    """``base**exponent`` for a base far out of a float's range too: powers of two are taken out and put back."""
    steps = (base.numerator.bit_length() - base.denominator.bit_length()) // exponent.denominator
    scaled = base / Fraction(2) ** (steps * exponent.denominator)
    return math.ldexp(float(scaled) ** float(exponent), steps * exponent.numerator)


def evaluate(node: Node, env: Mapping[str, int], domain: Domain, boxes: Mapping[str, Box]) -> Any:
    """The value of a tree with all its free names given in `env`.

    Args:
        node: any tree.
        env: values of indices and parameters.
        domain: what to compute in.
        boxes: the declared boxes; an access outside its box is zero.
    """
    return _Evaluation(env, domain, boxes).visit(node)


def divides_by_nothing(node: Node, env: Mapping[str, int]) -> bool:
    """Whether a formula divides by a count that is 0, as an average over a window without a real tap does."""
    counts = [f.base for f in factors_of(node) if isinstance(f, Power) and f.exponent == Constant(Fraction(-1))]
    counts = [n for n in counts if isinstance(n, Reduce) and n.op == "sum" and n.body == ONE]
    return any(evaluate(n, env, Numbers({}), {}) == 0 for n in counts)


class _Evaluation(FormulaWalker[Any]):
    """The value of a tree at one point."""

    __slots__ = ("boxes", "domain", "env")

    def __init__(self, env: Mapping[str, int], domain: Domain, boxes: Mapping[str, Box]) -> None:
        self.env, self.domain, self.boxes = env, domain, boxes

    def at(self, env: Mapping[str, int]) -> _Evaluation:
        """The same at another point."""
        return _Evaluation(env, self.domain, self.boxes)

    @case(Constant)
    def _constant(self, node: Constant) -> Any:
        return self.domain.number(node.value)

    @case(Scalar)
    def _scalar(self, node: Scalar) -> Any:
        return self.domain.scalar(node.index, self.env)

    @case(Access)
    def _access(self, node: Access) -> Any:
        index = tuple(int(e.evaluate(self.env)) for e in node.index)
        for position, (low, high) in zip(index, self.boxes[node.tensor], strict=True):
            if not low.evaluate(self.env) <= position <= high.evaluate(self.env):
                return self.domain.number(Fraction(0))
        return self.domain.entry(node.tensor, index)

    @case(Named)
    def _named(self, node: Named) -> Any:
        return self.visit(node.value)

    @case(Plus)
    def _add(self, node: Plus) -> Any:
        return self.domain.add([self.visit(arg) for arg in node.args])

    @case(Multiply)
    def _multiply(self, node: Multiply) -> Any:
        values, zero = [], self.domain.number(Fraction(0))
        for arg in node.args:
            value = self.visit(arg)
            if value is zero or (isinstance(value, int | Fraction) and value == 0):
                return zero
            values.append(value)
        return self.domain.multiply(values)

    @case(Power)
    def _power(self, node: Power) -> Any:
        return self.domain.power(self.visit(node.base), self.visit(node.exponent))

    @case(Absolute)
    def _absolute(self, node: Absolute) -> Any:
        return self.domain.absolute(self.visit(node.arg))

    @case(Sign)
    def _sign(self, node: Sign) -> Any:
        return self.domain.sign(self.visit(node.arg))

    @case(Applied)
    def _apply(self, node: Applied) -> Any:
        value = self.visit(node.arg)
        try:
            return self.domain.function(node.function, value)
        except UndefinedError as error:
            raise error.found(node.arg, self.env) from None

    @case(Bracket)
    def _bracket(self, node: Bracket) -> Any:
        return self.domain.number(Fraction(all(truth(guard, self.env) for guard in node.guards)))

    @case(Compare)
    def _compare(self, node: Compare) -> Any:
        left = self.visit(node.left)
        return self.domain.compare(left, node.relation, self.visit(node.right))

    @case(Reduce)
    def _reduce(self, node: Reduce) -> Any:
        values = [self.at(point).visit(node.body) for point in self._window(node)]
        return self.domain.add(values) if node.op == "sum" else self.domain.extremum(node.op, values)

    @case(Share)
    def _share(self, node: Share) -> Any:
        here = tuple(int(e.evaluate(self.env)) for e in node.at)
        names = [bound.name for bound in node.reduce.bounds]
        taps = [
            (tuple(p[name] for name in names), self.at(p).visit(node.reduce.body)) for p in self._window(node.reduce)
        ]
        share = share_of(self.domain, node.reduce.op, node.policy, taps, here)
        if isinstance(self.domain, Numbers) and self.domain.one_winner:
            self._refuse_tie(node.reduce, taps, here)
        return share

    def _refuse_tie(self, reduce: Reduce, taps: Sequence[tuple[tuple[int, ...], Any]], here: tuple[int, ...]) -> None:
        """Refuse a window in which the tap at `here` is one of several winners.

        Raises:
            ArgumentError: for such a window; it says which entries.
        """
        mine = next((value for key, value in taps if key == here), None)
        sign = ">" if reduce.op == "max" else "<"
        if mine is None or any(RELATIONS[sign](value, mine) for _, value in taps):
            return
        winners = [key for key, value in taps if value == mine]
        if len(winners) > 1:
            names = [bound.name for bound in reduce.bounds]
            places = (self.at({**self.env, **dict(zip(names, key, strict=True))})._read(reduce.body) for key in winners)
            raise ArgumentError(
                "ties",
                "error",
                f"refuses two winners: {' and '.join(places)} are {'both' if len(winners) == 2 else 'all'} {mine}",
                "take ties='first' or 'split'",
            )

    def _read(self, body: Node) -> str:
        """The entries that a tap reads, as they are written."""
        places = ((read.tensor, [str(int(e.evaluate(self.env))) for e in read.index]) for read in accesses(body))
        return " and ".join(f"{tensor}[{', '.join(index)}]" for tensor, index in places)

    def _window(self, reduce: Reduce) -> list[dict[str, int]]:
        """The points of a reduction in row-major order of its bound indices."""
        return listed_points(reduce.bounds, reduce.guards, self.env)


def share_of(
    domain: Domain, kind: str, policy: str, taps: Sequence[tuple[tuple[int, ...], Any]], here: tuple[int, ...]
) -> Any:
    """The share of the tap at `here` in a "max" or "min" under a tie policy; 0 if the window does not have it.

    Args:
        domain: what to compute in.
        kind: "max" or "min".
        policy: "first" or "split".
        taps: the window as (place, value) pairs.
        here: the place of the tap.
    """

    def wins(value: Any, relation: str, other: Any) -> Any:
        return domain.compare(value, relation, other) if kind == "max" else domain.compare(other, relation, value)

    mine = next((value for key, value in taps if key == here), None)
    if mine is None:
        return domain.number(Fraction(0))
    others = [(key, value) for key, value in taps if key != here]
    if policy == "first":
        return domain.multiply([wins(mine, ">" if key < here else ">=", x) for key, x in others])
    if policy == "split":
        winning = domain.multiply([wins(mine, ">=", x) for _, x in others])
        ties = domain.add([domain.number(Fraction(1)), *(wins(x, ">=", mine) for _, x in others)])
        return domain.multiply([winning, domain.power(ties, domain.number(Fraction(-1)))])
    raise ArgumentError("ties", policy, "must be 'first' or 'split'")
