"""Index expressions: rounding, remainders, extrema and what may not stand in an index, beside verdicts by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from claims.told import told
from sympy import Symbol

import symconv as sc
from symconv.claims.declarations import Declarations

LINE = Declarations(
    sc.Conv((2,)),
    (4,),
    indices={"i": "input 1", "m": "weight 1"},
    sets=("T",),
    functions={"L": "lp"},
    upper="k",
)
SIZES = replace(LINE, sizes={"S": "stride", "P": "padding"}, op=sc.Conv((2,), 2, 1))
ONLY = "error: an index must be built from integers, indices and sizes with + - * floor ceil mod min max"
WANTED = "stands in an index; an index or a size is wanted there"


@pytest.mark.parametrize(
    ("text", "due"),
    [
        # every operation, told from its neighbours at numbers
        ("a[1+2] == a[3]", "exact"),
        ("a[1+2] == a[2]", "0, not 1 at a[2] = 1"),
        ("a[4-1] == a[3]", "exact"),
        ("a[4-1] == a[2]", "0, not 1 at a[2] = 1"),
        ("a[3*1] == a[3]", "exact"),
        ("a[2*2-1] == a[3]", "exact"),
        ("a[-1+2] == a[1]", "exact"),
        ("a[-(-2)] == a[2]", "exact"),
        ("a[ast(1,3)] == a[3]", "exact"),
        ("sum(a[2*j-1], (j,1,K)) == a[1] + a[3]", "exact"),
        ("sum(a[I-j], (j,1,K)) == a[3] + a[2]", "exact"),
        ("sum(a[j-I], (j,I+1,I+2)) == a[1] + a[2]", "exact"),
        ("a[size] == a[3]", "exact"),
        ("a[K] == a[2]", "exact"),
        ("a[I-K] == a[2]", "exact"),
        ("floor(7/2) == 3", "exact"),
        ("floor(7/2) == 4", "3, not 4"),
        ("ceil(7/2) == 4", "exact"),
        ("ceil(7/2) == 3", "4, not 3"),
        ("floor(-7/2) == -4", "exact"),
        ("ceil(-7/2) == -3", "exact"),
        ("floor(7/(-2)) == -4", "exact"),
        ("ceil(7/(-2)) == -3", "exact"),
        ("floor(6/3) == 2", "exact"),
        ("floor(3) == 3", "exact"),
        ("floor(7/2/2) == 1", "exact"),
        ("ceil(7/2/2) == 2", "exact"),
        ("floor(-(7*1)/2) == -4", "exact"),
        ("floor(1/1) == 1", "exact"),
        ("mod(7, 3) == 1", "exact"),
        ("mod(7, 3) == 2", "1, not 2"),
        ("mod(-7, 3) == 2", "exact"),
        ("mod(7, -3) == -2", "exact"),
        ("mod(8, 5) == 3", "exact"),
        ("mod(6, 3) == 0", "exact"),
        ("min(3, 2, 4) == 2", "exact"),
        ("max(3, 2, 4) == 4", "exact"),
        ("min(5) == 5", "exact"),
        ("max(5) == 5", "exact"),
        ("min(2, 3) == 3", "2, not 3"),
        ("max(2, 3) == 2", "3, not 2"),
        # fractions under a floor are added up before they are rounded
        ("floor(1/2 + 1/2) == 1", "exact"),
        ("floor(1/2 + 2/3) == 1", "exact"),
        ("floor(1/2 + 1/3) == 0", "exact"),
        ("ceil(1/2 + 2/3) == 2", "exact"),
        ("floor(5/2 - 1/3) == 2", "exact"),
        ("floor(5/2 - 2/3) == 1", "exact"),
        ("floor(5/3 - 1/3) == 1", "exact"),
        ("floor(4/3 - 2/3) == 0", "exact"),
        ("floor(7/2 + 1) == 4", "exact"),
        ("floor(1 + 7/2) == 4", "exact"),
        ("floor(1 - 7/2) == -3", "exact"),
        ("floor(7/2 - 1) == 2", "exact"),
        ("floor(10/3 - 7/5) == 1", "exact"),
        ("floor(10/3 + 7/4) == 5", "exact"),
        ("ceil(10/3 + 7/4) == 6", "exact"),
        ("floor((1/2 + 1/2)/2 + 1/2) == 1", "exact"),
        ("floor(1/2 + 1/2) + floor(1/2) == 1", "exact"),
        ("floor(I/3 + 5/K) == 3", "exact"),
        ("floor(I/3 - 5/K) == -2", "exact"),
        ("floor((I-1)/2 + (I-1)/2) == 3", "exact"),
        ("sum(floor(j/2), (j,1,5)) == 6", "exact"),
        ("sum(ceil(j/2), (j,1,5)) == 9", "exact"),
        ("sum(floor(j/2 + 1/3), (j,1,5)) == 6", "exact"),
        ("sum(floor(5/j), (j,1,3)) == 8", "exact"),
        ("sum(mod(j, 3), (j,1,5)) == 6", "exact"),
        ("sum(mod(5, j), (j,1,3)) == 3", "exact"),
        ("sum(min(j, 3), (j,1,5)) == 12", "exact"),
        ("sum(max(j, 3), (j,1,5)) == 18", "exact"),
        ("sum(floor(5/(-j)), (j,1,2)) == -8", "exact"),
        # what divides by zero, or is no integer
        ("floor(1/0) == 1", "error: divides by zero"),
        ("mod(3, 0) == 1", "error: divides by zero"),
        ("mod(3, K-2) == 1", "error: divides by zero"),
        ("sum(floor(5/(j-2)), (j,1,3)) == 1", "error: divides by j - 2, which is 0 at j = 2"),
        ("a[0.5] == 1", "error: 1/2 stands in an index, which must be an integer"),
        ("a[6/2] == a[3]", ONLY),
        ("a[K**2] == a[4]", ONLY),
        ("a[floor(1,2)] == 1", ONLY),
        ("a[ceil()] == 1", ONLY),
        ("a[mod(2)] == 1", ONLY),
        ("a[mod(5,3,2)] == 1", ONLY),
        ("a[min()] == 1", ONLY),
        ("a[max()] == 1", ONLY),
        ("a[abs(1)] == 1", ONLY),
        ("a[abs(3,2)] == 1", ONLY),
        ("a[b[1]] == 1", ONLY),
        ("a[floor[1]] == 1", ONLY),
        ("a[sum(j, (j,1,2))] == 1", ONLY),
        ("a[star(1,2)] == 1", ONLY),
        ("a[floor(b[1]/2)] == 1", ONLY),
        ("a[floor(1/(1/2))] == a[2]", ONLY),
        # letters that mean something else
        ("a[b] == 1", "error: b is a tensor and stands in an index; an index or a size is wanted there"),
        ("a[c] == 1", "error: c is a tensor and stands in an index; an index or a size is wanted there"),
        ("a[E] == 1", f"error: E {WANTED}"),
        ("a[oo] == 1", f"error: oo {WANTED}"),
        ("a[k] == 1", f"error: k {WANTED}"),
        ("a[A] == 1", f"error: A {WANTED}"),
        ("a[C] == 1", f"error: C {WANTED}"),
        ("a[T] == 1", f"error: T {WANTED}"),
        ("a[L] == 1", f"error: L {WANTED}"),
    ],
)
def test_an_index_is_what_it_says(text: str, due: str) -> None:
    assert told(sc.check_claim(text, LINE)) == due


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("size == floor((I + 2*P - K)/S) + 1", "proved"),
        ("size == floor((I + 2*P - K)/S + 1)", "proved"),
        ("size == floor(I/S + (2*P - K)/S + 1)", "proved"),
        ("size == ceil((I + 2*P - K + 1)/S)", "proved"),
        ("size == floor((I + 2*P - K + 1)/S)", "1, not 0 at I = 1, K = 1, S = 2, P = 0, O = 1"),
        ("size == floor((I + 2*P - K)/S - 1)", "1, not -1 at I = 1, K = 1, S = 1, P = 0, O = 1"),
        ("mod(I, K) == I - K*floor(I/K)", "proved"),
        ("mod(-I, K) == -mod(I, K)", "1, not -1 at I = 1, K = 2, S = 1, P = 1, O = 2"),
        ("min(I, K) + max(I, K) == I + K", "proved"),
        ("floor(I/(-2)) == -ceil(I/2)", "proved"),
        ("ceil(I/(-2)) == -floor(I/2)", "proved"),
    ],
)
def test_an_index_for_all_sizes(text: str, due: str) -> None:
    assert told(sc.check_claim(text, SIZES, general=True)) == due


@pytest.mark.parametrize(
    ("declared", "text", "due"),
    [
        (replace(LINE, names={"weight": "K"}), "a[K] == 1", "error: K is a tensor and stands in an index; an index or "
         "a size is wanted there; name the kernel by another letter, such as sizes = { N = \"kernel\" }"),
        (replace(LINE, sets=("O",)), "a[O] == 1", f"error: O {WANTED}; name the output by another letter, such as "
         "sizes = { N = \"output\" }"),
        (replace(LINE, names={"output": "y"}), "a[c] == 1", "0, not 1 at c = 1"),
        (Declarations(sc.LPPool(Symbol("r"), (2,), 1), (3,)), "a[r] == 1", f"error: r {WANTED}"),
    ],
)  # fmt: skip
def test_a_letter_that_means_something_else_stands_in_no_index(declared: Declarations, text: str, due: str) -> None:
    assert told(sc.check_claim(text, declared)) == due
