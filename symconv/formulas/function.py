"""What a function of one value is: a record of how it is written, differentiated and worked out.

The records are in `symconv.formulas.functions`; this file knows nothing of formulas, so that a node can have one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal, Self, TypeAlias

import numpy as np
import numpy.typing as npt

from symconv.formulas.elementary import elementary, symbolic
from symconv.formulas.radicals import Radical

__all__ = ["Array", "Function", "Kink", "TooLargeError", "UndefinedError"]

Kink: TypeAlias = Literal["undefined", "left", "right"]
"""What the derivative is at a kink: left open, that from the left, or that from the right."""

Array: TypeAlias = npt.NDArray[Any]

LARGEST = 10_000
"""Of a larger number no exact power of e is taken: its digits are no use to anybody, and nobody can compare it."""


class UndefinedError(ArithmeticError):
    """A function has no value at a number.

    Attributes:
        value: the number.
        needs: what it must be.
        place: the tree that has this number as its value, and the numbers of the names in it, once they are known.
    """

    def __init__(self, value: Any, needs: str) -> None:
        self.value, self.needs = value, needs
        self.place: tuple[Any, Mapping[str, int]] | None = None
        super().__init__(f"{needs}, got {value}")

    def found(self, arg: Any, env: Mapping[str, int]) -> Self:
        """The same with the place where it was found, unless it has one."""
        if self.place is None:
            self.place = (arg, env)
        return self


class TooLargeError(UndefinedError):
    """An exact number is too large for a power of e."""


@dataclass(frozen=True, eq=False)
class Function:
    """A function of one real value.

    Attributes:
        found: the table that has it: the function of a name, so that a copy is the function itself.
        name: what it is found by.
        written: how it is written in a style around the text of its argument.
        derivative: the derivative at an argument, as a formula; it has the rule of kinks where there is one.
        exact: the value at an exact number where it is of the same kind of numbers, else None; asked inside the domain.
        symbolic: the value in SymPy.
        array: the values at an array of floating numbers: as accurate as NumPy's, without overflow where the value has
            none, NaN where there is no value.
        domain: what an argument must be.
        needs: the same in words, for an argument.
        kink: the words for where the derivative jumps, which is at 0; empty where it does nowhere.
        image: what is known of all values.
        encloses: whether what is written closes with a parenthesis of its own, so that an exponent may follow.
        grows: whether e^x is worked out for it, so that an exact argument must not be large.
    """

    found: Callable[[str], Function]
    name: str
    written: Callable[[Any, str], str]
    derivative: Callable[[Any, Kink], Any]
    exact: Callable[[Any], Any]
    symbolic: Callable[[Any], Any]
    array: Callable[[Array], Array]
    domain: Literal["all", "positive", "nonzero"] = "all"
    needs: str = ""
    kink: str = ""
    image: Literal["real", "nonpositive", "nonnegative", "positive"] = "real"
    encloses: bool = True
    grows: bool = False

    def __repr__(self) -> str:
        return self.name

    def __reduce__(self) -> tuple[Any, ...]:
        return self.found, (self.name,)

    @property
    def vanishes_at_zero(self) -> bool:
        """Whether the value at 0 is 0."""
        return self.domain == "all" and self.exact(Fraction(0)) == 0

    def at(self, value: Any) -> Any:
        """The value at a number: exact for an exact one, a float for a float.

        Raises:
            UndefinedError: where there is none, or it is too large to be worked out exactly.
            UndecidedNumberError: where it is not known whether the number lies in the domain.
        """
        if self.grows and isinstance(value, Fraction | Radical) and abs(value) > LARGEST:
            raise TooLargeError(value, f"an exact power of e is of a number up to {LARGEST:,}")
        outside = {"all": False, "positive": value <= 0, "nonzero": value == 0}[self.domain]
        if outside:
            raise UndefinedError(value, self.needs)
        if isinstance(value, float):
            with np.errstate(all="ignore"):
                return float(self.array(np.asarray(value)))
        found = self.exact(value)
        return elementary(self.symbolic(symbolic(value))) if found is None else found
