"""Numbers with roots in them: exact arithmetic, signs and equality, against SymPy's minimal polynomials and digits."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction
from random import Random
from typing import Any

import pytest
import sympy

from symconv.formulas.radicals import Radical, UndecidedNumberError, power

HALF, THIRD = Fraction(1, 2), Fraction(1, 3)


def root(number: Any, degree: int = 2) -> Any:
    return power(Fraction(number) if isinstance(number, int) else number, Fraction(1, degree))


def digits(number: Any) -> Decimal:
    """Sixty digits of a number, by another arithmetic, from how it prints itself."""
    if not isinstance(number, Radical):
        return Decimal(number.numerator) / number.denominator
    total = Decimal(0)
    for key, value in number.terms:
        part = Decimal(value.numerator) / value.denominator
        for base, exponent in key:
            own = digits(base) if isinstance(base, Radical) else Decimal(base)
            part *= own ** (Decimal(exponent.numerator) / exponent.denominator)
        total += part
    return total


EQUAL = [
    ((root(2) + root(3)) * (root(2) + root(3)), 5 + 2 * root(6)),
    (root(12), 2 * root(3)),
    (root(2, 4) * root(2, 4), root(2)),
    (power(root(2) - 1, Fraction(-1)), root(2) + 1),
    (power(1 - root(2), Fraction(-3)), -7 - 5 * root(2)),
    (root(5 + 2 * root(6)), root(2) + root(3)),
    (root(3 - 2 * root(2)), root(2) - 1),
    (root(2 + root(5), 3) - root(root(5) - 2, 3), 1),
    (
        root(root(2, 3) - 1, 3),
        power(Fraction(1, 9), THIRD) - power(Fraction(2, 9), THIRD) + power(Fraction(4, 9), THIRD),
    ),
    (root(1 + root(2)) * root(root(2) - 1), 1),
    (root(root(16)), 2),
    (root(4 + root(15)) * root(2), root(5) + root(3)),
    (power(root(2) + root(3), Fraction(3, 2)) * root(root(3) - root(2)), root(2) + root(3)),
    (root(root(5 + 2 * root(6)) + 1), root(root(2) + root(3) + 1)),
    (power(Fraction(8, 27), Fraction(-2, 3)), Fraction(9, 4)),
    (abs(1 - root(2)), root(2) - 1),
    (abs(2 - root(2)), 2 - root(2)),
    (10_007 * root(10_009) * root(10_037), 10_007 * root(10_009 * 10_037)),  # two primes too large to be looked for
]


@pytest.mark.parametrize(("one", "two"), EQUAL, ids=range(len(EQUAL)))
def test_equal_numbers_in_two_forms(one: Any, two: Any) -> None:
    assert one == two
    assert two == one
    assert not one - two
    assert not one < two
    assert one <= two
    assert one >= two
    for tiny in (Fraction(1, 10**5), Fraction(-1, 10**40), root(2) * Fraction(1, 10**80)):
        other = two + tiny
        assert one != other
        assert (one < other, one > other) == (tiny > 0, tiny < 0)
        assert (one - other).sign == (-1 if tiny > 0 else 1) if isinstance(one - other, Radical) else True
    with localcontext() as context:
        context.prec = 60
        assert abs(digits(one) - digits(two)) < Decimal(10) ** -45


def drawn(random: Random, depth: int) -> Any:
    """A random number, with roots of roots."""
    kind = random.randrange(5) if depth else 0
    if kind == 0:
        return Fraction(random.randint(1, 12), random.choice((1, 1, 2, 3)))
    one, two = drawn(random, depth - 1), drawn(random, depth - 1)
    if kind == 1:
        return one + two
    if kind == 2:
        return one * two
    if kind == 3:
        return power(one, Fraction(random.choice((1, 1, 3, -1)), random.choice((2, 2, 3))))
    return power(one, Fraction(random.choice((-1, -2, 2))))


@pytest.mark.parametrize("seed", range(40))
def test_random_numbers_have_the_digits_that_they_must_have(seed: int) -> None:
    """Values, signs and quotients, with sixty digits; a number is 0 only where SymPy's polynomial says so."""
    random = Random(seed)
    with localcontext() as context:
        context.prec = 60
        for _ in range(12):
            try:
                one, two = drawn(random, 3), drawn(random, 3)
                found = [(one + two, digits(one) + digits(two)), (one * two, digits(one) * digits(two))]
                found += [(one - two, digits(one) - digits(two))]
                if isinstance(one, Radical):
                    found.append((power(one, Fraction(-1)), 1 / digits(one)))
                for value, expected in found:
                    assert abs(digits(value) - expected) <= Decimal(10) ** -40 * (1 + abs(expected))
                sign = (one - two > 0) - (one - two < 0)
            except UndecidedNumberError:
                continue
            gap = digits(one) - digits(two)
            assert sign == (0 if abs(gap) < Decimal(10) ** -40 else 1 if gap > 0 else -1)
            assert (one == two) == (sign == 0)


def test_an_enclosure_holds_the_number_and_shrinks() -> None:
    with localcontext() as context:
        context.prec = 60
        for number in (root(2) - root(3), root(5 + 2 * root(6)), root(3, 5) * Fraction(7, 3) - 1):
            for bits in (8, 40, 120):
                low, high = number.enclosure(bits)
                value = Fraction(digits(number))
                assert low - Fraction(1, 10**50) <= value <= high + Fraction(1, 10**50)
                assert high - low < Fraction(100, 2**bits)


def test_sympy_agrees_that_a_difference_is_zero() -> None:
    x = sympy.Symbol("x")
    for one, two in (EQUAL[0], EQUAL[3], EQUAL[5], EQUAL[6], EQUAL[11]):
        difference = sum(sympy.sympify(part) * sign for part, sign in ((one, 1), (two, -1)))
        assert sympy.minimal_polynomial(difference, x) == x
    nearly = root(2) + root(3) - root(10)
    assert nearly != 0
    assert sympy.minimal_polynomial(nearly._sympy_(), x) != x


@pytest.mark.parametrize(
    "make",
    [
        lambda: power(Fraction(2), Fraction(10**9)),
        lambda: power(1 + root(2), Fraction(1000)),
        lambda: power(root(2) - root(3), HALF),
        lambda: power(Fraction(-2), HALF),
        lambda: power(Fraction(-2) * root(3), HALF),
        lambda: power(sum((root(p) for p in (2, 3, 5, 7, 11, 13)), Fraction(0)), Fraction(-1)),
    ],
)
def test_what_is_too_large_or_has_no_value_is_said_at_once(make: Any) -> None:
    with pytest.raises(UndecidedNumberError):
        make()


def test_roots_of_primes_differ_however_near_they_are() -> None:
    assert root(2, 10**6) != 1
    assert root(2, 10**6) + root(3, 10**6) != root(5, 10**6) + 1
    with pytest.raises(UndecidedNumberError):
        assert root(2, 10**6) > 1


def test_a_quotient_by_zero() -> None:
    with pytest.raises(ZeroDivisionError):
        power(root(3 - 2 * root(2)) - root(2) + 1, Fraction(-1))
