"""The symbolic workloads: their gate compares entries, and what is cold stays cold."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import sympy

from symconv.bench import symbolic
from symconv.bench.case import BenchSettings, Case, Cold, Contender
from symconv.errors import SymconvError


def naive_of(case: Case) -> Contender:
    (peer,) = case.peers
    assert isinstance(peer, Contender)
    return peer


@pytest.mark.parametrize("naive", [symbolic._built, symbolic._differentiated])
def test_the_naive_peers_give_the_same_entries(naive: Any) -> None:
    case = symbolic._matrix(3, naive)
    ours, theirs = case.ours(), naive_of(case).call()
    assert ours.shape == theirs.shape == (3, 3)
    assert case.error(ours, theirs) == 0.0


def test_one_wrong_entry_is_infinitely_far() -> None:
    case = symbolic._matrix(3, symbolic._built)
    ours, theirs = case.ours(), naive_of(case).call()
    theirs[1, 1] += sympy.Symbol("x")
    assert case.error(ours, theirs) == math.inf
    assert case.error(ours, theirs[:2, :]) == math.inf


def test_every_call_uses_letters_of_its_own() -> None:
    case = symbolic._matrix(3, symbolic._built)
    letters = [{str(a.base) for a in sympy.Matrix(m).atoms(sympy.Indexed)} for m in (case.ours(), case.ours())]
    assert not letters[0] & letters[1]


def test_a_statement_is_timed_without_the_interpreter_around_it() -> None:
    assert symbolic._fresh("pass") < 0.05
    assert 0.2 <= symbolic._fresh("from time import sleep; sleep(0.2)") < 2


def test_an_error_in_the_fresh_interpreter_is_reported() -> None:
    with pytest.raises(SymconvError, match=r"^AssertionError: not proved: x$"):
        symbolic._fresh("assert False, 'not proved: x'")


@pytest.mark.parametrize("what", ["conv", "weight", "lp", "call"])
def test_every_sample_compiles_an_operator_that_is_new(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import symconv.kernels.compile as module

    seen = []
    real = module.compile

    def spy(op: Any, **options: Any) -> Any:
        seen.append(op)
        return real(op, **options)

    monkeypatch.setattr(module, "compile", spy)
    cold = symbolic._compile(what)
    assert all(cold.sample(n) > 0 for n in range(3))
    assert len(seen) == len(set(seen)) == 4


def test_derivations_are_of_operators_that_are_new(monkeypatch: pytest.MonkeyPatch) -> None:
    import symconv.derivations.derive as module

    seen = []
    real = module.derive

    def spy(op: Any, *arguments: Any) -> Any:
        seen.append((op, *arguments))
        return real(op, *arguments)

    monkeypatch.setattr(module, "derive", spy)
    assert all(symbolic._derive(n) > 0 for n in range(2))
    assert len(seen) == len(set(seen)) == 6


def test_claims_need_a_problem_file_and_take_a_sample_each(tmp_path: Path) -> None:
    from symconv.cli.example import example_file
    from symconv.problems.starter import starter

    with pytest.raises(SymconvError, match="no problem file"):
        symbolic._claims(BenchSettings())
    file = tmp_path / "problem.toml"
    text = starter()
    file.write_text(text[: text.index("[[claims]]")], encoding="utf-8")
    with pytest.raises(SymconvError, match=r"^problem.toml makes no claims"):
        symbolic._claims(BenchSettings(problem=file))
    cold = symbolic._claims(BenchSettings(problem=example_file()))
    assert isinstance(cold, Cold)
    assert cold.least == cold.most > 20
    assert cold.sample(0) > 0
