"""A network as a function of arrays: the kernels of its layers, one after the other, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from symconv.doors import items, plain_integer
from symconv.errors import ArgumentError, SymconvError
from symconv.kernels.libraries.door import through_the_door
from symconv.kernels.runtime.arguments import as_array, fit, types_of
from symconv.kernels.runtime.contract import Gradients, Kernel
from symconv.kernels.runtime.kernel import WindowKernel
from symconv.kernels.runtime.padding import Array
from symconv.kernels.runtime.parameters import largest_of, refuse_sum
from symconv.operators.base import Operator
from symconv.operators.cross_entropy import CrossEntropy
from symconv.operators.joining import Add
from symconv.operators.networks.given import given_arrays, given_roles
from symconv.operators.networks.naming import in_layer, named_error
from symconv.operators.networks.network import Network
from symconv.operators.networks.shape import INPUT
from symconv.operators.softmax import Softmax
from symconv.operators.winners import refuse_ties, untied

__all__ = ["NetworkKernel"]


class NetworkKernel:
    """``kernel(x, weights)``: a network, compiled. Made by `symconv.compile`.

    Attributes:
        network: the network.

    Arrays are ``(N, C, *spatial)``, ``(C, *spatial)``, or ``(*spatial)`` for an input of one channel; a network without
    windows takes ``(N, ...)``, or ``(features,)`` for a single vector. The result has a batch where the input has one.
    Weights are ``{name: {"weight": ..., "bias": ...}}``, in the shapes of `Network.parameter_sizes`; a loss that has no
    target of its own takes it from there, ``{name: {"target": ...}}``. Nothing given is written to. A softmax before a
    cross-entropy runs together with it.

    Memory: what a layer gives is kept until the last layer that reads it has run; for a gradient, until it comes back.
    """

    def __init__(self, network: Network, make: Callable[[Operator], Kernel], made_by: tuple[Any, ...]) -> None:
        """Compile the layers of a network.

        Args:
            network: the network.
            make: compiles an operator.
            made_by: a function and its arguments that compile the whole anew, for copies.
        """
        self.network, self._make, self._made_by = network, make, made_by
        self.axes, self.output = network.spatial_axes, network.output
        self._kernels: dict[Operator, Kernel] = {}
        self._routes: dict[tuple[int, ...], _Route] = {}
        roles = {name: given_roles(op) for name, op in network.layers}
        self._given = {name: own for name, own in roles.items() if own}
        self._layers, _ = self._together(dict(network.layers))
        for name, op in self._layers.items():
            with in_layer(name):
                if not isinstance(op, Add):
                    self._kernel(op)

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy is compiled anew."""
        return self._made_by[0], self._made_by[1:]

    def __eq__(self, other: object) -> bool:
        return self._made_by == other._made_by if isinstance(other, NetworkKernel) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._made_by)

    def __repr__(self) -> str:
        return f"<Kernel of {self.network!r}>"

    def _kernel(self, op: Operator) -> Kernel:
        if op not in self._kernels:
            self._kernels[op] = self._make(op)
        return self._kernels[op]

    def route(self, shape: tuple[int, ...]) -> _Route:
        """What happens to an input of a shape, without a batch; known from call to call."""
        found = self._routes.get(shape)
        if found is None:
            shapes = self.network.shapes(shape)
            found = self._routes[shape] = _Route(shapes, tuple(self._stops(self.network.fitted(shapes))))
            while len(self._routes) > MOST_ROUTES:
                self._routes.pop(next(iter(self._routes)))
        return found

    def _together(self, operators: Mapping[str, Operator]) -> tuple[dict[str, Operator], dict[str, tuple[str, ...]]]:
        """The layers as they run, and what each reads: a softmax that only a cross-entropy reads is a part of that."""
        reads = {name: self.network.sources(name) for name in operators}
        found = dict(operators)
        for name, op in operators.items():
            (source, *others) = reads[name]
            alone = not others and sum(source in sources for sources in reads.values()) == 1
            if alone and isinstance(op, CrossEntropy) and isinstance(found.get(source), Softmax):
                # a probability that is too small to be told from 0 has a logarithm all the same
                found[name], reads[name] = replace(op, from_logits=True), reads.pop(source)
                del found[source]
        return found, reads

    def _stops(self, fitted: Mapping[str, Operator]) -> Iterator[_Stop]:
        operators, reads = self._together(fitted)
        last = {source: name for name in operators for source in reads[name]}
        for name, op in operators.items():
            freed = tuple(source for source in dict.fromkeys(reads[name]) if last[source] == name)
            kernel = None if isinstance(op, Add) else self._kernel(op)
            back = kernel if kernel is None or op == untied(op) else self._kernel(untied(op))
            yield _Stop(name, op, reads[name], freed, kernel, back)

    @property
    def source(self) -> str:
        """The NumPy source of every layer, in the order in which they run."""
        return "\n\n\n".join(f"# {name}\n{kernel.source}" for name, kernel in self._listed())

    def _listed(self) -> Iterator[tuple[str, Kernel]]:
        return ((name, self._kernel(op)) for name, op in self._layers.items() if not isinstance(op, Add))

    def explain(self, shape: tuple[int, ...] | None = None, dtype: Any = "float32") -> str:
        """What every layer runs for an input of a shape, ``(N, C, *spatial)``, or in general."""
        if shape is None:
            return "\n".join(f"{name}: {kernel.op!r}, plan {kernel.plan}" for name, kernel in self._listed())
        entries = items(shape)
        if entries is None:
            raise ArgumentError("shape", shape, "must be a tuple of integers")
        given = tuple(plain_integer("shape", n, 1) for n in entries)
        call = _Call(self, np.broadcast_to(np.zeros((), np.float32), given))
        lines = []
        for stop in call.route.stops:
            read, got = (call.full(call.route.shapes[name]) for name in (stop.sources[0], stop.name))
            what = "sum" if stop.kernel is None else f"plan {stop.kernel.plan_for(read, dtype)}"
            lines.append(f"{stop.name}: {stop.op!r}, {'x'.join(map(str, read))} -> {'x'.join(map(str, got))}, {what}")
        return "\n".join(lines)

    # ------------------------------------------------------------------ calls

    @through_the_door
    def __call__(self, x: Any, weights: Mapping[str, Mapping[str, Any]] | None = None) -> Any:
        """The output.

        Args:
            x: the input.
            weights: the weights and biases by layer.

        Raises:
            ArgumentError: for a shape or a type that does not fit, a missing or superfluous weight; GeometryError where
                two layers do not follow on. Both name the layer.
        """
        call = _Call(self, as_array("x", x), weights)
        return call.fresh(call.shown(call.forward(keep=False), self.output))

    @through_the_door
    def vjp(self, grad_output: Any, x: Any, weights: Mapping[str, Mapping[str, Any]] | None = None) -> dict[str, Any]:
        """The gradients of ``<grad_output, kernel(x, weights)>``: one pass to the output, and one back.

        Args:
            grad_output: the upstream gradient, in the shape of the output, or one number for all of it.
            x, weights: as for the call.

        Returns:
            "input": the gradient by the input; and for every layer with weights, by its name, the `Gradients` of them.

        Raises:
            ArgumentError: as for the call, and for a tie under ``ties="error"`` that the gradient depends on.
            NotSupportedError: for integers, and for ``ties="set"``.
        """
        call = _Call(self, as_array("x", x), weights)
        return call.backward(grad_output)


