"""Derivations of networks: every step holds for all sizes, and the closed forms give the numbers of plain loops."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy
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


@given(networks(5), st.integers(0, 1 << 30))
@EXAMPLES
def test_the_closed_forms_give_the_gradients_of_loops(drawn: Drawn, seed: int) -> None:
    layers = [(n, getattr(sc, kind)(*args, **options)) for n, kind, args, options in drawn.layers]
    network = sc.Network(layers, drawn.edges)
    if network.spatial_axes is None:  # without a window, the input is a vector of I entries
        assume(not any(kind == "Flatten" for _, kind, *_ in drawn.layers))
    else:
        assume(network.input_shape(drawn.shape[1:]) == drawn.shape)  # channels are known
    rng = np.random.default_rng(seed)
    weights = {n: {r: whole_numbers(rng, s) for r, s in own.items()} for n, own in drawn.weights.items()}
    x = whole_numbers(rng, drawn.shape)
    values = drawn.run(x, weights)
    g = whole_numbers(rng, values[network.output].shape)
    flows, back = drawn.flows(x, weights, g)
    arrays = {"x": values.pop("input")}
    for number, name in enumerate(network.names, 1):
        arrays |= {f"z^({number})": values[name], f"g^({number})": flows[name]}
        arrays |= {f"{role[0]}^({number})": array for role, array in weights.get(name, {}).items()}
    for wrt in ("input", *(("parameters",) if weights else ())):
        derivation = sc.derive(network, "gradient", wrt, index_base=0)
        for name, step in theorem(derivation).items():
            layer, _, variable = name.partition(" ")
            if variable == "gradient":  # of a value that several layers read
                due = flows[layer]
            elif variable.startswith("by "):  # of one summand, which may stand there twice
                due = flows[layer] * network.sources(layer).count(variable.removeprefix("by "))
            elif set(network.sources(layer)) != {*network.sources(layer)[:1]}:
                raise AssertionError(name)
            else:
                due = back[layer][variable] * (network.sources(layer).count(network.sources(layer)[0]))
            check(step.after, arrays, due)
        for step in derivation.stages[1].steps if derivation.stages[1].steps[0].id == "chain 1" else ():
            left = step.statement.partition(" = ")[0]
            due = flows["input"] if "∂" in left else arrays[f"g^({number_of(left)})"]
            check(step.after, arrays, due)


def number_of(text: str) -> int:
    """The number of the layer in the name of an array, as it is printed."""
    found = re.search("⁽([⁰¹²³⁴⁵⁶⁷⁸⁹]+)⁾", text)
    assert found is not None
    return int(found[1].translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")))


def check(formula: Any, arrays: dict[str, np.ndarray], due: np.ndarray) -> None:
    """Whether a closed form gives an array; the size of an array is called I, with its number and its axis."""
    sizes = []
    for name in formula.sizes:
        found = re.fullmatch(r"I(?:_(\d))?(?:\^\((\d+)\))?", name)
        assert found is not None, name
        array = arrays[f"z^({found[2]})"] if found[2] else arrays["x"]
        sizes.append(array.shape[int(found[1] or 1) - (array.ndim == 1 or len(formula.sizes) == array.ndim)])
    tensors = {}
    for tensor in formula.tensors:
        env = formula.environment(sizes or None, {})
        box = tuple(int((high - low + 1).evaluate(env)) for low, high in tensor.box)
        known = arrays.get(tensor.name)
        tensors[tensor.name] = np.full(box, Fraction(0)) if known is None else known.reshape(box)
    assert list(formula.values(tensors, sizes or None).values()) == due.ravel().tolist(), str(formula)


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
    assert first.steps[0].statement == "∂E/∂z⁽³⁾[i] = ∑(p = 1 … 3) g⁽⁴⁾[p]·V[p, i]"
    assert [step.statement.partition(" = ")[0] for step in chain.steps] == ["g⁽³⁾[i]", "g⁽²⁾[h, i]", "g⁽¹⁾[h, i]"]
    assert (
        plain(derivation.hypotheses) == "All sizes are at least 1. maxpool1: For I ≥ 2. In this network I⁽³⁾ = 2I⁽²⁾."
    )
    assert "(max pooling; 2×I⁽²⁾, with I⁽²⁾ = ⌊(I − 2)/2⌋ + 1)" in derivation.text()
    only = sc.derive(SMALL, "gradient", "dense1.weight")
    assert [step.id for step in only.stages[0].steps] == ["dense1 weight"]


def test_lines_rest_on_what_their_layer_needs() -> None:
    """The closed form, what is handed on, and every step of the proof say the same condition."""
    network = sc.Network(
        [sc.Conv((2,)), sc.ReLU(), sc.AvgPool((2,), 1, ((2, 0),), count_include_pad=False), sc.LPPool(2, (2,))]
    )
    derivation = sc.derive(network, "gradient", "input")
    words = {"relu1": "no entry is 0", "avgpool1": "outputs without a tap in the input", "lppool1": "z⁽⁴⁾[p] ≠ 0"}
    for layer, due in words.items():
        own = [
            step
            for step in derivation.steps
            if step.id.startswith(f"{layer} ") or f"({layer} input)" in str(step.reason)
        ]
        assert len(own) >= 7
        assert all(due in str(step.verdict.conditions) for step in own), layer
    assert not derivation.steps[3].verdict.conditions  # that of the convolution


BLOCK = sc.Network(
    [
        ("first", sc.Conv((3,), padding=1, in_channels=2, out_channels=2)),
        ("relu", sc.ReLU("zero")),
        ("second", sc.Conv((3,), padding=1, in_channels=2, out_channels=2)),
        ("sum", sc.Add()),
        ("pool", sc.MaxPool((2,))),
    ],
    [("input", "first"), ("first", "relu"), ("relu", "second"), ("second", "sum"), ("input", "sum"), ("sum", "pool")],
)


def test_what_several_layers_read_gathers_from_all_of_them() -> None:
    """The chain rule sums over the readers; by itself each is the gradient of an error of its own."""
    derivation = sc.derive(BLOCK, "gradient", "input")
    assert {step.verdict.status for step in derivation.steps} == {"proved"}
    stated = {step.id: step.statement for step in derivation.steps}
    assert stated["sum by second"] == "∂E/∂z⁽³⁾[h, i] = g⁽⁴⁾[h, i]"
    assert stated["sum by input"] == "∂E⁽⁴⁾/∂x[h, i] = g⁽⁴⁾[h, i]"
    assert stated["input gradient"] == "∂E/∂x[h, i] = ∂E⁽⁴⁾/∂x[h, i] + ∂E⁽¹⁾/∂x[h, i]"
    assert derivation.stages[0].steps[-1].id == "input gradient"
    assert derivation.stages[1].steps[-1].statement == (
        "∂E/∂x[h, i] = g⁽⁴⁾[h, i] + ∑(f = 1 … 2) ∑(m = 1 … 3) g⁽¹⁾[f, i−m+2]·w⁽¹⁾[f, h, m]"
    )
    text = derivation.text()
    assert "g⁽¹⁾[f, p] = ∂E/∂z⁽¹⁾[f, p]" in text
    assert "E⁽¹⁾: E as a function of what first reads" in text
    assert "E⁽" not in sc.derive(BLOCK, "gradient", "first.weight").text()  # x is not asked for


def test_a_value_may_be_read_twice_by_one_sum_and_by_others() -> None:
    names = ["input", "r", "a", "b"]
    net = sc.Network(
        [("r", sc.ReLU("zero")), ("a", sc.Add()), ("b", sc.Add()), ("d", sc.Dense(2, bias=False))],
        [("input", "r"), ("r", "a"), ("r", "a"), ("r", "b"), ("a", "b"), ("input", "b"), ("b", "d")],
    )
    derivation = sc.derive(net, "gradient", "input")
    assert {step.verdict.status for step in derivation.steps} == {"proved"}
    stated = {step.id: step.statement for step in derivation.steps}
    assert stated["a input"] == "∂E⁽²⁾/∂z⁽¹⁾[i] = 2·g⁽²⁾[i]"
    assert stated["r gradient"] == "g⁽¹⁾[i] = ∂E⁽³⁾/∂z⁽¹⁾[i] + ∂E⁽²⁾/∂z⁽¹⁾[i]"
    assert {f"b by {name}" for name in names[:3]} <= stated.keys()


def test_every_letter_means_one_thing() -> None:
    """Sizes and shares have the layer's number; what an option is called is no letter of an array or an index."""
    n = sympy.Symbol("n", integer=True, positive=True)
    I, x, E, p = sympy.symbols("I x E p", integer=True, positive=True)  # noqa: E741
    net = sc.Network(
        [sc.Conv((I,), in_channels=x, out_channels=n), sc.MaxPool((E,), stride=1), sc.MaxPool((2,), stride=p)]
    )
    derivation = sc.derive(net, "gradient", "conv1.weight")
    text = derivation.text()
    assert "ω⁽²⁾[" in text
    assert "ω⁽³⁾[" in text
    letters = {tensor.name for step in derivation.steps for tensor in step.after.tensors}
    assert not letters & {"I", "x", "E", "p", "n"}
    bound = {name for step in derivation.steps for name in step.after.indices}
    assert not bound & {"I", "x", "E", "p", "n"}
    sizes = {name for step in derivation.steps for name in step.after.sizes}
    assert "I" not in sizes
    assert {step.verdict.status for step in derivation.stages[0].steps} <= {"proved"}
    with pytest.raises(
        ArgumentError, match="must not stand for both the symbol n of an option and the weight of conv1"
    ):
        sc.derive(net, "gradient", names={"conv1": {"weight": "n"}})


