"""Numbers from outside: the entries of the tensors that a formula is evaluated for, and the order of a norm."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

from symconv.doors import plain_integer
from symconv.errors import ArgumentError
from symconv.formulas.elementary import Elementary, read_elementary
from symconv.formulas.symbols import is_symbolic

__all__ = ["check_shape", "exact_array", "exact_number", "order_of", "reader"]


def order_of(name: str, value: Any) -> Fraction | int:
    """The p of an LP norm: an exact number >= 1; a float is read as it prints."""
    exact: Fraction | None = None
    if hasattr(value, "__index__"):
        exact = Fraction(plain_integer(name, value, requirement="must be a number >= 1"))
    elif isinstance(value, float | Decimal) and math.isfinite(value):
        exact = Fraction(str(value))
    elif isinstance(value, Fraction) or getattr(value, "is_Rational", False):
        exact = Fraction(int(value.numerator), int(value.denominator))
    if exact is None or exact < 1:
        raise ArgumentError(name, value, "must be a number >= 1")
    return int(exact) if exact.denominator == 1 else exact


def check_shape(name: str, value: Any, shape: tuple[int, ...]) -> None:
    """Refuse nested lists that are no box of this shape, before anything is read from them."""
    level = [value]
    for axis, extent in enumerate(shape):
        for part in level:
            found = len(part) if _has_entries(part) else None
            if found != extent:
                has = "has a single number" if found is None else f"has {found}"
                raise ArgumentError(
                    f"tensors[{name!r}]", value, f"must have shape {shape}, but {has} where axis {axis} needs {extent}"
                )
        level = [entry for part in level for entry in part]


def _has_entries(part: Any) -> bool:
    axes = getattr(part, "ndim", 0)
    return isinstance(part, list | tuple) or (isinstance(axes, int) and axes >= 1)


def reader(name: str, value: Any, base: int) -> Callable[[tuple[int, ...]], Any]:
    """The entries of nested lists or an array by their index, which counts from `base`; exact where they are."""

    def read(index: tuple[int, ...]) -> Any:
        entry = value
        for position in index:
            entry = entry[position - base]
        number = exact_number(entry)
        if number is None:
            raise ArgumentError(
                f"tensors[{name!r}]", entry, "must have real numbers as entries", "see .at(...) for symbolic ones"
            )
        return number

    return read


def exact_array(value: Any, shape: tuple[int, ...]) -> Any:
    """An array of objects of the entries of nested lists or an array, whole numbers as integers, which are quicker.

    None where one of them is no exact number.
    """
    import numpy as np

    level = [value]
    for _ in shape:
        level = [entry for part in level for entry in part]
    numbers = [exact_number(entry) for entry in level]
    if not all(isinstance(number, Fraction) for number in numbers):
        return None
    result = np.empty(len(numbers), object)
    result[:] = [n.numerator if n.denominator == 1 else n for n in numbers if isinstance(n, Fraction)]
    return result.reshape(shape)


def exact_number(entry: Any) -> Fraction | Elementary | float | None:
    """The value of an entry: exact where it is; None where it is no real number."""
    if hasattr(entry, "dtype") and getattr(entry, "shape", None) == () and not hasattr(entry, "mask"):
        entry = entry.item()  # a NumPy number as Python's
    if is_symbolic(entry):
        return read_elementary(entry)
    if isinstance(entry, Decimal):
        return Fraction(entry) if entry.is_finite() else None
    if isinstance(entry, int):
        return Fraction(entry)
    return entry if isinstance(entry, float | Fraction) else None
