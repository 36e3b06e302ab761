"""Where a derivative does not exist: the conventions of a line, written out by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, ClassVar

import pytest

import symconv as sc
from symconv.claims.declarations import Declarations
from symconv.claims.meaning.family import given
from symconv.claims.meaning.kinks import kinks
from symconv.claims.meaning.obligations import Path
from symconv.claims.reading.language import read_claim
from symconv.formulas.algebra import (
    Absolute,
    Access,
    Applied,
    Compare,
    Label,
    Named,
    Node,
    Power,
    Scalar,
    add,
    const,
    product,
    summation,
)
from symconv.formulas.function import Function, Kink
from symconv.formulas.functions import POSITIVE_PART, SIGMOID
from symconv.formulas.index import Index
from symconv.operators.base import Operator
from symconv.operators.frame import Geometry
from symconv.operators.option import KERNEL_SIZE
from symconv.proofs.needs import Valued

CONV, FIRST_OF, SPLIT = sc.Conv((2,)), sc.MaxPool((2,)), sc.MaxPool((2,), ties="split")
REFUSED = sc.MaxPool((2,), ties="error")
ONE_LARGEST, ONE_SMALLEST = "no window has two largest entries", "no window has two smallest entries"
LARGEST = "of equal maxima the first one takes the gradient"
LEAST = "of equal minima the first one takes the gradient"
LEAST_AS = "of equal minima the gradient goes as of equal maxima"
JUMP = "the derivative of a gradient where entries tie counts as 0"
ABSOLUTE = "the derivative of |x| at x = 0 counts as 0"
SIGN = "the derivative of sign(x) at x = 0 counts as 0"
ROOT = "the derivative of a norm or root at 0 counts as 0"

TRUE: list[tuple[Operator, str, tuple[str, ...]]] = [
    # absolute values
    (CONV, "diff(abs(a[i]), a[i])*abs(a[i]) == a[i]", (ABSOLUTE,)),
    (CONV, "diff(abs(a[1]), b[1]) == 0", ()),
    (CONV, "diff(abs(b[1])*a[1], a[1]) == abs(b[1])", ()),
    (CONV, "diff(b[1]*abs(a[1])+a[1], a[1]) == b[1]*diff(abs(a[1]), a[1])+1", (ABSOLUTE,)),
    (CONV, "diff(abs(a[1]**2+1), a[1]) == 2*a[1]", ()),
    (CONV, "diff(abs(a[1]**2-1), a[1])*abs(a[1]**2-1) == 2*a[1]*(a[1]**2-1)", (ABSOLUTE,)),
    # powers of them
    (CONV, "diff(abs(a[1])**2, a[1]) == 2*a[1]", ()),
    (CONV, "diff(abs(a[1])**3, a[1]) == 3*a[1]*abs(a[1])", ()),
    (CONV, "diff(abs(abs(a[1])+1)**3, a[1]) == 3*(abs(a[1])+1)**2*diff(abs(a[1]), a[1])", (ABSOLUTE,)),
    (CONV, "diff((abs(a[1])+1)**3, a[1]) == 3*(abs(a[1])+1)**2*diff(abs(a[1]), a[1])", (ABSOLUTE,)),
    (CONV, "diff(1/(abs(a[1])+1), a[1])*(abs(a[1])+1)**2 == -diff(abs(a[1]), a[1])", (ABSOLUTE,)),
    # roots
    (CONV, "2*diff((a[1]**2+1)**(1/2), a[1])*(a[1]**2+1)**(1/2) == 2*a[1]", ()),
    (CONV, "diff(abs(a[1])**(1/2), b[1]) == 0", ()),
    (CONV, "diff((a[1]**2)**(3/2), a[1]) == 3*abs(a[1])*a[1]", (ROOT,)),
    # inside a sum, under the conditions of its indices
    (CONV, "diff(sum(abs(a[1]**2+m), (m,1,K)), a[1])*2 == 2*diff(sum(abs(a[1]**2+m), (m,1,K)), a[1])", ()),
    (CONV, "diff(sum(abs(a[1]**2+m), (m,0,K)), a[1])*2 == 2*diff(sum(abs(a[1]**2+m), (m,0,K)), a[1])", (ABSOLUTE,)),
    (CONV, "diff(sum(abs(a[1]), (m,3,K)), a[1])*abs(a[1]) == sum(a[1], (m,3,K))", (ABSOLUTE,)),
    # maxima and minima
    (CONV, "sum(diff(max(a[m], (m,1,I)), a[i]), (i,1,I)) == 1", (LARGEST,)),
    (CONV, "sum(diff(min(a[m], (m,1,I)), a[i]), (i,1,I)) == 1", (LEAST,)),
    (FIRST_OF, "sum(diff(min(a[m], (m,1,I)), a[i]), (i,1,I)) == 1", (LEAST_AS,)),
    (FIRST_OF, "sum(diff(c[p], a[i]), (i,1,I)) == 1", ()),
    (SPLIT, "sum(diff(c[p], a[i]), (i,1,I)) == 1", ()),
    # of a layer that refuses ties a line says nothing where there are some
    (REFUSED, "sum(diff(c[p], a[i]), (i,1,I)) == 1", (ONE_LARGEST,)),
    (REFUSED, "sum(diff(E, a[i]), (i,1,I)) == sum(g[p], (p,1,O))", (ONE_LARGEST,)),
    (REFUSED, "sum(diff(min(a[m], (m,1,I)), a[i]), (i,1,I)) == 1", (ONE_SMALLEST,)),
    (REFUSED, "diff(diff(c[p], a[i]), a[i]) == 0", (ONE_LARGEST,)),
    # one entry alone ties with none
    (CONV, "diff(max(a[m], (m,i,i)), a[i]) == 1", ()),
    (CONV, "diff(max(a[m]+b[n], (m,1,1), (n,1,1)), a[1]) == 1", ()),
    (CONV, "diff(diff(min(a[m], (m,i,i)), a[i]), a[i]) == 0", ()),
    (REFUSED, "diff(max(a[m], (m,i,i)), a[i]) == 1", ()),
    (REFUSED, "sum(diff(max(a[m]+0*n, (m,1,1), (n,1,2)), a[i]), (i,1,1)) == 1", (ONE_LARGEST,)),
    # gradients
    (CONV, "diff(diff(abs(a[i]), a[i]), a[i]) == 0", (ABSOLUTE, SIGN)),
    (CONV, "diff(diff(abs(a[1])*b[1], a[1]), b[1])*abs(a[1]) == a[1]", (ABSOLUTE,)),
    (CONV, "diff(diff(max(a[m], (m,1,I)), a[i]), a[i]) == 0", (LARGEST, JUMP)),
    (FIRST_OF, "diff(diff(c[p], a[i]), a[i]) == 0", (JUMP,)),
    (SPLIT, "diff(diff(c[p], a[i]), a[i]) == 0", (JUMP,)),
]


@pytest.mark.parametrize("general", [False, True])
@pytest.mark.parametrize(("op", "text", "conditions"), TRUE)
def test_a_true_line_rests_on_the_conventions_that_may_count(
    op: Operator, text: str, conditions: tuple[str, ...], general: bool
) -> None:
    verdict = sc.check_claim(text, Declarations(op, (4,), indices={"i": "input 1"}), general=general)
    assert verdict.holds, str(verdict)
    reached = general or "(m,3,K)" not in text  # at the declared size that sum is empty
    assert verdict.conditions == (conditions if reached else ()), str(verdict)


THREE = "diff(max(a[m], (m,1,3)), a[1])"
MIRRORED = "diff(max(a[4-m], (m,1,3)), a[1])"
FALSE: list[tuple[str, tuple[str, ...]]] = [
    # two readings of a maximum are the same unless the first entry and another one are the largest
    (f"{THREE} == {MIRRORED}", (LARGEST,)),
    (f"{THREE} + (a[1]-a[2])**2*(a[1]-a[3])**2 == {MIRRORED}", ()),
    ("diff(min(a[m], (m,1,3)), a[1]) == diff(min(a[4-m], (m,1,3)), a[1])", (LEAST,)),
    # where nothing is 0 it is true
    ("diff(abs(a[1]), a[1])**2 == 1", (ABSOLUTE,)),
    ("diff(abs(a[1]-a[2]), a[1])**2 == 1", (ABSOLUTE,)),
    ("diff((a[1]**2)**(1/2), a[1])**2 == 1", (ROOT,)),
]


@pytest.mark.parametrize(("text", "conditions"), FALSE)
def test_a_line_that_fails_at_a_kink_alone_is_refuted_by_its_convention(text: str, conditions: tuple[str, ...]) -> None:
    verdict = sc.check_claim(text, Declarations(CONV, (4,)))
    assert (verdict.status, verdict.conditions) == ("refuted", conditions), str(verdict)


@pytest.mark.parametrize(
    ("ties", "due", "conditions"),
    [("first", "refuted", (ABSOLUTE,)), ("split", "undecided", ()), ("error", "undecided", ())],
)
def test_a_line_that_fails_at_a_tie_alone_is_not_refuted_where_ties_are_refused(
    ties: str, due: str, conditions: tuple[str, ...]
) -> None:
    """Where a[1] = a[2] the left side is 2 or 1 by the rule of the layer, or nothing; the right side is 1."""
    layer = Declarations(sc.MaxPool((2,), ties=ties), (2,))  # type: ignore[arg-type]
    verdict = sc.check_claim("2*diff(c[1], a[1]) == 1 + diff(abs(a[1]-a[2]), a[1])", layer)
    assert (verdict.status, verdict.conditions) == (due, conditions), str(verdict)
    assert sc.check_claim("2*diff(c[1], a[1]) == 1 - diff(abs(a[1]-a[2]), a[1])", layer).status == "refuted"


X, Y = Access("a", (Index.of(1),)), Access("b", (Index.of(1),))


def test_a_comparison_jumps_where_both_sides_are_equal() -> None:
    (one,) = kinks(Compare(X, ">=", Y), "a", Path(), ties="undeclared", declared=False)
    assert one.condition == "the derivative of a comparison of equal numbers counts as 0"
    assert one.need.demand == Valued(add(X, product(const(-1), Y)), const(-1))
    assert list(kinks(Compare(X, ">=", Y), "g", Path(), ties="undeclared", declared=False)) == []


@pytest.mark.parametrize(
    ("exponent", "conventions"),
    [
        (const(3), []),
        (const(2), []),
        (const(Fraction(3, 2)), [ROOT]),
        (const(1), [ABSOLUTE]),
        (const(Fraction(1, 2)), [ROOT, ABSOLUTE]),
        (const(-2), [ABSOLUTE]),
        (Scalar(Index.of("K")), [ROOT, ABSOLUTE]),
    ],
)
def test_a_power_of_an_absolute_value_is_smooth_above_one(exponent: Node, conventions: list[str]) -> None:
    needs = kinks(Power(Absolute(X), exponent), "a", Path(), ties="undeclared", declared=False)
    assert [need.condition for need in needs] == conventions


@pytest.mark.parametrize("declared", [False, True])
@pytest.mark.parametrize("function", [POSITIVE_PART, SIGMOID])
def test_a_function_with_a_kink_says_nothing_there_unless_a_rule_does(function: Function, declared: bool) -> None:
    inside = Absolute(add(X, Y))
    needs = list(kinks(Applied(function, inside), "a", Path(), ties="undeclared", declared=declared))
    own = [] if function is SIGMOID or declared else [("silent", Valued(inside, const(-1)))]
    assert [(need.unmet, need.need.demand) for need in needs] == [
        *own,
        ("convention", Valued(add(X, Y), const(-1))),
    ]


@dataclass(frozen=True, repr=False)
class Rectified(sc.Operator):
    """max(0, a[p]) as a window of one tap: claims speak of windows."""

    kernel_size: Any = field(default=(1,), metadata=KERNEL_SIZE.metadata)
    ndim: int = 1
    rule: ClassVar[Kink] = "undefined"

    def kink_policy(self) -> Kink:
        return self.rule

    def body(self, geometry: Geometry) -> Node:
        taps = (tap.bound for tap in self.tap_axes(geometry))
        return Applied(POSITIVE_PART, summation(self.tap_entry(geometry), *taps))


class FromTheLeft(Rectified):
    rule: ClassVar[Kink] = "left"


class FromTheRight(Rectified):
    rule: ClassVar[Kink] = "right"


@pytest.mark.parametrize(("op", "conditions"), [(Rectified(), 1), (FromTheLeft(), 0), (FromTheRight(), 0)], ids=str)
def test_a_rectified_output_is_differentiated_away_from_its_kink(op: sc.Operator, conditions: int) -> None:
    """The derivative of max(0, a[i])**2/2 is that of either side, where there is a derivative of max(0, a[i])."""
    declared = Declarations(op, (3,), indices={"i": "input 1"})
    verdict = sc.check_claim("diff(c[i]**2, a[i]) == 2*c[i]*diff(c[i], a[i])", declared)
    assert verdict.holds, str(verdict)
    assert len(verdict.conditions) == conditions, str(verdict)
    rule = f"the derivatives of max(0, x) and min(0, x) at x = 0 are those from the {op.kink_policy()}"
    assert given(declared, read_claim("diff(c[i], a[i]) == 1")) == ((rule,) if not conditions else ())
    assert given(declared, read_claim("c[i] == a[i]")) == ()


def test_a_named_value_is_what_it_stands_for() -> None:
    root = Power(X, const(Fraction(1, 2)))
    assert list(kinks(Named(Label("y", "y"), (), root), "a", Path(), ties="undeclared", declared=False)) == list(
        kinks(root, "a", Path(), ties="undeclared", declared=False)
    )
