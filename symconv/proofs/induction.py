"""The bounds of a power sum by its largest term, by induction over the number of terms.

For entries x_1, ..., x_n >= 0, M the largest, and p > 0: ``M**p <= sum of x_k**p <= n * M**p``. All that is used of
``f(x) = x**p`` is that it is nonnegative and increasing for x >= 0; the rest is arithmetic, discharged by z3 over the
reals. This is how LP pooling is squeezed between the maximum and n**(1/p) times the maximum.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

from symconv.proofs.obligation import Obligation
from symconv.proofs.smt import Solver
from symconv.proofs.verdict import Verdict, VerdictScope

__all__ = ["power_sum_bound"]

# S: the sum of the first n powers; M, fM: their largest entry and its power; x, fx: the next entry and its power.
_DECLARE = """(declare-const n Real) (declare-const S Real) (declare-const M Real) (declare-const x Real)
(declare-const fM Real) (declare-const fx Real)
(define-fun N () Real (ite (> x M) x M))
(define-fun fN () Real (ite (> x M) fx fM))
(assert (>= M 0.0)) (assert (>= x 0.0)) (assert (>= n 1.0)) (assert (>= fM 0.0)) (assert (>= fx 0.0))
(assert (=> (<= M x) (<= fM fx))) (assert (=> (<= x M) (<= fx fM)))"""

_STEPS = {
    "lower": (
        ("one term: the power of the largest is the sum", "(assert (= S fx)) (assert (not (<= fx S)))"),
        ("one more term keeps M^p <= sum", "(assert (<= fM S)) (assert (not (<= fN (+ S fx))))"),
    ),
    "upper": (
        ("one term: the sum is the power of the largest", "(assert (= S fx)) (assert (not (<= S (* 1.0 fx))))"),
        (
            "one more term keeps sum <= n M^p",
            "(assert (<= S (* n fM))) (assert (not (<= (+ S fx) (* (+ n 1.0) fN))))",
        ),
    ),
}


@lru_cache(maxsize=2)
def power_sum_bound(side: Literal["lower", "upper"]) -> Verdict:
    """One of the two bounds, for every number of terms n >= 1 and all entries >= 0."""
    solver = Solver()
    obligations = []
    for name, asserts in _STEPS[side]:
        script = f"; {name}\n(set-logic ALL)\n{_DECLARE}\n{asserts}\n(check-sat)\n"
        answer = solver.decide(script)
        outcome: Literal["proved", "failed", "unknown"] = {"unsat": "proved", "sat": "failed"}.get(answer, "unknown")  # type: ignore[assignment]
        obligations.append(Obligation(name, outcome, script))
    proved = all(obligation.outcome == "proved" for obligation in obligations)
    # The hypotheses must be satisfiable, or everything would follow from them.
    sane = solver.decide(f"; hypotheses\n(set-logic ALL)\n{_DECLARE}\n(assert (<= fM S))\n(check-sat)\n") == "sat"
    return Verdict(
        "proved" if proved and sane else "undecided",
        VerdictScope(("n", "p")),
        obligations=tuple(obligations),
        method="induction over the number of terms",
        explanation="For entries >= 0, using only that x^p is nonnegative and increasing there.",
    )
