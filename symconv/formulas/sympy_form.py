"""From formulas to SymPy: the symbolic right-hand side, single exact entries, dense and sparse matrices.

In SymPy nothing is zero by being outside a box, so every access that may leave its box is guarded by a ``Piecewise``;
guards that always hold there are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import lru_cache
from itertools import product as iterate
from typing import TYPE_CHECKING, Any

import sympy

from symconv.errors import SizeLimitError
from symconv.formulas.algebra import (
    Absolute,
    Access,
    Add,
    Bracket,
    Compare,
    Constant,
    Guard,
    Multiply,
    Named,
    Node,
    Power,
    Reduce,
    Scalar,
    Share,
    Sign,
    inside,
)
from symconv.formulas.bounds import Knowledge
from symconv.formulas.calculus import closed_count
from symconv.formulas.exact import (
    RELATIONS,
    Box,
    Polynomial,
    divides_by_nothing,
    evaluate,
    is_polynomial,
    polynomials,
    share_of,
)
from symconv.formulas.index import Index
from symconv.formulas.symbols import SymbolTable, index_to_sympy
from symconv.formulas.walks import accesses

if TYPE_CHECKING:
    from symconv.formulas.formula import Formula

__all__ = [
    "ExtremumShare",
    "WindowMaximum",
    "WindowMinimum",
    "WindowSum",
    "entry_to_sympy",
    "to_matrix",
    "to_sparse",
    "to_sympy",
]


class _WindowReduction(sympy.Function):
    """A reduction of an expression over index ranges: ``(body, (m, lo, hi), ..., condition)``, kept as it is.

    `doit` evaluates it where ranges and condition are numbers.
    """

    nargs = None
    is_commutative = True  # a number, though SymPy would deny it for the ranges among its arguments

    @classmethod
    def eval(cls, *args: Any) -> None:
        return None

    @property
    def bound_symbols(self) -> list[Any]:
        """The symbols of the ranges; nothing from outside can be put in for them."""
        return [arg.args[0] for arg in self.args if isinstance(arg, sympy.Tuple)]

    @property
    def free_symbols(self) -> set[Any]:
        limits = [limit for arg in self.args if isinstance(arg, sympy.Tuple) for limit in arg.args[1:]]
        inner = [arg for arg in self.args if not isinstance(arg, sympy.Tuple)]
        free = set().union(*(arg.free_symbols for arg in inner)) - set(self.bound_symbols)
        return free.union(*(limit.free_symbols for limit in limits))

    def _eval_subs(self, old: Any, new: Any) -> Any:
        if old in self.bound_symbols:
            return self
        clash = [name for name in self.bound_symbols if name in new.free_symbols]
        if not clash or old not in self.free_symbols:
            return None  # SymPy then goes on into the arguments
        fresh = {name: sympy.Dummy(name.name, **name.assumptions0) for name in clash}
        return self.func(*(arg.xreplace(fresh) for arg in self.args)).subs(old, new)

    def taps(self, **hints: Any) -> list[tuple[tuple[int, ...], Any]] | None:
        """The points of the window in row-major order with their values; None where ranges or conditions are open."""
        ranges = [arg for arg in self.args[1:] if isinstance(arg, sympy.Tuple)]
        conditions = [arg for arg in self.args[1:] if not isinstance(arg, sympy.Tuple)]
        ends = [(low.doit(**hints), high.doit(**hints)) for _, low, high in ranges]
        if not all(low.is_Integer and high.is_Integer for low, high in ends):
            return None
        found = []
        for point in iterate(*(range(int(low), int(high) + 1) for low, high in ends)):
            env = {name: value for (name, _, _), value in zip(ranges, point, strict=True)}
            truth = sympy.And(*(c.subs(env) for c in conditions))
            if truth not in (sympy.true, sympy.false):
                return None
            if truth == sympy.true:
                found.append((point, self.args[0].subs(env).doit(**hints)))
        return found

    def doit(self, **hints: Any) -> Any:
        taps = self.taps(**hints)
        return self if taps is None else self.collect([value for _, value in taps])

    @classmethod
    def collect(cls, values: list[Any]) -> Any:
        return sympy.Add(*values)


class WindowSum(_WindowReduction):
    """A sum over a window under a condition, inside another sum.

    ``Sum`` with a ``Piecewise`` cannot be used there: SymPy 1.14 folds the inner pieces outwards and frees their index.
    """


class WindowMaximum(_WindowReduction):
    """The maximum over a window; SymPy has none over a symbolic range, and differentiates ``Max`` wrongly at ties."""

    @classmethod
    def collect(cls, values: list[Any]) -> Any:
        return sympy.Max(*values)


class WindowMinimum(_WindowReduction):
    """The minimum over a window."""

    @classmethod
    def collect(cls, values: list[Any]) -> Any:
        return sympy.Min(*values)


EXTREMA = {"max": WindowMaximum, "min": WindowMinimum}


class ExtremumShare(sympy.Function):
    """The part of a window maximum's or minimum's gradient that one tap receives, under a tie policy.

    ``ExtremumShare(window, policy, m, n, ...)``, the window as a `WindowMaximum` or a `WindowMinimum`.

    `doit` writes it out as comparisons where the window and the tap are numbers.
    """

    nargs = None
    is_commutative = True  # a number, though SymPy would deny it for the ranges among its arguments

    @classmethod
    def eval(cls, *args: Any) -> None:
        return None

    def doit(self, **hints: Any) -> Any:
        window, policy, *at = self.args
        kind = next((kind for kind, of in EXTREMA.items() if isinstance(window, of)), None)
        taps = None if kind is None else window.taps(**hints)
        if taps is None or not all(place.is_Integer for place in at):
            return self
        assert kind is not None
        return share_of(_SymPyDomain(SymbolTable()), kind, policy.name, taps, tuple(int(place) for place in at))


# ---------------------------------------------------------------------- symbolic form


def to_sympy(formula: Formula) -> Any:
    """The right-hand side of a formula, definitions inserted."""
    whole = formula.subs(dict(formula.definitions))
    builder = _Builder(whole.boxes, whole.table)
    return builder.build(whole.body, whole.knowledge())


class _Builder:
    def __init__(self, boxes: Mapping[str, Box], table: SymbolTable) -> None:
        self.boxes, self.table = boxes, table
        self.depth = 0  # how many sums we are inside of

    def window(self, kind: Any, node: Reduce, within: Knowledge, extra: list[Guard], known: Knowledge) -> Any:
        """A reduction that stays whole: body, ranges, and one condition where there is any."""
        ranges = [sympy.Tuple(self.table[b.name], self.index(b.lower), self.index(b.upper)) for b in node.bounds]
        guards = list(node.guards)
        self.depth += 1
        padded: list[Guard] = guards if kind is WindowSum else []
        body = self.plain(node.body, within, padded)
        if kind is not WindowSum and not isinstance(node.body, Access):
            # The window of a maximum of entries says itself which of them there are; any other tap that reads outside
            # a tensor's box reads a zero, which takes part.
            body = self.guarded(body, [g for g in padded if g not in node.guards], within)
        self.depth -= 1
        conditions = [self.guard(g) for g in dict.fromkeys(guards) if not within.holds(g)]
        whole = kind(body, *ranges, *([sympy.And(*conditions)] if conditions else []))
        return self.guarded(whole, extra, known)

    def index(self, expr: Index) -> Any:
        return index_to_sympy(expr, self.table)

    def guard(self, guard: Guard) -> Any:
        left = self.index(guard.expr)
        if guard.kind == "ge":
            return sympy.Ge(left, 0)
        if guard.kind == "eq":
            return sympy.Eq(left, 0)
        assert guard.divisor is not None
        return sympy.Eq(sympy.Mod(left, self.index(guard.divisor)), 0)

    def guarded(self, value: Any, guards: list[Guard], known: Knowledge) -> Any:
        open_ones = [g for g in dict.fromkeys(guards) if not known.holds(g)]
        if not open_ones or value == 0:
            return value
        return sympy.Piecewise((value, sympy.And(*(self.guard(g) for g in open_ones))), (0, True))

    def build(self, node: Node, known: Knowledge, extra: tuple[Guard, ...] = ()) -> Any:
        """The value of a node under the guards in `extra`, with accesses to possible padding guarded."""
        if isinstance(node, Reduce) and node.op == "sum":
            count = closed_count(node, known)
            if count is not None:
                return self.guarded(self.index(count), list(extra), known)
            within = known.within(node.bounds)
            if self.depth:
                return self.window(WindowSum, node, within, list(extra), known)
            self.depth += 1
            value = self.build(node.body, within, (*extra, *node.guards))
            self.depth -= 1
            for bound in reversed(node.bounds):
                value = sympy.Sum(value, (self.table[bound.name], self.index(bound.lower), self.index(bound.upper)))
            return value
        guards = list(extra)
        value = self.plain(node, known, guards)
        return self.guarded(value, guards, known)

    def plain(self, node: Node, known: Knowledge, guards: list[Guard]) -> Any:
        """The value of a node; conditions under which it is not zero are put into `guards`."""
        if isinstance(node, Constant):
            return sympy.Rational(node.value.numerator, node.value.denominator)
        if isinstance(node, Scalar):
            return self.index(node.index)
        if isinstance(node, Named):
            return self.plain(node.value, known, guards)
        if isinstance(node, Access):
            guards += inside(node, self.boxes[node.tensor])
            return _entry(node.tensor, tuple(self.index(e) for e in node.index))
        if isinstance(node, Multiply):
            return sympy.Mul(*(self.plain(arg, known, guards) for arg in node.args))
        if isinstance(node, Bracket):
            guards += node.guards
            return sympy.Integer(1)
        if isinstance(node, Add):
            return sympy.Add(*(self.build(arg, known) for arg in node.args))
        if isinstance(node, Power) and isinstance(node.base, Absolute):
            # zero where its base is, so that the base's conditions may stand outside
            return sympy.Pow(self.plain(node.base, known, guards), self.build(node.exponent, known))
        if isinstance(node, Power):
            base, exponent = self.build(node.base, known), self.build(node.exponent, known)
            return _power(base, exponent) if accesses(node.base) else sympy.Pow(base, exponent)
        if isinstance(node, Absolute):
            return sympy.Abs(self.plain(node.arg, known, guards))
        if isinstance(node, Sign):
            return sympy.sign(self.plain(node.arg, known, guards))
        if isinstance(node, Compare):
            left, right = self.build(node.left, known), self.build(node.right, known)
            truth = sympy.Eq(left, right) if node.relation == "=" else RELATIONS[node.relation](left, right)
            return sympy.Piecewise((1, truth), (0, True))
        if isinstance(node, Share):
            # the tap must lie in the window, or its share is 0
            env = {b.name: e for b, e in zip(node.reduce.bounds, node.at, strict=True)}
            for bound in node.reduce.bounds:
                guards += [g.subs(env) for g in bound.guards()]
            guards += [g.subs(env) for g in node.reduce.guards]
            at = [self.index(e) for e in node.at]
            return ExtremumShare(self.build(node.reduce, known), sympy.Symbol(node.policy), *at)
        if node.op == "sum":
            return self.build(node, known)
        return self.window(EXTREMA[node.op], node, known.within(node.bounds), [], known)


# ---------------------------------------------------------------------- exact entries


@lru_cache(maxsize=1 << 16)
def _entry(tensor: str, index: tuple[Any, ...]) -> Any:
    if not index:
        return sympy.Symbol(tensor)
    return sympy.IndexedBase(tensor)[index]


def _power(base: Any, exponent: Any) -> Any:
    """A power that is 0 where a negative one of 0 stands (see algebra.Power: a gradient at the origin is 0)."""
    if base == 0 and exponent.is_negative:
        return sympy.Integer(0)
    value = sympy.Pow(base, exponent)
    if not exponent.is_negative or base.is_number:
        return value
    return sympy.Piecewise((value, sympy.Ne(base, 0)), (0, True))


class _SymPyDomain:
    """SymPy expressions as values; comparisons of unknown entries become ``Piecewise``."""

    def __init__(self, table: SymbolTable) -> None:
        self.table = table

    def number(self, value: Fraction) -> Any:
        return sympy.Rational(value.numerator, value.denominator)

    def entry(self, tensor: str, index: tuple[int, ...]) -> Any:
        return _entry(tensor, index)

    def scalar(self, index: Index, env: Mapping[str, int]) -> Any:
        known = {name: value for name, value in env.items() if name in index.names}
        whole = {name: value for name, value in known.items() if isinstance(value, int)}
        orders = {self.table[name]: sympy.Rational(v) for name, v in known.items() if name not in whole}
        return index_to_sympy(index.subs(whole), self.table).subs(orders)

    def power(self, base: Any, exponent: Any) -> Any:
        return _power(base, exponent)

    def absolute(self, value: Any) -> Any:
        return sympy.Abs(value)

    def sign(self, value: Any) -> Any:
        return sympy.sign(value)

    def extremum(self, kind: str, values: list[Any]) -> Any:
        return sympy.Max(*values) if kind == "max" else sympy.Min(*values)

    def compare(self, left: Any, relation: str, right: Any) -> Any:
        truth = sympy.Eq(left, right) if relation == "=" else RELATIONS[relation](left, right)
        if truth in (sympy.true, sympy.false):
            return sympy.Integer(int(bool(truth)))
        return sympy.Piecewise((1, truth), (0, True))

    def add(self, values: list[Any]) -> Any:
        return sympy.Add(*values)

    def multiply(self, values: list[Any]) -> Any:
        return sympy.Mul(*values)


def polynomial_to_sympy(poly: Polynomial) -> Any:
    """The SymPy expression of a polynomial in tensor entries."""
    terms = []
    for monomial, value in poly.items():
        factors = [_entry(name, index) for name, index in monomial]
        if value == 1:
            terms.append(sympy.Mul(*factors))
        else:
            terms.append(sympy.Mul(sympy.Rational(value.numerator, value.denominator), *factors))
    return sympy.Add(*terms)


def entry_to_sympy(formula: Formula, point: tuple[int, ...], env: Mapping[str, int]) -> Any:
    """One entry at one point of the free indices."""
    whole = {**env, **dict(zip(formula.indices, point, strict=True))}
    if divides_by_nothing(formula.body, whole):
        return sympy.nan
    if is_polynomial(formula.body):
        entries = polynomials(formula.body, (), whole, formula.boxes)
        return polynomial_to_sympy(entries.get((), {}))
    return evaluate(formula.body, whole, _SymPyDomain(formula.table), formula.boxes)


def _entries(formula: Formula, env: Mapping[str, int]) -> Callable[[tuple[int, ...]], Any]:
    if not is_polynomial(formula.body):
        return lambda point: entry_to_sympy(formula, point, env)
    known = polynomials(formula.body, formula.free_at(env), env, formula.boxes)

    def entry(point: tuple[int, ...]) -> Any:
        if point in known:
            return polynomial_to_sympy(known[point])
        undefined = divides_by_nothing(formula.body, {**env, **dict(zip(formula.indices, point, strict=True))})
        return sympy.nan if undefined else sympy.S.Zero

    return entry


def to_matrix(formula: Formula, shape: tuple[int, ...], env: Mapping[str, int]) -> Any:
    """All entries: a matrix for two free indices or a Jacobian, else an N-dimensional array."""
    entry = _entries(formula, env)
    flat = [entry(point) for point in iterate(*formula.ranges(env))]
    if formula.quantity.kind == "derivative":
        rows = 1
        for extent in shape[: len(formula.quantity.of[1])]:
            rows *= extent
        return sympy.ImmutableDenseMatrix(rows, len(flat) // max(rows, 1), flat)
    if len(shape) == 2:
        return sympy.ImmutableDenseMatrix(shape[0], shape[1], flat)
    return sympy.ImmutableDenseNDimArray(flat, shape)


def to_sparse(formula: Formula, shape: tuple[int, ...], env: Mapping[str, int]) -> Any:
    """The nonzero entries as a sparse matrix: rows are outputs, columns the entries of the variable, both row-major."""
    from symconv.formulas.formula import MAX_NONZEROS

    if not is_polynomial(formula.body) or (formula.quantity.kind != "derivative" and len(shape) != 2):
        return sympy.ImmutableSparseMatrix(to_matrix(formula, shape, env))
    try:
        known = polynomials(formula.body, formula.free_at(env), env, formula.boxes, limit=MAX_NONZEROS)
    except SizeLimitError as error:
        raise SizeLimitError(
            f"the matrix has more than {MAX_NONZEROS:,} nonzero entries; use .at(...) for single ones"
        ) from error
    rows = len(formula.quantity.of[1]) if formula.quantity.kind == "derivative" else 1
    base = [r.start for r in formula.ranges(env)]
    entries = {}
    for point, poly in known.items():
        place = [0, 0]
        for position, (value, start, extent) in enumerate(zip(point, base, shape, strict=True)):
            side = 0 if position < rows else 1
            place[side] = place[side] * extent + (value - start)
        entries[tuple(place)] = polynomial_to_sympy(poly)
    height = width = 1
    for position, extent in enumerate(shape):
        if position < rows:
            height *= extent
        else:
            width *= extent
    return sympy.ImmutableSparseMatrix(height, width, entries)
