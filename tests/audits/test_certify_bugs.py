"""Planted bugs in a plain implementation are all refuted, and the implementation without one never is."""

from __future__ import annotations

import pytest
from audits.bugs import BUGS, CLAIMS, Claim

import symconv as sc
from symconv.audits.certification import Certification


def _certified(claim: Claim, flaw: str, dtype: str, most: int = 1) -> Certification:
    letters = {"layout": "NCHW"}
    if claim.op.variables[1:]:
        letters["weight_layout"] = "IOHW" if isinstance(claim.op, sc.ConvTranspose) else "OIHW"
    return sc.certify(
        claim.make(flaw), claim.op, claim.size, gradients=claim.gradients(flaw), dtype=dtype, most=most, **letters
    )


def test_there_are_at_least_fifty_bugs() -> None:
    assert len(BUGS) >= 50


@pytest.mark.parametrize("flaw", BUGS)
def test_a_bug_is_refuted(flaw: str) -> None:
    verdict = _certified(BUGS[flaw], flaw, "float32", most=400)
    assert verdict.status == "refuted", verdict
    assert verdict.finding is not None


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])
@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: repr(claim.op))
def test_a_right_implementation_is_not_refuted(claim: Claim, dtype: str) -> None:
    if dtype == "bfloat16":
        pytest.importorskip("ml_dtypes", reason="gives NumPy the type")
    verdict = _certified(claim, "", dtype, most=400)
    assert verdict.status in ("exact", "undecided"), verdict
