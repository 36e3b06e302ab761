"""The arithmetic of printed formulas: exact where it can be, and an error where a text has no meaning."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Any

__all__ = [
    "Env",
    "Point",
    "UnreadableError",
    "Value",
    "close",
    "divided",
    "extremum",
    "power",
    "related",
    "times",
    "total",
    "whole",
]

Env = Mapping[str, Any]
Value = Callable[[Env], Any]
Point = tuple[int, ...]


class UnreadableError(AssertionError):
    """A text that the reader has no meaning for."""


def close(left: Any, right: Any) -> bool:
    """Equality: exact where both sides are, else to nine digits."""
    if isinstance(left, float) or isinstance(right, float):
        return left == right or abs(left - right) <= 1e-9 * max(1, abs(left), abs(right))
    return bool(left == right)


def whole(value: Any) -> int:
    if Fraction(value).denominator != 1:
        raise UnreadableError(f"{value} is no integer")
    return int(value)


def total(values: Iterator[Any]) -> Any:
    found: Any = 0
    for value in values:
        found = found + value
    return found


def times(left: Value, right: Value) -> Value:
    def value(env: Env) -> Any:
        first = left(env)
        return 0 if first == 0 and not isinstance(first, float) else first * right(env)

    return value


def divided(left: Value, right: Value) -> Value:
    def value(env: Env) -> Any:
        top, bottom = left(env), right(env)
        if isinstance(top, float) or isinstance(bottom, float):
            return top / bottom
        return Fraction(top) / Fraction(bottom)

    return value


def power(base: Any, exponent: Any) -> Any:
    if Fraction(exponent).denominator == 1 and not isinstance(base, float):
        return Fraction(base) ** int(exponent)
    return float(base) ** float(exponent)


def related(left: Any, sign: str, right: Any) -> bool:
    if sign == "∣":
        return Fraction(right, left).denominator == 1
    if sign == "=":
        return close(left, right)
    if sign == "≠":
        return not close(left, right)
    slack = 1e-9 if isinstance(left, float) or isinstance(right, float) else 0
    return {"≤": left <= right + slack, "≥": left + slack >= right, "<": left < right, ">": left > right}[sign]


def extremum(kind: str, values: list[Any]) -> Any:
    if not values:
        return -math.inf if kind == "max" else math.inf
    return max(values) if kind == "max" else min(values)
