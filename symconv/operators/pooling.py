"""Pooling: maximum, average and LP norm over the same windows, one channel at a time."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import KW_ONLY, dataclass
from fractions import Fraction
from typing import Any, Literal

from symconv.doors import flag, one_of
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
from symconv.operators.options import TIES, integer, tie_rule, to_index
from symconv.operators.windowed import Windowed

__all__ = ["AvgPool", "LPPool", "MaxPool", "Pooling"]


class Pooling(Windowed):
    """What the poolings share: a window that starts by default where the last one ended, and no weights."""

    def _check_window(self) -> None:
        self._read_window(self.kernel_size if self.stride is None else self.stride)
        flag("ceil_mode", self.ceil_mode)

    def axes(self, role: str, geometry: Geometry, *, primed: bool = False) -> tuple[Axis, ...]:
        ndim, letters = self.spatial_axes, geometry.letters
        extents = geometry.sizes if role == "input" else geometry.outputs
        family = "input" if role == "input" else "output"
        return named_axes(letters.axes(family, ndim), extents)

    def taps(self, geometry: Geometry) -> tuple[Axis, ...]:
        """The indices of the taps of a window."""
        names = geometry.letters.axes("weight", self.spatial_axes)
        return named_axes(names, [window.k for window in self.windows])

    def read(self, geometry: Geometry) -> tuple[Access, tuple[Guard, ...]]:
        """The input entry of a tap, and the guards that say that it is a real one, not padding."""
        index: list[Index] = []
        guards: list[Guard] = []
        outputs = self.axes("output", geometry)
        for window, o, tap, size in zip(self.windows, outputs, self.taps(geometry), geometry.sizes, strict=True):
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

    Args:
        kernel_size: the window, one entry a spatial axis; an int means `ndim` equal axes.
        stride: the step between windows; the window size where left out.
        padding: as for `Conv`; a tap in the padding is absent.
        dilation: the step between taps.
        ceil_mode: round the number of outputs up, but start no window in the padding after the input.
        ties: which of several equal maxima receives the gradient: "first" in row-major order (PyTorch, JAX) or "split"
            in equal shares; "set" leaves the whole subdifferential, which only formulas can show.
        ndim: the number of spatial axes where `kernel_size` is an int.

    >>> MaxPool(2, 1).output_size((3, 3))
    (2, 2)
    """

    kernel_size: Any
    stride: Any = None
    padding: Any = 0
    dilation: Any = 1
    ceil_mode: bool = False
    ties: str = "first"
    _: KW_ONLY
    ndim: int = 2

    @property
    def noun(self) -> str:
        return "max pooling"

    def __post_init__(self) -> None:
        self._check_window()
        one_of("ties", self.ties, TIES)

    def tie_policy(self) -> Literal["first", "split"]:
        return tie_rule(self.ties)

    def pooled(self, geometry: Geometry) -> Node:
        entry, guards = self.read(geometry)
        return Reduce("max", tuple(tap.bound for tap in self.taps(geometry)), guards, entry)


@dataclass(frozen=True, repr=False)
class AvgPool(Pooling):
    """The average of every window.

    Args:
        kernel_size, stride, padding, dilation, ceil_mode, ndim: as for `MaxPool`; padding counts as zeros.
        count_include_pad: divide by the number of taps in the padded input (the overhang of ceil_mode never counts);
            with False by the number of taps in the input itself.
        divisor_override: divide by this instead.

    >>> AvgPool(2).output_size((5, 6))
    (2, 3)
    """

    kernel_size: Any
    stride: Any = None
    padding: Any = 0
    dilation: Any = 1
    ceil_mode: bool = False
    count_include_pad: bool = True
    divisor_override: Any = None
    _: KW_ONLY
    ndim: int = 2

    @property
    def noun(self) -> str:
        return "average pooling"

    def __post_init__(self) -> None:
        self._check_window()
        flag("count_include_pad", self.count_include_pad)
        if self.divisor_override is not None:
            value = integer("divisor_override", self.divisor_override, None)
            if value == 0:
                raise ArgumentError("divisor_override", 0, "must not be 0")
            object.__setattr__(self, "divisor_override", value)

    def pooled(self, geometry: Geometry) -> Node:
        entry, _ = self.read(geometry)
        total = summation(entry, *(tap.bound for tap in self.taps(geometry)))
        return product(self._divisor(geometry), total)

    def _divisor(self, geometry: Geometry) -> Node:
        """One over the number of taps that count: a product of one count an axis."""
        if self.divisor_override is not None:
            return _reciprocal(to_index(self.divisor_override, geometry.symbols, "divisor_override"))
        outputs = self.axes("output", geometry)
        constant, counts = Index.of(1), []
        for window, o, tap, size in zip(self.windows, outputs, self.taps(geometry), geometry.sizes, strict=True):
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
    """The LP norm of every window: ``(sum of |x|**p)**(1/p)``; with p = infinity the largest |x|.

    Args:
        norm_type: p, an integer, a ``fractions.Fraction``, a SymPy rational or symbol, or a float (read exactly as it
            prints: 1.5 is 3/2), at least 1; or infinity.
        kernel_size, stride, padding, dilation, ceil_mode, ndim: as for `MaxPool`; padding counts as zeros.

    >>> LPPool(2, 3, 1).output_size((5, 5))
    (3, 3)
    """

    norm_type: Any
    kernel_size: Any
    stride: Any = None
    padding: Any = 0
    dilation: Any = 1
    ceil_mode: bool = False
    _: KW_ONLY
    ndim: int = 2

    @property
    def noun(self) -> str:
        return "LP pooling"

    def __post_init__(self) -> None:
        object.__setattr__(self, "norm_type", _norm(self.norm_type))
        self._check_window()

    def reals(self) -> tuple[str, ...]:
        return (self.norm_type.name,) if is_symbolic(self.norm_type) else ()

    def pooled(self, geometry: Geometry) -> Node:
        entry, _ = self.read(geometry)
        taps = tuple(tap.bound for tap in self.taps(geometry))
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


def _norm(value: Any) -> Any:
    """The order p of a norm: an exact rational, a SymPy symbol, or ``float("inf")``."""
    if is_symbolic(value):
        if getattr(value, "is_Symbol", False):
            if value.is_real is False or value.is_positive is False:
                raise ArgumentError("norm_type", value, "must be a symbol that can be a number >= 1")
            return value
        if getattr(value, "is_Rational", False):
            value = Fraction(int(value.p), int(value.q))
        elif getattr(value, "is_infinite", False) and getattr(value, "is_extended_positive", False):
            return float("inf")
    if isinstance(value, float) and value == float("inf"):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float | Fraction) or value != value:
        raise ArgumentError("norm_type", value, "must be a number >= 1, a SymPy symbol or infinity")
    if value < 1:
        raise ArgumentError("norm_type", value, "must be >= 1 (below 1 it is no norm)")
    exact = Fraction(str(value)) if isinstance(value, float) else Fraction(value)
    return exact if exact.denominator != 1 else int(exact)
