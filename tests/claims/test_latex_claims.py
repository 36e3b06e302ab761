r"""Formulas in LaTeX as people write them: each is read as the claim that is written beside it in plain text."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hostile import BOTH, check_refused

from symconv.claims.reading.language import read_claim
from symconv.claims.reading.latex import read_latex
from symconv.claims.syntax import Binary, Call, Entry, Expr, Sum
from symconv.claims.traversal import walk_expr
from symconv.errors import ClaimError

# A worked exercise, formula by formula, and what each says.
EXERCISE = {
    r"$\frac{I+2P-K}{S} + 1$": "(I+2*P-K)/S + 1",
    r"$C = \begin{pmatrix} 113 & 87 & 75 \\ 114 & 80 & 75 \\ 112 & 73 & 81 \end{pmatrix}$": (
        "C == [[113, 87, 75], [114, 80, 75], [112, 73, 81]]"
    ),
    r"$a_{i,j}$": "a[i,j]",
    r"$b_{i,j}$": "b[i,j]",
    r"$c_{i,j}$": "c[i,j]",
    r"$$c_{ij} = \sum_{n=1}^3 \sum_{m=1}^3 a_{i+m-1, j+m-1} b_{m,n}$$": (
        'c["ij"] == sum(a[i+m-1, j+m-1]*b[m,n], (n,1,3), (m,1,3))'
    ),
    r"$$\frac{\partial c_{pq}}{\partial a_{ij}} = \sum_{n=1}^3 \sum_{m=1}^3 b_{m,n} "
    r"\frac{\partial a_{m+p-1, n+q-1}}{\partial a_{i,j}}$$": (
        'diff(c["pq"], a["ij"]) == sum(b[m,n]*diff(a[m+p-1, n+q-1], a[i,j]), (n,1,3), (m,1,3))'
    ),
    r"$$\frac{\partial a_{m+p-1, n+q-1}}{\partial a_{i,j}} = \begin{cases} 1 & \text{if } m = i - p + 1, n = j - q + 1 "
    r"\\ 0 & \text{otherwise} \end{cases}$$": (
        "diff(a[m+p-1, n+q-1], a[i,j]) == cases((1, m == i-p+1, n == j-q+1), (0,))"
    ),
    r"$$\frac{\partial c_{p,q}}{\partial a_{i,j}} = b_{i-p+1, j-q+1}$$": "diff(c[p,q], a[i,j]) == b[i-p+1, j-q+1]",
    r"$$\frac{\partial E}{\partial a_{ij}} = \sum_{p=1}^3 \sum_{q=1}^3 \frac{\partial L}{\partial c_{pq}} "
    r"\frac{\partial c_{pq}}{\partial a_{ij}} \quad (1)$$": (
        'diff(E, a["ij"]) == sum(diff(L, c["pq"])*diff(c["pq"], a["ij"]), (p,1,3), (q,1,3))'
    ),
    r"$$= \sum_{p=1}^3 \sum_{q=1}^3 1 \cdot b_{i+1-p, j+1-q} \quad (2)$$": (
        "== sum(1*b[i+1-p, j+1-q], (p,1,3), (q,1,3))"
    ),
    r"$$= \sum_{u=1}^3 \sum_{v=1}^3 b_{(i+u-2)-1, (j+v-2)-1} \text{ (By change of variable } u = 4 - p, v = 4 - q) "
    r"\quad (3)$$": "== sum(b[(i+u-2)-1, (j+v-2)-1], (u,1,3), (v,1,3))",
    r"$$\frac{\partial E}{\partial A} = \begin{pmatrix} 0 & 0 & 0 & 0 & 0 & 0 & 0 \\ 0 & 0 & 0 & 0 & 0 & 0 & 0 \\ "
    r"0 & 0 & b_{11} & b_{12} & b_{13} & 0 & 0 \\ 0 & 0 & b_{21} & b_{22} & b_{23} & 0 & 0 \\ "
    r"0 & 0 & b_{31} & b_{32} & b_{33} & 0 & 0 \\ 0 & 0 & 0 & 0 & 0 & 0 & 0 \\ 0 & 0 & 0 & 0 & 0 & 0 & 0 \end{pmatrix} "
    r"* \begin{pmatrix} 1 & 1 & 1 \\ 1 & 1 & 1 \\ 1 & 1 & 1 \end{pmatrix}$$": (
        "diff(E, A) == ast([[0,0,0,0,0,0,0], [0,0,0,0,0,0,0], "
        '[0,0,b["11"],b["12"],b["13"],0,0], [0,0,b["21"],b["22"],b["23"],0,0], [0,0,b["31"],b["32"],b["33"],0,0], '
        "[0,0,0,0,0,0,0], [0,0,0,0,0,0,0]], [[1,1,1], [1,1,1], [1,1,1]])"
    ),
    r"$Y_{i,j}^k = \max \left\{ X_{a,b}^k \mid (a,b) \in S_{i,j}^k \right\}$": (
        "upper(Y[i,j], k) == max(upper(X[a,b], k), (a,b) in upper(S[i,j], k))"
    ),
    r"$Y_{i,j}^k = \frac{1}{|S_{i,j}^k|} \sum_{(a,b) \in S_{i,j}^k} X_{a,b}^k$": (
        "upper(Y[i,j], k) == 1/abs(upper(S[i,j], k))*sum(upper(X[a,b], k), (a,b) in upper(S[i,j], k))"
    ),
    r"$Y_{i,j}^k = \left(\sum_{(a,b) \in S_{i,j}^k} \left(X_{a,b}^k \right)^p \right)^{1/p}$": (
        "upper(Y[i,j], k) == sum(upper(X[a,b], k)**p, (a,b) in upper(S[i,j], k))**(1/p)"
    ),
    r"$\begin{pmatrix} 114 & 87 \\ 114 & 81 \end{pmatrix}$": "[[114, 87], [114, 81]]",
    r"$L(X^k, S_{i,j}^k, p)$": "L(X**k, upper(S[i,j], k), p)",
    r"$\lim_{p \rightarrow +\infty} L(X^k, S_{i,j}^k, p)$": "limit(L(X**k, upper(S[i,j], k), p), p, oo)",
    r"$\frac{1}{|S_{i,j}^k|} L(X^k, S_{i,j}^k, 1)$": "1/abs(upper(S[i,j], k))*L(X**k, upper(S[i,j], k), 1)",
}


@pytest.mark.parametrize("latex", EXERCISE)
def test_every_formula_of_an_exercise_goes_in_as_it_stands(latex: str) -> None:
    claim = read_latex(latex)
    assert claim == read_claim(EXERCISE[latex])
    assert claim.source == latex


def test_a_chain_over_displays_is_one_claim() -> None:
    lines = [latex for latex in EXERCISE if latex.endswith((r"\quad (1)$$", r"\quad (2)$$", r"\quad (3)$$"))]
    whole = read_latex("\n\n".join([*lines, "$$(4)$$"]))
    assert whole.relations == ("==", "==", "==")
    one, two, three = map(read_latex, lines)
    assert whole == read_claim(f"{EXERCISE[lines[0]]} {EXERCISE[lines[1]]} {EXERCISE[lines[2]]}")
    assert two.follow(one).parts == (one.parts[-1], *two.parts)
    assert [f"the equation number ({n}) is passed over" in whole.notes for n in (1, 2, 3, 4)] == [True] * 4
    assert three.notes[0] == "passed over: (By change of variable u = 4 - p, v = 4 - q)"


# Other ways to write the same things.
VARIANTS = {
    # what a line leaves unsaid, and what it has signs for
    r"y = \sum_m w_m": "y == sum(w[m], m in everywhere)",
    r"y = \sum_{m=-\infty}^{\infty} w_{m}": "y == sum(w[m], m in everywhere)",
    r"y = \max_{m} w_m": "y == max(w[m], m in everywhere)",
    r"C = A \odot B": "C == odot(A, B)",
    r"C = (A + B) \odot B": "C == odot(A + B, B)",
    r"C = A^\top B": "C == A**transposed*B",
    r"C = (A B)^{\top}": "C == (A*B)**transposed",
    r"\hat{y}_i = \tilde{\omega}": "y_hat[i] == omega_tilde",
    # derivatives
    r"\partial E / \partial a_{ij}": 'diff(E, a["ij"])',
    r"\dfrac{\partial E}{\partial A} = \tfrac{\partial E}{\partial C}": "diff(E, A) == diff(E, C)",
    r"\frac{\partial}{\partial a_{i}} \sum_{m=1}^3 a_m b_m": "diff(sum(a[m]*b[m], (m,1,3)), a[i])",
    r"\frac{\partial (x + y)}{\partial a_i} z": "diff(x + y, a[i])*z",
    r"\frac{\mathrm{d} E}{\mathrm{d} a_i}": "diff(E, a[i])",
    r"\frac{dE}{da_{i,j}}": "diff(E, a[i,j])",
    r"\frac{d \cdot E}{d \cdot a}": "(d*E)/(d*a)",
    # sums
    r"\sum\limits_{m=1}^{3} \! \sum_{n=1}^{3} a_m b_n + 1": "sum(a[m]*b[n], (m,1,3), (n,1,3)) + 1",
    r"\sum^{3}_{m=1} -a_m": "sum(-a[m], (m,1,3))",
    r"\sum_{m,n=1}^{K} a_{m,n}": "sum(a[m,n], (m,1,K), (n,1,K))",
    r"\sum_{1 \le m,n \le K} a_{m,n}": "sum(a[m,n], (m,1,K), (n,1,K))",
    r"\sum_{0 \leq m < K} a_m": "sum(a[m], (m,0,K-1))",
    r"\sum_{0 < m \leq K} a_m": "sum(a[m], (m,0+1,K))",
    r"\sum_{m=1,\dots,K} a_m": "sum(a[m], (m,1,K))",
    r"\sum_{s \in S} x_s": "sum(x[s], s in S)",
    r"\sum_{a,b \in S} x_{a,b}": "sum(x[a,b], (a,b) in S)",
    r"\left(\sum_{m=1}^2 a_m\right) \sum_{n=1}^2 b_n": "sum(a[m], (m,1,2))*sum(b[n], (n,1,2))",
    r"a \cdot \sum_{m=1}^2 b_m \cdot c": "a*sum(b[m]*c, (m,1,2))",
    # maxima
    r"\max_{(a,b) \in S_{ij}} X_{a,b}": 'max(X[a,b], (a,b) in S["ij"])',
    r"\max\limits_{1 \le m \le K} x_m": "max(x[m], (m,1,K))",
    r"\max \{ x_s : s \in S \}": "max(x[s], s in S)",
    r"\max \{ |x_s| \,|\, s \in S \}": "max(abs(x[s]), s in S)",
    r"\max \left( \left\{ x_s \,\middle|\, s \in S \right\} \right)": "max(x[s], s in S)",
    r"\max(0, x)": "max(0, x)",
    r"\max\{0, x, y\}": "max(0, x, y)",
    r"\min\left(0, x\right) + \operatorname{max}(1, x)": "min(0, x) + max(1, x)",
    # brackets and bars
    r"\lfloor x \rfloor + \left\lceil \frac{x}{2} \right\rceil": "floor(x) + ceil(x/2)",
    r"\left\lfloor\frac{I+2P-K}{S}\right\rfloor+1": "floor((I+2*P-K)/S) + 1",
    r"|x| |y| - \lvert z \rvert^p": "abs(x)*abs(y) - abs(z)**p",
    r"|S|^{-1} \left| x \right|": "abs(S)**(-1)*abs(x)",
    r"\left| \sum_{m=1}^{3} |x_m| \right|": "abs(sum(abs(x[m]), (m,1,3)))",
    r"\bigl( x + [y - \{z\}] \bigr)": "x + (y - z)",
    # powers, roots, numbers
    r"x_{ij}^2 = x^{2}_{ij}": 'upper(x["ij"], 2) == upper(x["ij"], 2)',
    r"(x_{ij})^2": 'x["ij"]**2',
    r"x^2 + 2^{k}": "x**2 + 2**k",
    r"x^12": "x**1*2",
    r"a_12": "a[1]*2",
    r"\sqrt{x} = x^{1/2}": "x**(1/2) == x**(1/2)",
    r"\sqrt[p]{x}": "x**(1/p)",
    r"\frac12 = 0.5": "1/2 == 0.5",
    r"\frac1{K} + \frac{1}2": "1/K + 1/2",
    # products
    r"I + 2P - K": "I + 2*P - K",
    r"2 \times 3 \cdot x\,y": "2*3*x*y",
    r"-x y": "-(x*y)",
    r"a \cdot -b": "a*(-b)",
    r"1/2P": "1/2*P",
    r"K(I+1)(x)": "K*(I+1)*x",
    r"a \bmod b": "mod(a, b)",
    r"a \bmod b + 1": "mod(a, b) + 1",
    r"1 + (a \bmod b)": "1 + mod(a, b)",
    r"(-a) \bmod b": "mod(-a, b)",
    r"2a \bmod b": "mod(2*a, b)",
    r"2 \cdot 3 = 6": "2*3 == 6",
    r"\frac12 3": "1/2*3",
    r"x \div y": "x/y",
    # between arrays
    r"A \star B = A \ast B": "star(A, B) == ast(A, B)",
    r"A * B * C": "ast(ast(A, B), C)",
    r"2 * A + a_{i} * b_{j}": "2*A + a[i]*b[j]",
    r"\frac{\partial E}{\partial A} * C": "ast(diff(E, A), C)",
    r"\operatorname{pad}_2(B) \star \mathbf{1}_{3 \times 3}": "star(pad(B, 2), ones(3, 3))",
    r"\operatorname{pad}_{12}(B)": "pad(B, 12)",
    r"\mathrm{rot180}(B) + \text{rot180}(B)": "rot180(B) + rot180(B)",
    r"A \star \mathbb{1}": "star(A, ones)",
    r"\mathbf{A} + \boldsymbol{\beta}": "A + beta",
    r"\left(\begin{array}{cc} 1 & 2 \\ 3 & 4 \end{array}\right)": "[[1,2],[3,4]]",
    r"\begin{bmatrix} x_{1} & -1 \\[2pt] \frac{1}{2} & 0 \\ \end{bmatrix}": "[[x[1], -1], [1/2, 0]]",
    # names
    r"\lambda^2 + \alpha_{i} + \Gamma": "lamda**2 + alpha[i] + Gamma",
    r"a_{\alpha\beta} + a_{\alpha j}": 'a["alpha beta"] + a["alpha j"]',
    r"x'_{i} = o' + y''": "x_prime[i] == o_prime + y_prime_prime",
    r"I_{\text{out}} = \mathrm{size} + K_{\mathrm{h}}": "I_out == size + K_h",
    r"I_{\text{in}}^2": "I_in**2",
    r"\text{size} = K": "size == K",
    r"x = K + \text{pad}": "x == K + pad",
    r"c[i,j] = a[i+1, j]": "c[i,j] == a[i+1,j]",
    r"L_p(x, S)": "L(x, S, p)",
    # cases
    r"\begin{cases} 1, & m = i, \; n = j, \\ 0, & \text{else.} \end{cases}": "cases((1, m == i, n == j), (0,))",
    r"\begin{cases} 1 & \text{if } 1 \le m \le K \text{ and } n < K \\ x & \text{when } m \geq n \end{cases}": (
        "cases((1, 1 <= m <= K, n < K), (x, m >= n))"
    ),
    r"\begin{cases} 1 & \text{if $m = i$ and $n = j$} \\ 0 \end{cases}": "cases((1, m == i, n == j), (0,))",
    r"\begin{cases} 1 & (m,n) = (i+1, j) \\ 0 & \mathrm{otherwise} \end{cases}": "cases((1, m == i+1, n == j), (0,))",
    r"\left\{ \begin{array}{ll} 1 & \mbox{if } m = i \\ 0 & \mbox{otherwise} \end{array} \right.": (
        "cases((1, m == i), (0,))"
    ),
    # limits
    r"\lim_{p \to \infty} \left( \sum_{s \in S} |x_s|^p \right)^{1/p}": (
        "limit(sum(abs(x[s])**p, s in S)**(1/p), p, oo)"
    ),
    # what is around a formula
    r"\[ x = y \]": "x == y",
    r"\( x = y \)": "x == y",
    r"\begin{equation*} x = y, \end{equation*}": "x == y",
    r"\begin{equation}\label{eq:1} x := y \nonumber \end{equation}": "x == y",
    r"\begin{align*} x &= y + \\ &\quad z \\ &\le w \tag{2} \end{align*}": "x == y + z <= w",
    r"\begin{equation}\begin{aligned} x &= y \\ &= z. \end{aligned}\end{equation}": "x == y == z",
    r"\begin{eqnarray} x &=& y \\ &=& z \end{eqnarray}": "x == y == z",
    r"\begin{multline} x = y \\ + z \end{multline}": "x == y + z",
    r"\displaystyle x ~ = \, y": "x == y",
    "$x = y$ (12)": "x == y",
    r"x = y \\ (12)": "x == y",
    r"x = 2 \hfill (12)": "x == 2",
    r"x = y (*)": "x == y",
    r"x = 2 (3) y": "x == 2*3*y",
    r"2 (3) = x": "2*3 == x",
    r"x = y(3)": "x == y*3",
    r"x = y \cdot (3)": "x == y*3",
    r"x = y \qquad (3a)": "x == y",
    r"x = y \quad (*)": "x == y",
    r"x = (3)": "x == 3",
    r"x = 2 + (3)": "x == 2 + 3",
    r"x = L_{1}(2)": "x == L[1]*2",
    r"\text{Hence } x = y \text{ for all } i": "x == y",
    r"x = y \quad \forall i, j": "x == y",
    "x = % why\n y": "x == y",
    r"x = y \text{ (since } z = 0)": "x == y",
    r"x = y \text{ by substitution, } u = 1 - p": "x == y",
}


@pytest.mark.parametrize("latex", VARIANTS)
def test_other_ways_to_write_it(latex: str) -> None:
    assert read_latex(latex) == read_claim(VARIANTS[latex])


@pytest.mark.parametrize(
    ("latex", "notes"),
    [
        (r"c_{i,j} = x", ()),
        (r"c_{ij} = c_{pq} + b_{11}", (
            "c_{ij}, c_{pq} have no commas; the rank of c tells the indices apart",
            "b_{11} has no commas; the rank of b tells the indices apart",
        )),
        (r"b_{11} + b_{12} + b_{13} + b_{14}", (
            "b_{11}, b_{12}, b_{13} and 1 more have no commas; the rank of b tells the indices apart",
        )),
        (r"K(I+1)", ("K(I+1) is read as a product",)),
        (r"1/2P", ("1/2P is read from left to right: the division comes first",)),
        (r"IKP", ("IKP is read as the product of I, K, P",)),
        (r"\frac{dE}{da}", (r"\frac{dE}{da} is read as a derivative",)),
        (r"c[i]", ("c[...] is read as an entry of c",)),
        (r"\mathcal{L}", (r"\mathcal{L} is read as L",)),
        (r"x = y \text{ (by symmetry)}", ("passed over: (by symmetry)",)),
        (r"x = y \tag{7}", ("the equation number (7) is passed over",)),
        (r"x = y \quad (7)", ("the equation number (7) is passed over",)),
    ],
)  # fmt: skip
def test_what_could_be_read_otherwise_is_noted(latex: str, notes: tuple[str, ...]) -> None:
    assert read_latex(latex).notes == notes


def test_spans_are_those_of_the_source() -> None:
    source = r"$$ c_{ij} = \sum_{m=1}^{12} \frac{a_{i+m-1, j}}{b_{11}} $$"
    claim = read_latex(source)
    shown = {type(part).__name__: [] for whole in claim.parts for part in walk_expr(whole)}  # type: dict[str, list[str]]
    for whole in claim.parts:
        for part in walk_expr(whole):
            shown[type(part).__name__].append(source[slice(*part.span)])
    assert shown["Sum"] == [r"\sum_{m=1}^{12} \frac{a_{i+m-1, j}}{b_{11}}"]
    assert shown["Entry"] == ["c_{ij}", "a_{i+m-1, j}", "b_{11}"]
    assert sorted(shown["Number"]) == ["1", "1", "1", "1", "12"]
    assert sorted(shown["Name"]) == ["i", "i", "j", "j", "m"]
    assert shown["Binary"] == [r"\frac{a_{i+m-1, j}}{b_{11}}", "i+m-1", "i+m"]


def test_spans_of_joined_indices_are_one_sign_each() -> None:
    source = r"b_{1 \alpha}"
    (entry,) = read_latex(source).parts
    assert isinstance(entry, Entry)
    assert [source[slice(*index.span)] for index in entry.indices] == ["1", r"\alpha"]


# ---------------------------------------------------------------------- what is refused

REFUSED = {
    # TeX
    r"\def\x{1}": "nothing is defined, loaded or run",
    r"\input{/etc/passwd}": "nothing is defined, loaded or run",
    r"\write18{ls}": "nothing is defined, loaded or run",
    r"\immediate\write18{ls}": "nothing is defined, loaded or run",
    r"\catcode`\@=11": "nothing is defined, loaded or run",
    r"\csname x\endcsname": "nothing is defined, loaded or run",
    r"\newcommand{\x}{1}": "nothing is defined, loaded or run",
    r"\loop x \repeat": "nothing is defined, loaded or run",
    "^^5cinput": "by which TeX names characters",
    r"x = y \text{ by } \input{/etc/passwd}": "nothing is defined, loaded or run",
    r"x = y \text{ by \input{/etc/passwd}}": "nothing is defined, loaded or run",
    r"\begin{verbatim} x \end{verbatim}": "the environment 'verbatim'",
    r"\begin{document} x": "the environment 'document'",
    "{" * 3_000: "nested too deeply",
    r"\frac{" * 600: "nested too deeply",
    r"\left(" * 500: "nested too deeply",
    "|" * 3_000: "nested too deeply",
    r"\begin{cases}" * 200: "nested too deeply",
    r"\sum_{i=1}^1 " * 300: "ends too early",
    r"a \sum_{i=1}^1 " * 200 + "x": "nested too deeply",
    r"\max_{s \in S} \sum_{i=1}^1 " * 100 + "x": "nested too deeply",
    r"\text{" * 500: "words in braces",
    "2^{" * 20 + "2" + "}" * 20: "powers are nested too deeply",
    "x_{i}^{" * 6 + "2" + "}" * 6: "powers are nested too deeply",
    # two claims in one, or conditions on one
    r"a = b \\ c = d": "second formula",
    r"a = b \quad c = d": "second formula",
    r"$a = b$ and $c = d$": "second formula",
    r"a = b \text{ and } c = d": "'and'",
    r"x = 1 \text{ if } y > 2": "'if'",
    r"x = 1 \text{ unless } y > 2": "'unless'",
    r"x = 1 \text{ for } y > 2": "'>' in a remark, which restricts what is claimed",
    r"x = 1 \text{ for $y \ge 2$}": "in a remark, which restricts what is claimed",
    r"x = y \quad \forall i > 1": "in a remark, which restricts what is claimed",
    r"x = y \text{ for } i = 1": "'for'",
    r"x = y \text{ at $p = 2$}": "'at'",
    r"x = y \text{ for odd } i": "'odd'",
    r"x = y \text{ (assume } K = 3)": "'assume'",
    r"x = y \quad \forall i = 1": "'=' in a remark",
    r"x = y \quad \forall i \in \{1, 3\}": "numbers that follow each other",
    r"x = y \text{, } i = 1": "'=' in a remark",
    r"x = y \text{ (by symmetry) for } i = 1": "'for'",
    # what readers would take for different things
    r"-3 \bmod 2 = 1": "found a remainder behind a sum or a sign",
    r"x + 3 \bmod 2 = y": "found a remainder behind a sum or a sign",
    r"x - 2y \bmod 2 = y": "found a remainder behind a sum or a sign",
    r"x \bmod 2 y = z": "more than one factor behind a remainder",
    r"x \bmod 2 \cdot y = z": "more than one factor behind a remainder",
    r"1\,000 = x": "'000' behind a number",
    r"2 3 = x": "'3' behind a number",
    # what could be a part of the formula
    r"6 = 2 \text{ times } 3": "'times', which computes or compares",
    r"2 = 2 \text{ Squared}": "'Squared'",
    r"x = y \quad \text{plus } z": "'plus'",
    "2 = 2 (3)": r"\cdot (3) for a factor",
    "x = y (7)": "found (7) behind a value, a factor or the number of the equation",
    r"x = y \; (3a)": r"\tag{3a}",
    r"\begin{align} x &= y ~ (3) \\ &= z \end{align}": r"\quad (3)",
    r"\begin{align} x &= y & (3) \end{align}": r"\quad (3)",
    r"x = \frac{1}{2} \hspace{1cm} (3)": r"\quad (3)",
    r"a = b, c = d": "found ','",
    r"a = b \implies c = d": "one claim",
    # words
    r"size = 3": r"\mathrm{size}",
    r"max(x, y)": r"\max",
    r"\text{output size} = 3": "a declared name",
    r"x + \text{some words} + y": "some words",
    r"(x \text{ pad})": "found",
    r"\mathrm{lambda x}": "one word or letter",
    r"\mathrm{class}": "another name",
    r"\begin{cases} 1 & \text{maybe} \\ 0 \end{cases}": "if, and, or otherwise",
    # unknown, with what is meant
    r"\sm_{m=1}^3 x": r"did you mean \sum?",
    r"\foo": "a known command",
    r"a \neq b": "cannot be claimed",
    r"\|x\|": r"\lvert",
    r"\int x": "a sum",
    "x!": "found '!'",
    "x @ y": "found '@'",
    "x?": "found '?'",
    # broken
    r"a_{i": "without its end",
    r"\left( x \right]": "found ']'",
    r"(x]": "found ']'",
    r"\begin{pmatrix} 1 & 2": "without its end",
    r"\begin{pmatrix} 1 & 2 \\ 3 \end{pmatrix}": "lengths 2, 1",
    r"\begin{pmatrix} 1 & (2 \\ 3) & 4 \end{pmatrix}": "')' first",
    r"\begin{pmatrix} 1 \end{bmatrix}": r"\\end{pmatrix}",
    r"\begin{cases} 0 & \text{otherwise} \\ 1 & m = i \end{cases}": "that one last",
    r"\begin{cases} 1 & (m,n) = (i,j,k) \end{cases}": "tuples of one length",
    r"x^a^b": "found '^'",
    r"x_a_b": "found '_'",
    r"x_": "ends too early",
    r"x^+": "found '+'",
    r"\frac{1}": "ends too early",
    r"\frac(1)(2)": "found '('",
    r"\sum x": "bounds such as",
    r"\sum_{m}^{K} x": "where it begins",
    r"\sum_{m=1} x": "found the range",
    r"\sum_{m+1=1}^3 x": "the name of an index",
    r"\sum_{K \ge m \ge 1} x": "found the range",
    r"\sum_{s \in S}^3 x": "no bound there",
    r"\lim_{p = 3} x": r"\to",
    r"\frac{\partial E}{\partial (a + b)}": "derivative by a formula",
    r"\frac{\partial E}{x}": "found",
    r"\partial E": "ends too early",
    r"\{ x \mid m = 1 \}": "members of a set",
    r"x = ": "ends too early",
    r"= = x": "found '='",
    r"()": "found ')'",
    r"(4)": "no formula",
    r"\quad (2)": "no formula",
    r"\text{only words}": "'only'",
    r"\text{words}": "no formula",
    "1000001": "at most 1000000",
    "0." + "1" * 13: "at most 12",
    "\\": "found",
}


@pytest.mark.parametrize("latex", REFUSED, ids=lambda latex: latex[:40])
def test_what_is_no_formula_is_refused(latex: str) -> None:
    assert REFUSED[latex] in str(check_refused(read_latex, latex))


@pytest.mark.parametrize("name", BOTH)
def test_hostile_text_is_refused_at_once(name: str) -> None:
    check_refused(read_latex, BOTH[name])


def test_every_cut_of_a_formula_is_read_or_refused() -> None:
    """Halves of formulas are met while typing: they end in a claim or in an error of ours, never in another."""
    refused = []
    for latex in [*EXERCISE, *VARIANTS]:
        for cut in range(0, len(latex), 3):
            for part in (latex[:cut], latex[cut:]):
                try:
                    read_latex(part)
                except ClaimError as error:
                    refused.append((part, error))
    assert len(refused) > 500
    assert all(error.position is None or 0 <= error.position <= len(part) for part, error in refused)


@pytest.mark.parametrize(
    ("latex", "instead"),
    [("x \u2264 1", r"\le"), ("x\u00b2", "^2"), ("\u03b1", r"\alpha"), ("\u03bb", r"\lambda"), ("\u2211", r"\sum")],
)
def test_signs_outside_ascii_come_with_what_to_write(latex: str, instead: str) -> None:
    assert instead in check_refused(read_latex, latex).expected


def test_an_error_says_where_it_is() -> None:
    with pytest.raises(ClaimError) as caught:
        read_latex("x = \\sum_{m=1}^3\n  a_m )")
    assert str(caught.value).splitlines() == [
        "line 2, column 7: found ')', expected a bracket opened before it",
        "      a_m )",
        "          ^",
    ]


def test_a_sum_takes_the_rest_of_its_term_only() -> None:
    (total,) = read_latex(r"\sum_{m=1}^3 a_m b_m + c").parts
    assert isinstance(total, Binary)
    assert isinstance(total.left, Sum)
    assert total.op == "+"


def test_long_formulas_within_the_caps_are_read() -> None:
    matrix = r" \\ ".join(" & ".join(["1"] * 28) for _ in range(28))
    assert len(read_latex(rf"\begin{{pmatrix}} {matrix} \end{{pmatrix}}").parts) == 1
    terms = " + ".join(f"a_{{{n}}} b_{{{n}}}" for n in range(1, 150))
    expr: Expr = read_latex(terms).parts[0]
    assert len([part for part in walk_expr(expr) if isinstance(part, Entry)]) == 298
    assert isinstance(read_latex("(" * 50 + r"\lfloor x \rfloor" + ")" * 50).parts[0], Call)


def test_the_parser_is_loaded_with_the_first_formula() -> None:
    code = "import symconv.claims.reading.latex, sys; sys.exit('lark' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
