"""Claims written out: the text is read as the same tree, and so is the LaTeX, which MathML can show."""

from __future__ import annotations

from fractions import Fraction

import pytest
from claim_trees import claims, has_asterisk, powers_deep
from hypothesis import HealthCheck, assume, given, settings
from test_latex_claims import EXERCISE, VARIANTS

from symconv.claims.reading.language import read_claim
from symconv.claims.reading.latex import read_latex
from symconv.claims.reading.limits import LENGTH, POWERS
from symconv.claims.syntax import Binary, Claim, Name, Negate, Number, Raised
from symconv.claims.writing import to_latex, to_text
from symconv.report.mathml import check_formula

x, y = Name("x"), Name("y")


@settings(
    max_examples=300,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(claims())
def test_text_is_read_back(claim: Claim) -> None:
    assume(powers_deep(claim.parts) <= POWERS)
    text = to_text(claim)
    assume(len(text) <= LENGTH)
    assert read_claim(text) == claim


@settings(
    max_examples=300,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(claims())
def test_latex_is_read_back_and_shown(claim: Claim) -> None:
    assume(powers_deep(claim.parts) <= POWERS and not has_asterisk(claim.parts))
    latex = to_latex(claim)
    assume(len(latex) <= LENGTH)
    assert read_latex(latex) == claim
    check_formula(latex)


@pytest.mark.parametrize("latex", [*EXERCISE, *VARIANTS])
def test_formulas_as_people_write_them_go_round(latex: str) -> None:
    claim = read_latex(latex)
    assert read_claim(to_text(claim)) == claim
    written = to_latex(claim)
    assert read_latex(written) == claim
    check_formula(written)


@pytest.mark.parametrize(
    "text",
    [
        "c[i, j] == sum(a[i + m - 1, j + n - 1]*b[m, n], (m, 1, K), (n, 1, K))",
        "diff(c[p, q], a[i, j]) == b[i - p + 1, j - q + 1]",
        "size == floor((I + 2*P - K)/S) + 1",
        "max(x[s], s in S) == limit(lp(x, p), p, oo)",
        "max(x[s, t], (s, t) in S)",
        "sum(x[s], s in S)/size(S)",
        "cases((1, m == i - p + 1, n == j - q + 1), (0,))",
        "C == [[113, 87], [114, 80]]",
        "corr(pad(B, 2), ones(3, 3)) <= star(A, ast(B, C))",
        'upper(c["ij"], k) == b["11"] + b["alpha i"]',
        "== -x**(1/2) - (-y*0.25) - (x - y)",
        "setof(x[s], s in S)",
    ],
)
def test_text_that_is_written_as_it_is_read(text: str) -> None:
    assert to_text(read_claim(text)) == text


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("c[i,j] == sum(a[i+m-1,j]*b[m], (m,1,K), (n,1,K))",
         r"c_{i, j} = \sum_{m=1}^{K} \sum_{n=1}^{K} a_{i + m - 1, j} b_{m}"),
        ("diff(c[p,q], a[i,j]) <= x", r"\frac{\partial c_{p, q}}{\partial a_{i, j}} \leq x"),
        ("floor((I+2*P-K)/S) + 1", r"\left\lfloor \frac{I + 2 P - K}{S} \right\rfloor + 1"),
        ("max(x[s], (s,t) in S)", r"\max_{(s,t) \in S} x_{s}"),
        ("limit(lp(x,p), p, oo)", r"\lim_{p \to \infty} \operatorname{lp}\left( x, p \right)"),
        ("sum(x[s]**p, s in S)**(1/p)", r"\left( \sum_{s \in S} \left( x_{s} \right)^{p} \right)^{1/p}"),
        ('upper(c["ij"], k)', "c_{ij}^{k}"),
        ("x[12] + x[m*n]", r"x_{{12}} + x_{m \cdot n}"),
        ("star(A, ones(3,3))", r"A \star \mathbf{1}_{3 \times 3}"),
        ("size(S)", r"\left\lvert S \right\rvert"),
        ("[[1,x],[0,y]]", r"\begin{pmatrix} 1 & x \\ 0 & y \end{pmatrix}"),
        ("cases((1, m == i, n < j), (0,))",
         r"\begin{cases} 1 & \text{if } m = i,\ n < j \\ 0 & \text{otherwise} \end{cases}"),
        ("lamda*I_out + x_prime", r"\lambda I_{\mathrm{out}} + x'"),
        ("a*(b*c) - x*(y*sum(x, (m,1,2)))",
         r"a \cdot \left( b c \right) - x \cdot \left( y \sum_{m=1}^{2} x \right)"),
        ("x[I_out] + x[out]", r"x_{I_{\mathrm{out}}} + x_{{\mathrm{out}}}"),
        ("2*3*(x+y)", r"2 \cdot 3 \cdot \left( x + y \right)"),
        ("sum(x, (m,1,2))*y - sum(y, (m,1,2))",
         r"\left( \sum_{m=1}^{2} x \right) y - \sum_{m=1}^{2} y"),
        ("x_prime**2 + upper(out_prime[i], k) + y_prime[i]", r"{x'}^{2} + {\mathrm{out}'}_{i}^{k} + y'_{i}"),
        ("entry(star(X, W), i+1, 2*j)**2", r"\left( \left( X \star W \right)_{i + 1, 2 \cdot j} \right)^{2}"),
        ("== x", "= x"),
    ],
)  # fmt: skip
def test_latex_that_is_written(text: str, latex: str) -> None:
    assert to_latex(read_claim(text)) == latex
    assert "size" in text or read_latex(latex) == read_claim(text)


def test_numbers_that_no_text_can_be_keep_their_value() -> None:
    assert to_text(Binary("*", Number(Fraction(-1, 3)), x)) == "(-1/3)*x"
    assert to_text(Raised(Number(Fraction(-2)), x)) == "(-2)**x"
    assert to_text(Number(Fraction(-1, 8))) == "-0.125"
    assert to_latex(Raised(Number(Fraction(1, 3)), x)) == r"\left( \frac{1}{3} \right)^{x}"
    assert to_latex(Binary("-", x, Number(Fraction(-1, 3)))) == r"x - \left( -\frac{1}{3} \right)"


def test_an_asterisk_between_scalars_is_a_product_in_latex() -> None:
    assert read_latex(to_latex(Binary("ast", x, y))).parts[0] == Binary("*", x, y)
    assert read_latex(to_latex(Binary("ast", Name("A"), Name("B")))).parts[0] == Binary("ast", Name("A"), Name("B"))


def test_parts_are_written_like_claims() -> None:
    claim = read_claim("x == -y")
    assert isinstance(claim.parts[1], Negate)
    assert to_text(claim.parts[1]) == "-y" == to_latex(claim.parts[1])
