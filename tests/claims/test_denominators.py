"""What divides: a claim is about sizes at which it has a meaning, or it is an error that names one without."""

from __future__ import annotations

import pytest

import symconv as sc
from symconv.claims.scope import Declarations

LINE = Declarations(
    sc.Conv((3,), stride=2, padding=1),
    (7,),
    sizes={"S": "stride", "P": "padding", "D": "dilation"},
    indices={"i": "input 1"},
)


def judged(text: str, general: bool = True) -> sc.Verdict:
    return sc.check_claim(text, LINE, general=general)


@pytest.mark.parametrize(
    ("text", "divisor"),
    [
        ("P/P == 1", "P"),
        ("K*P/P == K", "P"),
        ("a[i]*P/P == a[i]", "P"),
        ("1/(K-1) == 1/(K-1)", "K - 1"),
        ("0/(K-1) == 0", "K - 1"),
        ("K/(P/2) == 2*K/P", "P/2"),
        ("(P+1)**(-1) == (S-1)**(-1)", "S - 1"),
        ("sum(m/m, (m,0,K)) == K + 1", "m"),
        ("sum(a[i]/(m-1), (m,1,K)) == sum(a[i]/(m-1), (m,1,K))", "m - 1"),
        ("c[i] == c[i] + 0*sum(i/i, (i,0,K))", "i"),  # this i is another one than that of c[i]
        ("sum(a[m], (m,1,floor(K/P))) == sum(a[m], (m,1,floor(K/P)))", "P"),
        ("floor(K/P) == floor(K/P)", "P"),
        ("K % P == K % P", "P"),
        ("floor(K/(i-I)) == c[i]", "i - I"),
        ("1/(P-100) == 1/(P-100)", "P - 100"),
        ("cases((a[i]/P, P >= 0), (0,)) == 0", "P"),
    ],
)
def test_a_division_by_zero_at_some_size_is_an_error_that_names_one(text: str, divisor: str) -> None:
    verdict = judged(text)
    assert verdict.status == "error", str(verdict)
    assert verdict.explanation.startswith(f"divides by {divisor}, which is 0 at "), verdict.explanation


@pytest.mark.parametrize(
    "text",
    [
        "K/K == 1",
        "K*S/K == S",
        "(I-K)/S + 1 == (I-K+S)/S",
        "a[i]/(P+1) == a[i]/(1+P)",
        "cases((a[i]/P, P >= 1), (0,)) == cases((a[i]/P, 1 <= P), (0,))",
        "sum(a[m]/m, (m,1,K)) == sum(a[m]/m, (m,1,K))",
        "floor(K/(-2)) == -ceil(K/2)",
        "K % 2 + 2*floor(K/2) == K",
    ],
)
def test_what_is_never_zero_divides(text: str) -> None:
    assert judged(text).status == "proved", str(judged(text))


def test_at_one_size_only_that_size_counts() -> None:
    assert judged("P/P == 1", general=False).status == "exact"
    assert judged("2/(P+1) == 1", general=False).status == "exact"
    verdict = judged("2/(P-1) == 1", general=False)
    assert (verdict.status, verdict.explanation) == ("error", "divides by P - 1, which is 0 at the given size")
    verdict = judged("sum(m/m, (m,0,K)) == K + 1", general=False)
    assert verdict.explanation == "divides by m, which is 0 at m = 0"


def test_a_divisor_that_is_neither_settled_keeps_a_claim_undecided() -> None:
    # no cube is twice a cube, but that takes a proof by descent, and the search ends somewhere
    text = "1/(P*P*P - 2*S*S*S) == 1/(P*P*P - 2*S*S*S)"
    verdict = judged(text)
    assert verdict.status == "undecided", str(verdict)
    assert "was not decided" in verdict.explanation


@pytest.mark.parametrize(
    ("text", "status"),
    [
        # at P = 0 the sum is empty: its norm is 0, and the maximum of nothing is minus infinity
        ("limit(sum(abs(b[m])**p, (m,1,P))**(1/p), p, oo) == max(abs(b[m]), (m,1,P))", "refuted"),
        ("limit(sum(abs(b[m])**p, (m,1,K))**(1/p), p, oo) == max(abs(b[m]), (m,1,K))", "proved"),
    ],
)
def test_the_norm_of_nothing_is_zero(text: str, status: str) -> None:
    assert judged(text).status == status, str(judged(text))
    assert judged("limit(sum(abs(b[m])**p, (m,2,1))**(1/p), p, oo) == 0", general=False).status == "exact"


def test_claims_about_a_maximum_do_not_need_its_gradient() -> None:
    pool = Declarations(sc.MaxPool((2,), ties="set"), (4,))
    assert sc.check_claim("size == 2", pool).status == "exact"
    assert sc.check_claim("c[p] == max(a[m], (m, 2*p-1, 2*p))", pool, general=False).status == "exact"
    assert sc.check_claim("diff(c[p], a[i]) == 0", pool).status == "error"
