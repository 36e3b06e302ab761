"""Theorems about windows of any number of taps: Coq accepts each as it is printed, and none of their false variants."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from coq_runs import CLOSED, coqc, needs_coq

import symconv as sc
from symconv.certificates.certificate import missing_because
from symconv.derivations.theorems import theorem
from symconv.derivations.theorems.building import at, every, integers
from symconv.derivations.theorems.folds import ByTaps
from symconv.derivations.theorems.pooling import composition
from symconv.derivations.theorems.proposition import AnyInteger, Clause, Proposition, Real, Relation, chain, same
from symconv.derivations.theorems.recorded import Stated, Taps
from symconv.derivations.theorems.ties import largest, total
from symconv.formulas.algebra import ONE, Access, Power, const, product
from symconv.formulas.index import Index

NAMES = ("ties-first-sum", "ties-first-selection", "ties-split-sum", "ties-split-selection")
OTHERS = (
    "subgradient",
    "subgradient-sum",
    "subdifferential",
    "lp-squeeze",
    "lp-limit",
    "softmax-cross-entropy",
    "max-composition",
)


POWERS = "From Symconv Require Import ByTaps Powers Slopes."
BY_HAND = {
    "subgradient: without hypothesis 0": "w = (2, -1), x = (1, 1), y = (1, -1): 1 >= 1 + 2 * 0 + -1 * -2 is false",
    "norms of any order": "p = -1, x = (1, 2): 2 <= 1/(1 + 1/2) is false",
    "norms without a tap": "the maximum is any value, and the norm is 0",
    "a root at any order": "n = 2, p = 1, q = 2: 2 <= 1 + 1/2 is false",
    "a limit that nothing is supposed of": "n = 2, p = q = 1, e = 0, x = (1, 1): 2 - 1 <= 0 is false",
    "a limit for any order": "n = 2, p = 1, q = 100, e = 1/100, x = (1, 1): 2 - 1 <= 1/100 is false",
}


def written(proposition: Proposition, name: str = "statement", taps: Taps | None = None) -> sc.Certificate:
    """The certificate of a proposition, whatever the prover says of it."""
    made = sc.certificate(sc.Verdict("proved", record=Stated(proposition, taps)), name=name)
    assert made is not None
    return made


def of(name: str, part: int = 0) -> Proposition:
    """What a part of a theorem says."""
    return theorem(name).checks[part].proposition


def slips() -> Iterator[tuple[str, Proposition]]:
    """The wrong variants that the theorems themselves name."""
    for name in (*NAMES, *OTHERS[:-1]):
        for slip in theorem(name).slips:
            assert slip.verdict.status == "refuted"
            if slip.proposition.sizes:
                continue  # of a layer, which has a certificate of another kind
            yield f"{name}: {slip.what}", slip.proposition


def false_variants() -> Iterator[tuple[str, Proposition]]:
    """The theorems with a hypothesis dropped, a bound or a sign changed, or one policy put for the other."""
    for name in NAMES:
        yield f"{name}: windows without a tap", replace(of(name), integers=integers({"n": 0}))
    for name in NAMES[::2]:
        yield f"{name}: one tap more", _with_more_taps(of(name))
        yield f"{name}: two", replace(of(name), clauses=(every([], same(total(at("w", "k")), const(2))),))
    for name in NAMES[1::2]:
        chosen = total(at("w", "k"), at("x", "k"))
        for words, left, right in (
            ("less than the maximum", chosen, product(const(-1), largest("x"))),
            ("a part of the taps", chosen, largest("x", "l", 1)),
            ("the sum", chosen, total(at("x", "k"))),
        ):
            yield f"{name}: {words}", replace(of(name), clauses=(every([], same(left, right)),))
    (number,) = (factor for factor in of("ties-split-sum").lets[0].value.args if isinstance(factor, Power))  # type: ignore[union-attr]
    swapped = replace(of("ties-first-sum").lets[0], value=product(of("ties-first-sum").lets[0].value, number))  # type: ignore[arg-type]
    yield "the first maximum's share, divided", replace(of("ties-first-sum"), lets=(swapped,))
    for name, count in (("subgradient", 3), ("subgradient-sum", 1)):
        whole = of(name)
        for k in range(count):
            yield f"{name}: without hypothesis {k}", replace(whole, given=(*whole.given[:k], *whole.given[k + 1 :]))
        (clause,) = whole.clauses
        (relation,) = clause.then
        turned = Relation(relation.sides, ("<=",))  # type: ignore[union-attr]
        yield f"{name}: turned", replace(whole, clauses=(every([], turned),))
    for part in (1, 4):
        (clause,) = of("subgradient", part).clauses
        above = replace(clause, then=(chain(at("w", "k"), ">=", ONE),))
        yield f"shares of at least one, {part}", replace(of("subgradient", part), clauses=(above,))
    norm, root, limit = of("lp-squeeze"), of("lp-limit"), of("lp-limit", 1)
    yield "norms of any order", replace(norm, reals=(Real("p", Index.of(-1)),))
    yield "norms without a tap", replace(norm, integers=integers({"n": 0}))
    yield "a norm below the maximum", replace(norm, clauses=(every([], chain(at("L"), "<=", at("M"))),))
    yield "a root at any order", replace(root, reals=(Real("p", Index.of(1)),))
    yield "a limit that nothing is supposed of", replace(limit, given=())
    yield "a limit for any order", replace(limit, reals=(Real("p", Index.of(1)), *limit.reals[1:]))
    yield "the number of maxima", replace(of("ties-split-sum"), clauses=(every([], same(number.base, ONE)),))


def _with_more_taps(proposition: Proposition) -> Proposition:
    """The sum over the taps 0 .. n, the last of them outside of the window."""
    (clause,) = proposition.clauses
    (relation,) = clause.then
    left, right = relation.sides  # type: ignore[union-attr]
    (bound,) = left.bounds  # type: ignore[union-attr]
    wide = replace(left, bounds=(replace(bound, upper=bound.upper + 1),))  # type: ignore[type-var, arg-type]
    return replace(proposition, clauses=(every([], same(wide, right)),))  # type: ignore[arg-type]


def test_what_is_proved_of_taps_is_stated_as_the_page_prints_it() -> None:
    made = sc.certificate(theorem("ties-first-selection").verdict, name="chosen")
    assert made is not None
    found = re.search(r"Theorem chosen :(.*?)\.\nProof", made.text, re.DOTALL)
    assert found is not None
    assert " ".join(found[1].split()) == (
        "forall n : Z, 1 <= n -> forall x' : Z -> Num, let x x1 := iv (inside 0 x1 (n - 1)) (x' x1) in "
        "let w k : Num := (iv (larger order_of (x k) (max_of order_of (range 0 (k - 1)) (fun l => x l))) one) · "
        "(iv (no_smaller order_of (x k) (max_of order_of (range (k + 1) (n - 1)) (fun l => x l))) one) in "
        "∑ k from 0 to n - 1, (w k) · (x k) = maximum order_of none (range 0 (n - 1)) (fun l => x l) :> Num"
    )
    assert made.imports == "From Symconv Require Import ByTaps."


def test_a_derivative_is_stated_as_one_of_the_layer_itself() -> None:
    made = sc.certificate(theorem("softmax-cross-entropy").verdict, name="loss")
    assert made is not None
    assert made.before == ()
    found = re.search(r"Theorem loss_part1 :(.*?)\.\nProof", made.text, re.DOTALL)
    assert found is not None
    assert " ".join(found[1].split()).endswith(
        "(∑ j from 0 to I - 1, y j = one :> Num) -> forall i : Z, 0 <= i <= I - 1 -> "
        "slope Der (fun v => c (fun x1 => if (x1 =? i) then v else a x1)) (a i) "
        "((exp Elem (a i)) · (inverse (∑ j from 0 to I - 1, exp Elem (a j))) ⊕ (inj (- 1)) · (y i))"
    )


def test_a_step_about_one_layer_has_no_certificate_of_what_was_proved_of_windows() -> None:
    steps = sc.derive(sc.MaxPool((2,), 1, ties="set"), "gradient").steps
    verdicts = [step.verdict for step in steps]
    assert all(verdict.status == "proved" for verdict in verdicts)
    assert all(sc.certificate(verdict) is None for verdict in verdicts)
    assert "induction over the taps has no certificate" in missing_because(verdicts[0])


@needs_coq
def test_coq_accepts_the_theorems_without_axioms(tmp_path: Path) -> None:
    names = (*NAMES, *OTHERS[:-1])
    made = [sc.certificate(theorem(name).verdict, name=f"statement{k}") for k, name in enumerate(names)]
    parts = [POWERS] + [part for own in made for part in (own.body, f"Print Assumptions {own.name}.")]  # type: ignore[union-attr]
    accepted, said = coqc(tmp_path, "\n".join(parts))
    assert accepted, said
    assert said.count(CLOSED) == len(names)


@needs_coq
def test_coq_refuses_every_false_variant(tmp_path: Path) -> None:
    variants = list(false_variants())
    for name, proposition in variants:
        assert ByTaps()(proposition).status == ("undecided" if name in BY_HAND else "refuted"), name
    assert BY_HAND.keys() <= dict(variants).keys()
    wrong = (proposition for _, proposition in [*variants, *slips()])
    accepted, said = coqc(tmp_path, _refused(wrong), 300)
    assert accepted, said
    accepted, said = coqc(tmp_path, _refused([of("ties-split-sum")]))
    assert not accepted
    assert "has not failed" in said


def _refused(propositions: Iterable[Proposition]) -> str:
    """A file that Coq accepts where it refuses the script of every one of the certificates."""
    texts = [POWERS]
    for k, proposition in enumerate(propositions):
        body = written(proposition, f"variant{k}").body
        body, count = re.subn(r"Proof\. (by_taps|by_norms|by_slopes)\. Qed\.", r"Proof. Fail \1. Abort.", body)
        assert count == 1
        texts.append(body)
    return "\n".join(texts)


def _composition(proposition: Proposition) -> str:
    """The certificate of two max poolings after one another, by the taps that the theorem is proved with."""
    record = theorem("max-composition").checks[0].verdict.record
    assert isinstance(record, Stated)
    return written(proposition, taps=record.taps).text


@needs_coq
def test_coq_accepts_that_two_max_poolings_are_one_and_not_if_the_window_is_one_larger(tmp_path: Path) -> None:
    accepted, said = coqc(tmp_path, _composition(of("max-composition")))
    assert accepted, said
    assert said == CLOSED + "\n"
    assert not coqc(tmp_path, _composition(composition(1, more=1)))[0]


@pytest.mark.slow
@needs_coq
def test_coq_accepts_it_on_two_axes_and_refuses_every_false_variant(tmp_path: Path) -> None:
    made = sc.certificate(theorem("max-composition").verdict)
    assert made is not None
    accepted, said = coqc(tmp_path, made.text, 300)
    assert accepted, said
    whole = of("max-composition")
    for wrong in (
        *(slip.proposition for slip in theorem("max-composition").slips),
        composition(2, ""),
        composition(2, more=1),
        replace(whole, clauses=(*whole.clauses[:-1], _moved(whole.clauses[-1]))),
        *(replace(whole, integers=tuple(_any(entry, name) for entry in whole.integers)) for name in "KST"),
    ):
        assert theorem("max-composition").checks[0].proof(wrong).status != "proved"
        assert not coqc(tmp_path, _composition(wrong), 300)[0]


def _moved(clause: Clause) -> Clause:
    """The same of the next output, on the left alone."""
    (relation,) = clause.then
    left, right = relation.sides  # type: ignore[union-attr]
    return replace(clause, then=(same(Access(left.tensor, (left.index[0] + 1,)), right),))  # type: ignore[union-attr]


def _any(entry: AnyInteger, name: str) -> AnyInteger:
    return replace(entry, lower=None) if entry.name == name else entry


@needs_coq
def test_the_rational_numbers_are_such_values_and_the_definitions_mean_what_they_say(tmp_path: Path) -> None:
    accepted, said = coqc(tmp_path, (Path(__file__).parent / "rationals.v").read_text(encoding="utf-8"))
    assert accepted, said


@needs_coq
def test_the_real_numbers_are_such_values_with_such_powers(tmp_path: Path) -> None:
    accepted, said = coqc(tmp_path, (Path(__file__).parent / "reals.v").read_text(encoding="utf-8"))
    assert accepted, said
