"""What every operator states, as strings written by hand, and the options that it has where none are given."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import product
from typing import Any

import pytest
import sympy
from oracles import Axis, output_size

from symconv.errors import ArgumentError, GeometryError
from symconv.formulas.index import Index
from symconv.operators.adaptive import AdaptiveAvgPool, AdaptiveMaxPool
from symconv.operators.base import Operator
from symconv.operators.convolution import Conv
from symconv.operators.letters import Letters
from symconv.operators.morphology import Dilation, Erosion
from symconv.operators.option import option_fields
from symconv.operators.patches import Fold, Unfold
from symconv.operators.pooling import AvgPool, LPPool, MaxPool
from symconv.operators.transposed import ConvTranspose
from symconv.operators.unpooling import MaxUnpool
from symconv.operators.window import Window

K, D = (sympy.Symbol(name, integer=True, positive=True) for name in "KD")
p = sympy.Symbol("p", positive=True)

STATED = [
    (
        MaxPool((2, 3), padding=1),
        "c[p, q] = max(0 ≤ m ≤ 1, 0 ≤ n ≤ 2, 1 ≤ 2p + m ≤ I₁, 1 ≤ 3q + n ≤ I₂) a[2p+m−1, 3q+n−1]",
    ),
    (AvgPool((2,), padding=((1, 0),), count_include_pad=False), "c[p] = 1/(2 − max(0, 1 − 2p))·∑(m = 0 … 1) a[2p+m−1]"),
    (
        AvgPool((2,), padding=((0, 1),), count_include_pad=False),
        "c[p] = 1/(min(1, I − 2p − 1) + 1)·∑(m = 0 … 1) a[2p+m]",
    ),
    (AvgPool((2,), count_include_pad=False), "c[p] = 1/2·∑(m = 0 … 1) a[2p+m]"),
    (AvgPool((2,), padding=1), "c[p] = 1/2·∑(m = 0 … 1) a[2p+m−1]"),
    (AvgPool((2,), ceil_mode=True), "c[p] = 1/(min(1, I − 2p − 1) + 1)·∑(m = 0 … 1) a[2p+m]"),
    (AvgPool((3,), ceil_mode=True, padding=((0, 1),)), "c[p] = 1/(min(2, I − 3p) + 1)·∑(m = 0 … 2) a[3p+m]"),
    (AvgPool((2,), divisor_override=D), "c[p] = 1/D·∑(m = 0 … 1) a[2p+m]"),
    (AvgPool((2,), divisor_override=-3), "c[p] = −1/3·∑(m = 0 … 1) a[2p+m]"),
    (AvgPool((K,)), "c[p] = 1/K·∑(m = 0 … K − 1) a[Kp+m]"),
    (LPPool(p, (2,)), "c[s] = (∑(m = 0 … 1) |a[2s+m]|^p)^(1/p)"),
    (ConvTranspose((2,), 2, 1, 1), "c[p] = ∑(i = 0 … I − 1) ∑(m = 0 … 1) [2i + m − 1 = p] a[i]·b[m]"),
    (
        ConvTranspose((2,), groups=2, in_channels=2, out_channels=4, bias=True, flip=True),
        "c[f, p] = ∑(i = 0 … I − 1) ∑(m = 0 … 1) [i − m + 1 = p] a[⌊f/2⌋, i]·b[⌊f/2⌋, f−2⌊f/2⌋, m] + d[f]",
    ),
    (AdaptiveAvgPool((2,)), "c[p] = 1/(⌈I(p + 1)/2⌉ − ⌊Ip/2⌋)·∑(m = ⌊Ip/2⌋ … ⌈I(p + 1)/2⌉ − 1) a[m]"),
    (AdaptiveMaxPool((2,)), "c[p] = max(⌊Ip/2⌋ ≤ m ≤ ⌈I(p + 1)/2⌉ − 1) a[m]"),
    (Dilation((2,), 2, 1), "c[p] = max(0 ≤ m ≤ 1, 1 ≤ 2p + m ≤ I) (a[2p+m−1] + b[m])"),
    (Erosion((2,), flip=True), "c[p] = min(0 ≤ m ≤ 1) (a[p−m+1] − b[m])"),
    (Conv((3,), 2, 1, 2), "c[p] = ∑(m = 0 … 2) a[2p+2m−1]·b[m]"),
    (Conv((2,), in_channels=2, out_channels=2), "c[f, p] = ∑(h = 0 … 1) ∑(m = 0 … 1) a[h, p+m]·b[f, h, m]"),
    (Conv((2,), in_channels=2, out_channels=4, groups=2), "c[f, p] = ∑(m = 0 … 1) a[⌊f/2⌋, p+m]·b[f, m]"),
    (Conv((2,), padding=1, padding_mode="replicate"), "c[p] = ∑(m = 0 … 1) a[min(max(p+m−1,0),I−1)]·b[m]"),
    (Conv((2,), padding=1, padding_mode="circular"), "c[p] = ∑(m = 0 … 1) a[p+m−I⌊(p+m−1)/I⌋−1]·b[m]"),
    (Unfold((2,), 2, 1, 2), "c[m, p] = a[2m+2p−1]  if 0 ≤ 2m + 2p − 1 ≤ I − 1, else 0"),
    (MaxUnpool((2, 2)), "c[p, q] = ∑(i = 0 … I₁ − 1) ∑(j = 0 … I₂ − 1) a[i, j]·[z[i, j] = O₂p + q]"),
]


@pytest.mark.parametrize(("op", "expected"), STATED, ids=[repr(op) for op, _ in STATED])
def test_an_operator_states(op: Operator, expected: str) -> None:
    assert op.output().text() == expected


WINDOWED: dict[str, Any] = {"padding": 0, "dilation": 1}
CHANNELS: dict[str, Any] = {"groups": 1, "in_channels": 1, "out_channels": 1, "bias": False, "flip": False}
DERIVED = [
    (MaxPool((2,)), "∂E/∂a[i] = ∑(p = 0 … O − 1) [0 ≤ i − 2p ≤ 1] g[p]·[i − 2p = first argmax(0 ≤ m ≤ 1) a[2p+m]]"),
    (AvgPool((2,)), "∂E/∂a[i] = 1/2·∑(p = 0 … O − 1) [0 ≤ i − 2p ≤ 1] g[p]"),
    (
        AdaptiveMaxPool((2,)),
        "∂E/∂a[i] = ∑(p = 0 … 1) [⌊Ip/2⌋ ≤ i ≤ ⌈I(p + 1)/2⌉ − 1] "
        "g[p]·[i = first argmax(⌊Ip/2⌋ ≤ m ≤ ⌈I(p + 1)/2⌉ − 1) a[m]]",
    ),
    (Dilation((2,)), "∂E/∂a[i] = ∑(m = 0 … 1) g[i−m]·[m = first argmax(0 ≤ m′ ≤ 1) (a[i+m′−m] + b[m′])]"),
    (Conv((2,), 2, 1), "∂E/∂a[i] = ∑(p = 0 … O − 1) g[p]·b[i−2p+1]"),
    (ConvTranspose((2,), 2), "∂E/∂a[i] = ∑(m = 0 … 1) g[2i+m]·b[m]"),
]


@pytest.mark.parametrize(("op", "expected"), DERIVED, ids=[repr(op) for op, _ in DERIVED])
def test_the_gradient_by_the_input(op: Operator, expected: str) -> None:
    assert op.gradient().text() == expected


DEFAULTS: list[tuple[Any, dict[str, Any], dict[str, Any]]] = [
    (Conv, {"kernel_size": (2, 3)}, {"stride": 1, **WINDOWED, **CHANNELS, "padding_mode": "zeros"}),
    (ConvTranspose, {"kernel_size": (2, 3)}, {"stride": 1, **WINDOWED, **CHANNELS, "output_padding": 0}),
    (MaxPool, {"kernel_size": (2, 3)}, {"stride": (2, 3), **WINDOWED, "ceil_mode": False, "ties": "first"}),
    (
        AvgPool,
        {"kernel_size": (2, 3)},
        {"stride": (2, 3), **WINDOWED, "ceil_mode": False, "count_include_pad": True, "divisor_override": None},
    ),
    (LPPool, {"norm_type": 2, "kernel_size": (2, 3)}, {"stride": (2, 3), **WINDOWED, "ceil_mode": False}),
    (AdaptiveMaxPool, {"output_size": (2, 3)}, {"ties": "first"}),
    (Dilation, {"kernel_size": (2, 3)}, {"stride": 1, **WINDOWED, "flip": False}),
    (Erosion, {"kernel_size": (2, 3)}, {"stride": 1, **WINDOWED, "flip": False}),
    (Unfold, {"kernel_size": (2, 3)}, {"stride": 1, **WINDOWED, "in_channels": 1}),
    (Fold, {"output_size": (4, 5), "kernel_size": (2, 3)}, {"stride": 1, **WINDOWED, "in_channels": 1}),
    (MaxUnpool, {"kernel_size": (2, 3)}, {"stride": (2, 3), "padding": 0}),
    (Window, {"kernel": 3}, {"stride": 1, "before": 0, "after": 0, "dilation": 1, "ceil_mode": False, "fit": None}),
]


@pytest.mark.parametrize(("kind", "needed", "left_out"), DEFAULTS, ids=[kind.__name__ for kind, _, _ in DEFAULTS])
def test_an_option_that_is_left_out(kind: Any, needed: dict[str, Any], left_out: dict[str, Any]) -> None:
    assert kind(**needed) == kind(**needed, **left_out)


@pytest.mark.parametrize("kind", [Conv, ConvTranspose, MaxPool, AvgPool, Dilation, Erosion, Unfold, MaxUnpool])
def test_a_kernel_in_one_number_has_two_axes(kind: Any) -> None:
    assert kind(2) == kind((2, 2)) == kind(2, ndim=2)
    assert LPPool(2, 3) == LPPool(2, (3, 3))
    assert AdaptiveAvgPool(2) == AdaptiveAvgPool((2, 2))
    assert AdaptiveMaxPool(2) == AdaptiveMaxPool((2, 2))


def test_what_is_left_out_leaves_a_layer_as_it_was() -> None:
    """So a list of the options that were given leaves it out; the window of a pooling moves on by its own size."""
    for kind, needed, left_out in DEFAULTS[:-1]:
        op = kind(**needed)
        options = option_fields(kind)
        for name in left_out:
            option, _ = options[name]
            value = getattr(op, name)
            if name == "stride" and value == (2, 3):
                assert not option.is_neutral(value)
            elif name not in ("padding_mode", "divisor_override"):
                assert option.is_neutral(value), (kind, name)


def test_the_tensors_of_an_operator() -> None:
    assert Conv.every_variable() == ConvTranspose.every_variable() == ("input", "weight", "bias")
    for op in (Conv((2,)), ConvTranspose((2,))):
        assert op.variables == ("input", "weight")
        assert op.every_variable() == replace(op, bias=True).variables
    assert [(t.name, t.role) for t in MaxUnpool((2, 2)).output().tensors] == [("a", "input"), ("z", "position")]


# ------------------------------------------------------------------ what a window takes for granted


def test_the_facts_of_a_window_hold_just_where_there_is_an_output() -> None:
    met = {True: 0, False: 0}
    for k, s, d in ((1, 1, 1), (2, 1, 1), (3, 2, 1), (2, 3, 2), (1, 2, 1)):
        for before in range(-2, 3):
            for after in range(-2, 3):
                for ceil_mode in (False, True):
                    for n in range(1, 6):
                        axis = Axis(k, s, before, after, d, ceil_mode)
                        facts = Window(k, s, before, after, d, ceil_mode).facts(n)
                        there = output_size(n, axis) > 0
                        assert all(fact.truth for fact in facts) == there, axis
                        met[there] += 1
    assert min(met.values()) > 200


def test_a_padding_that_follows_from_a_rule_leaves_nothing_to_round_up() -> None:
    for rule in ("same_upper", "same_lower"):
        assert Window(3, 2, ceil_mode=True, fit=rule).facts(5) == Window(3, 2, fit=rule).facts(5)


def test_a_window_that_only_starts_in_the_padding_after_the_input_leaves_no_output() -> None:
    with pytest.raises(GeometryError, match="leaves no output"):
        Window(1, 2, -1, 1, ceil_mode=True).output_size(1)


@pytest.mark.parametrize("option", ["kernel", "stride", "dilation"])
def test_a_window_has_no_size_of_zero(option: str) -> None:
    with pytest.raises(ArgumentError, match=option):
        Window(**{"kernel": 2, option: 0})


def test_a_window_slides_over_at_least_one_entry() -> None:
    with pytest.raises(ArgumentError, match="input_size"):
        Window(1, before=1).output_size(0)


def test_the_lower_bounds_of_symbols() -> None:
    positive = sympy.Symbol("u", integer=True, positive=True)
    natural = sympy.Symbol("v", integer=True, nonnegative=True)
    whole = sympy.Symbol("w", integer=True)
    k, s, d, b, e = (sympy.Symbol(name, integer=True) for name in "ksdbe")

    def noted(window: Window) -> set[tuple[str, int]]:
        found: set[tuple[str, int]] = set()
        window.parameters(lambda name, least: found.add((name, least)))
        return found

    assert noted(Window(k, s, b, e, d)) == {("k", 1), ("s", 1), ("d", 1), ("b", 0), ("e", 0)}
    assert noted(Window(3, before=positive + natural + whole)) == {("u", 1), ("v", 0)}
    assert noted(Window(3)) == set()


def test_a_symbolic_output_size_is_at_least_one() -> None:
    size = sympy.Symbol("Z", integer=True)
    for op in (AdaptiveAvgPool((size,)), AdaptiveMaxPool((size,))):
        assert dict(op.output().lower)["Z"] == 1


def test_the_order_of_a_norm_is_read_exactly() -> None:
    assert LPPool(1.1, (2,)).norm_type == Fraction(11, 10)
    assert LPPool(sympy.Rational(5, 2), (2,)).norm_type == Fraction(5, 2)
    assert LPPool(sympy.oo, (2,)).norm_type == float("inf")
    assert repr(LPPool(2.0, (2,))) == "LPPool(norm_type=2, kernel_size=(2,), stride=(2,))"
    for wrong in (-sympy.oo, sympy.sqrt(2), sympy.Symbol("p", negative=True), sympy.Symbol("p", imaginary=True)):
        with pytest.raises(ArgumentError, match="norm_type"):
            LPPool(wrong, (2,))


def test_an_unpooling_takes_no_padding_by_name() -> None:
    for rule in ("valid", "half", "same_upper"):
        with pytest.raises(ArgumentError, match="padding"):
            MaxUnpool((2, 2), padding=rule)


# ------------------------------------------------------------------ paddings by name, and sizes of what spreads


@pytest.mark.parametrize(("k", "s", "d"), [(3, 2, 1), (2, 3, 2), (4, 1, 3), (2, 4, 5)])
def test_a_padding_by_name_is_a_padding_in_numbers(k: int, s: int, d: int) -> None:
    total = d * (k - 1)

    def window(rule: str, stride: int = s) -> Window:
        return Conv((k,), stride, rule, d).windows[0]

    assert window("valid") == Window(k, s, 0, 0, d)
    assert window("full") == Window(k, s, total, total, d)
    assert window("half") == Window(k, s, total // 2, total // 2, d)
    assert window("same", 1) == Window(k, 1, total // 2, total - total // 2, d)
    assert window("same_upper") == Window(k, s, 0, 0, d, fit="same_upper")
    assert window("same_lower") == Window(k, s, 0, 0, d, fit="same_lower")


def test_same_padding_needs_stride_1_on_every_axis() -> None:
    with pytest.raises(GeometryError, match="needs stride 1"):
        Conv((2, 2), (1, 2), "same")


def test_what_spreads_has_the_size_of_its_last_window() -> None:
    assert MaxUnpool((2, 2)).output_size((3, 4)) == (6, 8)
    for padding in range(4):
        op = ConvTranspose((2,), 3, padding, dilation=2)
        for n in range(1, 5):
            size = 3 * (n - 1) + 3 - 2 * padding  # from the first tap of the first window to the last of the last
            assert all(fact.truth for fact in op.facts(0, Index.of(n))) == (size > 0)
            if size > 0:
                assert op.output_size(n) == (size,)
            else:
                with pytest.raises(GeometryError, match="must leave an output"):
                    op.output_size(n)


def test_an_output_is_cut_on_both_sides_by_different_amounts() -> None:
    n = sympy.Symbol("n", integer=True, positive=True)
    for before, after in ((1, 0), (0, 1), (2, -1)):
        for op in (MaxUnpool((2,), padding=((before, after),)), ConvTranspose((2,), 2, ((before, after),))):
            assert op.output_size(3) == (2 * 3 - before - after,)
            assert op.output_size((n,)) == (2 * n - before - after,)


def test_the_size_of_an_image_of_patches_may_be_a_symbol() -> None:
    n, size, channels = (sympy.Symbol(name, integer=True, positive=True) for name in "nZC")
    op = Fold((size,), (2,))
    assert op.output_size(3) == op.output_size((n,)) == (size,)
    assert op.output().text() == "c[p] = ∑(m = 0 … 1) ∑(i = 0 … Z − 2) [m + i = p] a[m, i]"
    assert Fold((5,), (2,)).output_size((n,)) == (5,)
    with pytest.raises(GeometryError, match="must be 4 on axis 0"):
        Fold((5,), (2,)).output_size(3)
    assert Unfold((2,), in_channels=channels).output().text() == "c[f, m, p] = a[f, m+p]"
    assert repr(Fold((4,), (2,))) == "Fold(output_size=(4,), kernel_size=(2,))"


def test_what_dilation_and_erosion_are_called() -> None:
    assert [op.phrase for op in (Dilation((2,)), Erosion((2,)))] == ["a dilation", "an erosion"]
    assert Dilation((2,)).variables == Erosion((2,)).variables == ("input", "weight")


def test_same_is_no_padding_of_a_transposed_convolution() -> None:
    named = "padding must be one of 'valid', 'same_upper', 'same_lower', 'half', 'full', got 'sme'"
    with pytest.raises(ArgumentError, match=named):
        ConvTranspose((2,), padding="sme")


def test_same_cuts_the_output_padding_off_as_well() -> None:
    assert ConvTranspose((3,), 2, "same_upper", output_padding=1).output_size(4) == (8,)
    for option in ("stride", "dilation", "output_padding", "kernel_size"):
        with pytest.raises(GeometryError, match="needs numbers for kernel_size"):
            ConvTranspose(**{"kernel_size": (2,), "padding": "same_upper", option: (D,)})


def test_groups_are_a_number() -> None:
    for kind in (Conv, ConvTranspose):
        for channels in (1, 4, K):
            with pytest.raises(GeometryError, match="groups must be a number"):
                kind((2,), groups=D, in_channels=channels, out_channels=channels)
        with pytest.raises(
            GeometryError, match="in_channels must be divisible by groups=2, whatever its symbols stand for"
        ):
            kind((2,), groups=2, in_channels=K, out_channels=4)
        with pytest.raises(GeometryError, match="divisible by groups=2"):
            kind((2,), groups=2, in_channels=4, out_channels=3)


def test_a_reflected_input_is_longer_than_its_padding() -> None:
    op = Conv((3,), padding=1, padding_mode="reflect")
    n = sympy.Symbol("n", integer=True, positive=True)
    assert op.output_size(n) == (n,)
    assert [fact.value for fact in op.geometry(Letters(), (5,)).facts] == []


def test_a_convolution_that_does_not_flip_is_a_correlation() -> None:
    assert [Conv((2,)).noun, Conv((2,), flip=True).noun] == ["correlation", "convolution"]


def test_channels_may_be_symbols_that_the_groups_divide() -> None:
    """Two groups of C channels in and F out, by loops at C = 2 and F = 3; both kinds of layer."""
    C, F = (sympy.Symbol(name, integer=True, positive=True) for name in "CF")
    x = [[Fraction(3 * h + i * i - 4) for i in range(3)] for h in range(4)]
    w = [[[Fraction(f - 2 * h + 3 * m) for m in range(2)] for h in range(2)] for f in range(6)]
    conv = Conv((2,), groups=2, in_channels=2 * C, out_channels=2 * F)
    found = conv.output().subs({"C": 2, "F": 3}).values({"a": x, "b": w}, (3,))
    for f, p in product(range(6), range(2)):
        wanted = sum(x[2 * (f // 3) + h][p + m] * w[f][h][m] for h in range(2) for m in range(2))
        assert found.get((f, p), 0) == wanted
    turned = ConvTranspose((2,), groups=2, in_channels=2 * F, out_channels=2 * C)
    g = [[Fraction(f - p) for p in range(2)] for f in range(6)]
    back = turned.output().subs({"C": 2, "F": 3}).values({"a": g, "b": w}, (2,))
    for h, i in product(range(4), range(3)):
        own = range(3 * (h // 2), 3 * (h // 2) + 3)
        reached = [(f, i - m, m) for f in own for m in range(2) if 0 <= i - m < 2]
        assert back.get((h, i), 0) == sum(g[f][p] * w[f][h % 2][m] for f, p, m in reached)
