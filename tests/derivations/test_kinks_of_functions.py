"""What a formula with functions of one value needs to have a derivative: the conditions, one by one, by hand."""

from __future__ import annotations

from typing import Any

import pytest

import symconv as sc
from symconv.derivations.kinks import kinks
from symconv.formulas.algebra import Access, Applied, Bound, Node, Power, add, const, product, summation
from symconv.formulas.bounds import Knowledge
from symconv.formulas.functions import EXP, LN, NEGATIVE_PART, POSITIVE_PART, SIGMOID, TANH
from symconv.formulas.index import Index
from symconv.proofs.windows import NO_ENTRY, NO_KINK, NO_ZERO, POSITIVE

KNOWN = Knowledge({"I": 1})
A, B = Access("a", (Index.of("p"),)), Access("b", (Index.of("p"),))
EVERY = Bound("j", Index.of(0), Index.of("I") - 1)
POWERS = summation(Applied(EXP, Access("a", (Index.of("j"),))), EVERY)
LEFT = " (there the derivative counts as that from the left)"


@pytest.mark.parametrize(
    ("node", "rule", "expected"),
    [
        (Applied(POSITIVE_PART, A), "undefined", (NO_ENTRY,)),
        (Applied(NEGATIVE_PART, A), "undefined", (NO_ENTRY,)),
        (Applied(POSITIVE_PART, A), "left", (NO_ENTRY + LEFT,)),
        (Applied(POSITIVE_PART, A), "right", (NO_ENTRY + LEFT.replace("left", "right"),)),
        (Applied(POSITIVE_PART, product(const(2), A)), "undefined", (NO_KINK,)),
        (Applied(POSITIVE_PART, B), "undefined", ()),
        (Applied(TANH, B), "undefined", ()),
        (Applied(SIGMOID, A), "left", ()),
        (Applied(EXP, A), "undefined", ()),
        (Applied(LN, A), "undefined", (POSITIVE,)),
        (Applied(LN, B), "undefined", (POSITIVE,)),
        (Applied(LN, POWERS), "undefined", ()),
        (Applied(LN, add(POWERS, A)), "undefined", (POSITIVE,)),
        (Power(POWERS, const(-1)), "undefined", ()),
        (Power(add(POWERS, A), const(-1)), "undefined", (NO_ZERO,)),
        (Applied(EXP, Applied(POSITIVE_PART, A)), "undefined", (NO_ENTRY,)),
        (add(Applied(LN, A), Applied(POSITIVE_PART, A)), "left", (POSITIVE, NO_ENTRY + LEFT)),
    ],
    ids=str,
)
def test_the_conditions_of_a_derivative(node: Node, rule: Any, expected: tuple[str, ...]) -> None:
    assert kinks(node, "a", KNOWN, rule) == expected


def test_a_sum_of_powers_over_nothing_is_not_known_to_be_positive() -> None:
    assert kinks(Power(POWERS, const(-1)), "a", Knowledge({"I": 0}), "undefined") == (NO_ZERO,)


def test_what_is_said_of_outputs_that_divide_by_a_sum_of_powers() -> None:
    assert "no value" not in sc.derive(sc.Softmax(), "output").text()
    assert "proved: for all I]" in sc.derive(sc.Softmax(), "derivative").text()
