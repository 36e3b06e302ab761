"""Certificates as text: what is stated, under which names, and what has none."""

from __future__ import annotations

import pickle
import re
import subprocess
import sys
from dataclasses import replace
from statistics import median

import pytest
from statements import I_FREE, TRUE, TURNED_SHARES, N, V, about, proved, total, x

import symconv as sc
from symconv.certificates.certificate import missing_because
from symconv.certificates.library import ORDER, library
from symconv.formulas.algebra import Absolute, Access, Bound, Power, Scalar, const, equal, nonnegative, product
from symconv.proofs.prove import prove_statement
from symconv.proofs.statement import Statement

PROVED = dict(proved())


def statement_of(text: str) -> str:
    """The theorem alone, in one line."""
    found = re.search(r"Theorem \w+ :(.*?)\.\nProof", text, re.DOTALL)
    assert found is not None
    return " ".join(found[1].split())


def made(verdict: sc.Verdict, **words: str) -> sc.Certificate:
    """The certificate, which there must be."""
    found = sc.certificate(verdict, **words)
    assert found is not None, missing_because(verdict)
    return found


@pytest.mark.parametrize("name", PROVED)
def test_what_is_proved_has_a_certificate(name: str) -> None:
    assert PROVED[name].status == "proved"
    assert missing_because(PROVED[name]) == ""
    assert made(PROVED[name]).text.endswith("Print Assumptions statement.\n")


def test_a_certificate_states_sizes_hypotheses_boxes_indices_and_both_sides() -> None:
    assert statement_of(made(PROVED["sifted"]).text) == (
        "forall n : Z, 0 <= n -> "
        "forall x' : Z -> Num, let in_x x1 := inside 0 x1 (n - 1) in let x x1 := iv (in_x x1) (x' x1) in "
        "forall y' : Z -> Num, let in_y x1 := inside 0 x1 (n - 1) in let y x1 := iv (in_y x1) (y' x1) in "
        "forall i : Z, 0 <= i <= n - 1 -> "
        "∑ k from 0 to n - 1, iv (i =? k) ((x k) · (y k)) = (x i) · (y i) :> Num"
    )


def test_the_statement_is_the_one_that_was_made_and_what_is_solved_stays_a_hypothesis() -> None:
    text = statement_of(made(PROVED["solved"]).text)
    assert text.startswith("forall n s : Z, 0 <= n -> 1 = s -> ")
    assert text.endswith("∑ k from 0 to n - 1, x (k * s) = ∑ k from 0 to n - 1, x k :> Num")


def test_ranges_that_both_sides_declare_are_part_of_the_statement() -> None:
    other = (Bound("i", V(0), V("m") - 1),)
    statement = Statement.of(
        x("i"), product(x("i"), const(1)), I_FREE, {"x": ((V(0), N - 1),)}, (equal("m", "n"),), other_free=other
    )
    assert "n = m -> m = n /\\ forall" in statement_of(made(prove_statement(statement)).text)


def test_an_equivalence_and_a_conjunction_are_stated_whole() -> None:
    assert statement_of(made(PROVED["ceil"]).text) == (
        "forall n s q : Z, 0 <= n -> 1 <= s -> (n <= q * s) <-> ((- ((- n) / s)) <= q)"
    )
    both = made(PROVED["both"], name="both")
    assert both.body.count("Theorem both_part") == 2
    assert both.body.endswith("Definition both := conj both_part1 both_part2.\n")


def test_what_was_worked_out_before_is_said() -> None:
    assert made(PROVED["gradient"]).before == ("derivatives",)
    assert "not certified: derivatives." in made(PROVED["gradient"]).text.splitlines()[0]
    assert made(PROVED["output"]).before == ()


def test_the_same_verdict_has_the_same_certificate_after_a_pickle_and_in_another_process() -> None:
    verdict = PROVED["average"]
    text = made(verdict, name="average").text
    assert made(pickle.loads(pickle.dumps(verdict)), name="average").text == text
    program = (
        "import sys; sys.path.insert(0, 'tests/certificates')\n"
        "from statements import proved\nimport symconv as sc\n"
        "sys.stdout.write(''.join(sc.certificate(v).text for _, v in proved()))"
    )
    here = "".join(made(v).text for v in PROVED.values())
    for seed in ("1", "2"):
        env = {"PYTHONHASHSEED": seed, "PATH": "", "PYTHONIOENCODING": "utf-8"}
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=env)
        assert done.stdout == here