MOST_ROUTES = 64


@dataclass(frozen=True)
class _Stop:
    """A layer on the way of an input of some shape.

    Attributes:
        name, op: the layer, for arrays of that shape.
        sources: what it reads.
        freed: what nothing reads after it.
        kernel, back: what gives its output, and its gradients; None for a sum.
    """

    name: str
    op: Operator
    sources: tuple[str, ...]
    freed: tuple[str, ...]
    kernel: Kernel | None
    back: Kernel | None

    @property
    def picks(self) -> bool:
        """Whether its kernel can say where the entries that it gives come from."""
        return isinstance(self.kernel, WindowKernel) and self.kernel.picks


@dataclass(frozen=True)
class _Route:
    """The shapes of what every layer gives for an input of some shape, and the layers in their order."""

    shapes: Mapping[str, tuple[Any, ...]]
    stops: tuple[_Stop, ...]


class _Call:
    """One call: its arrays, with a batch and channels, by the layer that gives them."""

    def __init__(self, kernel: NetworkKernel, x: Array, *weights: Any) -> None:
        self.kernel, self.network, self.x = kernel, kernel.network, x
        axes = kernel.axes
        extra = x.ndim - axes if axes is not None else min(x.ndim, 2)
        if not (0 if axes is not None else 1) <= extra <= 2:
            wanted = (
                "(N, ...), or (features,) for a single vector"
                if axes is None
                else f"(N, C, *spatial), (C, *spatial) or (*spatial) with {axes} spatial axes"
            )
            raise ArgumentError("x", x.shape, f"must have the shape {wanted}")
        self.batched = extra == 2
        self.plain = axes is not None and extra == 0
        self.batch = x.shape[0] if self.batched else 1
        single = x.shape[1:] if self.batched else (1, *x.shape) if self.plain else x.shape
        self.route = kernel.route(single)
        self.weights = self._read(*weights) if weights else {}  # none where only shapes count
        self.arrays: dict[str, Array] = {INPUT: x.reshape(self.batch, *single)}
        self.extras: dict[str, Any] = {}

    def full(self, shape: tuple[Any, ...]) -> tuple[int, ...]:
        """A shape with the batch."""
        return (self.batch, *shape)

    def _read(self, weights: Any) -> dict[str, dict[str, Array]]:
        """The weights and biases by layer; kernels look at their shapes.

        Raises:
            ArgumentError: for a missing or superfluous one.
        """
        found = {
            name: {role: as_array(f"weights[{name!r}][{role!r}]", array) for role, array in own.items()}
            for name, own in given_arrays(weights, self.kernel._given).items()
        }
        for name, own in found.items():
            if "target" in own and not self.batched:
                own["target"] = self._of_one(own["target"], self.route.shapes[self.network.sources(name)[0]])
        return found

    def _of_one(self, target: Array, shape: tuple[Any, ...]) -> Array:
        """The target of the one item that there is, as a batch of one; with the channel that its input has not."""
        without = self.plain and target.ndim == len(shape) - 1 > 0 and shape[0] == 1
        return target[None, None] if without else target[None]

    def shown(self, array: Array, name: str) -> Array:
        """An array as it is given back: with a batch where the input has one, without the channel that it had not."""
        result = array if self.batched else array[0]
        shape = self.route.shapes[name]
        return result[0] if self.plain and len(shape) == (self.kernel.axes or 0) + 1 and shape[0] == 1 else result

    def fresh(self, result: Array, *given: Any) -> Array:
        """A result that shares no memory with what was given, and that can be written to."""
        shared = any(np.may_share_memory(result, other) for other in (self.x, *given))
        return result.copy() if shared or not result.flags.writeable else result

    # ------------------------------------------------------------------ forward

    def forward(self, *, keep: bool) -> Array:
        """What the last layer gives; what all of them give is kept where it will come back."""
        name = ""
        try:
            for stop in self.route.stops:
                name = stop.name
                self.arrays[name] = self._made(stop, [self.arrays[source] for source in stop.sources], keep)
                if not keep:
                    for source in stop.freed:
                        del self.arrays[source]
        except SymconvError as error:
            raise named_error(name, error) from None
        return self.arrays[name]

    def _made(self, stop: _Stop, read: list[Array], keep: bool) -> Array:
        if stop.kernel is None:
            return _sum(read)
        if keep and stop.picks:
            self.extras[stop.name] = stop.kernel(read[0], return_indices=True)
            found: Array = self.extras[stop.name][0]
            return found
        made: Array = stop.kernel(read[0], **self.weights.get(stop.name, {}))
        return made

    # ------------------------------------------------------------------ backward

    def backward(self, grad_output: Any) -> dict[str, Any]:
        """The gradients, from the output to the input."""
        y = self.forward(keep=True)
        upstream = self._upstream(grad_output, y)
        flows: dict[str, Array] = {self.kernel.output: upstream}
        found: dict[str, Gradients] = {}
        name = ""
        try:
            for stop in reversed(self.route.stops):
                name = stop.name
                g = flows.pop(name)
                parts = [g] * len(stop.sources)
                if stop.back is not None:
                    refuse_ties(stop.op, self.arrays[stop.sources[0]], g, self._passed(stop))
                    own = self._own(stop, g)
                    parts = [own.input]
                    if stop.op.variables[1:]:
                        found[name] = Gradients(None, own.weight, own.bias)
                for source, part in zip(stop.sources, parts, strict=True):
                    flows[source] = flows[source] + part if source in flows else part
                self.arrays.pop(name, None)
                self.extras.pop(name, None)
        except SymconvError as error:
            raise named_error(name, error) from None
        return {
            INPUT: self.fresh(self.shown(flows[INPUT], INPUT), upstream),
            **{name: found[name] for name in self.weights if name in found},
        }

    def _own(self, stop: _Stop, g: Array) -> Gradients:
        assert stop.back is not None
        x = self.arrays[stop.sources[0]]
        if isinstance(stop.back, WindowKernel) and stop.name not in self.weights:
            # what it gave spares it to look for norms or winners
            return stop.back.vjp(g, x, output=self.extras.get(stop.name, self.arrays[stop.name]))
        return stop.back.vjp(g, x, **self.weights.get(stop.name, {}))

    def _passed(self, stop: _Stop) -> Callable[[Array], Array] | None:
        """What the layer before hands on of a gradient, where it works place by place."""
        before = next((other for other in self.route.stops if other.name == stop.sources[0]), None)
        if before is None or not before.op.place_by_place or before.back is None:
            return None
        return lambda g: np.asarray(self._own(before, g).input)

    def _upstream(self, given: Any, y: Array) -> Array:
        g = as_array("grad_output", given)
        if g.ndim == 0:
            return np.broadcast_to(g.astype(y.dtype), y.shape)
        fit("grad_output", g, self.shown(y, self.kernel.output).shape, "the shape of the output")
        return g.reshape(y.shape)


def _sum(arrays: list[Array]) -> Array:
    """The sum of several arrays, in the types of `types_of`.

    Raises:
        ArgumentError: for integers whose sum might have no place in int64.
    """
    types = types_of(arrays, keep_integers=False)
    if types.exact:
        refuse_sum(arrays[0], sum(map(largest_of, arrays)))
    total = arrays[0].astype(types.compute)
    for other in arrays[1:]:
        total += other.astype(types.compute, copy=False)
    return total.astype(types.result, copy=False)
