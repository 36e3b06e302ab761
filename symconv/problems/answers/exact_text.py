"""Exact numbers as LaTeX: rationals, decimals where they end, roots, and numbers with e or a logarithm in them."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

__all__ = ["approximation", "as_sympy", "decimal", "exact_text", "is_long"]

MOST_LETTERS = 48
PLACES = 4


def exact_text(value: Any) -> str:
    """An exact number on one line, a fraction as 1/3."""
    if isinstance(value, Fraction | int):
        value = Fraction(value)
        return str(value.numerator) if value.denominator == 1 else f"{value.numerator}/{value.denominator}"
    if isinstance(value, float):
        return f"{value:.{PLACES}f}"
    import sympy

    return str(sympy.latex(as_sympy(value), ln_notation=True, fold_short_frac=True))


def as_sympy(value: Any) -> Any:
    """The SymPy number behind an exact one of the formulas."""
    from symconv.formulas.elementary import symbolic

    return value if hasattr(value, "free_symbols") else symbolic(value)


def is_long(value: Any) -> bool:
    """Whether an exact number is longer to read than what it tells: it is shown as a decimal alone then."""
    return len(exact_text(value)) > MOST_LETTERS


def approximation(value: Any) -> str:
    """A number rounded to four places."""
    if isinstance(value, Fraction):
        scaled = round(value * 10**PLACES)
        sign, digits = "-" if scaled < 0 else "", f"{abs(scaled):0{PLACES + 1}d}"
        return f"{sign}{digits[:-PLACES]}.{digits[-PLACES:]}"
    if isinstance(value, float):
        return f"{value:.{PLACES}f}"
    import sympy

    number = sympy.N(as_sympy(value), 30)
    return approximation(Fraction(str(number)))


def decimal(value: Fraction) -> str:
    """A rational number as a decimal where it ends soon, else as a fraction.

    >>> decimal(Fraction(-499, 500)), decimal(Fraction(2, 3))
    ('-0.998', '2/3')
    """
    for places in range(8):
        scaled = value * 10**places
        if scaled.denominator == 1:
            digits = f"{abs(scaled.numerator):0{places + 1}d}"
            whole, rest = (digits[:-places], digits[-places:]) if places else (digits, "")
            return ("-" if value < 0 else "") + whole + (f".{rest}" if rest else "")
    return exact_text(value)
