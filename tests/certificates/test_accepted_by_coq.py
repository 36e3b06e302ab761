"""Coq accepts the certificates of what is proved, with no axiom, and none of what is false."""

from __future__ import annotations

from pathlib import Path

import pytest
from coq_runs import CLOSED, coqc, needs_coq
from statements import FALSE, V, proved, total

import symconv as sc
from symconv.formulas.algebra import Access
from symconv.proofs.context import Trace
from symconv.proofs.prove import bijection_proof, prove_statement
from symconv.proofs.refutation import Search
from symconv.proofs.smt import Effort, Solver
from symconv.proofs.statement import Statement

pytestmark = needs_coq


def joined(verdicts: list[tuple[str, sc.Verdict]]) -> str:
    """All certificates in one file."""
    parts = []
    for k, (title, verdict) in enumerate(verdicts):
        made = sc.certificate(verdict, name=f"statement{k}", title=title)
        assert made is not None
        parts += [made.comment, made.body, f"Print Assumptions {made.name}.\n"]
    return "From Symconv Require Import Follow Shares.\n" + "\n".join(parts)


LONG = ("gradient", "average", "output", "rounded up", "swapped")


def accepts(verdicts: list[tuple[str, sc.Verdict]], folder: Path) -> None:
    """Coq accepts all of them, and none rests on an axiom."""
    accepted, said = coqc(folder, joined(verdicts), 300)
    assert accepted, said
    assert said.count(CLOSED) == len(verdicts)


def test_coq_accepts_what_is_proved_without_axioms(tmp_path: Path) -> None:
    accepts([(name, verdict) for name, verdict in proved() if name not in LONG], tmp_path)


@pytest.mark.slow
def test_coq_accepts_what_takes_longer(tmp_path: Path) -> None:
    accepts([(name, verdict) for name, verdict in proved() if name in LONG], tmp_path)


HOSTILE = [("a*)", '"', "forall"), ("sum", "Num", "x'"), ("α", "Eq", "S"), ("O", "I", "known1"), ("z", "z", "H")]


def test_coq_accepts_whatever_things_are_called(tmp_path: Path) -> None:
    verdicts = []
    for size, tensor, index in HOSTILE:
        box = ((V(0), V(size) - 1),)
        left = total(index, 0, V(size) - 1, Access(tensor, (V(index),)))
        right = total("k", 1, V(size), Access(tensor, (V("k") - 1,)))
        verdicts.append((size, prove_statement(Statement.of(left, right, (), {tensor: box}))))
    accepted, said = coqc(tmp_path, joined(verdicts))
    assert accepted, said
    assert said.count(CLOSED) == len(HOSTILE)


@pytest.mark.parametrize("name", FALSE)
def test_coq_refuses_what_is_false_whatever_the_script_says(name: str, tmp_path: Path) -> None:
    assert prove_statement(FALSE[name]).status == "refuted"
    made = sc.certificate(_pretended(FALSE[name]))
    assert made is not None
    accepted, said = coqc(tmp_path, made.text)
    assert not accepted
    assert "Error" in said


def _pretended(statement: Statement) -> sc.Verdict:
    """The verdict of a search whose solver says yes to everything."""
    original = Solver.decide
    try:
        Solver.decide = lambda self, text: "unsat"  # type: ignore[method-assign]
        search = Search(statement)
        search.instance = {"assumed": 1}
        proof, problem = bijection_proof(statement, Trace(), Effort(), search)
    finally:
        Solver.decide = original  # type: ignore[method-assign]
    assert proof is not None, problem
    return sc.Verdict("proved", method="bijection", record=proof)


@pytest.mark.parametrize("layer", [sc.Dilation((2,)), sc.MaxPool((2,), (1,))], ids=repr)
def test_coq_accepts_the_steps_of_a_layer_that_have_a_certificate(layer: sc.Operator, tmp_path: Path) -> None:
    found = [(s.statement, s.verdict) for s in sc.derive(layer, "gradient").steps if s.verdict is not None]
    with_one = [(said, verdict) for said, verdict in found if sc.certificate(verdict) is not None]
    assert len(with_one) >= max(4, len(found) - 1)
    accepts(with_one, tmp_path)
