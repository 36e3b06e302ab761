"""Lines that hold by the rules of arithmetic, at one size and for all, and neighbours of them that do not hold.

Every rule that a side is rewritten by has its true lines here and, next to them, lines that would be marked if the
rule's condition were forgotten.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

import symconv as sc
from symconv.claims.declarations import Declarations
from symconv.operators.base import Operator
from symconv.operators.convolution import Conv
from symconv.operators.pooling import AvgPool, LPPool, MaxPool


def asked(op: Operator, size: int = 4, **more: object) -> Declarations:
    plain = Declarations(op, (size,) * op.spatial_axes, sets=() if isinstance(op, Conv) else ("S",))
    return replace(plain, **more)  # type: ignore[arg-type]


NORM = {"L": "lp"}
ASKED = {
    "conv": asked(Conv((2,))),
    "average": asked(AvgPool((2,))),
    "average, padded": asked(AvgPool((2,), padding=1)),
    "average 2-D": asked(AvgPool(2, 1)),
    "average, any stride": asked(AvgPool(2), sizes={"T": "stride"}),
    "maximum": asked(MaxPool((2,)), functions=NORM),
    "maximum 2-D": asked(MaxPool(2)),
    "maximum, padded": asked(MaxPool((2,), padding=1), functions=NORM),
    "maximum, stride 1": asked(MaxPool((2,), 1)),
    "maximum, split": asked(MaxPool((2,), ties="split")),
    "norm": asked(LPPool(2, (2,)), functions=NORM),
    "norm 3": asked(LPPool(3, (2,)), functions=NORM),
    "norm without signs": asked(LPPool(3, (2,)), functions={"L": "lp without absolute value"}),
}

TRUE = [
    # products and powers
    ("average 2-D", "c[p,q] == sum(a[p+m-1, q+n-1], (m,1,K), (n,1,K))/(K*K)"),
    ("average 2-D", "c[p,q] == sum(a[p+m-1, q+n-1], (m,1,K), (n,1,K))/K**2"),
    ("average 2-D", r"c_{pq} = \frac{1}{K^2} \sum_{m=1}^{K}\sum_{n=1}^{K} a_{p+m-1,q+n-1}"),
    ("average, any stride", "c[p,q] == sum(a[T*(p-1)+m, T*(q-1)+n], (m,1,K), (n,1,K))/K**2"),
    ("average", "c[p]*size(S[p]) == sum(a[s], s in S[p])"),
    ("conv", "sum(b[m]**2, (m,1,K)) == sum(b[m]*b[m], (m,1,K))"),
    ("conv", "sum(b[m], (m,1,K))**2 == sum(b[m]*b[n], (m,1,K), (n,1,K))"),
    ("conv", "(b[1]+a[K])**2 == b[1]**2 + 2*b[1]*a[K] + a[K]**2"),
    ("conv", "a[1]**2*a[1]**5 == a[1]**7"),
    ("conv", "abs(a[1])**2*abs(a[1])**4 == a[1]**6"),
    ("conv", "a[1]*a[1]*a[1]*a[1]*a[1] == a[1]**5"),
    # powers by sizes
    ("conv", "2**K*2**(-K) == 1"),
    ("conv", "K**I*K**(-I) == 1"),
    ("conv", "2**K*2**I == 2**(K+I)"),
    ("conv", "2**(K+1) == 2*2**K"),
    ("conv", "2**(K-1)*2 == 2**K"),
    ("conv", "2**K*3**K == 6**K"),
    ("conv", "4**K == 2**(2*K)"),
    ("conv", "(2**K)**I == 2**(I*K)"),
    ("conv", "8**K*2**(-3*K) == 1"),
    ("conv", "(2/3)**K*6**K == 4**K"),
    ("conv", "(-2)**K*(-2)**K == 4**K"),
    ("conv", "(-6)**K*3**(-K) == (-2)**K"),
    ("conv", "(-1)**(K+1) == -(-1)**K"),
    ("conv", "(-1)**(3*K) == (-1)**K"),
    ("conv", "2**(1/2)*2**K == 2**(K+1/2)"),
    ("conv", "2**(K/2)*2**(K/2) == 2**K"),
    ("conv", "4**(K/2) == 2**K"),
    ("conv", "1**K == 1"),
    ("conv", "0**K == 0"),
    ("conv", "a[1]**K*a[1]**I == a[1]**(K+I)"),
    ("conv", "a[1]**K*a[1] == a[1]**(K+1)"),
    ("conv", "(2*a[1]*b[1])**K == 2**K*a[1]**K*b[1]**K"),
    ("conv", "(a[1]**K)**I == a[1]**(K*I)"),
    ("conv", "abs(a[1])**(K/2)*abs(a[1])**(K/2) == abs(a[1])**K"),
    # absolute values
    ("conv", "abs(-c[p]) == abs(c[p])"),
    ("conv", "abs(a[p]*b[1]) == abs(a[p])*abs(b[1])"),
    ("conv", "abs(c[p])**2 == c[p]**2"),
    ("conv", "abs(abs(c[p])) == abs(c[p])"),
    ("conv", "abs(b[1]-a[1]) == abs(a[1]-b[1])"),
    ("conv", "abs(K) == K"),
    # roots
    ("conv", "2**(1/2)*2**(1/2) == 2"),
    ("conv", "8**(1/2) == 2*2**(1/2)"),
    ("conv", "(1/2)**(1/2) == 2**(1/2)/2"),
    ("conv", "2**(1/2)*c[p]*3**(1/2) == 6**(1/2)*c[p]"),
    ("conv", "(2**(1/2)+3**(1/2))**2 == 5+2*6**(1/2)"),
    ("conv", "1/(2**(1/2)-1) == 2**(1/2)+1"),
    ("conv", "1/(2**(1/3)-1) == 4**(1/3)+2**(1/3)+1"),
    ("conv", "a[1]/(2**(1/2)-1) - a[1] == 2**(1/2)*a[1]"),
    ("conv", "(5+2*6**(1/2))**(1/2) == 2**(1/2)+3**(1/2)"),
    ("conv", "(5+2*6**(1/2))**(1/2)*c[p] == 2**(1/2)*c[p] + c[p]*3**(1/2)"),
    ("conv", "(2+5**(1/2))**(1/3) - (5**(1/2)-2)**(1/3) == 1"),
    ("conv", "(2**(1/3)-1)**(1/3) == (1/9)**(1/3) - (2/9)**(1/3) + (4/9)**(1/3)"),
    ("conv", "(2**(1/2)*a[1]+b[1])**2 == 2*a[1]**2 + 2*2**(1/2)*a[1]*b[1] + b[1]**2"),
    ("conv", "(2**(1/2)+1)**17*(2**(1/2)-1)**17 == 1"),
    ("conv", "abs(1-2**(1/2)) == 2**(1/2)-1"),
    ("conv", "abs((1-2**(1/2))*c[p]) == (2**(1/2)-1)*abs(c[p])"),
    ("maximum", "max((3-2*2**(1/2))**(1/2)*a[s], s in S[p]) == (2**(1/2)-1)*c[p]"),
    ("conv", "(b[1]**2)**(1/2) == abs(b[1])"),
    ("conv", "abs(b[1])**(1/2)*abs(b[1])**(1/2) == abs(b[1])"),
    ("norm", "c[p]**2 == sum(a[s]**2, s in S[p])"),
    ("norm 3", "c[p]**3 == sum(abs(a[s])**3, s in S[p])"),
    ("norm 3", "c[p]**6 == sum(abs(a[s])**3, s in S[p])**2"),
    ("norm without signs", "L(A, S[p], 2)**2 == sum(a[s]**2, s in S[p])"),
    # maxima
    ("maximum", "max(2*a[s], s in S[p]) == 2*c[p]"),
    ("maximum", "max(a[s]+1, s in S[p]) == c[p]+1"),
    ("maximum", "max(3*a[s]/2+a[1], s in S[p]) == 3*c[p]/2+a[1]"),
    ("maximum", "max(K*a[s], s in S[p]) == K*c[p]"),
    ("maximum", "max(2*max(a[s], s in S[p]), t in S[p]) == 2*c[p]"),
    ("maximum", "max(0*a[s], s in S[p]) == 0"),
    ("maximum", "limit(L(A, S[p], q), q, oo) == max(abs(a[s]), s in S[p])"),
    ("norm", "limit(L(A, S[p], q), q, oo) == max(abs(a[s]), s in S[p])"),
    # minima
    ("maximum", "min(setof(K*a[s], s in S[p])) == K*min(setof(a[s], s in S[p]))"),
    ("maximum", "min(setof(3*a[s]/2+a[1], s in S[p])) == 3*min(setof(a[s], s in S[p]))/2+a[1]"),
    ("conv", "min(b[m]+a[p], (m,1,K)) == min(b[m], (m,1,K))+a[p]"),
    ("conv", "min(K, (m,1,K)) == K"),
    ("conv", "max(-K*a[m], (m,1,I)) == -K*min(a[m], (m,1,I))"),
    ("conv", "min(-2*a[m]*a[m], (m,1,I)) == -2*max(a[m]**2, (m,1,I))"),
    ("conv", "min(K*a[p], (m,1,K)) == K*a[p]"),
    # sums in pieces
    ("conv", "sum(b[m], (m,1,K)) - b[1] == sum(b[m], (m,2,K))"),
    ("conv", "sum(b[m], (m,1,min(K,3))) + sum(b[m], (m,min(K,3)+1,K)) == sum(b[m], (m,1,K))"),
    ("conv", "sum(b[m], (m,1,K)) - b[K] == sum(b[m], (m,1,K-1))"),
    ("conv", "c[p] == a[p]*b[1] + sum(a[p+m]*b[m+1], (m,1,K-1))"),
    ("conv", "sum((m+1)*b[m], (m,1,K)) - sum(m*b[m], (m,1,K)) == sum(b[m], (m,1,K))"),
    # sums in closed form
    ("conv", "sum(m, (m,1,K)) == K*(K+1)/2"),
    ("conv", "sum(m, (m,2,K)) == K*(K+1)/2 - 1"),
    ("conv", "sum(m**2, (m,1,K)) == K*(K+1)*(2*K+1)/6"),
    ("conv", "sum(m, (m,-K,K)) == 0"),
    ("conv", "sum(n, (m,1,K), (n,1,m)) == K*(K+1)*(K+2)/6"),
    ("conv", "sum(m*b[n], (m,1,K), (n,1,K)) == K*(K+1)/2*sum(b[n], (n,1,K))"),
    # sums that may be empty
    ("conv", "max(K-3, 0) == sum(1, (m,4,K))"),
    ("conv", "max(K-3, 0)*a[p] == sum(a[p], (m,4,K))"),
    ("conv", "sum(m, (m,4,K)) == max(K-3, 0)*(K+4)/2"),
    ("conv", "sum(m**2, (m,3,K)) == sum(m**2, (m,1,K)) - 4*min(K,2) + 3"),
    ("conv", "max(4-K, 0) == sum(1, (m,K,3))"),
    ("conv", "min(K, 3) == K - sum(1, (m,4,K))"),
    ("conv", "sum(1, (m,1,K), (n,m,3)) == sum(max(4-m, 0), (m,1,K))"),
    *((layer, "sum(diff(c[p], a[i]), (i,1,I)) == 1") for layer in ("maximum", "maximum, stride 1", "maximum, split")),
    ("maximum 2-D", "sum(diff(c[p,q], a[i,j]), (i,1,I), (j,1,I)) == 1"),
]

FALSE = [
    ("conv", "2**K*2**(-K) == 2"),
    ("conv", "2**(K+1) == 2**K + 2"),
    ("conv", "2**(K-1)*4 == 2**K"),
    ("conv", "2**K*3**K == 5**K"),
    ("conv", "(-2)**K*(-2)**K == -4**K"),
    ("conv", "(-1)**(3*K+1) == (-1)**K"),
    ("conv", "(-2)**I*2**(-K) == -(-2)**(I-K)"),
    ("conv", "(2**K)**I == 2**(I+K+1)"),
    ("conv", "0**K == 1"),
    ("conv", "a[1]**K*a[1]**I == a[1]**(K*I+1)"),
    ("conv", "abs(a[1])**K*abs(a[1])**I == -abs(a[1])**(K+I)"),
    ("conv", "max(-K*a[m], (m,1,I)) == K*max(a[m], (m,1,I))"),
    ("conv", "max(-a[m], (m,1,I)) == -max(a[m], (m,1,I))"),
    ("conv", "min(a[p]*b[m], (m,1,K)) == a[p]*min(b[m], (m,1,K))"),
    ("conv", "min(b[m]+m, (m,1,K)) == min(b[m], (m,1,K))+1"),
    ("conv", "min(b[m], (m,1,K)) == b[1]"),
    ("conv", "min(b[m], (m,1,K)) == max(b[m], (m,1,K))"),
    ("average, padded", "c[p]*size(S[p]) == sum(a[s], s in S[p])"),
    ("conv", "(1000000*1000000*1000000+1)**(1/2)*c[p] == 1000000*1000*c[p]"),
    ("conv", "(a[p]*b[1])**2 == a[p]*b[1]**2"),
    ("average 2-D", "c[p,q] == sum(a[p+m-1, q+n-1], (m,1,K), (n,1,K))/K"),
    ("average 2-D", "c[p,q] == sum(a[p+m-1, q+n-1], (m,1,K), (n,1,K))/K**3"),
    ("conv", "sum(b[m]**2, (m,1,K)) == sum(b[m]*b[1], (m,1,K))"),
    ("conv", "sum(b[m], (m,1,K))**2 == sum(b[m]**2, (m,1,K))"),
    ("conv", "abs(a[p]*b[1]) == a[p]*b[1]"),
    ("conv", "abs(-c[p]) == -abs(c[p])"),
    ("conv", "abs(a[p]+b[1]) == abs(a[p])+abs(b[1])"),
    ("conv", "abs(c[p])**3 == c[p]**3"),
    ("conv", "abs(c[p])*c[p] == c[p]**2"),
    ("conv", "abs(K-3) == K-3"),
    ("conv", "2**(1/2)*2**(1/2) == 3"),
    ("conv", "2**(1/2)+3**(1/2) == 5**(1/2)"),
    ("conv", "(2**(1/2)+3**(1/2))**2 == 5+2*5**(1/2)"),
    ("conv", "1/(2**(1/2)-1) == 2**(1/2)-1"),
    ("conv", "(5+2*6**(1/2))**(1/2) == 3**(1/2)-2**(1/2)"),
    ("conv", "(5+2*6**(1/2))**(1/2) == 2**(1/2)+3**(1/2)+1/10**30"),
    ("conv", "(5+2*6**(1/2))**(1/2)*c[p] == 2**(1/2)*c[p] + c[p]*2**(1/2)"),
    ("conv", "2**(1/2) == 141421/100000 + 35623/10**10 + 73095/10**15 + 4880/10**19"),
    ("conv", "abs(1-2**(1/2)) == 1-2**(1/2)"),
    ("maximum", "max((2-2*2**(1/2))*a[s], s in S[p]) == (2-2*2**(1/2))*c[p]"),
    ("conv", "8**(1/2) == 3*2**(1/2)"),
    ("conv", "(b[1]**2)**(1/2) == b[1]"),
    ("norm", "c[p] == sum(a[s]**2, s in S[p])"),
    ("norm", "c[p]**2 == sum(a[s], s in S[p])**2"),
    ("norm 3", "c[p]**3 == sum(a[s]**3, s in S[p])"),
    ("norm 3", "c[p]**2 == sum(abs(a[s])**2, s in S[p])"),
    ("norm without signs", "L(A, S[p], 3)**3 == sum(abs(a[s])**3, s in S[p])"),
    ("maximum", "max(-2*a[s], s in S[p]) == -2*c[p]"),
    ("maximum", "max(2*a[s], s in S[p]) == 3*c[p]"),
    ("maximum", "max((K-3)*a[s], s in S[p]) == (K-3)*c[p]"),
    ("maximum", "max(a[s]+s, s in S[p]) == c[p]+1"),
    ("maximum", "max(a[s]*a[1], s in S[p]) == c[p]*a[1]"),
    ("maximum", "limit(L(A, S[p], q), q, oo) == max(a[s], s in S[p])"),
    ("conv", "sum(b[m], (m,1,K)) - b[1] == sum(b[m], (m,3,K))"),
    ("conv", "sum(b[m], (m,1,K)) - b[1] == sum(b[m], (m,1,K-1))"),
    ("conv", "sum(b[m], (m,1,min(K,3))) + sum(b[m], (m,min(K,3),K)) == sum(b[m], (m,1,K))"),
    ("conv", "c[p] == a[p]*b[1] + sum(a[p+m-1]*b[m+1], (m,1,K-1))"),
    ("conv", "sum((m+1)*b[m], (m,1,K)) - sum(m*b[m], (m,1,K)) == 2*sum(b[m], (m,1,K))"),
    ("conv", "sum(m, (m,1,K)) == K*(K-1)/2"),
    ("conv", "sum(m*b[m], (m,1,K)) == K*(K+1)/2*b[1]"),
    ("maximum", "sum(diff(c[p], a[i]), (i,1,I)) == 2"),
    ("maximum", "sum(diff(c[p], a[i]), (i,2,I)) == 1"),
    ("maximum", "sum(i*diff(c[p], a[i]), (i,1,I)) == 1"),
    ("maximum", "sum(diff(c[p], a[i]), (p,1,O)) == 1"),
]

# At the one size that is asked about it holds.
FALSE_IN_GENERAL = [
    ("conv", "(-1)**K == 1"),
    ("conv", "(-2)**K == 2**K"),
    ("conv", "(K**2)**(1/2)*(-1)**K == K"),
    ("conv", "2**K == 2*K"),
    ("conv", "a[1]**K*a[1]**I == a[1]**(3*K)"),
    ("conv", "(a[1]**2)**(K/2) == a[1]**K"),
    ("conv", "max(K-3, 0) == sum(1, (m,3,K))"),
    ("conv", "max(K-4, 0) == sum(1, (m,4,K))"),
    ("conv", "sum(m, (m,4,K)) == max(K-3, 0)*(K+3)/2"),
    ("conv", "sum(m, (m,3,K)) == K*(K+1)/2 - 3"),
]

# A root of what may be negative has no value there, so these hold at best where it has one.
OPEN = [
    ("conv", "(b[1]**(1/2))**2 == abs(b[1])"),
    ("conv", "(b[1]**3)**(1/3) == abs(b[1])"),
    ("conv", "(b[1]*a[1])**(1/2) == b[1]**(1/2)*a[1]**(1/2)"),
]


@pytest.mark.parametrize(("layer", "claim"), TRUE)
def test_true_lines_are_exact_at_one_size_and_proved_for_all(layer: str, claim: str) -> None:
    for general, due in ((False, "exact"), (True, "proved")):
        verdict = sc.check_claim(claim, ASKED[layer], general=general)
        assert verdict.status == due, str(verdict)
        assert not verdict.conditions


@pytest.mark.parametrize(("layer", "claim"), FALSE)
def test_false_neighbours_are_refuted(layer: str, claim: str) -> None:
    for general in (False, True):
        verdict = sc.check_claim(claim, ASKED[layer], general=general)
        assert verdict.status == "refuted", str(verdict)


@pytest.mark.parametrize(("layer", "claim"), FALSE_IN_GENERAL)
def test_what_fails_at_some_size_is_not_proved(layer: str, claim: str) -> None:
    assert sc.check_claim(claim, ASKED[layer], general=True).status == "refuted"


@pytest.mark.parametrize(("layer", "claim"), OPEN)
def test_roots_of_unknown_sign_are_not_taken_apart(layer: str, claim: str) -> None:
    for general in (False, True):
        assert not sc.check_claim(claim, ASKED[layer], general=general).holds


def test_a_window_without_a_real_tap_has_a_norm_and_no_maximum() -> None:
    """The limit of norms of nothing is 0, and the maximum of nothing is minus infinity: kernel 1, padding 1."""
    line = "limit(L(A, S[p], q), q, oo) == max(abs(a[s]), s in S[p])"
    assert not sc.check_claim(line, ASKED["maximum, padded"], general=True).holds
    assert sc.check_claim(line, ASKED["maximum, padded"]).status == "exact"  # kernel 2: every window has a real tap


def test_the_gradient_of_a_window_without_a_real_tap_is_nothing_to_speak_of() -> None:
    """A maximum over nothing has no value, and so no derivative: kernel 1, padding 1."""
    line = "sum(diff(c[p], a[i]), (i,1,I)) == 1"
    general = sc.check_claim(line, ASKED["maximum, padded"], general=True)
    assert (general.status, general.conditions) == ("proved", ("every window holds an entry of the input",))
    literal = sc.check_claim(line, ASKED["maximum, padded"])
    assert (literal.status, literal.conditions) == ("exact", ())  # kernel 2: every window has a real tap
    for every in (False, True):
        wrong = sc.check_claim(line.replace("== 1", "== 2"), ASKED["maximum, padded"], general=every)
        assert wrong.status == "refuted"
