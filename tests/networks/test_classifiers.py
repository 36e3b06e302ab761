"""Networks that end in a loss: a worked exercise in exact numbers, targets, stability, and a training run."""

from __future__ import annotations

import functools
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy

import symconv as sc
from symconv.errors import ArgumentError, GeometryError

# Two channels of 6x6, a convolution, a rectifier, maxima, three scores: the scores tie, two windows are dead.
X = [
    [[1,0,0,0,1,1],[3,1,1,2,0,2],[2,2,0,1,1,1],[0,3,2,0,1,0],[0,0,1,0,2,1],[3,1,1,0,1,0]],
    [[0,2,0,0,1,1],[1,3,0,1,1,0],[1,0,2,1,2,2],[1,1,0,3,2,3],[0,0,1,0,0,3],[1,1,0,1,1,0]],
]  # fmt: skip
W = [
    [[[-1,1,-1],[-1,0,1],[0,-1,0]], [[1,2,1],[1,-1,-1],[0,1,1]]],
    [[[0,-1,0],[1,-1,0],[1,2,0]], [[-1,-1,0],[1,0,1],[1,0,0]]],
]  # fmt: skip
V = [
    [0,0,0,0,1,1,-1,-1,0,0,0,0,0,0,0,0,0,1],
    [-1,-1,-1,0,-1,0,1,1,1,1,-1,1,0,-1,0,1,0,0],
    [1,1,-1,0,0,0,0,0,1,-1,1,1,0,-1,0,-1,0,0],
]  # fmt: skip
WEIGHTS: dict[str, dict[str, Any]] = {
    "conv": {"weight": W, "bias": [-1, 1]},
    "dense": {"weight": V, "bias": [1, -1, 0]},
}
# Worked out by loops over fractions and by PyTorch, in thirds.
TO_W = [
    [[[-2,-2,-8],[3,4,1],[3,-2,1]], [[2,-8,-5],[15,7,3],[-3,13,8]]],
    [[[-2,1,-7],[-8,-4,-2],[0,-12,3]], [[3,-9,-2],[2,-8,1],[6,-3,-3]]],
]  # fmt: skip


def exercise(*head: Any, ties: str = "error") -> sc.Network:
    return sc.Network(
        [
            ("conv", sc.Conv(3, padding=1, in_channels=2, out_channels=2, bias=True)),
            ("relu", sc.ReLU()),
            ("pool", sc.MaxPool(2, ties=ties)),
            ("flatten", sc.Flatten()),
            ("dense", sc.Dense(3)),
            *head,
        ]
    )


def test_an_exercise_with_two_dead_windows() -> None:
    """In the first and the last window all entries are stopped by the rectifier: that they tie does not matter."""
    network = exercise(("softmax", sc.Softmax()), ("loss", sc.CrossEntropy(1)))
    values = network.values(X, WEIGHTS)
    assert values["pool"].tolist() == [[[0, 7, 5], [9, 8, 5], [3, 8, 8]], [[9, 9, 7], [6, 8, 7], [6, 2, 0]]]
    assert values["dense"].tolist() == [3, 3, 3]
    assert values["softmax"].tolist() == [Fraction(1, 3)] * 3
    assert values["loss"][()] == sympy.log(3)
    gradients = network.gradients(X, WEIGHTS)
    assert gradients["softmax"].input.tolist() == [Fraction(1, 3), Fraction(-2, 3), Fraction(1, 3)]
    assert (3 * gradients["conv"].weight).tolist() == TO_W
    assert (3 * gradients["conv"].bias).tolist() == [1, -3]
    kernel = sc.compile(network)
    floats = {n: {r: np.array(a, float) for r, a in own.items()} for n, own in WEIGHTS.items()}
    found = kernel.vjp(1, np.array(X, float), floats)
    np.testing.assert_allclose(3 * found["conv"].weight, TO_W, atol=1e-12)
    np.testing.assert_allclose(kernel(np.array(X, float), floats), np.log(3))


def test_a_window_that_is_alive_is_refused_where_it_ties() -> None:
    network = exercise()
    ones = {**WEIGHTS, "conv": {"weight": np.full((2, 2, 3, 3), 0), "bias": [1, 1]}}  # every window is four ones
    with pytest.raises(ArgumentError, match=r"pool: ties refuses two winners: at output \(0, 0, 0\) the"):
        network.gradients(X, ones, [1, 2, 3])
    with pytest.raises(ArgumentError, match="pool: ties refuses two winners"):
        sc.compile(network).vjp([1.0, 2, 3], np.array(X, float), {n: {r: np.array(a, float) for r, a in own.items()}
                                                                  for n, own in ones.items()})  # fmt: skip
    dead = {**ones, "conv": {**ones["conv"], "bias": [-1, -1]}}
    assert not network.gradients(X, dead, [1, 2, 3])["input"].any()


