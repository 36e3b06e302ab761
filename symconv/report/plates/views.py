"""Other views of the same index map: backwards, as counts, as a matrix, and the winners of a maximum."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from math import prod
from typing import Any

from symconv.errors import ArgumentError, NotSupportedError, SizeLimitError
from symconv.formulas.algebra import Reduce
from symconv.formulas.reads import read_tables
from symconv.formulas.walks import walk
from symconv.report.drawing.panels import Span, visible
from symconv.report.drawing.shapes import Paint, Stroke, Symbol, Tone
from symconv.report.plates.layer import DrawnLayer, Place, index_words
from symconv.report.plates.plate import Plate, Ring, Spot, State
from symconv.report.plates.sheet import Arrow, Composed, drawn
from symconv.report.plates.window import Contents, input_plate, kernel_plates, listing, output_plates

__all__ = ["backward_sheet", "counts_sheet", "matrix_sheet", "winners_sheet"]

_MOST_LINES, _MOST_MATRIX = 100, 6_000


def backward_sheet(layer: DrawnLayer, entry: Place, contents: Contents) -> tuple[Composed, dict[str, Any]]:
    """Which outputs read an entry of the input, each with the weight that it reads it with."""
    readers = layer.readers(entry)
    own, plane = layer.split("input", entry)
    numbers = contents.get("input", {})

    def at(place: Place) -> Spot:
        index = (*own, *place)
        state: State = "chosen" if index == entry else "waiting"
        return Spot(state, numbers.get(index, layer.symbol("input", index)))

    inputs = _plain_plate(layer, own, _entries_only(layer, plane), at)
    touched: dict[Place, list[Symbol | str]] = {}
    for one in readers:
        label: Symbol | str = "" if one.weight is None else layer.symbol("weight", one.weight)
        touched.setdefault(one.entry, []).append(label)

    def through(place: Place, lead: Place) -> Spot:
        labels = touched.get((*lead, *place))
        if labels is None:
            return Spot("waiting", layer.symbol("output", (*lead, *place)))
        if labels[0] == "":
            return Spot("touching", layer.symbol("output", (*lead, *place)))
        return Spot("touching", labels[0] if len(labels) == 1 else f"{len(labels)} taps")

    leads = layer.planes("output", [layer.split("output", found)[0] for found in touched])
    first = min(touched, default=None)
    focus = None if first is None else layer.split("output", first)[1]
    outputs: list[Plate | Arrow] = [
        layer.plate("output", lead, layer.cut("output", focus), lambda place, lead=lead: through(place, lead))
        for lead in leads
    ]
    kernels = kernel_plates(layer, readers, contents)
    columns: list[list[Plate | Arrow]] = [[inputs]]
    if kernels:
        columns.append([*kernels])
    columns += [[Arrow("read by")], outputs]
    name = layer.entry_words("input", entry)
    pairs = []
    for output, weight in dict.fromkeys((one.entry, one.weight) for one in readers):
        by = "" if weight is None else f" with {layer.entry_words('weight', weight)}"
        pairs.append(layer.entry_words("output", output) + by)
    text = f"{name} is read by {listing(pairs)}." if pairs else f"{name} is read by no output."
    record = {
        "input": list(entry),
        "read by": [
            {"output": list(one.entry), "weight": None if one.weight is None else list(one.weight)} for one in readers
        ],
    }
    title = f"{layer.op!r}: which outputs read input {index_words(entry, layer.base)}"
    return drawn(title, text, columns), record


def counts_sheet(layer: DrawnLayer) -> tuple[Composed, dict[str, Any]]:
    """How many outputs read each entry of the input.

    Raises:
        SizeLimitError: where there is too much to count.
    """
    lead = (0,) * (len(layer.shapes["input"]) - layer.axes("input"))
    cut = _entries_only(layer)
    counts = layer.counts(lead, cut)
    if counts is None:
        raise SizeLimitError("there are too many outputs to count them; take a smaller input or fewer channels")
    most = max(1, *counts.values()) if counts else 1

    def tile(place: Place) -> Spot:
        count = counts.get(place, 0)
        return Spot("idle", str(count), Paint("upstream", 8 + 38 * count // most)) if count else Spot("unread", "0")

    plate = _plain_plate(layer, lead, cut, tile)
    shown = [range(span.first, span.stop) for span in cut[2 - layer.axes("input") :]]
    listed = [{"input": [*lead, *place], "outputs": counts.get(place, 0)} for place in product(*shown)]
    values = sorted({int(counts.get(tuple(place), 0)) for place in product(*shown)})
    text = f"How many outputs read each entry of the input; the counts are {', '.join(map(str, values))}."
    return drawn(f"{layer.op!r}: how many outputs read each input", text, [[plate]]), {"counts": listed}


def _entries_only(layer: DrawnLayer, focus: Place | None = None) -> tuple[Span, Span]:
    """The cut of the input without padding and without stretch."""
    plane = layer.shapes["input"][len(layer.shapes["input"]) - layer.axes("input") :]
    *_, rows, columns = ((0, 1), (0, 1), *((0, n) for n in plane))
    *_, row, column = ((0, 1), (0, 1), *((i, i + 1) for i in focus or (0,) * len(plane)))
    return visible(rows, columns, row, column)


def _plain_plate(
    layer: DrawnLayer, lead: Place, cut: tuple[Span, Span], tile: Callable[[Place], Spot], **more: Any
) -> Plate:
    """A plane of the input whose places are its entries."""
    axes = layer.axes("input")
    tiles = {(r, c): tile((r, c)[2 - axes :]) for r in cut[0].shown() for c in cut[1].shown()}
    heading = layer.heading("input", lead)
    return Plate(heading, "input", layer.letters["input"], lead, *cut, tiles, flat=axes == 1, **more)


def matrix_sheet(layer: DrawnLayer) -> tuple[Composed, dict[str, Any]]:
    """The matrix of the layer: a row an output, a column an input, both row-major, coloured by the weight.

    Raises:
        SizeLimitError: where it is too large to be seen.
    """
    shapes = layer.shapes
    high, wide = prod(shapes["output"]), prod(shapes["input"])
    if max(high, wide) > _MOST_LINES or high * wide > _MOST_MATRIX:
        raise SizeLimitError(
            f"a matrix of {high} by {wide} entries is too large to be seen (limit {_MOST_LINES} lines and "
            f"{_MOST_MATRIX} entries); take a smaller input or fewer channels"
        )
    cells: dict[tuple[int, int], list[Place | None]] = {}
    for table in read_tables(layer.formula, layer.env):
        for one in table.listed():
            if one.inside:
                place = _flat(one.entry, shapes["output"]), _flat(one.at, shapes["input"])
                cells.setdefault(place, []).append(one.weight)
    weights = sorted({w for ws in cells.values() for w in ws if w is not None})
    shades = {w: _shade(w, shapes["weight"]) for w in weights}

    def tile(row: int, column: int) -> Spot:
        found = cells.get((row, column))
        if found is None:
            return Spot("zero")
        if len(found) == 1 and found[0] is not None:
            return Spot("tap", layer.symbol("weight", found[0]), shades[found[0]])
        return Spot("tap", "" if found[0] is None and len(found) == 1 else f"{len(found)}×", Paint("hair", 70))

    rows, columns = Span(0, high, 0, high), Span(0, wide, 0, wide)
    tiles = {(r, c): tile(r, c) for r in range(high) for c in range(wide)}
    plate = Plate(
        f"a row an output {layer.letters['output']}, a column an input {layer.letters['input']}",
        "matrix",
        "",
        (),
        rows,
        columns,
        tiles,
        frames=_blocks(shapes["output"], shapes["input"]),
    )
    record = {
        "rows": list(shapes["output"]),
        "columns": list(shapes["input"]),
        "entries": [
            {"row": r, "column": c, "weights": [None if w is None else list(w) for w in ws]}
            for (r, c), ws in sorted(cells.items())
        ],
    }
    text = (
        f"A matrix of {high} by {wide}: {len(cells)} entries are not 0"
        + (f", made of {len(weights)} weights" if weights else "")
        + ". What is equal is of one colour; lines part the rows of the images."
    )
    return drawn(f"{layer.op!r} as a matrix", text, [[plate]]), record


def _shade(weight: Place, shape: Place) -> Paint:
    """The colour of a weight: orange and blue by the row of the kernel, stronger along it; text stays legible on it."""
    *rows, column = weight or (0,)
    extent = shape[-1] if shape else 1
    tone: Tone = "upstream" if sum(rows[-1:]) % 2 else "kernel"
    return Paint(tone, 12 + 34 * column // max(1, extent - 1))


def _flat(index: Place, shape: Place) -> int:
    """The place of an index in row-major order."""
    place = 0
    for i, n in zip(index, shape, strict=True):
        place = place * n + i
    return place


def _blocks(output: Place, entries: Place) -> tuple[Ring, ...]:
    """A frame for every pair of image rows, where there are rows."""
    down = output[-1] if len(output) > 1 else prod(output)
    across = entries[-1] if len(entries) > 1 else prod(entries)
    high, wide = prod(output), prod(entries)
    return tuple(
        Ring(top, left, down, across, Stroke("mute", "hair"))
        for top in range(0, high, down)
        for left in range(0, wide, across)
    )


def winners_sheet(layer: DrawnLayer, output: Place, contents: Contents, data: Any) -> tuple[Composed, dict[str, Any]]:
    """The winners of a maximum in an array of numbers, and the window of one output.

    Raises:
        ArgumentError: without numbers.
        NotSupportedError: for an operator that takes no maximum or minimum.
    """
    kinds = {node.op for node in walk(layer.formula.body) if isinstance(node, Reduce)} - {"sum"}
    if len(kinds) != 1 or "weight" in layer.letters:
        raise NotSupportedError(f"{layer.op!r} has no winners: it takes no maximum of entries of its input")
    if data is None:
        raise ArgumentError("data", None, "must be an array of numbers in the shape of the input", "pass data=...")
    best = max if kinds == {"max"} else min
    won: dict[Place, list[Place]] = {}
    for table in read_tables(layer.formula, layer.env):
        windows: dict[Place, list[Place]] = {}
        for one in table.listed():
            windows.setdefault(one.entry, []).append(one.at)
        for entry, places in windows.items():
            top = best(data[place] for place in places)
            first = [place for place in places if data[place] == top]
            for place in first[:1] if layer.op.tie_policy() == "first" else first:
                won.setdefault(place, []).append(entry)
    read = layer.reads(output)
    lead = layer.split("input", read[0].at)[0] if read else ()
    base = input_plate(layer, lead, output, (), contents)

    def tile(place: Place) -> Spot:
        spot = base.tiles[((0, *place) if base.flat else place)]  # type: ignore[index]
        return Spot("winner", spot.content) if (*lead, *place) in won else spot

    marked = {at: tile(at[2 - layer.axes("input") :]) for at in base.tiles}
    framed = input_plate(layer, lead, output, read, contents)
    plate = Plate(
        base.heading,
        "input",
        base.letter,
        lead,
        framed.rows,
        framed.columns,
        marked,
        frames=framed.frames,
        flat=base.flat,
    )
    columns: list[list[Plate | Arrow]] = [[plate], [Arrow("maximum" if best is max else "minimum")]]
    columns.append(output_plates(layer, output, contents))
    mine = [layer.entry_words("input", place) for place, entries in won.items() if output in entries]
    text = (
        f"{layer.entry_words('output', output)} is {listing(mine)}. {len(won)} entries win a window; they are filled."
    )
    record = {"winners": [{"input": list(at), "outputs": [list(o) for o in who]} for at, who in sorted(won.items())]}
    return drawn(f"{layer.op!r}: the winners", text, columns), record
