"""What one output of a network depends on: its receptive field, layer by layer back to the input."""

from __future__ import annotations

from itertools import product
from typing import Any

from symconv.doors import items, plain_integer
from symconv.errors import ArgumentError, GeometryError, NotSupportedError, SizeLimitError
from symconv.formulas.reads import read_tables
from symconv.operators.base import Operator
from symconv.operators.joining import Add
from symconv.operators.networks.network import Network
from symconv.operators.networks.shape import INPUT
from symconv.report.drawing.panels import Span
from symconv.report.plates.layer import DrawnLayer, Place, index_words
from symconv.report.plates.plate import Plate, Spot, State
from symconv.report.plates.sheet import Arrow, Composed, drawn

__all__ = ["field_sheet"]

_MOST_LAYERS, _WHOLE = 12, 24


def field_sheet(network: Network, size: Any, at: Any, base: int) -> tuple[Composed, dict[str, Any]]:
    """The input and what every layer gives, with the places that one place of the output depends on.

    Channels are left out: a place is marked where any channel of it is read.

    Raises:
        ArgumentError: without a size; GeometryError for no place of the output.
        SizeLimitError: for more layers than can be seen.
    """
    if size is None:
        raise ArgumentError("input_size", None, "must be given: a figure has numbers for all sizes")
    if plain_integer("index_base", base, requirement="must be 0 or 1") not in (0, 1):
        raise ArgumentError("index_base", base, "must be 0 or 1")
    if len(network.layers) > _MOST_LAYERS:
        raise SizeLimitError(
            f"{len(network.layers)} layers are too many for one picture (limit {_MOST_LAYERS}); draw a part of them"
        )
    shapes = {name: _numbers(shape) for name, shape in network.shapes(size).items()}
    axes = network.spatial_axes
    planes = {
        name: shape[1:] if axes is not None and len(shape) == axes + 1 else shape for name, shape in shapes.items()
    }
    if max(map(len, planes.values())) > 2:
        raise NotSupportedError("a figure is flat: it shows 1 or 2 spatial axes of what a layer gives")
    output = _place(at, planes[network.output], base)
    marks: dict[str, set[Place]] = {name: set() for name in shapes}
    marks[network.output].add(output)
    fitted = network.fitted(shapes)
    for name in reversed(network.names):
        for source in network.sources(name):
            marks[source] |= _before(fitted[name], shapes[source], planes[source], planes[name], marks[name])
    columns: list[list[Plate | Arrow]] = []
    chain = all(len(network.sources(name)) == 1 for name in network.names)
    for name in (INPUT, *network.names):
        if columns and chain:
            columns.append([Arrow(type(network[name]).__name__)])
        columns.append([_plate(name, planes[name], marks[name], name == network.output)])
    ends = " by ".join(f"{min(line) + base} to {max(line) + base}" for line in zip(*marks[INPUT], strict=True))
    text = f"Output {index_words(output, base)} of the network depends on the input"
    text += f" at {len(marks[INPUT])} places, {ends}." if marks[INPUT] else " at no place."
    record = {"output": list(output), "field": {name: sorted(map(list, own)) for name, own in marks.items()}}
    title = f"The receptive field of output {index_words(output, base)} through {len(network.layers)} layers"
    return drawn(title, text, columns), record


def _numbers(shape: Any) -> Place:
    """A shape of integers.

    Raises:
        ArgumentError: for a symbolic one.
    """
    for n in shape:
        if not isinstance(n, int):
            raise ArgumentError("input_size", n, "must be integers: a figure has numbers for all sizes")
    return tuple(shape)


def _place(at: Any, plane: Place, base: int) -> Place:
    """A place of the output, counted from 0; the middle one unless given."""
    if at is None:
        return tuple((n - 1) // 2 for n in plane)
    entries = items(at)
    place = tuple(plain_integer("at", i) - base for i in ((at,) if entries is None else entries))
    if len(place) != len(plane) or any(not 0 <= i < n for i, n in zip(place, plane, strict=True)):
        last = index_words(tuple(n - 1 for n in plane), base)
        first = index_words((0,) * len(plane), base)
        raise GeometryError("at", at, f"must be a place of the output, without its channel: from {first} to {last}")
    return place


def _before(op: Operator, shape: Place, source: Place, plane: Place, marks: set[Place]) -> set[Place]:
    """The places of what a layer reads that some places of what it gives depend on.

    Raises:
        NotSupportedError: for a layer whose formula has other indices than the arrays of the network, such as patches.
    """
    if isinstance(op, Add) or op.place_by_place or not marks:
        return set(marks)
    layer = DrawnLayer.of(op, shape[len(shape) - op.spatial_axes :])
    box = [(min(line), max(line)) for line in zip(*marks, strict=True)]
    given, rank = layer.shapes["output"], len(source)
    lead = len(given) - len(plane)
    # channels may be left out where every channel of the output reads the same places
    if given[lead:] != plane or layer.shapes["input"][-rank:] != source or (lead > 0 and not layer.slides):
        raise NotSupportedError(f"{op!r} gives an array of other indices than its formula; it is drawn by itself alone")
    found: set[Place] = set()
    for table in read_tables(layer.formula, layer.env, entries=[*[(0, 0)] * lead, *box]):
        for entry, read, inside in zip(table.entry.tolist(), table.at.tolist(), table.inside.tolist(), strict=True):
            if inside and tuple(entry[lead:]) in marks:
                found.add(tuple(read[len(read) - rank :]))
    return found


def _around(n: int, ends: tuple[int, int]) -> Span:
    """What is shown of an axis: all of it, or what is marked and a little around; of a long stretch its middle."""
    if n <= _WHOLE:
        return Span(0, n, 0, n)
    middle, half = (ends[0] + ends[1]) // 2, min(_WHOLE // 2, (ends[1] - ends[0] + 1) // 2 + 2)
    return Span(0, n, max(0, middle - half), min(n, middle + half))


def _plate(name: str, plane: Place, marks: set[Place], last: bool) -> Plate:
    """What a layer gives, with its marked places."""
    *_, high, wide = (1, 1, *plane)
    ends: list[tuple[int, int]] = [(0, 1)] * len(plane)
    if marks:
        ends = [(min(line), max(line) + 1) for line in zip(*marks, strict=True)]
    *_, row, column = ((0, 1), (0, 1), *ends)
    cut = _around(high, row), _around(wide, column)
    marked: State = "chosen" if last else "read"
    tiles = {
        (r, c): Spot(marked if (r, c)[2 - len(plane) :] in marks else "waiting")
        for r, c in product(cut[0].shown(), cut[1].shown())
    }
    return Plate(name, "layer", name, (), *cut, tiles, flat=len(plane) == 1)
