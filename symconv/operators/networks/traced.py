"""A network in exact numbers, and for every number what it was worked out from.

The index map is that of the layers' own formulas, which their values and kernels come from too: nothing here knows what
a layer does. `checked` works every number out once more from what the trace says of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations, product
from typing import Any, Literal, TypeAlias

import numpy as np

from symconv.errors import SymconvError
from symconv.formulas.addends import Source, source_of
from symconv.formulas.entries import reader
from symconv.formulas.formula import Formula
from symconv.operators.joining import Add
from symconv.operators.networks.exact import Connected, Exact, ExactRun, applied, gradient_of
from symconv.operators.networks.naming import in_layer
from symconv.operators.networks.shape import INPUT
from symconv.operators.winners import untied

__all__ = ["MadeOf", "NetworkTrace", "Place", "TensorKey", "TracedTensor", "trace"]

_ROOM = 6  # how many rings of zeros around a tensor are remembered


@dataclass(frozen=True)
class TensorKey:
    """Which tensor of a network: what a layer gives, its weight, bias or target, or the gradient by one of these.

    The network's input is what a layer called "input" gives.
    """

    layer: str
    role: Literal["output", "weight", "bias", "target"] = "output"
    gradient: bool = False


Place: TypeAlias = tuple[TensorKey, tuple[int, ...]]
"""An entry of a tensor by its index, counted from 0; outside of the tensor's shape it is read as 0."""


@dataclass(frozen=True)
class MadeOf:
    """What a number was worked out from.

    Attributes:
        kind, function: as of a `symconv.formulas.addends.Source`.
        terms: a number and one or two entries each.
    """

    kind: Literal["sum", "max", "min", "function"]
    terms: tuple[tuple[Any, tuple[Place, ...]], ...]
    function: str = ""

    def __add__(self, other: MadeOf) -> MadeOf:
        """Two parts of one gradient."""
        assert self.kind == other.kind == "sum"
        return MadeOf("sum", self.terms + other.terms)


@dataclass(frozen=True)
class TracedTensor:
    """The numbers of a tensor.

    Attributes:
        key: which it is.
        values: an array of exact numbers.
        made: an array of `MadeOf` of the same shape; None where the numbers are given.
        ring: how far outside of the tensor its entries were read as 0, before and after it on every axis.
    """

    key: TensorKey
    values: Exact
    made: Exact | None
    ring: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class NetworkTrace:
    """The tensors of a network: forward in the order of its layers, then the gradients from the output back."""

    tensors: Mapping[TensorKey, TracedTensor]
    plain: bool

    def value(self, place: Place) -> Any:
        """The number at a place."""
        key, index = place
        values = self.tensors[key].values
        inside = all(0 <= position < extent for position, extent in zip(index, values.shape, strict=True))
        return values[index] if inside else Fraction(0)


def trace(
    network: Connected, inputs: Any, weights: Mapping[str, Mapping[str, Any]] | None = None, upstream: Any = None
) -> NetworkTrace:
    """The numbers of a network, each with what it was worked out from.

    Args:
        network, inputs, weights: as for `Network.values`.
        upstream: as for `Network.gradients`; None for no gradients.

    Raises:
        ArgumentError: as for `Network.values` and `Network.gradients`.
        SymconvError: where a number differs from what it is said to come from, which is a fault of symconv.
    """
    run = ExactRun(network, inputs, weights)
    tracer = _Tracer(run)
    tracer.forward()
    if upstream is not None:
        run.backward(upstream)  # refuses ties
        tracer.backward(run.upstream(upstream))
    found = NetworkTrace(tracer.tensors(), run.plain)
    checked(found)
    return found


