"""Where a divisor is 0 and where a power has no value, worked out by hand, at the declared size and for all sizes.

A kernel of 3, a stride of 2, a padding of 1; for all sizes K, S >= 1 and P >= 0. A power of a number below 0 has a
value where the exponent is whole, and a power of 0 where it is above 0.
"""

from __future__ import annotations

import pytest
from claims.told import told

import symconv as sc
from symconv.claims.check import check_source
from symconv.claims.declarations import Declarations
from symconv.claims.source import ClaimSource

SIZES = {"S": "stride", "P": "padding"}
LINE = Declarations(sc.Conv((3,), stride=2, padding=1), (7,), sizes=SIZES, indices={"i": "input 1"})
NORM = Declarations(sc.MaxPool((2,), 2, 1), (4,), sizes=SIZES, sets=("T",), functions={"L": "lp"})
FINE = ("exact", "proved")


def verdicts(text: str, declared: Declarations = LINE) -> list[str]:
    """What is said at the declared size, and for all sizes, up to the place."""
    latex = "_" in text
    found = []
    for mode in ("literal", "general"):
        source = ClaimSource("", declared, "" if latex else text, text if latex else "", (mode,))  # type: ignore[arg-type]
        found.append(told(check_source(source, repair=False)[0].verdict))
    return found


@pytest.mark.parametrize(
    ("text", "fault", "where"),
    [
        ("0/(P*K)", "divides by P", "P = 0"),
        ("0/(K*P)", "divides by P", "P = 0"),
        ("0*(K-4)**(-1)", "divides by K - 4", "K = 4"),  # and at no other K, below 4 or above
        ("0*P**(-1/2)", "takes P**(-1/2)", "P = 0"),
        ("0*P**(K-1)", "takes P**(K - 1)", "K = 1, P = 0"),
        (
            "0*(K-4)**(P-2)",
            "takes (K - 4)**(P - 2)",
            "K = 4, P = 2",
        ),  # the smallest input into which that kernel fits is 1
    ],
)
def test_what_has_no_value_at_one_size_alone(text: str, fault: str, where: str) -> None:
    here, everywhere = verdicts(f"{text} == 0")
    assert here == "exact"
    said = "which is 0" if fault.startswith("divides") else "which has no value"
    assert everywhere == f"error: {fault}, {said} at {where}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0/(a[i]*K) == 0", "divides by a[i], which is 0 at"),
        ("0/abs(a[i]) == 0", "divides by abs(a[i]), which is 0 at"),
        ("0/(K*a[i]) == 0", "divides by a[i], which is 0 at"),
        ("0*a[i]**(-1/2) == 0", "takes a[i]**(-1/2), which has no value at"),  # an exponent that is not whole
        ("0*a[i]**(3/2) == 0", "takes a[i]**(3/2), which has no value at"),
        ("0*a[i]**(-2) == 0", "divides by a[i], which is 0 at"),
        ("0 a_1^{-1} = 0", "takes upper(a[1], -1), which has no value at"),
        ("0 a_1^{1/2} = 0", "takes upper(a[1], 1/2), which has no value at"),
    ],
)
def test_what_has_no_value_for_some_entries(text: str, words: str) -> None:
    for said in verdicts(text):
        assert said.removeprefix("error: ").startswith(words), said


@pytest.mark.parametrize(
    "text",
    [
        "a[i]/(K*S) == a[i]/(S*K)",
        "0/max(K,2) == 0",
        "0/floor((K+1)/2) == 0",
        "P**2 == P*P",
        "P**1 == P",
        "1**(P-3) == 1",
        "0*1**(P-3) == 0",
        "0**K == 0",
        "0*P**K == 0",
        "0*S**(P-3) == 0",
        "0*(K-1)**(P+1) == 0",
        "0*(-2)**(P-3) == 0",
        "0*S**a[1] == 0",
        "0*P**(1/2) == 0",
        "0*S**(-1/2) == 0",
        "0*(K-5)**(P+2) == 0",
    ],
)
def test_what_always_has_a_value(text: str) -> None:
    assert verdicts(text) == [*FINE]


@pytest.mark.parametrize("power", ["S**p", "P**p", "0**p", "2**p", "K**(p-5)"])
def test_powers_of_what_is_not_below_zero_by_the_order_of_a_norm(power: str) -> None:
    assert verdicts(f"L(A,T[q],p) == L(A,T[q],p) + 0*{power}", NORM) == ["proved"] * 2


@pytest.mark.parametrize("power", ["(K-3)**p", "(-2)**p"])
def test_the_order_of_a_norm_need_not_be_whole(power: str) -> None:
    said = f"undecided: Whether {power.replace('-3', ' - 3')} always has a value was not decided."
    assert verdicts(f"L(A,T[q],p) == L(A,T[q],p) + 0*{power}", NORM) == [said] * 2


@pytest.mark.parametrize("size", ["size(T[q])", "card(T[q])", "abs(T[q])"])
def test_a_window_is_divided_by_where_it_holds_something(size: str) -> None:
    assert verdicts(f"0/{size} == 0", NORM) == ["exact", "proved if every window holds an entry of the input"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("1/abs() == 1", "abs takes one argument, got 0"),
        ("1/size() == 1", "size takes one argument, got 0"),
        ("0/size(T[q],1) == 0", "size takes one argument, got 2"),
    ],
)
def test_a_divisor_that_is_no_expression_is_refused(text: str, fault: str) -> None:
    assert verdicts(text, NORM) == [f"error: {fault}"] * 2
