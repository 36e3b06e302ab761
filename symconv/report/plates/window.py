"""The window of one output: what it reads of the input, with which weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from symconv.errors import SizeLimitError
from symconv.formulas.reads import Read
from symconv.report.plates.layer import DrawnLayer, Place, index_words
from symconv.report.plates.plate import Plate, Ring, Spot
from symconv.report.plates.sheet import Arrow, Composed, drawn

__all__ = ["Contents", "every_window", "input_plate", "kernel_plates", "listing", "output_plates", "window_sheet"]

Contents = Mapping[str, Mapping[Place, str]]
"""The numbers of arrays that are known: by role, by index."""

_MOST_LISTED = 24
_MOST_TILES = 36


def window_sheet(layer: DrawnLayer, output: Place, contents: Contents) -> tuple[Composed, dict[str, Any]]:
    """Input with the window of an output, kernel, output; and the same for programs."""
    read = layer.reads(output)
    columns = [*_columns(layer, output, read, contents)]
    columns += [[Arrow()], output_plates(layer, output, contents)]
    title = f"{layer.op!r}: what output {index_words(output, layer.base)} reads"
    return drawn(title, _words(layer, output, read), columns), record(output, read)


def record(output: Place, read: Sequence[Read]) -> dict[str, Any]:
    """Which entries an output reads, for programs; indices count from 0, and None stands for what there is not."""
    return {
        "output": list(output),
        "reads": [
            {
                "input": list(one.at) if one.inside else None,
                "weight": None if one.weight is None else list(one.weight),
            }
            for one in read
        ],
    }


def _columns(layer: DrawnLayer, output: Place, read: Sequence[Read], contents: Contents) -> list[list[Plate | Arrow]]:
    """The planes of the input that an output reads, and of the weights that it reads them with."""
    leads = [layer.split("input", one.at)[0] for one in read]
    inputs: list[Plate | Arrow] = [
        input_plate(layer, lead, output, read, contents) for lead in layer.planes("input", leads)
    ]
    kernels = kernel_plates(layer, read, contents)
    return [inputs, [*kernels]] if kernels else [inputs]


def input_plate(
    layer: DrawnLayer,
    lead: Place,
    output: Place,
    read: Sequence[Read],
    contents: Contents,
    heading: str | None = None,
) -> Plate:
    """A plane of the input with what an output reads of it."""
    split = layer.split
    own = {split("input", one.at)[1] for one in read if one.inside and split("input", one.at)[0] == lead}
    reached = {layer.place(plane) for plane in own}
    under, frame = _window(layer, output, bool(own) or len(layer.shapes["input"]) == layer.axes("input"))
    marks = under or sorted(reached)
    focus = tuple(min(ends) for ends in zip(*marks, strict=True)) if marks else None
    span = tuple(max(ends) - min(ends) + 1 for ends in zip(*marks, strict=True)) if marks else None
    cut = layer.cut("input", focus, span)
    counts = layer.counts(lead, cut)
    tiles = _InputTiles(layer, lead, reached, frozenset(under), counts, contents.get("input", {}))
    frames = () if frame is None else (frame,)
    return layer.plate("input", lead, cut, tiles, frames=frames, heading=heading or layer.heading("input", lead))


def _window(layer: DrawnLayer, output: Place, read: bool) -> tuple[list[Place], Ring | None]:
    """The places under the window of an output, and the frame around them; none where windows are not all alike."""
    if not layer.slides or not read:
        return [], None
    lines = [layer.window(axis, o) for axis, o in enumerate(layer.split("output", output)[1])]
    sides = [(min(line), max(line) - min(line) + 1) for line in lines]
    (top, high), (left, wide) = sides if len(sides) == 2 else ((0, 1), sides[0])
    return list(product(*lines)), Ring(top, left, high, wide)


class _InputTiles:
    """The tile of every place of a plane of the input."""

    def __init__(
        self,
        layer: DrawnLayer,
        lead: Place,
        reached: set[Place],
        under: frozenset[Place],
        counts: Mapping[Place, int] | None,
        numbers: Mapping[Place, str],
    ) -> None:
        self.layer, self.lead, self.reached, self.under = layer, lead, reached, under
        self.counts, self.numbers = counts, numbers
        self.extents = layer.shapes["input"][len(lead) :]

    def __call__(self, place: Place) -> Spot:
        layer, under = self.layer, place in self.under
        steps = layer.stretch
        plane = tuple(p // step for p, step in zip(place, steps, strict=True))
        if all(p % step == 0 and 0 <= i < n for p, i, step, n in zip(place, plane, steps, self.extents, strict=True)):
            index = (*self.lead, *plane)
            label = self.numbers.get(index, layer.symbol("input", index))
            if place in self.reached:
                return Spot("read", label)
            return Spot("idle" if self.counts is None or self.counts.get(plane) else "unread", label)
        if all(0 <= p <= step * (n - 1) for p, step, n in zip(place, steps, self.extents, strict=True)):
            return Spot("gap read" if under else "gap", "0")
        if not all(low <= p < high for p, (low, high) in zip(place, layer.padded, strict=True)):
            return Spot("absent")
        copied = layer.copied(place)
        if copied is not None:
            index = (*self.lead, *copied)
            label = self.numbers.get(index, layer.symbol("input", index))
            return Spot("padding read" if under else "padding", label)
        return Spot("padding read" if under else "padding", "0" if layer.pads_with_zeros else "")


def kernel_plates(layer: DrawnLayer, read: Sequence[Read], contents: Contents) -> list[Plate]:
    """The planes of the weights that an output reads; those that meet an entry are darker."""
    used = {one.weight for one in read if one.weight is not None and one.inside}
    leads = [layer.split("weight", one.weight)[0] for one in read if one.weight is not None]
    numbers = contents.get("weight", {})
    plates = []
    for lead in list(dict.fromkeys(leads))[:4]:

        def tile(plane: Place, lead: Place = lead) -> Spot:
            index = (*lead, *plane)
            return Spot("tap" if index in used else "spare tap", numbers.get(index, layer.symbol("weight", index)))

        cut = layer.cut("weight")
        axes = layer.axes("weight")
        high, wide = (1, *layer.shapes["weight"])[-2:] if axes == 1 else layer.shapes["weight"][-2:]
        frame = Ring(0, 0, 1 if axes == 1 else high, wide)
        plates.append(layer.plate("weight", lead, cut, tile, frames=(frame,)))
    return plates


def output_plates(layer: DrawnLayer, output: Place, contents: Contents) -> list[Plate | Arrow]:
    """The planes of the output, with one entry filled."""
    own, plane = layer.split("output", output)
    numbers = contents.get("output", {})
    plates: list[Plate | Arrow] = []
    for lead in layer.planes("output", [own]):

        def tile(place: Place, lead: Place = lead) -> Spot:
            index = (*lead, *place)
            label = numbers.get(index, layer.symbol("output", index))
            return Spot("chosen" if index == output else "waiting", label)

        plates.append(layer.plate("output", lead, layer.cut("output", plane), tile))
    return plates


def _words(layer: DrawnLayer, output: Place, read: Sequence[Read]) -> str:
    """What the picture shows, in sentences."""
    inside = [layer.entry_words("input", one.at) for one in read if one.inside]
    outside = sum(not one.inside for one in read)
    sizes = " by ".join(map(str, layer.shapes["input"]))
    text = f"Input {layer.letters['input']} of size {sizes}. {layer.entry_words('output', output)} "
    text += f"reads {listing(list(dict.fromkeys(inside)))}" if inside else "reads no entry of the input"
    text += f", and {outside} in the padding, which count as 0." if outside else "."
    step = max(layer.stretch, default=1)
    if step > 1:
        text += f" The entries of the input stand {' by '.join(map(str, layer.stretch))} apart, with zeros between."
    return text


def listing(entries: Sequence[str]) -> str:
    """Entries in a sentence; of many the first ones and how many there are."""
    if len(entries) > _MOST_LISTED:
        return f"{', '.join(entries[:_MOST_LISTED])} and {len(entries) - _MOST_LISTED} more"
    return ", ".join(entries)


def every_window(layer: DrawnLayer, contents: Contents) -> tuple[Composed, list[dict[str, Any]]]:
    """The windows of all outputs beside each other: the first plane of the input, once for every output.

    Raises:
        SizeLimitError: where they are too many for one picture.
    """
    shape = layer.shapes["output"]
    lead = (0,) * (len(shape) - layer.axes("output"))
    plane = shape[len(lead) :]
    outputs = [(*lead, *place) for place in product(*map(range, plane))]
    if len(outputs) > _MOST_TILES:
        raise SizeLimitError(
            f"{len(outputs)} windows are too many for one picture (limit {_MOST_TILES}); choose one output, or animate"
        )
    plates, records = [], []
    for output in outputs:
        read = layer.reads(output)
        first = (
            layer.split("input", read[0].at)[0] if read else (0,) * (len(layer.shapes["input"]) - layer.axes("input"))
        )
        plates.append(input_plate(layer, first, output, read, contents, layer.entry_words("output", output)))
        records.append(record(output, read))
    per_row = plane[-1] if len(plane) == 2 else 1
    columns: list[list[Plate | Arrow]] = [[*plates[start::per_row]] for start in range(per_row)]
    text = f"The window of every output, {len(outputs)} in all: what each reads of the input is filled and framed."
    return drawn(f"{layer.op!r}: the windows of all outputs", text, columns), records
