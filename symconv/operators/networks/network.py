"""Networks: layers one after the other, or joined by sums; what they are made of, and how large everything is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import Any

from symconv.doors import items, iterable_of, list_of, one_of, text
from symconv.errors import ArgumentError, NotSupportedError
from symconv.operators.adaptive import AdaptivePooling
from symconv.operators.base import Operator
from symconv.operators.joining import Add
from symconv.operators.networks.graph import Graph, Vertex, follow
from symconv.operators.networks.naming import in_layer
from symconv.operators.networks.shape import INPUT, Shape
from symconv.operators.networks.table import NetworkTable
from symconv.operators.networks.windows import act_of, has_windows
from symconv.operators.options import Integer, integer
from symconv.operators.windowed import Spreading

__all__ = ["Network"]

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")


@dataclass(frozen=True, init=False, repr=False)
class Network:
    """Layers in company: what one gives is what the next one takes.

    Attributes:
        layers: pairs of a name and an operator, each after those that it reads.
        edges: pairs of names, from what is read to the layer that reads it; the network's input is called "input".

    >>> from symconv.operators.convolution import Conv
    >>> from symconv.operators.pooling import MaxPool
    >>> network = Network([Conv(3, padding=1, in_channels=2, out_channels=4), MaxPool(2)])
    >>> network.names, network.output_size((6, 6)), network.parameters
    (('conv1', 'maxpool1'), (3, 3), 72)
    """

    layers: tuple[tuple[str, Operator], ...]
    edges: tuple[tuple[str, str], ...]

    def __init__(
        self, layers: Sequence[Operator | tuple[str, Operator]], edges: Iterable[tuple[str, str]] | None = None
    ) -> None:
        """Put layers together.

        Args:
            layers: operators, or pairs of a name and an operator; a layer without a name is called by its class and a
                number, such as conv1.
            edges: pairs ``(from, to)`` of names where it is no chain; the input of the network is called "input". The
                layers that `Add` joins are added in the order of its edges.

        Raises:
            ArgumentError: for something else, two layers of one name, a layer that reads nothing or that nothing
                leads to the output, several inputs of a layer other than `Add`, and for a cycle.
        """
        named = _named(layers)
        pairs = _chain(named) if edges is None else _checked(edges, named)
        object.__setattr__(self, "layers", _in_order(named, pairs))
        object.__setattr__(self, "edges", pairs)

    # ------------------------------------------------------------------ what there is

    def __repr__(self) -> str:
        chain = self.edges == tuple(pairwise((INPUT, *self.names)))
        return f"Network({list(self.layers)!r}{'' if chain else f', edges={list(self.edges)!r}'})"

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the layers, each after those that it reads."""
        return tuple(name for name, _ in self.layers)

    def __getitem__(self, name: str) -> Operator:
        """The operator of a layer."""
        return dict(self.layers)[one_of("the layer", name, self.names)]

    def sources(self, name: str) -> tuple[str, ...]:
        """What a layer reads, in the order of the edges."""
        one_of("the layer", name, self.names)
        return tuple(before for before, after in self.edges if after == name)

    @property
    def output(self) -> str:
        """The name of the layer that gives the output of the network."""
        return next(name for name, _ in self.layers if not any(before == name for before, _ in self.edges))

    @property
    def spatial_axes(self) -> int | None:
        """The number of spatial axes of the input: those of the first layer with windows; None where there is none."""
        return next((op.spatial_axes for _, op in self.layers if has_windows(op)), None)

    # ------------------------------------------------------------------ sizes

    def input_shape(self, given: Any) -> Shape:
        """The shape of an input, with its channels where they were left out.

        Raises:
            ArgumentError: for another number of axes.
        """
        entries = items(given)
        shape = tuple(integer("input_size", n, 1) for n in ((given,) if entries is None else entries))
        axes = self.spatial_axes
        if axes is None or len(shape) == axes + 1:
            return shape
        if len(shape) != axes:
            wanted = f"must have {axes} spatial sizes, or channels and {axes} spatial sizes"
            raise ArgumentError("input_size", given, wanted)
        return (self._channels, *shape)

    @property
    def _channels(self) -> Integer:
        """The channels of the input: those that the first layer which speaks of them takes."""
        counts = (getattr(op, "in_channels", None) for _, op in self.layers)
        return next((count for count in counts if count is not None), 1)

    def shapes(self, input_size: Any) -> dict[str, Shape]:
        """The shape of what every layer gives, and of the input, without a batch.

        Args:
            input_size: the spatial sizes of the input, or its channels and spatial sizes; symbols stay symbols.

        Raises:
            GeometryError: where two layers do not follow on, with the name of the layer.
        """
        found: dict[str, Shape] = {INPUT: self.input_shape(input_size)}
        for name, op in self.layers:
            with in_layer(name):
                found[name] = op.joined_size([found[before] for before in self.sources(name)])
        return found

    def fitted(self, shapes: Mapping[str, Shape]) -> dict[str, Operator]:
        """The operators as they act on arrays of these shapes, by layer."""
        found = {}
        for name, op in self.layers:
            with in_layer(name):
                found[name] = op.fitted(shapes[self.sources(name)[0]])
        return found

    def output_size(self, input_size: Any) -> Shape:
        """The size of the output; with its channels where the size of the input has them, or where it is no image.

        >>> from symconv.operators.convolution import Conv
        >>> Network([Conv(3), Conv(3, stride=2)]).output_size((9, 9))
        (3, 3)
        """
        given, shape = items(input_size), self.shapes(input_size)[self.output]
        plain = self.spatial_axes is not None and len((1,) if given is None else given) == self.spatial_axes
        return shape[1:] if plain and len(shape) == (self.spatial_axes or 0) + 1 else shape

    @property
    def parameters(self) -> Integer:
        """The number of weights and biases.

        Raises:
            ArgumentError: where it depends on the size of the input; see `parameter_counts`.
        """
        total = 0
        for name, op in self.layers:
            with in_layer(name):
                total += sum(map(prod, op.parameter_sizes(()).values()))
        return total

    def parameter_counts(self, input_size: Any) -> dict[str, Integer]:
        """The number of weights and biases of every layer that has any, for an input of a size."""
        sizes = self.parameter_sizes(input_size)
        return {name: sum(map(prod, own.values())) for name, own in sizes.items()}

    def parameter_sizes(self, input_size: Any) -> dict[str, dict[str, Shape]]:
        """The shapes of the weight and the bias of every layer that has any, for an input of a size."""
        shapes = self.shapes(input_size)
        found = {name: op.parameter_sizes(shapes[self.sources(name)[0]]) for name, op in self.layers}
        return {name: sizes for name, sizes in found.items() if sizes}

    def multiply_adds(self, input_size: Any) -> Integer:
        """How many products of an entry and a weight one input of a size takes; padding counts, biases do not."""
        shapes = self.shapes(input_size)
        return sum(op.multiply_adds(shapes[self.sources(name)[0]]) for name, op in self.layers)

    def table(self, input_size: Any) -> NetworkTable:
        """The layers with windows in numbers: sizes, costs, receptive fields and positions that nothing reads.

        Raises:
            NotSupportedError: for symbolic sizes, or a network without windows.
        """
        shape = self.input_shape(input_size)
        if self.spatial_axes is None or not all(isinstance(n, int) for n in shape):
            raise NotSupportedError(f"{self!r} has no table for {shape}: it needs layers with windows, and numbers")
        self.shapes(input_size)
        graph = Graph({INPUT: (1, *shape)}, outputs=[self.output], strict=True)
        sizes = {INPUT: (1, *shape)}
        for name, op in self.layers:
            reads = self.sources(name)
            before = [sizes[source] for source in reads]
            act = act_of(op, before[0])
            sizes[name] = (1, *op.joined_size([entry[1:] for entry in before]))
            graph.nodes.append(Vertex(name, type(op).__name__, act, reads, name, listed=has_windows(op)))
        return follow(graph)

    @property
    def receptive_field(self) -> tuple[int, ...]:
        """How many positions of the input lie between the first and the last that one output of the last layer with
        windows depends on, one number an axis.

        Raises:
            NotSupportedError: where it depends on the size of the input; see `table`.
        """
        known = [fields for fields in self.receptive_fields.values() if fields is not None]
        return tuple(extent for extent, _ in known[-1])

    @property
    def receptive_fields(self) -> dict[str, tuple[tuple[int, int], ...] | None]:
        """By layer the extent of the receptive field of one output and its step from one output to the next, a pair an
        axis, in positions of the input; ``r + (k - 1) D j`` from layer to layer, for the step j between outputs.

        It is None from the first layer on that takes an image for a vector.

        Raises:
            NotSupportedError: where it depends on the size of the input; see `table`.
        """
        axes = self.spatial_axes
        if axes is None:
            raise NotSupportedError(f"{self!r} has no layer with windows")
        found: dict[str, tuple[tuple[int, int], ...] | None] = {INPUT: ((1, 1),) * axes}
        for name, op in self.layers:
            before = [found[source] for source in self.sources(name)]
            fields = [field for field in before if field is not None]
            if len(fields) < len(before) or not (op.place_by_place or has_windows(op)):
                found[name] = None
                continue
            if isinstance(op, AdaptivePooling | Spreading):
                raise NotSupportedError(f"{name}: what {op!r} reads differs from output to output; see table(size)")
            if len({tuple(step for _, step in field) for field in fields}) > 1:
                raise NotSupportedError(f"{name}: it joins images with different steps; see table(size)")
            merged = tuple((max(extent for extent, _ in axis), axis[0][1]) for axis in zip(*fields, strict=True))
            if not op.place_by_place:
                merged = tuple(
                    (extent + (window.kernel - 1) * window.dilation * step, step * window.stride)
                    for (extent, step), window in zip(merged, op.windows, strict=True)
                )
            found[name] = merged
        return {name: found[name] for name in self.names}

    # ------------------------------------------------------------------ exact values

    def values(self, inputs: Any, weights: Mapping[str, Mapping[str, Any]] | None = None) -> dict[str, Any]:
        """What every layer gives, exactly, by its name.

        Args:
            inputs: the input, ``(C, *spatial)``, or ``(*spatial)`` for one channel; nested lists or an array.
            weights: by layer a table with "weight" and "bias", in the shapes of `parameter_sizes`.

        Returns:
            Arrays of exact numbers, in the shapes of `shapes`.

        Raises:
            ArgumentError: for a missing or superfluous weight, or one of another shape.
            GeometryError: where two layers do not follow on.
            SizeLimitError: above 1,000,000 terms in a layer.
        """
        from symconv.operators.networks.exact import values

        return values(self, inputs, weights)

    def gradients(
        self, inputs: Any, weights: Mapping[str, Mapping[str, Any]] | None = None, upstream: Any = 1
    ) -> dict[str, Any]:
        """The gradients of the sum of the outputs, each times its `upstream`, exactly.

        Args:
            inputs, weights: as for `values`.
            upstream: the gradient of an error by the output: an array of its shape, or one number for all entries.

        Returns:
            "input": the gradient by the network's input; and by the name of every layer the `Gradients` of its input,
            weight and bias.

        Raises:
            ArgumentError: as for `values`, and where a layer has no derivative: a kink, or a tie under ties="error".
        """
        from symconv.operators.networks.exact import gradients

        return gradients(self, inputs, weights, upstream)


