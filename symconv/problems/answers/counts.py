"""Questions that count: sizes, parameters, multiply-adds and receptive fields, of a layer or of a whole network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symconv.errors import NotSupportedError
from symconv.operators.convolution import Conv
from symconv.operators.flatten import Flatten
from symconv.operators.morphology import Morphology
from symconv.operators.networks.network import Network
from symconv.operators.networks.shape import INPUT
from symconv.operators.pooling import Pooling
from symconv.problems.answers.desk import Desk, words
from symconv.problems.answers.showing import sheet
from symconv.problems.answers.size import size
from symconv.problems.chains import chain_of
from symconv.problems.problem import Layers, Question
from symconv.report.document import Block, Inline, Math, Paragraph, Text
from symconv.report.ledger import Basis

__all__ = ["counts", "field_of", "parameters_spelled", "up_to"]

COUNTED = Basis("sizes, weights and windows counted layer by layer", "the layers as they are declared")


def counts(desk: Desk, question: Question) -> list[Block]:
    """One table for all that is asked; the size of one layer with windows by placing them, with its figures."""
    if question.asks == ("size",) and question.operators and isinstance(
        question.operators[0].op, Conv | Pooling | Morphology
    ):  # fmt: skip
        return size(desk, question)
    chain = chain_of(question, desk.problem.where(question), desk.problem.data)
    columns: dict[str, Callable[[str], tuple[Inline, ...]]] = {"layer": lambda name: (Text(name),)}
    network, shapes = chain.network, chain.network.shapes(chain.input_shape)
    if "size" in question.asks:
        alone = question.operators[0].op.output_size(question.operators[0].input_size) if question.operators else ()
        columns["output"] = lambda name: (Math(_times(alone if shapes[name] == (1, *alone) else shapes[name])),)
    if "parameters" in question.asks:
        columns["parameters"] = lambda name: (Math(parameters_spelled(chain, name)),)
    if "multiply-adds" in question.asks:
        columns["multiply-adds"] = lambda name: (Math(_multiply_adds(chain, name)),)
    if "receptive-field" in question.asks:
        fields = {name: field_of(chain, name) for name in network.names}
        columns["receptive field"] = lambda name: fields[name][0]
        columns["step"] = lambda name: fields[name][1]
    rows = tuple(tuple(cell(name) for cell in columns.values()) for name in network.names)
    total: tuple[tuple[Inline, ...], ...] = ()
    if len(network.names) > 1 and {"parameters", "multiply-adds"} & set(question.asks):
        sums = {
            "layer": "together",
            "parameters": str(sum(network.parameter_counts(chain.input_shape).values())),
            "multiply-adds": str(network.multiply_adds(chain.input_shape)),
        }
        total = tuple((Text(sums.get(heading, "")),) for heading in columns)
    blocks = sheet(desk, tuple((Text(heading),) for heading in columns), rows, total, COUNTED)
    return [*blocks, *_notes(chain, question)]


def _notes(chain: Layers, question: Question) -> list[Block]:
    """What the numbers of a table do not say by themselves."""
    notes = []
    padded = [name for name, op in chain.network.layers if any(_pads(window) for window in op.windows)]
    if "multiply-adds" in question.asks and padded:
        notes.append("Products with the padding are counted; a bias is an addition, and is not.")
    if "receptive-field" in question.asks:
        notes.append(
            "The receptive field is that of one entry in the middle, in entries of the input on each axis; the step is "
            "how far it moves from one entry to the next."
        )
    return [Paragraph(words(" ".join(notes)))] if notes else []


def _pads(window: Any) -> bool:
    before, after = window.padding(window.k)
    return bool(before.value or after.value)


def _times(shape: tuple[Any, ...]) -> str:
    return r" \times ".join(map(str, shape)) or "1"


def parameters_spelled(chain: Layers, name: str) -> str:
    """The number of parameters of a layer as its sum: 2 * 2 * 3 * 3 + 2 = 38."""
    sizes = chain.network.parameter_sizes(chain.input_shape).get(name, {})
    total = chain.network.parameter_counts(chain.input_shape).get(name, 0)
    if not sizes:
        return "0"
    spelled = " + ".join(r" \cdot ".join(map(str, shape)) for shape in sizes.values())
    return f"{spelled} = {total}" if spelled != str(total) else spelled


def _multiply_adds(chain: Layers, name: str) -> str:
    shapes = chain.network.shapes(chain.input_shape)
    return str(chain.network[name].multiply_adds(shapes[chain.network.sources(name)[0]]))


def field_of(chain: Layers, name: str) -> tuple[tuple[Inline, ...], tuple[Inline, ...]]:
    """The receptive field of a layer and its step; words where it depends on the place, or nothing is left of axes."""
    op = chain.network[name]
    if isinstance(op, Flatten):
        name = chain.network.sources(name)[0]
        if name == INPUT:
            return (Math("1"),), (Math("1"),)
    part = up_to(chain.network, name)
    try:
        found = part.receptive_fields[name] if part.spatial_axes is not None else None
    except NotSupportedError:
        return (Text("differs"),), ()
    if found is None:
        return (Text("all"),), ()
    extents, steps = zip(*found, strict=True)
    return (Math(_times(extents)),), (Math(_times(steps if len(set(steps)) > 1 else steps[:1])),)


def up_to(network: Network, name: str) -> Network:
    """The part of a network that leads to a layer."""
    needed = {name}
    for layer in reversed(network.names):
        if layer in needed:
            needed.update(network.sources(layer))
    layers = [(layer, op) for layer, op in network.layers if layer in needed]
    edges = [(before, after) for before, after in network.edges if after in needed]
    return Network(layers, edges)
