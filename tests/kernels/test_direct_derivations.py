"""What kernels with one plan state of themselves: the formula that they run, proved to be the layer's, or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from kernels.test_formulas_and_plans import (
    COMPUTED_AS_STATED,
    CORRELATIONS_NOT,
    POOLINGS_NOT,
    entry_and_weight,
    stated,
    window_of,
)

from symconv.errors import ArgumentError, NotSupportedError
from symconv.formulas.algebra import Access, Node, Power, Reduce, add, const, product
from symconv.formulas.walks import transform, walk
from symconv.kernels.compile import compile
from symconv.operators.adaptive import AdaptiveAvgPool, AdaptiveMaxPool
from symconv.operators.base import Operator
from symconv.operators.convolution import Conv
from symconv.operators.morphology import Dilation, Erosion
from symconv.operators.patches import Fold, Unfold
from symconv.operators.unpooling import MaxUnpool


def cubes(body: Node) -> Node:
    """What an entry and the weight of its tap add up to, to the third power, halved."""
    window = window_of(body)
    entry, weight = entry_and_weight(window)
    return product(const(Fraction(1, 2)), replace(window, body=Power(add(entry, product(const(-2), weight)), const(3))))


CUBES = stated(Conv((3, 2), 2, 1, flip=True), cubes)
LARGE = stated(Conv((13, 11)), cubes)
OWN = [
    stated(Conv((3,), padding=1), change) for words, change in CORRELATIONS_NOT.items() if words in COMPUTED_AS_STATED
]
OWN += [stated(op, change) for words, (op, change) in POOLINGS_NOT.items() if words in COMPUTED_AS_STATED]
STATEMENTS = [
    (AdaptiveMaxPool((3,)), "c[p] = max(0 ≤ k ≤ ⌈I(p + 1)/3⌉ − ⌊Ip/3⌋ − 1) a[k+⌊Ip/3⌋]"),
    (AdaptiveMaxPool((1, 1)), "c[p, q] = max(0 ≤ k₁ ≤ I₁ − 1) max(0 ≤ k₂ ≤ I₂ − 1) a[k₁, k₂]"),
    (AdaptiveAvgPool((1,)), "c[p] = 1/I·∑(k = 0 … I − 1) a[k]"),
    (Dilation((2,), 2, 1), "c[p] = max(0 ≤ k ≤ 1, 1 ≤ 2p + k ≤ I) (a[2p+k−1] + b[k])"),
    (Erosion((3,), flip=True), "c[p] = −max(0 ≤ k ≤ 2, −2 ≤ p − k ≤ I − 3) (−a[p−k+2] + b[k])"),
    (Unfold((2,), 2, 1), "c[m, p] = [0 = m]·a[2p−1] + [1 = m]·a[2p]"),
    (Fold((6,), (2,), 2), "c[p] = ∑(k₁ = 0 … 2) [2k₁ = p] a[0, k₁] + ∑(k₁ = 0 … 2) [2k₁ + 1 = p] a[1, k₁]"),
    (MaxUnpool((2,)), "c[p] = ∑(k = 0 … I − 1) a[k]·[z[k] = p]"),
    (OWN[0], "c[p] = a[p−1] + b[0] + a[p] + b[1] + a[p+1] + b[2]"),
]  # fmt: skip
OTHERS = [
    AdaptiveMaxPool((2, 1, 3)),
    AdaptiveAvgPool((2, 3)),
    Dilation((3, 2), (2, 1), ((1, 0), (0, 2)), (1, 2)),
    Erosion((2, 2), 1, 1, flip=True),
    Dilation((1,)),
    Unfold((2, 3), 1, 1, in_channels=3),
    Unfold((3,), 2, 1, 2),
    Unfold((13, 11)),
    Fold((4, 5), (2, 3), 1, 1, in_channels=2),
    Fold((14,), (3,), 2, 1, 2),
    MaxUnpool((3, 2), 2, 1),
    CUBES,
    LARGE,
    *OWN[1:],
]


@pytest.mark.parametrize(("op", "statement"), STATEMENTS, ids=lambda value: repr(value)[:40])
def test_what_runs_is_printed_and_proved(op: Operator, statement: str) -> None:
    (step,) = compile(op).derivation().steps
    assert step.statement == statement
    assert step.before == op.output()
    assert step.verdict.status in ("proved", "exact")


@pytest.mark.parametrize("op", OTHERS, ids=lambda value: repr(value)[:60])
def test_what_runs_is_proved(op: Operator) -> None:
    (step,) = compile(op).derivation().steps
    assert step.verdict.status in ("proved", "exact")
    assert step.after.body != op.output().body


def slips(body: Node) -> Iterator[Node]:
    """The formula with one range or one place another, or another reduction."""
    for node in dict.fromkeys(walk(body)):
        for other in _others(node):
            yield transform(body, lambda n, node=node, other=other: other if n == node else None)


def _others(node: Node) -> Iterator[Node]:
    if isinstance(node, Reduce):
        yield replace(node, op="max" if node.op == "sum" else "min" if node.op == "max" else "max")
        for place, bound in enumerate(node.bounds):
            for other in (replace(bound, lower=bound.lower + 1), replace(bound, upper=bound.upper - 1)):
                yield replace(node, bounds=(*node.bounds[:place], other, *node.bounds[place + 1 :]))
        for place, guard in enumerate(node.guards):
            moved = replace(guard, expr=guard.expr - 1)
            yield replace(node, guards=(*node.guards[:place], moved, *node.guards[place + 1 :]))
    if isinstance(node, Access):
        for place, at in enumerate(node.index):
            yield replace(node, index=(*node.index[:place], at + 1, *node.index[place + 1 :]))


SLIPPED = [
    AdaptiveMaxPool((2,)),
    AdaptiveAvgPool((2, 3)),
    Dilation((2,), 2, 1),
    Erosion((2, 2)),
    Unfold((2,), 2, 1),
    Fold((6,), (2,), 2),
    MaxUnpool((2,)),
    OWN[0],
]


@pytest.mark.parametrize("op", SLIPPED, ids=lambda value: repr(value)[:40])
def test_a_slip_refuses_the_derivation(op: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel: Any = compile(op)
    right = kernel.computed(op.output())
    tried = 0
    for wrong in slips(right):
        monkeypatch.setattr(type(kernel), "computed", lambda self, output, wrong=wrong: wrong)
        with pytest.raises(NotSupportedError, match=r"^the plan '[a-z]+' is refused: step 1 of its derivation, "):
            kernel.derivation()
        tried += 1
    assert tried >= 2


def test_another_plan_is_refused() -> None:
    with pytest.raises(ArgumentError, match=r"^plan must be one of the plans that apply here \('taps'\), got 'rows'$"):
        compile(Dilation((2,))).derivation("rows")
