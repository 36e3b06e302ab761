"""Exact numbers with e or a logarithm in them: a SymPy number that no float decides about.

Of two such numbers nobody can always say whether they are equal, but different ones can be told apart: both are
enclosed in intervals whose ends are rounded outwards, as finely as it takes. So an order between them is either certain
or not decided (`symconv.formulas.radicals.UndecidedNumberError`).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import TYPE_CHECKING, Any

from symconv.formulas.radicals import Radical, UndecidedNumberError, power

if TYPE_CHECKING:
    import sympy

__all__ = ["Elementary", "elementary", "read_elementary", "symbolic"]

FINEST = 1 << 12  # bits of the last interval that is tried


@dataclass(frozen=True, eq=False)
class Elementary:
    """A real number made of rational numbers, roots, e and logarithms by the four operations and powers.

    >>> from symconv.formulas.functions import EXP
    >>> e = elementary(EXP.symbolic(symbolic(Fraction(1))))
    >>> e > Fraction(2718, 1000), e * e, e - e
    (True, exp(2), Fraction(0, 1))
    """

    expr: sympy.Expr

    def __hash__(self) -> int:
        return hash(self.expr)

    def __add__(self, other: Any) -> Any:
        if isinstance(other, float):
            return float(self) + other
        return _joined(other, lambda value: self.expr + value)

    __radd__ = __add__

    def __neg__(self) -> Any:
        return elementary(-self.expr)

    def __sub__(self, other: Any) -> Any:
        return self + -other

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, float):
            return float(self) * other
        return _joined(other, lambda value: self.expr * value)

    __rmul__ = __mul__

    def raised(self, exponent: Fraction) -> Any:
        """A power of this number, which is other than 0; of a negative one the exponent is whole."""
        return elementary(self.expr ** symbolic(exponent))

    def __abs__(self) -> Any:
        return self if self.sign > 0 else -self

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, int | Fraction | Radical | Elementary):
            return NotImplemented
        return not self - other

    def __lt__(self, other: Any) -> bool:
        return _sign(self - other) < 0

    def __le__(self, other: Any) -> bool:
        return _sign(self - other) <= 0

    def __gt__(self, other: Any) -> bool:
        return _sign(self - other) > 0

    def __ge__(self, other: Any) -> bool:
        return _sign(self - other) >= 0

    def __bool__(self) -> bool:
        return self.sign != 0

    def __float__(self) -> float:
        return float(self.expr.evalf(20))

    @property
    def sign(self) -> int:
        """-1, 0 or 1; that of a number of roots alone is always decided.

        Raises:
            UndecidedNumberError: where the finest interval that is tried has 0 in it.
        """
        from mpmath import MPIntervalContext  # type: ignore[import-untyped]

        context = MPIntervalContext()  # one of its own: the precision of the shared one is not ours to change
        context.prec = 64
        while context.prec <= FINEST:
            found = _enclosed(self.expr, context)
            if found is not None and (found.a > 0 or found.b < 0):
                return 1 if found.a > 0 else -1
            roots = _of_roots(self.expr) if context.prec == 64 else None
            if roots is not None:
                return int(roots > 0) - int(roots < 0)
            context.prec *= 2
        raise UndecidedNumberError(f"whether {self} is 0 was not decided")

    def __str__(self) -> str:
        return str(self.expr)

    __repr__ = __str__

    def _sympy_(self) -> Any:
        return self.expr


def elementary(expr: sympy.Expr) -> Fraction | Elementary:
    """The number that a SymPy number is: rational where SymPy has made it one."""
    return Fraction(int(expr.p), int(expr.q)) if expr.is_Rational else Elementary(expr)


def read_elementary(expr: Any) -> Fraction | Elementary | None:
    """The number that a SymPy expression is, where it is made of rational numbers, e and logarithms; else None."""
    import sympy

    if getattr(expr, "is_Rational", False):
        return Fraction(int(expr.p), int(expr.q))
    known = sympy.Add | sympy.Mul | sympy.Pow | sympy.exp | sympy.log | sympy.tanh
    if not isinstance(expr, sympy.Expr) or not expr.is_extended_real:
        return None
    parts = sympy.preorder_traversal(expr)
    ok = all(part.is_Rational or part == sympy.E or isinstance(part, known) for part in parts)
    return Elementary(expr) if ok else None


def symbolic(value: Any) -> sympy.Expr:
    """An exact number in SymPy."""
    import sympy

    if isinstance(value, int | Fraction):
        return sympy.Rational(value.numerator, value.denominator)
    return value._sympy_()


def _joined(other: Any, join: Any) -> Any:
    if not isinstance(other, int | Fraction | Radical | Elementary):
        return NotImplemented
    return elementary(join(symbolic(other)))


def _sign(value: Any) -> int:
    return value.sign if isinstance(value, Elementary) else (value > 0) - (value < 0)


def _of_roots(expr: sympy.Expr) -> Any:
    """A number that is made of rational numbers and roots alone, in the form that tells whether it is 0; else None."""
    if expr.is_Rational:
        return Fraction(int(expr.p), int(expr.q))
    parts = [_of_roots(part) for part in expr.args]
    if not parts or any(part is None for part in parts):
        return None
    if expr.is_Add or expr.is_Mul:
        return sum(parts, Fraction(0)) if expr.is_Add else prod(parts, start=Fraction(1))
    if not expr.is_Pow or not isinstance(parts[1], Fraction):
        return None
    base, exponent = parts
    if base > 0:
        return power(base, exponent)
    if exponent.denominator != 1 or base == 0:
        return None
    return power(-base, exponent) * (-1 if exponent.numerator % 2 else 1)


def _enclosed(expr: sympy.Expr, context: Any) -> Any:
    """An interval in which a number lies; None where the precision is too low for one."""
    import sympy

    if expr.is_Rational:
        return context.mpf(int(expr.p)) / context.mpf(int(expr.q))
    parts = [_enclosed(part, context) for part in expr.args]
    if any(part is None for part in parts):
        return None
    if expr.is_Add:
        return sum(parts[1:], parts[0])
    if expr.is_Mul:
        total = parts[0]
        for part in parts[1:]:
            total = total * part
        return total
    if expr == sympy.E:
        return context.exp(context.mpf(1))
    if isinstance(expr, sympy.exp):
        return context.exp(parts[0])
    if isinstance(expr, sympy.log):
        return context.log(parts[0]) if parts[0].a > 0 else None
    if isinstance(expr, sympy.tanh):  # with e^x alone
        return 1 - 2 / (context.exp(2 * parts[0]) + 1)
    assert isinstance(expr, sympy.Pow), expr
    base, exponent = parts
    if expr.exp.is_Integer:
        whole = int(expr.exp)
        if whole < 0 and base.a <= 0 <= base.b:
            return None
        return base**whole if whole > 0 else 1 / base**-whole
    return context.exp(exponent * context.log(base)) if base.a > 0 else None
