"""A claim has a value on both sides at every size and entry that it speaks of, or it is an error that names one."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from operators.matching import TemplateMatching
from sympy import Symbol

import symconv as sc
from symconv.claims.declarations import Declarations
from symconv.formulas.algebra import Node, Power, Scalar, const, product, summation
from symconv.operators.base import Operator
from symconv.operators.frame import Geometry

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
        ("(S-1)**(-1) == (S-1)**(-1)", "S - 1"),
        ("sum(m/m, (m,0,K)) == K + 1", "m"),
        ("sum(a[i]/(m-1), (m,1,K)) == sum(a[i]/(m-1), (m,1,K))", "m - 1"),
        ("c[i] == c[i] + 0*sum(i/i, (i,0,K))", "i"),  # this i is another one than that of c[i]
        ("sum(m, (m,1,floor(K/P))) == sum(m, (m,1,floor(K/P)))", "P"),
        ("floor(K/P) == floor(K/P)", "P"),
        ("K % P == K % P", "P"),
        ("floor(K/(i-I)) == c[i]", "i - I"),
        ("1/(P-100) == 1/(P-100)", "P - 100"),
        ("cases((a[i]/P, P <= 0), (0,)) == 0", "P"),
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
        "sum(b[m]/m, (m,1,K)) == sum(b[m]/m, (m,1,K))",
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


def test_the_norm_of_nothing_is_zero_and_the_maximum_of_nothing_has_no_value() -> None:
    norm = "limit(sum(abs(b[m])**p, {over})**(1/p), p, oo)"
    whole, none = norm.format(over="(m,1,K)"), norm.format(over="(m,2,1)")
    assert judged(f"{whole} == max(abs(b[m]), (m,1,K))").status == "proved"
    assert judged(f"{none} == 0", general=False).status == "exact"
    verdict = judged(f"{none} == max(abs(b[m]), (m,2,1))")
    assert verdict.status == "error"
    assert verdict.explanation == "takes max(abs(b[m]), (m, 2, 1)), a maximum over nothing at the given size"


def test_claims_about_a_maximum_do_not_need_its_gradient() -> None:
    pool = Declarations(sc.MaxPool((2,), ties="set"), (4,))
    assert sc.check_claim("size == 2", pool).status == "exact"
    assert sc.check_claim("c[p] == max(a[m], (m, 2*p-1, 2*p))", pool, general=False).status == "exact"
    assert sc.check_claim("diff(c[p], a[i]) == 0", pool).status == "error"


# ---------------------------------------------------------------------- what has no value, and what differs first

SMALL = Declarations(sc.Conv((2,)), (4,), indices={"i": "input 1", "m": "weight 1"})


@pytest.mark.parametrize(
    ("text", "literal", "general"),
    [
        ("5/(a[p]-a[p]) == 0", "divides by a[p] - a[p], which is 0", "divides by a[p] - a[p], which is 0"),
        ("0**(K-3) == 0", "takes 0**(K - 3), which has no value", "takes 0**(K - 3), which has no value"),
        ("0**0 == 1", "takes 0**0, which has no value", "takes 0**0, which has no value"),
        ("b[p+K]/a[p+I] == 0", "divides by a[p + I], which is 0", "divides by a[p + I], which is 0"),
        ("a[p]/a[p] == 1", "divides by a[p], which is 0", "divides by a[p], which is 0"),
        ("c[p]*a[p]**(-1)*a[p] == c[p]", "divides by a[p], which is 0", "divides by a[p], which is 0"),
        ("(-1)**(1/2)*a[1] == 0*a[1]", "takes (-1)**(1/2), which", "takes (-1)**(1/2), which"),
        ("(a[p]**2)**(1/2)/2 == 0*a[p]", "", ""),  # differs wherever a[p] is not 0
        ("a[p]**(1/2)*0 == 0", "takes a[p]**(1/2), which has no value", "takes a[p]**(1/2), which has no value"),
        ("0*(c[p]-a[p])**(1/2) == 0", "takes (c[p] - a[p])**(1/2)", "takes (c[p] - a[p])**(1/2)"),
        (
            "max(a[m],(m,3,1)) - max(a[m],(m,3,1)) == 0",
            "takes max(a[m], (m, 3, 1)), a max",
            "takes max(a[m], (m, 3, 1))",
        ),
        ("0*max(b[m],(m,2,K)) == 0", "", "takes max(b[m], (m, 2, K)), a maximum over nothing at K = 1"),
        ("0*a[1] == cases((0, p >= 2))", "finds no case of cases((0, p >= 2)) that applies at p = 1", "finds no case"),
        (
            "corr(B, A) == corr(B, A)",
            "takes corr(B, A), which has no entries",
            "takes corr(B, A), which has no entries",
        ),
        (
            "pad(B, -1) == pad(B, 0-1)",
            "takes pad(B, -1), which has no entries",
            "takes pad(B, -1), which has no entries",
        ),
        (
            "ones(K-2) == ones(K-2)",
            "takes ones(K - 2), which has no entries",
            "takes ones(K - 2), which has no entries",
        ),
        ("pad(ones(2), 0-1) == ones(1)", "takes pad(ones(2), 0 - 1), which", "takes pad(ones(2), 0 - 1), which"),
        ("1/sum(b[m],(m,1,K)) == 1/sum(b[m],(m,1,K))", "divides by sum(b[m], (m, 1, K))", "divides by sum(b[m]"),
        ("1/(sum(b[m]**2,(m,1,K)) + 1) == 1/(1 + sum(b[m]**2,(m,1,K)))", "", ""),
        ("abs(b[1])**(1/2)*abs(b[1])**(1/2)*0 == 0", "", ""),
        ("2**(1/2)*0 == 0", "", ""),
        ("cases((a[p]/a[p]*0, 1 == 0), (a[p],)) == a[p]", "", ""),  # what is never reached needs no value
        ("sum(a[p]/(m-3), (m,1,K))*0 == 0", "", "divides by m - 3, which is 0 at m = 3"),
    ],
)
def test_what_has_no_value_somewhere_is_an_error_that_says_where(text: str, literal: str, general: str) -> None:
    for words, every in ((literal, False), (general, True)):
        verdict = sc.check_claim(text, SMALL, general=every)
        if words:
            assert (verdict.status, verdict.explanation[: len(words)]) == ("error", words), str(verdict)
            assert " at " in verdict.explanation
        else:
            assert verdict.status in ("refuted", "exact", "proved"), str(verdict)
            assert (verdict.status == "refuted") == ("/2 ==" in text)
            assert not verdict.conditions


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("(1/(a[p]-a[p]))/2 == 0", "divides by a[p] - a[p], which is 0 at I = 1"),
        ("1/(2/(a[p]-a[p])) == 0", "divides by a[p] - a[p], which is 0 at I = 1"),
        ("0*min(b[m],(m,3,K)) == 0", "takes min(b[m], (m, 3, K)), a minimum over nothing at K = 1"),
        ("0*max(b[m]*n,(n,1,0),(m,1,K)) == 0", "takes max(b[m]*n, (n, 1, 0), (m, 1, K)), a maximum over nothing"),
        ("sum(m,(m,floor(1/(K-2)),3)) == 6", "divides by K - 2, which is 0 at K = 2"),
        ("sum(0*m,(m,1,max(3,floor(1/(K-2))))) == 0", "divides by K - 2, which is 0 at K = 2"),
        ("0*min(floor(1/(K-2)),1) == 0", "divides by K - 2, which is 0 at K = 2"),
        ("cases((0*a[p],floor(1/(K-2)) == 1),(0,)) == 0", "divides by K - 2, which is 0 at K = 2"),
        ("cases((0*a[p],1 == floor(1/(K-2))),(0,)) == 0", "divides by K - 2, which is 0 at K = 2"),
        ("0*floor(1/(K-2)+1/2) == 0", "divides by K - 2, which is 0 at K = 2"),
        ("0*floor(1/2+1/(K-2)) == 0", "divides by K - 2, which is 0 at K = 2"),
        ("0*floor(1/floor(1/(K-2))) == 0", "divides by K - 2, which is 0 at K = 2"),
        ("floor(1/floor(1/(K-2))) == 1", "divides by K - 2, which is 0 at K = 2"),
        ("2**floor(1/floor(1/p)) == 2", "divides by floor(1/p), which is 0 at p = 2"),
        ("5 % (3 % p) == 0", "divides by mod(3, p), which is 0 at p = 1"),
        ("K % (K % p) == 0", "divides by mod(K, p), which is 0 at K = 1, p = 1"),
        ("star(A,pad(B,-1)) == star(A,pad(B,-1))", "takes pad(B, -1), which has no entries at K = 1"),
        ("star(pad(A,-2),B) == star(pad(A,-2),B)", "takes pad(A, -2), which has no entries at I = 1"),
        ("corr(A,pad(B,-1)) == corr(A,pad(B,-1))", "takes pad(B, -1), which has no entries at K = 1"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_every_part_of_a_line_must_have_a_value(text: str, fault: str) -> None:
    verdict = sc.check_claim(text, SMALL, general=True)
    assert verdict.status == "error", str(verdict)
    assert verdict.explanation.startswith(fault)
    assert sc.check_claim(text, SMALL).status in ("error", "exact")  # at the declared size a divisor may be a number


@pytest.mark.parametrize(
    ("text", "sides"),
    [
        ("sum(m,(m,1,floor(4/floor(3/p)))) == 1", (10, 1)),  # at p = 4 it is undefined; at p = 2, 1 + 2 + 3 + 4
        ("floor(1/floor(1/(p-2))) == 1", (-1, 1)),
    ],
)
@pytest.mark.filterwarnings("error")
def test_a_quotient_under_a_quotient_refutes_where_both_have_values(text: str, sides: tuple[int, int]) -> None:
    for general in (False, True):
        verdict = sc.check_claim(text, SMALL, general=general)
        assert verdict.status == "refuted", str(verdict)
        assert verdict.counterexample is not None
        assert (verdict.counterexample.left, verdict.counterexample.right) == sides


@pytest.mark.parametrize("text", ["max(K, 0) == K", "sum(m,(m,1,max(K,0))) == sum(m,(m,1,K))", "min(K, 0) == 0"])
def test_a_largest_index_divides_nothing(text: str) -> None:
    assert sc.check_claim(text, SMALL, general=True).status == "proved"


def test_what_an_absolute_value_reads_must_exist() -> None:
    pool = Declarations(sc.MaxPool((2,), stride=1), (4,), sets=("S",), functions={"L": "lp"})
    for text, entry in (("0*abs(a[I+1]) == 0", ("a", (2,))), ("0*abs(S[O+1]) == 0", ("S", (2,)))):
        counter = sc.check_claim(text, pool, general=True).counterexample
        assert counter is not None
        assert counter.entry == entry
    norm = replace(pool, op=sc.LPPool(2, (2,), stride=1))
    for text, beyond in (("0*limit(L(A,S[4],q),q,oo) == 0", 4), ("0*L(A,S[O+1],2) == 0", 2)):
        counter = sc.check_claim(text, norm, general=True).counterexample
        assert counter is not None
        assert counter.entry == ("S", (beyond,))
    inner = sc.check_claim("0*max(a[s]*m, (m,1,2), s in S[p]) == 0", pool, general=True)
    assert inner.status == "proved", str(inner)
    none = sc.check_claim("0*max(a[s]*m, s in S[p], (m,1,0)) == 0", pool, general=True)
    assert none.explanation.startswith("takes max(a[s]*m, s in S[p], (m, 1, 0)), a maximum over nothing")


REAL = Declarations(
    sc.LPPool(Symbol("q", positive=True), (2,), stride=1), (4,), sets=("S",), functions={"L": "lp"}
)  # fmt: skip
OPEN = replace(REAL, op=sc.LPPool(2, (2,), stride=1))


@pytest.mark.parametrize(
    ("declared", "text", "status"),
    [
        (REAL, "c[j]**floor(q) == c[j]**q", "error"),  # false at q = 3/2
        (REAL, "c[j]**floor((2*q+1)/2) == c[j]**q", "error"),
        (REAL, "c[j]**(q - (q % 1)) == c[j]**q", "error"),
        (REAL, "c[j]**max(q,3-q) == c[j]**max(q,2)", "undecided"),  # true for whole numbers alone
        (REAL, "c[j]**max(1,q) == c[j]**q", "proved"),
        (REAL, "0*c[j]**(1/q) == 0", "proved"),
        (REAL, "0*c[j]**max(q,2) == 0", "proved"),
        (OPEN, "L(A,S,p)**floor(p) == L(A,S,p)**p", "error"),
        (OPEN, "L(A,S,ceil(p)) == L(A,S,p)", "error"),
        (OPEN, "L(A,S,p)**(1/floor(p)) == L(A,S,p)**(1/p)", "error"),
        (OPEN, "L(A,S,p)**max(p,3-p) == L(A,S,p)**max(p,2)", "undecided"),
        (OPEN, "0*L(A,S,p)**(1/p) == 0", "proved"),
        (OPEN, "0*L(A,S,p)**(1/(p-1)) == 0", "error"),  # at p = 1
        (OPEN, "L(A,S[j],p) == sum(abs(a[s])**p, s in S[j])**(1/p)", "proved"),
    ],
)
def test_the_order_of_a_norm_is_a_real_number_from_1_on(declared: Declarations, text: str, status: str) -> None:
    for general in (False, True):
        verdict = sc.check_claim(text, declared, general=general)
        assert verdict.status == status, str(verdict)
    if "floor" in text or "ceil" in text or "%" in text:
        assert "need not be a whole number" in verdict.explanation
    elif status == "error":
        assert verdict.explanation == "divides by p - 1, which is 0 at p = 1"


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        ("a[p]/a[p] == 2", {"I": 1, "K": 1, "O": 1}),  # undefined at 0, and false anywhere else
        ("1/b[1] == b[1]", {"I": 1, "K": 1, "O": 1}),
        ("1/(K-1) == 1/(O-1)", {"I": 4, "K": 2, "O": 3}),  # at K = 1 or O = 1 it says nothing
        ("c[p]/a[p+1] == b[1]", {"I": 2, "K": 1, "O": 2}),  # the smallest at which there is an a[p+1]
        ("c[p] == sum(a[p+m]*b[m],(m,1,K))", {"I": 2, "K": 1, "O": 2}),
    ],
)
def test_where_both_sides_have_a_value_and_differ_goes_first(text: str, sizes: dict[str, int]) -> None:
    verdict = sc.check_claim(text, SMALL, general=True)
    assert verdict.status == "refuted", str(verdict)
    counter = verdict.counterexample
    assert counter is not None
    assert (counter.entry, dict(counter.sizes)) == (None, sizes)


def test_where_a_layer_has_a_window_in_the_padding_alone_a_line_says_nothing() -> None:
    filled = ("every window holds an entry of the input",)
    for op in (sc.AvgPool((3,), 2, 1, count_include_pad=False), sc.MaxPool((3,), 2, 1)):
        pool = Declarations(op, (6,), sets=("S",))
        mean = "sum(a[s], s in S[p])/size(S[p])" if isinstance(op, sc.AvgPool) else "max(a[s], s in S[p])"
        literal, general = (sc.check_claim(f"c[p] == {mean}", pool, general=every) for every in (False, True))
        assert (literal.status, literal.conditions) == ("exact", ())  # three taps, one pad: none is in it alone
        assert (general.status, general.conditions) == ("proved", filled)
    beyond = Declarations(sc.AvgPool((3,), 2, 1), (6,), sets=("S",))
    verdict = sc.check_claim("1/size(S[p+1]) == 1/size(S[p+1])", beyond)
    assert verdict.status == "error"
    assert verdict.explanation == "divides by size(S[p + 1]), which is 0 at p = 3"


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("diff(abs(a[i]), a[i])*2 == 2*diff(abs(a[i]), a[i])", "the derivative of |x| at x = 0 counts as 0"),
        ("diff(a[i]**2, a[i]) == 2*a[i]", ""),
        ("diff(c[p], a[i])*2 == 2*diff(c[p], a[i])", ""),
    ],
)
def test_the_derivative_at_a_kink_is_a_convention_that_is_said(text: str, condition: str) -> None:
    verdict = sc.check_claim(text, SMALL)
    assert verdict.status == "exact", str(verdict)
    assert verdict.conditions == ((condition,) if condition else ())
    norm = Declarations(sc.LPPool(2, (2,), 1), (3,))
    verdict = sc.check_claim("diff(c[p], a[i])*2 == 2*diff(c[p], a[i])", norm)
    assert verdict.conditions == ("the derivative of a norm or root at 0 counts as 0",)


FIRST = ("of equal maxima the first one takes the gradient",)


@pytest.mark.parametrize(
    ("op", "text", "conditions"),
    [
        (sc.Conv((2,)), "sum(diff(max(a[m], (m,1,I)), a[i]), (i,1,I)) == 1", FIRST),
        (sc.Conv((2,)), "diff(max(a[m], (m,1,I)), a[i])*2 == 2*diff(max(a[m], (m,1,I)), a[i])", FIRST),
        (sc.Conv((2,)), "diff(c[p]*max(b[m], (m,1,K)), a[i]) == max(b[m], (m,1,K))*diff(c[p], a[i])", ()),
        (sc.AvgPool((2,)), "sum(diff(max(a[m], (m,1,I)), a[i]), (i,1,I)) == 1", FIRST),
        (sc.Dilation((2,)), "diff(c[p], a[i])*2 == 2*diff(c[p], a[i])", FIRST),
        (
            sc.MaxPool((2,)),
            "diff(c[p], a[i])*2 == 2*diff(c[p], a[i])",
            (),
        ),  # by the option of the layer, which is given
        (sc.MaxPool((2,), ties="split"), "sum(diff(max(a[m], (m,1,I)), a[i]), (i,1,I)) == 1", ()),
    ],
)
def test_what_no_option_decides_of_equal_maxima_is_a_condition(
    op: Operator, text: str, conditions: tuple[str, ...]
) -> None:
    declared = Declarations(op, (4,), indices={"i": "input 1"})
    for general, due in ((False, "exact"), (True, "proved")):
        verdict = sc.check_claim(text, declared, general=general)
        assert (verdict.status, verdict.conditions) == (due, conditions), str(verdict)
    refuted = sc.check_claim(text.replace("== ", "== 3*"), declared, general=True)
    assert refuted.status == "refuted"


def test_the_gradient_by_a_whole_weight_has_the_kinks_of_its_entries() -> None:
    declared = Declarations(sc.Dilation((2,)), (4,))
    for general, due in ((False, "exact"), (True, "proved")):
        verdict = sc.check_claim("diff(E, B) == diff(E, B)", declared, general=general)
        assert (verdict.status, verdict.conditions) == (due, FIRST), str(verdict)


@pytest.mark.parametrize("op", [sc.MaxPool((2,), 1, 1), sc.Dilation((2,), padding=1), sc.Erosion((2,), padding=1)])
def test_an_extremum_of_a_layer_over_nothing_has_no_value(op: Operator) -> None:
    declared = Declarations(op, (4,))
    same = sc.check_claim("c[p] == c[p]", declared, general=True)
    assert (same.status, same.conditions) == ("proved", ("every window holds an entry of the input",))
    differs = sc.check_claim("c[p] == 0", declared, general=True)
    assert differs.status == "refuted"
    assert "inf" not in differs.explanation


@pytest.mark.parametrize("op", [sc.MaxPool((2,), 1, 1), sc.AvgPool((2,), 1, 1, count_include_pad=False)])
@pytest.mark.parametrize(
    ("text", "general"),
    [
        ("C == C", "proved"),
        ("pad(C, 1) == pad(C, 1)", "proved"),
        ("diff(E,A) == diff(E,A)", "proved"),
        ("diff(E,a[i]) == diff(E,a[i])", "proved"),
        ("sum(diff(E,a[i]),(i,1,I)) == sum(g[p],(p,1,O))", "undecided"),  # false at kernel 1 alone, where c[1] is none
        ("sum(diff(E,a[i]),(i,1,I)) == 2*sum(g[p],(p,1,O))", "refuted"),
    ],
)
def test_the_output_and_the_error_have_a_value_where_every_window_holds_something(
    op: Operator, text: str, general: str
) -> None:
    declared = Declarations(op, (3,), indices={"i": "input 1"})
    literal, every = (sc.check_claim(text, declared, general=one) for one in (False, True))
    assert (literal.status, literal.conditions) == ("refuted" if general == "refuted" else "exact", ())
    assert every.status == general, str(every)
    assert every.conditions == (("every window holds an entry of the input",) if general == "proved" else ())
    if general == "refuted":
        assert every.counterexample is not None
        assert every.counterexample.sizes["K"] > 1


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("2**(2**(1/2)) == 2**(8**(1/2)/2)", "exact"),
        ("(2**(2**(1/2)))**(2**(1/2)) == 4", "exact"),
        ("0**(2**(1/2)) == 0", "exact"),
        ("abs(a[1])**(2**(1/2)) == a[2]", "refuted"),
        ("0**(1 - 2**(1/2)) == 0", "error"),
        ("(-2)**(2**(1/2)) == 1", "error"),
        ("a[1]**(2**(1/2)) == a[1]**(2**(1/2))", "error"),
        ("2**(2**(1/2)) == 3", "undecided"),
        ("1/(2**(2**(1/2)) - 2) == 5", "undecided"),
        ("a[1]/(a[1] + 2**(2**(1/2))) == 5", "undecided"),
        ("diff(abs(2**(2**(1/2)) + a[1]), a[1])**2 == 1", "undecided"),
        ("diff(abs(a[2]), a[2])**2 + 0*diff(abs(2**(2**(1/2)) + a[1]), a[1]) == 1", "refuted"),
    ],
)
def test_a_power_with_an_irrational_exponent_has_a_value_that_is_not_worked_out(text: str, status: str) -> None:
    """2**(2**(1/2)) is no number with roots (Gelfond and Schneider): where it decides, nothing is said."""
    assert sc.check_claim(text, Declarations(sc.Conv((2,)), (4,))).status == status


SIGN = ("the derivative of |x| at x = 0 counts as 0", "the derivative of sign(x) at x = 0 counts as 0")
JUMP = ("the derivative of a gradient where entries tie counts as 0",)


@pytest.mark.parametrize(
    ("op", "text", "conditions"),
    [
        (sc.Conv((2,)), "diff(diff(abs(a[i]), a[i]), a[i]) == 0", SIGN),
        (sc.Conv((2,)), "diff(diff(abs(a[i]), a[i])*b[1], b[1]) == diff(abs(a[i]), a[i])", SIGN[:1]),
        (sc.Conv((2,)), "diff(diff(c[p]**2, b[1]), b[1]) == 2*a[p]**2", ()),
        (sc.Conv((2,)), "diff(diff(abs(a[i])**2, a[i]), a[i]) == 2", ()),
        (sc.Conv((2,)), "diff(diff(abs(a[i])**4, a[i]), a[i]) == 12*a[i]**2", ()),
        (sc.Conv((2,)), "diff(abs(a[i])**3, a[i]) == 3*a[i]*abs(a[i])", ()),
        (sc.Conv((2,)), "diff(diff(max(a[m], (m,1,I)), a[i]), a[i]) == 0", (*FIRST, *JUMP)),
        (sc.MaxPool((2,)), "diff(diff(c[p], a[i]), a[i]) == 0", JUMP),
        (sc.MaxPool((2,), ties="split"), "diff(diff(c[p], a[i]), a[i]) == 0", JUMP),
    ],
)
def test_where_a_gradient_jumps_its_derivative_is_a_convention(
    op: Operator, text: str, conditions: tuple[str, ...]
) -> None:
    declared = Declarations(op, (4,), indices={"i": "input 1"})
    for general, due in ((False, "exact"), (True, "proved")):
        verdict = sc.check_claim(text, declared, general=general)
        assert (verdict.status, verdict.conditions) == (due, conditions), str(verdict)


@dataclass(frozen=True, repr=False)
class Falling(TemplateMatching):
    """A correlation divided by 3 - p for the output p from 0: the fourth output is one by 0."""

    def body(self, geometry: Geometry) -> Node:
        (out,) = self.axes("output", geometry)
        total = summation(
            product(self.tap_entry(geometry), self.tap_weight(geometry)),
            *(tap.bound for tap in self.tap_axes(geometry)),
        )
        return product(Power(Scalar(3 - out.index), const(-1)), total)


@pytest.mark.parametrize(
    ("text", "three", "four", "general"),
    [
        ("c[p] == c[p]", "exact", "exact", "proved"),
        ("c[p] == 0", "refuted", "refuted", "refuted"),
        ("C == C", "exact", "undecided", "proved"),  # of four outputs one has no value, so the array has none
        ("diff(E,A) == diff(E,A)", "exact", "undecided", "proved"),
        ("c[4] == 1", "refuted", "undecided", "refuted"),  # which there is not, or which has no value
        ("sum(c[p],(p,1,3)) == sum(c[p],(p,1,3))", "exact", "exact", "refuted"),
    ],
)
def test_a_line_says_nothing_of_an_output_that_divides_by_0(text: str, three: str, four: str, general: str) -> None:
    quotient = ("no division by 0",)
    for size, every, due in ((4, False, three), (5, False, four), (5, True, general)):
        verdict = sc.check_claim(text, Declarations(Falling((2,)), (size,)), general=every)
        assert verdict.status == due, str(verdict)
        said = verdict.holds and (every or (size == 5 and text.startswith("c[p]")))
        assert verdict.conditions == (quotient if said else ())
        if verdict.status == "refuted" and verdict.counterexample is not None:
            assert verdict.counterexample.indices.get("p") != 4