@dataclass
class _Tracer:
    """One pass through a network, forward and back."""

    run: ExactRun
    values: dict[TensorKey, Exact] = field(default_factory=dict)
    made: dict[TensorKey, Exact | None] = field(default_factory=dict)
    rings: dict[TensorKey, list[list[int]]] = field(default_factory=dict)

    def tensors(self) -> dict[TensorKey, TracedTensor]:
        return {
            key: TracedTensor(key, values, self.made[key], tuple((a, b) for a, b in self.rings[key]))
            for key, values in self.values.items()
        }

    def _put(self, key: TensorKey, values: Exact, made: Exact | None) -> None:
        values = np.asarray(values, dtype=object)
        self.values[key], self.made[key] = values, made
        self.rings.setdefault(key, [[0, 0] for _ in range(values.ndim)])

    # ------------------------------------------------------------------ forward

    def forward(self) -> None:
        self._put(TensorKey(INPUT), self.run.arrays[INPUT], None)
        for name in self.run.network.names:
            for role, array in self.run.weights.get(name, {}).items():
                self._put(TensorKey(name, role), array, None)  # type: ignore[arg-type]
            values = np.asarray(self.run.arrays[name], dtype=object)
            self._put(TensorKey(name), values, self._made(name, values))

    def _made(self, name: str, values: Exact) -> Exact:
        op, sources = self.run.operators[name], [TensorKey(source) for source in self.run.network.sources(name)]
        if isinstance(op, Add):
            return _filled(values.shape, lambda at: MadeOf("sum", tuple((Fraction(1), ((s, at),)) for s in sources)))
        read = self._reading(name, sources[0])
        with in_layer(name):
            return applied(
                lambda sizes: op.output(input_size=sizes),
                op,
                self.run.read(name)[0],
                self.run.weights.get(name, {}),
                None,
                read,
            )

    def _reading(
        self, name: str, source: TensorKey, linear: bool = False
    ) -> Callable[[Formula, Mapping[str, Exact], int | None], Exact]:
        """What makes the entries of a formula of a layer that reads a tensor."""
        keys = {"input": source, "upstream": TensorKey(name, "output", True)}

        def made(formula: Formula, arrays: Mapping[str, Exact], plane: int | None) -> Exact:
            boxes = {}
            places = {}
            for tensor in formula.tensors:
                if tensor.role not in arrays:
                    continue
                box = tuple(int((high - low + 1).evaluate({})) for low, high in tensor.box)
                boxes[tensor.name] = reader(tensor.name, arrays[tensor.role].reshape(box), formula.base)
                key = keys.get(tensor.role) or TensorKey(name, tensor.role)  # type: ignore[arg-type]
                own = plane if key.role == "output" else None
                places[tensor.name] = key, _axes(box, self.values[key].shape, own)
            upstream = frozenset(t.name for t in formula.tensors if t.role == "upstream") if linear else None

            def at(point: tuple[int, ...]) -> MadeOf:
                env = dict(zip(formula.indices, (p + formula.base for p in point), strict=True))
                source, _ = source_of(formula.body, env, boxes, formula.boxes, upstream)
                return self._placed(source, places, formula.base)

            return _filled(formula.shape(), at)

        return made

    def _placed(self, source: Source, places: Mapping[str, tuple[TensorKey, _Axes]], base: int) -> MadeOf:
        terms = []
        for summand in source.summands:
            entries = []
            for letter, index in summand.entries:
                key, axes = places[letter]
                at = tuple(fixed if axis is None else index[axis] - base for axis, fixed in axes)
                self._seen(key, at)
                entries.append((key, at))
            terms.append((summand.factor, tuple(entries)))
        return MadeOf(source.kind, tuple(terms), source.function)

    def _seen(self, key: TensorKey, at: tuple[int, ...]) -> None:
        """Remember how far outside of a tensor an entry was read."""
        for ring, position, extent in zip(self.rings[key], at, self.values[key].shape, strict=True):
            ring[0] = max(ring[0], min(-position, _ROOM))
            ring[1] = max(ring[1], min(position - extent + 1, _ROOM))

    # ------------------------------------------------------------------ backward

    def backward(self, upstream: Exact) -> None:
        network = self.run.network
        self._put(TensorKey(network.output, "output", True), upstream, None)
        for name in reversed(network.names):
            op, g = untied(self.run.operators[name]), self.values[TensorKey(name, "output", True)]
            sources = network.sources(name)
            if isinstance(op, Add):
                own = TensorKey(name, "output", True)
                passed = _filled(g.shape, lambda at, own=own: MadeOf("sum", ((Fraction(1), ((own, at),)),)))  # type: ignore[misc]
                for source in sources:
                    self._add(TensorKey(source, "output", True), g, passed)
                continue
            (x,), given = self.run.read(name), self.run.weights.get(name, {})
            read = self._reading(name, TensorKey(sources[0]), linear=True)
            for variable in reversed(op.variables):
                with in_layer(name):
                    values = applied(gradient_of(op, variable), op, x, given, g)
                    made = applied(gradient_of(op, variable), op, x, given, g, read)
                if variable == "input":
                    self._add(TensorKey(sources[0], "output", True), values, made)
                else:
                    self._put(TensorKey(name, variable, True), values, made)

    def _add(self, key: TensorKey, values: Exact, made: Exact) -> None:
        """The gradient by what a layer gives, or one more part of it where several read that."""
        if key in self.values:
            known = self.made[key]
            assert known is not None
            values, made = self.values[key] + values, known + made
        self._put(key, values, made)


