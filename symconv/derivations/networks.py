"""The gradients of a network: every layer's in closed form, its proof, and the chain from the output to the input."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import sympy

from symconv.derivations import rules
from symconv.derivations.frame import Frame
from symconv.derivations.step import Definition, Derivation, Maths, Phrase, Stage, Step, maths
from symconv.derivations.windows import needs_of_derivatives
from symconv.errors import ArgumentError, NotSupportedError
from symconv.formulas.printing import context_of
from symconv.operators.base import Operator, Variable
from symconv.operators.flatten import Flatten
from symconv.operators.letters import Letters
from symconv.operators.networks.naming import in_layer
from symconv.operators.networks.network import Network
from symconv.operators.networks.shape import INPUT, Shape
from symconv.operators.normalisation import BatchNorm
from symconv.operators.pointwise import Pointwise

__all__ = ["network_derivation"]

_REFERENCE = re.compile(r"\((D?[0-9]+)\)")

Derive = Callable[..., Derivation]


@dataclass(frozen=True)
class _Part:
    """The gradient of the error by one variable of one layer.

    Attributes:
        layer: the name of the layer.
        op: the operator, for arrays with as many axes as there are.
        variable: "input", "weight" or "bias".
        names: the letters of the layer.
    """

    layer: str
    op: Operator
    variable: Variable
    names: Mapping[str, str]

    @property
    def label(self) -> str:
        """What its steps and definitions are called by, before their numbers."""
        return f"{self.layer} {self.variable} "


def network_derivation(
    network: Network,
    derive: Derive,
    wrt: str = INPUT,
    names: Mapping[str, Any] | None = None,
    index_base: int = 1,
) -> Derivation:
    """The gradients of an error by the input, or by the weights, of a network of layers one after the other.

    Args:
        network: the network; layers that are joined are left to its numbers.
        derive: what derives the gradient of one layer.
        wrt: "input"; "parameters" for all weights and biases; or one of them, such as "conv1.weight".
        names: letters: "input" for the network's input, and by layer a table of "weight", "bias", "output", "upstream".
        index_base: where indices start on paper.

    Raises:
        ArgumentError: for another `wrt`, or names of no layer.
        NotSupportedError: for a network that is no chain, and for a layer whose gradient is a set.
    """
    operators = _axes_known(network)
    letters = _letters(network, operators, names)
    parts = list(_parts(network, operators, letters, wrt))
    for part in parts:
        with in_layer(part.layer):
            part.op.tie_policy()  # refuses what has no gradient but a set of them
    frames = [Frame(part.op, part.variable, part.names, index_base) for part in parts]
    alone = _per_channel(network)
    theorem = Stage(
        ("Every layer's gradient in closed form",),
        ("for all entries; I is the size of a layer's own input",),
        tuple(_stated(part, frame, part.layer in alone) for part, frame in zip(parts, frames, strict=True)),
    )
    stages: list[Stage] = [theorem]
    definitions: dict[str, Definition] = {}
    hypotheses: list[Phrase] = []
    for part in parts:
        with in_layer(part.layer):
            worked = _relabelled(
                derive(part.op, "gradient", part.variable, names=part.names, index_base=index_base), part
            )
        for stage in worked.stages:
            stages.append(replace(stage, title=(f"{part.layer}: ", *stage.title)))
        for definition in worked.definitions:
            definitions.setdefault(definition.id, definition)
        said: Phrase = (f"{part.layer}: ", *worked.hypotheses)
        if part.layer in alone:
            said = (*said, " It takes every channel by itself, and the index of the channel is left out.")
        if said not in hypotheses:
            hypotheses.append(said)
    chain = _chain(network, parts, frames, letters)
    if chain.steps:
        stages.insert(1, chain)
    lead = (
        "What comes back to a layer is the upstream gradient of the one before it, so that the closed forms are put in "
        "one after the other, from the output to the input."
    )
    what = {INPUT: "its input", "parameters": "its parameters"}.get(wrt, wrt)
    joined: list[str | Maths] = []
    for said in hypotheses:
        joined += [*([" "] if joined else []), *said]
    return Derivation(
        f"The gradient of a network with respect to {what}",
        (lead,),
        tuple(joined),
        tuple(definitions.values()),
        tuple(stages),
    )


def _axes_known(network: Network) -> dict[str, Operator]:
    """The operators as they act on arrays of as many axes as there are, whatever the sizes.

    Raises:
        NotSupportedError: for a network that is no chain.
    """
    if any(len(network.sources(name)) > 1 for name in network.names) or len(network.edges) > len(network.names):
        raise NotSupportedError("derive works on layers one after the other; see Network.gradients for those that join")
    if len({before for before, _ in network.edges}) < len(network.edges):
        raise NotSupportedError("derive works on layers one after the other, and two of them read the same one")
    shapes, axes = _symbolic_shapes(network), network.spatial_axes
    found = {}
    for name, op in network.layers:
        shape = shapes[network.sources(name)[0]]
        # the formulas of convolutions with one channel have no index for it, and what follows on has none either
        single = axes is not None and len(shape) == axes + 1 and shape[0] == 1
        with in_layer(name):
            found[name] = op.fitted(shape[1:] if single and isinstance(op, Flatten | Pointwise) else shape)
    return found


def _symbolic_shapes(network: Network) -> dict[str, Shape]:
    """The shapes of all arrays for an input of symbolic sizes; without windows the first layer says its axes."""
    first = network.layers[0][1]
    axes = first.ndim if network.spatial_axes is None else network.spatial_axes
    sizes = tuple(sympy.Symbol(f"n{axis}", integer=True, positive=True) for axis in range(axes))
    return network.shapes((first.channels, *sizes) if isinstance(first, BatchNorm) else sizes)


def _per_channel(network: Network) -> frozenset[str]:
    """The layers that take every channel of several by itself, and whose formulas leave out its index."""
    shapes = _symbolic_shapes(network)
    before = {name: shapes[network.sources(name)[0]] for name in network.names}
    return frozenset(name for name, op in network.layers if op.fitted(before[name]).planes(before[name]) != 1)


def _letters(
    network: Network, operators: Mapping[str, Operator], names: Mapping[str, Any] | None
) -> dict[str, dict[str, str]]:
    """The letters of every layer: x for the input, and w, b, z and g with the layer's number, where none are given.

    Raises:
        ArgumentError: for names of no layer, or a letter for two things.
    """
    given = dict(names or {})
    first = given.pop(INPUT, "x")
    for layer, table in given.items():
        if layer not in network.names or not isinstance(table, Mapping):
            known = ", ".join((INPUT, *network.names))
            raise ArgumentError("names", layer, f"must be by {known}, with a table of letters for a layer")
        for role in table:
            if role not in ("weight", "bias", "output", "upstream"):
                raise ArgumentError(f"names[{layer!r}]", role, "must be weight, bias, output or upstream")
    usual = {"weight": "w", "bias": "b", "output": "z", "upstream": "g"}
    found: dict[str, dict[str, str]] = {}
    before = {INPUT: first}
    for number, (layer, op) in enumerate(operators.items(), 1):
        own = {role: f"{letter}{number}" for role, letter in usual.items()}
        own.update(given.get(layer, {}))
        (source,) = network.sources(layer)
        kept = {"output", "upstream", *op.variables[1:]}
        found[layer] = {"input": before[source], **{role: own[role] for role in own if role in kept}}
        before[layer] = own["output"]
        Letters.of(found[layer])  # refuses what is no letter, and two that print alike
    seen: dict[str, str] = {first: "the input"}
    for layer, table in found.items():
        for role, letter in table.items():
            if role != "input":
                if letter in seen:
                    raise ArgumentError("names", letter, f"must not stand for {seen[letter]} and the {role} of {layer}")
                seen[letter] = f"the {role} of {layer}"
    return found


def _parts(
    network: Network, operators: Mapping[str, Operator], letters: Mapping[str, Mapping[str, str]], wrt: object
) -> Iterator[_Part]:
    """What is derived, from the output on: all inputs on the way, and the parameters that are asked for."""
    asked = {f"{name}.{role}": (name, role) for name, op in operators.items() for role in op.variables[1:]}
    if wrt not in (INPUT, "parameters", *asked):
        raise ArgumentError("wrt", wrt, f"must be one of input, parameters, {', '.join(asked)}")
    wanted = {key for name, key in asked.items() if wrt in (name, "parameters")}
    first = None if wrt == INPUT else next(name for name in network.names if any(name == layer for layer, _ in wanted))
    for name in reversed(network.names):
        op = operators[name]
        for role in op.variables[1:]:
            if (name, role) in wanted:
                yield _Part(name, op, role, letters[name])
        if name == first:
            return
        yield _Part(name, op, "input", letters[name])


def _stated(part: _Part, frame: Frame, alone: bool) -> Step:
    """A layer's gradient in closed form, checked against the chain rule over all of its outputs."""
    closed = frame.gradient
    unfolded = rules.insert(rules.chain_rule(frame.derivative, closed, frame.letters.upstream, frame.output.free))
    where = ", in every channel" if alone else ""
    reason: Phrase = (f"the {part.variable} of {part.layer}, {part.op.phrase}{where}; derived below.",)
    needs = needs_of_derivatives(frame)
    return Step(part.label.strip(), unfolded, closed, "closed_form", "By", reason, needs=needs, opens=True)


