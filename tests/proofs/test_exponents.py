"""Exponents with sizes in them, and powers of numbers by them, against arithmetic at every small size."""

from __future__ import annotations

from fractions import Fraction
from itertools import product as pairs
from math import prod

import pytest

from symconv.formulas.algebra import Constant, Multiply, Node, Power, Scalar, add, const, product
from symconv.formulas.index import Index
from symconv.proofs.exponents import Exponent, number_power

K, N = (Scalar(Index.of(name)) for name in "KN")
HALF = const(Fraction(1, 2))

EXPONENTS: list[tuple[Node, str, str]] = [
    (const(Fraction(-3, 4)), "-3", "4"),
    (K, "K", "1"),
    (add(K, HALF), "2*K + 1", "2"),
    (product(const(Fraction(2, 3)), K), "2*K", "3"),
    (product(HALF, add(K, K)), "K", "1"),
    (product(add(K, N), add(K, product(const(-1), N))), "K*K - N*N", "1"),
    (add(product(HALF, K), product(const(Fraction(1, 3)), N)), "3*K + 2*N", "6"),
    (add(K, product(const(-1), K)), "0", "1"),
]


@pytest.mark.parametrize(("node", "index", "over"), EXPONENTS)
def test_an_exponent_has_one_form(node: Node, index: str, over: str) -> None:
    found = Exponent.of(node)
    assert found is not None
    assert (repr(found.index), str(found.over)) == (index, over)
    assert Exponent.of(found.node) == found


@pytest.mark.parametrize("node", [Power(K, const(-1)), add(K, Power(K, HALF)), product(K, Power(N, const(-1)))])
def test_what_is_no_polynomial_is_no_such_exponent(node: Node) -> None:
    assert Exponent.of(node) is None


def value(node: Node, env: dict[str, int]) -> Fraction:
    """A power of numbers by an index expression, or a number, at a size."""
    if isinstance(node, Constant):
        return node.value
    assert isinstance(node, Power)
    assert isinstance(node.base, Constant)
    exponent = Fraction(1)
    for factor in node.exponent.args if isinstance(node.exponent, Multiply) else (node.exponent,):
        assert isinstance(factor, Constant | Scalar)
        exponent *= factor.value if isinstance(factor, Constant) else Fraction(factor.index.evaluate(env))
    assert exponent.denominator == 1
    return Fraction(node.base.value) ** int(exponent)


BASES = [Fraction(n) for n in (1, -1, 2, -2, 12, -18, 9973)] + [Fraction(3, 4), Fraction(-5, 12), Fraction(-1, 2)]
SIZES = [Index.of("K"), 1 - Index.of("K"), 2 * Index.of("K") + 3, 3 * Index.of("K") - Index.of("N") * Index.of("N")]


@pytest.mark.parametrize(("base", "index"), list(pairs(BASES, SIZES)))
def test_a_power_of_a_number_stands_above_primes(base: Fraction, index: Index) -> None:
    factors = number_power(base, Exponent(index))
    for k, n in pairs(range(4), range(3)):
        env = {"K": k, "N": n}
        assert prod((value(factor, env) for factor in factors), start=Fraction(1)) == base ** int(index.evaluate(env))
    for factor in factors:
        assert isinstance(factor, Power)
        if not isinstance(factor.exponent, Constant):
            assert isinstance(factor.base, Constant)
            assert factor.base.value in {-1, 2, 3, 5, 9973}


def test_two_powers_that_are_one_have_one_form() -> None:
    whole, twice = Exponent(Index.of("K")), Exponent(2 * Index.of("K"))
    assert number_power(Fraction(4), whole) == number_power(Fraction(-2), twice) == number_power(Fraction(2), twice)
    assert number_power(Fraction(4), Exponent(Index.of("K"), 2)) == number_power(Fraction(2), whole)
    assert number_power(Fraction(-1), Exponent(3 * Index.of("K"))) == number_power(Fraction(-1), whole)
    assert number_power(Fraction(-1), whole) != number_power(Fraction(-1), Exponent(Index.of("N")))
