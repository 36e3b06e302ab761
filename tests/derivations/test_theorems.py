"""Every theorem is proved for all sizes, every slip refuted; and what the statements say agrees with plain loops."""

from __future__ import annotations

import random
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any, Literal

import pytest

from symconv.derivations.step import Maths, plain
from symconv.derivations.theorems import Check, Theorem, theorem, theorems
from symconv.derivations.theorems.building import at, every, let_of, setting
from symconv.derivations.theorems.deciding import all_of, decide
from symconv.derivations.theorems.equations import ByMultiples
from symconv.derivations.theorems.folds import ByTaps
from symconv.derivations.theorems.proposition import AnyInteger, AnyTensor, Clause, Proposition, chain, same
from symconv.derivations.theorems.reads import equal_reads
from symconv.errors import ArgumentError
from symconv.formulas.algebra import ZERO, Absolute, Access, Bound, Node, Reduce, const
from symconv.formulas.index import Index
from symconv.operators.convolution import Conv
from symconv.operators.cross_entropy import CrossEntropy
from symconv.operators.pooling import LPPool, MaxPool
from symconv.proofs.obligation import Obligation
from symconv.proofs.verdict import Verdict, VerdictScope
from symconv.report.mathml import check_formula

ROOT = Path(__file__).resolve().parents[2]
ALL = theorems()
NOTHING = Proposition((), ())
SLIPS = [(entry, slip) for entry in ALL for slip in entry.slips]


@pytest.mark.parametrize("entry", ALL, ids=lambda entry: entry.name)
def test_every_theorem_is_proved_for_all_sizes(entry: Theorem) -> None:
    assert entry.verdict.status == "proved", [str(verdict) for verdict in entry.check()]
    assert entry.verdict.obligations  # a part that is an identity of polynomials leaves none
    for verdict in entry.check():
        assert verdict.status == "proved"
        assert verdict.scope.symbolic
        assert all(obligation.outcome == "proved" for obligation in verdict.obligations)


@pytest.mark.parametrize(("entry", "slip"), SLIPS, ids=[f"{entry.name}: {slip.what}" for entry, slip in SLIPS])
def test_every_slip_is_refuted_by_an_example(entry: Theorem, slip: Check) -> None:
    assert slip.verdict.status == "refuted", str(slip.verdict)
    found = slip.verdict.counterexample
    assert found is not None
    assert found.left != found.right


def test_every_theorem_has_a_slip_and_a_name_of_its_own() -> None:
    assert all(entry.slips for entry in ALL)
    assert len({entry.name for entry in ALL}) == len(ALL)
    assert [f"relationship-{number}" for number in range(1, 16)] == [e.name for e in ALL if "relationship" in e.name]


