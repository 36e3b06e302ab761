"""What the derivation of a pooling states is what runs; a step that is not proved refuses its plan."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from symconv.derivations.step import Derivation
from symconv.errors import ArgumentError, NotSupportedError
from symconv.formulas.algebra import Bound, Reduce
from symconv.formulas.index import Index
from symconv.formulas.walks import transform
from symconv.kernels.compile import compile
from symconv.kernels.plans import folds
from symconv.operators.base import Operator
from symconv.operators.pooling import AvgPool, LPPool, MaxPool

POOLINGS = [
    MaxPool((3, 3), 2, 1),
    MaxPool((2, 3), 1, ((1, 0), (0, 2))),
    MaxPool((3, 2, 2), 2, 1),
    MaxPool((3, 3), padding=1, dilation=2, ceil_mode=True),
    LPPool(float("inf"), (3, 2), padding=1),
    LPPool(2, (3, 2)),
    AvgPool((3, 3), padding=1),
]


@pytest.mark.parametrize("plan", ["taps", "separable"])
@pytest.mark.parametrize("op", POOLINGS, ids=repr)
def test_a_pooling_states_the_fold_that_runs(op: Operator, plan: str) -> None:
    (step,) = compile(op).derivation(plan).steps
    assert step.verdict.status == "proved"
    assert step.after.body != op.output().body  # the formula as it stood says nothing of the plan


def test_a_maximum_tap_by_tap_is_one_fold_over_numbered_taps() -> None:
    (step,) = compile(MaxPool((2, 3), 1)).derivation("taps").steps
    assert str(step.after) == "c[p, q] = max(0 ≤ k ≤ 5) a[p+⌊k/3⌋, q+k−3⌊k/3⌋]"


def _slip(body: Any, change: str) -> Any:
    """A formula with the range of one reduction a tap too short or too long, or read one further."""

    def changed(node: Any) -> Any:
        if not isinstance(node, Reduce) or not node.bounds:
            return None
        bound = node.bounds[-1]
        if change == "short":
            other = Bound(bound.name, bound.lower, bound.upper - 1)
        elif change == "late":
            other = Bound(bound.name, bound.lower + 1, bound.upper)
        else:
            other = Bound(bound.name, bound.lower + Index.of(1), bound.upper + Index.of(1))
        return Reduce(node.op, (*node.bounds[:-1], other), node.guards, node.body)

    return transform(body, changed)


@pytest.mark.parametrize("change", ["short", "late", "moved"])
@pytest.mark.parametrize("plan", ["taps", "separable"])
@pytest.mark.parametrize("op", [MaxPool((2, 3), 1), LPPool(float("inf"), (3, 2))], ids=repr)
def test_a_slip_in_a_fold_refuses_the_plan(
    op: Operator, plan: str, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = folds.folds_derivation

    def wrong(given: Operator, name: str) -> Derivation:
        found = right(given, name)
        (stage,) = found.stages
        (step,) = stage.steps
        slipped = replace(step, after=step.after.with_body(_slip(step.after.body, change)))
        return replace(found, stages=(replace(stage, steps=(slipped,)),))

    kernel = compile(op, weight=None)
    monkeypatch.setattr(folds, "folds_derivation", wrong)
    fresh = type(kernel)(_again(kernel))
    with pytest.raises(NotSupportedError, match=rf"^the plan {plan!r} is refused: step 1 of its derivation"):
        fresh.derivation(plan)
    with pytest.raises(ArgumentError, match=r"must be one whose derivation is proved here"):
        fresh.derivation(plan)
    assert fresh.plan != plan
    assert np.asarray(fresh(np.ones((4, 4)))).shape


def _again(kernel: Any) -> Any:
    """What a kernel runs, of its own: kernels of one operator share it."""
    compiled = kernel._compiled
    return type(compiled)(compiled.op, compiled.form, compiled.table, compiled.words, None, compiled.accuracy)
