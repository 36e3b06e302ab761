"""What every part of a line means: beside each line stands the verdict, or the smallest example, worked out by hand.

``c[p] = a[p]*b[1] + a[p+1]*b[2]`` with four entries a, two entries b and three entries c and g, counted from 1.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from claims.told import told

import symconv as sc
from symconv.claims.declarations import Declarations

LINE = Declarations(sc.Conv((2,)), (4,), indices={"i": "input 1", "m": "weight 1"})
ONES = replace(LINE, upstream="ones")
PLANE = Declarations(sc.MaxPool((2, 1), 1), (3, 4))
UPPER = replace(LINE, upper="k")
TENSORS = "declared: a, b, c, g, E, A, B, G, C, I, O, K"

NAMES = [
    ("size == 3", "exact"),
    ("size == 4", "3, not 4"),
    ("size == I - K + 1", "exact"),
    ("I + 2*K == 8", "exact"),
    ("O == 3", "exact"),
    ("K == I", "2, not 4"),
    ("sum(j, (j,1,3)) == 6", "exact"),
    ("sum(j, (j,1,3)) == 7", "6, not 7"),
    ("E == 1", "error: E is the error: only its derivatives have a formula here"),
    ("diff(E, b[m]) + E == 0", "error: E is the error: only its derivatives have a formula here"),
    (
        "a[1] + A == 1",
        "error: A is an array and stands where one entry is wanted; write an entry such as a[i, j]",
    ),
    ("a[p]*B == 1", "error: B is an array and stands where one entry is wanted; write an entry such as b[i, j]"),
    ("q == 1", f"error: the name 'q' is not declared ({TENSORS})"),
    ("i == i", f"error: the name 'i' is not declared ({TENSORS})"),
]

ENTRIES = [
    ("size[1] == 3", "exact"),
    ("size[1] == 2", "3, not 2"),
    ("size[0] == 3", "error: size has entries 1 to 1"),
    ("size[2] == 3", "error: size has entries 1 to 1"),
    ("size[1,1] == 3", "error: size has 1 index, and 2 are given"),
    ("c[p] == a[p]*b[1] + a[p+1]*b[2]", "exact"),
    ("c[p] == a[p+1]*b[1] + a[p]*b[2]", "1, not 0 at p = 1, a[1] = 1, b[1] = 1"),
    ("c[p] == a[p]*b[1] - a[p+1]*b[2]", "1, not -1 at p = 1, a[2] = 1, b[2] = 1"),
    ("c[2] == a[2]*b[1] + a[3]*b[2]", "exact"),
    ("c[p,p] == 1", "error: c has 1 index, and 2 are given"),
    ("c[p] == a[1,2]", "error: a has 1 index, and 2 are given"),
    ("z[p] == 1", "error: the tensor 'z' is not declared (declared: a, b, g, c)"),
    ("S[p] == 1", "error: the tensor 'S' is not declared (declared: a, b, g, c)"),
    # an entry of the output is its formula inside its box, and nothing outside it
    (
        "c[i] == a[i]*b[1] + a[i+1]*b[2]",
        "0, not 1 at i = 4, a[4] = 1, b[1] = 1 if entries of c outside count as 0 if entries of a outside count as 0",
    ),
    (
        "c[i-1] == a[i-1]*b[1] + a[i]*b[2]",
        "0, not 1 at i = 1, a[1] = 1, b[2] = 1 if entries of c outside count as 0 if entries of a outside count as 0",
    ),
    ("c[5-i] == a[5-i]*b[1]", "1, not 0 at i = 2, a[4] = 1, b[2] = 1"),
    ("c[i] == cases((a[i]*b[1] + a[i+1]*b[2], i <= 3), (0,))", "exact if entries of c outside count as 0"),
    # an upstream gradient is any, where it is not declared to be ones
    ("g[p] == 1", "0, not 1 at p = 1"),
    ("g[p]*a[1] == a[1]", "0, not 1 at p = 1, a[1] = 1"),
]

ARITHMETIC = [
    ("-a[i] == a[i] - 2*a[i]", "exact"),
    ("-a[i] == a[i]", "-1, not 1 at i = 1, a[1] = 1"),
    ("a[i] - b[m] == -(b[m] - a[i])", "exact"),
    ("a[i] - b[m] == b[m] - a[i]", "1, not -1 at i = 1, m = 1, a[1] = 1"),
    ("a[i] + b[m] == b[m] + a[i]", "exact"),
    ("a[i] + b[m] == a[i]*b[m]", "1, not 0 at i = 1, m = 1, a[1] = 1"),
    ("a[i]*b[m] == b[m]*a[i]", "exact"),
    ("a[i]*b[m] == b[m]*b[m]", "0, not 1 at i = 1, m = 1, b[1] = 1"),
    ("a[i]/2 == a[i] - a[i]/2", "exact"),
    ("a[i]/2 == 2*a[i]", "1/2, not 2 at i = 1, a[1] = 1"),
    ("6/4 == 3/2", "exact"),
    ("6/4 == 2/3", "3/2, not 2/3"),
    ("0/3 == 0", "exact"),
    ("3/1 == 3", "exact"),
    ("1/2 + 1/3 == 5/6", "exact"),
    ("a[i]/b[m] == b[m]/a[i]", "1/2, not 2 at i = 1, m = 1, a[1] = 1, b[1] = 2"),
    ("a[i]/b[m] == 1/(b[m]/a[i])", "error: divides by b[m], which is 0 at i = 1, m = 1, with all entries 0"),
    ("K/(I-1) == 2/3", "exact"),
    ("K/(I-1) == 3/2", "2/3, not 3/2"),
    ("1/0 == 1", "error: divides by zero at the given size"),
    ("a[i]/0 == a[i]", "error: divides by zero at the given size"),
    ("a[1] == 2*star(A, B)", "error: a correlation of arrays stands where a single value is wanted"),
    # an asterisk between sizes is a product
    ("1 + ast(2, 3) == 7", "exact"),
    ("1 + ast(I, K) == 9", "exact"),
    ("1 + ast(I, K) == 7", "9, not 7"),
    ("1 + ast(I, A) == 7", "error: a correlation of arrays stands where a single value is wanted"),
    ("1 + ast(A, K) == 7", "error: a correlation of arrays stands where a single value is wanted"),
    ("1 + ast(A, B) == 7", "error: a correlation of arrays stands where a single value is wanted"),
    ("2*star(I, K) == 16", "error: a correlation of arrays stands where a single value is wanted"),
    ("sum(j*I, (j,1,2)) == 12", "exact"),
]

POWERS = [
    ("a[i]**2 == a[i]*a[i]", "exact"),
    ("a[i]**3 == a[i]*a[i]", "-1, not 1 at i = 1, a[1] = -1"),
    ("a[i]**1 == a[i]", "exact"),
    ("a[i]**0 == 1", "error: takes a[i]**0, which has no value at i = 1, with all entries 0"),
    ("(a[i] + b[m])**1 == b[m] + a[i]", "exact"),
    ("2**3 == 8", "exact"),
    ("2**3 == 6", "8, not 6"),
    ("2**(-1) == 1/2", "exact"),
    ("2**(-2) == -4", "1/4, not -4"),
    ("(2/3)**(-2) == 9/4", "exact"),
    ("(-1)**3 == -1", "exact"),
    ("1**(-3) == 1", "exact"),
    ("5**0 == 1", "exact"),
    ("0**1 == 0", "exact"),
    ("0**2 == 0", "exact"),
    ("0**0 == 1", "error: takes 0**0, which has no value at the given size"),
    ("0**(-1) == 1", "error: divides by zero at the given size"),
    ("4**(1/2) == 2", "exact"),
    ("8**(2/3) == 4", "exact"),
    ("8**(2/3) == 8", "4, not 8"),
    ("2**(1/2)*2**(1/2) == 2", "exact"),
    ("(a[i]*a[i])**(1/2) == abs(a[i])", "exact"),
    ("(a[i]*a[i])**(1/2) == a[i]", "1, not -1 at i = 1, a[1] = -1"),
    ("2**a[i] == 1", "2, not 1 at i = 1, a[1] = 1"),
    ("K**2 == 4", "exact"),
    ("K**(I-1) == 8", "exact"),
    ("K**(I-1) == 6", "8, not 6"),
    ("(I-1)**K == 9", "exact"),
    ("2**64 == 4**32", "exact"),
    ("2**(-64) == 4**(-32)", "exact"),
    ("2**65 == 1", "error: the exponent 65 is larger than 64"),
    ("2**(-65) == 1", "error: the exponent -65 is larger than 64"),
    ("a[i]**64 == a[i]*a[i]**63", "exact"),
    ("a[i]**65 == a[i]", "error: the exponent 65 is larger than 64"),
    ("sum(2**j, (j,0,3)) == 15", "exact"),
    ("sum(j**2, (j,1,3)) == 14", "exact"),
    ("sum(j**2, (j,1,3)) == 6", "14, not 6"),
    ("a[p]**j == a[p]", f"error: the name 'j' is not declared ({TENSORS})"),
]

UPPERS = [
    ("upper(a[i], k) == a[i]", "exact"),
    ("upper(a[i], k) == a[i]**2", "-1, not 1 at i = 1, a[1] = -1"),
    ("upper(c[p], k) == sum(upper(a[p+j-1], k)*upper(b[j], k), (j,1,K))", "exact"),
    ("upper(a[i], 2) == a[i]**2", "exact"),
    ("upper(a[i], 2) == a[i]", "1, not -1 at i = 1, a[1] = -1"),
    ("upper(a[i], 2) == 2**a[i]", "0, not 1 at i = 1"),
    ("upper(a[i], K) == a[i]**2", "exact"),
    ("upper(a[i], K) == a[i]", "1, not -1 at i = 1, a[1] = -1"),
    ("sum(upper(a[i], j), (j,1,2)) == a[i] + a[i]**2", "exact"),
    ("sum(upper(a[i], j), (j,1,2)) == a[i] + a[i]**3", "0, not -2 at i = 1, a[1] = -1"),
    ("upper(a[i], 65) == 1", "error: the exponent 65 is larger than 64"),
    (r"c_p^k = \sum_{m=1}^{2} a_{p+m-1}^k b_m", "exact"),
    (r"c_p^k = \sum_{m=1}^{2} 2 a_{p+m-1}^k b_m", "1, not 2 at p = 1, a[1] = 1, b[1] = 1"),
    ("a[i]**k == a[i]", f"error: the name 'k' is not declared ({TENSORS})"),
    ("upper(a[i], n) == a[i]", f"error: the name 'n' is not declared ({TENSORS})"),
]

SUMS = [
    ("sum(a[j], (j,1,I)) == a[1] + a[2] + a[3] + a[4]", "exact"),
    ("sum(a[j], (j,1,I)) == a[1] + a[2] + a[3]", "1, not 0 at a[4] = 1"),
    ("sum(a[j], (j,2,I)) == a[2] + a[3] + a[4]", "exact"),
    ("sum(a[j], (j,3,3)) == a[3]", "exact"),
    ("sum(a[j], (j,I,1)) == 0", "exact"),
    ("sum(a[j]*b[n], (j,1,2), (n,1,2)) == (a[1] + a[2])*(b[1] + b[2])", "exact"),
    ("sum(a[j], (n,1,3), (j,1,n)) == 3*a[1] + 2*a[2] + a[3]", "exact"),
    ("sum(a[j], (n,1,3), (j,1,n)) == 3*a[1] + 2*a[2] + 2*a[3]", "1, not 2 at a[3] = 1"),
    ("sum(a[j], (n,1,3), (j,n,3)) == a[1] + 2*a[2] + 3*a[3]", "exact"),
    ("sum(1/2, (j,1,3)) == 3/2", "exact"),
    ("sum(a[p+m-1]*b[m], (m,1,K)) == c[p]", "exact"),
    ("sum(a[p+j-1]*sum(b[n], (n,j,K)), (j,1,K)) == a[p]*(b[1]+b[2]) + a[p+1]*b[2]", "exact"),
    ("sum(a[j], (j,1,2)) + sum(a[j], (j,3,4)) == sum(a[n], (n,1,4))", "exact"),
    ("sum(a[j], (j,1,j)) == 1", "error: j stands in the range that it runs over; take another letter"),
    ("sum(a[j], (j,j,3)) == 1", "error: j stands in the range that it runs over; take another letter"),
    ("sum(a[j], (j,1,1/2)) == 1", "error: an index must be built from integers, indices and sizes with + - * floor "
     "ceil mod min max"),
    ("sum(sum(a[n], (n,1,2))*b[n], (n,1,2)) == 1",
     "error: n is summed over twice, one sum inside the other; take another letter for one of them"),
    ("sum(a[n], (n,1,2), (n,1,2)) == 1",
     "error: n is summed over twice, one sum inside the other; take another letter for one of them"),
    ("sum(a[K], (K,1,2)) == 1", "error: K is declared as a size and cannot be summed over"),
    ("sum(a[b], (b,1,2)) == 1", "error: b is declared as a tensor and cannot be summed over"),
    ("max(a[j], (j,1,I)) == a[1]", "0, not -1 at a[1] = -1"),
    ("max(a[j], (j,1,2)) == max(a[j], (j,2,3))", "1, not 0 at a[1] = 1"),
    ("max(a[j], (j,1,2)) == sum(a[j], (j,1,2))", "0, not -1 at a[1] = -1"),
    ("max(a[j], (j,2,2)) == a[2]", "exact"),
    ("max(2*a[j], (j,1,2)) == 2*max(a[j], (j,1,2))", "exact"),
    ("max(a[n+j-1], (n,1,2), (j,1,n)) == max(a[n], (n,1,3))", "exact"),
    ("max(a[n+j-1], (n,1,2), (j,n,2)) == max(a[n], (n,2,3))", "1, not 0 at a[1] = 1"),
]  # fmt: skip

CASES = [
    ("a[i] == cases((a[i], i == 1), (2*a[i],))", "1, not 2 at i = 2, a[2] = 1"),
    ("a[1] == cases((a[1], 1 == 2), (2*a[1],))", "1, not 2 at a[1] = 1"),
    ("cases((5,)) == 5", "exact"),
    ("cases((1, i < 3), (0,)) == cases((0, i >= 3), (1,))", "exact"),
    ("cases((1, i < 3), (0,)) == cases((1, i <= 3), (0,))", "0, not 1 at i = 3"),
    ("cases((1, i <= 3), (0,)) == cases((1, i < 3), (0,))", "1, not 0 at i = 3"),
    ("cases((1, i <= 3), (0,)) == cases((0, i > 3), (1,))", "exact"),
    ("cases((1, i > 3), (0,)) == cases((1, i == 4), (0,))", "exact"),
    ("cases((1, i > 3), (0,)) == cases((1, i >= 3), (0,))", "0, not 1 at i = 3"),
    ("cases((1, i >= 3), (0,)) == cases((1, 2 < i), (0,))", "exact"),
    ("cases((1, 3 <= i), (0,)) == cases((1, i > 2), (0,))", "exact"),
    ("cases((1, 2 > i), (0,)) == cases((1, i == 1), (0,))", "exact"),
    ("cases((1, 2 >= i), (0,)) == cases((1, i <= 2), (0,))", "exact"),
    ("cases((1, 3 < i), (0,)) == cases((1, i <= 2), (0,))", "0, not 1 at i = 1"),
    ("cases((1, 1 <= i <= 2), (0,)) == cases((1, i <= 2), (0,))", "exact"),
    ("cases((1, 2 <= i <= 3), (0,)) == cases((1, i <= 3), (0,))", "0, not 1 at i = 1"),
    ("cases((1, i == m), (2, i < m), (3,)) == cases((2, i < m), (1, i <= m), (3,))", "exact"),
    ("cases((1, i == m), (2, i < m), (3,)) == cases((2, i <= m), (1, i <= m), (3,))", "1, not 2 at i = 1, m = 1"),
    ("cases((1, i == 1), (2, i == 1), (3,)) == cases((1, i == 1), (3,))", "exact"),
    ("cases((a[i], i <= 2), (b[m], i <= 3), (4,)) == cases((a[i], i <= 2), (b[m], i == 3), (4,))", "exact"),
    ("cases((a[i], i <= 2), (b[m], i <= 3), (4,)) == cases((a[i], i <= 2), (b[m],))", "4, not 0 at i = 4, m = 1"),
    ("sum(cases((a[j], j == i), (0,)), (j,1,I)) == a[i]", "exact"),
    ("sum(cases((a[j], j == i), (0,)), (j,2,I)) == a[i]", "0, not 1 at i = 1, a[1] = 1"),
]

CALLS = [
    ("floor(7/2) == 3", "exact"),
    ("ceil(7/2) == 4", "exact"),
    ("floor(7/2) == ceil(7/2)", "3, not 4"),
    ("1 + 7//2 == 4", "exact"),
    ("7 % 3 == 1", "exact"),
    ("mod(7, 4) == 3", "exact"),
    ("mod(7, 4) == 1", "3, not 1"),
    ("abs(3 - 5) == 2", "exact"),
    ("abs(-a[i]) == abs(a[i])", "exact"),
    ("abs(a[i]) == a[i]", "1, not -1 at i = 1, a[1] = -1"),
    ("abs(a[i], b[m]) == 1", "error: abs takes one argument, got 2"),
    ("min(3, 2) == 2", "exact"),
    ("min(3, 2) == max(3, 2)", "2, not 3"),
    ("max(I, K) == I", "exact"),
    ("max(3) == 3", "exact"),
    ("min(I, K, 3) == K", "exact"),
    ("max(a[1], a[2]) == 1", "0, not 1"),
    ("a[max(a[1], a[2])] == 1",
     "error: an index must be built from integers, indices and sizes with + - * floor ceil mod min max"),
    ("size(S) == 1", "error: the set 'S' is not declared (declared: none)"),
    ("size(a[1]) == 1", "error: the set 'a' is not declared (declared: none)"),
    ("size(I, K) == 1", "error: size takes one argument, got 2"),
    ("card(I, K) == 1", "error: card takes one argument, got 2"),
    ("1 + corr(A, B) == 1", "error: corr(...) is an array and stands where a single value is wanted"),
    ("1 + ones(2) == 1", "error: ones(...) is an array and stands where a single value is wanted"),
    ("1 + [[1, 2]] == 1",
     "error: a matrix stands where a single value is wanted; compare it with an array such as C"),
    ("1 + setof(a[j], j in S) == 1",
     "error: a set stands where a single value is wanted; take its maximum with max"),
    ("gcd(2, 3) == 1", "error: the function 'gcd' is not declared (declared: floor, ceil, mod, abs, max, min, size, "
     'diff, sum); declare it, such as functions = { gcd = "relu" }'),
    ("flor(2) == 1", "error: the function 'flor' is not declared (declared: floor, ceil, mod, abs, max, min, size, "
     "diff, sum); did you mean floor?"),
]  # fmt: skip

DERIVATIVES = [
    ("diff(c[p], a[i]) == b[i-p+1]", "exact if entries of b outside count as 0"),
    ("diff(c[p], a[i]) == b[i-p]", "0, not 1 at p = 1, i = 2, b[1] = 1"),
    ("diff(c[p], b[m]) == a[p+m-1]", "exact"),
    ("diff(c[p], b[m]) == a[p+m]", "1, not 0 at p = 1, m = 1, a[1] = 1"),
    ("diff(a[i]**2, a[i]) == 2*a[i]", "exact"),
    ("diff(a[i]**2, a[i]) == a[i]", "2, not 1 at i = 1, a[1] = 1"),
    ("diff(a[i]*b[m], b[1]) == a[i]*cases((1, m == 1), (0,))", "exact"),
    ("diff(a[i]*b[m], b[1]) == a[i]", "0, not 1 at i = 1, m = 2, a[1] = 1"),
    ("sum(diff(c[p], a[j]), (j,1,I)) == b[1] + b[2]", "exact"),
    ("sum(diff(c[p], a[j]), (j,2,I)) == b[1] + b[2]", "0, not 1 at p = 1, b[1] = 1"),
    ("diff(c[p], a[0]) == 0", "no a[0]"),
    ("diff(c[p], a[i+1]) == b[i-p+2]",
     "exact if entries of a outside count as 0 if entries of b outside count as 0"),
    ("diff(c[p]*a[i+1], a[i+1]) == c[p] + a[i+1]*b[i-p+2]",
     "0, not 1 at p = 1, i = 4, a[1] = 1, b[1] = 1"
     " if entries of a outside count as 0 if entries of b outside count as 0"),
    ("diff(c[p], A) == 0", "error: only the error E is differentiated by a whole array"),
    ("diff(c[p], a[i]*1) == 0", "error: column 12: found a derivative by a formula, expected an entry such as a[i,j],"
     " or an array\n    diff(c[p], a[i]*1) == 0\n               ^"),
    ("1 + diff(E, A) == 0", "error: a derivative must be by one entry, such as a[i, j]"),
    ("diff(c[p], g[1]) == 0", "error: the variable 'g' is not declared (declared: a, b)"),
    ("diff(c[p], c[1]) == 0", "error: the variable 'c' is not declared (declared: a, b)"),
    ("diff(c[p], b[m,m]) == 0", "error: b has 1 index, and 2 are given"),
    ("diff(F, a[i]) == 0", "error: 'F' is not declared as an error, E is (declared: E, a, b, c, g, A, B, G, C, I, O, "
     "K); did you mean E?"),
    ("diff(size, a[i]) == 0", "error: 'size' is not declared as an error, E is (declared: E, a, b, c, g, A, B, G, C, "
     "I, O, K); did you mean E?"),
]  # fmt: skip

GRADIENTS = [
    ("diff(E, c[p]) == g[p]", "exact"),
    ("diff(E, c[p]) == -g[p]", "1, not -1 at p = 1, g[1] = 1"),
    ("diff(E, c[2]) == g[2]", "exact"),
    ("diff(E, c[p,p]) == 0", "error: c has 1 index, and 2 are given"),
    ("sum(diff(E, c[j]), (j,1,O)) == g[1] + g[2] + g[3]", "exact"),
    ("diff(E, b[m]) == sum(g[p]*a[p+m-1], (p,1,O))", "exact"),
    ("diff(E, b[m]) == sum(g[p]*a[p+m-1], (p,1,O-1))", "1, not 0 at m = 1, a[3] = 1, g[3] = 1"),
    ("diff(E, b[m]) == sum(g[p]*a[p+m-1], (p,2,O))", "1, not 0 at m = 1, a[1] = 1, g[1] = 1"),
    ("diff(E, a[i]) == sum(g[p]*b[i-p+1], (p,1,O))", "exact if entries of b outside count as 0"),
    ("diff(E, a[i]) == g[i]*b[1]", "1, not 0 at i = 2, b[2] = 1, g[1] = 1"),
    ("diff(E, a[2]) == g[2]*b[1] + g[1]*b[2]", "exact"),
    ("diff(E, a[i,i]) == 0", "error: a has 1 index, and 2 are given"),
    # at an index that is a letter of the output, over which the chain rule sums
    ("diff(E, a[p]) == sum(g[q]*b[p-q+1], (q,1,O))", "exact if entries of b outside count as 0"),
    ("diff(E, a[p]) == g[p]*b[1]", "1, not 0 at p = 2, b[2] = 1, g[1] = 1"),
    ("diff(E, a[p+1]) == g[p+1]*b[1] + g[p]*b[2]", "exact if entries of g outside count as 0"),
    ("diff(E, a[p+1]) == g[p+1]*b[1] + g[p+1]*b[2]", "1, not 0 at p = 1, b[2] = 1, g[1] = 1"),
    ("diff(E, b[p]) == sum(g[q]*a[p+q-1], (q,1,O))", "exact"),
    ("sum(diff(E, a[p]), (p,1,I)) == sum(g[p]*b[m], (p,1,O), (m,1,K))", "exact"),
    ("sum(diff(E, a[p]), (p,1,I)) == sum(g[p]*b[1], (p,1,O))", "1, not 0 at b[2] = 1, g[1] = 1"),
    ("sum(diff(E, a[j]), (j,1,I)) == sum(g[p]*b[m], (p,1,O), (m,1,K))", "exact"),
    # by an entry that there is not
    ("diff(E, a[0]) == 0", "no a[0]"),
    ("diff(E, b[3]) == 0", "no b[3]"),
    ("diff(E, a[i-1]) == g[i-1]*b[1] + g[i-2]*b[2]",
     "exact if entries of a outside count as 0 if entries of g outside count as 0"),
    ("diff(E, b[i]) == sum(g[p]*a[p+i-1], (p,1,O))",
     "0, not 1 at i = 3, a[3] = 1, g[1] = 1"
     " if entries of b outside count as 0 if entries of a outside count as 0"),
    ("diff(E, g[p]) == 0", "error: the variable 'g' is not declared (declared: a, b)"),
    ("diff(E, z[p]) == 0", "error: the variable 'z' is not declared (declared: a, b)"),
]  # fmt: skip

OF_ONES = [
    ("g[p] == 1", "exact"),
    ("g[p] == 2", "1, not 2 at p = 1"),
    ("g[i] == 1", "0, not 1 at i = 4 if entries of g outside count as 0"),
    ("g[p-1] == 1", "0, not 1 at p = 1 if entries of g outside count as 0"),
    ("a[i] == 1", "0, not 1 at i = 1"),
    ("diff(E, c[p]) == 1", "exact"),
    ("diff(E, c[i]) == 1", "0, not 1 at i = 4 if entries of c outside count as 0"),
    ("diff(E, b[m]) == sum(a[p+m-1], (p,1,O))", "exact"),
    ("diff(E, b[m]) == sum(a[p+m-1], (p,2,O))", "1, not 0 at m = 1, a[1] = 1"),
    ("diff(E, b[p]) == sum(a[j+p-1], (j,1,O))", "exact"),
    ("diff(E, a[2]) == b[1] + b[2]", "exact"),
    ("diff(E, a[i]) == b[1] + b[2]", "0, not 1 at i = 1, b[2] = 1"),
    ("diff(E, a[p]) == b[1] + b[2]", "0, not 1 at p = 1, b[2] = 1"),
]


@pytest.mark.parametrize(
    ("text", "due"), [*NAMES, *ENTRIES, *ARITHMETIC, *POWERS, *SUMS, *CASES, *CALLS, *DERIVATIVES, *GRADIENTS]
)
def test_a_line_means_what_it_says(text: str, due: str) -> None:
    assert told(sc.check_claim(text, LINE)) == due


@pytest.mark.parametrize(("text", "due"), OF_ONES)
def test_an_upstream_gradient_of_ones_is_1_where_there_is_an_output(text: str, due: str) -> None:
    assert told(sc.check_claim(text, ONES)) == due


@pytest.mark.parametrize(("text", "due"), UPPERS)
def test_an_upper_index_is_a_power_unless_it_is_declared_to_be_none(text: str, due: str) -> None:
    assert told(sc.check_claim(text, UPPER)) == due


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("size[1] == 2", "exact"),
        ("size[2] == 4", "exact"),
        ("size[1] == size[2]", "2, not 4"),
        ("size[K_1] == 4", "exact"),
        ("size[0] == 2", "error: size has entries 1 to 2"),
        ("size[3] == 2", "error: size has entries 1 to 2"),
        ("size == 2", "error: size differs between the axes (2, 4); write size[1], size[2], ..."),
        ("c[1,4] == max(a[1,3], a[2,4])", "0, not 1 at a[1, 3] = 1"),
        ("c[1,4] == max(a[1,4], a[2,4])", "exact"),
        ("c[p,q] == max(a[p+m-1,q], (m,1,2))", "exact"),
        ("c[p,q] == max(a[q+m-1,p], (m,1,2))", "1, not 0 at p = 1, q = 2, a[1, 2] = 1"),
        ("z == 1", "error: the name 'z' is not declared (declared: a, c, g, E, A, G, C)"),
    ],
)  # fmt: skip
def test_every_axis_has_its_size(text: str, due: str) -> None:
    assert told(sc.check_claim(text, PLANE)) == due


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("size[1] == I - K + 1", "proved"),
        ("size[K] == 1", "error: size has entries 1 to 1"),
        ("size == K", "2, not 1 at I = 2, K = 1, O = 2"),
        ("c[p] == sum(a[p+m-1]*b[m], (m,1,K))", "proved"),
        ("c[p] == sum(a[p+m-1]*b[m], (m,2,K))", "1, not 0 at I = 1, K = 1, O = 1, p = 1, a[1] = 1, b[1] = 1"),
        ("diff(E, a[p]) == sum(g[q]*b[p-q+1], (q,1,O))", "proved if entries of b outside count as 0"),
        ("diff(E, b[m]) == sum(g[p]*a[p+m-1], (p,1,K))", "1, not 0 at I = 2, K = 1, O = 2, m = 1, a[2] = 1, g[2] = 1"),
    ],
)
def test_a_line_means_the_same_for_all_sizes(text: str, due: str) -> None:
    assert told(sc.check_claim(text, LINE, general=True)) == due