_Axes: TypeAlias = "tuple[tuple[int | None, int], ...]"


def _axes(box: tuple[int, ...], shape: tuple[int, ...], plane: int | None) -> _Axes:
    """For every axis of an array the axis of a formula's tensor that it is, or None with its one position.

    A formula leaves out axes of one channel; where it is about one plane, the first axis is that of the planes.
    """
    rest = shape[plane is not None :]
    for kept in combinations(reversed(range(len(rest))), len(box)):  # the last axes first
        chosen = sorted(kept)
        others = (extent for axis, extent in enumerate(rest) if axis not in kept)
        if tuple(rest[axis] for axis in chosen) == box and all(extent == 1 for extent in others):
            found = tuple((chosen.index(axis), 0) if axis in kept else (None, 0) for axis in range(len(rest)))
            return found if plane is None else ((None, plane), *found)
    raise AssertionError(f"no array of {shape} has the axes of {box}")


def _filled(shape: tuple[int, ...], entry: Callable[[tuple[int, ...]], Any]) -> Exact:
    result = np.empty(shape, object)
    for at in product(*map(range, shape)):
        result[at] = entry(at)
    return result


# ---------------------------------------------------------------------- checked once more


def checked(found: NetworkTrace) -> None:
    """Work every number out once more from what it is said to come from.

    Raises:
        SymconvError: naming the first that differs.
    """
    for key, tensor in found.tensors.items():
        if tensor.made is None:
            continue
        for at in np.ndindex(tensor.values.shape):
            made: MadeOf = tensor.made[at]  # type: ignore[assignment]
            again = _again(found, made)
            if again is not None and not _same(again, tensor.values[at]):
                what = f"{'the gradient by ' if key.gradient else ''}{key.layer} {key.role} {at}"
                raise SymconvError(
                    f"{what} is {tensor.values[at]}, but what it comes from gives {again}: this is a fault of symconv"
                )


def _again(found: NetworkTrace, made: MadeOf) -> Any:
    """The number that the terms give; None for a function that is no more than a name of what it reads."""
    products = list(_products(found, made))
    if made.kind == "sum":
        return sum(products, Fraction(0))
    if made.kind in ("max", "min"):
        return (max if made.kind == "max" else min)(products) if products else None
    from symconv.formulas.functions import FUNCTIONS

    return FUNCTIONS[made.function].at(products[0]) if made.function else None


def _products(found: NetworkTrace, made: MadeOf) -> Iterator[Any]:
    for factor, places in made.terms:
        value = factor
        for place in places:
            value = value * reader("map", [found.value(place)], 0)((0,))
        yield value


def _same(one: Any, other: Any) -> bool:
    """Whether two numbers are equal: rational ones exactly, those with e or a logarithm to 50 digits, floats to 12."""
    one, other = (reader("map", [getattr(n, "expr", n)], 0)((0,)) for n in (one, other))
    if isinstance(one, float) or isinstance(other, float):
        return bool(np.isclose(float(one), float(other), rtol=1e-12, atol=1e-12, equal_nan=True))
    rest = one - other
    if isinstance(rest, Fraction):
        return rest == 0
    return bool(abs(rest.expr.evalf(60)) < Fraction(1, 10**50))
