"""A layer that refuses ties has no derivative at one: what is proved of it is proved of the other points alone.

Off ties the one largest entry takes the whole gradient, by whatever rule; at a tie the rules "first" and "split" do not
agree.
"""

from __future__ import annotations

from typing import Any, Literal

import pytest

import symconv as sc

ONE = ("no window has two largest entries",)


def pooled(ties: str, what: str = "gradient", *, generic: bool = False) -> Any:
    layer: Any = sc.MaxPool((2,), ties=ties)
    return getattr(layer.generic() if generic else layer, what)("input")


@pytest.mark.parametrize("what", ["gradient", "derivative"])
@pytest.mark.parametrize("generic", [False, True])
@pytest.mark.parametrize(("left", "right"), [("error", "error"), ("error", "first"), ("first", "error")])
def test_off_ties_it_is_the_gradient_of_the_first_winner(left: str, right: str, what: str, generic: bool) -> None:
    verdict = sc.prove(pooled(left, what, generic=generic), pooled(right, what, generic=generic))
    assert (verdict.status, verdict.conditions) == ("proved", ONE), str(verdict)


def test_a_tie_where_it_says_nothing_refutes_nothing() -> None:
    rules: tuple[Literal["first", "split"], ...] = ("first", "split")
    assert sc.prove(*(pooled(ties) for ties in rules)).status == "refuted"  # at a tie, and nowhere else
    for pair in (("error", "split"), ("split", "error")):
        assert sc.prove(*(pooled(ties) for ties in pair)).status != "refuted"
    average = sc.AvgPool((2,)).gradient("input")
    verdict = sc.prove(pooled("error"), average)
    assert verdict.status == "refuted"
    assert verdict.counterexample is not None
    entries = [value for _, value in sorted(verdict.counterexample.tensors["a"].items())]
    assert entries == [1]  # beside a 0: no tie


def test_outputs_and_rules_of_their_own_need_nothing() -> None:
    assert sc.prove(sc.MaxPool((2,)).output(), sc.MaxPool((2,), ties="error").output()).conditions == ()
    for ties in ("first", "split"):
        assert sc.prove(pooled(ties), pooled(ties)).conditions == ()
    one, other = sc.MaxPool((1,), ties="error"), sc.MaxPool((1,), ties="split")
    assert sc.prove(one.gradient("input"), other.gradient("input")).conditions == ()
    adaptive = sc.AdaptiveMaxPool((2,), ties="error").gradient("input")
    assert sc.prove(adaptive, adaptive).conditions == ONE
