"""Softmax with cross-entropy: the derivative by a score is the prediction minus the target, which sums to 1."""

from __future__ import annotations

from dataclasses import replace

from symconv.derivations.theorems.building import V, at, every, let_of, setting
from symconv.derivations.theorems.equations import ByMultiples
from symconv.derivations.theorems.proposition import Partial, Proposition, same
from symconv.derivations.theorems.theorem import Check, Theorem
from symconv.formulas.algebra import ONE, Bound, Node, add, const, product, summation
from symconv.formulas.formula import Formula
from symconv.formulas.substitution import substitute
from symconv.operators.cross_entropy import CrossEntropy
from symconv.operators.softmax import Softmax

__all__ = ["THEOREMS"]

SCORES = Bound("i", V(0), V("I") - 1)
PREDICTION = Softmax().output(names={"output": "z"})
LOSS = CrossEntropy(from_logits=True).output()
TARGETS: Node = summation(at("y", "j"), replace(SCORES, name="j"))


def _predicted() -> Node:
    """The prediction at a place: the softmax of the scores."""
    (place,) = PREDICTION.indices
    return substitute(PREDICTION.body, {place: SCORES.name})


def _prediction_minus_target(sum_of_targets: Node | None = ONE, right: Node | None = None) -> Proposition:
    """The derivative of the loss by a score."""
    frame = setting(LOSS)
    difference = add(_predicted(), product(const(-1), at("y", "i"))) if right is None else right
    return replace(
        frame,
        given=(*frame.given, *([] if sum_of_targets is None else [same(TARGETS, sum_of_targets)])),
        lets=(let_of(LOSS),),
        clauses=(every([SCORES], same(Partial(at("c"), at("a", "i")), difference)),),
    )


def _of_softmax(loss: Formula = LOSS) -> Proposition:
    """The loss of the scores is that of the probabilities that softmax makes of them."""
    other = CrossEntropy().output(names={"input": "z", "output": "l"})
    frame = setting(loss, PREDICTION, other, defined=["z"])
    return replace(
        frame, lets=tuple(map(let_of, (loss, PREDICTION, other))), clauses=(every([], same(at("c"), at("l"))),)
    )


SUMMED, PLAIN = ByMultiples((_predicted(),)), ByMultiples(())
TIMES_SUM = add(product(_predicted(), TARGETS), product(const(-1), at("y", "i")))
REVERSED = add(at("y", "i"), product(const(-1), _predicted()))

THEOREMS = (
    Theorem(
        "softmax-cross-entropy",
        "The derivative of a cross-entropy by a score is the prediction minus the target, which sums to 1",
        "Bridle, Probabilistic interpretation of feedforward classification network outputs (1990)",
        (
            Check("of the scores", _prediction_minus_target(), proof=SUMMED),
            Check("of the scores, for any target", _prediction_minus_target(None, TIMES_SUM), proof=PLAIN),
            Check("of the softmax of the scores", _of_softmax(), proof=PLAIN),
        ),
        (
            Check("any target", _prediction_minus_target(None), proof=PLAIN),
            Check("a target that sums to 2", _prediction_minus_target(const(2)), proof=SUMMED),
            Check("the target minus the prediction", _prediction_minus_target(right=REVERSED), proof=SUMMED),
        ),
    ),
)
