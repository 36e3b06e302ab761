"""A network as a function of arrays: the kernels of its layers, one after the other, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from symconv.doors import items, mapping, plain_integer
from symconv.errors import ArgumentError
from symconv.kernels.runtime.arguments import as_array, fit
from symconv.kernels.runtime.contract import Gradients, Kernel
from symconv.kernels.runtime.kernel import WindowKernel
from symconv.kernels.runtime.padding import Array
from symconv.kernels.runtime.ties import tie_error, tied_winners
from symconv.operators.base import Operator
from symconv.operators.joining import Add
from symconv.operators.networks.network import Network, in_layer
from symconv.operators.networks.shape import INPUT

__all__ = ["NetworkKernel"]

Weights = Mapping[str, Mapping[str, Array]]


class NetworkKernel:
    """``kernel(x, weights)``: a network, compiled. Made by `symconv.compile`.

    Attributes:
        network: the network.

    Arrays are ``(N, C, *spatial)``, ``(C, *spatial)``, or ``(*spatial)`` for an input of one channel; a network without
    windows takes ``(N, ...)``, or ``(features,)`` for a single vector. The result has a batch where the input has one.
    Weights are ``{name: {"weight": ..., "bias": ...}}``, in the shapes of `Network.parameter_sizes`. Nothing given is
    written to.

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
        self._kernels: dict[Operator, Kernel] = {}
        self._fitted: dict[tuple[Any, ...], tuple[dict[str, tuple[Any, ...]], dict[str, Operator]]] = {}
        for name, op in network.layers:
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

    @property
    def source(self) -> str:
        """The NumPy source of every layer, in the order in which they run."""
        return "\n\n\n".join(f"# {name}\n{kernel.source}" for name, kernel in self._listed())

    def _listed(self) -> Iterator[tuple[str, Kernel]]:
        return ((name, self._kernel(op)) for name, op in self.network.layers if not isinstance(op, Add))

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
        for name, op in self.network.layers:
            read, got = (call.full(call.shapes[s]) for s in (self.network.sources(name)[0], name))
            what = "sum" if isinstance(op, Add) else f"plan {self._kernel(call.operators[name]).plan_for(read, dtype)}"
            lines.append(f"{name}: {op!r}, {'x'.join(map(str, read))} -> {'x'.join(map(str, got))}, {what}")
        return "\n".join(lines)

    # ------------------------------------------------------------------ calls

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
        return call.shown(call.forward(keep=False), self.network.output)

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


