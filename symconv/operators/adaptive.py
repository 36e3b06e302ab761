"""Adaptive pooling: windows that divide the input into a given number of outputs, global pooling among them.

Source: PyTorch's ``AdaptiveAvgPool`` and ``AdaptiveMaxPool``: window o covers the positions from ``floor(o*n/out)`` to
``ceil((o+1)*n/out) - 1``.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from symconv.formulas.algebra import Access, Bound, Guard, Node, Power, Reduce, Scalar, const, product, summation
from symconv.formulas.index import Index, ceiling, floor
from symconv.operators.base import Operator
from symconv.operators.frame import Axis, Geometry, named_axes
from symconv.operators.option import OUTPUT_SIZE, TIES_OPTION
from symconv.operators.options import Integer, tie_rule, to_index
from symconv.operators.window import Window

__all__ = ["AdaptiveAvgPool", "AdaptiveMaxPool", "AdaptivePooling"]

OUTPUTS = replace(OUTPUT_SIZE, words="the number of outputs")


class AdaptivePooling(Operator):
    """What the adaptive poolings share: the windows.

    They overlap where the number of outputs does not divide the input size, and repeat entries where it is larger.
    """

    outputs: tuple[Integer, ...]
    ndim: int

    def _declare(self, **given: Any) -> None:
        for name, value in given.items():
            object.__setattr__(self, name, value)
        self.__post_init__()

    @property
    def windows(self) -> tuple[Window, ...]:
        """None: the window differs from output to output."""
        return ()

    # ------------------------------------------------------------------ sizes

    def count(self, axis: int, size: Index) -> Index:
        """The number of outputs on an axis, whatever the input size."""
        return to_index(self.outputs[axis], {}, "output_size")

    def facts(self, axis: int, size: Index) -> list[Guard]:
        """Nothing: there is a window for every output."""
        return []

    def axis_output_size(self, axis: int, n: Integer) -> Integer:
        return self.outputs[axis]

    def span(self, axis: int, output: Index, size: Index) -> tuple[Index, Index]:
        """The first and the last input position that an output reads (0-based)."""
        count = self.count(axis, size)
        if count == 1:  # global pooling: there is only output 0
            return Index.of(0), size - 1
        return floor(output * size, count), ceiling((output + 1) * size, count) - 1

    # ------------------------------------------------------------------ the formula

    def axes(self, role: str, geometry: Geometry, *, primed: bool = False) -> tuple[Axis, ...]:
        family = "input" if role == "input" else "output"
        extents = geometry.sizes if role == "input" else geometry.outputs
        return named_axes(geometry.letters.axes(family, self.ndim), extents)

    def taps(self, geometry: Geometry) -> tuple[Bound, ...]:
        """The positions that one output reads, one index an axis."""
        names = geometry.letters.axes("weight", self.ndim)
        outputs = self.axes("output", geometry)
        spans = [self.span(axis, o.index, n) for axis, (o, n) in enumerate(zip(outputs, geometry.sizes, strict=True))]
        return tuple(Bound(name, first, last) for name, (first, last) in zip(names, spans, strict=True))

    def entry(self, geometry: Geometry) -> Access:
        """The input entry at a position of the window."""
        names = geometry.letters.axes("weight", self.ndim)
        return Access(geometry.letters.input, tuple(Index.of(name) for name in names))

    @abstractmethod
    def body(self, geometry: Geometry) -> Node:
        """The formula of one output entry."""


@dataclass(frozen=True, repr=False, init=False)
class AdaptiveAvgPool(AdaptivePooling):
    """The average of every window, for a given number of windows; ``AdaptiveAvgPool(1)`` is global average pooling.

    >>> AdaptiveAvgPool((2, 3)).output_size((7, 7))
    (2, 3)
    """

    outputs: tuple[Integer, ...] = field(metadata=OUTPUTS.metadata)
    ndim: int = 2

    def __init__(self, output_size: Any, *, ndim: int = 2) -> None:
        self._declare(outputs=output_size, ndim=ndim)

    @property
    def noun(self) -> str:
        return "adaptive average pooling"

    def body(self, geometry: Geometry) -> Node:
        taps = self.taps(geometry)
        counts = [Power(Scalar(tap.upper - tap.lower + 1), const(-1)) for tap in taps]
        return product(*counts, summation(self.entry(geometry), *taps))


@dataclass(frozen=True, repr=False, init=False)
class AdaptiveMaxPool(AdaptivePooling):
    """The largest entry of every window, for a given number of windows; ``AdaptiveMaxPool(1)`` is the global maximum.

    >>> AdaptiveMaxPool(4, ndim=1).output_size((6,))
    (4,)
    """

    outputs: tuple[Integer, ...] = field(metadata=OUTPUTS.metadata)
    ties: str = field(default="first", metadata=TIES_OPTION.metadata)
    ndim: int = 2

    def __init__(self, output_size: Any, ties: str = "first", *, ndim: int = 2) -> None:
        self._declare(outputs=output_size, ties=ties, ndim=ndim)

    @property
    def noun(self) -> str:
        return "adaptive max pooling"

    def tie_policy(self) -> Literal["first", "split"]:
        return tie_rule(self.ties)

    @property
    def refuses_ties(self) -> bool:
        return self.ties == "error"

    def body(self, geometry: Geometry) -> Node:
        return Reduce("max", self.taps(geometry), (), self.entry(geometry))
