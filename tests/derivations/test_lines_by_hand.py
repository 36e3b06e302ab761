"""Lines in the form in which a reader writes them: no term that is zero, no condition that always holds.

That they are right is worked out in `test_lines_by_loops`; here they are written out by hand.
"""

from __future__ import annotations

from typing import Any

import pytest
from test_lines_by_loops import conv, layer, operator_of, transposed

from symconv.derivations.derive import derive
from symconv.formulas.printing import UNICODE
from symconv.operators.convolution import Conv
from symconv.operators.patches import Fold
from symconv.operators.pooling import MaxPool

Lines = list[tuple[str, str]]
LINES: list[tuple[Any, str, str, Lines]] = [
    (conv((3,)), "gradient", "input", [
        ("differentiate_term_by_term", "∑(m = 1 … 3) ∂a[p+m−1]/∂a[i]·b[m]"),
        ("use_independence", "∑(m = 1 … 3) [p + m − 1 = i]·b[m]"),
        ("closed_form", "b[i−p+1]  if 1 ≤ i − p + 1 ≤ 3, else 0"),
        ("chain_rule", "∑(p = 1 … O) g[p]·∂c[p]/∂a[i]"),
        ("restrict_to_touching_outputs", "∑(p = max(1, i − 2) … min(O, i)) g[p]·b[i−p+1]"),
        ("turn", "∑(u = 1 … 3) g\u0303[i+u−1]·b[4−u]"),
        ("recognise", "(pad[2](G) ⋆ rev(B))[i]"),
        ("put_ones", "∑(p = max(1, i − 2) … min(O, i)) b[i−p+1]"),
        ("turn", "∑(u = 1 … O) b\u0303[i+u−1]"),
        ("recognise", "(pad[O − 1](B) ⋆ ones(O))[i]"),
    ]),
    (conv((3,), (2,), ((1, 2),), (2,)), "gradient", "input", [
        ("closed_form", "b[(i−2p+4)/2]  if 2 ∣ i − 2p and 1 ≤ (i − 2p + 4)/2 ≤ 3, else 0"),
        ("restrict_to_touching_outputs",
         "∑(p = max(1, ⌈(i − 2)/2⌉) … min(O, ⌊(i + 2)/2⌋)) [2 ∣ i − 2p] g[p]·b[(i−2p+4)/2]"),
        ("turn", "∑(u = 1 … 3) g\u0303[i+2u−2]·b[4−u]"),
        ("recognise", "(pad[3:I − 2O + 2](up[2](G)) ⋆[dilation 2] rev(B))[i]"),
        ("put_ones", "∑(p = max(1, ⌈(i − 2)/2⌉) … min(O, ⌊(i + 2)/2⌋)) [2 ∣ i − 2p] b[(i−2p+4)/2]"),
        ("turn", "∑(u = 1 … O) b\u0303[i+2u−2]"),
        ("recognise", "(pad[2O − 3:I − 4](up[2](B)) ⋆[dilation 2] ones(O))[i]"),
    ]),
    (conv((3,), (2,), ((1, 2),), (2,)), "gradient", "weight", [
        ("closed_form", "a[2p+2m−4]  if 1 ≤ 2p + 2m − 4 ≤ I, else 0"),
        ("insert", "∑(p = 1 … O) g[p]·a[2p+2m−4]"),
        ("name_access", "∑(p = 1 … O) g[p]·a\u0303[2p+2m−3]"),
        ("recognise", "(pad[1:2O − I + 2](A) ⋆[stride 2, dilation 2] G)[m]"),
    ]),
    (conv((2, 2), (2, 1), ((0, 1), (2, 0)), (1, 2), flip=True, base=0), "gradient", "input", [
        ("closed_form", "b[2p−i+1, (q−j)/2]  if 2 ∣ q − j and 0 ≤ 2p − i + 1 ≤ 1 and 0 ≤ (q − j)/2 ≤ 1, else 0"),
        ("restrict_to_touching_outputs",
         "∑(p = ⌈(i − 1)/2⌉ … ⌊i/2⌋) ∑(q = j … min(I₂ − 1, j + 2)) [2 ∣ q − j] g[p, q]·b[2p−i+1, (q−j)/2]"),
        ("turn", "∑(m = 0 … 1) ∑(n = 0 … 1) g\u0303[i+m, j+2n]·b[m, n]"),
        ("put_ones",
         "∑(p = ⌈(i − 1)/2⌉ … ⌊i/2⌋) ∑(q = j … min(I₂ − 1, j + 2)) [2 ∣ q − j] b[2p−i+1, (q−j)/2]"),
        ("turn", "∑(u = 0 … O₁ − 1) ∑(v = 0 … I₂ − 1) b\u0303[i+2u, j+v]"),
    ]),
    (conv((2, 2), (2, 1), ((0, 1), (2, 0)), (1, 2), flip=True, base=0), "gradient", "weight", [
        ("insert", "∑(p = 0 … O₁ − 1) ∑(q = 0 … I₂ − 1) g[p, q]·a[2p−m+1, q−2n]"),
        ("name_access", "∑(p = 0 … O₁ − 1) ∑(q = 0 … I₂ − 1) g[p, q]·a\u0303[2p−m+1, q−2n+2]"),
        ("recognise", "rot180(pad[(0:2O₁ − I₁, 2:0)](A) ⋆[stride (1, 2), dilation (2, 1)] G)[m, n]"),
    ]),
    (conv((2,), (2,), ((1, 0),), in_channels=2, out_channels=3, bias=True), "gradient", "input", [
        ("restrict_to_touching_outputs",
         "∑(f = 1 … 3) ∑(p = ⌈(i + 1)/2⌉ … min(O, ⌊(i + 2)/2⌋)) g[f, p]·b[f, h, i−2p+3]"),
        ("turn", "∑(f = 1 … 3) ∑(u = 1 … 2) g\u0303[f, i+u−1]·b[f, h, 3−u]"),
    ]),
    (conv((3,), (3,), ((0, 1),)), "gradient", "input", [
        ("restrict_to_touching_outputs", "∑(p = ⌈i/3⌉ … min(O, ⌊(i + 2)/3⌋)) g[p]·b[i−3p+3]"),
        ("turn", "∑(u = 1 … 3) g\u0303[i+u−1]·b[4−u]"),
        ("turn", "∑(u = 1 … O) b\u0303[i+3u−3]"),
        ("recognise", "(pad[3O − 3:I − 3](B) ⋆[dilation 3] ones(O))[i]"),
    ]),
    (transposed((3,), (2,), ((2, 1),), (2,), output_padding=(1,), base=0), "output", "input", [
        ("sift_by_taps", "∑(m = 0 … 2) [2 ∣ p − 2m] a[(p−2m+2)/2]·b[m]"),
        ("turn", "∑(u = 0 … 2) a\u0303[p+2u]·b[2−u]"),
        ("recognise", "(pad[2:4](up[2](A)) ⋆[dilation 2] rev(B))[p]"),
    ]),
    (transposed((3,), (2,), ((2, 1),), (2,), output_padding=(1,), base=0), "gradient", "weight", [
        ("insert", "∑(p = 0 … O − 1) [2 ∣ p − 2m] g[p]·a[(p−2m+2)/2]"),
        ("sift_by_taps", "∑(i = 0 … I − 1) g[2i+2m−2]·a[i]"),
        ("name_access", "∑(i = 0 … I − 1) g\u0303[2i+2m]·a[i]"),
    ]),
    (transposed((2,), (3,), ((-1, 0),), (2,), flip=True), "output", "input", [
        ("sift_by_taps", "∑(m = 1 … 2) [3 ∣ p + 2m] a[(p+2m−3)/3]·b[m]"),
        ("turn", "∑(m = 1 … 2) a\u0303[p+2m−2]·b[m]"),
    ]),
    (transposed((2, 3), (2, 1), ((0, 1), (1, 0)), (1, 2), output_padding=(1, 0), bias=True), "output", "input", [
        ("sift_by_taps", "∑(m = 1 … 2) ∑(n = 1 … 3) [2 ∣ p − m] a[(p−m+2)/2, q−2n+3]·b[m, n] + d"),
        ("turn", "∑(u = 1 … 2) ∑(v = 1 … 3) a\u0303[p+u−1, q+2v−2]·b[3−u, 4−v] + d"),
    ]),
    (layer("unfold", (3,), (2,), ((1, 0),), (2,)), "gradient", "input", [
        ("closed_form", "1  if 2m + 2p − 4 = i, else 0"),
        ("restrict_to_touching_outputs", "∑(m = 1 … 3) ∑(p = 1 … O) [2m + 2p − 4 = i] g[m, p]"),
    ]),
    (layer("maxpool", (2, 3), (2, 1), ((1, 0), (0, 1)), (1, 2)), "gradient", "input", [
        ("closed_form", "ω[p, q, i, j]  if 2 ∣ j − q and −2 ≤ i − 2p ≤ −1 and 0 ≤ j − q ≤ 4, else 0"),
        ("restrict_to_touching_outputs",
         "∑(p = ⌈(i + 1)/2⌉ … min(O₁, ⌊(i + 2)/2⌋)) ∑(q = max(1, j − 4) … min(O₂, j)) "
         "[2 ∣ j − q] g[p, q]·ω[p, q, i, j]"),
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("own", "what", "wrt", "lines"), LINES, ids=str)
def test_lines_are_as_short_as_one_writes_them(own: Any, what: Any, wrt: Any, lines: Lines) -> None:
    ones = (own.kind, what, wrt) == ("conv", "gradient", "input") and own.in_channels == 1
    steps = derive(operator_of(own), what, wrt, index_base=own.base, all_ones=ones).steps
    rules = dict.fromkeys(rule for rule, _ in lines)
    printed = [(step.rule, step.right(UNICODE)) for step in steps if step.rule in rules]
    wanted = [pair for pair in printed if pair in lines]
    assert wanted == lines, printed


REACH = "I + 2P − D(K − 1) − 1"


@pytest.mark.parametrize(
    ("op", "base", "lines"),
    [
        (Conv((3,)), 1, ["O = #{p ≥ 1 : p − 1 ≤ I − 3}", "O = I − 2"]),
        (Conv((3,), 2, 1), 0, ["O = #{p ≥ 0 : 2p ≤ I − 1}", "O = ⌊(I − 1)/2⌋ + 1"]),
        (Conv((3,)).generic(), 1, [f"O = #{{p ≥ 1 : S(p − 1) ≤ {REACH}}}", f"O = ⌊({REACH})/S⌋ + 1"]),
        (Conv((3,)).generic(), 0, [f"O = #{{p ≥ 0 : Sp ≤ {REACH}}}", f"O = ⌊({REACH})/S⌋ + 1"]),
        (Conv((3, 2)), 1, ["O₁ = #{p ≥ 1 : p − 1 ≤ I₁ − 3}", "O₁ = I₁ − 2", "O₂ = #{q ≥ 1 : q − 1 ≤ I₂ − 2}",
                           "O₂ = I₂ − 1"]),
        (MaxPool((2,), ceil_mode=True).generic(), 1, [
            "O = #{p ≥ 1 : S(p − 1) ≤ I + 2P + S − D(K − 1) − 2, S(p − 1) ≤ I + P − 1}",
            f"O = min(⌈({REACH})/S⌉ + 1, ⌈(I + P)/S⌉)",
        ]),
        (MaxPool((3,), 2, ((-1, 2),), 1, True), 1, ["O = #{p ≥ 1 : 2p − 2 ≤ I − 1, 2p − 2 ≤ I − 2}",
                                                    "O = min(⌈(I − 2)/2⌉ + 1, ⌈(I − 1)/2⌉)"]),
        (Fold((4,), (2,)).generic(), 1, ["N = #{i ≥ 1 : S(i − 1) ≤ O + 2P − D(K − 1) − 1}",
                                         "N = ⌊(O + 2P − D(K − 1) − 1)/S⌋ + 1"]),
    ],
    ids=repr,
)  # fmt: skip
def test_a_number_of_windows_is_the_number_of_their_places(op: Any, base: int, lines: list[str]) -> None:
    steps = [step for step in derive(op, index_base=base).steps if step.rule in ("place", "count")]
    found = [step.statement for step in steps if step.rule == "count"]
    start = [step.statement for step in steps if step.rule == "place"]
    assert [line for pair in zip(start, found, strict=True) for line in pair] == lines
