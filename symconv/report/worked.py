"""A network at work on a page: its numbers, named and numbered, and for each what it was worked out from.

All that lights up on the page is read off one map, which is made of the trace of the network
(`symconv.operators.networks.traced`), and so of the formulas of its layers. Nothing here knows what a layer does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from symconv.operators.networks.network import Network
from symconv.operators.networks.traced import MadeOf, NetworkTrace, Place, TensorKey, TracedTensor, trace
from symconv.report.allocation import allocated
from symconv.report.numbers import cell_text, common_unit, latex_number, map_value

__all__ = ["MOST_ENTRIES", "NamedTensor", "Worked", "count_entries", "layer_words", "merged_map"]

MOST_ENTRIES = 4_000
"""With more entries than this a page shows shapes and symbols, and no numbers."""

_WORDS = {
    "Conv": "Convolution",
    "ConvTranspose": "Transposed convolution",
    "MaxPool": "Max pool",
    "AvgPool": "Average pool",
    "LPPool": "LP pool",
    "AdaptiveAvgPool": "Adaptive average pool",
    "AdaptiveMaxPool": "Adaptive max pool",
    "Dense": "Fully connected",
    "LeakyReLU": "Leaky ReLU",
    "LogSoftmax": "Log-softmax",
    "CrossEntropy": "Cross-entropy",
    "SquaredError": "Squared error",
    "BatchNorm": "Batch normalisation",
    "Add": "Sum",
}
_SPATIAL = {1: ("place",), 2: ("row", "column"), 3: ("slice", "row", "column")}


def layer_words(op: Any) -> str:
    """What a layer is called on a page."""
    return _WORDS.get(type(op).__name__, type(op).__name__)


def count_entries(network: Network, input_size: Any) -> int:
    """How many numbers a page of a network would have, forward; they are counted before any is worked out."""
    shapes = network.shapes(input_size)
    parameters = (prod(size) for own in network.parameter_sizes(input_size).values() for size in own.values())
    return sum(map(prod, shapes.values())) + sum(parameters)


@dataclass(frozen=True)
class NamedTensor:
    """A tensor of a page.

    Attributes:
        name: in the map, such as "X", or "dX" for the gradient by it.
        letter: LaTeX of the letter of the whole, without colour.
        tensor: its numbers.
        at: the number of its first cell in the map.
        hidden: how many axes of size 1 in front are not shown.
        upper: how many indices of an entry stand above: those of the channels.
        plane: whether it is an image or a kernel, or a vector or one number.
    """

    name: str
    letter: str
    tensor: TracedTensor
    at: int
    hidden: int
    upper: int
    plane: bool

    @property
    def key(self) -> TensorKey:
        return self.tensor.key

    @property
    def ring(self) -> tuple[tuple[int, int], ...]:
        """The cells before and after the tensor on every axis that is shown."""
        return self.tensor.ring[self.hidden :]

    @property
    def inner(self) -> tuple[int, ...]:
        """The shape that is shown, without the ring."""
        return tuple(self.tensor.values.shape[self.hidden :])

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape that is shown, with the ring."""
        return tuple(n + before + after for n, (before, after) in zip(self.inner, self.ring, strict=True))

    @property
    def size(self) -> int:
        """How many cells it has in the map."""
        return prod(self.shape)

    def number(self, at: tuple[int, ...]) -> int:
        """The number in the map of an entry, by its index in the tensor; outside of it by one in the ring."""
        result = 0
        for position, extent, (before, _) in zip(at[self.hidden :], self.shape, self.ring, strict=True):
            result = result * extent + position + before
        return self.at + result


