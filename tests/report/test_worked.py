"""The map of a page, read as the page reads it: every number recomputed from the JSON alone."""

from __future__ import annotations

import json
import random
from fractions import Fraction
from math import prod
from typing import Any

import pytest
from networks.test_traced import numbers

import symconv as sc
from symconv.operators.networks.traced import TensorKey
from symconv.report.stations import entries, grids, stations, symbolic_stations
from symconv.report.worked import MOST_ENTRIES, Worked, count_entries, merged_map

LETTERS = {"input": "X", "conv": "Z", "conv.weight": "W", "conv.bias": "b", "relu": "A", "pool": "H", "flatten": "f",
           "dense": "s", "dense.weight": "V", "dense.bias": "d", "loss": "E", "dconv": "G"}  # fmt: skip


def classifier() -> Worked:
    rng = random.Random(1)
    layers = [
        ("conv", sc.Conv(3, padding=1, in_channels=2, out_channels=2, bias=True)),
        ("relu", sc.ReLU("zero")),
        ("pool", sc.MaxPool(2)),
        ("flatten", sc.Flatten()),
        ("dense", sc.Dense(3)),
        ("loss", sc.SquaredError([1, 0, 2])),
    ]
    weights = {"conv": {"weight": numbers(rng, 2, 2, 3, 3), "bias": numbers(rng, 2)},
               "dense": {"weight": numbers(rng, 3, 8), "bias": numbers(rng, 3)}}  # fmt: skip
    return Worked(sc.Network(layers), numbers(rng, 2, 4, 4), weights, 1, LETTERS)


def others() -> dict[str, Worked]:
    rng = random.Random(2)
    line = sc.Network([("c", sc.Conv(3, stride=2, dilation=2, padding=2, ndim=1))])
    residual = sc.Network(
        [("c", sc.Conv(3, padding=1)), ("a", sc.Add()), ("r", sc.ReLU("zero"))],
        [("input", "c"), ("c", "a"), ("input", "a"), ("a", "r")],
    )
    softmax = sc.Network([("s", sc.Softmax()), ("l", sc.CrossEntropy(0))])
    average = sc.Network([("p", sc.AvgPool(2, padding=1, count_include_pad=False)), ("q", sc.LPPool(2, 2))])
    up = sc.Network([("t", sc.ConvTranspose(3, 2, 1, ndim=1))])
    return {
        "1-D": Worked(line, numbers(rng, 9), {"c": {"weight": numbers(rng, 3)}}, numbers(rng, 5)),
        "residual": Worked(residual, numbers(rng, 4, 4), {"c": {"weight": numbers(rng, 3, 3)}}, 1),
        "softmax": Worked(softmax, [2, 2, 2], None, 1),
        "average and LP": Worked(average, numbers(rng, 6, 6), None, 1),
        "transposed": Worked(up, [2, -1, 3], {"t": {"weight": [1, 2, -1]}}, 1),
        "forward only": Worked(up, [2, -1, 3], {"t": {"weight": [1, 2, -1]}}),
    }


