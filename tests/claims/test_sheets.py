"""The displayed formulas of LaTeX files: where they stand, what they answer, what words stand for, what is not read."""

from __future__ import annotations

import time

import pytest

from symconv.claims.sheets.displays import TexSheet, displays

IDS = ("1a", "1b", "forward")


def found(source: str) -> list[tuple[str, int, str]]:
    return [(one.question, one.line, one.latex) for one in displays(source, IDS).formulas]


def why(source: str) -> dict[int, str]:
    sheet: TexSheet = displays(source, IDS)
    return {one.line: one.why for one in sheet.passed} | {one.line: one.fault for one in sheet.formulas if one.fault}


@pytest.mark.parametrize(
    "display",
    [
        "$$ y = x $$",
        r"\[ y = x \]",
        r"\begin{equation} y = x \end{equation}",
        r"\begin{equation*} y = x \end{equation*}",
        r"\begin{align} y &= x \end{align}",
        r"\begin{align*} y &= x \\[3pt] \end{align*}",
        r"\begin{alignat}{2} y &= x \end{alignat}",
        r"\begin{gather} y = x \end{gather}",
        r"\begin{eqnarray*} y &=& x \end{eqnarray*}",
        r"\begin{equation} \begin{aligned} y &= x \end{aligned} \end{equation}",
        "$$ y = % what it is\n x $$",
    ],
)
def test_every_display_is_found(display: str) -> None:
    assert [latex.replace(" ", "") for _, _, latex in found(f"% 1a\n{display}")] == ["y=x"]


def test_rows_are_formulas_of_their_own_and_chains_go_on() -> None:
    rows = r"""% 1a
\begin{align}
y &= x \\
  &= z, \\
  &\quad + 1 \\
w &= 3 + \\
  & 4 \\
v &= \begin{cases} 1 & i = j \\ 0 & \text{else} \end{cases}
\end{align}"""
    assert found(rows) == [
        ("1a", 3, r"y = x\\= z,\\\quad + 1"),
        ("1a", 6, r"w = 3 +\\ 4"),
        ("1a", 8, r"v = \begin{cases} 1 & i = j \\ 0 & \text{else} \end{cases}"),
    ]


def test_a_row_without_a_relation_is_no_formula_that_ends_before_it() -> None:
    assert found("% 1a\n\\begin{align} y &= 2 \\\\ & (x + 1) \\end{align}") == [("1a", 2, r"y = 2\\ (x + 1)")]


def test_questions_are_said_by_comments_and_environments() -> None:
    text = r"""$$ a = 1 $$
% 1a
$$ b = 1 $$
% a remark, 1b or so
$$ c = 1 $$
\begin{answer}{1b} $$ d = 1 $$ \end{answer}
$$ e = 1 $$
% Question 1b:
$$ f = 1 $$
% 1c
$$ g = 1 $$
\begin{equation} % forward
h = 1 \end{equation}
100\% 1a
$$ i = 1 $$"""
    asked = {latex[0]: question for question, _, latex in found(text)}
    assert asked == dict(zip("abcdefghi", ("", "1a", "1a", "1b", "1a", "1b", "1c", "forward", "forward"), strict=True))


def test_words_without_arguments_are_put_in_in_their_group() -> None:
    text = r"""\newcommand{\dd}{\partial} \newcommand\half{\frac{1}{2}} \DeclareMathOperator{\rot}{rot}
\def\be{\begin{equation}}
\newcommand{\ee}{\end{equation}} \newcommand*{\Y}[0]{y_{ij}} \providecommand{\sum}{\max} \renewcommand{\phi}{\varphi}
\begin{document}
% 1a
\be \dd L = \half \Y \rot x \sum \phi \ee
{\def\a{1} $$ y = \a $$} $$ z = \a $$
\end{document}"""
    assert [latex for _, _, latex in found(text)] == [
        r"\partial L = \frac{1}{2}y_{ij}\operatorname{rot}x \sum \varphi",
        "y = 1",
        r"z = \a",
    ]