@dataclass
class Worked:
    """A network at work.

    Args:
        network, inputs, weights, upstream: as for `symconv.operators.networks.traced.trace`.
        letters: the letter of what a layer gives by its name, of the input by "input", and of a weight, a bias or a
            target by the name of the layer, a point and the role: ``{"input": "X", "conv": "Z", "conv.weight": "W"}``.
            Capital letters are arrays, their entries take the small ones. "d" before any of these names gives the
            gradient a letter of its own: ``{"dconv": "G"}``. The others are allocated.
        unit: what gradients are printed in; the common denominator, if it is small, unless given.
        index_base: where indices count from.
        prefix: in front of the names of tensors in the map, where a page has several networks.
        start: the number of the first cell in the map, where others come before.
    """

    network: Network
    inputs: Any
    weights: Mapping[str, Mapping[str, Any]] | None = None
    upstream: Any = None
    letters: Mapping[str, str] = field(default_factory=dict)
    unit: Fraction | None = None
    index_base: int = 1
    prefix: str = ""
    start: int = 0

    def __post_init__(self) -> None:
        self.letters = allocated(self.network, self.letters)

    @cached_property
    def trace(self) -> NetworkTrace:
        """The numbers, each with what it was worked out from, checked."""
        return trace(self.network, self.inputs, self.weights, self.upstream)

    @cached_property
    def gradient_unit(self) -> Fraction:
        """What the gradients are printed in."""
        if self.unit is not None:
            return self.unit
        gradients = (t.values.flat for key, t in self.trace.tensors.items() if key.gradient)
        return common_unit(value for values in gradients for value in values)

    # ------------------------------------------------------------------ names

    @cached_property
    def tensors(self) -> dict[TensorKey, NamedTensor]:
        """The tensors of the page in the order of the map."""
        found: dict[TensorKey, NamedTensor] = {}
        at = self.start
        for key, tensor in self.trace.tensors.items():
            hidden = self._hidden(key, tensor.values.shape)
            channels = self._upper(key, tensor.values.shape)
            letter = self.letter(key)
            called = key.gradient and "d" + _label(key) in self.letters
            name = f"d{letter}" if key.gradient and not called else letter
            named = NamedTensor(self.prefix + name, letter, tensor, at, hidden, channels - hidden, channels > 0)
            found[key] = named
            at += named.size
        return found

    @property
    def end(self) -> int:
        """The number after the last cell."""
        last = list(self.tensors.values())[-1]
        return last.at + last.size

    def _spatial(self) -> int:
        return self.network.spatial_axes or 0

    def _upper(self, key: TensorKey, shape: Sequence[int]) -> int:
        """The axes of channels: one of an image, two of a kernel."""
        axes = self._spatial()
        if key.role == "output":
            return 1 if axes and len(shape) == axes + 1 else 0
        return 2 if key.role == "weight" and axes and len(shape) == axes + 2 else 0

    def _hidden(self, key: TensorKey, shape: Sequence[int]) -> int:
        """Axes of one channel in front, where the input was given without channels."""
        upper = self._upper(key, shape)
        return upper if self.trace.plain and all(n == 1 for n in shape[:upper]) else 0

    def letter(self, key: TensorKey) -> str:
        """The letter of a tensor: that of the file, or the name of its layer."""
        own = self.letters.get("d" + _label(key)) if key.gradient else None
        return own or self.letters[_label(key)]

    def named(self, letter: str) -> NamedTensor:
        """The tensor of a name in the map, without the prefix.

        Raises:
            KeyError: for no tensor of the page.
        """
        return next(named for named in self.tensors.values() if named.name == self.prefix + letter)

    def entry(self, place: Place) -> str:
        """An entry as LaTeX, coloured by its role."""
        key, at = place
        named = self.tensors[key]
        shown = [str(i + self.index_base) for i in at[named.hidden :]]
        small = _small(named.letter)
        upper, lower = shown[: named.upper], shown[named.upper :]
        result = small + (f"^{{{_joined(upper)}}}" if upper else "") + (f"_{{{_joined(lower)}}}" if lower else "")
        return self._coloured(key, result)

    def array(self, key: TensorKey) -> str:
        """The letter of a whole tensor as LaTeX, coloured by its role."""
        return self._coloured(key, _letter_latex(self.tensors[key].letter))

    def _coloured(self, key: TensorKey, latex: str) -> str:
        own = self.letters.get("d" + _label(key)) if key.gradient else None
        if own is not None:
            return rf"\SCupstream{{{latex}}}"
        coloured = rf"\SCkernel{{{latex}}}" if key.role in ("weight", "bias") else latex
        return rf"\partial {self._error}/\partial {coloured}" if key.gradient else coloured

    @property
    def _error(self) -> str:
        """The letter of what gradients are of: that of a loss at the end, else E."""
        output = self.network.output
        ends = self.trace.tensors[TensorKey(output)].values.ndim == 0
        return _letter_latex(self.letter(TensorKey(output))) if ends else "E"

    def place_words(self, place: Place) -> str:
        """Where an entry stands, in words: "Convolution, channel 1, row 2, column 3"."""
        key, at = place
        named = self.tensors[key]
        words = self.axis_words(named)
        places = (f"{word} {i + self.index_base}" for word, i in zip(words, at[named.hidden :], strict=True))
        return ", ".join((self.title(named), *places))

    def axis_words(self, named: NamedTensor) -> tuple[str, ...]:
        """What the axes that are shown are called."""
        axes, rank = self._spatial(), len(named.inner)
        upper = self._upper(named.key, named.tensor.values.shape)
        if upper:
            lead = ("channel",) if upper == 1 else ("to channel", "from channel")
            spatial = _SPATIAL.get(axes, tuple(f"axis {n + 1}" for n in range(axes)))
            return (*lead, *spatial)[named.hidden :]
        return {0: (), 1: ("entry",), 2: ("row", "column")}.get(rank, tuple(f"axis {n + 1}" for n in range(rank)))

    def title(self, named: NamedTensor) -> str:
        """What a tensor is, in words."""
        key = named.key
        if key.layer == "input":
            words = "input"
        else:
            op = layer_words(self.network[key.layer])
            words = op[0].lower() + op[1:] if op[1:].islower() else op
            words += " layer" if words == "fully connected" and (key.gradient or key.role != "output") else ""
            words = words if key.role == "output" else f"{key.role} of the {words}"
        return f"Gradient of the {words}" if key.gradient else words[0].upper() + words[1:]

    # ------------------------------------------------------------------ the map

    def unit_of(self, key: TensorKey) -> Fraction:
        """The unit in which the numbers of a tensor are printed."""
        return self.gradient_unit if key.gradient else Fraction(1)

    @cached_property
    def terms(self) -> list[list[int]]:
        """By number, from `start` on, the flat list of the pairs (a, b) whose products make it; b is -1 alone."""
        result: list[list[int]] = []
        for named in self.tensors.values():
            own: list[list[int]] = [[] for _ in range(named.size)]
            if named.tensor.made is not None:
                for at in np.ndindex(named.tensor.values.shape):
                    own[named.number(at) - named.at] = self._pairs(named.tensor.made[at])  # type: ignore[arg-type]
            result += own
        return result

    def _pairs(self, made: MadeOf) -> list[int]:
        pairs: list[int] = []
        for _, places in _in_order(made):
            numbers = [self.number(place) for place in _weights_first(places)]
            pairs += numbers if len(numbers) == 2 else [*numbers, -1]
        return pairs

    def number(self, place: Place) -> int:
        """The number in the map of an entry."""
        return self.tensors[place[0]].number(place[1])

    @cached_property
    def first(self) -> Place:
        """What is chosen when the page opens: an entry inside of the first layer that has a weight."""
        keys = [TensorKey(name) for name in self.network.names]
        weighted = [key for key in keys if TensorKey(key.layer, "weight") in self.tensors]
        key = (weighted or keys)[0]
        shape = self.trace.tensors[key].values.shape
        inside = [min(n, extent - 1) for n, extent in zip((1, 2, 2)[: self._spatial()], shape[-self._spatial() :])]
        upper = len(shape) - len(inside)
        return key, (*(0 for _ in range(upper)), *inside) if upper >= 0 and self._spatial() else (0,) * len(shape)

    def map(self) -> dict[str, Any]:
        """The map: tensors, terms, values, the factors that are not 1, and the number that is chosen first."""
        values: list[Any] = []
        factors: dict[str, list[str]] = {}
        for named in self.tensors.values():
            own: list[Any] = [0] * named.size
            for at in np.ndindex(named.tensor.values.shape):
                own[named.number(at) - named.at] = map_value(named.tensor.values[at])
                made: MadeOf | None = None if named.tensor.made is None else named.tensor.made[at]  # type: ignore[assignment]
                if made is not None and any(factor != 1 for factor, _ in made.terms):
                    factors[str(named.number(at))] = [cell_text(factor) for factor, _ in _in_order(made)]
            values += own
        return {
            "tensors": {named.name: self._described(named) for named in self.tensors.values()},
            "terms": self.terms,
            "values": values,
            "factors": factors,
            "first": self.number(self.first),
            "base": self.index_base,
        }

    def _described(self, named: NamedTensor) -> dict[str, Any]:
        key = named.key
        found: dict[str, Any] = {"at": named.at, "shape": list(named.shape)}
        rings = {side for pair in named.ring[named.upper :] for side in pair}
        if rings - {0}:
            same = len(rings) == 1 and not any(sum(pair) for pair in named.ring[: named.upper])
            found["ring"] = rings.pop() if same else [list(pair) for pair in named.ring]
        own = key.gradient and self.letters.get("d" + _label(key)) is not None
        small = _small(named.letter).lstrip("\\")
        found["sym"] = _GREEK.get(small, small) if own or not key.gradient else "d" + _GREEK.get(small, small)
        if key.gradient and not own:
            found["of"] = 1
        if named.upper:
            found["upper"] = named.upper
        if own:
            found["role"] = "g"
        elif key.role in ("weight", "bias"):
            found["role"] = "b"
        if key.gradient:
            found["back"] = 1
            if self.gradient_unit != 1:
                found["unit"] = str(self.gradient_unit)
                found["thirds"] = int(self.gradient_unit == Fraction(1, 3))
        if named.tensor.made is None:
            found["given"] = 1
        else:
            found |= self._operation(named)
        found["title"] = self.title(named)
        found["names"] = list(self.axis_words(named))
        found["label"] = self.spoken(named)
        twin = TensorKey(key.layer, key.role, not key.gradient)
        if twin in self.tensors:
            found["twin"] = self.tensors[twin].name
        return found

    def _operation(self, named: NamedTensor) -> dict[str, str]:
        """What the numbers of a tensor are made by, and the words that the page puts round their terms."""
        first: MadeOf | None = None if named.tensor.made is None else next(iter(named.tensor.made.flat), None)
        if first is None or first.kind == "sum":
            return {"op": "sum"}
        if first.kind in ("max", "min"):
            return {"op": first.kind, "open": f"{first.kind}{{", "close": "}"}
        if first.function == "positive part":
            return {"op": "relu", "open": "max(0, ", "close": ")"}
        return {"op": "function", "how": layer_words(self.network[named.key.layer])}

    # ------------------------------------------------------------------ what lights up

    @cached_property
    def _neighbours(self) -> tuple[list[set[int]], list[set[int]]]:
        """By number what it comes from and what it flows into."""
        parents = [{n for n in pairs if n >= 0} for pairs in self.terms]
        children: list[set[int]] = [set() for _ in parents]
        for n, own in enumerate(parents):
            for parent in own:
                children[parent - self.start].add(n + self.start)
        return parents, children

    def _side(self, number: int) -> bool:
        """Whether a number is a gradient."""
        return next(t.key.gradient for t in self.tensors.values() if t.at <= number < t.at + t.size)

    @cached_property
    def states(self) -> dict[int, str]:
        """What the cells are while the first number is chosen: me, s1, s2, t1, t2 or twin."""
        me = self.number(self.first)
        parents, children = self._neighbours
        found: dict[int, str] = {}
        for closest, farther, step in (("s1", "s2", parents), ("t1", "t2", children)):
            side = self._side(me)
            near = {n for n in step[me - self.start] if closest == "s1" or self._side(n) == side}
            seen, queue = set(near), [n for n in near if self._side(n) == side]
            while queue:
                for n in step[queue.pop() - self.start]:
                    if n not in seen and self._side(n) == side:
                        seen.add(n)
                        queue.append(n)
            found |= dict.fromkeys(seen, farther) | dict.fromkeys(near, closest)
        key, at = self.first
        twin = TensorKey(key.layer, key.role, True)
        if twin in self.tensors:
            found[self.number((twin, at))] = "twin"
        found[me] = "me"
        return found

    def spoken(self, named: NamedTensor) -> str:
        """A tensor in a sentence, by its letter; a gradient without one by that of what it is the gradient by."""
        letter = _GREEK.get(named.letter, named.letter)
        called = "d" + _label(named.key) in self.letters
        return f"the gradient of {letter}" if named.key.gradient and not called else letter

    def flows(self) -> list[str]:
        """What the first number flows into, in words, tensor by tensor."""
        marked = [n for n, state in self.states.items() if state in ("t1", "t2")]
        words = []
        for named in self.tensors.values():
            count = sum(named.at <= n < named.at + named.size for n in marked)
            if count:
                total = prod(named.inner)
                label = self.spoken(named)
                if total == 1:
                    words.append(label)
                elif count == total:
                    words.append(f"all {count} of {label}")
                else:
                    words.append(f"{count} {'entry' if count == 1 else 'entries'} of {label}")
        return words

    def formula(self, place: Place, numbers: bool = True) -> tuple[str, list[str]]:
        """An entry written out: its name, and its right-hand sides in symbols, in numbers, and its value."""
        key, at = place
        made = None if self.trace.tensors[key].made is None else self.trace.tensors[key].made[at]  # type: ignore[index]
        value = latex_number(self.trace.value(place))
        if made is None:
            return self.entry(place), [value]
        kept = [
            (factor, _weights_first(places))
            for factor, places in _in_order(made)
            if made.kind != "sum" or all(self.trace.value(place) != 0 for place in places)
        ]
        symbols = [self._product(factor, [self.entry(p) for p in places]) for factor, places in kept]
        values = [self._values(factor, places) for factor, places in kept]
        sides = [_together(made, symbols, layer_words(self.network[key.layer]) if key.layer != "input" else "")]
        if made.kind != "function" or made.function:
            whole = _together(made, values, "")
            unit = self.unit_of(key)
            sides.append(whole if unit == 1 or not values else rf"{unit}\,({whole})")
        if value != sides[-1]:
            sides.append(value)
        return self.entry(place), sides

    def shortened(self, place: Place) -> bool:
        """Whether an entry that is written out leaves out products, those with a factor 0."""
        made = self.trace.tensors[place[0]].made
        return (
            made is not None
            and made[place[1]].kind == "sum"
            and any(self.trace.value(factor) == 0 for _, places in made[place[1]].terms for factor in places)
        )

    def _product(self, factor: Any, entries: list[str]) -> str:
        first = [] if factor == 1 else [_bracketed(latex_number(factor))]
        return r"\,".join([*first, *entries])

    def _values(self, factor: Any, places: Sequence[Place]) -> str:
        first = [] if factor == 1 else [factor]
        entries = [latex_number(self.trace.value(place), self.unit_of(place[0])) for place in places]
        numbers = [*map(latex_number, first), *entries]
        texts = [_bracketed(n) for n in numbers] if len(numbers) > 1 else [_bracketed(numbers[0])]
        keys = [None] * len(first) + [place[0] for place in places]
        coloured = [
            rf"\SCkernel{{{t}}}" if k and k.role in ("weight", "bias") and not k.gradient
            else rf"\SCupstream{{{t}}}" if k and k.gradient else t
            for t, k in zip(texts, keys, strict=True)
        ]  # fmt: skip
        return r" \cdot ".join(coloured)