def test_a_rectifier_at_zero_is_refused_by_its_name() -> None:
    network = sc.Network([("c", sc.Conv((1,))), ("r", sc.ReLU())])
    with pytest.raises(ArgumentError, match=r"^r: tensors"):
        network.gradients([1, 0, 2], {"c": {"weight": [1]}})
    assert network.gradients([1, 0, 2], {"c": {"weight": [1]}}, [1, 0, 1])["input"].tolist() == [1, 0, 1]


# ---------------------------------------------------------------------- targets


HEAD = sc.Network([sc.Dense(3), sc.Softmax(), sc.CrossEntropy()])
OWN = {"dense1": {"weight": [[1, 0, 0, 1], [0, 1, 0, 0], [1, 1, 1, 0]], "bias": [0, 0, 0]}}


def test_a_target_may_be_given_with_the_weights() -> None:
    e = sympy.E
    found = HEAD.gradients([1, 2, 0, 1], {**OWN, "crossentropy1": {"target": 1}})["dense1"].bias
    softmax = [1 / (2 + e), 1 / (2 + e), e / (2 + e)]  # the scores are 2, 2 and 3
    for value, due in zip(found, [softmax[0], softmax[1] - 1, softmax[2]], strict=True):
        assert sympy.simplify(value - due) == 0
    shared = HEAD.gradients([1, 2, 0, 1], {**OWN, "crossentropy1": {"target": [Fraction(1, 2), Fraction(1, 2), 0]}})
    assert sympy.simplify(shared["dense1"].bias[0] - (softmax[0] - Fraction(1, 2))) == 0
    for target, message in (
        (3, r"must be a class in 0..2, got 3"),
        (-1, r"must be a class in 0..2, or a vector, got -1"),
        ([1, 0], r"must have the shape 3, got '2'"),
    ):
        with pytest.raises(ArgumentError, match=message):
            HEAD.values([1, 2, 0, 1], {**OWN, "crossentropy1": {"target": target}})
    with pytest.raises(ArgumentError, match="weights must have an entry for crossentropy1"):
        HEAD.values([1, 2, 0, 1], OWN)
    with pytest.raises(GeometryError, match=r"loss: target must be a class of 3, counted from 0"):
        sc.Network([("d", sc.Dense(3)), ("loss", sc.CrossEntropy(3))]).shapes((4,))


def test_scores_that_are_far_apart_have_a_loss_all_the_same() -> None:
    """A probability below 1e-308 is 0 in floating point; its logarithm is not minus infinity."""
    kernel = sc.compile(HEAD)
    x = np.array([[1000.0, 0, 0, 0], [0, 1000, 0, 0], [0, 0, 1e5, 0]])
    weights = {"dense1": {"weight": np.eye(3, 4), "bias": np.zeros(3)}, "crossentropy1": {"target": [1, 1, 0]}}
    assert kernel(x, weights).tolist() == [1000, 0, 1e5]
    back = kernel.vjp(np.ones(3), x, weights)
    assert back["dense1"].bias.tolist() == [0, -1, 1]
    assert set(back) == {"input", "dense1"}


# ---------------------------------------------------------------------- training


def digits_network() -> sc.Network:
    """A convolution, a pooling and a dense layer for images of 8 by 8."""
    layers = [
        sc.Conv(3, padding=1, out_channels=8, bias=True),
        sc.ReLU("zero"),
        sc.MaxPool(2),
        sc.Flatten(),
        sc.Dense(10),
    ]
    return sc.Network([*layers, sc.Softmax(), sc.CrossEntropy()])


def plain_step(x: Any, y: Any, weights: Any) -> tuple[float, dict[str, dict[str, Any]]]:
    """The mean loss of that network and its gradients, by hand; it imports nothing of symconv."""
    n, wide, (conv, dense) = len(x), np.pad(x[:, 0], ((0, 0), (1, 1), (1, 1))), (weights["conv1"], weights["dense1"])
    score = np.zeros((n, 8, 8, 8)) + conv["bias"][:, None, None]
    for a in range(3):
        for b in range(3):
            score += conv["weight"][:, 0, a, b][:, None, None] * wide[:, None, a : a + 8, b : b + 8]
    blocks = np.maximum(score, 0).reshape(n, 8, 4, 2, 4, 2).transpose(0, 1, 2, 4, 3, 5).reshape(n, 8, 4, 4, 4)
    winner = blocks.argmax(-1)
    flat = blocks.max(-1).reshape(n, 128)
    logits = flat @ dense["weight"].T + dense["bias"]
    shares = np.exp(logits - logits.max(1, keepdims=True))
    shares /= shares.sum(1, keepdims=True)
    loss = -np.log(shares[np.arange(n), y]).mean()
    due = (shares - np.eye(10)[y]) / n
    back = np.zeros((n, 8, 4, 4, 4))
    np.put_along_axis(back, winner[..., None], (due @ dense["weight"]).reshape(n, 8, 4, 4, 1), -1)
    back = back.reshape(n, 8, 4, 4, 2, 2).transpose(0, 1, 2, 4, 3, 5).reshape(n, 8, 8, 8) * (score > 0)
    kernel = np.zeros((8, 1, 3, 3))
    for a in range(3):
        for b in range(3):
            kernel[:, 0, a, b] = np.einsum("nfhw,nhw->f", back, wide[:, a : a + 8, b : b + 8])
    return loss, {
        "conv1": {"weight": kernel, "bias": back.sum((0, 2, 3))},
        "dense1": {"weight": due.T @ flat, "bias": due.sum(0)},
    }


