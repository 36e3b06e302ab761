"""A padding mode is one index map: a toy one is told once, and every door, formula and kernel knows it."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner

import symconv as sc
from symconv.cli.application import commands
from symconv.errors import ArgumentError
from symconv.formulas.index import maximum, minimum
from symconv.operators.convolution import PADDING_MODES
from symconv.problems.reading import read_problem

PROBLEM = """
title = "T"
[operators.conv]
kind = "Conv"
input_size = [4]
kernel_size = [3]
padding = 2
padding_mode = "symmetric"
[[questions]]
id = "1"
title = "Size"
ask = "size"
operator = "conv"
"""


@pytest.fixture(autouse=True)
def symmetric(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mirror behind the last entry: -1 reads 0, -2 reads 1; n reads n - 1."""
    monkeypatch.setitem(
        PADDING_MODES, "symmetric", lambda x, n: minimum(maximum(x, -1 - x), 2 * n - 1 - maximum(x, -1 - x))
    )


def test_a_padding_mode_is_one_line() -> None:
    op = sc.Conv((3,), padding=2, padding_mode="symmetric")
    x, w = np.array([5.0, 2, 3, 7]), np.array([1.0, 10, 100])
    assert read_problem(PROBLEM).operators["conv"].op == op
    read = [[1, 0, 0], [0, 0, 1], [0, 1, 2], [1, 2, 3], [2, 3, 3], [3, 3, 2]]
    y = [sum(w[m] * x[i] for m, i in enumerate(row)) for row in read]
    assert [op.output().at(p, input_size=(4,)).subs(_values(op, x, w)) for p in range(6)] == y
    assert sc.compile(op)(x, w).tolist() == y
    g = np.array([1.0, 2, 3, 4, 5, 6])
    by_input = np.zeros(4)
    for p, row in enumerate(read):
        for m, i in enumerate(row):
            by_input[i] += g[p] * w[m]
    assert sc.compile(op).vjp(g, x, w).input.tolist() == by_input.tolist()
    done = CliRunner().invoke(commands, ["derive", "conv", "--help"])
    assert "|symmetric]" in "".join(done.output.split())


def _values(op: sc.Conv, x: object, w: object) -> dict[object, object]:
    import sympy

    arrays = {"a": x, "b": w}
    found = {e for p in range(6) for e in op.output().at(p, input_size=(4,)).atoms(sympy.Indexed)}
    return {e: arrays[str(e.base)][int(e.indices[0])] for e in found}  # type: ignore[index]


def test_another_word_is_refused_with_the_new_one_named() -> None:
    with pytest.raises(ArgumentError, match="'circular', 'symmetric', got 'symetric'; did you mean 'symmetric'"):
        sc.Conv(3, padding_mode="symetric")
