"""Exercises in the manner of public courses: every number of an answer against plain loops, and PyTorch where it is."""

from __future__ import annotations

import random
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import plain_layers as by_hand
import pytest
from plain_layers import Layer, Plain, Worked

from symconv.problems.answers.desk import Desk
from symconv.problems.answers.update import moved
from symconv.problems.answers.working import values_of, working
from symconv.problems.build import build_document
from symconv.problems.problem import Problem
from symconv.problems.reading import load_problem, read_problem
from symconv.report.render import to_html
from symconv.report.worked import Worked as AtWork

NETWORK = Path(__file__).resolve().parents[2] / "reports" / "network.toml"
QUESTION = '[[questions]]\nid = "1"\ntitle = "Back"\nask = "backward"\n'


def drawn(seed: int, *shape: int, least: int = -3, most: int = 3) -> Any:
    """Small integers in nested lists."""
    rng = random.Random(seed)

    def make(rest: tuple[int, ...]) -> Any:
        return [make(rest[1:]) for _ in range(rest[0])] if rest else rng.randint(least, most)

    return make(shape)


X, W, B, V, D = drawn(1, 2, 7, 7), drawn(2, 3, 2, 3, 3), drawn(3, 3), drawn(4, 2, 12), drawn(5, 2)
STRIDED = f"""
title = "Stride and dilation"
[data]
X = {X}
W = {W}
b = {B}
G = {drawn(6, 3, 3, 3)}
[operators.conv]
kind = "Conv"
input_size = [7, 7]
kernel_size = 3
stride = 2
padding = 1
dilation = 2
in_channels = 2
out_channels = 3
bias = true
{QUESTION}
operator = "conv"
input = "X"
weight = "W"
bias = "b"
upstream = "G"
written_out = {{ A = [[1, 1, 1], [2, 4, 7]] }}
"""
LINE = f"""
title = "One axis, two layers"
[data]
x = {drawn(7, 1, 9)}
w = {drawn(8, 2, 1, 3)}
u = {drawn(9, 1, 2, 2)}
G = {drawn(10, 1, 6)}
[operators.first]
kind = "Conv"
input_size = [9]
kernel_size = [3]
out_channels = 2
names = {{ weight = "w", output = "h" }}
[operators.slope]
kind = "LeakyReLU"
negative_slope = "1/10"
at_zero = "slope"
[operators.second]
kind = "Conv"
kernel_size = [2]
in_channels = 2
names = {{ weight = "u", output = "y" }}
[networks.net]
layers = ["first", "slope", "second"]
input = "x"
weights = {{ first = {{ weight = "w" }}, second = {{ weight = "u" }} }}
{QUESTION}
upstream = "G"
written_out = {{ w = "all", h = [[2, 3]] }}
"""
RESIDUAL = f"""
title = "A residual block"
[data]
X = {drawn(11, 2, 4, 4)}
W = {drawn(12, 2, 2, 3, 3)}
U = {drawn(13, 2, 2, 3, 3)}
[operators.one]
kind = "Conv"
input_size = [4, 4]
kernel_size = [3, 3]
padding = 1
in_channels = 2
out_channels = 2
[operators.relu]
kind = "ReLU"
at_zero = "zero"
[operators.two]
kind = "Conv"
kernel_size = [3, 3]
padding = 1
in_channels = 2
out_channels = 2
[operators.join]
kind = "Add"
[networks.block]
layers = ["one", "relu", "two", "join"]
edges = [["input", "one"], ["one", "relu"], ["relu", "two"], ["two", "join"], ["input", "join"]]
input = "X"
weights = {{ one = {{ weight = "W" }}, two = {{ weight = "U" }} }}
{QUESTION}
upstream = "ones"
written_out = {{ X = [[1, 2, 3]] }}
"""
REGRESSION = f"""
title = "Regression"
index_base = 0
[data]
x = {drawn(14, 6)}
W = {drawn(15, 4, 6)}
b = {drawn(16, 4)}
V = {drawn(17, 2, 4)}
d = {drawn(18, 2)}
y = {drawn(19, 2)}
[operators.hidden]
kind = "Dense"
input_size = [6]
out_features = 4
[operators.relu]
kind = "ReLU"
at_zero = "zero"
[operators.out]
kind = "Dense"
out_features = 2
[operators.loss]
kind = "SquaredError"
target = "y"
[networks.net]
layers = ["hidden", "relu", "out", "loss"]
input = "x"
weights = {{ hidden = {{ weight = "W", bias = "b" }}, out = {{ weight = "V", bias = "d" }} }}
{QUESTION}
[[questions]]
id = "2"
title = "A step"
ask = "update"
rate = "1/100"
"""
NORMS = [
    [[3, 0, 0, 0], [4, 0, 0, 2], [0, 0, 5, 12], [1, 0, 0, 0]],
    [[1, 1, 2, 2], [1, 1, 2, 2], [0, 0, 6, 8], [0, 7, 0, 0]],
]
POOLED = f"""
title = "Average and LP pooling"
[data]
X = {NORMS}
[operators.norm]
kind = "LPPool"
norm_type = 2
input_size = [4, 4]
kernel_size = [2, 2]
[operators.mean]
kind = "AvgPool"
kernel_size = [2, 1]
stride = 1
[networks.net]
layers = ["norm", "mean"]
input = "X"
""" + QUESTION + 'upstream = "ones"\nwritten_out = { X = [[1, 1, 1]] }\n'  # fmt: skip


