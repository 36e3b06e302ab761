"""Claims and their verdicts: the exercise's table row by row, and that nothing but what a claim says decides them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import symconv as sc
from symconv.claims.check import check_source
from symconv.claims.claim_verdict import ClaimVerdict
from symconv.claims.declarations import Declarations
from symconv.claims.source import ClaimSource
from symconv.cli.application import commands
from symconv.operators.adaptive import AdaptiveAvgPool
from symconv.operators.convolution import Conv
from symconv.operators.pooling import AvgPool, LPPool, MaxPool
from symconv.operators.transposed import ConvTranspose
from symconv.problems.problem import Problem
from symconv.problems.reading import load_problem, read_problem

EXERCISE = Path(__file__).parents[2] / "reports" / "dsga1008-hw2.toml"

# What is due: the status of every claim of the exercise, literally and in general; "-" where it is not asked.
TABLE: dict[str, tuple[str, str]] = {
    "1a": ("exact", "-"),
    "1b": ("-", "refuted"),
    "1b with floor": ("-", "proved"),
    "1c correlation": ("refuted", "-"),
    "1c convolution": ("exact", "-"),
    "1d definition": ("refuted", "refuted"),
    "1d definition, repaired": ("exact", "proved"),
    "1d differentiated sum": ("exact", "proved"),
    "1d Kronecker cases": ("exact", "proved"),
    "1d closed form": ("exact", "proved"),
    "1d (1) with L": ("error", "-"),
    "1d (1) with E": ("exact", "proved"),
    "1d (1) = (2), all ones": ("exact", "proved"),
    "1d (1) = (2), any": ("refuted", "refuted"),
    "1d (2) = (3)": ("exact", "proved"),
    "1d picture": ("exact", "proved"),
    "2b maximum": ("exact", "proved"),
    "2b average": ("exact", "proved"),
    "2b LP, as printed": ("-", "refuted"),
    "2c": ("exact", "-"),
    "2c of the correlation": ("exact", "-"),
    "2d maximum": ("-", "refuted"),
    "2d maximum, x >= 0": ("-", "proved"),
    "2d average, as printed": ("-", "proved"),
    "2d average": ("-", "refuted"),
    "2d average, x >= 0": ("-", "proved"),
}


@cache
def exercise() -> dict[tuple[str, str], ClaimVerdict]:
    return {(result.source.id, result.mode): result for result in sc.check(EXERCISE)}


# ---------------------------------------------------------------------- the table of the exercise


def test_the_exercise_has_every_row_and_no_other() -> None:
    rows = {(id, mode) for id, pair in TABLE.items() for mode, due in zip(("literal", "general"), pair) if due != "-"}
    assert set(exercise()) == rows


@pytest.mark.parametrize("id", TABLE)
def test_every_row_has_the_verdict_that_is_due(id: str) -> None:
    for mode, due in zip(("literal", "general"), TABLE[id], strict=True):
        if due == "-":
            continue
        result = exercise()[id, mode]
        assert result.status == due, str(result.verdict)
        assert result.verdict.explanation
        assert (result.verdict.counterexample is not None) == (due == "refuted" and not id.startswith("1c"))
        if due == "proved":  # for all sizes, and not at none of them
            assert result.verdict.scope.symbolic
            assert result.verdict.instance
        if due == "exact":
            assert not result.verdict.scope.symbolic


def witness(id: str, mode: str) -> dict[str, Any]:
    counter = exercise()[id, mode].verdict.counterexample
    assert counter is not None
    return {
        "sizes": dict(counter.sizes),
        "indices": dict(counter.indices),
        "tensors": {name: dict(entries) for name, entries in counter.tensors.items()},
        "values": (counter.left, counter.right),
    }


def test_the_size_without_floor_fails_first_at_input_2_kernel_1_stride_2() -> None:
    found = witness("1b", "general")
    assert {k: v for k, v in found["sizes"].items() if k != "O"} == {"I": 2, "K": 1, "S": 2, "P": 0}
    assert found["values"] == (1, Fraction(3, 2))
    result = exercise()["1b", "general"]
    assert result.repair == "floor((I + 2*P - K)/S) + 1"
    assert result.edit == "(I+2*P-K)/S should be floor((I+2*P-K)/S)"
    assert result.repaired is not None
    assert result.repaired.status == "proved"


@pytest.mark.parametrize(
    ("mode", "sizes", "status"), [("literal", {}, "exact"), ("general", {"I": 2, "K": 2}, "proved")]
)
def test_the_wrong_index_of_the_definition_is_shown_and_mended(mode: str, sizes: Any, status: str) -> None:
    found = witness("1d definition", mode)
    assert {k: v for k, v in found["sizes"].items() if k != "O"} == sizes
    assert found["indices"] == {"i": 1, "j": 1}
    assert found["tensors"] == {"a": {(1, 1): 1}, "b": {(1, 2): 1}}
    assert found["values"] == (0, 1)
    result = exercise()["1d definition", mode]
    assert result.edit == "j+m-1 should be j+n-1"
    assert result.repair == "c[i, j] == sum(a[i + m - 1, j + n - 1]*b[m, n], (n, 1, 3), (m, 1, 3))"
    assert result.repaired is not None
    assert result.repaired.status == status


def test_the_printed_matrix_is_the_other_convolution() -> None:
    text = exercise()["1c correlation", "literal"].verdict.explanation
    assert text.startswith("9 of 9 entries differ ((1, 1): 113 and 109, (1, 2): 87 and 92, ")
    assert text.endswith("The flipped convolution gives it.")


def test_an_upstream_gradient_of_ones_is_no_other_one() -> None:
    for mode in ("literal", "general"):
        found = witness("1d (1) = (2), any", mode)
        assert found["tensors"] == {"b": {(1, 1): 1}}  # with no upstream gradient at all
        assert found["values"] == (0, 1)


def test_an_undeclared_error_is_said_with_what_is_declared_and_meant() -> None:
    text = exercise()["1d (1) with L", "literal"].verdict.explanation
    assert text.startswith("'L' is not declared as an error, E is (declared: E, a, b, c, g, ")
    assert text.endswith("did you mean E?")


def test_a_negative_entry_separates_the_poolings_and_nothing_separates_them_for_others() -> None:
    for id in ("2d maximum", "2d average"):
        found = witness(id, "general")
        assert found["sizes"] == {"n": 1}
        assert found["tensors"] == {"x": {(1,): -1}}
        assert found["values"] == (-1, 1)
        assert "x is assumed to be >= 0" in exercise()[f"{id}, x >= 0", "general"].verdict.explanation


def test_what_was_read_in_one_of_several_ways_is_reported() -> None:
    assert any("c_{ij} has no commas" in note for note in exercise()["1d definition", "literal"].notes)
    assert any("equation number (3)" in note for note in exercise()["1d (2) = (3)", "literal"].notes)


# ---------------------------------------------------------------------- what must not matter


def statuses(problem: Problem) -> dict[tuple[str, str], str]:
    return {(r.source.id, r.mode): r.status for source in problem.claims for r in check_source(source)}


def due() -> dict[tuple[str, str], str]:
    return {
        (id, mode): row[k]
        for id, row in TABLE.items()
        for k, mode in enumerate(("literal", "general"))
        if row[k] != "-"
    }


def edited(change: Callable[[ClaimSource], ClaimSource | None]) -> Problem:
    """The exercise with every claim changed, or left out."""
    problem = load_problem(EXERCISE)
    claims = [change(source) for source in problem.claims]
    return replace(problem, claims=tuple(c for c in claims if c is not None))


def test_another_order_of_claims_changes_the_order_only() -> None:
    problem = load_problem(EXERCISE)
    found = statuses(replace(problem, claims=problem.claims[::-1]))
    assert found == due()
    assert list(dict.fromkeys(id for id, _ in found)) == list(TABLE)[::-1]


LETTERS = {
    "a": "u", "b": "w", "c": "y", "g": "h", "E": "J", "A": "U", "B": "W", "C": "Y",
    "i": "s", "j": "t", "m": "k", "n": "l", "p": "d", "q": "e", "u": "f", "v": "z",
}  # fmt: skip
NAMES = {
    "input": "u", "weight": "w", "output": "y", "upstream": "h", "error": "J", "input_index": "stx",
    "weight_index": "klo", "output_index": "der", "turned_index": "fzn",
}  # fmt: skip
_PIECES = re.compile(r"\\(?:text|begin|end)\{[^{}]*\}|\\[A-Za-z]+|[A-Za-z]+|.", re.S)


def translated(text: str) -> str:
    """A claim in other letters; words of the language are left alone, and ``ij`` is two letters."""
    words = {"in", "oo"}
    return "".join(
        "".join(LETTERS.get(c, c) for c in piece)
        if piece.isalpha() and len(piece) <= 2 and piece not in words
        else piece
        for piece in _PIECES.findall(text)
    )


def test_other_letters_change_no_verdict() -> None:
    def change(source: ClaimSource) -> ClaimSource | None:
        if source.id.startswith("2") or "(1) with L" in source.id:
            return None
        data = {translated(name): value for name, value in source.declared.data.items()}
        return replace(
            source,
            text=translated(source.text),
            latex=translated(source.latex),
            declared=replace(source.declared, names=NAMES, data=data),
        )

    assert translated(r"\frac{\partial c_{pq}}{\partial a_{ij}}") == r"\frac{\partial y_{de}}{\partial u_{st}}"
    problem = edited(change)
    found = statuses(problem)
    assert found == {
        key: value for key, value in due().items() if not key[0].startswith("2") and "with L" not in key[0]
    }
    (wrong,) = [s for s in problem.claims if s.id == "1d definition"]
    result = check_source(wrong)[1]
    assert result.edit == "t+k-1 should be t+l-1"
    assert result.verdict.counterexample is not None
    assert result.verdict.counterexample.tensors == {"u": {(1, 1): 1}, "w": {(1, 2): 1}}


def test_other_sizes_change_no_verdict() -> None:
    """6 x 6 and 3 x 3: where the 3 is an output, it is a 4 now; where it is the kernel, it stays."""

    def change(source: ClaimSource) -> ClaimSource | None:
        if source.id[0] == "2" or source.id.startswith("1c"):
            return None
        text, latex, general = source.text, source.latex, dict(source.declared.general)
        if general.get("3") == "O" or source.id in ("1a", "1d (1) with L"):
            general = {"4": "O", "3": "O - 1"} if "2" in general else {"4": "O"}
            text = text.translate({ord("2"): "3", ord("3"): "4"})
            latex = latex.replace("^3", "^4").replace("u-2)", "u-3)").replace("v-2)", "v-3)")
        declared = replace(source.declared, input_size=(6, 6), general=general)
        return replace(source, text=text, latex=latex, declared=declared)

    problem = edited(change)
    (picture,) = [s for s in problem.claims if s.id == "1d picture"]
    assert picture.text == "diff(E, A) == corr(pad(B, 3), ones(4, 4))"
    assert statuses(problem) == {k: v for k, v in due().items() if k[0][0] == "1" and not k[0].startswith("1c")}


ZERO_BASED = """
title = "counting from 0"
index_base = 0
[operators.conv]
kind = "Conv"
input_size = [5, 5]
kernel_size = [3, 3]
"""
ZERO_CLAIMS: list[tuple[str, str, dict[str, str], tuple[str, str]]] = [
    ("definition", "c[i,j] == sum(a[i+m, j+m]*b[m,n], (n,0,2), (m,0,2))", {"2": "K - 1"}, ("refuted", "refuted")),
    ("repaired", "c[i,j] == sum(a[i+m, j+n]*b[m,n], (n,0,2), (m,0,2))", {"2": "K - 1"}, ("exact", "proved")),
    ("closed", "diff(c[p,q], a[i,j]) == b[i-p, j-q]", {}, ("exact", "proved")),
    ("one-based", "diff(c[p,q], a[i,j]) == b[i-p+1, j-q+1]", {}, ("refuted", "refuted")),
    (
        "chain",
        "diff(E, a[i,j]) == sum(diff(E, c[p,q])*diff(c[p,q], a[i,j]), (p,0,2), (q,0,2))",
        {"2": "O - 1"},
        ("exact", "proved"),
    ),
    ("arrays", "diff(E, A) == corr(pad(G, 2), rot180(B))", {"2": "K - 1"}, ("exact", "proved")),
]


def test_counting_from_0_gives_the_same_verdicts_for_the_same_lines() -> None:
    text = ZERO_BASED
    for id, claim, general, _ in ZERO_CLAIMS:
        table = ", ".join(f'{k} = "{v}"' for k, v in general.items())
        text += f'[[claims]]\nid = "{id}"\noperator = "conv"\ntext = "{claim}"\ncheck = ["literal", "general"]\n'
        text += f"general = {{ {table} }}\n" if table else ""
    found = statuses(read_problem(text))
    assert found == {
        (id, mode): row[k] for id, _, _, row in ZERO_CLAIMS for k, mode in enumerate(("literal", "general"))
    }


# ---------------------------------------------------------------------- single claims

CONV1 = Declarations(Conv((3,)), (5,))
CONV1_I = Declarations(Conv((3,), 1, 1), (3,), indices={"i": "input 1"})
CONV2 = Declarations(Conv((3, 3)), (5, 5))
POOL = Declarations(
    MaxPool((2,), 1), (4,), names={"input": "x", "output": "y"}, functions={"L": "lp"}, sets=("S",)
)  # fmt: skip


def judged(text: str, declared: Declarations = CONV1, every: bool = False, **changes: Any) -> sc.Verdict:
    """The verdict at the declared size, or for every size."""
    return sc.check_claim(text, replace(declared, **changes), general=every)


TRUE: list[tuple[str, Declarations]] = [
    ("c[i] == sum(a[i+m-1]*b[m], (m,1,3))", CONV1),
    ("c[i] == a[i]*b[1] + a[i+1]*b[2] + a[i+2]*b[3]", CONV1),
    ("2*c[i] - c[i] == c[i]", CONV1),
    ("c[i]**2 == c[i]*c[i]", CONV1),
    ("c[q,p] == sum(a[q+m-1, p+n-1]*b[m,n], (m,1,3), (n,1,3))", CONV2),
    ("diff(sum(a[i], (i,1,5)), a[i]) == 1", CONV1),
    ("diff(c[i], b[m]) == a[i+m-1]", CONV1),
    ("diff(a[i+1], a[i+1]) == cases((1, i <= 4), (0,))", replace(CONV1, indices={"i": "input 1"})),  # a[6] is none
    ("diff(E, a[i+1]) == cases((sum(g[p]*b[i-p+3], (p,1,3)), i <= 2), (0,))", CONV1_I),
    ("diff(c[i], a[m]) == b[m-i+1]", replace(CONV1, indices={"i": "output 1", "m": "input 1"})),
    ("diff(E, b[m]) == sum(g[p]*a[p+m-1], (p,1,3))", CONV1),
    ("diff(E, B) == corr(A, G)", CONV2),
    ("diff(E, A) == corr(pad(G, 2), rot180(B))", CONV2),
    ("sum(a[i]*(i % 2), (i,1,5)) == a[1] + a[3] + a[5]", CONV1),
    ("(-7) % 3 == 2", CONV1),
    ("floor(7/(0-2)) == -4", CONV1),
    ("size(S[p+9]) == 0", POOL),  # there is no such output, so there is no window
    ("sum(1, s in S[p+9]) == 0", POOL),
    ("corr(corr(A, B), B) == corr(A, conv(pad(B, 1), B))", Declarations(Conv((2,)), (5,))),
    ("conv(A, B) == corr(A, rot180(B))", CONV2),
    ("rot180(rot180(A)) == A", CONV2),
    ("C == conv(A, B)", Declarations(Conv((2, 2), flip=True), (3, 3))),
    ("C == [[a[1,1]*b[1,1] + a[1,2]*b[1,2], a[1,2]*b[1,1] + a[1,3]*b[1,2]]]", Declarations(Conv((1, 2)), (1, 3))),
    ("y[p] == max(x[s], s in S[p])", POOL),
    ("y[p] == sum(x[s], s in S[p])/size(S[p])", replace(POOL, op=AvgPool((2,), 1, 1, count_include_pad=False))),
    ("y[p] == sum(x[s], s in S[p])/2", replace(POOL, op=AvgPool((2,), 1, 1))),
    ("y[p] == L(X, S[p], 2)", replace(POOL, op=LPPool(2, (2,), 2, 1))),
]
FALSE: list[tuple[str, Declarations]] = [
    ("c[i] == sum(a[i+m]*b[m], (m,1,3))", CONV1),
    ("a[i]*c[i] == a[i]*sum(a[i+m-1]*b[m], (m,1,3))", CONV1),  # i runs over the input, and c ends before
    ("c[2*p] == sum(a[2*p+m-1]*b[m], (m,1,3))", replace(CONV1, indices={"p": "output 1"})),
    ("diff(sum(a[i], (i,1,4)), a[i]) == 1", CONV1),
    ("pad(C, 1) == corr(pad(A, 1), B)", CONV1),
    ("pad(corr(A, B), 1) == corr(pad(A, 1), B)", CONV1),
    ("pad(diff(E, A), 1) == corr(pad(G, 2), rot180(B))", Declarations(Conv((3,), 1, 1), (5,))),
    ("corr(corr(A, B), B) == corr(A, corr(pad(B, 1), B))", Declarations(Conv((2,)), (5,))),
    ("diff(E, A) == corr(pad(G, 2), B)", CONV2),
    ("c[i] == c[j]", replace(CONV1, indices={"i": "output 1", "j": "output 1"})),
    ("C == conv(A, B)", CONV2),
    ("y[p] == sum(x[s], s in S[p])/2", replace(POOL, op=AvgPool((2,), 1, 1, count_include_pad=False))),
    ("y[p] == sum(x[s], s in S[p])/size(S[p])", replace(POOL, op=AvgPool((2,), 1, 1))),
    ("y[p] == L(X, S[p], 3)", replace(POOL, op=LPPool(2, (2,), 2, 1))),
    ("y[p] == max(x[s], s in S[p]) == L(X, S[p], 1)", POOL),
    ("abs(a[i]) == a[i]", CONV1),
]


@pytest.mark.parametrize(("text", "declared"), TRUE, ids=lambda v: v if isinstance(v, str) else "")
def test_true_claims_are_exact(text: str, declared: Declarations) -> None:
    verdict = judged(text, declared)
    assert verdict.status == "exact", str(verdict)


@pytest.mark.parametrize(("text", "declared"), FALSE, ids=lambda v: v if isinstance(v, str) else "")
def test_false_claims_are_refuted_by_an_example(text: str, declared: Declarations) -> None:
    verdict = judged(text, declared)
    assert verdict.status == "refuted", str(verdict)
    assert verdict.counterexample is not None
    assert verdict.counterexample.left != verdict.counterexample.right


ERRORS: list[tuple[str, dict[str, Any], str]] = [
    ("c[i] == sum(f[i+m-1]*b[m], (m,1,3))", {}, r"^the tensor 'f' is not declared \(declared: a, b, g, c\)"),
    ("c[i] == sun(a[i])", {}, r"^the function 'sun' is not declared .*did you mean sum\?$"),
    ("c[i] == floor(KK/2)", {}, r"^the range of the free index KK is not declared"),
    ("c[i] == Q", {}, r"^the name 'Q' is not declared \(declared: a, b, c, g, E, A, B, G, C, I, O, K\)"),
    ("diff(e, a[i]) == 0", {}, r"^'e' is not declared as an error; E is|'e' is not declared as an error, E is"),
    ("c[i,j] == 0", {}, "^c has 1 index, and 2 are given"),
    ("c[i] == a[x+1]", {}, "^the range of the free index x is not declared; add it to indices"),
    ("c[i] == A", {}, "^an array is wanted here"),
    ("c[i] == A*1", {}, "^A is an array and stands where one entry is wanted"),
    ("c[i] == E", {}, "^E is the error: only its derivatives have a formula here"),
    ("c[i] == sum(a[c], (c,1,3))", {}, "^c is declared as a tensor and cannot be summed over"),
    ("c[i] == a[c]", {}, "^c is a tensor and stands in an index"),
    ("c[i] == a[A]", {}, "^A stands in an index; an index or a size is wanted there"),
    ("c[i] == a[oo]", {}, "^oo stands in an index"),
    ("c[i] == sum(a[j], (j,1,3), (j,1,2))", {}, "^j is summed over twice"),
    ("c[i] == sum(sum(a[j], (j,1,3)), (j,1,2))", {}, "^j is summed over twice"),
    ("c[i] == sum(a[j], (j,1,j))", {}, "^j stands in the range that it runs over"),
    ("size == floor(I/0)", {}, "^divides by zero"),
    ("L(A, S, 0) == 1", {"functions": {"L": "lp"}, "sets": ("S",)}, "^the order of a norm must be at least 1, got 0"),
    ("L(A, S, q) == 1", {"functions": {"L": "lp"}, "sets": ("S",)}, "^the name 'q' is not declared"),
    ("L(A, T, 2) == 1", {"functions": {"L": "lp"}, "sets": ("S",)}, "^the set 'T' is not declared"),
    ("L(A, S) == 1", {"functions": {"L": "lp"}, "sets": ("S",)}, "^S is a set and stands where a value is wanted"),
    ("c[i] == gcd(i, 2)", {}, "^the function 'gcd' is not declared"),
    ("c[i] == mod(i)", {}, "^an index must be built from integers"),
    ("c[i] == i % (K-3)", {}, "^divides by zero"),
    ("c[i] == sum(a[K], (K,1,3))", {}, "^K is declared as a size and cannot be summed over"),
    ("c[i] == c[i]/0", {}, "^divides by zero"),
    ("[[1/0]] == [[1]]", {}, "^divides by zero"),
    ("c[i] == 0**(0-1)", {}, "^divides by zero"),
    ("c[i] <= 1", {}, "^only equalities can be checked"),
    ("c[i]", {}, "^a single value says nothing by itself"),
    ("c[i] == a[1/2]", {}, "^an index must be built from integers"),
    ("c[i] == a[0.5]", {}, "^1/2 stands in an index"),
    ("c[i] == a[i]**65", {}, "^the exponent 65 is larger than 64"),
    ("C == ast(A, B)", {}, r"^what the asterisk between arrays means is not declared; add star = \"correlation\" or"),
    ("C == X", {"data": {"V": [1]}}, r"^the array 'X' is not declared|the name 'X' is not declared"),
    ("[[1]] == ones(1000000, 1000000)", {}, "^ones.*takes 1,000,000,000,000 steps in numbers, and at most 1,000,000"),
    ("[[1]] == corr(ones(300, 300), ones(150, 150))", {}, "steps in numbers, and at most 1,000,000 are taken"),
    ("size[2] == 3", {}, "^size has entries 1 to 1"),
    ("c[i] == max(x[s], s in T)", {}, r"^the set 'T' is not declared \(declared: none\)"),
    ("c[i] == limit(c[i], p, oo)", {}, "^the limit in p is not that of a norm"),
    ("c[i] == limit(c[i], p, 0)", {}, "^only limits to infinity are read"),
    ("c[i] == 0", {"indices": {"i": "output 2"}}, "^indices: i = .output 2. must be a role and an axis"),
    ("c[i] == 0", {"nonnegative": ("z",)}, "^the tensor 'z' is not declared"),
    (
        "size(S[p]) == 3",
        {"op": ConvTranspose((3,)), "sets": ("S",)},
        "^S is a window of the input, and transposed conv",
    ),
    (
        "c[p] == 0",
        {"op": AdaptiveAvgPool((2,))},
        "^claims speak of one window for all outputs, or of none, and adaptive average",
    ),
    ("size == P", {"op": Conv((3,), padding=((1, 2),)), "sizes": {"P": "padding"}}, "^sizes: 'P' is to be the padding"),
    ("c[i] == 0", {"sizes": {"Z": "width"}}, "^sizes: 'Z' must be one of input, output, kernel"),
    ("c[i] = 0", {}, "column 6: found '=', expected == for an equation"),
]


@pytest.mark.parametrize(("text", "changes", "message"), ERRORS, ids=[text for text, _, _ in ERRORS])
def test_what_is_not_declared_or_has_no_meaning_is_an_error_that_says_so(
    text: str, changes: dict[str, Any], message: str
) -> None:
    verdict = judged(text, **changes)
    assert verdict.status == "error", str(verdict)
    assert re.search(message, verdict.explanation), verdict.explanation


# ---------------------------------------------------------------------- declarations


def test_a_bare_asterisk_is_what_it_was_declared_to_be() -> None:
    assert judged("C == ast(A, B)", CONV2, star="correlation").status == "exact"
    assert judged("C == ast(A, B)", CONV2, star="convolution").status == "refuted"
    assert judged("C == star(A, B)", CONV2, star="convolution").status == "exact"  # a star is a correlation


def test_an_upstream_gradient_is_any_or_ones() -> None:
    text = "diff(E, a[i]) == sum(b[i-p+1], (p,1,3))"
    assert judged(text, upstream="ones").status == "exact"
    assert judged(text).status == "refuted"
    assert judged("g[p] == 1", upstream="ones").status == "exact"
    assert judged("g[p] == 1").status == "refuted"
    assert judged("sum(g[p], (p,0,9)) == 3", upstream="ones").status == "refuted"  # there is no g[0]


def test_the_range_of_an_index_is_declared_or_that_of_its_entry_or_of_its_family() -> None:
    text = "sum(a[i+m-1]*b[m], (m,1,3)) == c[i]"
    assert judged(text).status == "refuted"  # i is of the family of the input here, and c ends before it does
    assert judged(text, indices={"i": "output 1"}).status == "exact"
    assert judged("c[i] == sum(a[i+m-1]*b[m], (m,1,3))").status == "exact"  # by the entry on the left
    family = judged("b[p+1] == b[p+1]*1")
    assert (family.status, family.conditions) == ("exact", ("entries of b outside count as 0",))
    assert judged("p - p == 0*c[q]").status == "error"  # an index is no value


def test_numbers_stand_for_sizes_as_declared_one_by_one_or_all_alike() -> None:
    text = "diff(E, a[i,j]) == sum(sum(g[p,q]*b[i-p+1, j-q+1], (p,1,3)), (q,1,3))"
    assert judged(text, CONV2, True, general={"3": "O"}).status == "proved"
    assert judged(text, CONV2, True, general={"3": ("O", "O")}).status == "proved"
    assert judged(text, CONV2, True, general={"3": ("O", "K")}).status == "refuted"
    assert judged(text, CONV2, True).status == "refuted"  # a 3 is a 3 where nothing is declared
    assert judged("c[i] == sum(a[i+m-1]*b[m], (m,1,3))", CONV1, True, general={"3": "O"}).status == "refuted"
    error = judged(text, CONV2, True, general={"3": "Q"})
    assert error.status == "error"
    assert "general: must be an expression in the size letters" in error.explanation


def test_a_stride_that_is_not_named_stays_what_it_is() -> None:
    declared = Declarations(Conv((3,), 2), (7,))
    assert judged("c[p] == sum(a[2*p+m-2]*b[m], (m,1,K))", declared, True).status == "proved"
    assert judged("c[p] == sum(a[S*(p-1)+m]*b[m], (m,1,K))", declared, True, sizes={"S": "stride"}).status == "proved"
    wrong = judged("c[p] == sum(a[2*p+m-2]*b[m], (m,1,K))", declared, True, sizes={"S": "stride"})
    assert wrong.status == "refuted"
    assert wrong.counterexample is not None
    assert wrong.counterexample.sizes["S"] != 2


def test_entries_that_are_not_negative_are_not_refuted_by_one_that_is() -> None:
    sums = "max(x[s], s in S) == L(X, S, 1)"
    for general in (False, True):
        assert judged("max(x[s], s in S) == limit(L(X, S, p), p, oo)", POOL, general).status == "refuted"
        true = judged("max(x[s], s in S) == limit(L(X, S, p), p, oo)", POOL, general, nonnegative=("x",))
        assert true.holds
        verdict = judged(sums, POOL, general, nonnegative=("x",))  # false, by two ones and by nothing negative
        assert verdict.status == "refuted"
        assert verdict.counterexample is not None
        assert verdict.counterexample.tensors == {"x": {(1,): 1, (2,): 1}}
    assert judged("abs(a[i]) == a[i]", nonnegative=("a",)).status == "exact"
    assert judged("abs(b[m]) == b[m]", nonnegative=("a",)).status == "refuted"


DATA = {"A": [[1, 2], [3, Fraction(1, 2)]], "B": [[1, 0], [0, -1]], "V": [[5]]}
SMALL = Declarations(Conv((2, 2)), (2, 2), data=DATA)


def test_values_are_compared_exactly_and_what_differs_is_listed() -> None:
    assert judged("[[1/2]] == corr(A, B)", SMALL).status == "exact"
    assert judged("[[0.5]] == C", SMALL).status == "exact"
    assert judged("corr(A, B) == [[0.5]]", SMALL).status == "exact"
    wrong = judged("[[-1/2]] == corr(A, B)", SMALL)
    assert wrong.status == "refuted"
    assert wrong.explanation == "1 of 1 entries differ ((1, 1): -1/2 and 1/2). The flipped convolution gives it."
    assert judged("[[-1/2]] == C", SMALL).explanation.endswith("The flipped convolution gives it.")
    assert judged("[[1/2]] == conv(A, B)", SMALL).explanation.endswith("The cross-correlation gives it.")
    flipped = replace(SMALL, op=Conv((2, 2), flip=True))
    assert judged("[[1/2]] == C", flipped).explanation.endswith("The cross-correlation gives it.")
    neither = judged("[[7]] == C", SMALL)
    assert neither.explanation == "1 of 1 entries differ ((1, 1): 7 and 1/2)."
    shapes = judged("[[1, 2]] == corr(A, B)", SMALL)
    assert shapes.explanation == "The shapes differ: 1x2 on the left, 1x1 on the right."
    assert judged("[[1/2]] == corr(A, B)", SMALL, base=0).status == "exact"
    assert judged("[[1/3]] == corr(A, B)", SMALL, base=0).explanation.startswith("1 of 1 entries differ ((0, 0): ")
    assert judged("V == [[5]]", SMALL).status == "exact"
    assert judged("[[1/2]] == corr(A, B)", SMALL, True).status == "error"  # numbers are no claim about all sizes
    assert "a kernel of shape (2, 2) does not fit" in judged("[[1]] == corr(V, A)", SMALL).explanation


def test_a_chain_is_as_good_as_its_weakest_link() -> None:
    good = "c[i] == sum(a[i+m-1]*b[m], (m,1,3))"
    assert judged(good + " == a[i]*b[1] + a[i+1]*b[2] + a[i+2]*b[3]").status == "exact"
    assert judged(good + " == a[i]*b[1]").status == "refuted"
    assert judged(good + " == a[i]*z[1]").status == "error"
    assert judged("a[i]*b[1] == " + good).status == "refuted"


def test_a_tensor_that_plays_no_part_is_not_in_the_example() -> None:
    verdict = judged("c[i] == 0*a[i]")
    assert verdict.counterexample is not None
    assert set(verdict.counterexample.boxes) == {"a", "b"}


# ---------------------------------------------------------------------- the command


FILE = """
title = "t"
[operators.conv]
kind = "Conv"
input_size = [5]
kernel_size = [3]
[operators.max]
kind = "MaxPool"
input_size = [4]
kernel_size = [2]
"""
CLAIM = '[[claims]]\nid = "{id}"\noperator = "conv"\ntext = "{text}"\n'
GOOD = CLAIM.format(id="good", text="c[i] == sum(a[i+m-1]*b[m], (m,1,3))")
BAD = CLAIM.format(id="bad", text="c[i] == sum(a[i+m]*b[m], (m,1,3))")
UNKNOWN = CLAIM.format(id="unknown", text="c[i] == f[i]")


def run(tmp_path: Path, content: str, *options: str) -> tuple[int, str]:
    path = tmp_path / "p.toml"
    path.write_text(content, encoding="utf-8")
    result = CliRunner().invoke(commands, ["check", str(path), *options])
    return result.exit_code, result.output


def test_the_exit_status_says_what_was_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(tmp_path, FILE + GOOD)[0] == 0
    assert run(tmp_path, FILE + GOOD + BAD)[0] == 1
    assert run(tmp_path, FILE + GOOD + UNKNOWN)[0] == 1
    assert run(tmp_path, FILE + GOOD + GOOD)[0] == 2  # an id twice
    assert run(tmp_path, FILE + GOOD.replace("operator", "oprator"))[0] == 2
    assert CliRunner().invoke(commands, ["check", str(tmp_path / "none.toml")]).exit_code == 2
    undecided = sc.Verdict("undecided", explanation="Nothing was found.")
    monkeypatch.setattr("symconv.claims.check.judged", lambda *args, **options: undecided)
    code, output = run(tmp_path, FILE + GOOD)
    assert code == 3
    assert "undecided" in output
    assert "Nothing was found." in output


def test_the_table_names_every_claim_and_shows_what_is_wrong_and_how_to_mend_it(tmp_path: Path) -> None:
    code, output = run(tmp_path, FILE + GOOD + BAD)
    assert code == 1
    assert re.search(r"^good +literal +exact +c\[i\] == ", output, re.M)
    assert re.search(r"^bad +literal +refuted +c\[i\] == ", output, re.M)
    assert "i+m should be i+m-1  (exact: c[i] == sum(a[i + m - 1]*b[m], (m, 1, 3)))" in output
    assert output.endswith("1 exact, 1 refuted\n")
    _, plain = run(tmp_path, FILE + BAD, "--no-repair")
    assert "should be" not in plain


def test_json_is_one_list_of_objects(tmp_path: Path) -> None:
    code, output = run(tmp_path, FILE + GOOD + BAD + UNKNOWN, "--json")
    assert code == 1
    good, bad, unknown = json.loads(output)
    for entry in (good, bad, unknown):
        assert {"id", "status", "scope", "counterexample", "repair", "explanation", "conditions"} <= set(entry)
    assert (good["id"], good["mode"], good["status"], good["scope"]) == (
        "good",
        "literal",
        "exact",
        "at the given size",
    )
    assert good["counterexample"] is None
    assert good["repair"] is None
    assert bad["status"] == "refuted"
    assert bad["repair"] == "c[i] == sum(a[i + m - 1]*b[m], (m, 1, 3))"
    assert bad["edit"] == "i+m should be i+m-1"
    assert bad["counterexample"] == {
        "sizes": {},
        "indices": {"i": 1},
        "tensors": {"a": [{"index": [1], "value": "1"}], "b": [{"index": [1], "value": "1"}]},
        "left": "1",
        "right": "0",
    }
    assert (unknown["status"], unknown["scope"]) == ("error", "")
    assert "'f' is not declared" in unknown["explanation"]


def test_the_python_call_and_the_command_give_the_same_answers(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_text(FILE + GOOD + BAD + UNKNOWN, encoding="utf-8")
    _, output = run(tmp_path, FILE + GOOD + BAD + UNKNOWN, "--json")
    assert json.loads(output) == [result.as_json() for result in sc.check(path)]
    assert [r.as_json() for r in sc.check(load_problem(path))] == json.loads(output)
    for result in sc.check(path):
        single = sc.check_claim(result.source.text, result.source.declared)
        assert (single.status, single.explanation) == (result.status, result.verdict.explanation)
