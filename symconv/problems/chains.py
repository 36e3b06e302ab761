"""The network that a question is about, one operator being a network of one layer, and what its arrays are called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symconv.claims.nested import shape_of, shape_text
from symconv.errors import SymconvError
from symconv.operators.base import Operator
from symconv.operators.convolution import Conv
from symconv.operators.joining import Add
from symconv.operators.letters import Letters, capital
from symconv.operators.losses import Loss
from symconv.operators.morphology import Morphology
from symconv.operators.networks.given import given_sizes
from symconv.operators.networks.network import Network
from symconv.operators.networks.shape import INPUT, Shape
from symconv.operators.pooling import Pooling
from symconv.problems.ask import unknown_name
from symconv.problems.naming import entry_letter
from symconv.problems.problem import Layers, Question
from symconv.problems.schema import Where

__all__ = ["array_names", "chain_of", "check_weights", "has_planes", "named_arrays"]


def chain_of(question: Question, where: Where, data: Mapping[str, Any]) -> Layers:
    """The network of a question; an operator is a network of one layer, with the data that the question names.

    Raises:
        ProblemFileError: for data that is not declared, or of another shape, and for keys of a single operator where
            the question is about a network.
    """
    own = question.own
    if question.network is not None:
        for key in ("input", "weight", "bias"):
            if own.get(key):
                raise where.at(key).error("belongs to a question about one operator", "it stands with the network")
        return question.network
    declared = question.operators[0]
    try:
        network = Network([(declared.name, declared.op)])
    except SymconvError as error:
        raise where.error(str(error)) from None
    shape = network.input_shape(declared.input_size)
    given = own.get("input") or ""
    if given:
        if given not in data:
            raise where.at("input").error(unknown_name("data", given, data))
        found = shape_of(data[given])
        if getattr(declared.op, "in_channels", None) is None and found[1:] == declared.input_size:
            shape = found  # it takes every channel by itself, however many there are
        try:
            fits = network.input_shape(found) == shape
        except SymconvError:
            fits = False
        if not fits:
            raise where.at("input").error(
                f"{given} has shape {shape_text(found)}, and operator {declared.name!r} takes {shape_text(shape)}"
            )
    roles = {role: own[role] for role in ("weight", "bias") if own.get(role)}
    weights = {declared.name: roles} if roles else {}
    try:
        shapes = network.shapes(shape)
    except SymconvError as error:
        raise where.error(str(error)) from None
    if given or roles:
        check_weights(network, shapes, weights, data, where, alone=True)
    return Layers(declared.name, network, {declared.name: declared}, shape, given, weights)


def check_weights(
    network: Network,
    shapes: Mapping[str, Shape],
    given: Any,
    data: Mapping[str, Any],
    where: Where,
    *,
    alone: bool = False,
) -> None:
    """Weights by layer and role, all of them, in data of their shapes.

    Args:
        network: the network.
        shapes: of what every layer gives.
        given: by layer and role the names of data.
        data: the arrays.
        where: the place of `given`.
        alone: whether it is the network of a question about one operator, which has the roles as keys.

    Raises:
        ProblemFileError: for one that is missing, superfluous, not declared or of another shape.
    """
    sizes = {name: given_sizes(op, shapes[network.sources(name)[0]]) for name, op in network.layers}
    needed = {name: own for name, own in sizes.items() if own and not isinstance(network[name], Add)}
    for layer in given:
        if layer not in needed:
            what = "has no weights" if layer in network.names else "is no layer of it"
            raise where.at(layer).error(f"{layer!r} {what}", f"layers with weights: {', '.join(needed) or 'none'}")
    for layer, own in needed.items():
        roles = given.get(layer, {})
        place = where if alone else where.at(layer)
        for role, shape in own.items():
            here = place.at(role)
            if role not in roles:
                raise here.error(f"is missing: the {role} of {layer!r} has shape {shape_text(shape)}", "name its data")
            if roles[role] not in data:
                raise here.error(unknown_name("data", roles[role], data))
            found = shape_of(data[roles[role]])
            if found != shape and not (shape[:2] == (1, 1) and len(shape) > 2 and found == shape[2:]):
                raise here.error(
                    f"{roles[role]} has shape {shape_text(found)}, and {layer!r} takes {shape_text(shape)}"
                )
        for role in roles:
            if role not in own:
                raise place.at(role).error(f"is not used: {layer!r} has {' and '.join(own)} alone", "remove it")


def has_planes(op: Operator) -> bool:
    """Whether a layer takes one plane and gives one, with no more than a kernel: those are shown in both readings."""
    channels = max(getattr(op, "in_channels", 1), getattr(op, "out_channels", 1))
    return isinstance(op, Conv | Pooling | Morphology) and channels == 1 and not getattr(op, "bias", False)


def array_names(chain: Layers, question: Question) -> dict[str, dict[str, str]]:
    """What every array is called as a whole, by layer and role; the input stands under "input".

    The names of the file are taken; what has none has the usual letter, with the number of its layer where there are
    several layers.
    """
    letters = Letters.of(question.names)
    several = len(chain.network.names) > 1
    taken = {
        entry_letter(name)
        for declared in chain.layers.values()
        for role, name in declared.names.items()
        if role != "input"
    }
    found: dict[str, dict[str, str]] = {}

    def own(declared_name: str, usual: str, number: int) -> str:
        name = declared_name or (f"{usual}{number}" if several else capital(usual))
        while not declared_name and several and entry_letter(name) in taken:
            name = f"{usual}{usual}{number}"
        taken.add(entry_letter(name))
        return name

    first = next(name for name in chain.network.names if INPUT in chain.network.sources(name))
    usual = {role: getattr(letters, role) for role in ("weight", "bias", "output", "target")} if not several else {
        "weight": "w", "bias": "b", "output": "z", "target": "y"
    }  # fmt: skip
    start = chain.layers[first].names.get("input") or (_letter(chain.input, taken) if several else "")
    found[INPUT] = {"output": start or ("X" if several else capital(letters.input))}
    taken.add(entry_letter(found[INPUT]["output"]))
    for number, name in enumerate(chain.network.names, 1):
        declared = chain.layers[name]
        roles = (*declared.op.variables[1:], "output")
        if declared.op.place_by_place and len(chain.network.sources(name)) > 1:
            roles = ("output",)
        found[name] = {role: own(declared.names.get(role, ""), usual[role], number) for role in roles}
        if isinstance(declared.op, Loss) and "target" in declared.names:
            found[name]["target"] = declared.names["target"]
        if isinstance(declared.op, Loss) and "output" not in declared.names:
            found[name]["output"] = letters.error  # what a network ends with is the error that is differentiated
    return found


def _letter(name: str, taken: set[str]) -> str:
    """The name of data where it can be that of an array: one letter that nothing else has."""
    return name if len(name) == 1 and name.isalpha() and entry_letter(name) not in taken else ""


def named_arrays(chain: Layers, question: Question) -> dict[str, Shape]:
    """The shapes of all arrays by what they are called."""
    names = array_names(chain, question)
    shapes = chain.network.shapes(chain.input_shape)
    parameters = chain.network.parameter_sizes(chain.input_shape)
    found: dict[str, Shape] = {}
    for layer, roles in names.items():
        for role, name in roles.items():
            shape = shapes[layer] if role in ("output", "target") else parameters[layer][role]
            axes = chain.network.spatial_axes
            single = role == "output" and axes is not None and len(shape) == axes + 1 and shape[0] == 1
            found[name] = shape[1:] if single else shape[2:] if len(shape) > 2 and shape[:2] == (1, 1) else shape
    return found
