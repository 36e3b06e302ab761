"""The table of a network: the figures of every layer with windows, what they add up to, and what is not known."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from symconv.operators.base import Operator

__all__ = ["Layer", "NetworkTable", "Ranges"]

Ranges = tuple[tuple[int, int], ...]
"""Positions as ranges (first, last)."""


@dataclass(frozen=True)
class Layer:
    """One layer with windows, in numbers.

    Attributes:
        name: where it stands in the network.
        kind: what the framework calls it.
        operator: the operator that it was read as; None where there is none.
        input, output: channels, then spatial sizes; None where they are not known.
        parameters: weights and biases; None where they are not known.
        multiply_adds: products of an input entry and a weight; those with padding count, as usual.
        receptive_field: the largest number of positions of the network's input between the first and the last that one
            output depends on, one an axis, padding counted; None where it is not known.
        whole_input: on which axes every output depends on the whole input, as behind a gate.
        jump: the input positions between neighbouring outputs, one an axis.
        unread: the positions of the layer's input that no output of it reads, one tuple of ranges an axis.
        unread_of_network: the same for the network's input and what comes out of this layer.
        reason: why something of it is not known; empty where everything is.
        arrays: its weights and biases by name, with their numbers of entries; layers may share them.
    """

    name: str
    kind: str
    operator: Operator | None
    input: tuple[int, ...] | None
    output: tuple[int, ...] | None
    parameters: int | None
    multiply_adds: int | None
    receptive_field: tuple[int | None, ...]
    whole_input: tuple[bool, ...]
    jump: tuple[Fraction | None, ...]
    unread: tuple[Ranges, ...]
    unread_of_network: tuple[Ranges, ...]
    reason: str = ""
    arrays: tuple[tuple[str, int], ...] = ()

    @staticmethod
    def unknown(name: str, kind: str, reason: str, arrays: tuple[tuple[str, int], ...] | None = None) -> Layer:
        """A layer of which no sizes are known."""
        count = None if arrays is None else sum(n for _, n in arrays)
        return Layer(name, kind, None, None, None, count, None, (), (), (), (), (), reason, arrays or ())

    def as_json(self) -> dict[str, Any]:
        """The figures with plain numbers, lists and strings."""
        return {
            "name": self.name,
            "kind": self.kind,
            "operator": None if self.operator is None else repr(self.operator),
            "input": None if self.input is None else list(self.input),
            "output": None if self.output is None else list(self.output),
            "parameters": self.parameters,
            "multiply_adds": self.multiply_adds,
            "receptive_field": list(self.receptive_field),
            "whole_input": list(self.whole_input),
            "jump": [None if step is None else int(step) if step.denominator == 1 else str(step) for step in self.jump],
            "unread": [list(map(list, axis)) for axis in self.unread],
            "unread_of_network": [list(map(list, axis)) for axis in self.unread_of_network],
            "reason": self.reason,
            "weights": [name for name, _ in self.arrays],
        }


@dataclass
class NetworkTable:
    """The layers of a network, as they are found one after the other.

    Attributes:
        batch: the number of images that go through at once.
        layers: the layers with windows.
        notes: what the table takes for granted, or where a framework departs from an operator.
        findings: where a size by the formula is not the one that the model states, with both.
    """

    batch: int
    layers: list[Layer] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)

    @property
    def parameters(self) -> int:
        """The parameters of all layers whose number is known; those that several layers share count once."""
        arrays = dict(entry for layer in self.layers for entry in layer.arrays)
        return sum(arrays.values())

    @property
    def multiply_adds(self) -> int:
        """The multiply-adds of all layers whose number is known."""
        return sum(layer.multiply_adds or 0 for layer in self.layers)

    @property
    def counted(self) -> bool:
        """Whether the totals are those of all layers; else they are at least that."""
        return all(None not in (layer.parameters, layer.multiply_adds) for layer in self.layers)

    @property
    def complete(self) -> bool:
        """Whether everything is known of every layer, and no size contradicts the model."""
        return self.counted and not self.findings and not any(layer.reason for layer in self.layers)

    def note(self, text: str) -> None:
        """Add a note, once."""
        if text not in self.notes:
            self.notes.append(text)

    def as_json(self) -> dict[str, Any]:
        """The table for a program."""
        return {
            "batch": self.batch,
            "layers": [layer.as_json() for layer in self.layers],
            "parameters": self.parameters,
            "multiply_adds": self.multiply_adds,
            "complete": self.complete,
            "at_least": not self.counted,
            "notes": list(self.notes),
            "findings": list(self.findings),
        }
