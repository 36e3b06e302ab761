"""The letters of a network's derivation: every array and every size has one of its own, in all formulas alike.

The layer with number k has the weight w^(k), the bias b^(k), the output z^(k) and the upstream gradient g^(k); a size
that it makes has its number too. A size that it hands on keeps its letter, and equal sizes have one.
"""

from __future__ import annotations

import string
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, replace
from typing import Any

from symconv.errors import ArgumentError, GeometryError, NotSupportedError
from symconv.formulas.index import Index
from symconv.formulas.naming import fresh_name
from symconv.formulas.spelling import SIMPLE, look
from symconv.formulas.symbols import symbol
from symconv.operators.base import Operator
from symconv.operators.flatten import Flatten
from symconv.operators.frame import numbered
from symconv.operators.joining import Add
from symconv.operators.letters import ARRAYS, Letters, Within, capital
from symconv.operators.networks.naming import in_layer
from symconv.operators.networks.network import Network
from symconv.operators.networks.shape import INPUT, Shape
from symconv.operators.normalisation import BatchNorm
from symconv.operators.options import to_index
from symconv.operators.pointwise import Pointwise

__all__ = ["NetworkLetters", "network_letters"]

_USUAL = {"weight": "w", "bias": "b", "output": "z", "upstream": "g"}
_WITHOUT_CHANNELS = (Pointwise, Flatten, Add)
"""What takes any array, whose first axis it does not know to be that of the channels."""


@dataclass(frozen=True)
class NetworkLetters:
    """The letters of all layers.

    Attributes:
        operators: the layers as they act on arrays of as many axes as there are, whatever the sizes.
        arrays: by layer the letters of "weight", "bias", "output" and "upstream"; for the input "output" alone.
        common: the letters that all layers share: those of indices, of the error and of a target.
        images: the layers that take any array and here get an image, whose first index is that of the channel.
        within: what every layer takes from the network.
        sizes: the names of sizes that no layer's formula explains, with what they stand for.
    """

    operators: Mapping[str, Operator]
    arrays: Mapping[str, Mapping[str, str]]
    common: Letters
    images: frozenset[str]
    within: Mapping[str, Within]
    sizes: tuple[tuple[str, Index], ...]

    def of(self, layer: str, source: str, *, alone: bool = True) -> Letters:
        """The letters of a layer that reads an array.

        Args:
            layer: the layer.
            source: what it reads.
            alone: whether nothing else reads that; else the error is a function of what this layer reads, with a letter
                of its own.
        """
        letters = self.common
        if layer in self.images:
            inputs, outputs = (
                letters.input_channel + letters.input_index,
                letters.output_channel + letters.output_index,
            )
            if isinstance(self.operators[layer], Flatten):
                outputs = letters.output_index
            letters = replace(letters, input_index=inputs, output_index=outputs)
        return replace(
            letters,
            **{**self.arrays[layer], "input": self.arrays[source]["output"]},  # type: ignore[arg-type]
            error=self.common.error if alone else f"{self.common.error}^({self.within[layer].number})",
            within=self.within[layer],
        )


def network_letters(network: Network, names: Mapping[str, Any] | None) -> NetworkLetters:
    """Give every array and every size of a network a letter.

    Raises:
        ArgumentError: for names of no layer, a letter for two things, or one that a symbol of the options has.
        NotSupportedError: where the layers follow on for some sizes of the input alone, or for none.
    """
    symbols = {s for _, op in network.layers for s in (*op.size_symbols(), *op.reals())}
    shapes = _symbolic_shapes(network, symbols)
    operators = {name: _fitted(network, name, op, shapes) for name, op in network.layers}
    arrays = _arrays(network, operators, names, symbols)
    letters = {letter.partition("^")[0] for own in arrays.values() for letter in own.values()}
    taken = {*symbols, *(form for letter in letters for form in (letter.lower(), *_forms(letter)))}
    common = _common(taken)
    axes = _axes(network)
    images = frozenset(
        name
        for name, op in operators.items()
        if isinstance(op, _WITHOUT_CHANNELS) and axes is not None and op.spatial_axes == axes + 1
    )
    within, sizes = _sizes(network, operators, shapes, common, taken)
    return NetworkLetters(operators, arrays, common, images, within, sizes)


