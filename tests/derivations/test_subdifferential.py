"""Maxima with the tie rule "set": the set is printed, and it is the set of subgradients."""

from __future__ import annotations

import re
from itertools import product
from typing import Any

import pytest

from symconv.derivations import rules
from symconv.derivations.derive import derive
from symconv.derivations.step import plain
from symconv.errors import NotSupportedError
from symconv.operators.adaptive import AdaptiveMaxPool
from symconv.operators.pooling import MaxPool
from symconv.report.mathml import to_mathml

POOLS = [
    MaxPool((2,), 1, ties="set"),
    MaxPool((2, 2), ties="set"),
    MaxPool((3,), 2, 1, ties="set"),
    MaxPool((2, 2), padding=((1, 0), (0, 1)), ceil_mode=True, ties="set"),
    MaxPool((2, 2), ties="set").generic(),
    AdaptiveMaxPool((3,), "set"),
    AdaptiveMaxPool((1, 1), "set"),
]


@pytest.mark.parametrize("op", POOLS, ids=repr)
def test_every_line_is_proved_and_prints(op: Any) -> None:
    for what, count in (("derivative", 2), ("gradient", 3)):
        derivation = derive(op, what)  # type: ignore[arg-type]
        assert len(derivation.steps) == count
        known = {definition.id for definition in derivation.definitions}
        for step in derivation.steps:
            assert step.verdict.status == "proved", str(step.verdict)
            assert step.rule in rules.RULES
            assert to_mathml(step.latex()).startswith("<math")
            assert known >= set(step.uses)
            known.add(step.id)
        for definition in derivation.definitions:
            assert plain(definition.entry).strip()
            for part in (*definition.object, *definition.entry):
                assert isinstance(part, str) or to_mathml(part.latex).startswith("<math")
        assert derivation.text()


def test_the_set_is_a_convex_hull_and_its_shares() -> None:
    hull, shares, error = derive(MaxPool((2,), 1, ties="set"), "gradient").steps
    assert hull.statement == "∂c[p] = conv{e[p+m−1] : m ∈ W[p], a[p+m−1] = c[p]}"
    assert shares.statement == (
        "∂c[p] = {∑(m ∈ W[p]) λ[m]·e[p+m−1] : λ[m] ≥ 0, ∑(m ∈ W[p]) λ[m] = 1, λ[m] = 0 where a[p+m−1] < c[p]}"
    )
    assert error.statement == "∂E ⊇ {∑(p = 1 … O) g[p]·x[p] : x[p] ∈ ∂c[p]}"
    assert hull.latex() == (
        r"\partial c_{p} = \operatorname{conv} \left\{\, e_{p+m-1} : m \in W_{p},\; a_{p+m-1} = c_{p} \,\right\}"
    )
    padded = derive(MaxPool((3,), 2, 1, ties="set"), "derivative")
    assert plain(padded.definitions[1].entry) == "W[p] = {m : 1 ≤ m ≤ 3, 4 ≤ 2p + m ≤ I + 3}"


def test_the_output_does_not_depend_on_the_tie_rule() -> None:
    for op in POOLS:
        options = {**op.options(), "ties": "first"}
        assert derive(op, "output").latex() == derive(type(op)(**options), "output").latex()


def test_letters_make_way() -> None:
    names = {"input": "x", "output": "y", "upstream": "e", "input_index": "k"}
    text = derive(MaxPool((2,), ties="set"), "gradient", names=names).text()
    found = re.search(r"∂y\[p\] = conv\{(\w)\[2p\+m−2\] : m ∈ W\[p\], x\[2p\+m−2\] = y\[p\]\}", text)
    assert found is not None
    assert found[1] not in "xyekmp"
    assert "e[p] = ∂E/∂y[p]" in text


def test_formulas_refuse_and_say_where_the_set_is() -> None:
    for op in POOLS:
        for formula in (op.derivative, op.gradient):
            with pytest.raises(NotSupportedError, match=r"symconv\.derive, which prints the set$"):
                formula()


TAPS = 3
GRID = [k / 2 for k in range(-2, 5)]


@pytest.mark.parametrize("x", [(0, 0, 0), (1, 0, 1), (0, 1, 0), (2, 2, 1)])
def test_shares_are_subgradients_exactly_under_the_three_conditions(x: tuple[int, ...]) -> None:
    """What the lines say, by brute force: the inequality at all y of a grid, against the conditions on the shares."""
    top = max(x)
    others = list(product(range(-3, 5), repeat=TAPS))
    for shares in product(GRID, repeat=TAPS):
        holds = all(max(y) >= top + sum(w * (b - a) for w, a, b in zip(shares, x, y, strict=True)) for y in others)
        belongs = (
            min(shares) >= 0 and sum(shares) == 1 and all(w == 0 for w, a in zip(shares, x, strict=True) if a < top)
        )
        assert holds == belongs, shares


@pytest.mark.parametrize("ties", ["first", "split"])
def test_both_tie_rules_pick_from_the_set(ties: Any) -> None:
    derivative = MaxPool((2,), 1, ties=ties).derivative()
    for a in product((0, 1), repeat=3):
        rows = derivative.values({"a": list(a)}, (3,))
        for p in range(2):
            shares = [rows.get((p, p + m), 0) for m in range(2)]
            window = a[p : p + 2]
            assert sum(shares) == 1
            assert min(shares) >= 0
            assert all(w == 0 for w, value in zip(shares, window, strict=True) if value < max(window))
