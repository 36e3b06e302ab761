"""What only a page names has letters of its own: unit arrays, chosen subgradients, sets of taps, shares."""

from __future__ import annotations

import re

import pytest
from sympy import Symbol

from symconv.derivations.derive import derive
from symconv.derivations.step import plain
from symconv.operators.letters import Letters
from symconv.operators.pooling import MaxPool

SIZES = [(2,), (Symbol("W"),), (Symbol("e"),), (Symbol("x"),), (Symbol("U"),), (Symbol("λ"),), (Symbol("lambda"),)]
LETTERS: list[dict[str, str]] = [
    {}, {"input": "e"}, {"output": "x"}, {"input": "w"}, {"output": "w"}, {"upstream": "w"}, {"upstream": "e"},
    {"input": "e", "output": "x"}, {"input": "w", "output": "u"}, {"input": "lambda"},
    {"upstream": "mu", "input": "lambda"},
]  # fmt: skip


CASES = [
    (names, kernel)
    for names in LETTERS
    for kernel in SIZES
    if {str(size).replace("λ", "lambda").lower() for size in kernel}.isdisjoint(
        map(str.lower, names.values())  # else it is refused
    )
]


@pytest.mark.parametrize(("names", "kernel"), CASES, ids=str)
def test_letters_that_sets_of_subgradients_are_written_with(names: dict[str, str], kernel: tuple[object, ...]) -> None:
    op = MaxPool(kernel, 1, ties="set")
    derivation = derive(op, "gradient", names=names)
    by_id = {definition.id: plain(definition.object) for definition in derivation.definitions}
    window, unit = by_id["D3"].partition("[")[0], by_id["D4"].partition("[")[0]
    sums, shares = derivation.steps[2].statement, derivation.steps[1].statement
    (chosen,) = set(re.findall(r"(\w)\[\w\] ∈ ∂", sums))
    (share,) = set(re.findall(r"(\w)\[\w\] ≥ 0", shares))
    made = {window, unit, chosen, share}
    assert len(made) == 4
    letters = Letters.of(names)
    used = letters.printed(1) | {str(size) for size in kernel}
    greek = {"lambda": "λ", "mu": "μ"}
    assert made.isdisjoint(used | {greek.get(name, name) for name in {*names.values(), *map(str, kernel)}})
    assert window.isupper()
    assert unit.islower()
    assert chosen.islower()
    if not names and kernel == (2,):
        assert (window, unit, share) == ("W", "e", "λ")
    assert rf"\{ {'λ': 'lambda', 'μ': 'mu', 'ν': 'nu'}[share] }_" in derivation.steps[1].latex()
    for step in derivation.steps[:2]:  # the same letters in every line
        assert f"∈ {window}[" in step.statement
        assert f"{unit}[" in step.statement


@pytest.mark.parametrize("name", ["omega", "Omega", "lambda"])
def test_shares_are_no_letter_of_the_question(name: str) -> None:
    sign = {"omega": "ω", "lambda": "λ"}[name.lower()]
    expected = "λ" if sign == "ω" else "ω"
    for derivation in (
        derive(MaxPool((2,)), "gradient", names={"input": name}),
        derive(MaxPool((Symbol(name),), 1), "gradient"),
    ):
        (own,) = (plain(d.object) for d in derivation.definitions if d.name == "first of ties")
        assert own == expected
        assert f"{expected}[" in derivation.steps[-1].statement
        assert sign not in own
    named = derive(MaxPool((Symbol(sign),), 1), "gradient").definitions
    assert [plain(d.object) for d in named if d.name == "first of ties"] == [expected]
    both = derive(MaxPool((Symbol("lambda"),), 1), "gradient", names={"input": "omega"})
    assert [plain(d.object) for d in both.definitions if d.name == "first of ties"] == ["σ"]
    assert r"\sigma_" in both.latex()