@cache
def read(text: str) -> Problem:
    return read_problem(text)


def run_of(problem: Problem, position: int = 0) -> AtWork:
    return working(Desk(problem), problem.questions[position], backward=True)


def agree(run: AtWork, worked: Worked, *, about: float = 0) -> None:
    """All values and gradients are those of the loops: exactly, or to a relative distance."""

    def same(array: Any, due: Plain) -> None:
        assert array.size == len(due.entries)
        array = array.reshape(due.shape)
        for place, value in due.entries.items():
            found = array[place]
            if about:
                assert float(found) == pytest.approx(float(value), rel=about, abs=about)
            else:
                assert (found, place) == (value, place)

    for layer, due in worked.values.items():
        same(values_of(run, layer), due)
    for layer, due in worked.flows.items():
        same(values_of(run, layer, gradient=True), due)
    for layer, own in worked.parameters.items():
        for role, due in own.items():
            same(values_of(run, layer, role, gradient=True), due)


CASES: dict[str, tuple[str, Any, dict[str, Layer | None], Any, Any]] = {
    "stride and dilation": (
        STRIDED,
        X,
        {"conv": by_hand.conv(W, B, stride=2, padding=1, dilation=2)},
        None,
        drawn(6, 3, 3, 3),
    ),
    "one axis": (
        LINE,
        drawn(7, 1, 9),
        {
            "first": by_hand.conv(drawn(8, 2, 1, 3)),
            "slope": by_hand.pointwise(
                lambda v: v if v > 0 else v / 10, lambda v: Fraction(1) if v > 0 else Fraction(1, 10)
            ),
            "second": by_hand.conv(drawn(9, 1, 2, 2)),
        },
        None,
        drawn(10, 1, 6),
    ),
    "residual": (
        RESIDUAL,
        drawn(11, 2, 4, 4),
        {
            "one": by_hand.conv(drawn(12, 2, 2, 3, 3), padding=1),
            "relu": by_hand.relu(),
            "two": by_hand.conv(drawn(13, 2, 2, 3, 3), padding=1),
            "join": None,
        },
        {"one": ("input",), "relu": ("one",), "two": ("relu",), "join": ("two", "input")},
        None,
    ),
    "regression": (
        REGRESSION,
        drawn(14, 6),
        {
            "hidden": by_hand.dense(drawn(15, 4, 6), drawn(16, 4)),
            "relu": by_hand.relu(),
            "out": by_hand.dense(drawn(17, 2, 4), drawn(18, 2)),
            "loss": by_hand.squared_error(drawn(19, 2)),
        },
        None,
        None,
    ),
    "average and LP": (
        POOLED,
        [
            [[3, 0, 0, 0], [4, 0, 0, 2], [0, 0, 5, 12], [1, 0, 0, 0]],
            [[1, 1, 2, 2], [1, 1, 2, 2], [0, 0, 6, 8], [0, 7, 0, 0]],
        ],
        {"norm": by_hand.pool((2, 2), 2, "norm"), "mean": by_hand.pool((2, 1), 1, "average")},
        None,
        None,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_an_exercise_against_plain_loops(name: str) -> None:
    text, x, layers, reads, upstream = CASES[name]
    agree(run_of(read(text)), by_hand.work(by_hand.plain(x), layers, reads, upstream))
    to_html(build_document(read(text)))  # every sum that is written out is compared with the network on the way


# ---------------------------------------------------------------------- the packaged network

THIRD = Fraction(1, 3)
AFTER = {  # of the packaged network, worked out elsewhere
    "conv": {"weight": [["-0.998", "1.002", "-0.992"], ["-1.003", "-0.004", "0.999"], ["-0.003", "-0.998", "-0.001"]]},
    "scores": ["50951/25000", "31037/6250", "48701/25000"],
    "loss": 0.09750336087200662,
}


@cache
def packaged() -> Problem:
    return load_problem(NETWORK)


def loops_of_the_packaged() -> Worked:
    data = packaged().data
    layers: dict[str, Layer | None] = {
        "conv": by_hand.conv(data["W"], data["b"], padding=1),
        "relu": by_hand.relu(),
        "pool": by_hand.pool((2, 2), 2, "max"),
        "flatten": by_hand.flatten(),
        "dense": by_hand.dense(data["V"], data["d"]),
        "softmax": by_hand.softmax(),
    }
    return by_hand.work(by_hand.plain(data["X"]), layers, upstream=[0, -3, 0])


def test_the_packaged_network_against_plain_loops() -> None:
    run, worked = run_of(packaged(), 3), loops_of_the_packaged()
    agree(run, worked)
    assert str(values_of(run, "loss")[()]) == "log(3)"
    assert [values_of(run, "dense", gradient=True)[i] for i in range(3)] == [THIRD, -2 * THIRD, THIRD]
    assert values_of(run, "conv", "weight", gradient=True)[0, 1].tolist() == [
        [2 * THIRD, -8 * THIRD, -5 * THIRD],
        [5, 7 * THIRD, 1],
        [-1, 13 * THIRD, 8 * THIRD],
    ]


def test_the_packaged_network_after_a_step() -> None:
    run = run_of(packaged(), 3)
    weights = moved(run, Fraction(3, 1000))
    again = run.network.values(run.inputs, weights)
    assert weights["conv"]["weight"][0, 0].tolist() == [[Fraction(v) for v in row] for row in AFTER["conv"]["weight"]]  # type: ignore[index]
    assert [Fraction(v) for v in AFTER["scores"]] == again["dense"].tolist()
    assert float(again["loss"][()]) == pytest.approx(AFTER["loss"], rel=1e-12)


def test_the_packaged_network_in_pytorch() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    data = {name: torch.tensor(_floats(array), dtype=torch.float64) for name, array in packaged().data.items()}
    x = data["X"].requires_grad_()
    parameters = [data[name].requires_grad_() for name in "WbVd"]
    z = torch.nn.functional.conv2d(x[None], parameters[0], parameters[1], padding=1)
    h = torch.nn.functional.max_pool2d(torch.relu(z), 2)
    s = h.flatten() @ parameters[2].T + parameters[3]
    loss = torch.nn.functional.cross_entropy(s[None], torch.tensor([1]))
    loss.backward()
    run = run_of(packaged(), 3)
    for found, due in (
        (values_of(run, "input", "output", gradient=True), x.grad),
        (values_of(run, "conv", "weight", gradient=True), parameters[0].grad),
        (values_of(run, "conv", "bias", gradient=True), parameters[1].grad),
        (values_of(run, "dense", "weight", gradient=True), parameters[2].grad),
        (values_of(run, "dense", "bias", gradient=True), parameters[3].grad),
    ):
        assert found.astype(float) == pytest.approx(due.numpy(), abs=1e-12)


def _floats(array: Any) -> Any:
    return [_floats(part) for part in array] if isinstance(array, list) else float(array)
