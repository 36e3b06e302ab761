"""Pooling: maximum, average and LP norm over the same windows, one channel at a time."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import KW_ONLY, dataclass, field
from fractions import Fraction
from typing import Any, Literal

from symconv.errors import ArgumentError
from symconv.formulas.algebra import (
    ONE,
    Absolute,
    Access,
    Constant,
    Guard,
    Node,
    Power,
    Reduce,
    Scalar,
    between,
    const,
    nonnegative,
    product,
    summation,
)
from symconv.formulas.index import Index
from symconv.formulas.symbols import is_symbolic
from symconv.operators.frame import Axis, Geometry, named_axes
from symconv.operators.kinds import Flag, Whole
from symconv.operators.option import (
    CEIL_MODE,
    DILATION,
    KERNEL_SIZE,
    NORM_TYPE,
    PADDING,
    POOL_STRIDE,
    TIES_OPTION,
    Option,
)
from symconv.operators.options import tie_rule, to_index
from symconv.operators.windowed import Windowed

__all__ = ["AvgPool", "LPPool", "MaxPool", "Pooling"]

COUNT_INCLUDE_PAD = Option(
    Flag(),
    "whether the taps in the padding count in the divisor; the overhang of ceil_mode never does",
    neutral=True,
    example="false",
    switch="exclude-padding",
    switch_words="divide by the number of taps in the input alone",
)
DIVISOR_OVERRIDE = Option(
    Whole(optional=True, zero=False),
    "divide by this number instead of the number of taps",
    example="2",
    switch="divisor",
)


class Pooling(Windowed):
    """What the poolings share: a window that starts by default where the last one ended, and no weights."""

    def axes(self, role: str, geometry: Geometry, *, primed: bool = False) -> tuple[Axis, ...]:
        ndim, letters = self.spatial_axes, geometry.letters
        extents = geometry.sizes if role == "input" else geometry.outputs
        family = "input" if role == "input" else "output"
        return named_axes(letters.axes(family, ndim), extents)

    def read(self, geometry: Geometry) -> tuple[Access, tuple[Guard, ...]]:
        """The input entry of a tap, and the guards that say that it is a real one, not padding."""
        index: list[Index] = []
        guards: list[Guard] = []
        outputs = self.axes("output", geometry)
        for window, o, tap, size in zip(self.windows, outputs, self.tap_axes(geometry), geometry.sizes, strict=True):
            position = window.tap(o.index, tap.index, size)
            index.append(position)
            guards += between(0, position, size - 1)
        return Access(geometry.letters.input, tuple(index)), tuple(guards)

    @abstractmethod
    def pooled(self, geometry: Geometry) -> Node:
        """The formula of one output entry, guards included; `body` drops those that always hold."""

    def body(self, geometry: Geometry) -> Node:
        return self.settled(self.pooled(geometry), self.axes("output", geometry), geometry)


@dataclass(frozen=True, repr=False)
class MaxPool(Pooling):
    """The largest entry of every window; padding never wins.

    >>> MaxPool(2, 1).output_size((3, 3))
    (2, 2)
    """

    kernel_size: Any = field(metadata=KERNEL_SIZE.metadata)
    stride: Any = field(default=None, metadata=POOL_STRIDE.metadata)
    padding: Any = field(default=0, metadata=PADDING.metadata)
    dilation: Any = field(default=1, metadata=DILATION.metadata)
    ceil_mode: bool = field(default=False, metadata=CEIL_MODE.metadata)
    ties: str = field(default="first", metadata=TIES_OPTION.metadata)
    _: KW_ONLY
    ndim: int = 2

    @property
    def noun(self) -> str:
        return "max pooling"

    def tie_policy(self) -> Literal["first", "split"]:
        return tie_rule(self.ties)

    @property
    def refuses_ties(self) -> bool:
        return self.ties == "error"

    def pooled(self, geometry: Geometry) -> Node:
        entry, guards = self.read(geometry)
        return Reduce("max", tuple(tap.bound for tap in self.tap_axes(geometry)), guards, entry)


@dataclass(frozen=True, repr=False)
class AvgPool(Pooling):
    """The average of every window; padding counts as zeros.

    >>> AvgPool(2).output_size((5, 6))
    (2, 3)
    """

    kernel_size: Any = field(metadata=KERNEL_SIZE.metadata)
    stride: Any = field(default=None, metadata=POOL_STRIDE.metadata)
    padding: Any = field(default=0, metadata=PADDING.metadata)
    dilation: Any = field(default=1, metadata=DILATION.metadata)
    ceil_mode: bool = field(default=False, metadata=CEIL_MODE.metadata)
    count_include_pad: bool = field(default=True, metadata=COUNT_INCLUDE_PAD.metadata)
    divisor_override: Any = field(default=None, metadata=DIVISOR_OVERRIDE.metadata)
    _: KW_ONLY
    ndim: int = 2

    @property
    def noun(self) -> str:
        return "average pooling"

    def pooled(self, geometry: Geometry) -> Node:
        entry, _ = self.read(geometry)
        total = summation(entry, *(tap.bound for tap in self.tap_axes(geometry)))
        return product(self.reciprocal(geometry), total)

    def reciprocal(self, geometry: Geometry) -> Node:
        """One over the number of taps that count: a product of one count an axis."""
        if self.divisor_override is not None:
            return _reciprocal(to_index(self.divisor_override, geometry.symbols, "divisor_override"))
        outputs = self.axes("output", geometry)
        constant, counts = Index.of(1), []
        for window, o, tap, size in zip(self.windows, outputs, self.tap_axes(geometry), geometry.sizes, strict=True):
            position = window.tap(o.index, tap.index, size)
            before, after = window.padding(size)
            if self.count_include_pad:
                if not self.ceil_mode:  # every tap of a window that fits lies in the padded input
                    constant = constant * window.k
                    continue
                guards: tuple[Guard, ...] = (nonnegative(size + after - 1 - position),)
            elif before == 0 and after == 0 and not self.ceil_mode:
                constant = constant * window.k
                continue
            else:
                guards = between(0, position, size - 1)
            counts.append(Power(Reduce("sum", (tap.bound,), guards, ONE), const(-1)))
        return product(_reciprocal(constant), *counts)


def _reciprocal(value: Index) -> Node:
    if value.value is not None:
        return Constant(Fraction(1, value.value))
    return Power(Scalar(value), const(-1))


@dataclass(frozen=True, repr=False)
class LPPool(Pooling):
    """The LP norm of every window: ``(sum of |x|**p)**(1/p)``; with p = infinity the largest |x|. Padding counts as
    zeros.

    >>> LPPool(2, 3, 1).output_size((5, 5))
    (3, 3)
    """

    norm_type: Any = field(metadata=NORM_TYPE.metadata)
    kernel_size: Any = field(metadata=KERNEL_SIZE.metadata)
    stride: Any = field(default=None, metadata=POOL_STRIDE.metadata)
    padding: Any = field(default=0, metadata=PADDING.metadata)
    dilation: Any = field(default=1, metadata=DILATION.metadata)
    ceil_mode: bool = field(default=False, metadata=CEIL_MODE.metadata)
    _: KW_ONLY
    ndim: int = 2

    @property
    def noun(self) -> str:
        return "LP pooling"

    def pooled(self, geometry: Geometry) -> Node:
        entry, _ = self.read(geometry)
        taps = tuple(tap.bound for tap in self.tap_axes(geometry))
        if self.norm_type == float("inf"):
            return Reduce("max", taps, (), Absolute(entry))  # |x| >= 0: what lies in the padding, 0, never wins
        if is_symbolic(self.norm_type):
            if geometry.symbols.setdefault(self.norm_type.name, self.norm_type) != self.norm_type:
                raise ArgumentError("norm_type", self.norm_type, "must not have the name of another symbol")
            p: Node = Scalar(Index.of(self.norm_type.name))
            root: Node = Power(p, const(-1))
        else:
            p, root = const(self.norm_type), const(1 / Fraction(self.norm_type))
        if p == ONE:
            return summation(Absolute(entry), *taps)
        return Power(summation(Power(Absolute(entry), p), *taps), root)