def test_certificates_are_short() -> None:
    assert median(len(made(verdict).text) for verdict in PROVED.values()) < 1_500


HOSTILE = ["a*)", '"', "forall", "Qed", "sum", "iv", "Num", "x'", "α", "a b", "Eq", "S", "O", "(*", "known1", "__", "9"]


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_breaks_a_certificate(name: str) -> None:
    inner = Access(name, (V(name),))
    left = total(name, 0, N - 1, inner)
    right = total("k", 1, N, Access(name, (V("k") - 1,)))
    verdict = prove_statement(Statement.of(left, right, (), {name: ((V(0), N),)}))
    text = made(verdict, title=name).text
    code = re.sub(r"\(\*.*?\*\)", "", text, flags=re.DOTALL)
    assert text.count("(*") == text.count("*)")
    assert '"' not in text
    assert code.count("Theorem") == code.count("Qed.") == 1
    if not re.fullmatch(r"[A-Za-z]\w*", name, re.ASCII):
        assert name not in code.replace("x'", "") or name in ("x'", "9")


@pytest.mark.parametrize("name", ["", "a b", "1a", "a.", "é", "x'"])
def test_the_name_of_a_theorem_is_an_identifier(name: str) -> None:
    with pytest.raises(sc.ArgumentError, match=r"^name must be an identifier"):
        sc.certificate(PROVED["moved"], name=name)


def test_only_what_holds_and_is_on_record_has_a_certificate() -> None:
    refuted = prove_statement(about(total("k", 0, N - 1, x("k")), total("k", 1, N - 1, x("k"))))
    assert sc.certificate(refuted) is None
    assert missing_because(refuted) == "the statement is refuted, not proved"
    bare = replace(PROVED["moved"], record=None)
    assert sc.certificate(bare) is None
    assert missing_because(bare) == "a proof by bijection has no certificate yet"


def test_a_statement_that_was_changed_after_it_was_made_has_none() -> None:
    record = PROVED["moved"].record
    assert record is not None
    changed = replace(record.statement, right=total("k", 0, N, x("k")))  # type: ignore[union-attr]
    verdict = replace(PROVED["moved"], record=replace(record, statement=changed))  # type: ignore[arg-type]
    assert missing_because(verdict) == "the statement was changed after it was made"


def test_a_real_number_in_an_index_has_none_and_one_among_the_values_is_a_value() -> None:
    norm = Power(Absolute(x("k")), Scalar(V("p")))
    statement = Statement.of(
        total("k", 0, N - 1, norm),
        total("m", 0, N - 1, Power(Absolute(x("m")), Scalar(V("p")))),
        (),
        {"x": ((V(0), N - 1),)},
        (nonnegative(V("p") - 1),),
        reals=frozenset({"p"}),
    )
    text = statement_of(made(prove_statement(statement)).text)
    assert text.startswith("forall n : Z, forall p : Num, forall x' : Z -> Num, ")
    assert "power (absolute (x k)) p" in text


def test_the_library_is_in_the_package_and_rests_on_nothing_else() -> None:
    assert tuple(library()) == ORDER
    for text in library().values():
        assert "Axiom" not in text.replace("Axioms", "")
        assert "Admitted" not in text
        assert "admit" not in text


def test_shares_of_taps_in_another_order_have_none() -> None:
    verdict = prove_statement(TURNED_SHARES)
    assert verdict.status == "proved"
    assert missing_because(verdict) == "equal shares of taps in another order are not followed yet"


def test_every_layer_that_has_functions_of_one_value_or_ties_has_certificates_for_its_steps() -> None:
    layers = (sc.ReLU(), sc.LeakyReLU(), sc.Sigmoid(), sc.Tanh(), sc.Softplus(), sc.CrossEntropy())
    for layer in (*layers, sc.MaxPool((2,), 2), sc.MaxPool((2,), 2, ties="split")):
        for step in sc.derive(layer, "gradient").steps:
            assert not missing_because(step.verdict), (layer, step.statement)


def test_a_window_of_sums_that_moves_by_the_bijection_of_an_outer_sum_has_none() -> None:
    missing = [missing_because(step.verdict) for step in sc.derive(sc.Dilation((2,)), "gradient").steps]
    assert [reason for reason in missing if reason] == [
        "a window whose places are written otherwise is not followed yet"
    ]


def test_statements_that_are_equal_have_certificates_of_their_own_name() -> None:
    assert len({made(v, name=f"n{k}").text for k, v in enumerate(PROVED.values())}) == len(PROVED)
    assert TRUE.keys() <= PROVED.keys()