def _axes(network: Network) -> int | None:
    """The number of spatial axes of images; None where there is none."""
    first, axes = network.layers[0][1], network.spatial_axes
    return (first.ndim or None) if axes is None and isinstance(first, BatchNorm) else axes


def _symbolic_shapes(network: Network, symbols: set[str]) -> dict[str, Shape]:
    """The shapes of all arrays for an input of symbolic sizes; without windows the first layer says its axes.

    Raises:
        NotSupportedError: where two layers do not follow on, such as sums that have one size where that is even.
    """
    first, axes = network.layers[0][1], _axes(network)
    axes = first.ndim if axes is None else axes
    sizes = tuple(symbol(fresh_name(f"n{axis}", symbols), positive=True) for axis in range(axes))
    given = (first.channels, *sizes) if isinstance(first, BatchNorm) else sizes
    try:
        return network.shapes(given)
    except GeometryError as error:
        raise NotSupportedError(f"{error}; a derivation is for all sizes of the input, written n0, n1, ...") from None


def _fitted(network: Network, name: str, op: Operator, shapes: Mapping[str, Shape]) -> Operator:
    """An operator as it acts on arrays of as many axes as there are; a single channel has no index."""
    shape, axes = shapes[network.sources(name)[0]], _axes(network)
    single = axes is not None and len(shape) == axes + 1 and shape[0] == 1
    with in_layer(name):
        found: Operator = op.fitted(shape[1:] if single and isinstance(op, _WITHOUT_CHANNELS) else shape)
    return found


def _common(taken: Set[str]) -> Letters:
    """The letters of indices, of the error and of a target: the usual ones, where nothing else is called so.

    Those of channels are small letters, as long as there are any.
    """
    own = {role: f"{_USUAL.get(role, 'x')}^(0)" for role in ARRAYS if role != "target"}  # of no layer: they take none
    found = replace(Letters(), **own).avoiding(taken)  # type: ignore[arg-type]
    channels = ("output_channel", "input_channel")
    names = [getattr(found, role) for role in Letters.roles() if role not in channels and not role.endswith("_index")]
    for family in ("input", "weight", "output", "turned"):
        names += found.axes(family, 3)
    used = {"e", *map(look, (*taken, *names))}  # e is a number
    for role, usual in zip(channels, ("f", "h"), strict=True):
        letter = next((c for c in (usual, *"cltkuv", *string.ascii_lowercase) if look(c) not in used), None)
        if letter is not None:
            used.add(look(letter))
            found = replace(found, **{role: letter})
    return found


# ---------------------------------------------------------------------- arrays


def _arrays(
    network: Network, operators: Mapping[str, Operator], names: Mapping[str, Any] | None, symbols: Iterable[str]
) -> dict[str, dict[str, str]]:
    """The letters of all arrays: x for the input, and w, b, z and g with the layer's number, where none are given.

    Raises:
        ArgumentError: for names of no layer, or a letter for two things.
    """
    given = dict(names or {})
    seen: dict[str, str] = {look(name): f"the symbol {name} of an option" for name in symbols}
    first = given.pop(INPUT, None)
    roles: dict[str, tuple[str, ...]] = {INPUT: ("output",)}
    for layer, op in operators.items():
        roles[layer] = ("output", "upstream", *(() if isinstance(op, Add) else op.variables[1:]))
    for layer, table in given.items():
        if layer not in network.names or not isinstance(table, Mapping):
            known = ", ".join((INPUT, *network.names))
            raise ArgumentError("names", layer, f"must be by {known}, with a table of letters for a layer")
        for role, name in table.items():
            if role not in roles[layer]:
                known = ", ".join(roles[layer])
                raise ArgumentError(f"names[{layer!r}]", role, f"must be one of {known}")
            Letters.of({role: name})  # refuses what is no letter
    wanted = {INPUT: {"output": first}, **{layer: dict(given.get(layer, {})) for layer in network.names}}
    if first is not None:
        Letters.of({"input": first})
    found: dict[str, dict[str, str]] = {}
    for chosen in (True, False):  # what is ours gives way
        for number, (layer, own) in enumerate(wanted.items()):
            for role in roles[layer]:
                if (own.get(role) is not None) is not chosen:
                    continue
                meaning = "the input" if layer == INPUT else f"the {role} of {layer}"
                usual = "x" if layer == INPUT else f"{_USUAL[role]}^({number})"
                letter: str = own[role] if chosen else _free(usual, seen)
                for form in _forms(letter):
                    if seen.setdefault(form, meaning) != meaning:
                        raise ArgumentError("names", letter, f"must not stand for both {seen[form]} and {meaning}")
                found.setdefault(layer, {})[role] = letter
    return found


