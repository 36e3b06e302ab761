"""The derivatives of losses: of cross-entropy by the scores it is the prediction minus the target.

That holds for targets that sum to 1: what is proved is that the two sides differ by a multiple of the sum minus 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from symconv.derivations import rules
from symconv.derivations.frame import Frame, extents, size_text
from symconv.derivations.step import Definition, Phrase, Stage, Step, maths
from symconv.formulas.algebra import (
    Access,
    Applied,
    Bracket,
    Constant,
    Label,
    Named,
    Node,
    Power,
    Reduce,
    add,
    const,
    equal,
    product,
    summation,
)
from symconv.formulas.formula import Formula
from symconv.formulas.functions import EXP, LN
from symconv.formulas.index import Index
from symconv.formulas.printing import context_of
from symconv.formulas.walks import walk
from symconv.operators.cross_entropy import CrossEntropy
from symconv.operators.losses import Loss
from symconv.proofs.prove import prove
from symconv.proofs.verdict import Verdict

__all__ = ["SUMS_TO_ONE", "is_of_scores", "loss_stage", "prediction_definition", "prediction_steps"]

SUMS_TO_ONE = "the target sums to 1"
MINUS = const(-1)


def is_of_scores(op: object) -> bool:
    """Whether a loss takes the softmax of scores, so that there is a prediction."""
    return isinstance(op, CrossEntropy) and op.from_logits


def prediction_definition(frame: Frame, id: str) -> Definition:
    """The prediction: the softmax of the scores."""
    (axis,) = frame.letters.axes("input", 1)
    own, context = _prediction(frame, Index.of(axis)), context_of(frame.output)
    tensor = frame.tensor("input")
    return Definition(
        id,
        (maths(lambda s: s.written(own.label)),),
        (maths(lambda s: f"{s.node(own, context)} = {s.node(own.value, context)}"),),
        "prediction",
        (size_text(extents(tensor), context),),
    )


def prediction_steps(frame: Frame, closed: Step, definition: str, factor: Node | None = None) -> Iterator[Step]:
    """The derivative of a cross-entropy with the prediction in it; with the factor of a gradient before it."""
    wrt = closed.after.quantity.wrt
    assert wrt is not None
    at = Index.of(wrt[1][0])
    prediction, target = _prediction(frame, at), _target(frame, at)
    given = frame.op.target is not None  # type: ignore[attr-defined]
    total = const(1) if given else _sum_of_targets(frame)
    before = () if factor is None else (factor,)
    first = closed.after.with_body(product(*before, add(product(prediction, total), product(MINUS, target))))
    words: Phrase = (f"the prediction ({definition}) in it.",)
    step = Step(
        frame.number(), closed.after, first, "recognise", "Recognise", words, uses=(definition, closed.id),
        opens=factor is not None,
    )  # fmt: skip
    yield step
    if given:
        return
    last = first.with_body(product(*before, add(prediction, product(MINUS, target))))
    rest = product(*before, prediction, add(total, MINUS))
    yield Step(
        frame.number(),
        first,
        last,
        "sum_of_targets",
        "Sum to 1.",
        ("For a target that sums to 1, the prediction minus the target.",),
        needs=(SUMS_TO_ONE,),
        uses=(step.id,),
        check=lambda: _differ_by(first, last, rest),
    )


def _differ_by(before: Formula, after: Formula, rest: Node) -> Verdict:
    """Whether one formula is another plus what is 0 under the hypothesis; no certificate has this hypothesis."""
    return replace(prove(before, after.with_body(add(after.body, rest))), record=None)


def loss_stage(frame: Frame, touched: Step, definition: str) -> Stage | None:
    """The gradient by one entry in closed form; None where it is in closed form already."""
    of, where = frame.variable_entry, frame.array(frame.wrt)
    if is_of_scores(frame.op):
        upstream = Access(frame.letters.upstream, ())
        steps = tuple(prediction_steps(frame, touched, definition, upstream))
    else:
        closed = rules.factor_out(rules.closed_form(touched.after))
        if closed.body == touched.after.body:
            return None
        words: Phrase = ("the factors of all terms out.",)
        steps = (
            Step(
                frame.number(), touched.after, closed, "factor_out", "Take", words, uses=(touched.id,), opens=True
            ),
        )  # fmt: skip
    return Stage(("The closed form",), ("for every ", of, " of ", where), steps)


# ---------------------------------------------------------------------- the prediction and the target


def _powers(frame: Frame) -> Reduce:
    """The sum of the powers of e of all scores."""
    logarithms = (n.arg for n in walk(frame.output.body) if isinstance(n, Applied) and n.function is LN)
    found = next(logarithms)
    assert isinstance(found, Reduce)
    return found


def _prediction(frame: Frame, at: Index) -> Named:
    power = Applied(EXP, Access(frame.letters.input, (at,)))
    pi = Label(r"\pi", "π") if "pi" not in frame.used else Label(r"\hat{y}", "ŷ")
    return Named(pi, (at,), product(power, Power(_powers(frame), MINUS)))


def _target(frame: Frame, at: Index) -> Node:
    """The target at a place: an entry, or numbers at their places."""
    op = frame.op
    assert isinstance(op, Loss)
    if op.target is None:
        return Access(frame.letters.target, (at,))
    numbers = ((place[0] + frame.base, value) for place, value in op.known_entries())
    return add(*(product(Constant(value), Bracket((equal(at, place),))) for place, value in numbers))


def _sum_of_targets(frame: Frame) -> Node:
    (bound,) = _powers(frame).bounds
    return summation(Access(frame.letters.target, (Index.of(bound.name),)), bound)