def test_what_would_be_another_formula_in_tex_is_refused_by_name() -> None:
    text = r"""\newcommand{\pd}[2]{\frac{#1}{#2}} \newcommand{\sum}{\max} \let\q=\frac \def\r(#1){#1} \def\end{x}
\newcommand{\two}{xy} \newcommand{\opt}[1][a]{#1} \edef\s{x} \def\a{\a\a}
% 1a
$$ y = \pd{1}{2} $$
$$ y = \sum x $$
$$ y = \q{1}{2} $$
$$ y = \r(1) $$
$$ y = \frac\two 2 $$
$$ y = \frac{1}\two $$
$$ y = \hat\two $$
$$ y = \opt $$
$$ y = \s $$
$$ y = \a $$
$$ y = \frac{1}{2}\two $$"""
    said = why(text)
    assert [said[line].split(" ")[0] for line in (4, 5, 6, 7, 11, 12, 13)] == [
        *(r"\pd", r"\sum", r"\q", r"\r", r"\opt", r"\s", r"\a")
    ]
    assert all(said[line].startswith(r"write braces around \two") for line in (8, 9, 10))
    assert 14 not in said


def test_what_is_no_claim_is_listed_with_its_line() -> None:
    text = r"""\begin{document}
$a = b$ \input{other} \(c = d\)
\[ 3 + 4 \]
\iffalse $$ a = b $$ \ifx a \fi \fi
\verb|$$ a = b $$| \begin{verbatim} $$ a = b $$ \end{verbatim}
$$ a = 1
\begin{equation} b = 1 \end{equation}
\end{document}
$$ c = 1 $$"""
    assert why(text) == {
        2: "no other file is read",
        3: "has no relation such as =, and claims nothing",
        4: r"what stands up to its \fi is not read: no condition of TeX is worked out",
        6: "has no end: $$",
    }
    assert [latex for _, _, latex in found(text)] == ["b = 1"]


@pytest.mark.parametrize(
    "text",
    [
        r"\def\a{\a\a}\a",
        r"\def\a{\b\b}\def\b{\c\c}\def\c{\a\a} $$ y = \a $$",
        "$$" * 200_000,
        r"\begin{align} y &= " + r"x \\ y &= " * 40_000 + r"\end{align}",
        r"\begin{verbatim}" * 30_000,
        r"\verb|" * 80_000,
        "{" * 400_000,
        r"\newcommand{\a}{" * 30_000,
        r"\begin" * 80_000,
        r"\ifx" * 120_000,
        r"\global" * 70_000,
        r"\csname" * 70_000,
        r"$\def" * 90_000,
        "%1a\n" * 100_000,
        r"$$ y = \frac" + "{" * 200_000 + r"\a $$",
        "\\def\\a{" + "x" * 1_999 + "}" + "$$ y = " + "\\a" * 100_000 + "$$",
        r"\def\a{xx}$$ y = " + "} " * 1_000 + r"\frac{" + r"\a" * 40_000 + "}$$",
    ],
    ids=lambda text: text[:24],
)
def test_hostile_files_end_soon(text: str) -> None:
    begun = time.process_time()
    sheet = displays(text, IDS)
    assert time.process_time() - begun < 20
    assert len(sheet.formulas) <= 500
    assert len(sheet.passed) <= 501


@pytest.mark.parametrize(
    "definition",
    [
        r"{\global\def\x{b}}",
        r"\iftrue\renewcommand\x{b}\fi",
        r"\expandafter\def\csname x\endcsname{b}",
        r"\expandafter\renewcommand\csname x\endcsname{b}",
        r"\DeclareDocumentCommand{\x}{}{b}",
        r"\renewrobustcmd*{\x}{b}",
        r"\csgdef{x}{b}",
        r"$\gdef\x{b}$",
        r"\[ \gdef\x{b} \]",
        r"\ifx\y\z\global\expandafter\let\csname x\endcsname=b\fi",
    ],
)
def test_a_word_is_not_followed_once_it_is_defined_in_a_way_that_is_not(definition: str) -> None:
    r"""TeX prints b there, and not what \x stood for before."""
    text = "\\newcommand\\x{a}\n% 1a\n" + definition + "\n\n$$ y = \\x $$"
    assert "x is defined by" in why(text)[5]
    assert [latex for _, _, latex in found("\\newcommand\\x{a}\n% 1a\n$$ y = \\x $$")] == ["y = a"]


def test_a_condition_that_is_made_or_has_no_end_loses_nothing_in_silence() -> None:
    preamble = "\\newif\\ifsolutions\n\\solutionstrue\n"
    assert [latex for _, _, latex in found(preamble + "\\begin{document}\n$$ y = x $$")] == ["y = x"]
    assert why("\\ifthenelse{a}{b}{c}\n\\begin{document}\n$$ y = x $$") == {
        1: r"has no \fi, and nothing behind it is read"
    }
    assert why("it costs $5\n\\[ y = x \\]") == {1: "has no end in its paragraph"}
    assert why(r"\begin{dmath} y = x \end{dmath}") == {1: "is a display that is not read; use equation or align"}
