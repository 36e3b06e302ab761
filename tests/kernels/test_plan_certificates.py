"""What the plans of convolutions state, step by step, against what is written here by hand; every step is proved."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from symconv.derivations.rules import RULES
from symconv.derivations.step import Derivation, plain
from symconv.formulas.formula import Formula
from symconv.formulas.index import Index
from symconv.kernels.plans.im2col import im2col_derivation
from symconv.kernels.plans.rewriting import LayerFormula
from symconv.kernels.plans.rows import rows_derivation
from symconv.kernels.plans.separable import separable_derivation
from symconv.kernels.plans.spectral import spectral_derivation
from symconv.kernels.plans.winograd import winograd_derivation
from symconv.operators.convolution import Conv

Rewrite = Callable[[Conv], Derivation]


def by_two(op: Conv) -> Derivation:
    return winograd_derivation(op, 2)


def by_four(op: Conv) -> Derivation:
    return winograd_derivation(op, 4)


EXCHANGED = [
    "T3 y[f, t, i] = ∑(q = 0 … Q − 1) A[i, q]·∑(h = 0 … H − 1) u[q, f, h]·v[q, h, t]",
    "T4 s = ∑(q = 0 … Q − 1) u[q]·∑(t = 0 … T − 1) v[q, t]·∑(i = 0 … M − 1) A[i, q]·g[t, i]",
]
PLANS: list[tuple[Rewrite, Conv, list[str]]] = [
    (im2col_derivation, Conv((3,), 2, 1), [
        "1 c[p] = ∑(m = 0 … 2) X[m, p]·b[m]",
        "2 C = B·X",
        "3 ∂E/∂b[m] = ∑(p = 0 … O − 1) g[p]·X[m, p]",
        "4 ∂E/∂a[i] = ∑(p = 0 … O − 1) ∑(m = 0 … 2) [2p + m − 1 = i] g[p]·b[m]",
        "D1 X[m, p] = a[2p+m−1]  if 0 ≤ 2p + m − 1 ≤ I − 1, else 0",
    ]),
    (im2col_derivation, Conv((2,), in_channels=3, out_channels=2, bias=True, flip=True, dilation=2), [
        "1 c[f, p] = ∑(h = 0 … 2) ∑(m = 0 … 1) X[h, m, p]·b[f, h, m] + d[f]",
        "2 C = B·X",
        "3 ∂E/∂b[f′, h, m] = ∑(p = 0 … O − 1) g[f′, p]·X[h, m, p]",
        "4 ∂E/∂a[h, i] = ∑(f = 0 … 1) ∑(p = 0 … O − 1) ∑(h* = 0 … 2) ∑(m = 0 … 1) [h* = h] [p − 2m + 2 = i] "
        "g[f, p]·b[f, h*, m]",
        "5 ∂E/∂a[h, i] = ∑(f = 0 … 1) ∑(h* = 0 … 2) ∑(m = 0 … 1) [h* = h] g[f, i+2m−2]·b[f, h*, m]",
        "D1 X[h, m, p] = a[h, p−2m+2]  if 0 ≤ h ≤ 2 and 0 ≤ p − 2m + 2 ≤ I − 1, else 0",
    ]),
    (im2col_derivation, Conv((2, 3), 1, ((1, 0), (0, 2)), groups=2, in_channels=4, out_channels=6), [
        "1 c[f, p, q] = ∑(h = 0 … 1) ∑(m = 0 … 1) ∑(n = 0 … 2) X[h+2⌊f/3⌋, m, n, p, q]·b[f, h, m, n]",
        "2 C = B·X",
        "3 ∂E/∂b[f′, h, m, n] = ∑(p = 0 … I₁ − 1) ∑(q = 0 … I₂ − 1) g[f′, p, q]·X[h+2⌊f′/3⌋, m, n, p, q]",
        "4 ∂E/∂a[h, i, j] = ∑(f = 0 … 5) ∑(p = 0 … I₁ − 1) ∑(q = 0 … I₂ − 1) ∑(h* = 0 … 1) ∑(m = 0 … 1) "
        "∑(n = 0 … 2) [h* + 2⌊f/3⌋ = h] [p + m − 1 = i] [q + n = j] g[f, p, q]·b[f, h*, m, n]",
        "5 ∂E/∂a[h, i, j] = ∑(f = 0 … 5) ∑(h* = 0 … 1) ∑(m = 0 … 1) ∑(n = 0 … 2) [h* + 2⌊f/3⌋ = h] "
        "g[f, i−m+1, j−n]·b[f, h*, m, n]",
        "D1 X[h+2⌊f/3⌋, m, n, p, q] = a[h+2⌊f/3⌋, p+m−1, q+n]  "
        "if 0 ≤ h + 2⌊f/3⌋ ≤ 3 and 0 ≤ p + m − 1 ≤ I₁ − 1 and 0 ≤ q + n ≤ I₂ − 1, else 0",
    ]),
    (rows_derivation, Conv((3, 2), 1, 1), [
        "1 c[p, q] = ∑(m = 0 … 2) ∑(n = 0 … 1) s[p+m−1, n, q]·b[m, n]",
        "2 c[p, q] = ∑(k = 0 … 5) a[p+⌊k/2⌋−1, q+k−2⌊k/2⌋−1]·b[⌊k/2⌋, k−2⌊k/2⌋]",
    ]),
    (rows_derivation, Conv((3,), 2, flip=True), ["1 c[p] = ∑(m = 0 … 2) s[m, p]·b[m]"]),
    (rows_derivation, Conv((2, 3), padding=1, groups=2, in_channels=2, out_channels=2), [
        "1 c[f, p, q] = ∑(m = 0 … 1) ∑(n = 0 … 2) s[f, p+m−1, n, q]·b[f, m, n]",
        "2 c[f, p, q] = ∑(k = 0 … 5) a[f, p+⌊k/3⌋−1, q+k−3⌊k/3⌋−1]·b[f, ⌊k/3⌋, k−3⌊k/3⌋]",
    ]),
    (separable_derivation, Conv((3, 2), (2, 1), 1, flip=True), [
        "1 c[p, q] = ∑(t = 0 … 1) ∑(m = 0 … 2) u[t, m]·∑(n = 0 … 1) v[t, n]·a[2p−m+1, q−n]",
    ]),
    (separable_derivation, Conv((4, 5), groups=2, in_channels=2, out_channels=2), [
        "1 c[f, p, q] = ∑(t = 0 … 3) ∑(m = 0 … 3) u[f, t, m]·∑(n = 0 … 4) v[f, t, n]·a[f, p+m, q+n]",
    ]),
    (spectral_derivation, Conv((5, 3), dilation=(1, 2), flip=True), [
        "1 c[t₁, t₂, i₁, i₂] = ∑(m = 0 … 4) ∑(n = 0 … 2) X[t₁, t₂, i₁−m+4, i₂−2n+4]·b[m, n]",
        "2 c[p] = ∑(m = 0 … 4) a[p−m−I⌊(p−m+4)/I⌋+4]·b[m]",
        "3 c[p] = ∑(m = 0 … 2) a[p−2m−I⌊(p−2m+4)/I⌋+4]·b[m]",
        "4 Σ_k w^(kj) = T if j = 0 else 0",
        "X X[t₁, t₂, j₁, j₂] = a[W₁t₁+j₁, W₂t₂+j₂]",
    ]),
    (spectral_derivation, Conv((4,), padding=2, groups=2, in_channels=2, out_channels=2), [
        "1 c[f, t, i] = ∑(m = 0 … 3) X[f, t, i+m]·b[f, m]",
        "2 c[p] = ∑(m = 0 … 3) a[p+m−I⌊(p+m)/I⌋]·b[m]",
        "3 Σ_k w^(kj) = T if j = 0 else 0",
        "X X[f, t, j] = a[f, Wt+j−2]",
    ]),
    (by_two, Conv((3,), padding=1), [
        "T1 c[t, i] = ∑(m = 0 … 2) X[t, i+m]·b[m]",
        "T2 y[f, i₁] = ∑(h = 0 … H − 1) ∑(q₁ = 0 … 3) A[i₁, q₁]·(∑(k₁ = 0 … 2) G[q₁, k₁]·b[f, h, k₁])·"
        "∑(j₁ = 0 … 3) B[q₁, j₁]·x[h, j₁]",
        *EXCHANGED,
        "X X[t, j] = a[2t+j−1]",
    ]),
    (by_four, Conv((3, 2), padding=1, in_channels=3, out_channels=2, bias=True, flip=True), [
        "T1 c[f, t₁, t₂, i₁, i₂] = ∑(h = 0 … 2) ∑(m = 0 … 2) ∑(n = 0 … 1) X[h, t₁, t₂, i₁−m+2, i₂−n+1]·b[f, h, m, n] "
        "+ d[f]",
        "T2 y[f, i₁, i₂] = ∑(h = 0 … H − 1) ∑(q₁ = 0 … 5) ∑(q₂ = 0 … 4) A₁[i₁, q₁]·A₂[i₂, q₂]·(∑(k₁ = 0 … 2) "
        "∑(k₂ = 0 … 1) G₁[q₁, k₁]·G₂[q₂, k₂]·b[f, h, k₁, k₂])·∑(j₁ = 0 … 5) ∑(j₂ = 0 … 4) "
        "B₁[q₁, j₁]·B₂[q₂, j₂]·x[h, j₁, j₂]",
        *EXCHANGED,
        "X X[h, t₁, t₂, j₁, j₂] = a[h, 4t₁+j₁−1, 4t₂+j₂−1]",
    ]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rewrite", "op", "lines"), PLANS, ids=lambda value: getattr(value, "__name__", repr(value)[:60])
)
def test_what_a_plan_states(rewrite: Rewrite, op: Conv, lines: list[str]) -> None:
    derivation = rewrite(op)
    tiled = rewrite in (by_two, by_four)  # what is inside of a tile is stated and tested elsewhere
    steps = [step for step in derivation.steps if step.id.startswith("T") or not tiled]
    stated = [definition for definition in derivation.definitions if definition.id == "X" or not tiled]
    assert [f"{step.id} {step.statement}" for step in steps] + [f"{d.id} {plain(d.entry)}" for d in stated] == lines
    assert all(step.verdict.holds for step in derivation.steps)
    assert all(step.opens for step in steps if rewrite is not rows_derivation or step.id == "1")
    for stage in derivation.stages:
        assert plain(stage.domain).startswith("for ")
        assert plain(stage.title)[0].isupper()
        assert "for every" not in plain(stage.title)
    assert all(step.rule in RULES and step.title not in RULES for step in derivation.steps)
    assert plain(derivation.hypotheses).endswith("An array is zero outside its range.") or tiled
    assert plain(derivation.lead).endswith(".")
    assert derivation.title[:2] == "A "
    known = {definition.id for definition in derivation.definitions}
    for step in derivation.steps:
        assert set(step.uses) <= known
        known.add(step.id)


def test_what_a_low_rank_is_made_of() -> None:
    """A column and a row for each of at most as many products as the shorter side has taps."""
    (step,) = separable_derivation(Conv((4, 5), groups=2, in_channels=2, out_channels=2)).steps
    extents = {
        tensor.name: [high.value for _, high in tensor.box] for tensor in step.after.tensors if tensor.name != "a"
    }
    assert extents == {"u": [1, 3, 3], "v": [1, 3, 4]}
    assert [(tensor.name, tensor.role) for tensor in step.after.tensors] == [
        ("a", "input"),
        ("u", "weight"),
        ("v", "weight"),
    ]
    assert step.before.tensors == step.after.tensors


def test_the_roots_of_unity_are_those_of_the_tile_that_wraps_around() -> None:
    *_, wrapped, transformed = spectral_derivation(Conv((4,))).steps
    assert transformed.before == transformed.after == wrapped.after
    assert wrapped.before != wrapped.after
    assert transformed.verdict.sizes == 1
    assert transformed.verdict.scope.fixed == (("T", 12),)


def test_the_gradient_of_what_is_not_padded_with_zeros_is_no_convolution() -> None:
    """Every entry that a padding repeats receives what arrives there: tap by tap, and never as one convolution."""
    for mode, steps in (("zeros", ["1", "2", "3", "4", "5"]), ("circular", ["1", "2", "3", "4"])):
        assert [step.id for step in im2col_derivation(Conv((3,), padding=1, padding_mode=mode)).steps] == steps
    for strides in ((2, 1), (1, 2)):
        assert [step.id for step in im2col_derivation(Conv((2, 2), strides)).steps] == ["1", "2", "3", "4"]


BOXES = {
    "b": ("weight", "F - 1, H - 1, 2, 1"),
    "x": ("input", "H - 1, 5, 4"),
    "A1": ("weight", "3, 5"),
    "G1": ("weight", "5, 2"),
    "B1": ("weight", "5, 5"),
    "A2": ("weight", "3, 4"),
    "G2": ("weight", "4, 1"),
    "B2": ("weight", "4, 4"),
}


def boxes(formula: Formula) -> dict[str, tuple[str, str]]:
    """The role of every tensor and the last index of each of its axes, which all start at 0."""
    assert all(low == 0 for tensor in formula.tensors for low, _ in tensor.box)
    return {t.name: (t.role, ", ".join(repr(high) for _, high in t.box)) for t in formula.tensors}


def ranges(formula: Formula) -> list[tuple[str, str, str]]:
    return [(bound.name, repr(bound.lower), repr(bound.upper)) for bound in formula.free]


def test_tiles_reach_as_far_as_the_outputs_and_as_wide_as_is_asked_for() -> None:
    """Output p is place i of tile t, with ``p = W*t + i``: the last tile is that of the last output."""
    whole, named, _ = LayerFormula(Conv((3,), 1, 1)).tiled((Index.of("W"),))
    assert ranges(whole) == [("t", "0", "floor((I - 1)/(W))"), ("i", "0", "W - 1")]
    assert whole.lower == (("I", 1), ("W", 1))
    whole, named, _ = LayerFormula(Conv((3, 2), 2, in_channels=2, out_channels=2)).tiled((Index.of("W_1"), Index.of(4)))
    assert (
        ranges(whole)
        == ranges(named)
        == [
            ("f", "0", "1"),
            ("t1", "0", "floor((O_1 - 1)/(W_1))"),
            ("t2", "0", "floor((O_2 - 1)/(4))"),
            ("i1", "0", "W_1 - 1"),
            ("i2", "0", "3"),
        ]
    )
    assert whole.lower == (("I_1", 1), ("I_2", 1), ("O_1", 1), ("O_2", 1), ("W_1", 1))


def test_what_is_filtered_is_one_tile_of_the_layer() -> None:
    derivation = by_four(Conv((3, 2)))
    steps = {step.id: step for step in derivation.steps}
    inside = [name for name in steps if not name.startswith("T")]
    assert steps["T2"].uses == ("T1", inside[-1])
    assert plain(derivation.lead).startswith("Outputs are computed a tile at a time")
    direct, by_channel, form = (steps[name].before for name in ("T2", "T3", "T4"))
    assert str(direct).endswith("= ∑(h = 0 … H − 1) ∑(k₁ = 0 … 2) ∑(k₂ = 0 … 1) b[f, h, k₁, k₂]·x[h, i₁+k₁, i₂+k₂]")
    assert ranges(direct) == [("f", "0", "F - 1"), ("i1", "0", "3"), ("i2", "0", "3")]
    assert boxes(direct) == BOXES
    assert direct.lower == (("F", 1), ("H", 1))
    assert str(by_channel).endswith("= ∑(h = 0 … H − 1) ∑(q = 0 … Q − 1) A[i, q]·u[q, f, h]·v[q, h, t]")
    assert ranges(by_channel) == [("f", "0", "F - 1"), ("t", "0", "T - 1"), ("i", "0", "M - 1")]
    assert boxes(by_channel) == {
        "A": ("weight", "M - 1, Q - 1"),
        "u": ("weight", "Q - 1, F - 1, H - 1"),
        "v": ("input", "Q - 1, H - 1, T - 1"),
    }
    assert str(form).endswith("= ∑(t = 0 … T − 1) ∑(i = 0 … M − 1) g[t, i]·∑(q = 0 … Q − 1) A[i, q]·u[q]·v[q, t]")
    assert ranges(form) == []
    assert boxes(form) == {
        "A": ("weight", "M - 1, Q - 1"),
        "g": ("upstream", "T - 1, M - 1"),
        "u": ("weight", "Q - 1"),
        "v": ("input", "Q - 1, T - 1"),
    }
    for formula, sizes in ((by_channel, "FHMQT"), (form, "MQT")):
        assert formula.lower == tuple((size, 1) for size in sizes)
    assert all(steps[name].before.tensors == steps[name].after.tensors for name in ("T2", "T3", "T4"))


@pytest.mark.parametrize("rewrite", [im2col_derivation, spectral_derivation, by_two])
@pytest.mark.parametrize("mode", ["zeros", "circular", "reflect", "replicate"])
def test_other_paddings(rewrite: Rewrite, mode: str) -> None:
    for flip in (False, True):
        op = Conv((3,), 1, ((2, 1),), flip=flip, padding_mode=mode)
        assert all(step.verdict.holds for step in rewrite(op).steps)
