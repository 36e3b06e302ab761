"""A network in exact numbers: every entry and every gradient read off the formula of its layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from math import lcm
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symconv.doors import plain_integer
from symconv.errors import ArgumentError
from symconv.formulas.entries import exact_number
from symconv.formulas.formula import Formula
from symconv.operators.base import Operator
from symconv.operators.cross_entropy import CrossEntropy
from symconv.operators.gradients import Gradients
from symconv.operators.joining import Add
from symconv.operators.networks.given import given_arrays, given_sizes
from symconv.operators.networks.naming import in_layer
from symconv.operators.networks.shape import INPUT, Shape
from symconv.operators.winners import refuse_ties, untied

__all__ = ["Connected", "Entries", "Exact", "ExactRun", "applied", "gradient_of", "gradients", "role_of", "values"]

Exact = NDArray[Any]
"""An array of exact numbers (of objects)."""

Entries: TypeAlias = Callable[[Formula, Mapping[str, Exact], "int | None"], Exact]
"""What makes the entries of a formula, from the arrays by role, for a plane of an array."""


class Connected(Protocol):
    """What is asked of a `Network` here."""

    @property
    def layers(self) -> tuple[tuple[str, Operator], ...]: ...
    @property
    def names(self) -> tuple[str, ...]: ...
    @property
    def output(self) -> str: ...
    @property
    def spatial_axes(self) -> int | None: ...
    def sources(self, name: str) -> tuple[str, ...]: ...
    def input_shape(self, given: Any) -> Shape: ...
    def shapes(self, input_size: Any) -> dict[str, Shape]: ...
    def fitted(self, shapes: Mapping[str, Shape]) -> dict[str, Operator]: ...


def values(network: Connected, inputs: Any, weights: Mapping[str, Mapping[str, Any]] | None) -> dict[str, Exact]:
    """What every layer gives, by its name; see `Network.values`."""
    run = ExactRun(network, inputs, weights)
    return {name: run.shown(run.arrays[name]) for name in network.names}


def gradients(
    network: Connected, inputs: Any, weights: Mapping[str, Mapping[str, Any]] | None, upstream: Any
) -> dict[str, Any]:
    """The gradients by the input and by what every layer depends on; see `Network.gradients`."""
    run = ExactRun(network, inputs, weights)
    return run.backward(upstream)


class ExactRun:
    """One pass through a network.

    Attributes:
        arrays: what every layer gives, and the input, with their channels.
    """

    def __init__(self, network: Connected, inputs: Any, weights: Any) -> None:
        self.network = network
        given = exact_array("inputs", inputs)
        shape = network.input_shape(given.shape) if given.ndim else given.shape
        self.plain = len(shape) != given.ndim  # an image without an axis for its one channel
        if self.plain and shape[0] != 1:
            shown = "x".join(map(str, given.shape))
            raise ArgumentError("inputs", shown, f"must have an axis for its {shape[0]} channels")
        self.shapes = network.shapes(shape)
        self.operators = network.fitted(self.shapes)
        self.weights = read_weights(network, self.shapes, weights)
        self.given = {} if weights is None else weights
        self.arrays: dict[str, Exact] = {INPUT: given.reshape(shape)}
        for name in network.names:
            self.arrays[name] = self._forward(name)

    def shown(self, array: Exact) -> Exact:
        """An array as it is given back: without the axis of one channel where the input had none."""
        axes = self.network.spatial_axes
        return array[0] if self.plain and axes and array.ndim == axes + 1 and len(array) == 1 else array

    def read(self, name: str) -> list[Exact]:
        """What a layer reads."""
        return [self.arrays[source] for source in self.network.sources(name)]

    def _forward(self, name: str) -> Exact:
        op, read = self.operators[name], self.read(name)
        if isinstance(op, Add):
            return np.asarray(sum(read[1:], start=read[0]))
        with in_layer(name):
            return applied(lambda sizes: op.output(input_size=sizes), op, read[0], self.weights.get(name, {}), None)

    # ------------------------------------------------------------------ backward

    def backward(self, upstream: Any) -> dict[str, Any]:
        """From the output to the input, layer by layer."""
        network = self.network
        flows: dict[str, Exact] = {network.output: self.upstream(upstream)}
        found: dict[str, Any] = {}
        for name in reversed(network.names):
            op, g = self.operators[name], flows.pop(name)
            if isinstance(op, Add):
                own = Gradients(g)
            else:
                with in_layer(name):
                    refuse_ties(op, self.read(name)[0], g, self._passed(name))
                own = self._own(name, g)
            found[name] = Gradients(self.shown(own.input), self._like("weight", name, own.weight), own.bias)
            for source in network.sources(name):
                flows[source] = flows[source] + own.input if source in flows else own.input
        return {INPUT: self.shown(flows[INPUT]), **{name: found[name] for name in network.names}}

    def _like(self, role: str, name: str, gradient: Exact | None) -> Exact | None:
        """A gradient in the shape in which its variable was given."""
        return None if gradient is None else gradient.reshape(np.shape(self.given[name][role]))

    def _passed(self, name: str) -> Callable[[Exact], Exact] | None:
        """What the layer before hands on of a gradient, where it works place by place."""
        (source,) = self.network.sources(name)
        op = self.operators.get(source)
        if op is None or not op.place_by_place or isinstance(op, Add):
            return None
        return lambda g: np.asarray(self._own(source, g).input)

    def _own(self, name: str, g: Exact) -> Gradients:
        op, (x,), given = untied(self.operators[name]), self.read(name), self.weights.get(name, {})
        parts = {}
        for variable in op.variables:
            formula: Callable[[Any], Formula] = gradient_of(op, variable)
            with in_layer(name):
                parts[variable] = applied(formula, op, x, given, g)
        return Gradients(**parts)

    def upstream(self, upstream: Any) -> Exact:
        """The gradient by the output, in its shape."""
        shape = self.shapes[self.network.output]
        given = exact_array("upstream", upstream)
        if given.shape == self.shown(np.empty(shape, object)).shape:
            return given.reshape(shape)
        if given.ndim:
            shown = "x".join(map(str, given.shape))
            raise ArgumentError("upstream", shown, f"must have the shape {'x'.join(map(str, shape))} of the output")
        return np.full(shape, given[()], object)


def gradient_of(op: Operator, variable: Any) -> Callable[[Any], Formula]:
    """The formula of a gradient of a layer, by the sizes of its input."""
    return lambda sizes: op.gradient(variable, input_size=sizes)


def applied(
    formula_for: Callable[[Any], Formula],
    op: Operator,
    x: Exact,
    given: Mapping[str, Exact],
    g: Exact | None,
    entries: Entries | None = None,
) -> Exact:
    """The entries of a formula of a layer, for all its planes; gradients of what planes share add up.

    `entries` makes what stands in the place of each entry; it is told the plane where there are several.
    """
    planes = op.planes(x.shape)
    whole = planes == 1 and x.ndim == op.spatial_axes
    sizes = x.shape if whole else x.shape[1:]
    formula = formula_for(sizes)
    role = formula.quantity.wrt
    shared = role is not None and role_of(formula, role[0]) != "input"
    results = []
    for plane in range(planes):
        together = planes == 1
        arrays = {"input": x if together else x[plane], **given}
        if g is not None:
            arrays["upstream"] = g if together else g[plane]
        made = _entries(formula, arrays) if entries is None else entries(formula, arrays, None if together else plane)
        results.append(made)
    wanted: Shape
    if shared:
        assert role is not None
        wanted = given[role_of(formula, role[0])].shape
        return sum(results[1:], start=results[0]).reshape(wanted)
    wanted = x.shape if role is not None else op.array_size(x.shape)
    return np.stack(results).reshape(wanted)


def role_of(formula: Formula, letter: str) -> str:
    """What a letter of a formula stands for."""
    return next(tensor.role for tensor in formula.tensors if tensor.name == letter)


def _entries(formula: Formula, arrays: Mapping[str, Exact]) -> Exact:
    """All entries of a formula whose sizes are numbers; axes of a single channel are none in its tensors."""
    tensors = {}
    for tensor in formula.tensors:
        if tensor.role in arrays:
            box = tuple(int((high - low + 1).evaluate({})) for low, high in tensor.box)
            tensors[tensor.name] = arrays[tensor.role].reshape(box)
        elif tensor.role == "bias":  # a gradient does not read it
            tensors[tensor.name] = np.zeros(tuple(int((h - low + 1).evaluate({})) for low, h in tensor.box), object)
    found = formula.values(tensors)
    result = np.empty(formula.shape(), object)
    for point, value in found.items():
        result[point] = _cancelled(value) if len(found) <= MOST_CANCELLED else value
    return result


MOST_CANCELLED = 100
LARGEST_CANCELLED = 150  # above it SymPy looks for common factors for minutes


def _cancelled(value: Any) -> Any:
    """An exact number with e, ln or roots in it in lowest terms, such as 1/3 for e/(3 e); a large one as it is."""
    if not hasattr(value, "free_symbols"):
        return value
    import sympy

    powers = {found for found in value.atoms(sympy.exp) if found.args[0].is_Rational}
    shared = lcm(*(int(found.args[0].q) for found in powers))
    if _degree(value, {found: abs(found.args[0]) * shared for found in powers}) > LARGEST_CANCELLED:
        return value
    try:
        found = sympy.cancel(value)
    except sympy.PolynomialError:
        return value
    return Fraction(int(found.p), int(found.q)) if found.is_Rational else found


def _degree(value: Any, powers: Mapping[Any, Any]) -> Any:
    """How large the polynomials are at most that a number is a fraction of, counted by degrees and terms.

    `powers` are the powers of e in it, as powers of the root of e that they are all powers of.
    """
    if value in powers:
        return powers[value]
    if value.is_Pow and value.exp.is_Integer:
        return abs(value.exp) * _degree(value.base, powers)
    return sum((_degree(part, powers) for part in value.args), start=0 if value.args else 1)


# ---------------------------------------------------------------------- what is given


def exact_array(name: str, value: Any) -> Exact:
    """An array of objects of nested lists or of an array; its entries are looked at where they are read.

    Raises:
        ArgumentError: for rows of several lengths, or a mask.
    """
    if isinstance(value, np.ma.MaskedArray):
        raise ArgumentError(name, type(value).__name__, "must be an array without a mask", f"pass {name}.filled(...)")
    if isinstance(value, np.ndarray) and value.dtype.kind not in "biufO":
        raise ArgumentError(name, value.dtype.name, "must be an array of real numbers")
    try:
        return np.array(value, dtype=object)
    except (ValueError, TypeError):
        raise ArgumentError(name, value, "must be an array of numbers, with rows of one length") from None


def read_weights(network: Connected, shapes: Mapping[str, Shape], weights: Any) -> dict[str, dict[str, Exact]]:
    """The weights and biases of every layer, in their full shapes.

    Raises:
        ArgumentError: for a missing or superfluous one, or one of another shape.
    """
    sizes = {name: given_sizes(op, shapes[network.sources(name)[0]]) for name, op in network.layers}
    needed = {name: own for name, own in sizes.items() if own}
    found = {
        name: {role: _fitting(f"weights[{name!r}][{role!r}]", array, needed[name][role]) for role, array in own.items()}
        for name, own in given_arrays(weights, needed).items()
    }
    for name, op in network.layers:
        if isinstance(op, CrossEntropy) and op.target is None:
            numbers = [exact_number(entry) for entry in found[name]["target"].ravel()]
            total = sum(number for number in numbers if number is not None)  # what is none is refused where it is read
            if None not in numbers and not _is_one(total):
                raise ArgumentError(f"weights[{name!r}]['target']", str(total), "must have entries that sum to 1")
    return found


def _is_one(total: Any) -> bool:
    """Whether a target sums to 1, exactly unless there are decimals in it."""
    return bool(abs(total - 1) < DECIMALS) if isinstance(total, float) else bool(total == 1)


DECIMALS = 1e-9


def _fitting(argument: str, value: Any, shape: Shape) -> Exact:
    """An array of a shape; ``(*kernel)`` stands for one channel in and out."""
    array = exact_array(argument, value)
    if argument.endswith("['target']") and array.shape == () and len(shape) == 1:  # a class
        return one_hot(argument, value, shape[0])
    short = tuple(shape[2:])
    if array.shape == shape or (shape[:2] == (1, 1) and array.shape == short and len(shape) > 2):
        return array.reshape(shape)
    shown = "x".join(map(str, array.shape)) or "a number"
    raise ArgumentError(argument, shown, f"must have the shape {'x'.join(map(str, shape))}")


def one_hot(argument: str, value: Any, count: int) -> Exact:
    """A class, counted from 0, as a vector.

    Raises:
        ArgumentError: for what is no class of so many.
    """
    found = plain_integer(argument, value, 0, f"must be a class in 0..{count - 1}, or a vector")
    if found >= count:
        raise ArgumentError(argument, found, f"must be a class in 0..{count - 1}")
    result = np.zeros(count, object)
    result[found] = 1
    return result
