"""The kinds of values that an option can have: how each is read in Python, in a problem file and at a command line.

A kind reads at three doors. `checked` is Python's: what the constructor was given becomes what the operator keeps.
`filed` and `typed` turn what a file (TOML) or a command line says into something for the constructor, and refuse only
what has no such form: ranges and rules are checked once, by `checked`.
"""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from fractions import Fraction
from numbers import Integral
from typing import Any, ClassVar, Literal, TypeAlias

from symconv.doors import flag, one_of
from symconv.errors import ArgumentError, Shown
from symconv.formulas.symbols import is_symbolic
from symconv.operators.options import PADDING_RULES, Integer, axes_of, integer, padding_pairs, per_axis

__all__ = [
    "Door",
    "Flag",
    "Kind",
    "Norm",
    "Padding",
    "PerAxis",
    "Rational",
    "Size",
    "UnreadError",
    "Whole",
    "Word",
    "exact_number",
    "rational",
]

Door: TypeAlias = Literal["python", "file", "command"]

_SIZE = "[0-9]{1,9}"  # a number of more digits is a slip, not a size
_BETWEEN = "[x×,]"
MOST_TYPED_AXES = 6


class UnreadError(Exception):
    """What a file or a command line says is no value of a kind; the door adds the place.

    Attributes:
        requirement: what it must be.
        value: what was found.
        fix: what to write instead, where that is known.
    """

    def __init__(self, requirement: str, value: object, fix: str = "") -> None:
        self.requirement, self.value, self.fix = requirement, value, fix
        super().__init__(requirement)


class Kind(ABC):
    """A kind of values.

    Attributes:
        metavar: what stands for a value in the help of a command.
        forms: how a value is written, in a few words: in Python, in a problem file and at a command line.
    """

    metavar: ClassVar[str] = "VALUE"
    forms: ClassVar[Mapping[Door, str]] = {}

    def form(self, door: Door) -> str:
        """How a value is written at a door, in a few words."""
        return self.forms.get(door, "")

    @abstractmethod
    def checked(self, argument: str, value: Any, ndim: int) -> Any:
        """The value as an operator of `ndim` spatial axes keeps it.

        Raises:
            ArgumentError: for what is no value of this kind.
        """

    @abstractmethod
    def filed(self, value: Any) -> Any:
        """What a problem file says, for the constructor; TOML's integers, decimals, strings, booleans and lists.

        Raises:
            UnreadError: for what has no such form.
        """

    @abstractmethod
    def typed(self, text: str) -> Any:
        """What a command line says, for the constructor.

        Raises:
            UnreadError: for what has no such form.
        """


