"""Statements that are compiled together: only what keeps to itself is, and each is still judged by itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from coq_runs import needs_coq
from statements import TRUE

from symconv.certificates import running
from symconv.certificates.certificate import certificate
from symconv.certificates.folder import entries, folder_files
from symconv.certificates.together import joined, plain_sentences
from symconv.proofs.prove import prove_statement

GOOD = "Theorem t : True.\nProof. exact Logic.I. Qed.\n"
REACHING_OUT = {
    "an axiom": "Axiom a : False.",
    "a parameter": "Parameter a : False.",
    "a proof left open": "Theorem u : False. Proof. Admitted.",
    "a goal": "Goal True. idtac. exact I. Qed.",
    "an axiom in a proof": "Theorem u : True. Proof. { Axiom a : False. exact a. } Qed.",
    "an axiom behind a bullet": "Theorem u : True. Proof. - Axiom a : False.",
    "an axiom behind a goal's number": "Theorem u : True. Proof. 1: { Axiom a : False. } Qed.",
    "an axiom behind a name": "Theorem u : True. Proof. x: { Axiom a : False. } Qed.",
    "an option": "Unset Guard Checking.",
    "an attribute": "#[global] Hint Resolve t.",
    "a notation": 'Notation "x = y" := True.',
    "another module": "End checked_0. Module checked_1.",
    "another section": "Section checked_0.",
    "another library": "From Coq Require Import Reals.",
    "a library by its place": 'Load "elsewhere".',
    "a comment that is not closed": "(* (* *) Theorem u : True.",
    "a comment in a comment": "(* a (* b *) c *) Theorem u : True.",
    "a string in a comment": '(* " *) Axiom a : False. (* " *)',
    "no end": "Theorem u : True",
}


@pytest.mark.parametrize("text", REACHING_OUT.values(), ids=REACHING_OUT.keys())
def test_what_might_reach_beyond_its_module_is_compiled_by_itself(text: str) -> None:
    assert plain_sentences(f"{GOOD}{text}\n") is None


def test_what_symconv_writes_is_compiled_together_without_the_question_of_what_it_rests_on() -> None:
    made = certificate(prove_statement(TRUE["moved"]), name="moved", title="A shift (by one), and K - 1")
    assert made is not None
    sentences = plain_sentences(made.text)
    assert sentences is not None
    text = joined([sentences, sentences])
    assert [line for line in text.splitlines() if line.startswith(("Module", "End checked"))] == [
        "Module checked_0.",
        "End checked_0.",
        "Module checked_1.",
        "End checked_1.",
    ]
    assert "Print" not in text


@needs_coq
def test_each_statement_of_a_file_is_judged_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running.os, "cpu_count", lambda: 1)
    verdict = prove_statement(TRUE["moved"])
    names = ("first", "second", "third")
    for path, text in folder_files(entries((name, name, verdict) for name in names)).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    said: list[str] = []
    assert running.check_folder(tmp_path, say=said.append).accepted
    assert "first, second, third" in said
    assert not {"first", "second", "third"} & set(said)
    second = tmp_path / "Statements" / "second.v"  # what Coq accepts, but on an assumption: the others are not blamed
    second.write_text(
        "Variable oracle : False.\nTheorem second : False.\nProof. exact oracle. Qed.\n", encoding="utf-8"
    )
    answers = running.check_folder(tmp_path).answers
    assert [answer.accepted for answer in answers] == [True, False, True]
    assert "oracle : False" in answers[1].said
