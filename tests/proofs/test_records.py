"""What a verdict keeps of its proof: the statement as it was made, what was matched, and nothing that equality sees."""

from __future__ import annotations

import pickle
from dataclasses import fields, replace

import pytest

import symconv as sc
from symconv.derivations.theorems.theorem import all_of
from symconv.formulas.algebra import Access, Bound, equal, nonnegative, summation
from symconv.formulas.index import Index, floor
from symconv.proofs.goals import prove_equivalent, prove_goal
from symconv.proofs.prove import prove_statement
from symconv.proofs.record import Conjunction, Equality, Equivalence, Goal, conjunction, preceded_by
from symconv.proofs.statement import Statement

V = Index.of
N, S = V("n"), V("s")


def shifted_sum(*hypotheses: object) -> Statement:
    """The sum of x[s*k] for k < n, and the same counted from 1."""
    left = summation(Access("x", (S * "k",)), Bound("k", V(0), N - 1))
    right = summation(Access("x", (S * "k" - S,)), Bound("k", V(1), N))
    return Statement.of(left, right, (), {"x": ((V(0), N),)}, (nonnegative(N), *hypotheses))  # type: ignore[arg-type]


def test_a_proof_of_equal_sums_keeps_its_terms_their_factors_and_the_way_between_them() -> None:
    verdict = prove_statement(shifted_sum())
    assert verdict.status == "proved"
    assert isinstance(verdict.record, Equality)
    (match,) = verdict.record.sums.matches
    assert match.pairing is not None
    ((mine, theirs),) = match.pairing.factors[0]
    assert (mine.index, theirs.index) == ((S * "k",), (S * match.pairing.right.names[0] - S,))
    assert dict(match.forward)[match.pairing.right.names[0]] == V("k") + 1
    assert verdict.record.sums.empty == ()


def test_the_statement_that_was_made_is_kept_beside_the_one_that_was_solved() -> None:
    statement = shifted_sum(equal("s", 1))
    assert statement.parameters == ("n",)
    assert statement.stated is not None
    assert equal("s", 1) in statement.stated.hypotheses
    assert statement.stated.parameters == ("n", "s")
    assert statement.stated.left == shifted_sum().left
    assert statement.subs({"n": V(3)}).stated is None


def test_arithmetic_keeps_what_is_given_and_what_follows() -> None:
    given, wanted = [nonnegative(N), nonnegative(S - 1)], [nonnegative(N - S * floor(N, S))]
    assert prove_goal(given, wanted).record == Goal(tuple(given), tuple(wanted), frozenset())
    assert prove_goal(given, [nonnegative(N - S)]).record is None  # refuted
    both = prove_equivalent(given, [nonnegative(N - 1)], [nonnegative(2 * N - 1)])
    assert both.record == Equivalence(tuple(given), (nonnegative(N - 1),), (nonnegative(2 * N - 1),), frozenset())


def test_a_conjunction_has_the_records_of_all_its_parts_or_none() -> None:
    one, two = prove_goal([nonnegative(N)], [nonnegative(2 * N)]), prove_statement(shifted_sum())
    assert all_of((one, two)).record == Conjunction((one.record, two.record))  # type: ignore[arg-type]
    assert all_of((one,)).record == one.record
    assert all_of((one, replace(two, record=None))).record is None
    assert conjunction(()) == Conjunction(())


def test_what_was_worked_out_before_is_kept_with_the_record() -> None:
    layer = sc.Conv(3, ndim=1).generic()
    record = sc.prove(layer.gradient("input"), layer.gradient("input")).record
    assert isinstance(record, Equality)
    assert record.before == ("derivatives",)
    output = sc.prove(layer.output(), layer.output()).record
    assert isinstance(output, Equality)
    assert output.before == ()
    both = preceded_by(conjunction((record, output)), "limits")
    assert isinstance(both, Conjunction)
    assert [part.before for part in both.parts] == [("derivatives", "limits"), ("limits",)]  # type: ignore[union-attr]


def test_a_claim_of_several_relations_keeps_all_of_them() -> None:
    line = sc.Declarations(op=sc.Conv(2, ndim=1), input_size=(4,), base=0)
    one = sc.check_claim("c[p] == sum(a[p + m]*b[m], (m,0,1))", line)
    assert isinstance(one.record, Equality)
    both = sc.check_claim("c[p] == sum(a[p + m]*b[m], (m,0,1)) == sum(b[m]*a[m + p], (m,0,1))", line)
    assert isinstance(both.record, Conjunction)
    assert len(both.record.parts) == 2
    slope = sc.check_claim("diff(c[p], a[i]) == b[i - p]", line)
    assert slope.holds
    assert isinstance(slope.record, Equality)
    assert slope.record.before == ("derivatives",)
    false = sc.check_claim("c[p] == c[p] == 2 * c[p]", line)
    assert (false.status, false.record) == ("refuted", None)


@pytest.mark.parametrize(
    "verdict", [prove_statement(shifted_sum()), prove_goal([nonnegative(N)], [nonnegative(2 * N)])]
)
def test_a_record_takes_no_part_in_equality_or_text_and_can_be_pickled(verdict: sc.Verdict) -> None:
    bare = replace(verdict, record=None, bijection=tuple(replace(m, pairing=None) for m in verdict.bijection))
    assert verdict.record is not None
    assert bare == verdict
    assert repr(bare) == repr(verdict)
    copy = pickle.loads(pickle.dumps(verdict))
    assert copy == verdict
    assert [getattr(copy.record, f.name) for f in fields(copy.record)] == [
        getattr(verdict.record, f.name) for f in fields(verdict.record)
    ]
