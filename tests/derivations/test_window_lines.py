"""Windows over nothing, and points without a derivative: what a page says of them, by loops and by hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from typing import Any

import oracles
import pytest
from operators.matching import TemplateMatching
from readback.hypotheses import has_empty
from readback.layers import Layer
from sympy import Symbol
from test_lines_by_loops import layer, operator_of

from symconv.derivations.derive import derive
from symconv.derivations.frame import Frame
from symconv.derivations.kinks import kinks
from symconv.derivations.step import Phrase, in_latex, plain
from symconv.derivations.windows import (
    empty_windows,
    every_count_is_positive,
    has_real_taps,
    needs_of_derivatives,
    needs_of_outputs,
)
from symconv.formulas.algebra import (
    ONE,
    Absolute,
    Access,
    Bound,
    Compare,
    Node,
    Power,
    Scalar,
    Sign,
    add,
    const,
    summation,
)  # fmt: skip
from symconv.formulas.algebra import (
    product as times,
)
from symconv.formulas.bounds import Knowledge
from symconv.formulas.index import Index
from symconv.operators.adaptive import AdaptiveAvgPool, AdaptiveMaxPool
from symconv.operators.base import Operator
from symconv.operators.convolution import Conv
from symconv.operators.frame import Geometry
from symconv.operators.morphology import Dilation, Erosion
from symconv.operators.pooling import AvgPool, LPPool, MaxPool
from symconv.proofs.prove import prove

GEOMETRIES: list[dict[str, Any]] = [
    {"kernel": (2,), "stride": (1,), "pads": ((0, 0),)},
    {"kernel": (2,), "stride": (1,), "pads": ((1, 1),)},
    {"kernel": (1,), "stride": (1,), "pads": ((1, 0),)},
    {"kernel": (1,), "stride": (2,), "pads": ((0, 2),)},
    {"kernel": (2,), "stride": (2,), "pads": ((0, 3),)},
    {"kernel": (2,), "stride": (1,), "pads": ((2, 0),)},
    {"kernel": (3,), "stride": (3,), "pads": ((-1, 2),)},
    {"kernel": (2,), "stride": (1,), "pads": ((1, 1),), "dilation": (2,)},
    {"kernel": (2,), "stride": (1,), "pads": ((0, 0),), "dilation": (3,)},
    {"kernel": (2,), "stride": (3,), "pads": ((0, 1),), "ceil_mode": True},
    {"kernel": (2,), "stride": (2,), "pads": ((1, 3),), "ceil_mode": True},
    {"kernel": (1, 2), "stride": (1, 1), "pads": ((0, 0), (2, 0))},
    {"kernel": (1, 2), "stride": (1, 1), "pads": ((1, 0), (0, 0))},
    {"kernel": (2, 2), "stride": (1, 1), "pads": ((1, 0), (0, 1))},
]
KINDS: list[dict[str, Any]] = [
    {"kind": "maxpool"},
    {"kind": "avgpool"},
    {"kind": "avgpool", "exclude_padding": True},
    {"kind": "avgpool", "divisor": 3},
    {"kind": "dilation"},
    {"kind": "erosion"},
]
SAID = {
    "maxpool": " A maximum over no tap is −∞.",
    "dilation": " A maximum over no tap is −∞.",
    "erosion": " A minimum over no tap is ∞.",
    "padded": " An output whose window has no tap in the padded input has no value.",
    "real": " An output whose window has no tap in the input has no value.",
}


def sizes_of(own: Layer) -> list[tuple[int, ...]]:
    """Small input sizes that the layer takes."""
    return [sizes for sizes in product(range(1, 7), repeat=own.ndim) if own.accepts(sizes)]


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: " ".join(kind))
def test_windows_over_nothing_are_spoken_of_where_there_are_any(kind: dict[str, Any], geometry: dict[str, Any]) -> None:
    if geometry.get("ceil_mode") and kind["kind"] in ("dilation", "erosion"):
        return
    own = layer(**kind, **geometry)
    frame = Frame(operator_of(own))
    empty = any(has_empty(own, sizes) for sizes in sizes_of(own))
    assert every_count_is_positive(frame) is not empty
    name = {"avgpool": "real" if own.exclude_padding else "padded"}.get(own.kind, own.kind)
    assert plain(empty_windows(frame)) == (SAID[name] if empty else "")
    if not empty:
        assert needs_of_outputs(frame) == ()
    elif own.kind == "avgpool":
        where = "input" if own.exclude_padding else "padded input"
        outputs = {1: "c[p]", 2: "c[p, q]"}[own.ndim]
        assert plain(needs_of_outputs(frame)) == f"a tap in the {where} for the window of {outputs}"
        assert plain(needs_of_derivatives(frame)) == f"that outputs without a tap in the {where} are left out (they have no value)"  # noqa: E501  # fmt: skip
    else:
        assert plain(needs_of_outputs(frame)) == "that" + SAID[name].lower().removesuffix(".")
    if not (empty and own.kind == "avgpool"):
        assert needs_of_derivatives(frame) == ()


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
def test_a_window_in_the_padding_alone_is_found(geometry: dict[str, Any]) -> None:
    own = layer("lppool", norm="2", **geometry)
    real = not any(has_empty(replace(own, kind="maxpool"), sizes) for sizes in sizes_of(own))
    for op in (LPPool, AvgPool):
        declared = operator_of(replace(own, kind="lppool" if op is LPPool else "avgpool"))
        assert has_real_taps(Frame(declared)) is real
    assert every_count_is_positive(Frame(operator_of(own)))  # a norm is over the zeros of its padding too


def test_at_a_size_its_own_windows_are_looked_at() -> None:
    own = layer("avgpool", (2,), (1,), ((1, 1),), (2,), exclude_padding=True)
    for n in range(1, 6):
        frame = Frame(operator_of(own), input_size=(n,), base=n % 2)
        assert every_count_is_positive(frame) is not has_empty(own, (n,))
        assert has_real_taps(frame) is not has_empty(own, (n,))
    assert oracles.output_size(1, own.axes()[0]) == 1
    assert every_count_is_positive(Frame(AdaptiveMaxPool((3,))))
    assert every_count_is_positive(Frame(Conv((2,), padding=2)))
    assert not every_count_is_positive(Frame(MaxPool((2,)).generic()))


def test_the_infinite_is_written_in_both_styles() -> None:
    assert in_latex(empty_windows(Frame(Dilation((1,), 1, 1)))) == r" A maximum over no tap is $-\infty$."
    assert in_latex(empty_windows(Frame(Erosion((1,), 1, 1)))) == r" A minimum over no tap is $\infty$."


@dataclass(frozen=True, repr=False)
class Reciprocals(TemplateMatching):
    """Entries divided by those of a template."""

    def body(self, geometry: Geometry) -> Node:
        value = times(self.tap_entry(geometry), Power(self.tap_weight(geometry), const(-1)))
        return summation(value, *(tap.bound for tap in self.tap_axes(geometry)))


@dataclass(frozen=True, repr=False)
class Normalised(TemplateMatching):
    """The sum of a window divided by its energy."""

    def body(self, geometry: Geometry) -> Node:
        entry, bounds = self.tap_entry(geometry), [tap.bound for tap in self.tap_axes(geometry)]
        energy = summation(Power(entry, const(2)), *bounds)
        return times(summation(entry, *bounds), Power(energy, const(-1)))


@dataclass(frozen=True, repr=False)
class Rest(TemplateMatching):
    """The mean of the entries from the output's own place up to the third one, weighed by the template's first."""

    last: int = 2

    def body(self, geometry: Geometry) -> Node:
        letters, (out,) = geometry.letters, self.axes("output", geometry)
        rest = Bound("k", out.index, Index.of(self.last))
        entries = times(Access(letters.input, (Index.of("k"),)), Access(letters.weight, (Index.of(0),)))
        return times(Power(summation(ONE, rest), const(-1)), summation(entries, rest))


@pytest.mark.parametrize("wrt", ["input", "weight"])
def test_every_line_of_a_gradient_says_that_an_output_may_divide_by_a_count_of_none(wrt: Any) -> None:
    """The chain rule sums over all outputs, those without a value too."""
    filled = "every window holds an entry of the input"
    assert plain(needs_of_derivatives(Frame(Rest((2,)), wrt=wrt))) == filled
    for step in derive(Rest((2,)), "gradient", wrt).steps:
        assert step.verdict.status == "proved"
        assert any(filled in condition for condition in step.verdict.conditions)
    few = Frame(Rest((2,)), wrt=wrt, input_size=(4,))  # outputs 0, 1 and 2: each has an entry at least
    assert needs_of_derivatives(few) == ()
    assert plain(needs_of_derivatives(Frame(Rest((2,), last=1), wrt=wrt, input_size=(4,)))) == filled


@dataclass(frozen=True, repr=False)
class Divided(TemplateMatching):
    """Entries divided by what the sizes and the index of the output say, to a power."""

    divisor: Any = None
    power: Any = -1

    def body(self, geometry: Geometry) -> Node:
        (out,) = self.axes("output", geometry)
        divisor = self.divisor(out.index) if callable(self.divisor) else self.divisor
        value = times(self.tap_entry(geometry), self.tap_weight(geometry))
        return times(
            Power(divisor, self.power if isinstance(self.power, Scalar) else const(self.power)),
            summation(value, *(tap.bound for tap in self.tap_axes(geometry))),
        )


NATURAL = {"padding": Symbol("P", integer=True, nonnegative=True)}
COUNTED = summation(ONE, Bound("k", Index.of(0), Index.of("P")))


@pytest.mark.parametrize(
    ("op", "text"),
    [
        (Divided((2,), divisor=lambda p: Scalar(3 - p)), "no division by 0"),  # the fourth output is one by 0
        (Divided((2,), divisor=lambda p: Scalar(3 - p), power=-2), "no division by 0"),
        (Divided((2,), divisor=lambda p: Scalar(3 - p), power=Fraction(-1, 2)), "no division by 0"),
        (Divided((2,), divisor=lambda p: Scalar(3 - p), power=2), ""),
        (Divided((2,), divisor=lambda p: Scalar(3 - p), power=0), ""),
        (Divided((2,), **NATURAL, divisor=lambda p: Scalar(3 - p), power=Scalar(Index.of("P"))), ""),
        (Divided((2,), **NATURAL, divisor=lambda p: Scalar(3 - p), power=Scalar(-Index.of("P"))), "no division by 0"),
        (Divided((2,), **NATURAL, divisor=lambda p: Scalar(p + 1), power=Scalar(-Index.of("P"))), ""),
        (Divided((2,), **NATURAL, divisor=Scalar(Index.of("P")), power=Scalar(1 - Index.of("P"))), ""),  # 0 to the 1
        (Divided((2,), **NATURAL, divisor=Scalar(Index.of("P")), power=Scalar(-1 - Index.of("P"))), "no division by 0"),
        (Divided((2,), **NATURAL, divisor=COUNTED, power=Scalar(-Index.of("P"))), ""),
        (
            Divided(
                (2,),
                **NATURAL,
                divisor=lambda p: summation(ONE, Bound("k", p, Index.of(3))),
                power=Scalar(-Index.of("P")),
            ),
            "every window holds an entry of the input",
        ),
        (Divided((2,), divisor=lambda p: Scalar(p + 1)), ""),
        (Divided((2,), divisor=lambda p: Scalar(-1 - p)), ""),
        (Divided((2,), **NATURAL, divisor=Scalar(Index.of("P"))), "no division by 0"),
        (Divided((2,), **NATURAL, divisor=Scalar(-Index.of("P"))), "no division by 0"),
        (Divided((2,), **NATURAL, divisor=Scalar(Index.of("P") + 1)), ""),
        (Divided((2,), **NATURAL, divisor=COUNTED, power=-2), ""),
        (
            Divided((2,), divisor=lambda p: summation(ONE, Bound("k", p, Index.of(3))), power=-2),
            "every window holds an entry of the input",
        ),
        (AdaptiveAvgPool((3,)), ""),
        (AvgPool((2,), divisor_override=Symbol("D", integer=True)), "no division by 0"),
        (AvgPool((2,), divisor_override=Symbol("D", integer=True, positive=True)), ""),
        (AvgPool((2,), divisor_override=-3), ""),
    ],
    ids=str,
)
def test_what_is_divided_by_is_not_0_or_is_said_to_be_none(op: Operator, text: str) -> None:
    assert plain(needs_of_derivatives(Frame(op))) == text
    assert (plain(empty_windows(Frame(op))) == " An output that divides by 0 has no value.") is bool(text)
    verdict = prove(op.output(), op.output(index_base=1))  # whoever asks about the formula alone is told as well
    assert (verdict.status, verdict.conditions) == ("proved", (text,) if text else ())
    steps = derive(op, "gradient").steps if text else ()
    assert all(any(text in condition for condition in step.verdict.conditions) for step in steps)


def test_an_operator_without_a_maximum_is_not_said_to_have_one() -> None:
    assert plain(empty_windows(Frame(Reciprocals((2,))))) == ""
    assert plain(empty_windows(Frame(Normalised((2,))))) == " An output that divides by 0 has no value."
    assert plain(needs_of_derivatives(Frame(Normalised((2,))))) == "no division by 0"
    assert plain(empty_windows(Frame(TemplateMatching((2,))))) == ""


AT_ZERO = "{} ≠ 0 (at a window of zeros the derivative counts as 0)"


@pytest.mark.parametrize(
    ("op", "text"),
    [
        (LPPool(1, (2,)), "a[i] ≠ 0 (at 0 the derivative of the absolute value counts as 0)"),
        (LPPool(float("inf"), (2,)), "a[i] ≠ 0 (at 0 the derivative of the absolute value counts as 0)"),
        (LPPool(2, (2,)), AT_ZERO.format("c[p]")),
        (LPPool(3, (2, 2)), AT_ZERO.format("c[p, q]")),
        (LPPool(Fraction(3, 2), (2,)), AT_ZERO.format("c[p]")),
        (LPPool(Symbol("p", positive=True), (2,)), AT_ZERO.format("c[s]")),
        (AvgPool((2,)), ""),
        (MaxPool((2,)), ""),
        (Conv((2,)), ""),
    ],
    ids=repr,
)
def test_what_a_derivative_needs(op: Operator, text: str) -> None:
    needs: Phrase = needs_of_derivatives(Frame(op))
    assert plain(needs) == text
    assert ("\\neq 0$ (at " in in_latex(needs)) is bool(text)


A, B, N = Access("a", (Index.of("p"),)), Access("b", (Index.of("p"),)), Scalar(Index.of("n"))
NO_ZERO = "no absolute value of 0 (there its derivative counts as 0)"
NO_JUMP = "no jump of a sign or comparison (there its derivative counts as 0)"
NO_ROOT = "roots and fractional powers of positive numbers alone (at 0 the derivative counts as 0)"
NO_QUOTIENT = "no division by 0"


@pytest.mark.parametrize(
    ("node", "needs"),
    [
        (times(A, B), ()),
        (Absolute(A), (NO_ZERO,)),
        (Absolute(B), ()),
        (Absolute(Absolute(A)), (NO_ZERO,)),
        (Absolute(Sign(A)), (NO_ZERO, NO_JUMP)),
        (Absolute(Power(B, const(-1))), (NO_QUOTIENT,)),
        (Sign(A), (NO_JUMP,)),
        (Sign(B), ()),
        (Sign(Power(B, const(-1))), (NO_QUOTIENT,)),
        (Compare(A, "<", B), (NO_JUMP,)),
        (Compare(B, "<", B), ()),
        (summation(add(Sign(A), Absolute(A)), Bound("m", Index.of(0), Index.of(1))), (NO_JUMP, NO_ZERO)),
        (Power(A, const(2)), ()),
        (Power(A, const(1)), ()),
        (Power(A, const(0)), ()),
        (Power(A, const(Fraction(1, 2))), (NO_ROOT,)),
        (Power(B, const(Fraction(1, 2))), (NO_ROOT,)),  # the value has no meaning there, whatever moves
        (Power(A, const(Fraction(-3, 2))), (NO_ROOT,)),
        (Power(N, const(Fraction(1, 2))), ()),
        (Power(A, N), (NO_QUOTIENT,)),  # an integer, which may be negative
        (Power(A, Scalar(Index.of("z"))), ()),
        (Power(A, Scalar(Index.of("z") - 1)), (NO_QUOTIENT,)),
        (Power(B, Scalar(Index.of("o") - 2)), (NO_QUOTIENT,)),
        (Power(A, Scalar(Index.of("k"))), ()),
        (Power(A, Scalar(Index.of("x"))), (NO_ROOT,)),  # a real number
        (Power(Absolute(A), Scalar(Index.of("k"))), ()),
        (Power(Absolute(A), Scalar(Index.of("o"))), (NO_ZERO,)),
        (Power(Absolute(A), Scalar(Index.of("x") + 1)), (NO_ROOT, NO_ZERO)),
        (Power(const(2), A), (NO_ROOT,)),
        (Power(N, N), ()),
        (Power(A, const(-1)), (NO_QUOTIENT,)),
        (Power(B, const(-2)), (NO_QUOTIENT,)),
        (Power(N, const(-1)), ()),
        (Power(Absolute(A), const(2)), ()),
        (Power(Absolute(A), const(1)), (NO_ZERO,)),
        (Power(Absolute(A), const(Fraction(3, 2))), (NO_ROOT, NO_ZERO)),
        (Power(Absolute(A), const(-2)), (NO_QUOTIENT, NO_ZERO)),
        (Power(Absolute(Sign(A)), const(2)), (NO_JUMP,)),
        (Power(Sign(A), const(2)), (NO_JUMP,)),
        (Power(Absolute(A), N), (NO_QUOTIENT, NO_ZERO)),
        (Power(N, Absolute(A)), (NO_ROOT, NO_ZERO)),
    ],
    ids=repr,
)
def test_what_a_tree_needs_to_have_a_derivative(node: Node, needs: tuple[str, ...]) -> None:
    assert kinks(node, "a", Knowledge({"k": 2, "o": 1, "z": 0, "x": 1}), "undefined", frozenset("x")) == needs
