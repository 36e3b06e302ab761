"""The network of a question at work: its values and its gradients in exact numbers, and entries written out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from math import lcm, prod
from typing import Any

import numpy as np

from symconv.errors import ProblemFileError
from symconv.formulas.formula import Formula
from symconv.formulas.printing import LATEX
from symconv.operators.base import Operator
from symconv.operators.joining import Add
from symconv.operators.letters import Letters
from symconv.operators.networks.shape import INPUT, Shape
from symconv.problems.answers.desk import Desk
from symconv.problems.answers.sums import Lettered, Spelled, sum_of_entries, written_sum
from symconv.problems.chains import array_names, chain_of
from symconv.problems.naming import entry_letter
from symconv.problems.problem import Layers, Question

__all__ = ["MOST_ENTRIES", "Running", "running", "too_large"]

MOST_ENTRIES = 4_000
"""Of all arrays of a network together: above it a page shows shapes and symbols, and no numbers."""

LARGEST_UNIT = 1_000


def running(desk: Desk, question: Question, weights: Mapping[str, Mapping[str, Any]] | None = None) -> Running:
    """The network of a question, or the one layer, with its data; with other weights where they are given."""
    chain = chain_of(question, desk.problem.where(question), desk.problem.data)
    data = desk.problem.data
    if weights is None:
        weights = {layer: {role: data[name] for role, name in own.items()} for layer, own in chain.weights.items()}
    upstream: Any = 1
    named = question.own.get("upstream")
    if named and named != "ones":
        upstream = np.array(data[named], dtype=object)
    known = desk.running.get(
        (chain.name, repr(weights), repr(upstream), question.index_base, tuple(question.names.items()))
    )
    if known is None:
        known = Running(chain, question, data[chain.input], weights, upstream)
        desk.running[
            (chain.name, repr(weights), repr(upstream), question.index_base, tuple(question.names.items()))
        ] = known
    return known


def too_large(chain: Layers) -> str:
    """Why numbers are left out, in a sentence; "" where they are not."""
    shapes = chain.network.shapes(chain.input_shape)
    weights = chain.network.parameter_counts(chain.input_shape)
    total = sum(map(prod, shapes.values())) + sum(weights.values())
    if total <= MOST_ENTRIES:
        return ""
    return (
        f"The arrays of this network have {total:,} entries together, and a page shows at most {MOST_ENTRIES:,}: "
        "shapes and symbols stand here, and no numbers."
    )


@dataclass(frozen=True)
class Running:
    """A network in exact numbers.

    Attributes:
        chain: the network.
        question: the question that it runs for, which has the letters and the base.
        given: the input, as nested lists.
        weights: by layer and role, as nested lists or arrays.
        upstream: the gradient of an error by the output.
    """

    chain: Layers
    question: Question
    given: Any
    weights: Mapping[str, Mapping[str, Any]]
    upstream: Any = 1
    names: Mapping[str, Mapping[str, str]] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", array_names(self.chain, self.question))

    @property
    def base(self) -> int:
        """Where indices start on paper."""
        return self.question.index_base

    @cached_property
    def shapes(self) -> dict[str, Shape]:
        """The shapes of what every layer gives, and of the input."""
        return self.chain.network.shapes(self.chain.input_shape)

    @cached_property
    def operators(self) -> dict[str, Operator]:
        """The layers as they act on arrays of these shapes."""
        return self.chain.network.fitted(self.shapes)

    @cached_property
    def input(self) -> Any:
        """The input, with its channels."""
        return np.array(self.given, dtype=object).reshape(self.chain.input_shape)

    @cached_property
    def parameters(self) -> dict[str, dict[str, Any]]:
        """The weights and biases in their full shapes."""
        sizes = self.chain.network.parameter_sizes(self.chain.input_shape)
        return {
            layer: {
                role: np.array(self.weights[layer][role], dtype=object).reshape(shape) for role, shape in own.items()
            }
            for layer, own in sizes.items()
        }

    @cached_property
    def _given(self) -> dict[str, dict[str, Any]]:
        """All that is given besides the input: the parameters, and the target of a loss that has none of its own."""
        return {layer: {**dict(own), **self.parameters.get(layer, {})} for layer, own in self.weights.items()}

    @cached_property
    def values(self) -> dict[str, Any]:
        """What every layer gives, and the input, as arrays in full shapes."""
        found = self.chain.network.values(self.input, self._given)
        return {INPUT: self.input, **{name: array.reshape(self.shapes[name]) for name, array in found.items()}}

    @cached_property
    def gradients(self) -> dict[str, Any]:
        """The gradients as `Network.gradients` gives them, with full shapes."""
        shape = self.shapes[self.chain.network.output]
        upstream = self.upstream
        if isinstance(upstream, np.ndarray):
            upstream = upstream.reshape(shape)
        return self.chain.network.gradients(self.input, self._given, upstream)

    @cached_property
    def flows(self) -> dict[str, Any]:
        """The gradient of the error by what every layer gives, and by the input."""
        network = self.chain.network
        shape = self.shapes[network.output]
        given = np.array(self.upstream, dtype=object)
        found = {
            network.output: given.reshape(shape) if given.ndim else np.full(shape, Fraction(self.upstream), object)
        }
        for name in network.names:
            for source in network.sources(name):
                part = np.asarray(self.gradients[name].input).reshape(self.shapes[source])
                found[source] = found[source] + part if source in found else part
        return found

    def gradient(self, layer: str, role: str) -> Any:
        """The gradient by an array: what a layer gives ("output"), or one of its parameters."""
        if role == "output":
            return self.flows[layer]
        return np.asarray(getattr(self.gradients[layer], role)).reshape(self.parameters[layer][role].shape)

    # ------------------------------------------------------------------ printing

    def unit(self, arrays: Mapping[str, Any]) -> Fraction:
        """What the gradients of a page are multiples of: what the file says, else the common denominator if small.

        Raises:
            ProblemFileError: where the file's unit leaves fractions.
        """
        entries = [value for array in arrays.values() for value in np.asarray(array).ravel().tolist()]
        exact = [value for value in entries if isinstance(value, Fraction | int)]
        common = lcm(*(Fraction(value).denominator for value in exact), 1) if exact else 1
        chosen = self.chain.unit
        if chosen is not None:
            broken = next((value for value in exact if (value / chosen).denominator != 1), None)
            if broken is not None or len(exact) < len(entries):
                seen = "an irrational one" if broken is None else str(broken)
                raise ProblemFileError(
                    f"unit: the gradients must be multiples of {chosen}, and {seen} is among them; take 1/{common}"
                    if len(exact) == len(entries)
                    else f"unit: the gradients must be multiples of {chosen}, and {seen} is among them; leave it out"
                )
            return chosen
        return Fraction(1, common) if len(exact) == len(entries) and common <= LARGEST_UNIT else Fraction(1)

    # ------------------------------------------------------------------ entries written out

    def upstream_letter(self, layer: str) -> str:
        """The letter of the gradient by what a layer gives."""
        declared = self.chain.layers.get(layer)
        if declared is not None and "upstream" in declared.names:
            return entry_letter(declared.names["upstream"])
        if len(self.chain.network.names) > 1:
            return f"g{self.chain.network.names.index(layer) + 1}"
        return Letters.of(self.question.names).upstream

    def output_sum(self, layer: str, place: tuple[int, ...]) -> Spelled:
        """An entry of what a layer gives, at a place counted from the base."""
        sources, names = self.chain.network.sources(layer), self.names
        op = self.operators[layer]
        if isinstance(op, Add):
            at = tuple(i - self.base for i in place)
            return sum_of_entries(
                [(entry_letter(names[source]["output"]), place, self.values[source][at]) for source in sources]
            )
        return self._written(layer, "output", place, lambda sizes, letters: op.output(
            names=letters, index_base=self.base, input_size=sizes
        ))  # fmt: skip

    def gradient_sum(self, layer: str, role: Any, place: tuple[int, ...]) -> Spelled:
        """An entry of the gradient by an input or a parameter of a layer, for its own upstream gradient."""
        op = self.operators[layer]
        return self._written(layer, role, place, lambda sizes, letters: op.gradient(
            role, names=letters, index_base=self.base, input_size=sizes
        ))  # fmt: skip

    def _written(self, layer: str, role: str, place: tuple[int, ...], formula_of: Any) -> Spelled:
        op = self.operators[layer]
        (source,) = self.chain.network.sources(layer)
        x = self.values[source]
        planes = op.planes(x.shape)
        whole = planes == 1 and x.ndim == op.spatial_axes
        sizes = x.shape if whole else x.shape[1:]
        letters = {"input": entry_letter(self.names[source]["output"]), "upstream": self.upstream_letter(layer)}
        letters |= {own: entry_letter(name) for own, name in self.names[layer].items()}
        before: tuple[int, ...] = ()
        arrays = {"input": x, "upstream": self.flows[layer] if role != "output" else None, **self._given.get(layer, {})}
        if planes > 1 and role in ("input", "output"):
            before, place = place[:1], place[1:]
            arrays["input"] = x[before[0] - self.base]
            if role != "output":
                arrays["upstream"] = arrays["upstream"][before[0] - self.base]
        formula: Formula = formula_of(sizes, letters)
        tensors = {}
        for tensor in formula.tensors:
            box = tuple(int((high - low + 1).evaluate({})) for low, high in tensor.box)
            array = np.array(arrays[tensor.role], dtype=object).reshape(box)
            front = before if tensor.role in ("input", "upstream", "output") else ()
            tensors[tensor.name] = Lettered(tensor.name, array, front)
        shape = self.shapes[layer if role == "output" else source]
        if role in ("weight", "bias"):
            shape = self.parameters[layer][role].shape
        return written_sum(formula, _without_single(place, shape, len(formula.free)), tensors)

    def entry_name(self, layer: str, role: str, place: tuple[int, ...]) -> str:
        """An entry of an array, as LaTeX."""
        shown = self.trimmed(layer, role, place)
        return LATEX.subscripted(LATEX.name(entry_letter(self.names[layer][role])), [str(i) for i in shown])

    def trimmed(self, layer: str, role: str, place: tuple[int, ...]) -> tuple[int, ...]:
        """A place without the index of a single channel, which is not printed."""
        axes = self.chain.network.spatial_axes
        if role == "output":
            return place[1:] if axes and len(place) == axes + 1 and self.shapes[layer][0] == 1 else place
        op = self.operators[layer]
        count = len(op.axes(role, op.geometry(Letters())))
        return _without_single(place, self.parameters[layer][role].shape, count)


def _without_single(place: tuple[int, ...], shape: Shape, count: int) -> tuple[int, ...]:
    """A place without as many axes of one channel as formulas leave out."""
    single = [axis for axis in (0, 1) if axis < len(shape) and shape[axis] == 1][: len(place) - count]
    return tuple(i for axis, i in enumerate(place) if axis not in single)