def torch_step(torch: Any, x: Any, y: Any, weights: Any) -> tuple[float, dict[str, dict[str, Any]]]:
    """The same by PyTorch's autograd."""
    f = torch.nn.functional
    own = {n: {r: torch.tensor(a, requires_grad=True) for r, a in given.items()} for n, given in weights.items()}
    h = f.conv2d(torch.tensor(x), own["conv1"]["weight"], own["conv1"]["bias"], padding=1)
    h = f.max_pool2d(torch.relu(h), 2).flatten(1)
    loss = f.cross_entropy(f.linear(h, own["dense1"]["weight"], own["dense1"]["bias"]), torch.tensor(y))
    loss.backward()
    return loss.item(), {n: {r: a.grad.numpy() for r, a in given.items()} for n, given in own.items()}


def trained(step: Any, batches: Any, weights: Any) -> list[float]:
    """The losses of gradient descent."""
    lost = []
    for x, y in batches:
        loss, gradients = step(x, y, weights)
        lost.append(float(loss))
        weights = {n: {r: a - 0.5 * gradients[n][r] for r, a in own.items()} for n, own in weights.items()}
    return lost


@pytest.mark.parametrize("other", ["NumPy", "PyTorch"])
def test_two_hundred_steps_of_training_follow_others(other: str) -> None:
    """A small network on the digits that scikit-learn ships, by gradient descent with our gradients."""
    datasets = pytest.importorskip("sklearn.datasets", reason="the digits are those of scikit-learn")
    theirs = plain_step
    if other == "PyTorch":
        torch = pytest.importorskip("torch", reason="the losses are held against PyTorch's")
        theirs = functools.partial(torch_step, torch)
    digits, rng, network = datasets.load_digits(), np.random.default_rng(0), digits_network()
    images, classes = (digits.images / 16)[:, None], digits.target
    weights = {
        layer: {role: rng.normal(0, 0.1, size) for role, size in own.items()}
        for layer, own in network.parameter_sizes((8, 8)).items()
    }
    kernel = sc.compile(network)

    def ours(x: Any, y: Any, weights: Any) -> tuple[float, dict[str, dict[str, Any]]]:
        given = {**weights, "crossentropy1": {"target": y}}
        back = kernel.vjp(np.full(64, 1 / 64), x, given)
        return kernel(x, given).mean(), {n: {r: getattr(back[n], r) for r in own} for n, own in weights.items()}

    chosen = [rng.choice(len(images), 64, replace=False) for _ in range(200)]
    batches = [(images[batch], classes[batch]) for batch in chosen]
    lost = trained(ours, batches, weights)
    np.testing.assert_allclose(lost, trained(theirs, batches, weights), atol=1e-4)
    assert np.mean(lost[-20:]) < 0.5 < lost[0]


def test_gates_of_fractions_end_soon() -> None:
    """Sums of many powers of e stay as they are; those of few are in lowest terms."""
    x = [[Fraction((7 * i + 3 * j) % 5 - 2, 1 + (i + j) % 3) for j in range(4)] for i in range(4)]
    w = [[Fraction((2 * m + n) % 3 - 1, 1 + (m + n) % 3) for n in range(3)] for m in range(3)]
    net = sc.Network([("c", sc.Conv(3, padding=1)), ("n", sc.BatchNorm(1)), ("s", sc.Sigmoid())])
    weights = {"c": {"weight": w}, "n": {"weight": [Fraction(3, 2)], "bias": [Fraction(-1, 3)]}}
    found = net.gradients(x, weights)
    due = np.zeros((4, 4))
    for p in range(4):
        for q in range(4):
            reads = [
                (p + m - 1, q + n - 1, float(w[m][n]))
                for m in range(3)
                for n in range(3)
                if 0 <= p + m - 1 < 4 and 0 <= q + n - 1 < 4
            ]
            share = 1 / (1 + np.exp(-1.5 * sum(float(x[i][j]) * factor for i, j, factor in reads) + 1 / 3))
            for i, j, factor in reads:
                due[i, j] += 1.5 * factor * share * (1 - share)
    np.testing.assert_allclose(found["input"].astype(float), due, rtol=1e-9, atol=1e-12)
