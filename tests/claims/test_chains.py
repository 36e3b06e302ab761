"""A chain of equations holds where each of them does, and rests on all that any of them rests on."""

from __future__ import annotations

import pytest

import symconv as sc
from symconv.claims.declarations import Declarations

LINE = Declarations(sc.Conv((2,)), (4,), sizes={"S": "stride"})
NORM = Declarations(sc.LPPool(2, (2,), 1), (3,))
B = "entries of b outside count as 0"
KINK = "the derivative of a norm or root at 0 counts as 0"


@pytest.mark.parametrize(
    ("text", "declared", "conditions"),
    [
        ("diff(c[p],a[i]) == diff(c[p],a[i]) == b[i-S*(p-1)]", LINE, (B,)),
        ("diff(c[p],a[i]) == b[i-S*(p-1)] == diff(c[p],a[i])", LINE, (B,)),
        ("c[p] == c[p] + 0*a[p-1] == c[p] + 0*b[p+K]", LINE, ("entries of a outside count as 0", B)),
        ("c[p] == c[p] == sum(a[S*(p-1)+m]*b[m],(m,1,K))", LINE, ()),
        ("diff(E,A) == diff(E,A) == pad(pad(diff(E,A),1),-1)", NORM, (KINK,)),
    ],
)
def test_a_chain_rests_on_the_conditions_of_all_its_links(
    text: str, declared: Declarations, conditions: tuple[str, ...]
) -> None:
    for general, due in ((False, "exact"), (True, "proved")):
        verdict = sc.check_claim(text, declared, general=general)
        assert (verdict.status, verdict.conditions) == (due, conditions), str(verdict)


def test_a_chain_speaks_of_the_sizes_and_hypotheses_of_all_its_links() -> None:
    verdict = sc.check_claim("2 == 1 + 1 == 2 + 0*K", LINE, general=True)
    assert verdict.scope.symbolic == ("I", "K", "S")
    both = sc.check_claim("0 == 0*c[p] == 0*diff(E,b[m])", LINE, general=True)
    text = str(both)
    assert "O >= p" in text
    assert "K >= m" in text


@pytest.mark.parametrize("general", [False, True])
def test_what_differs_goes_before_what_has_no_value(general: bool) -> None:
    for text in ("1/a[p] == 1/a[p] == 2 + 1/a[p]", "c[p] == c[p] + 1 == 1/a[p]", "1/a[p] == 1 + 1/a[p] == 1/a[p]"):
        assert sc.check_claim(text, LINE, general=general).status == "refuted", text
    error = sc.check_claim("c[p] == c[p] + 0/a[p] == c[p]", LINE, general=general)
    assert error.status == "error"
    assert error.explanation.startswith("divides by a[p], which is 0 at")
