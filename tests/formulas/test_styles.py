"""A style is an object: what it writes is asked of it, and nobody asks which one it is."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import symconv
from symconv.formulas.printing import LATEX, UNICODE, Style

ROOT = Path(symconv.__file__).parent
STYLES = {"LATEX", "UNICODE"}


def comparisons(source: str) -> list[int]:
    """The lines in which something is compared with a style."""
    lines = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare):
            names = {part.id for part in (node.left, *node.comparators) if isinstance(part, ast.Name)}
            lines += [node.lineno] if names & STYLES else []
    return lines


def test_no_style_is_compared_by_name() -> None:
    found = {path.name: comparisons(path.read_text(encoding="utf-8")) for path in ROOT.rglob("*.py")}
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    ("test", "count"), [("s is LATEX", 1), ("UNICODE == s", 1), ("s is not LATEX", 1), ("s < t", 0)]
)
def test_a_comparison_is_found(test: str, count: int) -> None:
    assert len(comparisons(f"x = 1 if {test} else 2\n")) == count


def in_both(style: Style) -> list[str]:
    """One use of every sign for sets, operators and words."""
    n, m = style.name("n"), style.name("m_1")
    return [
        style.set(n, [style.relation("<=").join(["1", n]), style.relation("in").join([n, m])]),
        style.count_of(style.set(n, [n], tall=True)),
        style.hull(style.set(n, [n], tall=True)),
        style.one_over_size(m),
        style.sum_over(n) + m,
        style.partial(m),
        style.slash_derivative("E", m),
        style.limit("p", m),
        style.marked(style.operator("pad"), style.items(["1", "2"])) + style.marked(style.operator("up"), ""),
        style.numbered(style.operator("rot"), "180"),
        style.entry_of_numbered(style.numbered("L", "p"), [n]),
        style.barred("S"),
        style.ones(style.by(["2", n])),
        style.parentheses(f"A {style.marked(style.star(), style.word('stride', '2'))} B"),
        style.where("x = 0", "y < 1"),
        style.listed(["x = 0", "y = 1"]),
    ]


def test_latex_is_as_written_by_hand() -> None:
    assert in_both(LATEX) == [
        r"\{\,n : 1 \leq n,\; n \in m_{1}\,\}",
        r"\#\left\{\, n : n \,\right\}",
        r"\operatorname{conv} \left\{\, n : n \,\right\}",
        r"\frac{1}{\lvert m_{1} \rvert}",
        r"\sum_{n} m_{1}",
        r"\partial m_{1}",
        r"\partial E/\partial m_{1}",
        r"\lim_{p \to \infty} m_{1}",
        r"\operatorname{pad}_{1,\,2}\operatorname{up}",
        r"\operatorname{rot}_{180}",
        r"{\left( L_{p} \right)}_{n}",
        r"\bar S",
        r"\mathbf{1}_{2 \times n}",
        r"\left( A \star_{\text{stride }2} B \right)",
        r"x = 0 \text{ where } y < 1",
        r"x = 0,\; y = 1",
    ]


def test_a_line_of_text_is_as_written_by_hand() -> None:
    assert in_both(UNICODE) == [
        "{n : 1 ≤ n, n ∈ m₁}",
        "#{n : n}",
        "conv{n : n}",
        "1/|m₁|",
        "∑(n) m₁",
        "∂m₁",
        "∂E/∂m₁",
        "lim(p → ∞) m₁",
        "pad[1, 2]up",
        "rot180",
        "Lp[n]",
        "S\u0304",
        "ones(2×n)",
        "(A ⋆[stride 2] B)",
        "x = 0 where y < 1",
        "x = 0, y = 1",
    ]
