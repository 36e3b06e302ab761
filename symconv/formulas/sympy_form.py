"""From formulas to SymPy: the symbolic right-hand side, single exact entries, dense and sparse matrices.

In SymPy nothing is zero by being outside a box, so every access that may leave its box is guarded by a ``Piecewise``;
guards that always hold there are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import product as iterate
from typing import Any

import sympy

from symconv.errors import SizeLimitError
from symconv.formulas.algebra import (
    Absolute,
    Access,
    Applied,
    Bracket,
    Compare,
    Constant,
    FormulaWalker,
    Guard,
    Multiply,
    Named,
    Node,
    Plus,
    Power,
    Reduce,
    Scalar,
    Share,
    Sign,
    inside,
)
from symconv.formulas.bounds import Knowledge
from symconv.formulas.calculus import closed_count
from symconv.formulas.counting import count_terms
from symconv.formulas.equation import Equation
from symconv.formulas.exact import RELATIONS, Box, Polynomial, divides_by_nothing, evaluate, is_polynomial, polynomials
from symconv.formulas.images import is_always_positive
from symconv.formulas.index import Index
from symconv.formulas.symbols import SymbolTable, index_to_sympy
from symconv.formulas.sympy_values import SymPyDomain, entry_of, power_of
from symconv.formulas.sympy_windows import EXTREMA, ExtremumShare, WindowSum
from symconv.formulas.walker import case
from symconv.formulas.walks import accesses

__all__ = ["MOST_TERMS", "MOST_TERMS_OF_A_MATRIX", "entry_to_sympy", "to_matrix", "to_sparse", "to_sympy"]

MAX_NONZEROS = 1_000_000
"""The most entries of a sparse matrix."""

MOST_TERMS = 10_000
"""An entry of more terms is not written out: SymPy takes seconds for as many, and nobody reads them."""

MOST_TERMS_OF_A_MATRIX = 100_000
"""The same for all entries of a matrix together."""


# ---------------------------------------------------------------------- symbolic form


def to_sympy(formula: Equation) -> Any:
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
        return _Plain(self, known, guards).visit(node)


class _Plain(FormulaWalker[Any]):
    """The value of a node without the conditions under which it is not zero, which are put into `guards`."""

    def __init__(self, builder: _Builder, known: Knowledge, guards: list[Guard]) -> None:
        self.builder, self.known, self.guards = builder, known, guards

    def whole(self, node: Node) -> Any:
        """The value of a part with its own conditions."""
        return self.builder.build(node, self.known)

    @case(Constant)
    def _constant(self, node: Constant) -> Any:
        return sympy.Rational(node.value.numerator, node.value.denominator)

    @case(Scalar)
    def _scalar(self, node: Scalar) -> Any:
        return self.builder.index(node.index)

    @case(Named)
    def _named(self, node: Named) -> Any:
        return self.visit(node.value)

    @case(Access)
    def _access(self, node: Access) -> Any:
        self.guards += inside(node, self.builder.boxes[node.tensor])
        return entry_of(node.tensor, tuple(self.builder.index(e) for e in node.index))

    @case(Multiply)
    def _multiply(self, node: Multiply) -> Any:
        return sympy.Mul(*(self.visit(arg) for arg in node.args))

    @case(Bracket)
    def _bracket(self, node: Bracket) -> Any:
        self.guards += node.guards
        return sympy.Integer(1)

    @case(Plus)
    def _add(self, node: Plus) -> Any:
        return sympy.Add(*(self.whole(arg) for arg in node.args))

    @case(Power)
    def _power(self, node: Power) -> Any:
        if isinstance(node.base, Absolute):
            # zero where its base is, so that the base's conditions may stand outside
            return sympy.Pow(self.visit(node.base), self.whole(node.exponent))
        base, exponent = self.whole(node.base), self.whole(node.exponent)
        if not accesses(node.base) or is_always_positive(node.base, self.known):
            return sympy.Pow(base, exponent)
        return power_of(base, exponent, self.builder.table)

    @case(Absolute)
    def _absolute(self, node: Absolute) -> Any:
        return sympy.Abs(self.visit(node.arg))

    @case(Sign)
    def _sign(self, node: Sign) -> Any:
        return sympy.sign(self.visit(node.arg))

    @case(Applied)
    def _apply(self, node: Applied) -> Any:
        return node.function.symbolic(self.whole(node.arg))

    @case(Compare)
    def _compare(self, node: Compare) -> Any:
        left, right = self.whole(node.left), self.whole(node.right)
        truth = sympy.Eq(left, right) if node.relation == "=" else RELATIONS[node.relation](left, right)
        return sympy.Piecewise((1, truth), (0, True))

    @case(Share)
    def _share(self, node: Share) -> Any:
        # the tap must lie in the window, or its share is 0
        env = {b.name: e for b, e in zip(node.reduce.bounds, node.at, strict=True)}
        for bound in node.reduce.bounds:
            self.guards += [g.subs(env) for g in bound.guards()]
        self.guards += [g.subs(env) for g in node.reduce.guards]
        at = [self.builder.index(e) for e in node.at]
        return ExtremumShare(self.whole(node.reduce), sympy.Symbol(node.policy), *at)

    @case(Reduce)
    def _reduce(self, node: Reduce) -> Any:
        if node.op == "sum":
            return self.whole(node)
        return self.builder.window(EXTREMA[node.op], node, self.known.within(node.bounds), [], self.known)


# ---------------------------------------------------------------------- exact entries


def polynomial_to_sympy(poly: Polynomial) -> Any:
    """The SymPy expression of a polynomial in tensor entries."""
    terms = []
    for monomial, value in poly.items():
        factors = [entry_of(name, index) for name, index in monomial]
        if value == 1:
            terms.append(sympy.Mul(*factors))
        else:
            terms.append(sympy.Mul(sympy.Rational(value.numerator, value.denominator), *factors))
    return sympy.Add(*terms)


def entry_to_sympy(formula: Equation, point: tuple[int, ...], env: Mapping[str, int]) -> Any:
    """One entry at one point of the free indices.

    Raises:
        SizeLimitError: above 10,000 terms, before any is made.
    """
    whole = {**env, **dict(zip(formula.indices, point, strict=True))}
    if count_terms(formula.body, (), whole, formula.boxes, MOST_TERMS) > MOST_TERMS:
        raise SizeLimitError(
            f"at{point} would have more than {MOST_TERMS:,} terms; use .sympy() for the sum as a whole, and for the "
            f"numbers .values(tensors) or symconv.compile"
        )
    return _entry_to_sympy(formula, whole)


def _entry_to_sympy(formula: Equation, whole: Mapping[str, int]) -> Any:
    if divides_by_nothing(formula.body, whole):
        return sympy.nan
    if is_polynomial(formula.body):
        entries = polynomials(formula.body, (), whole, formula.boxes)
        return polynomial_to_sympy(entries.get((), {}))
    return evaluate(formula.body, whole, SymPyDomain(formula.table), formula.boxes)


def _entries(formula: Equation, env: Mapping[str, int]) -> Callable[[tuple[int, ...]], Any]:
    if not is_polynomial(formula.body):
        return lambda point: _entry_to_sympy(formula, {**env, **dict(zip(formula.indices, point, strict=True))})
    known = polynomials(formula.body, formula.free_at(env), env, formula.boxes)

    def entry(point: tuple[int, ...]) -> Any:
        if point in known:
            return polynomial_to_sympy(known[point])
        undefined = divides_by_nothing(formula.body, {**env, **dict(zip(formula.indices, point, strict=True))})
        return sympy.nan if undefined else sympy.S.Zero

    return entry


def to_matrix(formula: Equation, shape: tuple[int, ...], env: Mapping[str, int]) -> Any:
    """All entries: a matrix for two free indices or a Jacobian, else an N-dimensional array."""
    count = count_terms(formula.body, formula.free_at(env), env, formula.boxes, MOST_TERMS_OF_A_MATRIX)
    if count > MOST_TERMS_OF_A_MATRIX:
        raise SizeLimitError(
            f"this matrix would have more than {MOST_TERMS_OF_A_MATRIX:,} terms in its entries; use .at(...) for "
            f"single ones, and for the numbers .values(tensors) or symconv.compile"
        )
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


def to_sparse(formula: Equation, shape: tuple[int, ...], env: Mapping[str, int]) -> Any:
    """The nonzero entries as a sparse matrix: rows are outputs, columns the entries of the variable, both row-major."""
    if not is_polynomial(formula.body) or (formula.quantity.kind != "derivative" and len(shape) != 2):
        return sympy.ImmutableSparseMatrix(to_matrix(formula, shape, env))
    known = polynomials(formula.body, formula.free_at(env), env, formula.boxes, limit=MAX_NONZEROS)
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
