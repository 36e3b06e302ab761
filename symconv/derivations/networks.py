"""The gradients of a network: every layer's in closed form, its proof, and the chain from the output to the input."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from symconv.derivations.chain import notation
from symconv.derivations.frame import Frame
from symconv.derivations.joins import AddTo, Meeting, closed, unfolded
from symconv.derivations.network_letters import NetworkLetters, network_letters
from symconv.derivations.output import any_sizes
from symconv.derivations.step import Definition, Derivation, Maths, Phrase, Stage, Step, maths
from symconv.derivations.windows import needs_of_derivatives
from symconv.errors import ArgumentError
from symconv.formulas.printing import PrintContext, Style, context_of
from symconv.operators.base import Operator
from symconv.operators.joining import Add
from symconv.operators.networks.naming import in_layer
from symconv.operators.networks.network import Network
from symconv.operators.networks.shape import INPUT

__all__ = ["network_derivation"]

_REFERENCE = re.compile(r"\((D?[0-9]+)\)")

Derive = Callable[[Frame], Derivation]


@dataclass(frozen=True)
class _Part:
    """The gradient of the error by one variable of one layer.

    Attributes:
        layer: the name of the layer.
        source: what it reads, of several the one that is meant.
        frame: its derivation.
        summand: whether it reads several.
    """

    layer: str
    source: str
    frame: Frame
    summand: bool

    @property
    def label(self) -> str:
        """What its steps and definitions are called by, before their numbers."""
        return f"{self.layer} by {self.source} " if self.summand else f"{self.layer} {self.frame.wrt} "

    @property
    def id(self) -> str:
        """What its closed form is called."""
        return self.label.strip()


def network_derivation(
    network: Network,
    derive: Derive,
    wrt: str = INPUT,
    names: Mapping[str, Any] | None = None,
    index_base: int = 1,
) -> Derivation:
    """The gradients of an error by the input, or by the weights, of a network.

    Args:
        network: the network.
        derive: what derives the gradient of one layer.
        wrt: "input"; "parameters" for all weights and biases; or one of them, such as "conv1.weight".
        names: letters: "input" for the network's input, and by layer a table of "weight", "bias", "output", "upstream".
        index_base: where indices start on paper.

    Raises:
        ArgumentError: for another `wrt`, or names of no layer.
        NotSupportedError: for a layer whose gradient is a set.
    """
    letters = network_letters(network, names)
    parts = list(_parts(network, letters, wrt, index_base))
    for part in parts:
        with in_layer(part.layer):
            part.frame.op.tie_policy()  # refuses what has no gradient but a set of them
    meetings = {meeting.value: meeting for meeting in _meetings(network, letters, parts)}
    theorem: list[Step] = []
    for place, part in enumerate(parts):
        theorem.append(_stated(part))
        if part.source in meetings and all(
            later.source != part.source or later.frame.wrt != "input" for later in parts[place + 1 :]
        ):
            theorem.append(meetings[part.source].stated())
    stages = [
        Stage(("Every layer's gradient in closed form",), ("for all entries",), tuple(theorem)),
        *_chain(network, letters, parts, meetings),
    ]
    definitions: dict[str, Definition] = {}
    hypotheses: dict[Phrase, None] = {}
    for part in parts:
        with in_layer(part.layer):
            worked = _relabelled(derive(part.frame), part)
        for stage in worked.stages:
            stages.append(replace(stage, title=(f"{part.layer}: ", *stage.title)))
        for definition in worked.definitions:
            definitions.setdefault(definition.id, definition)
        upstream = notation(replace(part.frame, names=letters.of(part.layer, part.source)))[1]
        definitions[f"{part.layer} D2"] = replace(upstream, id=f"{part.layer} D2")  # of the error, whoever reads it
        meeting = meetings.get(part.source)
        if meeting is not None and part.frame.wrt == "input":
            error = meeting.definition(part.layer, part.frame)
            definitions.setdefault(error.id, error)
        if not any_sizes(part.frame):
            hypotheses.setdefault((f"{part.layer}: ", *worked.hypotheses))
    lead = (
        "What comes back to a layer is the upstream gradient of the one before it, so that the closed forms are put in "
        "one after the other, from the output to the input."
    )
    if meetings:
        lead += " Where several layers read one value, what they hand back is added up."
    what = {INPUT: "its input", "parameters": "its parameters"}.get(wrt, wrt)
    joined: list[str | Maths] = ["All sizes are at least 1."]
    for said in (*hypotheses, *_sizes(letters)):
        joined += [" ", *said]
    return Derivation(
        f"The gradient of a network with respect to {what}",
        (lead,),
        tuple(joined),
        tuple(definitions.values()),
        tuple(stages),
    )


def _sizes(letters: NetworkLetters) -> Iterator[Phrase]:
    """The sizes that no layer's formula explains: numbers, and the length of what was flattened."""
    context = PrintContext()
    read = {name for within in letters.within.values() for size in within.sizes for name in size.names}
    listed = [(name, value) for name, value in letters.sizes if name in read]

    def write(style: Style) -> str:
        return style.listed(f"{style.name(name)} = {style.index(value, context)}" for name, value in listed)

    if listed:
        yield ("In this network ", maths(write), ".")


