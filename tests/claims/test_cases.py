"""Cases: the first row whose conditions hold counts, the rows behind it need no value, and one of them must apply."""

from __future__ import annotations

import pytest

import symconv as sc
from symconv.claims.declarations import Declarations

LINE = Declarations(sc.Conv((2,)), (4,), indices={"i": "input 1"})
NONE = "finds no case of "


@pytest.mark.parametrize(
    ("text", "literal", "general"),
    [
        # where no row applies there is no value, whatever the rest of the line does with it
        ("0*a[1] == cases((0, p >= 2))", "error", "error"),
        ("0*cases((a[p], p >= 2)) == 0", "error", "error"),
        ("c[p] == cases((c[p], p >= 1))", "exact", "proved"),
        ("c[p] == cases((c[p], p >= 2), (c[p], p <= 1))", "exact", "proved"),
        ("c[p] == cases((c[p], p >= 3), (c[p], p <= 1))", "error", "error"),
        ("c[p] == cases((c[p], i >= p), (c[p], i < p))", "exact", "proved"),
        ("c[p] == cases((c[p], K <= 2))", "exact", "error"),
        ("0*a[1] == sum(cases((0, m <= K-1)), (m,1,K))", "error", "error"),
        ("0*a[1] == sum(cases((0, m <= K)), (m,1,K))", "exact", "proved"),
        # where a row applies and the sides differ, that goes first
        ("a[p] == cases((2*a[p], p >= 2))", "refuted", "refuted"),
        ("c[p] == cases((c[p] + 1, p == 1))", "refuted", "refuted"),
        # the first row that holds, and no other
        ("a[p] == cases((a[p], p >= 1), (2*a[p], p >= 2), (3*a[p],))", "exact", "proved"),
        ("a[p] == cases((2*a[p], p >= 2), (a[p], p >= 1))", "refuted", "refuted"),
        ("a[p] == cases((a[p],), )", "exact", "proved"),
        # what is not taken needs no value and no entry
        ("a[p] == cases((a[p], p >= 1), (a[p]/0, p >= 1), (b[K+1],))", "exact", "proved"),
        ("a[p] == cases((a[p], p >= 2), (a[p]*(p-1)/(p-1),))", "error", "error"),
        ("0 == cases((0, p >= 2), (0*a[0],))", "refuted", "refuted"),
        # a condition that divides by zero has no value before any row is taken
        ("a[p] == cases((a[p], p % (K-2) == 0), (a[p],))", "error", "error"),
        ("a[p] == cases((a[p], p >= 1), (a[p], p % (K-1) == 0))", "exact", "undecided"),  # a quotient by K - 1
    ],
)
def test_one_row_of_cases_applies_or_the_line_has_no_value(text: str, literal: str, general: str) -> None:
    for every, due in ((False, literal), (True, general)):
        verdict = sc.check_claim(text, LINE, general=every)
        assert verdict.status == due, str(verdict)


@pytest.mark.parametrize("every", [False, True])
def test_the_error_says_where_no_row_applies(every: bool) -> None:
    verdict = sc.check_claim("c[p] == cases((c[p], p >= 3), (c[p], p <= 1))", LINE, general=every)
    assert verdict.explanation.startswith(NONE)
    assert verdict.explanation.endswith("that applies at p = 2")
    latex = r"c_p = \begin{cases} c_p & \text{if } p \ge 3 \\ c_p & \text{if } p \le 1 \end{cases}"
    assert sc.check_claim(latex, LINE, general=every).explanation == verdict.explanation
