"""Window sets, sets without indices, and norms over them: beside each line the verdict, worked out by hand.

``POOL`` has windows of two, one beside the other, over four entries: S_1 = {1, 2} and S_2 = {3, 4}.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from claims.told import told

import symconv as sc
from symconv.claims.declarations import Declarations
from symconv.claims.meaning.lowering import lower
from symconv.claims.meaning.scope import literal_scope
from symconv.claims.reading.language import read_claim
from symconv.errors import ClaimError

NORMS = {"L": "lp", "N": "lp without absolute value", "W": "l2"}
POOL = Declarations(sc.MaxPool((2,), 2), (4,), sets=("S",), functions=NORMS, indices={"i": "input 1"})
PADDED = Declarations(sc.AvgPool((3,), 2, 1), (5,), sets=("S",), functions=NORMS)  # S_1 = {1, 2}, S_2 = {2, 3, 4}
DILATED = Declarations(sc.MaxPool((2,), 1, 0, 2), (5,), sets=("S", "T"), functions=NORMS, base=0)  # S_0 = {0, 2}
CONV = Declarations(sc.Conv((2,)), (4,), sets=("S",), functions=NORMS, upper="k")
PLANE = Declarations(sc.MaxPool((2, 1), 1), (3, 2), sets=("S",), functions=NORMS)
DEEP = Declarations(sc.Conv((2,), in_channels=2, out_channels=2), (4,), sets=("S",), functions=NORMS)
ROOT = Declarations(sc.LPPool(2, (2,), 1), (3,), sets=("S",), functions=NORMS)
KNOWN = "declared: a, c, g, E, A, G, C, I, O, K, L, N, W, S"

SETS = [
    ("S == 1", "error: S is a set and stands where a value is wanted"),
    ("a[1]*L == 1", "error: L is a norm and stands where a value is wanted"),
    ("size(S[p]) == 2", "exact"),
    ("size(S[p]) == 3", "2, not 3 at p = 1"),
    ("abs(S[p]) == 2", "exact"),
    ("card(S[p]) == 2", "exact"),
    ("size(S[0]) == 0", "no S[0]"),
    ("size(S[p,p]) == 2", "error: S has 1 index, and 2 are given"),
    ("size(c[p]) == 2", "error: the set 'c' is not declared (declared: S)"),
    ("size(T[p]) == 2", "error: the set 'T' is not declared (declared: S)"),
    ("abs(S) == size(S)", "exact"),
    ("size(S) == 2", "exact"),
    ("size(S) == 4", "2, not 4"),
    ("sum(1, s in S) == size(S)", "exact"),
    ("sum(1, s in S[p]) == size(S[p])", "exact"),
    ("sum(a[s], s in S) == a[1] + a[2]", "exact"),
    ("sum(a[s], s in S) == size(S)*a[1]", "1, not 2 at a[1] = 1"),
    ("c[p] == max(a[s], s in S[p])", "exact"),
    ("c[p] == max(a[s], s in S[1])", "0, not 1 at p = 2, a[1] = 1"),
    ("sum(a[s], s in S[p]) == a[2*p-1] + a[2*p]", "exact"),
    ("sum(a[s], s in S[p]) == a[p] + a[p+1]", "0, not 1 at p = 2, a[2] = 1"),
    ("sum(a[s], s in S[p], t in S[p]) == 2*sum(a[s], s in S[p])", "exact"),
    ("sum(a[s], (q,1,2), s in S[q]) == sum(a[s], (s,1,4))", "exact"),
    ("sum(a[s], (q,1,2), s in S[q]) == sum(a[s], (s,1,3))", "1, not 0 at a[4] = 1"),
    ("sum(a[s], (q,1,2), s in S[q], (t,1,2)) == 2*sum(a[s], (s,1,4))", "exact"),
    ("sum(cases((a[s], s <= p), (0,)), s in S[1]) == cases((a[1], p == 1), (a[1] + a[2],))", "exact"),
    ("sum(s, s in S[2]) == 7", "exact"),
    ("sum(s, s in S[2]) == 6", "7, not 6"),
    ("sum(s*q, (q,1,2), s in S[q]) == 17", "exact"),
    ("sum(s*t, s in S[1], t in S[2]) == 21", "exact"),
    ("sum(a[s], s in S[p+1]) == a[2*p+1] + a[2*p+2]",
     "exact if windows of S outside are empty if entries of a outside count as 0"),
    ("sum(a[s], (s,1,2), s in S[p]) == 1",
     "error: s is summed over twice, one sum inside the other; take another letter for one of them"),
    ("sum(a[s], s in S[p], s in S[p]) == 1",
     "error: s is summed over twice, one sum inside the other; take another letter for one of them"),
    ("sum(a[s], s in T[p]) == 1", "error: the set 'T' is not declared (declared: S)"),
    ("sum(a[s], (s, t) in S[p]) == 1", "error: a member of S has 1 coordinates, and 2 are named"),
    ("sum(a[p], p in S[1]) == a[1] + a[2]", "exact"),
    ("sum(a[p], (p,1,2)) == a[1] + a[2]", "exact"),
    ("L(A,S[1],p) == sum(a[p], (p,1,2))",
     "error: p is the order of a norm here and cannot be summed over; take another letter"),
    *((f"sum(a[{name}], {over}) == 1", f"error: {name} is declared as a tensor and cannot be summed over")
      for name in ("a", "c", "g", "E", "A", "C") for over in (f"{name} in S[p]", f"({name},1,2)")),
    # a minimum over a set
    ("c[p] == min(setof(a[s], s in S[p]))", "1, not 0 at p = 1, a[1] = 1"),
    ("-c[p] == min(setof(-a[s], s in S[p]))", "exact"),
    ("min(setof(a[s], s in S[p])) == -max(-a[s], s in S[p])", "exact"),
    ("min(setof(a[s], s in S)) == -max(-a[s], s in S)", "exact"),
    ("min(setof(a[s], s in S[p])) == max(a[s], s in S[p])", "0, not 1 at p = 1, a[1] = 1"),
    ("min(setof(a[s], s in S[p])) == sum(a[s], s in S[p])", "0, not 1 at p = 1, a[1] = 1"),
    ("max(setof(a[s], s in S[p])) == c[p]", "exact"),
    ("min(setof(a[s], s in S[3])) == 0", "no S[3]"),
    ("sum(diff(min(setof(a[s], s in S[p])), a[j]), (j,1,I)) == 1",
     "exact if of equal minima the gradient goes as of equal maxima"),
    ("sum(diff(min(setof(a[s], s in S[p])), a[j]), (j,1,I)) == 2", "1, not 2 at p = 1, a[1] = 1"),
    ("1 + min(setof(a[s], s in S[p]), setof(a[s], s in S[p])) == 1",
     "error: a set stands where a single value is wanted; take its maximum with max"),
]  # fmt: skip

OF_NORMS = [
    ("L(A,S[p],1) == sum(abs(a[s]), s in S[p])", "exact"),
    ("L(A,S[p],1) == sum(a[s], s in S[p])", "1, not -1 at p = 1, a[1] = -1"),
    ("N(A,S[p],1) == sum(a[s], s in S[p])", "exact"),
    ("N(A,S[p],1) == sum(abs(a[s]), s in S[p])", "-1, not 1 at p = 1, a[1] = -1"),
    ("L(A,S[p],2)**2 == sum(a[s]**2, s in S[p])", "exact"),
    ("L(A,S[p],2)**2 == sum(a[s], s in S[p])", "1, not -1 at p = 1, a[1] = -1"),
    ("L(A,S[p],2) == sum(a[s]**2, s in S[p])", "2, not 4 at p = 1, a[1] = 2"),
    ("N(A,S[p],2)**2 == sum(a[s]**2, s in S[p])", "exact"),
    ("L(A,S[p],3)**3 == sum(abs(a[s])**3, s in S[p])", "exact"),
    ("L(A,S[p],3)**3 == sum(abs(a[s])**2, s in S[p])", "8, not 4 at p = 1, a[1] = 2"),
    ("L(A,S[p],3)**3 == sum(a[s]**3, s in S[p])", "1, not -1 at p = 1, a[1] = -1"),
    ("L(A,S[p],3/2)**(3/2) == sum(abs(a[s])**(3/2), s in S[p])", "exact"),
    ("N(A,S[p],3)**3 == sum(a[s]**3, s in S[p])",
     "error: takes N(A, S[p], 3), which has no value at p = 1, with a[1] = -1 and all other entries 0"),
    ("L(a,S[p],2) == L(A,S[p],2)", "exact"),
    ("L(A,S[p],oo) == max(abs(a[s]), s in S[p])", "exact"),
    ("L(A,S[p],oo) == max(a[s], s in S[p])", "1, not 0 at p = 1, a[1] = -1"),
    ("L(A,S,oo) == max(abs(a[s]), s in S)", "exact"),
    ("N(A,S[p],oo) == max(a[s], s in S[p])", f"error: the name 'oo' is not declared ({KNOWN})"),
    ("sum(L(A,S[q],1), (q,1,2)) == sum(abs(a[s]), (s,1,4))", "exact"),
    ("sum(L(A,S[q],j), (q,1,2), (j,1,1)) == sum(abs(a[s]), (s,1,4))", "exact"),
    ("L(A,S[3],1) == 0", "no S[3]"),
    ("L(A,S[3],oo) == 0", "no S[3]"),
    ("L(A,S[p+1],1) == sum(abs(a[s]), s in S[p+1])", "exact if windows of S outside are empty"),
    ("L(A,S[p+1],1) == 0", "1, not 0 at p = 1, a[3] = 1"),
    ("L(A,S[p+1],oo) == 0", "1, not 0 at p = 1, a[3] = 1"),
    # over the set without indices, which need not be written
    ("L(A,S,2)**2 == sum(a[s]**2, s in S)", "exact"),
    ("L(A,2)**2 == sum(a[s]**2, s in S)", "exact"),
    ("L(A,2)**2 == sum(a[s], s in S)", "1, not -1 at a[1] = -1"),
    ("L(A,1) == L(A,S,1)", "exact"),
    ("L(A,1) == sum(a[s], s in S)", "1, not -1 at a[1] = -1"),
    # of an order that is left open
    ("L(A,S[j],p)**p == sum(abs(a[s])**p, s in S[j])", "proved"),
    ("L(A,S[j],p) == sum(abs(a[s])**p, s in S[j])**(1/p)", "proved"),
    ("L(A,S[j],p) == sum(abs(a[s]), s in S[j])**(1/p)", "2, not 2**(1/2) at p = 2, j = 1, a[1] = 2"),
    ("L(A,S[j],p) == sum(abs(a[s])**p, s in S[j])", "2, not 4 at p = 2, j = 1, a[1] = 2"),
    ("L(A,S[j],p)**(2*p) == (L(A,S[j],p)**p)**2", "proved"),
    ("upper(a[1], p) + 0*L(A,S[j],p) == 1", "0, not 1 at p = 1, j = 1"),
    ("N(A,S[j],p) == sum(a[s]**p, s in S[j])**(1/p)",
     "error: takes N(A, S[j], p), which has no value at p = 3, j = 1, with a[1] = -1 and all other entries 0"),
    # what is no norm
    ("L(A,S[p],0) == 1", "error: the order of a norm must be at least 1, got 0"),
    ("L(A,S[p],1/2) == 1", "error: the order of a norm must be at least 1, got 1/2"),
    ("L(A,S[p],-1) == 1", "error: the order of a norm must be at least 1, got -1"),
    ("L(A,S[p],q) == 1", f"error: the name 'q' is not declared ({KNOWN})"),
    ("L(setof(a[s], s in S[p])) == 1", "error: L takes (array, set, order) or (array, order), got 1 arguments"),
    ("foo(setof(a[s], s in S[p])) == 1", "error: the function 'foo' is not declared (declared: floor, ceil, mod, abs, "
     "max, min, size, diff, sum, L, N, W); did you mean floor?"),
    ("L(A) == 1", "error: L takes (array, set, order) or (array, order), got 1 arguments"),
    ("L(A,S[p],2,2) == 1", "error: L takes (array, set, order) or (array, order), got 4 arguments"),
    ("W(A,S[p],2) == 1", "error: functions: 'W' must be one of 'lp', 'lp without absolute value', 'relu', 'sigmoid', "
     "'tanh', 'exp', 'log', 'softplus', 'correlation', 'convolution', 'full correlation', 'full convolution', "
     "'rotation', got 'l2'"),
    ("L(A,T[p],2) == 1", "error: the set 'T' is not declared (declared: S)"),
    ("L(G,S[2],1) == 0", "error: L is taken of the whole input, which is A"),
    ("L(B,S[p],1) == 0", "error: L is taken of the whole input, which is A"),
    ("L(a[1],S[p],1) == L(A,S[p],1)", "error: L is taken of the whole input, which is A"),
    ("L(A**2,S[p],1) == L(A,S[p],1)", "error: L is taken of the whole input, which is A"),
    ("L(2,S[p],1) == 2", "error: L is taken of the whole input, which is A"),
]  # fmt: skip

NO_NORM = "error: the limit in q is not that of a norm (sum |x|^q)^(1/q)"
LIMITS = [
    ("limit(L(A,S[p],q), q, oo) == max(abs(a[s]), s in S[p])", "exact"),
    ("limit(L(A,S[p],q), q, infinity) == max(abs(a[s]), s in S[p])", "exact"),
    ("limit(L(A,S[p],q), q, oo) == max(a[s], s in S[p])", "1, not 0 at p = 1, a[1] = -1"),
    ("limit(L(A,S,q), q, oo) == max(abs(a[s]), s in S)", "exact"),
    # what the norm is of, or over what, changes with its order
    ("limit(sum(abs(q*a[s])**q, s in S[p])**(1/q), q, oo) == 1", NO_NORM),
    ("limit(sum(abs(a[q])**q, s in S[p])**(1/q), q, oo) == 1", NO_NORM),
    ("limit(sum(abs(a[s])**q, (s,1,q))**(1/q), q, oo) == 1", NO_NORM),
    ("limit(sum(abs(a[s])**q, s in S[p])**(1/q), q, oo) == L(A,S[p],oo)", "exact"),
    ("limit(sum(abs(a[s])**q, (s,1,3))**(1/q), q, oo) == max(abs(a[s]), (s,1,3))", "exact"),
    ("limit(sum(abs(a[s])**q, (s,1,3))**(1/q), q, oo) == max(abs(a[s]), (s,1,4))", "0, not 1 at a[4] = 1"),
    ("limit(sum(abs(a[s])**q, (s,2,2))**(1/q), q, oo) == abs(a[2])", "exact"),
    ("limit(sum(abs(a[s])**q, (s,3,2))**(1/q), q, oo) == 0", "exact"),
    ("limit(sum(abs(a[s] - a[1])**q, (s,1,2))**(1/q), q, oo) == max(abs(a[s] - a[1]), (s,1,2))", "exact"),
    ("sum(limit(sum(abs(a[s])**q, (s,j,j))**(1/q), q, oo), (j,1,2)) == abs(a[1]) + abs(a[2])", "exact"),
    ("limit(sum(a[s]**q, s in S[p])**(1/q), q, oo) == 1", NO_NORM),
    ("limit(sum(abs(a[s])**q, s in S[p])**(2/q), q, oo) == 1", NO_NORM),
    ("limit(sum(abs(a[s])**q, s in S[p])**q, q, oo) == 1", NO_NORM),
    ("limit(sum(abs(a[s])**2, s in S[p])**(1/q), q, oo) == 1", NO_NORM),
    ("limit(sum(abs(a[s])**2, s in S[p])**(1/2), q, oo) == 1", NO_NORM),
    ("limit(sum(abs(a[s])**q, s in S[p]), q, oo) == 1", NO_NORM),
    ("limit(sum(abs(a[s]), s in S[p])**(1/q), q, oo) == 1", NO_NORM),
    ("limit((abs(a[p])**q)**(1/q), q, oo) == 1", NO_NORM),
    ("limit(a[p]**(1/q), q, oo) == 1", NO_NORM),
    ("limit(a[p], q, oo) == 1", NO_NORM),
    ("limit(sum(q*abs(a[s])**q, s in S[p])**(1/q), q, oo) == 1", NO_NORM),
    ("limit(sum(abs(q*a[s])**q, s in S[p])**(1/q), q, oo) == 1", NO_NORM),
    ("limit(sum(abs(a[s])**q, (s,1,q))**(1/q), q, oo) == 1", NO_NORM),
    ("limit(max(abs(a[s])**q, s in S[p])**(1/q), q, oo) == 1", NO_NORM),
    ("limit(min(setof(abs(a[s])**q, s in S[p]))**(1/q), q, oo) == max(abs(a[s]), s in S[p])", NO_NORM),
    ("limit(L(A,S[p],q), q, 3) == 1", "error: only limits to infinity are read"),
    ("limit(L(A,S[p],q), q, K) == 1", "error: only limits to infinity are read"),
    ("limit(L(A,S[p],q), S, oo) == 1",
     "error: S has a meaning of its own and cannot be summed over; take another letter"),
    ("sum(limit(L(A,S[p],q), q, oo), (q,1,2)) == 1",
     "error: q is summed over twice, one sum inside the other; take another letter for one of them"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "due"), [*SETS, *OF_NORMS, *LIMITS])
def test_a_line_over_a_set_means_what_it_says(text: str, due: str) -> None:
    assert told(sc.check_claim(text, POOL)) == due


@pytest.mark.parametrize(
    ("declared", "text", "due"),
    [
        (PADDED, "size(S[1]) == 2", "exact"),
        (PADDED, "size(S[p]) == 2", "3, not 2 at p = 2"),
        (PADDED, "sum(a[s], s in S[3]) == a[4] + a[5]", "exact"),
        (PADDED, "sum(a[s], s in S[2]) == a[2] + a[3]", "1, not 0 at a[4] = 1"),
        (PADDED, "L(A,S[1],1) == abs(a[1]) + abs(a[2])", "exact"),
        (PADDED, "L(A,S[1],1) == abs(a[1])", "1, not 0 at a[2] = 1"),
        (PADDED, "L(A,S[3],oo) == max(abs(a[s]), (s,4,5))", "exact"),
        (PADDED, "L(A,S[3],oo) == max(abs(a[s]), (s,4,4))", "1, not 0 at a[5] = 1"),
        (DILATED, "c[p] == max(a[s], s in S[p])", "exact"),
        (DILATED, "sum(a[s], s in S[p]) == a[p] + a[p+2]", "exact"),
        (DILATED, "sum(a[s], s in S[p]) == a[p] + a[p+1]", "0, not 1 at p = 0, a[1] = 1"),
        (DILATED, "L(A,S[0],1) == abs(a[0]) + abs(a[2])", "exact"),
        (DILATED, "size(S[p]) == 2", "exact"),
        (DILATED, "L(A,S,1) == L(A,1)", "exact"),  # the first of two sets
        (DILATED, "L(A,T,1) == L(A,1)", "error: S and T are two sets without indices; a claim speaks of one"),
        (DILATED, "L(A,T,1) == sum(abs(a[s]), s in T)", "exact"),
        (replace(DILATED, op=sc.MaxPool((2,), 1, 0, 3)), "sum(a[s], s in S[p]) == a[p] + a[p+3]", "exact"),
        (replace(DILATED, op=sc.MaxPool((2,), 1, 0, 3)), "size(S[p]) == 2", "exact"),
        (replace(PADDED, op=sc.AvgPool((2,), 1, ((0, 1),)), input_size=(3,)), "size(S[3]) == 1", "exact"),
        (replace(PADDED, op=sc.AvgPool((2,), 1, ((0, 1),)), input_size=(3,)), "size(S[2]) == 2", "exact"),
        (replace(PADDED, op=sc.AvgPool((2,), 1, ((1, 0),)), input_size=(3,)), "size(S[1]) == 1", "exact"),
        (replace(PADDED, op=sc.MaxPool((2,), 2, ceil_mode=True)), "size(S[3]) == 1", "exact"),
        (replace(PADDED, op=sc.MaxPool((2,), 2, ceil_mode=True)), "size(S[2]) == 2", "exact"),
        (replace(PADDED, op=sc.AvgPool((3, 2), (2, 1), (1, 0)), input_size=(5, 3)), "size(S[1,q]) == 4", "exact"),
        (replace(PADDED, op=sc.AvgPool((3, 2), (2, 1), (1, 0)), input_size=(5, 3)), "size(S[2,q]) == 6", "exact"),
        (replace(PADDED, op=sc.AvgPool((3, 3), 2, 1), input_size=(5, 5)), "size(S[1,2]) == 6", "exact"),
        (replace(PADDED, op=sc.AvgPool((3, 3), 2, 1), input_size=(5, 5)), "size(S[2,2]) == 9", "exact"),
        (POOL, "size(2) == 1", "error: the set '?' is not declared (declared: S)"),
        (PLANE, "size(S[p,q]) == 2", "exact"),
        (PLANE, "sum(a[s,t], (s,t) in S[p,q]) == a[p,q] + a[p+1,q]", "exact"),
        (PLANE, "L(A,S[p,q],1) == abs(a[p,q]) + abs(a[p+1,q])", "exact"),
        (PLANE, "L(A,S[p,q],1) == abs(a[p,q]) + abs(a[p,q+1])", "0, not 1 at p = 1, q = 1, a[1, 2] = 1"),
        (PLANE, "L(A,S[p,q],oo) == max(abs(a[s,t]), (s,t) in S[p,q])", "exact"),
        (PLANE, "sum(a[s], s in S[p,q]) == 1", "error: a member of S has 2 coordinates, and 1 are named"),
        # the input is a family over a set without indices, whatever the axes of the layer
        (PLANE, "sum(a[s], s in S) == a[1] + a[2]", "exact"),
        (PLANE, "L(A,S,1) == sum(abs(a[s]), s in S)", "exact"),
        (PLANE, "sum(a[s], (s,1,K_1+1)) + 0*sum(a[s], s in S) == 0", "no a[3] at s = 3"),
        (PLANE, "sum(a[s,s], s in S) == 1", "error: a has 1 index, and 2 are given"),
        (DEEP, "sum(a[1,s], s in S[p]) == a[1,p] + a[1,p+1]", "exact"),
        (DEEP, "sum(a[s], s in S) == a[1]", "1, not 0 at n = 2, a[2] = 1"),
        (DEEP, "L(A,S,1) == sum(abs(a[s]), s in S)", "proved"),
        (DEEP, "L(A,S[p],1) == 0", "error: L is taken over positions with 1 coordinates, and A has 2 axes"),
        (ROOT, "c[p] == L(A,S[p],2)", "exact"),
        (ROOT, "c[p]**2 == sum(a[s]**2, s in S[p])", "exact"),
        (ROOT, "c[p] == L(A,S[p],1)", "2**(1/2), not 2 at p = 1, a[1] = 1, a[2] = 1"),
        (ROOT, "c[p] == L(A,S[p],p)",
         "error: p is the order of a norm and an index here; take another letter for the index"),
        (CONV, "L(A**k,S[p],1) == L(A,S[p],1)", "exact"),
        (CONV, "L(A**2,S[p],1) == L(A,S[p],1)", "error: L is taken of the whole input, which is A"),
        (CONV, "L(k,S[p],1) == L(A,S[p],1)", "error: L is taken of the whole input, which is A"),
        (CONV, "L(k**k,S[p],1) == L(A,S[p],1)", "error: L is taken of the whole input, which is A"),
        (replace(POOL, sets=()), "L(A,1) == L(A,1)", "error: the set 'S' is not declared (declared: none)"),
        (replace(POOL, sets=("T",)), "L(A,1) == sum(abs(a[s]), s in T)", "exact"),
        (replace(POOL, functions={}), "a[1]*S == 1", "error: S is a set and stands where a value is wanted"),
        (replace(POOL, names={"input": "x"}), "L(X,S[p],1) == L(x,S[p],1)", "exact"),
        (replace(POOL, names={"input": "x"}), "L(A,S[p],1) == 1",
         "error: L is taken of the whole input, which is X"),
        (replace(POOL, sizes={"A": "stride"}), "L(A,S[p],1) == 1",
         "error: L is taken of the whole input, which is A"),
    ],
)  # fmt: skip
def test_windows_and_families_of_other_layers(declared: Declarations, text: str, due: str) -> None:
    assert told(sc.check_claim(text, declared)) == due


@pytest.mark.parametrize(
    ("declared", "text", "due"),
    [
        (POOL, "L(A,S[p],oo) == max(abs(a[s]), s in S[p])", "proved"),
        (POOL, "limit(L(A,S[j],q), q, oo) == max(abs(a[s]), s in S[j])", "proved"),
        (POOL, "limit(L(A,S,q), q, oo) == max(abs(a[s]), s in S)", "proved"),
        (replace(POOL, nonnegative=("a",)), "limit(L(A,S,q), q, oo) == max(a[s], s in S)", "proved"),
        (replace(POOL, nonnegative=("a",)), "limit(sum(abs(a[s])**q, (s,1,K))**(1/q), q, oo) == max(a[s], (s,1,K))",
         "proved"),
        (POOL, "L(A,S,oo) == max(a[s], s in S)", "1, not -1 at n = 1, a[1] = -1"),
        (POOL, "limit(sum(abs(a[s])**q, (s,1,K-1))**(1/q), q, oo) == max(abs(a[s]), (s,1,K-1))", "error: takes "
         "max(abs(a[s]), (s, 1, K - 1)), a maximum over nothing at K = 1"),
        (POOL, "limit(sum(abs(a[s])**q, (s,1,K-1))**(1/q), q, oo) == abs(a[1])",
         "0, not 1 at I = 1, K = 1, O = 1, a[1] = 1"),
        (POOL, "limit(sum(abs(a[s])**q, (s,1,K))**(1/q), q, oo) == max(abs(a[s]), (s,1,K))", "proved"),
        (POOL, "c[p] == min(setof(a[s], s in S[p]))",
         "1, not 0 at I = 2, K = 2, O = 1, p = 1, a[1] = 1"),
        (ROOT, "c[j] == L(A,S[j],2)", "proved"),
    ],
)  # fmt: skip
def test_a_line_over_a_set_for_all_sizes(declared: Declarations, text: str, due: str) -> None:
    assert told(sc.check_claim(text, declared, general=True)) == due


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("sum(a[s], (s,1,2), s in S[p])", "s is summed over twice"),
        ("sum(a[s], s in S[p], s in S[p])", "s is summed over twice"),
        ("sum(a[s], s in S[p], (s,1,2))", "s is summed over twice"),
        ("sum(sum(a[s], s in S[p]), s in S[p])", "s is summed over twice"),
        ("sum(L(A,S[p],1), s in T[p])", "the set 'T' is not declared"),
    ],
)
def test_a_value_that_has_no_meaning_is_refused_before_anything_is_asked_of_it(text: str, error: str) -> None:
    with pytest.raises(ClaimError, match=f"^{error}"):
        lower(read_claim(text).parts[0], literal_scope(POOL))
