"""What is proved of functions of one value, what is refuted, and what is left undecided: each by hand."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, Literal

import pytest

from symconv import Operator, prove
from symconv.formulas.algebra import (
    ONE,
    ZERO,
    Absolute,
    Access,
    Applied,
    Bound,
    Bracket,
    Constant,
    Node,
    Power,
    Reduce,
    add,
    const,
    equal,
    product,
    summation,
)
from symconv.formulas.formula import Formula
from symconv.formulas.functions import EXP, LN, NEGATIVE_PART, POSITIVE_PART, SIGMOID, SOFTPLUS, STEP, TANH
from symconv.formulas.index import Index
from symconv.formulas.quantity import Quantity, Tensor
from symconv.proofs.windows import NO_ENTRY, NO_KINK, POSITIVE


def entry(tensor: str, name: str = "p") -> Access:
    return Access(tensor, (Index.of(name),))


A, B = entry("a"), entry("b")
RANGE = Bound("j", Index.of(0), Index.of("I") - 1)


def minus(node: Node) -> Node:
    return product(const(-1), node)


def total(node: Node) -> Node:
    return summation(node, RANGE)


def formula(body: Node) -> Formula:
    """``c[p] = body`` for p from 0 to I - 1, in vectors a and b of I entries."""
    box = ((Index.of(0), Index.of("I") - 1),)
    free = (Bound("p", Index.of(0), Index.of("I") - 1),)
    tensors = (Tensor("a", "input", box), Tensor("b", "weight", box))
    return Formula(Quantity("entry", ("c", ("p",))), free, body, tensors, ("I",), (), (("I", 1),))


def pair(op: Literal["max", "min"], one: Node, two: Node) -> Node:
    """The larger or the smaller of two values, as a window of two taps."""
    body = add(product(Bracket((equal("t", 0),)), one), product(Bracket((equal("t", 1),)), two))
    return Reduce(op, (Bound("t", Index.of(0), Index.of(1)),), (), body)


def larger(one: Node, two: Node) -> Node:
    return pair("max", one, two)


def smaller(one: Node, two: Node) -> Node:
    return pair("min", one, two)


TWO_A, TWO_B = product(const(2), A), product(const(2), B)
LARGEST = Reduce("max", (RANGE,), (), entry("a", "j"))
SUM = total(Applied(EXP, entry("a", "j")))
SHIFTED = total(Applied(EXP, add(entry("a", "j"), minus(LARGEST))))

TRUE: list[tuple[str, Node, Node]] = [
    ("equal arguments", Applied(TANH, add(A, B)), Applied(TANH, add(B, A))),
    ("of a sum", Applied(TANH, total(product(entry("a", "j"), B))), Applied(TANH, product(B, total(entry("a", "j"))))),
    ("e^(x+y)", Applied(EXP, add(A, B)), product(Applied(EXP, A), Applied(EXP, B))),
    ("e^(x-x)", product(Applied(EXP, A), Power(Applied(EXP, A), const(-1))), ONE),
    ("e^0", Applied(EXP, const(0)), ONE),
    ("ln 1", add(Applied(LN, const(1)), A), A),
    ("ln e^x", Applied(LN, Applied(EXP, A)), A),
    ("ln of a product", Applied(LN, product(Applied(EXP, A), SUM)), add(A, Applied(LN, SUM))),
    ("ln of a power", Applied(LN, Power(SUM, const(-1))), minus(Applied(LN, SUM))),
    ("max(0, |x|)", Applied(POSITIVE_PART, Absolute(A)), Absolute(A)),
    ("max(0, 3x)", Applied(POSITIVE_PART, product(const(3), A)), product(const(3), Applied(POSITIVE_PART, A))),
    ("min(0, x)", Applied(NEGATIVE_PART, A), minus(Applied(POSITIVE_PART, minus(A)))),
    ("min(0, |x|)", add(Applied(NEGATIVE_PART, Absolute(A)), A), A),
    ("softplus", Applied(SOFTPLUS, A), Applied(LN, add(ONE, Applied(EXP, A)))),
    ("max(0, max(0, x))", Applied(POSITIVE_PART, Applied(POSITIVE_PART, A)), Applied(POSITIVE_PART, A)),
    ("tanh(-x)", Applied(TANH, minus(A)), minus(Applied(TANH, A))),
    ("tanh(y - x)", Applied(TANH, add(B, minus(A))), minus(Applied(TANH, add(A, minus(B))))),
    ("σ(-x)", Applied(SIGMOID, minus(A)), add(ONE, minus(Applied(SIGMOID, A)))),
    (
        "σ(2x - 2y)",
        add(Applied(SIGMOID, add(TWO_A, minus(TWO_B))), Applied(SIGMOID, add(TWO_B, minus(TWO_A)))),
        ONE,
    ),
    ("max(0, 1 - σ(x))", Applied(POSITIVE_PART, Applied(SIGMOID, minus(A))), add(ONE, minus(Applied(SIGMOID, A)))),
    (
        "ln(e^x σ(-x))",
        Applied(LN, product(Applied(EXP, A), Applied(SIGMOID, minus(A)))),
        add(A, Applied(LN, add(ONE, minus(Applied(SIGMOID, A))))),
    ),
    ("max(0, x) - max(0, -x)", add(Applied(POSITIVE_PART, A), minus(Applied(POSITIVE_PART, minus(A)))), A),
    ("max(0, x) + max(0, -x)", add(Applied(POSITIVE_PART, A), Applied(POSITIVE_PART, minus(A))), Absolute(A)),
    ("max(0, x) max(0, -x)", product(Applied(POSITIVE_PART, A), Applied(POSITIVE_PART, minus(A))), product(ZERO, A)),
    (
        "max(0, x - y) - max(0, y - x)",
        add(Applied(POSITIVE_PART, add(A, minus(B))), minus(Applied(POSITIVE_PART, add(B, minus(A))))),
        add(A, minus(B)),
    ),
    ("max(x, y) + min(x, y)", add(larger(A, B), smaller(B, A)), add(A, B)),
    ("max(x, y) min(x, y)", product(larger(A, B), smaller(B, A)), product(A, B)),
    (
        "softmax with the maximum subtracted",
        product(Applied(EXP, add(A, minus(LARGEST))), Power(SHIFTED, const(-1))),
        product(Applied(EXP, A), Power(SUM, const(-1))),
    ),
    (
        "the logarithm of a sum with the maximum subtracted",
        add(LARGEST, Applied(LN, SHIFTED)),
        Applied(LN, SUM),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("left", "right"), [pair[1:] for pair in TRUE], ids=[name for name, *_ in TRUE])
def test_what_holds_is_proved_for_all_sizes_without_a_condition(left: Node, right: Node) -> None:
    verdict = prove(formula(left), formula(right))
    assert (verdict.status, verdict.conditions) == ("proved", ())


FALSE: list[tuple[str, Node, Node]] = [
    ("another argument", Applied(TANH, A), Applied(TANH, product(const(2), A))),
    ("another function", Applied(TANH, A), Applied(SIGMOID, A)),
    ("e^(x+y)", Applied(EXP, add(A, B)), add(Applied(EXP, A), Applied(EXP, B))),
    ("e^(xy)", Applied(EXP, product(A, B)), product(Applied(EXP, A), Applied(EXP, B))),
    ("max(0, -3x)", Applied(POSITIVE_PART, product(const(-3), A)), product(const(-3), Applied(POSITIVE_PART, A))),
    ("max(0, x)", Applied(POSITIVE_PART, A), A),
    ("tanh(-x)", Applied(TANH, minus(A)), Applied(TANH, A)),
    (
        "1 - 2σ(x)",
        Applied(POSITIVE_PART, add(ONE, product(const(-2), Applied(SIGMOID, A)))),
        add(ONE, product(const(-2), Applied(SIGMOID, A))),
    ),
    (
        "max(0, x) - 2max(0, -x)",
        add(Applied(POSITIVE_PART, A), product(const(-2), Applied(POSITIVE_PART, minus(A)))),
        A,
    ),
    ("max(0, x) max(0, -y)", product(Applied(POSITIVE_PART, A), Applied(POSITIVE_PART, minus(B))), product(ZERO, A)),
    ("max(x, y) - min(x, y)", add(larger(A, B), minus(smaller(A, B))), add(A, minus(B))),
    ("max(x, y) + min(x, x)", add(larger(A, B), smaller(A, A)), add(A, B)),
    ("max(x, y) max(x, y)", product(larger(A, B), larger(A, B)), product(A, B)),
    ("min(0, x)", Applied(NEGATIVE_PART, A), Applied(POSITIVE_PART, minus(A))),
    ("max(0, x + y)", Applied(POSITIVE_PART, add(A, B)), add(Applied(POSITIVE_PART, A), Applied(POSITIVE_PART, B))),
    ("max(0, x y)", Applied(POSITIVE_PART, product(A, B)), product(A, Applied(POSITIVE_PART, B))),
    ("ln(1 + e^x)", Applied(SOFTPLUS, A), A),
    ("tanh 1", add(Applied(TANH, const(1)), A), add(Constant(Fraction(7615941559557648, 10**16)), A)),
    ("e", product(Applied(EXP, const(1)), A), product(Constant(Fraction(2718281828459045, 10**15)), A)),
    ("softmax without its sum", product(Applied(EXP, A), Power(SUM, const(-1))), Applied(EXP, A)),
    (
        "softmax with the maximum subtracted above alone",
        product(Applied(EXP, add(A, minus(LARGEST))), Power(SUM, const(-1))),
        product(Applied(EXP, A), Power(SUM, const(-1))),
    ),
    ("max above tanh", Applied(TANH, Applied(POSITIVE_PART, A)), Applied(TANH, A)),
    ("sign", Applied(SIGMOID, minus(A)), minus(Applied(SIGMOID, A))),
]


@pytest.mark.parametrize(("left", "right"), [pair[1:] for pair in FALSE], ids=[name for name, *_ in FALSE])
def test_what_does_not_hold_is_refuted_by_an_example(left: Node, right: Node) -> None:
    verdict = prove(formula(left), formula(right))
    assert verdict.status == "refuted"
    found = verdict.counterexample
    assert found is not None
    assert found.left != found.right


def test_what_no_rule_says_is_not_proved() -> None:
    """True, and for another prover: a verdict that says less is no fault."""
    squared = product(Applied(EXP, A), Applied(EXP, A))
    quick: dict[str, Any] = {"steps": 200_000}
    assert prove(formula(Applied(EXP, product(const(2), A))), formula(squared), **quick).status == "undecided"
    assert prove(formula(product(Applied(EXP, A), Applied(EXP, minus(A)))), formula(ONE), **quick).status == "undecided"


# ---------------------------------------------------------------------- what is said of the domain


def test_a_logarithm_of_what_may_not_be_positive_is_a_condition() -> None:
    verdict = prove(formula(Applied(LN, add(A, B))), formula(Applied(LN, add(B, A))))
    assert (verdict.status, verdict.conditions) == ("proved", (POSITIVE,))
    assert prove(formula(Applied(EXP, Applied(LN, A))), formula(A)).conditions == (POSITIVE,)
    assert prove(formula(Applied(LN, SUM)), formula(Applied(LN, SUM))).conditions == ()


def test_an_entry_without_a_logarithm_refutes_nothing() -> None:
    """ln(x) and ln(|x|) agree wherever both have a value; no example may be taken from where one has none."""
    verdict = prove(formula(Applied(LN, A)), formula(Applied(LN, Absolute(A))), steps=300_000)
    assert verdict.status == "undecided"
    doubled = prove(formula(Applied(LN, A)), formula(product(const(2), Applied(LN, A))))
    assert doubled.status == "refuted"
    assert doubled.counterexample is not None
    assert all(value > 0 for value in doubled.counterexample.tensors["a"].values())


def test_a_logarithm_of_a_product_of_what_may_be_negative_is_not_taken_apart() -> None:
    apart = add(Applied(LN, A), Applied(LN, B))
    verdict = prove(formula(Applied(LN, product(A, B))), formula(apart), steps=300_000)
    assert verdict.status == "undecided"


@pytest.mark.parametrize(
    ("arg", "condition"), [(A, NO_ENTRY), (add(A, B), NO_KINK), (product(const(-1), A), NO_KINK)], ids=str
)
def test_a_derivative_that_is_left_undefined_at_0_is_a_condition(arg: Node, condition: str) -> None:
    from symconv.formulas.algebra import Compare

    jump = Applied(STEP, arg)
    verdict = prove(formula(product(B, jump)), formula(product(B, Compare(arg, ">", const(0)))))
    assert (verdict.status, verdict.conditions) == ("proved", (condition,))
    assert prove(formula(product(B, jump)), formula(jump)).status == "refuted"


def test_an_operator_of_ones_own_may_apply_functions() -> None:
    from dataclasses import dataclass

    from symconv.operators.pointwise import Pointwise

    @dataclass(frozen=True, repr=False)
    class Swish(Pointwise):
        """``a σ(a)``."""

        ndim: int = 1

        def value(self, entry: Node) -> Node:
            return product(entry, Applied(SIGMOID, entry))

    op: Operator = Swish()
    assert str(op.output()) == "c[p] = a[p]·σ(a[p])"
    assert str(op.gradient()) == "∂E/∂a[i] = g[i]·σ(a[i]) + a[i]·g[i]·σ(a[i])·(1 − σ(a[i]))" or "σ" in str(
        op.gradient()
    )
    slopes: Callable[..., Any] = op.gradient().values
    assert slopes({"a": [0, 0], "g": [2, 4]}, input_size=2) == {(0,): 1, (1,): 2}
