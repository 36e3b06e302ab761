"""Between SymPy expressions and index expressions: the only place where one becomes the other.

SymPy is imported only when a value that is not a plain integer comes in, or when an expression goes out.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from symconv.errors import ArgumentError
from symconv.formulas.index import Extremum, Index, Quotient, ceiling, floor, maximum, minimum

if TYPE_CHECKING:
    import sympy

__all__ = ["SymbolTable", "from_sympy", "index_to_sympy", "is_symbolic", "symbol"]


class SymbolTable:
    """The SymPy symbols that stand behind names; names without one get an integer symbol when they are first needed.

    Args:
        known: symbols that a caller has passed in, by name.
        positive: names that are sizes, at least 1.
        nonnegative: names that are at least 0.
        real: names that are real numbers, such as the p of an LP norm.
    """

    def __init__(
        self,
        known: Mapping[str, Any] | None = None,
        positive: frozenset[str] = frozenset(),
        nonnegative: frozenset[str] = frozenset(),
        real: frozenset[str] = frozenset(),
    ) -> None:
        self.known: dict[str, Any] = dict(known or {})
        self.given = frozenset(self.known)  # named by the caller; all other names are ours
        self.positive, self.nonnegative, self.real = positive, nonnegative, real

    def __getitem__(self, name: str) -> Any:
        if name not in self.known:
            import sympy

            if name in self.real:
                self.known[name] = sympy.Symbol(name, positive=True)
            elif name in self.positive:
                self.known[name] = sympy.Symbol(name, integer=True, positive=True)
            elif name in self.nonnegative:
                self.known[name] = sympy.Symbol(name, integer=True, nonnegative=True)
            else:
                self.known[name] = sympy.Symbol(name, integer=True)
        return self.known[name]


def symbol(name: str, **assumptions: bool) -> sympy.Symbol:
    """A SymPy integer symbol with further assumptions."""
    import sympy

    return sympy.Symbol(name, integer=True, **assumptions)


def is_symbolic(value: object) -> bool:
    """True for a SymPy expression, without importing SymPy for anything else: who has one has imported it."""
    sympy = sys.modules.get("sympy")
    return sympy is not None and isinstance(value, sympy.Expr)


def from_sympy(value: Any, argument: str) -> tuple[Index, dict[str, Any]]:
    """The index expression of a SymPy expression, and the symbols in it by name.

    Raises:
        ArgumentError: where it is not built from integers, integer symbols, + - *, powers, floor, ceiling, Min, Max,
            or where a symbol is not known by its name: a dummy, or one of two with the same name.
    """
    import sympy

    symbols: dict[str, Any] = {}

    def visit(expr: Any) -> Index:
        if isinstance(expr, sympy.Integer):
            return Index.of(int(expr))
        if isinstance(expr, sympy.Symbol):
            if expr.is_integer is False or expr.is_real is False:
                raise ArgumentError(argument, value, f"must be an integer expression ({expr} is declared as none)")
            if isinstance(expr, sympy.Dummy):
                raise ArgumentError(
                    argument,
                    value,
                    f"must have symbols that are known by their names ({expr} is a dummy)",
                    "use Symbol",
                )
            if symbols.setdefault(expr.name, expr) != expr:
                raise ArgumentError(argument, value, f"uses two different symbols that are both called {expr.name}")
            return Index.of(expr.name)
        if isinstance(expr, sympy.Add):
            return _sum([visit(arg) for arg in expr.args])
        if isinstance(expr, sympy.Mul):
            total = Index.of(1)
            for arg in expr.args:
                total = total * visit(arg)
            return total
        if isinstance(expr, sympy.Pow) and isinstance(expr.exp, sympy.Integer) and 0 <= int(expr.exp) <= 16:
            total, base = Index.of(1), visit(expr.base)
            for _ in range(int(expr.exp)):
                total = total * base
            return total
        if isinstance(expr, sympy.floor | sympy.ceiling):
            numerator, denominator = sympy.fraction(sympy.together(expr.args[0]))
            rounded = floor if isinstance(expr, sympy.floor) else ceiling
            return rounded(visit(sympy.expand(numerator)), visit(sympy.expand(denominator)))
        if isinstance(expr, sympy.Max | sympy.Min):
            return (maximum if isinstance(expr, sympy.Max) else minimum)(*(visit(arg) for arg in expr.args))
        raise ArgumentError(
            argument, value, "must be an integer or an integer expression in SymPy symbols with + - * floor ceiling"
        )

    return visit(sympy.expand(value)), symbols


def _sum(parts: list[Index]) -> Index:
    total = Index.of(0)
    for part in parts:
        total = total + part
    return total


def index_to_sympy(expr: Index, table: SymbolTable) -> sympy.Expr:
    """The SymPy form of an index expression; floor and ceiling stay exact for negative numerators."""
    import sympy

    terms = []
    for key, value in expr.terms.items():
        factors: list[Any] = [sympy.Integer(value)]
        for atom in key:
            if isinstance(atom, str):
                factors.append(table[atom])
            elif isinstance(atom, Quotient):
                ratio = index_to_sympy(atom.numerator, table) / index_to_sympy(atom.denominator, table)
                if atom.rounding == "floor":
                    ratio = sympy.floor(ratio)
                elif atom.rounding == "ceil":
                    ratio = sympy.ceiling(ratio)
                factors.append(ratio)
            else:
                assert isinstance(atom, Extremum)
                pick = sympy.Max if atom.kind == "max" else sympy.Min
                factors.append(pick(*(index_to_sympy(arg, table) for arg in atom.args)))
        terms.append(sympy.Mul(*factors))
    return sympy.Add(*terms)
