"""What is read off array programs has the values of the layer, array by array, at one size and in exact numbers."""

from __future__ import annotations

from itertools import product
from random import Random
from typing import Any

import pytest
from kernels.test_fold_derivations import CONVOLUTIONS, POOLINGS

from symconv.formulas.formula import Formula
from symconv.kernels.plans.chained import chain_derivation
from symconv.operators.base import Operator
from symconv.operators.convolution import Conv
from symconv.operators.pooling import AvgPool, LPPool, MaxPool

MORE = [
    MaxPool((4, 9), (1, 2), ((0, 1), (3, 4)), (2, 1)),
    MaxPool((1, 6, 1), 1),
    LPPool(2, (1, 3), (1, 2), ((0, 0), (1, 0))),
    LPPool(3, (2, 5), 1, 1),
    LPPool(1, (17,), 1),
    LPPool(2, (3, 7), 1),
    AvgPool((6, 2), (1, 3), ((2, 3), (0, 1)), count_include_pad=False),
    AvgPool((5, 5), 1, 2, ceil_mode=True),
]
MORE_CONVOLUTIONS = [
    Conv((18,), 2, ((3, 1),), flip=True, bias=True),
    Conv((3, 6), (2, 1), 1, (1, 2), in_channels=2, out_channels=4, groups=2, bias=True),
    Conv((2, 9), 1, ((0, 2), (1, 0)), padding_mode="reflect", in_channels=1, out_channels=2),
    Conv((3, 3), in_channels=2, out_channels=1, bias=True, padding_mode="circular", padding=2),
    Conv((1,)),
    Conv((1, 1), in_channels=2, out_channels=3, bias=True),
]
STATED = [(op, plan) for op in (*POOLINGS, *MORE) for plan in ("taps", "separable")]
STATED += [(op, "taps") for op in (*CONVOLUTIONS, *MORE_CONVOLUTIONS)]


def arrays(formula: Formula, env: dict[str, int], random: Random) -> dict[str, Any]:
    """Small whole numbers of both signs for every tensor."""

    def filled(shape: list[int]) -> Any:
        if not shape:
            return random.randint(-9, 9)
        return [filled(shape[1:]) for _ in range(shape[0])]

    return {t.name: filled([int((high - low + 1).evaluate(env)) for low, high in t.box]) for t in formula.tensors}


def smallest(op: Operator) -> tuple[int, ...]:
    """A size at which a window fits on every axis and another beside it."""
    windows: Any = op.windows
    return tuple(int(w.dilation) * (int(w.kernel) - 1) + int(w.stride) + 1 for w in windows)


@pytest.mark.parametrize(("op", "plan"), STATED, ids=repr)
def test_what_is_stated_has_the_values_of_the_layer(op: Operator, plan: str) -> None:
    random = Random(repr(op))
    *made, last = chain_derivation(op, plan).steps
    size = smallest(op)
    output = op.output()
    given = arrays(output, output.environment(size, {}), random)
    assert last.after.values(given, size) == output.values(given, size)
    for step in made:
        sizes = {f"N_{axis}": 2 for axis in range(1, len(size) + 1)}
        source = arrays(step.before, step.before.environment(None, sizes), random)
        for entries in (source, {name: _absolute(entry) for name, entry in source.items()}):
            whole = step.before.values(entries, None, **sizes)
            assert whole == step.after.values(entries, None, **sizes)
            assert set(whole) == set(product(range(2), repeat=len(size)))


def _absolute(entry: Any) -> Any:
    return [_absolute(part) for part in entry] if isinstance(entry, list) else abs(entry)