def test_what_cannot_be_derived_is_refused_by_name() -> None:
    with pytest.raises(NotSupportedError, match="p: "):
        sc.derive(sc.Network([("p", sc.MaxPool(2, ties="set"))]), "gradient")
    halves = [("a", sc.Conv((3,), stride=2, padding=1)), ("b", sc.AvgPool((2,))), ("s", sc.Add())]
    with pytest.raises(NotSupportedError, match=r"^s: the inputs must have one shape.*for all sizes of the input"):
        sc.derive(sc.Network(halves, [("input", "a"), ("input", "b"), ("a", "s"), ("b", "s")]), "gradient")
    for options, message in (
        ({"what": "output"}, "what must be 'gradient' for a network"),
        ({"wrt": "conv2.weight"}, "wrt must be one of input, parameters, conv1.weight"),
        ({"wrt": 3}, "wrt must be one of"),
        ({"names": 3}, "names must be a table by layer"),
        ({"names": {"conv2": {}}}, "names must be by input, conv1, maxpool1"),
        ({"names": {"conv1": {"stride": "s"}}}, "must be one of output, upstream, weight, bias"),
        ({"names": {"maxpool1": {"weight": "s"}}}, "must be one of output, upstream, got 'weight'"),
        ({"names": {"conv1": {"weight": "3"}}}, "must be a short name"),
        ({"names": {"conv1": {"weight": "x"}, "input": "x"}}, "must not stand for both"),
        ({"names": {"conv1": {"weight": "v"}, "input": "V"}}, "must not stand for both"),
        (
            {"names": {"conv1": {"weight": "v"}, "dense1": {"weight": "v"}}},
            "must not stand for both the weight of conv1 and",
        ),
        ({"index_base": 2}, "index_base must be 0 or 1"),
        ({"input_size": 5}, "must be left out for a network"),
        ({"all_ones": True}, "must be left out for a network"),
    ):
        with pytest.raises(ArgumentError) as refused:
            sc.derive(SMALL, **{"what": "gradient", **options})
        assert message in str(refused.value)


def test_indices_give_way_to_the_letters_of_arrays() -> None:
    """An array that is called f or h is no index of a channel beside it; a capital stands for its entries as well."""
    for output, taken in (("f", "f"), ("h", "h"), ("H", "h"), ("i", "i")):
        derivation = sc.derive(SMALL, "gradient", names={"maxpool1": {"output": output}})
        indices = {name for step in derivation.steps for name in step.after.indices}
        assert taken not in indices
        assert all(name.rstrip("'").islower() for name in indices)


def test_the_closed_form_of_a_maximum_sums_over_the_outputs_that_touch() -> None:
    pool = sc.MaxPool((3,), 2, 1, 2, ceil_mode=True)
    net = sc.Network([sc.Conv((3,), padding=1, in_channels=2, out_channels=2), pool])
    (closed, _) = sc.derive(net, "gradient", "input").stages[0].steps
    assert closed.verdict.status == "proved"
    assert closed.statement == (
        "∂E/∂z⁽¹⁾[h, i] = ∑(p = max(1, ⌈(i − 2)/2⌉) … min(I⁽²⁾, ⌊(i + 2)/2⌋)) [2 ∣ i − 2p] g⁽²⁾[h, p]·ω⁽²⁾[h, p, i]"
    )
