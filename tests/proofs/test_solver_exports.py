"""Exported obligations: another solver must never contradict them, and importing the proofs must not load z3."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from typing import Any

import pytest
import sympy
from laws import V, fixed, full_correlation, unsifted

from symconv.formulas.algebra import Guard, equal, nonnegative
from symconv.formulas.index import Index, floor, maximum
from symconv.operators.convolution import Conv
from symconv.operators.pooling import AvgPool, MaxPool
from symconv.proofs.goals import prove_goal
from symconv.proofs.obligation import Obligation
from symconv.proofs.prove import prove
from symconv.proofs.smt import Solver, script


def exported() -> list[Obligation]:
    found: list[Obligation] = []
    for op in (Conv(3, ndim=1).generic(), Conv((3, 3)).generic(), MaxPool(2).generic(), AvgPool(2, ndim=1).generic()):
        for wrt in op.variables:
            found += prove(*unsifted(op, wrt, "gradient")).obligations
    for ndim in (1, 2):
        gradient = Conv((3,) * ndim).generic().gradient("input")
        found += prove(gradient, full_correlation(gradient), assuming=fixed("S", 1, ndim)).obligations
        found += prove(gradient, full_correlation(gradient, upsampled=True)).obligations
    x, s = V("x"), V("s")
    found += prove_goal([nonnegative(x), nonnegative(s - 1)], [nonnegative(maximum(x, s) - floor(x, s))]).obligations
    return found


def test_a_second_solver_never_contradicts(capsys: pytest.CaptureFixture[str]) -> None:
    cvc5: Any = pytest.importorskip("cvc5")
    answers: Counter[str] = Counter()
    for obligation in exported():
        assert obligation.outcome == "proved"
        manager = cvc5.TermManager()
        solver = cvc5.Solver(manager)
        solver.setOption("rlimit-per", "300000")
        parser = cvc5.InputParser(solver)
        parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, obligation.smtlib, obligation.name)
        symbols, answer = parser.getSymbolManager(), ""
        while not (command := parser.nextCommand()).isNull():
            answer += command.invoke(solver, symbols)
        assert answer.strip() != "sat", f"{obligation.name}\n{obligation.smtlib}"
        answers[answer.strip()] += 1
    with capsys.disabled():
        print(f"\ncvc5 on {sum(answers.values())} obligations: {dict(answers)}")
    assert answers["unsat"] > 0.9 * sum(answers.values())


def test_the_text_of_an_obligation() -> None:
    p = V("p'")
    question = script([nonnegative(V("K") - 1)], [equal(p * V("K"), 3), nonnegative(maximum(p, "K"))])
    assert question.text == (
        "(set-logic QF_NIA)\n(declare-const v0 Int)\n(declare-const v1 Int)\n(assert (>= v0 1))\n"
        "(assert (not (and (= (* v0 v1) 3) (>= (ite (>= v1 v0) v1 v0) 0))))\n(check-sat)\n"
    )
    assert question.variables == (("v0", "K"), ("v1", "p'"))


def test_real_names_are_declared_real() -> None:
    text = script([], [Guard("ge", V("p") * V("K") - 1)], frozenset({"p"})).text
    assert "(declare-const v1 Real)" in text
    assert "(* (to_real v0) v1)" in text
    assert Solver().decide(text) == "sat"


def test_the_solver_stops_by_its_own_count() -> None:
    x, y, z = V("x"), V("y"), V("z")
    hard = [nonnegative(e - 2) for e in (x, y, z)] + [equal(x * x * x + y * y * y, z * z * z)]
    text = script(hard, [Guard("ge", Index.of(-1))]).text
    assert Solver(question=20_000).decide(text) == "unknown"


HOSTILE = (
    "k| Int)(assert false)(exit);",
    "k|",
    "a\\b",
    "a\n(assert false)",
    "",
    "let",
    "v0",
    "(",
    '"',
    ";",
    "Int",
    "k'",
)


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_reaches_the_solver(name: str) -> None:
    k = sympy.Symbol(name)
    false = prove(Conv((3,), padding=sympy.Min(k, 4)).output(), Conv((3,), padding=k).output())
    assert false.status == "refuted"
    assert false.counterexample is not None
    assert false.counterexample.sizes[name] == 5  # the first padding at which the two differ
    true = prove(Conv((3,), padding=sympy.Min(k, k + 1)).output(), Conv((3,), padding=k).output())
    assert true.status == "proved"
    for verdict in (false, true):
        for obligation in verdict.obligations:
            words = set(re.findall(r"[^-()<>=*+\s]+", obligation.smtlib))
            assert {w for w in words if not re.fullmatch(r"\d+(\.0)?", w)} <= KEYWORDS | set(dict(obligation.variables))


def test_what_is_false_far_out_is_not_proved_under_a_name_that_ends_the_script() -> None:
    k = sympy.Symbol("k| Int)(assert false)(exit);")
    wide = prove(Conv((3,), padding=sympy.Min(k, 400)).output(), Conv((3,), padding=k).output())
    assert wide.status in ("refuted", "undecided")  # false first at 401


KEYWORDS = {"set", "logic", "QF_NIA", "declare", "const", "Int", "assert", "not", "and", "ite", "check", "sat"}


def test_importing_the_proofs_does_not_load_z3() -> None:
    modules = ("prove", "goals", "bijection", "refutation", "exact", "verdict")
    program = f"import sys, {', '.join('symconv.proofs.' + m for m in modules)}; print('z3' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