_GREEK = {"pi": "π", "delta": "δ", "alpha": "α", "beta": "β", "gamma": "γ", "sigma": "σ", "phi": "φ", "eta": "η"}
_KNOWN = frozenset(_GREEK) | set("epsilon zeta theta kappa lambda mu nu xi rho tau chi psi omega".split())  # noqa: SIM905


def _weights_first(places: Sequence[Place]) -> list[Place]:
    """The factors of a product as one writes them: w x."""
    return sorted(places, key=lambda place: place[0].role != "weight" or place[0].gradient)


def _in_order(made: MadeOf) -> list[tuple[Any, tuple[Place, ...]]]:
    """The terms as one writes them: a bias before the products."""
    return sorted(made.terms, key=lambda term: len(term[1]))


def _label(key: TensorKey) -> str:
    return key.layer if key.role == "output" else f"{key.layer}.{key.role}"


def _letter_latex(letter: str) -> str:
    if letter in _KNOWN:
        return "\\" + letter
    if len(letter) == 1:
        return letter
    return rf"\mathit{{{letter.replace('_', '')}}}"


def _small(letter: str) -> str:
    """The letter of an entry: the small one of a capital."""
    return _letter_latex(letter.lower() if len(letter) == 1 and letter != "E" else letter)


def _joined(indices: Sequence[str]) -> str:
    """Indices beside each other; with commas where one has two digits or a sign."""
    return "".join(indices) if all(len(i) == 1 for i in indices) else ",".join(indices)


def _bracketed(number: str) -> str:
    return f"({number})" if number.startswith(("-", r"\approx -")) or "/" in number else number


def _together(made: MadeOf, parts: list[str], how: str) -> str:
    if made.kind == "sum":
        return " + ".join(parts) or "0"
    if made.kind in ("max", "min"):
        return rf"\{made.kind}\{{{', '.join(parts)}\}}"
    if made.function == "positive part":
        return rf"\max(0, {', '.join(parts)})"
    name = made.function or how.lower()
    return rf"\text{{{name}}}({', '.join(parts)})"


def merged_map(parts: Sequence[Worked]) -> str:
    """The map of a page as JSON, of all networks on it; empty for none.

    Every number is checked before (`symconv.operators.networks.traced.checked`).
    """
    if not parts:
        return ""
    whole = parts[0].map()
    for part in parts[1:]:
        more = part.map()
        for name in ("tensors", "factors"):
            whole[name] |= more[name]
        for name in ("terms", "values"):
            whole[name] += more[name]
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":"))