def _named(layers: Any) -> dict[str, Operator]:
    """The layers by their names; those that have none are counted by class."""
    wanted = "must be a list of operators, or of pairs of a name and an operator"
    entries: tuple[Any, ...] = list_of("layers", layers, object, wanted)
    if not entries:
        raise ArgumentError("layers", layers, "must hold a layer")
    given = [entry[0] for entry in entries if isinstance(entry, tuple) and entry]
    named: dict[str, Operator] = {}
    for entry in entries:
        if isinstance(entry, Operator):
            kind, number = type(entry).__name__.lower(), 1
            while f"{kind}{number}" in named or f"{kind}{number}" in given:
                number += 1
            named[f"{kind}{number}"] = entry
            continue
        if not isinstance(entry, tuple) or len(entry) != 2 or not isinstance(entry[1], Operator):
            raise ArgumentError("layers", entry, wanted)
        name = text("the name of a layer", entry[0], "must be a text")
        if not _NAME.fullmatch(name) or name == INPUT:
            raise ArgumentError(
                "the name of a layer", name, "must be letters, digits and underscores, and not 'input'", "such as conv1"
            )
        if name in named:
            raise ArgumentError("layers", name, "must not name two layers")
        named[name] = entry[1]
    return named


def _chain(named: Mapping[str, Operator]) -> tuple[tuple[str, str], ...]:
    """Every layer reads the one before it."""
    joins = [name for name, op in named.items() if isinstance(op, Add)]
    if joins:
        raise ArgumentError("edges", None, f"must be given: {joins[0]} adds what several layers give")
    names = (INPUT, *named)
    return tuple(pairwise(names))


