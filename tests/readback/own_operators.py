"""Operators of one's own, as a user's file has them: derived with --plugin, and worked out by loops in `layers`."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from typing import Any

import symconv as sc
from symconv.formulas.algebra import Node, Power, add, const, product, summation
from symconv.operators.frame import Geometry
from symconv.operators.option import DILATION, KERNEL_SIZE, PADDING, STRIDE


@dataclass(frozen=True, repr=False)
class Total(sc.Operator):
    """The sum of every window."""

    kernel_size: Any = field(metadata=KERNEL_SIZE.metadata)
    stride: Any = field(default=1, metadata=STRIDE.metadata)
    padding: Any = field(default=0, metadata=PADDING.metadata)
    dilation: Any = field(default=1, metadata=DILATION.metadata)
    _: KW_ONLY
    ndim: int = 2

    variables = ("input",)

    def body(self, geometry: Geometry) -> Node:
        return self.over_taps(self.tap_entry(geometry), geometry)

    def over_taps(self, body: Node, geometry: Geometry) -> Node:
        return summation(body, *(tap.bound for tap in self.tap_axes(geometry)))


@dataclass(frozen=True, repr=False)
class Energy(Total):
    """Twice the sum of the squares of every window."""

    def body(self, geometry: Geometry) -> Node:
        return product(const(2), self.over_taps(Power(self.tap_entry(geometry), const(2)), geometry))


@dataclass(frozen=True, repr=False)
class Filter(Total):
    """A correlation, stated anew."""

    variables = ("input", "weight")

    def body(self, geometry: Geometry) -> Node:
        return self.over_taps(product(self.tap_entry(geometry), self.tap_weight(geometry)), geometry)


@dataclass(frozen=True, repr=False)
class Matching(Total):
    """How far every window is from a template: the sum of squared differences; padding counts as zeros."""

    variables = ("input", "weight")

    def body(self, geometry: Geometry) -> Node:
        difference = add(self.tap_entry(geometry), product(const(-1), self.tap_weight(geometry)))
        return self.over_taps(Power(difference, const(2)), geometry)
