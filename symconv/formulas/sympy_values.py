"""The values of formulas in SymPy, with the one meaning of every edge case that numbers have.

A power of zero that is negative is zero (see `symconv.formulas.algebra.Power`), for an exponent with the order of a
norm in it too.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Any

import sympy

from symconv.formulas.exact import RELATIONS
from symconv.formulas.function import Function
from symconv.formulas.index import Index
from symconv.formulas.symbols import SymbolTable, index_to_sympy

__all__ = ["SymPyDomain", "entry_of", "extremum_of", "power_of"]


@lru_cache(maxsize=1 << 16)
def entry_of(tensor: str, index: tuple[Any, ...]) -> Any:
    """The entry of a tensor."""
    if not index:
        return sympy.Symbol(tensor)
    return sympy.IndexedBase(tensor)[index]


def power_of(base: Any, exponent: Any, table: SymbolTable) -> Any:
    """A power; one of 0 is 1 where the exponent is 0, and 0 otherwise: a gradient at the origin is 0.

    Args:
        base: the base.
        exponent: the exponent; the orders of norms in it are at least 1.
        table: the symbols of these orders, by name.
    """
    orders = {table[name]: 1 + sympy.Dummy(name, nonnegative=True) for name in sorted(table.real)}
    sign = sympy.expand(exponent.xreplace(orders))  # with 1 and more for every order its sign is seen
    if base == 0 and sign.is_positive:
        return sympy.S.Zero
    not_zero = base != 0 and (base.is_number or base.free_symbols <= orders.keys() or _is_positive(base))
    if not_zero or sign.is_nonnegative:
        return sympy.Pow(base, exponent)
    one = sympy.S.false if sign.is_nonzero else sympy.Eq(exponent, 0)
    if base == 0:
        return sympy.Piecewise((1, one), (0, True))
    # Of a norm SymPy looks long for a reason why it should be 0 or not, in vain; of a number of ties it finds one.
    some = sympy.Ne(base, 0, evaluate=base.has(sympy.Piecewise))
    value = sympy.Pow(base, exponent)
    return sympy.Piecewise((value, some if one == sympy.false else sympy.Or(some, one)), (0, True))


def _is_positive(base: Any) -> bool:
    """Whether an expression with powers of e in it is positive for all real entries."""
    if not base.has(sympy.exp):
        return False
    entries = base.atoms(sympy.Indexed) or base.free_symbols
    return bool(base.xreplace({entry: sympy.Dummy(real=True) for entry in entries}).is_positive)


def extremum_of(kind: str, values: list[Any]) -> Any:
    """The largest or smallest of several values.

    SymPy compares every pair of its arguments, which takes minutes for some hundred entries; about entries it learns
    nothing from that.
    """
    known = [value for value in values if value.is_number]
    others = list(dict.fromkeys(value for value in values if not value.is_number))
    of = sympy.Max if kind == "max" else sympy.Min
    if not others:
        return of(*known)
    if known:
        number = of(*known)
        if not any((v - number if kind == "max" else number - v).is_extended_nonnegative for v in others):
            others.append(number)
    return of(*others, evaluate=False)


class SymPyDomain:
    """SymPy expressions as values; comparisons of unknown entries become ``Piecewise``."""

    def __init__(self, table: SymbolTable) -> None:
        self.table = table

    def number(self, value: Fraction) -> Any:
        return sympy.Rational(value.numerator, value.denominator)

    def entry(self, tensor: str, index: tuple[int, ...]) -> Any:
        return entry_of(tensor, index)

    def scalar(self, index: Index, env: Mapping[str, int]) -> Any:
        known = {name: value for name, value in env.items() if name in index.names}
        whole = {name: value for name, value in known.items() if isinstance(value, int)}
        orders = {self.table[name]: sympy.Rational(v) for name, v in known.items() if name not in whole}
        return index_to_sympy(index.subs(whole), self.table).subs(orders)

    def power(self, base: Any, exponent: Any) -> Any:
        return power_of(base, exponent, self.table)

    def absolute(self, value: Any) -> Any:
        return sympy.Abs(value)

    def sign(self, value: Any) -> Any:
        return sympy.sign(value)

    def function(self, function: Function, value: Any) -> Any:
        return function.symbolic(value)

    def extremum(self, kind: str, values: list[Any]) -> Any:
        return extremum_of(kind, values)

    def compare(self, left: Any, relation: str, right: Any) -> Any:
        truth = sympy.Eq(left, right) if relation == "=" else RELATIONS[relation](left, right)
        if truth in (sympy.true, sympy.false):
            return sympy.Integer(int(bool(truth)))
        return sympy.Piecewise((1, truth), (0, True))

    def add(self, values: list[Any]) -> Any:
        return sympy.Add(*values)

    def multiply(self, values: list[Any]) -> Any:
        return sympy.Mul(*values)
