"""Random lines of powers by sizes, judged by plain arithmetic at every small size."""

from __future__ import annotations

import random
from collections.abc import Callable
from fractions import Fraction

import pytest

import symconv as sc
from symconv.claims.declarations import Declarations

Value = Callable[[int, int], int | Fraction]
Factor = tuple[tuple[str, Value], tuple[str, Value]]

BASES: list[tuple[str, Value]] = [
    ("2", lambda i, k: 2),
    ("(-2)", lambda i, k: -2),
    ("3", lambda i, k: 3),
    ("(1/2)", lambda i, k: Fraction(1, 2)),
    ("(-1)", lambda i, k: -1),
    ("6", lambda i, k: 6),
    ("K", lambda i, k: k),
    ("(-K)", lambda i, k: -k),
    ("(K-2)", lambda i, k: k - 2),
    ("1", lambda i, k: 1),
    ("0", lambda i, k: 0),
    ("(I+1)", lambda i, k: i + 1),
    ("(1-K)", lambda i, k: 1 - k),
]
EXPONENTS: list[tuple[str, Value]] = [
    ("K", lambda i, k: k),
    ("(-K)", lambda i, k: -k),
    ("(K+1)", lambda i, k: k + 1),
    ("(1-K)", lambda i, k: 1 - k),
    ("I", lambda i, k: i),
    ("(2*K)", lambda i, k: 2 * k),
    ("(K-I)", lambda i, k: k - i),
    ("2", lambda i, k: 2),
    ("(I-K+1)", lambda i, k: i - k + 1),
    ("(K-1)", lambda i, k: k - 1),
]
SIZES = [(i, k) for i in range(1, 7) for k in range(1, i + 1)]


def value(factors: list[Factor], i: int, k: int) -> Fraction | None:
    """The product at a size, None where 0 has no power."""
    total = Fraction(1)
    for (_, base), (_, exponent) in factors:
        below, above = Fraction(base(i, k)), int(exponent(i, k))
        if below == 0 and above <= 0:
            return None
        total *= below**above
    return total


def text(factors: list[Factor]) -> str:
    return "*".join(f"{base}**{exponent}" for (base, _), (exponent, _) in factors)


@pytest.mark.parametrize("seed", range(60))
def test_a_line_of_powers_is_judged_as_its_numbers_are(seed: int) -> None:
    chance = random.Random(seed)
    left = [(chance.choice(BASES), chance.choice(EXPONENTS)) for _ in range(chance.randint(1, 3))]
    right = [(chance.choice(BASES), chance.choice(EXPONENTS)) for _ in range(chance.randint(1, 3))]
    one = ""
    if seed % 2:  # the same factors in another order, and one more that is 1
        right = chance.sample(left, len(left))
        base, exponent = chance.choice(BASES[:6])[0], chance.choice(EXPONENTS)[0]
        one = f"*{base}**{exponent}*{base}**(-({exponent}))"
    pairs = [(value(left, *size), value(right, *size)) for size in SIZES]
    verdict = sc.check_claim(f"{text(left)} == {text(right)}{one}", Declarations(sc.Conv((2,)), (4,)), general=True)
    if any(None not in pair and pair[0] != pair[1] for pair in pairs):
        assert verdict.status == "refuted", str(verdict)
    else:
        due = "error" if any(None in pair for pair in pairs) else "proved"
        assert verdict.status == due, str(verdict)
