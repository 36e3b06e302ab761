"""A second exercise file: other layers and letters, slips planted in it, and true lines between them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

import symconv as sc
from symconv.claims.claim_verdict import ClaimVerdict

FILE = Path(__file__).with_name("second_exercise.toml")

TRUE = {
    "size": "ep",
    "output": "ep",
    "output, all symbols": "p",
    "kernel gradient": "ep",
    "input gradient": "ep",
    "transposed letters": "ep",
    "gradient, turned": "ep",
    "gradient, a star": "ep",
    "flipped": "ep",
    "flipped, by entries": "e",
    "values": "e",
    "mean": "ep",
    "inner mean": "ep",
    "norm": "ep",
    "norm of taps": "e",
    "maximum": "ep",
}
"""What is due where a line is true: e exact at the declared size, p proved for all sizes."""

SLIPS: dict[str, dict[str, str]] = {
    "size, no floor": {"general": "(I+2*P-D*(K-1)-1)/S should be floor((I+2*P-D*(K-1)-1)/S)"},
    "size, swapped": {"general": ""},  # two letters are wrong
    "size, one padding": {"general": ""},
    "output, wrong offset": dict.fromkeys(("literal", "general"), "2*k+2*u-3 should be 2*k+2*u-4"),
    "output, swapped": {"general": ""},
    "output, wrong bound": {"literal": "(u,1,2) should be (u,1,3)"},
    "output, bound too large": {"literal": "0 should be 1, 7 should be 3"},
    "kernel gradient, wrong index": {"literal": "2*k+2*k-4 should be 2*u+2*k-4"},
    "input gradient, wrong case": {"literal": ""},
    "transposed kernel": dict.fromkeys(("literal", "general"), "x[v,u] should be x[u,v]"),
    "wrong letter": dict.fromkeys(("literal", "general"), "q+u-1 should be q+v-1"),
    "gradient, not turned": dict.fromkeys(("literal", "general"), "corr(pad(H,1),X) should be conv(pad(H,1),X)"),
    "flipped, read as correlation": {"literal": "corr(W,X) should be conv(W,X)"},
    "flipped, half": {"literal": ""},  # a sign and a number are wrong
    "values, one wrong": {"literal": "[[-6,7],[10,13]] should be [[-6,7],[10,12]]"},
    "mean, wrong divisor": {"literal": "1/2 should be 1/3"},
    "mean, divided by the set": {"literal": "1/abs(S[k]) should be 1/3", "general": "1/abs(S[k]) should be 1/K"},
    "inner mean, divided by all taps": dict.fromkeys(("literal", "general"), ""),
    "norm, wrong root": dict.fromkeys(("literal", "general"), "1/3 should be 1/2"),
    "maximum of the neighbours": {"literal": "k+1 should be k"},
    "maximum below the norm": {"general": ""},
}
"""The planted slips, and the single edit that mends them, "" where there is none."""

ERRORS = {
    "gradient, a star undeclared": 'what the asterisk between arrays means is not declared; add star = "correlation"',
    "unknown array": "the array 'G' is not declared (declared: W, X, H, Z)",
    "unknown letter": "the tensor 'a' is not declared (declared: w, x, h, z)",
}


@cache
def results() -> dict[tuple[str, str], ClaimVerdict]:
    return {(r.source.id, r.mode): r for r in sc.check(FILE)}


def test_every_line_is_spoken_of_here() -> None:
    due = {(id, {"e": "literal", "p": "general"}[mode]) for id, modes in TRUE.items() for mode in modes}
    due |= {(id, mode) for id, modes in SLIPS.items() for mode in modes}
    due |= {(id, "literal") for id in ERRORS}
    assert set(results()) == due


@pytest.mark.parametrize("id", TRUE)
def test_true_lines_hold(id: str) -> None:
    for mode in TRUE[id]:
        result = results()[id, "literal" if mode == "e" else "general"]
        assert result.status == ("exact" if mode == "e" else "proved"), str(result.verdict)
        assert not result.repair


@pytest.mark.parametrize("id", SLIPS)
def test_planted_slips_are_refuted_and_mended_where_one_edit_does_it(id: str) -> None:
    for mode, edit in SLIPS[id].items():
        result = results()[id, mode]
        assert result.status == "refuted", str(result.verdict)
        assert result.edit == edit
        assert bool(result.repair) == bool(edit)
        if edit:
            assert result.repaired is not None
            assert result.repaired.status == ("exact" if mode == "literal" else "proved")
            assert result.mended is not None
            declared = result.source.declared
            if mode == "literal":  # the repair is a line like any other, and holds when it is checked as one
                again = result.repair if result.claim and result.claim.relations else f"size == {result.repair}"
                assert sc.check_claim(again, declared).status == "exact"


@pytest.mark.parametrize("id", ERRORS)
def test_what_is_not_declared_is_an_error(id: str) -> None:
    result = results()[id, "literal"]
    assert result.status == "error"
    assert result.verdict.explanation.startswith(ERRORS[id])


def test_the_smallest_examples_are_small() -> None:
    for (id, mode), result in results().items():
        counter = result.verdict.counterexample
        if counter is None:
            continue
        assert sum(len(entries) for entries in counter.tensors.values()) <= 2, (id, mode)
        assert sum(counter.sizes.values()) <= 9, (id, mode, counter.sizes)
        assert counter.entry is not None or counter.left != counter.right


def test_the_slip_in_the_stride_is_shown_where_stride_and_dilation_differ() -> None:
    counter = results()["output, swapped", "general"].verdict.counterexample
    assert counter is not None
    assert counter.sizes["S"] != counter.sizes["D"]
