"""Exact numbers as texts: in cells of tables, in formulas, and in the map that a page carries."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

__all__ = ["cell_text", "common_unit", "equated", "latex_number", "map_value", "unit_words"]

_UNITS = {2: "halves", 3: "thirds", 4: "quarters", 5: "fifths", 6: "sixths", 8: "eighths", 9: "ninths", 10: "tenths"}
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_LOWERED = {raised: lowered for lowered, raised in zip("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹", strict=True)}
MOST_PARTS = 60
"""A common denominator above this is no unit that anybody counts in."""


def _exact(value: Any) -> Fraction | None:
    """A rational number; None for any other."""
    if isinstance(value, int | Fraction):
        return Fraction(value)
    if getattr(value, "is_Rational", False):
        return Fraction(int(value.p), int(value.q))
    return None


def _decimal(value: Any) -> str:
    number = float(value.evalf(30)) if hasattr(value, "evalf") else float(value)
    if math.isnan(number):
        return "NaN"
    digits, _, power = f"{number:.3g}".partition("e")
    return (f"{digits}·10{str(int(power)).translate(_RAISED)}" if power else digits).replace("-", "−")


def cell_text(value: Any, unit: Fraction = Fraction(1)) -> str:
    """A number as a cell shows it, in a unit: exact, or a decimal after "≈".

    >>> cell_text(Fraction(-2, 3)), cell_text(Fraction(-2, 3), Fraction(1, 3)), cell_text(0.125), cell_text(3e-7)
    ('−2/3', '−2', '≈0.125', '≈3·10⁻⁷')
    """
    exact = _exact(value)
    if exact is not None:
        return str(exact / unit).replace("-", "−")
    if hasattr(value, "func") and str(value.func) == "log" and value.args[0].is_Integer:
        return f"ln {value.args[0]}"
    text = _decimal(value)
    return text if text == "NaN" else f"≈{text}"


def latex_number(value: Any, unit: Fraction = Fraction(1)) -> str:
    r"""The same as LaTeX.

    >>> latex_number(Fraction(-2, 3)), latex_number(0.125), latex_number(3e-7)
    ('-2/3', '\\approx 0.125', '\\approx 3 \\cdot 10^{-7}')
    """
    text = cell_text(value, unit).replace("−", "-")
    if text.startswith("ln "):
        return rf"\ln {text[3:]}"
    if text == "NaN":
        return r"\text{NaN}"
    if not text.startswith("≈"):
        return text
    digits, times, power = text[1:].partition("·10")
    raised = "".join(_LOWERED[digit] for digit in power)
    return rf"\approx {digits}" + (rf" \cdot 10^{{{raised}}}" if times else "")


def equated(latex: str) -> tuple[str, str]:
    r"""The sign before a right-hand side, and that side: "≈" where numbers in it are rounded, said once.

    >>> equated("(1, 2)"), equated(r"(\approx 0.125, 2)")
    (('=', '(1, 2)'), ('\\approx', '(0.125, 2)'))
    """
    rounded = latex.replace(r"\approx ", "")
    return ("=", latex) if rounded == latex else (r"\approx", rounded)


def map_value(value: Any) -> int | str:
    """A number of the map: an integer, a quotient as a text, or a decimal after "≈".

    >>> map_value(Fraction(6, 2)), map_value(Fraction(1, 3))
    (3, '1/3')
    """
    exact = _exact(value)
    if exact is None:
        return cell_text(value)
    return exact.numerator if exact.denominator == 1 else str(exact)


def common_unit(values: Iterable[Any]) -> Fraction:
    """One over the common denominator of numbers, where all are rational and it is small; else 1.

    >>> common_unit([Fraction(1, 2), Fraction(1, 3), 4]), common_unit([Fraction(1, 101)])
    (Fraction(1, 6), Fraction(1, 1))
    """
    denominators = []
    for value in values:
        exact = _exact(value)
        if exact is None:
            return Fraction(1)
        denominators.append(exact.denominator)
    common = math.lcm(*denominators) if denominators else 1
    return Fraction(1, common) if common <= MOST_PARTS else Fraction(1)


def unit_words(unit: Fraction) -> str:
    """What a unit is called after a comma; nothing for 1.

    >>> unit_words(Fraction(1, 3)), unit_words(Fraction(1, 7)), unit_words(Fraction(1))
    ('in thirds', 'in units of 1/7', '')
    """
    if unit == 1:
        return ""
    if unit.numerator == 1 and unit.denominator in _UNITS:
        return f"in {_UNITS[unit.denominator]}"
    return f"in units of {unit}"