def test_all_theorems_together_take_less_than_15_seconds_of_one_core() -> None:
    program = (
        "from time import process_time\n"
        "from symconv.derivations.theorems import theorems\n"
        "assert {entry.verdict.status for entry in theorems()} == {'proved'}\n"
        "print(process_time())\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 15


@pytest.mark.parametrize("entry", ALL, ids=lambda entry: entry.name)
def test_statements_and_hypotheses_can_be_printed(entry: Theorem) -> None:
    for part in (*entry.statement, *entry.hypotheses):
        if isinstance(part, Maths):
            check_formula(part.latex)
        else:
            assert part.isascii()  # signs are mathematics, and have their LaTeX
    assert plain(entry.statement)
    assert plain(entry.hypotheses)
    assert entry.source


def test_an_unknown_name_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(
        ArgumentError, match=r"^name must be the name of a theorem, got 'adjont'; did you mean 'adjoint'"
    ):
        theorem("adjont")
    with pytest.raises(ArgumentError, match=r"got '###'; theorems\(\) lists them all$"):
        theorem("###")


# --- a conjunction is as weak as its weakest part ---------------------------------------------------------------------


@pytest.mark.parametrize("weaker", ["refuted", "error", "undecided", "exact"])
def test_a_theorem_is_no_stronger_than_its_weakest_part(weaker: Any) -> None:
    good = Verdict("proved", VerdictScope(("I",)), obligations=(Obligation("x", "proved", ""),), explanation="Yes.")
    bad = Verdict(weaker, VerdictScope(("K",)), explanation="No.")
    for order in ((good, bad), (bad, good), (good, bad, good)):
        checks = tuple(
            Check(str(k), NOTHING, proof=lambda _, verdict=verdict: verdict) for k, verdict in enumerate(order)
        )
        entry = Theorem("t", "T", "s", checks)
        assert entry.verdict.status == weaker
        assert entry.verdict.explanation == "No."


def test_a_conjunction_joins_scopes_and_a_fixed_size_is_not_symbolic() -> None:
    one, two = Verdict("proved", VerdictScope(("I", "S"))), Verdict("proved", VerdictScope(("I",), (("S", 1),)))
    joined = all_of((one, two))
    assert joined.scope == VerdictScope(("I",), (("S", 1),))
    assert all_of((one,)) == one


def test_a_check_runs_once() -> None:
    runs = []

    def run(proposition: Proposition) -> Verdict:
        runs.append(proposition)
        return Verdict("proved")

    check = Check("once", NOTHING, proof=run)
    assert check.verdict is check.verdict
    assert runs == [NOTHING]


# --- induction --------------------------------------------------------------------------------------------------------


def taps(*then: Any, given: tuple[Any, ...] = ()) -> Proposition:
    """A statement about n entries of an array x."""
    n = Index.of("n")
    x = AnyTensor("x", (Bound("k", Index.of(0), n - 1),))
    return Proposition((AnyInteger("n", Index.of(1)),), (Clause((), then),), given=given, arrays=(x,))


def total(body: Node) -> Node:
    return Reduce("sum", (Bound("k", Index.of(0), Index.of("n") - 1),), (), body)


X = Access("x", (Index.of("k"),))


def test_an_induction_proves_what_holds_of_every_summand() -> None:
    fold = ByTaps(itself=True)
    assert fold(taps(chain(total(Absolute(X)), ">=", total(X)))).status == "proved"
    wrong = fold(taps(chain(total(X), ">=", total(Absolute(X)))))
    assert wrong.status == "refuted"
    assert wrong.counterexample is not None


def test_a_statement_that_is_no_invariant_stays_open_and_is_not_proved() -> None:
    verdict = ByTaps()(taps(chain(total(Absolute(X)), ">=", total(X))))
    assert verdict.status == "undecided"
    assert any(entry.outcome != "proved" for entry in verdict.obligations)


def test_an_induction_whose_conditions_contradict_each_other_proves_nothing() -> None:
    sum_ = total(X)
    verdict = ByTaps(itself=True)(taps(chain(sum_, ">=", 7), given=(chain(sum_, ">=", 1), chain(sum_, "<=", 0))))
    assert verdict.status == "undecided"


# --- the statements against plain loops -------------------------------------------------------------------------------


def windows_that_fit(length: int, kernel: int, stride: int, before: int, after: int, dilation: int) -> int:
    """Counted one by one."""
    count = place = 0
    while place + dilation * (kernel - 1) < before + length + after:
        count, place = count + 1, place + stride
    return count


def first_weights(values: list[Fraction]) -> list[Fraction]:
    """The product form of the policy "first"."""
    weights = []
    for k, value in enumerate(values):
        before = all(value > other for other in values[:k])
        after = all(value >= other for other in values[k + 1 :])
        weights.append(Fraction(before and after))
    return weights


def split_weights(values: list[Fraction]) -> list[Fraction]:
    return [Fraction(value == max(values), values.count(max(values))) for value in values]


@pytest.mark.parametrize("ties", ["first", "split"])
def test_the_laws_of_ties_speak_of_what_max_pooling_does(ties: Literal["first", "split"]) -> None:
    """The derivative of the operator has the weights of the theorems, and they obey the laws."""
    rng = random.Random(7)
    derivative = MaxPool((2, 2), 1, ties=ties).derivative("input")
    for _ in range(12):
        x = [[Fraction(rng.randint(0, 2)) for _ in range(3)] for _ in range(3)]
        entries = derivative.values({"a": x}, (3, 3))
        for p, q in product(range(2), range(2)):
            taps = [(p + m, q + n) for m in range(2) for n in range(2)]
            values = [x[i][j] for i, j in taps]
            weights = [Fraction(entries.get((p, q, i, j), 0)) for i, j in taps]
            assert weights == (first_weights if ties == "first" else split_weights)(values)
            assert sum(weights) == 1
            assert sum(w * value for w, value in zip(weights, values, strict=True)) == max(values)
            other = [Fraction(rng.randint(-3, 3)) for _ in taps]
            slope = sum(w * (y - v) for w, y, v in zip(weights, other, values, strict=True))
            assert max(other) >= max(values) + slope


def test_taps_that_do_not_match_show_nothing_and_refute_nothing() -> None:
    part = theorem("max-composition").checks[0]
    assert part.verdict.status == "proved"
    assert equal_reads(part.proposition, {"x": Index.of(0)}, {"m": Index.of(0), "u": Index.of(0)}).status != "proved"


def test_two_max_poolings_lose_an_entry_where_the_stride_exceeds_the_window() -> None:
    x = {"a": [Fraction(v) for v in (0, 5, 0)]}
    first = MaxPool((1,), 2).output().values(x, (3,))
    second = MaxPool((2,), 1).output().values({"a": [first[0,], first[1,]]}, (2,))
    assert second[0,] == 0
    assert MaxPool((3,), 2).output().values(x, (3,))[0,] == 5


def test_the_rate_of_the_limit_of_norms() -> None:
    """0 <= L - M <= e once q e >= (n - 1) M, for every p >= q."""
    x = {"a": [1.0, 3.0, 3.0, 2.0]}
    for q in (1, 2, 5, 20):
        bound = 3 * 3 / q
        for p in (q, q + Fraction(1, 2), 2 * q):
            (value,) = LPPool(p, (4,)).output().values(x, (4,)).values()
            assert -1e-9 <= float(value) - 3 <= bound


def test_the_upstream_gradient_with_zeros_between_gives_the_gradient() -> None:
    """The transposed convolution written as loops, at a stride that leaves an entry over."""
    rng = random.Random(3)
    size, kernel, stride, pad, dilation = 8, 3, 2, 1, 2
    gradient = Conv((kernel,), stride, pad, dilation).gradient("input")
    outputs = windows_that_fit(size, kernel, stride, pad, pad, dilation)
    g = [Fraction(rng.randint(-5, 5)) for _ in range(outputs)]
    b = [Fraction(rng.randint(-5, 5)) for _ in range(kernel)]
    upsampled = [Fraction(0)] * (stride * (outputs - 1) + 1)
    upsampled[::stride] = g
    left_over = (size + 2 * pad - dilation * (kernel - 1) - 1) % stride
    before = dilation * (kernel - 1) - pad
    padded = [Fraction(0)] * before + upsampled + [Fraction(0)] * (before + left_over)
    turned = b[::-1]
    wanted = [sum(padded[i + dilation * u] * turned[u] for u in range(kernel)) for i in range(size)]
    assert len(padded) - dilation * (kernel - 1) == size
    found = gradient.values({"g": g, "b": b, "a": [0] * size}, (size,))
    assert [found.get((i,), 0) for i in range(size)] == wanted


def test_an_equation_that_cannot_be_met_proves_nothing() -> None:
    whole = theorem("softmax-cross-entropy").checks[0]
    (summed,) = whole.proposition.given
    (multiple,) = whole.proof.multiples  # type: ignore[attr-defined]
    both = replace(whole.proposition, given=(summed, same(summed.sides[0], const(2))))  # type: ignore[union-attr]
    assert replace(whole, proposition=both, proof=ByMultiples((multiple, ZERO))).verdict.status == "undecided"


def test_a_logarithm_of_what_may_be_negative_is_left_open() -> None:
    loss = CrossEntropy().output()
    (bound,) = (array.ranges[0] for array in setting(loss).arrays if array.name == "a")
    entries = replace(setting(loss), lets=(let_of(loss),), clauses=(every([bound], same(at("c"), at("c"))),))
    verdict = decide(entries)
    assert verdict.status == "undecided"
    assert "logarithm" in verdict.explanation
