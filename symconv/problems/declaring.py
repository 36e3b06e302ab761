"""What a problem file declares before its questions: arrays of numbers, operators, and networks of these."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import prod
from typing import Any

from symconv.claims.nested import shape_of, shape_text
from symconv.errors import ArgumentError, GeometryError, SymconvError
from symconv.formulas.index import Index
from symconv.operators.base import Operator
from symconv.operators.kinds import Size
from symconv.operators.losses import Loss
from symconv.operators.networks.network import Network
from symconv.operators.networks.shape import INPUT, Shape
from symconv.operators.option import axes_unsaid, option_fields
from symconv.problems import schema
from symconv.problems.ask import unknown_name
from symconv.problems.chains import check_weights
from symconv.problems.naming import entry_letter
from symconv.problems.problem import Declared, Layers
from symconv.problems.schema import Where, check_table
from symconv.problems.tables import LAYER_NAMES, NETWORK, OPERATORS, operator_keys

__all__ = ["read_data", "read_networks", "read_operators", "sized_by"]

MAX_POSITIONS = 1_000_000  # of a padded input: a report places every window and counts


def read_data(table: Any, where: Where) -> dict[str, Any]:
    """The arrays of a file, as nested lists of exact numbers."""
    if not isinstance(table, dict):
        raise where.error("must be a table of named arrays")
    result = {}
    for name, value in table.items():
        if not isinstance(value, list):
            raise where.at(name).error(f"must be an array of numbers, got {schema.shown(value)}")
        result[name] = schema.array(value, where.at(name))
    return result


# ---------------------------------------------------------------------- operators


def read_operators(
    table: Any, where: Where, networks: Any, index_base: int, data: Mapping[str, Any]
) -> dict[str, Declared]:
    """The operators of a file.

    Args:
        table: their tables.
        where: their place.
        networks: the tables of the networks: a layer may leave the size of its input to the one before it.
        index_base: where classes count from.
        data: arrays, which a target may name.
    """
    if not isinstance(table, dict) or not table:
        raise where.error("must be tables of operators, at least one, such as [operators.conv]")
    lists = [list(layers) for layers in _layer_lists(networks)]
    result = {}
    for name, options in table.items():
        others = [other for layers in lists if name in layers for other in layers]
        axes = next((n for other in (name, *others) if (n := _axes_declared(table.get(other))) is not None), None)
        result[name] = _operator(name, options, where.at(name), axes, bool(others), index_base, data)
    return result


def _layer_lists(networks: Any) -> Iterator[list[Any]]:
    """The layers of every network, where its table is one; whatever else is there is refused when it is read."""
    for table in networks.values() if isinstance(networks, dict) else ():
        layers = table.get("layers") if isinstance(table, dict) else None
        if isinstance(layers, list):
            yield layers


def _axes_declared(table: Any) -> int | None:
    size = table.get("input_size") if isinstance(table, dict) else None
    return len(size) if isinstance(size, list) else 1 if isinstance(size, int) else None


def _operator(
    name: str, table: Any, where: Where, axes: int | None, layer: bool, index_base: int, data: Mapping[str, Any]
) -> Declared:
    if not isinstance(table, dict) or "kind" not in table:
        raise where.error(f"must be a table with a kind: {', '.join(OPERATORS)}")
    kind = schema.one_of(*OPERATORS)(table["kind"], where.at("kind"))
    article = "an" if kind[0] in "AEIOU" or kind[:2] == "LP" else "a"
    options = check_table(table, operator_keys(kind), where, f"{article} {kind}")
    size, names = options.pop("input_size", ()), options.pop("names", {})
    del options["kind"]
    if not size and not layer:
        raise where.error("needs the key 'input_size'", "or list it in the layers of a network, where sizes run on")
    if "target" in options:
        options["target"] = _target(options["target"], where.at("target"), index_base, data)
    for option, (said, _) in option_fields(OPERATORS[kind]).items():
        if isinstance(said.kind, Size) and isinstance(options.get(option), int):
            if axes is None:
                raise where.at(option).error("must have an entry for every axis", "such as [3, 3]")
            options[option] = (options[option],) * axes
    if (
        size
        and axes_unsaid(OPERATORS[kind]) is not None
        and not (issubclass(OPERATORS[kind], Loss) and isinstance(options.get("target"), list))
    ):
        options["ndim"] = len(size)  # a target has its axes by itself
    _named(names, where.at("names"))
    try:
        op = OPERATORS[kind](**options)
        if size:
            op.output_size(size)
    except SymconvError as error:
        raise where.error(str(error)) from None
    if size:
        _count(op, size, where)
    return Declared(name, op, size, names)


def _target(value: Any, where: Where, index_base: int, data: Mapping[str, Any]) -> Any:
    """The target of a loss: a class as it is counted from 0, or an array."""
    if isinstance(value, str):
        if value not in data:
            raise where.error(unknown_name("data", value, data))
        return data[value]
    if isinstance(value, int) and value < index_base:
        raise where.error(f"must be a class, counted from {index_base}, got {value}")
    return value - index_base if isinstance(value, int) else value


def _named(names: Mapping[str, str], where: Where) -> None:
    """Refuse names of an operator's arrays that are no letters, or print alike."""
    from symconv.operators.letters import Letters

    for role in names:
        if role not in LAYER_NAMES:
            raise where.error(f"has no array {role!r}", f"its keys: {', '.join(LAYER_NAMES)}")
    try:
        Letters.of({role: entry_letter(name) for role, name in names.items()})
    except ArgumentError as error:
        raise where.error(str(error)) from None


