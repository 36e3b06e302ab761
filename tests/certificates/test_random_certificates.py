"""Random statements: Coq accepts the certificates of what is proved, and none of what is false."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import combinations, count, islice
from pathlib import Path
from typing import Any

import pytest
from coq_runs import CLOSED, coqc, needs_coq
from proofs import fuzz

import symconv as sc
from symconv.certificates.certificate import Certificate, missing_because
from symconv.formulas.effort import Effort
from symconv.proofs import bijection, context, terms
from symconv.proofs.context import Trace
from symconv.proofs.prove import bijection_proof
from symconv.proofs.refutation import Search
from symconv.proofs.smt import Solver
from symconv.proofs.statement import Statement

pytestmark = [needs_coq, pytest.mark.slow]

CLAIMS = int(os.environ.get("SYMCONV_CERTIFICATE_CASES", "200"))
"""So many true claims, and half as many false ones."""
TOGETHER = 20
OF_EACH_MUTATION = 2


def judged(status: str, first: int = 0) -> Iterator[Statement]:
    """Random statements with a verdict."""
    for seed in count(first):
        found = fuzz.judge(seed)
        if found.verdict.status == status:
            yield found.case.statement


def pretended(statement: Statement) -> Certificate | None:
    """The certificate of what the search believes when no counterexample is looked for; None where it finds nothing."""
    search = Search(statement)
    search.instance = {"assumed": 1}
    proof, _ = bijection_proof(statement, Trace(), Effort(), search)
    return None if proof is None else sc.certificate(sc.Verdict("proved", method="bijection", record=proof))


def refused(certificates: Sequence[Certificate], folder: Path) -> int:
    """How many of them Coq refuses, each by itself."""

    def is_refused(entry: tuple[int, Certificate]) -> bool:
        place = folder / str(entry[0])
        place.mkdir(parents=True)
        return not coqc(place, entry[1].text, 120)[0]

    with ThreadPoolExecutor(2) as pool:
        return sum(pool.map(is_refused, enumerate(certificates)))


def test_coq_accepts_the_certificates_of_random_claims_and_nineteen_in_twenty_have_one(tmp_path: Path) -> None:
    made, without = [], []
    for k, seed in enumerate(islice((s for s in count() if fuzz.judge(s).verdict.status == "proved"), CLAIMS)):
        verdict = fuzz.judge(seed).verdict
        own = sc.certificate(verdict, name=f"claim{k}")
        if own is None:
            without.append(f"seed {seed}: {missing_because(verdict)}")
        else:
            made.append(own)
    accepted = 0
    for start in range(0, len(made), TOGETHER):
        part = made[start : start + TOGETHER]
        texts = [f"{own.body}\nPrint Assumptions {own.name}.\n" for own in part]
        head = "From Symconv Require Import Follow Shares.\n"
        whole, said = coqc(tmp_path, head + "\n".join(texts), 600)
        assert not whole or said.count(CLOSED) == len(part)
        accepted += len(part) if whole else len(part) - refused(part, tmp_path / str(start))
    print(f"{accepted} of {CLAIMS} accepted, {len(without)} without a certificate")
    assert accepted == len(made)
    assert len(without) <= max(1, CLAIMS // 20), "\n".join(without)  # 3 of 200: sums written out


def test_no_random_claim_that_is_refuted_has_a_certificate() -> None:
    for seed in range(CLAIMS):
        verdict = fuzz.judge(seed).verdict
        if verdict.status == "refuted":
            assert sc.certificate(verdict) is None


def test_coq_refuses_what_a_solver_that_always_agrees_lets_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims = judged("refuted")
    wrong: list[Certificate] = []
    while len(wrong) < CLAIMS // 2:
        claim = next(claims)
        with monkeypatch.context() as patch:
            patch.setattr(Solver, "decide", lambda self, text: "unsat")
            made = pretended(claim)
        wrong += [] if made is None else [made]
    assert refused(wrong, tmp_path) == len(wrong)


# --- the search, changed ------------------------------------------------------------------------------------------


def without_obligations(*dropped: int) -> Callable[[pytest.MonkeyPatch], None]:
    """Some of the five conditions of a bijection are not asked."""
    whole: Callable[..., Any] = bijection.obligations

    def change(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(
            bijection, "obligations", lambda *args: [own for k, own in enumerate(whole(*args)) if k not in dropped]
        )

    return change


def without_guards(patch: pytest.MonkeyPatch) -> None:
    """The conditions of terms are forgotten."""
    whole = terms.flatten
    patch.setattr(
        bijection, "flatten", lambda term, *args, **options: whole(replace(term, guards=()), *args, **options)
    )


MUTATIONS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    **{f"without obligation {k}": without_obligations(k) for k in range(5)},
    **{f"without obligations {j} and {k}": without_obligations(j, k) for j, k in combinations(range(5), 2)},
    "ranges forgotten": lambda patch: patch.setattr(terms, "range_guards", lambda bounds: []),
    "conditions forgotten": without_guards,
    "without any obligation": without_obligations(*range(5)),
    "quotients by anything": lambda patch: patch.setattr(
        context.Context, "check_quotients", lambda self, denominators=(): None
    ),
    "a solver that always agrees": lambda patch: patch.setattr(Solver, "decide", lambda self, text: "unsat"),
}


@pytest.fixture(scope="module")
def false_claims() -> list[Statement]:
    return list(islice(judged("refuted"), 3 * CLAIMS))


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_coq_refuses_what_a_changed_search_believes(
    mutation: str, false_claims: list[Statement], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong: list[Certificate] = []
    with monkeypatch.context() as patch:
        MUTATIONS[mutation](patch)
        for claim in false_claims:
            made = pretended(claim)
            wrong += [] if made is None else [made]
            if len(wrong) == OF_EACH_MUTATION:
                break
    assert refused(wrong, tmp_path) == len(wrong)
    print(f"{mutation}: {len(wrong)} false statements believed, all refused")
