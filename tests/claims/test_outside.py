"""Entries that do not exist: a line that runs past its tensors is refuted, a closed form holds under a condition."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import symconv as sc
from symconv.claims.check import check_source
from symconv.claims.claim_verdict import ClaimVerdict
from symconv.claims.declarations import Declarations
from symconv.claims.source import ClaimSource

LINE = Declarations(sc.Conv((3,)), (5,))
ZERO = replace(LINE, base=0)
PLANE = Declarations(sc.Conv((2, 2)), (4, 4), base=0, names={"input": "x", "weight": "w", "output": "y", "error": "L"})
PADDED = Declarations(sc.Conv((3,), 2, 1), (5,), sizes={"S": "stride", "P": "padding"})
MEAN = Declarations(sc.AvgPool((2,), 2), (4,), sets=("S",))
PADDED_MEAN = replace(PADDED, op=sc.AvgPool((3,), 2, 1))
A, B, G, W = (f"entries of {letter} outside count as 0" for letter in "abgw")


def checked(text: str, declared: Declarations, every: bool) -> ClaimVerdict:
    latex = "\\" in text
    mode: Any = "general" if every else "literal"
    return check_source(ClaimSource("", declared, "" if latex else text, text if latex else "", (mode,)))[0]


@pytest.mark.parametrize(
    ("text", "declared", "entries", "edit"),
    [
        (
            r"y_{ij} = \sum_{u=0}^{K}\sum_{v=0}^{K} x_{i+u,j+v} w_{uv}",
            PLANE,
            [("w", (0, 2)), ("w", (0, 1))],
            "K should be K-1",
        ),
        (
            r"y_{ij} = \sum_{u=-5}^{7K}\sum_{v=0}^{K-1} x_{i+u,j+v} w_{uv}",
            PLANE,
            [("w", (-5, 0)), ("w", (-5, 0))],
            "-5 should be 0, 7*K should be K-1",
        ),
        (r"c_p = \sum_{m=0}^{3} a_{p+m-1} b_m", LINE, [("b", (0,)), ("b", (0,))], "0 should be 1"),
        ("c[p] == sum(a[p+m-1]*b[m], (m,1,K+1))", LINE, [("b", (4,)), ("b", (2,))], "K+1 should be K"),
        ("c[p] == sum(a[p+m]*b[m+1], (m,0,K))", LINE, [("b", (4,)), ("b", (2,))], "K should be K-1"),
        ("c[p] == sum(a[p+m]*b[m], (m,0,K))", ZERO, [("b", (3,)), ("b", (1,))], "K should be K-1"),
        ("diff(E, b[m]) == sum(g[p]*a[p+m-1], (p,0,O))", LINE, [("g", (0,)), ("g", (0,))], "0 should be 1"),
        ("c[p] == sum(a[i]*b[i-p+1], (i,1,I+2))", LINE, [("a", (6,)), ("a", (2,))], "I+2 should be I"),
        ("sum(a[i], (i,1,I)) == sum(a[i], (i,0,I))", LINE, [("a", (0,)), ("a", (0,))], "0 should be 1"),
        (r"\frac{\partial L}{\partial w_{2,2}} = 0", PLANE, [("w", (2, 2)), None], ""),
        ("c[0] == a[I+1]", LINE, [("c", (0,)), ("c", (0,))], ""),
        ("diff(c[1], a[0]) == 0", LINE, [("a", (0,)), ("a", (0,))], ""),
        ("diff(E, a[i]) == sum(g[p]*b[i-p+1], (p,i-K+1,i))", LINE, [("g", (-1,)), ("g", (0,))], None),
        ("c[p] == sum(a[2*p+m-3]*b[m], (m,0,3))", PADDED, [("b", (0,)), None], "0 should be 1"),
        ("sum(size(S[p]), (p,0,O)) == K*O", MEAN, [("S", (0,)), ("S", (0,))], "0 should be 1"),
        ("sum(size(S[p]), (p,1,O+1)) == K*O", MEAN, [("S", (3,)), ("S", (2,))], "O+1 should be O"),
        (
            "sum(sum(a[s], s in S[p+1]), (p,1,O)) == K*sum(c[p], (p,2,O))",
            MEAN,
            [("S", (3,)), ("S", (2,))],
            "O should be O-1",
        ),
        ("size(S[O+1]) == K", MEAN, [("S", (3,)), ("S", (2,))], ""),
    ],
)
def test_a_line_that_runs_past_its_tensors_is_refuted_by_the_entry(
    text: str, declared: Declarations, entries: list[tuple[str, tuple[int, ...]] | None], edit: str | None
) -> None:
    for every, entry in zip((False, True), entries, strict=True):
        if entry is None:
            continue
        result = checked(text, declared, every)
        assert result.status == "refuted", str(result.verdict)
        counter = result.verdict.counterexample
        assert counter is not None
        assert (counter.what, counter.entry) == ("no such entry", entry)
        assert "no such entry" in str(counter)
        assert not result.verdict.conditions
        row = result.as_json()["counterexample"]
        assert row["kind"] == "no such entry"
        assert row["entry"]["tensor"] == entry[0]
        assert tuple(row["entry"]["index"]) == entry[1]
        if edit is not None:
            assert result.edit.partition(", 3 should be K")[0] == edit
            assert bool(result.repair) == bool(edit)
        if edit:
            assert edit.partition(",")[0] in result.verdict.explanation


@pytest.mark.parametrize(
    ("text", "declared", "conditions"),
    [
        (r"\partial y_{pq}/\partial x_{ij} = w_{i-p,j-q}", PLANE, (W,)),
        (
            r"\frac{\partial y_{pq}}{\partial x_{ij}} = \begin{cases} w_{i-p,j-q} & \text{if } i \ge p, "
            r"i - p \le K - 1, j \ge q, j - q \le K - 1 \\ 0 & \text{otherwise} \end{cases}",
            PLANE,
            (),
        ),
        ("diff(c[p], a[i]) == b[i-p+1]", LINE, (B,)),
        ("diff(c[p], a[i]) == cases((0, i < p), (0, i >= p+K), (b[i-p+1],))", LINE, ()),
        ("diff(c[p], a[i]) == cases((0, i < p), (b[i-p+1],))", LINE, (B,)),
        ("diff(c[p], a[i]) == sum(b[m]*cases((1, p+m-1 == i), (0,)), (m,1,K))", LINE, ()),
        ("diff(E, a[i]) == sum(g[p]*b[i-p+1], (p,1,O))", LINE, (B,)),
        ("diff(E, a[i]) == sum(g[i-m+1]*b[m], (m,1,K))", LINE, (G,)),
        ("diff(E, a[i]) == sum(g[i-m+1]*b[m], (m,max(1,i-O+1),min(K,i)))", LINE, ()),
        ("c[p] == sum(a[p+m-1]*b[m], (m,1,K))", LINE, ()),
        ("c[p] == sum(a[S*(p-1)+m-P]*b[m], (m,1,K))", PADDED, ()),  # read in its padding, which is there
        ("c[p]*K == sum(a[S*(p-1)+m-P], (m,1,K))", PADDED_MEAN, ()),
        ("0*c[p] == 0*a[p-1]", LINE, (A,)),
        ("diff(E, A) == conv(pad(G, K-1), B)", LINE, ()),
        ("0*a[p] == 0*(b[p-I] + a[p+K])", LINE, (B, A)),
    ],
)
def test_a_closed_form_holds_under_the_condition_that_it_leaves_unsaid(
    text: str, declared: Declarations, conditions: tuple[str, ...]
) -> None:
    for every in (False, True):
        result = checked(text, declared, every)
        assert result.verdict.holds, str(result.verdict)
        assert result.verdict.conditions == conditions
        assert result.as_json()["conditions"] == list(conditions)
        zero = checked(text, replace(declared, outside="zero"), every)
        assert (zero.status, zero.verdict.conditions) == (result.status, ())
        undefined = checked(text, replace(declared, outside="undefined"), every)
        if not conditions:
            assert (undefined.status, undefined.verdict.conditions) == (result.status, ())
        else:
            assert undefined.status == "refuted"
            counter = undefined.verdict.counterexample
            assert counter is not None
            assert counter.what == "no such entry"


def test_a_closed_form_that_is_wrong_is_refuted_whatever_is_outside() -> None:
    for outside in ("", "zero", "undefined"):
        declared = replace(LINE, outside=outside)
        for text in ("diff(c[p], a[i]) == b[i-p]", "diff(c[p], a[i]) == 2*b[i-p+1]"):
            assert [checked(text, declared, every).status for every in (False, True)] == ["refuted"] * 2


@pytest.mark.parametrize("outside", ["", "zero", "undefined"])
def test_a_sum_past_the_kernel_is_refuted_whatever_is_declared(outside: str) -> None:
    text = "c[p] == sum(a[p+m-1]*b[m], (m,-5,7*K))"
    verdict = checked(text, replace(LINE, outside=outside), True).verdict
    assert verdict.counterexample is not None
    assert verdict.counterexample.what == "no such entry"


@pytest.mark.parametrize(
    "text",
    [
        "pad(pad(A,-1),1) == A",
        "corr(pad(pad(A,-1),1),B) == C",
        "ones(4) == pad(pad(ones(4),-1),1)",
        "pad(pad(G,1),-1) == pad(pad(G,-1),1)",
        "rot180(pad(pad(A,0-1),1)) == rot180(A)",
        "corr(pad(pad(A, 1-K), K-1), B) == corr(A, B)",
    ],
)
def test_a_border_that_was_cropped_is_lost(text: str) -> None:
    for every in (False, True):
        assert checked(text, LINE, every).status == "refuted", text


@pytest.mark.parametrize(
    "text", ["pad(pad(A,2),-2) == A", "corr(pad(pad(A,1),-1),B) == C", "pad(pad(A,2),-1) == pad(A,1)"]
)
def test_a_border_of_zeros_may_be_cropped(text: str) -> None:
    assert [checked(text, LINE, every).status for every in (False, True)] == ["exact", "proved"]


def test_an_entry_that_does_not_exist_is_shown_with_all_that_leads_to_it() -> None:
    text = "c[p] == sum(sum(a[p+m-1]*b[m]*0, (m,1,n)), (n,1,K+1)) + c[p]"
    counter = checked(text, LINE, True).verdict.counterexample
    assert counter is not None
    assert (counter.entry, dict(counter.indices)) == (("b", (2,)), {"n": 2, "m": 2})
    written = checked("A == [[a[1], a[2], a[3], a[4], a[6]]]", LINE, False).verdict
    assert written.explanation.startswith("It reads an entry that does not exist: ")
    assert written.counterexample is not None
    assert written.counterexample.entry == ("a", (6,))


@pytest.mark.parametrize("general", [False, True])
def test_an_index_of_both_entries_of_a_derivative_is_in_both_ranges(general: bool) -> None:
    """d c[p]/d a[p] is about outputs and inputs that exist: p = 4 is no output of a layer of kernel 2 on 4 entries."""
    line, holds = Declarations(sc.Conv((2,)), (4,)), "proved" if general else "exact"
    for text, due in (
        ("diff(c[p], a[p]) == b[1]", holds),
        ("diff(c[p], a[p]) == 2*b[1]", "refuted"),
        ("diff(a[p], c[p]) == 0", "error"),
    ):
        verdict = sc.check_claim(text, line, general=general)
        assert (verdict.status, verdict.conditions) == (due, ()), str(verdict)
    padded = sc.check_claim("diff(c[p], a[p]) == b[2]", Declarations(sc.Conv((2,), padding=1), (4,)))
    assert (padded.status, padded.conditions) == ("exact", ())  # here p = 5 is no input


def test_an_index_that_stands_on_two_axes_is_in_the_ranges_of_both() -> None:
    plane = Declarations(sc.Conv((2, 1)), (3, 4))
    verdict = sc.check_claim("a[i,i] == a[i,i]", plane, general=True)
    assert (verdict.status, verdict.conditions) == ("proved", ())
    assert sc.check_claim("c[i,i] == a[i,i]*b[1,1] + a[i+1,i]*b[2,1]", plane).status == "exact"
    assert sc.check_claim("c[i,i] == a[i,i]*b[1,1]", plane).status == "refuted"


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("0 == 0*b[1+max(0,1-{x}*{x})]", "b[1 + max(0, 1 - {x}*{x})]"),
        (r"0 = \sum_{{u=1}}^{{1+\max(0,1-{x}{x})}} 0 b_{{u1}}", "b[u, 1]"),
    ],
)
def test_an_entry_of_which_it_was_not_decided_whether_it_exists_is_named(text: str, entry: str) -> None:
    """It does, since no cube is twice a cube; that is not found out."""
    axes = entry.count(",") + 1 if "u" in entry else 1
    declared = Declarations(
        sc.Conv((3,) * axes, stride=2, padding=1), (5,) * axes, sizes={"S": "stride", "P": "padding"}
    )
    latex = "\\" in text
    line = text.format(x="(PPP-2SSS)" if latex else "(P*P*P-2*S*S*S)")
    verdict = checked(line, declared, True).verdict
    named = entry.format(x="(P*P*P - 2*S*S*S)")
    assert (verdict.status, verdict.explanation) == ("undecided", f"Whether {named} always exists was not decided.")
    assert checked(line, declared, False).verdict.status == "exact"


def test_a_size_that_a_line_cannot_write_is_said_as_a_number() -> None:
    """I is the kernel here, and the size of the input has no letter that a line could write."""
    declared = Declarations(sc.Conv((3,)), (5,), names={"weight": "i"})
    text = "c[p] == c[p] + 0*sum(a[m], (m,1,K+9))"
    (here, everywhere) = (checked(text, declared, every).verdict.explanation for every in (False, True))
    assert here.endswith("no such entry a[6] (the entries of a are 1..5). K+9 should be 5.")
    assert everywhere.endswith("at I' = 1, K = 1, O = 1; at m = 2: no such entry a[2] (the entries of a are 1..1). "
                               "K+9 should be I'.")  # fmt: skip
    assert checked(text, replace(declared, names={}), False).edit == "K+9 should be I"


@pytest.mark.parametrize(
    ("text", "edit"),
    [
        ("0*c[1] == 0*sum(b[2*m], (m,1,K))", ""),  # no end of the sum is to blame for a step of two
        ("0*c[1] == 0*sum(b[m-n], (m,1,K), (n,1,K))", ""),
        ("0*c[1] == 0*sum(b[1+m-n], (m,1,K), (n,1,m+1))", ""),
        ("0*c[1] == 0*sum(b[m], (m,K-3,K))", "K-3 should be 1"),
        ("0*c[1] == 0*sum(c[p], (p,1,O+1))", "O+1 should be O"),
        ("0*c[1] == 0*sum(c[p], (p,0,O))", "0 should be 1"),
        ("0*c[1] == 0*sum(b[4-m], (m,0,K))", ""),
    ],
)
def test_the_end_that_is_to_blame(text: str, edit: str) -> None:
    verdict = checked(text, LINE, False).verdict
    assert verdict.status == "refuted"
    assert verdict.explanation.rpartition(").")[2].strip().removesuffix(".") == edit


def test_the_end_that_is_to_blame_is_said_in_the_sizes_of_the_line() -> None:
    plane = Declarations(sc.Conv((2, 2)), (4, 4))
    for every, size in ((False, "K"), (True, "K_1")):  # for all sizes the axes differ where a line names them
        axis = checked("0*c[1,1] == 0*sum(b[m,1], (m,1,K_1+1))", plane, every).verdict
        assert axis.explanation.endswith(f"K_1+1 should be {size}."), axis.explanation
    family = Declarations(sc.MaxPool((2,), 2), (4,), sets=("S",))
    for every, end in ((False, "2"), (True, "n")):
        members = checked("0*sum(a[s], s in S) == 0*sum(sum(a[m], (m,1,k)), (k,1,3))", family, every).verdict
        assert members.explanation.endswith(f"k should be {end}."), members.explanation


@pytest.mark.parametrize(
    ("op", "size", "base", "ends"),
    [
        (sc.Conv((3,)), 4, 1, (1, 4)),
        (sc.Conv((3,), padding=1), 4, 1, (0, 5)),
        (sc.Conv((3,), padding=((1, 2),)), 4, 1, (0, 6)),
        (sc.Conv((3,), padding=((2, 0),)), 4, 0, (-2, 3)),
        (sc.Conv((3,), padding=((-1, 2),)), 4, 1, (1, 6)),  # what is cut off is there all the same
        (sc.Conv((3,), padding=1, padding_mode="replicate"), 4, 1, (1, 4)),
        (sc.MaxPool((3,), 1, 1), 4, 1, (1, 4)),
        (sc.Dilation((3,), padding=1), 4, 1, (1, 4)),
        (sc.AvgPool((3,), 1, 1), 4, 1, (0, 5)),
        (sc.LPPool(2, (3,), 1, 1), 4, 1, (0, 5)),
        (sc.AvgPool((2,), 3), 5, 1, (1, 5)),
        (sc.AvgPool((3,), 2, ceil_mode=True), 4, 1, (1, 5)),  # the second window reads 3, 4, 5
        (sc.AvgPool((3,), 2, ceil_mode=True), 4, 0, (0, 4)),
        (sc.AvgPool((3,), 2, 1, ceil_mode=True), 5, 1, (0, 6)),
        (sc.LPPool(2, (3,), 2, ceil_mode=True), 6, 1, (1, 7)),
        (sc.MaxPool((3,), 2, ceil_mode=True), 4, 1, (1, 4)),
    ],
)
def test_an_input_is_read_from_its_first_padding_zero_to_the_end_of_its_last_window(
    op: Any, size: int, base: int, ends: tuple[int, int]
) -> None:
    declared = Declarations(op, (size,), base=base)
    for index in range(ends[0] - 1, ends[1] + 2):
        verdict = sc.check_claim(f"sum(0*a[i], (i, {index}, {index})) == 0", declared)
        assert (verdict.status == "exact") == (ends[0] <= index <= ends[1]), (index, str(verdict))
        assert verdict.counterexample is None or verdict.counterexample.entry == ("a", (index,))


def test_a_family_over_a_set_is_no_image() -> None:
    plane = Declarations(sc.LPPool(2, (2, 2), 1), (3, 3), sets=("S",), functions={"L": "lp"})
    for general in (False, True):
        verdict = sc.check_claim("L(A,S,p) == sum(abs(a[s])**p, s in S)**(1/p)", plane, general=general)
        assert verdict.status == "proved", str(verdict)
