"""Networks in exact numbers and as kernels: every value and every gradient is that of plain loops."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from plain_networks import Drawn, networks, whole_numbers

import symconv as sc

EXAMPLES = settings(max_examples=40, derandomize=True, deadline=None)


def made(drawn: Drawn) -> sc.Network:
    layers = [(name, getattr(sc, kind)(*args, **options)) for name, kind, args, options in drawn.layers]
    return sc.Network(layers, drawn.edges)


def arrays(
    drawn: Drawn, seed: int, *denominators: int
) -> tuple[np.ndarray, dict[str, dict[str, np.ndarray]], np.random.Generator]:
    rng = np.random.default_rng(seed)
    parts = denominators or (1, 2, 3)
    weights = {n: {r: whole_numbers(rng, s, parts) for r, s in own.items()} for n, own in drawn.weights.items()}
    return whole_numbers(rng, drawn.shape, parts), weights, rng


@given(networks(), st.integers(0, 1 << 30))
@EXAMPLES
def test_values_and_gradients_are_exactly_those_of_loops(drawn: Drawn, seed: int) -> None:
    network = made(drawn)
    x, weights, rng = arrays(drawn, seed)
    due = drawn.run(x, weights)
    found = network.values(x, weights)
    assert set(found) == set(due) - {"input"}
    for name, array in found.items():
        assert array.shape == network.shapes(drawn.shape)[name]
        assert np.array_equal(array, due[name]), name
        assert all(isinstance(entry, Fraction) for entry in array.ravel())
    g = whole_numbers(rng, found[network.output].shape)
    back, gradients = drawn.back(x, weights, g), network.gradients(x, weights, g)
    assert np.array_equal(gradients["input"], back["input"])
    for name in network.names:
        for role, array in back[name].items():
            assert np.array_equal(getattr(gradients[name], role), array), (name, role)


@given(networks(), st.integers(0, 1 << 30), st.integers(1, 3))
@EXAMPLES
def test_kernels_give_the_same_for_every_item_of_a_batch(drawn: Drawn, seed: int, batch: int) -> None:
    """In numbers that float64 has, so that a sum that is 0 is 0 there, too, and a rectifier finds its kink."""
    assume(not any(kind == "AvgPool" and args[0][0] == 3 for _, kind, args, _ in drawn.layers))
    kernel = sc.compile(made(drawn))
    x, weights, rng = arrays(drawn, seed, 1, 2)
    inputs = np.array([x, *(whole_numbers(rng, drawn.shape, (1, 2)) for _ in range(batch - 1))])
    floats = {n: {r: a.astype(float) for r, a in own.items()} for n, own in weights.items()}
    y = kernel(inputs.astype(float), floats)
    due = np.array([drawn.run(item, weights)[drawn.layers[-1][0]] for item in inputs])
    np.testing.assert_allclose(y, due.astype(float), rtol=1e-11, atol=1e-11)
    g = np.array([whole_numbers(rng, y.shape[1:]) for _ in range(batch)])
    found = kernel.vjp(g.astype(float), inputs.astype(float), floats)
    backs = [drawn.back(item, weights, part) for item, part in zip(inputs, g, strict=True)]
    close(found["input"], [back["input"] for back in backs])
    assert set(found) == {"input", *weights}
    for name, own in weights.items():
        for role in own:
            close(getattr(found[name], role), sum(back[name][role] for back in backs))
    if kernel.network.spatial_axes is not None:  # else the first axis is that of a batch
        single = kernel(inputs[0].astype(float), floats)
        np.testing.assert_allclose(single, y[0], rtol=1e-11, atol=1e-11)


def close(found: np.ndarray, due: Any) -> None:
    np.testing.assert_allclose(found, np.array(due).astype(float), rtol=1e-11, atol=1e-11)
