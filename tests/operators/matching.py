"""An operator of one's own, whole: template matching by squared differences, as the README shows it."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from typing import Any

import symconv as sc
from symconv.formulas.algebra import Node, Power, add, const, product, summation
from symconv.operators.frame import Geometry
from symconv.operators.option import KERNEL_SIZE, PADDING, STRIDE


@dataclass(frozen=True, repr=False)
class TemplateMatching(sc.Operator):
    """How far every window is from a template: ``c[p] = sum over m of (a[s*p + m - P] - b[m])**2`` (0-based)."""

    kernel_size: Any = field(metadata=KERNEL_SIZE.metadata)
    stride: Any = field(default=1, metadata=STRIDE.metadata)
    padding: Any = field(default=0, metadata=PADDING.metadata)
    _: KW_ONLY
    ndim: int = 2

    variables = ("input", "weight")

    def body(self, geometry: Geometry) -> Node:
        difference = add(self.tap_entry(geometry), product(const(-1), self.tap_weight(geometry)))
        return summation(Power(difference, const(2)), *(tap.bound for tap in self.tap_axes(geometry)))