def _count(op: Operator, size: tuple[int, ...], where: Where) -> None:
    """Refuse sizes that a report could not go through one by one."""
    padded = prod(size)
    if op.windows:
        padded = 1
        for window, n in zip(op.windows, size, strict=True):
            before, after = (side.value or 0 for side in window.padding(Index.of(n)))
            padded *= n + max(before, 0) + max(after, 0)
    if padded > MAX_POSITIONS:
        raise where.at("input_size").error(
            f"the padded input has {padded:,} entries, and a report goes through at most {MAX_POSITIONS:,}",
            "take a smaller input: derivations hold for all sizes anyway",
        )


# ---------------------------------------------------------------------- networks


def read_networks(
    table: Any, where: Where, operators: Mapping[str, Declared], data: Mapping[str, Any]
) -> dict[str, Layers]:
    """The networks of a file, each with the sizes that run through it."""
    if not isinstance(table, dict):
        raise where.error("must be tables of networks, such as [networks.net]")
    return {name: _network(name, entry, where.at(name), operators, data) for name, entry in table.items()}


def _network(name: str, table: Any, where: Where, operators: Mapping[str, Declared], data: Mapping[str, Any]) -> Layers:
    read = check_table(table, NETWORK, where, "a network")
    for layer in read["layers"]:
        if layer not in operators:
            raise where.at("layers").error(unknown_name("operator", layer, operators))
    declared = {layer: operators[layer] for layer in read["layers"]}
    try:
        network = Network([(layer, declared[layer].op) for layer in declared], read.get("edges"))
    except ArgumentError as error:
        raise where.error(str(error)) from None
    given = read.get("input", "")
    if given and given not in data:
        raise where.at("input").error(unknown_name("data", given, data))
    try:
        shape = _input_shape(network, declared, shape_of(data[given]) if given else (), where)
        shapes = network.shapes(shape)
    except GeometryError as error:
        raise where.error(str(error)) from None
    for layer in network.names:
        _agrees(declared[layer], shapes[network.sources(layer)[0]], where)
    _distinct(network, declared, where)
    given_weights = read.get("weights", {})
    if given_weights:
        check_weights(network, shapes, given_weights, data, where.at("weights"))
    return Layers(name, network, declared, shape, given, read.get("weights", {}), read.get("unit"))


def _input_shape(network: Network, declared: Mapping[str, Declared], given: Shape, where: Where) -> Shape:
    """The shape of the input: that of its data, or the size that its first layers declare."""
    sizes = [declared[layer].input_size for layer in network.names if INPUT in network.sources(layer)]
    size = next((size for size in sizes if size), ())
    if not size and not given:
        raise where.error("has no size to begin with", "give its first layer an input_size, or the network an input")
    shape = network.input_shape(given or size)
    if size and len(shape) - len(size) in (0, 1) and shape[len(shape) - len(size) :] != size:
        raise where.at("input").error(
            f"has shape {shape_text(given)}, and its first layer takes {shape_text(size)}", "change one of them"
        )
    return shape


def _distinct(network: Network, declared: Mapping[str, Declared], where: Where) -> None:
    """Two arrays of a network have two letters, for their entries too."""
    seen: dict[str, str] = {}
    for layer in network.names:
        for role, name in declared[layer].names.items():
            if role == "input" and INPUT not in network.sources(layer):
                continue  # what a layer reads has its name where it is made
            what = f"the input, {name}" if role == "input" else f"the {role} of {layer!r}, {name}"
            letter = entry_letter(name)
            if seen.setdefault(letter, what) != what:
                raise where.at("layers").error(
                    f"entries of {seen[letter]}, and of {what}, would both be called {letter}", "rename one of them"
                )


def _agrees(declared: Declared, shape: Shape, where: Where) -> None:
    """A size that a layer declares must be the one that comes in."""
    size = declared.input_size
    if size and shape[len(shape) - len(size) :] != size:
        raise where.at("layers").error(
            f"{declared.name!r} declares the input_size {shape_text(size)}, and {shape_text(shape)} comes in",
            "leave its input_size out: sizes run on",
        )


def sized_by(operators: Mapping[str, Declared], networks: Mapping[str, Layers]) -> dict[str, Declared]:
    """The operators with the sizes that run on to them, where every network that has them as a layer agrees."""
    result = dict(operators)
    for name, declared in operators.items():
        brought = set()
        for chain in networks.values():
            if not declared.input_size and name in chain.layers:
                shapes = chain.network.shapes(chain.input_shape)
                brought.add(_spatial(declared.op, shapes[chain.network.sources(name)[0]]))
        if len(brought) == 1:
            (size,) = brought
            result[name] = replace(declared, op=_fitting(declared.op, size), input_size=size)
    return result


def _spatial(op: Operator, shape: Shape) -> Shape:
    """The sizes that an operator counts as its input's: all of a vector, those of a plane of an image."""
    return shape if op.spatial_axes == len(shape) or len(shape) == 1 else shape[1:]


def _fitting(op: Operator, size: Shape) -> Operator:
    return op if op.spatial_axes == len(size) else op.fitted(size)