def _checked(edges: Any, named: Mapping[str, Operator]) -> tuple[tuple[str, str], ...]:
    """The edges, where they make a network with one output."""
    wanted = "must be pairs of names (from, to), such as ('conv1', 'add1')"
    pairs: list[tuple[str, str]] = []
    for edge in iterable_of("edges", edges, object, wanted):
        pair = items(edge)
        if pair is None or len(pair) != 2 or not all(isinstance(name, str) for name in pair):
            raise ArgumentError("edges", edge, wanted)
        for name, known in zip(pair, ((INPUT, *named), tuple(named)), strict=True):
            if name not in known:
                raise ArgumentError("edges", name, f"must be one of {', '.join(known)}")
        pairs.append((pair[0], pair[1]))
    for name, op in named.items():
        sources = [before for before, after in pairs if after == name]
        if not sources:
            raise ArgumentError("edges", tuple(pairs), f"must say what {name} reads", f"such as ('input', {name!r})")
        if len(sources) > 1 and not isinstance(op, Add):
            raise ArgumentError("edges", tuple(sources), f"must be one for {name}; only an Add joins several")
        if len(sources) < 2 and isinstance(op, Add):
            raise ArgumentError("edges", tuple(sources), f"must be two or more for {name}, which adds them")
    ends = [name for name in named if not any(before == name for before, _ in pairs)]
    if len(ends) > 1:
        raise ArgumentError("edges", tuple(ends), "must lead to one output, and nothing reads these layers")
    return tuple(pairs)


def _in_order(named: Mapping[str, Operator], pairs: tuple[tuple[str, str], ...]) -> tuple[tuple[str, Operator], ...]:
    """The layers, each after those that it reads."""
    ordered: dict[str, Operator] = {}
    while len(ordered) < len(named):
        ready = (
            name
            for name in named
            if name not in ordered and all(b in ordered or b == INPUT for b, a in pairs if a == name)
        )
        found = next(ready, None)
        if found is None:
            rest = tuple(name for name in named if name not in ordered)
            raise ArgumentError("edges", rest, "must have no cycle, and these layers wait for each other")
        ordered[found] = named[found]
    return tuple(ordered.items())
