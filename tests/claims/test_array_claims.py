"""Whole arrays in lines, in symbols and in numbers: beside each line stands the verdict, worked out by hand.

In symbols ``A`` has four entries and ``B`` two. In numbers ``X = [1, 2, 3, 4]``, ``Y = [1, 3]``, so that their
correlation is ``[1 + 6, 2 + 9, 3 + 12]`` and their convolution ``[3 + 2, 6 + 3, 9 + 4]``.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace

import pytest
from claims.told import told

import symconv as sc
from symconv.claims.declarations import Declarations
from symconv.claims.meaning import arrays

LINE = Declarations(sc.Conv((2,)), (4,))
ONES = replace(LINE, upstream="ones")
ZERO = replace(LINE, base=0)
CORRELATION, CONVOLUTION = (replace(LINE, star=meaning) for meaning in ("correlation", "convolution"))
PLANE = Declarations(sc.Conv((2, 1)), (3, 2))
POOL = Declarations(sc.MaxPool((2,), 2), (4,))
ARRAY = "error: an array is wanted here, such as A, corr(A, B), pad(B, 2) or a matrix"
ASTERISK = 'error: what the asterisk between arrays means is not declared; add star = "correlation" or "convolution"'

SYMBOLS = [
    ("A == A", "exact"),
    ("B == A", "2, not 4"),
    ("C == A", "3, not 4"),
    ("C == corr(A,B)", "exact"),
    ("C == conv(A,B)", "1, not 0 at i = 1, a[1] = 1, b[1] = 1"),
    ("C == conv(A,rot180(B))", "exact"),
    ("corr(A,rot180(B)) == conv(A,B)", "exact"),
    ("C == star(A,B)", "exact"),
    ("star(A,B) == conv(A,B)", "1, not 0 at i = 1, a[1] = 1, b[1] = 1"),
    ("C == ast(A,B)", ASTERISK),
    ("ast(I,K) == 8", "exact"),
    ("ast(2,3) == 5", "6, not 5"),
    ("C == corr(B,A)", "error: takes corr(B, A), which has no entries at the given size"),
    ("C == star(B,A)", "refuted: The sizes differ: C has 3, star(B, A) has no entries."),
    ("C == corr(A,[[1,2]])", "error: the arrays of a correlation must have the same number of axes"),
    ("C == corr(A,B,B)", "error: corr takes 2 arguments, got 3"),
    ("C == conv(A)", "error: conv takes 2 arguments, got 1"),
    ("corr(A,ones(2)) == [[a[1]+a[2], a[2]+a[3], a[3]+a[4]]]", "exact"),
    ("corr(A,ones(2)) == [[a[1]+a[2], a[2]+a[3], a[3]]]", "1, not 0 at i = 3, a[4] = 1"),
    # matrices written out
    ("A == [[a[1], a[2], a[3], a[4]]]", "exact"),
    ("[[a[1], a[2], a[3], a[4]]] == A", "exact"),
    ("A == [[a[1], a[3], a[2], a[4]]]", "1, not 0 at i = 2, a[2] = 1"),
    ("A == [[a[1], a[2], a[3]]]", "4, not 3"),
    ("A == [[a[1]], [a[2]], [a[3]], [a[4]]]", "error: an array with 1 axes is compared with one with 2"),
    ("A == [[a[1], a[2]], [a[3], a[4]]]", "error: an array with 1 axes is compared with one with 2"),
    ("B == [[b[1], 0]]", "1, not 0 at i = 2, b[2] = 1"),
    ("B == [[0, b[2]]]", "1, not 0 at i = 1, b[1] = 1"),
    ("pad(B,1) == [[0, b[1], b[2], 0]]", "exact"),
    ("pad(B,1) == [[b[1], b[2], 0, 0]]", "0, not 1 at i = 1, b[1] = 1"),
    ("pad(B,K-1) == [[0, b[1], b[2], 0]]", "exact"),
    ("pad(B,0) == B", "exact"),
    ("pad(A,-1) == [[a[2], a[3]]]", "exact"),
    ("pad(A,-1) == [[a[1], a[2]]]", "0, not 1 at i = 1, a[1] = 1"),
    ("pad(B,1,1) == B", "error: pad takes 2 arguments, got 3"),
    ("pad(B) == B", "error: pad takes 2 arguments, got 1"),
    ("rot180(B) == [[b[2], b[1]]]", "exact"),
    ("rot180(B) == B", "0, not 1 at i = 1, b[1] = 1"),
    ("rot180(A,B) == A", "error: rot180 takes 1 argument, got 2"),
    # what is padded ends where it ends
    ("pad(C,1) == [[0, c[1], c[2], c[3], 0]]", "exact"),
    ("pad(corr(A,B),1) == [[0, c[1], c[2], c[3], 0]]", "exact"),
    ("pad(rot180(A),1) == [[0, a[4], a[3], a[2], a[1], 0]]", "exact"),
    ("pad(diff(E,B),1) == [[0, g[1]*a[1]+g[2]*a[2]+g[3]*a[3], g[1]*a[2]+g[2]*a[3]+g[3]*a[4], 0]]", "exact"),
    ("pad(ones(2),1) == [[0, 1+0*a[1], 1, 0]]", "exact"),
    ("pad(G,1) == [[0, g[1], g[2], g[3], 0]]", "exact"),
    ("pad(pad(A,-1),1) == [[0, a[2], a[3], 0]]", "exact"),
    ("pad(pad(A,-1),1) == A", "0, not 1 at i = 1, a[1] = 1"),
    ("pad(pad(A,1),1) == pad(A,2)", "exact"),
    ("pad(pad(A,1),-1) == A", "exact"),
    ("pad(pad(C,1),1) == pad(C,2)", "exact"),
    ("pad(pad(corr(A,B),0),1) == pad(C,1)", "exact"),
    # gradients
    ("diff(E,A) == conv(pad(G,1),B)", "exact"),
    ("diff(E,A) == corr(pad(G,1),B)", "1, not 0 at i = 1, b[1] = 1, g[1] = 1"),
    ("diff(E,A) == [[g[1]*b[1], g[1]*b[2]+g[2]*b[1], g[2]*b[2]+g[3]*b[1], g[3]*b[2]]]", "exact"),
    ("diff(E,B) == corr(A,G)", "exact"),
    ("diff(E,B) == conv(A,G)", "1, not 0 at i = 1, a[1] = 1, g[1] = 1"),
    ("diff(E,A) == G", "4, not 3"),
    ("diff(E,B) == B", "0, not 1 at i = 1, b[1] = 1"),
    ("diff(E,C) == G", "exact"),
    ("diff(E,G) == G", "error: the variable 'G' is not declared (declared: A, B, C)"),
    ("diff(E,q) == A", "error: the variable 'q' is not declared (declared: A, B, C)"),
    ("diff(F,A) == A", "error: only the error E is differentiated by a whole array"),
    ("diff(a[1],A) == A", "error: only the error E is differentiated by a whole array"),
    ("G == [[g[1], g[2], g[3]]]", "exact"),
    ("G == ones(3)", "0, not 1 at i = 1"),
    ("C == [[c[1], c[2], c[3]]]", "exact"),
    ("C == [[c[1], c[2], c[2]]]", "0, not 1 at i = 3, a[2] = 1, b[1] = 1"),
    # ones
    ("ones(3) == ones(O)", "exact"),
    ("ones(2) == ones(3)", "2, not 3"),
    ("ones(0) == ones(0)", "error: takes ones(0), which has no entries at the given size"),
    ("ones(K-I) == ones(1)", "error: takes ones(K - I), which has no entries at the given size"),
    ("ones(1/2) == ones(1)",
     "error: an index must be built from integers, indices and sizes with + - * floor ceil mod min max"),
    # what is no array
    ("Q == A", "error: the array 'Q' is not declared (declared: A, B, G, C)"),
    ("A == b", "4, not 2"),
    ("corr(A,B) == foo(A)", "error: the function 'foo' is not declared (declared: corr, conv, pad, rot180, ones, vec)"),
    ("1 == A", ARRAY),
    ("A + A == A", "2, not 1 at i = 1, a[1] = 1"),
    ("A - A == A", "0, not 1 at i = 1, a[1] = 1"),
    ("a[1] + A == A", "error: a[1] + A adds a number to an array; write the entries out"),
    ("A == 2*A", "1, not 2 at i = 1, a[1] = 1"),
    ("A == a[1]", ARRAY),
    ("A == -A", "1, not -1 at i = 1, a[1] = 1"),
    ("A*B == 1", "error: A is an array and stands where one entry is wanted; write an entry such as a[i, j]"),
    ("A == [[a[p], a[2], a[3], a[4]]]",
     "error: p is no size, and an equation between arrays has no free index; write the entries out"),
]  # fmt: skip

OTHERS = [
    (ONES, "G == ones(3)", "exact"),
    (ONES, "G == ones(2)", "3, not 2"),
    (ONES, "A == ones(4)", "0, not 1 at i = 1"),
    (ONES, "diff(E,B) == [[a[1]+a[2]+a[3], a[2]+a[3]+a[4]]]", "exact"),
    (ONES, "diff(E,B) == corr(A,G)", "exact"),
    (ONES, "pad(G,1) == pad(ones(3),1)", "exact"),
    (CORRELATION, "C == ast(A,B)", "exact"),
    (CORRELATION, "ast(ones(3),ones(2)) == ast(ones(2),ones(1))", "2, not 1 at i = 1"),
    (CORRELATION, "ast(rot180(ones(3)),ones(2)) == corr(ones(3),ones(2))", "exact"),
    (LINE, "ast(ones(3),ones(2)) == ast(ones(3),ones(2))", ASTERISK),
    (CORRELATION, "ast(A,B) == conv(A,B)", "1, not 0 at i = 1, a[1] = 1, b[1] = 1"),
    (CORRELATION, "C == star(A,B)", "exact"),
    (CORRELATION, "1 + ast(I,K) == 9", "exact"),
    (CONVOLUTION, "C == ast(A,B)", "1, not 0 at i = 1, a[1] = 1, b[1] = 1"),
    (CONVOLUTION, "ast(A,B) == conv(A,B)", "exact"),
    (CONVOLUTION, "C == star(A,B)", "exact"),
    (replace(LINE, star="other"), "C == ast(A,B)", ASTERISK),
    # counted from 0, the place of an entry too
    (ZERO, "A == [[a[0], a[1], a[2], a[3]]]", "exact"),
    (ZERO, "A == [[a[1], a[1], a[2], a[3]]]", "1, not 0 at i = 0, a[0] = 1"),
    (ZERO, "A == [[a[0], a[1], a[2], a[2]]]", "0, not 1 at i = 3, a[2] = 1"),
    (ZERO, "C == [[c[0], c[1], c[2]]]", "exact"),
    (ZERO, "C == corr(A,B)", "exact"),
    (ZERO, "C == conv(A,B)", "1, not 0 at i = 0, a[0] = 1, b[0] = 1"),
    (ZERO, "pad(C,1) == [[0, c[0], c[1], c[2], 0]]", "exact"),
    (ZERO, "pad(A,1) == [[0, a[0], a[1], a[2], a[3], 0]]", "exact"),
    (ZERO, "rot180(A) == [[a[3], a[2], a[1], a[0]]]", "exact"),
    (ZERO, "diff(E,A) == [[g[0]*b[0], g[0]*b[1]+g[1]*b[0], g[1]*b[1]+g[2]*b[0], g[2]*b[1]]]", "exact"),
    (ZERO, "diff(E,B) == corr(A,G)", "exact"),
    (ZERO, "diff(E,B) == conv(A,G)", "1, not 0 at i = 0, a[0] = 1, g[0] = 1"),
    (PLANE, "C == corr(A,B)", "exact"),
    (PLANE, "B == [[b[1,1]], [b[2,1]]]", "exact"),
    (PLANE, "B == [[b[1,1], b[2,1]]]", "2, not 1"),
    (PLANE, "rot180(B) == [[b[2,1]], [b[1,1]]]", "exact"),
    (PLANE, "pad(B,1) == [[0,0,0], [0,b[1,1],0], [0,b[2,1],0], [0,0,0]]", "exact"),
    (PLANE, "pad(B,1) == [[0,b[1,1],0], [0,b[2,1],0]]", "4, not 2"),
    (PLANE, "C == corr(A,ones(2))", "error: the arrays of a correlation must have the same number of axes"),
    (PLANE, "ones(1,2) == [[1, 1+0*a[1,1]]]", "exact"),
    (PLANE, "diff(E,B) == corr(A,G)", "exact"),
    (PLANE, "diff(E,A) == conv(A,G)", "3, not 2"),
    (POOL, "C == [[c[1], c[2]]]", "exact"),
    (POOL, "diff(E,A) == A", "0, not 1 at i = 1, a[1] = 1"),
    (POOL, "B == A", "error: the array 'B' is not declared (declared: A, G, C)"),
    (POOL, "diff(E,B) == A", "error: the variable 'B' is not declared (declared: A, C)"),
]

GENERAL = [
    ("C == corr(A,B)", "proved"),
    ("diff(E,A) == conv(pad(G,K-1),B)", "proved"),
    ("diff(E,A) == conv(pad(G,K),B)", "1, not 3 at I = 1, K = 1, O = 1"),
    ("diff(E,B) == corr(A,G)", "proved"),
    ("pad(pad(A,K),-K) == A", "proved"),
    ("pad(pad(A,-K),K) == A", "0, not 1 at I = 3, K = 1, O = 3, i = 1, a[1] = 1"),
    ("pad(pad(A,1-K),K-1) == A", "0, not 1 at I = 3, K = 2, O = 2, i = 1, a[1] = 1"),
    ("pad(ones(I),K) == pad(pad(ones(I),1),K-1)", "proved"),
    ("corr(pad(A,K-1),B) == corr(pad(pad(A,1),K-2),B)", "proved"),
    ("A == ones(I)", "0, not 1 at I = 1, K = 1, O = 1, i = 1"),
]

DATA = {
    "X": [1, 2, 3, 4],
    "Y": [1, 3],
    "A": [5, 6, 7, 8],
    "B": [1, 10],
    "M": [[1, 2], [3, 4]],
    "Z": [[1, 2, 3]],
}
NUMBERS = replace(LINE, data=DATA)
LAYERS = {"pool": sc.MaxPool((2,), 2), "mean": sc.AvgPool((2,), 2), "layer": sc.Conv((2,))}
KNOWN = "(declared: X, Y, A, B, M, Z)"
NO_NUMBERS = "error: an array of numbers is wanted here: data, a matrix, corr(A, B), or an operator of it"

IN_NUMBERS = [
    ("X == [[1,2,3,4]]", "exact"),
    ("[[1,2,3,4]] == X", "exact"),
    ("X == [[1,2,3,5]]", "refuted: 1 of 4 entries differ ((4,): 4 and 5)."),
    ("[[0,0,0,0]] == X",
     "refuted: 4 of 4 entries differ ((1,): 0 and 1, (2,): 0 and 2, (3,): 0 and 3, (4,): 0 and 4)."),
    ("[[1,2,3]] == X", "refuted: The shapes differ: 3 on the left, 4 on the right."),
    ("X == [[1,2],[3,4]]", "refuted: The shapes differ: 4 on the left, 2x2 on the right."),
    ("X == [[1,2,3,4],[1,2,3,4]]", "refuted: The shapes differ: 4 on the left, 2x4 on the right."),
    ("[[1],[2]] == X", "refuted: The shapes differ: 2x1 on the left, 4 on the right."),
    ("M == [[1,2],[3,4]]", "exact"),
    ("M == [[1,2],[4,3]]", "refuted: 2 of 4 entries differ ((2, 1): 3 and 4, (2, 2): 4 and 3)."),
    ("Z == [[1,2,3]]", "exact"),
    ("[[1,2,3]] == Z", "exact"),
    ("X == M", "refuted: The shapes differ: 4 on the left, 2x2 on the right."),
    ("X == X", "exact"),
    ("[[1/2,-3]] == [[2/4,1-4]]", "exact"),
    ("[[2*3]] == [[6]]", "exact"),
    ("[[2+3]] == [[6]]", "refuted: 1 of 1 entries differ ((1, 1): 5 and 6)."),
    ("[[2-3]] == [[1]]", "refuted: 1 of 1 entries differ ((1, 1): -1 and 1)."),
    ("[[6/4]] == [[2/3]]", "refuted: 1 of 1 entries differ ((1, 1): 3/2 and 2/3)."),
    ("[[1/0]] == [[1]]", "error: divides by zero"),
    ("[[0/1]] == [[0]]", "exact"),
    ("[[2**2]] == [[4]]", "error: a matrix of numbers is wanted here"),
    ("[[1,2]] == 3", NO_NUMBERS),
    ("X == [[a[1],2,3,4]]", "error: a matrix of numbers is wanted here"),
    ("[[1,2,3,4,5,6,7,8,9,10]] == [[0,0,0,0,0,0,0,0,0,10]]",
     "refuted: 9 of 10 entries differ ((1, 1): 1 and 0, (1, 2): 2 and 0, (1, 3): 3 and 0, (1, 4): 4 and 0, (1, 5): 5 "
     "and 0, (1, 6): 6 and 0, (1, 7): 7 and 0, (1, 8): 8 and 0, (1, 9): 9 and 0)."),
    ("[[1,2,3,4,5,6,7,8,9,10]] == [[0,0,0,0,0,0,0,0,0,0]]",
     "refuted: 10 of 10 entries differ ((1, 1): 1 and 0, (1, 2): 2 and 0, (1, 3): 3 and 0, (1, 4): 4 and 0, (1, 5): 5 "
     "and 0, (1, 6): 6 and 0, (1, 7): 7 and 0, (1, 8): 8 and 0, (1, 9): 9 and 0, ...)."),
    # correlations
    ("corr(X,Y) == [[7,11,15]]", "exact"),
    ("corr(X,Y) == [[7,11,16]]", "refuted: 1 of 3 entries differ ((3,): 15 and 16)."),
    ("corr(X,Y) == [[5,9,13]]", "refuted: 3 of 3 entries differ ((1,): 7 and 5, (2,): 11 and 9, (3,): 15 and 13). "
     "The flipped convolution gives it."),
    ("conv(X,Y) == [[5,9,13]]", "exact"),
    ("conv(X,Y) == [[7,11,15]]", "refuted: 3 of 3 entries differ ((1,): 5 and 7, (2,): 9 and 11, (3,): 13 and 15). "
     "The cross-correlation gives it."),
    ("[[7,11,15]] == conv(X,Y)", "refuted: 3 of 3 entries differ ((1,): 7 and 5, (2,): 11 and 9, (3,): 15 and 13). "
     "The cross-correlation gives it."),
    ("corr(X,Y) == [[7]]", "refuted: The shapes differ: 3 on the left, 1 on the right."),
    ("star(X,Y) == [[7,11,15]]", "exact"),
    ("ast(X,Y) == [[7,11,15]]", ASTERISK),
    ("corr(M,[[1,0],[0,2]]) == [[9]]", "exact"),
    ("conv(M,[[1,0],[0,2]]) == [[6]]", "exact"),
    ("corr(M,[[1,2]]) == [[5],[11]]", "exact"),
    ("corr(M,[[1],[2]]) == [[7,10]]", "exact"),
    ("corr(X,X) == [[30]]", "exact"),
    ("corr(corr(X,Y),Y) == [[40,56]]", "exact"),
    ("corr(M,ones(2,2)) == [[10]]", "exact"),
    ("corr(X,ones(2)) == [[3,5,7]]", "exact"),
    ("corr(M) == X", "error: corr takes 2 arguments, got 1"),
    ("corr(Y,X) == [[1]]", "error: a kernel of shape (4,) does not fit into an array of shape (2,)"),
    ("corr(M,X) == [[1]]", "error: a kernel of shape (4,) does not fit into an array of shape (2, 2)"),
    ("corr(M,Z) == [[1]]", "error: a kernel of shape (1, 3) does not fit into an array of shape (2, 2)"),
    # the layer of the question, of its numbers A and B
    ("C == [[65,76,87]]", "exact"),
    ("C == [[65,76,88]]", "refuted: 1 of 3 entries differ ((3,): 87 and 88)."),
    ("C == [[56,67,78]]", "refuted: 3 of 3 entries differ ((1,): 65 and 56, (2,): 76 and 67, (3,): 87 and 78). The "
     "flipped convolution gives it."),
    ("corr(A,B) == [[65,76,87]]", "exact"),
    ("A == [[5,6,7,8]]", "exact"),
    # ones
    ("ones(4) == X", "refuted: 3 of 4 entries differ ((2,): 1 and 2, (3,): 1 and 3, (4,): 1 and 4)."),
    ("ones(2,2) == M", "refuted: 3 of 4 entries differ ((1, 2): 1 and 2, (2, 1): 1 and 3, (2, 2): 1 and 4)."),
    ("ones(2,3) == [[1,1,1],[1,1,1]]", "exact"),
    ("ones(0) == X", "error: ones takes sizes >= 1"),
    ("ones(1) == X", "refuted: The shapes differ: 1 on the left, 4 on the right."),
    ("ones(3/2) == X", "error: ones takes sizes >= 1"),
    ("ones(1001,1000) == M",
     "error: ones(1001, 1000) takes 1,001,000 steps in numbers, and at most 1,000,000 are taken"),
    # what is no array of numbers
    ("rot180(X) == [[4,3,2,1]]", "error: the function 'rot180' is not declared (declared: corr, conv, ones)"),
    ("pool(X) == [[2,4]]", "error: the function 'pool' is not declared (declared: corr, conv, ones)"),
    ("X + X == [[2,4,6,8]]", NO_NUMBERS),
    ("X == 1", NO_NUMBERS),
    ("X == a[1]", NO_NUMBERS),
    ("Q == X", f"error: the data 'Q' is not declared {KNOWN}"),
    ("X == G", f"error: the data 'G' is not declared {KNOWN}"),
]  # fmt: skip

OF_LAYERS = [
    ("pool(X) == [[2,4]]", "exact"),
    ("pool(X) == [[2,3]]", "refuted: 1 of 2 entries differ ((2,): 4 and 3)."),
    ("[[2,4]] == pool(X)", "exact"),
    ("mean(X) == [[3/2,7/2]]", "exact"),
    ("pool(mean(X)) == [[7/2]]", "exact"),
    ("pool(corr(X,Y)) == [[11]]", "exact"),
    ("corr(pool(X),Y) == [[14]]", "exact"),
    ("corr(pool(X),Y) == [[10]]",
     "refuted: 1 of 1 entries differ ((1,): 14 and 10). The flipped convolution gives it."),
    ("layer(X) == [[21,32,43]]", "exact"),
    ("layer(X) == [[12,23,34]]", "refuted: 3 of 3 entries differ ((1,): 21 and 12, (2,): 32 and 23, (3,): 43 and 34). "
     "The flipped convolution gives it."),
    ("layer(A) == C", "exact"),
    ("pool(X) == pool(X)", "exact"),
    ("pool(X) == mean(X)", "refuted: 2 of 2 entries differ ((1,): 2 and 3/2, (2,): 4 and 7/2)."),
    ("pool(M) == [[1]]", "error: an array with 1 axes is wanted, got 2"),
    ("pool(Q) == X", f"error: the data 'Q' is not declared {KNOWN}"),
    ("1 + pool(X) == 1", "error: pool(...) is an array and stands where a single value is wanted"),
    ("A == corr(A,pool(A))", "error: pool(...) is computed in numbers only; compare it with a matrix"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "due"), SYMBOLS)
def test_an_array_in_symbols(text: str, due: str) -> None:
    assert told(sc.check_claim(text, LINE)) == due


@pytest.mark.parametrize(("declared", "text", "due"), OTHERS)
def test_an_array_in_symbols_of_another_question(declared: Declarations, text: str, due: str) -> None:
    assert told(sc.check_claim(text, declared)) == due


@pytest.mark.parametrize(("text", "due"), GENERAL)
def test_an_array_for_all_sizes(text: str, due: str) -> None:
    assert told(sc.check_claim(text, LINE, general=True)) == due


@pytest.mark.parametrize(("text", "due"), IN_NUMBERS)
def test_an_array_in_numbers(text: str, due: str) -> None:
    assert told(sc.check_claim(text, NUMBERS)) == due


@pytest.mark.parametrize(("text", "due"), OF_LAYERS)
def test_a_layer_of_numbers(text: str, due: str) -> None:
    operators = {name: SimpleNamespace(op=op) for name, op in LAYERS.items()}
    assert told(sc.check_claim(text, replace(NUMBERS, operators=operators))) == due


FLIPPED = replace(NUMBERS, op=sc.Conv((2,), flip=True))


@pytest.mark.parametrize(
    ("declared", "text", "due"),
    [
        (FLIPPED, "C == [[56,67,78]]", "exact"),
        (FLIPPED, "C == [[65,76,87]]", "refuted: 3 of 3 entries differ ((1,): 56 and 65, (2,): 67 and 76, (3,): 78 "
         "and 87). The cross-correlation gives it."),
        (FLIPPED, "corr(A,B) == [[65,76,87]]", "exact"),
        (FLIPPED, "corr(A,B) == [[56,67,78]]", "refuted: 3 of 3 entries differ ((1,): 65 and 56, (2,): 76 and 67, "
         "(3,): 87 and 78). The flipped convolution gives it."),
        (replace(NUMBERS, star="convolution"), "ast(X,Y) == [[5,9,13]]", "exact"),
        (replace(NUMBERS, star="convolution"), "star(X,Y) == [[7,11,15]]", "exact"),
        (replace(NUMBERS, star="correlation"), "ast(X,Y) == [[7,11,15]]", "exact"),
        (replace(NUMBERS, base=0), "X == [[1,2,3,5]]", "refuted: 1 of 4 entries differ ((3,): 4 and 5)."),
        (replace(NUMBERS, op=POOL.op), "C == [[6,8]]", "exact"),
        (replace(NUMBERS, op=POOL.op), "C == [[5,7]]", "refuted: 2 of 2 entries differ ((1,): 6 and 5, (2,): 8 and "
         "7)."),
        (replace(NUMBERS, op=POOL.op), "B == [[1,10]]", "exact"),
        (replace(LINE, data={"X": [1, 2]}), "C == [[1,2,3]]", "error: the data 'A' is not declared (declared: X)"),
        (replace(LINE, data={"A": [1, 2, 3, 4]}), "C == [[1,2,3]]",
         "error: the data 'B' is not declared (declared: A)"),
        (replace(LINE, data={"A": [1, 2, 3, 4]}), "A == ones(4)", "0, not 1 at i = 1"),
    ],
)  # fmt: skip
def test_an_array_in_numbers_of_another_question(declared: Declarations, text: str, due: str) -> None:
    assert told(sc.check_claim(text, declared)) == due


def test_numbers_are_claimed_at_the_declared_size() -> None:
    verdict = sc.check_claim("X == [[1,2,3,4]]", NUMBERS, general=True)
    assert told(verdict) == "error: numbers are claimed at the declared size only"


def test_what_would_take_long_is_counted_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrays, "MAX_PRODUCTS", 6)
    assert told(sc.check_claim("ones(2,3) == [[1,1,1],[1,1,1]]", NUMBERS)) == "exact"
    assert told(sc.check_claim("corr(X,Y) == [[7,11,15]]", NUMBERS)) == "exact"  # three entries of two products each
    monkeypatch.setattr(arrays, "MAX_PRODUCTS", 5)
    assert told(sc.check_claim("ones(2,3) == M", NUMBERS)) == (
        "error: ones(2, 3) takes 6 steps in numbers, and at most 5 are taken"
    )
    assert told(sc.check_claim("corr(X,Y) == [[7,11,15]]", NUMBERS)) == (
        "error: the correlation takes 6 steps in numbers, and at most 5 are taken"
    )


def test_data_may_be_fractions() -> None:
    halves = replace(LINE, data={"X": [Fraction(1, 2), Fraction(3, 2)]})
    assert told(sc.check_claim("corr(X,X) == [[5/2]]", halves)) == "exact"
