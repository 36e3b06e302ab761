"""Data that a network refuses: weights by layer, shapes of inputs, ties; by its exact numbers and its kernel alike."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
import sympy

import symconv as sc
from symconv.errors import ArgumentError, NotSupportedError, SymconvError

NETWORK = sc.Network([sc.Conv(3, in_channels=2, bias=True), sc.MaxPool(2), sc.Flatten(), sc.Dense(3)])
RNG = np.random.default_rng(2)
X = RNG.integers(-3, 4, (2, 6, 6))
WEIGHTS = {n: {r: RNG.integers(-2, 3, s) for r, s in own.items()} for n, own in NETWORK.parameter_sizes((6, 6)).items()}


def without(name: str, role: str = "") -> dict[str, Any]:
    """The weights, less a layer or one of its arrays."""
    kept: dict[str, Any] = {n: dict(own) for n, own in WEIGHTS.items()}
    if role:
        del kept[name][role]
    else:
        del kept[name]
    return kept


WRONG: list[tuple[Any, Any, str]] = [
    (X, None, "weights must have an entry for conv1"),
    (X, 3, "weights must be a table by layer"),
    (X, without("dense1"), "weights must have an entry for dense1"),
    (X, without("conv1", "bias"), 'weights[\'conv1\'] must have "weight" and "bias" and nothing else'),
    (X, {**WEIGHTS, "flatten1": {}}, "weights must be by the names of layers that have weights: conv1, dense1"),
    (X, {**WEIGHTS, "dense1": WEIGHTS["dense1"]["weight"]}, "weights['dense1'] must be a table"),
    (X[:1], WEIGHTS, "conv1: the input must have the 2 channels"),
    (X[:, :2], WEIGHTS, "conv1: kernel_size needs"),
    (np.ma.masked_array(X), WEIGHTS, "must be an array without a mask"),
    ([[1, 2], [3]], WEIGHTS, ""),
]


@pytest.mark.parametrize(("x", "weights", "message"), WRONG, ids=[entry[2] for entry in WRONG])
def test_both_refuse_what_does_not_fit(x: Any, weights: Any, message: str) -> None:
    kernel = sc.compile(NETWORK)
    for call in (NETWORK.values, kernel, NETWORK.gradients, lambda *given: kernel.vjp(1, *given)):
        with pytest.raises(SymconvError) as refused:
            call(x, weights)  # type: ignore[operator]
        assert message in str(refused.value)


def test_upstream_gradients_have_the_shape_of_the_output() -> None:
    kernel, floats = sc.compile(NETWORK), {n: {r: a.astype(float) for r, a in o.items()} for n, o in WEIGHTS.items()}
    for call in (
        lambda g: NETWORK.gradients(X, WEIGHTS, g),
        lambda g: kernel.vjp(g, X.astype(float), floats),
    ):
        with pytest.raises(ArgumentError, match=r"(upstream|grad_output) must have the shape"):
            call([1, 2])
        ones, one = call([1.0, 1.0, 1.0]), call(1)
        assert np.array_equal(ones["input"], one["input"])


def test_an_image_without_an_axis_for_its_channel() -> None:
    network = sc.Network([sc.Conv(2), sc.AvgPool(2)])
    x, weights = np.arange(25).reshape(5, 5), {"conv1": {"weight": [[1, 0], [0, -1]]}}
    assert network.values(x, weights)["avgpool1"].shape == (2, 2)
    assert network.gradients(x, weights)["input"].shape == (5, 5)
    kernel = sc.compile(network)
    assert kernel(x.astype(float), weights).shape == (2, 2)
    assert kernel.vjp(np.ones((2, 2)), x.astype(float), {"conv1": {"weight": np.eye(2)}})["input"].shape == (5, 5)
    two = sc.Network([sc.Conv(2, in_channels=2)])
    with pytest.raises(SymconvError, match="2 channels"):
        two.values(x, {"conv1": {"weight": np.ones((1, 2, 2, 2))}})
    with pytest.raises(SymconvError, match="2 channels"):
        sc.compile(two)(x.astype(float), {"conv1": {"weight": np.ones((1, 2, 2, 2))}})


def test_kernels_of_networks_are_copied_and_compared() -> None:
    kernel = sc.compile(NETWORK)
    assert pickle.loads(pickle.dumps(kernel)) == kernel == copy.deepcopy(kernel)
    assert kernel != sc.compile(NETWORK, accuracy="fast")
    assert "plan" in kernel.explain()
    assert "5x2x6x6 -> 5x1x4x4" in kernel.explain((5, 2, 6, 6))
    assert "def " in kernel.source
    # what is shown is what runs: a softmax before a cross-entropy is a part of that
    both = sc.compile(sc.Network([sc.Softmax(), sc.CrossEntropy()]))
    assert both.source.count("# crossentropy1") == 1
    assert "softmax1" not in both.source + both.explain() + both.explain((2, 3))
    assert "from_logits=True" in both.explain()
    assert "from_logits=True" in both.explain((2, 3))
    for options in ({"plan": "taps"}, {"weight": np.ones(3)}):
        with pytest.raises(ArgumentError, match="plan, weight must be left out for a network"):
            sc.compile(NETWORK, **options)  # type: ignore[call-overload]


# ---------------------------------------------------------------------- memory and types


DOUBLE = sc.Network([("l", sc.ReLU()), ("r", sc.ReLU()), ("s", sc.Add())],
                    [("input", "l"), ("input", "r"), ("l", "s"), ("r", "s")])  # fmt: skip


def test_results_are_arrays_of_their_own() -> None:
    kernel = sc.compile(sc.Network([sc.Flatten()]))
    x, g = np.arange(4.0).reshape(1, 1, 2, 2), np.ones((1, 4))
    assert not np.shares_memory(kernel(x), x)
    assert not np.shares_memory(kernel.vjp(g, x)["input"], g)
    whole = kernel.vjp(2.0, x)["input"]
    whole += 1
    assert whole.tolist() == [[[[3, 3], [3, 3]]]]


def test_sums_have_the_types_of_other_layers() -> None:
    kernel = sc.compile(DOUBLE)
    assert kernel(np.full((1, 1, 1, 2), 200, np.uint8)).tolist() == [[[[400, 400]]]]
    assert kernel(np.full((1, 1, 1, 2), 1.5, np.float16)).dtype == np.float16
    for large in (np.int64(2**62), np.uint64(2**63)):
        with pytest.raises(ArgumentError, match="s: x must be small enough for sums in int64"):
            kernel(np.full((1, 1, 1, 2), large))


# ---------------------------------------------------------------------- ties


def refused_at(call: Any) -> str:
    with pytest.raises(ArgumentError) as refused:
        call()
    return str(refused.value)


def test_ties_are_refused_where_a_gradient_depends_on_them() -> None:
    network = sc.Network([("c", sc.Conv(1)), ("p", sc.MaxPool(2, ties="error"))])
    kernel, weights = sc.compile(network), {"c": {"weight": [[1.0]]}}
    x = np.arange(16.0).reshape(4, 4)
    assert network.gradients(x, weights)["input"].sum() == 4 == kernel.vjp(1, x, weights)["input"].sum()
    x[2, 3] = x[3, 3]
    g = np.ones((2, 2))
    for call in (lambda: network.gradients(x, weights, g), lambda: kernel.vjp(g, x, weights)):
        said = refused_at(call)
        assert "p: ties refuses two winners: at output (1, 1) the entries at (2, 3) and (3, 3) are all 15" in said
    g[1, 1] = 0  # a window through which nothing comes back
    assert network.gradients(x, weights, g)["input"].sum() == 3 == kernel.vjp(g, x, weights)["input"].sum()


@pytest.mark.parametrize("op", [sc.MaxPool(2, ties="error"), sc.AdaptiveMaxPool(2, ties="error")], ids=repr)
def test_a_pooling_by_itself_refuses_ties(op: Any) -> None:
    kernel, x = sc.compile(op), np.arange(16.0).reshape(4, 4)
    first = sc.compile(type(op)(**{**op.options(), "ties": "first"}))
    g = np.arange(4.0).reshape(2, 2) + 1
    assert np.array_equal(kernel.vjp(g, x).input, first.vjp(g, x).input)
    assert np.array_equal(kernel(x), first(x))
    x[0, 0] = x[0, 1] = x[1, 1]
    assert "ties refuses two winners" in refused_at(lambda: kernel.vjp(g, x))
    assert "ties refuses two winners" in refused_at(lambda: kernel.jvp(x, dx=x))
    g[0, 0] = 0
    assert np.array_equal(kernel.vjp(g, x).input, first.vjp(g, x).input)
    x[0, 0] = x[0, 1] = np.nan
    g[0, 0] = 1
    assert "ties refuses two winners" in refused_at(lambda: kernel.vjp(g, x))


def test_exact_values_of_a_pooling_refuse_ties() -> None:
    """In a formula too, where something comes back through the window; a loser is no part of a tie."""
    pool = sc.MaxPool((2,), 1, ties="error")
    for formula in (pool.gradient(), sc.derive(pool, "gradient").result):
        base = formula.base
        said = refused_at(lambda formula=formula: formula.values({"a": [1, 1, 0], "g": [1, 1]}, 3))
        assert f"ties refuses two winners: a[{base}] and a[{base + 1}] are both 1" in said
        assert list(formula.values({"a": [1, 1, 0], "g": [0, 5]}, 3).values()) == [0, 5, 0]
        assert list(formula.values({"a": [3, 1, 2], "g": [7, 5]}, 3).values()) == [7, 0, 5]
    assert "a[1] and a[2] are both 1" in refused_at(lambda: pool.derivative().values({"a": [2, 1, 1]}, 3))


def test_numbers_that_are_written_otherwise_tie_as_well() -> None:
    root = sympy.sqrt(2)
    network = sc.Network([("p", sc.MaxPool((2,), 1, ties="error"))])
    for data in ([(1 + root) ** 2, 3 + 2 * root, 0], [sympy.Integer(0), -((1 - root) ** 3), 5 * root - 7]):
        assert "p: ties refuses two winners" in refused_at(lambda data=data: network.gradients(data))
    near = [(1 + root) ** 2, 3 + 2 * root + sympy.Rational(1, 10**40), 0]
    assert network.gradients(near)["input"].tolist() == [0, 2, 0]
    first = sc.MaxPool((2,), 1).gradient().values({"a": [3 + 2 * root, (1 + root) ** 2, 0], "g": [1, 1]}, 3)
    assert list(first.values()) == [1, 1, 0]
    with pytest.raises(NotSupportedError, match=r"p: whether .* is 0 was not decided"):
        network.gradients([sympy.log(4), 2 * sympy.log(2), 0])


def test_an_error_names_its_layer_once() -> None:
    """The rectifier has no derivative at what the pooling would hand back to it."""
    network = sc.Network([("r", sc.ReLU()), ("p", sc.MaxPool((2,), 1, ties="error"))])
    assert refused_at(lambda: network.gradients([0, 0, -1])).startswith("r: tensors must give every function a value")


def test_a_target_that_is_given_sums_to_1() -> None:
    network = sc.Network([("d", sc.Dense(2, bias=False)), ("p", sc.Softmax()), ("l", sc.CrossEntropy())])
    kernel = sc.compile(network)
    for target, fits in (([1, 1], False), ([0.5, 0.25], False), ([0.25, 0.75], True), ([1, 0], True), (1, True)):
        weights = {"d": {"weight": [[1.0, 0.0], [0.0, 1.0]]}, "l": {"target": target}}
        calls = (lambda w=weights: network.values([1, 0], w), lambda w=weights: kernel([1.0, 0.0], w))
        for call in calls:
            if fits:
                call()
            else:
                assert "must have entries that sum to 1" in refused_at(call)


def test_the_target_of_an_image_without_a_channel_has_none() -> None:
    network = sc.Network([("c", sc.Conv(1)), ("l", sc.SquaredError(ndim=3))])
    x, y = np.arange(4.0).reshape(2, 2), np.ones((2, 2))
    due = ((2 * x - y) ** 2).sum()
    for given, target in ((x, y), (x[None], y[None]), (x[None, None], y[None, None])):
        weights = {"c": {"weight": [[2.0]]}, "l": {"target": target}}
        assert np.all(sc.compile(network)(given, weights) == due)


def test_padding_is_no_winner() -> None:
    kernel = sc.compile(sc.MaxPool((2,), stride=2, padding=1, ties="error"))
    assert kernel.vjp([1.0, 1, 1], [-np.inf, 2.0, 3, 1]).input.tolist() == [1, 0, 1, 1]
