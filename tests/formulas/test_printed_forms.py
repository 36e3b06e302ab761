"""Formulas on paper: strings written by hand, LaTeX that a MathML converter takes, letters that are only letters."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import pytest
import sympy

from symconv.formulas.formula import Formula
from symconv.operators.adaptive import AdaptiveAvgPool
from symconv.operators.convolution import Conv
from symconv.operators.patches import Unfold
from symconv.operators.pooling import AvgPool, LPPool, MaxPool
from symconv.operators.transposed import ConvTranspose
from symconv.operators.unpooling import MaxUnpool
from symconv.report.mathml import to_mathml

INF = float("inf")


def every_formula(op: Any, **how: Any) -> list[Formula]:
    return [
        op.output(**how),
        *(op.derivative(v, **how) for v in op.variables),
        *(op.gradient(v, **how) for v in op.variables),
    ]


UNICODE = [
    (Conv((3, 3)).output(), "c[p, q] = ∑(m = 0 … 2) ∑(n = 0 … 2) a[p+m, q+n]·b[m, n]"),
    (Conv((3, 3)).output(index_base=1), "c[p, q] = ∑(m = 1 … 3) ∑(n = 1 … 3) a[p+m−1, q+n−1]·b[m, n]"),
    (Conv((3,), flip=True).output(), "c[p] = ∑(m = 0 … 2) a[p−m+2]·b[m]"),
    (Conv((3, 3)).derivative(), "∂c[p, q]/∂a[i, j] = b[i−p, j−q]  if 0 ≤ i − p ≤ 2 and 0 ≤ j − q ≤ 2, else 0"),
    (Conv((3, 3)).gradient(), "∂E/∂a[i, j] = ∑(m = 0 … 2) ∑(n = 0 … 2) g[i−m, j−n]·b[m, n]"),
    (Conv((3, 3)).gradient(index_base=1), "∂E/∂a[i, j] = ∑(m = 1 … 3) ∑(n = 1 … 3) g[i−m+1, j−n+1]·b[m, n]"),
    (Conv((3,)).derivative("weight"), "∂c[p]/∂b[m] = a[p+m]"),
    (Conv((3,)).gradient("weight"), "∂E/∂b[m] = ∑(p = 0 … O − 1) g[p]·a[p+m]"),
    (Conv((3,), 2).derivative(), "∂c[p]/∂a[i] = b[i−2p]  if 0 ≤ i − 2p ≤ 2, else 0"),
    (Conv((3,), 2, 1).gradient(), "∂E/∂a[i] = ∑(p = 0 … O − 1) g[p]·b[i−2p+1]"),
    (
        Conv((3,), 1, 0, 2).derivative(),
        "∂c[p]/∂a[i] = b[(i−p)/2]  if 2 ∣ i − p and 0 ≤ (i − p)/2 ≤ 2, else 0",
    ),
    (Conv((3,), 2, 1, 2).gradient(), "∂E/∂a[i] = ∑(m = 0 … 2) [2 ∣ i − 2m + 1] g[(i−2m+1)/2]·b[m]"),
    (Conv((3,)).generic().output(), "c[p] = ∑(m = 0 … K − 1) a[Sp+Dm−P]·b[m]"),
    (
        Conv((2,), in_channels=4, out_channels=2, groups=2, bias=True).output(),
        "c[f, p] = ∑(h = 0 … 1) ∑(m = 0 … 1) a[2f+h, p+m]·b[f, h, m] + d[f]",
    ),
    (Conv((2,), out_channels=2, bias=True).derivative("bias"), "∂c[f, p]/∂d[f′] = 1  if f′ = f, else 0"),
    (Conv((2,), out_channels=2, bias=True).gradient("bias"), "∂E/∂d[f′] = ∑(p = 0 … O − 1) g[f′, p]"),
    (MaxPool((2,), 1).output(), "c[p] = max(0 ≤ m ≤ 1) a[p+m]"),
    (
        MaxPool((2,), 1).derivative(),
        "∂c[p]/∂a[i] = [i − p = first argmax(0 ≤ m ≤ 1) a[p+m]]  if 0 ≤ i − p ≤ 1, else 0",
    ),
    (AvgPool((2,)).output(), "c[p] = 1/2·∑(m = 0 … 1) a[2p+m]"),
    (AvgPool((2,)).derivative(), "∂c[p]/∂a[i] = 1/2  if 0 ≤ i − 2p ≤ 1, else 0"),
    (LPPool(1, (2,)).output(), "c[p] = ∑(m = 0 … 1) |a[2p+m]|"),
    (LPPool(3, (2,)).output(), "c[p] = (∑(m = 0 … 1) |a[2p+m]|^3)^(1/3)"),
    (LPPool(INF, (2,)).output(), "c[p] = max(0 ≤ m ≤ 1) |a[2p+m]|"),
    (
        AdaptiveAvgPool((3,)).derivative(),
        "∂c[p]/∂a[i] = 1/(⌈I(p + 1)/3⌉ − ⌊Ip/3⌋)  if ⌊Ip/3⌋ ≤ i ≤ ⌈I(p + 1)/3⌉ − 1, else 0",
    ),
    (
        AdaptiveAvgPool((3,)).gradient(),
        "∂E/∂a[i] = ∑(p = 0 … 2) [⌊Ip/3⌋ ≤ i ≤ ⌈I(p + 1)/3⌉ − 1] g[p]/(⌈I(p + 1)/3⌉ − ⌊Ip/3⌋)",
    ),
    (
        AdaptiveAvgPool((3,)).generic().output(),
        "c[p] = 1/(⌈I(p + 1)/O⌉ − ⌊Ip/O⌋)·∑(m = ⌊Ip/O⌋ … ⌈I(p + 1)/O⌉ − 1) a[m]",
    ),
    (ConvTranspose((3,), 2, 1).output(), "c[p] = ∑(i = 0 … I − 1) ∑(m = 0 … 2) [2i + m − 1 = p] a[i]·b[m]"),
    (Unfold((2,), 2, 1).gradient(), "∂E/∂a[i] = ∑(p = 0 … O − 1) g[i−2p+1, p]"),
    (MaxUnpool((2, 2)).derivative(), "∂c[p, q]/∂a[i, j] = [z[i, j] = O₂p + q] "),
]


@pytest.mark.parametrize(("formula", "expected"), UNICODE, ids=[text for _, text in UNICODE])
def test_one_line_of_unicode(formula: Formula, expected: str) -> None:
    assert formula.text() == str(formula) == expected
    assert formula.text(lhs=False) == expected.split(" = ", 1)[1]


LATEX = [
    (
        Conv((3, 3)).output(),
        r"c_{pq} = \sum_{m=0}^{2} \sum_{n=0}^{2} a_{p+m,\,q+n}\, b_{mn}",
    ),
    (
        Conv((3, 3)).derivative(index_base=1),
        r"\frac{\partial c_{pq}}{\partial a_{ij}} = \begin{cases} b_{i-p+1,\,j-q+1} & "
        r"1 \leq i-p+1 \leq 3,\; 1 \leq j-q+1 \leq 3, \\ 0 & \text{otherwise} \end{cases}",
    ),
    (
        Conv((3,), 2, 1, 2).gradient(),
        r"\frac{\partial E}{\partial a_{i}} = \sum_{m=0}^{2} [\,2 \mid i-2m+1\,]\,g_{(i-2m+1)/2}\, b_{m}",
    ),
    (
        Conv((3, 3)).gradient("weight"),
        r"\frac{\partial E}{\partial b_{mn}} = \sum_{p=0}^{O_{1}-1} \sum_{q=0}^{O_{2}-1} g_{pq}\, a_{p+m,\,q+n}",
    ),
    (Conv((3,)).generic().output(index_base=1), r"c_{p} = \sum_{m=1}^{K} a_{S(p-1)+D(m-1)-P+1}\, b_{m}"),
    (MaxPool((2, 2), 1).output(), r"c_{pq} = \max_{0 \leq m \leq 1,\;0 \leq n \leq 1} a_{p+m,\,q+n}"),
    (AvgPool((2,)).output(), r"c_{p} = \frac{1}{2}\, \sum_{m=0}^{1} a_{2p+m}"),
]


@pytest.mark.parametrize(("formula", "expected"), LATEX, ids=[text[:30] for _, text in LATEX])
def test_latex(formula: Formula, expected: str) -> None:
    assert formula.latex() == expected
    assert formula.latex(lhs=False) == expected.split(" = ", 1)[1]
    assert formula._repr_latex_() == f"$\\displaystyle {expected}$"


p = sympy.Symbol("p", positive=True)
ZOO: list[Any] = [
    Conv((3,)),
    Conv((2, 3), (2, 1), ((1, 0), (0, 2)), (1, 2), bias=True),
    Conv((2, 2, 2), 2, "full", flip=True),
    Conv((2, 2), 1, 1, 1, 2, 4, 4, bias=True),
    Conv((3,), 2, "same_lower"),
    Conv((3, 3), padding=1, padding_mode="reflect"),
    Conv((3,), padding=1, padding_mode="replicate"),
    Conv((3,), padding=1, padding_mode="circular"),
    Conv((3, 3)).generic(),
    Conv((2, 1, 2, 1)),
    MaxPool((2, 2), 1, 1),
    MaxPool((2,), 3, 1, 2, ceil_mode=True, ties="split").generic(),
    AvgPool((2, 2), 2, 1, ceil_mode=True, count_include_pad=False),
    AvgPool((2,), 3, ceil_mode=True),
    AvgPool((2,), divisor_override=-3),
    AvgPool((2, 3)).generic(),
    LPPool(1, (2,)),
    LPPool(3, (2, 2), 1, 1),
    LPPool(Fraction(5, 2), (2,)),
    LPPool(INF, (2,)),
    LPPool(p, (2,)).generic(),
]
LETTERS = {
    "input": "X",
    "weight": "W",
    "bias": "B",
    "output": "Y",
    "upstream": "G",
    "error": "L",
    "input_index": "xyz",
    "weight_index": "uvw",
    "output_index": "rst",
    "output_channel": "e",
    "input_channel": "l",
}


@pytest.mark.parametrize("op", ZOO, ids=repr)
@pytest.mark.parametrize("base", [0, 1])
def test_all_latex_converts_to_mathml_and_is_plain_amsmath(op: Any, base: int) -> None:
    for formula in every_formula(op, index_base=base):
        latex = formula.latex()
        for display in (False, True):
            mathml = to_mathml(latex, display=display)
            assert mathml.startswith("<math")
            assert "merror" not in mathml
        assert not re.search(r"\\substack|\\mbox|\*", latex)
        assert latex.count("{") == latex.count("}")
        assert len(re.findall(r"\\left(?![a-z])", latex)) == latex.count(r"\right")
        assert latex.isascii()
        assert "*" not in formula.text()


def renamed(text: str, words: str) -> str:
    """A printed formula with its default letters exchanged for `LETTERS`; `words` are no letters."""
    defaults = {
        "input": "a",
        "weight": "b",
        "bias": "d",
        "output": "c",
        "upstream": "g",
        "error": "E",
        "input_index": "ijk",
        "weight_index": "mno",
        "output_index": "pqr",
        "output_channel": "f",
        "input_channel": "h",
    }
    table = {old: new for role in defaults for old, new in zip(defaults[role], LETTERS[role], strict=True)}
    return re.sub(rf"{words}|[A-Za-z]", lambda match: table.get(match[0], match[0]), text)


RENAMABLE = [op for op in ZOO if op.spatial_axes <= 3 and getattr(op, "norm_type", 1) != p]


@pytest.mark.parametrize("op", RENAMABLE, ids=repr)
@pytest.mark.parametrize("base", [0, 1])
def test_renaming_the_letters_changes_nothing_but_the_letters(op: Any, base: int) -> None:
    changed = every_formula(op, index_base=base, names=LETTERS)
    for default, other in zip(every_formula(op, index_base=base), changed, strict=True):
        assert renamed(default.text(), "first|argmax|max|min|sign|if|and|else") == other.text()
        words = r"\\(?:operatorname|begin|end|text)\{\w+\}|\\[A-Za-z]+"
        assert renamed(default.latex(), words) == other.latex()
        assert default.shape is not None
        assert other.parameters == default.parameters


def test_renaming_one_letter_moves_a_default_out_of_its_way() -> None:
    formula = Conv((3,)).gradient(names={"weight": "g"})
    letters = {t.role: t.name for t in formula.tensors}
    assert letters["weight"] == "g"
    assert letters["upstream"] != "g"
    assert formula.at(0, input_size=3) == sympy.IndexedBase(letters["upstream"])[0] * sympy.IndexedBase("g")[0]


@pytest.mark.parametrize("letter", ["I", "O"])
def test_an_index_named_like_a_size_is_not_taken_for_it(letter: str) -> None:
    for role in ("input_index", "output_index", "weight_index"):
        for wrt in Conv((3,)).variables:
            formula, default = Conv((3,)).gradient(wrt, names={role: letter}), Conv((3,)).gradient(wrt)
            assert letter not in formula.parameters
            assert formula.matrix(5) == default.matrix(5)


def test_the_tie_rule_can_be_read_off_the_gradient() -> None:
    first, split = MaxPool((2,)).gradient(), MaxPool((2,), ties="split").gradient()
    assert "first argmax" in first.text()
    assert r"\text{first}\;\operatorname{argmax}" in first.latex()
    assert "#{" in split.text()
    assert first.latex() != split.latex()


def test_a_symbolic_order_keeps_its_letter_and_the_outputs_take_another() -> None:
    formula = LPPool(p, (2,)).output()
    assert formula.indices != ("p",)
    index = formula.indices[0]
    assert formula.text() == f"c[{index}] = (∑(m = 0 … 1) |a[2{index}+m]|^p)^(1/p)"
    assert formula.latex() == (
        rf"c_{{{index}}} = \left( \sum_{{m=0}}^{{1}} \lvert a_{{2{index}+m}} \rvert^{{p}} \right)^{{1/p}}"
    )


def test_a_stride_or_a_dilation_cancels_where_it_divides() -> None:
    # the entry itself, and not a[p + 2((i - p)/2)]
    derivative = LPPool(1, (2,), 1, 0, 2).derivative().text()
    assert derivative == "∂c[p]/∂a[i] = sign(a[i])  if 2 ∣ i − p and 0 ≤ i − p ≤ 2, else 0"
    generic = LPPool(1, (2,)).generic().gradient().text()
    assert "sign(a[i])" in generic


def test_names_of_more_than_one_letter() -> None:
    formula = Conv((3,)).output(names={"input": "img", "weight": "omega", "output": "y2"})
    assert formula.text() == "y₂[p] = ∑(m = 0 … 2) img[p+m]·omega[m]"
    assert formula.latex() == r"{y_{2}}_{p} = \sum_{m=0}^{2} \mathit{img}_{p+m}\, \omega_{m}"
    to_mathml(formula.latex())


def test_printing_twice_gives_the_same_bytes() -> None:
    for op in ZOO[:6]:
        once = [f.latex() + f.text() for f in every_formula(op)]
        assert once == [f.latex() + f.text() for f in every_formula(op)]
