"""A model as nodes, whatever it was read from, and the walk over them that makes its table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any

from symconv.errors import ArgumentError, SizeLimitError, SymconvError
from symconv.operators.base import Operator
from symconv.operators.channels import Channelled
from symconv.operators.networks.acts import Act, Blind, Shape
from symconv.operators.networks.image import Image
from symconv.operators.networks.reading import LONGEST_AXIS, positions_read, ranges
from symconv.operators.networks.table import Layer, NetworkTable
from symconv.operators.networks.windows import Windowing
from symconv.operators.transposed import ConvTranspose

__all__ = ["Graph", "Vertex", "follow", "placed"]


@dataclass(frozen=True)
class Vertex:
    """One step of a model.

    Attributes:
        name: where it stands, for people.
        kind: what the framework calls it.
        act: what it does with positions.
        inputs: the values that it reads, without constants.
        output: the value that it gives.
        listed: whether it is a layer with windows.
        operator: what it is in a `Network`; None where it is nothing there.
        weights: how the arrays of the operator are loaded, by role.
        arrays: the parameters of a listed layer by name, with their numbers of entries.
        aside: why it is no layer of a network; where it is empty, its kind is not known there.
        passes: whether it hands its input on as it is, so that a network leaves it out.
        place: where it stands in a text, such as "line 3: ".
    """

    name: str
    kind: str
    act: Act
    inputs: tuple[str, ...]
    output: str
    listed: bool = False
    operator: Operator | None = None
    weights: Mapping[str, Callable[[], Any]] = field(default_factory=dict)
    arrays: tuple[tuple[str, int], ...] | None = None
    aside: str = ""
    passes: bool = False
    place: str = ""


@dataclass
class Graph:
    """The nodes of a model, each after those that it reads.

    Attributes:
        inputs: the shapes of the inputs by name; the first one is that of the network.
        nodes: the nodes.
        outputs: the names of the values that come out.
        shapes: the shapes of values as the model, or its framework, states them.
        notes: what the reader of the model has to say.
        weighted: whether the weights are at hand.
        strict: whether a layer that does not fit is refused; else it is a finding, and unknown.
    """

    inputs: dict[str, Shape]
    nodes: list[Vertex] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    shapes: dict[str, Shape] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    weighted: bool = True
    strict: bool = False


def follow(graph: Graph) -> NetworkTable:
    """The table of a model.

    Raises:
        SymconvError: where two layers do not fit together and the model states no sizes of its own.
    """
    first = next(iter(graph.inputs))
    shape = graph.inputs[first]
    for name, sizes in graph.inputs.items():
        if max(sizes, default=0) > LONGEST_AXIS:
            raise SizeLimitError(f"the input {name} of {_text(sizes)} has an axis of more than {LONGEST_AXIS:,}")
    table = NetworkTable(shape[0] if len(shape) > 1 else 1, notes=list(graph.notes))
    walk = _Walk(graph, table, first)
    for node in graph.nodes:
        walk.step(node)
    readers: dict[str, list[str]] = {}
    for layer in table.layers:
        for name, _ in layer.arrays:
            readers.setdefault(name, []).append(layer.name)
    for name, layers in readers.items():
        if len(layers) > 1:
            shown = ", ".join(layers[:3]) + (", ..." if len(layers) > 3 else "")
            table.note(f"{shown} share {name}; in the total it counts once")
    return table


class _Walk:
    """One pass over the nodes."""

    def __init__(self, graph: Graph, table: NetworkTable, first: str) -> None:
        self.graph, self.table, self.first = graph, table, first
        self.images = {name: Image.start(name, shape) for name, shape in graph.inputs.items()}
        self.seen: dict[tuple[str, int], None] = {}  # axes of inputs that lie along axes of layers
        self.hidden: dict[str, str] = {}  # why a value has no known size

    def step(self, node: Vertex) -> None:
        """Follow one node."""
        parents = [self.images[name] for name in node.inputs if name in self.images]
        reason = next((self.hidden[name] for name in node.inputs if name in self.hidden), "")
        act, shape, why = self._sized(node, parents, reason)
        if shape is not None and max(shape, default=0) > LONGEST_AXIS:
            why = f"{node.name} ({node.kind}): {_text(shape)} has an axis of more than {LONGEST_AXIS:,}"
            shape = None
        if shape is None:
            self.hidden[node.output] = why
            if node.listed:
                self.table.layers.append(Layer.unknown(node.name, node.kind, why, node.arrays))
            return
        try:
            image = Image.made(shape, act.tracks(parents, shape), act, parents)
        except SizeLimitError as error:
            act = Blind(f"{node.name} ({node.kind}): {error}")
            image = Image.made(shape, act.tracks(parents, shape), act, parents)
        for key, track in image.tracks.items():  # a reason says where it arose
            before = [parent.tracks[key].lost for parent in parents if key in parent.tracks]
            if track.lost and track.lost not in before and not track.lost.startswith(node.name):
                lost = f"behind {node.name} ({node.kind}) the positions are not known: {track.lost}"
                image = replace(image, tracks={**image.tracks, key: replace(track, lost=lost)})
        self.images[node.output] = image
        if node.listed:
            self.table.layers.append(self._layer(node, parents[0], image))

    def _sized(self, node: Vertex, parents: list[Image], reason: str) -> tuple[Act, Shape | None, str]:
        """What is done, the shape of what comes out, and why that is not known."""
        stated = self.graph.shapes.get(node.output)
        here = f"{node.name} ({node.kind})"
        if not parents:
            return node.act, None, reason or f"{here} reads no input of the network"
        if reason or len(parents) < len(node.inputs):
            reason = reason or f"{here} reads a value that is not known"
            return Blind(reason), stated, reason
        try:
            own = node.act.size([parent.shape for parent in parents])
        except SymconvError as error:
            if self.graph.strict:
                raise placed(node, error) from None
            there = "the model states no size" if stated is None else f"the model states {_text(stated)}"
            self.table.findings.append(f"{here}: {error}; {there}")
            return Blind(str(error)), stated, f"{here}: {error}"
        if own is None or stated is None or own == stated:
            found = stated if own is None else own
            why = node.act.reason if isinstance(node.act, Blind) else "its size is not known"
            return node.act, found, "" if found else f"{here}: {why}"
        self.table.findings.append(f"{here}: {_text(own)} by its formula, and the model states {_text(stated)}")
        return Blind("its size by the formula is not the one that the model states"), stated, ""

    # ------------------------------------------------------------------ the figures of a layer

    def _layer(self, node: Vertex, before: Image, image: Image) -> Layer:
        op = node.act.op if isinstance(node.act, Windowing) else None
        axes = range(max(len(before.shape) - 2, 0))
        keys, steps, reason = self._along(image, [axis + 2 for axis in axes])
        tracks = [image.tracks[key] for key in keys]
        unread: list[Any] = []
        for name, axis in keys:
            if name not in image.reads:  # nothing of it at all
                unread.append(((0, image.tracks[name, axis].size - 1),))
                continue
            mask = image.reads[name][axis]
            unread.append(() if mask is None else ranges(~mask))
        own: list[Any] = []
        if op is not None and not (isinstance(node.act, Windowing) and node.act.hidden):
            own = [ranges(~positions_read(op, axis, before.shape[axis + 2])) for axis in axes]
        products = None
        weights: list[tuple[str, int]] | tuple[tuple[str, int], ...] = list(node.arrays or ())
        if isinstance(op, Channelled) and op.spatial_axes == len(axes):  # else it is known already that they do not fit
            sizes = op.weight_size
            products = prod(sizes) * prod(before.shape[2:] if isinstance(op, ConvTranspose) else image.shape[2:])
            products *= before.shape[0]
            if node.arrays is None:
                weights = [(f"{node.name}.weight", prod(sizes))]
                weights += [(f"{node.name}.bias", int(op.out_channels))] if op.bias else []
        elif op is not None and not isinstance(op, Channelled):
            products = 0
        return Layer(
            node.name,
            node.kind,
            op,
            before.shape[1:],
            image.shape[1:],
            sum(count for _, count in weights) if op is not None or node.arrays is not None else None,
            products,
            tuple(track.extent(image.shape) for track in tracks) or (None,) * len(axes),
            tuple(track.whole for track in tracks) or (False,) * len(axes),
            tuple(track.jump(place) for track, place in zip(tracks, steps, strict=True)) or (None,) * len(axes),
            tuple(own),
            tuple(unread) or ((),) * len(axes),
            reason or ("" if op is not None else f"{node.kind} is not known here"),
            tuple(weights),
        )

    def _along(self, image: Image, axes: list[int]) -> tuple[list[tuple[str, int]], list[int], str]:
        """The axes of an input of the network that lie along some axes of an image, these, and what is not known.

        Where not each of them has one, those that lay along the axes of layers before; what an output depends on along
        them is known all the same.
        """
        keys = []
        for axis in axes:
            found = [key for key, track in image.tracks.items() if axis in track.terms]
            keys.append([key for key in found if key[0] == self.first] or found)
        if axes and all(len(entry) == 1 for entry in keys):
            along = [key for (key,) in keys]
            self.seen.update(dict.fromkeys(along))
            return along, axes, ""
        lost = {key: track.lost for key, track in image.tracks.items() if track.lost and track.size > 1}
        rank = len(self.graph.inputs[self.first])
        usual = [(self.first, axis) for axis in range(2 if rank > 2 else 1, rank)]
        seen = [key for key in sorted(self.seen) or usual if key[0] == self.first and key in image.tracks]
        for key in (*seen, *((self.first, axis) for axis in axes), *([] if seen else lost)):
            if key in lost:
                return [], [], lost[key]
        if not seen:
            return [], [], "no axis of the input lies along its axes"
        return seen, [-1] * len(seen), ""


def _text(shape: Shape) -> str:
    return "x".join(map(str, shape))


def placed(node: Vertex, error: SymconvError) -> SymconvError:
    """An error with the layer that it is about, of the same class."""
    here = f"{node.place}{node.name} ({node.kind})"
    if isinstance(error, ArgumentError):
        return type(error)(f"{here}: {error.argument}", error.value, error.requirement, error.fix)
    return type(error)(f"{here}: {error}")
