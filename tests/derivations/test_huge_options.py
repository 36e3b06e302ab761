"""What a derivation costs does not grow with the numbers in its layer: counted in steps, not timed."""

from __future__ import annotations

import pytest

import symconv as sc
from symconv.formulas.effort import STEPS, Effort
from symconv.operators.base import Operator

HUGE = 999_999_999
SMALL = STEPS // 20


@pytest.mark.parametrize(
    ("layer", "most"),
    [
        (sc.Conv((HUGE,)), SMALL),
        (sc.Conv((HUGE, 3, 7)), SMALL),
        (sc.Conv((3,), HUGE), SMALL),
        (sc.Conv((3,), padding=HUGE), SMALL),
        (sc.Conv((3,), dilation=HUGE), SMALL),
        (sc.ConvTranspose((HUGE,)), SMALL),
        (sc.AvgPool((HUGE,)), SMALL),
        (sc.MaxPool((HUGE,)), SMALL),
        (sc.LPPool(3, (HUGE,)), SMALL),
        (sc.LPPool(HUGE, (3,)), STEPS),
        (sc.MaxPool((7, 7)), STEPS),
        (sc.MaxPool((99, 99)), STEPS),
        (sc.LPPool(3, (100,)), STEPS),
    ],
)
@pytest.mark.parametrize("what", ["output", "derivative", "gradient"])
def test_a_derivation_with_huge_options_takes_few_steps(
    layer: Operator, most: int, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wholes: list[Effort] = []
    begin = Effort.__init__

    def counted(self: Effort, steps: int = STEPS, whole: Effort | None = None) -> None:
        begin(self, steps, whole)
        if whole is None:
            wholes.append(self)

    monkeypatch.setattr(Effort, "__init__", counted)
    derivation = sc.derive(layer, what)
    assert {step.verdict.status for step in derivation.steps} == {"proved"}
    assert sum(effort.limit - effort.left for effort in wholes) <= most
    assert len(derivation.text()) + len(derivation.latex()) < 30_000  # nothing is written out tap by tap
