"""What a problem file asks for in numbers: one item an array, a size or a count, with its place in the graph."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal, TypeAlias

import numpy as np

from symconv.errors import ProblemFileError, SymconvError
from symconv.grading.counts import count_items
from symconv.grading.graph import ArrayGraph, Node, Value
from symconv.grading.layers import NetworkArrays
from symconv.operators.networks.network import Network
from symconv.problems.answers.backward import gradients_asked
from symconv.problems.answers.working import letters_of
from symconv.problems.chains import array_names, chain_of, has_planes
from symconv.problems.problem import Layers, Problem, Question

__all__ = ["Item", "Items", "items_of"]

Kind: TypeAlias = Literal["array", "number", "size"]


@dataclass(frozen=True)
class Item:
    """One thing that is asked for and graded.

    Attributes:
        id: the number of the question, with the name of the array where it asks for several: "4 dE/dX".
        question: the id of the question.
        words: what is asked, in words: "the output Y".
        kind: how it is written: an array, a number, or a size.
        key: its place in the graph.
        points: what it is worth.
    """

    id: str
    question: str
    words: str
    kind: Kind
    key: str
    points: Fraction


@dataclass
class Items:
    """All items of a problem in order, and the graph that they stand in.

    Attributes:
        by_hand: the ids of questions without an item: they are shown and solved, and nobody grades them here.
    """

    graph: ArrayGraph = field(default_factory=ArrayGraph)
    items: list[Item] = field(default_factory=list)
    by_hand: list[str] = field(default_factory=list)

    def right(self, item: Item) -> Value:
        """What is due."""
        return self.graph.right(item.key)


@dataclass(frozen=True)
class _Asked:
    """An item before its points are known."""

    name: str
    words: str
    kind: Kind
    key: str


def items_of(problem: Problem) -> Items:
    """The items of a problem.

    Raises:
        ProblemFileError: where nothing is asked that can be graded, or a value is not there.
    """
    found = Items()
    outputs: dict[str, str] = {}
    for question in problem.questions:
        try:
            builders = dict.fromkeys(_ASKED[word] for word in question.asks if word in _ASKED)
            asked = [one for builder in builders for one in builder(problem, found.graph, question, outputs)]
        except ProblemFileError:
            raise
        except SymconvError as error:
            raise problem.where(question).error(str(error)) from error
        if not asked:
            found.by_hand.append(question.id)
        whole = question.points if question.points is not None else Fraction(len(asked))
        for one in asked:
            label = question.id if len(asked) == 1 else f"{question.id} {one.name}"
            found.items.append(Item(label, question.id, one.words, one.kind, one.key, whole / len(asked)))
    if not found.items:
        raise ProblemFileError(
            f"{problem.file}: asks for nothing that can be graded; ask for values, forward, backward in numbers, "
            "update, size, parameters, multiply-adds or receptive-field"
        )
    return found


def _array(data: Any) -> Value:
    return np.array(data, dtype=object)


def _arrays(problem: Problem, graph: ArrayGraph, chain: Layers, upstream: str = "") -> NetworkArrays:
    """The arrays of a network on its data."""
    network = chain.network
    shapes = network.shapes(chain.input_shape)
    given = _array(problem.data[chain.input]).reshape(chain.input_shape)
    source = graph.add(Node(f"data {chain.input} as {chain.input_shape}", (), lambda _: given))
    weights: dict[str, dict[str, Value]] = {}
    parameters = network.parameter_sizes(chain.input_shape)
    for layer, own in chain.weights.items():
        weights[layer] = {
            role: _array(problem.data[name]).reshape(parameters.get(layer, {}).get(role, shapes[layer]))
            for role, name in own.items()
        }
    due = shapes[network.output]
    by: Value = np.full(due, Fraction(1), object)
    if upstream not in ("", "ones"):
        by = _array(problem.data[upstream]).reshape(due)
    named = sorted((layer, role, name) for layer, own in chain.weights.items() for role, name in own.items())
    key = f"{chain.name} on {chain.input} with {named}"
    return NetworkArrays(
        graph, f"{key}{f' by {upstream}' if upstream else ''}", network, chain.input_shape, source, weights, by
    )


def _values(problem: Problem, graph: ArrayGraph, question: Question, outputs: dict[str, str]) -> Iterator[_Asked]:
    """The output of a layer; its input may be the output of an earlier question."""
    declared, own = question.operators[0], question.own
    if own["input"] in problem.data:
        chain = chain_of(question, problem.where(question), problem.data)
        arrays = _arrays(problem, graph, chain)
    else:
        network = Network([(declared.name, declared.op)])
        roles = {"weight": _array(problem.data[own["weight"]])} if own["weight"] else {}
        shape = network.input_shape(declared.input_size)
        weights = {declared.name: roles} if roles else {}
        key = f"{declared.name} on question {own['input']} with {own['weight']}"
        arrays = NetworkArrays(graph, key, network, shape, outputs[own["input"]], weights)
    key = arrays.output(declared.name)
    if has_planes(declared.op):
        outputs[question.id] = key
    name = letters_of(_named(declared, question), question).get(declared.name, "")
    yield _Asked(name, f"the output {name}".strip(), "array", key)


def _named(declared: Any, question: Question) -> Layers:
    network = Network([(declared.name, declared.op)])
    return Layers(declared.name, network, {declared.name: declared}, network.input_shape(declared.input_size))


def _forward(problem: Problem, graph: ArrayGraph, question: Question, outputs: dict[str, str]) -> Iterator[_Asked]:
    chain = chain_of(question, problem.where(question), problem.data)
    arrays, names = _arrays(problem, graph, chain), array_names(chain, question)
    for layer in chain.network.names:
        key, name = arrays.output(layer), names[layer]["output"]
        kind: Kind = "array" if graph.right(key).ndim else "number"
        yield _Asked(name, f"{name}, what {layer} gives", kind, key)


def _backward(problem: Problem, graph: ArrayGraph, question: Question, outputs: dict[str, str]) -> Iterator[_Asked]:
    if not question.own["numbers"]:
        return
    chain = chain_of(question, problem.where(question), problem.data)
    arrays, names = _arrays(problem, graph, chain, question.own["upstream"]), array_names(chain, question)
    for layer, role in gradients_asked(chain, question):
        name = names[layer][role]
        yield _Asked(f"dE/d{name}", f"the gradient of E by {name}", "array", arrays.gradient(layer, role))


def _update(problem: Problem, graph: ArrayGraph, question: Question, outputs: dict[str, str]) -> Iterator[_Asked]:
    chain = chain_of(question, problem.where(question), problem.data)
    arrays, names = _arrays(problem, graph, chain), array_names(chain, question)
    for layer, own in arrays.weights.items():
        for role in own:
            if role != "target":
                name = names[layer][role]
                yield _Asked(
                    f"{name}'", f"{name} after the step", "array", arrays.moved(layer, role, question.own["rate"])
                )


def _counts(problem: Problem, graph: ArrayGraph, question: Question, outputs: dict[str, str]) -> Iterator[_Asked]:
    """Sizes and counts, all that the words of the question ask for."""
    chain = chain_of(question, problem.where(question), problem.data)
    words = [word for word in question.asks if _ASKED.get(word) is _counts]
    for count in count_items(graph, chain, words, question.operators):
        yield _Asked(count.name, count.words, count.kind, count.key)


_ASKED: Mapping[str, Callable[[Problem, ArrayGraph, Question, dict[str, str]], Iterator[_Asked]]] = {
    "values": _values,
    "forward": _forward,
    "backward": _backward,
    "update": _update,
    "size": _counts,
    "parameters": _counts,
    "multiply-adds": _counts,
    "receptive-field": _counts,
}