@dataclass(frozen=True)
class PerAxis(Kind):
    """An integer, or one a spatial axis.

    Attributes:
        least: the smallest value on an axis.
        follows: the option whose values stand for it where it is left out (None).
    """

    metavar = "1"
    forms: ClassVar[Mapping[Door, str]] = {
        "python": "an int or one an axis",
        "file": "an integer or one an axis",
        "command": "2, or 2x1 an axis",
    }

    least: int = 1
    follows: str = ""

    def checked(self, argument: str, value: Any, ndim: int) -> tuple[Integer, ...]:
        return per_axis(argument, value, ndim, self.least)

    def filed(self, value: Any) -> Any:
        if isinstance(value, list) and all(isinstance(entry, int) and not isinstance(entry, bool) for entry in value):
            return tuple(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise UnreadError("must be an integer, or a list of one integer a spatial axis", value)
        return value

    def typed(self, text: str) -> Any:
        entries = re.split(_BETWEEN, text)
        if not all(re.fullmatch(f"-?{_SIZE}", entry) for entry in entries):
            raise UnreadError("must be an integer, or one an axis such as 2x1", text)
        numbers = tuple(map(int, entries))
        return numbers if len(numbers) > 1 else numbers[0]


@dataclass(frozen=True)
class Size(PerAxis):
    """A size of at least 1 on every axis, which says how many axes there are."""

    metavar = "3x3"
    forms: ClassVar[Mapping[Door, str]] = {
        "python": "one entry a spatial axis; an int means `ndim` equal axes",
        "file": "one integer an axis",
        "command": "one number is one axis, or as many axes as there are elsewhere",
    }

    def checked(self, argument: str, value: Any, ndim: int) -> tuple[Integer, ...]:
        return axes_of(argument, value, ndim, self.least)

    def typed(self, text: str) -> tuple[int, ...]:
        entries = re.split(_BETWEEN, text)
        if not all(re.fullmatch(_SIZE, entry, re.ASCII) for entry in entries):
            raise UnreadError("must be a shape such as 5x5, one size an axis", text)
        if len(entries) > MOST_TYPED_AXES:
            raise UnreadError(f"must have at most {MOST_TYPED_AXES} axes", len(entries))
        return tuple(map(int, entries))


@dataclass(frozen=True)
class Padding(Kind):
    """Entries before and after on every axis.

    Attributes:
        rules: the rules whose names may stand for them.
    """

    metavar = "1"

    rules: tuple[str, ...] = PADDING_RULES

    def form(self, door: Door) -> str:
        rules = "".join(f', "{rule}"' for rule in self.rules)
        if door == "python":
            return f"an int, one an axis, ``(before, after)`` pairs{rules}; negative padding crops"
        if door == "file":
            return f"an integer, one an axis, [before, after] pairs{rules}"
        return f"1, or 1,0 an axis, or before:after such as 1:0,0:2{rules.replace(chr(34), '')}"

    def checked(self, argument: str, value: Any, ndim: int) -> str | tuple[tuple[Integer, Integer], ...]:
        return padding_pairs(value, ndim, self.rules)

    def filed(self, value: Any) -> Any:
        if isinstance(value, str):
            return value  # the operator knows the rules, and the nearest one to a misspelt name
        if not isinstance(value, list):
            return _whole(value)
        sides = []
        for entry in value:
            pair = isinstance(entry, list)
            if pair and len(entry) != 2:
                raise UnreadError("must have [before, after] pairs, two integers each", entry)
            sides.append(tuple(map(_whole, entry)) if pair else _whole(entry))
        return tuple(sides)

    def typed(self, text: str) -> Any:
        if re.fullmatch("[a-z_]+", text):
            return text
        entries: list[Any] = []
        for entry in re.split(_BETWEEN, text):
            if not re.fullmatch(f"-?{_SIZE}(:-?{_SIZE})?", entry):
                raise UnreadError(
                    "must be 1, or 1,0 one an axis, or before:after such as 1:0,0:2, or a rule like same", text
                )
            sides = tuple(map(int, entry.split(":")))
            entries.append(sides if len(sides) == 2 else sides[0])
        return entries[0] if len(entries) == 1 and isinstance(entries[0], int) else tuple(entries)


@dataclass(frozen=True)
class Flag(Kind):
    """True or False."""

    metavar = ""

    def checked(self, argument: str, value: Any, ndim: int) -> bool:
        return flag(argument, value)

    def filed(self, value: Any) -> bool:
        if not isinstance(value, bool):
            raise UnreadError("must be true or false", value)
        return value

    def typed(self, text: str) -> bool:
        if text not in ("true", "false"):
            raise UnreadError("must be true or false", text)
        return text == "true"


@dataclass(frozen=True)
class Word(Kind):
    """One word of a closed set.

    Attributes:
        allowed: the words.
        unfiled: those among them that a problem file cannot ask for.
    """

    metavar = "WORD"

    allowed: Collection[str]
    unfiled: tuple[str, ...] = ()

    def form(self, door: Door) -> str:
        words = (word for word in self.allowed if door != "file" or word not in self.unfiled)
        return "" if door == "command" else " or ".join(f'"{word}"' for word in words)

    def checked(self, argument: str, value: Any, ndim: int) -> str:
        return one_of(argument, value, self.allowed)

    def filed(self, value: Any) -> str:
        return self._among(value, tuple(word for word in self.allowed if word not in self.unfiled))

    def typed(self, text: str) -> str:
        return self._among(text, tuple(self.allowed))

    def _among(self, value: object, allowed: tuple[str, ...]) -> str:
        if isinstance(value, str) and value in allowed:
            return value
        near = get_close_matches(str(value), allowed, n=1)
        names = ", ".join(map(repr, allowed))
        raise UnreadError(f"must be one of {names}", value, f"did you mean {near[0]!r}?" if near else "")


@dataclass(frozen=True)
class Whole(Kind):
    """One integer.

    Attributes:
        least: the smallest that is allowed; None for no bound.
        optional: whether None, nothing, is a value.
        zero: whether 0 is allowed.
    """

    metavar = "N"
    forms: ClassVar[Mapping[Door, str]] = {"python": "an int", "file": "an integer"}

    least: int | None = None
    optional: bool = False
    zero: bool = True

    def checked(self, argument: str, value: Any, ndim: int) -> Integer | None:
        if value is None and self.optional:
            return None
        result = integer(argument, value, self.least)
        if result == 0 and not self.zero:
            raise ArgumentError(argument, 0, "must not be 0")
        return result

    def filed(self, value: Any) -> int:
        return _whole(value)

    def typed(self, text: str) -> int:
        if not re.fullmatch(f"-?{_SIZE}", text):
            raise UnreadError("must be an integer", text)
        return int(text)


@dataclass(frozen=True)
class Norm(Kind):
    """The order of a norm: an exact rational, a symbol, or infinity."""

    metavar = "P"
    forms: ClassVar[Mapping[Door, str]] = {
        "python": "an int, a ``fractions.Fraction``, a SymPy rational or symbol, or a float, read exactly as it "
        "prints, at least 1; or infinity",
        "file": 'a number >= 1, "inf", or a letter such as "p"',
        "command": "a number >= 1, a fraction such as 3/2, inf, or one letter",
    }

    def checked(self, argument: str, value: Any, ndim: int) -> Any:
        if isinstance(value, Integral) and not isinstance(value, bool) and not is_symbolic(value):
            value = int(value)  # NumPy's
        if is_symbolic(value):
            if getattr(value, "is_Symbol", False):
                if value.is_real is False or value.is_positive is False:
                    raise ArgumentError(argument, value, "must be a symbol that can be a number >= 1")
                return value
            if getattr(value, "is_Rational", False):
                value = Fraction(int(value.p), int(value.q))
            elif getattr(value, "is_infinite", False) and getattr(value, "is_extended_positive", False):
                return float("inf")
        if isinstance(value, float) and value == float("inf"):
            return value
        if isinstance(value, bool) or not isinstance(value, int | float | Fraction) or value != value:
            raise ArgumentError(argument, value, "must be a number >= 1, a SymPy symbol or infinity")
        if value < 1:
            raise ArgumentError(argument, value, "must be >= 1 (below 1 it is no norm)")
        exact = Fraction(str(value)) if isinstance(value, float) else Fraction(value)
        return exact if exact.denominator != 1 else int(exact)

    def filed(self, value: Any) -> Any:
        if isinstance(value, str):
            if value == "inf":
                return float("inf")
            if len(value) == 1 and value.isascii() and value.isalpha():
                import sympy

                return sympy.Symbol(value, positive=True)
            if not value[:1].isdigit():
                raise UnreadError('must be a number >= 1, "inf" or one letter', value)
        if isinstance(value, Decimal) and value.is_infinite() and value > 0:
            return float("inf")
        return exact_number(value)

    def typed(self, text: str) -> Any:
        decimal = re.fullmatch(r"[0-9]+\.[0-9]*|\.[0-9]+", text) is not None
        return self.filed(Decimal(text) if decimal else text)


@dataclass(frozen=True)
class Rational(Kind):
    """One exact rational number; a decimal is what it prints as, 0.01 one hundredth."""

    metavar = "X"
    forms: ClassVar[Mapping[Door, str]] = {
        "python": "an int, a ``fractions.Fraction``, a SymPy rational, or a float, read exactly as it prints",
        "file": 'a number, or a fraction such as "1/3"',
        "command": "a number or a fraction such as 1/3",
    }

    def checked(self, argument: str, value: Any, ndim: int) -> Fraction:
        found = rational(value)
        if found is None:
            raise ArgumentError(argument, value, "must be a rational number")
        return found

    def filed(self, value: Any) -> Any:
        return exact_number(value)

    def typed(self, text: str) -> Any:
        decimal = re.fullmatch(r"-?([0-9]+\.[0-9]*|\.[0-9]+)", text) is not None
        return exact_number(Decimal(text) if decimal else text)


def rational(value: Any) -> Fraction | None:
    """The rational number that a value is, a float as it prints; None for anything else.

    >>> rational(0.01)
    Fraction(1, 100)
    """
    if hasattr(value, "dtype") and getattr(value, "shape", None) == () and not hasattr(value, "mask"):
        value = value.item()  # a NumPy number as Python's
    if is_symbolic(value) and getattr(value, "is_Rational", False):
        return Fraction(int(value.p), int(value.q))
    if isinstance(value, bool):
        return None
    if isinstance(value, float | Decimal):
        return Fraction(str(value)) if math.isfinite(value) else None
    return Fraction(value) if isinstance(value, int | Fraction) else None


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise UnreadError("must be an integer", value)
    return value


def exact_number(value: Any) -> Fraction:
    """An exact number as a file writes it: an integer, a decimal (0.1 is one tenth), or a string such as "1/3".

    Raises:
        UnreadError: for anything else.
    """
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise UnreadError("must be a number", value)
    if isinstance(value, str):
        if not re.fullmatch(r"-?[0-9]{1,18}(/[1-9][0-9]{0,17})?", value):
            raise UnreadError("must be a number", Shown(f"the string {value!r}"), 'write 3, 0.5 or "1/3"')
        return Fraction(value)
    if isinstance(value, Decimal) and (not value.is_finite() or abs(value.adjusted()) > 60):
        raise UnreadError("must be a finite number of ordinary size", value)
    if isinstance(value, int) and abs(value) > 10**60:
        raise UnreadError("must be a number of ordinary size", Shown("one of more than 60 digits"))
    return Fraction(value)
