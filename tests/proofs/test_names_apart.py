"""Two formulas whose letters meet: a size that one side was given by name is not what the other calls so itself."""

from __future__ import annotations

import pytest
from sympy import Symbol

from symconv.operators.convolution import Conv
from symconv.operators.pooling import AvgPool, MaxPool
from symconv.proofs.prove import prove


@pytest.mark.parametrize(("left", "right"), [("O", "K"), ("K", "O"), ("O", "O'"), ("I", "O"), ("O", "I"), ("p", "O")])
def test_windows_of_two_sizes_are_two_layers(left: str, right: str) -> None:
    for pool in (MaxPool, AvgPool):
        verdict = prove(pool((Symbol(left),), stride=1).output(), pool((Symbol(right),), stride=1).output())
        assert verdict.status == "refuted"
        assert verdict.counterexample is not None
        assert verdict.counterexample.sizes[left] != verdict.counterexample.sizes[right]


@pytest.mark.parametrize("name", ["O", "I", "p", "m", "i", "a", "c", "n", "t", "E", "O'", "p'", "s", "k"])
def test_a_layer_is_itself_whatever_its_sizes_are_called(name: str) -> None:
    k = Symbol(name)
    pairs = [
        (Conv((k,), padding=k).output(), Conv((k,), stride=1, padding=k).output()),
        (MaxPool((k,), stride=1).output(), MaxPool((k,), stride=(1,)).output()),
    ]
    for left, right in pairs:
        assert prove(left, right).status == "proved"
    assert prove(Conv((k,)).output(), Conv((k,), padding=1).output()).status == "refuted"


def test_free_indices_make_way_for_sizes_of_the_other_side() -> None:
    left = Conv((3,)).output()  # c[p]
    right = Conv((3,), padding=Symbol("p")).output()  # indexed by another letter
    verdict = prove(left, right)
    assert verdict.status == "refuted"
    assert verdict.counterexample is not None
    assert verdict.counterexample.sizes["p"] == 1  # at 0 the two are the same layer
