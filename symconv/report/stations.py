"""The figure of a network at work, and the tables of its tensors: from a `Worked` network to blocks of a document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from math import prod
from typing import Any, Literal

from symconv.operators.networks.network import Network
from symconv.operators.networks.traced import TensorKey
from symconv.report.exercise import (
    CellState,
    Entries,
    Grid,
    GridCell,
    Grids,
    Half,
    Live,
    Station,
    Stations,
    WrittenEntry,
)
from symconv.report.inline import Inline, Math, Text
from symconv.report.numbers import cell_text, equated, latex_number, unit_words
from symconv.report.worked import MOST_ENTRIES, NamedTensor, Worked, layer_words

__all__ = ["MOST_ACROSS", "entries", "grid", "grids", "stations", "symbolic_stations"]

MOST_ACROSS = 12
"""A plane with more entries on an axis is cropped around the chosen entry."""

_FRAMES: tuple[tuple[CellState, int, int], ...] = (("et", -1, 0), ("eb", 1, 0), ("el", 0, -1), ("er", 0, 1))


def stations(worked: Worked, identifier: str, number: str) -> Stations:
    """A network at work: a strip of stations, the gradients below where there are any, one number chosen.

    Args:
        worked: the network with its numbers.
        identifier: the id of the figure.
        number: its number.
    """
    key, at = worked.first
    name, sides = worked.formula(worked.first)
    flows = worked.flows()
    live = Live(
        (Text(worked.place_words((key, at))),),
        Math(" ".join((name, *(f"{sign} {side}" for sign, side in map(equated, sides))))),
        (Text(f"Flows into {', '.join(flows)}." if flows else "Nothing further is computed from it."),),
    )
    words = unit_words(worked.gradient_unit)
    caption = "The network at work. Values from left to right."
    if worked.upstream is not None:
        caption = "The network at work. Upper half: values, left to right. Lower half: gradients, right to left"
        caption += f", {words}." if words else "."
    cut = [named for named in worked.tensors.values() if _is_cut(named)]
    if cut:
        caption += f" Of {', '.join(named.letter for named in cut)} only the part around the chosen number is drawn."
    return Stations(identifier, number, tuple(_stations(worked)), live, (Text(caption),))


def _stations(worked: Worked) -> Iterator[Station]:
    yield _station(worked, TensorKey("input"), "Input")
    group: list[TensorKey] = []
    for layer, op in worked.network.layers:
        weight = TensorKey(layer, "weight")
        vector = not worked.tensors[TensorKey(layer)].plane
        if not vector:
            if weight in worked.tensors:
                yield _kernels(worked, layer)
            yield _station(worked, TensorKey(layer), layer_words(op))
            continue
        if weight in worked.tensors and group and [key.layer for key in group] != [*worked.network.sources(layer)]:
            yield _vectors(worked, group)
            group = []
        group.append(TensorKey(layer))
    if group:
        yield _vectors(worked, group)


def _station(worked: Worked, key: TensorKey, words: str) -> Station:
    """The planes of one tensor, those of a channel below each other."""
    named, twin = worked.tensors[key], worked.tensors.get(TensorKey(key.layer, key.role, True))
    planes = [(grid(worked, key, lead),) for lead in _leads(named)]
    below = [(grid(worked, twin.key, lead),) for lead in _leads(twin)] if twin else []
    help_words = _help(worked, named)
    return Station(
        (Text(f"{words} "), Math(worked.array(key))),
        (Text(_shape_words(named)),),
        Half((Text(help_words),) if help_words else (), tuple(planes)),
        Half(_gradient_words(worked, twin), tuple(below)) if twin else None,
    )


def _help(worked: Worked, named: NamedTensor) -> str:
    """One line of help: what the cells of a tensor that are not plain mean."""
    if any(sum(pair) for pair in named.ring):
        return "outside reads 0"
    if named.key in _rectified(worked):
        return "hatched: ReLU stops it"
    if _winners(worked, named.key):
        return "corner: the winner"
    return ""


def _kernels(worked: Worked, layer: str) -> Station:
    """The kernel of a layer, that of channel c to channel o in row c and column o, its bias below."""
    weight, bias = TensorKey(layer, "weight"), TensorKey(layer, "bias")
    named = worked.tensors[weight]
    labels = named.upper == 2
    words = f"{named.inner[0]} → {named.inner[1]}, " if labels else ""
    transposed = type(worked.network[layer]).__name__ == "ConvTranspose"
    if labels:
        to, source = (1, 0) if transposed else (0, 1)
        words = f"{named.inner[source]} → {named.inner[to]}, "
    shape = words + "×".join(map(str, named.inner[named.upper :]))
    gradients = TensorKey(layer, "weight", True) in worked.tensors
    title: list[Inline] = [Text("Kernels " if labels else "Kernel "), Math(worked.array(weight))]
    if bias in worked.tensors:
        title += [Text(", bias "), Math(worked.array(bias))]
    help_words = ("upper index: from, to" if transposed else "upper index: to, from") if labels else ""
    below = _gradient_words(worked, worked.tensors.get(TensorKey(layer, "weight", True)))
    return Station(
        tuple(title),
        (Text(shape),),
        Half((Text(help_words),) if help_words else (), tuple(_kernel_rows(worked, layer, False, transposed))),
        Half(below, tuple(_kernel_rows(worked, layer, True, transposed))) if gradients else None,
    )


def _kernel_rows(worked: Worked, layer: str, gradient: bool, transposed: bool) -> Iterator[tuple[Grid, ...]]:
    key = TensorKey(layer, "weight", gradient)
    named = worked.tensors[key]
    if named.upper == 2:
        rows, columns = named.inner[:2] if transposed else named.inner[1::-1]
        for r in range(rows):
            pairs = [(r, c) if transposed else (c, r) for c in range(columns)]
            yield tuple(
                grid(worked, key, (*pair, *rest), caption=_kernel_name(worked, key, pair))
                for pair in pairs
                for rest in product(*map(range, named.inner[2:-2]))
            )
    else:
        yield from ((grid(worked, key, lead),) for lead in _leads(named))
    bias = TensorKey(layer, "bias", gradient)
    if bias in worked.tensors:
        yield (grid(worked, bias, (), caption=Math(worked.array(bias))),)


def _kernel_name(worked: Worked, key: TensorKey, pair: tuple[int, int]) -> Math:
    """W with the channels above; a gradient says so above its half."""
    letter = worked.array(TensorKey(key.layer, key.role))
    return Math(rf"{letter}^{{{''.join(str(n + worked.index_base) for n in pair)}}}")


def _vectors(worked: Worked, group: Sequence[TensorKey]) -> Station:
    """Vectors in a row each; a weight stands turned beside its vector, so that an output is the sum of a column."""
    layer = group[0].layer
    weight = TensorKey(layer, "weight")
    if weight not in worked.tensors and any(TensorKey(key.layer, "weight") in worked.tensors for key in group):
        layer = next(key.layer for key in group if TensorKey(key.layer, "weight") in worked.tensors)
        weight = TensorKey(layer, "weight")
    names: list[Inline] = []
    values, value_labels = _vector_rows(worked, group, weight, False)
    down, down_labels = _vector_rows(worked, group, weight, True)
    if weight in worked.tensors and len(worked.tensors[weight].inner) == 2:
        source = TensorKey(worked.network.sources(layer)[0])
        names = [
            Math(worked.array(source)),
            Text(" and "),
            Math(rf"{worked.array(weight)}^{{\mathsf{{T}}}}"),
            Text(", outputs"),
        ]
        shape = f"{worked.tensors[weight].inner[1]} → {worked.tensors[weight].inner[0]}"
    else:
        names = [Text(layer_words(worked.network[layer])), Text(" "), Math(worked.array(group[0]))]
        shape = _shape_words(worked.tensors[group[0]])
    gradient = TensorKey(group[-1].layer, "output", True) in worked.tensors
    below = unit_words(worked.gradient_unit)
    words = (Text(f"gradients, {below}" if below else "gradients"),)
    return Station(
        tuple(names),
        (Text(shape),),
        Half((), tuple(values), tuple(value_labels)),
        Half(words, tuple(down), tuple(down_labels)) if gradient else None,
    )


def _vector_rows(
    worked: Worked, group: Sequence[TensorKey], weight: TensorKey, gradient: bool
) -> tuple[list[tuple[Grid, ...]], list[tuple[Inline, ...]]]:
    rows: list[tuple[Grid, ...]] = []
    labels: list[tuple[Inline, ...]] = []

    def put(key: TensorKey) -> None:
        own = TensorKey(key.layer, key.role, gradient)
        if own in worked.tensors:
            rows.append((grid(worked, own, (), flat=True),))
            labels.append((Math(worked.array(own)),))

    for key in group:
        own = TensorKey(key.layer, "weight")
        if own == weight and own in worked.tensors and len(worked.tensors[own].inner) == 2:
            source = TensorKey(worked.network.sources(key.layer)[0], "output", gradient)
            pair = [grid(worked, source, (), flat=True, down=True)] if source in worked.tensors else []
            turned = TensorKey(own.layer, own.role, gradient)
            if turned in worked.tensors:
                pair.append(grid(worked, turned, (), flat=True, turned=True))
            rows.append(tuple(pair))
            labels.append(())
        if TensorKey(key.layer, "bias") in worked.tensors:
            put(TensorKey(key.layer, "bias"))
        if TensorKey(key.layer, "target") in worked.tensors and not gradient:
            put(TensorKey(key.layer, "target"))
        if not _beside_weight(worked, key, group, weight):
            put(key)
    return rows, labels


def _beside_weight(worked: Worked, key: TensorKey, group: Sequence[TensorKey], weight: TensorKey) -> bool:
    """Whether a vector is shown beside the weight that reads it."""
    return (
        weight in worked.tensors
        and key.layer in worked.network.sources(weight.layer)
        and TensorKey(weight.layer) in group
    )


def _gradient_words(worked: Worked, twin: NamedTensor | None) -> tuple[Inline, ...]:
    if twin is None:
        return ()
    unit = unit_words(worked.gradient_unit)
    array = worked.array(twin.key)
    whole: list[Inline] = [Math(array)]
    if worked.letters.get("d" + twin.key.layer) and twin.key.role == "output":
        named = worked.array(TensorKey(twin.key.layer))
        whole = [Math(rf"{array}=\partial E/\partial {named}")]
    return (*whole, Text(f", {unit}")) if unit else tuple(whole)


def _shape_words(named: NamedTensor) -> str:
    return " × ".join(map(str, named.inner)) or "one number"


def _leads(named: NamedTensor) -> Iterator[tuple[int, ...]]:
    """The planes of a tensor: the indices of its axes before the last two, or before the last of a line."""
    rank = len(named.inner)
    yield from product(*map(range, named.inner[: max(0, rank - _flat_axes(named))]))


def _flat_axes(named: NamedTensor) -> int:
    """How many axes one table shows: two, but of channels of lines only the line."""
    return min(len(named.inner) - named.upper, 2)


# ---------------------------------------------------------------------- one table


def grid(
    worked: Worked,
    key: TensorKey,
    lead: tuple[int, ...] = (),
    *,
    flat: bool = False,
    down: bool = False,
    turned: bool = False,
    caption: Math | None = None,
) -> Grid:
    """A plane of a tensor as a table of numbers, with the cells outside of it that are read as 0.

    Args:
        worked: the network.
        key: the tensor.
        lead: which plane: the indices, counted from 0, of the axes before those that the table shows.
        flat: with low cells, for vectors.
        down: a vector from top to bottom.
        turned: with rows and columns changed.
        caption: below the table.
    """
    named = worked.tensors[key]
    shown = len(named.inner) - len(lead)
    hidden = (0,) * named.hidden
    spans = [range(-a, n + b) for n, (a, b) in zip(named.inner, named.ring, strict=True)][len(lead) :]
    if not flat:
        spans = [_cropped(worked, named, span, axis + len(lead)) for axis, span in enumerate(spans)]
    places: list[list[tuple[int, ...]]]
    if shown == 0:
        places = [[(*hidden, *lead)]]
    elif shown == 1:
        line = [(*hidden, *lead, c) for c in spans[0]]
        places = [[at] for at in line] if down else [line]
    else:
        places = [[(*hidden, *lead, r, c) for c in spans[1]] for r in spans[0]]
    if turned:
        places = [list(column) for column in zip(*places, strict=True)]
    states = [[_states(worked, named, at) for at in row] for row in places]
    _frame(states)
    unit = worked.unit_of(key)
    rows = tuple(
        tuple(
            GridCell(cell_text(worked.trace.value((key, at)), unit), tuple(own))
            for at, own in zip(line, owns, strict=True)
        )
        for line, owns in zip(places, states, strict=True)
    )
    offset = [span.start + before for span, (before, _) in zip(spans, named.ring[len(lead) :], strict=True)]
    kind: Literal["value", "kernel", "gradient"] = "value"
    if key.gradient:
        kind = "gradient"
    elif key.role in ("weight", "bias"):
        kind = "kernel"
    long = max(len(cell.text) for row in rows for cell in row) > 5
    size: Literal["cell", "double", "flat", "wide"] = "flat" if flat else "cell"
    if flat and long:
        size = "wide"
    elif not flat and _windows(worked, key, of=True) == (2, 2) and max(map(len, spans)) <= 6:
        size = "double"
    window = (
        (0, 0)
        if flat or any(sum(pair) for pair in named.ring) or _is_cut(named)
        else _windows(worked, TensorKey(key.layer))
    )
    words = [f"{word} {n + worked.index_base}" for word, n in zip(worked.axis_words(named), lead, strict=False)]
    whole = f"gradient of {named.letter}" if key.gradient else named.letter
    label = ", ".join(filter(None, [whole, *words, unit_words(unit)]))
    return Grid(
        rows,
        label,
        named.name,
        (*(0 for _ in hidden), *lead)[named.hidden :],
        (offset[0], offset[1]) if len(offset) == 2 else (0, offset[0] if offset else 0),
        turned or (down and shown == 1),
        kind,
        size,
        window,
        caption,
    )


def _is_cut(named: NamedTensor) -> bool:
    """Whether a plane is drawn in part."""
    return named.plane and any(n > MOST_ACROSS for n in named.inner[named.upper :])


def _cropped(worked: Worked, named: NamedTensor, span: range, axis: int) -> range:
    """The part of an axis that is drawn: all of it, or what stands around what the chosen number has to do with."""
    if len(span) <= MOST_ACROSS + sum(named.ring[axis]) or not _is_cut(named):
        return span
    near = ("me", "s1", "t1", "twin")
    own = range(named.at, named.at + named.size)
    marked = [n for n, state in worked.states.items() if n in own and state in near]
    middle = span.start + len(span) // 2
    if marked:
        stride = prod(named.shape[axis + 1 :])
        found = [(n - named.at) // stride % named.shape[axis] + span.start for n in marked]
        middle = (min(found) + max(found)) // 2
    start = min(max(middle - MOST_ACROSS // 2, span.start), span.stop - MOST_ACROSS)
    return range(start, start + MOST_ACROSS)


def _states(worked: Worked, named: NamedTensor, at: tuple[int, ...]) -> list[CellState]:
    """What a cell is."""
    inside = all(0 <= i < n for i, n in zip(at, named.tensor.values.shape, strict=True))
    value = worked.trace.value((named.key, at))
    own: list[CellState] = ["z"] if value == 0 else []
    if not inside:
        own.append("ring")
    output = TensorKey(named.key.layer, named.key.role)
    if inside and output in _rectified(worked) and not _positive(worked.trace.value((output, at))):
        own.append("dead")
    if inside and not named.key.gradient and at in _winners(worked, named.key):
        own.append("won")
    lit = worked.states.get(worked.number((named.key, at)))
    if lit:
        own.append(lit)  # type: ignore[arg-type]
    return own


def _positive(value: Any) -> bool:
    return bool(value > 0)


def _frame(states: list[list[list[CellState]]]) -> None:
    """The sides of the regions that belong together, not of each cell."""
    for state in ("s1", "t1"):
        for r, row in enumerate(states):
            for c, own in enumerate(row):
                if state not in own:
                    continue
                for side, dr, dc in _FRAMES:
                    inside = 0 <= r + dr < len(states) and 0 <= c + dc < len(row)
                    if not (inside and state in states[r + dr][c + dc]):
                        own.append(side)


def _readers(worked: Worked, key: TensorKey) -> Iterator[tuple[TensorKey, Any]]:
    """The layers that read a tensor, by their key."""
    for layer, op in worked.network.layers:
        if key.layer in worked.network.sources(layer) and key.role == "output":
            yield TensorKey(layer), op


def _rectified(worked: Worked) -> frozenset[TensorKey]:
    """The tensors that a rectifier reads; what is not positive in them goes no further."""
    found = []
    for layer, _ in worked.network.layers:
        made = worked.tensors[TensorKey(layer)].tensor.made
        if made is not None and made.size and made.flat[0].function == "positive part":
            found += [TensorKey(source) for source in worked.network.sources(layer)]
    return frozenset(found)


def _winners(worked: Worked, key: TensorKey) -> frozenset[tuple[int, ...]]:
    """The entries of a tensor that are the largest, or the smallest, of a window that reads them.

    Of several equal ones the policy of the layer decides; where it refuses them, the window has no winner.
    """
    cache: dict[TensorKey, frozenset[tuple[int, ...]]] = worked.__dict__.setdefault("_winners", {})
    if key not in cache:
        cache[key] = frozenset(_all_winners(worked, key))
    return cache[key]


def _all_winners(worked: Worked, key: TensorKey) -> Iterator[tuple[int, ...]]:
    for reader, op in _readers(worked, key):
        made = worked.tensors[reader].tensor.made
        if made is None or not made.size or made.flat[0].kind not in ("max", "min"):
            continue
        for own, value in zip(made.flat, worked.tensors[reader].tensor.values.flat, strict=True):
            best = [places[0][1] for _, places in own.terms if worked.trace.value(places[0]) == value]
            if len(best) > 1 and op.refuses_ties:
                continue
            yield from best[:1] if op.tie_policy() == "first" else best


def _windows(worked: Worked, key: TensorKey, of: bool = False) -> tuple[int, int]:
    """The windows that tile a plane: those of the layer that reads it, or with `of` of the layer that gives it."""
    layers = worked.network.layers
    found = [op for name, op in layers if name == key.layer] if of else [op for _, op in _readers(worked, key)]
    for op in found:
        if "weight" in op.variables or op.place_by_place or len(op.windows) != 2:
            continue
        tiles = (
            w.kernel == w.stride and w.dilation == 1 and not any(p.value for p in w.padding(w.k)) for w in op.windows
        )
        if all(tiles):
            high, wide = (int(window.kernel) for window in op.windows)
            return high, wide
    return (0, 0)


# ---------------------------------------------------------------------- blocks of an answer


def grids(worked: Worked, *keys: TensorKey) -> Grids:
    """All planes of tensors beside each other, each under its name."""
    found = []
    for key in keys:
        named = worked.tensors[key]
        vector = not named.plane
        for lead in _leads(named):
            above = "".join(str(n + worked.index_base) for n in lead[: named.upper])
            letter = worked.array(key)
            if above:
                letter = rf"({letter})^{{{above}}}" if "partial" in letter else rf"{letter}^{{{above}}}"
            caption = Math(letter)
            found.append(grid(worked, key, lead, flat=vector, caption=caption))
    return Grids(tuple(found))


def entries(worked: Worked, key: TensorKey, places: Sequence[tuple[int, ...]] | None = None) -> Entries:
    """Entries of a tensor written out; products with a factor 0 are left out.

    Args:
        worked: the network.
        key: the tensor.
        places: indices counted from 0; all entries unless given.
    """
    values = worked.trace.tensors[key].values
    chosen = list(product(*map(range, values.shape))) if places is None else list(places)
    rows = []
    for at in chosen:
        name, sides = worked.formula((key, at))
        body = sides[-2] if len(sides) > 1 else ""
        value = latex_number(worked.trace.value((key, at)))
        rows.append(WrittenEntry((Math(name),), (Math(body),) if body else (), (Math(value),)))
    return Entries(tuple(rows))


# ---------------------------------------------------------------------- without numbers


def symbolic_stations(network: Network, input_size: Any, identifier: str, number: str, count: int) -> Stations:
    """The same strip without numbers, for a network that has too many: shapes, and why they stand alone.

    Args:
        network: the network.
        input_size: the size of its input.
        identifier, number: of the figure.
        count: how many numbers there would be.
    """
    shapes = network.shapes(input_size)
    parameters = network.parameter_sizes(input_size)
    made = []
    for name, shape in shapes.items():
        words = "Input" if name == "input" else layer_words(network[name])
        own = [f"{role} {' × '.join(map(str, size))}" for role, size in parameters.get(name, {}).items()]
        text = " × ".join(map(str, shape)) or "one number"
        made.append(
            Station((Text(words),), (Text(text),), Half(tuple(Text(line) for line in [", ".join(own)] if line), ()))
        )
    caption = f"The network, by shapes alone: it has {count:,} numbers, and above {MOST_ENTRIES:,} none is printed."
    return Stations(identifier, number, tuple(made), None, (Text(caption),))
