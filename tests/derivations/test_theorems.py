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
from symconv.derivations.theorems.inductive import Claim, by_induction
from symconv.derivations.theorems.pooling import same_reads
from symconv.derivations.theorems.relationships import TOTALS
from symconv.derivations.theorems.theorem import all_of
from symconv.errors import ArgumentError
from symconv.formulas.index import Index
from symconv.operators.convolution import Conv
from symconv.operators.pooling import LPPool, MaxPool
from symconv.proofs.verdict import Obligation, Scope, Verdict
from symconv.report.mathml import check_formula

ROOT = Path(__file__).resolve().parents[2]
ALL = theorems()
SLIPS = [(entry, slip) for entry in ALL for slip in entry.slips]


@pytest.mark.parametrize("entry", ALL, ids=lambda entry: entry.name)
def test_every_theorem_is_proved_for_all_sizes(entry: Theorem) -> None:
    assert entry.verdict.status == "proved", [str(verdict) for verdict in entry.check()]
    for verdict in entry.check():
        assert verdict.status == "proved"
        assert verdict.scope.symbolic
        assert verdict.obligations
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
    good = Verdict("proved", Scope(("I",)), obligations=(Obligation("x", "proved", ""),), explanation="Yes.")
    bad = Verdict(weaker, Scope(("K",)), explanation="No.")
    for order in ((good, bad), (bad, good), (good, bad, good)):
        checks = tuple(Check(str(k), lambda verdict=verdict: verdict) for k, verdict in enumerate(order))
        entry = Theorem("t", "T", ("t",), (), "s", checks)
        assert entry.verdict.status == weaker
        assert entry.verdict.explanation == "No."


def test_a_conjunction_joins_scopes_and_a_fixed_size_is_not_symbolic() -> None:
    one, two = Verdict("proved", Scope(("I", "S"))), Verdict("proved", Scope(("I",), (("S", 1),)))
    joined = all_of((one, two))
    assert joined.scope == Scope(("I",), (("S", 1),))
    assert all_of((one,)) == one


def test_a_check_runs_once() -> None:
    runs = []

    def run() -> Verdict:
        runs.append(1)
        return Verdict("proved")

    check = Check("once", run)
    assert check.verdict is check.verdict
    assert len(runs) == 1


# --- induction --------------------------------------------------------------------------------------------------------

STEP = Claim("x stays below", "x y", ("(<= x y)",), "(<= (+ x 1.0) (+ y 1.0))")


def test_an_induction_stands_on_every_step() -> None:
    assert by_induction((STEP,), ("n",), "So.").status == "proved"
    wrong = replace(STEP, goal="(<= (+ x 1.0) y)")
    verdict = by_induction((STEP, wrong), ("n",), "So.")
    assert verdict.status == "undecided"
    assert [entry.outcome for entry in verdict.obligations] == ["proved", "failed"]


def test_an_induction_whose_conditions_contradict_each_other_proves_nothing() -> None:
    vacuous = replace(STEP, given=("(< x y)", "(< y x)"))
    verdict = by_induction((vacuous,), ("n",), "So.")
    assert verdict.status == "undecided"
    assert "conditions that can be met" in verdict.explanation


# --- the statements against plain loops -------------------------------------------------------------------------------


def windows_that_fit(length: int, kernel: int, stride: int, before: int, after: int, dilation: int) -> int:
    """Counted one by one."""
    count = place = 0
    while place + dilation * (kernel - 1) < before + length + after:
        count, place = count + 1, place + stride
    return count


def total(number: int, size: int, left_over: int = 0, **values: int) -> int:
    expression = TOTALS[number](Index.of(size), Index.of(left_over))
    return int(expression.evaluate(values))


def layer_of(number: int, k: int, s: int, p: int, d: int) -> tuple[int, int, int, int] | None:
    """Kernel, stride, padding and dilation where the side condition of a relationship holds, else None."""
    half, full = (k % 2 == 1 and p == k // 2), p == k - 1
    conditions = {
        1: s == 1 and p == 0,
        2: s == 1,
        3: s == 1 and half,
        4: s == 1 and full,
        5: p == 0,
        6: True,
        7: p == 0,
        8: s == 1 and p == 0,
        9: s == 1,
        10: s == 1 and half,
        11: s == 1 and full,
        12: p == 0,
        13: True,
        14: True,
        15: True,
    }
    return (k, s, p, d) if conditions[number] and (d == 1 or number == 15) else None


@pytest.mark.parametrize("number", range(1, 16))
def test_the_relationships_agree_with_counting(number: int) -> None:
    seen = 0
    for i, k, s, p, d in product(range(1, 8), range(1, 5), range(1, 4), range(4), range(1, 3)):
        if layer_of(number, k, s, p, d) is None:
            continue
        o = windows_that_fit(i, k, s, p, p, d)
        if o == 0:
            continue
        values = {"k": k, "s": s, "p": p, "d": d}
        if number < 8 or number == 15:
            assert total(number, i, **values) == o
            seen += 1
            continue
        left_over = (i + 2 * p - k) % s
        if number in (12, 13) and left_over:
            continue
        assert total(number, o, left_over, **values) == i
        if p <= k - 1:  # only then is k - p - 1 a padding that a loop can add
            stretched = s * (o - 1) + 1
            assert windows_that_fit(stretched, k, 1, k - p - 1, k - p - 1 + left_over, 1) == i
        seen += 1
    assert seen > 10


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
    assert same_reads(1).status == "proved"
    without = same_reads(1, condition=False)
    assert without.status == "undecided"
    assert without.counterexample is None


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
