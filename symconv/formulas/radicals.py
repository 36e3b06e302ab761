"""Exact real numbers with roots in them: sums of rational multiples of products of roots, compared without a float.

A root of a rational number is taken apart into primes, ``12**(1/2) == 2 * 3**(1/2)``, so a number has one form: the
products of powers p**e with 0 < e < 1 are linearly independent over the rational numbers (Besicovitch 1940), and a sum
is 0 exactly where all its coefficients are. Roots of what is itself irrational, or too large to factor, are kept as
they are. Then two forms may be one number: it is enclosed in intervals with rational ends, down to the size below which
only 0 lies.

That size: let m*x be an algebraic integer of degree d, and none of its conjugates larger than h. Their product is a
whole number, so it is 0 or at least 1, and x is 0 or at least ``1/(m * h**(d - 1))``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from math import ceil, lcm, prod
from typing import Any, TypeAlias

__all__ = ["Base", "Radical", "UndecidedNumberError", "factored", "power"]

LARGEST_PRIME = 10_000  # factors up to here are found; what is left is prime where it is smaller than the square
FINEST = 1 << 13  # bits of the last interval that is tried
LARGEST_ROOT = 1 << 18  # bits of the whole numbers that roots are taken of
MAX_TERMS = 256
MAX_PRODUCTS = 1 << 14  # of terms, for one product
MAX_DEGREE = 32  # of a number that is divided by
MAX_EXPONENT = 64  # of a sum of roots
MAX_BITS = 1 << 14  # of a power of a rational number


class UndecidedNumberError(ArithmeticError):
    """Two numbers were not told apart, or a number is too large to be worked out."""


Base: TypeAlias = "int | Radical"
Key: TypeAlias = "tuple[tuple[Base, Fraction], ...]"


@dataclass(frozen=True, eq=False)
class Radical:
    """``sum of coefficient * product of base**exponent``, with exponents between 0 and 1.

    >>> root = power(Fraction(2), Fraction(1, 2))
    >>> root * root, root * power(Fraction(8), Fraction(1, 2)), root > Fraction(141, 100)
    (Fraction(2, 1), Fraction(4, 1), True)
    """

    terms: tuple[tuple[Key, Fraction], ...]

    def __hash__(self) -> int:
        return hash(self.terms)

    def __add__(self, other: Any) -> Any:
        if not isinstance(other, int | Fraction | Radical):
            return NotImplemented
        terms = dict(self.terms)
        for key, value in _terms(other):
            terms[key] = terms.get(key, Fraction(0)) + value
        return _number(terms)

    __radd__ = __add__

    def __neg__(self) -> Radical:
        return Radical(tuple((key, -value) for key, value in self.terms))

    def __sub__(self, other: Any) -> Any:
        return self + (-other)

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    def __mul__(self, other: Any) -> Any:
        if not isinstance(other, int | Fraction | Radical):
            return NotImplemented
        others = _terms(other)
        if len(self.terms) * len(others) > MAX_PRODUCTS:
            raise UndecidedNumberError("a product has too many roots in it")
        total: dict[Key, Fraction] = {}
        more: Any = Fraction(0)
        for key, value in self.terms:
            for key2, value2 in others:
                joined = _joined(key, key2, value * value2)
                if len(_terms(joined)) > 1:  # a root of a sum has become that sum
                    more = more + joined
                for own, amount in _terms(joined) if len(_terms(joined)) == 1 else ():
                    total[own] = total.get(own, Fraction(0)) + amount
        return _number(total) + more

    __rmul__ = __mul__

    def __abs__(self) -> Any:
        return self if self.sign > 0 else -self

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, int | Fraction | Radical):
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
        """Whether it is not 0: there is a term, and where all bases are primes the terms are independent."""
        primes = all(isinstance(base, int) and base < LARGEST_PRIME**2 for key, _ in self.terms for base, _ in key)
        return primes or self.sign != 0

    def __float__(self) -> float:
        low, high = self.enclosure(80)
        return float((low + high) / 2)

    @property
    def sign(self) -> int:
        """-1, 0 or 1.

        Raises:
            UndecidedNumberError: where the finest interval that is tried says neither.
        """
        bits = 64
        while bits <= FINEST:
            low, high = self.enclosure(bits)
            if low > 0 or high < 0:
                return 1 if low > 0 else -1
            if self._smallest <= FINEST and max(high, -low) < Fraction(1, 1 << self._smallest):
                return 0
            bits *= 2
        raise UndecidedNumberError(f"whether {self} is 0 was not decided")

    @cached_property
    def _smallest(self) -> int:
        """A number of bits: where this is smaller than 2 to the minus so many, it is 0."""
        degree = prod(self._degrees().values())
        return self._denominator.bit_length() + (degree - 1) * ceil(self._denominator * self._house()).bit_length()

    @property
    def _denominator(self) -> int:
        """A whole number by which this becomes an algebraic integer."""
        found = 1
        for key, value in self.terms:  # m*x**e is one for 0 < e < 1 where m*x is
            inner = prod(base._denominator for base, _ in key if isinstance(base, Radical))
            found = lcm(found, value.denominator * inner)
        return found

    def _house(self) -> Fraction:
        """What no conjugate exceeds: a conjugate of a root is a root of the same number, or of a conjugate of it."""
        total = Fraction(0)
        for key, value in self.terms:
            for base, exponent in key:
                own = Fraction(base) if isinstance(base, int) else base._house()
                value = value * _root_above(own, exponent, 8)
            total += abs(value)
        return total

    def _degrees(self) -> dict[Base, int]:
        """All roots that this is made of, with their degrees."""
        found: dict[Base, int] = {}
        for key, _ in self.terms:
            for base, exponent in key:
                for inner, degree in base._degrees().items() if isinstance(base, Radical) else ():
                    found[inner] = lcm(found.get(inner, 1), degree)
                found[base] = lcm(found.get(base, 1), exponent.denominator)
        return found

    def enclosure(self, bits: int) -> tuple[Fraction, Fraction]:
        """Two rational numbers between which this lies, worked out from roots that are exact to so many bits."""
        low = high = Fraction(0)
        for key, value in self.terms:
            ends = (Fraction(1), Fraction(1))
            for base, exponent in key:
                below, above = (Fraction(base),) * 2 if isinstance(base, int) else base.enclosure(bits)
                ends = (ends[0] * _root_below(below, exponent, bits), ends[1] * _root_above(above, exponent, bits))
            low += value * ends[value < 0]
            high += value * ends[value > 0]
        return low, high

    def __str__(self) -> str:
        parts = []
        for key, value in self.terms:
            factors = [f"{base if isinstance(base, int) else f'({base})'}**({exponent})" for base, exponent in key]
            parts.append("*".join([str(value)] * (value != 1 or not factors) + factors))
        return " + ".join(parts)

    __repr__ = __str__

    def _sympy_(self) -> Any:
        import sympy

        terms = []
        for key, value in self.terms:
            factors = [sympy.Rational(value.numerator, value.denominator)]
            for base, exponent in key:
                inner = sympy.Integer(base) if isinstance(base, int) else base._sympy_()
                factors.append(inner ** sympy.Rational(exponent.numerator, exponent.denominator))
            terms.append(sympy.Mul(*factors))
        return sympy.Add(*terms)


def power(base: Fraction | Radical, exponent: Fraction) -> Fraction | Radical:
    """``base**exponent`` for a positive base, exactly.

    Raises:
        UndecidedNumberError: where that is too large, or the base is not known to be positive.
    """
    whole = exponent.numerator // exponent.denominator
    if isinstance(base, Fraction):
        if abs(exponent) * max(base.numerator.bit_length(), base.denominator.bit_length()) > MAX_BITS:
            raise UndecidedNumberError(f"{base}**{exponent} is too large")
        if exponent == whole:
            return base**whole
    elif len(base.terms) > 1:
        if exponent == whole:
            return _whole_power(base, whole)
        if base.sign < 0:
            raise UndecidedNumberError(f"{base} is negative")
        rest = Radical(((((base, exponent - whole),), Fraction(1)),))
        return _fraction(rest * _whole_power(base, whole))
    ((key, value),) = _terms(base)
    if value <= 0:
        raise UndecidedNumberError(f"{base} is not positive")
    factors = [*factored(value.numerator), *((p, -count) for p, count in factored(value.denominator))]
    total = Fraction(1)
    for prime, count in factors:
        total = total * _prime_power(prime, count * exponent)
    for inner, own in key:
        total = total * _prime_power(inner, own * exponent)
    return _fraction(total)


def _whole_power(base: Radical, exponent: int) -> Fraction | Radical:
    if abs(exponent) > MAX_EXPONENT:
        raise UndecidedNumberError(f"({base})**{exponent} is not worked out")
    factor: Any = base if exponent >= 0 else _reciprocal(base)
    total: Any = Fraction(1)
    for _ in range(abs(exponent)):
        total = total * factor
    return _fraction(total)


def _reciprocal(number: Radical) -> Any:
    """``1/x``, from the first equation ``c_j x**j + ... + c_n x**n = 0`` that the powers of x, as written, fulfil.

    Divided by x**(j+1), which is not 0, it says what ``c_j/x`` is.
    """
    if number.sign == 0:
        raise ZeroDivisionError(f"{number} is 0")
    powers: list[Any] = [Fraction(1)]
    rows: list[tuple[Key, dict[Key, Fraction], dict[int, Fraction]]] = []
    while len(powers) <= MAX_DEGREE + 1:
        left = dict(_terms(powers[-1]))
        combined = {len(powers) - 1: Fraction(1)}
        for pivot, row, made_of in rows:
            times = left.get(pivot, Fraction(0))
            if times:
                _subtract(left, row, times)
                _subtract(combined, made_of, times)
        if not left:
            lowest = min(combined)
            scale = -1 / combined[lowest]
            parts = (powers[i - lowest - 1] * (value * scale) for i, value in combined.items() if i > lowest)
            return sum(parts, Fraction(0))
        pivot = next(iter(left))
        scale = 1 / left[pivot]
        rows.append((pivot, {k: v * scale for k, v in left.items()}, {k: v * scale for k, v in combined.items()}))
        powers.append(powers[-1] * number)
    raise UndecidedNumberError(f"1/({number}) is not worked out")


def _subtract(vector: dict[Any, Fraction], other: Mapping[Any, Fraction], times: Fraction) -> None:
    for key, value in other.items():
        rest = vector.pop(key, Fraction(0)) - times * value
        if rest:
            vector[key] = rest


def _prime_power(base: Base, exponent: Fraction) -> Any:
    whole = exponent.numerator // exponent.denominator
    rest = exponent - whole
    if isinstance(base, Radical):
        outer: Any = power(base, Fraction(whole))
    else:
        outer = Fraction(base) ** whole
    return outer if rest == 0 else Radical(((((base, rest),), Fraction(1)),)) * outer


def _joined(left: Key, right: Key, value: Fraction) -> Any:
    """The product of two monomials; what has become a whole power goes to the coefficient."""
    exponents: dict[Base, Fraction] = {}
    for base, exponent in (*left, *right):
        exponents[base] = exponents.get(base, Fraction(0)) + exponent
    kept, outside = [], Fraction(1)
    more: Any = Fraction(1)
    for base, exponent in exponents.items():
        if exponent >= 1:
            if isinstance(base, int):
                outside *= base
            else:
                more = more * base
            exponent -= 1
        if exponent:
            kept.append((base, exponent))
    kept.sort(key=_order)
    whole = _number({tuple(kept): value * outside})
    return whole if more == 1 else whole * more


def _order(item: tuple[Base, Fraction]) -> tuple[bool, int, str, Fraction]:
    base, exponent = item
    return (isinstance(base, Radical), base if isinstance(base, int) else 0, str(base), exponent)


def _terms(value: Any) -> tuple[tuple[Key, Fraction], ...]:
    return value.terms if isinstance(value, Radical) else (((), Fraction(value)),) if value else ()


def _number(terms: Mapping[Key, Fraction]) -> Fraction | Radical:
    kept = {key: value for key, value in terms.items() if value}
    if len(kept) > MAX_TERMS:
        raise UndecidedNumberError("a number has too many roots in it")
    if not kept or list(kept) == [()]:
        return kept.get((), Fraction(0))
    return Radical(tuple(sorted(kept.items(), key=lambda item: (len(item[0]), [_order(f) for f in item[0]]))))


def _fraction(value: Any) -> Fraction | Radical:
    return value if isinstance(value, Radical) else Fraction(value)


def _sign(value: Any) -> int:
    return value.sign if isinstance(value, Radical) else (value > 0) - (value < 0)


@lru_cache(maxsize=4096)
def factored(value: int) -> tuple[tuple[int, int], ...]:
    """The prime factors of a positive integer with their counts; a last one that is too large may be composite."""
    found = []
    prime = 2
    while prime <= LARGEST_PRIME and prime * prime <= value:
        count = 0
        while value % prime == 0:
            value //= prime
            count += 1
        if count:
            found.append((prime, count))
        prime += 1 if prime == 2 else 2
    if value > 1:
        found.append(_as_power(value))
    return tuple(found)


def _as_power(value: int) -> tuple[int, int]:
    """A number without small factors as a power of the smallest number that it is a power of."""
    for degree in range(value.bit_length() // LARGEST_PRIME.bit_length() + 1, 1, -1):
        root = integer_root(value, degree)
        if root**degree == value:
            return root, degree
    return value, 1


def integer_root(value: int, degree: int) -> int:
    """The largest integer whose power is at most a nonnegative `value`, by Newton's method from above."""
    if value == 0:
        return 0
    root = 1 << -(-value.bit_length() // degree)
    while True:
        better = ((degree - 1) * root + value // root ** (degree - 1)) // degree
        if better >= root:
            return root
        root = better


def _root_below(value: Fraction, exponent: Fraction, bits: int) -> Fraction:
    """A number just below ``value**exponent``, for a value >= 0 (a smaller one counts as 0)."""
    if value <= 0:
        return Fraction(0)
    degree = exponent.denominator
    if degree * (bits + value.numerator.bit_length() + value.denominator.bit_length()) > LARGEST_ROOT:
        raise UndecidedNumberError(f"a root of degree {degree} is not worked out to {bits} bits")
    raised: Fraction = value**exponent.numerator
    scaled = (raised.numerator << bits * degree) // raised.denominator
    return Fraction(integer_root(scaled, degree), 1 << bits)


def _root_above(value: Fraction, exponent: Fraction, bits: int) -> Fraction:
    return _root_below(value, exponent, bits) + Fraction(2, 1 << bits)