def _relabelled(worked: Derivation, part: _Part) -> Derivation:
    """A derivation whose steps and definitions are called by the layer as well, in the words that refer to them too."""

    def label(name: str) -> str:
        shared = name in ("D1", "D2")  # the layer and its upstream gradient, whatever it is differentiated by
        return f"{part.layer} {name}" if shared else f"{part.label}{name}"

    def said(phrase: Phrase) -> Phrase:
        return tuple(
            _REFERENCE.sub(lambda found: f"({label(found[1])})", piece) if isinstance(piece, str) else piece
            for piece in phrase
        )

    stages = tuple(
        replace(
            stage,
            steps=tuple(
                replace(
                    step,
                    id=label(step.id),
                    reason=said(step.reason),
                    substeps=tuple(map(said, step.substeps)),
                    needs=said(step.needs),
                    uses=tuple(map(label, step.uses)),
                )
                for step in stage.steps
            ),
        )
        for stage in worked.stages
    )
    definitions = tuple(replace(definition, id=label(definition.id)) for definition in worked.definitions)
    return replace(worked, stages=stages, definitions=definitions)


def _chain(
    network: Network, parts: list[_Part], frames: list[Frame], letters: Mapping[str, Mapping[str, str]]
) -> Stage:
    """The upstream gradient of a layer is the gradient of the next one by its input: one array under two names."""
    steps: list[Step] = []
    for part, frame in zip(parts, frames, strict=True):
        (source,) = network.sources(part.layer)
        if part.variable == "input" and source != INPUT:
            steps.append(_handed_on(part, frame, letters[source]["upstream"], source, len(steps) + 1))
    return Stage(("From layer to layer",), ("for all entries",), tuple(steps))


def _handed_on(part: _Part, frame: Frame, letter: str, source: str, number: int) -> Step:
    """What a layer hands on, under the name that it has in the layer before."""
    gradient = frame.gradient
    context = context_of(gradient)
    left = maths(lambda s: s.entry(letter, gradient.indices))
    right = maths(lambda s: s.pointwise(gradient.body, context))
    reason: Phrase = (f"({part.label.strip()}): the output of {source} is the input of {part.layer}.",)
    return Step(
        f"chain {number}", gradient, gradient, "insert", "Insert", reason,
        needs=needs_of_derivatives(frame), uses=(part.label.strip(),), opens=True, shown=(left, "=", right),
    )  # fmt: skip
