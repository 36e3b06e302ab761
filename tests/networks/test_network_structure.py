"""What a network is made of: names, edges, sizes, counts, receptive fields; refusals name the layer."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
import sympy

import symconv as sc
from symconv.errors import ArgumentError, GeometryError, NotSupportedError, SymconvError

LENET = sc.Network(
    [
        sc.Conv(5, padding=2, out_channels=6, bias=True),
        sc.AvgPool(2),
        sc.Conv(5, in_channels=6, out_channels=16, bias=True),
        sc.AvgPool(2),
        sc.Flatten(),
        sc.Dense(120),
        sc.Dense(84),
        sc.Dense(10),
    ]
)
BLOCK = sc.Network(
    [
        ("first", sc.Conv(3, padding=1, in_channels=4, out_channels=4)),
        ("second", sc.Conv(3, padding=1, in_channels=4, out_channels=4)),
        ("sum", sc.Add()),
        ("pool", sc.MaxPool(2)),
    ],
    edges=[("input", "first"), ("first", "second"), ("second", "sum"), ("input", "sum"), ("sum", "pool")],
)


def test_layers_are_named_by_their_class_and_counted() -> None:
    assert LENET.names == ("conv1", "avgpool1", "conv2", "avgpool2", "flatten1", "dense1", "dense2", "dense3")
    named = sc.Network([("conv1", sc.Conv(3)), sc.Conv(3), ("mine", sc.MaxPool(2)), sc.Conv(1)])
    assert named.names == ("conv1", "conv2", "mine", "conv3")
    assert named["mine"] == sc.MaxPool(2)
    assert named.sources("mine") == ("conv2",)
    assert (LENET.output, BLOCK.output) == ("dense3", "pool")


def test_layers_stand_after_those_that_they_read() -> None:
    layers = [("b", sc.Conv(2)), ("a", sc.Conv(3))]
    assert sc.Network(layers, [("input", "a"), ("a", "b")]).names == ("a", "b")


def test_sizes_and_counts_are_those_of_the_paper() -> None:
    """LeCun et al. (1998), table of LeNet-5, with all maps joined: 61,706 parameters for 28x28 with padding 2."""
    shapes = LENET.shapes((28, 28))
    assert [shapes[name] for name in ("input", "conv1", "avgpool1", "conv2", "avgpool2", "flatten1", "dense3")] == [
        (1, 28, 28), (6, 28, 28), (6, 14, 14), (16, 10, 10), (16, 5, 5), (400,), (10,),
    ]  # fmt: skip
    assert LENET.output_size((28, 28)) == (10,)
    counts = LENET.parameter_counts((28, 28))
    assert counts == {"conv1": 156, "conv2": 2416, "dense1": 48120, "dense2": 10164, "dense3": 850}
    assert sum(counts.values()) == 61706
    products = 25 * 6 * 28 * 28 + 150 * 16 * 100 + 400 * 120 + 120 * 84 + 84 * 10
    assert LENET.multiply_adds((28, 28)) == products
    assert BLOCK.parameters == 2 * 4 * 4 * 9
    assert BLOCK.output_size((6, 8)) == (3, 4)
    assert BLOCK.output_size((4, 6, 8)) == (4, 3, 4)
    assert sc.Network([sc.ConvTranspose(3, stride=2, in_channels=2, out_channels=5)]).multiply_adds((4, 4)) == 90 * 16


def test_parameters_need_a_size_where_a_dense_layer_does_not_say_its_own() -> None:
    with pytest.raises(ArgumentError, match="dense1: in_features must be given"):
        _ = LENET.parameters
    assert sc.Network([sc.Conv(3), sc.Flatten(), sc.Dense(2, 9)]).parameters == 9 + 20


def test_symbolic_sizes_stay_symbolic() -> None:
    n = sympy.Symbol("n", integer=True, positive=True)
    assert sc.Network([sc.Conv((3,)), sc.Conv((2,))]).output_size(n) == (n - 3,)
    m = sympy.Symbol("m", integer=True, positive=True)
    net = sc.Network([sc.Conv((1,), in_channels=m, out_channels=m)])
    assert net.parameters == m**2
    assert net.multiply_adds(n) == m**2 * n


def seen_by_gradients(network: sc.Network, size: int) -> int:
    """How far apart the first and the last entry lie that one output in the middle depends on: weights are ones."""
    weights = {
        name: {role: np.ones(shape, int) for role, shape in own.items()}
        for name, own in network.parameter_sizes((size,)).items()
    }
    channels = network.shapes((size,))["input"][0]
    x = np.zeros((channels, size), int)
    outputs = network.shapes((size,))[network.output]
    g = np.zeros(outputs, int)
    g[0, outputs[1] // 2] = 1
    touched = np.flatnonzero((network.gradients(x, weights, g)["input"] != 0).any(axis=0))
    return int(touched[-1] - touched[0] + 1)


@pytest.mark.parametrize(
    "layers",
    [
        [sc.Conv((3,))],
        [sc.Conv((3,), stride=2), sc.Conv((4,)), sc.AvgPool((2,))],
        [sc.Conv((2,), dilation=3), sc.AvgPool((3,), stride=2), sc.Conv((3,), dilation=2)],
        [sc.AvgPool((2,)), sc.AvgPool((2,)), sc.AvgPool((2,))],
    ],
    ids=repr,
)
def test_the_receptive_field_is_what_a_gradient_reaches(layers: list[Any]) -> None:
    network = sc.Network(layers)
    (field,) = network.receptive_field
    assert field == seen_by_gradients(network, 4 * field)
    assert field == network.table((4 * field,)).layers[-1].receptive_field[0]


def test_receptive_fields_through_sums_and_heads() -> None:
    assert BLOCK.receptive_field == (6, 6)
    assert LENET.receptive_field == (16, 16)
    rows = BLOCK.table((8, 8)).layers
    assert [(row.name, row.receptive_field) for row in rows] == [
        ("first", (3, 3)), ("second", (5, 5)), ("pool", (6, 6)),
    ]  # fmt: skip
    for layers in ([sc.AdaptiveAvgPool(2)], [sc.ConvTranspose(3, stride=2)]):
        with pytest.raises(NotSupportedError, match=r"differs from output to output; see table\(size\)"):
            _ = sc.Network(layers).receptive_field
    with pytest.raises(NotSupportedError, match="no layer with windows"):
        _ = sc.Network([sc.Dense(3)]).receptive_field


REFUSED: list[tuple[Any, Any, str]] = [
    ([], None, "layers must hold a layer"),
    (sc.Conv(3), None, "layers must be a list of operators"),
    ([3], None, "or of pairs of a name and an operator, got 3"),
    ([("a", 3)], None, "or of pairs of a name and an operator"),
    ([("a",)], None, "or of pairs of a name and an operator"),
    ([(3, sc.Conv(3))], None, "the name of a layer must be a text"),
    ([("input", sc.Conv(3))], None, "and not 'input'"),
    ([("a b", sc.Conv(3))], None, "must be letters, digits and underscores"),
    ([("a" * 41, sc.Conv(3))], None, "must be letters, digits and underscores"),
    ([("a", sc.Conv(3)), ("a", sc.Conv(3))], None, "must not name two layers, got 'a'"),
    ([sc.Conv(3), sc.Add()], None, "edges must be given: add1"),
    ([("a", sc.Conv(3))], 3, "edges must be pairs of names"),
    ([("a", sc.Conv(3))], ["ia"], "edges must be pairs of names"),
    ([("a", sc.Conv(3))], [("input", "b")], "edges must be one of a, got 'b'"),
    ([("a", sc.Conv(3))], [("b", "a")], "edges must be one of input, a, got 'b'"),
    ([("a", sc.Conv(3)), ("b", sc.Conv(3))], [("input", "a")], "must say what b reads"),
    ([("a", sc.Conv(3)), ("b", sc.Conv(3))], [("input", "a"), ("input", "b")], "must lead to one output"),
    ([("a", sc.Conv(3)), ("b", sc.Conv(3))], [("input", "a"), ("a", "b"), ("input", "b")], "only an Add joins several"),
    ([("a", sc.Conv(3)), ("s", sc.Add())], [("input", "a"), ("a", "s")], "must be two or more for s"),
    ([("a", sc.Conv(3)), ("b", sc.Conv(3))], [("b", "a"), ("a", "b")], "must have no cycle"),
    (
        [("a", sc.Conv(3)), ("s", sc.Add()), ("z", sc.Conv(1))],
        [("input", "s"), ("a", "s"), ("s", "a"), ("a", "z")],
        "must have no cycle",
    ),
]


@pytest.mark.parametrize(("layers", "edges", "message"), REFUSED, ids=[entry[2] for entry in REFUSED])
def test_what_is_no_network_is_refused(layers: Any, edges: Any, message: str) -> None:
    with pytest.raises(ArgumentError) as refused:
        sc.Network(layers, edges)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("layers", "size", "message"),
    [
        ([sc.Conv(3, in_channels=2)], (1, 6, 6), "conv1: the input must have the 2 channels"),
        ([sc.Conv(3), sc.Conv(3, in_channels=2)], (6, 6), "conv2: the input must have the 2 channels"),
        ([sc.Conv(3), sc.MaxPool(7)], (6, 6), "maxpool1: kernel_size needs an effective size"),
        ([sc.Conv(3), sc.Dense(3)], (6, 6), "dense1: the input must be a vector"),
        ([sc.Conv(3), sc.Flatten(), sc.Dense(3, 4)], (6, 6), "dense1: input_size must be in_features = 4, got 16"),
        ([sc.Flatten(), sc.Conv(3)], (6, 6), "conv1: the input must have channels and 2 spatial axes"),
        ([sc.Conv(3)], (6, 6, 6, 6), "input_size must have 2 spatial sizes, or channels and 2 spatial sizes"),
        ([sc.Conv(3)], (6, 0), "input_size must be >= 1"),
        ([sc.MaxUnpool(2)], (6, 6), "maxunpool1: MaxUnpool"),
        ([sc.Unfold(2)], (6, 6), "unfold1: Unfold"),
    ],
)
def test_what_does_not_follow_on_is_refused_with_the_name_of_the_layer(
    layers: list[Any], size: Any, message: str
) -> None:
    with pytest.raises(SymconvError) as refused:
        sc.Network(layers).shapes(size)
    assert message in str(refused.value)


def test_a_sum_of_two_shapes_is_refused() -> None:
    network = sc.Network([("a", sc.Conv(3)), ("s", sc.Add())], [("input", "a"), ("a", "s"), ("input", "s")])
    with pytest.raises(GeometryError, match=r"s: the inputs must have one shape, got '1x4x4 and 1x6x6'"):
        network.shapes((6, 6))


def test_networks_are_values() -> None:
    assert pickle.loads(pickle.dumps(BLOCK)) == BLOCK == copy.deepcopy(BLOCK)
    assert BLOCK != LENET
    assert len({BLOCK, LENET, copy.copy(BLOCK)}) == 2
    assert eval(repr(BLOCK), vars(sc)) == BLOCK
    assert repr(sc.Network([sc.Conv(3)])) == "Network([('conv1', Conv(kernel_size=(3, 3)))])"


def test_a_sum_by_itself_is_no_kernel_and_says_so() -> None:
    with pytest.raises(NotSupportedError, match=r"by itself: of two arrays it is x \+ y; compile"):
        sc.compile(sc.Add())
