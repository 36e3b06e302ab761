"""What checks a step must not be talked into: with a meaning of the layer that is false by one, it is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from symconv.derivations.derive import derive
from symconv.derivations.step import Derivation
from symconv.formulas.index import Index
from symconv.operators.adaptive import AdaptiveAvgPool, AdaptivePooling


def held(derivation: Derivation, rule: str) -> bool:
    """Whether every step of a rule holds; there must be one."""
    found = [step.verdict.holds for step in derivation.steps if step.rule == rule]
    assert found, rule
    return all(found)


Span = tuple[Index, Index]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda low, high: (low - 1, high),
        lambda low, high: (low, high + 1),
        lambda low, high: (low + 1, high),
        lambda low, high: (low, high - 1),
    ],
    ids=["begins early", "ends late", "begins late", "ends early"],
)
@pytest.mark.parametrize("outputs", [(3,), (2, 2)], ids=str)
def test_windows_of_adaptive_poolings_that_are_off_by_one(
    monkeypatch: pytest.MonkeyPatch, wrong: Callable[[Index, Index], Span], outputs: tuple[int, ...]
) -> None:
    span = AdaptivePooling.span
    monkeypatch.setattr(AdaptivePooling, "span", lambda self, *asked: wrong(*span(self, *asked)))
    op = AdaptiveAvgPool(outputs)
    assert not held(derive(op, "output"), "overlap")
    assert not held(derive(op, "output"), "count")
    assert not held(derive(op, "gradient"), "exchange")