def recomputed(page: dict[str, Any], n: int, op: str) -> Fraction | None:
    """A number from its terms; None where one of them is no exact number."""
    terms, values = page["terms"][n], page["values"]
    factors = page["factors"].get(str(n), ["1"] * (len(terms) // 2))
    used = [values[m] for m in terms if m >= 0] + factors
    if any(isinstance(v, str) and ("≈" in v or "ln" in v) for v in used):
        return None
    products = [
        Fraction(str(f).replace("−", "-")) * Fraction(values[a]) * (Fraction(values[b]) if b >= 0 else 1)
        for f, a, b in zip(factors, terms[::2], terms[1::2], strict=True)
    ]
    return {"sum": sum, "max": max, "min": min, "relu": lambda own: max(0, own[0])}[op](products)


@pytest.mark.parametrize("worked", [classifier(), *others().values()], ids=["classifier", *others()])
def test_every_number_of_the_map_is_what_its_terms_give(worked: Worked) -> None:
    page = json.loads(merged_map([worked]))
    count = 0
    for tensor in page["tensors"].values():
        for n in range(tensor["at"], tensor["at"] + prod(tensor["shape"])):
            if tensor.get("op") in ("sum", "max", "min", "relu") and (page["terms"][n] or page["values"][n]):
                again = recomputed(page, n, tensor["op"])
                if again is not None:
                    assert again == Fraction(page["values"][n]), (tensor["title"], n)
                    count += 1
    assert count >= 4
    assert (
        len(page["terms"]) == len(page["values"]) == max(t["at"] + prod(t["shape"]) for t in page["tensors"].values())
    )


def test_the_figure_shows_the_numbers_of_the_map_at_their_places() -> None:
    worked = classifier()
    page = json.loads(merged_map([worked]))
    figure = stations(worked, "fig", "1")
    halves = [half for station in figure.stations for half in (station.values, station.gradients) if half]
    shown = set()
    for grid in (grid for half in halves for row in half.rows for grid in row):
        tensor = page["tensors"][grid.tensor]
        shape = tensor["shape"]
        base = 0
        for index, extent in zip(grid.lead, shape, strict=False):
            base = base * extent + index
        unit = Fraction(tensor.get("unit", 1))
        for r, row in enumerate(grid.rows):
            for c, cell in enumerate(row):
                y, x = (c, r) if grid.turned else (r, c)
                rest = shape[len(grid.lead) :]
                inner = (base * rest[0] + y) * rest[1] + x if len(rest) == 2 else base * prod(rest) + max(x, y)
                n = tensor["at"] + inner
                assert Fraction(cell.text.replace("−", "-")) * unit == Fraction(page["values"][n])
                shown.add(n)
    assert shown == set(range(len(page["values"])))


def test_a_layer_keeps_the_capitals_of_its_name_within_a_sentence() -> None:
    titles = {tensor["title"] for tensor in json.loads(merged_map([classifier()]))["tensors"].values()}
    assert {"Gradient of the ReLU", "Gradient of the max pool"} <= titles


def test_one_number_is_lit_without_a_script_with_what_it_came_from() -> None:
    worked = classifier()
    states = worked.states
    me = worked.number(worked.first)
    assert states[me] == "me"
    page = worked.map()
    assert {n for n, state in states.items() if state == "s1"} == {n for n in page["terms"][me] if n >= 0}
    key, at = worked.first
    assert states[worked.number((TensorKey(key.layer, "output", True), at))] == "twin"


def test_entries_are_written_out_without_products_of_zero() -> None:
    worked = Worked(sc.Network([("c", sc.Conv(2, ndim=1))]), [2, 0, 3], {"c": {"weight": [5, 7]}}, None,
                    {"input": "X", "c": "Z", "c.weight": "W"})  # fmt: skip
    name, sides = worked.formula((TensorKey("c"), (0, 0)))
    assert (name, sides) == ("z_{1}", [r"\SCkernel{w_{1}}\,x_{1}", r"\SCkernel{5} \cdot 2", "10"])
    assert len(entries(worked, TensorKey("c")).rows) == 2
    assert len(grids(worked, TensorKey("c")).grids) == 1


def test_the_same_numbers_give_the_same_bytes() -> None:
    assert merged_map([classifier()]) == merged_map([classifier()])


def test_a_large_plane_is_cropped_around_the_chosen_entry_and_a_huge_network_has_no_numbers() -> None:
    network = sc.Network([("c", sc.Conv(3))])
    rng = random.Random(3)
    worked = Worked(
        network, numbers(rng, 20, 20), {"c": {"weight": numbers(rng, 3, 3)}}, None, {"input": "X", "c": "Z"}
    )
    figure = stations(worked, "fig", "1")
    plane = figure.stations[0].values.rows[0][0]
    assert len(plane.rows) == 12
    assert any("me" in cell.states for row in figure.stations[2].values.rows[0][0].rows for cell in row)
    assert "only the part around the chosen number" in str(figure.caption)
    assert figure.stations[0].shape[0].text == "20 × 20"  # type: ignore[union-attr]
    count = count_entries(network, (100, 100))
    assert count > MOST_ENTRIES
    assert f"{count:,}" in str(symbolic_stations(network, (100, 100), "fig", "1", count).caption)


def test_one_letter_is_not_given_to_two_tensors() -> None:
    network = sc.Network([("c", sc.Conv(3)), ("e", sc.Conv(1))])
    with pytest.raises(sc.SymconvError, match="the letter of e must mean one thing, whatever its case"):
        Worked(network, [[1]], None, None, {"c": "Z", "e": "z"})
    letters = Worked(network, [[1]], None, None, {"input": "Z"}).letters
    assert len({letter.lower() for letter in letters.values()}) == len(letters) == 5


def test_a_decimal_stands_after_the_sign_of_approximation_alone() -> None:
    worked = Worked(sc.Network([("s", sc.Softmax())]), [1, 2, 3], None, None, {"input": "X", "s": "P"})
    figure = stations(worked, "fig", "1")
    assert figure.live is not None
    assert figure.live.formula.latex.endswith(r"\approx 0.09")
    assert r"= \approx" not in figure.live.formula.latex
    assert figure.stations[-1].values.rows[0][0].rows[0][0].text == "≈0.09"


def test_the_panel_speaks_of_layers_and_of_greek_letters_as_one_says_them() -> None:
    layers = [("dense", sc.Dense(2, in_features=2)), ("softmax", sc.Softmax()), ("loss", sc.CrossEntropy(target=0))]
    net = sc.Network(layers)
    letters = {"softmax": "pi", "dense.weight": "V"}
    worked = Worked(net, [1, 2], {"dense": {"weight": [[1, 0], [0, 1]], "bias": [0, 1]}}, 1, letters)
    titles = {worked.title(named) for named in worked.tensors.values()}
    assert {"Fully connected", "Weight of the fully connected layer", "Gradient of the fully connected layer"} <= titles
    assert "all 2 of π" in worked.flows()
    assert {tensor["label"] for tensor in worked.map()["tensors"].values()} >= {"π", "the gradient of π", "V"}
