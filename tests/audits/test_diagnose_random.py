"""Random layers with random conventions, made by plain loops: the true one is found, and first where data can tell."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest
from audits import loops

import symconv as sc
from symconv.audits.explanation import Explanation

CASES = int(os.environ.get("SYMCONV_DIAGNOSE_CASES", "12"))
TURNS = {
    "none": lambda w: w,
    "flipped": lambda w: w[..., ::-1, ::-1],
    "transposed": lambda w: w.swapaxes(-1, -2),
    "turned": lambda w: np.rot90(w, 1, (-2, -1)),
    "reversed": lambda w: w[..., ::-1],
}


def _geometry(rng: np.random.Generator) -> Any:
    while True:
        size = rng.integers(5, 10, 2)
        kernel = [3, 3] if rng.random() < 0.5 else [int(n) for n in rng.integers(2, 4, 2)]
        stride = [int(rng.integers(1, 4))] * 2
        dilation = [int(rng.integers(1, 3))] * 2
        padding = [tuple(int(n) for n in rng.integers(0, min(3, d * (k - 1) + 1), 2)) for d, k in zip(dilation, kernel)]
        if rng.random() < 0.7:
            padding = [(before, before) for before, _ in padding]
        spans = [d * (k - 1) + 1 for d, k in zip(dilation, kernel)]
        if all((n + sum(p) - e) // s >= 1 for n, p, e, s in zip(size, padding, spans, stride)):
            return size, kernel, stride, dilation, padding


def _reproduced(explanation: Explanation, x: Any, weight: Any) -> Any:
    return eval(explanation.reproduce, {"np": np, "sc": sc, "x": x, "weight": weight})  # a line of our own


@pytest.mark.parametrize("seed", range(CASES))
def test_a_convolution_with_random_conventions_is_found(seed: int) -> None:
    rng = np.random.default_rng(seed)
    size, kernel, stride, dilation, padding = _geometry(rng)
    groups, n = int(rng.integers(1, 3)), int(rng.integers(1, 3))
    inputs, outputs = groups * int(rng.integers(1, 3)), groups * int(rng.integers(1, 3))
    mode = str(rng.choice(["zeros", "zeros", "reflect", "replicate", "circular"]))
    x = rng.integers(-9, 10, (n, inputs, *size))
    turn = str(rng.choice(list(TURNS)))
    turned = rng.integers(-5, 6, (outputs, inputs // groups, *kernel))
    bias = rng.integers(-5, 6, outputs) if rng.random() < 0.4 else None
    if rng.random() < 0.3:
        x, turned = (x * rng.random(x.shape)).astype(np.float32), turned.astype(np.float32) / np.float32(3)
        bias = None if bias is None else bias.astype(np.float32)
    y = loops.convolved(x, turned, stride, padding, dilation, groups, mode, bias)
    # the filter as it is given: what the turn makes into the one that slid
    back = {"turned": lambda w: np.rot90(w, -1, (-2, -1))}.get(turn, TURNS[turn])
    weight = np.ascontiguousarray(back(turned))
    if rng.random() < 0.4:
        x, y, weight = x.transpose(0, 2, 3, 1), y.transpose(0, 2, 3, 1), weight.transpose(2, 3, 1, 0)

    found = sc.diagnose(x, weight, y)

    assert found[0].fits
    assert found[0].exact or x.dtype == np.float32
    for explanation in found:
        np.testing.assert_allclose(_reproduced(explanation, x, weight), y, rtol=1e-3, atol=1e-3)
    first = found[0].operator
    if len([each for each in found if each.probe is not None or each.cost == found[0].cost]) > 1:
        return  # the data do not tell them apart
    assert isinstance(first, sc.Conv)
    options = first.options()
    assert (tuple(options["dilation"]), first.groups, first.flip) == (tuple(dilation), groups, turn == "flipped")
    assert [before for before, _ in options["padding"]] == [before for before, _ in padding] or len(found) > 1
    assert first.bias == (bias is not None and bool(np.any(bias)))


@pytest.mark.parametrize("seed", range(CASES))
def test_a_pooling_with_random_options_is_found(seed: int) -> None:
    rng = np.random.default_rng(1000 + seed)
    kind = ("max", "average", "norm")[seed % 3]
    kernel = [int(n) for n in rng.integers(2, 4, 2)] if rng.random() < 0.3 else [int(rng.integers(2, 4))] * 2
    stride = kernel if rng.random() < 0.5 else [int(rng.integers(1, 3))] * 2
    padding = [int(rng.integers(0, 2))] * 2
    ceiling, counted, p = bool(rng.random() < 0.3), bool(rng.random() < 0.5), float(rng.integers(1, 4))
    x = rng.normal(size=rng.integers(6, 11, 2)).astype(np.float64 if rng.random() < 0.5 else np.float32)
    y = loops.pooled(kind, x, kernel, stride, padding, ceiling, counted, p)

    found = sc.diagnose(x, None, y)

    assert found[0].fits
    for explanation in found:
        np.testing.assert_allclose(_reproduced(explanation, x, None), y, rtol=1e-4, atol=1e-5)
    wanted = {"max": sc.MaxPool, "average": sc.AvgPool, "norm": sc.LPPool}[kind]
    assert [each for each in found if type(each.operator) is wanted and each.operator.kernel_size == tuple(kernel)]
    if found[0].operator.options()["stride"] == tuple(stride) and min(y.shape) > 2:
        assert type(found[0].operator) is wanted
