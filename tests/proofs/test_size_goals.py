"""The arithmetic of sizes: output sizes, placements, receptive fields, flattening."""

from __future__ import annotations

from laws import V

from symconv.formulas.algebra import Guard, between, divides, equal, nonnegative
from symconv.formulas.index import Index, ceiling, floor, maximum, minimum
from symconv.operators.window import Window
from symconv.proofs.goals import prove_equivalent, prove_goal

I, K, S, P, D, O, p = (V(name) for name in ["I", "K", "S", "P", "D", "O", "p"])  # noqa: E741
POSITIVE = [nonnegative(e - 1) for e in (I, K, S, D)] + [nonnegative(P)]
ROOM = I + 2 * P - D * (K - 1) - 1


def test_the_output_size_counts_the_placements_that_fit() -> None:
    verdict = prove_equivalent(
        [*POSITIVE, nonnegative(ROOM), equal(O, floor(ROOM, S) + 1)],
        between(0, p, O - 1),
        [nonnegative(p), nonnegative(ROOM - S * p)],
    )
    assert verdict.status == "proved", str(verdict)
    assert verdict.scope.symbolic == ("I", "K", "S", "P", "D", "p")
    assert len(verdict.obligations) >= 2


def test_without_the_floor_it_is_refuted_at_the_smallest_sizes() -> None:
    verdict = prove_goal([*POSITIVE[:3], nonnegative(P), nonnegative(I + 2 * P - K)], [divides(S, I + 2 * P - K)])
    assert verdict.status == "refuted"
    assert verdict.counterexample is not None
    assert verdict.counterexample.sizes == {"I": 2, "K": 1, "S": 2, "P": 0}


def test_an_equivalence_is_two_goals() -> None:
    hypotheses = [nonnegative(p)]
    verdict = prove_equivalent(hypotheses, [nonnegative(p - 2)], [nonnegative(p - 1)])
    assert verdict.status == "refuted"
    assert verdict.explanation.startswith("From right to left: It fails at p = 1")


def test_nested_floors_are_one() -> None:
    x, s, t = V("x"), V("s"), V("t")
    given = [nonnegative(x), nonnegative(s - 1), nonnegative(t - 1)]
    verdict = prove_goal(given, [equal(floor(floor(x, s), t), floor(x, s * t))])
    assert verdict.status == "proved"
    assert prove_goal(given, [equal(floor(floor(x, 2), 3), floor(x, 6))]).status == "proved"


def test_row_major_flattening_is_a_bijection() -> None:
    W, r, i, j = (V(name) for name in "Wrij")
    given = [nonnegative(W - 1), nonnegative(i), *between(0, j, W - 1), equal(r, i * W + j)]
    assert prove_goal(given, [equal(floor(r, W), i), equal(r - W * floor(r, W), j)]).status == "proved"


def test_the_windows_that_touch_an_input() -> None:
    """ceil((j+P-K+1)/S) .. floor((j+P)/S), for dilation 1."""
    j = V("j")
    verdict = prove_equivalent(
        [nonnegative(K - 1), nonnegative(S - 1)],
        between(0, j + P - S * p, K - 1),
        between(ceiling(j + P - K + 1, S), p, floor(j + P, S)),
    )
    assert verdict.status == "proved", str(verdict)


def test_ceil_mode_windows_start_before_the_end_of_the_input() -> None:
    window = Window(2, 3, 1, 1, ceil_mode=True)
    given = [nonnegative(I - 1), equal(O, window.outputs(I))]
    assert prove_goal(given, [nonnegative(I + 1 - 1 - (O - 1) * 3)]).status == "proved"


def test_minima_and_maxima() -> None:
    a, b = V("a"), V("b")
    assert prove_goal([], [equal(minimum(a, b) + maximum(a, b), a + b)]).status == "proved"
    assert prove_goal([], [nonnegative(minimum(a, b) - a)]).status == "refuted"


def test_contradictory_hypotheses_prove_nothing() -> None:
    verdict = prove_goal([nonnegative(p), nonnegative(-p - 1)], [equal(p, 5)])
    assert verdict.status == "undecided"
    assert "would say nothing" in verdict.explanation


def test_a_denominator_must_be_positive_by_hypothesis() -> None:
    verdict = prove_goal([nonnegative(I)], [nonnegative(S * floor(I, S) + S - 1 - I)])
    assert verdict.status != "proved"


def test_real_numbers_are_not_taken_for_integers() -> None:
    x = V("x")
    given = [nonnegative(2 * x - 1), nonnegative(2 - 2 * x)]
    assert prove_goal(given, [equal(x, 1)]).status == "proved"
    verdict = prove_goal(given, [equal(x, 1)], reals=frozenset({"x"}))
    assert verdict.status == "undecided"


def test_a_goal_that_is_a_plain_number() -> None:
    assert prove_goal([], [Guard("ge", Index.of(3))]).status == "proved"
    assert prove_goal([], [Guard("ge", Index.of(-3))]).status == "refuted"
