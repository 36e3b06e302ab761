"""Derivations of networks: every step holds for all sizes, and the closed forms give the numbers of plain loops."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st
from plain_networks import Drawn, networks, whole_numbers

import symconv as sc
from symconv.derivations.step import Derivation, plain
from symconv.errors import ArgumentError, NotSupportedError

EXAMPLES = settings(max_examples=12, derandomize=True, deadline=None, phases=(Phase.generate,))
SMALL = sc.Network(
    [sc.Conv((3,), padding=1, in_channels=2, out_channels=2, bias=True), sc.MaxPool((2,)), sc.Flatten(), sc.Dense(3)]
)


def theorem(derivation: Derivation) -> dict[str, Any]:
    """The closed forms of the first stage, by the layer and the variable that they are of."""
    return {step.id: step for step in derivation.stages[0].steps}


@given(networks(5).filter(lambda drawn: all(kind != "Add" for _, kind, *_ in drawn.layers)), st.integers(0, 1 << 30))
@EXAMPLES
def test_the_closed_forms_give_the_gradients_of_loops(drawn: Drawn, seed: int) -> None:
    network = sc.Network([(n, getattr(sc, kind)(*args, **options)) for n, kind, args, options in drawn.layers])
    assume(network.spatial_axes is None or network.input_shape(drawn.shape[1:]) == drawn.shape)  # channels are known
    rng = np.random.default_rng(seed)
    weights = {n: {r: whole_numbers(rng, s) for r, s in own.items()} for n, own in drawn.weights.items()}
    x = whole_numbers(rng, drawn.shape)
    values = drawn.run(x, weights)
    g = whole_numbers(rng, values[network.output].shape)
    back = drawn.back(x, weights, g)
    upstream = {network.output: g, **{a: back[b]["input"] for a, b in network.edges}}
    for wrt in ("input", *(("parameters",) if weights else ())):
        for name, step in theorem(sc.derive(network, "gradient", wrt, index_base=0)).items():
            layer, variable = name.split()
            number, (source,) = network.names.index(layer) + 1, network.sources(layer)
            roles = {"x" if source == "input" else f"z{number - 1}": values[source], f"g{number}": upstream[layer]}
            roles |= {f"{role[0]}{number}": array for role, array in weights.get(layer, {}).items()}
            due = back["input"] if (source, variable) == ("input", "input") else back[layer][variable]
            check(step.after, roles, due)


def check(formula: Any, roles: dict[str, np.ndarray], due: np.ndarray) -> None:
    """Whether a closed form gives an array, channel by channel where it leaves out their index."""
    reads = {tensor.name: len(tensor.box) for tensor in formula.tensors}
    source = next(t.name for t in formula.tensors if t.role == "input")
    upstream = next(t.name for t in formula.tensors if t.role == "upstream")
    x, g = roles[source], roles[upstream]
    alone = x.ndim == reads[source] + 1 and g.ndim == reads[upstream] + 1
    parts = list(zip(x, g, strict=True)) if alone else [(x, g)]
    found = []
    for entries, handed in parts:
        others = {name: array for name, array in roles.items() if name in reads and name not in (source, upstream)}
        arrays = {name: array.reshape(shaped(array, reads[name])) for name, array in others.items()}
        arrays[source] = entries.reshape(shaped(entries, reads[source]))
        arrays[upstream] = handed.reshape(shaped(handed, reads[upstream]))
        size = arrays[source].shape[-len(formula.sizes) :] if formula.sizes else None
        for tensor in formula.tensors:  # a bias that a gradient does not read
            arrays.setdefault(tensor.name, zeros(tensor, formula, size))
        found += list(formula.values(arrays, size).values())
    assert found == due.ravel().tolist(), str(formula)


def shaped(array: np.ndarray, rank: int) -> tuple[int, ...]:
    """The shape of an array with so many axes: those of a single channel go."""
    shape = list(array.shape)
    while len(shape) > rank:
        shape.remove(1)
    return tuple(shape)


def zeros(tensor: Any, formula: Any, size: Any) -> np.ndarray:
    env = formula.environment(size, {})
    return np.full([int((high - low + 1).evaluate(env)) for low, high in tensor.box], Fraction(0))


@pytest.mark.parametrize("wrt", ["input", "parameters", "conv1.bias", "dense1.weight"])
def test_every_step_is_proved_for_all_sizes(wrt: str) -> None:
    derivation = sc.derive(SMALL, "gradient", wrt)
    assert {step.verdict.status for step in derivation.steps} == {"proved"}
    ids = [step.id for step in derivation.steps]
    assert len(set(ids)) == len(ids)
    known = {*ids, *(definition.id for definition in derivation.definitions)}
    assert {use for step in derivation.steps for use in step.uses} <= known
    assert derivation.text().count("proved") >= len(ids)


def test_the_theorem_stands_first_and_then_the_chain() -> None:
    derivation = sc.derive(SMALL, "gradient", "input", names={"input": "x", "dense1": {"weight": "V", "output": "s"}})
    first, chain = derivation.stages[:2]
    assert [step.id for step in first.steps] == ["dense1 input", "flatten1 input", "maxpool1 input", "conv1 input"]
    assert first.steps[0].statement == "∂E/∂z₃[i] = ∑(p = 1 … 3) g₄[p]·V[p, i]"
    assert [step.statement.partition(" = ")[0] for step in chain.steps] == ["g₃[i]", "g₂[i, j]", "g₁[i]"]
    assert "maxpool1: For I ≥ 2. It takes every channel by itself" in plain(derivation.hypotheses)
    only = sc.derive(SMALL, "gradient", "dense1.weight")
    assert [step.id for step in only.stages[0].steps] == ["dense1 weight"]


def test_lines_rest_on_what_their_layer_needs() -> None:
    """The closed form, what is handed on, and every step of the proof say the same condition."""
    network = sc.Network(
        [sc.Conv((2,)), sc.ReLU(), sc.AvgPool((2,), 1, ((2, 0),), count_include_pad=False), sc.LPPool(2, (2,))]
    )
    derivation = sc.derive(network, "gradient", "input")
    words = {"relu1": "no entry is 0", "avgpool1": "outputs without a tap in the input", "lppool1": "z₄[p] ≠ 0"}
    for layer, due in words.items():
        own = [
            step
            for step in derivation.steps
            if step.id.startswith(f"{layer} ") or f"({layer} input)" in str(step.reason)
        ]
        assert len(own) >= 7
        assert all(due in str(step.verdict.conditions) for step in own), layer
    assert not derivation.steps[3].verdict.conditions  # that of the convolution


def test_what_cannot_be_derived_is_refused_by_name() -> None:
    joined = sc.Network([("c", sc.Conv(3, padding=1)), ("s", sc.Add())], [("input", "c"), ("c", "s"), ("input", "s")])
    with pytest.raises(NotSupportedError, match="one after the other"):
        sc.derive(joined, "gradient")
    with pytest.raises(NotSupportedError, match="p: "):
        sc.derive(sc.Network([("p", sc.MaxPool(2, ties="set"))]), "gradient")
    for options, message in (
        ({"what": "output"}, "what must be 'gradient' for a network"),
        ({"wrt": "conv2.weight"}, "wrt must be one of input, parameters, conv1.weight"),
        ({"wrt": 3}, "wrt must be one of"),
        ({"names": 3}, "names must be a table by layer"),
        ({"names": {"conv2": {}}}, "names must be by input, conv1, maxpool1"),
        ({"names": {"conv1": {"stride": "s"}}}, "must be weight, bias, output or upstream"),
        ({"names": {"conv1": {"weight": "x"}}}, "must not stand for both"),
        ({"names": {"conv1": {"weight": "v"}, "dense1": {"weight": "v"}}}, "must not stand for the weight of conv1"),
        ({"index_base": 2}, "index_base must be 0 or 1"),
        ({"input_size": 5}, "must be left out for a network"),
        ({"all_ones": True}, "must be left out for a network"),
    ):
        with pytest.raises(ArgumentError) as refused:
            sc.derive(SMALL, **{"what": "gradient", **options})
        assert message in str(refused.value)
