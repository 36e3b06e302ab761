"""What every number of a network was worked out from, against plain loops that know convolution and pooling."""

from __future__ import annotations

import random
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import symconv as sc
from symconv.errors import SymconvError
from symconv.operators.networks import traced
from symconv.operators.networks.traced import MadeOf, NetworkTrace, TensorKey, trace


def numbers(rng: random.Random, *shape: int) -> Any:
    if not shape:
        return rng.choice([-3, -2, -1, 1, 2, 3])
    return [numbers(rng, *shape[1:]) for _ in range(shape[0])]


def made(found: NetworkTrace, key: TensorKey, at: tuple[int, ...]) -> MadeOf:
    array = found.tensors[key].made
    assert array is not None
    return array[at]  # type: ignore[return-value]


def test_a_convolution_reads_what_loops_over_its_windows_read() -> None:
    rng = random.Random(5)
    x, w = numbers(rng, 2, 5, 6), numbers(rng, 3, 2, 3, 2)
    network = sc.Network(
        [("c", sc.Conv((3, 2), stride=2, padding=(1, 0), dilation=(1, 2), in_channels=2, out_channels=3))]
    )
    found = trace(network, x, {"c": {"weight": w}})
    image, kernel = TensorKey("input"), TensorKey("c", "weight")
    high, wide = found.tensors[TensorKey("c")].values.shape[1:]
    for f in range(3):
        for p in range(high):
            for q in range(wide):
                due = [
                    {(image, (h, 2 * p + m - 1, 2 * q + 2 * n)), (kernel, (f, h, m, n))}
                    for h in range(2)
                    for m in range(3)
                    for n in range(2)
                ]
                assert [set(places) for _, places in made(found, TensorKey("c"), (f, p, q)).terms] == due
    assert found.tensors[image].ring == ((0, 0), (1, 1), (0, 0))


def test_the_gradient_of_a_kernel_reads_the_gradient_and_the_image_under_it() -> None:
    rng = random.Random(6)
    x, w, g = numbers(rng, 5), numbers(rng, 3), numbers(rng, 5)
    found = trace(sc.Network([("c", sc.Conv(3, padding=1, ndim=1))]), x, {"c": {"weight": w}}, g)
    for m in range(3):
        own = made(found, TensorKey("c", "weight", True), (0, 0, m))
        assert [set(places) for _, places in own.terms] == [
            {(TensorKey("c", "output", True), (0, p)), (TensorKey("input"), (0, p + m - 1))} for p in range(5)
        ]


def test_a_pooling_sends_its_gradient_to_the_winner_and_a_rectifier_stops_it() -> None:
    network = sc.Network([("r", sc.ReLU()), ("p", sc.MaxPool(2))])
    found = trace(network, [[-1, 2, 5], [3, -4, 6], [7, 8, 9]], None, 1)
    assert made(found, TensorKey("p"), (0, 0, 0)).kind == "max"
    winner = made(found, TensorKey("r", "output", True), (0, 1, 0))
    assert winner.terms == ((Fraction(1), ((TensorKey("p", "output", True), (0, 0, 0)),)),)
    assert made(found, TensorKey("r", "output", True), (0, 0, 1)).terms == ()
    assert made(found, TensorKey("input", "output", True), (0, 0, 0)).terms == ()


def test_where_two_layers_read_one_array_its_gradient_has_both_parts() -> None:
    edges = [("input", "c"), ("c", "a"), ("input", "a")]
    network = sc.Network([("c", sc.Conv(1)), ("a", sc.Add())], edges)
    found = trace(network, [[1, 2]], {"c": {"weight": [[3]]}}, 1)
    assert found.tensors[TensorKey("input", "output", True)].values.tolist() == [[[4, 4]]]
    own = made(found, TensorKey("input", "output", True), (0, 0, 1))
    assert {tuple(key for key, _ in places) for _, places in own.terms} == {
        (TensorKey("a", "output", True),),
        (TensorKey("c", "output", True), TensorKey("c", "weight")),
    }


@pytest.mark.parametrize("broken", ["value", "term"])
def test_a_number_that_its_terms_do_not_give_is_an_error(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = traced.checked

    def bend(found: NetworkTrace) -> None:
        tensor = found.tensors[TensorKey("c")]
        if broken == "value":
            tensor.values[0, 0, 0] += 1
        else:
            own = made(found, TensorKey("c"), (0, 0, 0))
            tensor.made[0, 0, 0] = MadeOf("sum", own.terms[1:])  # type: ignore[index]
        kept(found)

    monkeypatch.setattr(traced, "checked", bend)
    with pytest.raises(SymconvError, match=r"c output \(0, 0, 0\) is .* this is a fault of symconv"):
        trace(sc.Network([("c", sc.Conv(2))]), np.arange(1, 10).reshape(3, 3), {"c": {"weight": [[1, 2], [3, 4]]}})
