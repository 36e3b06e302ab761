"""What an exercise asks for as a graph of arrays: each is worked out from others, and can be worked out with a slip.

An answer that follows from a wrong one before it is what the graph gives when the wrong array stands in the place of
its own; an answer with a slip is what it gives when one array is made in another way. Nothing is graded by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from symconv.errors import SymconvError

__all__ = ["ArrayGraph", "Make", "Node", "Slip", "Value", "same"]

Value: TypeAlias = NDArray[Any]
"""An array of exact numbers (of objects), in the shape in which an operator has it."""

Make: TypeAlias = Callable[[Mapping[str, Value]], Value]
"""What makes an array of those that it needs, by their keys."""


@dataclass(frozen=True)
class Slip:
    """A way to get an array wrong.

    Attributes:
        name: a short name, the same in every exercise, such as "kernel-flipped".
        words: what was done instead, in a sentence for the student.
        make: what makes the wrong array.
    """

    name: str
    words: str
    make: Make


@dataclass(frozen=True)
class Node:
    """One array: its key, the keys of what it is made of, how, and the slips in it, the likeliest first."""

    key: str
    needs: tuple[str, ...]
    make: Make
    slips: tuple[Slip, ...] = ()


@dataclass
class ArrayGraph:
    """Arrays by their keys; whoever adds one has added what it needs."""

    nodes: dict[str, Node] = field(default_factory=dict)
    _right: dict[str, Value] = field(default_factory=dict)

    def add(self, node: Node) -> str:
        """Add an array, once; its key."""
        self.nodes.setdefault(node.key, node)
        return node.key

    def right(self, key: str) -> Value:
        """The array as it is due.

        Raises:
            SymconvError: where it has no value, such as a gradient at a kink.
        """
        if key not in self._right:
            node = self.nodes[key]
            self._right[key] = np.asarray(node.make({need: self.right(need) for need in node.needs}), object)
        return self._right[key]

    def instead(self, key: str, given: Mapping[str, Value], slip: tuple[str, Slip] | None = None) -> Value | None:
        """The array where others stand in the place of their own, and one is made with a slip.

        Args:
            key: the array.
            given: arrays that are taken as they stand here.
            slip: the key of an array, and the slip with which it is made.

        Returns:
            The array; None where there is none, such as one of sizes that do not go together.
        """
        known: dict[str, Value] = {}

        def value(at: str) -> Value:
            if at in given and at != key:
                return given[at]
            if at not in known:
                touched = self._reached(at)
                if not touched & given.keys() and (slip is None or slip[0] not in touched):
                    known[at] = self.right(at)
                else:
                    node = self.nodes[at]
                    make = slip[1].make if slip is not None and slip[0] == at else node.make
                    known[at] = np.asarray(make({need: value(need) for need in node.needs}), object)
            return known[at]

        try:
            return value(key)
        except (SymconvError, ValueError, ArithmeticError, IndexError):
            return None  # arrays that do not fit together, as answers may have it: there is nothing to compare with

    def _reached(self, key: str) -> set[str]:
        """The array and all that it is made of."""
        found, waiting = set(), [key]
        while waiting:
            at = waiting.pop()
            if at not in found:
                found.add(at)
                waiting.extend(self.nodes[at].needs)
        return found

    def before(self, key: str) -> set[str]:
        """All that an array is made of."""
        return self._reached(key) - {key}

    def slips(self, key: str, asked: set[str]) -> Iterator[tuple[str, Slip]]:
        """The slips that an answer may have: its own, then those in arrays that nobody asks for on the way to it."""
        waiting, seen = [key], {key}
        while waiting:
            at = waiting.pop(0)
            for slip in self.nodes[at].slips:
                yield at, slip
            for need in self.nodes[at].needs:
                if need not in seen and need not in asked:
                    seen.add(need)
                    waiting.append(need)


def same(one: Value | None, other: Value | None) -> bool:
    """Whether two arrays are equal but for axes of length 1 in front."""
    if one is None or other is None:
        return one is other
    one, other = bare(one), bare(other)
    return one.shape == other.shape and bool(np.all(one == other))


def bare(array: Value) -> Value:
    """An array without axes of length 1 in front, as people write it; one entry alone stays a list of one."""
    while array.ndim > 1 and array.shape[0] == 1:
        array = array[0]
    return array