class _Call:
    """One call: its arrays, with a batch and channels, by the layer that gives them."""

    def __init__(self, kernel: NetworkKernel, x: Array, *weights: Any) -> None:
        self.kernel, self.network = kernel, kernel.network
        axes = self.network.spatial_axes
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
        known = kernel._fitted.get(single)
        if known is None:
            shapes = self.network.shapes(single)
            known = kernel._fitted[single] = shapes, self.network.fitted(shapes)
            while len(kernel._fitted) > 64:
                kernel._fitted.pop(next(iter(kernel._fitted)))
        self.shapes, self.operators = known
        self.x = x.reshape(self.batch, *single)
        self.weights = self._read(*weights) if weights else {}  # none where only shapes count
        self.arrays: dict[str, Array] = {INPUT: self.x}
        self.extras: dict[str, Any] = {}

    def full(self, shape: tuple[Any, ...]) -> tuple[int, ...]:
        """A shape with the batch."""
        return (self.batch, *shape)

    def _read(self, weights: Any) -> dict[str, dict[str, Array]]:
        """The weights and biases by layer; kernels look at their shapes.

        Raises:
            ArgumentError: for a missing or superfluous one.
        """
        wanted = 'must be a table by layer, such as {"conv1": {"weight": ..., "bias": ...}}'
        table = mapping("weights", {} if weights is None else weights, wanted)
        needed = {name: op.variables[1:] for name, op in self.network.layers if not isinstance(op, Add)}
        needed = {name: roles for name, roles in needed.items() if roles}
        for name in table:
            if name not in needed:
                known = ", ".join(needed) or "none"
                raise ArgumentError("weights", name, f"must be by the names of layers that have weights: {known}")
        found = {}
        for name, roles in needed.items():
            if name not in table:
                raise ArgumentError("weights", tuple(table), f"must have an entry for {name}, with {_listed(roles)}")
            own = mapping(f"weights[{name!r}]", table[name], f"must be a table with {_listed(roles)}")
            if set(own) != set(roles):
                raise ArgumentError(f"weights[{name!r}]", tuple(own), f"must have {_listed(roles)} and nothing else")
            found[name] = {str(role): as_array(f"weights[{name!r}][{role!r}]", own[role]) for role in roles}
        return found

    def shown(self, array: Array, name: str) -> Array:
        """An array as it is given back: with a batch where the input has one, without the channel that it had not."""
        result = array if self.batched else array[0]
        axes = self.network.spatial_axes
        single = len(self.shapes[name]) == (axes or 0) + 1 and self.shapes[name][0] == 1
        return result[0] if self.plain and single else result

    # ------------------------------------------------------------------ forward

    def forward(self, *, keep: bool) -> Array:
        """What the last layer gives; what all of them give is kept where it will come back."""
        network = self.network
        left = {name: sum(before == name for before, _ in network.edges) for name in (INPUT, *network.names)}
        for name, op in self.operators.items():
            read = [self.arrays[source] for source in network.sources(name)]
            with in_layer(name):
                self.arrays[name] = self._made(name, op, read, keep)
            for source in network.sources(name):
                left[source] -= 1
                if not keep and not left[source]:
                    del self.arrays[source]
        return self.arrays[network.output]

    def _made(self, name: str, op: Operator, read: list[Array], keep: bool) -> Array:
        if isinstance(op, Add):
            total = read[0] + read[1]
            for other in read[2:]:
                total += other
            return total
        kernel = self.kernel._kernel(op)
        if keep and isinstance(kernel, WindowKernel) and kernel.picks:
            self.extras[name] = kernel(read[0], return_indices=True)
            found: Array = self.extras[name][0]
            return found
        made: Array = kernel(read[0], **self.weights.get(name, {}))
        return made

    # ------------------------------------------------------------------ backward

    def backward(self, grad_output: Any) -> dict[str, Any]:
        """The gradients, from the output to the input."""
        network = self.network
        y = self.forward(keep=True)
        flows: dict[str, Array] = {network.output: self._upstream(grad_output, y)}
        found: dict[str, Gradients] = {}
        for name in reversed(network.names):
            op, g = self.operators[name], flows.pop(name)
            sources = network.sources(name)
            if isinstance(op, Add):
                parts = [g] * len(sources)
            else:
                with in_layer(name):
                    self._refuse_ties(name, op, g)
                    own = self._own(name, op, g)
                if op.variables[1:]:
                    found[name] = Gradients(None, own.weight, own.bias)
                parts = [own.input]
            for source, part in zip(sources, parts, strict=True):
                flows[source] = flows[source] + part if source in flows else part
            self.arrays.pop(name, None)
            self.extras.pop(name, None)
        to_input = self.shown(flows[INPUT], INPUT)
        return {INPUT: to_input, **{name: found[name] for name in network.names if name in found}}

    def _own(self, name: str, op: Operator, g: Array) -> Gradients:
        (source,) = self.network.sources(name)
        kernel, x = self.kernel._kernel(_untied(op)), self.arrays[source]
        if isinstance(kernel, WindowKernel) and not op.variables[1:]:  # what it gave spares it to look for winners
            return kernel.vjp(g, x, output=self.extras.get(name, self.arrays[name]))
        return kernel.vjp(g, x, **self.weights.get(name, {}))

    def _refuse_ties(self, name: str, op: Operator, g: Array) -> None:
        """Refuse a tie, unless what stands before the pooling stops all of its winners."""
        if getattr(op, "ties", None) != "error":
            return
        (source,) = self.network.sources(name)
        x = self.arrays[source]
        tied = tied_winners(op, x, g)
        if tied is None:
            return
        before = self.operators.get(source)
        if before is not None and before.place_by_place and not isinstance(before, Add):
            passed = self._own(source, before, tied[0].astype(x.dtype))
            if not np.any(passed.input):
                return
        raise tie_error("ties", tied[1])

    def _upstream(self, given: Any, y: Array) -> Array:
        g = as_array("grad_output", given)
        if g.ndim == 0:
            return np.broadcast_to(g.astype(y.dtype), y.shape)
        fit("grad_output", g, self.shown(y, self.network.output).shape, "the shape of the output")
        return g.reshape(y.shape)


def _untied(op: Operator) -> Operator:
    """The pooling whose ties have been looked at."""
    if getattr(op, "ties", None) != "error":
        return op
    found: Operator = type(op)(**{**op.options(), "ties": "first"})
    return found


def _listed(roles: tuple[str, ...]) -> str:
    return " and ".join(f'"{role}"' for role in roles)
