"""Normal forms of entries: polynomials in tensor entries, maxima, absolute values, powers, signs and comparisons.

Two entries with equal normal forms have equal values whatever the tensors hold. The converse does not hold: unequal
normal forms say nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from symconv.formulas.effort import Effort
from symconv.formulas.elementary import Elementary
from symconv.formulas.exact import RELATIONS
from symconv.formulas.function import Function
from symconv.formulas.index import Index
from symconv.formulas.radicals import UndecidedNumberError
from symconv.proofs.numbers import ExactNumbers, NoValueError, NumberLike

__all__ = ["Form", "Forms", "NoNormalForm"]

MAX_TERMS = 20_000
MAX_POWER = 6
TERM = 18  # steps for a term that is looked at


class NoNormalForm(Exception):  # noqa: N818  (an outcome, not a failure of the program)
    """An entry has no normal form here: it is too large, or adds something to minus infinity."""


@dataclass(frozen=True)
class Form:
    """A polynomial in named atoms: sorted monomials with their coefficients."""

    terms: tuple[tuple[tuple[str, ...], NumberLike], ...]

    @staticmethod
    def of(terms: Mapping[tuple[str, ...], NumberLike]) -> Form:
        if len(terms) > MAX_TERMS:
            raise NoNormalForm("too many terms")
        return Form(tuple(sorted((key, value) for key, value in terms.items() if value)))

    @staticmethod
    def atom(name: str) -> Form:
        return Form((((name,), Fraction(1)),))

    @property
    def constant(self) -> NumberLike | None:
        """The number that this is, or None."""
        if not self.terms:
            return Fraction(0)
        return self.terms[0][1] if len(self.terms) == 1 and not self.terms[0][0] else None

    @property
    def key(self) -> str:
        """A text that only equal forms share."""
        return " ".join(f"({value})*{'*'.join(key)}" for key, value in self.terms) or "0"

    def times(self, number: Fraction) -> Form:
        return Form.of({key: value * number for key, value in self.terms})


_NOTHING = Form.atom("-oo")
_ALL = _NOTHING.times(Fraction(-1))


class Forms:
    """A domain to evaluate formulas in (see `symconv.formulas.exact.Domain`); the entries of tensors stay letters.

    Args:
        effort: what all values together may cost.
    """

    def __init__(self, effort: Effort | None = None) -> None:
        self._effort = Effort() if effort is None else effort
        self._members: dict[Form, list[Form]] = {}  # what a maximum was taken of

    def number(self, value: NumberLike) -> Form:
        return Form.of({(): value})

    def entry(self, tensor: str, index: tuple[int, ...]) -> Form:
        self._effort.spend(TERM)
        return Form.atom(f"{tensor}[{','.join(map(str, index))}]")

    def scalar(self, index: Index, env: Mapping[str, int]) -> Form:
        return self.number(Fraction(index.evaluate(env)))

    def add(self, values: list[Any]) -> Form:
        total: dict[tuple[str, ...], Any] = {}
        for value in values:
            _finite(value)
            self._effort.spend(TERM * (1 + len(value.terms)))
            for key, number in value.terms:
                total[key] = total.get(key, Fraction(0)) + number
        return Form.of(total)

    def multiply(self, values: list[Any]) -> Form:
        total: dict[tuple[str, ...], Any] = {(): Fraction(1)}
        for value in values:
            _finite(value)
            self._effort.spend(TERM * (1 + len(total) * len(value.terms)))
            product: dict[tuple[str, ...], Any] = {}
            for key, number in total.items():
                for key2, number2 in value.terms:
                    both = tuple(sorted(key + key2))
                    product[both] = product.get(both, Fraction(0)) + number * number2
            if len(product) > MAX_TERMS:
                raise NoNormalForm("too many terms")
            total = product
        return Form.of(total)

    def power(self, base: Any, exponent: Any) -> Form:
        _finite(base)
        power, number = exponent.constant, base.constant
        if power == 0:
            return self.number(Fraction(1))
        if isinstance(power, Fraction) and power.denominator == 1 and 1 <= power <= MAX_POWER:
            return self.multiply([base] * int(power))
        if power is not None and number is not None:
            try:
                return self.number(ExactNumbers({}, effort=self._effort).power(number, power))
            except NoValueError:
                raise NoNormalForm("a power has no value") from None
            except UndecidedNumberError:
                pass  # it stays as it is
        return Form.atom(f"({base.key})^({exponent.key})")

    def absolute(self, value: Any) -> Form:
        _finite(value)
        if value.constant is not None:
            return self.number(abs(value.constant))
        return Form.atom(f"|{_turned(value)[0].key}|")

    def sign(self, value: Any) -> Form:
        _finite(value)
        if value.constant is not None:
            return self.number(Fraction((value.constant > 0) - (value.constant < 0)))
        positive, sign = _turned(value)
        return Form.atom(f"sign({positive.key})").times(Fraction(sign))

    def function(self, function: Function, value: Any) -> Form:
        _finite(value)
        if value.constant is not None:
            try:
                found = ExactNumbers({}, effort=self._effort).function(function, value.constant)
            except NoValueError:
                raise NoNormalForm("a function has no value") from None
            if not isinstance(found, Elementary):
                return self.number(found)
        return Form.atom(f"{function!r}({value.key})")

    def extremum(self, kind: str, values: list[Any]) -> Form:
        if kind == "max":
            return self._maximum(values)
        return self._maximum([value.times(Fraction(-1)) for value in values]).times(Fraction(-1))

    def _maximum(self, values: list[Any]) -> Form:
        self._effort.spend(TERM * (1 + sum(len(value.terms) for value in values)))
        members = [member for value in values for member in self._members.get(value, [value])]
        distinct: dict[str, Form] = {value.key: value for value in members if value != _NOTHING}
        numbers = [value.constant for value in distinct.values() if value.constant is not None]
        kept = sorted(key for key, value in distinct.items() if value.constant is None)
        if not distinct:
            return _NOTHING
        if not kept:
            return self.number(max(numbers))
        if len(kept) == 1 and not numbers:
            return distinct[kept[0]]
        shown = kept if not numbers else [str(max(numbers)), *kept]
        found = Form.atom(f"max({'; '.join(shown)})")
        self._members[found] = list(distinct.values())  # a maximum of this one is a maximum of these
        return found

    def compare(self, left: Any, relation: str, right: Any) -> Form:
        difference = self.add([left, right.times(Fraction(-1))])
        if difference.constant is not None:
            return self.number(Fraction(int(RELATIONS[relation](difference.constant, 0))))
        return Form.atom(f"[{difference.key} {relation} 0]")


def _finite(value: Form) -> None:
    if value in (_NOTHING, _ALL):
        raise NoNormalForm("an infinity takes part in arithmetic")


def _turned(value: Form) -> tuple[Form, int]:
    """The form up to its sign, with a positive first coefficient, and that sign."""
    return (value, 1) if value.terms[0][1] > 0 else (value.times(Fraction(-1)), -1)
