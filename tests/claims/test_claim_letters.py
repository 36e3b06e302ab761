"""Letters of a question: what a claim writes is never taken for a name of ours, and what is shown is in its letters."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sympy import Symbol

import symconv as sc
from symconv.claims.check import check_source
from symconv.claims.claim_verdict import ClaimVerdict
from symconv.claims.declarations import Declarations
from symconv.claims.meaning.naming import naming
from symconv.claims.source import ClaimSource, Mode
from symconv.operators.base import Operator
from symconv.operators.convolution import Conv
from symconv.operators.pooling import MaxPool

LINE = Conv((2,))
TWO = Conv((2,), 2)
PADDED = Conv((2,), 2, 1)
POOL = MaxPool((2,), 1)
STRIDE = {"T": "stride"}


def verdict(
    text: str, mode: Mode = "literal", op: Operator = LINE, size: tuple[int, ...] = (4,), **declared: Any
) -> Any:
    result: ClaimVerdict = check_source(ClaimSource("x", Declarations(op, size, **declared), text, modes=(mode,)))[0]
    return result


def nine(cell: str) -> str:
    row = ", ".join([cell] * 3)
    return f"[[{row}], [{row}], [{row}]]"


LINES = [
    # a bound letter that the generic operator calls its stride
    ("sum(T*b[S],(S,1,K)) == sum(S*b[S],(S,1,K))", LINE, {"sizes": STRIDE}, "refuted", "refuted"),
    ("c[p] == sum(a[T*(p-1)+S]*b[S],(S,1,K))", LINE, {"sizes": STRIDE}, "exact", "proved"),
    ("c[S] == sum(a[T*(S-1)+m]*b[m],(m,1,K))", TWO, {"sizes": STRIDE, "indices": {"S": "output 1"}}, "exact", "proved"),
    ("c[P] == sum(a[P+D-1]*b[D],(D,1,K))", LINE, {"indices": {"P": "output 1"}}, "exact", "proved"),
    # n, the number of elements of a set
    ("sum(n*a[n], n in S) == sum(size(S)*a[n], n in S)", POOL, {"sets": ("S",)}, "refuted", "refuted"),
    ("sum(a[s], s in S) == size(S)*a[n]", POOL, {"sets": ("S",)}, "refuted", "refuted"),
    ("sum(1, n in S) == size(S)", POOL, {"sets": ("S",)}, "exact", "proved"),
    # s1, a coordinate of a window
    ("size(S[s1]) == 2", MaxPool((2,), 1, 1), {"sets": ("S",)}, "refuted", "refuted"),
    ("size(S[s1]) == sum(1, s in S[s1])", MaxPool((2,), 1, 1), {"sets": ("S",)}, "exact", "proved"),
    # default letters of tensors and indices
    ("c[a] == 0", LINE, {"indices": {"a": "output 1"}}, "refuted", "refuted"),
    ("size == I - b + 1", LINE, {"sizes": {"b": "kernel"}}, "exact", "proved"),
    ("O == floor((i + 2*p - k)/s) + 1", TWO,
     {"sizes": {"i": "input", "k": "kernel", "s": "stride", "p": "padding"}}, "exact", "proved"),
    ("O == floor((I + 2*S - K)/P) + 1", PADDED, {"sizes": {"P": "stride", "S": "padding"}}, "exact", "proved"),
    ("O == floor((I + S - K)/P) + 1", PADDED, {"sizes": {"P": "stride", "S": "padding"}}, "refuted", "refuted"),
    ("K == 2*I", Conv((2,), 2), {"sizes": {"I": "kernel", "K": "input"}}, "exact", "refuted"),
    ("diff(E, a[p]) == sum(g[m]*diff(c[m], a[p]), (m,1,O))", LINE, {"indices": {"p": "input 1"}}, "exact", "proved"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "op", "declared", "literal", "general"), LINES, ids=[line[0] for line in LINES])
def test_a_letter_means_what_its_question_says(
    text: str, op: Operator, declared: dict[str, Any], literal: str, general: str
) -> None:
    for mode, status in (("literal", literal), ("general", general)):
        found = verdict(text, mode, op, **declared)
        assert found.status == status, (mode, str(found.verdict))


def test_an_array_has_no_free_index() -> None:
    square = Conv((2, 2))
    for mode in ("literal", "general"):
        for names in ("i1,i2", "i,j", "p,q"):
            found = verdict(f"A == {nine(f'a[{names}]')}", mode, square, (3, 3))
            assert found.status == "error"
            assert "no free index" in found.verdict.explanation
    assert verdict("pad(A, r) == pad(A, r)").status == "error"
    right = "A == [[a[1,1], a[1,2]], [a[2,1], a[2,2]]]"
    assert verdict(right, "literal", square, (2, 2)).status == "exact"
    wrong = verdict(right.replace("a[2,2]", "a[1,2]"), "literal", square, (2, 2))
    assert wrong.verdict.counterexample.indices == {"i": 2, "j": 2}


def test_counterexamples_repairs_and_scopes_are_in_the_letters_of_the_question() -> None:
    sizes = {"T": "stride", "S": "padding", "N": "kernel", "J": "input", "Q": "output"}
    found = verdict("Q == floor((J + S - N)/T) + 1", "general", sizes=sizes)
    assert set(found.verdict.counterexample.sizes) == set("TSNJQ")
    assert found.verdict.counterexample.sizes["S"] == 1
    assert str(found.verdict.scope) == "for all J, N, T, S; with dilation 1"
    assert set(found.as_json()["counterexample"]["sizes"]) == set("TSNJQ")
    names = {"input": "u", "weight": "K", "output": "I"}
    moved = verdict("I[p] == sum(u[p+m]*K[m], (m,1,N))", "general", names=names, sizes={"N": "kernel", "J": "input"})
    assert moved.status == "refuted"
    assert moved.edit == "p+m should be p+m-1"
    assert set(moved.verdict.counterexample.tensors) <= {"u", "K"}
    assert set(moved.verdict.counterexample.sizes) == {"J", "N", "O"}
    whole = verdict("sum(n*a[n], n in S) == sum(2*a[n], n in S)", "general", POOL, sets=("S",))
    assert set(whole.verdict.counterexample.sizes) == {"|S|"}  # n is an index here


def test_the_name_of_a_size_on_one_axis_is_no_index() -> None:
    for mode, status in (("literal", "exact"), ("general", "proved")):
        found = verdict("diff(E, b[K_1]) == sum(g[p]*a[p+K_1-1], (p,1,O))", mode, indices={"K_1": "weight 1"})
        assert found.status == status, str(found.verdict)
        assert verdict("K_1 == I_1 - O_1 + 1", mode).status == status


REFUSED = [
    ({"sizes": {"v": "output"}, "indices": {"v_1": "weight 1"}}, "v_1 is declared as the output, axis by axis"),
    ({"names": {"weight": "k"}, "sizes": {"K": "kernel"}}, "K is declared as the weight and as the kernel"),
    ({"names": {"weight": "K"}, "sizes": {"K": "kernel"}}, "K is declared as the weight and as the kernel"),
    ({"names": {"input": "x"}, "indices": {"x": "output 1"}}, "x is declared as the input and as an index"),
    ({"sizes": {"S": "stride"}, "sets": ("S",)}, "S is declared as the stride and as a window set"),
    ({"sizes": {"S": "stride"}, "indices": {"S": "output 1"}}, "S is declared as the stride and as an index"),
    ({"functions": {"L": "lp"}, "sets": ("L",)}, "L is declared as a norm and as a window set"),
    ({"functions": {"L": "lp"}, "names": {"error": "L"}}, "L is declared as the error and as a norm"),
    ({"upper": "k", "indices": {"k": "output 1"}}, "k is declared as an index and as an upper index"),
    ({"sizes": {"N1": "stride", "N_1": "padding"}}, "N1 and N_1 look alike: N1 is declared as"),
    ({"sizes": {"size": "stride"}}, "size is the stride, and a word of the language"),
    ({"functions": {"sum": "lp"}}, "sum is a norm, and a word of the language"),
    ({"names": {"weight": "g", "upstream": "G"}}, r"names\['upstream'\] must not print like names\['weight'\] = 'g'"),
    ({"names": {"output_index": "i"}, "sizes": {"i": "input"}}, "i is declared as an index of the output and as"),
]  # fmt: skip


@pytest.mark.parametrize(("declared", "message"), REFUSED, ids=[message[:50] for _, message in REFUSED])
def test_two_chosen_letters_that_print_alike_are_refused_with_a_free_one(
    declared: dict[str, Any], message: str
) -> None:
    for mode in ("literal", "general"):
        found = verdict("1 == 1", mode, **declared)
        assert found.status == "error"
        assert re.search(message, found.verdict.explanation), found.verdict.explanation
        proposed = re.search(r"such as (\w)\b", found.verdict.explanation)
        assert proposed is not None
        assert proposed[1] not in "abcdgEABCDGIKOSP"


def test_a_default_gives_way_and_the_error_says_how_the_size_is_named() -> None:
    for weight in ("k", "K"):
        text = f"c[p] == sum(a[p+m-1]*{weight}[m], (m,1,K))"
        found = verdict(text, names={"weight": weight})
        assert found.status == "error"
        assert 'name the kernel by another letter, such as sizes = { N = "kernel" }' in found.verdict.explanation
        for mode, status in (("literal", "exact"), ("general", "proved")):
            named = verdict(text.replace("K)", "N)"), mode, names={"weight": weight}, sizes={"N": "kernel"})
            assert named.status == status


@pytest.mark.parametrize(
    "text",
    [
        "sum(a[S], (S,1,2)) == 0",
        "sum(a[L], (L,1,2)) == 0",
        "sum(a[k], (k,1,2)) == 0",
        "sum(a[T], (T,1,2)) == 0",
        "sum(a[x], (x,1,2)) == 0",
        "sum(a[E], (E,1,2)) == 0",
        "sum(a[A], (A,1,2)) == 0",
        "sum(a[size], (size,1,2)) == 0",
        "limit(L(A,S[q],T),T,oo) == 0",
        "limit(L(A,S[p],p),p,oo) == max(abs(a[t]), t in S[p])",
    ],
)
def test_a_letter_with_a_meaning_is_not_bound(text: str) -> None:
    declared = {"sets": ("S",), "functions": {"L": "lp"}, "upper": "k", "sizes": STRIDE, "names": {"output": "x"}}
    for mode in ("literal", "general"):
        assert verdict(text, mode, POOL, **declared).status == "error"


@pytest.mark.parametrize("name", ["k", "m", "p", "a", "c", "I", "O", "E", "n", "x1'", "k| Int)(assert false)(exit);"])
def test_symbols_of_the_layer_are_sizes(name: str) -> None:
    layer = Conv((Symbol(name),))
    right = verdict("size == J - N + 1", op=layer, sizes={"J": "input", "N": "kernel"})
    assert right.status == "proved"
    assert right.verdict.scope.symbolic == (name,)
    wrong = verdict("size == J - N", op=layer, sizes={"J": "input", "N": "kernel"})
    assert wrong.status == "refuted"
    output = "O'" if name == "O" else "O"  # which is no option
    assert set(wrong.verdict.counterexample.sizes) == {name, output}


NORM = {"functions": {"L": "lp"}, "sets": ("S",)}


def test_the_order_of_a_norm_is_no_hypothesis_on_a_size_or_an_index_of_the_same_letter() -> None:
    sizes = {"p": "padding", "S": "stride"}
    for mode, status in (("literal", "exact"), ("general", "proved")):
        found = verdict("O == floor((I+2*p-K)/S)+1", mode, POOL, sizes=sizes, functions={"L": "lp"})
        assert found.status == status
    # true from p = 1 on, and false at p = 0
    found = verdict("0 == floor(1/(1 + p))", "general", POOL, sizes={"p": "padding"}, functions={"L": "lp"})
    assert found.status == "refuted"
    assert found.verdict.counterexample.sizes["p"] == 0
    index = verdict("c[p] == c[p] + cases((a[0], p == 0), (0,))", "general", base=0, functions={"L": "lp"})
    assert index.status == "refuted"
    for mode in ("literal", "general"):  # p is open in both
        assert verdict("L(A,S[q],p)**p == sum(abs(a[t])**p, t in S[q])", mode, POOL, **NORM).status == "proved"
    assert verdict("c[p] == L(A,S[p],p)", "general", POOL, **NORM).status == "error"


def test_two_sets_without_indices_are_not_one() -> None:
    for text in ("sum(a[s], s in S) == sum(a[s], s in T)", "sum(1, s in S) == size(T)"):
        found = verdict(text, "general", POOL, sets=("S", "T"))
        assert found.status == "error"
        assert "S and T are two sets" in found.verdict.explanation
    assert verdict("sum(1, s in T) == size(T)", "general", POOL, sets=("S", "T")).status == "proved"


def test_the_place_of_an_entry_of_an_array_has_a_letter_that_means_nothing_else() -> None:
    line, plane = Conv((2,)), Conv((2, 2))
    wrong = "diff(E, A) == corr(pad(G, {kernel}-1), B)"
    for declared, kernel in (
        (Declarations(line, (4,), indices={"i": "output 1"}), "K"),
        (Declarations(plane, (4, 4), indices={"i": "input 2", "q": "input 1"}), "K"),
        (Declarations(plane, (4, 4), indices={"j": "weight 1"}, names={"weight": "x"}), "K"),
        (Declarations(line, (4,), sizes={"i": "kernel"}), "i"),
    ):
        text = wrong.format(kernel=kernel).replace("B)", "X)" if "weight" in declared.names else "B)")
        counter = sc.check_claim(text, declared, general=True).counterexample
        assert counter is not None
        assert len(counter.indices) == declared.op.spatial_axes
        assert not counter.indices.keys() & {*declared.indices, *declared.sizes, *counter.tensors, *counter.sizes}


def test_the_default_letter_of_a_tensor_that_a_layer_does_not_have_means_nothing() -> None:
    sizes = {"d": "input", "g": "kernel", "T": "output"}  # d is the usual letter of a bias, and g that of a gradient
    indices = {"A": "output 1", "h": "output 2", "r": "input 1", "e": "weight 1", "v": "weight 2"}
    names = {"input": "l", "weight": "k", "output": "t", "upstream": "C", "error": "J"}
    declared = Declarations(Conv((2, 2)), (4, 4), sizes=sizes, indices=indices, names=names)
    for text, due in (
        ("t[A,h] == sum(l[A+e-1, h+v-1]*k[e,v], (e,1,g), (v,1,g))", ("exact", "proved")),
        ("t[A,h] == sum(l[A+e-1, h+v-1]*k[h,v], (e,1,g), (v,1,g))", ("refuted", "refuted")),
    ):
        assert tuple(sc.check_claim(text, declared, general=every).status for every in (False, True)) == due
    assert naming(declared).letters.bias not in {*sizes, *indices, *names.values()}


def test_one_name_has_one_key() -> None:
    with pytest.raises(sc.ArgumentError, match=r"two keys for one name: it is that of 'H_\{in\}', got 'H_in'"):
        sc.Declarations(sc.Conv((2,)), (4,), sizes={"H_{in}": "input", "H_in": "kernel"})