def _forms(letter: str) -> set[str]:
    """How the letter of an array is printed: in entries, and as a whole."""
    return {look(letter), look(capital(letter))}


def _free(usual: str, taken: Mapping[str, str]) -> str:
    """The usual letter of an array, or the next one that means nothing else."""
    mark = usual[1:]
    letters = (c + mark for c in (usual[0], *string.ascii_lowercase))
    found: str | None = next((letter for letter in letters if not _forms(letter) & taken.keys()), None)
    if found is None:
        raise ArgumentError("names", sorted(taken), "leave no letter for an array", "choose fewer letters")
    return found


# ---------------------------------------------------------------------- sizes


def _sizes(
    network: Network, operators: Mapping[str, Operator], shapes: Mapping[str, Shape], common: Letters, taken: set[str]
) -> tuple[dict[str, Within], tuple[tuple[str, Index], ...]]:
    """What every layer takes from the network, and the names of sizes that no layer's formula explains.

    Walks from the input to the output: a size in terms of those of the input tells which sizes are equal.
    """
    words = {match[1] for match in map(SIMPLE.fullmatch, taken) if match}
    letter = next(c for c in ("I", *string.ascii_uppercase) if c not in words and c != common.error)
    shape = shapes[INPUT]
    axes = _axes(network) or len(shape) - isinstance(network.layers[0][1], BatchNorm)
    channels = [to_index(n, {}, "channels") for n in shape[: len(shape) - axes] if n != 1 or not axes]
    sizes = {INPUT: (*channels, *map(Index.of, numbered(letter, axes)))}
    meaning: dict[str, Index] = {}  # of a name, in the sizes of the input
    known: dict[tuple[int, int, Index], str] = {}
    for axis, name in enumerate(numbered(letter, axes)):
        known[axes, axis, Index.of(name)] = name
    within: dict[str, Within] = {}
    open_ones: dict[str, Index] = {}
    for number, layer in enumerate(network.names, 1):
        op, source = operators[layer], network.sources(layer)[0]
        own = sizes[source]
        lead = own[: len(own) - op.spatial_axes]
        alone = op.planes(shapes[source]) != 1
        candidates = tuple(f"{name}^({number})" for name in numbered(letter, op.spatial_axes))
        place = Within(number, own[len(lead) :], candidates, lead[0] if alone else None)
        frame = op.geometry(replace(common, within=place))
        made = op.all_axes("output", frame)
        ahead = max(0, len(made) - len(frame.outputs))  # the channels
        defined, names, given = dict(frame.definitions), list(candidates), [axis.extent for axis in made[:ahead]]
        for axis, extent in enumerate(entry.extent for entry in made[ahead:]):
            value = next((defined[n] for n in extent.names if extent == Index.of(n) and n in defined), extent)
            if value in own or (value.value is None and value in map(Index.of, value.names)):
                given.append(value)  # handed on
                continue
            count = len(made) - ahead
            expanded = value.subs(meaning)
            name = known.get((count, axis, expanded), "")
            if not name or name in value.names:
                name = f"{numbered(letter, count)[axis]}^({number})"
                known[count, axis, expanded] = name
                meaning[name] = expanded
                if extent == value:
                    open_ones[name] = value
            if extent != value:
                names[axis] = name
            given.append(Index.of(name))
        within[layer] = replace(place, outputs=tuple(names))
        sizes[layer] = own if op.place_by_place else tuple(given)
    return within, tuple(open_ones.items())