def _parts(network: Network, letters: NetworkLetters, wrt: object, index_base: int) -> Iterator[_Part]:
    """What is derived, from the output on: all inputs on the way, and the parameters that are asked for."""
    asked = {
        f"{name}.{role}": (name, role)
        for name, op in letters.operators.items()
        for role in op.variables[1:]
        if not isinstance(op, Add)
    }
    if not isinstance(wrt, str) or wrt not in (INPUT, "parameters", *asked):
        raise ArgumentError("wrt", wrt, f"must be one of input, parameters, {', '.join(asked)}")
    wanted = {key for name, key in asked.items() if wrt in (name, "parameters")}
    if not wanted and wrt != INPUT:
        raise ArgumentError("wrt", wrt, "must be 'input' where no layer has weights")
    reached = {INPUT} if wrt == INPUT else {layer for layer, _ in wanted}  # what depends on what is asked for
    for name in network.names:
        if reached.intersection(network.sources(name)):
            reached.add(name)
    readers = {source: _readers(network, source) for source in (INPUT, *network.names)}
    for name in reversed(network.names):
        op, sources = letters.operators[name], network.sources(name)
        for role in op.variables[1:]:
            if (name, role) in wanted:
                yield _Part(name, sources[0], Frame(op, role, letters.of(name, sources[0]), index_base), False)
        for source in dict.fromkeys(sources):
            if source in reached:
                own = letters.of(name, source, alone=len(readers[source]) == 1)
                yield _Part(
                    name,
                    source,
                    Frame(_of_one(op, letters, sources, source), "input", own, index_base),
                    len(set(sources)) > 1,
                )


def _readers(network: Network, source: str) -> list[str]:
    """The layers that read what a layer, or the input, gives."""
    return [name for name in network.names if source in network.sources(name)]


def _of_one(op: Operator, letters: NetworkLetters, sources: Sequence[str], source: str) -> Operator:
    """A layer as a function of one of the arrays that it reads."""
    if not isinstance(op, Add):
        return op
    others = [letters.arrays[other]["output"] for other in sources]
    others.remove(letters.arrays[source]["output"])
    return AddTo(ndim=op.ndim, others=tuple(others))


def _meetings(network: Network, letters: NetworkLetters, parts: Sequence[_Part]) -> Iterator[Meeting]:
    """The values on the way that several layers read."""
    for value in (*reversed(network.names), INPUT):
        reading = tuple(
            (part.id, part.layer, part.frame) for part in parts if part.source == value and part.frame.wrt == "input"
        )
        if len(reading) > 1:
            yield Meeting(value, letters.arrays[value].get("upstream"), letters.common.error, reading)


def _stated(part: _Part) -> Step:
    """A layer's gradient in closed form, checked against the chain rule over all of its outputs."""
    frame = part.frame
    by: Phrase = ("by the summand ", frame.array("input")) if part.summand else (f"by the {frame.wrt}",)
    reason: Phrase = (*by, f" of {part.layer}, {frame.op.phrase}; derived below.")
    needs = needs_of_derivatives(frame)
    return Step(part.id, unfolded(frame), closed(frame), "closed_form", "Closed form", reason, needs=needs, opens=True)


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
    network: Network, letters: NetworkLetters, parts: Sequence[_Part], meetings: Mapping[str, Meeting]
) -> Iterator[Stage]:
    """The upstream gradient of a layer is what comes back from all that read it: one array under two names."""
    steps: list[Step] = []
    for part in parts:
        number = f"chain {len(steps) + 1}"
        if part.frame.wrt != "input":
            continue
        meeting = meetings.get(part.source)
        if meeting is None and part.source != INPUT:
            steps.append(_handed_on(part, letters.arrays[part.source]["upstream"], number))
        elif meeting is not None and part.id == meeting.readers[-1][0]:
            steps.append(meeting.inserted(number))
    if steps:
        yield Stage(("From layer to layer",), ("for all entries",), tuple(steps))


def _handed_on(part: _Part, letter: str, number: str) -> Step:
    """What a layer hands on, under the name that it has in the layer before."""
    gradient = closed(part.frame)
    context = context_of(gradient)
    left = maths(lambda s: s.entry(letter, gradient.indices))
    right = maths(lambda s: s.pointwise(gradient.body, context))
    reason: Phrase = (f"({part.id}): the output of {part.source} is the input of {part.layer}.",)
    return Step(
        number, gradient, gradient, "insert", "Insert", reason,
        needs=needs_of_derivatives(part.frame), uses=(part.id,), opens=True, shown=(left, "=", right),
    )  # fmt: skip
